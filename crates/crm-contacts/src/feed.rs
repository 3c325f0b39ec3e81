//! Operations that return one batch of an export feed.

use crm_models::{ExportBatch, ExportQuery};
use serde::de::DeserializeOwned;

use crate::operation::Operation;

/// An operation that returns one batch of an export feed; [`Export`](crate::Export) walks it.
pub trait FeedOperation: Operation<Answer = ExportBatch<Self::Record>> + Clone {
    /// The type of the feed's records.
    type Record: DeserializeOwned;

    /// Returns the query, which says where the batch starts.
    fn query_mut(&mut self) -> &mut ExportQuery;

    /// Returns a number that distinguishes a state of a record from others, by which a feed that
    /// never ends is recognized.
    fn key(record: &Self::Record) -> u64;
}
