//! Which requests meet which faults.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use http::Method;
use serde::{Deserialize, Serialize};

use super::Fault;
use crate::clock::TICKS_PER_SECOND;
use crate::routes;

/// A plan of faults that could never do what it says.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidFaultPlan {
    /// A rule asks for an operation that the API does not have.
    #[error(
        "there is no operation {0:?}: `/openapi.json` lists them, `Token` is the token endpoint"
    )]
    Operation(String),
    /// The rate of a random fault is no share of requests.
    #[error("the rate of {fault} is {rate}, not from 0 to 1")]
    Rate {
        /// The fault's name.
        fault: &'static str,
        /// The rate.
        rate: f64,
    },
    /// A fault is to answer with a status that it cannot have.
    #[error(
        "the status of {fault} is {status}, not from 400 to 599; `html` takes 200 too, and `answer` takes any from 200"
    )]
    Status {
        /// The fault's name.
        fault: &'static str,
        /// The status.
        status: u16,
    },
}

/// One scripted fault: which requests it meets and what happens to them.
///
/// ```
/// use crm_sandbox::{Fault, FaultRule};
/// // The third update is done, but its answer is lost.
/// let rule = FaultRule::new(Fault::LostAnswer)
///     .operation("Locations_UpdateContact")
///     .nth(3);
/// # let _ = rule;
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[must_use]
pub struct FaultRule {
    pub(super) fault: Fault,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    operation: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    method: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    /// Matching requests to let pass first.
    #[serde(default)]
    skip: u32,
    /// Requests to meet; 0 for all that follow. None: one, or all that
    /// follow where `lasting` ends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    times: Option<u32>,
    #[serde(
        default,
        rename = "lastingMilliseconds",
        skip_serializing_if = "Option::is_none"
    )]
    lasting: Option<u64>,
}

/// How far a rule is.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// Matching requests seen so far.
    seen: u32,
    /// When it was due for the first time, in ticks.
    began: Option<i64>,
    /// Faults injected so far: an ordinary refusal goes before some.
    pub(super) met: Arc<AtomicU32>,
}

impl FaultRule {
    /// Meets the first request of any kind.
    pub fn new(fault: Fault) -> Self {
        Self {
            fault,
            operation: None,
            method: None,
            path: None,
            skip: 0,
            times: None,
            lasting: None,
        }
    }

    /// Only requests of this operation id; `Token` is the token endpoint. A
    /// plan with an id that the API does not have is refused.
    pub fn operation(mut self, id: impl Into<String>) -> Self {
        self.operation = Some(id.into());
        self
    }

    /// Only requests with this method.
    pub fn method(mut self, method: impl Into<String>) -> Self {
        self.method = Some(method.into());
        self
    }

    /// Only requests whose path contains this text.
    pub fn path(mut self, part: impl Into<String>) -> Self {
        self.path = Some(part.into());
        self
    }

    /// Lets matching requests pass until the nth, counted from 1.
    pub fn nth(mut self, nth: u32) -> Self {
        self.skip = nth.saturating_sub(1);
        self
    }

    /// Meets so many requests in a row; 0 means all that follow.
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// Meets requests for so long, in whole milliseconds on the sandbox's
    /// clock, from the first one that it meets: all of them, unless
    /// [`times`](Self::times) says how many at most.
    ///
    /// ```
    /// use std::time::Duration;
    /// use crm_sandbox::{Fault, FaultRule};
    /// // For four seconds every update is answered 429.
    /// let fault = Fault::TooManyRequests { seconds: 4, retry_after: true };
    /// let rule = FaultRule::new(fault).method("PATCH").lasting(Duration::from_secs(4));
    /// # let _ = rule;
    /// ```
    pub fn lasting(mut self, time: Duration) -> Self {
        self.lasting = Some(u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
        self
    }

    pub(super) fn matches(&self, operation: &str, method: &Method, path: &str) -> bool {
        self.operation.as_deref().is_none_or(|id| id == operation)
            && self
                .method
                .as_deref()
                .is_none_or(|m| method.as_str().eq_ignore_ascii_case(m))
            && self.path.as_deref().is_none_or(|part| path.contains(part))
    }

    /// Counts a matching request and says whether the fault is due at it.
    pub(super) fn is_due(&self, progress: &mut Progress, now: i64) -> bool {
        progress.seen = progress.seen.saturating_add(1);
        if progress.seen <= self.skip {
            return false;
        }
        let times = self.most();
        let began = *progress.began.get_or_insert(now);
        let end = self.lasting.map(|milliseconds| {
            let time = i64::try_from(milliseconds).unwrap_or(i64::MAX);
            began.saturating_add(time.saturating_mul(TICKS_PER_SECOND / 1000))
        });
        (times == 0 || progress.seen <= self.skip.saturating_add(times))
            && end.is_none_or(|end| now < end)
    }

    /// Whether fewer faults were injected than it asks for, or none at all.
    pub(super) fn is_unmet(&self, progress: &Progress) -> bool {
        progress.met.load(Ordering::Relaxed) < self.most().max(1)
    }

    /// Requests to meet; 0 for no limit.
    fn most(&self) -> u32 {
        let unless_told = if self.lasting.is_some() { 0 } else { 1 };
        self.times.unwrap_or(unless_told)
    }
}

/// All faults that a sandbox is to inject: rules in order, then chance.
///
/// It reads and writes JSON, for files and for the admin endpoint.
///
/// ```
/// use crm_sandbox::{Fault, FaultPlan, FaultRule};
/// let plan = FaultPlan::new()
///     .rule(FaultRule::new(Fault::Status { status: 503 }).times(2))
///     .seed(7)
///     .random(Fault::ResetDuringAnswer, 0.05)
///     .random(Fault::LostAnswer, 0.05);
/// let text = serde_json::to_string(&plan)?;
/// assert_eq!(serde_json::from_str::<FaultPlan>(&text)?, plan);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[must_use]
pub struct FaultPlan {
    pub(super) rules: Vec<FaultRule>,
    pub(super) seed: u64,
    pub(super) random: Vec<RandomFault>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RandomFault {
    pub(super) fault: Fault,
    pub(super) rate: f64,
}

impl FaultPlan {
    /// No faults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a scripted fault. The first rule that meets a request decides.
    pub fn rule(mut self, rule: FaultRule) -> Self {
        self.rules.push(rule);
        self
    }

