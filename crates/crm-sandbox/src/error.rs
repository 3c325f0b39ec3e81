//! Errors of the sandbox itself, not of the API that it simulates.

use std::{
    error::Error,
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
};

/// The reason why a sandbox could not start or could not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SandboxError {
    /// It was not possible to listen on the address.
    #[error("cannot listen on {address}: choose another address or port")]
    Listen {
        /// The requested address.
        address: String,
        /// The operating system's error.
        source: io::Error,
    },
    /// Others could reach the address, and the credentials are public.
    #[error(
        "cannot listen on {address}: the credentials are public, use a loopback address, or allow \
         remote clients where only tests can reach it"
    )]
    NotLoopback {
        /// The requested address.
        address: SocketAddr,
    },
    /// The thread or the runtime of the server could not be created.
    #[error("cannot start the server's thread")]
    Thread(#[source] io::Error),
    /// The database could not be opened, read or written.
    #[error("{}", unusable(file.as_deref()))]
    Database {
        /// The database's file; `None` for a database in memory.
        file: Option<PathBuf>,
        /// SQLite's error.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The database was written by another version of the sandbox.
    #[error(
        "{} has layout {found}, this sandbox writes layout {expected}: use another file",
        file.display()
    )]
    Layout {
        /// The file.
        file: PathBuf,
        /// The layout version in the file.
        found: i64,
        /// The layout version of this crate.
        expected: i64,
    },
    /// The file does not hold a sandbox's data. It was left unchanged.
    #[error("{} does not hold a sandbox's data: use another file", file.display())]
    Foreign {
        /// The file.
        file: PathBuf,
    },
    /// A copy of the database was to be written to a file that already exists. The file was left
    /// unchanged.
    #[error("{} exists: copy the database to another file", file.display())]
    Exists {
        /// The file.
        file: PathBuf,
    },
    /// A statement of [`SandboxBuilder::sql`](crate::SandboxBuilder::sql)
    /// failed. Nothing of the new database was kept.
    #[error("statement {statement} of the SQL for new databases failed")]
    Sql {
        /// The number of the statement, counted from 1.
        statement: usize,
        /// SQLite's error.
        source: Box<dyn Error + Send + Sync>,
    },
    /// A record of one's own could not be added. Nothing of it was kept.
    #[error("cannot add {record}")]
    NotAdded {
        /// The record.
        record: String,
        /// What is wrong with it, or SQLite's error.
        source: Box<dyn Error + Send + Sync>,
    },
    /// A setting does not exist or does not take this value.
    #[error(transparent)]
    Setting(#[from] crate::settings::SettingError),
    /// A plan of faults could never do what it says.
    #[error(transparent)]
    Faults(#[from] InvalidFaultPlan),
    /// The server went away before it had started.
    #[error("the server stopped while it was starting")]
    Stopped,
}

/// The error of a plan of faults that could never do what it says.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidFaultPlan {
    /// A rule asks for an operation that the API does not have.
    #[error(
        "there is no operation {0:?}: `/openapi.json` lists them, `Token` is the token endpoint"
    )]
    Operation(String),
    /// The rate of a random fault is not a share of all requests.
    #[error("the rate of {fault} is {rate}: it must be from 0 to 1")]
    Rate {
        /// The fault's name.
        fault: &'static str,
        /// The rate that was given.
        rate: f64,
    },
    /// A fault is to answer with a status that it cannot have.
    #[error(
        "the status of {fault} is {status}: it must be from 400 to 599; `html` takes 200 too, and `answer` any from 200"
    )]
    Status {
        /// The fault's name.
        fault: &'static str,
        /// The status that was given.
        status: u16,
    },
    /// The media type of an `answer` cannot be put in a header.
    #[error("{0:?} cannot be a Content-Type: it may hold only visible ASCII characters and spaces")]
    ContentType(String),
}

impl SandboxError {
    pub(crate) fn database(file: Option<&Path>, error: rusqlite::Error) -> Self {
        Self::Database { file: file.map(Path::to_owned), source: error.into() }
    }

    pub(crate) fn sql(statement: usize, error: rusqlite::Error) -> Self {
        let source = match error {
            // The error also contains all SQL from here to the end.
            rusqlite::Error::SqlInputError { msg, .. } => msg.into(),
            error => error.into(),
        };
        Self::Sql { statement, source }
    }
}

fn unusable(file: Option<&Path>) -> String {
    match file {
        Some(file) => format!(
            "cannot use the database {}: is it a SQLite file, and writable?",
            file.display()
        ),
        None => "cannot use the sandbox's database in memory".to_owned(),
    }
}
