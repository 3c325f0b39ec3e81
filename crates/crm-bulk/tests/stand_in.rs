//! Deletions for which another contact has to stand in.
#![allow(clippy::unwrap_used, reason = "a test fails so")]

mod common;

use std::path::Path;

use common::{World, changes, states, world};
use crm_bulk::{Apply, ChangeSet, Input, OnDrift, Plan, Remark, Selection, State, StopReason};
use crm_models::{ContactChange, PreferenceChange};
use crm_sandbox::{Fault, FaultPlan, FaultRule, NewContact, Seed, StoredPreferences};

const KEPT: i64 = 101;
const GONE: i64 = 105;

/// A customer with one number three times, of which only the newest has a memo.
async fn twice() -> World {
    let world = world(Seed::Empty).await;
    world.sandbox.add_customer(1, "Harbor Bakery").unwrap();
    let of = |value: &str| {
        NewContact::of_customer(1, "Phone", value).preferences(StoredPreferences::all(true))
    };
    for contact in [
        of("8182001111").id(KEPT),
        of("8182001111").id(104),
        of("8182001111").id(GONE).memo("Front desk"),
        of("8182002222").id(106),
    ] {
        world.sandbox.add_contact(contact).unwrap();
    }
    world
}

/// The duplicates go, and the memo of one is handed over before; the rows in no helpful order.
const ROWS: &str = "customer_id,contact_id,action,same_as,memo,why\n\
    1,105,delete,101,,\"the same as contact 101, which stays\"\n\
    1,104,delete,101,,\"the same as contact 101, which stays\"\n\
    1,101,,,Front desk,takes over the memo of contact 105\n";

/// The contacts that are left.
fn left(world: &World) -> Vec<i64> {
    world.stored().keys().map(|(_, _, id)| *id).collect()
}

fn message(path: &Path, at: usize) -> String {
    changes(path)[at].outcome.message.clone().unwrap_or_default()
}

async fn edit(world: &World, contact: i64, change: ContactChange) {
    let customer = world.service.customer(1.try_into().unwrap());
    customer.update(contact.try_into().unwrap(), &change).await.unwrap();
}

#[tokio::test]
async fn a_memo_is_handed_over_before_its_contact_goes_and_all_of_it_can_be_taken_back() {
    let world = twice().await;
    let path = world.path("set.crm");
    let set = world.plan(ROWS, "set.crm").await;
    let planned = changes(&path);
    assert_eq!(planned[0].why.as_deref(), Some("the same as contact 101, which stays"));
    assert_eq!(planned[0].outcome.message, None);
    let needed = planned[0].action.stand_in().unwrap();
    assert_eq!((needed.contact.get(), needed.value.as_str()), (KEPT, "8182001111"));

    // A dry run says what would be sent, without what is not handed over in it.
    let dry = world.apply(Apply::new(set).dry_run()).await.unwrap();
    assert_eq!((dry.reason, world.sent("DELETE")), (StopReason::Complete, 0));
    assert_eq!(states(&path), [State::Planned; 3]);

    world.apply(Apply::new(ChangeSet::open(&path).unwrap())).await.unwrap();
    assert_eq!(states(&path), [State::Done; 3]);
    assert_eq!(changes(&path)[0].why, planned[0].why, "it is known afterwards, too");
    assert_eq!(left(&world), [KEPT, 106]);
    let kept = world.stored().remove(&("customer", 1, KEPT)).unwrap();
    assert_eq!(kept.memo.as_deref(), Some("Front desk"));

    let back = world.path("back.crm");
    ChangeSet::open(&path).unwrap().undo(&back).await.unwrap();
    world.apply(Apply::new(ChangeSet::open(&back).unwrap())).await.unwrap();
    assert_eq!(states(&back), [State::Done; 3]);
    assert_eq!(world.stored().len(), 4);
}

