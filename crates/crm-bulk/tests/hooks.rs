//! What a program of its own has to say while a set is carried out.
#![allow(clippy::unwrap_used, reason = "a test fails so")]

mod common;

use std::sync::{Arc, Mutex};

use common::*;
use crm_bulk::{
    Apply, BulkError, ChangeSet, Deviation, Event, OnDrift, OptOut, Proposal, Resulting, State,
    StopReason, Target, Verdict,
};
use crm_models::{ContactChange, ContactId, LocationId, PreferenceChange};
use crm_sandbox::Seed;
use futures_util::TryStreamExt;

impl World {
    fn open(&self) -> ChangeSet {
        ChangeSet::open(self.path("set.crm")).unwrap()
    }

    fn messages(&self) -> Vec<(State, String)> {
        let all = changes(&self.path("set.crm")).into_iter();
        all.map(|change| (change.outcome.state, change.outcome.message.unwrap_or_default()))
            .collect()
    }

    async fn edit(&self, contact: i64, change: ContactChange) {
        let location = self.service.location(LocationId::new(2001).unwrap());
        location.update(ContactId::new(contact).unwrap(), &change).await.unwrap();
    }
}

#[tokio::test]
async fn a_change_is_held_back_by_what_the_record_becomes() {
    let world = world(Seed::Demo).await;
    let flags = PreferenceChange::all(false).marketing_updates(true);
    world.edit(3001, ContactChange::new().preferences(flags)).await;
    let marketing = PreferenceChange::all(false);
    world.edit(3002, ContactChange::new().preferences(marketing)).await;
    // Neither row names the flag that decides.
    world.plan("location_id,contact_id,memo\n2001,3001,new\n2001,3002,new\n", "set.crm").await;
    let before = world.location_contact(2001, 3001);
    let (seen, sent) = (Arc::new(Mutex::new(Vec::new())), world.sent("PATCH"));
    let shown = Arc::clone(&seen);
    let guard = move |proposal: Proposal| {
        shown.lock().unwrap().push(proposal.clone());
        async move {
            let Resulting::Contact(contact) = proposal.result else {
                panic!("no contact");
            };
            match contact.get_preferences().get_marketing_updates() {
                Some(true) => Verdict::Hold("no consent is on record".to_owned()),
                _ => Verdict::Send,
            }
        }
    };
    for dry in [true, false] {
        let apply = Apply::new(world.open()).before(guard.clone());
        let apply = if dry { apply.dry_run() } else { apply };
        let finished = world.apply(apply).await.unwrap();
        assert_eq!(finished.count(State::Held), 1);
    }
    let held = (State::Held, "no consent is on record".to_owned());
    assert_eq!(world.messages(), [held, (State::Done, String::new())]);
    assert_eq!(world.sent("PATCH") - sent, 1);
    assert_eq!(world.location_contact(2001, 3001), before);
    {
        let seen = seen.lock().unwrap();
        assert_eq!(seen.len(), 4, "each time that a change was decided");
        let held = seen.iter().find(|proposal| proposal.change.row == Some(1)).unwrap();
        let current = held.current.as_ref().unwrap().as_contact().unwrap();
        assert_eq!(current.value, before.value);
        let Resulting::Contact(result) = &held.result else {
            panic!("no contact");
        };
        assert_eq!(result.get_memo(), Some("new"));
        assert_eq!(result.get_value(), Some(&*before.value));
        assert_eq!(held.change.outcome.attempts, 0, "it is not claimed yet");
    }
    // Once there is a consent it is asked again.
    let consents = async |_: Proposal| Verdict::Send;
    world.apply(Apply::new(world.open()).before(consents).retry_failed()).await.unwrap();
    assert_eq!(states(&world.path("set.crm")), [State::Done; 2]);
}

