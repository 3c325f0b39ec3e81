//! The check values of a set: written with every change, and compared when one is loaded.
//!
//! Two kinds. The *digest* of a change is over what it means: it is the one that people approve,
//! and costs reading the change. Its *seal* is over the bytes of its row, whatever they mean: it
//! tells cheaply whether the row, its digest included, is as this crate wrote it.

use rusqlite::{
    Connection, Row, Statement,
    functions::{Context, FunctionFlags},
    params,
    types::ValueRef,
};

use super::columns::{ChangeColumns, Stored, read_state};
use crate::{
    database::Database,
    error::{Altered, BulkError},
    set::{Change, ChangeId, Digest, SetDigest, State, of_change},
};

/// Every column of a change but the seal itself.
const SEALED: &str = "id, row, repeats, owner_kind, owner_id, contact_id, action, wanted, before, \
     found, after, siblings, state, message, field_errors, trace_id, http_status, at, attempts, \
     verdict, digest";

/// How many changes that were altered are named.
const NAMED: usize = 5;

/// How many changes are read at a time.
const PAGE: u32 = 1_000;

/// Makes the SQL function `seal` known: a check value over its arguments. Any change of one bit is
/// seen, of several as good as certainly. It has no key, so it is against accidents, and a CRC
/// does as well against those as a hash that costs ten times as much.
pub(super) fn register(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_DIRECTONLY;
    connection.create_scalar_function("seal", -1, flags, seal)
}

fn seal(arguments: &mut Context<'_>) -> rusqlite::Result<i64> {
    // Hashed at once: most columns are short, and each piece by itself would cost more.
    let mut row = Vec::with_capacity(1_024);
    for at in 0..arguments.len() {
        // Kind and length first, so that nothing moves from one column to the next.
        let mut add = |kind: u8, bytes: &[u8]| {
            row.push(kind);
            row.extend_from_slice(&bytes.len().to_le_bytes());
            row.extend_from_slice(bytes);
        };
        match arguments.get_raw(at) {
            ValueRef::Null => add(0, &[]),
            ValueRef::Integer(number) => add(1, &number.to_le_bytes()),
            ValueRef::Real(number) => add(2, &number.to_le_bytes()),
            ValueRef::Text(text) => add(3, text),
            ValueRef::Blob(bytes) => add(4, bytes),
        }
    }
    Ok(crc32fast::hash(&row).into())
}

/// The seal of a change whose columns get these values, in SQL: one statement writes both.
pub(crate) fn expression<'a>(value: impl Fn(&'a str) -> &'a str) -> String {
    let values: Vec<_> = SEALED.split(", ").map(value).collect();
    format!("seal({})", values.join(", "))
}

columns! {
    /// What tells whether a row is as this crate wrote it.
    struct SealColumns { id, digest, is_sealed }
}

impl SealColumns {
    /// What to select for these.
    fn select() -> String {
        format!("id, digest, seal IS seal({SEALED}) AS is_sealed")
    }

    /// The digest that the row itself names, if the seal over it is whole.
    fn read(&self, row: &Row<'_>) -> rusqlite::Result<Option<Digest>> {
        let known = row.get_ref(self.digest)?.as_blob_or_null()?.map(Digest::from_bytes);
        match known {
            None => Ok(None),
            Some(Some(known)) if row.get(self.is_sealed)? => Ok(Some(known)),
            Some(_) => Err(rusqlite::Error::InvalidQuery),
        }
    }
}

columns! {
    /// What tells whether a change has check values.
    struct DigestColumns { id, digest }
}

/// The columns of a change with its check values.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SealedChange {
    change: ChangeColumns,
    seal: SealColumns,
    verdict: usize,
}

impl SealedChange {
    /// What to select for these.
    pub(crate) fn select() -> String {
        let (change, seal) = (ChangeColumns::NAMES, SealColumns::select());
        // The id stands first for both.
        format!("{change}, verdict, {}", seal.trim_start_matches("id, "))
    }

    pub(crate) fn of(statement: &Statement<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            change: ChangeColumns::of(statement)?,
            seal: SealColumns::of(statement)?,
            verdict: statement.column_index("verdict")?,
        })
    }

    /// Reads a change and compares it with its check values. Those of a set of version 1 that
    /// nobody has adopted yet are missing, and it is taken as it is.
    pub(crate) fn read(&self, row: &Row<'_>) -> rusqlite::Result<Change> {
        self.checked(row).map(|(change, _)| change).map_err(|error| self.altered(row, error))
    }

    fn checked(&self, row: &Row<'_>) -> rusqlite::Result<(Change, Option<Digest>)> {
        let stored = self.change.read_stored(row)?;
        let digest = self.seal.read(row)?;
        if let Some(known) = digest
            && known != digest_of(read_state(row, self.verdict)?, &stored)
        {
            return Err(rusqlite::Error::InvalidQuery);
        }
        Ok((stored.into_change(), digest))
    }

    /// What the plan decided on a change that has no check values, and its digest.
    fn plan(&self, row: &Row<'_>) -> rusqlite::Result<(State, Digest)> {
        let stored = self.change.read_stored(row)?;
        let verdict = match row.get_ref(self.verdict)? {
            ValueRef::Null => stored.planned.outcome.state,
            _ => read_state(row, self.verdict)?,
        };
        Ok((verdict, digest_of(verdict, &stored)))
    }

    /// What cannot be read of a change, or is not what its check values say, was altered: a run
    /// writes nothing that it cannot read. A failure of the file itself stays what it is.
    fn altered(&self, row: &Row<'_>, error: rusqlite::Error) -> rusqlite::Error {
        match (error, row.get(self.seal.id)) {
            (error @ rusqlite::Error::SqliteFailure(..), _) | (error, Err(_)) => error,
            (_, Ok(id)) => rusqlite::Error::UserFunctionError(Altered(ChangeId(id)).into()),
        }
    }
}

