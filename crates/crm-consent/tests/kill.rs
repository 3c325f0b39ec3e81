//! A process that is killed at any moment loses no wish that it reported, and an import is there as a
//! whole or not at all. Two that add at once queue.
//!
//! `CRM_CONSENT_KILLS` says how often; it is 30 times unless said otherwise.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{
    collections::BTreeSet,
    env,
    io::{BufRead, BufReader, Write},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use common::{begun, ledger, site};
use crm_bulk::{Input, List, ListOptions};
use crm_consent::{Import, Ledger, Said, Scope, Wish};
use tempfile::TempDir;

/// Says in the process that is killed where its ledger is, and from which number on it takes wishes.
const FOLDER: &str = "CRM_CONSENT_FOLDER";
const FROM: &str = "CRM_CONSENT_FROM";

/// How many wishes come with one import.
const ROWS: u64 = 50;

fn main() {
    if let (Ok(folder), Ok(from)) = (env::var(FOLDER), env::var(FROM)) {
        let ledger = Ledger::open_or_create(format!("{folder}/ledger.db"), &site()).unwrap();
        take(ledger, from.parse().unwrap());
        return;
    }
    // As the harness would, for who asks for the names of the tests.
    if env::args().any(|argument| argument == "--list") {
        println!("a_reported_wish_is_there: test\ntwo_that_add_at_once_queue: test");
        return;
    }
    a_reported_wish_is_there();
    two_that_add_at_once_queue();
}

fn value(n: u64) -> String {
    format!("818{:03}{:04}", 200 + n / 10_000, n % 10_000)
}

/// Takes wishes until it is killed, and reports each: by turns single ones and lists.
fn take(mut ledger: Ledger, from: u64) {
    let mut next = from;
    // Whatever is read once is read now.
    ledger.status(&value(next), Scope::Marketing).unwrap();
    println!("ready");
    loop {
        let said = Said::new(value(next), Wish::Out).received("2026-11-23");
        ledger.add(&said).unwrap();
        report(next, 1);
        next += 1;
        let rows: String = (next..next + ROWS).map(|n| format!("{},STOP\n", value(n))).collect();
        let rows = format!("phone,status\n{rows}");
        let input = Input::csv("list.csv", std::io::Cursor::new(rows.into_bytes()));
        let mut list = List::read(input, &ListOptions::new()).unwrap();
        assert_eq!(ledger.import(&mut list, &Import::new()).unwrap().new, ROWS);
        report(next, ROWS);
        next += ROWS;
    }
}

fn report(from: u64, count: u64) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{from} {count}").unwrap();
    out.flush().unwrap();
}

/// Starts this program once more as the one that is killed.
fn start(folder: &TempDir, from: u64) -> Child {
    Command::new(env::current_exe().unwrap())
        .env(FOLDER, folder.path())
        .env(FROM, from.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

fn a_reported_wish_is_there() {
    let kills: u64 = env::var("CRM_CONSENT_KILLS").map_or(30, |kills| kills.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    drop(ledger(&folder));
    let mut random = fastrand::Rng::with_seed(31);
    let (mut reported, mut from) = (BTreeSet::new(), 0);
    for _ in 0..kills {
        let mut child = start(&folder, from);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert_eq!(lines.next().unwrap().unwrap(), "ready");
        // Wherever the process is by then: the moment is the point of this test.
        thread::sleep(Duration::from_millis(random.u64(1..200)));
        child.kill().unwrap();
        for line in lines {
            let line = line.unwrap();
            // One that was cut off was not reported.
            let Some((first, count)) = line.split_once(' ') else { continue };
            let (first, count): (u64, u64) = (first.parse().unwrap(), count.parse().unwrap());
            reported.extend(first..first + count);
        }
        child.wait().unwrap();
        let ledger = begun(&folder);
        let checked = ledger.check(None).unwrap();
        assert!(checked.fault.is_none(), "{:?}", checked.fault);
        let taken = ledger.standing(Wish::Out, Scope::Marketing).unwrap();
        let keys: BTreeSet<_> = taken.iter().map(|heard| heard.key.clone().unwrap()).collect();
        assert_eq!(keys.len(), taken.len(), "taken twice");
        for n in &reported {
            assert!(keys.contains(&format!("1{}", value(*n))), "{n} is lost");
        }
        // Single wishes and whole lists, nothing between.
        let of_lists = taken.iter().filter(|heard| heard.import.is_some()).count() as u64;
        assert_eq!(of_lists % ROWS, 0, "a list came in by half");
        from = taken.len() as u64;
    }
    assert!(!reported.is_empty(), "nothing was reported before the kills");
    println!("{kills} kills, {} wishes reported, all there", reported.len());
}

fn two_that_add_at_once_queue() {
    const EACH: u64 = 40;
    let folder = tempfile::tempdir().unwrap();
    thread::scope(|scope| {
        for half in 0..2 {
            let mut ledger = ledger(&folder);
            scope.spawn(move || {
                for n in 0..EACH {
                    // Half of them are those of the other one.
                    let said = Said::new(value(half * EACH / 2 + n), Wish::Out);
                    ledger.add(&said).unwrap();
                }
            });
        }
    });
    let ledger = begun(&folder);
    assert!(ledger.check(None).unwrap().fault.is_none());
    assert_eq!(ledger.head().unwrap().count, EACH + EACH / 2);
    println!("two that add at once queue");
}
