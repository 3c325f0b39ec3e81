//! The clock that a test moves.
#![allow(clippy::unwrap_used, reason = "a failure here fails the test")]

mod common;

use std::time::{Duration, SystemTime};

use common::Client;
use crm_sandbox::Sandbox;
use serde_json::json;

#[tokio::test]
async fn a_frozen_clock_moves_only_when_told() {
    let sandbox = Sandbox::start().await.unwrap();
    let clock = sandbox.clock();
    clock.freeze();
    let before = clock.now();
    assert_eq!(clock.now(), before);
    clock.advance(Duration::from_secs(5));
    assert_eq!(clock.now(), before + Duration::from_secs(5));
}

#[tokio::test]
async fn setting_and_freezing_the_clock_in_any_order_give_the_same() {
    let sandbox = Sandbox::start().await.unwrap();
    let clock = sandbox.clock();
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_000_000);
    // Far more than a tick passes between the two calls.
    let pause = || std::thread::sleep(Duration::from_millis(2));
    clock.set(time);
    pause();
    clock.freeze();
    assert_eq!(clock.now(), time);
    clock.resume();
    clock.freeze();
    clock.set(time);
    assert_eq!(clock.now(), time);
    clock.resume();
    clock.advance(Duration::from_secs(5));
    pause();
    clock.freeze();
    assert_eq!(clock.now(), time + Duration::from_secs(5));

    // Once somebody has looked, it runs.
    clock.resume();
    let before = clock.now();
    pause();
    assert!(clock.now() > before);
}

#[tokio::test]
async fn changes_have_an_order_even_while_the_clock_stands_still_or_goes_back() {
    let sandbox = Sandbox::start().await.unwrap();
    sandbox.clock().freeze();
    let client = Client::new(&sandbox).await;
    let change = async || {
        let (status, contact) =
            client.patch("/locations/2001/contacts/3001", json!({"memo": "x"})).await;
        assert_eq!(status, 200, "{contact}");
        // Not as texts: the fraction has no trailing zeros.
        contact["modifiedOn"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap()
    };
    let (first, second) = (change().await, change().await);
    // Long enough ago to be the past of every change, and the token is still good.
    sandbox.clock().set(SystemTime::UNIX_EPOCH);
    assert!(first < second && second < change().await);
}
