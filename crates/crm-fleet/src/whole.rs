//! A whole set on the server, compared with its digest.

use std::path::Path;

use crm_bulk::{
    BulkError, Digest,
    tables::{Cell, Comparison, Digests},
};
use crm_mirror::Site;
use deadpool_postgres::Transaction;

use crate::{
    error::store,
    rows::{CHANGES, OF_CHANGE, each},
    sets::SetId,
};

/// The digest that the set keeps.
pub(crate) async fn known(
    transaction: &Transaction<'_>,
    set: SetId,
    name: &Path,
) -> Result<String, BulkError> {
    let sql = "SELECT value FROM crm.meta WHERE set_id = $1 AND name = 'digest'";
    let known = transaction.query_opt(sql, &[&set.0]).await.map_err(store(name))?;
    let known = known.and_then(|row| row.try_get(0).ok());
    known.ok_or_else(|| BulkError::NotAdopted { path: name.to_owned() })
}

/// Reads every change, and compares it with its check values and all together with the digest.
pub(crate) async fn digest(
    transaction: &Transaction<'_>,
    set: SetId,
    name: &Path,
    site: &Site,
) -> Result<Digest, BulkError> {
    let known = known(transaction, set, name).await?;
    let mut comparison = Comparison::of(site);
    let sql = format!(
        "SELECT {} FROM {CHANGES} WHERE planned.set_id = $1 ORDER BY planned.id",
        *OF_CHANGE
    );
    let compare = |row: Vec<Cell>| comparison.add(name, &row);
    each(transaction, name, &sql, &[&set.0], compare).await?;
    let mut totals = Vec::new();
    let sql = "SELECT action, state, changes FROM crm.totals WHERE set_id = $1 AND changes > 0";
    let keep = |row: Vec<Cell>| {
        if let [Cell::Integer(action), Cell::Integer(state), Cell::Integer(changes)] = row[..] {
            totals.push(([action, state], changes.unsigned_abs()));
        }
        Ok(())
    };
    each(transaction, name, sql, &[&set.0], keep).await?;
    let sql = "SELECT count(*) FROM crm.progress WHERE set_id = $1";
    let progress = transaction.query_one(sql, &[&set.0]).await;
    let progress = progress.and_then(|row| row.try_get::<_, i64>(0)).map_err(store(name))?;
    comparison.finish(name, &known, totals, progress.unsigned_abs())
}

/// Compares the digests that the changes keep with that of the set, which it returns, and has the
/// server count: each change is compared once more when it is loaded.
pub(crate) async fn check(
    transaction: &Transaction<'_>,
    set: SetId,
    name: &Path,
    site: &Site,
) -> Result<Digest, BulkError> {
    let known = known(transaction, set, name).await?;
    let mut digests = Digests::of(site);
    let sql = "SELECT digest FROM crm.planned WHERE set_id = $1 ORDER BY id";
    let add = |row: Vec<Cell>| match &row[..] {
        [Cell::Bytes(digest)] => digests.add(name, digest),
        _ => digests.add(name, &[]),
    };
    each(transaction, name, sql, &[&set.0], add).await?;
    let sql = format!(
        "WITH counted AS (
            SELECT action, coalesce(state, verdict) AS state, count(*) AS changes,
                count(change) AS begun
            FROM {CHANGES} WHERE planned.set_id = $1 GROUP BY 1, 2
         ), states AS (
            SELECT action, state, changes FROM counted
         ), kept AS (
            SELECT action, state, changes FROM crm.totals WHERE set_id = $1 AND changes > 0
         )
         SELECT NOT EXISTS (
            (SELECT * FROM states EXCEPT SELECT * FROM kept)
            UNION ALL (SELECT * FROM kept EXCEPT SELECT * FROM states)
         ) AND (SELECT coalesce(sum(begun), 0) FROM counted)
            = (SELECT count(*) FROM crm.progress WHERE set_id = $1)"
    );
    let is_counted = transaction.query_one(&sql, &[&set.0]).await;
    let is_counted = is_counted.and_then(|row| row.try_get::<_, bool>(0)).map_err(store(name))?;
    let found = digests.finish();
    if is_counted && found.to_string() == known {
        Ok(found)
    } else {
        Err(BulkError::Altered { path: name.to_owned(), changes: Vec::new(), more: 0 })
    }
}
