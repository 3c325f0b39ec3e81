//! A change set in the making.

use std::{cell::Cell, collections::BTreeMap, path::Path, sync::LazyLock};

use crm_models::{Timestamp, UnreadableRecord};
use rusqlite::params;

use super::{
    columns::{contact_column, owner_column, read_action, read_target},
    format::FORMAT,
    repeats, seal,
};
use crate::{
    clock,
    database::{Database, NewDatabase},
    error::BulkError,
    job::Stop,
    set::{Action, Digest, Image, Outcome, SetKind, Site, State, Target, of_change, on_off},
};

/// Writes a new change set. Until [`finish`](Self::finish) it lives under a temporary name of
/// its own, so that the set either is there as a whole or not at all; dropping the draft removes
/// it.
///
/// One transaction, no journal: nothing has to survive before the end.
pub(crate) struct Draft {
    file: NewDatabase,
    /// How many changes it has so far.
    changes: Cell<i64>,
    /// Whether a contact is to be created.
    creates: Cell<bool>,
}

/// What the plan found out about one change.
pub(crate) struct Planned<'a> {
    pub(crate) row: Option<u64>,
    pub(crate) target: Target,
    pub(crate) action: &'a Action,
    /// The record as JSON, in the API's form.
    pub(crate) before: Option<&'a str>,
    pub(crate) outcome: Outcome,
}

/// A change whose record was not read yet.
pub(crate) struct Unread {
    pub(crate) id: i64,
    pub(crate) target: Target,
    pub(crate) action: Action,
}

columns! {
    /// The columns of such a change.
    struct UnreadColumns { id, owner_kind, owner_id, contact_id, action, wanted }
}

/// The state of changes whose record was not read yet; never in a finished set.
const UNREAD: &str = "unread";

impl Draft {
    /// Begins a set. Once the stop is asked for, nothing more can be written.
    pub(crate) fn create(
        path: &Path,
        site: &Site,
        kind: SetKind,
        stop: &Stop,
    ) -> Result<Self, BulkError> {
        let mut file = NewDatabase::create(path, &FORMAT)?;
        file.database_mut().end_with(stop)?;
        let draft = Self { file, changes: Cell::default(), creates: Cell::default() };
        draft.batch(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
             PRAGMA locking_mode = EXCLUSIVE; BEGIN",
        )?;
        draft.database().set_site(site)?;
        draft.set_meta("kind", kind.as_str())?;
        draft.set_meta("created_at", &clock::now().to_string())?;
        Ok(draft)
    }

    /// The name that the set will have.
    pub(crate) fn path(&self) -> &Path {
        self.file.path()
    }

    pub(super) fn database(&self) -> &Database {
        self.file.database()
    }

    pub(super) fn batch(&self, sql: &str) -> Result<(), BulkError> {
        let database = self.database();
        database.check(database.connection.execute_batch(sql))
    }

    pub(crate) fn set_meta(&self, name: &str, value: &str) -> Result<(), BulkError> {
        self.database().set_meta(name, value)
    }

    /// What the plan has to say to people.
    pub(crate) fn set_notes(&self, notes: &[String]) -> Result<(), BulkError> {
        let notes = serde_json::to_string(notes).map_err(|e| self.unwritable(e))?;
        self.set_meta("notes", &notes)
    }

    /// Keeps which records of the service could not be read, so that the plan knows nothing of
    /// them.
    pub(crate) fn set_unreadable(&self, records: &[UnreadableRecord]) -> Result<(), BulkError> {
        if records.is_empty() {
            return Ok(());
        }
        let told: Vec<_> = records.iter().map(ToString::to_string).collect();
        let told = serde_json::to_string(&told).map_err(|e| self.unwritable(e))?;
        self.set_meta("unreadable", &told)
    }

    pub(crate) fn set_known_at(&self, at: Timestamp) -> Result<(), BulkError> {
        self.set_meta("known_at", &at.to_string())
    }

