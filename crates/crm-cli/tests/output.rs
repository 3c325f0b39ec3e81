//! The forms of answers, and what belongs on which stream.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{io::Read, process::Stdio};

use common::{Service, crm, process, stderr, stdout};
use serde_json::{Value, json};

#[test]
fn the_help_names_every_command_and_exit_code() {
    let home = tempfile::tempdir().unwrap();
    let help = stdout(&crm(home.path()).arg("-h").assert().success());
    let snapshot = if cfg!(feature = "fleet") { "help_with_fleet" } else { "help" };
    insta::assert_snapshot!(snapshot, help);
    let long = stdout(&crm(home.path()).arg("--help").assert().success());
    assert!(long.contains("Exit codes:") && long.contains("a write may or may not"), "{long}");
}

#[test]
fn a_list_that_is_cut_short_says_so_on_stderr() {
    let service = Service::start();
    let list = ["location-contacts", "list", "2001", "--limit", "2", "--output", "ndjson"];
    let cut = service.crm(&list).assert().success();
    assert_eq!(stdout(&cut).lines().count(), 2);
    assert!(stderr(&cut).contains("cut short after 2"), "{}", stderr(&cut));

    let all = service.crm(&["location-contacts", "list", "2001", "--all"]).assert().success();
    assert_eq!(stderr(&all), "");
}

#[test]
fn fields_are_chosen_in_every_format() {
    let service = Service::start();
    let get = |format| {
        let fields = ["--fields", "value,id,preferences.invoiceNotification", "--output", format];
        service.ok(&[&["location-contacts", "list", "2001", "--limit", "1"], &fields[..]].concat())
    };
    let object = r#"{"value":"8185550142","id":3001,"preferences.invoiceNotification":true}"#;
    assert_eq!(get("ndjson").trim(), object);
    assert_eq!(get("json"), format!("[\n  {object}\n]\n"));
    assert_eq!(get("csv"), "value,id,preferences.invoiceNotification\n8185550142,3001,true\n");
    assert!(get("table").starts_with("value"), "{}", get("table"));
}

#[test]
fn csv_is_safe_to_open_in_a_spreadsheet() {
    let service = Service::start();
    // As somebody else stored it: the command itself refuses formulas.
    let formula = json!({"memo": "=HYPERLINK(\"http://evil.example\")"});
    let patch = ["api", "patch", "/locations/2001/contacts/3001", "--body", "-"];
    let mut patch = service.crm(&patch);
    patch.write_stdin(formula.to_string()).assert().success();
    let csv = service.ok("location-contacts list 2001 --limit 1 --fields memo --output csv");
    assert_eq!(csv, "memo\n\"'=HYPERLINK(\"\"http://evil.example\"\")\"\n");
}

#[test]
fn an_empty_list_is_an_empty_answer() {
    let service = Service::start();
    let list = ["people", "list", "--name", "Nobody Of This Name"];
    assert_eq!(service.json(&list), json!([]));
    assert_eq!(service.ok(&[&list[..], &["--output", "ndjson"]].concat()), "");
    let csv = service.ok(&[&list[..], &["--output", "csv"]].concat());
    assert!(csv.starts_with("id,") && csv.lines().count() == 1, "{csv}");
}

#[test]
fn json_output_holds_the_error_too() {
    let service = Service::start();
    let get = ["location-contacts", "get", "2001", "9999", "--output", "json"];
    let failed = service.crm(&get).assert().code(3);
    let answer: Value = serde_json::from_str(&stdout(&failed)).unwrap();
    assert_eq!(answer["error"]["kind"], "not-found");
    assert_eq!(answer["error"]["exitCode"], 3);
    assert!(stderr(&failed).starts_with("error: "), "{}", stderr(&failed));

    let refused = service.crm(&["api", "get", "/nothing", "--output", "ndjson"]).assert().code(3);
    let answer: Value = serde_json::from_str(stdout(&refused).trim()).unwrap();
    assert_eq!(answer["error"]["status"], 404);
    assert!(answer["error"]["traceId"].is_string());

    let usage = service.crm(&["location-contacts", "get", "x", "--output=json"]).assert().code(2);
    let answer: Value = serde_json::from_str(&stdout(&usage)).unwrap();
    assert_eq!(answer["error"]["kind"], "usage");
    let message = answer["error"]["message"].as_str().unwrap();
    assert!(message.starts_with("invalid value 'x'"), "{message}");

    let create = ["location-contacts", "create", "2001", "--output", "json"];
    let usage = service.crm(&create).assert().code(2);
    let answer: Value = serde_json::from_str(&stdout(&usage)).unwrap();
    assert_eq!(
        answer["error"]["message"],
        "the following required arguments were not provided: --type <TYPE> --value <VALUE>"
    );
}

