//! Answering from a cassette.

use std::{
    fmt,
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;
use http::{Method, StatusCode, Uri};
use serde_json::{Value, error::Category};
use url::form_urlencoded;

use super::{
    Body, CassetteError, Interaction, Outcome, Sent, read,
    redact::{is_form, is_placeholder},
};
use crate::{Delivery, Request, Response, Transport, TransportError, TransportErrorKind};

/// Which recorded request a request must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Matching {
    /// The next one: requests come in the recorded order and agree in everything, headers and
    /// body included.
    Strict,
    /// Any one with the same method, path and query. Where there are several, their answers
    /// come in the recorded order, and the last one again and again.
    Loose,
}

/// A transport that answers from a cassette, without a network. The module shows it at work.
///
/// A request that the cassette does not hold is an error of kind
/// [`Refused`](TransportErrorKind::Refused), not sent, that says what differs.
pub struct Replayer {
    lines: Vec<Line>,
    matching: Matching,
    /// Which lines were replayed.
    replayed: Mutex<Vec<bool>>,
}

struct Line {
    sent: Sent,
    outcome: Result<Response, (TransportErrorKind, Delivery)>,
}

impl Replayer {
    /// Answers from a file.
    ///
    /// # Errors
    ///
    /// [`CassetteError`] when the file cannot be read or a line is damaged.
    pub fn open(path: impl AsRef<Path>, matching: Matching) -> Result<Self, CassetteError> {
        Self::read(BufReader::new(File::open(path)?), matching)
    }

    /// Answers from anything that holds a cassette.
    ///
    /// # Errors
    ///
    /// [`CassetteError`] when it cannot be read or a line is damaged.
    pub fn read(from: impl BufRead, matching: Matching) -> Result<Self, CassetteError> {
        let mut lines = Vec::new();
        for (index, line) in from.split(b'\n').enumerate() {
            let line = Line::read(&line?).map_err(|reason| CassetteError::Line {
                line: index + 1,
                reason,
            })?;
            lines.push(line);
        }
        Ok(Self {
            replayed: Mutex::new(vec![false; lines.len()]),
            lines,
            matching,
        })
    }

    /// How many lines were not replayed yet.
    #[must_use]
    pub fn remaining(&self) -> usize {
        let replayed = self.replayed.lock().unwrap_or_else(PoisonError::into_inner);
        replayed.iter().filter(|replayed| !**replayed).count()
    }

    /// The index of the line that answers a request.
    fn find(&self, request: &Sent) -> Result<usize, String> {
        let mut replayed = self.replayed.lock().unwrap_or_else(PoisonError::into_inner);
        let index = match self.matching {
            Matching::Strict => {
                let next = replayed.iter().position(|replayed| !replayed);
                let next = next.ok_or("the cassette has ended")?;
                match difference(&self.lines[next].sent, request) {
                    None => next,
                    Some(part) => {
                        let line = next + 1;
                        return Err(format!("line {line} of the cassette has another {part}"));
                    }
                }
            }
            Matching::Loose => {
                let same = |index: &usize| target_differs(&self.lines[*index].sent, request);
                let same: Vec<usize> = (0..self.lines.len())
                    .filter(|index| same(index).is_none())
                    .collect();
                let fresh = same.iter().find(|index| !replayed[**index]);
                let found = fresh.or(same.last());
                *found.ok_or("the cassette has no such request")?
            }
        };
        replayed[index] = true;
        Ok(index)
    }
}

#[async_trait]
impl Transport for Replayer {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let sent = Sent::of(&request);
        let index = self.find(&sent).map_err(|reason| {
            let reason = format!("{} {}: {reason}", request.method(), request.uri().path());
            TransportError::new(TransportErrorKind::Refused, Delivery::NotSent).with_source(reason)
        })?;
        match &self.lines[index].outcome {
            Ok(response) => Ok(response.clone()),
            Err((kind, delivery)) => Err(TransportError::new(*kind, *delivery)),
        }
    }
}

