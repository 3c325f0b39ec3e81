//! What a run asks the file.

use crm_mirror::database::Database;
use crm_models::ContactId;
use rusqlite::params;

use super::{
    block::{Block, owner_of, place},
    codes::{self, CREATE},
    columns::{CHANGES, STATE},
    progress::Known,
    record,
    seal::SealedChange,
};
use crate::{
    error::BulkError,
    set::{Action, Change, State},
    store::interface::{Cursor, Loaded, Which},
};

impl Which {
    /// As a condition on a change, in words that SQLite and others understand.
    pub(crate) fn condition(self) -> String {
        let any_of = |is_it: fn(State) -> bool| {
            let all = State::ALL.into_iter().filter(|state| is_it(*state));
            all.map(|state| codes::state(state).to_string()).collect::<Vec<_>>().join(", ")
        };
        let open = format!("{STATE} IN ({})", any_of(State::is_open));
        match self {
            Self::Open => open,
            Self::OpenAndFailed => {
                let again = any_of(|state| matches!(state, State::Failed | State::Held));
                let asks_for_something = record::asks_for_something();
                format!("({open} OR ({STATE} IN ({again}) AND {asks_for_something}))")
            }
        }
    }
}

/// How many changes there are to take up.
pub(super) fn count(database: &Database, which: Which) -> Result<u64, BulkError> {
    let sql = format!("SELECT count(*) FROM {CHANGES} WHERE {}", which.condition());
    Ok(database.value(&sql, [])?.unwrap_or_default())
}

/// The next changes in the order of their owners: see [`Store`](crate::Store::next_block).
pub(super) fn next_block(
    database: &Database,
    known: &Known,
    after: Cursor,
    which: Which,
) -> Result<(Vec<Loaded>, Cursor), BulkError> {
    // The first condition says what the second says more exactly. It is there for SQLite, which
    // searches an index for a comparison of rows (sqlite.org/rowvalue.html), and for no OR of them.
    // Which changes, in order, and then one after another: to sort them whole would copy each of
    // their columns once more. The limit keeps SQLite from making one query of the two, and a cross
    // join from turning them round (sqlite.org/optoverview.html).
    let sql = format!(
        "SELECT {}, coalesce(siblings, beside) AS had_it FROM (
             SELECT id AS next FROM {CHANGES}
             WHERE (owner_kind, owner_id) >= (?1, ?2)
               AND ((owner_kind, owner_id) > (?1, ?2) OR (action <> {CREATE} AND id > ?3))
               AND {}
             ORDER BY owner_kind, owner_id, action <> {CREATE}, id LIMIT -1
         ) CROSS JOIN planned ON id = next LEFT JOIN progress ON change = id",
        SealedChange::select(),
        which.condition()
    );
    let mut query = database.check(database.connection.prepare_cached(&sql))?;
    let siblings = database.check(query.column_index("had_it"))?;
    let (kind, owner) = place(&after);
    let mut rows = database.check(query.query(params![kind, owner, after.change]))?;
    let mut block = Block::after(after);
    while let Some(row) = database.check(rows.next())? {
        let change = database.check(SealedChange::read_row(row))?;
        if !block.takes(&change) {
            break;
        }
        if !database.check(SealedChange::has_progress(row))? {
            known.loaded(&change);
        }
        let mut not_ours = named_by_others(database, &change)?;
        let beside: Option<String> = database.check(row.get(siblings))?;
        not_ours.extend(ids(beside.as_deref()));
        block.add(Loaded { change, not_ours });
    }
    Ok(block.finish())
}

/// The contacts that other changes created, or are about, on the owner of a creation that may
/// have been sent, or that restores what was deleted.
fn named_by_others(database: &Database, change: &Change) -> Result<Vec<ContactId>, BulkError> {
    if !asks_for_neighbours(change) {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT coalesce(created_id, contact_id) AS named FROM {CHANGES}
         WHERE owner_kind = ? AND owner_id = ? AND named IS NOT NULL AND id <> ?"
    );
    let (kind, owner) = owner_of(&change.target);
    let named = database.rows(&sql, params![kind, owner, change.id.0], |row| row.get("named"))?;
    Ok(named.into_iter().filter_map(|id| ContactId::new(id).ok()).collect())
}

/// Whether it is a creation that may have been sent, or that restores what was deleted: what other
/// changes of its owner created, or are about, is not what it created.
pub(crate) fn asks_for_neighbours(change: &Change) -> bool {
    match &change.action {
        Action::Create(wanted) => wanted.exact || change.outcome.state.may_be_sent(),
        _ => false,
    }
}

/// The contacts that a column lists.
pub(crate) fn ids(json: Option<&str>) -> Vec<ContactId> {
    json.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
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
        (1..=450).for_each(|id| add(7, Some(id), Action::Delete(None)));
        for number in 1..=250 {
            let new = crm_models::ContactChange::new().contact_type("Email".into());
            let new = new.value(format!("{number}@site.example"));
            let action = Action::Create(Wanted::of(new));
            add(8, None, action);
        }
        (451..=460).for_each(|id| add(8, Some(id), Action::Delete(None)));
        (1..=120).for_each(|owner| add(1_000 + owner, Some(owner), Action::Delete(None)));
        draft.finish().unwrap();

        let set = ChangeSet::open(folder.path().join("set.crm")).unwrap();
        let (mut met, mut sizes, mut cursor) = (BTreeSet::new(), Vec::new(), Cursor::default());
        loop {
            let known = Known::default();
            let (block, next) = next_block(&set.database, &known, cursor, Which::Open).unwrap();
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
