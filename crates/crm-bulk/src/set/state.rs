//! How far a change has got.

use serde::Serialize;
use strum::{Display, EnumString, IntoStaticStr};

/// How far a change has got.
///
/// | State | Meaning | Applying the set again |
/// |---|---|---|
/// | planned | waits | sends it |
/// | already | the record is so already | skips it |
/// | in-flight | may have been sent | reads the record, then decides |
/// | done | the API answered with success | skips it |
/// | failed | was refused, or done otherwise than asked | skips it, unless told to retry |
/// | held | the program or the user that applies the set did not let it be sent | skips it, unless told to retry |
/// | unknown | the answer is lost and reading back did not tell | reads the record, then decides |
/// | drifted | the record is not what the plan saw | skips it |
/// | not-found | there is no such record | skips it |
/// | dropped | a person took it out of the set | skips it |
/// | conflict | two rows ask different things of one record, or one asks to create what is there otherwise | skips it |
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Display,
    EnumString,
    IntoStaticStr,
)]
#[serde(rename_all = "kebab-case")]
#[strum(
    serialize_all = "kebab-case",
    parse_err_ty = UnknownState,
    parse_err_fn = UnknownState::of
)]
#[non_exhaustive]
pub enum State {
    /// The change is waiting to be sent.
    Planned,
    /// The record is already as wanted; nothing was sent.
    Already,
    /// The change may have been sent; its answer is not known yet.
    InFlight,
    /// The change was carried out.
    Done,
    /// The change was refused, or carried out other than as asked; the message says which.
    Failed,
    /// The change was not sent, since [`Apply::before`](crate::Apply::before) held it; the message
    /// says why.
    Held,
    /// It is not known whether the change was carried out.
    Unknown,
    /// The change was set aside: the record is not what the plan saw.
    Drifted,
    /// There is no such record to change.
    NotFound,
    /// The change was set aside: rows of the input contradict each other, or one creates a number
    /// or address that the owner already has with other members.
    Conflict,
    /// A person took the change out of the set; it is never applied.
    Dropped,
}

impl State {
    /// All states, in the order of a report.
    pub const ALL: [Self; 11] = [
        Self::Planned,
        Self::InFlight,
        Self::Unknown,
        Self::Done,
        Self::Already,
        Self::Failed,
        Self::Held,
        Self::Drifted,
        Self::NotFound,
        Self::Conflict,
        Self::Dropped,
    ];

    /// Returns the name used in the file and in output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Returns the state as people are told it: nothing was written where it is so already.
    #[must_use]
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Already => "so already",
            state => state.as_str(),
        }
    }

    /// Returns whether applying the set still has to look at the change.
    #[must_use]
    pub fn is_open(self) -> bool {
        matches!(self, Self::Planned | Self::InFlight | Self::Unknown)
    }

    /// Returns whether the change is not made, and applying the set again skips it until somebody
    /// decides anew: it was refused, held, or set aside.
    #[must_use]
    pub fn is_set_aside(self) -> bool {
        matches!(self, Self::Failed | Self::Held | Self::Drifted | Self::NotFound | Self::Conflict)
    }

    /// Returns whether a person has to look at the change: it is set aside, or nobody knows whether
    /// it was carried out.
    #[must_use]
    pub fn needs_attention(self) -> bool {
        self.is_set_aside() || self == Self::Unknown
    }

    /// Returns whether a request of the change may have been carried out without this being known.
    #[must_use]
    pub fn may_be_sent(self) -> bool {
        matches!(self, Self::InFlight | Self::Unknown)
    }
}

/// The error returned for a text that does not name a state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a state of a change")]
pub struct UnknownState(String);

impl UnknownState {
    fn of(text: &str) -> Self {
        Self(text.to_owned())
    }
}
