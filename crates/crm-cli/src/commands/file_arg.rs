//! The files that the arguments of commands name.

use std::{
    fs,
    io::{self, Read, Write},
    path::Path,
};

use clap::Args;
use crm_bulk::{
    AtomicWriter, BulkError, MendFile,
    page::{self, Hashed},
};

use super::args::narrow;
use crate::{
    error::CliError,
    signal::{Signal, until_signal},
};

/// All that is in a file, or for `-` in stdin.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, CliError> {
    if path.as_os_str() != "-" {
        return fs::read(path).map_err(CliError::unread(path));
    }
    let mut read = Vec::new();
    io::stdin().lock().read_to_end(&mut read).map_err(CliError::unread(Path::new("stdin")))?;
    Ok(read)
}

/// Refuses to write to a file that the command needs for something else.
pub(super) fn keep_apart(path: &Path, other: &Path, what: &str) -> Result<(), CliError> {
    if AtomicWriter::would_replace(path, other) {
        return Err(CliError::Usage(format!("{} is {what}: name another file", path.display())));
    }
    Ok(())
}

/// Whether files are overwritten that are there already.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct OverwriteArgs {
    /// Overwrite the pages and tables that this command is to write, whatever they have in them.
    /// Without it, one that is there already is refused. A change set is never overwritten
    #[arg(long)]
    overwrite: bool,
}

impl OverwriteArgs {
    /// Refuses a file that has something in it: it may be the only copy of something, or what somebody
    /// corrected.
    pub(super) fn spare(self, path: &Path) -> Result<(), CliError> {
        if self.overwrite || !AtomicWriter::is_taken(path) {
            return Ok(());
        }
        Err(CliError::Usage(format!(
            "{} is there already: name another file, or say --overwrite",
            path.display()
        )))
    }

    /// The same for a page and the file with its data beside it, but for an earlier page of this kind
    /// with its data: nobody works in these, and both can be made again.
    pub(super) fn spare_page(
        self,
        kind: &str,
        path: &Path,
        beside: Option<&Path>,
    ) -> Result<(), CliError> {
        let page = if AtomicWriter::is_taken(path) {
            fs::read(path).map_err(CliError::unread(path))?
        } else {
            Vec::new()
        };
        if !page.is_empty() && !has(&page, &page::mark(kind)) {
            self.spare(path)?;
        }
        let foreign = beside.filter(|beside| !states(&page, beside));
        foreign.map_or(Ok(()), |beside| self.spare(beside))
    }

    /// Refuses a page that does not state what it is about, of which the caller knows that it is a page.
    pub(super) fn spare_page_of_another(self, stated: &str, path: &Path) -> Result<(), CliError> {
        if !AtomicWriter::is_taken(path) {
            return Ok(());
        }
        let page = fs::read(path).map_err(CliError::unread(path))?;
        if page.is_empty() || has(&page, stated) { Ok(()) } else { self.spare(path) }
    }

    /// A file of rows to mend, in which somebody may be correcting those of an earlier run.
    pub(super) fn mend_file(self, path: &Path) -> MendFile {
        narrow!(MendFile::new(path), overwrite() if self.overwrite)
    }
}

/// Whether a page states this, and what is in the file with its data beside it.
pub(super) fn is_page_about(stated: &str, path: &Path, beside: &Path) -> Result<bool, CliError> {
    let page = fs::read(path).map_err(CliError::unread(path))?;
    Ok(has(&page, stated) && states(&page, beside))
}

/// Whether a page states the SHA-256 of the file that is beside it.
fn states(page: &[u8], beside: &Path) -> bool {
    let hash = || {
        let mut hashed = Hashed::new(io::sink());
        io::copy(&mut fs::File::open(beside)?, &mut hashed)?;
        hashed.finish()
    };
    hash().is_ok_and(|(_, sha256)| has(page, &sha256))
}

fn has(page: &[u8], text: &str) -> bool {
    page.windows(text.len()).any(|part| part == text.as_bytes())
}

/// Writes a file that replaces an older one only when it is complete, and never the set. A signal
/// leaves nothing of it behind.
pub(super) async fn write_beside<R>(
    set: &Path,
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> Result<R, BulkError>,
) -> Result<Result<R, Signal>, CliError> {
    let (file, written) = match make_beside(set, path, write).await? {
        Ok(made) => made,
        Err(signal) => return Ok(Err(signal)),
    };
    file.finish().map_err(CliError::unwritten(path))?;
    Ok(Ok(written))
}

/// Writes the file of [`write_beside`], which has yet to get its name.
pub(super) async fn make_beside<R>(
    set: &Path,
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> Result<R, BulkError>,
) -> Result<Result<(AtomicWriter, R), Signal>, CliError> {
    keep_apart(path, set, "the change set")?;
    let made = async {
        let mut file = AtomicWriter::create(path).map_err(CliError::unwritten(path))?;
        let written = write(&mut file)?;
        Ok::<_, CliError>((file, written))
    };
    if is_stream(path) {
        // Nobody watches for signals here: a pipe may wait for its reader for ever.
        return Ok(Ok(made.await?));
    }
    until_signal(made).await
}

/// Whether something is there that is no file, such as a pipe or a terminal.
pub(super) fn is_stream(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| !metadata.is_file())
}

#[cfg(all(test, unix))]
mod tests {
    use signal_hook::{consts::SIGINT, low_level::raise};

    use super::*;

    #[tokio::test]
    async fn a_signal_leaves_nothing_of_a_file_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("page.html");
        fs::write(&path, "older").unwrap();
        let set = folder.path().join("set.crm");
        let ended = write_beside(&set, &path, |file| {
            file.write_all(b"newer").unwrap();
            raise(SIGINT).unwrap();
            Ok(())
        });
        assert_eq!(ended.await.unwrap(), Err(Signal::Interrupt));
        assert_eq!(fs::read_to_string(&path).unwrap(), "older");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
