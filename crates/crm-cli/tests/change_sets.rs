//! Change sets from a terminal: plan, look, apply, undo.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{collections::BTreeMap, fs};

use common::{Service, stderr, stdout};
use crm_sandbox::{Fault, FaultPlan, FaultRule, NewContact, Sandbox, Seed};
use serde_json::Value;

const ROWS: &str = "\
location_id,contact_id,memo,marketing_updates,note
2001,3001,Gate code 4411,off,kept
2001,3002,,off,so already
";

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

impl Service {
    fn write(&self, name: &str, text: &str) {
        fs::write(self.home.path().join(name), text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.home.path().join(name)).unwrap()
    }
}

#[test]
fn a_plan_is_looked_at_applied_and_taken_back() {
    let service = Service::start();
    service.write("rows.csv", ROWS);
    let plan = ["plan", "rows.csv", "--out", "set.crm", "--detailed-exitcode"];
    let planned = service.crm(&plan).assert().code(2);
    let text = stdout(&planned);
    assert!(text.contains("1  planned    update"), "{text}");
    assert!(text.contains("marketing: on → off"), "{text}");
    assert!(text.contains("to apply: about 2 calls, 1 s"), "{text}");
    assert_eq!(stderr(&planned).lines().count(), 1, "the target alone");

    let dry = service.ok(&["apply", "set.crm", "--dry-run"]);
    let change = "\
1. Harbor Bakery, Pier 4, San Pedro · mobile phone 8185550142
    location 2001, contact 3001
    memo: Site manager, after 4 pm → Gate code 4411; marketing: on → off
    planned
";
    assert_eq!(dry, change);
    let before = json(&service.ok(&["status", "set.crm", "--output", "json"]));
    assert_eq!(before["totals"]["planned"]["update"], 1);

    service.ok(&["apply", "set.crm", "--audit", "audit.ndjson"]);
    let line = json(service.read("audit.ndjson").trim());
    assert_eq!((&line["state"], &line["action"]), (&"done".into(), &"update".into()));
    assert_eq!(
        (&line["set"], &line["tenant"], &line["readBack"]),
        (&"set.crm".into(), &1001.into(), &false.into())
    );
    let done = json(&service.ok(&["show", "set.crm", "--state", "done", "--output", "json"]));
    assert_eq!(done[0]["after"]["preferences"]["marketingUpdatesEnabled"], false);
    let results = service.ok(&["results", "set.crm"]);
    assert!(results.contains("2001,3001,Gate code 4411,off,kept,done,"), "{results}");

    service.ok(&["undo", "set.crm", "--out", "undo.crm"]);
    service.ok(&["apply", "undo.crm"]);
    let contact = ["location-contacts", "get", "2001", "3001", "--output", "json"];
    assert_eq!(json(&service.ok(&contact))["preferences"]["marketingUpdatesEnabled"], true);

    service.ok(&["report", "set.crm", "--html", "page.html"]);
    assert!(service.read("page.html").starts_with("<!DOCTYPE html>"));
}

#[test]
fn ids_stand_alone_where_names_may_not_be_read_or_nobody_wants_them() {
    let service = Service::start();
    service.write("rows.csv", ROWS);
    let refused = FaultRule::new(Fault::Status { status: 403 }).path("/locations").nth(2);
    service.sandbox.inject(FaultPlan::new().rule(refused));
    for (more, told) in [(&[][..], "lacks the scope to read locations"), (&["--no-names"], "")] {
        let out = format!("{}.crm", more.len());
        let plan = [&["plan", "rows.csv", "--out", &out][..], more].concat();
        let planned = service.crm(&plan).assert().success();
        let (text, notes) = (stdout(&planned), stderr(&planned));
        assert!(
            text.contains("  mobile phone 8185550142 · location 2001, contact 3001\n"),
            "{text}"
        );
        assert_eq!(notes.lines().count(), 2 - more.len(), "{notes}");
        assert!(notes.contains(told), "{notes}");
        let shown = service.ok(&["show", &out, "--output", "csv", "--fields", "ownerId,ownerName"]);
        assert_eq!(shown, "ownerId,ownerName\n2001,\n2001,\n");
    }
    let owners = service.sandbox.log();
    assert_eq!(owners.iter().filter(|entry| entry.path.ends_with("/locations")).count(), 1);

    // Later, when they may be read.
    let notes = |command: &str| stderr(&service.crm(command).assert().success());
    let told = notes("show 0.crm");
    assert!(told.contains("1 change without a name: `crm names 0.crm` looks"), "{told}");
    assert!(notes("names 0.crm").contains("0.crm: 1 name found"));
    assert!(!notes("show 0.crm").contains("without a name"));
    assert!(service.ok("show 0.crm").contains("Harbor Bakery, Pier 4"));
    assert!(notes("names 0.crm").contains("0.crm: 0 names found"));
}

#[test]
fn changes_are_filtered_and_the_rest_is_counted() {
    let service = Service::start();
    service.write(
        "rows.csv",
        "location_id,customer_id,contact_id,memo\n2001,,3001,a\n2001,,9,b\n,1001,4001,c\n",
    );
    service.ok(&["plan", "rows.csv", "--out", "set.crm"]);
    let ids = |filter: &str| {
        let show = format!("show set.crm --output csv --fields id {filter}");
        let shown = service.crm(show.as_str()).assert().success();
        let ids = stdout(&shown).lines().skip(1).collect::<Vec<_>>().join(",");
        (ids, stderr(&shown))
    };
    let (found, told) = ids("--where state=not-found");
    assert_eq!(found, "2");
    assert!(told.ends_with("1 of 3 changes shown\n"), "{told}");
    assert_eq!(ids("--owner 'customer 1001'").0, "3");
    assert_eq!(ids("--text 'pier 4' --where verdict=planned,already").0, "1");
    assert_eq!(ids("--text 818-555-0142 --limit 1").0, "1");
    assert_eq!(ids("--where action=delete").0, "");
    assert!(!ids("").1.contains("shown"));
    for wrong in ["--where status=x", "--where state=x", "--where action=x", "--owner 7"] {
        service.crm(format!("show set.crm {wrong}").as_str()).assert().code(2);
    }
    let never = "show set.crm --state done --where state=failed";
    assert!(stderr(&service.crm(never).assert().code(2)).contains("no change can be"));
}

