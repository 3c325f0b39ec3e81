//! The connection that the examples share, from the environment.
//!
//! Against a sandbox: `crm sandbox serve` prints what goes into `CRM_API_URL`, `CRM_AUTH_URL`,
//! `CRM_TENANT`, `CRM_CLIENT_ID`, `CRM_CLIENT_SECRET` and `CRM_APP_KEY`. Without the two URLs it
//! is the vendor's integration environment.

use std::{env, error::Error};

use crm_contacts::{
    ContactsService,
    models::TenantId,
    transport::{self, Credentials, Environment, Transport},
};

pub fn connect() -> Result<ContactsService<impl Transport + use<>>, Box<dyn Error>> {
    let environment = match (env::var("CRM_API_URL"), env::var("CRM_AUTH_URL")) {
        (Ok(api), Ok(auth)) => Environment::custom(&api, &auth)?,
        _ => Environment::integration(),
    };
    let credentials = Credentials::new(
        env::var("CRM_CLIENT_ID")?,
        env::var("CRM_CLIENT_SECRET")?,
        env::var("CRM_APP_KEY")?,
    );
    let tenant: TenantId = env::var("CRM_TENANT")?.parse()?;
    let transport = transport::standard(&environment, credentials)?;
    Ok(ContactsService::new(transport, tenant))
}
