//! Repeating what may be repeated, and nothing else.
//!
//! Whether to repeat is a pure function, [`RetryPolicy::decide`]; the loop around it waits.

use std::{
    fmt,
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use http::StatusCode;
use tokio::time::{Instant, sleep, timeout_at};
use tracing::{Instrument, field};

use crate::{
    Attempts, Call, Delivery, Effect, Request, Response, Transport, TransportError,
    TransportErrorKind, call::not_begun, measure, problem, replay::Replay, retry_after, trace,
};

/// When to repeat, how often, after which waits.
///
/// Waits grow exponentially with full jitter: each is drawn between nothing and a bound that
/// doubles. An answer that names a wait is given that at least.
///
/// | What happened | read | idempotent write | creation |
/// |---|---|---|---|
/// | an error that no repeat heals ([`is_permanent`](TransportErrorKind::is_permanent)), or that a layer has waited for (kinds `TokenEndpoint`, `RateLimited`) | no | no | no |
/// | any other error, not sent; 429; 409 for maintenance | yes | yes | yes |
/// | any other error; 502, 503, 504 | yes | yes | no |
/// | 408, 500 and above, but not 501 | yes | no | no |
/// | any other answer | no | no | no |
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
    /// An answer.
    Answer {
        /// Its status.
        status: StatusCode,
        /// Whether it speaks of maintenance.
        maintenance: bool,
        /// The wait that it asks for.
        retry_after: Option<Duration>,
    },
    /// No answer.
    Error {
        /// Why.
        kind: TransportErrorKind,
        /// Whether the request may have been executed.
        delivery: Delivery,
    },
}

