//! The current time as it is written into files.

use std::time::SystemTime;

use crm_models::Timestamp;

const NANOSECONDS_PER_MILLISECOND: i128 = 1_000_000;

/// The date, by UTC.
pub(crate) fn today() -> jiff::civil::Date {
    jiff::tz::Offset::UTC.to_datetime(jiff::Timestamp::now()).date()
}

/// Now, to the millisecond.
pub(crate) fn now() -> Timestamp {
    let now = Timestamp::from(SystemTime::now());
    let nanoseconds = now.as_nanoseconds();
    let rest = nanoseconds.rem_euclid(NANOSECONDS_PER_MILLISECOND);
    Timestamp::from_nanoseconds(nanoseconds - rest).unwrap_or(now)
}
