//! Answering from a cassette.

use std::{
    fmt,
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
    sync::Mutex,
};

use async_trait::async_trait;
use http::{Method, StatusCode, Uri, header};
use serde_json::error::Category;

use super::{
    compare::{difference, target_differs},
    line::{CassetteError, Interaction, Recorded, Sent, read},
    values::{Values, learn, put_back},
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

/// How far a replay has come.
struct Progress {
    /// Which lines were replayed.
    replayed: Vec<bool>,
    /// What placeholders stand for in the requests so far.
    values: Values,
}

/// A recorded call, checked.
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
            let (method, path) = (request.method(), request.uri().path());
            TransportError::refused(format!("{method} {path}: {reason}"))
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

/// Sets the length of the body where the recorded answer gave one: values in it were replaced.
fn set_length(response: &mut Response) {
    let length = response.body().len();
    let told = response.headers_mut().get_mut(header::CONTENT_LENGTH);
    // An answer to HEAD gives the length of a body that it does not have.
    if let Some(told) = told.filter(|_| length > 0) {
        *told = length.into();
    }
}

impl fmt::Debug for Replayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replayer")
            .field("lines", &self.lines.len())
            .field("matching", &self.matching)
            .finish_non_exhaustive()
    }
}
