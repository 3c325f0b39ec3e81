//! Business days.

use jiff::civil::{Date, Weekday};
use serde::{Deserialize, Serialize};

/// A day of each year on which no business is done: always the same day of its month, which is
/// observed on Friday or Monday if it falls on a weekend; or the third Monday and the like, of which
/// the last one is -1.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Holiday {
    name: String,
    month: i8,
    day: Option<i8>,
    weekday: Option<Name>,
    nth: Option<i8>,
}

#[derive(Debug, Clone, Copy, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
enum Name {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

impl Name {
    fn weekday(self) -> Weekday {
        match self {
            Self::Monday => Weekday::Monday,
            Self::Tuesday => Weekday::Tuesday,
            Self::Wednesday => Weekday::Wednesday,
            Self::Thursday => Weekday::Thursday,
            Self::Friday => Weekday::Friday,
            Self::Saturday => Weekday::Saturday,
            Self::Sunday => Weekday::Sunday,
        }
    }
}

impl Holiday {
    /// Refuses a day that no year has.
    pub(super) fn check(&self) -> Result<(), String> {
        // A leap year has every day that there is.
        self.observed(2028).map(drop).ok_or_else(|| format!("no year has the day of {}", self.name))
    }

    /// The day on which it is observed in a year.
    fn observed(&self, year: i16) -> Option<Date> {
        let day = match (self.day, self.weekday, self.nth) {
            (Some(day), None, None) => Date::new(year, self.month, day).ok()?,
            (None, Some(weekday), Some(nth)) => {
                let month = Date::new(year, self.month, 1).ok()?;
                return month.nth_weekday_of_month(nth, weekday.weekday()).ok();
            }
            _ => return None,
        };
        match day.weekday() {
            Weekday::Saturday => day.yesterday().ok(),
            Weekday::Sunday => day.tomorrow().ok(),
            _ => Some(day),
        }
    }
}

/// A holiday on a day on which business would be done otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DayOff {
    /// The day on which it is observed.
    pub day: String,
    /// What it is called.
    pub name: String,
}

pub(super) fn is_business_day(day: Date, holidays: &[Holiday]) -> bool {
    !is_weekend(day) && holiday(day, holidays).is_none()
}

/// The holiday of a day that is not one of a weekend.
pub(super) fn day_off(day: Date, holidays: &[Holiday]) -> Option<DayOff> {
    let holiday = holiday(day, holidays).filter(|_| !is_weekend(day))?;
    Some(DayOff { day: day.to_string(), name: holiday.name.clone() })
}

fn is_weekend(day: Date) -> bool {
    matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
}

fn holiday(day: Date, holidays: &[Holiday]) -> Option<&Holiday> {
    // It is observed on its day, or the day before or after. That of the first of January may be observed
    // in the year before.
    let near = [day.yesterday(), Ok(day), day.tomorrow()].map(|day| day.map(Date::month).ok());
    let years = [day.year(), day.year() + 1];
    let is = |holiday: &&Holiday| years.iter().any(|year| holiday.observed(*year) == Some(day));
    holidays.iter().filter(|holiday| near.contains(&Some(holiday.month))).find(is)
}
