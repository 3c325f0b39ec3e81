//! `crm consent due`, `run`, `report` and `prove` say the same of a copy, and end with codes that say
//! the same.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{collections::BTreeMap, fs};

use common::{Service, stderr, stdout};
use crm_sandbox::{Fault, FaultPlan, FaultRule, NewContact, StoredPreferences};
use serde_json::{Value, json};

const NUMBER: &str = "(818) 555-0160";
/// A wish whose last day is long over, and a moment after that day.
const WISH: &str = "2026-01-05";
const AFTER: &str = "2026-03-01T12:00:00Z";
const YEAR: &str = "consent report --from 2026-01-01 --to 2099-12-31";

/// A contact with the number, from long before the wish.
fn contact() -> NewContact {
    NewContact::of_customer(1_002, "Phone", NUMBER)
        .created_on("2025-06-01T12:00:00Z")
        .modified_on("2025-06-01T12:00:00Z")
}

/// A service where somebody with such a contact wished to be left alone; the contact's id.
fn wished(contact: NewContact, flags: Option<bool>) -> (Service, String) {
    let service = Service::start();
    let contact = flags
        .into_iter()
        .fold(contact, |contact, on| contact.preferences(StoredPreferences::all(on)));
    let id = service.sandbox.add_contact(contact).unwrap().to_string();
    service.ok("mirror update");
    (service, id)
}

fn stop(service: &Service, at: &str) {
    service.ok(&["consent", "add", NUMBER, "--said", "STOP", "--at", at]);
}

/// What a command answers, and its code.
fn answer(service: &Service, line: &str) -> (Value, i32) {
    let ended = service.crm(&format!("{line} --output json")).assert();
    let code = ended.get_output().status.code().unwrap();
    (serde_json::from_str(&stdout(&ended)).unwrap(), code)
}

/// What the four commands say of the only copy: the verdict and the days of `due`, `report` (which
/// counts it under a name), and `prove`, each with the code.
struct Told {
    due: Option<Value>,
    due_code: i32,
    report: Value,
    report_code: i32,
    copy: Value,
    prove_code: i32,
}

fn told(service: &Service, id: &str) -> Told {
    let (due, due_code) = answer(service, "consent due");
    let (report, report_code) = answer(service, YEAR);
    let (proof, prove_code) = answer(service, &format!("consent prove '{NUMBER}'"));
    let is_it = |copy: &&Value| {
        copy["contactId"] == *id
            || copy["contactId"].as_i64().map(|n| n.to_string()).as_deref() == Some(id)
    };
    let due = due.as_array().unwrap().iter().find(is_it).cloned();
    let copies = proof["copies"].as_array().unwrap();
    let copy = copies.iter().find(is_it).unwrap_or_else(|| panic!("{id} in {copies:?}")).clone();
    Told { due, due_code, report, report_code, copy, prove_code }
}

impl Told {
    /// One of which something is still due: all three say the same of it.
    fn is_due(&self, verdict: &str, code: i32) {
        let due = self.due.as_ref().unwrap();
        assert_eq!((&due["verdict"], &self.copy["verdict"]), (&json!(verdict), &json!(verdict)));
        assert_eq!(due["daysLate"], self.copy["daysLate"], "{due} {}", self.copy);
        assert_eq!(due["deadline"], self.copy["clock"]["lastDay"]);
        let late = u64::from(due["daysLate"] != 0);
        assert_eq!(
            (&self.report["open"]["copies"], &self.report["open"]["late"]),
            (&json!(1), &json!(late))
        );
        assert_eq!([self.due_code, self.report_code, self.prove_code], [code; 3]);
    }

