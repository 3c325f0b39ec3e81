//! `crm drop`: take single changes out of a set before it is applied.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use clap::Args;
use crm_bulk::{ChangeId, ChangeSet, DropSummary, Remark, Selection, State};
use serde::Serialize;

use super::{
    line::about,
    owner_names::Names,
    select::SelectArgs,
    summary::{Summary, name},
};
use crate::{
    commands::{
        args::{narrow, whole},
        ledger,
    },
    error::CliError,
    globals::{Format, Globals},
    output::{Output, count, crm, note, quoted},
    session,
    signal::until_signal,
    status::Status,
};

/// Take single changes out of a set, before it is applied
///
/// Name them by their numbers, as `crm show` lists them, or by what is common to them. The set keeps
/// what was dropped, by whom and when, and never applies it. Its digest changes, so an approval from
/// before no longer holds. Refused while the set is being applied, and for changes that were sent or
/// may have been.
#[derive(Debug, Args)]
pub(crate) struct DropCommand {
    /// The change set: a file, or the name of one of the desk
    pub(crate) set: PathBuf,

    /// Changes by their numbers
    #[arg(value_name = "CHANGE", value_parser = whole(1_u32, None))]
    changes: Vec<u32>,

    #[command(flatten)]
    select: SelectArgs,

    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,

    /// Who decided it; the set keeps the user of the system beside it
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
}

/// What became of it, for programs.
#[derive(Serialize)]
struct Dropped {
    dropped: u64,
    /// Their numbers.
    changes: Vec<String>,
    /// Changes that are held as well, by their numbers.
    holds: Vec<String>,
    /// Changes that no longer hand a memo over, by their numbers.
    narrowed: Vec<String>,
    /// Selected changes for which nothing would be sent.
    left: u64,
    digest: String,
}

impl DropCommand {
    pub(crate) async fn run(self, globals: &Globals, output: &Output) -> Result<Status, CliError> {
        if self.changes.is_empty() && !self.select.is_any() {
            let say = "say which changes: by number, or with --where, --owner or --text";
            return Err(CliError::Usage(say.to_owned()));
        }
        // What was sent keeps its caution, and cannot be taken out.
        let states = if self.select.asks_for_cautions() { vec![State::Planned] } else { vec![] };
        let which = self.select.narrow(states).map_err(CliError::Usage)?;
        let which = which.numbers(self.changes.iter().copied().map(i64::from));
        let remark = narrow!(Remark::new(), by(self.by.clone()), reason(self.reason.clone()));
        let set = ChangeSet::open(&self.set)?;
        refuse_unknown(&set, &self.changes)?;
        let was_approved = set.approval()?.is_some();
        let dropping = async { Ok::<_, CliError>(set.drop_changes(&which, remark).await?) };
        let summary = match until_signal(dropping).await? {
            Ok(summary) => summary,
            Err(signal) => return Ok(Status::Stopped(signal, None)),
        };
        let (file, set) = (set, name(&self.set));
        if summary.left > 0 {
            let left = count(summary.left, "other change");
            note(format!("left as they are, since nothing would be sent for them: {left}"));
        }
        if summary.dropped == 0 {
            let why = nothing_to_drop(&file, &which)?;
            return Err(CliError::Usage(format!("{set}: nothing was dropped: {why}")));
        }
        tell_resting(&file, &summary);
        tell_wishes(globals, &file, &summary)?;
        if was_approved {
            note("the approval was of the set before: have it approved again");
        }
        match output.format() {
            Format::Table => {
                let mut lines = first(&file, &summary)?;
                lines.push(format!(
                    "{set}: {} dropped; digest {}",
                    count(summary.dropped, "change"),
                    summary.digest.short()
                ));
                let needs_approval = session::requires_approval(globals);
                lines.extend(Summary::of(&file, 0)?.needs_approval(needs_approval).next_lines());
                output.text(&lines.join("\n"))?;
            }
            _ => output.value(&Dropped {
                dropped: summary.dropped,
                changes: numbers(&summary.changes),
                holds: numbers(&summary.holds),
                narrowed: numbers(&summary.narrowed),
                left: summary.left,
                digest: summary.digest.to_string(),
            })?,
        }
        Ok(Status::Done)
    }
}

