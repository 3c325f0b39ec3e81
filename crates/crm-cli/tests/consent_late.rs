//! `crm consent due`, `run`, `report` and `prove` say the same of a copy, and end with codes that say
//! the same.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{Service, stdout};
use crm_sandbox::{NewContact, StoredPreferences};
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
    // So it has on the page of the set that turns it off, also beside one that was there at the wish.
    let (ran, code) = answer(&service, "consent run");
    assert_eq!((&ran["outcome"], code), (&json!("done"), 0), "{ran}");
    let csv = std::fs::read_to_string(ran["sets"][0]["evidence"][1].as_str().unwrap()).unwrap();
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
