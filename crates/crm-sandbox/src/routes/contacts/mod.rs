//! The contacts of locations and customers: the same five operations twice.

use http::Method;

use super::list::{self, CREATED, MODIFIED, PAGING, Page, filter_times};
use crate::{
    flags::AllFlags,
    operation::{Call, Operation, Reply},
    parameter::{Kind, Parameter},
    problem::Problem,
    settings::EmptyUpdate,
    store::contacts::{self, Owner, StoredContact},
};

pub(super) mod answer;
pub(super) mod contract;
mod request;

use answer::{ContactResponse, Listed, Owned};
use contract::Contract;
use request::{CreateContactRequest, UpdateContactRequest};

pub(super) fn operations<O: Contract>() -> Vec<Operation> {
    let id = |name| format!("{}_{name}", O::TAG);
    vec![
        Operation::new(Method::GET, &id("GetContactList"), O::CONTACTS, list::<O>)
            .query(&PAGING)
            .answer::<Page<Listed<O>>>()
            .refusals(&[400, 404, 409]),
        Operation::new(Method::POST, &id("CreateContact"), O::CONTACTS, create::<O>)
            .body::<CreateContactRequest>()
            .answer::<Listed<O>>()
            .refusals(&[400, 404, 409]),
        Operation::new(Method::PATCH, &id("UpdateContact"), O::CONTACT, update::<O>)
            .body::<UpdateContactRequest<AllFlags>>()
            .answer::<Listed<O>>()
            .refusals(&[400, 404, 409]),
        Operation::new(Method::DELETE, &id("DeleteContact"), O::CONTACT, delete::<O>)
            .refusals(&[400, 404, 409]),
        Operation::new(Method::GET, O::ALL_ID, O::ALL, list_all::<O>)
            .query(&PAGING)
            .query(&MODIFIED)
            .query(&CREATED)
            .query(&[Parameter::new(O::IDS, Kind::Text)])
            .answer::<Page<Owned<O>>>()
            .refusals(O::ALL_REFUSALS),
    ]
}

fn list<O: Contract>(call: &Call<'_>, owner: i64) -> Result<Reply, Problem> {
    let paging = call.paging()?;
    must_exist::<O>(call, owner)?;
    let select = contacts::select::<O>().filter("owner_id = ?", Some(owner)).only("active");
    list::page(call, paging, select, |contact| ContactResponse::new(contact, call.settings))
}

fn create<O: Contract>(call: &Call<'_>, owner: i64) -> Result<Reply, Problem> {
    let request: CreateContactRequest = call.json()?;
    let kind = request.r#type;
    let value = kind.value(&request.value, call.settings)?;
    must_exist::<O>(call, owner)?;
    let memo = call.settings.memo(request.memo);
    let id = contacts::insert::<O>(
        call.db,
        owner,
        None,
        kind.as_str(),
        &value,
        memo.as_deref(),
        &call.now(),
    )?;
    let contact = find::<O>(call, owner, id)?;
    O::created(call, &contact)?;
    Reply::json(&ContactResponse::new(contact, call.settings))
}

fn update<O: Contract>(call: &Call<'_>, (owner, id): (i64, i64)) -> Result<Reply, Problem> {
    let (change, preferences) = request::read(call)?;
    must_exist::<O>(call, owner)?;
    let mut contact = find::<O>(call, owner, id)?;
    let empty = change.is_empty() && preferences.is_none();
    if empty && call.settings.empty_update == EmptyUpdate::Keep {
        return Reply::json(&ContactResponse::new(contact, call.settings));
    }
    let parts = (&mut contact.contact_type, &mut contact.value, &mut contact.memo);
    change.apply(parts, call.settings)?;
    contact.do_not_text = contacts::do_not_text(call.db, &contact.value)?;
    contact.preferences = preferences.or(contact.preferences);
    contact.modified_on = call.now();
    contacts::update::<O>(call.db, &contact)?;
    Reply::json(&ContactResponse::new(contact, call.settings))
}

fn delete<O: Contract>(call: &Call<'_>, (owner, id): (i64, i64)) -> Result<Reply, Problem> {
    must_exist::<O>(call, owner)?;
    let mut contact = find::<O>(call, owner, id)?;
    contact.active = false;
    contact.modified_on = call.now();
    contacts::update::<O>(call.db, &contact)?;
    Ok(Reply::Empty)
}

fn list_all<O: Contract>(call: &Call<'_>, (): ()) -> Result<Reply, Problem> {
    let ids = call.query.ids(O::IDS, call.settings.id_list_limit)?;
    if !O::NEEDED.iter().any(|name| call.query.text(name).is_some()) {
        let title = format!("At least one of these filters is needed: {}", O::NEEDED.join(", "));
        return Err(Problem::bad_request(title));
    }
    let others = MODIFIED.iter().chain(&CREATED).any(|p| call.query.text(p.name).is_some());
    if O::IDS_EXCLUDE_FILTERS && ids.is_some() && others {
        return Err(Problem::bad_request(format!(
            "{} cannot be combined with other filters",
            O::IDS
        )));
    }
    let paging = call.paging()?;
    let select = filter_times(contacts::select::<O>().only("active"), call)?
        .among("owner_id", ids)
        .order(&["id", "owner_id"]);
    list::page(call, paging, select, |contact| {
        ContactResponse::new(contact, call.settings).with_owner(O::MEMBER)
    })
}

fn must_exist<O: Owner>(call: &Call<'_>, owner: i64) -> Result<(), Problem> {
    if contacts::exists(call.db, O::COLLECTION, owner)? {
        Ok(())
    } else {
        Err(Problem::not_found(format!("There is no {} {owner}", O::NOUN)))
    }
}

fn find<O: Owner>(call: &Call<'_>, owner: i64, id: i64) -> Result<StoredContact, Problem> {
    contacts::find::<O>(call.db, owner, id)?.ok_or_else(|| {
        Problem::not_found(format!("There is no contact {id} on {} {owner}", O::NOUN))
    })
}