#[tokio::test]
async fn the_last_one_of_a_number_is_not_deleted_whatever_became_of_the_others() {
    type Meanwhile = fn(ContactChange) -> ContactChange;
    let changed: [(&str, Meanwhile); 3] = [
        ("number or address", |change| change.value("8182009999")),
        ("type", |change| change.contact_type("Fax".into())),
        ("flags", |change| change.preferences(PreferenceChange::new().marketing_updates(false))),
    ];
    for (member, change) in changed {
        let world = twice().await;
        let path = world.path("set.crm");
        let set = world.plan(ROWS, "set.crm").await;
        edit(&world, KEPT, change(ContactChange::new())).await;
        // What has drifted may be changed anyway; that says nothing of what is lost.
        world.apply(Apply::new(set).on_drift(OnDrift::Force)).await.unwrap();
        assert_eq!(states(&path)[..2], [State::Held; 2], "{member}");
        assert!(message(&path, 0).contains(member), "{}", message(&path, 0));
        assert_eq!(world.sent("DELETE"), 0, "{member}");
    }
    let world = twice().await;
    let path = world.path("set.crm");
    let set = world.plan(ROWS, "set.crm").await;
    let customer = world.service.customer(1.try_into().unwrap());
    customer.delete(KEPT.try_into().unwrap()).await.unwrap();
    world.apply(Apply::new(set)).await.unwrap();
    assert_eq!(states(&path), [State::Held, State::Held, State::NotFound]);
    assert!(message(&path, 0).contains("contact 101") && message(&path, 0).contains("last one"));
    assert_eq!(left(&world), [104, GONE, 106]);

    // Held is not open, and asking again asks the same.
    let again = || Apply::new(ChangeSet::open(&path).unwrap());
    world.apply(again().retry_failed()).await.unwrap();
    assert_eq!(states(&path)[..2], [State::Held; 2]);
    assert_eq!(left(&world), [104, GONE, 106]);
}

#[tokio::test]
async fn a_contact_whose_memo_is_not_handed_over_stays_until_it_is() {
    let world = twice().await;
    let path = world.path("set.crm");
    let set = world.plan(ROWS, "set.crm").await;
    let handing_over = Selection::all().numbers([3]);
    let dropped = set.drop_changes(&handing_over, Remark::new()).await.unwrap();
    let holds: Vec<_> = dropped.holds.iter().map(|id| id.get()).collect();
    assert_eq!(holds, [1], "the other one has no memo to lose");
    // Nobody has to apply it to see that.
    assert_eq!(states(&path), [State::Held, State::Planned, State::Dropped]);
    let why = message(&path, 0);
    assert!(
        why.contains("contact 101, which was to stay in its place, has not taken over"),
        "{why}"
    );
    assert!(why.ends_with("; change 3, which would have seen to that, was dropped"), "{why}");
    assert_eq!(set.totals().unwrap().in_state(State::Held), 1);
    assert_eq!(set.digest().unwrap(), dropped.digest);
    drop(set);
    world.apply(Apply::new(ChangeSet::open(&path).unwrap())).await.unwrap();
    assert_eq!(states(&path), [State::Held, State::Done, State::Dropped]);
    assert!(message(&path, 0).contains("memo"), "{}", message(&path, 0));
    assert_eq!(left(&world), [KEPT, GONE, 106]);

    edit(&world, KEPT, ContactChange::new().memo("Front desk")).await;
    world.apply(Apply::new(ChangeSet::open(&path).unwrap()).retry_failed()).await.unwrap();
    assert_eq!(states(&path), [State::Done, State::Done, State::Dropped]);
    assert_eq!(left(&world), [KEPT, 106]);
}

#[tokio::test]
async fn a_canary_that_stops_before_the_memo_is_handed_over_deletes_nothing() {
    let world = twice().await;
    let path = world.path("set.crm");
    let set = world.plan(ROWS, "set.crm").await;
    world.apply(Apply::new(set).canary(1)).await.unwrap();
    assert_eq!(states(&path), [State::Planned, State::Planned, State::Done]);
    world.apply(Apply::new(ChangeSet::open(&path).unwrap())).await.unwrap();
    assert_eq!(states(&path), [State::Done; 3]);
}

#[tokio::test]
async fn what_a_deletion_needs_is_part_of_what_is_approved() {
    let world = twice().await;
    let with = world.plan(ROWS, "with.crm").await;
    let without = world.plan(&ROWS.replace("delete,101", "delete,"), "without.crm").await;
    let other = world.plan(&ROWS.replacen("delete,101", "delete,106", 1), "other.crm").await;
    let digests = [&with, &without, &other].map(|set| set.digest().unwrap());
    assert_ne!(digests[0], digests[1]);
    assert_ne!(digests[0], digests[2]);

    // A row for each contact says it too, so that what was held can be planned again.
    let mut rows = Vec::new();
    with.results_by_contact(crm_bulk::ResultRows::All, &mut rows).unwrap();
    let again = world.plan(&String::from_utf8(rows).unwrap(), "again.crm").await;
    assert_eq!(again.digest().unwrap(), digests[0]);
}

