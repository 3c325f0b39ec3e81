//! The people of Contacts v2.

use http::Method;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::list::{self, CREATED, MODIFIED, PAGING, Page, SORT, SORTS, filter_times, truth};
use crate::{
    body::Member,
    operation::{API_USER, Call, Handler, Operation, Reply},
    parameter::{Kind, Parameter},
    path::{Path, PathParameters},
    problem::Problem,
    settings::{AbsentMembers, ReplaceUnknown},
    store::{
        people::StoredPerson,
        record::{GuidRecord, Record},
        relationships,
        select::Select,
    },
    time_text,
};

const PEOPLE: Path<()> = Path::new("/contacts");
const PERSON: Path<Uuid> = Path::new("/contacts/{id}");
/// The parameter is the id of the related entity: ids of relationships are GUIDs, and this one is
/// an integer.
const RELATED: Path<i64> = Path::new("/contacts/relationships/{relationshipId}");

const FILTERS: [Parameter; 4] = [
    Parameter::new("name", Kind::Text),
    Parameter::new("title", Kind::Text),
    Parameter::new("referenceId", Kind::Text),
    Parameter::new("isArchived", Kind::Text),
];

pub(super) fn operations() -> Vec<Operation> {
    vec![
        filtered("Contacts_GetList", PEOPLE, list).refusals(&[400, 403]),
        Operation::new(Method::POST, "Contacts_Create", PEOPLE, create)
            .body::<CreateRequest>()
            .answer::<PersonResponse>()
            .refusals(&[400, 403, 409]),
        Operation::new(Method::GET, "Contacts_Get", PERSON, get)
            .answer::<PersonResponse>()
            .refusals(&[400, 403, 404]),
        Operation::new(Method::PUT, "Contacts_Replace", PERSON, replace)
            .body::<ReplaceRequest>()
            .answer::<PersonResponse>()
            .refusals(&[400, 403]),
        Operation::new(Method::PATCH, "Contacts_Update", PERSON, update)
            .body::<UpdateRequest>()
            .answer::<PersonResponse>()
            .refusals(&[400, 403, 404]),
        Operation::new(Method::DELETE, "Contacts_DeleteContact", PERSON, delete)
            .refusals(&[400, 403, 404, 409]),
        filtered("Contacts_GetByRelationshipId", RELATED, list_related).refusals(&[400, 403, 404]),
    ]
}

fn filtered<P: PathParameters>(id: &str, path: Path<P>, run: Handler<P>) -> Operation {
    Operation::new(Method::GET, id, path, run)
        .query(&FILTERS)
        .query(&CREATED)
        .query(&MODIFIED)
        .query(&PAGING)
        .query(&[SORT])
        .answer::<Page<PersonResponse>>()
}

/// A person as the API answers it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ContactResponse)]
struct PersonResponse {
    #[schema(format = Uuid)]
    id: String,
    reference_id: Option<String>,
    name: Option<String>,
    title: Option<String>,
    is_archived: bool,
    #[schema(format = DateTime)]
    created_on: String,
    created_by: i64,
    #[schema(format = DateTime)]
    modified_on: String,
    modified_by: i64,
}

impl PersonResponse {
    fn new(person: StoredPerson) -> Self {
        Self {
            id: person.id,
            reference_id: person.reference_id,
            name: person.name,
            title: person.title,
            is_archived: person.is_archived,
            created_on: time_text::wire(&person.created_on),
            created_by: person.created_by,
            modified_on: time_text::wire(&person.modified_on),
            modified_by: person.modified_by,
        }
    }
}

/// The body that creates a person.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CreateContactRequest)]
struct CreateRequest {
    name: Option<String>,
    title: Option<String>,
    reference_id: Option<String>,
}

/// The body that replaces a person: what is absent is cleared.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ReplaceContactRequest)]
struct ReplaceRequest {
    name: Option<String>,
    title: Option<String>,
    reference_id: Option<String>,
    is_archived: bool,
}

/// The body that updates a person: null clears; what absence does is a setting.
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

fn list(call: &Call<'_>, (): ()) -> Result<Reply, Problem> {
    page(call, StoredPerson::select())
}

