//! `crm consent due`, `plan` and `run`: what is not yet so becomes so, again and again.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

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
    let refused = service.crm(&format!("undo {set}")).assert().code(10);
    assert!(stderr(&refused).contains("--override-consent"), "{}", stderr(&refused));
    // Nothing is due: no set.
    let none = service.ok("consent plan");
    assert!(none.contains("no set was made"), "{none}");
    assert_eq!(service.json("sets").as_array().unwrap().len(), 1);
    service.crm("consent plan --detailed-exitcode").assert().code(0);
}

#[test]
fn a_retraction_names_no_set_that_was_applied_before_its_wishes_came() {
    let service = Service::start();
    fs::write(service.home.path().join("out.csv"), "phone,status\n3235550113,STOP\n").unwrap();
    service.ok("opt-out out.csv --out earlier.crm");
    service.ok("apply earlier.crm --yes");
    assert_eq!(receiving(&service, "3235550113"), 0);
    service.ok("consent import out.csv");
    let retracted = service.crm("consent retract 1 --reason 'not ours'").assert().code(0);
    assert!(!stderr(&retracted).contains("turned off"), "{}", stderr(&retracted));
    let page = service.crm("show earlier.crm").assert().code(0);
    assert!(!stderr(&page).contains("taken back"), "{}", stderr(&page));
}

#[test]
fn a_retraction_says_which_sets_were_not_made_from_wishes() {
    let service = wished();
    let rows = "customer_id,contact_id,marketing_updates\n1004,4105,off\n";
    fs::write(service.home.path().join("rows.csv"), rows).unwrap();
    fs::write(service.home.path().join("out.csv"), "phone,status\n3235550113,STOP\n").unwrap();
    service.ok("consent import out.csv");
    service.ok("plan rows.csv --out other.crm");
    service.ok("apply other.crm --yes");
    let retracted = service.crm("consent retract 2 --reason 'not ours'").assert().code(0);
    let told = stderr(&retracted);
    assert!(told.contains("which was not made from wishes, turned off 1 copy after"), "{told}");
    assert!(!told.contains("for it:"), "{told}");
}

#[test]
fn an_undo_takes_back_what_was_retracted_and_holds_what_is_still_wished() {
    let service = wished();
    fs::write(service.home.path().join("wrong.csv"), "phone,status\n3235550113,STOP\n").unwrap();
    service.ok("consent import wrong.csv");
    service.ok("consent plan");
    let set = service.json("sets")[0]["name"].as_str().unwrap().to_owned();
    service.ok(&format!("apply {set} --yes"));
    let retracted = service.crm("consent retract 2 --reason 'last year'").assert().code(0);
    assert!(stderr(&retracted).contains("and holds the others"), "{}", stderr(&retracted));

    let undone = service.crm(&format!("undo {set} --out back.crm")).assert().code(0);
    assert!(stderr(&undone).contains("held: 9 changes that would turn marketing on"));
    let held = service.json("show back.crm --state held");
    let held = held.as_array().unwrap();
    assert_eq!(held.len(), 9, "{held:?}");
    for change in held {
        let why = change["message"].as_str().unwrap();
        assert!(why.contains("held by the consent ledger") && why.contains("record 1"), "{why}");
    }
    let told = stdout(&undone);
    assert!(told.contains("turns marketing on again for 1 number or address"), "{told}");
    service.crm("apply back.crm --yes").assert().code(10);
    assert_eq!((receiving(&service, "3235550113"), receiving(&service, "2135550177")), (1, 0));
    // What was undone is not undone again, and of the rest nothing can be.
    let refused = service.crm(&format!("undo {set} --out again.crm")).assert().code(10);
    assert!(stderr(&refused).contains("9 changes would turn marketing on"));
    // Which they are is told, since there is no set that would tell it.
    let held = stderr(&refused).lines().filter(|line| line.starts_with("held: ")).count();
    assert_eq!(held, 9, "{}", stderr(&refused));
    assert!(!service.home.path().join("again.crm").exists());
    // Who wishes to be written to by now can be.
    let now = jiff::Timestamp::now().to_string();
    service.ok(&["consent", "add", SHARED, "--said", "START", "--at", &now]);
    service.ok("apply back.crm --yes --retry-failed");
    assert!(receiving(&service, "2135550177") > 0);
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
    // It was late when it was turned off.
    let ended = service.crm("consent run --unknown-flags on").assert().code(10);
    assert!(stdout(&ended).contains("1 done"), "{}", stdout(&ended));
    assert!(stdout(&ended).contains("1 copy was late"), "{}", stdout(&ended));
    assert!(due(&service, 0).is_empty());
}

