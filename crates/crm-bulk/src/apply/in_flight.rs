//! What a run has in flight, for the case that it loses its set.

use std::{
    collections::BTreeMap,
    mem,
    sync::{Mutex, MutexGuard},
};

use crm_mirror::lock::lock;

use crate::set::{Change, ChangeId, State};

/// The changes that are claimed and not settled. When the set is lost, because its file is or
/// because somebody took it over, those of that moment are remembered: what the set says of them
/// from then on, if it can be asked at all, is not this run's word.
#[derive(Debug, Default)]
pub(super) struct InFlight(Mutex<Changes>);

#[derive(Debug, Default)]
struct Changes {
    /// Boxed, since a change is large and the map moves what it holds.
    now: BTreeMap<ChangeId, Box<Change>>,
    at_the_loss: Option<BTreeMap<ChangeId, Box<Change>>>,
}

impl InFlight {
    fn changes(&self) -> MutexGuard<'_, Changes> {
        lock(&self.0)
    }

    /// A change is claimed.
    pub(super) fn begin(&self, change: &Change) {
        let mut change = Box::new(change.clone());
        change.outcome.state = State::InFlight;
        let mut changes = self.changes();
        if let Some(lost) = &mut changes.at_the_loss {
            lost.insert(change.id, change.clone());
        }
        changes.now.insert(change.id, change);
    }

    /// A change has this outcome, which is not durable yet. Whether it was claimed.
    pub(super) fn answered(&self, change: &Change) -> bool {
        let mut changes = self.changes();
        let Changes { now, at_the_loss } = &mut *changes;
        let is_claimed = now.contains_key(&change.id);
        for known in [Some(now), at_the_loss.as_mut()].into_iter().flatten() {
            if let Some(known) = known.get_mut(&change.id) {
                // A claim changes nothing else.
                known.target = change.target;
                known.after.clone_from(&change.after);
                known.outcome.clone_from(&change.outcome);
            }
        }
        is_claimed
    }

    /// The outcome of a change is durable.
    pub(super) fn settled(&self, change: &Change) {
        self.changes().now.remove(&change.id);
    }

    /// The claim of a change is taken back: nothing of it was sent.
    pub(super) fn taken_back(&self, change: &Change) {
        let mut changes = self.changes();
        changes.now.remove(&change.id);
        if let Some(lost) = &mut changes.at_the_loss {
            lost.remove(&change.id);
        }
    }

    /// The set is lost; the first time counts.
    pub(super) fn lose(&self) {
        let mut changes = self.changes();
        if changes.at_the_loss.is_none() {
            changes.at_the_loss = Some(changes.now.clone());
        }
    }

    /// What was in flight when the set was lost, with the outcomes that came in since.
    pub(super) fn lost(&self) -> impl Iterator<Item = Box<Change>> {
        let lost = mem::take(&mut self.changes().at_the_loss);
        lost.unwrap_or_default().into_values()
    }
}
