//! The errors of commands, and the exit code that scripts branch on.

use std::{io, sync::LazyLock};

use crm_bulk::BulkError;
use crm_contacts::{Advice, ContactsError, RefusalKind};
use crm_models::{Preference, PreferencesError};
use crm_sandbox::SandboxError;
use crm_transport::TransportError;

use crate::{commands::Outcome, interrupt::Signal, settings::SettingsError, write_guard::Withheld};

/// The exit codes. They are part of the interface: documented in the long help and the README.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    Done = 0,
    Local = 1,
    Usage = 2,
    Refused = 3,
    Credentials = 4,
    Unreachable = 5,
    Unknown = 6,
    Conflict = 7,
    Differs = 8,
    Interrupted = 130,
    Terminated = 143,
}

impl Exit {
    const ALL: [(Self, &str); 11] = [
        (Self::Done, "done, or nothing to do"),
        (Self::Local, "a file or this machine failed"),
        (
            Self::Usage,
            "usage, settings or input are wrong, or a write was not allowed; nothing was written",
        ),
        (
            Self::Refused,
            "the API refused, also for want of a scope or the right app key; the same call will \
             be refused again",
        ),
        (
            Self::Credentials,
            "client id, secret or token were refused, or auth check may read nothing",
        ),
        (
            Self::Unreachable,
            "no answer, none that can be read, or not available for now; the call changed nothing",
        ),
        (
            Self::Unknown,
            "a write may or may not have been carried out, also where its answer cannot be read; \
             look before repeating",
        ),
        (Self::Conflict, "changed by somebody else, or in conflict with the record's state"),
        (
            Self::Differs,
            "written, but the answer is not what was asked for, or no longer so when read back",
        ),
        (
            Self::Interrupted,
            "interrupted by Ctrl-C; where there is a state file, run it again to continue",
        ),
        (Self::Terminated, "ended by SIGTERM; as with 130"),
    ];

    /// The table of the long help.
    pub(crate) fn help() -> String {
        let lines = Self::ALL.map(|(exit, meaning)| format!("  {:>3}  {meaning}\n", exit as u8));
        format!("Exit codes:\n{}", lines.concat())
    }
}

/// What to do next, for each advice.
const DONE: &str = "the write was carried out: do not repeat it";
const LATER: &str = "nothing was changed: try again later";
const LOOK_FIRST: &str = "read the record before you repeat the command";

/// How the preferences are given as a whole.
static EVERY_FLAG: LazyLock<String> = LazyLock::new(|| {
    let options = Preference::SETTABLE.map(Preference::option);
    format!(
        "give all of --{}, or say what the others become: --unknown-flags off or on",
        options.join(", --")
    )
});

