//! The check values of a set: written with every change, and compared when one is loaded.
//!
//! Two kinds. The *digest* of a change is over what it means: it is the one that people approve,
//! and costs reading the change. Its *seal* is over the bytes of its row, whatever they mean: it
//! tells cheaply whether the row, its digest included, is as this crate wrote it.

use rusqlite::{
    Connection, Row,
    functions::{Context, FunctionFlags},
    params,
    types::ValueRef,
};

use super::{
    columns::{self, Stored},
    digest::{self, Digest, SetDigest},
};
use crate::{BulkError, Change, ChangeId, Site, State, database::Database};

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

/// The columns of a change and its check values, for [`read`].
pub(crate) fn columns() -> String {
    format!("{}, verdict, digest, seal IS seal({SEALED})", columns::COLUMNS)
}

/// Where the check values begin.
const VERDICT: usize = columns::COUNT;
const DIGEST: usize = VERDICT + 1;

/// A change of which the file holds something else than what was planned, or than what a run
/// wrote.
#[derive(Debug, thiserror::Error)]
#[error("change {0} was altered")]
pub(crate) struct Altered(pub(crate) ChangeId);

/// Reads a change from a row with [`columns`] and compares it with its check values. Those of a
/// set of version 1 that nobody has adopted yet are missing, and it is taken as it is.
pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<Change> {
    match checked(row) {
        Ok((change, _)) => Ok(change),
        Err(error) => Err(altered(row, error)),
    }
}

fn checked(row: &Row<'_>) -> rusqlite::Result<(Change, Option<Digest>)> {
    let stored = columns::read_stored(row)?;
    let digest = sealed(row, DIGEST)?;
    if let Some(known) = digest
        && known != digest_of(columns::read_state(row, VERDICT)?, &stored)
    {
        return Err(rusqlite::Error::InvalidQuery);
    }
    Ok((stored.into_change(), digest))
}

/// The digest that the row itself names, in this column, if the seal behind it is whole.
fn sealed(row: &Row<'_>, digest: usize) -> rusqlite::Result<Option<Digest>> {
    let known = row.get_ref(digest)?.as_blob_or_null()?.map(Digest::from_bytes);
    match known {
        None => Ok(None),
        Some(Some(known)) if row.get(digest + 1)? => Ok(Some(known)),
        Some(_) => Err(rusqlite::Error::InvalidQuery),
    }
}

fn digest_of(verdict: State, stored: &Stored) -> Digest {
    let change = &stored.planned;
    digest::of_change(verdict, &change.target, &change.action, change.before.as_ref())
}

/// What cannot be read of a change, or is not what its check values say, was altered: a run writes
/// nothing that it cannot read. A failure of the file itself stays what it is.
fn altered(row: &Row<'_>, error: rusqlite::Error) -> rusqlite::Error {
    match (error, row.get(0)) {
        (error @ rusqlite::Error::SqliteFailure(..), _) | (error, Err(_)) => error,
        (_, Ok(id)) => rusqlite::Error::UserFunctionError(Altered(ChangeId(id)).into()),
    }
}

