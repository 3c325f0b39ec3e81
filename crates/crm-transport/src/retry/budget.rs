//! The repeats that all calls of a transport share, so that an outage is not multiplied.

use std::{sync::Mutex, time::Duration};

use tokio::{sync, time::Instant};

use super::policy::RepeatCost;
use crate::{call::Effect, error::Delivery, lock::lock, outcome::AttemptOutcome};

/// After this long without a failure an empty budget is full again, however few calls there are: a
/// program that makes one call an hour would otherwise never earn a repeat.
const FULL_AGAIN: Duration = Duration::from_secs(600);

/// How many repeats over stale connections are free in the time for which a connection is kept
/// ([`Limits`](crate::Limits), by default). Each connection may be found stale once, but which one
/// a request took is not visible through every HTTP library. No pool of a tenant holds more.
const FREE_OVER_STALE: u32 = 64;
const KEPT_IDLE: Duration = Duration::from_secs(50);

/// The budget of all calls of a transport.
///
/// Reads and writes are kept apart, since the read that follows a lost write must not pay for the
/// next one.
#[derive(Debug)]
pub(super) struct Budget {
    reads: Purse,
    writes: Purse,
    over_stale: Mutex<(Instant, u32)>,
}

/// The budget of one kind of calls.
#[derive(Debug)]
struct Purse {
    per_success: f64,
    most: f64,
    state: Mutex<State>,
    /// Held by the one repeat that is in progress while none is known to succeed.
    probe: sync::Mutex<()>,
}

/// What is left, and how the calls fare.
#[derive(Debug)]
struct State {
    /// The repeats that are left, and when they were counted.
    left: f64,
    counted_at: Instant,
    /// Set when a call is not answered, until one succeeds.
    is_failing: bool,
    probes_failed: u64,
}

/// A write that is sent again. While none is known to succeed it is the only one, until dropped.
#[derive(Debug)]
pub(super) struct Probe<'a>(Option<sync::MutexGuard<'a, ()>>);

impl Budget {
    pub(super) fn new(per_success: f64, reserve: f64) -> Self {
        let now = Instant::now();
        let purse = || Purse {
            per_success,
            most: reserve,
            state: Mutex::new(State {
                left: reserve,
                counted_at: now,
                is_failing: false,
                probes_failed: 0,
            }),
            probe: sync::Mutex::default(),
        };
        Self { reads: purse(), writes: purse(), over_stale: Mutex::new((now, 0)) }
    }

    /// Notes what became of an attempt of a call that began then.
    pub(super) fn note(
        &self,
        effect: Effect,
        outcome: AttemptOutcome,
        probe: Option<Probe<'_>>,
        began: Instant,
    ) {
        let purse = self.purse(effect);
        let mut state = lock(&purse.state);
        if outcome.is_success() {
            purse.count_time(&mut state, began);
            // A write that was sent again and succeeded has multiplied nothing.
            let paid = if probe.is_some() { 1.0 } else { 0.0 };
            state.left = (state.left + paid + purse.per_success).min(purse.most);
            state.is_failing = false;
        } else if outcome.delivery() == Delivery::Unknown {
            purse.count_time(&mut state, began);
            state.is_failing = true;
            state.probes_failed += u64::from(probe.is_some_and(|probe| probe.0.is_some()));
        }
    }

    /// Withdraws the cost of a repeat. Returns whether the budget covered it.
    pub(super) fn withdraw(&self, effect: Effect, cost: RepeatCost) -> bool {
        match cost {
            RepeatCost::Nothing => return true,
            RepeatCost::OneOverStale if self.is_free_over_stale() => return true,
            _ => {}
        }
        let purse = self.purse(effect);
        let mut state = lock(&purse.state);
        purse.count_time(&mut state, Instant::now());
        let enough = state.left >= 1.0;
        if enough {
            state.left -= 1.0;
        }
        enough
    }

    /// Waits until a write that may have been carried out before may be sent again. While none is
    /// known to succeed one goes at a time, and the others wait for its outcome: if it is not
    /// answered either, there is none for them.
    pub(super) async fn probe(&self, effect: Effect) -> Option<Probe<'_>> {
        let purse = self.purse(effect);
        let probes_failed = {
            let state = lock(&purse.state);
            if effect == Effect::Read || !state.is_failing {
                return Some(Probe(None));
            }
            state.probes_failed
        };
        let only_one = purse.probe.lock().await;
        let state = lock(&purse.state);
        if !state.is_failing {
            Some(Probe(None))
        } else if state.probes_failed > probes_failed {
            None
        } else {
            Some(Probe(Some(only_one)))
        }
    }

    fn purse(&self, effect: Effect) -> &Purse {
        match effect {
            Effect::Read => &self.reads,
            Effect::Idempotent | Effect::Creates => &self.writes,
        }
    }

    fn is_free_over_stale(&self) -> bool {
        let now = Instant::now();
        let mut over_stale = lock(&self.over_stale);
        let (since, free) = &mut *over_stale;
        if now >= *since + KEPT_IDLE {
            (*since, *free) = (now, 0);
        }
        let is_free = *free < FREE_OVER_STALE;
        *free += u32::from(is_free);
        is_free
    }
}

impl Purse {
    /// Adds what the time since it was last counted is worth. Time during an outage is worth
    /// nothing.
    fn count_time(&self, state: &mut State, now: Instant) {
        if !state.is_failing && state.left < self.most {
            let passed = now.saturating_duration_since(state.counted_at);
            let with_time = self.most * passed.div_duration_f64(FULL_AGAIN);
            state.left = (state.left + with_time).min(self.most);
        }
        // Another call may have begun later and come here first.
        state.counted_at = state.counted_at.max(now);
    }
}
