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

/// Edits of a row of a table: each of its columns gets another value, or loses the one it has.
fn edits_of(path: &Path, row: &str) -> Vec<String> {
    let connection = Connection::open(path).unwrap();
    let (table, place) = row.split_once(' ').unwrap();
    let mut query = connection.prepare(&format!("SELECT * FROM {row}")).unwrap();
    let names: Vec<_> = query.column_names().into_iter().map(str::to_owned).collect();
    let values: Vec<Value> =
        query.query_row([], |row| (0..names.len()).map(|at| row.get(at)).collect()).unwrap();
    let mut edits = Vec::new();
    for (name, value) in names.iter().zip(values).skip(1) {
        let is_null = value == Value::Null;
        let another = match value {
            Value::Integer(number) => (number + 1).to_string(),
            Value::Text(text) => format!("'{}x'", text.replace('\'', "''")),
            Value::Blob(_) => "randomblob(32)".to_owned(),
            _ => {
                let sql = format!("SELECT type FROM pragma_table_info('{table}') WHERE name = ?");
                let kind = connection.query_row(&sql, [name], |row| row.get::<_, String>(0));
                if kind.unwrap() == "TEXT" { "'x'".to_owned() } else { "1".to_owned() }
            }
        };
        edits.push(format!("UPDATE {table} SET {name} = {another} {place}"));
        let needs_value = ["owner_kind", "owner_id", "action", "verdict", "state", "attempts"];
        if !is_null && !needs_value.contains(&name.as_str()) {
            edits.push(format!("UPDATE {table} SET {name} = NULL {place}"));
        }
    }
    edits
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
    let edits = edits_of(&world.path("set.crm"), "planned WHERE id = 1");
    assert!(edits.len() > 30, "{edits:?}");
    let others = [
        (
            "UPDATE planned SET wanted_memo = wanted_memo || '!' WHERE wanted_memo IS NOT NULL",
            "1,3",
        ),
        ("UPDATE planned SET contact_id = 3004 WHERE id = 1", "1"),
        ("UPDATE planned SET digest = zeroblob(32) WHERE id = 1", "1"),
        ("DELETE FROM planned WHERE id = 1", ""),
        ("INSERT INTO progress (change, state, attempts) VALUES (1, 1, 1)", "1"),
        (
            "INSERT INTO planned (owner_kind, owner_id, contact_id, action, verdict)
             VALUES (1, 2001, 3003, 2, 0)",
            "4",
        ),
        ("UPDATE totals SET changes = changes + 1", ""),
        (DIGEST_EDITED, ""),
    ];
    let edits = edits.iter().map(|sql| (sql.as_str(), "1")).chain(others);
    for (sql, named) in edits {
        let path = world.path("edited.crm");
        fs::copy(world.path("set.crm"), &path).unwrap();
        edit(&path, sql);
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
    let edits = edits_of(&path, "progress WHERE change = 1");
    assert!(edits.len() > 15, "{edits:?}");
    let lost = "DELETE FROM progress WHERE change = 1";
    let edits = edits.iter().map(|sql| (sql.as_str(), "1")).chain([(lost, "")]);
    let sent = world.sent("PATCH");
    // A copy beside the set would be refused as such.
    let bytes = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    for (number, (sql, named)) in edits.enumerate() {
        let path = world.path(&format!("edited-{number}.crm"));
        fs::write(&path, &bytes).unwrap();
        edit(&path, sql);
        let set = || ChangeSet::open(&path).unwrap();
        let applied = world.apply(Apply::new(set()).retry_failed()).await;
        assert_eq!(altered(applied.unwrap_err()), named, "{sql}");
        assert_eq!(altered(set().undo(world.path("undo")).await.unwrap_err()), named, "{sql}");
        let shown = set().changes(&Selection::all()).next().unwrap();
        assert_eq!(shown.is_err(), !named.is_empty(), "{sql}");
    }
    assert_eq!(world.sent("PATCH"), sent);
}

/// All that the tables of changes hold; `None` where it cannot be read.
fn dump(path: &Path) -> Option<Vec<Vec<Value>>> {
    let connection = Connection::open(path).ok()?;
    let mut all = Vec::new();
    for table in ["planned", "progress"] {
        let mut query = connection.prepare(&format!("SELECT * FROM {table}")).ok()?;
        let columns = query.column_count();
        let row = |row: &rusqlite::Row<'_>| (0..columns).map(|at| row.get(at)).collect();
        all.extend(query.query_map([], row).ok()?.collect::<Result<Vec<_>, _>>().ok()?);
    }
    Some(all)
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
    edit(&world.path("edited.crm"), "UPDATE planned SET verdict = 1 WHERE id = 1");
    let edited = ChangeSet::open(world.path("edited.crm")).unwrap();
    assert_eq!(altered(edited.digest().unwrap_err()), "1");
    world.apply(Apply::new(open())).await.unwrap();
    assert_eq!(world.sent("PATCH"), 2);
}
