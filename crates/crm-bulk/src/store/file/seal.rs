//! The check values of a set: written with every change, and compared when one is loaded.
//!
//! Two kinds. The *digest* of a change is over what it means: it is the one that people approve,
//! and costs reading the change. Its *seals* are over the bytes of its two rows, whatever they
//! mean: they tell cheaply whether these, the digest included, are as this crate wrote them. That
//! no row is missing is told by the digest of the set, and by the totals.

use std::{convert::Infallible, path::Path};

use crm_mirror::{Site, columns, database::Database};
use rusqlite::{Row, types::ValueRef};

use super::{
    columns::{CHANGES, ChangeColumns, PLANNED, PROGRESS, Stored, read_state},
    totals,
};
use crate::{
    error::{Altered, BulkError},
    set::{Change, ChangeId, Digest, SetDigest, of_change},
    store::cell::{Cell, Cells},
};

/// How many changes that were altered are named.
const NAMED: usize = 5;

/// How many changes are read at a time.
const PAGE: u32 = 1_000;

/// The check value of a row of which these are the columns but the seal itself. Any change of one
/// bit is seen, of several as good as certainly. It has no key, so it is against accidents, and a
/// CRC does as well against those as a hash that costs ten times as much.
pub(super) fn of<'a>(columns: impl Iterator<Item = ValueRef<'a>>) -> i64 {
    let Ok(seal) = try_of(columns.map(Ok::<_, Infallible>));
    seal
}

fn try_of<'a, E>(columns: impl Iterator<Item = Result<ValueRef<'a>, E>>) -> Result<i64, E> {
    // Hashed at once: most columns are short, and each piece by itself would cost more.
    let mut row = Vec::with_capacity(512);
    for column in columns {
        // Kind and length first, so that nothing moves from one column to the next.
        let mut add = |kind: u8, bytes: &[u8]| {
            row.push(kind);
            row.extend_from_slice(&bytes.len().to_le_bytes());
            row.extend_from_slice(bytes);
        };
        match column? {
            ValueRef::Null => add(0, &[]),
            ValueRef::Integer(number) => add(1, &number.to_le_bytes()),
            ValueRef::Real(number) => add(2, &number.to_le_bytes()),
            ValueRef::Text(text) => add(3, text),
            ValueRef::Blob(bytes) => add(4, bytes),
        }
    }
    // With a sign it always fits into four bytes of the file.
    Ok(i64::from(crc32fast::hash(&row).cast_signed()))
}

/// The seal that is due to a row with these columns, of which the last is its seal.
fn due(row: &(impl Cells + ?Sized), columns: &[usize]) -> rusqlite::Result<i64> {
    try_of(columns.iter().take(columns.len() - 1).map(|at| row.get_ref(*at)))
}

fn is_sealed(row: &(impl Cells + ?Sized), columns: &[usize]) -> rusqlite::Result<bool> {
    let seal = columns.last().map(|at| row.get_ref(*at)).transpose()?;
    Ok(seal == Some(ValueRef::Integer(due(row, columns)?)))
}

/// The columns of a change with its check values.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SealedChange(ChangeColumns);

impl SealedChange {
    /// Where they are in a row that has all of them, in the order of the tables.
    pub(crate) const IN_ORDER: Self = Self(ChangeColumns::in_order(0));

