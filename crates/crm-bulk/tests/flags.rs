//! Flags that the service does not tell, and services that know three.
#![allow(clippy::unwrap_used, reason = "a test fails so")]

mod common;

use std::io::Cursor;

use common::*;
use crm_bulk::{Apply, BulkError, ChangeSet, Input, OptOut, Plan, State};
use crm_models::Preference;
use crm_sandbox::{Seed, StoredContact};

fn csv(rows: &str) -> Input {
    Input::csv("rows", Cursor::new(rows.to_owned()))
}

impl World {
    /// A contact whose flags the service does not tell.
    fn of_unknown_flags(&self) -> StoredContact {
        let stored = self.stored().into_iter();
        let mut unknown = stored
            .filter(|((kind, _, _), contact)| *kind == "location" && contact.preferences.is_none());
        unknown.next().unwrap().1
    }

    fn page(&self) -> String {
        let mut page = Vec::new();
        let set = ChangeSet::open(self.path("set.crm")).unwrap();
        set.report(&mut page).unwrap();
        String::from_utf8(page).unwrap()
    }
}

const SOME_OF_A_NEW_ONE: &str = "location_id,action,type,value,marketing_updates\n\
     2002,create,Email,new@site.example,off\n";

#[tokio::test]
async fn a_new_contact_with_some_flags_alone_is_refused_before_it_is_created() {
    let world = world(Seed::Demo).await;
    let by_snapshot = async |plan: Plan| {
        let plan = plan.snapshot(world.snapshot().await);
        plan.from_snapshot(csv(SOME_OF_A_NEW_ONE), world.path("set.crm")).await
    };
    let plan = || Plan::new(world.site.clone());
    let from_api = plan().from_api(&world.service, csv(SOME_OF_A_NEW_ONE), world.path("set.crm"));
    for refused in [from_api.await, by_snapshot(plan()).await] {
        let error = refused.unwrap_err();
        assert!(matches!(error, BulkError::InvalidRows(_)), "{error}");
    }
    by_snapshot(plan().unknown_flags(false)).await.unwrap();
    let set = ChangeSet::open(world.path("set.crm")).unwrap();
    world.apply(Apply::new(set)).await.unwrap();
    assert_eq!(states(&world.path("set.crm")), [State::Done]);
    let stored = world.stored();
    let created = stored.values().find(|contact| contact.value == "new@site.example");
    let flags = created.unwrap().preferences.unwrap();
    assert!(!flags.job_reminders && !flags.marketing_updates);
    assert!(!flags.invoices && !flags.statements);
}

#[tokio::test]
async fn unknown_flags_become_what_was_chosen_and_known_ones_are_kept() {
    let world = world(Seed::Demo).await;
    let unknown = world.of_unknown_flags();
    let rows = format!(
        "location_id,contact_id,marketing_updates\n{},{},off\n2001,3001,off\n",
        unknown.owner_id, unknown.id
    );
    let set = world.plan(&rows, "without.crm").await;
    assert_eq!(states(set.path()), [State::Failed, State::Planned]);

    let plan = Plan::new(world.site.clone()).unknown_flags(true);
    plan.from_api(&world.service, csv(&rows), world.path("set.crm")).await.unwrap();
    let before = world.location_contact(2_001, 3_001).preferences.unwrap();
    let page = world.page();
    assert!(page.contains("become on: somebody chose that"), "{page}");
    let set = ChangeSet::open(world.path("set.crm")).unwrap();
    assert_eq!(
        set.changes(&crm_bulk::Selection::all()).next().unwrap().unwrap().members().len(),
        Preference::SETTABLE.len()
    );
    world.apply(Apply::new(set)).await.unwrap();
    let flags = world.location_contact(unknown.owner_id, unknown.id).preferences.unwrap();
    assert!(flags.job_reminders && !flags.marketing_updates && flags.invoices);
    let after = world.location_contact(2_001, 3_001).preferences.unwrap();
    assert_eq!(after.job_reminders, before.job_reminders);
    assert_eq!((after.invoices, after.statements), (before.invoices, before.statements));
}

#[tokio::test]
async fn an_opt_out_reaches_contacts_of_unknown_flags_when_it_is_said_what_the_others_become() {
    let world = world(Seed::Demo).await;
    let unknown = world.of_unknown_flags();
    let list = || csv(&format!("number\n{}\n", unknown.value));
    let opt_out = OptOut::new(world.site.clone(), world.snapshot().await).unknown_flags(false);
    opt_out.plan(&world.service, list(), world.path("set.crm")).await.unwrap();
    let all = changes(&world.path("set.crm"));
    assert!(all.iter().all(|change| change.outcome.state != State::Failed), "{all:?}");
    assert!(world.page().contains("become off: somebody chose that"));
    let set = ChangeSet::open(world.path("set.crm")).unwrap();
    world.apply(Apply::new(set)).await.unwrap();
    let flags = world.location_contact(unknown.owner_id, unknown.id).preferences.unwrap();
    assert!(!flags.marketing_updates && !flags.job_reminders);
}

