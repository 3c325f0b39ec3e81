//! Changes one contact of a location and shows what changed.
//!
//! ```sh
//! cargo run -p crm-contacts --example update_contact -- 2001 3001 "Gate code 4411"
//! ```

mod connect;

use std::{env, error::Error};

use crm_contacts::{
    ContactsError,
    models::{ContactChange, ContactId, LocationId, PreferenceChange},
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let [location, contact, memo] = arguments.as_slice() else {
        return Err("give a location, a contact and a memo".into());
    };
    let location: LocationId = location.parse()?;
    let contact: ContactId = contact.parse()?;

    let contacts = connect::connect()?;
    let change = ContactChange::new()
        .memo(memo)
        .preferences(PreferenceChange::new().marketing_updates(false));
    match contacts.location(location).update_if_changed(contact, &change).await {
        Ok(updated) => {
            for difference in updated.differences() {
                let (before, after) = (difference.before, difference.after);
                println!("{}: {before:?} -> {after:?}", difference.field);
            }
        }
        Err(error @ ContactsError::OutcomeUnknown { .. }) => eprintln!("look first: {error}"),
        Err(error) => return Err(error.into()),
    }
    Ok(())
}
