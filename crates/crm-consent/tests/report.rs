//! What an auditor is told of a period.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::ledger;
use crm_bulk::{Input, List, ListOptions};
use crm_consent::{
    ConsentError, Import, Ledger, Policy, Report, Said, SealingKey, Sha, Source, Wish,
};
use rusqlite::Connection;

fn import(ledger: &mut Ledger, name: &str, text: &str) -> u64 {
    let input = Input::csv(name, std::io::Cursor::new(text.as_bytes().to_vec()));
    let mut list = List::read(input, &ListOptions::new()).unwrap();
    ledger.import(&mut list, &Import::new()).unwrap().import
}

/// What came in today and whenever else.
fn all(ledger: &Ledger) -> Report {
    ledger.report(&ledger.days("2020-01-01", Some("2099-12-31")).unwrap()).unwrap()
}

fn told(source: &Source) -> (&str, u64, u64, u64) {
    (&source.source, source.out, source.into, source.not_honoured)
}

#[test]
fn wishes_are_counted_by_where_they_came_from_and_lists_by_what_came_with_them() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = ledger(&folder);
    let first = "phone,status,received\n8185550142,STOP,2026-03-02\n8185550143,START,2026-03-02\n\
                 front desk,STOP,2026-03-02\n8185550144,pending,2026-03-02\n";
    import(&mut ledger, "first.csv", first);
    let telnyx = "created_at,from,to,keyword,messaging_profile_id\n\
                  2026-03-03T10:30:00Z,+18005550100,+18185550145,STOP,p1\n";
    let second = import(&mut ledger, "telnyx.csv", telnyx);
    import(&mut ledger, "again.csv", &first.replace("8185550143", "8185550146"));
    ledger.add(&Said::new("8185550150", Wish::Out).place("telephone")).unwrap();
    ledger.add(&Said::new("8185550151", Wish::In).words("yes")).unwrap();
    ledger.retract(second, "the wrong one").unwrap();

    let report = all(&ledger);
    let sources: Vec<_> = report.sources.iter().map(told).collect();
    assert_eq!(
        sources,
        [
            ("Telnyx opt-outs", 1, 0, 0),
            ("a list of no known tool", 1, 2, 0),
            ("said by itself", 0, 1, 1),
            ("telephone", 1, 0, 0),
        ]
    );
    let lists: Vec<_> = report
        .imports
        .iter()
        .map(|it| (it.file.as_str(), it.rows, it.unreadable, it.out, it.into, it.again))
        .collect();
    assert_eq!(
        lists,
        [("first.csv", 4, 1, 1, 1, 0), ("telnyx.csv", 1, 0, 1, 0, 0), ("again.csv", 4, 1, 0, 1, 1)]
    );
    assert_eq!(report.imports[0].sha256, Sha::of(first.as_bytes()).to_string());
    let retraction = &report.acts[0];
    assert_eq!(report.imports[1].retracted_by, Some(retraction.record));
    assert_eq!(retraction.reason.as_deref(), Some("the wrong one"));

    let mut wishes = Vec::new();
    let days = ledger.days("2020-01-01", Some("2099-12-31")).unwrap();
    let each = |heard: crm_consent::Heard| {
        wishes.push((heard.record, heard.retracted));
        Ok::<_, ConsentError>(())
    };
    ledger.for_each_wish(&days, each).unwrap();
    assert_eq!(wishes.len(), 6);
    assert_eq!(wishes.iter().filter(|(_, retracted)| *retracted).count(), 1);
}

#[test]
fn a_period_has_its_days_whole_in_the_zone_of_the_policy() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = ledger(&folder);
    ledger.add(&Said::new("8185550142", Wish::Out)).unwrap();
    ledger.add(&Said::new("8185550143", Wish::Out)).unwrap();
    let file = Connection::open(folder.path().join("ledger.db")).unwrap();
    // Half a second before the day of New York begins, and as it ends.
    file.execute_batch(
        "UPDATE records SET at = '2026-03-03T04:59:59.500Z' WHERE number = 1;
         UPDATE records SET at = '2026-03-04T04:59:59.999Z' WHERE number = 2",
    )
    .unwrap();
    let count = |from: &str, to: &str| {
        let report = ledger.report(&ledger.days(from, Some(to)).unwrap()).unwrap();
        report.sources.iter().map(|source| source.out).sum::<u64>()
    };
    assert_eq!(count("2026-03-03", "2026-03-03"), 1);
    assert_eq!(count("2026-03-02", "2026-03-02"), 1);
    assert_eq!(count("2026-03-02", "2026-03-03"), 2);
    assert_eq!(count("2026-03-04", "2026-12-31"), 0);
    assert!(ledger.days("2026-03-04", Some("2026-03-03")).is_err());
    assert_eq!(count("2026-01-01", &ledger.days("2026-01-01", None).unwrap().to), 2);
    assert!(ledger.days("march", Some("2026-03-03")).is_err());
}

#[test]
fn policies_and_seals_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = ledger(&folder);
    ledger.add(&Said::new("8185550142", Wish::Out)).unwrap();
    let names =
        |report: &Report| report.policies.iter().map(|policy| policy.record).collect::<Vec<_>>();
    assert_eq!(names(&all(&ledger)), [None], "the default one");
    let text = Policy::default().text().replace("business-days = 10", "business-days = 3");
    let set = ledger.set_policy(&Policy::read(&text).unwrap()).unwrap();
    assert_eq!(names(&all(&ledger)), [None, Some(set)]);
    let before = ledger.report(&ledger.days("2020-01-01", Some("2020-12-31")).unwrap()).unwrap();
    assert_eq!(names(&before), [None]);
    let later = ledger.report(&ledger.days("2098-01-01", Some("2099-12-31")).unwrap()).unwrap();
    assert_eq!(names(&later), [Some(set)], "the one that holds then");

    let key = SealingKey::generate().unwrap();
    ledger.begin_key(&key.public()).unwrap();
    let seal = ledger.seal(&key).unwrap();
    let report = all(&ledger);
    assert_eq!(report.seals.len(), 1);
    assert_eq!((report.seals[0].record, report.seals[0].head), (seal.record, seal.seal.head));
}
