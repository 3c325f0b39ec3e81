//! Repeating what may be repeated, and nothing else.
//!
//! Whether to repeat is a pure function, [`RetryPolicy::decide`]; the loop around it waits.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use http::StatusCode;
use tokio::time::{Instant, sleep, timeout};
use tracing::{Instrument, field};

#[cfg(feature = "metrics")]
use crate::measure;
use crate::{
    Attempts, Call, Delivery, Effect, Request, Response, Transport, TransportError,
    TransportErrorKind, problem, replay::Replay, retry_after, trace,
};

/// When to repeat, how often, after which waits.
///
/// Waits grow exponentially with full jitter: each is drawn between nothing and a bound that
/// doubles. An answer that names a wait is given it.
///
/// | What happened | read | idempotent write | creation |
/// |---|---|---|---|
/// | not sent; 429; 409 for maintenance | yes | yes | yes |
/// | 502, 503, 504; reset; time-out | yes | yes | no |
/// | 500 | yes | no | no |
/// | anything else | no | no | no |
///
/// ```
/// use std::time::Duration;
/// use crm_transport::RetryPolicy;
///
/// let policy = RetryPolicy::default().attempts(5).total_time(Duration::from_secs(60));
/// # let _ = policy;
/// ```
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub struct RetryPolicy {
    attempts: u32,
    total_time: Duration,
    first_wait: Duration,
    longest_wait: Duration,
    budget_ratio: f64,
    budget_reserve: f64,
}

impl Default for RetryPolicy {
    /// At most 5 attempts within 5 minutes; waits of up to 200 ms, then 400 ms, …, 20 s; in
    /// the long run one repeat for every five calls, with 50 in reserve.
    fn default() -> Self {
        Self {
            attempts: 5,
            total_time: Duration::from_secs(300),
            first_wait: Duration::from_millis(200),
            longest_wait: Duration::from_secs(20),
            budget_ratio: 0.2,
            budget_reserve: 50.0,
        }
    }
}

/// What became of one attempt.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Outcome {
    /// An answer: its status, whether it speaks of maintenance, and the wait it asks for.
    Answer(StatusCode, bool, Option<Duration>),
    /// No answer.
    Error(TransportErrorKind, Delivery),
}

/// What to do after an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Decision {
    /// Hand the outcome to the caller.
    Stop,
    /// Repeat at once; costs no budget.
    AtOnce,
    /// Repeat after a wait drawn between nothing and this bound.
    Within(Duration),
    /// Repeat after just this wait, as the answer asked.
    After(Duration),
}

impl RetryPolicy {
    /// Repeats nothing.
    pub fn never() -> Self {
        Self::default().attempts(1)
    }

    /// How many attempts a call may have, the first included.
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts.max(1);
        self
    }

    /// How long a call may take with all its attempts and waits: a repeat is cut off then. The
    /// first attempt has the time of its [`Call`] or of the transport.
    pub fn total_time(mut self, time: Duration) -> Self {
        self.total_time = time;
        self
    }

    /// The bound of the first wait, and of the longest.
    pub fn waits(mut self, first: Duration, longest: Duration) -> Self {
        self.first_wait = first;
        self.longest_wait = longest;
        self
    }

    /// How many repeats each call adds to the shared budget, and how many it starts with and
    /// holds at most. An outage uses it up; then calls fail after their first attempt.
    pub fn budget(mut self, per_call: f64, reserve: u32) -> Self {
        self.budget_ratio = per_call.max(0.0);
        self.budget_reserve = f64::from(reserve);
        self
    }

    /// What to do after attempt number `attempt`, counted from 1.
    #[must_use]
    pub fn decide(&self, attempt: u32, effect: Effect, outcome: Outcome) -> Decision {
        use {Delivery::*, TransportErrorKind::*};

        if attempt >= self.attempts {
            return Decision::Stop;
        }
        let doublings = attempt.saturating_sub(1).min(16);
        let doubled = self.first_wait.saturating_mul(1 << doublings);
        let back_off = Decision::Within(doubled.min(self.longest_wait));
        let repeat_if = |may| if may { back_off } else { Decision::Stop };
        match outcome {
            Outcome::Answer(status, maintenance, wait) => {
                let may = match status.as_u16() {
                    429 => true,
                    409 => maintenance,
                    500 => effect == Effect::Read,
                    502..=504 => effect != Effect::Creates,
                    _ => false,
                };
                match wait {
                    Some(wait) if may => Decision::After(wait),
                    _ => repeat_if(may),
                }
            }
            Outcome::Error(ClosedWhileIdle, NotSent) => Decision::AtOnce,
            Outcome::Error(Connect | Timeout | TokenEndpoint, NotSent) => back_off,
            Outcome::Error(Timeout | Reset | ClosedWhileIdle | IncompleteAnswer, Unknown) => {
                repeat_if(effect != Effect::Creates)
            }
            Outcome::Error(..) => Decision::Stop,
        }
    }
}

/// The repeats that all calls of a transport share, so that an outage is not multiplied.
#[derive(Debug)]
struct Budget {
    left: Mutex<f64>,
    per_call: f64,
    most: f64,
}

