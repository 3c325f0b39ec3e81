//! A list as a stream of pages or of items.

use crm_models::{Page, PageQuery, UnreadableRecord};
use crm_transport::{Moment, Transport};
use derive_where::derive_where;
use futures_core::Stream;
use futures_util::{StreamExt, TryStreamExt, future, stream};

use super::pages::Pages;
use crate::{
    error::ContactsError,
    paged::PagedOperation,
    reading::Reading,
    service::ContactsService,
    set_aside::{self, SetAside},
    with_json::ItemsWithJson,
};

impl<T: Transport> ContactsService<T> {
    /// Any list of the API: an operation of [`operations`](crate::operations), or one of your own.
    ///
    /// It is walked from the page that the operation asks for, the first unless one is set; the
    /// size and the total that it asks for are kept. To continue at a page that failed:
    ///
    /// ```
    /// # use crm_contacts::{
    /// #     ContactsError, ContactsService,
    /// #     models::{ContactFilter, LocationId},
    /// #     transport::Transport,
    /// # };
    /// use crm_contacts::{models::PageQuery, operations::locations::GetLocationsContactsList};
    /// use futures_util::TryStreamExt;
    ///
    /// # async fn example<T: Transport>(contacts: ContactsService<T>, filter: ContactFilter<LocationId>) -> Result<(), ContactsError> {
    /// let operation = GetLocationsContactsList {
    ///     filter,
    ///     // Pages count from 1, in the size in which they were asked for before.
    ///     page: PageQuery::new().page(4_000).page_size(500),
    /// };
    /// let mut pages = contacts.list(operation).pages();
    /// while let Some(page) = pages.try_next().await? {
    ///     println!("page {}: {} contacts", page.page, page.data.len());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn list<P: PagedOperation>(&self, operation: P) -> List<T, P> {
        List::new(self, vec![operation])
    }
}

/// A list that has not been asked for yet. Nothing is sent before it is polled.
///
/// Pages are numbered and not a snapshot: what changes meanwhile may appear twice or be missed.
/// Bound [`changed`](ContactsService::changed) with
/// [`modified_before`](crm_models::ContactFilter::modified_before), or take the
/// [export](ContactsService::export).
///
/// List and streams own a clone of their service, so they may outlive it: be returned, stored, or
/// made the body of an answer.
///
/// ```
/// # use crm_contacts::{ContactsError, ContactsService, models::LocationId, transport::Transport};
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
#[derive_where(Debug, Clone; P)]
#[must_use = "a list sends nothing before it is polled"]
pub struct List<T, P> {
    service: ContactsService<T>,
    /// One operation, or one per block of ids.
    operations: Vec<P>,
    prefetch: bool,
    set_aside: bool,
}

impl<T: Transport, P: PagedOperation> List<T, P> {
    pub(crate) fn new(service: &ContactsService<T>, operations: Vec<P>) -> Self {
        Self { service: service.clone(), operations, prefetch: false, set_aside: false }
    }

    fn each_page(mut self, change: impl Fn(PageQuery) -> PageQuery) -> Self {
        for operation in &mut self.operations {
            let page = operation.page_mut();
            *page = change(*page);
        }
        self
    }

    /// Sets how many items a page may hold: 1 to 5000. The API's default is 50. Fewer, larger pages
    /// cost fewer calls; 200 to 500 is usual.
    pub fn page_size(self, items: i32) -> Self {
        self.each_page(|page| page.page_size(items))
    }

    /// Asks for [`Page::total_count`].
    pub fn include_total(self) -> Self {
        self.each_page(|page| page.include_total(true))
    }

    /// Asks for the next page while the current one is processed: one page ahead, never more.
    ///
    /// That call continues only while the list is polled. If it failed in a way that passes, for
    /// example by a time-out because the work on the page took minutes, the page is asked for
    /// once more.
    pub fn prefetch(mut self) -> Self {
        self.prefetch = true;
        self
    }

    /// Sets items aside that are not what the contract says, in [`Page::unreadable`], instead of
    /// refusing their page. The [items](Self::items) then end with an error after all others, since
    /// they are not complete.
    ///
    /// ```
    /// # use crm_contacts::{ContactsError, ContactsService, models::LocationId, transport::Transport};
    /// use futures_util::TryStreamExt;
    ///
    /// # async fn example<T: Transport>(contacts: ContactsService<T>, location: LocationId) -> Result<(), ContactsError> {
    /// let mut pages = contacts.location(location).list().set_aside().pages();
    /// while let Some(page) = pages.try_next().await? {
    ///     println!("{} contacts", page.data.len());
    ///     for record in page.unreadable {
    ///         eprintln!("{record}");
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_aside(mut self) -> Self {
        self.set_aside = true;
        self
    }

