//! The contacts of locations and of customers: one number or address each. The schemas of the
//! two kinds of owner are the same.

use std::{fmt, hash::Hash, ops::Deref};

use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned, de::Error};

use crate::{ContactId, ContactPreferences, ContactType, CustomerId, LocationId, Timestamp};

/// A location or a customer.
///
/// The constants are the API's words for it. This trait is sealed: there is no other owner of
/// this kind of contact.
pub trait ContactOwner:
    Copy
    + Ord
    + Hash
    + fmt::Display
    + fmt::Debug
    + Send
    + Sync
    + Serialize
    + DeserializeOwned
    + sealed::Owner
    + 'static
{
    /// One of them, for people: `location`.
    const NOUN: &'static str;
    /// All of them, in paths: `locations`.
    const COLLECTION: &'static str;
    /// The member that names the owner: `locationId`.
    const MEMBER: &'static str;
    /// The query parameter for several: `locationIds`.
    const LIST_PARAMETER: &'static str;
    /// Whether ids exclude other filters, and the times of creation alone are not enough.
    const STRICT_FILTERS: bool;

    /// The number.
    fn get(self) -> i64;
}

mod sealed {
    use crate::{CustomerId, LocationId};

    pub trait Owner: Sized {
        /// The one of the two owners that is of this kind.
        fn of(location: Option<LocationId>, customer: Option<CustomerId>) -> Option<Self>;
    }
}

impl ContactOwner for LocationId {
    const NOUN: &'static str = "location";
    const COLLECTION: &'static str = "locations";
    const MEMBER: &'static str = "locationId";
    const LIST_PARAMETER: &'static str = "locationIds";
    const STRICT_FILTERS: bool = false;

    fn get(self) -> i64 {
        self.get()
    }
}

impl sealed::Owner for LocationId {
    fn of(location: Option<LocationId>, _: Option<CustomerId>) -> Option<Self> {
        location
    }
}

impl ContactOwner for CustomerId {
    const NOUN: &'static str = "customer";
    const COLLECTION: &'static str = "customers";
    const MEMBER: &'static str = "customerId";
    const LIST_PARAMETER: &'static str = "customerIds";
    const STRICT_FILTERS: bool = true;

    fn get(self) -> i64 {
        self.get()
    }
}

impl sealed::Owner for CustomerId {
    fn of(_: Option<LocationId>, customer: Option<CustomerId>) -> Option<Self> {
        customer
    }
}

/// A contact of a location or a customer: one telephone number, fax number or e-mail address.
///
/// Reads `LocationContactResponse` and `CustomerContactWithModifiedOnResponse` of every
/// published version; members that are not known are passed over.
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
/// assert!(contact.do_not_text());
/// assert_eq!(contact.created(), None, "the year 1 means unknown");
/// assert_eq!(contact.preferences, None, "unknown, not all off");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Contact {
    /// Unique for its owner.
    pub id: ContactId,
    /// The kind.
    #[serde(rename = "type")]
    pub contact_type: ContactType,
    /// The number or address.
    pub value: String,
    /// A free note.
    pub memo: Option<String>,
    /// The text-message state of the number; none for other kinds.
    pub phone_settings: Option<PhoneSettings>,
    /// The last change.
    pub modified_on: Timestamp,
    /// The creation as answered; the year 1 means unknown, see [`created`](Self::created).
    pub created_on: Option<Timestamp>,
    /// What the contact receives; none is unknown, not "all off".
    pub preferences: Option<ContactPreferences>,
}

impl Contact {
    /// The time of creation, if the service knows it.
    #[must_use]
    pub fn created(&self) -> Option<Timestamp> {
        self.created_on.filter(|created| !created.is_unknown())
    }

    /// Whether the number has opted out of text messages. No contacts operation can set this.
    #[must_use]
    pub fn do_not_text(&self) -> bool {
        self.phone_settings
            .as_ref()
            .and_then(|settings| settings.do_not_text)
            .unwrap_or(false)
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
    /// The number has opted out of text messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub do_not_text: Option<bool>,
}

impl PhoneSettings {
    fn is_empty(&self) -> bool {
        self.phone_number.is_none() && self.do_not_text.is_none()
    }
}

/// A contact together with its owner, as lists over all owners answer it.
///
/// Dereferences to the [`Contact`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OwnedContact<O> {
    /// Whose contact.
    pub owner: O,
    /// The contact.
    pub contact: Contact,
}