#[tokio::test]
async fn creations_deletions_and_methods_are_proposed_as_they_will_be() {
    let world = world(Seed::Demo).await;
    let rows = "location_id,contact_id,action,type,value,memo,job_reminders,marketing_updates,\
                invoices,statements\n\
                2002,,create,Email,new@site.example,hello,on,off,on,on\n2001,3001,delete,,,,,,,\n";
    world.plan(rows, "set.crm").await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let shown = Arc::clone(&seen);
    let watch = move |proposal: Proposal| {
        shown.lock().unwrap().push((proposal.current.is_some(), proposal.result));
        async { Verdict::Send }
    };
    world.apply(Apply::new(world.open()).before(watch.clone())).await.unwrap();
    let flags = PreferenceChange::all(true).marketing_updates(false);
    let created = ContactChange::new().contact_type("Email".into()).value("new@site.example");
    let created = created.memo("hello").preferences(flags);
    {
        let seen = seen.lock().unwrap();
        assert_eq!(seen.len(), 2, "a creation once: {seen:?}");
        assert!(seen.contains(&(false, Resulting::Contact(created))), "{seen:?}");
        assert!(seen.contains(&(true, Resulting::Deleted)), "{seen:?}");
    }
    seen.lock().unwrap().clear();

    let opt_out = OptOut::new(world.site.clone(), world.snapshot().await);
    let list = crm_bulk::Input::csv("list", std::io::Cursor::new("phone\n2135550177\n"));
    opt_out.plan(&world.service, list, world.path("opt-out.crm")).await.unwrap();
    let hold = move |proposal: Proposal| {
        let is_method = matches!(&proposal.result, Resulting::Method(method)
            if method.preferences.values().any(|on| *on == Some(false)));
        drop(watch(proposal));
        async move { if is_method { Verdict::Hold("not yet".to_owned()) } else { Verdict::Send } }
    };
    let set = ChangeSet::open(world.path("opt-out.crm")).unwrap();
    let held = world.apply(Apply::new(set).before(hold)).await.unwrap().count(State::Held);
    let methods = changes(&world.path("opt-out.crm")).into_iter();
    let methods: Vec<_> =
        methods.filter(|change| matches!(change.target, Target::Method { .. })).collect();
    assert_eq!(held, methods.len() as u64);
    assert!(held > 0 && methods.iter().all(|method| method.outcome.attempts == 0), "{methods:?}");
}

#[tokio::test]
async fn an_outcome_is_told_once_it_is_durable() {
    let world = world(Seed::Demo).await;
    world.plan("location_id,contact_id,memo\n2001,3001,new\n2001,3002,new\n", "set.crm").await;
    let path = world.path("set.crm");
    let told = Arc::new(Mutex::new(Vec::new()));
    let (list, set) = (Arc::clone(&told), path.clone());
    let after = move |change: crm_bulk::Change| {
        let kept = changes(&set).into_iter().find(|kept| kept.id == change.id).unwrap();
        assert_eq!(kept, change, "the set says so already");
        list.lock().unwrap().push(change.outcome.state);
        async {}
    };
    world.apply(Apply::new(world.open()).dry_run().after(after.clone())).await.unwrap();
    assert!(told.lock().unwrap().is_empty());
    world.apply(Apply::new(world.open()).after(after)).await.unwrap();
    assert_eq!(*told.lock().unwrap(), [State::Done; 2]);
}