    /// One of which nothing is due any longer: the report counts it so, and the code is the same as that
    /// of the proof.
    fn was(&self, verdict: &str, counted: &[&str], code: i32) {
        assert!(self.due.is_none(), "{:?}", self.due);
        assert_eq!(self.copy["verdict"], verdict, "{}", self.copy);
        let off = &self.report["turnedOff"];
        let names = ["inTime", "late", "notShown", "wishUndated", "lateUntilGone"];
        let all = names.into_iter().filter(|name| off[name] != 0).collect::<Vec<_>>();
        assert_eq!(all, counted, "{off}");
        assert_eq!([self.report_code, self.prove_code], [code; 2]);
        // What is late and cannot be mended keeps no nightly job from ending well.
        assert_eq!(self.due_code, 0);
    }
}

#[test]
fn what_still_receives_marketing_is_overdue_for_all() {
    let (service, id) = wished(contact(), Some(true));
    stop(&service, WISH);
    told(&service, &id).is_due("overdue", 10);
    // The run that turns it off is the one that was late.
    let (ran, code) = answer(&service, "consent run");
    assert_eq!(
        (&ran["outcome"], &ran["turnedOffLate"], code),
        (&json!("late"), &json!(1), 10),
        "{ran}"
    );
    service.ok("mirror update");
    told(&service, &id).was("late", &["late"], 10);
    let (ran, code) = answer(&service, "consent run");
    assert_eq!((&ran["outcome"], code), (&json!("nothing-to-do"), 0), "{ran}");
}

#[test]
fn of_which_nobody_can_tell_what_it_receives_is_as_late_as_what_does() {
    let (service, id) = wished(contact(), None);
    stop(&service, WISH);
    let told = told(&service, &id);
    told.is_due("unknown", 10);
    assert_eq!(told.due.unwrap()["kind"], "cannot-be-set");
    let (ran, code) = answer(&service, "consent run");
    assert_eq!((&ran["due"]["cannotBeSet"], &ran["due"]["late"], code), (&json!(1), &json!(1), 10));
}

#[test]
fn what_was_first_seen_off_after_the_last_day_is_not_shown_to_be_in_time() {
    let (service, id) = wished(contact().modified_on(AFTER), Some(false));
    stop(&service, WISH);
    told(&service, &id).was("not-shown", &["notShown"], 10);
}

#[test]
fn for_a_wish_without_a_date_nothing_is_in_time() {
    let (service, id) = wished(contact(), Some(true));
    service.ok(&["consent", "add", NUMBER, "--said", "STOP", "--at-unknown"]);
    let (_, code) = answer(&service, "consent run");
    assert_eq!(code, 0);
    service.ok("mirror update");
    told(&service, &id).was("wish-undated", &["wishUndated"], 0);
}

#[test]
fn what_others_deleted_or_gave_another_number_was_late_until_then() {
    for change in [
        "delete 1002 ID --yes --no-record",
        "update 1002 ID --value '(818) 555-0161' --yes --no-record",
    ] {
        let (service, id) = wished(contact(), Some(true));
        stop(&service, WISH);
        service.ok(&format!("customer-contacts {}", change.replace("ID", &id)));
        service.ok("mirror update");
        told(&service, &id).was("late-until-gone", &["late", "lateUntilGone"], 10);
    }
}

#[test]
fn what_was_turned_off_in_time_and_went_then_was_in_time() {
    let (service, id) = wished(contact(), Some(true));
    stop(&service, &jiff::Timestamp::now().to_string());
    let (_, code) = answer(&service, "consent run");
    assert_eq!(code, 0);
    service.ok(&format!("customer-contacts delete 1002 {id} --yes"));
    service.ok("mirror update");
    let told = told(&service, &id);
    told.was("gone", &["inTime"], 0);
    let says = told.copy["says"].as_str().unwrap();
    assert!(says.contains("in time") && says.contains("Has it no longer"), "{says}");
}

