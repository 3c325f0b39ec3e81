//! Contacts v2: people, relationships, contact methods and preferences.
#![allow(clippy::unwrap_used, reason = "a failure here fails the test")]

mod common;

use common::Client;
use crm_sandbox::Sandbox;
use serde_json::{Value, json};

const ADA: &str = "/contacts/5e0c1a44-93b7-4d1f-8a26-000000000001";
const METHOD: &str = "/contacts/5e0c1a44-93b7-4d1f-8a26-000000000001/contact-methods/7b2d9f10-4e6a-4c58-b310-000000000001";
const NOBODY: &str = "/contacts/5e0c1a44-93b7-4d1f-8a26-000000000099";

fn names(page: &Value) -> Vec<Option<&str>> {
    page["data"].as_array().unwrap().iter().map(|person| person["name"].as_str()).collect()
}

#[tokio::test]
async fn a_person_is_created_changed_replaced_and_deleted() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::new(&sandbox).await;
    let (status, person) =
        client.post("/contacts", json!({"name": "Uma Vale", "title": "Buyer"})).await;
    assert_eq!(
        (status, &person["referenceId"], &person["isArchived"]),
        (200, &Value::Null, &json!(false))
    );
    let path = format!("/contacts/{}", person["id"].as_str().unwrap());
    let (_, person) = client.patch(&path, json!({"title": null, "isArchived": true})).await;
    assert_eq!(
        (&person["name"], &person["title"], &person["isArchived"]),
        (&json!("Uma Vale"), &Value::Null, &json!(true))
    );
    assert_eq!(client.patch(&path, json!({"name": "without isArchived"})).await.0, 400);
    let (_, person) = client.put(&path, json!({"referenceId": "r1", "isArchived": false})).await;
    assert_eq!((&person["name"], &person["referenceId"]), (&Value::Null, &json!("r1")));
    assert_eq!(
        client.get(&path.to_uppercase().replace("/CONTACTS", "/contacts")).await,
        (200, person)
    );
    assert_eq!(client.delete(&path).await, (200, Value::Null));
    assert_eq!(client.get(&path).await.0, 404);
    assert_eq!(client.delete(&path).await.0, 404);
}

#[tokio::test]
async fn members_left_out_of_an_update_are_cleared_when_switched() {
    let sandbox =
        Sandbox::builder().set("absent-person-members", "clear").unwrap().start().await.unwrap();
    let client = Client::new(&sandbox).await;
    let (_, person) = client.patch(ADA, json!({"title": "Chair", "isArchived": false})).await;
    assert_eq!((&person["name"], &person["title"]), (&Value::Null, &json!("Chair")));
}

#[tokio::test]
async fn replacing_an_unknown_person_creates_it_unless_switched() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::new(&sandbox).await;
    let (status, person) = client.put(NOBODY, json!({"name": "New", "isArchived": false})).await;
    assert_eq!((status, person["id"].as_str()), (200, NOBODY.strip_prefix("/contacts/")));
    sandbox.set("replace-unknown-person", "refuse").unwrap();
    let other = NOBODY.replace("99", "98");
    assert_eq!(client.put(&other, json!({"name": "New", "isArchived": false})).await.0, 404);
}

#[tokio::test]
async fn lists_filter_and_sort() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::new(&sandbox).await;
    let list = async |query: &str| client.get(&format!("/contacts?{query}")).await;
    assert_eq!(
        names(&list("name=quill&sort=%2BcreatedOn").await.1),
        [Some("Ada Quill"), Some("Esme Quill")]
    );
    assert_eq!(
        names(&list("name=quill&sort=-CreatedOn").await.1),
        [Some("Esme Quill"), Some("Ada Quill")]
    );
    assert_eq!(names(&list("name=quill&sort=+id").await.1).len(), 2);
    client.post("/contacts", json!({"name": "Zoë Ärn"})).await;
    assert_eq!(names(&list("name=ZO%C3%8B").await.1), [Some("Zoë Ärn")]);
    let (_, zoe) = list("name=%C3%A4rn").await;
    let id = zoe["data"][0]["id"].as_str().unwrap();
    client.delete(&format!("/contacts/{id}")).await;
    assert_eq!(names(&list("isArchived=True").await.1), [None]);
    assert_eq!(names(&list("isArchived=Any").await.1).len(), 6);
    assert_eq!(names(&list("referenceId=HB-01").await.1), [Some("Ada Quill")]);
    for bad in ["sort=Name", "sort=%2BName", "sort=", "isArchived=maybe", "createdBefore=today"] {
        assert_eq!(list(bad).await.0, 400, "{bad}");
    }
}

