//! The kinds of preferences, and their values for contact methods.

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Serialize;
use utoipa::ToSchema;

use super::record::{Record, record};

/// A kind of preference.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ContactPreferenceTypeResponse)]
pub(crate) struct PreferenceType {
    #[schema(format = Uuid)]
    id: String,
    name: String,
    description: Option<String>,
    data_type: String,
}

record!(PreferenceType, "preference_types", {
    id: "id",
    name: "name",
    description: "description",
    data_type: "data_type",
});

/// The value of a preference for one contact method; null if it is not set.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ContactPreferenceResponse)]
pub(crate) struct Preference {
    name: String,
    data_type: String,
    pub(crate) value: Option<String>,
}

const VALUES: &str = "SELECT t.name, t.data_type, p.value FROM preference_types t
     LEFT JOIN method_preferences p ON p.type_id = t.id AND p.method_id = ?1";

/// Returns all preferences of a method, those without a value included.
pub(crate) fn of_method(db: &Connection, method: &str) -> rusqlite::Result<Vec<Preference>> {
    db.prepare_cached(&format!("{VALUES} ORDER BY t.id"))?.query_map([method], read)?.collect()
}

/// Returns one preference of a method; `None` if no kind has this name.
pub(crate) fn find(
    db: &Connection,
    method: &str,
    name: &str,
) -> rusqlite::Result<Option<Preference>> {
    db.prepare_cached(&format!("{VALUES} WHERE t.name = ?2"))?
        .query_row([method, name], read)
        .optional()
}

pub(crate) fn set(db: &Connection, method: &str, preference: &Preference) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT OR REPLACE INTO method_preferences (method_id, type_id, value)
         SELECT ?1, id, ?3 FROM preference_types WHERE name = ?2",
    )?
    .execute(params![method, preference.name, preference.value])
    .map(drop)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Preference> {
    Ok(Preference { name: row.get(0)?, data_type: row.get(1)?, value: row.get(2)? })
}
