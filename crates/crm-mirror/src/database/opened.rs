//! An open SQLite file.

use std::{
    fmt, fs, io, mem,
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{
    Connection, ErrorCode, MAIN_DB, OpenFlags, OptionalExtension, Params, Row, Transaction,
    TransactionBehavior, config::DbConfig, params, types::FromSql,
};

use crate::{
    disk::{
        archive::{self, Hindrance, pragma},
        file_id::{Connected, FileId, Sight},
        journal::has_journal,
        room,
    },
    error::MirrorError,
    job::Stop,
    site::Site,
};

/// A kind of file: how it is recognised and how its tables came to be.
#[derive(Debug)]
pub struct Format {
    /// For people: `change set`.
    pub noun: &'static str,
    /// SQLite's `application_id` pragma.
    pub application_id: i32,
    /// The oldest version that is opened.
    pub oldest: i64,
    /// The scripts that lead from each version to the next; the first makes the tables. The
    /// number of scripts is the current version, kept in the `user_version` pragma.
    pub migrations: &'static [&'static str],
    /// Does what SQL cannot say after the script that leads to this version, in its transaction.
    pub convert: fn(&Connection, usize) -> rusqlite::Result<()>,
    /// Whether a file keeps its journal beside it when the last connection is closed.
    pub keeps_journal: fn(&Connection) -> bool,
}

impl Format {
    #[cfg(test)]
    pub(super) const TEST: Self = Self {
        noun: "test",
        application_id: 1,
        oldest: 0,
        migrations: &[],
        convert: |_, _| Ok(()),
        keeps_journal: |_| false,
    };

    fn version(&self) -> i64 {
        i64::try_from(self.migrations.len()).unwrap_or(i64::MAX)
    }
}

/// An open file of one kind.
pub struct Database {
    pub connection: Connection,
    path: PathBuf,
    noun: &'static str,
    keeps_journal: fn(&Connection) -> bool,
    /// Dropped after the connection.
    connected: Connected,
}

impl Drop for Database {
    /// Whoever closes a file last would take its journal away.
    fn drop(&mut self) {
        let real = fs::canonicalize(&self.path);
        if real.is_ok_and(|real| has_journal(&real)) && (self.keeps_journal)(&self.connection) {
            self.keep_journal();
        }
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Database").field(&self.path).finish()
    }
}

/// A file that is open already.
#[derive(Debug)]
pub struct Again {
    path: PathBuf,
    id: FileId,
}

impl Again {
    /// Connects to it once more. A statement of the new connection fails once this stop is asked
    /// for.
    pub fn open(&self, format: &Format, stop: &Stop) -> Result<Database, MirrorError> {
        let mut database = Database::open(&self.path, format)?;
        if *database.connected.id() != self.id {
            let other = io::Error::other("another file has its name by now");
            return Err(MirrorError::file(&self.path, "read", other));
        }
        database.end_with(stop)?;
        Ok(database)
    }
}

/// How much of a file is kept in memory at most, in KiB.
const CACHE_KIB: i64 = 8 * 1024;
/// The same while a set is carried out: its changes come one after another.
const WRITING_CACHE_KIB: i64 = 2 * 1024;
/// How long to wait for somebody who reads.
const READING: Duration = Duration::from_secs(2);
/// How long one process waits for another one's commit.
const PATIENCE: Duration = Duration::from_secs(30);

impl Database {
    /// Makes the tables in an empty file, in the caller's journal mode.
    pub(super) fn create(path: &Path, format: &Format) -> Result<Self, MirrorError> {
        let database = Self::connect(path, format)?;
        database.check(database.connection.pragma_update(
            None,
            "application_id",
            format.application_id,
        ))?;
        database.check(database.migrate(format, 0))?;
        Ok(database)
    }