/// What to do after an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Decision {
    /// Hand the outcome to the caller.
    Stop,
    /// Repeat after a wait drawn between nothing and `within`, but of `at_least` that long.
    #[non_exhaustive]
    Repeat {
        /// The bound of the drawn wait.
        within: Duration,
        /// What the answer asked for.
        at_least: Duration,
        /// Whether it costs no budget: what failed was not the service.
        is_free: bool,
    },
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

    /// How long a call may take with all its attempts and waits, the one for the rate limit and
    /// for a token included. What is still on its way then is cut off. A [`Call`] may have a
    /// [`deadline`](Call::deadline) before that.
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
    ///
    /// A repeat after an answer 429 costs none, for the closed gate bounds it, nor does one while
    /// the server of a shared limit is away. So have
    /// [`with_rate_limit`](crate::TransportExt::with_rate_limit) below.
    pub fn budget(mut self, per_call: f64, reserve: u32) -> Self {
        self.budget_ratio = per_call.max(0.0);
        self.budget_reserve = f64::from(reserve);
        self
    }

    /// What to do after attempt number `attempt`, counted from 1.
    #[must_use]
    pub fn decide(&self, attempt: u32, effect: Effect, outcome: Outcome) -> Decision {
        use {Delivery::*, TransportErrorKind::*};

        let may = match outcome {
            Outcome::Error { kind, .. } if kind.is_permanent() => false,
            // A layer below has waited as long as a call may.
            Outcome::Error {
                kind: TokenEndpoint | RateLimited,
                ..
            } => false,
            Outcome::Error { delivery, .. } => delivery == NotSent || effect != Effect::Creates,
            Outcome::Answer {
                status,
                maintenance,
                ..
            } => match status.as_u16() {
                429 => true,
                409 => maintenance,
                502..=504 => effect != Effect::Creates,
                501 => false,
                408 | 500..=599 => effect == Effect::Read,
                _ => false,
            },
        };
        if !may || attempt >= self.attempts {
            return Decision::Stop;
        }
        let doublings = attempt.saturating_sub(1).min(16);
        let doubled = self.first_wait.saturating_mul(1 << doublings);
        // Only a pooled connection was stale: there is another one at once. A second time, a
        // server may be busy that says so by not taking the request on.
        let at_once = attempt == 1
            && matches!(
                outcome,
                Outcome::Error {
                    kind: ClosedWhileIdle,
                    delivery: NotSent
                }
            );
        Decision::Repeat {
            within: if at_once {
                Duration::ZERO
            } else {
                doubled.min(self.longest_wait)
            },
            at_least: outcome.asked_wait(),
            is_free: at_once || outcome.has_its_own_back_off(),
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
/// The answer's extensions ([`Attempts`]) and the error tell how many attempts there were, and
/// whether one before the last may have been executed. Each call is a `tracing` span, each repeat
/// an event in it with its reason, and so is one that the budget or the deadline withholds.
#[derive(Clone)]
pub struct WithRetry<T> {
    inner: T,
    policy: RetryPolicy,
    budget: Arc<Budget>,
}

/// What follows an attempt.
enum Next {
    /// The policy wants no other.
    End,
    /// The policy wants another, but this is used up.
    Withheld(&'static str),
    /// Another, after this wait.
    After(Duration),
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

    /// The wait before the next attempt, or why there is none after all.
    fn next(&self, decision: Decision, deadline: Option<Instant>) -> Next {
        let Decision::Repeat {
            within,
            at_least,
            is_free,
        } = decision
        else {
            return Next::End;
        };
        let wait = within.mul_f64(fastrand::f64()).max(at_least);
        let ends_before = |end: Instant| end.saturating_duration_since(Instant::now()) <= wait;
        if deadline.is_some_and(ends_before) {
            Next::Withheld("deadline")
        } else if is_free || self.budget.withdraw() {
            Next::After(wait)
        } else {
            Next::Withheld("budget")
        }
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
        mut request: Request,
    ) -> impl Future<Output = Result<Response, TransportError>> + Send {
        async move {
            let started = Instant::now();
            let end_of_total_time = started.checked_add(self.policy.total_time);
            let call = Call::of_mut(&mut request);
            call.deadline = [call.deadline, end_of_total_time]
                .into_iter()
                .flatten()
                .min();
            let &mut Call {
                operation,
                effect,
                deadline,
                ..
            } = call;
            let span = tracing::info_span!(
                "call",
                otel.name = operation,
                attempts = field::Empty,
                http.response.status_code = field::Empty,
                error.type = field::Empty,
                otel.status_code = field::Empty,
            );
            self.budget.deposit();
            let mut replay = Replay::of(&request);
            let mut result = if deadline.is_some_and(|deadline| deadline <= started) {
                Err(not_begun())
            } else {
                // Stays where it is: it is large.
                let sending = pin!(self.inner.send_unboxed(request));
                within(deadline, sending.instrument(span.clone())).await
            };
            let mut earlier = Delivery::NotSent;
            for attempt in 1.. {
                let outcome = Outcome::of(&result);
                measure::attempt(operation, outcome);
                let decision = self.policy.decide(attempt, effect, outcome);
                let next = self.next(decision, deadline);
                if let Next::Withheld(reason) = next {
                    tracing::debug!(parent: &span, attempt, ?outcome, reason, "not repeating");
                    measure::withheld(operation, reason);
                }
                let Next::After(wait) = next else {
                    span.record("attempts", attempt);
                    trace::record(&span, &result);
                    measure::call(operation, &result, started);
                    return counted(result, attempt, earlier);
                };
                tracing::debug!(parent: &span, attempt, ?outcome, ?wait, "repeating");
                measure::retry(operation, outcome);
                earlier = earlier.and(outcome.delivery());
                sleep(wait).await;
                let mut request = replay.into_request();
                Call::of_mut(&mut request).resend_count = attempt;
                replay = Replay::of(&request);
                // Repeats are rare: in a box they make no other call larger.
                let sending = Box::pin(self.inner.send_unboxed(request));
                result = within(deadline, sending.instrument(span.clone())).await;
            }
            unreachable!("the loop ends by returning")
        }
    }
}

/// The outcome, or at the deadline an error: whether the request was sent is unknown then, unless
/// a layer below has seen that it was not.
async fn within(
    deadline: Option<Instant>,
    sending: impl Future<Output = Result<Response, TransportError>>,
) -> Result<Response, TransportError> {
    let Some(deadline) = deadline else {
        return sending.await;
    };
    let too_late = || TransportError::new(TransportErrorKind::Timeout, Delivery::Unknown);
    let in_time = timeout_at(deadline, sending).await;
    in_time.unwrap_or_else(|_| Err(too_late()))
}

/// The outcome of the last attempt, with what came before it.
fn counted(
    result: Result<Response, TransportError>,
    count: u32,
    earlier: Delivery,
) -> Result<Response, TransportError> {
    match result {
        Ok(mut response) => {
            if count > 1 {
                let attempts = Attempts::new(count, earlier);
                response.extensions_mut().insert(attempts);
            }
            Ok(response)
        }
        Err(error) => Err(error.after(count, earlier)),
    }
}

impl Outcome {
    pub(crate) fn of(result: &Result<Response, TransportError>) -> Self {
        match result {
            Ok(response) if response.status().is_success() => Self::Answer {
                status: response.status(),
                maintenance: false,
                retry_after: None,
            },
            Ok(response) => Self::Answer {
                status: response.status(),
                maintenance: speaks_of_maintenance(response),
                retry_after: retry_after(response),
            },
            Err(error) => Self::Error {
                kind: error.kind(),
                delivery: error.delivery(),
            },
        }
    }

    fn asked_wait(self) -> Duration {
        match self {
            Self::Answer { retry_after, .. } => retry_after.unwrap_or_default(),
            Self::Error { .. } => Duration::ZERO,
        }
    }

    /// Whether what failed keeps its callers away by itself, so that repeats cannot multiply: a
    /// closed gate, or the server of a shared limit.
    fn has_its_own_back_off(self) -> bool {
        match self {
            Self::Answer { status, .. } => status == StatusCode::TOO_MANY_REQUESTS,
            Self::Error { kind, .. } => kind == TransportErrorKind::LimitServer,
        }
    }

    /// Whether the call may have been executed. A refusal was not, but for those of a server or
    /// gateway that lost track.
    fn delivery(self) -> Delivery {
        match self {
            Self::Answer { status, .. } if status.is_success() => Delivery::Unknown,
            Self::Answer { status, .. } if status.is_server_error() => Delivery::Unknown,
            Self::Answer { status, .. } if status == StatusCode::REQUEST_TIMEOUT => {
                Delivery::Unknown
            }
            Self::Answer { .. } => Delivery::NotSent,
            Self::Error { delivery, .. } => delivery,
        }
    }
}

/// Whether a conflict is a service that is down for a while.
fn speaks_of_maintenance(response: &Response) -> bool {
    let conflict = response.status() == StatusCode::CONFLICT;
    let title = conflict.then(|| problem::title(response)).flatten();
    title.is_some_and(|title| problem::speaks_of_maintenance(&title))
}
