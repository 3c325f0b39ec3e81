//! Export feeds, which are read in batches.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use validator::{Validate, ValidationErrors};

use crate::{timestamp::Timestamp, unreadable::UnreadableRecord};

/// `ExportResponse`: one batch of a feed of changes.
///
/// Apply it as an upsert by owner and contact, since order is not promised and repeats are normal.
/// While [`has_more`](Self::has_more) is true, the next batch can be read at once. After that the
/// token remains valid for later.
///
/// ```
/// use crm_models::{ExportBatch, ExportFrom, ExportQuery, ExportedLocationContact};
///
/// let batch: ExportBatch<ExportedLocationContact> = serde_json::from_str(r#"{
///     "hasMore": false, "continueFrom": "1nventedT0ken", "data": [{
///         "id": 71190, "type": "Phone", "value": "8185550150",
///         "modifiedOn": "2026-05-28T00:00:00.1Z", "locationId": 55019, "active": false
///     }]
/// }"#)?;
/// assert!(!batch.data[0].active, "deleted");
///
/// let next = batch.continue_from.map_or(ExportFrom::Beginning, ExportFrom::Token);
/// assert_eq!(
///     serde_json::to_string(&ExportQuery::new().from(next))?,
///     r#"{"from":"1nventedT0ken"}"#,
/// );
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ExportBatch<T> {
    /// Whether to ask for the next batch at once.
    pub has_more: bool,
    /// Where the feed continues after this batch. Keep it, also at the feed's end. Where it is
    /// missing or blank there, the one before it remains valid.
    #[serde(default, deserialize_with = "unless_blank")]
    pub continue_from: Option<ContinuationToken>,
    /// The records. Repeats are normal.
    pub data: Vec<T>,
    /// The records that were set aside because they are not what the contract says. They are not on
    /// the wire.
    #[serde(skip)]
    pub unreadable: Vec<UnreadableRecord>,
}

impl<T> ExportBatch<T> {
    /// Returns the same batch with records that were read in another way.
    #[must_use]
    pub fn with_records<U>(
        self,
        data: Vec<U>,
        unreadable: Vec<UnreadableRecord>,
    ) -> ExportBatch<U> {
        ExportBatch { has_more: self.has_more, continue_from: self.continue_from, data, unreadable }
    }

    /// Creates a batch with its token, for tests.
    #[must_use]
    pub fn new(has_more: bool, continue_from: ContinuationToken, data: Vec<T>) -> Self {
        Self { has_more, continue_from: Some(continue_from), data, unreadable: Vec::new() }
    }
}

/// Reads a token; a blank one cannot be asked with, so it is none.
fn unless_blank<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<ContinuationToken>, D::Error> {
    let token = Option::<ContinuationToken>::deserialize(deserializer)?;
    Ok(token.filter(|token| !token.is_blank()))
}

/// An opaque token for a place in one export feed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ContinuationToken(String);

impl ContinuationToken {
    /// Wraps a token as the service wrote it.
    #[must_use]
    pub fn new(token: impl Into<String>) -> Self {
        Self(token.into())
    }

    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn is_blank(&self) -> bool {
        self.0.trim().is_empty()
    }
}

impl fmt::Display for ContinuationToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Where an export starts.
///
/// It can be stored between two runs. As JSON it is null for the beginning, and otherwise the text
/// of the time or the token, as it is sent.
///
/// ```
/// use crm_models::{ContinuationToken, ExportFrom};
///
/// let reached = ExportFrom::Token(ContinuationToken::new("1nventedT0ken"));
/// let stored = serde_json::to_string(&reached)?;
/// assert_eq!(serde_json::from_str::<ExportFrom>(&stored)?, reached);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ExportFrom {
    /// At the first record.
    #[default]
    Beginning,
    /// At this time of modification, inclusive.
    Time(Timestamp),
    /// Where an earlier batch ended.
    Token(ContinuationToken),
}

/// The query of an export: `from` and `includeRecentChanges`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[must_use]
pub struct ExportQuery {
    #[serde(skip_serializing_if = "is_beginning")]
    from: ExportFrom,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    include_recent_changes: bool,
}

impl ExportQuery {
    /// From the beginning.
    pub fn new() -> Self {
        Self::default()
    }

    /// Where to start.
    pub fn from(mut self, from: ExportFrom) -> Self {
        self.from = from;
        self
    }

    /// Whether changes of the last minutes show at once, at the price of repeats.
    pub fn include_recent_changes(mut self, include: bool) -> Self {
        self.include_recent_changes = include;
        self
    }

    /// Returns the token to start from, if the export starts from one.
    #[must_use]
    pub fn token(&self) -> Option<&ContinuationToken> {
        match &self.from {
            ExportFrom::Token(token) => Some(token),
            _ => None,
        }
    }
}

impl Validate for ExportQuery {
    fn validate(&self) -> Result<(), ValidationErrors> {
        let mut rules = crate::validation::Rules::default();
        if self.token().is_some_and(ContinuationToken::is_blank) {
            rules.breach(
                "from",
                "blank",
                "is a blank token; leave it out to start from the beginning",
            );
        }
        rules.finish()
    }
}

fn is_beginning(from: &ExportFrom) -> bool {
    *from == ExportFrom::Beginning
}

impl Serialize for ExportFrom {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Beginning => serializer.serialize_none(),
            Self::Time(time) => time.serialize(serializer),
            Self::Token(token) => token.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for ExportFrom {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Some(text) = Option::<String>::deserialize(deserializer)? else {
            return Ok(Self::Beginning);
        };
        // The service tells times from tokens by their text as well. Only a time exactly as it is
        // written here is read as one: any other text is sent as it was.
        Ok(match text.parse::<Timestamp>() {
            Ok(time) if time.to_string() == text => Self::Time(time),
            _ => Self::Token(ContinuationToken(text)),
        })
    }
}