    /// Opens an existing file of this kind and brings it to the current version. One that must
    /// not be written is opened to be read, and brought to the current version in a copy.
    ///
    /// Only SQLite opens the file: closing any other descriptor of it would, by POSIX, drop the
    /// locks of every connection that this process has to it.
    pub fn open(path: &Path, format: &Format) -> Result<Self, MirrorError> {
        let unreadable = |e| MirrorError::file(path, "read", e);
        if fs::metadata(path).map_err(unreadable)?.is_dir() {
            return Err(unreadable(io::ErrorKind::IsADirectory.into()));
        }
        let mut database = Self::connect(path, format)?;
        let pragma = |name| database.check(pragma::<i64>(&database.connection, name));
        let (id, found) = (pragma("application_id")?, pragma("user_version")?);
        if id != i64::from(format.application_id) {
            return Err(MirrorError::Foreign { path: path.to_owned(), noun: format.noun });
        }
        if found > format.version() {
            return Err(MirrorError::Newer {
                path: path.to_owned(),
                noun: format.noun,
                found,
                known: format.version(),
            });
        }
        if found < format.oldest {
            return Err(MirrorError::Older { path: path.to_owned(), noun: format.noun });
        }
        let from = usize::try_from(found).unwrap_or(0);
        match database.migrate(format, from) {
            Err(error) if archive::is_for_want_of_rights(&error) => {
                let copy = archive::to_temporary(&database.connection);
                let connected = Self::announce(path)?;
                database = Self::with(database.check(copy)?, connected, path, format)?;
                database.check(database.migrate(format, from))?;
                database.check(archive::protect(&database.connection))?;
            }
            migrated => database.check(migrated)?,
        }
        Ok(database)
    }

    /// Connects to a file, also to one that may only be read.
    pub(super) fn connect(path: &Path, format: &Format) -> Result<Self, MirrorError> {
        let refused = |e| unopened(path, format.noun, e);
        let connected = Self::announce(path)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(path, flags).map_err(refused)?;
        connection.busy_timeout(READING).map_err(refused)?;
        match archive::hindrance(&connection, path) {
            None => {}
            Some(Hindrance::Rights) => {
                drop(connection);
                let archived =
                    archive::open(path).map_err(|e| MirrorError::file(path, "read", e))?;
                connection = archived.map_err(refused)?;
            }
            Some(Hindrance::Room(reason)) => {
                drop(connection);
                connection = archive::alone(path).map_err(refused)?;
                // Another connection of this process may have it, and is not closed meanwhile.
                let tried = pragma::<i64>(&connection, "user_version").err();
                if tried.and_then(|e| e.sqlite_error_code()) == Some(ErrorCode::DatabaseBusy) {
                    return Err(MirrorError::file(path, "read", reason));
                }
            }
        }
        Self::with(connection, connected, path, format)
    }

    fn announce(path: &Path) -> Result<Connected, MirrorError> {
        Connected::to(path).map_err(|e| MirrorError::file(path, "read", e))
    }

    fn with(
        connection: Connection,
        connected: Connected,
        path: &Path,
        format: &Format,
    ) -> Result<Self, MirrorError> {
        let configure = || {
            connection.busy_timeout(PATIENCE)?;
            connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
            connection.set_prepared_statement_cache_capacity(64);
            // With its statistics SQLite would plan a statement anew for each value that is bound.
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
            Ok(())
        };
        configure().map_err(|e| unopened(path, format.noun, e))?;
        Ok(Self {
            connection,
            path: path.to_owned(),
            noun: format.noun,
            keeps_journal: format.keeps_journal,
            connected,
        })
    }

    /// Whether this connection can write what others will read. Not where the file has two names:
    /// under the other one there may be another journal.
    pub fn may_be_written(&self) -> Result<bool, MirrorError> {
        let is_copy: bool = self.check(pragma(&self.connection, "query_only"))?;
        let has_one_name = Sight::of(&self.path).is_ok_and(|sight| sight.links == 1);
        Ok(!is_copy && has_one_name && !self.check(self.connection.is_readonly(MAIN_DB))?)
    }

    /// Forgets what is in memory of the file, so that the next statement reads it anew: what
    /// happened under another name of the file is not seen otherwise.
    pub fn forget(&self) -> Result<(), MirrorError> {
        self.check(self.connection.execute_batch("PRAGMA shrink_memory"))
    }

    /// Which file it is.
    pub fn connected(&self) -> &Connected {
        &self.connected
    }

    /// Runs the scripts that are missing, each as a whole or not at all.
    fn migrate(&self, format: &Format, from: usize) -> rusqlite::Result<()> {
        let missing = format.migrations.get(from..).unwrap_or_default();
        for (script, version) in missing.iter().zip(from + 1..) {
            let transaction = self.connection.unchecked_transaction()?;
            let script = format!("{script}; PRAGMA user_version = {version}");
            transaction.execute_batch(&script)?;
            (format.convert)(&transaction, version)?;
            transaction.commit()?;
        }
        Ok(())
    }

