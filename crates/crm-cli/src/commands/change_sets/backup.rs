//! `crm backup`: a copy of a change set, to keep.

use std::path::PathBuf;

use clap::Args;
use crm_bulk::ChangeSet;

use super::summary::name;
use crate::{error::CliError, output::note, signal::until_signal, status::Status};

/// Copy a set, to keep
///
/// Copy a change set with all that is recorded so far, also while it is being applied. The copy can be
/// looked at, reported and undone, and is never applied: two sets with the same open changes would
/// make them twice.
#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// The change set: a file, or the name of one of the desk
    pub(crate) set: PathBuf,

    /// The copy to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

impl Backup {
    pub(crate) async fn run(self) -> Result<Status, CliError> {
        let backup =
            async { Ok::<_, CliError>(ChangeSet::open(&self.set)?.backup(&self.out).await?) };
        if let Err(signal) = until_signal(backup).await? {
            return Ok(Status::Stopped(signal, None));
        }
        note(format!("{} is a backup of {}", self.out.display(), name(&self.set)));
        Ok(Status::Done)
    }
}
