//! Repeating what may be repeated, and nothing else.
//!
//! The policy says what that is; the loop here waits.

mod budget;
mod policy;

use std::{fmt, pin::pin, sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio::time::{Instant, sleep, timeout_at};
use tracing::{Instrument, field};

use self::budget::{Budget, Probe};
pub use self::policy::{Decision, RepeatCost, RetryPolicy};
use crate::{
    call::{Call, not_begun},
    error::{Delivery, TransportError, TransportErrorKind},
    measure,
    message::{Request, Response},
    notes::Attempts,
    outcome::AttemptOutcome,
    replay::Replay,
    runtime, trace,
    transport::Transport,
    wait::earlier,
};

/// A transport that repeats failed calls by a [`RetryPolicy`]. Made by
/// [`TransportExt::with_retry`](crate::TransportExt::with_retry).
///
/// The answer's extensions ([`Attempts`]) and the error say how many attempts there were, and
/// whether one before the last may have been executed. Each call is a `tracing` span, each repeat
/// an event in it with its reason, and so is a repeat that the budget, the deadline or the last
/// moment to begin withholds. Outside a tokio runtime nothing is repeated after a wait, and no
/// deadline cuts a call off.
#[derive(Clone)]
pub struct WithRetry<T> {
    inner: T,
    policy: RetryPolicy,
    budget: Arc<Budget>,
}

/// What follows an attempt.
enum Next {
    /// The policy wants no further attempt.
    End,
    /// The policy wants another attempt, but this is used up.
    Withheld(&'static str),
    /// Another attempt, after this wait.
    After(Duration),
}

impl<T: Transport> WithRetry<T> {
    pub(crate) fn new(inner: T, policy: RetryPolicy) -> Self {
        let budget = Budget::new(policy.budget_ratio, policy.budget_reserve);
        Self { inner, policy, budget: Arc::new(budget) }
    }

    /// The wait before the next attempt, or why there is none after all.
    fn next(&self, decision: Decision, call: &Call) -> Next {
        let Decision::Repeat { within, at_least, cost } = decision else {
            return Next::End;
        };
        // Drawn from the whole range, so that calls that failed together do not come back together.
        let wait = within.mul_f64(fastrand::f64()).max(at_least);
        // The bounds first: a repeat that comes too late must not cost one that is in time.
        if let Some(bound) = passed_after(wait, call) {
            Next::Withheld(bound)
        } else if !wait.is_zero() && !runtime::is_here() {
            Next::Withheld(RUNTIME)
        } else if self.budget.withdraw(call.effect, cost) {
            Next::After(wait)
        } else {
            Next::Withheld(BUDGET)
        }
    }

    /// Pays the cost of a call that repeats an earlier write. Calls that may not begin pay nothing.
    async fn pay(&self, call: &Call) -> Result<Probe<'_>, TransportError> {
        let probe = self.probe(call).await;
        let is_paid = |_: &Probe<'_>| self.budget.withdraw(call.effect, RepeatCost::One);
        let spent = || TransportError::new(TransportErrorKind::BudgetSpent, Delivery::NotExecuted);
        probe.filter(is_paid).ok_or_else(spent)
    }

    /// Waits until a write that may have been carried out before may be sent again.
    async fn probe(&self, call: &Call) -> Option<Probe<'_>> {
        let probe = self.budget.probe(call.effect);
        match call.deadline {
            Some(deadline) if runtime::is_here() => {
                timeout_at(deadline, probe).await.ok().flatten()
            }
            _ => probe.await,
        }
    }
}

/// The reason for withholding a repeat that the policy wants: the budget is spent.
const BUDGET: &str = "budget";

/// The reason for withholding a repeat that has to wait: outside a runtime nothing can.
const RUNTIME: &str = "runtime";

/// Checks whether a call may begin.
fn may_begin(call: &Call, now: Instant) -> Result<(), TransportError> {
    match call.deadline {
        Some(deadline) if deadline <= now => Err(not_begun()),
        _ => call.may_begin(),
    }
}

/// Returns which bound of the call has passed after this wait.
fn passed_after(wait: Duration, call: &Call) -> Option<&'static str> {
    let ends_before = |end: Instant| end.saturating_duration_since(Instant::now()) <= wait;
    if call.deadline.is_some_and(ends_before) {
        Some("deadline")
    } else if call.begin_by.is_some_and(|end| end.time_left() <= wait) {
        Some("begin_by")
    } else {
        None
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
            call.deadline = earlier(call.deadline, end_of_total_time);
            let operation = call.operation;
            let span = tracing::info_span!(
                "call",
                otel.name = operation,
                attempts = field::Empty,
                http.response.status_code = field::Empty,
                error.type = field::Empty,
                otel.status_code = field::Empty,
            );
            let mut replay = Replay::of(&request);
            let call = replay.call();
            let mut probe = None;
            let mut may_begin = may_begin(call, started);
            if call.resend && may_begin.is_ok() {
                // Boxed, since it is as rare as a repeat.
                let paid = Box::pin(self.pay(call)).await;
                may_begin = paid.map(|only_one| probe = Some(only_one));
            }
            let mut result = match may_begin {
                Err(error) => Err(error),
                Ok(()) => {
                    // Pinned in place: it is large.
                    let sending = pin!(self.inner.send_unboxed(request));
                    within(call.deadline, sending.instrument(span.clone())).await
                }
            };
            let mut before = Delivery::NotExecuted;
            let mut attempt = 1;
            loop {
                let call = replay.call();
                let outcome = AttemptOutcome::of(&result);
                measure::attempt(operation, outcome);
                // Before the budget is asked for a repeat: it has to know of this failure.
                self.budget.note(call.effect, outcome, probe.take(), started);
                let decision = self.policy.decide(attempt, call, outcome);
                let mut next = self.next(decision, call);
                if let Next::After(wait) = next {
                    tracing::debug!(parent: &span, attempt, ?outcome, ?wait, "repeating");
                    if !wait.is_zero() {
                        sleep(wait).await;
                    }
                    // After the wait, in which another write may have ended the outage.
                    if before.and(outcome.delivery()) == Delivery::Unknown {
                        probe = Box::pin(self.probe(call)).await;
                        if probe.is_none() {
                            next = Next::Withheld(BUDGET);
                        }
                    }
                }
                if let Next::Withheld(reason) = next {
                    tracing::debug!(parent: &span, attempt, ?outcome, reason, "not repeating");
                    measure::withheld(operation, reason);
                }
                let Next::After(_) = next else {
                    span.record("attempts", attempt);
                    trace::record(&span, &result);
                    measure::call(operation, &result, started);
                    return counted(result, attempt, before);
                };
                measure::retry(operation, outcome);
                before = before.and(outcome.delivery());
                let mut request = replay.into_request();
                Call::of_mut(&mut request).resend_count = attempt;
                replay = Replay::of(&request);
                // Repeats are rare: boxed, they make no other call larger.
                let sending = Box::pin(self.inner.send_unboxed(request));
                let deadline = replay.call().deadline;
                result = within(deadline, sending.instrument(span.clone())).await;
                attempt += 1;
            }
        }
    }
}

/// Returns the outcome, or at the deadline an error: whether the request was sent is then unknown,
/// unless a layer below has seen that it was not. Outside a runtime nothing watches the time.
async fn within(
    deadline: Option<Instant>,
    sending: impl Future<Output = Result<Response, TransportError>>,
) -> Result<Response, TransportError> {
    let Some(deadline) = deadline.filter(|_| runtime::is_here()) else {
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
