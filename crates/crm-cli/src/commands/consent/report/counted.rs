//! What a report says, as data.

use std::collections::BTreeSet;

use crm_bulk::Site;
use crm_consent::{
    Breach, Checked, Clocks, ConsentError, CopyVerdict, Days, Due, DueKind, Judgement, Ledger,
    Report, Scope, TurnedOff as Off,
};
use crm_models::{Preference, Timestamp};
use crm_values::PhoneReader;
use serde::Serialize;

use super::line::{Line, OfCopy};
use crate::{
    commands::consent::{against::Kept, made::Made},
    desk::{Desk, SetTold, TurnedOff},
    error::CliError,
};

/// What is told of an auditor's period.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Document {
    #[serde(flatten)]
    pub(super) made: Made,
    #[serde(flatten)]
    pub(super) ledger: Report,
    /// How many records are as they were written, and what is wrong with the first that is not.
    pub(super) sound: u64,
    pub(super) fault: Option<String>,
    /// How many keys sign to which none has handed over, and of which nobody has taken note.
    pub(super) unnoticed_keys: usize,
    /// Of marketing.
    pub(super) turned_off: Punctual,
    /// Of what a wish for all kinds of messages turns off besides.
    pub(super) other_kinds: Punctual,
    pub(super) earlier: Earlier,
    pub(super) sets: Vec<SetTold>,
    /// Who still receives something now, whatever the period is; none where there is no mirror.
    pub(super) open: Option<Open>,
    /// What could not be looked at, in one sentence each.
    pub(super) missing: Vec<String>,
}

/// How many copies of numbers and addresses were turned off, by us or by others, and how many of them in
/// time.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Punctual {
    pub(super) in_time: u64,
    pub(super) late: u64,
    /// How many were first seen off, or gone, after their last day, and nothing shows that they were on
    /// until then.
    pub(super) not_shown: u64,
    /// How many were turned off for a wish of which nobody knows when it was received.
    pub(super) wish_undated: u64,
    /// Of the late ones, how many were never turned off: they received marketing until they went, or
    /// got another number or address.
    pub(super) late_until_gone: u64,
    /// Of the late ones, how many by 1 to 5 days, 6 to 10, 11 to 30, and more.
    pub(super) late_by: [u64; 4],
    pub(super) most_days_late: u32,
    /// Of all these, how many have another last day by one of the two policies that have
    /// a say: the one in force at the wish and that of today. The earlier one decides.
    pub(super) policies_differ: u64,
    /// The wish that they were for was taken back since.
    pub(super) taken_back: u64,
    /// Nobody had wished it by then.
    pub(super) without_wish: u64,
    /// Single writes to contacts whose number or address is not known.
    pub(super) value_unknown: u64,
}

/// How many copies received marketing beyond the last day of a wish to be left alone, until a wish to
/// be written to ended it in the period. Nothing has to be done about them.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Earlier {
    pub(super) late: u64,
    /// Of how many it is only not shown that they received none.
    pub(super) not_shown: u64,
    pub(super) most_days_late: u32,
}

/// Who still receives something.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Open {
    pub(super) known_at: Option<Timestamp>,
    /// Whether something was sent since the mirror was read.
    pub(super) is_behind: bool,
    pub(super) copies: u64,
    pub(super) late: u64,
    /// How many of these no plan can turn off.
    pub(super) cannot_be_set: u64,
    pub(super) most_days_late: u32,
    /// Of how many another policy gives another last day, which is later.
    pub(super) policies_differ: u64,
    /// Of numbers that may be one that is out: a person has to look.
    pub(super) look_at: u64,
    #[serde(skip)]
    pub(super) due: Vec<Due>,
}

impl Open {
    pub(super) fn of(due: Vec<Due>, known_at: Option<Timestamp>, is_behind: bool) -> Self {
        let mut open = Self { known_at, is_behind, ..Self::default() };
        let copies = |which: &dyn Fn(&Due) -> bool| {
            let targets = due.iter().filter(|due| which(due)).map(|due| due.target);
            targets.collect::<BTreeSet<_>>().len() as u64
        };
        let is_open = |due: &Due| due.kind != DueKind::LookAt;
        open.look_at = copies(&|due| !is_open(due));
        open.copies = copies(&is_open);
        open.late = copies(&|due| is_open(due) && due.days_late > 0);
        open.cannot_be_set = copies(&|due| due.kind == DueKind::CannotBeSet);
        open.policies_differ = copies(&|due| is_open(due) && due.other_deadline.is_some());
        let days = due.iter().filter(|due| is_open(due)).map(|due| due.days_late);
        open.most_days_late = days.max().unwrap_or_default();
        Self { due, ..open }
    }
}

