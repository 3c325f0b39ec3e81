//! Whether a copy of a number or an address was turned off in time, by what is known of it.

use crm_consent::{Clock, Counted, Period};
use crm_models::Timestamp;
use serde::Serialize;

use crate::{
    desk::{Effect, Fact},
    output::count,
};

/// What became of a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::commands::consent) enum Verdict {
    /// It received no marketing when its clock began.
    BeforeTheWish,
    InTime,
    /// It receives none, but nobody knows when the wish was received.
    WishUndated,
    Late,
    /// It receives none, but nothing shows that this was so in time.
    NotShown,
    /// It still receives marketing, and its last day is not over.
    Open,
    Overdue,
    /// It is no longer there, or has the number or address no longer.
    Gone,
    /// The same, and it still received marketing after the last day, until it went.
    LateUntilGone,
    /// Nothing is known of its flags.
    Unknown,
    /// Nobody has wished to be left alone.
    NoWish,
}

/// A verdict, and what it rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::commands::consent) struct Judged {
    pub(super) verdict: Verdict,
    /// Since when the copy is known to be as it is.
    pub(super) since: Option<Timestamp>,
    /// Whether it became so at that moment; otherwise it was first seen to be so.
    pub(super) is_exact: bool,
    /// Whether it receives marketing after it had received none.
    pub(super) again: bool,
    pub(super) days_late: u32,
    /// How one that is gone was late before.
    pub(super) until_gone: Option<Breach>,
    /// How it was late in times in which it was out before, each ended by a wish to be written to.
    pub(in crate::commands::consent) earlier: Vec<Breach>,
}

/// That a copy received marketing after the last day of a time in which it was out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::commands::consent) struct Breach {
    /// The record of the wish to be left alone.
    pub(in crate::commands::consent) record: u64,
    pub(in crate::commands::consent) last_day: String,
    /// Until when.
    pub(in crate::commands::consent) until: Timestamp,
    /// The record of the wish to be written to, if it was until that one.
    pub(in crate::commands::consent) ended_by: Option<u64>,
    /// Whether it is known that it received marketing; otherwise that it did not is not shown.
    pub(in crate::commands::consent) is_shown: bool,
    pub(in crate::commands::consent) days_late: u32,
}

impl Breach {
    /// The longest one in a period, by the facts of a copy.
    fn of(facts: &[Fact], period: &Period, now: Timestamp) -> Option<Self> {
        let ended: Option<Timestamp> = period.ended.as_ref().and_then(|at| at.parse().ok());
        let ends = ended.unwrap_or(now);
        let nexts = facts.iter().map(Some).chain([None]);
        let pairs = [None].into_iter().chain(facts.iter().map(Some)).zip(nexts);
        let breaches = pairs.filter_map(|(fact, next)| {
            let is_on = match (fact, next) {
                (Some(fact), _) => fact.effect == Effect::On && fact.at < ends,
                // Nothing is known of before: what goes tells nothing of it.
                (None, next) => next.is_some_and(|next| next.effect != Effect::Gone),
            };
            let until = next.map_or(ends, |next| next.at.min(ends));
            let days_late = period.clock.days_late(&until.to_string())?;
            let by = next.filter(|next| next.at <= ends);
            (is_on && days_late > 0).then(|| Self {
                record: period.clock.record,
                last_day: period.clock.counted.last_day.clone(),
                until,
                ended_by: period.ended_by.filter(|_| by.is_none()),
                is_shown: fact.is_some() && by.is_none_or(|next| next.is_exact),
                days_late,
            })
        });
        breaches.max_by_key(|breach| (breach.days_late, breach.is_shown))
    }