#[test]
fn what_got_the_number_after_the_wish_has_a_time_of_its_own() {
    let contact = NewContact::of_customer(1_002, "Phone", "(818) 555-0161")
        .created_on("2025-06-01T12:00:00Z");
    let (service, id) = wished(contact, Some(true));
    stop(&service, WISH);
    service.ok(&format!(
        "customer-contacts update 1002 {id} --value '{NUMBER}' --yes --no-record --override-consent \
         'another person'"
    ));
    service.ok("mirror update");
    let was = told(&service, &id);
    was.is_due("open", 0);
    assert_eq!(was.copy["clock"]["ofCopy"], true);
    // The page says how it came to be a copy: nobody created it after the wish.
    service.ok(&["consent", "prove", NUMBER, "--html", "proof.html"]);
    let page = fs::read_to_string(service.home.path().join("proof.html")).unwrap();
    assert!(page.contains("It got this number between"), "{page}");
    assert!(!page.contains("It was created on"), "{page}");
    // So it has on the page of the set that turns it off, also beside one that was there at the wish.
    let (ran, code) = answer(&service, "consent run");
    assert_eq!((&ran["outcome"], code), (&json!("done"), 0), "{ran}");
    let csv = fs::read_to_string(ran["sets"][0]["evidence"][1].as_str().unwrap()).unwrap();
    let mut rows = csv::Reader::from_reader(csv.as_bytes());
    let late = rows.headers().unwrap().iter().position(|name| name == "late").unwrap();
    assert!(rows.records().all(|row| row.unwrap()[late].is_empty()), "{csv}");
    told(&service, &id).was("in-time", &["inTime"], 0);
}

#[test]
fn what_was_late_before_a_start_is_told_and_has_no_code() {
    let (service, id) = wished(contact(), Some(true));
    stop(&service, WISH);
    let (_, code) = answer(&service, "consent run");
    assert_eq!(code, 10);
    let now = jiff::Timestamp::now().to_string();
    service.ok(&["consent", "add", NUMBER, "--said", "START", "--at", &now]);
    service.ok("mirror update");
    let told = told(&service, &id);
    told.was("no-wish", &[], 0);
    assert_eq!(told.report["earlier"]["late"], 1, "{}", told.report);
    assert_eq!(told.copy["earlier"].as_array().unwrap().len(), 1);
}

#[test]
fn what_was_turned_on_again_is_late_from_its_last_day_on() {
    let (service, id) = wished(contact(), Some(true));
    stop(&service, WISH);
    service.crm("consent run").assert().code(10);
    service.ok(&format!(
        "customer-contacts update 1002 {id} --marketing-updates on --yes --override-consent 'to see it'"
    ));
    service.ok("mirror update");
    let told = told(&service, &id);
    told.is_due("overdue", 10);
    let says = told.copy["says"].as_str().unwrap();
    assert!(says.starts_with("Receives marketing again") && says.contains("days late"), "{says}");
}

#[test]
fn what_the_service_did_not_keep_is_still_due_for_all() {
    let (service, id) = wished(contact(), Some(true));
    stop(&service, WISH);
    let forgets = FaultRule::new(Fault::NotKept).method("PATCH").times(0);
    service.sandbox.inject(FaultPlan::new().rule(forgets));
    let (ran, code) = answer(&service, "consent run");
    assert_eq!(code, 8, "{ran}");
    assert_eq!(
        (&ran["due"]["open"], &ran["due"]["late"], &ran["turnedOffLate"]),
        (&json!(1), &json!(1), &json!(0)),
        "{ran}"
    );
    let csv = fs::read_to_string(ran["sets"][0]["evidence"][1].as_str().unwrap()).unwrap();
    assert!(csv.contains("overdue") && csv.contains("marketing is on"), "{csv}");
    for update in [false, true] {
        if update {
            service.ok("mirror update");
        }
        let told = told(&service, &id);
        told.is_due("overdue", 10);
        let due = told.due.unwrap();
        let why = due["why"].as_str().unwrap();
        assert!(why.contains("read back") && why.contains("marketing is on"), "{why}");
        let says = told.copy["says"].as_str().unwrap();
        assert!(says.contains("days late: the last day was 2026-01-20"), "{says}");
        assert_eq!(told.report["turnedOff"]["late"], 0, "{}", told.report);
        assert_eq!(told.report["sets"], json!([]), "{}", told.report);
    }
    // Once it is kept, it was late.
    service.sandbox.inject(FaultPlan::new());
    let (ran, code) = answer(&service, "consent run");
    assert_eq!((&ran["turnedOffLate"], code), (&json!(1), 10), "{ran}");
    service.ok("mirror update");
    told(&service, &id).was("late", &["late"], 10);
}

