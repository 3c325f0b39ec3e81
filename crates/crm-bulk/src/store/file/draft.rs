//! A change set in the making.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    path::Path,
    sync::LazyLock,
};

use crm_mirror::{
    Site, columns,
    database::{Database, NewDatabase},
    job::Stop,
};
use crm_models::{Timestamp, UnreadableRecord};
use rusqlite::{Row, Statement, params};

use super::{
    cautions::CAUTIONS,
    codes,
    columns::read_target,
    format::FORMAT,
    notes::UNDOES,
    planned::{PlannedRow, insert_into},
    record::{Record, WishColumns, read_action},
    repeats,
    rows::{self, InputRow},
    seal, totals,
};
use crate::{
    clock,
    error::BulkError,
    set::{Action, Image, Outcome, SetKind, State, Target, of_change, on_off},
    system_user::system_user,
};

/// Writes a new change set. Until [`finish`](Self::finish) it lives under a temporary name of
/// its own, so that the set either is there as a whole or not at all; dropping the draft removes
/// it.
///
/// One transaction, no journal: nothing has to survive before the end.
pub(crate) struct Draft {
    file: NewDatabase,
    stop: Stop,
    /// How many changes it has so far.
    changes: Cell<i64>,
    /// Whether a contact is to be created.
    creates: Cell<bool>,
    /// Whether records of changes are read later.
    reads_later: Cell<bool>,
    /// Deletions of which another change of the set has to hand the memo over.
    hand_overs: RefCell<Vec<i64>>,
}

/// What the plan found out about one change.
pub(crate) struct Planned<'a> {
    pub(crate) row: Option<u64>,
    pub(crate) target: Target,
    pub(crate) action: &'a Action,
    pub(crate) before: Option<Image>,
    pub(crate) outcome: Outcome,
}

/// A change whose record was not read yet.
pub(crate) struct Unread {
    id: i64,
    row: Option<u64>,
    pub(crate) target: Target,
    pub(crate) action: Action,
    /// Why, for people.
    why: Option<String>,
}

columns! {
    /// What is known of such a change besides.
    struct UnreadColumns { id, row, owner_id, contact_id, note }
}

/// Where such changes are until they are read, in the order of their owners: put among the others
/// then, in the order of the rows, they fill the pages. Its columns take anything.
const UNREAD: &str = "CREATE TEMP TABLE unread AS SELECT * FROM planned WHERE 0;
    CREATE UNIQUE INDEX temp.unread_by_id ON unread (id);
    CREATE INDEX temp.unread_by_owner ON unread (owner_kind, owner_id)";
