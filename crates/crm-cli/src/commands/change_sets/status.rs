//! `crm status`: how far a set is.

use std::path::PathBuf;

use clap::Args;
use crm_bulk::ChangeSet;

use super::summary::Summary;
use crate::{error::CliError, output::Output, status};

/// Show the progress of a set, also while it is being applied
#[derive(Debug, Args)]
pub(crate) struct Status {
    /// The change set: a file, or the name of one of the desk
    pub(crate) set: PathBuf,
}

impl Status {
    pub(crate) fn run(self, output: &Output) -> Result<status::Status, CliError> {
        Summary::of(&ChangeSet::open(&self.set)?, 0)?.write(output)?;
        Ok(status::Status::Done)
    }
}
