//! Filters of lists over all owners.

use serde::{Serialize, Serializer};
use validator::{Validate, ValidationErrors};

use crate::{owner::ContactOwner, timestamp::Timestamp, validation::Rules};

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
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(bound = "O: ContactOwner")]
#[must_use]
pub struct ContactFilter<O> {
    #[serde(flatten)]
    times: TimeFilter,
    /// `None` selects all owners. An empty selection is not the same, and is refused.
    #[serde(flatten, serialize_with = "by_their_member")]
    owners: Option<Vec<O>>,
}

/// The four bounds in time that most lists take. `before` is exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TimeFilter {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) modified_before: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) modified_on_or_after: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) created_before: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) created_on_or_after: Option<Timestamp>,
}

macro_rules! time_filters {
    () => {
        $crate::filter::time_filters! {
            modified_before: "Selects only what was last changed before this time.";
            modified_on_or_after: "Selects only what was last changed at this time or later.";
            created_before: "Selects only what was created before this time.";
            created_on_or_after: "Selects only what was created at this time or later.";
        }
    };
    ($($field:ident: $doc:literal;)*) => {$(
        #[doc = $doc]
        pub fn $field(mut self, time: $crate::Timestamp) -> Self {
            self.times.$field = Some(time);
            self
        }
    )*};
}
pub(crate) use time_filters;

impl<O> Default for ContactFilter<O> {
    fn default() -> Self {
        Self { times: TimeFilter::default(), owners: None }
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
    pub fn blocks(self, size: usize) -> Vec<Self> {
        let size = size.max(1);
        match &self.owners {
            Some(owners) if owners.len() > size => {
                let block =
                    |owners: &[O]| Self { times: self.times, owners: Some(owners.to_vec()) };
                owners.chunks(size).map(block).collect()
            }
            _ => vec![self],
        }
    }
}

impl<O: ContactOwner> Validate for ContactFilter<O> {
    fn validate(&self) -> Result<(), ValidationErrors> {
        let mut rules = Rules::default();
        let times = self.times != TimeFilter::default();
        let modified =
            self.times.modified_before.is_some() || self.times.modified_on_or_after.is_some();
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
    let ids = owners.as_ref().map(|owners| {
        let ids: Vec<_> = owners.iter().map(ToString::to_string).collect();
        (O::LIST_MEMBER, ids.join(","))
    });
    serializer.collect_map(ids)
}