    /// Keeps a row of the input.
    pub(crate) fn add_row(&self, row: u64, line: u64, data: &str) -> Result<(), BulkError> {
        let sql = "INSERT INTO rows (row, line, data) VALUES (?, ?, ?)";
        self.execute(sql, params![row, line, data])
    }

    /// Says what became of a row that asks for no change, or what else is to be said of a row.
    pub(crate) fn settle_row(
        &self,
        row: u64,
        state: Option<State>,
        why: &str,
    ) -> Result<(), BulkError> {
        let sql = "UPDATE rows SET state = ?2, message = ?3 WHERE row = ?1";
        self.execute(sql, params![row, state.map(State::as_str), why])
    }

    /// The rows that ask for a change that cannot be made, and why.
    pub(crate) fn failed_rows(&self) -> Result<BTreeMap<u64, String>, BulkError> {
        let database = self.database();
        let sql = "SELECT row, coalesce(message, '') AS why FROM changes
            WHERE state = 'failed' AND row IS NOT NULL";
        let rows = database.rows(sql, [], |row| Ok((row.get("row")?, row.get("why")?)))?;
        Ok(rows.into_iter().collect())
    }

    pub(crate) fn add_change(&self, change: &Planned<'_>) -> Result<(), BulkError> {
        self.add_restoration(change, None)
    }

    /// Keeps a change that restores a deleted contact, with the ids (JSON) of the contacts that
    /// had its number or address beside it.
    pub(crate) fn add_restoration(
        &self,
        change: &Planned<'_>,
        siblings: Option<&str>,
    ) -> Result<(), BulkError> {
        let Planned { target, action, outcome, .. } = change;
        let before = change.before.map(|json| Image::from_file(target, json)).transpose();
        let before = before.map_err(|e| self.unwritable(e))?;
        let digest = of_change(outcome.state, target, action, before.as_ref());
        self.insert(change, Some(digest), siblings)
    }

    /// Keeps a change whose record is read later: see [`unread`](Self::unread).
    pub(crate) fn add_unread(
        &self,
        row: Option<u64>,
        target: Target,
        action: &Action,
    ) -> Result<(), BulkError> {
        let change =
            Planned { row, target, action, before: None, outcome: Outcome::new(State::Planned) };
        self.insert(&change, None, None)
    }

