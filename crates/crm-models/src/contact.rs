//! The contacts of locations and of customers, one number or address each. The schemas of the two
//! kinds of owner are the same.

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error, IgnoredAny},
};

use crate::{
    contact_type::ContactType,
    ids::ContactId,
    owner::{ContactOwner, sealed::Owner},
    preferences::ContactPreferences,
    timestamp::Timestamp,
};

/// A contact of a location or a customer: one telephone number, fax number or e-mail address.
///
/// Reads `LocationContactResponse` and `CustomerContactWithModifiedOnResponse` of every
/// published version; unknown members are skipped.
///
/// ```
/// use crm_models::{Contact, ContactType};
///
/// let contact: Contact = serde_json::from_str(r#"{
///     "id": 71204, "type": "MobilePhone", "value": "8185550142", "memo": null,
///     "phoneSettings": {"phoneNumber": "8185550142", "doNotText": true},
///     "modifiedOn": "2026-05-27T16:04:11.4827193Z",
///     "createdOn": "0001-01-01T00:00:00Z"
/// }"#)?;
/// assert_eq!(contact.contact_type, ContactType::MobilePhone);
/// assert_eq!(contact.do_not_text(), Some(true));
/// assert_eq!(contact.created(), None, "the year 1 means unknown");
/// assert_eq!(contact.preferences, None, "unknown, not all off");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Contact {
    /// The id, unique within the owner.
    pub id: ContactId,
    /// The kind of number or address.
    #[serde(rename = "type")]
    pub contact_type: ContactType,
    /// The number or address.
    pub value: String,
    /// A free note.
    pub memo: Option<String>,
    /// Whether the number has opted out of text messages; `None` for other kinds.
    pub phone_settings: Option<PhoneSettings>,
    /// The time of the last change.
    pub modified_on: Timestamp,
    /// The time of creation as answered. The year 1 means unknown: see [`created`](Self::created).
    pub created_on: Option<Timestamp>,
    /// What the contact receives. `None` means unknown, not "all off".
    pub preferences: Option<ContactPreferences>,
}

impl Contact {
    /// Creates a contact without memo, settings, time of creation and preferences, for tests and
    /// for a state that was kept elsewhere.
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
            phone_settings: None,
            modified_on,
            created_on: None,
            preferences: None,
        }
    }

    /// Returns the time of creation, if the service knows it.
    #[must_use]
    pub fn created(&self) -> Option<Timestamp> {
        self.created_on.filter(|created| !created.is_unknown())
    }

    /// Whether the number has opted out of text messages. `None` means that the service did not
    /// say, which is not a permission. No contacts operation can set this.
    #[must_use]
    pub fn do_not_text(&self) -> Option<bool> {
        self.phone_settings.as_ref()?.do_not_text
    }
}

/// The text-message state of a telephone number. It belongs to the number, not to the contact,
/// and no contacts operation can set it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct PhoneSettings {
    /// The number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone_number: Option<String>,
    /// Whether the number has opted out of text messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub do_not_text: Option<bool>,
}

impl PhoneSettings {
    fn is_empty(&self) -> bool {
        self.phone_number.is_none() && self.do_not_text.is_none()
    }
}

/// Every member of every schema in one flat object, so that reading it costs no more than reading
/// the contact alone. The type parameters say how `locationId`, `customerId` and `active` are read.
/// Where the schema has no such member, it may be anything.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Wire<L, C, A> {
    id: ContactId,
    #[serde(rename = "type")]
    contact_type: ContactType,
    value: String,
    memo: Option<String>,
    phone_settings: Option<PhoneSettings>,
    /// It appears beside an empty `phoneSettings` in one published example.
    phone_number: Option<String>,
    do_not_text: Option<bool>,
    modified_on: Timestamp,
    created_on: Option<Timestamp>,
    preferences: Option<ContactPreferences>,
    location_id: Option<L>,
    customer_id: Option<C>,
    pub(crate) active: Option<A>,
}

impl<L, C, A> Wire<L, C, A> {
    pub(crate) fn take_owner<O, E>(&mut self) -> Result<O, E>
    where
        O: ContactOwner + Owner<Location = L, Customer = C>,
        E: Error,
    {
        O::of(self.location_id.take(), self.customer_id.take())
            .ok_or_else(|| E::missing_field(O::MEMBER))
    }
}

impl<L, C, A> From<Wire<L, C, A>> for Contact {
    fn from(wire: Wire<L, C, A>) -> Self {
        let flat = PhoneSettings { phone_number: wire.phone_number, do_not_text: wire.do_not_text };
        Self {
            id: wire.id,
            contact_type: wire.contact_type,
            value: wire.value,
            memo: wire.memo,
            phone_settings: match wire.phone_settings {
                Some(settings) if !settings.is_empty() => Some(settings),
                _ => (!flat.is_empty()).then_some(flat),
            },
            modified_on: wire.modified_on,
            created_on: wire.created_on,
            preferences: wire.preferences,
        }
    }
}

impl<'de> Deserialize<'de> for Contact {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Wire::<IgnoredAny, IgnoredAny, IgnoredAny>::deserialize(deserializer).map(Self::from)
    }
}
