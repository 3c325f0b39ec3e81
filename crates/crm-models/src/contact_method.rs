//! Contact methods of people, and the preferences of each method.

use serde::{Deserialize, Serialize};
use validator::{Validate, ValidationErrors};

use crate::{
    ContactMethodId, ContactMethodSort, ContactType, PersonId, PreferenceTypeId, Sort, Timestamp,
    UserId,
    change::check_members,
    filter::{TimeFilter, time_filters},
    validation::Rules,
};

/// `ContactMethodResponse`: one number or address of a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ContactMethod {
    /// The method's GUID.
    pub id: ContactMethodId,
    /// Whose method.
    pub contact_id: PersonId,
    /// The caller's own id.
    pub reference_id: Option<String>,
    /// The kind.
    #[serde(rename = "type")]
    pub contact_type: ContactType,
    /// The number or address.
    pub value: String,
    /// A free note.
    pub memo: Option<String>,
    /// The creation.
    pub created_on: Timestamp,
    /// Who created it.
    pub created_by: UserId,
    /// The last change.
    pub modified_on: Timestamp,
    /// Who changed it last.
    pub modified_by: UserId,
}

/// `CreateContactMethodRequest` and `UpsertContactMethodRequest`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[must_use]
pub struct ContactMethodRequest {
    #[serde(rename = "type")]
    contact_type: ContactType,
    value: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reference_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    memo: Option<String>,
}

impl ContactMethodRequest {
    /// A method without reference and memo.
    pub fn new(contact_type: ContactType, value: impl Into<String>) -> Self {
        Self {
            contact_type,
            value: value.into(),
            reference_id: None,
            memo: None,
        }
    }

    /// Sets the caller's own id.
    pub fn reference_id(mut self, id: impl Into<String>) -> Self {
        self.reference_id = Some(id.into());
        self
    }

    /// Sets the memo.
    pub fn memo(mut self, memo: impl Into<String>) -> Self {
        self.memo = Some(memo.into());
        self
    }
}

impl Validate for ContactMethodRequest {
    fn validate(&self) -> Result<(), ValidationErrors> {
        let mut rules = Rules::default();
        rules.contact_type(&self.contact_type);
        rules.value(Some(&self.contact_type), &self.value);
        rules.optional_text("referenceId", self.reference_id.as_deref());
        rules.optional_text("memo", self.memo.as_deref());
        rules.finish()
    }
}

/// `UpdateContactMethodRequest`: absent members are kept. A method's type cannot be changed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[must_use]
pub struct UpdateContactMethodRequest {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    memo: Option<String>,
}

impl UpdateContactMethodRequest {
    /// Changes nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the number or address.
    pub fn value(mut self, value: impl Into<String>) -> Self {
        self.value = Some(value.into());
        self
    }

    /// Sets the memo; an empty one clears it.
    pub fn memo(mut self, memo: impl Into<String>) -> Self {
        self.memo = Some(memo.into());
        self
    }
}

impl Validate for UpdateContactMethodRequest {
    fn validate(&self) -> Result<(), ValidationErrors> {
        let empty = *self == Self::default();
        check_members(empty, None, self.value.as_deref(), self.memo.as_deref())
    }
}

/// Which contact methods a list holds, in which order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
#[must_use]
pub struct ContactMethodFilter {
    #[serde(skip_serializing_if = "Option::is_none")]
    reference_id: Option<String>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    contact_type: Option<ContactType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    #[serde(flatten)]
    times: TimeFilter,
    #[serde(skip_serializing_if = "Option::is_none")]
    sort: Option<Sort<ContactMethodSort>>,
}

impl ContactMethodFilter {
    /// All methods.
    pub fn new() -> Self {
        Self::default()
    }

    /// Only with this id of the caller's own.
    pub fn reference_id(mut self, id: impl Into<String>) -> Self {
        self.reference_id = Some(id.into());
        self
    }

    /// Only of this kind.
    pub fn contact_type(mut self, contact_type: ContactType) -> Self {
        self.contact_type = Some(contact_type);
        self
    }

    /// Only with this number or address. Whether a part is enough is not documented.
    pub fn value(mut self, value: impl Into<String>) -> Self {
        self.value = Some(value.into());
        self
    }

    time_filters!();

    /// The order.
    pub fn sort(mut self, sort: Sort<ContactMethodSort>) -> Self {
        self.sort = Some(sort);
        self
    }
}

impl Validate for ContactMethodFilter {
    fn validate(&self) -> Result<(), ValidationErrors> {
        let mut rules = Rules::default();
        rules.optional_text("referenceId", self.reference_id.as_deref());
        rules.optional_text("value", self.value.as_deref());
        rules.finish()
    }
}

/// `ContactPreferenceTypeResponse`: a preference that exists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct PreferenceType {
    /// The type's GUID.
    pub id: PreferenceTypeId,
    /// The name, by which a method's preference is read and set.
    pub name: String,
    /// What it means.
    pub description: Option<String>,
    /// What its values are; only `Bool` exists so far.
    pub data_type: String,
}

/// `ContactPreferenceResponse`: one preference of one method. Its value travels as text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct MethodPreference {
    /// The name.
    pub name: String,
    /// What its values are.
    pub data_type: String,
    /// The value, if it is set.
    pub value: Option<String>,
}

impl MethodPreference {
    /// The value as a truth value, in letters of any case; `None` when it is not set or is
    /// something else.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match self.value.as_deref()?.trim() {
            value if value.eq_ignore_ascii_case("true") => Some(true),
            value if value.eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        }
    }
}

/// `UpdateContactMethodPreferenceRequest`.
///
/// ```
/// use crm_models::UpdateMethodPreferenceRequest;
///
/// let off = UpdateMethodPreferenceRequest::from(false);
/// assert_eq!(serde_json::to_string(&off)?, r#"{"value":"false"}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpdateMethodPreferenceRequest {
    value: String,
}

impl UpdateMethodPreferenceRequest {
    /// A value as text.
    #[must_use]
    pub fn new(value: impl Into<String>) -> Self {
        Self {
            value: value.into(),
        }
    }
}

impl From<bool> for UpdateMethodPreferenceRequest {
    fn from(on: bool) -> Self {
        Self::new(if on { "true" } else { "false" })
    }
}

impl Validate for UpdateMethodPreferenceRequest {
    fn validate(&self) -> Result<(), ValidationErrors> {
        let mut rules = Rules::default();
        rules.text("value", &self.value);
        rules.finish()
    }
}
