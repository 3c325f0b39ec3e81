//! Records of a list that are not what the contract says.

use std::fmt;

use serde_json::Value;

/// A record of a list or a feed that is not what the contract says, set aside so that the others of
/// its page can be used.
///
/// [`Debug`] and [`Display`](fmt::Display) tell its place and what is wrong, but no value of it: they
/// may be personal data.
///
/// ```
/// use crm_models::UnreadableRecord;
///
/// let record = UnreadableRecord::new(17, "a member is missing, at `data[17].id`", r#"{"id": 0}"#);
/// assert_eq!(record.member("id").as_deref(), Some("0"));
/// assert_eq!(record.to_string(), "a member is missing, at `data[17].id`");
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnreadableRecord {
    /// Which record of its page, from 0.
    pub index: usize,
    /// What is wrong, and where.
    pub reason: String,
    /// The record as the service wrote it.
    pub json: String,
}

impl UnreadableRecord {
    /// A record that was set aside.
    #[must_use]
    pub fn new(index: usize, reason: impl Into<String>, json: impl Into<String>) -> Self {
        Self {
            index,
            reason: reason.into(),
            json: json.into(),
        }
    }

    /// A text or a number of the record as far as it can be read, for example its `id` or its
    /// `value`.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<String> {
        let record: Value = serde_json::from_str(&self.json).ok()?;
        match record.get(name)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }
}

impl fmt::Debug for UnreadableRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnreadableRecord")
            .field("index", &self.index)
            .field("reason", &self.reason)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for UnreadableRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}
