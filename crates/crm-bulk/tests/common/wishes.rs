//! A set that changes every contact of a world and creates one beside each, and what is to be said
//! of that world afterwards.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    time::SystemTime,
};

use crm_sandbox::{Fault, FaultPlan, Seed, StoredContact};

use super::{
    World,
    child::{End, Run},
    world,
};

/// How many contacts there are, about. Each is changed, and one created beside it.
const CONTACTS: u32 = 400;

/// A set in a world of its own; every other answer there takes so long.
pub async fn a_world(milliseconds: u64) -> (World, PathBuf) {
    let world = world(Seed::Count(CONTACTS)).await;
    let delay = FaultPlan::new().random(Fault::Delay { milliseconds }, 0.5);
    let mut rows = "location_id,customer_id,contact_id,action,type,value,memo\n".to_owned();
    for (kind, owner, id) in world.stored().into_keys() {
        let owner = match kind {
            "customer" => format!(",{owner}"),
            _ => format!("{owner},"),
        };
        rows += &format!("{owner},{id},,,,changed {id}\n");
        rows += &format!("{owner},,create,Email,new{id}-{kind}@site.example,\n");
    }
    let set = world.plan(&rows, "set.crm").await.path().to_owned();
    world.sandbox.clear_log();
    world.sandbox.inject(delay);
    (world, set)
}

/// Everything that the set asks for is so, and nothing is there twice.
pub fn assert_done_once(world: &World) {
    let (created, others) = contacts(world);
    for contact in &others {
        assert_eq!(contact.memo, Some(format!("changed {}", contact.id)));
    }
    assert_eq!(created.len(), others.len());
    assert_nothing_doubled(world);
}

/// No contact was created twice.
pub fn assert_nothing_doubled(world: &World) {
    let (created, _) = contacts(world);
    let values: BTreeSet<_> = created.iter().map(|contact| &contact.value).collect();
    assert_eq!(values.len(), created.len());
}

/// The contacts that the set created, and the others.
fn contacts(world: &World) -> (Vec<StoredContact>, Vec<StoredContact>) {
    let is_new = |contact: &StoredContact| {
        contact.value.starts_with("new") && contact.value.ends_with("@site.example")
    };
    world.stored().into_values().partition(is_new)
}

/// Nothing reached the server after this time but what the run says was in flight.
pub fn assert_nothing_begun(world: &World, since: SystemTime, end: &End) {
    let lost = end.lost();
    for entry in world.sandbox.log() {
        if entry.method == "GET" || entry.arrived() <= since {
            continue;
        }
        let (owner, contact) = entry.path.split_once("/contacts").unwrap();
        let owner = owner.rsplit('/').next().unwrap();
        let listed = lost.keys().any(|target| {
            let mut numbers = target.split(|c: char| !c.is_ascii_digit());
            let mut has = |number: &str| numbers.any(|found| found == number);
            has(owner) && (contact.is_empty() || has(&contact[1..]))
        });
        assert!(listed, "{} {} is not listed: {lost:?}", entry.method, entry.path);
    }
}

/// Applies what is left.
pub async fn apply_the_rest(world: &World, set: &Path) {
    let end = Run::start(world, set, "rest").end().await;
    assert_eq!(end.reason(), "Complete", "{end:?}");
    assert_sound(set);
}

pub fn assert_sound(set: &Path) {
    let file = rusqlite::Connection::open(set).unwrap();
    let sound: String = file.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(sound, "ok");
}
