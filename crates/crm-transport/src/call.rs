//! What layers must know of a call, carried in the request's extensions.

use std::{future::poll_fn, pin::pin, task::Poll, time::Duration};

use tokio::time::{Instant, timeout_at};

use crate::{Delivery, Moment, Request, Response, TransportError, TransportErrorKind};

/// What a repeat of a call would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Nothing: the call only reads.
    Read,
    /// The same once more: updating, replacing, deleting.
    Idempotent,
    /// One more: creating.
    Creates,
}

/// What layers must know of a call.
///
/// ```
/// use crm_transport::{Call, Effect, Request};
///
/// let mut request = Request::new(Default::default());
/// assert_eq!(Call::of(&request).effect, Effect::Creates, "careful unless told");
///
/// request.extensions_mut().insert(Call::new("Locations_GetContactList", Effect::Read));
/// assert_eq!(Call::of(&request).operation, "Locations_GetContactList");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Call {
    /// The operation, for traces and metrics: one of a small set of names.
    pub operation: &'static str,
    /// What a repeat would do.
    pub effect: Effect,
    /// Whose rate limit the call counts against: the tenant.
    pub rate_limit_key: u64,
    /// How long one attempt may take; the transport's own time-out unless set.
    pub timeout: Option<Duration>,
    /// When all attempts and waits must have ended.
    pub deadline: Option<Instant>,
    /// When it must have begun: the last moment at which the request may leave.
    pub begin_by: Option<Moment>,
    /// Whether it repeats an earlier write at its caller's decision, and so costs a repeat.
    pub resend: bool,
    /// How often it was sent before, for traces: the attempts that the retry layer made, and one
    /// more if this attempt had an answer 401. Those of earlier attempts are not counted.
    pub resend_count: u32,
}

impl Call {
    /// A call without a time-out of its own, in the rate limit of key 0.
    #[must_use]
    pub const fn new(operation: &'static str, effect: Effect) -> Self {
        Self {
            operation,
            effect,
            rate_limit_key: 0,
            timeout: None,
            deadline: None,
            begin_by: None,
            resend: false,
            resend_count: 0,
        }
    }

    /// Whose rate limit the call counts against.
    #[must_use]
    pub const fn rate_limit_key(mut self, key: u64) -> Self {
        self.rate_limit_key = key;
        self
    }

    /// How long one attempt may take, from the connection to the answer's last byte. A time-out
    /// tells that nothing was sent only where it is longer than the transport waits for a
    /// connection ([`Limits::connect_timeout`](crate::Limits::connect_timeout)); of a shorter one
    /// the delivery may be unknown though there was no connection.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// When the call must have ended, with all its attempts and waits.
    ///
    /// The layers keep to it: rate limit and auth wait no longer, which is a time-out of a call
    /// that was not sent (or [`RateLimited`](crate::TransportErrorKind::RateLimited) at once, when
    /// the gate opens later). Retry and the transport begin nothing after it, and cut off what is
    /// on its way. As with [`timeout`](Self::timeout), that tells that nothing was sent only where
    /// the deadline lies beyond [`Limits::connect_timeout`](crate::Limits::connect_timeout).
    ///
    /// Below the retry layer it is set: to the caller's, or to the end of the policy's total time.
    #[must_use]
    pub fn deadline(mut self, deadline: impl Into<Instant>) -> Self {
        self.deadline = Some(deadline.into());
        self
    }

    /// When the call must have begun: after this moment its request does not leave. For a write that
    /// was decided on what a reading showed, and that nobody wants once the reading is old.
    ///
    /// What waits for its turn ends as soon as that is clear, and a transport looks once more right
    /// before the request leaves. It ends as [`Expired`](crate::TransportErrorKind::Expired), not
    /// sent: read, and decide again. The retry layer repeats such a call only if the attempt before
    /// was surely not executed, and never after this moment.
    ///
    /// ```
    /// use std::time::Duration;
    /// use crm_transport::{Call, Effect, Moment};
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
    /// let read_at = Moment::now();
    /// // … read, and decide what to write …
    /// let call = Call::new("Contacts_Update", Effect::Idempotent)
    ///     .begin_by(read_at.after(Duration::from_secs(2)));
    /// assert!(call.may_begin().is_ok());
    /// # });
    /// ```
    #[must_use]
    pub const fn begin_by(mut self, moment: Moment) -> Self {
        self.begin_by = Some(moment);
        self
    }

    /// Whether the call repeats an earlier write at the decision of its caller, as a service does
    /// after a lost answer, or a run of a change set.
    ///
    /// Such a call draws on the budget of the retry layer as that layer's own repeats do, so that
    /// no outage is multiplied by them. Without budget it ends as
    /// [`BudgetSpent`](crate::TransportErrorKind::BudgetSpent), not sent.
    #[must_use]
    pub const fn resend(mut self, resend: bool) -> Self {
        self.resend = resend;
        self
    }

    /// Whether the call may still begin, by its [`begin_by`](Self::begin_by). For layers that wait,
    /// and for transports right before the request leaves.
    ///
    /// # Errors
    ///
    /// [`Expired`](crate::TransportErrorKind::Expired), not sent, when it is too late.
    pub fn may_begin(&self) -> Result<(), TransportError> {
        match self.begin_by {
            Some(moment) if moment.has_passed() => Err(expired()),
            _ => Ok(()),
        }
    }

