//! Records with the JSON from which they were read.

use std::{borrow::Borrow, fmt, ops::Deref};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{DeserializeOwned, Error},
};
use serde_json::value::RawValue;

/// A record with its JSON as the service wrote it, so that members that this crate does not know
/// are kept. The vendor added four within 18 months. It is written as it was read.
///
/// It takes a copy of the text and a second reading, so it is made only where it is asked for. It
/// dereferences to the record, and [`Debug`] shows the record alone.
///
/// ```
/// use crm_models::{BookingContact, Raw};
///
/// let json = r#"{"id":7,"type":"Email","value":"a@site.example","memo":null,
///     "modifiedOn":"2026-05-27T16:04:11Z","isVerified":true}"#;
/// let contact: Raw<BookingContact> = serde_json::from_str(json)?;
/// assert_eq!(contact.value, "a@site.example");
/// assert_eq!(contact.json(), json);
/// assert_eq!(serde_json::to_string(&contact)?, json);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone)]
pub struct Raw<T> {
    record: T,
    json: Box<RawValue>,
}

impl<T> Raw<T> {
    /// Returns the JSON as the service wrote it.
    #[must_use]
    pub fn json(&self) -> &str {
        self.json.get()
    }

    /// Returns the record alone.
    #[must_use]
    pub fn into_record(self) -> T {
        self.record
    }
}

impl<T> Deref for Raw<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.record
    }
}

impl<T> Borrow<T> for Raw<T> {
    fn borrow(&self) -> &T {
        &self.record
    }
}

impl<T: fmt::Debug> fmt::Debug for Raw<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Raw").field(&self.record).finish()
    }
}

impl<T> Serialize for Raw<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.json.serialize(serializer)
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Raw<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = Box::<RawValue>::deserialize(deserializer)?;
        let record = serde_json::from_str(json.get()).map_err(D::Error::custom)?;
        Ok(Self { record, json })
    }
}
