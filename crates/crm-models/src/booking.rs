//! The contacts of bookings: without preferences, without phone settings.

use serde::{Deserialize, Serialize};
use validator::{Validate, ValidationErrors};

use crate::{
    ContactId, ContactType, CreateContactRequest, Timestamp,
    members::{contact_members, present},
    text::is_same,
};

/// `BookingContactResponse`: one number or address of a booking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct BookingContact {
    /// Unique for its booking.
    pub id: ContactId,
    /// The kind.
    #[serde(rename = "type")]
    pub contact_type: ContactType,
    /// The number or address.
    pub value: String,
    /// A free note. The contract calls it required; it is null where none was given.
    pub memo: Option<String>,
    /// The time of the last change.
    pub modified_on: Timestamp,
}

impl BookingContact {
    /// A contact without memo: for tests.
    #[must_use]
    pub fn new(
        id: ContactId,
        contact_type: ContactType,
        value: impl Into<String>,
        modified_on: Timestamp,
    ) -> Self {
        Self {
            id,
            contact_type,
            value: value.into(),
            memo: None,
            modified_on,
        }
    }
}

/// `ContactCreateRequest`: the same members as for locations and customers.
pub type CreateBookingContactRequest = CreateContactRequest;

/// `UpdateBookingContactRequest`: absent members are kept, null is neither written nor read.
///
/// ```
/// use crm_models::UpdateBookingContactRequest;
///
/// let request = UpdateBookingContactRequest::new().value("2135550108");
/// assert_eq!(serde_json::to_string(&request)?, r#"{"value":"2135550108"}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[must_use]
pub struct UpdateBookingContactRequest {
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
    #[serde(skip)]
    unknown_type_allowed: bool,
}

impl UpdateBookingContactRequest {
    /// Changes nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    contact_members!();

    /// Whether nothing changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.contact_type.is_none() && self.value.is_none() && self.memo.is_none()
    }

    /// Whether the answer has every member that this names. Values are compared as by
    /// [`ContactType::same_value`]; an empty memo and none are the same.
    #[must_use]
    pub fn is_met_by(&self, answer: &UpdatedBookingContact) -> bool {
        let is_type = |asked: &ContactType| answer.contact_type.as_ref() == Some(asked);
        let is_value = |asked: &String| match (&answer.contact_type, &answer.value) {
            (Some(contact_type), Some(value)) => contact_type.same_value(asked, value),
            _ => false,
        };
        self.contact_type.as_ref().is_none_or(is_type)
            && self.value.as_ref().is_none_or(is_value)
            && (self.memo.is_none() || is_same(self.memo.as_deref(), answer.memo.as_deref()))
    }
}

impl Validate for UpdateBookingContactRequest {
    fn validate(&self) -> Result<(), ValidationErrors> {
        self.rules().finish()
    }
}

/// The answer to an update of a booking's contact.
///
/// The contract documents it in the form of the request, without `id` and `modifiedOn`; a
/// complete contact is read too.
///
/// ```
/// use crm_models::UpdatedBookingContact;
///
/// let answer: UpdatedBookingContact =
///     serde_json::from_str(r#"{"type": "MobilePhone", "value": "2135550108"}"#)?;
/// assert_eq!(answer.value.as_deref(), Some("2135550108"));
/// assert_eq!(answer.id, None);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct UpdatedBookingContact {
    /// The contact, if the service names it.
    pub id: Option<ContactId>,
    /// The kind.
    #[serde(rename = "type")]
    pub contact_type: Option<ContactType>,
    /// The number or address.
    pub value: Option<String>,
    /// A free note.
    pub memo: Option<String>,
    /// The time of the last change, if the service tells it.
    pub modified_on: Option<Timestamp>,
}

impl From<BookingContact> for UpdatedBookingContact {
    fn from(contact: BookingContact) -> Self {
        Self {
            id: Some(contact.id),
            contact_type: Some(contact.contact_type),
            value: Some(contact.value),
            memo: contact.memo,
            modified_on: Some(contact.modified_on),
        }
    }
}
