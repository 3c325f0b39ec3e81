//! Lists page by page: whole, without repetition, whatever happens in between.
#![allow(clippy::unwrap_used, reason = "a failure here fails the test")]

mod common;

use common::Client;
use crm_sandbox::{Sandbox, Seed};
use serde_json::{Value, json};

const LOCATIONS: &str = "/locations/contacts?modifiedOnOrAfter=2000-01-01T00:00:00Z";

async fn start(seed: Seed) -> (Sandbox, Client) {
    let builder = Sandbox::builder().seed(seed).set("rate-limit", "0").unwrap();
    let sandbox = builder.start().await.unwrap();
    let client = Client::new(&sandbox).await;
    (sandbox, client)
}

async fn page(client: &Client, list: &str, page: usize, size: usize) -> Value {
    let path = format!("{list}&page={page}&pageSize={size}");
    let (status, answer) = client.get(&path).await;
    assert_eq!(status, 200, "{path}: {answer}");
    answer
}

#[tokio::test]
async fn the_pages_of_a_list_are_its_pieces_in_any_order_and_any_number_of_times() {
    let (_sandbox, client) = start(Seed::Demo).await;
    for list in [
        LOCATIONS,
        "/customers/contacts?modifiedOnOrAfter=2000-01-01T00:00:00Z",
        "/locations/2001/contacts?",
        "/bookings/6001/contacts?",
        "/customers?",
        "/locations?active=Any&sort=-ModifiedOn",
        "/locations?sort=%2BId&state=CA",
        "/contacts?",
        "/contacts?sort=-ModifiedOn",
        "/contacts?sort=%2BCreatedOn&isArchived=False",
        "/contacts?sort=-Id",
        "/contacts/5e0c1a44-93b7-4d1f-8a26-000000000001/contact-methods?sort=-CreatedOn",
        "/contacts/5e0c1a44-93b7-4d1f-8a26-000000000001/relationships?",
    ] {
        let whole = page(&client, list, 1, 5000).await["data"].take();
        let whole = whole.as_array().unwrap();
        let ahead: Vec<_> = (1..=whole.len()).collect();
        let back: Vec<_> = ahead.iter().rev().copied().collect();
        for (numbers, total) in [(&ahead, false), (&ahead, true), (&back, false)] {
            for number in numbers.iter().flat_map(|number| [*number, *number]) {
                let counted = format!("{list}&includeTotal={total}");
                let answer = page(&client, &counted, number, 1).await;
                let expected = total.then_some(whole.len());
                assert_eq!(answer["data"], json!([whole[number - 1]]), "{list} {number}");
                assert_eq!(answer["hasMore"], number < whole.len(), "{list} {number}");
                assert_eq!(answer["totalCount"], json!(expected), "{list} {number}");
            }
        }
        let beyond = page(&client, list, whole.len() + 1, 1).await;
        assert_eq!((&beyond["data"], &beyond["hasMore"]), (&json!([]), &json!(false)));
    }
}

#[tokio::test]
async fn a_write_between_two_pages_counts_for_the_second() {
    let (_sandbox, client) = start(Seed::Count(40)).await;
    let list = &format!("{LOCATIONS}&includeTotal=true");
    let ids = async |number| {
        let answer = page(&client, list, number, 10).await;
        (common::ids(&answer), answer["totalCount"].clone())
    };
    assert_eq!(ids(1).await, ((1..=10).collect(), json!(40)));
    let (status, _) = client.delete("/locations/1/contacts/1").await;
    assert_eq!(status, 200);
    assert_eq!(ids(2).await, ((12..=21).collect(), json!(39)));
}

#[tokio::test]
async fn a_change_of_the_data_file_between_two_pages_counts_for_the_second() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sandbox.db");
    let builder = Sandbox::builder().data(&file).seed(Seed::Count(40));
    let sandbox = builder.start().await.unwrap();
    let client = Client::new(&sandbox).await;
    let first = page(&client, LOCATIONS, 1, 10).await;
    assert_eq!(common::ids(&first), Vec::from_iter(1..=10));
    rusqlite::Connection::open(&file)
        .unwrap()
        .execute("DELETE FROM location_contacts WHERE id < 6", [])
        .unwrap();
    let second = page(&client, LOCATIONS, 2, 10).await;
    assert_eq!(common::ids(&second), Vec::from_iter(16..=25));
}
