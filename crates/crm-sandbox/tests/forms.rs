//! Settings for other forms of requests and answers.
#![allow(clippy::unwrap_used, reason = "a failure here fails the test")]

mod common;

use common::{Client, ids};
use crm_sandbox::Sandbox;
use serde_json::{Value, json};

const CONTACT: &str = "/locations/2001/contacts/3001";
const PERSON: &str = "/contacts/5e0c1a44-93b7-4d1f-8a26-000000000001";

async fn with(settings: &[(&str, &str)]) -> (Sandbox, Client) {
    let sandbox = Sandbox::start().await.unwrap();
    for (name, value) in settings {
        sandbox.set(name, value).unwrap();
    }
    let client = Client::new(&sandbox).await;
    (sandbox, client)
}

fn keys(problem: &Value) -> Vec<&str> {
    let errors = problem["errors"].as_object().unwrap();
    errors.keys().map(String::as_str).collect()
}

#[tokio::test]
async fn times_have_no_zone_in_any_answer_when_switched() {
    let (sandbox, client) = with(&[("zone-in-times", "off")]).await;
    let memo = json!({"memo": "2026-01-01T00:00:00Z"});
    let (_, contact) = client.patch(CONTACT, memo.clone()).await;
    assert_eq!(contact["memo"], memo["memo"]);
    for path in [
        "/locations/2001/contacts",
        "/customers/contacts?customerIds=1001",
        "/export/locations/contacts",
        "/bookings/6001/contacts",
        "/contacts",
        PERSON,
        &format!("{PERSON}/contact-methods"),
        &format!("{PERSON}/relationships"),
    ] {
        let (status, answer) = client.get(path).await;
        assert_eq!(status, 200, "{path}");
        let records = match answer.get("data") {
            Some(data) => data.as_array().unwrap().clone(),
            None => vec![answer],
        };
        assert!(!records.is_empty(), "{path}");
        for record in records {
            let times = ["createdOn", "modifiedOn"].map(|name| record.get(name));
            let times: Vec<_> = times.into_iter().flatten().collect();
            assert!(!times.is_empty(), "{path}: {record}");
            for time in times {
                let time = time.as_str().unwrap();
                assert!(time.contains('T') && !time.ends_with('Z'), "{path}: {time}");
            }
        }
    }
    sandbox.set("zone-in-times", "on").unwrap();
    let (_, contact) = client.patch(CONTACT, json!({})).await;
    assert!(contact["modifiedOn"].as_str().unwrap().ends_with('Z'));
}

#[tokio::test]
async fn times_lose_the_trailing_zeros_of_their_fraction() {
    let (_sandbox, client) = with(&[]).await;
    let (_, contacts) = client.get("/locations/2001/contacts").await;
    let times = |member: &str| -> Vec<String> {
        let contacts = contacts["data"].as_array().unwrap();
        contacts.iter().map(|contact| contact[member].as_str().unwrap().to_owned()).collect()
    };
    let expected =
        ["2026-05-27T16:04:11.4827193Z", "2026-05-27T16:04:12.5Z", "2025-11-03T10:00:00Z"];
    assert_eq!(times("modifiedOn")[..3], expected);
    assert!(times("createdOn").contains(&"0001-01-01T00:00:00Z".to_owned()));
}

#[tokio::test]
async fn filters_take_date_times_of_any_offset_and_fraction_and_nothing_else() {
    let (_sandbox, client) = with(&[]).await;
    let count = async |filter: &str| {
        let path = format!("/locations/contacts?locationIds=2001&{filter}");
        let (status, page) = client.get(&path).await;
        if status == 200 { Ok(ids(&page).len()) } else { Err(keys(&page).join(" ")) }
    };
    let all = count("createdOnOrAfter=0001-01-01T00:00:00Z").await;
    assert_eq!(all, Ok(7));
    // Contact 3001 was changed at 16:04:11.4827193: digits beyond that are rounded up.
    for (time, found) in [
        ("2026-05-27T16:04:11.4827193Z", 2),
        ("2026-05-27t18:04:11.4827193%2B02:00", 2),
        ("2026-05-27T16:04:11.48271921Z", 2),
        ("2026-05-27T16:04:11.48271931Z", 1),
    ] {
        assert_eq!(count(&format!("modifiedOnOrAfter={time}")).await, Ok(found), "{time}");
    }
    for text in ["", "0", "yesterday", "2026-01-01", "2026-01-01T00:00:00", "2026-13-01T00:00:00Z"]
    {
        let refused = count(&format!("modifiedBefore={text}")).await;
        assert_eq!(refused, Err("modifiedBefore".to_owned()), "{text}");
    }
}