/// The last days of the ranges of lateness.
const RANGES: [u32; 3] = [5, 10, 30];

impl Document {
    /// Counts, and hands each entry to `each`.
    pub(super) fn of(
        site: &Site,
        (ledger, kept): (&Ledger, &Kept),
        desk: &Desk,
        days: &Days,
        open: Option<Open>,
        mut each: impl FnMut(Line) -> Result<(), CliError>,
    ) -> Result<Self, CliError> {
        let (made, checked) = (Made::now(site), ledger.check(kept.head.as_ref())?);
        let report = ledger.report(days)?;
        report.imports.iter().map(Line::of_import).try_for_each(&mut each)?;
        ledger.for_each_wish(days, |heard| each(Line::of_wish(heard)))?;
        report.acts.iter().map(Line::of_act).try_for_each(&mut each)?;
        report.seals.iter().map(Line::of_seal).try_for_each(&mut each)?;
        report.keys.iter().map(Line::of_key).try_for_each(&mut each)?;
        let clocks = ledger.clocks()?;
        let (mut turned_off, mut other_kinds) = (Punctual::default(), Punctual::default());
        let mut earlier = Earlier::default();
        let (reader, ever_out) = (PhoneReader::new(desk.region()), ledger.ever_out()?);
        desk.each_place(
            reader,
            |key| ever_out.has(key),
            |key, place| {
                let is_person = place.owner_kind == "person";
                let facts = |of| {
                    let is_judged = !is_person || of == Preference::MarketingUpdates;
                    is_judged.then(|| place.facts.of(of))
                };
                clocks.judge(key, facts, made.made_at)?.iter().try_for_each(|judged| {
                    let copy = (&place, key, judged.preference);
                    let punctual = match Scope::of(judged.preference) {
                        Scope::Marketing => &mut turned_off,
                        Scope::All => &mut other_kinds,
                    };
                    judged.lateness.all.iter().try_for_each(|judged| {
                        let line = punctual.count(judged, days, copy);
                        let line = line.or_else(|| earlier.count(judged, days, copy));
                        line.map_or(Ok(()), &mut each)
                    })
                })
            },
        )?;
        let looked = desk.each_turned_off(|off| {
            if off.is_gone || !days.has(&off.at) {
                return Ok(false);
            }
            let line = turned_off.count_without_wish(off, &clocks)?;
            line.map_or(Ok(()), &mut each)?;
            Ok::<_, CliError>(true)
        })?;
        if let Some(open) = &open {
            let at = open.known_at.map(|at| at.to_string()).unwrap_or_default();
            open.due.iter().map(|due| Line::of_due(due, &at)).try_for_each(&mut each)?;
        }
        let unnoticed_keys = kept.unnoticed(&checked);
        let Checked { sound, fault, .. } = checked;
        let mut missing = looked.missing;
        if open.as_ref().is_some_and(|open| open.is_behind) {
            missing.push(
                "what was sent since the mirror was read: some of what is told as open may be done \
                 (`crm mirror update`)"
                    .to_owned(),
            );
        }
        if open.is_none() {
            missing.push(
                "there is no mirror, so who still receives marketing is not known: `crm mirror \
                 update`"
                    .to_owned(),
            );
        }
        Ok(Self {
            made,
            ledger: report,
            sound,
            fault: fault.map(|fault| fault.to_string()),
            unnoticed_keys,
            turned_off,
            other_kinds,
            earlier,
            sets: looked.sets,
            open,
            missing,
        })
    }

    /// That wishes count by the day on which they came into the ledger, where that makes a difference.
    pub(super) fn other_days(&self) -> Option<String> {
        let Report { received_on_other_days: received, taken_in_on_other_days: taken_in, .. } =
            &self.ledger;
        (received + taken_in > 0).then(|| {
            format!(
                "wishes count on the day on which they came into the ledger: {received} of these were \
                 received on other days or nobody knows when, and {taken_in} that were received on these \
                 days came in on others"
            )
        })
    }

