//! `crm consent prove`: what was wished of a number, what was done, and what a stranger can check.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{fs, process};

use common::{Service, stderr, stdout};
use crm_consent::Sha;
use serde_json::Value;

/// A contact of the demo data that receives marketing.
fn receiving(service: &Service) -> (String, String) {
    let contacts = service.json("customer-contacts list 1001");
    let mut all = contacts.as_array().unwrap().iter();
    let on = |contact: &&Value| contact["preferences"]["marketingUpdatesEnabled"] == true;
    let contact = all.find(on).unwrap();
    (contact["id"].to_string(), contact["value"].as_str().unwrap().to_owned())
}

fn write(service: &Service, name: &str, text: &str) {
    fs::write(service.home.path().join(name), text).unwrap();
}

/// What a proof says, and with which code it ends.
fn proof(service: &Service, value: &str, code: i32, more: &[&str]) -> Value {
    let mut line = vec!["consent", "prove", value, "--output", "json"];
    line.extend(more);
    serde_json::from_str(&stdout(&service.crm(&line).assert().code(code))).unwrap()
}

fn copy<'a>(proof: &'a Value, id: &str) -> &'a Value {
    let mut copies = proof["copies"].as_array().unwrap().iter();
    copies.find(|copy| copy["contactId"] == id).unwrap_or_else(|| panic!("{id} in {proof}"))
}

/// A number that was out by a list, and was turned off by a set.
fn turned_off(service: &Service) -> (String, String) {
    let (id, value) = receiving(service);
    write(service, "march.csv", &format!("phone,status,received\n{value},STOP,2026-11-23\n"));
    service.crm("consent import march.csv --by dana").assert().code(0);
    service.ok("mirror update");
    write(service, "list.csv", &format!("value\n{value}\n"));
    service.ok("opt-out list.csv");
    service.ok("apply opt-out --yes");
    (id, value)
}

