//! What is redacted is gone from the file, and the wish is honoured as before.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs;

use common::{begun, ledger, list, out, rechain};
use crm_consent::{ConsentError, Fault, Import, Ledger, Redact, Said, Scope, Wish};
use rusqlite::Connection;
use tempfile::TempDir;

const NUMBER: &str = "(818) 555-0142";
/// What must not be found in any file of the ledger: the number as it was given and as it was read,
/// words, a name, a place, reasons.
const PERSONAL: [&str; 7] = [
    "(818) 555-0142",
    "8185550142",
    "STOP-OF-ADA",
    "taker-of-ada",
    "shop-of-ada",
    "because-of-ada",
    "againstada",
];

/// A ledger in which a number is in records of every kind, among many others.
fn filled(folder: &TempDir) -> Ledger {
    let mut ledger = ledger(folder);
    for n in 1_000..1_400 {
        ledger.add(&out(&format!("818-555-{n:04}"))).unwrap();
    }
    let said = out(NUMBER).words("STOP-OF-ADA").received("2026-11-20");
    let wish = ledger.add(&said.taken_by("taker-of-ada").place("shop-of-ada")).unwrap().record;
    ledger.retract(wish, "because-of-ada").unwrap();
    let text = "phone,status,received\n8185550142,STOP,2026-11-23\n8185550143,STOP,2026-11-23\n";
    ledger.import(&mut list("a.csv", text).unwrap(), &Import::new()).unwrap();
    let text = "phone,status,received\n8185550142,STOP,2026-11-23\n";
    ledger.import(&mut list("b.csv", text).unwrap(), &Import::new()).unwrap();
    let guard = crm_consent::Guard::new(begun(folder)).overridden("againstada");
    assert_eq!(guard.admit(None, NUMBER, "customer 1, contact 2").unwrap(), None);
    for n in 1_400..1_800 {
        ledger.add(&out(&format!("818-555-{n:04}"))).unwrap();
    }
    ledger
}

/// What of it is in the file or in what stands beside it.
fn left(folder: &TempDir) -> Vec<String> {
    let mut left = Vec::new();
    for entry in fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        for personal in PERSONAL {
            if bytes.windows(personal.len()).any(|window| window == personal.as_bytes()) {
                left.push(format!("{personal} in {}", path.display()));
            }
        }
    }
    left
}

#[test]
fn what_is_redacted_is_gone_from_the_file_and_its_journal_and_the_wish_stands() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = filled(&folder);
    assert!(left(&folder).len() >= PERSONAL.len(), "{:?}", left(&folder));
    let before = ledger.status(NUMBER, Scope::Marketing).unwrap();

    let redacted = ledger.redact(Redact::Value("+1 818 555 0142"), "asked to be erased").unwrap();
    // Two wishes, a retraction and an override.
    assert_eq!(redacted.records.len(), 4, "{redacted:?}");
    assert!(redacted.by.is_some() && redacted.may_be.is_empty());
    // While the ledger is open, and after.
    assert_eq!(left(&folder), Vec::<String>::new());
    assert_eq!(ledger.check(None).unwrap().fault, None);

    let standing = ledger.status(NUMBER, Scope::Marketing).unwrap();
    assert_eq!((standing.wish, standing.decided_by), (before.wish, before.decided_by));
    assert!(standing.heard.iter().all(|heard| heard.value.is_none() && heard.words.is_none()));
    assert!(
        ledger
            .standing(Wish::Out, Scope::Marketing)
            .unwrap()
            .iter()
            .any(|heard| { heard.value.is_none() && Some(heard.record) == before.decided_by })
    );
    let acts = ledger.proof(NUMBER).unwrap().acts.into_iter().map(|act| (act.kind, act.reason));
    let told = |kind: &str, reason: Option<&str>| (kind.to_owned(), reason.map(str::to_owned));
    let expected = [
        told("retraction", None),
        told("override", None),
        told("redaction", Some("asked to be erased")),
    ];
    assert_eq!(acts.collect::<Vec<_>>(), expected);
    let guard = crm_consent::Guard::new(begun(&folder));
    assert!(guard.admit(None, NUMBER, "customer 1, contact 2").unwrap().is_some());
    // The very same wish is known, and does not bring the number back.
    let text = "phone,status,received\n8185550142,STOP,2026-11-23\n";
    let again = ledger.import(&mut list("c.csv", text).unwrap(), &Import::new()).unwrap();
    assert_eq!((again.new, again.known), (0, 1));
    assert_eq!(left(&folder), Vec::<String>::new());
    drop((ledger, guard));
    assert_eq!(left(&folder), Vec::<String>::new());
    assert_eq!(begun(&folder).check(None).unwrap().fault, None);
}

