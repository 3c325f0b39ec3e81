//! What the page of a set says by the ledger: last days, and what was taken back since.

use crm_bulk::{Change, ChangeSet, LastDay, Report};
use crm_consent::{Clock, Clocks, ConsentError, Ledger, PolicyUsed, Scope, ValuesChanged};
use crm_models::{Preference, Timestamp};

use super::{
    asked::still_stands,
    late::{copy_since, turned_off, words},
    retracted::told,
    sets::is_of_ledger,
};
use crate::{error::CliError, output::moment};

/// Has the page of a set count its last days as the ledger does, and tell what was taken back since.
pub(in crate::commands) fn on_page<'a>(
    mut report: Report<'a>,
    ledger: Option<&'a Ledger>,
    changed: Option<&'a ValuesChanged>,
    set: &ChangeSet,
) -> Result<Report<'a>, CliError> {
    let Some(ledger) = ledger else {
        return Ok(report);
    };
    let (clocks, retractions) = (ledger.clocks()?, ledger.retractions()?);
    report = report.remark(|change| still_stands(ledger, change).ok().flatten());
    for sentence in told(&retractions, set)? {
        report = report.note(sentence);
    }
    // By the wishes that were there when it was planned.
    let info = set.info()?;
    let (created_at, is_of_ledger) = (info.created_at, is_of_ledger(&info));
    let by = created_at.map(|at| at.to_string()).unwrap_or_default();
    if is_of_ledger {
        report = report.note(as_planned(&clocks, created_at));
    }
    let counted = move |received: Option<&str>, change: Option<&Change>, at: Timestamp| {
        let value = change.and_then(Change::value);
        let known = match change.zip(value).filter(|_| received.is_some() || is_of_ledger) {
            // Nobody asks for it any longer.
            Some((_, value)) if retractions.of(value).ok()?.is_some() => return None,
            Some((change, value)) => {
                let since = copy_since(change, changed).map(|at| at.to_string());
                by_wish(&clocks, change, value, (since.as_deref(), &by)).ok()?
            }
            None => Vec::new(),
        };
        if known.is_empty() {
            let (day, days_late) = clocks.last_day(received?, at).ok()?;
            return Some(vec![LastDay::new(day, days_late)]);
        }
        let of_kinds = of_kinds(&known);
        let last = |(preferences, clock): &OfWish| {
            let mut last = LastDay::new(&*clock.counted.last_day, clock.days_late(at));
            last.of = (known.len() > 1).then(|| words(preferences));
            let whys: Vec<_> = of_kinds.clone().into_iter().chain(clock.two_days()).collect();
            last.why = Some(whys.join(" ")).filter(|why| !why.is_empty());
            last
        };
        Some(known.iter().map(last).collect())
    };
    let last_days = move |received: Option<&str>, change: Option<&Change>, at: Timestamp| {
        counted(received, change, at).unwrap_or_default()
    };
    Ok(report.last_days("as the consent ledger counts, holidays left out", last_days))
}

/// What the deadline of an entry is, and what the days below it are.
fn as_planned(clocks: &Clocks<'_>, planned_at: Option<Timestamp>) -> String {
    let since = |policy: &PolicyUsed| {
        let at: Option<Timestamp> = policy.at.as_ref().and_then(|at| at.parse().ok());
        at.is_some_and(|at| Some(at) > planned_at)
    };
    let told =
        "The deadline in the heading of an entry is that of its wish, as it was counted when the \
                set was planned. Each copy has its own last day below"
            .to_owned();
    match clocks.policies_used().iter().rfind(|policy| since(policy)) {
        Some(PolicyUsed { record: Some(record), at, by, .. }) => {
            let at = at.as_deref().map(moment).unwrap_or_default();
            let by = by.as_deref().unwrap_or_default();
            format!(
                "{told}. Since then another policy was set (record {record}, {at} by {by}), so these \
                 days may be others: of the policy in force at the wish and that of today, the one with \
                 the earlier day decides."
            )
        }
        _ => format!("{told}; one that came after its wish has a later one."),
    }
}

/// What one wish turns off of a change, with its clock.
type OfWish = (Vec<Preference>, Clock);

/// What a change turns off, by the wishes that count for it.
fn by_wish(
    clocks: &Clocks<'_>,
    change: &Change,
    value: &str,
    (since, by): (Option<&str>, &str),
) -> Result<Vec<OfWish>, ConsentError> {
    let mut known: Vec<OfWish> = Vec::new();
    for preference in turned_off(change) {
        let Some(clock) = clocks.of((value, Scope::of(preference)), since, by)? else { continue };
        match known.iter_mut().find(|(_, other)| other.record == clock.record) {
            Some((preferences, _)) => preferences.push(preference),
            None => known.push((vec![preference], clock)),
        }
    }
    Ok(known)
}

/// That messages of two kinds have two last days.
fn of_kinds(known: &[OfWish]) -> Option<String> {
    let day = |(_, clock): &OfWish| clock.counted.last_day.clone();
    let first = known.first().map(day)?;
    let told = known.iter().map(|(preferences, clock)| {
        let (day, record) = (&clock.counted.last_day, clock.record);
        format!("{} by {day} (wish of record {record})", words(preferences))
    });
    let told = || told.clone().collect::<Vec<_>>().join("; ");
    known
        .iter()
        .any(|of| day(of) != first)
        .then(|| format!("Each kind has its own wish: {}.", told()))
}
