//! Whether a copy received something after its last day: a table of what is known of it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::ledger;
use crm_consent::{
    Arrival,
    CopyVerdict::{self, *},
    Effect::{self, *},
    Fact, JudgedPreference, Lateness, Ledger, Said, Scope, Wish,
};
use crm_models::{Preference, Timestamp};

const VALUE: &str = "8185550142";

/// What is known at noon of a day of 2026, and whether it became so then.
type Known = (&'static str, Effect, bool);

/// The verdict, the days, and whether it is late.
type Told = (CopyVerdict, u32, bool);

fn at(day: &str) -> Timestamp {
    format!("2026-{day}T12:00:00Z").parse().unwrap()
}

/// That it got the number before noon of a day.
fn got(day: &'static str) -> Effect {
    Got { by: at(day) }
}

fn judge(ledger: &Ledger, known: &[Known]) -> Lateness {
    judge_all(ledger, known).remove(0).lateness
}

fn judge_all(ledger: &Ledger, known: &[Known]) -> Vec<JudgedPreference> {
    let fact = |(day, effect, is_exact): &Known| Fact {
        at: at(day),
        effect: *effect,
        is_exact: *is_exact,
    };
    let facts: Vec<_> = known.iter().map(fact).collect();
    let facts = |_| Some(facts.clone());
    ledger.clocks().unwrap().judge(VALUE, facts, at("03-20")).unwrap()
}

fn told(judged: &Lateness) -> Told {
    (judged.now.verdict, judged.now.days_late, judged.is_late())
}

fn stop(at: &str) -> Said {
    Said::new(VALUE, Wish::Out).received(at)
}

fn start(at: &str) -> Said {
    Said::new(VALUE, Wish::In).received(at).words("START")
}

#[test]
fn a_copy_is_judged_by_when_it_came_to_be_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = ledger(&folder);
    // The last day is 03-16.
    ledger.add(&stop("2026-03-02")).unwrap();
    let table: &[(&[Known], Told)] = &[
        // Of which nothing is known is as late as what still receives marketing.
        (&[], (CopyVerdict::Unknown, 4, true)),
        (&[("03-10", Effect::Unknown, false)], (CopyVerdict::Unknown, 4, true)),
        (
            &[("03-19", Created, true), ("03-20", Effect::Unknown, false)],
            (CopyVerdict::Unknown, 0, false),
        ),
        (&[("03-16", On, false)], (Overdue, 4, true)),
        (&[("03-03", On, false), ("03-16", Off, true)], (InTime, 0, false)),
        (&[("03-03", Effect::Unknown, false), ("03-16", Off, true)], (InTime, 0, false)),
        // Read back later, it is as it was made, also where nobody could tell in between.
        (&[("03-16", Off, true), ("03-19", Off, false)], (InTime, 0, false)),
        (
            &[("03-16", Off, true), ("03-17", Effect::Unknown, false), ("03-19", Off, false)],
            (InTime, 0, false),
        ),
        (&[("03-03", On, false), ("03-17", Off, true)], (Late, 1, true)),
        // A reading of the same moment says no less than the write.
        (&[("03-17", Off, false), ("03-17", Off, true)], (Late, 1, true)),
        (&[("03-18", Off, false)], (NotShown, 2, true)),
        (&[("03-05", On, false), ("03-18", Off, false)], (NotShown, 2, true)),
        // It was seen on after its last day, whenever it was turned off after that.
        (&[("03-17", On, false), ("03-19", Off, false)], (Late, 3, true)),
        (&[("03-05", Off, false)], (InTime, 0, false)),
        (&[("02-05", Off, true), ("03-18", Off, false)], (BeforeTheWish, 0, false)),
        // Somebody has turned it on again.
        (&[("03-05", Off, true), ("03-19", On, false)], (Overdue, 4, true)),
        // It went, or got another number.
        (&[("03-05", On, false), ("03-19", Effect::Gone, true)], (LateUntilGone, 3, true)),
        (
            &[("03-05", Effect::Unknown, false), ("03-19", Effect::Gone, false)],
            (NotShownUntilGone, 3, true),
        ),
        (&[("03-05", On, false), ("03-19", Effect::Gone, false)], (NotShownUntilGone, 3, true)),
        (&[("03-18", On, false), ("03-19", Effect::Gone, false)], (LateUntilGone, 2, true)),
        (&[("03-05", On, false), ("03-12", Effect::Gone, true)], (CopyVerdict::Gone, 0, false)),
        // Whoever looks again finds it gone still.
        (
            &[("03-05", On, false), ("03-12", Effect::Gone, true), ("03-20", Effect::Gone, false)],
            (CopyVerdict::Gone, 0, false),
        ),
        (&[("03-19", Effect::Gone, true)], (CopyVerdict::Gone, 0, false)),
        // It was turned off late, and went then.
        (
            &[("03-05", On, false), ("03-18", Off, true), ("03-19", Effect::Gone, true)],
            (LateUntilGone, 2, true),
        ),
        // It came after the wish, so it has a time of its own; what was known before is of another number.
        (&[("03-10", Created, true), ("03-11", On, false)], (Open, 0, false)),
        (
            &[("02-10", On, false), ("03-10", got("03-12"), false), ("03-19", On, false)],
            (Open, 0, false),
        ),
        (&[("02-10", Created, true), ("03-11", On, false)], (Overdue, 4, true)),
        // It had the number before, was late with it, and has it again.
        (
            &[
                ("03-05", On, false),
                ("03-18", Effect::Gone, true),
                ("03-19", got("03-19"), true),
                ("03-19", On, true),
            ],
            (Open, 0, true),
        ),
    ];
    for (known, wanted) in table {
        let judged = judge(&ledger, known);
        assert_eq!(told(&judged), *wanted, "{known:?}");
        assert_eq!(judged.now.clock.unwrap().record, 1);
    }

    // That it was turned off in time stays told where it went since.
    let gone = judge(
        &ledger,
        &[("03-05", On, false), ("03-12", Off, true), ("03-19", Effect::Gone, true)],
    );
    let off = gone.now.turned_off().unwrap();
    assert_eq!(
        (told(&gone), off.verdict, off.at),
        ((CopyVerdict::Gone, 0, false), InTime, at("03-12"))
    );
    assert!(judge(&ledger, &[("02-05", Off, true)]).now.turned_off().is_none(), "before the wish");

    // How it came to be a copy, and when it was first seen to be none.
    let arrival = |known: &[Known]| judge(&ledger, known).now.arrival;
    assert_eq!(
        arrival(&[("03-10", got("03-12"), false), ("03-19", On, false)]),
        Some(Arrival::Got { after: at("03-10"), by: at("03-12") })
    );
    assert_eq!(
        arrival(&[("03-12", Effect::Gone, false), ("03-19", On, false)]),
        Some(Arrival::Back { after: at("03-12") })
    );
    let known =
        &[("03-05", Off, true), ("03-12", Effect::Gone, false), ("03-20", Effect::Gone, false)];
    let gone = judge(&ledger, known).now;
    assert_eq!((gone.since, gone.arrival, gone.is_exact), (Some(at("03-12")), None, false));
}

