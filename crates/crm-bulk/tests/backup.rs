//! Copies of a set: a backup, and one that was made without a word.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails so")]

mod common;

use std::{fs, path::Path, process::Command};

use common::*;
use crm_bulk::{Apply, BulkError, ChangeSet, Event, MirrorError, Parted, ResultRows, State};
use crm_sandbox::Seed;
use futures_util::TryStreamExt;

const ROWS: &str = "location_id,contact_id,memo\n2001,3001,one\n2001,3002,two\n2002,3001,three\n";

/// Copies by a process of its own: closing a descriptor here would drop locks.
fn cp(from: &Path, to: &Path) {
    assert!(Command::new("cp").args([from, to]).status().unwrap().success());
}

impl World {
    fn open(&self, name: &str) -> ChangeSet {
        ChangeSet::open(self.path(name)).unwrap()
    }
}

#[tokio::test]
async fn a_backup_holds_what_is_recorded_and_is_never_applied() {
    let world = world(Seed::Demo).await;
    world.plan(ROWS, "set.crm").await;
    world.apply(Apply::new(world.open("set.crm")).canary(1)).await.unwrap();
    world.open("set.crm").backup(world.path("kept.crm")).await.unwrap();
    let kept = world.open("kept.crm");
    assert_eq!(kept.totals().unwrap(), world.open("set.crm").totals().unwrap());
    assert_eq!(kept.digest().unwrap(), world.open("set.crm").digest().unwrap());
    assert_eq!(kept.results(ResultRows::All, Vec::new()).unwrap(), 3);
    let info = kept.info().unwrap();
    assert_eq!(info.backup_of, Some(world.path("set.crm").canonicalize().unwrap()));
    assert!(info.notes.iter().any(|note| note.contains("is a backup of")), "{:?}", info.notes);
    assert_eq!(kept.undo(world.path("undo.crm")).await.unwrap().planned, 1);

    let sent = world.sent("PATCH");
    let error = world.apply(Apply::new(kept)).await.unwrap_err();
    assert!(matches!(error, BulkError::Backup { .. }), "{error}");
    // Also by another name, where its original is gone.
    fs::rename(world.path("kept.crm"), world.path("other.crm")).unwrap();
    fs::rename(world.path("set.crm"), world.path("moved.crm")).unwrap();
    let error = world.apply(Apply::new(world.open("other.crm"))).await.unwrap_err();
    assert!(matches!(error, BulkError::Backup { .. }), "{error}");
    assert_eq!(world.sent("PATCH"), sent);
    let error = world.open("other.crm").backup(world.path("moved.crm")).await.unwrap_err();
    assert!(matches!(error, BulkError::Mirror(MirrorError::Exists { .. })), "{error}");

    // What it looks at is not recorded in it.
    let bytes = fs::read(world.path("other.crm")).unwrap();
    let mut other = world.open("other.crm");
    let verified = other.verify(&world.service, &world.site, |_| Ok(())).await.unwrap();
    assert_eq!(verified.as_done, 1);
    assert_eq!(other.verification().unwrap(), None);
    drop(other);
    assert_eq!(fs::read(world.path("other.crm")).unwrap(), bytes);
    world.apply(Apply::new(world.open("moved.crm"))).await.unwrap();
    assert_eq!(states(&world.path("moved.crm")), [State::Done; 3]);
}

#[tokio::test]
async fn a_backup_of_a_set_whose_run_is_open_is_whole_without_its_journal() {
    let world = world(Seed::Demo).await;
    world.plan(ROWS, "set.crm").await;
    let set = world.open("set.crm");
    let mut events = Apply::new(set).run(&world.service, &world.site).unwrap();
    while !matches!(events.try_next().await.unwrap(), Some(Event::Settled(_))) {}
    world.open("set.crm").backup(world.path("kept.crm")).await.unwrap();
    assert!(world.open("kept.crm").totals().unwrap().in_state(State::Done) >= 1);
    while events.try_next().await.unwrap().is_some() {}
    assert_eq!(states(&world.path("set.crm")), [State::Done; 3]);
    drop(events);
    crm_bulk::idle().await;
    assert_eq!(fs::read_dir(world.folder.path()).unwrap().count(), 2);
}

#[tokio::test]
async fn a_copy_of_a_set_that_was_begun_is_not_applied_beside_it() {
    let world = world(Seed::Demo).await;
    world.plan(ROWS, "set.crm").await;
    world.apply(Apply::new(world.open("set.crm")).canary(1)).await.unwrap();
    cp(&world.path("set.crm"), &world.path("copy.crm"));
    let error = world.apply(Apply::new(world.open("copy.crm"))).await.unwrap_err();
    assert!(matches!(error, BulkError::Parted { how: Parted::Twin(_), .. }), "{error}");
    assert!(error.to_string().contains("which was begun"), "{error}");
    world.apply(Apply::new(world.open("set.crm")).canary(1)).await.unwrap();
    assert_eq!(world.open("copy.crm").totals().unwrap().in_state(State::Done), 1);

    // One that was moved is the set: also onto another disk, where it is another file.
    fs::remove_file(world.path("copy.crm")).unwrap();
    cp(&world.path("set.crm"), &world.path("moved.crm"));
    fs::remove_file(world.path("set.crm")).unwrap();
    world.apply(Apply::new(world.open("moved.crm"))).await.unwrap();
    assert_eq!(states(&world.path("moved.crm")), [State::Done; 3]);
}
