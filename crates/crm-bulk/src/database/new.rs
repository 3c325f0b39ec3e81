//! Databases that are there as a whole or not at all.

use std::{io, path::Path};

use super::opened::{Database, Format};
use crate::{
    disk::{atomic_file::AtomicFile, run_mark},
    error::BulkError,
};

/// A database in the making, beside the place where it will be. Dropped before it is finished, it
/// is removed.
pub(crate) struct NewDatabase {
    // Closed before the file is removed.
    database: Database,
    file: AtomicFile,
}

impl NewDatabase {
    /// Makes the tables, in the journal mode that the caller has yet to choose.
    pub(crate) fn create(path: &Path, format: &Format) -> Result<Self, BulkError> {
        let file = Self::begin(path)?;
        let database = Database::create(file.temporary(), format)?;
        Ok(Self { database, file })
    }

    /// Copies all that is committed in another one, without a journal.
    pub(crate) fn copy(from: &Database, path: &Path, format: &Format) -> Result<Self, BulkError> {
        let file = Self::begin(path)?;
        from.execute("VACUUM INTO ?", [file.temporary().to_string_lossy()])?;
        let database = Database::connect(file.temporary(), format)?;
        Ok(Self { database, file })
    }

    fn begin(path: &Path) -> Result<AtomicFile, BulkError> {
        if path.exists() {
            return Err(BulkError::Exists { path: path.to_owned() });
        }
        if run_mark::has_journal(path) {
            // Of a file that was moved or deleted: SQLite would take it for the new one's.
            return Err(BulkError::Exists { path: run_mark::journal(path) });
        }
        AtomicFile::create(path).map_err(|e| BulkError::file(path, "created", e))
    }

    pub(crate) fn database(&self) -> &Database {
        &self.database
    }

    pub(crate) fn database_mut(&mut self) -> &mut Database {
        &mut self.database
    }

    /// The name that it will have.
    pub(crate) fn path(&self) -> &Path {
        self.file.path()
    }

    /// Puts it under its name, unless a file has it by now.
    pub(crate) fn finish(self) -> Result<(), BulkError> {
        let Self { database, file } = self;
        // Closed, the file is complete.
        drop(database);
        file.sync().map_err(|e| BulkError::file(file.temporary(), "written", e))?;
        let path = file.path().to_owned();
        file.finish().map_err(|e| match e.kind() {
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
            Format { noun: "test", application_id: 1, migrations: &[], convert: |_, _| Ok(()) };
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
