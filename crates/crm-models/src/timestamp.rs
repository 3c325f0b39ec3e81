//! The API's date-times.

use std::{
    fmt,
    str::FromStr,
    time::{Duration, SystemTime},
};

use jiff::{
    SignedDuration,
    civil::{DateTime, Time, date},
    fmt::temporal::Pieces,
    tz::Offset,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::text;

/// A point in time, in UTC, as exact as the service writes it.
///
/// The service writes up to seven digits of a second and drops trailing zeros; up to nine are read.
/// An offset other than `Z` is taken into account, and none at all means UTC. A time zone that is
/// named without an offset is refused. The last second of the year 9999, which means "never", is
/// kept. It is written as RFC 3339 with `Z`, with as many digits of a second as there are, at most
/// nine, without trailing zeros.
///
/// ```
/// use crm_models::Timestamp;
///
/// let time: Timestamp = "2026-05-27T16:04:11.4827193Z".parse()?;
/// assert_eq!(time.to_string(), "2026-05-27T16:04:11.4827193Z");
/// assert_eq!("2026-05-27T18:04:11.48271930+02:00".parse::<Timestamp>()?, time);
/// assert_eq!("2020-01-01".parse::<Timestamp>()?.to_string(), "2020-01-01T00:00:00Z");
/// # Ok::<(), crm_models::InvalidTimestamp>(())
/// ```
///
/// What changed in the last day:
///
/// ```
/// use std::time::{Duration, SystemTime};
///
/// use crm_models::{ContactFilter, LocationId, Timestamp};
///
/// let since = Timestamp::from(SystemTime::now() - Duration::from_secs(24 * 60 * 60));
/// let changed = ContactFilter::<LocationId>::new().modified_on_or_after(since);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    /// Ends 26 hours before the year 9999 does, so that any offset can be applied.
    time: jiff::Timestamp,
    /// The nanoseconds after the end of that.
    beyond: u64,
}

/// The end of `jiff::Timestamp`, in UTC.
const END: DateTime = date(9999, 12, 30).at(22, 0, 0, 999_999_999);
/// From there to the end of the year 9999.
const MOST_BEYOND: u64 = 93_599 * 1_000_000_000;

/// A text that is neither a date nor a date-time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a date-time; write it like 2026-05-27T16:04:11Z or 2026-05-27")]
pub struct InvalidTimestamp {
    text: String,
}

impl Timestamp {
    /// Whether this is the year 1, with which the service says that it does not know.
    #[must_use]
    pub fn is_unknown(self) -> bool {
        // The year 2 begins 62,104,060,800 seconds before 1970.
        self.time.as_second() < -62_104_060_800
    }

    /// Returns the same time for the standard library, or `None` where the platform cannot
    /// represent it.
    #[must_use]
    pub fn to_system_time(self) -> Option<SystemTime> {
        let time: SystemTime = self.time.try_into().ok()?;
        time.checked_add(Duration::from_nanos(self.beyond))
    }

    /// Returns the nanoseconds since 1970, which are negative before.
    #[must_use]
    pub fn as_nanoseconds(self) -> i128 {
        self.time.as_nanosecond() + i128::from(self.beyond)
    }

    /// Returns the time that many nanoseconds after 1970, or `None` outside the years that can be
    /// written.
    #[must_use]
    pub fn from_nanoseconds(nanoseconds: i128) -> Option<Self> {
        let end = jiff::Timestamp::MAX.as_nanosecond();
        match jiff::Timestamp::from_nanosecond(nanoseconds.min(end)) {
            Ok(time) => Self::new(time, u64::try_from((nanoseconds - end).max(0)).ok()?),
            Err(_) => None,
        }
    }

    /// The last nanosecond of the year 9999.
    const LAST: Self = Self { time: jiff::Timestamp::MAX, beyond: MOST_BEYOND };

    const fn within(time: jiff::Timestamp) -> Self {
        Self { time, beyond: 0 }
    }

    fn new(time: jiff::Timestamp, beyond: u64) -> Option<Self> {
        (beyond <= MOST_BEYOND).then_some(Self { time, beyond })
    }
}

impl From<SystemTime> for Timestamp {
    /// A time outside the years that can be written becomes the nearest one that can.
    fn from(time: SystemTime) -> Self {
        match time.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(since) => {
                let nanoseconds = i128::try_from(since.as_nanos()).unwrap_or(i128::MAX);
                Self::from_nanoseconds(nanoseconds).unwrap_or(Self::LAST)
            }
            Err(_) => {
                let time = jiff::Timestamp::try_from(time);
                Self::within(time.unwrap_or(jiff::Timestamp::MIN))
            }
        }
    }
}

impl std::ops::Add<Duration> for Timestamp {
    type Output = Self;

    /// Adds a duration. The sum is at most the last time that can be written.
    fn add(self, duration: Duration) -> Self {
        let nanoseconds = i128::try_from(duration.as_nanos()).unwrap_or(i128::MAX);
        let sum = self.as_nanoseconds().saturating_add(nanoseconds);
        Self::from_nanoseconds(sum).unwrap_or(Self::LAST)
    }
}

impl FromStr for Timestamp {
    type Err = InvalidTimestamp;

    fn from_str(text: &str) -> Result<Self, InvalidTimestamp> {
        // The service's own form first, since a page has thousands of them.
        text.parse::<jiff::Timestamp>()
            .ok()
            .map(Self::within)
            .or_else(|| in_another_form(text))
            .ok_or_else(|| InvalidTimestamp { text: text::excerpt(text) })
    }
}

/// A date or a date-time, with spaces around it, without an offset, which is UTC, or beyond the
/// times that can be written, which is the nearest one. The offset of a zone that is named instead
/// is not known here.
fn in_another_form(text: &str) -> Option<Timestamp> {
    let pieces = Pieces::parse(text.trim()).ok()?;
    if pieces.offset().is_none() && pieces.time_zone_annotation().is_some() {
        return None;
    }
    let datetime = pieces.date().to_datetime(pieces.time().unwrap_or(Time::midnight()));
    let offset = pieces.to_numeric_offset().unwrap_or(Offset::UTC);
    match offset.to_timestamp(datetime) {
        Ok(time) => Some(Timestamp::within(time)),
        Err(_) if datetime.year() < 0 => Some(Timestamp::within(jiff::Timestamp::MIN)),
        Err(_) => {
            let offset = SignedDuration::from_secs(offset.seconds().into());
            let beyond = datetime.duration_since(END).checked_sub(offset)?;
            let beyond = u64::try_from(beyond.as_nanos()).ok()?;
            Timestamp::new(jiff::Timestamp::MAX, beyond.min(MOST_BEYOND))
        }
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.beyond == 0 {
            return self.time.fmt(f);
        }
        let beyond = Duration::from_nanos(self.beyond);
        let time = END.checked_add(beyond).map_err(|_| fmt::Error)?;
        write!(f, "{time}Z")
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Timestamp({self})")
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text::read(deserializer, "a date-time", Self::from_str)
    }
}
