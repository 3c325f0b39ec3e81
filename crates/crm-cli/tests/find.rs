//! `crm mirror` and `crm find`: who has a number, without a call.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs;

use common::{Service, Words, crm, stderr, stdout};
use crm_sandbox::{Fault, FaultPlan, FaultRule, NewContact, NewMethod, NewPerson, Sandbox, Seed};
use serde_json::Value;

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

/// What a command tells people that is interrupted once all faults are met, and the signal that ended
/// it.
#[cfg(unix)]
fn interrupted(service: &Service, line: &str) -> (String, Option<i32>) {
    use std::os::unix::process::ExitStatusExt;

    let mut child = service.spawn(line);
    while !service.sandbox.unmet_faults().is_empty() {
        common::wait_beside(&mut child);
    }
    let id = child.id().to_string();
    let kill = std::process::Command::new("kill").args(["-s", "INT", &id]).status();
    assert!(kill.unwrap().success());
    let output = child.wait_with_output().unwrap();
    (String::from_utf8(output.stderr).unwrap(), output.status.signal())
}

#[cfg(unix)]
#[test]
fn an_update_that_is_told_to_end_says_how_far_it_came_and_the_next_one_goes_on_there() {
    for line in ["mirror update --mirror mirror.db", "snapshot mirror.db", "mirror update"] {
        let builder = Sandbox::builder().seed(Seed::Count(500));
        let service = Service::build(builder.set("export-page-size", "100").unwrap());
        let third = FaultRule::new(Fault::Delay { milliseconds: 60_000 })
            .operation("ExportContacts_LocationsContacts")
            .nth(3);
        service.sandbox.inject(FaultPlan::new().rule(third));
        let (told, ended_by) = interrupted(&service, line);
        assert_eq!(ended_by, Some(2), "{line}: {told}");
        assert!(told.contains("ended after ") && told.contains("goes on there"), "{line}: {told}");
        service.sandbox.clear_log();
        let done = service.crm(line).assert().success();
        assert!(!stderr(&done).contains("goes on there"), "{}", stderr(&done));
        let asked = service.sandbox.log();
        let of_locations = asked.iter().filter(|it| it.path.ends_with("locations/contacts"));
        assert_eq!(of_locations.count(), 3, "{line}: two of five batches were kept");
    }
}

#[test]
fn an_update_that_fails_says_how_far_it_came() {
    let builder = Sandbox::builder().seed(Seed::Count(500));
    let service = Service::build(builder.set("export-page-size", "100").unwrap());
    let third = FaultRule::new(Fault::Status { status: 400 })
        .operation("ExportContacts_LocationsContacts")
        .nth(3);
    service.sandbox.inject(FaultPlan::new().rule(third));
    let failed = service.crm("mirror update --mirror mirror.db").assert().code(3);
    assert!(stderr(&failed).contains("goes on there"), "{}", stderr(&failed));
}

#[test]
fn owners_without_their_scope_are_told_and_the_contacts_kept() {
    let service = Service::start();
    service.ok("mirror update --mirror known.db");
    let plan = crm_sandbox::FaultPlan::new().rule(
        crm_sandbox::FaultRule::new(crm_sandbox::Fault::Status { status: 403 })
            .operation("ExportCustomers_GetCustomers")
            .times(0),
    );
    service.sandbox.inject(plan);
    let done = service.crm("mirror update --mirror mirror.db").assert().success();
    assert!(stderr(&done).contains("customers are not in the mirror"), "{}", stderr(&done));
    // Names that were given once stay, and are told to be as of then.
    service.ok("mirror update --mirror known.db");
    let found = service.crm("find --mirror known.db bakery").assert().success();
    let told = stderr(&found);
    assert!(told.contains("the names of customers are as of 20"), "{told}");
    assert!(!told.contains("the names of locations"), "{told}");
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
    assert_eq!(stdout(&nobody), "(206) 555-0000: nothing found\n");
    let nobody = service.crm("find --mirror mirror.db nobody --output json").assert().code(9);
    let nobody: Value = serde_json::from_str(&stdout(&nobody)).unwrap();
    assert_eq!((&nobody[0]["text"], &nobody[0]["by"]), (&"nobody".into(), &Value::Null));
    assert_eq!(nobody.as_array().unwrap().len(), 1);
    let short = service.crm("find --mirror mirror.db ab").assert().code(2);
    assert!(stderr(&short).contains("three characters"), "{}", stderr(&short));
    service.crm("find --mirror missing.db abc").assert().code(1);
}

