//! Planning and applying against a server.
#![allow(clippy::unwrap_used, reason = "a test fails so")]

mod common;

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::Duration,
};

use async_trait::async_trait;
use common::*;
use crm_bulk::{
    Apply, BulkError, ChangeSet, Event, Finished, Input, MirrorError, OnDrift, Plan, Site, State,
    StopReason,
};
use crm_contacts::ContactsService;
use crm_models::{ContactChange, ContactId, LocationId, Preference};
use crm_sandbox::{Fault, FaultPlan, FaultRule, Seed};
use crm_transport::{
    Delivery, RateLimit, Request, Response, RetryPolicy, SentAt, Transport, TransportError,
    TransportErrorKind, TransportExt,
};
use futures_util::TryStreamExt;
use tokio::{
    sync::{Semaphore, watch},
    time::Instant,
};

const FOUR_ROWS: &str = "\
location_id,contact_id,customer_id,action,type,value,memo,marketing_updates,note
2001,3001,,,,,(clear),off,kept
2001,3002,,,,dana@new.example,,,kept too
2001,,,create,Email,office@site.example,Office,,
2001,3003,,delete,,,,,
";

/// A new memo for each of so many contacts.
fn memos(contacts: i64) -> String {
    let mut rows = "location_id,contact_id,memo\n".to_owned();
    for contact in 1..=contacts {
        rows += &format!("{},{contact},changed\n", (contact + 3) / 4);
    }
    rows
}

/// What asks whether to stop may hold something for which others wait: a connection, say.
#[tokio::test]
async fn a_run_that_is_stopped_lets_go_of_what_would_stop_it_before_all_in_flight_has_ended() {
    let world = world(Seed::Demo).await;
    let rows = "location_id,contact_id,memo\n2001,3001,slow\n2001,3002,refused\n";
    let set = world.plan(rows, "set.crm").await;
    let on = |fault, contact: &str| FaultRule::new(fault).method("PATCH").path(contact).times(0);
    let slow = on(Fault::Delay { milliseconds: 1_000 }, "/3001");
    let refused = on(Fault::Status { status: 400 }, "/3002");
    world.sandbox.inject(FaultPlan::new().rule(slow).rule(refused));

    let connection = Arc::new(Semaphore::new(1));
    let held = Arc::clone(&connection);
    let asks = async move {
        let _held = held.acquire_owned().await;
        std::future::pending().await
    };
    let apply = Apply::new(set).max_failures(1).stop_when(asks);
    let mut events = apply.run(&world.service, &world.site).unwrap();
    let mut settled = 0;
    let free = loop {
        tokio::select! {
            biased;
            event = events.try_next() => match event.unwrap().unwrap() {
                Event::Settled(_) => settled += 1,
                Event::Finished(_) => panic!("nobody else got it"),
                _ => {}
            },
            free = connection.acquire(), if settled == 1 => break free,
        }
    };
    assert!(free.is_ok());
    assert_eq!(settled, 1, "the slow one is in flight");
    world.sandbox.inject(FaultPlan::new());
    let last = events.try_collect::<Vec<_>>().await.unwrap().pop();
    assert!(matches!(last, Some(Event::Finished(_))));
}

#[tokio::test]
async fn what_differs_is_sent_and_nothing_else_changes() {
    let world = world(Seed::Demo).await;
    let before = world.stored();
    let set = world.plan(FOUR_ROWS, "set.crm").await;
    assert_eq!(set.totals().unwrap().in_state(State::Planned), 4);

    let finished = world.apply(Apply::new(set)).await.unwrap();
    assert_eq!(finished.reason, StopReason::Complete);
    assert_eq!(finished.count(State::Done), 4);

    let mut after = world.stored();
    let mut expected = before;
    let mobile = expected.get_mut(&("location", 2001, 3001)).unwrap();
    mobile.memo = None;
    mobile.preferences.as_mut().unwrap().marketing_updates = false;
    expected.get_mut(&("location", 2001, 3002)).unwrap().value = "dana@new.example".to_owned();
    expected.remove(&("location", 2001, 3003)).unwrap();
    let created = after
        .extract_if(.., |_, contact| contact.value == "office@site.example")
        .collect::<Vec<_>>();
    assert_eq!(created.len(), 1);
    assert_eq!(created[0].1.memo.as_deref(), Some("Office"));
    for contact in expected.values_mut().chain(after.values_mut()) {
        contact.modified_on.clear();
    }
    assert_eq!(after, expected);
}

