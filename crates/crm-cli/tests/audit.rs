//! `crm audit`: what is found, the set that mends it, and what is left after it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{collections::BTreeSet, fs};

use common::{Service, stderr, stdout};
use crm_models::ContactType;
use crm_sandbox::{
    Fault, FaultPlan, FaultRule, NewContact, Sandbox, Seed, StoredContact, StoredPreferences,
};
use serde_json::Value;

/// A customer with two locations, each fault that can be mended, and numbers that are shared.
fn tenant() -> Service {
    let builder = Sandbox::builder().seed(Seed::Empty).set("rate-limit", "0").unwrap();
    // A service that stores such values as they are sent: another one could not take them back.
    let builder = builder.set("value-checks", "off").unwrap();
    let builder = builder.set("phone-values", "verbatim").unwrap();
    let service = Service::build(builder);
    let sandbox = &service.sandbox;
    for customer in 1..=4 {
        sandbox.add_customer(customer, "Harbor Bakery").unwrap();
    }
    sandbox.add_location(11, 1, "Pier 4").unwrap();
    let on = StoredPreferences::all(true);
    let mut off = on;
    off.marketing_updates = false;
    let of = |customer, kind, value: &str| {
        NewContact::of_customer(customer, kind, value).preferences(on)
    };
    for contact in [
        of(1, "MobilePhone", "(818) 200-1111").id(101),
        of(1, "Phone", "ada@site.example").id(102),
        of(1, "MobilePhone", "8182001111").id(103).memo("Front desk"),
        // Not alike: one does not get marketing.
        of(1, "Fax", "8182003333").id(104),
        of(1, "Fax", "8182003333").id(105).preferences(off),
        // Shared by three, and no duplicate of any.
        of(2, "Phone", "8182002222").id(201),
        of(3, "Phone", "8182002222").id(301),
        of(4, "Phone", "8182002222").id(401),
        of(4, "Email", "noemail@site.example").id(402),
        NewContact::of_location(11, "MobilePhone", "+1 818 200 1111").id(111).preferences(on),
    ] {
        sandbox.add_contact(contact).unwrap();
    }
    service
}

/// All contacts that exist, but for what an undone deletion cannot bring back: ids and times.
fn contents(service: &Service) -> BTreeSet<String> {
    let sandbox = &service.sandbox;
    let all = [sandbox.customer_contacts().unwrap(), sandbox.location_contacts().unwrap()];
    let content = |contact: StoredContact| {
        let StoredContact { owner_id, contact_type, value, memo, preferences, .. } = contact;
        format!("{owner_id} {contact_type} {value} {memo:?} {preferences:?}")
    };
    all.into_iter().flatten().filter(|contact| contact.active).map(content).collect()
}

/// How many each rule found.
fn found(service: &Service, rule: &str) -> u64 {
    let entries = service.json(&["audit", "--rule", rule]);
    entries.as_array().unwrap().len() as u64
}

#[test]
fn what_an_audit_mends_is_not_found_again_and_can_be_taken_back() {
    let service = tenant();
    let before = contents(&service);
    let rules = ["spelling", "email-in-phone", "duplicate", "repeated", "shared", "placeholder"];
    assert_eq!(rules.map(|rule| found(&service, rule)), [2, 1, 2, 1, 3, 1]);

    let audited = service.crm("audit --fix mend.crm").assert().success();
    let (text, notes) = (stdout(&audited), stderr(&audited));
    assert!(
        text.contains(
            "spelling: Harbor Bakery · customer 1, contact 101: (818) 200-1111 → 8182001111"
        ),
        "{text}"
    );
    let nothing = text.lines().find_map(|line| line.strip_prefix("nothing found: ")).unwrap();
    assert!(nothing.split(", ").any(|rule| rule == "throw-away"), "{text}");
    assert!(!text.contains("\nthrow-away") && !nothing.contains("spelling"), "{text}");
    assert!(notes.contains("4 changes in mend.crm: `crm show mend.crm` lists them"), "{notes}");
    let shown = service.ok("show mend.crm");
    assert!(shown.contains("delete") && !shown.contains("8182002222"), "{shown}");

    service.ok("apply mend.crm");
    assert_ne!(contents(&service), before);
    assert_eq!(rules.map(|rule| found(&service, rule)), [0, 0, 0, 1, 3, 1]);
    let kept = service.json("customer-contacts list 1");
    let kept = kept.as_array().unwrap().iter().find(|contact| contact["id"] == 101).unwrap();
    assert_eq!((&kept["value"], &kept["memo"]), (&"8182001111".into(), &"Front desk".into()));

    service.ok("undo mend.crm --out back.crm");
    service.ok("apply back.crm");
    assert_eq!(contents(&service), before);
}

