//! What the sets of the ledger say of what is still due.

use std::{
    collections::HashMap,
    fs,
    path::PathBuf,
    time::{Duration, SystemTime},
};

use crm_bulk::{BulkError, ChangeSet, Image, Selection, SetInfo, State, Target};
use crm_consent::{Due, Ledger, SOURCE};
use crm_mirror::Mirror;

use crate::{
    desk::{Desk, ReadBacks},
    error::CliError,
    output::moment,
};

/// How long a change may take until the feeds tell it.
const LAG: Duration = Duration::from_secs(15 * 60);

/// Sets of the ledger.
#[derive(Debug)]
pub(in crate::commands) struct LedgerSets {
    /// The oldest first.
    pub(in crate::commands) sets: Vec<PathBuf>,
    /// Those of which nobody can tell, and why.
    pub(in crate::commands) passed_over: Vec<(PathBuf, String)>,
}

/// Whether a plan of the ledger made the set.
pub(in crate::commands) fn is_of_ledger(info: &SetInfo) -> bool {
    info.source.as_deref() == Some(SOURCE)
}

/// The sets that plans of the ledger made, without those in the archive.
fn of_ledger(desk: &Desk) -> Result<LedgerSets, CliError> {
    let (mut sets, mut passed_over) = (Vec::new(), Vec::new());
    for file in desk.set_files()? {
        if !file.starts_with(desk.sets_folder()) {
            continue;
        }
        match ChangeSet::open(&file).and_then(|set| set.info()) {
            Ok(info) if !is_of_ledger(&info) => {}
            Ok(info) if info.site != desk.card().site() => {
                passed_over
                    .push((file, "it is of another account, and was passed over".to_owned()));
            }
            Ok(info) => sets.push((info.created_at, file)),
            Err(error) => passed_over.push((file, why_passed_over(&error))),
        }
    }
    sets.sort();
    let sets = sets.into_iter().map(|(_, file)| file).collect();
    Ok(LedgerSets { sets, passed_over })
}

/// A set that was planned from a ledger, if there is one under such a name as these sets get.
pub(super) fn planned_from_one(desk: &Desk) -> Result<Option<PathBuf>, CliError> {
    let is_one = |file: &PathBuf| {
        let name = file.file_stem().unwrap_or_default().to_string_lossy();
        let info = || ChangeSet::open(file).and_then(|set| set.info());
        file.starts_with(desk.sets_folder())
            && name.contains("consent")
            && info().is_ok_and(|info| is_of_ledger(&info))
    };
    Ok(desk.set_files()?.into_iter().find(is_one))
}

/// What is said of a set with which nobody can go on. What it had still to do is planned anew.
pub(in crate::commands) fn why_passed_over(error: &BulkError) -> String {
    format!("it was passed over, and what is due is planned anew; move it away: {error}")
}

/// Finds the sets of the ledger in which something is still to be sent.
pub(in crate::commands) fn open_sets(desk: &Desk) -> Result<LedgerSets, CliError> {
    let LedgerSets { sets, mut passed_over } = of_ledger(desk)?;
    let mut open = Vec::new();
    for file in sets {
        match ChangeSet::open(&file).and_then(|set| set.totals()) {
            Ok(totals) if totals.open() > 0 => open.push(file),
            Ok(_) => {}
            Err(error) => passed_over.push((file, why_passed_over(&error))),
        }
    }
    Ok(LedgerSets { sets: open, passed_over })
}

/// What is due by the mirror of a desk, without what its sets have done meanwhile; of what they could
/// not do, why.
pub(in crate::commands) fn due(
    ledger: &Ledger,
    desk: &Desk,
    mirror: &Mirror,
) -> Result<Vec<Due>, CliError> {
    let mut due = ledger.due(mirror)?;
    if due.is_empty() {
        return Ok(due);
    }
    let (mut done, mut why) = (HashMap::<Target, _>::new(), HashMap::new());
    let mut undone = HashMap::new();
    // What the mirror has read before the feeds told it.
    let known_at = mirror.known_at()?.and_then(|at| at.to_system_time());
    let since = known_at.map_or(SystemTime::UNIX_EPOCH, |at| at - LAG);
    for file in of_ledger(desk)?.sets {
        // One that is damaged is told by a run.
        let Ok(set) = ChangeSet::open(&file) else { continue };
        let aside = State::ALL.into_iter().filter(|state| state.is_set_aside());
        for change in set.changes(&Selection::states(aside)) {
            let Ok(change) = change else { break };
            if let Some(message) = change.outcome.message {
                why.insert(change.target, message);
            }
        }
        let is_older = fs::metadata(&file).and_then(|of| of.modified()).is_ok_and(|at| at < since);
        if is_older {
            continue;
        }
        let Ok(read_backs) = ReadBacks::of(&set) else { continue };
        for change in set.changes(&Selection::states([State::Done])) {
            let Ok(change) = change else { break };
            // The service did not keep it, or somebody has changed it back.
            if let Ok(Some(found)) = read_backs.find(&change)
                && found.is_on()
            {
                let (sent, read) = (change.outcome.at, found.at);
                let sent = sent.map(|at| moment(&at.to_string())).unwrap_or_default();
                let told = format!(
                    "sent on {sent} and answered as done; when it was read back on {}: {}",
                    moment(&read.to_string()),
                    found.found
                );
                undone.insert(change.target, told);
                done.remove(&change.target);
                continue;
            }
            let at = change.outcome.at.and_then(|at| at.to_system_time());
            if at.is_some_and(|at| at >= since) {
                let after = change.after.as_ref().and_then(Image::as_contact);
                done.insert(change.target, after.map(|contact| contact.modified_on));
            }
        }
    }
    // Unless the mirror has a later state: it was turned on again since.
    due.retain(|due| match done.get(&due.target) {
        Some(Some(left)) => due.modified_on.is_some_and(|modified| modified > *left),
        Some(None) => false,
        None => true,
    });
    for due in &mut due {
        if let Some(told) = undone.get(&due.target).filter(|_| due.why.is_none()) {
            due.why = Some(told.clone());
        }
        if let Some(message) = why.remove(&due.target).filter(|_| due.why.is_none()) {
            due.why = Some(format!("the last set could not: {message}"));
        }
    }
    Ok(due)
}
