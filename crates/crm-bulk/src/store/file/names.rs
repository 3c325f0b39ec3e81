//! The names of the owners of a set, and of people, in tables of their own beside what was planned.

use std::collections::HashMap;

use crm_mirror::{OwnerId, database::Database};
use crm_models::PersonId;
use rusqlite::{Row, params};

use super::{
    change_set::ChangeSet,
    codes::{self, OF_PERSON},
    draft::Draft,
};
use crate::{
    error::BulkError,
    set::{Named, NamedOwner, State, Target},
};

/// Whose names are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nameless {
    /// All that have none yet.
    All,
    /// Those of them with a change that is not so already.
    ToDo,
}

/// Where in the order of owners one stands.
type Place = (i64, i64);

fn place(owner: OwnerId) -> Place {
    (codes::owner_kind(owner.kind()), owner.get())
}

fn read(row: &Row<'_>) -> rusqlite::Result<Option<NamedOwner>> {
    let kind = codes::read_owner(row.get("kind")?).unwrap_or_default();
    let Some(owner) = OwnerId::new(kind, row.get("id")?) else {
        return Ok(None);
    };
    let merged_to: Option<i64> = row.get("merged_to")?;
    Ok(Some(NamedOwner {
        owner,
        name: row.get("name")?,
        town: row.get("town")?,
        active: row.get::<_, Option<i64>>("is_inactive")?.is_none(),
        merged_to: merged_to.and_then(|id| OwnerId::new(kind, id)),
    }))
}

fn write(database: &Database, named: &NamedOwner) -> Result<(), BulkError> {
    let (kind, id) = place(named.owner);
    // Most are active: these take no byte for it.
    let is_inactive = (!named.active).then_some(1);
    let merged_to = named.merged_to.map(OwnerId::get);
    let values = params![kind, id, named.name, named.town, is_inactive, merged_to];
    database.execute("INSERT OR IGNORE INTO towns (town) VALUES (?)", [&named.town])?;
    let sql = "INSERT OR REPLACE INTO owners
        VALUES (?, ?, ?, (SELECT id FROM towns WHERE town = ?), ?, ?)";
    database.execute(sql, values)?;
    Ok(())
}

/// The names of people. A set of an earlier version gets the table with the first name.
const PEOPLE: &str = "CREATE TABLE IF NOT EXISTS people (
    id   TEXT PRIMARY KEY,           -- GUID of the person
    name TEXT NOT NULL
) STRICT, WITHOUT ROWID";

fn write_person(database: &Database, person: PersonId, name: &str) -> Result<(), BulkError> {
    let sql = "INSERT OR REPLACE INTO people VALUES (?, ?)";
    database.execute(sql, params![person.to_string(), name])?;
    Ok(())
}

impl ChangeSet {
    /// Returns what people recognize by whose record this is: an owner whose [name was
    /// read](Self::name_owners), or a person.
    ///
    /// # Errors
    ///
    /// A failure to read.
    pub fn named(&self, record: &Target) -> Result<Option<Named>, BulkError> {
        match record {
            Target::Contact { owner, .. } => Ok(self.named_owner(*owner)?.map(Named::Owner)),
            Target::Method { person, .. } => Ok(self.named_person(*person)?.map(Named::Person)),
        }
    }

    fn named_person(&self, person: PersonId) -> Result<Option<String>, BulkError> {
        if !self.has_people()? {
            return Ok(None);
        }
        let sql = "SELECT name FROM people WHERE id = ?";
        Ok(self.database.value(sql, [person.to_string()])?)
    }

    fn has_people(&self) -> Result<bool, BulkError> {
        Ok(self.count("SELECT count(*) FROM sqlite_schema WHERE name = 'people'")? > 0)
    }

    /// The people of the set who have no name yet.
    pub(crate) fn unnamed_people(&self, whose: Nameless) -> Result<Vec<PersonId>, BulkError> {
        let known = if self.has_people()? { "SELECT id FROM people" } else { "" };
        let sql = format!(
            "SELECT DISTINCT owner_id FROM planned
             WHERE owner_kind = {OF_PERSON} AND (?1 OR verdict <> ?2) AND owner_id NOT IN ({known})"
        );
        let values = params![whose == Nameless::All, codes::state(State::Already)];
        let id = |row: &Row<'_>| row.get::<_, String>("owner_id");
        let people = self.database.rows(&sql, values, id)?;
        Ok(people.iter().filter_map(|id| id.parse().ok()).collect())
    }

