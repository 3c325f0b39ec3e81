//! Spans for each request, following OpenTelemetry's semantic conventions for HTTP clients.

use async_trait::async_trait;
use tracing::{Instrument, Span, field};

use crate::{
    call::Call,
    error::TransportError,
    measure,
    message::{Request, Response},
    transport::Transport,
};

/// The span of a request. Its name is part of the interface: operators filter by it.
const REQUEST: &str = "http.client.request";
const TARGET: &str = module_path!();

/// A transport that records a span for every request that passes it: operation, method, host,
/// status or kind of error, and which repeat it is; never ids, values, bodies or headers. Made by
/// [`TransportExt::with_tracing`](crate::TransportExt::with_tracing).
///
/// Next to the wire it records what is sent, each attempt separately. The span of the whole call
/// around them belongs to [`WithRetry`](crate::WithRetry).
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
            let &Call { operation, resend_count, .. } = Call::of(&request);
            let span = tracing::info_span!(
                target: TARGET,
                REQUEST,
                otel.name = operation,
                otel.kind = "client",
                http.request.method = request.method().as_str(),
                http.request.resend_count = (resend_count > 0).then_some(resend_count),
                server.address = field::Empty,
                server.port = field::Empty,
                http.response.status_code = field::Empty,
                error.type = field::Empty,
                otel.status_code = field::Empty,
            );
            let measured = measure::Request::begins(operation, &request);
            let result = self.inner.send_unboxed(request).instrument(span.clone()).await;
            record(&span, &result);
            measured.ends(&result);
            result
        }
    }
}

/// Records in a span what became of its request. A client's span fails with any status from 400 on.
pub(crate) fn record(span: &Span, result: &Result<Response, TransportError>) {
    match result {
        Ok(response) => {
            let status = response.status();
            span.record("http.response.status_code", status.as_u16());
            if status.is_client_error() || status.is_server_error() {
                span.record("error.type", status.as_str());
                span.record("otel.status_code", "ERROR");
            }
        }
        Err(error) => {
            span.record("error.type", field::debug(error.kind()));
            span.record("otel.status_code", "ERROR");
        }
    }
}

/// Records in the request's span the host that it is sent to. Where that span is missing, the span
/// around it may be a server's, whose address is a different one.
#[cfg(any(feature = "reqwest", feature = "hyper"))]
pub(crate) fn record_server<'a>(server: impl FnOnce() -> (&'a str, u16)) {
    let span = Span::current();
    let is_request =
        |span: &tracing::Metadata<'_>| span.name() == REQUEST && span.target() == TARGET;
    if span.metadata().is_some_and(is_request) {
        let (address, port) = server();
        span.record("server.address", address);
        span.record("server.port", port);
    }
}
