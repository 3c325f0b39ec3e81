//! The record that a change is about.

use std::fmt;

use crm_mirror::OwnerId;
use crm_models::{ContactId, ContactMethodId, PersonId};
use serde::{Serialize, Serializer, ser::SerializeMap};

/// The record that a change is about. No two changes of one set that are to be sent have the same
/// target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Target {
    /// A contact of a location or a customer.
    Contact {
        /// The owner of the contact.
        owner: OwnerId,
        /// The contact's id; `None` before it is created.
        contact: Option<ContactId>,
    },
    /// The preferences of a person's contact method.
    Method {
        /// The person that the contact method belongs to.
        person: PersonId,
        /// The contact method's id.
        method: ContactMethodId,
    },
}

impl Target {
    /// Returns `customer`, `location` or `person`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Contact { owner, .. } => owner.kind(),
            Self::Method { .. } => PERSON,
        }
    }

    /// Returns the location or customer; `None` for a person.
    #[must_use]
    pub fn owner(&self) -> Option<OwnerId> {
        match self {
            Self::Contact { owner, .. } => Some(*owner),
            Self::Method { .. } => None,
        }
    }

    /// Returns the contact's id; `None` before it is created, and for a person.
    pub(crate) fn contact(&self) -> Option<ContactId> {
        match self {
            Self::Contact { contact, .. } => *contact,
            Self::Method { .. } => None,
        }
    }

    /// Returns the target with the id that the created contact received.
    pub(crate) fn created(self, id: ContactId) -> Self {
        match self {
            Self::Contact { owner, .. } => Self::Contact { owner, contact: Some(id) },
            method @ Self::Method { .. } => method,
        }
    }

    /// Returns the owner's id as text.
    #[must_use]
    pub fn owner_text(&self) -> String {
        match self {
            Self::Contact { owner, .. } => owner.get().to_string(),
            Self::Method { person, .. } => person.to_string(),
        }
    }

    /// Returns the id of the contact or contact method as text; `None` before it is created.
    #[must_use]
    pub fn contact_text(&self) -> Option<String> {
        match self {
            Self::Contact { contact, .. } => contact.map(|id| id.to_string()),
            Self::Method { method, .. } => Some(method.to_string()),
        }
    }
}

pub(crate) const PERSON: &str = "person";

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Contact { owner, contact } => match contact {
                Some(contact) => write!(f, "{owner}, contact {contact}"),
                None => write!(f, "{owner}, new contact"),
            },
            Self::Method { person, method } => write!(f, "person {person}, method {method}"),
        }
    }
}

impl Serialize for Target {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry("ownerKind", self.kind())?;
        match self {
            Self::Contact { owner, contact } => {
                map.serialize_entry("ownerId", &owner.get())?;
                map.serialize_entry("contactId", contact)?;
            }
            Self::Method { person, method } => {
                map.serialize_entry("ownerId", person)?;
                map.serialize_entry("contactId", method)?;
            }
        }
        map.end()
    }
}