#[tokio::test]
async fn a_plan_holds_what_nothing_stands_in_for_from_the_api_and_from_a_snapshot() {
    let rows = "customer_id,contact_id,action,same_as\n\
        1,105,delete,106\n1,105,delete,999\n1,104,delete,101\n1,101,delete,104\n";
    let world = twice().await;
    let expect = |path: &Path, which: &[(State, &str)]| {
        for (at, (state, why)) in which.iter().enumerate() {
            assert_eq!(states(path)[at], *state, "change {}", at + 1);
            assert!(message(path, at).contains(why), "{}", message(path, at));
        }
    };
    let apart = |row: usize| {
        let lines: Vec<_> = rows.lines().collect();
        format!("{}\n{}\n", lines[0], lines[row])
    };
    for (row, why) in [(1, "number or address"), (2, "is gone")] {
        let name = format!("{row}.crm");
        world.plan(&apart(row), &name).await;
        expect(&world.path(&name), &[(State::Held, why)]);
        let input = Input::csv("test", std::io::Cursor::new(apart(row)));
        let path = world.path(&format!("offline-{row}.crm"));
        let plan = Plan::new(world.site.clone()).snapshot(world.snapshot().await);
        plan.from_snapshot(input, &path).await.unwrap();
        expect(&path, &[(State::Held, why)]);
    }
    // Nor does a memo that no row hands over.
    let without: String = ROWS.lines().take(3).map(|line| format!("{line}\n")).collect();
    let why = "lacks the memo, and no change of this set hands it over";
    world.plan(&without, "memo.crm").await;
    let input = Input::csv("test", std::io::Cursor::new(without));
    let offline = world.path("memo-offline.crm");
    let plan = Plan::new(world.site.clone()).snapshot(world.snapshot().await);
    plan.from_snapshot(input, &offline).await.unwrap();
    for path in [world.path("memo.crm"), offline] {
        expect(&path, &[(State::Held, why), (State::Planned, "")]);
        ChangeSet::open(&path).unwrap().digest().unwrap();
    }
    // Of two, each because the other one stays, none would be left.
    let both = rows.lines().enumerate().filter(|(at, _)| ![1, 2].contains(at));
    let both: String = both.map(|(_, line)| format!("{line}\n")).collect();
    world.plan(&both, "both.crm").await;
    let why = "is deleted by another row";
    expect(&world.path("both.crm"), &[(State::Conflict, why), (State::Conflict, why)]);
}

/// The undo of the set of [`ROWS`], which was applied; it puts the memo back to the contact that had it.
async fn undone() -> (World, std::path::PathBuf) {
    let world = twice().await;
    let set = world.plan(ROWS, "set.crm").await;
    world.apply(Apply::new(set)).await.unwrap();
    let (set, back) = (world.path("set.crm"), world.path("back.crm"));
    ChangeSet::open(&set).unwrap().undo(&back).await.unwrap();
    (world, back)
}

/// The contacts that have the memo.
fn with_memo(world: &World) -> Vec<i64> {
    let stored = world.stored().into_values();
    let has = stored.filter(|contact| contact.memo.as_deref() == Some("Front desk"));
    has.map(|contact| contact.id).collect()
}

/// The changes of an undo of the set of [`ROWS`]: the creations come in the order of the rows.
const CREATION: i64 = 1;
const TAKING: usize = 2;

