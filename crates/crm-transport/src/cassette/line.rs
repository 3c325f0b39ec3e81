//! A line of a cassette: a request and what became of it.

use std::io;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};

use crate::{
    error::{Delivery, TransportError, TransportErrorKind},
    message::{Request, Response},
    notes::Attempts,
};

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
pub(super) struct Interaction {
    pub(super) request: Sent,
    pub(super) outcome: Recorded,
}

/// A request.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Sent {
    pub(super) method: String,
    /// Path and query.
    pub(super) uri: String,
    pub(super) headers: Headers,
    pub(super) body: Body,
}

/// What became of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Recorded {
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
pub(super) type Headers = Vec<(String, Body)>;

/// Text where it is text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Body {
    Text(String),
    Bytes(Vec<u8>),
}

impl Sent {
    pub(super) fn of(request: &Request) -> Self {
        Self {
            method: request.method().to_string(),
            uri: request.uri().to_string(),
            headers: written(request.headers()),
            body: Body::of(request.body()),
        }
    }
}

impl Recorded {
    pub(super) fn of(result: &Result<Response, TransportError>) -> Self {
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
    pub(super) fn of(bytes: &[u8]) -> Self {
        match str::from_utf8(bytes) {
            Ok(text) => Self::Text(text.to_owned()),
            Err(_) => Self::Bytes(bytes.to_vec()),
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }

    pub(super) fn to_bytes(&self) -> Bytes {
        Bytes::copy_from_slice(self.bytes())
    }
}

pub(super) fn written(headers: &HeaderMap) -> Headers {
    let headers = headers.iter();
    let mut headers: Headers =
        headers.map(|(name, value)| (name.to_string(), Body::of(value.as_bytes()))).collect();
    headers.sort_by(|(one, _), (other, _)| one.cmp(other));
    headers
}

pub(super) fn read(headers: &Headers) -> Result<HeaderMap, http::Error> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let name = HeaderName::try_from(name)?;
        map.try_append(name, HeaderValue::from_bytes(value.bytes())?)?;
    }
    Ok(map)
}
