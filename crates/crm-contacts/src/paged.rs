//! Operations that return one page of a list.

use crm_models::{Page, PageQuery};
use serde::de::DeserializeOwned;

use crate::operation::Operation;

/// An operation that returns one page of a list;
/// [`ContactsService::list`](crate::ContactsService::list) walks it.
///
/// ```
/// use crm_contacts::{
///     ContactsError, Operation, PagedOperation, Spec,
///     models::{Check, Page, PageQuery, TenantId},
///     transport::Request,
/// };
///
/// /// Lists all bookings: an operation that this crate lacks.
/// #[derive(Clone)]
/// struct GetBookings {
///     page: PageQuery,
/// }
///
/// impl Operation for GetBookings {
///     type Answer = Page<serde_json::Value>;
///     const SPEC: Spec = Spec::read("Bookings_GetList", "/bookings", "tn.crm.bookings:r");
///
///     fn request(&self, tenant: TenantId) -> Result<Request, ContactsError> {
///         self.page.check()?;
///         Self::SPEC.draft(tenant, []).query(&self.page)?.empty()
///     }
/// }
///
/// impl PagedOperation for GetBookings {
///     type Item = serde_json::Value;
///
///     fn page_mut(&mut self) -> &mut PageQuery {
///         &mut self.page
///     }
/// }
/// ```
pub trait PagedOperation: Operation<Answer = Page<Self::Item>> + Clone {
    /// The type of the list's items.
    type Item: DeserializeOwned;

    /// Returns the page that the request asks for. A list begins with it, by default with page 1.
    fn page_mut(&mut self) -> &mut PageQuery;

    /// Returns a number that distinguishes an item from others, by which a list that never ends is
    /// recognised, or `None` where there is nothing like an id. Then the number of the page is
    /// used.
    fn key(_item: &Self::Item) -> Option<u64> {
        None
    }

    /// Whether an item can belong to this list, by what its request asked for. A page with one that
    /// cannot is refused as [`ContactsError::AnotherRecord`](crate::ContactsError::AnotherRecord).
    fn has(&self, _item: &Self::Item) -> bool {
        true
    }
}

macro_rules! paged {
    ($operation:ty, $item:ty $(, |$this:ident, $found:ident| $has:expr)?) => {
        impl $crate::paged::PagedOperation for $operation {
            type Item = $item;

            fn page_mut(&mut self) -> &mut crm_models::PageQuery {
                &mut self.page
            }

            fn key(item: &$item) -> Option<u64> {
                Some($crate::progress::key_of(&item.id))
            }

            $(
                fn has(&self, $found: &$item) -> bool {
                    let $this = self;
                    $has
                }
            )?
        }
    };
}
pub(crate) use paged;
