//! The errors of files, inputs and runs.

mod invalid_rows;

pub(crate) use self::invalid_rows::problem;
pub use self::invalid_rows::{BadCell, InvalidRows};

use std::{
    error::Error,
    io,
    path::{Path, PathBuf},
};

use crm_contacts::ContactsError;
use crm_models::TenantId;
use rusqlite::ErrorCode;

use crate::{
    disk::{run_mark::Parted, watch::Displaced},
    set::{ChangeId, Digest, ExpectedDigest},
};

/// The reason why planning, applying, undoing or reporting ended early.
///
/// The message is one line: what failed, on which file, and what to do. It contains its reason, so
/// [`source`](Error::source) returns none but the causes of an error of the API: a chain of causes
/// repeats nothing. What became of a
/// single change is not an error but its [`State`](crate::State).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BulkError {
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

    /// The file already exists and is not overwritten.
    #[error("{}: exists already; choose another name or remove it", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },

    /// The wrong rows would replace the input, the snapshot or the new set. Nothing was planned.
    #[error(
        "{}: is used by this plan itself; name another file for the rows to mend",
        path.display()
    )]
    Taken {
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

    /// Another process, or another run in this one, is applying this change set.
    #[error("{}: is already being applied; wait for that run or stop it", path.display())]
    InUse {
        /// The change set.
        path: PathBuf,
    },

    /// Another owner took over this change set; this run records nothing more.
    #[error(
        "{}: was taken over by another process, which reads back what this one had in flight; \
         leave the rest to it",
        path.display()
    )]
    Superseded {
        /// The change set.
        path: PathBuf,
    },

    /// The change set is neither what was planned nor what a run made of it: changes were edited,
    /// damaged, added or removed. Nothing was sent.
    #[error("{}: {}", path.display(), altered(changes, *more))]
    Altered {
        /// The change set.
        path: PathBuf,
        /// The first changes that were altered; empty if it is the set as a whole.
        changes: Vec<ChangeId>,
        /// How many more altered changes there are.
        more: u64,
    },

    /// The change set is not the one that was approved. Nothing was sent.
    #[error(
        "{}: has the digest {}, but {expected} was approved; nothing was sent: look at it and \
         have it approved, or apply the set that was",
        path.display(),
        found.short()
    )]
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
    #[error(
        "{}: was written by version 0.1, so it has no digest yet; nothing was sent: look at it \
         with `crm show`, which gives it one",
        path.display()
    )]
    NotAdopted {
        /// The change set.
        path: PathBuf,
    },

    /// The file of this change set is not where it was when the run began; nothing more is started.
    #[error("{}: {how}", path.display())]
    Displaced {
        /// The change set, under the name by which it was opened.
        path: PathBuf,
        /// What happened to the change set.
        how: Displaced,
    },

    /// The change set is a backup of another one, which alone may be applied.
    #[error(
        "{}: is a backup of {} and is not applied, or its changes could be made twice: apply that \
         one; if that is lost, make a new plan from the present state of the records",
        path.display(),
        original.display()
    )]
    Backup {
        /// The backup.
        path: PathBuf,
        /// The set from which it was made.
        original: PathBuf,
    },

    /// The change set lacks the journal of its last run, which did not end: it records less than
    /// was done.
    #[error("{}: {}", path.display(), how.explain(path))]
    Parted {
        /// The change set.
        path: PathBuf,
        /// What happened to the change set.
        how: Parted,
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

    /// Rows of the input are wrong; nothing was planned.
    #[error("{0}; nothing was planned")]
    InvalidRows(InvalidRows),

    /// The input as a whole is wrong; nothing was planned.
    #[error("{name}: {reason}")]
    Input {
        /// The input's name.
        name: String,
        /// What is wrong.
        reason: String,
    },

    /// A clean-up cannot be done; nothing was planned.
    #[error("{reason}")]
    CleanUp {
        /// What is wrong.
        reason: String,
    },

    /// A snapshot is needed, because rows select contacts by value or all contacts are meant.
    #[error("{name}: {}this needs a snapshot of all contacts; make one first", selecting(*line))]
    NeedsSnapshot {
        /// The input's name, or the change set to be written if there is no input.
        name: String,
        /// The line of the first such row; `None` if the whole plan needs a snapshot.
        line: Option<u64>,
    },

    /// The snapshot has never been completed.
    #[error(
        "{}: the snapshot is not complete; run it again: it continues where it stopped",
        path.display()
    )]
    SnapshotIncomplete {
        /// The file.
        path: PathBuf,
    },

    /// The API could not be read, or refused the credentials.
    #[error(transparent)]
    Contacts(#[from] ContactsError),
}

/// A change of which the file holds something else than what was planned, or than what a run
/// wrote.
#[derive(Debug, thiserror::Error)]
#[error("change {0} was altered")]
pub(crate) struct Altered(pub(crate) ChangeId);

/// Which row it is that needs a snapshot, if it is one.
fn selecting(line: Option<u64>) -> String {
    line.map(|line| format!("line {line} selects contacts by their value: ")).unwrap_or_default()
}

/// The message for a set that is not what was planned.
fn altered(changes: &[ChangeId], more: u64) -> String {
    let ids: Vec<_> = changes.iter().map(ToString::to_string).collect();
    let ids = ids.join(", ");
    let which = match (changes, more) {
        ([], _) => "changes were added or removed, or the tenant or host was altered".to_owned(),
        ([_], 0) => format!("change {ids} altered outside this program"),
        (_, 0) => format!("changes {ids} altered outside this program"),
        (_, more) => format!("changes {ids} and {more} more altered outside this program"),
    };
    format!(
        "is not what was planned: {which}; nothing was sent: restore the file from a copy, or plan \
         again"
    )
}

impl From<InvalidRows> for BulkError {
    fn from(invalid: InvalidRows) -> Self {
        Self::InvalidRows(invalid)
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

    /// Returns whether the file is the wrong one: it is for another tenant or environment, or not
    /// of the expected kind.
    #[must_use]
    pub fn is_wrong_file(&self) -> bool {
        matches!(
            self,
            Self::WrongTenant { .. } | Self::WrongEnvironment { .. } | Self::Foreign { .. }
        )
    }
}