#[test]
fn the_untidy_data_of_the_sandbox_can_be_mended_and_have_results() {
    let service = Service::build(Sandbox::builder().seed(Seed::Untidy));
    let rules = ["spelling", "email-in-phone", "duplicate"];
    // Of duplicates the ones that stay are found too.
    assert_eq!(rules.map(|rule| found(&service, rule)), [3, 1, 5]);
    service.ok("audit --fix mend.crm");
    service.ok("apply mend.crm");
    assert_eq!(rules.map(|rule| found(&service, rule)), [0; 3]);
    let results = service.ok("results mend.crm");
    let is_done = |line: &str| line.contains("\"crm_outcome\":\"done\"");
    assert!(results.lines().all(is_done) && results.lines().count() == 8, "{results}");
    for table in ["results mend.crm --excel", "results mend.crm --output csv"] {
        let told = stderr(&service.crm(table).assert().code(2));
        assert!(told.contains("--by-contact"), "{table}: {told}");
    }
    let kept = service.ok("customer-contacts list 1010");
    assert!(kept.contains("Orders") && !kept.contains("4205"), "{kept}");
}

/// All contacts that exist, each number and address however it is written.
fn readings(service: &Service) -> Vec<String> {
    let sandbox = &service.sandbox;
    let all = [sandbox.customer_contacts().unwrap(), sandbox.location_contacts().unwrap()];
    let content = |contact: StoredContact| {
        let StoredContact { owner_id, contact_type, value, memo, preferences, .. } = contact;
        let reading = ContactType::from(&*contact_type).key(&value);
        format!("{owner_id} {contact_type} {reading} {memo:?} {preferences:?}")
    };
    let all = all.into_iter().flatten().filter(|contact| contact.active).map(content);
    let mut all: Vec<_> = all.collect();
    all.sort_unstable();
    all
}

