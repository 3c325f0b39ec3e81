//! Whatever is altered, removed, moved or cut off in a ledger with records of all kinds is named.
//!
//! `CRM_CONSENT_RECORDS` says how many records there are about; they are 400 unless said otherwise.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{env, fs, time::Instant};

use common::{begun, ledger, list, out};
use crm_consent::{Fault, Guard, Import, Ledger, Policy, Redact, SealingKey};
use rusqlite::{Connection, params, types::Value};
use tempfile::TempDir;

const COLUMNS: [&str; 12] = [
    "previous",
    "hash",
    "kind",
    "at",
    "by",
    "subject",
    "digest",
    "otherwise",
    "facts",
    "commitment",
    "salt",
    "personal",
];

fn value(n: u64) -> String {
    format!("818{:03}{:04}", 200 + n / 10_000, n % 10_000)
}

/// A ledger with records of all kinds, among as many wishes.
fn filled(folder: &TempDir, records: u64) {
    const AT_ONCE: u64 = 10_000;
    let mut ledger = ledger(folder);
    let keys: [_; 2] = std::array::from_fn(|_| SealingKey::generate().unwrap());
    ledger.begin_key(&keys[0].public()).unwrap();
    let mut next = 0;
    while next < records {
        let some = AT_ONCE.min(records / 4);
        // Each list has some of the one before.
        let rows = next.saturating_sub(some / 50)..next + some;
        let text: String = rows.map(|n| format!("{},STOP,2026-11-23\n", value(n))).collect();
        let text = format!("phone,status,received\n{text}");
        let imported = ledger.import(&mut list("a.csv", &text).unwrap(), &Import::new()).unwrap();
        next += some;
        if next == some {
            ledger.retract(imported.import, "the wrong list").unwrap();
            ledger.hand_over(&keys[0], &keys[1].public()).unwrap();
        } else {
            let sealed = ledger.seal(&keys[1]).unwrap();
            ledger.keep_stamp(sealed.record, "https://time.example", "2026-11-29", b"x").unwrap();
        }
    }
    ledger.add(&out("+65 6123 4567")).unwrap();
    ledger.set_policy(&Policy::default()).unwrap();
    let guard = Guard::new(begun(folder)).overridden("asked for it");
    guard.admit(None, &value(next - 1), "customer 1, contact 2").unwrap();
    drop(guard);
    for n in [next - 2, next / 2] {
        ledger.redact(Redact::Value(&value(n)), "asked").unwrap();
    }
    ledger.add(&out("213-555-0199")).unwrap();
}

/// The file behind the ledger's back, with what to put back.
struct Behind {
    ledger: Ledger,
    file: Connection,
    records: u64,
}

impl Behind {
    fn of(folder: &TempDir) -> Self {
        let file = Connection::open(folder.path().join("ledger.db")).unwrap();
        let kept = folder.path().join("kept.db").display().to_string();
        file.execute("ATTACH ? AS kept", [kept]).unwrap();
        file.execute_batch("CREATE TABLE kept.records AS SELECT * FROM main.records").unwrap();
        file.execute_batch("CREATE UNIQUE INDEX kept.numbers ON records (number)").unwrap();
        let ledger = begun(folder);
        let records = ledger.head().unwrap().count;
        Self { ledger, file, records }
    }

    fn fault(&self) -> Option<Fault> {
        self.ledger.check(None).unwrap().fault
    }

    /// Does something to the file, says what a check finds, and puts everything back from a record on.
    fn after(&self, from: u64, to: u64, act: impl FnOnce(&Connection)) -> Option<Fault> {
        act(&self.file);
        let fault = self.fault();
        let back = [
            "DELETE FROM main.records WHERE number >= ?1 AND number <= ?2 OR number < 1 OR number > ?3",
            "INSERT INTO main.records SELECT * FROM kept.records
             WHERE number >= ?1 AND number <= ?2 AND ?3 > 0",
        ];
        for sql in back {
            self.file.execute(sql, params![from, to, self.records]).unwrap();
        }
        fault
    }

    /// One record of each kind, the first and the last one, and some others.
    fn some(&self, random: &mut fastrand::Rng) -> Vec<u64> {
        let sql = "SELECT max(number) FROM records GROUP BY kind ORDER BY 1";
        let mut query = self.file.prepare(sql).unwrap();
        let of_kinds = query.query_map([], |row| row.get(0)).unwrap();
        let mut some: Vec<u64> = of_kinds.map(Result::unwrap).collect();
        assert_eq!(some.len(), 10, "there are records of all kinds");
        let redacted = "SELECT min(number) FROM records
                        WHERE commitment IS NOT NULL AND personal IS NULL";
        some.push(self.file.query_row(redacted, [], |row| row.get(0)).unwrap());
        some.extend([1, self.records]);
        some.extend((0..5).map(|_| random.u64(1..=self.records)));
        some
    }
}

