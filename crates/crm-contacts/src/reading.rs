//! A record with the moment at which it was read.

use std::time::Duration;

use crm_transport::Moment;

use crate::change::Record;

/// The age that a reading may have when the write that it decided begins.
///
/// The API has no conditional write, so within this time a change by somebody else can be
/// overwritten unseen. A write that waits longer, in a queue or between two attempts, is decided
/// again.
pub const DECISION_AGE: Duration = Duration::from_secs(2);

/// A record, and the moment since which it may have changed.
///
/// ```
/// # use crm_contacts::{
/// #     ContactsError, ContactsService, models::{ContactChange, ContactId, LocationId}, transport::Transport,
/// # };
/// # async fn example<T: Transport>(
/// #     contacts: ContactsService<T>, location: LocationId, id: ContactId, change: ContactChange,
/// # ) -> Result<(), ContactsError> {
/// let contacts = contacts.location(location);
/// let seen = contacts.read(id).await?;
/// if seen.record.memo.is_none() {
///     // Reads again if this took so long that somebody may have changed it.
///     contacts.update_from(seen, &change, None).await?;
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reading<R> {
    /// The record that was read.
    pub record: R,
    /// The moment at which the request for it left, or for several pages the first request.
    pub at: Moment,
}

impl<R> Reading<R> {
    /// Takes a record together with the moment at which the request for it left.
    #[must_use]
    pub const fn new(record: R, at: Moment) -> Self {
        Self { record, at }
    }

    /// Returns the last moment at which a write that this reading decided may begin, which is
    /// [`DECISION_AGE`] after it.
    #[must_use]
    pub fn begin_by(&self) -> Moment {
        self.at.after(DECISION_AGE)
    }

    pub(crate) fn map<S>(self, change: impl FnOnce(R) -> S) -> Reading<S> {
        Reading { record: change(self.record), at: self.at }
    }
}

impl<R: Record> From<R> for Reading<R> {
    /// Takes the record for one that was read just now. The age of one that was kept for a while is
    /// not known: give it with its moment to [`Reading::new`].
    fn from(record: R) -> Self {
        Self::new(record, Moment::now())
    }
}
