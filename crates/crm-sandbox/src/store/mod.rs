//! The data of one tenant: one SQLite database behind one lock.
//!
//! The tables are described in `schema.sql`.

use std::{
    error::Error,
    fmt::Display,
    path::{Path, PathBuf},
    sync::Mutex,
};

use rusqlite::{
    Batch, Connection, Transaction, TransactionBehavior, fallible_iterator::FallibleIterator,
    functions::FunctionFlags,
};

pub(crate) mod bookings;
pub(crate) mod bookmarks;
pub(crate) mod contacts;
pub(crate) mod methods;
mod moves;
pub(crate) mod owners;
pub(crate) mod people;
pub(crate) mod preferences;
pub(crate) mod record;
pub(crate) mod relationships;
pub(crate) mod select;

use self::bookmarks::Bookmarks;
use crate::{contact_type::digits, error::SandboxError, lock::lock, problem::Problem};

/// Marks a file as a sandbox's (`CRMB`), kept in its `application_id`.
const APPLICATION: i64 = 0x4352_4D42;

/// The version of the layout, kept in the file's `user_version`. It changes with the tables.
const LAYOUT: i64 = 2;

/// How many statements are kept ready: every operation has one or two.
const STATEMENTS: usize = 128;

/// The database of one tenant.
#[derive(Debug)]
pub(crate) struct Store {
    connection: Mutex<Connection>,
    pub(crate) bookmarks: Bookmarks,
    /// The database's file; `None` for a database in memory.
    file: Option<PathBuf>,
}

impl Store {
    /// Opens a database, in memory or in a file that outlives the sandbox, and says whether it is
    /// new and needs its seed.
    pub(crate) fn open(path: Option<&Path>) -> Result<(Self, bool), SandboxError> {
        let fault = |error| SandboxError::database(path, error);
        let (connection, marks) = connect(path).map_err(fault)?;
        let file = path.map(Path::to_owned);
        let is_new = match marks {
            Marks { application: 0, layout: 0, is_empty: true } => true,
            Marks { application: APPLICATION, layout: LAYOUT, .. } => false,
            Marks { application: APPLICATION, layout, .. } => {
                return Err(SandboxError::Layout {
                    file: file.unwrap_or_default(),
                    found: layout,
                    expected: LAYOUT,
                });
            }
            _ => {
                return Err(SandboxError::Foreign { file: file.unwrap_or_default() });
            }
        };
        // Only now, so that a file of something else is left unchanged.
        prepare(&connection).map_err(fault)?;
        let store =
            Self { connection: Mutex::new(connection), bookmarks: Bookmarks::default(), file };
        Ok((store, is_new))
    }

    /// Makes the tables, fills them and runs SQL on them, all or nothing.
    pub(crate) fn create(
        &self,
        fill: impl FnOnce(&Connection) -> rusqlite::Result<()>,
        sql: &str,
    ) -> Result<(), SandboxError> {
        let mut connection = lock(&self.connection);
        let fault = |error| self.fault(error);
        let transaction = connection.transaction().map_err(fault)?;
        transaction
            .execute_batch(include_str!("schema.sql"))
            .and_then(|()| fill(&transaction))
            .map_err(fault)?;
        run_each(&transaction, sql)?;
        finish(transaction).map_err(fault)
    }

    /// Runs an operation that only reads.
    pub(crate) fn read<T>(
        &self,
        run: impl FnOnce(&Connection) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        run(&lock(&self.connection))
    }

    /// Runs an operation that writes, in one transaction, which is kept if the operation succeeds
    /// and `keep` is set.
    pub(crate) fn write<T>(
        &self,
        keep: bool,
        run: impl FnOnce(&Connection) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        let mut connection = lock(&self.connection);
        // Not deferred: a transaction that has read cannot begin to write once another program has
        // changed the file (SQLITE_BUSY_SNAPSHOT).
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let answer = run(&transaction)?;
        if keep {
            transaction.commit()?
        } else {
            transaction.rollback()?
        }
        self.bookmarks.after_writing(&connection)?;
        Ok(answer)
    }

