//! The relationships of people to customers, locations and bookings.

use rusqlite::{Connection, Row, params};
use serde::Serialize;
use utoipa::ToSchema;

use super::select::Select;
use crate::time_text;

/// What a person can be related to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EntityType {
    /// In paths.
    pub(crate) slug: &'static str,
    /// In answers.
    pub(crate) name: &'static str,
    /// The table of the entities.
    pub(crate) table: &'static str,
}

/// Every kind of related entity.
pub(crate) const ENTITY_TYPES: [EntityType; 3] = [
    EntityType { slug: "customer", name: "Customer", table: "customers" },
    EntityType { slug: "location", name: "Location", table: "locations" },
    EntityType { slug: "booking", name: "Booking", table: "bookings" },
];

/// A relationship, stored as the API answers it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ContactRelationshipResponse)]
pub(crate) struct Relationship {
    #[schema(format = Uuid)]
    id: String,
    related_entity_id: i64,
    type_name: String,
    type_slug: String,
    #[serde(serialize_with = "time_text::serialize")]
    #[schema(format = DateTime)]
    created_on: String,
    created_by: i64,
}

/// Starts a query; the type's name is the slug with a capital.
pub(crate) fn select() -> Select {
    Select::new("id, related_entity_id, type_slug, created_on, created_by", "relationships")
}

pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<Relationship> {
    let type_slug: String = row.get(2)?;
    let entity = ENTITY_TYPES.iter().find(|entity| entity.slug == type_slug);
    Ok(Relationship {
        id: row.get(0)?,
        related_entity_id: row.get(1)?,
        type_name: entity.map_or("", |entity| entity.name).to_owned(),
        type_slug,
        created_on: row.get(3)?,
        created_by: row.get(4)?,
    })
}

/// Whether any person is related to an entity with this id, of any type.
pub(crate) fn any_to(db: &Connection, entity: i64) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT 1 FROM relationships WHERE related_entity_id = ?")?.exists([entity])
}

/// Relates a person to an entity; an existing relationship stays as it is.
pub(crate) fn insert(
    db: &Connection,
    id: &str,
    person: &str,
    entity: i64,
    slug: &str,
    created_on: &str,
    created_by: i64,
) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO relationships
             (id, person_id, related_entity_id, type_slug, created_on, created_by)
         VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT (person_id, related_entity_id, type_slug) DO NOTHING",
    )?
    .execute(params![id, person, entity, slug, created_on, created_by])
    .map(drop)
}

/// Ends a relationship and says whether there was one.
pub(crate) fn delete(
    db: &Connection,
    person: &str,
    entity: i64,
    slug: &str,
) -> rusqlite::Result<bool> {
    db.prepare_cached(
        "DELETE FROM relationships
         WHERE person_id = ? AND related_entity_id = ? AND type_slug = ?",
    )?
    .execute(params![person, entity, slug])
    .map(|deleted| deleted > 0)
}
