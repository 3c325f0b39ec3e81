//! The files that the arguments of commands name.

use std::{
    fs,
    io::{self, BufWriter, Read, Write},
    path::{Path, PathBuf},
};

use crm_bulk::BulkError;

use crate::{
    error::CliError,
    files,
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
    if whole(path).is_none_or(|path| whole(other) != Some(path)) {
        return Ok(());
    }
    Err(CliError::Usage(format!("{} is {what}: name another file", path.display())))
}

/// The path of a file from the root, even if the file does not exist yet.
fn whole(path: &Path) -> Option<PathBuf> {
    fs::canonicalize(path).ok().or_else(|| {
        let folder = fs::canonicalize(files::folder(path)).ok()?;
        Some(folder.join(path.file_name()?))
    })
}

/// Writes a file that replaces an older one only when it is complete, and never the set. A signal
/// leaves nothing of it behind.
pub(super) async fn write_beside<R>(
    set: &Path,
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> Result<R, BulkError>,
) -> Result<Result<R, Signal>, CliError> {
    let failed = CliError::unwritten(path);
    keep_apart(path, set, "the change set")?;
    if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
        // Nobody watches for signals here: a pipe may wait for its reader for ever.
        let mut file = BufWriter::new(fs::File::create(path).map_err(&failed)?);
        return Ok(Ok(write(&mut file)?));
    }
    let made = async {
        let file = tempfile::NamedTempFile::new_in(files::folder(path)).map_err(&failed)?;
        let mut file = BufWriter::new(file);
        let written = write(&mut file)?;
        let file = file.into_inner().map_err(|error| failed(error.into_error()))?;
        file.as_file().sync_all().map_err(&failed)?;
        Ok::<_, CliError>((file, written))
    };
    let (file, written) = match until_signal(made).await? {
        Ok(made) => made,
        Err(signal) => return Ok(Err(signal)),
    };
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(Ok(written))
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
