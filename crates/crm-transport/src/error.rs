//! Why there is no answer, and whether the request may have reached the server.

use std::error::Error;

/// A boxed cause.
type Source = Box<dyn Error + Send + Sync>;

/// There is no answer. A status is never an error: 404 and 503 are answers.
///
/// What may be repeated rests on [`delivery`](Self::delivery) alone.
#[derive(Debug, thiserror::Error)]
#[error("{kind}{}", .source.as_ref().map(|s| format!(": {s}")).unwrap_or_default())]
pub struct TransportError {
    kind: TransportErrorKind,
    delivery: Delivery,
    source: Option<Source>,
}

/// Whether the request may have reached the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Delivery {
    /// It surely did not: repeating is safe.
    NotSent,
    /// It may have, and may have been carried out.
    Unknown,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum TransportErrorKind {
    /// The request cannot be sent as it is.
    #[error("the request cannot be sent as it is")]
    InvalidRequest,
    /// No connection.
    #[error("no connection to the host")]
    Connect,
    /// No secure connection.
    #[error("no secure connection to the host")]
    Tls,
    /// No answer in time.
    #[error("no answer in time")]
    Timeout,
    /// The connection was reset.
    #[error("the connection was closed before the answer")]
    Reset,
    /// The server closed an idle connection just when it was taken up again.
    #[error("the server had closed the idle connection")]
    ClosedWhileIdle,
    /// The answer ends too early.
    #[error("the answer ends too early")]
    IncompleteAnswer,
    /// The answer is larger than allowed.
    #[error("the answer is larger than allowed")]
    AnswerTooLarge,
    /// The answer's encoding cannot be read.
    #[error("the answer's encoding cannot be read")]
    UnreadableAnswer,
    /// The token endpoint refused the credentials.
    #[error("the credentials were refused")]
    Credentials,
    /// The token endpoint gave no token, for a passing reason.
    #[error("the token endpoint gave no token")]
    TokenEndpoint,
    /// The rate limit would have to be waited for too long.
    #[error("the rate limit would take too long to wait for")]
    RateLimited,
    /// Anything else.
    #[error("the transport failed")]
    Other,
}

impl TransportError {
    /// An error without a cause.
    #[must_use]
    pub fn new(kind: TransportErrorKind, delivery: Delivery) -> Self {
        Self {
            kind,
            delivery,
            source: None,
        }
    }

    /// What happened.
    #[must_use]
    pub fn kind(&self) -> TransportErrorKind {
        self.kind
    }

    /// Whether the request may have reached the server.
    #[must_use]
    pub fn delivery(&self) -> Delivery {
        self.delivery
    }

    /// Whether the credentials were refused.
    #[must_use]
    pub fn is_credentials(&self) -> bool {
        self.kind == TransportErrorKind::Credentials
    }
}
