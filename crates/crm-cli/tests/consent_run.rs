//! `crm consent due`, `plan` and `run`: what is not yet so becomes so, again and again.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{collections::BTreeMap, fs, path::PathBuf};

use common::{Service, stderr, stdout, wait_beside};
use crm_sandbox::{Fault, FaultPlan, FaultRule, NewContact, Sandbox, Seed, StoredPreferences};
use serde_json::Value;

/// A number of nine records of the demo data that receive marketing, two of them of people.
const SHARED: &str = "(213) 555-0177";
/// Two contact methods that have it.
const OF_PEOPLE: [&str; 2] =
    ["7b2d9f10-4e6a-4c58-b310-000000000003", "7b2d9f10-4e6a-4c58-b310-000000000005"];

fn desk(service: &Service) -> PathBuf {
    let desks = service.home.path().join(".local/share/crm/desks");
    let mut all: Vec<_> = fs::read_dir(desks).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

/// The demo data, and a wish of whoever has the shared number.
fn wished() -> Service {
    let service = Service::start();
    service.ok(&["consent", "add", SHARED, "--said", "STOP", "--at", &yesterday()]);
    service
}

fn yesterday() -> String {
    jiff::Timestamp::now().checked_sub(jiff::Span::new().hours(24)).unwrap().to_string()
}

fn run(service: &Service, code: i32) -> Value {
    let ended = service.crm("consent run --output json").assert().code(code);
    serde_json::from_str(&stdout(&ended)).unwrap()
}

fn due(service: &Service, code: i32) -> Vec<Value> {
    let ended = service.crm("consent due --output json").assert().code(code);
    serde_json::from_str::<Value>(&stdout(&ended)).unwrap().as_array().unwrap().clone()
}

/// How many contacts of customers and locations have a number and receive marketing.
fn receiving(service: &Service, digits: &str) -> usize {
    let sandbox = &service.sandbox;
    let all = [sandbox.customer_contacts().unwrap(), sandbox.location_contacts().unwrap()].concat();
    let on = all.iter().filter(|contact| {
        let on = contact.preferences.as_ref().is_some_and(|flags| flags.marketing_updates);
        contact.active && on && contact.value.ends_with(digits)
    });
    on.count()
}

/// How often each record was written, and that was carried out.
fn writes(service: &Service) -> BTreeMap<String, usize> {
    let mut writes = BTreeMap::new();
    for entry in service.sandbox.log() {
        if ["PATCH", "PUT", "POST"].contains(&entry.method.as_str()) && entry.operation != "Token" {
            *writes.entry(entry.path).or_default() += 1;
        }
    }
    writes
}

#[test]
fn a_plan_reaches_customers_locations_and_people_and_its_undo_is_refused() {
    let service = wished();
    let planned = service.json("consent plan");
    assert_eq!(planned["open"], 9, "{planned}");
    let sets = service.json("sets");
    let set = sets[0]["name"].as_str().unwrap().to_owned();
    assert!(set.ends_with("-consent"), "{sets}");
    let shown = service.json(&format!("show {set}"));
    let of =
        |kind: &str| shown.as_array().unwrap().iter().filter(|c| c["ownerKind"] == kind).count();
    assert_eq!((of("customer"), of("location"), of("person")), (3, 4, 2), "{shown}");
    service.ok(&format!("apply {set} --yes"));
    assert_eq!(receiving(&service, "2135550177"), 0);
    // What the feeds have not told the mirror yet is not due any longer either.
    assert!(due(&service, 0).is_empty());
    let refused = service.crm(&format!("undo {set}")).assert().code(2);
    assert!(stderr(&refused).contains("--override-consent"), "{}", stderr(&refused));
    // Nothing is due: no set.
    let none = service.ok("consent plan");
    assert!(none.contains("no set was made"), "{none}");
    assert_eq!(service.json("sets").as_array().unwrap().len(), 1);
    service.crm("consent plan --detailed-exitcode").assert().code(0);
}

#[test]
fn a_run_does_all_reads_it_back_and_leaves_evidence() {
    let service = wished();
    let ran = run(&service, 0);
    assert_eq!(ran["outcome"], "done", "{ran}");
    assert_eq!(ran["sets"][0]["states"]["done"], 9, "{ran}");
    assert_eq!(ran["sets"][0]["readBack"], 9, "{ran}");
    for file in ran["sets"][0]["evidence"].as_array().unwrap() {
        let text = fs::read_to_string(file.as_str().unwrap()).unwrap();
        assert!(text.contains("2135550177"), "{file}");
    }
    assert!(desk(&service).join("evidence").is_dir());
    assert_eq!(receiving(&service, "2135550177"), 0);
    for method in OF_PEOPLE {
        let told = service.json(&format!("preferences list {} {method}", person(method)));
        let marketing = told
            .as_array()
            .unwrap()
            .iter()
            .find(|kind| kind["name"].as_str().unwrap().to_lowercase().contains("marketing"));
        assert_eq!(marketing.unwrap()["value"], "false", "{told}");
    }
    let again = run(&service, 0);
    assert_eq!((&again["outcome"], &again["due"]["open"]), (&"nothing-to-do".into(), &0.into()));
    assert!(due(&service, 0).is_empty());
    let table = service.ok("consent run");
    assert!(table.contains("nothing is due that can be set"), "{table}");
    service.crm("consent run --detailed-exitcode").assert().code(0);
}

fn person(method: &str) -> &'static str {
    if method.ends_with('3') {
        "5e0c1a44-93b7-4d1f-8a26-000000000002"
    } else {
        "5e0c1a44-93b7-4d1f-8a26-000000000005"
    }
}

