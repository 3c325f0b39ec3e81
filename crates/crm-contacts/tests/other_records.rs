//! Contacts of bookings, people and their contact methods over a mocked transport: which requests
//! a handle makes, and what becomes of a write whose answer is lost.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::*;
use crm_models::{
    BookingId, BookingProviderId, ContactMethodId, PersonChange, PersonId,
    UpdateBookingContactRequest, UpdateContactMethodRequest, UpdateMethodPreferenceRequest,
};

const PERSON: &str = "3f9a2d54-7c1e-4b8f-a036-5d2c81e7f4b9";
const METHOD: &str = "7b41c9e2-05fa-4d67-9c38-e2a6f0815d3b";

fn caller(id: i64) -> String {
    format!(
        r#"{{"id":{id},"type":"Phone","value":"5095550126","memo":"Caller",
        "modifiedOn":"2026-04-04T04:04:04.4Z"}}"#
    )
}

fn person(title: &str) -> String {
    format!(
        r#"{{"id":"{PERSON}","referenceId":null,"name":"Jonas Lindqvist","title":"{title}",
        "isArchived":false,"createdOn":"2026-05-20T08:15:30Z","createdBy":2071,
        "modifiedOn":"2026-05-21T00:00:00Z","modifiedBy":2071}}"#
    )
}

fn method(memo: &str) -> String {
    format!(
        r#"{{"id":"{METHOD}","contactId":"{PERSON}","referenceId":null,"type":"MobilePhone",
        "value":"4255550161","memo":"{memo}","createdOn":"2026-05-20T08:16:00Z","createdBy":2071,
        "modifiedOn":"2026-05-20T08:16:00Z","modifiedBy":2071}}"#
    )
}

fn ids() -> (PersonId, ContactMethodId) {
    (PERSON.parse().unwrap(), METHOD.parse().unwrap())
}

#[tokio::test]
async fn a_contact_of_a_booking_is_found_in_the_bookings_list() {
    let (service, sent) = service([
        ok(page(1, false, &[caller(9_119), caller(9_120)])),
        ok(page(1, false, &[caller(9_119), caller(9_120)])),
        ok(page(1, false, &[caller(9_119)])),
    ]);
    let (provider, booking) = (BookingProviderId::new(501), BookingId::new(6_001));
    let (provider, booking) = (provider.unwrap(), booking.unwrap());
    let all = service.booking(booking).list().collect().await.unwrap();
    assert_eq!(all.len(), 2);

    let of_provider = service.provider_booking(provider, booking);
    assert_eq!(of_provider.find(id(9_120)).await.unwrap().id, id(9_120));
    let error = of_provider.find(id(9_120)).await.unwrap_err();
    assert!(error.is_not_found());
    assert!(error.to_string().contains("/bookings/6001"), "{error}");
    let lines = sent.lines();
    assert!(lines[0].starts_with("GET /bookings/6001/contacts"));
    let path = "GET /booking-provider/501/bookings/6001/contacts";
    assert!(lines[1].starts_with(path), "{lines:?}");
}

#[tokio::test(start_paused = true)]
async fn of_a_booking_whose_answer_is_lost_an_update_is_unknown_and_a_deletion_is_looked_up() {
    let (service, sent) = service([
        ok(r#"{"memo":"Rings twice"}"#),
        lost(),
        ok(page(1, false, &[caller(9_120)])),
        ok(page(1, false, &[caller(9_120)])),
        ok(page(1, false, &[caller(9_120)])),
        lost(),
        ok(page(1, false, &[caller(9_120)])),
        ok(page(1, false, &[caller(9_119)])),
        lost(),
        ok(page(1, false, &[caller(9_120)])),
        ok(page(1, false, &[caller(9_120)])),
        ok(page(1, false, &[caller(9_120)])),
    ]);
    let (provider, booking) = (BookingProviderId::new(501), BookingId::new(6_001));
    let booking = service.provider_booking(provider.unwrap(), booking.unwrap());
    let update = || UpdateBookingContactRequest::new().memo("Rings twice");
    booking.update(id(9_120), update()).await.unwrap();
    let error = booking.update(id(9_120), update()).await.unwrap_err();
    assert!(error.outcome_is_unknown());
    booking.delete(id(9_120)).await.unwrap();
    let error = booking.delete(id(9_120)).await.unwrap_err();
    assert!(error.outcome_is_unknown(), "it still shows up");
    assert_eq!(
        sent.lines()[0],
        r#"PATCH /booking-provider/501/bookings/6001/contacts/9120 {"memo":"Rings twice"}"#
    );
}

#[tokio::test(start_paused = true)]
async fn a_person_is_read_changed_and_deleted_by_its_handle() {
    let (service, sent) = service([
        ok(person("Store manager")),
        ok(person("Store manager")),
        ok(person("Owner")),
        lost(),
        status(404, r#"{"type":"x","title":"Not found","status":404}"#),
        lost(),
        ok(person("Owner")),
        ok(person("Owner")),
        ok(person("Owner")),
    ]);
    let person = service.person(ids().0);
    assert_eq!(
        person.get().await.unwrap().title.as_deref(),
        Some("Store manager")
    );
    let change = PersonChange::new().title("Owner");
    person.update(&change).await.unwrap();
    person.delete().await.unwrap();
    assert!(person.delete().await.unwrap_err().outcome_is_unknown());
    let lines = sent.lines();
    assert_eq!(lines[0], format!("GET /contacts/{PERSON}"));
    let all = r#"{"name":"Jonas Lindqvist","title":"Owner","referenceId":null,"isArchived":false}"#;
    assert_eq!(lines[2], format!("PATCH /contacts/{PERSON} {all}"));
    assert_eq!(
        sent.count("DELETE"),
        2,
        "after a lost answer it is read, not sent again"
    );
}

#[tokio::test(start_paused = true)]
async fn a_contact_method_and_its_preferences_are_changed_by_its_handle() {
    let preference = r#"{"name":"VisitNews","dataType":"Bool","value":"false"}"#;
    let (service, sent) = service([
        ok(method("Work")),
        ok(format!("[{preference}]")),
        ok(preference),
        lost(),
        ok(preference.replace("false", "true")),
        ok(preference.replace("false", "true")),
        ok(preference.replace("false", "true")),
    ]);
    let (person, id) = ids();
    let method = service.person(person).method(id);
    let update = UpdateContactMethodRequest::new().memo("Work");
    assert_eq!(
        method.update(update).await.unwrap().memo.as_deref(),
        Some("Work")
    );
    assert_eq!(method.preferences().await.unwrap().len(), 1);
    let off = || UpdateMethodPreferenceRequest::from(false);
    method.set_preference("VisitNews", off()).await.unwrap();
    let error = method.set_preference("VisitNews", off()).await.unwrap_err();
    assert!(error.outcome_is_unknown());
    let path = format!("/contacts/{PERSON}/contact-methods/{METHOD}");
    let lines = sent.lines();
    assert_eq!(lines[0], format!(r#"PATCH {path} {{"memo":"Work"}}"#));
    assert_eq!(lines[1], format!("GET {path}/preferences"));
    assert!(
        lines[2].ends_with(r#"/preferences/VisitNews {"value":"false"}"#),
        "{lines:?}"
    );
}
