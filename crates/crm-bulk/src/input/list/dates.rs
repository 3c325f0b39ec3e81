//! Dates as people write them.

use std::fmt;

use jiff::{
    civil::{Date, DateTime, Time},
    tz::Offset,
};

/// Which of two numbers is the month in a date that does not show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DateOrder {
    /// The month comes first, as in the United States.
    Mdy,
    /// The day comes first.
    Dmy,
}

impl DateOrder {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Mdy => "mdy",
            Self::Dmy => "dmy",
        }
    }

    pub(crate) fn named(name: Option<&str>) -> Self {
        match name {
            Some("dmy") => Self::Dmy,
            _ => Self::Mdy,
        }
    }
}

/// When something happened, as exactly as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    day: Date,
    time: Option<Time>,
    /// Where the text names it; a column mostly has one zone and does not say which.
    offset: Option<Offset>,
}

/// ISO 8601, with what is known: `2026-11-23`, `2026-11-23T10:30:00`, `2026-11-23T10:30:00-05:00`.
impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.day)?;
        if let Some(time) = self.time {
            write!(f, "T{}", time.strftime("%H:%M:%S"))?;
            if let Some(offset) = self.offset {
                let (sign, minutes) = (offset.seconds() < 0, offset.seconds().abs() / 60);
                let sign = if sign { '-' } else { '+' };
                write!(f, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)?;
            }
        }
        Ok(())
    }
}

impl Moment {
    pub(crate) fn new(day: Date, text: &str) -> Self {
        Self { day, time: time(text), offset: offset(text) }
    }

    /// The first moment at which it can have happened.
    pub(crate) fn earliest(self) -> DateTime {
        self.day.to_datetime(self.time.unwrap_or(Time::MIN))
    }

    /// The last moment at which it can have happened.
    pub(crate) fn latest(self) -> DateTime {
        self.day.to_datetime(self.time.unwrap_or(Time::MAX))
    }
}

/// What a column of dates allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Orders {
    /// Only this order, or no order is needed.
    One(DateOrder),
    /// Each date can be read in both orders, and it makes a difference.
    Both,
}

/// The orders in which each date of a column can be read, as far as its cells have been seen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Allowed {
    mdy: bool,
    dmy: bool,
}

impl Default for Allowed {
    fn default() -> Self {
        Self { mdy: true, dmy: true }
    }
}

impl Allowed {
    /// Looks at one more cell.
    pub(super) fn add(&mut self, cell: &str, today: Date) {
        if is_ambiguous_form(cell) {
            self.mdy = self.mdy && read(cell, DateOrder::Mdy, today).is_ok();
            self.dmy = self.dmy && read(cell, DateOrder::Dmy, today).is_ok();
        }
    }

    /// What both columns allow.
    pub(super) fn and(self, other: Self) -> Self {
        Self { mdy: self.mdy && other.mdy, dmy: self.dmy && other.dmy }
    }

    /// The order that all dates allow.
    pub(super) fn orders(self) -> Orders {
        match (self.mdy, self.dmy) {
            (true, false) => Orders::One(DateOrder::Mdy),
            (false, true) => Orders::One(DateOrder::Dmy),
            _ => Orders::Both,
        }
    }
}

/// The earliest year in which a wish from today's tools can have been received.
const FIRST_YEAR: i16 = 1995;

/// Reads a date in this order, whatever follows it as its time.
///
/// # Errors
///
/// Returns what is wrong with the date.
pub(crate) fn read(text: &str, order: DateOrder, today: Date) -> Result<Date, &'static str> {
    let date = parse(text.trim(), order).ok_or("is not a date; write it like 2026-11-23")?;
    // In the easternmost time zones it is tomorrow already.
    let latest = today.tomorrow().unwrap_or(today);
    if date.year() >= FIRST_YEAR && date <= latest {
        Ok(date)
    } else {
        Err("is not a date on which a wish can have come in; write it like 2026-11-23")
    }
}

/// Reads a date of a column that allows these orders.
pub(super) fn read_in(text: &str, orders: Orders, today: Date) -> Result<Date, &'static str> {
    match orders {
        Orders::One(order) => read(text, order, today),
        Orders::Both => {
            let (one, other) =
                (read(text, DateOrder::Mdy, today), read(text, DateOrder::Dmy, today));
            match (one, other) {
                (Ok(one), Ok(other)) if one != other => {
                    Err("can be read in two ways; say which number is the month: --dates mdy or \
                     --dates dmy")
                }
                (Ok(date), _) | (_, Ok(date)) => Ok(date),
                (Err(error), Err(_)) => Err(error),
            }
        }
    }
}

