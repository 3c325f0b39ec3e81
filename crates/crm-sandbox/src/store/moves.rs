//! The rows that writes have put into a table or taken out of it lately, as the writes themselves
//! record them. A change of a row takes it out and puts it in again.
//!
//! Triggers record them, so that whatever is deleted along with something else counts too. Tables
//! and triggers are temporary: they belong to this connection, and the file stays as it is.

use rusqlite::Connection;

/// How many moves of a table are kept: more than come while a client reads a page, and few enough
/// to go through for the next one.
pub(super) const MOST: i64 = 10_000;

/// The table with the moves of a table: its columns, and `came`, which is 1 for a row that was put
/// in and -1 for one that was taken out.
pub(super) fn of(table: &str) -> String {
    format!("moves_of_{table}")
}

/// Begins to record the moves of a table.
pub(super) fn watch(db: &Connection, table: &str) -> rusqlite::Result<()> {
    let moves = of(table);
    let columns = |of: &str| {
        let sql = format!("SELECT group_concat('{of}.' || name) FROM pragma_table_info(?)");
        db.query_row(&sql, [table], |row| row.get::<_, String>(0))
    };
    let (old, new) = (columns("old")?, columns("new")?);
    let out = format!("INSERT INTO {moves} SELECT -1, {old};");
    let into = format!("INSERT INTO {moves} SELECT 1, {new};");
    db.execute_batch(&format!(
        "CREATE TEMP TABLE {moves} AS SELECT 1 AS came, * FROM {table} WHERE 0;
         CREATE TEMP TRIGGER {moves}_in AFTER INSERT ON {table} BEGIN {into} END;
         CREATE TEMP TRIGGER {moves}_changed AFTER UPDATE ON {table} BEGIN {out} {into} END;
         CREATE TEMP TRIGGER {moves}_out AFTER DELETE ON {table} BEGIN {out} END;"
    ))
}

/// Ends what [`watch`] began.
pub(super) fn unwatch(db: &Connection, table: &str) -> rusqlite::Result<()> {
    let moves = of(table);
    db.execute_batch(&format!(
        "DROP TRIGGER {moves}_in; DROP TRIGGER {moves}_changed; DROP TRIGGER {moves}_out;
         DROP TABLE temp.{moves};"
    ))
}

/// The number of the latest move of a table; 0 before the first one.
pub(super) fn newest(db: &Connection, table: &str) -> rusqlite::Result<i64> {
    let sql = format!("SELECT ifnull(max(rowid), 0) FROM {}", of(table));
    db.prepare_cached(&sql)?.query_row([], |row| row.get(0))
}

/// Removes all but the latest moves, and returns the number of the last one that is gone.
pub(super) fn cut_back(db: &Connection, table: &str) -> rusqlite::Result<i64> {
    let last = newest(db, table)? - MOST;
    db.execute(&format!("DELETE FROM {} WHERE rowid <= ?", of(table)), [last])?;
    Ok(last)
}
