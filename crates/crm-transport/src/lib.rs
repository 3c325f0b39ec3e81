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
//! refuse a request, [for good](TransportError::refused) or
//! [for now](TransportError::refused_for_now): this one lets nothing be written.
//!
//! ```
//! use async_trait::async_trait;
//! use crm_transport::{Call, Effect, Request, Response, Transport, TransportError};
//!
//! struct ReadOnly<T>(T);
//!
//! #[async_trait]
//! impl<T: Transport> Transport for ReadOnly<T> {
//!     async fn send(&self, request: Request) -> Result<Response, TransportError> {
//!         if Call::of(&request).effect != Effect::Read {
//!             return Err(TransportError::refused("nothing is written here"));
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

mod account;
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
mod line;
mod lock;
mod measure;
mod message;
#[cfg(feature = "mock")]
mod mock;
mod notes;
mod outcome;
mod pace;
mod patience;
mod problem;
mod rate_limit;
#[cfg(any(feature = "reqwest", feature = "hyper"))]
mod refine;
mod replay;
#[cfg(feature = "reqwest")]
mod reqwest;
mod retry;
mod retry_after;
mod runtime;
mod secrets;
#[cfg(feature = "redis")]
mod shared_limit;
mod stack;
#[cfg(feature = "tower")]
mod tower;
mod trace;
mod transport;
mod wait;
mod window;

pub use account::{Account, InvalidAccount};
#[cfg(feature = "token-cache")]
pub use auth::TokenCache;
pub use auth::{Auth, TokenInfo, WithAuth};
pub use call::{Call, Effect};
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
pub use message::{Request, Response};
#[cfg(feature = "mock")]
pub use mock::MockTransport;
pub use notes::{Attempts, SentAt};
pub use outcome::AttemptOutcome;
pub use rate_limit::{Limit, RateLimit, VENDOR_CALLS_PER_SECOND, WithRateLimit};
pub use retry::{Decision, RepeatCost, RetryPolicy, WithRetry};
pub use retry_after::retry_after;
pub use secrets::Secrets;
#[cfg(feature = "redis")]
pub use shared_limit::{Fallback, SharedLimit, SharedPass};
pub use stack::TransportExt;
#[cfg(feature = "reqwest")]
pub use stack::standard;
pub use trace::WithTracing;
pub use transport::Transport;

#[cfg(feature = "hyper")]
pub use self::hyper::HyperTransport;
#[cfg(feature = "reqwest")]
pub use self::reqwest::ReqwestTransport;
#[cfg(feature = "tower")]
pub use self::tower::{TowerTransport, TransportService};

#[cfg(all(doctest, feature = "reqwest"))]
#[doc = include_str!("../README.md")]
struct Readme;
