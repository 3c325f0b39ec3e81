//! A process that applies a set is killed at random points, with faults injected, until the
//! set is done; then the server's data is exactly what the input asks for. Then the same with
//! its undo, and everything is as it was.
//!
//! The number of kills of each set is 8, or what `CRM_BULK_KILLS` says: 200 for the promise of
//! the documentation. `CRM_BULK_SEED` repeats a run.
#![allow(clippy::unwrap_used, reason = "a test fails so")]

mod common;

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
    process::{Child, ExitStatus},
    time::{Duration, Instant},
};

use common::{
    child::{self, SERVER_TIMEOUT, spawn},
    *,
};
use crm_bulk::{Apply, Change, ChangeSet, State};
use crm_models::Preference;
use crm_sandbox::{FaultPlan, Seed, StoredContact};

fn main() {
    child::main(async {
        for faults in [false, true] {
            a_set_and_its_undo(faults).await;
        }
        2
    });
}

/// Waits, but no longer than this from its start, or from its first report; then kills it as
/// `kill -9` does.
fn wait_or_kill(mut child: Child, after: Duration, report: Option<&Path>) -> Option<ExitStatus> {
    let has_begun = || report.is_none_or(|report| report.metadata().unwrap().len() > 0);
    let mut end = None;
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        if end.is_none() && has_begun() {
            end = Some(Instant::now() + after);
        }
        if end.is_some_and(|end| Instant::now() >= end) {
            child.kill().unwrap();
            child.wait().unwrap();
            return None;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

async fn a_set_and_its_undo(faults: bool) {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let seed: u64 = number("CRM_BULK_SEED").unwrap_or_else(|| fastrand::u64(..));
    let kills = number("CRM_BULK_KILLS").unwrap_or(if faults { 4 } else { 8 });
    println!("a_set_and_its_undo: faults {faults}, {kills} kills, CRM_BULK_SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);

    let contacts = u32::try_from(200 * kills).unwrap();
    let world = world(Seed::Count(contacts)).await;
    let before = texts(&world);
    let (rows, mut intended) = intention(&world);
    let set = world.plan(&rows, "set.crm").await.path().to_owned();
    killed_until_done(&world, &set, faults, kills, &mut random).await;
    intended.sort();
    assert_same(&texts(&world), &intended);

    let undo = world.path("undo.crm");
    let summary = ChangeSet::open(&set).unwrap().undo(&undo).await.unwrap();
    assert_eq!((summary.impossible, summary.unresolved), (0, 0));
    killed_until_done(&world, &undo, faults, kills, &mut random).await;
    assert_same(&texts(&world), &before);
}

/// Two pictures of the server's data are alike; else the first place where they are not.
fn assert_same(found: &[String], intended: &[String]) {
    for (found, intended) in found.iter().zip(intended) {
        assert_eq!(found, intended);
    }
    assert_eq!(found.len(), intended.len());
}

/// Applies a set in processes that are killed, until nothing of it is open.
async fn killed_until_done(
    world: &World,
    set: &Path,
    faults: bool,
    kills: u64,
    random: &mut fastrand::Rng,
) {
    world.sandbox.clear_log();
    if faults {
        let faults = FaultPlan::mixed(random.u64(..), 0.05, 1);
        world.sandbox.inject(faults);
    }
    let report = world.path("report");
    let (mut killed, mut in_flight) = (0, 0);
    let mut done = BTreeMap::<i64, Change>::new();
    loop {
        let longest = if killed < kills { 120 } else { 120_000 };
        let patience = Duration::from_millis(random.u64(..=longest));
        // Once at least in the middle of the work, however slow the machine is.
        let begun = (killed == 0 || random.bool()).then_some(report.as_path());
        let status = wait_or_kill(spawn(world.sandbox.connection(), set, &report), patience, begun);
        check_reports(set, &report, &mut done);
        match status {
            None => {
                killed += 1;
                let totals = ChangeSet::open(set).unwrap().totals().unwrap();
                in_flight += totals.in_state(State::InFlight);
            }
            // Under faults a run may end because the owners could not be read.
            Some(status) => assert!(faults || status.success(), "{status}"),
        }
        if status.is_some() && ChangeSet::open(set).unwrap().totals().unwrap().open() == 0 {
            break;
        }
    }
    world.sandbox.inject(FaultPlan::new());
    let last = Apply::new(ChangeSet::open(set).unwrap()).retry_failed();
    let last = last.server_timeout(SERVER_TIMEOUT);
    world.apply(last).await.unwrap();

    for change in changes(set) {
        assert_eq!(change.outcome.state, State::Done, "{:?}", change.outcome);
    }
    if !faults {
        check_repeats(world, set, killed);
    }
    let changes = changes(set).len();
    println!("  {killed} kills with {in_flight} in flight, {changes} changes");
    assert!(killed == 0 || in_flight > 0, "no kill hit anything");
}

/// A row for each contact: a quarter deletes, half changes memo or preferences, and for the
/// rest one is created beside it, every other with preferences. With them the contacts that
/// shall be there in the end.
fn intention(world: &World) -> (String, Vec<String>) {
    let none = flag_cells(|_| "");
    let mut rows =
        format!("location_id,customer_id,contact_id,action,type,value,memo,{}\n", flag_columns());
    let mut intended = Vec::new();
    for ((kind, owner, id), mut contact) in world.stored() {
        let owner_cells = match kind {
            "customer" => format!(",{owner}"),
            _ => format!("{owner},"),
        };
        rows += &match id % 4 {
            0 => {
                rows += &format!("{owner_cells},{id},delete,,,,{none}\n");
                continue;
            }
            1 => {
                contact.memo = Some(format!("changed {id}"));
                format!("{owner_cells},{id},,,,changed {id},{none}\n")
            }
            2 if contact.preferences.is_some() => {
                let preferences = contact.preferences.as_mut().unwrap();
                preferences.marketing_updates = !preferences.marketing_updates;
                let on = if preferences.marketing_updates { "on" } else { "off" };
                let cell = |flag| if flag == Preference::MarketingUpdates { on } else { "" };
                format!("{owner_cells},{id},,,,,{}\n", flag_cells(cell))
            }
            2 => String::new(),
            _ => {
                let cell = |flag| if flag == Preference::Invoices { "off" } else { "on" };
                let flags = if id % 8 == 3 { flag_cells(cell) } else { none.clone() };
                let created = format!("new{id}@site.example,created {id}");
                let mut new = contact.clone();
                new.contact_type = "Email".to_owned();
                new.value = format!("new{id}@site.example");
                new.memo = Some(format!("created {id}"));
                new.preferences = None;
                let text = text(kind, &new);
                intended.push(if id % 8 == 3 {
                    text.replace("None", "Some([true, true, false, true])")
                } else {
                    text
                });
                format!("{owner_cells},,create,Email,{created},{flags}\n")
            }
        };
        intended.push(text(kind, &contact));
    }
    (rows, intended)
}

/// What a person sees of all contacts, in order.
fn texts(world: &World) -> Vec<String> {
    let stored = world.stored();
    let mut texts: Vec<_> =
        stored.iter().map(|((kind, _, _), contact)| text(kind, contact)).collect();
    texts.sort();
    texts
}

fn text(kind: &str, contact: &StoredContact) -> String {
    let flags = contact
        .preferences
        .as_ref()
        .map(|p| [p.job_reminders, p.marketing_updates, p.invoices, p.statements]);
    format!(
        "{kind} {} {} {} {:?} {flags:?}",
        contact.owner_id, contact.contact_type, contact.value, contact.memo
    )
}

/// What the child reported as done is done in the file, and what was done before was not
/// touched again.
fn check_reports(set: &Path, report: &Path, done: &mut BTreeMap<i64, Change>) {
    let now: HashMap<_, _> = changes(set).into_iter().map(|c| (c.id.to_string(), c)).collect();
    for change in done.values() {
        assert_eq!(now.get(&change.id.to_string()), Some(change), "done is final");
    }
    for line in std::fs::read_to_string(report).unwrap().lines() {
        // The last line may be cut short by the kill.
        let Some((id, "done")) = line.split_once(' ') else {
            continue;
        };
        assert_eq!(now[id].outcome.state, State::Done, "change {id} was reported done");
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
            *sent.entry(format!("{} {}", entry.method, entry.path)).or_default() += 1;
        }
    }
    let (mut repeats, mut creations) = (0, HashMap::<String, u32>::new());
    for change in changes(set) {
        let (kind, owner) = (change.target.kind(), change.target.owner_text());
        let contact = change.target.contact_text().unwrap();
        let path = format!("/crm/v2/tenant/1001/{kind}s/{owner}/contacts");
        let times = match change.action.name() {
            "update" => sent[&format!("PATCH {path}/{contact}")],
            "delete" => sent[&format!("DELETE {path}/{contact}")],
            // Several creations may go to one path.
            _ => {
                *creations.entry(format!("POST {path}")).or_default() += change.outcome.attempts;
                1
            }
        };
        assert!(times <= change.outcome.attempts, "sent {times} times: {change:?}");
        repeats += u64::from(change.outcome.attempts - 1);
    }
    for (path, attempts) in creations {
        assert!(sent[&path] <= attempts, "{path}: {} times", sent[&path]);
    }
    assert!(repeats <= kills * 64, "{repeats} repeats after {kills} kills");
}
