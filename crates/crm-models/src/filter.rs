//! Filters of lists over all owners.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use serde_json::Value;
use validator::{Validate, ValidationErrors};

use crate::{ids::InvalidId, owner::ContactOwner, timestamp::Timestamp, validation::Rules};

/// Whether a list has the records with a property: active owners, archived people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Whether {
    /// Lists only those with the property.
    #[serde(rename = "True")]
    Yes,
    /// Lists only those without it.
    #[serde(rename = "False")]
    No,
    /// Lists all.
    Any,
}

/// The filters of `GET /locations/contacts` and `GET /customers/contacts`.
///
/// The API refuses a list without any filter. For customers it also refuses ids together with
/// times, and times of creation without times of change; both are refused here before anything
/// is sent.
///
/// ```
/// use crm_models::{Check, ContactFilter, CustomerId, LocationId};
///
/// let since = "2026-11-01".parse()?;
/// assert!(ContactFilter::<LocationId>::new().created_on_or_after(since).check().is_ok());
/// assert!(ContactFilter::<CustomerId>::new().created_on_or_after(since).check().is_err());
/// assert!(ContactFilter::<CustomerId>::new().modified_on_or_after(since).check().is_ok());
/// # Ok::<(), crm_models::InvalidTimestamp>(())
/// ```
///
/// It can be stored, like every filter here: as JSON it has the members of the query, and a member
/// that the query lacks is refused, since without it more would be selected.
///
/// ```
/// use crm_models::{ContactFilter, LocationId};
///
/// let filter = ContactFilter::new().owners([LocationId::constant(55021)]);
/// let stored = serde_json::to_string(&filter)?;
/// assert_eq!(stored, r#"{"locationIds":"55021"}"#);
/// assert_eq!(serde_json::from_str::<ContactFilter<LocationId>>(&stored)?, filter);
/// assert!(serde_json::from_str::<ContactFilter<LocationId>>(r#"{"locationId":"1"}"#).is_err());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", bound = "O: ContactOwner")]
#[must_use]
pub struct ContactFilter<O> {
    #[serde(skip_serializing_if = "Option::is_none")]
    modified_before: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    modified_on_or_after: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_before: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_on_or_after: Option<Timestamp>,
    /// `None` selects all owners. An empty selection is not the same, and is refused.
    #[serde(flatten, serialize_with = "by_their_member", deserialize_with = "of_their_member")]
    owners: Option<Vec<O>>,
}

/// The setters of the four bounds in time that most lists take. `before` is exclusive.
macro_rules! time_filters {
    () => {
        $crate::members::setters! {
            /// Selects only what was last changed before this time.
            modified_before: $crate::Timestamp;
            /// Selects only what was last changed at this time or later.
            modified_on_or_after: $crate::Timestamp;
            /// Selects only what was created before this time.
            created_before: $crate::Timestamp;
            /// Selects only what was created at this time or later.
            created_on_or_after: $crate::Timestamp;
        }
    };
}
pub(crate) use time_filters;

impl<O> Default for ContactFilter<O> {
    fn default() -> Self {
        Self {
            modified_before: None,
            modified_on_or_after: None,
            created_before: None,
            created_on_or_after: None,
            owners: None,
        }
    }
}

impl<O: ContactOwner> ContactFilter<O> {
    /// Returns a filter without any condition yet. The API wants at least one.
    pub fn new() -> Self {
        Self::default()
    }

    time_filters!();

    /// Selects the contacts of these owners, in addition to those already given. A selection that
    /// stays empty is refused, since without ids the API lists all owners.
    ///
    /// ```
    /// use crm_models::{Check, ContactFilter, LocationId};
    ///
    /// let selected: Vec<LocationId> = Vec::new();
    /// let filter = ContactFilter::new().modified_on_or_after("2026-11-01".parse()?);
    /// assert!(filter.owners(selected).check().is_err());
    /// # Ok::<(), crm_models::InvalidTimestamp>(())
    /// ```
    pub fn owners(mut self, owners: impl IntoIterator<Item = O>) -> Self {
        self.owners.get_or_insert_default().extend(owners);
        self
    }

    /// Returns the owners that are named, or `None` for all owners.
    #[must_use]
    pub fn get_owners(&self) -> Option<&[O]> {
        self.owners.as_deref()
    }

    /// Splits the filter into several, each with at most `size` owners.
    #[must_use]
    pub fn blocks(mut self, size: usize) -> Vec<Self> {
        let blocks = blocks_of(self.owners.take(), size.max(1)).into_iter();
        blocks.map(|owners| Self { owners, ..self.clone() }).collect()
    }
}

impl<O: ContactOwner> Validate for ContactFilter<O> {
    fn validate(&self) -> Result<(), ValidationErrors> {
        let mut rules = Rules::default();
        let modified = self.modified_before.is_some() || self.modified_on_or_after.is_some();
        let created = self.created_before.is_some() || self.created_on_or_after.is_some();
        let times = modified || created;
        let named = self.owners.is_some();
        if self.owners.as_ref().is_some_and(Vec::is_empty) {
            let reason = "names no owner: give one at least, or leave it out to list all owners";
            rules.breach(O::LIST_MEMBER, "filter", reason);
        } else if !named && !times {
            rules.whole("filter", "a list over all owners needs ids or a time to filter by");
        } else if O::STRICT_FILTERS && named && times {
            rules.breach(O::LIST_MEMBER, "filter", "excludes all other filters");
        } else if O::STRICT_FILTERS && !named && !modified {
            rules.whole(
                "filter",
                "times of creation alone are not enough: give modifiedBefore, \
                 modifiedOnOrAfter or ids",
            );
        }
        rules.finish()
    }
}

/// Writes the owners as `locationIds` or `customerIds`: one text, with commas.
fn by_their_member<O: ContactOwner, S: Serializer>(
    owners: &Option<Vec<O>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(owners.as_ref().map(|owners| (O::LIST_MEMBER, with_commas(owners))))
}

/// Reads what [`by_their_member`] writes, from the members that no other field has taken.
fn of_their_member<'de, O: ContactOwner, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Vec<O>>, D::Error> {
    let mut members = BTreeMap::<String, Value>::deserialize(deserializer)?;
    let ids = members.remove(O::LIST_MEMBER).unwrap_or_default();
    if let Some(member) = members.keys().next() {
        let unknown = format_args!("`{member}` is no filter of {}", O::COLLECTION);
        return Err(D::Error::custom(unknown));
    }
    let ids: Option<String> = serde_json::from_value(ids).map_err(D::Error::custom)?;
    ids.as_deref().map(between_commas).transpose().map_err(D::Error::custom)
}

/// Splits the ids that a filter names into blocks of at most this size; a filter that names none
/// stays one.
pub(crate) fn blocks_of<O: Clone>(ids: Option<Vec<O>>, size: usize) -> Vec<Option<Vec<O>>> {
    match ids {
        Some(ids) if ids.len() > size => ids.chunks(size).map(|ids| Some(ids.to_vec())).collect(),
        ids => vec![ids],
    }
}

/// Writes ids as the API takes them: one text, with commas.
pub(crate) fn with_commas<O: ContactOwner>(ids: &[O]) -> String {
    let ids: Vec<_> = ids.iter().map(ToString::to_string).collect();
    ids.join(",")
}

/// Reads what [`with_commas`] writes.
pub(crate) fn between_commas<O: ContactOwner>(ids: &str) -> Result<Vec<O>, InvalidId> {
    ids.split(',').filter(|id| !id.is_empty()).map(str::parse).collect()
}
