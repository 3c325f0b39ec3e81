//! The contacts of locations and customers over HTTP.
#![allow(clippy::unwrap_used, reason = "a failure here fails the test")]

mod common;

use common::{Client, ids};
use crm_sandbox::{Sandbox, Seed};
use reqwest::Method;
use serde_json::{Value, json};

const CONTACT: &str = "/locations/2001/contacts/3001";

fn preferences(marketing: bool) -> Value {
    json!({
        "jobRemindersEnabled": true,
        "marketingUpdatesEnabled": marketing,
        "invoiceStatementNotification": false,
        "invoiceNotification": true,
        "statementNotification": false,
    })
}

#[tokio::test]
async fn an_update_changes_what_it_names_and_nothing_else() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::new(&sandbox).await;
    let before = sandbox.location_contacts().unwrap();
    let (status, contact) = client
        .patch(CONTACT, json!({"memo": "Gate code 4411", "preferences": preferences(false)}))
        .await;
    assert_eq!(status, 200);
    assert_eq!(contact["memo"], "Gate code 4411");
    assert_eq!(contact["preferences"], preferences(false));
    assert_eq!(contact["value"], "8185550142");
    assert_eq!(contact["phoneSettings"], json!({"phoneNumber": "8185550142", "doNotText": false}));
    let after = sandbox.location_contacts().unwrap();
    let changed: Vec<_> = before.iter().zip(&after).filter(|(b, a)| b != a).collect();
    assert_eq!(changed.len(), 1);
    let (before, after) = changed[0];
    assert!(after.modified_on > before.modified_on);
    assert_eq!(after.created_on, before.created_on);
}

#[tokio::test]
async fn an_empty_update_keeps_the_time_of_the_last_change_unless_switched() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::new(&sandbox).await;
    let (status, contact) = client.patch(CONTACT, json!({})).await;
    assert_eq!((status, &contact["modifiedOn"]), (200, &json!("2026-05-27T16:04:11.4827193Z")));
    sandbox.set("empty-update", "touch").unwrap();
    let (_, contact) = client.patch(CONTACT, json!({})).await;
    assert_ne!(contact["modifiedOn"], "2026-05-27T16:04:11.4827193Z");
}

#[tokio::test]
async fn partial_preferences_are_refused_and_change_nothing() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::new(&sandbox).await;
    let before = sandbox.location_contacts().unwrap();
    for missing in preferences(true).as_object().unwrap().keys() {
        let mut partial = preferences(true);
        partial.as_object_mut().unwrap().remove(missing);
        let (status, problem) = client.patch(CONTACT, json!({"preferences": partial})).await;
        assert_eq!(status, 400);
        let key = format!("preferences.{missing}");
        assert!(problem["errors"][&key].is_array(), "{problem}");
        assert!(!problem["traceId"].as_str().unwrap().is_empty());
    }
    assert_eq!(sandbox.location_contacts().unwrap(), before);
}

#[tokio::test]
async fn a_server_of_the_first_generation_knows_three_flags() {
    let sandbox =
        Sandbox::builder().set("preference-members", "three").unwrap().start().await.unwrap();
    let client = Client::new(&sandbox).await;
    let three = json!({"jobRemindersEnabled": true, "marketingUpdatesEnabled": false, "invoiceStatementNotification": true});
    let (status, contact) = client.patch(CONTACT, json!({"preferences": three})).await;
    assert_eq!((status, &contact["preferences"]), (200, &three));
}

#[tokio::test]
async fn a_server_of_the_first_generation_refuses_the_two_other_flags_as_any_unknown_member() {
    let sandbox =
        Sandbox::builder().set("preference-members", "three").unwrap().start().await.unwrap();
    let client = Client::new(&sandbox).await;
    let before = sandbox.location_contacts().unwrap();
    for contact in [CONTACT, "/customers/1001/contacts/4001"] {
        let mut flags = preferences(false);
        flags["doNotText"] = json!(true);
        let (status, problem) = client.patch(contact, json!({"preferences": flags})).await;
        assert_eq!(status, 400);
        let refused: Vec<_> = problem["errors"].as_object().unwrap().keys().collect();
        assert_eq!(
            refused,
            [
                "preferences.doNotText",
                "preferences.invoiceNotification",
                "preferences.statementNotification"
            ]
        );
        // Each alone, whatever its type.
        for (name, value) in
            [("invoiceNotification", json!(true)), ("statementNotification", json!(null))]
        {
            let mut flags = json!({"jobRemindersEnabled": true, "marketingUpdatesEnabled": true, "invoiceStatementNotification": true});
            flags[name] = value;
            let change = json!({"preferences": flags});
            assert_eq!(client.patch(contact, change).await.0, 400, "{name}");
        }
    }
    assert_eq!(sandbox.location_contacts().unwrap(), before);
}

