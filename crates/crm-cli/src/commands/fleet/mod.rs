//! Change sets on a server, where many workers carry them out: feature `fleet`.

mod cap;
mod desk;
mod home;
mod pause;
pub(super) mod pull;
pub(super) mod push;
mod schedule;
mod server;
mod sets;
mod status;
mod submit;
mod tenants;
mod watch;

use clap::Subcommand;

use crate::{error::CliError, globals::Globals, output::Output, status::Status};

/// What can be asked of a fleet.
#[derive(Debug, Subcommand)]
pub(crate) enum FleetCommand {
    Status(status::StatusCommand),

    Sets(sets::Sets),

    Tenants(tenants::TenantsCommand),

    Submit(submit::Submit),

    Watch(watch::Watch),

    Cancel(submit::Cancel),

    Pause(pause::PauseCommand),

    Resume(pause::ResumeCommand),

    /// Where the desk of an account lies: on which of the volumes that workers have
    #[command(subcommand)]
    Home(home::HomeCommand),

    /// Have a worker do what needs the desk of an account, where its home volume is
    #[command(subcommand)]
    Desk(desk::DeskCommand),

    /// What is done in the desk of an account by itself, and when
    #[command(subcommand)]
    Schedule(schedule::ScheduleCommand),

    /// How much workers write for an account in a day
    #[command(subcommand)]
    Cap(cap::CapCommand),
}

impl FleetCommand {
    pub(crate) async fn run(self, globals: &Globals, output: &Output) -> Result<Status, CliError> {
        match self {
            Self::Status(command) => command.run(output).await,
            Self::Sets(command) => command.run(output).await,
            Self::Tenants(command) => command.run(output).await,
            Self::Submit(command) => command.run(output).await,
            Self::Watch(command) => command.run(output).await,
            Self::Cancel(command) => command.run(output).await,
            Self::Pause(command) => command.run(output).await,
            Self::Resume(command) => command.run(output).await,
            Self::Home(command) => command.run(globals, output).await,
            Self::Desk(command) => command.run(globals, output).await,
            Self::Schedule(command) => command.run(globals, output).await,
            Self::Cap(command) => command.run(globals, output).await,
        }
    }
}
