//! The tables of a change set, row by row: for authors of stores that keep them elsewhere than in a
//! file. `crm-fleet` keeps them in PostgreSQL.
//!
//! A store keeps the rows of all [`TABLES`] as they [leave](crate::ChangeSet::hand_over) the file. A
//! change is its row of [`PLANNED`] and its row of [`PROGRESS`], one behind the other in one slice,
//! where the latter's cells are [`Cell::Null`] as long as there is none. What is claimed, released or
//! settled becomes another row of [`PROGRESS`], with what the totals gain.

use std::path::Path;

use crm_mirror::{MirrorError, Site};
use crm_models::ContactId;

pub use super::{
    cell::Cell,
    file::{Arriving, Block, Column, Holds, Leaving, PLANNED, PROGRESS, TABLES, Table},
};
use super::{
    file::{self, Kept, NextProgress, SealedChange},
    interface::{Cursor, Expected, Which},
};
use crate::{
    error::BulkError,
    set::{Change, Digest, SetDigest, State},
};

fn failed(set: &Path, error: rusqlite::Error) -> BulkError {
    MirrorError::database(set, "change set", error).into()
}

/// Reads a change from its rows, and compares it with its check values.
///
/// # Errors
///
/// [`BulkError::Altered`].
pub fn read(set: &Path, row: &[Cell]) -> Result<Change, BulkError> {
    SealedChange::IN_ORDER.read(row).map_err(|error| failed(set, error))
}

/// Returns the contacts of the owner of a creation that its rows name as not created by it.
#[must_use]
pub fn not_created(row: &[Cell]) -> Vec<ContactId> {
    let text = |name| cell(row, name).and_then(Cell::as_text);
    file::ids(text("siblings").or_else(|| text("beside")))
}

/// Returns the kind and the id of the owner of a change, as its rows name them.
#[must_use]
pub fn owner(row: &[Cell]) -> [Cell; 2] {
    ["owner_kind", "owner_id"].map(|name| cell(row, name).cloned().unwrap_or(Cell::Null))
}

fn cell<'r>(row: &'r [Cell], name: &str) -> Option<&'r Cell> {
    let mut columns = PLANNED.columns.iter().chain(PROGRESS.columns);
    row.get(columns.position(|column| column.name == name)?)
}

/// Returns whether a change is a creation that may have been sent, or that restores what was deleted:
/// then the contacts that other changes of its owner created, or are about, are not created by it
/// either.
#[must_use]
pub fn asks_for_neighbours(change: &Change) -> bool {
    file::asks_for_neighbours(change)
}

/// Returns the number of a creation among the actions.
#[must_use]
pub fn creation() -> i64 {
    file::CREATE
}

/// Returns the number of a state.
#[must_use]
pub fn state(state: State) -> i64 {
    file::state_code(state)
}

/// Returns which changes there are to take up, as an SQL condition on the columns of both rows.
#[must_use]
pub fn condition(which: Which) -> String {
    which.condition()
}

/// Returns the kind and the id of the owner at which a block begins, and the change behind which it
/// does.
#[must_use]
pub fn place(cursor: &Cursor) -> (i64, Cell, i64) {
    let (kind, owner) = file::place(cursor);
    (kind, owner.into(), cursor.change)
}

/// A row of [`PROGRESS`] that is to be written, and what the totals gain by it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Next {
    /// The row.
    pub row: Vec<Cell>,
    /// What is to be added to the totals: action and state, changes and calls.
    pub totals: [([i64; 2], [i64; 2]); 2],
}

impl Next {
    fn of(set: &Path, next: rusqlite::Result<NextProgress>) -> Result<Self, BulkError> {
        let NextProgress { row, totals } = next.map_err(|error| failed(set, error))?;
        Ok(Self { row, totals })
    }
}

/// Claims a change, as [`Store::claim`](crate::Store::claim) does; `None` if it is not as expected.
///
/// # Errors
///
/// [`BulkError::Altered`] if the row cannot be read.
pub fn claim(
    set: &Path,
    row: &[Cell],
    expected: Expected,
    change: &Change,
    siblings: Option<&[ContactId]>,
) -> Result<Option<Next>, BulkError> {
    let next = Kept::claimed(row, expected, change, siblings).transpose();
    next.map(|next| Next::of(set, next)).transpose()
}

/// Takes a claim back, as [`Store::release`](crate::Store::release) does; `None` if there is none.
///
/// # Errors
///
/// [`BulkError::Altered`] if the row cannot be read.
pub fn release(
    set: &Path,
    row: &[Cell],
    attempts: u32,
    former: &Change,
) -> Result<Option<Next>, BulkError> {
    let next = Kept::released(row, attempts, former).transpose();
    next.map(|next| Next::of(set, next)).transpose()
}

/// Writes what became of a change, as [`Store::settle`](crate::Store::settle) does.
///
/// # Errors
///
/// [`BulkError::Altered`] if the row cannot be read.
pub fn settle(set: &Path, row: &[Cell], change: &Change) -> Result<Next, BulkError> {
    Next::of(set, Kept::settled(row, change))
}

/// A comparison of a whole set with its digest.
#[derive(Debug)]
pub struct Comparison(file::Comparison);

impl Comparison {
    /// Begins the comparison of a set of this tenant and environment.
    #[must_use]
    pub fn of(site: &Site) -> Self {
        Self(file::Comparison::of(site))
    }

    /// Adds a change, in the order of the changes' numbers.
    ///
    /// # Errors
    ///
    /// [`BulkError::Altered`] if the row cannot be told apart from others.
    pub fn add(&mut self, set: &Path, row: &[Cell]) -> Result<(), BulkError> {
        self.0.add_row(row).map_err(|error| failed(set, error))
    }

    /// Returns the digest of the set, if that is the one that it `knows`, and the changes are as many
    /// as its totals say, by action and state, and as many of them have progress.
    ///
    /// # Errors
    ///
    /// [`BulkError::Altered`].
    pub fn finish(
        self,
        set: &Path,
        knows: &str,
        totals: impl IntoIterator<Item = ([i64; 2], u64)>,
        with_progress: u64,
    ) -> Result<Digest, BulkError> {
        let totals =
            totals.into_iter().map(|([action, state], changes)| ((action, state), changes));
        self.0.finish(set, knows, &totals.collect(), with_progress)
    }
}

/// The digest of a whole set in the making, from what its changes keep as theirs: much less to read
/// than for a [`Comparison`], but it tells nothing of what has become of them.
#[derive(Debug)]
pub struct Digests(SetDigest);

impl Digests {
    /// Begins that of a set of this tenant and environment.
    #[must_use]
    pub fn of(site: &Site) -> Self {
        Self(SetDigest::of(site))
    }

    /// Adds the digest that a change keeps, in the order of the changes' numbers.
    ///
    /// # Errors
    ///
    /// [`BulkError::Altered`] if that is no digest.
    pub fn add(&mut self, set: &Path, digest: &[u8]) -> Result<(), BulkError> {
        let altered = || BulkError::Altered { path: set.to_owned(), changes: Vec::new(), more: 0 };
        self.0.add(&Digest::from_bytes(digest).ok_or_else(altered)?);
        Ok(())
    }

    /// Returns the digest of the set.
    #[must_use]
    pub fn finish(self) -> Digest {
        self.0.finish()
    }
}
