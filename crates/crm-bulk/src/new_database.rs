//! Databases that are there as a whole or not at all.

use std::{
    io,
    path::{Path, PathBuf},
};

use crate::{
    BulkError,
    database::{Database, Format},
    run_mark,
    temporary::Temporary,
};

/// A database in the making, beside the place where it will be: under a name that no other one
/// has, be it of this process, of another one, or left behind by one that was killed. Dropped
/// before it is finished, it is removed.
pub(crate) struct NewDatabase {
    // Closed before the file is removed.
    database: Database,
    temporary: Temporary,
    path: PathBuf,
}

impl NewDatabase {
    pub(crate) fn create(path: &Path, format: &Format) -> Result<Self, BulkError> {
        let path = path.to_owned();
        if path.exists() {
            return Err(BulkError::Exists { path });
        }
        if run_mark::has_journal(&path) {
            // Of a file that was moved or deleted: SQLite would take it for the new one's.
            let path = run_mark::journal(&path);
            return Err(BulkError::Exists { path });
        }
        let mut number = 0_u32;
        loop {
            let mut temporary = path.as_os_str().to_owned();
            temporary.push(format!(".{}-{number}.partial", std::process::id()));
            let created = Database::create(Path::new(&temporary), format);
            if let Err(BulkError::Exists { .. }) = created {
                number += 1;
                continue;
            }
            let temporary = Temporary::new(temporary.into());
            return Ok(Self { database: created?, temporary, path });
        }
    }

    pub(crate) fn database(&self) -> &Database {
        &self.database
    }

    /// The name that it will have.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Puts it under its name, unless a file has it by now.
    pub(crate) fn finish(self) -> Result<(), BulkError> {
        let Self { database, temporary, path } = self;
        // Closed, the file is complete.
        drop(database);
        let synced = temporary.sync();
        synced.map_err(|e| BulkError::file(temporary.path(), "written", e))?;
        temporary.name(&path).map_err(|e| match e.kind() {
            io::ErrorKind::AlreadyExists => BulkError::Exists { path },
            _ => BulkError::file(&path, "put in place", e),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_new_file_gets_the_journal_that_another_one_left() {
        const FORMAT: Format =
            Format { noun: "test", application_id: 1, migrations: &[], prepare: |_| Ok(()) };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("set.crm");
        let journal = run_mark::journal(&path);
        std::fs::write(&journal, "of another set").unwrap();
        let error = NewDatabase::create(&path, &FORMAT).err().unwrap();
        let BulkError::Exists { path: told } = &error else {
            panic!("{error}");
        };
        assert_eq!(*told, journal);
        std::fs::write(&journal, "").unwrap();
        NewDatabase::create(&path, &FORMAT).unwrap().finish().unwrap();
    }
}
