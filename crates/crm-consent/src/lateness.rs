//! Whether a copy of a number or an address received something after its last day that its wish is
//! about, by what is known of it: the one rule by which everything is told that is late.

use crm_models::{Preference, Timestamp};
use jiff::Timestamp as Moment;
use serde::Serialize;
use strum::{Display, IntoStaticStr};

use crate::{
    clock::{Clock, Clocks, Term},
    error::ConsentError,
    standing::{Heard, Run, is_ever_out, runs},
    wish::Scope,
};

/// What is known of a copy at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fact {
    /// The moment.
    pub at: Timestamp,
    /// What is known.
    pub effect: Effect,
    /// Whether it became so at that moment; otherwise it was seen to be so.
    pub is_exact: bool,
}

/// What is known of a copy: that it came or went, or what it receives of what is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It was created. It was no copy before.
    Created,
    /// It got the number or address in place of another one. It was no copy before.
    Got {
        /// When it was first seen with it.
        by: Timestamp,
    },
    /// It receives it.
    On,
    /// It does not.
    Off,
    /// Nobody can tell whether it does. It counts as one that does.
    Unknown,
    /// It is no longer there, or has the number or address no longer.
    Gone,
}

/// What became of a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Display, IntoStaticStr)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
#[non_exhaustive]
pub enum CopyVerdict {
    /// It was off when its time began.
    BeforeTheWish,
    /// It is off, and that was so by the last day.
    InTime,
    /// It is off, and nobody knows when the wish was received, so neither whether that was in time.
    WishUndated,
    /// It is off, and was still on after the last day.
    Late,
    /// It is off, and was first seen so after the last day; nothing shows that it was on until then.
    NotShown,
    /// It is still on, and its last day is not over.
    Open,
    /// It is still on, and its last day is over.
    Overdue,
    /// Nobody can tell whether it is on. Once the last day is over it is as late as one that is: nothing
    /// shows that the wish was heeded.
    Unknown,
    /// It is no longer there, or has the number or address no longer.
    Gone,
    /// The same, and it was still on after the last day, until it went.
    LateUntilGone,
    /// The same, and nothing shows that it was off by the last day, or on until it went.
    NotShownUntilGone,
    /// It was on after the last day until a wish to be written to.
    LateUntilStart,
    /// No wish to be left alone counts for it.
    NoWish,
}

/// What became of a copy in one time in which its value was out.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Judgement {
    /// What became of it.
    pub verdict: CopyVerdict,
    /// Since when it is known to be as it is.
    pub since: Option<Timestamp>,
    /// Whether it became so at that moment; otherwise it was first seen to be so.
    pub is_exact: bool,
    /// Whether it is on after it had been off.
    pub again: bool,
    /// How it came to be a copy, where that is known.
    pub arrival: Option<Arrival>,
    /// By how many days it was or is too late; 0 where it is not.
    pub days_late: u32,
    /// Of one that is gone, how it was turned off before.
    pub off: Option<TurnedOff>,
    /// How one that is gone was late before.
    pub until_gone: Option<Breach>,
    /// By when it had to be off; none where no wish to be left alone counts.
    #[serde(skip)]
    pub clock: Option<Clock>,
    /// How it was late, if a wish to be written to has ended that time.
    #[serde(skip)]
    pub ended: Option<Breach>,
    /// Whether a wish to be written to has ended that time.
    #[serde(skip)]
    pub is_ended: bool,
}

/// How a record came to be a copy of a number or an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "how", rename_all = "kebab-case", rename_all_fields = "camelCase")]
#[non_exhaustive]
pub enum Arrival {
    /// It was created.
    Created {
        /// When.
        at: Timestamp,
    },
    /// It got the number or address in place of another one.
    Got {
        /// When it was last seen with another one.
        after: Timestamp,
        /// When it was first seen with this one; the same moment where that is known.
        by: Timestamp,
    },
    /// It was gone, and is there again.
    Back {
        /// When it was gone.
        after: Timestamp,
    },
}

