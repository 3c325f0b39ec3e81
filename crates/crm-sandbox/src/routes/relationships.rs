//! The relationships of people. A missing person is 409 here, not 404.

use http::Method;
use uuid::Uuid;

use super::list::{CREATED, PAGING, Page, SORT};
use crate::{
    operation::{API_USER, Call, Operation, Reply},
    problem::Problem,
    query::{Kind, Parameter},
    store::{
        contacts, people,
        relationships::{self, ENTITY_TYPES, Relationship},
    },
};

const FILTERS: [Parameter; 3] = [
    Parameter::new("relatedEntityId", Kind::Int64),
    Parameter::new("typeSlug", Kind::Text),
    Parameter::new("typeName", Kind::Text),
];

/// A relationship is never modified: that order is the order of creation.
const SORTS: [(&str, &str); 3] =
    [("ID", "id"), ("ModifiedOn", "created_on"), ("CreatedOn", "created_on")];

pub(super) fn operations() -> Vec<Operation> {
    let list_path = "/contacts/{contactId}/relationships";
    let one = "/contacts/{contactId}/relationships/{relatedEntityId}/{typeSlug}";
    let new = |method, name: &str, path, run| {
        Operation::new(method, &format!("Contacts_{name}"), path, run)
            .refusals(&[400, 403, 404, 409])
    };
    vec![
        new(Method::GET, "GetContactRelationshipList", list_path, list)
            .scope("tn.crm.contacts:r")
            .query(&FILTERS)
            .query(&CREATED)
            .query(&PAGING)
            .query(&[SORT])
            .answer::<Page<Relationship>>(),
        new(Method::POST, "CreateContactRelationship", one, create).scope("tn.crm.contacts:w"),
        new(Method::DELETE, "DeleteContactRelationship", one, delete).scope("tn.crm.contacts:w"),
    ]
}

fn list(call: &Call<'_>) -> Result<Reply, Problem> {
    let person = call.guid("contactId")?;
    let query = call.query;
    let paging = query.paging(call.settings)?;
    let select = relationships::select()
        .filter("person_id = ?", Some(person.clone()))
        .filter("related_entity_id = ?", query.int64("relatedEntityId")?)
        .filter("type_slug = ? COLLATE NOCASE", query.text("typeSlug").map(str::to_owned))
        // Name and slug differ in letter case only.
        .filter("type_slug = ? COLLATE NOCASE", query.text("typeName").map(str::to_owned))
        .filter("created_on < ?", query.date_time("createdBefore")?)
        .filter("created_on >= ?", query.date_time("createdOnOrAfter")?)
        .sorted(query.sort(&SORTS)?);
    person_must_exist(call, &person)?;
    let rows = select.page(call.db, call.bookmarks, paging, relationships::read)?;
    Reply::json(&Page::new(paging, rows, |relationship| relationship))
}

fn create(call: &Call<'_>) -> Result<Reply, Problem> {
    let (person, entity, slug) = path(call)?;
    person_must_exist(call, &person)?;
    let entity_type = ENTITY_TYPES
        .iter()
        .find(|entity_type| entity_type.slug == slug)
        .ok_or_else(|| Problem::not_found(format!("There is no type {slug}")))?;
    if !contacts::exists(call.db, entity_type.table, entity)? {
        return Err(Problem::not_found(format!("There is no {slug} {entity}")));
    }
    let id = Uuid::new_v4().to_string();
    relationships::insert(call.db, &id, &person, entity, slug, &call.now(), API_USER)?;
    Ok(Reply::Empty)
}

fn delete(call: &Call<'_>) -> Result<Reply, Problem> {
    let (person, entity, slug) = path(call)?;
    person_must_exist(call, &person)?;
    match relationships::delete(call.db, &person, entity, slug)? {
        true => Ok(Reply::Empty),
        false => Err(Problem::conflict(format!("There is no relationship to {slug} {entity}"))),
    }
}

fn path<'a>(call: &'a Call<'_>) -> Result<(String, i64, &'a str), Problem> {
    Ok((call.guid("contactId")?, call.int64("relatedEntityId")?, call.text("typeSlug")?))
}

fn person_must_exist(call: &Call<'_>, person: &str) -> Result<(), Problem> {
    match people::exists(call.db, person)? {
        true => Ok(()),
        false => Err(Problem::conflict(format!("There is no contact {person}"))),
    }
}
