//! The ledger: what was taken stands, and what was changed behind its back is named.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{SITE_URL, begun, ledger, out, site};
use crm_consent::{ConsentError, Fault, Head, Ledger, Policy, Said, Scope, Wish};
use crm_models::TenantId;
use rusqlite::Connection;

fn status(ledger: &Ledger, value: &str) -> Option<Wish> {
    ledger.status(value, Scope::Marketing).unwrap().wish
}

#[test]
fn a_wish_is_found_however_the_number_is_written_and_is_taken_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = ledger(&folder);
    let said = out("(818) 555-0142").words("STOP").received("2026-11-23T10:30:00-08:00");
    let first = ledger.add(&said).unwrap();
    assert!(first.is_new && first.honoured);
    let again = ledger.add(&said).unwrap();
    assert_eq!((again.record, again.is_new), (first.record, false));

    let standing = ledger.status("+1 818-555-0142 ext. 7", Scope::Marketing).unwrap();
    assert_eq!((standing.wish, standing.may()), (Some(Wish::Out), false));
    assert_eq!(standing.heard.len(), 1);
    assert_eq!(standing.heard[0].words.as_deref(), Some("STOP"));
    assert_eq!(standing.heard[0].value.as_deref(), Some("(818) 555-0142"));

    let other = ledger.status("818-555-0143", Scope::Marketing).unwrap();
    assert_eq!((other.wish, other.may()), (None, true));
    assert!(ledger.status("555-0142", Scope::Marketing).is_err());
}

#[test]
fn a_number_that_may_be_the_same_is_told_and_may_not() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = ledger(&folder);
    ledger.add(&out("555-0142")).unwrap();
    ledger.add(&out("+65 6123 4567")).unwrap();
    for value in ["818-555-0142", "656-123-4567 "] {
        let standing = ledger.status(value, Scope::Marketing).unwrap();
        assert_eq!(standing.wish, None, "{value}");
        assert_eq!(standing.may(), standing.may_be.is_empty(), "{value}");
    }
    assert!(!ledger.status("818-555-0142", Scope::Marketing).unwrap().may());
    assert!(ledger.status("818-555-0143", Scope::Marketing).unwrap().may());
}

#[test]
fn the_last_wish_decides_and_out_where_that_is_not_known() {
    use Wish::{In, Out};
    let said = |wish, received: Option<&str>| {
        let said = Said::new("818-555-0142", wish).words("said so");
        match received {
            Some(received) => said.received(received),
            None => said,
        }
    };
    for (wishes, last) in [
        (vec![(Out, Some("2026-01-05")), (In, Some("2026-06-05"))], In),
        (vec![(In, Some("2026-06-05")), (Out, Some("2026-01-05"))], In),
        (vec![(In, Some("2026-01-05")), (Out, Some("2026-06-05"))], Out),
        // A day without a time.
        (vec![(Out, Some("2026-06-05")), (In, Some("2026-06-05"))], Out),
        (vec![(Out, Some("2026-06-05")), (In, Some("2026-06-05T21:00"))], Out),
        (vec![(In, Some("2026-06-05T21:00")), (Out, Some("2026-06-05"))], Out),
        (vec![(Out, Some("2026-06-05T09:00")), (In, Some("2026-06-05T21:00"))], In),
        // The same moment, in different zones: what came later into the ledger.
        (vec![(Out, Some("2026-06-05T09:00Z")), (In, Some("2026-06-05T11:00+02:00"))], In),
        (vec![(In, Some("2026-06-05T09:00Z")), (Out, Some("2026-06-05T11:00+02:00"))], Out),
        // Nobody knows when.
        (vec![(Out, None), (In, Some("2026-06-05"))], Out),
        (vec![(In, Some("2026-06-05")), (Out, None)], Out),
        // Not honoured without its time.
        (vec![(Out, Some("2026-01-05")), (In, None)], Out),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mut ledger = ledger(&folder);
        for (wish, received) in &wishes {
            ledger.add(&said(*wish, *received)).unwrap();
        }
        assert_eq!(status(&ledger, "8185550142"), Some(last), "{wishes:?}");
        assert!(ledger.check(None).unwrap().fault.is_none());
    }
}

