//! What keeps a write from being sent.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{METHOD, PERSON, Service, crm, stderr};
use crm_contacts::{Spec, operations};
use crm_transport::Effect;

/// Every command that writes.
const WRITES: [&[&str]; 24] = [
    &["location-contacts", "create", "2001", "--type", "Phone", "--value", "8185550123"],
    &["location-contacts", "update", "2001", "3001", "--memo", "x"],
    &["location-contacts", "delete", "2001", "3001"],
    &["customer-contacts", "create", "1001", "--type", "Phone", "--value", "8185550123"],
    &["customer-contacts", "update", "1001", "4001", "--memo", "x"],
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
    &["booking-contacts", "update", "6001", "6501", "--provider", "501", "--memo", "x"],
    &["booking-contacts", "delete", "6001", "6501", "--provider", "501"],
    &["people", "create", "--name", "x"],
    &["people", "update", PERSON, "--name", "x"],
    &["people", "replace", PERSON, "--archived", "off"],
    &["people", "relate", PERSON, "customer", "1002"],
    &["people", "unrelate", PERSON, "customer", "1001"],
    &["people", "delete", PERSON],
    &["contact-methods", "create", PERSON, "--type", "Fax", "--value", "8185550123"],
    &["contact-methods", "update", PERSON, METHOD, "--memo", "x"],
    &["contact-methods", "upsert", PERSON, METHOD, "--type", "Fax", "--value", "8185550123"],
    &["contact-methods", "delete", PERSON, METHOD],
    &["preferences", "set", PERSON, METHOD, "JobReminders", "false"],
    &["api", "POST", "/locations/2001/contacts"],
    &["api", "PUT", "/contacts/1"],
    &["api", "PATCH", "/locations/2001/contacts/3001"],
    &["api", "DELETE", "/locations/2001/contacts/3001"],
];

#[test]
fn read_only_refuses_every_write_before_it_is_sent() {
    let service = Service::start();
    for write in WRITES {
        let refused = service.crm(write).arg("--read-only").assert().code(2);
        assert!(stderr(&refused).contains("read-only"), "{write:?}: {}", stderr(&refused));
    }
    service.crm(WRITES[2]).env("CRM_READ_ONLY", "1").assert().code(2);
    assert!(service.writes().is_empty());
    service.ok(&["location-contacts", "list", "2001", "--read-only"]);
}

#[test]
fn a_dry_run_sends_no_write_of_any_command() {
    let service = Service::start();
    let is_write = |spec: &Spec| spec.effect != Effect::Read;
    let mut unseen: Vec<_> = operations::all().into_iter().filter(is_write).collect();
    for write in WRITES {
        let shown = service.json(&[write, &["--dry-run"]].concat());
        assert_eq!(shown["dryRun"], true, "{write:?}");
        let path = shown["request"]["path"].as_str().unwrap();
        let path = path.strip_prefix("/crm/v2/tenant/1001").unwrap();
        if write[0] != "api" {
            let method = shown["request"]["method"].as_str().unwrap();
            unseen.retain(|spec| spec.method != method || !leads_to(spec, path));
        }
    }
    assert!(unseen.is_empty(), "no command of the above sends {unseen:?}");
    assert!(service.writes().is_empty());
}

/// Whether a path is one of an operation.
fn leads_to(spec: &Spec, path: &str) -> bool {
    let (parts, given): (Vec<_>, Vec<_>) =
        (spec.path.split('/').collect(), path.split('/').collect());
    let same = |(part, given): (&&str, &&str)| part.starts_with('{') || part == given;
    parts.len() == given.len() && parts.iter().zip(&given).all(same)
}

#[test]
fn a_write_is_shown_also_where_none_may_be_sent() {
    let service = Service::start();
    let shown = service.json(&[WRITES[1], &["--dry-run", "--read-only"]].concat());
    assert_eq!(shown["request"]["method"], "PATCH");
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

/// The deletion of a contact with settings that are all made up.
fn delete(home: &std::path::Path) -> assert_cmd::Command {
    let mut delete = crm(home);
    delete
        .args(["location-contacts", "delete", "1", "2"])
        .env("CRM_TENANT", "7")
        .env("CRM_CLIENT_ID", "id")
        .env("CRM_CLIENT_SECRET", "secret")
        .env("CRM_APP_KEY", "key");
    delete
}

#[test]
fn production_is_written_to_only_when_somebody_says_so() {
    let home = tempfile::tempdir().unwrap();
    let refused = delete(home.path()).args(["--environment", "production"]).assert().code(2);
    let message = stderr(&refused);
    assert!(message.contains("PRODUCTION, tenant 7") && message.contains("--yes"), "{message}");
}

#[test]
fn production_is_known_however_its_url_is_written() {
    let home = tempfile::tempdir().unwrap();
    for url in [
        "https://api.servicetitan.io",
        "https:api.servicetitan.io",
        r"https:\\api.servicetitan.io",
        "https://API.ServiceTitan.io.:443/",
    ] {
        let mut delete = delete(home.path());
        // Nobody gives a token here.
        delete.env("CRM_API_URL", url).env("CRM_AUTH_URL", "http://127.0.0.1:1");
        let message = stderr(&delete.assert().code(2));
        assert!(message.contains("PRODUCTION, tenant 7"), "{url}: {message}");
    }
}
