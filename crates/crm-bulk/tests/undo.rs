//! The reverse of a set.
#![allow(clippy::unwrap_used, reason = "a test fails so")]

mod common;

use common::*;
use crm_bulk::{Apply, BulkError, ChangeSet, State};
use crm_models::{ContactChange, ContactId, LocationId};
use crm_sandbox::{Seed, StoredContact};

const EVERY_MEMBER: &str = "\
location_id,customer_id,contact_id,action,type,value,memo,job_reminders,marketing_updates,invoices,statements
2001,,3001,,Phone,8185550191,(clear),off,off,on,off
2001,,3002,update,,other@site.example,Now with memo,off,on,off,off
2001,,3003,delete,,,,,,,
,1001,4001,delete,,,,,,,
,1001,4002,,,,Other memo,,,,
2002,,,create,Email,new@site.example,,off,off,off,off
";

/// What a person sees of a contact: everything but its id and times.
fn seen(contact: &StoredContact) -> StoredContact {
    let mut seen = contact.clone();
    seen.id = 0;
    seen.created_on.clear();
    seen.modified_on.clear();
    seen
}

fn all(world: &World) -> Vec<String> {
    let mut all: Vec<_> = world
        .stored()
        .iter()
        .map(|((kind, _, _), contact)| format!("{kind} {:?}", seen(contact)))
        .collect();
    all.sort();
    all
}

#[tokio::test]
async fn undo_restores_every_member_of_updated_deleted_and_created_contacts() {
    let world = world(Seed::Demo).await;
    let before = all(&world);
    let set = world.plan(EVERY_MEMBER, "set.crm").await;
    let finished = world.apply(Apply::new(set)).await.unwrap();
    assert_eq!(
        finished.count(State::Done),
        6,
        "{:#?}",
        changes(&world.path("set.crm"))
    );
    assert_ne!(all(&world), before);

    let set = ChangeSet::open(world.path("set.crm")).unwrap();
    let summary = set.undo(world.path("undo.crm")).unwrap();
    assert_eq!((summary.planned, summary.impossible), (6, 0));
    let undo = ChangeSet::open(world.path("undo.crm")).unwrap();
    let finished = world.apply(Apply::new(undo)).await.unwrap();
    assert_eq!(
        finished.count(State::Done),
        6,
        "{:#?}",
        changes(&world.path("undo.crm"))
    );
    assert_eq!(all(&world), before);
}

#[tokio::test]
async fn deleted_duplicates_come_back_both() {
    let world = world(Seed::Demo).await;
    let create = "location_id,action,type,value\n2001,create,Email,twin@site.example\n";
    let location = world.service.location(LocationId::new(2001).unwrap());
    world
        .apply(Apply::new(world.plan(create, "one.crm").await))
        .await
        .unwrap();
    let twin =
        crm_models::CreateContactRequest::new(crm_models::ContactType::Email, "twin@site.example");
    location.create(twin).await.unwrap();
    let before = all(&world);

    let twins: Vec<_> = world
        .stored()
        .into_values()
        .filter(|c| c.value == "twin@site.example")
        .collect();
    let rows: String = twins
        .iter()
        .map(|twin| format!("2001,{},delete\n", twin.id))
        .collect();
    let set = world
        .plan(&format!("location_id,contact_id,action\n{rows}"), "two.crm")
        .await;
    world.apply(Apply::new(set)).await.unwrap();
    ChangeSet::open(world.path("two.crm"))
        .unwrap()
        .undo(world.path("undo.crm"))
        .unwrap();
    world
        .apply(Apply::new(ChangeSet::open(world.path("undo.crm")).unwrap()))
        .await
        .unwrap();
    assert_eq!(all(&world), before);
}

#[tokio::test]
async fn a_contact_that_others_changed_after_the_set_keeps_their_change() {
    let world = world(Seed::Demo).await;
    let rows = "location_id,contact_id,memo\n2001,3001,by the set\n2001,3002,by the set\n";
    world
        .apply(Apply::new(world.plan(rows, "set.crm").await))
        .await
        .unwrap();
    let location = world.service.location(LocationId::new(2001).unwrap());
    let by_hand = ContactChange::new().memo("by hand");
    location
        .update(ContactId::new(3001).unwrap(), &by_hand)
        .await
        .unwrap();

    let set = ChangeSet::open(world.path("set.crm")).unwrap();
    set.undo(world.path("undo.crm")).unwrap();
    let undo = ChangeSet::open(world.path("undo.crm")).unwrap();
    world.apply(Apply::new(undo)).await.unwrap();
    assert_eq!(
        states(&world.path("undo.crm")),
        [State::Drifted, State::Done]
    );
    assert_eq!(
        world.location_contact(2001, 3001).memo.as_deref(),
        Some("by hand")
    );
    assert_eq!(world.location_contact(2001, 3002).memo, None);
}

#[tokio::test]
async fn unknown_preferences_are_said_to_be_lost() {
    let world = world(Seed::Demo).await;
    let rows = "location_id,contact_id,job_reminders,marketing_updates,invoices,statements\n2001,3005,off,off,off,off\n";
    world
        .apply(Apply::new(world.plan(rows, "set.crm").await))
        .await
        .unwrap();
    let set = ChangeSet::open(world.path("set.crm")).unwrap();
    let summary = set.undo(world.path("undo.crm")).unwrap();
    assert_eq!((summary.planned, summary.impossible), (0, 1));
    let message = changes(&world.path("undo.crm"))[0]
        .outcome
        .message
        .clone()
        .unwrap();
    assert!(message.contains("unknown before"), "{message}");
}

#[tokio::test]
async fn an_undo_does_not_overwrite_a_file() {
    let world = world(Seed::Demo).await;
    let set = world.plan(EVERY_MEMBER, "set.crm").await;
    let error = set.undo(world.path("set.crm")).unwrap_err();
    assert!(matches!(error, BulkError::Exists { .. }), "{error}");
    assert!(ChangeSet::open(world.path("set.crm")).is_ok());
}
