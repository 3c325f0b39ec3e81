//! How long a transport waits, and for how much.

use std::time::Duration;

/// How long a transport waits, and for how much.
///
/// ```
/// use std::time::Duration;
/// use crm_transport::Limits;
///
/// let limits = Limits::default().timeout(Duration::from_secs(30)).answer_bytes(1 << 20);
/// # let _ = limits;
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct Limits {
    pub(crate) connect_timeout: Duration,
    pub(crate) timeout: Duration,
    pub(crate) idle_timeout: Duration,
    pub(crate) answer_bytes: usize,
}

impl Default for Limits {
    /// 10 s to connect, 100 s in all (the service gives up then too), connections idle for at most
    /// 50 s, answers of at most 64 MiB.
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            timeout: Duration::from_secs(100),
            idle_timeout: Duration::from_secs(50),
            answer_bytes: 64 * 1024 * 1024,
        }
    }
}

impl Limits {
    /// Sets how long a connection may take; at most half the time of an attempt, so that a call
    /// that found no connection ends as not sent.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Sets how long one attempt may take, from the connection to the answer's last byte. A
    /// [`Call`](crate::Call) may ask for less or more. Over HTTP/2 an attempt ends earlier, also as
    /// a time-out, when nothing has come from the server for 20 s and it does not answer a ping
    /// within 10 s: the connection is then dead. Each of the two is at most a third of this time,
    /// but at least 1 s.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The time for a connection.
    #[cfg(any(feature = "reqwest", feature = "hyper"))]
    pub(crate) fn connecting(&self) -> Duration {
        self.connect_timeout.min(self.timeout / 2)
    }

    /// Sets how long a connection is kept for the next call; should be shorter than the server
    /// keeps it.
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle_timeout = timeout;
        self
    }

    /// Sets how many bytes an answer may have, unpacked.
    pub fn answer_bytes(mut self, bytes: usize) -> Self {
        self.answer_bytes = bytes;
        self
    }
}
