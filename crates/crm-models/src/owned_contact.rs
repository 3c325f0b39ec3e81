//! Contacts that name their owner, as in lists over all owners and in exports.

use std::ops::Deref;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, IgnoredAny},
};

use crate::{
    contact::{Contact, Wire},
    ids::{CustomerId, LocationId},
    owner::ContactOwner,
};

/// A contact with its owner, as lists over all owners return it.
///
/// It dereferences to the [`Contact`].
///
/// ```
/// use crm_models::{LocationsContact, LocationId};
///
/// let item: LocationsContact = serde_json::from_str(r#"{
///     "id": 71205, "type": "Email", "value": "accounts@site.example",
///     "modifiedOn": "2026-02-18T22:40:03.75Z", "locationId": 55021
/// }"#)?;
/// assert_eq!(item.owner, LocationId::new(55021)?);
/// assert_eq!(item.value, "accounts@site.example");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(bound = "O: ContactOwner")]
#[non_exhaustive]
pub struct OwnedContact<O> {
    /// The owner of the contact.
    #[serde(flatten, serialize_with = "by_its_member")]
    pub owner: O,
    /// The contact.
    #[serde(flatten)]
    pub contact: Contact,
}

/// A contact of an export feed, which may have been deleted.
///
/// It dereferences to the [`Contact`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(bound = "O: ContactOwner")]
#[non_exhaustive]
pub struct ExportedContact<O> {
    /// The owner of the contact.
    #[serde(flatten, serialize_with = "by_its_member")]
    pub owner: O,
    /// The contact.
    #[serde(flatten)]
    pub contact: Contact,
    /// Whether the contact exists. False is the only sign of a deleted one.
    pub active: bool,
}

impl<O> OwnedContact<O> {
    /// Creates the contact of this owner.
    #[must_use]
    pub fn new(owner: O, contact: Contact) -> Self {
        Self { owner, contact }
    }
}

impl<O> ExportedContact<O> {
    /// Creates the contact of this owner, or one that it had.
    #[must_use]
    pub fn new(owner: O, contact: Contact, active: bool) -> Self {
        Self { owner, contact, active }
    }
}

macro_rules! is_a_contact {
    ($($owned:ident)*) => {$(
        impl<O> Deref for $owned<O> {
            type Target = Contact;

            fn deref(&self) -> &Contact {
                &self.contact
            }
        }
    )*};
}

is_a_contact!(OwnedContact ExportedContact);

impl<'de, O: ContactOwner> Deserialize<'de> for OwnedContact<O> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut wire = Wire::<O::Location, O::Customer, IgnoredAny>::deserialize(deserializer)?;
        Ok(Self { owner: wire.take_owner()?, contact: wire.into() })
    }
}

impl<'de, O: ContactOwner> Deserialize<'de> for ExportedContact<O> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut wire = Wire::<O::Location, O::Customer, bool>::deserialize(deserializer)?;
        Ok(Self {
            owner: wire.take_owner()?,
            active: wire.active.ok_or_else(|| D::Error::missing_field("active"))?,
            contact: wire.into(),
        })
    }
}

/// Writes the owner as `locationId` or `customerId`.
fn by_its_member<O: ContactOwner, S: Serializer>(
    owner: &O,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map([(O::MEMBER, owner)])
}

/// `LocationsContactResponse`.
pub type LocationsContact = OwnedContact<LocationId>;
/// `CustomerContactWithModifiedOnAndCustomerIdResponse`.
pub type CustomersContact = OwnedContact<CustomerId>;
/// `ExportLocationContactResponse`.
pub type ExportedLocationContact = ExportedContact<LocationId>;
/// `ExportCustomerContactResponse`.
pub type ExportedCustomerContact = ExportedContact<CustomerId>;
