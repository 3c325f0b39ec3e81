//! Filters of lists of customers and of locations.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use validator::{Validate, ValidationErrors};

use crate::{
    details::OwnerDetails,
    filter::{Whether, between_commas, blocks_of, time_filters, with_commas},
    ids::{CustomerId, LocationId},
    members::setters,
    owner::ContactOwner,
    phone,
    sort::{OwnerSort, Sort},
    timestamp::Timestamp,
    validation::Rules,
};

/// The filter and the order of a list of customers or of locations, the query of
/// `Customers_GetList` and `Locations_GetList`. Without any condition it selects all that are
/// active.
///
/// ```
/// use crm_models::{CustomerId, LocationId, OwnerFilter, Whether};
///
/// let callers = OwnerFilter::<CustomerId>::new().phone("(818) 555-0142").active(Whether::Any);
/// assert_eq!(serde_json::to_string(&callers)?, r#"{"phone":"8185550142","active":"Any"}"#);
///
/// let of_customer = OwnerFilter::<LocationId>::new().customer(CustomerId::new(9107)?);
/// assert_eq!(serde_json::to_string(&of_customer)?, r#"{"customerId":9107}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields, bound = "O: ContactOwner")]
#[must_use]
pub struct OwnerFilter<O> {
    /// `None` selects all. An empty selection is not the same, and is refused.
    #[serde(skip_serializing_if = "Option::is_none", with = "ids")]
    ids: Option<Vec<O>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    street: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    city: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    zip: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<String>,
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "only_of::<CustomerId, O, _, _>"
    )]
    phone: Option<String>,
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "only_of::<LocationId, O, _, _>"
    )]
    customer_id: Option<CustomerId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    active: Option<Whether>,
    #[serde(skip_serializing_if = "Option::is_none")]
    modified_before: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    modified_on_or_after: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_before: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_on_or_after: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sort: Option<Sort<OwnerSort>>,
}

impl<O> Default for OwnerFilter<O> {
    fn default() -> Self {
        Self {
            ids: None,
            name: None,
            street: None,
            unit: None,
            city: None,
            state: None,
            zip: None,
            country: None,
            phone: None,
            customer_id: None,
            active: None,
            modified_before: None,
            modified_on_or_after: None,
            created_before: None,
            created_on_or_after: None,
            sort: None,
        }
    }
}

impl<O: ContactOwner> OwnerFilter<O> {
    /// How many ids one call takes. The contract says so of locations; of customers it states no
    /// bound.
    pub const MOST_IDS: usize = 50;