static INSERT_UNREAD: LazyLock<String> = LazyLock::new(|| insert_into("unread"));

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
        let draft = Self {
            file,
            stop: stop.clone(),
            changes: Cell::default(),
            creates: Cell::default(),
            reads_later: Cell::default(),
            hand_overs: RefCell::default(),
        };
        draft.batch(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
             PRAGMA locking_mode = EXCLUSIVE; BEGIN",
        )?;
        draft.database().set_site(site)?;
        draft.set_meta("kind", kind.as_str())?;
        draft.set_meta("created_at", &clock::now().to_string())?;
        draft.set_meta("version", env!("CARGO_PKG_VERSION"))?;
        draft.set_meta("planned_by", &system_user())?;
        Ok(draft)
    }

    /// The name that the set will have.
    pub(crate) fn path(&self) -> &Path {
        self.file.path()
    }

    pub(crate) fn database(&self) -> &Database {
        self.file.database()
    }

    pub(crate) fn batch(&self, sql: &str) -> Result<(), BulkError> {
        let database = self.database();
        Ok(database.check(database.connection.execute_batch(sql))?)
    }

    pub(crate) fn set_meta(&self, name: &str, value: &str) -> Result<(), BulkError> {
        Ok(self.database().set_meta(name, value)?)
    }

    /// Keeps what was chosen beyond what is usual.
    pub(crate) fn set_options(&self, options: &[String]) -> Result<(), BulkError> {
        let options = serde_json::to_string(options).map_err(|e| self.unwritable(e))?;
        self.set_meta("options", &options)
    }

    /// What the plan has to say to people.
    pub(crate) fn set_notes(&self, notes: &[String]) -> Result<(), BulkError> {
        let notes = serde_json::to_string(notes).map_err(|e| self.unwritable(e))?;
        self.set_meta("notes", &notes)
    }

    /// Keeps how the set was made that this one reverses.
    pub(crate) fn set_undoes(&self, kind: SetKind) -> Result<(), BulkError> {
        self.set_meta(UNDOES, kind.as_str())
    }

    /// Keeps that changes have cautions.
    pub(crate) fn set_cautions(&self) -> Result<(), BulkError> {
        self.set_meta(CAUTIONS, "yes")
    }

    /// Keeps which columns of the rows have the day on which a wish came in.
    pub(crate) fn set_received(&self, columns: &[String]) -> Result<(), BulkError> {
        let columns = serde_json::to_string(columns).map_err(|e| self.unwritable(e))?;
        self.set_meta("received_columns", &columns)
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
        let sql = "INSERT INTO rows (row, other_lines, data) VALUES (?1, ?2 - ?1, ?3)";
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

    /// Marks a row whose message names records about which a person has to decide.
    pub(crate) fn look_at_row(&self, row: u64) -> Result<(), BulkError> {
        self.execute("UPDATE rows SET look_at = 1 WHERE row = ?", [row])
    }

    /// Hands each row that was kept to `each`, in order. They are read some at a time, so that
    /// `each` may settle them.
    pub(crate) fn each_row(
        &self,
        mut each: impl FnMut(InputRow) -> Result<(), BulkError>,
    ) -> Result<(), BulkError> {
        let mut last = 0;
        loop {
            let some = rows::behind(self.database(), last)?;
            let Some(newest) = some.last() else {
                return Ok(());
            };
            last = newest.row;
            some.into_iter().try_for_each(&mut each)?;
        }
    }

    /// Hands what `read` makes of each row that a query finds to `each`, one after another. `find`
    /// finds the columns, once for all.
    pub(crate) fn each<C, R>(
        &self,
        sql: &str,
        find: impl FnOnce(&Statement<'_>) -> rusqlite::Result<C>,
        mut read: impl FnMut(&Row<'_>, &C) -> rusqlite::Result<R>,
        mut each: impl FnMut(R) -> Result<(), BulkError>,
    ) -> Result<(), BulkError> {
        let database = self.database();
        let mut query = database.check(database.connection.prepare(sql))?;
        let columns = database.check(find(&query))?;
        let mut rows = database.check(query.query([]))?;
        while let Some(row) = database.check(rows.next())? {
            each(database.check(read(row, &columns))?)?;
        }
        Ok(())
    }

    /// The rows that ask for a change that cannot be made, and why.
    pub(crate) fn failed_rows(&self) -> Result<BTreeMap<u64, String>, BulkError> {
        let tables: &[_] =
            if self.reads_later.get() { &["planned", "unread"] } else { &["planned"] };
        let mut failed = BTreeMap::new();
        for table in tables {
            let sql = format!(
                "SELECT row, coalesce(note, '') AS why FROM {table}
                 WHERE verdict = ? AND row IS NOT NULL"
            );
            let state = [codes::state(State::Failed)];
            let read = |row: &Row<'_>| Ok((row.get("row")?, row.get("why")?));
            failed.extend(self.database().rows(&sql, state, read)?);
        }
        Ok(failed)
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
        static SQL: LazyLock<String> = LazyLock::new(|| insert_into("planned"));
        let Planned { row, target, action, before, outcome } = change;
        let (before, outcome) = (before.as_ref(), outcome);
        let row = PlannedRow {
            id: self.next(action),
            row: *row,
            repeats: None,
            target: *target,
            action,
            outcome,
            before: self.record(before, target)?,
            beside: siblings,
            digest: Some(of_change(outcome.state, target, action, before)),
        };
        self.write(&row, &SQL)
    }

    /// Keeps a change whose record is read later: see [`unread`](Self::unread).
    pub(crate) fn add_unread(
        &self,
        row: Option<u64>,
        target: Target,
        action: &Action,
        why: Option<&str>,
    ) -> Result<(), BulkError> {
        let id = self.next(action);
        if !self.reads_later.replace(true) {
            self.batch(UNREAD)?;
        }
        let outcome = &Outcome::new(State::Planned).for_reason(why.map(str::to_owned));
        let (repeats, before, beside, digest) = (None, None, None, None);
        let row = PlannedRow { id, row, repeats, target, action, outcome, before, beside, digest };
        self.write(&row, &INSERT_UNREAD)
    }

    /// Says that another change has to hand over the memo of what the last one deletes.
    pub(crate) fn last_needs_hand_over(&self) {
        self.hand_overs.borrow_mut().push(self.changes.get());
    }

    /// Says the same of a change that was kept unread.
    pub(crate) fn needs_hand_over(&self, change: &Unread) {
        self.hand_overs.borrow_mut().push(change.id);
    }

    /// The number of the next change.
    fn next(&self, action: &Action) -> i64 {
        if matches!(action, Action::Create(_)) {
            self.creates.set(true);
        }
        self.changes.set(self.changes.get() + 1);
        self.changes.get()
    }

    fn record<'a>(
        &self,
        image: Option<&'a Image>,
        target: &Target,
    ) -> Result<Option<Record<'a>>, BulkError> {
        Ok(self.database().check(image.map(|image| Record::of(image, target)).transpose())?)
    }

    fn write(&self, row: &PlannedRow<'_>, sql: &str) -> Result<(), BulkError> {
        let database = self.database();
        Ok(database.check(row.write(&database.connection, sql))?)
    }

    /// A value that cannot be written as JSON.
    pub(crate) fn unwritable(&self, error: serde_json::Error) -> BulkError {
        BulkError::file(self.path(), "written", error.into())
    }

    /// Up to this many owners after `last`, of one kind, that have unread changes.
    pub(crate) fn unread_owners(
        &self,
        kind: &str,
        last: i64,
        limit: usize,
    ) -> Result<Vec<i64>, BulkError> {
        if !self.reads_later.get() {
            return Ok(Vec::new());
        }
        let sql = "SELECT DISTINCT owner_id FROM unread WHERE owner_kind = ? AND owner_id > ?
             ORDER BY owner_id LIMIT ?";
        let from = params![codes::owner_kind(kind), last, limit];
        Ok(self.database().rows(sql, from, |row| row.get("owner_id"))?)
    }

    /// The unread changes of one owner.
    pub(crate) fn unread(&self, kind: &str, owner: i64) -> Result<Vec<Unread>, BulkError> {
        let sql = format!(
            "SELECT id, row, owner_id, contact_id, note, {}
             FROM unread WHERE owner_kind = ? AND owner_id = ? AND digest IS NULL",
            WishColumns::NAMES
        );
        let database = self.database();
        let query = || {
            let mut query = database.connection.prepare_cached(&sql)?;
            let at = UnreadColumns::of(&query)?;
            let wish = WishColumns::of(&query)?;
            let unread = query.query_map(params![codes::owner_kind(kind), owner], |row| {
                Ok(Unread {
                    id: row.get(at.id)?,
                    row: row.get(at.row)?,
                    target: read_target(row, kind, at.owner_id, at.contact_id)?,
                    action: read_action(row, &wish)?,
                    why: row.get(at.note)?,
                })
            })?;
            unread.collect()
        };
        Ok(database.check(query())?)
    }

    /// Keeps what flags become that the service does not tell, if somebody chose that.
    pub(crate) fn set_unknown_flags(&self, chosen: Option<bool>) -> Result<(), BulkError> {
        match chosen {
            Some(on) => self.set_meta("unknown_flags", on_off(on)),
            None => Ok(()),
        }
    }

    /// Completes a change that was kept unread: this is its record, what it asks for, what was
    /// there, and the verdict.
    pub(crate) fn settle(
        &self,
        unread: &Unread,
        target: Target,
        action: &Action,
        before: Option<Image>,
        outcome: &Outcome,
    ) -> Result<(), BulkError> {
        let before = before.as_ref();
        let outcome = &outcome.clone().for_reason(unread.why.clone());
        let row = PlannedRow {
            id: unread.id,
            row: unread.row,
            repeats: None,
            target,
            action,
            outcome,
            before: self.record(before, &target)?,
            beside: None,
            digest: Some(of_change(outcome.state, &target, action, before)),
        };
        self.write(&row, &INSERT_UNREAD)
    }

    /// Puts the changes that were read later among the others.
    fn gather(&self) -> Result<(), BulkError> {
        let database = self.database();
        let unread = "SELECT count(*) FROM unread WHERE digest IS NULL";
        match database.value(unread, [])? {
            Some(0) => {}
            _ => {
                let unread = std::io::Error::other("not every record was read");
                return Err(BulkError::file(self.path(), "planned", unread));
            }
        }
        self.batch("INSERT INTO planned SELECT * FROM unread ORDER BY id; DROP TABLE unread")
    }

    pub(crate) fn execute(
        &self,
        sql: &str,
        values: impl rusqlite::Params,
    ) -> Result<(), BulkError> {
        self.database().execute(sql, values)?;
        Ok(())
    }

    /// Sets aside what contradicts itself, takes the rest for what was planned, and puts the set under its name, unless a file has it
    /// by now.
    pub(crate) fn finish(self) -> Result<(), BulkError> {
        if self.reads_later.get() {
            self.gather()?;
        }
        // Built once and in order; kept up row by row they would cost more than the rows. What
        // follows searches them.
        self.batch(include_str!("indexes.sql"))?;
        repeats::resolve(self.database())?;
        repeats::refuse_lost_stand_ins(self.database())?;
        repeats::hold_without_hand_over(self.database(), &self.hand_overs.borrow())?;
        if self.creates.get() {
            repeats::resolve_creations(self.database())?;
        }
        seal::adopt(self.database())?;
        let database = self.database();
        database.check(totals::recount(&database.connection))?;
        self.batch("COMMIT; PRAGMA locking_mode = NORMAL")?;
        self.stop.check(self.path())?;
        Ok(self.file.finish()?)
    }
}

#[cfg(test)]
mod tests {
    use crm_mirror::MirrorError;

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
        assert!(matches!(error, BulkError::Mirror(MirrorError::Exists { .. })), "{error}");
        let set = crate::ChangeSet::open(&path).unwrap();
        assert_eq!(set.info().unwrap().source.as_deref(), Some("first"));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
