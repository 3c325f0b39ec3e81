//! Who has a number or an address now, over a mocked transport: what is asked, and what is said of
//! what cannot be seen.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::*;
use crm_contacts::Unseen;
use crm_models::{email, phone};

const PERSON: &str = "5e0c1a44-93b7-4d1f-8a26-000000000001";

fn owner(id: i64, customer: i64) -> String {
    format!(
        r#"{{"id":{id},"customerId":{customer},"active":true,"name":"Harbor Bakery","type":
        "Commercial","address":{{"street":"4 Pier Road","unit":null,"city":"Canoga Park","state":
        "CA","zip":"91303","country":"USA"}},"doNotMail":false,"doNotService":false,"createdOn":
        "2025-11-02T09:15:00Z","modifiedOn":"2026-05-27T16:04:11Z","mergedToId":null}}"#
    )
}

fn contact_of(member: &str, owner: i64, id: i64, value: &str) -> String {
    format!(
        r#"{{"id":{id},"{member}":{owner},"type":"Phone","value":"{value}","memo":null,
        "modifiedOn":"2026-05-27T16:04:11Z","createdOn":"2025-11-02T09:15:00Z"}}"#
    )
}

fn method(kind: &str, value: &str) -> String {
    format!(
        r#"{{"id":"7b2d9f10-4e6a-4c58-b310-000000000001","contactId":"{PERSON}","type":"{kind}",
        "value":"{value}","memo":null,"referenceId":null,"createdOn":"2025-11-02T09:15:00Z",
        "createdBy":7,"modifiedOn":"2026-05-27T16:04:11Z","modifiedBy":7}}"#
    )
}

fn person() -> String {
    format!(
        r#"{{"id":"{PERSON}","referenceId":null,"name":"Dana","title":null,"isArchived":false,
        "createdOn":"2025-11-02T09:15:00Z","createdBy":7,"modifiedOn":"2026-05-27T16:04:11Z",
        "modifiedBy":7}}"#
    )
}

fn related_to(slug: &str, id: i64) -> String {
    format!(
        r#"{{"id":"9c2d9f10-4e6a-4c58-b310-000000000001","relatedEntityId":{id},"typeName":"{slug}",
        "typeSlug":"{slug}","createdOn":"2025-11-02T09:15:00Z","createdBy":7}}"#
    )
}

const NONE: [&str; 0] = [];

fn is_number(stored: &str) -> bool {
    phone::key(stored) == "8185550142"
}

#[tokio::test]
async fn a_number_leads_to_its_customer_their_locations_and_the_contacts_that_have_it() {
    let (service, sent) = service([
        ok(page(1, false, &[owner(9_107, 0)])),
        ok(page(1, false, &NONE)),
        ok(page(1, false, &[owner(55_021, 9_107), owner(55_022, 9_107)])),
        ok(page(
            1,
            false,
            &[
                contact_of("customerId", 9_107, 1, "(818) 555-0142"),
                contact_of("customerId", 9_107, 2, "8185550199"),
            ],
        )),
        ok(page(1, false, &[contact_of("locationId", 55_022, 3, "+1 818 555 0142")])),
    ]);
    let holders = service.who_has(&["8185550142"], 50, is_number).await.unwrap();
    assert_eq!(holders.customers.len(), 1);
    assert_eq!(holders.customers[0].contacts.iter().map(|c| c.id.get()).collect::<Vec<_>>(), [1]);
    assert_eq!(holders.locations.len(), 1, "only those that have it");
    assert_eq!(holders.locations[0].details.id.get(), 55_022);
    assert!(!holders.more && holders.people.is_empty());
    assert_eq!(
        holders.unseen,
        [Unseen::NumbersOfLocationsAlone, Unseen::Bookings, Unseen::OtherForms]
    );
    assert_eq!(
        sent.lines(),
        [
            "GET /customers?phone=8185550142&active=Any&page=1&pageSize=500",
            "GET /contacts/contact-methods?value=8185550142&page=1&pageSize=500",
            "GET /locations?customerId=9107&active=Any&page=1&pageSize=500",
            "GET /customers/contacts?customerIds=9107&page=1&pageSize=500",
            "GET /locations/contacts?locationIds=55021%2C55022&page=1&pageSize=500",
        ]
    );
}

