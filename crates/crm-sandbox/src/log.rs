//! The log of requests.

use std::{collections::VecDeque, sync::Mutex, time::SystemTime};

use serde::Serialize;

use crate::lock::lock;

/// How many bytes of a body are kept: no request of the API comes near that number.
const LARGEST_BODY: usize = 1 << 14;

/// One request that the sandbox read; entries are in the order of their answers.
///
/// Query and body may contain phone numbers and addresses: they are kept only while the setting
/// `log-content` is on.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// use crm_sandbox::{LogEntry, Sandbox};
///
/// let sandbox = Sandbox::builder().set("log-content", "on")?.start().await?;
/// // … run the client …
/// let memos_sent = |entry: &LogEntry| entry.body.as_deref().is_some_and(|b| b.contains("memo"));
/// assert!(!sandbox.log().iter().any(memos_sent));
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct LogEntry {
    /// When the request was read, by the sandbox's clock, in nanoseconds since 1970. The rate limit
    /// counts by the same times.
    pub time: i64,
    /// The request's method.
    pub method: String,
    /// The request's path, without the query.
    pub path: String,
    /// The request's query as it was sent, without the `?`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// The request's body, up to 16 KiB; `None` if it had none or a fault discarded it. The body of
    /// a token request is left out: it contains the secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// The API's operation id; `Token` for the token endpoint, empty if no operation matched.
    pub operation: String,
    /// The tenant in the path; 0 if there is none.
    pub tenant: i64,
    /// The status that was answered, or would have been answered if a fault broke the connection.
    pub status: u16,
    /// The fault that was injected, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<&'static str>,
}

impl LogEntry {
    /// Returns when the request was read, by the sandbox's clock.
    #[must_use]
    pub fn arrived(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + std::time::Duration::from_nanos(self.time.unsigned_abs())
    }
}

/// Returns a body as the log keeps it.
pub(crate) fn text_of(body: &[u8]) -> String {
    String::from_utf8_lossy(&body[..body.len().min(LARGEST_BODY)]).into_owned()
}

/// The newest requests, up to the bound that the setting `log-size` gives.
#[derive(Debug, Default)]
pub(crate) struct Log {
    entries: Mutex<VecDeque<LogEntry>>,
}

impl Log {
    pub(crate) fn push(&self, entry: LogEntry, bound: u32) {
        let mut entries = lock(&self.entries);
        entries.push_back(entry);
        while entries.len() > bound as usize {
            entries.pop_front();
        }
    }

    pub(crate) fn all(&self) -> Vec<LogEntry> {
        lock(&self.entries).iter().cloned().collect()
    }

    pub(crate) fn clear(&self) {
        lock(&self.entries).clear();
    }
}
