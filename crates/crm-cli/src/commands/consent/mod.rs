//! `crm consent`: the ledger of wishes.

mod add;
mod against;
mod check;
mod due;
mod export;
mod import;
mod key;
mod key_place;
mod made;
mod markup;
mod plan;
mod policy;
mod prove;
mod reach;
mod redact;
mod report;
mod run;
mod seal;
mod status;
mod words;

use clap::{Args, Subcommand};

use crate::{
    commands::ledger::{self, existing, sound},
    error::CliError,
    globals::Globals,
    output::{Output, note},
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

    Report(report::ReportCommand),

    Due(due::DueCommand),

    Plan(plan::PlanCommand),

    Run(run::RunCommand),

    Check(check::CheckCommand),

    Seal(seal::SealCommand),

    Key(key::KeyCommand),

    Redact(redact::RedactCommand),

    Policy(policy::PolicyCommand),
}

/// Take an import back, or a wish that came alone
///
/// A record is added that says so; nothing is removed. What came with another import too stands. What
/// sets turned off for it stays off: the answer names them, and what undoes them.
#[derive(Debug, Args)]
pub(crate) struct RetractCommand {
    /// The number of the import's record, which `import` told
    import: u64,

    /// Why
    #[arg(long)]
    reason: String,
}

impl ConsentCommand {
    /// Whether the exit code is to say if there are changes, so that every failure has the same one.
    pub(super) fn has_detailed_exit_code(&self) -> bool {
        match self {
            Self::Plan(command) => command.detailed_exitcode,
            Self::Run(command) => command.detailed_exitcode,
            _ => false,
        }
    }

    /// Whether the command writes into the ledger, or a key of it.
    fn writes_ledger(&self) -> bool {
        match self {
            Self::Import(_) | Self::Add(_) | Self::Retract(_) | Self::Seal(_) | Self::Redact(_) => {
                true
            }
            Self::Key(command) => command.new.is_some(),
            Self::Policy(command) => command.set.is_some(),
            Self::Status(_)
            | Self::Export(_)
            | Self::Prove(_)
            | Self::Report(_)
            | Self::Due(_)
            | Self::Plan(_)
            | Self::Run(_)
            | Self::Check(_) => false,
        }
    }

    /// Runs the command; `connect` begins a session for one that talks to the API.
    pub(crate) async fn run<'a>(
        self,
        globals: &Globals,
        output: &Output,
        connect: impl AsyncFnOnce() -> Result<Session<'a>, CliError>,
    ) -> Result<Status, CliError> {
        let (target, place) = session::target_with_desk(globals, "a profile")?;
        if self.writes_ledger() {
            ledger::may_be_written(globals.dry_run, target.read_only).map_err(CliError::Usage)?;
        }
        match self {
            Self::Import(command) => command.run(place.desk()?, output),
            // The middle of a ledger that was altered is no reason to lose a wish.
            Self::Add(command) => command.run(place.desk()?, output),
            Self::Retract(RetractCommand { import, reason }) => {
                let mut ledger = sound(&place)?;
                let record = ledger.retract(import, &reason)?;
                let done = ledger::done_for(place.desk()?, &ledger, record)?;
                output.done("retracted", &format!("record {import}, by record {record}"))?;
                done.iter().for_each(note);
                Ok(Status::Done)
            }
            Self::Status(command) => command.run(existing(&place)?, place.region()?, output),
            Self::Export(command) => command.run(&existing(&place)?, output),
            Self::Prove(command) => {
                let session = if command.verify { Some(connect().await?) } else { None };
                let ledger = existing(&place)?;
                command.run(ledger, place.desk()?, session.as_ref(), output).await
            }
            Self::Report(command) => command.run(&existing(&place)?, place.desk()?, output).await,
            Self::Due(command) => command.run(&existing(&place)?, place.existing()?, output).await,
            Self::Plan(command) => command.run(&connect().await?).await,
            Self::Run(command) => command.run(&connect().await?, globals).await,
            Self::Check(command) => command.run(&existing(&place)?, output),
            Self::Seal(command) => command.run(existing(&place)?, &target, output).await,
            Self::Key(command) => command.run(existing(&place)?, &target, output),
            Self::Redact(command) => command.run(sound(&place)?, place.desk()?, globals, output),
            Self::Policy(command) => command.run(&place, output),
        }
    }
}
