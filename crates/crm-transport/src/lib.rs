//! An async transport seam over HTTP for the ServiceTitan API, with composable layers.
//!
//! A [`Transport`] carries one request to a configured host and brings the answer back,
//! whatever its status. Layers are transports around transports, each adding one thing:
//!
//! | Layer | Adds |
//! |---|---|
//! | [`with_tracing`](TransportExt::with_tracing) | a span for every request on the wire |
//! | [`with_rate_limit`](TransportExt::with_rate_limit) | never more calls a second than allowed, per tenant |
//! | [`with_auth`](TransportExt::with_auth) | access token and app key; one refresh for all callers; once more on 401 |
//! | [`with_retry`](TransportExt::with_retry) | repeats what may be repeated; a span for the whole call |
//!
//! The order matters, from the wire outwards. With the limit next to the wire, everything that is
//! sent passes it, including the repeat after a 401, and calls that waited for a token do not
//! arrive in a burst. With retry outermost, every attempt takes the current token. [`standard`]
//! builds this stack.
//!
//! The crate knows the vendor's hosts and headers but none of its operations, so it serves any part
//! of the API; for contacts, use `crm-contacts`, which builds on it.
//!
//! # A first program
//!
//! ```no_run
//! use crm_transport::{Call, Credentials, Effect, Environment, Request, Transport};
//!
//! # #[cfg(feature = "reqwest")]
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let credentials = Credentials::new("cid.example", "secret", "ak1.example");
//! let transport = crm_transport::standard(&Environment::integration(), credentials)?;
//!
//! let mut request = Request::new(Default::default());
//! *request.uri_mut() = "/crm/v2/tenant/1001/locations?pageSize=1".parse()?;
//! // Calls count against the limit of their key: all of a tenant have the same.
//! let call = Call::new("Locations_GetList", Effect::Read).rate_limit_key(1_001);
//! request.extensions_mut().insert(call);
//!
//! let response = transport.send(request).await?;
//! println!("{}: {} bytes", response.status(), response.body().len());
//! # Ok(())
//! # }
//! ```
//!
//! # A layer of your own
//!
//! A layer is a transport that holds another one. It sees every request and every answer, and may
//! refuse a request: this one lets nothing be written.
//!
//! ```
//! use async_trait::async_trait;
//! use crm_transport::{
//!     Call, Delivery, Effect, Request, Response, Transport, TransportError, TransportErrorKind,
//! };
//!
//! struct ReadOnly<T>(T);
//!
//! #[async_trait]
//! impl<T: Transport> Transport for ReadOnly<T> {
//!     async fn send(&self, request: Request) -> Result<Response, TransportError> {
//!         if Call::of(&request).effect != Effect::Read {
//!             return Err(TransportError::new(TransportErrorKind::Refused, Delivery::NotExecuted));
//!         }
//!         self.0.send(request).await
//!     }
//! }
//! ```
//!
//! # Features
//!
//! | Feature | Default | Adds |
//! |---|---|---|
//! | `reqwest` | yes | [`ReqwestTransport`] and [`standard`] |
//! | `hyper` | no | `HyperTransport`: the lean transport, on hyper-util |
//! | `tower` | no | `TowerTransport` and `TransportService`: tower services as transports and back |
//! | `cassette` | no | `cassette`: traffic recorded to a file, and replayed from it |
//! | `metrics` | no | counters and histograms through the `metrics` facade, see `describe_metrics` |
//! | `redis` | no | `SharedLimit`: one rate limit for several processes, over Redis or Valkey |
//! | `token-cache` | no | `TokenCache`: access tokens kept on disk for short-lived commands |
//! | `mock` | no | `MockTransport`, made by mockall; `pretend_suspended` |
//! | `contract` | no | `contract`: the suite that every transport must pass |

#![cfg_attr(docsrs, feature(doc_cfg))]
// Links to the items of a feature are broken without that feature.
#![cfg_attr(not(feature = "reqwest"), allow(rustdoc::broken_intra_doc_links))]
#![warn(missing_debug_implementations)]
#![allow(clippy::manual_async_fn, reason = "in an impl under async_trait, an async fn is boxed")]

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

mod attendant;
mod auth;
mod call;
#[cfg(feature = "cassette")]
pub mod cassette;
mod clock;
#[cfg(feature = "hyper")]
mod connect;
#[cfg(feature = "contract")]
pub mod contract;
mod credentials;
#[cfg(any(feature = "reqwest", feature = "hyper"))]
mod departure;
#[cfg(any(feature = "reqwest", feature = "hyper"))]
mod encoding;
mod environment;
mod error;
mod gate;
#[cfg(any(feature = "reqwest", feature = "hyper"))]
mod headers;
#[cfg(feature = "hyper")]
mod hyper;
#[cfg(any(feature = "reqwest", feature = "hyper"))]
mod keep_alive;
mod limits;
mod measure;
#[cfg(feature = "mock")]
mod mock;
mod pace;
mod problem;
mod rate_limit;
#[cfg(any(feature = "reqwest", feature = "hyper"))]
mod refine;
mod replay;
#[cfg(feature = "reqwest")]
mod reqwest;
mod retry;
mod retry_after;
mod secrets;
#[cfg(feature = "redis")]
mod shared_limit;
#[cfg(feature = "token-cache")]
mod token_cache;
#[cfg(feature = "tower")]
mod tower;
mod trace;
mod window;

