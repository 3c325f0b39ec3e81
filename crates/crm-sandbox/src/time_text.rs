//! Date-times as the store keeps them and as the API writes them.
//!
//! The store holds text of one fixed width, `2026-05-27T16:04:11.4827193Z`:
//! readable in any SQLite tool, and its alphabetical order is its order in
//! time. The API drops the trailing zeros of the fraction.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

/// The creation time of records whose creation is unknown.
pub(crate) const UNKNOWN: &str = "0001-01-01T00:00:00.0000000Z";

const NANOSECONDS_PER_TICK: i128 = 100;

/// Returns the stored text of a number of ticks since 1970.
pub(crate) fn from_ticks(ticks: i64) -> String {
    Timestamp::from_nanosecond(i128::from(ticks) * NANOSECONDS_PER_TICK)
        .map_or_else(|_| UNKNOWN.to_owned(), |time| format!("{time:.7}"))
}

/// Returns the ticks since 1970 of a stored text.
pub(crate) fn to_ticks(stored: &str) -> Option<i64> {
    let time: Timestamp = stored.parse().ok()?;
    i64::try_from(time.as_nanosecond().div_euclid(NANOSECONDS_PER_TICK)).ok()
}

/// Reads an RFC 3339 date-time.
///
/// Digits beyond a tick are rounded up: for "at or after" and for "before" alike this leaves the
/// set of matching records unchanged.
pub(crate) fn from_rfc3339(text: &str) -> Option<String> {
    let looks_right =
        text.as_bytes().get(10).is_some_and(|b| matches!(b, b'T' | b't')) && !text.contains('[');
    let time: Timestamp = looks_right.then(|| text.parse().ok())??;
    let beyond = time.as_nanosecond().rem_euclid(NANOSECONDS_PER_TICK);
    let whole = match beyond {
        0 => time,
        _ => {
            let up = i64::try_from(NANOSECONDS_PER_TICK - beyond).ok()?;
            time.checked_add(SignedDuration::from_nanos(up)).ok()?
        }
    };
    Some(format!("{whole:.7}"))
}

/// Reads a date alone, as the start of that day.
pub(crate) fn from_date(text: &str) -> Option<String> {
    (text.len() == 10).then(|| from_rfc3339(&format!("{text}T00:00:00Z")))?
}

/// Returns the form on the wire, whose fraction has no trailing zeros.
pub(crate) fn wire(stored: &str) -> String {
    let seconds = stored.trim_end_matches('Z').trim_end_matches('0');
    match seconds.split_once('.') {
        Some((whole, "")) => format!("{whole}Z"),
        _ => format!("{seconds}Z"),
    }
}

/// Removes the zone from every time of an answer. Only its members distinguish times from texts
/// that look like one.
pub(crate) fn without_zone(answer: &mut Value) {
    match answer {
        Value::Array(items) => items.iter_mut().for_each(without_zone),
        Value::Object(members) => {
            for (name, value) in members {
                match value {
                    Value::String(text) if matches!(name.as_str(), "createdOn" | "modifiedOn") => {
                        text.truncate(text.trim_end_matches('Z').len());
                    }
                    value => without_zone(value),
                }
            }
        }
        _ => {}
    }
}
