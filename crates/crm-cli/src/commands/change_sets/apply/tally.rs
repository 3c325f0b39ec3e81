//! What happened to the changes of a run so far, for the line of progress.

use std::collections::HashSet;

use crm_bulk::{Change, ChangeId, State};

use crate::progress::Progress;

/// Each change once, though it may be settled several times.
pub(super) struct Tally {
    progress: Progress,
    failed: HashSet<ChangeId>,
    /// Settled in a state that is looked at again.
    open: HashSet<ChangeId>,
    /// Creations without an answer that are being looked for.
    awaited: HashSet<ChangeId>,
}

impl Tally {
    pub(super) fn of(changes: u64) -> Self {
        Self {
            progress: Progress::of(changes, "changes"),
            failed: HashSet::new(),
            open: HashSet::new(),
            awaited: HashSet::new(),
        }
    }

    pub(super) fn would_be_sent(&self) {
        self.progress.advance(1);
    }

    pub(super) fn awaited(&mut self, change: &Change) {
        self.failed.remove(&change.id);
        self.awaited.insert(change.id);
        self.say();
    }

    pub(super) fn settled(&mut self, change: &Change) {
        let (id, state) = (change.id, change.outcome.state);
        self.awaited.remove(&id);
        self.progress.advance(usize::from(!self.open.remove(&id)));
        if state.is_open() {
            self.open.insert(id);
        }
        if state.needs_attention() || state == State::InFlight {
            self.failed.insert(id);
        } else {
            self.failed.remove(&id);
        }
        self.say();
    }

    fn say(&self) {
        let (failed, awaited) = (self.failed.len(), self.awaited.len());
        self.progress.say(match awaited {
            0 => format!("({failed} failed)"),
            // In 80 columns.
            _ => format!("({failed} failed, {awaited} looked for, up to 100 s)"),
        });
    }
}
