//! Changes of one set that are about one record.

use std::collections::HashMap;

use crm_mirror::database::Database;
use crm_models::ContactType;
use rusqlite::{params, params_from_iter, types::Value};

use super::{
    codes::{self, CREATE},
    columns::{CHANGES, ChangeColumns},
};
use crate::{
    error::BulkError,
    set::{Action, Change, State, Wanted},
};

/// How many records are looked at before their changes are: a list may name each twice.
const RECORDS: i64 = 1_000;

/// Several changes of one record.
pub(super) fn resolve(database: &Database) -> Result<(), BulkError> {
    let groups = "SELECT owner_kind, owner_id, contact_id FROM planned
             WHERE contact_id IS NOT NULL AND (owner_kind, owner_id, contact_id) > (?, ?, ?)
             GROUP BY 1, 2, 3 HAVING count(*) > 1 ORDER BY 1, 2, 3 LIMIT ?";
    let members =
        "SELECT id, coalesce(row, 0) AS of_row, action, wanted_type, wanted_value, wanted_memo,
                 wanted_flags, wanted_more
             FROM planned
             WHERE owner_kind = ? AND owner_id = ? AND contact_id = ? ORDER BY id";
    let limit = Value::Integer(RECORDS);
    // Before all of them: no kind of owner is negative.
    let mut last = [Value::Integer(-1), Value::Integer(0), Value::Integer(0)];
    loop {
        let behind = params_from_iter(last.iter().chain([&limit]));
        let some: Vec<[Value; 3]> = database.rows(groups, behind, |row| {
            Ok([row.get("owner_kind")?, row.get("owner_id")?, row.get("contact_id")?])
        })?;
        let Some(newest) = some.last() else {
            return Ok(());
        };
        last = newest.clone();
        for record in some {
            let members = database.rows(members, params_from_iter(record), |row| {
                let wish: [Value; 6] = [
                    row.get("action")?,
                    row.get("wanted_type")?,
                    row.get("wanted_value")?,
                    row.get("wanted_memo")?,
                    row.get("wanted_flags")?,
                    row.get("wanted_more")?,
                ];
                Ok((row.get("id")?, row.get("of_row")?, wish))
            })?;
            set_aside(database, &members)?;
        }
    }
}

/// Deletions for which a contact is to stand in that the set deletes as well.
pub(super) fn refuse_lost_stand_ins(database: &Database) -> Result<(), BulkError> {
    let sql = "UPDATE planned SET verdict = ?1, digest = NULL,
            note = 'contact ' || (wanted_more ->> '$.contact')
                || ', which is to stay in its place, is deleted by another row'
         WHERE action = ?2 AND wanted_more IS NOT NULL AND verdict = ?3 AND EXISTS (
            SELECT 1 FROM planned other
            WHERE other.owner_kind = planned.owner_kind AND other.owner_id = planned.owner_id
                AND other.contact_id = planned.wanted_more ->> '$.contact'
                AND other.action = ?2 AND other.verdict = ?3)";
    let (conflict, planned) = (codes::state(State::Conflict), codes::state(State::Planned));
    database.execute(sql, params![conflict, codes::DELETE, planned])?;
    Ok(())
}

/// Deletions whose memo the contact that stands in is still to take over, and that no change of the
/// set hands over.
pub(super) fn hold_without_hand_over(database: &Database, ids: &[i64]) -> Result<(), BulkError> {
    let sql = "UPDATE planned SET verdict = ?1, digest = NULL,
            note = coalesce(note || '; ', '') || 'contact ' || (wanted_more ->> '$.contact')
                || ', which is to stay in its place, lacks the memo, and no change of this set hands it over'
         WHERE id = ?2 AND verdict = ?3 AND NOT EXISTS (
            SELECT 1 FROM planned other
            WHERE other.owner_kind = planned.owner_kind AND other.owner_id = planned.owner_id
                AND other.contact_id = planned.wanted_more ->> '$.contact'
                AND other.action = ?4 AND other.verdict = ?3 AND other.wanted_memo IS NOT NULL)";
    let [held, planned] = [State::Held, State::Planned].map(codes::state);
    for id in ids {
        database.execute(sql, params![held, id, planned, codes::UPDATE])?;
    }
    Ok(())
}

/// Several creations of one number or address on one owner, however it is written.
pub(super) fn resolve_creations(database: &Database) -> Result<(), BulkError> {
    let sql = format!(
        "SELECT {} FROM {CHANGES}
         WHERE action = {CREATE} AND verdict = ? ORDER BY owner_kind, owner_id, id",
        ChangeColumns::NAMES
    );
    let mut query = database.check(database.connection.prepare(&sql))?;
    let at = database.check(ChangeColumns::of(&query))?;
    let mut rows = database.check(query.query([codes::state(State::Planned)]))?;
    let mut repeats = Vec::new();
    let mut owner = None;
    let mut of_owner = HashMap::<_, Vec<Creation>>::new();
    while let Some(row) = database.check(rows.next())? {
        let Change { id, row, target, action, .. } = database.check(at.read(row))?;
        if owner.as_ref() != Some(&target.owner()) {
            owner = Some(target.owner());
            repeats.extend(several(&mut of_owner));
        }
        let Action::Create(mut wanted) = action else {
            continue;
        };
        if wanted.exact {
            continue;
        }
        let key = creation_key(&wanted);
        wanted.change = wanted.change.value("");
        of_owner.entry(key).or_default().push((id.0, row.unwrap_or_default(), wanted));
    }
    repeats.extend(several(&mut of_owner));
    repeats.iter().try_for_each(|group| set_aside(database, group))
}