pub use auth::{Auth, TokenInfo, WithAuth};
pub use call::{Attempts, Call, Effect, SentAt};
pub use clock::Moment;
#[cfg(feature = "mock")]
pub use clock::pretend_suspended;
pub use credentials::Credentials;
pub use environment::{Environment, InvalidEnvironment};
pub use error::{Delivery, TransportError, TransportErrorKind};
pub use gate::{Pass, RateLimitState};
#[cfg(any(feature = "reqwest", feature = "hyper"))]
pub use headers::USER_AGENT;
pub use limits::Limits;
#[cfg(feature = "metrics")]
pub use measure::describe_metrics;
#[cfg(feature = "mock")]
pub use mock::MockTransport;
pub use rate_limit::{Limit, RateLimit, WithRateLimit};
pub use retry::{AttemptOutcome, Decision, RepeatCost, RetryPolicy, WithRetry};
pub use retry_after::retry_after;
pub use secrets::Secrets;
#[cfg(feature = "redis")]
pub use shared_limit::{Fallback, SharedLimit};
#[cfg(feature = "token-cache")]
pub use token_cache::TokenCache;
pub use trace::WithTracing;

#[cfg(feature = "hyper")]
pub use self::hyper::HyperTransport;
#[cfg(feature = "reqwest")]
pub use self::reqwest::ReqwestTransport;
#[cfg(feature = "tower")]
pub use self::tower::{TowerTransport, TransportService};

/// A request. Its URI is path and query only: the host belongs to the transport, so no caller and
/// no answer can send credentials elsewhere.
pub type Request = http::Request<Bytes>;

/// An answer of any status, with its complete body.
pub type Response = http::Response<Bytes>;

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

/// The layers, as methods of every transport, listed from the wire outwards.
///
/// ```
/// use crm_transport::{Auth, Credentials, RateLimit, RetryPolicy, Transport, TransportExt};
///
/// fn stack(wire: impl Transport + 'static, auth: Auth) -> impl Transport {
///     wire.with_tracing()
///         .with_rate_limit(RateLimit::per_second(60))
///         .with_auth(auth)
///         .with_retry(RetryPolicy::default())
/// }
/// ```
pub trait TransportExt: Transport + Sized {
    /// Makes each call wait for its turn. Belongs next to the wire: see [the order](crate).
    fn with_rate_limit<L: Limit>(self, limit: L) -> WithRateLimit<Self, L> {
        WithRateLimit::new(self, limit)
    }

    /// Adds the access token and the app key.
    fn with_auth(self, auth: Auth) -> WithAuth<Self> {
        WithAuth::new(self, auth)
    }

    /// Repeats what may be repeated.
    fn with_retry(self, policy: RetryPolicy) -> WithRetry<Self> {
        WithRetry::new(self, policy)
    }

    /// Records a span for every request.
    fn with_tracing(self) -> WithTracing<Self> {
        WithTracing::new(self)
    }
}

impl<T: Transport> TransportExt for T {}

/// The number of calls per second that the vendor allows an application in a tenant.
pub const VENDOR_CALLS_PER_SECOND: u32 = 60;

/// Builds the stack with good defaults: reqwest, the vendor's rate limit, credentials, retries,
/// spans.
///
/// A connection may take 10 s, an attempt 100 s and an answer 64 MiB ([`Limits`]); a call,
/// including its wait in the queue and its repeats, 5 minutes ([`RetryPolicy`]). For less, set a
/// [`Call::deadline`], or build the stack yourself:
///
/// ```
/// use std::time::Duration;
/// use crm_transport::{
///     Auth, Credentials, Environment, Limits, RateLimit, ReqwestTransport, RetryPolicy, Transport,
///     TransportError, TransportExt, VENDOR_CALLS_PER_SECOND,
/// };
///
/// fn within_15_seconds(
///     environment: &Environment,
///     credentials: Credentials,
/// ) -> Result<impl Transport + Clone + use<>, TransportError> {
///     let limits = Limits::default().timeout(Duration::from_secs(5));
///     let wire = ReqwestTransport::with_limits(environment, limits)?;
///     let auth = Auth::new(wire.for_auth(environment)?.with_tracing(), credentials);
///     Ok(wire
///         .with_tracing()
///         .with_rate_limit(RateLimit::per_second(VENDOR_CALLS_PER_SECOND))
///         .with_auth(auth)
///         .with_retry(RetryPolicy::default().total_time(Duration::from_secs(15))))
/// }
/// ```
///
/// # Errors
///
/// Returns [`TransportError`] when TLS cannot be set up.
#[cfg(feature = "reqwest")]
pub fn standard(
    environment: &Environment,
    credentials: Credentials,
) -> Result<impl Transport + Clone + use<>, TransportError> {
    let wire = ReqwestTransport::new(environment)?;
    let auth = Auth::new(wire.for_auth(environment)?.with_tracing(), credentials);
    Ok(wire
        .with_tracing()
        .with_rate_limit(RateLimit::per_second(VENDOR_CALLS_PER_SECOND))
        .with_auth(auth)
        .with_retry(RetryPolicy::default()))
}

#[cfg(all(doctest, feature = "reqwest"))]
#[doc = include_str!("../README.md")]
struct Readme;
