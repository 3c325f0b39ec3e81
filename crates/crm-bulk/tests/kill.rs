//! A process that applies a set is killed at random points, with faults injected, until the
//! set is done; then the server's data is exactly what the input asks for.
//!
//! The number of kills is 8, or what `CRM_BULK_KILLS` says; `CRM_BULK_SEED` repeats a run.
#![allow(clippy::unwrap_used, reason = "a test fails so")]

mod common;

use std::{
    collections::{BTreeMap, HashMap},
    fs::File,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use common::*;
use crm_bulk::{Apply, Change, ChangeSet, Event, Site, State};
use crm_sandbox::{FaultPlan, Seed};
use futures_util::TryStreamExt;

fn main() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    match std::env::var("CRM_BULK_CHILD") {
        Ok(connection) => runtime.block_on(apply_in_child(&connection)),
        // Test runners ask for a list of tests.
        Err(_) if std::env::args().any(|argument| argument == "--list") => {}
        Err(_) => {
            for faults in [false, true] {
                runtime.block_on(killed_until_done(faults));
            }
            println!("test result: ok. 2 passed; 0 failed");
        }
    }
}

/// The child: applies the set and reports each outcome on its standard output.
async fn apply_in_child(connection: &str) {
    let [url, tenant, id, secret, key, set] =
        serde_json::from_str::<[String; 6]>(connection).unwrap();
    let service = service_at(&url, tenant.parse().unwrap(), [&id, &secret, &key]);
    let site = Site::of(&service, &url);
    let apply = Apply::new(ChangeSet::open(set).unwrap()).retry_failed();
    let mut events = apply.run(&service, &site).unwrap();
    while let Some(event) = events.try_next().await.unwrap() {
        if let Event::Settled(change) = event {
            println!("{} {}", change.id, change.outcome.state);
        }
    }
}

