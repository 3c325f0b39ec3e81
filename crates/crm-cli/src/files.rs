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
        let folder = fs::canonicalize(folder(path)).ok()?;
        Some(folder.join(path.file_name()?))
    })
}

/// The folder in which a file lies or will lie.
pub(crate) fn folder(path: &Path) -> &Path {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}
