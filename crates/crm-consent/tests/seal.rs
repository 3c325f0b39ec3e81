//! What is signed holds, for everybody who has the public key, and what does not is told exactly.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{fs, process::Command};

use common::{SITE_URL, begun, ledger, out, rechain};
use crm_consent::{ConsentError, Fault, Ledger, Seal, SealFault, SealingKey};
use crm_mirror::Site;
use crm_models::TenantId;
use rusqlite::Connection;
use tempfile::TempDir;

/// A ledger with a key and some wishes.
fn with_key(folder: &TempDir) -> (Ledger, SealingKey) {
    let mut ledger = ledger(folder);
    let key = SealingKey::generate().unwrap();
    ledger.begin_key(&key.public()).unwrap();
    for n in 0..5 {
        ledger.add(&out(&format!("818-555-{n:04}"))).unwrap();
    }
    (ledger, key)
}

fn change(folder: &TempDir, statements: &str) {
    let connection = Connection::open(folder.path().join("ledger.db")).unwrap();
    connection.execute_batch(statements).unwrap();
}

#[test]
fn a_seal_is_over_all_records_before_it_and_is_made_only_where_something_came_in() {
    let folder = tempfile::tempdir().unwrap();
    let (mut ledger, key) = with_key(&folder);
    let before = ledger.head().unwrap();
    let first = ledger.seal(&key).unwrap();
    assert!(first.is_new);
    assert_eq!((first.seal.head, first.record), (before, before.count + 1));

    // Neither itself nor its time stamp is something new.
    let stamp =
        ledger.keep_stamp(first.record, "https://time.example", "2026-11-29T12:00:00Z", b"x");
    let again = ledger.seal(&key).unwrap();
    assert!(!again.is_new);
    assert_eq!((again.seal, again.stamp), (first.seal, Some(stamp.unwrap())));

    let wish = ledger.add(&out("213-555-0199")).unwrap().record;
    assert_eq!(ledger.first_seal_over(wish).unwrap(), None);
    let second = ledger.seal(&key).unwrap();
    assert_eq!(ledger.first_seal_over(wish).unwrap().unwrap().record, second.record);
    assert_eq!(ledger.first_seal_over(1).unwrap().unwrap().record, first.record);
    let checked = ledger.check(None).unwrap();
    assert_eq!((checked.fault, checked.sealed), (None, second.seal.head.count));
    assert!(checked.unsigned_keys.is_empty());
}

#[test]
fn only_the_last_key_of_a_ledger_signs_and_hands_over() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = ledger(&folder);
    let [first, second, third] = std::array::from_fn(|_| SealingKey::generate().unwrap());
    assert!(matches!(ledger.seal(&first), Err(ConsentError::NoKey)));
    assert!(matches!(ledger.hand_over(&first, &second.public()), Err(ConsentError::NoKey)));
    assert!(matches!(ledger.replace_lost_key(&first.public(), "x"), Err(ConsentError::NoKey)));
    let record = ledger.begin_key(&first.public()).unwrap();
    let there = ledger.begin_key(&second.public());
    assert!(matches!(there, Err(ConsentError::KeyThere { record: by }) if by == record));
    let by_first = ledger.seal(&first).unwrap().seal;

    ledger.hand_over(&first, &second.public()).unwrap();
    assert!(matches!(ledger.seal(&first), Err(ConsentError::WrongKey { .. })));
    assert!(matches!(
        ledger.hand_over(&first, &third.public()),
        Err(ConsentError::WrongKey { .. })
    ));
    let by_second = ledger.seal(&second).unwrap().seal;
    let checked = ledger.check(None).unwrap();
    assert_eq!((checked.fault, checked.unsigned_keys), (None, vec![]));

    let lost = ledger.replace_lost_key(&third.public(), "the laptop was stolen").unwrap();
    ledger.seal(&third).unwrap();
    let checked = ledger.check(None).unwrap();
    assert_eq!(checked.fault, None);
    let [key] = checked.unsigned_keys.as_slice() else { panic!("{checked:?}") };
    assert_eq!((key.record, key.reason.as_str()), (lost, "the laptop was stolen"));
    assert_eq!(key.fingerprint, third.public().fingerprint());
    let proof = ledger.proof("818-555-0142").unwrap();
    let keys: Vec<_> = proof.keys.iter().map(|key| (key.handed_over, key.lost.is_some())).collect();
    assert_eq!(keys, [(None, false), (Some(true), false), (Some(false), true)]);
    // What earlier keys signed holds.
    for seal in [by_first, by_second] {
        assert_eq!(ledger.fault_of(&seal, None).unwrap(), None);
        assert_eq!(ledger.check(Some(&seal.head)).unwrap().fault, None);
    }
}

