//! The contact methods of people: their numbers and addresses.

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Serialize;
use utoipa::ToSchema;

use super::select::Select;
use crate::{contact_type::ContactType, time_text};

/// A contact method of a person, as the database holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ContactMethodResponse)]
#[non_exhaustive]
pub struct StoredMethod {
    /// The method's id, a GUID.
    #[schema(format = Uuid)]
    pub id: String,
    /// The person.
    #[serde(rename = "contactId")]
    #[schema(format = Uuid)]
    pub person_id: String,
    /// The id in another system.
    pub reference_id: Option<String>,
    /// `Phone`, `MobilePhone`, `Email` or `Fax`.
    #[serde(rename = "type")]
    #[schema(value_type = ContactType)]
    pub contact_type: String,
    /// The number or address.
    pub value: String,
    /// The note.
    pub memo: Option<String>,
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

const COLUMNS: &str = "id, person_id, reference_id, type, value, memo, \
     created_on, created_by, modified_on, modified_by";

pub(crate) fn select() -> Select {
    Select::new(COLUMNS, "contact_methods")
}

pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<StoredMethod> {
    Ok(StoredMethod {
        id: row.get(0)?,
        person_id: row.get(1)?,
        reference_id: row.get(2)?,
        contact_type: row.get(3)?,
        value: row.get(4)?,
        memo: row.get(5)?,
        created_on: row.get(6)?,
        created_by: row.get(7)?,
        modified_on: row.get(8)?,
        modified_by: row.get(9)?,
    })
}

/// A method by its id, whosever it is.
pub(crate) fn find(db: &Connection, id: &str) -> rusqlite::Result<Option<StoredMethod>> {
    let sql = format!("SELECT {COLUMNS} FROM contact_methods WHERE id = ?");
    db.prepare_cached(&sql)?.query_row([id], read).optional()
}

/// Stores a method, new or changed.
pub(crate) fn save(db: &Connection, method: &StoredMethod) -> rusqlite::Result<()> {
    let sql = format!(
        "INSERT INTO contact_methods ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET
             reference_id = excluded.reference_id,
             type = excluded.type,
             value = excluded.value,
             memo = excluded.memo,
             modified_on = excluded.modified_on,
             modified_by = excluded.modified_by"
    );
    db.prepare_cached(&sql)?
        .execute(params![
            method.id,
            method.person_id,
            method.reference_id,
            method.contact_type,
            method.value,
            method.memo,
            method.created_on,
            method.created_by,
            method.modified_on,
            method.modified_by,
        ])
        .map(drop)
}

pub(crate) fn delete(db: &Connection, id: &str) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM contact_methods WHERE id = ?")?.execute([id]).map(drop)
}
