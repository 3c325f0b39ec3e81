//! The contacts of bookings.
#![allow(clippy::unwrap_used, reason = "a failure here fails the test")]

mod common;

use common::{Client, ids};
use crm_sandbox::Sandbox;
use serde_json::{Value, json};

const CONTACTS: &str = "/booking-provider/501/bookings/6001/contacts";

#[tokio::test]
async fn both_lists_show_the_same_contacts() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::new(&sandbox).await;
    let (_, page) = client.get("/bookings/6001/contacts").await;
    assert_eq!(ids(&page), [6501, 6502]);
    assert_eq!(page["data"][1]["memo"], "");
    assert_eq!(client.get(CONTACTS).await.1, page);
    sandbox.set("booking-memo", "null").unwrap();
    assert_eq!(client.get(CONTACTS).await.1["data"][1]["memo"], Value::Null);
}

#[tokio::test]
async fn a_booking_of_another_provider_is_not_found() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::new(&sandbox).await;
    let foreign = "/booking-provider/502/bookings/6001/contacts";
    assert_eq!(client.get(foreign).await.0, 404);
    assert_eq!(client.post(foreign, json!({"type": "Phone", "value": "1"})).await.0, 404);
    assert_eq!(client.get("/bookings/1/contacts").await.0, 404);
}

#[tokio::test]
async fn an_update_answers_the_members_of_its_request_unless_switched() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::new(&sandbox).await;
    let contact = format!("{CONTACTS}/6501");
    let expected = json!({"type": "MobilePhone", "value": "2135550108", "memo": "Call first"});
    assert_eq!(client.patch(&contact, json!({"memo": "Call first"})).await, (200, expected));
    sandbox.set("booking-update-answer", "full").unwrap();
    assert_eq!(client.patch(&contact, json!({})).await.1["id"], 6501);
    sandbox.set("booking-update-answer", "sent").unwrap();
    let sent = json!({"memo": "Call twice"});
    assert_eq!(client.patch(&contact, sent.clone()).await, (200, sent));
}

#[tokio::test]
async fn a_value_is_refused_before_the_booking_is_looked_up() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::new(&sandbox).await;
    let nowhere = "/booking-provider/501/bookings/1/contacts/1";
    for (body, status) in [
        (json!({"value": " "}), 400),
        (json!({"type": "Email", "value": "nobody"}), 400),
        (json!({"value": "nobody"}), 404),
    ] {
        assert_eq!(client.patch(nowhere, body.clone()).await.0, status, "{body}");
    }
}

#[tokio::test]
async fn a_contact_is_created_and_deleted() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::new(&sandbox).await;
    let (status, contact) =
        client.post(CONTACTS, json!({"type": "Email", "value": "a@b.example"})).await;
    assert_eq!(status, 200);
    assert_eq!(client.post(CONTACTS, json!({"type": "Letter", "value": "a"})).await.0, 400);
    let path = format!("{CONTACTS}/{}", contact["id"]);
    assert_eq!(client.delete(&path).await, (200, Value::Null));
    assert_eq!(client.delete(&path).await.0, 404);
    assert_eq!(client.patch(&path, json!({"memo": "x"})).await.0, 404);
    assert_eq!(ids(&client.get(CONTACTS).await.1), [6501, 6502]);
    let (_, next) = client.post(CONTACTS, json!({"type": "Email", "value": "a@b.example"})).await;
    assert!(next["id"].as_i64() > contact["id"].as_i64(), "{next}");
}
