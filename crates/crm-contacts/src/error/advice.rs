//! Whether repeating a call can help.

use crm_transport::{Delivery, Effect};

use super::{
    contacts_error::ContactsError,
    refusal::{Refusal, RefusalKind},
};

/// Whether repeating the same call can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Advice {
    /// The same call will fail again: correct the input, the credentials or the configuration.
    Correct,
    /// The call was not carried out and may be repeated later.
    Later,
    /// The write may have been carried out: read the record before repeating.
    LookFirst,
    /// The write was carried out, or nothing more can come of it; there is nothing to repeat.
    Done,
}

impl ContactsError {
    /// Whether a write may or may not have been carried out. It is never true for a read.
    #[must_use]
    pub fn outcome_is_unknown(&self) -> bool {
        self.advice() == Advice::LookFirst
    }

    /// Returns whether repeating the call can help.
    #[must_use]
    pub fn advice(&self) -> Advice {
        match self {
            Self::Invalid(_)
            | Self::Preferences { .. }
            | Self::NotFound { .. }
            | Self::Modified { .. }
            | Self::Unwritable(_) => Advice::Correct,
            Self::Stalled { .. } | Self::NotChanged(_) => Advice::Later,
            Self::OutcomeUnknown { .. } => Advice::LookFirst,
            Self::EchoDiffers(_) => Advice::Done,
            // A gateway in between may call its own page a success, or mix answers up.
            Self::Unreadable { site, .. } | Self::AnotherRecord { site } => match site.effect {
                Effect::Read => Advice::Correct,
                Effect::Idempotent | Effect::Creates => Advice::LookFirst,
            },
            Self::Refused(refusal) => refusal.advice(),
            Self::Transport { site, source } => match (source.delivery(), site.effect) {
                (Delivery::Unknown, Effect::Idempotent | Effect::Creates) => Advice::LookFirst,
                _ if source.kind().is_permanent() => Advice::Correct,
                _ => Advice::Later,
            },
        }
    }
}

impl Refusal {
    fn advice(&self) -> Advice {
        use RefusalKind::{Maintenance, RateLimited, ServerError, Unavailable};

        let is_lost = matches!(self.kind, ServerError | Unavailable);
        let may_be_done = is_lost || self.earlier == Delivery::Unknown;
        match self.kind {
            _ if may_be_done && self.site.effect != Effect::Read => Advice::LookFirst,
            RateLimited | Maintenance | ServerError | Unavailable => Advice::Later,
            _ => Advice::Correct,
        }
    }
}
