//! What is shown of a number: where it came from, what counts, by when, and what a stranger needs to
//! check it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{fs, process::Command};

use common::ledger;
use crm_bulk::{Input, List, ListOptions};
use crm_consent::{
    ConsentError, Import, Ledger, Policy, Proof, PublicKey, Redact, Said, Scope, Seal, SealingKey,
    Sha, Wish, Written,
};

const NUMBER: &str = "(818) 555-0142";
const LIST: &str =
    "phone,status,received\n+18185550142,STOP,2026-03-02\n8185550143,STOP,2026-03-02\n";

fn import(ledger: &mut Ledger, name: &str, text: &str) -> u64 {
    let input = Input::csv(name, std::io::Cursor::new(text.as_bytes().to_vec()));
    let mut list = List::read(input, &ListOptions::new()).unwrap();
    ledger.import(&mut list, &Import::new().taken_by("dana")).unwrap().import
}

/// A ledger in which much was said of a number: by two lists, one of which was taken back, by a call,
/// and under another policy.
fn told(ledger: &mut Ledger) -> (u64, u64) {
    let first = import(ledger, "march.csv", LIST);
    let again = import(ledger, "april.csv", &format!("{LIST}8185550144,STOP,2026-04-01\n"));
    ledger.retract(first, "last year's list").unwrap();
    let text = Policy::default().text().replace("business-days = 10", "business-days = 3");
    ledger.set_policy(&Policy::read(&text).unwrap()).unwrap();
    let call = Said::new("818-555-0142", Wish::Out).words("no more").received("2026-05-04");
    ledger.add(&call.place("telephone").taken_by("lee")).unwrap();
    (first, again)
}

fn records(proof: &Proof) -> Vec<(u64, &str)> {
    proof.records.iter().map(|record| (record.number, record.kind.as_str())).collect()
}

#[test]
fn each_wish_has_where_it_came_from_and_what_was_said_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = ledger(&folder);
    let (first, again) = told(&mut ledger);
    let proof = ledger.proof("1 818 555 0142").unwrap();
    assert_eq!((proof.key.as_str(), proof.marketing.wish), ("18185550142", Some(Wish::Out)));
    assert_eq!(proof.wishes.len(), 2, "the number of the other row is not in it");

    let [listed, said] = [&proof.wishes[0], &proof.wishes[1]];
    let came: Vec<_> = listed.came.iter().map(|it| (it.import, it.file.as_str(), it.row)).collect();
    assert_eq!(came, [(first, "march.csv", Some(2)), (again, "april.csv", Some(2))]);
    assert_eq!(listed.came[0].sha256, Sha::of(LIST.as_bytes()).to_string());
    assert_eq!(listed.came[0].retracted_by, Some(proof.acts[0].record));
    assert!(!listed.heard.retracted, "it came again with a list that stands");
    assert_eq!(proof.acts[0].reason.as_deref(), Some("last year's list"));

    assert!(said.came.is_empty());
    assert_eq!(proof.marketing.decided_by, Some(said.heard.record));
    assert_eq!(said.heard.words.as_deref(), Some("no more"));
    let names: Vec<_> = proof.policies.iter().map(|policy| policy.record.is_some()).collect();
    assert_eq!(names, [false, true], "the default one, and what was set");
    let kinds: Vec<_> = records(&proof).into_iter().map(|(_, kind)| kind).collect();
    assert_eq!(kinds, ["import", "wish", "import", "again", "retraction", "policy", "wish"]);
}

/// Whether what a record says of itself is so.
fn makes_its_hashes(record: &Written) -> bool {
    let commitment = record.personal.as_ref().map(|personal| Sha::of(personal.as_bytes()));
    Sha::of(record.over.as_bytes()) == record.hash
        && commitment.is_none_or(|made| record.commitment == Some(made))
        && record.commitment.is_none_or(|made| record.over.ends_with(&format!("64:{made},")))
}