#[tokio::test]
async fn a_closure_decides_on_each_record_that_has_drifted_and_on_conflicts() {
    let world = world(Seed::Demo).await;
    let rows = "location_id,contact_id,action,type,value,memo\n\
                2001,3001,,,,new\n2001,3002,,,,new\n2002,,create,Email,new@site.example,ours\n";
    world.plan(rows, "set.crm").await;
    world.edit(3001, ContactChange::new().memo("[synced] by a script")).await;
    world.edit(3002, ContactChange::new().memo("by hand")).await;
    let location = world.service.location(LocationId::new(2002).unwrap());
    let other = crm_models::CreateContactRequest::new("Email".into(), "new@site.example");
    location.create(other.memo("theirs")).await.unwrap();

    let memo_of = |deviation: &Deviation| {
        let current = deviation.current.as_ref()?.as_contact()?;
        current.memo.clone()
    };
    let stop = move |deviation: &Deviation| match memo_of(deviation) {
        Some(_) => OnDrift::Abort,
        None => OnDrift::Skip,
    };
    let dry = Apply::new(world.open()).dry_run().on_drift(stop);
    assert_eq!(world.apply(dry).await.unwrap().reason, StopReason::Drift);

    let decide = move |deviation: &Deviation| match memo_of(deviation) {
        Some(memo) if memo.starts_with("[synced]") => OnDrift::Force,
        None if deviation.outcome.state == State::Conflict => OnDrift::Force,
        _ => OnDrift::Skip,
    };
    world.apply(Apply::new(world.open()).on_drift(decide)).await.unwrap();
    let mut states = states(&world.path("set.crm"));
    states.sort_unstable();
    assert_eq!(states, [State::Done, State::Done, State::Drifted]);
    assert_eq!(world.location_contact(2001, 3001).memo.as_deref(), Some("new"));
    assert_eq!(world.location_contact(2001, 3002).memo.as_deref(), Some("by hand"));
    let beside = world.stored().into_values().filter(|contact| contact.value == "new@site.example");
    assert_eq!(beside.count(), 2);
}

#[tokio::test]
async fn a_run_may_go_to_a_task_of_its_own_and_the_next_one_waits_for_one_that_was_dropped() {
    let world = world(Seed::Demo).await;
    world.plan("location_id,contact_id,memo\n2001,3001,new\n2001,3002,new\n", "set.crm").await;
    for _ in 0..3 {
        let mut events = Apply::new(world.open()).run(&world.service, &world.site).unwrap();
        assert!(matches!(events.try_next().await.unwrap(), Some(Event::Started { .. })));
        let again = Apply::new(world.open()).run(&world.service, &world.site);
        assert!(matches!(again.err(), Some(BulkError::InUse { .. })));
    }
    let events = Apply::new(world.open()).run(&world.service, &world.site).unwrap();
    let last = tokio::spawn(events.try_fold(None, async |_, event| Ok(Some(event))));
    let last = last.await.unwrap().unwrap();
    assert!(matches!(last, Some(Event::Finished(_))), "{last:?}");
    assert_eq!(states(&world.path("set.crm")), [State::Done; 2]);
    crm_bulk::idle().await;
    let names = std::fs::read_dir(world.folder.path()).unwrap();
    assert_eq!(names.count(), 1, "no journal is left");
}

#[tokio::test]
async fn whoever_is_told_of_outcomes_is_told_before_more_is_begun() {
    let world = world(Seed::Count(4)).await;
    world.plan("location_id,contact_id,memo\n1,1,a\n1,2,a\n1,3,a\n1,4,a\n", "set.crm").await;
    let begun = Arc::new(Mutex::new(0));
    let (begins, told) = (Arc::clone(&begun), Arc::new(Mutex::new(Vec::new())));
    let tells = Arc::clone(&told);
    let two = std::num::NonZeroUsize::new(2).unwrap();
    let apply = Apply::new(world.open()).concurrency(two);
    let apply = apply.before(move |_| {
        *begins.lock().unwrap() += 1;
        async { Verdict::Send }
    });
    let apply = apply.after(move |_| {
        let (begun, tells) = (Arc::clone(&begun), Arc::clone(&tells));
        async move {
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            let mut told = tells.lock().unwrap();
            let open = *begun.lock().unwrap() - told.len();
            told.push(open);
        }
    });
    let finished = world.apply(apply).await.unwrap();
    assert_eq!(finished.count(State::Done), 4);
    let open = told.lock().unwrap();
    assert!(open.iter().all(|open| *open <= 2), "{open:?}");
}
