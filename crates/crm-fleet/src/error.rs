//! Why something about a fleet cannot be done.

use std::{
    error::Error as _,
    path::{Path, PathBuf},
};

use crm_bulk::BulkError;

/// The reason why something about a fleet cannot be done. The message is one line: what failed, on
/// what, and what to do. Neither it nor [`Debug`] contains a password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FleetError {
    /// The URL of the server cannot be used.
    #[error("the URL of the server {reason}")]
    Url {
        /// What is wrong with it.
        reason: String,
    },

    /// The server cannot be reached, or fails.
    #[error("{server}: {reason}")]
    Server {
        /// The server, for people.
        server: String,
        /// What failed.
        reason: String,
    },

    /// The tables on the server are of a later version.
    #[error(
        "{server}: its tables have version {found}, and this program knows versions up to {known}: \
         use the newer program"
    )]
    Newer {
        /// The server, for people.
        server: String,
        /// The version of the tables.
        found: i32,
        /// The newest one that is known.
        known: i32,
    },

    /// There is no set of this name on the server.
    #[error("{server}: has no set {name:?}")]
    NoSuchSet {
        /// The server, for people.
        server: String,
        /// The name that was asked for.
        name: String,
    },

    /// Another set on the server has this name.
    #[error("{server}: has a set {name:?} already: choose another name for this one")]
    NameTaken {
        /// The server, for people.
        server: String,
        /// The name.
        name: String,
    },

    /// The server does not know the time zone.
    #[error("{server}: does not know the time zone {zone:?}: name it as `America/Los_Angeles`")]
    Zone {
        /// The server, for people.
        server: String,
        /// The name that was given.
        zone: String,
    },

    /// Nobody said where the tenant's desk lies.
    #[error(
        "{server}: where the desk of tenant {tenant} lies is not known: say it with `crm fleet home \
         set NAME`"
    )]
    NoHome {
        /// The server, for people.
        server: String,
        /// The tenant.
        tenant: i64,
    },

    /// A worker is carrying the set out.
    #[error("{server}: the set {name:?} is being applied by {owner}: wait for that run or stop it")]
    InUse {
        /// The server, for people.
        server: String,
        /// The set.
        name: String,
        /// Who has it.
        owner: String,
    },

    /// The set was taken from the server into a file.
    #[error("{server}: the set {name:?} was moved to {to}, where it is applied")]
    Gone {
        /// The server, for people.
        server: String,
        /// The set.
        name: String,
        /// The file.
        to: String,
    },

    /// A text of the set holds the character NUL, which PostgreSQL does not store.
    #[error(
        "{}: the {column:?} of row {row} in its table {table:?} contains the character NUL, which \
         PostgreSQL does not store: apply this set from its file",
        set.display()
    )]
    Nul {
        /// The file of the set.
        set: PathBuf,
        /// The table.
        table: &'static str,
        /// The first column of the row, for people.
        row: String,
        /// The column.
        column: &'static str,
    },

    /// Whether the set arrived is not known, since the server no longer answered.
    #[error(
        "{server}: did not say whether the set arrived ({reason}). The file is marked as moved, so \
         that nothing is made twice: run the same command again"
    )]
    Unknown {
        /// The server, for people.
        server: String,
        /// What failed.
        reason: String,
    },

    /// The set itself, or its file.
    #[error(transparent)]
    Set(#[from] BulkError),
}

/// What a failure of the server says, with its causes: the client's own message names only the kind.
pub(crate) fn reason(error: &(dyn std::error::Error + 'static)) -> String {
    let mut texts = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !texts.iter().any(|known| known.contains(&text)) {
            texts.push(text);
        }
        cause = error.source();
    }
    texts.join(": ")
}

/// What a failure of PostgreSQL says.
pub(crate) fn of_postgres(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        // Not its detail: that may contain what the rows contain.
        Some(told) => format!("{} ({})", told.message(), told.code().code()),
        None => error.source().map_or_else(|| error.to_string(), |_| reason(error)),
    }
}

/// A failure of PostgreSQL as one of the store of this set.
pub(crate) fn store(set: &Path) -> impl Fn(tokio_postgres::Error) -> BulkError + '_ {
    |error| BulkError::Store { path: set.to_owned(), reason: of_postgres(&error) }
}
