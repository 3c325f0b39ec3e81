//! Sets that are moved out of their file, and back.
#![allow(clippy::unwrap_used, reason = "a test fails so")]

mod common;

use common::*;
use crm_bulk::{
    Apply, BulkError, ChangeSet, Moved, Remark, Selection, State,
    tables::{Arriving, Leaving},
};
use crm_sandbox::Seed;

const ROWS: &str = "location_id,contact_id,memo\n2001,3001,one\n2001,3002,two\n2002,3001,three\n";

fn moved() -> Moved {
    Moved { handover: "4411".to_owned(), to: "the server".to_owned() }
}

/// Puts all rows into another file.
async fn carry(leaving: &mut Leaving, arriving: &Arriving) {
    while let Some((table, rows)) = leaving.next().await.unwrap() {
        arriving.add(table, &rows).unwrap();
    }
}

#[tokio::test]
async fn a_set_that_was_moved_is_readable_and_nothing_else() {
    let world = world(Seed::Demo).await;
    let set = world.plan(ROWS, "set.crm").await;
    let path = set.path().to_owned();
    let early = Apply::new(ChangeSet::open(&path).unwrap());
    let leaving = set.hand_over().await.unwrap();
    leaving.mark(moved()).await.unwrap();
    leaving.end().await;

    let refused = |error: BulkError| {
        assert!(matches!(&error, BulkError::Moved { to, .. } if to == "the server"), "{error}");
    };
    refused(world.apply(early).await.unwrap_err());
    let set = ChangeSet::open(&path).unwrap();
    let info = set.info().unwrap();
    assert_eq!(info.moved, Some(moved()));
    assert!(info.notes.iter().any(|note| note.contains("was moved to the server")));
    assert_eq!(set.changes(&Selection::all()).count(), 3);
    set.digest().unwrap();
    refused(set.approve(None, Remark::new()).await.unwrap_err());
    refused(set.drop_changes(&Selection::all(), Remark::new()).await.unwrap_err());
    refused(set.undo(world.path("undo.crm")).await.unwrap_err());
    refused(world.apply(Apply::new(ChangeSet::open(&path).unwrap())).await.unwrap_err());
    assert_eq!(world.sent("PATCH"), 0);

    set.arrived().unwrap();
    assert_eq!(set.info().unwrap().moved, None);
    world.apply(Apply::new(set)).await.unwrap();
    assert_eq!(world.sent("PATCH"), 3);
}

#[tokio::test]
async fn a_handover_that_does_not_come_about_leaves_the_set_in_its_file() {
    let world = world(Seed::Demo).await;
    let leaving = world.plan(ROWS, "set.crm").await.hand_over().await.unwrap();
    leaving.mark(moved()).await.unwrap();
    leaving.unmark().await.unwrap();
    leaving.end().await;
    world.apply(Apply::new(ChangeSet::open(world.path("set.crm")).unwrap())).await.unwrap();
    assert_eq!(world.sent("PATCH"), 3);
}

#[tokio::test]
async fn a_set_comes_back_as_it_left_and_is_gone_on_with() {
    let world = world(Seed::Demo).await;
    let set = world.plan(ROWS, "set.crm").await;
    set.approve(None, Remark::new().by("Dana Whitfield")).await.unwrap();
    world.apply(Apply::new(set).canary(1)).await.unwrap();
    let before = changes(&world.path("set.crm"));
    let set = ChangeSet::open(world.path("set.crm")).unwrap();
    let (digest, decisions) = (set.digest().unwrap(), set.decisions().unwrap());

    let mut leaving = set.hand_over().await.unwrap();
    let back = world.path("back.crm");
    let arriving = Arriving::create(&back).unwrap();
    carry(&mut leaving, &arriving).await;
    let epoch = leaving.epoch();
    leaving.mark(moved()).await.unwrap();
    leaving.end().await;
    let set = arriving.finish(epoch, moved()).await.unwrap();
    assert_eq!(set.digest().unwrap(), digest);
    assert_eq!(set.decisions().unwrap(), decisions);
    assert_eq!(changes(&back), before);
    assert_eq!(set.info().unwrap().moved, Some(moved()), "the other one may still have it");

    set.arrived().unwrap();
    let finished = world.apply(Apply::new(set).require_approval()).await.unwrap();
    assert_eq!(finished.count(State::Done), 2);
    assert_eq!(world.sent("PATCH"), 3);
}

#[tokio::test]
async fn what_is_not_whole_does_not_arrive() {
    let world = world(Seed::Demo).await;
    let mut leaving = world.plan(ROWS, "set.crm").await.hand_over().await.unwrap();
    let back = world.path("back.crm");
    let arriving = Arriving::create(&back).unwrap();
    while let Some((table, mut rows)) = leaving.next().await.unwrap() {
        if table.name == "planned" {
            rows.pop();
        }
        arriving.add(table, &rows).unwrap();
    }
    let error = arriving.finish(leaving.epoch(), moved()).await.unwrap_err();
    assert!(matches!(error, BulkError::Altered { .. }), "{error}");
    assert!(!back.exists());
}