#[test]
fn a_stranger_makes_the_hashes_and_follows_the_chain_from_the_proof_alone() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = ledger(&folder);
    told(&mut ledger);
    let proof = ledger.proof(NUMBER).unwrap();
    assert!(proof.records.iter().all(makes_its_hashes));
    let personal = proof.records[1].personal.as_ref().unwrap();
    assert!(personal.contains("+18185550142") && !proof.records[1].over.contains("8185550142"));

    let mut chain = Vec::new();
    let each = |written| {
        chain.push(written);
        Ok::<_, ConsentError>(())
    };
    ledger.for_each_from(proof.records[0].number, each).unwrap();
    assert!(chain.iter().all(|record| record.personal.is_none() && makes_its_hashes(record)));
    for pair in chain.windows(2) {
        let begins = format!("20:crm-consent record 1,64:{},", pair[0].hash);
        assert!(pair[1].over.starts_with(&begins), "{} follows {}", pair[1].number, pair[0].number);
    }
    let last = chain.last().unwrap();
    assert_eq!((last.number, last.hash), (proof.head.count, proof.head.hash));
}

#[test]
fn a_wish_whose_value_was_removed_is_found_by_its_digest() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = ledger(&folder);
    ledger.add(&Said::new(NUMBER, Wish::Out).words("STOP").received("2026-05-04")).unwrap();
    let redacted = ledger.redact(Redact::Value("818-555-0142"), "Ada asked for it").unwrap();
    let proof = ledger.proof(NUMBER).unwrap();
    assert_eq!(proof.marketing.wish, Some(Wish::Out));
    let told: Vec<_> = proof.acts.iter().map(|act| (Some(act.record), act.kind.as_str())).collect();
    assert_eq!(told, [(redacted.by, "redaction")]);
    let heard = &proof.wishes[0].heard;
    assert_eq!(
        (&heard.value, &heard.words, &heard.received),
        (&None, &None, &Some("2026-05-04".into()))
    );
    let record = &proof.records[0];
    assert!(record.personal.is_none() && record.commitment.is_some() && makes_its_hashes(record));
    assert!(record.over.contains(&proof.digest.to_string()));
}

#[test]
fn the_first_seal_over_a_wish_and_the_last_one_are_shown_with_what_checks_them() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = ledger(&folder);
    ledger.add(&Said::new(NUMBER, Wish::Out)).unwrap();
    assert!(ledger.proof(NUMBER).unwrap().seals.is_empty());
    let key = SealingKey::generate().unwrap();
    ledger.begin_key(&key.public()).unwrap();
    let first = ledger.seal(&key).unwrap().record;
    let proof = ledger.proof(NUMBER).unwrap();
    assert_eq!((proof.seals.len(), proof.unsealed), (1, vec![]));
    for other in ["8185550150", "8185550151"] {
        ledger.add(&Said::new(other, Wish::Out)).unwrap();
        ledger.seal(&key).unwrap();
    }
    let proof = ledger.proof(NUMBER).unwrap();
    let [over, last] = &proof.seals[..] else { panic!("{:?}", proof.seals) };
    assert_eq!(over.record, first);
    assert_eq!(last.record, proof.head.count);
    for shown in &proof.seals {
        let text = format!("{}signature: {}\n", shown.signed, shown.signature);
        let key = PublicKey::from_pem(shown.public_key.as_ref().unwrap()).unwrap();
        assert!(text.parse::<Seal>().unwrap().is_signed_by(&key));
    }

    // A wish that came after the last seal is under none.
    let late = ledger.add(&Said::new(NUMBER, Wish::Out).received("2026-11-20")).unwrap().record;
    let with_late = ledger.proof(NUMBER).unwrap();
    let seals: Vec<_> = with_late.seals.iter().map(|seal| seal.record).collect();
    assert_eq!((seals, with_late.unsealed), (vec![last.record], vec![late]));

    // By the lines of the book.
    if ["jq", "openssl"].iter().any(|tool| Command::new(tool).arg("--help").output().is_err()) {
        println!("skipped: this machine has no jq or no openssl");
        return;
    }
    let book = include_str!("../../../docs/src/consent.md");
    let block = book.split("```sh\n").find(|block| block.starts_with("seal()")).unwrap();
    let block = block.split("```").next().unwrap();
    let by_hand = |proof: &Proof| {
        let json = serde_json::to_vec(proof).unwrap();
        fs::write(folder.path().join("proof.html.json"), json).unwrap();
        let mut shell = Command::new("sh");
        shell.current_dir(folder.path()).args(["-euc", block]).output().unwrap()
    };
    let checked = by_hand(&proof);
    let printed = String::from_utf8_lossy(&checked.stdout);
    assert!(checked.status.success(), "{printed}{}", String::from_utf8_lossy(&checked.stderr));
    assert!(printed.contains(&format!("head: {}", last.head.hash)), "{printed}");
    let mut altered = proof.clone();
    altered.seals[1].signed = last.signed.replace("records: ", "records: 1");
    assert!(!by_hand(&altered).status.success());
}

