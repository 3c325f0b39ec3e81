//! The book's table of coverage: every operation has a library call, a command and a place in
//! the sandbox. `UPDATE_COVERAGE=1 cargo test -p crm-cli --test coverage` writes it anew.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{env, fmt::Write as _, fs, path::Path, process::Command};

use crm_contacts::{Spec, operations};
use crm_sandbox::Sandbox;
use crm_transport::{Environment, Request, ReqwestTransport, Transport};

/// How each operation is called from the library, and which command calls it.
const CALLS: [(&str, &str, &str); 44] = [
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
    let document = String::from_utf8(answer.body().to_vec()).unwrap();
    for spec in operations::all() {
        let id = format!("\"operationId\":\"{}\"", spec.id);
        assert!(document.replace(": ", ":").contains(&id), "the sandbox lacks {}", spec.id);
    }
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
    let mut text = "# Coverage\n\n\
        All 38 contacts operations of CRM v2, and the six that read customers and \
        locations. Paths stand below `/crm/v2/tenant/{tenant}`; the \
        library's calls start at a `ContactsService`, the commands at `crm`. The sandbox serves \
        them all. This page is written by a test, `crates/crm-cli/tests/coverage.rs`.\n\n\
        | Operation | Method and path | Scope | Library | Command |\n|---|---|---|---|---|\n"
        .to_owned();
    for spec in operations::all() {
        let Spec { id, method, path, scope, .. } = &spec;
        let (_, call, command) = CALLS.iter().find(|(of, ..)| of == id).unwrap();
        writeln!(text, "| `{id}` | `{method} {path}` | `{scope}` | `{call}` | `{command}` |")
            .unwrap();
    }
    text
}
