//! What people decide about a set before it is applied: changes are dropped, and the set is approved.
#![allow(clippy::unwrap_used, reason = "a failure here fails the test")]

mod common;

use std::str::FromStr as _;

use common::*;
use crm_bulk::{
    Apply, BulkError, ChangeSet, DecisionKind, Digest, Remark, ResultRows, Selection, State,
};
use crm_models::{CustomerId, LocationId};
use crm_sandbox::Seed;
use futures_util::TryStreamExt;

const ROWS: &str = "location_id,customer_id,contact_id,memo,marketing_updates
2001,,3001,first,
2001,,3002,,off
2001,,3004,second,
,1001,4001,third,
,1001,4002,fourth,
2001,,3001,first,
";

async fn drop_some(set: &ChangeSet, which: Selection) -> Result<(u64, u64), BulkError> {
    let remark = Remark::new().by("Dana Whitfield").reason("they called");
    let summary = set.drop_changes(&which, remark).await?;
    Ok((summary.dropped, summary.left))
}

fn reopened(world: &World) -> ChangeSet {
    ChangeSet::open(world.path("set.crm")).unwrap()
}

#[tokio::test]
async fn what_is_dropped_is_kept_and_never_applied_nor_undone() {
    let world = world(Seed::Demo).await;
    let set = world.plan(ROWS, "set.crm").await;
    let before = set.digest().unwrap();
    let customer = CustomerId::new(1_001).unwrap();
    let of_customer = Selection::all().owner(customer.into()).text("FOURTH");
    assert_eq!(drop_some(&set, of_customer).await.unwrap(), (1, 0));
    // The second row is so already, the last repeats the first.
    assert_eq!(drop_some(&set, Selection::all().numbers([1, 2])).await.unwrap(), (1, 1));
    let after = set.digest().unwrap();
    assert_ne!(after, before);
    assert_eq!(set.totals().unwrap().in_state(State::Dropped), 2);

    let decisions = set.decisions().unwrap();
    assert_eq!(decisions.len(), 2);
    let last = &decisions[1];
    assert_eq!((last.kind, last.changes, last.digest), (DecisionKind::Dropped, 1, after));
    assert_eq!(last.said.as_deref(), Some("Dana Whitfield"));
    assert_eq!(last.user, crm_bulk::system_user());
    let dropped: Vec<_> = set.changes(&Selection::states([State::Dropped])).collect();
    let dropped = dropped.into_iter().map(Result::unwrap);
    for (change, id) in dropped.zip(["1", "5"]) {
        assert_eq!(change.id.to_string(), id);
        let why = change.outcome.message.unwrap();
        assert!(why.contains("(said: Dana Whitfield): they called"), "{why}");
    }

    let finished = world.apply(Apply::new(reopened(&world)).retry_failed()).await.unwrap();
    assert_eq!(finished.count(State::Done), 2);
    assert_eq!(world.location_contact(2_001, 3_001).memo.unwrap(), "Site manager, after 4 pm");
    assert_eq!(world.location_contact(2_001, 3_004).memo.unwrap(), "second");
    let set = reopened(&world);
    assert_eq!(set.digest().unwrap(), after, "a run writes no plan");
    assert_eq!(set.undo(world.path("undo.crm")).await.unwrap().planned, 2);

    let (mut all, mut failed) = (Vec::new(), Vec::new());
    set.results(ResultRows::All, &mut all).unwrap();
    let all = String::from_utf8(all).unwrap();
    assert!(all.contains("2001,,3001,first,,dropped,"), "{all}");
    // The row that asks for the same has what became of it, and nobody is to mend a dropped row.
    assert_eq!(all.matches(",dropped,").count(), 3, "{all}");
    assert_eq!(set.results(ResultRows::Failed, &mut failed).unwrap(), 0);
}