/// Why a command ended without its result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    /// Arguments or input files that cannot be used.
    #[error("{0}")]
    Usage(String),

    #[error(transparent)]
    Settings(#[from] SettingsError),

    #[error(transparent)]
    Contacts(#[from] ContactsError),

    #[error(transparent)]
    Transport(#[from] TransportError),

    #[error(transparent)]
    Sandbox(#[from] SandboxError),

    /// A file or a stream of this machine.
    #[error("{what}: {source}")]
    Io { what: String, source: io::Error },

    /// `crm auth check` found a fault, which its table already shows.
    #[error("{summary}")]
    CheckFailed { summary: String, exit: Exit },

    /// A signal asked the command to end.
    #[error("interrupted")]
    Interrupted(Signal),

    /// A run of `crm apply` came to its end, but not everything is done: its outcome, and why that
    /// is a failure.
    #[error("{error}")]
    NotAllDone { outcome: Outcome, error: Box<Self> },

    #[error(transparent)]
    Bulk(#[from] BulkError),

    /// Not a failure: `crm plan --detailed-exitcode` reports that there are changes.
    #[error("there are changes")]
    ChangesPlanned,
}

impl CliError {
    /// An I/O error with what was attempted.
    pub(crate) fn io(what: impl Into<String>, source: io::Error) -> Self {
        Self::Io { what: what.into(), source }
    }

    /// The call that failed, whatever it was made for.
    pub(crate) fn contacts(&self) -> Option<&ContactsError> {
        match self {
            Self::Contacts(error) | Self::Bulk(BulkError::Contacts(error)) => Some(error),
            _ => None,
        }
    }

    /// The write that was held back before it was sent, if that is what happened.
    pub(crate) fn withheld(&self) -> Option<&Withheld> {
        let transport = match (self, self.contacts()) {
            (_, Some(ContactsError::Transport { source, .. })) => source,
            (Self::Transport(source), _) => source,
            _ => return None,
        };
        transport.get_ref()?.downcast_ref()
    }

    /// The signal that ended the command, if one did.
    pub(crate) fn signal(&self) -> Option<Signal> {
        match self {
            Self::Interrupted(signal) => Some(*signal),
            Self::NotAllDone { error, .. } => error.signal(),
            _ => None,
        }
    }

    /// Whether the reader of stdout went away, as `head` does.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        matches!(
            self,
            Self::Io { source, .. } | Self::Bulk(BulkError::File { source, .. })
                if source.kind() == io::ErrorKind::BrokenPipe
        )
    }

    /// Whether there is nothing to report: the exit code says it all.
    pub(crate) fn is_silent(&self) -> bool {
        self.is_broken_pipe() || matches!(self, Self::ChangesPlanned)
    }

    /// What to do next, where the message does not say it.
    pub(crate) fn advice(&self) -> Option<&'static str> {
        if self.withheld().is_some() {
            return None;
        }
        match self {
            Self::Contacts(ContactsError::Preferences {
                source: PreferencesError::Unknown { .. },
                ..
            }) => Some(&EVERY_FLAG),
            Self::Contacts(error) => match error.advice() {
                Advice::Later => Some(LATER),
                Advice::LookFirst => Some(LOOK_FIRST),
                Advice::Done => Some(DONE),
                _ => None,
            },
            // Other changes of the set may have been made before.
            Self::Bulk(BulkError::Contacts(error)) if error.advice() == Advice::Later => {
                Some("try again later: what has been done so far stays done and is skipped")
            }
            _ => None,
        }
    }

    pub(crate) fn exit(&self) -> Exit {
        match self {
            _ if self.is_broken_pipe() => Exit::Done,
            _ if self.withheld().is_some() => Exit::Usage,
            Self::Settings(SettingsError::Save { .. }) => Exit::Local,
            Self::Usage(_) | Self::Settings(_) => Exit::Usage,
            Self::Contacts(error) | Self::Bulk(BulkError::Contacts(error)) => exit_of(error),
            Self::Transport(error) if error.is_credentials() => Exit::Credentials,
            Self::Transport(_) => Exit::Unreachable,
            Self::Sandbox(_) | Self::Io { .. } => Exit::Local,
            Self::CheckFailed { exit, .. } => *exit,
            Self::Interrupted(signal) => signal.exit(),
            Self::NotAllDone { error, .. } => error.exit(),
            Self::Bulk(
                BulkError::File { .. }
                | BulkError::DiskFull { .. }
                | BulkError::Damaged { .. }
                | BulkError::Database { .. },
            ) => Exit::Local,
            // With --detailed-exitcode the code means that there are changes.
            Self::Bulk(_) | Self::ChangesPlanned => Exit::Usage,
        }
    }
}

fn exit_of(error: &ContactsError) -> Exit {
    match (error.advice(), error.refusal_kind()) {
        (Advice::LookFirst, _) => Exit::Unknown,
        _ if error.is_credentials() => Exit::Credentials,
        (Advice::Later, _) => Exit::Unreachable,
        (Advice::Done, _) => Exit::Differs,
        (_, Some(RefusalKind::Conflict)) => Exit::Conflict,
        (_, Some(_)) => Exit::Refused,
        _ => match error {
            ContactsError::NotFound { .. } => Exit::Refused,
            ContactsError::Modified { .. } => Exit::Conflict,
            // Only for a read: a write without a readable answer has to be looked at first.
            ContactsError::Unreadable { .. }
            | ContactsError::AnotherRecord { .. }
            | ContactsError::Transport { .. } => Exit::Unreachable,
            _ => Exit::Usage,
        },
    }
}

/// A plain I/O error can come only from the streams of the answers.
impl From<io::Error> for CliError {
    fn from(source: io::Error) -> Self {
        Self::io("cannot write the answer", source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_exit_code_is_in_the_help_and_in_the_readme() {
        let help = Exit::help();
        assert_eq!(help.lines().count(), Exit::ALL.len() + 1);
        assert!(help.contains("  130  interrupted"), "{help}");
        let readme = include_str!("../README.md");
        for (exit, meaning) in Exit::ALL {
            let row = format!("| {} | {meaning}", exit as u8);
            assert!(readme.contains(&row), "the README lacks: {row}");
        }
    }

    #[test]
    fn a_reader_that_went_away_is_no_failure() {
        let error = CliError::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!(error.exit(), Exit::Done);
        let error = CliError::from(io::Error::from(io::ErrorKind::StorageFull));
        assert_eq!(error.exit(), Exit::Local);
    }
}
