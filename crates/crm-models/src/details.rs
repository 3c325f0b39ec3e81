//! What the records of customers and of locations have in common.

use std::{borrow::Cow, fmt};

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    address::Address,
    customer::Customer,
    ids::{CustomerId, LocationId},
    location::Location,
    timestamp::Timestamp,
};

/// A [`Customer`] or a [`Location`]: an owner of contacts itself, with what a person recognizes it
/// by. Code for both is written once over this trait, which is sealed.
///
/// ```
/// use crm_models::{Address, Customer, CustomerId, OwnerDetails};
///
/// let modified_on = "2026-05-27T16:04:11Z".parse()?;
/// let mut customer = Customer::new(CustomerId::new(9107)?, "", modified_on);
/// assert_eq!(customer.display_name(), "customer 9107");
/// customer.address = Address::new("10411 Foothill Lane", "Pasadena", "CA", "91101");
/// assert_eq!(customer.display_name(), "10411 Foothill Lane, Pasadena, CA 91101");
/// customer.name = "Dana Whitfield ".to_owned();
/// assert_eq!(customer.display_name(), "Dana Whitfield");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait OwnerDetails:
    Clone
    + PartialEq
    + fmt::Debug
    + Send
    + Sync
    + Serialize
    + DeserializeOwned
    + sealed::Details
    + 'static
{
    /// The type of its id.
    type Id: Copy + fmt::Display;

    /// Returns the id.
    fn id(&self) -> Self::Id;

    /// Returns the customer: itself, or the one whose location it is.
    fn customer(&self) -> CustomerId;

    /// Returns the name as the service has it, which may be blank.
    fn name(&self) -> &str;

    /// Returns the address.
    fn address(&self) -> &Address;

    /// Whether it is active: false for one that was deactivated, typically by a merge.
    fn is_active(&self) -> bool;

    /// Returns the one into which this one was merged.
    fn merged_to(&self) -> Option<Self::Id>;

    /// Returns the time of the last change.
    fn modified_on(&self) -> Timestamp;

    /// Returns what to call it before people, which is never blank: the name, else the address,
    /// else its kind and id.
    fn display_name(&self) -> Cow<'_, str> {
        let name = self.name().trim();
        if !name.is_empty() {
            return name.into();
        }
        match self.address().to_string() {
            nowhere if nowhere.is_empty() => format!("{} {}", Self::NOUN, self.id()).into(),
            address => address.into(),
        }
    }
}

mod sealed {
    pub trait Details {
        const NOUN: &'static str;
    }
}

macro_rules! owner_details {
    ($($details:ident: $id:ident, $customer:ident, $noun:literal;)*) => {$(
        impl sealed::Details for $details {
            const NOUN: &'static str = $noun;
        }

        impl OwnerDetails for $details {
            type Id = $id;

            fn id(&self) -> $id {
                self.id
            }

            fn customer(&self) -> CustomerId {
                self.$customer
            }

            fn name(&self) -> &str {
                &self.name
            }

            fn address(&self) -> &Address {
                &self.address
            }

            fn is_active(&self) -> bool {
                self.active
            }

            fn merged_to(&self) -> Option<$id> {
                self.merged_to_id
            }

            fn modified_on(&self) -> Timestamp {
                self.modified_on
            }
        }
    )*};
}

owner_details! {
    Customer: CustomerId, id, "customer";
    Location: LocationId, customer_id, "location";
}
