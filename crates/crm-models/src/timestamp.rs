//! The API's date-times.

use std::{
    fmt,
    str::FromStr,
    time::{Duration, SystemTime},
};

use jiff::{civil::Time, fmt::temporal::Pieces, tz::Offset};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::text;

/// A point in time, in UTC, as exact as the service writes it.
///
/// The service writes up to seven digits of a second and drops trailing zeros; up to nine are
/// read. An offset other than `Z` is taken into account, and none at all means UTC; a time zone
/// that is named without an offset is refused. The last hours of the year 9999, which stand for
/// "never", are read as the last time that can be written. Written as RFC 3339 with `Z`, with as
/// many digits of a second as there are, at most nine, without trailing zeros.
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
pub struct Timestamp(jiff::Timestamp);

/// A text that is no date and no date-time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no date-time; write it like 2026-05-27T16:04:11Z or 2026-05-27")]
pub struct InvalidTimestamp {
    text: String,
}

impl Timestamp {
    /// Whether this is the year 1, with which the service says that it does not know.
    #[must_use]
    pub fn is_unknown(self) -> bool {
        // The year 2 begins 62,104,060,800 seconds before 1970.
        self.0.as_second() < -62_104_060_800
    }

    /// The same time for the standard library; `None` where the platform cannot hold it.
    #[must_use]
    pub fn to_system_time(self) -> Option<SystemTime> {
        self.0.try_into().ok()
    }

    /// The nanoseconds since 1970, negative before.
    #[must_use]
    pub fn as_nanoseconds(self) -> i128 {
        self.0.as_nanosecond()
    }

    /// The time that many nanoseconds after 1970; `None` outside the years that can be
    /// written.
    #[must_use]
    pub fn from_nanoseconds(nanoseconds: i128) -> Option<Self> {
        jiff::Timestamp::from_nanosecond(nanoseconds).ok().map(Self)
    }
}

impl From<SystemTime> for Timestamp {
    /// A time outside the years that can be written becomes the nearest one that can.
    fn from(time: SystemTime) -> Self {
        let nearest = match time.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(_) => jiff::Timestamp::MAX,
            Err(_) => jiff::Timestamp::MIN,
        };
        Self(jiff::Timestamp::try_from(time).unwrap_or(nearest))
    }
}

impl std::ops::Add<Duration> for Timestamp {
    type Output = Self;

    /// Ends at the last time that can be written.
    fn add(self, duration: Duration) -> Self {
        Self(self.0.checked_add(duration).unwrap_or(jiff::Timestamp::MAX))
    }
}

impl FromStr for Timestamp {
    type Err = InvalidTimestamp;

    fn from_str(text: &str) -> Result<Self, InvalidTimestamp> {
        let trimmed = text.trim();
        trimmed
            .parse::<jiff::Timestamp>()
            .ok()
            .or_else(|| without_offset_or_at_the_end(trimmed))
            .map(Self)
            .ok_or_else(|| InvalidTimestamp {
                text: text::excerpt(text),
            })
    }
}

/// A date or a date-time without an offset, in UTC; beyond the times that can be written the
/// nearest one. The offset of a zone that is named instead is not known here.
fn without_offset_or_at_the_end(text: &str) -> Option<jiff::Timestamp> {
    let pieces = Pieces::parse(text).ok()?;
    if pieces.offset().is_none() && pieces.time_zone_annotation().is_some() {
        return None;
    }
    let datetime = pieces
        .date()
        .to_datetime(pieces.time().unwrap_or(Time::midnight()));
    let offset = pieces.to_numeric_offset().unwrap_or(Offset::UTC);
    let nearest = match datetime.year() {
        0.. => jiff::Timestamp::MAX,
        _ => jiff::Timestamp::MIN,
    };
    Some(offset.to_timestamp(datetime).unwrap_or(nearest))
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
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