#[tokio::test]
async fn applying_again_sends_nothing() {
    let world = world(Seed::Demo).await;
    let set = world.plan(FOUR_ROWS, "set.crm").await;
    world.apply(Apply::new(set)).await.unwrap();
    world.sandbox.clear_log();
    let set = ChangeSet::open(world.path("set.crm")).unwrap();
    let finished = world.apply(Apply::new(set)).await.unwrap();
    assert_eq!(finished.reason, StopReason::Complete);
    assert_eq!(world.sandbox.log().len(), 0);
}

#[tokio::test]
async fn what_is_so_already_or_unknown_is_said_in_the_plan() {
    let world = world(Seed::Demo).await;
    let rows = "location_id,contact_id,marketing_updates\n2001,3002,off\n2001,3999,off\n2001,3005,off\n9999,1,off\n";
    world.plan(rows, "set.crm").await;
    assert_eq!(
        states(&world.path("set.crm")),
        [State::Already, State::NotFound, State::Failed, State::NotFound],
        "so already, no such contact, one flag of unknown ones, no such location"
    );
}

#[tokio::test]
async fn rows_that_fight_are_set_aside_and_rows_that_agree_are_one() {
    let world = world(Seed::Demo).await;
    let rows = "location_id,contact_id,memo\n2001,3001,a\n2001,3001,b\n2001,3002,c\n2001,3002,c\n";
    world.plan(rows, "set.crm").await;
    assert_eq!(
        states(&world.path("set.crm")),
        [State::Conflict, State::Conflict, State::Planned, State::Already]
    );
}

#[tokio::test]
async fn a_contact_that_was_changed_since_is_set_aside() {
    for (on_drift, expected) in [
        (OnDrift::Skip, State::Drifted),
        (OnDrift::Abort, State::Drifted),
        (OnDrift::Force, State::Done),
    ] {
        let world = world(Seed::Demo).await;
        let rows = "location_id,contact_id,marketing_updates\n2001,3001,off\n";
        let set = world.plan(rows, "set.crm").await;
        let change = ContactChange::new().memo("Changed by hand");
        let location = world.service.location(LocationId::new(2001).unwrap());
        location.update(ContactId::new(3001).unwrap(), &change).await.unwrap();

        let finished = world.apply(Apply::new(set).on_drift(on_drift)).await.unwrap();
        assert_eq!(states(&world.path("set.crm")), [expected]);
        let aborted = finished.reason == StopReason::Drift;
        assert_eq!(aborted, on_drift == OnDrift::Abort);
        let contact = world.location_contact(2001, 3001);
        assert_eq!(contact.memo.as_deref(), Some("Changed by hand"));
        let off = !contact.preferences.unwrap().marketing_updates;
        assert_eq!(off, on_drift == OnDrift::Force);
    }
}

#[tokio::test]
async fn a_lost_answer_is_read_back_and_nothing_is_created_twice() {
    let world = world(Seed::Demo).await;
    let set = world.plan(FOUR_ROWS, "set.crm").await;
    let lost = |operation| FaultRule::new(Fault::LostAnswer).operation(operation).nth(1);
    world.sandbox.inject(
        FaultPlan::new()
            .rule(lost("Locations_CreateContact"))
            .rule(lost("Locations_UpdateContact"))
            .rule(lost("Locations_DeleteContact")),
    );
    let finished = world.apply(Apply::new(set)).await.unwrap();
    assert_eq!(states(&world.path("set.crm")), [State::Done; 4], "{finished:?}");
    let created = world.stored().into_values().filter(|c| c.value == "office@site.example");
    assert_eq!(created.count(), 1);
}

#[tokio::test]
async fn a_refusal_is_kept_with_its_trace_id_and_can_be_retried() {
    let world = world(Seed::Demo).await;
    let rows = "location_id,contact_id,memo\n2001,3001,a\n2001,3002,b\n";
    let set = world.plan(rows, "set.crm").await;
    let refuse = FaultRule::new(Fault::Status { status: 400 }).method("PATCH").nth(1);
    world.sandbox.inject(FaultPlan::new().rule(refuse));
    world.apply(Apply::new(set)).await.unwrap();
    let mut failed = changes(&world.path("set.crm"));
    failed.retain(|change| change.outcome.state == State::Failed);
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0].outcome.http_status, Some(400));
    assert!(failed[0].outcome.trace_id.is_some());

    let set = ChangeSet::open(world.path("set.crm")).unwrap();
    let apply = Apply::new(set).retry_failed();
    let mut events = apply.run(&world.service, &world.site).unwrap();
    let first = events.try_next().await.unwrap();
    assert_eq!(first, Some(Event::Started { open: 1 }));
    while events.try_next().await.unwrap().is_some() {}
    assert_eq!(states(&world.path("set.crm")), [State::Done; 2]);
}

