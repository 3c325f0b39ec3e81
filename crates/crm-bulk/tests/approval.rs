//! What was approved is what is applied.
#![allow(clippy::unwrap_used, reason = "a test fails so")]

mod common;

use std::{fs, path::Path};

use common::*;
use crm_bulk::{Apply, BulkError, ChangeSet, ExpectedDigest, ResultRows, Selection, State};
use crm_sandbox::Seed;
use rusqlite::{Connection, types::Value};

const ROWS: &str = "\
location_id,contact_id,memo,marketing_updates
2001,3001,Gate code 4411,off
2001,3002,,off
2001,3004,Back door,
";

const DIGEST_EDITED: &str =
    "UPDATE meta SET value = replace(value, '0', '1') WHERE name = 'digest'";

fn edit(path: &Path, sql: &str) {
    let connection = Connection::open(path).unwrap();
    assert_ne!(connection.execute(sql, []).unwrap(), 0, "{sql}");
}

/// The changes that an error names as altered.
fn altered(error: BulkError) -> String {
    let BulkError::Altered { changes, .. } = &error else {
        panic!("{error}");
    };
    let named: Vec<_> = changes.iter().map(ToString::to_string).collect();
    named.join(",")
}

#[tokio::test]
async fn whatever_is_edited_in_a_planned_set_is_refused_by_name_before_anything_is_sent() {
    let world = world(Seed::Demo).await;
    let set = world.plan(ROWS, "set.crm").await;
    let digest = set.digest().unwrap();
    drop(set);
    let id = "WHERE id = 1";
    let edits = [
        ("UPDATE changes SET wanted = replace(wanted, '4411', '4412')", "1"),
        (r#"UPDATE changes SET wanted = replace(wanted, '"memo"', '"mmeo"')"#, "1,3"),
        (r#"UPDATE changes SET wanted = '{"memo":'"#, "1"),
        ("UPDATE changes SET before = replace(before, 'manager', 'Manager')", "1"),
        ("UPDATE changes SET before = NULL", "1"),
        ("UPDATE changes SET state = 'already'", "1"),
        ("UPDATE changes SET state = 'done'", "1"),
        ("UPDATE changes SET state = 'Planned'", "1"),
        ("UPDATE changes SET verdict = 'already'", "1"),
        ("UPDATE changes SET contact_id = 3004", "1"),
        ("UPDATE changes SET contact_id = NULL", "1"),
        ("UPDATE changes SET owner_id = 2002", "1"),
        ("UPDATE changes SET owner_kind = 'customer'", "1"),
        ("UPDATE changes SET action = 'delete'", "1"),
        ("UPDATE changes SET after = before", "1"),
        ("UPDATE changes SET found = before", "1"),
        ("UPDATE changes SET siblings = '[1]'", "1"),
        ("UPDATE changes SET attempts = 1", "1"),
        ("UPDATE changes SET repeats = 2", "1"),
        ("UPDATE changes SET row = 2", "1"),
        ("UPDATE changes SET message = 'approved'", "1"),
        ("UPDATE changes SET digest = NULL", "1"),
        ("UPDATE changes SET digest = zeroblob(32)", "1"),
        ("UPDATE changes SET seal = seal + 1", "1"),
        ("DELETE FROM changes", ""),
        (
            "INSERT INTO changes (owner_kind, owner_id, contact_id, action, state)
             SELECT 'location', 2001, 3003, 'delete', 'planned' FROM changes",
            "4",
        ),
        (DIGEST_EDITED, ""),
    ];
    for (sql, named) in edits {
        let path = world.path("edited.crm");
        fs::copy(world.path("set.crm"), &path).unwrap();
        let filter = if named == "1,3" { "WHERE wanted LIKE '%memo%'" } else { id };
        match sql {
            DIGEST_EDITED => edit(&path, sql),
            _ => edit(&path, &format!("{sql} {filter}")),
        }
        let open = || ChangeSet::open(&path).unwrap();
        let refused = world.apply(Apply::new(open()).retry_failed()).await;
        assert_eq!(altered(refused.unwrap_err()), named, "{sql}");
        let refused = world.apply(Apply::new(open()).dry_run()).await;
        assert_eq!(altered(refused.unwrap_err()), named, "{sql}");
        assert_eq!(altered(open().undo(world.path("undo")).await.unwrap_err()), named, "{sql}");
        assert_eq!(altered(open().report(Vec::new()).unwrap_err()), named, "{sql}");
        let results = open().results(ResultRows::All, Vec::new());
        assert_eq!(altered(results.unwrap_err()), named, "{sql}");
        fs::remove_file(&path).unwrap();
    }
    assert_eq!(world.sent("PATCH"), 0);
    let set = ChangeSet::open(world.path("set.crm")).unwrap();
    assert_eq!(set.digest().unwrap(), digest);
}

#[tokio::test]
async fn a_set_of_another_tenant_or_host_has_another_digest() {
    let world = world(Seed::Demo).await;
    let digest = world.plan(ROWS, "set.crm").await.digest().unwrap();
    for (name, value) in [("tenant", "1002"), ("environment", "https://api.example")] {
        let path = world.path("edited.crm");
        fs::copy(world.path("set.crm"), &path).unwrap();
        edit(&path, &format!("UPDATE meta SET value = '{value}' WHERE name = '{name}'"));
        let set = ChangeSet::open(&path).unwrap();
        assert_eq!(altered(set.digest().unwrap_err()), "");
        assert_eq!(set.info().unwrap().digest, Some(digest));
        drop(set);
        fs::remove_file(&path).unwrap();
    }
}

#[tokio::test]
async fn what_a_run_wrote_is_sealed_too_and_the_digest_stays() {
    let world = world(Seed::Demo).await;
    let set = world.plan(ROWS, "set.crm").await;
    let digest = set.digest().unwrap();
    world.apply(Apply::new(set)).await.unwrap();
    let path = world.path("set.crm");
    let set = ChangeSet::open(&path).unwrap();
    assert_eq!(set.digest().unwrap(), digest);
    assert_eq!(states(&path), [State::Done, State::Already, State::Done]);
    drop(set);
    let edits = [
        "state = 'planned'",
        "state = 'failed'",
        "after = replace(after, '4411', '4412')",
        "attempts = 0",
        "at = NULL",
    ];
    let sent = world.sent("PATCH");
    for (number, sql) in edits.into_iter().enumerate() {
        let path = world.path(&format!("edited-{number}.crm"));
        fs::copy(world.path("set.crm"), &path).unwrap();
        edit(&path, &format!("UPDATE changes SET {sql} WHERE id = 1"));
        let set = || ChangeSet::open(&path).unwrap();
        let applied = world.apply(Apply::new(set()).retry_failed()).await;
        assert_eq!(altered(applied.unwrap_err()), "1", "{sql}");
        assert_eq!(altered(set().undo(world.path("undo")).await.unwrap_err()), "1", "{sql}");
        let shown = set().changes(&Selection::all()).next().unwrap();
        assert_eq!(altered(shown.unwrap_err()), "1", "{sql}");
    }
    assert_eq!(world.sent("PATCH"), sent);
}

/// All that the table of changes holds; `None` where it cannot be read.
fn dump(path: &Path) -> Option<Vec<Vec<Value>>> {
    let connection = Connection::open(path).ok()?;
    let mut query = connection.prepare("SELECT * FROM changes").ok()?;
    let columns = query.column_count();
    let row = |row: &rusqlite::Row<'_>| (0..columns).map(|at| row.get(at)).collect();
    query.query_map([], row).ok()?.collect::<Result<_, _>>().ok()
}

#[tokio::test]
async fn every_flipped_bit_that_alters_a_change_is_seen() {
    let world = world(Seed::Demo).await;
    let set = world.plan(ROWS, "set.crm").await;
    world.apply(Apply::new(set).canary(1)).await.unwrap();
    let original = dump(&world.path("set.crm")).unwrap();
    let meant = changes(&world.path("set.crm"));
    let bytes = fs::read(world.path("set.crm")).unwrap();
    let path = world.path("flipped.crm");
    let mut random = fastrand::Rng::with_seed(4_411);
    let mut altered = 0;
    for _ in 0..2_000 {
        let mut flipped = bytes.clone();
        flipped[random.usize(..bytes.len())] ^= 1 << random.u32(..8);
        fs::write(&path, flipped).unwrap();
        let opened = ChangeSet::open(&path);
        let found = dump(&path);
        if found.as_ref() != Some(&original) {
            altered += 1;
            // Unless it means the same: a time that ends in `z` instead of `Z`.
            let digest = opened.and_then(|set| set.digest());
            assert!(digest.is_err() || changes(&path) == meant, "{found:?}");
        }
    }
    assert!(altered > 100, "{altered}");
}

#[tokio::test]
async fn a_run_is_bound_to_the_digest_that_was_approved() {
    let world = world(Seed::Demo).await;
    let set = world.plan(ROWS, "set.crm").await;
    let other = ROWS.replace("4411", "4412");
    let other = world.plan(&other, "other.crm").await.digest().unwrap();
    let digest = set.digest().unwrap();
    let refused = world.apply(Apply::new(set).expect(other)).await.unwrap_err();
    let BulkError::NotExpected { found, .. } = &refused else {
        panic!("{refused}");
    };
    assert_eq!(*found, digest);
    assert!(refused.to_string().contains(&digest.short()), "{refused}");
    assert_eq!(world.sent("PATCH"), 0);
    let short: ExpectedDigest = digest.short().parse().unwrap();
    for expected in [short, digest.into()] {
        let set = ChangeSet::open(world.path("set.crm")).unwrap();
        world.apply(Apply::new(set).expect(expected)).await.unwrap();
    }
    assert_eq!(world.sent("PATCH"), 2);
}

#[tokio::test]
async fn two_plans_of_the_same_have_the_same_digest_and_an_undo_has_its_own() {
    let world = world(Seed::Demo).await;
    let digest = world.plan(ROWS, "one.crm").await.digest().unwrap();
    let set = world.plan(ROWS, "two.crm").await;
    assert_eq!(set.digest().unwrap(), digest);
    world.apply(Apply::new(set)).await.unwrap();
    let set = ChangeSet::open(world.path("two.crm")).unwrap();
    set.undo(world.path("undo.crm")).await.unwrap();
    let undo = ChangeSet::open(world.path("undo.crm")).unwrap();
    assert_ne!(undo.digest().unwrap(), digest);
    assert_eq!(undo.info().unwrap().digest, undo.digest().ok());
}

#[tokio::test]
async fn a_set_of_version_0_1_is_told_adopted_once_and_protected_from_then_on() {
    let world = world(Seed::Demo).await;
    let digest = world.plan(ROWS, "set.crm").await.digest().unwrap();
    let path = world.path("set.crm");
    as_of_version_1(&path);
    let open = || ChangeSet::open(&path).unwrap();
    assert_eq!(open().info().unwrap().digest, None);
    let refused = world.apply(Apply::new(open())).await.unwrap_err();
    assert!(matches!(refused, BulkError::NotAdopted { .. }), "{refused}");
    assert_eq!(world.sent("PATCH"), 0);
    // What only tells works as before.
    open().report(Vec::new()).unwrap();
    assert_eq!(open().results(ResultRows::All, Vec::new()).unwrap(), 3);
    assert_eq!(changes(&path).len(), 3);

    assert_eq!(open().adopt().unwrap(), Some(digest));
    assert_eq!(open().adopt().unwrap(), None);
    assert_eq!(open().digest().unwrap(), digest);
    fs::copy(&path, world.path("edited.crm")).unwrap();
    edit(&world.path("edited.crm"), "UPDATE changes SET state = 'done' WHERE id = 1");
    let edited = ChangeSet::open(world.path("edited.crm")).unwrap();
    assert_eq!(altered(edited.digest().unwrap_err()), "1");
    world.apply(Apply::new(open())).await.unwrap();
    assert_eq!(world.sent("PATCH"), 2);
}
