//! The relationships of people to customers, locations and bookings.

use rusqlite::{Connection, params};
use uuid::Uuid;

use super::record::{Record, record};

/// What a person can be related to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EntityType {
    /// The name in paths.
    pub(crate) slug: &'static str,
    /// The name in answers.
    pub(crate) name: &'static str,
    /// The table of the entities.
    pub(crate) table: &'static str,
}

impl EntityType {
    /// Returns the type with this name in paths.
    pub(crate) fn find(slug: &str) -> Option<Self> {
        ENTITY_TYPES.into_iter().find(|entity_type| entity_type.slug == slug)
    }
}

const ENTITY_TYPES: [EntityType; 3] = [
    EntityType { slug: "customer", name: "Customer", table: "customers" },
    EntityType { slug: "location", name: "Location", table: "locations" },
    EntityType { slug: "booking", name: "Booking", table: "bookings" },
];

/// A relationship of a person to an entity.
#[derive(Debug)]
pub(crate) struct Relationship {
    pub(crate) id: String,
    pub(crate) person_id: String,
    pub(crate) related_entity_id: i64,
    pub(crate) type_slug: String,
    pub(crate) created_on: String,
    pub(crate) created_by: i64,
}

record!(Relationship, "relationships", {
    id: "id",
    person_id: "person_id",
    related_entity_id: "related_entity_id",
    type_slug: "type_slug",
    created_on: "created_on",
    created_by: "created_by",
});

/// Says whether any person is related to an entity with this id, of any type.
pub(crate) fn any_to(db: &Connection, entity: i64) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT 1 FROM relationships WHERE related_entity_id = ?")?.exists([entity])
}

impl Relationship {
    /// Stores the relationship, unless the person has the same one already: that stays as it is.
    pub(crate) fn insert(&self, db: &Connection) -> rusqlite::Result<()> {
        let sql = format!(
            "INSERT INTO relationships ({}) VALUES (?, ?, ?, ?, ?, ?)
             ON CONFLICT (person_id, related_entity_id, type_slug) DO NOTHING",
            Self::COLUMNS.join(", ")
        );
        db.prepare_cached(&sql)?.execute(&*self.values()).map(drop)
    }
}

/// Ends a relationship and says whether there was one.
pub(crate) fn delete(
    db: &Connection,
    person: Uuid,
    entity: i64,
    slug: &str,
) -> rusqlite::Result<bool> {
    db.prepare_cached(
        "DELETE FROM relationships
         WHERE person_id = ? AND related_entity_id = ? AND type_slug = ?",
    )?
    .execute(params![person.to_string(), entity, slug])
    .map(|deleted| deleted > 0)
}
