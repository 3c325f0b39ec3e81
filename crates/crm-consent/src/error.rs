//! Why a ledger cannot be worked on.

use std::path::PathBuf;

use crm_bulk::BulkError;
use crm_mirror::MirrorError;
use crm_values::InvalidValue;

use crate::{fault::Fault, hash::Sha};

/// The reason why nothing was taken, or why a question has no answer.
///
/// The message is one line: what failed, on which record, and what to do. What has failed has left
/// the ledger as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConsentError {
    /// The file of the ledger cannot be read or written, or is not the ledger of this account.
    #[error(transparent)]
    File(#[from] MirrorError),

    /// A list cannot be read.
    #[error(transparent)]
    List(#[from] BulkError),

    /// A value is neither a number nor an address.
    #[error("the value {0}")]
    Value(#[from] InvalidValue),

    /// A moment cannot be read, or no wish can have come in at it.
    #[error("`{text}` {reason}")]
    Moment {
        /// The text.
        text: String,
        /// What is wrong with it.
        reason: &'static str,
    },

    /// No row of a list can be read.
    #[error("{name}: nothing can be read: {reason}")]
    NoRow {
        /// The list.
        name: String,
        /// What is wrong with the first one.
        reason: String,
    },

    /// No column of a list says what its people wish, nor does the tool that it comes of.
    #[error(
        "{name}: no column says who opted out or in ({columns}); if all of its rows mean the same, \
         say what: --says out; or name the column: --map status=COLUMN"
    )]
    Unsaid {
        /// The list.
        name: String,
        /// The columns that are read.
        columns: String,
    },

    /// There is no such record, or it is of a kind that cannot be taken back.
    #[error("record {0} is neither an import nor a wish of its own, so it cannot be taken back")]
    NotTaken(u64),

    /// An import is taken back as a whole.
    #[error("record {record} came with import {import}, which is taken back as a whole")]
    OfImport {
        /// The record.
        record: u64,
        /// Its import.
        import: u64,
    },

    /// It has been taken back before.
    #[error("record {record} was taken back already, by record {by}")]
    Retracted {
        /// The record.
        record: u64,
        /// The record of the retraction.
        by: u64,
    },

    /// The ledger has no key that could sign it.
    #[error("the ledger has no key that signs it: `crm consent key --new PLACE` gives it one")]
    NoKey,

    /// The ledger has a key.
    #[error("the ledger has a key already, by record {record}: it has to hand over to another one")]
    KeyThere {
        /// The record of the key.
        record: u64,
    },

    /// Another key signs the ledger.
    #[error("the key that was given is {given}, but the ledger is signed by {known}")]
    WrongKey {
        /// The fingerprint of the key that was given.
        given: Sha,
        /// That of the ledger's key.
        known: Sha,
    },

    /// There is no such record.
    #[error("there is no record {0}")]
    NoRecord(u64),

    /// The reason for which a value is to be removed would keep it in the ledger.
    #[error(
        "the reason has the number or address in it and would keep it in the ledger: nothing was \
         removed; give a reason without it"
    )]
    ReasonHasValue,

    /// What was removed is still in the journal, since somebody reads the ledger.
    #[error(
        "{}: it is removed from the records, but not yet from the file, which another command \
         reads: run it again once that has ended",
        path.display()
    )]
    StillRead {
        /// The ledger.
        path: PathBuf,
    },

    /// The policy cannot be used.
    #[error("the policy cannot be used: {0}")]
    Policy(String),

    /// The end of the ledger is not what was written.
    #[error(
        "{}: the ledger does not end as it was written; nothing was added: look with `crm consent \
         check`, and restore it from a copy",
        path.display()
    )]
    Broken {
        /// The ledger.
        path: PathBuf,
    },

    /// The ledger is not what was written, so nothing was done by it.
    #[error(
        "{}: {fault}: nothing was done; look with `crm consent check`, and restore it from a copy",
        path.display()
    )]
    Altered {
        /// The ledger.
        path: PathBuf,
        /// What a check of it found.
        fault: Fault,
    },

    /// The key of the digests is not the one by which the records were written: no wish would be
    /// found.
    #[error(
        "{}: record {record} is not found by its number or address: it or the key of the digests was \
         altered; restore the ledger from a copy",
        path.display()
    )]
    DigestKey {
        /// The ledger.
        path: PathBuf,
        /// The record.
        record: u64,
    },

    /// A record holds something that this version does not know.
    #[error("{}: record {record} cannot be read; look with `crm consent check`", path.display())]
    Unreadable {
        /// The ledger.
        path: PathBuf,
        /// The record.
        record: u64,
    },

    /// The system gave no random numbers.
    #[error("the system gives no random numbers: {0}")]
    Random(String),
}

impl ConsentError {
    pub(crate) fn random(error: getrandom::Error) -> Self {
        Self::Random(error.to_string())
    }

    /// Returns whether the machine failed: its disk, or a file on it that is damaged.
    #[must_use]
    pub fn is_local(&self) -> bool {
        match self {
            Self::File(error) => error.is_local(),
            Self::List(error) => error.is_local(),
            Self::Broken { .. }
            | Self::Altered { .. }
            | Self::DigestKey { .. }
            | Self::Unreadable { .. }
            | Self::StillRead { .. }
            | Self::Random(_) => true,
            _ => false,
        }
    }
}