#[tokio::test]
async fn canary_failure_limit_stop_and_dry_run_leave_the_rest_planned() {
    let world = world(Seed::Count(40)).await;
    let mut rows = "location_id,contact_id,memo\n".to_owned();
    for contact in 1..=40 {
        rows.push_str(&format!("{},{contact},changed\n", (contact + 3) / 4));
    }
    let set = world.plan(&rows, "set.crm").await;

    let finished = world.apply(Apply::new(set).dry_run()).await.unwrap();
    assert_eq!(finished.reason, StopReason::Complete);
    assert_eq!(world.sent("PATCH"), 0);

    let set = ChangeSet::open(world.path("set.crm")).unwrap();
    let finished = world.apply(Apply::new(set).canary(3)).await.unwrap();
    assert_eq!((finished.reason, finished.count(State::Done)), (StopReason::Canary, 3));
    assert_eq!(world.sent("PATCH"), 3);

    let set = ChangeSet::open(world.path("set.crm")).unwrap();
    let stop = Apply::new(set).stop_when(std::future::ready(()));
    let finished = world.apply(stop).await.unwrap();
    assert_eq!(finished.reason, StopReason::Stopped);
    assert_eq!(world.sent("PATCH"), 3);

    world.sandbox.inject(FaultPlan::new().random(Fault::Status { status: 400 }, 1.0));
    let set = ChangeSet::open(world.path("set.crm")).unwrap();
    let one = std::num::NonZeroUsize::MIN;
    let apply = Apply::new(set).max_failures(5).concurrency(one);
    // The reading of owners is refused too, which ends the run at once.
    let error = world.apply(apply).await.unwrap_err();
    assert!(matches!(error, BulkError::Contacts(_)), "{error}");

    world.sandbox.inject(
        FaultPlan::new()
            .rule(FaultRule::new(Fault::Status { status: 400 }).method("PATCH").times(100)),
    );
    let set = ChangeSet::open(world.path("set.crm")).unwrap();
    let apply = Apply::new(set).max_failures(5).concurrency(one);
    let finished = world.apply(apply).await.unwrap();
    assert_eq!((finished.reason, finished.count(State::Failed)), (StopReason::TooManyFailures, 5));
    let totals = ChangeSet::open(world.path("set.crm")).unwrap().totals().unwrap();
    assert_eq!(totals.in_state(State::Planned), 40 - 3 - 5);
}

#[tokio::test]
async fn a_write_that_failed_keeps_its_place_until_it_is_counted() {
    let world = world(Seed::Count(4)).await;
    let rows = "location_id,contact_id,memo\n1,1,a\n1,2,a\n1,3,a\n1,4,a\n";
    let set = world.plan(rows, "set.crm").await;
    let refused = FaultRule::new(Fault::Status { status: 400 }).method("PATCH").times(100);
    world.sandbox.inject(FaultPlan::new().rule(refused));
    let two = std::num::NonZeroUsize::new(2).unwrap();
    let finished = world.apply(Apply::new(set).max_failures(1).concurrency(two)).await.unwrap();
    assert_eq!(finished.reason, StopReason::TooManyFailures);
    assert!(world.sent("PATCH") <= 2, "{}", world.sent("PATCH"));
}

#[tokio::test]
async fn a_set_of_another_tenant_or_environment_is_refused_before_anything_is_sent() {
    let world = world(Seed::Demo).await;
    world.plan(FOUR_ROWS, "set.crm").await;
    world.sandbox.clear_log();
    let open = || ChangeSet::open(world.path("set.crm")).unwrap();

    let production = Site::of(&world.service, "https://api.servicetitan.io");
    let error = Apply::new(open()).run(&world.service, &production).err().unwrap();
    assert!(matches!(error, BulkError::Mirror(MirrorError::WrongEnvironment { .. })), "{error}");

    let other = crm_models::TenantId::new(77).unwrap();
    let site = Site::new(other, world.site.environment());
    let error = Apply::new(open()).run(&world.service, &site).err().unwrap();
    assert!(matches!(error, BulkError::Mirror(MirrorError::WrongTenant { .. })), "{error}");

    let input = crm_bulk::Input::csv("rows", std::io::Cursor::new(FOUR_ROWS));
    let plan = crm_bulk::Plan::new(site);
    let planned = plan.from_api(&world.service, input, world.path("other.crm"));
    let error = planned.await.unwrap_err();
    assert!(matches!(error, BulkError::Mirror(MirrorError::WrongTenant { .. })), "{error}");
    assert!(!world.path("other.crm").exists());
    assert_eq!(world.sandbox.log().len(), 0);
}

