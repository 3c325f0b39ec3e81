//! The layers on a transport, one around the other.

use crate::{
    auth::{Auth, WithAuth},
    rate_limit::{Limit, WithRateLimit},
    retry::{RetryPolicy, WithRetry},
    trace::WithTracing,
    transport::Transport,
};
#[cfg(feature = "reqwest")]
use crate::{
    credentials::Credentials,
    environment::Environment,
    error::TransportError,
    rate_limit::{RateLimit, VENDOR_CALLS_PER_SECOND},
    reqwest::ReqwestTransport,
};

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
    /// Records a span for every request.
    fn with_tracing(self) -> WithTracing<Self> {
        WithTracing::new(self)
    }

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
}

impl<T: Transport> TransportExt for T {}

/// Builds the stack with good defaults: reqwest, the vendor's rate limit, credentials, retries,
/// spans.
///
/// A connection may take 10 s, an attempt 100 s and an answer 64 MiB ([`Limits`](crate::Limits)); a call,
/// including its wait in the queue and its repeats, 5 minutes ([`RetryPolicy`]). For less, set a
/// [`Call::deadline`](crate::Call::deadline), or build the stack yourself:
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
    // Without the limit: the vendor counts the calls of its APIs, and the tokens come from another
    // host. `auth` itself asks for one at a time.
    let auth = Auth::new(wire.for_auth(environment)?.with_tracing(), credentials);
    // From the wire outwards. A span is one request, so its layer sees each. The limit comes next:
    // what `auth` sends again after a 401 has to pass it too, and a call waits for its token before
    // its turn, not after it. Retries are outermost, since a token may end while one waits.
    Ok(wire
        .with_tracing()
        .with_rate_limit(RateLimit::per_second(VENDOR_CALLS_PER_SECOND))
        .with_auth(auth)
        .with_retry(RetryPolicy::default()))
}