#[tokio::test]
async fn an_address_leads_over_a_person_to_what_they_are_related_to() {
    let (service, sent) = service([
        // A part of the value may be enough for the service; it is not for us.
        ok(page(1, false, &[method("Email", "dana@site.example"), method("Email", "x@y.example")])),
        ok(person()),
        ok(page(1, false, &[related_to("location", 55_021), related_to("booking", 4)])),
        ok(page(1, false, &[owner(55_021, 9_107)])),
        ok(page(1, false, &NONE)),
    ]);
    let is_same = |stored: &str| email::key(stored) == "dana@site.example";
    let holders = service.who_has(&["dana@site.example"], 50, is_same).await.unwrap();
    assert_eq!(holders.people.len(), 1);
    assert_eq!((holders.people[0].methods.len(), holders.people[0].related.len()), (1, 2));
    assert_eq!(holders.locations.len(), 1, "also without a contact that has it");
    assert!(holders.unseen.contains(&Unseen::AddressesOfOwners));
    let lines = sent.lines();
    assert!(lines.iter().all(|line| !line.contains("phone=")), "{lines:?}");
    assert_eq!(lines[3], "GET /locations?ids=55021&active=Any&page=1&pageSize=500");
}

#[tokio::test]
async fn a_scope_that_is_missing_is_said_and_ends_nothing() {
    let forbidden = r#"{"title":"Forbidden","status":403}"#;
    let (service, _) = service([
        ok(page(1, false, &[owner(9_107, 0)])),
        status(403, forbidden),
        status(403, forbidden),
        ok(page(1, false, &[contact_of("customerId", 9_107, 1, "8185550142")])),
    ]);
    let holders = service.who_has(&["8185550142"], 50, is_number).await.unwrap();
    assert_eq!(holders.customers[0].contacts.len(), 1);
    let refused: Vec<_> =
        holders.unseen.iter().filter(|unseen| unseen.name() == "refused").collect();
    assert_eq!(refused.len(), 2, "{:?}", holders.unseen);
    let text = refused.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    assert!(text.contains("tn.crm.contacts:r") && text.contains("tn.crm.locations:r"), "{text}");

    // Any other failure is one.
    let (service, _) = common::service([status(500, "")]);
    service.who_has(&["8185550142"], 50, is_number).await.unwrap_err();
}

#[tokio::test]
async fn a_person_who_is_deleted_meanwhile_is_left_out() {
    let found = || ok(page(1, false, &[method("Email", "dana@site.example")]));
    let gone = |code| status(code, format!(r#"{{"type":"x","title":"Gone","status":{code}}}"#));
    for answers in [vec![found(), gone(404)], vec![found(), ok(person()), gone(409)]] {
        let (service, _) = service(answers);
        let is_same = |stored: &str| email::key(stored) == "dana@site.example";
        let holders = service.who_has(&["dana@site.example"], 50, is_same).await.unwrap();
        assert!(holders.people.is_empty());
    }
}

#[tokio::test]
async fn a_service_that_does_not_filter_is_not_read_to_its_end() {
    let all: Vec<_> = (1..=3).map(|id| owner(id, 0)).collect();
    let (service, sent) = service([
        ok(page(1, true, &all)),
        ok(page(1, false, &NONE)),
        ok(page(1, false, &NONE)),
        ok(page(1, false, &NONE)),
        ok(page(1, false, &NONE)),
    ]);
    let holders = service.who_has(&["8185550142"], 2, is_number).await.unwrap();
    assert!(holders.more);
    assert_eq!(holders.customers.len(), 2);
    assert_eq!(sent.lines().iter().filter(|line| line.contains("phone=")).count(), 1);
}
