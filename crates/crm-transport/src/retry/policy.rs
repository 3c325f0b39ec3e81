//! When to repeat: [`RetryPolicy::decide`], a pure function.

use std::time::Duration;

use crate::{
    call::{Call, Effect},
    error::{Delivery, TransportErrorKind},
    outcome::AttemptOutcome,
};

/// When to repeat a call, how often, and after which waits.
///
/// Waits grow exponentially with full jitter: each is drawn between zero and a bound that doubles.
/// If an answer names a wait, it is waited for at least that long.
///
/// | What happened | read | idempotent write | creation, bounded write |
/// |---|---|---|---|
/// | an error that no repeat heals ([`is_permanent`](TransportErrorKind::is_permanent)), that a layer has waited for (kinds `TokenEndpoint`, `RateLimited`), refuses for now (`RefusedForNow`), or that wants a new decision (`Expired`, `BudgetSpent`) | no | no | no |
/// | any other error, surely not executed; 429; 409 for maintenance | yes | yes | yes |
/// | any other error; 502, 503, 504 | yes | yes | no |
/// | 408, 500 and above, but not 501 | yes | no | no |
/// | any other answer | no | no | no |
///
/// A bounded write is one with a last moment to begin ([`Call::begin_by`]): it was decided on what
/// a read showed. Once it may have been carried out, a repeat needs a fresh look, and that is up to
/// its caller. No call is repeated after its last moment to begin, whatever it does.
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
    pub(super) total_time: Duration,
    first_wait: Duration,
    longest_wait: Duration,
    pub(super) budget_ratio: f64,
    pub(super) budget_reserve: f64,
}

impl Default for RetryPolicy {
    /// At most 5 attempts within 5 minutes; waits of up to 200 ms, then 400 ms, …, 20 s; in the
    /// long run one repeat for every five successes, with 50 in reserve for each ten minutes.
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

/// What to do after an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Decision {
    /// Hand the outcome to the caller.
    Stop,
    /// Repeat after a wait drawn between zero and `within`, but of at least `at_least`.
    #[non_exhaustive]
    Repeat {
        /// The bound of the drawn wait.
        within: Duration,
        /// What the answer asked for.
        at_least: Duration,
        /// What the repeat costs of the budget.
        cost: RepeatCost,
    },
}

/// What a repeat costs of the budget that all calls of a transport share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RepeatCost {
    /// Nothing: what failed keeps its callers away by itself.
    Nothing,
    /// Nothing for the first 64 in 50 s, since an idle connection failed and not the service; after
    /// that one.
    OneOverStale,
    /// One.
    One,
}

impl RetryPolicy {
    /// Returns a policy that repeats nothing.
    pub fn never() -> Self {
        Self::default().attempts(1)
    }

    /// Sets how many attempts a call may have, the first included.
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts.max(1);
        self
    }

    /// Sets how long a call may take with all its attempts and waits, including those for the rate
    /// limit and for a token. What is still in progress then is cut off. If an answer 429 has
    /// closed the rate limit's gate for longer than is left, the call ends at once, as
    /// [`RateLimited`](TransportErrorKind::RateLimited). A call may have a
    /// [`deadline`](crate::Call::deadline) before that.
    pub fn total_time(mut self, time: Duration) -> Self {
        self.total_time = time;
        self
    }

    /// Sets the bound of the first wait, and of the longest.
    pub fn waits(mut self, first: Duration, longest: Duration) -> Self {
        self.first_wait = first;
        self.longest_wait = longest;
        self
    }

    /// Sets how many repeats each success adds to the shared budget, and how many the budget starts
    /// with and holds at most; separately for reads and for writes. An outage uses it up; calls
    /// then fail after their first attempt, until one succeeds. Time fills it too, but not during
    /// an outage: ten minutes after a success it is full again, however few calls there are.
    ///
    /// Once a write was not answered, and until one succeeds, writes that may have been carried out
    /// are sent again one at a time. The others wait for the outcome of that one. What such a write
    /// has cost is returned when it succeeds: it has multiplied nothing.
    ///
    /// A repeat after an answer 429 costs nothing, since the rate limit bounds it, and neither
    /// does one while the server of a shared limit is unavailable. So have
    /// [`with_rate_limit`](crate::TransportExt::with_rate_limit) below.
    pub fn budget(mut self, per_success: f64, reserve: u32) -> Self {
        self.budget_ratio = per_success.max(0.0);
        self.budget_reserve = f64::from(reserve);
        self
    }

    /// Decides what to do after attempt number `attempt` of this call, counted from 1.
    #[must_use]
    pub fn decide(&self, attempt: u32, call: &Call, outcome: AttemptOutcome) -> Decision {
        use Delivery::*;
        use TransportErrorKind::*;

        let effect = call.effect;
        let may_be_twice = match effect {
            Effect::Read => true,
            Effect::Idempotent => call.begin_by.is_none(),
            Effect::Creates => false,
        };
        let may = match outcome {
            AttemptOutcome::Error { kind, .. } if kind.is_permanent() => false,
            // A layer below has waited as long as a call may or wants no calls now, or the caller
            // has to decide again.
            AttemptOutcome::Error {
                kind: TokenEndpoint | RateLimited | RefusedForNow | Expired | BudgetSpent,
                ..
            } => false,
            AttemptOutcome::Error { delivery, .. } => delivery == NotExecuted || may_be_twice,
            AttemptOutcome::Answer { status, maintenance, .. } => match status.as_u16() {
                429 => true,
                409 => maintenance,
                // Of a gateway: it cannot say whether the service has done it.
                502..=504 => may_be_twice,
                // RFC 9110, section 15.6.2: the method is not known there, and will not be.
                501 => false,
                // Of the service itself, which may fail over this request each time.
                408 | 500..=599 => effect == Effect::Read,
                _ => false,
            },
        };
        if !may || attempt >= self.attempts {
            return Decision::Stop;
        }
        // No shift beyond the width of the factor; from 16 doublings on the longest wait decides.
        let doublings = attempt.saturating_sub(1).min(16);
        let doubled = self.first_wait.saturating_mul(1 << doublings);
        // Only a pooled connection was stale: another one is available at once. The second time, it
        // may be a busy server that says so by not accepting the request.
        let at_once = attempt == 1
            && matches!(
                outcome,
                AttemptOutcome::Error { kind: ClosedWhileIdle, delivery: NotExecuted }
            );
        Decision::Repeat {
            within: if at_once { Duration::ZERO } else { doubled.min(self.longest_wait) },
            at_least: outcome.asked_wait(),
            cost: match outcome {
                _ if outcome.has_its_own_back_off() => RepeatCost::Nothing,
                _ if at_once => RepeatCost::OneOverStale,
                _ => RepeatCost::One,
            },
        }
    }
}