    /// Whether something speaks against whoever had to heed the wishes.
    pub(super) fn is_bad(&self) -> bool {
        let open = self.open.as_ref().is_some_and(|open| open.late > 0);
        let mut off = [&self.turned_off, &self.other_kinds].into_iter();
        let is_late = open || off.any(|off| off.late > 0 || off.not_shown > 0);
        self.fault.is_some() || self.unnoticed_keys > 0 || is_late
    }
}

impl Earlier {
    /// Counts what was late in a time that a wish to be written to has ended, and returns its line.
    fn count(&mut self, judged: &Judgement, days: &Days, copy: OfCopy<'_>) -> Option<Line> {
        let breach = judged.ended.as_ref().filter(|breach| is_in(days, breach.until))?;
        self.late += 1;
        self.not_shown += u64::from(!breach.is_shown);
        self.most_days_late = self.most_days_late.max(breach.days_late);
        Some(Line::of_breach("late-until-start", breach, copy))
    }
}

impl Punctual {
    /// Counts how a copy was turned off, or that it was late until it went, and returns its line. What
    /// was late in a time that a wish to be written to has ended is not counted here.
    fn count(&mut self, judged: &Judgement, days: &Days, copy: OfCopy<'_>) -> Option<Line> {
        if judged.ended.is_some() {
            return None;
        }
        let off = judged.turned_off();
        if let Some(breach) = judged.until_gone.as_ref().filter(|_| off.is_none_or(is_punctual)) {
            return self.count_gone(breach, days, copy);
        }
        let off = off.filter(|off| is_in(days, off.at))?;
        match off.verdict {
            CopyVerdict::InTime => self.in_time += 1,
            CopyVerdict::WishUndated => self.wish_undated += 1,
            CopyVerdict::NotShown => self.not_shown += 1,
            _ => self.count_late(off.days_late),
        }
        let other = judged.clock.as_ref().and_then(|clock| clock.otherwise.as_ref());
        self.policies_differ += u64::from(other.is_some());
        Some(Line::of_off(&off, judged.clock.as_ref(), copy))
    }

    fn count_gone(&mut self, breach: &Breach, days: &Days, copy: OfCopy<'_>) -> Option<Line> {
        if !is_in(days, breach.until) {
            return None;
        }
        if !breach.is_shown {
            self.not_shown += 1;
            return Some(Line::of_breach("not-shown-until-gone", breach, copy));
        }
        self.late_until_gone += 1;
        self.count_late(breach.days_late);
        Some(Line::of_breach("late-until-gone", breach, copy))
    }

    fn count_late(&mut self, days: u32) {
        self.late += 1;
        let range = RANGES.iter().position(|last| days <= *last);
        self.late_by[range.unwrap_or(RANGES.len())] += 1;
        self.most_days_late = self.most_days_late.max(days);
    }

    /// Counts what was turned off without a wish that counted then, and returns its line.
    fn count_without_wish(
        &mut self,
        off: TurnedOff,
        clocks: &Clocks<'_>,
    ) -> Result<Option<Line>, ConsentError> {
        match &off.value {
            None => self.value_unknown += 1,
            Some(value) if is_wished(clocks, value, &off)? => return Ok(None),
            Some(value) if clocks.taken_back(value, &off.at)?.is_some() => self.taken_back += 1,
            Some(_) => self.without_wish += 1,
        }
        Ok(Some(Line::of_turned_off(off)))
    }

    /// How late the late ones were, for people.
    pub(super) fn ranges(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let words = ["1 to 5 days", "6 to 10 days", "11 to 30 days", "more than 30 days"];
        words.into_iter().zip(self.late_by).filter(|(_, count)| *count > 0)
    }
}

/// Whether a wish to be left alone counted when something was turned off.
fn is_wished(clocks: &Clocks<'_>, value: &str, off: &TurnedOff) -> Result<bool, ConsentError> {
    let clock = clocks.of((value, Scope::Marketing), off.created.as_deref(), &off.at)?;
    Ok(clock.is_some())
}

fn is_in(days: &Days, at: Timestamp) -> bool {
    days.has(&at.to_string())
}

fn is_punctual(off: Off) -> bool {
    off.days_late == 0
}
