//! The people of Contacts v2.

use http::Method;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::list::{CREATED, MODIFIED, PAGING, Page, SORT, filter_times};
use crate::{
    body::Member,
    operation::{API_USER, Call, Operation, Reply},
    problem::Problem,
    query::{Kind, Parameter},
    settings::{AbsentMembers, ReplaceUnknown},
    store::{
        people::{self, StoredPerson},
        relationships,
        select::Select,
    },
};

const READ: &str = "tn.crm.contacts:r";
const WRITE: &str = "tn.crm.contacts:w";

const FILTERS: [Parameter; 4] = [
    Parameter::new("name", Kind::Text),
    Parameter::new("title", Kind::Text),
    Parameter::new("referenceId", Kind::Text),
    Parameter::new("isArchived", Kind::Text),
];

const SORTS: [(&str, &str); 3] =
    [("Id", "id"), ("ModifiedOn", "modified_on"), ("CreatedOn", "created_on")];

pub(super) fn operations() -> Vec<Operation> {
    let person = "/contacts/{id}";
    let filtered = |id, path, run| {
        Operation::new(Method::GET, id, path, run)
            .scope(READ)
            .query(&FILTERS)
            .query(&CREATED)
            .query(&MODIFIED)
            .query(&PAGING)
            .query(&[SORT])
            .answer::<Page<StoredPerson>>()
    };
    let by_entity = "/contacts/relationships/{relationshipId}";
    vec![
        filtered("Contacts_GetList", "/contacts", list).refusals(&[400, 403]),
        Operation::new(Method::POST, "Contacts_Create", "/contacts", create)
            .scope(WRITE)
            .body::<CreateRequest>()
            .answer::<StoredPerson>()
            .refusals(&[400, 403, 409]),
        Operation::new(Method::GET, "Contacts_Get", person, get)
            .scope(READ)
            .answer::<StoredPerson>()
            .refusals(&[400, 403, 404]),
        Operation::new(Method::PUT, "Contacts_Replace", person, replace)
            .scope(WRITE)
            .body::<ReplaceRequest>()
            .answer::<StoredPerson>()
            .refusals(&[400, 403]),
        Operation::new(Method::PATCH, "Contacts_Update", person, update)
            .scope(WRITE)
            .body::<UpdateRequest>()
            .answer::<StoredPerson>()
            .refusals(&[400, 403, 404]),
        Operation::new(Method::DELETE, "Contacts_DeleteContact", person, delete)
            .scope(WRITE)
            .refusals(&[400, 403, 404, 409]),
        filtered("Contacts_GetByRelationshipId", by_entity, list_by_entity)
            .refusals(&[400, 403, 404]),
    ]
}

/// A new person.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CreateContactRequest)]
struct CreateRequest {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    reference_id: Option<String>,
}

/// A person anew: what is absent is cleared.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ReplaceContactRequest)]
struct ReplaceRequest {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    reference_id: Option<String>,
    is_archived: bool,
}

/// A change of a person: null clears; what absence does is a setting.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = UpdateContactRequest)]
struct UpdateRequest {
    #[serde(default)]
    #[schema(value_type = Option<String>, required = false)]
    name: Member<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>, required = false)]
    title: Member<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>, required = false)]
    reference_id: Member<String>,
    is_archived: bool,
}

fn list(call: &Call<'_>) -> Result<Reply, Problem> {
    page(call, people::select())
}

fn list_by_entity(call: &Call<'_>) -> Result<Reply, Problem> {
    // The id of the related entity: ids of relationships are GUIDs, and this
    // parameter is an integer. Entities of all types mix.
    let entity = call.int64("relationshipId")?;
    let related = people::select().filter(
        "id IN (SELECT person_id FROM relationships WHERE related_entity_id = ?)",
        Some(entity),
    );
    let page = page(call, related)?;
    match relationships::any_to(call.db, entity)? {
        true => Ok(page),
        false => Err(Problem::not_found(format!("No contact is related to {entity}"))),
    }
}

