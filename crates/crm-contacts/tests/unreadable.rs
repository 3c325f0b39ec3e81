//! A record that is not what the contract says: the others of its page can be used, and nothing is
//! left out in silence.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::*;
use crm_contacts::ContactsError;
use crm_models::{ContactType, CreateContactRequest, LocationId};
use futures_util::{StreamExt, TryStreamExt};

fn broken() -> String {
    mobile(1).replacen(r#""id":1"#, r#""id":0"#, 1)
}

fn with_one_broken() -> Step {
    ok(page(1, false, &[mobile(1), broken(), mobile(2)]))
}

fn is_unreadable(error: &ContactsError) -> bool {
    let text = format!("{error} {error:?}");
    assert!(text.contains("data[1]") || text.contains("record 1 of its page"), "{text}");
    assert!(!text.contains("8185550142"), "{text}");
    matches!(error, ContactsError::Unreadable { .. })
}

#[tokio::test]
async fn it_is_set_aside_and_the_page_kept_when_that_is_asked_for() {
    let (service, _) = service([with_one_broken()]);
    let list = service.location(location()).list().set_aside();
    let pages: Vec<_> = list.pages().try_collect().await.unwrap();
    let ids: Vec<_> = pages[0].data.iter().map(|contact| contact.id.get()).collect();
    assert_eq!(ids, [1, 2]);
    let record = &pages[0].unreadable[0];
    assert_eq!((record.index, record.json.as_str()), (1, broken().as_str()));
    assert_eq!(record.member("value").as_deref(), Some("8185550142"));
    assert!(!format!("{record} {record:?}").contains("8185550142"));
}

#[tokio::test]
async fn otherwise_its_page_is_refused() {
    let (service, _) = service([with_one_broken(), with_one_broken()]);
    let list = || service.location(location()).list();
    assert!(is_unreadable(&list().collect().await.unwrap_err()));
    let pages: Vec<_> = list().pages().collect().await;
    assert!(is_unreadable(pages[0].as_ref().unwrap_err()));
}

#[tokio::test]
async fn items_come_before_the_error_that_they_are_not_all() {
    let first = ok(page(1, true, &[mobile(1), broken()]));
    let (service, _) = service([first, ok(page(2, false, &[mobile(2)]))]);
    let list = service.location(location()).list().set_aside();
    let items: Vec<_> = list.items().collect().await;
    assert_eq!(items.len(), 3);
    assert!(items[0].is_ok() && items[1].is_ok());
    assert!(is_unreadable(items[2].as_ref().unwrap_err()));
}

#[tokio::test]
async fn a_contact_beside_it_is_found_and_none_is_said_to_be_missing_that_it_may_be() {
    let (service, _) = service((0..3).map(|_| with_one_broken()));
    let contacts = service.location(location());
    assert_eq!(contacts.find(id(2)).await.unwrap().id, id(2));
    let error = contacts.find(id(9)).await.unwrap_err();
    assert!(is_unreadable(&error) && !error.is_not_found());

    let other = mobile(7).replace("2026-05-27T16:04:11.4827193Z", "yesterday");
    let (service, _) =
        self::service((0..2).map(|_| ok(page(1, false, &[mobile(1), other.clone()]))));
    let contacts = service.location(location());
    assert!(contacts.find(id(9)).await.unwrap_err().is_not_found());
    assert!(is_unreadable(&contacts.find(id(7)).await.unwrap_err()));
}

#[tokio::test]
async fn nothing_is_created_beside_it() {
    let (service, sent) = service([with_one_broken()]);
    let new = CreateContactRequest::new(ContactType::Email, "a@site.example");
    let created = service.location(location()).create_unless_present(new).await;
    assert!(is_unreadable(&created.unwrap_err()));
    assert_eq!(sent.count("POST"), 0);
}

#[tokio::test]
async fn a_batch_of_a_feed_is_kept_or_refused_likewise() {
    let owned = |contact: String| contact.replacen('{', r#"{"locationId":5,"active":true,"#, 1);
    let batch = || {
        let records = [owned(mobile(1)), owned(broken()), owned(mobile(2))].join(",");
        ok(format!(r#"{{"hasMore":false,"continueFrom":"t1","data":[{records}]}}"#))
    };
    let (service, _) = service([batch(), batch()]);
    let export = || service.export::<LocationId>();
    let kept: Vec<_> = export().set_aside().batches().try_collect().await.unwrap();
    assert_eq!((kept[0].data.len(), kept[0].unreadable.len()), (2, 1));
    assert_eq!(kept[0].continue_from.as_ref().unwrap().as_str(), "t1");
    let refused = export().batches().try_collect::<Vec<_>>().await;
    assert!(is_unreadable(&refused.unwrap_err()));
}

#[tokio::test]
async fn a_page_that_is_no_page_is_unreadable_as_a_whole() {
    let (service, _) = service([ok(r#"{"page":1,"data":[]}"#)]);
    let list = service.location(location()).list().set_aside();
    let error = list.collect().await.unwrap_err();
    assert!(matches!(error, ContactsError::Unreadable { .. }), "{error}");
}
