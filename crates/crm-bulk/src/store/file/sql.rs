//! The statements of a run: what the file is told about a change, and what it is asked.

use std::sync::LazyLock;

use crm_models::ContactId;
use rusqlite::{ToSql, params, types::Value};

use super::{
    columns::{contact_column, owner_column},
    seal::{self, SealedChange},
};
use crate::{
    current::OWNERS_PER_CALL,
    database::Database,
    error::BulkError,
    set::{Action, Change, Outcome, State},
    store::interface::{Cursor, Expected, Loaded, Which},
};

impl Which {
    /// As a condition on a change.
    fn condition(self) -> &'static str {
        match self {
            Self::Open => "state IN ('planned', 'in-flight', 'unknown')",
            Self::OpenAndFailed => {
                r#"(state IN ('planned', 'in-flight', 'unknown') OR (state = 'failed'
                    AND coalesce(wanted, '') NOT IN ('{}', '{"exact":true}')))"#
            }
        }
    }
}

/// How many changes there are to take up.
pub(super) fn count(database: &Database, which: Which) -> Result<u64, BulkError> {
    let sql = format!("SELECT count(*) FROM changes WHERE {}", which.condition());
    Ok(database.value(&sql, [])?.unwrap_or_default())
}

/// How many changes are in memory at a time, about.
const CHANGES_PER_BLOCK: usize = 200;

/// The next changes in the order of their owners: see [`Store`](crate::Store::next_block).
pub(super) fn next_block(
    database: &Database,
    after: Cursor,
    which: Which,
) -> Result<(Vec<Loaded>, Cursor), BulkError> {
    let sql = format!(
        "SELECT {}, siblings AS had_it FROM changes
         WHERE (owner_kind, owner_id) >= (?1, ?2)
           AND ((owner_kind, owner_id) > (?1, ?2) OR (action <> 'create' AND id > ?3))
           AND {}
         ORDER BY owner_kind, owner_id, action <> 'create', id",
        SealedChange::select(),
        which.condition()
    );
    let mut query = database.check(database.connection.prepare_cached(&sql))?;
    let at = database.check(SealedChange::of(&query))?;
    let siblings = database.check(query.column_index("had_it"))?;
    let (kind, owner) = place(&after);
    let rows = query.query(params![kind, owner, after.change]);
    let mut rows = database.check(rows)?;
    let mut block = Vec::<Loaded>::new();
    let (mut cursor, mut owners) = (after, 0);
    while let Some(row) = database.check(rows.next())? {
        let change = database.check(at.read(row))?;
        let creates = matches!(change.action, Action::Create(_));
        let last = block.last().map(|loaded| owner_of(&loaded.change));
        let another = last != Some(owner_of(&change));
        let full = block.len() >= CHANGES_PER_BLOCK && (another || !creates);
        if full || (another && owners == OWNERS_PER_CALL) {
            break;
        }
        owners += usize::from(another);
        cursor =
            Cursor { last: Some(change.target), change: if creates { 0 } else { change.id.0 } };
        let beside: Option<String> = database.check(row.get(siblings))?;
        let mut not_ours = named_by_others(database, &change)?;
        not_ours.extend(ids(beside.as_deref()));
        block.push(Loaded { change, not_ours });
    }
    Ok((block, cursor))
}

/// The owner at which a block begins, as two columns.
fn place(cursor: &Cursor) -> (&'static str, Value) {
    match &cursor.last {
        Some(target) => (target.kind(), owner_column(target)),
        None => ("", Value::Null),
    }
}

fn owner_of(change: &Change) -> (&'static str, Value) {
    (change.target.kind(), owner_column(&change.target))
}

/// The contacts that other changes created, or are about, on the owner of a creation that may
/// have been sent, or that restores what was deleted.
fn named_by_others(database: &Database, change: &Change) -> Result<Vec<ContactId>, BulkError> {
    match &change.action {
        Action::Create(wanted) if wanted.exact || change.outcome.state.may_be_sent() => {}
        _ => return Ok(Vec::new()),
    }
    let named = database.rows(
        "SELECT contact_id FROM changes WHERE owner_kind = ? AND owner_id = ?
         AND contact_id IS NOT NULL AND id <> ?",
        params![change.target.kind(), owner_column(&change.target), change.id.0],
        |row| row.get("contact_id"),
    )?;
    Ok(named.into_iter().filter_map(|id| ContactId::new(id).ok()).collect())
}

fn ids(json: Option<&str>) -> Vec<ContactId> {
    json.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
}

/// Marks a change as sent, if it is as expected.
pub(super) fn claim(
    database: &Database,
    expected: Expected,
    change: &Change,
    siblings: Option<&[ContactId]>,
) -> Result<bool, BulkError> {
    let in_flight = Outcome {
        at: change.outcome.at,
        attempts: change.outcome.attempts,
        ..Outcome::new(State::InFlight)
    };
    let found = change.before.is_some();
    swap(database, expected, change, found, &in_flight, siblings)
}

/// Takes a claim back, if the change is as it was claimed.
pub(super) fn release(
    database: &Database,
    attempts: u32,
    former: &Change,
) -> Result<bool, BulkError> {
    let claimed = Expected { state: State::InFlight, attempts };
    swap(database, claimed, former, true, &former.outcome, None)
}

