//! What becomes of a change, as a row of its own: what was planned is written once.

use std::sync::LazyLock;

use crm_mirror::{columns, database::Database};
use crm_models::ContactId;
use rusqlite::{
    Connection, Row, params_from_iter,
    types::{ToSqlOutput, Value, ValueRef},
};

use super::{
    codes::{self, unwritable},
    columns::{CHANGES, ChangeColumns, PLANNED, STATE, contact_column, read_state},
    record::{self, Answered, RecordColumns, number_or_null},
    seal,
};
use crate::{
    error::BulkError,
    set::{Action, Change, Image, Outcome, State},
    store::interface::Expected,
};

/// From which state a change went into which.
pub(super) type Moved = [State; 2];

/// Marks a change as sent, if it is as expected.
pub(super) fn claim(
    database: &Database,
    expected: Expected,
    change: &Change,
    siblings: Option<&[ContactId]>,
) -> Result<Option<Moved>, BulkError> {
    let in_flight = Outcome {
        at: change.outcome.at,
        attempts: change.outcome.attempts,
        ..Outcome::new(State::InFlight)
    };
    let found = change.before.is_some();
    swap(database, expected, change, found, &in_flight, siblings)
}

/// Takes a claim back, if the change is as it was claimed.
pub(super) fn release(
    database: &Database,
    attempts: u32,
    former: &Change,
) -> Result<Option<Moved>, BulkError> {
    let claimed = Expected { state: State::InFlight, attempts };
    swap(database, claimed, former, true, &former.outcome, None)
}

/// Makes a change be so, with this outcome, if it is as expected. `found`: whether its record just
/// before the write is written too.
fn swap(
    database: &Database,
    expected: Expected,
    change: &Change,
    found: bool,
    outcome: &Outcome,
    siblings: Option<&[ContactId]>,
) -> Result<Option<Moved>, BulkError> {
    let Some(mut kept) = Kept::of(database, change)? else {
        return Ok(None);
    };
    if kept.state != expected.state || kept.attempts != expected.attempts {
        return Ok(None);
    }
    if found {
        let news = change.before.as_ref().filter(|before| kept.planned.as_ref() != Some(before));
        let news = news.map(serde_json::to_string).transpose().map_err(unwritable);
        kept.found = database.check(news)?;
    }
    if let Some(siblings) = siblings {
        let siblings = serde_json::to_string(siblings).map_err(unwritable);
        kept.siblings = Some(database.check(siblings)?);
    }
    kept.replace(database, change, outcome).map(Some)
}

/// Writes what became of a change.
pub(super) fn settle(database: &Database, change: &Change) -> Result<Option<Moved>, BulkError> {
    let kept = Kept::of(database, change)?;
    kept.map(|kept| kept.replace(database, change, &change.outcome)).transpose()
}

/// What the file has of a change that a write keeps, or rests on.
struct Kept {
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
    fn of(database: &Database, change: &Change) -> Result<Option<Self>, BulkError> {
        let at = const { KeptColumns::in_order(0) };
        let planned = const { RecordColumns::in_order(KeptColumns::COUNT) };
        static ALONE: LazyLock<String> = LazyLock::new(|| select(""));
        static WITH_RECORD: LazyLock<String> = LazyLock::new(|| select(RecordColumns::NAMES));
        // A claim has none, and to read the record takes longer than the rest.
        let compares = change.before.is_some() || change.after.is_some();
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

    fn replace(
        &self,
        database: &Database,
        change: &Change,
        outcome: &Outcome,
    ) -> Result<Moved, BulkError> {
        // What was answered is told apart only from what was planned.
        let before = self.planned.as_ref().filter(|_| self.found.is_none());
        let (found, siblings) = (self.found.as_deref(), self.siblings.as_deref());
        let row = ProgressRow { change, outcome, before, found, siblings };
        database.check(row.write(&database.connection))?;
        Ok([self.state, outcome.state])
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
        static SQL: LazyLock<String> = LazyLock::new(|| {
            let columns: Vec<_> = ChangeColumns::NAMES.split(", ").skip(PLANNED).collect();
            let values = vec!["?"; columns.len()].join(", ");
            format!("INSERT OR REPLACE INTO progress ({}) VALUES ({values})", columns.join(", "))
        });
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
        let all = values.into_iter().chain([seal]).map(ToSqlOutput::Borrowed);
        connection.prepare_cached(&SQL)?.execute(params_from_iter(all)).map(drop)
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
        let set = set_of(&folder.path().join("set.crm"), &Action::Delete);
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
        assert_ne!(planned_anew(), 0, "by default it is");
    }
}
