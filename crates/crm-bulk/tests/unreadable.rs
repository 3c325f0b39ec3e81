//! Records of the service that cannot be read: the others are used, and these are told.
#![allow(clippy::unwrap_used, reason = "a test fails so")]

mod common;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use common::*;
use crm_bulk::{BulkError, ChangeSet, Input, OptOut, Plan, State};
use crm_sandbox::{Seed, StoredContact};
use crm_transport::{Request, Response, Transport, TransportError};
use serde_json::Value;

const NUMBER: &str = "2135550177";

/// Breaks each record of a list or a feed whose member has this value, whatever it has if this is
/// null, while it is told to.
struct Breaks {
    inner: Arc<dyn Transport>,
    path: &'static str,
    member: &'static str,
    value: Value,
    to: Value,
    is_on: Arc<AtomicBool>,
}

#[async_trait]
impl Transport for Breaks {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let is_meant = request.uri().path().contains(self.path);
        let response = self.inner.send(request).await?;
        if !is_meant || !self.is_on.load(Ordering::Relaxed) {
            return Ok(response);
        }
        Ok(response.map(|body| {
            let mut page: Value = serde_json::from_slice(&body).unwrap();
            let records = match page.get_mut("data") {
                Some(records) => records,
                None => &mut page,
            };
            for record in records.as_array_mut().into_iter().flatten() {
                if self.value.is_null() || record[self.member] == self.value {
                    record[self.member] = self.to.clone();
                }
            }
            serde_json::to_vec(&page).unwrap().into()
        }))
    }
}

impl World {
    /// Breaks records from now on, until the answer is set to false.
    fn broken(
        &mut self,
        path: &'static str,
        member: &'static str,
        value: impl Into<Value>,
        to: impl Into<Value>,
    ) -> Arc<AtomicBool> {
        let is_on = Arc::new(AtomicBool::new(true));
        let breaks = Breaks {
            inner: self.service.transport().clone(),
            path,
            member,
            value: value.into(),
            to: to.into(),
            is_on: is_on.clone(),
        };
        self.service = Service::new(Arc::new(breaks), self.site.tenant());
        is_on
    }

    async fn opt_out(&self, list: &'static str, name: &str) -> Result<ChangeSet, BulkError> {
        let list = Input::csv("list", list.as_bytes());
        let plan = OptOut::new(self.site.clone(), self.snapshot().await);
        plan.plan(&self.service, list, self.path(name)).await?;
        ChangeSet::open(self.path(name))
    }

    /// A contact of a location that has the number.
    fn with_number(&self) -> StoredContact {
        let stored = self.stored().into_iter();
        let mut found =
            stored.filter(|((kind, ..), contact)| *kind == "location" && contact.value == NUMBER);
        found.next().unwrap().1
    }
}

fn page(set: &ChangeSet) -> String {
    let mut page = Vec::new();
    set.report(&mut page).unwrap();
    String::from_utf8(page).unwrap()
}

#[tokio::test]
async fn an_opt_out_goes_on_without_a_contact_and_tells_it_beside_the_row_and_in_the_evidence() {
    let mut world = world(Seed::Demo).await;
    let contact = world.with_number();
    world.broken("/export/locations/contacts", "id", contact.id, 0);
    let set = world.opt_out(NUMBER, "set.crm").await.unwrap();
    assert_eq!(states(set.path()), [State::Planned; 8]);
    let info = set.info().unwrap();
    let ids = format!("locationId {}, id 0", contact.owner_id);
    assert!(matches!(&*info.unreadable, [told] if told.starts_with(&ids)), "{info:?}");
    assert_eq!(info.look_at, 1);
    let notes = info.notes.join("\n");
    assert!(
        notes.contains("cannot be read, so nothing is planned for them: locationId"),
        "{notes}"
    );
    assert!(!notes.contains(NUMBER), "{notes}");
    let page = page(&set);
    for told in ["</b>record cannot be read", "Records that cannot be read", "look at locationId"] {
        assert!(page.contains(told), "{told}: {page}");
    }
}

#[tokio::test]
async fn one_that_has_no_listed_value_is_counted_all_the_same() {
    let mut world = world(Seed::Demo).await;
    let contact = world.with_number();
    world.broken("/export/locations/contacts", "id", contact.id, 0);
    let set = world.opt_out("nobody@site.example", "set.crm").await.unwrap();
    let info = set.info().unwrap();
    assert_eq!((info.unreadable.len(), info.look_at), (1, 0));
}

#[tokio::test]
async fn a_contact_method_of_a_person_and_its_preferences_are_told_likewise() {
    for (path, member, value, to) in [
        ("/contacts/contact-methods", "contactId", Value::Null, Value::from(7)),
        ("/contact-methods/", "name", "MarketingUpdates".into(), Value::Null),
    ] {
        let mut world = world(Seed::Demo).await;
        world.broken(path, member, value, to);
        let set = world.opt_out(NUMBER, "set.crm").await.unwrap();
        assert_eq!(states(set.path()), [State::Planned; 7], "{path}");
        let info = set.info().unwrap();
        assert_eq!(info.look_at, 2, "{info:?}");
        assert!(info.unreadable.len() >= 2, "{info:?}");
        assert!(info.unreadable[0].starts_with("contactId "), "{info:?}");
    }
}

#[tokio::test]
async fn a_snapshot_counts_it_once_until_it_can_be_read_again() {
    let mut world = world(Seed::Demo).await;
    let contact = world.with_number();
    let is_on = world.broken("/export/locations/contacts", "value", NUMBER, 7);
    let before = world.snapshot().await.coverage().unwrap();
    assert_eq!(before.unreadable, 4);
    // It comes again, as broken as before.
    let touch = |memo: &'static str| crm_models::UpdateContactRequest::new().memo(memo);
    let location = world.service.location(contact.owner_id.try_into().unwrap());
    let id = contact.id.try_into().unwrap();
    location.send(id, touch("a")).await.unwrap();
    assert_eq!(world.snapshot().await.coverage().unwrap().unreadable, 4);
    is_on.store(false, Ordering::Relaxed);
    location.send(id, touch("b")).await.unwrap();
    let snapshot = world.snapshot().await;
    let coverage = snapshot.coverage().unwrap();
    assert_eq!((coverage.unreadable, coverage.contacts), (3, before.contacts + 1));
    assert_eq!(snapshot.unreadable().unwrap().len(), 3);
}

#[tokio::test]
async fn a_plan_does_not_say_of_it_that_it_is_not_there() {
    let mut world = world(Seed::Demo).await;
    let contact = world.with_number();
    world.broken("/export/locations/contacts", "value", NUMBER, 7);
    let rows = format!("location_id,contact_id,memo\n{},{},x\n", contact.owner_id, contact.id);
    let snapshot = world.snapshot().await;
    let path = world.path("set.crm");
    Plan::new(world.site.clone())
        .snapshot(snapshot)
        .from_snapshot(Input::csv("rows", std::io::Cursor::new(rows)), &path)
        .await
        .unwrap();
    let change = changes(&path).remove(0);
    assert_eq!(change.outcome.state, State::Failed);
    assert!(change.outcome.message.unwrap().contains("cannot be read"));
    let info = ChangeSet::open(&path).unwrap().info().unwrap();
    assert_eq!(info.unreadable.len(), 4);
}