/// Lists the people who are related to an entity; entities of all types mix.
fn list_related(call: &Call<'_>, entity: i64) -> Result<Reply, Problem> {
    let related = StoredPerson::select()
        .joined("id IN (SELECT person_id FROM relationships WHERE related_entity_id = ?)", entity);
    let page = page(call, related)?;
    if relationships::any_to(call.db, entity)? {
        Ok(page)
    } else {
        Err(Problem::not_found(format!("No contact is related to {entity}")))
    }
}

fn page(call: &Call<'_>, select: Select<StoredPerson>) -> Result<Reply, Problem> {
    let query = call.query;
    let text = |name| query.text(name).map(str::to_owned);
    let paging = call.paging()?;
    let archived = truth(call, "isArchived", None)?;
    let select = filter_times(select, call)?
        .filter("instr(fold(name), fold(?)) > 0", text("name"))
        .filter("instr(fold(title), fold(?)) > 0", text("title"))
        .filter("fold(reference_id) = fold(?)", text("referenceId"))
        .filter("is_archived = ?", archived)
        .sorted(query.sort(&SORTS)?);
    list::page(call, paging, select, PersonResponse::new)
}

fn create(call: &Call<'_>, (): ()) -> Result<Reply, Problem> {
    let request: CreateRequest = call.json()?;
    let person = StoredPerson {
        name: request.name,
        title: request.title,
        reference_id: request.reference_id,
        ..new(Uuid::new_v4(), call.now())
    };
    save(call, person)
}

fn get(call: &Call<'_>, id: Uuid) -> Result<Reply, Problem> {
    Reply::json(&PersonResponse::new(find(call, id)?))
}

fn replace(call: &Call<'_>, id: Uuid) -> Result<Reply, Problem> {
    let request: ReplaceRequest = call.json()?;
    let now = call.now();
    let person = match call.settings.replace_unknown_person {
        ReplaceUnknown::Refuse => find(call, id)?,
        ReplaceUnknown::Create => {
            StoredPerson::find(call.db, id)?.unwrap_or_else(|| new(id, now.clone()))
        }
    };
    let person = StoredPerson {
        name: request.name,
        title: request.title,
        reference_id: request.reference_id,
        is_archived: request.is_archived,
        modified_on: now,
        modified_by: API_USER,
        ..person
    };
    save(call, person)
}

fn update(call: &Call<'_>, id: Uuid) -> Result<Reply, Problem> {
    let request: UpdateRequest = call.json()?;
    let person = find(call, id)?;
    let changed = |member, present| match member {
        Member::Value(value) => Some(value),
        Member::Null => None,
        Member::Absent => match call.settings.absent_person_members {
            AbsentMembers::Keep => present,
            AbsentMembers::Clear => None,
        },
    };
    let person = StoredPerson {
        name: changed(request.name, person.name),
        title: changed(request.title, person.title),
        reference_id: changed(request.reference_id, person.reference_id),
        is_archived: request.is_archived,
        modified_on: call.now(),
        modified_by: API_USER,
        ..person
    };
    save(call, person)
}

fn delete(call: &Call<'_>, id: Uuid) -> Result<Reply, Problem> {
    if StoredPerson::delete(call.db, id)? { Ok(Reply::Empty) } else { Err(unknown(id)) }
}

fn new(id: Uuid, now: String) -> StoredPerson {
    StoredPerson {
        id: id.to_string(),
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

fn save(call: &Call<'_>, person: StoredPerson) -> Result<Reply, Problem> {
    person.save(call.db)?;
    Reply::json(&PersonResponse::new(person))
}

fn find(call: &Call<'_>, id: Uuid) -> Result<StoredPerson, Problem> {
    StoredPerson::find(call.db, id)?.ok_or_else(|| unknown(id))
}

pub(super) fn must_exist(call: &Call<'_>, id: Uuid) -> Result<(), Problem> {
    if StoredPerson::exists(call.db, id)? { Ok(()) } else { Err(unknown(id)) }
}

fn unknown(id: Uuid) -> Problem {
    Problem::not_found(format!("There is no contact {id}"))
}
