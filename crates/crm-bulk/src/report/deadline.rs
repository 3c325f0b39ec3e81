//! By when a wish that came in on a day has to be done.

use crm_models::Timestamp;
use jiff::civil::Date;

use super::words;
use crate::set::Change;

/// By when something has to be done, as whoever counts it tells a [`Report`](crate::Report).
///
/// ```
/// use crm_bulk::LastDay;
///
/// let mut last = LastDay::new("2026-11-23", 2);
/// last.why = Some("The policy of today gives 2026-12-08; the earlier day decides.".to_owned());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LastDay {
    /// The last day in time, written like `2026-11-23`.
    pub day: String,
    /// By how many days the moment that was asked about is too late; 0 where it is not.
    pub days_late: u32,
    /// Why it is that day and no other, where somebody may wonder.
    pub why: Option<String>,
}

impl LastDay {
    /// A day, and by how many days the moment that was asked about is too late.
    #[must_use]
    pub fn new(day: impl Into<String>, days_late: u32) -> Self {
        Self { day: day.into(), days_late, why: None }
    }
}

/// The last day in time, by the day on which a wish came in, the change of one record that has its
/// number or address, and the moment at which it was done or is looked at.
type Counting<'a> = dyn Fn(Option<&str>, Option<&Change>, Timestamp) -> Option<LastDay> + 'a;

/// By when something has to be done, and by how many days a moment is too late.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Due {
    pub(super) day: Date,
    pub(super) days_late: u32,
    pub(super) why: Option<String>,
}

/// How last days are counted.
pub(super) struct Deadline<'a> {
    words: String,
    /// As somebody else counts them; none for the usual way.
    last_day: Option<Box<Counting<'a>>>,
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
        last_day: impl Fn(Option<&str>, Option<&Change>, Timestamp) -> Option<LastDay> + 'a,
    ) -> Self {
        Self { words, last_day: Some(Box::new(last_day)) }
    }

    pub(super) fn words(&self) -> &str {
        &self.words
    }

    /// The last day in time, and how late a moment is; none where nothing has to be done.
    pub(super) fn of(
        &self,
        received: Option<Date>,
        change: Option<&Change>,
        at: Timestamp,
    ) -> Option<Due> {
        let Some(last_day) = &self.last_day else {
            let day = words::due(received?)?;
            let late = (words::day(at)? - day).get_days().max(0).unsigned_abs();
            return Some(Due { day, days_late: late, why: None });
        };
        let received = received.map(|day| day.to_string());
        let LastDay { day, days_late, why } = last_day(received.as_deref(), change, at)?;
        Some(Due { day: day.parse().ok()?, days_late, why })
    }
}
