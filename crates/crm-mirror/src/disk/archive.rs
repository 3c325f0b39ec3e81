//! Files that this process may only read: an archive on a read-only medium, or a set that belongs
//! to somebody else.
//!
//! SQLite wants to write beside a file that it reads: with a journal of commits (`-wal`) it shares
//! an index of it (`-shm`) with the other processes. Where there is no such index, nobody works on
//! the file, and it is read without one. Nothing is left beside it.

use std::{fs, io, path::Path, time::Duration};

use rusqlite::{Connection, ErrorCode, MAIN_DB, OpenFlags, backup::Backup, types::FromSql};

use super::{
    journal::{index, journal},
    room,
};

/// What keeps SQLite from reading a file as it does: it can write nothing beside it.
#[derive(Debug)]
pub enum Hindrance {
    /// This process may only read the file, and nobody works on it.
    Rights,
    /// There is no room for the index of its journal.
    Room(io::Error),
}

/// What hinders a connection that has read nothing yet.
pub fn hindrance(connection: &Connection, path: &Path) -> Option<Hindrance> {
    let may_write = connection.is_readonly(MAIN_DB).is_ok_and(|readonly| !readonly);
    // What may only be read is not even tried: something could be left beside it.
    let failed = may_write.then(|| pragma::<i64>(connection, "user_version").err()).flatten();
    let lacks_rights = !may_write || failed.as_ref().is_some_and(is_for_want_of_rights);
    if lacks_rights && !index(path).exists() {
        return Some(Hindrance::Rights);
    }
    failed.and_then(|_| room::is_wanting(path)).map(Hindrance::Room)
}

/// What the pragma of this name is set to.
pub fn pragma<V: FromSql>(connection: &Connection, name: &str) -> rusqlite::Result<V> {
    connection.pragma_query_value(None, name, |row| row.get(name))
}

/// Whether SQLite failed since it must not write to the file or beside it.
pub fn is_for_want_of_rights(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error_code();
    matches!(code, Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly))
}

/// Opens a file for this connection alone, with the index of its journal in memory: then it can be read
/// where there is no room for a file. Others wait until it is closed.
pub fn alone(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Duration::from_secs(1))?;
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    Ok(connection)
}

/// Opens an archived database.
pub fn open(path: &Path) -> io::Result<rusqlite::Result<Connection>> {
    let opened = if journal(path).exists() {
        with_its_journal(path)?
    } else {
        immutable(&fs::canonicalize(path)?)
    };
    Ok(opened.and_then(|connection| {
        protect(&connection)?;
        Ok(connection)
    }))
}

/// Refuses to write to what may be a copy: nobody would see it again.
pub fn protect(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "query_only", true)
}

/// Reads a file that nobody changes, without its journal. No locks are taken.
pub fn immutable(path: &Path) -> rusqlite::Result<Connection> {
    let name = path.to_string_lossy().replace('%', "%25");
    let name = name.replace('?', "%3f").replace('#', "%23");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(format!("file:{name}?immutable=1"), flags)
}

/// Reads a file together with the commits in its journal: a private copy of both. Copying them
/// drops no lock of this process, since it has none on a file that nobody works on.
fn with_its_journal(path: &Path) -> io::Result<rusqlite::Result<Connection>> {
    let folder = tempfile::tempdir()?;
    let copy = folder.path().join("copy");
    for (from, to) in [(path, &*copy), (&journal(path), &journal(&copy))] {
        // Not `fs::copy`, which would keep the copy from being written as well.
        io::copy(&mut fs::File::open(from)?, &mut fs::File::create_new(to)?)?;
    }
    Ok(Connection::open(&copy).and_then(|whole| to_temporary(&whole)))
}

/// Copies a database to one without a name, which goes with the connection.
pub fn to_temporary(from: &Connection) -> rusqlite::Result<Connection> {
    /// How many pages are copied at a time.
    const PAGES: i32 = 1_024;
    let mut to = Connection::open("")?;
    Backup::new(from, &mut to)?.run_to_completion(PAGES, Duration::ZERO, None)?;
    Ok(to)
}
