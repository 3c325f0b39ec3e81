//! The errors of files, inputs and runs.

mod invalid_rows;

pub(crate) use self::invalid_rows::problem;
pub use self::invalid_rows::{BadCell, InvalidRows};

use std::{
    error::Error,
    fmt, io,
    path::{Path, PathBuf},
};

use crm_contacts::ContactsError;
use crm_models::TenantId;
use rusqlite::ErrorCode;

use crate::{
    disk::run_mark::Parted,
    set::{ChangeId, Digest, ExpectedDigest, seal::Altered},
    store::Displaced,
};

/// The reason why planning, applying, undoing or reporting ended early.
///
/// The message is one line: what failed, on which file, and what to do. [`source`](Error::source)
/// returns only the underlying causes, so that a chain of causes repeats nothing. What became of a
/// single change is not an error but its [`State`](crate::State).
#[derive(Debug)]
#[non_exhaustive]
pub enum BulkError {
    /// A file cannot be read or written.
    File {
        /// The file.
        path: PathBuf,
        /// What was attempted, as in "cannot be read".
        what: &'static str,
        /// The reason that the operating system gave.
        source: io::Error,
    },

    /// The disk is full. What was committed before is safe.
    DiskFull {
        /// The file that could not grow.
        path: PathBuf,
    },

    /// The file already exists and is not overwritten.
    Exists {
        /// The file.
        path: PathBuf,
    },

    /// The wrong rows would replace the input, the snapshot or the new set. Nothing was planned.
    Taken {
        /// The file.
        path: PathBuf,
    },

    /// The file is not of the expected kind.
    Foreign {
        /// The file.
        path: PathBuf,
        /// What was expected.
        noun: &'static str,
    },

    /// The file was written by a newer version of this crate.
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

    /// The file is cut short or damaged.
    Damaged {
        /// The file.
        path: PathBuf,
        /// The reason that the database gave.
        source: Box<dyn Error + Send + Sync>,
    },

    /// The database failed in some other way.
    Database {
        /// The file.
        path: PathBuf,
        /// The reason that the database gave.
        source: Box<dyn Error + Send + Sync>,
    },

    /// Another process is applying this change set.
    InUse {
        /// The change set.
        path: PathBuf,
    },

    /// Another owner took over this change set; this run records nothing more.
    Superseded {
        /// The change set.
        path: PathBuf,
    },

    /// The change set is neither what was planned nor what a run made of it: changes were edited,
    /// damaged, added or removed. Nothing was sent.
    Altered {
        /// The change set.
        path: PathBuf,
        /// The first changes that were altered; empty if it is the set as a whole.
        changes: Vec<ChangeId>,
        /// How many more altered changes there are.
        more: u64,
    },

    /// The change set is not the one that was approved. Nothing was sent.
    NotExpected {
        /// The change set.
        path: PathBuf,
        /// The digest of the change set.
        found: Digest,
        /// The digest of what was approved.
        expected: ExpectedDigest,
    },

    /// The change set was written by version 0.1, which did not store digests, and has not yet been
    /// looked at with this version. Nothing was sent.
    NotAdopted {
        /// The change set.
        path: PathBuf,
    },

    /// The file of this change set is not where it was when the run began; nothing more is started.
    Displaced {
        /// The change set, under the name by which it was opened.
        path: PathBuf,
        /// What happened to the change set.
        how: Displaced,
    },

    /// The change set lacks the journal of its last run, which did not end: it records less than
    /// was done.
    Parted {
        /// The change set.
        path: PathBuf,
        /// What happened to the change set.
        how: Parted,
    },

    /// The file belongs to another tenant.
    WrongTenant {
        /// The file.
        path: PathBuf,
        /// The file's tenant.
        file: TenantId,
        /// The tenant of the service.
        given: TenantId,
    },

    /// The file belongs to another environment.
    WrongEnvironment {
        /// The file.
        path: PathBuf,
        /// The API host for which the file was made.
        file: String,
        /// The API host of this run.
        given: String,
    },

    /// Rows of the input are wrong; nothing was planned.
    InvalidRows(InvalidRows),

    /// The input as a whole is wrong; nothing was planned.
    Input {
        /// The input's name.
        name: String,
        /// What is wrong.
        reason: String,
    },

    /// A clean-up cannot be done; nothing was planned.
    CleanUp {
        /// What is wrong.
        reason: String,
    },

    /// A snapshot is needed, because rows select contacts by value or all contacts are meant.
    NeedsSnapshot {
        /// The input's name, or the change set to be written if there is no input.
        name: String,
        /// The line of the first such row; `None` if the whole plan needs a snapshot.
        line: Option<u64>,
    },

    /// The snapshot has never been completed.
    SnapshotIncomplete {
        /// The file.
        path: PathBuf,
    },

    /// The API could not be read, or refused the credentials.
    Contacts(ContactsError),
}

