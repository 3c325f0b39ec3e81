//! Dates as people write them.

use std::fmt;

use jiff::{
    SignedDuration,
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
    /// The day by the clock of whoever wrote it.
    pub(crate) fn day(self) -> Date {
        self.day
    }

    /// The first and the last moment at which each of two can have happened, in UTC where both name
    /// their distance from it.
    fn both(self, other: Self) -> [(DateTime, DateTime); 2] {
        let has_offsets = self.offset.is_some() && other.offset.is_some();
        [self, other].map(|moment| {
            let offset = moment.offset.filter(|_| has_offsets);
            let away =
                SignedDuration::from_secs(offset.map_or(0, |offset| offset.seconds().into()));
            let at = |at: DateTime| at.saturating_sub(away);
            (at(moment.earliest()), at(moment.latest()))
        })
    }

    /// Whether it was certainly before another one.
    pub(super) fn is_before(self, other: Self) -> bool {
        let [(_, last), (first, _)] = self.both(other);
        last < first
    }

    /// What two texts about one event say together; `None` if they are of different moments.
    pub(super) fn with(self, other: Self) -> Option<Self> {
        let [(first, last), (other_first, other_last)] = self.both(other);
        let exactness = |moment: Self| (moment.time.is_some(), moment.offset.is_some());
        let exact = if exactness(self) >= exactness(other) { self } else { other };
        (first <= other_last && other_first <= last).then_some(exact)
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
    pub(super) fn add(&mut self, cell: &str, now: DateTime) {
        if is_ambiguous_form(cell) {
            let (day, _) = split(cell.trim());
            let allows = |order| parse(day, order).is_some_and(|day| is_possible(day, now));
            self.mdy = self.mdy && allows(DateOrder::Mdy);
            self.dmy = self.dmy && allows(DateOrder::Dmy);
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

/// How far ahead the clock of whoever wrote a moment may be: in the easternmost time zones it is
/// tomorrow already.
const AHEAD: SignedDuration = SignedDuration::from_hours(24);

const IMPOSSIBLE: &str = "is not a date on which a wish can have come in; write it like 2026-11-23";

/// Whether a wish can have come in on this day.
fn is_possible(day: Date, now: DateTime) -> bool {
    day.year() >= FIRST_YEAR && day.at(0, 0, 0, 0) <= now.saturating_add(AHEAD)
}

/// Reads a date in this order, and the time after it. A text is read as a whole or not at all:
/// what is left over might say which moment is meant.
///
/// # Errors
///
/// Returns what is wrong with it.
pub(crate) fn read(text: &str, order: DateOrder, now: DateTime) -> Result<Moment, &'static str> {
    let text = text.trim();
    let moment = match since_1970(text) {
        Some(moment) => moment,
        None => {
            let (day, time) = split(text);
            let day = parse(day, order).ok_or("is not a date; write it like 2026-11-23")?;
            let clock = if time.is_empty() { None } else { Some(clock(time)?) };
            let time = clock.map(|(time, _)| time);
            Moment { day, time, offset: clock.and_then(|(_, offset)| offset) }
        }
    };
    let of_utc = moment.offset.map_or(0, |offset| offset.seconds().into());
    let earliest = moment.earliest().saturating_sub(SignedDuration::from_secs(of_utc));
    if is_possible(moment.day, now) && earliest <= now.saturating_add(AHEAD) {
        Ok(moment)
    } else {
        Err(IMPOSSIBLE)
    }
}

/// Reads a date of a column that allows these orders.
pub(super) fn read_in(text: &str, orders: Orders, now: DateTime) -> Result<Moment, &'static str> {
    match orders {
        Orders::One(order) => read(text, order, now),
        Orders::Both => {
            let (one, other) = (read(text, DateOrder::Mdy, now), read(text, DateOrder::Dmy, now));
            match (one, other) {
                (Ok(one), Ok(other)) if one != other => {
                    Err("can be read in two ways; say which number is the month: --dates mdy or \
                     --dates dmy")
                }
                (Ok(moment), _) | (_, Ok(moment)) => Ok(moment),
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

/// Seconds or milliseconds since 1970, in UTC.
fn since_1970(text: &str) -> Option<Moment> {
    if !is_digits(text) || (text.len() != 10 && text.len() != 13) {
        return None;
    }
    let moment = jiff::Timestamp::from_second(text[..10].parse().ok()?).ok()?;
    let at = Offset::UTC.to_datetime(moment);
    Some(Moment { day: at.date(), time: Some(at.time()), offset: Some(Offset::UTC) })
}

/// A day, without a time.
fn parse(day: &str, order: DateOrder) -> Option<Date> {
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

const UNREAD_TIME: &str = "has a time that cannot be read; write it like 2026-11-23 14:30:00";
const UNREAD_ZONE: &str =
    "has something after its time that cannot be read; write the distance from UTC, as -08:00";

/// The time after a date, and its distance from UTC where it names one. A column mostly has one
/// zone and does not say which.
fn clock(text: &str) -> Result<(Time, Option<Offset>), &'static str> {
    // Before `PM` there may be any of the blanks that Unicode has.
    let text: String = text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).collect();
    let text = text.trim().to_ascii_lowercase();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != ':').unwrap_or(text.len());
    let (time, mut rest) = text.split_at(end);
    let groups: Vec<_> = time.split(':').collect();
    let (hour, minute, second) = match groups[..] {
        [all] if all.len() == 6 => (&all[..2], &all[2..4], &all[4..]),
        [all] if all.len() == 4 => (&all[..2], &all[2..], "0"),
        [hour, minute] => (hour, minute, "0"),
        [hour, minute, second] => (hour, minute, second),
        _ => return Err(UNREAD_TIME),
    };
    if let Some(fraction) = rest.strip_prefix(['.', ',']) {
        let behind = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
        if behind.len() == fraction.len() {
            return Err(UNREAD_TIME);
        }
        rest = behind;
    }
    let (is_afternoon, rest) = half_of_day(rest.trim());
    let hour = hour.parse::<i8>().ok().and_then(|hour| match is_afternoon {
        None => Some(hour),
        Some(_) if hour > 12 => None,
        Some(true) => Some(hour % 12 + 12),
        Some(false) => Some(hour % 12),
    });
    let number = |text: &str| text.parse::<i8>().map_err(|_| UNREAD_TIME);
    let time = Time::new(hour.ok_or(UNREAD_TIME)?, number(minute)?, number(second)?, 0);
    let offset = match rest {
        "" => None,
        zone => Some(offset(zone).ok_or(UNREAD_ZONE)?),
    };
    Ok((time.map_err(|_| UNREAD_TIME)?, offset))
}

/// Whether a text begins with `p.m.` rather than `a.m.`, and what is behind it.
fn half_of_day(text: &str) -> (Option<bool>, &str) {
    const SPELLINGS: [(&str, bool); 8] = [
        ("a.m.", false),
        ("a. m.", false),
        ("am", false),
        ("a m", false),
        ("p.m.", true),
        ("p. m.", true),
        ("pm", true),
        ("p m", true),
    ];
    for (spelling, is_afternoon) in SPELLINGS {
        if let Some(rest) = text.strip_prefix(spelling)
            && !rest.starts_with(|c: char| c.is_alphanumeric())
        {
            return (Some(is_afternoon), rest.trim_start());
        }
    }
    (None, text)
}

/// The zones of the United States that RFC 5322 defines (section 4.3), with their distance from UTC
/// in hours. Any other name may mean several zones.
const ZONES: [(&str, i32); 11] = [
    ("z", 0),
    ("utc", 0),
    ("gmt", 0),
    ("edt", -4),
    ("est", -5),
    ("cdt", -5),
    ("cst", -6),
    ("mdt", -6),
    ("mst", -7),
    ("pdt", -7),
    ("pst", -8),
];

/// The distance from UTC that a whole text names: `-0800`, `UTC+2`, `EST`.
fn offset(zone: &str) -> Option<Offset> {
    if let Some((_, hours)) = ZONES.iter().find(|(name, _)| *name == zone) {
        return Offset::from_seconds(hours * 3_600).ok();
    }
    let of_utc = zone.strip_prefix("utc").or(zone.strip_prefix("gmt"));
    let distance = of_utc.map_or(zone, str::trim_start);
    let sign = if distance.starts_with('-') { -1 } else { 1 };
    let distance = distance.strip_prefix(['+', '-'])?;
    let (hours, minutes) = match distance.split_once(':') {
        Some((hours, minutes)) if minutes.len() == 2 => (hours, minutes),
        Some(_) => return None,
        None if distance.len() == 4 && is_digits(distance) => distance.split_at(2),
        None => (distance, "0"),
    };
    if !is_digits(hours) || hours.len() > 2 || !is_digits(minutes) {
        return None;
    }
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    let seconds = (hours * 60 + minutes) * 60;
    // No clock on Earth is further from UTC.
    let is_somewhere = minutes < 60 && seconds <= 14 * 3_600;
    is_somewhere.then(|| Offset::from_seconds(sign * seconds).ok()).flatten()
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

/// The month that a text names, whole or by its first letters: `Sept`.
fn month_named(text: &str) -> Option<i8> {
    const MONTHS: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let text = text.to_ascii_lowercase();
    let known = MONTHS.iter().position(|month| text.len() >= 3 && month.starts_with(&text))?;
    i8::try_from(known + 1).ok()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    const NOW: DateTime = date(2026, 11, 28).at(12, 0, 0, 0);

    fn read(text: &str, order: DateOrder) -> Result<Moment, &'static str> {
        super::read(text, order, NOW)
    }

    fn day(text: &str, order: DateOrder) -> Option<Date> {
        read(text, order).ok().map(Moment::day)
    }

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
            assert_eq!(day(text, DateOrder::Mdy), Some(date(2026, 11, 23)), "{text}");
        }
        assert_eq!(day("23.11.2026", DateOrder::Dmy), Some(date(2026, 11, 23)));
        for text in [
            "2226-11-23",
            "11/23/0026",
            "1926-11-23",
            "2026-12-24",
            "2026-02-30",
            "soon",
            "11/2026",
            "Novice 23, 2026",
            "2026-11-23 foo",
            "2026-11-29 12:30 UTC",
            "2026-11-29 06:00 -08:00",
            "2026-11-30",
            "1/1/226",
        ] {
            assert!(read(text, DateOrder::Mdy).is_err(), "{text}");
        }
    }

    #[test]
    fn a_time_is_read_however_people_write_it_and_a_day_without_one_is_all_of_it() {
        let moment = |text| read(text, DateOrder::Mdy).unwrap();
        for text in [
            "11/23/2026 3:05 p.m.",
            "11/23/2026 3:05:00 P. M.",
            "11/23/2026, 3:05:00\u{202f}PM",
            "11/23/2026 03:05 PM -08:00",
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
            ("2026-11-23 15:05 UTC", "2026-11-23T15:05:00+00:00"),
            ("2026-11-23 15:05:00.000 UTC+2", "2026-11-23T15:05:00+02:00"),
            ("2026-11-23 15:05 GMT-05:00", "2026-11-23T15:05:00-05:00"),
            ("11/23/2026 03:05 PM -08:00", "2026-11-23T15:05:00-08:00"),
            ("11/23/2026 3:05 p.m. PST", "2026-11-23T15:05:00-08:00"),
            ("11/23/2026 3:05 PM EDT", "2026-11-23T15:05:00-04:00"),
        ] {
            assert_eq!(read(text, DateOrder::Mdy).unwrap().to_string(), told, "{text}");
        }
    }

    #[test]
    fn a_moment_of_which_a_part_cannot_be_read_is_not_read_at_all() {
        for behind in [
            "CET",
            "JST",
            "IST",
            "BST",
            "XYZ",
            "AZ",
            "foo",
            "Pacific Time",
            "US/Pacific",
            "PM",
            "UTC+25",
            "UTC+2:5",
            "+02:75",
            "-08:00 or so",
            "to 2026-11-05",
            "- 16:00",
            ":",
            ".",
            "pmx",
            "\u{2212}08:00",
        ] {
            let text = format!("2026-11-23 14:00 {behind}");
            assert!(read(&text, DateOrder::Mdy).is_err(), "{text}");
            let text = format!("2026-11-23 14:00:00{behind}");
            assert!(read(&text, DateOrder::Mdy).is_err(), "{text}");
        }
        for text in ["2026-11-23 24:00", "2026-11-23 1:2:3:4", "20261123T11", "2026-11-23 10:60"] {
            assert!(read(text, DateOrder::Mdy).is_err(), "{text}");
        }
    }

    #[test]
    fn two_texts_about_one_event_are_of_one_moment_or_they_differ() {
        let with = |one, other| {
            let moment = |text| read(text, DateOrder::Mdy).unwrap();
            moment(one).with(moment(other)).map(|moment| moment.to_string())
        };
        for (one, other, both) in [
            ("2026-11-23", "11/23/2026", Some("2026-11-23")),
            ("2026-11-23", "2026-11-23 10:30", Some("2026-11-23T10:30:00")),
            ("2026-11-23 10:30", "2026-11-23 10:30 PST", Some("2026-11-23T10:30:00-08:00")),
            ("2026-11-23 10:30Z", "2026-11-23 02:30 PST", Some("2026-11-23T10:30:00+00:00")),
            ("2026-11-23 10:30Z", "2026-11-23 10:30 PST", None),
            ("2026-11-23", "2026-11-24", None),
        ] {
            assert_eq!(with(one, other).as_deref(), both, "{one}, {other}");
            assert_eq!(with(other, one).is_some(), both.is_some(), "{other}, {one}");
        }
    }

    #[test]
    fn the_dates_of_a_column_say_which_number_is_the_month() {
        let orders = |cells: &[&str]| {
            let mut allowed = Allowed::default();
            cells.iter().for_each(|cell| allowed.add(cell, NOW));
            allowed.orders()
        };
        assert_eq!(orders(&["03/11/2026", "23/11/2026"]), Orders::One(DateOrder::Dmy));
        assert_eq!(orders(&["03/11/2026", "11/23/2026"]), Orders::One(DateOrder::Mdy));
        assert_eq!(orders(&["03/11/2026", "04/10/2026"]), Orders::Both);
        assert_eq!(orders(&["13/11/2026", "11/13/2026"]), Orders::Both);
        let read = |text| read_in(text, Orders::Both, NOW).ok().map(Moment::day);
        assert_eq!(read("03/11/2026"), None);
        assert_eq!(read("11/11/2026"), Some(date(2026, 11, 11)));
        assert_eq!(read("23/11/2026"), Some(date(2026, 11, 23)));
    }
}