/// Takes the changes that have no check values yet for what was planned, as they are, gives them
/// theirs, and keeps the digest of the set.
pub(super) fn adopt(database: &Database, site: &Site) -> Result<Digest, BulkError> {
    let change = format!("SELECT {} FROM changes WHERE id = ?", columns());
    let seal = expression(|column| match column {
        "verdict" => "?2",
        "digest" => "?3",
        unchanged => unchanged,
    });
    let update =
        format!("UPDATE changes SET verdict = ?2, digest = ?3, seal = {seal} WHERE id = ?1");
    let prepare = |sql: &str| database.check(database.connection.prepare(sql));
    let (mut change, mut update) = (prepare(&change)?, prepare(&update)?);
    let mut all = SetDigest::of(site);
    for_each(database, "id, digest", |row| {
        if let Some(known) = row.get_ref(1)?.as_blob_or_null()?.and_then(Digest::from_bytes) {
            all.add(&known);
            return Ok(());
        }
        let id: i64 = row.get(0)?;
        let (verdict, digest) = change.query_row([id], |row| {
            let stored = columns::read_stored(row)?;
            let verdict = match row.get_ref(VERDICT)? {
                ValueRef::Null => stored.planned.outcome.state,
                _ => columns::read_state(row, VERDICT)?,
            };
            Ok((verdict, digest_of(verdict, &stored)))
        })?;
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
pub(super) fn digest(database: &Database, site: &Site) -> Result<Digest, BulkError> {
    compare(database, site, &columns(), |row| Ok(checked(row)?.1))
}

/// The same without reading the changes: each has its seal, which is over its digest, and the
/// digests make that of the set. Every change is still to be [`read`].
pub(super) fn check(database: &Database, site: &Site) -> Result<(), BulkError> {
    let columns = format!("id, digest, seal IS seal({SEALED})");
    compare(database, site, &columns, |row| sealed(row, 1)).map(drop)
}

fn compare(
    database: &Database,
    site: &Site,
    columns: &str,
    digest_of: impl Fn(&Row<'_>) -> rusqlite::Result<Option<Digest>>,
) -> Result<Digest, BulkError> {
    let path = || database.path().to_owned();
    let known = database.meta("digest")?;
    let known = known.ok_or_else(|| BulkError::NotAdopted { path: path() })?;
    let mut all = SetDigest::of(site);
    let (mut named, mut more) = (Vec::new(), 0);
    for_each(database, columns, |row| {
        match digest_of(row) {
            Ok(Some(digest)) => all.add(&digest),
            Err(error @ rusqlite::Error::SqliteFailure(..)) => return Err(error),
            _ if named.len() < NAMED => named.push(ChangeId(row.get(0)?)),
            _ => more += 1,
        }
        Ok(())
    })?;
    let digest = all.finish();
    match named.is_empty() && digest.to_string() == known {
        true => Ok(digest),
        false => Err(BulkError::Altered { path: path(), changes: named, more }),
    }
}

/// Hands these columns of every change to `each`, in order; the first is the id.
fn for_each(
    database: &Database,
    columns: &str,
    mut each: impl FnMut(&Row<'_>) -> rusqlite::Result<()>,
) -> Result<(), BulkError> {
    let sql = format!("SELECT {columns} FROM changes WHERE id > ? ORDER BY id LIMIT {PAGE}");
    let mut last = i64::MIN;
    let mut page = || -> rusqlite::Result<bool> {
        let mut query = database.connection.prepare_cached(&sql)?;
        let mut rows = query.query([last])?;
        let mut some = false;
        while let Some(row) = rows.next()? {
            some = true;
            last = row.get(0)?;
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
        Action, ChangeSet, Outcome, Selection, Target, Wanted,
        set::{
            SetKind,
            draft::{Draft, Planned},
        },
    };

    #[test]
    fn a_seal_that_was_made_to_fit_deceives_nobody_who_reads_the_change() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("set.crm");
        let site = Site::new(1_001.try_into().unwrap(), "https://api.example");
        let draft = Draft::create(&path, &site, SetKind::Plan).unwrap();
        let memo = crm_models::ContactChange::new().memo("4411");
        let owner = crm_models::LocationId::new(5).unwrap().into();
        let change = Planned {
            row: None,
            target: Target::Contact { owner, contact: Some(7.try_into().unwrap()) },
            action: &Action::Update(Wanted::of(memo)),
            before: None,
            outcome: Outcome::new(State::Planned),
        };
        draft.add_change(&change).unwrap();
        draft.finish().unwrap();
        let set = ChangeSet::open(&path).unwrap();
        let edited = "replace(wanted, '4411', '4412')";
        let seal = expression(|column| if column == "wanted" { edited } else { column });
        let sql = format!("UPDATE changes SET wanted = {edited}, seal = {seal}");
        set.database.connection.execute(&sql, []).unwrap();
        check(&set.database, &site).unwrap();
        assert!(matches!(set.digest(), Err(BulkError::Altered { .. })));
        let read = set.changes(&Selection::all()).next().unwrap();
        assert!(matches!(read, Err(BulkError::Altered { .. })));
    }
}