fn page(call: &Call<'_>, select: Select) -> Result<Reply, Problem> {
    let query = call.query;
    let paging = query.paging(call.settings)?;
    let archived = match query.text("isArchived").map(str::to_ascii_lowercase).as_deref() {
        None | Some("any") => None,
        Some("true") => Some(true),
        Some("false") => Some(false),
        Some(_) => return Err(Problem::field("isArchived", "it is not True, False or Any")),
    };
    let owned = |name| query.text(name).map(str::to_owned);
    let rows = filter_times(select, call)?
        .filter("instr(fold(name), fold(?)) > 0", owned("name"))
        .filter("instr(fold(title), fold(?)) > 0", owned("title"))
        .filter("fold(reference_id) = fold(?)", owned("referenceId"))
        .filter("is_archived = ?", archived)
        .sorted(query.sort(&SORTS)?)
        .page(call.db, call.bookmarks, paging, people::read)?;
    Reply::json(&Page::new(paging, rows, |person| person))
}

fn create(call: &Call<'_>) -> Result<Reply, Problem> {
    let request: CreateRequest = call.json()?;
    let mut person = new(Uuid::new_v4().to_string(), call.now());
    person.name = request.name;
    person.title = request.title;
    person.reference_id = request.reference_id;
    people::save(call.db, &person)?;
    Reply::json(&person)
}

fn get(call: &Call<'_>) -> Result<Reply, Problem> {
    let id = call.guid("id")?;
    Reply::json(&find(call, &id)?)
}

fn replace(call: &Call<'_>) -> Result<Reply, Problem> {
    let id = call.guid("id")?;
    let request: ReplaceRequest = call.json()?;
    let now = call.now();
    let mut person = match call.settings.replace_unknown_person {
        ReplaceUnknown::Refuse => find(call, &id)?,
        ReplaceUnknown::Create => {
            people::find(call.db, &id)?.unwrap_or_else(|| new(id, now.clone()))
        }
    };
    person.name = request.name;
    person.title = request.title;
    person.reference_id = request.reference_id;
    person.is_archived = request.is_archived;
    person.modified_on = now;
    person.modified_by = API_USER;
    people::save(call.db, &person)?;
    Reply::json(&person)
}

fn update(call: &Call<'_>) -> Result<Reply, Problem> {
    let id = call.guid("id")?;
    let request: UpdateRequest = call.json()?;
    let mut person = find(call, &id)?;
    let changed = |member, present| match member {
        Member::Value(value) => Some(value),
        Member::Null => None,
        Member::Absent => match call.settings.absent_person_members {
            AbsentMembers::Keep => present,
            AbsentMembers::Clear => None,
        },
    };
    person.name = changed(request.name, person.name);
    person.title = changed(request.title, person.title);
    person.reference_id = changed(request.reference_id, person.reference_id);
    person.is_archived = request.is_archived;
    person.modified_on = call.now();
    person.modified_by = API_USER;
    people::save(call.db, &person)?;
    Reply::json(&person)
}

fn delete(call: &Call<'_>) -> Result<Reply, Problem> {
    let id = call.guid("id")?;
    match people::delete(call.db, &id)? {
        true => Ok(Reply::Empty),
        false => Err(unknown(&id)),
    }
}

fn new(id: String, now: String) -> StoredPerson {
    StoredPerson {
        id,
        reference_id: None,
        name: None,
        title: None,
        is_archived: false,
        created_on: now.clone(),
        created_by: API_USER,
        modified_on: now,
        modified_by: API_USER,
    }
}

fn find(call: &Call<'_>, id: &str) -> Result<StoredPerson, Problem> {
    people::find(call.db, id)?.ok_or_else(|| unknown(id))
}

pub(super) fn unknown(id: &str) -> Problem {
    Problem::not_found(format!("There is no contact {id}"))
}
