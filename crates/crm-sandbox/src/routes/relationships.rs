//! The relationships of people. A missing person is 409 here, not 404.

use http::Method;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::list::{self, CREATED, PAGING, Page, SORT, filter_created};
use crate::{
    operation::{API_USER, Call, Handler, Operation, Reply},
    parameter::{Kind, Parameter},
    path::{Path, PathParameters},
    problem::Problem,
    store::{
        contacts,
        people::StoredPerson,
        record::{GuidRecord, Record},
        relationships::{self, EntityType, Relationship},
    },
    time_text,
};

const ALL: Path<Uuid> = Path::new("/contacts/{contactId}/relationships");
const ONE: Path<(Uuid, i64, String)> =
    Path::new("/contacts/{contactId}/relationships/{relatedEntityId}/{typeSlug}");

const FILTERS: [Parameter; 3] = [
    Parameter::new("relatedEntityId", Kind::Int64),
    Parameter::new("typeSlug", Kind::Text),
    Parameter::new("typeName", Kind::Text),
];

/// The orders of the list. A relationship is never modified: that order is the order of creation.
const SORTS: [(&str, &str); 3] =
    [("ID", "id"), ("ModifiedOn", "created_on"), ("CreatedOn", "created_on")];

pub(super) fn operations() -> Vec<Operation> {
    vec![
        new(Method::GET, "Contacts_GetContactRelationshipList", ALL, list)
            .query(&FILTERS)
            .query(&CREATED)
            .query(&PAGING)
            .query(&[SORT])
            .answer::<Page<RelationshipResponse>>(),
        new(Method::POST, "Contacts_CreateContactRelationship", ONE, create),
        new(Method::DELETE, "Contacts_DeleteContactRelationship", ONE, delete),
    ]
}

fn new<P: PathParameters>(method: Method, id: &str, path: Path<P>, run: Handler<P>) -> Operation {
    Operation::new(method, id, path, run).refusals(&[400, 403, 404, 409])
}

/// A relationship as the API answers it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ContactRelationshipResponse)]
struct RelationshipResponse {
    #[schema(format = Uuid)]
    id: String,
    related_entity_id: i64,
    type_name: &'static str,
    type_slug: String,
    #[schema(format = DateTime)]
    created_on: String,
    created_by: i64,
}

impl RelationshipResponse {
    fn new(relationship: Relationship) -> Self {
        let entity_type = EntityType::find(&relationship.type_slug);
        Self {
            id: relationship.id,
            related_entity_id: relationship.related_entity_id,
            type_name: entity_type.map_or("", |entity_type| entity_type.name),
            type_slug: relationship.type_slug,
            created_on: time_text::wire(&relationship.created_on),
            created_by: relationship.created_by,
        }
    }
}

fn list(call: &Call<'_>, person: Uuid) -> Result<Reply, Problem> {
    let query = call.query;
    let text = |name| query.text(name).map(str::to_owned);
    let paging = call.paging()?;
    let select = filter_created(Relationship::select(), call)?
        .filter("person_id = ?", Some(person.to_string()))
        .filter("related_entity_id = ?", query.get::<i64>("relatedEntityId")?)
        .filter("type_slug = ? COLLATE NOCASE", text("typeSlug"))
        // Name and slug differ in letter case only.
        .filter("type_slug = ? COLLATE NOCASE", text("typeName"))
        .sorted(query.sort(&SORTS)?);
    must_exist(call, person)?;
    list::page(call, paging, select, RelationshipResponse::new)
}

fn create(call: &Call<'_>, (person, entity, slug): (Uuid, i64, String)) -> Result<Reply, Problem> {
    must_exist(call, person)?;
    let entity_type = EntityType::find(&slug)
        .ok_or_else(|| Problem::not_found(format!("There is no type {slug}")))?;
    if !contacts::exists(call.db, entity_type.table, entity)? {
        return Err(Problem::not_found(format!("There is no {slug} {entity}")));
    }
    let relationship = Relationship {
        id: Uuid::new_v4().to_string(),
        person_id: person.to_string(),
        related_entity_id: entity,
        type_slug: slug,
        created_on: call.now(),
        created_by: API_USER,
    };
    relationship.insert(call.db)?;
    Ok(Reply::Empty)
}

fn delete(call: &Call<'_>, (person, entity, slug): (Uuid, i64, String)) -> Result<Reply, Problem> {
    must_exist(call, person)?;
    if relationships::delete(call.db, person, entity, &slug)? {
        Ok(Reply::Empty)
    } else {
        Err(Problem::conflict(format!("There is no relationship to {slug} {entity}")))
    }
}

fn must_exist(call: &Call<'_>, person: Uuid) -> Result<(), Problem> {
    if StoredPerson::exists(call.db, person)? {
        Ok(())
    } else {
        Err(Problem::conflict(format!("There is no contact {person}")))
    }
}
