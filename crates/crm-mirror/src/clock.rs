//! The current time as it is written into files.

use std::time::SystemTime;

use crm_models::Timestamp;

const NANOSECONDS_PER_MILLISECOND: i128 = 1_000_000;

/// Now, to the millisecond.
pub fn now() -> Timestamp {
    let now = Timestamp::from(SystemTime::now());
    let nanoseconds = now.as_nanoseconds();
    let rest = nanoseconds.rem_euclid(NANOSECONDS_PER_MILLISECOND);
    Timestamp::from_nanoseconds(nanoseconds - rest).unwrap_or(now)
}
