//! The layers over mocked transports, their times virtual.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod auth;
#[cfg(feature = "mock")]
mod begin_by;
mod budget;
#[cfg(feature = "cassette")]
mod cassette;
#[cfg(feature = "metrics")]
mod metrics;
mod rate_limit;
mod retry;
mod spans;
#[cfg(all(unix, feature = "token-cache"))]
mod token_cache;

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use bytes::Bytes;
use crm_transport::{Call, Effect, Request, Response, Transport, TransportError};
use http::StatusCode;

/// A transport whose answers a function decides, by the number of the call from 0.
#[derive(Clone)]
struct Scripted<F> {
    answer: F,
    calls: Arc<AtomicUsize>,
}

impl<F> Scripted<F> {
    fn new(answer: F) -> Self {
        Self { answer, calls: Arc::default() }
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl<F> Transport for Scripted<F>
where
    F: Fn(usize, &Request) -> Result<Response, TransportError> + Send + Sync,
{
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let call = self.calls.fetch_add(1, Ordering::SeqCst);
        // Lets others run, as a network does.
        tokio::task::yield_now().await;
        (self.answer)(call, &request)
    }
}

fn answer(status: u16, body: &str) -> Response {
    let mut response = Response::new(Bytes::copy_from_slice(body.as_bytes()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response
}

fn request(effect: Effect) -> Request {
    let mut request = Request::new(Bytes::new());
    *request.uri_mut() = "/crm/v2/tenant/1001/locations".parse().unwrap();
    request.extensions_mut().insert(Call::new("Test", effect));
    request
}
