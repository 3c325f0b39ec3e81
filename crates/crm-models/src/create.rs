//! Creating contacts of locations, customers and bookings.

use serde::{Deserialize, Serialize};

use crate::{contact::Contact, contact_type::ContactType, validation::tolerant};

/// `LocationContactCreateRequest`, `CreateCustomerContactRequest` and, for bookings,
/// `ContactCreateRequest`, the body of a POST.
///
/// Preferences cannot be given on creation: update them afterwards.
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
    /// Creates a request for a contact without a memo.
    pub fn new(contact_type: ContactType, value: impl Into<String>) -> Self {
        Self { contact_type, value: value.into(), memo: None }
    }

    /// Adds a memo.
    pub fn memo(mut self, memo: impl Into<String>) -> Self {
        self.memo = Some(memo.into());
        self
    }

    /// Returns the kind of number or address.
    #[must_use]
    pub fn get_contact_type(&self) -> &ContactType {
        &self.contact_type
    }

    /// Returns the number or address.
    #[must_use]
    pub fn get_value(&self) -> &str {
        &self.value
    }

    /// Returns the memo, if there is one.
    #[must_use]
    pub fn get_memo(&self) -> Option<&str> {
        self.memo.as_deref()
    }

    /// Whether `contact` is this number or address already, by [`ContactType::same_value`]. A
    /// landline and a mobile telephone with one number are the same; a fax is not a telephone.
    #[must_use]
    pub fn is_same(&self, contact: &Contact) -> bool {
        let family = |contact_type: &ContactType| match contact_type {
            ContactType::MobilePhone => ContactType::Phone,
            other => other.clone(),
        };
        family(&self.contact_type) == family(&contact.contact_type)
            && self.contact_type.same_value(&self.value, &contact.value)
    }

    /// Whether an answer with this type and value may be about the contact that this creates.
    ///
    /// ```
    /// use crm_models::{ContactType, CreateContactRequest};
    ///
    /// let mobile = CreateContactRequest::new(ContactType::MobilePhone, "(818) 555-0142");
    /// assert!(mobile.is_echo(&ContactType::MobilePhone, "8185550142"));
    /// assert!(!mobile.is_echo(&ContactType::MobilePhone, "8185550143"));
    /// ```
    #[must_use]
    pub fn is_echo(&self, contact_type: &ContactType, value: &str) -> bool {
        self.contact_type == *contact_type && contact_type.is_echo(&self.value, value)
    }
}

tolerant!(CreateContactRequest, |contact, rules| {
    rules.contact_type(&contact.contact_type);
    rules.value(Some(&contact.contact_type), &contact.value);
    rules.memo(contact.memo.as_deref());
});
