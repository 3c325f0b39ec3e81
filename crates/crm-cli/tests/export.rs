//! Exports that are stopped and go on, and the sandbox as a server.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{
    collections::BTreeSet,
    fs::{self, OpenOptions},
    io::{self, BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
    thread,
};

use common::{Host, Service, crm, process, stderr, stdout};
use crm_sandbox::{Fault, FaultPlan, FaultRule, Sandbox, Seed};
use crm_transport::Account;
use serde_json::Value;

const EXPORT: [&str; 7] =
    ["export", "location-contacts", "--recent", "--state", "state.json", "--out", "out"];

fn large() -> Service {
    let builder = Sandbox::builder().seed(Seed::Count(500));
    Service::build(builder.set("export-page-size", "100").unwrap())
}

fn ids(text: &str) -> BTreeSet<String> {
    let records = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    records.map(|record| record["id"].to_string()).collect()
}

#[test]
fn an_export_that_fails_goes_on_without_a_gap() {
    let service = large();
    let out = service.home.path().join("out");
    let third = FaultRule::new(Fault::Status { status: 400 })
        .operation("ExportContacts_LocationsContacts")
        .nth(3);
    service.sandbox.inject(FaultPlan::new().rule(third));
    service.crm(&EXPORT).assert().code(3);
    let before = ids(&fs::read_to_string(&out).unwrap());
    assert!((100..500).contains(&before.len()), "{}", before.len());

    let second = service.crm(&EXPORT).assert().success();
    assert!(stderr(&second).contains("continues from state.json"), "{}", stderr(&second));
    assert_eq!(ids(&fs::read_to_string(&out).unwrap()).len(), 500);

    // Nothing new: nothing is added.
    let length = fs::metadata(&out).unwrap().len();
    service.crm(&EXPORT).assert().success();
    assert_eq!(fs::metadata(&out).unwrap().len(), length);
}

/// An export with stdout appended to a file, as `>>` does.
fn redirected(service: &Service, feed: &str, state: &str) -> Command {
    let out = OpenOptions::new().create(true).append(true).open(service.home.path().join("all"));
    let mut command = service.process(&["export", feed, "--recent", "--state", state]);
    command.stdout(out.unwrap()).stderr(Stdio::null());
    command
}

