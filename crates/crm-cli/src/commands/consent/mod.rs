//! `crm consent`: the ledger of wishes.

mod add;
mod check;
mod due;
mod export;
mod guard;
mod import;
mod opened;
mod policy;
mod prove;
mod status;
mod words;

use clap::{Args, Subcommand};

use self::opened::existing;
pub(super) use self::{guard::OverrideArgs, import::take};
use crate::{
    error::CliError,
    globals::Globals,
    output::Output,
    session::{self, Session},
    status::Status,
};

/// What can be done with the ledger.
#[derive(Debug, Subcommand)]
pub(crate) enum ConsentCommand {
    Import(import::ImportCommand),

    Add(add::AddCommand),

    Retract(RetractCommand),

    Status(status::StatusCommand),

    Export(export::ExportCommand),

    Prove(prove::ProveCommand),

    Due(due::DueCommand),

    Check(check::CheckCommand),

    Policy(policy::PolicyCommand),
}

/// Take an import back, or a wish that came alone
///
/// A record is added that says so; nothing is removed. What came with another import too stands.
#[derive(Debug, Args)]
pub(crate) struct RetractCommand {
    /// The number of the import's record, which `import` told
    import: u64,

    /// Why
    #[arg(long)]
    reason: String,
}

impl ConsentCommand {
    /// Whether it asks the service.
    pub(crate) fn asks(&self) -> bool {
        match self {
            Self::Prove(command) => command.verify,
            _ => false,
        }
    }

    pub(crate) async fn run(
        self,
        globals: &Globals,
        session: Option<&Session<'_>>,
        output: &Output,
    ) -> Result<Status, CliError> {
        let place = session::desk(globals, "a profile")?;
        match self {
            Self::Import(command) => command.run(place.desk()?, output),
            Self::Add(command) => command.run(place.desk()?, output),
            Self::Retract(RetractCommand { import, reason }) => {
                let record = existing(&place)?.retract(import, &reason)?;
                output.done("retracted", &format!("record {import}, by record {record}"))?;
                Ok(Status::Done)
            }
            Self::Status(command) => command.run(existing(&place)?, place.region()?, output),
            Self::Export(command) => command.run(&existing(&place)?, output),
            Self::Prove(command) => {
                let ledger = existing(&place)?;
                command.run(ledger, place.desk()?, session, output).await
            }
            Self::Due(command) => command.run(&existing(&place)?, place.existing()?, output),
            Self::Check(command) => command.run(&existing(&place)?, output),
            Self::Policy(command) => command.run(&place, output),
        }
    }
}