#[test]
fn a_proof_has_who_what_when_where_from_and_what_was_done() {
    let service = Service::start();
    let (id, value) = turned_off(&service);
    // However it is written.
    let digits: String = value.chars().filter(char::is_ascii_digit).collect();
    let told = proof(&service, &format!("+1 {digits}"), 0, &[]);
    assert_eq!(
        (&told["marketing"]["wish"], &told["check"]["fault"]),
        (&"out".into(), &Value::Null)
    );
    let wish = &told["wishes"][0];
    assert_eq!((&wish["words"], &wish["received"]), (&"status: STOP".into(), &"2026-11-23".into()));
    assert_eq!((&wish["takenBy"], &wish["value"]), (&"dana".into(), &Value::from(value.as_str())));
    let came = &wish["came"][0];
    assert_eq!((&came["file"], &came["row"]), (&"march.csv".into(), &2.into()));
    let list = fs::read(service.home.path().join("march.csv")).unwrap();
    assert_eq!(came["sha256"], Sha::of(&list).to_string());

    let copy = copy(&told, &id);
    assert_eq!(
        (&copy["verdict"], &copy["clock"]["lastDay"]),
        (&"in-time".into(), &"2026-12-08".into())
    );
    let event = &copy["events"][0];
    let through = event["through"].as_str().unwrap();
    assert!(through.contains("opt-out-list-csv"), "{event}");
    assert_eq!(
        (&event["change"], &event["state"]),
        (&"marketing: on → off".into(), &"done".into())
    );
    assert_eq!(event["undone"], false);
    let kinds: Vec<_> =
        told["copies"].as_array().unwrap().iter().map(|copy| &copy["ownerKind"]).collect();
    for kind in ["customer", "location", "person"] {
        assert!(kinds.contains(&&Value::from(kind)), "{kind} in {kinds:?}");
    }
    let text = service.ok(&["consent", "prove", &value]);
    for part in [
        "out, by record 4",
        "\"status: STOP\"",
        "march.csv",
        "in time",
        "not covered: Whether a number",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[test]
fn what_others_did_since_shows_when_the_service_is_asked() {
    let service = Service::start();
    let (id, value) = turned_off(&service);
    let told = proof(&service, &value, 0, &["--verify"]);
    assert_eq!(copy(&told, &id)["now"]["found"], "no-marketing");

    // Without the desk: somebody else did it.
    service.ok(&format!(
        "customer-contacts update 1001 {id} --marketing-updates on --yes --no-record \
         --override-consent 'asked for it'"
    ));
    let unasked = proof(&service, &value, 0, &[]);
    assert_eq!(copy(&unasked, &id)["verdict"], "in-time");
    let kinds = unasked["acts"].as_array().unwrap().iter();
    let kinds: Vec<_> = kinds.map(|act| (&act["kind"], &act["reason"])).collect();
    assert_eq!(kinds, [(&"override".into(), &"asked for it".into())]);
    let told = proof(&service, &value, 0, &["--verify"]);
    let on = copy(&told, &id);
    assert_eq!((&on["now"]["found"], &on["again"]), (&"marketing".into(), &true.into()));
    assert_eq!(on["verdict"], "open", "its last day is not over: {on}");
    assert!(on["says"].as_str().unwrap().starts_with("Receives marketing again"), "{on}");
}

#[test]
fn a_copy_that_is_created_again_has_its_own_clock_and_is_open_until_it_is_turned_off() {
    let service = Service::start();
    let (id, value) = turned_off(&service);
    service.ok(&format!("customer-contacts delete 1001 {id} --yes"));
    let made = service.json(&[
        "customer-contacts",
        "create",
        "1001",
        "--type",
        "Phone",
        "--value",
        &value,
        "--yes",
    ]);
    let again = made["id"].to_string();
    service
        .crm(&format!(
            "customer-contacts update 1001 {again} --marketing-updates on --unknown-flags off --yes \
             --override-consent 'to see it'"
        ))
        .assert()
        .success();
    service.ok("mirror update");
    let told = proof(&service, &value, 0, &[]);
    assert_eq!(copy(&told, &id)["verdict"], "gone");
    let open = copy(&told, &again);
    assert_eq!(
        (&open["verdict"], &open["clock"]["ofCopy"]),
        (&"open".into(), &true.into()),
        "{open}"
    );

    service.ok("opt-out list.csv --out again.crm");
    service.ok("apply again.crm --yes");
    let told = proof(&service, &value, 0, &[]);
    assert_eq!(copy(&told, &again)["verdict"], "in-time");

    // Gone, it keeps the time of its own.
    service.ok(&format!("customer-contacts delete 1001 {again} --yes"));
    service.ok("mirror update");
    let told = proof(&service, &value, 0, &[]);
    let gone = copy(&told, &again);
    assert_eq!((&gone["verdict"], &gone["clock"]["ofCopy"]), (&"gone".into(), &true.into()));
    assert_eq!(gone["created"], open["created"]);
}

#[test]
fn what_was_late_taken_back_or_undone_is_told() {
    let service = Service::start();
    let (id, value) = receiving(&service);
    write(&service, "old.csv", &format!("phone,status,received\n{value},STOP,2026-01-05\n"));
    service.crm("consent import old.csv").assert().code(0);
    write(&service, "list.csv", &format!("value\n{value}\n"));
    service.ok("mirror update");
    let open = proof(&service, &value, 10, &[]);
    assert_eq!(copy(&open, &id)["verdict"], "overdue");
    service.ok("opt-out list.csv --out out.crm");
    service.ok("apply out.crm --yes");
    let late = proof(&service, &value, 10, &[]);
    let copied = copy(&late, &id);
    assert_eq!(copied["verdict"], "late");
    assert!(copied["daysLate"].as_u64().unwrap() > 300, "{copied}");

    service.ok("consent retract 1 --reason \"last year's list\"");
    // What the set was made of came into the ledger as well.
    service.ok("consent retract 3 --reason 'with it'");
    let taken_back =
        "No wish to be left alone counts for marketing: that of record 4 was taken back.";
    let told = proof(&service, &value, 0, &[]);
    let says = &copy(&told, &id)["says"];
    assert_eq!(*says, format!("{taken_back} It receives no marketing all the same."));
    service.ok("undo out.crm --out back.crm");
    service.ok("apply back.crm --yes");
    let told = proof(&service, &value, 0, &[]);
    assert_eq!(
        (&told["marketing"]["wish"], &told["wishes"][0]["retracted"]),
        (&Value::Null, &true.into())
    );
    assert_eq!(told["wishes"][0]["came"][0]["retractedBy"], told["acts"][0]["record"]);
    let copied = copy(&told, &id);
    assert_eq!(
        (&copied["verdict"], &copied["events"][0]["undone"]),
        (&"no-wish".into(), &true.into())
    );
    assert_eq!(copied["says"], format!("{taken_back} It receives marketing."));
}

#[test]
fn a_value_without_a_wish_has_a_code_of_its_own_and_an_altered_ledger_too() {
    let service = Service::start();
    let (_, value) = receiving(&service);
    service.crm(&["consent", "prove", &value]).assert().code(2);
    service.ok("consent add 8185550199 --said STOP");
    let told = service.crm(&["consent", "prove", &value]).assert().code(9);
    assert!(stderr(&told).contains("no wish of it"), "{}", stderr(&told));
    service.crm("consent prove 'front desk'").assert().code(2);
    service.crm("consent prove 555-0142").assert().code(2);

    let desks = service.home.path().join(".local/share/crm/desks");
    let desk = fs::read_dir(desks).unwrap().next().unwrap().unwrap().path();
    let ledger = rusqlite::Connection::open(desk.join("ledger.db")).unwrap();
    ledger.execute_batch("UPDATE records SET by = 'somebody'").unwrap();
    let told = proof(&service, "8185550199", 10, &[]);
    assert_eq!(told["check"]["fault"], "record 1 was altered");
}

#[test]
fn the_nightly_run_shows_with_its_set_and_its_members_have_their_names() {
    let service = Service::start();
    let (id, value) = receiving(&service);
    service.ok(&["consent", "add", &value, "--said", "STOP"]);
    service.ok("--yes consent run");
    let told = proof(&service, &value, 0, &[]);
    let copied = copy(&told, &id);
    assert_eq!(copied["verdict"], "in-time");
    assert!(copied["events"][0]["through"].as_str().unwrap().ends_with("-consent"), "{copied}");
    let names = |of: &Value| {
        let mut names: Vec<_> = of.as_object().unwrap().keys().cloned().collect();
        names.sort_unstable();
        names.join(" ")
    };
    // Programs read these: one that goes or is called otherwise is a breaking change.
    assert_eq!(
        names(&told),
        "acts allKinds asked chain chainLeftOut check clock clockOfAllKinds copies digest head key keys madeAt madeBy \
         marketing mayBe mirrorKnownAt notCovered policies records seals server tenant unsealed version wishes"
    );
    assert_eq!(
        names(copied),
        "again arrival clock contactId created daysLate doNotText earlier events isExact now off otherKinds \
         ownerId ownerKind ownerName says since untilGone value verdict"
    );
    assert_eq!(
        names(&told["wishes"][0]),
        "came honoured import key place received receivedBetween record recordedAt recordedBy retracted row scope \
         takenBy value wish words"
    );
    assert_eq!(names(&told["records"][0]), "commitment hash kind number over personal");
}

#[test]
fn a_value_that_was_removed_still_has_its_proof_which_says_so() {
    let service = Service::start();
    let (_, value) = turned_off(&service);
    service.ok(&["--yes", "consent", "redact", &value, "--reason", "Ada asked for it"]);
    let told = proof(&service, &value, 0, &["--html", "proof.html"]);
    assert_eq!(
        (&told["marketing"]["wish"], &told["acts"][0]["kind"]),
        (&"out".into(), &"redaction".into())
    );
    let wish = &told["wishes"][0];
    assert_eq!(
        (&wish["value"], &wish["words"], &wish["takenBy"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
    assert_eq!(wish["came"][0]["file"], "march.csv");
    let page = fs::read_to_string(service.home.path().join("proof.html")).unwrap();
    for part in ["what there was is removed", "Ada asked for it", told["digest"].as_str().unwrap()]
    {
        assert!(page.contains(part), "{part}");
    }
}

/// What the shell prints for the lines of the book.
fn by_hand(service: &Service) -> Vec<String> {
    let book = include_str!("../../../docs/src/consent.md");
    let section = book.split("## A proof by hand").nth(1).unwrap();
    let block = section.split("```").nth(1).unwrap().strip_prefix("sh\n").unwrap();
    let mut shell = process::Command::new("sh");
    let shell = shell.current_dir(service.home.path()).args(["-euc", block]).output().unwrap();
    assert!(shell.status.success(), "{}", String::from_utf8_lossy(&shell.stderr));
    String::from_utf8(shell.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn the_page_states_its_data_and_a_stranger_follows_the_book_from_it_to_the_end_of_the_ledger() {
    let service = Service::start();
    let (_, value) = turned_off(&service);
    for n in 0..5 {
        service.ok(&format!("consent add 818555014{n} --said STOP"));
    }
    service.ok(&["consent", "prove", &value, "--html", "proof.html"]);
    let page = fs::read_to_string(service.home.path().join("proof.html")).unwrap();
    for part in ["Who said what", "march.csv", "What this does not cover", "doNotText", "in time"] {
        assert!(page.contains(part), "{part}");
    }
    assert!(!page.contains("src=") && !page.contains("@import"), "it loads nothing");
    let file = service.home.path().join("proof.html.json");
    let json = fs::read_to_string(&file).unwrap();
    let sha = Sha::of(json.as_bytes()).to_string();
    assert!(page.contains(&sha), "the page states another hash of its data");

    if ["jq", "sha256sum"]
        .iter()
        .any(|tool| process::Command::new(tool).arg("--version").output().is_err())
    {
        println!("skipped: this machine has no jq or no sha256sum");
        return;
    }
    let told: Value = serde_json::from_str(&json).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let [wish, head] = [&told["records"][1], &told["head"]];
    let made = [&wish["hash"], &wish["commitment"], &head["hash"]].map(text);
    assert_eq!(by_hand(&service), made);

    // One word of one record, and the shell says so.
    let out = r#"\"wish\":\"out\""#;
    assert!(json.contains(out));
    fs::write(&file, json.replace(out, r#"\"wish\":\"in\""#)).unwrap();
    let lines = by_hand(&service);
    assert!(lines.iter().any(|line| line.contains("is not the one that was there")), "{lines:?}");
    assert_ne!(lines[0], made[0]);
}

#[test]
fn a_wish_that_no_seal_covers_is_named() {
    let service = Service::start();
    let (_, value) = turned_off(&service);
    service.ok("consent key --new key.pem");
    service.ok("consent seal --key key.pem");
    let quoted = format!("'{value}'");
    service.ok(&format!("consent prove {quoted} --html sealed.html"));
    let page = fs::read_to_string(service.home.path().join("sealed.html")).unwrap();
    assert!(page.contains("This seal is over all wishes above, and all that decides"), "{page}");
    service.ok(&format!("consent add {quoted} --said STOP --at 2026-11-25"));
    let expected = "No seal covers record 7 yet; the last is over 5 of 7 records.";
    let told = service.ok(&format!("consent prove {quoted} --html late.html --output table"));
    assert!(told.is_empty(), "{told}");
    let page = fs::read_to_string(service.home.path().join("late.html")).unwrap();
    assert!(page.contains(expected), "{page}");
    let text = service.ok(&format!("consent prove {quoted}"));
    assert!(text.contains(expected), "{text}");
    let json = proof(&service, &value, 0, &[]);
    assert_eq!(json["unsealed"], serde_json::json!([7]));
    // What was taken back decides, and so does a key that nobody has handed over to.
    service.ok("consent seal --key key.pem");
    service.ok("consent retract 7 --reason 'a mistake'");
    let json = proof(&service, &value, 0, &["--html", "late.html"]);
    assert_eq!(json["unsealed"], serde_json::json!([9]));
    let page = fs::read_to_string(service.home.path().join("late.html")).unwrap();
    assert!(page.contains("No seal covers record 9 yet"), "{page}");
}

/// Has another policy hold from now on, with one line of it otherwise.
fn set_policy(service: &Service, from: &str, to: &str) {
    let text = crm_consent::Policy::default().text().to_owned();
    assert!(text.contains(from), "{from}");
    write(service, "policy.toml", &text.replacen(from, to, 1));
    service.ok("consent policy --set policy.toml");
}

#[test]
fn a_later_policy_makes_no_wish_less_late_and_both_last_days_are_told() {
    let service = Service::start();
    let (id, value) = receiving(&service);
    service.ok(&["consent", "add", &value, "--said", "STOP", "--at", "2026-01-05"]);
    service.ok("mirror update");
    set_policy(&service, "business-days = 10", "business-days = 6000");
    let told = proof(&service, &value, 10, &["--html", "proof.html"]);
    let clock = &copy(&told, &id)["clock"];
    assert_eq!(clock["lastDay"], "2026-01-20");
    assert_eq!(
        (&clock["businessDays"], &clock["timeZone"]),
        (&10.into(), &"America/New_York".into())
    );
    assert_eq!(clock["holidays"][0]["name"], "Birthday of Martin Luther King, Jr.");
    assert_eq!((&clock["atTheWish"], &clock["policy"]), (&true.into(), &Value::Null));
    assert_eq!(
        (&clock["otherwise"]["policy"], &clock["otherwise"]["today"]),
        (&2.into(), &true.into())
    );
    assert_eq!(clock["policySha256"], told["policies"][0]["sha256"]);
    assert_eq!(told["policies"][1]["businessDays"], 6000);
    assert!(copy(&told, &id)["daysLate"].as_u64().unwrap() > 300);
    let text = stdout(&service.crm(&["consent", "prove", &value]).assert().code(10));
    let two = "Two policies give two last days: 2026-01-20 by the policy in force at the wish (the \
               default), and ";
    let counted = "10 business days after 2026-01-05, weekends and Birthday of Martin Luther King, Jr. \
                   (2026-01-19) left out; a day is one of America/New_York";
    for part in [two, counted] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let page = fs::read_to_string(service.home.path().join("proof.html")).unwrap();
    for part in [two, counted, "47 CFR 64.1200(a)(10)", "As of 2026-11-29", "6000 business days"] {
        assert!(page.contains(part), "{part}");
    }

    let due = service.crm("consent due --output json").assert().code(10);
    let note = stderr(&due);
    let due: Value = serde_json::from_str(&stdout(&due)).unwrap();
    assert_eq!(due[0]["deadline"], "2026-01-20");
    assert!(due[0]["otherDeadline"].is_string() && note.contains("two last days"), "{note}");

    service.crm("--yes consent run").assert().code(10);
    let report = "consent report --from 2026-01-01 --output";
    let told = service.crm(&format!("{report} json")).assert().code(10);
    let told: Value = serde_json::from_str(&stdout(&told)).unwrap();
    let off = &told["turnedOff"];
    let of = |name: &str| off[name].as_u64().unwrap();
    assert!(of("late") > 0 && of("policiesDiffer") == of("late") + of("notShown"), "{off}");
    let lines = stdout(&service.crm(&format!("{report} csv")).assert().code(10));
    assert!(lines.contains("2026-01-20") && lines.starts_with("entry,at,by,"), "{lines}");
    assert!(lines.lines().next().unwrap().contains("otherLastDay,otherPolicy"), "{lines}");
}

#[test]
fn what_a_plan_read_of_contact_methods_is_known() {
    let service = Service::start();
    let (_, value) = receiving(&service);
    service.ok(&["consent", "add", &value, "--said", "STOP"]);
    service.ok("consent plan");
    let told = proof(&service, &value, 0, &[]);
    let methods = told["copies"].as_array().unwrap().iter();
    let methods: Vec<_> = methods.filter(|copy| copy["ownerKind"] == "person").collect();
    assert!(!methods.is_empty());
    for method in methods {
        assert_ne!(method["verdict"], "unknown", "{method}");
    }
}

#[test]
fn a_list_that_was_taken_back_names_its_sets_and_they_name_it() {
    let service = Service::start();
    let (_, value) = receiving(&service);
    write(&service, "wrong.csv", &format!("phone,status,received\n{value},STOP,2026-01-05\n"));
    service.ok("consent add 8185550199 --said STOP");
    service.ok("mirror update");
    service.ok("opt-out wrong.csv");
    service.ok("apply opt-out --yes");
    let page = |of: &str| {
        // A page replaces only that of the same set.
        service.ok(&format!("report {of} --html {of}.html"));
        fs::read_to_string(service.home.path().join(format!("{of}.html"))).unwrap()
    };
    let before = page("opt-out");
    // The Birthday of Martin Luther King is no business day.
    // The number of somebody who was created later has more time.
    assert!(before.contains("the day of each copy, the first of them 2026-01-20 ("), "{before}");
    assert!(before.contains("as the consent ledger counts") && before.contains("entry late"));
    assert!(before.contains(" were open then"), "{before}");

    let told = service.crm("consent retract 2 --reason \"last year's list\"").assert().code(0);
    let told = stderr(&told);
    assert!(told.contains("opt-out-wrong-csv turned off 2 copies for it: `crm undo"), "{told}");
    let why = "import 2 (wrong.csv), which was taken back by record 4 on ";
    let page_of = page("opt-out-wrong");
    assert!(page_of.contains(why) && !page_of.contains("entry late"), "{page_of}");
    let shown = stderr(&service.crm("show opt-out-wrong").assert().code(0));
    assert!(shown.contains(why) && shown.contains("last year's list"), "{shown}");
    let undo = service.ok("undo opt-out-wrong --out back.crm");
    assert!(undo.contains(why), "{undo}");
    assert!(page("back.crm").contains(why));
    service.ok("apply back.crm --yes");
}

/// The sentences of the copies of a value in a proof.
fn says(proof: &Value, id: &str) -> String {
    copy(proof, id)["says"].as_str().unwrap().to_owned()
}

#[test]
fn a_copy_that_was_late_until_it_went_stays_late() {
    for go in ["delete 1001 {id} --yes", "update 1001 {id} --value 8185550177 --yes"] {
        let service = Service::start();
        let (id, value) = receiving(&service);
        service.ok(&["consent", "add", &value, "--said", "STOP", "--at", "2026-01-05"]);
        service.ok("mirror update");
        service.ok(&format!("customer-contacts {}", go.replace("{id}", &id)));
        service.ok("mirror update");
        let told = proof(&service, &value, 10, &["--html", "proof.html"]);
        let gone = copy(&told, &id);
        assert_eq!(gone["verdict"], "late-until-gone", "{go}: {gone}");
        assert!(gone["daysLate"].as_u64() > Some(300), "{gone}");
        assert!(says(&told, &id).contains("it received marketing until"), "{gone}");
        let page = fs::read_to_string(service.home.path().join("proof.html")).unwrap();
        assert!(page.contains("late until"), "{page}");
        let report = "consent report --from 2026-01-01 --output json";
        let told = stdout(&service.crm(report).assert().code(10));
        let told: Value = serde_json::from_str(&told).unwrap();
        assert_eq!(told["turnedOff"]["lateUntilGone"], 1, "{go}: {}", told["turnedOff"]);
    }
}

#[test]
fn of_a_copy_that_was_off_before_it_went_nothing_says_that_it_received_marketing_until_then() {
    let service = Service::start();
    let off = service.json("location-contacts get 2001 3002");
    let value = off["value"].as_str().unwrap();
    let (id, on) = receiving(&service);
    for value in [value, &on] {
        service.ok(&["consent", "add", value, "--said", "STOP", "--at", "2026-01-05"]);
    }
    service.crm("--yes consent run").assert().code(10);
    service.ok("location-contacts delete 2001 3002 --yes");
    service.ok(&format!("customer-contacts delete 1001 {id} --yes"));
    service.ok("mirror update");
    let told = service.crm(&["consent", "prove", value]).assert();
    let told = stdout(&told);
    assert!(told.contains("Has it no longer") && !told.contains("it received"), "{told}");
    let told = proof(&service, &on, 10, &[]);
    let done = copy(&told, &id)["events"][0]["at"].as_str().unwrap();
    let until = copy(&told, &id)["untilGone"]["until"].as_str().unwrap();
    assert_eq!(until, done, "until the run and not until the deletion: {told}");
}

#[test]
fn each_time_in_which_a_value_was_out_is_judged_by_itself() {
    let service = Service::start();
    let (id, value) = receiving(&service);
    let add = |said: &str, at: &str| {
        service.ok(&["consent", "add", &value, "--said", said, "--at", at]);
    };
    add("STOP", "2026-01-05T10:00:00-05:00");
    service.ok("mirror update");
    // The last day was 01-20.
    add("START", "2026-01-28T10:00:00-05:00");
    let told = proof(&service, &value, 0, &[]);
    let copied = copy(&told, &id);
    assert_eq!((&copied["verdict"], &copied["daysLate"]), (&"no-wish".into(), &0.into()));
    assert_eq!(copied["earlier"][0]["daysLate"], 8, "{copied}");
    assert!(says(&told, &id).contains("8 days after the last day"), "{copied}");
    add("STOP", "2026-11-27T10:00:00-05:00");
    let told = proof(&service, &value, 0, &["--html", "proof.html"]);
    let copied = copy(&told, &id);
    assert_eq!((&copied["verdict"], &copied["clock"]["record"]), (&"open".into(), &3.into()));
    assert_eq!(copied["earlier"][0]["daysLate"], 8, "{copied}");
    let page = fs::read_to_string(service.home.path().join("proof.html")).unwrap();
    assert!(page.contains("8 days after the last day"), "{page}");
    let report = service.json("consent report --from 2026-01-01");
    assert!(report["earlier"]["late"].as_u64() > Some(0), "{}", report["earlier"]);
}

#[test]
fn of_a_wish_without_a_date_nothing_is_in_time() {
    let service = Service::start();
    let (id, value) = receiving(&service);
    service.ok(&["consent", "add", &value, "--said", "STOP", "--at-unknown"]);
    service.ok("--yes consent run");
    let told = proof(&service, &value, 0, &[]);
    assert_eq!(copy(&told, &id)["verdict"], "wish-undated", "{}", copy(&told, &id));
    assert!(told["notCovered"].to_string().contains("nobody knows when the wish"), "{told}");
}

/// What a proof's page says of a value.
fn page_of(service: &Service, value: &str) -> String {
    service.crm(&["consent", "prove", value, "--html", "proof.html"]).assert().success();
    fs::read_to_string(service.home.path().join("proof.html")).unwrap()
}

#[test]
fn a_page_says_in_which_zone_a_time_without_one_was_read() {
    let service = Service::start();
    for (at, zone) in [
        ("2026-10-08", Some("a day without a time, read as one of America/New_York: between")),
        ("2026-10-08 09:00", Some("a time without a zone, read as one of America/New_York")),
        ("2026-10-08T09:00:00-08:00", None),
    ] {
        let address = format!("ada{}@site.example", at.len());
        service.ok(&["consent", "add", &address, "--said", "STOP", "--at", at]);
        let page = page_of(&service, &address);
        match zone {
            Some(zone) => assert!(page.contains(zone), "{zone}: {page}"),
            None => assert!(!page.contains("read as one of"), "{page}"),
        }
    }
}

#[test]
fn a_page_says_of_a_wish_that_was_taken_back_nothing_as_if_it_counted() {
    let service = Service::start();
    let (_, value) = receiving(&service);
    write(&service, "wrong.csv", &format!("phone,status,received\n{value},STOP,2026-11-23\n"));
    service.ok("consent import wrong.csv");
    service.ok(&["--yes", "consent", "redact", &value, "--reason", "Ada asked for it"]);
    assert!(page_of(&service, &value).contains("its wish still counts"));
    service.ok("consent retract 1 --reason 'last year'");
    let page = page_of(&service, &value);
    assert!(page.contains("the wish that is recorded was taken back, as told below."), "{page}");
    assert!(!page.contains("its wish still counts"), "{page}");
}

#[test]
fn what_was_heeded_in_time_before_somebody_came_back_is_told() {
    let service = Service::start();
    let (id, value) = turned_off(&service);
    service.ok(&["consent", "add", &value, "--said", "START"]);
    let told = proof(&service, &value, 0, &[]);
    let says = says(&told, &id);
    assert!(
        says.contains("After the earlier wish of record 2: Marketing turned off on "),
        "{says}"
    );
    assert!(says.contains(", in time: the last day was 2026-12-08."), "{says}");
}

#[test]
fn a_page_says_of_a_copy_that_was_deleted_or_created_that_it_was() {
    let service = Service::start();
    let (id, value) = turned_off(&service);
    service.ok(&format!("customer-contacts delete 1001 {id} --yes"));
    let page = page_of(&service, &value);
    assert!(page.contains("Deleted: "), "{page}");
}
