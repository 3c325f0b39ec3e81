//! Rows of a set's tables on the server.

use std::{error::Error, path::Path, pin::pin, sync::LazyLock};

use crm_bulk::{
    BulkError,
    tables::{Cell, Holds, PLANNED, PROGRESS, Table},
};
use crm_mirror::Site;
use deadpool_postgres::Transaction;
use futures_util::TryStreamExt;
use tokio_postgres::{Row, types::ToSql};

use crate::{error::store, wire::Wire};

/// The columns of both rows of a change, in order.
pub(crate) static OF_CHANGE: LazyLock<String> =
    LazyLock::new(|| format!("{}, {}", names(&PLANNED), names(&PROGRESS)));

/// What the changes of a set are selected from.
///
/// The limit has the progress of each change be looked up by its number. Of a set that came after PostgreSQL
/// looked at the tables last, it believes that there is hardly a row: where it may choose, it reads all
/// progress of the set for each of its changes.
pub(crate) const CHANGES: &str = "crm.planned LEFT JOIN LATERAL (
        SELECT * FROM crm.progress
        WHERE progress.set_id = planned.set_id AND change = planned.id LIMIT 1
    ) AS progress ON true";

/// The names of a table's columns.
pub(crate) fn names(table: &Table) -> String {
    let names = table.columns.iter().map(|column| format!("\"{}\"", column.name));
    names.collect::<Vec<_>>().join(", ")
}

/// The cells of a row that was selected with these columns alone.
pub(crate) fn cells(row: &Row) -> Result<Vec<Cell>, tokio_postgres::Error> {
    (0..row.len()).map(|at| Ok(row.try_get::<_, Wire>(at)?.0)).collect()
}

/// Whose a row is that was selected with tenant and environment.
pub(crate) fn site(row: &Row) -> Result<Site, Box<dyn Error>> {
    let tenant = row.try_get::<_, i64>("tenant")?.try_into()?;
    Ok(Site::new(tenant, row.try_get("environment")?))
}

/// A statement's part that takes new rows of a table from arrays, one a column, which are its
/// parameters from `$first` on.
pub(crate) fn unnest(table: &Table, first: usize) -> String {
    let arrays = (table.columns.iter().zip(first..)).map(|(column, place)| {
        let ty = match column.holds {
            Holds::Integer => "bigint",
            Holds::Text => "text",
            Holds::Bytes => "bytea",
            Holds::Any => "jsonb",
        };
        format!("${place}::{ty}[]")
    });
    format!("unnest({})", arrays.collect::<Vec<_>>().join(", "))
}

/// The columns of these rows, each as a parameter for [`unnest`].
pub(crate) fn columns<'r>(
    table: &Table,
    rows: impl Iterator<Item = &'r Vec<Cell>> + Clone,
) -> Vec<Vec<Wire>> {
    let column = |at: usize| rows.clone().map(|row: &Vec<Cell>| Wire(row[at].clone())).collect();
    (0..table.columns.len()).map(column).collect()
}

/// Has a row whose key is there already become the new one.
pub(crate) fn replace(table: &Table) -> String {
    let (key, rest) = table.columns.split_at(table.key);
    let key: Vec<_> = key.iter().map(|column| format!("\"{}\"", column.name)).collect();
    let rest = rest.iter().map(|column| format!("\"{0}\" = excluded.\"{0}\"", column.name));
    let rest = rest.collect::<Vec<_>>().join(", ");
    format!("ON CONFLICT (set_id, {}) DO UPDATE SET {rest}", key.join(", "))
}

/// Writes new rows of a table with one statement, however many they are.
pub(crate) async fn insert(
    transaction: &Transaction<'_>,
    set: i64,
    table: &Table,
    rows: &[Vec<Cell>],
) -> Result<(), tokio_postgres::Error> {
    let (into, arrays) = (names(table), unnest(table, 2));
    let sql = format!("INSERT INTO crm.{} (set_id, {into}) SELECT $1, * FROM {arrays}", table.name);
    let columns = columns(table, rows.iter());
    let mut values: Vec<&(dyn ToSql + Sync)> = vec![&set];
    values.extend(columns.iter().map(|column| column as &(dyn ToSql + Sync)));
    let statement = transaction.prepare_cached(&sql).await?;
    transaction.execute(&statement, &values).await.map(drop)
}

/// Hands the rows that a query finds to `each`, read as they are needed.
pub(crate) async fn each(
    transaction: &Transaction<'_>,
    set: &Path,
    sql: &str,
    values: &[&(dyn ToSql + Sync)],
    mut each: impl FnMut(Vec<Cell>) -> Result<(), BulkError>,
) -> Result<(), BulkError> {
    let query = async {
        let statement = transaction.prepare_cached(sql).await?;
        transaction.query_raw(&statement, values.iter().copied()).await
    };
    let mut found = pin!(query.await.map_err(store(set))?);
    while let Some(row) = found.try_next().await.map_err(store(set))? {
        each(cells(&row).map_err(store(set))?)?;
    }
    Ok(())
}