    /// Keeps the names of people, as a whole or not at all.
    pub(crate) fn keep_people(&self, named: &[(PersonId, String)]) -> Result<(), BulkError> {
        if named.is_empty() {
            return Ok(());
        }
        let database = &self.database;
        let transaction = database.check(database.connection.unchecked_transaction())?;
        database.execute(PEOPLE, [])?;
        named.iter().try_for_each(|(id, name)| write_person(database, *id, name))?;
        Ok(database.check(transaction.commit())?)
    }

    /// Returns what people recognize this owner by, if its [name was
    /// read](Self::name_owners).
    ///
    /// # Errors
    ///
    /// A failure to read.
    pub fn named_owner(&self, owner: OwnerId) -> Result<Option<NamedOwner>, BulkError> {
        let sql = "SELECT kind, o.id AS id, name, t.town AS town, is_inactive, merged_to
            FROM owners o JOIN towns t ON t.id = o.town WHERE kind = ? AND o.id = ?";
        Ok(self.database.row(sql, place(owner), read)?.flatten())
    }

    /// Returns those of these owners whose [name was read](Self::name_owners), with their names. Together
    /// they take far less than one by one: the file is locked once for all.
    ///
    /// # Errors
    ///
    /// A failure to read.
    pub fn named_owners(
        &self,
        owners: impl IntoIterator<Item = OwnerId>,
    ) -> Result<HashMap<OwnerId, NamedOwner>, BulkError> {
        self.database.at_once(|| {
            let named = |owner| Ok(self.named_owner(owner)?.map(|named| (owner, named)));
            owners.into_iter().filter_map(|owner| named(owner).transpose()).collect()
        })
    }

    /// Up to this many owners after `last` that have no name yet.
    pub(crate) fn unnamed_after(
        &self,
        last: Option<OwnerId>,
        limit: usize,
        whose: Nameless,
    ) -> Result<Vec<OwnerId>, BulkError> {
        let (kind, id) = last.map_or((-1, 0), place);
        // `planned_by_record` has all of it in this order: a block is read from its first owner to its
        // last, and nothing is sorted.
        let sql = format!(
            "SELECT owner_kind, owner_id FROM planned
             WHERE (owner_kind, owner_id) > (?1, ?2) AND owner_kind < {OF_PERSON}
               AND (?5 OR verdict <> ?3)
               AND NOT EXISTS (SELECT 1 FROM owners WHERE kind = owner_kind AND id = owner_id)
             GROUP BY owner_kind, owner_id ORDER BY owner_kind, owner_id LIMIT ?4"
        );
        let (already, is_all) = (codes::state(State::Already), whose == Nameless::All);
        let owners =
            self.database.rows(&sql, params![kind, id, already, limit, is_all], |row| {
                let kind = codes::read_owner(row.get("owner_kind")?).unwrap_or_default();
                Ok(OwnerId::new(kind, row.get("owner_id")?))
            })?;
        Ok(owners.into_iter().flatten().collect())
    }

    /// Keeps names, as a whole or not at all.
    pub(crate) fn keep_names(&self, names: &[NamedOwner]) -> Result<(), BulkError> {
        let database = &self.database;
        let transaction = database.check(database.connection.unchecked_transaction())?;
        names.iter().try_for_each(|named| write(database, named))?;
        Ok(database.check(transaction.commit())?)
    }
}

impl Draft {
    /// Keeps the name that another set has of whose record this is.
    pub(crate) fn inherit_name(&self, set: &ChangeSet, record: &Target) -> Result<(), BulkError> {
        let database = self.database();
        match (set.named(record)?, record) {
            (Some(Named::Owner(named)), _) => write(database, &named),
            (Some(Named::Person(name)), Target::Method { person, .. }) => {
                database.execute(PEOPLE, [])?;
                write_person(database, *person, &name)
            }
            _ => Ok(()),
        }
    }
}
