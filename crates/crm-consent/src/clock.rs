//! By when a copy of a number or an address has to be left alone.

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde::Serialize;

use crate::{
    error::ConsentError,
    ledger::Ledger,
    policies::{Held, Policies, PolicyUsed},
    policy::{DayOff, Policy},
    standing::{Heard, last, runs},
    wish::{Scope, Wish},
};

/// By when one copy of a number or an address has to receive none of some kinds of messages.
///
/// The policy decides that was in force when the wish counts from. Where the one that is in force today
/// gives another day, the earlier of the two decides: no policy that comes later makes a wish less
/// late.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Clock {
    /// The record of the wish that set it going.
    pub record: u64,
    /// For which messages that wish counts here.
    pub scope: Scope,
    /// Whether it counts from the day on which the copy came to be, since it is younger than the wish.
    pub of_copy: bool,
    /// Whether it is known when that was from which it counts. Otherwise it counts from the day on which
    /// the wish came into the ledger, and nothing shows what was in time.
    pub is_known: bool,
    /// How the last day in time was counted.
    #[serde(flatten)]
    pub counted: Counted,
    /// How another policy counts it, which gives a later day.
    pub otherwise: Option<Counted>,
    #[serde(skip)]
    term: Term,
}

/// How a last day was counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Counted {
    /// The day from which it counts.
    pub from: String,
    /// The last day in time.
    pub last_day: String,
    /// How many business days lie between.
    pub business_days: u16,
    /// The holidays that were left out; weekends are left out as well.
    pub holidays: Vec<DayOff>,
    /// The zone in which days begin.
    pub time_zone: String,
    /// The record of the policy; none for the default.
    pub policy: Option<u64>,
    /// The SHA-256 of the policy's text.
    pub policy_sha256: String,
    /// Whether this policy was in force at the wish.
    pub at_the_wish: bool,
    /// Whether it is in force today.
    pub today: bool,
}

impl Clock {
    /// Returns by how many days a moment is too late: 0 on the last day and before.
    #[must_use]
    pub fn days_late(&self, at: crm_models::Timestamp) -> u32 {
        self.term.days_late(at)
    }

    /// Returns the day that a moment is in the zone of the policy that decides, as in `2026-11-23`.
    #[must_use]
    pub fn day_of(&self, at: crm_models::Timestamp) -> String {
        self.term.day_of(at).to_string()
    }

    /// Returns that two policies give two last days, and which one decides; `None` where they agree.
    #[must_use]
    pub fn two_days(&self) -> Option<String> {
        let other = self.otherwise.as_ref()?;
        Some(format!(
            "Two policies give two last days: {}, and {}. The earlier one decides.",
            self.counted.by_policy(),
            other.by_policy()
        ))
    }

    pub(crate) fn term(&self) -> &Term {
        &self.term
    }
}

/// What tells how late a moment is.
#[derive(Debug, Clone)]
pub(crate) struct Term {
    day: LastDay,
    zone: TimeZone,
    /// Whether it is known from when it counts.
    pub(crate) is_known: bool,
}

impl Term {
    pub(crate) fn of((by, day): (&Held, LastDay), is_known: bool) -> Self {
        Self { day, zone: by.policy.zone().clone(), is_known }
    }

    /// Whether it runs at a moment: from the beginning of its first day.
    pub(crate) fn has_begun(&self, at: crm_models::Timestamp) -> bool {
        self.day_of(at) >= self.day.from
    }

    /// By how many days a moment is too late: 0 on the last day and before.
    pub(crate) fn days_late(&self, at: crm_models::Timestamp) -> u32 {
        (self.day_of(at) - self.day.last).get_days().max(0).unsigned_abs()
    }

    fn day_of(&self, at: crm_models::Timestamp) -> Date {
        // What is beyond the calendar of one type is at its end.
        let moment = Timestamp::from_nanosecond(at.as_nanoseconds()).unwrap_or(Timestamp::MAX);
        self.zone.to_datetime(moment).date()
    }
}

/// The clocks of copies, returned by [`Ledger::clocks`].
#[derive(Debug)]
pub struct Clocks<'l> {
    ledger: &'l Ledger,
    policies: Policies,
}

