//! Customers themselves: what a person recognizes them by.

use serde::{Deserialize, Serialize};

use crate::{
    address::Address,
    ids::CustomerId,
    text::{or_default, wire_text},
    timestamp::Timestamp,
};

/// `CustomerResponse` and `ExportCustomerResponse`: a customer's name and bill-to address, without
/// contacts, which the API lists by themselves. Members that this crate does not need are skipped.
///
/// A merged customer remains, with [`active`](Self::active) = false and
/// [`merged_to_id`](Self::merged_to_id).
///
/// ```
/// use crm_models::{Customer, CustomerType, OwnerDetails};
///
/// let customer: Customer = serde_json::from_str(r#"{
///     "id": 9107, "active": true, "name": "Dana Whitfield", "type": "Residential",
///     "address": {"street": "10411 Foothill Lane", "unit": null, "city": "Pasadena",
///         "state": "CA", "zip": "91101", "country": "USA"},
///     "balance": 120.5, "doNotMail": true, "doNotService": false,
///     "createdOn": "2025-11-02T09:15:00Z", "modifiedOn": "2026-05-27T16:04:11.4827193Z"
/// }"#)?;
/// assert_eq!(customer.display_name(), "Dana Whitfield");
/// assert_eq!(customer.customer_type, Some(CustomerType::Residential));
/// assert_eq!(customer.do_not_mail, Some(true));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Customer {
    /// The customer's id.
    pub id: CustomerId,
    /// Whether the customer is active: false for one that was deactivated, typically by a merge.
    pub active: bool,
    /// The name; empty where the service has none.
    #[serde(default, deserialize_with = "or_default")]
    pub name: String,
    /// Whether it is a household or a business.
    #[serde(rename = "type")]
    pub customer_type: Option<CustomerType>,
    /// The bill-to address.
    #[serde(default, deserialize_with = "or_default")]
    pub address: Address,
    /// Whether the customer is to get no mail. `None` means that the service did not say. It
    /// belongs to the customer, not to a contact, and no contacts operation can set it.
    pub do_not_mail: Option<bool>,
    /// Whether no work is to be done for the customer. `None` means that the service did not say.
    pub do_not_service: Option<bool>,
    /// The time of creation as answered. The year 1 means unknown.
    pub created_on: Option<Timestamp>,
    /// The time of the last change of the customer. Changes of contacts do not count.
    pub modified_on: Timestamp,
    /// The customer into which this one was merged.
    pub merged_to_id: Option<CustomerId>,
}

impl Customer {
    /// Creates an active customer of whom nothing else is known, for tests and for what was kept
    /// elsewhere.
    #[must_use]
    pub fn new(id: CustomerId, name: impl Into<String>, modified_on: Timestamp) -> Self {
        Self {
            id,
            active: true,
            name: name.into(),
            customer_type: None,
            address: Address::default(),
            do_not_mail: None,
            do_not_service: None,
            created_on: None,
            modified_on,
            merged_to_id: None,
        }
    }
}

/// The kind of a customer.
///
/// ```
/// use crm_models::CustomerType;
///
/// assert_eq!(CustomerType::from("Commercial"), CustomerType::Commercial);
/// assert_eq!(CustomerType::from("Municipal").as_str(), "Municipal");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CustomerType {
    /// A household.
    Residential,
    /// A business.
    Commercial,
    /// A kind that this version does not know, as the service wrote it. Compare
    /// [`as_str`](Self::as_str) instead of matching it, since a later version may know it.
    Other(String),
}

impl CustomerType {
    /// Returns the text on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Residential => "Residential",
            Self::Commercial => "Commercial",
            Self::Other(text) => text,
        }
    }
}

impl From<&str> for CustomerType {
    fn from(text: &str) -> Self {
        match text {
            "Residential" => Self::Residential,
            "Commercial" => Self::Commercial,
            other => Self::Other(other.to_owned()),
        }
    }
}

wire_text!(CustomerType, "a type of customer", as_str);
