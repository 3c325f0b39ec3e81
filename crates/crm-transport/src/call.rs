//! What the layers need to know about a call, carried in the request's extensions.

use std::time::Duration;

use tokio::time::Instant;

use crate::{
    clock::{CENTURY, Moment},
    error::{Delivery, TransportError, TransportErrorKind},
    message::Request,
};

/// The effect of a repeat of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    /// None: the call only reads.
    Read,
    /// The same effect once more: updating, replacing, deleting.
    Idempotent,
    /// One more record: creating.
    Creates,
}

/// What the layers need to know about a call.
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
    /// The key of the rate limit that the call counts against: the tenant.
    pub rate_limit_key: u64,
    /// How long one attempt may take; the transport's own time-out applies unless this is set.
    pub timeout: Option<Duration>,
    /// When all attempts and waits must have ended.
    pub deadline: Option<Instant>,
    /// When the call must have begun: the last moment at which the request may leave.
    pub begin_by: Option<Moment>,
    /// Whether the call repeats an earlier write at its caller's decision, and so costs a repeat.
    pub resend: bool,
    /// How often the call was sent before, for traces: the number of attempts that the retry layer
    /// made, plus one if this attempt had an answer 401. The 401s of earlier attempts are not
    /// counted.
    pub resend_count: u32,
}

impl Call {
    /// Creates a call without a time-out of its own, in the rate limit of key 0.
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

    /// Sets the key of the rate limit that the call counts against.
    #[must_use]
    pub const fn rate_limit_key(mut self, key: u64) -> Self {
        self.rate_limit_key = key;
        self
    }

    /// Sets how long one attempt may take, from the connection to the answer's last byte. A
    /// time-out shows that nothing was sent only if it is longer than the transport waits for a
    /// connection ([`Limits::connect_timeout`](crate::Limits::connect_timeout)); with a shorter one
    /// the delivery may be unknown even though there was no connection.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sets when the call must have ended, including all its attempts and waits.
    ///
    /// The layers respect it: rate limit and auth wait no longer, which is a time-out of a call
    /// that was not sent (or [`RateLimited`](crate::TransportErrorKind::RateLimited) at once, when
    /// the gate opens later). Retry and the transport begin nothing after it, and cut off what is
    /// in progress. As with [`timeout`](Self::timeout), that shows that nothing was sent only if
    /// the deadline is later than [`Limits::connect_timeout`](crate::Limits::connect_timeout).
    ///
    /// Below the retry layer it is set: to the caller's deadline, or to the end of the policy's
    /// total time.
    #[must_use]
    pub fn deadline(mut self, deadline: impl Into<Instant>) -> Self {
        self.deadline = Some(deadline.into());
        self
    }

    /// Sets when the call must have begun: after this moment its request does not leave. This is
    /// for a write that was decided on what a read showed, and that is unwanted once that read is
    /// old.
    ///
    /// A call that waits for its turn ends as soon as it is clear that it will be too late, and a
    /// transport checks once more right before the request leaves. The call ends as
    /// [`Expired`](crate::TransportErrorKind::Expired), not sent: read, and decide again. The retry
    /// layer repeats such a call only if the previous attempt was certainly not executed, and never
    /// after this moment.
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

    /// Sets whether the call repeats an earlier write at the decision of its caller, as a service
    /// does after a lost answer, or a run of a change set.
    ///
    /// Such a call draws on the budget of the retry layer just as that layer's own repeats do, so
    /// that they multiply no outage. If the budget is spent, it ends as
    /// [`BudgetSpent`](crate::TransportErrorKind::BudgetSpent), not sent.
    #[must_use]
    pub const fn resend(mut self, resend: bool) -> Self {
        self.resend = resend;
        self
    }

    /// Checks whether the call may still begin, by its [`begin_by`](Self::begin_by). For layers
    /// that wait, and for transports right before the request leaves.
    ///
    /// # Errors
    ///
    /// Returns [`Expired`](crate::TransportErrorKind::Expired), not sent, when it is too late.
    pub fn may_begin(&self) -> Result<(), TransportError> {
        match self.begin_by {
            Some(moment) if moment.has_passed() => Err(expired()),
            _ => Ok(()),
        }
    }

    /// Returns how long an attempt that begins now may take: the call's time-out, or else the
    /// transport's, but not beyond the deadline. For transports.
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
    /// Returns a time-out that was not sent, when the deadline has passed.
    pub fn time_left(&self, transports_own: Duration) -> Result<Duration, TransportError> {
        let now = Instant::now();
        Ok(self.ends(now, transports_own)? - now)
    }

    /// Returns by when an attempt must have ended that begins then.
    pub(crate) fn ends(
        &self,
        begins: Instant,
        transports_own: Duration,
    ) -> Result<Instant, TransportError> {
        let end = begins.checked_add(self.timeout.unwrap_or(transports_own));
        match (end, self.deadline) {
            (_, Some(deadline)) if deadline <= begins => Err(not_begun()),
            (Some(end), Some(deadline)) => Ok(end.min(deadline)),
            (end, deadline) => Ok(end.or(deadline).unwrap_or(begins + CENTURY)),
        }
    }

    /// Returns the call of a request. A request without one is treated as a creation: nothing is
    /// repeated that may have been executed.
    #[must_use]
    pub fn of(request: &Request) -> &Self {
        request.extensions().get().unwrap_or(CAREFUL)
    }

    /// Returns the call of a request, to change it.
    #[must_use]
    pub fn of_mut(request: &mut Request) -> &mut Self {
        let extensions = request.extensions_mut();
        extensions.get_or_insert_with(|| CAREFUL.clone())
    }
}

/// What a request without a call of its own counts as.
pub(crate) const CAREFUL: &Call = &Call::new("unnamed", Effect::Creates);

/// The error of a call whose deadline passed before anything was sent.
pub(crate) fn not_begun() -> TransportError {
    TransportError::new(TransportErrorKind::Timeout, Delivery::NotExecuted)
        .with_source("the deadline passed before it was sent")
}

/// The error of a call whose last moment to begin passed before anything was sent.
pub(crate) fn expired() -> TransportError {
    TransportError::new(TransportErrorKind::Expired, Delivery::NotExecuted)
}
