//! Plans of faults: rules in order, then random faults.

use http::HeaderValue;
use serde::{Deserialize, Serialize};

use super::{fault::Fault, rule::FaultRule};
use crate::{error::InvalidFaultPlan, routes};

/// All faults that a sandbox is to inject: rules in order, then random faults.
///
/// A plan can be read from and written as JSON, for files and for the admin endpoint.
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
    /// Creates a plan without faults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a scripted fault. The first rule that matches a request decides.
    pub fn rule(mut self, rule: FaultRule) -> Self {
        self.rules.push(rule);
        self
    }

    /// Sets the seed of the random faults: the same seed and the same order of requests give the
    /// same faults, however many connections they take. Faults of connections follow the order of
    /// the connections in the same way.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Adds a random fault that meets this share of all requests, from 0 to 1; a plan with another
    /// rate is refused.
    pub fn random(mut self, fault: Fault, rate: f64) -> Self {
        self.random.push(RandomFault { fault, rate });
        self
    }

    /// Checks that every operation is known, every fault can be answered, and every rate is valid.
    pub(crate) fn check(&self) -> Result<(), InvalidFaultPlan> {
        let operations = routes::operations();
        let known = |id: &str| id == "Token" || operations.iter().any(|known| known.id == id);
        let mut asked = self.rules.iter().filter_map(|rule| rule.operation.as_deref());
        if let Some(unknown) = asked.find(|id| !known(id)) {
            return Err(InvalidFaultPlan::Operation(unknown.to_owned()));
        }
        let scripted = self.rules.iter().map(|rule| &rule.fault);
        for fault in scripted.chain(self.random.iter().map(|random| &random.fault)) {
            if let Some(status) = fault.impossible_status() {
                let fault = fault.name();
                return Err(InvalidFaultPlan::Status { fault, status });
            }
            if let Fault::Answer { content_type: Some(text), .. } = fault
                && HeaderValue::from_str(text).is_err()
            {
                return Err(InvalidFaultPlan::ContentType(text.clone()));
            }
        }
        let mut random = self.random.iter();
        match random.find(|random| !(0.0..=1.0).contains(&random.rate)) {
            None => Ok(()),
            Some(random) => {
                Err(InvalidFaultPlan::Rate { fault: random.fault.name(), rate: random.rate })
            }
        }
    }

    /// Creates a plan with the faults of a bad network and of a service under strain, together at
    /// about this rate, with short delays and without any that answers something untrue. An answer
    /// 429 asks to wait for `retry_after` seconds; since it makes all callers wait, it is a hundred
    /// times rarer than the others.
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
            Fault::Drip { bytes: 64, milliseconds: 1 },
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
        let plan =
            faults.into_iter().fold(Self::new().seed(seed), |plan, fault| plan.random(fault, each));
        [true, false].into_iter().fold(plan, |plan, told| {
            let fault = Fault::TooManyRequests { seconds: retry_after, retry_after: told };
            plan.random(fault, each / 100.0)
        })
    }
}
