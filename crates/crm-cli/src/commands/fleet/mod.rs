//! Change sets on a server, where many workers carry them out: feature `fleet`.

pub(super) mod pull;
pub(super) mod push;
mod server;
mod sets;
mod submit;

use clap::Subcommand;

use crate::{error::CliError, output::Output, status::Status};

/// What can be asked of a fleet.
#[derive(Debug, Subcommand)]
pub(crate) enum FleetCommand {
    Sets(sets::Sets),

    Submit(submit::Submit),

    Cancel(submit::Cancel),
}

impl FleetCommand {
    pub(crate) async fn run(self, output: &Output) -> Result<Status, CliError> {
        match self {
            Self::Sets(command) => command.run(output).await,
            Self::Submit(command) => command.run(output).await,
            Self::Cancel(command) => command.run(output).await,
        }
    }
}