#[tokio::test]
async fn a_set_that_was_looked_at_is_approved_without_some_of_it_in_one_step() {
    let world = world(Seed::Demo).await;
    let set = world.plan(ROWS, "set.crm").await;
    let seen = set.digest().unwrap();
    let remark = || Remark::new().by("Ana Alvarez").reason("another person");
    let which = |numbers: &[i64]| Selection::all().numbers(numbers.to_vec());

    let other = Digest::from_str(&"0".repeat(64)).unwrap();
    let refused = set.approve_without(Some(other.into()), &which(&[1]), remark()).await;
    assert!(matches!(refused, Err(BulkError::NotExpected { .. })), "{refused:?}");
    // The second row is so already.
    let (left, nothing) = set.approve_without(None, &which(&[2]), remark()).await.unwrap();
    assert_eq!((left.dropped, left.left, nothing), (0, 1, None));
    assert_eq!((set.digest().unwrap(), set.decisions().unwrap().len()), (seen, 0));

    let approved = set.approve_without(Some(seen.into()), &which(&[1, 4]), remark()).await;
    let (dropped, decision) = approved.unwrap();
    let decision = decision.unwrap();
    assert_eq!((dropped.dropped, decision.kind), (2, DecisionKind::Approved));
    assert_eq!(decision.digest, set.digest().unwrap());
    assert_ne!(decision.digest, seen);
    assert_eq!((decision.said.as_deref(), decision.reason), (Some("Ana Alvarez"), None));
    let finished = world.apply(Apply::new(reopened(&world)).require_approval()).await.unwrap();
    assert_eq!(finished.count(State::Done), 2);
}

#[tokio::test]
async fn nobody_approves_what_was_done_already() {
    let world = world(Seed::Demo).await;
    let set = world.plan(ROWS, "set.crm").await;
    let remark = || Remark::new().by("Ana Alvarez");
    world.apply(Apply::new(reopened(&world)).canary(1)).await.unwrap();
    let decision = set.approve(None, remark()).await.unwrap();
    assert_eq!(decision.changes, set.totals().unwrap().open());
    let mut page = Vec::new();
    reopened(&world).report(&mut page).unwrap();
    let page = String::from_utf8(page).unwrap();
    let told = format!("it had been applied before: {} changes were open then", decision.changes);
    assert!(page.contains(&told), "{page}");

    world.apply(Apply::new(reopened(&world))).await.unwrap();
    let refused = set.approve(None, remark()).await.unwrap_err();
    assert!(matches!(refused, BulkError::NothingToApprove { .. }), "{refused}");
    let kept = set.decisions().unwrap();
    assert_eq!(kept.iter().filter(|it| it.kind == DecisionKind::Approved).count(), 1);
}

#[tokio::test]
async fn a_set_of_which_all_is_taken_out_has_nothing_to_approve() {
    let world = world(Seed::Demo).await;
    let set = world.plan(ROWS, "set.crm").await;
    let all = Selection::states([State::Planned]);
    let (dropped, decision) = set.approve_without(None, &all, Remark::new()).await.unwrap();
    assert_eq!((dropped.dropped > 0, decision), (true, None));
}

#[tokio::test]
async fn what_was_sent_cannot_be_dropped_and_then_nothing_is() {
    let world = world(Seed::Demo).await;
    let set = world.plan(ROWS, "set.crm").await;
    world.apply(Apply::new(reopened(&world)).canary(1)).await.unwrap();
    let (digest, totals) = (set.digest().unwrap(), set.totals().unwrap());
    assert_eq!(totals.in_state(State::Done), 1);
    let refused = drop_some(&set, Selection::all()).await.unwrap_err();
    assert!(
        matches!(&refused, BulkError::Begun { changes, .. } if changes.len() == 1),
        "{refused}"
    );
    assert_eq!((set.digest().unwrap(), set.totals().unwrap()), (digest, totals));
    // The run of the canary is known, and nothing else.
    let decided: Vec<_> = set.decisions().unwrap().iter().map(|it| it.kind).collect();
    assert_eq!(decided, [DecisionKind::Applied]);
    let open = Selection::states([State::Planned]);
    assert_eq!(drop_some(&set, open).await.unwrap(), (3, 0));
    assert_eq!(reopened(&world).totals().unwrap().open(), 0);
}

#[tokio::test]
async fn nobody_drops_while_the_set_is_applied() {
    let world = world(Seed::Demo).await;
    let set = world.plan(ROWS, "set.crm").await;
    let mut events = Apply::new(reopened(&world)).run(&world.service, &world.site).unwrap();
    events.try_next().await.unwrap();
    let refused = drop_some(&set, Selection::all()).await.unwrap_err();
    assert!(matches!(refused, BulkError::InUse { .. }), "{refused}");
    while events.try_next().await.unwrap().is_some() {}
    assert_eq!(reopened(&world).totals().unwrap().in_state(State::Done), 4);
}