#[test]
fn a_boss_takes_changes_out_and_approves_the_rest() {
    let service = Service::start();
    let rows =
        "location_id,customer_id,contact_id,memo\n2001,,3001,a\n2001,,3002,b\n,1001,4001,c\n";
    service.write("rows.csv", rows);
    service.ok(&["plan", "rows.csv", "--out", "set.crm"]);
    let told = |command: &str, code: i32| {
        let ended = service.crm(command).assert().code(code);
        stdout(&ended) + &stderr(&ended)
    };
    let unapproved = told("apply set.crm --require-approval", 2);
    assert!(unapproved.contains("which nobody approved; nothing was sent"), "{unapproved}");
    told("apply set.crm --require-approval --dry-run", 0);
    told("approve set.crm", 2);
    let approved = told("approve set.crm --by 'Dana Whitfield'", 0);
    assert!(approved.contains("(said: Dana Whitfield); digest "), "{approved}");

    told("drop set.crm", 2);
    assert!(told("drop set.crm 1 99", 2).contains("has no change 99; nothing was dropped"));
    let drop = "drop set.crm 2 --by Ana --reason 'wrong person'";
    let dropped = told(drop, 0);
    assert!(dropped.contains("set.crm: 1 change dropped; digest "), "{dropped}");
    assert!(dropped.contains("have it approved again"), "{dropped}");
    // As it was before, it is to be looked at and approved.
    let next: Vec<_> = dropped.lines().filter_map(|line| line.strip_prefix("next: ")).collect();
    let [report, approve, apply] = next[..] else { panic!("{dropped}") };
    assert_eq!(report, "crm report set.crm --html set.html");
    assert!(approve.starts_with("crm approve set.crm --by NAME --expect "), "{approve}");
    assert_eq!(apply, "crm apply set.crm --require-approval");
    assert!(dropped.contains("  2. ") && dropped.contains("contact 3002"), "{dropped}");
    assert!(told(drop, 2).contains("nothing was dropped: dropped already"));
    let other = service.json(&["drop", "set.crm", "--owner", "customer 1001"]);
    assert_eq!((&other["dropped"], &other["left"]), (&1.into(), &0.into()));
    assert_eq!(other["changes"], serde_json::json!(["3"]));
    told("apply set.crm --require-approval", 2);
    assert!(told("approve set.crm --by Ana --expect 0000000000000000", 2).contains("look at it"));
    told("approve set.crm --by Ana", 0);

    let status = service.json(&["status", "set.crm"]);
    assert_eq!(status["approved"], true);
    let kinds: Vec<_> =
        status["decisions"].as_array().unwrap().iter().map(|it| &it["kind"]).collect();
    assert_eq!(kinds, ["approved", "dropped", "dropped", "approved"]);
    assert_eq!(status["decisions"][1]["reason"], "wrong person");
    assert!(status["plannedBy"].is_string());
    let text = told("status set.crm", 0);
    assert!(text.contains("(said: Ana)\n") && text.contains("2  dropped    update"), "{text}");

    let done = told("apply set.crm --require-approval", 0);
    assert!(done.contains("set.crm: 1 done, 2 dropped"), "{done}");
    assert_eq!(service.writes(), ["PATCH"]);
    assert!(told("drop set.crm 1", 2).contains("change 1 may have been sent"));
    let shown = told("show set.crm --where state=dropped", 0);
    assert!(shown.contains("    dropped: dropped 20") && shown.contains("wrong person"), "{shown}");
}

#[test]
fn a_review_takes_the_planner_two_commands_and_the_boss_one() {
    let service = Service::start();
    let rows =
        "location_id,customer_id,contact_id,memo\n2001,,3001,a\n2001,,3002,b\n,1001,4001,c\n";
    service.write("rows.csv", rows);
    let told = |command: &str, code: i32| {
        let ended = service.crm(command).assert().code(code);
        stdout(&ended) + &stderr(&ended)
    };
    let planned = told("plan rows.csv --out set.crm --page review.html", 0);
    assert!(planned.contains("written to review.html, and all that it is about to"), "{planned}");
    let next: Vec<_> = planned.lines().filter_map(|line| line.strip_prefix("next: ")).collect();
    let [approve, apply] = next[..] else { panic!("{planned}") };
    assert_eq!(apply, "crm apply set.crm --require-approval");
    let approve = approve.split("  #").next().unwrap();
    let digest = approve.strip_prefix("crm approve set.crm --by NAME --expect ").unwrap();
    assert!(service.read("review.html").contains(digest));
    assert_eq!(service.read("review.html.csv").lines().count(), 4);

    let approve = |more: &str| format!("approve set.crm --by Ana --expect {digest} --drop {more}");
    assert!(told(&approve("2,99"), 2).contains("has no change 99; nothing was dropped"));
    assert!(told(&approve("2,x"), 2).contains("whole number of 1 or more"));
    let other = "approve set.crm --by Ana --expect 0000000000000000 --drop 2";
    assert!(told(other, 2).contains("look at it"));
    assert!(
        told("show set.crm --state planned", 0).contains("contact 3002"),
        "nothing was dropped"
    );
    let approved = told(&approve("2 --reason 'wrong person'"), 0);
    assert!(approved.contains("set.crm: 1 change dropped\n"), "{approved}");
    assert!(approved.contains("(said: Ana); digest "), "{approved}");
    assert!(approved.contains("next: crm apply set.crm --require-approval\n"), "{approved}");
    // The digest is another one now, and what is dropped cannot be dropped again.
    assert!(told(&approve("2"), 2).contains("look at it"));
    assert!(told("approve set.crm --by Ana --drop 2", 2).contains("approve it without --drop"));

    let json = service.json("approve set.crm --by Ana");
    let done = told(apply.strip_prefix("crm ").unwrap(), 0);
    assert!(done.contains("set.crm: 2 done, 1 dropped"), "{done}");
    let late = told("approve set.crm --by Ana", 0);
    assert_eq!(late, "set.crm: nothing is left to send, so nothing was approved\n");
    assert_eq!((&json["kind"], &json["dropped"]), (&"approved".into(), &serde_json::Value::Null));
    assert_eq!(service.json("status set.crm")["decisions"][0]["reason"], "wrong person");
}

#[test]
fn a_page_is_replaced_whatever_was_decided_about_its_set_and_never_by_that_of_another() {
    let service = Service::start();
    service.write("rows.csv", "location_id,contact_id,memo\n2001,3001,a\n2001,3002,b\n");
    service.ok("plan rows.csv --out set.crm --page page.html");
    service.ok("plan rows.csv --out other.crm");
    let digest = || service.json("status set.crm")["digest"].as_str().unwrap()[..16].to_owned();
    let seen = digest();
    for decided in
        ["drop set.crm 1", "approve set.crm --by Ana", "apply set.crm --require-approval"]
    {
        service.ok(decided);
        service.ok("report set.crm --html page.html");
        let page = service.read("page.html");
        assert!(page.contains(&digest()) && !page.contains(&seen), "{decided}: {page}");
        let other = service.crm("report other.crm --html page.html").assert().code(2);
        assert!(stderr(&other).contains("page.html is there already"), "{}", stderr(&other));
        assert_eq!(service.read("page.html"), page);
    }
}

#[test]
fn a_boss_who_takes_all_out_is_told_that_nothing_is_left() {
    let service = Service::start();
    service.write("rows.csv", "location_id,contact_id,memo\n2001,3001,a\n");
    service.crm("plan rows.csv --out set.crm").assert().success();
    let told = service.crm("approve set.crm --by Ana --drop 1").assert().success();
    let told = stdout(&told);
    assert!(
        told.ends_with("set.crm: nothing is left to send, so nothing was approved\n"),
        "{told}"
    );
}

#[test]
fn what_is_usual_after_a_run_is_told() {
    let service = Service::start();
    service.write("list.csv", "phone\n818-555-0142\n");
    service.crm("opt-out list.csv --out set.crm").assert().success();
    let applied = stderr(&service.crm("apply set.crm").assert().success());
    let report = "`crm report set.crm --html set.html` is the evidence";
    assert!(applied.contains(report), "{applied}");
    service.write("rows.csv", "location_id,contact_id,memo\n2001,3001,a\n2001,9999,b\n");
    service.crm("plan rows.csv --out rows.crm").assert().success();
    let applied = stderr(&service.crm("apply rows.crm").assert().failure());
    assert!(applied.contains("`crm results rows.crm --failed --out FILE` gives"), "{applied}");
}

#[test]
fn a_number_in_the_place_of_a_list_is_told_how_to_be_given() {
    let service = Service::start();
    for value in ["213-555-0177", "ada@site.example"] {
        let told = stderr(&service.crm(&format!("opt-out {value}")).assert().code(2));
        assert!(told.contains("is no file, but a number or an address"), "{told}");
        assert!(told.contains(&format!("`echo {value} | crm opt-out -`")), "{told}");
    }
    let told = stderr(&service.crm("opt-out june.csv").assert().failure());
    assert!(told.contains("No such file"), "{told}");
}

