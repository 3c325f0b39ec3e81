//! Answering from a cassette.

use std::{
    collections::HashMap,
    fmt,
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
    sync::Mutex,
};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Method, StatusCode, Uri, header};
use serde_json::{Number, Value, error::Category};
use url::form_urlencoded;

use super::{
    line::{Body, CassetteError, Interaction, Recorded, Sent, read},
    redact::{is_form, is_placeholder},
};
use crate::{
    error::{Delivery, TransportError, TransportErrorKind},
    lock::lock,
    message::{Request, Response},
    transport::Transport,
};

/// How a request must match a recorded one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Matching {
    /// It must match the next one: requests come in the recorded order and agree in everything,
    /// headers and body included. For programs that send one call at a time; otherwise use
    /// [`Loose`](Self::Loose).
    Strict,
    /// It may match any one with the same method, path and query. If there are several, their
    /// answers come in the recorded order, and the last one again and again.
    Loose,
}

/// A transport that answers from a cassette, without a network. See the module for an example.
///
/// A value that was replaced while recording, and that a request now has in its place, is put back
/// into the answers: an update gets its own value echoed.
///
/// A request that is not in the cassette is an error of kind
/// [`Refused`](TransportErrorKind::Refused), not sent, that says what differs.
pub struct Replayer {
    lines: Vec<Line>,
    matching: Matching,
    progress: Mutex<Progress>,
}

struct Progress {
    /// Which lines were replayed.
    replayed: Vec<bool>,
    /// What placeholders stand for in the requests so far.
    values: Values,
}

type Values = HashMap<String, Value>;

struct Line {
    sent: Sent,
    outcome: Result<Response, (TransportErrorKind, Delivery, u32)>,
}

impl Replayer {
    /// Answers from a file.
    ///
    /// # Errors
    ///
    /// Returns [`CassetteError`] when the file cannot be read or a line is damaged.
    pub fn open(path: impl AsRef<Path>, matching: Matching) -> Result<Self, CassetteError> {
        Self::read(BufReader::new(File::open(path)?), matching)
    }

    /// Answers from any reader of a cassette.
    ///
    /// # Errors
    ///
    /// Returns [`CassetteError`] when it cannot be read or a line is damaged.
    pub fn read(from: impl BufRead, matching: Matching) -> Result<Self, CassetteError> {
        let mut lines = Vec::new();
        for (index, line) in from.split(b'\n').enumerate() {
            let line = Line::read(&line?)
                .map_err(|reason| CassetteError::Line { line: index + 1, reason })?;
            lines.push(line);
        }
        Ok(Self {
            progress: Mutex::new(Progress {
                replayed: vec![false; lines.len()],
                values: Values::new(),
            }),
            lines,
            matching,
        })
    }

    /// Returns how many lines have not been replayed yet.
    #[must_use]
    pub fn remaining(&self) -> usize {
        let replayed = &lock(&self.progress).replayed;
        replayed.iter().filter(|replayed| !**replayed).count()
    }

    /// Returns the index of the line that answers a request.
    fn find(&self, request: &Sent, replayed: &[bool]) -> Result<usize, String> {
        let index = match self.matching {
            Matching::Strict => {
                let next = replayed.iter().position(|replayed| !replayed);
                let next = next.ok_or("the cassette has ended")?;
                match difference(&self.lines[next].sent, request) {
                    None => next,
                    Some(part) => {
                        let line = next + 1;
                        return Err(format!("line {line} of the cassette has a different {part}"));
                    }
                }
            }
            Matching::Loose => {
                let same = |index: &usize| target_differs(&self.lines[*index].sent, request);
                let same: Vec<usize> =
                    (0..self.lines.len()).filter(|index| same(index).is_none()).collect();
                let fresh = same.iter().find(|index| !replayed[**index]);
                let found = fresh.or(same.last());
                *found.ok_or("the cassette has no such request")?
            }
        };
        Ok(index)
    }
}

