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
    /// For which messages it is, where others of the same record have another wish.
    pub of: Option<String>,
    /// Why it is that day and no other, where somebody may wonder.
    pub why: Option<String>,
}

impl LastDay {
    /// A day, and by how many days the moment that was asked about is too late.
    #[must_use]
    pub fn new(day: impl Into<String>, days_late: u32) -> Self {
        Self { day: day.into(), days_late, of: None, why: None }
    }
}

/// The last days in time, by the day on which a wish came in, the change of one record that has its
/// number or address, and the moment at which it was done or is looked at.
type Counting<'a> = dyn Fn(Option<&str>, Option<&Change>, Timestamp) -> Vec<LastDay> + 'a;

/// By when something has to be done, and by how many days a moment is too late.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Due {
    pub(super) day: Date,
    pub(super) days_late: u32,
    pub(super) of: Option<String>,
    pub(super) why: Option<String>,
}

/// How last days are counted.
pub(super) struct Deadline<'a> {
    words: String,
    /// As somebody else counts them; none for the usual way.
    last_days: Option<Box<Counting<'a>>>,
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
        Self { words, last_days: None }
    }

    pub(super) fn by(
        words: String,
        last_days: impl Fn(Option<&str>, Option<&Change>, Timestamp) -> Vec<LastDay> + 'a,
    ) -> Self {
        Self { words, last_days: Some(Box::new(last_days)) }
    }

    pub(super) fn words(&self) -> &str {
        &self.words
    }

    /// The last days in time, the earliest first, and how late a moment is by each; none where nothing has
    /// to be done.
    pub(super) fn of(
        &self,
        received: Option<Date>,
        change: Option<&Change>,
        at: Timestamp,
    ) -> Vec<Due> {
        let Some(last_days) = &self.last_days else {
            return received.and_then(|day| Due::usual(day, at)).into_iter().collect();
        };
        let received = received.map(|day| day.to_string());
        let days = last_days(received.as_deref(), change, at).into_iter();
        let mut dues: Vec<_> = days.filter_map(Due::of).collect();
        dues.sort_by_key(|due| due.day);
        dues
    }
}

impl Due {
    fn usual(received: Date, at: Timestamp) -> Option<Self> {
        let day = words::due(received)?;
        let days_late = (words::day(at)? - day).get_days().max(0).unsigned_abs();
        Some(Self { day, days_late, of: None, why: None })
    }

    fn of(last: LastDay) -> Option<Self> {
        let LastDay { day, days_late, of, why } = last;
        Some(Self { day: day.parse().ok()?, days_late, of, why })
    }
}
