//! The reverse of a set.
#![allow(clippy::unwrap_used, reason = "a test fails so")]

mod common;

use common::*;
use crm_bulk::{
    Action, Apply, BulkError, Change, ChangeSet, Event, Image, Input, MirrorError, OptOut, Remark,
    ReverseSet, Selection, Snapshot, State, StopReason, Target, UndoSummary,
};
use crm_models::{
    ContactChange, ContactId, LocationId, Preference, Tolerance, UpdateContactMethodRequest,
    UpdateContactRequest,
};
use crm_sandbox::{Fault, FaultPlan, FaultRule, Seed, StoredContact};
use futures_util::TryStreamExt;

fn every_member() -> String {
    let (flags, none, off) = (flag_columns(), flag_cells(|_| ""), flag_cells(|_| "off"));
    let only = |on| flag_cells(move |flag| if flag == on { "on" } else { "off" });
    let (invoices, marketing) = (only(Preference::Invoices), only(Preference::MarketingUpdates));
    format!(
        "location_id,customer_id,contact_id,action,type,value,memo,{flags}
2001,,3001,,Phone,8185550191,(clear),{invoices}
2001,,3002,update,,other@site.example,Now with memo,{marketing}
2001,,3003,delete,,,,{none}
,1001,4001,delete,,,,{none}
,1001,4002,,,,Other memo,{none}
2002,,,create,Email,new@site.example,,{off}
"
    )
}

/// What a person sees of a contact: everything but its id and times.
fn seen(contact: &StoredContact) -> StoredContact {
    let mut seen = contact.clone();
    seen.id = 0;
    seen.created_on.clear();
    seen.modified_on.clear();
    seen
}

fn all(world: &World) -> Vec<String> {
    let mut all: Vec<_> = world
        .stored()
        .iter()
        .map(|((kind, _, _), contact)| format!("{kind} {:?}", seen(contact)))
        .collect();
    all.sort();
    all
}

#[tokio::test]
async fn undo_restores_every_member_of_updated_deleted_and_created_contacts() {
    let world = world(Seed::Demo).await;
    let before = all(&world);
    let set = world.plan(&every_member(), "set.crm").await;
    let finished = world.apply(Apply::new(set)).await.unwrap();
    assert_eq!(finished.count(State::Done), 6, "{:#?}", changes(&world.path("set.crm")));
    assert_ne!(all(&world), before);

    let set = ChangeSet::open(world.path("set.crm")).unwrap();
    let summary = set.undo(world.path("undo.crm")).await.unwrap();
    assert_eq!((summary.planned, summary.impossible), (6, 0));
    let undo = ChangeSet::open(world.path("undo.crm")).unwrap();
    let finished = world.apply(Apply::new(undo)).await.unwrap();
    assert_eq!(finished.count(State::Done), 6, "{:#?}", changes(&world.path("undo.crm")));
    assert_eq!(all(&world), before);
}

#[tokio::test]
async fn a_value_that_no_row_may_have_is_restored_all_the_same() {
    let mut world = world(Seed::Demo).await;
    let builder = crm_sandbox::Sandbox::builder().seed(Seed::Demo);
    let builder = builder.set("value-checks", "off").unwrap();
    let builder = builder.set("phone-values", "verbatim").unwrap();
    world.sandbox = builder.start().await.unwrap();
    world.service = service(world.sandbox.connection());
    world.site = crm_bulk::Site::of(&world.service, &world.sandbox.connection().api_url);

    let service = world.service.clone().tolerating(Tolerance::Anything);
    let location = service.location(2001.try_into().unwrap());
    for (id, value) in [(3002, "a@site.example; b@site.example"), (3001, "call office")] {
        let odd = UpdateContactRequest::new().value(value).memo("Front\u{b}door");
        location.send(id.try_into().unwrap(), odd).await.unwrap();
    }
    let before = all(&world);
    let rows = "location_id,contact_id,action,value,memo\n\
                2001,3002,update,a@site.example,(clear)\n2001,3001,delete,,\n";
    let set = world.plan(rows, "set.crm").await;
    world.apply(Apply::new(set)).await.unwrap();
    assert_ne!(all(&world), before);

    let set = ChangeSet::open(world.path("set.crm")).unwrap();
    set.undo(world.path("undo.crm")).await.unwrap();
    let undo = ChangeSet::open(world.path("undo.crm")).unwrap();
    world.apply(Apply::new(undo)).await.unwrap();
    assert_eq!(all(&world), before);
}

