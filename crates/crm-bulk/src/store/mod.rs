//! The store of a change set while it is carried out, who may carry it out, and the set's file.

mod cell;
#[cfg(any(test, feature = "contract"))]
#[cfg_attr(docsrs, doc(cfg(feature = "contract")))]
pub mod contract;
pub(crate) mod file;
mod interface;
pub(crate) mod lease;
pub mod tables;

pub use self::{
    file::{ChangeSet, Changes, DropSummary, Selection},
    interface::{Claim, Cursor, Expected, Loaded, Store, Which},
    lease::{Lease, Renewal},
};
