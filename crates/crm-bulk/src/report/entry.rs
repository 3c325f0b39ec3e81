//! What a set has to say, one entry after another: a row of the input with all its changes, or a
//! change that no row asks for.

use jiff::civil::Date;
use rusqlite::Row;

use super::{received::Received, words};
use crate::{
    clock,
    error::BulkError,
    input::{InputFormat, cells},
    set::{Change, NamedOwner, State},
    store::{ChangeSet, Selection, file::ChangeColumns},
    verify::KeptFinding,
};

pub(super) struct Entry {
    pub(super) row: Option<InputRow>,
    /// Whether it missed the day by which it was to be done.
    pub(super) late: Option<Late>,
    pub(super) found: Vec<Place>,
}

/// How a wish missed its day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Late {
    /// All is done, the last of it only on this day.
    Done(Date),
    /// The day is over, and not all is done.
    Overdue,
}

/// A row of the input.
pub(super) struct InputRow {
    pub(super) number: u64,
    /// The line on which it starts.
    pub(super) line: u64,
    /// The cells with their headers; the whole row where it could not be taken apart.
    pub(super) cells: Vec<(String, String)>,
    /// When its wish came in.
    pub(super) received: Option<Date>,
    /// What became of a row that asks for no change.
    pub(super) state: Option<State>,
    pub(super) message: Option<String>,
    /// Whether the message names records about which a person has to decide.
    pub(super) look_at: bool,
}

/// A change, whose record it is about, and what reading back found to be no longer so.
pub(super) struct Place {
    pub(super) change: Change,
    pub(super) named: Option<NamedOwner>,
    pub(super) finding: Option<KeptFinding>,
}

impl Place {
    pub(super) fn of(
        set: &ChangeSet,
        change: Change,
        is_verified: bool,
    ) -> Result<Self, BulkError> {
        let named = change.target.owner().map(|owner| set.named_owner(owner)).transpose()?;
        let finding = if is_verified { set.finding(change.id)? } else { None };
        Ok(Self { change, named: named.flatten(), finding })
    }

    fn needs_attention(&self) -> bool {
        self.change.outcome.state.needs_attention() || self.finding.is_some()
    }
}

impl Entry {
    pub(super) fn needs_attention(&self) -> bool {
        let row = self.row.as_ref().is_some_and(|row| match row.state {
            Some(State::Already) => false,
            // That a list has more than the tenant is no news, and said by the number of such rows.
            Some(State::NotFound) => row.look_at,
            Some(_) => true,
            None => row.message.is_some(),
        });
        row || self.late.is_some() || self.found.iter().any(Place::needs_attention)
    }

    /// Puts the places to look at before the others.
    fn in_order(mut self) -> Self {
        self.found.sort_by_key(|place| !place.needs_attention());
        self
    }
}

/// Hands each entry of a set to `each`, in the order of the input.
pub(super) fn for_each(
    set: &ChangeSet,
    mut each: impl FnMut(Entry) -> Result<(), BulkError>,
) -> Result<(), BulkError> {
    let is_verified = set.verification()?.is_some();
    if set.count("SELECT EXISTS (SELECT 1 FROM rows)")? == 0 {
        return set.changes(&Selection::all()).try_for_each(|change| {
            let found = vec![Place::of(set, change?, is_verified)?];
            each(Entry { row: None, late: None, found })
        });
    }
    let (format, header) = (set.format()?, set.header()?);
    let (received, today) = (Received::of(set)?, clock::today());
    let add = |found: &mut Vec<Change>, at: &ChangeColumns, row: &Row<'_>| {
        found.push(at.read(row)?);
        Ok(())
    };
    set.each_row(ChangeColumns::NAMES, ChangeColumns::of, add, |row, found: Vec<Change>| {
        let cells = read_cells(format, &header, row.data);
        let row = InputRow {
            number: row.row,
            line: row.line,
            received: received.date(&cells),
            cells,
            state: row.state,
            message: row.message,
            look_at: row.look_at,
        };
        let found = found.into_iter().map(|change| Place::of(set, change, is_verified));
        let found = found.collect::<Result<Vec<_>, _>>()?;
        let late = late(&row, &found, today);
        each(Entry { row: Some(row), late, found }.in_order())
    })
}

/// Whether a wish that came in on a day missed the one that is due.
fn late(row: &InputRow, found: &[Place], today: Date) -> Option<Late> {
    let due = row.received.and_then(words::due)?;
    let outcomes = || found.iter().map(|place| &place.change.outcome);
    let is_settled = |state| matches!(state, State::Done | State::Already | State::Dropped);
    if outcomes().all(|outcome| is_settled(outcome.state)) {
        let done = outcomes().filter(|outcome| outcome.state == State::Done);
        let last = done.filter_map(|outcome| outcome.at).max().and_then(words::day);
        return last.filter(|day| *day > due).map(Late::Done);
    }
    (today > due).then_some(Late::Overdue)
}

fn read_cells(format: InputFormat, header: &[String], data: String) -> Vec<(String, String)> {
    let cells = cells(format, header, &data);
    if cells.is_empty() { vec![("row".to_owned(), data)] } else { cells }
}
