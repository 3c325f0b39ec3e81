//! Where an export writes to, and what of it is on the disk.

use std::{
    fmt::Display,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, BufWriter, Write},
    path::Path,
};

use super::state::Mark;
use crate::{error::CliError, files};

/// A file, also one that stdout was redirected to, or a pipe.
pub(super) struct Destination {
    /// The file's name in marks: for stdout there is no path, so it is the file's identity.
    name: String,
    /// None where it cannot be cut or synced: a pipe or a terminal.
    file: Option<File>,
    is_stdout: bool,
    /// Keeps the lock of stdout's file; that of another file is with the file itself.
    _lock: Option<File>,
}

impl Destination {
    /// Opens it for one export at a time: what one writes, another would take for the leavings of
    /// a killed run.
    pub(super) fn open(path: Option<&Path>) -> Result<Self, CliError> {
        let Some(path) = path else {
            let file = stdout_file();
            let own = file.as_ref().map(opened_anew).transpose()?;
            if let Some(file) = &own {
                lock(file, "the file that stdout goes to")?;
            }
            return Ok(Self {
                name: file.as_ref().map(identity).unwrap_or_default(),
                file,
                is_stdout: true,
                _lock: own,
            });
        };
        let fail = CliError::unwritten(path);
        let file = files::private().append(true).open(path).map_err(&fail)?;
        lock(&file, path.display())?;
        Ok(Self {
            name: fs::canonicalize(path).map_err(fail)?.display().to_string(),
            file: Some(file),
            is_stdout: false,
            _lock: None,
        })
    }

    /// Begins an export: a file of one's own must be empty, so that nothing is lost or mixed.
    pub(super) fn begin(&self) -> Result<(), CliError> {
        if self.is_stdout || self.is_empty()? {
            return Ok(());
        }
        Err(CliError::Usage(format!(
            "{} has content already: give another file, or the --state of the export that wrote it",
            self.name
        )))
    }

    /// Whether this is the file of the mark, with something in it.
    pub(super) fn goes_on(&self, mark: Option<&Mark>) -> io::Result<bool> {
        Ok(mark.is_some_and(|mark| mark.file == self.name) && !self.is_empty()?)
    }

    /// Goes on with an export. What a killed run wrote after its last token is cut off; after a
    /// run that ended, what follows is somebody else's and stays.
    pub(super) fn resume(&mut self, mark: Option<&Mark>, was_killed: bool) -> Result<(), CliError> {
        let Some(mark) = mark else {
            return self.begin();
        };
        let same = self.name == mark.file;
        match &self.file {
            Some(file) if same && length(file)? >= mark.bytes => {
                if was_killed {
                    file.set_len(mark.bytes)?;
                }
                Ok(())
            }
            // Redirected elsewhere this time: the new records go there.
            _ if self.is_stdout => Ok(()),
            _ => Err(CliError::Usage(format!(
                "the state file continues {} at {} bytes, and {} is not that file",
                mark.file, mark.bytes, self.name
            ))),
        }
    }

    pub(super) fn is_empty(&self) -> io::Result<bool> {
        self.file.as_ref().map_or(Ok(true), |file| Ok(length(file)? == 0))
    }

    pub(super) fn writer(&self) -> io::Result<BufWriter<Box<dyn Write>>> {
        let out: Box<dyn Write> = match &self.file {
            Some(file) => Box::new(file.try_clone()?),
            None => Box::new(io::stdout()),
        };
        Ok(BufWriter::with_capacity(64 * 1024, out))
    }

    /// Waits until everything that was flushed is on the disk.
    pub(super) fn sync(&self) -> Result<(), CliError> {
        let synced = self.file.as_ref().map_or(Ok(()), File::sync_data);
        synced.map_err(CliError::unwritten(self.name.as_ref()))
    }

    pub(super) fn mark(&self) -> io::Result<Option<Mark>> {
        let mark = |file| Ok(Mark { file: self.name.clone(), bytes: length(file)? });
        self.file.as_ref().map(mark).transpose()
    }
}

/// Keeps other exports away, where the file system has locks.
fn lock(file: &File, name: impl Display) -> Result<(), CliError> {
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => {
            Err(CliError::Usage(format!("another export is writing to {name}")))
        }
        _ => Ok(()),
    }
}

fn length(file: &File) -> io::Result<u64> {
    Ok(file.metadata()?.len())
}

/// The file that stdout was redirected to, if it is one. It is written from its end on, as
/// `>>` does.
#[cfg(unix)]
fn stdout_file() -> Option<File> {
    use std::{io::Seek, os::fd::AsFd};

    let mut file = File::from(io::stdout().as_fd().try_clone_to_owned().ok()?);
    let is_file = file.metadata().is_ok_and(|metadata| metadata.is_file());
    (is_file && file.seek(io::SeekFrom::End(0)).is_ok()).then_some(file)
}

/// The file of stdout, opened by this process, where the system can. A lock belongs to whoever
/// shares an opened file: of stdout as it was inherited, that is all that the shell starts.
fn opened_anew(stdout: &File) -> io::Result<File> {
    let anew = OpenOptions::new().append(true).open("/dev/fd/1");
    anew.or_else(|_| stdout.try_clone())
}

#[cfg(unix)]
fn identity(file: &File) -> String {
    use std::os::unix::fs::MetadataExt;

    let numbers = file.metadata().map(|metadata| (metadata.dev(), metadata.ino()));
    numbers.map_or_else(|_| String::new(), |(device, inode)| format!("stdout {device}:{inode}"))
}

#[cfg(not(unix))]
fn stdout_file() -> Option<File> {
    None
}

#[cfg(not(unix))]
fn identity(_: &File) -> String {
    String::new()
}