#[tokio::test]
async fn deleted_duplicates_come_back_both() {
    let world = world(Seed::Demo).await;
    let create = "location_id,action,type,value\n2001,create,Email,twin@site.example\n";
    let location = world.service.location(LocationId::new(2001).unwrap());
    world.apply(Apply::new(world.plan(create, "one.crm").await)).await.unwrap();
    let twin =
        crm_models::CreateContactRequest::new(crm_models::ContactType::Email, "twin@site.example");
    location.create(twin).await.unwrap();
    let before = all(&world);

    let twins: Vec<_> =
        world.stored().into_values().filter(|c| c.value == "twin@site.example").collect();
    let rows: String = twins.iter().map(|twin| format!("2001,{},delete\n", twin.id)).collect();
    let set = world.plan(&format!("location_id,contact_id,action\n{rows}"), "two.crm").await;
    world.apply(Apply::new(set)).await.unwrap();
    ChangeSet::open(world.path("two.crm")).unwrap().undo(world.path("undo.crm")).await.unwrap();
    let undo = || Apply::new(ChangeSet::open(world.path("undo.crm")).unwrap());
    world.apply(undo().canary(1)).await.unwrap();
    assert_eq!(undone_of(&world, "two.crm", &["undo.crm"]), (vec![1], 1), "one for one");
    world.apply(undo()).await.unwrap();
    assert_eq!(undone_of(&world, "two.crm", &["undo.crm"]), (vec![2], 0));
    assert_eq!(all(&world), before);
}

#[tokio::test]
async fn an_undo_is_as_old_as_the_first_answer_on_which_it_rests() {
    let world = world(Seed::Demo).await;
    let rows = "location_id,contact_id,memo\n2001,3001,by the set\n2001,3002,by the set\n";
    world.apply(Apply::new(world.plan(rows, "set.crm").await)).await.unwrap();
    let answered = changes(&world.path("set.crm")).into_iter();
    let answered = answered.filter_map(|change| change.outcome.at).min();
    assert!(answered.is_some());
    let set = ChangeSet::open(world.path("set.crm")).unwrap();
    set.undo(world.path("undo.crm")).await.unwrap();
    let undo = ChangeSet::open(world.path("undo.crm")).unwrap();
    assert_eq!(undo.info().unwrap().known_at, answered);
}

#[tokio::test]
async fn a_contact_that_others_changed_after_the_set_keeps_their_change() {
    let world = world(Seed::Demo).await;
    let rows = "location_id,contact_id,memo\n2001,3001,by the set\n2001,3002,by the set\n";
    world.apply(Apply::new(world.plan(rows, "set.crm").await)).await.unwrap();
    let location = world.service.location(LocationId::new(2001).unwrap());
    let by_hand = ContactChange::new().memo("by hand");
    location.update(ContactId::new(3001).unwrap(), &by_hand).await.unwrap();

    let set = ChangeSet::open(world.path("set.crm")).unwrap();
    set.undo(world.path("undo.crm")).await.unwrap();
    let undo = ChangeSet::open(world.path("undo.crm")).unwrap();
    world.apply(Apply::new(undo)).await.unwrap();
    assert_eq!(states(&world.path("undo.crm")), [State::Drifted, State::Done]);
    assert_eq!(world.location_contact(2001, 3001).memo.as_deref(), Some("by hand"));
    assert_eq!(world.location_contact(2001, 3002).memo, None);
}

#[tokio::test]
async fn unknown_preferences_are_said_to_be_lost() {
    let world = world(Seed::Demo).await;
    let (flags, off) = (flag_columns(), flag_cells(|_| "off"));
    let rows = format!("location_id,contact_id,{flags}\n2001,3005,{off}\n");
    world.apply(Apply::new(world.plan(&rows, "set.crm").await)).await.unwrap();
    let set = ChangeSet::open(world.path("set.crm")).unwrap();
    let summary = set.undo(world.path("undo.crm")).await.unwrap();
    assert_eq!((summary.planned, summary.impossible), (0, 1));
    let message = changes(&world.path("undo.crm"))[0].outcome.message.clone().unwrap();
    assert!(message.contains("unknown before"), "{message}");

    let undo = ChangeSet::open(world.path("undo.crm")).unwrap();
    world.apply(Apply::new(undo).retry_failed()).await.unwrap();
    let states = states(&world.path("undo.crm"));
    assert_eq!(states, [State::Failed], "there is nothing to repeat");
}

