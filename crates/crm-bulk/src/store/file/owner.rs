//! Whose the set is: its epoch and its lease, in the set itself.

use rusqlite::{OptionalExtension, params};

use crate::{BulkError, database::Database};

/// Raises the epoch.
pub(super) fn take(database: &Database, owner: &str) -> Result<u64, BulkError> {
    let sql = "INSERT INTO owner (only, epoch, beat, name) VALUES (1, 1, 1, ?)
        ON CONFLICT DO UPDATE SET epoch = epoch + 1, beat = beat + 1, name = excluded.name
        RETURNING epoch";
    let connection = &database.connection;
    database.check(connection.query_row(sql, params![owner], |row| row.get(0)))
}

/// Refuses a transaction of an older epoch.
pub(super) fn admit(database: &Database, epoch: u64) -> Result<(), BulkError> {
    let newest = database
        .connection
        .prepare_cached("SELECT epoch FROM owner")
        .and_then(|mut query| query.query_row([], |row| row.get::<_, u64>(0)).optional());
    match database.check(newest)? {
        Some(newest) if newest == epoch => Ok(()),
        _ => Err(BulkError::Superseded {
            path: database.path().to_owned(),
        }),
    }
}

/// Shows others that the owner is alive.
pub(super) fn renew(database: &Database) -> Result<(), BulkError> {
    let beat = database
        .connection
        .prepare_cached("UPDATE owner SET beat = beat + 1")
        .and_then(|mut beat| beat.execute([]));
    database.check(beat).map(drop)
}