#[tokio::test]
async fn two_runs_cannot_apply_one_set_at_a_time() {
    let world = world(Seed::Demo).await;
    let set = world.plan(FOUR_ROWS, "set.crm").await;
    let running = Apply::new(set).run(&world.service, &world.site).unwrap();
    let second = Apply::new(ChangeSet::open(world.path("set.crm")).unwrap());
    let error = second.run(&world.service, &world.site).err().unwrap();
    assert!(matches!(error, BulkError::InUse { .. }), "{error}");
    drop(running);
    let third = Apply::new(ChangeSet::open(world.path("set.crm")).unwrap());
    assert_eq!(world.apply(third).await.unwrap().count(State::Done), 4);
}

#[tokio::test]
async fn reading_ahead_does_not_hold_up_the_rate_limit() {
    let mut world = world(Seed::Count(400)).await;
    let mut rows = "location_id,contact_id,memo\n".to_owned();
    for contact in 1..=400_i64 {
        rows += &format!("{},{contact},changed\n", (contact + 3) / 4);
    }
    let set = world.plan(&rows, "set.crm").await;
    let limited = world.service.transport().clone().with_rate_limit(RateLimit::per_second(500));
    world.service = ContactsService::new(Arc::new(limited), world.site.tenant());
    let apply = world.apply(Apply::new(set));
    // Held up, it would never end; the time only says when to give up waiting.
    let finished = tokio::time::timeout(Duration::from_secs(120), apply).await;
    assert_eq!(finished.unwrap().unwrap().count(State::Done), 400);
}

#[tokio::test]
async fn sets_of_several_tenants_run_side_by_side_each_at_its_own_limit() {
    const TENANTS: i64 = 8;
    let builder = crm_sandbox::Sandbox::builder().seed(Seed::Count(100));
    let sandbox = builder.more_tenants(1002..1001 + TENANTS).start().await.unwrap();
    let connection = sandbox.connection();
    let limit = RateLimit::per_second(20);
    let folder = tempfile::tempdir().unwrap();
    let rows: String = (1..=40).map(|id| format!("{},{id},changed\n", (id + 3) / 4)).collect();
    let runs = (1001..1001 + TENANTS).map(async |tenant| {
        let keys = [&connection.client_id, &connection.client_secret, &connection.app_key];
        let service = service_at(&connection.api_url, tenant, keys.map(String::as_str));
        let limited = service.transport().clone().with_rate_limit(limit.clone());
        let service = ContactsService::new(limited, tenant.try_into().unwrap());
        let site = Site::of(&service, &connection.api_url);
        let path = folder.path().join(format!("{tenant}.crm"));
        let input = format!("location_id,contact_id,memo\n{rows}");
        let input = crm_bulk::Input::csv("rows", std::io::Cursor::new(input));
        let plan = crm_bulk::Plan::new(site.clone());
        plan.from_api(&service, input, &path).await.unwrap();
        let apply = Apply::new(ChangeSet::open(path).unwrap());
        let mut events = apply.run(&service, &site).unwrap();
        let mut done = None;
        while let Some(event) = events.try_next().await.unwrap() {
            if let Event::Finished(finished) = event {
                done = Some(finished.count(State::Done));
            }
        }
        done
    });
    let done = futures_util::future::join_all(runs).await;
    assert_eq!(done, [Some(40); 8]);
    let refused = |entry: &crm_sandbox::LogEntry| entry.status == 429;
    assert!(!sandbox.log().iter().any(refused));
}

#[tokio::test]
async fn a_creation_of_what_is_there_otherwise_names_the_contact_instead() {
    let world = world(Seed::Demo).await;
    let plan = |value: &str, marketing: &str| {
        format!(
            "location_id,action,type,value,{}\n2001,create,Email,{value},{}\n",
            flag_columns(),
            flag_cells(|flag| if flag == Preference::MarketingUpdates { marketing } else { "on" }),
        )
    };
    let rows = plan("office@site.example", "on");
    let set = world.plan(&rows, "first.crm").await;
    world.apply(Apply::new(set)).await.unwrap();
    let id = changes(&world.path("first.crm"))[0].target.contact_text().unwrap();
    for (marketing, expected) in [("on", State::Already), ("off", State::Conflict)] {
        let name = format!("{marketing}.crm");
        let rows = plan("Office@Site.example", marketing);
        world.plan(&rows, &name).await;
        assert_eq!(states(&world.path(&name)), [expected]);
        let message = changes(&world.path(&name))[0].outcome.message.clone();
        assert!(message.unwrap().contains(&format!("contact {id}")));
    }
}

