//! Records of one's own, added while the sandbox runs.

#![allow(clippy::unwrap_used, reason = "a failure here fails the test")]

mod common;

use std::error::Error;

use common::Client;
use crm_sandbox::{
    NewContact, NewMethod, NewPerson, Sandbox, SandboxError, Seed, StoredPreferences,
};

async fn harbor() -> Sandbox {
    let sandbox = Sandbox::builder().seed(Seed::Empty).start().await.unwrap();
    sandbox.add_customer(77, "Harbor Bakery").unwrap();
    sandbox.add_location(78, 77, "Pier 4").unwrap();
    sandbox.add_booking(79, 501).unwrap();
    sandbox
}

#[tokio::test]
async fn a_contact_is_answered_as_it_was_described() {
    let sandbox = harbor().await;
    let mut flags = StoredPreferences::all(true);
    flags.marketing_updates = false;
    let phone = NewContact::of_location(78, "MobilePhone", "8185550142").id(5);
    let phone = phone.memo("Gate").preferences(flags).do_not_text();
    let phone = phone.created_on("0001-01-01T00:00:00Z").modified_on("2026-05-27T16:04:11.5Z");
    assert_eq!(sandbox.add_contact(phone).unwrap(), 5);

    let client = Client::new(&sandbox).await;
    let (_, page) = client.get("/locations/78/contacts").await;
    let contact = &page["data"][0];
    assert_eq!(contact["id"], 5);
    assert_eq!(contact["memo"], "Gate");
    assert_eq!(contact["phoneSettings"]["doNotText"], true);
    assert_eq!(contact["preferences"]["marketingUpdatesEnabled"], false);
    assert_eq!(contact["preferences"]["invoiceNotification"], true);
    assert_eq!(contact["createdOn"], "0001-01-01T00:00:00Z");
    assert_eq!(contact["modifiedOn"], "2026-05-27T16:04:11.5Z");
}

#[tokio::test]
async fn a_client_sees_at_once_what_is_added_while_it_works() {
    let sandbox = harbor().await;
    let client = Client::new(&sandbox).await;
    let ids = async |path: &str| {
        let (status, page) = client.get(path).await;
        assert_eq!(status, 200, "{page}");
        page["data"].as_array().unwrap().iter().map(|one| one["id"].clone()).collect::<Vec<_>>()
    };
    for (list, contact) in [
        ("/customers/77/contacts", NewContact::of_customer(77, "Email", "a@site.example")),
        ("/locations/78/contacts", NewContact::of_location(78, "Pager", "anything at all")),
        ("/bookings/79/contacts", NewContact::of_booking(79, "Phone", "8185550142")),
    ] {
        assert!(ids(list).await.is_empty(), "{list}");
        let (first, second) = (contact.clone(), contact.clone().deleted());
        let first = sandbox.add_contact(first).unwrap();
        let second = sandbox.add_contact(second).unwrap();
        let third = sandbox.add_contact(contact).unwrap();
        assert_eq!(ids(list).await, [first, third], "{list}");
        assert!(![first, third].contains(&second), "{list}");
    }
    let stored = sandbox.location_contacts().unwrap();
    assert!(stored.is_sorted_by_key(|contact| contact.modified_on.clone()), "{stored:?}");
}

#[tokio::test]
async fn a_person_comes_with_methods_and_relationships() {
    let sandbox = harbor().await;
    let method = NewMethod::new("Email", "dana@site.example").memo("Work").reference_id("m-1");
    let person = NewPerson::new().name("Dana Whitfield").title("Owner").reference_id("p-1");
    let person = person.method(method).related_to("customer", 77).related_to("location", 78);
    let id = sandbox.add_person(person.archived()).unwrap();

    let client = Client::new(&sandbox).await;
    let (_, person) = client.get(&format!("/contacts/{id}")).await;
    assert_eq!((&person["name"], &person["isArchived"]), (&"Dana Whitfield".into(), &true.into()));
    let (_, methods) = client.get(&format!("/contacts/{id}/contact-methods")).await;
    assert_eq!(methods["data"][0]["value"], "dana@site.example");
    let (_, related) = client.get(&format!("/contacts/{id}/relationships")).await;
    assert_eq!(related["data"].as_array().map(Vec::len), Some(2), "{related}");
}

#[tokio::test]
async fn what_cannot_be_added_says_why_and_leaves_nothing_behind() {
    let sandbox = harbor().await;
    let why = |result: Result<(), SandboxError>| {
        let error = result.unwrap_err();
        assert!(matches!(error, SandboxError::NotAdded { .. }), "{error}");
        format!("{error}: {}", error.source().unwrap())
    };
    let contact = |contact: NewContact| why(sandbox.add_contact(contact).map(drop));
    let person = |person: NewPerson| why(sandbox.add_person(person).map(drop));
    assert_eq!(
        contact(NewContact::of_location(9, "Email", "a@site.example")),
        "cannot add a contact to location 9: there is no location 9: add it first"
    );
    assert!(why(sandbox.add_location(9, 8, "Pier 9")).contains("there is no customer 8"));
    assert!(why(sandbox.add_customer(77, "Again")).contains("customer 77: UNIQUE"));
    let of_78 = NewContact::of_location(78, "Phone", "8185550142").do_not_text();
    assert!(
        contact(of_78.clone().modified_on("yesterday")).contains("\"yesterday\" is not a time")
    );
    let booked = NewContact::of_booking(79, "Phone", "1").preferences(StoredPreferences::all(true));
    assert!(contact(booked).contains("neither preferences"));

    let dana = NewPerson::new().id("5b0f6c1e-8a42-4d0c-9e53-0c7a4f1b2d90");
    let first = dana.clone().method(NewMethod::new("Fax", "8185550199"));
    assert!(person(first.clone().related_to("estate", 1)).contains("`customer`, a `location`"));
    assert!(person(first.related_to("booking", 1)).contains("there is no booking 1"));
    assert!(person(NewPerson::new().id("Dana")).contains("is not a GUID"));
    assert_eq!(sandbox.people().unwrap(), []);
    assert_eq!(sandbox.contact_methods().unwrap(), []);
    sandbox.add_person(dana.clone()).unwrap();
    assert!(person(dana).contains("is taken"));

    // The number did not opt out either: all of the contact was refused.
    sandbox.add_contact(NewContact::of_location(78, "Phone", "8185550142")).unwrap();
    assert!(!sandbox.location_contacts().unwrap()[0].do_not_text);
}