#[test]
fn each_kind_of_messages_has_its_own_wish_and_clock_for_all() {
    let (service, id) = wished(contact(), Some(true));
    stop(&service, WISH);
    let now = jiff::Timestamp::now().to_string();
    let all = ["consent", "add", NUMBER, "--said", "STOP ALL", "--wish", "out", "--scope", "all"];
    service.ok(&[&all[..], &["--at", &now]].concat());
    let (due, code) = answer(&service, "consent due");
    let rows: Vec<_> = due.as_array().unwrap().iter().collect();
    let of = |row: &Value| (row["receives"].clone(), row["record"].clone(), row["verdict"].clone());
    assert_eq!(
        rows.into_iter().map(of).collect::<Vec<_>>(),
        [
            (json!(["marketing-updates"]), json!(1), json!("overdue")),
            (json!(["job-reminders"]), json!(2), json!("open")),
        ]
    );
    assert_eq!(code, 10);
    // It is one copy, and one change.
    let (ran, code) = answer(&service, "consent run");
    assert_eq!((&ran["sets"][0]["states"]["done"], code), (&json!(1), 10), "{ran}");
    let csv = fs::read_to_string(ran["sets"][0]["evidence"][1].as_str().unwrap()).unwrap();
    assert!(csv.contains("Each kind has its own wish: "), "{csv}");
    // With a line for each of its two clocks, of which one is late.
    let mut rows = csv::Reader::from_reader(csv.as_bytes());
    let rows: Vec<BTreeMap<String, String>> = rows.deserialize().map(Result::unwrap).collect();
    let of = |row: &BTreeMap<String, String>| {
        ["contactId", "dueFor", "due", "change", "repeats", "state"].map(|name| row[name].clone())
    };
    let [marketing, reminders] = &rows[..] else { panic!("{csv}") };
    let today = &reminders["due"];
    assert_eq!(of(marketing), [&*id, "marketing", "2026-01-20", "1", "", "done"]);
    assert_eq!(of(reminders), [&*id, "job reminders", today, "1", "1", "done"]);
    assert!(marketing["daysLate"].parse::<u32>().unwrap() > 300, "{csv}");
    assert_eq!((&*reminders["late"], &*reminders["daysLate"]), ("", ""), "{csv}");
    let page = fs::read_to_string(ran["sets"][0]["evidence"][0].as_str().unwrap()).unwrap();
    for told in ["marketing", "job reminders"] {
        assert!(page.contains(&format!("<bdi>{told}</bdi>: 202")), "{told}: {page}");
    }
    service.ok("mirror update");
    let told = told(&service, &id);
    told.was("late", &["late"], 10);
    let reminders = &told.copy["otherKinds"][0];
    assert_eq!(reminders["preference"], "job-reminders", "{reminders}");
    assert_eq!(
        (&reminders["verdict"], &reminders["clock"]["record"]),
        (&json!("in-time"), &json!(2))
    );
    let others = &told.report["otherKinds"];
    assert_eq!((&others["inTime"], &others["late"]), (&json!(1), &json!(0)), "{others}");
}