fn digest_of(verdict: State, stored: &Stored) -> Digest {
    let change = &stored.planned;
    of_change(verdict, &change.target, &change.action, change.before.as_ref())
}

/// Takes the changes that have no check values yet for what was planned, as they are, gives them
/// theirs, and keeps the digest of the set.
pub(super) fn adopt(database: &Database) -> Result<Digest, BulkError> {
    let change = format!("SELECT {} FROM changes WHERE id = ?", SealedChange::select());
    let seal = expression(|column| match column {
        "verdict" => "?2",
        "digest" => "?3",
        unchanged => unchanged,
    });
    let update =
        format!("UPDATE changes SET verdict = ?2, digest = ?3, seal = {seal} WHERE id = ?1");
    let prepare = |sql: &str| database.check(database.connection.prepare(sql));
    let (mut change, mut update) = (prepare(&change)?, prepare(&update)?);
    let of_change = database.check(SealedChange::of(&change))?;
    let mut all = SetDigest::of(&database.site()?);
    for_each(database, DigestColumns::NAMES, DigestColumns::of, |at, row| {
        let known = row.get_ref(at.digest)?.as_blob_or_null()?;
        if let Some(known) = known.and_then(Digest::from_bytes) {
            all.add(&known);
            return Ok(());
        }
        let id: i64 = row.get(at.id)?;
        let (verdict, digest) = change.query_row([id], |row| of_change.plan(row))?;
        all.add(&digest);
        update.execute(params![id, verdict.as_str(), digest.as_bytes()])?;
        Ok(())
    })?;
    let digest = all.finish();
    database.set_meta("digest", &digest.to_string())?;
    Ok(digest)
}

/// Compares every change with its check values, and all together with the digest of the set;
/// answers that.
pub(super) fn digest(database: &Database) -> Result<Digest, BulkError> {
    let read = |at: &SealedChange, row: &Row<'_>| Ok(at.checked(row)?.1);
    compare(database, &SealedChange::select(), SealedChange::of, read)
}

/// The same without reading the changes: each has its seal, which is over its digest, and the
/// digests make that of the set. Every change is still to be [read](SealedChange::read).
pub(super) fn check(database: &Database) -> Result<(), BulkError> {
    compare(database, &SealColumns::select(), SealColumns::of, SealColumns::read).map(drop)
}

fn compare<C>(
    database: &Database,
    columns: &str,
    find: impl Fn(&Statement<'_>) -> rusqlite::Result<C>,
    digest_of: impl Fn(&C, &Row<'_>) -> rusqlite::Result<Option<Digest>>,
) -> Result<Digest, BulkError> {
    let path = || database.path().to_owned();
    let known = database.meta("digest")?;
    let known = known.ok_or_else(|| BulkError::NotAdopted { path: path() })?;
    let mut all = SetDigest::of(&database.site()?);
    let (mut named, mut more) = (Vec::new(), 0);
    for_each(database, columns, find, |at, row| {
        match digest_of(at, row) {
            Ok(Some(digest)) => all.add(&digest),
            Err(error @ rusqlite::Error::SqliteFailure(..)) => return Err(error),
            _ if named.len() < NAMED => named.push(ChangeId(row.get("id")?)),
            _ => more += 1,
        }
        Ok(())
    })?;
    let digest = all.finish();
    if named.is_empty() && digest.to_string() == known {
        Ok(digest)
    } else {
        Err(BulkError::Altered { path: path(), changes: named, more })
    }
}

/// Hands these columns of every change, the id among them, to `each`, in order.
fn for_each<C>(
    database: &Database,
    columns: &str,
    find: impl Fn(&Statement<'_>) -> rusqlite::Result<C>,
    mut each: impl FnMut(&C, &Row<'_>) -> rusqlite::Result<()>,
) -> Result<(), BulkError> {
    let sql = format!("SELECT {columns} FROM changes WHERE id > ? ORDER BY id LIMIT {PAGE}");
    let mut last = i64::MIN;
    let mut page = || -> rusqlite::Result<bool> {
        let mut query = database.connection.prepare_cached(&sql)?;
        let (at, id) = (find(&query)?, query.column_index("id")?);
        let mut rows = query.query([last])?;
        let mut some = false;
        while let Some(row) = rows.next()? {
            some = true;
            last = row.get(id)?;
            each(&at, row)?;
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
        set::{Action, Wanted},
        store::file::{changes::Selection, test_sets::set_of},
    };

    #[test]
    fn a_seal_that_was_made_to_fit_deceives_nobody_who_reads_the_change() {
        let folder = tempfile::tempdir().unwrap();
        let memo = crm_models::ContactChange::new().memo("4411");
        let action = Action::Update(Wanted::of(memo));
        let set = set_of(&folder.path().join("set.crm"), &action);
        let edited = "replace(wanted, '4411', '4412')";
        let seal = expression(|column| if column == "wanted" { edited } else { column });
        let sql = format!("UPDATE changes SET wanted = {edited}, seal = {seal}");
        set.database.connection.execute(&sql, []).unwrap();
        check(&set.database).unwrap();
        assert!(matches!(set.digest(), Err(BulkError::Altered { .. })));
        let read = set.changes(&Selection::all()).next().unwrap();
        assert!(matches!(read, Err(BulkError::Altered { .. })));
    }
}
