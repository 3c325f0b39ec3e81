//! Files that get their names only when they are complete.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Read, Write},
    path::{Path, PathBuf},
};

use tempfile::{Builder, NamedTempFile, TempPath};

/// How the name of a file ends that is not complete.
const PARTIAL: &str = ".partial";

/// A file in the making beside its place, readable by its owner alone: it may hold personal data.
/// Dropped before it has its name, it is removed. Nobody has it open.
#[derive(Debug)]
pub struct AtomicFile {
    temporary: TempPath,
    path: PathBuf,
}

impl AtomicFile {
    /// Makes an empty file.
    pub fn create(path: &Path) -> io::Result<Self> {
        let temporary = partial(path)?.into_temp_path();
        Ok(Self { temporary, path: path.to_owned() })
    }

    /// The name until it is complete.
    pub fn temporary(&self) -> &Path {
        &self.temporary
    }

    /// The name that it will have.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes what was written survive a crash of the machine: otherwise the name might, without
    /// it.
    pub fn sync(&self) -> io::Result<()> {
        // Windows syncs no file that was opened to be read.
        File::options().write(true).open(&self.temporary)?.sync_all()
    }

    /// Gives the file its name, in place of the file that has it.
    pub fn replace(self) -> io::Result<()> {
        self.temporary.persist(&self.path)?;
        sync_folder(&self.path);
        Ok(())
    }

    /// Gives the file its name, unless another file has it.
    pub fn finish(self) -> io::Result<()> {
        match self.temporary.persist_noclobber(&self.path) {
            Ok(()) => {}
            // Not every file system can tell while it renames.
            Err(refused) if refused.error.kind() != io::ErrorKind::AlreadyExists => {
                if self.path.exists() {
                    return Err(io::ErrorKind::AlreadyExists.into());
                }
                refused.path.persist(&self.path)?;
            }
            Err(taken) => return Err(taken.error),
        }
        sync_folder(&self.path);
        Ok(())
    }
}

/// Writes a file that takes the place of what has its name once it is complete, readable by its
/// owner alone: other people's data may be in it. Until then it is `NAME.….partial`; dropped before,
/// it is removed, and what had the name stays unchanged. Several may write to one name: the last to
/// finish has it. What is not a file, such as a terminal, is written to directly.
///
/// ```
/// use std::{fs, io::Write};
///
/// use crm_mirror::AtomicWriter;
///
/// # let folder = tempfile::tempdir()?;
/// let path = folder.path().join("rows.csv");
/// let mut file = AtomicWriter::create(&path)?;
/// writeln!(file, "location_id,contact_id,memo")?;
/// assert!(!path.exists());
/// file.finish()?;
/// assert!(fs::read_to_string(&path)?.starts_with("location_id"));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct AtomicWriter {
    writer: BufWriter<Target>,
    path: PathBuf,
}

/// Where the text goes.
#[derive(Debug)]
enum Target {
    Partial(NamedTempFile),
    AsItIs(File),
}

impl AtomicWriter {
    /// Begins a file of this name.
    ///
    /// # Errors
    ///
    /// The folder does not exist, or nothing can be written there.
    pub fn create(path: &Path) -> io::Result<Self> {
        let is_file = fs::metadata(path).map_or(true, |metadata| metadata.is_file());
        let target = if is_file {
            Target::Partial(partial(path)?)
        } else {
            Target::AsItIs(File::options().write(true).truncate(true).open(path)?)
        };
        Ok(Self { writer: BufWriter::new(target), path: path.to_owned() })
    }

    /// Writes what is left to the disk, and gives the file its name.
    ///
    /// # Errors
    ///
    /// A failure to write; what had the name stays unchanged.
    pub fn finish(self) -> io::Result<()> {
        match self.writer.into_inner()? {
            Target::Partial(file) => {
                // Otherwise a crash of the machine might leave the name without the text.
                file.as_file().sync_all()?;
                file.persist(&self.path)?;
                sync_folder(&self.path);
                Ok(())
            }
            Target::AsItIs(_) => Ok(()),
        }
    }