/// Refuses numbers that a set does not have.
pub(super) fn refuse_unknown(set: &ChangeSet, numbers: &[u32]) -> Result<(), CliError> {
    if numbers.is_empty() {
        return Ok(());
    }
    let mut unknown: BTreeSet<_> = numbers.iter().copied().map(i64::from).collect();
    for change in set.changes(&Selection::all().numbers(unknown.clone())) {
        unknown.remove(&change?.id.get());
    }
    if unknown.is_empty() {
        return Ok(());
    }
    let unknown: Vec<_> = unknown.iter().map(ToString::to_string).collect();
    let (set, unknown) = (name(set.path()), unknown.join(", "));
    Err(CliError::Usage(format!("{set} has no change {unknown}; nothing was dropped")))
}

/// Why nothing of a selection could be dropped.
pub(super) fn nothing_to_drop(set: &ChangeSet, which: &Selection) -> Result<String, CliError> {
    let mut states = BTreeMap::<State, u64>::new();
    for change in set.changes(which) {
        *states.entry(change?.outcome.state).or_default() += 1;
    }
    Ok(match states.keys().collect::<Vec<_>>()[..] {
        [] => "no change is all that was asked for".to_owned(),
        [State::Dropped] => "dropped already".to_owned(),
        _ => {
            let states = states.iter().map(|(state, changes)| format!("{changes} {state}"));
            let states = states.collect::<Vec<_>>().join(", ");
            format!("nothing would be sent for what was asked for: {states}")
        }
    })
}

/// The numbers of changes, for programs.
pub(super) fn numbers(changes: &[ChangeId]) -> Vec<String> {
    changes.iter().map(ToString::to_string).collect()
}

/// `2 changes (4, 9)`.
fn named(changes: &[ChangeId]) -> String {
    format!("{} ({})", count(changes.len() as u64, "change"), numbers(changes).join(", "))
}

/// Says which other changes rest on what was dropped.
pub(super) fn tell_resting(set: &ChangeSet, summary: &DropSummary) {
    let DropSummary { holds, narrowed, .. } = summary;
    if !holds.is_empty() {
        note(format!(
            "held as well: {}, for want of what was dropped: see {} show {} --state held",
            named(holds),
            crm(),
            quoted(&name(set.path()))
        ));
    }
    if !narrowed.is_empty() {
        note(format!(
            "no longer takes a memo over, since the contact that has it stays: {}; whatever else is in \
             them is still made",
            named(narrowed)
        ));
    }
}

/// How many records of the ledger are named.
const RECORDS_NAMED: usize = 5;

/// Says of what was dropped that a wish asks for it which stands.
pub(super) fn tell_wishes(
    globals: &Globals,
    set: &ChangeSet,
    summary: &DropSummary,
) -> Result<(), CliError> {
    let ledger = if summary.dropped > 0 { ledger::of_account(globals) } else { None };
    let Some(ledger) = ledger else {
        return Ok(());
    };
    let (mut wished, mut records, mut others) = (0_u64, BTreeSet::new(), BTreeMap::new());
    let dropped = summary.changes.iter().map(|id| id.get());
    for change in set.changes(&Selection::all().numbers(dropped)) {
        if let Some(asked) = ledger::asked_by(&ledger, &change?)? {
            wished += 1;
            records.insert(asked.wish.record);
            others.extend(asked.others.into_iter().map(|other| (other.record, other)));
        }
    }
    if records.is_empty() {
        return Ok(());
    }
    let named: Vec<_> = records.iter().take(RECORDS_NAMED).map(u64::to_string).collect();
    let more = records.len().saturating_sub(RECORDS_NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    note(format!(
        "{} of what was dropped: the wish stands in the consent ledger (record {}{more}), and the next \
         `crm consent run` carries it out all the same. `crm consent retract RECORD --reason REASON` takes \
         a wish back that was said by itself; one that came with an import goes with the whole import alone",
        count(wished, "change"),
        named.join(", "),
    ));
    let others: Vec<_> = others.into_values().collect();
    ledger::others_in_words(&others).into_iter().for_each(note);
    Ok(())
}

/// How many of the changes that were dropped are shown.
const SHOWN: usize = 20;

/// The first changes that were dropped, as lines.
pub(super) fn first(set: &ChangeSet, summary: &DropSummary) -> Result<Vec<String>, CliError> {
    let shown = summary.changes.iter().take(SHOWN).map(|id| id.get());
    let (mut names, mut lines) = (Names::of(set.path())?, Vec::new());
    for change in set.changes(&Selection::all().numbers(shown)) {
        let change = change?;
        let named = names.of_owner(&change.target)?;
        lines.extend(about(&format!("  {}. ", change.id), &change, named));
    }
    let more = summary.changes.len().saturating_sub(SHOWN);
    if more > 0 {
        lines.push(format!("  and {more} more"));
    }
    Ok(lines)
}