/// That a copy is off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct TurnedOff {
    /// Whether that was in time.
    pub verdict: CopyVerdict,
    /// Since when.
    pub at: Timestamp,
    /// Whether it became so at that moment; otherwise it was first seen to be so.
    pub is_exact: bool,
    /// By how many days it was too late.
    pub days_late: u32,
}

/// That a copy was on after the last day of a time in which its value was out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Breach {
    /// The record of the wish to be left alone.
    pub record: u64,
    /// The last day in time.
    pub last_day: String,
    /// Until when.
    pub until: Timestamp,
    /// The record of the wish to be written to, if it was until that one.
    pub ended_by: Option<u64>,
    /// Whether it is known that it was on; otherwise that it was off is not shown.
    pub is_shown: bool,
    /// Whether it was seen so after the last day, and nobody knows how long it lasted after that.
    pub at_least: bool,
    /// By how many days.
    pub days_late: u32,
}

/// What became of one preference of a copy.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct JudgedPreference {
    /// The preference.
    pub preference: Preference,
    /// What became of it.
    pub lateness: Lateness,
}

/// What became of a copy: by the wish that counts, and in all times in which its value was out before.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Lateness {
    /// By the wish that counts.
    #[serde(flatten)]
    pub now: Judgement,
    /// How it was late in times in which it was out before, each ended by a wish to be written to.
    pub earlier: Vec<Breach>,
    /// All times in which its value was out and it was there, in their order.
    #[serde(skip)]
    pub all: Vec<Judgement>,
}

impl Lateness {
    /// Returns whether it speaks against whoever had to heed the wish that counts. What was late in a
    /// time that a wish to be written to has ended does not.
    #[must_use]
    pub fn is_late(&self) -> bool {
        self.now.is_late()
    }
}

impl Judgement {
    /// Returns whether it speaks against whoever had to heed the wish: it was or is too late, or nothing
    /// shows that it was not.
    ///
    /// This is what the exit codes of the command rest on.
    #[must_use]
    pub fn is_late(&self) -> bool {
        !self.is_ended && (self.days_late > 0 || self.until_gone.is_some())
    }

    /// Returns how the copy was turned off in this time, also where it is gone since. `None` where it
    /// was not, or received nothing before the wish.
    #[must_use]
    pub fn turned_off(&self) -> Option<TurnedOff> {
        self.off.or_else(|| self.as_off()).filter(|off| off.verdict != CopyVerdict::BeforeTheWish)
    }

    /// Returns since when it is off, if it is, and whether that was in time.
    #[must_use]
    pub fn as_off(&self) -> Option<TurnedOff> {
        let Self { verdict, is_exact, days_late, .. } = *self;
        let off = self.since.map(|at| TurnedOff { verdict, at, is_exact, days_late });
        off.filter(|_| verdict.is_off())
    }

    fn since(first: Fact, verdict: CopyVerdict) -> Self {
        Self { since: Some(first.at), is_exact: first.is_exact, ..Self::of(verdict) }
    }

    fn of(verdict: CopyVerdict) -> Self {
        Self {
            verdict,
            since: None,
            is_exact: false,
            again: false,
            arrival: None,
            days_late: 0,
            off: None,
            until_gone: None,
            clock: None,
            ended: None,
            is_ended: false,
        }
    }
}

impl CopyVerdict {
    fn is_off(self) -> bool {
        matches!(
            self,
            Self::BeforeTheWish | Self::InTime | Self::WishUndated | Self::Late | Self::NotShown
        )
    }
}

