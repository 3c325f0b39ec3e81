//! The book's table of coverage: every operation has a library call, a command and a place in
//! the sandbox. `UPDATE_COVERAGE=1 cargo test -p crm-cli --test coverage` writes it anew.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{env, fmt::Write as _, fs, path::Path, process::Command};

use crm_contacts::{Spec, operations};
use crm_sandbox::Sandbox;
use crm_transport::{Environment, Request, ReqwestTransport, Transport};
use serde_json::Value;

/// How each operation is called from the library, and which command calls it.
const CALLS: &[(&str, &str, &str)] = &[
    ("Locations_GetContactList", "location(id).list()", "location-contacts list"),
    ("Locations_CreateContact", "location(id).create(…)", "location-contacts create"),
    ("Locations_UpdateContact", "location(id).update(…)", "location-contacts update"),
    ("Locations_DeleteContact", "location(id).delete(…)", "location-contacts delete"),
    ("Locations_GetLocationsContactsList", "changed::<LocationId>(…)", "location-contacts changed"),
    ("Customers_GetContactList", "customer(id).list()", "customer-contacts list"),
    ("Customers_CreateContact", "customer(id).create(…)", "customer-contacts create"),
    ("Customers_UpdateContact", "customer(id).update(…)", "customer-contacts update"),
    ("Customers_DeleteContact", "customer(id).delete(…)", "customer-contacts delete"),
    ("Customers_GetModifiedContactsList", "changed::<CustomerId>(…)", "customer-contacts changed"),
    ("Contacts_GetList", "people().list(…)", "people list"),
    ("Contacts_Create", "people().create(…)", "people create"),
    ("Contacts_Get", "person(id).get()", "people get"),
    ("Contacts_Replace", "person(id).replace(…)", "people replace"),
    ("Contacts_Update", "person(id).update(…)", "people update"),
    ("Contacts_DeleteContact", "person(id).delete()", "people delete"),
    ("Contacts_GetByRelationshipId", "people().related_to(…)", "people related-to"),
    ("Contacts_GetContactRelationshipList", "person(id).relationships(…)", "people relationships"),
    ("Contacts_CreateContactRelationship", "person(id).relate(…)", "people relate"),
    ("Contacts_DeleteContactRelationship", "person(id).unrelate(…)", "people unrelate"),
    ("Contacts_GetPreferenceMetadataList", "people().preference_types()", "preferences types"),
    ("Contacts_SearchContactMethods", "people().contact_methods(…)", "contact-methods search"),
    ("ContactMethods_GetContactMethods", "person(id).methods(…)", "contact-methods list"),
    ("ContactMethods_CreateContactMethod", "person(id).create_method(…)", "contact-methods create"),
    ("ContactMethods_GetContactMethod", "person(id).method(id).get()", "contact-methods get"),
    (
        "ContactMethods_UpsertContactMethod",
        "person(id).method(id).upsert(…)",
        "contact-methods upsert",
    ),
    (
        "ContactMethods_UpdateContactMethod",
        "person(id).method(id).update(…)",
        "contact-methods update",
    ),
    (
        "ContactMethods_DeleteContactMethod",
        "person(id).method(id).delete()",
        "contact-methods delete",
    ),
    (
        "ContactPreferences_GetContactMethodPreferences",
        "person(id).method(id).preferences()",
        "preferences list",
    ),
    (
        "ContactPreferences_GetContactMethodPreference",
        "person(id).method(id).preference(…)",
        "preferences get",
    ),
    (
        "ContactPreferences_UpdateContactMethodPreference",
        "person(id).method(id).set_preference(…)",
        "preferences set",
    ),
    ("Bookings_GetContactList", "booking(id).list()", "booking-contacts list"),
    ("Bookings_GetContactList2", "provider_booking(…).list()", "booking-contacts list"),
    ("Bookings_CreateContact", "provider_booking(…).create(…)", "booking-contacts create"),
    ("Bookings_UpdateBookingContact", "provider_booking(…).update(…)", "booking-contacts update"),
    ("Bookings_DeleteContact", "provider_booking(…).delete(…)", "booking-contacts delete"),
    ("ExportContacts_CustomersContacts", "export::<CustomerId>()", "export customer-contacts"),
    ("ExportContacts_LocationsContacts", "export::<LocationId>()", "export location-contacts"),
    ("Locations_Get", "locations().get(id)", "locations get"),
    ("Locations_GetList", "locations().list(…)", "locations list"),
    ("ExportLocations_Locations", "locations().export()", "locations export"),
    ("Customers_Get", "customers().get(id)", "customers get"),
    ("Customers_GetList", "customers().list(…)", "customers list"),
    ("ExportCustomers_GetCustomers", "customers().export()", "customers export"),
];

#[test]
fn every_operation_has_a_command() {
    has_all("CALLS in this file", &CALLS.iter().map(|(id, ..)| *id).collect::<Vec<_>>());
    for (_, _, command) in CALLS {
        let output = Command::new(env!("CARGO_BIN_EXE_crm"))
            .args(command.split(' '))
            .arg("--help")
            .output()
            .unwrap();
        assert!(output.status.success(), "crm {command} --help");
    }
}

#[tokio::test]
async fn the_sandbox_serves_every_operation() {
    let sandbox = Sandbox::start().await.unwrap();
    let url = &sandbox.connection().api_url;
    let transport = ReqwestTransport::new(&Environment::custom(url, url).unwrap()).unwrap();
    let mut request = Request::default();
    *request.uri_mut() = "/openapi.json".parse().unwrap();
    let answer = transport.send(request).await.unwrap();
    let document: Value = serde_json::from_slice(answer.body()).unwrap();
    let paths = document["paths"].as_object().unwrap().values();
    let operations = paths.flat_map(|path| path.as_object().unwrap().values());
    let served: Vec<_> = operations.map(|one| one["operationId"].as_str().unwrap()).collect();
    has_all("the sandbox", &served);
}

/// Asserts that no operation of the library is missing among these.
#[track_caller]
fn has_all(of: &str, ids: &[&str]) {
    let missing: Vec<_> =
        operations::all().into_iter().map(|spec| spec.id).filter(|id| !ids.contains(id)).collect();
    assert!(missing.is_empty(), "{of} lacks {missing:?}");
}

#[test]
fn the_books_table_is_this_one() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/src/coverage.md");
    let table = table();
    if env::var_os("UPDATE_COVERAGE").is_some() {
        fs::write(&path, &table).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap();
    assert_eq!(written, table, "write it anew with UPDATE_COVERAGE=1");
}

fn table() -> String {
    let all = operations::all();
    let mut text = format!(
        "# Coverage\n\n\
        All contacts operations of CRM v2, and those that read customers and locations: {}. Paths \
        stand below `/crm/v2/tenant/{{tenant}}`; the \
        library's calls start at a `ContactsService`, the commands at `crm`. The sandbox serves \
        them all. This page is written by a test, `crates/crm-cli/tests/coverage.rs`.\n\n\
        | Operation | Method and path | Scope | Library | Command |\n|---|---|---|---|---|\n",
        all.len()
    );
    for spec in all {
        let Spec { id, method, path, scope, .. } = &spec;
        let row = CALLS.iter().find(|(of, ..)| of == id);
        let (_, call, command) = row.unwrap_or_else(|| panic!("{id} has no row in this file"));
        writeln!(text, "| `{id}` | `{method} {path}` | `{scope}` | `{call}` | `{command}` |")
            .unwrap();
    }
    text
}