#[test]
fn what_nobody_spoke_of_has_an_empty_proof_and_what_is_no_value_has_none() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = ledger(&folder);
    told(&mut ledger);
    let proof = ledger.proof("818-555-0199").unwrap();
    assert!(proof.wishes.is_empty() && proof.acts.is_empty() && proof.marketing.wish.is_none());
    assert!(matches!(ledger.proof("front desk"), Err(ConsentError::Value(_))));
    assert!(matches!(ledger.proof("555-0142"), Err(ConsentError::Value(_))));
}

#[test]
fn a_clock_runs_from_the_first_time_it_was_said_and_a_younger_copy_has_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = ledger(&folder);
    for (wish, received) in [
        (Wish::Out, "2026-01-05"),
        (Wish::In, "2026-02-02T09:00:00Z"),
        (Wish::Out, "2026-03-02"),
        // Said again, it does not begin anew.
        (Wish::Out, "2026-03-12"),
    ] {
        ledger.add(&Said::new(NUMBER, wish).words("said so").received(received)).unwrap();
    }
    let clocks = ledger.clocks().unwrap();
    let clock = |created: Option<&str>, by: &str| {
        let clock = clocks.of(("818.555.0142", Scope::Marketing), created, by).unwrap()?;
        Some((
            clock.record,
            clock.counted.from.clone(),
            clock.counted.last_day.clone(),
            clock.days_late(by.parse().unwrap()),
        ))
    };
    let told =
        |record, from: &str, last: &str, late| Some((record, from.into(), last.into(), late));
    assert_eq!(clock(None, "2026-01-04T00:00:00Z"), None);
    assert_eq!(clock(None, "2026-01-21T12:00:00Z"), told(1, "2026-01-05", "2026-01-20", 1));
    assert_eq!(clock(None, "2026-03-20T12:00:00Z"), told(3, "2026-03-02", "2026-03-16", 4));
    // Late in the evening of the last day, in the policy's zone.
    assert_eq!(clock(None, "2026-03-17T03:30:00Z"), told(3, "2026-03-02", "2026-03-16", 0));
    let old = Some("2025-01-01T00:00:00Z");
    assert_eq!(clock(old, "2026-03-20T12:00:00Z"), clock(None, "2026-03-20T12:00:00Z"));
    let young = Some("2026-03-09T18:00:00Z");
    assert_eq!(clock(young, "2026-03-20T12:00:00Z"), told(3, "2026-03-09", "2026-03-23", 0));
    assert!(clocks.of((NUMBER, Scope::Marketing), None, "now").is_err());
}

/// Sets the day on which records were written, as if the clock had stood there, and chains anew.
fn written_at(folder: &tempfile::TempDir, times: &[(u64, &str)]) {
    let file = rusqlite::Connection::open(folder.path().join("ledger.db")).unwrap();
    for (record, at) in times {
        let sql = "UPDATE records SET at = ? WHERE number = ?";
        assert_eq!(file.execute(sql, rusqlite::params![at, record]).unwrap(), 1, "{record}");
    }
    drop(file);
    common::rechain(folder);
}

