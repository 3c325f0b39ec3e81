//! Files that replace others only when they are complete.

use std::{
    ffi::OsString,
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use crate::temporary::{self, Temporary};

/// A file in the making, readable by its owner alone: it may hold personal data. It lies under
/// `NAME.partial` until it is complete; dropped before, it is removed, and what had the name stays
/// as it was. What is no file, such as a terminal, is written to as it is.
pub(crate) struct Partial {
    writer: BufWriter<File>,
    /// The name until it is complete.
    temporary: Option<Temporary>,
    path: PathBuf,
}

impl Partial {
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        let is_file = fs::metadata(path).map_or(true, |metadata| metadata.is_file());
        let temporary = is_file.then(|| partial(path));
        let mut private = File::options();
        private.write(true);
        match &temporary {
            Some(temporary) => {
                // One that was left behind may be readable by others.
                match fs::remove_file(temporary) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                    _ => private.create_new(true),
                }
            }
            None => private.truncate(true),
        };
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut private, 0o600);
        let file = private.open(temporary.as_deref().unwrap_or(path))?;
        Ok(Self {
            writer: BufWriter::new(file),
            temporary: temporary.map(Temporary::new),
            path: path.to_owned(),
        })
    }

    /// Puts the file under its name.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.writer.flush()?;
        drop(self.writer);
        match self.temporary {
            Some(temporary) => {
                temporary.sync()?;
                temporary.replace(&self.path)
            }
            None => Ok(()),
        }
    }
}

impl Write for Partial {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// The name of a file that is not complete.
fn partial(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".partial");
    PathBuf::from(name)
}

/// Whether writing a file in the making, or putting it in place, would touch the other one.
pub(crate) fn would_touch(path: &Path, other: &Path) -> bool {
    let other = whole(other);
    [whole(path), whole(&partial(path))].contains(&other)
}

/// The path of a file from the root on, also of one that is not there yet.
fn whole(path: &Path) -> PathBuf {
    let in_folder = || {
        let folder = fs::canonicalize(temporary::folder(path)).ok()?;
        Some(folder.join(path.file_name()?))
    };
    let whole = fs::canonicalize(path).ok().or_else(in_folder);
    whole.unwrap_or_else(|| path.to_owned())
}
