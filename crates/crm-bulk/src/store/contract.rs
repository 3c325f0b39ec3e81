//! The suite that every store of a change set must pass, for authors of stores.
//!
//! [`check`] plans sets, has you put each into one of your stores, and panics at the first promise
//! of [`Store`] that is not kept. Later versions may check more. A single test is enough:
//!
//! ```
//! use crm_bulk::{ChangeSet, Store, contract};
//!
//! async fn my_store_keeps_its_promises<S: Store>(my_store: impl AsyncFn(ChangeSet) -> S) {
//!     contract::check(async |set| my_store(set).await).await;
//! }
//! ```
#![allow(clippy::unwrap_used, clippy::missing_panics_doc, reason = "it is a test")]

use std::collections::BTreeSet;

use crm_mirror::{Site, job::Stop};
use crm_models::{Contact, ContactChange, ContactId, LocationId};
use futures_util::future;

use super::{
    file::{ChangeSet, Draft, Planned},
    interface::{Claim, Cursor, Expected, Loaded, Store, Which},
    lease::Lease,
};
use crate::{
    clock,
    error::BulkError,
    set::{Action, Change, ChangeId, Outcome, SetKind, State, Target, Wanted},
};

/// Checks every promise of [`Store`] on stores into which `make` puts sets.
///
/// # Panics
///
/// Panics at the first promise that is not kept, and says which one it is.
pub async fn check<S: Store>(make: impl AsyncFn(ChangeSet) -> S) {
    let folder = tempfile::tempdir().unwrap();
    let mut number = 0;
    let mut store = async || -> S {
        number += 1;
        let path = folder.path().join(format!("{number}.crm"));
        plan(&path);
        make(ChangeSet::open(&path).unwrap()).await
    };
    gives_every_open_change_once(&store().await).await;
    never_gives_what_was_dropped(&store().await).await;
    lets_one_claim_win(&store().await).await;
    keeps_the_record_that_a_claim_leaves_out(&store().await).await;
    takes_back_what_was_not_begun(&store().await).await;
    keeps_what_became_of_a_change(&store().await).await;
    knows_what_a_creation_did_not_create(&store().await).await;
    belongs_to_the_last_one_who_took_it(&store().await).await;
    makes_a_lease_last_by_renewing_it(&store().await).await;
}

/// How many owners there are; each has two contacts that are updated, and one that is created.
const OWNERS: i64 = 120;

/// A contact whose change a person took out of the set.
const DROPPED: i64 = 1_001;

fn plan(path: &std::path::Path) {
    let site = Site::new(1_001.try_into().unwrap(), "https://api.example");
    let draft = Draft::create(path, &site, SetKind::Plan, &Stop::default()).unwrap();
    let update = Action::Update(Wanted::of(ContactChange::new().memo("new")));
    let dropped = Planned {
        row: None,
        target: Target::Contact {
            owner: LocationId::new(1).unwrap().into(),
            contact: Some(DROPPED.try_into().unwrap()),
        },
        action: &update,
        before: Some(image(DROPPED, "old").into()),
        outcome: Outcome::new(State::Dropped),
    };
    draft.add_change(&dropped).unwrap();
    for owner in 1..=OWNERS {
        for contact in [Some(2 * owner - 1), Some(2 * owner), None] {
            let new = ContactChange::new().contact_type("Email".into());
            let new = new.value(format!("new{owner}@site.example"));
            let create = Action::Create(Wanted::of(new));
            let before = contact.map(|id| image(id, "old").into());
            let change = Planned {
                row: None,
                target: Target::Contact {
                    owner: LocationId::new(owner).unwrap().into(),
                    contact: contact.map(|id| id.try_into().unwrap()),
                },
                action: contact.map_or(&create, |_| &update),
                before,
                outcome: Outcome::new(State::Planned),
            };
            draft.add_change(&change).unwrap();
        }
    }
    draft.finish().unwrap();
}