/// Whether the form of a date leaves open which number is the month.
fn is_ambiguous_form(text: &str) -> bool {
    let text = text.trim();
    // Hardly any cell of a list is a date, and all are asked.
    let begins = text.find(['/', '.', '-']).is_some_and(|at| (1..=2).contains(&at));
    if !begins {
        return false;
    }
    let (day, _) = split(text);
    let groups: Vec<_> = day.split(['/', '.', '-']).collect();
    groups.len() == 3 && groups.iter().all(|group| is_digits(group))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// The date, and the time after it.
fn split(text: &str) -> (&str, &str) {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let time = text.char_indices().find(|(at, c)| {
        let behind = &text[at + c.len_utf8()..];
        let begins_time = digits(behind) >= 1 && behind[digits(behind)..].starts_with(':');
        // As in `20110122T111244`.
        (matches!(c, ' ' | 'T' | ',') && begins_time)
            || (*c == 'T' && *at == 8 && digits(text) == 8)
    });
    match time {
        Some((at, _)) => (text[..at].trim_end_matches([' ', ',']), &text[at + 1..]),
        None => (text, ""),
    }
}

fn parse(text: &str, order: DateOrder) -> Option<Date> {
    if is_digits(text) && (text.len() == 10 || text.len() == 13) {
        // Seconds or milliseconds since 1970.
        let seconds = text[..10].parse().ok()?;
        let moment = jiff::Timestamp::from_second(seconds).ok()?;
        return Some(jiff::tz::Offset::UTC.to_datetime(moment).date());
    }
    let (day, _) = split(text);
    if is_digits(day) && day.len() == 8 {
        return Date::strptime("%Y%m%d", day).ok();
    }
    let groups: Vec<_> =
        day.split(['/', '.', '-', ' ', ',']).filter(|group| !group.is_empty()).collect();
    let [a, b, c] = groups[..] else {
        return None;
    };
    let number = |text: &str| is_digits(text).then(|| text.parse::<i8>().ok()).flatten();
    let (year, month, day) = if is_digits(a) && a.len() == 4 {
        (year(a)?, month_named(b).or(number(b))?, number(c)?)
    } else if let Some(month) = month_named(b) {
        (year(c)?, month, number(a)?)
    } else if let Some(month) = month_named(a) {
        (year(c)?, month, number(b)?)
    } else {
        match order {
            DateOrder::Mdy => (year(c)?, number(a)?, number(b)?),
            DateOrder::Dmy => (year(c)?, number(b)?, number(a)?),
        }
    };
    Date::new(year, month, day).ok()
}

/// The time after a date, whatever its zone: a column has only one.
fn time(text: &str) -> Option<Time> {
    let (day, time) = split(text.trim());
    if time.is_empty() && is_digits(day) && day.len() >= 10 {
        let moment = jiff::Timestamp::from_second(day[..10].parse().ok()?).ok()?;
        return Some(jiff::tz::Offset::UTC.to_datetime(moment).time());
    }
    let time = time.to_ascii_lowercase();
    let digits = time.split(|c: char| !c.is_ascii_digit());
    let groups: Vec<_> = digits.filter(|group| !group.is_empty()).collect();
    let compact = (groups.first()).filter(|first| first.len() == 6 && first.is_ascii());
    let (hour, minute, second) = match (compact, groups.as_slice()) {
        (Some(all), _) => (&all[..2], &all[2..4], &all[4..]),
        (None, [hour, minute, second, ..]) if time.matches(':').count() >= 2 => {
            (*hour, *minute, *second)
        }
        (None, [hour, minute, ..]) => (*hour, *minute, "0"),
        _ => return None,
    };
    let hour: i8 = hour.parse().ok()?;
    let hour = match (time.contains("pm"), time.contains("am")) {
        (true, _) => hour % 12 + 12,
        (_, true) => hour % 12,
        _ => hour,
    };
    Time::new(hour, minute.parse().ok()?, second.parse().ok()?, 0).ok()
}

/// The zone that a text names by its distance from UTC. Seconds since 1970 are in UTC.
fn offset(text: &str) -> Option<Offset> {
    let (day, time) = split(text.trim());
    if time.is_empty() {
        return (is_digits(day) && day.len() >= 10).then_some(Offset::UTC);
    }
    let time = time.trim().to_ascii_lowercase();
    if ["z", "utc", "gmt"].iter().any(|zone| time.ends_with(zone)) {
        return Some(Offset::UTC);
    }
    let (at, sign) = time.char_indices().rev().find(|(_, c)| matches!(c, '+' | '-'))?;
    let distance: String = time[at + 1..].chars().filter(|c| *c != ':').collect();
    if !is_digits(&distance) || !matches!(distance.len(), 2 | 4) {
        return None;
    }
    let hours: i32 = distance[..2].parse().ok()?;
    let minutes: i32 = if distance.len() == 4 { distance[2..].parse().ok()? } else { 0 };
    let seconds = (hours * 60 + minutes) * 60;
    Offset::from_seconds(if sign == '-' { -seconds } else { seconds }).ok()
}

/// A year of four digits, or of two in this century.
fn year(text: &str) -> Option<i16> {
    let year = is_digits(text).then(|| text.parse::<i16>().ok()).flatten()?;
    match text.len() {
        4 => Some(year),
        2 => Some(2_000 + year),
        _ => None,
    }
}

fn month_named(text: &str) -> Option<i8> {
    const MONTHS: [&str; 12] =
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let text = text.to_ascii_lowercase();
    let known = MONTHS.iter().position(|month| text.starts_with(month))?;
    i8::try_from(known + 1).ok()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    const TODAY: Date = date(2026, 11, 28);

    #[test]
    fn a_date_is_read_however_people_write_it() {
        for text in [
            "2026-11-23",
            "2026-11-23 10:30:00",
            "2026-11-23T10:30:00Z",
            "2026/11/23",
            "20261123",
            "20261123T111244",
            "11/23/2026",
            "11/23/26",
            "11/23/2026 9:05 AM",
            "11-23-2026",
            "23-Nov-26",
            "23 November 2026",
            "Nov 23, 2026",
            "Nov 23, 2026, 9:05",
            "1795430400",
            "1795430400000",
        ] {
            assert_eq!(read(text, DateOrder::Mdy, TODAY), Ok(date(2026, 11, 23)), "{text}");
        }
        assert_eq!(read("23.11.2026", DateOrder::Dmy, TODAY), Ok(date(2026, 11, 23)));
        for text in [
            "2226-11-23",
            "11/23/0026",
            "1926-11-23",
            "2026-12-24",
            "2026-02-30",
            "soon",
            "11/2026",
            "1/1/226",
        ] {
            assert!(read(text, DateOrder::Mdy, TODAY).is_err(), "{text}");
        }
    }

    #[test]
    fn a_time_is_read_however_people_write_it_and_a_day_without_one_is_all_of_it() {
        let moment = |text| Moment::new(date(2026, 11, 23), text);
        for text in [
            "2026-11-23 15:05",
            "2026-11-23T15:05:00Z",
            "2026-11-23T15:05:00.123+02:00",
            "11/23/2026 3:05 PM",
            "Nov 23, 2026, 3:05pm",
            "20261123T150500",
            "1795446300",
        ] {
            let at = date(2026, 11, 23).at(15, 5, 0, 0);
            assert_eq!((moment(text).earliest(), moment(text).latest()), (at, at), "{text}");
        }
        assert_eq!(moment("11/23/2026 12:05 AM").latest(), date(2026, 11, 23).at(0, 5, 0, 0));
        let whole = moment("2026-11-23");
        assert!(whole.earliest() < moment("2026-11-23 0:01").earliest());
        assert!(whole.latest() > moment("2026-11-23 23:59").latest());
    }

    #[test]
    fn a_moment_is_told_as_exactly_as_it_was_written() {
        for (text, told) in [
            ("2026-11-23", "2026-11-23"),
            ("11/23/2026 3:05 PM", "2026-11-23T15:05:00"),
            ("2026-11-23T15:05:00Z", "2026-11-23T15:05:00+00:00"),
            ("2026-11-23T15:05:00.123-0500", "2026-11-23T15:05:00-05:00"),
            ("2026-11-23 15:05:00 +05:30", "2026-11-23T15:05:00+05:30"),
            ("20261123T150500", "2026-11-23T15:05:00"),
            ("1795446300", "2026-11-23T15:05:00+00:00"),
        ] {
            assert_eq!(Moment::new(date(2026, 11, 23), text).to_string(), told, "{text}");
        }
    }

    #[test]
    fn the_dates_of_a_column_say_which_number_is_the_month() {
        let orders = |cells: &[&str]| {
            let mut allowed = Allowed::default();
            cells.iter().for_each(|cell| allowed.add(cell, TODAY));
            allowed.orders()
        };
        assert_eq!(orders(&["03/11/2026", "23/11/2026"]), Orders::One(DateOrder::Dmy));
        assert_eq!(orders(&["03/11/2026", "11/23/2026"]), Orders::One(DateOrder::Mdy));
        assert_eq!(orders(&["03/11/2026", "04/10/2026"]), Orders::Both);
        assert_eq!(orders(&["13/11/2026", "11/13/2026"]), Orders::Both);
        assert!(read_in("03/11/2026", Orders::Both, TODAY).is_err());
        assert_eq!(read_in("11/11/2026", Orders::Both, TODAY), Ok(date(2026, 11, 11)));
        assert_eq!(read_in("23/11/2026", Orders::Both, TODAY), Ok(date(2026, 11, 23)));
    }
}
