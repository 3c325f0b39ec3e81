//! Whose the set is: its epoch and its lease, in the set itself.

use std::{fs::File, time::Duration};

use crm_mirror::{database::Database, disk::journal::journal};
use rusqlite::{ErrorCode, params};

use crate::{
    disk::run_mark::{self, Parted, RunMark, boot},
    error::BulkError,
};

/// The owner as others see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Owner {
    epoch: u64,
    beat: u64,
    boot: String,
    /// For how long the owner may show no sign of life.
    pub(super) lease: Duration,
    pub(super) has_open_run: bool,
}

impl Owner {
    pub(super) fn read(database: &Database) -> Result<Option<Self>, BulkError> {
        let sql = "SELECT epoch, beat, boot, lease, path IS NOT NULL AS has_open_run FROM owner";
        let owner = database.row(sql, [], |row| {
            Ok(Self {
                epoch: row.get("epoch")?,
                beat: row.get("beat")?,
                boot: row.get("boot")?,
                lease: Duration::from_millis(row.get("lease")?),
                has_open_run: row.get("has_open_run")?,
            })
        })?;
        Ok(owner)
    }

    /// Whether it surely is not alive: its run ended, or the machine was started again since.
    pub(super) fn is_gone(&self) -> bool {
        !self.has_open_run || self.boot != boot()
    }
}

/// What it is to own a set.
pub(super) struct Taken {
    pub(super) epoch: u64,
    /// The journal, if there is one: to be synced after each commit, which no longer does so.
    /// While SQLite does it the file is locked, and a process that is stopped within, as most
    /// are, would keep the set from everybody.
    pub(super) journal: Option<File>,
}

/// Raises the epoch and marks the main file: see [`RunMark`]. To be done outside a transaction.
pub(super) fn take(database: &Database, name: &str, lease: Duration) -> Result<Taken, BulkError> {
    let connection = &database.connection;
    let path = database.path();
    let real = path.canonicalize();
    let real = real.map_err(|e| BulkError::file(path, "found", e))?;
    database.forget()?;
    let open = database.check(RunMark::read(connection))?;
    if let Some(name) = open.as_ref().and_then(|mark| mark.other_name_of(&real)) {
        return Err(BulkError::Parted { path: path.to_owned(), how: Parted::Linked(name) });
    }
    let last = database.check(RunMark::last(connection))?;
    let mut originals = open.iter().chain(&last).filter_map(|mark| mark.original_of(&real));
    if let Some(original) = originals.next() {
        return Err(BulkError::Parted { path: path.to_owned(), how: Parted::Twin(original) });
    }
    let has_journal = database.make_durable()?;
    let raise = || -> rusqlite::Result<u64> {
        let transaction = connection.unchecked_transaction()?;
        let sql =
            "INSERT INTO owner (only, epoch, name, boot, lease, beat) VALUES (1, 1, ?, ?, ?, 1)
            ON CONFLICT DO UPDATE SET epoch = epoch + 1, beat = beat + 1, name = excluded.name,
                boot = excluded.boot, lease = excluded.lease
            RETURNING epoch";
        let lease = u64::try_from(lease.as_millis()).unwrap_or(u64::MAX);
        let owner = params![name, boot(), lease];
        let epoch = transaction.query_row(sql, owner, |row| row.get("epoch"))?;
        if has_journal {
            RunMark::set(connection, &real, database.connected().id())?;
        }
        RunMark::keep(connection, &real, database.connected().id())?;
        transaction.commit()?;
        Ok(epoch)
    };
    let epoch = raise().map_err(|error| match error.sqlite_error_code() {
        // A stopped process may hold the file for longer than anybody waits.
        Some(ErrorCode::DatabaseBusy) => BulkError::InUse { path: path.to_owned() },
        _ => database.failed(error).into(),
    })?;
    // The mark has to be in the main file: only there does a copy without the journal show it.
    if has_journal && !run_mark::checkpoint(connection, "FULL").is_ok_and(|all| all) {
        let held = std::io::Error::other("another program keeps reading it; try again");
        return Err(BulkError::file(path, "taken", held));
    }
    let mut opened = None;
    if has_journal {
        let name = journal(&real);
        // Windows syncs no file that was opened to be read. It is not the set: closing it drops
        // no locks.
        let open = File::options().write(true).open(&name);
        opened = Some(open.map_err(|e| BulkError::file(&name, "opened", e))?);
        let after_us = connection.pragma_update(None, "synchronous", "NORMAL");
        database.check(after_us)?;
    }
    Ok(Taken { epoch, journal: opened })
}

/// Ends a run: all that it did is in the main file, which is no longer marked. If that is not
/// possible, since somebody reads it, everything is safe as well, but the set needs its journal.
pub(super) fn leave(database: &Database, epoch: u64) -> rusqlite::Result<bool> {
    let connection = &database.connection;
    connection.pragma_update(None, "synchronous", "FULL")?;
    // Before the mark goes: whatever interrupts this, a file without a mark is complete.
    if !run_mark::checkpoint(connection, "FULL")? {
        return Ok(false);
    }
    RunMark::clear(connection, epoch)?;
    run_mark::checkpoint(connection, "TRUNCATE")
}

/// Whether this epoch is the newest.
pub(super) fn is_newest(database: &Database, epoch: u64) -> Result<bool, BulkError> {
    Ok(database.value("SELECT epoch FROM owner", [])? == Some(epoch))
}

/// Shows others that the owner is alive.
pub(super) fn renew(database: &Database) -> Result<(), BulkError> {
    database.execute("UPDATE owner SET beat = beat + 1", [])?;
    Ok(())
}
