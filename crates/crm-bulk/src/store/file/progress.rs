//! What becomes of a change, as a row of its own: what was planned is written once.

use std::{
    collections::HashMap,
    mem,
    sync::{LazyLock, Mutex, MutexGuard},
};

use crm_mirror::{columns, database::Database, lock::lock};
use crm_models::ContactId;
use rusqlite::{
    Connection, Row, params_from_iter,
    types::{ToSqlOutput, Value, ValueRef},
};

use super::{
    codes::{self, unwritable},
    columns::{CHANGES, ChangeColumns, PROGRESS, STATE, contact_column, read_state},
    record::{self, Answered, RecordColumns, number_or_null},
    seal, totals,
};
use crate::{
    error::BulkError,
    set::{Action, Change, ChangeId, Image, Outcome, State},
    store::{
        cell::{Cell, Cells},
        interface::Expected,
    },
};

/// From which state a change went into which.
pub(super) type Shift = [State; 2];

/// What the owner of a set knows of its changes: claiming and settling one of these reads nothing, and
/// what becomes of them is written at the end of the transaction, many rows with one statement. Nobody
/// else writes progress while the owner's epoch is the newest, which each transaction looks at first.
#[derive(Debug, Default)]
pub(super) struct Known(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// What was loaded and is not touched yet, and what is in flight, as it will be in the file.
    changes: HashMap<ChangeId, Kept>,
    /// What is to be written.
    rows: Vec<ShortRow>,
}

/// From how many changes on those that were loaded and left are forgotten.
const MOST_KNOWN: usize = 4_096;

impl Known {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        lock(&self.0)
    }

    /// Somebody else may have written meanwhile.
    pub(super) fn forget(&self) {
        self.inner().changes.clear();
    }

    /// This was loaded, and nothing was written of it since it was planned.
    pub(super) fn loaded(&self, change: &Change) {
        let changes = &mut self.inner().changes;
        if changes.len() >= MOST_KNOWN {
            changes.retain(|_, kept| kept.state == State::InFlight);
        }
        changes.insert(change.id, Kept::untouched(change.outcome.state));
    }

    fn take(&self, change: &Change) -> Option<Kept> {
        self.inner().changes.remove(&change.id)
    }

    /// Has this become of a change of which the file has what is kept, and says what it moved.
    fn note(
        &self,
        database: &Database,
        kept: Kept,
        change: &Change,
        outcome: &Outcome,
        planned: Option<&Image>,
    ) -> Result<Shift, BulkError> {
        let row = kept.row(change, outcome, planned);
        let written = row.with_columns(|columns| match ShortRow::of(&columns) {
            Some(row) => {
                self.inner().rows.push(row);
                Ok(true)
            }
            None => Ok(false),
        });
        if !database.check(written)? {
            self.write(database)?;
            database.check(row.write(&database.connection))?;
        }
        let (moved, state, attempts) = (kept.moved(outcome), outcome.state, outcome.attempts);
        if state == State::InFlight {
            let kept = Kept { state, attempts, planned: None, ..kept };
            self.inner().changes.insert(change.id, kept);
        }
        Ok(moved)
    }

    /// Writes what is not in the file yet: at the end of each transaction, and before anything is read.
    pub(super) fn write(&self, database: &Database) -> Result<(), BulkError> {
        static ONE: LazyLock<String> = LazyLock::new(|| ShortRow::insert(1));
        static MANY: LazyLock<String> = LazyLock::new(|| ShortRow::insert(TOGETHER));
        let rows = mem::take(&mut self.inner().rows);
        let insert = |sql: &str, rows: &[ShortRow]| {
            let cells = rows.iter().flat_map(|row| &row.0);
            let values = cells.map(|cell| ToSqlOutput::Borrowed(cell.into()));
            database.execute(sql, params_from_iter(values))
        };
        let many = rows.chunks_exact(TOGETHER);
        for row in many.remainder().chunks(1) {
            insert(&ONE, row)?;
        }
        for rows in many {
            insert(&MANY, rows)?;
        }
        Ok(())
    }
}

/// How many rows are written with one statement.
const TOGETHER: usize = 16;