    /// The seed of the random faults: the same seed and the same order of
    /// requests give the same faults, however many connections they take. What
    /// meets connections follows their order in the same way.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Adds a random fault that meets this share of all requests, 0 to 1; a
    /// plan with another rate is refused.
    pub fn random(mut self, fault: Fault, rate: f64) -> Self {
        self.random.push(RandomFault { fault, rate });
        self
    }

    /// Whether every operation is known, every status can be answered, and every rate is one.
    pub(crate) fn check(&self) -> Result<(), InvalidFaultPlan> {
        let operations = routes::operations();
        let known = |id: &str| id == "Token" || operations.iter().any(|known| known.id == id);
        let mut asked = self
            .rules
            .iter()
            .filter_map(|rule| rule.operation.as_deref());
        if let Some(unknown) = asked.find(|id| !known(id)) {
            return Err(InvalidFaultPlan::Operation(unknown.to_owned()));
        }
        let scripted = self.rules.iter().map(|rule| &rule.fault);
        for fault in scripted.chain(self.random.iter().map(|random| &random.fault)) {
            if let Some(status) = fault.impossible_status() {
                let fault = fault.name();
                return Err(InvalidFaultPlan::Status { fault, status });
            }
        }
        let mut random = self.random.iter();
        match random.find(|random| !(0.0..=1.0).contains(&random.rate)) {
            None => Ok(()),
            Some(random) => Err(InvalidFaultPlan::Rate {
                fault: random.fault.name(),
                rate: random.rate,
            }),
        }
    }

    /// The faults of a bad network and of a service under strain, together at about this rate, with
    /// short delays; none of those that answer something untrue. An answer 429 asks to
    /// wait for so many seconds; since it makes all callers wait, it is a hundred times rarer than
    /// the others.
    pub fn mixed(seed: u64, rate: f64, retry_after: u32) -> Self {
        let faults = [
            Fault::ResetConnection,
            Fault::ResetBeforeRequest,
            Fault::ResetDuringRequest,
            Fault::ResetAfterRequest,
            Fault::ResetBeforeAnswer,
            Fault::ResetDuringAnswer,
            Fault::ResetAfterAnswer,
            Fault::Delay { milliseconds: 20 },
            Fault::Drip {
                bytes: 64,
                milliseconds: 1,
            },
            Fault::WrongLength { difference: 10 },
            Fault::WrongLength { difference: -10 },
            Fault::Garbage,
            Fault::GarbageBody,
            Fault::Html { status: 503 },
            Fault::Status { status: 500 },
            Fault::Status { status: 502 },
            Fault::Status { status: 504 },
            Fault::Unauthorized,
            Fault::Maintenance,
            Fault::LostAnswer,
        ];
        let each = rate / faults.len() as f64;
        let plan = faults
            .into_iter()
            .fold(Self::new().seed(seed), |plan, fault| {
                plan.random(fault, each)
            });
        [true, false].into_iter().fold(plan, |plan, told| {
            let fault = Fault::TooManyRequests {
                seconds: retry_after,
                retry_after: told,
            };
            plan.random(fault, each / 100.0)
        })
    }
}