/// Makes a change be so, with this outcome, if it is as expected. `found`: whether its record just
/// before the write is written too.
fn swap(
    database: &Database,
    expected: Expected,
    change: &Change,
    found: bool,
    outcome: &Outcome,
    siblings: Option<&[ContactId]>,
) -> Result<bool, BulkError> {
    static SQL: Progress = LazyLock::new(|| {
        let found = "iif(?15, nullif(?10, before), found)";
        let siblings = "coalesce(?11, siblings)";
        progress(found, siblings).map(|progress| {
            format!(
                "UPDATE changes SET {progress}, found = {found}, siblings = {siblings}
                 WHERE id = ?12 AND state = ?13 AND attempts = ?14"
            )
        })
    });
    let before = json(database, change.before.as_ref())?;
    let siblings = json(database, siblings.as_ref())?;
    let condition = [
        &before as &dyn ToSql,
        &siblings,
        &change.id.0,
        &expected.state.as_str(),
        &expected.attempts,
        &found,
    ];
    write(database, &SQL, change, outcome, &condition).map(|written| written == 1)
}

/// Writes what became of a change.
pub(super) fn settle(database: &Database, change: &Change) -> Result<(), BulkError> {
    static SQL: Progress = LazyLock::new(|| {
        progress("found", "siblings")
            .map(|progress| format!("UPDATE changes SET {progress} WHERE id = ?10"))
    });
    let id: [&dyn ToSql; 1] = [&change.id.0];
    write(database, &SQL, change, &change.outcome, &id).map(drop)
}

/// The statement for a change whose record stays the same, and that for a creation, which may
/// receive one: naming the column has SQLite write the index over the records anew.
type Progress = LazyLock<[String; 2]>;

/// What every write sets to the first nine values of [`write`], and the seal over the row as it
/// is then, with these two columns.
fn progress(found: &str, siblings: &str) -> [String; 2] {
    let seal = seal::expression(|column| match column {
        "state" => "?1",
        "message" => "?2",
        "field_errors" => "?3",
        "trace_id" => "?4",
        "http_status" => "?5",
        "at" => "?6",
        "attempts" => "?7",
        "contact_id" => "?8",
        "after" => "?9",
        "found" => found,
        "siblings" => siblings,
        unchanged => unchanged,
    });
    ["", "contact_id = ?8,"].map(|contact| {
        format!(
            "{contact} state = ?1, message = ?2, field_errors = ?3, trace_id = ?4,
             http_status = ?5, at = ?6, attempts = ?7, after = ?9, seal = {seal}"
        )
    })
}

/// Writes what progress changes of a change, and says in how many changes.
fn write(
    database: &Database,
    sql: &[String; 2],
    change: &Change,
    outcome: &Outcome,
    more: &[&dyn ToSql],
) -> Result<usize, BulkError> {
    let after = json(database, change.after.as_ref())?;
    let at = outcome.at.map(|at| at.to_string());
    let contact = contact_column(&change.target);
    let state = outcome.state.as_str();
    let progress: [&dyn ToSql; 9] = [
        &state,
        &outcome.message,
        &outcome.field_errors,
        &outcome.trace_id,
        &outcome.http_status,
        &at,
        &outcome.attempts,
        &contact,
        &after,
    ];
    let values = rusqlite::params_from_iter(progress.iter().chain(more));
    let sql = &sql[usize::from(matches!(change.action, Action::Create(_)))];
    database.execute(sql, values)
}

fn json<V: serde::Serialize>(
    database: &Database,
    value: Option<&V>,
) -> Result<Option<String>, BulkError> {
    let json = value.map(serde_json::to_string).transpose();
    json.map_err(|e| BulkError::file(database.path(), "written", e.into()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{
        set::Wanted,
        store::file::{change_set::ChangeSet, test_sets},
    };

    #[test]
    fn blocks_are_bounded_and_nothing_is_left_out_or_met_twice() {
        let folder = tempfile::tempdir().unwrap();
        let draft = test_sets::draft(&folder.path().join("set.crm"));
        let mut expected = BTreeSet::new();
        let mut add = |owner: i64, contact: Option<i64>, action: Action| {
            let target = test_sets::contact(owner, contact);
            test_sets::add(&draft, None, target, &action, State::Planned);
            expected.insert(i64::try_from(expected.len() + 1).unwrap());
        };
        // One owner with many, one with many creations, many with one.
        (1..=450).for_each(|id| add(7, Some(id), Action::Delete));
        for number in 1..=250 {
            let new = crm_models::ContactChange::new().contact_type("Email".into());
            let new = new.value(format!("{number}@site.example"));
            let action = Action::Create(Wanted::of(new));
            add(8, None, action);
        }
        (451..=460).for_each(|id| add(8, Some(id), Action::Delete));
        (1..=120).for_each(|owner| add(1_000 + owner, Some(owner), Action::Delete));
        draft.finish().unwrap();

        let set = ChangeSet::open(folder.path().join("set.crm")).unwrap();
        let (mut met, mut sizes, mut cursor) = (BTreeSet::new(), Vec::new(), Cursor::default());
        loop {
            let (block, next) = next_block(&set.database, cursor, Which::Open).unwrap();
            if block.is_empty() {
                break;
            }
            cursor = next;
            sizes.push(block.len());
            let news = block.iter().all(|loaded| met.insert(loaded.change.id.0));
            assert!(news, "each once");
        }
        assert_eq!(met, expected);
        // The rest of owner 7 and all creations of owner 8 are one block.
        assert_eq!(sizes, [200, 200, 300, 59, 50, 21]);
    }
}
