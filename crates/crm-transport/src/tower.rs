//! Tower services as transports, and transports as tower services.

use std::{
    error::Error,
    fmt,
    future::poll_fn,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use tower_service::Service;

use crate::{
    call::Call,
    error::{Delivery, TransportError, TransportErrorKind},
    lock::lock,
    message::{Request, Response},
    transport::Transport,
};

/// A tower service as a transport, for programs that use tower middleware.
///
/// The service is cloned for each call, as tower's own clients do. An error of the service that is
/// a [`TransportError`] is returned unchanged; for any other it is not known whether the request
/// was sent, so its delivery is unknown. A request that is [too old to begin](Call::begin_by) once
/// the service is ready is not given to it; how long the service then takes to send it is its own
/// affair.
///
/// ```
/// # #[cfg(feature = "mock")] {
/// use crm_transport::{MockTransport, TowerTransport, TransportService};
///
/// // There and back again; middleware would stand between the two.
/// let service = TransportService::new(MockTransport::new());
/// let transport = TowerTransport::new(service);
/// # }
/// ```
pub struct TowerTransport<S> {
    /// A service need not be `Sync`; tower's `BoxCloneService` is not.
    service: Mutex<S>,
}

impl<S> TowerTransport<S> {
    /// Creates a transport that sends through `service`.
    #[must_use]
    pub fn new(service: S) -> Self {
        Self { service: Mutex::new(service) }
    }
}

impl<S: Clone> Clone for TowerTransport<S> {
    fn clone(&self) -> Self {
        Self::new(lock(&self.service).clone())
    }
}

impl<S: fmt::Debug> fmt::Debug for TowerTransport<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let service = lock(&self.service);
        f.debug_struct("TowerTransport").field("service", &*service).finish()
    }
}

#[async_trait]
impl<S> Transport for TowerTransport<S>
where
    S: Service<Request, Response = Response> + Clone + Send,
    S::Future: Send,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
{
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let mut service = lock(&self.service).clone();
        poll_fn(|context| service.poll_ready(context))
            .await
            .map_err(|error| refine(error, Delivery::NotExecuted))?;
        // The service may have been busy for a while.
        Call::of(&request).may_begin()?;
        let call = service.call(request);
        call.await.map_err(|error| refine(error, Delivery::Unknown))
    }
}

fn refine(error: impl Into<Box<dyn Error + Send + Sync>>, delivery: Delivery) -> TransportError {
    match error.into().downcast::<TransportError>() {
        Ok(error) => *error,
        Err(other) => TransportError::new(TransportErrorKind::Other, delivery).with_source(other),
    }
}

/// A transport as a tower service that is always ready: the transport's own layers do the waiting.
#[derive(Debug)]
pub struct TransportService<T> {
    transport: Arc<T>,
}

impl<T> TransportService<T> {
    /// Creates a service that sends through `transport`.
    #[must_use]
    pub fn new(transport: T) -> Self {
        Self { transport: Arc::new(transport) }
    }
}

impl<T> Clone for TransportService<T> {
    fn clone(&self) -> Self {
        Self { transport: Arc::clone(&self.transport) }
    }
}

impl<T: Transport + 'static> Service<Request> for TransportService<T> {
    type Response = Response;
    type Error = TransportError;
    type Future = BoxFuture<'static, Result<Response, TransportError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let transport = Arc::clone(&self.transport);
        Box::pin(async move { transport.send(request).await })
    }
}
