//! The connection that the examples share, from the environment.
//!
//! Against a sandbox: `crm sandbox serve` prints what goes into `CRM_API_URL`, `CRM_AUTH_URL`,
//! `CRM_TENANT`, `CRM_CLIENT_ID`, `CRM_CLIENT_SECRET` and `CRM_APP_KEY`. In place of the two URLs,
//! `CRM_ENVIRONMENT=integration` is the vendor's environment for tests.

use std::error::Error;

use crm_contacts::{
    ContactsService,
    models::TenantId,
    transport::{self, Account, Transport},
};

pub fn connect() -> Result<ContactsService<impl Transport + use<>>, Box<dyn Error>> {
    let account = Account::from_env()?;
    let transport = transport::standard(&account.environment, account.credentials)?;
    Ok(ContactsService::new(transport, TenantId::new(account.tenant)?))
}
