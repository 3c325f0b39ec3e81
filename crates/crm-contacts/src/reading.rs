//! What was read, and how old it is.

use std::time::Duration;

use crm_transport::Moment;

use crate::change::Record;

/// How old a reading may be when the write that it decided begins.
pub const DECISION_AGE: Duration = Duration::from_secs(2);

/// What was read, and since when it may be otherwise.
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
pub struct Reading<R> {
    /// What was read.
    pub record: R,
    /// When the request for it left; for several pages that of the first.
    pub at: Moment,
}

impl<R> Reading<R> {
    /// The last moment at which a write may begin that this reading decided: [`DECISION_AGE`] after
    /// it.
    #[must_use]
    pub fn begin_by(&self) -> Moment {
        self.at.after(DECISION_AGE)
    }

    pub(crate) fn map<S>(self, change: impl FnOnce(R) -> S) -> Reading<S> {
        Reading { record: change(self.record), at: self.at }
    }
}

impl<R: Record> From<R> for Reading<R> {
    /// A record that was read just now. Of one that was kept for a while the age is not known:
    /// give it together with its moment.
    fn from(record: R) -> Self {
        Self { record, at: Moment::now() }
    }
}
