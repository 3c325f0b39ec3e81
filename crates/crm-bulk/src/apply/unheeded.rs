//! Updates that the service says it made, and did not show.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
};

use crate::set::{Change, ChangeId};

/// The updates that were answered as a success, but with what the contact was before. They are
/// read back, and not sent again in the same run.
#[derive(Debug, Default)]
pub(super) struct Unheeded(Mutex<HashSet<ChangeId>>);

impl Unheeded {
    pub(super) fn note(&self, change: &Change) {
        let mut changes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        changes.insert(change.id);
    }

    pub(super) fn has(&self, change: &Change) -> bool {
        let changes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        changes.contains(&change.id)
    }
}
