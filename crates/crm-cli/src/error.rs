//! Why a command failed: what went wrong, what to do next, and the exit code that says it.

use std::{io, path::Path, sync::LazyLock};

use crm_bulk::{BulkError, MirrorError};
use crm_consent::{ConsentError, InvalidStamp};
use crm_contacts::{Advice, ContactsError, RefusalKind};
#[cfg(feature = "fleet")]
use crm_fleet::FleetError;
use crm_mirror::disk::room;
use crm_models::{Preference, PreferencesError};
use crm_sandbox::SandboxError;
use crm_transport::{TransportError, TransportErrorKind};
use crm_values::InvalidValue;

use crate::{
    desk::DeskError,
    exit::Exit,
    output::{NoSuchForm, UnknownField},
    settings::SettingsError,
    signal::Unwatched,
    time_stamp::StampError,
    write_guard::Withheld,
};

/// What to do next, for each advice.
const DONE: &str = "the write was carried out: do not repeat it";
const LATER: &str = "nothing was changed: try again later";
const LOOK_FIRST: &str = "read the record before you repeat the command";

const TRUST: &str = "check the host's name; if a company's own authority issued the certificate, name \
                     its file with --ca-file";

/// How the preferences are given as a whole.
static EVERY_FLAG: LazyLock<String> = LazyLock::new(|| {
    let options = Preference::SETTABLE.map(Preference::option);
    format!(
        "give all of --{}, or say what the others become: --unknown-flags off or on",
        options.join(", --")
    )
});

