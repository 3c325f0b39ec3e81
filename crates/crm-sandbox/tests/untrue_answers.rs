//! Faults that answer something untrue: another record, an old one, a write that is not kept, a
//! list without an end, and what is not quite JSON or HTTP.
#![allow(clippy::unwrap_used, reason = "a failure here fails the test")]

mod common;

use std::{collections::BTreeMap, time::Duration};

use common::{Client, answer, ids};
use crm_sandbox::{Fault, FaultPlan, FaultRule, Sandbox, StoredContact};
use reqwest::Method;
use serde_json::{Map, Value, json};

const CONTACT: &str = "/locations/2001/contacts/3001";
const METHOD: &str = "/contacts/5e0c1a44-93b7-4d1f-8a26-000000000001/contact-methods/7b2d9f10-4e6a-4c58-b310-000000000001";

async fn with(rule: FaultRule) -> (Sandbox, Client) {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::new(&sandbox).await;
    sandbox.inject(FaultPlan::new().rule(rule));
    (sandbox, client)
}

fn every(fault: Fault) -> FaultRule {
    FaultRule::new(fault).times(0)
}

fn members(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn stored(sandbox: &Sandbox, id: i64) -> StoredContact {
    let contacts = sandbox.location_contacts().unwrap();
    let mut contacts = contacts.into_iter();
    contacts.find(|c| (c.owner_id, c.id) == (2001, id)).unwrap()
}

#[tokio::test]
async fn an_update_is_done_and_answered_with_another_record_of_its_list() {
    let (sandbox, client) = with(every(Fault::OtherRecord)).await;
    let (status, contact) = client.patch(CONTACT, json!({"memo": "done"})).await;
    assert_eq!((status, &contact["id"]), (200, &json!(3002)));
    assert_eq!(contact["value"], stored(&sandbox, 3002).value);
    assert_eq!(stored(&sandbox, 3001).memo.as_deref(), Some("done"));

    let preference = format!("{METHOD}/preferences/MarketingUpdates");
    let (status, other) = client.patch(&preference, json!({"value": "true"})).await;
    assert_eq!(status, 200);
    assert!(other["name"].is_string() && other["name"] != "MarketingUpdates", "{other}");
    let (status, other) = client.patch(METHOD, json!({"memo": "done"})).await;
    assert_eq!(status, 200);
    assert!(!METHOD.ends_with(other["id"].as_str().unwrap()), "{other}");
    let booking = "/booking-provider/501/bookings/6001/contacts/6501";
    let (status, other) = client.patch(booking, json!({"memo": "done"})).await;
    assert!(status == 200 && other["id"] != 6501, "{other}");
    assert_eq!(sandbox.faults_injected()["other-record"], 4);
}

#[tokio::test]
async fn a_creation_is_done_and_answered_with_a_record_that_was_there_before() {
    let (sandbox, client) = with(every(Fault::OtherRecord)).await;
    let before = sandbox.location_contacts().unwrap().len();
    let new = json!({"type": "Email", "value": "new@harborbakery.example"});
    let (status, contact) = client.post("/locations/2001/contacts", new).await;
    assert_eq!((status, &contact["id"]), (200, &json!(3001)));
    assert_eq!(contact["value"], stored(&sandbox, 3001).value);
    assert_eq!(sandbox.location_contacts().unwrap().len(), before + 1);
}

#[tokio::test]
async fn an_other_record_that_does_not_exist_is_told_and_nothing_is_done() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::new(&sandbox).await;
    let other = client.delete("/customers/1010/contacts/4118").await;
    assert_eq!(other.0, 200);
    sandbox.inject(FaultPlan::new().rule(every(Fault::OtherRecord)));
    let before = sandbox.customer_contacts().unwrap();
    let only = "/customers/1010/contacts/4117";
    let (status, problem) = client.patch(only, json!({"memo": "alone"})).await;
    assert_eq!(status, 500);
    let title = problem["title"].as_str().unwrap();
    assert!(title.contains("needs another record"), "{title}");
    assert_eq!(sandbox.customer_contacts().unwrap(), before);
}

#[tokio::test]
async fn an_update_is_answered_with_the_record_as_it_was_and_not_done() {
    let (sandbox, client) = with(every(Fault::OldRecord)).await;
    let before = stored(&sandbox, 3001);
    let (status, contact) = client.patch(CONTACT, json!({"memo": "undone"})).await;
    assert_eq!((status, contact["memo"].as_str()), (200, before.memo.as_deref()));
    assert_eq!(contact["id"], 3001);
    assert_eq!(stored(&sandbox, 3001), before);
    // It meets updates alone; a refusal stays one.
    let new = json!({"type": "Email", "value": "new@harborbakery.example"});
    assert_eq!(client.post("/locations/2001/contacts", new).await.0, 200);
    let unknown = client.patch("/locations/2001/contacts/1", json!({})).await;
    assert_eq!(unknown.0, 404);
    assert_eq!(sandbox.faults_injected()["old-record"], 1);
}

