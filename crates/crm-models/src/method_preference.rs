//! The preferences of contact methods: which exist, and the values of one method.

use serde::{Deserialize, Serialize};
use validator::{Validate, ValidationErrors};

use crate::{ids::PreferenceTypeId, validation::Rules};

/// `ContactPreferenceTypeResponse`, a preference that exists. The contract names none, so they are
/// read from the service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct PreferenceType {
    /// The type's GUID.
    pub id: PreferenceTypeId,
    /// The name by which a method's preference is read and set.
    pub name: String,
    /// What it means.
    pub description: Option<String>,
    /// The type of its values. Only `Bool` exists so far.
    pub data_type: String,
}

impl PreferenceType {
    /// Creates a preference without a description, for tests.
    #[must_use]
    pub fn new(
        id: PreferenceTypeId,
        name: impl Into<String>,
        data_type: impl Into<String>,
    ) -> Self {
        Self { id, name: name.into(), description: None, data_type: data_type.into() }
    }
}

/// `ContactPreferenceResponse`, one preference of one method, whose value is a text.
///
/// ```
/// use crm_models::MethodPreference;
///
/// let preference: MethodPreference =
///     serde_json::from_str(r#"{"name": "Offers", "dataType": "Bool", "value": "True"}"#)?;
/// assert_eq!(preference.as_bool(), Some(true));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct MethodPreference {
    /// The name.
    pub name: String,
    /// The type of its values.
    pub data_type: String,
    /// The value, if it is set.
    pub value: Option<String>,
}

impl MethodPreference {
    /// Creates a preference that is not set, for tests.
    #[must_use]
    pub fn new(name: impl Into<String>, data_type: impl Into<String>) -> Self {
        Self { name: name.into(), data_type: data_type.into(), value: None }
    }

    /// Returns the value as a truth value, in letters of any case, or `None` when it is not set or
    /// is something else.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match self.value.as_deref()?.trim() {
            value if value.eq_ignore_ascii_case("true") => Some(true),
            value if value.eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        }
    }

    /// Returns the request that sets it to what a person wrote: for a truth value the usual words,
    /// which go as true or false; for values of a type that is not known the text as it is.
    ///
    /// ```
    /// use crm_models::MethodPreference;
    ///
    /// let offers = MethodPreference::new("Offers", "Bool");
    /// assert_eq!(offers.set_to("Off")?.get_value(), "false");
    /// assert!(offers.set_to("never").is_err());
    /// assert_eq!(MethodPreference::new("Language", "Text").set_to("en")?.get_value(), "en");
    /// # Ok::<(), crm_models::NotTrueOrFalse>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns [`NotTrueOrFalse`] for a truth value in other words.
    pub fn set_to(&self, text: &str) -> Result<UpdateMethodPreferenceRequest, NotTrueOrFalse> {
        // The contract names `Bool` alone, and calls the list open; `boolean` is OpenAPI's own word.
        let is_flag = ["bool", "boolean"].contains(&&*self.data_type.to_lowercase());
        match &*text.to_lowercase() {
            _ if !is_flag => Ok(UpdateMethodPreferenceRequest::new(text)),
            "true" | "on" | "yes" => Ok(true.into()),
            "false" | "off" | "no" => Ok(false.into()),
            _ => Err(NotTrueOrFalse { name: self.name.clone(), text: text.to_owned() }),
        }
    }
}

/// The error of a text that is to set a preference of truth values and is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("preference {name} is true or false, not `{text}`")]
pub struct NotTrueOrFalse {
    name: String,
    text: String,
}

/// `UpdateContactMethodPreferenceRequest`, the new value of a preference. Truth values are sent in
/// lower case.
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
    /// Creates a request with a value as text.
    #[must_use]
    pub fn new(value: impl Into<String>) -> Self {
        Self { value: value.into() }
    }

    /// Returns the value.
    #[must_use]
    pub fn get_value(&self) -> &str {
        &self.value
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
        rules.line("value", Some(&self.value));
        rules.finish()
    }
}