impl fmt::Display for BulkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(path) = self.path() {
            write!(f, "{}: ", path.display())?;
        }
        match self {
            Self::File { what, source, .. } => write!(f, "cannot be {what}: {source}"),
            Self::DiskFull { .. } => f.write_str(
                "the disk is full; nothing that was reported is lost: make room and run it again",
            ),
            Self::Exists { .. } => f.write_str("exists already; choose another name or remove it"),
            Self::Taken { .. } => {
                f.write_str("is used by this plan itself; name another file for the rows to mend")
            }
            Self::Foreign { noun, .. } => write!(f, "is not a {noun}"),
            Self::Newer { noun, found, known, .. } => write!(
                f,
                "this {noun} has format {found}, this program reads up to {known}; update the \
                 program"
            ),
            Self::Damaged { source, .. } => {
                write!(f, "is damaged or cut short ({source}); restore it from a copy")
            }
            Self::Database { source, .. } => source.fmt(f),
            Self::InUse { .. } => {
                f.write_str("is being applied by another process; wait for it or stop it")
            }
            Self::Superseded { .. } => f.write_str(
                "was taken over by another process, which reads back what this one had in flight; \
                 leave the rest to it",
            ),
            Self::Altered { changes, more, .. } => altered(f, changes, *more),
            Self::NotExpected { found, expected, .. } => write!(
                f,
                "has the digest {}, but {expected} was approved; nothing was sent: look at it and \
                 have it approved, or apply the set that was",
                found.short()
            ),
            Self::NotAdopted { .. } => f.write_str(
                "was written by version 0.1, so it has no digest yet; nothing was sent: look at \
                 it with `crm show`, which gives it one",
            ),
            Self::Displaced { how, .. } => how.fmt(f),
            Self::Parted { path, how } => how.explain(path, f),
            Self::WrongTenant { file, given, .. } => {
                write!(f, "belongs to tenant {file}, not to {given}; nothing was sent")
            }
            Self::WrongEnvironment { file, given, .. } => {
                write!(f, "belongs to {file}, not to {given}; nothing was sent")
            }
            Self::InvalidRows(invalid) => write!(f, "{invalid}; nothing was planned"),
            Self::Input { name, reason } => write!(f, "{name}: {reason}"),
            Self::CleanUp { reason } => f.write_str(reason),
            Self::NeedsSnapshot { name, line } => {
                write!(f, "{name}: ")?;
                if let Some(line) = line {
                    write!(f, "line {line} selects contacts by their value: ")?;
                }
                f.write_str("this needs a snapshot of all contacts; make one first")
            }
            Self::SnapshotIncomplete { .. } => f.write_str(
                "the snapshot is not complete; run it again: it continues where it stopped",
            ),
            Self::Contacts(error) => error.fmt(f),
        }
    }
}

/// Writes the message for a set that is not what was planned.
fn altered(f: &mut fmt::Formatter<'_>, changes: &[ChangeId], more: u64) -> fmt::Result {
    match changes {
        [] => f.write_str(
            "is not what was planned: changes were added or removed, or the tenant or host was \
             altered",
        )?,
        [first, others @ ..] => {
            let plural = if changes.len() > 1 { "s" } else { "" };
            write!(f, "is not what was planned: change{plural} {first}")?;
            others.iter().try_for_each(|id| write!(f, ", {id}"))?;
            if more > 0 {
                write!(f, " and {more} more")?;
            }
            f.write_str(" altered outside this program")?;
        }
    }
    f.write_str("; nothing was sent: restore the file from a copy, or plan again")
}

impl Error for BulkError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::File { source, .. } => source.source(),
            Self::Contacts(error) => error.source(),
            // What the database says holds its causes.
            _ => None,
        }
    }
}

impl From<InvalidRows> for BulkError {
    fn from(invalid: InvalidRows) -> Self {
        Self::InvalidRows(invalid)
    }
}

impl From<ContactsError> for BulkError {
    fn from(error: ContactsError) -> Self {
        Self::Contacts(error)
    }
}

impl BulkError {
    pub(crate) fn file(path: &Path, what: &'static str, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { path },
            _ => Self::File { path, what, source },
        }
    }

    /// Classifies a failure of the database at `path` by what can be done about it.
    pub(crate) fn database(path: &Path, noun: &'static str, source: rusqlite::Error) -> Self {
        let path = path.to_owned();
        if let rusqlite::Error::UserFunctionError(reason) = &source
            && let Some(Altered(change)) = reason.downcast_ref()
        {
            return Self::Altered { path, changes: vec![*change], more: 0 };
        }
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

    /// Whether the file is the wrong one: it is for another tenant or environment, or not of the
    /// expected kind.
    #[must_use]
    pub fn is_wrong_file(&self) -> bool {
        matches!(
            self,
            Self::WrongTenant { .. } | Self::WrongEnvironment { .. } | Self::Foreign { .. }
        )
    }

    /// The file that the error is about, if any.
    fn path(&self) -> Option<&Path> {
        match self {
            Self::File { path, .. }
            | Self::DiskFull { path }
            | Self::Exists { path }
            | Self::Taken { path }
            | Self::Foreign { path, .. }
            | Self::Newer { path, .. }
            | Self::Damaged { path, .. }
            | Self::Database { path, .. }
            | Self::InUse { path }
            | Self::Superseded { path }
            | Self::Altered { path, .. }
            | Self::NotExpected { path, .. }
            | Self::NotAdopted { path }
            | Self::Displaced { path, .. }
            | Self::Parted { path, .. }
            | Self::WrongTenant { path, .. }
            | Self::WrongEnvironment { path, .. }
            | Self::SnapshotIncomplete { path } => Some(path),
            Self::InvalidRows(_)
            | Self::Input { .. }
            | Self::CleanUp { .. }
            | Self::NeedsSnapshot { .. }
            | Self::Contacts(_) => None,
        }
    }
}
