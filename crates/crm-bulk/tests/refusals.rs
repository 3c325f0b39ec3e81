//! What a run makes of writes that a layer of the caller's own refuses.
#![allow(clippy::unwrap_used, reason = "a test fails so")]

mod common;

use std::sync::Arc;

use async_trait::async_trait;
use common::*;
use crm_bulk::{Apply, ChangeSet, Event, Finished, State, StopReason};
use crm_contacts::ContactsService;
use crm_sandbox::Seed;
use crm_transport::{Call, Effect, Request, Response, Transport, TransportError};
use futures_util::TryStreamExt;

/// Refuses the writes to these contacts.
struct Refuses<T> {
    inner: T,
    contacts: Vec<i64>,
    error: fn(&'static str) -> TransportError,
}

#[async_trait]
impl<T: Transport> Transport for Refuses<T> {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let writes = Call::of(&request).effect != Effect::Read;
        let contact = request.uri().path().rsplit('/').next().unwrap().parse();
        if writes && self.contacts.contains(&contact.unwrap()) {
            return Err((self.error)("by the test"));
        }
        self.inner.send(request).await
    }
}

/// A set that changes the memos of the first so many contacts, run by a service whose writes to
/// some of them are refused.
async fn run(
    world: &World,
    changes: i64,
    refused: impl IntoIterator<Item = i64>,
    error: fn(&'static str) -> TransportError,
) -> (Finished, Vec<Event>) {
    let mut rows = "location_id,contact_id,memo\n".to_owned();
    for contact in 1..=changes {
        rows += &format!("{},{contact},changed\n", (contact + 3) / 4);
    }
    let set = world.plan(&rows, "set.crm").await;
    let inner = Arc::clone(world.service.transport());
    let layer = Refuses { inner, contacts: refused.into_iter().collect(), error };
    let service = ContactsService::new(layer, world.service.tenant());
    let events = Apply::new(set).run(&service, &world.site).unwrap();
    let mut events: Vec<_> = events.try_collect().await.unwrap();
    match events.pop() {
        Some(Event::Finished(finished)) => (finished, events),
        last => panic!("{last:?}"),
    }
}

#[tokio::test]
async fn a_write_refused_for_good_has_failed_and_the_others_go_on() {
    let world = world(Seed::Count(40)).await;
    let (finished, events) = run(&world, 40, [3, 17], TransportError::refused).await;
    assert_eq!(finished.reason, StopReason::Complete);
    assert_eq!((finished.count(State::Failed), finished.count(State::Done)), (2, 38));
    let failed: Vec<_> = changes(&world.path("set.crm"))
        .into_iter()
        .filter(|change| change.outcome.state == State::Failed)
        .collect();
    for change in failed {
        assert!(
            change.outcome.message.unwrap().ends_with("refused before it was sent: by the test")
        );
    }
    let written = events.iter().filter(|event| matches!(event, Event::Written(_)));
    assert_eq!(written.count(), 38, "what was refused was no write");
}

#[tokio::test]
async fn a_write_refused_for_now_is_still_to_be_made() {
    let world = world(Seed::Count(40)).await;
    let (finished, _) = run(&world, 40, [3, 17], TransportError::refused_for_now).await;
    assert_eq!((finished.count(State::Planned), finished.count(State::Done)), (2, 38));
    for change in changes(&world.path("set.crm")) {
        let (state, attempts) = (change.outcome.state, change.outcome.attempts);
        assert_eq!(attempts, u32::from(state == State::Done), "{change:?}");
    }

    let set = ChangeSet::open(world.path("set.crm")).unwrap();
    let again = world.apply(Apply::new(set)).await.unwrap();
    assert_eq!((again.reason, again.count(State::Done)), (StopReason::Complete, 2));
}

#[tokio::test]
async fn a_layer_that_refuses_twenty_writes_in_a_row_ends_the_run() {
    for (error, state) in [
        (TransportError::refused as fn(&'static str) -> _, State::Failed),
        (TransportError::refused_for_now, State::Planned),
    ] {
        let world = world(Seed::Count(100)).await;
        let (finished, _) = run(&world, 100, 1..=100, error).await;
        assert_eq!(finished.reason, StopReason::Withheld);
        let refused = finished.count(state);
        // Those that were begun with the twentieth are finished.
        assert!((20..=20 + 64).contains(&refused), "{refused} {state:?}");
        assert_eq!(world.sent("PATCH"), 0);
    }
}
