//! What the law asks for, as data: deadlines, holidays, and from which day a wish counts for all.

mod calendar;

use std::sync::LazyLock;

use crm_models::Preference;
use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};
use serde::{Deserialize, Serialize};

pub use self::calendar::DayOff;
use self::calendar::Holiday;
use crate::{error::ConsentError, hash::Sha, wish::Scope};

/// The rules by which wishes are counted and deadlines computed, as a text of TOML that can be
/// changed without a new version of this crate.
///
/// The default is that of the United States and names its sources and its date. It is no legal
/// advice: have somebody who may give it look at it.
///
/// ```
/// use crm_consent::Policy;
///
/// let policy = Policy::default();
/// assert_eq!(policy.time_zone(), "America/New_York");
/// // Thanksgiving and two weekends lie between.
/// assert_eq!(policy.deadline("2026-11-23")?, "2026-12-08");
/// # Ok::<(), crm_consent::ConsentError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Policy {
    text: String,
    sha256: Sha,
    rules: Rules,
    zone: TimeZone,
    /// What is turned off for all kinds of messages.
    all_kinds: Vec<Preference>,
}

/// The members of the text.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Rules {
    name: String,
    as_of: Date,
    sources: Vec<String>,
    time_zone: String,
    deadline: Deadline,
    all_kinds: AllKinds,
    #[serde(default)]
    holidays: Vec<Holiday>,
}

#[derive(Debug, Clone, Copy, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Deadline {
    /// How many business days after the day on which a wish was received.
    business_days: u16,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct AllKinds {
    /// The day from which a wish that is received counts for all kinds of messages.
    from: Date,
    /// The preferences of contacts that are turned off for all kinds; one that is older than this
    /// member turns off marketing alone.
    #[serde(default = "marketing")]
    turns_off: Vec<String>,
}

fn marketing() -> Vec<String> {
    vec![Preference::MarketingUpdates.option().to_owned()]
}

/// The policy that holds until another one is set.
const DEFAULT: &str = include_str!("default.toml");

impl Default for Policy {
    fn default() -> Self {
        // Read once: a guard asks for it at each change.
        static READ: LazyLock<Policy> = LazyLock::new(|| {
            // A test reads it, and it is part of this crate.
            Policy::read(DEFAULT).unwrap_or_else(|error| unreachable!("{error}"))
        });
        READ.clone()
    }
}

impl Policy {
    /// Reads a policy from its text.
    ///
    /// # Errors
    ///
    /// Returns [`ConsentError::Policy`] for a text that is none.
    pub fn read(text: &str) -> Result<Self, ConsentError> {
        let wrong = |error: String| ConsentError::Policy(error.trim().replace('\n', " "));
        let rules: Rules = toml::from_str(text).map_err(|error| wrong(error.to_string()))?;
        let zone = TimeZone::get(&rules.time_zone).map_err(|error| wrong(error.to_string()))?;
        rules.holidays.iter().try_for_each(Holiday::check).map_err(wrong)?;
        if rules.sources.is_empty() {
            return Err(wrong("it names no source".to_owned()));
        }
        let all_kinds = rules.all_kinds.turns_off.iter().map(|name| preference(name));
        let all_kinds = all_kinds.collect::<Result<_, _>>().map_err(wrong)?;
        let sha256 = Sha::of(text.as_bytes());
        Ok(Self { text: text.to_owned(), sha256, rules, zone, all_kinds })
    }

    /// Returns the text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the SHA-256 of the text, which names the policy.
    #[must_use]
    pub fn sha256(&self) -> Sha {
        self.sha256
    }

