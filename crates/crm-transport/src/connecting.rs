//! Whether a request of reqwest still waits for its connection, which reqwest does not tell.

use std::{
    cell::Cell,
    future::poll_fn,
    pin::{Pin, pin},
    sync::atomic::{AtomicBool, Ordering},
    task::{Context, Poll},
};

use tower_layer::Layer;
use tower_service::Service;

thread_local! {
    /// Whether a connector was polled on this thread since this was last set back, and goes on.
    static CONNECTING: Cell<bool> = const { Cell::new(false) };
}

/// A connector that tells that it is at work.
#[derive(Debug, Clone)]
pub(crate) struct Told<C>(C);

/// Has the connectors of a client tell that they are at work.
#[derive(Debug, Clone)]
pub(crate) struct Telling;

impl<C> Layer<C> for Telling {
    type Service = Told<C>;

    fn layer(&self, connector: C) -> Told<C> {
        Told(connector)
    }
}

impl<C, R> Service<R> for Told<C>
where
    C: Service<R, Future: Send + 'static>,
{
    type Response = C::Response;
    type Error = C::Error;
    type Future = Pin<Box<dyn Future<Output = Result<C::Response, C::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), C::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, host: R) -> Self::Future {
        let mut connecting = Box::pin(self.0.call(host));
        Box::pin(poll_fn(move |context| {
            let connected = connecting.as_mut().poll(context);
            CONNECTING.set(connected.is_pending());
            connected
        }))
    }
}

/// Sends a request, and notes whether it may have left: it has not while each poll of it polls the
/// connector that it waits for, too.
pub(crate) async fn noting<F: Future>(has_left: &AtomicBool, sending: F) -> F::Output {
    let mut sending = pin!(sending);
    poll_fn(|context| {
        CONNECTING.set(false);
        let result = sending.as_mut().poll(context);
        has_left.store(!CONNECTING.get(), Ordering::Relaxed);
        result
    })
    .await
}
