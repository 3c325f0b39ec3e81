//! Postal addresses.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::text::or_default;

/// `CustomerAddress`: where a customer is billed, or where a location is. A text that the service
/// does not have is empty.
///
/// As text it is one line without the country, for people to recognize it by:
///
/// ```
/// use crm_models::Address;
///
/// let address: Address = serde_json::from_str(r#"{
///     "street": "10411 Foothill Lane", "unit": "4", "city": "Pasadena", "state": "CA",
///     "zip": "91101", "country": "USA", "latitude": 34.1478, "longitude": -118.1445
/// }"#)?;
/// assert_eq!(address.to_string(), "10411 Foothill Lane, 4, Pasadena, CA 91101");
/// assert_eq!(Address::default().to_string(), "");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Address {
    /// The street and the number in it.
    #[serde(default, deserialize_with = "or_default")]
    pub street: String,
    /// The unit in the building.
    pub unit: Option<String>,
    /// The city.
    #[serde(default, deserialize_with = "or_default")]
    pub city: String,
    /// The state or province.
    #[serde(default, deserialize_with = "or_default")]
    pub state: String,
    /// The postal code.
    #[serde(default, deserialize_with = "or_default")]
    pub zip: String,
    /// The country.
    #[serde(default, deserialize_with = "or_default")]
    pub country: String,
    /// The degrees north of the equator.
    pub latitude: Option<f64>,
    /// The degrees east of Greenwich.
    pub longitude: Option<f64>,
}

impl Address {
    /// Creates an address without unit, country and position, for tests and for what was kept
    /// elsewhere.
    #[must_use]
    pub fn new(
        street: impl Into<String>,
        city: impl Into<String>,
        state: impl Into<String>,
        zip: impl Into<String>,
    ) -> Self {
        Self {
            street: street.into(),
            city: city.into(),
            state: state.into(),
            zip: zip.into(),
            ..Self::default()
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { street, unit, city, state, zip, .. } = self;
        let region = format!("{} {}", state.trim(), zip.trim());
        let parts = [street, unit.as_deref().unwrap_or_default(), city, &region];
        let held: Vec<_> =
            parts.into_iter().map(str::trim).filter(|part| !part.is_empty()).collect();
        f.pad(&held.join(", "))
    }
}
