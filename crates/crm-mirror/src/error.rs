//! Why a mirror, or another file that is built as one, cannot be worked on.

use std::{
    error::Error,
    io,
    path::{Path, PathBuf},
};

use crm_contacts::ContactsError;
use crm_models::TenantId;
use rusqlite::ErrorCode;

/// The reason why a file cannot be read, written or brought up to date.
///
/// The message is one line: what failed, on which file, and what to do. It contains its reason, so
/// [`source`](Error::source) returns none but the causes of an error of the API: a chain of causes
/// repeats nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MirrorError {
    /// A file cannot be read or written.
    #[error("{}: cannot be {what}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What was attempted, as in "cannot be read".
        what: &'static str,
        /// The reason that the operating system gave.
        r#source: io::Error,
    },

    /// The disk is full. What was committed before is safe.
    #[error(
        "{}: the disk is full; nothing that was reported is lost: make room and run it again",
        path.display()
    )]
    DiskFull {
        /// The file that could not grow.
        path: PathBuf,
    },

    /// A limit on the length of files is reached. What was committed before is safe.
    #[error(
        "{}: must not become longer, by the limit of this process (`ulimit -f`) or of the disk; nothing \
         that was reported is lost: raise it and run it again",
        path.display()
    )]
    TooLong {
        /// The file that must not grow.
        path: PathBuf,
    },

    /// The file already exists and is not overwritten.
    #[error("{}: exists already; choose another name or remove it", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },

    /// The file is not of the expected kind.
    #[error("{}: is not a {noun}", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What was expected.
        noun: &'static str,
    },

    /// The file was written by a newer version of this crate.
    #[error(
        "{}: this {noun} has format {found}, this program reads up to {known}; update the \
         program",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// What was expected.
        noun: &'static str,
        /// The file's format version.
        found: i64,
        /// The newest version that this crate reads.
        known: i64,
    },

    /// The file was written by version 0.1, and has to be written anew before it can be used.
    #[error(
        "{}: was written by version 0.1; bring this {noun} up to date with `crm mirror update`, \
         which keeps what it holds",
        path.display()
    )]
    Older {
        /// The file.
        path: PathBuf,
        /// What was expected.
        noun: &'static str,
    },

    /// The file is cut short or damaged.
    #[error("{}: is damaged or cut short ({source}); restore it from a copy", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The reason that the database gave.
        r#source: Box<dyn Error + Send + Sync>,
    },

    /// The database failed in some other way.
    #[error("{}: {source}", path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// The reason that the database gave.
        r#source: Box<dyn Error + Send + Sync>,
    },

    /// The file belongs to another tenant.
    #[error("{}: belongs to tenant {file}, not to {given}; nothing was sent", path.display())]
    WrongTenant {
        /// The file.
        path: PathBuf,
        /// The file's tenant.
        file: TenantId,
        /// The tenant of the service.
        given: TenantId,
    },

    /// The file belongs to another environment.
    #[error("{}: belongs to {file}, not to {given}; nothing was sent", path.display())]
    WrongEnvironment {
        /// The file.
        path: PathBuf,
        /// The API host for which the file was made.
        file: String,
        /// The API host of this run.
        given: String,
    },

    /// The mirror has never been completed.
    #[error(
        "{}: the mirror is not complete; run it again: it continues where it stopped",
        path.display()
    )]
    Incomplete {
        /// The file.
        path: PathBuf,
    },

    /// The API could not be read, or refused the credentials.
    #[error(transparent)]
    Contacts(#[from] ContactsError),
}

impl MirrorError {
    /// Classifies a failure of the system by what can be done about it.
    #[doc(hidden)]
    pub fn file(path: &Path, what: &'static str, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { path },
            io::ErrorKind::FileTooLarge => Self::TooLong { path },
            _ => Self::File { path, what, source },
        }
    }

    /// Classifies a failure of the database at `path` by what can be done about it.
    #[doc(hidden)]
    pub fn database(path: &Path, noun: &'static str, source: rusqlite::Error) -> Self {
        let path = path.to_owned();
        match source.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::DiskFull { path },
            Some(ErrorCode::NotADatabase) => Self::Foreign { path, noun },
            Some(ErrorCode::ReadOnly) => {
                Self::File { path, what: "written", source: io::ErrorKind::PermissionDenied.into() }
            }
            Some(ErrorCode::DatabaseCorrupt) => Self::Damaged { path, source: source.into() },
            _ => Self::Database { path, source: source.into() },
        }
    }

    /// Returns whether the file is the wrong one: it is for another tenant or environment, or not
    /// of the expected kind.
    #[must_use]
    pub fn is_wrong_file(&self) -> bool {
        matches!(
            self,
            Self::WrongTenant { .. } | Self::WrongEnvironment { .. } | Self::Foreign { .. }
        )
    }

    /// Returns whether the machine failed: its disk, or a file on it that is damaged.
    #[must_use]
    pub fn is_local(&self) -> bool {
        matches!(
            self,
            Self::File { .. }
                | Self::DiskFull { .. }
                | Self::TooLong { .. }
                | Self::Damaged { .. }
                | Self::Database { .. }
        )
    }
}