fn image(id: i64, memo: &str) -> Contact {
    let json = format!(
        r#"{{"id":{id},"type":"Email","value":"a{id}@site.example","memo":"{memo}",
            "modifiedOn":"2026-01-01T00:00:00Z"}}"#
    );
    serde_json::from_str(&json).unwrap()
}

/// All changes that are taken up, block by block.
async fn load(store: &impl Store, lease: &Lease, which: Which) -> Vec<Loaded> {
    let (mut all, mut cursor) = (Vec::new(), Cursor::default());
    loop {
        let (block, next) = store.next_block(lease, cursor, which).await.unwrap();
        if block.is_empty() {
            return all;
        }
        all.extend(block);
        cursor = next;
    }
}

/// The change with this number.
async fn find(store: &impl Store, lease: &Lease, id: ChangeId) -> Change {
    let mut all = load(store, lease, Which::OpenAndFailed).await.into_iter();
    let found = all.find(|loaded| loaded.change.id == id);
    found.expect("the change is taken up").change
}

/// A change as it is claimed: once more than before, with the record as it is now.
fn next_attempt(change: &Change, memo: &str) -> Change {
    let mut claimed = change.clone();
    claimed.outcome.attempts += 1;
    claimed.outcome.at = Some(clock::now());
    if let Some(id) = claimed.target.contact_text() {
        claimed.before = Some(image(id.parse().unwrap(), memo).into());
    }
    claimed
}

async fn claim(store: &impl Store, lease: &Lease, change: &Change, memo: &str) -> Claim {
    let claimed = next_attempt(change, memo);
    let claim = store.claim(lease, Expected::of(change), claimed.into(), None);
    claim.await.unwrap()
}

async fn gives_every_open_change_once(store: &impl Store) {
    let lease = store.take("the suite").await.unwrap();
    let all = load(store, &lease, Which::Open).await;
    let ids: BTreeSet<_> = all.iter().map(|loaded| loaded.change.id).collect();
    assert_eq!(ids.len(), all.len(), "a change came twice");
    let counted = store.count(&lease, Which::Open).await.unwrap();
    assert_eq!(all.len() as u64, counted, "the count is that of the blocks");
    assert_eq!(counted, 3 * OWNERS.unsigned_abs(), "every open change");
    let owners: Vec<_> = all.iter().map(|loaded| loaded.change.target.owner()).collect();
    let in_order = owners.iter().zip(owners.iter().skip(1));
    assert!(
        in_order.clone().filter(|(one, next)| one != next).count() + 1 == OWNERS as usize,
        "the changes of one owner come one after another"
    );
}

async fn never_gives_what_was_dropped(store: &impl Store) {
    let lease = store.take("the suite").await.unwrap();
    let all = load(store, &lease, Which::OpenAndFailed).await;
    let mut contacts = all.iter().map(|loaded| loaded.change.target.contact().map(ContactId::get));
    assert!(!contacts.any(|contact| contact == Some(DROPPED)), "a dropped change was given");
    // Its number, which was the first.
    let mut change = all[1].change.clone();
    change.id = ChangeId(1);
    for state in [State::Planned, State::Failed] {
        change.outcome.state = state;
        assert_eq!(claim(store, &lease, &change, "now").await, Claim::Lost, "it was claimed");
    }
    let digest = store.digest(&lease).await.unwrap();
    assert!(!store.is_approved(&lease, digest).await.unwrap(), "nobody approved it");
}