impl Clocks<'_> {
    /// Judges a copy of a number or an address by what is known of it, the earliest first: marketing,
    /// and each other preference that the policy turns off for all kinds of messages, where such a wish
    /// ever counted. `facts` gives what is known of a preference, and of the copy itself; none where it has no
    /// such preference.
    ///
    /// Each preference has the wish that counts for its kind of messages, and its own last day. A copy
    /// has the time of the wish, or one of its own where it came to be after that. Each time in which the
    /// value was out is judged by itself.
    ///
    /// # Errors
    ///
    /// Returns errors for a file that cannot be read.
    pub fn judge(
        &self,
        value: &str,
        facts: impl Fn(Preference) -> Option<Vec<Fact>>,
        now: Timestamp,
    ) -> Result<Vec<JudgedPreference>, ConsentError> {
        let heard = self.heard(value)?;
        let policies = self.policies();
        let others = is_ever_out(&heard, Scope::All, policies)
            .then(|| policies.today().policy.other_kinds())
            .into_iter()
            .flatten();
        let judged =
            [Preference::MarketingUpdates].into_iter().chain(others).filter_map(|preference| {
                let facts = facts(preference)?;
                let lateness = self.judge_heard((&heard, Scope::of(preference)), &facts, now);
                Some(JudgedPreference { preference, lateness })
            });
        Ok(judged.collect())
    }

    fn judge_heard(
        &self,
        (heard, scope): (&[Heard], Scope),
        facts: &[Fact],
        now: Timestamp,
    ) -> Lateness {
        let stays = Stay::all(facts);
        let mut all = Vec::new();
        for run in runs(heard, scope, self.policies()) {
            let judged = stays.iter().filter_map(|stay| self.in_time((run, scope), stay, now));
            all.extend(judged);
        }
        let earlier = all.iter().filter_map(|judged: &Judgement| judged.ended.clone()).collect();
        let mut lasting = all.iter().filter(|judged| !judged.is_ended);
        let now = lasting.next_back().cloned().map(|last| {
            // It had the value before, and was late with it then.
            let before = || lasting.filter_map(|judged| judged.until_gone.clone()).next_back();
            Judgement { until_gone: last.until_gone.clone().or_else(before), ..last }
        });
        let without = || stays.last().map(|stay| stay.without_wish());
        let now = now.or_else(without).unwrap_or_else(|| Judgement::of(CopyVerdict::NoWish));
        Lateness { now, earlier, all }
    }

    /// Judges a stay in a time in which the value was out; none where it was not there then.
    fn in_time(
        &self,
        (run, scope): (Run<'_>, Scope),
        stay: &Stay<'_>,
        now: Timestamp,
    ) -> Option<Judgement> {
        let ended = run.ended_by.map(Heard::latest);
        let is_over = ended.is_some_and(|ended| stay.since().is_some_and(|since| since >= ended));
        let clock = self.of_copy((run.first, scope), stay.since()).filter(|_| !is_over)?;
        let ended_by = run.ended_by.map(|heard| heard.record);
        let until = match ended {
            Some(ended) => Timestamp::from_nanoseconds(ended.as_nanosecond())?,
            None => now,
        };
        let breach = Breach::of(stay.facts, &clock, (until, ended_by));
        let mut judged = match ended {
            Some(_) => {
                let by_then = stay.facts.partition_point(|fact| fact.at < until);
                judge_ended(&stay.facts[..by_then], clock.term(), breach)
            }
            None => judge(stay.facts, clock.term(), breach, now),
        };
        judged.clock = Some(clock);
        judged.arrival = stay.arrival;
        Some(judged)
    }
}

/// A time in which a copy was there.
struct Stay<'f> {
    /// How it began; none where nobody knows.
    arrival: Option<Arrival>,
    facts: &'f [Fact],
}