    /// In one sentence.
    pub(in crate::commands::consent) fn says(&self) -> String {
        let Self { record, last_day, until, ended_by, is_shown, days_late } = self;
        let late = count(*days_late, "day");
        let until = crm_bulk::page::time(*until);
        let until = match ended_by {
            Some(by) => format!("until the wish of record {by} to be written to, {until}"),
            None => format!("until {until}"),
        };
        if *is_shown {
            format!(
                "After the wish of record {record} it received marketing {late} too long, {until}: the \
                 last day was {last_day}."
            )
        } else {
            format!(
                "After the wish of record {record} it may have received marketing {late} too long at \
                 most, {until}: that it was off by the last day, {last_day}, is not shown."
            )
        }
    }
}

impl Judged {
    /// Judges a copy by its facts and by the times in which its value was out, the earliest first.
    pub(in crate::commands::consent) fn of(
        facts: &[Fact],
        periods: &[Period],
        now: Timestamp,
    ) -> Self {
        let (lasts, ended) = match periods.split_last() {
            Some((last, before)) if last.ended.is_none() => (Some(last), before),
            _ => (None, periods),
        };
        let ended = ended.iter();
        let earlier = ended.filter_map(|period| Breach::of(facts, period, now)).collect();
        Self { earlier, ..Self::of_last(facts, lasts, now) }
    }

    /// Judges it by the wish that counts.
    fn of_last(facts: &[Fact], period: Option<&Period>, now: Timestamp) -> Self {
        let clock = period.map(|period| &period.clock);
        let Some(last) = facts.last() else {
            return Self::without_moment(Verdict::Unknown);
        };
        let before = facts.iter().rposition(|fact| fact.effect != last.effect);
        let first = &facts[before.map_or(0, |at| at + 1)];
        let judged = |verdict, days_late| Self {
            since: Some(first.at),
            is_exact: first.is_exact,
            again: last.effect == Effect::On && before.is_some(),
            days_late,
            ..Self::without_moment(verdict)
        };
        let late = |at: Timestamp| {
            clock.and_then(|clock| clock.days_late(&at.to_string())).unwrap_or_default()
        };
        match (last.effect, clock) {
            (Effect::Gone, _) => match period.and_then(|period| Breach::of(facts, period, now)) {
                Some(breach) => {
                    let late = judged(Verdict::LateUntilGone, breach.days_late);
                    Self { until_gone: Some(breach), ..late }
                }
                None => judged(Verdict::Gone, 0),
            },
            (_, None) => judged(Verdict::NoWish, 0),
            (Effect::On, _) => match late(now) {
                0 => judged(Verdict::Open, 0),
                days => judged(Verdict::Overdue, days),
            },
            (Effect::Off, Some(clock)) if !clock.has_begun(&first.at.to_string()) => {
                judged(Verdict::BeforeTheWish, 0)
            }
            (Effect::Off, Some(clock)) => match (late(first.at), first.is_exact) {
                (0, _) if !clock.is_known => judged(Verdict::WishUndated, 0),
                (0, _) => judged(Verdict::InTime, 0),
                (days, true) => judged(Verdict::Late, days),
                (days, false) => judged(Verdict::NotShown, days),
            },
        }
    }

    fn without_moment(verdict: Verdict) -> Self {
        Self {
            verdict,
            since: None,
            is_exact: false,
            again: false,
            days_late: 0,
            until_gone: None,
            earlier: Vec::new(),
        }
    }

    /// Whether it speaks against whoever had to turn it off.
    pub(super) fn is_bad(&self) -> bool {
        matches!(
            self.verdict,
            Verdict::Late | Verdict::NotShown | Verdict::Overdue | Verdict::LateUntilGone
        )
    }

    /// In one sentence, and more where two policies give two last days, or it was late before.
    pub(super) fn sentence(&self, clock: Option<&Clock>) -> String {
        let verdict = self.verdict_on(clock);
        let is_of_day = !matches!(self.verdict, Verdict::Gone | Verdict::Unknown | Verdict::NoWish);
        let two_days = clock.filter(|_| is_of_day).and_then(two_days);
        let earlier = self.earlier.iter().map(Breach::says);
        let sentences: Vec<_> = [verdict].into_iter().chain(two_days).chain(earlier).collect();
        sentences.join(" ")
    }

