//! The entry point: a transport and a tenant, on which all handles are built.

use std::{
    fmt::{self, Display},
    sync::Arc,
};

use crm_models::{TenantId, Tolerance};
use crm_transport::{Moment, Request, Response, SentAt, Transport, TransportError};
use tokio::time::Instant;

use crate::{
    bounds::Bounds,
    error::{CallSite, ContactsError},
    operation::{Operation, read_answer_to},
    reading::Reading,
    spec::Spec,
};

/// The contacts of one tenant, over any transport.
///
/// It is cheap to clone, whatever the transport is, since clones share it. Nothing is cached but
/// what the transport's layers cache.
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
/// The type of a ready transport has no name. In a struct of your own, hold the service without
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
    tolerance: Tolerance,
    bounds: Bounds,
}

impl<T> Clone for ContactsService<T> {
    fn clone(&self) -> Self {
        Self { transport: Arc::clone(&self.transport), ..*self }
    }
}

impl<T> fmt::Debug for ContactsService<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContactsService").field("tenant", &self.tenant).finish_non_exhaustive()
    }
}

impl<T: Transport> ContactsService<T> {
    /// Creates a service for one tenant. One transport may serve many tenants.
    #[must_use]
    pub fn new(transport: T, tenant: TenantId) -> Self {
        Self {
            transport: Arc::new(transport),
            tenant,
            legacy_preferences: false,
            tolerance: Tolerance::Nothing,
            bounds: Bounds::default(),
        }
    }

    /// Sends preferences in the form before May 2026, of three flags with invoices and statements
    /// as one, for a service that refuses the current five.
    #[must_use]
    pub fn with_legacy_preferences(mut self) -> Self {
        self.legacy_preferences = true;
        self
    }

