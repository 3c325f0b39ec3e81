//! Creating without doubling, deleting without doubt.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::*;
use crm_contacts::{ContactsError, Creation};
use crm_models::{ContactType, CreateContactRequest};

fn new() -> CreateContactRequest {
    CreateContactRequest::new(ContactType::MobilePhone, "(818) 555-0142")
}

#[tokio::test]
async fn create_never_repeats_itself() {
    let (service, sent) = service([status(504, "")]);
    let error = service
        .customer(customer())
        .create(new())
        .await
        .unwrap_err();
    assert!(
        matches!(error, ContactsError::OutcomeUnknown { .. }),
        "{error}"
    );
    assert_eq!(sent.count("POST"), 1);
}

#[tokio::test]
async fn create_unless_present_finds_the_number_in_any_format() {
    let (service, sent) = service([ok(page(1, false, &[mobile(7)]))]);
    let made = service
        .customer(customer())
        .create_unless_present(new())
        .await
        .unwrap();
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
    let made = service
        .customer(customer())
        .create_unless_present(new())
        .await
        .unwrap();
    assert!(matches!(made, Creation::Created(contact) if contact.id == id(8)));
    assert_eq!(sent.count("POST"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_creation_that_does_not_show_up_is_unknown_not_repeated() {
    let empty = || ok(page::<&str>(1, false, &[]));
    let (service, sent) = service([empty(), lost(), empty(), empty(), empty()]);
    let error = service
        .customer(customer())
        .create_unless_present(new())
        .await
        .unwrap_err();
    assert!(error.outcome_is_unknown(), "{error}");
    assert_eq!(sent.count("POST"), 1);
}

#[tokio::test]
async fn a_delete_that_finds_nothing_is_an_error_unless_an_attempt_came_before() {
    let (first, _) = service([status(404, "")]);
    assert!(
        first
            .location(location())
            .delete(id(1))
            .await
            .unwrap_err()
            .is_not_found()
    );

    let (repeated, _) = service([Step::AnswerAfter(2, 404, String::new())]);
    repeated.location(location()).delete(id(1)).await.unwrap();
}

#[tokio::test]
async fn a_delete_whose_answer_is_lost_is_decided_by_looking() {
    let (gone, _) = service([lost(), ok(page(1, false, &[mobile(2)]))]);
    gone.location(location()).delete(id(1)).await.unwrap();

    let (there, _) = service([lost(), ok(page(1, false, &[mobile(1)]))]);
    let error = there.location(location()).delete(id(1)).await.unwrap_err();
    assert!(error.outcome_is_unknown(), "{error}");
}
