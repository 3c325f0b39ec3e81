//! Reads a contact from a file of JSON and prints the body of the PATCH that turns job
//! reminders off and notes why.
//!
//! ```sh
//! cargo run -p crm-models --example update_body -- CONTACT.json
//! ```

use std::{env, error::Error, fs};

use crm_models::{Contact, ContactChange, PreferenceChange};

fn main() -> Result<(), Box<dyn Error>> {
    let file = env::args().nth(1).ok_or("name a file that holds a contact")?;
    let contact: Contact = serde_json::from_str(&fs::read_to_string(file)?)?;

    let change = ContactChange::new()
        .memo("Asked for no reminders")
        .preferences(PreferenceChange::new().job_reminders(false));
    change.check_for(&contact)?;

    let change = change.without_unchanged(&contact);
    if change.is_empty() {
        println!("contact {} is so already", contact.id);
        return Ok(());
    }

    let body = change.request_for(&contact)?;
    println!("{}", serde_json::to_string_pretty(&body)?);
    Ok(())
}
