//! `crm consent`: the ledger of an account's desk.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{fs, path::PathBuf};

use common::{Service, cut_off, stderr, stdout};
use rusqlite::Connection;
use serde_json::Value;

/// The desk of the only account that has one.
fn desk(service: &Service) -> PathBuf {
    let desks = service.home.path().join(".local/share/crm/desks");
    let mut all: Vec<_> = fs::read_dir(desks).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

fn write(service: &Service, name: &str, text: &str) {
    fs::write(service.home.path().join(name), text).unwrap();
}

/// A contact of the demo data that receives marketing.
fn receiving(service: &Service) -> Value {
    let contacts = service.json("customer-contacts list 1001");
    let all = contacts.as_array().unwrap();
    let on = |contact: &&Value| contact["preferences"]["marketingUpdatesEnabled"] == true;
    all.iter().find(on).unwrap().clone()
}

#[test]
fn a_list_gets_a_verdict_for_each_row_and_what_cannot_be_read_is_to_be_mended() {
    let service = Service::start();
    let list = "phone,status,received\n8185550142,STOP,2026-11-23\n8185550143,subscribed,2026-11-23\n\
                8185550144,pending,2026-11-23\nfront desk,STOP,2026-11-23\n";
    write(&service, "list.csv", list);
    let ended = service.crm("consent import list.csv --by dana --output csv").assert().code(10);
    let told = stdout(&ended);
    for line in [
        "list.csv,2,phone,out,",
        "list.csv,3,phone,in,",
        "list.csv,4,phone,neither,",
        "list.csv,5,,unreadable,",
    ] {
        assert!(told.contains(line), "{line} in {told}");
    }
    assert!(
        stderr(&ended).contains("phone: numbers, status: status, received: when it was received"),
        "{}",
        stderr(&ended)
    );
    let mend = service.home.path().join("list.mend.csv");
    assert!(fs::read_to_string(&mend).unwrap().contains("front desk"));

    let known = service.crm("consent import list.csv").assert().code(10);
    assert!(stdout(&known).contains("0 new, 2 known"), "{}", stdout(&known));
    assert!(service.home.path().join("list.mend-2.csv").exists(), "none is replaced");

    service.crm("consent status 818-555-0142").assert().code(10);
    service.crm("consent status 818-555-0143").assert().code(0);
    let may: Value = serde_json::from_str(&stdout(
        &service.crm("consent status 818-555-0142 --output json").assert().code(10),
    ))
    .unwrap();
    assert_eq!((&may["may"], &may["heard"][0]["takenBy"]), (&Value::Bool(false), &"dana".into()));
    let export = service.ok("consent export");
    assert_eq!(export, "value,kind,status,received,record\n18185550142,phone,out,2026-11-23,2\n");
}

#[test]
fn what_is_not_read_of_a_list_and_what_its_name_speaks_against_are_told() {
    let service = Service::start();
    let list = "contact_id,correlation_id,sender_id,status,source,date_of_consent\n\
                +18185550142,c1,s1,opt-out,web form,2026-11-23T10:30:00Z\n";
    write(&service, "cleaned_1.csv", list);
    let ended = service.crm("consent import cleaned_1.csv --output json").assert().code(0);
    let told: Value = serde_json::from_str(&stdout(&ended)).unwrap();
    let of = |verdict: &str| {
        let rows = told.as_array().unwrap().iter().filter(|row| row["verdict"] == verdict);
        rows.map(|row| row["column"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(of("not-read"), ["correlation_id", "sender_id"]);
    assert_eq!(of("out"), ["contact_id"]);
    for note in
        ["columns that are not read: correlation_id, sender_id", "has other people than it says"]
    {
        assert!(stderr(&ended).contains(note), "{note} in {}", stderr(&ended));
    }
    let heard = service.crm("consent status 8185550142").assert().code(10);
    assert!(stdout(&heard).contains("web form"), "{}", stdout(&heard));
    write(&service, "today.csv", "phone,status\n");
    let told = service.ok("consent import today.csv");
    assert!(told.contains("a header and no rows"), "{told}");
}

#[test]
fn a_list_that_says_nothing_is_refused_until_somebody_says_what_it_means() {
    let service = Service::start();
    write(&service, "numbers.csv", "phone\n8185550142\n");
    let refused = service.crm("consent import numbers.csv").assert().code(2);
    assert!(stderr(&refused).contains("--says out"), "{}", stderr(&refused));
    assert!(stderr(&service.crm("consent check").assert().code(0)).is_empty());
    let told = service.ok("consent import numbers.csv --says out");
    assert!(told.contains("1 out, 0 in") && told.contains("import 1"), "{told}");
    service.ok("consent retract 1 --reason 'the wrong list'");
    service.crm("consent status 8185550142").assert().code(0);
    service.crm("consent retract 1 --reason again").assert().code(2);
}

#[test]
fn a_single_wish_is_taken_by_its_keyword_or_by_what_somebody_says_it_means() {
    let service = Service::start();
    let none = service.crm("consent status 8185550142").assert().code(2);
    assert!(stderr(&none).contains("no consent ledger"), "{}", stderr(&none));
    service.ok("consent add 8185550142 --said STOP --at 2026-11-23T10:30:00Z --by dana");
    let again = service.ok("consent add '(818) 555-0142' --said stop --at 2026-11-23T10:30:00Z");
    assert!(again.contains("there already"), "{again}");
    service.crm("consent add ada@site.example --said 'no more please'").assert().code(2);
    service.ok("consent add ada@site.example --said 'no more please' --wish out");
    service.crm("consent status Ada@SITE.example").assert().code(10);
    // Later than the wish to be left alone.
    service.ok("consent add 8185550142 --said START");
    service.crm("consent status 8185550142").assert().code(0);
    service.crm("consent add 8185550142 --said STOP --at 2999-01-01").assert().code(2);
}

#[test]
fn a_ledger_that_was_altered_is_told_with_the_record() {
    let service = Service::start();
    for n in 0..5 {
        service.ok(&format!("consent add 818555014{n} --said STOP"));
    }
    let told = service.ok("consent check");
    let head = told.lines().last().unwrap();
    assert!(head.starts_with("5:"), "{told}");
    let ledger = Connection::open(desk(&service).join("ledger.db")).unwrap();
    ledger.execute_batch("DELETE FROM records WHERE number = 3").unwrap();
    let told = service.crm("consent check").assert().code(10);
    assert!(stdout(&told).contains("record 3 was removed"), "{}", stdout(&told));
    cut_off(&ledger, 2);
    service.ok("consent check");
    let told = service.crm(&format!("consent check --against {head}")).assert().code(10);
    assert!(stdout(&told).contains("record 3 and all that followed were cut off"));
}

/// As where `grep -q` has found what it looks for: the code alone says that nobody may be written to.
#[cfg(unix)]
#[test]
fn the_code_says_may_i_also_where_nobody_reads_the_answer() {
    let service = Service::start();
    service.ok("consent add 8185550199 --said STOP");
    for line in ["consent status 8185550199", "--output json consent status 8185550199"] {
        let (unread, answer) = std::io::pipe().unwrap();
        drop(unread);
        let status = service.process(line).stdout(answer).status().unwrap();
        assert_eq!(status.code(), Some(10), "{line}");
    }
}

#[test]
fn an_opt_out_in_a_desk_with_a_ledger_writes_into_it() {
    let service = Service::start();
    let value = receiving(&service)["value"].as_str().unwrap().to_owned();
    write(&service, "numbers.csv", &format!("value\n{value}\n"));
    service.ok("opt-out numbers.csv --without-people");
    assert!(!desk(&service).join("ledger.db").exists(), "nobody began one");

    service.ok("consent add 8185550199 --said STOP");
    service.ok("opt-out numbers.csv --without-people");
    service.crm(&["consent", "status", &value]).assert().code(10);
    // What comes on stdin is read for both.
    let stdin = "value\n2135550177\n";
    service.crm("opt-out - --without-people").write_stdin(stdin).assert().code(0);
    service.crm("consent status 2135550177").assert().code(10);
    service.ok("consent check");
}

#[test]
fn a_ledger_that_begins_says_which_lists_it_does_not_have() {
    let service = Service::start();
    write(&service, "list.csv", "phone\n8185550142\n");
    service.crm("opt-out list.csv").assert().success();
    let add = |number: &str| {
        let line = format!("consent add {number} --said STOP --by dana");
        stderr(&service.crm(&line).assert().success())
    };
    let before = "begins without the lists of 1 earlier set of this desk";
    let first = add("8185550143");
    assert!(first.contains(before), "{first}");
    let second = add("8185550144");
    assert!(!second.contains(before), "{second}");
}

#[test]
fn what_is_due_is_told_until_it_is_done() {
    let service = Service::start();
    let contact = receiving(&service);
    let value = contact["value"].as_str().unwrap();
    service.ok(&["consent", "add", value, "--said", "STOP", "--at", "2026-01-05"]);
    let none = service.crm("consent due").assert().code(2);
    assert!(stderr(&none).contains("crm mirror update"), "{}", stderr(&none));
    service.ok("mirror update");
    let due: Value =
        serde_json::from_str(&stdout(&service.crm("consent due --output json").assert().code(10)))
            .unwrap();
    let of = |id: &Value| due.as_array().unwrap().iter().any(|due| due["contactId"] == *id);
    assert!(of(&contact["id"]), "{due}");
    assert_eq!(due[0]["deadline"], "2026-01-20", "ten business days, without that of Dr. King");

    write(&service, "list.csv", &format!("value\n{value}\n"));
    service.ok("opt-out list.csv --out list.crm");
    service.ok("apply list.crm --yes");
    service.ok("mirror update");
    let left = service.ok("consent due --output json");
    assert_eq!(left.trim(), "[]");
}

#[test]
fn another_policy_holds_once_it_is_set() {
    let service = Service::start();
    let text = service.ok("consent policy");
    assert!(text.contains("47 CFR 64.1200"), "{text}");
    write(&service, "policy.toml", &text.replace("business-days = 10", "business-days = 3"));
    service.ok("consent add 8185550142 --said STOP");
    service.ok("consent policy --set policy.toml");
    assert!(service.ok("consent policy").contains("business-days = 3"));
    write(&service, "none.toml", "name = 'x'\n");
    service.crm("consent policy --set none.toml").assert().code(2);
    service.ok("consent check");
}

#[test]
fn a_copy_of_the_desk_has_the_ledger_and_forgetting_leaves_it() {
    let service = Service::start();
    service.ok("consent add 8185550142 --said STOP");
    service.ok("desk backup copy");
    assert!(service.home.path().join("copy/ledger.db").exists());
    let forgotten = service.crm("desk forget 8185550142").assert().code(0);
    assert!(stderr(&forgotten).contains("consent ledger keeps"), "{}", stderr(&forgotten));
    service.crm("consent status 8185550142").assert().code(10);
}

#[test]
fn what_is_redacted_is_in_no_list_and_the_wish_stands() {
    let service = Service::start();
    let contact = receiving(&service);
    let value = contact["value"].as_str().unwrap();
    service.ok(&["consent", "add", value, "--said", "STOP", "--at", "2026-01-05"]);
    service.ok("consent add nobody@nowhere.example --said STOP");
    service.ok("mirror update");
    write(&service, "list.csv", &format!("value\n{value}\n"));
    service.ok("opt-out list.csv --without-people");
    let redact = ["consent", "redact", value, "--reason", "asked to be erased"];
    let refused = service.crm(&redact).assert().code(2);
    assert!(stderr(&refused).contains("--yes"), "{}", stderr(&refused));

    let told = service.crm(&[&redact[..], &["--yes"]].concat()).assert().code(0);
    assert!(stdout(&told).contains("2 records, by record"), "{}", stdout(&told));
    for said in [
        "the mirror still has it",
        "-opt-out-list-csv still has it",
        "the wish stands: out",
        "backups",
    ] {
        assert!(stderr(&told).contains(said), "{said} in {}", stderr(&told));
    }
    let status = service.crm(&["consent", "status", value]).assert().code(10);
    assert!(stdout(&status).contains("its data was removed"), "{}", stdout(&status));
    service.ok("consent check");
    let export = service.crm("consent export").assert().code(0);
    assert_eq!(stdout(&export).lines().count(), 2, "{}", stdout(&export));
    assert!(stderr(&export).contains("1 redacted value, which"), "{}", stderr(&export));

    // By its record, and what is not there.
    let told = service.json("consent redact --record 2 --reason asked --yes");
    assert_eq!(told["records"], serde_json::json!([2]), "{told}");
    assert_eq!(told["elsewhere"], serde_json::json!([]), "{told}");
    let told = service.ok("consent redact --record 2 --reason asked --yes");
    assert!(told.contains("nothing was there"), "{told}");
    service.crm("consent redact --record 99 --reason asked --yes").assert().code(2);
}

/// A service with a contact that receives no marketing and whose number is out by the ledger; the
/// contact's id, its number, and that of another contact of the same customer.
fn out() -> (Service, String, String, String) {
    let service = Service::start();
    let contact = receiving(&service);
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let (id, value) = (text(&contact["id"]), text(&contact["value"]));
    service.ok(&format!("customer-contacts update 1001 {id} --marketing-updates off --yes"));
    service.ok(&["consent", "add", &value, "--said", "STOP"]);
    let contacts = service.json("customer-contacts list 1001");
    let others = contacts.as_array().unwrap().iter();
    let mut others = others.filter(|other| other["value"] != contact["value"]);
    let other = others.find(|other| other["type"] == contact["type"]).unwrap();
    (service, id, value, text(&other["id"]))
}

fn is_on(service: &Service, id: &str) -> bool {
    let contacts = service.json("customer-contacts list 1001");
    let mut contacts = contacts.as_array().unwrap().iter();
    let contact = contacts.find(|contact| contact["id"].as_i64() == id.parse().ok()).unwrap();
    contact["preferences"]["marketingUpdatesEnabled"] == true
}

#[test]
fn a_single_update_turns_nothing_on_against_a_wish_unless_somebody_says_so() {
    let (service, id, value, other) = out();
    let on = format!("customer-contacts update 1001 {id} --marketing-updates on --yes");
    let refused = service.crm(&on).assert().code(10);
    assert!(stderr(&refused).contains("record 1 of the consent ledger"), "{}", stderr(&refused));
    assert!(!is_on(&service, &id));
    // Nor by giving the number to a contact that receives marketing.
    service.ok(&format!("customer-contacts update 1001 {other} --marketing-updates on --yes"));
    let moved = ["customer-contacts", "update", "1001", &other, "--value", &value, "--yes"];
    service.crm(&moved).assert().code(10);
    // All else may be changed.
    service.ok(&format!("customer-contacts update 1001 {id} --memo called --yes"));
    let override_consent = format!("{on} --override-consent 'asked for it in the shop'");
    service.ok(&format!("{override_consent} --dry-run"));
    service.crm(&format!("{override_consent} --read-only")).assert().code(2);
    assert!(service.ok("consent check").starts_with("1 record,"));
    service.ok(&override_consent);
    assert!(is_on(&service, &id));
    assert!(service.ok("consent check").starts_with("2 records"));
}

#[test]
fn no_plan_turns_marketing_on_against_a_wish_unless_somebody_says_so() {
    let (service, id, value, _) = out();
    write(
        &service,
        "rows.csv",
        &format!("customer_id,contact_id,marketing_updates\n1001,{id},on\n"),
    );
    let refused = service.crm("plan rows.csv --out on.crm").assert().code(10);
    assert!(stderr(&refused).contains("--override-consent"), "{}", stderr(&refused));
    assert!(!service.home.path().join("on.crm").exists());
    write(&service, "list.csv", &format!("value\n{value}\n"));
    // What was taken into the ledger is told.
    let opt_in = "opt-in list.csv --out in.crm --without-people";
    let refused = stderr(&service.crm(opt_in).assert().code(10));
    assert!(refused.contains("taken the list all the same, as import 2"), "{refused}");
    assert!(service.ok("consent check").starts_with("3 records"));
    let again = stderr(&service.crm(opt_in).assert().code(10));
    assert!(!again.contains("taken the list"), "{again}");
    assert!(service.ok("consent check").starts_with("3 records"));
    assert!(!service.home.path().join("in.crm").exists());

    let because = "--override-consent 'asked for it in the shop'";
    service.ok(&format!("plan rows.csv --out on.crm {because}"));
    // Said when it was planned, it has to be said when it is sent.
    service.crm("apply on.crm --yes").assert().failure();
    assert!(!is_on(&service, &id));
    service.ok(&format!("apply on.crm --yes --retry-failed {because}"));
    assert!(is_on(&service, &id));
    service.ok("consent check");
}

#[test]
fn a_plan_says_of_which_wish_a_contact_gets_rid_with_its_number() {
    let (service, id, ..) = out();
    let plan = |value: &str, set: &str| {
        write(&service, "rows.csv", &format!("customer_id,contact_id,value\n1001,{id},{value}\n"));
        service.ok(&format!("plan rows.csv --out {set}"))
    };
    let told = plan("8185550177", "other.crm");
    let why = "the wish of the consent ledger against what it has (record 1) stays with that";
    assert!(told.contains(&format!("look at this first: {why}")), "{told}");
    assert_eq!(service.json("show other.crm --where has=caution").as_array().unwrap().len(), 1);
    // One that says the same of the new number loses nothing.
    service.ok("consent add 8185550177 --said STOP --at 2026-11-20");
    assert!(!plan("8185550177", "both.crm").contains("look at this first"));
}

#[test]
fn an_undo_does_not_bring_marketing_back_and_a_wish_counts_that_comes_after_the_plan() {
    let service = Service::start();
    let contact = receiving(&service);
    let (id, value) = (contact["id"].to_string(), contact["value"].as_str().unwrap());
    write(&service, "list.csv", &format!("value\n{value}\n"));
    service.ok("opt-out list.csv --out out.crm --without-people");
    service.ok("apply out.crm --yes");
    service.ok("undo out.crm --out planned-before.crm");
    service.ok(&["consent", "add", value, "--said", "STOP"]);
    service.crm("undo out.crm --out back.crm").assert().code(10);
    service.crm("apply planned-before.crm --yes").assert().failure();
    assert!(!is_on(&service, &id));
}

#[test]
fn nothing_is_written_into_the_ledger_in_a_dry_run_or_where_all_is_read_only() {
    let service = Service::start();
    write(&service, "list.csv", "phone,status,received\n8185550199,STOP,2026-11-23\n");
    for (given, told) in
        [("--dry-run", "--dry-run: nothing"), ("--read-only", "read-only: nothing")]
    {
        let refused = service.crm(&format!("consent import list.csv {given}")).assert().code(2);
        assert!(stderr(&refused).contains(told), "{}", stderr(&refused));
    }
    let none = service.crm("consent check").assert().code(2);
    assert!(stderr(&none).contains("no consent ledger"), "none was begun");

    service.ok("consent add 8185550142 --said STOP");
    service.ok("consent key --new key.pem");
    let policy = service.ok("consent policy");
    write(&service, "policy.toml", &policy);
    let before = service.ok("consent check");
    for line in [
        "add 8185550143 --said STOP",
        "import list.csv",
        "retract 1 --reason wrong",
        "redact 8185550142 --reason asked --yes",
        "policy --set policy.toml",
        "key --new next.pem --key key.pem",
        "seal --key key.pem --out seal.txt",
    ] {
        for given in ["--dry-run", "--read-only"] {
            let refused = service.crm(&format!("consent {line} {given}")).assert().code(2);
            assert!(stderr(&refused).contains("nothing was written"), "{line}");
        }
        service.crm(&format!("consent {line}")).env("CRM_READ_ONLY", "1").assert().code(2);
    }
    for file in ["next.pem", "seal.txt"] {
        assert!(!service.home.path().join(file).exists(), "{file}");
    }
    service.ok("consent policy --read-only");
    service.ok("consent key --dry-run");
    // A list that is planned is brought in as well, but not by these.
    service.ok("mirror update");
    for given in ["--dry-run", "--read-only"] {
        let planned = service.crm(&format!("opt-out list.csv {given}")).assert().code(0);
        assert!(stderr(&planned).contains("nothing was written into the consent ledger"));
    }
    assert_eq!(service.ok("consent check"), before);
}

#[test]
fn a_keyword_is_not_taken_as_the_wish_that_it_is_not() {
    let service = Service::start();
    for line in ["--said STOP --wish in", "--said Stop. --wish in", "--said START --wish out"] {
        let refused = service.crm(&format!("consent add 8185550142 {line}")).assert().code(2);
        assert!(stderr(&refused).contains("but --wish says"), "{}", stderr(&refused));
    }
    service.ok("consent add 8185550142 --said STOP --wish out");
    let told = service.ok("consent check");
    assert!(told.starts_with("1 record, as it was written\n1:"), "{told}");
}

#[test]
fn what_was_altered_is_neither_signed_nor_acted_on_and_a_fault_tells_what_is_sound() {
    let service = Service::start();
    for n in 0..5 {
        service.ok(&format!("consent add 818555014{n} --said STOP"));
    }
    service.ok("consent key --new key.pem");
    let ledger = Connection::open(desk(&service).join("ledger.db")).unwrap();
    let alter = "UPDATE records SET salt = NULL, personal = NULL WHERE number = 3";
    ledger.execute_batch(alter).unwrap();
    for line in ["seal --key key.pem", "plan", "run --yes", "run --dry-run"] {
        let refused = service.crm(&format!("consent {line}")).assert().code(10);
        assert!(stderr(&refused).contains("record 3 was altered"), "{}", stderr(&refused));
    }
    let told = service.crm("consent check").assert().code(10);
    let expected = "record 3 was altered; the first 2 records are as they were written\n";
    assert_eq!(stdout(&told), expected);

    let change = "UPDATE meta SET value = replace(value, substr(value, 1, 1),
        CASE substr(value, 1, 1) WHEN 'a' THEN 'b' ELSE 'a' END) WHERE name = 'digest_key'";
    ledger.execute_batch(change).unwrap();
    let lost = service.crm("consent status 8185550140").assert().code(10);
    assert!(stderr(&lost).contains("record 1 is not found by its number"), "{}", stderr(&lost));
}

#[test]
fn a_wish_for_all_kinds_stands_where_one_for_marketing_lifts_that_alone() {
    let service = Service::start();
    let wish = "consent add 8185550142 --at";
    service.ok(&format!("{wish} 2026-11-20T10:00:00Z --said STOP --scope all"));
    service.ok(&format!("{wish} 2026-11-21T10:00:00Z --said START"));
    let told = service.ok("consent status 8185550142");
    assert!(told.starts_with("in, by record 2"), "{told}");
    assert!(told.contains("1: out of all kinds") && told.contains("2: in, "), "{told}");
    assert!(told.contains("for all kinds of messages: out, by record 1"), "{told}");
    let all = stdout(&service.crm("consent status 8185550142 --scope all").assert().code(10));
    assert!(all.starts_with("out, by record 1") && all.contains("for marketing: in"), "{all}");
    // The other way round both are lifted, and one for marketing stops that alone again.
    service.ok(&format!("{wish} 2026-11-22T10:00:00Z --said START --scope all"));
    service.crm("consent status 8185550142 --scope all").assert().code(0);
    service.ok(&format!("{wish} 2026-11-23T10:00:00Z --said STOP"));
    service.crm("consent status 8185550142").assert().code(10);
    service.crm("consent status 8185550142 --scope all").assert().code(0);
}

#[test]
fn a_wish_that_lacks_its_words_or_is_of_no_possible_time_is_told_so() {
    let service = Service::start();
    let told = service.crm("consent add 8185550142 --said ' ' --wish in").assert().code(0);
    assert!(stderr(&told).contains("without its words"), "{}", stderr(&told));
    let told = service.crm("consent add 8185550142 --said START --at-unknown").assert().code(0);
    assert!(stderr(&told).contains("without its time"), "{}", stderr(&told));
    let told = service.crm("consent add 8185550142 --said ''").assert().code(2);
    assert!(stderr(&told).contains("--said has no words"), "{}", stderr(&told));
    for (at, why) in [("1900-01-01", "before 1995"), ("2999-01-01", "future")] {
        let told = service.crm(&format!("consent add 8185550142 --said STOP --at {at}")).assert();
        assert!(stderr(&told.code(2)).contains(why), "{at}");
    }
}

#[test]
fn what_was_altered_long_ago_is_refused_by_what_can_wait_and_loses_no_wish() {
    let service = Service::start();
    let list: String = (0..200).map(|n| format!("818555{n:04},STOP\n")).collect();
    write(&service, "list.csv", &format!("phone,status\n{list}"));
    service.ok("consent import list.csv");
    let ledger = Connection::open(desk(&service).join("ledger.db")).unwrap();
    ledger.execute_batch("UPDATE records SET by = 'nobody' WHERE number = 3").unwrap();
    write(&service, "more.csv", "phone,status\n8185559999,STOP\n");
    for line in [
        "consent import more.csv",
        "consent retract 1 --reason wrong",
        "--yes consent redact 8185550100 --reason asked",
    ] {
        let refused = service.crm(line).assert().failure();
        assert!(stderr(&refused).contains("record 3 was altered: nothing was done"), "{line}");
    }
    service.ok("consent add 8185559999 --said STOP");
    service.crm("consent status 8185559999").assert().code(10);
}

#[test]
fn a_record_of_no_number_is_told_to_be_of_none() {
    let service = Service::start();
    write(&service, "list.csv", "phone,status\n8185550142,STOP\n");
    service.ok("consent import list.csv");
    let told = service.crm("--yes consent redact --record 1 --reason asked").assert().code(0);
    assert!(stderr(&told).contains("of no number and no address"), "{}", stderr(&told));
    assert!(!stderr(&told).contains("no longer has it"), "{}", stderr(&told));
    assert!(stdout(&told).contains("nothing was there"), "{}", stdout(&told));
}

#[test]
fn wishes_outlive_the_set_that_was_planned_for_them_and_that_is_said() {
    let service = Service::start();
    write(&service, "first.csv", "phone,status\n3235550113,STOP\n");
    service.ok("consent import first.csv");
    write(&service, "wrong.csv", "phone\n2135550177\n");
    let planned = service.crm("opt-out wrong.csv --out set.crm").assert().success();
    let told = stderr(&planned);
    for part in [
        "the wishes stand in the consent ledger as import ",
        "the next `crm consent run` carries them out, whether this set is applied or not",
        "--reason REASON",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    // A wish of the same number that came another way, before this one.
    service.ok("consent add 2135550177 --said STOP --at 2026-01-05");
    let dropped = service.crm("drop set.crm 1 --reason 'they called'").assert().success();
    let told = stderr(&dropped);
    assert!(told.contains("1 change of what was dropped: the wish stands"), "{told}");
    assert!(told.contains("consent retract"), "{told}");
    let other =
        "Another wish of the same number or address says so too and stands without it: record ";
    assert!(told.contains(other) && told.contains("received on 2026-01-05"), "{told}");

    // The page and its CSV say so too, with the dates of the wish.
    service.ok("report set.crm --html page.html");
    for name in ["page.html", "page.html.csv"] {
        let text = fs::read_to_string(service.home.path().join(name)).unwrap();
        assert_eq!(text.matches("The wish stands all the same (record ").count(), 1, "{text}");
        for part in [", taken in 2", "and the next `crm consent run` carries it out.", other] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
    let approved = service.crm("approve set.crm --by Ana --drop 2").assert().success();
    assert!(stderr(&approved).contains("the wish stands"), "{}", stderr(&approved));

    // A change that no wish asks for is dropped without a word.
    write(&service, "rows.csv", "location_id,contact_id,memo\n2001,3001,Gate 4411\n");
    service.ok("plan rows.csv --out memo.crm");
    let dropped = service.crm("drop memo.crm 1").assert().success();
    assert!(!stderr(&dropped).contains("wish"), "{}", stderr(&dropped));
}

#[test]
fn a_wish_for_other_kinds_of_messages_is_told_where_its_change_is_dropped() {
    let service = Service::start();
    let value = receiving(&service)["value"].as_str().unwrap().to_owned();
    let add = |more: &[&str]| service.ok(&[&["consent", "add", &value][..], more].concat());
    add(&["--said", "STOP", "--scope", "all", "--at", "2026-11-20T10:00:00Z"]);
    add(&["--said", "START", "--at", "2026-11-21T10:00:00Z"]);
    service.ok("mirror update");
    service.ok("consent plan --out rest.crm");
    let dropped = service.crm("drop rest.crm 1").assert().success();
    let told = stderr(&dropped);
    assert!(told.contains("the wish stands in the consent ledger (record 1)"), "{told}");
}
