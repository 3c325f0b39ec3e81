//! The kinds of faults: one table.

use std::collections::BTreeMap;

use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use strum::{IntoStaticStr, VariantNames};

/// One line of the table of faults.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FaultKind {
    /// The fault's name, which is the `kind` of a fault in JSON.
    pub name: &'static str,
    /// The members of the fault in JSON.
    pub members: Vec<String>,
    /// What happens when the fault is injected.
    pub description: &'static str,
}

macro_rules! faults {
    ($(
        $(#[doc = $doc:literal])+
        $variant:ident $({ $( $(#[$meta:meta])* $field:ident: $type:ty, )+ })?,
            carried_out: $carried_out:literal;
    )+) => {
        /// Something that goes wrong with one request.
        ///
        /// Each fault says whether the request is carried out. A request that an ordinary check
        /// refuses gets that refusal and no other answer: the faults that answer in place of the
        /// operation, and those that change what a success says, are then not injected.
        #[derive(Debug, Clone, PartialEq, IntoStaticStr, VariantNames, Serialize, Deserialize)]
        #[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
        #[serde(deny_unknown_fields)]
        #[strum(serialize_all = "kebab-case")]
        #[non_exhaustive]
        pub enum Fault {
            $(
                $(#[doc = $doc])+
                $variant $({ $( $(#[$meta])* $field: $type, )+ })?,
            )+
        }

        impl Fault {
            /// Returns the name under which the fault is counted, which is its `kind` in JSON.
            #[must_use]
            pub fn name(&self) -> &'static str {
                self.into()
            }

            /// Says whether the request's changes are kept.
            pub(crate) fn is_carried_out(&self) -> bool {
                match self {
                    $( Self::$variant { .. } => $carried_out, )+
                }
            }

            /// Returns the table: name, members, what happens.
            #[must_use]
            pub fn table() -> Vec<FaultKind> {
                let mut names = Self::VARIANTS.iter().copied();
                vec![$( FaultKind {
                    name: names.next().unwrap_or_default(),
                    members: vec![$($( camel_case(stringify!($field)), )+)?],
                    description: concat!($($doc),+).trim_ascii(),
                }, )+]
            }
        }
    };
}

faults! {
    /// The connection is reset as soon as it is made, before a byte of it is read. Not carried out. It meets connections, not requests: rules count those, whatever else they ask for.
    ResetConnection, carried_out: false;
    /// The connection is reset once the request's head was read. Not carried out.
    ResetBeforeRequest, carried_out: false;
    /// The connection is reset once a part of the request's body was read. Not carried out.
    ResetDuringRequest, carried_out: false;
    /// The connection is reset once the whole request was read. Not carried out.
    ResetAfterRequest, carried_out: false;
    /// Carried out; the connection is reset before the first byte of the answer.
    ResetBeforeAnswer, carried_out: true;
    /// Carried out; the connection is reset within the answer.
    ResetDuringAnswer, carried_out: true;
    /// Carried out and answered in full; then the kept-alive connection is reset.
    ResetAfterAnswer, carried_out: true;
    /// Carried out; the answer comes late.
    Delay {
        /// Milliseconds before the answer.
        milliseconds: u64,
    }, carried_out: true;
    /// Carried out; the answer comes in pieces of this many bytes, with a pause between them.
    Drip {
        /// Bytes in a piece.
        bytes: usize,
        /// Milliseconds between the pieces.
        milliseconds: u64,
    }, carried_out: true;
    /// Carried out; `Content-Length` is off by this many bytes, then the connection is closed.
    WrongLength {
        /// Added to the true length.
        difference: i64,
    }, carried_out: true;
    /// Carried out; the answer is not HTTP.
    Garbage, carried_out: true;
    /// Carried out; the answer's body is not JSON, though it says so.
    GarbageBody, carried_out: true;
    /// Carried out; a byte order mark stands before the answer's body.
    ByteOrderMark, carried_out: true;
    /// Carried out; these members stand in the answer in place of its own, and a null takes one away, as a JSON merge patch (RFC 7396) does. It meets answers that are JSON objects, those of the token endpoint too.
    AlteredAnswer {
        /// The merge patch.
        members: Map<String, Value>,
    }, carried_out: true;
    /// Carried out; the answer is another record of the same list. It meets POST, PATCH and PUT; where the list has no other, the answer is 500.
    OtherRecord, carried_out: true;
    /// A PATCH is answered 200 with the record as it was before. Not carried out.
    OldRecord, carried_out: false;
    /// A write is answered as if it were carried out. Not carried out.
    NotKept, carried_out: false;
    /// A write is answered 504 at once, and carried out this many milliseconds later, while the sandbox runs.
    LateWrite {
        /// Milliseconds between the answer and the write.
        milliseconds: u64,
    }, carried_out: false;
    /// A paged list answers its first page, whatever page is asked for, with `hasMore: true`.
    SamePage, carried_out: true;
    /// An export feed answers no record, `hasMore: true` and a token that it never gave before. The token stands for the same place, so the feed continues there once the fault is over.
    EmptyBatch, carried_out: true;
    /// An HTML page with a status from 400 to 599, or 200 for a page in place of the answer. Not carried out.
    Html {
        /// From 400 to 599, or 200; a plan with another is refused.
        status: u16,
    }, carried_out: false;
    /// A problem with a status from 400 to 599. Not carried out. On the token endpoint 400 and 401 are the OAuth error `invalid_client`.
    Status {
        /// From 400 to 599; a plan with another is refused.
        status: u16,
    }, carried_out: false;
    /// A problem with a status from 400 to 599 and what else is given: `title`, `errors` and `data` as they stand in it, and `retryAfter`, the seconds of the header `Retry-After`. Not carried out.
    Problem {
        /// From 400 to 599; a plan with another is refused.
        status: u16,
        /// The title; none for one that says that the fault was injected.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<String>,
        /// The reasons by field.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        errors: BTreeMap<String, Vec<String>>,
        /// The details for programs.
        #[serde(default, skip_serializing_if = "Map::is_empty")]
        data: Map<String, Value>,
        /// The seconds of `Retry-After`; none for no such header.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after: Option<u32>,
    }, carried_out: false;
    /// This body with a status from 200 to 599, byte by byte, and this `Content-Type`, or `application/json` if none is given. Not carried out.
    Answer {
        /// From 200 to 599; a plan with another is refused.
        status: u16,
        /// The body.
        body: String,
        /// The media type; none for `application/json`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        content_type: Option<String>,
    }, carried_out: false;
    /// A problem with a status from 400 to 599 that repeats the request's credentials: as they are in `title` and `traceId`, with JSON escapes in `errors`, percent-encoded and in base64 in `data`. On the token endpoint `error_description` repeats them. Not carried out.
    EchoedCredentials {
        /// From 400 to 599; a plan with another is refused.
        status: u16,
    }, carried_out: false;
    /// 401, as when the access token was revoked. Not carried out. It leaves the token endpoint alone.
    Unauthorized, carried_out: false;
    /// 429 with the seconds to wait: in the title unless the setting `wait-in-title` is off, and in `Retry-After` if `retryAfter` is true. Not carried out.
    TooManyRequests {
        /// Seconds to wait.
        seconds: u32,
        /// `Retry-After` is sent too.
        retry_after: bool,
    }, carried_out: false;
    /// 409 that speaks of maintenance. Not carried out.
    Maintenance, carried_out: false;
    /// Carried out; the answer is 504.
    LostAnswer, carried_out: true;
}

/// What a fault is injected into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target<'a> {
    Connection,
    Request {
        /// `Token` for the token endpoint, empty if none matches.
        operation: &'a str,
        method: &'a Method,
    },
}

impl Fault {
    /// Says whether the fault can happen to this target.
    pub(super) fn meets(&self, target: Target<'_>) -> bool {
        let Target::Request { operation, method } = target else {
            return *self == Self::ResetConnection;
        };
        let is_call = !matches!(operation, "Token" | "");
        let is_feed = operation.starts_with("ExportContacts_");
        match self {
            Self::ResetConnection => false,
            Self::Unauthorized => operation != "Token",
            Self::OldRecord => is_call && method == Method::PATCH,
            Self::NotKept | Self::LateWrite { .. } => is_call && method != Method::GET,
            Self::OtherRecord => {
                is_call && [Method::POST, Method::PATCH, Method::PUT].contains(method)
            }
            Self::SamePage => is_call && method == Method::GET && !is_feed,
            Self::EmptyBatch => is_feed,
            _ => true,
        }
    }

    /// Returns the fault's status, if it is one that the fault may not have.
    pub(super) fn impossible_status(&self) -> Option<u16> {
        let (status, least) = match *self {
            Self::Html { status: 200 } => return None,
            Self::Answer { status, .. } => (status, 200),
            Self::Html { status }
            | Self::Status { status }
            | Self::Problem { status, .. }
            | Self::EchoedCredentials { status } => (status, 400),
            _ => return None,
        };
        (!(least..=599).contains(&status)).then_some(status)
    }
}

/// Returns a field's name in its JSON form.
fn camel_case(field: &str) -> String {
    let mut words = field.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| {
        let (initial, rest) = word.split_at(word.len().min(1));
        name + &initial.to_ascii_uppercase() + rest
    })
}