#[tokio::test]
async fn an_undo_does_not_overwrite_a_file() {
    let world = world(Seed::Demo).await;
    let set = world.plan(&every_member(), "set.crm").await;
    let error = set.undo(world.path("set.crm")).await.unwrap_err();
    assert!(matches!(error, BulkError::Mirror(MirrorError::Exists { .. })), "{error}");
    assert!(ChangeSet::open(world.path("set.crm")).is_ok());
}

impl World {
    /// Writes the undo of a set and what applying it came to.
    async fn undo(&self, set: &str, out: &str) -> UndoSummary {
        let set = ChangeSet::open(self.path(set)).unwrap();
        let summary = set.undo(self.path(out)).await.unwrap();
        let undo = ChangeSet::open(self.path(out)).unwrap();
        self.apply(Apply::new(undo)).await.unwrap();
        summary
    }

    /// Plans to turn every flag of a number of the seed off; keeps two people's methods.
    async fn opt_out(&self) -> ChangeSet {
        let mut snapshot = Snapshot::open_or_create(self.path("snapshot"), &self.site).unwrap();
        let read = snapshot.update(&self.service, &self.site, |_| {});
        read.await.unwrap();
        let list = Input::csv("list", std::io::Cursor::new("2135550177"));
        let plan = OptOut::new(self.site.clone(), snapshot).every_flag();
        plan.plan(&self.service, list, self.path("set.crm")).await.unwrap();
        ChangeSet::open(self.path("set.crm")).unwrap()
    }
}

/// What a contact method's preferences are in a picture, and the states of those changes.
fn methods(set: &std::path::Path) -> Vec<Change> {
    let mut changes = changes(set);
    changes.retain(|change| matches!(change.target, Target::Method { .. }));
    changes
}

fn flags(image: Option<&Image>) -> Vec<Option<bool>> {
    let image = image.and_then(Image::as_method);
    image.map_or(Vec::new(), |method| method.preferences.values().copied().collect())
}

/// Meets the second preference that is set of one contact method.
fn second_preference(status: u16) -> FaultPlan {
    let rule = FaultRule::new(Fault::Status { status });
    FaultPlan::new().rule(rule.method("PATCH").path("/preferences/").nth(2))
}

#[tokio::test]
async fn preferences_that_were_set_half_way_are_known_to_a_repeat_and_to_an_undo() {
    for (status, state) in [(403, State::Unknown), (400, State::Failed)] {
        let world = world(Seed::Demo).await;
        let set = world.opt_out().await;
        let on = flags(methods(&world.path("set.crm"))[0].before.as_ref());
        let one = std::num::NonZeroUsize::MIN;
        world.sandbox.inject(second_preference(status));
        let finished = world.apply(Apply::new(set).concurrency(one)).await.unwrap();
        assert_eq!(finished.reason == StopReason::Forbidden, state == State::Unknown);
        let half = methods(&world.path("set.crm")).remove(0);
        assert_eq!(half.outcome.state, state, "{half:?}");
        assert_eq!(flags(half.before.as_ref()), on);
        let off = |flags: Vec<Option<bool>>| flags.iter().filter(|on| **on == Some(false)).count();
        assert_eq!(off(flags(half.after.as_ref())), off(on.clone()) + 1);

        // Taken back as far as it came.
        let summary = world.undo("set.crm", "undo.crm").await;
        assert_eq!(summary.unresolved, u64::from(state == State::Unknown));
        let undone = methods(&world.path("undo.crm")).remove(0);
        // One that was not set before cannot be made so again.
        let restored = [State::Done, State::Already].contains(&undone.outcome.state);
        assert!(restored, "{undone:?}");

        // Repeated: what the set wrote itself is no drift.
        let set = ChangeSet::open(world.path("set.crm")).unwrap();
        world.apply(Apply::new(set).retry_failed()).await.unwrap();
        let done = methods(&world.path("set.crm")).remove(0);
        assert_eq!(done.outcome.state, State::Done, "{done:?}");
        assert_eq!(flags(done.before.as_ref()), on);
        assert_eq!(flags(done.after.as_ref()), [Some(false); 4]);
    }
}