#[tokio::test]
async fn one_number_in_two_spellings_is_one_creation() {
    let world = world(Seed::Demo).await;
    let rows = "location_id,action,type,value,memo\n\
                2001,create,Phone,(818) 555-0199,a\n2001,create,Phone,818-555-0199,a\n\
                2002,create,Email,New@site.example,a\n2002,create,Email,new@site.example,b\n\
                2003,create,Phone,818-555-0199,a\n2003,create,Fax,818-555-0199,a\n";
    world.plan(rows, "set.crm").await;
    assert_eq!(
        states(&world.path("set.crm")),
        [
            State::Planned,
            State::Already,
            State::Conflict,
            State::Conflict,
            State::Planned,
            State::Planned
        ]
    );
}

#[tokio::test]
async fn a_missing_scope_stops_the_run_and_leaves_the_rest_planned() {
    let world = world(Seed::Count(200)).await;
    let set = world.plan(&memos(200), "set.crm").await;
    let forbid = FaultRule::new(Fault::Status { status: 403 }).method("PATCH").times(0);
    world.sandbox.inject(FaultPlan::new().rule(forbid));
    let finished = world.apply(Apply::new(set)).await.unwrap();
    assert_eq!(finished.reason, StopReason::Forbidden);
    assert_eq!(states(&world.path("set.crm")), [State::Planned; 200]);
    assert!(world.sent("PATCH") <= 64, "{}", world.sent("PATCH"));
}

#[tokio::test]
async fn a_failure_half_way_comes_last_and_what_was_in_flight_is_settled() {
    let world = world(Seed::Count(400)).await;
    let set = world.plan(&memos(400), "set.crm").await;
    let unreadable = FaultRule::new(Fault::Status { status: 403 }).method("GET").nth(2).times(0);
    world.sandbox.inject(FaultPlan::new().rule(unreadable));
    let mut events = Apply::new(set).run(&world.service, &world.site).unwrap();
    let mut settled = 0;
    let error = loop {
        match events.try_next().await {
            Ok(Some(Event::Settled(change))) => {
                assert_eq!(change.outcome.state, State::Done);
                settled += 1;
            }
            Ok(Some(_)) => {}
            Ok(None) => panic!("no error"),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, BulkError::Contacts(_)), "{error}");
    assert!(events.try_next().await.unwrap().is_none(), "it is over");
    drop(events);
    let set = ChangeSet::open(world.path("set.crm")).unwrap();
    let totals = set.totals().unwrap();
    assert_eq!(totals.in_state(State::Done), settled);
    assert_eq!(totals.in_state(State::Planned), 400 - settled);
    world.sandbox.inject(FaultPlan::new());
    world.apply(Apply::new(set)).await.unwrap();
    assert_eq!(states(&world.path("set.crm")), [State::Done; 400]);
}

#[tokio::test]
async fn an_owner_that_cannot_be_read_holds_up_no_other() {
    use Fault::{GarbageBody, Status};

    for fault in [Status { status: 500 }, Status { status: 409 }, GarbageBody] {
        let mut world = world(Seed::Count(40)).await;
        let twice = RetryPolicy::default().attempts(2);
        world.service = service_with(world.sandbox.connection(), twice);
        let broken = || {
            let block =
                FaultRule::new(fault.clone()).operation("Locations_GetLocationsContactsList");
            let owner = FaultRule::new(fault.clone()).path("/locations/3/contacts");
            FaultPlan::new().rule(block.times(0)).rule(owner.times(0))
        };
        world.sandbox.inject(broken());
        world.plan(&memos(40), "broken.crm").await;
        for change in changes(&world.path("broken.crm")) {
            let message = change.outcome.message.unwrap_or_default();
            match change.target.owner_text().as_str() {
                "3" => {
                    assert_eq!(change.outcome.state, State::Failed);
                    assert!(message.starts_with("its owner cannot be read: "), "{message}");
                }
                _ => assert_eq!(change.outcome.state, State::Planned, "{message}"),
            }
        }

        world.sandbox.inject(FaultPlan::new());
        let set = world.plan(&memos(40), "set.crm").await;
        world.sandbox.inject(broken());
        let finished = world.apply(Apply::new(set)).await.unwrap();
        assert_eq!(finished.reason, StopReason::Complete);
        assert_eq!(finished.count(State::Done), 36);
        for change in changes(&world.path("set.crm")) {
            let of_broken = change.target.owner_text() == "3";
            let expected = if of_broken { State::Planned } else { State::Done };
            assert_eq!(change.outcome.state, expected);
        }

        world.sandbox.inject(FaultPlan::new());
        for (name, apply) in [
            ("set.crm", Apply::new as fn(_) -> _),
            ("broken.crm", |set| Apply::new(set).retry_failed()),
        ] {
            let set = ChangeSet::open(world.path(name)).unwrap();
            world.apply(apply(set)).await.unwrap();
            let totals = ChangeSet::open(world.path(name)).unwrap().totals().unwrap();
            assert_eq!(totals.open() + totals.in_state(State::Failed), 0);
        }
    }
}

