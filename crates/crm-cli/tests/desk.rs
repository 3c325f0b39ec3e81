//! The desk: what an account has on this machine without being told.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use common::{METHOD, PERSON, Service, stderr, stdout, wait_beside};
use crm_bulk::system_user;
use crm_sandbox::{Fault, FaultPlan, FaultRule, NewContact, Sandbox, Seed};
use rusqlite::Connection;
use serde_json::Value;

/// The desk of the only account that has one.
fn desk(service: &Service) -> PathBuf {
    let desks = service.home.path().join(".local/share/crm/desks");
    let mut all: Vec<_> = fs::read_dir(desks).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

/// Time to look at a run, and to end it, before its write is answered.
fn slow_to_write() -> FaultPlan {
    let slow = FaultRule::new(Fault::Delay { milliseconds: 2_000 });
    FaultPlan::new().rule(slow.method("PATCH").times(0))
}

/// The names of the sets in a desk.
fn sets(desk: &Path) -> Vec<String> {
    let files = fs::read_dir(desk.join("sets")).unwrap();
    let mut names: Vec<_> =
        files.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn an_opt_out_needs_no_file_and_the_next_one_reads_only_what_is_new() {
    let service = Service::start();
    let contact = &service.json("customer-contacts list 1001")[0];
    fs::write(service.home.path().join("numbers.csv"), contact["value"].as_str().unwrap()).unwrap();
    let said = service.ok("opt-out numbers.csv");
    let desk = desk(&service);
    let [set] = &sets(&desk)[..] else { panic!("one set") };
    assert!(set.ends_with("-opt-out-numbers-csv.crm"), "{set}");
    let name = set.strip_suffix(".crm").unwrap();
    assert!(said.contains(&format!("next: crm apply {name}\n")), "{said}");
    assert!(desk.join("mirror.db").exists());

    let feeds = |service: &Service| {
        let log = service.sandbox.log().into_iter();
        log.filter(|request| request.path.contains("/export/")).count()
    };
    let before = feeds(&service);
    service.ok("opt-out numbers.csv");
    assert_eq!(sets(&desk).len(), 2, "the first one is still there");
    assert!(feeds(&service) > before, "it goes on where the first one was");

    for command in ["status", "show", "report", "results"] {
        service.ok(&format!("{command} {name}"));
    }
    service.ok(&format!("apply {name} --yes"));
    let undone = service.ok(&format!("undo {name}"));
    assert!(undone.contains("-undo-opt-out-numbers-csv (undo)"), "{undone}");
}

#[test]
fn a_part_of_a_name_is_enough_if_only_one_set_has_it() {
    let service = Service::start();
    let rows = "customer_id,contact_id,memo\n1001,4001,a\n";
    for name in ["one.csv", "two.csv"] {
        fs::write(service.home.path().join(name), rows).unwrap();
        service.ok(&format!("plan {name} --skip-invalid"));
    }
    service.ok("status one-csv");
    let refused = service.crm("status plan").assert().code(2);
    let refused = stderr(&refused);
    assert!(refused.contains("one-csv") && refused.contains("two-csv"), "{refused}");
    let missing = stderr(&service.crm("status three").assert().code(1));
    assert!(missing.contains("crm sets"), "{missing}");
}

#[test]
fn a_name_without_its_day_means_the_newest_of_one_input_and_no_undo() {
    let service = Service::start();
    let first = planned(&service);
    let second = service.json("plan rows.csv")["set"].as_str().unwrap().to_owned();
    let undo = service.json(&format!("undo {first}"))["set"].as_str().unwrap().to_owned();
    assert_eq!(second, format!("{first}-2"));
    let found = service.crm("status plan-rows-csv --output json").assert().success();
    assert!(stderr(&found).contains(&format!("the set: {second}")), "{}", stderr(&found));
    let found = service.json("status undo-plan");
    assert_eq!(found["set"], undo);
    let told = stderr(&service.crm("status rows").assert().code(2));
    for name in [&first, &second, &undo] {
        assert!(told.contains(&format!("{name} (planned 20")), "{told}");
    }
    let told = stderr(&service.crm("sets rm plan-rows-csv --yes").assert().code(2));
    assert!(told.contains("not the whole name"), "{told}");
    service.ok(&format!("sets rm {second} --yes"));
    let found = service.crm("status rows").assert().success();
    assert!(stderr(&found).contains(&format!("the set: {first}")), "{}", stderr(&found));
}

#[test]
fn a_plan_uses_the_mirror_says_how_old_it_is_and_updates_an_old_one() {
    let service = Service::start();
    let contact = &service.json("customer-contacts list 1001")[0];
    let (id, value) = (contact["id"].as_i64().unwrap(), contact["value"].as_str().unwrap());
    fs::write(
        service.home.path().join("rows.csv"),
        format!("customer_id,contact_id,memo\n1001,{id},hello\n"),
    )
    .unwrap();
    // Without a mirror the owners are read, and none is begun.
    service.ok("plan rows.csv");
    assert!(!desk(&service).join("mirror.db").exists());
    let refused = service.crm("plan rows.csv --offline").assert().code(2);
    assert!(stderr(&refused).contains("there is none"), "{}", stderr(&refused));

    // What selects by value needs all contacts.
    fs::write(
        service.home.path().join("select.csv"),
        format!("select,value,memo\nvalue,{value},x\n"),
    )
    .unwrap();
    service.ok("plan select.csv");
    assert!(desk(&service).join("mirror.db").exists());

    let calls = service.sandbox.log().len();
    let planned = service.crm("plan rows.csv --no-names").assert().success();
    assert!(stderr(&planned).contains("the mirror is less than a minute old"));
    assert_eq!(service.sandbox.log().len(), calls, "nothing is read");
    service.ok("plan rows.csv --out named.crm --offline");
    service.ok("plan rows.csv --out too.crm");
    assert_eq!(service.sandbox.log().len(), calls, "the mirror has the names too");
    for set in ["named.crm", "too.crm"] {
        assert!(service.ok(&format!("show {set}")).contains("Harbor Bakery"), "{set}");
    }
    let planned = service.crm("plan rows.csv --max-age 0").assert().success();
    assert!(stderr(&planned).contains("updating it"), "{}", stderr(&planned));
    let calls = service.sandbox.log().len();
    service.ok("plan rows.csv --max-age 0 --offline");
    assert_eq!(service.sandbox.log().len(), calls, "nothing is read");
}

#[test]
fn what_was_sent_through_the_desk_is_read_before_the_next_plan() {
    let service = Service::start();
    let contact = &service.json("customer-contacts list 1001")[0];
    let id = contact["id"].as_i64().unwrap();
    let list = |memo: &str| {
        let rows = format!("customer_id,contact_id,memo\n1001,{id},{memo}\n");
        fs::write(service.home.path().join("list.csv"), rows).unwrap();
        let planned = service.crm("plan list.csv").assert().success();
        let tells = stderr(&planned).contains("something was sent since the mirror was read");
        (String::from_utf8(planned.get_output().stdout.clone()).unwrap(), tells)
    };
    let find = || stderr(&service.crm("find Riverside").assert());
    let behind = "and something was sent since: `crm mirror update`";
    service.ok("mirror update");
    assert!(!find().contains(behind));

    // A set of the desk.
    let (planned, tells) = list("a");
    assert!(planned.contains("planned") && !tells, "{planned}");
    service.ok("apply plan-list --yes");
    assert!(find().contains(behind));
    let (again, tells) = list("a");
    assert!(again.contains("already") && tells, "{again}");
    assert!(!find().contains(behind));
    assert!(!list("a").1, "nothing was sent since");

    // A single write, after which a plan for what was there before is no mistake.
    service.ok(&format!("customer-contacts update 1001 {id} --memo b"));
    assert!(find().contains(behind));
    let (back, tells) = list("a");
    assert!(back.contains("planned") && tells, "{back}");
}

#[test]
fn the_sandbox_of_a_command_has_no_desk() {
    let service = Service::start();
    fs::write(service.home.path().join("numbers.csv"), "818-555-0142\n").unwrap();
    let refused = service.crm("--sandbox opt-out numbers.csv").assert().code(2);
    assert!(stderr(&refused).contains("--out FILE"), "{}", stderr(&refused));
    service.ok("--sandbox opt-out numbers.csv --out set.crm");
    service.ok("--sandbox customer-contacts create 1001 --type email --value a@b.example");
    assert!(!service.home.path().join(".local").exists());
}

#[test]
fn the_desk_of_another_account_is_refused() {
    let service = Service::start();
    let desk = service.home.path().join("our desk");
    let profile = |tenant: &str| {
        let profiles = format!("[profiles.default]\ntenant = {tenant}\ndesk = {desk:?}\n");
        fs::create_dir_all(service.home.path().join("crm")).unwrap();
        fs::write(service.home.path().join("crm/config.toml"), profiles).unwrap();
    };
    profile("1");
    fs::write(service.home.path().join("numbers.csv"), "818-555-0142\n").unwrap();
    service.ok("opt-out numbers.csv");
    assert!(desk.join("desk.toml").exists());
    let refused = service.crm("opt-out numbers.csv --tenant 77").assert().code(2);
    let refused = stderr(&refused);
    assert!(refused.contains("for tenant 77"), "{refused}");
    assert!(refused.contains("our desk"), "{refused}");
}

#[test]
fn a_write_that_cannot_be_recorded_is_not_sent() {
    let service = Service::start();
    let home = service.home.path();
    fs::create_dir_all(home.join(".local/share")).unwrap();
    // Where the desk would be is a file.
    fs::write(home.join(".local/share/crm"), "").unwrap();
    let create = "customer-contacts create 1001 --type email --value a@b.example";
    let refused = service.crm(create).assert().code(1);
    let refused = stderr(&refused);
    assert!(refused.contains("--no-record"), "{refused}");
    assert!(service.writes().is_empty());
    service.ok(&format!("{create} --no-record"));
    assert_eq!(service.writes(), ["POST"]);
}

#[test]
fn reading_begins_no_desk() {
    let service = Service::start();
    service.ok("customer-contacts list 1001");
    let create = "customer-contacts create 1001 --type email --value a@b.example --dry-run";
    assert!(service.ok(create).contains("POST"));
    assert!(!service.home.path().join(".local").exists());
}

/// A desk with a set that changes the memo of one contact; its name.
fn planned(service: &Service) -> String {
    let id = service.json("customer-contacts list 1001")[0]["id"].as_i64().unwrap();
    let rows = format!("customer_id,contact_id,memo\n1001,{id},hello\n");
    fs::write(service.home.path().join("rows.csv"), rows).unwrap();
    service.json("plan rows.csv")["set"].as_str().unwrap().to_owned()
}

/// The only set of this name in the list.
fn listed(service: &Service, name: &str) -> Value {
    let all = service.json("sets");
    let mut found = all.as_array().unwrap().iter().filter(|set| set["name"] == name);
    let set = found.next().unwrap().clone();
    assert!(found.next().is_none(), "{all}");
    set
}

#[test]
fn the_list_of_sets_says_how_far_each_is_and_who_planned_it() {
    let service = Service::start();
    assert_eq!(service.json("sets"), Value::Array(Vec::new()));
    let name = planned(&service);
    let set = listed(&service, &name);
    assert_eq!(set["state"], "planned");
    assert_eq!((&set["changes"], &set["open"]), (&1.into(), &1.into()), "{set}");
    assert_eq!(set["plannedBy"], system_user());
    service.ok(&format!("approve {name} --by Dana"));
    let set = listed(&service, &name);
    assert_eq!(set["state"], "approved");
    assert_eq!(set["approvedBy"], format!("{} (said: Dana)", system_user()));
    service.ok(&format!("apply {name}"));
    assert_eq!(listed(&service, &name)["state"], "applied");
    let undo = service.json(&format!("undo {name}"))["set"].as_str().unwrap().to_owned();
    assert_eq!(listed(&service, &name)["state"], "applied", "nothing was sent yet");
    service.ok(&format!("apply {undo}"));
    assert_eq!(listed(&service, &name)["state"], "undone");
    assert_eq!(listed(&service, &undo)["state"], "applied");
    assert!(service.ok("sets --output csv").contains(&format!("\n{name},undone,")));
}

#[test]
fn a_set_is_undone_once_nothing_of_it_stands() {
    let service = Service::start();
    let contacts = service.json("customer-contacts list 1001 --all");
    let ids = contacts.as_array().unwrap().iter().take(2).map(|contact| &contact["id"]);
    let rows: String = ids.map(|id| format!("1001,{id},hello\n")).collect();
    let rows = format!("customer_id,contact_id,memo\n{rows}");
    fs::write(service.home.path().join("rows.csv"), rows).unwrap();
    let name = service.json("plan rows.csv")["set"].as_str().unwrap().to_owned();
    service.ok(&format!("apply {name} --canary 1"));
    let planned = service.crm(&format!("undo {name}")).assert().success();
    let told = stderr(&planned);
    assert!(told.contains("1 change of the set is still open"), "{told}");
    assert!(told.contains(&format!("crm apply {name} would make")), "{told}");
    let undo = service.json("sets")[1]["name"].as_str().unwrap().to_owned();
    assert!(undo.contains("-undo-"), "{undo}");
    service.ok(&format!("apply {name}"));
    service.ok(&format!("apply {undo}"));
    let set = listed(&service, &name);
    assert_eq!((&set["state"], &set["undone"]), (&"partly-undone".into(), &1.into()), "{set}");

    let told = service.ok(&format!("status {name}"));
    assert!(told.contains(&format!("1  undone     of 2 done, by {undo}, last at 2")), "{told}");
    let status = service.json(&format!("status {name}"));
    assert_eq!((&status["undone"], &status["standing"]), (&1.into(), &1.into()), "{status}");
    assert_eq!(status["undoneBy"][0]["set"], undo);
    let page = service.ok(&format!("report {name}"));
    assert!(page.contains("1 of 2</b> changes that were done have been undone"), "{page}");

    let again = service.crm(&format!("undo {name}")).assert().success();
    let told = stderr(&again);
    assert!(told.contains("left out: 1 change that other sets have undone already"), "{told}");
    let rest = service.json("sets").as_array().unwrap().last().unwrap()["name"].clone();
    service.ok(&format!("apply {}", rest.as_str().unwrap()));
    assert_eq!(listed(&service, &name)["state"], "undone");
}

#[test]
fn what_a_set_of_the_desk_has_undone_counts_once() {
    let service = Service::start();
    let contact = &service.json("customer-contacts list 1001")[0];
    let rows = format!("customer_id,contact_id,action\n1001,{},delete\n", contact["id"]);
    fs::write(service.home.path().join("rows.csv"), rows).unwrap();
    let set = service.json("plan rows.csv")["set"].as_str().unwrap().to_owned();
    service.ok(&format!("apply {set} --yes"));
    let undo = service.json(&format!("undo {set}"))["set"].as_str().unwrap().to_owned();
    service.ok(&format!("apply {undo} --yes"));
    let told = service.json(&format!("status {set}"));
    let by = told["undoneBy"].as_array().unwrap();
    assert_eq!((by.len(), &by[0]["changes"]), (1, &1.into()), "{told}");
    let entry = listed(&service, &set);
    assert_eq!((&entry["undone"], &entry["state"]), (&1.into(), &"undone".into()), "{entry}");
}

#[test]
fn sets_are_put_away_or_removed_but_none_that_a_run_left() {
    let service = Service::build(Sandbox::builder().faults(slow_to_write()));
    let name = planned(&service);
    let again = service.json("plan rows.csv")["set"].as_str().unwrap().to_owned();
    let refused = service.crm(&format!("sets rm {again}")).assert().code(2);
    assert!(stderr(&refused).contains("--yes"), "{}", stderr(&refused));
    service.ok(&format!("sets rm {again} --yes"));
    assert_eq!(service.json("sets").as_array().unwrap().len(), 1);

    let mut apply = service.spawn(&format!("apply {name}"));
    while listed(&service, &name)["state"] != "interrupted" {
        wait_beside(&mut apply);
    }
    apply.kill().unwrap();
    apply.wait().unwrap();
    for refused in [format!("sets rm {name} --yes"), format!("sets archive {name}")] {
        let refused = service.crm(&refused).assert().code(2);
        assert!(stderr(&refused).contains("crm apply"), "{}", stderr(&refused));
    }

    service.ok(&format!("apply {name}"));
    service.ok(&format!("sets archive {name}"));
    let set = listed(&service, &name);
    assert_eq!((&set["state"], &set["archived"]), (&"applied".into(), &true.into()), "{set}");
    let refused = service.crm(&format!("apply {name}")).assert().code(2);
    assert!(stderr(&refused).contains("backup"), "{}", stderr(&refused));
    service.ok(&format!("undo {name}"));
}

#[test]
fn the_desk_shows_what_it_has_and_moves_with_all_of_it() {
    let service = Service::start();
    let home = service.home.path();
    let none = stderr(&service.crm("desk show").assert().code(2));
    assert!(none.contains("no desk yet"), "{none}");
    let name = planned(&service);
    service.ok("customer-contacts create 1001 --type email --value a@b.example");
    fs::write(home.join("numbers.csv"), "818-555-0142\n").unwrap();
    service.ok("opt-out numbers.csv");
    let shown = service.json("desk show");
    assert_eq!(shown["tenant"], 1001);
    assert_eq!(shown["updates"], 1);
    assert!(shown["mirror"]["ageSeconds"].as_u64().unwrap() < 60, "{shown}");
    assert!(service.ok("desk show").contains("mirror   less than a minute old"));

    let to = home.join("a/b");
    let refused = stderr(&service.crm("desk move a/b").assert().code(2));
    assert!(refused.contains("crm profile add"), "{refused}");
    fs::create_dir_all(home.join("crm")).unwrap();
    fs::write(home.join("crm/config.toml"), "[profiles.default] # ours\n").unwrap();
    let from = desk(&service);
    service.ok("desk move a/b");
    assert!(!from.exists());
    assert_eq!(service.json("desk show")["folder"], to.to_str().unwrap());
    assert_eq!(listed(&service, &name)["state"], "planned");
    service.ok(&format!("apply {name}"));
    let config = fs::read_to_string(home.join("crm/config.toml")).unwrap();
    assert!(config.contains("# ours"), "{config}");
}

#[test]
fn a_desk_that_is_in_use_is_not_moved() {
    let service = Service::build(Sandbox::builder().faults(slow_to_write()));
    let name = planned(&service);
    fs::create_dir_all(service.home.path().join("crm")).unwrap();
    fs::write(service.home.path().join("crm/config.toml"), "[profiles.default]\n").unwrap();
    let mut apply = service.spawn(&format!("apply {name}"));
    while listed(&service, &name)["state"] != "interrupted" {
        wait_beside(&mut apply);
    }
    let refused = stderr(&service.crm("desk move elsewhere").assert().code(1));
    assert!(refused.contains("another command is working"), "{refused}");
    apply.kill().unwrap();
    apply.wait().unwrap();
    let refused = stderr(&service.crm("desk move elsewhere").assert().code(2));
    assert!(refused.contains("crm apply"), "{refused}");
}

#[test]
fn a_backup_of_a_desk_is_a_desk_whose_sets_are_never_applied() {
    let service = Service::start();
    let name = planned(&service);
    service.ok("desk backup kept");
    let kept = service.home.path().join("kept");
    assert!(kept.join("desk.toml").exists());
    let set = kept.join(format!("archive/{name}.crm"));
    service.ok(&["show", set.to_str().unwrap()]);
    service.crm(&["apply", set.to_str().unwrap()]).assert().code(2);
    let again = stderr(&service.crm("desk backup kept").assert().code(2));
    assert!(again.contains("there already"), "{again}");
}

#[test]
fn a_single_write_is_recorded_before_it_is_sent_with_its_outcome_after() {
    let service = Service::start();
    let create = "customer-contacts create 1001 --type email --value a@b.example";
    let created = service.json(create)["id"].as_i64().unwrap();
    service.ok(&format!("customer-contacts update 1001 {created} --memo hello"));
    service.ok(&format!("customer-contacts delete 1001 {created} --yes"));
    service.ok(&format!("preferences set {PERSON} {METHOD} JobReminders on"));
    fs::write(service.home.path().join("body.json"), r#"{"type":"Email","value":"c@d.example"}"#)
        .unwrap();
    service.ok("api POST /customers/1001/contacts --body body.json");
    service.crm("api PATCH /customers/1001/contacts/999999 --body body.json").assert().code(3);
    let updates = Connection::open(desk(&service).join("updates.db")).unwrap();
    // What a busy machine could not send at once is tried again, and recorded anew.
    let sent = "SELECT * FROM updates WHERE state <> 'not-sent' ORDER BY id";
    let mut rows = updates.prepare(sent).unwrap();
    let text = |row: &rusqlite::Row<'_>, name: &str| {
        let value: rusqlite::types::Value = row.get(name).unwrap();
        match value {
            rusqlite::types::Value::Text(text) => text,
            _ => "-".to_owned(),
        }
    };
    let rows = rows.query_map([], |row| {
        assert_eq!(text(row, "user"), system_user());
        assert!(text(row, "at") <= text(row, "ended_at"));
        let named = ["command", "owner_kind", "owner_id", "contact_id", "state"];
        let changes: Vec<Value> = serde_json::from_str(&text(row, "changes")).unwrap();
        Ok((named.map(|name| text(row, name)).join(" "), changes))
    });
    let rows: Vec<_> = rows.unwrap().map(Result::unwrap).collect();
    let of = |row: usize, field: &str| {
        let mut changes = rows[row].1.iter().filter(|change| change["field"] == field);
        let change = changes.next().unwrap();
        (change["before"].clone(), change["after"].clone())
    };
    let ids = format!("customer 1001 {created} done");
    let (created, deleted) = (("value", "a@b.example"), Value::Null);
    assert_eq!(rows[0].0, format!("crm customer-contacts create {ids}"));
    assert_eq!(of(0, created.0), (Value::Null, created.1.into()));
    assert_eq!(rows[1].0, format!("crm customer-contacts update {ids}"));
    assert_eq!(of(1, "memo"), (Value::Null, "hello".into()));
    assert_eq!(rows[2].0, format!("crm customer-contacts delete {ids}"));
    assert_eq!(of(2, "memo"), ("hello".into(), deleted));
    assert_eq!(rows[3].0, format!("crm preferences set person {PERSON} {METHOD} done"));
    assert_eq!(of(3, "JobReminders").1, "true");
    assert!(rows[4].0.starts_with("crm api customer 1001 "), "{}", rows[4].0);
    assert_eq!(of(4, "value").1, "c@d.example");
    let refused = rows.last().unwrap();
    assert_eq!((rows.len(), refused.0.ends_with(" failed")), (6, true), "{}", refused.0);
}

#[test]
fn a_lost_answer_is_recorded_as_what_the_command_found_out() {
    let service = Service::build(Sandbox::builder().faults(
        FaultPlan::new().rule(FaultRule::new(Fault::ResetBeforeAnswer).method("PATCH").times(0)),
    ));
    let id = service.json("customer-contacts list 1001")[0]["id"].as_i64().unwrap();
    service.ok(&format!("customer-contacts update 1001 {id} --memo hello"));
    let updates = Connection::open(desk(&service).join("updates.db")).unwrap();
    let told: (String, String) = updates
        .query_row("SELECT state, message FROM updates", [], |row| {
            Ok((row.get("state")?, row.get("message")?))
        })
        .unwrap();
    assert_eq!(told.0, "done");
    assert!(told.1.contains("read back"), "{}", told.1);
}

#[test]
fn two_commands_at_once_begin_a_desk_and_record_in_it() {
    let service = Service::start();
    let create = "customer-contacts create 1001 --type email --value a@b.example";
    let children: Vec<_> = (0..6).map(|_| service.spawn(create)).collect();
    for child in children {
        let ended = child.wait_with_output().unwrap();
        assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    }
    assert_eq!(service.json("desk show")["updates"], 6);
}

/// What happened to something, without the times, and without what nothing is recorded of.
fn history(service: &Service, of: &str) -> Vec<String> {
    let asked = service.crm(&format!("history {of} --output json")).assert();
    assert!([Some(0), Some(9)].contains(&asked.get_output().status.code()), "{}", stderr(&asked));
    let events: Value = serde_json::from_str(&stdout(&asked)).unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let told = |event: &Value| {
        let by = if event["since"].is_null() { system_user().into() } else { Value::Null };
        assert_eq!(event["by"], by);
        assert!(event["at"].as_str().is_some());
        let named = ["action", "change", "state", "through"].map(|name| text(&event[name]));
        format!("{} {}", named.join(" | "), event["undone"])
    };
    let events = events.as_array().unwrap().iter();
    events.filter(|event| event["action"] != "none").map(told).collect()
}

/// What `history` says, its code and what stands on stderr.
fn asked(service: &Service, of: &str) -> (String, i32, String) {
    let asked = service.crm(&format!("history {of}")).assert();
    (stdout(&asked), asked.get_output().status.code().unwrap(), stderr(&asked))
}

#[test]
fn a_change_that_was_taken_out_of_its_set_is_in_the_history() {
    let service = Service::start();
    let contact = &service.json("customer-contacts list 1001")[0];
    let (id, value) = (contact["id"].as_i64().unwrap(), contact["value"].as_str().unwrap());
    let name = planned(&service);
    service.ok(&format!("drop {name} 1 --by Dana --reason 'they called'"));
    for of in [format!("customer:1001 {id}"), format!("'{value}'"), "customer:1001".to_owned()] {
        let events = service.json(&format!("history {of}"));
        let [event] = events.as_array().unwrap().as_slice() else { panic!("{of}: {events}") };
        let text = |member: &str| event[member].as_str().unwrap_or_default().to_owned();
        assert_eq!((text("state"), text("through")), ("dropped".to_owned(), name.clone()));
        assert_eq!(text("by"), format!("{} (said: Dana)", system_user()));
        assert!(text("change").ends_with("hello (they called)"), "{event}");
        assert!(text("at").starts_with("20") && event["undone"].is_null(), "{event}");
    }
    // What was never planned is no part of it.
    let other = service.json("customer-contacts list 1001")[1]["id"].as_i64().unwrap();
    assert!(history(&service, &format!("customer:1001 {other}")).is_empty());
}

#[test]
fn the_history_says_what_took_a_wish_back() {
    let service = Service::start();
    service.ok("mirror update");
    fs::write(service.home.path().join("list.csv"), "phone\n2135550177\n").unwrap();
    let rows = service.json("consent import --says out list.csv");
    let import = rows[0]["record"].as_u64().unwrap() - 1;
    service.ok(
        "consent add 213-555-0177 --said STOP --at 2026-11-20T10:00:00Z --by dana --where desk",
    );
    service.ok(&format!("consent retract {import} --reason 'the wrong list'"));
    for of in ["2135550177", "customer:1001", "customer:1001 4119"] {
        let events = service.json(&format!("history {of}"));
        let events = events.as_array().unwrap().iter();
        let told: Vec<_> = events.filter(|event| event["action"] == "retract").collect();
        let [event] = told[..] else { panic!("{of}: {told:?}") };
        let change = format!("import {import} (list.csv) was taken back: the wrong list");
        assert_eq!(event["change"], change.as_str());
        assert_eq!(event["by"], system_user());
    }
    assert!(!service.ok("history customer:1001 4001").contains("taken back"));
}

#[test]
fn a_number_without_its_area_code_is_the_only_one_that_ends_so() {
    let service = Service::start();
    let (_, code, told) = asked(&service, "5550177");
    assert!(code == 2 && told.contains("no desk"), "{told}");
    let name = planned(&service);
    service.ok(&format!("apply {name}"));
    let (_, code, told) = asked(&service, "555-0142");
    assert!(code == 2 && told.contains("there is no mirror to look the whole number up"), "{told}");
    service.ok("mirror update");
    let (events, code, told) = asked(&service, "555-0142");
    assert!(code == 0 && events.contains(&name), "{events}");
    assert!(told.contains("555-0142 is +18185550142"), "{told}");
    let (_, code, told) = asked(&service, "555-9999");
    assert!(code == 2 && told.contains("no number in the mirror ends so"), "{told}");
    service.ok("customer-contacts create 1001 --type phone --value 310-555-0142");
    service.ok("mirror update");
    let (_, code, told) = asked(&service, "555-0142");
    assert!(code == 2 && told.contains("may be any of these"), "{told}");
    for number in ["history +13105550142", "history +18185550142"] {
        assert!(told.contains(number), "{told}");
    }
}

#[test]
fn a_value_is_read_alike_wherever_a_person_gives_it() {
    let service = Service::start();
    service.ok("mirror update");
    let (events, code, _) = asked(&service, "tel:+1-818-555-0142");
    assert!(code == 0 && events.contains("Harbor Bakery"), "{events}");
    let add = |value: &str| {
        let line =
            format!("consent add '{value}' --said STOP --at-unknown --by dana --output json");
        service.crm(&line).assert()
    };
    let first = add("tel:+12135550177").success();
    let again = add("(213) 555-0177").success();
    assert!(stdout(&first).contains("\"isNew\": true"), "{}", stdout(&first));
    assert!(stdout(&again).contains("\"isNew\": false"), "{}", stdout(&again));
    let london = add("442079460958").success();
    assert!(stderr(&london).contains("taken for +442079460958"), "{}", stderr(&london));
    let moment = add("20261130093000").code(2);
    assert!(stderr(&moment).contains("not a possible telephone number"), "{}", stderr(&moment));
    let (_, code, told) = asked(&service, "20261130093000");
    assert!(code == 2 && told.contains("neither a number or address"), "{told}");

    // In a list and in a sheet of changes too.
    let write = |name: &str, rows: &str| fs::write(service.home.path().join(name), rows).unwrap();
    write("list.csv", "phone\nsms:+12135550177\nmailto:ada@harborbakery.example\n442079460958\n");
    let planned = service.ok("opt-out list.csv");
    assert!(
        planned.contains("3 rows, 3 different numbers and addresses, 2 of them found"),
        "{planned}"
    );
    let told = "Taken for numbers of other countries, since they fit none of US and have no country \
                code behind a +: 1, the first in line 4.";
    assert!(planned.contains(told), "{planned}");
    write("moment.csv", "phone\n20261130093000\n");
    let refused = stderr(&service.crm("opt-out moment.csv").assert().code(2));
    assert!(refused.contains("not a possible telephone number in US"), "{refused}");
    write("rows.csv", "customer_id,contact_id,value\n1001,4001,tel:+1-310-555-0199\n");
    assert!(service.ok("plan rows.csv").contains("8185550142 → 3105550199"));
}

#[test]
fn whose_history_is_not_known_is_nothing_found_and_who_has_none_is_told() {
    let service = Service::start();
    let name = planned(&service);
    let (said, code, _) = asked(&service, "customer:9999");
    assert_eq!(code, 9);
    assert!(
        said.contains("nothing is recorded of customer 9999, and there is no mirror"),
        "{said}"
    );
    service.ok("mirror update");
    for (of, what) in [
        ("customer:9999", "customer 9999"),
        ("customer:1001 9999", "contact 9999 of customer 1001"),
        ("818-555-9999", "+18185559999"),
        ("person:5e0c1a44-93b7-4d1f-8a26-00000000ffff", "person 5e0c1a44"),
    ] {
        let (said, code, _) = asked(&service, of);
        assert_eq!(code, 9, "{of}: {said}");
        assert!(said.starts_with(what) && said.contains("is not in the mirror"), "{of}: {said}");
        let list = service.crm(&format!("history {of} --output json")).assert().code(9);
        assert_eq!(stdout(&list), "[]\n");
        assert!(stderr(&list).contains("is not in the mirror"), "{}", stderr(&list));
    }
    // One that has no contacts is known all the same.
    let (said, code, _) = asked(&service, "customer:1011");
    assert_eq!(code, 0);
    assert!(said.starts_with("customer 1011: no change is recorded since 20"), "{said}");

    // Of an owner each contact that the mirror has is told, also where nothing is recorded.
    service.ok(&format!("apply {name}"));
    let of_owner = |of: &str| {
        let events = service.json(&format!("history {of}"));
        let events = events.as_array().unwrap().clone();
        let (quiet, rest): (Vec<_>, Vec<_>) =
            events.into_iter().partition(|event| event["action"] == "none");
        (quiet, rest.len())
    };
    let (quiet, changed) = of_owner("customer:1001");
    assert_eq!((quiet.len(), changed), (3, 1), "{quiet:#?}");
    let told = quiet[0]["change"].as_str().unwrap();
    assert!(told.starts_with("Email billing@harborbakery.example: no change is recorded since 20"));
    assert_eq!(quiet[0]["ownerName"], "Harbor Bakery");
    let (quiet, changed) = of_owner(&format!("person:{PERSON}"));
    assert!(!quiet.is_empty() && changed == 0, "{quiet:#?}");
    let (quiet, _) = of_owner(&format!("person:{PERSON} {METHOD}"));
    assert_eq!(quiet[0]["contactId"], METHOD);
    // Of a number all who have it.
    let (quiet, changed) = of_owner("213-555-0177");
    assert_eq!((quiet.len(), changed), (9, 0), "{quiet:#?}");
}

#[test]
fn the_history_of_a_contact_has_sets_and_single_writes() {
    let service = Service::start();
    let contact = &service.json("customer-contacts list 1001")[0];
    let (id, value) = (contact["id"].as_i64().unwrap(), contact["value"].as_str().unwrap());
    let name = planned(&service);
    let of = format!("customer:1001 {id}");
    assert!(history(&service, &of).is_empty(), "a plan writes nothing");
    service.ok(&format!("apply {name}"));
    assert_eq!(history(&service, &of).len(), 1);
    let undo = service.json(&format!("undo {name}"))["set"].as_str().unwrap().to_owned();
    service.ok(&format!("apply {undo}"));
    service.ok(&format!("customer-contacts update 1001 {id} --memo single"));

    let events = history(&service, &of);
    assert_eq!(events.len(), 3, "{events:#?}");
    assert!(events[0].ends_with(&format!("hello | done | {name} true")), "{}", events[0]);
    assert!(events[1].ends_with(&format!("| done | {undo} false")), "{}", events[1]);
    let single = "single | done | crm customer-contacts update false";
    assert!(events[2].ends_with(single), "{}", events[2]);
    assert_eq!(history(&service, "customer:1001"), events);
    let all = service.json(&format!("history {of}"));
    assert_eq!(all[0]["plannedBy"], system_user());
    // A later write takes back a single one.
    let memo = contact["memo"].as_str().unwrap_or_default();
    service.ok(&format!("customer-contacts update 1001 {id} --memo '{memo}'"));
    let events = history(&service, &of);
    assert!(events[2].ends_with("crm customer-contacts update true"), "{events:#?}");
    assert!(events[3].ends_with("crm customer-contacts update false"), "{events:#?}");
    assert!(history(&service, "location:1001").is_empty());
    // By the number: all that happened to the contact that has it, also what did not name it.
    assert_eq!(history(&service, &format!("'{value}'")), events);
    let refused = stderr(&service.crm("history 1001").assert().code(2));
    assert!(refused.contains("customer:ID"), "{refused}");
}

#[test]
fn a_history_is_asked_for_by_the_owners_name_and_for_a_time() {
    let service = Service::start();
    let name = planned(&service);
    service.ok(&format!("apply {name}"));
    let asked = |line: &str, code: i32| {
        let asked = service.crm(line).assert().code(code);
        (stdout(&asked), stderr(&asked))
    };
    let (_, told) = asked("history 'Harbor Bakery'", 2);
    assert!(told.contains("there is no mirror to look the name up in"), "{told}");
    service.ok("mirror update");
    // The whole name of one, which is a part of the names of others.
    let (events, told) = asked("history 'harbor bakery'", 0);
    assert!(told.contains("customer:1001 is Harbor Bakery, San Pedro"), "{told}");
    assert!(events.contains(&name), "{events}");
    let (_, told) = asked("history Harbor", 2);
    for owner in ["customer:1001  # Harbor Bakery, San Pedro", "location:2001  # "] {
        assert!(told.contains(&format!("history {owner}")), "{told}");
    }
    // The memo of a contact is no name.
    let (_, told) = asked("history customer:x", 2);
    assert!(told.contains("has no id"), "{told}");
    let (said, _) = asked("history Invoices", 9);
    assert!(said.starts_with("no owner in the mirror is called `Invoices`"), "{said}");
    assert_eq!(asked("history Invoices --output json", 9).0, "[]\n");
    let of = |times: &str| history(&service, &format!("customer:1001 {times}")).len();
    assert_eq!(["", "--since 1d", "--since 1d --until 2100-01-01"].map(of), [1; 3]);
    assert_eq!(["--until 1d", "--since 2100-01-01"].map(of), [0; 2]);
    let (_, told) = asked("history customer:1001 --since yesterday", 2);
    assert!(told.contains("7d for seven days ago"), "{told}");
}

#[test]
fn the_page_of_a_set_tells_what_else_happened_to_its_contacts() {
    let service = Service::start();
    let id = service.json("customer-contacts list 1001")[0]["id"].as_i64().unwrap();
    service.ok("mirror update");
    service.ok(&format!("--no-record customer-contacts update 1001 {id} --memo theirs"));
    service.ok("mirror update");
    let name = planned(&service);
    service.ok(&format!("apply {name}"));
    let undo = service.json(&format!("undo {name}"))["set"].as_str().unwrap().to_owned();
    service.ok(&format!("apply {undo}"));
    // Another contact, which the set is not about.
    let other = service.json("customer-contacts list 1001")[1]["id"].as_i64().unwrap();
    for id in [id, other] {
        service.ok(&format!("customer-contacts update 1001 {id} --memo single"));
    }
    service.ok(&format!("report {name} --html page.html"));
    let file = |name: &str| fs::read_to_string(service.home.path().join(name)).unwrap();
    let page = file("page.html");
    let (_, past) = page.split_once("What else happened to these contacts").unwrap();
    let places = ["theirs", &undo, "single"].map(|text| past.find(text).unwrap());
    assert!(places.is_sorted(), "in the order of time: {past}");
    assert!(past.contains("what others changed is known from"), "{past}");
    let mut rows = csv::Reader::from_path(service.home.path().join("page.html.csv")).unwrap();
    let rows: Vec<BTreeMap<String, String>> = rows.deserialize().map(Result::unwrap).collect();
    let texts = |name: &str| rows.iter().map(|row| row[name].as_str()).collect::<Vec<_>>();
    let through = texts("through");
    assert_eq!((through[0], through.len()), ("", 4), "{rows:#?}");
    assert!(through[1].starts_with("changed elsewhere"), "{through:?}");
    assert_eq!(through[2..], [undo.as_str(), "crm customer-contacts update"]);
    assert_eq!(texts("undone"), ["yes", "", "no", "no"]);
    assert_eq!(texts("undoneBy")[0], format!("{undo}.crm"));
    assert_eq!(texts("contactId"), [id.to_string().as_str(); 4]);
    // The same in the other forms.
    let shown = service.json(&format!("show {name}"));
    assert_eq!(shown[0]["undoneBy"], undo.as_str());
    let results = service.ok(&format!("results {name}"));
    assert!(results.trim_end().ends_with(&format!(",{undo}.crm,,,")), "{results}");
    // Without a desk the page says nothing of it.
    let alone = service.home.path().join("alone.crm");
    fs::copy(desk(&service).join(format!("sets/{name}.crm")), alone).unwrap();
    let page = service.ok("--sandbox report alone.crm");
    assert!(!page.contains("What else happened"), "{page}");
}

#[test]
fn the_history_tells_what_others_changed_and_once_what_we_did() {
    let service = Service::start();
    let contact = &service.json("customer-contacts list 1001")[0];
    let (id, value) = (contact["id"].as_i64().unwrap(), contact["value"].as_str().unwrap());
    let of = format!("customer:1001 {id}");
    let name = planned(&service);
    let told = stderr(&service.crm(&format!("history {of}")).assert().code(9));
    assert!(told.contains("there is no mirror"), "{told}");
    service.ok("mirror update");
    // By somebody else: nothing is recorded.
    let others = format!("--no-record customer-contacts update 1001 {id}");
    service.ok(&format!("{others} --memo theirs"));
    service.ok("mirror update");
    let events = history(&service, &of);
    assert_eq!(events.len(), 1, "{events:#?}");
    assert!(events[0].contains("theirs | seen | changed elsewhere, between 20"), "{}", events[0]);
    assert_eq!(history(&service, &format!("'{value}'")), events);

    // By a set and a single write, which tell it themselves; and then again by somebody else.
    service.ok(&format!("apply {name} --on-drift force"));
    service.ok("mirror update");
    service.ok(&format!("customer-contacts update 1001 {id} --memo single"));
    service.ok("mirror update");
    let events = history(&service, &of);
    assert_eq!(events.len(), 3, "{events:#?}");
    assert!(events[1].contains("hello | done"), "{}", events[1]);
    assert!(events[2].contains("single | done"), "{}", events[2]);

    let created = "--type email --value new@site.example";
    let others = format!("--no-record customer-contacts create 1001 {created}");
    service.ok(&others);
    service.ok(&format!("--no-record customer-contacts delete 1001 {id} --yes"));
    service.ok("mirror update");
    let events = history(&service, "customer:1001");
    assert_eq!(events.len(), 5, "{events:#?}");
    assert!(events[3..].iter().any(|event| event.starts_with("delete | type: ")), "{events:#?}");
    let new = events[3..].iter().any(|event| event.contains("value: new@site.example"));
    assert!(new, "{events:#?}");

    // What is forgotten of others is forgotten here too, and the rest stays.
    service.ok("desk forget new@site.example");
    assert_eq!(history(&service, "customer:1001").len(), 4);
    service.ok("mirror update");
    assert_eq!(history(&service, "customer:1001").len(), 4);
    let card = desk(&service).join("desk.toml");
    let text = fs::read_to_string(&card).unwrap();
    fs::write(&card, format!("{text}keep_differences = \"1 nanosecond\"\n")).unwrap();
    service.ok("mirror update");
    assert_eq!(history(&service, "customer:1001").len(), 2, "only what we did");
}

#[test]
fn the_history_finds_sets_that_are_elsewhere_and_tells_those_that_are_gone() {
    let service = Service::start();
    let id = service.json("customer-contacts list 1001")[0]["id"].as_i64().unwrap();
    planned(&service);
    service.ok("plan rows.csv --out mine.crm");
    service.ok("apply mine.crm");
    let of = format!("customer:1001 {id}");
    assert_eq!(history(&service, &of).len(), 1);
    fs::remove_file(service.home.path().join("mine.crm")).unwrap();
    let told = service.crm(&format!("history {of}")).assert().code(9);
    assert!(stderr(&told).contains("mine.crm, applied on "), "{}", stderr(&told));
}

#[test]
fn a_value_is_forgotten_but_for_what_undoes_a_set_and_what_has_to_run() {
    let service = Service::start();
    let contact = &service.json("customer-contacts list 1001")[0];
    let (id, value) = (contact["id"].as_i64().unwrap(), contact["value"].as_str().unwrap());
    fs::write(service.home.path().join("numbers.csv"), value).unwrap();
    let done = service.json("opt-out numbers.csv")["set"].as_str().unwrap().to_owned();
    service.ok(&format!("apply {done}"));
    let open = planned(&service);
    service.ok(&format!("customer-contacts update 1001 {id} --memo 'was {value}'"));
    let desk = desk(&service);

    let told = service.json(&format!("desk forget '{value}'"));
    assert_eq!((&told["mirror"], &told["updates"]), (&true.into(), &1.into()), "{told}");
    let kept: Vec<_> = told["kept"]
        .as_array()
        .unwrap()
        .iter()
        .map(|kept| (kept["set"].as_str().unwrap(), kept["because"].as_str().unwrap()))
        .collect();
    assert_eq!(kept.len(), 2, "{told}");
    assert!(kept.iter().any(|(set, why)| *set == done && why.contains("undoes")), "{told}");
    assert!(kept.iter().any(|(set, why)| *set == open && why.contains("has to run")), "{told}");
    for file in ["mirror.db", "mirror.db-wal", "updates.db"] {
        let bytes = fs::read(desk.join(file)).unwrap_or_default();
        assert!(!bytes.windows(value.len()).any(|bytes| bytes == value.as_bytes()), "{file}");
    }

    let refused = service.crm(&format!("desk forget '{value}' --with-sets")).assert().code(2);
    assert!(stderr(&refused).contains("--yes"), "{}", stderr(&refused));
    let told = service.json(&format!("desk forget '{value}' --with-sets --yes"));
    assert_eq!(told["sets"], Value::from(vec![done]), "{told}");
    assert_eq!(sets(&desk), [format!("{open}.crm")], "what has to run stays");
}

#[test]
fn only_what_is_over_and_old_is_pruned_and_only_when_asked() {
    let service = Service::start();
    let done = planned(&service);
    service.ok(&format!("apply {done}"));
    let rows = fs::read_to_string(service.home.path().join("rows.csv")).unwrap();
    fs::write(service.home.path().join("rows.csv"), rows.replace("hello", "again")).unwrap();
    let open = service.json("plan rows.csv")["set"].as_str().unwrap().to_owned();
    let desk = desk(&service);
    let card = desk.join("desk.toml");
    let id = service.json("customer-contacts list 1001")[0]["id"].as_i64().unwrap();
    service.ok("mirror update");
    service.ok(&format!("--no-record customer-contacts update 1001 {id} --memo theirs"));
    service.ok("mirror update");
    let unset = service.crm("desk prune --yes").assert().success();
    assert!(stderr(&unset).contains("add keep_sets"), "{}", stderr(&unset));
    assert!(stdout(&unset).contains("0 sets, 0 differences"), "{}", stdout(&unset));
    let text = fs::read_to_string(&card).unwrap();
    fs::write(&card, format!("{text}keep_sets = \"1 day\"\n")).unwrap();
    service.ok("desk prune --yes");
    assert_eq!(sets(&desk).len(), 2, "neither is a day old");
    fs::write(&card, format!("{text}keep_sets = \"1 nanosecond\"\n")).unwrap();
    service.crm("desk prune").assert().code(2);
    service.ok("desk prune --yes");
    assert_eq!(sets(&desk), [format!("{open}.crm")], "what has to run stays");
    fs::write(&card, format!("{text}keep_differences = \"1 nanosecond\"\n")).unwrap();
    assert!(service.ok("desk show").contains("what they changed, kept 1 nanosecond"));
    let pruned = service.ok("desk prune --yes");
    assert!(pruned.contains("0 sets, 1 difference of what others changed"), "{pruned}");
}

#[test]
fn who_is_it_is_answered_from_the_mirror_of_the_desk() {
    let service = Service::start();
    let value =
        service.json("customer-contacts list 1001")[0]["value"].as_str().unwrap().to_owned();
    let none = stderr(&service.crm(&["find", &value]).assert().code(2));
    assert!(none.contains("crm mirror update"), "{none}");
    service.ok("mirror update");
    assert!(desk(&service).join("mirror.db").exists());
    service.sandbox.clear_log();
    let found = service.crm(&["find", &value]).assert().success();
    assert!(stderr(&found).contains("the mirror is less than a minute old"), "{}", stderr(&found));
    assert!(service.json("mirror status")["contacts"].as_u64().unwrap() > 10);
    assert!(service.sandbox.log().is_empty(), "nothing is asked");
}

#[test]
fn numbers_are_read_as_those_of_the_desks_region_and_anew_when_it_changes() {
    let service = Service::build(Sandbox::builder().seed(Seed::Empty));
    service.sandbox.add_customer(1, "Harbor Bakery").unwrap();
    for (id, value) in [(1, "02079460018"), (2, "03012345678"), (3, "8182001111")] {
        let contact = NewContact::of_customer(1, "Phone", value).id(id);
        service.sandbox.add_contact(contact).unwrap();
    }
    service.ok("mirror update");
    let card = desk(&service).join("desk.toml");
    let as_made = fs::read_to_string(&card).unwrap();
    service.sandbox.clear_log();
    for (region, number, id) in [
        ("US", "+1 818 200 1111", 3),
        ("GB", "+44 20 7946 0018", 1),
        ("DE", "+49 30 12345678", 2),
        ("US", "+1 818 200 1111", 3),
    ] {
        fs::write(&card, format!("{as_made}region = \"{region}\"\n")).unwrap();
        let found = service.crm(&["find", number, "--output", "json"]).assert().success();
        let hits: Value = serde_json::from_str(&common::stdout(&found)).unwrap();
        assert_eq!(
            (&hits[0]["contactId"], &hits[0]["by"]),
            (&id.into(), &"value".into()),
            "{hits}"
        );
        let said = stderr(&found);
        let is_told = said.contains(&format!("reading those of the mirror as numbers of {region}"));
        assert_eq!(is_told, region != "US" || id == 3 && said.contains("DE"), "{said}");
        // Only once.
        assert!(!stderr(&service.crm(&["find", number]).assert().success()).contains("reading"));
    }
    assert!(service.sandbox.log().is_empty(), "without a call");
    assert!(service.ok("desk show").contains("numbers of US"));

    // What is stored is read by it as well.
    fs::write(&card, format!("{as_made}region = \"GB\"\n")).unwrap();
    let created = service.json("customer-contacts create 1 --type Phone --value '020 7946 0999'");
    assert_eq!(created["value"], "02079460999");
    fs::write(&card, format!("{as_made}region = \"XX\"\n")).unwrap();
    let refused = service.crm("find 8182001111").assert().failure();
    assert!(stderr(&refused).contains("region `XX`"), "{}", stderr(&refused));
}

#[test]
fn reading_writes_nothing_into_the_desk() {
    let service = Service::start();
    service.ok("mirror update");
    let desk = desk(&service);
    let names = || {
        let mut names: Vec<_> =
            fs::read_dir(&desk).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let before = names();
    assert!(!before.iter().any(|name| name == "updates.db"), "{before:?}");
    assert_eq!(service.json("desk show")["updates"], 0);
    assert!(history(&service, "customer:1001").is_empty());
    service.ok("sets");
    service.crm("find nobody").assert().code(9);
    assert_eq!(names(), before);

    service.ok("customer-contacts update 1001 4001 --memo x");
    let updates = desk.join("updates.db");
    let (bytes, at) =
        (fs::read(&updates).unwrap(), fs::metadata(&updates).unwrap().modified().unwrap());
    assert_eq!(service.json("desk show")["updates"], 1);
    assert_eq!(history(&service, "customer:1001").len(), 1);
    assert_eq!(
        (fs::read(&updates).unwrap(), fs::metadata(&updates).unwrap().modified().unwrap()),
        (bytes, at)
    );
}

#[test]
fn a_history_has_names_the_approval_and_the_wishes_of_the_ledger() {
    let service = Service::start();
    service.ok("mirror update");
    service.ok(
        "consent add 213-555-0177 --said STOP --at 2026-11-20T10:00:00Z --by dana --where desk",
    );
    fs::write(service.home.path().join("list.csv"), "phone\n2135550177\n").unwrap();
    let name = service.json("opt-out list.csv")["set"].as_str().unwrap().to_owned();
    service.ok(&format!("approve {name} --by Ana"));
    service.ok(&format!("apply {name}"));
    let events = service.json("history 2135550177");
    let events = events.as_array().unwrap();
    let of = |action: &str| events.iter().find(|event| event["action"] == action).unwrap();
    let wish = of("wish");
    let told = wish["change"].as_str().unwrap();
    assert_eq!(
        told,
        "out, marketing: received 2026-11-20 10:00:00 UTC, \"STOP\", desk, taken by dana"
    );
    assert_eq!(events[0], *wish, "the earliest first");
    assert_eq!(
        (&of("approve")["through"], &of("approve")["state"]),
        (&name.as_str().into(), &"approved".into())
    );
    assert!(of("approve")["by"].as_str().unwrap().contains("Ana"));
    let sent: Vec<_> = events.iter().filter(|event| event["through"] == name.as_str()).collect();
    let named = sent.iter().filter(|event| event["ownerName"].is_string()).count();
    assert_eq!((sent.len(), named), (10, 9), "all but the approval: {events:#?}");
    // A person is named in the set too.
    let shown = service.ok(&format!("show {name}"));
    assert!(!shown.contains("MarketingUpdates"), "{shown}");
    let rows = service.json(&format!("show {name}"));
    let people = rows.as_array().unwrap().iter().filter(|row| row["ownerKind"] == "person");
    assert!(
        people.clone().count() > 0 && people.into_iter().all(|row| row["ownerName"].is_string())
    );
    let table = service.ok("history 2135550177");
    assert!(table.contains(" NAME ") && table.contains("Harbor Bakery"), "{table}");
}

#[test]
fn a_history_of_a_time_of_which_nothing_is_known_says_so_and_what_the_service_says() {
    let service = Service::start();
    let name = planned(&service);
    service.ok(&format!("apply {name}"));
    service.ok("mirror update");
    let contact = &service.json("customer-contacts list 1001")[1];
    let (id, at) = (contact["id"].as_i64().unwrap(), contact["modifiedOn"].as_str().unwrap());
    let asked = format!("history customer:1001 {id} --since 2020-01-01 --until 2026-11-01");
    let told = stdout(&service.crm(&asked).assert().success());
    assert!(at < "2026-11-01", "{contact}");
    assert!(told.contains("; the service says that it was "), "{told}");
    let value =
        service.json("customer-contacts list 1001")[0]["value"].as_str().unwrap().to_owned();
    let asked = format!("history '{value}' --since 2020-01-01 --until 2020-02-01");
    let told = stdout(&service.crm(&asked).assert().success());
    assert!(
        told.contains("nothing is known of this time: what the desk knows begins 20"),
        "{told}"
    );
}

#[test]
fn sets_say_what_became_of_each_of_their_changes() {
    let service = Service::start();
    let name = planned(&service);
    service.ok(&format!("apply {name}"));
    let again = planned(&service);
    let set = listed(&service, &again);
    assert_eq!((&set["state"], &set["changes"]), (&"settled".into(), &1.into()), "{set}");
    assert_eq!((&set["already"], &set["done"]), (&1.into(), &0.into()), "{set}");
    let rows = "customer_id,contact_id,memo\n1001,999999,x\n";
    fs::write(service.home.path().join("rows.csv"), rows).unwrap();
    let nowhere = service.json("plan rows.csv")["set"].as_str().unwrap().to_owned();
    let set = listed(&service, &nowhere);
    assert_eq!((&set["state"], &set["notDone"]), (&"not-done".into(), &1.into()), "{set}");
    let fresh = fs::write(
        service.home.path().join("rows.csv"),
        "location_id,contact_id,memo\n2001,3001,x\n2001,3002,y\n",
    );
    fresh.unwrap();
    let dropped = service.json("plan rows.csv")["set"].as_str().unwrap().to_owned();
    service.ok(&format!("drop {dropped} 1"));
    let set = listed(&service, &dropped);
    assert_eq!((&set["dropped"], &set["open"], &set["changes"]), (&1.into(), &1.into(), &2.into()));
}
