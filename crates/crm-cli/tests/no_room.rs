//! Where no file can grow, what is there can be read, and what cannot be written is told.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails so")]

mod common;

use std::{fs, process};

use assert_cmd::{Command, assert::Assert};
use common::*;

/// The command where no file may become longer than so many blocks of 512 bytes.
fn within(service: &Service, blocks: u32, line: &str) -> Assert {
    let crm = service.process(line);
    let mut shell = process::Command::new("sh");
    shell.arg("-c").arg(format!("ulimit -f {blocks}; exec \"$0\" \"$@\""));
    shell.arg(crm.get_program()).args(crm.get_args()).env_clear();
    shell.envs(crm.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell.current_dir(service.home.path());
    Command::from_std(shell).assert()
}

/// A desk with a mirror, a ledger, and a set that is planned.
fn desk() -> Service {
    let service = Service::start();
    service.ok("mirror update");
    service.ok("consent add 8185550142 --said STOP --at 2026-11-23T10:30:00Z");
    let rows = "location_id,contact_id,memo\n2001,3001,Gate 4411\n";
    fs::write(service.home.path().join("rows.csv"), rows).unwrap();
    service.ok("plan rows.csv");
    service
}

#[test]
fn what_is_there_can_be_read_where_nothing_can_be_written() {
    let service = desk();
    for line in [
        "consent status 8185550142",
        "consent export",
        "consent check",
        "consent policy",
        "sets",
        "show rows",
        "find 8185550142",
        "history 8185550142",
        "desk show",
        "customer-contacts list 1001",
    ] {
        let usual = service.crm(line).assert();
        let cramped = within(&service, 0, line);
        assert_eq!(stderr(&cramped), stderr(&usual), "{line}");
        assert_eq!(stdout(&cramped), stdout(&usual), "{line}");
        assert_eq!(cramped.get_output().status, usual.get_output().status, "{line}");
    }
}

#[test]
fn what_cannot_be_written_is_told_with_the_file_and_nothing_is_lost() {
    let service = desk();
    fs::write(service.home.path().join("list.csv"), "phone,status\n8185550143,STOP\n").unwrap();
    for (line, file) in [
        ("consent add 8185550144 --said STOP", "ledger.db"),
        ("consent import list.csv", ""),
        ("consent retract 1 --reason wrong", "ledger.db"),
        ("--yes consent redact 8185550142 --reason asked", "ledger.db"),
        ("mirror update", "mirror"),
        ("plan rows.csv", ".crm"),
        ("apply rows --yes", ""),
        ("location-contacts update 2001 3001 --memo x", ""),
    ] {
        let refused = within(&service, 0, line);
        let told = stderr(&refused);
        assert!(refused.get_output().status.code().is_some_and(|code| code != 0), "{line}: {told}");
        assert!(
            told.contains("must not become longer") || told.contains("File too large"),
            "{line}: {told}"
        );
        assert!(told.contains(file), "{line}: {told}");
    }
    let checked = service.ok("consent check");
    assert!(checked.contains("1"), "{checked}");
    service.ok("consent add 8185550144 --said STOP");
    service.ok("apply rows --yes");
}

#[test]
fn a_ledger_that_could_not_be_begun_is_not_one_that_is_missing() {
    let service = Service::start();
    let add = "consent add 8185550144 --said STOP --at 2026-11-23T10:30:00Z";
    service.ok("mirror update");
    let refused = within(&service, 4, add);
    assert!(stderr(&refused).contains("must not become longer"), "{}", stderr(&refused));
    service.ok(add);
    service.crm("consent status 8185550144").assert().code(10);
}