    fn verdict_on(&self, clock: Option<&Clock>) -> String {
        let since = self.since.map(crm_bulk::page::time).unwrap_or_default();
        let off = if self.is_exact {
            format!("Turned off on {since}")
        } else {
            format!("Receives no marketing; first seen so on {since}")
        };
        let last = clock.map(|clock| clock.counted.last_day.as_str()).unwrap_or_default();
        let late = count(self.days_late, "day");
        match self.verdict {
            Verdict::BeforeTheWish if self.is_exact => {
                format!("Received no marketing since {since}, before the wish came in.")
            }
            Verdict::BeforeTheWish => {
                format!("Received no marketing on {since} already, before the wish came in.")
            }
            Verdict::InTime => format!("{off}, in time: the last day was {last}."),
            Verdict::WishUndated => format!(
                "{off}. When the wish was received is not known, so neither is whether that was in time."
            ),
            Verdict::Late => format!("{off}, {late} late: the last day was {last}."),
            Verdict::NotShown => format!(
                "{off}, {late} after the last day, {last}: that it was so in time is not shown."
            ),
            Verdict::Open | Verdict::Overdue if self.again => {
                let seen = if self.is_exact { "turned on" } else { "first seen so" };
                format!("Receives marketing again, {seen} on {since}. The last day for it: {last}.")
            }
            Verdict::Open => format!("Still receives marketing. The last day is {last}."),
            Verdict::Overdue => {
                format!("Still receives marketing, {late} late: the last day was {last}.")
            }
            Verdict::Gone | Verdict::LateUntilGone => {
                let gone = format!("Has it no longer, since {since}.");
                let late = self.until_gone.iter().map(Breach::says);
                [gone].into_iter().chain(late).collect::<Vec<_>>().join(" ")
            }
            Verdict::Unknown => "Whether it receives marketing is not known.".to_owned(),
            Verdict::NoWish => "No wish to be left alone counts for it.".to_owned(),
        }
    }
}

/// That two policies give two last days, and which one decides.
pub(super) fn two_days(clock: &Clock) -> Option<String> {
    let other = clock.otherwise.as_ref()?;
    let of = |counted: &Counted| {
        let which = if counted.at_the_wish { "in force at the wish" } else { "in force today" };
        let record = counted.policy.map(|record| format!("record {record}"));
        let record = record.unwrap_or_else(|| "the default".to_owned());
        format!("{} by the policy {which} ({record})", counted.last_day)
    };
    Some(format!(
        "Two policies give two last days: {}, and {}. The earlier one decides.",
        of(&clock.counted),
        of(other)
    ))
}

/// How a last day was counted, in words.
pub(super) fn how_counted(counted: &Counted) -> String {
    let mut without = vec!["weekends".to_owned()];
    without.extend(counted.holidays.iter().map(|off| format!("{} ({})", off.name, off.day)));
    let without = match without.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => without.concat(),
    };
    format!(
        "{} from {}, without {without}; days are those of {}",
        count(counted.business_days, "business day"),
        counted.from,
        counted.time_zone
    )
}

#[cfg(test)]
mod tests {
    use crm_consent::{Ledger, Said, Wish};
    use crm_mirror::Site;
    use crm_models::TenantId;

    use super::*;