    /// Returns what it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.rules.name
    }

    /// Returns the name of the tenant's time zone.
    #[must_use]
    pub fn time_zone(&self) -> &str {
        &self.rules.time_zone
    }

    pub(crate) fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The day of a moment.
    pub(crate) fn day(&self, at: Timestamp) -> Date {
        self.zone.to_datetime(at).date()
    }

    /// When a day begins; none beyond the calendar.
    pub(crate) fn begins(&self, day: Date) -> Option<Timestamp> {
        self.zone.to_timestamp(day.at(0, 0, 0, 0)).ok()
    }

    /// The day as of which it says what the law is.
    pub(crate) fn as_of(&self) -> Date {
        self.rules.as_of
    }

    pub(crate) fn sources(&self) -> &[String] {
        &self.rules.sources
    }

    pub(crate) fn business_days(&self) -> u16 {
        self.rules.deadline.business_days
    }

    /// The day from which a wish counts for all kinds.
    pub(crate) fn all_kinds_from(&self) -> Date {
        self.rules.all_kinds.from
    }

    /// Returns the preferences of contacts that are turned off for somebody who wishes no messages of
    /// these kinds.
    ///
    /// ```
    /// use crm_consent::{Policy, Scope};
    /// use crm_models::Preference;
    ///
    /// let policy = Policy::default();
    /// let off = policy.turns_off(Scope::All);
    /// assert!(!off.contains(&Preference::Invoices) && !off.contains(&Preference::Statements));
    /// ```
    #[must_use]
    pub fn turns_off(&self, scope: Scope) -> &[Preference] {
        match scope {
            Scope::Marketing => &[Preference::MarketingUpdates],
            Scope::All => &self.all_kinds,
        }
    }

    /// What a wish for all kinds of messages turns off besides marketing, of which one for marketing alone
    /// may count as well.
    pub(crate) fn other_kinds(&self) -> impl Iterator<Item = Preference> {
        let all = self.turns_off(Scope::All).iter().copied();
        all.filter(|preference| Scope::of(*preference) == Scope::All)
    }

    /// Returns the last day on which a wish is honoured in time that was received on this day.
    ///
    /// # Errors
    ///
    /// Returns [`ConsentError::Moment`] for a text that is no day.
    pub fn deadline(&self, received: &str) -> Result<String, ConsentError> {
        let day = received.parse::<Date>().ok();
        let last = day.and_then(|day| self.last_day(day)).ok_or_else(|| ConsentError::Moment {
            text: received.to_owned(),
            reason: "is not a day; write it like 2026-11-23",
        })?;
        Ok(last.to_string())
    }

    /// The last day in time of what came in on this day; none beyond the calendar.
    pub(crate) fn last_day(&self, received: Date) -> Option<Date> {
        let mut day = received;
        let mut left = self.rules.deadline.business_days;
        while left > 0 {
            day = day.tomorrow().ok()?;
            left -= u16::from(calendar::is_business_day(day, &self.rules.holidays));
        }
        Some(day)
    }

    /// The holidays after one day and up to another, without those of which nobody works anyway.
    pub(crate) fn days_off(&self, after: Date, last: Date) -> Vec<DayOff> {
        let days = after.series(1.day()).skip(1).take_while(|day| *day <= last);
        days.filter_map(|day| calendar::day_off(day, &self.rules.holidays)).collect()
    }
}

fn preference(name: &str) -> Result<Preference, String> {
    let known = || Preference::SETTABLE.into_iter();
    known().find(|known| known.option() == name).ok_or_else(|| {
        let known: Vec<_> = known().map(Preference::option).collect();
        format!("`{name}` is no preference; there are {}", known.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deadlines_leave_out_weekends_and_holidays_also_where_they_are_observed() {
        let policy = Policy::default();
        for (received, last) in [
            // No holiday: two weeks.
            ("2026-03-02", "2026-03-16"),
            // On a Saturday: counted from Monday.
            ("2026-03-07", "2026-03-20"),
            // Independence Day 2026 is a Saturday, observed on Friday the 3rd.
            ("2026-06-26", "2026-07-13"),
            // Juneteenth 2027 is a Saturday, observed on the 18th.
            ("2027-06-14", "2027-06-29"),
            // Christmas, and New Year's Day 2028, a Saturday, which is observed in the year before.
            ("2027-12-17", "2028-01-04"),
            // Memorial Day is the last Monday of May, the fifth in 2027.
            ("2027-05-24", "2027-06-08"),
            ("2024-02-28", "2024-03-13"),
        ] {
            assert_eq!(policy.deadline(received).unwrap(), last, "{received}");
        }
        assert!(policy.deadline("tomorrow").is_err());
    }

    #[test]
    fn all_kinds_are_what_the_policy_says_and_by_an_older_one_marketing_alone() {
        let member = "turns-off = [\"marketing-updates\", \"job-reminders\"]";
        assert!(DEFAULT.contains(member));
        let off = |text: &str| Policy::read(text).unwrap().turns_off(Scope::All).to_vec();
        assert_eq!(off(DEFAULT), [Preference::MarketingUpdates, Preference::JobReminders]);
        assert_eq!(off(&DEFAULT.replace(member, "")), [Preference::MarketingUpdates]);
        let all = "turns-off = [\"invoices\"]";
        assert_eq!(off(&DEFAULT.replace(member, all)), [Preference::Invoices]);
    }

    #[test]
    fn a_policy_that_cannot_be_used_is_refused_with_the_reason() {
        let changed = |from: &str, to: &str| {
            assert!(DEFAULT.contains(from), "{from}");
            Policy::read(&DEFAULT.replacen(from, to, 1)).unwrap_err().to_string()
        };
        assert!(changed("America/New_York", "America/Nowhere").contains("Nowhere"));
        assert!(changed("business-days", "days").contains("days"));
        assert!(changed("weekday = \"monday\"", "weekday = \"moonday\"").contains("moonday"));
        assert!(changed("day = 25", "day = 32").contains("Christmas"));
        assert!(changed("\"job-reminders\"", "\"reminders\"").contains("job-reminders"));
        assert_ne!(Policy::default().sha256(), Sha::of(b""));
    }
}