fn policy(from: &str, to: &str) -> Policy {
    let text = Policy::default().text().to_owned();
    assert!(text.contains(from));
    Policy::read(&text.replacen(from, to, 1)).unwrap()
}

#[test]
fn no_later_policy_makes_a_wish_less_late_and_both_days_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = ledger(&folder);
    ledger.add(&common::out(NUMBER).received("2026-03-02")).unwrap();
    ledger.set_policy(&policy("business-days = 10", "business-days = 60")).unwrap();
    ledger.add(&common::out("818-555-0143").received("2026-03-02")).unwrap();
    drop(ledger);
    written_at(&folder, &[(1, "2026-03-02T18:00:00Z"), (2, "2026-03-10T12:00:00Z")]);

    let ledger = common::begun(&folder);
    let clocks = ledger.clocks().unwrap();
    let told = |value: &str, created: Option<&str>| {
        let clock =
            clocks.of((value, Scope::Marketing), created, "2026-03-20T12:00:00Z").unwrap().unwrap();
        let late = clock.days_late("2026-03-20T12:00:00Z".parse().unwrap());
        let other = clock.otherwise.map(|other| (other.last_day, other.policy, other.today));
        (clock.counted.last_day, clock.counted.at_the_wish, late, other)
    };
    let later = |day: &str| Some((day.to_owned(), Some(2), true));
    assert_eq!(told(NUMBER, None), ("2026-03-16".into(), true, 4, later("2026-05-26")));
    // What counts is when it was received, not when it came into the ledger.
    assert_eq!(told("818-555-0143", None), told(NUMBER, None));
    // A copy that is younger than both has its own days by the same two policies.
    let young = Some("2026-03-11T18:00:00Z");
    assert_eq!(told(NUMBER, young), ("2026-03-25".into(), true, 0, later("2026-06-04")));
}

#[test]
fn a_policy_that_comes_later_and_asks_for_more_decides_and_one_in_between_has_no_say() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = ledger(&folder);
    ledger.add(&common::out(NUMBER).received("2026-03-02T18:00:00Z")).unwrap();
    ledger.set_policy(&policy("business-days = 10", "business-days = 1")).unwrap();
    ledger.set_policy(&policy("business-days = 10", "business-days = 5")).unwrap();
    drop(ledger);
    written_at(
        &folder,
        &[(1, "2026-03-02T18:00:00Z"), (2, "2026-03-03T12:00:00Z"), (3, "2026-03-04T12:00:00Z")],
    );
    let ledger = common::begun(&folder);
    let by = "2026-03-20T12:00:00Z";
    let clock = ledger.clocks().unwrap().of((NUMBER, Scope::Marketing), None, by).unwrap().unwrap();
    assert_eq!((clock.counted.last_day.as_str(), clock.counted.policy), ("2026-03-09", Some(3)));
    assert!(clock.counted.today && !clock.counted.at_the_wish);
    let other = clock.otherwise.unwrap();
    assert_eq!((other.last_day.as_str(), other.policy), ("2026-03-16", None));
    assert!(other.at_the_wish && !other.today);
}

#[test]
fn a_clock_says_how_its_last_day_was_counted() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = ledger(&folder);
    ledger.add(&common::out(NUMBER).received("2026-11-23")).unwrap();
    let clock = ledger
        .clocks()
        .unwrap()
        .of((NUMBER, Scope::Marketing), None, "2026-11-24T12:00:00Z")
        .unwrap()
        .unwrap();
    let counted = clock.counted;
    assert_eq!((counted.from.as_str(), counted.last_day.as_str()), ("2026-11-23", "2026-12-08"));
    assert_eq!((counted.business_days, counted.time_zone.as_str()), (10, "America/New_York"));
    let off: Vec<_> = counted.holidays.iter().map(|it| (&*it.day, &*it.name)).collect();
    assert_eq!(off, [("2026-11-26", "Thanksgiving Day")]);
    assert_eq!(counted.policy_sha256, Policy::default().sha256().to_string());
    assert!(counted.at_the_wish && counted.today && clock.otherwise.is_none());

    let proof = ledger.proof(NUMBER).unwrap();
    let [used] = proof.policies.as_slice() else { panic!("{:?}", proof.policies) };
    assert_eq!((used.as_of.as_str(), used.business_days), ("2026-11-29", 10));
    assert!(used.sources[0].contains("64.1200") && used.text.contains("[[holidays]]"));
}