#[test]
fn a_page_never_replaces_the_list_that_it_is_about() {
    let service = Service::start();
    service.write("rows.csv", ROWS);
    for page in ["rows.csv", "rows"] {
        let command = format!("plan rows.csv --out set.crm --page {page}");
        let told = stderr(&service.crm(&command).assert().code(2));
        assert!(told.contains("is the input: name another file"), "{told}");
    }
    assert_eq!(service.read("rows.csv"), ROWS);
    assert!(!service.home.path().join("set.crm").exists());
    service.write("list.csv", "phone\n818-555-0142\n");
    service.ok("opt-out list.csv --page page.html --out opt-out.crm");
    assert!(service.read("page.html").starts_with("<!DOCTYPE html>"));

    // Nor the page of another set.
    let told =
        stderr(&service.crm("plan rows.csv --out set.crm --page page.html").assert().code(2));
    assert!(told.contains("page.html is there already"), "{told}");
    service.ok("plan rows.csv --out other.crm --page page.html --overwrite");
    service.ok("report opt-out.crm --html page.html --overwrite");

    // Nor anything else that is no page, or no data of one.
    service.ok("report opt-out.crm --html page.html");
    service.write("other.csv", "name\nAda\n");
    for page in ["other.csv", "other"] {
        for command in ["report opt-out.crm --html", "plan rows.csv --out set.crm --page"] {
            let told = stderr(&service.crm(&format!("{command} {page}")).assert().code(2));
            assert!(told.contains("other.csv is there already"), "{told}");
        }
    }
    assert_eq!(service.read("other.csv"), "name\nAda\n");
    assert!(!service.home.path().join("set.crm").exists());
}

#[test]
fn columns_that_are_not_read_are_told_also_where_nothing_is_planned() {
    let service = Service::start();
    service.write("rows.csv", "customer_id,contact_id,marketing,branch\n1001,4001,off,LA\n");
    let told = stderr(&service.crm("plan rows.csv").assert().code(2));
    assert!(told.contains("columns that are not read: marketing, branch\n"), "{told}");
    assert!(told.contains("is `marketing` meant to be marketing_updates?"), "{told}");
    let told = stderr(&service.crm("plan rows.csv --ignore-columns marketing").assert().code(2));
    assert!(!told.contains("meant to be"), "{told}");
}

#[test]
fn the_contacts_that_an_entry_reached_come_back_as_rows_of_a_plan() {
    let service = Service::start();
    service.write("list.csv", "phone\n213-555-0177\n");
    service.ok("opt-out list.csv --out set.crm");
    assert_eq!(service.ok("results set.crm").lines().count(), 2);
    let by_contact = service.crm("results set.crm --by-contact --out rows.csv").assert().success();
    let told = stderr(&by_contact);
    assert!(told.contains("without 2 contact methods of people"), "{told}");
    assert_eq!(service.read("rows.csv").lines().count(), 8);
    let planned = service.ok("plan rows.csv --out again.crm");
    assert!(planned.contains("7  planned    update"), "{planned}");
}

#[test]
fn a_profile_has_its_sets_applied_only_once_they_are_approved() {
    let service = Service::start();
    service.write("rows.csv", ROWS);
    std::fs::create_dir(service.home.path().join("crm")).unwrap();
    service.write("crm/config.toml", "[profiles.default]\nrequire_approval = true\n");
    service.ok(&["plan", "rows.csv", "--out", "set.crm"]);
    let planned = service.ok("plan rows.csv --out again.crm");
    assert!(planned.contains("next: crm report again.crm --html again.html\n"), "{planned}");
    assert!(planned.contains("next: crm approve again.crm --by NAME --expect "), "{planned}");
    assert!(planned.contains("next: crm apply again.crm\n"), "{planned}");
    let refused = stderr(&service.crm("apply set.crm").assert().code(2));
    assert!(refused.contains("nobody approved"), "{refused}");
    assert!(!refused.contains("continues"), "{refused}");
    service.ok("approve set.crm --by Ana");
    service.ok("apply set.crm");
    assert_eq!(service.writes(), ["PATCH"]);
}

#[test]
fn a_set_is_applied_only_as_it_was_approved() {
    let service = Service::start();
    service.write("rows.csv", ROWS);
    let planned = service.ok(&["plan", "rows.csv", "--out", "set.crm"]);
    let digest = planned.lines().find_map(|line| line.strip_prefix("digest "));
    let digest = digest.unwrap();
    assert_eq!(digest.len(), 16);
    for told in [
        service.ok(&["status", "set.crm"]),
        service.ok(&["report", "set.crm"]),
        stderr(&service.crm(&["show", "set.crm"]).assert().success()),
    ] {
        assert!(told.contains(digest), "{told}");
    }
    let status = json(&service.ok(&["status", "set.crm", "--output", "json"]));
    let whole = status["digest"].as_str().unwrap();
    assert!(whole.len() == 64 && whole.starts_with(digest), "{whole}");

    let refused = |digest: &str| {
        let apply = ["apply", "set.crm", "--expect", digest];
        stderr(&service.crm(&apply).assert().code(2))
    };
    let told = refused("00000000000000000000");
    assert!(told.contains(digest) && told.contains("nothing was sent"), "{told}");
    assert!(refused(&digest[..15]).contains("16 to 64"));
    assert_eq!(service.writes(), [""; 0]);
    service.ok(&["apply", "set.crm", "--expect", digest]);
    service.ok(&["apply", "set.crm", "--expect", whole]);
    assert_eq!(service.writes(), ["PATCH"]);
}

#[test]
fn whatever_makes_a_set_says_what_comes_next_in_the_same_way() {
    let service = Service::start();
    service.write("rows.csv", ROWS);
    service.write("list.csv", "phone\n213-555-0177\n");
    service.ok(&["plan", "rows.csv", "--out", "done.crm"]);
    service.ok(&["apply", "done.crm"]);
    service.write("more.csv", "location_id,contact_id,memo\n2001,3001,a\n2001,3002,b\n");
    for (command, set) in [
        ("plan more.csv --out plan.crm", "plan"),
        ("opt-out list.csv --out out.crm", "out"),
        ("undo done.crm --out undo.crm", "undo"),
        ("drop plan.crm 1", "plan"),
    ] {
        let said = service.ok(command);
        let next = format!("next: crm apply {set}.crm\n");
        let or = format!("or, to have it approved first: crm report {set}.crm --html {set}.html\n");
        assert!(said.contains(&next) && said.contains(&or), "{command}: {said}");
        let report = format!("report {set}.crm --html {set}.html --overwrite");
        let report = service.ok(&report);
        let approve = report.trim_end().strip_prefix("next: crm ").unwrap();
        assert!(
            approve.starts_with(&format!("approve {set}.crm --by NAME --expect ")),
            "{approve}"
        );
        if command.starts_with("drop") {
            let approved = service.ok(approve);
            assert!(
                approved.ends_with("next: crm apply plan.crm --require-approval\n"),
                "{approved}"
            );
            assert!(!service.ok("status plan.crm").contains("approved first"), "it is");
            assert_eq!(service.ok("report plan.crm --html plan.html --overwrite"), "");
        }
    }
}

#[test]
fn a_set_that_an_audit_makes_says_what_comes_next_too() {
    let service = Service::build(Sandbox::builder().seed(Seed::Untidy));
    let audited = service.crm("audit --fix mend.crm").assert().success();
    let said = stderr(&audited);
    for next in [
        "next: crm apply mend.crm\n",
        "or, to have it approved first: crm report mend.crm --html mend.html\n",
    ] {
        assert!(said.contains(next), "{said}");
    }
}

