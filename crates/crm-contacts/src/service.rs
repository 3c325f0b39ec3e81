//! The entry point: a transport, a tenant, and handles for the things of the API.

use std::{
    fmt::{self, Display},
    sync::Arc,
    time::Duration,
};

use crm_models::{
    BookingId, BookingProviderId, ContactFilter, CustomerId, LocationId, PersonId, TenantId,
};
use crm_transport::{Call, Transport};
use tokio::time::Instant;

use crate::{
    Bookings, Export, List, OwnerContacts, PagedOperation, People, PersonHandle, ProviderBooking,
    RefusalKind,
    error::{CallSite, ContactsError},
    operation::{Operation, Spec, read_answer},
    operations::owner::{GetContactListOfAll, Owner},
};

/// The contacts of one tenant, over any transport.
///
/// Cheap to clone, whatever the transport is: clones share it. Nothing is cached but what the
/// transport's layers cache.
///
/// ```
/// use crm_contacts::{
///     ContactsError, ContactsService,
///     models::{ContactChange, ContactId, LocationId, PreferenceChange},
///     transport::Transport,
/// };
///
/// async fn no_more_marketing<T: Transport>(
///     contacts: &ContactsService<T>,
///     location: LocationId,
///     contact: ContactId,
/// ) -> Result<(), ContactsError> {
///     let change = ContactChange::new()
///         .memo("Gate code 4411")
///         .preferences(PreferenceChange::new().marketing_updates(false));
///
///     match contacts.location(location).update(contact, &change).await {
///         Ok(updated) => println!("{} last changed {}", updated.id, updated.modified_on),
///         Err(e) if e.is_not_found() => eprintln!("no such contact: {e}"),
///         Err(e) if e.outcome_is_unknown() => eprintln!("look before repeating: {e}"),
///         Err(e) => return Err(e),
///     }
///     Ok(())
/// }
/// ```
///
/// The type of a ready transport has no name. So in a struct of your own hold the service without
/// a parameter, which is one over an `Arc<dyn Transport>`:
///
/// ```
/// use std::sync::Arc;
/// use crm_contacts::{ContactsService, models::TenantId, transport::Transport};
///
/// struct Crm {
///     contacts: ContactsService,
/// }
///
/// impl Crm {
///     /// Takes what `transport::standard` gives, or a mock.
///     fn new(transport: impl Transport + 'static, tenant: TenantId) -> Self {
///         let transport: Arc<dyn Transport> = Arc::new(transport);
///         Self {
///             contacts: ContactsService::new(transport, tenant),
///         }
///     }
/// }
/// ```
pub struct ContactsService<T = Arc<dyn Transport>> {
    transport: Arc<T>,
    tenant: TenantId,
    legacy_preferences: bool,
    deadline: Option<Instant>,
}

impl<T> Clone for ContactsService<T> {
    fn clone(&self) -> Self {
        Self {
            transport: Arc::clone(&self.transport),
            ..*self
        }
    }
}

impl<T> fmt::Debug for ContactsService<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContactsService")
            .field("tenant", &self.tenant)
            .finish_non_exhaustive()
    }
}

/// How many ids one call may filter by. The contract states no bound for contacts; its other
/// lists of ids stop at 50.
const IDS_PER_CALL: usize = 50;

/// When to read back after an unknown outcome: at once, then with the ordinary lists' lag.
const READ_BACK: [Duration; 3] = [
    Duration::ZERO,
    Duration::from_secs(1),
    Duration::from_secs(3),
];

/// How long reading back may take in all: a host that lost the answer may be silent to each look.
const READ_BACK_TIME: Duration = Duration::from_secs(60);

impl<T: Transport> ContactsService<T> {
    /// A service for one tenant. One transport may serve many tenants.
    #[must_use]
    pub fn new(transport: T, tenant: TenantId) -> Self {
        Self {
            transport: Arc::new(transport),
            tenant,
            legacy_preferences: false,
            deadline: None,
        }
    }

    /// Sends preferences in the form before May 2026: three flags, with invoices and
    /// statements as one. For a service that refuses the present five.
    #[must_use]
    pub fn with_legacy_preferences(mut self) -> Self {
        self.legacy_preferences = true;
        self
    }