/// Why a command ended without its result. What ended in another way than asked for and is no
/// failure is a [`Status`](crate::status::Status).
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    /// Arguments or input files that cannot be used.
    #[error("{0}")]
    Usage(String),

    #[error(transparent)]
    Fields(#[from] UnknownField),

    #[error(transparent)]
    Form(#[from] NoSuchForm),

    #[error(transparent)]
    Settings(#[from] SettingsError),

    #[error(transparent)]
    Desk(#[from] DeskError),

    /// A write that is not allowed, or that nobody confirmed.
    #[error(transparent)]
    Withheld(#[from] Withheld),

    #[error(transparent)]
    Contacts(#[from] ContactsError),

    #[error(transparent)]
    Transport(#[from] TransportError),

    #[error(transparent)]
    Bulk(#[from] BulkError),

    #[error(transparent)]
    Consent(ConsentError),

    #[cfg(feature = "fleet")]
    #[error(transparent)]
    Fleet(FleetError),

    /// A seal without its time stamp.
    #[error("the seal is kept, but {authority} gave no time stamp (run it again to ask again)")]
    NoStamp { authority: String, source: StampError },

    #[error(transparent)]
    Sandbox(#[from] SandboxError),

    /// What a wish of the consent ledger stands against, so that nothing was written.
    #[error("{0}")]
    AgainstWish(String),

    /// A file or a stream of this machine.
    #[error("{what}: {source}")]
    Io { what: String, source: io::Error },

    #[error(transparent)]
    Signals(#[from] Unwatched),

    /// `crm auth check` or `crm verify` found a fault, which its answer already shows.
    #[error("{summary}")]
    CheckFailed { summary: String, exit: Exit },
}

/// What to do about wrong rows of an input.
const MEND_HERE: &str = "mend them in the input and run this again; or --skip-invalid leaves them out now, and \
                         with --mend FILE keeps them to be mended and planned afterwards";
/// The same where these rows are in a file of their own: planned alone they would leave out all others.
const MEND_BOTH: &str = "the right rows are not planned either: mend the input itself and run this again; or \
                         --skip-invalid plans these now, and the file with the wrong ones, mended, is \
                         planned afterwards";

impl CliError {
    /// An I/O error with what was attempted.
    pub(crate) fn io(what: impl Into<String>, source: io::Error) -> Self {
        Self::Io { what: what.into(), source }
    }

    /// A file that cannot be read.
    pub(crate) fn unread(path: &Path) -> impl Fn(io::Error) -> Self {
        move |source| Self::io(format!("cannot read {}", path.display()), source)
    }

    /// A file that cannot be written.
    pub(crate) fn unwritten(path: &Path) -> impl Fn(io::Error) -> Self {
        move |source| Self::io(format!("cannot write {}", path.display()), source)
    }

    /// One line, with the causes that the message itself does not give.
    pub(crate) fn line(&self) -> String {
        let mut line = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            let text = error.to_string();
            if !line.contains(&text) {
                line = format!("{line}: {text}");
            }
            cause = error.source();
        }
        line
    }

    /// The call that failed, whatever it was made for.
    pub(crate) fn contacts(&self) -> Option<&ContactsError> {
        match self {
            Self::Contacts(error) | Self::Bulk(BulkError::Contacts(error)) => Some(error),
            _ => None,
        }
    }

    /// Whether the reader of stdout went away, as `head` does.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        matches!(
            self,
            Self::Io { source, .. } | Self::Bulk(BulkError::Mirror(MirrorError::File { source, .. }))
                if source.kind() == io::ErrorKind::BrokenPipe
        )
    }

    /// What to do next, where the message does not say it.
    pub(crate) fn advice(&self) -> Option<&'static str> {
        match self {
            Self::Contacts(ContactsError::Preferences {
                source: PreferencesError::Unknown { .. },
                ..
            }) => Some(&EVERY_FLAG),
            Self::Contacts(ContactsError::Transport { source, .. })
            | Self::NoStamp { source: StampError::Transport(source), .. }
                if is_tls(source) =>
            {
                Some(TRUST)
            }
            Self::Contacts(error) => match error.advice() {
                Advice::Later => Some(LATER),
                Advice::LookFirst => Some(LOOK_FIRST),
                Advice::Done => Some(DONE),
                _ => None,
            },
            Self::Io { source, .. } if room::is_for_want_of_room(source.kind()) => {
                Some("make room and run it again: what has been done so far stays done")
            }
            Self::Bulk(BulkError::InvalidRows(invalid)) => Some(match invalid.mend {
                Some(_) => MEND_BOTH,
                None => MEND_HERE,
            }),
            Self::Consent(ConsentError::Value(InvalidValue::Letters)) => {
                Some("where letters stand for digits, as in 1-800-FLOWERS, add --vanity")
            }
            // Other changes of the set may have been made before.
            Self::Bulk(BulkError::Contacts(error)) if error.advice() == Advice::Later => {
                Some("try again later: what has been done so far stays done and is skipped")
            }
            _ => None,
        }
    }

    /// The kind of failure, in one word for programs.
    pub(crate) fn kind(&self) -> &'static str {
        match (self, self.contacts()) {
            (Self::Withheld(Withheld::ReadOnly(_)), _) => "read-only",
            (Self::Withheld(Withheld::Unrecorded(_)), _) => self.exit().kind(),
            (Self::Withheld(_), _) => "not-confirmed",
            (_, Some(error)) if error.is_not_found() => "not-found",
            (_, Some(ContactsError::Unreadable { .. })) => "unreadable",
            (_, Some(ContactsError::NotChanged(_))) => "not-changed",
            _ => self.exit().kind(),
        }
    }

    pub(crate) fn exit(&self) -> Exit {
        match self {
            _ if self.is_broken_pipe() => Exit::Done,
            Self::Contacts(error) | Self::Bulk(BulkError::Contacts(error)) => exit_of(error),
            Self::Transport(error) if error.is_credentials() => Exit::Credentials,
            Self::Transport(error) | Self::NoStamp { source: StampError::Transport(error), .. }
                if is_tls(error) =>
            {
                Exit::Usage
            }
            Self::NoStamp { source: StampError::Address(_) | StampError::Settings(_), .. } => {
                Exit::Usage
            }
            Self::NoStamp { source: StampError::Invalid(InvalidStamp::Refused(_)), .. } => {
                Exit::Refused
            }
            Self::Transport(_) | Self::NoStamp { .. } => Exit::Unreachable,
            Self::CheckFailed { exit, .. } => *exit,
            Self::Desk(error) if error.is_local() => Exit::Local,
            Self::Withheld(Withheld::Unrecorded(_)) => Exit::Local,
            Self::Settings(SettingsError::Save { .. })
            | Self::Sandbox(_)
            | Self::Io { .. }
            | Self::Signals(_) => Exit::Local,
            Self::Bulk(error) if error.is_local() => Exit::Local,
            Self::Bulk(BulkError::Store { .. }) => Exit::Unreachable,
            #[cfg(feature = "fleet")]
            Self::Fleet(FleetError::Server { .. }) => Exit::Unreachable,
            #[cfg(feature = "fleet")]
            Self::Fleet(FleetError::Unknown { .. }) => Exit::Unknown,
            #[cfg(feature = "fleet")]
            Self::Fleet(_) => Exit::Usage,
            Self::Consent(ConsentError::Altered { .. } | ConsentError::DigestKey { .. }) => {
                Exit::Consent
            }
            Self::AgainstWish(_) => Exit::Consent,
            Self::Consent(error) if error.is_local() => Exit::Local,
            Self::Usage(_)
            | Self::Fields(_)
            | Self::Form(_)
            | Self::Settings(_)
            | Self::Desk(_)
            | Self::Withheld(_)
            | Self::Bulk(_)
            | Self::Consent(_) => Exit::Usage,
        }
    }
}

/// Whether the host's certificate is not trusted, which is a matter of settings.
fn is_tls(error: &TransportError) -> bool {
    error.kind() == TransportErrorKind::Tls
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
            ContactsError::Transport { source, .. } if is_tls(source) => Exit::Usage,
            ContactsError::Modified { .. } => Exit::Conflict,
            // Only for a read: a write without a readable answer has to be looked at first.
            ContactsError::Unreadable { .. }
            | ContactsError::AnotherRecord { .. }
            | ContactsError::Transport { .. } => Exit::Unreachable,
            _ => Exit::Usage,
        },
    }
}

/// A set fails as it does elsewhere.
#[cfg(feature = "fleet")]
impl From<FleetError> for CliError {
    fn from(error: FleetError) -> Self {
        match error {
            FleetError::Set(error) => Self::Bulk(error),
            error => Self::Fleet(error),
        }
    }
}

/// A plain I/O error can come only from the streams of the answers.
impl From<io::Error> for CliError {
    fn from(source: io::Error) -> Self {
        Self::io("cannot write the answer", source)
    }
}

/// The file of a mirror and that of a change set fail alike.
impl From<MirrorError> for CliError {
    fn from(error: MirrorError) -> Self {
        Self::Bulk(error.into())
    }
}

/// What a plan of the ledger calls, and the files of mirrors and sets, fail as they do elsewhere.
impl From<ConsentError> for CliError {
    fn from(error: ConsentError) -> Self {
        match error {
            ConsentError::File(error) => error.into(),
            ConsentError::List(error) => Self::Bulk(error),
            error => Self::Consent(error),
        }
    }
}