#[test]
fn what_was_removed_already_is_only_cleaned_up_and_what_is_not_there_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = filled(&folder);
    let first = ledger.redact(Redact::Value(NUMBER), "asked").unwrap();
    let count = ledger.head().unwrap().count;
    let second = ledger.redact(Redact::Value(NUMBER), "asked").unwrap();
    assert_eq!((second.by, second.records.len()), (None, 0));
    assert_eq!(ledger.head().unwrap().count, count);
    let none = ledger.redact(Redact::Record(99_999), "asked");
    assert!(matches!(none, Err(ConsentError::NoRecord(99_999))), "{none:?}");
    assert!(ledger.redact(Redact::Value("front desk"), "asked").is_err());

    // Why it was removed can be removed as well.
    let by = first.by.unwrap();
    let of_reason = ledger.redact(Redact::Record(by), "no reason").unwrap();
    assert_eq!(of_reason.records, [by]);
    assert_eq!(ledger.check(None).unwrap().fault, None);
}

#[test]
fn a_record_names_its_value_and_numbers_that_may_be_the_same_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = ledger(&folder);
    let first = ledger.add(&out(NUMBER).received("2026-11-20")).unwrap().record;
    let second = ledger.add(&out("818-555-0142").received("2026-11-21")).unwrap().record;
    assert_eq!(ledger.value_of(second).unwrap().as_deref(), Some("818-555-0142"));
    let redacted = ledger.redact(Redact::Record(second), "asked").unwrap();
    assert_eq!(redacted.records, [first, second]);
    assert_eq!(ledger.value_of(second).unwrap(), None);

    // 65 may be a country code.
    let other = ledger.add(&out("6561234567")).unwrap().record;
    let near = ledger.add(&Said::new("+65 6123 4567", Wish::Out)).unwrap().record;
    let redacted = ledger.redact(Redact::Record(near), "asked").unwrap();
    assert_eq!((redacted.records, redacted.may_be), (vec![near], vec![other]));
}

#[test]
fn whoever_reads_the_journal_meanwhile_is_told_of() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = filled(&folder);
    let reader = Connection::open(folder.path().join("ledger.db")).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM records").unwrap();
    let kept = ledger.redact(Redact::Value(NUMBER), "asked");
    assert!(matches!(kept, Err(ConsentError::StillRead { .. })), "{kept:?}");
    assert_eq!(ledger.check(None).unwrap().fault, None);
    reader.execute_batch("COMMIT").unwrap();
    drop(reader);
    assert_eq!(ledger.redact(Redact::Value(NUMBER), "asked").unwrap().by, None);
    assert_eq!(left(&folder), Vec::<String>::new());
}

#[test]
fn nothing_may_be_gone_that_no_redaction_tells() {
    let empty = "UPDATE records SET salt = NULL, personal = NULL WHERE number = 7";
    for (statements, fault) in [
        (empty, Some(Fault::Altered(7))),
        // Half of it.
        ("UPDATE records SET salt = zeroblob(32) WHERE number = 401", Some(Fault::Altered(401))),
        // What was told to be gone is there, as from a copy.
        (
            "UPDATE records SET (salt, personal) = (SELECT salt, personal FROM kept WHERE number = 401)
             WHERE number = 401",
            Some(Fault::Altered(401)),
        ),
        // A redaction that tells of one more.
        (
            "UPDATE records SET facts = replace(facts, '[401', '[7,401') WHERE kind = 'redaction'",
            Some(Fault::Altered(7)),
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mut ledger = filled(&folder);
        let connection = Connection::open(folder.path().join("ledger.db")).unwrap();
        connection.execute_batch("CREATE TABLE kept AS SELECT * FROM records").unwrap();
        ledger.redact(Redact::Value(NUMBER), "asked").unwrap();
        drop(ledger);
        connection.execute_batch(statements).unwrap();
        drop(connection);
        rechain(&folder);
        assert_eq!(begun(&folder).check(None).unwrap().fault, fault, "{statements}");
    }
}

#[test]
fn a_reason_that_would_keep_the_value_is_refused_and_nothing_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = ledger(&folder);
    let number = ledger.add(&out(NUMBER)).unwrap().record;
    ledger.add(&out("Ada@Site.example")).unwrap();
    for (what, reason) in [
        (Redact::Value("+1 818 555 0142"), "818.555.0142 asked"),
        (Redact::Value(NUMBER), "who has 555 0142"),
        (Redact::Record(number), "asked by +18185550142"),
        (Redact::Value("ada@site.example"), "mail of ADA@SITE.EXAMPLE"),
    ] {
        let refused = ledger.redact(what, reason);
        assert!(matches!(refused, Err(ConsentError::ReasonHasValue)), "{reason}: {refused:?}");
    }
    assert_eq!(ledger.value_of(number).unwrap().as_deref(), Some(NUMBER));
    ledger.redact(Redact::Value(NUMBER), "ticket 4711 of 2026-11-29").unwrap();
}