fn spawn(world: &World, set: &Path, report: &Path) -> Child {
    let connection = world.sandbox.connection();
    let connection = serde_json::to_string(&[
        connection.api_url.as_str(),
        &connection.tenant.to_string(),
        &connection.client_id,
        &connection.client_secret,
        &connection.app_key,
        set.to_str().unwrap(),
    ])
    .unwrap();
    Command::new(std::env::current_exe().unwrap())
        .env("CRM_BULK_CHILD", connection)
        .stdout(File::create(report).unwrap())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Waits, but no longer than this; then kills it as `kill -9` does.
fn wait_or_kill(mut child: Child, after: Duration) -> Option<ExitStatus> {
    let end = Instant::now() + after;
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        if Instant::now() >= end {
            child.kill().unwrap();
            child.wait().unwrap();
            return None;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

async fn killed_until_done(faults: bool) {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let seed: u64 = number("CRM_BULK_SEED").unwrap_or_else(|| fastrand::u64(..));
    let kills = number("CRM_BULK_KILLS").unwrap_or(8);
    println!("killed_until_done: faults {faults}, {kills} kills, CRM_BULK_SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);

    let contacts = u32::try_from(150 * kills).unwrap();
    let world = world(Seed::Count(contacts)).await;
    let mut intended = intention(&world);
    let set = world
        .plan(&rows(contacts), "set.crm")
        .await
        .path()
        .to_owned();
    let report = world.path("report");
    if faults {
        world.sandbox.inject(FaultPlan::mixed(seed, 0.05, 1));
    }

    let (mut killed, mut in_flight) = (0, 0);
    let mut done = BTreeMap::<i64, Change>::new();
    loop {
        let longest = if killed < kills { 400 } else { 120_000 };
        let patience = Duration::from_millis(random.u64(longest / 4..=longest));
        let status = wait_or_kill(spawn(&world, &set, &report), patience);
        check_reports(&set, &report, &mut done);
        match status {
            None => {
                killed += 1;
                let totals = ChangeSet::open(&set).unwrap().totals().unwrap();
                in_flight += totals.in_state(State::InFlight);
            }
            // Under faults a run may end because the owners could not be read.
            Some(status) => assert!(faults || status.success(), "{status}"),
        }
        if status.is_some() && ChangeSet::open(&set).unwrap().totals().unwrap().open() == 0 {
            break;
        }
    }
    world.sandbox.inject(FaultPlan::new());
    let last = Apply::new(ChangeSet::open(&set).unwrap()).retry_failed();
    world.apply(last).await.unwrap();

    for change in changes(&set) {
        assert_eq!(change.outcome.state, State::Done, "{:?}", change.outcome);
    }
    let mut stored: Vec<_> = world.stored().values().map(text).collect();
    stored.sort();
    intended.sort();
    assert!(
        stored == intended,
        "the server's data is not what the input asks for"
    );
    if !faults {
        check_repeats(&world, &set, killed);
    }
    let changes = changes(&set).len();
    println!("  ok: {killed} kills with {in_flight} in flight, {changes} changes");
}

/// One row for each contact: a third deletes, the others update; and as many creations.
fn rows(contacts: u32) -> String {
    let mut rows = "location_id,contact_id,action,type,value,memo\n".to_owned();
    for contact in 1..=contacts {
        let location = contact.div_ceil(4);
        rows += &match contact % 3 {
            0 => format!("{location},{contact},delete,,,\n"),
            1 => format!("{location},{contact},,,,changed {contact}\n"),
            _ => format!("{location},,create,Email,new{contact}@site.example,created {contact}\n"),
        };
    }
    rows
}

/// The contacts that shall be there in the end.
fn intention(world: &World) -> Vec<String> {
    let mut intended = Vec::new();
    for ((kind, location, id), contact) in world.stored() {
        let mut contact = contact;
        if kind == "location" {
            match id % 3 {
                0 => continue,
                1 => contact.memo = Some(format!("changed {id}")),
                _ => intended.push(format!(
                    "{location} Email new{id}@site.example {:?}",
                    Some(format!("created {id}"))
                )),
            }
        }
        intended.push(text(&contact));
    }
    intended
}

fn text(contact: &crm_sandbox::StoredContact) -> String {
    format!(
        "{} {} {} {:?}",
        contact.owner_id, contact.contact_type, contact.value, contact.memo
    )
}

/// What the child reported as done is done in the file, and what was done before was not
/// touched again.
fn check_reports(set: &Path, report: &Path, done: &mut BTreeMap<i64, Change>) {
    let now: HashMap<_, _> = changes(set)
        .into_iter()
        .map(|c| (c.id.to_string(), c))
        .collect();
    for change in done.values() {
        assert_eq!(
            now.get(&change.id.to_string()),
            Some(change),
            "done is final"
        );
    }
    for line in std::fs::read_to_string(report).unwrap().lines() {
        // The last line may be cut short by the kill.
        let Some((id, "done")) = line.split_once(' ') else {
            continue;
        };
        assert_eq!(
            now[id].outcome.state,
            State::Done,
            "change {id} was reported done"
        );
    }
    for (id, change) in now {
        if change.outcome.state == State::Done {
            done.insert(id.parse().unwrap(), change);
        }
    }
}

/// No change is sent more often than it was claimed, and repeats come only from kills.
fn check_repeats(world: &World, set: &Path, kills: u64) {
    let mut sent = HashMap::<String, u32>::new();
    for entry in world.sandbox.log() {
        if entry.method != "GET" {
            *sent
                .entry(format!("{} {}", entry.method, entry.path))
                .or_default() += 1;
        }
    }
    let mut repeats = 0;
    for change in changes(set) {
        let owner = change.target.owner_text();
        let contact = change.target.contact_text().unwrap();
        let path = format!("/crm/v2/tenant/1001/locations/{owner}/contacts");
        let times = match change.action.name() {
            "update" => sent[&format!("PATCH {path}/{contact}")],
            "delete" => sent[&format!("DELETE {path}/{contact}")],
            // Several creations may go to one path.
            _ => 1,
        };
        assert!(
            times <= change.outcome.attempts,
            "sent {times} times: {change:?}"
        );
        repeats += u64::from(change.outcome.attempts - 1);
    }
    assert!(
        repeats <= kills * 64,
        "{repeats} repeats after {kills} kills"
    );
}
