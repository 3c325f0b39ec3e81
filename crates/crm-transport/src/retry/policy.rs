//! When to repeat: [`RetryPolicy::decide`], a pure function.

use std::time::Duration;

use http::StatusCode;

use crate::{Delivery, Effect, Response, TransportError, TransportErrorKind, problem, retry_after};

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
    pub(super) total_time: Duration,
    first_wait: Duration,
    longest_wait: Duration,
    pub(super) budget_ratio: f64,
    pub(super) budget_reserve: f64,
}

impl Default for RetryPolicy {
    /// At most 5 attempts within 5 minutes; waits of up to 200 ms, then 400 ms, …, 20 s; in
    /// the long run one repeat for every five calls, with 50 in reserve for each ten minutes.
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
    /// for a token included. What is still on its way then is cut off. Where an answer 429 has
    /// closed the rate limit's gate for longer than is left, the call ends at once, as
    /// [`RateLimited`](TransportErrorKind::RateLimited). A call may have a
    /// [`deadline`](crate::Call::deadline) before that.
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
    /// holds at most. An outage uses it up; then calls fail after their first attempt. Time fills
    /// it too: after ten minutes it is full again, however few calls there are.
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
                kind: TokenEndpoint | RateLimited | Expired | BudgetSpent,
                ..
            } => false,
            Outcome::Error { delivery, .. } => delivery == NotExecuted || effect != Effect::Creates,
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
                    delivery: NotExecuted
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
    pub(super) fn delivery(self) -> Delivery {
        match self {
            Self::Answer { status, .. } if status.is_success() => Delivery::Unknown,
            Self::Answer { status, .. } if status.is_server_error() => Delivery::Unknown,
            Self::Answer { status, .. } if status == StatusCode::REQUEST_TIMEOUT => {
                Delivery::Unknown
            }
            Self::Answer { .. } => Delivery::NotExecuted,
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
