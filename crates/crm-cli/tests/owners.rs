//! `crm customers` and `crm locations`: names and addresses, in every format.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs;

use common::{Service, stderr, stdout};
use crm_sandbox::{Sandbox, Seed};
use serde_json::{Value, json};

#[test]
fn an_owner_is_shown_with_its_name_and_its_address() {
    let service = Service::start();
    let shown = service.ok("customers get 1002");
    assert!(
        shown.contains("Quiet Pines Clinic") && shown.contains("210 Juniper Avenue"),
        "{shown}"
    );
    let customer = service.json("customers get 1011 --fields name,active,mergedToId");
    assert_eq!(
        customer,
        json!({"name": "Harbor Bakery (old)", "active": false, "mergedToId": 1001})
    );
    let location = service.json("locations get 2002 --fields customerId,address.city");
    assert_eq!(location, json!({"customerId": 1001, "address.city": "Long Beach"}));
    let missing = service.crm("locations get 77").assert().code(3);
    assert!(stderr(&missing).contains("/locations/77"), "{}", stderr(&missing));
    service.crm("locations get x").assert().code(2);
}

#[test]
fn owners_are_listed_by_what_is_known_of_them() {
    let service = Service::start();
    let ids = |list: &str| -> Vec<i64> {
        let records = service.json(&format!("{list} --fields id"));
        records.as_array().unwrap().iter().map(|record| record["id"].as_i64().unwrap()).collect()
    };
    assert_eq!(ids("customers list --name harbor"), [1001]);
    assert_eq!(ids("customers list --name harbor --active any"), [1001, 1011]);
    assert_eq!(ids("customers list --active no --sort id --descending"), [1012, 1011]);
    assert_eq!(ids("customers list --phone '(818) 555-0142'"), [1001]);
    assert_eq!(ids("customers list --ids 1003,1002 --city pasadena"), [1002]);
    assert_eq!(ids("locations list --customer 1001 --zip 90731"), [2001]);
    assert_eq!(ids("locations list --modified-since 2026-05-19"), [2010]);
    let table = service.ok("customers list --limit 1");
    assert!(table.starts_with("ID    NAME"), "{table}");
    assert!(table.contains("4 Pier Road") && table.contains("San Pedro"), "{table}");
    let csv = service.ok("locations list --ids 2012 --output csv");
    let row = "2012,1010,,8 Mill Yard,,Whittier,CA,90602,USA,,,true,,2025-10-12T08:30:00Z,";
    assert!(csv.lines().nth(1).unwrap().starts_with(row), "{csv}");
    assert!(csv.starts_with("id,customerId,name,address.street,"), "{csv}");
    // As JSON a list is as the service wrote it, with what is not read here.
    assert_eq!(service.json("customers list --ids 1001")[0]["balance"], 12.5);
    service.crm("customers list --customer 1001").assert().code(2);
    service.crm("locations list --phone 8185550142").assert().code(2);
}

#[test]
fn more_ids_than_a_call_takes_are_looked_up_in_several() {
    let service = Service::build(Sandbox::builder().seed(Seed::Count(400)));
    let ids: Vec<_> = (1..=60).map(|id| id.to_string()).collect();
    let list = format!("customers list --all --active any --ids {}", ids.join(","));
    assert_eq!(service.json(&list).as_array().unwrap().len(), 60);
    let asked =
        service.sandbox.log().iter().filter(|call| call.operation == "Customers_GetList").count();
    assert_eq!(asked, 2);
}

#[test]
fn an_export_of_owners_goes_on_where_it_ended() {
    let service = Service::build(Sandbox::builder().seed(Seed::Count(400)));
    service.sandbox.set("export-page-size", "30").unwrap();
    let (out, state) = (service.home.path().join("customers"), service.home.path().join("state"));
    let export = |feed: &str| {
        let words =
            [feed, "export", "--out", out.to_str().unwrap(), "--state", state.to_str().unwrap()];
        service.crm(&words)
    };
    let ended = export("customers").assert().success();
    assert!(stderr(&ended).starts_with("100 records, the next run"), "{}", stderr(&ended));
    let lines = fs::read_to_string(&out).unwrap();
    let records: Vec<Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(records.len(), 100);
    let merged: Vec<_> = records.iter().filter(|record| record["active"] == false).collect();
    assert_eq!((merged[0]["id"].as_i64(), merged[0]["mergedToId"].as_i64()), (Some(40), Some(39)));
    assert!(records[0]["taxExempt"].is_boolean(), "as the service wrote it");

    let again = export("customers").assert().success();
    assert!(stderr(&again).starts_with("0 records"), "{}", stderr(&again));
    let other = export("locations").assert().code(2);
    assert!(stderr(&other).contains("its feed is customers, not locations"), "{}", stderr(&other));
    let csv = service.ok("locations export --output csv --fields id,name");
    assert!(csv.starts_with("id,name\n1,"), "{csv}");
    assert_eq!(csv.lines().count(), 101);
}

#[test]
fn an_error_of_an_export_of_owners_is_one_line_as_its_records_are() {
    let service = Service::start();
    let failed = service.crm("customers export --from garbage --output json").assert().code(3);
    let text = stdout(&failed);
    assert_eq!(text.lines().count(), 1, "{text}");
    let answer: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(answer["error"]["status"], 400);
}
