//! Calls of the API by a thread: the caller's task sends the requests, since the transport belongs to
//! its executor, and the thread reads the answers, of which one may hold thousands of records.

use std::path::Path;

use async_trait::async_trait;
use crm_contacts::ContactsService;
use crm_transport::{Delivery, Request, Response, Transport, TransportError, TransportErrorKind};
use futures_util::{StreamExt, stream};
use tokio::{
    runtime::{self, Runtime},
    sync::{mpsc, oneshot},
};

use super::thread::{Stop, alongside, on_thread};
use crate::error::MirrorError;

/// How many requests may wait for the caller's task to take them up: more than any work here has
/// on their way at once.
const WAITING: usize = 16;

/// A request of the thread, and where its answer goes.
#[derive(Debug)]
struct Asked {
    request: Request,
    answer: oneshot::Sender<Result<Response, TransportError>>,
}

/// The caller's transport, on the thread.
#[derive(Debug)]
pub struct Remote(mpsc::Sender<Asked>);

#[async_trait]
impl Transport for Remote {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        // Nobody waits for the work any longer, so nobody sees it.
        let gone = |delivery| TransportError::new(TransportErrorKind::Other, delivery);
        let (sender, answer) = oneshot::channel();
        let asked = self.0.send(Asked { request, answer: sender }).await;
        asked.map_err(|_| gone(Delivery::NotExecuted))?;
        answer.await.map_err(|_| gone(Delivery::Unknown))?
    }
}

/// The caller's service, on the thread.
#[derive(Debug)]
pub struct Caller {
    pub service: ContactsService<Remote>,
    runtime: Runtime,
}

impl Caller {
    /// Waits for a future that calls the service.
    pub fn wait_for<R>(&self, calls: impl Future<Output = R>) -> R {
        self.runtime.block_on(calls)
    }
}

/// Does work on a thread of its own that calls the API.
pub async fn with_service<
    T: Transport,
    R: Send + 'static,
    E: From<MirrorError> + Send + 'static,
>(
    service: &ContactsService<T>,
    path: &Path,
    work: impl FnOnce(&Caller, &Path, &Stop) -> Result<R, E> + Send + 'static,
) -> Result<R, E> {
    let (sender, mut asked) = mpsc::channel::<Asked>(WAITING);
    let (service, transport) = (service.over(Remote(sender)), service.transport());
    let work = on_thread(path, move |path, stop| {
        let runtime = runtime::Builder::new_current_thread().enable_time().build();
        let runtime = runtime.map_err(|e| MirrorError::file(path, "given a runtime", e))?;
        work(&Caller { service, runtime }, path, stop)
    });
    let asked = stream::poll_fn(|context| asked.poll_recv(context));
    let send = asked.for_each_concurrent(None, |Asked { request, answer }| async move {
        let answered = transport.send_unboxed(request).await;
        let _ = answer.send(answered);
    });
    alongside(work, send).await
}
