//! Files that get their names only when they are complete.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

/// A file under a temporary name. Dropped before it has got its own, it is removed.
pub(crate) struct Temporary(PathBuf);

impl Temporary {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Makes what was written survive a crash of the machine: otherwise the name might, without
    /// it. Nobody may have the file open to be written.
    pub(crate) fn sync(&self) -> io::Result<()> {
        // Windows syncs no file that was opened to be read.
        File::options().write(true).open(&self.0)?.sync_all()
    }

    /// Puts the file in the place of what has the name.
    pub(crate) fn replace(self, path: &Path) -> io::Result<()> {
        fs::rename(&self.0, path)?;
        sync_folder(path);
        Ok(())
    }

    /// Gives the file its name, unless another file has it.
    pub(crate) fn name(self, path: &Path) -> io::Result<()> {
        match fs::hard_link(&self.0, path) {
            Ok(()) => fs::remove_file(&self.0)?,
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => return Err(e),
            // Not every file system has links.
            Err(_) if path.exists() => return Err(io::ErrorKind::AlreadyExists.into()),
            Err(_) => fs::rename(&self.0, path)?,
        }
        sync_folder(path);
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // Gone already when the file has its name.
        let _ = fs::remove_file(&self.0);
    }
}

/// Makes a new name durable, where folders can be synced. Not every file system can, and the file
/// has its name by now.
fn sync_folder(path: &Path) {
    if cfg!(unix) {
        let _ = File::open(folder(path)).and_then(|folder| folder.sync_all());
    }
}

/// The folder in which a file lies or will lie.
pub(crate) fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