#[test]
fn a_wish_to_be_written_to_without_its_words_is_recorded_and_not_honoured() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = ledger(&folder);
    let said = Said::new("ada@site.example", Wish::In).received("2026-06-05");
    let taken = ledger.add(&said).unwrap();
    assert!(!taken.honoured);
    let standing = ledger.status("Ada@site.example", Scope::Marketing).unwrap();
    assert_eq!((standing.wish, standing.heard.len()), (None, 1));
}

#[test]
fn from_its_day_on_a_wish_counts_for_all_kinds() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = ledger(&folder);
    ledger.add(&out("818-555-0142").received("2026-11-01")).unwrap();
    let of_all = |ledger: &Ledger| ledger.status("818-555-0142", Scope::All).unwrap().wish;
    assert_eq!(of_all(&ledger), None);
    let text = Policy::default().text().replace("2027-01-31", "2026-11-01");
    ledger.set_policy(&Policy::read(&text).unwrap()).unwrap();
    assert_eq!(of_all(&ledger), Some(Wish::Out));
    assert_eq!(ledger.policy().unwrap().sha256(), Policy::read(&text).unwrap().sha256());
}

#[test]
fn nothing_is_taken_that_cannot_be_read_or_has_not_happened() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = ledger(&folder);
    for said in [
        out("front desk"),
        out("818-555-0142").received("soon"),
        out("818-555-0142").received("2999-01-01"),
    ] {
        ledger.add(&said).unwrap_err();
    }
    assert_eq!(ledger.head().unwrap().count, 0);
}

#[test]
fn a_wish_is_taken_back_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = ledger(&folder);
    let taken = ledger.add(&out("818-555-0142")).unwrap();
    let retraction = ledger.retract(taken.record, "a test").unwrap();
    assert_eq!(status(&ledger, "818-555-0142"), None);
    assert!(matches!(
        ledger.retract(taken.record, "again"),
        Err(ConsentError::Retracted { by, .. }) if by == retraction
    ));
    assert!(matches!(ledger.retract(retraction, "it"), Err(ConsentError::NotTaken(_))));
    assert!(matches!(ledger.retract(99, "nothing"), Err(ConsentError::NotTaken(99))));
    // Said anew, it is a wish again.
    assert!(ledger.add(&out("818-555-0142")).unwrap().is_new);
    assert_eq!(status(&ledger, "818-555-0142"), Some(Wish::Out));
}

#[test]
fn a_ledger_belongs_to_one_account() {
    let folder = tempfile::tempdir().unwrap();
    drop(ledger(&folder));
    let other = crm_mirror::Site::new(TenantId::new(8).unwrap(), SITE_URL);
    assert!(Ledger::open(folder.path().join("ledger.db"), &other).is_err());
}

/// A ledger with this many wishes, and its head.
fn filled(folder: &tempfile::TempDir, wishes: u64) -> Head {
    let mut ledger = ledger(folder);
    for n in 0..wishes {
        ledger.add(&out(&format!("818-555-{n:04}")).words("STOP").received("2026-11-23")).unwrap();
    }
    ledger.head().unwrap()
}

fn fault(folder: &tempfile::TempDir, against: Option<&Head>) -> Option<Fault> {
    begun(folder).check(against).unwrap().fault
}