impl Ledger {
    /// Returns what tells by when copies have to receive no marketing.
    ///
    /// # Errors
    ///
    /// Returns errors for a file that cannot be read.
    pub fn clocks(&self) -> Result<Clocks<'_>, ConsentError> {
        Ok(Clocks { ledger: self, policies: self.policies()? })
    }
}

impl Clocks<'_> {
    /// Returns the clock of a copy that is there since a moment, by the wishes for these messages that had
    /// been received by another; both are written as RFC 3339. `None` where nobody wished to be left alone
    /// then.
    ///
    /// It counts from the first of the wishes to be left alone since the last one to be written to:
    /// who says it again does not begin anew. For a copy that is younger it counts from the day on
    /// which it was created.
    ///
    /// # Errors
    ///
    /// Returns [`ConsentError::Moment`] for a text that is no moment, and errors for a file that
    /// cannot be read.
    pub fn of(
        &self,
        (value, scope): (&str, Scope),
        created: Option<&str>,
        by: &str,
    ) -> Result<Option<Clock>, ConsentError> {
        let created = created.map(moment).transpose()?;
        let heard = self.heard_by(value, by)?;
        let last = runs(&heard, scope, &self.policies).pop();
        let lasts = last.filter(|run| run.ended_by.is_none());
        Ok(lasts.and_then(|run| self.of_copy((run.first, scope), created)))
    }

    /// Returns the record of a wish to be left alone that had been received by a moment and was taken
    /// back since, where no other one counts: what was done for it was asked for by nobody.
    ///
    /// # Errors
    ///
    /// The same as those of [`of`](Self::of).
    pub fn taken_back(&self, value: &str, by: &str) -> Result<Option<u64>, ConsentError> {
        let heard = self.heard_by(value, by)?;
        let counts = last(&heard, Scope::Marketing, &self.policies);
        let outs = heard.iter().filter(|heard| heard.retracted && heard.wish == Wish::Out);
        Ok(outs.map(|heard| heard.record).next_back().filter(|_| counts.is_none()))
    }

    /// Returns the last day in time of a wish that was received on a day, and by how many days a moment is
    /// too late: for one that the ledger does not have.
    ///
    /// # Errors
    ///
    /// Returns [`ConsentError::Moment`] for a text that is no day.
    pub fn last_day(
        &self,
        received: &str,
        at: crm_models::Timestamp,
    ) -> Result<(String, u32), ConsentError> {
        let begins = received.parse().ok().and_then(|day| self.policies.today().policy.begins(day));
        let days = begins
            .and_then(|at| Running { begins: at, latest: at }.last_days(&self.policies, None));
        let days = days.ok_or_else(|| ConsentError::Moment {
            text: received.to_owned(),
            reason: "is not a day; write it like 2026-11-23",
        })?;
        let last = days.decides.1.last.to_string();
        Ok((last, Term::of(days.decides, true).days_late(at)))
    }

    /// Returns all policies, as they came to hold; the last one holds.
    #[must_use]
    pub fn policies_used(&self) -> Vec<PolicyUsed> {
        self.policies.used()
    }

    pub(crate) fn policies(&self) -> &Policies {
        &self.policies
    }

    /// The wishes of a value.
    pub(crate) fn heard(&self, value: &str) -> Result<Vec<Heard>, ConsentError> {
        self.ledger.of_key(&self.ledger.keys(value).key)
    }

    fn heard_by(&self, value: &str, by: &str) -> Result<Vec<Heard>, ConsentError> {
        let by = moment(by)?;
        let mut heard = self.heard(value)?;
        heard.retain(|heard| heard.begins() <= by);
        Ok(heard)
    }

    /// The clock of a copy that is there since a moment, by the first wish that counts.
    pub(crate) fn of_copy(
        &self,
        (first, scope): (&Heard, Scope),
        created: Option<Timestamp>,
    ) -> Option<Clock> {
        let running = Running { begins: first.begins(), latest: first.latest() };
        let LastDays { decides, other, created } = running.last_days(&self.policies, created)?;
        let (at_the_wish, today) = (self.policies.at(running.begins), self.policies.today());
        let counted = |(held, day): (&Held, LastDay)| {
            let is = |other: &Held| other.record == held.record;
            Counted::of(held, day, (is(at_the_wish), is(today)))
        };
        let is_known = created.is_some() || first.facts.period.is_some();
        Some(Clock {
            record: first.record,
            scope,
            of_copy: created.is_some(),
            is_known,
            counted: counted(decides),
            otherwise: other.map(counted),
            term: Term::of(decides, is_known),
        })
    }
}

