//! What sets turned off after its last day.

use std::path::Path;

use crm_bulk::{Change, ChangeSet, Image, Selection, State};
use crm_consent::{Effect, Fact, Ledger, ValuesChanged};
use crm_mirror::{Mirror, clock};
use crm_models::Timestamp;

use crate::{desk::Desk, error::CliError, globals::Globals, session};

/// Which contacts got another number or address, by the mirror of a desk, if that can be read.
pub(in crate::commands) fn values_changed(
    ledger: Option<&Ledger>,
    desk: Option<&Desk>,
) -> Option<ValuesChanged> {
    let mirror = Mirror::open(desk?.mirror()).ok()?;
    ledger?.values_changed(&mirror).ok()
}

/// The same by the desk of the account.
pub(in crate::commands) fn values_changed_of_account(
    globals: &Globals,
    ledger: Option<&Ledger>,
) -> Option<ValuesChanged> {
    let place = session::desk(globals, "its path").ok().filter(|_| !globals.sandbox)?;
    values_changed(ledger, place.existing().ok()?)
}

/// Since when the record of a change is a copy of its number or address.
pub(super) fn copy_since(change: &Change, changed: Option<&ValuesChanged>) -> Option<Timestamp> {
    let contact = change.before.as_ref().and_then(Image::as_contact);
    let created = contact.and_then(|contact| contact.created());
    changed.map_or(created, |changed| changed.copy_since(&change.target, created))
}

/// How many copies a set has turned off since a moment that were late.
pub(in crate::commands) fn turned_off_late(
    ledger: &Ledger,
    desk: &Desk,
    set: &Path,
    since: Timestamp,
) -> Result<u64, CliError> {
    let (clocks, now) = (ledger.clocks()?, clock::now());
    let changed = ledger.values_changed(&Mirror::open(desk.mirror())?)?;
    let mut late = 0;
    for change in ChangeSet::open(set)?.changes(&Selection::states([State::Done])) {
        let change = change?;
        let at = change.outcome.at.filter(|at| *at >= since);
        let Some((value, at)) = change.value().zip(at) else { continue };
        let came = copy_since(&change, Some(&changed));
        let came = came.map(|at| Fact { at, effect: Effect::Came, is_exact: true });
        let off = Fact { at, effect: Effect::Off, is_exact: true };
        let facts: Vec<_> = came.into_iter().chain([off]).collect();
        late += u64::from(clocks.judge(value, &facts, now)?.is_late());
    }
    Ok(late)
}
