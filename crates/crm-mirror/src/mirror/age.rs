//! How old a mirror is.

use std::time::Duration;

use crm_models::Timestamp;

use super::{feed::Feed, file::Mirror, stage::Stage};
use crate::{clock, error::MirrorError};

/// How far the clocks of two machines that share a file may be apart.
const CLOCK_SKEW: Duration = Duration::from_secs(60);

impl Mirror {
    /// Returns when the feed of contacts that is further behind was last read to its end; `None`
    /// until both have been.
    ///
    /// # Errors
    ///
    /// A failure to read.
    pub fn known_at(&self) -> Result<Option<Timestamp>, MirrorError> {
        if self.is_staged(Stage::Contacts)? {
            return Ok(None);
        }
        let [customers, locations] = self.read_at()?;
        Ok(customers.zip(locations).map(|(one, other)| one.min(other)))
    }

    /// Returns the same as [`known_at`](Self::known_at), of a mirror that is complete.
    ///
    /// # Errors
    ///
    /// [`MirrorError::Incomplete`] until both feeds have been read to their ends, or a failure to
    /// read.
    pub fn complete_at(&self) -> Result<Timestamp, MirrorError> {
        let known_at = self.known_at()?;
        known_at.ok_or_else(|| MirrorError::Incomplete { path: self.path().to_owned() })
    }

    /// When the contacts of customers and of locations were last read to their ends.
    fn read_at(&self) -> Result<[Option<Timestamp>; 2], MirrorError> {
        let at = |feed| Ok::<_, MirrorError>(self.feed(feed)?.complete_at);
        Ok([at(Feed::CustomerContacts)?, at(Feed::LocationContacts)?])
    }

    /// Returns whether the mirror is complete and no older than `age`. A mirror that is [dated
    /// ahead](Self::is_dated_ahead) is not fresh, since its age is not known.
    ///
    /// # Errors
    ///
    /// A failure to read.
    pub fn is_fresh(&self, age: Duration) -> Result<bool, MirrorError> {
        let is_young = self.known_at()?.is_some_and(|at| at + age >= clock::now());
        Ok(is_young && !self.is_dated_ahead()?)
    }

    /// Returns whether one of the two feeds was read more than a minute in the future, which means
    /// that a clock was wrong, either then or now.
    ///
    /// # Errors
    ///
    /// A failure to read.
    pub fn is_dated_ahead(&self) -> Result<bool, MirrorError> {
        let latest = clock::now() + CLOCK_SKEW;
        Ok(self.read_at()?.into_iter().flatten().any(|at| at > latest))
    }
}