#[test]
fn who_wants_marketing_again_is_still_left_alone_with_the_rest_and_that_is_judged() {
    let (service, id) = wished(contact(), Some(true));
    let all = ["consent", "add", NUMBER, "--said", "STOP", "--scope", "all", "--at", WISH];
    service.ok(&all);
    service.ok(&["consent", "add", NUMBER, "--said", "START", "--at", "2026-01-08T12:00:00Z"]);
    let told = told(&service, &id);
    let due = told.due.as_ref().unwrap();
    assert_eq!((&due["receives"], &due["verdict"]), (&json!(["job-reminders"]), &json!("overdue")));
    let copy = &told.copy;
    assert_eq!(
        (&copy["verdict"], &copy["otherKinds"][0]["verdict"]),
        (&json!("no-wish"), &json!("overdue"))
    );
    assert_eq!(copy["says"], "No wish to be left alone counts for marketing.");
    let says = copy["otherKinds"][0]["says"].as_str().unwrap();
    assert!(says.starts_with("Still receives job reminders"), "{says}");
    assert_eq!([told.due_code, told.report_code, told.prove_code], [10; 3]);
    let text = service.crm(&format!("consent prove '{NUMBER}'")).assert().code(10);
    let text = stdout(&text);
    assert!(text.contains("for all kinds of messages: out, by record 1"), "{text}");
    // A run turns off the rest alone, and that it was late is told by both.
    service.crm("consent run").assert().code(10);
    service.ok("mirror update");
    let (proof, code) = answer(&service, &format!("consent prove '{NUMBER}'"));
    let copies = proof["copies"].as_array().unwrap();
    let copy = copies.iter().find(|copy| copy["contactId"] == *id).unwrap();
    assert_eq!((&copy["otherKinds"][0]["verdict"], code), (&json!("late"), 10), "{copy}");
    let (report, code) = answer(&service, YEAR);
    assert_eq!((&report["otherKinds"]["late"], code), (&json!(1), 10), "{report}");
}

#[test]
fn what_is_gone_went_when_it_is_known_to_have_gone_and_not_when_somebody_asks() {
    let (service, id) = wished(contact(), Some(true));
    stop(&service, &jiff::Timestamp::now().to_string());
    service.ok("consent run");
    service.ok(&format!("customer-contacts delete 1002 {id} --yes"));
    let verify = format!("consent prove '{NUMBER}' --verify --html proof.html --overwrite");
    let copy = |service: &Service| {
        let (proof, code) = answer(service, &verify);
        assert_eq!(code, 0, "{proof}");
        let copies = proof["copies"].as_array().unwrap();
        copies.iter().find(|copy| copy["contactId"] == *id).unwrap().clone()
    };
    let gone = copy(&service);
    let events = gone["events"].as_array().unwrap();
    let deleted = events.iter().find(|event| event["action"] == "delete").unwrap();
    assert_eq!((&gone["verdict"], &gone["isExact"]), (&json!("gone"), &json!(true)), "{gone}");
    assert_eq!(gone["since"], deleted["at"], "{gone}");
    assert_eq!(
        (&gone["clock"]["ofCopy"], &gone["arrival"]["how"]),
        (&json!(false), &json!("created"))
    );
    let page = fs::read_to_string(service.home.path().join("proof.html")).unwrap();
    assert!(!page.contains("has a time of its own"), "{page}");
    service.ok("mirror update");
    assert_eq!(copy(&service)["since"], deleted["at"]);

    // Of one that nobody saw go, only that is known.
    let (service, id) = wished(contact(), Some(true));
    stop(&service, &jiff::Timestamp::now().to_string());
    service.ok("consent run");
    service.ok(&format!("customer-contacts delete 1002 {id} --yes --no-record"));
    let (proof, _) = answer(&service, &verify);
    let copies = proof["copies"].as_array().unwrap();
    let says = copies.iter().find(|copy| copy["contactId"] == *id).unwrap()["says"].clone();
    assert!(says.as_str().unwrap().contains("at the latest"), "{says}");
}

#[test]
fn late_copies_have_their_code_where_the_evidence_cannot_be_written() {
    let (service, id) = wished(contact(), Some(true));
    stop(&service, WISH);
    fs::write(service.home.path().join("taken"), "no folder").unwrap();
    let ended = service.crm("consent run --evidence taken").assert().code(1);
    let told = stderr(&ended);
    assert!(told.contains("1 change of it is sent and done"), "{told}");
    assert!(told.contains("consent run` writes it"), "{told}");
    assert!(stdout(&ended).contains("1 copy was late when turned off"), "{}", stdout(&ended));
    assert!(stdout(&ended).contains("nothing is due"), "{}", stdout(&ended));
    // The next run writes it, and says what the first could not.
    let (ran, code) = answer(&service, "consent run");
    assert_eq!(
        (&ran["outcome"], &ran["turnedOffLate"], code),
        (&json!("late"), &json!(1), 10),
        "{ran}"
    );
    let (ran, code) = answer(&service, "consent run");
    assert_eq!((&ran["outcome"], code), (&json!("nothing-to-do"), 0), "{ran}");
    service.ok("mirror update");
    self::told(&service, &id).was("late", &["late"], 10);
}