    /// How long an attempt that begins now may take: the call's time-out, or else the transport's,
    /// but not beyond the deadline. For transports.
    ///
    /// ```
    /// use std::time::{Duration, Instant};
    /// use crm_transport::{Call, Effect};
    ///
    /// let call = Call::new("Test", Effect::Read).deadline(Instant::now() + Duration::from_secs(2));
    /// assert!(call.time_left(Duration::from_secs(100))? <= Duration::from_secs(2));
    /// # Ok::<(), crm_transport::TransportError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// A time-out that was not sent, when the deadline has passed.
    pub fn time_left(&self, transports_own: Duration) -> Result<Duration, TransportError> {
        let timeout = self.timeout.unwrap_or(transports_own);
        let Some(deadline) = self.deadline else {
            return Ok(timeout);
        };
        match deadline.saturating_duration_since(Instant::now()) {
            Duration::ZERO => Err(not_begun()),
            left => Ok(timeout.min(left)),
        }
    }

    /// The call of a request. One without it is taken for a creation: nothing is repeated that
    /// may have been executed.
    #[must_use]
    pub fn of(request: &Request) -> &Self {
        request.extensions().get().unwrap_or(CAREFUL)
    }

    /// The call of a request, to change it.
    #[must_use]
    pub fn of_mut(request: &mut Request) -> &mut Self {
        let extensions = request.extensions_mut();
        extensions.get_or_insert_with(|| CAREFUL.clone())
    }
}

/// What a request counts as that says nothing of itself.
pub(crate) const CAREFUL: &Call = &Call::new("unnamed", Effect::Creates);

/// The attempts that an answer took.
///
/// In the answer's extensions, put there by the retry layer; absent when the first attempt
/// brought it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "cassette", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Attempts {
    /// How many, the last included.
    pub count: u32,
    /// Whether one before the last may have been executed. Then an answer that refuses the call
    /// says nothing of what became of it.
    pub earlier: Delivery,
}

impl Attempts {
    /// So many attempts. For a retry layer of one's own, and for tests.
    #[must_use]
    pub const fn new(count: u32, earlier: Delivery) -> Self {
        Self { count, earlier }
    }

    /// The attempts that this answer took.
    #[must_use]
    pub fn of(response: &Response) -> Self {
        let one = Self::new(1, Delivery::NotExecuted);
        response.extensions().get().copied().unwrap_or(one)
    }
}

/// When the request of a reading left, or of a write that must begin by a moment.
///
/// In the extensions of the answer, put there by the transport, which looked right before the
/// request left. What the answer shows may be as old as that.
///
/// ```
/// use crm_transport::{Moment, Response, SentAt};
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// let mut response = Response::default();
/// assert_eq!(SentAt::of(&response), None);
///
/// let now = Moment::now();
/// response.extensions_mut().insert(SentAt(now));
/// assert_eq!(SentAt::of(&response), Some(now));
/// # });
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SentAt(pub Moment);

impl SentAt {
    /// When the request of this answer left; none for any other write, and where its transport does not tell.
    #[must_use]
    pub fn of(response: &Response) -> Option<Moment> {
        response.extensions().get().map(|&Self(moment)| moment)
    }

    /// This moment, if the call reads or must begin by one: of no other write anybody asks when it
    /// left.
    #[cfg(any(feature = "reqwest", feature = "hyper"))]
    pub(crate) fn now(call: &Call) -> Option<Self> {
        let is_asked_for = call.effect == Effect::Read || call.begin_by.is_some();
        is_asked_for.then(|| Self(Moment::now()))
    }
}

/// Waits for what must be there before a request is sent, as long as its call may still begin.
pub(crate) async fn before_sending<T>(
    call: &Call,
    waiting: impl Future<Output = Result<T, TransportError>>,
) -> Result<T, TransportError> {
    let mut waiting = pin!(waiting);
    // Mostly it is there at once, and then no timer is needed.
    let ready = match poll_fn(|context| Poll::Ready(waiting.as_mut().poll(context))).await {
        Poll::Ready(ready) => ready,
        Poll::Pending => in_time(call, waiting).await?,
    };
    // The machine may have slept meanwhile, and then no timer has told.
    call.may_begin()?;
    ready
}

/// What comes while the call may still begin.
async fn in_time<T>(call: &Call, waiting: impl Future<Output = T>) -> Result<T, TransportError> {
    let begin_by = (call.begin_by).map(|moment| Instant::now() + moment.time_left());
    let Some(end) = earlier(call.deadline, begin_by) else {
        return Ok(waiting.await);
    };
    timeout_at(end, waiting).await.map_err(|_| {
        let is_too_old = begin_by == Some(end);
        if is_too_old { expired() } else { not_begun() }
    })
}

/// The earlier of the two, if there is one.
pub(crate) fn earlier(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// The deadline passed before anything was sent.
pub(crate) fn not_begun() -> TransportError {
    TransportError::new(TransportErrorKind::Timeout, Delivery::NotExecuted)
        .with_source("the deadline passed before it was sent")
}

/// The last moment to begin passed before anything was sent.
pub(crate) fn expired() -> TransportError {
    TransportError::new(TransportErrorKind::Expired, Delivery::NotExecuted)
}
