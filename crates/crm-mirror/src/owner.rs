//! The owner of contacts.

use std::fmt;

use crm_models::{ContactOwner, CustomerId, LocationId};

/// A location or a customer, for code that treats both alike. The API has no other owner of
/// contacts with these members, so this enum is exhaustive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OwnerId {
    /// A customer.
    Customer(CustomerId),
    /// A location.
    Location(LocationId),
}

impl OwnerId {
    /// Returns `customer` or `location`.
    #[must_use]
    pub fn kind(self) -> &'static str {
        match self {
            Self::Customer(_) => CustomerId::NOUN,
            Self::Location(_) => LocationId::NOUN,
        }
    }

    /// Returns the numeric id.
    #[must_use]
    pub fn get(self) -> i64 {
        match self {
            Self::Customer(id) => id.get(),
            Self::Location(id) => id.get(),
        }
    }

    /// Returns the id if the owner is a customer.
    #[must_use]
    pub fn customer(self) -> Option<CustomerId> {
        match self {
            Self::Customer(id) => Some(id),
            Self::Location(_) => None,
        }
    }

    /// Returns the id if the owner is a location.
    #[must_use]
    pub fn location(self) -> Option<LocationId> {
        match self {
            Self::Customer(_) => None,
            Self::Location(id) => Some(id),
        }
    }

    /// Returns the owner of this kind with this number; `None` for another kind or an invalid
    /// number.
    #[must_use]
    pub fn new(kind: &str, id: i64) -> Option<Self> {
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