#[tokio::test]
async fn an_owner_with_many_changes_that_cannot_be_read_ends_no_run() {
    let world = world(Seed::Count(40)).await;
    let mut rows = "location_id,contact_id,memo,action,type,value\n".to_owned();
    for number in 1..=40 {
        rows += &format!("1,,,create,Email,new{number}@site.example\n");
        rows += &format!("{},{number},changed,,,\n", (number + 3) / 4);
    }
    let set = world.plan(&rows, "set.crm").await;
    let status = Fault::Status { status: 409 };
    let block = FaultRule::new(status.clone()).operation("Locations_GetLocationsContactsList");
    let owner = FaultRule::new(status).path("/locations/1/contacts");
    let broken = FaultPlan::new().rule(block.times(0)).rule(owner.times(0));
    world.sandbox.inject(broken);
    let finished = world.apply(Apply::new(set)).await.unwrap();
    assert_eq!(finished.reason, StopReason::Complete);
    assert_eq!(finished.count(State::Done), 36);
    assert_eq!(finished.count(State::Planned), 44);
}

#[tokio::test]
async fn a_plan_of_one_owner_that_cannot_be_read_is_none() {
    let world = world(Seed::Demo).await;
    let refuse = FaultRule::new(Fault::Status { status: 409 }).method("GET");
    world.sandbox.inject(FaultPlan::new().rule(refuse.times(0)));
    let input = crm_bulk::Input::csv("rows", std::io::Cursor::new(FOUR_ROWS));
    let plan = crm_bulk::Plan::new(world.site.clone());
    let planned = plan.from_api(&world.service, input, world.path("set.crm"));
    let error = planned.await.unwrap_err();
    assert!(matches!(error, BulkError::Contacts(_)), "{error}");
    assert!(!world.path("set.crm").exists());
}

#[tokio::test]
async fn each_write_is_told_before_its_change_is_settled() {
    let world = world(Seed::Demo).await;
    let (flags, none, on) = (flag_columns(), flag_cells(|_| ""), flag_cells(|_| "on"));
    let rows = format!(
        "location_id,contact_id,action,type,value,memo,{flags}\n2001,3001,,,,Office,{on}\n\
         2001,3002,delete,,,,{none}\n2002,,create,Email,new@site.example,,{on}\n"
    );
    let set = world.plan(&rows, "set.crm").await;
    let mut events = Apply::new(set).run(&world.service, &world.site).unwrap();
    let mut written = Vec::new();
    while let Some(event) = events.try_next().await.unwrap() {
        match event {
            Event::Written(write) => {
                assert_eq!((write.state, write.read_back), (State::Done, false));
                written.push((write.row.unwrap(), write.action));
            }
            Event::Settled(change) => {
                let row = change.row.unwrap();
                assert!(written.iter().any(|(of, _)| *of == row), "row {row}");
            }
            _ => {}
        }
    }
    written.sort_unstable();
    let expected = [(1, "update"), (2, "delete"), (3, "create"), (3, "update")];
    assert_eq!(written, expected);
    let sent = world.sent("PATCH") + world.sent("POST") + world.sent("DELETE");
    assert_eq!(sent, expected.len());
}

#[tokio::test]
async fn a_write_whose_answer_nobody_saw_is_told_when_it_is_read_back() {
    let world = world(Seed::Demo).await;
    let (flags, none, on) = (flag_columns(), flag_cells(|_| ""), flag_cells(|_| "on"));
    let rows = format!(
        "location_id,contact_id,action,type,value,memo,{flags}\n2001,3001,,,,Office,{none}\n\
         2001,3002,delete,,,,{none}\n2002,,create,Email,new@site.example,,{on}\n"
    );
    let set = world.plan(&rows, "set.crm").await;
    let late = |method| {
        let late = Fault::Delay { milliseconds: 600_000 };
        FaultRule::new(late).method(method).path("/contacts").nth(1)
    };
    let rules = FaultPlan::new().rule(late("PATCH")).rule(late("POST"));
    world.sandbox.inject(rules.rule(late("DELETE")));
    let mut events = Apply::new(set).run(&world.service, &world.site).unwrap();
    let carried_out = || {
        let now = world.stored();
        let memo = now[&("location", 2001, 3001)].memo.as_deref() == Some("Office");
        let created = now.values().any(|contact| contact.value == "new@site.example");
        memo && created && !now.contains_key(&("location", 2001, 3002))
    };
    while !carried_out() {
        let moment = Duration::from_millis(20);
        if let Ok(Ok(Some(event))) = tokio::time::timeout(moment, events.try_next()).await {
            assert_eq!(event, Event::Started { open: 3 });
        }
    }
    drop(events);

    let set = ChangeSet::open(world.path("set.crm")).unwrap();
    assert_eq!(set.totals().unwrap().in_state(State::InFlight), 3);
    let mut events = Apply::new(set).run(&world.service, &world.site).unwrap();
    let mut written = Vec::new();
    while let Some(event) = events.try_next().await.unwrap() {
        if let Event::Written(write) = event {
            assert_eq!(write.state, State::Done);
            written.push((write.row.unwrap(), write.action, write.read_back));
        }
    }
    written.sort_unstable();
    let expected =
        [(1, "update", true), (2, "delete", true), (3, "create", true), (3, "update", false)];
    assert_eq!(written, expected);
}

