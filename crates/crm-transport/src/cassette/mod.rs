//! Cassettes: traffic recorded to a file, and replayed from it.
//!
//! A [`Recorder`] is a transport around a transport that writes down what passes, one line of JSON
//! for each request and its outcome. A [`Replayer`] is a transport that answers from such a file
//! without a network. Record once against the real service, then replay in tests.
//!
//! Secrets and personal data are replaced while recording, unless you ask to keep them (see
//! [`Redaction`]); a replaced value matches any other when it is replayed.
//!
//! ```
//! # #[cfg(feature = "mock")]
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! use std::sync::Arc;
//!
//! use crm_transport::cassette::{Matching, Recorder, Replayer};
//! use crm_transport::{MockTransport, Request, Response, Transport, TransportExt};
//!
//! let mut service = MockTransport::new();
//! service.expect_send().returning(|_| Ok(Response::new(r#"{"memo":"Beware of the dog"}"#.into())));
//!
//! let folder = tempfile::tempdir()?;
//! let file = folder.path().join("calls.ndjson");
//! let recorder = Arc::new(Recorder::create(service, &file)?);
//! let transport = Arc::clone(&recorder).with_tracing();
//! transport.send(Request::default()).await?;
//! assert_eq!(recorder.finish()?, 1);
//!
//! let replayer = Replayer::open(&file, Matching::Strict)?;
//! let answer = replayer.send(Request::default()).await?;
//! assert_eq!(answer.body(), r#"{"memo":"redacted-1"}"#);
//! assert_eq!(replayer.remaining(), 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```
//!
//! Place a recorder where you want to cut: directly on the wire to replay what the service did,
//! above the retry layer to replay what the program saw. Token requests go through a transport of
//! their own, so they have a cassette of their own.

mod record;
mod redact;
mod replay;

use std::io;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
pub use record::Recorder;
pub use redact::Redaction;
pub use replay::{Matching, Replayer};
use serde::{Deserialize, Serialize};

use crate::{Attempts, Delivery, Request, Response, TransportError, TransportErrorKind};

/// The error of a cassette that cannot be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CassetteError {
    /// The file cannot be opened, read or written.
    #[error("the cassette's file: {0}")]
    Io(#[from] io::Error),
    /// A line is damaged.
    #[error("line {line} of the cassette {reason}")]
    Line {
        /// The line's number, from 1.
        line: usize,
        /// What is wrong with the line, without its content.
        reason: &'static str,
    },
}

/// A line of a cassette.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Interaction {
    request: Sent,
    outcome: Recorded,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Sent {
    method: String,
    /// Path and query.
    uri: String,
    headers: Headers,
    body: Body,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Recorded {
    Answer {
        status: u16,
        headers: Headers,
        body: Body,
        /// Only above the retry layer, and only if the first attempt did not bring the answer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        attempts: Option<Attempts>,
    },
    Error {
        kind: TransportErrorKind,
        /// The delivery of all attempts.
        delivery: Delivery,
        #[serde(default = "one", skip_serializing_if = "is_one")]
        attempts: u32,
    },
}

/// Names and values, ordered by name.
type Headers = Vec<(String, Body)>;

/// Text where it is text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
enum Body {
    Text(String),
    Bytes(Vec<u8>),
}

impl Sent {
    fn of(request: &Request) -> Self {
        Self {
            method: request.method().to_string(),
            uri: request.uri().to_string(),
            headers: written(request.headers()),
            body: Body::of(request.body()),
        }
    }
}

impl Recorded {
    fn of(result: &Result<Response, TransportError>) -> Self {
        match result {
            Ok(response) => Self::Answer {
                status: response.status().as_u16(),
                headers: written(response.headers()),
                body: Body::of(response.body()),
                attempts: response.extensions().get().copied(),
            },
            Err(error) => Self::Error {
                kind: error.kind(),
                delivery: error.delivery(),
                attempts: error.attempts(),
            },
        }
    }
}

fn one() -> u32 {
    1
}

fn is_one(attempts: &u32) -> bool {
    *attempts == 1
}

impl Body {
    fn of(bytes: &[u8]) -> Self {
        match str::from_utf8(bytes) {
            Ok(text) => Self::Text(text.to_owned()),
            Err(_) => Self::Bytes(bytes.to_vec()),
        }
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }

    fn to_bytes(&self) -> Bytes {
        Bytes::copy_from_slice(self.bytes())
    }
}

fn written(headers: &HeaderMap) -> Headers {
    let headers = headers.iter();
    let mut headers: Headers =
        headers.map(|(name, value)| (name.to_string(), Body::of(value.as_bytes()))).collect();
    headers.sort_by(|(one, _), (other, _)| one.cmp(other));
    headers
}

fn read(headers: &Headers) -> Result<HeaderMap, http::Error> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let name = HeaderName::try_from(name)?;
        map.try_append(name, HeaderValue::from_bytes(value.bytes())?)?;
    }
    Ok(map)
}
