//! By when a copy of a number or an address has to receive no marketing.

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde::Serialize;

use crate::{
    error::ConsentError,
    ledger::Ledger,
    policy::Policy,
    standing::{Heard, first_of_run},
    wish::Scope,
};

/// By when one copy of a number or an address has to receive no marketing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Clock {
    /// The record of the wish that set it going.
    pub record: u64,
    /// The day from which it counts.
    pub from: String,
    /// Whether that is the day on which the copy was created, since it is younger than the wish.
    pub of_copy: bool,
    /// The last day in time.
    pub last_day: String,
    #[serde(skip)]
    first: Date,
    #[serde(skip)]
    last: Date,
    #[serde(skip)]
    zone: TimeZone,
}

impl Clock {
    /// Returns whether it runs at a moment, written as RFC 3339: from the beginning of its first day.
    #[must_use]
    pub fn has_begun(&self, at: &str) -> bool {
        let at = at.parse::<Timestamp>();
        at.is_ok_and(|at| self.zone.to_datetime(at).date() >= self.first)
    }

    /// Returns by how many days a moment, written as RFC 3339, is too late: 0 on the last day and
    /// before. `None` for a text that is no moment.
    #[must_use]
    pub fn days_late(&self, at: &str) -> Option<u32> {
        let at: Timestamp = at.parse().ok()?;
        let late = (self.zone.to_datetime(at).date() - self.last).get_days();
        Some(late.max(0).unsigned_abs())
    }
}

/// The clocks of copies by the policy that holds, returned by [`Ledger::clocks`].
#[derive(Debug)]
pub struct Clocks<'l> {
    ledger: &'l Ledger,
    policy: Policy,
}

impl Ledger {
    /// Returns what tells by when copies have to receive no marketing, by the policy that holds.
    ///
    /// # Errors
    ///
    /// Returns errors for a file that cannot be read.
    pub fn clocks(&self) -> Result<Clocks<'_>, ConsentError> {
        Ok(Clocks { ledger: self, policy: self.policy()? })
    }
}

impl Clocks<'_> {
    /// Returns the clock of a copy that was created at a moment, by the wishes that had been
    /// received by another; both are written as RFC 3339. `None` where nobody had wished to be left
    /// alone by then.
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
        value: &str,
        created: Option<&str>,
        by: &str,
    ) -> Result<Option<Clock>, ConsentError> {
        let by = moment(by)?;
        let created = created.map(moment).transpose()?;
        let mut heard = self.ledger.of_key(&self.ledger.keys(value).key)?;
        heard.retain(|heard| heard.begins() <= by);
        let first = first_of_run(&heard, Scope::Marketing, &self.policy);
        Ok(first.and_then(|first| self.of_copy(first, created)))
    }

    fn of_copy(&self, first: &Heard, created: Option<Timestamp>) -> Option<Clock> {
        let running = Running { begins: first.begins(), latest: first.latest() };
        let (from, created) = running.from(created);
        let zone = self.policy.zone();
        let from = zone.to_datetime(from).date();
        let last = self.policy.last_day(from)?;
        Some(Clock {
            record: first.record,
            from: from.to_string(),
            of_copy: created.is_some(),
            last_day: last.to_string(),
            first: from,
            last,
            zone: zone.clone(),
        })
    }
}

/// Since when the time of a wish runs, and until when it can have been received.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Running {
    pub(crate) begins: Timestamp,
    pub(crate) latest: Timestamp,
}

impl Running {
    /// From when it counts for a copy, and since when that is there, if it is younger than the wish.
    pub(crate) fn from(self, created: Option<Timestamp>) -> (Timestamp, Option<Timestamp>) {
        let created = created.filter(|created| *created > self.latest);
        (created.unwrap_or(self.begins), created)
    }
}

fn moment(text: &str) -> Result<Timestamp, ConsentError> {
    text.parse().map_err(|_| ConsentError::Moment {
        text: text.to_owned(),
        reason: "is not a moment; write it like 2026-11-23T10:30:00Z",
    })
}
