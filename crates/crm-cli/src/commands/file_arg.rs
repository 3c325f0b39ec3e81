//! The files that the arguments of commands name.

use std::{
    fs,
    io::{self, Read, Write},
    path::Path,
};

use crm_bulk::{AtomicWriter, BulkError, page};

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

/// Refuses to write a page, and the file with its data beside it, over anything but an earlier page
/// with its data: it may be the only copy of something.
pub(super) fn keep_foreign(path: &Path, beside: &Path) -> Result<(), CliError> {
    let refuse = |path: &Path| {
        Err(CliError::Usage(format!(
            "{} is there already, and it is no page of this command: name another file, or remove it",
            path.display()
        )))
    };
    let is_filled = |path| fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() > 0);
    if !is_filled(path) {
        return if is_filled(beside) { refuse(beside) } else { Ok(()) };
    }
    let mut beginning = Vec::new();
    let file = fs::File::open(path).map_err(CliError::unread(path))?;
    file.take(1024).read_to_end(&mut beginning).map_err(CliError::unread(path))?;
    if String::from_utf8_lossy(&beginning).contains(page::MARK) { Ok(()) } else { refuse(path) }
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
