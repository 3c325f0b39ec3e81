//! A record at one point in time: as the plan saw it, just before the write, and after it.

use std::collections::BTreeMap;

use crm_models::{Contact, ContactType};
use serde::{Deserialize, Serialize};

use super::target::Target;

/// The state of a record at one point in time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Image {
    /// A contact of a location or a customer, in the API's form.
    Contact(Box<Contact>),
    /// A person's contact method.
    Method(MethodImage),
}

/// A person's contact method and its preferences.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MethodImage {
    /// The contact type.
    #[serde(rename = "type")]
    pub contact_type: ContactType,
    /// The number or address.
    pub value: String,
    /// The preferences by name; `None` means that a preference is not set.
    pub preferences: BTreeMap<String, Option<bool>>,
}

impl Image {
    /// Returns the contact, unless this is a contact method.
    #[must_use]
    pub fn as_contact(&self) -> Option<&Contact> {
        match self {
            Self::Contact(contact) => Some(contact),
            Self::Method(_) => None,
        }
    }

    /// Returns the contact method, unless this is a contact.
    #[must_use]
    pub fn as_method(&self) -> Option<&MethodImage> {
        match self {
            Self::Contact(_) => None,
            Self::Method(method) => Some(method),
        }
    }

    /// The contact type.
    #[must_use]
    pub fn contact_type(&self) -> &ContactType {
        match self {
            Self::Contact(contact) => &contact.contact_type,
            Self::Method(method) => &method.contact_type,
        }
    }

    /// The number or address.
    #[must_use]
    pub fn value(&self) -> &str {
        match self {
            Self::Contact(contact) => &contact.value,
            Self::Method(method) => &method.value,
        }
    }

    /// Returns whether marketing is known to be received: by the flag of a contact, or by a preference
    /// of a contact method that speaks of it.
    #[must_use]
    pub fn receives_marketing(&self) -> bool {
        match self {
            Self::Contact(contact) => {
                contact.preferences.is_some_and(|flags| flags.marketing_updates_enabled)
            }
            Self::Method(method) => method.receives_marketing(),
        }
    }

    pub(crate) fn from_file(target: &Target, json: &str) -> serde_json::Result<Self> {
        match target {
            Target::Contact { .. } => serde_json::from_str(json).map(Self::Contact),
            Target::Method { .. } => serde_json::from_str(json).map(Self::Method),
        }
    }
}

impl MethodImage {
    /// Returns whether a preference that speaks of marketing is on.
    #[must_use]
    pub fn receives_marketing(&self) -> bool {
        let mut preferences = self.preferences.iter();
        preferences.any(|(name, on)| *on == Some(true) && speaks_of_marketing(name))
    }
}

/// Returns whether a preference of contact methods is one of marketing. What they are called is not
/// documented, so that is told by their names.
#[must_use]
pub fn speaks_of_marketing(preference: &str) -> bool {
    preference.to_lowercase().contains("marketing")
}

impl From<MethodImage> for Image {
    fn from(method: MethodImage) -> Self {
        Self::Method(method)
    }
}

impl From<Contact> for Image {
    fn from(contact: Contact) -> Self {
        Self::Contact(Box::new(contact))
    }
}
