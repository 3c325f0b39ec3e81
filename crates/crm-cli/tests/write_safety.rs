//! What keeps a write from being sent.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{METHOD, PERSON, Service, crm, stderr};

/// One write of every kind.
const WRITES: [&[&str]; 14] = [
    &[
        "location-contacts",
        "create",
        "2001",
        "--type",
        "Phone",
        "--value",
        "8185550123",
    ],
    &["location-contacts", "update", "2001", "3001", "--memo", "x"],
    &["location-contacts", "delete", "2001", "3001"],
    &["customer-contacts", "delete", "1001", "4001"],
    &[
        "booking-contacts",
        "create",
        "6001",
        "--provider",
        "501",
        "--type",
        "Phone",
        "--value",
        "8185550123",
    ],
    &[
        "booking-contacts",
        "update",
        "6001",
        "6501",
        "--provider",
        "501",
        "--memo",
        "x",
    ],
    &["people", "create", "--name", "x"],
    &["people", "update", PERSON, "--name", "x"],
    &["people", "replace", PERSON, "--archived", "off"],
    &["people", "relate", PERSON, "customer", "1002"],
    &[
        "contact-methods",
        "upsert",
        PERSON,
        METHOD,
        "--type",
        "Fax",
        "--value",
        "8185550123",
    ],
    &["contact-methods", "delete", PERSON, METHOD],
    &[
        "preferences",
        "set",
        PERSON,
        METHOD,
        "JobReminders",
        "false",
    ],
    &["api", "DELETE", "/locations/2001/contacts/3001"],
];

#[test]
fn read_only_refuses_every_write_before_it_is_sent() {
    let service = Service::start();
    for write in WRITES {
        let refused = service.crm(write).arg("--read-only").assert().code(2);
        assert!(
            stderr(&refused).contains("read-only"),
            "{write:?}: {}",
            stderr(&refused)
        );
    }
    service
        .crm(WRITES[2])
        .env("CRM_READ_ONLY", "1")
        .assert()
        .code(2);
    assert!(service.writes().is_empty());
    service.ok(&["location-contacts", "list", "2001", "--read-only"]);
}

#[test]
fn a_dry_run_sends_no_write_of_any_command() {
    let service = Service::start();
    for write in WRITES {
        let shown = service.json(&[write, &["--dry-run"]].concat());
        assert_eq!(shown["dryRun"], true, "{write:?}");
        let path = shown["request"]["path"].as_str().unwrap();
        assert!(
            path.starts_with("/crm/v2/tenant/1001/"),
            "{write:?}: {path}"
        );
    }
    assert!(service.writes().is_empty());
}

#[cfg(unix)]
#[test]
fn commands_share_a_token_if_they_are_told_to() {
    let service = Service::start();
    let tokens = || {
        let log = service.sandbox.log().into_iter();
        log.filter(|request| request.operation == "Token").count()
    };
    let list = ["location-contacts", "list", "2001"];
    let cached = || service.crm(&list).env("CRM_TOKEN_CACHE", "1").assert();
    cached().success();
    cached().success();
    assert_eq!(tokens(), 1);
    service.ok(&list);
    assert_eq!(tokens(), 2, "not unless they are told to");
}

#[test]
fn production_is_written_to_only_when_somebody_says_so() {
    let home = tempfile::tempdir().unwrap();
    let refused = crm(home.path())
        .args([
            "location-contacts",
            "delete",
            "1",
            "2",
            "--environment",
            "production",
        ])
        .env("CRM_TENANT", "7")
        .env("CRM_CLIENT_ID", "id")
        .env("CRM_CLIENT_SECRET", "secret")
        .env("CRM_APP_KEY", "key")
        .assert()
        .code(2);
    let message = stderr(&refused);
    assert!(
        message.contains("PRODUCTION, tenant 7") && message.contains("--yes"),
        "{message}"
    );
}
