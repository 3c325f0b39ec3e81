//! Which record a change is about.

use std::fmt;

use crm_models::{ContactId, ContactMethodId, ContactOwner, CustomerId, LocationId, PersonId};
use serde::{Serialize, Serializer, ser::SerializeMap};

/// A location or a customer, for code that treats both alike. The API knows no other owner of
/// contacts with these members, so this is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OwnerId {
    /// A customer.
    Customer(CustomerId),
    /// A location.
    Location(LocationId),
}

impl OwnerId {
    /// `customer` or `location`.
    #[must_use]
    pub fn kind(self) -> &'static str {
        match self {
            Self::Customer(_) => CustomerId::NOUN,
            Self::Location(_) => LocationId::NOUN,
        }
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> i64 {
        match self {
            Self::Customer(id) => id.get(),
            Self::Location(id) => id.get(),
        }
    }

    pub(crate) fn customer(self) -> Option<CustomerId> {
        match self {
            Self::Customer(id) => Some(id),
            Self::Location(_) => None,
        }
    }

    pub(crate) fn location(self) -> Option<LocationId> {
        match self {
            Self::Customer(_) => None,
            Self::Location(id) => Some(id),
        }
    }

    /// The owner of this kind with this number; `None` for another kind or no such number.
    pub(crate) fn new(kind: &str, id: i64) -> Option<Self> {
        match kind {
            CustomerId::NOUN => CustomerId::new(id).ok().map(Self::Customer),
            LocationId::NOUN => LocationId::new(id).ok().map(Self::Location),
            _ => None,
        }
    }
}

impl fmt::Display for OwnerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind(), self.get())
    }
}

impl From<LocationId> for OwnerId {
    fn from(id: LocationId) -> Self {
        Self::Location(id)
    }
}

impl From<CustomerId> for OwnerId {
    fn from(id: CustomerId) -> Self {
        Self::Customer(id)
    }
}

/// The record that a change is about. Of the changes of one set that are to be sent, no two
/// have the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Target {
    /// A contact of a location or a customer.
    Contact {
        /// Whose contact.
        owner: OwnerId,
        /// Which contact; `None` before it is created.
        contact: Option<ContactId>,
    },
    /// A contact method of a person: its preferences.
    Method {
        /// Whose method.
        person: PersonId,
        /// Which method.
        method: ContactMethodId,
    },
}

impl Target {
    /// `customer`, `location` or `person`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Contact { owner, .. } => owner.kind(),
            Self::Method { .. } => PERSON,
        }
    }

    /// The location or customer; `None` for a person.
    pub(crate) fn owner(&self) -> Option<OwnerId> {
        match self {
            Self::Contact { owner, .. } => Some(*owner),
            Self::Method { .. } => None,
        }
    }

    /// The contact; `None` before it is created, and for a person.
    pub(crate) fn contact(&self) -> Option<ContactId> {
        match self {
            Self::Contact { contact, .. } => *contact,
            Self::Method { .. } => None,
        }
    }

    /// The contact with the id that it got.
    pub(crate) fn created(self, id: ContactId) -> Self {
        match self {
            Self::Contact { owner, .. } => Self::Contact {
                owner,
                contact: Some(id),
            },
            method @ Self::Method { .. } => method,
        }
    }

    /// The owner's id as text.
    #[must_use]
    pub fn owner_text(&self) -> String {
        match self {
            Self::Contact { owner, .. } => owner.get().to_string(),
            Self::Method { person, .. } => person.to_string(),
        }
    }

    /// The id of the contact or contact method as text; `None` before it is created.
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
