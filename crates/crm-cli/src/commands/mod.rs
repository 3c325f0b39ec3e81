//! The commands, one file each.
//!
//! To add one: write `commands/NAME.rs` with a clap type and `run`, add a variant here and
//! its line in [`Command::run`]. Then accept the new help: `INSTA_UPDATE=always cargo test -p
//! crm-cli --test output`.

mod api;
mod args;
mod auth;
mod booking_contacts;
mod completions;
mod contact_methods;
mod export;
mod list;
mod man;
mod owner_contacts;
mod people;
mod preferences;
mod sandbox;

use clap::Subcommand;
use crm_models::{CustomerId, LocationId};

use crate::{cli::Globals, error::CliError, output::Output, session::Session};
use owner_contacts::OwnerContacts;

/// What `crm` can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Contacts of locations: telephone numbers, e-mail addresses, preferences
    #[command(subcommand)]
    LocationContacts(OwnerContacts<LocationId>),

    /// Contacts of customers
    #[command(subcommand)]
    CustomerContacts(OwnerContacts<CustomerId>),

    /// Contacts of bookings
    #[command(subcommand)]
    BookingContacts(booking_contacts::BookingContacts),

    /// People and what they are related to (Contacts v2)
    #[command(subcommand)]
    People(people::People),

    /// Telephone numbers and addresses of people
    #[command(subcommand)]
    ContactMethods(contact_methods::ContactMethods),

    /// What people receive through their contact methods
    #[command(subcommand)]
    Preferences(preferences::Preferences),

    /// Pull a whole feed, deleted contacts too, and go on where it ended
    Export(export::Export),

    /// Call any operation of the API by method and path
    Api(api::Api),

    /// Check host, credentials, app key and scopes
    #[command(subcommand)]
    Auth(auth::Auth),

    /// A local copy of the service
    #[command(subcommand)]
    Sandbox(sandbox::SandboxCommand),

    /// Print completions for a shell
    Completions(completions::Completions),

    /// Write the man pages
    Man(man::Man),
}

impl Command {
    pub(crate) async fn run(self, globals: &Globals, output: &Output) -> Result<(), CliError> {
        let connect = || Session::open(globals, output);
        match self {
            Self::LocationContacts(command) => command.run(&connect().await?).await,
            Self::CustomerContacts(command) => command.run(&connect().await?).await,
            Self::BookingContacts(command) => command.run(&connect().await?).await,
            Self::People(command) => command.run(&connect().await?).await,
            Self::ContactMethods(command) => command.run(&connect().await?).await,
            Self::Preferences(command) => command.run(&connect().await?).await,
            Self::Export(command) => command.run(&connect().await?).await,
            Self::Api(command) => command.run(&connect().await?).await,
            Self::Auth(command) => command.run(&connect().await?).await,
            Self::Sandbox(command) => command.run(output).await,
            Self::Completions(command) => command.run(),
            Self::Man(command) => command.run(),
        }
    }
}
