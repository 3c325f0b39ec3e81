//! The commands, one file each.
//!
//! Each has its arguments, calls a library, and presents what came of it. `CONTRIBUTING.md` says how
//! to add one.

mod age;
mod api;
mod args;
mod auth;
mod booking_contacts;
mod change_sets;
mod completions;
mod consent;
mod contact_methods;
mod delete;
mod demo;
mod desk;
mod export;
mod file_arg;
mod find;
#[cfg(feature = "fleet")]
pub(crate) mod fleet;
mod history;
mod ledger;
mod list;
mod man;
mod mirror;
mod owner_contacts;
mod owners;
mod people;
mod preferences;
mod profile;
mod related;
mod sandbox;
mod sets;
mod sheet;
mod texts;
mod times;
mod update;

use std::{path::PathBuf, sync::Arc};

use clap::Subcommand;
use crm_models::{CustomerId, LocationId};
use mirror::MirrorCommand;
use owner_contacts::OwnerContacts;
use owners::Owners;

use crate::{
    desk::{Desk, DeskError, Whereabouts, name_of},
    error::CliError,
    globals::{Format, Globals},
    output::{Output, note},
    session::{self, Session},
    settings::SettingsError,
    status::Status,
    write_guard::{Slot, Withheld},
};

/// What `crm` can do. Where a variant says nothing, its type's documentation is the help: the first
/// line in the list of commands, all of it with `--help`.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Contacts of locations: telephone numbers, e-mail addresses, preferences
    #[command(subcommand)]
    LocationContacts(OwnerContacts<LocationId>),

    /// Contacts of customers
    #[command(subcommand)]
    CustomerContacts(OwnerContacts<CustomerId>),

    /// Customers: names and addresses
    #[command(subcommand)]
    Customers(Owners<CustomerId>),

    /// Locations: names and addresses
    #[command(subcommand)]
    Locations(Owners<LocationId>),

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

    Export(export::Export),

    /// A local copy of all contacts and their owners
    #[command(subcommand)]
    Mirror(mirror::MirrorCommand),

    Find(find::Find),

    Snapshot(mirror::SnapshotCommand),

    Audit(Box<change_sets::audit::AuditCommand>),

    Plan(Box<change_sets::plan::PlanCommand>),

    /// Plan to turn marketing off for numbers and addresses, wherever they are
    ///
    /// Nothing is sent before `crm apply` does it. From a spreadsheet to the evidence:
    ///
    ///   crm opt-out list.csv --out list.crm
    ///   crm apply list.crm
    ///   crm report list.crm --html evidence.html
    #[command(verbatim_doc_comment)]
    OptOut(change_sets::opt_out::OptOutCommand),

    /// Plan to turn marketing on again
    OptIn(change_sets::opt_out::OptOutCommand),

    /// Who said stop or may be written to, provable for years
    ///
    /// A ledger in the account's desk to which records are only added, each chained to the one before.
    /// It is no legal advice.
    ///
    ///   crm consent import opt-outs.csv
    ///   crm consent add "(818) 555-0142" --said STOP --by dana
    ///   crm consent status "(818) 555-0142"
    #[command(subcommand, verbatim_doc_comment)]
    Consent(consent::ConsentCommand),

    Show(change_sets::show::Show),

    Report(change_sets::report::Report),

    Drop(change_sets::drop::DropCommand),

    Approve(change_sets::approve::Approve),

    Apply(change_sets::apply::ApplyCommand),

    Status(change_sets::status::Status),

    Verify(change_sets::verify::Verify),

    Undo(change_sets::undo::Undo),

    Results(change_sets::results::Results),

    Backup(change_sets::backup::Backup),

    Names(change_sets::names::NamesCommand),

    #[cfg(feature = "fleet")]
    Push(fleet::push::Push),

    #[cfg(feature = "fleet")]
    Pull(fleet::pull::Pull),

    /// Change sets on a server, where many workers carry them out
    #[cfg(feature = "fleet")]
    #[command(subcommand)]
    Fleet(fleet::FleetCommand),

    Sets(sets::Sets),

    History(history::HistoryCommand),

    /// What this account has on this machine: mirror, change sets, recorded updates
    #[command(subcommand)]
    Desk(desk::DeskCommand),

    Api(api::Api),

    /// Check host, credentials, app key and scopes
    #[command(subcommand)]
    Auth(auth::Auth),

    /// Manage the accounts in the configuration file
    #[command(subcommand)]
    Profile(profile::ProfileCommand),

    Demo(demo::Demo),

    /// A local copy of the service
    #[command(subcommand)]
    Sandbox(sandbox::SandboxCommand),

    /// Print completions for a shell
    Completions(completions::Completions),

    /// Write the man pages
    Man(man::Man),
}

