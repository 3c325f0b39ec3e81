//! `crm sets`: the change sets of the desk.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::{
    desk::{Desk, DeskError, SetEntry, Standing, Whereabouts},
    error::CliError,
    globals::Globals,
    output::{Output, confirm, count, note, on_terminal},
    session,
    signal::until_signal,
    status::Status,
};

/// List the change sets of the desk, or put some away
///
/// A set is planned, approved, interrupted (a run has it or was cut off), partly applied, applied,
/// partly undone, or undone: then all that was done was undone. It is settled if all was so already or
/// was dropped, not-done if none of it could be made, and empty without changes. One that was moved
/// goes on elsewhere. CHANGES are those that are done, already so, open, not done or dropped.
/// Wherever a command takes a set, its name is enough, or a part of it that only one has: of several
/// that are called so but for the day and a counter the newest, and no undo unless it says undo. With
/// several profiles the whole name is needed.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Sets {
    #[command(subcommand)]
    command: Option<SetsCommand>,
}

/// What can be done with sets.
#[derive(Debug, Subcommand)]
enum SetsCommand {
    /// Remove sets; what they did can then be neither undone nor looked up
    Rm {
        /// The whole names
        #[arg(required = true)]
        names: Vec<String>,
    },

    /// Keep sets as they are in the folder `archive`: to look at and to undo, never to apply
    Archive {
        /// The names
        #[arg(required = true)]
        names: Vec<String>,
    },
}

impl Sets {
    /// Whether it only lists.
    pub(crate) fn lists(&self) -> bool {
        self.command.is_none()
    }

    pub(crate) async fn run(self, globals: &Globals, output: &Output) -> Result<Status, CliError> {
        let place = session::desk(globals, "its path")?;
        let desk = place.existing()?;
        match (self.command, desk) {
            (None, _) => list(output, &place, desk),
            (Some(SetsCommand::Rm { names }), Some(desk)) => remove(output, globals, desk, &names),
            (Some(SetsCommand::Archive { names }), Some(desk)) => {
                archive(output, desk, &names).await
            }
            (Some(_), None) => Err(CliError::Usage(no_desk(&place)?)),
        }
    }
}

/// What is said where no desk has been begun.
pub(super) fn no_desk(place: &Whereabouts) -> Result<String, CliError> {
    let folder = place.folder()?.display();
    Ok(format!("this account has no desk yet: {folder} comes with the first set or write"))
}

fn list(output: &Output, place: &Whereabouts, desk: Option<&Desk>) -> Result<Status, CliError> {
    let mut records = output.records::<SetEntry>()?;
    records.if_none(match desk {
        Some(_) => "the desk has no sets".to_owned(),
        None => no_desk(place)?,
    });
    records.all(desk.map(Desk::entries).transpose()?.unwrap_or_default())?;
    Ok(Status::Done)
}

/// The sets of these names, none of which anything is in the way of.
fn chosen(
    desk: &Desk,
    names: &[String],
    find: fn(&Desk, &str) -> Result<PathBuf, DeskError>,
    act: &str,
) -> Result<Vec<SetEntry>, CliError> {
    let mut entries = desk.entries()?;
    let mut chosen = Vec::new();
    for name in names {
        let file = find(desk, name)?;
        let Some(place) = entries.iter().position(|entry| entry.file == file) else {
            continue; // Named twice.
        };
        let entry = entries.remove(place);
        if let Some(reason) = entry.in_the_way() {
            return Err(CliError::Usage(format!("{} is not {act}: {reason}", entry.name)));
        }
        chosen.push(entry);
    }
    Ok(chosen)
}

/// Removes sets, all or none of which may be removed.
fn remove(
    output: &Output,
    globals: &Globals,
    desk: &Desk,
    names: &[String],
) -> Result<Status, CliError> {
    let chosen = chosen(desk, names, Desk::find_whole, "removed")?;
    if !globals.yes {
        ask_to_remove(&chosen)?;
    }
    for entry in &chosen {
        entry.remove()?;
    }
    let removed: Vec<_> = chosen.iter().map(|entry| entry.name.as_str()).collect();
    output.done("removed", &removed.join(", "))?;
    Ok(Status::Done)
}

/// Asks a person whether these sets may go.
pub(super) fn ask_to_remove(sets: &[SetEntry]) -> Result<(), CliError> {
    for entry in sets {
        let what = match entry.state {
            Standing::Planned | Standing::Approved => {
                format!("{} open", count(entry.open, "change"))
            }
            state => format!("{}; it can then not be undone or looked up", state.as_str()),
        };
        note(format!("to be removed: {}, {what}", entry.name));
    }
    if !on_terminal() {
        return Err(CliError::Usage("add --yes to remove them without being asked".to_owned()));
    }
    if !confirm(&format!("Remove {}?", count(sets.len() as u64, "set"))) {
        return Err(CliError::Usage("not confirmed: nothing was removed".to_owned()));
    }
    Ok(())
}

/// Moves sets into the archive.
async fn archive(output: &Output, desk: &Desk, names: &[String]) -> Result<Status, CliError> {
    let chosen = chosen(desk, names, Desk::find, "archived")?;
    if let Some(entry) = chosen.iter().find(|entry| entry.archived) {
        return Err(CliError::Usage(format!("{} is in the archive already", entry.name)));
    }
    for entry in &chosen {
        let archived = async { Ok::<_, CliError>(desk.archive(entry).await?) };
        if let Err(signal) = until_signal(archived).await? {
            return Ok(Status::Stopped(signal, None));
        }
    }
    let archived: Vec<_> = chosen.iter().map(|entry| entry.name.as_str()).collect();
    output.done("archived", &archived.join(", "))?;
    Ok(Status::Done)
}