#[test]
fn a_word_that_is_a_value_changes_neither_the_form_of_an_error_nor_its_code() {
    let service = Service::start();
    for value in ["--name export", "--name=export --reference-id --output=ndjson"] {
        let create = format!("people create {value} --nme x --output json");
        let text = stdout(&service.crm(&create).assert().code(2));
        let answer: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(answer["error"]["kind"], "usage", "{text}");
        assert!(text.lines().count() > 1, "one value on several lines, as json is: {text}");
    }
    // In the grammar, and after it.
    for contact_type in ["Nonsense", "Email"] {
        let create = format!(
            "location-contacts create 2001 --type {contact_type} --value nonsense \
             --memo --detailed-exitcode --output json"
        );
        let text = stdout(&service.crm(&create).assert().code(2));
        let answer: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(answer["error"]["exitCode"], 2, "{text}");
    }
    assert!(service.sandbox.log().is_empty());
}

#[test]
fn an_update_shows_the_fields_that_are_asked_for() {
    let service = Service::start();
    let update = ["location-contacts", "update", "2001", "3001", "--memo", "x"];
    let unknown = [&update[..], &["--fields", "phone"]].concat();
    let refused = service.crm(&unknown).assert().code(2);
    assert!(stderr(&refused).contains("`phone`"), "{}", stderr(&refused));
    assert!(service.sandbox.log().is_empty());
    let chosen = service.json(&[&update[..], &["--fields", "id,memo"]].concat());
    assert_eq!(chosen["record"], json!({"id": 3001, "memo": "x"}));

    let booking = ["booking-contacts", "update", "6001", "6501", "--provider", "501"];
    let chosen = [&booking[..], &["--memo", "x", "--fields", "memo"]].concat();
    assert_eq!(service.json(&chosen)["record"], json!({"memo": "x"}));
}

#[test]
fn an_error_in_the_middle_of_a_list_is_its_last_item() {
    use crm_sandbox::{Fault, FaultPlan, FaultRule};

    let service = Service::start();
    let second =
        FaultRule::new(Fault::Status { status: 400 }).operation("Locations_GetContactList").nth(2);
    service.sandbox.inject(FaultPlan::new().rule(second));
    let list =
        ["location-contacts", "list", "2001", "--page-size", "2", "--all", "--output", "json"];
    let failed = service.crm(&list).assert().code(3);
    let answer: Value = serde_json::from_str(&stdout(&failed)).unwrap();
    let items = answer.as_array().unwrap();
    assert_eq!(items.len(), 3, "{answer}");
    assert_eq!(items[2]["error"]["status"], 400);

    let second =
        FaultRule::new(Fault::Status { status: 400 }).operation("Locations_GetContactList").nth(2);
    service.sandbox.inject(FaultPlan::new().rule(second));
    let failed = service.crm(&list[..6]).assert().code(3);
    let table = stdout(&failed);
    assert_eq!(table.lines().count(), 3, "title and two records: {table}");
}

#[test]
fn colours_are_for_terminals_and_can_be_forbidden() {
    let service = Service::start();
    let update = ["location-contacts", "update", "2001", "3001", "--memo"];
    let coloured = |memo, name: &str, value: &str| {
        let arguments = [&update[..], &[memo]].concat();
        stdout(&service.crm(&arguments).env(name, value).assert().success()).contains('\u{1b}')
    };
    assert!(!coloured("a", "TERM", "xterm-256color"), "stdout is no terminal");
    assert!(coloured("b", "CLICOLOR_FORCE", "1"));
    let both = [&update[..], &["c"]].concat();
    let both =
        service.crm(&both).env("CLICOLOR_FORCE", "1").env("NO_COLOR", "1").assert().success();
    assert!(!stdout(&both).contains('\u{1b}'));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    for format in ["ndjson", "csv"] {
        let home = tempfile::tempdir().unwrap();
        let mut child = process(home.path())
            .args(["--sandbox", "--sandbox-seed", "20000", "location-contacts", "changed"])
            .args(["--modified-since", "2000-01-01", "--all", "--output", format])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut some = [0; 100];
        child.stdout.take().unwrap().read_exact(&mut some).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{format}");
        assert!(output.status.success(), "{format}");
    }
}

#[test]
fn completions_and_man_pages_come_from_the_definitions() {
    let home = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = stdout(&crm(home.path()).args(["completions", shell]).assert().success());
        assert!(script.contains("location-contacts"), "{shell}");
    }
    let folder = home.path().join("man");
    crm(home.path()).arg("man").arg(&folder).assert().success();
    let page = std::fs::read_to_string(folder.join("crm-location-contacts-update.1")).unwrap();
    assert!(page.contains("if\\-unmodified\\-since"), "{page}");
}
