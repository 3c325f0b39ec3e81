//! What can go wrong with files, inputs and runs.

use std::{
    error::Error,
    io,
    path::{Path, PathBuf},
};

use crm_contacts::ContactsError;
use crm_models::TenantId;
use rusqlite::ErrorCode;

use crate::input::InvalidRows;

/// Why planning, applying, undoing or reporting ended early.
///
/// The message is one line: what failed, on which file, and what to do. What became of single
/// changes is not an error but their [`State`](crate::State).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BulkError {
    /// A file cannot be read or written.
    #[error("{}: cannot be {what}: {source}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What was tried, as in "cannot be read".
        what: &'static str,
        /// The system's reason.
        source: io::Error,
    },

    /// The disk is full. What was committed before is safe.
    #[error(
        "{}: the disk is full; nothing that was reported is lost, make room and run it again",
        path.display()
    )]
    DiskFull {
        /// The file that could not grow.
        path: PathBuf,
    },

    /// The file exists already and is not overwritten.
    #[error("{}: exists already; choose another name or remove it", path.display())]
    Exists {
        /// Which file.
        path: PathBuf,
    },

    /// The wrong rows would replace the input, the snapshot or the new set. Nothing was planned.
    #[error(
        "{}: is in use by this plan itself; name another file for the rows to mend",
        path.display()
    )]
    Taken {
        /// Which file.
        path: PathBuf,
    },

    /// The file is something else.
    #[error("{}: is no {noun}", path.display())]
    Foreign {
        /// Which file.
        path: PathBuf,
        /// What was expected.
        noun: &'static str,
    },

    /// The file was written by a newer version of this crate.
    #[error(
        "{}: this {noun} has format {found}, this program reads up to {known}; update the program",
        path.display()
    )]
    Newer {
        /// Which file.
        path: PathBuf,
        /// What was expected.
        noun: &'static str,
        /// The file's format version.
        found: i64,
        /// The newest version that this crate reads.
        known: i64,
    },

    /// The file is cut short or damaged.
    #[error("{}: is damaged or cut short ({source}); restore it from a copy", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// The database's reason.
        source: Box<dyn Error + Send + Sync>,
    },

    /// The database failed otherwise.
    #[error("{}: {source}", path.display())]
    Database {
        /// Which file.
        path: PathBuf,
        /// The database's reason.
        source: Box<dyn Error + Send + Sync>,
    },

    /// Another process applies this change set.
    #[error("{}: is being applied by another process; wait for it or stop it", path.display())]
    InUse {
        /// The change set.
        path: PathBuf,
    },

    /// The file belongs to another tenant.
    #[error("{}: belongs to tenant {file}, not to {given}; nothing was sent", path.display())]
    WrongTenant {
        /// Which file.
        path: PathBuf,
        /// The file's tenant.
        file: TenantId,
        /// The tenant of the service.
        given: TenantId,
    },

    /// The file belongs to another environment.
    #[error("{}: belongs to {file}, not to {given}; nothing was sent", path.display())]
    WrongEnvironment {
        /// Which file.
        path: PathBuf,
        /// The API host for which the file was made.
        file: String,
        /// The API host of this run.
        given: String,
    },

    /// Rows of the input are wrong; nothing was planned.
    #[error("nothing was planned: {0}")]
    InvalidRows(#[from] InvalidRows),

    /// The input as a whole is wrong; nothing was planned.
    #[error("{name}: {reason}")]
    Input {
        /// The input's name.
        name: String,
        /// What is wrong with it.
        reason: String,
    },

    /// A clean-up cannot be done; nothing was planned.
    #[error("{reason}")]
    CleanUp {
        /// What is wrong with it.
        reason: String,
    },

    /// Only a snapshot can answer: rows select contacts by value, or all contacts are meant.
    #[error(
        "{}this takes a snapshot of all contacts; make one first",
        line.map(|line| format!("line {line} selects contacts by their value: ")).unwrap_or_default()
    )]
    NeedsSnapshot {
        /// The line of the first such row; `None` when the whole plan needs one.
        line: Option<u64>,
    },

    /// The snapshot has never been completed.
    #[error("{}: the snapshot is not complete; run it again, it goes on where it stopped", path.display())]
    SnapshotIncomplete {
        /// Which file.
        path: PathBuf,
    },

    /// The API could not be read, or refused the credentials.
    #[error(transparent)]
    Contacts(#[from] ContactsError),
}

impl BulkError {
    pub(crate) fn file(path: &Path, what: &'static str, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { path },
            _ => Self::File { path, what, source },
        }
    }

    /// Sorts a failure of the database at `path` by what can be done about it.
    pub(crate) fn database(path: &Path, noun: &'static str, source: rusqlite::Error) -> Self {
        let path = path.to_owned();
        match source.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::DiskFull { path },
            Some(ErrorCode::NotADatabase) => Self::Foreign { path, noun },
            Some(ErrorCode::ReadOnly) => Self::File {
                path,
                what: "written",
                source: io::ErrorKind::PermissionDenied.into(),
            },
            Some(ErrorCode::DatabaseCorrupt) => Self::Damaged {
                path,
                source: source.into(),
            },
            _ => Self::Database {
                path,
                source: source.into(),
            },
        }
    }

    /// The file is the wrong one for this tenant or environment.
    #[must_use]
    pub fn is_wrong_file(&self) -> bool {
        matches!(
            self,
            Self::WrongTenant { .. } | Self::WrongEnvironment { .. } | Self::Foreign { .. }
        )
    }
}
