//! The kinds of faults.

use serde::{Deserialize, Serialize};

/// Something that goes wrong with one request.
///
/// Each fault says whether the request is carried out. A request that an
/// ordinary check refuses gets that refusal rather than another one: then
/// `Status`, `Html`, `Unauthorized`, `TooManyRequests` and `Maintenance` are
/// not injected.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase"
)]
#[non_exhaustive]
pub enum Fault {
    /// The connection is reset as soon as it is made, before a byte of it is
    /// read. Not carried out. It meets connections, not requests: rules count
    /// those, whatever else they ask for.
    ResetConnection,
    /// The connection is reset once the request's head was read. Not carried out.
    ResetBeforeRequest,
    /// The connection is reset once a part of the request's body was read.
    /// Not carried out.
    ResetDuringRequest,
    /// The connection is reset once the whole request was read. Not carried out.
    ResetAfterRequest,
    /// Carried out; the connection is reset before the first byte of the answer.
    ResetBeforeAnswer,
    /// Carried out; the connection is reset within the answer.
    ResetDuringAnswer,
    /// Carried out and answered in full; then the kept-alive connection is reset.
    ResetAfterAnswer,
    /// Carried out; the answer comes late.
    Delay {
        /// Milliseconds before the answer.
        milliseconds: u64,
    },
    /// Carried out; the answer comes in small pieces.
    Drip {
        /// Bytes in a piece.
        bytes: usize,
        /// Milliseconds between the pieces.
        milliseconds: u64,
    },
    /// Carried out; `Content-Length` is off by this many bytes, then the
    /// connection is closed.
    WrongLength {
        /// Added to the true length.
        difference: i64,
    },
    /// Carried out; the answer is not HTTP.
    Garbage,
    /// Carried out; the answer's body is not JSON, though it says so.
    GarbageBody,
    /// An HTML page with this status. Not carried out.
    Html {
        /// From 400 to 599, or 200 for a page in place of the answer; a plan
        /// with another is refused.
        status: u16,
    },
    /// A problem with this status. Not carried out. On the token endpoint 400
    /// and 401 are the OAuth error `invalid_client`.
    Status {
        /// From 400 to 599; a plan with another is refused.
        status: u16,
    },
    /// 401, as when the access token was revoked. Not carried out. It leaves
    /// the token endpoint alone.
    Unauthorized,
    /// 429. Not carried out.
    TooManyRequests {
        /// Seconds to wait, in the title unless the setting `wait-in-title`
        /// is off.
        seconds: u32,
        /// `Retry-After` is sent too.
        retry_after: bool,
    },
    /// 409 that speaks of maintenance. Not carried out.
    Maintenance,
    /// Carried out; the answer is 504.
    LostAnswer,
}

/// What a fault happens to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target<'a> {
    Connection,
    /// A request for this operation.
    Request(&'a str),
}

impl Fault {
    /// Whether it can happen to this.
    pub(super) fn meets(&self, target: Target<'_>) -> bool {
        match (self, target) {
            (Self::ResetConnection, target) => target == Target::Connection,
            (_, Target::Connection) => false,
            (Self::Unauthorized, Target::Request(operation)) => operation != "Token",
            (_, Target::Request(_)) => true,
        }
    }

    /// The status that it carries, where it may not carry it.
    pub(super) fn impossible_status(&self) -> Option<u16> {
        match *self {
            Self::Html { status: 200 } => None,
            Self::Html { status } | Self::Status { status } => {
                (!(400..=599).contains(&status)).then_some(status)
            }
            _ => None,
        }
    }

    /// The name under which it is counted.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::ResetConnection => "reset-connection",
            Self::ResetBeforeRequest => "reset-before-request",
            Self::ResetDuringRequest => "reset-during-request",
            Self::ResetAfterRequest => "reset-after-request",
            Self::ResetBeforeAnswer => "reset-before-answer",
            Self::ResetDuringAnswer => "reset-during-answer",
            Self::ResetAfterAnswer => "reset-after-answer",
            Self::Delay { .. } => "delay",
            Self::Drip { .. } => "drip",
            Self::WrongLength { .. } => "wrong-length",
            Self::Garbage => "garbage",
            Self::GarbageBody => "garbage-body",
            Self::Html { .. } => "html",
            Self::Status { .. } => "status",
            Self::Unauthorized => "unauthorized",
            Self::TooManyRequests { .. } => "too-many-requests",
            Self::Maintenance => "maintenance",
            Self::LostAnswer => "lost-answer",
        }
    }
}
