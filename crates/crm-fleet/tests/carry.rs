//! Sets that are moved between a file and the server.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails so")]

mod common;

use common::{cluster::Cluster, *};
use crm_bulk::{Apply, BulkError, ChangeSet, Moved, Remark, Selection, State, Store as _};
use crm_fleet::{FleetError, Place, Server};
use crm_sandbox::{NewContact, Seed, StoredPreferences};

const ROWS: &str = "location_id,contact_id,memo\n2001,3001,one\n2001,3002,two\n2002,3001,three\n";
/// Every kind of cell: flags, a type that nobody knows, a creation, a row that asks for nothing.
const MANY: &str = "location_id,contact_id,action,type,value,memo,marketing_updates\n\
    2001,3001,,,,Gate ☎ 4411,off\n2001,,create,Email,new@site.example,,\n2001,3002,,,,7,\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_set_goes_to_the_server_and_comes_back_with_the_same_digest_and_results() {
    let Some(cluster) = Cluster::start() else { return };
    let world = world(Seed::Demo).await;
    let server = Server::connect(&cluster.url()).await.unwrap();
    let set = world.plan(MANY, "set.crm").await;
    set.approve(None, Remark::new().by("Dana Whitfield").reason("as agreed")).await.unwrap();
    world.apply(Apply::new(set).canary(1)).await.unwrap();
    let path = world.path("set.crm");
    let set = ChangeSet::open(&path).unwrap();
    let (digest, told, before) = (set.digest().unwrap(), results(&set), changes(&path));
    let decisions = set.decisions().unwrap();

    let pushed = server.push(set, "many").await.unwrap();
    assert!(!pushed.was_there);
    assert_eq!(pushed.set.digest, Some(digest));
    let left = ChangeSet::open(&path).unwrap();
    assert_eq!(results(&left), told, "it can still be looked at");
    let error = world.apply(Apply::new(left)).await.unwrap_err();
    assert!(matches!(&error, BulkError::Moved { to, .. } if to.contains("\"many\"")), "{error}");

    let pulled = server.pull("many", &world.path("back.crm")).await.unwrap();
    assert_eq!(pulled.digest, digest);
    assert_eq!(results(&pulled.set), told);
    assert_eq!(pulled.set.decisions().unwrap(), decisions);
    assert_eq!(changes(&world.path("back.crm")), before);
    let store = server.store(&server.set("many").await.unwrap());
    let error = store.take("a worker").await.unwrap_err();
    assert!(matches!(&error, BulkError::Moved { to, .. } if to.contains("back.crm")), "{error}");
    let finished = world.apply(Apply::new(pulled.set).require_approval()).await.unwrap();
    assert!(finished.count(State::Done) > 0);
    assert_eq!(finished.count(State::Failed), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_needs_on_the_server_what_it_needs_in_the_file() {
    let Some(cluster) = Cluster::start() else { return };
    let world = world(Seed::Empty).await;
    world.sandbox.add_customer(1, "Harbor Bakery").unwrap();
    let of = |id| {
        let contact = NewContact::of_customer(1, "Phone", "8182001111").id(id);
        contact.preferences(StoredPreferences::all(true))
    };
    for contact in [of(101), of(104), of(105).memo("Front desk")] {
        world.sandbox.add_contact(contact).unwrap();
    }
    let rows = "customer_id,contact_id,action,same_as,memo,why\n1,105,delete,101,,twice\n\
        1,104,delete,101,,twice\n1,101,,,Front desk,\n";
    let set = world.plan(rows, "set.crm").await;
    // The one that hands the memo over.
    set.drop_changes(&Selection::all().numbers([3]), Remark::new()).await.unwrap();
    let (digest, planned) = (set.digest().unwrap(), changes(&world.path("set.crm")));
    let server = Server::connect(&cluster.url()).await.unwrap();
    let set = server.push(set, "twice").await.unwrap().set;
    let apply = Apply::over(server.store(&set), "twice", set.site.clone());
    world.apply(apply).await.unwrap();

    let pulled = server.pull("twice", &world.path("back.crm")).await.unwrap();
    assert_eq!(pulled.digest, digest);
    let done = changes(&world.path("back.crm"));
    let states: Vec<_> = done.iter().map(|change| change.outcome.state).collect();
    assert_eq!(states, [State::Held, State::Done, State::Dropped]);
    for (change, planned) in done.iter().zip(&planned) {
        assert_eq!((&change.action, &change.why), (&planned.action, &planned.why));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_worker_did_comes_back_in_the_file() {
    let Some(cluster) = Cluster::start() else { return };
    let world = world(Seed::Demo).await;
    let server = Server::connect(&cluster.url()).await.unwrap();
    let set = server.push(world.plan(MANY, "set.crm").await, "many").await.unwrap().set;
    let apply = Apply::over(server.store(&set), "many", set.site.clone()).canary(2);
    world.apply(apply).await.unwrap();
    let pulled = server.pull("many", &world.path("back.crm")).await.unwrap();
    let totals = pulled.set.totals().unwrap();
    assert_eq!((totals.in_state(State::Done), totals.open()), (2, 1), "{totals:?}");
    // And to the server once more, under the same name.
    let again = server.push(pulled.set, "many").await.unwrap().set;
    assert_ne!(again.id, set.id);
    let apply = Apply::over(server.store(&again), "many", again.site.clone());
    assert_eq!(world.apply(apply).await.unwrap().count(State::Done), 1);
    assert_eq!(world.sent("PATCH") + world.sent("POST"), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_that_was_cut_off_is_completed_by_pushing_again() {
    let Some(cluster) = Cluster::start() else { return };
    let world = world(Seed::Demo).await;
    let server = Server::connect(&cluster.url()).await.unwrap();
    let path = world.path("set.crm");
    let open = || ChangeSet::open(&path).unwrap();
    // Just before its COMMIT.
    let leaving = world.plan(ROWS, "set.crm").await.hand_over().await.unwrap();
    let handover = "3f0c6b1e-0000-4000-8000-000000000000".to_owned();
    leaving.mark(Moved { handover, to: format!("{} as \"memos\"", server.name()) }).await.unwrap();
    leaving.end().await;
    let error = world.apply(Apply::new(open())).await.unwrap_err();
    assert!(matches!(error, BulkError::Moved { .. }), "{error}");
    assert!(!server.push(open(), "memos").await.unwrap().was_there);
    // Just behind it.
    let again = server.push(open(), "memos").await.unwrap();
    assert!(again.was_there);
    assert_eq!(server.sets().await.unwrap(), [again.set]);

    // One that went to another server does not come to this one as well.
    let leaving = world.plan(ROWS, "other.crm").await.hand_over().await.unwrap();
    let to = "db.example/fleet as \"memos\"".to_owned();
    leaving.mark(Moved { handover: "4411".to_owned(), to }).await.unwrap();
    leaving.end().await;
    let other = ChangeSet::open(world.path("other.crm")).unwrap();
    let error = server.push(other, "other").await.unwrap_err();
    assert!(matches!(error, FleetError::Set(BulkError::Moved { .. })), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_that_was_cut_off_is_completed_by_pulling_again() {
    let Some(cluster) = Cluster::start() else { return };
    let world = world(Seed::Demo).await;
    let server = Server::connect(&cluster.url()).await.unwrap();
    server.push(world.plan(ROWS, "set.crm").await, "memos").await.unwrap();
    let back = world.path("back.crm");
    let pulled = server.pull("memos", &back).await.unwrap();
    drop(pulled);
    let client = look_into(&cluster.url()).await;
    let pull: String = client.query_one("SELECT pull FROM crm.sets", &[]).await.unwrap().get(0);
    // Just before the server lets it go, and just behind.
    for place in ["leaving", "gone"] {
        client.execute("UPDATE crm.sets SET place = $1", &[&place]).await.unwrap();
        let leaving = ChangeSet::open(&back).unwrap().hand_over().await.unwrap();
        leaving.mark(Moved { handover: pull.clone(), to: server.name().into() }).await.unwrap();
        leaving.end().await;
        let error = world.apply(Apply::new(ChangeSet::open(&back).unwrap())).await.unwrap_err();
        assert!(matches!(error, BulkError::Moved { .. }), "{error}");
        let pulled = server.pull("memos", &back).await.unwrap();
        assert_eq!(pulled.set.info().unwrap().moved, None);
        let place = server.set("memos").await.unwrap().place;
        assert!(matches!(place, Place::Gone(_)), "{place:?}");
    }
    // One that began later has another file: this one is not released.
    client.execute("UPDATE crm.sets SET place = 'leaving', pull = 'other'", &[]).await.unwrap();
    let leaving = ChangeSet::open(&back).unwrap().hand_over().await.unwrap();
    leaving.mark(Moved { handover: pull, to: server.name().into() }).await.unwrap();
    leaving.end().await;
    server.pull("memos", &back).await.unwrap_err();
    let error = world.apply(Apply::new(ChangeSet::open(&back).unwrap())).await.unwrap_err();
    assert!(matches!(error, BulkError::Moved { .. }), "{error}");
    let other = server.pull("memos", &world.path("other.crm")).await.unwrap();
    world.apply(Apply::new(other.set)).await.unwrap();
    assert_eq!(world.sent("PATCH"), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_moved_stays_where_it_is() {
    let Some(cluster) = Cluster::start() else { return };
    let world = world(Seed::Demo).await;
    let server = Server::connect(&cluster.url()).await.unwrap();
    let set = server.push(world.plan(ROWS, "set.crm").await, "memos").await.unwrap().set;
    let taken = server.push(world.plan(ROWS, "other.crm").await, "memos").await.unwrap_err();
    assert!(matches!(taken, FleetError::NameTaken { .. }), "{taken}");
    let other = ChangeSet::open(world.path("other.crm")).unwrap();
    assert_eq!(other.info().unwrap().moved, None);
    drop(other);

    let nul = "{\"location_id\":2001,\"contact_id\":3001,\"memo\":\"a\\u0000b\"}\n";
    let input = crm_bulk::Input::ndjson("test", std::io::Cursor::new(nul.to_owned()));
    let plan = crm_bulk::Plan::new(world.site.clone());
    if plan.from_api(&world.service, input, world.path("nul.crm")).await.is_ok() {
        let nul = ChangeSet::open(world.path("nul.crm")).unwrap();
        let error = server.push(nul, "nul").await.unwrap_err();
        assert!(matches!(error, FleetError::Nul { .. }), "{error}");
        assert!(!error.to_string().contains('\0'), "{error:?}");
        let nul = ChangeSet::open(world.path("nul.crm")).unwrap();
        assert_eq!(nul.info().unwrap().moved, None);
    }

    let store = server.store(&set);
    store.take("a worker").await.unwrap();
    let busy = server.pull("memos", &world.path("back.crm")).await.unwrap_err();
    assert!(matches!(&busy, FleetError::InUse { owner, .. } if owner == "a worker"), "{busy}");
    store.leave().await;
    // The set stays on the server when its file cannot be written.
    let there = server.pull("memos", &world.path("set.crm")).await.unwrap_err();
    assert!(there.to_string().contains("exists"), "{there}");
    let nowhere = server.pull("memos", &world.path("no/such/folder.crm")).await.unwrap_err();
    assert!(matches!(nowhere, FleetError::Set(_)), "{nowhere}");
    store.take("a worker").await.unwrap();
    let unknown = server.pull("no such", &world.path("back.crm")).await.unwrap_err();
    assert!(matches!(unknown, FleetError::NoSuchSet { .. }), "{unknown}");
}
