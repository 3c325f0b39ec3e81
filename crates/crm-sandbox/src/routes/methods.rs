//! The contact methods of people.

use http::Method;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    list::{CREATED, MODIFIED, PAGING, Page, SORT, filter_times},
    people::unknown,
};
use crate::{
    body::Member,
    contact_type::ContactType,
    operation::{API_USER, Call, Operation, Reply},
    problem::Problem,
    query::{Kind, Parameter},
    settings::EmptyUpdate,
    store::{
        methods::{self, StoredMethod},
        people,
    },
};

const READ: &str = "tn.crm.contacts:r";
const WRITE: &str = "tn.crm.contacts:w";

const FILTERS: [Parameter; 3] = [
    Parameter::new("referenceId", Kind::Text),
    Parameter::new("type", Kind::Text),
    Parameter::new("value", Kind::Text),
];

const SORTS: [(&str, &str); 3] =
    [("Id", "id"), ("ModifiedOn", "modified_on"), ("CreatedOn", "created_on")];

pub(super) fn operations() -> Vec<Operation> {
    let methods = "/contacts/{contactId}/contact-methods";
    let method = "/contacts/{contactId}/contact-methods/{contactMethodId}";
    let list = |id, path, run| {
        Operation::new(Method::GET, id, path, run)
            .scope(READ)
            .query(&FILTERS)
            .query(&CREATED)
            .query(&MODIFIED)
            .query(&PAGING)
            .query(&[SORT])
            .answer::<Page<StoredMethod>>()
    };
    let new = |verb, name: &str, path, run| {
        Operation::new(verb, &format!("ContactMethods_{name}"), path, run)
            .refusals(&[400, 403, 404])
    };
    vec![
        list("Contacts_SearchContactMethods", "/contacts/contact-methods", search)
            .query(&[Parameter::new("contactId", Kind::Guid)])
            .refusals(&[400, 403]),
        list("ContactMethods_GetContactMethods", methods, list_of_person)
            .refusals(&[400, 403, 404]),
        new(Method::POST, "CreateContactMethod", methods, create)
            .scope(WRITE)
            .body::<CreateRequest>()
            .answer::<StoredMethod>(),
        new(Method::GET, "GetContactMethod", method, get).scope(READ).answer::<StoredMethod>(),
        new(Method::PUT, "UpsertContactMethod", method, upsert)
            .scope(WRITE)
            .body::<CreateRequest>()
            .answer::<StoredMethod>(),
        new(Method::PATCH, "UpdateContactMethod", method, update)
            .scope(WRITE)
            .body::<UpdateRequest>()
            .answer::<StoredMethod>(),
        new(Method::DELETE, "DeleteContactMethod", method, delete).scope(WRITE),
    ]
}

/// A method, to create it or to put it in the place of another.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ContactMethodRequest)]
struct CreateRequest {
    r#type: ContactType,
    value: String,
    #[serde(default)]
    reference_id: Option<String>,
    #[serde(default)]
    memo: Option<String>,
}

/// A change of a method: what is absent stays. The type cannot change.
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

fn search(call: &Call<'_>) -> Result<Reply, Problem> {
    page(call, call.query.guid("contactId")?)
}

fn list_of_person(call: &Call<'_>) -> Result<Reply, Problem> {
    let person = call.guid("contactId")?;
    let page = page(call, Some(person.clone()))?;
    person_must_exist(call, &person)?;
    Ok(page)
}

fn page(call: &Call<'_>, person: Option<String>) -> Result<Reply, Problem> {
    let query = call.query;
    let paging = query.paging(call.settings)?;
    let owned = |name| query.text(name).map(str::to_owned);
    let rows = filter_times(methods::select(), call)?
        .filter("person_id = ?", person)
        .filter("fold(reference_id) = fold(?)", owned("referenceId"))
        .filter("type = ? COLLATE NOCASE", owned("type"))
        .filter("fold(value) = fold(?)", owned("value"))
        .sorted(query.sort(&SORTS)?)
        .page(call.db, call.bookmarks, paging, methods::read)?;
    Reply::json(&Page::new(paging, rows, |method| method))
}

fn create(call: &Call<'_>) -> Result<Reply, Problem> {
    let person = call.guid("contactId")?;
    let request: CreateRequest = call.json()?;
    let value = request.r#type.value(&request.value, call.settings)?;
    person_must_exist(call, &person)?;
    let id = Uuid::new_v4().to_string();
    save(call, new(id, person, call.now()), request, value)
}

fn get(call: &Call<'_>) -> Result<Reply, Problem> {
    Reply::json(&find(call)?)
}

/// Puts a method in the place of another one, or makes it under the id given.
fn upsert(call: &Call<'_>) -> Result<Reply, Problem> {
    let person = call.guid("contactId")?;
    let id = call.guid("contactMethodId")?;
    let request: CreateRequest = call.json()?;
    let value = request.r#type.value(&request.value, call.settings)?;
    person_must_exist(call, &person)?;
    let now = call.now();
    let method = match methods::find(call.db, &id)? {
        None => new(id, person, now),
        Some(method) if method.person_id == person => {
            StoredMethod { modified_on: now, modified_by: API_USER, ..method }
        }
        Some(_) => return Err(no_method(&person, &id)),
    };
    save(call, method, request, value)
}

fn update(call: &Call<'_>) -> Result<Reply, Problem> {
    call.guid("contactId")?;
    call.guid("contactMethodId")?;
    let request: UpdateRequest = call.json()?;
    let value = request.value.not_null("value", call.settings)?;
    let memo = request.memo.not_null("memo", call.settings)?;
    ContactType::check(None, value.as_deref(), call.settings)?;
    let mut method = find(call)?;
    let empty = value.is_none() && memo.is_none();
    if empty && call.settings.empty_update == EmptyUpdate::Keep {
        return Reply::json(&method);
    }
    (method.contact_type, method.value) =
        ContactType::change((method.contact_type, method.value), (None, value), call.settings)?;
    if memo.is_some() {
        method.memo = call.settings.memo(memo);
    }
    method.modified_on = call.now();
    method.modified_by = API_USER;
    methods::save(call.db, &method)?;
    Reply::json(&method)
}

fn delete(call: &Call<'_>) -> Result<Reply, Problem> {
    methods::delete(call.db, &find(call)?.id)?;
    Ok(Reply::Empty)
}

fn new(id: String, person: String, now: String) -> StoredMethod {
    StoredMethod {
        id,
        person_id: person,
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

fn save(
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
    methods::save(call.db, &method)?;
    Reply::json(&method)
}

/// The method in the path: the person must exist, and the method be theirs.
pub(super) fn find(call: &Call<'_>) -> Result<StoredMethod, Problem> {
    let person = call.guid("contactId")?;
    let id = call.guid("contactMethodId")?;
    person_must_exist(call, &person)?;
    methods::find(call.db, &id)?
        .filter(|method| method.person_id == person)
        .ok_or_else(|| no_method(&person, &id))
}

fn person_must_exist(call: &Call<'_>, person: &str) -> Result<(), Problem> {
    match people::exists(call.db, person)? {
        true => Ok(()),
        false => Err(unknown(person)),
    }
}

fn no_method(person: &str, method: &str) -> Problem {
    Problem::not_found(format!("There is no contact method {method} on contact {person}"))
}
