//! The table of exit codes in the README, row by row.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{Host, PERSON, Service, stderr, stdout};
use crm_sandbox::{Fault, FaultPlan, FaultRule};

const LIST: &str = "location-contacts list 2001";
const UPDATE: &str = "location-contacts update 2001 3001 --memo New";

/// Runs a command line that must end with this code; gives its stderr.
fn ends_with(code: i32, service: &Service, line: &str) -> String {
    let assert = service.crm(line).assert();
    let ended = assert.get_output().status.code();
    assert_eq!(ended, Some(code), "{line}: {}", stderr(&assert));
    stderr(&assert)
}

/// A service whose calls of this kind meet a fault, always.
fn failing(fault: Fault, methods: &[&str]) -> Service {
    let service = Service::start();
    let plan = methods.iter().fold(FaultPlan::new(), |plan, method| {
        plan.rule(FaultRule::new(fault.clone()).method(*method).path("/contacts").times(0))
    });
    service.sandbox.inject(plan);
    service
}

#[test]
fn code_0_is_done_or_nothing_to_do() {
    let service = Service::start();
    ends_with(0, &service, UPDATE);
    ends_with(0, &service, UPDATE);
    assert_eq!(service.writes(), ["PATCH"]);
}

#[test]
fn code_0_is_also_a_write_whose_answer_was_lost_but_that_is_found_carried_out() {
    let service = Service::start();
    let unreadable = FaultRule::new(Fault::GarbageBody).method("PATCH").times(0);
    service.sandbox.inject(FaultPlan::new().rule(unreadable));
    ends_with(0, &service, UPDATE);
    assert_eq!(service.json(&["location-contacts", "get", "2001", "3001"])["memo"], "New");
}

#[test]
fn code_1_is_a_file_of_this_machine() {
    let service = Service::start();
    ends_with(1, &service, "export location-contacts --out missing/folder/file");
    ends_with(1, &service, "plan missing.csv --out set.crm");
    ends_with(1, &service, "show missing.crm");
}

#[test]
fn code_2_is_input_or_a_write_that_is_not_allowed() {
    let service = Service::start();
    ends_with(2, &service, "location-contacts list none");
    ends_with(2, &service, "location-contacts update 2001 3001");
    ends_with(2, &service, &format!("{UPDATE} --read-only"));
    ends_with(2, &service, &format!("{LIST} --profile none"));
    assert!(service.writes().is_empty());
}

#[test]
fn code_3_is_a_refusal() {
    let service = Service::start();
    ends_with(3, &service, "location-contacts get 2001 9999");
    ends_with(3, &service, "location-contacts delete 2001 9999");
    service.sandbox.set("scopes", "tn.crm.locations:r").unwrap();
    ends_with(3, &service, UPDATE);
}

#[test]
fn code_4_is_refused_credentials() {
    let service = Service::start();
    service.sandbox.set("scopes", "tn.jpm.jobs:r").unwrap();
    ends_with(4, &service, "auth check");
    let mut wrong = service.crm(LIST);
    wrong.env("CRM_CLIENT_SECRET", "wrong-8471").assert().code(4);
}

#[test]
fn code_5_is_no_usable_answer_to_a_call_that_changed_nothing() {
    let maintenance = failing(Fault::Maintenance, &["GET", "PATCH"]);
    ends_with(5, &maintenance, LIST);
    ends_with(5, &maintenance, UPDATE);
    // A torn body, a sign-in page of the network.
    for fault in [Fault::GarbageBody, Fault::Html { status: 200 }] {
        let service = failing(fault, &["GET"]);
        ends_with(5, &service, LIST);
        ends_with(5, &service, UPDATE);
        assert!(service.writes().is_empty());
    }
    let service = failing(Fault::GarbageBody, &["GET"]);
    ends_with(5, &service, "location-contacts get 2001 3001");
    ends_with(5, &service, "export location-contacts");
    ends_with(5, &service, "snapshot contacts.snapshot");
    let told = service.crm(&format!("{LIST} --output json")).assert();
    let told: serde_json::Value = serde_json::from_str(&stdout(&told)).unwrap();
    assert_eq!(told["error"]["kind"], "unreadable", "{told}");
    assert_eq!(told["error"]["exitCode"], 5, "{told}");
}

#[test]
fn code_6_is_a_write_of_which_nothing_is_known() {
    let lost = failing(Fault::LostAnswer, &["POST"]);
    ends_with(6, &lost, "people create --name Dana");
    // The write is carried out and answered; neither that answer nor the look afterwards can be read.
    let contact = r#"{"id": 3001, "type": "Email", "value": "a@site.example", "memo": null,
        "createdOn": "2026-01-01T00:00:00Z", "modifiedOn": "2026-01-01T00:00:00Z",
        "preferences": null}"#;
    let list = format!(r#"{{"page": 1, "pageSize": 50, "hasMore": false, "data": [{contact}]}}"#);
    let service = Service::start();
    let host = Host::start(&[(200, &list), (200, "{")]);
    let update = service.crm(UPDATE).env("CRM_API_URL", &host.url).assert();
    let told = stderr(&update.code(6));
    assert!(told.contains("read the record before you repeat"), "{told}");
}

#[test]
fn code_7_is_a_conflict() {
    let service = Service::start();
    let since = "--if-unmodified-since 2020-01-01T00:00:00Z";
    ends_with(7, &service, &format!("{UPDATE} {since}"));
    assert!(service.writes().is_empty());
}

#[test]
fn code_8_is_an_answer_that_differs_from_what_was_asked() {
    let service = Service::start();
    let person = service.ok(&["people", "get", PERSON, "--output", "ndjson"]);
    let other = person.replace("Owner", "Boss");
    assert_ne!(person, other);
    let host = Host::start(&[(200, &person), (200, &person), (200, &other)]);
    let update = ["people", "update", PERSON, "--title", "Chief"];
    service.crm(&update).env("CRM_API_URL", &host.url).assert().code(8);
}

#[test]
fn code_9_is_a_search_that_found_nothing() {
    let service = Service::start();
    service.ok("mirror update --mirror mirror.db");
    ends_with(9, &service, "find --mirror mirror.db nobody");
    ends_with(0, &service, "find --mirror mirror.db harbor");
}

#[cfg(unix)]
#[test]
fn codes_130_and_143_are_the_signals_themselves() {
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let service = Service::start();
        let slow = Fault::Delay { milliseconds: 60_000 };
        let slow = FaultRule::new(slow).path("/export/locations/contacts");
        service.sandbox.inject(FaultPlan::new().rule(slow));
        let mut child = service.spawn(&["export", "location-contacts"]);
        while !service.sandbox.unmet_faults().is_empty() {
            common::wait_beside(&mut child);
        }
        let (_, ended_by) = common::end_with(signal, child);
        // What a shell makes of it.
        assert_eq!(ended_by.map(|number| 128 + number), Some(code));
    }
}