async fn lets_one_claim_win(store: &impl Store) {
    let lease = store.take("the suite").await.unwrap();
    let digest = store.digest(&lease).await.unwrap();
    let change = load(store, &lease, Which::Open).await.remove(1).change;
    let claims = (0..20).map(|_| claim(store, &lease, &change, "now"));
    let claims = future::join_all(claims).await;
    let won = claims.iter().filter(|claim| matches!(claim, Claim::Won(_)));
    assert_eq!(won.count(), 1, "one of many claims of a change is won");
    let claimed = find(store, &lease, change.id).await;
    assert_eq!(claimed.outcome.state, State::InFlight);
    assert_eq!(claimed.outcome.attempts, 1, "a claim that is lost writes nothing");
    assert_eq!(claimed.before, next_attempt(&change, "now").before);
    let again = claim(store, &lease, &claimed, "later").await;
    assert!(matches!(again, Claim::Won(_)), "it can be claimed as it is now");
    let now = store.digest(&lease).await.unwrap();
    assert_eq!(now, digest, "what was approved is the same whatever a run writes");
}

async fn keeps_the_record_that_a_claim_leaves_out(store: &impl Store) {
    let lease = store.take("the suite").await.unwrap();
    let all = load(store, &lease, Which::Open).await.into_iter().map(|loaded| loaded.change);
    let updates = all.filter(|change| change.before.is_some());
    // As asked, and otherwise.
    for (planned, memo) in updates.zip(["new", "else"]) {
        let claim = async |change: &Change, expected| {
            let claimed = Change { before: None, ..next_attempt(change, "left out") };
            store.claim(&lease, expected, claimed.into(), None).await.unwrap()
        };
        for (state, attempts) in [(State::Failed, 0), (State::InFlight, 0), (State::Planned, 1)] {
            let claim = claim(&planned, Expected { state, attempts }).await;
            assert_eq!(claim, Claim::Lost, "{state} {attempts}");
        }
        let won = claim(&planned, Expected::of(&planned)).await;
        assert!(matches!(won, Claim::Won(_)), "it is claimed as it was planned");
        let again = claim(&planned, Expected::of(&planned)).await;
        assert_eq!(again, Claim::Lost, "it is claimed once");
        let mut change = find(store, &lease, planned.id).await;
        assert_eq!(change.before, planned.before);
        for state in [State::Failed, State::Unknown] {
            let id = change.target.contact().unwrap();
            change.after = Some(image(id.get(), memo).into());
            change.outcome.state = state;
            store.settle(&lease, change.clone().into()).await.unwrap();
            assert_eq!(find(store, &lease, change.id).await, change, "{state}");
            let won = claim(&change, Expected::of(&change)).await;
            assert!(matches!(won, Claim::Won(_)), "it is claimed as it was settled");
            change = find(store, &lease, change.id).await;
        }
    }
}

async fn takes_back_what_was_not_begun(store: &impl Store) {
    let lease = store.take("the suite").await.unwrap();
    let former = load(store, &lease, Which::Open).await.remove(1).change;
    let won = claim(store, &lease, &former, "now").await;
    assert!(matches!(won, Claim::Won(_)));
    let other = store.release(&lease, 7, former.clone().into()).await.unwrap();
    assert_eq!(other, Claim::Lost, "a claim with other attempts is not taken back");
    let state = find(store, &lease, former.id).await.outcome.state;
    assert_eq!(state, State::InFlight);
    let released = store.release(&lease, 1, former.clone().into()).await.unwrap();
    assert!(matches!(released, Claim::Won(_)));
    let now = find(store, &lease, former.id).await;
    assert_eq!(now, former, "state, attempts and before-image are as they were");
    let again = store.release(&lease, 1, former.into()).await.unwrap();
    assert_eq!(again, Claim::Lost, "there is no claim any more");
}