#[test]
fn the_evidence_has_the_day_of_each_wish_and_what_was_late_but_no_day_that_nobody_knows() {
    let service = Service::start();
    service.ok("consent add 3235550113 --said STOP --at 2026-01-05");
    service.ok("consent add hello@oakstreet.example --said STOP --at-unknown");
    // A copy from after the wish has a clock of its own.
    let late = NewContact::of_customer(1_002, "Phone", "(818) 555-0199");
    service.sandbox.add_contact(late.preferences(StoredPreferences::all(true))).unwrap();
    service.ok("consent add 8185550199 --said STOP --at 2026-01-06");
    service.ok("mirror update");
    service.ok("consent plan");
    let set = service.json("sets")[0]["name"].as_str().unwrap().to_owned();
    // Late whoever sends it.
    let applied = service.crm(&["apply", &set, "--yes"]).assert().code(10);
    assert!(stderr(&applied).contains("late when turned off"), "{}", stderr(&applied));
    service.ok(&["report", &set, "--html", "page.html"]);
    let csv = fs::read_to_string(service.home.path().join("page.html.csv")).unwrap();
    let mut rows = csv::Reader::from_reader(csv.as_bytes());
    let header = rows.headers().unwrap().clone();
    let told: BTreeSet<_> = rows
        .records()
        .map(|row| {
            let row = row.unwrap();
            let cell = |name: &str| {
                row[header.iter().position(|column| column == name).unwrap()].to_owned()
            };
            assert_eq!(cell("late").is_empty(), cell("daysLate").is_empty(), "{csv}");
            (cell("value"), cell("received"), cell("late"))
        })
        .collect();
    for (value, received, is_late) in [
        ("3235550113", "2026-01-05", true),
        ("hello@oakstreet.example", "", false),
        ("(818) 555-0199", "2026-01-06", false),
    ] {
        let of = told.iter().filter(|(of, _, _)| of == value).collect::<Vec<_>>();
        assert!(!of.is_empty(), "{value}: {told:?}");
        for (_, day, late) in of {
            assert_eq!((day.as_str(), !late.is_empty()), (received, is_late), "{value}: {csv}");
        }
    }
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
    let ran = run(&service, 0);
    assert_eq!(ran["sets"][0]["states"]["held"], 9, "{ran}");
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
    service.crm(&on).assert().code(10);
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

#[test]
fn a_method_of_a_person_is_turned_on_against_no_wish_unless_somebody_says_so() {
    let service = wished();
    run(&service, 0);
    let [method, _] = OF_PEOPLE;
    let of = format!("{} {method}", person(method));
    let kinds = service.json(&format!("preferences list {of}"));
    let name = |kind: &Value| kind["name"].as_str().unwrap().to_owned();
    let mut kinds = kinds.as_array().unwrap().iter().map(name);
    let marketing = kinds.find(|name| name.to_lowercase().contains("marketing")).unwrap();
    let set = |on: bool| format!("preferences set {of} {marketing} {on} --yes");
    let before = service.writes().len();
    let refused = service.crm(&set(true)).assert().code(10);
    assert!(stderr(&refused).contains("record 1 of the consent ledger"), "{}", stderr(&refused));
    assert_eq!(service.writes().len(), before);
    service.ok(&set(false));
    let because = "--override-consent 'asked for it in the shop'";
    service.ok(&format!("{} {because} --dry-run", set(true)));
    assert!(service.ok("consent check").starts_with("1 record, "));
    service.ok(&format!("{} {because}", set(true)));
    assert!(service.ok("consent check").starts_with("2 records, "));

    // Nor by giving the number to a method that receives marketing.
    let other = "(818) 555-0199";
    service.ok(&["contact-methods", "update", person(method), method, "--value", other, "--yes"]);
    let kind = service.json(&format!("contact-methods get {of}"))["type"].clone();
    let before = service.writes().len();
    for verb in [&["update"][..], &["upsert", "--type", kind.as_str().unwrap()]] {
        let line = ["contact-methods", verb[0], person(method), method, "--value", SHARED, "--yes"];
        let refused = service.crm(&[&line[..], &verb[1..]].concat()).assert().code(10);
        assert!(stderr(&refused).contains("--override-consent"), "{}", stderr(&refused));
    }
    assert_eq!(service.writes().len(), before);
    let create = ["contact-methods", "create", person(method), "--value", SHARED, "--yes"];
    let create = [&create[..], &["--type", kind.as_str().unwrap()]].concat();
    let created = service.crm(&create).assert().code(0);
    assert!(stderr(&created).contains("a wish of the consent ledger"), "{}", stderr(&created));
    let line = ["contact-methods", "update", person(method), method, "--value", SHARED, "--yes"];
    service.ok(&[&line[..], &["--override-consent", "her new number"]].concat());
}

#[test]
fn a_set_whose_policy_no_longer_holds_turns_off_nothing_of_it() {
    let service = wished();
    let text = service.ok("consent policy");
    let all = text.replace("\"job-reminders\"]", "\"job-reminders\", \"invoices\"]");
    let all = all.replace("from = \"2027-01-31\"", "from = \"2020-01-01\"");
    assert_ne!(all, text);
    for (name, text) in [("all.toml", all), ("usual.toml", text)] {
        fs::write(service.home.path().join(name), text).unwrap();
    }
    service.ok("consent policy --set all.toml");
    service.ok("consent plan");
    service.ok("consent policy --set usual.toml");
    let log = service.sandbox.log().len();
    let ran = run(&service, 0);
    let sets = ran["sets"].as_array().unwrap();
    assert_eq!(sets[0]["states"]["done"], 2, "the methods of people: {ran}");
    assert_eq!(sets[0]["states"]["held"], 7, "{ran}");
    assert_eq!(sets[1]["states"]["done"], 7, "planned anew: {ran}");
    assert_eq!(receiving(&service, "2135550177"), 0);
    let all = [
        service.sandbox.customer_contacts().unwrap(),
        service.sandbox.location_contacts().unwrap(),
    ];
    let of = |value: &str| value.ends_with("2135550177");
    let flags = all.iter().flatten().filter(|contact| of(&contact.value));
    let mut flags = flags.filter_map(|contact| contact.preferences.as_ref());
    assert!(flags.any(|flags| flags.invoices), "{} calls", service.sandbox.log().len() - log);
}

#[test]
fn without_the_ledger_that_a_desk_had_nothing_is_turned_on() {
    let service = wished();
    service.ok("consent plan --out due.crm");
    fs::write(service.home.path().join("list.csv"), format!("phone\n{SHARED}\n")).unwrap();
    for file in ["ledger.db", "ledger.db-wal", "ledger.db-shm"] {
        let _ = fs::remove_file(desk(&service).join(file));
    }
    let contacts = service.json("customer-contacts list 1001");
    let id = &contacts[0]["id"];
    let before = service.writes().len();
    for line in [
        "apply due.crm --yes".to_owned(),
        format!("customer-contacts update 1001 {id} --marketing-updates on --yes"),
        "opt-in list.csv --out in.crm".to_owned(),
        "consent add 8185550142 --said STOP".to_owned(),
        "consent import list.csv".to_owned(),
        "consent run --yes".to_owned(),
    ] {
        let refused = service.crm(&line).assert().code(2);
        let told = stderr(&refused);
        assert!(told.contains("consent ledger of this desk is missing"), "{line}: {told}");
    }
    assert_eq!(service.writes().len(), before);
    assert!(!desk(&service).join("ledger.db").exists());
    // Somebody decides to do without.
    fs::remove_file(desk(&service).join(".ledger-begun")).unwrap();
    service.ok("consent add 8185550142 --said STOP");
}

#[test]
fn a_ledger_without_its_mark_is_missed_by_the_sets_that_were_planned_from_it() {
    let service = wished();
    service.ok("consent plan");
    for file in ["ledger.db", "ledger.db-wal", "ledger.db-shm", ".ledger-begun"] {
        let _ = fs::remove_file(desk(&service).join(file));
    }
    let set = service.json("sets")[0]["name"].as_str().unwrap().to_owned();
    for line in [
        "consent check",
        "consent status 8185550142",
        "consent add 8185550142 --said STOP",
        "consent run --yes",
        "consent policy",
    ] {
        let refused = service.crm(line).assert().code(2);
        let told = stderr(&refused);
        assert!(told.contains("consent ledger of this desk is missing"), "{line}: {told}");
        assert!(told.contains(&format!("crm sets archive {set}")), "{line}: {told}");
    }
    assert!(!desk(&service).join("ledger.db").exists());
    // Somebody decides to do without.
    service.ok(&format!("sets archive {set}"));
    service.ok("consent add 8185550142 --said STOP");
}

#[test]
fn what_is_evidence_is_named_where_a_value_is_removed() {
    let service = wished();
    run(&service, 0);
    let holds = |told: &Value, key: &str| {
        let all = told[key].as_array().unwrap().iter().map(Value::to_string);
        all.filter(|text| text.contains("evidence")).count()
    };
    let told = service.json(&["consent", "redact", SHARED, "--reason", "asked", "--yes"]);
    assert_eq!(holds(&told, "elsewhere"), 2, "{told}");
    let told = service.json(&["desk", "forget", SHARED]);
    assert_eq!(holds(&told, "keptEvidence"), 2, "{told}");
    let told = service.json(&["desk", "forget", SHARED, "--with-sets", "--yes"]);
    assert_eq!((holds(&told, "evidence"), holds(&told, "keptEvidence")), (2, 0), "{told}");
    assert_eq!(fs::read_dir(desk(&service).join("evidence")).unwrap().count(), 0);
}

#[test]
fn a_run_that_leaves_what_cannot_be_set_does_not_end_as_if_all_were_done() {
    let service = Service::start();
    let add = "consent add hello@lighthouse.example --said STOP --at";
    service.ok(&format!("{add} {}", yesterday()));
    let ended = service.crm("consent run --output json").assert().code(3);
    let ran: Value = serde_json::from_str(&stdout(&ended)).unwrap();
    assert_eq!(ran["outcome"], "not-all-done", "{ran}");
    let told = stderr(&ended);
    assert!(told.contains("--unknown-flags") && !told.contains("give also"), "{told}");
}

#[test]
fn methods_that_nobody_has_read_yet_are_told() {
    let service = wished();
    service.ok("mirror update");
    let ended = service.crm("consent due").assert().code(0);
    assert!(stderr(&ended).contains("2 contact methods were not read yet"), "{}", stderr(&ended));
}

#[test]
fn a_call_of_ones_own_says_that_the_ledger_is_not_asked() {
    let service = wished();
    let note = "wishes of the consent ledger";
    let read = service.crm("api GET /customers/1001/contacts").assert().code(0);
    assert!(!stderr(&read).contains(note), "{}", stderr(&read));
    let write = service.crm("api DELETE /customers/1001/contacts/1 --yes").assert().failure();
    assert!(stderr(&write).contains(note), "{}", stderr(&write));
}

/// The set that `consent plan` made, and its file.
fn planned(service: &Service) -> (String, PathBuf) {
    service.ok("consent plan");
    let name = service.json("sets")[0]["name"].as_str().unwrap().to_owned();
    let file = desk(service).join("sets").join(&name).with_added_extension("crm");
    (name, file)
}

#[test]
fn an_open_set_of_which_all_is_held_does_not_keep_the_night_from_planning_anew() {
    let service = crowd(24, 0);
    planned(&service);
    service.ok("consent retract 1 --reason 'last year'");
    service.ok(&["consent", "add", "8185550007", "--said", "STOP", "--at", &yesterday()]);
    let ran = run(&service, 0);
    assert_eq!(ran["sets"][0]["states"]["done"], 1, "{ran}");
    assert_eq!(ran["sets"][0]["states"]["held"], 23, "{ran}");
    assert_eq!((writes(&service).len(), receiving(&service, "8185550007")), (1, 0));
    assert_eq!(run(&service, 0)["outcome"], "nothing-to-do");
}

#[test]
fn an_open_set_of_which_all_has_drifted_or_gone_is_planned_anew_in_the_same_night() {
    let service = crowd(24, 0);
    planned(&service);
    for contact in service.sandbox.customer_contacts().unwrap() {
        let owner = contact.owner_id;
        if owner % 2 == 0 {
            service.ok(&format!("customer-contacts delete {owner} {} --yes", contact.id));
        } else {
            let flags = "--job-reminders off --memo moved";
            service.ok(&format!("customer-contacts update {owner} {} {flags} --yes", contact.id));
        }
    }
    let ran = run(&service, 0);
    assert_eq!(ran["outcome"], "done", "{ran}");
    assert_eq!(receiving(&service, ""), 0, "{ran}");
}

#[test]
fn where_the_first_changes_are_refused_the_next_are_tried_until_one_shows_how_it_goes() {
    let service = crowd(24, 0);
    let refuses = FaultRule::new(Fault::Status { status: 400 }).method("PATCH").times(11);
    service.sandbox.inject(FaultPlan::new().rule(refuses));
    let ran = run(&service, 3);
    let states = &ran["sets"][0]["states"];
    assert_eq!((&states["failed"], &states["done"]), (&11.into(), &13.into()), "{ran}");
    assert_eq!(run(&service, 0)["outcome"], "done");
    assert_eq!(receiving(&service, ""), 0);
}

#[test]
fn a_set_that_a_limit_holds_is_planned_anew_once_the_wishes_are_others() {
    let service = crowd(24, 0);
    service.crm("consent run --max-changes 20").assert().code(11);
    let sets = service.json("sets");
    service.crm("consent run --max-changes 20").assert().code(11);
    assert_eq!(service.json("sets"), sets, "the wishes are the same");
    // The wrong list: what it asked for is not waited for.
    service.ok("consent retract 1 --reason 'last year'");
    service.ok(&["consent", "add", "8185550007", "--said", "STOP", "--at", &yesterday()]);
    let ended = service.crm("consent run --max-changes 20 --output json").assert().code(0);
    let ran: Value = serde_json::from_str(&stdout(&ended)).unwrap();
    let states = |n: usize| &ran["sets"][n]["states"];
    assert_eq!((&states(0)["dropped"], &states(1)["done"]), (&24.into(), &1.into()), "{ran}");
    assert_eq!((writes(&service).len(), receiving(&service, "8185550007")), (1, 0));
    let ended = service.crm("consent run --max-changes 20 --output json").assert().code(0);
    assert!(stdout(&ended).contains("nothing-to-do"), "{}", stdout(&ended));
}

#[test]
fn an_approved_set_that_a_limit_holds_is_left_to_whoever_approved_it() {
    let service = crowd(24, 0);
    let (name, _) = planned(&service);
    service.ok(&format!("approve {name} --by dana --yes"));
    service.ok("consent retract 1 --reason 'last year'");
    service.ok(&["consent", "add", "8185550007", "--said", "STOP", "--at", &yesterday()]);
    let ended = service.crm("consent run --max-changes 20 --output json").assert().code(11);
    assert!(stdout(&ended).contains("was approved"), "{}", stdout(&ended));
    // But the new wish does not wait for it.
    assert_eq!((writes(&service).len(), receiving(&service, "8185550007")), (1, 0));
}

#[test]
fn a_set_that_is_damaged_or_of_another_account_is_passed_over_and_told() {
    let service = crowd(4, 0);
    let (name, file) = planned(&service);
    let foreign = Service::build(Sandbox::builder().tenant(7));
    foreign.ok(&["consent", "add", SHARED, "--said", "STOP", "--at", &yesterday()]);
    let (_, of_another) = planned(&foreign);
    fs::copy(of_another, file.with_file_name("another.crm")).unwrap();
    let whole = fs::read(&file).unwrap();
    let set = file.with_file_name("altered.crm");
    fs::copy(&file, &set).unwrap();
    sql(&set, "UPDATE planned SET wanted_flags = wanted_flags | 2");
    let mut bytes = whole;
    let middle = 4_096..bytes.len();
    bytes[middle].fill(0x5a);
    fs::write(&file, bytes).unwrap();
    for states in [Some(4), None] {
        let ran = run(&service, 0);
        let passed_over = ran["passedOver"].as_array().unwrap();
        let names: Vec<_> = passed_over.iter().map(|it| it["set"].as_str().unwrap()).collect();
        // Told until they are taken away.
        assert_eq!(names.len(), 3, "{ran}");
        assert!(names.contains(&&*name) && names.contains(&"another"), "{ran}");
        assert_eq!(ran["sets"][0]["states"]["done"].as_u64(), states, "{ran}");
    }
    assert_eq!(writes(&service).len(), 4);
    service.crm("consent due").assert().code(0);
    service.ok("consent plan");
}

fn sql(file: &std::path::Path, sql: &str) {
    let ended = std::process::Command::new("sqlite3").arg(file).arg(sql).output();
    assert!(ended.unwrap().status.success());
}

#[test]
fn what_somebody_turned_on_against_a_wish_is_told_and_turned_off_again() {
    let service = wished();
    run(&service, 0);
    let contact = service.sandbox.customer_contacts().unwrap().into_iter();
    let contact = contact.filter(|contact| contact.value.ends_with("2135550177"));
    let contact = contact.into_iter().next().unwrap();
    let (owner, id) = (contact.owner_id, contact.id);
    let on = format!("customer-contacts update {owner} {id} --marketing-updates on --yes");
    let because = format!("{on} --override-consent 'asked for it in the shop'");
    let told = service.crm(&because).assert().code(0);
    assert!(stderr(&told).contains("consent run` turns off again"), "{}", stderr(&told));
    assert!(stderr(&told).contains("--wish in"), "{}", stderr(&told));
    let status = service.crm(&["consent", "status", SHARED]).assert().code(10);
    let line = format!("customer {owner}, contact {id}: turned on against wish 1 on ");
    let told = stdout(&status);
    assert!(told.contains(&line) && told.contains("because: asked for it in the shop"), "{told}");
    let told = service.crm("consent plan --out again.crm").assert().code(0);
    assert!(stderr(&told).contains(&line), "{}", stderr(&told));
    let left = due(&service, 0);
    assert_eq!(left[0]["overridden"]["reason"], "asked for it in the shop", "{left:?}");
    let ran = run(&service, 0);
    assert!(ran["steps"].to_string().contains(&line), "{ran}");
    assert_eq!(receiving(&service, "2135550177"), 0);
    // A wish is what keeps it.
    let words =
        ["consent", "add", SHARED, "--said", "START", "--at", &jiff::Timestamp::now().to_string()];
    service.ok(&words);
    service.ok(&on);
    assert_eq!(run(&service, 0)["outcome"], "nothing-to-do");
    assert_eq!(receiving(&service, "2135550177"), 1);
}

#[test]
fn a_change_that_the_ledger_holds_is_no_refusal_of_the_service() {
    let service = Service::start();
    let contact = NewContact::of_customer(1_002, "Phone", "(818) 555-0142");
    let contact = contact.preferences(StoredPreferences::all(false));
    let id = service.sandbox.add_contact(contact).unwrap();
    let rows = format!("customer_id,contact_id,marketing_updates\n1002,{id},on\n");
    fs::write(service.home.path().join("rows.csv"), rows).unwrap();
    service.ok("plan rows.csv --out on.crm");
    service.ok("consent add 8185550142 --said STOP --at 2026-11-20");
    let log = service.writes().len();
    let ended = service.crm("apply on.crm --yes").assert().code(10);
    let told = stderr(&ended);
    assert!(told.contains("1 held by the consent ledger") && told.contains("--state"), "{told}");
    assert_eq!(service.writes().len(), log);
    let shown = service.json("show on.crm");
    assert_eq!(shown[0]["state"], "held", "{shown}");
    let why = shown[0]["message"].as_str().unwrap();
    for part in [
        "held by the consent ledger: ",
        "record 1",
        "received 2026-11-20",
        "taken in 2",
        "--wish in",
    ] {
        assert!(why.contains(part), "{part}: {why}");
    }
    let page = service.ok("report on.crm");
    assert!(page.contains("held back, not sent") && page.contains("received 2026-11-20"), "{page}");
    let rows = service.ok("results on.crm");
    assert!(rows.contains(",held,") && rows.contains("record 1 of the consent ledger"), "{rows}");
    // With the wish to be written to it goes.
    let now = jiff::Timestamp::now().to_string();
    service.ok(&["consent", "add", "8185550142", "--said", "START", "--at", &now]);
    service.ok("apply on.crm --yes --retry-failed");
    assert_eq!(service.writes().len(), log + 1);
}

#[test]
fn evidence_elsewhere_is_found_by_who_removes_a_value() {
    let service = wished();
    let ran = service.crm("consent run --evidence proofs --output json").assert().code(0);
    let ran: Value = serde_json::from_str(&stdout(&ran)).unwrap();
    assert!(ran["sets"][0]["evidence"].to_string().contains("proofs"), "{ran}");
    fs::write(service.home.path().join("proofs/other.html"), SHARED).unwrap();
    let told = service.json(&["consent", "redact", SHARED, "--reason", "asked", "--yes"]);
    let elsewhere = told["elsewhere"].to_string();
    assert_eq!(elsewhere.matches("proofs").count(), 2, "{told}");
    let told = service.json(&["desk", "forget", SHARED, "--with-sets", "--yes"]);
    assert_eq!(told["evidence"].as_array().unwrap().len(), 2, "{told}");
    // What is not ours stays.
    assert_eq!(fs::read_dir(service.home.path().join("proofs")).unwrap().count(), 1);
}

#[test]
fn a_run_that_ended_before_its_evidence_leaves_it_to_the_next_one_which_has_the_history() {
    let service = wished();
    service.ok("mirror update");
    let folder = desk(&service).join("evidence");
    fs::write(&folder, "no folder").unwrap();
    service.crm("consent run").assert().code(1);
    assert_eq!(receiving(&service, "2135550177"), 0);
    fs::remove_file(&folder).unwrap();
    let ran = run(&service, 0);
    assert_eq!(ran["outcome"], "nothing-to-do", "{ran}");
    assert!(ran["steps"][0].as_str().unwrap().contains("evidence was not written yet"), "{ran}");
    let name = service.json("sets")[0]["name"].as_str().unwrap().to_owned();
    let written = fs::read_to_string(page_of(&folder, &name)).unwrap();
    let reported = service.ok(&format!("report {name}"));
    let history = "What else happened";
    assert_eq!(written.contains(history), reported.contains(history), "{reported}");
    assert!(
        written.contains("2135550177")
            && !run(&service, 0)["steps"].to_string().contains("written yet")
    );
}

/// The page about a set in a folder of evidence.
fn page_of(folder: &Path, set: &str) -> PathBuf {
    let mut files = fs::read_dir(folder).unwrap().map(|it| it.unwrap().path());
    let is_of = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap();
        name.starts_with(&format!("{set}-1001-")) && name.ends_with(".html")
    };
    files.find(is_of).unwrap()
}

