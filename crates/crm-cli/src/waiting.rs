//! A transport that reports when a host keeps a person waiting: while calls are repeated nothing
//! else would be reported for a long time.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use crm_transport::{Request, Response, Transport, TransportError};
use http::StatusCode;
use tokio::task::AbortHandle;

use crate::output::note;

/// How long a person waits without wondering.
const PATIENCE: Duration = Duration::from_millis(1_500);

/// Wraps the wire itself: what waits for the rate limit has not been sent.
pub(crate) struct Waiting<T> {
    inner: T,
    host: Arc<str>,
    /// The note that is due, or was given, for the answer that is being waited for.
    to_come: Mutex<Option<AbortHandle>>,
}

impl<T> Waiting<T> {
    pub(crate) fn new(inner: T, host: String) -> Self {
        Self { inner, host: host.into(), to_come: Mutex::default() }
    }

    /// Begins to wait, unless an earlier attempt is already being waited for.
    fn begin(&self) {
        let mut to_come = self.to_come.lock().unwrap_or_else(PoisonError::into_inner);
        to_come.get_or_insert_with(|| {
            let host = Arc::clone(&self.host);
            let note = async move {
                tokio::time::sleep(PATIENCE).await;
                note(format!("still waiting for {host}"));
            };
            tokio::spawn(note).abort_handle()
        });
    }

    fn end(&self) {
        let mut to_come = self.to_come.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(note) = to_come.take() {
            note.abort();
        }
    }
}

#[async_trait]
impl<T: Transport> Transport for Waiting<T> {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        self.begin();
        let answer = self.inner.send(request).await;
        if answer.as_ref().is_ok_and(|answer| is_available(answer.status())) {
            self.end();
        }
        answer
    }
}

/// Whether the answer is the host's own, and not that it is unavailable for now.
fn is_available(status: StatusCode) -> bool {
    !status.is_server_error() && status != StatusCode::TOO_MANY_REQUESTS
}