#[test]
fn what_a_set_has_done_is_read_back_in_every_format() {
    let service = Service::start();
    service.write("rows.csv", ROWS);
    service.ok(&["plan", "rows.csv", "--out", "set.crm"]);
    service.ok(&["apply", "set.crm"]);
    let verified = service.crm(&["verify", "set.crm"]).assert().success();
    assert_eq!(stdout(&verified), "set.crm: 1 of 1 change still as done\n");
    let verified = service.crm(&["verify", "set.crm", "--output", "json"]).assert().success();
    assert_eq!(stdout(&verified), "[]\n");
    assert!(stderr(&verified).contains("1 of 1 change still as done"), "{}", stderr(&verified));

    let update = ["location-contacts", "update", "2001", "3001"];
    service.ok(&[&update[..], &["--memo", "by hand"]].concat());
    let verify = |format: &str| {
        let verify = ["verify", "set.crm", "--output", format];
        let verified = service.crm(&verify).assert().code(8);
        (stdout(&verified), stderr(&verified))
    };
    let (table, told) = verify("table");
    assert!(table.contains("memo is by hand, was made Gate code 4411"), "{table}");
    assert!(told.contains("0 of 1 change still as done, 1 no longer"), "{told}");
    let (csv, _) = verify("csv");
    assert!(
        csv.starts_with(
            "id,row,ownerKind,ownerId,contactId,ownerName,ownerTown,type,value,action,doneAt,found,\
         difference,readAt\n1,1,location,2001,3001,"
        ),
        "{csv}"
    );
    let (found, _) = verify("json");
    let found = json(&found);
    assert_eq!(found[0]["found"], "differs", "{found}");
    assert!(found[0]["readAt"].is_string());
    let page = service.ok(&["report", "set.crm"]);
    assert!(page.contains("memo is by hand, was made Gate code 4411"), "{page}");
    assert_eq!(service.writes(), ["PATCH", "PATCH"]);
}

#[test]
fn a_new_contact_with_some_flags_takes_a_word_on_the_others() {
    let service = Service::start();
    let rows =
        "location_id,action,type,value,marketing_updates\n2002,create,Email,a@site.example,off\n";
    service.write("rows.csv", rows);
    let plan = ["plan", "rows.csv", "--out", "set.crm"];
    let refused = stderr(&service.crm(&plan).assert().code(2));
    assert!(refused.contains("--unknown-flags"), "{refused}");
    let planned = service.ok(&[&plan[..], &["--unknown-flags", "off"]].concat());
    assert!(planned.contains("become off: somebody chose that"), "{planned}");
    service.ok(&["apply", "set.crm"]);
    service.ok(&["verify", "set.crm"]);
}

#[test]
fn a_set_that_was_edited_is_refused_as_a_wrong_input() {
    let service = Service::start();
    service.write("rows.csv", ROWS);
    service.ok(&["plan", "rows.csv", "--out", "set.crm"]);
    let path = service.home.path().join("set.crm");
    let mut bytes = fs::read(&path).unwrap();
    let memo = b"Gate code 4411";
    // Not in the row as it was given, where it stands in quotes.
    let quoted = [b"\"", &memo[..]].concat();
    let is_planned = |at: &usize| {
        bytes[*at..].starts_with(memo) && !bytes[..*at + memo.len()].ends_with(&quoted)
    };
    let at = (0..bytes.len()).find(is_planned).unwrap();
    bytes[at + memo.len() - 1] ^= 1;
    fs::write(&path, bytes).unwrap();
    for command in [
        &["apply", "set.crm"][..],
        &["show", "set.crm"],
        &["report", "set.crm"],
        &["results", "set.crm"],
        &["undo", "set.crm", "--out", "undo.crm"],
    ] {
        let told = stderr(&service.crm(command).assert().code(2));
        assert!(told.contains("is not what was planned: change 1 altered"), "{told}");
    }
    assert_eq!(service.writes(), [""; 0]);
}

#[test]
fn a_dry_run_tells_what_would_be_sent_what_has_drifted_and_why_it_ended() {
    let service = Service::start();
    service
        .write("rows.csv", "location_id,contact_id,memo\n2001,3001,x\n2001,3002,x\n2001,3004,x\n");
    service.ok(&["plan", "rows.csv", "--out", "set.crm"]);
    let update = ["location-contacts", "update", "2001"];
    service.ok(&[&update[..], &["3001", "--memo", "by hand"]].concat());
    service.ok(&[&update[..], &["3002", "--memo", "x"]].concat());

    let dry = ["apply", "set.crm", "--dry-run"];
    let told = service.crm(&dry).assert().success();
    let (text, notes) = (stdout(&told), stderr(&told));
    assert!(text.contains("    drifted: ") && text.contains("somebody changed memo"), "{text}");
    let counts = "dry run, nothing was sent: 1 to be sent, 1 so already, 1 drifted";
    assert!(notes.contains(counts), "{notes}");
    let changes = service.json(&dry);
    let states: Vec<_> = changes.as_array().unwrap().iter().map(|it| &it["state"]).collect();
    assert_eq!(states, ["drifted", "planned"], "{changes}");
    let csv = [&dry[..], &["--output", "csv", "--fields", "ownerId,ownerName,state"]].concat();
    let csv = service.ok(&csv);
    assert!(csv.starts_with("ownerId,ownerName,state\n2001,\"Harbor"), "{csv}");

    let abort = [&dry[..], &["--on-drift", "abort"]].concat();
    let told = stderr(&service.crm(&abort).assert().failure());
    let reason = "the dry run ended early: a contact is no longer what the plan saw";
    assert!(told.contains(reason), "{told}");
    assert_eq!(service.writes(), ["PATCH", "PATCH"]);
}

#[test]
fn a_snapshot_of_any_age_is_used_alone_where_no_age_is_too_great() {
    let service = Service::start();
    service.write("rows.csv", ROWS);
    service.ok(&["snapshot", "contacts"]);
    let pulled = service.sandbox.log().len();
    let plan = ["plan", "rows.csv", "--out", "set.crm"];
    let any_age = ["--snapshot", "contacts", "--max-age"];
    let any_age = [&any_age[..], &["18446744073709551615"]].concat();
    let planned = service.crm(&[&plan[..], &any_age, &["--no-names"]].concat()).assert();
    let told = stderr(&planned.success());
    assert_eq!(told.lines().count(), 1, "the target alone: {told}");
    assert_eq!(service.sandbox.log().len(), pulled);
}

#[test]
fn wrong_rows_are_listed_and_written_to_be_mended() {
    let service = Service::start();
    service.write("rows.csv", "location_id,contact_id,memo\n0,3001,x\n2001,3002,y\n");
    let plan = ["plan", "rows.csv", "--out", "set.crm", "--mend", "mend.csv"];
    let refused = service.crm(&plan).assert().code(2);
    let text = stderr(&refused);
    assert!(text.contains("line 2, location_id `0`: must be a positive whole number"), "{text}");
    assert!(service.read("mend.csv").contains("0,3001,x,2,"));
    // Who plans the mended rows alone would leave out all others.
    for told in ["mend.csv has these rows alone", "right rows are not planned", "--skip-invalid"] {
        assert!(text.contains(told), "{told}: {text}");
    }
    let detailed = [&plan[..], &["--detailed-exitcode"]].concat();
    service.crm(&detailed).assert().code(1);
    let skipping = [&plan[..], &["--skip-invalid"]].concat();
    let planned = service.crm(&skipping).assert().success();
    assert!(stderr(&planned).contains("left out: 1 invalid row"));
}

#[test]
fn an_opt_out_reaches_every_copy_and_says_what_it_cannot_do() {
    let service = Service::start();
    service
        .write("list.csv", "number,received\n+1 213 555 0177,2026-11-20\nnobody@site.example,\n");
    let plan = ["opt-out", "list.csv", "--out", "set.crm"];
    let text = service.ok(&plan);
    assert!(text.contains("7  planned    update"), "{text}");
    assert!(text.contains("2  planned    method-preferences"), "{text}");
    let next = "found nowhere: 1 row\nnext: crm apply set.crm\nnext: crm report set.crm --html set.html  # the evidence\n";
    assert!(text.contains(next), "{text}");
    let list = "the list: 2 rows, 2 different numbers and addresses, 1 of them found\n";
    assert!(text.contains(list), "{text}");
    let detailed = ["opt-out", "list.csv", "--out", "again.crm", "--detailed-exitcode"];
    service.crm(&detailed).assert().code(2);
    assert!(text.contains("Text messages are not covered"), "{text}");
    service.ok(&["apply", "set.crm"]);
    let page = service.ok(&["report", "set.crm"]);
    assert_eq!(page.matches("<span class=\"done\">done</span>").count(), 9);
    assert!(page.contains("To be done by 2026-12-04"), "{page}");
    assert!(page.contains("Not found anywhere."), "{page}");
}

