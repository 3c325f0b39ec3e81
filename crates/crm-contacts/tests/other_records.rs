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
    assert_eq!(person.get().await.unwrap().title.as_deref(), Some("Store manager"));
    let change = PersonChange::new().title("Owner");
    person.update(&change).await.unwrap();
    person.delete().await.unwrap();
    assert!(person.delete().await.unwrap_err().outcome_is_unknown());
    let lines = sent.lines();
    assert_eq!(lines[0], format!("GET /contacts/{PERSON}"));
    let all = r#"{"name":"Jonas Lindqvist","title":"Owner","referenceId":null,"isArchived":false}"#;
    assert_eq!(lines[2], format!("PATCH /contacts/{PERSON} {all}"));
    assert_eq!(sent.count("DELETE"), 2, "after a lost answer it is read, not sent again");
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
    assert_eq!(method.update(update).await.unwrap().memo.as_deref(), Some("Work"));
    assert_eq!(method.preferences().await.unwrap().len(), 1);
    let off = || UpdateMethodPreferenceRequest::from(false);
    method.set_preference("VisitNews", off()).await.unwrap();
    let error = method.set_preference("VisitNews", off()).await.unwrap_err();
    assert!(error.outcome_is_unknown());
    let path = format!("/contacts/{PERSON}/contact-methods/{METHOD}");
    let lines = sent.lines();
    assert_eq!(lines[0], format!(r#"PATCH {path} {{"memo":"Work"}}"#));
    assert_eq!(lines[1], format!("GET {path}/preferences"));
    assert!(lines[2].ends_with(r#"/preferences/VisitNews {"value":"false"}"#), "{lines:?}");
}

/// An update that rests on a reading, of every kind of record that is not a location's or a
/// customer's contact. Each changes one text of the record to "Lobby".
mod on_a_reading {
    use crm_contacts::{ContactsError, Difference, Preview};
    use crm_models::Timestamp;

    use super::*;

    const SEEN: &str = "2026-05-22T00:00:00Z";
    const BEFORE: &str = "2026-01-01T00:00:00Z";

    /// The body of an answer whose record has this text.
    type Text = fn(&str) -> String;

    /// The kinds: how a record reads, alone or in a list, and where it is changed.
    fn kinds() -> [(&'static str, Text, Text); 3] {
        let booking = |memo: &str| caller(9_120).replace("Caller", memo);
        [
            ("booking", |memo| page(1, false, &[caller(9_120).replace("Caller", memo)]), booking),
            ("person", person, person),
            ("method", method, method),
        ]
    }

    async fn update(
        kind: &str,
        script: Vec<Step>,
        since: Option<&str>,
    ) -> (Result<Vec<Difference>, ContactsError>, Sent) {
        let (service, sent) = service(script);
        let since: Option<Timestamp> = since.map(|since| since.parse().unwrap());
        let handle = service.person(ids().0);
        let differences = match kind {
            "booking" => {
                let (provider, booking) = (BookingProviderId::new(501), BookingId::new(6_001));
                let booking = service.provider_booking(provider.unwrap(), booking.unwrap());
                let change = UpdateBookingContactRequest::new().memo("Lobby");
                match since {
                    Some(since) => {
                        let id = id(9_120);
                        booking.update_if_unmodified_since(id, &change, since).await
                    }
                    None => booking.update_if_changed(id(9_120), &change).await,
                }
                .map(|updated| updated.differences())
            }
            "person" => {
                let change = PersonChange::new().title("Lobby");
                match since {
                    Some(since) => handle.update_if_unmodified_since(&change, since).await,
                    None => handle.update_if_changed(&change).await,
                }
                .map(|updated| updated.differences())
            }
            _ => {
                let method = handle.method(ids().1);
                let change = UpdateContactMethodRequest::new().memo("Lobby");
                match since {
                    Some(since) => method.update_if_unmodified_since(&change, since).await,
                    None => method.update_if_changed(&change).await,
                }
                .map(|updated| updated.differences())
            }
        };
        (differences, sent)
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_sent_when_it_is_so_already() {
        for (kind, read, _) in kinds() {
            let (differences, sent) = update(kind, vec![ok(read("Lobby"))], None).await;
            assert_eq!(differences.unwrap(), [], "{kind}");
            assert_eq!(sent.lines().len(), 1, "{kind}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_changed_is_told() {
        for (kind, read, answer) in kinds() {
            let script = vec![ok(read("Desk")), ok(answer("Lobby"))];
            let (differences, _) = update(kind, script, Some(SEEN)).await;
            let differences = differences.unwrap();
            let told = (&differences[0].before, &differences[0].after);
            assert_eq!(told, (&Some("Desk".to_owned()), &Some("Lobby".to_owned())), "{kind}");
            assert_eq!(differences.len(), 1, "{kind}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_somebody_else_changed_stays() {
        for (kind, read, _) in kinds() {
            let (refused, sent) = update(kind, vec![ok(read("Desk"))], Some(BEFORE)).await;
            let refused = refused.unwrap_err();
            assert!(matches!(refused, ContactsError::Modified { .. }), "{kind}: {refused}");
            assert!(refused.to_string().contains("nothing was written"));
            assert_eq!(sent.count("PATCH"), 0, "{kind}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_is_not_as_asked_is_read_back() {
        for (kind, read, answer) in kinds() {
            let script = vec![ok(read("Desk")), ok(answer("Desk")), ok(read("Lobby"))];
            assert_eq!(update(kind, script, None).await.0.unwrap().len(), 1);

            let looks = (0..3).map(|_| ok(read("Desk")));
            let start = [ok(read("Desk")), ok(answer("Desk"))].into_iter();
            let (error, _) = update(kind, start.chain(looks).collect(), None).await;
            let error = error.unwrap_err();
            assert!(matches!(error, ContactsError::NotChanged(_)), "{error}");
        }
    }

    #[test]
    fn what_would_be_sent_can_be_shown() {
        let (service, _) = service([]);
        let person: crm_models::Person = serde_json::from_str(&person("Owner")).unwrap();
        let shown = |title: &str| -> Option<Preview> {
            let change = PersonChange::new().title(title);
            service.person(ids().0).preview(&person, &change).unwrap()
        };
        assert!(shown("Owner").is_none());
        let shown = shown("Chief").unwrap();
        assert_eq!(shown.method, "PATCH");
        assert!(shown.path.ends_with(PERSON), "{}", shown.path);
        assert!(shown.to_string().contains(r#""title":"Chief""#), "{shown}");
    }
}