    /// Finishes as [`finish`](Self::finish) does, unless something else would be lost: a file that has
    /// another text in it keeps the name. One that is empty, or has the same text, may go.
    ///
    /// # Errors
    ///
    /// [`AlreadyExists`](io::ErrorKind::AlreadyExists) where a file with another text has the name, or a
    /// failure to write; what had the name stays unchanged.
    pub fn finish_unless_taken(mut self) -> io::Result<()> {
        self.writer.flush()?;
        if let Target::Partial(file) = self.writer.get_ref()
            && Self::is_taken(&self.path)
        {
            let is_same = have_one_text(file.path(), &self.path)?;
            return if is_same { Ok(()) } else { Err(io::ErrorKind::AlreadyExists.into()) };
        }
        self.finish()
    }

    /// Returns whether a file with something in it has this name already. Whoever makes a name for a
    /// file makes an empty one, and nothing is lost of a pipe.
    #[must_use]
    pub fn is_taken(path: &Path) -> bool {
        fs::metadata(path).is_ok_and(|there| there.is_file() && there.len() > 0)
    }

    /// Returns whether writing the file at `path` would replace the other one.
    #[must_use]
    pub fn would_replace(path: &Path, other: &Path) -> bool {
        whole(path) == whole(other)
    }
}

impl Write for AtomicWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Partial(file) => file.write(bytes),
            Self::AsItIs(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Partial(file) => file.flush(),
            Self::AsItIs(file) => file.flush(),
        }
    }
}

/// Makes an empty file beside this path under a name that nobody can guess and no other one has, be
/// it of this process, of another one, or left behind by one that was killed. What was left behind
/// stays: it cannot be told from what another process writes.
fn partial(path: &Path) -> io::Result<NamedTempFile> {
    let mut begin = path.file_name().unwrap_or_default().to_owned();
    begin.push(".");
    Builder::new().prefix(&begin).suffix(PARTIAL).tempfile_in(folder(path))
}

/// Whether two files have the same text.
fn have_one_text(one: &Path, other: &Path) -> io::Result<bool> {
    let (mut one, mut other) = (File::open(one)?, File::open(other)?);
    if one.metadata()?.len() != other.metadata()?.len() {
        return Ok(false);
    }
    let mut pieces = [[0; 8192]; 2];
    let [piece, beside] = &mut pieces;
    loop {
        let read = one.read(piece)?;
        if read == 0 {
            return Ok(true);
        }
        other.read_exact(&mut beside[..read])?;
        if piece[..read] != beside[..read] {
            return Ok(false);
        }
    }
}

/// The path of a file from the root on, also of one that is not there yet.
fn whole(path: &Path) -> PathBuf {
    let in_folder = || {
        let folder = fs::canonicalize(folder(path)).ok()?;
        Some(folder.join(path.file_name()?))
    };
    let whole = fs::canonicalize(path).ok().or_else(in_folder);
    whole.unwrap_or_else(|| path.to_owned())
}

/// Makes a new name durable, where folders can be synced. Not every file system can, and the file
/// has its name by now.
fn sync_folder(path: &Path) {
    if cfg!(unix) {
        let _ = File::open(folder(path)).and_then(|folder| folder.sync_all());
    }
}

/// The folder in which a file lies or will lie.
fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_with_another_text_keeps_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.csv");
        let write = |text: &[u8]| {
            let mut file = AtomicWriter::create(&path).unwrap();
            file.write_all(text).unwrap();
            file.finish_unless_taken().map_err(|error| error.kind())
        };
        fs::write(&path, "").unwrap();
        let long = "1".repeat(20_000);
        write(long.as_bytes()).unwrap();
        write(long.as_bytes()).unwrap();
        for other in [format!("{long}2"), format!("{}2", &long[1..]), String::new()] {
            assert_eq!(
                write(other.as_bytes()),
                Err(io::ErrorKind::AlreadyExists),
                "{}",
                other.len()
            );
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), long);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left behind");
    }

    #[test]
    fn of_two_that_write_one_file_each_is_whole_and_the_last_to_finish_has_the_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.csv");
        // Of an earlier version, and a name that anybody can guess.
        fs::create_dir(folder.path().join("rows.csv.partial")).unwrap();
        let [mut first, mut second] = [(); 2].map(|()| AtomicWriter::create(&path).unwrap());
        let dropped = AtomicWriter::create(&path).unwrap();
        for _ in 0..100_000 {
            first.write_all(b"1").unwrap();
            second.write_all(b"2").unwrap();
        }
        drop(dropped);
        first.finish().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "1".repeat(100_000));
        second.finish().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "2".repeat(100_000));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing is left behind");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;

            let mode = fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }
}
