//! `crm mirror` and `crm find`: who has a number, without a call.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{Service, Words, crm, stderr, stdout};

/// A service whose mirror is up to date.
fn mirrored() -> Service {
    let service = Service::start();
    service.ok("mirror update --mirror mirror.db");
    service.sandbox.clear_log();
    service
}

#[test]
fn a_mirror_tells_what_it_holds_and_how_fresh_it_is() {
    let service = mirrored();
    let held = service.json(&["mirror", "status", "--mirror", "mirror.db"]);
    assert!(held["contacts"].as_u64().unwrap() > 10, "{held}");
    let customers = &held["customers"];
    let number = |name: &str| customers[name].as_u64().unwrap();
    assert!(number("known") > 0 && number("withBoth") <= number("withPhone"), "{held}");
    let feeds = held["feeds"].as_array().unwrap();
    assert_eq!(feeds.len(), 6);
    assert!(feeds.iter().all(|feed| feed["completeAt"].is_string()), "{held}");
    assert!(service.sandbox.log().is_empty(), "status asks nobody");
    let text = service.ok("mirror status --mirror mirror.db");
    assert!(text.contains("active customers") && text.contains("locations: read 20"), "{text}");
    // Its other name goes on in the same file.
    service.ok("snapshot mirror.db");
    let asked = service.sandbox.log();
    assert_eq!(asked.iter().filter(|entry| entry.path.contains("/export/")).count(), 4);
}

#[test]
fn owners_without_their_scope_are_told_and_the_contacts_kept() {
    let service = Service::start();
    let plan = crm_sandbox::FaultPlan::new().rule(
        crm_sandbox::FaultRule::new(crm_sandbox::Fault::Status { status: 403 })
            .operation("ExportCustomers_GetCustomers")
            .times(0),
    );
    service.sandbox.inject(plan);
    let done = service.crm("mirror update --mirror mirror.db").assert().success();
    assert!(stderr(&done).contains("customers are not in the mirror"), "{}", stderr(&done));
}

#[test]
fn somebody_is_found_with_ids_of_their_own_and_nobody_has_a_code() {
    let service = mirrored();
    let contact = service.json(&["location-contacts", "get", "2001", "3001"]);
    let value = contact["value"].as_str().unwrap().to_owned();
    service.sandbox.clear_log();
    let found = service.json(&["find", "--mirror", "mirror.db", &value]);
    let hit = found.as_array().unwrap().iter().find(|hit| hit["contactId"] == 3001).unwrap();
    assert_eq!((&hit["ownerKind"], &hit["ownerId"]), (&"location".into(), &2001.into()), "{hit}");
    assert!(hit["ownerName"].is_string() && hit["ownerTown"].is_string(), "{hit}");
    assert_eq!(hit["by"], "value");
    let name = hit["ownerName"].as_str().unwrap().to_uppercase();
    let text = service.ok(&["find", "--mirror", "mirror.db", &name]);
    assert!(text.contains("(location 2001)") && text.contains("(contact 3001)"), "{text}");
    assert!(service.sandbox.log().is_empty(), "nobody is asked");

    let nobody = service.crm("find --mirror mirror.db '(206) 555-0000'").assert().code(9);
    assert!(stderr(&nobody).contains("nothing found"), "{}", stderr(&nobody));
    let nobody = service.crm("find --mirror mirror.db nobody --output json").assert().code(9);
    assert_eq!(stdout(&nobody), "[]\n");
    let short = service.crm("find --mirror mirror.db ab").assert().code(2);
    assert!(stderr(&short).contains("three characters"), "{}", stderr(&short));
    service.crm("find --mirror missing.db abc").assert().code(1);
}

#[test]
fn many_are_looked_for_at_once() {
    let service = mirrored();
    let contact = service.json(&["location-contacts", "get", "2001", "3001"]);
    let value = contact["value"].as_str().unwrap();
    let find = "find --mirror mirror.db --output csv --fields text,ownerId,contactId -";
    let found = service.crm(find).write_stdin(format!("{value}\n\nnobody\n")).assert().success();
    let text = stdout(&found);
    assert!(text.starts_with("text,ownerId,contactId\n"), "{text}");
    assert!(text.contains(&format!("{value},2001,3001\n")), "{text}");
    assert!(stderr(&found).contains("nobody: nothing found"));
}

#[test]
fn a_sandbox_has_a_mirror_for_the_occasion() {
    let home = tempfile::tempdir().unwrap();
    let run = |line: &str| crm(home.path()).args(line.words()).assert();
    let listed = run("--sandbox --output json location-contacts list 2001").success();
    let listed: serde_json::Value = serde_json::from_str(&stdout(&listed)).unwrap();
    let value = listed[0]["value"].as_str().unwrap();
    let found = run(&format!("--sandbox find '{value}' --output json")).success();
    let found: serde_json::Value = serde_json::from_str(&stdout(&found)).unwrap();
    let hit = found.as_array().unwrap().iter().find(|hit| hit["ownerId"] == 2001).unwrap();
    assert!(hit["ownerName"].is_string(), "{hit}");
    run("--sandbox find nobody").code(9);
    let held = run("--sandbox mirror status --output json").success();
    let held: serde_json::Value = serde_json::from_str(&stdout(&held)).unwrap();
    assert!(held["customers"]["known"].as_u64().unwrap() > 0, "{held}");
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0, "nothing is left behind");
}
