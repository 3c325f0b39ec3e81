//! The contact that carries a memo which is taken from another one.

use crm_models::{Contact, ContactId, ContactType, CreateContactRequest};
use serde::{Deserialize, Serialize};

use super::{outcome::Outcome, stand_in::memo, state::State};

/// The contact that has to carry a memo before it is taken from another one of the same owner: what a
/// set handed over when it deleted this contact, its undo takes back only once it is there again.
/// Without it the change is [held](crate::State::Held).
///
/// It has no id, since a contact that is created again gets a new one. [`Debug`] and [`Serialize`]
/// output contains a number or an address, and a memo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Carrier {
    /// The contact's type.
    #[serde(rename = "type")]
    pub contact_type: ContactType,
    /// Its number or address.
    pub value: String,
    /// The memo.
    pub memo: String,
}

impl Carrier {
    /// The contact as it was before it was deleted.
    pub(crate) fn of(contact: &Contact) -> Self {
        Self {
            contact_type: contact.contact_type.clone(),
            value: contact.value.clone(),
            memo: memo(contact).to_owned(),
        }
    }

    /// Whether one of the owner's contacts is so, beside the one from which the memo is taken.
    pub(crate) fn is_among(&self, contacts: &[Contact], from: ContactId) -> bool {
        let like_it = CreateContactRequest::new(self.contact_type.clone(), &self.value);
        contacts
            .iter()
            .any(|other| other.id != from && like_it.is_same(other) && memo(other) == self.memo)
    }

    /// Whether this request creates it.
    pub(crate) fn is_made_by(&self, request: &CreateContactRequest) -> bool {
        *request.get_contact_type() == self.contact_type
            && request.get_value() == self.value
            && request.get_memo().unwrap_or_default().trim() == self.memo
    }

    /// What becomes of the change while no contact is so. It names no number, address or memo.
    pub(crate) fn lacking() -> Outcome {
        let why = "the contact that handed the memo over to this one is not there again with it: to \
                   take it away would lose the memo";
        Outcome::because(State::Held, why)
    }
}