#[test]
fn a_wish_that_counted_for_all_kinds_does_so_by_any_later_policy() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = ledger(&folder);
    ledger.set_policy(&policy("from = \"2027-01-31\"", "from = \"2026-01-01\"")).unwrap();
    ledger.add(&common::out(NUMBER).received("2026-03-02")).unwrap();
    ledger.set_policy(&policy("from = \"2027-01-31\"", "from = \"2030-01-01\"")).unwrap();
    ledger.add(&common::out("818-555-0143").received("2026-03-04")).unwrap();
    drop(ledger);
    written_at(
        &folder,
        &[(1, "2026-01-05T12:00:00Z"), (2, "2026-03-02T18:00:00Z"), (3, "2026-03-03T12:00:00Z")],
    );
    let ledger = common::begun(&folder);
    let wish = |value| ledger.status(value, crm_consent::Scope::All).unwrap().wish;
    assert_eq!((wish(NUMBER), wish("818-555-0143")), (Some(Wish::Out), None));
}

/// A list of nobody's wishes was taken back, and another one with the same number stands.
#[test]
fn a_wish_that_stands_by_another_list_counts_from_that_one() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = ledger(&folder);
    let text = "phone,status\n8185550142,STOP\n";
    let wrong = import(&mut ledger, "wrong.csv", text);
    let right = import(&mut ledger, "right.csv", &format!("{text}8185550143,STOP\n"));
    ledger.retract(wrong, "not ours").unwrap();
    let alone = import(&mut ledger, "alone.csv", "phone,status\n8185550144,STOP\n");
    ledger.retract(alone, "not ours").unwrap();
    drop(ledger);
    let (early, late) = ("2026-03-02T18:00:00Z", "2026-05-04T18:00:00Z");
    let times = [wrong, wrong + 1, alone, alone + 1].map(|record| (record, early));
    written_at(&folder, &times);
    written_at(&folder, &[right, right + 1, right + 2].map(|record| (record, late)));

    let ledger = common::begun(&folder);
    let clocks = ledger.clocks().unwrap();
    let from = |by| {
        clocks.of((NUMBER, Scope::Marketing), None, by).unwrap().map(|clock| clock.counted.from)
    };
    assert_eq!(from("2026-05-05T12:00:00Z").as_deref(), Some("2026-05-04"));
    assert_eq!(from("2026-04-05T12:00:00Z"), None, "nobody had asked for it by then");
    let retractions = ledger.retractions().unwrap();
    let told = retractions.of("818-555-0144").unwrap().unwrap();
    assert_eq!((told.of, told.file.as_deref()), (alone, Some("alone.csv")));
    assert_eq!(told.reason.as_deref(), Some("not ours"));
    assert_eq!(retractions.of(NUMBER).unwrap(), None, "it is out by another list");
    let done = |at| retractions.of_done("818-555-0144", at).unwrap().map(|told| told.of);
    assert_eq!(done("2026-03-02T17:59:59Z"), None, "nobody had asked for it by then");
    assert_eq!(done("2026-03-02T18:00:01Z"), Some(alone));
    assert_eq!(retractions.of("818-555-0199").unwrap(), None);
    let back = |value, by| clocks.taken_back(value, by).unwrap();
    assert_eq!(back(NUMBER, "2026-05-05T12:00:00Z"), None);
    assert_eq!(back("818-555-0144", "2026-04-05T12:00:00Z"), Some(alone + 1));
    assert_eq!(back("818-555-0199", "2026-04-05T12:00:00Z"), None);
}
