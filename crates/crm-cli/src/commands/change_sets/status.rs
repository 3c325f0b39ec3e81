//! `crm status`: how far a set is.

use std::path::PathBuf;

use clap::Args;
use crm_bulk::ChangeSet;

use super::summary::Summary;
use crate::{error::CliError, globals::Globals, output::Output, session, status};

/// Show the progress of a set, also while it is being applied
#[derive(Debug, Args)]
pub(crate) struct Status {
    /// The change set: a file, or the name of one of the desk
    pub(crate) set: PathBuf,
}

impl Status {
    pub(crate) fn run(
        self,
        globals: &Globals,
        output: &Output,
    ) -> Result<status::Status, CliError> {
        let set = ChangeSet::open(&self.set)?.reversed_by(session::reverses(globals, &self.set));
        let needs_approval = session::requires_approval(globals);
        Summary::of(&set, 0)?.needs_approval(needs_approval).write(output)?;
        Ok(status::Status::Done)
    }
}
