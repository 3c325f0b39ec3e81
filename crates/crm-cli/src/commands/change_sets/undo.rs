//! `crm undo`: the reverse of a change set.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::Args;
use crm_bulk::{ChangeSet, Selection, State, UndoTerms};

use super::{
    out::{INSTEAD, Out},
    summary::{Summary, name},
};
use crate::{
    commands::ledger::{self, OverrideArgs},
    desk::{DeskError, Whereabouts, undated},
    error::CliError,
    globals::Globals,
    output::{Output, count, crm, note, quoted},
    session,
    signal::until_signal,
    status::Status,
};

/// Plan the reverse of a set
///
/// Write the change set that restores what was there before. Nothing is sent: review it and
/// apply it like any other; contacts that others have changed meanwhile are then set aside.
///
/// What would turn marketing on against a wish of the consent ledger is held, each change with the wish;
/// where nothing else is left, there is no set.
#[derive(Debug, Args)]
pub(crate) struct Undo {
    /// The change set to reverse: a file, or the name of one of the desk
    pub(crate) set: PathBuf,

    /// The change set to write; without it one of the desk, whose name the answer tells
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    #[command(flatten)]
    consent: OverrideArgs,
}

impl Undo {
    pub(crate) async fn run(self, globals: &Globals, output: &Output) -> Result<Status, CliError> {
        let place = match self.out {
            Some(_) => None,
            None => Some(session::desk(globals, INSTEAD)?),
        };
        let desk = || place.as_ref().ok_or(DeskError::Sandbox(INSTEAD))?.desk();
        let from = undated(&self.set);
        let out =
            Out::of(self.out.as_deref(), desk, "undo", Some(&from), globals.siblings.as_deref())?;
        let set = ChangeSet::open(&self.set)?.reversed_by(session::reverses(globals, &self.set));
        // Of a set that is elsewhere there may be no account to ask for its desk.
        let ledger = session::desk(globals, INSTEAD).ok();
        let desk = ledger.as_ref().map(Whereabouts::existing).transpose()?.flatten();
        let taken_from = desk.map(ledger::open).transpose()?.flatten();
        let reasons = ledger::taken_back(taken_from.as_ref(), &set)?;
        let terms = self.consent.of_undo(desk, UndoTerms::new().reasons(reasons))?;
        let undo = async { Ok::<_, CliError>(set.undo_on(terms, out.path()).await?) };
        let undone = match until_signal(undo).await? {
            Ok(undone) => undone,
            Err(signal) => return Ok(Status::Stopped(signal, None)),
        };
        self.consent.of_set(desk, out.path())?;
        if undone.held > 0 {
            let held = count(undone.held, "change");
            if undone.planned == 0 {
                list_held(out.path())?;
                fs::remove_file(out.path()).map_err(CliError::unwritten(out.path()))?;
                return Err(CliError::AgainstWish(format!(
                    "{held} would turn marketing on against wishes in the consent ledger, and nothing \
                     else can be undone; nothing was planned: take in who wishes to be written to by \
                     now, or say --override-consent REASON"
                )));
            }
            note(format!(
                "held: {held} that would turn marketing on against wishes in the consent ledger: see \
                 {} show {} --state held",
                crm(),
                quoted(&name(out.path()))
            ));
        }
        if undone.undone > 0 {
            let many = count(undone.undone, "change");
            note(format!("left out: {many} that other sets have undone already"));
        }
        if undone.open > 0 {
            note(format!(
                "{} of {} still open, and no undo holds them back: {} apply {} would make them",
                count(undone.open, "change"),
                if undone.open == 1 { "the set is" } else { "the set are" },
                crm(),
                quoted(&name(&self.set))
            ));
        }
        if undone.unresolved > 0 {
            note(format!(
                "it is not known whether {} carried out, so not everything is reversed: \
                 {} apply {} reads the contacts back (and sends what is open); then write the undo \
                 again",
                were(undone.unresolved),
                crm(),
                quoted(&name(&self.set))
            ));
        }
        if undone.set_aside > 0 {
            note(format!(
                "left alone: {} that may have been carried out, on a contact that is neither as \
                 before nor as wanted: see {} show {} --state drifted",
                count(undone.set_aside, "change"),
                crm(),
                quoted(&name(&self.set))
            ));
        }
        if undone.impossible > 0 {
            note(format!(
                "{} that cannot be reversed: see {} show {} --state failed",
                count(undone.impossible, "change"),
                crm(),
                quoted(&name(out.path()))
            ));
        }
        let summary = Summary::of(&ChangeSet::open(out.path())?, 10)?;
        summary.needs_approval(session::requires_approval(globals)).write(output)?;
        Ok(Status::Done)
    }
}

/// How many held changes are told one by one.
const TOLD: usize = 10;

/// Tells what is held of a set that is not kept, each with its wish.
fn list_held(set: &Path) -> Result<(), CliError> {
    let set = ChangeSet::open(set)?;
    let mut held = set.changes(&Selection::states([State::Held]));
    for change in held.by_ref().take(TOLD) {
        let change = change?;
        let why = change.outcome.message.unwrap_or_default();
        note(format!("held: {}: {why}", change.target));
    }
    let more = held.count() as u64;
    if more > 0 {
        note(format!("and {} that are held", count(more, "other change")));
    }
    Ok(())
}

/// `1 change was`, `2 changes were`.
fn were(changes: u64) -> String {
    let verb = if changes == 1 { "was" } else { "were" };
    format!("{} {verb}", count(changes, "change"))
}