/// Something else than a cell has: one bit of it, or something where nothing was.
fn otherwise(value: Value, column: &str, random: &mut fastrand::Rng) -> Value {
    let mut flip = |mut bytes: Vec<u8>| {
        let at = random.usize(0..bytes.len());
        bytes[at] ^= 1 << random.u8(0..7);
        bytes
    };
    match (value, column) {
        (Value::Integer(number), _) => Value::Integer(number + 1),
        (Value::Blob(bytes), _) => Value::Blob(flip(bytes)),
        (Value::Text(text), _) => {
            let bytes = flip(text.into_bytes());
            Value::Text(String::from_utf8_lossy(&bytes).into_owned())
        }
        (_, "subject") => Value::Integer(1),
        (_, "personal") => Value::Text("{}".to_owned()),
        _ => Value::Blob(vec![7; 32]),
    }
}

#[test]
fn whatever_is_changed_in_any_column_of_any_record_is_named() {
    let records = env::var("CRM_CONSENT_RECORDS").map_or(400, |records| records.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    filled(&folder, records);
    let behind = Behind::of(&folder);
    let begun = Instant::now();
    assert_eq!(behind.fault(), None);
    println!("{} records are checked in {:.2?}", behind.records, begun.elapsed());
    let mut random = fastrand::Rng::with_seed(37);
    let mut changed = 0;
    for number in behind.some(&mut random) {
        for column in COLUMNS {
            let sql = format!("SELECT {column} FROM records WHERE number = ?");
            let cell: Value = behind.file.query_row(&sql, [number], |row| row.get(0)).unwrap();
            let other = otherwise(cell, column, &mut random);
            let fault = behind.after(number, number, |file| {
                let sql = format!("UPDATE records SET {column} = ? WHERE number = ?");
                file.execute(&sql, params![other, number]).unwrap();
            });
            assert_eq!(fault, Some(Fault::Altered(number)), "{column} of record {number}");
            changed += 1;
        }
    }
    println!("{changed} cells were altered, each record was named");
    assert_eq!(behind.fault(), None, "all is as it was");
}

#[test]
fn whatever_is_removed_moved_or_cut_off_is_named() {
    let records = env::var("CRM_CONSENT_RECORDS").map_or(400, |records| records.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    filled(&folder, records);
    let behind = Behind::of(&folder);
    let last = behind.records;
    let mut random = fastrand::Rng::with_seed(41);
    for number in behind.some(&mut random) {
        let removed = behind.after(number, number, |file| {
            file.execute("DELETE FROM records WHERE number = ?", [number]).unwrap();
        });
        let expected = if number == last { Fault::CutOff(number) } else { Fault::Removed(number) };
        assert_eq!(removed, Some(expected), "record {number}");

        let other = random.u64(1..=last);
        let (first, second) = (number.min(other), number.max(other));
        if first != second {
            let moved = behind.after(first, second, |file| {
                let sql = "UPDATE records SET number = CASE number WHEN ?1 THEN -1 ELSE -2 END
                           WHERE number IN (?1, ?2)";
                file.execute(sql, params![first, second]).unwrap();
                let sql = "UPDATE records SET number = CASE number WHEN -1 THEN ?2 ELSE ?1 END
                           WHERE number < 0";
                file.execute(sql, params![first, second]).unwrap();
            });
            assert_eq!(moved, Some(Fault::Reordered(first)), "records {first} and {second}");
        }
        let cut = behind.after(number, last, |file| {
            file.execute("DELETE FROM records WHERE number >= ?", [number]).unwrap();
        });
        assert_eq!(cut, Some(Fault::CutOff(number)));
    }
    assert_eq!(behind.fault(), None, "all is as it was");
}

/// Any byte of the file: told, unless it lies in what is free.
#[test]
fn no_byte_of_a_ledger_with_all_kinds_can_be_changed_without_being_noticed() {
    let records = env::var("CRM_CONSENT_RECORDS").map_or(400, |records| records.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    filled(&folder, records);
    let path = folder.path().join("ledger.db");
    let mut whole = fs::read(&path).unwrap();
    let said = || {
        let sql = "SELECT hex(previous) || hex(hash) || kind || at || by || coalesce(subject, '')
                       || coalesce(hex(digest), '') || facts || coalesce(hex(commitment), '')
                       || coalesce(hex(salt), '') || coalesce(personal, '')
                   FROM records ORDER BY number";
        let read = Connection::open(&path).unwrap();
        let mut query = read.prepare(sql).unwrap();
        let rows = query.query_map([], |row| row.get::<_, String>(0)).unwrap();
        rows.collect::<Result<Vec<_>, _>>().ok()
    };
    let before = said();
    let mut random = fastrand::Rng::with_seed(43);
    const FLIPS: usize = 60;
    let mut seen = 0;
    for _ in 0..FLIPS {
        // Not in the header of the file, by which SQLite knows it at all.
        let (at, bit) = (random.usize(100..whole.len()), 1 << random.u8(0..8));
        whole[at] ^= bit;
        fs::write(&path, &whole).unwrap();
        whole[at] ^= bit;
        let checked = Ledger::open(&path, &common::site()).and_then(|ledger| ledger.check(None));
        if checked.is_ok_and(|checked| checked.fault.is_none()) {
            assert_eq!(said(), before, "byte {at} was changed");
        } else {
            seen += 1;
        }
    }
    println!("{seen} of {FLIPS} bytes were noticed, the others are of nothing");
    assert!(seen > FLIPS / 2, "only {seen} of {FLIPS} hit anything");
}