#[tokio::test]
async fn a_contact_method_with_another_number_is_left_alone() {
    let world = world(Seed::Demo).await;
    let set = world.opt_out().await;
    let Target::Method { person, method } = methods(&world.path("set.crm"))[0].target else {
        panic!("no method");
    };
    let other = UpdateContactMethodRequest::new().value("2135550188");
    let handle = world.service.person(person).method(method);
    handle.update(other).await.unwrap();
    let before = handle.preferences().await.unwrap();
    world.apply(Apply::new(set)).await.unwrap();
    let states: Vec<_> =
        methods(&world.path("set.crm")).iter().map(|change| change.outcome.state).collect();
    assert_eq!(states, [State::Drifted, State::Done]);
    assert_eq!(handle.preferences().await.unwrap(), before);
}

/// A set, with what these have undone of it.
fn undone(world: &World, reverses: &[&str]) -> (Vec<u64>, u64) {
    undone_of(world, "set.crm", reverses)
}

fn undone_of(world: &World, set: &str, reverses: &[&str]) -> (Vec<u64>, u64) {
    undone_by(world, set, reverses.iter().map(|name| world.path(name).into()))
}

fn undone_by(
    world: &World,
    set: &str,
    reverses: impl IntoIterator<Item = ReverseSet>,
) -> (Vec<u64>, u64) {
    let set = ChangeSet::open(world.path(set)).unwrap().reversed_by(reverses);
    let undone = set.undone().unwrap();
    let by: Vec<_> = undone.by.iter().map(|it| it.changes).collect();
    // Change by change it comes to the same, and of each owner alone.
    let which = set.undone_changes().unwrap();
    let (mut counted, mut standing) = (vec![0; by.len()], 0);
    for change in set.changes(&Selection::states([State::Done])).map(Result::unwrap) {
        let of_owner = set.undone_changes_of_owner(&change.target).unwrap();
        let one = which.by(change.id);
        assert_eq!(of_owner.by(change.id).map(|it| &it.set), one.map(|it| &it.set));
        match undone.by.iter().position(|it| one == Some(it)) {
            Some(place) => counted[place] += 1,
            None => standing += 1,
        }
    }
    assert_eq!((&counted, standing), (&by, undone.standing));
    (by, standing)
}

#[tokio::test]
async fn what_is_done_after_an_undo_or_left_by_it_still_stands() {
    let world = world(Seed::Demo).await;
    let before = all(&world);
    let canary =
        |set: &str, many| Apply::new(ChangeSet::open(world.path(set)).unwrap()).canary(many);
    world.plan(&every_member(), "set.crm").await;
    world.apply(canary("set.crm", 4)).await.unwrap();
    assert_eq!(undone(&world, &[]), (vec![], 4));

    let set = ChangeSet::open(world.path("set.crm")).unwrap();
    let summary = set.undo(world.path("one.crm")).await.unwrap();
    assert_eq!((summary.planned, summary.open, summary.undone), (4, 2, 0));
    assert_eq!(undone(&world, &["one.crm"]), (vec![], 4), "nothing was sent yet");
    world.apply(canary("one.crm", 3)).await.unwrap();
    assert_eq!(undone(&world, &["one.crm"]), (vec![3], 1));
    world.apply(canary("set.crm", 2)).await.unwrap();
    world.apply(canary("one.crm", 1)).await.unwrap();
    assert_eq!(undone(&world, &["one.crm"]), (vec![4], 2));

    let set = ChangeSet::open(world.path("set.crm")).unwrap().reversed_by([world.path("one.crm")]);
    let summary = set.undo(world.path("two.crm")).await.unwrap();
    assert_eq!((summary.planned, summary.open, summary.undone), (2, 0, 4));
    world.apply(canary("two.crm", 2)).await.unwrap();
    assert_eq!(undone(&world, &["one.crm", "two.crm"]), (vec![4, 2], 0));
    assert_eq!(all(&world), before);

    let mut page = Vec::new();
    set.reversed_by(["one.crm", "two.crm"].map(|name| world.path(name))).report(&mut page).unwrap();
    let page = String::from_utf8(page).unwrap();
    assert!(page.contains("4 of 6</b> changes that were done have been undone"), "{page}");
    assert!(page.contains(">two.crm<"), "{page}");
}