impl Line {
    /// # Errors
    ///
    /// What is wrong with the line, without its content.
    fn read(line: &[u8]) -> Result<Self, &'static str> {
        let interaction: Interaction =
            serde_json::from_slice(line).map_err(|error| match error.classify() {
                Category::Data => "is not a recorded call",
                _ => "is not JSON",
            })?;
        let Sent { method, uri, .. } = &interaction.request;
        Method::from_bytes(method.as_bytes()).map_err(|_| "has an invalid method")?;
        uri.parse::<Uri>().map_err(|_| "has an invalid URI")?;
        let outcome = match &interaction.outcome {
            Outcome::Error { kind, delivery } => Err((*kind, *delivery)),
            Outcome::Answer {
                status,
                headers,
                body,
            } => {
                let mut response = Response::new(body.to_bytes());
                *response.status_mut() =
                    StatusCode::from_u16(*status).map_err(|_| "has an invalid status")?;
                *response.headers_mut() = read(headers).map_err(|_| "has invalid headers")?;
                Ok(response)
            }
        };
        Ok(Self {
            sent: interaction.request,
            outcome,
        })
    }
}

/// The part in which a request differs from the recorded one.
fn difference(recorded: &Sent, sent: &Sent) -> Option<&'static str> {
    target_differs(recorded, sent).or_else(|| {
        if !same_headers(recorded, sent) {
            Some("header")
        } else if !same_body(recorded, sent) {
            Some("body")
        } else {
            None
        }
    })
}

fn target_differs(recorded: &Sent, sent: &Sent) -> Option<&'static str> {
    let (recorded_path, recorded_query) = split(&recorded.uri);
    let (path, query) = split(&sent.uri);
    if recorded.method != sent.method {
        Some("method")
    } else if recorded_path != path {
        Some("path")
    } else if !same_pairs(recorded_query, query) {
        Some("query")
    } else {
        None
    }
}

/// Path and query.
fn split(uri: &str) -> (&str, &str) {
    uri.split_once('?').unwrap_or((uri, ""))
}

fn same_headers(recorded: &Sent, sent: &Sent) -> bool {
    let pairs = recorded.headers.iter().zip(&sent.headers);
    recorded.headers.len() == sent.headers.len()
        && pairs
            .into_iter()
            .all(|((name, value), (sent_name, sent_value))| {
                name == sent_name && (value == sent_value || is_any(value))
            })
}

fn same_body(recorded: &Sent, sent: &Sent) -> bool {
    if recorded.body == sent.body || is_any(&recorded.body) {
        return true;
    }
    let (Body::Text(text), Body::Text(sent_text)) = (&recorded.body, &sent.body) else {
        return false;
    };
    if is_form(&recorded.headers) {
        return same_pairs(text, sent_text);
    }
    match (serde_json::from_str(text), serde_json::from_str(sent_text)) {
        (Ok(value), Ok(sent_value)) => same_json(&value, &sent_value),
        _ => false,
    }
}

/// Whether forms or queries agree.
fn same_pairs(recorded: &str, sent: &str) -> bool {
    let recorded: Vec<_> = form_urlencoded::parse(recorded.as_bytes()).collect();
    let sent: Vec<_> = form_urlencoded::parse(sent.as_bytes()).collect();
    let mut pairs = recorded.iter().zip(&sent);
    recorded.len() == sent.len()
        && pairs.all(|((name, value), (sent_name, sent_value))| {
            name == sent_name && (value == sent_value || is_placeholder(value))
        })
}

fn same_json(recorded: &Value, sent: &Value) -> bool {
    match (recorded, sent) {
        (Value::String(text), Value::String(_) | Value::Number(_)) if is_placeholder(text) => true,
        (Value::Array(items), Value::Array(sent)) => {
            items.len() == sent.len() && items.iter().zip(sent).all(|(a, b)| same_json(a, b))
        }
        (Value::Object(members), Value::Object(sent)) => {
            let same = |(name, value)| sent.get(name).is_some_and(|sent| same_json(value, sent));
            members.len() == sent.len() && members.iter().all(same)
        }
        _ => recorded == sent,
    }
}

/// Whether this stands for any value.
fn is_any(body: &Body) -> bool {
    matches!(body, Body::Text(text) if is_placeholder(text))
}

impl fmt::Debug for Replayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replayer")
            .field("lines", &self.lines.len())
            .field("matching", &self.matching)
            .finish_non_exhaustive()
    }
}