#[test]
fn the_first_record_that_is_not_what_was_written_is_named() {
    for (statement, expected) in [
        ("UPDATE records SET at = '2020-01-01T00:00:00Z' WHERE number = 7", Fault::Altered(7)),
        ("UPDATE records SET by = 'x' WHERE number >= 7", Fault::Altered(7)),
        (
            "UPDATE records SET facts = replace(facts, 'out', 'in') WHERE number = 7",
            Fault::Altered(7),
        ),
        (
            "UPDATE records SET personal = replace(personal, 'STOP', 'STAY') WHERE number = 7",
            Fault::Altered(7),
        ),
        ("UPDATE records SET personal = NULL, salt = NULL WHERE number = 7", Fault::Altered(7)),
        ("UPDATE records SET digest = zeroblob(32) WHERE number = 7", Fault::Altered(7)),
        ("UPDATE records SET subject = 1 WHERE number = 7", Fault::Altered(7)),
        (
            "UPDATE records SET commitment = NULL, salt = NULL, personal = NULL WHERE number = 7",
            Fault::Altered(7),
        ),
        ("UPDATE records SET kind = 'again' WHERE number = 7", Fault::Altered(7)),
        ("UPDATE records SET previous = zeroblob(32) WHERE number = 7", Fault::Altered(7)),
        ("UPDATE records SET hash = zeroblob(31) WHERE number = 7", Fault::Altered(7)),
        ("DELETE FROM records WHERE number = 7", Fault::Removed(7)),
        ("DELETE FROM records WHERE number = 1", Fault::Removed(1)),
        (
            "DELETE FROM records WHERE number = 7; UPDATE records SET number = number - 1 WHERE number > 7",
            Fault::Removed(7),
        ),
        (
            "UPDATE records SET number = 99 WHERE number = 7; UPDATE records SET number = 7 WHERE number = 9; UPDATE records SET number = 9 WHERE number = 99",
            Fault::Reordered(7),
        ),
        ("DELETE FROM records WHERE number > 7", Fault::CutOff(8)),
        ("DELETE FROM records WHERE number = 20", Fault::CutOff(20)),
        ("DELETE FROM records", Fault::CutOff(1)),
        ("UPDATE meta SET value = '19' WHERE name = 'head_count'", Fault::Added(20)),
        ("DELETE FROM meta WHERE name = 'head_hash'", Fault::CutOff(21)),
    ] {
        let folder = tempfile::tempdir().unwrap();
        filled(&folder, 20);
        assert_eq!(fault(&folder, None), None);
        let connection = Connection::open(folder.path().join("ledger.db")).unwrap();
        connection.execute_batch(statement).unwrap();
        drop(connection);
        assert_eq!(fault(&folder, None), Some(expected), "{statement}");
    }
}

#[test]
fn a_cut_that_changes_the_noted_end_as_well_is_seen_against_a_head_that_was_kept_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let head = filled(&folder, 20);
    let connection = Connection::open(folder.path().join("ledger.db")).unwrap();
    connection
        .execute_batch(
            "DELETE FROM records WHERE number > 7;
             UPDATE meta SET value = '7' WHERE name = 'head_count';
             UPDATE meta SET value = (SELECT lower(hex(hash)) FROM records WHERE number = 7)
                 WHERE name = 'head_hash'",
        )
        .unwrap();
    drop(connection);
    assert_eq!(fault(&folder, None), None);
    assert_eq!(fault(&folder, Some(&head)), Some(Fault::CutOff(8)));
    // And what was added after the head is none of its business.
    let earlier = begun(&folder).head().unwrap();
    begun(&folder).add(&out("213-555-0199")).unwrap();
    assert_eq!(fault(&folder, Some(&earlier)), None);
    let other = Head { hash: crm_consent::Sha::of(b"another"), ..earlier };
    assert_eq!(fault(&folder, Some(&other)), Some(Fault::Rewritten(7)));
}

#[test]
fn nothing_is_added_to_a_ledger_that_was_cut() {
    let folder = tempfile::tempdir().unwrap();
    filled(&folder, 3);
    let connection = Connection::open(folder.path().join("ledger.db")).unwrap();
    connection.execute_batch("DELETE FROM records WHERE number = 3").unwrap();
    drop(connection);
    let error = begun(&folder).add(&out("213-555-0199")).unwrap_err();
    assert!(matches!(error, ConsentError::Altered { fault: Fault::CutOff(3), .. }), "{error}");
}

