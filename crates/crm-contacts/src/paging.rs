//! Lists page by page, as streams of pages or of items.

use crm_models::{Page, PageQuery};
use crm_transport::Transport;
use futures_core::Stream;
use futures_util::{FutureExt, StreamExt, TryStreamExt, future, stream};

use crate::{ContactsService, error::ContactsError, operation::Operation};

/// An operation that answers one page of a list.
pub trait PagedOperation: Operation<Answer = Page<Self::Item>> + Clone {
    /// What the list is of.
    type Item;

    /// The page that the request asks for.
    fn page_mut(&mut self) -> &mut PageQuery;
}

macro_rules! paged {
    ($operation:ty, $item:ty) => {
        impl crate::paging::PagedOperation for $operation {
            type Item = $item;

            fn page_mut(&mut self) -> &mut PageQuery {
                &mut self.page
            }
        }
    };
}
pub(crate) use paged;

/// A list that has not been asked for yet. Nothing is sent before it is polled.
///
/// ```
/// # use crm_contacts::{ContactsError, ContactsService};
/// # use crm_models::LocationId;
/// # use crm_transport::Transport;
/// use futures_util::TryStreamExt;
///
/// # async fn example<T: Transport>(contacts: ContactsService<T>, location: LocationId) -> Result<(), ContactsError> {
/// let items = contacts.location(location).list().page_size(200).items();
/// items
///     .try_for_each(|contact| async move {
///         println!("{} {}", contact.id, contact.contact_type);
///         Ok(())
///     })
///     .await
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "a list sends nothing before it is polled"]
pub struct List<'a, T, P> {
    service: &'a ContactsService<T>,
    /// One operation, or one per block of ids.
    operations: Vec<P>,
    page: PageQuery,
    prefetch: bool,
}

impl<'a, T: Transport, P: PagedOperation> List<'a, T, P> {
    pub(crate) fn new(service: &'a ContactsService<T>, operations: Vec<P>) -> Self {
        Self {
            service,
            operations,
            page: PageQuery::default(),
            prefetch: false,
        }
    }

    /// How many items a page may hold: 1 to 5000, the API's default is 50. Fewer, larger
    /// pages cost fewer calls; 200 to 500 is usual.
    pub fn page_size(mut self, items: i32) -> Self {
        self.page = self.page.page_size(items);
        self
    }

    /// Asks for [`Page::total_count`].
    pub fn include_total(mut self) -> Self {
        self.page = self.page.include_total(true);
        self
    }

    /// Asks for the next page while the present one is worked on: one page ahead, never more.
    pub fn prefetch(mut self) -> Self {
        self.prefetch = true;
        self
    }

    /// The pages, each with `has_more` and `total_count`. Ends after the page that says that
    /// there are no more, and after an empty one. After an error the stream ends.
    pub fn pages(self) -> impl Stream<Item = Result<Page<P::Item>, ContactsError>> + use<'a, T, P> {
        let Self {
            service,
            operations,
            page,
            prefetch,
        } = self;
        stream::iter(operations).flat_map(move |operation| {
            let fetch = move |number: i32| {
                let mut operation = operation.clone();
                *operation.page_mut() = page.page(number);
                Box::pin(future::maybe_done(
                    async move { service.call(&operation).await },
                ))
            };
            let first = Some((fetch(1), 2));
            stream::try_unfold(first, move |next| {
                let fetch = fetch.clone();
                async move {
                    let Some((mut awaited, number)) = next else {
                        return Ok(None);
                    };
                    awaited.as_mut().await;
                    let Some(answer) = awaited.as_mut().take_output() else {
                        return Ok(None);
                    };
                    let page = answer?;
                    let next = (page.has_more && !page.data.is_empty()).then(|| {
                        let mut next = fetch(number);
                        if prefetch {
                            // One poll sends the request; the answer waits in `next`.
                            let _ = next.as_mut().now_or_never();
                        }
                        (next, number + 1)
                    });
                    Ok(Some((page, next)))
                }
            })
        })
    }

    /// The items, one by one.
    pub fn items(self) -> impl Stream<Item = Result<P::Item, ContactsError>> + use<'a, T, P> {
        self.pages()
            .map_ok(|page| stream::iter(page.data.into_iter().map(Ok)))
            .try_flatten()
    }

    /// The first item that is wanted; asks for no further page once it is found.
    ///
    /// # Errors
    ///
    /// The first page that fails before the item is found.
    pub async fn find(
        self,
        wanted: impl Fn(&P::Item) -> bool,
    ) -> Result<Option<P::Item>, ContactsError> {
        let mut items = std::pin::pin!(self.items());
        while let Some(item) = items.try_next().await? {
            if wanted(&item) {
                return Ok(Some(item));
            }
        }
        Ok(None)
    }

    /// All items at once: the whole list in memory.
    ///
    /// # Errors
    ///
    /// The first page that fails; what came before is dropped.
    pub async fn collect(self) -> Result<Vec<P::Item>, ContactsError> {
        self.items().try_collect().await
    }
}
