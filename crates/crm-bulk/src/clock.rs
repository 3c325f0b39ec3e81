//! The current time as it is written into files.

pub(crate) use crm_mirror::clock::now;

/// The date and the time, by UTC.
pub(crate) fn in_utc() -> jiff::civil::DateTime {
    jiff::tz::Offset::UTC.to_datetime(jiff::Timestamp::now())
}
