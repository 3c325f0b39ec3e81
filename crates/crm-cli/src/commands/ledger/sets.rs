//! What the sets of the ledger say of what is still due.

use std::{
    collections::{HashMap, HashSet},
    fs,
    path::PathBuf,
    time::{Duration, SystemTime},
};

use crm_bulk::{ChangeSet, Selection, State, Target};
use crm_consent::{Due, Ledger, SOURCE};
use crm_mirror::Mirror;

use crate::{desk::Desk, error::CliError};

/// How long a change may take until the feeds tell it.
const LAG: Duration = Duration::from_secs(15 * 60);

/// The sets that plans of the ledger made, the oldest first, without those in the archive.
fn of_ledger(desk: &Desk) -> Result<Vec<PathBuf>, CliError> {
    let mut sets = Vec::new();
    for file in desk.set_files()? {
        // One that cannot be read is told by `crm sets`, and is no reason to do nothing.
        let Ok(info) = ChangeSet::open(&file).and_then(|set| set.info()) else { continue };
        if info.source.as_deref() == Some(SOURCE) && file.starts_with(desk.sets_folder()) {
            sets.push((info.created_at, file));
        }
    }
    sets.sort();
    Ok(sets.into_iter().map(|(_, file)| file).collect())
}

/// The sets of the ledger in which something is still to be sent, the oldest first.
pub(in crate::commands) fn open_sets(desk: &Desk) -> Result<Vec<PathBuf>, CliError> {
    let mut open = Vec::new();
    for file in of_ledger(desk)? {
        if ChangeSet::open(&file)?.totals()?.open() > 0 {
            open.push(file);
        }
    }
    Ok(open)
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
    let (mut done, mut why) = (HashSet::new(), HashMap::new());
    // What the mirror has read before the feeds told it.
    let known_at = mirror.known_at()?.and_then(|at| at.to_system_time());
    let since = known_at.map_or(SystemTime::UNIX_EPOCH, |at| at - LAG);
    for file in of_ledger(desk)? {
        let set = ChangeSet::open(&file)?;
        for change in
            set.changes(&Selection::states(State::ALL.into_iter().filter(|it| it.is_set_aside())))
        {
            let change = change?;
            if let Some(message) = change.outcome.message {
                why.insert(change.target, message);
            }
        }
        let is_older = fs::metadata(&file).and_then(|of| of.modified()).is_ok_and(|at| at < since);
        if is_older {
            continue;
        }
        for change in set.changes(&Selection::states([State::Done])) {
            let change = change?;
            let at = change.outcome.at.and_then(|at| at.to_system_time());
            if at.is_some_and(|at| at >= since) {
                done.insert(change.target);
            }
        }
    }
    due.retain(|due| !done.contains::<Target>(&due.target));
    for due in &mut due {
        if let Some(message) = why.remove(&due.target).filter(|_| due.why.is_none()) {
            due.why = Some(format!("the last set could not: {message}"));
        }
    }
    Ok(due)
}
