//! The ledger of a desk.

use std::path::PathBuf;

use crm_bulk::{ChangeSet, SetKind};
use crm_consent::Ledger;
use crm_values::PhoneReader;

use super::sets::planned_from_one;
use crate::{
    commands::args::NumberArgs,
    desk::{Desk, Whereabouts},
    error::CliError,
    globals::Globals,
    output::{count, crm, note, quoted},
    session::{self, Session},
};

/// Returns why nothing may be written into a ledger, if that is so.
pub(in crate::commands) fn may_be_written(is_dry: bool, is_read_only: bool) -> Result<(), String> {
    if is_dry {
        Err("--dry-run: nothing was written into the consent ledger".to_owned())
    } else if is_read_only {
        Err("read-only: nothing was written into the consent ledger; a wish is taken in by a profile \
             that may write, or without --read-only and CRM_READ_ONLY"
            .to_owned())
    } else {
        Ok(())
    }
}

/// Opens the ledger of an account that has one, which has to be what was written.
pub(in crate::commands) fn sound(place: &Whereabouts) -> Result<Ledger, CliError> {
    let ledger = existing(place)?;
    ledger.refuse_altered()?;
    Ok(ledger)
}

/// Opens the ledger of a desk, which is begun if need be.
pub(in crate::commands) fn begin(desk: &Desk, numbers: &NumberArgs) -> Result<Ledger, CliError> {
    refuse_missing(desk)?;
    let is_new = !desk.ledger().exists();
    let ledger = Ledger::open_or_create(desk.ledger(), &desk.card().site())?;
    // Before its first wish: from that one on it is missed where it is lost. And not before it is
    // there, or where nothing can be written the mark of none would be left.
    desk.mark_ledger()?;
    if is_new {
        tell_lists_before(desk)?;
    }
    Ok(ledger.numbers(numbers.reader(desk.region())))
}

/// Says of a ledger that begins that it has nothing of lists which were carried out before: whoever
/// exports it would call their numbers.
fn tell_lists_before(desk: &Desk) -> Result<(), CliError> {
    let is_of_list = |file: &PathBuf| {
        let info = ChangeSet::open(file).and_then(|set| set.info());
        info.is_ok_and(|info| matches!(info.kind, SetKind::OptOut | SetKind::OptIn))
    };
    let sets = desk.set_files()?.iter().filter(|file| is_of_list(file)).count();
    if sets > 0 {
        note(format!(
            "the consent ledger begins without the lists of {} of this desk: take them in as well, with \
             `crm consent import`",
            count(sets as u64, "earlier set"),
        ));
    }
    Ok(())
}

/// Opens the ledger of a desk, if there is one.
///
/// That one is gone is no reason to go on as if nobody had ever wished anything.
pub(in crate::commands) fn open(desk: &Desk) -> Result<Option<Ledger>, CliError> {
    refuse_missing(desk)?;
    let file = desk.ledger();
    if !file.exists() {
        return Ok(None);
    }
    let ledger = Ledger::open(file, &desk.card().site())?;
    // It may have been brought here. On a medium that cannot be written it is not missed either.
    let _ = desk.mark_ledger();
    // As the numbers of the mirror and of the lists are read.
    Ok(Some(ledger.numbers(PhoneReader::new(desk.region()))))
}

/// Whether the account of a session has a ledger, also one that is missing.
pub(in crate::commands) fn is_there(session: &Session<'_>) -> Result<bool, CliError> {
    let desk = session.existing_desk()?;
    Ok(desk.is_some_and(|desk| desk.ledger().exists() || refuse_missing(desk).is_err()))
}

/// Opens the ledger of the account for what only tells more by it, if there is one that can be read.
pub(in crate::commands) fn of_account(globals: &Globals) -> Option<Ledger> {
    let place = session::desk(globals, "its path").ok().filter(|_| !globals.sandbox)?;
    let desk = place.existing().ok()??;
    open(desk).unwrap_or_else(|error| {
        note(format!("the consent ledger was not asked: {error}"));
        None
    })
}

/// Refuses to go on without a ledger that the desk has had, by its mark or by a set that was planned from
/// it.
fn refuse_missing(desk: &Desk) -> Result<(), CliError> {
    // In this order: the mark of one that another command begins just now comes after it.
    let mark = desk.ledger_mark();
    let is_marked = mark.exists();
    if desk.ledger().exists() {
        return Ok(());
    }
    let to_do_without = if is_marked {
        format!("remove {}", mark.display())
    } else if let Some(set) = planned_from_one(desk)? {
        let set = quoted(&set.file_stem().unwrap_or_default().to_string_lossy());
        format!("put away the sets that were planned from it: `{} sets archive {set}`", crm())
    } else {
        return Ok(());
    };
    Err(CliError::Usage(format!(
        "the consent ledger of this desk is missing, {}: bring it back from a backup; to do without \
         the wishes that it had, {to_do_without}",
        desk.ledger().display(),
    )))
}

/// Opens the ledger of an account that has one.
pub(in crate::commands) fn existing(place: &Whereabouts) -> Result<Ledger, CliError> {
    let ledger = place.existing()?.map(open).transpose()?.flatten();
    ledger.ok_or_else(|| {
        let folder = place.folder().map(PathBuf::from).unwrap_or_default();
        CliError::Usage(format!(
            "this account has no consent ledger in {}: `crm consent import` or `add` begins one",
            folder.display()
        ))
    })
}