#[test]
fn late_copies_that_cannot_be_set_are_on_the_evidence_and_in_the_report() {
    let service = Service::start();
    let add = |contact| service.sandbox.add_contact(contact).unwrap().to_string();
    let [id, unknown] = [contact().preferences(StoredPreferences::all(true)), contact()].map(add);
    stop(&service, WISH);
    let (ran, code) = answer(&service, "consent run");
    assert_eq!((&ran["due"]["cannotBeSet"], code), (&json!(1), 10), "{ran}");
    let files = &ran["sets"][0]["evidence"];
    let [page, csv] = [0, 1].map(|at| fs::read_to_string(files[at].as_str().unwrap()).unwrap());
    assert!(page.contains("Due, and not in this set") && page.contains(&unknown), "{page}");
    let mut rows = csv::Reader::from_reader(csv.as_bytes());
    let header = rows.headers().unwrap().clone();
    let at = |name: &str| header.iter().position(|column| column == name).unwrap();
    let rows: Vec<_> = rows.records().map(Result::unwrap).collect();
    let row = |id: &str| rows.iter().find(|row| &row[at("contactId")] == id).unwrap();
    let left = row(&unknown);
    assert_eq!((&left[at("state")], &left[at("due")]), ("cannot-be-set", "2026-01-20"));
    let days = |row: &csv::StringRecord| row[at("daysLate")].parse::<u32>().unwrap();
    assert!(days(left) > 300 && days(row(&id)) == days(left), "{csv}");
    let entries = service.crm(&format!("{YEAR} --output csv")).assert().code(10);
    let entries = stdout(&entries);
    let due = entries.lines().find(|line| line.starts_with("due,")).unwrap();
    assert!(due.contains(&unknown) && due.contains("cannot-be-set"), "{due}");
}

#[test]
fn the_evidence_says_why_a_copy_has_another_day_than_its_wish_had() {
    let (service, id) = wished(contact(), Some(true));
    stop(&service, WISH);
    service.ok("consent plan");
    let text = service.ok("consent policy").replace("business-days = 10", "business-days = 5");
    fs::write(service.home.path().join("policy.toml"), text).unwrap();
    service.ok("consent policy --set policy.toml");
    let set = service.json("sets")[0]["name"].as_str().unwrap().to_owned();
    service.ok(&format!("report {set} --html page.html"));
    let page = fs::read_to_string(service.home.path().join("page.html")).unwrap();
    for told in [
        "2026-01-20",
        "2026-01-12",
        "another policy was set (record 2",
        "Two policies give two last days: 2026-01-12 by the policy in force today (record 2), and \
         2026-01-20 by the policy in force at the wish (the default). The earlier one decides.",
        "days late",
    ] {
        assert!(page.contains(told), "{told}: {page}");
    }
    // A page replaces only that of the same set.
    service.ok(&format!("report {set} --html page.html"));
    let rows = format!("customer_id,contact_id,memo\n1002,{id},called\n");
    fs::write(service.home.path().join("rows.csv"), rows).unwrap();
    service.ok("plan rows.csv --out other.crm");
    let refused = service.crm("report other.crm --html page.html").assert().code(2);
    assert!(stderr(&refused).contains("--overwrite"), "{}", stderr(&refused));
    let kept = fs::read_to_string(service.home.path().join("page.html")).unwrap();
    assert!(kept.contains("Two policies give two last days"), "{kept}");
    service.ok("report other.crm --html page.html --overwrite");
}