impl Budget {
    fn deposit(&self) {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        *left = (*left + self.per_call).min(self.most);
    }

    fn withdraw(&self) -> bool {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let enough = *left >= 1.0;
        if enough {
            *left -= 1.0;
        }
        enough
    }
}

/// A transport that repeats failed calls by a [`RetryPolicy`]. Made by
/// [`TransportExt::with_retry`](crate::TransportExt::with_retry).
///
/// The answer's extensions, and the error, tell how many [`Attempts`] there were. Each call is a
/// `tracing` span, each repeat an event in it with its reason.
#[derive(Clone)]
pub struct WithRetry<T> {
    inner: T,
    policy: RetryPolicy,
    budget: Arc<Budget>,
}

impl<T: Transport> WithRetry<T> {
    pub(crate) fn new(inner: T, policy: RetryPolicy) -> Self {
        let budget = Arc::new(Budget {
            left: Mutex::new(policy.budget_reserve),
            per_call: policy.budget_ratio,
            most: policy.budget_reserve,
        });
        Self {
            inner,
            policy,
            budget,
        }
    }

    /// The wait before the next attempt; `None` when there is none in the time that is left.
    fn next(&self, decision: Decision, left: Duration) -> Option<Duration> {
        let wait = match decision {
            Decision::Stop => return None,
            Decision::AtOnce => return Some(Duration::ZERO),
            Decision::Within(bound) => bound.mul_f64(fastrand::f64()),
            Decision::After(wait) => wait,
        };
        (wait < left && self.budget.withdraw()).then_some(wait)
    }
}

impl<T: fmt::Debug> fmt::Debug for WithRetry<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WithRetry")
            .field("inner", &self.inner)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl<T: Transport> Transport for WithRetry<T> {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        self.send_unboxed(request).await
    }

    fn send_unboxed(
        &self,
        request: Request,
    ) -> impl Future<Output = Result<Response, TransportError>> + Send {
        async move {
            let started = Instant::now();
            let &Call {
                operation, effect, ..
            } = Call::of(&request);
            let span = tracing::info_span!(
                "call",
                otel.name = operation,
                attempts = field::Empty,
                http.response.status_code = field::Empty,
                error.type = field::Empty,
            );
            self.budget.deposit();
            let mut replay = Replay::of(&request);
            let sending = self.inner.send_unboxed(request);
            let mut result = sending.instrument(span.clone()).await;
            for attempt in 1.. {
                let outcome = Outcome::of(&result);
                #[cfg(feature = "metrics")]
                measure::attempt(operation, outcome);
                let decision = self.policy.decide(attempt, effect, outcome);
                let left = self.policy.total_time.saturating_sub(started.elapsed());
                let Some(wait) = self.next(decision, left) else {
                    span.record("attempts", attempt);
                    trace::record(&span, &result);
                    #[cfg(feature = "metrics")]
                    measure::call(operation, &result, started.elapsed());
                    return counted(result, attempt);
                };
                tracing::debug!(parent: &span, attempt, ?outcome, ?wait, "repeating");
                #[cfg(feature = "metrics")]
                measure::retry(operation, outcome);
                sleep(wait).await;
                let mut request = replay.into_request();
                replay = Replay::of(&request);
                request.extensions_mut().insert(Attempts(attempt));
                let left = self.policy.total_time.saturating_sub(started.elapsed());
                let sending = within(left, self.inner.send_unboxed(request));
                // Repeats are rare: in a box they make no other call larger.
                result = Box::pin(sending.instrument(span.clone())).await;
            }
            unreachable!("the loop ends by returning")
        }
    }
}

/// The outcome, or after that time an error: whether the request was sent is unknown then.
async fn within(
    time: Duration,
    sending: impl Future<Output = Result<Response, TransportError>>,
) -> Result<Response, TransportError> {
    let too_late = TransportError::new(TransportErrorKind::Timeout, Delivery::Unknown);
    timeout(time, sending).await.unwrap_or(Err(too_late))
}

fn counted(
    result: Result<Response, TransportError>,
    attempts: u32,
) -> Result<Response, TransportError> {
    match result {
        Ok(mut response) => {
            if attempts > 1 {
                response.extensions_mut().insert(Attempts(attempts));
            }
            Ok(response)
        }
        Err(error) => Err(error.with_attempts(attempts)),
    }
}

impl Outcome {
    pub(crate) fn of(result: &Result<Response, TransportError>) -> Self {
        match result {
            Ok(response) if response.status().is_success() => {
                Self::Answer(response.status(), false, None)
            }
            Ok(response) => Self::Answer(
                response.status(),
                speaks_of_maintenance(response),
                retry_after(response),
            ),
            Err(error) => Self::Error(error.kind(), error.delivery()),
        }
    }
}

/// Whether a conflict is a service that is down for a while.
fn speaks_of_maintenance(response: &Response) -> bool {
    let conflict = response.status() == StatusCode::CONFLICT;
    let title = conflict.then(|| problem::title(response)).flatten();
    title.is_some_and(|title| {
        let title = title.to_lowercase();
        ["maintenance", "try again later", "try later"]
            .iter()
            .any(|words| title.contains(words))
    })
}