#[tokio::test]
async fn an_undo_takes_a_memo_away_only_once_the_contact_that_had_it_is_there_again() {
    let (world, back) = undone().await;
    let dry = Apply::new(ChangeSet::open(&back).unwrap()).dry_run();
    world.apply(dry).await.unwrap();
    assert_eq!(states(&back), [State::Planned; 3], "a dry run says what would be sent");
    let refuse = FaultRule::new(Fault::Status { status: 400 }).method("POST").path("/contacts");
    world.sandbox.inject(FaultPlan::new().rule(refuse.times(0)));
    let again = || Apply::new(ChangeSet::open(&back).unwrap());
    world.apply(again()).await.unwrap();
    assert_eq!(states(&back), [State::Failed, State::Failed, State::Held]);
    let why = message(&back, TAKING);
    assert!(why.contains("would lose the memo"), "{why}");
    assert!(!why.contains("Front desk"), "{why}");
    assert_eq!(with_memo(&world), [KEPT]);

    world.sandbox.inject(FaultPlan::new());
    world.apply(again().retry_failed()).await.unwrap();
    assert_eq!(states(&back), [State::Done; 3]);
    assert!(![vec![], vec![KEPT]].contains(&with_memo(&world)));
    assert_eq!(with_memo(&world).len(), 1);
}

#[tokio::test]
async fn dropping_the_contact_that_had_a_memo_holds_what_takes_it_away() {
    let (world, back) = undone().await;
    let set = ChangeSet::open(&back).unwrap();
    let before = set.digest().unwrap();
    let creation = Selection::all().numbers([CREATION]);
    let dropped = set.drop_changes(&creation, Remark::new()).await.unwrap();
    assert_eq!(dropped.holds.iter().map(|id| id.get()).collect::<Vec<_>>(), [3]);
    assert_eq!(states(&back), [State::Dropped, State::Planned, State::Held]);
    let why = message(&back, TAKING);
    assert!(why.ends_with("; change 1, which would have seen to that, was dropped"), "{why}");
    assert_eq!(set.digest().unwrap(), dropped.digest);
    assert_ne!(dropped.digest, before);
    drop(set);
    let again = Apply::new(ChangeSet::open(&back).unwrap()).retry_failed();
    world.apply(again).await.unwrap();
    assert_eq!(states(&back), [State::Dropped, State::Done, State::Held]);
    assert_eq!(with_memo(&world), [KEPT]);
}

#[tokio::test]
async fn a_canary_that_stops_an_undo_takes_no_memo_away() {
    let (world, back) = undone().await;
    for memos in [1, 2] {
        world.apply(Apply::new(ChangeSet::open(&back).unwrap()).canary(1)).await.unwrap();
        assert!(with_memo(&world).contains(&KEPT), "{memos}");
        assert_eq!(states(&back)[TAKING], State::Planned);
    }
    world.apply(Apply::new(ChangeSet::open(&back).unwrap())).await.unwrap();
    assert_eq!(states(&back), [State::Done; 3]);
    assert_eq!(with_memo(&world).len(), 1);
}

#[tokio::test]
async fn the_undo_of_an_undo_deletes_only_what_has_handed_its_memo_over_again() {
    let (world, back) = undone().await;
    world.apply(Apply::new(ChangeSet::open(&back).unwrap())).await.unwrap();
    let forth = world.path("forth.crm");
    let dropping = world.path("dropping.crm");
    for path in [&forth, &dropping] {
        ChangeSet::open(&back).unwrap().undo(path).await.unwrap();
        let planned = changes(path);
        assert_eq!(planned[0].action.stand_in().map(|it| it.contact.get()), Some(KEPT));
    }
    let set = ChangeSet::open(&dropping).unwrap();
    let handing_over = Selection::all().numbers([3]);
    let dropped = set.drop_changes(&handing_over, Remark::new()).await.unwrap();
    assert_eq!(dropped.holds.iter().map(|id| id.get()).collect::<Vec<_>>(), [1]);

    world.apply(Apply::new(ChangeSet::open(&forth).unwrap())).await.unwrap();
    assert_eq!(states(&forth), [State::Done; 3]);
    assert_eq!((left(&world), with_memo(&world)), (vec![KEPT, 106], vec![KEPT]));
    // And back once more, in the same order as the first time.
    let once_more = world.path("once-more.crm");
    ChangeSet::open(&forth).unwrap().undo(&once_more).await.unwrap();
    let creation = Selection::all().numbers([CREATION]);
    let set = ChangeSet::open(&once_more).unwrap();
    let dropped = set.drop_changes(&creation, Remark::new()).await.unwrap();
    assert_eq!(dropped.holds.iter().map(|id| id.get()).collect::<Vec<_>>(), [3]);
}
