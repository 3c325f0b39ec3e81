//! Members that this crate does not know are kept where the JSON is asked for.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::*;
use crm_contacts::{
    ContactsError, POLLING_INTERVAL, WithJson, operations::locations::UpdateContact,
};
use crm_models::{ContactFilter, LocationId, UpdateContactRequest};
use futures_util::TryStreamExt;

fn newer(id: i64) -> String {
    mobile(id).replacen('{', r#"{"isVerified":true,"locationId":55021,"active":true,"#, 1)
}

#[tokio::test]
async fn a_list_gives_its_items_as_they_were_written() {
    let (service, _) = service([ok(page(1, true, &[newer(1)])), ok(page(2, false, &[newer(2)]))]);
    let list = service.location(location()).list().with_json();
    let items: Vec<_> = list.items().try_collect().await.unwrap();
    assert_eq!(items[1].id, id(2));
    assert_eq!(items[1].json(), newer(2));
    assert_eq!(serde_json::to_string(&items[0]).unwrap(), newer(1));
}

#[tokio::test]
async fn the_checks_of_a_list_hold_for_it_too() {
    let other = newer(1).replace("55021", "55022");
    let (strangers, _) = service([ok(page(1, false, &[other]))]);
    let filter = ContactFilter::<LocationId>::new().owners([location()]);
    let found = strangers.changed(filter).with_json().collect().await;
    let error = found.unwrap_err();
    assert!(matches!(error, ContactsError::AnotherRecord { .. }), "{error}");

    let (endless, _) = service((1..9).map(|number| ok(page(number, true, &[newer(1)]))));
    let list = endless.location(location()).list().with_json();
    let error = list.collect().await.unwrap_err();
    assert!(matches!(error, ContactsError::Stalled { .. }), "{error}");

    let broken = newer(1).replace(r#""id":1"#, r#""id":0"#);
    let (broken, _) = service([ok(page(1, false, &[newer(2), broken]))]);
    let list = broken.location(location()).list().with_json().set_aside();
    let pages: Vec<_> = list.pages().try_collect().await.unwrap();
    assert_eq!((pages[0].data.len(), pages[0].unreadable.len()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_feed_gives_its_records_as_they_were_written() {
    let batch = || ok(format!(r#"{{"hasMore":false,"continueFrom":"t1","data":[{}]}}"#, newer(7)));
    let (service, _) = service([batch(), batch()]);
    let export = || service.export::<LocationId>();
    let batches: Vec<_> = export().batches_with_json().try_collect().await.unwrap();
    assert_eq!(batches[0].data[0].json(), newer(7));
    let stop = tokio::time::sleep(POLLING_INTERVAL / 2);
    let followed = export().follow_with_json(POLLING_INTERVAL, stop);
    let followed: Vec<_> = followed.try_collect().await.unwrap();
    assert_eq!(followed[0].data[0].owner, location());
}

#[tokio::test]
async fn so_does_any_other_operation_and_an_answer_about_another_record_is_none() {
    let (service, _) = service([ok(newer(1)), ok(newer(2))]);
    let update = WithJson(UpdateContact {
        owner: location(),
        contact: id(1),
        update: UpdateContactRequest::new().memo("Site manager"),
    });
    assert_eq!(service.call(&update).await.unwrap().json(), newer(1));
    let error = service.call(&update).await.unwrap_err();
    assert!(error.outcome_is_unknown(), "{error}");
}