#[tokio::test]
async fn dropping_blesses_nothing_that_was_altered() {
    let world = world(Seed::Demo).await;
    let set = world.plan(ROWS, "set.crm").await;
    let file = rusqlite::Connection::open(world.path("set.crm")).unwrap();
    file.execute("UPDATE planned SET wanted_memo = 'other' WHERE id = 3", []).unwrap();
    for which in [Selection::all().numbers([1]), Selection::all()] {
        let refused = drop_some(&set, which).await.unwrap_err();
        assert!(matches!(refused, BulkError::Altered { .. }), "{refused}");
    }
    let refused = set.approve(None, Remark::new()).await.unwrap_err();
    assert!(matches!(refused, BulkError::Altered { .. }), "{refused}");
}

#[tokio::test]
async fn a_set_that_needs_approval_is_applied_exactly_as_it_was_approved() {
    let world = world(Seed::Demo).await;
    let set = world.plan(ROWS, "set.crm").await;
    let refused = async |digest: Digest| {
        let apply = Apply::new(reopened(&world)).require_approval();
        match world.apply(apply).await {
            Err(BulkError::NotApproved { found, .. }) => assert_eq!(found, digest),
            other => panic!("{other:?}"),
        }
    };
    refused(set.digest().unwrap()).await;
    let other = Some("0000000000000000".parse().unwrap());
    let unexpected = set.approve(other, Remark::new()).await.unwrap_err();
    assert!(matches!(unexpected, BulkError::NotExpected { .. }), "{unexpected}");
    assert_eq!(set.approval().unwrap(), None);
    let decision =
        set.approve(Some(set.digest().unwrap().into()), Remark::new().by("Ana")).await.unwrap();
    assert_eq!((decision.digest, decision.changes), (set.digest().unwrap(), 4));
    assert_eq!(set.approval().unwrap(), Some(decision));

    drop_some(&set, Selection::all().numbers([1])).await.unwrap();
    assert_eq!(set.approval().unwrap(), None);
    refused(set.digest().unwrap()).await;
    assert_eq!(world.sent("PATCH"), 0);

    set.approve(None, Remark::new().by("Ana")).await.unwrap();
    let finished = world.apply(Apply::new(reopened(&world)).require_approval()).await.unwrap();
    assert_eq!(finished.count(State::Done), 3);
    // It is the set that is approved, so what is left of it may be applied too.
    world.apply(Apply::new(reopened(&world)).require_approval()).await.unwrap();
}

#[tokio::test]
async fn nobody_has_to_approve_a_set_of_which_nothing_is_open() {
    let world = world(Seed::Demo).await;
    let row = "location_id,contact_id,marketing_updates\n2001,3002,off\n";
    let set = world.plan(row, "set.crm").await;
    assert_eq!(set.totals().unwrap().in_state(State::Already), 1);
    let finished = world.apply(Apply::new(set).require_approval()).await.unwrap();
    assert_eq!((finished.count(State::Already), world.sent("PATCH")), (0, 0));
    let other = "0000000000000000".parse::<crm_bulk::ExpectedDigest>().unwrap();
    let unexpected = Apply::new(reopened(&world)).require_approval().expect(other);
    let unexpected = world.apply(unexpected).await.unwrap_err();
    assert!(matches!(unexpected, BulkError::NotExpected { .. }), "{unexpected}");
}

#[tokio::test]
async fn changes_are_selected_by_what_is_common_to_them() {
    let world = world(Seed::Demo).await;
    let set = world.plan(ROWS, "set.crm").await;
    set.name_owners(&world.service, &world.site, |_| {}).await.unwrap();
    let found = |selection: Selection| -> Vec<String> {
        set.changes(&selection).map(|change| change.unwrap().id.to_string()).collect()
    };
    let location = LocationId::new(2_001).unwrap();
    let all = Selection::all;
    assert_eq!(found(all().verdicts([State::Already])), ["2", "6"]);
    assert_eq!(found(all().actions(["update"])).len(), 6);
    assert_eq!(found(all().actions(["delete", "no such"])), [""; 0]);
    assert_eq!(found(all().owner(location.into()).verdicts([State::Planned])), ["1", "3"]);
    assert_eq!(found(all().text("pier 4")), ["1", "2", "3", "6"]);
    assert_eq!(found(all().text("THIRD")), ["4"]);
    assert_eq!(found(all().text("site manager")), ["1", "6"]);
    assert_eq!(found(all().text("555-0142")), ["1", "4", "6"]);
    assert_eq!(found(all().text("555-0142").limit(2)), ["1", "4"]);
    assert_eq!(found(all().text("555-0142").limit(0)), [""; 0]);
    assert_eq!(found(all().text("nobody")), [""; 0]);
}