/// A contact of an export feed: it may be deleted.
///
/// Dereferences to the [`Contact`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExportedContact<O> {
    /// Whose contact.
    pub owner: O,
    /// The contact.
    pub contact: Contact,
    /// False: the contact is deleted.
    pub active: bool,
}

impl<O> Deref for OwnedContact<O> {
    type Target = Contact;

    fn deref(&self) -> &Contact {
        &self.contact
    }
}

impl<O> Deref for ExportedContact<O> {
    type Target = Contact;

    fn deref(&self) -> &Contact {
        &self.contact
    }
}

/// Every member of every schema, in one flat object: reading it costs no more than reading the
/// contact alone.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    id: ContactId,
    #[serde(rename = "type")]
    contact_type: ContactType,
    value: String,
    memo: Option<String>,
    phone_settings: Option<PhoneSettings>,
    /// Beside an empty `phoneSettings` in one published example.
    phone_number: Option<String>,
    do_not_text: Option<bool>,
    modified_on: Timestamp,
    created_on: Option<Timestamp>,
    preferences: Option<ContactPreferences>,
    location_id: Option<LocationId>,
    customer_id: Option<CustomerId>,
    active: Option<bool>,
}

impl Wire {
    fn owner<O: ContactOwner, E: Error>(&self) -> Result<O, E> {
        O::of(self.location_id, self.customer_id).ok_or_else(|| E::missing_field(O::MEMBER))
    }
}

impl From<Wire> for Contact {
    fn from(wire: Wire) -> Self {
        let flat = PhoneSettings {
            phone_number: wire.phone_number,
            do_not_text: wire.do_not_text,
        };
        Self {
            id: wire.id,
            contact_type: wire.contact_type,
            value: wire.value,
            memo: wire.memo,
            phone_settings: [wire.phone_settings, Some(flat)]
                .into_iter()
                .flatten()
                .find(|settings| !settings.is_empty()),
            modified_on: wire.modified_on,
            created_on: wire.created_on,
            preferences: wire.preferences,
        }
    }
}

impl<'de> Deserialize<'de> for Contact {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Wire::deserialize(deserializer).map(Self::from)
    }
}

impl<'de, O: ContactOwner> Deserialize<'de> for OwnedContact<O> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wire = Wire::deserialize(deserializer)?;
        Ok(Self {
            owner: wire.owner()?,
            contact: wire.into(),
        })
    }
}

impl<'de, O: ContactOwner> Deserialize<'de> for ExportedContact<O> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wire = Wire::deserialize(deserializer)?;
        Ok(Self {
            owner: wire.owner()?,
            active: wire
                .active
                .ok_or_else(|| D::Error::missing_field("active"))?,
            contact: wire.into(),
        })
    }
}

impl<O: ContactOwner> Serialize for OwnedContact<O> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Owned::new(self.owner, &self.contact, None).serialize(serializer)
    }
}

impl<O: ContactOwner> Serialize for ExportedContact<O> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Owned::new(self.owner, &self.contact, Some(self.active)).serialize(serializer)
    }
}

/// The written form of a contact with its owner.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Owned<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    location_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer_id: Option<i64>,
    #[serde(flatten)]
    contact: &'a Contact,
    #[serde(skip_serializing_if = "Option::is_none")]
    active: Option<bool>,
}

impl<'a> Owned<'a> {
    fn new<O: ContactOwner>(owner: O, contact: &'a Contact, active: Option<bool>) -> Self {
        let is = |member| (O::MEMBER == member).then_some(owner.get());
        Self {
            location_id: is("locationId"),
            customer_id: is("customerId"),
            contact,
            active,
        }
    }
}

/// `LocationContactResponse`.
pub type LocationContact = Contact;
/// `CustomerContactWithModifiedOnResponse`.
pub type CustomerContact = Contact;
