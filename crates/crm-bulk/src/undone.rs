//! What other sets have undone of a set.

use std::{
    collections::{HashMap, hash_map::Entry},
    path::{Path, PathBuf},
};

use crm_mirror::OwnerId;
use crm_models::Timestamp;

use crate::{
    error::BulkError,
    set::{Action, Change, Image, State, Target},
    store::{ChangeSet, Selection},
};

/// What has been undone of a set, returned by [`ChangeSet::undone`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Undone {
    /// The sets that have undone something, in the order in which they were named.
    pub by: Vec<UndoneBy>,
    /// The number of changes that are done and have not been undone.
    pub standing: u64,
}

/// What one set has undone of another.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UndoneBy {
    /// The file of the set that is the reverse.
    pub set: PathBuf,
    /// When it did so last.
    pub at: Option<Timestamp>,
    /// The number of changes that it has undone and no set before it had.
    pub changes: u64,
}

impl Undone {
    /// Returns how many changes have been undone.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.by.iter().map(|it| it.changes).sum()
    }
}

/// A record as both a change and its reverse know it.
#[derive(PartialEq, Eq, Hash)]
enum Record {
    Same(Target),
    /// What was deleted has another id when it is created again.
    Again(OwnerId, String),
}

/// What became of a record.
struct Reversal {
    /// When a change was reversed last: one that was made again after that stands.
    at: Option<Timestamp>,
    /// How many times: two contacts of an owner that were deleted may have had the same value.
    times: u64,
}

/// What sets have reversed, to be compared with the changes of the set that they reverse.
#[derive(Default)]
pub(crate) struct Reversals {
    records: HashMap<Record, Reversal>,
    by: Vec<UndoneBy>,
}

impl Reversals {
    /// Reads what these sets have done.
    pub(crate) fn of(sets: &[PathBuf]) -> Result<Self, BulkError> {
        let mut reversals = Self::default();
        for set in sets {
            reversals.add(set)?;
        }
        Ok(reversals)
    }

    fn add(&mut self, path: &Path) -> Result<(), BulkError> {
        let mut by = UndoneBy { set: path.to_owned(), at: None, changes: 0 };
        let set = ChangeSet::open(path)?;
        for change in set.changes(&Selection::states([State::Done, State::Already])) {
            let change = change?;
            let at = change.outcome.at;
            let is_new = match (&change.action, change.target.owner()) {
                (Action::Create(wanted), Some(owner)) => {
                    // What is there already was created by somebody else, or by a set before.
                    if change.outcome.state == State::Already {
                        continue;
                    }
                    let value = wanted.change.get_value().unwrap_or_default();
                    let again = Record::Again(owner, value.to_owned());
                    self.records.entry(again).or_insert(Reversal { at, times: 0 }).times += 1;
                    true
                }
                _ => match self.records.entry(Record::Same(change.target)) {
                    Entry::Vacant(place) => {
                        place.insert(Reversal { at, times: 1 });
                        true
                    }
                    Entry::Occupied(mut place) => {
                        let known = place.get_mut();
                        known.at = known.at.max(at);
                        false
                    }
                },
            };
            by.changes += u64::from(is_new);
            by.at = by.at.max(at);
        }
        if by.changes > 0 {
            self.by.push(by);
        }
        Ok(())
    }

    /// Whether this change has been undone. Each contact that was created again stands for one that
    /// was deleted.
    pub(crate) fn take(&mut self, change: &Change) -> bool {
        match (&change.action, change.target.owner()) {
            (Action::Delete, Some(owner)) => {
                let value = change.before.as_ref().map(Image::value).unwrap_or_default();
                let again = self.records.get_mut(&Record::Again(owner, value.to_owned()));
                again.filter(|again| again.times > 0).map(|again| again.times -= 1).is_some()
            }
            _ => {
                let reversal = self.records.get(&Record::Same(change.target));
                reversal.is_some_and(|reversal| reversal.at >= change.outcome.at)
            }
        }
    }
}

impl ChangeSet {
    /// Names the sets that reverse this one, in the order in which they were planned. A set does not
    /// know them by itself; whoever keeps both does, by [`SetInfo::undo_of`](crate::SetInfo::undo_of).
    /// Then [`undone`](Self::undone) and the [report](Self::report) say what they have undone, and
    /// [`undo`](Self::undo) plans only what still stands.
    #[must_use]
    pub fn reversed_by(mut self, sets: impl IntoIterator<Item = PathBuf>) -> Self {
        self.reverses = sets.into_iter().collect();
        self
    }

    /// Counts what the sets have undone that [`reversed_by`](Self::reversed_by) named, and what still
    /// stands. Reads every change, unless nothing was undone.
    ///
    /// # Errors
    ///
    /// A failure to read one of the sets.
    pub fn undone(&self) -> Result<Undone, BulkError> {
        let mut reversals = Reversals::of(&self.reverses)?;
        if reversals.by.is_empty() {
            return Ok(Undone { by: Vec::new(), standing: self.totals()?.in_state(State::Done) });
        }
        let mut standing = 0;
        for change in self.changes(&Selection::states([State::Done])) {
            standing += u64::from(!reversals.take(&change?));
        }
        Ok(Undone { by: reversals.by, standing })
    }
}