    /// The time by which everything that this service does must have ended: the
    /// [`deadline`](Call::deadline) of each call. Without one a call over `transport::standard`
    /// may take [5 minutes](crm_transport::RetryPolicy::total_time), queue and repeats included,
    /// and reading back after a lost answer one more. What does not end in time is a time-out; a
    /// call that an answer 429 keeps waiting for longer ends at once, as `RateLimited`.
    ///
    /// Take a clone of a service for one piece of work, say the answer to one web request.
    ///
    /// ```
    /// use std::time::{Duration, Instant};
    /// # use crm_contacts::{ContactsService, transport::Transport};
    /// # fn example<T: Transport>(contacts: &ContactsService<T>) -> ContactsService<T> {
    /// contacts.clone().with_deadline(Instant::now() + Duration::from_secs(10))
    /// # }
    /// ```
    #[must_use]
    pub fn with_deadline(mut self, deadline: impl Into<Instant>) -> Self {
        self.deadline = Some(deadline.into());
        self
    }

    /// The same service over another transport, for example one of your own around
    /// [`transport`](Self::transport) that marks or watches the calls of one piece of work.
    ///
    /// ```
    /// # use crm_contacts::ContactsService;
    /// use crm_contacts::transport::{Call, Request, Response, Transport, TransportError};
    ///
    /// /// Lets no attempt take longer than a second.
    /// struct Hurried<T>(T);
    ///
    /// #[async_trait::async_trait]
    /// impl<T: Transport> Transport for Hurried<T> {
    ///     async fn send(&self, mut request: Request) -> Result<Response, TransportError> {
    ///         Call::of_mut(&mut request).timeout = Some(std::time::Duration::from_secs(1));
    ///         self.0.send(request).await
    ///     }
    /// }
    ///
    /// # fn example<T: Transport>(contacts: &ContactsService<T>) {
    /// let hurried = contacts.over(Hurried(contacts.transport()));
    /// # }
    /// ```
    #[must_use]
    pub fn over<U: Transport>(&self, transport: U) -> ContactsService<U> {
        ContactsService {
            transport: Arc::new(transport),
            tenant: self.tenant,
            legacy_preferences: self.legacy_preferences,
            deadline: self.deadline,
        }
    }

    pub(crate) fn legacy_preferences(&self) -> bool {
        self.legacy_preferences
    }

    /// Whose contacts.
    #[must_use]
    pub fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// The transport below.
    #[must_use]
    pub fn transport(&self) -> &T {
        &self.transport
    }

    /// Sends one operation and reads its answer.
    ///
    /// A write whose answer got lost is one of the errors below too, and nothing is read back:
    /// after a write ask [`outcome_is_unknown`](ContactsError::outcome_is_unknown).
    ///
    /// ```
    /// # use crm_contacts::{ContactsError, ContactsService, transport::Transport};
    /// use crm_contacts::operations::contact_methods::GetPreferenceMetadataList;
    ///
    /// # async fn example<T: Transport>(contacts: ContactsService<T>) -> Result<(), ContactsError> {
    /// for preference in contacts.call(&GetPreferenceMetadataList).await? {
    ///     println!("{}", preference.name);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`ContactsError::Invalid`] before anything is sent, [`ContactsError::Transport`] when
    /// no answer came, [`ContactsError::Refused`] for a status outside 200 to 299, and
    /// [`ContactsError::Unreadable`] for a success with another body than documented.
    pub async fn call<O: Operation>(&self, operation: &O) -> Result<O::Answer, ContactsError> {
        let mut request = operation.request(self.tenant)?;
        if let Some(deadline) = self.deadline {
            Call::of_mut(&mut request).deadline = Some(deadline);
        }
        let site = CallSite::new(O::SPEC, request.uri().clone());
        // Not that of the `Arc`, whose future is boxed.
        match T::send_unboxed(&self.transport, request).await {
            Ok(response) => read_answer::<O>(site, response),
            Err(source) => Err(ContactsError::transport(site, source)),
        }
    }

    /// [`call`](Self::call) for a write: a lost answer becomes
    /// [`ContactsError::OutcomeUnknown`].
    pub(crate) async fn write<O: Operation>(
        &self,
        operation: &O,
    ) -> Result<O::Answer, ContactsError> {
        self.call(operation)
            .await
            .map_err(ContactsError::or_unknown)
    }

