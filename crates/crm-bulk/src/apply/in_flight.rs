//! What a run has in flight, for the case that it loses its set.

use std::{
    collections::BTreeMap,
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::{Change, ChangeId, State};

/// The changes that are claimed and not settled. When the set is lost, because its file is or
/// because somebody took it over, those of that moment are remembered: what the set says of them
/// from then on, if it can be asked at all, is not this run's word.
#[derive(Debug, Default)]
pub(super) struct InFlight(Mutex<Changes>);

#[derive(Debug, Default)]
struct Changes {
    now: BTreeMap<ChangeId, Change>,
    at_the_loss: Option<BTreeMap<ChangeId, Change>>,
}

impl InFlight {
    fn changes(&self) -> MutexGuard<'_, Changes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A change is claimed.
    pub(super) fn begin(&self, change: &Change) {
        let mut change = change.clone();
        change.outcome.state = State::InFlight;
        self.changes().now.insert(change.id, change);
    }

    /// A change has this outcome, or its claim was taken back.
    pub(super) fn end(&self, change: &Change) {
        let mut changes = self.changes();
        changes.now.remove(&change.id);
        let lost = changes.at_the_loss.as_mut();
        if let Some(then) = lost.and_then(|lost| lost.get_mut(&change.id)) {
            then.clone_from(change);
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
    pub(super) fn lost(&self) -> impl Iterator<Item = Change> {
        let lost = mem::take(&mut self.changes().at_the_loss);
        lost.unwrap_or_default().into_values()
    }
}
