//! What a store of a change set promises.

use async_trait::async_trait;
use crm_models::ContactId;

use super::lease::Lease;
use crate::{
    error::BulkError,
    set::{Change, Digest, State, Target},
};

/// The store of a change set: the one place that guarantees that nothing is sent twice.
///
/// A run [takes](Self::take) the set before anything else. That raises the set's *epoch*, and every
/// later transaction of the run names its own epoch: once another owner has taken the set, each of
/// them fails with [`BulkError::Superseded`] and writes nothing. Whatever stopped the former owner
/// for so long, and however it wakes up, it can no longer record anything.
///
/// A change is sent only after its [claim](Self::claim) has been won: a compare-and-swap on its
/// state and attempts, durable when it returns. A claim that is lost is an answer, not an error.
///
/// Dropping the future of a call does not undo the call.
#[async_trait]
pub trait Store: std::fmt::Debug + Send + Sync {
    /// Takes the set for `owner`, a name for people, and raises its epoch.
    ///
    /// # Errors
    ///
    /// [`BulkError::InUse`] if another owner that is alive is carrying out the set, or a failure to
    /// read or write.
    async fn take(&self, owner: &str) -> Result<Lease, BulkError>;

    /// Computes the digest of the set from what the store holds.
    ///
    /// # Errors
    ///
    /// [`BulkError::Altered`] if the store holds anything other than what was planned or what runs
    /// wrote, [`BulkError::NotAdopted`] for a set without a digest, [`BulkError::Superseded`], or a
    /// failure to read.
    async fn digest(&self, lease: &Lease) -> Result<Digest, BulkError>;

    /// Checks that the store holds what was planned and what runs wrote, and returns the set's digest.
    /// A store that tells this more cheaply than by computing the digest of each change does so; each
    /// change is checked once more when it is [loaded](Self::next_block).
    ///
    /// # Errors
    ///
    /// As for [`digest`](Self::digest).
    async fn check(&self, lease: &Lease) -> Result<Digest, BulkError> {
        self.digest(lease).await
    }

    /// Whether somebody [approved](crate::ChangeSet::approve) the set with exactly this digest. Of a
    /// store that keeps no approvals nothing is approved.
    ///
    /// # Errors
    ///
    /// [`BulkError::Superseded`], or a failure to read.
    async fn is_approved(&self, lease: &Lease, digest: Digest) -> Result<bool, BulkError> {
        let _ = (lease, digest);
        Ok(false)
    }

    /// Keeps that a run begins, with what was chosen for it, in words, and how many changes are open.
    /// A store that keeps no decisions keeps nothing.
    ///
    /// # Errors
    ///
    /// [`BulkError::Superseded`], or a failure to write.
    async fn keep_run(
        &self,
        lease: &Lease,
        chosen: Vec<String>,
        open: u64,
    ) -> Result<(), BulkError> {
        let _ = (lease, chosen, open);
        Ok(())
    }

    /// Counts the changes that there are to take up.
    ///
    /// # Errors
    ///
    /// [`BulkError::Superseded`], or a failure to read.
    async fn count(&self, lease: &Lease, which: Which) -> Result<u64, BulkError>;

    /// Returns the next changes in the order of their owners, and where to continue; no changes at
    /// the end.
    ///
    /// A block has at most as many owners as one call reads, and about 200 changes. The creations
    /// of one owner stay together, so that one read decides on all of them: only then is it clear
    /// which contact belongs to which creation.
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

    /// Durably records a change as in flight, with the attempts of `change`, its record as it is
    /// just before the write, and what is known of earlier requests. Its write may begin only if
    /// the result is [`Claim::Won`].
    ///
    /// `siblings` are the contacts that already have the number or address. Where `siblings` or the
    /// record before is `None`, the store keeps what it has.
    ///
    /// # Errors
    ///
    /// [`BulkError::Superseded`], or a failure to write.
    async fn claim(
        &self,
        lease: &Lease,
        expected: Expected,
        change: Box<Change>,
        siblings: Option<Vec<ContactId>>,
    ) -> Result<Claim, BulkError>;