#[test]
fn a_link_is_looked_for_as_what_it_leads_to_and_digits_of_another_country_are_told() {
    let service = mirrored();
    for link in ["tel:+1-213-555-0177", "sms:2135550177?body=STOP"] {
        let found = service.json(&["find", "--mirror", "mirror.db", link]);
        assert_eq!(found.as_array().unwrap().len(), 9, "{link}: {found}");
    }
    let found =
        service.json("find --mirror mirror.db mailto:billing%40harborbakery.example?subject=x");
    assert_eq!(found[0]["contactId"], 4002, "{found}");
    let found = service.json("find --mirror mirror.db mailto:billing@");
    assert_eq!(found[0]["contactId"], 4002, "{found}");
    let find =
        |text: &str| service.crm(&format!("find --mirror mirror.db {text}")).assert().code(9);
    let told = "442079460958 is no number of US, so it is taken for +442079460958";
    assert!(stderr(&find("442079460958")).contains(told));
    for other in ["+442079460958", "20261130093000", "81855501422135"] {
        assert!(!stderr(&find(other)).contains("taken for"), "{other}");
    }
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
    assert!(text.ends_with("\nnobody,,\n"), "{text}");
    let mirror = ["find", "--mirror", "mirror.db", value, "nobody"];
    let text = stdout(&service.crm(&mirror).assert().success());
    assert!(text.ends_with("\nnobody: nothing found\n"), "{text}");
}

#[test]
fn a_line_that_cannot_be_looked_for_is_told_by_its_number_and_stops_no_other() {
    let service = mirrored();
    let contact = service.json(&["location-contacts", "get", "2001", "3001"]);
    let value = contact["value"].as_str().unwrap();
    let mut list = "\u{feff}ab\n\n@\r\n".as_bytes().to_vec();
    list.extend(b"caf\xE9\r\n");
    list.extend(value.as_bytes());
    let find = "find --mirror mirror.db --output csv --fields text,contactId -";
    let found = service.crm(find).write_stdin(list).assert().success();
    assert!(stdout(&found).contains(&format!("{value},3001\n")), "{}", stdout(&found));
    let told = stderr(&found);
    for line in ["line 1, ab: give at least", "line 3, @: give at least", "line 4 is not UTF-8"] {
        assert!(told.contains(line), "{line} is missing in {told}");
    }
    let none = service.crm(find).write_stdin("\n").assert().code(9);
    assert!(stderr(&none).contains("nothing to look for"), "{}", stderr(&none));
    service.crm("find --mirror mirror.db --limit 0 abc").assert().code(2);
}

#[test]
fn a_sandbox_has_a_mirror_for_the_occasion() {
    let home = tempfile::tempdir().unwrap();
    let run = |line: &str| crm(home.path()).args(line.words()).assert();
    let listed = run("--sandbox --output json location-contacts list 2001").success();
    let listed: Value = serde_json::from_str(&stdout(&listed)).unwrap();
    let value = listed[0]["value"].as_str().unwrap();
    let found = run(&format!("--sandbox find '{value}' --output json")).success();
    let found: Value = serde_json::from_str(&stdout(&found)).unwrap();
    let hit = found.as_array().unwrap().iter().find(|hit| hit["ownerId"] == 2001).unwrap();
    assert!(hit["ownerName"].is_string(), "{hit}");
    run("--sandbox find nobody").code(9);
    let held = run("--sandbox mirror status --output json").success();
    let held: Value = serde_json::from_str(&stdout(&held)).unwrap();
    assert!(held["customers"]["known"].as_u64().unwrap() > 0, "{held}");
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0, "nothing is left behind");
}

/// A customer with a location; their number, and a person with it and an address.
fn tenant() -> Service {
    let service = Service::build(Sandbox::builder().seed(Seed::Empty));
    let sandbox = &service.sandbox;
    sandbox.add_customer(1001, "Harbor Bakery").unwrap();
    sandbox.add_location(2001, 1001, "Pier 4").unwrap();
    sandbox.add_location(2002, 1001, "Pier 5").unwrap();
    let phone = |contact: NewContact| sandbox.add_contact(contact).unwrap();
    phone(NewContact::of_customer(1001, "Phone", "8182001111").id(11));
    phone(NewContact::of_location(2001, "MobilePhone", "8182001111").id(12));
    phone(NewContact::of_location(2002, "MobilePhone", "8182002222").id(13));
    let dana = NewPerson::new().name("Dana Whitfield").related_to("customer", 1001);
    let dana = dana.method(NewMethod::new("MobilePhone", "8182001111"));
    sandbox.add_person(dana.method(NewMethod::new("Email", "dana@site.example"))).unwrap();
    service
}