#[test]
fn each_kind_of_messages_has_its_own_wish_and_its_own_last_day() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = ledger(&folder);
    let judged = |ledger: &Ledger| {
        let judged = judge_all(ledger, &[("01-01", On, false), ("03-20", On, false)]).into_iter();
        let told = judged.map(|JudgedPreference { preference, lateness, .. }| {
            let clock = lateness.now.clock.map(|clock| (clock.record, clock.counted.last_day));
            (preference, lateness.now.verdict, clock)
        });
        told.collect::<Vec<_>>()
    };
    let day = |record, day: &str| Some((record, day.to_owned()));
    let marketing = |verdict, clock| (Preference::MarketingUpdates, verdict, clock);
    let reminders = |verdict, clock| (Preference::JobReminders, verdict, clock);
    ledger.add(&stop("2026-01-05")).unwrap();
    assert_eq!(judged(&ledger), [marketing(Overdue, day(1, "2026-01-20"))]);
    // The older wish gives its time to no other messages.
    ledger.add(&stop("2026-03-10").scope(Scope::All)).unwrap();
    let both = [marketing(Overdue, day(1, "2026-01-20")), reminders(Open, day(2, "2026-03-24"))];
    assert_eq!(judged(&ledger), both);
    // Who wants marketing again gets no reminders by that.
    ledger.add(&start("2026-03-15T10:00:00Z")).unwrap();
    assert_eq!(judged(&ledger), [marketing(NoWish, None), reminders(Open, day(2, "2026-03-24"))]);
}

#[test]
fn a_wish_of_which_nobody_knows_when_it_was_received_makes_nothing_punctual() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = ledger(&folder);
    ledger.add(&Said::new(VALUE, Wish::Out)).unwrap();
    let today = jiff::Timestamp::now().to_string().parse().unwrap();
    let off = [Fact { at: today, effect: Off, is_exact: true }];
    let judged = ledger.clocks().unwrap().judge(VALUE, |_| Some(off.to_vec()), today).unwrap();
    assert_eq!(told(&judged[0].lateness), (WishUndated, 0, false));
}

#[test]
fn what_was_late_before_a_later_start_is_told_and_no_longer_counts() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = ledger(&folder);
    // The last day is 03-16.
    ledger.add(&stop("2026-03-02")).unwrap();
    ledger.add(&start("2026-03-19T10:00:00Z")).unwrap();
    let earlier = |ledger: &Ledger, known: &[Known]| {
        let judged = judge(ledger, known);
        assert!(!judged.is_late(), "{known:?}");
        let earlier = judged.earlier.iter();
        let earlier = earlier.map(|was| (was.days_late, was.ended_by.is_some(), was.is_shown));
        (judged.now.verdict, earlier.collect::<Vec<_>>())
    };
    let throughout = &[("03-03", On, false), ("03-20", On, false)];
    assert_eq!(earlier(&ledger, throughout), (NoWish, vec![(3, true, true)]));
    let seen_after = &[("03-20", On, false)];
    assert_eq!(earlier(&ledger, seen_after), (NoWish, vec![(3, true, false)]));
    let nobody_knew = &[("03-03", Effect::Unknown, false), ("03-20", On, false)];
    assert_eq!(earlier(&ledger, nobody_knew), (NoWish, vec![(3, true, false)]));
    let off_late = &[("03-03", On, false), ("03-18", Off, true)];
    assert_eq!(earlier(&ledger, off_late), (NoWish, vec![(2, false, true)]));
    let in_time = &[("03-03", On, false), ("03-12", Off, true), ("03-20", On, false)];
    assert_eq!(earlier(&ledger, in_time), (NoWish, Vec::new()));
    let off = judge(&ledger, in_time).all[0].turned_off().unwrap();
    assert_eq!((off.verdict, off.at), (InTime, at("03-12")));
    ledger.add(&stop("2026-03-20")).unwrap();
    assert_eq!(earlier(&ledger, throughout), (Open, vec![(3, true, true)]));
}
