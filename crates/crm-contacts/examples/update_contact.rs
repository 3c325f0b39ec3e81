//! Changes one contact of a location and shows what changed.
//!
//! Against a sandbox: `crm sandbox serve` prints what goes into the environment (`CRM_API_URL`,
//! `CRM_AUTH_URL`, `CRM_TENANT`, `CRM_CLIENT_ID`, `CRM_CLIENT_SECRET`, `CRM_APP_KEY`), then
//!
//! ```sh
//! cargo run -p crm-contacts --example update_contact -- 2001 3001 "Gate code 4411"
//! ```

use std::{env, error::Error};

use crm_contacts::{ContactsError, ContactsService};
use crm_models::{ContactChange, ContactId, LocationId, PreferenceChange, TenantId};
use crm_transport::{Credentials, Environment};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let [location, contact, memo] = arguments.as_slice() else {
        return Err("give a location, a contact and a memo".into());
    };
    let location: LocationId = location.parse()?;
    let contact: ContactId = contact.parse()?;

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
    let transport = crm_transport::standard(&environment, credentials)?;
    let contacts = ContactsService::new(transport, tenant);

    let change = ContactChange::new()
        .memo(memo)
        .preferences(PreferenceChange::new().marketing_updates(false));
    match contacts.location(location).ensure(contact, &change).await {
        Ok(ensured) => {
            for difference in ensured.differences() {
                let (before, after) = (difference.before, difference.after);
                println!("{}: {before:?} -> {after:?}", difference.field);
            }
        }
        Err(error @ ContactsError::OutcomeUnknown { .. }) => eprintln!("look first: {error}"),
        Err(error) => return Err(error.into()),
    }
    Ok(())
}
