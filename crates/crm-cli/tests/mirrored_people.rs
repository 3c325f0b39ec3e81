//! People in the mirror: kept by lists, since no feed tells them.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{METHOD, PERSON, Service, stderr};
use crm_sandbox::{Fault, FaultPlan, FaultRule, NewMethod, NewPerson};
use serde_json::Value;

const MIRROR: [&str; 2] = ["--mirror", "mirror.db"];

fn held(service: &Service) -> Value {
    service.json(&["mirror", "status", "--mirror", "mirror.db"])
}

/// The calls of a command, but for those of feeds.
fn calls(service: &Service, line: &[&str]) -> Vec<String> {
    service.sandbox.clear_log();
    service.ok(line);
    let log = service.sandbox.log();
    let paths = log.into_iter().map(|entry| entry.path);
    paths.filter(|path| path.contains("/contacts") && !path.contains("/export/")).collect()
}

#[test]
fn people_are_kept_with_their_numbers_and_later_only_what_changed() {
    let service = Service::start();
    let first = calls(&service, &["mirror", "update", "--mirror", "mirror.db"]);
    assert_eq!(first.len(), 2, "a page of each list: {first:?}");
    let people = held(&service)["people"].clone();
    let all = service.json(&["people", "list", "--page-size", "500"]);
    assert_eq!(people["known"], all.as_array().unwrap().len());
    let archived = all.as_array().unwrap().iter().filter(|person| person["isArchived"] == true);
    assert_eq!(people["archived"], archived.count());
    assert!(people["withBoth"].as_u64().unwrap() > 0, "{people}");
    let text = service.ok(&["mirror", "status", "--mirror", "mirror.db"]);
    assert!(text.contains("contact methods") && text.contains("people: read 20"), "{text}");

    service
        .sandbox
        .add_person(NewPerson::new().method(NewMethod::new("Phone", "8185550177")))
        .unwrap();
    let later = calls(&service, &["mirror", "update", "--mirror", "mirror.db"]);
    assert_eq!(later.len(), 2, "{later:?}");
    let more = held(&service)["people"].clone();
    let number = |held: &Value, name: &str| held[name].as_u64().unwrap();
    assert_eq!(number(&more, "known"), number(&people, "known") + 1);
    assert_eq!(number(&more, "methods"), number(&people, "methods") + 1);
}

#[test]
fn who_was_deleted_is_gone_once_all_have_been_seen_again() {
    let service = Service::start();
    service.ok(&["mirror", "update", "--mirror", "mirror.db"]);
    let before = held(&service)["people"].clone();
    service.ok(&["contact-methods", "delete", PERSON, METHOD]);
    service.ok(&["people", "delete", PERSON, "--yes"]);
    service.ok(&["mirror", "update", "--mirror", "mirror.db"]);
    assert_eq!(held(&service)["people"]["known"], before["known"], "lists tell no deletion");
    service.ok(&[&["mirror", "update", "--sweep"][..], &MIRROR].concat());
    let after = held(&service)["people"].clone();
    assert_eq!(after["known"].as_u64().unwrap() + 1, before["known"].as_u64().unwrap());
    let methods = service.json(&["contact-methods", "search", "--page-size", "500"]);
    assert_eq!(after["methods"], methods.as_array().unwrap().len());
}

#[test]
fn without_their_scope_people_are_told_of_once_and_all_else_is_kept() {
    let service = Service::start();
    let forbidden = |operation: &str| {
        FaultRule::new(Fault::Status { status: 403 }).operation(operation).times(0)
    };
    let plan = FaultPlan::new().rule(forbidden("Contacts_GetList"));
    service.sandbox.inject(plan.rule(forbidden("Contacts_SearchContactMethods")));
    let done = service.crm(&["mirror", "update", "--mirror", "mirror.db"]).assert().success();
    let told = stderr(&done);
    assert_eq!(told.matches("not in the mirror").count(), 1, "{told}");
    assert!(
        told.contains("people are not in the mirror") && told.contains("tn.crm.contacts:r"),
        "{told}"
    );
    assert_eq!(held(&service)["people"]["known"], 0);
    let found = service.crm(&[&["find", "nobody"][..], &MIRROR].concat()).assert().code(9);
    assert!(stderr(&found).contains("people are not in the mirror"), "{}", stderr(&found));
}

