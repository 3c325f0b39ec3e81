//! The errors of files, inputs and runs.

mod invalid_rows;

pub(crate) use self::invalid_rows::problem;
pub use self::invalid_rows::{BadCell, Counted, InvalidRows, excerpt};

use std::{
    error::Error,
    io,
    path::{Path, PathBuf},
};

use crm_contacts::ContactsError;
use crm_mirror::MirrorError;

use crate::{
    disk::{run_mark::Parted, watch::Displaced},
    set::{ChangeId, Digest, ExpectedDigest},
};

/// The reason why planning, applying, undoing or reporting ended early.
///
/// The message is one line: what failed, on which file, and what to do. It contains its reason, so
/// [`source`](std::error::Error::source) returns none but the causes of an error of the API: a
/// chain of causes repeats nothing. What became of a single change is not an error but its
/// [`State`](crate::State).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BulkError {
    /// A file cannot be read or written, is not of the expected kind, or belongs to another tenant
    /// or environment; or the snapshot is not complete. An error of the API that came up there is
    /// [`Contacts`](Self::Contacts).
    #[error(transparent)]
    Mirror(MirrorError),

    /// The wrong rows would replace the input, the snapshot or the new set. Nothing was planned.
    #[error(
        "{}: is used by this command itself; name another file for the rows to mend",
        path.display()
    )]
    Taken {
        /// The file.
        path: PathBuf,
    },

    /// The file for the rows to mend has something else in it. Nothing was planned or taken in.
    #[error(
        "{}: has something else in it, which may be what somebody corrected; name another file for \
         the rows to mend, or say --overwrite",
        path.display()
    )]
    Foreign {
        /// The file.
        path: PathBuf,
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

    /// The change set is not the one that was expected. Nothing was sent or approved.
    #[error(
        "{}: has the digest {}, but {expected} was expected; nothing was sent or approved: look at \
         it again, or name the set that you looked at",
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

    /// Nobody approved the change set as it is, and an approval is required. Nothing was sent.
    #[error(
        "{}: has the digest {}, which nobody approved; nothing was sent: have it looked at and \
         approved, with `crm approve {} --by NAME --expect {}`",
        path.display(),
        found.short(),
        path.display(),
        found.short()
    )]
    NotApproved {
        /// The change set.
        path: PathBuf,
        /// The digest of the change set.
        found: Digest,
    },

    /// Nothing of the change set is open or can be sent again, so an approval would say that somebody
    /// allowed what had been done already.
    #[error("{}: nothing of it is left to send, so there is nothing to approve", path.display())]
    NothingToApprove {
        /// The change set.
        path: PathBuf,
    },

    /// Changes that were sent, or may have been, cannot be taken out of a change set. Nothing was
    /// dropped.
    #[error("{}: {}", path.display(), begun(changes, *more))]
    Begun {
        /// The change set.
        path: PathBuf,
        /// The first of these changes.
        changes: Vec<ChangeId>,
        /// How many more there are.
        more: u64,
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

    /// The change set was moved to another store, where it is carried out.
    #[error(
        "{}: was moved to {to}, where it is applied, or its changes could be made twice: go on \
         there, or take it back with `crm pull`",
        path.display()
    )]
    Moved {
        /// The file in which it was.
        path: PathBuf,
        /// Where it is.
        to: String,
    },

    /// A store that is not a file cannot be read or written.
    #[error("{}: cannot be read or written where it is kept: {reason}", path.display())]
    Store {
        /// The change set.
        path: PathBuf,
        /// What failed, and what to do.
        reason: String,
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
    #[error("{name}: {}this needs a snapshot of all contacts; make one first", selecting(*counted, *line))]
    NeedsSnapshot {
        /// The input's name, or the change set to be written if there is no input.
        name: String,
        /// The line of the first such row, or its number; `None` if the whole plan needs a snapshot.
        line: Option<u64>,
        /// What that number counts.
        counted: Counted,
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
fn selecting(counted: Counted, line: Option<u64>) -> String {
    line.map(|line| format!("{counted} {line} selects contacts by their value: "))
        .unwrap_or_default()
}

/// The message for changes that cannot be dropped any more.
fn begun(changes: &[ChangeId], more: u64) -> String {
    let ids: Vec<_> = changes.iter().map(ToString::to_string).collect();
    let (ids, more) =
        (ids.join(", "), if more > 0 { format!(" and {more} more") } else { String::new() });
    let noun = if changes.len() == 1 && more.is_empty() { "change" } else { "changes" };
    format!(
        "{noun} {ids}{more} may have been sent, so nothing was dropped: select others, or take the \
         set back with `crm undo`"
    )
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

impl From<MirrorError> for BulkError {
    fn from(error: MirrorError) -> Self {
        match error {
            MirrorError::Contacts(error) => Self::Contacts(error),
            MirrorError::Database { path, source } => match altered_in(&*source) {
                Some(change) => Self::Altered { path, changes: vec![change], more: 0 },
                None => Self::Mirror(MirrorError::Database { path, source }),
            },
            error => Self::Mirror(error),
        }
    }
}

/// The change that a function of ours, which SQLite calls, found altered.
fn altered_in(error: &(dyn Error + 'static)) -> Option<ChangeId> {
    match error.downcast_ref()? {
        rusqlite::Error::UserFunctionError(reason) => {
            reason.downcast_ref().map(|Altered(change)| *change)
        }
        _ => None,
    }
}

impl BulkError {
    pub(crate) fn file(path: &Path, what: &'static str, source: io::Error) -> Self {
        MirrorError::file(path, what, source).into()
    }

    /// Returns whether the file is the wrong one: it is for another tenant or environment, or not
    /// of the expected kind.
    #[must_use]
    pub fn is_wrong_file(&self) -> bool {
        matches!(self, Self::Mirror(error) if error.is_wrong_file())
    }

    /// Returns whether the machine failed: its disk, or a file on it that is damaged.
    #[must_use]
    pub fn is_local(&self) -> bool {
        matches!(self, Self::Mirror(error) if error.is_local())
    }
}
