//! Never more calls in a second than the service allows.
//!
//! The service counts calls per application and tenant, so a limit has a gate per key, shared by
//! every clone. A gate spaces calls evenly rather than in bursts: sixty at once, and sixty more a
//! second later, arrive as a hundred and twenty in one second as soon as the network holds up the
//! first of them. Evenly spaced, each second has its own slack: 60 calls take 1.0125 s at first, so
//! a call may be held up by 12 ms before the server counts 61 in any second. How much slack the
//! network needs, the answers 429 tell: each widens the spacing by half a percent, and each other
//! answer narrows it by a two-thousandth of that. A call that is refused now and then waits and is
//! repeated while the others go on. Only the third in a second closes the gate, or one that asks
//! for a long wait.
//!
//! Calls that were held up for longer, for example by a stall of the machine, are recognized by
//! their answers, all of which are late too: the calls that take their places a second later wait
//! that much longer. One slow answer among others is the service's own doing and costs next to
//! nothing. Calls that open a connection are such calls too: before anything is known of the way,
//! a place is free a second after its call was answered.
//!
//! A token bucket (`governor` is a good one) behaves differently: its burst adds to its rate, so a
//! bucket that never passes 60 in any second reaches half of the allowance.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use http::StatusCode;

use crate::{
    call::Call,
    error::TransportError,
    gate::{Gate, Pass, RateLimitState},
    lock::lock,
    measure,
    message::{Request, Response},
    patience::Patience,
    retry_after::retry_after,
    transport::Transport,
    wait::before_sending,
};

/// The number of calls per second that the vendor allows an application in a tenant.
pub const VENDOR_CALLS_PER_SECOND: u32 = 60;

/// How long a gate may stay closed, unless set.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_secs(300);

/// A limit on calls by key: [`RateLimit`] within a process, `SharedLimit` for several.
pub trait Limit: Send + Sync {
    /// What a call that may leave holds until it ends.
    type Pass: Send;

    /// Waits until a call may leave, by its [`rate_limit_key`](Call::rate_limit_key). The call
    /// stops waiting at its deadline, and when it is too late to begin it.
    ///
    /// # Errors
    ///
    /// Returns [`TransportErrorKind::RateLimited`](crate::TransportErrorKind::RateLimited), not
    /// sent, when that would take too long: at once when the gate is known to open after the
    /// deadline. Likewise [`TransportErrorKind::Expired`](crate::TransportErrorKind::Expired), when
    /// it opens after the last moment to begin.
    fn pass(&self, call: &Call) -> impl Future<Output = Result<Self::Pass, TransportError>> + Send;

    /// Takes back the pass of a call that was answered or failed. A call that was abandoned or
    /// timed out may still be on its way: its pass is dropped. A limit that learns nothing from
    /// either need not implement this.
    fn ended(&self, pass: Self::Pass) {
        drop(pass);
    }

    /// Notes an answer 429 that asks for this wait. A limit that learns nothing from it closes the
    /// gate.
    fn refused(&self, key: u64, asks_for: Option<Duration>) -> impl Future<Output = ()> + Send {
        self.close(key, asks_for)
    }

    /// Closes the gate of this key for all callers: as long as an answer 429 asks or, if it names
    /// no time, longer with each one in a row. Never opens it earlier than another answer asked.
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
pub struct RateLimit {
    longest_wait: Duration,
    shared: Arc<Shared>,
}

/// What the clones of a limit share.
struct Shared {
    calls_per_second: u32,
    /// One process serves few tenants: finding the gate takes less than hashing the key would.
    gates: Mutex<BTreeMap<u64, Arc<Gate>>>,
}

impl RateLimit {
    /// Creates a limit of that many calls in any second, at least one.
    #[must_use]
    pub fn per_second(calls: u32) -> Self {
        Self {
            longest_wait: LONGEST_WAIT,
            shared: Arc::new(Shared { calls_per_second: calls, gates: Mutex::default() }),
        }
    }

    /// Sets how long a closed gate may stay closed before its callers get an error instead of
    /// waiting; 5 minutes by default. Clones with another time still share the limit.
    #[must_use]
    pub fn longest_wait(mut self, wait: Duration) -> Self {
        self.longest_wait = wait;
        self
    }

    /// Returns what the gate of this key is doing.
    #[must_use]
    pub fn state(&self, key: u64) -> RateLimitState {
        self.gate(key).report()
    }

    fn gate(&self, key: u64) -> Arc<Gate> {
        let mut gates = lock(&self.shared.gates);
        let new = || Arc::new(Gate::new(self.shared.calls_per_second));
        Arc::clone(gates.entry(key).or_insert_with(new))
    }
}

impl Limit for RateLimit {
    type Pass = Pass;

    /// Cancelling gives the place to the next in the queue.
    async fn pass(&self, call: &Call) -> Result<Pass, TransportError> {
        let patience = Patience::of(call, self.longest_wait);
        Ok(self.gate(call.rate_limit_key).pass(patience).await?)
    }

    fn ended(&self, pass: Pass) {
        pass.ended();
    }

    async fn refused(&self, key: u64, asks_for: Option<Duration>) {
        self.gate(key).refused(asks_for);
    }

    async fn close(&self, key: u64, pause: Option<Duration>) {
        self.gate(key).close(pause);
    }
}

impl fmt::Debug for RateLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimit")
            .field("calls_per_second", &self.shared.calls_per_second)
            .field("longest_wait", &self.longest_wait)
            .finish_non_exhaustive()
    }
}

/// A transport whose calls wait for their turn. Made by
/// [`TransportExt::with_rate_limit`](crate::TransportExt::with_rate_limit).
///
/// An answer 429 spaces the calls of its key wider. The third in a second, or one that asks for more
/// than two seconds, closes the gate for as long as the answer says. A call whose deadline
/// passes before it opens again fails at once, as
/// [`TransportErrorKind::RateLimited`](crate::TransportErrorKind::RateLimited), and so does one that
/// is [too old to begin](Call::begin_by) then, as
/// [`TransportErrorKind::Expired`](crate::TransportErrorKind::Expired).
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
            let &Call { operation, rate_limit_key: key, .. } = call;
            let waiting = measure::Waiting::new(operation);
            let pass = before_sending(call, self.limit.pass(call)).await?;
            waiting.ends();
            let result = self.inner.send_unboxed(request).await;
            match &result {
                // It may still be on its way, so its end says nothing about the way.
                Err(error) if error.is_timeout() => drop(pass),
                _ => self.limit.ended(pass),
            }
            let response = result?;
            if response.status() == StatusCode::TOO_MANY_REQUESTS {
                let retry_after = retry_after(&response);
                tracing::debug!(?retry_after, "the rate limit was exceeded");
                self.limit.refused(key, retry_after).await;
                measure::rate_limit_pause(operation);
            }
            Ok(response)
        }
    }
}