/// All there is to say of most claims and of most updates that were done, as columns of `progress`.
#[derive(Debug)]
struct ShortRow([Cell; 6]);

impl ShortRow {
    fn of(columns: &[ValueRef<'_>; PROGRESS]) -> Option<Self> {
        let [change, state, attempts, at, others @ .., modified_on, seal] = *columns;
        let is_short = others.iter().all(|column| *column == ValueRef::Null);
        is_short.then(|| Self([change, state, attempts, at, modified_on, seal].map(Cell::from)))
    }

    fn insert(rows: usize) -> String {
        let rows = vec!["(?, ?, ?, ?, ?, ?)"; rows].join(", ");
        format!(
            "INSERT OR REPLACE INTO progress
                 (change, state, attempts, at, after_modified_on, seal) VALUES {rows}"
        )
    }
}

/// Marks a change as sent, if it is as expected.
pub(super) fn claim(
    database: &Database,
    known: &Known,
    expected: Expected,
    change: &Change,
    siblings: Option<&[ContactId]>,
) -> Result<Option<Shift>, BulkError> {
    let found = change.before.is_some();
    swap(database, known, expected, change, found, &in_flight(change), siblings)
}

/// The outcome of a change that is claimed.
fn in_flight(change: &Change) -> Outcome {
    Outcome {
        at: change.outcome.at,
        attempts: change.outcome.attempts,
        ..Outcome::new(State::InFlight)
    }
}

/// Takes a claim back, if the change is as it was claimed.
pub(super) fn release(
    database: &Database,
    known: &Known,
    attempts: u32,
    former: &Change,
) -> Result<Option<Shift>, BulkError> {
    let expected = Expected { state: State::InFlight, attempts };
    swap(database, known, expected, former, true, &former.outcome, None)
}

/// Makes a change be so, with this outcome, if it is as expected. `found`: whether its record just
/// before the write is written too.
fn swap(
    database: &Database,
    known: &Known,
    expected: Expected,
    change: &Change,
    found: bool,
    outcome: &Outcome,
    siblings: Option<&[ContactId]>,
) -> Result<Option<Shift>, BulkError> {
    let compares = found || change.after.is_some();
    let Some(kept) = Kept::of(database, known, change, compares)? else {
        return Ok(None);
    };
    let Some(mut kept) = database.check(kept.swapped(expected, change, found, siblings))? else {
        return Ok(None);
    };
    let planned = kept.planned.take();
    known.note(database, kept, change, outcome, planned.as_ref()).map(Some)
}

/// Writes what became of a change.
pub(super) fn settle(
    database: &Database,
    known: &Known,
    change: &Change,
) -> Result<Option<Shift>, BulkError> {
    if let Some(kept) = known.take(change) {
        // Unless another was found, the record before is the one that the plan saw.
        let planned = change.before.as_ref();
        return known.note(database, kept, change, &change.outcome, planned).map(Some);
    }
    let Some(mut kept) = Kept::of(database, known, change, change.after.is_some())? else {
        return Ok(None);
    };
    let planned = kept.planned.take();
    known.note(database, kept, change, &change.outcome, planned.as_ref()).map(Some)
}

/// A row of progress that is to be written elsewhere, and what the totals gain by it.
pub(crate) struct NextProgress {
    pub(crate) row: Vec<Cell>,
    pub(crate) totals: [([i64; 2], [i64; 2]); 2],
}

/// What the file has of a change that a write keeps, or rests on.
#[derive(Debug)]
pub(crate) struct Kept {
    state: State,
    attempts: u32,
    /// The record that the plan saw, where the write has one to compare with it.
    planned: Option<Image>,
    found: Option<String>,
    siblings: Option<String>,
}

columns! {
    struct KeptColumns { state, attempts, found, siblings }
}

impl Kept {
    /// `compares`: with the record that the plan saw, which nobody keeps in memory.
    fn of(
        database: &Database,
        known: &Known,
        change: &Change,
        compares: bool,
    ) -> Result<Option<Self>, BulkError> {
        let kept = known.take(change).filter(|_| !compares);
        if kept.is_some() {
            return Ok(kept);
        }
        known.write(database)?;
        let at = const { KeptColumns::in_order(0) };
        let planned = const { RecordColumns::in_order(KeptColumns::COUNT) };
        static ALONE: LazyLock<String> = LazyLock::new(|| select(""));
        static WITH_RECORD: LazyLock<String> = LazyLock::new(|| select(RecordColumns::NAMES));
        let sql = if compares { &WITH_RECORD } else { &ALONE };
        let read = |row: &Row<'_>| {
            let planned = compares.then(|| record::read(row, &planned, &change.target));
            Ok(Self {
                state: read_state(row, at.state)?,
                attempts: row.get(at.attempts)?,
                planned: planned.transpose()?.flatten(),
                found: row.get(at.found)?,
                siblings: row.get(at.siblings)?,
            })
        };
        Ok(database.row(sql, [change.id.0], read)?)
    }

