//! Changes of the contacts of locations and customers.

use serde::{Deserialize, Serialize};

use crate::{
    contact::Contact,
    contact_type::ContactType,
    members::{contact_change, contact_members, present},
    preferences::{ContactPreferences, PreferenceChange, PreferencesError},
    update::UpdateContactRequest,
    validation::{InvalidInput, Tolerance, tolerant},
};

/// A change that somebody wants of a contact of a location or a customer.
///
/// Members that it does not name are kept. Preferences may be given in part: the present ones
/// complete them in [`to_request`](Self::to_request), since the API takes them only as a whole.
///
/// ```
/// use crm_models::{
///     Contact, ContactChange, ContactPreferencesRequest, Preference, PreferenceChange,
/// };
///
/// let mut contact: Contact = serde_json::from_str(r#"{
///     "id": 71204, "type": "MobilePhone", "value": "8185550142", "memo": "Gate",
///     "modifiedOn": "2026-05-27T16:04:11.4827193Z"
/// }"#)?;
/// let received = [Preference::JobReminders, Preference::MarketingUpdates];
/// contact.preferences = Some(ContactPreferencesRequest::receiving(&received).into());
///
/// let change = ContactChange::new()
///     .value("(818) 555-0142")
///     .memo("Gate code 4411")
///     .preferences(PreferenceChange::new().marketing_updates(false));
/// assert!(change.needs_current());
///
/// let change = change.without_unchanged(&contact);
/// assert_eq!(change.get_value(), None, "the same number, written otherwise");
/// let request = change.request_for(&contact)?;
/// assert_eq!(request.get_memo(), Some("Gate code 4411"));
/// let all = ContactPreferencesRequest::receiving(&[Preference::JobReminders]);
/// assert_eq!(request.get_preferences(), Some(&all));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// As JSON it has the API's names, some or all of the flags, and neither null nor unknown
/// members, so that a web service can take it from its callers unchanged:
///
/// ```
/// use crm_models::{ContactChange, PreferenceChange};
///
/// let body = r#"{"memo":"Gate code 4411","preferences":{"marketingUpdatesEnabled":false}}"#;
/// let change: ContactChange = serde_json::from_str(body)?;
/// let marketing = PreferenceChange::new().marketing_updates(false);
/// assert_eq!(change, ContactChange::new().memo("Gate code 4411").preferences(marketing));
/// assert_eq!(serde_json::to_string(&change)?, body);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[must_use]
pub struct ContactChange {
    #[serde(
        rename = "type",
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    contact_type: Option<ContactType>,
    #[serde(deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    #[serde(deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    memo: Option<String>,
    #[serde(skip_serializing_if = "PreferenceChange::is_empty")]
    preferences: PreferenceChange,
}

impl ContactChange {
    /// Returns a change that does not change anything yet.
    pub fn new() -> Self {
        Self::default()
    }

    contact_members!();
    contact_change!();

    /// Clears the memo, which is sent as an empty text, never as null.
    pub fn clear_memo(self) -> Self {
        self.memo("")
    }

    /// Sets some or all preferences.
    pub fn preferences(mut self, preferences: PreferenceChange) -> Self {
        self.preferences = preferences;
        self
    }

    /// Returns the preferences that change.
    pub fn get_preferences(&self) -> &PreferenceChange {
        &self.preferences
    }

    /// Whether nothing changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.contact_type.is_none()
            && self.value.is_none()
            && self.memo.is_none()
            && self.preferences.is_empty()
    }

    /// Whether the contact has to be read before this is sent, because preferences are sent as a
    /// whole and in the form that the service knows.
    #[must_use]
    pub fn needs_current(&self) -> bool {
        !self.preferences.is_empty()
    }

    /// Returns the request that makes this change to a contact with these preferences.
    ///
    /// # Errors
    ///
    /// Returns [`PreferencesError`] when some preferences change and the complete set cannot be
    /// determined.
    pub fn to_request(
        &self,
        current: Option<&ContactPreferences>,
    ) -> Result<UpdateContactRequest, PreferencesError> {
        let mut request = UpdateContactRequest::new();
        if let Some(contact_type) = &self.contact_type {
            request = request.contact_type(contact_type.clone());
        }
        if let Some(value) = &self.value {
            request = request.value(value);
        }
        if let Some(memo) = &self.memo {
            request = request.memo(memo);
        }
        if !self.preferences.is_empty() {
            request = request.preferences(self.preferences.apply_to(current)?);
        }
        Ok(request)
    }

    /// Returns the request that makes this change to a contact that was read, completed by its
    /// preferences.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`to_request`](Self::to_request).
    pub fn request_for(&self, contact: &Contact) -> Result<UpdateContactRequest, PreferencesError> {
        self.to_request(contact.preferences.as_ref())
    }

    /// Returns the change without what the contact has already. Values are compared by
    /// [`ContactType::same_value`]; an empty memo is the same as none.
    pub fn without_unchanged(&self, contact: &Contact) -> Self {
        let mut change = self.clone();
        change.leave_out(&contact.contact_type, &contact.value, contact.memo.as_deref());
        if let Some(current) = &contact.preferences {
            change.preferences = self.preferences.without_unchanged(current);
        }
        change
    }

    /// Whether the change is valid for `contact`, by the rules of
    /// [`Check::check`](crate::Check::check) with the value and the type that the contact will
    /// have. So an e-mail address is refused for a telephone, and another type for a value that
    /// does not fit it. What the contact has already is not judged, since the service accepted it
    /// once.
    ///
    /// # Errors
    ///
    /// Returns every breach of a rule, at once.
    ///
    /// ```
    /// use crm_models::{Check, Contact, ContactChange, ContactType};
    ///
    /// let contact: Contact = serde_json::from_str(r#"{
    ///     "id": 71204, "type": "Phone", "value": "8185550142",
    ///     "modifiedOn": "2026-05-27T16:04:11Z"
    /// }"#)?;
    /// let change = ContactChange::new().value("dana@site.example");
    /// assert!(change.check().is_ok(), "valid for some contact");
    /// assert!(change.check_for(&contact).is_err(), "but not for a telephone");
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn check_for(&self, contact: &Contact) -> Result<(), InvalidInput> {
        self.check_against(contact, Tolerance::Nothing)
    }

    /// Does what [`check_for`](Self::check_for) does, and lets pass what is tolerated.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`check_for`](Self::check_for).
    pub fn check_against(
        &self,
        contact: &Contact,
        tolerance: Tolerance,
    ) -> Result<(), InvalidInput> {
        let outcome = self.without_unchanged(contact);
        if outcome.is_empty() && !self.is_empty() {
            return Ok(());
        }
        outcome.check_beside(&contact.contact_type, &contact.value, tolerance)
    }
}

tolerant!(ContactChange, |change, rules| change.judge(rules));

/// A [`ContactChange`], named to show that it is for a location's contact.
pub type UpdateLocationContact = ContactChange;
/// A [`ContactChange`], named to show that it is for a customer's contact.
pub type UpdateCustomerContact = ContactChange;
