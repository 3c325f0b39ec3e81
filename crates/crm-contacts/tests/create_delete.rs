//! Creating without doubling, deleting without doubt.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::time::Duration;

use common::*;
use crm_contacts::{ContactsError, Creation, RefusalKind};
use crm_models::{
    ContactType, CreateContactRequest, RelatedEntityId, RelatedEntityType, UpdateContactRequest,
};
use crm_transport::Delivery;
use tokio::time::Instant;

fn new() -> CreateContactRequest {
    CreateContactRequest::new(ContactType::MobilePhone, "(818) 555-0142")
}

#[tokio::test]
async fn create_never_repeats_itself() {
    let (service, sent) = service([status(504, "")]);
    let error = service.customer(customer()).create(new()).await.unwrap_err();
    assert!(matches!(error, ContactsError::OutcomeUnknown { .. }), "{error}");
    assert_eq!(sent.count("POST"), 1);
}

#[tokio::test]
async fn create_unless_present_finds_the_number_in_any_format() {
    let (service, sent) = service([ok(page(1, false, &[mobile(7)]))]);
    let made = service.customer(customer()).create_unless_present(new()).await.unwrap();
    assert!(matches!(made, Creation::Present(contact) if contact.id == id(7)));
    assert_eq!(sent.count("POST"), 0);
}

#[tokio::test(start_paused = true)]
async fn create_unless_present_looks_again_after_a_lost_answer() {
    let (service, sent) = service([
        ok(page::<&str>(1, false, &[])),
        status(504, ""),
        ok(page::<&str>(1, false, &[])),
        ok(page(1, false, &[mobile(8)])),
    ]);
    let made = service.customer(customer()).create_unless_present(new()).await.unwrap();
    assert!(matches!(made, Creation::Created(contact) if contact.id == id(8)));
    assert_eq!(sent.count("POST"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_creation_that_does_not_show_up_is_unknown_not_repeated() {
    let empty = || ok(page::<&str>(1, false, &[]));
    let (service, sent) = service([empty(), lost(), empty(), empty(), empty()]);
    let error = service.customer(customer()).create_unless_present(new()).await.unwrap_err();
    assert!(error.outcome_is_unknown(), "{error}");
    assert_eq!(sent.count("POST"), 1);
}

#[tokio::test]
async fn a_delete_that_finds_nothing_is_an_error_unless_an_earlier_attempt_may_have_done_it() {
    let not_found = |earlier| Step::AnswerAfter(earlier, 404, String::new());
    for nothing_deleted in [status(404, ""), not_found(Delivery::NotExecuted)] {
        let (service, _) = service([nothing_deleted]);
        let result = service.location(location()).delete(id(1)).await;
        assert!(result.unwrap_err().is_not_found());
    }
    let (repeated, _) = service([not_found(Delivery::Unknown)]);
    repeated.location(location()).delete(id(1)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_relationship_that_is_gone_after_a_lost_attempt_was_ended() {
    let entity = RelatedEntityId::new(2_001).unwrap();
    let relationship = r#"{"id":"5f0e1a52-0000-4000-8000-000000000001","relatedEntityId":2001,
        "typeName":"Location","typeSlug":"location","createdOn":"2026-01-01T00:00:00Z",
        "createdBy":7}"#;
    let gone = || ok(page::<&str>(1, false, &[]));
    let there = || ok(page(1, false, &[relationship]));
    let conflict = |earlier| Step::AnswerAfter(earlier, 409, String::new());
    for (script, expected) in [
        (vec![status(200, "")], "done"),
        (vec![status(409, "")], "conflict"),
        (vec![conflict(Delivery::NotExecuted)], "conflict"),
        (vec![conflict(Delivery::Unknown), gone()], "done"),
        (vec![conflict(Delivery::Unknown), status(409, "")], "done"),
        (vec![conflict(Delivery::Unknown), there(), there(), there()], "unknown"),
        (vec![lost(), gone()], "done"),
        (vec![lost(), there(), gone()], "done"),
        (vec![lost(), there(), there(), there()], "unknown"),
    ] {
        let (service, _) = service(script);
        let person = "5f0e1a52-0000-4000-8000-000000000002".parse().unwrap();
        let result = service.person(person).unrelate(RelatedEntityType::Location, entity).await;
        let became = match result {
            Ok(()) => "done",
            Err(error) if error.outcome_is_unknown() => "unknown",
            Err(error) if error.refusal_kind() == Some(RefusalKind::Conflict) => "conflict",
            Err(_) => "another error",
        };
        assert_eq!(became, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_delete_whose_answer_is_lost_is_decided_by_looking() {
    let gone = || ok(page(1, false, &[mobile(2)]));
    let there = || ok(page(1, false, &[mobile(1)]));
    for (script, is_done) in [
        (vec![lost(), gone()], true),
        // Lists may lag.
        (vec![lost(), there(), status(503, ""), gone()], true),
        (vec![lost(), there(), there(), there()], false),
    ] {
        let (service, sent) = service(script);
        let result = service.location(location()).delete(id(1)).await;
        assert_eq!(result.is_ok(), is_done, "{result:?}");
        assert!(result.err().is_none_or(|error| error.outcome_is_unknown()));
        assert_eq!(sent.count("DELETE"), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_delete_that_there_is_no_time_to_look_after_is_unknown() {
    let (service, _) = service([lost()]);
    let service = service.with_deadline(Instant::now());
    let error = service.location(location()).delete(id(1)).await;
    assert!(error.unwrap_err().outcome_is_unknown());
}

#[tokio::test(start_paused = true)]
async fn a_delete_looks_no_longer_than_a_minute_for_what_a_silent_host_did() {
    let started = Instant::now();
    let error = falls_silent().location(location()).delete(id(1)).await;
    assert!(error.unwrap_err().outcome_is_unknown());
    assert!(started.elapsed() < Duration::from_secs(61));
}

#[tokio::test(start_paused = true)]
async fn a_write_that_is_sent_once_is_unknown_without_a_look_when_its_answer_is_lost() {
    let (service, sent) = service([lost(), lost()]);
    let began = Instant::now();
    let location = service.location(location());
    let update = UpdateContactRequest::new().memo("Gate 2");
    let updated = location.send_once(id(1), update).await.unwrap_err();
    let deleted = location.delete_once(id(1)).await.unwrap_err();
    for error in [updated, deleted] {
        assert!(matches!(error, ContactsError::OutcomeUnknown { .. }), "{error}");
    }
    assert_eq!((sent.count("GET"), sent.lines().len()), (0, 2));
    assert_eq!(began.elapsed(), Duration::ZERO);
}