/// Changes of one record, each with its row and what it asks for: alike, the first one
/// stays; different, none does.
fn set_aside<W: PartialEq>(
    database: &Database,
    members: &[(i64, u64, W)],
) -> Result<(), BulkError> {
    let Some((first_id, first_row, first)) = members.first() else {
        return Ok(());
    };
    let alike = members.iter().all(|(_, _, wanted)| wanted == first);
    for (id, row, _) in members.iter().skip(usize::from(alike)) {
        let (state, why) = if alike {
            (State::Already, format!("line {} asks for the same", line(database, *first_row)?))
        } else {
            (State::Conflict, contradiction(database, members, *row)?)
        };
        // What cannot be made for one of them can be made for none, and is told once.
        let sql = "UPDATE planned SET verdict = ?1, note = ?2, repeats = ?3, digest = NULL
            WHERE id = ?4 AND (1 << verdict & ?5 <> 0
                OR verdict = (SELECT verdict FROM planned WHERE id = ?3))";
        let repeats = alike.then_some(first_id);
        let undecided = codes::set_of([State::Planned, State::Already]);
        database.execute(sql, params![codes::state(state), why, repeats, id, undecided])?;
    }
    Ok(())
}

/// How many of the rows that contradict one are named to it.
const ROWS_TOLD: usize = 5;

/// What a row is told of the other ones that are about its record.
fn contradiction<W>(
    database: &Database,
    members: &[(i64, u64, W)],
    row: u64,
) -> Result<String, BulkError> {
    let others = members.iter().map(|(_, other, _)| *other);
    let told = others.filter(|other| *other != row).take(ROWS_TOLD);
    let told: Vec<_> = told
        .map(|other| Ok(line(database, other)?.to_string()))
        .collect::<Result<_, BulkError>>()?;
    let lines = if told.len() == 1 { "line" } else { "lines" };
    let told = told.join(", ");
    Ok(match members.len() - 1 {
        all if all > ROWS_TOLD => {
            let more = all - ROWS_TOLD;
            format!("contradicts {lines} {told} and {more} more about this contact")
        }
        _ => format!("contradicts {lines} {told} about this contact"),
    })
}

/// The line on which a row starts, by which every other message names it.
fn line(database: &Database, row: u64) -> Result<u64, BulkError> {
    let sql = "SELECT row + other_lines FROM rows WHERE row = ?";
    Ok(database.value(sql, [row])?.unwrap_or(row))
}

/// A creation: its number, its row, and what it asks for besides the value.
type Creation = (i64, u64, Wanted);

/// The creations of one owner that are about the same number or address.
fn several<K>(of_owner: &mut HashMap<K, Vec<Creation>>) -> Vec<Vec<Creation>> {
    let groups = of_owner.drain().map(|(_, group)| group);
    groups.filter(|group| group.len() > 1).collect()
}

/// What two creations of the same number or address have in common: see
/// [`CreateContactRequest::is_same`](crm_models::CreateContactRequest::is_same).
fn creation_key(wanted: &Wanted) -> (Option<ContactType>, String) {
    let family = match wanted.change.get_contact_type() {
        Some(ContactType::MobilePhone) => Some(ContactType::Phone),
        other => other.cloned(),
    };
    let value = wanted.change.get_value().unwrap_or_default();
    let key = family.as_ref().map(|family| family.key(value));
    let key = key.filter(|key| !key.is_empty());
    (family, key.unwrap_or_else(|| value.to_owned()))
}

#[cfg(test)]
mod tests {
    use crm_models::ContactChange;

    use super::*;
    use crate::store::file::{
        change_set::ChangeSet,
        changes::Selection,
        test_sets::{add, contact, draft},
    };

    #[test]
    fn what_cannot_be_made_for_several_rows_is_counted_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("set.crm");
        let draft = draft(&path);
        for (row, state) in [(1, State::Failed), (2, State::Failed), (3, State::Planned)] {
            let action = Action::Update(Wanted::of(ContactChange::new().memo("same")));
            let contact_id = if row == 3 { 8 } else { 7 };
            add(&draft, Some(row), contact(5, Some(contact_id)), &action, state);
        }
        draft.finish().unwrap();
        let set = ChangeSet::open(&path).unwrap();
        let totals = set.totals().unwrap();
        let counted = [State::Failed, State::Planned, State::Already].map(|it| totals.in_state(it));
        assert_eq!((counted, totals.all(), totals.repeats()), ([1, 1, 0], 2, 1));
        assert!(set.digest().is_ok());
    }

    #[test]
    fn a_conflict_of_many_rows_names_a_few() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("set.crm");
        let draft = draft(&path);
        for row in 1..=1_000 {
            draft.add_row(row, row + 1, "").unwrap();
            let memo = ContactChange::new().memo(row.to_string());
            let action = Action::Update(Wanted::of(memo));
            add(&draft, Some(row), contact(5, Some(7)), &action, State::Planned);
        }
        draft.finish().unwrap();
        let set = ChangeSet::open(&path).unwrap();
        let changes = set.changes(&Selection::all());
        let told: Vec<_> = changes.filter_map(|change| change.unwrap().outcome.message).collect();
        assert_eq!(told.len(), 1_000);
        let first = "contradicts lines 3, 4, 5, 6, 7 and 994 more about this contact";
        assert_eq!(told[0], first);
        let last = "contradicts lines 2, 3, 4, 5, 6 and 994 more about this contact";
        assert_eq!(told[999], last);
    }
}
