//! When a run has to stop, and its result.

use std::{
    collections::{BTreeMap, HashMap, hash_map::Entry},
    sync::{
        Mutex, MutexGuard, OnceLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use crm_mirror::{OwnerId, lock::lock};
use tokio::sync::Notify;

use super::{
    event::{Finished, StopReason},
    options::{Options, PASSES},
    outage::Outage,
};
use crate::{
    decide::step::Step,
    set::{Change, ChangeId, State, Target},
};

/// After this many calls in a row that could not be made, the rest is not tried. The transport
/// repeats each, with growing pauses, before it counts here: a hiccup does not add up to twenty.
const UNREACHABLE_AFTER: u64 = 20;

/// After this many writes in a row that a layer of the caller's own did not let pass, the rest is
/// not tried: it lets nothing pass, as one that is read-only or a circuit breaker that is open.
const WITHHELD_AFTER: u64 = 20;

/// Counts, and says when nothing more may be begun.
pub(super) struct Brake {
    reason: OnceLock<StopReason>,
    stopping: Notify,
    canary: Option<u64>,
    max_failures: Option<u64>,
    dry_run: bool,
    sent: AtomicU64,
    failed: AtomicU64,
    postponed_in_a_row: AtomicU64,
    /// Of which owner the last one was, if nothing was sent for it.
    postponed_of: Mutex<Option<OwnerId>>,
    withheld_in_a_row: AtomicU64,
    outage: Mutex<Outage>,
    outcomes: Mutex<Outcomes>,
}

/// What became of the changes so far.
#[derive(Debug, Default)]
struct Outcomes {
    /// How many are settled, by their state.
    settled: BTreeMap<State, u64>,
    /// Those that another pass looks at again, and their records as they were then: one that is to be
    /// created gets its id later.
    open: HashMap<ChangeId, (State, Target)>,
    /// How many of these are about each record.
    open_records: HashMap<Target, usize>,
}

impl Outcomes {
    fn leave_open(&mut self, change: &Change) {
        self.close(change.id);
        self.open.insert(change.id, (change.outcome.state, change.target));
        *self.open_records.entry(change.target).or_default() += 1;
    }

    fn close(&mut self, change: ChangeId) {
        let Some((_, record)) = self.open.remove(&change) else {
            return;
        };
        if let Entry::Occupied(mut of_record) = self.open_records.entry(record) {
            *of_record.get_mut() -= 1;
            if *of_record.get() == 0 {
                of_record.remove();
            }
        }
    }
}

impl Brake {
    pub(super) fn new(options: &Options) -> Self {
        Self {
            reason: OnceLock::new(),
            stopping: Notify::new(),
            canary: options.canary,
            max_failures: options.max_failures,
            dry_run: options.dry_run,
            sent: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            postponed_in_a_row: AtomicU64::new(0),
            postponed_of: Mutex::default(),
            withheld_in_a_row: AtomicU64::new(0),
            outage: Mutex::default(),
            outcomes: Mutex::default(),
        }
    }

    /// Begins nothing more. The first reason counts.
    pub(super) fn stop(&self, reason: StopReason) {
        let _ = self.reason.set(reason);
        self.stopping.notify_one();
    }

    /// Completes when nothing more may be begun; for one waiter.
    pub(super) async fn stopped(&self) {
        self.stopping.notified().await;
    }

    /// Whether nothing more may be begun.
    pub(super) fn is_on(&self) -> bool {
        self.reason.get().is_some()
    }

    /// Whether this may be begun.
    pub(super) fn admits(&self, step: &Step) -> bool {
        if self.is_on() {
            return false;
        }
        if step.writes() && self.canary_is_sent() {
            self.stop(StopReason::Canary);
            return false;
        }
        self.sent.fetch_add(u64::from(step.writes()), Relaxed);
        true
    }

    /// Whether as many were begun as the canary has.
    pub(super) fn canary_is_sent(&self) -> bool {
        self.canary == Some(self.sent.load(Relaxed))
    }

    /// One that was begun was not sent after all.
    pub(super) fn unsent(&self) {
        self.sent.fetch_sub(1, Relaxed);
    }

    /// Takes note of a write that was begun, or found nobody to begin it with.
    pub(super) fn wrote(&self, answered: bool) {
        self.withheld_in_a_row.store(0, Relaxed);
        let mut outage = lock(&self.outage);
        if outage.note(answered) {
            self.stop(StopReason::Outage);
        }
    }

    /// Takes note of a write that a layer of the caller's own did not let pass.
    pub(super) fn withheld(&self) {
        if self.withheld_in_a_row.fetch_add(1, Relaxed) + 1 >= WITHHELD_AFTER {
            self.stop(StopReason::Withheld);
        }
    }

    /// Counts a change by its state.
    pub(super) fn count(&self, change: &Change) {
        let mut outcomes = self.outcomes();
        let state = change.outcome.state;
        if state.is_open() {
            outcomes.leave_open(change);
        } else {
            outcomes.close(change.id);
            *outcomes.settled.entry(state).or_default() += 1;
        }
    }

    /// Leaves a change, whatever its state, to another pass.
    pub(super) fn defer(&self, change: &Change) {
        self.outcomes().leave_open(change);
    }

    /// Whether a change of this record is left to another pass.
    pub(super) fn is_left(&self, record: &Target) -> bool {
        self.outcomes().open_records.contains_key(record)
    }

    fn outcomes(&self) -> MutexGuard<'_, Outcomes> {
        lock(&self.outcomes)
    }

    /// Takes note of a change that is left for later. An owner that cannot be read is one call
    /// that failed, however many its changes. `sign`: what is wrong if many are left in a row.
    pub(super) fn postponed(&self, unread: Option<OwnerId>, sign: StopReason) {
        let mut last = lock(&self.postponed_of);
        if unread.is_some() && *last == unread {
            return;
        }
        *last = unread;
        if self.postponed_in_a_row.fetch_add(1, Relaxed) + 1 >= UNREACHABLE_AFTER {
            self.stop(sign);
        }
    }

    /// Takes note of what became of a change.
    pub(super) fn settled(&self, change: &Change) {
        self.count(change);
        let to = change.outcome.state;
        if to == State::Planned {
            return;
        }
        self.postponed_in_a_row.store(0, Relaxed);
        if matches!(to, State::Failed | State::Unknown | State::NotFound) {
            let failed = self.failed.fetch_add(1, Relaxed) + 1;
            if self.max_failures.is_some_and(|most| failed >= most) {
                self.stop(StopReason::TooManyFailures);
            }
        }
    }

    /// Whether to go over the set another time: the last time left something open, for a
    /// reason that may have passed.
    pub(super) fn wants_pass(&self, pass: u32) -> bool {
        if self.is_on() || (pass > 0 && self.dry_run) {
            return false;
        }
        if pass > 0 && self.outcomes().open.is_empty() {
            return false;
        }
        // The last one waits to send again what does not show up.
        if pass + 1 == PASSES && self.canary_is_sent() {
            self.stop(StopReason::Canary);
            return false;
        }
        true
    }

    /// `owner_is_stopped`: what may have been sent before may still be sent by somebody else.
    pub(super) fn finished(&self, owner_is_stopped: bool) -> Finished {
        let outcomes = self.outcomes();
        let left = owner_is_stopped && outcomes.open.values().any(|(state, _)| state.may_be_sent());
        let unless_stopped = if left { StopReason::StoppedOwner } else { StopReason::Complete };
        let mut counts = outcomes.settled.clone();
        for (state, _) in outcomes.open.values() {
            *counts.entry(*state).or_default() += 1;
        }
        Finished { reason: self.reason.get().copied().unwrap_or(unless_stopped), counts }
    }
}
