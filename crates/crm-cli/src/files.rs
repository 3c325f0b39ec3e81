//! The files that one command works with.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::error::CliError;

/// Refuses to write to a file that the command needs for something else.
pub(crate) fn keep_apart(path: &Path, other: &Path, what: &str) -> Result<(), CliError> {
    match whole(path).is_some_and(|path| whole(other) == Some(path)) {
        false => Ok(()),
        true => Err(CliError::Usage(format!(
            "{} is {what}: name another file",
            path.display()
        ))),
    }
}

/// The path of a file from the root on, also of one that is not there yet.
fn whole(path: &Path) -> Option<PathBuf> {
    fs::canonicalize(path).ok().or_else(|| {
        let folder = path.parent()?;
        let folder = match folder.as_os_str().is_empty() {
            true => Path::new("."),
            false => folder,
        };
        Some(fs::canonicalize(folder).ok()?.join(path.file_name()?))
    })
}
