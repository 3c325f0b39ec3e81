//! The people of Contacts v2.

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Serialize;
use utoipa::ToSchema;

use super::select::Select;
use crate::time_text;

/// A person, stored as the API answers it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ContactResponse)]
pub(crate) struct Person {
    #[schema(format = Uuid)]
    pub(crate) id: String,
    pub(crate) reference_id: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) title: Option<String>,
    pub(crate) is_archived: bool,
    #[serde(serialize_with = "time_text::serialize")]
    #[schema(format = DateTime)]
    pub(crate) created_on: String,
    pub(crate) created_by: i64,
    #[serde(serialize_with = "time_text::serialize")]
    #[schema(format = DateTime)]
    pub(crate) modified_on: String,
    pub(crate) modified_by: i64,
}

const COLUMNS: &str =
    "id, reference_id, name, title, is_archived, created_on, created_by, modified_on, modified_by";

pub(crate) fn select() -> Select {
    Select::new(COLUMNS, "people")
}

pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<Person> {
    Ok(Person {
        id: row.get(0)?,
        reference_id: row.get(1)?,
        name: row.get(2)?,
        title: row.get(3)?,
        is_archived: row.get(4)?,
        created_on: row.get(5)?,
        created_by: row.get(6)?,
        modified_on: row.get(7)?,
        modified_by: row.get(8)?,
    })
}

pub(crate) fn exists(db: &Connection, id: &str) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT 1 FROM people WHERE id = ?")?
        .exists([id])
}

pub(crate) fn find(db: &Connection, id: &str) -> rusqlite::Result<Option<Person>> {
    let sql = format!("SELECT {COLUMNS} FROM people WHERE id = ?");
    db.prepare_cached(&sql)?.query_row([id], read).optional()
}

/// Stores a person, new or changed.
pub(crate) fn save(db: &Connection, person: &Person) -> rusqlite::Result<()> {
    // Not INSERT OR REPLACE: that would delete the row, and with it whatever
    // belongs to the person.
    let sql = format!(
        "INSERT INTO people ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET
             reference_id = excluded.reference_id,
             name = excluded.name,
             title = excluded.title,
             is_archived = excluded.is_archived,
             modified_on = excluded.modified_on,
             modified_by = excluded.modified_by"
    );
    db.prepare_cached(&sql)?
        .execute(params![
            person.id,
            person.reference_id,
            person.name,
            person.title,
            person.is_archived,
            person.created_on,
            person.created_by,
            person.modified_on,
            person.modified_by,
        ])
        .map(drop)
}

/// Deletes a person with methods and relationships, and says whether there
/// was one.
pub(crate) fn delete(db: &Connection, id: &str) -> rusqlite::Result<bool> {
    db.prepare_cached("DELETE FROM people WHERE id = ?")?
        .execute([id])
        .map(|deleted| deleted > 0)
}