#[test]
fn people_are_found_without_a_call_and_what_they_belong_to_when_it_is_asked() {
    let service = Service::start();
    service.ok(&["mirror", "update", "--mirror", "mirror.db"]);
    let method = service.json(&["contact-methods", "get", PERSON, METHOD]);
    let person = service.json(&["people", "get", PERSON]);
    let value = method["value"].as_str().unwrap();
    let mine = |found: Value| {
        let mut hits = found.as_array().unwrap().iter();
        hits.find(|hit| hit["methodId"] == METHOD).unwrap().clone()
    };
    service.sandbox.clear_log();
    let hit = mine(service.json(&[&["find", value][..], &MIRROR].concat()));
    assert_eq!((&hit["personId"], &hit["ownerName"]), (&PERSON.into(), &person["name"]), "{hit}");
    assert_eq!((&hit["ownerKind"], &hit["ownerId"]), (&"person".into(), &Value::Null), "{hit}");
    assert_eq!((&hit["value"], &hit["relationships"]), (&method["value"], &Value::Null), "{hit}");
    let name = person["name"].as_str().unwrap();
    let text = service.ok(&[&["find", name][..], &MIRROR].concat());
    assert!(text.contains(&format!("(person {PERSON})")), "{text}");
    assert!(text.contains("relationships not read"), "{text}");
    assert!(service.sandbox.log().is_empty(), "nobody is asked");

    let related = service.json(&["people", "relationships", PERSON]);
    let related = related.as_array().unwrap();
    service.sandbox.clear_log();
    let hit = mine(service.json(&[&["find", name, "--relationships"][..], &MIRROR].concat()));
    let log = service.sandbox.log();
    let calls = log.iter().filter(|entry| entry.path.contains("/contacts/"));
    assert_eq!(calls.count(), 1, "one call for a person, whatever they have: {log:?}");
    let belongs = hit["relationships"].as_array().unwrap();
    assert!(!belongs.is_empty() && belongs.len() == related.len(), "{hit}");
    assert_eq!(
        (&belongs[0]["kind"], &belongs[0]["id"]),
        (&related[0]["typeSlug"], &related[0]["relatedEntityId"])
    );
    assert!(belongs.iter().any(|one| one["name"].is_string()), "{hit}");
    let csv = [&["find", name, "--relationships", "--output", "csv"][..], &MIRROR].concat();
    assert!(service.ok(&csv).contains(METHOD));
    let text = service.ok(&[&["find", name, "--relationships"][..], &MIRROR].concat());
    assert!(text.contains("  belongs to "), "{text}");
}

#[test]
fn an_opt_out_finds_people_in_the_mirror() {
    let service = Service::start();
    let method = service.json(&["contact-methods", "get", PERSON, METHOD]);
    let value = method["value"].as_str().unwrap();
    std::fs::write(service.home.path().join("list.csv"), format!("value\n{value}\n")).unwrap();
    service.ok(&["mirror", "update", "--mirror", "mirror.db"]);
    service.sandbox.clear_log();
    service.ok(&["opt-out", "list.csv", "--snapshot", "mirror.db", "--out", "out.crm"]);
    let log = service.sandbox.log();
    let lists = log.iter().filter(|entry| entry.operation == "Contacts_SearchContactMethods");
    assert_eq!(lists.count(), 1, "what changed since");
    let changes = service.json(&["show", "out.crm"]);
    assert!(changes.to_string().contains(METHOD), "{changes}");
}
