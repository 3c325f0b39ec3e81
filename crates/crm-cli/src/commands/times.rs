//! Times as people give them to a command.

use clap::Args;
use crm_models::Timestamp;

use crate::desk::Keep;

/// Reads a time: a date, a date-time, or how long ago it was, as in `7d`.
pub(super) fn time(text: &str) -> Result<Timestamp, String> {
    time_at(text, jiff::Timestamp::now())
}

fn time_at(text: &str, now: jiff::Timestamp) -> Result<Timestamp, String> {
    if let Ok(time) = text.parse() {
        return Ok(time);
    }
    let ago = Keep::try_from(text.to_owned()).ok().and_then(|ago| ago.before(now));
    let then = ago.and_then(|then| Timestamp::from_nanoseconds(then.as_nanosecond()));
    then.ok_or_else(|| {
        "write it like 2026-11-01, 2026-11-01T08:00:00Z, or 7d for seven days ago".to_owned()
    })
}

/// Times of creation and change. A date-time without offset is UTC.
#[derive(Debug, Default, Args)]
pub(crate) struct Times {
    /// Changed at this time or later, for example 2026-11-01, 2026-11-01T08:00:00Z, or 7d for the
    /// last seven days
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) modified_since: Option<Timestamp>,

    /// Changed before this time
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) modified_before: Option<Timestamp>,

    /// Created at this time or later
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) created_since: Option<Timestamp>,

    /// Created before this time
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) created_before: Option<Timestamp>,
}

/// Calls the setters of a filter for the times that were given.
macro_rules! between {
    ($filter:expr, $times:expr) => {
        $crate::commands::args::narrow!(
            $filter,
            modified_on_or_after($times.modified_since),
            modified_before($times.modified_before),
            created_on_or_after($times.created_since),
            created_before($times.created_before),
        )
    };
}
pub(super) use between;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_date_a_date_time_or_how_long_ago() {
        let now = "2026-11-29T16:00:00Z".parse().unwrap();
        for (text, wanted) in [
            ("2026-11-01", "2026-11-01T00:00:00Z"),
            ("2026-11-01T08:00:00-08:00", "2026-11-01T16:00:00Z"),
            ("7d", "2026-11-22T16:00:00Z"),
            ("7 days", "2026-11-22T16:00:00Z"),
            ("36h", "2026-11-28T04:00:00Z"),
            ("2 weeks", "2026-11-15T16:00:00Z"),
            ("1mo", "2026-10-29T16:00:00Z"),
        ] {
            assert_eq!(time_at(text, now).unwrap().to_string(), wanted, "{text}");
        }
        for text in ["", "d", "7", "0d", "-7d", "yesterday", "99999999 years", "2026-13-01"] {
            let refused = time_at(text, now).unwrap_err();
            assert!(refused.contains("7d for seven days ago"), "{text}: {refused}");
        }
    }
}