#[test]
fn a_canary_leaves_the_rest_and_read_only_sends_nothing() {
    let service = Service::start();
    service
        .write("rows.csv", "location_id,contact_id,memo\n2001,3001,x\n2001,3002,x\n2001,3004,x\n");
    service.ok(&["plan", "rows.csv", "--out", "set.crm"]);
    let refused = service.crm(&["apply", "set.crm", "--read-only"]).assert().code(2);
    assert!(stderr(&refused).contains("read-only: 3 changes of set.crm"), "{}", stderr(&refused));

    let canary = service.crm(&["apply", "set.crm", "--canary", "1"]).assert().success();
    assert!(stderr(&canary).contains("2 changes left: crm apply set.crm continues"));
    let status = json(&service.ok(&["status", "set.crm", "--output", "json"]));
    assert_eq!((&status["totals"]["done"]["update"], &status["open"]), (&1.into(), &2.into()));
}

#[test]
fn a_canary_that_failed_is_no_success_and_a_repeat_of_failures_is_a_write() {
    let service = Service::start();
    service.write("rows.csv", "location_id,contact_id,memo\n2001,3001,x\n2001,3002,x\n");
    service.ok(&["plan", "rows.csv", "--out", "set.crm"]);
    let refuse = |status| FaultRule::new(Fault::Status { status }).method("PATCH");
    let refused = FaultPlan::new().rule(refuse(400).times(0));
    service.sandbox.inject(refused);
    let canary = ["apply", "set.crm", "--canary", "1"];
    service.crm(&canary).assert().code(3);
    service.crm(&["apply", "set.crm"]).assert().code(3);

    let again = ["apply", "set.crm", "--retry-failed"];
    let held_back = [&again[..], &["--read-only"]].concat();
    let refused = service.crm(&held_back).assert().code(2);
    assert!(stderr(&refused).contains("2 changes of set.crm"));
    let failed = ["status", "set.crm", "--output", "json"];
    assert_eq!(json(&service.ok(&failed))["totals"]["failed"]["update"], 2);
    service.sandbox.inject(FaultPlan::new());
    service.ok(&again);
}

#[test]
fn a_service_that_does_not_answer_writes_ends_a_run_after_a_few() {
    let builder = Sandbox::builder().seed(Seed::Count(100));
    let service = Service::build(builder);
    let row = |id: i32| format!("{},{id},x\n", (id + 3) / 4);
    let rows: String = (1..=100).map(row).collect();
    service.write("rows.csv", &format!("location_id,contact_id,memo\n{rows}"));
    service.ok(&["plan", "rows.csv", "--out", "set.crm"]);
    let down = FaultRule::new(Fault::Status { status: 503 }).method("PATCH");
    service.sandbox.inject(FaultPlan::new().rule(down.times(0)));
    let apply = ["apply", "set.crm", "--output", "json"];
    let ended = service.crm(&apply).assert().code(6);
    let told = json(&stdout(&ended));
    assert_eq!(told["outcome"]["reason"], "outage", "{told}");
    let writes = service.writes().len();
    assert!((20..=60).contains(&writes), "{writes}");
    assert_eq!(told["outcome"]["states"]["unknown"], writes, "{told}");
    let left = 100 - writes;
    let summary = format!(
        "the service does not answer writes: {writes} with an unknown outcome, {left} not begun; \
         crm apply set.crm continues, after reading back what is unknown"
    );
    assert_eq!(told["error"]["message"], summary);

    service.sandbox.inject(FaultPlan::new());
    service.ok(&apply);
}

#[test]
fn an_outage_that_leaves_nothing_unknown_ends_with_code_5() {
    let service = Service::build(Sandbox::builder().seed(Seed::Count(100)));
    let row = |id: i32| format!("{},{id},x\n", (id + 3) / 4);
    let rows: String = (1..=100).map(row).collect();
    service.write("rows.csv", &format!("location_id,contact_id,memo\n{rows}"));
    service.ok(&["plan", "rows.csv", "--out", "set.crm"]);
    // A refusal that says that the write was not executed.
    let down = FaultRule::new(Fault::Maintenance).method("PATCH");
    service.sandbox.inject(FaultPlan::new().rule(down.times(0)));
    let apply = ["apply", "set.crm", "--output", "json"];
    let ended = service.crm(&apply).assert().code(5);
    let told = json(&stdout(&ended));
    assert_eq!(told["outcome"]["states"]["planned"], 100, "{told}");
    let message = told["error"]["message"].as_str().unwrap();
    assert!(message.ends_with(": 100 not begun; crm apply set.crm continues"), "{message}");

    service.sandbox.inject(FaultPlan::new());
    service.ok(&apply);
}

/// Three updates, of which the API refuses one.
fn one_of_three_fails(service: &Service) {
    service
        .write("rows.csv", "location_id,contact_id,memo\n2001,3001,x\n2001,3002,x\n2001,3004,x\n");
    service.ok(&["plan", "rows.csv", "--out", "set.crm"]);
    let refused = FaultRule::new(Fault::Status { status: 400 }).method("PATCH");
    service.sandbox.inject(FaultPlan::new().rule(refused));
}

#[test]
fn what_a_run_came_to_is_one_value_also_where_it_failed() {
    let service = Service::start();
    one_of_three_fails(&service);
    let apply = ["apply", "set.crm", "--output"];
    let failed = service.crm(&[&apply[..], &["json"]].concat()).assert().code(3);
    let told = json(&stdout(&failed));
    assert_eq!(
        told["outcome"],
        serde_json::json!({
            "set": "set.crm",
            "reason": "complete",
            "states": {"done": 2, "failed": 1},
            "open": 0,
            "storedOtherwise": 0,
        })
    );
    assert_eq!(told["error"]["exitCode"], 3);

    let again = [&apply[..], &["ndjson", "--retry-failed"]].concat();
    let told = service.ok(&again);
    assert_eq!(told.lines().count(), 1, "{told}");
    assert_eq!(json(&told)["states"]["done"], 3);
}

#[test]
fn a_reader_that_goes_away_hides_no_failure() {
    let service = Service::start();
    one_of_three_fails(&service);
    let mut child = service.spawn(&["apply", "set.crm"]);
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{text}");
    assert!(text.contains("2 done, 1 failed or set aside; see "), "{text}");
}

#[test]
fn a_canary_is_not_one_of_failures() {
    let service = Service::start();
    one_of_three_fails(&service);
    let both = ["apply", "set.crm", "--canary", "1", "--retry-failed"];
    service.crm(&both).assert().code(2);
    assert!(service.writes().is_empty());
}

/// A service whose writes take their time, and a set `set.crm` for it.
#[cfg(unix)]
fn slow_to_write() -> Service {
    // So many that a run goes on until it is ended, however busy the machine is.
    let service = Service::build(Sandbox::builder().seed(Seed::Count(400)));
    let contacts = service.sandbox.location_contacts().unwrap();
    let rows = contacts.iter().filter(|contact| contact.active);
    let rows = rows.map(|contact| format!("{},{},x\n", contact.owner_id, contact.id));
    let rows = rows.collect::<String>();
    service.write("rows.csv", &format!("location_id,contact_id,memo\n{rows}"));
    service.ok(&["plan", "rows.csv", "--out", "set.crm"]);
    let slow = FaultRule::new(Fault::Delay { milliseconds: 500 });
    let slow = FaultPlan::new().rule(slow.method("PATCH").times(0));
    service.sandbox.inject(slow);
    service
}

