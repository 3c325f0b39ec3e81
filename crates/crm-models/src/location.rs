//! Locations themselves: what a person recognizes them by.

use serde::{Deserialize, Serialize};

use crate::{
    address::Address,
    ids::{CustomerId, LocationId},
    text::or_default,
    timestamp::Timestamp,
};

/// `LocationResponse` and `ExportLocationsResponse`: a location's name and address, and whose it
/// is, without contacts, which the API lists by themselves. Members that this crate does not need
/// are skipped.
///
/// The name is often the customer's, and may be blank: then
/// [`display_name`](crate::OwnerDetails::display_name) is the address.
///
/// ```
/// use crm_models::{CustomerId, Location, OwnerDetails};
///
/// let location: Location = serde_json::from_str(r#"{
///     "id": 55021, "customerId": 9107, "active": true, "name": " ",
///     "address": {"street": "10411 Foothill Lane", "unit": null, "city": "Pasadena",
///         "state": "CA", "zip": "91101", "country": "USA"},
///     "createdOn": "2025-11-02T09:15:00Z", "modifiedOn": "2026-05-27T16:04:11.4827193Z"
/// }"#)?;
/// assert_eq!(location.customer_id, CustomerId::new(9107)?);
/// assert_eq!(location.display_name(), "10411 Foothill Lane, Pasadena, CA 91101");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Location {
    /// The location's id.
    pub id: LocationId,
    /// The customer whose location it is.
    pub customer_id: CustomerId,
    /// Whether the location is active: false for one that was deactivated, typically by a merge.
    pub active: bool,
    /// The name; empty where the service has none.
    #[serde(default, deserialize_with = "or_default")]
    pub name: String,
    /// Where it is.
    #[serde(default, deserialize_with = "or_default")]
    pub address: Address,
    /// The time of creation as answered. The year 1 means unknown.
    pub created_on: Option<Timestamp>,
    /// The time of the last change of the location. Changes of contacts do not count.
    pub modified_on: Timestamp,
    /// The location into which this one was merged.
    pub merged_to_id: Option<LocationId>,
}

impl Location {
    /// Creates an active location of which nothing else is known, for tests and for what was kept
    /// elsewhere.
    #[must_use]
    pub fn new(
        id: LocationId,
        customer_id: CustomerId,
        name: impl Into<String>,
        modified_on: Timestamp,
    ) -> Self {
        Self {
            id,
            customer_id,
            active: true,
            name: name.into(),
            address: Address::default(),
            created_on: None,
            modified_on,
            merged_to_id: None,
        }
    }
}