#[test]
fn a_contact_that_is_created_again_is_found_by_the_next_run() {
    let service = wished();
    run(&service, 0);
    let contact = NewContact::of_customer(1_002, "MobilePhone", "+1 213-555-0177");
    service.sandbox.add_contact(contact.preferences(StoredPreferences::all(true))).unwrap();
    assert_eq!(receiving(&service, "213-555-0177"), 1);
    let ran = run(&service, 0);
    assert_eq!((&ran["outcome"], &ran["sets"][0]["states"]["done"]), (&"done".into(), &1.into()));
    assert_eq!(receiving(&service, "213-555-0177"), 0);
    // The second set of a day, and each has its own page.
    assert_eq!(service.json("sets").as_array().unwrap().len(), 2);
}

#[test]
fn above_the_limit_nothing_is_written_and_the_set_stays_to_be_looked_at() {
    let service = wished();
    let ended = service.crm("consent run --max-changes 8 --output json").assert().code(11);
    let ran: Value = serde_json::from_str(&stdout(&ended)).unwrap();
    assert_eq!(ran["outcome"], "held", "{ran}");
    assert!(ran["sets"][0]["held"].as_str().unwrap().contains("--max-changes 8"), "{ran}");
    assert_eq!(ran["due"]["open"], 9);
    assert!(writes(&service).is_empty());
    // The same set again, and no second one beside it.
    service.crm("consent run --max-changes 8").assert().code(11);
    assert_eq!(service.json("sets").as_array().unwrap().len(), 1);
    let ran = run(&service, 0);
    assert_eq!(ran["sets"][0]["states"]["done"], 9, "{ran}");
    assert_eq!(service.json("sets").as_array().unwrap().len(), 1);
}

#[test]
fn what_cannot_be_set_is_told_with_the_reason_and_late_wishes_have_their_code() {
    let service = Service::start();
    // Its flags are not known.
    service.ok("consent add hello@lighthouse.example --said STOP --at 2026-01-05");
    let ran = run(&service, 10);
    assert_eq!((&ran["outcome"], &ran["due"]["cannotBeSet"]), (&"late".into(), &1.into()), "{ran}");
    let left = due(&service, 10);
    assert_eq!(left.len(), 1);
    assert_eq!(left[0]["kind"], "cannot-be-set");
    assert!(left[0]["why"].as_str().unwrap().contains("--unknown-flags"), "{left:?}");
    let ended = service.crm("consent run --unknown-flags on").assert().code(0);
    assert!(stdout(&ended).contains("1 done"), "{}", stdout(&ended));
    assert!(due(&service, 0).is_empty());
}