#[cfg(unix)]
#[test]
fn a_run_whose_set_is_deleted_or_moved_begins_nothing_more_and_lists_what_was_in_flight() {
    let service = slow_to_write();
    let set = service.home.path().join("set.crm");
    let moved = service.home.path().join("moved.crm");
    for (words, displace) in [
        (
            "set.crm was moved while it was applied",
            &(|| fs::rename(&set, &moved)) as &dyn Fn() -> std::io::Result<()>,
        ),
        ("moved.crm was deleted while it was applied", &|| fs::remove_file(&moved)),
    ] {
        let name = words.split(' ').next().unwrap();
        let apply = ["apply", name, "--concurrency", "2"];
        let mut child = service.spawn(&apply);
        let wait_for_two_more = |child: &mut std::process::Child| {
            let before = service.writes().len();
            while service.writes().len() < before + 2 {
                common::wait_beside(child);
            }
        };
        wait_for_two_more(&mut child);
        let second = service.crm(&apply).assert().code(2);
        assert!(stderr(&second).contains("is already being applied"));
        // That took about as long as the two: others have just begun now.
        wait_for_two_more(&mut child);
        displace().unwrap();
        let output = child.wait_with_output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{told}");
        assert!(told.contains(words), "{told}");
        let listed = told.matches("was in flight: location").count();
        assert!((1..=2).contains(&listed), "{told}");
    }
    let beside = fs::read_dir(service.home.path()).unwrap().flatten();
    let mut beside = beside.map(|file| file.file_name().into_string().unwrap());
    assert!(!beside.any(|name| name.contains(".crm")), "nothing is left beside");
}

#[cfg(unix)]
#[test]
fn a_run_that_is_told_to_end_finishes_what_is_in_flight_and_ends_by_the_signal() {
    let service = slow_to_write();
    for (signal, number, exit) in [("INT", 2, 130), ("TERM", 15, 143)] {
        let before = service.writes().len();
        let apply = ["apply", "set.crm", "--concurrency", "1", "--output", "json"];
        let mut child = service.spawn(&apply);
        while service.writes().len() == before {
            common::wait_beside(&mut child);
        }
        let (told, ended_by) = common::end_with(signal, child);
        assert_eq!(ended_by, Some(number), "{told}");
        let told = json(&told);
        assert_eq!(told["outcome"]["reason"], "stopped");
        assert_eq!(told["error"]["exitCode"], exit);
        assert_ne!(told["outcome"]["open"], 0, "{told}");
        assert_eq!(told["outcome"]["states"]["in-flight"], Value::Null);
    }
}

#[cfg(unix)]
#[test]
fn a_plan_that_is_told_to_end_leaves_no_contacts_behind() {
    use std::os::unix::fs::PermissionsExt;

    let service = Service::start();
    service.write("list.csv", "number\n+1 213 555 0177\n");
    let slow = FaultRule::new(Fault::Delay { milliseconds: 60_000 });
    service.sandbox.inject(FaultPlan::new().rule(slow.method("GET").times(0)));
    service.write("rows.csv", ROWS);
    let home = service.home.path();
    let unfinished = || {
        let mut files = fs::read_dir(home).unwrap().flatten();
        files.find(|file| file.file_name().to_str().unwrap().contains(".partial"))
    };
    // The mirror of the desk, which stays, and goes on where it stopped.
    let mirror = || {
        let mut desks = fs::read_dir(home.join(".local/share/crm/desks")).ok()?.flatten();
        desks.find(|desk| desk.path().join("mirror.db").exists())
    };
    let is_private = |made: fs::DirEntry| {
        let mode = made.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{mode:o}");
    };
    type Made<'a> = &'a dyn Fn() -> Option<fs::DirEntry>;
    let begun: [(&[&str], Made); 3] = [
        // While there is no mirror, owners are read for rows.
        (&["plan", "rows.csv"], &unfinished),
        (&["opt-out", "list.csv"], &mirror),
        (&["plan", "--lowercase-emails"], &mirror),
    ];
    for (command, made) in begun {
        let mut child = service.spawn(&[command, &["--out", "set.crm"]].concat());
        is_private(loop {
            match made() {
                Some(made) => break made,
                None => common::wait_beside(&mut child),
            }
        });
        let (_, ended_by) = common::end_with("INT", child);
        assert_eq!(ended_by, Some(2));
        assert!(unfinished().is_none(), "{command:?}");
        assert!(!home.join("set.crm").exists(), "{command:?}");
    }
}

/// Also where they would come from a pipe that has a name.
#[cfg(unix)]
#[test]
fn a_plan_whose_rows_do_not_come_ends_at_once_and_leaves_nothing() {
    use std::{io::Write, process::Stdio, time::Instant};

    let service = Service::start();
    service.ok(&["snapshot", "contacts"]);
    let files = || fs::read_dir(service.home.path()).unwrap().count();
    let before = files();
    // The companions of the snapshot, which is opened first, are no set yet.
    let has_draft = || {
        let names = fs::read_dir(service.home.path()).unwrap().map(|it| it.unwrap().file_name());
        names.into_iter().any(|name| !name.to_string_lossy().starts_with("contacts"))
    };
    for command in [
        &["plan", "-"][..],
        &["plan", "/dev/stdin"],
        &["plan", "-", "--snapshot", "contacts"],
        &["opt-out", "-", "--snapshot", "contacts"],
        &["opt-out", "-", "--ndjson", "--snapshot", "contacts"],
    ] {
        let mut process = service.process(&[command, &["--out", "set.crm"]].concat());
        let mut child = process
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Stays open.
        let mut rows = child.stdin.take().unwrap();
        rows.write_all(b"location_id,contact_id,memo\n2001,3001,one\n").unwrap();
        while !has_draft() {
            common::wait_beside(&mut child);
        }
        let told = Instant::now();
        let (_, ended_by) = common::end_with("INT", child);
        assert_eq!(ended_by, Some(2), "{command:?}");
        // Well below the time that a command has for its temporary files.
        assert!(told.elapsed().as_secs() < 3, "{command:?}: {:?}", told.elapsed());
        assert_eq!(files(), before, "{command:?}");
        drop(rows);
    }
}

#[test]
fn a_backup_keeps_what_was_done_and_is_never_applied() {
    let service = Service::start();
    service.write("rows.csv", ROWS);
    service.ok(&["plan", "rows.csv", "--out", "set.crm"]);
    let backup = ["backup", "set.crm", "--out", "kept.crm"];
    service.ok(&backup);
    service.ok(&["apply", "set.crm"]);
    let writes = service.writes();
    let refused = service.crm(&["apply", "kept.crm"]).assert().failure();
    assert!(stderr(&refused).contains("is a backup of"), "{}", stderr(&refused));
    assert_eq!(service.writes(), writes);
    let planned = service.json(&["show", "kept.crm", "--state", "planned"]);
    assert_eq!(planned.as_array().map(Vec::len), Some(1));
    // It replaces nothing, and what was done since is in the next one.
    service.crm(&backup).assert().failure();
    service.ok(&["backup", "set.crm", "--out", "later.crm"]);
    let done = service.json(&["show", "later.crm", "--state", "done"]);
    assert_eq!(done.as_array().map(Vec::len), Some(1));
}

#[test]
fn a_run_that_breaks_off_says_how_far_it_came_and_how_to_go_on() {
    let service = Service::start();
    service.write("rows.csv", "location_id,contact_id,memo\n2001,3001,x\n");
    service.ok(&["plan", "rows.csv", "--out", "set.crm"]);
    let unreadable = FaultRule::new(Fault::Status { status: 403 }).method("GET");
    let unreadable = FaultPlan::new().rule(unreadable.times(0));
    service.sandbox.inject(unreadable);
    let broken = service.crm(&["apply", "set.crm"]).assert().failure();
    let text = stderr(&broken);
    assert!(text.contains("set.crm: 1 planned"), "{text}");
    assert!(text.contains("1 change left: crm apply set.crm continues"), "{text}");
    assert!(!text.contains("nothing was changed"), "{text}");
}

#[test]
fn a_set_of_one_environment_is_refused_by_another() {
    let (service, other) = (Service::start(), Service::start());
    service.write("rows.csv", ROWS);
    service.ok(&["plan", "rows.csv", "--out", "set.crm"]);
    let set = service.home.path().join("set.crm");
    let refused = other.crm(&["apply", set.to_str().unwrap()]).assert().code(2);
    assert!(stderr(&refused).contains("nothing was sent"), "{}", stderr(&refused));
}

