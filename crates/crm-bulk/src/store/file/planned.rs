//! What was planned of a change, as a row that is written once.

use rusqlite::{
    Connection, params_from_iter,
    types::{ToSqlOutput, ValueRef},
};

use super::{
    codes,
    columns::{ChangeColumns, PLANNED, contact_column, owner_column},
    record::{Record, Wish, number_or_null},
    seal,
};
use crate::set::{Action, Digest, Outcome, Target};

/// A row in the making.
pub(super) struct PlannedRow<'a> {
    pub(super) id: i64,
    pub(super) row: Option<u64>,
    pub(super) repeats: Option<i64>,
    pub(super) target: Target,
    pub(super) action: &'a Action,
    /// With the verdict, and why.
    pub(super) outcome: &'a Outcome,
    pub(super) before: Option<Record<'a>>,
    pub(super) beside: Option<&'a str>,
    /// `None` for a change that is still to be read, or that nobody looked at.
    pub(super) digest: Option<Digest>,
}

/// The statement that [`PlannedRow::write`] takes, for this table.
pub(super) fn insert_into(table: &str) -> String {
    let columns: Vec<_> = ChangeColumns::NAMES.split(", ").take(PLANNED).collect();
    let values = vec!["?"; PLANNED].join(", ");
    format!("INSERT OR REPLACE INTO {table} ({}) VALUES ({values})", columns.join(", "))
}

impl PlannedRow<'_> {
    /// Writes the row, with its seal if it has a digest: writing that later would cost as much
    /// again, and leave pages half full.
    pub(super) fn write(&self, connection: &Connection, sql: &str) -> rusqlite::Result<()> {
        let row = self.row.and_then(|row| i64::try_from(row).ok());
        let (owner, contact) = (owner_column(&self.target), contact_column(&self.target));
        let wish = Wish::of(self.action)?;
        let about = [
            ValueRef::Integer(self.id),
            number_or_null(row),
            number_or_null(self.repeats),
            ValueRef::Integer(codes::owner(&self.target)),
            (&owner).into(),
            (&contact).into(),
            ValueRef::Integer(codes::action(self.action)),
            ValueRef::Integer(codes::state(self.outcome.state)),
            ValueRef::from(self.outcome.message.as_deref()),
        ];
        let before = self.before.as_ref().map_or([ValueRef::Null; 8], Record::columns);
        let digest = self.digest.as_ref().map(Digest::as_bytes);
        let rest = [ValueRef::from(self.beside), digest.map_or(ValueRef::Null, ValueRef::Blob)];
        let all = about.into_iter().chain(wish.columns()).chain(before).chain(rest);
        let seal = digest.map(|_| seal::of(all.clone()));
        let all = all.chain([number_or_null(seal)]).map(ToSqlOutput::Borrowed);
        connection.prepare_cached(sql)?.execute(params_from_iter(all)).map(drop)
    }
}
