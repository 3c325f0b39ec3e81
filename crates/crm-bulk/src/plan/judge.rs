//! What is to be done, given what is there. Pure functions.

use crm_models::{Contact, ContactId, CreateContactRequest};

use crate::{Outcome, State, Wanted};

/// An update of a contact that was read, or was looked for and is not there.
pub(crate) fn update(wanted: &Wanted, present: Option<&Contact>) -> Outcome {
    let Some(present) = present else {
        return absent();
    };
    match wanted.request(present) {
        Ok(Some(_)) => Outcome::new(State::Planned),
        Ok(None) => Outcome::new(State::Already),
        Err(unknown) => Outcome::because(State::Failed, unknown.to_string()),
    }
}

/// A deletion.
pub(crate) fn delete(present: Option<&Contact>) -> Outcome {
    match present {
        Some(_) => Outcome::new(State::Planned),
        None => absent(),
    }
}

fn absent() -> Outcome {
    Outcome::because(State::NotFound, "the owner has no such contact")
}

/// A creation, and the contact that makes it needless.
pub(crate) fn create<'a>(
    wanted: &Wanted,
    mut siblings: impl Iterator<Item = &'a Contact>,
) -> (Outcome, Option<ContactId>) {
    let Some(request) = wanted.creation() else {
        let why = "a contact to create needs type and value";
        return (Outcome::because(State::Failed, why), None);
    };
    match siblings.find(|sibling| !wanted.exact && request.is_same(sibling)) {
        Some(sibling) => {
            let why = format!("contact {} has this value already", sibling.id);
            (Outcome::because(State::Already, why), Some(sibling.id))
        }
        None => (Outcome::new(State::Planned), None),
    }
}

/// The contacts that have the number or address of a creation.
pub(crate) fn siblings(request: &CreateContactRequest, present: &[Contact]) -> Vec<ContactId> {
    let same = present.iter().filter(|contact| request.is_same(contact));
    same.map(|contact| contact.id).collect()
}