#[tokio::test]
async fn a_lenient_server_of_the_first_generation_reads_over_the_two_other_flags() {
    let sandbox = Sandbox::builder()
        .set("preference-members", "three")
        .unwrap()
        .set("unknown-members", "ignore")
        .unwrap()
        .start()
        .await
        .unwrap();
    let client = Client::new(&sandbox).await;
    // The combined flag is off, so both are, though invoices are asked for.
    let mut flags = preferences(true);
    flags["statementNotification"] = json!("of any type");
    let (status, contact) = client.patch(CONTACT, json!({"preferences": flags})).await;
    let three = json!({"jobRemindersEnabled": true, "marketingUpdatesEnabled": true, "invoiceStatementNotification": false});
    assert_eq!((status, &contact["preferences"]), (200, &three));
    let stored = sandbox.location_contacts().unwrap();
    let stored = stored.iter().find(|c| (c.owner_id, c.id) == (2001, 3001));
    let stored = stored.unwrap().preferences.unwrap();
    assert!(!stored.invoices && !stored.statements);
}

#[tokio::test]
async fn the_specific_invoice_flags_win_unless_switched() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::new(&sandbox).await;
    let mut contradiction = preferences(true);
    contradiction["invoiceStatementNotification"] = json!(true);
    let (_, contact) = client.patch(CONTACT, json!({"preferences": contradiction})).await;
    assert_eq!(contact["preferences"], preferences(true));
    sandbox.set("preference-conflict", "combined").unwrap();
    let (_, contact) = client.patch(CONTACT, json!({"preferences": contradiction})).await;
    assert_eq!(contact["preferences"]["statementNotification"], true);
}

#[tokio::test]
async fn checks_come_in_their_documented_order() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::new(&sandbox).await;
    let status = |path: &'static str, body: Value| {
        let client = &client;
        async move { client.patch(path, body).await.0 }
    };
    assert_eq!(status("/locations/x/contacts/3001", json!([])).await, 400);
    let malformed = client.patch("/locations/2001/contacts/x", json!([])).await;
    assert!(malformed.1["errors"]["id"].is_array(), "{malformed:?}");
    assert_eq!(status("/locations/999/contacts/3001", json!({"type": "Pager"})).await, 400);
    assert_eq!(
        status("/locations/999/contacts/3001", json!({"type": "Email", "value": "none"})).await,
        400
    );
    assert_eq!(status("/locations/999/contacts/3001", json!({"value": " "})).await, 400);
    assert_eq!(status("/locations/999/contacts/3001", json!({"memo": "a"})).await, 404);
    assert_eq!(status("/locations/2001/contacts/999", json!({"memo": "a"})).await, 404);
    assert_eq!(status("/locations/2001/contacts/3101", json!({"memo": "a"})).await, 404);
    assert_eq!(status("/locations/2001/contacts/3007", json!({"memo": "deleted"})).await, 404);
}

#[tokio::test]
async fn malformed_bodies_are_problems() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::new(&sandbox).await;
    let bodies: [(&[u8], &[&str]); 13] = [
        (b"", &[]),
        (b"{", &[]),
        (b"[]", &[]),
        (b"[\"a\"]", &[]),
        (b"\"a\"", &[]),
        (b"null", &[]),
        (b"{\"memo\":\"a\"} x", &[]),
        (b"{\"memo\":\"a\"}{}", &[]),
        (b"{\"memo\":\"\xff\"}", &["memo"]),
        (b"{\"memo\":1}", &["memo"]),
        (b"{\"memo\":\"a\",\"memo\":\"b\"}", &["memo"]),
        (b"{\"memo\":null}", &["memo"]),
        (b"{\"memo\":\"a\",\"unknown\":1}", &["unknown"]),
    ];
    for (body, members) in bodies {
        let request = client
            .request(Method::PATCH, CONTACT)
            .header("Content-Type", "application/json; charset=utf-8");
        let (status, problem) = common::answer(request.body(body).send().await.unwrap()).await;
        assert_eq!((status, &problem["status"]), (400, &json!(400)), "{body:?}");
        let filed: Vec<_> = problem["errors"].as_object().unwrap().keys().collect();
        assert_eq!(filed, members, "{body:?}: {problem}");
    }
    let array = json!({"preferences": [true, true, true, true, true]});
    assert_eq!(client.patch(CONTACT, array).await.0, 400);
    let mut unknown = json!({"preferences": preferences(true)});
    unknown["preferences"]["doNotText"] = json!(true);
    let (_, problem) = client.patch(CONTACT, unknown.clone()).await;
    assert!(problem["errors"]["preferences.doNotText"].is_array(), "{problem}");
    sandbox.set("unknown-members", "ignore").unwrap();
    assert_eq!(client.patch(CONTACT, unknown).await.0, 200);
}