#[tokio::test]
async fn writes_are_answered_as_done_and_not_kept() {
    let (sandbox, client) = with(every(Fault::NotKept)).await;
    let before = sandbox.location_contacts().unwrap();
    let (status, contact) = client.patch(CONTACT, json!({"memo": "lost"})).await;
    assert_eq!((status, &contact["memo"]), (200, &json!("lost")));
    let new = json!({"type": "Email", "value": "new@harborbakery.example"});
    assert_eq!(client.post("/locations/2001/contacts", new).await.0, 200);
    assert_eq!(client.delete(CONTACT).await.0, 200);
    assert_eq!(sandbox.location_contacts().unwrap(), before);
    assert_eq!(sandbox.faults_injected()["not-kept"], 3);
}

#[tokio::test]
async fn a_late_write_is_done_after_its_answer() {
    let (sandbox, client) = with(FaultRule::new(Fault::LateWrite { milliseconds: 400 })).await;
    let request = client.request(Method::PATCH, CONTACT).json(&json!({"memo": "late"}));
    assert_eq!(request.send().await.unwrap().status(), 504);
    assert_ne!(stored(&sandbox, 3001).memo.as_deref(), Some("late"));
    // However busy the machine is, it comes.
    let arrived = async {
        while stored(&sandbox, 3001).memo.as_deref() != Some("late") {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let arrived = tokio::time::timeout(Duration::from_secs(60), arrived).await;
    arrived.expect("the write comes late, not never");
}

#[tokio::test]
async fn a_late_write_that_is_refused_at_once_never_comes() {
    let (sandbox, client) = with(FaultRule::new(Fault::LateWrite { milliseconds: 0 })).await;
    let unknown = client.patch("/locations/2001/contacts/1", json!({})).await;
    assert_eq!(unknown.0, 404);
    assert!(sandbox.faults_injected().is_empty());
}

#[tokio::test]
async fn a_list_answers_its_first_page_for_ever() {
    let (sandbox, client) = with(every(Fault::SamePage)).await;
    let first = client.get("/locations/2001/contacts?pageSize=2").await.1;
    for page in [2, 3, 400] {
        let path = format!("/locations/2001/contacts?pageSize=2&page={page}");
        let (status, again) = client.get(&path).await;
        assert_eq!((status, &again["hasMore"]), (200, &json!(true)));
        assert_eq!(ids(&again), ids(&first));
    }
    // Feeds have a fault of their own.
    let (_, batch) = client.get("/export/locations/contacts").await;
    assert_eq!(batch["hasMore"], false);
    assert_eq!(sandbox.faults_injected()["same-page"], 4);
}

#[tokio::test]
async fn a_feed_answers_new_tokens_and_nothing_else_and_continues_where_it_was() {
    let sandbox = Sandbox::builder().set("export-page-size", "5").unwrap().start().await.unwrap();
    let client = Client::new(&sandbox).await;
    let feed = async |from: &str| {
        let path = format!("/export/locations/contacts?from={from}");
        let (status, batch) = client.get(&path).await;
        assert_eq!(status, 200, "{batch}");
        batch
    };
    let whole = feed("").await;
    let next = feed(whole["continueFrom"].as_str().unwrap()).await;
    for start in ["", whole["continueFrom"].as_str().unwrap(), "2020-01-01"] {
        let undisturbed = feed(start).await;
        sandbox.inject(FaultPlan::new().rule(FaultRule::new(Fault::EmptyBatch).times(3)));
        let mut tokens = vec![start.to_owned()];
        for _ in 0..3 {
            let batch = feed(tokens.last().unwrap()).await;
            assert_eq!((&batch["hasMore"], &batch["data"]), (&json!(true), &json!([])));
            let token = batch["continueFrom"].as_str().unwrap().to_owned();
            assert!(!tokens.contains(&token), "{token}");
            tokens.push(token);
        }
        assert_eq!(feed(tokens.last().unwrap()).await, undisturbed);
    }
    assert_ne!(whole, next);
}

#[tokio::test]
async fn members_of_an_answer_are_replaced_added_and_taken_away() {
    let altered = members(json!({
        "id": 3002, "memo": null, "extra": {"a": 1}, "preferences": {"jobRemindersEnabled": "no"}
    }));
    let (sandbox, client) = with(every(Fault::AlteredAnswer { members: altered })).await;
    let (status, contact) = client.patch(CONTACT, json!({"memo": "done"})).await;
    assert_eq!((status, &contact["id"]), (200, &json!(3002)));
    assert_eq!(contact.get("memo"), None);
    assert_eq!(contact["extra"], json!({"a": 1}));
    assert_eq!(contact["preferences"]["jobRemindersEnabled"], "no");
    assert_eq!(contact["preferences"]["marketingUpdatesEnabled"], true);
    assert_eq!(stored(&sandbox, 3001).memo.as_deref(), Some("done"));
    // Neither a refusal nor an empty answer has such members.
    assert_eq!(client.patch("/locations/2001/contacts/1", json!({})).await.0, 404);
    assert_eq!(client.delete(CONTACT).await, (200, Value::Null));
    assert_eq!(sandbox.faults_injected()["altered-answer"], 1);
}

#[tokio::test]
async fn a_list_has_more_for_ever_and_a_feed_gives_any_token_when_altered() {
    let altered = members(json!({"hasMore": true, "continueFrom": "\u{1b}[31m"}));
    let (_sandbox, client) = with(every(Fault::AlteredAnswer { members: altered })).await;
    let (_, page) = client.get("/locations/2001/contacts?page=9").await;
    assert_eq!((&page["hasMore"], &page["data"]), (&json!(true), &json!([])));
    let (_, batch) = client.get("/export/locations/contacts").await;
    assert_eq!(batch["continueFrom"], "\u{1b}[31m");
}

#[tokio::test]
async fn a_byte_order_mark_stands_before_the_body_and_counts_in_its_length() {
    let (_sandbox, client) = with(every(Fault::ByteOrderMark)).await;
    let response = client.request(Method::GET, "/locations/2001/contacts");
    let body = response.send().await.unwrap().bytes().await.unwrap();
    let json: Value = serde_json::from_slice(body.strip_prefix(b"\xEF\xBB\xBF").unwrap()).unwrap();
    assert_eq!(json["page"], 1);
}

#[tokio::test]
async fn a_problem_carries_the_errors_the_data_and_the_wait_that_it_is_given() {
    let fault = Fault::Problem {
        status: 503,
        title: Some("Come back".to_owned()),
        errors: BTreeMap::from([("value".to_owned(), vec!["taken".to_owned()])]),
        data: members(json!({"code": 7})),
        retry_after: Some(3600),
    };
    let (sandbox, client) = with(FaultRule::new(fault)).await;
    let before = sandbox.location_contacts().unwrap();
    let request = client.request(Method::PATCH, CONTACT).json(&json!({"memo": "undone"}));
    let response = request.send().await.unwrap();
    assert_eq!(response.headers()["retry-after"], "3600");
    let (status, problem) = answer(response).await;
    assert_eq!((status, &problem["title"]), (503, &json!("Come back")));
    assert_eq!(problem["errors"], json!({"value": ["taken"]}));
    assert_eq!(problem["data"], json!({"code": 7}));
    assert_eq!(sandbox.location_contacts().unwrap(), before);
}

#[tokio::test]
async fn an_answer_is_given_byte_by_byte() {
    for (status, body, content_type) in [
        (200, "[1,", None),
        (200, r#"{"error": "invalid_grant"}"#, None),
        (400, r#"["a list"]"#, None),
        (500, r#"{"Message": "Pascal", "Errors": {}}"#, Some("text/plain")),
    ] {
        let fault = Fault::Answer {
            status,
            body: body.to_owned(),
            content_type: content_type.map(str::to_owned),
        };
        let (sandbox, client) = with(FaultRule::new(fault)).await;
        let before = sandbox.location_contacts().unwrap();
        let request = client.request(Method::PATCH, CONTACT).json(&json!({"memo": "undone"}));
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), status);
        let shown = content_type.unwrap_or("application/json");
        assert_eq!(response.headers()["content-type"], shown);
        assert_eq!(response.text().await.unwrap(), body);
        assert_eq!(sandbox.location_contacts().unwrap(), before);
    }
}

#[tokio::test]
async fn an_answer_that_cannot_be_given_is_refused_with_its_plan() {
    for (status, content_type, told) in [
        (199, "text/html", "the status of answer is 199"),
        (600, "text/html", "the status of answer is 600"),
        (200, "text/html\r\nx: y", "cannot be a Content-Type"),
    ] {
        let fault = Fault::Answer {
            status,
            body: String::new(),
            content_type: Some(content_type.to_owned()),
        };
        let plan = FaultPlan::new().rule(FaultRule::new(fault));
        let error = Sandbox::builder().faults(plan).start().await.unwrap_err();
        assert!(error.to_string().contains(told), "{error}");
    }
}

#[tokio::test]
async fn a_refusal_repeats_the_credentials_in_every_form() {
    let (sandbox, client) = with(FaultRule::new(Fault::EchoedCredentials { status: 401 })).await;
    let request = client.request(Method::PATCH, CONTACT).json(&json!({"memo": "undone"}));
    let body = request.send().await.unwrap().text().await.unwrap();
    let problem: Value = serde_json::from_str(&body).unwrap();
    let credentials = format!("Bearer {} {}", client.token, sandbox.connection().app_key);
    for told in [&problem["title"], &problem["traceId"], &problem["errors"]["Authorization"][0]] {
        assert!(told.as_str().unwrap().contains(&credentials), "{problem}");
    }
    // The errors only once the JSON is read.
    assert_eq!(body.matches(&credentials).count(), 2, "{body}");
    assert!(problem["data"]["percent"].as_str().unwrap().contains("ak1%2Esandbox"));
    assert!(problem["data"]["base64"].is_string());
}

#[tokio::test]
async fn a_refused_token_request_repeats_its_secret() {
    let (sandbox, _) = with(FaultRule::new(Fault::EchoedCredentials { status: 400 })).await;
    let connection = sandbox.connection();
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", connection.client_id.as_str()),
        ("client_secret", connection.client_secret.as_str()),
    ];
    let (status, refusal) = common::token(&sandbox, &form).await;
    assert_eq!((status, &refusal["error"]), (400, &json!("invalid_client")));
    let told = refusal["error_description"].as_str().unwrap();
    assert_eq!(told.matches(&connection.client_secret).count(), 2, "{told}");
}

#[tokio::test]
async fn a_rule_may_last_for_a_time_of_the_sandbox_s_clock() {
    let fault = Fault::TooManyRequests { seconds: 4, retry_after: true };
    let rule = FaultRule::new(fault).method("PATCH").lasting(Duration::from_secs(4));
    let (sandbox, client) = with(rule.clone()).await;
    sandbox.clock().freeze();
    // The time runs from the first request that it meets.
    sandbox.clock().advance(Duration::from_secs(60));
    assert_eq!(sandbox.unmet_faults(), [rule]);
    for (later, status) in [(0, 429), (2000, 429), (1999, 429), (1, 200), (0, 200)] {
        sandbox.clock().advance(Duration::from_millis(later));
        assert_eq!(client.patch(CONTACT, json!({})).await.0, status);
    }
    assert_eq!(sandbox.unmet_faults(), []);
}

#[tokio::test]
async fn a_rule_of_limited_time_and_number_ends_with_the_first_of_them() {
    let fault = Fault::Status { status: 503 };
    let rule = FaultRule::new(fault).lasting(Duration::from_secs(4)).times(1).nth(2);
    let (_sandbox, client) = with(rule).await;
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(client.patch(CONTACT, json!({})).await.0);
    }
    assert_eq!(statuses, [200, 503, 200]);
}

#[test]
fn plans_are_read_from_json_and_misspelt_members_refused() {
    let rule = |fault: Value| json!({"rules": [{"fault": fault, "lastingMilliseconds": 4000}]});
    for fault in [
        json!({"kind": "old-record"}),
        json!({"kind": "problem", "status": 409}),
        json!({"kind": "problem", "status": 503, "retryAfter": 4, "data": {"a": 1}, "errors": {"id": ["b"]}}),
        json!({"kind": "answer", "status": 200, "body": "", "contentType": "text/html"}),
        json!({"kind": "altered-answer", "members": {"hasMore": true}}),
    ] {
        let plan: FaultPlan = serde_json::from_value(rule(fault.clone())).unwrap();
        assert_eq!(serde_json::to_value(&plan).unwrap()["rules"][0]["fault"], fault);
    }
    for fault in [
        json!({"kind": "status", "status": 503, "error": {}}),
        json!({"kind": "problem", "status": 503, "retry_after": 4}),
        json!({"kind": "late-write"}),
    ] {
        let plan = serde_json::from_value::<FaultPlan>(rule(fault.clone()));
        assert!(plan.is_err(), "{fault}");
    }
}

#[test]
fn the_table_of_faults_names_each_kind_and_its_members() {
    let table = Fault::table();
    let kind = |name: &str| table.iter().find(|kind| kind.name == name).unwrap();
    assert_eq!(kind("late-write").members, ["milliseconds"]);
    assert_eq!(kind("too-many-requests").members, ["seconds", "retryAfter"]);
    assert!(kind("lost-answer").members.is_empty());
}