impl<'f> Stay<'f> {
    /// All of them; one of a copy of which nothing is known.
    fn all(facts: &'f [Fact]) -> Vec<Self> {
        let (mut stays, mut arrival, mut from) = (Vec::new(), None, 0);
        for (at, fact) in facts.iter().enumerate() {
            match Arrival::of(fact) {
                // What was known before is of another number or address.
                Some(came) => (arrival, from) = (Some(came), at + 1),
                // It is still gone.
                None if fact.effect == Effect::Gone && is_gone(&facts[..at]) => from = at + 1,
                None if fact.effect == Effect::Gone => {
                    stays.push(Self { arrival, facts: &facts[from..=at] });
                    (arrival, from) = (Some(Arrival::Back { after: fact.at }), at + 1);
                }
                None => {}
            }
        }
        let came_last = facts.last().and_then(Arrival::of).is_some();
        if from < facts.len() || stays.is_empty() || came_last {
            stays.push(Self { arrival, facts: &facts[from..] });
        }
        stays
    }

    /// Since when it is there, as early as that can have been; none where nobody knows.
    fn since(&self) -> Option<Moment> {
        moment(match self.arrival? {
            Arrival::Created { at } => at,
            Arrival::Got { after, .. } | Arrival::Back { after } => after,
        })
    }

    /// What is told of it where no wish to be left alone counts.
    fn without_wish(&self) -> Judgement {
        let first = as_it_is(self.facts);
        let is_gone = first.is_some_and(|first| first.effect == Effect::Gone);
        let verdict = if is_gone { CopyVerdict::Gone } else { CopyVerdict::NoWish };
        first.map_or(Judgement::of(verdict), |first| Judgement::since(first, verdict))
    }
}

fn is_gone(facts: &[Fact]) -> bool {
    facts.last().is_some_and(|fact| fact.effect == Effect::Gone)
}

impl Arrival {
    /// How a copy came to be, of a fact that tells it.
    fn of(fact: &Fact) -> Option<Self> {
        match fact.effect {
            Effect::Created => Some(Self::Created { at: fact.at }),
            Effect::Got { by } => Some(Self::Got { after: fact.at, by }),
            _ => None,
        }
    }
}

/// Judges a stay by the wish that counts.
pub(crate) fn judge(
    facts: &[Fact],
    term: &Term,
    breach: Option<Breach>,
    now: Timestamp,
) -> Judgement {
    let Some((last, first)) = facts.last().zip(as_it_is(facts)) else {
        let days_late = term.days_late(now);
        return Judgement { days_late, ..Judgement::of(CopyVerdict::Unknown) };
    };
    let judged = |verdict, days_late| Judgement { days_late, ..Judgement::since(first, verdict) };
    match last.effect {
        Effect::Off => off(facts, first, term),
        Effect::Unknown => judged(CopyVerdict::Unknown, term.days_late(now)),
        Effect::On | Effect::Created | Effect::Got { .. } => {
            let again = facts.iter().any(|fact| fact.effect == Effect::Off);
            let days_late = term.days_late(now);
            let verdict = if days_late > 0 { CopyVerdict::Overdue } else { CopyVerdict::Open };
            Judgement { again, ..judged(verdict, days_late) }
        }
        Effect::Gone => {
            let before = &facts[..facts.len() - 1];
            let was_off = before.last().is_some_and(|fact| fact.effect == Effect::Off);
            let off = was_off.then(|| judge(before, term, None, now).as_off()).flatten();
            let gone = match breach {
                Some(breach) => {
                    let verdict = if breach.is_shown {
                        CopyVerdict::LateUntilGone
                    } else {
                        CopyVerdict::NotShownUntilGone
                    };
                    let days_late = breach.days_late;
                    Judgement { until_gone: Some(breach), ..judged(verdict, days_late) }
                }
                None => judged(CopyVerdict::Gone, 0),
            };
            Judgement { off, ..gone }
        }
    }
}