    /// What to select for these.
    pub(crate) fn select() -> &'static str {
        ChangeColumns::NAMES
    }

    /// [Reads](Self::read) a change from a row of the file that begins with [these](Self::select).
    pub(crate) fn read_row(row: &Row<'_>) -> rusqlite::Result<Change> {
        Self::IN_ORDER.read(&Self::cells(row)?[..])
    }

    /// The cells of such a row. Asking for one takes longer than comparing it, so each is asked for
    /// once, and those of its progress only where there is any.
    fn cells<'r>(row: &'r Row<'_>) -> rusqlite::Result<[ValueRef<'r>; ChangeColumns::COUNT]> {
        let mut cells = [ValueRef::Null; ChangeColumns::COUNT];
        let filled = if Self::has_progress(row)? { ChangeColumns::COUNT } else { PLANNED };
        for (at, cell) in cells.iter_mut().take(filled).enumerate() {
            *cell = row.get_ref(at)?;
        }
        Ok(cells)
    }

    /// Whether anything was written of the change of such a row since it was planned.
    pub(super) fn has_progress(row: &Row<'_>) -> rusqlite::Result<bool> {
        Ok(row.get_ref(Self::IN_ORDER.0.change)? != ValueRef::Null)
    }

    /// Reads a change and compares it with its check values. Those of a set of version 1 that
    /// nobody has adopted yet are missing, and it is taken as it is.
    pub(crate) fn read(&self, row: &(impl Cells + ?Sized)) -> rusqlite::Result<Change> {
        self.checked(row).map(|(change, _)| change).map_err(|error| self.altered(row, error))
    }

    fn checked(&self, row: &(impl Cells + ?Sized)) -> rusqlite::Result<(Change, Option<Digest>)> {
        let digest = self.sealed(row)?;
        let stored = self.0.read_stored(row)?;
        if let Some(known) = digest
            && known != self.digest_of(row, &stored)?
        {
            return Err(rusqlite::Error::InvalidQuery);
        }
        Ok((stored.into_change(), digest))
    }

    /// The digest that the row itself names, if the seals are whole.
    fn sealed(&self, row: &(impl Cells + ?Sized)) -> rusqlite::Result<Option<Digest>> {
        let all = self.0.all();
        let known = row.get_ref(self.0.digest)?.as_blob_or_null()?.map(Digest::from_bytes);
        let has_progress = row.get_ref(self.0.change)? != ValueRef::Null;
        match known {
            None => Ok(None),
            Some(Some(known))
                if is_sealed(row, &all[..PLANNED])?
                    && (!has_progress || is_sealed(row, &all[PLANNED..])?) =>
            {
                Ok(Some(known))
            }
            Some(_) => Err(rusqlite::Error::InvalidQuery),
        }
    }

    /// The digest of what the plan decided: a contact that was created since had no id then.
    fn digest_of(&self, row: &(impl Cells + ?Sized), stored: &Stored) -> rusqlite::Result<Digest> {
        let (verdict, change) = (read_state(row, self.0.verdict)?, &stored.planned);
        Ok(of_change(verdict, &change.target, &change.action, change.before.as_ref()))
    }

    fn count(
        &self,
        row: &(impl Cells + ?Sized),
        totals: &mut totals::Counted,
    ) -> rusqlite::Result<()> {
        let state = row.get::<Option<i64>>(self.0.state)?;
        let state = state.map_or_else(|| row.get(self.0.verdict), Ok)?;
        let has_progress = row.get_ref(self.0.change)? != ValueRef::Null;
        totals.add(row.get(self.0.action)?, state, has_progress);
        Ok(())
    }

    /// What cannot be read of a change, or is not what its check values say, was altered: a run
    /// writes nothing that it cannot read. A failure of the file itself stays what it is.
    fn altered(&self, row: &(impl Cells + ?Sized), error: rusqlite::Error) -> rusqlite::Error {
        match (error, row.get(self.0.id)) {
            (error @ rusqlite::Error::SqliteFailure(..), _) | (error, Err(_)) => error,
            (_, Ok(id)) => rusqlite::Error::UserFunctionError(Altered(ChangeId(id)).into()),
        }
    }
}

