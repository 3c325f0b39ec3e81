//! Databases that are there as a whole or not at all.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::opened::{Database, Format};
use crate::{
    disk::{atomic_file::AtomicFile, journal},
    error::MirrorError,
};

/// A database in the making, beside the place where it will be. Dropped before it is finished, it
/// is removed.
#[derive(Debug)]
pub struct NewDatabase {
    // Closed before the file is removed.
    database: Database,
    file: AtomicFile,
}

impl NewDatabase {
    /// Makes the tables, in the journal mode that the caller has yet to choose.
    pub fn create(path: &Path, format: &Format) -> Result<Self, MirrorError> {
        let file = Self::begin(path)?;
        let database = Database::create(file.temporary(), format)?;
        Ok(Self { database, file })
    }

    /// The same, to take the place of the file that has this name.
    pub fn create_anew(path: &Path, format: &Format) -> Result<Self, MirrorError> {
        let file = AtomicFile::create(path);
        let file = file.map_err(|e| MirrorError::file(path, "created", e))?;
        let database = Database::create(file.temporary(), format)?;
        Ok(Self { database, file })
    }

    /// Copies all that is committed in another one, without a journal.
    pub fn copy(from: &Database, path: &Path, format: &Format) -> Result<Self, MirrorError> {
        let file = Self::begin(path)?;
        from.execute("VACUUM INTO ?", [file.temporary().to_string_lossy()])?;
        let database = Database::connect(file.temporary(), format)?;
        Ok(Self { database, file })
    }

    fn begin(path: &Path) -> Result<AtomicFile, MirrorError> {
        if path.exists() {
            return Err(MirrorError::Exists { path: path.to_owned() });
        }
        if journal::has_journal(path) {
            // Of a file that was moved or deleted: SQLite would take it for the new one's.
            return Err(MirrorError::Exists { path: journal::journal(path) });
        }
        AtomicFile::create(path).map_err(|e| MirrorError::file(path, "created", e))
    }

    /// Takes it apart, for who wants the database itself.
    pub fn into_parts(self) -> (Database, AtomicFile) {
        (self.database, self.file)
    }

    /// Puts the [parts](Self::into_parts) together again.
    pub fn of(database: Database, file: AtomicFile) -> Self {
        Self { database, file }
    }

    pub fn database(&self) -> &Database {
        &self.database
    }

    pub fn database_mut(&mut self) -> &mut Database {
        &mut self.database
    }

    /// The name that it will have.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// Puts it under its name, in place of the file that has it.
    pub fn replace(self) -> Result<(), MirrorError> {
        let (file, path) = self.close()?;
        file.replace().map_err(|e| MirrorError::file(&path, "put in place", e))
    }

    /// Puts it under its name, unless a file has it by now.
    pub fn finish(self) -> Result<(), MirrorError> {
        let (file, path) = self.close()?;
        file.finish().map_err(|e| match e.kind() {
            io::ErrorKind::AlreadyExists => MirrorError::Exists { path },
            _ => MirrorError::file(&path, "put in place", e),
        })
    }

    fn close(self) -> Result<(AtomicFile, PathBuf), MirrorError> {
        let Self { database, file } = self;
        // Closed, the file is complete.
        drop(database);
        file.sync().map_err(|e| MirrorError::file(file.temporary(), "written", e))?;
        let path = file.path().to_owned();
        Ok((file, path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_new_file_gets_the_journal_that_another_one_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("set.crm");
        let journal = journal::journal(&path);
        std::fs::write(&journal, "of another set").unwrap();
        let error = NewDatabase::create(&path, &Format::TEST).err().unwrap();
        let MirrorError::Exists { path: told } = &error else {
            panic!("{error}");
        };
        assert_eq!(*told, journal);
        std::fs::write(&journal, "").unwrap();
        NewDatabase::create(&path, &Format::TEST).unwrap().finish().unwrap();
    }
}
