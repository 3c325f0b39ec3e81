//! A process that is killed at any moment loses no wish that it reported, and takes none twice; an
//! import is there as a whole or not at all; what it reported as taken back, redacted or sealed is so.
//! Two that add at once queue.
//!
//! `CRM_CONSENT_KILLS` says how often; it is 30 times unless said otherwise.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{
    collections::BTreeSet,
    env, fs,
    io::{BufRead, BufReader, Write},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use common::{begun, ledger, site};
use crm_bulk::{Input, List, ListOptions};
use crm_consent::{Import, Ledger, Redact, Said, Scope, Seal, SealingKey, Wish};
use rusqlite::Connection;
use tempfile::TempDir;

/// Says in the process that is killed where its ledger is, and from which number on it takes wishes.
const FOLDER: &str = "CRM_CONSENT_FOLDER";
const FROM: &str = "CRM_CONSENT_FROM";

/// The file of the key that signs the ledger.
const KEY: &str = "key.pem";

/// How many wishes come with one import.
const ROWS: u64 = 50;

fn main() {
    if let (Ok(folder), Ok(from)) = (env::var(FOLDER), env::var(FROM)) {
        let ledger = Ledger::open_or_create(format!("{folder}/ledger.db"), &site()).unwrap();
        let key = fs::read_to_string(format!("{folder}/{KEY}")).unwrap();
        work(ledger, &SealingKey::from_pem(&key).unwrap(), from.parse().unwrap());
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

/// Takes wishes until it is killed, and reports each: by turns single ones and lists. Between them it
/// seals, takes a list back and redacts, and says so before as well: what it was about to do may be
/// done.
fn work(mut ledger: Ledger, key: &SealingKey, from: u64) {
    let mut next = from;
    // Whatever is read once is read now.
    ledger.status(&value(next), Scope::Marketing).unwrap();
    println!("ready");
    loop {
        let single = next;
        let said = Said::new(value(single), Wish::Out).received("2026-11-23").words(words(single));
        ledger.add(&said).unwrap();
        report("took", single, 1);
        let (_, first) = list(&mut ledger, single + 1);
        report("took", single + 1, ROWS);
        next = first;

        let seal = ledger.seal(key).unwrap().seal;
        report_text(&format!("sealed {}", seal.to_string().replace('\n', "|")));

        let (import, after) = list(&mut ledger, next);
        report("took", next, ROWS);
        report("retracting", next, ROWS);
        ledger.retract(import, "the wrong list").unwrap();
        report("retracted", next, ROWS);
        next = after;

        report("redacting", single, 1);
        ledger.redact(Redact::Value(&value(single)), "asked").unwrap();
        report("redacted", single, 1);
    }
}

/// What the person with this number has said.
fn words(n: u64) -> String {
    format!("words of {n} and no more")
}

/// Takes a list of numbers from this one on, and returns its record and the number after it.
fn list(ledger: &mut Ledger, from: u64) -> (u64, u64) {
    let rows: String = (from..from + ROWS).map(|n| format!("{},STOP\n", value(n))).collect();
    let rows = format!("phone,status\n{rows}");
    let input = Input::csv("list.csv", std::io::Cursor::new(rows.into_bytes()));
    let mut list = List::read(input, &ListOptions::new()).unwrap();
    let imported = ledger.import(&mut list, &Import::new()).unwrap();
    assert_eq!(imported.new, ROWS);
    (imported.import, from + ROWS)
}

fn report(what: &str, from: u64, count: u64) {
    report_text(&format!("{what} {from} {count}"));
}

fn report_text(text: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}").unwrap();
    out.flush().unwrap();
}

/// What was reported so far.
#[derive(Default)]
struct Reported {
    took: BTreeSet<u64>,
    retracting: BTreeSet<u64>,
    retracted: BTreeSet<u64>,
    redacting: BTreeSet<u64>,
    redacted: BTreeSet<u64>,
    seal: Option<Seal>,
    seals: u64,
}

impl Reported {
    fn line(&mut self, line: &str) {
        // One that was cut off was not reported.
        let Some((what, rest)) = line.split_once(' ') else { return };
        if what == "sealed" {
            if let Ok(seal) = rest.replace('|', "\n").parse() {
                (self.seal, self.seals) = (Some(seal), self.seals + 1);
            }
            return;
        }
        let Some((first, count)) = rest.split_once(' ') else { return };
        let (first, count): (u64, u64) = match (first.parse(), count.parse()) {
            (Ok(first), Ok(count)) if count == 1 || count == ROWS => (first, count),
            _ => return,
        };
        let all = match what {
            "took" => &mut self.took,
            "retracting" => &mut self.retracting,
            "retracted" => &mut self.retracted,
            "redacting" => &mut self.redacting,
            "redacted" => &mut self.redacted,
            _ => return,
        };
        all.extend(first..first + count);
    }

    /// Holds it against the ledger.
    fn is_so(&self, folder: &TempDir, ledger: &Ledger) {
        let taken = ledger.standing(Wish::Out, Scope::Marketing).unwrap();
        let keys: BTreeSet<_> = taken.iter().filter_map(|heard| heard.key.clone()).collect();
        let is_out = |n: u64| keys.contains(&format!("1{}", value(n)));
        for n in &self.took {
            let may_be_redacted = self.redacting.contains(n);
            if may_be_redacted {
                let status = ledger.status(&value(*n), Scope::Marketing).unwrap();
                assert_eq!(status.wish, Some(Wish::Out), "{n} is lost");
            } else if !self.retracting.contains(n) {
                assert!(is_out(*n), "{n} is lost");
            }
        }
        for n in &self.retracted {
            assert!(!is_out(*n), "{n} was taken back");
        }
        for n in &self.redacted {
            assert!(!is_out(*n), "{n} was redacted");
        }
        // Of what was redacted nothing is in the file nor in its journal.
        let files = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
        let bytes: Vec<u8> = files.flat_map(|path| fs::read(path).unwrap()).collect();
        let bytes = String::from_utf8_lossy(&bytes);
        for n in self.redacted.iter().rev().take(20) {
            assert!(!bytes.contains(&words(*n)), "{n} was redacted and is in the file");
        }
        if let Some(seal) = &self.seal {
            assert_eq!(ledger.fault_of(seal, None).unwrap(), None);
            assert_eq!(ledger.check(Some(&seal.head)).unwrap().fault, None);
        }
    }
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
    let key = SealingKey::generate().unwrap();
    fs::write(folder.path().join(KEY), &*key.to_pem()).unwrap();
    ledger(&folder).begin_key(&key.public()).unwrap();
    let mut random = fastrand::Rng::with_seed(31);
    let (mut reported, mut from) = (Reported::default(), 0);
    for _ in 0..kills {
        let mut child = start(&folder, from);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert_eq!(lines.next().unwrap().unwrap(), "ready");
        // Wherever the process is by then: the moment is the point of this test.
        thread::sleep(Duration::from_millis(random.u64(1..200)));
        child.kill().unwrap();
        lines.for_each(|line| reported.line(&line.unwrap()));
        child.wait().unwrap();
        let ledger = begun(&folder);
        let checked = ledger.check(None).unwrap();
        assert!(checked.fault.is_none(), "{:?}", checked.fault);
        reported.is_so(&folder, &ledger);
        let count = |sql| {
            let ledger = Connection::open(folder.path().join("ledger.db")).unwrap();
            ledger.query_row(sql, [], |row| row.get::<_, u64>(0)).unwrap()
        };
        // Single wishes and whole lists, nothing between.
        let twice = "SELECT count(*) - count(DISTINCT digest) FROM records WHERE kind = 'wish'";
        assert_eq!(count(twice), 0, "taken twice");
        let halves = format!(
            "SELECT count(*) FROM (SELECT 1 FROM records WHERE kind = 'wish' AND subject IS NOT NULL
             GROUP BY subject HAVING count(*) <> {ROWS})"
        );
        assert_eq!(count(&halves), 0, "a list came in by half");
        // A number of which nothing can be there yet.
        from = ledger.head().unwrap().count;
    }
    let Reported { took, retracted, redacted, seals, .. } = reported;
    assert!(!took.is_empty(), "nothing was reported before the kills");
    println!(
        "{kills} kills: {} wishes reported, all there; {} taken back, {} redacted, {seals} seals",
        took.len(),
        retracted.len(),
        redacted.len()
    );
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
