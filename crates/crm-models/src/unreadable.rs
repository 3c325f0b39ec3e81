//! Records of a list that cannot be read.

use std::fmt;

use serde_json::Value;

/// A record of a list or a feed that is not what the contract says. It is set aside so that the
/// others of its page can be used.
///
/// [`Debug`] and [`Display`](fmt::Display) show its place, its ids as far as they can be read, and
/// what is wrong, but none of its other values, which may be personal data.
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
    /// The index of the record in its page, from 0.
    pub index: usize,
    /// What is wrong, and where.
    pub reason: String,
    /// The record as the service wrote it.
    pub json: String,
}

impl UnreadableRecord {
    /// Creates a record that was set aside.
    #[must_use]
    pub fn new(index: usize, reason: impl Into<String>, json: impl Into<String>) -> Self {
        Self { index, reason: reason.into(), json: json.into() }
    }

    /// Returns the ids of the record and of its owner, as far as they can be read, each after the
    /// name of its member: `locationId 2001, id 3001`. The text is empty when there are none.
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

    /// Returns a member of the record, if it is a text or a number that can be read, for example
    /// its `id` or its `value`.
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

/// The members that identify a record, the owner's first.
const IDS: [&str; 4] = ["locationId", "customerId", "contactId", "id"];

/// The length of the longest id, which is a GUID in braces.
const LONGEST_ID: usize = 38;

/// Whether a text can be an id, which is an integer or a GUID, rather than something that somebody
/// typed.
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
