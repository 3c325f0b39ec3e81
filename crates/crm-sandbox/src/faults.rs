//! Faults that a sandbox injects on request: scripted ones at a chosen
//! request, and random ones at given rates from a seed.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use http::Method;

mod fault;
mod inject;
mod plan;
mod wire;

pub use fault::Fault;
pub(crate) use inject::{Unread, after, instead, receive};
pub use plan::{FaultPlan, FaultRule};
pub(crate) use wire::{Wire, WiredStream};

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