#[tokio::test]
async fn what_an_undo_took_back_stands_again_once_that_is_undone() {
    let world = world(Seed::Demo).await;
    world.plan(&every_member(), "set.crm").await;
    world.apply(Apply::new(ChangeSet::open(world.path("set.crm")).unwrap())).await.unwrap();
    let done = all(&world);
    world.undo("set.crm", "undo.crm").await;
    assert_eq!(undone(&world, &["undo.crm"]), (vec![6], 0));

    let chain = |names: [&str; 3]| {
        let none = Vec::<ReverseSet>::new();
        let chain = names.iter().rev().filter(|name| world.path(name).exists());
        chain.fold(none, |inner, name| vec![ReverseSet::new(world.path(name)).reversed_by(inner)])
    };
    let names = ["undo.crm", "redo.crm", "again.crm"];
    let undo = ChangeSet::open(world.path("undo.crm")).unwrap();
    undo.undo(world.path("redo.crm")).await.unwrap();
    assert_eq!(undone_by(&world, "set.crm", chain(names)), (vec![6], 0), "nothing was sent yet");
    for (many, of_set) in [(2, (vec![4], 2)), (4, (vec![], 6))] {
        let redo = ChangeSet::open(world.path("redo.crm")).unwrap();
        world.apply(Apply::new(redo).canary(many)).await.unwrap();
        assert_eq!(undone_by(&world, "set.crm", chain(names)), of_set);
    }
    assert_eq!(all(&world), done);

    // And taken back once more.
    world.undo("redo.crm", "again.crm").await;
    assert_eq!(undone_by(&world, "set.crm", chain(names)), (vec![6], 0));
}

#[tokio::test]
async fn an_undo_says_for_how_many_it_turns_marketing_on_again() {
    let world = world(Seed::Demo).await;
    let set = world.opt_out().await;
    let finished = world.apply(Apply::new(set)).await.unwrap();
    let was_on = |change: &Change| match change.before.as_ref().unwrap() {
        Image::Contact(contact) => {
            contact.preferences.is_some_and(|flags| flags.get(Preference::MarketingUpdates))
        }
        Image::Method(method) => method
            .preferences
            .iter()
            .any(|(name, on)| *on == Some(true) && name.to_lowercase().contains("marketing")),
        _ => false,
    };
    let all = changes(&world.path("set.crm"));
    let wanted = all.iter().filter(|it| it.outcome.state == State::Done && was_on(it)).count();
    assert!(wanted > 0 && finished.count(State::Done) > 0);
    let set = ChangeSet::open(world.path("set.crm")).unwrap();
    let summary = set.undo(world.path("undo.crm")).await.unwrap();
    assert_eq!(summary.marketing_on, wanted as u64);
    let undo = ChangeSet::open(world.path("undo.crm")).unwrap();
    let told = |many: usize| format!("turns marketing on again for {many} numbers and addresses");
    let notes = undo.notes().unwrap();
    assert!(notes[0].contains(&told(wanted)), "{notes:?}");
    // What somebody takes out is not counted any more, also of people.
    let turns_on = changes(undo.path());
    let of_people = turns_on.iter().find(|it| matches!(it.action, Action::MethodPreferences(_)));
    let of_others = turns_on.iter().find(|it| matches!(it.action, Action::Update(_)));
    let both = [of_people.unwrap(), of_others.unwrap()].map(|change| change.id.get());
    undo.drop_changes(&Selection::all().numbers(both), Remark::new()).await.unwrap();
    let notes = undo.notes().unwrap();
    assert!(notes[0].contains(&told(wanted - 2)), "{notes:?}");
}

#[tokio::test]
async fn what_was_deleted_comes_back_once_however_often_it_is_taken_back() {
    let world = world(Seed::Demo).await;
    let before = all(&world);
    let rows = "location_id,contact_id,action\n2001,3001,delete\n2001,3003,delete\n";
    world.apply(Apply::new(world.plan(rows, "set.crm").await)).await.unwrap();
    world.undo("set.crm", "one.crm").await;
    assert_eq!(all(&world), before);
    world.undo("set.crm", "two.crm").await;
    assert_eq!(states(&world.path("two.crm")), [State::Drifted; 2]);
    assert_eq!(all(&world), before);
}

#[tokio::test]
async fn a_set_that_was_carried_out_in_part_is_taken_back_in_part() {
    let world = world(Seed::Demo).await;
    let before = all(&world);
    let set = world.plan(&every_member(), "set.crm").await;
    let finished = world.apply(Apply::new(set).canary(3)).await.unwrap();
    assert_eq!(finished.reason, StopReason::Canary);
    let summary = world.undo("set.crm", "undo.crm").await;
    assert_eq!((summary.planned, summary.unresolved), (3, 0));
    assert_eq!(all(&world), before);
}