#[async_trait]
impl Transport for Replayer {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let sent = Sent::of(&request);
        let mut progress = lock(&self.progress);
        let index = self.find(&sent, &progress.replayed).map_err(|reason| {
            let reason = format!("{} {}: {reason}", request.method(), request.uri().path());
            TransportError::new(TransportErrorKind::Refused, Delivery::NotExecuted)
                .with_source(reason)
        })?;
        let line = &self.lines[index];
        progress.replayed[index] = true;
        learn(&line.sent, &sent, &mut progress.values);
        match &line.outcome {
            Ok(response) => {
                let body = put_back(response.body(), &progress.values);
                let mut response = response.clone();
                *response.body_mut() = body.unwrap_or(std::mem::take(response.body_mut()));
                set_length(&mut response);
                Ok(response)
            }
            Err((kind, delivery, attempts)) => {
                Err(TransportError::new(*kind, *delivery).after(*attempts, *delivery))
            }
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
            Recorded::Error { kind, delivery, attempts } => Err((*kind, *delivery, *attempts)),
            Recorded::Answer { status, headers, body, attempts } => {
                let mut response = Response::new(body.to_bytes());
                *response.status_mut() =
                    StatusCode::from_u16(*status).map_err(|_| "has an invalid status")?;
                *response.headers_mut() = read(headers).map_err(|_| "has invalid headers")?;
                if let Some(attempts) = *attempts {
                    response.extensions_mut().insert(attempts);
                }
                Ok(response)
            }
        };
        Ok(Self { sent: interaction.request, outcome })
    }
}

/// Returns the part in which a request differs from the recorded one.
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
        && pairs.into_iter().all(|((name, value), (sent_name, sent_value))| {
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
        (Value::Number(number), Value::Number(sent)) => same_number(number, sent),
        _ => recorded == sent,
    }
}

/// Whether these are the same number: one that is not an integer of 64 bits may lose its last digit
/// when a line is written and read.
fn same_number(recorded: &Number, sent: &Number) -> bool {
    let near = |(recorded, sent): (f64, f64)| (recorded - sent).abs() <= recorded.abs() * 1e-12;
    let is_rounded = recorded.is_f64() && sent.is_f64();
    recorded == sent || is_rounded && recorded.as_f64().zip(sent.as_f64()).is_some_and(near)
}

/// Notes what the placeholders of a recorded request stand for in the one that was sent.
fn learn(recorded: &Sent, sent: &Sent, values: &mut Values) {
    learn_pairs(split(&recorded.uri).1, split(&sent.uri).1, values);
    let (Body::Text(text), Body::Text(sent_text)) = (&recorded.body, &sent.body) else {
        return;
    };
    if is_form(&recorded.headers) {
        learn_pairs(text, sent_text, values);
    } else if let (Ok(value), Ok(sent_value)) =
        (serde_json::from_str(text), serde_json::from_str(sent_text))
    {
        learn_json(&value, sent_value, values);
    }
}

fn learn_pairs(recorded: &str, sent: &str, values: &mut Values) {
    let recorded = form_urlencoded::parse(recorded.as_bytes());
    for ((_, value), (_, sent)) in recorded.zip(form_urlencoded::parse(sent.as_bytes())) {
        if is_placeholder(&value) {
            values.insert(value.into_owned(), sent.into_owned().into());
        }
    }
}

fn learn_json(recorded: &Value, sent: Value, values: &mut Values) {
    match (recorded, sent) {
        (Value::String(text), sent) if is_placeholder(text) => {
            values.insert(text.clone(), sent);
        }
        (Value::Array(items), Value::Array(sent)) => {
            for (item, sent) in items.iter().zip(sent) {
                learn_json(item, sent, values);
            }
        }
        (Value::Object(members), Value::Object(mut sent)) => {
            for (name, value) in members {
                if let Some(sent) = sent.remove(name) {
                    learn_json(value, sent, values);
                }
            }
        }
        _ => {}
    }
}

/// The body of an answer with the values that its placeholders stand for, if there are any.
fn put_back(body: &[u8], values: &Values) -> Option<Bytes> {
    let mut json = serde_json::from_slice(body).ok()?;
    put_back_json(&mut json, values).then(|| json.to_string().into())
}

fn put_back_json(json: &mut Value, values: &Values) -> bool {
    match json {
        Value::String(text) => match values.get(text) {
            Some(value) => {
                *json = value.clone();
                true
            }
            None => false,
        },
        // All of them, though one is enough for the result to be true.
        Value::Array(items) => {
            items.iter_mut().fold(false, |any, item| put_back_json(item, values) | any)
        }
        Value::Object(members) => {
            members.values_mut().fold(false, |any, value| put_back_json(value, values) | any)
        }
        _ => false,
    }
}

/// Sets the length of the body where the recorded answer gave one: values in it were replaced.
fn set_length(response: &mut Response) {
    let length = response.body().len();
    let told = response.headers_mut().get_mut(header::CONTENT_LENGTH);
    // An answer to HEAD gives the length of a body that it does not have.
    if let Some(told) = told.filter(|_| length > 0) {
        *told = length.into();
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
