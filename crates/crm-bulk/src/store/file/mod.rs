//! The store of a change set in its SQLite file.

mod owner;
mod record;
mod writer;

use async_trait::async_trait;
use crm_models::ContactId;

use self::writer::Writer;
use super::{Claim, Cursor, Expected, Lease, Loaded, Store, Which};
use crate::{BulkError, Change, ChangeSet, Digest, database::Database, set};

/// A change set in its file, to be carried out by this process.
#[derive(Debug)]
pub(crate) struct FileStore {
    writer: Writer,
}

impl FileStore {
    /// Makes the set ready to be taken.
    pub(crate) fn open(set: ChangeSet) -> Result<Self, BulkError> {
        Ok(Self {
            writer: Writer::start(set)?,
        })
    }

    /// Does a job in a transaction that holds only while the lease's epoch is the newest.
    async fn run<R: Send + 'static>(
        &self,
        lease: &Lease,
        job: impl FnOnce(&Database) -> Result<R, BulkError> + Send + 'static,
    ) -> Result<R, BulkError> {
        self.writer.run(Some(lease.epoch()), job).await
    }
}

#[async_trait]
impl Store for FileStore {
    async fn take(&self, owner: &str) -> Result<Lease, BulkError> {
        let owner = owner.to_owned();
        let raise = move |database: &Database| owner::take(database, &owner);
        self.writer.run(None, raise).await.map(Lease::new)
    }

    async fn digest(&self, lease: &Lease) -> Result<Digest, BulkError> {
        self.run(lease, set::digest).await
    }

    async fn count(&self, lease: &Lease, which: Which) -> Result<u64, BulkError> {
        self.run(lease, move |database| record::count(database, which))
            .await
    }

    async fn next_block(
        &self,
        lease: &Lease,
        after: Cursor,
        which: Which,
    ) -> Result<(Vec<Loaded>, Cursor), BulkError> {
        let load = move |database: &Database| record::next_block(database, after, which);
        self.run(lease, load).await
    }

    async fn claim(
        &self,
        lease: &Lease,
        expected: Expected,
        change: Change,
        siblings: Option<Vec<ContactId>>,
    ) -> Result<Claim, BulkError> {
        let claim = move |database: &Database| {
            let won = record::claim(database, expected, &change, siblings.as_deref())?;
            Ok(claimed(won, change))
        };
        self.run(lease, claim).await
    }

    async fn release(
        &self,
        lease: &Lease,
        attempts: u32,
        former: Change,
    ) -> Result<Claim, BulkError> {
        let release = move |database: &Database| {
            let won = record::release(database, attempts, &former)?;
            Ok(claimed(won, former))
        };
        self.run(lease, release).await
    }

    async fn settle(&self, lease: &Lease, change: Change) -> Result<Change, BulkError> {
        let settle = move |database: &Database| {
            record::settle(database, &change)?;
            Ok(change)
        };
        self.run(lease, settle).await
    }

    async fn renew(&self, lease: &Lease) -> Result<(), BulkError> {
        self.run(lease, owner::renew).await
    }

    async fn is_mine(&self, lease: &Lease) -> Result<bool, BulkError> {
        match self.run(lease, |_| Ok(())).await {
            Ok(()) => Ok(true),
            Err(BulkError::Superseded { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

fn claimed(won: bool, change: Change) -> Claim {
    match won {
        true => Claim::Won(Box::new(change)),
        false => Claim::Lost,
    }
}