#[tokio::test]
async fn null_keeps_when_switched() {
    let sandbox = Sandbox::builder().set("null-members", "keep").unwrap().start().await.unwrap();
    let client = Client::new(&sandbox).await;
    let (status, contact) =
        client.patch(CONTACT, json!({"memo": null, "value": "3105550123"})).await;
    assert_eq!(status, 200);
    assert_eq!(contact["memo"], "Site manager, after 4 pm");
    assert_eq!(contact["phoneSettings"]["phoneNumber"], "3105550123");
}

#[tokio::test]
async fn an_empty_memo_is_answered_as_null_unless_switched() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::new(&sandbox).await;
    assert_eq!(client.patch(CONTACT, json!({"memo": ""})).await.1["memo"], Value::Null);
    sandbox.set("empty-memo", "keep").unwrap();
    assert_eq!(client.patch(CONTACT, json!({"memo": ""})).await.1["memo"], "");
}

#[tokio::test]
async fn numbers_are_kept_as_digits_unless_switched() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::new(&sandbox).await;
    let number = json!({"type": "Phone", "value": "+1 (818) 555-0142"});
    assert_eq!(client.patch(CONTACT, number.clone()).await.1["value"], "8185550142");
    sandbox.set("phone-values", "verbatim").unwrap();
    assert_eq!(client.patch(CONTACT, number).await.1["value"], "+1 (818) 555-0142");
}

#[tokio::test]
async fn values_must_fit_their_type_unless_switched() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::new(&sandbox).await;
    for (kind, value) in [
        ("Email", "nobody"),
        ("Email", "@a.example"),
        ("Email", "a@b@c.example"),
        ("Email", " "),
        ("Phone", "call me"),
        ("Fax", ""),
    ] {
        let (status, _) = client.patch(CONTACT, json!({"type": kind, "value": value})).await;
        assert_eq!(status, 400, "{value}");
    }
    sandbox.set("value-checks", "off").unwrap();
    let (status, _) = client.patch(CONTACT, json!({"type": "Email", "value": "nobody"})).await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn a_contact_is_created_listed_and_deleted() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::new(&sandbox).await;
    for owner in ["/locations/2001/contacts", "/customers/1001/contacts"] {
        let new = json!({"type": "MobilePhone", "value": "+1 (310) 555-0188", "memo": null});
        let (status, contact) = client.post(owner, new).await;
        assert_eq!((status, &contact["value"]), (200, &json!("3105550188")));
        assert_eq!(contact["preferences"], Value::Null);
        let id = contact["id"].as_i64().unwrap();
        assert!(ids(&client.get(owner).await.1).contains(&id));
        assert_eq!(client.delete(&format!("{owner}/{id}")).await, (200, Value::Null));
        assert!(!ids(&client.get(owner).await.1).contains(&id));
        assert_eq!(client.delete(&format!("{owner}/{id}")).await.0, 404);
    }
}

#[tokio::test]
async fn lists_come_in_pages_that_end() {
    let sandbox = Sandbox::builder().seed(Seed::Count(25)).start().await.unwrap();
    let client = Client::new(&sandbox).await;
    let mut all = Vec::new();
    for page in 1.. {
        let path = format!(
            "/locations/contacts?modifiedOnOrAfter=2020-01-01T00:00:00Z&pageSize=10&page={page}"
        );
        let (status, answer) = client.get(&path).await;
        assert_eq!((status, &answer["totalCount"]), (200, &Value::Null));
        all.extend(ids(&answer));
        if answer["hasMore"] == false {
            break;
        }
    }
    assert_eq!(all, (1..=25).collect::<Vec<_>>());
    let (_, answer) = client.get("/locations/1/contacts?includeTotal=True").await;
    assert_eq!((&answer["totalCount"], &answer["pageSize"]), (&json!(4), &json!(50)));
}