/// Judges a stay in a time that a wish to be written to has ended, by what was known by then.
fn judge_ended(facts: &[Fact], term: &Term, breach: Option<Breach>) -> Judgement {
    let is_off = facts.last().is_some_and(|fact| fact.effect == Effect::Off);
    let judged = match (as_it_is(facts).filter(|_| is_off), &breach) {
        (Some(first), _) => off(facts, first, term),
        (None, Some(Breach { until, days_late, .. })) => Judgement {
            since: Some(*until),
            days_late: *days_late,
            ..Judgement::of(CopyVerdict::LateUntilStart)
        },
        (None, None) => Judgement::of(CopyVerdict::NoWish),
    };
    Judgement { ended: breach, is_ended: true, ..judged }
}

/// The first of the facts by which a copy is as it is; none where nothing is known.
fn as_it_is(facts: &[Fact]) -> Option<Fact> {
    let last = facts.last()?.effect;
    // That nobody could tell in between does not say that it was on.
    let is_other =
        |fact: &Fact| fact.effect != last && (last, fact.effect) != (Effect::Off, Effect::Unknown);
    let from = facts.iter().rposition(is_other).map_or(0, |at| at + 1);
    let mut same = facts[from..].iter().filter(|fact| fact.effect == last);
    let first = same.next()?;
    // A reading of the same moment does not make it less exact.
    let exact = same.take_while(|fact| fact.at == first.at).find(|fact| fact.is_exact);
    Some(*exact.unwrap_or(first))
}

/// Judges a copy that is off, by the first moment at which it is known to be so.
fn off(facts: &[Fact], first: Fact, term: &Term) -> Judgement {
    let days_late = term.days_late(first.at);
    let is_on_late = |fact: &Fact| fact.effect == Effect::On && term.days_late(fact.at) > 0;
    let was_on = facts.iter().take_while(|fact| fact.at < first.at).any(is_on_late);
    let verdict = match days_late {
        _ if !term.has_begun(first.at) => CopyVerdict::BeforeTheWish,
        0 if !term.is_known => CopyVerdict::WishUndated,
        0 => CopyVerdict::InTime,
        _ if first.is_exact || was_on => CopyVerdict::Late,
        _ => CopyVerdict::NotShown,
    };
    Judgement { days_late, ..Judgement::since(first, verdict) }
}

impl Breach {
    /// The longest one until a moment, by what is known of a stay.
    fn of(
        facts: &[Fact],
        clock: &Clock,
        (ends, ended_by): (Timestamp, Option<u64>),
    ) -> Option<Self> {
        let nexts = facts.iter().map(Some).chain([None]);
        let pairs = [None].into_iter().chain(facts.iter().map(Some)).zip(nexts);
        let breaches = pairs.filter_map(|(fact, next)| {
            let effect = fact.map(|fact| fact.effect);
            let is_on = match (fact, next) {
                (Some(fact), _) => {
                    matches!(fact.effect, Effect::On | Effect::Unknown) && fact.at < ends
                }
                // Nothing is known of before: what goes tells nothing of it.
                (None, next) => next.is_some_and(|next| next.effect != Effect::Gone),
            };
            let until = next.map_or(ends, |next| next.at.min(ends));
            let next = next.filter(|next| next.at <= ends);
            let lasts = next.is_none_or(|next| next.is_exact || next.effect == Effect::On);
            // It was seen on, and nobody knows how long it was so after that.
            let seen = fact.filter(|fact| fact.effect == Effect::On && !lasts).map(|fact| fact.at);
            let seen = seen.filter(|seen| clock.days_late(*seen) > 0);
            let until = seen.unwrap_or(until);
            let days_late = clock.days_late(until);
            (is_on && days_late > 0).then(|| Self {
                record: clock.record,
                last_day: clock.counted.last_day.clone(),
                until,
                ended_by: ended_by.filter(|_| next.is_none()),
                is_shown: effect == Some(Effect::On) && (lasts || seen.is_some()),
                at_least: seen.is_some(),
                days_late,
            })
        });
        breaches.max_by_key(|breach| (breach.is_shown, breach.days_late))
    }
}

fn moment(at: Timestamp) -> Option<Moment> {
    Moment::from_nanosecond(at.as_nanoseconds()).ok()
}
