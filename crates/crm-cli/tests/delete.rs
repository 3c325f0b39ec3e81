//! A deletion shows what goes, and the commands that it prints restore it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::process::Command;

use common::{METHOD, PERSON, Service, stderr};

/// Deletes, and runs what was printed to restore; gives what was told.
#[cfg(unix)]
fn delete_and_restore(service: &Service, words: &[&str]) -> String {
    let told = stderr(&service.crm(words).assert().success());
    let commands = told.lines().filter_map(|line| line.trim().strip_prefix("crm "));
    let mut new_id = String::new();
    for command in commands {
        let command = command.replace("NEW_ID", &new_id);
        let crm = env!("CARGO_BIN_EXE_crm");
        let mut shell = Command::new("bash");
        shell
            .args(["-c", &format!("{crm} {command} --output ndjson")])
            .env("HOME", service.home.path())
            .envs(service.environment());
        let ended = shell.output().unwrap();
        let said = String::from_utf8(ended.stderr).unwrap();
        assert!(ended.status.success(), "{command}: {said}");
        let record: serde_json::Value = serde_json::from_slice(&ended.stdout).unwrap();
        new_id = record["id"].to_string();
    }
    told
}

#[cfg(unix)]
#[test]
fn what_was_deleted_is_shown_and_can_be_restored() {
    let service = Service::start();
    let memo = "Ada's gate; code $44 \\ \u{202e}";
    let set = ["location-contacts", "update", "2001", "3001", "--memo", memo, "--invoices", "off"];
    service.ok(&set);
    let list = ["location-contacts", "list", "2001", "--all"];
    let members = "type,value,memo,preferences.invoiceNotification,preferences.jobRemindersEnabled";
    let list = [&list[..], &["--fields", members, "--output", "ndjson"]].concat();
    let sorted = || {
        let mut lines: Vec<_> = service.ok(&list).lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let before = sorted();
    let told = delete_and_restore(&service, &["location-contacts", "delete", "2001", "3001"]);
    assert!(told.contains("to be deleted: location 2001, contact 3001"), "{told}");
    assert!(told.contains("8185550142"), "{told}");
    assert_eq!(sorted(), before);

    let get = ["contact-methods", "get", PERSON, METHOD, "--fields", "id,type,value,memo"];
    let before = service.ok(&get);
    delete_and_restore(&service, &["contact-methods", "delete", PERSON, METHOD]);
    assert_eq!(service.ok(&get), before);

    let list = ["booking-contacts", "list", "6001", "--fields", "type,value,memo"];
    let before = service.ok(&list);
    let delete = ["booking-contacts", "delete", "6001", "6501", "--provider", "501"];
    delete_and_restore(&service, &delete);
    assert_eq!(service.ok(&list).lines().count(), before.lines().count());
}

#[test]
fn a_restoring_command_means_the_same_account() {
    let service = Service::start();
    let told = service.crm(&["--tenant", "1001", "people", "delete", PERSON]);
    let told = stderr(&{ told }.assert().success());
    let restore = told.lines().find(|line| line.contains(" people create")).unwrap();
    assert!(restore.contains("crm --tenant=1001 people create"), "{told}");
}

#[test]
fn what_is_not_there_or_may_not_be_deleted_stays() {
    let service = Service::start();
    service.crm(&["location-contacts", "delete", "2001", "9999"]).assert().code(3);
    let dry = ["location-contacts", "delete", "2001", "3001", "--dry-run"];
    let told = stderr(&service.crm(&dry).assert().success());
    assert!(!told.contains("restores"), "{told}");
    assert!(service.writes().is_empty());
}