#[tokio::test]
async fn a_service_of_three_flags_is_sent_three_from_list_snapshot_set_and_undo() {
    let world = world(Seed::Demo).await;
    world.sandbox.set("preference-members", "three").unwrap();
    let before = world.stored();
    let list = csv("number\n+1 213 555 0177\n");
    let opt_out = OptOut::new(world.site.clone(), world.snapshot().await);
    opt_out.plan(&world.service, list, world.path("set.crm")).await.unwrap();
    let set = ChangeSet::open(world.path("set.crm")).unwrap();
    world.apply(Apply::new(set)).await.unwrap();
    let all = changes(&world.path("set.crm"));
    assert!(all.iter().all(|change| change.outcome.state == State::Done), "{all:?}");
    let undo = world.path("undo.crm");
    ChangeSet::open(world.path("set.crm")).unwrap().undo(&undo).await.unwrap();
    world.apply(Apply::new(ChangeSet::open(&undo).unwrap())).await.unwrap();
    assert!(states(&undo).iter().all(|state| *state == State::Done), "{:?}", changes(&undo));
    for (key, contact) in world.stored() {
        let flags = |contact: &StoredContact| {
            contact.preferences.map(|flags| (flags.marketing_updates, flags.job_reminders))
        };
        assert_eq!(flags(&contact), flags(&before[&key]), "{key:?}");
    }
}

#[tokio::test]
async fn a_wish_that_sets_invoices_and_statements_apart_is_refused_by_the_plan_for_three_flags() {
    let world = world(Seed::Demo).await;
    world.sandbox.set("preference-members", "three").unwrap();
    let rows = "location_id,contact_id,invoices,statements\n2001,3001,off,on\n2001,3002,off,off\n";
    let snapshot = world.snapshot().await;
    let plan = Plan::new(world.site.clone()).snapshot(snapshot);
    plan.from_snapshot(csv(rows), world.path("snapshot.crm")).await.unwrap();
    world.plan(rows, "api.crm").await;
    for name in ["snapshot.crm", "api.crm"] {
        let all = changes(&world.path(name));
        assert_eq!(all[0].outcome.state, State::Failed, "{all:?}");
        assert_ne!(all[1].outcome.state, State::Failed, "{all:?}");
        world.apply(Apply::new(ChangeSet::open(world.path(name)).unwrap())).await.unwrap();
    }
    let contact = world.location_contact(2_001, 3_001).preferences.unwrap();
    assert_eq!(contact.invoices, contact.statements);
}

#[tokio::test]
async fn a_new_contact_gets_its_flags_in_the_form_that_the_others_of_its_owner_show() {
    let world = world(Seed::Demo).await;
    world.sandbox.set("preference-members", "three").unwrap();
    let rows = "location_id,contact_id,action,type,value,job_reminders,marketing_updates,invoices,\
                statements\n\
                2001,,create,Email,both@site.example,on,off,on,on\n\
                2001,,create,Email,apart@site.example,on,off,on,off\n\
                2001,3005,,,,on,off,off,off\n";
    let set = world.plan(rows, "set.crm").await;
    assert_eq!(states(set.path()), [State::Planned, State::Failed, State::Planned]);
    world.apply(Apply::new(set)).await.unwrap();
    assert_eq!(
        states(&world.path("set.crm")),
        [State::Done, State::Failed, State::Done],
        "{:?}",
        changes(&world.path("set.crm"))
    );
    let stored: Vec<_> = world.stored().into_values().collect();
    let flags = |value: &str| {
        let contact = stored.iter().find(|contact| contact.value == value);
        contact.map(|contact| contact.preferences.unwrap())
    };
    assert!(flags("both@site.example").unwrap().invoices);
    assert_eq!(flags("apart@site.example"), None, "it is not created");
    assert!(!flags("orders@harborbakery.example").unwrap().statements);
}

#[tokio::test]
async fn a_set_of_version_1_keeps_what_it_wants() {
    let world = world(Seed::Demo).await;
    let rows = "location_id,contact_id,memo,marketing_updates,invoices\n\
                2001,3001,new,off,\n2001,3002,,,on\n2001,3003,only,,\n";
    drop(world.plan(rows, "set.crm").await);
    let path = world.path("set.crm");
    let planned = common::changes(&path);
    common::as_of_version_1(&path);
    let old: Vec<String> = {
        let file = rusqlite::Connection::open(&path).unwrap();
        let mut wanted = file.prepare("SELECT wanted FROM changes").unwrap();
        let wanted = wanted.query_map([], |row| row.get(0)).unwrap();
        wanted.map(Result::unwrap).collect()
    };
    assert_eq!(old[0], r#"{"memo":"new","marketingUpdates":false}"#);
    assert_eq!(old[1], r#"{"invoices":true}"#);

    let set = ChangeSet::open(&path).unwrap();
    let selection = crm_bulk::Selection::all();
    let read: Vec<_> = set.changes(&selection).map(Result::unwrap).collect();
    let actions = |changes: &[crm_bulk::Change]| -> Vec<_> {
        changes.iter().map(|change| change.action.clone()).collect()
    };
    assert_eq!(actions(&read), actions(&planned));
}