    /// What there is of a change of which nothing was written since it was planned.
    fn untouched(verdict: State) -> Self {
        Self { state: verdict, attempts: 0, planned: None, found: None, siblings: None }
    }

    /// What a row has that was kept elsewhere, all its columns in the order of the tables.
    fn of_row(row: &[Cell], change: &Change) -> rusqlite::Result<Self> {
        let at = const { ChangeColumns::in_order(0) };
        let has_progress = Cells::get_ref(row, at.change)? != ValueRef::Null;
        let state = if has_progress { at.state } else { at.verdict };
        Ok(Self {
            state: read_state(row, state)?,
            attempts: Cells::get::<Option<u32>>(row, at.attempts)?.unwrap_or_default(),
            planned: record::read(row, &at.before(), &change.target)?,
            found: Cells::get(row, at.found)?,
            siblings: Cells::get(row, at.siblings)?,
        })
    }

    /// What is to be kept if the change is as expected; `None` if it is not. `found`: with its record
    /// just before the write.
    fn swapped(
        mut self,
        expected: Expected,
        change: &Change,
        found: bool,
        siblings: Option<&[ContactId]>,
    ) -> rusqlite::Result<Option<Self>> {
        if self.state != expected.state || self.attempts != expected.attempts {
            return Ok(None);
        }
        if found {
            let planned = self.planned.as_ref();
            let news = change.before.as_ref().filter(|before| planned != Some(before));
            self.found = news.map(serde_json::to_string).transpose().map_err(unwritable)?;
        }
        if let Some(siblings) = siblings {
            self.siblings = Some(serde_json::to_string(siblings).map_err(unwritable)?);
        }
        Ok(Some(self))
    }

    /// The row that a change gets with this outcome.
    fn row<'a>(
        &'a self,
        change: &'a Change,
        outcome: &'a Outcome,
        planned: Option<&'a Image>,
    ) -> ProgressRow<'a> {
        // What was answered is told apart only from what was planned.
        let before = planned.filter(|_| self.found.is_none());
        let (found, siblings) = (self.found.as_deref(), self.siblings.as_deref());
        ProgressRow { change, outcome, before, found, siblings }
    }

    fn moved(&self, outcome: &Outcome) -> Shift {
        [self.state, outcome.state]
    }

    /// What claiming makes of a row that was kept elsewhere: see [`claim`].
    pub(crate) fn claimed(
        row: &[Cell],
        expected: Expected,
        change: &Change,
        siblings: Option<&[ContactId]>,
    ) -> rusqlite::Result<Option<NextProgress>> {
        let found = change.before.is_some();
        let kept = Self::of_row(row, change)?.swapped(expected, change, found, siblings)?;
        kept.map(|kept| kept.next(change, &in_flight(change))).transpose()
    }

    /// What taking a claim back makes of such a row: see [`release`].
    pub(crate) fn released(
        row: &[Cell],
        attempts: u32,
        former: &Change,
    ) -> rusqlite::Result<Option<NextProgress>> {
        let claimed = Expected { state: State::InFlight, attempts };
        let kept = Self::of_row(row, former)?.swapped(claimed, former, true, None)?;
        kept.map(|kept| kept.next(former, &former.outcome)).transpose()
    }

    /// What settling makes of such a row: see [`settle`].
    pub(crate) fn settled(row: &[Cell], change: &Change) -> rusqlite::Result<NextProgress> {
        Self::of_row(row, change)?.next(change, &change.outcome)
    }

    fn next(&self, change: &Change, outcome: &Outcome) -> rusqlite::Result<NextProgress> {
        let cells = |columns: [ValueRef<'_>; PROGRESS]| Ok(columns.map(Cell::from).to_vec());
        let row = self.row(change, outcome, self.planned.as_ref()).with_columns(cells)?;
        let totals = totals::differences(&change.action, self.moved(outcome));
        Ok(NextProgress { row, totals })
    }
}

