//! A desk in another place: moved there, or kept there as a copy.

use std::{
    ffi::OsString,
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use crm_bulk::ChangeSet;
use rusqlite::{Connection, OpenFlags, backup::Backup};

use super::{
    error::DeskError,
    folder::{ARCHIVE, Desk, LEDGER, MIRROR, SETS, THRESHOLDS, UPDATES},
    standing::SetEntry,
};
use crate::files;

/// How many pages of a database are copied at a time.
const PAGES: i32 = 1_024;

impl Desk {
    /// Moves the desk, which nothing else may be using, to a folder that is not there yet.
    ///
    /// On another file system every file is copied, compared with the original and written through
    /// to the disk before the desk is there under its new name; only then the old one goes.
    pub(crate) fn relocate(&self, to: &Path) -> Result<(), DeskError> {
        self.take_alone()?;
        let busy = self.entries()?.into_iter().find(|entry| entry.in_the_way().is_some());
        if let Some(SetEntry { name, .. }) = busy {
            return Err(DeskError::SetInTheWay { name });
        }
        if to.exists() {
            return Err(DeskError::Exists { path: to.to_owned() });
        }
        let failed = |source| DeskError::io(to, "created", source);
        files::private_folder(files::folder(to)).map_err(failed)?;
        match fs::rename(&self.folder, to) {
            Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {}
            moved => return moved.map_err(failed),
        }
        let copied = copy_beside(&self.folder, to).and_then(|copy| fs::rename(copy.keep(), to));
        copied.map_err(failed)?;
        fs::remove_dir_all(&self.folder)
            .map_err(|source| DeskError::io(&self.folder, "removed", source))
    }

    /// Puts a copy of a set, which is never applied, into the archive and removes the set.
    pub(crate) async fn archive(&self, set: &SetEntry) -> Result<(), DeskError> {
        let copy = self.archive_folder().join(set.file.file_name().unwrap_or_default());
        copy_set(&set.file, &copy).await?;
        set.remove().inspect_err(|_| {
            // The set is where it was; two of one name would only confuse.
            let _ = fs::remove_file(&copy);
        })
    }

    /// Copies the desk to a new folder, also while others work in it. The sets are there as archives,
    /// which are never applied: two with the same open changes would make them twice.
    pub(crate) async fn backup(&self, to: &Path) -> Result<u64, DeskError> {
        if to.exists() {
            return Err(DeskError::Exists { path: to.to_owned() });
        }
        let failed = |source| DeskError::io(to, "created", source);
        files::private_folder(files::folder(to)).map_err(failed)?;
        let copy = beside(to).map_err(failed)?;
        for name in [MIRROR, UPDATES, LEDGER] {
            let original = self.folder.join(name);
            if original.exists() {
                copy_database(&original, &copy.path().join(name))?;
            }
        }
        for name in [SETS, ARCHIVE] {
            files::private_folder(&copy.path().join(name)).map_err(failed)?;
        }
        let mut sets = 0;
        for file in self.set_files()? {
            let name = file.file_name().unwrap_or_default();
            copy_set(&file, &copy.path().join(ARCHIVE).join(name)).await?;
            sets += 1;
        }
        self.card.write(copy.path())?;
        if self.thresholds().exists() {
            fs::copy(self.thresholds(), copy.path().join(THRESHOLDS)).map_err(failed)?;
        }
        fs::rename(copy.keep(), to).map_err(failed)?;
        Ok(sets)
    }
}

/// Copies a set into an archive.
async fn copy_set(file: &Path, to: &Path) -> Result<(), DeskError> {
    let copied = async { ChangeSet::open(file)?.backup(to).await };
    let failed = |source| DeskError::Set { path: file.to_owned(), source: Box::new(source) };
    copied.await.map(drop).map_err(failed)
}

/// A new folder beside the one that it becomes.
fn beside(to: &Path) -> io::Result<tempfile::TempDir> {
    let mut name = OsString::from(".");
    name.push(to.file_name().unwrap_or_default());
    let folder = tempfile::Builder::new().prefix(&name).tempdir_in(files::folder(to))?;
    #[cfg(unix)]
    fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
    Ok(folder)
}

/// Copies a folder beside the place where it is to be.
fn copy_beside(from: &Path, to: &Path) -> io::Result<tempfile::TempDir> {
    let copy = beside(to)?;
    copy_folder(from, copy.path())?;
    Ok(copy)
}

/// Copies what is in a folder, file by file, and reads each copy back.
fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (original, copy) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type()?.is_dir() {
            files::private_folder(&copy)?;
            copy_folder(&original, &copy)?;
            continue;
        }
        fs::copy(&original, &copy)?;
        File::options().write(true).open(&copy)?.sync_all()?;
        if !is_same(&original, &copy)? {
            let message = format!("the copy of {} is not the same", original.display());
            return Err(io::Error::other(message));
        }
    }
    Ok(())
}

fn is_same(one: &Path, other: &Path) -> io::Result<bool> {
    let open = |path| File::open(path).map(io::BufReader::new);
    let (mut one, mut other) = (open(one)?.bytes(), open(other)?.bytes());
    loop {
        match (one.next().transpose()?, other.next().transpose()?) {
            (None, None) => return Ok(true),
            (byte, same) if byte == same => {}
            _ => return Ok(false),
        }
    }
}

/// Copies all that is committed in a database, also while others write to it.
fn copy_database(from: &Path, to: &Path) -> Result<(), DeskError> {
    let failed = |source| DeskError::database(from, "copied", source);
    files::private().append(true).open(to).map_err(|e| DeskError::io(to, "created", e))?;
    let original = Connection::open_with_flags(from, OpenFlags::SQLITE_OPEN_READ_WRITE);
    let original = original.map_err(failed)?;
    let mut copy = Connection::open(to).map_err(failed)?;
    let pause = std::time::Duration::ZERO;
    let backup = Backup::new(&original, &mut copy).map_err(failed)?;
    backup.run_to_completion(PAGES, pause, None).map_err(failed)
}

/// How many bytes are in a folder.
pub(crate) fn bytes_in(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let sizes = entries.map(|entry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => bytes_in(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    });
    sizes.sum()
}

/// The whole path of a folder that may not be there yet.
pub(crate) fn whole(path: &Path) -> Result<PathBuf, DeskError> {
    std::path::absolute(path).map_err(|source| DeskError::io(path, "found", source))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_has_all_that_the_folder_has() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        fs::create_dir_all(from.join("sets")).unwrap();
        fs::write(from.join("sets/a.crm"), vec![7; 100_000]).unwrap();
        fs::write(from.join("desk.toml"), "tenant = 7").unwrap();
        let copy = copy_beside(&from, &to).unwrap();
        fs::rename(copy.keep(), &to).unwrap();
        assert!(is_same(&from.join("sets/a.crm"), &to.join("sets/a.crm")).unwrap());
        assert!(is_same(&from.join("desk.toml"), &to.join("desk.toml")).unwrap());
        assert_eq!(bytes_in(&from), bytes_in(&to));
        fs::write(to.join("desk.toml"), "tenant = 8").unwrap();
        assert!(!is_same(&from.join("desk.toml"), &to.join("desk.toml")).unwrap());
    }
}