    /// [`write`](Self::write) for a deletion: when an earlier attempt of this very call may
    /// have deleted the record, "not found" counts as done, and after a lost answer `gone`
    /// is asked until it says so.
    pub(crate) async fn delete<O: Operation, F>(
        &self,
        operation: &O,
        gone: impl Fn() -> F,
    ) -> Result<(), ContactsError>
    where
        F: Future<Output = Result<bool, ContactsError>>,
    {
        match self.call(operation).await {
            Ok(_) => Ok(()),
            Err(error) if !error.outcome_is_unknown() => Err(error),
            Err(error) if error.refusal_kind() == Some(RefusalKind::NotFound) => Ok(()),
            Err(error) => match self.read_back(gone, |gone| *gone).await {
                Ok(_) => Ok(()),
                Err(_) => Err(error.unknown()),
            },
        }
    }

    /// After an unknown outcome, looks until all is done, since ordinary lists may lag behind a
    /// write. Otherwise gives what it saw at last; nothing without time for a single look, or if
    /// time ran out within the last one.
    pub(crate) async fn read_back<R, F>(
        &self,
        look: impl Fn() -> F,
        is_done: impl Fn(&R) -> bool,
    ) -> Result<R, Option<R>>
    where
        F: Future<Output = Result<R, ContactsError>>,
    {
        let end = Instant::now() + READ_BACK_TIME;
        let end = self.deadline.map_or(end, |deadline| deadline.min(end));
        let mut seen = None;
        for pause in READ_BACK {
            if Instant::now() + pause >= end {
                break;
            }
            if !pause.is_zero() {
                tokio::time::sleep(pause).await;
            }
            let looked = tokio::time::timeout_at(end, look()).await;
            seen = looked.ok().and_then(Result::ok);
            if let Some(done) = seen.take_if(|seen| is_done(seen)) {
                return Ok(done);
            }
        }
        Err(seen)
    }

    /// The call site of an error that is not an answer.
    pub(crate) fn site<const N: usize>(&self, spec: &Spec, ids: [&dyn Display; N]) -> CallSite {
        spec.draft(self.tenant, ids).site(spec)
    }

    /// The contacts of one location.
    pub fn location(&self, location: LocationId) -> OwnerContacts<'_, T, LocationId> {
        self.owner(location)
    }

    /// The contacts of one customer.
    pub fn customer(&self, customer: CustomerId) -> OwnerContacts<'_, T, CustomerId> {
        self.owner(customer)
    }

    /// The contacts of one owner of either kind, for code that is generic over the two.
    pub fn owner<O: Owner>(&self, owner: O) -> OwnerContacts<'_, T, O> {
        OwnerContacts::new(self, owner)
    }

    /// The contacts over all owners that a filter selects. Long lists of owner ids are cut
    /// into blocks of 50, one after another.
    ///
    /// ```
    /// # use crm_contacts::{ContactsService, transport::Transport};
    /// use crm_contacts::models::{ContactFilter, LocationId, Timestamp};
    ///
    /// # async fn example<T: Transport>(contacts: ContactsService<T>) -> Result<(), Box<dyn std::error::Error>> {
    /// let since: Timestamp = "2026-11-01".parse()?;
    /// let filter = ContactFilter::<LocationId>::new().modified_on_or_after(since);
    /// for contact in contacts.changed(filter).collect().await? {
    ///     println!("{} of location {}", contact.id, contact.owner);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn changed<O: Owner>(&self, filter: ContactFilter<O>) -> List<T, GetContactListOfAll<O>> {
        let operations = filter
            .blocks(IDS_PER_CALL)
            .into_iter()
            .map(|filter| GetContactListOfAll {
                filter,
                page: Default::default(),
            })
            .collect();
        List::new(self, operations)
    }

    /// Any list of the API: an operation of [`operations`](crate::operations), or one of your own.
    ///
    /// It is walked from the page that the operation asks for, the first unless one is set; the size
    /// and the total that it asks for are kept. To go on at a page that failed:
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

    /// The export feed of one kind of owner: `export::<LocationId>()`.
    pub fn export<O: Owner>(&self) -> Export<T, O> {
        Export::new(self)
    }

    /// The contacts of one booking, whatever their provider; read only.
    pub fn booking(&self, booking: BookingId) -> Bookings<'_, T> {
        Bookings::new(self, booking)
    }

    /// The contacts of one booking of one booking provider, also for writing.
    pub fn provider_booking(
        &self,
        provider: BookingProviderId,
        booking: BookingId,
    ) -> ProviderBooking<'_, T> {
        ProviderBooking::new(self, provider, booking)
    }

    /// The people of Contacts v2.
    pub fn people(&self) -> People<'_, T> {
        People::new(self)
    }

    /// One person of Contacts v2.
    pub fn person(&self, id: PersonId) -> PersonHandle<'_, T> {
        PersonHandle::new(self, id)
    }
}
