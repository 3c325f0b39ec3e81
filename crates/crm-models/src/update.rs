//! Updates of the contacts of locations and customers.

use serde::{Deserialize, Serialize};

use crate::{
    contact::Contact,
    contact_type::ContactType,
    members::{contact_members, present, setters},
    preferences::ContactPreferencesRequest,
    validation::{InvalidInput, Tolerance, tolerant},
};

/// `LocationContactUpdateRequest` and `UpdateCustomerContactRequest`, the body of the PATCH.
///
/// Absent members are kept. Nothing is written as null, and null is refused when a request is read,
/// since what it would do is not documented. To say what should change without knowing all
/// preferences, see [`ContactChange`](crate::ContactChange).
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
#[serde(default, deny_unknown_fields)]
#[must_use]
pub struct UpdateContactRequest {
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
    #[serde(deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    preferences: Option<ContactPreferencesRequest>,
}

impl UpdateContactRequest {
    /// Returns an update that does not change anything yet.
    pub fn new() -> Self {
        Self::default()
    }

    contact_members!();

    setters! {
        /// Sets all preferences.
        preferences: ContactPreferencesRequest;
    }

    /// Returns the preferences, if they change.
    #[must_use]
    pub fn get_preferences(&self) -> Option<&ContactPreferencesRequest> {
        self.preferences.as_ref()
    }

    /// Whether nothing changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.contact_type.is_none()
            && self.value.is_none()
            && self.memo.is_none()
            && self.preferences.is_none()
    }

    /// What is to be tolerated in this update of a contact that was read: one that keeps a type
    /// which the contract does not know may have any value.
    #[must_use]
    pub fn tolerance_for(&self, contact: &Contact) -> Tolerance {
        match (&self.contact_type, &contact.contact_type) {
            (None, ContactType::Other(_)) => Tolerance::AnyType,
            _ => Tolerance::Nothing,
        }
    }

    /// Writes the preferences, if they change, in the form before May 2026.
    ///
    /// # Errors
    ///
    /// Returns the error of [`ContactPreferencesRequest::legacy_three_flags`].
    pub fn legacy_three_flags(mut self) -> Result<Self, InvalidInput> {
        self.preferences =
            self.preferences.map(ContactPreferencesRequest::legacy_three_flags).transpose()?;
        Ok(self)
    }
}

tolerant!(UpdateContactRequest, |change, rules| change.judge(rules));