    /// Selects all that are active.
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// Selects only those with this name. Whether a part is enough is not documented.
        name: impl Into<String>;
        /// Selects only those in this street. Whether a part is enough is not documented.
        street: impl Into<String>;
        /// Selects only those in this unit of a building.
        unit: impl Into<String>;
        /// Selects only those in this city.
        city: impl Into<String>;
        /// Selects only those in this state or province.
        state: impl Into<String>;
        /// Selects only those with this postal code.
        zip: impl Into<String>;
        /// Selects only those in this country.
        country: impl Into<String>;
        /// Sets whether active ones are listed, or those that were deactivated, typically by a
        /// merge. Without it only active ones are.
        active: Whether;
        /// Sets the order.
        sort: Sort<OwnerSort>;
    }

    time_filters!();

    /// Selects only those with these ids, in addition to the ids already given. A selection that
    /// stays empty is refused, since without ids the API lists all.
    pub fn ids(mut self, ids: impl IntoIterator<Item = O>) -> Self {
        self.ids.get_or_insert_default().extend(ids);
        self
    }

    /// Returns the ids that are selected, or `None` for all.
    #[must_use]
    pub fn get_ids(&self) -> Option<&[O]> {
        self.ids.as_deref()
    }

    /// Whether one of them can be among the selected, by what its record surely tells: the
    /// id, and the customer of a location.
    ///
    /// ```
    /// use crm_models::{CustomerId, Location, LocationId, OwnerFilter};
    ///
    /// let (customer, other) = (CustomerId::new(9107)?, CustomerId::new(9108)?);
    /// let modified_on = "2026-05-27T16:04:11Z".parse()?;
    /// let location = Location::new(LocationId::new(55021)?, customer, "", modified_on);
    /// assert!(OwnerFilter::new().customer(customer).admits(&location));
    /// assert!(!OwnerFilter::new().customer(other).admits(&location));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn admits(&self, details: &O::Details) -> bool {
        self.get_ids().is_none_or(|ids| ids.contains(&details.id()))
            && self.customer_id.is_none_or(|customer| customer == details.customer())
    }

    /// Splits the filter into several, each with as many ids as [one call takes](Self::MOST_IDS).
    ///
    /// ```
    /// use crm_models::{CustomerId, OwnerFilter};
    ///
    /// let ids = (1..=120).map(CustomerId::new).collect::<Result<Vec<_>, _>>()?;
    /// let blocks = OwnerFilter::new().ids(ids).blocks();
    /// let sizes: Vec<_> = blocks.iter().map(|block| block.get_ids().map(<[_]>::len)).collect();
    /// assert_eq!(sizes, [Some(50), Some(50), Some(20)]);
    /// # Ok::<(), crm_models::InvalidId>(())
    /// ```
    #[must_use]
    pub fn blocks(mut self) -> Vec<Self> {
        let blocks = blocks_of(self.ids.take(), Self::MOST_IDS).into_iter();
        blocks.map(|ids| Self { ids, ..self.clone() }).collect()
    }
}

impl OwnerFilter<CustomerId> {
    /// Selects only those with a contact that has this telephone number, of which the digits are
    /// sent. How the service compares them is not documented.
    pub fn phone(mut self, number: impl AsRef<str>) -> Self {
        self.phone = Some(phone::key(number.as_ref()));
        self
    }
}

impl OwnerFilter<LocationId> {
    /// Selects only the locations of this customer.
    pub fn customer(mut self, customer: CustomerId) -> Self {
        self.customer_id = Some(customer);
        self
    }
}

impl<O: ContactOwner> Validate for OwnerFilter<O> {
    fn validate(&self) -> Result<(), ValidationErrors> {
        let mut rules = Rules::default();
        match self.ids.as_ref().map(Vec::len) {
            Some(0) => {
                let reason = "names nobody: give one id at least, or leave it out to list all";
                rules.breach("ids", "filter", reason);
            }
            Some(ids) if ids > Self::MOST_IDS => {
                rules.breach("ids", "range", "holds more than 50 ids, which is what a call takes");
            }
            _ => {}
        }
        for (member, text) in [
            ("name", &self.name),
            ("street", &self.street),
            ("unit", &self.unit),
            ("city", &self.city),
            ("state", &self.state),
            ("zip", &self.zip),
            ("country", &self.country),
        ] {
            rules.selection(member, text.as_deref());
        }
        if self.phone.as_deref() == Some("") {
            rules.breach("phone", "shape", "has no digit");
        }
        rules.finish()
    }
}

/// Ids as one text, with commas.
mod ids {
    use super::*;

    pub(super) fn serialize<O: ContactOwner, S: Serializer>(
        ids: &Option<Vec<O>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        with_commas(ids.as_deref().unwrap_or_default()).serialize(serializer)
    }

    pub(super) fn deserialize<'de, O: ContactOwner, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Vec<O>>, D::Error> {
        let ids = String::deserialize(deserializer)?;
        between_commas(&ids).map(Some).map_err(D::Error::custom)
    }
}

/// Reads a member that is a filter of the owners `Of` alone.
fn only_of<'de, Of: ContactOwner, O: ContactOwner, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    if O::NOUN == Of::NOUN {
        T::deserialize(deserializer)
    } else {
        let others = format_args!("a filter of {} is none of {}", Of::COLLECTION, O::COLLECTION);
        Err(D::Error::custom(others))
    }
}
