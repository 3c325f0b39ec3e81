//! Whatever data, files, the service or the environment hold: people are shown every unseen
//! character as an escape, JSON keeps it as one, CSV keeps it as it is.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs;

use assert_cmd::Command;
use common::{Host, Service, stderr, stdout};
use serde_json::{Value, json};

/// One of each kind that hides, turns around or steers; as text of a single line.
const HOSTILE: &str = "a\u{1b}[2Jb\u{7}\u{7f}\u{9b}31m\u{202e}c\u{2066}d\u{2069}\u{200b}\u{200e}\
                       \u{2028}e\u{2029}\u{feff}\u{e0041}\u{ad}f";

/// The same between other words.
fn hostile(more: &str) -> String {
    format!("{more}{HOSTILE}{more}")
}

fn assert_clean(what: &str, shown: &str) {
    let unseen = shown
        .chars()
        .find(|c| *c != '\n' && (c.is_control() || !c.is_ascii() && HOSTILE.contains(*c)));
    assert_eq!(unseen, None, "{what}: {shown:?}");
}

/// Runs a command of which nothing on either stream may be raw; gives both.
fn clean(what: &str, command: &mut Command) -> String {
    let assert = command.assert();
    let shown = stdout(&assert) + &stderr(&assert);
    assert_clean(what, &shown);
    shown
}

fn contact() -> Value {
    json!({
        "id": 3001, "type": "Email", "value": hostile("x"), "memo": hostile("y\n"),
        "createdOn": "2026-01-01T00:00:00Z", "modifiedOn": "2026-01-01T00:00:00Z",
        "preferences": {
            "jobRemindersEnabled": true, "marketingUpdatesEnabled": true,
            "invoiceStatementNotification": true, "invoiceNotification": true,
            "statementNotification": true,
        },
    })
}

fn list() -> String {
    json!({"page": 1, "pageSize": 50, "hasMore": false, "data": [contact()]}).to_string()
}

fn problem() -> String {
    json!({
        "type": hostile("t"), "title": hostile("title "), "status": 400, "detail": hostile("d"),
        "traceId": hostile("trace"), "errors": {hostile("m"): [hostile("reason ")]},
        "data": {"ErrorCode": hostile("c")},
    })
    .to_string()
}

/// The command against a host with prepared answers and the sandbox's tokens.
fn on(service: &Service, host: &Host, arguments: &[&str]) -> Command {
    let mut command = service.crm(arguments);
    command.env("CRM_API_URL", &host.url);
    command
}

#[test]
fn what_the_service_says_is_shown_with_visible_escapes() {
    let service = Service::start();
    let (list, problem) = (list(), problem());
    let read = Host::start(&[(200, &list)]);
    let of = |words: &str| on(&service, &read, &words.split(' ').collect::<Vec<_>>());

    let table = clean("a table", &mut of("location-contacts list 2001"));
    assert!(table.contains("\\u{202e}"), "{table}");
    clean("members", &mut of("location-contacts get 2001 3001"));
    clean("fields", &mut of("location-contacts list 2001 --fields memo"));
    let dry = "location-contacts update 2001 3001 --memo new --dry-run";
    let dry = clean("a dry run", &mut of(dry));
    assert!(dry.contains("→ new"), "{dry}");

    let refusing = Host::start(&[(400, &problem)]);
    for words in [
        "location-contacts list 2001",
        "location-contacts delete 2001 3001 -v",
        "location-contacts list 2001 -vv",
        "export location-contacts",
        "auth check",
        "api GET /x",
    ] {
        let words: Vec<_> = words.split(' ').collect();
        let told = clean("a problem", &mut on(&service, &refusing, &words));
        assert!(told.contains("\\u{202e}"), "{words:?}: {told}");
    }
}

#[test]
fn a_continuation_token_is_shown_with_visible_escapes() {
    let service = Service::start();
    let batch = json!({"hasMore": false, "continueFrom": hostile(""), "data": []});
    let host = Host::start(&[(200, &batch.to_string())]);
    let told = clean("a token", &mut on(&service, &host, &["export", "location-contacts"]));
    assert!(told.contains("--from a\\u{1b}[2Jb"), "{told}");
}

#[test]
fn what_files_arguments_and_variables_hold_is_shown_with_visible_escapes() {
    let service = Service::start();
    let home = service.home.path();
    let name = format!("{HOSTILE}\nerror: nothing.csv");
    let rows = format!(
        "location_id,contact_id,memo,{HOSTILE}\n2001,{HOSTILE},x,\n2001,3001,seen\u{202e},\n"
    );
    fs::write(home.join(&name), &rows).unwrap();

    let shown = clean("rows", &mut service.crm(&["plan", &name, "--out", "set.crm"]));
    assert!(shown.contains("\\u{1b}"), "{shown}");
    let skip = ["plan", &name, "--skip-invalid", "--out", &format!("{name}.crm")];
    let plan = clean("a plan", &mut service.crm(&skip));
    assert!(!plan.lines().any(|line| line.starts_with("error: nothing")), "{plan}");
    let set = format!("{name}.crm");
    let shown = clean("show", &mut service.crm(&["show", &set]));
    assert!(shown.contains("seen\\u{202e}"), "{shown}");
    clean("status", &mut service.crm(&["status", &set]));
    clean("apply", &mut service.crm(&["apply", &set]));
    for words in [
        &["show", &name][..],
        &["plan", "missing\u{202e}", "--out", "x.crm"],
        &["location-contacts", "list", HOSTILE],
        &["location-contacts", HOSTILE],
        &[&format!("--{HOSTILE}"), "man"],
        &["location-contacts", "list", "2001", "--fields", HOSTILE],
        &["--profile", HOSTILE, "auth", "check"],
        &["api", "GET", HOSTILE],
        &["--sandbox", "export", "location-contacts", "--state", &name],
    ] {
        clean(&format!("{words:?}"), &mut service.crm(words));
    }
    for variable in ["CRM_TENANT", "CRM_ENVIRONMENT", "CRM_API_URL", "CRM_PROFILE", "CRM_READ_ONLY"]
    {
        let mut command = service.crm(&["auth", "check"]);
        clean(variable, command.env(variable, HOSTILE));
    }
}

#[test]
fn json_keeps_unseen_characters_as_escapes_and_csv_keeps_them() {
    let service = Service::start();
    let (list, problem) = (list(), problem());
    let read = Host::start(&[(200, &list)]);
    for words in [
        "location-contacts list 2001 --output json",
        "location-contacts list 2001 --output ndjson --fields memo",
        "location-contacts get 2001 3001 --output json",
        "api GET /locations/2001/contacts",
        "api GET /locations/2001/contacts --paginate --output json",
    ] {
        let words: Vec<_> = words.split(' ').collect();
        let shown = clean("json", &mut on(&service, &read, &words));
        let json: Value = serde_json::from_str(&shown).unwrap();
        let memo = json.pointer("/0/memo").or(json.pointer("/data/0/memo")).or(json.get("memo"));
        assert_eq!(memo.unwrap(), &hostile("y\n"), "{words:?}");
    }
    let refusing = Host::start(&[(400, &problem)]);
    let failing = ["location-contacts", "list", "2001", "--output", "json"];
    clean("a failure", &mut on(&service, &refusing, &failing));

    let csv = ["location-contacts", "list", "2001", "--output", "csv"];
    let csv = stdout(&on(&service, &read, &csv).assert().success());
    assert!(csv.contains(HOSTILE), "{csv:?}");
}