    /// Makes every commit survive a crash of the machine, and lets others read meanwhile where the
    /// file's place allows it.
    ///
    /// Whether there is a write-ahead log: what is committed then lies partly in a file beside.
    pub fn make_durable(&self) -> Result<bool, MirrorError> {
        // On macOS a sync alone leaves it to the disk when it writes.
        let fully = "PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON";
        // With each commit SQLite looks at every page in memory.
        let sql = format!("{fully}; PRAGMA cache_size = -{WRITING_CACHE_KIB}");
        self.check(self.connection.execute_batch(&sql))?;
        let name = "journal_mode";
        let mode = self
            .connection
            .pragma_update_and_check(None, name, "WAL", |row| row.get::<_, String>(name));
        // With a journal that is removed, FULL may lose the last commit: the removal is not synced.
        let is_wal = self.check(mode)? == "wal";
        let level = if is_wal { "FULL" } else { "EXTRA" };
        self.check(self.connection.pragma_update(None, "synchronous", level))?;
        Ok(is_wal)
    }

    /// Moves all of the journal into the file and leaves nothing in the journal. Whether nobody else
    /// kept it, who still reads what was there before.
    pub fn empty_journal(&self) -> Result<bool, MirrorError> {
        self.check(self.connection.busy_timeout(READING))?;
        let sql = "PRAGMA wal_checkpoint(TRUNCATE)";
        let is_kept = self.row(sql, [], |row| row.get::<_, bool>("busy"));
        self.check(self.connection.busy_timeout(PATIENCE))?;
        Ok(is_kept? != Some(true))
    }

    /// How many bytes the file has once all of the journal is in it; unknown is long.
    pub fn length(&self) -> u64 {
        let pages = pragma::<u64>(&self.connection, "page_count");
        let size = pragma::<u64>(&self.connection, "page_size");
        pages.and_then(|pages| Ok(pages * size?)).unwrap_or(u64::MAX)
    }

    /// Moves nothing from the journal into the file when this is closed.
    pub fn keep_journal(&self) {
        let no_checkpoint = DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
        // It fails for no connection that is open.
        let _ = self.connection.set_db_config(no_checkpoint, true);
    }

    /// Keeps more of the file in memory, for many look-ups in one state of it.
    pub fn hold_still(&self, cache_kib: i64) -> Result<(), MirrorError> {
        self.keep_in_memory(cache_kib)?;
        self.check(self.connection.execute_batch("BEGIN"))
    }

    /// Keeps this much of the file in memory at most, in KiB.
    pub fn keep_in_memory(&self, cache_kib: i64) -> Result<(), MirrorError> {
        self.check(self.connection.pragma_update(None, "cache_size", -cache_kib))
    }

    /// Does work that reads, in one transaction, unless one is open: all of it sees the same state of
    /// the file, which SQLite then looks at once and not before each statement.
    pub fn at_once<R, E: From<MirrorError>>(
        &self,
        work: impl FnOnce() -> Result<R, E>,
    ) -> Result<R, E> {
        let is_open = !self.connection.is_autocommit();
        let begun = (!is_open).then(|| self.connection.unchecked_transaction()).transpose();
        let transaction = self.check(begun)?;
        let done = work()?;
        transaction.map_or(Ok(()), |transaction| self.check(transaction.commit()))?;
        Ok(done)
    }

    /// Begins a transaction that will write. It waits for another writer here: one that has read
    /// first, and then finds that another has written meanwhile, fails at once.
    pub fn begin_to_write(&self) -> Result<Transaction<'_>, MirrorError> {
        let immediate = TransactionBehavior::Immediate;
        self.check(Transaction::new_unchecked(&self.connection, immediate))
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Which file this is, to connect to it once more from another thread.
    pub fn again(&self) -> Again {
        Again { path: self.path.clone(), id: self.connected.id().clone() }
    }

    /// Has every statement fail, also one that is going on, once this stop is asked for.
    pub fn end_with(&mut self, stop: &Stop) -> Result<(), MirrorError> {
        /// How many of SQLite's instructions pass between two looks: about a millisecond's.
        const INSTRUCTIONS: i32 = 100_000;
        let stop = stop.clone();
        let look = move || stop.is_asked_for();
        let watched = self.connection.progress_handler(INSTRUCTIONS, Some(look));
        self.check(watched)
    }

    /// Names the file in a failure.
    pub fn check<R>(&self, result: rusqlite::Result<R>) -> Result<R, MirrorError> {
        result.map_err(|e| self.failed(e))
    }

    /// Names the file in a failure.
    pub fn failed(&self, error: rusqlite::Error) -> MirrorError {
        failed(&self.path, self.noun, error)
    }

