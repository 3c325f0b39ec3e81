//! Sets that may only be read: an archive, a set of somebody else.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails so")]

mod common;

use std::{
    fs,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::Path,
    process::Command,
};

use common::*;
use crm_bulk::{Apply, ChangeSet, Event, ResultRows, State};
use crm_sandbox::Seed;
use futures_util::TryStreamExt;

const ROWS: &str = "location_id,contact_id,memo\n2001,3001,Gate code 4411\n2001,3999,x\n";
/// For the reader: the set to look at, and how many changes are done in it.
const SET: &str = "CRM_BULK_ARCHIVED_SET";
const DONE: &str = "CRM_BULK_ARCHIVED_DONE";
/// Whom root becomes to have no rights of its own: nobody.
const NOBODY: u32 = 65_534;

/// What the process of the reader does.
#[test]
#[ignore = "started by the tests of this file, as another user"]
fn reader() {
    let set = ChangeSet::open(std::env::var_os(SET).unwrap()).unwrap();
    let done: u64 = std::env::var(DONE).unwrap().parse().unwrap();
    assert_eq!(set.totals().unwrap().in_state(State::Done), done);
    set.changes(&crm_bulk::Selection::all())
        .for_each(|change| assert_eq!(change.unwrap().target.owner_text(), "2001"));
    let mut page = Vec::new();
    set.report(&mut page).unwrap();
    assert!(String::from_utf8(page).unwrap().contains("Gate code 4411"));
    assert_eq!(set.results(ResultRows::All, Vec::new()).unwrap(), 2);
    match set.info().unwrap().digest {
        Some(digest) => assert_eq!(set.digest().unwrap(), digest),
        None => {
            let error = set.adopt().unwrap_err();
            assert!(error.to_string().contains("cannot be written"), "{error}");
        }
    }
}

/// Looks at a set as somebody who may write neither it nor, unless told otherwise, beside it.
fn look_at(path: &Path, done: u64, folder_mode: u32) {
    let folder = path.parent().unwrap();
    let names = || {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    for entry in fs::read_dir(folder).unwrap() {
        let read_only = fs::Permissions::from_mode(0o444);
        fs::set_permissions(entry.unwrap().path(), read_only).unwrap();
    }
    let before = names();
    fs::set_permissions(folder, fs::Permissions::from_mode(folder_mode)).unwrap();
    let mut reader = Command::new(std::env::current_exe().unwrap());
    reader.args(["--exact", "reader", "--ignored", "--nocapture"]);
    reader.env(SET, path).env(DONE, done.to_string());
    if is_root() {
        reader.uid(NOBODY).gid(NOBODY);
    }
    let read = reader.output().unwrap();
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
    let told = String::from_utf8_lossy(&read.stdout);
    let told = format!("{told}{}", String::from_utf8_lossy(&read.stderr));
    assert!(read.status.success(), "{}: {told}", path.display());
    assert!(told.contains("1 passed"), "{told}");
    assert_eq!(names(), before, "nothing is left beside it");
}

/// Whether rights mean nothing to this process: it can read what nobody may.
fn is_root() -> bool {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::set_permissions(file.path(), fs::Permissions::from_mode(0o000)).unwrap();
    fs::File::open(file.path()).is_ok()
}

impl World {
    /// A folder that others may enter, for one archive.
    fn archive(&self, name: &str) -> std::path::PathBuf {
        let all = fs::Permissions::from_mode(0o755);
        fs::set_permissions(self.folder.path(), all.clone()).unwrap();
        let folder = self.path(name);
        fs::create_dir(&folder).unwrap();
        fs::set_permissions(&folder, all).unwrap();
        folder
    }
}

#[tokio::test]
async fn a_set_that_may_only_be_read_is_shown_reported_and_exported() {
    let world = world(Seed::Demo).await;
    drop(world.plan(ROWS, "set.crm").await);
    let planned = world.archive("planned").join("set.crm");
    fs::copy(world.path("set.crm"), &planned).unwrap();
    look_at(&planned, 0, 0o555);

    let set = ChangeSet::open(world.path("set.crm")).unwrap();
    world.apply(Apply::new(set)).await.unwrap();
    // A name that means something in a URI.
    let done = world.archive("done").join("set #1?a=%41.crm");
    fs::copy(world.path("set.crm"), &done).unwrap();
    look_at(&done, 1, 0o555);
    // Beside somebody else's set an approver may write, and still leaves nothing.
    look_at(&done, 1, 0o777);
}

#[tokio::test]
async fn an_archive_of_version_0_1_is_read_in_the_present_format_and_stays_as_it_is() {
    let world = world(Seed::Demo).await;
    drop(world.plan(ROWS, "set.crm").await);
    let path = world.archive("old").join("set.crm");
    fs::copy(world.path("set.crm"), &path).unwrap();
    as_of_version_1(&path);
    let bytes = fs::read(&path).unwrap();
    look_at(&path, 0, 0o555);
    look_at(&path, 0, 0o777);
    assert_eq!(fs::read(&path).unwrap(), bytes);
}

#[tokio::test]
async fn what_only_the_journal_of_an_archive_holds_is_read_too() {
    let world = world(Seed::Demo).await;
    drop(world.plan(ROWS, "set.crm").await);
    let set = ChangeSet::open(world.path("set.crm")).unwrap();
    let mut events = Apply::new(set).run(&world.service, &world.site).unwrap();
    while let Some(event) = events.try_next().await.unwrap() {
        if matches!(event, Event::Settled(change) if change.outcome.state == State::Done) {
            break;
        }
    }
    // As a backup finds it while it is carried out.
    for (name, suffixes) in [("with-wal", &["", "-wal"][..]), ("with-both", &["", "-wal", "-shm"])]
    {
        let folder = world.archive(name);
        for suffix in suffixes {
            let file = format!("set.crm{suffix}");
            fs::copy(world.path(&file), folder.join(&file)).unwrap();
        }
        assert_ne!(fs::metadata(folder.join("set.crm-wal")).unwrap().len(), 0);
        look_at(&folder.join("set.crm"), 1, 0o555);
    }
    drop(events);
}
