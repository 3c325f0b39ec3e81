//! Customers and locations themselves: single, listed and in their feeds.
#![allow(clippy::unwrap_used, reason = "a failure here fails the test")]

mod common;

use std::collections::BTreeSet;

use common::{Client, ids};
use crm_sandbox::{Sandbox, Seed};
use serde_json::{Value, json};

async fn start(seed: Seed) -> (Sandbox, Client) {
    let builder = Sandbox::builder().seed(seed).set("rate-limit", "0").unwrap();
    let sandbox = builder.start().await.unwrap();
    let client = Client::new(&sandbox).await;
    (sandbox, client)
}

async fn listed(client: &Client, list: &str) -> Vec<i64> {
    let (status, page) = client.get(list).await;
    assert_eq!(status, 200, "{list}: {page}");
    ids(&page)
}

#[tokio::test]
async fn a_customer_and_a_location_are_answered_whole() {
    let (_sandbox, client) = start(Seed::Demo).await;
    let (status, customer) = client.get("/customers/1002").await;
    assert_eq!(
        (status, customer),
        (
            200,
            json!({
                "id": 1002, "active": true, "name": "Quiet Pines Clinic", "type": "Commercial",
                "address": {
                    "street": "210 Juniper Avenue", "unit": "Suite 3", "city": "Pasadena",
                    "state": "CA", "zip": "91101", "country": "USA", "latitude": 34.1478,
                    "longitude": -118.1445
                },
                "customFields": [{"typeId": 71, "name": "Route", "value": "North"}],
                "balance": 25.0, "taxExempt": false, "tagTypeIds": [], "doNotMail": true,
                "doNotService": false, "nationalAccount": false,
                "createdOn": "2025-10-02T08:00:00Z", "createdById": 0,
                "modifiedOn": "2026-02-11T09:00:00.0000002Z", "mergedToId": null,
                "paymentTermId": null, "creditLimit": null, "creditLimitBalance": null,
                "externalData": []
            })
        )
    );
    let (status, location) = client.get("/locations/2012").await;
    assert_eq!(status, 200);
    assert_eq!((&location["name"], &location["customerId"]), (&json!(""), &json!(1010)));
    assert_eq!(location["address"]["street"], "8 Mill Yard");
    assert_eq!(location["externalData"], json!([{"key": "erp", "value": "N-2012"}]));
    let (_, merged) = client.get("/locations/2013").await;
    assert_eq!((&merged["active"], &merged["mergedToId"]), (&json!(false), &json!(2001)));
    assert_eq!(client.get("/customers/77").await.0, 404);
    assert_eq!(client.get("/customers/x").await.0, 400);
}

#[tokio::test]
async fn only_active_owners_are_listed_unless_others_are_asked_for() {
    let (_sandbox, client) = start(Seed::Demo).await;
    assert_eq!(listed(&client, "/customers").await, (1001..=1010).collect::<Vec<_>>());
    assert_eq!(listed(&client, "/customers?active=False").await, [1011, 1012]);
    assert_eq!(listed(&client, "/locations?active=any").await, (2001..=2013).collect::<Vec<_>>());
    assert_eq!(listed(&client, "/customers?ids=1011,1001").await, [1001]);
    assert_eq!(listed(&client, "/customers?ids=1011,1001&active=Any").await, [1001, 1011]);
    assert_eq!(client.get("/customers?active=maybe").await.0, 400);
}

#[tokio::test]
async fn a_list_takes_50_ids() {
    let (_sandbox, client) = start(Seed::Count(4_000)).await;
    let of = |count: usize| (1..=count).map(|id| id.to_string()).collect::<Vec<_>>().join(",");
    for list in ["/customers", "/locations"] {
        let found = listed(&client, &format!("{list}?active=Any&ids={}", of(50))).await;
        assert_eq!(found.len(), 50);
        let (status, problem) = client.get(&format!("{list}?ids={}", of(51))).await;
        assert_eq!((status, problem["errors"]["ids"].is_array()), (400, true), "{problem}");
    }
}