#[test]
fn nothing_is_added_behind_records_that_were_altered() {
    for (sql, fault) in [
        ("UPDATE records SET by = 'nobody' WHERE number = 40", Fault::Altered(40)),
        ("UPDATE records SET by = 'nobody' WHERE number = 7", Fault::Altered(7)),
        (
            "UPDATE records SET facts = replace(facts, 'out', 'in') WHERE number = 39",
            Fault::Altered(39),
        ),
        ("UPDATE records SET personal = NULL WHERE number = 39", Fault::Altered(39)),
        ("DELETE FROM records WHERE number = 39", Fault::Removed(39)),
        ("DELETE FROM records WHERE number = 1", Fault::Removed(1)),
        ("DELETE FROM records WHERE number > 30", Fault::CutOff(31)),
        ("DELETE FROM records", Fault::CutOff(1)),
        ("UPDATE records SET number = 41 WHERE number = 40", Fault::Added(41)),
        ("UPDATE meta SET value = '39' WHERE name = 'head_count'", Fault::Added(40)),
    ] {
        let folder = tempfile::tempdir().unwrap();
        filled(&folder, 40);
        Connection::open(folder.path().join("ledger.db")).unwrap().execute_batch(sql).unwrap();
        let error = begun(&folder).add(&out("213-555-0199")).unwrap_err();
        let ConsentError::Altered { fault: found, .. } = error else { panic!("{sql}: {error}") };
        assert_eq!(found, fault, "{sql}");
        assert!(begun(&folder).retract(1, "wrong").is_err(), "{sql}");
    }
}

/// Any byte that is changed in the file is told, unless it lies where nothing is read of: in what is
/// free. No record is ever read as another one.
#[test]
fn no_byte_of_the_file_can_be_changed_without_being_noticed() {
    let folder = tempfile::tempdir().unwrap();
    filled(&folder, 40);
    let path = folder.path().join("ledger.db");
    let whole = std::fs::read(&path).unwrap();
    let (mut random, mut seen) = (fastrand::Rng::with_seed(17), 0);
    let said = |ledger: &Ledger| {
        let sql = "SELECT group_concat(hex(hash) || facts || coalesce(personal, '') || at || by)
                   FROM records";
        let read = Connection::open(ledger.path()).unwrap();
        read.query_row(sql, [], |row| row.get::<_, String>(0)).ok()
    };
    let before = said(&begun(&folder));
    const FLIPS: usize = 200;
    for _ in 0..FLIPS {
        let mut bytes = whole.clone();
        // Not in the header of the file, by which SQLite knows it at all.
        let at = random.usize(100..bytes.len());
        bytes[at] ^= 1 << random.u8(0..8);
        std::fs::write(&path, &bytes).unwrap();
        let Ok(ledger) = Ledger::open(&path, &site()) else {
            seen += 1;
            continue;
        };
        match ledger.check(None) {
            Ok(checked) if checked.fault.is_none() => {
                drop(ledger);
                let ledger = begun(&folder);
                assert_eq!(said(&ledger), before, "byte {at} was changed");
            }
            _ => seen += 1,
        }
    }
    assert!(seen > FLIPS / 4, "only {seen} of {FLIPS} hit anything");
}

#[test]
fn a_ledger_whose_key_of_digests_was_changed_is_not_opened() {
    let folder = tempfile::tempdir().unwrap();
    filled(&folder, 20);
    let before = begun(&folder);
    let connection = Connection::open(folder.path().join("ledger.db")).unwrap();
    let sql = "UPDATE meta SET value = replace(value, substr(value, 1, 1), 'x') WHERE name = 'digest_key'";
    let sql = sql.replace("'x'", "CASE substr(value, 1, 1) WHEN 'a' THEN 'b' ELSE 'a' END");
    connection.execute_batch(&sql).unwrap();
    let refused = Ledger::open(folder.path().join("ledger.db"), &site());
    assert!(matches!(refused, Err(ConsentError::DigestKey { record: 1, .. })), "{refused:?}");
    assert_eq!(before.check(None).unwrap().fault, None, "its key was read before");
}

#[test]
fn what_comes_before_a_fault_is_counted_also_where_it_is_seen_late() {
    let folder = tempfile::tempdir().unwrap();
    filled(&folder, 20);
    let hash_of = |checked: crm_consent::Checked| (checked.sound, checked.hash.to_string());
    let connection = Connection::open(folder.path().join("ledger.db")).unwrap();
    // That no redaction tells it is known at the end alone.
    connection
        .execute_batch("UPDATE records SET salt = NULL, personal = NULL WHERE number = 8")
        .unwrap();
    let checked = begun(&folder).check(None).unwrap();
    assert_eq!(checked.fault, Some(Fault::Altered(8)));
    let sql = "SELECT lower(hex(hash)) FROM records WHERE number = 7";
    let seventh = connection.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap();
    assert_eq!(hash_of(checked), (7, seventh));
}