#[test]
fn the_evidence_of_a_set_that_somebody_else_sent_is_written_by_the_next_run() {
    let service = wished();
    service.crm("consent run --max-changes 8").assert().code(11);
    let set = service.json("sets")[0]["name"].as_str().unwrap().to_owned();
    let folder = desk(&service).join("evidence");
    assert!(!folder.exists());
    let applied = service.crm(&format!("apply {set} --yes")).assert().code(0);
    assert!(stderr(&applied).contains("writes the evidence"), "{}", stderr(&applied));
    // Also of one that was put away since.
    service.ok(&format!("sets archive {set}"));
    let ran = run(&service, 0);
    assert!(ran["steps"][0].as_str().unwrap().contains("evidence was not written yet"), "{ran}");
    let page = page_of(&folder, &set);
    assert!(fs::read_to_string(&page).unwrap().contains("2135550177"));
    // Once: who moves it away does not get it again.
    fs::remove_file(&page).unwrap();
    run(&service, 0);
    assert!(!page.exists());
}

#[test]
fn the_evidence_of_two_accounts_may_be_in_one_folder() {
    let folder = tempfile::tempdir().unwrap();
    let evidence = ["--evidence", folder.path().to_str().unwrap()];
    let services = [wished(), wished()];
    for service in &services {
        service.ok(&[&["consent", "run"][..], &evidence].concat());
    }
    let pages: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|it| it.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "html"))
        .collect();
    assert_eq!(pages.len(), 2, "{pages:?}");
    for service in &services {
        let url = &service.sandbox.connection().api_url;
        let of = pages.iter().filter(|page| fs::read_to_string(page).unwrap().contains(url));
        assert_eq!(of.count(), 1, "{url}");
    }
}