/// Takes the changes that have no check values yet for what was planned, as they are, gives them
/// theirs, and keeps the digest of the set.
pub(super) fn adopt(database: &Database) -> Result<Digest, BulkError> {
    let change = format!("SELECT {} FROM {CHANGES} WHERE id = ?", SealedChange::select());
    let prepare = |sql: &str| database.check(database.connection.prepare(sql));
    let mut change = prepare(&change)?;
    let mut planned = prepare("UPDATE planned SET digest = ?, planned_seal = ? WHERE id = ?")?;
    let mut progress = prepare("UPDATE progress SET seal = ? WHERE change = ?")?;
    let at = SealedChange::IN_ORDER;
    let mut digests = SetDigest::of(&database.site()?);
    let sql = "SELECT id, digest FROM planned WHERE id > ? ORDER BY id";
    for_each(database, sql, |row| {
        let at_digest = const { DigestColumns::in_order(0) };
        let known = row.get_ref(at_digest.digest)?.as_blob_or_null()?;
        if let Some(known) = known.and_then(Digest::from_bytes) {
            digests.add(&known);
            return Ok(());
        }
        let id: i64 = row.get(at_digest.id)?;
        let (digest, seals) = change.query_row([id], |row| {
            let mut values = SealedChange::cells(row)?;
            let digest = at.digest_of(&values[..], &at.0.read_stored(&values[..])?)?;
            values[at.0.digest] = ValueRef::Blob(digest.as_bytes());
            let with_digest = values.iter().copied().take(PLANNED - 1);
            let of_progress = values.iter().copied().skip(PLANNED).take(PROGRESS - 1);
            Ok((digest, [of(with_digest), of(of_progress)]))
        })?;
        digests.add(&digest);
        planned.execute((digest.as_bytes(), seals[0], id))?;
        progress.execute([seals[1], id])?;
        Ok(())
    })?;
    let digest = digests.finish();
    database.set_meta("digest", &digest.to_string())?;
    Ok(digest)
}

columns! {
    /// What tells whether a change has check values.
    struct DigestColumns { id, digest }
}

/// Compares every change with its check values, and all together with the digest of the set;
/// answers that.
pub(super) fn digest(database: &Database) -> Result<Digest, BulkError> {
    compare(database, |row| Ok(SealedChange::IN_ORDER.checked(row)?.1))
}

/// The same without reading the changes: each has its seals, which are over its digest, and the
/// digests make that of the set. Every change is still to be [read](SealedChange::read).
pub(super) fn check(database: &Database) -> Result<Digest, BulkError> {
    compare(database, |row| SealedChange::IN_ORDER.sealed(row))
}

