//! Records of the service that cannot be read: everything else goes on, and they are told.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs;

use common::{Host, Service, stderr, stdout};
use serde_json::Value;

const CONTACT: &str = r#"{"locationId":2001,"active":true,"id":3001,"type":"Email",
    "value":"ada@site.example","memo":null,"phoneSettings":null,"createdOn":"2024-01-01T00:00:00Z",
    "modifiedOn":"2024-01-01T00:00:00Z","preferences":{"jobRemindersEnabled":true,
    "marketingUpdatesEnabled":true,"invoiceStatementNotification":true,
    "invoiceNotification":true,"statementNotification":true}}"#;

/// A batch of a feed with one record that can be read and one that cannot.
fn batch(has_more: bool, token: &str) -> String {
    let broken = CONTACT.replace(r#""id":3001"#, r#""id":0"#);
    format!(r#"{{"hasMore":{has_more},"continueFrom":"{token}","data":[{CONTACT},{broken}]}}"#)
}

const EMPTY_FEED: &str = r#"{"hasMore":false,"continueFrom":"t","data":[]}"#;
const EMPTY_PAGE: &str = r#"{"page":1,"pageSize":5000,"hasMore":false,"data":[]}"#;

#[test]
fn an_export_goes_on_and_tells_each() {
    let service = Service::start();
    let (first, last) = (batch(true, "t1"), batch(false, "t2"));
    let host = Host::start(&[(200, &first), (200, &last)]);
    let export = ["export", "location-contacts", "--out", "out", "--state", "state"];
    let done = service.crm(&export).env("CRM_API_URL", &host.url).assert();
    let told = stderr(&done.success());
    let each = "not written, since it cannot be read: locationId 2001, id 0: record 1 of its page";
    assert_eq!(told.matches(each).count(), 2, "{told}");
    assert!(told.contains("2 records, 2 more cannot be read"), "{told}");
    assert!(!told.contains("ada@"), "{told}");
    let read = |name: &str| fs::read_to_string(service.home.path().join(name)).unwrap();
    assert_eq!(read("out").lines().count(), 2);
    assert!(read("state").contains("t2"));
}

#[test]
fn a_snapshot_counts_and_tells_them() {
    let service = Service::start();
    let batch = batch(false, "t");
    let answers = [EMPTY_FEED, &batch, EMPTY_FEED, EMPTY_FEED, EMPTY_PAGE, EMPTY_PAGE];
    let host = Host::start(&answers.map(|answer| (200, answer)));
    let snapshot = ["snapshot", "contacts", "--output", "json"];
    let done = service.crm(&snapshot).env("CRM_API_URL", &host.url).assert();
    let done = done.success();
    let held: Value = serde_json::from_str(&stdout(&done)).unwrap();
    assert_eq!(held["contacts"], 1);
    assert_eq!(held["unreadable"].as_array().unwrap().len(), 1);
    let told = stderr(&done);
    assert!(told.contains("cannot be read: locationId 2001, id 0"), "{told}");
}

#[test]
fn an_opt_out_with_nothing_to_do_is_not_at_its_end_while_one_cannot_be_read() {
    let service = Service::start();
    let batch = batch(false, "t")
        .replace(r#""marketingUpdatesEnabled":true"#, r#""marketingUpdatesEnabled":false"#);
    let list = service.home.path().join("list.csv");
    fs::write(list, "email\nada@site.example\n").unwrap();
    let opt_out = |name: &str, more: &[&str]| {
        let feeds = [EMPTY_FEED, &batch, EMPTY_FEED, EMPTY_FEED];
        let answers = [&feeds[..], &[EMPTY_PAGE, EMPTY_PAGE, "[]"]].concat();
        let answers: Vec<_> = answers.into_iter().map(|answer| (200, answer)).collect();
        let host = Host::start(&answers);
        let plan = ["opt-out", "list.csv", "--out", name];
        let mut plan = service.crm(&[&plan[..], more].concat());
        plan.env("CRM_API_URL", &host.url).assert()
    };
    let text = stdout(&opt_out("set.crm", &[]).success());
    let end = "\nto look at: 1 record, cannot be read: 1 record\nnext: ";
    assert!(text.contains(end), "{text}");
    opt_out("again.crm", &["--detailed-exitcode"]).code(2);
    let shown: Value =
        serde_json::from_str(&service.ok(&["status", "set.crm", "--output", "json"])).unwrap();
    assert_eq!(shown["unreadable"].as_array().map(Vec::len), Some(1), "{shown}");
}
