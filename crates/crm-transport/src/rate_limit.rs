//! Never more calls in a second than the service allows.
//!
//! The service counts calls per application and tenant, so a limit has a gate per key, shared
//! by every clone. A gate spaces calls evenly rather than in bursts: sixty at once, and sixty
//! more a second later, arrive as a hundred and twenty in one second as soon as the network
//! holds up the first of them. Evenly spaced, each second has its own slack: 60 calls take
//! 1.015 s, so a call may be held up by 10 ms before the server counts 61 in any second, at a
//! cost of 1.5 % of the allowance. A network that holds calls up for longer earns an answer 429
//! now and then, which is not executed, closes the gate, and is repeated.
//!
//! A token bucket (`governor` is a good one) has the other shape: its burst adds to its rate,
//! so a bucket that never passes 60 in any second reaches half of the allowance.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use http::StatusCode;
#[cfg(feature = "metrics")]
use tokio::time::Instant;

#[cfg(feature = "metrics")]
use crate::measure;
use crate::{
    Call, Delivery, Request, Response, Transport, TransportError, TransportErrorKind,
    gate::{Gate, RateLimitState, TurnedAway},
    retry_after,
};

/// How much longer than a second the calls of one second take.
const MARGIN: f64 = 1.015;

/// How long a gate may stay closed, unless set.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_secs(300);

/// The pause after an answer 429 that names none.
const UNNAMED_PAUSE: Duration = Duration::from_secs(1);

/// The time between two calls.
pub(crate) fn interval(calls_per_second: u32) -> Duration {
    Duration::from_secs_f64(MARGIN / f64::from(calls_per_second.max(1)))
}

/// A limit on calls by key: [`RateLimit`] within a process, `SharedLimit` for several.
pub trait Limit: Send + Sync {
    /// Waits until a call of this key may leave.
    ///
    /// # Errors
    ///
    /// [`TransportErrorKind::RateLimited`], not sent, when that would take too long.
    fn pass(&self, key: u64) -> impl Future<Output = Result<(), TransportError>> + Send;

    /// Closes the gate of this key for all callers, as an answer 429 asks; never opens it
    /// earlier than another one asked.
    fn close(&self, key: u64, pause: Duration) -> impl Future<Output = ()> + Send;
}

/// A limit on calls per second for each key. Clones share it.
///
/// ```
/// use crm_transport::RateLimit;
///
/// let limit = RateLimit::per_second(60);
/// assert_eq!(limit.state(1_001).waiting, 0);
/// ```
#[derive(Clone)]
pub struct RateLimit(Arc<Shared>);

struct Shared {
    interval: Duration,
    longest_wait: Duration,
    gates: Mutex<HashMap<u64, Arc<Gate>>>,
}

impl RateLimit {
    /// A limit of that many calls in any second, at least one.
    #[must_use]
    pub fn per_second(calls: u32) -> Self {
        Self(Arc::new(Shared {
            interval: interval(calls),
            longest_wait: LONGEST_WAIT,
            gates: Mutex::default(),
        }))
    }

    /// How long a closed gate may stay closed before its callers get an error instead of
    /// waiting; 5 minutes unless set.
    #[must_use]
    pub fn longest_wait(self, wait: Duration) -> Self {
        Self(Arc::new(Shared {
            interval: self.0.interval,
            longest_wait: wait,
            gates: Mutex::default(),
        }))
    }

    /// What the gate of this key is doing.
    #[must_use]
    pub fn state(&self, key: u64) -> RateLimitState {
        self.gate(key).report()
    }

    fn gate(&self, key: u64) -> Arc<Gate> {
        let mut gates = self.0.gates.lock().unwrap_or_else(PoisonError::into_inner);
        let Shared {
            interval,
            longest_wait,
            ..
        } = *self.0;
        let gate = gates
            .entry(key)
            .or_insert_with(|| Arc::new(Gate::new(interval, longest_wait)));
        Arc::clone(gate)
    }
}

impl Limit for RateLimit {
    /// Cancelling gives the place to the next in the queue.
    async fn pass(&self, key: u64) -> Result<(), TransportError> {
        let turn = self.gate(key).pass().await;
        turn.map_err(|TurnedAway| {
            TransportError::new(TransportErrorKind::RateLimited, Delivery::NotSent)
        })
    }

    async fn close(&self, key: u64, pause: Duration) {
        self.gate(key).close(pause);
    }
}

impl fmt::Debug for RateLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimit")
            .field("interval", &self.0.interval)
            .field("longest_wait", &self.0.longest_wait)
            .finish_non_exhaustive()
    }
}

/// A transport that waits for its turn. Made by
/// [`TransportExt::with_rate_limit`](crate::TransportExt::with_rate_limit).
///
/// An answer 429 closes the gate of its key for as long as the answer says.
#[derive(Debug, Clone)]
pub struct WithRateLimit<T, L = RateLimit> {
    inner: T,
    limit: L,
}

impl<T: Transport, L: Limit> WithRateLimit<T, L> {
    pub(crate) fn new(inner: T, limit: L) -> Self {
        Self { inner, limit }
    }
}

#[async_trait]
impl<T: Transport, L: Limit> Transport for WithRateLimit<T, L> {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        self.send_unboxed(request).await
    }

    fn send_unboxed(
        &self,
        request: Request,
    ) -> impl Future<Output = Result<Response, TransportError>> + Send {
        async move {
            let call = Call::of(&request);
            let key = call.rate_limit_key;
            #[cfg(feature = "metrics")]
            let (operation, started) = (call.operation, Instant::now());
            self.limit.pass(key).await?;
            #[cfg(feature = "metrics")]
            measure::rate_limit_wait(operation, started.elapsed());
            let response = self.inner.send_unboxed(request).await?;
            if response.status() == StatusCode::TOO_MANY_REQUESTS {
                let pause = retry_after(&response).unwrap_or(UNNAMED_PAUSE);
                self.limit.close(key, pause).await;
                #[cfg(feature = "metrics")]
                measure::rate_limit_pause(operation);
            }
            Ok(response)
        }
    }
}
