//! Export feeds as streams of batches that can be resumed.

use std::{borrow::Borrow, marker::PhantomData, time::Duration};

use crm_models::{ContinuationToken, ExportBatch, ExportFrom, ExportQuery, Raw, TenantId};
use crm_transport::{Delivery, Request, Transport, TransportError, TransportErrorKind};
use derive_where::derive_where;
use futures_core::Stream;
use futures_util::stream;
use serde::de::DeserializeOwned;

use crate::{
    error::ContactsError,
    feed::FeedOperation,
    operation::Operation,
    operations::owner::{ExportContacts, Owner},
    pause,
    progress::{Progress, Stall, key_of},
    service::ContactsService,
    set_aside::{self, SetAside},
    spec::Spec,
};

/// The time to wait before asking a feed for news. The contract says 5 to 10 minutes.
pub const POLLING_INTERVAL: Duration = Duration::from_secs(5 * 60);

impl<T: Transport> ContactsService<T> {
    /// Returns the export feed of the contacts of one kind of owner, for example
    /// `export::<LocationId>()`.
    pub fn export<O: Owner>(&self) -> Export<T, ExportContacts<O>> {
        let query = ExportQuery::default();
        Export::new(self, ExportContacts { query, owner: PhantomData })
    }
}

/// An export feed in batches: all contacts of one kind of owner, deleted ones included
/// ([`ContactsService::export`]), or all owners of a kind themselves
/// ([`Owners::export`](crate::Owners::export)).
///
/// Each batch carries the continuation token after it in `continue_from`: once the batch is
/// safely stored, store the token, and a killed export continues without a gap. Repeats are
/// normal: apply records as an upsert by their ids. A change becomes visible about
/// 15 minutes after it was made, unless [`include_recent_changes`](Self::include_recent_changes).
///
/// ```
/// # use crm_contacts::{ContactsError, ContactsService, models::LocationId, transport::Transport};
/// use futures_util::TryStreamExt;
///
/// # async fn example<T: Transport>(contacts: ContactsService<T>) -> Result<(), ContactsError> {
/// let mut batches = contacts.export::<LocationId>().batches();
/// while let Some(batch) = batches.try_next().await? {
///     println!("{} contacts, then {:?}", batch.data.len(), batch.continue_from);
/// }
/// # Ok(())
/// # }
/// ```
#[derive_where(Debug, Clone; F)]
#[must_use = "an export sends nothing before it is polled"]
pub struct Export<T, F> {
    service: ContactsService<T>,
    operation: F,
    set_aside: bool,
}

impl<T: Transport, F: FeedOperation> Export<T, F> {
    pub(crate) fn new(service: &ContactsService<T>, operation: F) -> Self {
        Self { service: service.clone(), operation, set_aside: false }
    }

    fn with_query(mut self, change: impl FnOnce(ExportQuery) -> ExportQuery) -> Self {
        let query = self.operation.query_mut();
        *query = change(std::mem::take(query));
        self
    }

    /// Sets where to start: at the beginning, at a time of modification (inclusive), or at a saved
    /// token.
    pub fn from(self, from: ExportFrom) -> Self {
        self.with_query(|query| query.from(from))
    }

    /// Shows changes at once, at the price of more repeats between batches.
    pub fn include_recent_changes(self) -> Self {
        self.with_query(|query| query.include_recent_changes(true))
    }

    /// Sets records aside that are not what the contract says, in [`ExportBatch::unreadable`],
    /// instead of refusing their batch, so that one of them does not hold up the feed. Handle them
    /// before you store the token after the batch.
    pub fn set_aside(mut self) -> Self {
        self.set_aside = true;
        self
    }

    /// Returns the batches up to the current end of the feed, which is the batch that says
    /// `has_more` = false. Its token resumes the feed later. The stream ends after an error;
    /// continue from the last token. A feed that always says that there is more, with nothing new
    /// in it, ends with [`ContactsError::Stalled`].
    pub fn batches(
        self,
    ) -> impl Stream<Item = Result<ExportBatch<F::Record>, ContactsError>> + Unpin + use<T, F> {
        self.walk()
    }

    /// Returns the [`batches`](Self::batches) with the JSON of each record as the service wrote it,
    /// including members that this crate does not know.
    pub fn batches_with_json(self) -> impl Stream<Item = RawBatch<F::Record>> + Unpin + use<T, F> {
        self.walk()
    }

    fn walk<R>(
        self,
    ) -> impl Stream<Item = Result<ExportBatch<R>, ContactsError>> + Unpin + use<T, F, R>
    where
        R: DeserializeOwned + Borrow<F::Record>,
    {
        let start = Some(Position::new(self));
        Box::pin(stream::try_unfold(start, |position| async move {
            let Some(mut position) = position else {
                return Ok(None);
            };
            let batch = position.next().await?;
            let position = batch.has_more.then_some(position);
            Ok(Some((batch, position)))
        }))
    }

