//! What became of one attempt, as far as the layers need to know.

use std::time::Duration;

use http::StatusCode;

use crate::{
    error::{Delivery, TransportError, TransportErrorKind},
    message::Response,
    problem,
    retry_after::retry_after,
};

/// What became of one attempt.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum AttemptOutcome {
    /// An answer.
    Answer {
        /// Its status.
        status: StatusCode,
        /// Whether the answer speaks of maintenance.
        maintenance: bool,
        /// The wait that the answer asks for.
        retry_after: Option<Duration>,
    },
    /// No answer.
    Error {
        /// Why.
        kind: TransportErrorKind,
        /// Whether the request may have been executed.
        delivery: Delivery,
    },
}

impl AttemptOutcome {
    pub(crate) fn of(result: &Result<Response, TransportError>) -> Self {
        match result {
            Ok(response) if response.status().is_success() => {
                Self::Answer { status: response.status(), maintenance: false, retry_after: None }
            }
            Ok(response) => Self::Answer {
                status: response.status(),
                maintenance: speaks_of_maintenance(response),
                retry_after: retry_after(response),
            },
            Err(error) => Self::Error { kind: error.kind(), delivery: error.delivery() },
        }
    }

    pub(crate) fn is_success(self) -> bool {
        matches!(self, Self::Answer { status, .. } if status.is_success())
    }

    pub(crate) fn asked_wait(self) -> Duration {
        match self {
            Self::Answer { retry_after, .. } => retry_after.unwrap_or_default(),
            Self::Error { .. } => Duration::ZERO,
        }
    }

    /// Whether what failed keeps its callers away by itself, so that repeats cannot multiply: a
    /// rate limit, or the server of a shared limit.
    pub(crate) fn has_its_own_back_off(self) -> bool {
        match self {
            Self::Answer { status, .. } => status == StatusCode::TOO_MANY_REQUESTS,
            Self::Error { kind, .. } => kind == TransportErrorKind::LimitServer,
        }
    }

    /// Whether the call may have been executed. A refused call was not, except when the refusal
    /// comes from a server or gateway that lost track.
    pub(crate) fn delivery(self) -> Delivery {
        match self {
            Self::Answer { .. } if self.is_success() => Delivery::Unknown,
            Self::Answer { status, .. } if status.is_server_error() => Delivery::Unknown,
            Self::Answer { status, .. } if status == StatusCode::REQUEST_TIMEOUT => {
                Delivery::Unknown
            }
            Self::Answer { .. } => Delivery::NotExecuted,
            Self::Error { delivery, .. } => delivery,
        }
    }
}

/// Whether a conflict means that the service is down for a while.
fn speaks_of_maintenance(response: &Response) -> bool {
    let conflict = response.status() == StatusCode::CONFLICT;
    let title = conflict.then(|| problem::title(response)).flatten();
    title.is_some_and(|title| problem::speaks_of_maintenance(&title))
}
