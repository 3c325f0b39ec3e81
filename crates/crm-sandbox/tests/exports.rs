//! The export feeds.
#![allow(clippy::unwrap_used, reason = "a failure here fails the test")]

mod common;

use std::time::Duration;

use common::Client;
use crm_sandbox::{Sandbox, Seed};
use serde_json::{Value, json};

const FEED: &str = "/export/locations/contacts";

async fn walk(client: &Client, query: &str) -> (Vec<i64>, String) {
    let mut seen = Vec::new();
    let mut from = String::new();
    loop {
        let (status, batch) = client.get(&format!("{FEED}?{query}&from={from}")).await;
        assert_eq!(status, 200, "{batch}");
        seen.extend(common::ids(&batch));
        batch["continueFrom"].as_str().unwrap().clone_into(&mut from);
        if batch["hasMore"] == false {
            return (seen, from);
        }
    }
}

#[tokio::test]
async fn a_feed_gives_every_record_once_and_ends_with_a_token() {
    let sandbox = Sandbox::builder()
        .seed(Seed::Count(25))
        .set("export-page-size", "7")
        .unwrap()
        .start()
        .await
        .unwrap();
    let client = Client::new(&sandbox).await;
    let (seen, token) = walk(&client, "").await;
    assert_eq!(seen, (1..=25).collect::<Vec<_>>());
    let (_, batch) = client.get(&format!("{FEED}?from={token}")).await;
    assert_eq!(batch, json!({"hasMore": false, "continueFrom": token, "data": []}));
}

#[tokio::test]
async fn a_change_shows_up_after_the_lag_or_at_once_when_asked() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::new(&sandbox).await;
    let (_, token) = walk(&client, "").await;
    client.patch("/locations/2001/contacts/3001", json!({"memo": "new"})).await;
    client.delete("/locations/2001/contacts/3002").await;
    let news = async |query: &str| {
        client.get(&format!("{FEED}?from={token}{query}")).await.1["data"].clone()
    };
    assert_eq!(news("").await, json!([]));
    let recent = news("&includeRecentChanges=true").await;
    let ids: Vec<_> =
        recent.as_array().unwrap().iter().map(|c| c["id"].as_i64().unwrap()).collect();
    assert_eq!(ids.iter().rev().take(2).collect::<Vec<_>>(), [&3002, &3001]);
    sandbox.clock().advance(Duration::from_secs(900));
    let client = Client::new(&sandbox).await;
    let (_, batch) = client.get(&format!("{FEED}?from={token}")).await;
    assert_eq!(batch["data"].as_array().unwrap().len(), 2);
    assert_eq!(batch["data"][1]["active"], false);
    assert_eq!(batch["data"][0]["locationId"], 2001);
}

#[tokio::test]
async fn recent_changes_cost_a_repeat_between_calls() {
    let sandbox = Sandbox::builder()
        .seed(Seed::Count(5))
        .set("export-page-size", "2")
        .unwrap()
        .start()
        .await
        .unwrap();
    let client = Client::new(&sandbox).await;
    assert_eq!(walk(&client, "includeRecentChanges=true").await.0, [1, 2, 2, 3, 4, 4, 5]);
    sandbox.set("export-repeats", "never").unwrap();
    assert_eq!(walk(&client, "includeRecentChanges=true").await.0, [1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn a_feed_starts_at_a_date_a_time_or_a_token_of_its_own() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::new(&sandbox).await;
    let all = client.get(FEED).await.1["data"].as_array().unwrap().len();
    let count = async |from: &str| {
        client.get(&format!("{FEED}?from={from}")).await.1["data"].as_array().map(Vec::len)
    };
    assert_eq!(count("").await, Some(all));
    assert_eq!(count("2020-01-01").await, Some(all));
    assert!(count("2026-05-27T16:04:11.4827193Z").await.is_some_and(|n| n >= 2 && n < all));
    let (_, customers) = client.get("/export/customers/contacts").await;
    assert!(
        customers["data"]
            .as_array()
            .unwrap()
            .iter()
            .any(|c| c["id"] == 4004 && c["active"] == false)
    );
    let foreign = customers["continueFrom"].as_str().unwrap();
    for bad in [foreign, "garbage", "2020-13-01", "l00", "%F0%9F%A6%80"] {
        let (status, problem) = client.get(&format!("{FEED}?from={bad}")).await;
        assert_eq!(status, 400, "{bad}");
        assert_ne!(problem["errors"]["from"], Value::Null);
    }
}
