//! `crm names`: the names that a set lacks.

use std::path::PathBuf;

use clap::Args;
use crm_bulk::ChangeSet;

use super::{known, owner_names::NameArgs, summary::name};
use crate::{
    error::CliError,
    output::{count, note},
    session::Session,
    signal::until_signal,
    status::Status,
};

/// Look for the names that a set lacks
///
/// Read the names and towns of the customers and locations that `crm show` shows by their ids alone,
/// and the names of people, since that was interrupted or refused when the set was planned, or was not
/// asked for. Of those that the desk's mirror does not have, 50 customers or locations take a call, and
/// each person one: a hundred people at a time. What is to be applied stays as it is, and the digest
/// too.
#[derive(Debug, Args)]
pub(crate) struct NamesCommand {
    /// The change set: a file, or the name of one of the desk
    pub(crate) set: PathBuf,
}

impl NamesCommand {
    pub(crate) async fn run(self, session: &Session<'_>) -> Result<Status, CliError> {
        // A set that cannot be read is an error here, and not a note.
        ChangeSet::open(&self.set)?;
        let mirror = known::file(session, None)?;
        let names = NameArgs { no_names: false };
        let find = async {
            let found = names.find(session, mirror.as_deref(), false, &self.set).await;
            Ok::<_, CliError>(found)
        };
        let found = match until_signal(find).await? {
            Ok(found) => found,
            Err(signal) => return Ok(Status::Stopped(signal, None)),
        };
        note(format!("{}: {} found", name(&self.set), count(found, "name")));
        Ok(Status::Done)
    }
}
