//! Customers and locations themselves over a mocked transport: which requests are made, and which
//! answers are accepted.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::*;
use crm_contacts::{ContactsError, Stall};
use crm_models::{CustomerId, LocationId, OwnerDetails, OwnerFilter};
use futures_util::{StreamExt, TryStreamExt};

fn record(id: i64, customer: i64, active: bool) -> String {
    format!(
        r#"{{"id":{id},"customerId":{customer},"active":{active},"name":"Harbor Bakery","type":
        "Commercial","address":{{"street":"4 Pier Road","unit":null,"city":"Canoga Park","state":
        "CA","zip":"91303","country":"USA"}},"doNotMail":false,"doNotService":false,"createdOn":
        "2025-11-02T09:15:00Z","modifiedOn":"2026-05-27T16:04:11.4827193Z","mergedToId":null,
        "balance":12.5,"tagTypeIds":[]}}"#
    )
}

fn batch(has_more: bool, token: &str, id: i64) -> String {
    let record = record(id, 9_107, false);
    format!(r#"{{"hasMore":{has_more},"continueFrom":"{token}","data":[{record}]}}"#)
}

#[tokio::test]
async fn an_owner_is_read_by_its_id_and_another_one_is_no_answer() {
    let (service, sent) = service([
        ok(record(9_107, 1, true)),
        ok(record(55_021, 9_107, false)),
        ok(record(55_022, 9_107, true)),
    ]);
    let found = service.customers().get(customer()).await.unwrap();
    assert_eq!(found.display_name(), "Harbor Bakery");
    let found = service.locations().get(location()).await.unwrap();
    assert_eq!((found.customer_id, found.active), (customer(), false));
    let error = service.locations().get(location()).await.unwrap_err();
    assert!(matches!(error, ContactsError::AnotherRecord { .. }), "{error}");
    assert_eq!(sent.lines()[..2], ["GET /customers/9107", "GET /locations/55021"]);
}

#[tokio::test]
async fn names_are_looked_up_50_ids_a_call_whether_active_or_not() {
    let ids = (1..=51).chain([7, 7]).map(|id| CustomerId::new(id).unwrap());
    let all: Vec<_> = (1..=51).map(|id| record(id, 1, id % 2 == 0)).collect();
    let (service, sent) = service([ok(page(1, false, &all[..50])), ok(page(1, false, &all[50..]))]);
    let found = service.customers().with_ids(ids).collect().await.unwrap();
    assert_eq!(found.len(), 51);
    let lines = sent.lines();
    assert!(lines[0].starts_with("GET /customers?ids=1%2C2%2C3%2C"), "{}", lines[0]);
    assert_eq!(lines[1], "GET /customers?ids=51&active=Any&page=1");
}

#[tokio::test]
async fn nobody_is_asked_for_by_an_empty_list_of_ids() {
    let (service, sent) = service([]);
    assert_eq!(service.locations().with_ids([]).collect().await.unwrap(), []);
    let filter = OwnerFilter::<LocationId>::new().ids([]);
    let error = service.locations().list(filter).collect().await.unwrap_err();
    assert!(matches!(error, ContactsError::Invalid(_)), "{error}");
    assert!(sent.lines().is_empty());
}

#[tokio::test]
async fn a_list_with_owners_that_were_not_asked_for_is_refused() {
    let by_id = OwnerFilter::new().ids([location()]);
    let of_customer = OwnerFilter::new().customer(customer());
    for (filter, stranger) in
        [(by_id, record(55_022, 9_107, true)), (of_customer, record(1, 9_108, true))]
    {
        let (service, _) = service([ok(page(1, false, &[stranger]))]);
        let error = service.locations().list(filter).collect().await.unwrap_err();
        assert!(matches!(error, ContactsError::AnotherRecord { .. }), "{error}");
    }
}

#[tokio::test]
async fn the_feed_of_owners_goes_on_from_each_token_and_never_in_a_circle() {
    let (owners, sent) = service([ok(batch(true, "t1", 9_107)), ok(batch(false, "t2", 9_108))]);
    let batches: Vec<_> = owners.customers().export().batches().try_collect().await.unwrap();
    assert_eq!(batches[1].data[0].id.get(), 9_108);
    assert!(!batches[0].data[0].active);
    assert_eq!(sent.lines(), ["GET /export/customers", "GET /export/customers?from=t1"]);

    let endless = (1..9).map(|number| ok(batch(true, &format!("t{number}"), 55_021)));
    let (owners, _) = service(endless);
    let results: Vec<_> = owners.locations().export().batches().collect().await;
    let last = results.last().unwrap();
    assert!(matches!(last, Err(ContactsError::Stalled { how: Stall::Repeats, .. })), "{last:?}");

    let (owners, _) = service([ok(batch(false, "t1", 55_021))]);
    let raw: Vec<_> = owners.locations().export().batches_with_json().try_collect().await.unwrap();
    assert!(raw[0].data[0].json().contains(r#""balance":12.5"#));
}
