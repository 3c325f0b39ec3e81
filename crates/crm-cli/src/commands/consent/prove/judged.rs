//! Whether a copy of a number or an address was turned off in time, by what is known of it.

use crm_consent::{Clock, Counted};
use crm_models::Timestamp;
use serde::Serialize;

use crate::{
    desk::{Effect, Fact},
    output::count,
};

/// What became of a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Verdict {
    /// It received no marketing when its clock began.
    BeforeTheWish,
    InTime,
    Late,
    /// It receives none, but nothing shows that this was so in time.
    NotShown,
    /// It still receives marketing, and its last day is not over.
    Open,
    Overdue,
    /// It is no longer there, or has the number or address no longer.
    Gone,
    /// Nothing is known of its flags.
    Unknown,
    /// Nobody has wished to be left alone.
    NoWish,
}

/// A verdict, and what it rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Judged {
    pub(super) verdict: Verdict,
    /// Since when the copy is known to be as it is.
    pub(super) since: Option<Timestamp>,
    /// Whether it became so at that moment; otherwise it was first seen to be so.
    pub(super) is_exact: bool,
    /// Whether it receives marketing after it had received none.
    pub(super) again: bool,
    pub(super) days_late: u32,
}

impl Judged {
    /// Judges a copy by its facts, the earliest first.
    pub(super) fn of(facts: &[Fact], clock: Option<&Clock>, now: Timestamp) -> Self {
        let Some(last) = facts.last() else {
            return Self::without_moment(Verdict::Unknown);
        };
        let before = facts.iter().rposition(|fact| fact.effect != last.effect);
        let first = &facts[before.map_or(0, |at| at + 1)];
        let judged = |verdict, days_late| Self {
            verdict,
            since: Some(first.at),
            is_exact: first.is_exact,
            again: last.effect == Effect::On && before.is_some(),
            days_late,
        };
        let late = |at: Timestamp| {
            clock.and_then(|clock| clock.days_late(&at.to_string())).unwrap_or_default()
        };
        match (last.effect, clock) {
            (Effect::Gone, _) => judged(Verdict::Gone, 0),
            (_, None) => judged(Verdict::NoWish, 0),
            (Effect::On, _) => match late(now) {
                0 => judged(Verdict::Open, 0),
                days => judged(Verdict::Overdue, days),
            },
            (Effect::Off, Some(clock)) if !clock.has_begun(&first.at.to_string()) => {
                judged(Verdict::BeforeTheWish, 0)
            }
            (Effect::Off, _) => match (late(first.at), first.is_exact) {
                (0, _) => judged(Verdict::InTime, 0),
                (days, true) => judged(Verdict::Late, days),
                (days, false) => judged(Verdict::NotShown, days),
            },
        }
    }

    fn without_moment(verdict: Verdict) -> Self {
        Self { verdict, since: None, is_exact: false, again: false, days_late: 0 }
    }

    /// Whether it speaks against whoever had to turn it off.
    pub(super) fn is_bad(&self) -> bool {
        matches!(self.verdict, Verdict::Late | Verdict::NotShown | Verdict::Overdue)
    }

    /// In one sentence, and another one where two policies give two last days.
    pub(super) fn sentence(&self, clock: Option<&Clock>) -> String {
        let verdict = self.verdict_on(clock);
        let is_of_day = !matches!(self.verdict, Verdict::Gone | Verdict::Unknown | Verdict::NoWish);
        match clock.filter(|_| is_of_day).and_then(two_days) {
            Some(two_days) => format!("{verdict} {two_days}"),
            None => verdict,
        }
    }

    fn verdict_on(&self, clock: Option<&Clock>) -> String {
        let since = self.since.map(crm_bulk::page::time).unwrap_or_default();
        let off = if self.is_exact {
            format!("Turned off on {since}")
        } else {
            format!("Receives no marketing; first seen so on {since}")
        };
        let last = clock.map(|clock| clock.counted.last_day.as_str()).unwrap_or_default();
        let late = match self.days_late {
            1 => "1 day".to_owned(),
            days => format!("{days} days"),
        };
        match self.verdict {
            Verdict::BeforeTheWish if self.is_exact => {
                format!("Received no marketing since {since}, before the wish came in.")
            }
            Verdict::BeforeTheWish => {
                format!("Received no marketing on {since} already, before the wish came in.")
            }
            Verdict::InTime => format!("{off}, in time: the last day was {last}."),
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
            Verdict::Gone => format!("Has it no longer, since {since}."),
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
    let mut without = vec!["week-ends".to_owned()];
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
        let clock = ledger.clocks().unwrap().of("8185550142", None, &now.to_string()).unwrap();
        let judge = |facts: &[(&str, Effect, bool)]| {
            let facts: Vec<_> = facts
                .iter()
                .map(|(day, effect, is_exact)| Fact {
                    at: format!("2026-{day}T12:00:00Z").parse().unwrap(),
                    effect: *effect,
                    is_exact: *is_exact,
                })
                .collect();
            let judged = Judged::of(&facts, clock.as_ref(), now);
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
            (&[("03-05", On, false), ("03-19", Gone, true)], (Verdict::Gone, 0)),
        ] {
            assert_eq!(judge(facts), wanted, "{facts:?}");
        }
        assert_eq!(Judged::of(&[], None, now).verdict, Verdict::Unknown);
    }
}