#[tokio::test]
async fn owners_are_found_by_what_is_known_of_them() {
    let (sandbox, client) = start(Seed::Demo).await;
    for (list, found) in [
        ("/customers?name=harbor", &[1001][..]),
        ("/customers?name=harbor&active=Any", &[1001, 1011]),
        ("/customers?city=glendale", &[1003]),
        ("/customers?city=glen", &[]),
        ("/customers?street=52%20canal%20court&zip=90291&state=ca&country=usa", &[1007]),
        ("/locations?unit=stall%206", &[2002]),
        ("/locations?customerId=1001", &[2001, 2002]),
        ("/locations?customerId=1001&city=San+Pedro", &[2001]),
        ("/customers?modifiedOnOrAfter=2026-05-19T09:00:00Z", &[1010]),
        ("/customers?active=Any&createdBefore=2025-09-30T00:00:00Z", &[1011, 1012]),
        ("/customers?sort=-ModifiedOn&pageSize=2", &[1010, 1005]),
        // By the numbers of its active contacts, as they are stored.
        ("/customers?phone=8185550142", &[1001]),
        ("/customers?phone=2135550177", &[1001, 1003, 1005]),
        ("/customers?phone=(818)+555-0142", &[]),
        ("/customers?phone=8185550149", &[]),
        ("/customers?phone=billing@harborbakery.example", &[]),
    ] {
        assert_eq!(listed(&client, list).await, found, "{list}");
    }
    assert_eq!(client.get("/locations?customerId=x").await.0, 400);
    assert_eq!(client.get("/locations?sort=%2BName").await.0, 400);
    sandbox.set("phone-filter", "digits").unwrap();
    let written = "/customers?phone=%2B1+(818)+555-0142";
    assert_eq!(listed(&client, written).await, [1001]);
}

async fn feed(client: &Client, feed: &str) -> Vec<Value> {
    let (mut records, mut from) = (Vec::new(), String::new());
    loop {
        let (status, batch) = client.get(&format!("{feed}?from={from}")).await;
        assert_eq!(status, 200, "{batch}");
        records.extend(batch["data"].as_array().unwrap().iter().cloned());
        batch["continueFrom"].as_str().unwrap().clone_into(&mut from);
        if batch["hasMore"] == false {
            return records;
        }
    }
}

#[tokio::test]
async fn a_feed_has_every_owner_once_with_the_merged_ones_and_tokens_of_its_own() {
    let (sandbox, client) = start(Seed::Count(400)).await;
    sandbox.set("export-page-size", "7").unwrap();
    for path in ["/export/customers", "/export/locations"] {
        let records = feed(&client, path).await;
        let seen: BTreeSet<_> = records.iter().map(|record| record["id"].as_i64()).collect();
        assert_eq!((records.len(), seen.len()), (100, 100));
        let gone: Vec<_> = records.iter().filter(|record| record["active"] == false).collect();
        let merged: Vec<_> = gone.iter().map(|record| &record["mergedToId"]).collect();
        assert_eq!(merged, [&json!(39), &json!(null)]);
    }
    let token = client.get("/export/customers").await.1["continueFrom"].clone();
    let token = token.as_str().unwrap();
    for other in ["/export/locations", "/export/customers/contacts"] {
        assert_eq!(client.get(&format!("{other}?from={token}")).await.0, 400, "{other}");
    }
}

#[tokio::test]
async fn the_feed_repeats_the_last_owner_where_recent_changes_are_asked_for() {
    let (sandbox, client) = start(Seed::Demo).await;
    sandbox.set("export-page-size", "5").unwrap();
    let (_, first) = client.get("/export/customers?includeRecentChanges=true").await;
    let token = first["continueFrom"].as_str().unwrap();
    let next = format!("/export/customers?includeRecentChanges=true&from={token}");
    let (_, second) = client.get(&next).await;
    assert_eq!(second["data"][0], first["data"][4]);
    assert_eq!(ids(&second).len(), 6);
}

#[tokio::test]
async fn a_scope_of_contacts_is_enough_and_another_area_is_not() {
    let (sandbox, _) = start(Seed::Demo).await;
    sandbox.set("scopes", "tn.crm.customers:r").unwrap();
    let client = Client::new(&sandbox).await;
    for (path, status) in [
        ("/customers/1001", 200),
        ("/customers", 200),
        ("/export/customers", 200),
        ("/locations/2001", 403),
        ("/locations", 403),
        ("/export/locations", 403),
    ] {
        assert_eq!(client.get(path).await.0, status, "{path}");
    }
}

#[tokio::test]
async fn counted_owners_are_plausible_and_always_the_same() {
    let (_one, one) = start(Seed::Count(2_000)).await;
    let (_other, other) = start(Seed::Count(2_000)).await;
    let list = "/locations?active=Any&pageSize=5000";
    let (_, page) = one.get(list).await;
    assert_eq!(page, other.get(list).await.1);
    let locations = page["data"].as_array().unwrap();
    let blank = locations.iter().filter(|location| location["name"] == "").count();
    assert_eq!((locations.len(), blank), (500, 55));
    let cities: BTreeSet<_> =
        locations.iter().map(|location| location["address"]["city"].to_string()).collect();
    assert_eq!(cities.len(), 8);
}
