//! What sets turned off after its last day, and what cannot be turned off.

use std::path::Path;

use crm_bulk::{Action, Change, ChangeSet, Image, LastDay, LeftOut, Selection, State};
use crm_consent::{DueKind, Effect, Fact, Ledger, ValuesChanged};
use crm_mirror::{Mirror, clock};
use crm_models::{Preference, Timestamp};

use super::sets::{due, is_of_ledger};
use crate::{
    desk::{Desk, ReadBacks, Whereabouts},
    error::CliError,
    globals::Globals,
    output::count,
    session,
};

/// Which contacts got another number or address, and since when contact methods are there, by the mirror of a
/// desk, if that can be read.
pub(in crate::commands) fn values_changed(
    ledger: Option<&Ledger>,
    desk: Option<&Desk>,
) -> Option<ValuesChanged> {
    let mirror = Mirror::open(desk?.mirror()).ok()?;
    ledger?.values_changed(&mirror).and_then(|changed| changed.with_methods(&mirror)).ok()
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

/// The preferences that a change turns off.
pub(super) fn turned_off(change: &Change) -> Vec<Preference> {
    match &change.action {
        Action::Update(wanted) => {
            let flags = wanted.change.get_preferences();
            flags.iter().filter(|(_, on)| !on).map(|(flag, _)| flag).collect()
        }
        Action::MethodPreferences(wanted) if wanted.values().any(|on| !on) => {
            vec![Preference::MarketingUpdates]
        }
        _ => Vec::new(),
    }
}

/// What preferences are, for people.
pub(super) fn words(preferences: &[Preference]) -> String {
    preferences.iter().map(|preference| preference.words()).collect::<Vec<_>>().join(", ")
}

/// How many copies a set has turned off late, since a moment or at all. What was found to be on again is
/// not turned off: it is still due.
pub(in crate::commands) fn turned_off_late(
    ledger: &Ledger,
    desk: &Desk,
    set: &Path,
    since: Option<Timestamp>,
) -> Result<u64, CliError> {
    let (clocks, now) = (ledger.clocks()?, clock::now());
    let changed = values_changed(Some(ledger), Some(desk));
    let set = ChangeSet::open(set)?;
    let read_backs = ReadBacks::of(&set)?;
    let mut late = 0;
    for change in set.changes(&Selection::states([State::Done])) {
        let change = change?;
        let at = change.outcome.at.filter(|at| since.is_none_or(|since| *at >= since));
        let Some((value, at)) = change.value().zip(at) else { continue };
        if read_backs.find(&change)?.is_some_and(|found| found.is_on()) {
            continue;
        }
        let off = turned_off(&change);
        let came = copy_since(&change, changed.as_ref());
        let facts = |preference| {
            let came = came.map(|at| Fact { at, effect: Effect::Created, is_exact: true });
            let is_off = off.contains(&preference);
            let off = is_off.then_some(Fact { at, effect: Effect::Off, is_exact: true })?;
            Some(came.into_iter().chain([off]).collect())
        };
        let judged = clocks.judge(value, facts, now)?;
        late += u64::from(judged.iter().any(|judged| judged.lateness.is_late()));
    }
    Ok(late)
}

/// How many copies were late, in one sentence; none where none was.
pub(in crate::commands) fn were_late(late: u64) -> Option<String> {
    let verb = if late == 1 { "was" } else { "were" };
    (late > 0).then(|| format!("{} {verb} late when turned off", count(late, "copy")))
}

/// What is due by the mirror of a desk and cannot be set, for the page of a set of its ledger.
fn left_out(ledger: &Ledger, desk: &Desk, set: &ChangeSet) -> Result<Vec<LeftOut>, CliError> {
    if !is_of_ledger(&set.info()?) || !desk.mirror().exists() {
        return Ok(Vec::new());
    }
    let due = due(ledger, desk, &Mirror::open(desk.mirror())?)?.into_iter();
    let left = due.filter(|due| due.kind == DueKind::CannotBeSet).map(|due| {
        let mut last = LastDay::new(due.deadline, due.days_late);
        let receives = |flag: &Preference| due.receives.contains(&flag.option());
        let receives: Vec<_> = Preference::SETTABLE.into_iter().filter(receives).collect();
        last.of = Some(words(&receives));
        last.why = due.other_deadline.map(|other| {
            format!("By another policy it would be {other}; the earlier day decides.")
        });
        LeftOut::new(due.target, due.stored, last, due.why.unwrap_or_default())
    });
    Ok(left.collect())
}

/// The same of a set by the desk of the account.
pub(in crate::commands) fn left_out_of_account(
    globals: &Globals,
    ledger: &Ledger,
    set: &ChangeSet,
) -> Result<Vec<LeftOut>, CliError> {
    let place = session::desk(globals, "its path").ok().filter(|_| !globals.sandbox);
    let desk = place.as_ref().map(Whereabouts::existing).transpose()?.flatten();
    desk.map_or_else(|| Ok(Vec::new()), |desk| left_out(ledger, desk, set))
}
