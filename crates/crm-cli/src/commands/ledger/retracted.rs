//! What sets did for wishes that were taken back since.

use std::collections::BTreeMap;

use crm_bulk::{ChangeSet, Selection};
use crm_consent::{Ledger, Retraction, Retractions};

use crate::{
    desk::Desk,
    error::CliError,
    output::{count, crm, moment, quoted},
};

/// What a set or a command turned off.
#[derive(Default)]
struct Done {
    /// Where the wish that was taken back was there by then.
    for_it: u64,
    all: u64,
    is_for_wishes: bool,
}

/// The sets and commands that turned marketing off for what a record took back, in one sentence each.
pub(in crate::commands) fn done_for(
    desk: &Desk,
    ledger: &Ledger,
    record: u64,
) -> Result<Vec<String>, CliError> {
    let retractions = ledger.retractions()?;
    let mut done: BTreeMap<String, Done> = BTreeMap::new();
    let looked = desk.each_turned_off(|off| {
        let value = off.value.as_deref();
        let by = value.map(|value| retractions.of_done(value, &off.at)).transpose()?.flatten();
        let done = done.entry(off.through).or_default();
        done.for_it += u64::from(by.is_some_and(|by| by.record == record));
        done.all += 1;
        done.is_for_wishes = off.is_for_wishes;
        Ok::<_, CliError>(true)
    })?;
    let is_set = |name: &str| looked.sets.iter().any(|set| set.name == name);
    let done = done.into_iter().filter(|(_, done)| done.for_it > 0);
    let told = done.map(|(name, Done { for_it, all, is_for_wishes })| {
        let copies = count(for_it, "copy");
        let undo = format!("{} undo {}", crm(), quoted(&name));
        match (is_set(&name), is_for_wishes, all - for_it) {
            (false, ..) => format!(
                "`{name}` turned off {copies} after the wish came in: look whether that was for it"
            ),
            (true, false, _) => format!(
                "set {name}, which was not made from wishes, turned off {copies} after they came in: \
                 look whether that was for them before you take it back with `{undo}`"
            ),
            (true, true, 0) => {
                format!("set {name} turned off {copies} for it: `{undo}` takes that back")
            }
            (true, true, others) => format!(
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

pub(super) fn told(
    retractions: &Retractions<'_>,
    set: &ChangeSet,
) -> Result<Vec<String>, CliError> {
    if retractions.is_empty() {
        return Ok(Vec::new());
    }
    let mut counted: BTreeMap<u64, (&Retraction, u64)> = BTreeMap::new();
    for change in set.changes(&Selection::all()) {
        let change = change?;
        let by = match (change.value(), change.outcome.at) {
            (Some(value), Some(at)) => retractions.of_done(value, &at.to_string())?,
            (Some(value), None) => retractions.of(value)?,
            (None, _) => None,
        };
        if let Some(by) = by {
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
