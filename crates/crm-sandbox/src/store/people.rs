//! The people of Contacts v2.

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Serialize;
use utoipa::ToSchema;

use super::select::Select;
use crate::time_text;

/// A person of Contacts v2, as the database holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ContactResponse)]
#[non_exhaustive]
pub struct StoredPerson {
    /// The person's id, a GUID.
    #[schema(format = Uuid)]
    pub id: String,
    /// The id in another system.
    pub reference_id: Option<String>,
    /// The name.
    pub name: Option<String>,
    /// The title.
    pub title: Option<String>,
    /// Whether the person is archived.
    pub is_archived: bool,
    /// Creation time.
    #[serde(serialize_with = "time_text::serialize")]
    #[schema(format = DateTime)]
    pub created_on: String,
    /// The user who created it.
    pub created_by: i64,
    /// Time of the last change.
    #[serde(serialize_with = "time_text::serialize")]
    #[schema(format = DateTime)]
    pub modified_on: String,
    /// The user of the last change.
    pub modified_by: i64,
}

const COLUMNS: &str =
    "id, reference_id, name, title, is_archived, created_on, created_by, modified_on, modified_by";

pub(crate) fn select() -> Select {
    Select::new(COLUMNS, "people")
}

pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<StoredPerson> {
    Ok(StoredPerson {
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
    db.prepare_cached("SELECT 1 FROM people WHERE id = ?")?.exists([id])
}

pub(crate) fn find(db: &Connection, id: &str) -> rusqlite::Result<Option<StoredPerson>> {
    let sql = format!("SELECT {COLUMNS} FROM people WHERE id = ?");
    db.prepare_cached(&sql)?.query_row([id], read).optional()
}

/// Stores a person, new or changed.
pub(crate) fn save(db: &Connection, person: &StoredPerson) -> rusqlite::Result<()> {
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
    db.prepare_cached("DELETE FROM people WHERE id = ?")?.execute([id]).map(|deleted| deleted > 0)
}