    #[test]
    fn a_copy_is_judged_by_when_it_came_to_be_as_it_is() {
        use Effect::{Gone, Off, On};

        let folder = tempfile::tempdir().unwrap();
        let site = Site::new(TenantId::new(7).unwrap(), "https://api.example.com");
        let mut ledger = Ledger::open_or_create(folder.path().join("ledger.db"), &site).unwrap();
        ledger.add(&Said::new("818-555-0142", Wish::Out).received("2026-03-02")).unwrap();
        let now: Timestamp = "2026-03-20T12:00:00Z".parse().unwrap();
        let periods = ledger.clocks().unwrap().periods("8185550142", None).unwrap();
        let judge = |facts: &[(&str, Effect, bool)]| {
            let facts: Vec<_> = facts
                .iter()
                .map(|(day, effect, is_exact)| Fact {
                    at: format!("2026-{day}T12:00:00Z").parse().unwrap(),
                    effect: *effect,
                    is_exact: *is_exact,
                })
                .collect();
            let judged = Judged::of(&facts, &periods, now);
            (judged.verdict, judged.days_late)
        };
        for (facts, wanted) in [
            (&[][..], (Verdict::Unknown, 0)),
            (&[("03-16", On, false)], (Verdict::Overdue, 4)),
            (&[("03-03", On, false), ("03-16", Off, true)], (Verdict::InTime, 0)),
            // Read back later, it is as it was made.
            (&[("03-16", Off, true), ("03-19", Off, false)], (Verdict::InTime, 0)),
            (&[("03-03", On, false), ("03-17", Off, true)], (Verdict::Late, 1)),
            (&[("03-18", Off, false)], (Verdict::NotShown, 2)),
            (&[("03-05", Off, false)], (Verdict::InTime, 0)),
            (&[("02-05", Off, true), ("03-18", Off, false)], (Verdict::BeforeTheWish, 0)),
            // Somebody has turned it on again.
            (&[("03-05", Off, true), ("03-19", On, false)], (Verdict::Overdue, 4)),
            (&[("03-05", On, false), ("03-19", Gone, true)], (Verdict::LateUntilGone, 3)),
            // It was turned off late, and went then.
            (
                &[("03-05", On, false), ("03-18", Off, true), ("03-19", Gone, true)],
                (Verdict::LateUntilGone, 2),
            ),
            (&[("03-05", On, false), ("03-12", Gone, true)], (Verdict::Gone, 0)),
            (&[("03-19", Gone, true)], (Verdict::Gone, 0)),
        ] {
            assert_eq!(judge(facts), wanted, "{facts:?}");
        }
        assert_eq!(Judged::of(&[], &[], now).verdict, Verdict::Unknown);

        // The last day was 03-16.
        ledger.add(&start("2026-03-19T10:00:00Z")).unwrap();
        let earlier = |ledger: &Ledger, facts: &[(&str, Effect)]| {
            let facts: Vec<_> = facts
                .iter()
                .map(|(day, effect)| Fact {
                    at: format!("2026-{day}T12:00:00Z").parse().unwrap(),
                    effect: *effect,
                    is_exact: *effect == Off,
                })
                .collect();
            let periods = ledger.clocks().unwrap().periods("8185550142", None).unwrap();
            let judged = Judged::of(&facts, &periods, now);
            let earlier = judged.earlier.iter();
            let told = earlier.map(|was| (was.days_late, was.ended_by.is_some(), was.is_shown));
            (judged.verdict, told.collect::<Vec<_>>())
        };
        let throughout = &[("03-03", On), ("03-20", On)];
        assert_eq!(earlier(&ledger, throughout), (Verdict::NoWish, vec![(3, true, true)]));
        let seen_after = &[("03-20", On)];
        assert_eq!(earlier(&ledger, seen_after), (Verdict::NoWish, vec![(3, true, false)]));
        let off_late = &[("03-03", On), ("03-18", Off)];
        assert_eq!(earlier(&ledger, off_late), (Verdict::NoWish, vec![(2, false, true)]));
        let in_time = &[("03-03", On), ("03-12", Off), ("03-20", On)];
        assert_eq!(earlier(&ledger, in_time), (Verdict::NoWish, Vec::new()));
        ledger.add(&Said::new("818-555-0142", Wish::Out).received("2026-03-20")).unwrap();
        assert_eq!(earlier(&ledger, throughout), (Verdict::Open, vec![(3, true, true)]));
    }

    fn start(at: &str) -> Said {
        Said::new("818-555-0142", Wish::In).received(at).words("START")
    }
}