fn compare(
    database: &Database,
    digest_of: impl Fn(&[ValueRef<'_>]) -> rusqlite::Result<Option<Digest>>,
) -> Result<Digest, BulkError> {
    let known = database.meta("digest")?;
    let not_adopted = || BulkError::NotAdopted { path: database.path().to_owned() };
    let known = known.ok_or_else(not_adopted)?;
    let mut comparison = Comparison::of(&database.site()?);
    let sql = format!("SELECT {} FROM {CHANGES} WHERE id > ? ORDER BY id", SealedChange::select());
    for_each(database, &sql, |row| comparison.add(&SealedChange::cells(row)?[..], &digest_of))?;
    let (totals, progress) = (totals::kept(database)?, totals::with_progress(database)?);
    comparison.finish(database.path(), &known, &totals, progress)
}

/// A set that is compared, change by change, with its check values.
#[derive(Debug)]
pub(crate) struct Comparison {
    digests: SetDigest,
    totals: totals::Counted,
    altered: Vec<ChangeId>,
    more: u64,
}

impl Comparison {
    pub(crate) fn of(site: &Site) -> Self {
        let (digests, totals) = (SetDigest::of(site), totals::Counted::default());
        Self { digests, totals, altered: Vec::new(), more: 0 }
    }

    /// Compares a change whose two rows are in this order one after the other.
    pub(crate) fn add_row(&mut self, row: &[Cell]) -> rusqlite::Result<()> {
        self.add(row, |row| Ok(SealedChange::IN_ORDER.checked(row)?.1))
    }

    fn add<R: Cells + ?Sized>(
        &mut self,
        row: &R,
        digest_of: impl FnOnce(&R) -> rusqlite::Result<Option<Digest>>,
    ) -> rusqlite::Result<()> {
        let at = SealedChange::IN_ORDER;
        match at.count(row, &mut self.totals).and_then(|()| digest_of(row)) {
            Ok(Some(digest)) => self.digests.add(&digest),
            Err(error @ rusqlite::Error::SqliteFailure(..)) => return Err(error),
            _ if self.altered.len() < NAMED => self.altered.push(ChangeId(row.get(at.0.id)?)),
            _ => self.more += 1,
        }
        Ok(())
    }

    /// The digest of the set, if it is the one that it `knows`, and the totals and the number of
    /// changes with progress are those that it keeps.
    pub(crate) fn finish(
        self,
        set: &Path,
        knows: &str,
        totals: &totals::Kept,
        with_progress: u64,
    ) -> Result<Digest, BulkError> {
        let digest = self.digests.finish();
        let is_whole = self.altered.is_empty() && digest.to_string() == knows;
        if is_whole && self.totals.are(totals, with_progress) {
            Ok(digest)
        } else {
            let (path, changes) = (set.to_owned(), self.altered);
            Err(BulkError::Altered { path, changes, more: self.more })
        }
    }
}

/// Hands what this query finds of every change after the last, the id among its columns, to `each`,
/// in order.
fn for_each(
    database: &Database,
    sql: &str,
    mut each: impl FnMut(&Row<'_>) -> rusqlite::Result<()>,
) -> Result<(), BulkError> {
    // A page at a time: `adopt` writes to the table that it reads, and whether a query sees rows
    // that change while it runs is undefined (sqlite.org/isolation.html). Nor does a long reading
    // keep a run from its checkpoints.
    let sql = format!("{sql} LIMIT {PAGE}");
    let mut last = i64::MIN;
    let mut page = || -> rusqlite::Result<bool> {
        let mut query = database.connection.prepare_cached(&sql)?;
        let id = query.column_index("id")?;
        let mut rows = query.query([last])?;
        let mut some = false;
        while let Some(row) = rows.next()? {
            some = true;
            last = row.get(id)?;
            each(row)?;
        }
        Ok(some)
    };
    while database.check(page())? {}
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        set::{Action, State, Wanted},
        store::file::{
            changes::Selection,
            progress::{self, Known},
            test_sets::set_of,
        },
    };

    #[test]
    fn a_seal_that_was_made_to_fit_deceives_nobody_who_reads_the_change() {
        let folder = tempfile::tempdir().unwrap();
        let memo = crm_models::ContactChange::new().memo("4411");
        let action = Action::Update(Wanted::of(memo));
        let set = set_of(&folder.path().join("set.crm"), &action);
        let connection = &set.database.connection;
        connection.execute("UPDATE planned SET wanted_memo = '4412'", []).unwrap();
        let sql = format!("SELECT {} FROM {CHANGES}", SealedChange::select());
        let seal = connection.prepare(&sql).unwrap().query_row([], |row| {
            let at = ChangeColumns::of(row.as_ref())?;
            due(row, &at.all()[..PLANNED])
        });
        let seal = seal.unwrap();
        connection.execute("UPDATE planned SET planned_seal = ?", [seal]).unwrap();
        check(&set.database).unwrap();
        assert!(matches!(set.digest(), Err(BulkError::Altered { .. })));
        let read = set.changes(&Selection::all()).next().unwrap();
        assert!(matches!(read, Err(BulkError::Altered { .. })));
    }

    #[test]
    fn a_change_whose_progress_is_lost_is_not_taken_for_one_that_waits() {
        let folder = tempfile::tempdir().unwrap();
        let set = set_of(&folder.path().join("set.crm"), &Action::Delete(None));
        let mut change = set.changes(&Selection::all()).next().unwrap().unwrap();
        change.outcome.state = State::Done;
        let known = Known::default();
        let moved = progress::settle(&set.database, &known, &change).unwrap().unwrap();
        known.write(&set.database).unwrap();
        let totals = totals::Moves::default();
        totals.add(&change, moved);
        totals.write(&set.database).unwrap();
        check(&set.database).unwrap();
        set.database.execute("DELETE FROM progress", []).unwrap();
        assert!(matches!(check(&set.database), Err(BulkError::Altered { .. })));
    }
}