async fn keeps_what_became_of_a_change(store: &impl Store) {
    let lease = store.take("the suite").await.unwrap();
    let open = store.count(&lease, Which::Open).await.unwrap();
    let mut changes = load(store, &lease, Which::Open).await.into_iter().skip(1);
    for (state, still_open, repeated) in [
        (State::Done, false, false),
        (State::Failed, false, true),
        (State::Held, false, true),
        (State::Unknown, true, true),
        (State::Planned, true, true),
    ] {
        let mut change = changes.next().unwrap().change;
        change.outcome = Outcome {
            at: Some(clock::now()),
            trace_id: Some("trace".to_owned()),
            http_status: Some(409),
            ..Outcome::because(state, "why")
        };
        let settled = store.settle(&lease, change.clone().into()).await.unwrap();
        assert_eq!(*settled, change, "{state}");
        for (which, expected) in [(Which::Open, still_open), (Which::OpenAndFailed, repeated)] {
            let all = load(store, &lease, which).await;
            let found = all.iter().find(|loaded| loaded.change.id == change.id);
            let expected = expected.then_some(&change);
            assert_eq!(found.map(|loaded| &loaded.change), expected, "{state} {which:?}");
        }
    }
    assert_eq!(store.count(&lease, Which::Open).await.unwrap(), open - 3);
    let again = store.count(&lease, Which::OpenAndFailed).await.unwrap();
    assert_eq!(again, open - 1);
}

async fn knows_what_a_creation_did_not_create(store: &impl Store) {
    let lease = store.take("the suite").await.unwrap();
    let all = load(store, &lease, Which::Open).await;
    let mut creations = all.into_iter().map(|loaded| loaded.change);
    let creation = creations.find(|change| matches!(change.action, Action::Create(_)));
    let creation = creation.unwrap();
    let siblings = vec![ContactId::new(901).unwrap(), ContactId::new(902).unwrap()];
    let expected = Expected::of(&creation);
    let claimed = next_attempt(&creation, "now");
    let claim = store.claim(&lease, expected, claimed.into(), Some(siblings.clone()));
    assert!(matches!(claim.await.unwrap(), Claim::Won(_)));
    let all = load(store, &lease, Which::Open).await;
    let found = all.iter().find(|loaded| loaded.change.id == creation.id);
    let not_ours = &found.unwrap().not_ours;
    let known = siblings.iter().all(|sibling| not_ours.contains(sibling));
    assert!(known, "what was there before it was sent is not what it created");
}

async fn belongs_to_the_last_one_who_took_it(store: &impl Store) {
    let former = store.take("the former owner").await.unwrap();
    assert!(store.is_mine(&former).await.unwrap());
    let changes = load(store, &former, Which::Open).await;
    let change = changes[1].change.clone();
    assert!(matches!(claim(store, &former, &change, "now").await, Claim::Won(_)));

    let newer = store.take("the newer owner").await.unwrap();
    assert!(newer.epoch() > former.epoch(), "each owner has a higher epoch");
    assert!(!store.is_mine(&former).await.unwrap());
    assert!(store.is_mine(&newer).await.unwrap());
    let other = changes[2].change.clone();
    let claimed = next_attempt(&other, "now");
    let late = [
        store.count(&former, Which::Open).await.err(),
        store.next_block(&former, Cursor::default(), Which::Open).await.err(),
        store.claim(&former, Expected::of(&other), claimed.into(), None).await.err(),
        store.release(&former, 1, change.clone().into()).await.err(),
        store.settle(&former, change.clone().into()).await.err(),
        store.renew(&former).await.err(),
    ];
    for error in late {
        assert!(matches!(error, Some(BulkError::Superseded { .. })), "{error:?}");
    }
    let now = find(store, &newer, change.id).await;
    assert_eq!(now.outcome.state, State::InFlight, "the former owner writes nothing");
    assert_eq!(find(store, &newer, other.id).await, other);
    let taken_up = claim(store, &newer, &now, "now").await;
    assert!(matches!(taken_up, Claim::Won(_)), "the newer owner continues");
}

async fn makes_a_lease_last_by_renewing_it(store: &impl Store) {
    let lease = store.take("the suite").await.unwrap();
    assert!(!lease.ends().has_passed());
    let end = lease.ends();
    store.renew(&lease).await.unwrap();
    assert!(lease.ends().since(end) > std::time::Duration::ZERO, "it ends later");
    assert!(store.is_mine(&lease).await.unwrap());
}
