//! By when a wish that came in on a day has to be done.

use crm_models::Timestamp;
use jiff::civil::Date;

use super::words;
use crate::set::Change;

/// The last day in time and the moment at which it is over, by the day on which a wish came in and the
/// change of one record that has its number or address.
type LastDay<'a> = dyn Fn(Option<&str>, Option<&Change>) -> Option<(String, Timestamp)> + 'a;

/// By when something has to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
        last_day: impl Fn(Option<&str>, Option<&Change>) -> Option<(String, Timestamp)> + 'a,
    ) -> Self {
        Self { words, last_day: Some(Box::new(last_day)) }
    }

    pub(super) fn words(&self) -> &str {
        &self.words
    }

    /// The last day in time; none where nothing has to be done.
    pub(super) fn of(&self, received: Option<Date>, change: Option<&Change>) -> Option<Due> {
        let Some(last_day) = &self.last_day else {
            let day = words::due(received?)?;
            let ends = format!("{}T00:00:00Z", day.tomorrow().ok()?).parse().ok()?;
            return Some(Due { day, ends });
        };
        let (day, ends) = last_day(received.map(|day| day.to_string()).as_deref(), change)?;
        Some(Due { day: day.parse().ok()?, ends })
    }
}