#[test]
fn the_service_itself_is_asked_and_what_it_does_not_see_is_said() {
    let service = tenant();
    let found = service.json("find --live '+1 (818) 200-1111'");
    let found = found.as_array().unwrap();
    let kinds: Vec<_> = found.iter().map(|row| row["ownerKind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["customer", "location", "person"], "{found:?}");
    assert_eq!(
        (&found[0]["ownerName"], &found[0]["contactId"]),
        (&"Harbor Bakery".into(), &11.into())
    );
    assert_eq!(found[0]["sharedWith"], 1, "a location; people are shown themselves");
    assert_eq!((&found[1]["ownerId"], &found[1]["contactId"]), (&2001.into(), &12.into()));
    assert_eq!(found[2]["relationships"][0]["name"], "Harbor Bakery", "{}", found[2]);
    for row in found {
        assert_eq!(row["by"], "live", "{row}");
        assert_eq!(row["unseen"][0], "numbers-of-locations-alone", "{row}");
    }
    let shown = service.crm("find --live 8182001111").assert().success();
    let text = stdout(&shown);
    assert!(text.contains("(customer 1001)") && text.contains("(contact 12)"), "{text}");
    assert!(text.contains("belongs to Harbor Bakery"), "{text}");
    assert!(stderr(&shown).contains("not seen: contacts of bookings"), "{}", stderr(&shown));

    // An address leads over the person; a number that only a location has is not seen.
    let found = service.json("find --live DANA@site.example");
    assert_eq!(found[0]["value"], Value::Null, "{found}");
    assert_eq!(
        (&found[0]["ownerId"], &found[1]["value"]),
        (&1001.into(), &"dana@site.example".into())
    );
    assert_eq!(found[1]["unseen"][0], "addresses-of-owners");
    let line = "find --live 818-200-2222";
    let nobody = service.crm(line).assert().code(9);
    assert_eq!(stdout(&nobody), "818-200-2222: nothing found\n");
    assert!(stderr(&nobody).contains("whose customer does not have"), "{}", stderr(&nobody));
    let nobody = service.crm(&format!("{line} --output json")).assert().code(9);
    let nobody: Value = serde_json::from_str(&stdout(&nobody)).unwrap();
    assert_eq!((&nobody[0]["text"], &nobody[0]["ownerId"]), (&"818-200-2222".into(), &Value::Null));
    assert_eq!(nobody[0]["unseen"][0], "numbers-of-locations-alone");
    let csv = "find --live --output csv --fields text,ownerKind,ownerId,contactId -";
    let many = service.crm(csv).write_stdin("8182001111\nPier\n").assert().success();
    assert!(stdout(&many).contains("\n8182001111,location,2001,12\n"), "{}", stdout(&many));
    assert!(stderr(&many).contains("Pier: --live takes a whole number"), "{}", stderr(&many));
    service.crm("find --live Pier").assert().code(2);
}

#[test]
fn a_scope_that_is_missing_is_said_and_the_rest_is_found() {
    let service = tenant();
    for (operation, kinds) in
        [("Contacts_SearchContactMethods", 2), ("Customers_GetList", 1), ("Locations_GetList", 2)]
    {
        let refuses = FaultRule::new(Fault::Status { status: 403 });
        service.sandbox.inject(FaultPlan::new().rule(refuses.operation(operation).times(0)));
        let found = service.crm("find --live 8182001111 --output json").assert().success();
        assert!(stderr(&found).contains(operation), "{}", stderr(&found));
        let rows: Value = serde_json::from_str(&stdout(&found)).unwrap();
        assert_eq!(rows.as_array().unwrap().len(), kinds, "{operation}: {rows}");
        let unseen = rows[0]["unseen"].as_array().unwrap();
        assert!(unseen.contains(&"refused".into()), "{rows}");
    }
}

#[test]
fn the_address_in_the_application_has_the_form_that_the_profile_says() {
    let service = mirrored();
    let refused = service.crm("find --mirror mirror.db --open bakery").assert().code(2);
    assert!(stderr(&refused).contains("add app = "), "{}", stderr(&refused));
    let config = service.home.path().join("crm/config.toml");
    fs::create_dir(config.parent().unwrap()).unwrap();
    fs::write(&config, "[profiles.default]\napp = \"https://go.example/#/{kind}/{id}\"\n").unwrap();
    let name = service.json("locations get 2001")["name"].as_str().unwrap().to_owned();
    let find = ["find", "--mirror", "mirror.db", "--open", &name];
    let text = service.ok(&find);
    assert!(text.contains("  https://go.example/#/location/2001\n"), "{text}");
    let hits = service.json(&find);
    let urls: Vec<_> = hits.as_array().unwrap().iter().map(|hit| &hit["url"]).collect();
    assert!(urls.contains(&&"https://go.example/#/location/2001".into()), "{urls:?}");
}

#[test]
fn each_of_several_texts_stands_above_what_was_found_for_it_and_an_owner_is_told_once() {
    let service = mirrored();
    let one = service.ok("find --mirror mirror.db 'harbor bakery'");
    assert!(!one.contains("=="), "{one}");
    let owners: Vec<_> = one.lines().filter(|line| !line.starts_with("  ")).collect();
    let different: std::collections::BTreeSet<_> = owners.iter().collect();
    assert_eq!(owners.len(), different.len(), "{one}");
    let both = service.ok("find --mirror mirror.db 2135550177 8185550144");
    let at = |text: &str| both.find(text).unwrap_or_else(|| panic!("{text}: {both}"));
    assert_eq!(at("== 2135550177 ==\n"), 0);
    assert!(at("2135550177") < at("== 8185550144 ==\n"), "{both}");
}