#[test]
fn clean_ups_need_no_list() {
    let service = Service::start();
    let plan = "plan --lowercase-emails --replace-domain harborbakery.example=harbor.example \
                --out set.crm";
    let text = service.ok(&plan);
    assert!(text.contains("→ office@harbor.example"), "{text}");
}

#[test]
fn an_output_never_replaces_the_set() {
    let service = Service::start();
    service.write("rows.csv", ROWS);
    service.ok(&["plan", "rows.csv", "--out", "set.crm"]);
    let commands = [
        ["results", "set.crm", "--out", "set.crm"],
        ["report", "set.crm", "--html", "./set.crm"],
        ["apply", "set.crm", "--audit", "./set.crm"],
    ];
    for command in commands {
        let refused = service.crm(&command).assert().code(2);
        assert!(stderr(&refused).contains("is the change set"));
    }
    service.ok(&["status", "set.crm"]);

    service.ok(&["plan", "rows.csv", "--out", "set.html.csv"]);
    let refused = service.crm(&["report", "set.html.csv", "--html", "set.html"]).assert().code(2);
    assert!(stderr(&refused).contains("set.html.csv is the change set"));
    assert!(!service.home.path().join("set.html").exists());
    service.ok(&["status", "set.html.csv"]);
    assert!(service.ok(&["report", "set.html.csv", "--html", "-"]).starts_with("<!DOCTYPE html>"));
}

#[test]
fn a_format_that_a_page_or_the_rows_do_not_have_is_refused() {
    let service = Service::start();
    service.write("rows.csv", ROWS);
    service.ok(&["plan", "rows.csv", "--out", "set.crm"]);
    for (command, format) in [
        (&["report", "set.crm"][..], "json"),
        (&["report", "set.crm"], "csv"),
        (&["results", "set.crm"], "json"),
        (&["results", "set.crm", "--out", "rows.out"], "ndjson"),
        (&["plan", "--template"], "json"),
        (&["api", "get", "/locations/2001/contacts"], "csv"),
        (&["completions", "bash"], "ndjson"),
        (&["man"], "json"),
    ] {
        let refused = service.crm(&[command, &["--output", format]].concat()).assert().code(2);
        let answer = stdout(&refused);
        assert!(stderr(&refused).contains("leave --output out"), "{command:?}");
        assert_eq!(answer.is_empty(), format == "csv", "{command:?}: {answer}");
        if format != "csv" {
            assert_eq!(json(&answer)["error"]["kind"], "usage", "{command:?}");
        }
    }
    let results = service.ok(&["results", "set.crm"]);
    assert_eq!(service.ok(&["results", "set.crm", "--output", "csv"]), results);

    let page = ["report", "set.crm", "--html", "page.html", "--output", "json"];
    let written = json(&service.ok(&page));
    assert_eq!((&written["action"], &written["record"]), (&"written".into(), &"page.html".into()));
    assert!(service.read("page.html").contains("page.html.csv"));
    assert!(service.read("page.html.csv").starts_with("row,line,entry,"));
    assert!(service.read("page.html").starts_with("<!DOCTYPE html>"));
}

#[test]
fn with_detailed_exit_codes_every_failure_is_told_from_changes() {
    let service = Service::start();
    let plan = ["plan", "none.csv", "--out", "set.crm", "--detailed-exitcode"];
    service.crm(&plan).assert().code(1);
    service.crm(&[&plan[..], &["--nonsense"]].concat()).assert().code(1);
    let mut without_settings = common::crm(service.home.path());
    without_settings.args(plan).assert().code(1);
}

#[test]
fn a_domain_that_is_replaced_says_whose_addresses_are_left() {
    let service = Service::start();
    let among_numbers = NewContact::of_customer(1_003, "Phone", "desk@HarborBakery.example");
    let id = service.sandbox.add_contact(among_numbers).unwrap();
    let plan = "plan --replace-domain harborbakery.example=bakery.example --out";
    // An app that may not read people.
    let forbidden = ["Contacts_GetList", "Contacts_SearchContactMethods"].map(|operation| {
        FaultRule::new(Fault::Status { status: 403 }).operation(operation).times(0)
    });
    service.sandbox.inject(forbidden.into_iter().fold(FaultPlan::new(), FaultPlan::rule));
    let without = service.ok(&format!("{plan} early.crm"));
    assert!(without.contains("The addresses of people were not looked at"), "{without}");

    service.sandbox.inject(FaultPlan::new());
    service.ok("mirror update");
    let planned = service.ok(&format!("{plan} set.crm"));
    for part in [
        "note: 1 address of a person has a domain that is replaced and is not changed: ",
        "crm contact-methods update",
        "note: 1 address under a telephone's type has a domain that is replaced and is not changed: ",
        &format!("customer 1003, contact {id}. `crm audit --rule email-in-phone --fix`"),
    ] {
        assert!(planned.contains(part), "{part}: {planned}");
    }
    let other = service.ok("plan --lowercase-emails --out other.crm");
    assert!(!other.contains("domain"), "{other}");
}

#[test]
fn a_sheet_from_before_an_opt_out_says_what_it_would_turn_on_again() {
    let service = Service::start();
    service.write("list.csv", "phone\n2135550177\n");
    service.ok("opt-out list.csv --without-people");
    let set = service.json("sets")[0]["name"].as_str().unwrap().to_owned();
    service.ok(&format!("apply {set} --yes"));
    let done = service.json(&["show", &set, "--state", "done", "--where", "action=update"]);
    let rows = done.as_array().unwrap().iter().take(2).map(|change| {
        let kind = change["ownerKind"].as_str().unwrap();
        let ids = [&change["ownerId"], &change["contactId"]].map(Value::to_string);
        let [owner, contact] = ids;
        match kind {
            "customer" => format!("{owner},,{contact},on\n"),
            _ => format!(",{owner},{contact},on\n"),
        }
    });
    // One more that nobody opted out.
    let off = "1001,,4002,on\n".to_owned();
    let rows: String = rows.chain([off]).collect();
    let header = "customer_id,location_id,contact_id,marketing_updates\n";
    service.write("stale.csv", &format!("{header}{rows}"));
    let planned = service.ok("plan stale.csv --out stale.crm --page stale.html");
    let told =
        |many: &str| format!("Look at this first: {many} (marketing goes on again, which {set}");
    let page_of_now = || fs::read_to_string(service.home.path().join("stale.html")).unwrap();
    let page = page_of_now();
    for told in [&told("2 changes"), "3 changes turn marketing on."] {
        assert!(planned.contains(told) && page.contains(told), "{planned}");
    }
    let first = page.find("p class=\"note\"").unwrap();
    assert!(page[first..].contains("Look at this first"), "{page}");
    // It is marked at the changes themselves, and said again whenever somebody decides about them.
    let marked = service.json("show stale.crm --where has=caution");
    let why = format!("marketing goes on again, which {set} turned off on ");
    let marked = marked.as_array().unwrap();
    assert_eq!(marked.len(), 2, "{marked:?}");
    assert!(marked.iter().all(|it| it["caution"].as_str().unwrap().starts_with(&why)));
    assert!(service.ok("show stale.crm").contains(&format!("look at this first: {why}")));
    let csv = fs::read_to_string(service.home.path().join("stale.html.csv")).unwrap();
    let attention = page.split("Needs attention").nth(1).unwrap().split("<h2>").next().unwrap();
    assert_eq!((csv.matches(&why).count(), attention.matches(&why).count()), (2, 2), "{page}");
    let first = "changes are to be looked at first: crm show stale.crm --where has=caution";
    let approved = service.crm("approve stale.crm --by Ana").assert().success();
    assert!(stderr(&approved).contains(&format!("2 {first}")), "{}", stderr(&approved));
    assert_eq!(service.json("status stale.crm")["cautioned"], 2);
    // What is dropped is not counted any more, wherever somebody decides by the number.
    let number = marked[0]["id"].to_string().replace('"', "");
    service.ok(&format!("drop stale.crm {number}"));
    service.ok("report stale.crm --html stale.html");
    for now in [service.ok("status stale.crm"), page_of_now()] {
        assert!(now.contains(&told("1 change")), "{now}");
        assert!(now.contains("2 changes turn marketing on."), "{now}");
        assert!(!now.contains("3 changes turn"), "{now}");
    }
    service.ok("drop stale.crm --where has=caution");
    let status = service.ok("status stale.crm");
    assert!(status.contains("note: 1 change turns marketing on.\n"), "{status}");
    assert!(!status.contains("Look at this first"), "{status}");
    let applied = service.crm("apply stale.crm --yes").assert().success();
    assert!(!stderr(&applied).contains("looked at first"), "{}", stderr(&applied));
    assert_eq!(service.json("status stale.crm")["totals"]["done"]["update"], 1);
    // What turns nothing on says nothing of it.
    service.write("other.csv", &format!("{header}1001,,4002,off\n"));
    let other = service.ok("plan other.csv --out other.crm");
    assert!(!other.contains("marketing on"), "{other}");
}

