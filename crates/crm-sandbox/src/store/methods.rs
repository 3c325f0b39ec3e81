//! The contact methods of people: their numbers and addresses.

use super::record::{GuidRecord, Record, record};

/// A contact method of a person, as the database holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredMethod {
    /// The method's id, a GUID.
    pub id: String,
    /// The id of the person.
    pub person_id: String,
    /// The id in another system.
    pub reference_id: Option<String>,
    /// `Phone`, `MobilePhone`, `Email` or `Fax`.
    pub contact_type: String,
    /// The number or address.
    pub value: String,
    /// The note.
    pub memo: Option<String>,
    /// The time when the method was created, `2026-05-27T16:04:11.4827193Z`.
    pub created_on: String,
    /// The user who created the method.
    pub created_by: i64,
    /// The time of the last change, in the same form.
    pub modified_on: String,
    /// The user who made the last change.
    pub modified_by: i64,
}

record!(StoredMethod, "contact_methods", {
    id: "id",
    person_id: "person_id",
    reference_id: "reference_id",
    contact_type: "type",
    value: "value",
    memo: "memo",
    created_on: "created_on",
    created_by: "created_by",
    modified_on: "modified_on",
    modified_by: "modified_by",
});

impl GuidRecord for StoredMethod {}
