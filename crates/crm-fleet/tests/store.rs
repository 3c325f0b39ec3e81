//! The store on PostgreSQL keeps what every store of a change set promises.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails so")]

mod common;

use std::{
    sync::atomic::{AtomicU32, Ordering::Relaxed},
    time::Duration,
};

use common::{cluster::Cluster, *};
use crm_bulk::{Apply, BulkError, ChangeSet, Cursor, State, Store as _, Which, contract};
use crm_fleet::Server;
use crm_sandbox::Seed;

const ROWS: &str = "location_id,contact_id,memo\n2001,3001,one\n2001,3002,two\n2002,3001,three\n";

#[tokio::test(flavor = "multi_thread")]
async fn the_server_keeps_every_promise_of_a_store() {
    let Some(cluster) = Cluster::start() else { return };
    let server = Server::connect(&cluster.url()).await.unwrap();
    let number = AtomicU32::new(0);
    contract::check(async |set| {
        let name = format!("set {}", number.fetch_add(1, Relaxed));
        let pushed = server.push(set, &name).await.unwrap();
        server.store(&pushed.set)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tables_are_made_once_and_those_of_a_later_version_are_refused() {
    let Some(cluster) = Cluster::start() else { return };
    let url = cluster.url();
    let together =
        tokio::join!(Server::connect(&url), Server::connect(&url), Server::connect(&url));
    for server in [together.0, together.1, together.2] {
        assert!(server.unwrap().sets().await.unwrap().is_empty());
    }
    raise_version(&url).await;
    let error = Server::connect(&url).await.unwrap_err();
    assert!(error.to_string().contains("use the newer program"), "{error}");
}

async fn raise_version(url: &str) {
    let client = look_into(url).await;
    client.execute("UPDATE crm.version SET version = 1000", &[]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_is_carried_out_on_the_server_as_in_its_file() {
    let Some(cluster) = Cluster::start() else { return };
    let world = world(Seed::Demo).await;
    let server = Server::connect(&cluster.url()).await.unwrap();
    let set = server.push(world.plan(ROWS, "set.crm").await, "memos").await.unwrap().set;
    let apply = |store| Apply::over(store, "memos", set.site.clone());
    let finished = world.apply(apply(server.store(&set))).await.unwrap();
    assert_eq!(finished.count(State::Done), 3);
    assert_eq!(world.sent("PATCH"), 3);
    let again = world.apply(apply(server.store(&set))).await.unwrap();
    assert_eq!(again.count(State::Done), 0);
    assert_eq!(world.sent("PATCH"), 3, "nothing is sent twice");
    assert_eq!(server.set("memos").await.unwrap().open, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_that_is_alive_is_not_disturbed_and_one_that_stands_still_is_succeeded() {
    let Some(cluster) = Cluster::start() else { return };
    let world = world(Seed::Demo).await;
    let server = Server::connect(&cluster.url()).await.unwrap();
    let set = server.push(world.plan(ROWS, "set.crm").await, "memos").await.unwrap().set;
    let lease = Duration::from_millis(500);
    let (first, second) = (server.store(&set).lease(lease), server.store(&set).lease(lease));
    let theirs = first.take("the first").await.unwrap();
    let error = second.take("the second").await.unwrap_err();
    assert!(matches!(error, BulkError::InUse { .. }), "{error}");
    assert!(first.is_mine(&theirs).await.unwrap());

    // As one that is stopped: it renews no more.
    let (block, _) = first.next_block(&theirs, Cursor::default(), Which::Open).await.unwrap();
    let mut change = block.into_iter().next().unwrap().change;
    first.leave().await;
    let ours = second.take("the second").await.unwrap();
    assert!(ours.epoch() > theirs.epoch());
    change.outcome.state = State::Done;
    change.outcome.trace_id = Some("4411".to_owned());
    let late = first.settle(&theirs, change.into()).await.unwrap_err();
    assert!(matches!(late, BulkError::Superseded { .. }), "{late}");
    assert_eq!(second.count(&ours, Which::Open).await.unwrap(), 3, "it wrote nothing");
    let answers = server.late_answers(&set).await.unwrap();
    assert_eq!(answers.len(), 1, "what it was answered is kept all the same");
    assert_eq!(answers[0].trace_id.as_deref(), Some("4411"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_of_the_server_takes_nothing_back_and_makes_nothing_twice() {
    let Some(mut cluster) = Cluster::start() else { return };
    let world = world(Seed::Demo).await;
    let server = Server::connect(&cluster.url()).await.unwrap();
    let set = server.push(world.plan(ROWS, "set.crm").await, "memos").await.unwrap().set;
    let store = server.store(&set);
    let lease = store.take("a run").await.unwrap();
    let (block, _) = store.next_block(&lease, Cursor::default(), Which::Open).await.unwrap();
    for loaded in block {
        let expected = crm_bulk::Expected::of(&loaded.change);
        let mut change = loaded.change;
        change.outcome.attempts += 1;
        let claim = store.claim(&lease, expected, change.clone().into(), None);
        assert!(matches!(claim.await.unwrap(), crm_bulk::Claim::Won(_)));
        cluster.crash();
        change.outcome.state = State::Done;
        store.settle(&lease, change.into()).await.unwrap();
    }
    assert_eq!(store.count(&lease, Which::Open).await.unwrap(), 0);
    store.digest(&lease).await.unwrap();
}

/// As after an answer of the server that was lost for good: what was written last is another batch than
/// the writer knows.
#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_follows_another_than_it_was_meant_to_is_carried_out_once_that_is_read_back() {
    let Some(cluster) = Cluster::start() else { return };
    let world = world(Seed::Demo).await;
    let server = Server::connect(&cluster.url()).await.unwrap();
    let set = server.push(world.plan(ROWS, "set.crm").await, "memos").await.unwrap().set;
    let client = look_into(&cluster.url()).await;
    let store = server.store(&set);
    let lease = store.take("a run").await.unwrap();
    let (block, _) = store.next_block(&lease, Cursor::default(), Which::Open).await.unwrap();
    for loaded in block {
        let lose = "UPDATE crm.runs SET batch = 'lost'";
        client.execute(lose, &[]).await.unwrap();
        let expected = crm_bulk::Expected::of(&loaded.change);
        let mut change = loaded.change;
        change.outcome.attempts += 1;
        let claim = store.claim(&lease, expected, change.clone().into(), None);
        assert!(matches!(claim.await.unwrap(), crm_bulk::Claim::Won(_)));
        client.execute(lose, &[]).await.unwrap();
        change.outcome.state = State::Done;
        store.settle(&lease, change.into()).await.unwrap();
    }
    assert_eq!(store.count(&lease, Which::Open).await.unwrap(), 0);
    store.digest(&lease).await.expect("each is counted once");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_row_of_a_set_is_read_once_however_many_blocks_there_are() {
    const CHANGES: i64 = 1_500;
    let Some(cluster) = Cluster::start() else { return };
    let world = world(Seed::Count(1_500)).await;
    let server = Server::connect(&cluster.url()).await.unwrap();
    let own = look_into(&cluster.url()).await;
    let set = server.push(world.plan(&all_memos(&world), "set.crm").await, "memos").await.unwrap();
    own.batch_execute("ANALYZE").await.unwrap();
    let read = async || {
        let sql = "SELECT (seq_tup_read + idx_tup_fetch)::bigint FROM pg_stat_user_tables
            WHERE relname = 'planned'";
        own.query_one(sql, &[]).await.unwrap().get::<_, i64>(0)
    };
    drop(server);
    alone(&own).await;
    let before = read().await;

    let server = Server::connect(&cluster.url()).await.unwrap();
    let store = server.store(&set.set);
    let lease = store.take("a run").await.unwrap();
    let (mut changes, mut blocks, mut after) = (0, 0, Cursor::default());
    loop {
        let (block, next) = store.next_block(&lease, after, Which::Open).await.unwrap();
        if block.is_empty() {
            break;
        }
        changes += block.len();
        blocks += 1;
        after = next;
    }
    assert_eq!(i64::try_from(changes).unwrap(), CHANGES);
    assert!(blocks >= 6, "{blocks}");
    store.leave().await;
    drop((store, server));
    alone(&own).await;
    let rows = read().await - before;
    assert!(
        rows < CHANGES * 5 / 2,
        "{rows} rows were read for {CHANGES} changes in {blocks} blocks"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_is_compared_as_it_is_at_one_moment() {
    let Some(cluster) = Cluster::start() else { return };
    let world = world(Seed::Count(200)).await;
    let server = Server::connect(&cluster.url()).await.unwrap();
    let rows = (1..=200).map(|id| format!("{},{id},changed\n", 1 + (id - 1) / 4));
    let rows = "location_id,contact_id,memo\n".to_owned() + &rows.collect::<String>();
    let set = server.push(world.plan(&rows, "set.crm").await, "memos").await.unwrap().set;
    let store = server.store(&set);
    let lease = store.take("a run").await.unwrap();
    let (block, _) = store.next_block(&lease, Cursor::default(), Which::Open).await.unwrap();
    assert!(block.len() > 100);
    let claiming = async {
        for mut change in block.into_iter().map(|loaded| loaded.change) {
            let expected = crm_bulk::Expected::of(&change);
            change.outcome.attempts += 1;
            let claim = store.claim(&lease, expected, change.into(), None).await.unwrap();
            assert!(matches!(claim, crm_bulk::Claim::Won(_)));
        }
    };
    let comparing = async {
        loop {
            store.digest(&lease).await.unwrap();
        }
    };
    tokio::select! {
        () = claiming => {}
        () = comparing => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_altered_on_the_server_is_not_carried_out() {
    let Some(cluster) = Cluster::start() else { return };
    let world = world(Seed::Demo).await;
    let server = Server::connect(&cluster.url()).await.unwrap();
    let client = look_into(&cluster.url()).await;
    for (number, alter) in [
        "UPDATE crm.planned SET wanted_memo = 'other' WHERE set_id = $1 AND id = 2",
        "DELETE FROM crm.planned WHERE set_id = $1 AND id = 2",
        "UPDATE crm.totals SET changes = changes + 1 WHERE set_id = $1",
        "INSERT INTO crm.progress (set_id, change, state, attempts, seal) VALUES ($1, 2, 1, 1, 7)",
    ]
    .into_iter()
    .enumerate()
    {
        let file = world.plan(ROWS, &format!("{number}.crm")).await;
        let set = server.push(file, &number.to_string()).await.unwrap().set;
        let id: i64 = set.id.to_string().parse().unwrap();
        client.execute(alter, &[&id]).await.unwrap();
        let apply = Apply::over(server.store(&set), "altered", set.site.clone());
        let error = world.apply(apply).await.unwrap_err();
        assert!(matches!(error, BulkError::Altered { .. }), "{alter}: {error}");
        let apply = Apply::over(server.store(&set), "altered", set.site.clone());
        let error = world.apply(apply.expect(set.digest.unwrap())).await.unwrap_err();
        assert!(matches!(error, BulkError::Altered { .. }), "{alter}: {error}");
    }
    assert_eq!(world.sent("PATCH"), 0);
    let _ = ChangeSet::open(world.path("0.crm")).unwrap();
}

/// Waits until nobody else has a connection: what one read is known once it is closed.
async fn alone(own: &tokio_postgres::Client) {
    until_so("all others are gone", async || {
        let others = "SELECT count(*) FROM pg_stat_activity
            WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
        own.query_one(others, &[]).await.unwrap().get::<_, i64>(0) == 0
    })
    .await;
}

/// PostgreSQL believes that a set has hardly a row if none of it was there when it looked at the tables last.
#[tokio::test(flavor = "multi_thread")]
async fn a_set_that_came_after_others_costs_no_more_for_each_change() {
    const CHANGES: i64 = 2_000;
    let Some(cluster) = Cluster::start() else { return };
    let world = world(Seed::Count(2_000)).await;
    let server = Server::connect(&cluster.url()).await.unwrap();
    let own = look_into(&cluster.url()).await;
    for table in ["planned", "progress"] {
        let unwatched = format!("ALTER TABLE crm.{table} SET (autovacuum_enabled = off)");
        own.batch_execute(&unwatched).await.unwrap();
    }
    // Another one was carried out before, of another tenant say.
    let rows = all_memos(&world);
    let former = server.push(world.plan(&rows, "former.crm").await, "former").await.unwrap().set;
    world.apply(Apply::over(server.store(&former), "former", former.site.clone())).await.unwrap();
    own.batch_execute("ANALYZE").await.unwrap();
    let rows = rows.replace("changed", "changed again");
    let set = server.push(world.plan(&rows, "set.crm").await, "memos").await.unwrap().set;
    drop(server);

    // Rows, and blocks of indexes.
    let read = async || {
        let sql = "SELECT sum(seq_tup_read + idx_tup_fetch)::bigint,
                sum(idx_blks_hit + idx_blks_read)::bigint
            FROM pg_stat_user_tables JOIN pg_statio_user_tables USING (relid)
            WHERE relid IN ('crm.planned'::regclass, 'crm.progress'::regclass)";
        let row = own.query_one(sql, &[]).await.unwrap();
        [row.get::<_, i64>(0), row.get(1)]
    };
    alone(&own).await;
    let before = read().await;
    let server = Server::connect(&cluster.url()).await.unwrap();
    let apply = Apply::over(server.store(&set), "memos", set.site.clone());
    let finished = world.apply(apply.compare_when_loaded()).await.unwrap();
    assert_eq!(finished.count(State::Done), CHANGES.unsigned_abs());
    let store = server.store(&set);
    let lease = store.take("the test").await.unwrap();
    store.check(&lease).await.unwrap();
    store.digest(&lease).await.unwrap();
    assert_eq!(store.count(&lease, Which::Open).await.unwrap(), 0);
    store.leave().await;
    drop((store, server));
    alone(&own).await;
    let [rows, blocks] = read().await;
    let [rows, blocks] = [rows - before[0], blocks - before[1]].map(|read| read / CHANGES);
    assert!(rows < 20 && blocks < 40, "{rows} rows and {blocks} blocks were read for each change");
}
