//! Spans for each request, after OpenTelemetry's semantic conventions for HTTP clients.

use async_trait::async_trait;
#[cfg(feature = "metrics")]
use tokio::time::Instant;
use tracing::{Instrument, Span, field};

#[cfg(feature = "metrics")]
use crate::measure;
use crate::{Call, Request, Response, Transport, TransportError};

/// A transport that records a span for every request that passes it: operation, method, host,
/// status or kind of error, which repeat it is; never ids, values, bodies or headers. Made by
/// [`TransportExt::with_tracing`](crate::TransportExt::with_tracing).
///
/// Next to the wire it records what is sent, each attempt by itself. The span of the whole call
/// around them is [`WithRetry`](crate::WithRetry)'s.
#[derive(Debug, Clone)]
pub struct WithTracing<T> {
    inner: T,
}

impl<T: Transport> WithTracing<T> {
    pub(crate) fn new(inner: T) -> Self {
        Self { inner }
    }
}

#[async_trait]
impl<T: Transport> Transport for WithTracing<T> {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        self.send_unboxed(request).await
    }

    fn send_unboxed(
        &self,
        request: Request,
    ) -> impl Future<Output = Result<Response, TransportError>> + Send {
        async move {
            let &Call {
                operation,
                resend_count,
                ..
            } = Call::of(&request);
            let span = tracing::info_span!(
                "http.client.request",
                otel.name = operation,
                otel.kind = "client",
                http.request.method = request.method().as_str(),
                http.request.resend_count = (resend_count > 0).then_some(resend_count),
                server.address = field::Empty,
                server.port = field::Empty,
                http.response.status_code = field::Empty,
                error.type = field::Empty,
            );
            #[cfg(feature = "metrics")]
            let (method, started) = (request.method().clone(), Instant::now());
            let result = self
                .inner
                .send_unboxed(request)
                .instrument(span.clone())
                .await;
            record(&span, &result);
            #[cfg(feature = "metrics")]
            measure::request(operation, &method, &result, started.elapsed());
            result
        }
    }
}

/// Tells a span what became of its request.
pub(crate) fn record(span: &Span, result: &Result<Response, TransportError>) {
    match result {
        Ok(response) => {
            span.record("http.response.status_code", response.status().as_u16());
        }
        Err(error) => {
            span.record("error.type", field::debug(error.kind()));
        }
    }
}

/// Tells the request's span the host that it is sent to.
#[cfg(any(feature = "reqwest", feature = "hyper"))]
pub(crate) fn record_server<'a>(server: impl FnOnce() -> (&'a str, u16)) {
    let span = Span::current();
    if !span.is_disabled() {
        let (address, port) = server();
        span.record("server.address", address);
        span.record("server.port", port);
    }
}
