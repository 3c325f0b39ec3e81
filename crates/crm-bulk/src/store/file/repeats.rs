//! Changes of one set that are about one record.

use std::collections::HashMap;

use crm_models::ContactType;
use rusqlite::{params, params_from_iter, types::Value};

use crate::{
    database::Database,
    error::BulkError,
    set::{State, Wanted},
};

columns! {
    /// The columns of a creation.
    struct CreationColumns { owner_kind, owner_id, id, of_row, wanted }
}

/// Several changes of one record.
pub(super) fn resolve(database: &Database) -> Result<(), BulkError> {
    let groups = "SELECT owner_kind, owner_id, contact_id FROM changes
             WHERE contact_id IS NOT NULL GROUP BY 1, 2, 3 HAVING count(*) > 1";
    let members =
        "SELECT id, coalesce(row, 0) AS of_row, action || coalesce(wanted, '') AS asks_for
             FROM changes
             WHERE owner_kind = ? AND owner_id = ? AND contact_id = ? ORDER BY id";
    let groups: Vec<[Value; 3]> = database.rows(groups, [], |row| {
        Ok([row.get("owner_kind")?, row.get("owner_id")?, row.get("contact_id")?])
    })?;
    for record in groups {
        let members = database.rows(members, params_from_iter(record), |row| {
            Ok((row.get("id")?, row.get("of_row")?, row.get::<_, String>("asks_for")?))
        })?;
        set_aside(database, &members)?;
    }
    Ok(())
}

/// Several creations of one number or address on one owner, however it is written.
pub(super) fn resolve_creations(database: &Database) -> Result<(), BulkError> {
    let sql = "SELECT owner_kind, owner_id, id, coalesce(row, 0) AS of_row, wanted FROM changes
             WHERE action = 'create' AND state = 'planned' AND wanted ->> '$.exact' IS NULL
             ORDER BY owner_kind, owner_id, id";
    let mut query = database.check(database.connection.prepare(sql))?;
    let at = database.check(CreationColumns::of(&query))?;
    let mut rows = database.check(query.query([]))?;
    let mut repeats = Vec::new();
    let mut owner = None;
    let mut of_owner = HashMap::<_, Vec<Creation>>::new();
    while let Some(row) = database.check(rows.next())? {
        let read = || -> rusqlite::Result<(_, _, String)> {
            let owner: (String, Value) = (row.get(at.owner_kind)?, row.get(at.owner_id)?);
            Ok((owner, (row.get(at.id)?, row.get(at.of_row)?), row.get(at.wanted)?))
        };
        let (next, (id, row), wanted) = database.check(read())?;
        if owner.as_ref() != Some(&next) {
            owner = Some(next);
            repeats.extend(several(&mut of_owner));
        }
        let Ok(mut wanted) = serde_json::from_str::<Wanted>(&wanted) else {
            continue;
        };
        let key = creation_key(&wanted);
        wanted.change = wanted.change.value("");
        of_owner.entry(key).or_default().push((id, row, wanted));
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
            (State::Already, format!("row {first_row} asks for the same"))
        } else {
            (State::Conflict, contradiction(members, *row))
        };
        let sql = "UPDATE changes SET state = ?, message = ?, repeats = ?,
                verdict = NULL, digest = NULL WHERE id = ?
                AND state IN ('planned', 'already')";
        let repeats = alike.then_some(first_id);
        database.execute(sql, params![state.as_str(), why, repeats, id])?;
    }
    Ok(())
}

/// How many of the rows that contradict one are named to it.
const ROWS_TOLD: usize = 5;

/// What a row is told of the other ones that are about its record.
fn contradiction<W>(members: &[(i64, u64, W)], row: u64) -> String {
    let others = members.iter().map(|(_, other, _)| *other);
    let told = others.filter(|other| *other != row).take(ROWS_TOLD);
    let told: Vec<_> = told.map(|other| other.to_string()).collect();
    let told = told.join(", ");
    match members.len() - 1 {
        all if all > ROWS_TOLD => {
            let more = all - ROWS_TOLD;
            format!("contradicts row {told} and {more} more about this contact")
        }
        _ => format!("contradicts row {told} about this contact"),
    }
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
    use crate::{
        set::Action,
        store::file::{
            change_set::ChangeSet,
            changes::Selection,
            test_sets::{contact, draft},
        },
    };

    #[test]
    fn a_conflict_of_many_rows_names_a_few() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("set.crm");
        let draft = draft(&path);
        for row in 1..=1_000 {
            let memo = ContactChange::new().memo(row.to_string());
            let action = Action::Update(Wanted::of(memo));
            draft.add_unread(Some(row), contact(5, Some(7)), &action).unwrap();
        }
        draft.batch("UPDATE changes SET state = 'planned'").unwrap();
        draft.finish().unwrap();
        let set = ChangeSet::open(&path).unwrap();
        let changes = set.changes(&Selection::all());
        let told: Vec<_> = changes.filter_map(|change| change.unwrap().outcome.message).collect();
        assert_eq!(told.len(), 1_000);
        let first = "contradicts row 2, 3, 4, 5, 6 and 994 more about this contact";
        assert_eq!(told[0], first);
        let last = "contradicts row 1, 2, 3, 4, 5 and 994 more about this contact";
        assert_eq!(told[999], last);
    }
}