#[test]
fn an_export_that_was_killed_goes_on_without_a_torn_line() {
    let service = large();
    let all = service.home.path().join("all");
    let export = || redirected(&service, "location-contacts", "state.json");
    let mut killed = export().arg("--follow").spawn().unwrap();
    while fs::read_to_string(&all).unwrap().lines().count() < 500 {
        common::wait_beside(&mut killed);
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    // What it may leave behind its last token: a part of the next batch.
    append(&all, "{\"locationId\":1,\"id\":1}\n{\"locationId\":7,\"id\":");
    assert!(export().status().unwrap().success());
    assert_eq!(ids(&fs::read_to_string(&all).unwrap()).len(), 500);
}

/// A shell opens the file for each of its commands, or once for a group of them.
#[cfg(unix)]
#[test]
fn an_export_at_work_is_not_taken_for_killed() {
    let service = large();
    let all = service.home.path().join("all");
    let export = || redirected(&service, "location-contacts", "state.json");
    let slow = FaultRule::new(Fault::Delay { milliseconds: 60_000 });
    let third = slow.operation("ExportContacts_LocationsContacts").nth(3);
    service.sandbox.inject(FaultPlan::new().rule(third));
    let group = OpenOptions::new().create(true).append(true).open(&all);
    let group = group.unwrap();
    let mut at_work = export().stdout(group.try_clone().unwrap()).spawn().unwrap();
    while !service.sandbox.unmet_faults().is_empty() {
        common::wait_beside(&mut at_work);
    }
    // What it may have written before its next token.
    append(&all, "{\"locationId\":1,\"id\":1}\n");
    let files = ["all", "state.json"].map(|name| service.home.path().join(name));
    let before = files.each_ref().map(|file| fs::read(file).unwrap());
    let mut others = vec![export()];
    if cfg!(target_os = "linux") {
        let mut other = export();
        other.stdout(group);
        others.push(other);
    } else {
        drop(group);
    }
    for mut other in others {
        let refused = other.stderr(Stdio::piped()).output().unwrap();
        let told = String::from_utf8(refused.stderr).unwrap();
        assert!(told.contains("another export is writing to"), "{told}");
        assert_eq!(refused.status.code(), Some(2));
    }
    assert!(files.map(|file| fs::read(file).unwrap()) == before);

    at_work.kill().unwrap();
    at_work.wait().unwrap();
    assert!(export().status().unwrap().success());
    assert_eq!(ids(&fs::read_to_string(&all).unwrap()).len(), 500);
}

#[test]
fn exports_that_ended_can_share_a_file() {
    let service = Service::start();
    let all = service.home.path().join("all");
    let run = |feed, state| {
        assert!(redirected(&service, feed, state).status().unwrap().success());
        fs::read_to_string(&all).unwrap()
    };
    let locations = run("location-contacts", "l.json");
    let both = run("customer-contacts", "c.json");
    assert!(both.len() > locations.len());
    let create = ["location-contacts", "create", "2001", "--type", "Fax"];
    service.ok(&[&create[..], &["--value", "8185550111"]].concat());
    let more = run("location-contacts", "l.json");
    assert!(more.starts_with(&both), "nothing of the other feed is cut off");
    assert!(more[both.len()..].contains("8185550111"), "{more}");

    let feed = FaultRule::new(Fault::Status { status: 400 });
    let feed = feed.operation("ExportContacts_LocationsContacts");
    service.sandbox.inject(FaultPlan::new().rule(feed));
    let failed = redirected(&service, "location-contacts", "l.json").status();
    assert!(!failed.unwrap().success());
    append(&all, "{\"of\":\"another feed\"}\n");
    let more = run("location-contacts", "l.json");
    assert!(more.contains("another feed"), "a refused call leaves nothing to cut off");
}

fn append(file: &Path, text: &str) {
    let mut file = OpenOptions::new().append(true).open(file).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

#[test]
fn a_file_holds_records_of_one_form() {
    let service = large();
    let fields = ["--fields", "locationId,id"];
    service.crm(&[&EXPORT[..], &fields].concat()).assert().success();
    let out = service.home.path().join("out");
    let before = fs::read_to_string(&out).unwrap();
    for other in [&[][..], &["--fields", "id"], &["--output", "csv", fields[0], fields[1]]] {
        let refused = service.crm(&[&EXPORT[..], other].concat()).assert().code(2);
        let message = stderr(&refused);
        assert!(message.contains("was written as ndjson with fields locationId,id"), "{message}");
    }
    assert_eq!(fs::read_to_string(&out).unwrap(), before);
    service.crm(&[&EXPORT[..], &fields].concat()).assert().success();
    // Elsewhere, here into a pipe, another form mixes with nothing.
    service.crm(&[&EXPORT[..5], &["--output", "csv"]].concat()).assert().success();
}

#[test]
fn an_error_of_an_export_is_one_line_as_its_records_are() {
    let service = large();
    let third = FaultRule::new(Fault::Status { status: 400 })
        .operation("ExportContacts_LocationsContacts")
        .nth(3);
    service.sandbox.inject(FaultPlan::new().rule(third));
    let export = ["export", "location-contacts", "--recent", "--output", "json"];
    let failed = service.crm(&export).assert().code(3);
    let answer = stdout(&failed);
    let last = answer.lines().last().unwrap();
    let last: Value = serde_json::from_str(last).unwrap();
    assert_eq!(last["error"]["status"], 400, "{answer}");

    let usage = [&export[..], &["--interval", "0"]].concat();
    let usage = stdout(&service.crm(&usage).assert().code(2));
    assert_eq!(usage.lines().count(), 1, "{usage}");
}

#[test]
fn csv_has_its_header_once() {
    let service = large();
    let export = [&EXPORT[..], &["--output", "csv"]].concat();
    service.crm(&export).assert().success();
    service.json(&["location-contacts", "create", "1", "--type", "Fax", "--value", "8185550111"]);
    service.crm(&export).assert().success();
    let csv = fs::read_to_string(service.home.path().join("out")).unwrap();
    assert_eq!(csv.matches("locationId").count(), 1);
    assert!(csv.contains("8185550111"), "the second run added what was new");
}

#[test]
fn a_state_of_another_export_and_a_file_with_content_are_refused() {
    let service = large();
    service.crm(&EXPORT).assert().success();
    let mut other = EXPORT;
    other[1] = "customer-contacts";
    let refused = service.crm(&other).assert().code(2);
    assert!(stderr(&refused).contains("another export"), "{}", stderr(&refused));

    let mut elsewhere = EXPORT;
    elsewhere[6] = "elsewhere";
    let refused = service.crm(&elsewhere).assert().code(2);
    assert!(stderr(&refused).contains("not that file"), "{}", stderr(&refused));

    let refused = service.crm(&["export", "location-contacts", "--out", "out"]).assert().code(2);
    assert!(stderr(&refused).contains("content already"), "{}", stderr(&refused));
}

#[test]
fn an_export_without_a_state_tells_how_to_go_on() {
    let service = large();
    let first = service.crm(&["export", "location-contacts", "--recent"]).assert().success();
    assert_eq!(ids(&stdout(&first)).len(), 500);
    let message = stderr(&first);
    let token = message.trim().rsplit(' ').next().unwrap();
    let next = service.ok(&["export", "location-contacts", "--recent", "--from", token]);
    assert_eq!(next, "", "the token stands at the end");
    let since = service.ok(&["export", "location-contacts", "--recent", "--from", "9000-01-01"]);
    assert_eq!(since, "", "nothing was modified after this time");
}

/// Starts a command, reads its first line, and asks it to end.
#[cfg(unix)]
fn first_line_then_terminate(command: &mut Command) -> (String, std::process::ExitStatus) {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut line = String::new();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    out.read_line(&mut line).unwrap();
    // Read on, or a full pipe would keep the command from hearing of it.
    let rest = thread::spawn(move || io::copy(&mut out, &mut io::sink()));
    let id = child.id().to_string();
    assert!(Command::new("kill").arg(id).status().unwrap().success());
    let status = child.wait().unwrap();
    rest.join().unwrap().unwrap();
    (line, status)
}

#[cfg(unix)]
#[test]
fn following_ends_when_it_is_told_to() {
    let service = large();
    let (line, status) = first_line_then_terminate(&mut service.process(&[
        "export",
        "location-contacts",
        "--recent",
        "--follow",
    ]));
    assert!(line.contains("\"locationId\":"), "{line}");
    assert!(status.success(), "{status}");
}

#[cfg(unix)]
#[test]
fn an_export_that_is_told_to_end_ends_by_the_signal_and_goes_on_later() {
    let service = large();
    let slow = FaultRule::new(Fault::Delay { milliseconds: 60_000 });
    let third = slow.operation("ExportContacts_LocationsContacts").nth(3);
    service.sandbox.inject(FaultPlan::new().rule(third));
    let out = service.home.path().join("out");
    let mut child = service.spawn(&EXPORT);
    // Else the next run would meet it.
    while !service.sandbox.unmet_faults().is_empty() {
        common::wait_beside(&mut child);
    }
    assert_eq!(ids(&fs::read_to_string(&out).unwrap()).len(), 200);
    let (_, ended_by) = common::end_with("TERM", child);
    assert_eq!(ended_by, Some(15));
    service.crm(&EXPORT).assert().success();
    assert_eq!(ids(&fs::read_to_string(&out).unwrap()).len(), 500);
}

#[test]
fn the_records_never_go_where_the_state_is_written() {
    let service = large();
    for out in ["state.json", "./state.json", "state.json.new"] {
        let mut export = EXPORT;
        export[6] = out;
        let refused = service.crm(&export).assert().code(2);
        let message = stderr(&refused);
        assert!(message.contains("where --state is written"), "{message}");
    }
    assert!(service.sandbox.log().is_empty());
}

#[cfg(unix)]
#[test]
fn the_sandbox_serves_what_its_first_line_says_until_it_is_told_to_end() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data.sqlite");
    let (line, status) = first_line_then_terminate(
        process(home.path())
            .args(["sandbox", "serve", "--seed", "8", "--set", "rate-limit=0", "--data"])
            .arg(&data),
    );
    assert!(status.success(), "{status}");
    let connection: Value = serde_json::from_str(&line).unwrap();
    for member in ["api_url", "auth_url", "client_id", "client_secret", "app_key"] {
        assert!(connection[member].is_string(), "{member}: {line}");
    }
    assert!(connection["tenant"].is_i64(), "{line}");
    assert!(data.exists());
}

#[cfg(unix)]
#[test]
fn a_sandbox_for_other_machines_says_how_this_one_reaches_it() {
    let home = tempfile::tempdir().unwrap();
    let (line, status) = first_line_then_terminate(process(home.path()).args([
        "sandbox",
        "serve",
        "--listen",
        "0.0.0.0:0",
        "--allow-remote",
    ]));
    assert!(status.success(), "{status}");
    let account = Account::of(&serde_json::from_str::<Value>(&line).unwrap()).unwrap();
    assert!(account.environment.api_url().starts_with("http://127.0.0.1:"), "{account:?}");
    assert_eq!(account.tenant, 1001);
}

#[test]
fn the_sandbox_takes_a_file_of_sql_and_says_what_is_wrong_with_it() {
    let home = tempfile::tempdir().unwrap();
    let customer = "INSERT INTO customers (id, name) VALUES (7, 'Harbor Bakery');\n";
    std::fs::write(home.path().join("own.sql"), customer.repeat(2)).unwrap();
    let mut command = crm(home.path());
    command.current_dir(home.path());
    command.args(["sandbox", "serve", "--seed", "empty", "--sql", "own.sql"]);
    let refused = stderr(&command.assert().code(1));
    assert!(refused.contains("statement 2"), "{refused}");
    assert!(refused.contains("customers.id"), "{refused}");
}

#[test]
fn the_sandbox_listens_on_this_machine_only() {
    let home = tempfile::tempdir().unwrap();
    let serve = |arguments: &[&str]| {
        let mut command = crm(home.path());
        command.args(["sandbox", "serve"]).args(arguments).assert().code(2)
    };
    let refused = serve(&["--listen", "0.0.0.0:0"]);
    assert!(stderr(&refused).contains("--allow-remote"), "{}", stderr(&refused));
    let refused = serve(&["--set", "no-such-setting=1"]);
    assert!(stderr(&refused).contains("no-such-setting"), "{}", stderr(&refused));
}

#[test]
fn an_export_keeps_the_members_that_are_new_to_us_unless_members_are_chosen() {
    let service = Service::start();
    let batch = r#"{"page":1,"pageSize":50,"hasMore":false,"continueFrom":"end","data":[{
        "id":3001,"locationId":2001,"type":"Email","value":"a@site.example","memo":null,
        "active":true,"modifiedOn":"2026-05-27T16:04:11Z","isVerified":{"by":"x"}}]}"#;
    let host = Host::start(&[(200, batch)]);
    let export = |more: &[&str]| {
        let mut export = service.crm(&[&["export", "location-contacts"], more].concat());
        stdout(&export.env("CRM_API_URL", &host.url).assert().success())
    };
    for options in [&[][..], &["--output", "ndjson"], &["--output", "json"]] {
        let written = export(options);
        assert_eq!(written.lines().count(), 1, "one record, one line: {written}");
        let record: serde_json::Value = serde_json::from_str(&written).unwrap();
        assert_eq!(record["isVerified"]["by"], "x", "{written}");
        std::fs::write(service.home.path().join("feed.ndjson"), written).unwrap();
    }
    for options in [&["--output", "csv"][..], &["--fields", "id,value"]] {
        assert!(!export(options).contains("isVerified"), "{options:?}");
    }

    // It is read back as nothing to do, and the plan says what it does not read.
    let mut plan = service.crm(&["plan", "feed.ndjson", "--out", "set.crm", "--output", "json"]);
    let planned = plan.env("CRM_API_URL", &host.url).assert().success();
    let planned: serde_json::Value = serde_json::from_str(&stdout(&planned)).unwrap();
    assert_eq!(planned["totals"], serde_json::json!({"already": {"update": 1}}), "{planned}");
    assert!(planned["notes"].to_string().contains("isVerified"), "{planned}");
}
