//! The people of Contacts v2.

use super::record::{GuidRecord, Record, record};

/// A person, as the database holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredPerson {
    /// The person's id, a GUID.
    pub id: String,
    /// The id in another system.
    pub reference_id: Option<String>,
    /// The name.
    pub name: Option<String>,
    /// The title.
    pub title: Option<String>,
    /// Whether the person is archived.
    pub is_archived: bool,
    /// The time when the person was created, `2026-05-27T16:04:11.4827193Z`.
    pub created_on: String,
    /// The user who created the person.
    pub created_by: i64,
    /// The time of the last change, in the same form.
    pub modified_on: String,
    /// The user who made the last change.
    pub modified_by: i64,
}

record!(StoredPerson, "people", {
    id: "id",
    reference_id: "reference_id",
    name: "name",
    title: "title",
    is_archived: "is_archived",
    created_on: "created_on",
    created_by: "created_by",
    modified_on: "modified_on",
    modified_by: "modified_by",
});

impl GuidRecord for StoredPerson {}
