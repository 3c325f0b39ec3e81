//! The contacts of bookings: readable for the tenant, writable under the
//! booking's provider.

use http::Method;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::list::{self, PAGING, Page};
use crate::{
    body::Member,
    change::Change,
    contact_type::ContactType,
    operation::{Call, Operation, Reply},
    path::Path,
    problem::Problem,
    settings::{BookingAnswer, BookingMemo, EmptyUpdate, Settings},
    store::bookings::{self, BookingContact},
    time_text,
};

const ALL: Path<i64> = Path::new("/bookings/{id}/contacts");
const CONTACTS: Path<(i64, i64)> =
    Path::new("/booking-provider/{booking_provider}/bookings/{id}/contacts");
const CONTACT: Path<(i64, i64, i64)> =
    Path::new("/booking-provider/{booking_provider}/bookings/{id}/contacts/{contactId}");

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::new(Method::GET, "Bookings_GetContactList", ALL, list)
            .query(&PAGING)
            .answer::<Page<BookingContactResponse>>()
            .refusals(&[400, 404]),
        Operation::new(Method::GET, "Bookings_GetContactList2", CONTACTS, list_for_provider)
            .query(&PAGING)
            .answer::<Page<BookingContactResponse>>()
            .refusals(&[400, 404]),
        Operation::new(Method::POST, "Bookings_CreateContact", CONTACTS, create)
            .body::<CreateRequest>()
            .answer::<BookingContactResponse>()
            .refusals(&[400, 404]),
        Operation::new(Method::PATCH, "Bookings_UpdateBookingContact", CONTACT, update)
            .body::<UpdateRequest>()
            .answer::<UpdateRequest>()
            .refusals(&[400, 404, 409]),
        Operation::new(Method::DELETE, "Bookings_DeleteContact", CONTACT, delete)
            .refusals(&[400, 404]),
    ]
}

/// A contact of a booking as the API answers it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct BookingContactResponse {
    id: i64,
    #[schema(value_type = ContactType)]
    r#type: String,
    value: String,
    #[schema(value_type = String, required = true)]
    memo: Option<String>,
    #[schema(format = DateTime)]
    modified_on: String,
}

/// What an update answers, as documented: the members of its request, each of which may be absent.
#[derive(Serialize)]
struct UpdatedContact {
    #[serde(skip_serializing_if = "Option::is_none")]
    r#type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    memo: Option<Option<String>>,
}

impl BookingContactResponse {
    fn new(contact: BookingContact, settings: &Settings) -> Self {
        Self {
            id: contact.id,
            r#type: contact.contact_type,
            value: contact.value,
            memo: shown_memo(contact.memo, settings),
            modified_on: time_text::wire(&contact.modified_on),
        }
    }
}

/// Returns the memo of an answer. The contract forbids a null there that the request allows.
fn shown_memo(memo: Option<String>, settings: &Settings) -> Option<String> {
    match settings.booking_memo {
        BookingMemo::Null => memo,
        BookingMemo::Empty => Some(memo.unwrap_or_default()),
    }
}

/// The body that creates a contact. The contract types `type` as text here, though the type of the
/// answer is closed.
#[derive(Deserialize, ToSchema)]
#[schema(as = ContactCreateRequest)]
struct CreateRequest {
    r#type: String,
    value: String,
    memo: Option<String>,
}

/// The body that updates a contact: what is absent stays.
#[derive(Deserialize, ToSchema)]
#[schema(as = UpdateBookingContactRequest)]
struct UpdateRequest {
    #[serde(default)]
    #[schema(value_type = ContactType, required = false)]
    r#type: Member<ContactType>,
    #[serde(default)]
    #[schema(value_type = String, required = false)]
    value: Member<String>,
    #[serde(default)]
    #[schema(value_type = String, required = false)]
    memo: Member<String>,
}

fn list(call: &Call<'_>, booking: i64) -> Result<Reply, Problem> {
    let paging = call.paging()?;
    bookings::provider_of(call.db, booking)?.ok_or_else(|| no_booking(booking))?;
    list::page(call, paging, bookings::select(booking), |contact| {
        BookingContactResponse::new(contact, call.settings)
    })
}

fn list_for_provider(call: &Call<'_>, (provider, booking): (i64, i64)) -> Result<Reply, Problem> {
    call.paging()?;
    must_be_of(call, provider, booking)?;
    list(call, booking)
}

fn create(call: &Call<'_>, (provider, booking): (i64, i64)) -> Result<Reply, Problem> {
    let request: CreateRequest = call.json()?;
    let kind = request.r#type;
    let value = ContactType::open_value(&kind, &request.value, call.settings)?;
    must_be_of(call, provider, booking)?;
    let memo = call.settings.memo(request.memo);
    let contact =
        bookings::insert(call.db, booking, None, &kind, &value, memo.as_deref(), &call.now())?;
    Reply::json(&BookingContactResponse::new(contact, call.settings))
}

fn update(call: &Call<'_>, (provider, booking, id): (i64, i64, i64)) -> Result<Reply, Problem> {
    let request: UpdateRequest = call.json()?;
    let change = Change::new(request.r#type, request.value, request.memo, call.settings)?;
    must_be_of(call, provider, booking)?;
    let mut contact =
        bookings::find(call.db, booking, id)?.ok_or_else(|| no_contact(booking, id))?;
    let sent = (change.contact_type.is_some(), change.value.is_some(), change.memo.is_some());
    if !change.is_empty() || call.settings.empty_update == EmptyUpdate::Touch {
        let parts = (&mut contact.contact_type, &mut contact.value, &mut contact.memo);
        change.apply(parts, call.settings)?;
        contact.modified_on = call.now();
        bookings::update(call.db, &contact)?;
    }
    let (kind, value, memo) = match call.settings.booking_update_answer {
        BookingAnswer::Full => {
            return Reply::json(&BookingContactResponse::new(contact, call.settings));
        }
        BookingAnswer::Request => (true, true, true),
        BookingAnswer::Sent => sent,
    };
    Reply::json(&UpdatedContact {
        r#type: kind.then_some(contact.contact_type),
        value: value.then_some(contact.value),
        memo: memo.then(|| shown_memo(contact.memo, call.settings)),
    })
}

fn delete(call: &Call<'_>, (provider, booking, id): (i64, i64, i64)) -> Result<Reply, Problem> {
    must_be_of(call, provider, booking)?;
    if bookings::delete(call.db, booking, id)? {
        Ok(Reply::Empty)
    } else {
        Err(no_contact(booking, id))
    }
}

fn must_be_of(call: &Call<'_>, provider: i64, booking: i64) -> Result<(), Problem> {
    match bookings::provider_of(call.db, booking)? {
        Some(owner) if owner == provider => Ok(()),
        _ => Err(no_booking(booking)),
    }
}

fn no_booking(booking: i64) -> Problem {
    Problem::not_found(format!("There is no booking {booking}"))
}

fn no_contact(booking: i64, contact: i64) -> Problem {
    Problem::not_found(format!("There is no contact {contact} on booking {booking}"))
}
