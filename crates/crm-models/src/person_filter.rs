//! Filters of lists of people.

use serde::{Deserialize, Serialize};
use validator::{Validate, ValidationErrors};

use crate::{
    filter::{Whether, time_filters},
    members::setters,
    sort::{PersonSort, Sort},
    timestamp::Timestamp,
    validation::Rules,
};

/// The filter and the order of a list of people, the query of `Contacts_GetList` and
/// `Contacts_GetByRelationshipId`.
///
/// ```
/// use crm_models::{PersonFilter, PersonSort, Sort, Whether};
///
/// let filter = PersonFilter::new()
///     .name("Dana")
///     .archived(Whether::No)
///     .sort(Sort::descending(PersonSort::ModifiedOn));
/// assert_eq!(
///     serde_json::to_string(&filter)?,
///     r#"{"name":"Dana","isArchived":"False","sort":"-ModifiedOn"}"#,
/// );
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[must_use]
pub struct PersonFilter {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_archived: Option<Whether>,
    #[serde(skip_serializing_if = "Option::is_none")]
    modified_before: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    modified_on_or_after: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_before: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_on_or_after: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sort: Option<Sort<PersonSort>>,
}

impl PersonFilter {
    /// Selects all people.
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// Selects only those with this name. Whether a part is enough is not documented.
        name: impl Into<String>;
        /// Selects only those with this role. Whether a part is enough is not documented.
        title: impl Into<String>;
        /// Selects only those with this id of the caller's own.
        reference_id: impl Into<String>;
        /// Sets the order.
        sort: Sort<PersonSort>;
    }

    time_filters!();

    /// Sets whether archived people are listed. Without it the service decides. The values on the
    /// wire are not documented; these are those of the API's similar filters.
    pub fn archived(mut self, archived: Whether) -> Self {
        self.is_archived = Some(archived);
        self
    }
}

impl Validate for PersonFilter {
    fn validate(&self) -> Result<(), ValidationErrors> {
        let mut rules = Rules::default();
        rules.selection("name", self.name.as_deref());
        rules.selection("title", self.title.as_deref());
        rules.selection("referenceId", self.reference_id.as_deref());
        rules.finish()
    }
}
