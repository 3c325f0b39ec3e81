//! Locations and customers themselves, their names and addresses: the same operations on both, which
//! only read.

use crm_models::{OwnerDetails, OwnerFilter, Page, PageQuery};

use super::owner::Owner;
use crate::{paged::PagedOperation, progress::key_of, spec::Spec};

/// What the contract says of each.
pub(super) fn specs<O: Owner>() -> [Spec; 3] {
    [O::GET_OWNER, O::LIST_OWNERS, O::EXPORT_OWNERS]
}

operation! {
    /// `GET /{owners}/{id}`: one location or customer.
    Get<O>: O::Details = O::GET_OWNER => {
        path {
            /// The location or customer.
            id: O,
        }
        answered |this, found| found.id() == this.id;
    }
}

operation! {
    /// `GET /{owners}`: locations or customers by filters, page by page.
    GetList<O>: Page<O::Details> = O::LIST_OWNERS => {
        query {
            /// Selects and orders them.
            filter: OwnerFilter<O>,
            /// The page to ask for.
            page: PageQuery,
        }
        answered |this, found| found.data.iter().all(|item| this.has(item));
    }
}

impl<O: Owner> PagedOperation for GetList<O> {
    type Item = O::Details;

    fn page_mut(&mut self) -> &mut PageQuery {
        &mut self.page
    }

    fn key(item: &O::Details) -> Option<u64> {
        Some(key_of(&item.id()))
    }

    fn has(&self, item: &O::Details) -> bool {
        self.filter.admits(item)
    }
}

export! {
    /// `GET /export/{owners}`: one batch of the feed of active, deactivated and merged ones.
    ExportOwners<O>: O::Details = O::EXPORT_OWNERS => |record| {
        key_of(&(record.id(), record.modified_on()))
    }
}
