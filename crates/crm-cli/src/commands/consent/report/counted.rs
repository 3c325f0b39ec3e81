//! What a report says, as data.

use crm_bulk::Site;
use crm_consent::{Checked, Clocks, ConsentError, Days, Ledger, Report};
use crm_models::Timestamp;
use crm_values::PhoneReader;
use serde::Serialize;

use super::line::Line;
use crate::{
    commands::consent::{against::Kept, made::Made, prove::Judged},
    desk::{Desk, SetTold, Sought, TurnedOff},
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
    pub(super) turned_off: Punctual,
    pub(super) earlier: Earlier,
    pub(super) sets: Vec<SetTold>,
    /// Who still receives something now, whatever the period is; none where there is no mirror.
    pub(super) open: Option<Open>,
    /// What could not be looked at, in one sentence each.
    pub(super) missing: Vec<String>,
}

/// How many copies of numbers and addresses were turned off, and how many of them in time.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Punctual {
    pub(super) in_time: u64,
    pub(super) late: u64,
    /// Of the late ones, how many were never turned off: they received marketing until they went, or
    /// got another number or address.
    pub(super) late_until_gone: u64,
    /// Of the late ones, how many by 1 to 5 days, 6 to 10, 11 to 30, and more.
    pub(super) late_by: [u64; 4],
    pub(super) most_days_late: u32,
    /// Of those in time and late, how many have another last day by one of the two policies that have
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
    pub(super) most_days_late: u32,
    /// Of how many another policy gives another last day, which is later.
    pub(super) policies_differ: u64,
    /// Of numbers that may be one that is out: a person has to look.
    pub(super) look_at: u64,
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
        let mut turned_off = Punctual::default();
        let looked = desk.each_turned_off(|off| {
            if !days.has(&off.at) {
                return Ok(false);
            }
            let line = turned_off.count(off, &clocks)?;
            let counts = line.is_some();
            line.map_or(Ok(()), &mut each)?;
            Ok::<_, CliError>(counts)
        })?;
        let earlier = Earlier::of(desk, &clocks, (days, made.made_at), &mut each)?;
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
            earlier,
            sets: looked.sets,
            open,
            missing,
        })
    }

    /// Whether something speaks against whoever had to heed the wishes.
    pub(super) fn is_bad(&self) -> bool {
        let open = self.open.as_ref().is_some_and(|open| open.late > 0);
        self.fault.is_some() || self.unnoticed_keys > 0 || self.turned_off.late > 0 || open
    }
}

impl Earlier {
    /// Counts them, and hands a line of each to `each`.
    fn of(
        desk: &Desk,
        clocks: &Clocks<'_>,
        (days, now): (&Days, Timestamp),
        mut each: impl FnMut(Line) -> Result<(), CliError>,
    ) -> Result<Self, CliError> {
        let mut counted = Self::default();
        let reader = PhoneReader::new(desk.region());
        for value in clocks.ended_late()? {
            let sought = Sought::read(&value, reader).map_err(ConsentError::from)?;
            for place in desk.places(sought)?.places {
                let periods = clocks.periods(&value, place.created.as_deref())?;
                for breach in Judged::of(&place.facts, &periods, now).earlier {
                    // What was turned off late is counted as that.
                    if breach.ended_by.is_none() || !days.has(&breach.until.to_string()) {
                        continue;
                    }
                    counted.late += 1;
                    counted.not_shown += u64::from(!breach.is_shown);
                    counted.most_days_late = counted.most_days_late.max(breach.days_late);
                    each(Line::of_breach(&breach, &place, &value))?;
                }
            }
        }
        Ok(counted)
    }
}

impl Punctual {
    /// Counts one, and returns its line; none for one that went in time.
    fn count(&mut self, off: TurnedOff, clocks: &Clocks<'_>) -> Result<Option<Line>, ConsentError> {
        let Some(value) = &off.value else {
            self.value_unknown += u64::from(!off.is_gone);
            return Ok((!off.is_gone).then(|| Line::of_turned_off(off, None, None)));
        };
        let clock = clocks.of(value, off.created.as_deref(), &off.at)?;
        let late = clock.as_ref().and_then(|clock| clock.days_late(&off.at));
        if off.is_gone && late.unwrap_or_default() == 0 {
            return Ok(None);
        }
        self.late_until_gone += u64::from(off.is_gone);
        let is_split = clock.as_ref().is_some_and(|clock| clock.otherwise.is_some());
        self.policies_differ += u64::from(is_split);
        match late {
            None if clocks.taken_back(value, &off.at)?.is_some() => self.taken_back += 1,
            None => self.without_wish += 1,
            Some(0) => self.in_time += 1,
            Some(days) => {
                self.late += 1;
                let range = RANGES.iter().position(|last| days <= *last);
                self.late_by[range.unwrap_or(RANGES.len())] += 1;
                self.most_days_late = self.most_days_late.max(days);
            }
        }
        Ok(Some(Line::of_turned_off(off, clock.as_ref(), late)))
    }

    /// How late the late ones were, for people.
    pub(super) fn ranges(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let words = ["1 to 5 days", "6 to 10 days", "11 to 30 days", "more than 30 days"];
        words.into_iter().zip(self.late_by).filter(|(_, count)| *count > 0)
    }
}
