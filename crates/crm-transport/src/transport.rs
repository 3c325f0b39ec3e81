//! The seam: one request out, one answer back.

use std::sync::Arc;

use async_trait::async_trait;

use crate::{
    error::TransportError,
    message::{Request, Response},
};

/// Carries one request to the configured host and brings the answer back.
///
/// An implementation promises:
///
/// 1. Method, path, query, headers and body are sent unchanged, to its own host. A URI that names a
///    host, or that it could only send in another form, is [`TransportErrorKind::InvalidRequest`].
/// 2. Every status is an answer, and redirects are not followed (RFC 9110, section 15).
/// 3. [`Delivery::NotExecuted`] is reported only if the request certainly did not reach the server:
///    the layers then repeat even a creation.
/// 4. One [`send`](Self::send) puts at most one request on the wire; repeating is left to the
///    layers.
/// 5. Time and size are bounded; the [`Call::timeout`] of [`Call::of`] the request takes precedence
///    over its own, whether shorter or longer. At the [`Call::deadline`] the call ends, and after
///    it nothing is sent. [`Call::time_left`] returns what remains.
/// 6. After [`Call::begin_by`] no request leaves, even if a connection had to be made for it:
///    [`Call::may_begin`] is checked right before.
/// 7. The answer to a read, and to a call with a [`Call::begin_by`], says when its request left, as
///    [`SentAt`] in its extensions. Without it, whoever reads the answer uses the time at which it
///    called the transport.
/// 8. A dropped future leaves the transport usable.
///
/// The suite of the feature `contract` checks all of them but the seventh.
///
/// This is the one trait to implement for a transport of your own:
///
/// ```
/// use async_trait::async_trait;
/// use crm_transport::{Request, Response, Transport, TransportError};
///
/// /// Answers every request with its own body.
/// struct Echo;
///
/// #[async_trait]
/// impl Transport for Echo {
///     async fn send(&self, request: Request) -> Result<Response, TransportError> {
///         Ok(Response::new(request.into_body()))
///     }
/// }
/// ```
///
/// [`Call::begin_by`]: crate::Call::begin_by
/// [`Call::deadline`]: crate::Call::deadline
/// [`Call::may_begin`]: crate::Call::may_begin
/// [`Call::of`]: crate::Call::of
/// [`Call::time_left`]: crate::Call::time_left
/// [`Call::timeout`]: crate::Call::timeout
/// [`Delivery::NotExecuted`]: crate::Delivery::NotExecuted
/// [`SentAt`]: crate::SentAt
/// [`TransportErrorKind::InvalidRequest`]: crate::TransportErrorKind::InvalidRequest
#[async_trait]
pub trait Transport: Send + Sync {
    /// Sends one request. Dropping the future abandons the call.
    ///
    /// # Errors
    ///
    /// An error is returned only when there is no answer. A status is never an error: 404 and 503
    /// are answers.
    async fn send(&self, request: Request) -> Result<Response, TransportError>;

    /// The same as [`send`](Self::send) where the type of the transport is known, so that the
    /// future need not be boxed. A transport of your own is complete without it; those of this
    /// crate override it, so that a stack of layers is one future.
    fn send_unboxed(
        &self,
        request: Request,
    ) -> impl Future<Output = Result<Response, TransportError>> + Send
    where
        Self: Sized,
    {
        self.send(request)
    }
}

macro_rules! delegate {
    ($($pointer:ty),*) => {$(
        #[async_trait]
        impl<T: Transport + ?Sized> Transport for $pointer {
            async fn send(&self, request: Request) -> Result<Response, TransportError> {
                (**self).send(request).await
            }

            fn send_unboxed(
                &self,
                request: Request,
            ) -> impl Future<Output = Result<Response, TransportError>> + Send {
                (**self).send(request)
            }
        }
    )*};
}
delegate!(Arc<T>, Box<T>, &T);