#[test]
fn a_method_of_a_person_that_a_run_turned_off_late_was_late_for_all() {
    let service = Service::start();
    let shared = "(213) 555-0177";
    service.ok(&["consent", "add", shared, "--said", "STOP", "--at", WISH]);
    let (ran, code) = answer(&service, "consent run");
    assert_eq!((&ran["turnedOffLate"], code), (&json!(9), 10), "{ran}");
    service.ok("mirror update");
    let (proof, code) = answer(&service, &format!("consent prove '{shared}'"));
    let copies = proof["copies"].as_array().unwrap();
    let people: Vec<_> = copies.iter().filter(|copy| copy["ownerKind"] == "person").collect();
    assert!(people.len() >= 2, "{copies:?}");
    let off = people.iter().filter(|copy| copy["verdict"] == "late").count();
    assert_eq!((off, code), (2, 10), "{people:?}");
    assert!(people.iter().all(|copy| copy["verdict"] != "not-shown"), "{people:?}");
    // By as many days in the evidence as in the proof.
    let csv = fs::read_to_string(ran["sets"][0]["evidence"][1].as_str().unwrap()).unwrap();
    let mut rows = csv::Reader::from_reader(csv.as_bytes());
    let header = rows.headers().unwrap().clone();
    let at = |name: &str| header.iter().position(|column| column == name).unwrap();
    for row in rows.records().map(Result::unwrap) {
        let copy = copies.iter().find(|copy| copy["contactId"] == row[at("contactId")]).unwrap();
        assert_eq!(row[at("due")], copy["clock"]["lastDay"], "{copy}");
        assert_eq!(row[at("daysLate")], copy["daysLate"].to_string(), "{copy}");
    }
    let (report, _) = answer(&service, YEAR);
    assert_eq!(report["turnedOff"]["late"], 9, "{report}");
}

#[test]
fn a_copy_that_a_later_set_finds_missing_is_gone_since_it_was_deleted() {
    let (service, id) = wished(contact(), Some(true));
    stop(&service, &jiff::Timestamp::now().to_string());
    service.ok("consent run");
    let sets = service.json("sets");
    let set = sets[0]["name"].as_str().unwrap().to_owned();
    service.ok(&format!("customer-contacts delete 1002 {id} --yes"));
    service.ok(&format!("undo {set} --override-consent 'wrong one' --out undo.crm"));
    service.crm("apply undo.crm --yes --override-consent 'wrong one'").assert().code(3);
    service.ok("mirror update");
    let prove = format!("consent prove '{NUMBER}'");
    let (proof, code) = answer(&service, &prove);
    let copies = proof["copies"].as_array().unwrap();
    let copy = copies.iter().find(|copy| copy["contactId"] == *id).unwrap();
    let deleted = copy["events"].as_array().unwrap().iter().find(|it| it["action"] == "delete");
    assert_eq!((&copy["verdict"], code), (&json!("gone"), 0), "{copy}");
    assert_eq!(copy["since"], deleted.unwrap()["at"], "{copy}");
    assert_ne!(copy["arrival"]["how"], "back", "{copy}");
}

#[test]
fn a_day_without_a_time_and_a_time_without_a_zone_are_told_as_what_they_are() {
    let service = Service::start();
    for (at, told) in [
        ("2026-10-08", "received on 2026-10-08,"),
        ("2026-10-08 09:00", "received 2026-10-08 13:00:00 UTC,"),
        ("2026-10-08T09:00:00-08:00", "received 2026-10-08 17:00:00 UTC,"),
    ] {
        let address = format!("ada{}@site.example", at.len());
        service.ok(&["consent", "add", &address, "--said", "STOP", "--at", at]);
        for (line, code) in [("status", 10), ("prove", 0)] {
            let said = service.crm(&format!("consent {line} {address}")).assert().code(code);
            assert!(stdout(&said).contains(told), "{line}: {}", stdout(&said));
        }
        let history = service.json(&format!("history {address}"));
        let wish = history[0]["change"].as_str().unwrap();
        assert!(wish.contains(told), "{wish}");
    }
}