    /// Takes back a claim whose write was certainly not begun: the change becomes `former` again,
    /// with its state, attempts and before-image, if it is still in flight with the `attempts` of
    /// the claim. Without this it would count as a change that may have been sent.
    ///
    /// The siblings of the claim are kept: they were there before anything was sent.
    ///
    /// # Errors
    ///
    /// [`BulkError::Superseded`], or a failure to write.
    async fn release(
        &self,
        lease: &Lease,
        attempts: u32,
        former: Box<Change>,
    ) -> Result<Claim, BulkError>;

    /// Writes what became of a change, and returns the change once that is durable. A change that was
    /// claimed has the record before that it was claimed with.
    ///
    /// # Errors
    ///
    /// [`BulkError::Superseded`], or a failure to write.
    async fn settle(&self, lease: &Lease, change: Box<Change>) -> Result<Box<Change>, BulkError>;

    /// Renews the lease from now on, even one that has expired: as long as the epoch is unchanged
    /// nobody else has taken the set.
    ///
    /// # Errors
    ///
    /// [`BulkError::Superseded`], or a failure to write.
    async fn renew(&self, lease: &Lease) -> Result<(), BulkError>;

    /// Checks that the set is where it was when it was taken; the check costs almost nothing. A run
    /// checks after each claim, before the write begins, and before it settles a change. Once the
    /// set is no longer in its place, nothing is begun; what was claimed can still be settled and
    /// released.
    ///
    /// # Errors
    ///
    /// [`BulkError::Displaced`] if the set is not in its place.
    fn is_in_place(&self) -> Result<(), BulkError> {
        Ok(())
    }

    /// Whether an owner from whom the set was taken has not ended yet, as far as the store can tell:
    /// one that is stopped. Between its last look at the lease and the moment that a request leaves it
    /// is a step, and if it was stopped within, that request leaves when it goes on. So as long as
    /// there is such an owner, a run does not send again what must not arrive twice.
    fn has_stopped_owner(&self) -> bool {
        false
    }

    /// Ends the run, once everything is settled and before its end is reported: a store that has
    /// something to put in order, such as a file to close, does it here. A store that is dropped
    /// without this waits for nothing.
    async fn leave(&self) {}

    /// Whether the lease's epoch is still the newest one.
    ///
    /// # Errors
    ///
    /// A failure to read.
    async fn is_mine(&self, lease: &Lease) -> Result<bool, BulkError>;
}

/// The state in which a change must still be for a claim to be won.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    /// The state of the change.
    pub state: State,
    /// How many times the change was claimed.
    pub attempts: u32,
}

impl Expected {
    /// Creates the expectation that the change is still as given.
    #[must_use]
    pub fn of(change: &Change) -> Self {
        Self { state: change.outcome.state, attempts: change.outcome.attempts }
    }
}

/// The result of a compare-and-swap.
#[derive(Debug, Clone, PartialEq)]
#[must_use = "a change whose claim is lost must not be sent"]
pub enum Claim {
    /// The change was written durably.
    Won(Box<Change>),
    /// The change is no longer as expected: somebody else decided on it. Nothing was written.
    Lost,
}

/// A change as the store has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// The change.
    pub change: Change,
    /// For a creation, the contacts of its owner that it certainly did not create.
    pub not_ours: Vec<ContactId>,
}

/// The position in the order of owners at which the next block begins.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Cursor {
    /// The owner of the last change that was taken up; `None` before the first.
    pub(crate) last: Option<Target>,
    /// The last change of this owner that was taken up; its creations come first and do not count.
    pub(crate) change: i64,
}

/// The changes to take up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The changes that are not settled.
    Open,
    /// The changes that are not settled and those that failed, except for a reversal that is not
    /// possible: it asks for nothing that could be repeated.
    OpenAndFailed,
}
