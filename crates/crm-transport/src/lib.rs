//! An async transport seam over HTTP for the ServiceTitan API, with composable layers

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;

mod error;
#[cfg(feature = "mock")]
mod mock;

pub use error::{Delivery, TransportError, TransportErrorKind};
#[cfg(feature = "mock")]
pub use mock::MockTransport;

/// A request: the URI is path and query, the host is the transport's.
pub type Request = http::Request<Bytes>;
/// An answer of any status.
pub type Response = http::Response<Bytes>;

/// Carries one request to the configured host and brings the answer back.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Sends a request.
    async fn send(&self, request: Request) -> Result<Response, TransportError>;
}

#[async_trait]
impl<T: Transport + ?Sized> Transport for Arc<T> {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        (**self).send(request).await
    }
}

/// What a repeat of a call would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Nothing.
    Read,
    /// The same once more.
    Idempotent,
    /// One more.
    Creates,
}

/// What layers must know of a call.
#[derive(Debug, Clone)]
pub struct Call {
    /// The operation's name.
    pub operation: &'static str,
    /// What a repeat would do.
    pub effect: Effect,
    /// Whose rate limit.
    pub rate_limit_key: u64,
    /// The total time-out.
    pub timeout: Option<Duration>,
}

impl Call {
    /// A call.
    #[must_use]
    pub fn new(operation: &'static str, effect: Effect) -> Self {
        Self {
            operation,
            effect,
            rate_limit_key: 0,
            timeout: None,
        }
    }

    /// The call of a request.
    #[must_use]
    pub fn of(request: &Request) -> Self {
        request
            .extensions()
            .get()
            .cloned()
            .unwrap_or(Self::new("", Effect::Creates))
    }
}

/// How many times the request was sent.
#[derive(Debug, Clone, Copy)]
pub struct Attempts(pub u32);
