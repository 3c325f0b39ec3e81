//! Repeating what may be repeated, and nothing else.
//!
//! What that is the policy says; the loop here waits.

mod policy;

use std::{
    fmt,
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use tokio::time::{Instant, sleep, timeout_at};
use tracing::{Instrument, field};

pub use self::policy::{Decision, Outcome, RetryPolicy};
use crate::{
    Attempts, Call, Delivery, Request, Response, Transport, TransportError, TransportErrorKind,
    call::not_begun, measure, replay::Replay, trace,
};

/// The repeats that all calls of a transport share, so that an outage is not multiplied.
#[derive(Debug)]
struct Budget {
    /// The repeats that are left, and when the last call came.
    left: Mutex<(f64, Instant)>,
    per_call: f64,
    most: f64,
}

/// After so long an empty budget is full again, however few calls there are.
const FULL_AGAIN: Duration = Duration::from_secs(600);

impl Budget {
    /// For a call that begins now.
    fn deposit(&self, now: Instant) {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let (left, last_call) = &mut *left;
        let passed = now.saturating_duration_since(*last_call);
        let with_time = self.most * passed.div_duration_f64(FULL_AGAIN);
        *left = (*left + self.per_call + with_time).min(self.most);
        // Another call may have begun later and come here first.
        *last_call = now.max(*last_call);
    }

    fn withdraw(&self) -> bool {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let enough = left.0 >= 1.0;
        if enough {
            left.0 -= 1.0;
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
            left: Mutex::new((policy.budget_reserve, Instant::now())),
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
            self.budget.deposit(started);
            let mut replay = Replay::of(&request);
            let mut result = if deadline.is_some_and(|deadline| deadline <= started) {
                Err(not_begun())
            } else {
                // Stays where it is: it is large.
                let sending = pin!(self.inner.send_unboxed(request));
                within(deadline, sending.instrument(span.clone())).await
            };
            let mut earlier = Delivery::NotExecuted;
            let mut attempt = 1;
            loop {
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
                attempt += 1;
            }
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
