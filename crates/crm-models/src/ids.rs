//! Ids, each of its own type, so that a customer cannot be taken for a location.

use std::{fmt, num::NonZeroI64, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize};
use uuid::Uuid;

use crate::text::excerpt;

/// A text or number that is not an id of the wanted kind.
///
/// ```
/// use crm_models::LocationId;
///
/// let error = "55O21".parse::<LocationId>().unwrap_err();
/// assert_eq!(error.to_string(), "`55O21` is not a location id: it must be a positive whole number");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a {what}: {reason}")]
#[non_exhaustive]
pub struct InvalidId {
    /// The kind of id that was expected, for example `location id`.
    pub what: &'static str,
    /// What was given, cut after 40 characters.
    pub text: String,
    /// What an id of this kind looks like.
    pub reason: &'static str,
}

const POSITIVE: &str = "it must be a positive whole number";

macro_rules! integer_id {
    ($($(#[$doc:meta])* $name:ident = $what:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(NonZeroI64);

        impl $name {
            /// Creates the id with this number.
            ///
            /// # Errors
            ///
            /// Returns [`InvalidId`] unless the number is positive.
            pub fn new(id: i64) -> Result<Self, InvalidId> {
                match NonZeroI64::new(id) {
                    Some(id) if id.get() > 0 => Ok(Self(id)),
                    _ => Err(InvalidId {
                        what: $what,
                        text: id.to_string(),
                        reason: POSITIVE,
                    }),
                }
            }

            /// Creates the id with this number, for constants: there a wrong one does not compile.
            ///
            /// # Panics
            ///
            /// Panics unless the number is positive.
            #[must_use]
            pub const fn constant(id: i64) -> Self {
                match NonZeroI64::new(id) {
                    Some(id) if id.get() > 0 => Self(id),
                    _ => panic!(concat!("not a ", $what, ": it must be a positive whole number")),
                }
            }

            /// Returns the number.
            #[must_use]
            pub const fn get(self) -> i64 {
                self.0.get()
            }
        }

        impl TryFrom<i64> for $name {
            type Error = InvalidId;

            fn try_from(id: i64) -> Result<Self, InvalidId> {
                Self::new(id)
            }
        }

        impl From<$name> for i64 {
            fn from(id: $name) -> Self {
                id.get()
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let invalid = || InvalidId {
                    what: $what,
                    text: excerpt(text),
                    reason: POSITIVE,
                };
                let number: i64 = text.trim().parse().map_err(|_| invalid())?;
                Self::new(number).map_err(|_| invalid())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::new(i64::deserialize(deserializer)?).map_err(serde::de::Error::custom)
            }
        }
    )*};
}

integer_id! {
    /// A tenant, which is one customer of the vendor with its own data.
    ///
    /// ```
    /// use crm_models::TenantId;
    ///
    /// const HARBOR: TenantId = TenantId::constant(1001);
    ///
    /// let tenant: TenantId = "1001".parse()?;
    /// assert_eq!(tenant, HARBOR);
    /// assert_eq!(i64::from(tenant), 1001);
    /// assert!(TenantId::new(0).is_err());
    /// # Ok::<(), crm_models::InvalidId>(())
    /// ```
    TenantId = "tenant id";
    /// A location, which is a place where work is done.
    LocationId = "location id";
    /// A customer, who is billed.
    CustomerId = "customer id";
    /// A booking.
    BookingId = "booking id";
    /// A booking provider, which is a source of bookings that a tenant connected with an app.
    BookingProviderId = "booking provider id";
    /// A contact of a location, a customer or a booking. It is unique within its owner; nothing
    /// says that it is unique beyond.
    ContactId = "contact id";
    /// A customer, location or booking that a person of Contacts v2 is related to.
    RelatedEntityId = "related entity id";
}

macro_rules! related_entity {
    ($($name:ident)*) => {$(
        impl From<$name> for RelatedEntityId {
            fn from(id: $name) -> Self {
                Self(id.0)
            }
        }
    )*};
}

related_entity!(CustomerId LocationId BookingId);

/// A user of the service. 0 stands for the service itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserId(i64);

impl UserId {
    /// Creates the id of the user with this number.
    #[must_use]
    pub const fn new(id: i64) -> Self {
        Self(id)
    }

    /// Returns the number.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl From<i64> for UserId {
    fn from(id: i64) -> Self {
        Self(id)
    }
}

impl From<UserId> for i64 {
    fn from(id: UserId) -> Self {
        id.0
    }
}

impl FromStr for UserId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        text.trim().parse().map(Self).map_err(|_| InvalidId {
            what: "user id",
            text: excerpt(text),
            reason: "it must be a whole number",
        })
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

macro_rules! guid {
    ($($(#[$doc:meta])* $name:ident = $what:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Creates the id with this GUID.
            #[must_use]
            pub const fn new(id: Uuid) -> Self {
                Self(id)
            }

            /// Reads a GUID, for constants: there a wrong one does not compile.
            ///
            /// # Panics
            ///
            /// Panics unless the text is a GUID.
            #[must_use]
            pub const fn constant(text: &str) -> Self {
                match Uuid::try_parse(text) {
                    Ok(id) => Self(id),
                    Err(_) => panic!(concat!("not a ", $what, ": it must be a GUID")),
                }
            }

            /// Returns the GUID.
            #[must_use]
            pub const fn get(self) -> Uuid {
                self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            /// Reads a GUID in letters of any case.
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                text.trim().parse().map(Self).map_err(|_| InvalidId {
                    what: $what,
                    text: excerpt(text),
                    reason: "it must be a GUID, for example 5b0f6c1e-8a42-4d0c-9e53-0c7a4f1b2d90",
                })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

guid! {
    /// A person of Contacts v2.
    ///
    /// ```
    /// use crm_models::PersonId;
    ///
    /// const DANA: PersonId = PersonId::constant("5b0f6c1e-8a42-4d0c-9e53-0c7a4f1b2d90");
    ///
    /// let id: PersonId = "5B0F6C1E-8A42-4D0C-9E53-0C7A4F1B2D90".parse()?;
    /// assert_eq!(id, DANA);
    /// assert_eq!(id.to_string(), "5b0f6c1e-8a42-4d0c-9e53-0c7a4f1b2d90");
    /// # Ok::<(), crm_models::InvalidId>(())
    /// ```
    PersonId = "person id";
    /// A contact method of a person.
    ContactMethodId = "contact method id";
    /// A relationship between a person and an entity.
    RelationshipId = "relationship id";
    /// A kind of preference of contact methods.
    PreferenceTypeId = "preference type id";
}
