//! By when a wish that came in on a day has to be done.

use crm_models::Timestamp;
use jiff::civil::Date;

use super::words;

/// The last day in time and the moment at which it is over, by the day on which a wish came in, the
/// number or address that was found, and when the oldest record that has it was created.
type LastDay<'a> =
    dyn Fn(&str, Option<&str>, Option<Timestamp>) -> Option<(String, Timestamp)> + 'a;

/// By when something has to be done.
#[derive(Debug, Clone, Copy)]
pub(super) struct Due {
    pub(super) day: Date,
    /// When that day is over.
    pub(super) ends: Timestamp,
}

/// How last days are counted.
pub(super) struct Deadline<'a> {
    words: String,
    /// As somebody else counts them; none for the usual way.
    last_day: Option<Box<LastDay<'a>>>,
}

impl std::fmt::Debug for Deadline<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Deadline").field("words", &self.words).finish_non_exhaustive()
    }
}

impl<'a> Deadline<'a> {
    /// Business days from Monday to Friday.
    pub(super) fn usual() -> Self {
        let words = format!(
            "{} business days after it was received; public holidays are not taken into account",
            words::BUSINESS_DAYS
        );
        Self { words, last_day: None }
    }

    pub(super) fn by(
        words: String,
        last_day: impl Fn(&str, Option<&str>, Option<Timestamp>) -> Option<(String, Timestamp)> + 'a,
    ) -> Self {
        Self { words, last_day: Some(Box::new(last_day)) }
    }

    pub(super) fn words(&self) -> &str {
        &self.words
    }

    /// The last day in time; none where nothing has to be done.
    pub(super) fn of(
        &self,
        received: Date,
        value: Option<&str>,
        created: Option<Timestamp>,
    ) -> Option<Due> {
        let Some(last_day) = &self.last_day else {
            let day = words::due(received)?;
            let ends = format!("{}T00:00:00Z", day.tomorrow().ok()?).parse().ok()?;
            return Some(Due { day, ends });
        };
        let (day, ends) = last_day(&received.to_string(), value, created)?;
        Some(Due { day: day.parse().ok()?, ends })
    }
}
