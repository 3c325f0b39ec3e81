//! The current time as it is written into files.

pub(crate) use crm_mirror::clock::now;

/// The date, by UTC.
pub(crate) fn today() -> jiff::civil::Date {
    jiff::tz::Offset::UTC.to_datetime(jiff::Timestamp::now()).date()
}
