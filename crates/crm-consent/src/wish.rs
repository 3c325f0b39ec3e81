//! What somebody wishes, for what, and when that was said.

use crm_models::Preference;
use jiff::{
    Timestamp,
    civil::{Date, DateTime},
    tz::TimeZone,
};
use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, IntoStaticStr, VariantArray};

use crate::error::ConsentError;

/// What somebody wishes.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    Display,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Wish {
    /// To be left alone.
    Out,
    /// To be written to, called or texted.
    In,
}

/// For what kinds of messages a wish counts.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    Display,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Scope {
    /// For marketing.
    Marketing,
    /// For all kinds of messages.
    All,
}

impl Scope {
    /// Returns the kinds of messages of which a preference is one: its wish is the one that counts for
    /// these.
    #[must_use]
    pub fn of(preference: Preference) -> Self {
        match preference {
            Preference::MarketingUpdates => Self::Marketing,
            _ => Self::All,
        }
    }
}

/// The first moment at which a wish can have been received, as in lists: whatever is before it is a
/// slip, and an opt-in of that year would count for nothing.
const FIRST: Timestamp = Timestamp::constant(788_918_400, 0);

/// When a wish was received: the first and the last moment at which that can have been, by what was
/// written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Period {
    pub(crate) earliest: Timestamp,
    pub(crate) latest: Timestamp,
}

impl Period {
    /// Reads ISO 8601: a day, a day and a time, or these with a distance from UTC. Without one the
    /// time is that of the tenant's zone.
    pub(crate) fn read(text: &str, zone: &TimeZone) -> Result<Self, ConsentError> {
        let wrong = |reason| ConsentError::Moment { text: text.to_owned(), reason };
        let written = text.trim();
        if let Ok(at) = written.parse::<Timestamp>() {
            return Ok(Self { earliest: at, latest: at });
        }
        let at = |moment: DateTime| zone.to_timestamp(moment).ok();
        let read = || {
            if written.len() == "2026-11-23".len() {
                let day: Date = written.parse().ok()?;
                let next = at(day.tomorrow().ok()?.at(0, 0, 0, 0))?;
                let latest = next.checked_sub(jiff::Span::new().nanoseconds(1)).ok()?;
                return Some(Self { earliest: at(day.at(0, 0, 0, 0))?, latest });
            }
            // When clocks are put back an hour is there twice, and nobody can say which one is meant; when
            // they are put forward one is missing, by either of two clocks.
            let moment = zone.to_ambiguous_timestamp(written.parse().ok()?);
            let (one, other) = (moment.earlier().ok()?, moment.later().ok()?);
            Some(Self { earliest: one, latest: other })
        };
        read().ok_or_else(|| {
            wrong("is not a moment; write it like 2026-11-23 or 2026-11-23T10:30:00-05:00")
        })
    }

    /// Refuses what has not happened yet, and a time of which no wish can be.
    pub(crate) fn past(self, text: &str, now: Timestamp) -> Result<Self, ConsentError> {
        let refused = |reason| Err(ConsentError::Moment { text: text.to_owned(), reason });
        if self.earliest > now {
            refused("lies in the future")
        } else if self.latest < FIRST {
            refused("is before 1995, when no wish can have come in; look at the year")
        } else {
            Ok(self)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_is_of_a_time_in_which_it_can_have_come_in() {
        let now: Timestamp = "2026-11-29T12:00:00Z".parse().unwrap();
        for (text, is_told) in [
            ("1994-12-31T23:59:59Z", Some("1995")),
            ("1900-01-01", Some("1995")),
            ("0001-01-01", Some("1995")),
            ("1995-01-01T00:00:00Z", None),
            ("2026-11-29T12:00:00Z", None),
            ("2026-11-29", None),
            ("2026-11-29T12:00:01Z", Some("future")),
            ("9998-01-01", Some("future")),
        ] {
            let read = Period::read(text, &TimeZone::UTC).unwrap().past(text, now);
            match is_told {
                None => assert!(read.is_ok(), "{text}"),
                Some(part) => assert!(read.unwrap_err().to_string().contains(part), "{text}"),
            }
        }
    }

    #[test]
    fn a_moment_is_as_long_as_it_is_not_known_better() {
        let zone = TimeZone::get("America/New_York").unwrap();
        for (text, earliest, latest) in [
            ("2026-11-23", "2026-11-23T05:00:00Z", "2026-11-24T04:59:59.999999999Z"),
            // The day on which clocks are put back has 25 hours.
            ("2026-11-01", "2026-11-01T04:00:00Z", "2026-11-02T04:59:59.999999999Z"),
            ("2026-11-23T10:30:00", "2026-11-23T15:30:00Z", "2026-11-23T15:30:00Z"),
            ("2026-11-23 10:30", "2026-11-23T15:30:00Z", "2026-11-23T15:30:00Z"),
            ("2026-11-23T10:30:00+02:00", "2026-11-23T08:30:00Z", "2026-11-23T08:30:00Z"),
            // The hour that is there twice on that day, and the one that is missing in spring.
            ("2026-11-01T01:30:00", "2026-11-01T05:30:00Z", "2026-11-01T06:30:00Z"),
            ("2026-11-01T01:30:00-05:00", "2026-11-01T06:30:00Z", "2026-11-01T06:30:00Z"),
            ("2026-03-08T02:30:00", "2026-03-08T06:30:00Z", "2026-03-08T07:30:00Z"),
        ] {
            let period = Period::read(text, &zone).unwrap();
            let told = (period.earliest.to_string(), period.latest.to_string());
            assert_eq!(told, (earliest.to_owned(), latest.to_owned()), "{text}");
        }
        for text in ["soon", "2026-02-30", "11/23/2026", ""] {
            assert!(Period::read(text, &zone).is_err(), "{text}");
        }
    }
}
