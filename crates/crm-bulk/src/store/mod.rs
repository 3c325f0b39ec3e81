//! Where a change set is kept while it is carried out, and who may do so.

#[cfg(any(test, feature = "contract"))]
#[cfg_attr(docsrs, doc(cfg(feature = "contract")))]
pub mod contract;
pub(crate) mod file;
mod lease;

use async_trait::async_trait;
use crm_models::ContactId;

use crate::{BulkError, Change, Digest, State, Target};

pub use self::{
    file::Displaced,
    lease::{Lease, Renewal},
};

/// The store of a change set: the one place that guarantees that nothing is sent twice.
///
/// A run [takes](Self::take) the set before anything else. That raises the set's *epoch*, and
/// every later transaction of the run names its own: once another owner took the set, each of
/// them fails with [`BulkError::Superseded`] and writes nothing. Whatever stopped the former
/// owner for so long, and however it wakes up, it can no longer record anything.
///
/// A change is sent only after its [claim](Self::claim) was won: a compare-and-swap on its state
/// and attempts, durable when it returns. A claim that is lost is an answer, not an error.
///
/// Dropping the future of a call does not take the call back.
#[async_trait]
pub trait Store: std::fmt::Debug + Send + Sync {
    /// Takes the set for `owner`, a name for people, and raises its epoch.
    ///
    /// # Errors
    ///
    /// [`BulkError::InUse`] when another owner carries the set out and is alive, or a failure to
    /// read or write.
    async fn take(&self, owner: &str) -> Result<Lease, BulkError>;

    /// The digest of the set, computed of what the store holds.
    ///
    /// # Errors
    ///
    /// [`BulkError::Altered`] when the store holds something else than what was planned or what
    /// runs wrote, [`BulkError::NotAdopted`] for a set without a digest,
    /// [`BulkError::Superseded`], or a failure to read.
    async fn digest(&self, lease: &Lease) -> Result<Digest, BulkError>;

    /// How many changes there are to take up.
    ///
    /// # Errors
    ///
    /// [`BulkError::Superseded`], or a failure to read.
    async fn count(&self, lease: &Lease, which: Which) -> Result<u64, BulkError>;

    /// The next changes in the order of their owners, and where to continue; none at the end.
    ///
    /// At most as many owners as one call reads, and about 200 changes. The creations of one
    /// owner stay together, so that one reading decides on all of them: which contact belongs to
    /// which creation is clear only then.
    ///
    /// # Errors
    ///
    /// [`BulkError::Superseded`], or a failure to read.
    async fn next_block(
        &self,
        lease: &Lease,
        after: Cursor,
        which: Which,
    ) -> Result<(Vec<Loaded>, Cursor), BulkError>;

    /// Makes a change durable as in flight: with the attempts of `change`, its record as it is
    /// just before, and what is known of earlier requests. Its write may begin only when this is
    /// [`Claim::Won`].
    ///
    /// `siblings` are the contacts that have the number or address already; `None` keeps those
    /// of an earlier claim.
    ///
    /// # Errors
    ///
    /// [`BulkError::Superseded`], or a failure to write.
    async fn claim(
        &self,
        lease: &Lease,
        expected: Expected,
        change: Change,
        siblings: Option<Vec<ContactId>>,
    ) -> Result<Claim, BulkError>;

    /// Takes a claim back whose write surely was not begun: the change is as `former` again, with
    /// its state, attempts and before-image, if it still is in flight with the `attempts` of the
    /// claim. Without this it would count as one that may have been sent.
    ///
    /// The siblings of the claim stay: they were there before anything was sent.
    ///
    /// # Errors
    ///
    /// [`BulkError::Superseded`], or a failure to write.
    async fn release(
        &self,
        lease: &Lease,
        attempts: u32,
        former: Change,
    ) -> Result<Claim, BulkError>;

    /// Writes what became of a change, and hands it back once that is durable.
    ///
    /// # Errors
    ///
    /// [`BulkError::Superseded`], or a failure to write.
    async fn settle(&self, lease: &Lease, change: Change) -> Result<Change, BulkError>;

    /// Makes the lease last from now on, also one that has expired: as long as the epoch is
    /// unchanged nobody else took the set.
    ///
    /// # Errors
    ///
    /// [`BulkError::Superseded`], or a failure to write.
    async fn renew(&self, lease: &Lease) -> Result<(), BulkError>;

    /// Whether the set is where it was when it was taken; a look that costs almost nothing. A run
    /// looks after each claim, before the write begins, and before it settles one. From the time
    /// that it is not, nothing is begun; what was claimed can be settled and taken back.
    ///
    /// # Errors
    ///
    /// [`BulkError::Displaced`] when it is not.
    fn is_in_place(&self) -> Result<(), BulkError> {
        Ok(())
    }

    /// Whether the lease's epoch still is the newest one.
    ///
    /// # Errors
    ///
    /// A failure to read.
    async fn is_mine(&self, lease: &Lease) -> Result<bool, BulkError>;
}

/// What a change must still be for a claim to be won.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    /// Its state.
    pub state: State,
    /// How many times it was claimed.
    pub attempts: u32,
}

impl Expected {
    /// As this change is.
    #[must_use]
    pub fn of(change: &Change) -> Self {
        Self {
            state: change.outcome.state,
            attempts: change.outcome.attempts,
        }
    }
}

/// What came of a compare-and-swap.
#[derive(Debug, Clone, PartialEq)]
#[must_use = "a change whose claim is lost must not be sent"]
pub enum Claim {
    /// It is durable.
    Won(Box<Change>),
    /// The change is no longer as expected: somebody else decided on it. Nothing was written.
    Lost,
}

/// A change as the store has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// The change.
    pub change: Change,
    /// For a creation: the contacts of its owner that it surely did not create.
    pub not_ours: Vec<ContactId>,
}

/// Where in the order of owners the next block begins.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Cursor {
    /// The owner of the last change that was taken up; `None` before the first.
    pub(crate) last: Option<Target>,
    /// The last change of this owner that was taken up; its creations come first and do not
    /// count.
    pub(crate) change: i64,
}

/// Which changes are taken up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Those that are not settled.
    Open,
    /// Those, and the ones that failed, except for a reversal that is not possible: it asks for
    /// nothing that could be repeated.
    OpenAndFailed,
}