#[tokio::test]
async fn errors_are_filed_under_the_member_unless_switched() {
    let missing = json!({"preferences": {"jobRemindersEnabled": true}});
    for (setting, field, nested) in [
        ("member", "value", "preferences.marketingUpdatesEnabled"),
        ("path", "$.value", "$.preferences.marketingUpdatesEnabled"),
        ("pascal-case", "Value", "Preferences.MarketingUpdatesEnabled"),
        ("position", "0", "0"),
    ] {
        let (_sandbox, client) = with(&[("error-keys", setting)]).await;
        let (status, problem) = client.patch(CONTACT, json!({"value": " "})).await;
        assert_eq!((status, keys(&problem)), (400, vec![field]));
        let (status, problem) = client.patch(CONTACT, missing.clone()).await;
        assert_eq!((status, keys(&problem)), (400, vec![nested]));
    }
}

#[tokio::test]
async fn every_refusal_of_a_field_is_filed_under_its_name() {
    let (_sandbox, client) = with(&[]).await;
    let contacts = "/locations/2001/contacts";
    let booking = "/booking-provider/501/bookings/6001/contacts";
    for (path, body, member) in [
        (contacts, json!({}), "type"),
        (contacts, json!({"type": "Email"}), "value"),
        (contacts, json!({"type": "Pager", "value": "1"}), "type"),
        (contacts, json!({"type": "Email", "value": "a"}), "value"),
        (contacts, json!({"type": "Email", "value": "a@b.example", "memo": 1}), "memo"),
        (
            contacts,
            json!({"type": "Email", "value": "a@b.example", "doNotText": true}),
            "doNotText",
        ),
        (booking, json!({"type": "Pager", "value": "1"}), "type"),
        (booking, json!({"type": "Phone"}), "value"),
        ("/contacts", json!({"name": 1}), "name"),
    ] {
        let (status, problem) = client.post(path, body).await;
        assert_eq!((status, keys(&problem)), (400, vec![member]), "{problem}");
    }
    for (path, body, member) in [
        (CONTACT, json!({"memo": null}), "memo"),
        (CONTACT, json!({"preferences": null}), "preferences"),
        (CONTACT, json!({"preferences": [true]}), "preferences"),
        (PERSON, json!({"name": "A"}), "isArchived"),
    ] {
        let (status, problem) = client.patch(path, body).await;
        assert_eq!((status, keys(&problem)), (400, vec![member]), "{problem}");
    }
    for (path, member) in [
        ("/locations/2001/contacts?pageSize=0", "pageSize"),
        ("/locations/contacts?locationIds=a", "locationIds"),
        ("/contacts?sort=Name", "sort"),
        ("/export/locations/contacts?from=x", "from"),
    ] {
        let (status, problem) = client.get(path).await;
        assert_eq!((status, keys(&problem)), (400, vec![member]), "{problem}");
    }
}

#[tokio::test]
async fn query_names_are_known_in_any_letter_case_when_switched() {
    let (sandbox, client) = with(&[]).await;
    let path = "/locations/2001/contacts?PAGESIZE=2&Page=2";
    let (_, all) = client.get(path).await;
    assert_eq!((&all["page"], &all["pageSize"]), (&json!(1), &json!(50)));
    sandbox.set("unknown-query", "refuse").unwrap();
    assert_eq!(client.get(path).await.0, 400);
    sandbox.set("query-names", "any-case").unwrap();
    let (status, page) = client.get(path).await;
    assert_eq!((status, &page["pageSize"]), (200, &json!(2)));
    assert_eq!(ids(&page), [3003, 3004]);
    let needed = "/customers/contacts?CUSTOMERIDS=1002";
    assert_eq!(client.get(needed).await.0, 200);
    let other = client.get("/locations/2001/contacts?pages=2").await;
    assert_eq!(other.0, 400);
}

#[tokio::test]
async fn a_booking_contact_takes_any_type_when_switched() {
    let (sandbox, client) = with(&[]).await;
    let path = "/booking-provider/501/bookings/6001/contacts";
    let pager = json!({"type": "Pager", "value": "12-A"});
    assert_eq!(client.post(path, pager.clone()).await.0, 400);
    sandbox.set("booking-types", "any").unwrap();
    let (status, contact) = client.post(path, pager).await;
    assert_eq!((status, &contact["type"]), (200, &json!("Pager")));
    assert_eq!(contact["value"], "12-A");
    // What is known keeps its rules, and nothing is blank.
    let (_, phone) = client.post(path, json!({"type": "Phone", "value": "(213) 555-0109"})).await;
    assert_eq!(phone["value"], "2135550109");
    let blank = client.post(path, json!({"type": "Pager", "value": " "})).await;
    assert_eq!((blank.0, keys(&blank.1)), (400, vec!["value"]));
    let email = client.post(path, json!({"type": "Email", "value": "a"})).await;
    assert_eq!((email.0, keys(&email.1)), (400, vec!["value"]));
}
