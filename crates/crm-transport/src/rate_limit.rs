//! Never more calls in a second than the service allows.
//!
//! The service counts calls per application and tenant, so a limit has a gate per key, shared
//! by every clone. A gate spaces calls evenly rather than in bursts: sixty at once, and sixty
//! more a second later, arrive as a hundred and twenty in one second as soon as the network
//! holds up the first of them. Evenly spaced, each second has its own slack: 60 calls take
//! 1.015 s, so a call may be held up by 10 ms before the server counts 61 in any second, at a
//! cost of 1.5 % of the allowance. A call that was held up for longer, by a stall of a machine
//! say, is known by its answer, which is late too: the call that takes its place a second later
//! waits as much longer. On a path where answers take all manner of times this cannot be told.
//! There, a longer hold-up earns an answer 429 now and then, which is not executed, closes the
//! gate, and is repeated.
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
    call::before_sending,
    gate::{Gate, Pass, RateLimitState, TurnedAway},
    retry_after,
};

/// How long a gate may stay closed, unless set.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_secs(300);

/// A limit on calls by key: [`RateLimit`] within a process, `SharedLimit` for several.
pub trait Limit: Send + Sync {
    /// What a call that may leave holds until its answer is there.
    type Pass: Send;

    /// Waits until a call of this key may leave.
    ///
    /// # Errors
    ///
    /// [`TransportErrorKind::RateLimited`], not sent, when that would take too long.
    fn pass(&self, key: u64) -> impl Future<Output = Result<Self::Pass, TransportError>> + Send;

    /// Closes the gate of this key for all callers, as an answer 429 asks, or if it names no
    /// time for longer with each in a row; never opens it earlier than another one asked.
    fn close(&self, key: u64, pause: Option<Duration>) -> impl Future<Output = ()> + Send;
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
    calls_per_second: u32,
    longest_wait: Duration,
    gates: Mutex<HashMap<u64, Arc<Gate>>>,
}

impl RateLimit {
    /// A limit of that many calls in any second, at least one.
    #[must_use]
    pub fn per_second(calls: u32) -> Self {
        Self(Arc::new(Shared {
            calls_per_second: calls,
            longest_wait: LONGEST_WAIT,
            gates: Mutex::default(),
        }))
    }

    /// How long a closed gate may stay closed before its callers get an error instead of
    /// waiting; 5 minutes unless set.
    #[must_use]
    pub fn longest_wait(self, wait: Duration) -> Self {
        Self(Arc::new(Shared {
            calls_per_second: self.0.calls_per_second,
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
        let new = || Arc::new(Gate::new(self.0.calls_per_second, self.0.longest_wait));
        Arc::clone(gates.entry(key).or_insert_with(new))
    }
}

impl Limit for RateLimit {
    type Pass = Pass;

    /// Cancelling gives the place to the next in the queue.
    async fn pass(&self, key: u64) -> Result<Pass, TransportError> {
        let turn = self.gate(key).pass().await;
        turn.map_err(|TurnedAway| {
            TransportError::new(TransportErrorKind::RateLimited, Delivery::NotSent)
        })
    }

    async fn close(&self, key: u64, pause: Option<Duration>) {
        self.gate(key).close(pause);
    }
}

impl fmt::Debug for RateLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimit")
            .field("calls_per_second", &self.0.calls_per_second)
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
            let (key, deadline) = (call.rate_limit_key, call.deadline);
            #[cfg(feature = "metrics")]
            let (operation, started) = (call.operation, Instant::now());
            let pass = before_sending(deadline, self.limit.pass(key)).await?;
            #[cfg(feature = "metrics")]
            measure::rate_limit_wait(operation, started.elapsed());
            let result = self.inner.send_unboxed(request).await;
            drop(pass);
            let response = result?;
            if response.status() == StatusCode::TOO_MANY_REQUESTS {
                self.limit.close(key, retry_after(&response)).await;
                #[cfg(feature = "metrics")]
                measure::rate_limit_pause(operation);
            }
            Ok(response)
        }
    }
}