impl Counted {
    /// Returns how it was counted, in words.
    #[must_use]
    pub fn in_words(&self) -> String {
        let Self { from, business_days, time_zone, holidays, .. } = self;
        let days = if *business_days == 1 { "business day" } else { "business days" };
        let mut left_out = vec!["weekends".to_owned()];
        left_out.extend(holidays.iter().map(|off| format!("{} ({})", off.name, off.day)));
        let left_out = match left_out.split_last() {
            Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
            _ => left_out.concat(),
        };
        format!(
            "{business_days} {days} after {from}, {left_out} left out; a day is one of {time_zone}"
        )
    }

    fn by_policy(&self) -> String {
        let which = if self.at_the_wish { "in force at the wish" } else { "in force today" };
        let record = self.policy.map(|record| format!("record {record}"));
        let record = record.unwrap_or_else(|| "the default".to_owned());
        format!("{} by the policy {which} ({record})", self.last_day)
    }

    fn of(held: &Held, day: LastDay, (at_the_wish, today): (bool, bool)) -> Self {
        let policy = &held.policy;
        Self {
            from: day.from.to_string(),
            last_day: day.last.to_string(),
            business_days: policy.business_days(),
            holidays: policy.days_off(day.from, day.last),
            time_zone: policy.time_zone().to_owned(),
            policy: held.record,
            policy_sha256: policy.sha256().to_string(),
            at_the_wish,
            today,
        }
    }
}

/// Since when the time of a wish runs, and until when it can have been received.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Running {
    pub(crate) begins: Timestamp,
    pub(crate) latest: Timestamp,
}

/// The last day of a copy by the policies that have a say.
pub(crate) struct LastDays<'p> {
    /// By the one that decides.
    pub(crate) decides: (&'p Held, LastDay),
    /// By the other one, where that is another day.
    pub(crate) other: Option<(&'p Held, LastDay)>,
    /// Since when the copy is there, if it is younger than the wish.
    pub(crate) created: Option<Timestamp>,
}

impl Running {
    /// The last days of a copy: by the policy that was in force at the wish, and by that of today. The
    /// one that is over first decides. None beyond the calendar.
    pub(crate) fn last_days(
        self,
        policies: &Policies,
        created: Option<Timestamp>,
    ) -> Option<LastDays<'_>> {
        let created = created.filter(|created| *created > self.latest);
        let from = created.unwrap_or(self.begins);
        let by = |held: &'_ Held| LastDay::of(&held.policy, from);
        let (at_the_wish, today) = (policies.at(self.begins), policies.today());
        let first = (at_the_wish, by(at_the_wish)?);
        if at_the_wish.record == today.record {
            return Some(LastDays { decides: first, other: None, created });
        }
        let second = (today, by(today)?);
        let (decides, other) =
            if second.1.ends < first.1.ends { (second, first) } else { (first, second) };
        let other = Some(other).filter(|(_, day)| day.last != decides.1.last);
        Some(LastDays { decides, other, created })
    }
}

/// The last day in time by one policy, and the day from which it counts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LastDay {
    pub(crate) from: Date,
    pub(crate) last: Date,
    /// When that day is over.
    ends: Timestamp,
}

impl LastDay {
    fn of(policy: &Policy, from: Timestamp) -> Option<Self> {
        let from = policy.day(from);
        let last = policy.last_day(from)?;
        Some(Self { from, last, ends: policy.begins(last.tomorrow().ok()?)? })
    }
}

fn moment(text: &str) -> Result<Timestamp, ConsentError> {
    text.parse().map_err(|_| ConsentError::Moment {
        text: text.to_owned(),
        reason: "is not a moment; write it like 2026-11-23T10:30:00Z",
    })
}
