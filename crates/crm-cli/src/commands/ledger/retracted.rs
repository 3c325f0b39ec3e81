//! What sets did for wishes that were taken back since.

use std::collections::BTreeMap;

use crm_bulk::{Change, ChangeSet, Report, Selection, SetInfo};
use crm_consent::{Ledger, Retraction, Retractions, SOURCE, ValuesChanged};

use super::late::copy_since;
use crate::{
    desk::Desk,
    error::CliError,
    output::{count, crm, moment, quoted},
};

/// The sets and commands that turned marketing off for what a record took back, in one sentence each.
pub(in crate::commands) fn done_for(
    desk: &Desk,
    ledger: &Ledger,
    record: u64,
) -> Result<Vec<String>, CliError> {
    let retractions = ledger.retractions()?;
    let mut done: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    let looked = desk.each_turned_off(|off| {
        let by = off.value.as_deref().map(|value| retractions.of(value)).transpose()?.flatten();
        let (for_it, all) = done.entry(off.through).or_default();
        *for_it += u64::from(by.is_some_and(|by| by.record == record));
        *all += 1;
        Ok::<_, CliError>(true)
    })?;
    let is_set = |name: &str| looked.sets.iter().any(|set| set.name == name);
    let done = done.into_iter().filter(|(_, (for_it, _))| *for_it > 0);
    let told = done.map(|(name, (for_it, all))| {
        let copies = count(for_it, "copy");
        if !is_set(&name) {
            return format!("`{name}` turned off {copies} for it");
        }
        let undo = format!("{} undo {}", crm(), quoted(&name));
        match all - for_it {
            0 => format!("set {name} turned off {copies} for it: `{undo}` takes that back"),
            others => format!(
                "set {name} turned off {copies} for it, and {} for others: `{undo}` takes the first \
                 back and holds the others as long as their wishes stand",
                count(others, "copy")
            ),
        }
    });
    Ok(told
        .chain(looked.missing.iter().map(|missing| format!("not looked at: {missing}")))
        .collect())
}

/// What was taken back since of that for which a set was made, in one sentence each.
pub(in crate::commands) fn taken_back(
    ledger: Option<&Ledger>,
    set: &ChangeSet,
) -> Result<Vec<String>, CliError> {
    ledger.map_or_else(|| Ok(Vec::new()), |ledger| told(&ledger.retractions()?, set))
}

fn told(retractions: &Retractions<'_>, set: &ChangeSet) -> Result<Vec<String>, CliError> {
    if retractions.is_empty() {
        return Ok(Vec::new());
    }
    let mut counted: BTreeMap<u64, (&Retraction, u64)> = BTreeMap::new();
    for change in set.changes(&Selection::all()) {
        let change = change?;
        let value = change.value().map(|value| retractions.of(value)).transpose()?;
        if let Some(by) = value.flatten() {
            counted.entry(by.record).or_insert((by, 0)).1 += 1;
        }
    }
    Ok(counted.into_values().map(|(by, changes)| sentence(by, changes)).collect())
}

fn sentence(by: &Retraction, changes: u64) -> String {
    let Retraction { record, at, by, reason, of, file, .. } = by;
    let what = match file {
        Some(file) => format!("import {of} ({file})"),
        None => format!("the wish of record {of}"),
    };
    let reason = reason.as_ref().map(|reason| format!(": \"{reason}\"")).unwrap_or_default();
    format!(
        "{} on numbers and addresses of {what}, which was taken back by record {record} on {} by \
         {by}{reason}.",
        count(changes, "change"),
        moment(at)
    )
}

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
    for sentence in told(&retractions, set)? {
        report = report.note(sentence);
    }
    // By the wishes that were there when it was planned.
    let SetInfo { created_at, source, .. } = set.info()?;
    let by = created_at.map(|at| at.to_string()).unwrap_or_default();
    let is_of_ledger = source.as_deref() == Some(SOURCE);
    let last_day = move |received: Option<&str>, change: Option<&Change>| {
        let value = change.and_then(Change::value);
        let known = match change.zip(value).filter(|_| received.is_some() || is_of_ledger) {
            // Nobody asks for it any longer.
            Some((_, value)) if retractions.of(value).ok()?.is_some() => return None,
            Some((change, value)) => {
                let since = copy_since(change, changed).map(|at| at.to_string());
                clocks.of(value, since.as_deref(), &by).ok()?
            }
            None => None,
        };
        let [day, ends] = match known {
            Some(clock) => [clock.counted.last_day.clone(), clock.ends()],
            None => clocks.last_day(received?).ok()?,
        };
        Some((day, ends.parse().ok()?))
    };
    Ok(report.last_day("as the consent ledger counts, holidays left out", last_day))
}
