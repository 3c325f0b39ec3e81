//! The commands on people, contact methods, preferences, bookings, and `crm api`.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{METHOD, PERSON, Service, stderr};
use serde_json::json;

#[test]
fn a_person_is_created_changed_replaced_and_deleted() {
    let service = Service::start();
    let created = service.json(&["people", "create", "--name", "Dana", "--title", "Lead"]);
    let id = created["id"].as_str().unwrap();

    let updated = service.json(&["people", "update", id, "--clear-title", "--archived", "on"]);
    assert_eq!(
        updated["differences"],
        json!([
            {"field": "title", "before": "Lead", "after": null},
            {"field": "isArchived", "before": "false", "after": "true"},
        ])
    );
    assert_eq!(
        updated["record"]["name"], "Dana",
        "what is not named is kept"
    );

    let replaced = service.json(&[
        "people",
        "replace",
        id,
        "--title",
        "Boss",
        "--archived",
        "off",
    ]);
    assert_eq!(
        (&replaced["name"], &replaced["title"]),
        (&json!(null), &json!("Boss"))
    );
    service.ok(&["people", "delete", id]);
    service.crm(&["people", "get", id]).assert().code(3);
}

#[test]
fn people_are_listed_in_order_and_found_through_what_they_are_related_to() {
    let service = Service::start();
    let list = ["people", "list", "--sort", "modified-on", "--descending"];
    let people = service.json(&list);
    let times: Vec<_> = people
        .as_array()
        .unwrap()
        .iter()
        .map(|p| p["modifiedOn"].as_str())
        .collect();
    assert!(
        times.len() > 3 && times.is_sorted_by(|a, b| a >= b),
        "{times:?}"
    );

    let related = service.json(&["people", "related-to", "1001", "--fields", "id"]);
    assert!(
        related.as_array().unwrap().contains(&json!({"id": PERSON})),
        "{related}"
    );

    service.ok(&["people", "relate", PERSON, "customer", "1002"]);
    let filter = [
        "people",
        "relationships",
        PERSON,
        "--entity-type",
        "customer",
    ];
    assert_eq!(service.json(&filter).as_array().unwrap().len(), 2);
    service.ok(&["people", "unrelate", PERSON, "customer", "1002"]);
    service
        .crm(&["people", "unrelate", PERSON, "customer", "1002"])
        .assert()
        .code(7);
}

#[test]
fn a_contact_method_is_created_changed_replaced_and_deleted() {
    let service = Service::start();
    let create = [
        "contact-methods",
        "create",
        PERSON,
        "--type",
        "Email",
        "--value",
        "ada@site.example",
    ];
    let created = service.json(&create);
    let id = created["id"].as_str().unwrap();
    let found = service.json(&["contact-methods", "search", "--value", "ada@site.example"]);
    assert_eq!(found[0]["id"], created["id"]);

    let updated = service.json(&["contact-methods", "update", PERSON, id, "--memo", "Office"]);
    assert_eq!(updated["differences"][0]["field"], "memo");
    let upsert = [
        "contact-methods",
        "upsert",
        PERSON,
        id,
        "--type",
        "Fax",
        "--value",
        "8185550111",
    ];
    assert_eq!(service.json(&upsert)["type"], "Fax");
    service.ok(&["contact-methods", "delete", PERSON, id]);
    let left = service.json(&["contact-methods", "list", PERSON]);
    assert!(
        left.as_array()
            .unwrap()
            .iter()
            .all(|method| method["id"] != created["id"])
    );
}

#[test]
fn a_preference_is_set_by_its_name() {
    let service = Service::start();
    let types = service.json(&["preferences", "types"]);
    let name = types[0]["name"].as_str().unwrap();
    service.ok(&["preferences", "set", PERSON, METHOD, name, "false"]);
    let preference = service.json(&["preferences", "get", PERSON, METHOD, name]);
    assert_eq!(preference["value"], "false");
    let all = service.json(&["preferences", "list", PERSON, METHOD]);
    assert!(all.as_array().unwrap().contains(&preference));
}

#[test]
fn a_booking_contact_is_created_changed_and_deleted_through_its_provider() {
    let service = Service::start();
    let create = [
        "booking-contacts",
        "create",
        "6001",
        "--provider",
        "501",
        "--type",
        "Phone",
        "--value",
        "8185550100",
    ];
    let created = service.json(&create)["id"].clone();
    let id = created.to_string();
    let update = [
        "booking-contacts",
        "update",
        "6001",
        &id,
        "--provider",
        "501",
        "--memo",
        "Caller",
    ];
    assert_eq!(service.json(&update)["differences"][0]["after"], "Caller");
    let get = ["booking-contacts", "get", "6001", &id, "--provider", "501"];
    assert_eq!(service.json(&get)["memo"], "Caller");
    service.ok(&[
        "booking-contacts",
        "delete",
        "6001",
        &id,
        "--provider",
        "501",
    ]);
    let left = service.json(&["booking-contacts", "list", "6001"]);
    assert!(
        left.as_array()
            .unwrap()
            .iter()
            .all(|contact| contact["id"] != created)
    );
}

#[test]
fn any_operation_can_be_called_by_its_path() {
    let service = Service::start();
    let page = service.ok(&["api", "get", "/locations/2001/contacts?pageSize=1"]);
    let page: serde_json::Value = serde_json::from_str(&page).unwrap();
    assert_eq!(page["hasMore"], true);

    let patch = [
        "api",
        "patch",
        "/crm/v2/tenant/{tenant}/locations/2001/contacts/3001",
    ];
    let body = [&patch[..], &["--body", "-"]].concat();
    service
        .crm(&body)
        .write_stdin(r#"{"memo": "By hand"}"#)
        .assert()
        .success();
    assert_eq!(
        service.json(&["location-contacts", "get", "2001", "3001"])["memo"],
        "By hand"
    );

    service.crm(&body).write_stdin("{memo}").assert().code(2);
    let refused = service
        .crm(&["api", "get", "/nothing/here"])
        .assert()
        .code(3);
    assert!(
        stderr(&refused).contains("trace id"),
        "{}",
        stderr(&refused)
    );
}

#[test]
fn pages_and_batches_are_followed_to_their_end() {
    let service = Service::start();
    service.sandbox.set("export-page-size", "7").unwrap();
    let listed = service.json(&["location-contacts", "list", "2001", "--all"]);
    let paged = service.json(&[
        "api",
        "get",
        "/locations/2001/contacts?pageSize=2",
        "--paginate",
    ]);
    assert_eq!(listed, paged);

    let feed = [
        "api",
        "get",
        "/export/locations/contacts",
        "--paginate",
        "--output",
        "ndjson",
    ];
    let lines = service.ok(&feed);
    let exported = service.ok(&["export", "location-contacts"]);
    assert!(lines.lines().count() > 14);
    assert_eq!(lines.lines().count(), exported.lines().count());
}