    /// Returns the time of the latest change that is stored, if there is any.
    pub(crate) fn latest_change(&self) -> Result<Option<String>, SandboxError> {
        let sql = "SELECT MAX(modified_on) FROM (
                 SELECT MAX(modified_on) AS modified_on FROM location_contacts
                 UNION ALL SELECT MAX(modified_on) FROM customer_contacts
                 UNION ALL SELECT MAX(modified_on) FROM booking_contacts
                 UNION ALL SELECT MAX(modified_on) FROM people
                 UNION ALL SELECT MAX(modified_on) FROM contact_methods)";
        self.inspect(|db| db.query_row(sql, [], |row| row.get(0)))
    }

    /// Reads the database outside any request.
    pub(crate) fn inspect<T>(
        &self,
        look: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, SandboxError> {
        look(&lock(&self.connection)).map_err(|error| self.fault(error))
    }

    /// Adds a record outside any request, all of it or nothing.
    pub(crate) fn add<T>(
        &self,
        record: impl Display,
        add: impl FnOnce(&Connection) -> Result<T, Box<dyn Error + Send + Sync>>,
    ) -> Result<T, SandboxError> {
        let mut connection = lock(&self.connection);
        let kept = || {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let added = add(&transaction)?;
            transaction.commit()?;
            Ok(added)
        };
        kept().map_err(|source| SandboxError::NotAdded { record: record.to_string(), source })
    }

    /// Writes a copy of the database to a new file.
    pub(crate) fn copy_to(&self, path: &Path) -> Result<(), SandboxError> {
        // SQLite treats an empty file as a new one.
        if path.metadata().is_ok_and(|found| found.len() > 0) {
            return Err(SandboxError::Exists { file: path.to_owned() });
        }
        // Of one moment and with all that is in the journal, which a copy of the file would lack.
        let copied =
            lock(&self.connection).execute("VACUUM INTO ?1", [path.to_string_lossy().as_ref()]);
        copied.map(drop).map_err(|error| SandboxError::database(Some(path), error))
    }

    fn fault(&self, error: rusqlite::Error) -> SandboxError {
        SandboxError::database(self.file.as_deref(), error)
    }
}

/// The marks that tell whose a database is.
struct Marks {
    application: i64,
    layout: i64,
    is_empty: bool,
}

fn connect(path: Option<&Path>) -> rusqlite::Result<(Connection, Marks)> {
    let connection = match path {
        Some(path) => Connection::open(path)?,
        None => Connection::open_in_memory()?,
    };
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get(0));
    let marks = Marks {
        application: pragma("application_id")?,
        layout: pragma("user_version")?,
        is_empty: !connection.prepare("SELECT 1 FROM sqlite_schema")?.exists([])?,
    };
    Ok((connection, marks))
}

fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // Other tools may read the file while the sandbox runs. A power cut may take the last changes
    // of what is data for tests, but not the file.
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    // SQLite's own NOCASE and lower() know only the letters of ASCII.
    add_function(connection, "fold", str::to_lowercase)?;
    add_function(connection, "digits", digits)
}

/// Lets statements call a function of a text.
fn add_function(
    connection: &Connection,
    name: &str,
    of: fn(&str) -> String,
) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function(name, 1, flags, move |call| {
        let text: Option<String> = call.get(0)?;
        Ok(text.as_deref().map(of))
    })
}

/// Runs the caller's statements one by one, to find out which of them failed.
fn run_each(db: &Connection, sql: &str) -> Result<(), SandboxError> {
    let mut statements = Batch::new(db, sql);
    let mut next = || -> rusqlite::Result<bool> {
        let Some(mut statement) = statements.next()? else {
            return Ok(false);
        };
        let mut rows = statement.raw_query();
        while rows.next()?.is_some() {}
        Ok(true)
    };
    let mut statement = 1;
    while next().map_err(|error| SandboxError::sql(statement, error))? {
        if db.is_autocommit() {
            let source = "it ends the transaction in which the database is filled".into();
            return Err(SandboxError::Sql { statement, source });
        }
        statement += 1;
    }
    Ok(())
}

/// Marks a filled database as a sandbox's and keeps it.
fn finish(transaction: Transaction<'_>) -> rusqlite::Result<()> {
    // Indexes are quicker to build once than to keep up row by row.
    transaction.execute_batch(include_str!("indexes.sql"))?;
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", LAYOUT)?;
    transaction.commit()
}
