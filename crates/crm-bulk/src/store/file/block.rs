//! A block of changes whose owners are read with one call.

use rusqlite::types::Value;

use super::{codes, columns::owner_column};
use crate::{
    current::OWNERS_PER_CALL,
    set::{Action, Change, Target},
    store::interface::{Cursor, Loaded},
};

/// How many changes are in memory at a time, about.
const CHANGES_PER_BLOCK: usize = 200;

/// A block in the making: changes are added in the order of their owners, in which the creations of
/// an owner come first.
#[derive(Debug)]
pub struct Block {
    loaded: Vec<Loaded>,
    owners: usize,
    cursor: Cursor,
}

impl Block {
    /// Creates the block that begins behind this position.
    #[must_use]
    pub fn after(cursor: Cursor) -> Self {
        Self { loaded: Vec::new(), owners: 0, cursor }
    }

    /// Returns whether the next change in order belongs into this block; the first one always does.
    #[must_use]
    pub fn takes(&self, change: &Change) -> bool {
        let another = self.begins_owner(change);
        // Creations come first on their owner, so that a block that is full ends behind the last one.
        let has_room = self.loaded.len() < CHANGES_PER_BLOCK || (!another && creates(change));
        has_room && (!another || self.owners < OWNERS_PER_CALL)
    }

    /// Adds the next change in order.
    pub fn add(&mut self, loaded: Loaded) {
        let change = &loaded.change;
        self.owners += usize::from(self.begins_owner(change));
        let behind = if creates(change) { 0 } else { change.id.0 };
        self.cursor = Cursor { last: Some(change.target), change: behind };
        self.loaded.push(loaded);
    }

    /// Returns the changes and where to continue.
    #[must_use]
    pub fn finish(self) -> (Vec<Loaded>, Cursor) {
        (self.loaded, self.cursor)
    }

    fn begins_owner(&self, change: &Change) -> bool {
        let last = self.loaded.last().map(|loaded| owner_of(&loaded.change.target));
        last != Some(owner_of(&change.target))
    }
}

fn creates(change: &Change) -> bool {
    matches!(change.action, Action::Create(_))
}

/// An owner as two columns.
pub(super) fn owner_of(target: &Target) -> (i64, Value) {
    (codes::owner(target), owner_column(target))
}

/// The owner at which a block begins, as two columns.
pub(crate) fn place(cursor: &Cursor) -> (i64, Value) {
    cursor.last.as_ref().map_or((-1, Value::Null), owner_of)
}