    /// Does a statement and says how many rows it changed.
    pub fn execute(&self, sql: &str, values: impl Params) -> Result<usize, MirrorError> {
        let statement = self.connection.prepare_cached(sql);
        self.check(statement.and_then(|mut statement| statement.execute(values)))
    }

    /// The value that a query for one column finds; `None` where it finds no row.
    pub fn value<V: FromSql>(
        &self,
        sql: &str,
        values: impl Params,
    ) -> Result<Option<V>, MirrorError> {
        self.row(sql, values, |row| row.get(0))
    }

    /// The row that a query finds, if it finds one.
    pub fn row<R>(
        &self,
        sql: &str,
        values: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<R>,
    ) -> Result<Option<R>, MirrorError> {
        let query = self.connection.prepare_cached(sql);
        self.check(query.and_then(|mut query| query.query_row(values, read).optional()))
    }

    /// All rows that a query finds.
    pub fn rows<R>(
        &self,
        sql: &str,
        values: impl Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<R>,
    ) -> Result<Vec<R>, MirrorError> {
        let query = self.connection.prepare_cached(sql);
        self.check(query.and_then(|mut query| query.query_map(values, read)?.collect()))
    }

    /// A fact about the file as a whole.
    pub fn meta(&self, name: &str) -> Result<Option<String>, MirrorError> {
        self.value("SELECT value FROM meta WHERE name = ?", [name])
    }

    pub fn set_meta(&self, name: &str, value: &str) -> Result<(), MirrorError> {
        let sql = "INSERT INTO meta VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value";
        self.execute(sql, params![name, value]).map(drop)
    }

    /// Whose data the file holds.
    pub fn site(&self) -> Result<Site, MirrorError> {
        let tenant = self.meta("tenant")?.and_then(|text| text.parse().ok());
        match (tenant, self.meta("environment")?) {
            (Some(tenant), Some(environment)) => Ok(Site::new(tenant, &environment)),
            _ => Err(MirrorError::Foreign { path: self.path.clone(), noun: self.noun }),
        }
    }

    pub fn set_site(&self, site: &Site) -> Result<(), MirrorError> {
        self.set_meta("tenant", &site.tenant().to_string())?;
        self.set_meta("environment", site.environment())
    }
}

/// Why SQLite failed: where it does not tell the system's reason, it is looked for.
fn failed(path: &Path, noun: &'static str, error: rusqlite::Error) -> MirrorError {
    let is_untold = error.sqlite_error_code() == Some(ErrorCode::SystemIoFailure);
    match is_untold.then(|| room::is_wanting(path)).flatten() {
        Some(reason) => MirrorError::file(path, "written", reason),
        None => MirrorError::database(path, noun, error),
    }
}

/// Why SQLite cannot open a file: it does not tell the system's reason, so the system is asked.
fn unopened(path: &Path, noun: &'static str, error: rusqlite::Error) -> MirrorError {
    if error.sqlite_error_code() != Some(ErrorCode::CannotOpen) {
        return failed(path, noun, error);
    }
    match fs::File::open(path) {
        Err(reason) => MirrorError::file(path, "read", reason),
        // It can be opened by now; closing it would drop locks: see `Database::open`.
        Ok(file) => {
            mem::forget(file);
            MirrorError::database(path, noun, error)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORMAT: Format = Format::TEST;

    #[test]
    fn every_commit_is_durable_also_where_there_is_no_wal() {
        let folder = tempfile::tempdir().unwrap();
        let with_wal = {
            let path = folder.path().join("test");
            fs::File::create(&path).unwrap();
            Database::create(&path, &FORMAT)
        }
        .unwrap();
        let without = Database {
            connection: Connection::open_in_memory().unwrap(),
            path: PathBuf::new(),
            noun: FORMAT.noun,
            keeps_journal: FORMAT.keeps_journal,
            connected: Connected::to(folder.path()).unwrap(),
        };
        for (database, is_wal, level) in [(with_wal, true, 2), (without, false, 3)] {
            assert_eq!(database.make_durable().unwrap(), is_wal);
            let pragma = |name| {
                let connection = &database.connection;
                pragma::<i64>(connection, name)
            };
            assert_eq!(pragma("synchronous").unwrap(), level);
            assert_eq!(pragma("fullfsync").unwrap(), 1);
            assert_eq!(pragma("checkpoint_fullfsync").unwrap(), 1);
        }
    }
}