#[tokio::test]
async fn fixed_words_win_over_ids_in_paths() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::new(&sandbox).await;
    assert_eq!(client.get("/contacts/preferences").await.1.as_array().unwrap().len(), 4);
    assert!(client.get("/contacts/contact-methods").await.1["data"].is_array());
    assert_eq!(
        client.get("/contacts/relationships/2001").await.1["data"].as_array().unwrap().len(),
        2
    );
    assert_eq!(client.get("/contacts/relationships/404404").await.0, 404);
    assert_eq!(client.get("/contacts/not-a-guid").await.0, 400);
}

#[tokio::test]
async fn relationships_answer_409_for_a_missing_person() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::new(&sandbox).await;
    let (_, page) = client.get(&format!("{ADA}/relationships?sort=-ID")).await;
    assert_eq!(page["data"].as_array().unwrap().len(), 2);
    assert_eq!(page["data"][1]["typeName"], "Customer");
    assert_eq!(
        client.get(&format!("{ADA}/relationships?typeSlug=location")).await.1["data"][0]["relatedEntityId"],
        2001
    );
    let booking = format!("{ADA}/relationships/6001/booking");
    assert_eq!(client.send(reqwest::Method::POST, &booking, json!(null)).await, (200, Value::Null));
    assert_eq!(client.delete(&booking).await, (200, Value::Null));
    assert_eq!(client.delete(&booking).await.0, 409);
    assert_eq!(client.get(&format!("{NOBODY}/relationships")).await.0, 409);
    assert_eq!(
        client.post(&format!("{NOBODY}/relationships/6001/booking"), json!(null)).await.0,
        409
    );
    assert_eq!(client.post(&format!("{ADA}/relationships/6001/boat"), json!(null)).await.0, 404);
    assert_eq!(client.post(&format!("{ADA}/relationships/999/booking"), json!(null)).await.0, 404);
}

#[tokio::test]
async fn a_method_is_created_put_changed_and_deleted() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::new(&sandbox).await;
    let methods = format!("{ADA}/contact-methods");
    let (status, method) =
        client.post(&methods, json!({"type": "Fax", "value": "310 555 0190", "memo": null})).await;
    assert_eq!((status, &method["value"]), (200, &json!("3105550190")));
    let path = format!("{methods}/{}", method["id"].as_str().unwrap());
    assert_eq!(
        client.patch(&path, json!({"memo": "Ground floor"})).await.1["memo"],
        "Ground floor"
    );
    assert_eq!(client.patch(&path, json!({"memo": null})).await.0, 400);
    assert_eq!(client.patch(&path, json!({"type": "Email"})).await.0, 400);
    let (_, method) =
        client.put(&path, json!({"type": "Email", "value": "fax@harborbakery.example"})).await;
    assert_eq!((&method["type"], &method["memo"]), (&json!("Email"), &Value::Null));
    let unknown = format!("{methods}/7b2d9f10-4e6a-4c58-b310-000000000077");
    assert_eq!(client.get(&unknown).await.0, 404);
    assert_eq!(client.put(&unknown, json!({"type": "Phone", "value": "3105550191"})).await.0, 200);
    assert_eq!(client.get(&unknown).await.0, 200);
    assert_eq!(client.delete(&unknown).await, (200, Value::Null));
    let of_another = METHOD.replace("000000000001/", "000000000002/");
    assert_eq!(client.get(&of_another).await.0, 404);
    assert_eq!(
        client
            .put(
                &format!("{NOBODY}/contact-methods/{}", &unknown[unknown.len() - 36..]),
                json!({"type": "Phone", "value": "1"})
            )
            .await
            .0,
        404
    );
    let (_, found) = client.get("/contacts/contact-methods?value=ADA@harborbakery.example").await;
    assert_eq!(found["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn preferences_are_text_and_known_by_name() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::new(&sandbox).await;
    let all = format!("{METHOD}/preferences");
    let (_, values) = client.get(&all).await;
    assert_eq!(values[0], json!({"name": "JobReminders", "dataType": "Bool", "value": "true"}));
    assert_eq!(values[2]["value"], Value::Null);
    let one = format!("{all}/InvoiceNotification");
    assert_eq!(client.patch(&one, json!({"value": "True"})).await.1["value"], "true");
    assert_eq!(client.patch(&one, json!({})).await.1["value"], "true");
    assert_eq!(client.get(&one).await.1["value"], "true");
    assert_eq!(client.patch(&one, json!({"value": "maybe"})).await.0, 400);
    assert_eq!(client.get(&format!("{all}/Telegrams")).await.0, 404);
    assert_eq!(client.get(&format!("{all}/%FF")).await.0, 400);
}

#[tokio::test]
async fn deleting_a_person_deletes_what_belongs_to_it() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::new(&sandbox).await;
    client.delete(ADA).await;
    assert_eq!(
        client.get("/contacts/contact-methods?referenceId=hb-01-m").await.1["data"],
        json!([])
    );
    assert_eq!(client.get("/contacts/relationships/1001").await.0, 404);
}
