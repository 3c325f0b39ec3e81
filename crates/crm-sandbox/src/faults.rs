//! Faults that a sandbox injects on request: scripted ones at a chosen
//! request, and random ones at given rates from a seed.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::Method;
use serde::{Deserialize, Serialize};

mod inject;
mod wire;

pub(crate) use inject::{Unread, after, instead, receive};
pub(crate) use wire::{Wire, WiredStream};

/// Something that goes wrong with one request.
///
/// Each fault says whether the request is carried out. Where the request is
/// refused by an ordinary check, that refusal is answered instead of a fault
/// of the kinds `Status`, `Html` and `TooManyRequests`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase"
)]
#[non_exhaustive]
pub enum Fault {
    /// The connection is reset as soon as it is made. Nothing was sent. Rules
    /// with this fault count connections, not requests.
    Refuse,
    /// The connection is reset once the request's head was read. Not carried out.
    ResetBeforeRequest,
    /// The connection is reset once a part of the request's body was read.
    /// Not carried out.
    ResetDuringRequest,
    /// The connection is reset once the whole request was read. Not carried out.
    ResetAfterRequest,
    /// Carried out; the connection is reset before the first byte of the answer.
    ResetBeforeAnswer,
    /// Carried out; the connection is reset within the answer.
    ResetDuringAnswer,
    /// Carried out and answered in full; then the kept-alive connection is reset.
    ResetAfterAnswer,
    /// Carried out; the answer comes late.
    Delay {
        /// Milliseconds before the answer.
        milliseconds: u64,
    },
    /// Carried out; the answer comes in small pieces.
    Drip {
        /// Bytes in a piece.
        bytes: usize,
        /// Milliseconds between the pieces.
        milliseconds: u64,
    },
    /// Carried out; `Content-Length` is off by this many bytes, then the
    /// connection is closed.
    WrongLength {
        /// Added to the true length.
        difference: i64,
    },
    /// Carried out; the answer is not HTTP.
    Garbage,
    /// Carried out; the answer's body is not JSON, though it says so.
    GarbageBody,
    /// An HTML page with this status. Not carried out.
    Html {
        /// The status.
        status: u16,
    },
    /// A problem with this status. Not carried out. On the token endpoint 400
    /// and 401 are the OAuth error `invalid_client`.
    Status {
        /// The status.
        status: u16,
    },
    /// 429. Not carried out.
    TooManyRequests {
        /// Seconds to wait, in the title.
        seconds: u32,
        /// `Retry-After` is sent too.
        retry_after: bool,
    },
    /// 409 that speaks of maintenance. Not carried out.
    Maintenance,
    /// Carried out; the answer is 504.
    LostAnswer,
}

impl Fault {
    /// The name under which it is counted.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Refuse => "refuse",
            Self::ResetBeforeRequest => "reset-before-request",
            Self::ResetDuringRequest => "reset-during-request",
            Self::ResetAfterRequest => "reset-after-request",
            Self::ResetBeforeAnswer => "reset-before-answer",
            Self::ResetDuringAnswer => "reset-during-answer",
            Self::ResetAfterAnswer => "reset-after-answer",
            Self::Delay { .. } => "delay",
            Self::Drip { .. } => "drip",
            Self::WrongLength { .. } => "wrong-length",
            Self::Garbage => "garbage",
            Self::GarbageBody => "garbage-body",
            Self::Html { .. } => "html",
            Self::Status { .. } => "status",
            Self::TooManyRequests { .. } => "too-many-requests",
            Self::Maintenance => "maintenance",
            Self::LostAnswer => "lost-answer",
        }
    }

    /// A delay of the answer.
    #[must_use]
    pub fn delay(by: Duration) -> Self {
        Self::Delay {
            milliseconds: u64::try_from(by.as_millis()).unwrap_or(u64::MAX),
        }
    }
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
    fault: Fault,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    operation: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    method: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    /// Matching requests to let pass first.
    #[serde(default)]
    skip: u32,
    /// Requests to meet; 0 for all that follow.
    #[serde(default = "once")]
    times: u32,
}

