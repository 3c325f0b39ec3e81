//! Why a desk cannot be used.

use std::{
    io,
    path::{Path, PathBuf},
};

use crm_bulk::Site;
use crm_mirror::disk::room;
use rusqlite::ErrorCode;

/// Why a desk cannot be used, and what to do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DeskError {
    #[error(
        "{} is the desk of tenant {} on {}, but this command is for tenant {} on {}: give each \
         account a folder of its own (`desk` in its profile)",
        folder.display(), theirs.tenant(), theirs.environment(), ours.tenant(), ours.environment()
    )]
    Another { folder: PathBuf, theirs: Box<Site>, ours: Box<Site> },

    #[error(
        "{} is no desk, and has other files such as {by}: name an empty folder, or one that does \
         not exist yet",
        folder.display()
    )]
    Occupied { folder: PathBuf, by: String },

    #[error("{} is not usable: {reason}", path.display())]
    Card { path: PathBuf, reason: String },

    #[error("{} cannot be {act}: {source}", path.display())]
    Io { path: PathBuf, act: &'static str, source: io::Error },

    #[error("{} cannot be {act}: {source}", path.display())]
    Database { path: PathBuf, act: &'static str, source: rusqlite::Error },

    #[error("{} was written by a newer version of crm: use that one", path.display())]
    Newer { path: PathBuf },

    #[error(
        "the sandbox has no desk, since it is gone when the command ends: name a file with {0}"
    )]
    Sandbox(&'static str),

    #[error(
        "the desk {} is not the same folder from everywhere: give its whole path in the profile",
        folder.display()
    )]
    Relative { folder: PathBuf },

    #[error(
        "no home folder is known to keep a desk in: set HOME or XDG_DATA_HOME, or `desk` in the \
         profile"
    )]
    Homeless,

    #[error("another command is working in {}: wait for its end", desk.display())]
    InUse { desk: PathBuf },

    #[error("a run has the set {name} or was cut off: `crm apply` brings it to its end first")]
    SetInTheWay { name: String },

    #[error("{} is there already: name another folder", path.display())]
    Exists { path: PathBuf },

    #[error("{} cannot be copied: {source}", path.display())]
    Set { path: PathBuf, source: Box<crm_bulk::BulkError> },

    #[error(transparent)]
    Mirror { source: Box<crm_mirror::MirrorError> },

    #[error("there is no file {name}, and no set of this name in {}: `crm sets` lists them", desk.display())]
    NoSuchSet { name: String, desk: PathBuf },

    #[error("{name} may be any of {}: give more of the name", names.join(", "))]
    Ambiguous { name: String, names: Vec<String> },

    #[error("{name} is not the whole name of a set, which this takes: is it {}?", names.join(", "))]
    NotWhole { name: String, names: Vec<String> },
}

impl DeskError {
    /// A failure of the file system, with what was to be done.
    pub(super) fn io(path: &Path, act: &'static str, source: io::Error) -> Self {
        Self::Io { path: path.to_owned(), act, source }
    }

    /// A failure of a database.
    pub(super) fn database(path: &Path, act: &'static str, source: rusqlite::Error) -> Self {
        let is_untold = source.sqlite_error_code() == Some(ErrorCode::SystemIoFailure);
        match is_untold.then(|| room::is_wanting(path)).flatten() {
            Some(reason) => Self::io(path, act, reason),
            None => Self::Database { path: path.to_owned(), act, source },
        }
    }

    /// Whether this machine failed, not what was given.
    pub(crate) fn is_local(&self) -> bool {
        matches!(
            self,
            Self::Io { .. }
                | Self::Database { .. }
                | Self::InUse { .. }
                | Self::Set { .. }
                | Self::Mirror { .. }
                | Self::NoSuchSet { .. }
        )
    }
}