    /// Returns the same list with the JSON of each item as the service wrote it, including members
    /// that this crate does not know.
    ///
    /// ```
    /// # use crm_contacts::{ContactsError, ContactsService, models::LocationId, transport::Transport};
    /// use futures_util::TryStreamExt;
    ///
    /// # async fn example<T: Transport>(contacts: ContactsService<T>, location: LocationId) -> Result<(), ContactsError> {
    /// let mut items = contacts.location(location).list().with_json().items();
    /// while let Some(contact) = items.try_next().await? {
    ///     println!("{}: {}", contact.id, contact.json());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_json(self) -> List<T, ItemsWithJson<P>> {
        List {
            service: self.service,
            operations: self.operations.into_iter().map(ItemsWithJson).collect(),
            prefetch: self.prefetch,
            set_aside: self.set_aside,
        }
    }

    /// Returns the pages, each with `has_more` and `total_count`. The stream ends after the page
    /// that says that there are no more, and after an error. A list that never ends, because its
    /// pages are empty or come again and again, ends with [`ContactsError::Stalled`].
    ///
    /// ```
    /// # use crm_contacts::{ContactsError, ContactsService, models::LocationId, transport::Transport};
    /// use futures_util::TryStreamExt;
    ///
    /// # async fn example<T: Transport>(contacts: ContactsService<T>, location: LocationId) -> Result<(), ContactsError> {
    /// let list = contacts.location(location).list().include_total();
    /// let mut pages = list.pages();
    /// while let Some(page) = pages.try_next().await? {
    ///     println!("{} of {:?} contacts", page.data.len(), page.total_count);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn pages(
        self,
    ) -> impl Stream<Item = Result<Page<P::Item>, ContactsError>> + Unpin + use<T, P> {
        self.readings().map_ok(|reading| reading.record)
    }

    /// Returns the pages, each with the moment at which its request left.
    fn readings(
        self,
    ) -> impl Stream<Item = Result<Reading<Page<P::Item>>, ContactsError>> + Unpin + use<T, P> {
        let Self { service, operations, prefetch, set_aside } = self;
        let tenant = service.tenant();
        // A page that is asked for ahead outlives the step that asks, so it has its own service.
        let call = move |operation: P| {
            let service = service.clone();
            async move { service.read_with(&operation, set_aside::page).await }
        };
        let pages = Pages::new(operations, tenant, call, prefetch, set_aside);
        Box::pin(stream::try_unfold(pages, |mut pages| async move {
            let page = pages.next().await?;
            Ok(page.map(|page| (page, pages)))
        }))
    }

    /// Returns the items, one by one.
    pub fn items(self) -> impl Stream<Item = Result<P::Item, ContactsError>> + Unpin + use<T, P> {
        let (first, tenant) = (self.operations.first().cloned(), self.service.tenant());
        let mut all = SetAside::default();
        let pages = self.readings().map_ok(Some);
        // After the last page it is reported if there was more.
        let pages = pages.chain(stream::once(future::ready(Ok(None))));
        pages
            .and_then(move |page| {
                let page = match (page, &first) {
                    (Some(Reading { record: page, .. }), _) => {
                        all.add(&page.unreadable);
                        Ok(page.data)
                    }
                    (None, Some(first)) => all.is_none(first, tenant).map(|()| Vec::new()),
                    (None, None) => Ok(Vec::new()),
                };
                future::ready(page)
            })
            .map_ok(|items| stream::iter(items.into_iter().map(Ok)))
            .try_flatten()
    }

    /// Returns the first item that is wanted; asks for no further page once it is found.
    ///
    /// # Errors
    ///
    /// Returns the error of the first page that fails before the item is found; and when it is not
    /// found, that there are items that cannot be read, since it may be one of them.
    pub async fn find(
        self,
        wanted: impl Fn(&P::Item) -> bool,
    ) -> Result<Option<P::Item>, ContactsError> {
        let found = self.search(wanted, |_| true).await?;
        Ok(found.map(|found| found.record))
    }

    /// [`find`](Self::find), with the moment at which the item was read. `may_be`: whether an item
    /// that cannot be read may be the one that is wanted.
    pub(crate) async fn search(
        self,
        wanted: impl Fn(&P::Item) -> bool,
        may_be: impl Fn(&UnreadableRecord) -> bool,
    ) -> Result<Option<Reading<P::Item>>, ContactsError> {
        let (first, tenant) = (self.operations.first().cloned(), self.service.tenant());
        let mut doubtful = SetAside::default();
        let mut pages = self.set_aside().readings();
        while let Some(Reading { record: page, at }) = pages.try_next().await? {
            if let Some(record) = page.data.into_iter().find(&wanted) {
                return Ok(Some(Reading { record, at }));
            }
            doubtful.add(page.unreadable.iter().filter(|record| may_be(record)));
        }
        match first {
            Some(first) => doubtful.is_none(&first, tenant).map(|()| None),
            None => Ok(None),
        }
    }

    /// Returns all items at once, with the whole list in memory.
    ///
    /// # Errors
    ///
    /// Returns the error of the first page that fails, or that has an item that cannot be read;
    /// what came before is dropped.
    pub async fn collect(self) -> Result<Vec<P::Item>, ContactsError> {
        Ok(self.collect_reading().await?.record)
    }

    /// [`collect`](Self::collect), together with when the request for the first page left: for
    /// writes that you decide on what the list shows.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`collect`](Self::collect).
    pub async fn collect_reading(mut self) -> Result<Reading<Vec<P::Item>>, ContactsError> {
        self.set_aside = false;
        let mut pages = self.readings();
        let mut all: Option<Reading<Vec<P::Item>>> = None;
        while let Some(reading) = pages.try_next().await? {
            match &mut all {
                Some(all) => all.record.extend(reading.record.data),
                None => all = Some(reading.map(|page| page.data)),
            }
        }
        let nothing = || Reading { record: Vec::new(), at: Moment::now() };
        Ok(all.unwrap_or_else(nothing))
    }
}
