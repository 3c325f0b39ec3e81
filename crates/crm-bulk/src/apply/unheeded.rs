//! Updates that the service says it made, and did not show.

use std::{collections::HashSet, sync::Mutex};

use crm_mirror::lock::lock;

use crate::set::{Change, ChangeId};

/// The updates that were answered as a success, but with what the contact was before. They are
/// read back, and not sent again in the same run.
#[derive(Debug, Default)]
pub(super) struct Unheeded(Mutex<HashSet<ChangeId>>);

impl Unheeded {
    pub(super) fn note(&self, change: &Change) {
        let mut changes = lock(&self.0);
        changes.insert(change.id);
    }

    pub(super) fn has(&self, change: &Change) -> bool {
        let changes = lock(&self.0);
        changes.contains(&change.id)
    }
}
