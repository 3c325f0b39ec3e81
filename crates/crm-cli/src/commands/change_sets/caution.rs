//! What there is to look at in a set before it is sent: said wherever somebody decides about it.

use std::path::Path;

use crm_bulk::{ChangeSet, Selection, State};
use crm_values::PhoneReader;

use super::{
    line::{about, difference, indented},
    owner_names::Names,
    stale::{self, Cautions},
    summary::name,
};
use crate::{
    commands::ledger,
    error::CliError,
    output::{count, crm, note, quoted},
    session::Session,
};

/// Gives its cautions to a set that was planned just now: by what the desk and its ledger know.
pub(super) fn give_cautions(session: &Session<'_>, path: &Path) -> Result<(), CliError> {
    let Some(desk) = session.existing_desk()? else {
        return Ok(());
    };
    let (set, mut cautions) = (ChangeSet::open(path)?, Cautions::new());
    stale::find(desk, &set, &mut cautions)?;
    let reader = PhoneReader::new(desk.region());
    if let Some(ledger) = ledger::open(desk)? {
        for (place, why) in ledger::left_behind(&ledger, &set, reader)? {
            cautions.entry(place).or_default().push(why);
        }
    }
    if cautions.is_empty() {
        return Ok(());
    }
    let cautions: Vec<_> =
        cautions.into_iter().map(|(place, whys)| (place, whys.join("; "))).collect();
    let each = cautions.iter().map(|((owner, contact), why)| (*owner, *contact, why.as_str()));
    Ok(set.caution(each)?)
}

/// How many of these changes are shown.
const SHOWN: u32 = 5;

/// Shows the first changes that are to be looked at before they are sent, each with the reason, and says
/// how many there are and what lists them all.
pub(super) fn tell_cautions(set: &ChangeSet) -> Result<(), CliError> {
    let cautioned = set.cautioned()?;
    if cautioned == 0 {
        return Ok(());
    }
    let (changes, is) = (count(cautioned, "change"), if cautioned == 1 { "is" } else { "are" });
    let (crm, named) = (crm(), quoted(&name(set.path())));
    note(format!("{changes} {is} to be looked at first: {crm} show {named} --where has=caution"));
    let first = Selection::states([State::Planned]).cautioned().limit(SHOWN);
    let mut names = Names::of(set.path())?;
    for change in set.changes(&first) {
        let change = change?;
        let before = format!("  {}. ", change.id);
        about(&before, &change, names.of_owner(&change.target)?).into_iter().for_each(note);
        note(indented(&before) + &difference(&change));
        change.caution.map(|caution| indented(&before) + &caution).into_iter().for_each(note);
    }
    let more = cautioned.saturating_sub(u64::from(SHOWN));
    if more > 0 {
        note(format!("  and {more} more"));
    }
    Ok(())
}
