//! Creating and changing contacts of locations and customers.

use serde::{Deserialize, Serialize};
use validator::{Validate, ValidationErrors};

use crate::{
    Contact, ContactPreferences, ContactPreferencesRequest, ContactType, PreferenceChange,
    PreferencesUnknown, validation::Rules,
};

/// `LocationContactCreateRequest` and `CreateCustomerContactRequest`. Preferences cannot be
/// given on creation.
///
/// ```
/// use crm_models::{ContactType, CreateContactRequest};
///
/// let request = CreateContactRequest::new(ContactType::MobilePhone, "8185550142").memo("Gate");
/// assert_eq!(
///     serde_json::to_string(&request)?,
///     r#"{"type":"MobilePhone","value":"8185550142","memo":"Gate"}"#,
/// );
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[must_use]
pub struct CreateContactRequest {
    #[serde(rename = "type")]
    contact_type: ContactType,
    value: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    memo: Option<String>,
}

impl CreateContactRequest {
    /// A contact without a memo.
    pub fn new(contact_type: ContactType, value: impl Into<String>) -> Self {
        Self {
            contact_type,
            value: value.into(),
            memo: None,
        }
    }

    /// Adds a memo.
    pub fn memo(mut self, memo: impl Into<String>) -> Self {
        self.memo = Some(memo.into());
        self
    }

    /// The kind.
    #[must_use]
    pub fn get_contact_type(&self) -> &ContactType {
        &self.contact_type
    }

    /// The number or address.
    #[must_use]
    pub fn get_value(&self) -> &str {
        &self.value
    }

    /// The memo, if there is one.
    #[must_use]
    pub fn get_memo(&self) -> Option<&str> {
        self.memo.as_deref()
    }

    /// Whether `contact` is this number or address already. A landline and a mobile telephone
    /// with one number are the same; a fax is not a telephone.
    #[must_use]
    pub fn is_same(&self, contact: &Contact) -> bool {
        let family = |contact_type: &ContactType| match contact_type {
            ContactType::MobilePhone => ContactType::Phone,
            other => other.clone(),
        };
        family(&self.contact_type) == family(&contact.contact_type)
            && self.contact_type.same_value(&self.value, &contact.value)
    }
}

impl Validate for CreateContactRequest {
    fn validate(&self) -> Result<(), ValidationErrors> {
        let mut rules = Rules::default();
        rules.contact_type(&self.contact_type);
        rules.value(Some(&self.contact_type), &self.value);
        rules.optional_text("memo", self.memo.as_deref());
        rules.finish()
    }
}

/// `LocationContactUpdateRequest` and `UpdateCustomerContactRequest`: the body of the PATCH.
/// Absent members are kept; nothing is written as null.
///
/// ```
/// use crm_models::{Check, UpdateContactRequest};
///
/// let request = UpdateContactRequest::new().memo("");
/// assert_eq!(serde_json::to_string(&request)?, r#"{"memo":""}"#, "clears the memo");
/// assert!(UpdateContactRequest::new().check().is_err(), "nothing to change");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[must_use]
pub struct UpdateContactRequest {
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    contact_type: Option<ContactType>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    memo: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    preferences: Option<ContactPreferencesRequest>,
}

