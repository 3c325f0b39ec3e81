//! The check values of a set: written with every change, and compared when one is loaded.

use rusqlite::{
    Connection, Row,
    functions::{Context, FunctionFlags},
    params,
    types::ValueRef,
};
use sha2::{Digest as _, Sha256};

use super::{
    columns::{self, Stored},
    digest::{self, Digest, SetDigest},
};
use crate::{BulkError, Change, ChangeId, Site, State, database::Database};

/// The columns that a run writes, and those of the plan that a digest leaves out.
const SEALED: &str = "id, row, repeats, contact_id, found, after, siblings, state, message, \
     field_errors, trace_id, http_status, at, attempts";

/// How many changes that were altered are named.
const NAMED: usize = 5;

/// How many changes are read at a time.
const PAGE: u32 = 1_000;

/// Makes the SQL function `seal` known: a check value over its arguments, for which any change of
/// one bit is as good as certain to be seen. It has no key: it is against accidents.
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
    let mut first = [0; 8];
    first.copy_from_slice(&Sha256::digest(&row)[..8]);
    Ok(i64::from_le_bytes(first))
}

/// The seal of a change whose sealed columns get these values, in SQL: one statement writes both.
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
const IS_SEALED: usize = VERDICT + 2;

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
    let digest = match row.get_ref(DIGEST)? {
        ValueRef::Null => None,
        known => {
            let verdict = columns::read_state(row, VERDICT)?;
            let digest = digest_of(verdict, &stored);
            let known = Digest::from_bytes(known.as_blob()?);
            if known != Some(digest) || !row.get::<_, bool>(IS_SEALED)? {
                return Err(rusqlite::Error::InvalidQuery);
            }
            Some(digest)
        }
    };
    Ok((stored.into_change(), digest))
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

/// Takes the changes as they are for what was planned, gives each its check values, and keeps the
/// digest of the set.
pub(super) fn adopt(database: &Database, site: &Site) -> Result<Digest, BulkError> {
    let sql = format!(
        "UPDATE changes SET verdict = coalesce(verdict, state), digest = ?2,
             seal = seal({SEALED}) WHERE id = ?1"
    );
    let mut all = SetDigest::of(site);
    let mut update = database.check(database.connection.prepare(&sql))?;
    for_each(database, |row| {
        let stored = columns::read_stored(row)?;
        let change = &stored.planned;
        let verdict: Option<String> = row.get(VERDICT)?;
        let verdict = match verdict {
            None => change.outcome.state,
            Some(_) => columns::read_state(row, VERDICT)?,
        };
        let digest = digest_of(verdict, &stored);
        all.add(&digest);
        update.execute(params![change.id.0, digest.as_bytes()])?;
        Ok(())
    })?;
    let digest = all.finish();
    database.set_meta("digest", &digest.to_string())?;
    Ok(digest)
}

/// Compares every change with its check values, and all together with the digest of the set;
/// answers that.
pub(super) fn check(database: &Database, site: &Site) -> Result<Digest, BulkError> {
    let path = || database.path().to_owned();
    let known = database.meta("digest")?;
    let known = known.ok_or_else(|| BulkError::NotAdopted { path: path() })?;
    let mut all = SetDigest::of(site);
    let (mut named, mut more) = (Vec::new(), 0);
    for_each(database, |row| {
        let failed = match checked(row) {
            Ok((_, Some(digest))) => {
                all.add(&digest);
                return Ok(());
            }
            Ok((_, None)) => ChangeId(row.get(0)?),
            Err(error @ rusqlite::Error::SqliteFailure(..)) => return Err(error),
            Err(_) => ChangeId(row.get(0)?),
        };
        match named.len() < NAMED {
            true => named.push(failed),
            false => more += 1,
        }
        Ok(())
    })?;
    let digest = all.finish();
    match named.is_empty() && digest.to_string() == known {
        true => Ok(digest),
        false => Err(BulkError::Altered { path: path(), changes: named, more }),
    }
}

/// Hands the row of every change to `each`, in order.
fn for_each(
    database: &Database,
    mut each: impl FnMut(&Row<'_>) -> rusqlite::Result<()>,
) -> Result<(), BulkError> {
    let sql = format!("SELECT {} FROM changes WHERE id > ? ORDER BY id LIMIT {PAGE}", columns());
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