#[test]
fn a_seal_that_was_kept_elsewhere_says_exactly_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let (mut ledger, key) = with_key(&folder);
    let kept: Seal = ledger.seal(&key).unwrap().seal.to_string().parse().unwrap();
    let fault =
        |ledger: &Ledger, seal: &str| ledger.fault_of(&seal.parse().unwrap(), None).unwrap();
    let text = kept.to_string();
    assert_eq!(fault(&ledger, &text), None);
    assert_eq!(ledger.fault_of(&kept, Some(&key.public())).unwrap(), None);

    let altered = text.replace("records: 6", "records: 5");
    assert_eq!(fault(&ledger, &altered), Some(SealFault::Forged));
    let other = SealingKey::generate().unwrap().public();
    let given = ledger.fault_of(&kept, Some(&other)).unwrap();
    assert_eq!(given, Some(SealFault::OtherKey(other.fingerprint())));

    // Of another account, and of another ledger of this one.
    let folder = tempfile::tempdir().unwrap();
    let site = Site::new(TenantId::new(8).unwrap(), SITE_URL);
    let elsewhere = Ledger::open_or_create(folder.path().join("ledger.db"), &site).unwrap();
    let told = elsewhere.fault_of(&kept, None).unwrap();
    assert!(matches!(told, Some(SealFault::OtherLedger(_))), "{told:?}");
    let folder = tempfile::tempdir().unwrap();
    let (mut anew, _) = with_key(&folder);
    assert_eq!(fault(&anew, &text), Some(SealFault::UnknownKey(key.public().fingerprint())));
    assert_eq!(anew.fault_of(&kept, Some(&key.public())).unwrap(), None);
    anew.add(&out("213-555-0199")).unwrap();
    assert_eq!(anew.check(Some(&kept.head)).unwrap().fault, Some(Fault::Rewritten(6)));

    // Cut off after the seal, with the note of its end.
    let cut = "DELETE FROM records WHERE number > 4;
               UPDATE meta SET value = '4' WHERE name = 'head_count';
               UPDATE meta SET value = (SELECT lower(hex(hash)) FROM records WHERE number = 4)
                   WHERE name = 'head_hash'";
    change(&folder, cut);
    assert_eq!(begun(&folder).check(None).unwrap().fault, None);
    assert_eq!(begun(&folder).check(Some(&kept.head)).unwrap().fault, Some(Fault::CutOff(5)));
}

/// Whoever can write the file can chain all of it anew, but signs nothing.
#[test]
fn a_ledger_that_was_written_anew_has_no_seals() {
    for (statements, fault) in [
        // A wish before a seal: the seal is over another head.
        ("UPDATE records SET facts = replace(facts, 'out', 'in') WHERE number = 3", Some(7)),
        // A seal of other records, and a key that was handed over to by nobody.
        (
            "UPDATE records SET facts = replace(facts, 'records: 6', 'records: 5') WHERE number = 7",
            Some(7),
        ),
        ("UPDATE records SET facts = json_remove(facts, '$.seal') WHERE number = 8", Some(8)),
        (
            "UPDATE records SET facts = json_set(facts, '$.key',
                 (SELECT json_extract(facts, '$.key') FROM records WHERE number = 1))
             WHERE number = 8",
            Some(8),
        ),
        // Behind them.
        ("UPDATE records SET facts = replace(facts, 'out', 'in') WHERE number = 9", None),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let (mut ledger, key) = with_key(&folder);
        ledger.seal(&key).unwrap();
        ledger.hand_over(&key, &SealingKey::generate().unwrap().public()).unwrap();
        ledger.add(&out("213-555-0199")).unwrap();
        drop(ledger);
        change(&folder, statements);
        rechain(&folder);
        let found = begun(&folder).check(None).unwrap().fault;
        assert_eq!(found, fault.map(Fault::Unsigned), "{statements}");
    }
}

#[test]
fn openssl_reads_the_keys_and_agrees_with_the_signature() {
    let folder = tempfile::tempdir().unwrap();
    let openssl = |arguments: &str| {
        let words = arguments.split(' ');
        Command::new("openssl").args(words).current_dir(folder.path()).output()
    };
    if openssl("version").is_err() {
        println!("skipped: this machine has no openssl");
        return;
    }
    let ok = |arguments: &str| {
        let ended = openssl(arguments).unwrap();
        assert!(ended.status.success(), "{arguments}: {}", String::from_utf8_lossy(&ended.stderr));
        String::from_utf8(ended.stdout).unwrap()
    };
    let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    let (mut ledger, key) = with_key(&folder);
    write("key.pem", key.to_pem().as_bytes());
    assert_eq!(ok("pkey -in key.pem -pubout"), key.public().to_pem());

    let seal = ledger.seal(&key).unwrap().seal;
    let text = seal.to_string();
    write("seal.txt", text.as_bytes());
    write("public.pem", key.public().to_pem().as_bytes());
    write("signed", seal.signed().as_bytes());
    write("signature.txt", text.rsplit(' ').next().unwrap().as_bytes());
    ok("base64 -d -A -in signature.txt -out signature");
    ok("pkeyutl -verify -rawin -pubin -inkey public.pem -in signed -sigfile signature");
    write("signed", seal.signed().replace("tenant: 7", "tenant: 8").as_bytes());
    let other = "pkeyutl -verify -rawin -pubin -inkey public.pem -in signed -sigfile signature";
    assert!(!openssl(other).unwrap().status.success());

    // And a key that openssl made.
    ok("genpkey -algorithm ed25519 -out theirs.pem");
    let theirs = fs::read_to_string(folder.path().join("theirs.pem")).unwrap();
    let theirs = SealingKey::from_pem(&theirs).unwrap();
    assert_eq!(ok("pkey -in theirs.pem -pubout"), theirs.public().to_pem());
}

#[test]
fn what_was_altered_is_not_signed() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = ledger(&folder);
    let key = SealingKey::generate().unwrap();
    ledger.begin_key(&key.public()).unwrap();
    for n in 0..5 {
        ledger.add(&out(&format!("818-555-014{n}"))).unwrap();
    }
    let file = Connection::open(folder.path().join("ledger.db")).unwrap();
    file.execute_batch("UPDATE records SET by = 'mallory' WHERE number = 3").unwrap();
    let next = SealingKey::generate().unwrap();
    let refused =
        [ledger.seal(&key).map(|sealed| sealed.record), ledger.hand_over(&key, &next.public())];
    for refused in refused {
        let told = refused.unwrap_err();
        assert!(matches!(told, ConsentError::Altered { fault: Fault::Altered(3), .. }), "{told}");
    }
    assert_eq!(ledger.head().unwrap().count, 6);
}
