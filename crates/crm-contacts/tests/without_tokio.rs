//! The use cases outside a runtime of tokio's, where nothing can wait.
#![allow(clippy::unwrap_used, reason = "a test fails so")]

mod common;

use std::{
    pin::pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use common::*;
use crm_contacts::{ContactsError, ContactsService};
use crm_models::{ContactChange, ContactType, CreateContactRequest, LocationId, PreferenceChange};
use crm_transport::{MockTransport, RateLimit, RetryPolicy, TransportErrorKind, TransportExt};
use futures_util::StreamExt;

/// As `futures::executor::block_on`: nothing but polls.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return output;
        }
        std::thread::yield_now();
    }
}

fn listed<S: AsRef<str>>(contacts: &[S]) -> Step {
    ok(page(1, false, contacts))
}

fn no_marketing() -> ContactChange {
    ContactChange::new().preferences(PreferenceChange::new().marketing_updates(false))
}

fn new() -> CreateContactRequest {
    CreateContactRequest::new(ContactType::MobilePhone, "8185550142")
}

#[test]
fn a_lost_answer_is_an_unknown_outcome_after_one_look() {
    fn script<const N: usize>(steps: [Step; N]) -> ContactsService<MockTransport> {
        service(steps).0
    }
    let none: &[&str] = &[];
    let present = [mobile(71_204)];
    let (contact, memo) = (id(71_204), ContactChange::new().memo("Site manager, mornings"));
    let seen = || listed(&present);

    let updated = script([lost(), seen(), lost(), seen()]);
    let updated = block_on(updated.location(location()).update(contact, &memo)).err();
    let ensured = script([seen(), lost(), seen(), lost(), seen()]);
    let ensured =
        block_on(ensured.location(location()).update_if_changed(contact, &no_marketing())).err();
    let created = script([lost()]);
    let created = block_on(created.location(location()).create(new())).err();
    let unless = script([listed(none), lost(), listed(none)]);
    let unless = block_on(unless.location(location()).create_unless_present(new())).err();
    let deleted = script([lost(), seen()]);
    let deleted = block_on(deleted.location(location()).delete(contact)).err();

    for (name, error) in [
        ("update", updated),
        ("update_if_changed", ensured),
        ("create", created),
        ("create_unless_present", unless),
        ("delete", deleted),
    ] {
        let error = error.unwrap_or_else(|| panic!("{name} has no error"));
        assert!(matches!(error, ContactsError::OutcomeUnknown { .. }), "{name}: {error}");
    }
}

#[test]
fn a_lost_answer_that_the_first_look_settles_is_settled() {
    let present = mobile(71_204);
    let done =
        present.replace("\"marketingUpdatesEnabled\":true", "\"marketingUpdatesEnabled\":false");
    let (service, _) = service([listed(&[present]), lost(), listed(&[&done])]);
    let contacts = service.location(location());
    let updated = block_on(contacts.update_if_changed(id(71_204), &no_marketing())).unwrap();
    assert_eq!(updated.after, contact(&done));
}

#[test]
fn what_would_have_to_wait_is_the_error_that_asks_for_it() {
    let (service, sent) = service([listed(&[mobile(71_204)]), Step::Wait(429, 4)]);
    let contacts = service.location(location());
    let error = block_on(contacts.update_if_changed(id(71_204), &no_marketing())).unwrap_err();
    assert_eq!(error.refusal().unwrap().status, 429);
    assert_eq!(sent.count("PATCH"), 1);
}

#[test]
fn a_feed_ends_where_it_would_wait_for_more() {
    let end = r#"{"hasMore":false,"continueFrom":"end","data":[]}"#;
    let (service, _) = service([ok(end)]);
    let export = service.export::<LocationId>();
    let mut batches = export.follow(Duration::from_secs(1), std::future::pending());
    assert!(block_on(batches.next()).unwrap().is_ok());
    let error = block_on(batches.next()).unwrap().unwrap_err();
    let reason = error.transport_error().unwrap();
    assert_eq!(reason.kind(), TransportErrorKind::NoRuntime);
    assert!(block_on(batches.next()).is_none());
}

/// The same through the layers, which wait at the gate and between two attempts.
#[test]
fn through_the_layers_a_lost_answer_is_an_unknown_outcome_too() {
    let (service, sent) = service([lost(), listed(&[mobile(71_204)])]);
    let layers = service.transport().with_rate_limit(RateLimit::per_second(1));
    let layers = layers.with_retry(RetryPolicy::default());
    let layered = service.over(&layers);
    let contacts = layered.location(location());
    let memo = ContactChange::new().memo("Site manager, mornings");
    let error = block_on(contacts.update(id(71_204), &memo)).unwrap_err();
    assert!(matches!(error, ContactsError::OutcomeUnknown { .. }), "{error}");
    assert_eq!(sent.lines().len(), 1, "the look had to wait at the gate");
    let error = block_on(contacts.read(id(71_204))).unwrap_err();
    assert_eq!(error.transport_error().unwrap().kind(), TransportErrorKind::NoRuntime);
}