fn once() -> u32 {
    1
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
            times: 1,
        }
    }

    /// Only requests of this operation id; `Token` is the token endpoint.
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
        self.times = times;
        self
    }

    fn matches(&self, operation: &str, method: &Method, path: &str) -> bool {
        self.operation.as_deref().is_none_or(|id| id == operation)
            && self
                .method
                .as_deref()
                .is_none_or(|m| method.as_str().eq_ignore_ascii_case(m))
            && self.path.as_deref().is_none_or(|part| path.contains(part))
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
    rules: Vec<FaultRule>,
    seed: u64,
    random: Vec<RandomFault>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RandomFault {
    fault: Fault,
    rate: f64,
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
    /// requests give the same faults.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Adds a random fault that meets this share of all requests, 0 to 1.
    pub fn random(mut self, fault: Fault, rate: f64) -> Self {
        self.random.push(RandomFault { fault, rate });
        self
    }

    /// Every kind of fault, together at this rate, with short delays.
    pub fn mixed(seed: u64, rate: f64) -> Self {
        let faults = [
            Fault::Refuse,
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
            Fault::Garbage,
            Fault::GarbageBody,
            Fault::Html { status: 503 },
            Fault::Status { status: 500 },
            Fault::Status { status: 502 },
            Fault::TooManyRequests {
                seconds: 1,
                retry_after: true,
            },
            Fault::Maintenance,
            Fault::LostAnswer,
        ];
        let each = rate / faults.len() as f64;
        faults
            .into_iter()
            .fold(Self::new().seed(seed), |plan, fault| {
                plan.random(fault, each)
            })
    }
}

/// The plan at work.
#[derive(Debug)]
pub(crate) struct Faults {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    plan: FaultPlan,
    chance: fastrand::Rng,
    /// Matching requests seen so far, per rule.
    seen: Vec<u32>,
    injected: BTreeMap<&'static str, u64>,
}

impl Faults {
    pub(crate) fn new(plan: FaultPlan) -> Self {
        Self {
            state: Mutex::new(State::new(plan, BTreeMap::new())),
        }
    }

    pub(crate) fn plan(&self) -> FaultPlan {
        self.state().plan.clone()
    }

    /// Starts another plan; the count of injected faults goes on.
    pub(crate) fn replace(&self, plan: FaultPlan) {
        let mut state = self.state();
        *state = State::new(plan, std::mem::take(&mut state.injected));
    }

    pub(crate) fn injected(&self) -> BTreeMap<&'static str, u64> {
        self.state().injected.clone()
    }

    pub(crate) fn count(&self, fault: &Fault) {
        *self.state().injected.entry(fault.name()).or_default() += 1;
    }

    /// Whether a new connection is to be refused.
    pub(crate) fn refuse_connection(&self) -> bool {
        let mut state = self.state();
        let refuse = state
            .choose(|rule| rule.fault == Fault::Refuse, true)
            .is_some();
        drop(state);
        if refuse {
            self.count(&Fault::Refuse);
        }
        refuse
    }

    /// The fault for a request, if one is due.
    pub(crate) fn choose(&self, operation: &str, method: &Method, path: &str) -> Option<Fault> {
        self.state().choose(
            |rule| rule.fault != Fault::Refuse && rule.matches(operation, method, path),
            false,
        )
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn new(plan: FaultPlan, injected: BTreeMap<&'static str, u64>) -> Self {
        Self {
            chance: fastrand::Rng::with_seed(plan.seed),
            seen: vec![0; plan.rules.len()],
            plan,
            injected,
        }
    }

    fn choose(&mut self, matches: impl Fn(&FaultRule) -> bool, connection: bool) -> Option<Fault> {
        for (rule, seen) in self.plan.rules.iter().zip(&mut self.seen) {
            if matches(rule) {
                *seen = seen.saturating_add(1);
                let last = rule.skip.saturating_add(rule.times);
                if *seen > rule.skip && (rule.times == 0 || *seen <= last) {
                    return Some(rule.fault.clone());
                }
            }
        }
        if self.plan.random.is_empty() {
            return None;
        }
        let mut drawn = self.chance.f64();
        for random in &self.plan.random {
            if (random.fault == Fault::Refuse) == connection {
                if drawn < random.rate {
                    return Some(random.fault.clone());
                }
                drawn -= random.rate;
            }
        }
        None
    }
}
