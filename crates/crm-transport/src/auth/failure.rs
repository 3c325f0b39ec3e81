//! Why there is no token, and how long the endpoint is then left alone.

use std::time::Duration;

use http::StatusCode;
use tokio::time::Instant;

use crate::error::{Delivery, TransportError, TransportErrorKind};

/// How long a failing token endpoint is left alone: doubled with each failure in a row. A hiccup is
/// over within the first; at half a minute, a process asks no more than twice a minute, however
/// many calls wait.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The longest that it is left alone because it asks for that.
const LONGEST_ASKED_PAUSE: Duration = Duration::from_secs(15 * 60);

/// Why the endpoint gave no token, without anything that was sent to it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum TokenFailure {
    #[error(
        "the token endpoint answered {status} {code}; check client id, client secret and that \
         both belong to this environment"
    )]
    Refused { status: StatusCode, code: &'static str },
    #[error("the token endpoint answered {status}{}{code}", if .code.is_empty() { "" } else { " " })]
    Status { status: StatusCode, code: &'static str, retry_after: Option<Duration> },
    #[error(
        "the token endpoint answered with {0} instead of a token; check the address of the auth \
         host, and any proxy on the way to it"
    )]
    NoToken(&'static str),
    /// The endpoint, or the way to it, cut an answer off or garbled it: that is temporary.
    #[error("the token endpoint answered with {0} instead of a token")]
    Damaged(&'static str),
    #[error("{0}")]
    Transport(String),
    #[error("the app key or the token contains characters that are not allowed in a header")]
    Header,
    #[error("the {0} is empty")]
    Empty(&'static str),
}

impl TokenFailure {
    /// Whether asking again would hardly help: what answers is not the endpoint, or not one that
    /// understands the request.
    fn is_final(&self) -> bool {
        match self {
            Self::NoToken(_) => true,
            Self::Status { status, code, .. } => {
                // The address belongs to something else. Anything else may be temporary, including
                // a conflict for maintenance.
                let is_elsewhere = matches!(status.as_u16(), 300..=399 | 404 | 405 | 410 | 501);
                code.is_empty() && is_elsewhere
            }
            _ => false,
        }
    }
}

/// Why there is no token, and how callers are to take it.
pub(super) type NoToken = (TransportErrorKind, TokenFailure);

/// The last failure of the endpoint.
pub(super) struct Failure {
    kind: TransportErrorKind,
    reason: TokenFailure,
    pub(super) pause: Pause,
}

/// A pause that doubles each time.
#[derive(Clone, Copy)]
pub(super) struct Pause {
    length: Duration,
    pub(super) until: Instant,
}

impl Failure {
    pub(super) fn after(
        earlier: Option<Self>,
        kind: TransportErrorKind,
        reason: TokenFailure,
    ) -> Self {
        let asked = match reason {
            TokenFailure::Status { retry_after, .. } => {
                retry_after.unwrap_or_default().min(LONGEST_ASKED_PAUSE)
            }
            _ => Duration::ZERO,
        };
        Self { kind, reason, pause: Pause::after(earlier.map(|earlier| earlier.pause), asked) }
    }

    /// Whether asking again would not help.
    pub(super) fn is_final(&self) -> bool {
        self.kind.is_permanent() || self.reason.is_final()
    }

    pub(super) fn error(&self) -> TransportError {
        TransportError::new(self.kind, Delivery::NotExecuted).with_source(self.reason.clone())
    }
}

impl Pause {
    /// Returns a pause twice as long as the earlier one, and at least as long as was asked for.
    pub(super) fn after(earlier: Option<Self>, asked: Duration) -> Self {
        let length = earlier.map_or(FIRST_PAUSE, |earlier| (earlier.length * 2).min(LONGEST_PAUSE));
        Self { length, until: Instant::now() + length.max(asked) }
    }

    pub(super) fn is_over(&self) -> bool {
        self.until <= Instant::now()
    }
}