    /// Returns the batches without end: at the end of the feed the stream waits for `interval` and
    /// asks again. It ends when `stop` completes, between two batches or during a wait.
    ///
    /// ```
    /// # use crm_contacts::{ContactsError, ContactsService, models::LocationId, transport::Transport};
    /// use crm_contacts::{POLLING_INTERVAL, models::{ContinuationToken, ExportFrom}};
    /// use futures_util::TryStreamExt;
    ///
    /// # async fn example<T: Transport>(
    /// #     contacts: ContactsService<T>, saved: ContinuationToken, stop: impl Future<Output = ()>,
    /// # ) -> Result<(), ContactsError> {
    /// let export = contacts.export::<LocationId>().from(ExportFrom::Token(saved));
    /// let mut batches = export.follow(POLLING_INTERVAL, stop);
    /// while let Some(batch) = batches.try_next().await? {
    ///     // First store what came, then the token after it.
    ///     println!("{} contacts, then {:?}", batch.data.len(), batch.continue_from);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Empty batches are passed on too, since their token is the newest. The stream ends after any
    /// error, also one that would pass: to continue, follow again from the last token.
    pub fn follow(
        self,
        interval: Duration,
        stop: impl Future<Output = ()>,
    ) -> impl Stream<Item = Result<ExportBatch<F::Record>, ContactsError>> + Unpin {
        self.walk_on(interval, stop)
    }

    /// Does what [`follow`](Self::follow) does, with the JSON of each record as the service wrote
    /// it.
    pub fn follow_with_json(
        self,
        interval: Duration,
        stop: impl Future<Output = ()>,
    ) -> impl Stream<Item = RawBatch<F::Record>> + Unpin {
        self.walk_on(interval, stop)
    }

    fn walk_on<R>(
        self,
        interval: Duration,
        stop: impl Future<Output = ()>,
    ) -> impl Stream<Item = Result<ExportBatch<R>, ContactsError>> + Unpin
    where
        R: DeserializeOwned + Borrow<F::Record>,
    {
        let start = (Position::new(self), false, Box::pin(stop));
        Box::pin(stream::try_unfold(start, move |state| async move {
            let (mut position, at_end, mut stop) = state;
            let interval = if at_end { interval } else { Duration::ZERO };
            if !pause::is_possible(interval) {
                let error = TransportErrorKind::NoRuntime;
                let error = TransportError::new(error, Delivery::NotExecuted);
                return Err(ContactsError::transport(position.service.site(&F::SPEC, []), error));
            }
            tokio::select! {
                biased;
                () = &mut stop => return Ok(None),
                () = pause::make(interval) => {}
            }
            let batch = position.next().await?;
            let at_end = !batch.has_more;
            Ok(Some((batch, (position, at_end, stop))))
        }))
    }
}

/// A batch whose records keep their JSON, or the error that ends the feed.
pub type RawBatch<R> = Result<ExportBatch<Raw<R>>, ContactsError>;

/// The place in the feed where the next batch starts.
struct Position<T, F, R> {
    service: ContactsService<T>,
    batch: Batch<F, R>,
    token: Option<ContinuationToken>,
    set_aside: bool,
    progress: Progress,
}

/// One batch of the feed `F`, whose records are read as `R`, which holds one of the feed's.
struct Batch<F, R> {
    of: F,
    record: PhantomData<fn() -> R>,
}

impl<F: FeedOperation, R: DeserializeOwned> Operation for Batch<F, R> {
    type Answer = ExportBatch<R>;
    const SPEC: Spec = F::SPEC;

    fn request(&self, tenant: TenantId) -> Result<Request, ContactsError> {
        self.of.request(tenant)
    }
}

impl<T, F, R> Position<T, F, R>
where
    T: Transport,
    F: FeedOperation,
    R: DeserializeOwned + Borrow<F::Record>,
{
    fn new(export: Export<T, F>) -> Self {
        let mut of = export.operation;
        Self {
            service: export.service,
            token: of.query_mut().token().cloned(),
            batch: Batch { of, record: PhantomData },
            set_aside: export.set_aside,
            progress: Progress::of_feed(),
        }
    }

    /// Returns the next batch, always with a token: an answer without one keeps the token before
    /// it.
    async fn next(&mut self) -> Result<ExportBatch<R>, ContactsError> {
        let read = self.service.read_with(&self.batch, set_aside::batch).await?;
        let mut batch = read.record;
        if !self.set_aside {
            let tenant = self.service.tenant();
            SetAside::of(&batch.unreadable).is_none(&self.batch, tenant)?;
        }
        self.note(&batch).map_err(|how| ContactsError::Stalled {
            site: Box::new(self.service.site(&F::SPEC, [])),
            how,
        })?;
        if batch.continue_from.is_none() {
            batch.continue_from.clone_from(&self.token);
        }
        self.token.clone_from(&batch.continue_from);
        if let Some(token) = &self.token {
            let query = self.batch.of.query_mut();
            *query = std::mem::take(query).from(ExportFrom::Token(token.clone()));
        }
        Ok(batch)
    }

    /// Refuses a feed that makes no progress. At its end a feed may show the same records again.
    fn note(&mut self, batch: &ExportBatch<R>) -> Result<(), Stall> {
        if !batch.has_more {
            self.progress = Progress::of_feed();
            return Ok(());
        }
        if batch.continue_from.is_none() || batch.continue_from == self.token {
            return Err(Stall::Token);
        }
        let unreadable = batch.unreadable.iter().map(|record| key_of(&record.json));
        let readable = batch.data.iter().map(|record| F::key(record.borrow()));
        self.progress.note(readable.chain(unreadable))
    }
}