#[test]
fn evidence_replaces_nothing_that_is_there_but_what_was_written_of_the_same_set() {
    let service = wished();
    service.crm("consent run --max-changes 8").assert().code(11);
    let set = service.json("sets")[0]["name"].as_str().unwrap().to_owned();
    let folder = desk(&service).join("evidence");
    service.crm(&format!("apply {set} --yes")).assert().code(0);
    service.ok("consent run");
    let [page, csv] = [page_of(&folder, &set), page_of(&folder, &set).with_added_extension("csv")];
    let written = [&page, &csv].map(|file| fs::read(file).unwrap());
    // Another set gets the name of one that was removed on the same day.
    service.ok(&format!("sets rm {set} --yes"));
    service.ok("consent add 818-555-0142 --said STOP --at 2026-01-05");
    let ran = run(&service, 10);
    assert_eq!([&page, &csv].map(|file| fs::read(file).unwrap()), written, "{ran}");
    let second =
        folder.join(page.file_name().unwrap().to_str().unwrap().replace(".html", "-2.html"));
    assert!(fs::read_to_string(second).unwrap().contains("8185550142"), "{ran}");
}

#[test]
fn what_a_run_leaves_that_is_killed_while_it_plans_is_removed_by_the_next() {
    let service = crowd(3_000, 0);
    for wait in [150, 200, 260] {
        let mut killed = service.spawn("consent run --dry-run");
        let folder = || fs::read_dir(desk(&service).join("sets")).unwrap();
        let names = || folder().map(|it| it.unwrap().file_name().into_string().unwrap());
        while names().count() == 0 && killed.try_wait().unwrap().is_none() {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        std::thread::sleep(std::time::Duration::from_millis(wait));
        killed.kill().unwrap();
        killed.wait().unwrap();
    }
    service.ok("consent run --dry-run");
    let left = fs::read_dir(desk(&service).join("sets")).unwrap();
    let left: Vec<_> = left.map(|it| it.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| name.to_str().unwrap().ends_with(".crm")), "{left:?}");
}

#[test]
fn before_there_is_a_mirror_due_says_which_command_makes_it() {
    let service = wished();
    let refused = service.crm("consent due --tenant 1001").assert().code(2);
    let told = stderr(&refused);
    assert!(told.contains("`crm --tenant=1001 mirror update`"), "{told}");
}
