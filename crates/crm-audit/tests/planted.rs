//! Every planted fault is found, and nothing else is.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod tenant;

use std::collections::BTreeSet;

use crm_audit::{Audit, Examined, Mending, Owners, Rule, Rules, Summary, Thresholds};
use crm_mirror::{MirrorError, Snapshot};
use tenant::{Planted, Tenant, place};

const TENANT: Tenant = Tenant { customers: 600 };

async fn mirror() -> (Snapshot, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (TENANT.mirror(&folder.path().join("mirror")).await, folder)
}

fn run(audit: &Audit, snapshot: &Snapshot) -> (Vec<Examined>, Summary) {
    let mut all = Vec::new();
    let summary = audit.run(snapshot, |examined| {
        all.push(examined);
        Ok::<(), MirrorError>(())
    });
    (all, summary.unwrap())
}

fn findings(all: &[Examined]) -> BTreeSet<Planted> {
    all.iter()
        .flat_map(|examined| {
            let (kind, id) = place(examined.owner);
            examined.findings.iter().map(move |it| (it.rule, kind, id, it.contact.get()))
        })
        .collect()
}

#[tokio::test]
async fn every_planted_fault_is_found_and_nothing_else_is() {
    let (snapshot, _folder) = mirror().await;
    let (all, summary) = run(&Audit::new().owners(Owners::of(&snapshot).unwrap()), &snapshot);
    let (found, planted) = (findings(&all), TENANT.planted());
    let missed: Vec<_> = planted.difference(&found).collect();
    let invented: Vec<_> = found.difference(&planted).collect();
    assert!(missed.is_empty() && invented.is_empty(), "missed {missed:?}, invented {invented:?}");
    for (rule, number) in summary.by_rule() {
        assert!(number >= 10, "{rule}: {number}");
        let planted = planted.iter().filter(|(of, ..)| *of == rule).count();
        assert_eq!(number, planted as u64, "{rule}");
    }
    assert_eq!(summary.findings(), planted.len() as u64);

    for examined in &all {
        let details = examined.details.as_ref().unwrap();
        assert_eq!((details.id, details.town()), (examined.owner, "San Pedro"));
        for finding in &examined.findings {
            assert_eq!(!finding.proposals.is_empty(), finding.rule.writes(), "{finding:?}");
        }
        for (contact, proposal) in examined.proposals() {
            let is_deleted = matches!(proposal.mending, Mending::Delete { .. });
            let has =
                |rule| examined.findings.iter().any(|it| it.rule == rule && it.contact == contact);
            assert_eq!(is_deleted, has(Rule::Duplicate), "only a duplicate goes: {examined:?}");
            assert!(!(is_deleted && has(Rule::Shared)), "{examined:?}");
        }
    }
}

#[tokio::test]
async fn a_rule_that_was_not_asked_finds_nothing() {
    let (snapshot, _folder) = mirror().await;
    let audit = Audit::new().rules(Rules::only([Rule::Duplicate, Rule::MemoWish]));
    let (all, summary) = run(&audit, &snapshot);
    let rules: BTreeSet<_> = findings(&all).into_iter().map(|(rule, ..)| rule).collect();
    assert_eq!(rules, BTreeSet::from([Rule::Duplicate, Rule::MemoWish]));
    assert_eq!(summary.by_rule().count(), 2);
}

#[tokio::test]
async fn thresholds_decide_what_is_told() {
    let (snapshot, _folder) = mirror().await;
    let thresholds = |json: &str| serde_json::from_str::<Thresholds>(json).unwrap();
    for (json, rule, is_found) in [
        (r#"{"shared-by": 5}"#, Rule::Shared, false),
        (r#"{"shared-by": 4}"#, Rule::Shared, true),
        (r#"{"stale-after-days": 36500}"#, Rule::Stale, false),
        (r#"{"wishes": ["front desk"]}"#, Rule::MemoWish, true),
        (r#"{"throw-away-domains": ["mail7.example"]}"#, Rule::ThrowAway, true),
    ] {
        let audit = Audit::new().rules(Rules::only([rule])).thresholds(thresholds(json));
        let audit = audit.owners(Owners::of(&snapshot).unwrap());
        let (_, summary) = run(&audit, &snapshot_again(&snapshot));
        assert_eq!(summary.found(rule) > 0, is_found, "{json}");
    }
    assert!(serde_json::from_str::<Thresholds>(r#"{"stale-days": 1}"#).is_err());
}

/// The same file once more: an audit leaves the one that it read in the state that it held.
fn snapshot_again(snapshot: &Snapshot) -> Snapshot {
    Snapshot::open(snapshot.path()).unwrap()
}
