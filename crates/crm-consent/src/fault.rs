//! What can be wrong with a ledger.

use std::fmt;

/// The first record that is not what was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Something in it is not what was written.
    Altered(u64),
    /// It was taken out.
    Removed(u64),
    /// Another one stands in its place.
    Reordered(u64),
    /// It and all that follow were cut off.
    CutOff(u64),
    /// It stands behind the end that was written down.
    Added(u64),
    /// It is a seal or a key, and its signature is not the one that it has to have.
    Unsigned(u64),
    /// The records up to it fit each other, but are not those of the head that was kept elsewhere:
    /// the ledger was written anew, from one of them on.
    Rewritten(u64),
    /// All records are sound, but the index by which they are found is not.
    Index,
}

impl Fault {
    /// Returns the record, or none where it is no single one.
    #[must_use]
    pub fn record(&self) -> Option<u64> {
        match *self {
            Self::Altered(record)
            | Self::Removed(record)
            | Self::Reordered(record)
            | Self::CutOff(record)
            | Self::Added(record)
            | Self::Unsigned(record)
            | Self::Rewritten(record) => Some(record),
            Self::Index => None,
        }
    }

    /// The record before which all are what was written. Of a ledger that was written anew nobody
    /// knows it.
    pub(crate) fn place(self) -> Option<u64> {
        (!matches!(self, Self::Rewritten(_))).then_some(self.record()).flatten()
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Altered(record) => write!(f, "record {record} was altered"),
            Self::Removed(record) => write!(f, "record {record} was removed"),
            Self::Reordered(record) => {
                write!(f, "record {record} was moved: another one stands in its place")
            }
            Self::CutOff(record) => {
                write!(f, "record {record} and all that followed were cut off")
            }
            Self::Added(record) => {
                write!(f, "record {record} was added behind the end that was written down")
            }
            Self::Unsigned(record) => {
                write!(f, "record {record} is not signed by the key that it names")
            }
            Self::Rewritten(1) => write!(
                f,
                "the ledger was written anew: its first record is not that of the head that was kept"
            ),
            Self::Rewritten(record) => write!(
                f,
                "the ledger was written anew: its first {record} records are not those of the head \
                 that was kept"
            ),
            Self::Index => write!(f, "the index by which records are found is damaged"),
        }
    }
}
