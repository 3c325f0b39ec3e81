//! Faults that a sandbox injects on request: scripted ones at a chosen
//! request, and random ones at given rates from a seed.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
};

use http::Method;

use crate::{error::InvalidFaultPlan, lock::lock};

mod alter;
mod echo;
mod fault;
mod inject;
mod plan;
mod records;
mod rule;
mod wire;

pub(crate) use echo::Asked;
use fault::Target;
pub use fault::{Fault, FaultKind};
pub(crate) use inject::{Unread, after, instead, receive};
pub use plan::FaultPlan;
pub(crate) use records::run;
pub use rule::FaultRule;
use rule::Progress;
pub(crate) use wire::{Wire, WiredStream};

/// A fault that is due at a request or a connection.
#[derive(Debug)]
pub(crate) struct Due {
    pub(crate) fault: Fault,
    /// The tally of the fault's rule; `None` for a random fault.
    met: Option<Arc<AtomicU32>>,
}

/// The plan in use, and how far it has come.
#[derive(Debug)]
pub(crate) struct Faults {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    plan: FaultPlan,
    /// The random numbers for requests. Connections have their own: how many of them a client makes
    /// must not decide which of its requests meet a fault.
    requests: fastrand::Rng,
    connections: fastrand::Rng,
    /// How far each rule has come.
    progress: Vec<Progress>,
    injected: BTreeMap<&'static str, u64>,
}

impl Faults {
    pub(crate) fn new(plan: FaultPlan) -> Result<Self, InvalidFaultPlan> {
        plan.check()?;
        Ok(Self { state: Mutex::new(State::new(plan, BTreeMap::new())) })
    }

    pub(crate) fn plan(&self) -> FaultPlan {
        lock(&self.state).plan.clone()
    }

    /// Starts another plan; the count of injected faults continues.
    pub(crate) fn replace(&self, plan: FaultPlan) -> Result<(), InvalidFaultPlan> {
        plan.check()?;
        let mut state = lock(&self.state);
        *state = State::new(plan, std::mem::take(&mut state.injected));
        Ok(())
    }

    pub(crate) fn injected(&self) -> BTreeMap<&'static str, u64> {
        lock(&self.state).injected.clone()
    }

    /// Returns the rules whose faults were not all injected.
    pub(crate) fn unmet(&self) -> Vec<FaultRule> {
        let state = lock(&self.state);
        let rules = state.plan.rules.iter().zip(&state.progress);
        rules
            .filter(|(rule, progress)| rule.is_unmet(progress))
            .map(|(rule, _)| rule.clone())
            .collect()
    }

    /// Counts a fault that was injected.
    pub(crate) fn count(&self, due: &Due) {
        *lock(&self.state).injected.entry(due.fault.name()).or_default() += 1;
        if let Some(met) = &due.met {
            met.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Says whether a new connection is to be reset.
    pub(crate) fn reset_connection(&self, now: i64) -> bool {
        let due = lock(&self.state).choose(Target::Connection, now, |_| true);
        if let Some(due) = &due {
            self.count(due);
        }
        due.is_some()
    }

    /// Returns the fault for a request at this time, in ticks, if one is due.
    pub(crate) fn choose(
        &self,
        operation: &str,
        method: &Method,
        path: &str,
        now: i64,
    ) -> Option<Due> {
        let target = Target::Request { operation, method };
        lock(&self.state).choose(target, now, |rule| rule.matches(operation, method, path))
    }
}

impl State {
    fn new(plan: FaultPlan, injected: BTreeMap<&'static str, u64>) -> Self {
        Self {
            requests: fastrand::Rng::with_seed(plan.seed),
            // Another seed, so that both do not draw the same numbers, and as repeatable.
            connections: fastrand::Rng::with_seed(plan.seed.rotate_left(32)),
            progress: plan.rules.iter().map(|_| Progress::default()).collect(),
            plan,
            injected,
        }
    }

    fn choose(
        &mut self,
        target: Target<'_>,
        now: i64,
        matches: impl Fn(&FaultRule) -> bool,
    ) -> Option<Due> {
        for (rule, progress) in self.plan.rules.iter().zip(&mut self.progress) {
            if rule.fault.meets(target) && matches(rule) && rule.is_due(progress, now) {
                return Some(Due {
                    fault: rule.fault.clone(),
                    met: Some(Arc::clone(&progress.met)),
                });
            }
        }
        let mut drawn = match target {
            Target::Request { .. } => self.requests.f64(),
            Target::Connection => self.connections.f64(),
        };
        let mut random = self.plan.random.iter();
        let met = random.find(|random| {
            let due = random.fault.meets(target);
            let hit = due && drawn < random.rate;
            if due {
                drawn -= random.rate;
            }
            hit
        });
        met.map(|random| Due { fault: random.fault.clone(), met: None })
    }
}