/// The query for what the file has of a change, with these columns of its record.
fn select(record: &str) -> String {
    let separator = if record.is_empty() { "" } else { ", " };
    format!(
        "SELECT {STATE} AS state, coalesce(attempts, 0) AS attempts, found, siblings
             {separator}{record} FROM {CHANGES} WHERE id = ?"
    )
}

/// All progress of a change.
pub(super) struct ProgressRow<'a> {
    pub(super) change: &'a Change,
    pub(super) outcome: &'a Outcome,
    /// The record as the plan saw it, if it was found so.
    pub(super) before: Option<&'a Image>,
    pub(super) found: Option<&'a str>,
    pub(super) siblings: Option<&'a str>,
}

impl ProgressRow<'_> {
    /// Writes the row, which has its seal from the start.
    pub(super) fn write(&self, connection: &Connection) -> rusqlite::Result<()> {
        let sql =
            "INSERT OR REPLACE INTO progress VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
        self.with_columns(|columns| {
            let all = columns.map(ToSqlOutput::Borrowed);
            connection.prepare_cached(sql)?.execute(params_from_iter(all)).map(drop)
        })
    }

    /// Hands its columns over, the last of which is the seal.
    fn with_columns<R>(
        &self,
        with: impl FnOnce([ValueRef<'_>; PROGRESS]) -> rusqlite::Result<R>,
    ) -> rusqlite::Result<R> {
        let Self { change, outcome, before, found, siblings } = self;
        let answered = Answered::of(change.after.as_ref(), *before, &change.action);
        let answered = answered.map_err(unwritable)?;
        let at = outcome.at.map_or(Value::Null, codes::time);
        let created = match change.action {
            Action::Create(_) => contact_column(&change.target),
            _ => Value::Null,
        };
        let values = [
            ValueRef::Integer(change.id.0),
            ValueRef::Integer(codes::state(outcome.state)),
            ValueRef::Integer(outcome.attempts.into()),
            (&at).into(),
            number_or_null(outcome.http_status.map(i64::from)),
            ValueRef::from(outcome.trace_id.as_deref()),
            ValueRef::from(outcome.message.as_deref()),
            ValueRef::from(outcome.field_errors.as_deref()),
            (&created).into(),
            ValueRef::from(*siblings),
            ValueRef::from(*found),
            ValueRef::from(answered.after.as_deref()),
            (&answered.modified_on).into(),
        ];
        let seal = ValueRef::Integer(seal::of(values.into_iter()));
        let mut columns = [seal; PROGRESS];
        columns[..PROGRESS - 1].copy_from_slice(&values);
        with(columns)
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::{StatementStatus, config::DbConfig};

    use super::*;
    use crate::store::file::test_sets::set_of;

    #[test]
    fn a_change_is_looked_up_without_planning_the_statement_anew() {
        let folder = tempfile::tempdir().unwrap();
        let set = set_of(&folder.path().join("set.crm"), &Action::Delete(None));
        let connection = &set.database.connection;
        let planned_anew = || {
            let names = RecordColumns::NAMES;
            let sql = format!("SELECT {names}, {STATE}, found FROM {CHANGES} WHERE id = ?");
            let mut statement = connection.prepare(&sql).unwrap();
            for id in 1..=3 {
                let _ = statement.query([id]).unwrap().next().unwrap();
            }
            statement.get_status(StatementStatus::RePrepare)
        };
        assert_eq!(planned_anew(), 0);
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, false).unwrap();
        // SQLite 3.51 does not, of itself; 3.54 does.
        if rusqlite::version_number() >= 3_054_000 {
            assert_ne!(planned_anew(), 0, "by default it is");
        }
    }
}