#[test]
fn an_undo_on_a_service_that_checks_and_rewrites_values_says_before_and_after_what_it_cannot_restore()
 {
    let service = Service::build(Sandbox::builder().seed(Seed::Untidy));
    let before = readings(&service);
    service.ok("audit --fix mend.crm");
    service.ok("apply mend.crm");

    // What is likely to be refused is known from the plan, in each of its forms.
    let planned = service.json("undo mend.crm --out back.crm");
    assert_eq!(planned["cautioned"], 1, "{planned}");
    let told = planned["notes"][0].as_str().unwrap();
    assert!(planned["notes"].as_array().unwrap().len() == 3, "{planned}");
    assert_eq!(told, "3 contacts are created again, with another id than before.");
    let told = planned["notes"][1].as_str().unwrap();
    assert!(told.contains("is likely to refuse 1 of these changes"), "{told}");
    let told = planned["notes"][2].as_str().unwrap();
    assert!(told.starts_with("Where only the way in which a number"), "{told}");
    let why =
        "the service is likely to refuse it: value looks like an e-mail address, not a number";
    let shown = service.json("show back.crm --where has=caution");
    assert_eq!(shown.as_array().unwrap().len(), 1, "{shown}");
    assert_eq!((&shown[0]["caution"], &shown[0]["id"]), (&why.into(), &"3".into()), "{shown}");
    assert!(service.ok("show back.crm").contains(&format!("look at this first: {why}")));
    service.ok("report back.crm --html page.html");
    let read = |name: &str| fs::read_to_string(service.home.path().join(name)).unwrap();
    let (page, csv) = (read("page.html"), read("page.html.csv"));
    let attention = page.split("Needs attention").nth(1).unwrap();
    assert!(attention.split("<h2>").next().unwrap().contains(why), "{page}");
    assert!(page.contains("change to look at first") && csv.contains(why), "{csv}");

    // What was stored otherwise is done, and never told without that.
    let applied = service.crm("apply back.crm --output json").assert().code(3);
    let (outcome, notes) = (stdout(&applied), stderr(&applied));
    let outcome: Value = serde_json::from_str(&outcome).unwrap();
    let outcome = &outcome["outcome"];
    assert_eq!((&outcome["storedOtherwise"], &outcome["states"]["done"]), (&3.into(), &7.into()));
    assert!(notes.contains("1 change is to be looked at first"), "{notes}");
    assert!(notes.contains("3 values of what is done are stored otherwise than sent"), "{notes}");
    let text = service.ok("show back.crm --state done");
    assert_eq!(text.matches("    done, stored as 818555016").count(), 3, "{text}");
    let shown = service.json("show back.crm --where has=stored-as");
    let stored: Vec<_> = shown.as_array().unwrap().iter().map(|it| &it["storedReading"]).collect();
    assert_eq!(stored, ["same"; 3], "{shown}");
    let results = service.ok("results back.crm");
    assert!(results.contains("crm_stored_as") && results.contains(",8185550162,"), "{results}");
    service.ok("report back.crm --html page.html --overwrite");
    assert!(read("page.html").contains("stored as <bdi>8185550162</bdi>"), "{}", read("page.html"));
    assert_eq!(service.json("status back.crm")["storedOtherwise"], 3);

    // The set that was undone says how its records are not what they were, in each of its forms.
    let told = service.json("status mend.crm");
    let undone = &told["undoneBy"][0];
    assert_eq!((&told["undone"], &told["standing"]), (&7.into(), &1.into()), "{told}");
    assert_eq!((&undone["createdAgain"], &undone["storedOtherwise"]), (&3.into(), &3.into()));
    let text = service.ok("status mend.crm");
    assert!(text.contains("3 of these stored otherwise than it was before"), "{text}");
    let text = service.ok("show mend.crm");
    for part in [
        "back.crm (created again as contact 3204)",
        "back.crm (stored as 8185550162, not as it was before)",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let shown = service.json("show mend.crm");
    let member = |name: &str| -> Vec<String> {
        let all = shown.as_array().unwrap().iter().filter_map(|it| it[name].as_str());
        all.map(str::to_owned).collect()
    };
    assert_eq!(member("restoredContactId").len(), 3, "{shown}");
    assert_eq!(member("restoredValue"), ["8185550161", "8185550162", "8185550163"], "{shown}");
    let results = service.ok("results mend.crm");
    assert!(results.contains("\"crm_restored_contact_id\":\"3204\""), "{results}");
    assert!(results.contains("\"crm_restored_value\":\"8185550163\""), "{results}");
    let rows = service.ok("results mend.crm --by-contact");
    assert!(rows.contains("crm_restored_value") && rows.contains(",3204,"), "{rows}");
    service.ok("report mend.crm --html mend.html");
    let (page, csv) = (read("mend.html"), read("mend.html.csv"));
    assert!(page.contains(">3 of these created again, with another id<"), "{page}");
    assert!(page.contains("created again as contact 3204"), "{page}");
    assert!(csv.contains("restoredContactId") && csv.contains(",3204,"), "{csv}");
    let history = service.json("history location:2012");
    let of = |contact: &str| {
        let all = history.as_array().unwrap().iter();
        all.filter(|it| it["contactId"] == contact).cloned().collect::<Vec<_>>()
    };
    let (deleted, stored) = (of("3202"), of("3201"));
    assert_eq!(deleted[0]["restoredContactId"], "3204", "{history}");
    assert_eq!(stored[0]["restoredValue"], "8185550161", "{history}");
    assert_eq!(stored[1]["storedAs"], "8185550161", "{history}");

    // To read it back agrees with that.
    let verified = service.crm("verify mend.crm").assert().code(8);
    let told = stderr(&verified);
    assert!(told.contains("1 of 8 changes still as done, 7 undone"), "{told}");
    assert_eq!(stdout(&verified), "", "what was undone is not listed as changed since");
    let verified = service.crm("verify back.crm").assert().success();
    let told = stdout(&verified);
    assert!(told.contains("7 of 7 changes still as done, 3 stored otherwise"), "{told}");
    service.ok("report back.crm --html page.html --overwrite");
    let csv = read("page.html.csv");
    let mut rows = csv::Reader::from_reader(csv.as_bytes());
    let header = rows.headers().unwrap().clone();
    let at = |name: &str| header.iter().position(|column| column == name).unwrap();
    let read_back = |row: &csv::StringRecord| {
        let is_done = &row[at("state")] == "done" && !row[at("change")].is_empty();
        let [when, what] = ["verifiedAt", "noLongerSo"].map(|name| row[at(name)].to_owned());
        assert_eq!(
            (!when.is_empty(), &*what),
            (is_done, if is_done { "no" } else { "" }),
            "{row:?}"
        );
        usize::from(is_done)
    };
    assert_eq!(rows.records().map(|row| read_back(&row.unwrap())).sum::<usize>(), 7);

    // But for the type that was refused, and what the service writes its own way, all is as before.
    let after = readings(&service);
    let only_in = |these: &[String], those: &[String]| -> Vec<String> {
        these.iter().filter(|it| !those.contains(it)).cloned().collect()
    };
    let [was, is] = [only_in(&before, &after), only_in(&after, &before)];
    assert_eq!((was.len(), is.len(), after.len()), (1, 1, before.len()), "{was:?}, {is:?}");
    assert_eq!(is[0].replace("Email", "Phone"), was[0]);
    assert!(was[0].contains("yard@cornerbooks.example"), "{was:?}");

    // Of a second round nothing is left that cannot be restored.
    service.ok("audit --fix again.crm");
    service.ok("apply again.crm");
    assert!(!only_in(&after, &readings(&service)).is_empty());
    assert_eq!(service.json("undo again.crm --out again-back.crm")["cautioned"], 0);
    service.ok("apply again-back.crm");
    assert!(readings(&service) == after);
    assert_eq!(service.json("status again-back.crm")["storedOtherwise"], 0);
}

#[test]
fn the_last_copy_of_a_number_and_its_memo_outlive_every_clean_up() {
    let service = tenant();
    let plans: [&dyn Fn(); 2] = [
        &|| {
            let csv = service.ok("audit --rule duplicate --output csv");
            fs::write(service.home.path().join("rows.csv"), csv).unwrap();
            service.ok("plan rows.csv --out mend.crm");
        },
        &|| drop(service.ok("audit --rule duplicate --fix mend.crm")),
    ];
    for plan in plans {
        let _ = fs::remove_file(service.home.path().join("mend.crm"));
        plan();
        let shown = service.ok("show mend.crm");
        for part in [
            "duplicate: takes over the memo of contact 103, which is the same and goes",
            "delete, only while contact 101 is the same and stays",
            "duplicate: the same as contact 101, which stays",
        ] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
    }
    let page = service.ok("report mend.crm");
    assert!(page.contains("the same as contact 101, which stays"), "{page}");
    assert!(!page.contains("not read: rules"), "{page}");
    let shown = service.json("show mend.crm --where action=delete");
    assert_eq!((&shown[0]["sameAs"], &shown[0]["id"]), (&"101".into(), &"2".into()), "{shown}");

    // The reviewer takes out what hands the memo over: the one that has it stays.
    let approved = service.crm("approve mend.crm --by Ana --drop 1").assert().success();
    let told = stderr(&approved);
    assert!(told.contains("held as well: 1 change (2), for want of what was dropped"), "{told}");
    // Told everywhere before it is applied.
    assert!(service.ok("status mend.crm").contains("1  held       delete"));
    let page = service.ok("report mend.crm");
    let attention = page.split("Needs attention").nth(1).unwrap().split("<h2>").next().unwrap();
    assert!(attention.contains("change 1, which would have seen to that, was dropped"), "{page}");
    let ended = service.crm("apply mend.crm").assert().code(7);
    let told = stderr(&ended);
    assert!(told.contains("1 held, since the contact that stays has not all of theirs"), "{told}");
    let shown = service.json("show mend.crm --where action=delete");
    assert_eq!(shown[0]["state"], "held");
    let why = shown[0]["message"].as_str().unwrap();
    assert!(why.contains("contact 101") && why.contains("memo"), "{why}");

    // Somebody deletes the one that was to stay, after the plan.
    service.ok("audit --rule duplicate --fix again.crm");
    service.ok("customer-contacts delete 1 101 --yes");
    let dry = service.ok("apply again.crm --dry-run");
    assert!(dry.contains("held: contact 101"), "{dry}");
    let ended = service.crm("apply again.crm").assert().code(3);
    assert!(stderr(&ended).contains("1 held"), "{}", stderr(&ended));
    let kept = service.json("customer-contacts list 1");
    assert!(kept.as_array().unwrap().iter().any(|contact| contact["id"] == 103), "{kept}");
}

#[test]
fn a_memo_is_not_handed_over_once_the_contact_that_has_it_stays() {
    let service = Service::build(Sandbox::builder().seed(Seed::Untidy));
    service.ok("audit --fix mend.crm");
    let dropped = service.crm("drop mend.crm 2 8 --output json").assert().success();
    let (summary, told) = (stdout(&dropped), stderr(&dropped));
    let summary: Value = serde_json::from_str(&summary).unwrap();
    // The one also writes a number as digits; the other has nothing else to do.
    assert_eq!(summary["narrowed"], serde_json::json!(["1", "6"]), "{summary}");
    assert_eq!(summary["changes"], serde_json::json!(["2", "8", "6"]), "{summary}");
    let narrowed =
        "no longer takes a memo over, since the contact that has it stays: 2 changes (1, 6)";
    assert!(told.contains(narrowed), "{told}");
    let shown = service.json("show mend.crm");
    let change = |at: usize| &shown[at - 1];
    assert_eq!(change(1)["change"], "value: (818) 555-0161 → 8185550161", "{shown}");
    let why = change(1)["why"].as_str().unwrap();
    assert!(why.ends_with("change 2 was dropped, so that memo is not taken over"), "{why}");
    assert_eq!((&change(6)["state"], &change(7)["state"]), (&"dropped".into(), &"planned".into()));

    service.ok("apply mend.crm");
    let memo = |list: &str, id: i64| {
        let contacts = service.json(list);
        let contact = contacts.as_array().unwrap().iter().find(|contact| contact["id"] == id);
        contact.unwrap()["memo"].clone()
    };
    assert_eq!(memo("location-contacts list 2012", 3_201), Value::Null);
    assert_eq!(memo("location-contacts list 2012", 3_202), "Caretaker");
    assert_eq!(memo("customer-contacts list 1010", 4_203), Value::Null);
    assert_eq!(memo("customer-contacts list 1010", 4_205), "Orders");

    // Where another one that goes has the same memo, that is still taken over.
    let service = tenant();
    let same = NewContact::of_customer(1, "MobilePhone", "8182001111").memo("Front desk").id(106);
    let same = same.preferences(StoredPreferences::all(true));
    service.sandbox.add_contact(same).unwrap();
    service.ok("audit --rule duplicate --fix mend.crm");
    let deletions = service.json("show mend.crm --where action=delete");
    assert_eq!(deletions.as_array().unwrap().len(), 2, "{deletions}");
    let first = deletions[0]["id"].as_str().unwrap();
    let dropped = service.json(&format!("drop mend.crm {first}"));
    assert_eq!((&dropped["dropped"], &dropped["narrowed"]), (&1.into(), &serde_json::json!([])));
}

#[test]
fn the_rows_of_an_audit_are_rows_of_a_plan() {
    let service = tenant();
    let csv = service.ok("audit --output csv");
    fs::write(service.home.path().join("rows.csv"), &csv).unwrap();
    service.ok("plan rows.csv --out rows.crm");
    service.ok("audit --fix fixed.crm");
    let changes = |set: &str| {
        let shown = service.json(&["show", set, "--state", "planned"]);
        let change = |change: &Value| format!("{} {}", change["contactId"], change["change"]);
        shown.as_array().unwrap().iter().map(change).collect::<BTreeSet<_>>()
    };
    assert_eq!(changes("rows.crm"), changes("fixed.crm"));
    assert_eq!(changes("rows.crm").len(), 4);
    for member in ["ownerKind", "ownerId", "contactId", "rules"] {
        assert!(csv.lines().next().unwrap().split(',').any(|name| name == member), "{csv}");
    }
}

#[test]
fn a_job_fails_for_what_is_new_alone() {
    let service = tenant();
    service.crm("audit --detailed-exitcode --write-baseline known").assert().code(2);
    let known = fs::read_to_string(service.home.path().join("known")).unwrap();
    assert!(known.contains("spelling customer 1 101\n") && !known.contains("818"), "{known}");
    let job = "audit --detailed-exitcode --baseline known";
    service.crm(job).assert().code(0);

    service.sandbox.add_contact(NewContact::of_customer(2, "Phone", "call Ana").id(202)).unwrap();
    let new = service.crm(&format!("{job} --output json")).assert().code(2);
    let entries: Value = serde_json::from_str(&stdout(&new)).unwrap();
    let entries = entries.as_array().unwrap();
    let new: Vec<_> = entries.iter().filter(|entry| entry["isNew"] == true).collect();
    assert_eq!(new.len(), 1, "{new:?}");
    assert_eq!(new[0]["rules"], "malformed, unknown-flags");

    fs::write(service.home.path().join("known"), "spelling 1 101\n").unwrap();
    let wrong = service.crm("audit --baseline known").assert().code(2);
    assert!(stderr(&wrong).contains("known: line 1"), "{}", stderr(&wrong));
}

#[test]
fn thresholds_and_choices_of_rules_are_read() {
    let service = tenant();
    fs::write(service.home.path().join("t.toml"), "shared-by = 4\nwishes = [\"front desk\"]\n")
        .unwrap();
    let audit = service.json("audit --thresholds t.toml --rule shared,memo-wish");
    let rules: Vec<_> = audit.as_array().unwrap().iter().map(|entry| &entry["rules"]).collect();
    assert_eq!(rules, ["memo-wish"]);

    fs::write(service.home.path().join("t.toml"), "shared = 4\n").unwrap();
    let wrong = service.crm("audit --thresholds t.toml").assert().code(2);
    assert!(stderr(&wrong).contains("unknown field `shared`"), "{}", stderr(&wrong));
    let unknown = service.crm("audit --rule spellings").assert().code(2);
    assert!(stderr(&unknown).contains("there is no rule `spellings`"), "{}", stderr(&unknown));
}

#[test]
fn the_desk_has_thresholds_of_its_own() {
    let service = tenant();
    let shared = |options: &str| {
        let entries = service.json(&format!("audit --rule shared {options}"));
        entries.as_array().unwrap().len()
    };
    assert_eq!(shared(""), 3);
    let written = service.json("audit thresholds");
    let file = written["record"].as_str().unwrap();
    assert!(file.ends_with("audit.toml"), "{file}");
    assert_eq!(shared(""), 3, "as it is written, it has the defaults");
    let defaults = fs::read_to_string(file).unwrap();
    fs::write(file, defaults.replace("shared-by = 3", "shared-by = 4")).unwrap();
    assert_eq!(shared(""), 0);
    service.crm("audit thresholds").assert().failure();
    let copy = service.home.path().join("copy");
    service.ok("desk backup copy");
    assert!(fs::read_to_string(copy.join("audit.toml")).unwrap().contains("shared-by = 4"));

    // The file that is named, and nothing else.
    service.ok("audit thresholds t.toml");
    assert_eq!(shared("--thresholds t.toml"), 3);
    // A sandbox of one command has no desk.
    let refused = service.crm("--sandbox audit thresholds").assert().failure();
    assert!(stderr(&refused).contains("FILE"), "{}", stderr(&refused));
}

#[test]
fn an_audit_without_a_call_uses_the_snapshot_as_it_is() {
    let service = tenant();
    service.ok("snapshot all.snapshot");
    service.sandbox.clear_log();
    let audit =
        "audit --snapshot all.snapshot --offline --output json --except stale,unknown-flags";
    let audited = service.crm(audit).assert().success();
    assert_eq!(service.sandbox.log().len(), 0);
    let entries: Value = serde_json::from_str(&stdout(&audited)).unwrap();
    let rules = |entry: &Value| entry["rules"].as_str().unwrap().to_owned();
    let rules: Vec<_> = entries.as_array().unwrap().iter().map(rules).collect();
    for rule in ["location-only", "customer-only"] {
        let is_asked = rules.iter().any(|rules| rules.contains(rule));
        assert_eq!(is_asked, rule == "customer-only", "{rules:?}");
    }
}

#[test]
fn rules_about_owners_ask_the_mirror_and_are_left_out_where_it_has_none() {
    let service = Service::start();
    let of_merged = NewContact::of_customer(1011, "Phone", "(818) 200-1111");
    service.sandbox.add_contact(of_merged).unwrap();
    let audit = "audit --offline --rule inactive-owner,location-only --output json --snapshot";
    // The second call for each: after that for their contacts.
    let refused = |path| FaultRule::new(Fault::Status { status: 403 }).path(path).nth(2);
    let plan = FaultPlan::new().rule(refused("/customers")).rule(refused("/locations"));
    service.sandbox.inject(plan);
    service.ok("snapshot contacts.db");
    service.sandbox.inject(FaultPlan::new());
    let audited = service.crm(&format!("{audit} contacts.db")).assert().success();
    let notes = stderr(&audited);
    assert!(notes.contains("left out: location-only, inactive-owner; the mirror"), "{notes}");
    assert_eq!(stdout(&audited).trim(), "[]");

    service.ok("snapshot contacts.db");
    service.sandbox.clear_log();
    let audited = service.crm(&format!("{audit} contacts.db")).assert().success();
    assert_eq!(service.sandbox.log().len(), 0);
    assert!(!stderr(&audited).contains("left out"), "{}", stderr(&audited));
    let found = stdout(&audited);
    assert!(found.contains("customer 1011 was merged into customer 1001"), "{found}");
    assert!(found.contains("location-only"), "{found}");
    // Nothing is proposed for those who left, by whatever rules.
    let spelling = "audit --offline --rule spelling --output csv --snapshot contacts.db --fields";
    let fields = "ownerId,ownerName,ownerTown,value";
    assert_eq!(
        service.ok(&format!("{spelling} {fields}")),
        format!("{fields}\n1011,Harbor Bakery (old),San Pedro,\n")
    );

    // Where the copy is for one command alone, it has them too.
    let alone =
        service.crm("--sandbox audit --rule location-only --output json").assert().success();
    assert!(stdout(&alone).contains("location-only"), "{}", stderr(&alone));
}

#[test]
fn every_rule_can_be_explained_without_an_account() {
    let home = tempfile::tempdir().unwrap();
    let explained = stdout(&common::crm(home.path()).args(["audit", "explain"]).assert().success());
    for rule in crm_audit::Rule::ALL {
        assert!(explained.contains(&format!("{rule}: {}", rule.title())), "{rule}");
    }
    let one = ["audit", "explain", "duplicate"];
    let one = stdout(&common::crm(home.path()).args(one).assert().success());
    assert!(one.contains("A finding is certain; the rule proposes a change."), "{one}");
}

#[test]
fn a_page_shows_the_figures_as_bars_and_hides_nothing() {
    let service = tenant();
    let name = "<b>office</b>@shop.example";
    let contact = NewContact::of_customer(2, "Email", name).id(202);
    service.sandbox.add_contact(contact).unwrap();
    service.ok("audit --html page.html --sample 0");
    let page = fs::read_to_string(service.home.path().join("page.html")).unwrap();
    for part in [
        "<span class=\"bar\" style=\"width:100%\">",
        "<b><bdi>Harbor Bakery</bdi></b><br><small>customer 1, contact 101</small></td>\
         <td data-label=\"Found\"><bdi>(818) 200-1111 → 8182001111</bdi>",
        "Threshold: <code>shared-by</code>.",
        "&lt;b&gt;office&lt;/b&gt;@shop.example",
        "A change is proposed.",
        "personal data",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!page.contains(name) && page.ends_with("</body></html>\n"));
}
