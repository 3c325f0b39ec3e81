//! The contact methods of people.

use http::Method;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    list::{self, CREATED, MODIFIED, PAGING, Page, SORT, SORTS, filter_times},
    people::must_exist,
};
use crate::{
    body::Member,
    change::Change,
    contact_type::ContactType,
    operation::{API_USER, Call, Handler, Operation, Reply},
    parameter::{Kind, Parameter},
    path::{Path, PathParameters},
    problem::Problem,
    settings::EmptyUpdate,
    store::{
        methods::StoredMethod,
        record::{GuidRecord, Record},
    },
    time_text,
};

const ALL: Path<()> = Path::new("/contacts/contact-methods");
const METHODS: Path<Uuid> = Path::new("/contacts/{contactId}/contact-methods");
const METHOD: Path<(Uuid, Uuid)> =
    Path::new("/contacts/{contactId}/contact-methods/{contactMethodId}");

const FILTERS: [Parameter; 3] = [
    Parameter::new("referenceId", Kind::Text),
    Parameter::new("type", Kind::Text),
    Parameter::new("value", Kind::Text),
];

pub(super) fn operations() -> Vec<Operation> {
    vec![
        filtered("Contacts_SearchContactMethods", ALL, search)
            .query(&[Parameter::new("contactId", Kind::Guid)])
            .refusals(&[400, 403]),
        filtered("ContactMethods_GetContactMethods", METHODS, list_of_person),
        one(Method::POST, "ContactMethods_CreateContactMethod", METHODS, create)
            .body::<CreateRequest>()
            .answer::<MethodResponse>(),
        one(Method::GET, "ContactMethods_GetContactMethod", METHOD, get).answer::<MethodResponse>(),
        one(Method::PUT, "ContactMethods_UpsertContactMethod", METHOD, upsert)
            .body::<CreateRequest>()
            .answer::<MethodResponse>(),
        one(Method::PATCH, "ContactMethods_UpdateContactMethod", METHOD, update)
            .body::<UpdateRequest>()
            .answer::<MethodResponse>(),
        one(Method::DELETE, "ContactMethods_DeleteContactMethod", METHOD, delete),
    ]
}

fn filtered<P: PathParameters>(id: &str, path: Path<P>, run: Handler<P>) -> Operation {
    one(Method::GET, id, path, run)
        .query(&FILTERS)
        .query(&CREATED)
        .query(&MODIFIED)
        .query(&PAGING)
        .query(&[SORT])
        .answer::<Page<MethodResponse>>()
}

fn one<P: PathParameters>(method: Method, id: &str, path: Path<P>, run: Handler<P>) -> Operation {
    Operation::new(method, id, path, run).refusals(&[400, 403, 404])
}

/// A contact method as the API answers it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ContactMethodResponse)]
struct MethodResponse {
    #[schema(format = Uuid)]
    id: String,
    #[schema(format = Uuid)]
    contact_id: String,
    reference_id: Option<String>,
    #[schema(value_type = ContactType)]
    r#type: String,
    value: String,
    memo: Option<String>,
    #[schema(format = DateTime)]
    created_on: String,
    created_by: i64,
    #[schema(format = DateTime)]
    modified_on: String,
    modified_by: i64,
}

impl MethodResponse {
    fn new(method: StoredMethod) -> Self {
        Self {
            id: method.id,
            contact_id: method.person_id,
            reference_id: method.reference_id,
            r#type: method.contact_type,
            value: method.value,
            memo: method.memo,
            created_on: time_text::wire(&method.created_on),
            created_by: method.created_by,
            modified_on: time_text::wire(&method.modified_on),
            modified_by: method.modified_by,
        }
    }
}

/// The body that creates a method, or puts it in the place of another.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ContactMethodRequest)]
struct CreateRequest {
    r#type: ContactType,
    value: String,
    reference_id: Option<String>,
    memo: Option<String>,
}

/// The body that updates a method: what is absent stays. The type cannot change.
#[derive(Deserialize, ToSchema)]
#[schema(as = UpdateContactMethodRequest)]
struct UpdateRequest {
    #[serde(default)]
    #[schema(value_type = String, required = false)]
    value: Member<String>,
    #[serde(default)]
    #[schema(value_type = String, required = false)]
    memo: Member<String>,
}

fn search(call: &Call<'_>, (): ()) -> Result<Reply, Problem> {
    page(call, call.query.get("contactId")?)
}

