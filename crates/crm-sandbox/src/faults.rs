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
use fault::Meets;
pub(crate) use inject::{Unread, after, concerns, instead, receive};
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
    /// The chance of requests. Connections have their own: how many a client
    /// makes must not decide which of its requests meet a fault.
    requests: fastrand::Rng,
    connections: fastrand::Rng,
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

    /// Whether a new connection is to be reset.
    pub(crate) fn reset_connection(&self) -> bool {
        let fault = self.state().choose(Meets::Connections, |_| true);
        if let Some(fault) = &fault {
            self.count(fault);
        }
        fault.is_some()
    }

    /// The fault for a request, if one is due.
    pub(crate) fn choose(&self, operation: &str, method: &Method, path: &str) -> Option<Fault> {
        self.state().choose(Meets::Requests, |rule| {
            rule.matches(operation, method, path)
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn new(plan: FaultPlan, injected: BTreeMap<&'static str, u64>) -> Self {
        Self {
            requests: fastrand::Rng::with_seed(plan.seed),
            connections: fastrand::Rng::with_seed(plan.seed.rotate_left(32)),
            seen: vec![0; plan.rules.len()],
            plan,
            injected,
        }
    }

    fn choose(&mut self, meets: Meets, matches: impl Fn(&FaultRule) -> bool) -> Option<Fault> {
        for (rule, seen) in self.plan.rules.iter().zip(&mut self.seen) {
            if rule.fault.meets() == meets && matches(rule) {
                *seen = seen.saturating_add(1);
                let last = rule.skip.saturating_add(rule.times);
                if *seen > rule.skip && (rule.times == 0 || *seen <= last) {
                    return Some(rule.fault.clone());
                }
            }
        }
        let mut drawn = match meets {
            Meets::Requests => self.requests.f64(),
            Meets::Connections => self.connections.f64(),
        };
        let mut random = self.plan.random.iter();
        let met = random.find(|random| {
            let due = random.fault.meets() == meets;
            let hit = due && drawn < random.rate;
            if due {
                drawn -= random.rate;
            }
            hit
        });
        met.map(|random| random.fault.clone())
    }
}
