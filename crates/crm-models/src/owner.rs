//! The owners of contacts: locations and customers.

use std::{fmt, hash::Hash, str::FromStr};

use serde::{
    Serialize,
    de::{DeserializeOwned, IgnoredAny},
};

use crate::{
    customer::Customer,
    details::OwnerDetails,
    ids::{CustomerId, InvalidId, LocationId},
    location::Location,
};

/// A location or a customer. Code for the contacts of both is written once over this trait.
///
/// The constants are the API's words for the owner. The trait is sealed, since bookings and
/// people have contacts of another form.
///
/// ```
/// use crm_models::{ContactOwner, CustomerId};
///
/// fn path<O: ContactOwner>(owner: O) -> String {
///     format!("/{}/{owner}/contacts", O::COLLECTION)
/// }
///
/// assert_eq!(path(CustomerId::new(9107)?), "/customers/9107/contacts");
/// # Ok::<(), crm_models::InvalidId>(())
/// ```
pub trait ContactOwner:
    Copy
    + Ord
    + Hash
    + fmt::Display
    + fmt::Debug
    + FromStr<Err = InvalidId>
    + Send
    + Sync
    + Serialize
    + DeserializeOwned
    + sealed::Owner
    + 'static
{
    /// The word for one of them: `location`.
    const NOUN: &'static str;
    /// The word for all of them in paths: `locations`.
    const COLLECTION: &'static str;
    /// The member that names the owner: `locationId`.
    const MEMBER: &'static str;
    /// The member of a query that names several of them: `locationIds`.
    const LIST_MEMBER: &'static str;
    /// Whether a filter by ids excludes other filters, and times of creation alone are not enough.
    const STRICT_FILTERS: bool;

    /// What the API answers about one of them itself.
    type Details: OwnerDetails<Id = Self>;

    /// Returns the number.
    fn get(self) -> i64;
}

pub(crate) mod sealed {
    use serde::de::DeserializeOwned;

    pub trait Owner: Sized {
        /// The type as which `locationId` is read: anything, unless the owner is a location.
        type Location: DeserializeOwned;
        /// The type as which `customerId` is read: anything, unless the owner is a customer.
        type Customer: DeserializeOwned;

        /// Returns the one of the two that is the owner.
        fn of(location: Option<Self::Location>, customer: Option<Self::Customer>) -> Option<Self>;
    }
}

impl ContactOwner for LocationId {
    const NOUN: &'static str = "location";
    const COLLECTION: &'static str = "locations";
    const MEMBER: &'static str = "locationId";
    const LIST_MEMBER: &'static str = "locationIds";
    const STRICT_FILTERS: bool = false;

    type Details = Location;

    fn get(self) -> i64 {
        self.get()
    }
}

impl sealed::Owner for LocationId {
    type Location = Self;
    type Customer = IgnoredAny;

    fn of(location: Option<Self>, _: Option<IgnoredAny>) -> Option<Self> {
        location
    }
}

impl ContactOwner for CustomerId {
    const NOUN: &'static str = "customer";
    const COLLECTION: &'static str = "customers";
    const MEMBER: &'static str = "customerId";
    const LIST_MEMBER: &'static str = "customerIds";
    const STRICT_FILTERS: bool = true;

    type Details = Customer;

    fn get(self) -> i64 {
        self.get()
    }
}

impl sealed::Owner for CustomerId {
    type Location = IgnoredAny;
    type Customer = Self;

    fn of(_: Option<IgnoredAny>, customer: Option<Self>) -> Option<Self> {
        customer
    }
}