impl UpdateContactRequest {
    /// Changes nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the kind.
    pub fn contact_type(mut self, contact_type: ContactType) -> Self {
        self.contact_type = Some(contact_type);
        self
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

    /// Sets all preferences.
    pub fn preferences(mut self, preferences: ContactPreferencesRequest) -> Self {
        self.preferences = Some(preferences);
        self
    }

    /// The kind, if it changes.
    #[must_use]
    pub fn get_contact_type(&self) -> Option<&ContactType> {
        self.contact_type.as_ref()
    }

    /// The number or address, if it changes.
    #[must_use]
    pub fn get_value(&self) -> Option<&str> {
        self.value.as_deref()
    }

    /// The memo, if it changes.
    #[must_use]
    pub fn get_memo(&self) -> Option<&str> {
        self.memo.as_deref()
    }

    /// The preferences, if they change.
    #[must_use]
    pub fn get_preferences(&self) -> Option<&ContactPreferencesRequest> {
        self.preferences.as_ref()
    }

    /// Whether nothing changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Writes the preferences, if they change, in the form before May 2026.
    ///
    /// # Errors
    ///
    /// See [`ContactPreferencesRequest::legacy_three_flags`].
    pub fn legacy_three_flags(mut self) -> Result<Self, crate::InvalidInput> {
        let legacy = self
            .preferences
            .map(ContactPreferencesRequest::legacy_three_flags);
        self.preferences = legacy.transpose()?;
        Ok(self)
    }
}

impl Validate for UpdateContactRequest {
    fn validate(&self) -> Result<(), ValidationErrors> {
        let (value, memo) = (self.value.as_deref(), self.memo.as_deref());
        check_members(self.is_empty(), self.contact_type.as_ref(), value, memo)
    }
}

/// What a person wants changed in a contact of a location or a customer.
///
/// Members that are not named are kept. Preferences may be given in part: the service fills in
/// the others before it sends.
///
/// ```
/// use crm_models::{ContactChange, PreferenceChange};
///
/// let change = ContactChange::new()
///     .memo("Gate code 4411")
///     .preferences(PreferenceChange::new().marketing_updates(false));
/// assert!(change.needs_current());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[must_use]
pub struct ContactChange {
    contact_type: Option<ContactType>,
    value: Option<String>,
    memo: Option<String>,
    preferences: PreferenceChange,
}

impl ContactChange {
    /// Changes nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the kind.
    pub fn contact_type(mut self, contact_type: ContactType) -> Self {
        self.contact_type = Some(contact_type);
        self
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

    /// Clears the memo: it is sent as an empty text, never as null.
    pub fn clear_memo(self) -> Self {
        self.memo("")
    }

    /// Sets some or all preferences.
    pub fn preferences(mut self, preferences: PreferenceChange) -> Self {
        self.preferences = preferences;
        self
    }

    /// The kind, if it changes.
    #[must_use]
    pub fn get_contact_type(&self) -> Option<&ContactType> {
        self.contact_type.as_ref()
    }

    /// The number or address, if it changes.
    #[must_use]
    pub fn get_value(&self) -> Option<&str> {
        self.value.as_deref()
    }

    /// The memo, if it changes; empty clears it.
    #[must_use]
    pub fn get_memo(&self) -> Option<&str> {
        self.memo.as_deref()
    }

    /// The preferences that change.
    pub fn get_preferences(&self) -> &PreferenceChange {
        &self.preferences
    }

    /// Whether nothing changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether the contact's present preferences must be known before this can be sent.
    #[must_use]
    pub fn needs_current(&self) -> bool {
        !self.preferences.is_empty() && !self.preferences.is_complete()
    }

    /// The request that makes this change to a contact with these preferences.
    ///
    /// # Errors
    ///
    /// [`PreferencesUnknown`] when some preferences change and the present ones are not known.
    pub fn to_request(
        &self,
        current: Option<&ContactPreferences>,
    ) -> Result<UpdateContactRequest, PreferencesUnknown> {
        let preferences = match self.preferences.is_empty() {
            true => None,
            false => Some(self.preferences.apply_to(current)?),
        };
        Ok(UpdateContactRequest {
            contact_type: self.contact_type.clone(),
            value: self.value.clone(),
            memo: self.memo.clone(),
            preferences,
        })
    }

    /// The change without what is so already. Numbers are compared by digits and addresses
    /// without case; an empty memo and none are the same.
    pub fn differs_from(&self, contact: &Contact) -> Self {
        let contact_type = self.contact_type.as_ref().unwrap_or(&contact.contact_type);
        let another_type = *contact_type != contact.contact_type;
        Self {
            contact_type: another_type.then(|| contact_type.clone()),
            value: self
                .value
                .clone()
                .filter(|value| !contact_type.same_value(value, &contact.value)),
            memo: self
                .memo
                .clone()
                .filter(|memo| memo != contact.memo.as_deref().unwrap_or_default()),
            preferences: match &contact.preferences {
                Some(current) => self.preferences.differs_from(current),
                None => self.preferences,
            },
        }
    }
}

impl Validate for ContactChange {
    fn validate(&self) -> Result<(), ValidationErrors> {
        let (value, memo) = (self.value.as_deref(), self.memo.as_deref());
        check_members(self.is_empty(), self.contact_type.as_ref(), value, memo)
    }
}

/// The rules of an update: something changes, and what changes is valid.
pub(crate) fn check_members(
    empty: bool,
    contact_type: Option<&ContactType>,
    value: Option<&str>,
    memo: Option<&str>,
) -> Result<(), ValidationErrors> {
    let mut rules = Rules::default();
    if empty {
        rules.whole("empty", "nothing is given to change");
    }
    if let Some(contact_type) = contact_type {
        rules.contact_type(contact_type);
    }
    if let Some(value) = value {
        rules.value(contact_type, value);
    }
    rules.optional_text("memo", memo);
    rules.finish()
}

/// What a person wants changed in a location's contact.
pub type UpdateLocationContact = ContactChange;
/// What a person wants changed in a customer's contact.
pub type UpdateCustomerContact = ContactChange;