    /// Without a digest it is one that is still to be read. One with a digest is written with its
    /// check values: writing them later would cost as much again, and leave pages half full.
    fn insert(
        &self,
        change: &Planned<'_>,
        digest: Option<Digest>,
        siblings: Option<&str>,
    ) -> Result<(), BulkError> {
        static SQL: LazyLock<String> = LazyLock::new(|| {
            let seal = seal::expression(|column| match column {
                "id" => "?1",
                "row" => "?2",
                "owner_kind" => "?3",
                "owner_id" => "?4",
                "contact_id" => "?5",
                "action" => "?6",
                "wanted" => "?7",
                "before" => "?8",
                "siblings" => "?9",
                "state" | "verdict" => "?10",
                "message" => "?11",
                "digest" => "?12",
                "attempts" => "0",
                _ => "NULL",
            });
            format!(
                "INSERT INTO changes (id, row, owner_kind, owner_id, contact_id, action, wanted,
                    before, siblings, state, message, digest, verdict, seal)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12,
                    iif(?12 IS NULL, NULL, ?10), {seal})"
            )
        });
        let wanted = change.action.wanted_json();
        let wanted = wanted.map_err(|e| self.unwritable(e))?;
        if matches!(change.action, Action::Create(_)) {
            self.creates.set(true);
        }
        self.changes.set(self.changes.get() + 1);
        let values = params![
            self.changes.get(),
            change.row,
            change.target.kind(),
            owner_column(&change.target),
            contact_column(&change.target),
            change.action.name(),
            wanted,
            change.before,
            siblings,
            digest.map_or(UNREAD, |_| change.outcome.state.as_str()),
            change.outcome.message,
            digest.as_ref().map(Digest::as_bytes),
        ];
        self.execute(&SQL, values)
    }

    /// A value that cannot be written as JSON.
    pub(crate) fn unwritable(&self, error: serde_json::Error) -> BulkError {
        BulkError::file(self.path(), "written", error.into())
    }

    /// Makes changes quick to find by their record.
    pub(crate) fn index_records(&self) -> Result<(), BulkError> {
        self.batch(include_str!("indexes.sql"))
    }

    /// Up to this many owners after `last`, of one kind, that have unread changes.
    pub(crate) fn unread_owners(
        &self,
        kind: &str,
        last: i64,
        limit: usize,
    ) -> Result<Vec<i64>, BulkError> {
        self.database().rows(
            "SELECT DISTINCT owner_id FROM changes
             WHERE owner_kind = ? AND owner_id > ? AND state = 'unread'
             ORDER BY owner_id LIMIT ?",
            params![kind, last, limit],
            |row| row.get("owner_id"),
        )
    }

    /// The unread changes of one owner.
    pub(crate) fn unread(&self, kind: &str, owner: i64) -> Result<Vec<Unread>, BulkError> {
        let sql = format!(
            "SELECT {} FROM changes WHERE owner_kind = ? AND owner_id = ? AND state = 'unread'",
            UnreadColumns::NAMES
        );
        let database = self.database();
        let query = || {
            let mut query = database.connection.prepare_cached(&sql)?;
            let at = UnreadColumns::of(&query)?;
            let unread = query.query_map(params![kind, owner], |row| {
                Ok(Unread {
                    id: row.get(at.id)?,
                    target: read_target(row, [at.owner_kind, at.owner_id, at.contact_id])?,
                    action: read_action(row, at.action, at.wanted)?,
                })
            })?;
            unread.collect()
        };
        database.check(query())
    }

    /// Has a change that was kept unread ask for something else.
    pub(crate) fn ask_for(&self, id: i64, action: &Action) -> Result<(), BulkError> {
        let wanted = action.wanted_json().map_err(|e| self.unwritable(e))?;
        self.execute("UPDATE changes SET wanted = ? WHERE id = ?", params![wanted, id])
    }

    /// Keeps what flags become that the service does not tell, if somebody chose that.
    pub(crate) fn set_unknown_flags(&self, chosen: Option<bool>) -> Result<(), BulkError> {
        match chosen {
            Some(on) => self.set_meta("unknown_flags", on_off(on)),
            None => Ok(()),
        }
    }

    /// Completes a change that was kept unread.
    pub(crate) fn settle(
        &self,
        id: i64,
        target: &Target,
        before: Option<&str>,
        outcome: &Outcome,
    ) -> Result<(), BulkError> {
        let sql =
            "UPDATE changes SET contact_id = ?, before = ?, state = ?, message = ? WHERE id = ?";
        let contact = contact_column(target);
        self.execute(sql, params![contact, before, outcome.state.as_str(), outcome.message, id])
    }

    pub(super) fn execute(
        &self,
        sql: &str,
        values: impl rusqlite::Params,
    ) -> Result<(), BulkError> {
        self.database().execute(sql, values).map(drop)
    }

    /// Sets aside what contradicts itself, takes the rest for what was planned, and puts the set under its name, unless a file has it
    /// by now.
    pub(crate) fn finish(self) -> Result<(), BulkError> {
        self.index_records()?;
        repeats::resolve(self.database())?;
        if self.creates.get() {
            repeats::resolve_creations(self.database())?;
        }
        seal::adopt(self.database())?;
        self.batch("COMMIT; PRAGMA locking_mode = NORMAL")?;
        self.file.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::file::test_sets::draft;

    #[test]
    fn two_drafts_of_one_name_do_not_meet_and_the_second_overwrites_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("set.crm");
        let (first, second) = (draft(&path), draft(&path));
        first.set_meta("source", "first").unwrap();
        first.finish().unwrap();
        let error = second.finish().unwrap_err();
        assert!(matches!(error, BulkError::Exists { .. }), "{error}");
        let set = crate::ChangeSet::open(&path).unwrap();
        assert_eq!(set.info().unwrap().source.as_deref(), Some("first"));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
