//! The files that SQLite keeps beside a database.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The journal of the database at this path: SQLite's name for it.
pub fn journal(path: &Path) -> PathBuf {
    beside(path, "-wal")
}

/// The index of the journal, which processes share.
pub fn index(path: &Path) -> PathBuf {
    beside(path, "-shm")
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

/// Whether the database at this path has a journal that holds something.
pub fn has_journal(path: &Path) -> bool {
    fs::metadata(journal(path)).is_ok_and(|journal| journal.len() > 0)
}