/// Loses the answer of the first creation, and shows its contact only to the n-th look after it.
struct Late {
    shows_at: u32,
    /// How often it was looked for since.
    looks: watch::Sender<u32>,
    creations: AtomicU32,
}

#[async_trait]
impl Transport for Late {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let contact = r#""id":7,"type":"Email","value":"new@site.example","memo":null,
            "modifiedOn":"2026-01-01T00:00:00Z""#;
        if request.method() == "POST" {
            return match self.creations.fetch_add(1, Relaxed) {
                0 => Err(TransportError::new(TransportErrorKind::Reset, Delivery::Unknown)),
                _ => Ok(Response::new(format!("{{{contact}}}").into())),
            };
        }
        let sent = self.creations.load(Relaxed) > 0;
        let shows = sent && *self.looks.borrow() >= self.shows_at;
        if sent {
            self.looks.send_modify(|looks| *looks += 1);
        }
        let found = shows.then(|| format!(r#"{{"locationId":2001,{contact}}}"#));
        let found = found.unwrap_or_default();
        let page = format!(r#"{{"page":1,"pageSize":5000,"hasMore":false,"data":[{found}]}}"#);
        Ok(Response::new(page.into()))
    }
}

impl Late {
    /// It, and a set with one creation over it.
    async fn with_a_set(shows_at: u32, path: &Path) -> (Arc<Self>, Service, Site) {
        let late =
            Arc::new(Self { shows_at, looks: watch::Sender::new(0), creations: AtomicU32::new(0) });
        let transport: Arc<dyn Transport> = late.clone();
        let service = ContactsService::new(transport, 1_001.try_into().unwrap());
        let site = Site::new(service.tenant(), "https://api.example");
        let rows = "location_id,action,type,value\n2001,create,Email,new@site.example\n";
        let input = Input::csv("test", rows.as_bytes());
        let plan = Plan::new(site.clone());
        plan.from_api(&service, input, path).await.unwrap();
        (late, service, site)
    }
}

/// All that a run tells.
async fn events_of(apply: Apply, service: &Service, site: &Site) -> Vec<Event> {
    let events = apply.run(service, site).unwrap();
    events.try_collect().await.unwrap()
}

fn result_of(events: &[Event]) -> &Finished {
    match events.last() {
        Some(Event::Finished(finished)) => finished,
        _ => panic!("{events:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_creation_without_an_answer_is_sent_again_only_when_the_service_is_done_with_it() {
    for (shows_at, creations) in [(0, 1), (1, 1), (4, 1), (9, 1), (1_000, 2)] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("set.crm");
        let (late, service, site) = Late::with_a_set(shows_at, &path).await;
        let began = Instant::now();
        let apply = Apply::new(ChangeSet::open(&path).unwrap()).max_failures(2);
        let events = events_of(apply, &service, &site).await;
        assert_eq!(states(&path), [State::Done], "{shows_at}: {events:?}");
        assert_eq!(late.creations.load(Relaxed), creations, "{shows_at}");
        let told = events.iter().any(|event| matches!(event, Event::Awaited(_)));
        assert_eq!(told, shows_at > 0, "{shows_at}");
        let waited = began.elapsed().as_secs();
        assert_eq!(waited >= 100, creations == 2, "{shows_at}: {waited} s");
        assert!(waited < 120, "{shows_at}: {waited} s");
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_stopped_or_killed_while_it_waits_for_a_creation_forgets_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("set.crm");
    let (late, service, site) = Late::with_a_set(14, &path).await;
    let open = || Apply::new(ChangeSet::open(&path).unwrap());

    // Told, not looked for now and then: a timer of the test's would carry virtual time along while
    // the set's file is written.
    let looks = |many| {
        let mut looks = late.looks.subscribe();
        async move {
            looks.wait_for(|looks| *looks >= many).await.unwrap();
        }
    };
    let stopped = open().stop_when(looks(6));
    let events = events_of(stopped, &service, &site).await;
    let finished = result_of(&events);
    assert_eq!(finished.reason, StopReason::Stopped);
    assert_eq!(finished.count(State::Unknown), 1, "{finished:?}");

    let mut killed = open().run(&service, &site).unwrap();
    let whole = async { while killed.try_next().await.unwrap().is_some() {} };
    tokio::select! {
        () = looks(10) => {}
        () = whole => panic!("it was to wait"),
    }
    drop(killed);
    assert_eq!(states(&path), [State::Unknown]);

    let events = events_of(open(), &service, &site).await;
    assert_eq!(states(&path), [State::Done], "{events:?}");
    assert_eq!(late.creations.load(Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn a_canary_whose_answer_got_lost_is_no_success_and_waits_for_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("set.crm");
    let (late, service, site) = Late::with_a_set(1_000, &path).await;
    let began = Instant::now();
    let apply = Apply::new(ChangeSet::open(&path).unwrap()).canary(1);
    let events = events_of(apply, &service, &site).await;
    let finished = result_of(&events);
    assert_eq!(finished.reason, StopReason::Canary);
    assert_eq!(finished.count(State::Unknown), 1, "{finished:?}");
    assert_eq!(late.creations.load(Relaxed), 1);
    assert!(began.elapsed() < Duration::from_secs(30));
}

/// Writes memos in capitals, whatever is asked; then it is deaf to reading.
struct Otherwise {
    inner: Arc<dyn Transport>,
    wrote: std::sync::atomic::AtomicBool,
}

#[async_trait]
impl Transport for Otherwise {
    async fn send(&self, mut request: Request) -> Result<Response, TransportError> {
        if request.method() == "PATCH" {
            self.wrote.store(true, Relaxed);
            let body = String::from_utf8(request.body().to_vec()).unwrap();
            *request.body_mut() = body.replace("by the set", "BY THE SET").into();
        } else if self.wrote.load(Relaxed) {
            let error = TransportError::new(TransportErrorKind::Connect, Delivery::NotExecuted);
            return Err(error);
        }
        self.inner.send(request).await
    }
}

#[tokio::test]
async fn a_write_that_was_done_otherwise_is_known_and_can_be_taken_back() {
    let mut world = world(Seed::Demo).await;
    let before = world.location_contact(2001, 3002);
    let rows = "location_id,contact_id,memo\n2001,3002,by the set\n";
    let set = world.plan(rows, "set.crm").await;
    let otherwise = Otherwise { inner: Arc::clone(world.service.transport()), wrote: false.into() };
    let otherwise: Service = ContactsService::new(Arc::new(otherwise), world.site.tenant());
    let honest = std::mem::replace(&mut world.service, otherwise);
    world.apply(Apply::new(set)).await.unwrap();
    let change = changes(&world.path("set.crm")).remove(0);
    let after = change.after.as_ref().and_then(|image| image.as_contact());
    let memo = after.and_then(|contact| contact.memo.as_deref());
    let expected = (State::Failed, Some("BY THE SET"));
    assert_eq!((change.outcome.state, memo), expected);

    // Repeated, it is no drift, and the first picture stays.
    world.service = honest;
    let set = ChangeSet::open(world.path("set.crm")).unwrap();
    world.apply(Apply::new(set).retry_failed()).await.unwrap();
    assert_eq!(states(&world.path("set.crm")), [State::Done]);
    let set = ChangeSet::open(world.path("set.crm")).unwrap();
    set.undo(world.path("undo.crm")).await.unwrap();
    let undo = ChangeSet::open(world.path("undo.crm")).unwrap();
    world.apply(Apply::new(undo)).await.unwrap();
    assert_eq!(world.location_contact(2001, 3002).memo, before.memo);
}

/// Counts the answers to writes that do not tell when the request left.
struct Untold {
    inner: Arc<dyn Transport>,
    untold: AtomicU32,
}

#[async_trait]
impl Transport for Untold {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let response = self.inner.send(request).await?;
        let is_told = SentAt::of(&response).is_some();
        self.untold.fetch_add(u32::from(!is_told), Relaxed);
        Ok(response)
    }
}

#[tokio::test]
async fn the_answer_to_each_write_tells_how_long_it_waited() {
    let mut world = world(Seed::Demo).await;
    let set = world.plan(FOUR_ROWS, "set.crm").await;
    let untold = Arc::new(Untold {
        inner: Arc::clone(world.service.transport()),
        untold: AtomicU32::new(0),
    });
    let transport: Arc<dyn Transport> = untold.clone();
    world.service = ContactsService::new(transport, world.site.tenant());
    assert_eq!(world.apply(Apply::new(set)).await.unwrap().count(State::Done), 4);
    assert_eq!(untold.untold.load(Relaxed), 0);
}
