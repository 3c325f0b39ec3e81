//! Records of a list that are not what the contract says.

use std::fmt;

use serde_json::Value;

/// A record of a list or a feed that is not what the contract says, set aside so that the others of
/// its page can be used.
///
/// [`Debug`] and [`Display`](fmt::Display) tell its place, its ids as far as they can be read, and what
/// is wrong, but no other value of it: those may be personal data.
///
/// ```
/// use crm_models::UnreadableRecord;
///
/// let record = UnreadableRecord::new(17, "a member is missing, at `data[17].id`", r#"{"id": 0}"#);
/// assert_eq!(record.member("id").as_deref(), Some("0"));
/// assert_eq!(record.to_string(), "id 0: a member is missing, at `data[17].id`");
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
        Self { index, reason: reason.into(), json: json.into() }
    }

    /// The ids of the record and of its owner, as far as they can be read, each behind the name of
    /// its member: `locationId 2001, id 3001`. Empty when there are none.
    ///
    /// ```
    /// use crm_models::UnreadableRecord;
    ///
    /// let json = r#"{"id": 3001, "locationId": 2001, "value": "8185550142"}"#;
    /// assert_eq!(UnreadableRecord::new(0, "it is odd", json).ids(), "locationId 2001, id 3001");
    /// ```
    #[must_use]
    pub fn ids(&self) -> String {
        let ids = IDS.iter().filter_map(|name| {
            let id = self.member(name).filter(|id| is_id(id))?;
            Some(format!("{name} {id}"))
        });
        ids.collect::<Vec<_>>().join(", ")
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

/// The members that say which record it is, the owner's first.
const IDS: [&str; 4] = ["locationId", "customerId", "contactId", "id"];

/// The longest id: a GUID in braces.
const LONGEST_ID: usize = 38;

/// Whether a text can be an id: an integer or a GUID, nothing that somebody typed.
fn is_id(text: &str) -> bool {
    let is_of_id = |b: u8| b.is_ascii_hexdigit() || matches!(b, b'-' | b'{' | b'}');
    text.len() <= LONGEST_ID && text.bytes().all(is_of_id)
}

impl fmt::Debug for UnreadableRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnreadableRecord")
            .field("index", &self.index)
            .field("ids", &self.ids())
            .field("reason", &self.reason)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for UnreadableRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.ids().as_str() {
            "" => f.write_str(&self.reason),
            ids => write!(f, "{ids}: {}", self.reason),
        }
    }
}