#[tokio::test]
async fn a_contact_that_another_row_changed_is_not_taken_for_one_that_was_created() {
    let world = world(Seed::Demo).await;
    let before = all(&world);
    let rows = "location_id,contact_id,action,type,value\n\
                2001,3002,,,new@site.example\n2001,,create,Email,new@site.example\n";
    let set = world.plan(rows, "set.crm").await;
    // Not carried out, but nobody knows; meanwhile the other contact gets the value.
    let lost = FaultRule::new(Fault::ResetAfterRequest).method("POST");
    let lost = lost.path("/contacts").nth(1);
    world.sandbox.inject(FaultPlan::new().rule(lost));
    world.apply(Apply::new(set)).await.unwrap();
    let expected = [State::Done, State::Already];
    assert_eq!(states(&world.path("set.crm")), expected);
    world.undo("set.crm", "undo.crm").await;
    assert_eq!(all(&world), before);
}

#[tokio::test]
async fn what_may_have_been_written_and_was_set_aside_is_told_apart_from_what_is_read_back() {
    let world = world(Seed::Demo).await;
    let rows = "location_id,contact_id,memo\n2001,3001,by the set\n";
    let set = world.plan(rows, "set.crm").await;
    let late = Fault::Delay { milliseconds: 600_000 };
    let late = FaultRule::new(late).method("PATCH").nth(1);
    world.sandbox.inject(FaultPlan::new().rule(late));
    let mut events = Apply::new(set).run(&world.service, &world.site).unwrap();
    let memo = || world.location_contact(2001, 3001).memo.unwrap();
    while memo() != "by the set" {
        let moment = std::time::Duration::from_millis(20);
        let _ = tokio::time::timeout(moment, events.try_next()).await;
    }
    drop(events);
    let undo = async |name: &str| {
        let set = ChangeSet::open(world.path("set.crm")).unwrap();
        let summary = set.undo(world.path(name)).await.unwrap();
        (summary.unresolved, summary.set_aside)
    };
    assert_eq!(undo("one.crm").await, (1, 0));

    let location = world.service.location(LocationId::new(2001).unwrap());
    let by_hand = ContactChange::new().memo("by hand");
    let contact = ContactId::new(3001).unwrap();
    location.update(contact, &by_hand).await.unwrap();
    let set = ChangeSet::open(world.path("set.crm")).unwrap();
    world.apply(Apply::new(set)).await.unwrap();
    assert_eq!(states(&world.path("set.crm")), [State::Drifted]);
    assert_eq!(undo("two.crm").await, (0, 1));
}

#[tokio::test]
async fn preferences_whose_answers_nobody_saw_are_told_when_they_are_read_back() {
    let world = world(Seed::Demo).await;
    let set = world.opt_out().await;
    let late = Fault::Delay { milliseconds: 600_000 };
    let late = FaultRule::new(late).method("PATCH");
    let late = late.path("/preferences/").nth(2);
    world.sandbox.inject(FaultPlan::new().rule(late));
    let one = std::num::NonZeroUsize::MIN;
    let apply = Apply::new(set).concurrency(one);
    let mut events = apply.run(&world.service, &world.site).unwrap();
    let Target::Method { person, method } = methods(&world.path("set.crm"))[0].target else {
        panic!("no method");
    };
    let handle = world.service.person(person).method(method);
    let off = async || {
        let preferences = handle.preferences().await.unwrap();
        let off = preferences.iter().filter(|one| one.as_bool() == Some(false));
        off.count()
    };
    let already = off().await;
    while off().await < already + 2 {
        let moment = std::time::Duration::from_millis(20);
        let _ = tokio::time::timeout(moment, events.try_next()).await;
    }
    drop(events);

    let set = ChangeSet::open(world.path("set.crm")).unwrap();
    let mut events = Apply::new(set).run(&world.service, &world.site).unwrap();
    let (mut found, mut sent) = (Vec::new(), Vec::new());
    while let Some(event) = events.try_next().await.unwrap() {
        match event {
            Event::Written(write) if write.target == Target::Method { person, method } => {
                let told = if write.read_back { &mut found } else { &mut sent };
                told.push(write.preference.unwrap());
            }
            _ => {}
        }
    }
    assert_eq!((found.len(), found.len() + sent.len()), (2, 4 - already));
}
