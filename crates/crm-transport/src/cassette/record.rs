//! Writing what passes.

use std::{
    fmt,
    fs::File,
    io::{self, Write},
    path::Path,
    sync::Mutex,
};

use async_trait::async_trait;

use super::{
    line::{CassetteError, Interaction, Recorded, Sent},
    redact::{Redaction, Redactor},
};
use crate::{
    error::TransportError,
    lock::lock,
    message::{Request, Response},
    transport::Transport,
};

/// A transport that writes down every request and its outcome, in the order of the outcomes. See
/// the module for an example.
///
/// A request whose future is dropped is not written. A cassette that cannot be written does not
/// make a call fail; [`finish`](Self::finish) reports it.
pub struct Recorder<T> {
    inner: T,
    cassette: Mutex<Cassette>,
}

/// What is being written.
struct Cassette {
    /// `None` once the recording has ended.
    to: Option<Box<dyn Write + Send>>,
    /// `None` keeps everything.
    redactor: Option<Redactor>,
    written: usize,
    failure: Option<io::Error>,
}

impl<T: Transport> Recorder<T> {
    /// Records to a new file, with [`Redaction::Replace`].
    ///
    /// # Errors
    ///
    /// Returns [`CassetteError::Io`] when the file exists or cannot be created.
    pub fn create(inner: T, path: impl AsRef<Path>) -> Result<Self, CassetteError> {
        let file = File::create_new(path)?;
        Ok(Self::new(inner, file, Redaction::Replace))
    }

    /// Records to any writer, which gets each line in a single write.
    #[must_use]
    pub fn new(inner: T, to: impl Write + Send + 'static, redaction: Redaction) -> Self {
        let redactor = match redaction {
            Redaction::Replace => Some(Redactor::default()),
            Redaction::Keep => None,
        };
        Self {
            inner,
            cassette: Mutex::new(Cassette {
                to: Some(Box::new(to)),
                redactor,
                written: 0,
                failure: None,
            }),
        }
    }

    /// Ends the recording and returns how many lines it has. What passes later is not written. For
    /// a recorder inside a stack, keep an [`Arc`](std::sync::Arc) of it.
    ///
    /// # Errors
    ///
    /// Returns [`CassetteError::Io`] when a line could not be written; none was written after it.
    /// Reported once.
    pub fn finish(&self) -> Result<usize, CassetteError> {
        let mut cassette = lock(&self.cassette);
        if let Some(failure) = cassette.failure.take() {
            return Err(failure.into());
        }
        if let Some(mut to) = cassette.to.take() {
            to.flush()?;
        }
        Ok(cassette.written)
    }
}

#[async_trait]
impl<T: Transport> Transport for Recorder<T> {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let sent = Sent::of(&request);
        let result = self.inner.send(request).await;
        let interaction = Interaction { request: sent, outcome: Recorded::of(&result) };
        lock(&self.cassette).record(interaction);
        result
    }
}

impl Cassette {
    fn record(&mut self, mut interaction: Interaction) {
        let Some(to) = &mut self.to else {
            return;
        };
        if let Some(redactor) = &mut self.redactor {
            redactor.redact(&mut interaction);
        }
        let line = serde_json::to_string(&interaction).map_err(io::Error::from);
        let written = line.and_then(|line| to.write_all(format!("{line}\n").as_bytes()));
        match written {
            Ok(()) => self.written += 1,
            Err(failure) => {
                self.failure = Some(failure);
                self.to = None;
            }
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Recorder<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("inner", &self.inner).finish_non_exhaustive()
    }
}