#[test]
fn what_failed_is_told_and_tried_again_by_the_next_run() {
    let refuses = FaultRule::new(Fault::Status { status: 400 }).method("PATCH");
    let service = Service::build(Sandbox::builder().faults(FaultPlan::new().rule(refuses)));
    service.ok(&["consent", "add", "3235550113", "--said", "STOP", "--at", &yesterday()]);
    let ran = run(&service, 3);
    assert_eq!(ran["outcome"], "not-all-done", "{ran}");
    let left = due(&service, 0);
    assert_eq!((left.len(), &left[0]["kind"]), (1, &"open".into()));
    assert!(left[0]["why"].as_str().unwrap().contains("the last set could not"), "{left:?}");
    let ran = run(&service, 0);
    assert_eq!((&ran["outcome"], &ran["sets"][0]["states"]["done"]), (&"done".into(), &1.into()));
    assert_eq!(receiving(&service, "3235550113"), 0);
}

#[test]
fn a_wish_that_was_taken_back_after_the_plan_is_not_carried_out() {
    let service = wished();
    service.ok("consent plan");
    service.ok("consent retract 1 --reason 'another person'");
    let ran = run(&service, 3);
    assert_eq!(ran["sets"][0]["states"]["failed"], 9, "{ran}");
    assert!(writes(&service).is_empty());
    assert_eq!(run(&service, 0)["outcome"], "nothing-to-do");
}

#[test]
fn a_number_that_may_be_one_that_is_out_is_told_and_not_written() {
    let service = Service::start();
    let contact = NewContact::of_customer(1_002, "Phone", "555-0177");
    service.sandbox.add_contact(contact.preferences(StoredPreferences::all(true))).unwrap();
    service.ok(&["consent", "add", SHARED, "--said", "STOP", "--at", &yesterday()]);
    let ran = run(&service, 0);
    assert_eq!((&ran["sets"][0]["states"]["done"], &ran["due"]["lookAt"]), (&9.into(), &1.into()));
    let left = due(&service, 0);
    assert_eq!((&left[0]["kind"], &left[0]["stored"]), (&"look-at".into(), &"555-0177".into()));
    assert_eq!(receiving(&service, "555-0177"), 1);
}

#[test]
fn numbers_are_read_as_those_of_the_country_of_the_desk() {
    let service = Service::start();
    service.ok(&["consent", "add", SHARED, "--said", "STOP"]);
    let card = desk(&service).join("desk.toml");
    let text = fs::read_to_string(&card).unwrap();
    fs::write(&card, format!("region = \"GB\"\n{text}")).unwrap();
    service.ok("consent add '020 7946 0142' --said STOP");
    let contact = NewContact::of_customer(1_002, "Phone", "(020) 7946 0142");
    let contact = contact.preferences(StoredPreferences::all(true));
    let id = service.sandbox.add_contact(contact).unwrap();
    assert_eq!(receiving(&service, "7946 0142"), 1);
    run(&service, 0);
    assert_eq!(receiving(&service, "7946 0142"), 0);
    let on = format!("customer-contacts update 1002 {id} --marketing-updates on --yes");
    service.crm(&on).assert().code(2);
}

#[test]
fn a_run_that_nobody_could_confirm_begins_nothing() {
    let service = wished();
    service.crm("consent run --read-only").assert().code(2);
    assert!(writes(&service).is_empty());
}

#[test]
fn a_dry_run_writes_nothing_and_leaves_no_set() {
    let service = wished();
    let told = service.ok("consent run --dry-run");
    assert!(told.contains("9 changes would be sent"), "{told}");
    assert!(writes(&service).is_empty());
    assert!(service.json("sets").as_array().unwrap().is_empty());
}

