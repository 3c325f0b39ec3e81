//! The contacts of bookings, which have neither preferences nor phone settings.

use serde::{Deserialize, Serialize};

use crate::{
    contact_type::ContactType,
    create::CreateContactRequest,
    ids::ContactId,
    members::{contact_change, contact_members, present},
    timestamp::Timestamp,
    validation::{CheckWith, InvalidInput, Tolerance, tolerant},
};

/// `BookingContactResponse`: one number or address of a booking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct BookingContact {
    /// The id, unique within the booking.
    pub id: ContactId,
    /// The kind of number or address.
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
    /// Creates a contact without a memo, for tests.
    #[must_use]
    pub fn new(
        id: ContactId,
        contact_type: ContactType,
        value: impl Into<String>,
        modified_on: Timestamp,
    ) -> Self {
        Self { id, contact_type, value: value.into(), memo: None, modified_on }
    }
}

/// `ContactCreateRequest`: the same members as for locations and customers.
pub type CreateBookingContactRequest = CreateContactRequest;

/// `UpdateBookingContactRequest`, in which absent members are kept, and null is neither written nor
/// read.
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
}

impl UpdateBookingContactRequest {
    /// Returns an update that does not change anything yet.
    pub fn new() -> Self {
        Self::default()
    }

    contact_members!();
    contact_change!();

    /// Whether nothing changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.contact_type.is_none() && self.value.is_none() && self.memo.is_none()
    }

    /// Returns the update without what the contact has already. Values are compared by
    /// [`ContactType::same_value`]; an empty memo is the same as none.
    pub fn without_unchanged(&self, contact: &UpdatedBookingContact) -> Self {
        let mut update = self.clone();
        if let (Some(contact_type), Some(value)) = (&contact.contact_type, &contact.value) {
            update.leave_out(contact_type, value, contact.memo.as_deref());
        }
        update
    }

    /// Whether the update is valid for `contact`, by the rules of
    /// [`Check::check`](crate::Check::check) with the value and the type that the contact will
    /// have. What it has already is not judged.
    ///
    /// # Errors
    ///
    /// Returns every breach of a rule, at once.
    pub fn check_for(&self, contact: &UpdatedBookingContact) -> Result<(), InvalidInput> {
        self.check_against(contact, Tolerance::Nothing)
    }

    /// Does what [`check_for`](Self::check_for) does, and lets pass what is tolerated.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`check_for`](Self::check_for).
    pub fn check_against(
        &self,
        contact: &UpdatedBookingContact,
        tolerance: Tolerance,
    ) -> Result<(), InvalidInput> {
        let outcome = self.without_unchanged(contact);
        if outcome.is_empty() && !self.is_empty() {
            return Ok(());
        }
        match (&contact.contact_type, &contact.value) {
            (Some(contact_type), Some(value)) => {
                outcome.check_beside(contact_type, value, tolerance)
            }
            _ => outcome.check_with(tolerance),
        }
    }
}

tolerant!(UpdateBookingContactRequest, |change, rules| change.judge(rules));

/// The answer to an update of a booking's contact.
///
/// The contract documents it in the form of the request, without `id` and `modifiedOn`. A complete
/// contact is read too.
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
    /// The id, if the service answers it.
    pub id: Option<ContactId>,
    /// The kind of number or address.
    #[serde(rename = "type")]
    pub contact_type: Option<ContactType>,
    /// The number or address.
    pub value: Option<String>,
    /// A free note.
    pub memo: Option<String>,
    /// The time of the last change, if the service answers it.
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
