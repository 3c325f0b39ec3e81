//! How many changes are in which state, kept up to date so that nobody has to count.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard},
};

use crm_mirror::{MirrorError, database::Database, lock::lock};
use rusqlite::{Connection, Row, params};

use super::{
    codes::{self, CREATE, METHOD_PREFERENCES, OF_PERSON},
    columns::{CHANGES, STATE},
    record::NAMED_FLAGS,
};
use crate::{
    current::OWNERS_PER_CALL,
    error::BulkError,
    set::{Action, Change, State, Totals},
};

/// What is kept of one action and state.
struct Total {
    action: i64,
    state: i64,
    changes: u64,
    calls: u64,
}

fn all(database: &Database) -> Result<Vec<Total>, MirrorError> {
    let sql = "SELECT action, state, changes, calls FROM totals WHERE changes > 0";
    database.rows(sql, [], |row| {
        Ok(Total {
            action: row.get("action")?,
            state: row.get("state")?,
            changes: row.get("changes")?,
            calls: row.get("calls")?,
        })
    })
}

/// The states of changes that are not settled, as a set.
pub(super) fn open_states() -> i64 {
    codes::set_of(State::ALL.into_iter().filter(|state| state.is_open()))
}

/// Counts all changes anew.
pub(super) fn recount(connection: &Connection) -> rusqlite::Result<()> {
    // What a change costs: see `calls_of`.
    let sql = format!(
        "DELETE FROM totals;
         INSERT INTO totals
             SELECT action, {STATE}, count(*), sum(CASE
                 WHEN owner_kind = {OF_PERSON}
                 THEN 2 + (SELECT count(*) FROM json_each(coalesce(wanted_more, '{{}}')))
                 WHEN action = {CREATE} THEN 1 + (coalesce(wanted_flags, 0) & {NAMED_FLAGS} <> 0)
                 ELSE 1 END)
             FROM {CHANGES} GROUP BY 1, 2;
         INSERT OR REPLACE INTO meta
             SELECT 'owners', count(*) FROM (
                 SELECT DISTINCT owner_kind, owner_id FROM {CHANGES}
                 WHERE owner_kind < {OF_PERSON} AND 1 << {STATE} & {open} <> 0)
             UNION ALL SELECT 'open', coalesce(sum(changes), 0) FROM totals
                 WHERE action < {METHOD_PREFERENCES} AND 1 << state & {open} <> 0",
        open = open_states()
    );
    connection.execute_batch(&sql)
}

/// How many calls a change costs, without those that read its owner.
fn calls_of(action: &Action) -> i64 {
    match action {
        Action::Update(_) | Action::Delete(_) => 1,
        Action::Create(wanted) => 1 + i64::from(!wanted.change.get_preferences().is_empty()),
        Action::MethodPreferences(wanted) => 2 + i64::try_from(wanted.len()).unwrap_or(i64::MAX),
    }
}

pub(super) fn read(database: &Database) -> Result<Totals, BulkError> {
    let mut totals = Totals::default();
    let sql = format!(
        "SELECT action, {STATE} AS state, count(*) AS changes FROM {CHANGES}
         WHERE repeats IS NOT NULL GROUP BY 1, 2"
    );
    let counted =
        |row: &Row<'_>| Ok(((row.get("action")?, row.get("state")?), row.get("changes")?));
    let repeats: Kept = database.rows(&sql, [], counted)?.into_iter().collect();
    for Total { action, state, changes, .. } in all(database)? {
        let repeated = repeats.get(&(action, state)).copied().unwrap_or_default();
        totals.repeats += repeated;
        let once = changes.saturating_sub(repeated);
        let name = usize::try_from(action).ok().and_then(|action| codes::ACTIONS.get(action));
        if let (Some(name), Some(state), 1..) = (name, codes::read_state(state), once) {
            totals.changes.insert((state, (*name).to_owned()), once);
        }
    }
    Ok(totals)
}

/// How many calls the open changes cost, about: of the owners that had open changes when they were
/// counted, as many are taken to be left as of these changes.
pub(super) fn calls(database: &Database) -> Result<u64, BulkError> {
    let number = |name| -> Result<u64, BulkError> {
        let text = database.meta(name)?;
        Ok(text.and_then(|text| text.parse().ok()).unwrap_or_default())
    };
    let (owners, then) = (number("owners")?, number("open")?);
    let (mut calls, mut now) = (0, 0);
    for total in all(database)?.iter().filter(|total| open_states() >> total.state & 1 == 1) {
        calls += total.calls;
        now += if total.action < METHOD_PREFERENCES { total.changes } else { 0 };
    }
    let owners = (owners * now).div_ceil(then.max(1));
    Ok(calls + owners.div_ceil(OWNERS_PER_CALL as u64))
}

/// Changes as a look at each of them counts them.
#[derive(Debug, Default)]
pub(super) struct Counted {
    changes: Kept,
    with_progress: u64,
}

impl Counted {
    pub(super) fn add(&mut self, action: i64, state: i64, has_progress: bool) {
        *self.changes.entry((action, state)).or_default() += 1;
        self.with_progress += u64::from(has_progress);
    }

    /// Whether these are the totals that a set keeps, which has no progress of a change that it does
    /// not have.
    pub(super) fn are(&self, kept: &Kept, with_progress: u64) -> bool {
        *kept == self.changes && with_progress == self.with_progress
    }
}

/// How many changes there are, by action and state.
pub(crate) type Kept = BTreeMap<(i64, i64), u64>;

/// The totals that the file keeps.
pub(super) fn kept(database: &Database) -> Result<Kept, BulkError> {
    let kept = all(database)?.into_iter();
    Ok(kept.map(|total| ((total.action, total.state), total.changes)).collect())
}

/// How many changes have progress.
pub(super) fn with_progress(database: &Database) -> Result<u64, BulkError> {
    Ok(database.value("SELECT count(*) FROM progress", [])?.unwrap_or_default())
}

/// By how many changes and calls the totals of which action and state become different when a change
/// moves from one state to another.
pub(super) fn differences(action: &Action, [from, to]: [State; 2]) -> [([i64; 2], [i64; 2]); 2] {
    let (code, calls) = (codes::action(action), calls_of(action));
    [(from, -1), (to, 1)].map(|(state, sign)| ([code, codes::state(state)], [sign, sign * calls]))
}

/// What a transaction moves from one state to another.
#[derive(Debug, Default)]
pub(super) struct Moves(Mutex<BTreeMap<(i64, i64), (i64, i64)>>);

impl Moves {
    fn moves(&self) -> MutexGuard<'_, BTreeMap<(i64, i64), (i64, i64)>> {
        lock(&self.0)
    }

    /// Notes that a change is no longer in the state in which it was.
    pub(super) fn add(&self, change: &Change, moved: [State; 2]) {
        let mut moves = self.moves();
        for ([action, state], [changes, calls]) in differences(&change.action, moved) {
            let (all_changes, all_calls) = moves.entry((action, state)).or_default();
            *all_changes += changes;
            *all_calls += calls;
        }
    }

    /// Writes what was moved since the last time.
    pub(super) fn write(&self, database: &Database) -> Result<(), BulkError> {
        for ((action, state), (changes, calls)) in std::mem::take(&mut *self.moves()) {
            if changes == 0 && calls == 0 {
                continue;
            }
            let sql = "INSERT INTO totals VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET
                changes = changes + excluded.changes, calls = calls + excluded.calls";
            database.execute(sql, params![action, state, changes, calls])?;
        }
        Ok(())
    }
}