    /// Lets numbers and addresses be written that the contract does not have, as
    /// [`CheckWith`](crm_models::CheckWith) does. Take a clone of a service for the writes that
    /// need it.
    ///
    /// ```
    /// # use crm_contacts::{ContactsError, ContactsService, models::LocationId, transport::Transport};
    /// use crm_contacts::models::{ContactType, CreateContactRequest, Tolerance};
    ///
    /// # async fn example<T: Transport>(
    /// #     contacts: &ContactsService<T>, location: LocationId,
    /// # ) -> Result<(), ContactsError> {
    /// let pager = CreateContactRequest::new(ContactType::from("Pager"), "#2206");
    /// let contacts = contacts.clone().tolerating(Tolerance::AnyType);
    /// contacts.location(location).create(pager).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn tolerating(mut self, tolerance: Tolerance) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// Sets the time by which everything that this service does must have ended, the
    /// [`deadline`](crm_transport::Call::deadline) of each call. Without one a call over
    /// `transport::standard` may take [5 minutes](crm_transport::RetryPolicy::total_time), queue
    /// and repeats included, and reading back after a lost answer one more. A call that does not
    /// end in time is a time-out; one that an answer 429 keeps waiting for longer ends at once, as
    /// `RateLimited`.
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
        self.bounds.deadline = Some(deadline.into());
        self
    }

    /// Returns the same service over another transport, for example one of your own around
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
            tolerance: self.tolerance,
            bounds: self.bounds,
        }
    }

    /// Sets the last moment at which a write of this service may begin, the
    /// [`begin_by`](crm_transport::Call::begin_by) of each. For a write that you decided on a
    /// reading of your own, it is [`Reading::begin_by`], two seconds after the reading. After it a
    /// write ends as [`Expired`](crm_transport::TransportErrorKind::Expired), not sent. Reading
    /// stays possible.
    ///
    /// What this crate itself decides on a reading needs no such bound, because it reads and
    /// decides again.
    ///
    /// ```
    /// # use crm_contacts::{
    /// #     ContactsError, ContactsService, models::{ContactId, LocationId}, transport::Transport,
    /// # };
    /// # async fn example<T: Transport>(
    /// #     contacts: &ContactsService<T>, location: LocationId, contact: ContactId,
    /// # ) -> Result<(), ContactsError> {
    /// let seen = contacts.location(location).read(contact).await?;
    /// if seen.record.memo.as_deref() == Some("to be deleted") {
    ///     let bounded = contacts.clone().with_begin_by(seen.begin_by());
    ///     bounded.location(location).delete(contact).await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn with_begin_by(mut self, moment: Moment) -> Self {
        self.bounds.begin_by(moment);
        self
    }

    /// Says whether the writes of this service repeat earlier ones at your decision, the
    /// [`resend`](crm_transport::Call::resend) of each. Such a write costs a repeat of the retry
    /// layer's budget; without one it ends as
    /// [`BudgetSpent`](crm_transport::TransportErrorKind::BudgetSpent), not sent.
    #[must_use]
    pub fn with_resend(mut self, resend: bool) -> Self {
        self.bounds.resend = resend;
        self
    }

    /// For a write that a reading decided: it begins by this moment, and may repeat a lost one. It
    /// was judged beside what was read, which tells more than the request alone.
    pub(crate) fn decided(&self, begin_by: Moment, resend: bool) -> Self {
        let mut decided = self.clone();
        decided.tolerance = self.tolerance.max(Tolerance::AnyType);
        decided.bounds.begin_by(begin_by);
        decided.bounds.resend |= resend;
        decided
    }

    pub(crate) fn bounds(&self) -> &Bounds {
        &self.bounds
    }

    pub(crate) fn tolerance(&self) -> Tolerance {
        self.tolerance
    }

    pub(crate) fn legacy_preferences(&self) -> bool {
        self.legacy_preferences
    }

    /// Returns the tenant whose contacts these are.
    #[must_use]
    pub fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// Returns the transport below.
    #[must_use]
    pub fn transport(&self) -> &T {
        &self.transport
    }

    /// Sends one operation and reads its answer.
    ///
    /// A write whose answer was lost is one of the errors below too, and nothing is read back.
    /// After a write ask [`outcome_is_unknown`](ContactsError::outcome_is_unknown).
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
    /// Returns [`ContactsError::Invalid`] before anything is sent, [`ContactsError::Transport`]
    /// when no answer came, [`ContactsError::Refused`] for a status outside 200 to 299,
    /// [`ContactsError::Unreadable`] for a success with another body than documented, and
    /// [`ContactsError::AnotherRecord`] for one about another record.
    pub async fn call<O: Operation>(&self, operation: &O) -> Result<O::Answer, ContactsError> {
        let (site, request) = self.request(operation)?;
        let (site, response) = answered(site, self.send(request).await)?;
        read_answer_to(operation, site, response, |_| None)
    }

    /// [`call`](Self::call) for a reading, together with when its request left. Where the transport
    /// does not report that, it counts from before the call.
    pub(crate) async fn read<O: Operation>(
        &self,
        operation: &O,
    ) -> Result<Reading<O::Answer>, ContactsError> {
        self.read_with(operation, |_| None).await
    }

    /// [`read`](Self::read) for a list, of which `read_each` sets aside what cannot be read.
    pub(crate) async fn read_with<O: Operation>(
        &self,
        operation: &O,
        read_each: fn(&[u8]) -> Option<O::Answer>,
    ) -> Result<Reading<O::Answer>, ContactsError> {
        let asked = Moment::now();
        let (site, request) = self.request(operation)?;
        let (site, response) = answered(site, self.send(request).await)?;
        let at = SentAt::of(&response).unwrap_or(asked);
        let record = read_answer_to(operation, site, response, read_each)?;
        Ok(Reading { record, at })
    }

    fn request<O: Operation>(&self, operation: &O) -> Result<(CallSite, Request), ContactsError> {
        let mut request = operation.request_tolerating(self.tenant, self.tolerance)?;
        self.bounds.set(&mut request);
        let site = CallSite::new(O::SPEC, request.uri().clone());
        Ok((site, request))
    }

    /// The transport's own future: in another one it would be moved once more with each call. Not
    /// that of the `Arc`, which is boxed.
    pub(crate) fn send(
        &self,
        request: Request,
    ) -> impl Future<Output = Result<Response, TransportError>> + Send {
        T::send_unboxed(&self.transport, request)
    }

    /// Returns the call site of an error that is not an answer.
    pub(crate) fn site<const N: usize>(&self, spec: &Spec, ids: [&dyn Display; N]) -> CallSite {
        spec.draft(self.tenant, ids).site(spec)
    }
}

/// Returns the answer of a call that got one.
pub(crate) fn answered(
    site: CallSite,
    sent: Result<Response, TransportError>,
) -> Result<(CallSite, Response), ContactsError> {
    match sent {
        Ok(response) => Ok((site, response)),
        Err(source) => Err(ContactsError::transport(site, source)),
    }
}