#[tokio::test]
async fn page_numbers_out_of_bounds_are_refused_unless_switched() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::new(&sandbox).await;
    for query in
        ["page=0", "page=-1", "pageSize=0", "pageSize=5001", "page=x", "includeTotal=1", "page=%ff"]
    {
        assert_eq!(
            client.get(&format!("/locations/2001/contacts?{query}")).await.0,
            400,
            "{query}"
        );
    }
    sandbox.set("page-bounds", "clamp").unwrap();
    let (status, page) = client.get("/locations/2001/contacts?page=0&pageSize=9999").await;
    assert_eq!((status, &page["page"], &page["pageSize"]), (200, &json!(1), &json!(5000)));
}

#[tokio::test]
async fn lists_over_all_owners_need_the_filters_that_each_contract_names() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::new(&sandbox).await;
    let time = "2026-01-01T00:00:00Z";
    for (path, expected) in [
        ("/locations/contacts".to_owned(), 400),
        (format!("/locations/contacts?createdBefore={time}"), 200),
        (format!("/locations/contacts?locationIds=2001,2002&createdBefore={time}"), 200),
        ("/locations/contacts?locationIds=2001,x".to_owned(), 400),
        (format!("/customers/contacts?createdBefore={time}"), 400),
        (format!("/customers/contacts?modifiedBefore={time}&createdBefore={time}"), 200),
        ("/customers/contacts?customerIds=1001&page=1".to_owned(), 200),
        (format!("/customers/contacts?customerIds=1001&modifiedBefore={time}"), 400),
    ] {
        assert_eq!(client.get(&path).await.0, expected, "{path}");
    }
    let (_, page) = client.get("/locations/contacts?locationIds=2002").await;
    assert!(page["data"].as_array().unwrap().iter().all(|contact| contact["locationId"] == 2002));
    let (_, page) = client.get("/customers/contacts?customerIds=1002").await;
    assert_eq!(page["data"][0]["customerId"], 1002);
}

#[tokio::test]
async fn every_edge_case_of_the_demo_data_is_there() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::new(&sandbox).await;
    let (_, page) = client.get("/locations/2001/contacts").await;
    let contact =
        |id: i64| page["data"].as_array().unwrap().iter().find(|c| c["id"] == id).cloned().unwrap();
    assert_eq!(contact(3002)["phoneSettings"], Value::Null);
    assert_eq!(contact(3003)["type"], "Fax");
    assert_eq!(contact(3004)["phoneSettings"]["doNotText"], true);
    assert_eq!(contact(3005)["preferences"], Value::Null);
    assert_eq!(contact(3006)["createdOn"], "0001-01-01T00:00:00Z");
    let (_, other) = client.get("/locations/2002/contacts").await;
    assert!(ids(&other).contains(&3001));
}

#[tokio::test]
async fn the_form_of_phone_settings_is_a_setting() {
    let sandbox =
        Sandbox::builder().set("phone-settings", "as-documented").unwrap().start().await.unwrap();
    let client = Client::new(&sandbox).await;
    let (_, page) = client.get("/locations/2001/contacts").await;
    assert!(
        page["data"]
            .as_array()
            .unwrap()
            .iter()
            .all(|contact| contact["phoneSettings"]["phoneNumber"] == contact["value"])
    );
    sandbox.set("phone-settings", "flat").unwrap();
    let (_, contact) = client.patch(CONTACT, json!({})).await;
    assert_eq!(
        (&contact["phoneSettings"], &contact["phoneNumber"]),
        (&json!({}), &json!("8185550142"))
    );
}

#[tokio::test]
async fn a_location_contact_is_copied_to_the_customer_only_when_switched() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::new(&sandbox).await;
    let new = json!({"type": "Email", "value": "copy@harborbakery.example"});
    let copies = || {
        sandbox.customer_contacts().unwrap().iter().filter(|c| c.value.starts_with("copy@")).count()
    };
    client.post("/locations/2001/contacts", new.clone()).await;
    assert_eq!(copies(), 0);
    sandbox.set("copy-to-customer", "on").unwrap();
    client.post("/locations/2001/contacts", new).await;
    assert_eq!(copies(), 1);
}

#[tokio::test]
async fn state_survives_a_restart_with_a_data_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sandbox.db");
    let first = Sandbox::builder().data(&file).start().await.unwrap();
    Client::new(&first).await.patch(CONTACT, json!({"memo": "kept"})).await;
    first.stop().await;
    let second = Sandbox::builder().data(&file).seed(Seed::Empty).start().await.unwrap();
    let (_, contact) = Client::new(&second).await.patch(CONTACT, json!({})).await;
    assert_eq!(contact["memo"], "kept");
}