/// Many contacts that are to be turned off, at a service that takes a while to write.
fn crowd(contacts: u32, milliseconds: u64) -> Service {
    let slow = FaultRule::new(Fault::Delay { milliseconds });
    let plan = FaultPlan::new().rule(slow.method("PATCH").times(0));
    let builder = Sandbox::builder().seed(Seed::Empty).set("rate-limit", "0").unwrap();
    let service = Service::build(builder.faults(plan));
    let mut list = "phone,status\n".to_owned();
    for n in 0..contacts {
        let number = format!("818555{n:04}");
        let customer = 1_000 + i64::from(n);
        service.sandbox.add_customer(customer, &format!("Customer {n}")).unwrap();
        let contact = NewContact::of_customer(customer, "Phone", &number);
        service.sandbox.add_contact(contact.preferences(StoredPreferences::all(true))).unwrap();
        list += &format!("{number},STOP\n");
    }
    fs::write(service.home.path().join("list.csv"), list).unwrap();
    service.ok("consent import list.csv");
    service
}

#[test]
fn a_run_that_is_killed_anywhere_is_finished_by_the_next_and_nothing_is_written_twice() {
    const CONTACTS: u32 = 24;
    for kill_at in [0, 1, 12, 22, 25] {
        let service = crowd(CONTACTS, 30);
        service.sandbox.clear_log();
        let mut killed = service.spawn("consent run --canary 4");
        let begun = |service: &Service| service.sandbox.log().len();
        // At the beginning, while it reads, at its first writes, in their midst, and at their end.
        let reached = |service: &Service| match kill_at {
            0 => begun(service) >= 1,
            1 => begun(service) >= 6,
            writes => service.writes().len() >= writes - 11,
        };
        while !reached(&service) && killed.try_wait().unwrap().is_none() {
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        killed.kill().unwrap();
        killed.wait().unwrap();
        run(&service, 0);
        assert_eq!(receiving(&service, ""), 0, "killed at {kill_at}");
        let writes = writes(&service);
        assert_eq!(writes.len(), CONTACTS as usize);
        assert!(writes.values().all(|times| *times == 1), "killed at {kill_at}: {writes:?}");
        assert_eq!(run(&service, 0)["outcome"], "nothing-to-do");
        service.ok("consent check");
    }
}

#[test]
fn of_two_runs_at_once_the_second_waits_and_finds_nothing_to_do() {
    let service = crowd(20, 40);
    let first = service.spawn("consent run --output json");
    let second = service.spawn("consent run --output json");
    let ended = [first, second].map(|run| run.wait_with_output().unwrap());
    let mut outcomes = ended.each_ref().map(|ended| {
        assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
        let ran: Value = serde_json::from_slice(&ended.stdout).unwrap();
        ran["outcome"].as_str().unwrap().to_owned()
    });
    outcomes.sort();
    assert_eq!(outcomes, ["done", "nothing-to-do"]);
    assert!(writes(&service).values().all(|times| *times == 1));
    assert_eq!(writes(&service).len(), 20);
}

#[test]
fn a_second_run_says_that_it_waits_and_ends_at_a_signal() {
    let service = crowd(4, 400);
    let mut first = service.spawn("consent run");
    while service.writes().is_empty() {
        wait_beside(&mut first);
    }
    let second = service.process("consent run").stderr(std::process::Stdio::piped()).spawn();
    let mut second = second.unwrap();
    let mut told = std::io::BufReader::new(second.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("waiting for it") {
        line.clear();
        assert!(std::io::BufRead::read_line(&mut told, &mut line).unwrap() > 0, "it said nothing");
    }
    assert!(first.wait_with_output().unwrap().status.success());
    assert!(second.wait().unwrap().success());
}

#[test]
fn where_the_first_changes_are_not_kept_the_rest_is_not_sent() {
    let service = crowd(12, 0);
    let forgets = FaultRule::new(Fault::NotKept).method("PATCH").times(0);
    service.sandbox.inject(FaultPlan::new().rule(forgets));
    let ended = service.crm("consent run --canary 3 --output json").assert().code(8);
    let ran: Value = serde_json::from_str(&stdout(&ended)).unwrap();
    assert_eq!(ran["outcome"], "not-all-done", "{ran}");
    assert_eq!(writes(&service).len(), 3);
}

#[test]
fn a_run_needs_a_ledger_and_a_desk_of_a_real_account() {
    let service = Service::start();
    let none = service.crm("consent run").assert().code(2);
    assert!(stderr(&none).contains("no consent ledger"), "{}", stderr(&none));
    service.crm("consent run --sandbox").assert().code(2);
}