fn list_of_person(call: &Call<'_>, person: Uuid) -> Result<Reply, Problem> {
    let page = page(call, Some(person))?;
    must_exist(call, person)?;
    Ok(page)
}

fn page(call: &Call<'_>, person: Option<Uuid>) -> Result<Reply, Problem> {
    let query = call.query;
    let text = |name| query.text(name).map(str::to_owned);
    let paging = call.paging()?;
    let select = filter_times(StoredMethod::select(), call)?
        .filter("person_id = ?", person.map(|id| id.to_string()))
        .filter("fold(reference_id) = fold(?)", text("referenceId"))
        .filter("type = ? COLLATE NOCASE", text("type"))
        .filter("fold(value) = fold(?)", text("value"))
        .sorted(query.sort(&SORTS)?);
    list::page(call, paging, select, MethodResponse::new)
}

fn create(call: &Call<'_>, person: Uuid) -> Result<Reply, Problem> {
    let request: CreateRequest = call.json()?;
    let value = request.r#type.value(&request.value, call.settings)?;
    must_exist(call, person)?;
    put(call, new(Uuid::new_v4(), person, call.now()), request, value)
}

fn get(call: &Call<'_>, path: (Uuid, Uuid)) -> Result<Reply, Problem> {
    Reply::json(&MethodResponse::new(find(call, path)?))
}

/// Puts a method in the place of another one, or makes it under the id given.
fn upsert(call: &Call<'_>, (person, id): (Uuid, Uuid)) -> Result<Reply, Problem> {
    let request: CreateRequest = call.json()?;
    let value = request.r#type.value(&request.value, call.settings)?;
    must_exist(call, person)?;
    let now = call.now();
    let method = match StoredMethod::find(call.db, id)? {
        None => new(id, person, now),
        Some(method) if method.person_id == person.to_string() => {
            StoredMethod { modified_on: now, modified_by: API_USER, ..method }
        }
        Some(_) => return Err(unknown(person, id)),
    };
    put(call, method, request, value)
}

fn update(call: &Call<'_>, path: (Uuid, Uuid)) -> Result<Reply, Problem> {
    let request: UpdateRequest = call.json()?;
    let change = Change::new(Member::Absent, request.value, request.memo, call.settings)?;
    let mut method = find(call, path)?;
    if change.is_empty() && call.settings.empty_update == EmptyUpdate::Keep {
        return Reply::json(&MethodResponse::new(method));
    }
    let parts = (&mut method.contact_type, &mut method.value, &mut method.memo);
    change.apply(parts, call.settings)?;
    method.modified_on = call.now();
    method.modified_by = API_USER;
    save(call, method)
}

fn delete(call: &Call<'_>, (person, id): (Uuid, Uuid)) -> Result<Reply, Problem> {
    find(call, (person, id))?;
    StoredMethod::delete(call.db, id)?;
    Ok(Reply::Empty)
}

fn new(id: Uuid, person: Uuid, now: String) -> StoredMethod {
    StoredMethod {
        id: id.to_string(),
        person_id: person.to_string(),
        reference_id: None,
        contact_type: String::new(),
        value: String::new(),
        memo: None,
        created_on: now.clone(),
        created_by: API_USER,
        modified_on: now,
        modified_by: API_USER,
    }
}

fn put(
    call: &Call<'_>,
    method: StoredMethod,
    request: CreateRequest,
    value: String,
) -> Result<Reply, Problem> {
    let method = StoredMethod {
        reference_id: request.reference_id,
        contact_type: request.r#type.as_str().to_owned(),
        value,
        memo: call.settings.memo(request.memo),
        ..method
    };
    save(call, method)
}

fn save(call: &Call<'_>, method: StoredMethod) -> Result<Reply, Problem> {
    method.save(call.db)?;
    Reply::json(&MethodResponse::new(method))
}

/// Returns a method. The person must exist, and the method must be theirs.
pub(super) fn find(call: &Call<'_>, (person, id): (Uuid, Uuid)) -> Result<StoredMethod, Problem> {
    must_exist(call, person)?;
    StoredMethod::find(call.db, id)?
        .filter(|method| method.person_id == person.to_string())
        .ok_or_else(|| unknown(person, id))
}

fn unknown(person: Uuid, method: Uuid) -> Problem {
    Problem::not_found(format!("There is no contact method {method} on contact {person}"))
}