/// Puts the file of a set in the place of its name, where there is no such file and the desk has
/// such a set.
fn locate(globals: &Globals, set: &mut PathBuf) -> Result<Option<Whereabouts>, CliError> {
    let is_name = !set.exists() && !set.is_absolute();
    let Some(name) = set.to_str().filter(|_| is_name && !globals.sandbox) else {
        return Ok(None);
    };
    // Without an account there is no desk: the file is missing.
    let place = match session::desk(globals, INSTEAD) {
        Ok(place) => place,
        Err(CliError::Settings(SettingsError::Missing { .. })) if set.components().count() == 1 => {
            note(format!(
                "there is no file {name}, and no account is set up whose desk could have such a set: \
                 `crm profile add --help` says how"
            ));
            return Ok(None);
        }
        Err(_) => return Ok(None),
    };
    if let Some(desk) = place.existing()? {
        // Of several accounts each has its own: a part of a name may mean another one in each.
        let find = if globals.siblings.is_some() { Desk::find_whole } else { Desk::find };
        match find(desk, name) {
            Ok(found) => {
                if let Some(whole) = name_of(&found).filter(|whole| !name.starts_with(whole)) {
                    note(format!("the set: {whole}"));
                }
                *set = found;
            }
            // A path to where nothing is; the command says so.
            Err(DeskError::NoSuchSet { .. }) if set.components().count() > 1 => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Some(place))
}

/// What is said where there is no desk to look for a set in.
const INSTEAD: &str = "its path";

impl Command {
    /// Whether the command, as it is given, is about one account: it names records of it, what it
    /// writes goes to stdout or into one file, or it is not about accounts at all.
    pub(crate) fn is_of_one(&self) -> bool {
        match self {
            Self::Find(_)
            | Self::Mirror(_)
            | Self::OptOut(_)
            | Self::OptIn(_)
            | Self::Show(_)
            | Self::Status(_)
            | Self::Apply(_)
            | Self::Verify(_)
            | Self::Undo(_)
            | Self::Names(_)
            | Self::History(_)
            | Self::Auth(_)
            | Self::Customers(Owners::List { .. })
            | Self::Locations(Owners::List { .. })
            | Self::LocationContacts(OwnerContacts::Changed { .. })
            | Self::CustomerContacts(OwnerContacts::Changed { .. }) => false,
            Self::Audit(command) => command.topic().is_some(),
            Self::Plan(command) => command.template().is_some(),
            Self::Report(command) => !command.has_file(),
            Self::Results(command) => !command.has_file(),
            Self::Sets(command) => !command.lists(),
            _ => true,
        }
    }

    /// Whether it sends what was planned.
    pub(crate) fn writes(&self) -> bool {
        matches!(self, Self::Apply(_))
    }

    /// Puts the file of its set in the place of the name; nobody moves the desk that it is of as long
    /// as the answer is there.
    pub(crate) fn locate(&mut self, globals: &Globals) -> Result<Option<Whereabouts>, CliError> {
        Ok(self.set().map(|set| locate(globals, set)).transpose()?.flatten())
    }

    /// The change set that the command works on.
    pub(crate) fn set(&mut self) -> Option<&mut PathBuf> {
        match self {
            Self::Show(command) => Some(&mut command.set),
            Self::Report(command) => Some(&mut command.set),
            Self::Drop(command) => Some(&mut command.set),
            Self::Approve(command) => Some(&mut command.set),
            Self::Apply(command) => Some(&mut command.set),
            Self::Status(command) => Some(&mut command.set),
            Self::Verify(command) => Some(&mut command.set),
            Self::Undo(command) => Some(&mut command.set),
            Self::Results(command) => Some(&mut command.set),
            Self::Backup(command) => Some(&mut command.set),
            Self::Names(command) => Some(&mut command.set),
            #[cfg(feature = "fleet")]
            Self::Push(command) => Some(&mut command.set),
            _ => None,
        }
    }

    /// How the command writes its answers, errors included, where that format is asked for: an
    /// export has no end, so its JSON is one value a line.
    pub(crate) fn format(&self, asked: Format) -> Format {
        match self {
            // A sheet is for a spreadsheet unless something else is asked for.
            Self::Mirror(MirrorCommand::Export(_)) if asked == Format::Table => Format::Csv,
            Self::Export(_)
            | Self::Mirror(MirrorCommand::Export(_))
            | Self::Customers(Owners::Export(_))
            | Self::Locations(Owners::Export(_)) => asked.without_end(),
            _ => asked,
        }
    }

    /// Whether the exit code is to say if there are changes, so that every failure has the same one.
    pub(crate) fn has_detailed_exit_code(&self) -> bool {
        match self {
            Self::Audit(command) => command.detailed_exitcode,
            Self::Plan(command) => command.detailed_exitcode,
            Self::OptOut(command) | Self::OptIn(command) => command.detailed_exitcode,
            Self::Consent(command) => command.has_detailed_exit_code(),
            _ => false,
        }
    }

    /// Runs the command; `grammar` is that of all commands. To a command a write that was withheld
    /// has failed: why it was is told here.
    pub(crate) async fn run(
        mut self,
        globals: &Globals,
        output: &Output,
        grammar: fn() -> clap::Command,
    ) -> Result<Status, CliError> {
        let slot = Arc::new(Slot::default());
        // Nobody moves the desk before the command ends.
        let _desk = self.locate(globals)?;
        // What a set writes is recorded in it.
        let is_recorded = !matches!(self, Self::Apply(_) | Self::Consent(_));
        let connect = || Session::open(globals, output, Arc::clone(&slot), is_recorded);
        // What takes no call takes no credentials either.
        let connect_if =
            async |is_needed: bool| if is_needed { connect().await.map(Some) } else { Ok(None) };
        let ended = match self {
            Self::LocationContacts(command) => command.run(&connect().await?).await,
            Self::CustomerContacts(command) => command.run(&connect().await?).await,
            Self::Customers(command) => command.run(&connect().await?).await,
            Self::Locations(command) => command.run(&connect().await?).await,
            Self::BookingContacts(command) => command.run(&connect().await?).await,
            Self::People(command) => command.run(&connect().await?).await,
            Self::ContactMethods(command) => command.run(&connect().await?).await,
            Self::Preferences(command) => command.run(&connect().await?).await,
            Self::Export(command) => command.run(&connect().await?).await,
            Self::Mirror(MirrorCommand::Update(update)) => update.run(&connect().await?).await,
            Self::Mirror(MirrorCommand::Export(export)) => export.run(&connect().await?).await,
            Self::Mirror(MirrorCommand::Status(mirror)) => {
                let session = connect_if(mirror.is_made(globals)).await?;
                mirror.status(globals, session.as_ref(), output).await
            }
            Self::Find(command) => {
                let session = connect_if(command.asks(globals)).await?;
                command.run(globals, session.as_ref(), output).await
            }
            Self::Snapshot(command) => command.run(&connect().await?).await,
            Self::Audit(command) => match command.topic() {
                Some(topic) => topic.answer(globals, output),
                None => command.run(&connect().await?).await,
            },
            Self::Plan(command) => match command.template() {
                Some(template) => template.write(output),
                None => command.run(&connect().await?).await,
            },
            Self::OptOut(command) => command.run(&connect().await?, false).await,
            Self::OptIn(command) => command.run(&connect().await?, true).await,
            Self::Consent(command) => command.run(globals, output, connect).await,
            Self::Show(command) => command.run(globals, output),
            Self::Report(command) => command.run(globals, output).await,
            Self::Drop(command) => command.run(globals, output).await,
            Self::Approve(command) => command.run(globals, output).await,
            Self::Apply(command) => command.run(&connect().await?, globals).await,
            Self::Status(command) => command.run(globals, output),
            Self::Verify(command) => command.run(&connect().await?, globals).await,
            Self::Undo(command) => command.run(globals, output).await,
            Self::Results(command) => command.run(globals, output).await,
            Self::Backup(command) => command.run().await,
            Self::Names(command) => command.run(&connect().await?).await,
            #[cfg(feature = "fleet")]
            Self::Push(command) => command.run(output).await,
            #[cfg(feature = "fleet")]
            Self::Pull(command) => command.run(output).await,
            #[cfg(feature = "fleet")]
            Self::Fleet(command) => command.run(globals, output).await,
            Self::Desk(command) => command.run(globals, output).await,
            Self::History(command) => command.run(globals, output),
            Self::Sets(command) => command.run(globals, output).await,
            Self::Api(command) => command.run(&connect().await?).await,
            Self::Auth(command) => command.run(&connect().await?).await,
            Self::Profile(command) => command.run(globals, output),
            Self::Demo(command) => command.run(output).await,
            Self::Sandbox(command) => command.run(output).await,
            Self::Completions(command) => command.run(output, grammar()),
            Self::Man(command) => command.run(output, grammar()),
        };
        slot.conclude(ended.as_ref().err().map(ToString::to_string));
        match (ended, slot.withheld()) {
            (Err(_), Some(Withheld::DryRun(request))) => {
                Ok(Status::DryRun(slot.planned(), request.clone()))
            }
            (Err(_), Some(withheld)) => Err(withheld.clone().into()),
            (ended, _) => ended,
        }
    }
}