#[test]
fn a_sheet_says_also_what_others_turned_off_before_it_is_sent_and_after() {
    let service = Service::start();
    service.ok("mirror update");
    let off = "customer-contacts update 1002 4101 --marketing-updates off --yes --no-record";
    service.ok(off);
    service.ok("mirror update");
    service.write("old.csv", "customer_id,contact_id,marketing_updates\n1002,4101,on\n");
    let why = "marketing goes on again, which somebody turned off without crm between ";
    let planned = service.ok("plan old.csv --out old.crm");
    assert!(planned.contains(&format!("look at this first: {why}")), "{planned}");

    // Each is shown before anything is sent, and found afterwards.
    let applied = service.crm("apply old.crm --yes").assert().success();
    let told = stderr(&applied);
    assert!(told.contains("1 change is to be looked at first"), "{told}");
    assert!(told.contains(&format!("    {why}")) && told.contains("contact 4101"), "{told}");
    let found = service.json("show old.crm --where has=caution");
    assert_eq!((&found[0]["state"], found.as_array().unwrap().len()), (&"done".into(), 1));
    let text = service.ok("show old.crm --where has=caution");
    assert!(text.contains(&format!("was to be looked at first: {why}")), "{text}");
    let page = service.ok("report old.crm");
    assert!(page.contains("Was to be looked at first: "), "{page}");
    assert!(!page.contains("Needs attention"), "{page}");
    assert_eq!(service.json("status old.crm")["cautioned"], 0);
    // Nothing of it can be taken out any more.
    let refused = service.crm("drop old.crm --where has=caution").assert().code(2);
    assert!(stderr(&refused).contains("nothing was dropped"), "{}", stderr(&refused));
}

#[test]
fn what_unknown_flags_become_is_said_with_the_number_of_contacts_and_what_ends() {
    let service = Service::start();
    // Of this one the service tells no flags.
    service.write("list.csv", "email\norders@harborbakery.example\n");
    let refused = service.ok("opt-out list.csv --without-people --out refused.crm");
    assert!(refused.contains("`--unknown-flags on`, which lets job reminders"), "{refused}");
    for (choice, told) in [
        ("off", "job reminders, invoices and statements end too; `--unknown-flags on`"),
        ("on", "`--unknown-flags on` turns on every flag that is not named for the contact"),
    ] {
        let plan = format!(
            "opt-out list.csv --without-people --unknown-flags {choice} --out {choice}.crm"
        );
        let planned = service.ok(&plan);
        assert!(planned.contains(told), "{choice}: {planned}");
    }
    service.write("rows.csv", "location_id,contact_id,invoices\n2001,3005,on\n");
    let planned = service.ok("plan rows.csv --unknown-flags on --out rows.crm");
    assert!(planned.contains("marketing too where a row does not name it"), "{planned}");
}

#[test]
fn what_was_never_sent_is_no_refusal_of_the_api() {
    let service = Service::start();
    // The service does not tell what it receives, so one flag alone cannot be sent.
    let contacts = service.sandbox.location_contacts().unwrap();
    let unknown = contacts.iter().find(|it| it.active && it.preferences.is_none()).unwrap();
    let row = format!("{},{},off", unknown.owner_id, unknown.id);
    service.write("rows.csv", &format!("location_id,contact_id,marketing_updates\n{row}\n"));
    service.ok(&["plan", "rows.csv", "--out", "set.crm"]);
    let sent = service.writes().len();
    let ended = service.crm(&["apply", "set.crm"]).assert().code(7);
    let told = stderr(&ended);
    assert!(told.contains("some changes cannot be made, and were not sent: 1 failed"), "{told}");
    assert_eq!(service.writes().len(), sent);
}

#[test]
fn a_change_that_repeats_another_is_in_its_state_in_every_form() {
    let service = Service::start();
    service.write("list.csv", "number\n+1 213 555 0177\n213-555-0177\n");
    service.ok("opt-out list.csv --without-people --out first.crm");
    // Two of the seven are so already.
    service.ok("drop first.crm 3 4 5 6 7");
    service.ok("apply first.crm");
    service.ok("opt-out list.csv --without-people --out set.crm");
    let states = |selection: &str| {
        let mut counts = BTreeMap::new();
        for change in service.json(&format!("show set.crm {selection}")).as_array().unwrap() {
            let key = (change["state"].as_str().unwrap().to_owned(), change["repeats"].is_string());
            *counts.entry(key).or_insert(0) += 1;
        }
        let told = counts.into_iter().map(|((state, repeats), n)| format!("{n} {state} {repeats}"));
        told.collect::<Vec<_>>()
    };
    let already = ["2 already false", "2 already true"];
    assert_eq!(states(""), [&already[..], &["5 planned false", "5 planned true"]].concat());
    service.ok("apply set.crm");
    let done = ["5 done false", "5 done true"];
    assert_eq!(states(""), [&already[..], &done].concat());
    assert_eq!(states("--state done"), done);
    assert_eq!(states("--state already"), already);
    let text = service.ok("show set.crm --state done");
    assert!(
        text.contains("    done, repeats ") && text.contains(": line 2 asks for the same"),
        "{text}"
    );
    // Of one row with several contacts all states are told, in the same words.
    let results = service.ok("results set.crm");
    let rows: Vec<_> = results.lines().skip(1).collect();
    assert!(rows.iter().all(|row| row.contains("5 of 7 contacts done, 2 so already")), "{results}");
}

#[test]
fn a_list_that_names_a_contact_twice_is_counted_once_in_every_form() {
    let service = Service::start();
    service.write("list.csv", "number\n+1 213 555 0177\n213-555-0177\n1-800-FLOWERS\n");
    let plan = ["opt-out", "list.csv", "--out", "set.crm"];
    let refused = stderr(&service.crm(&plan).assert().code(2));
    assert!(refused.contains("--vanity reads letters as digits"), "{refused}");
    let text = service.ok(&[&plan[..], &["--skip-invalid"]].concat());
    assert!(text.contains("7  planned    update"), "{text}");
    assert!(text.contains("9  repeats "), "{text}");
    service.ok(&["apply", "set.crm"]);
    let status = json(&service.ok(&["status", "set.crm", "--output", "json"]));
    assert_eq!(status["list"], serde_json::json!({"rows": 3, "values": 1, "found": 1}));
    assert_eq!((&status["repeats"], &status["totals"]["done"]["update"]), (&9.into(), &7.into()));
    let page = service.ok(&["report", "set.crm"]);
    assert!(page.contains("<b class=\"done\">9</b>done"), "{page:.3000}");
    assert!(page.contains("Left out, since the row is wrong (line 4)"), "{page}");
}
