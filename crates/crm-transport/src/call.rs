//! What layers must know of a call, carried in the request's extensions.

use std::time::Duration;

use crate::Request;

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
        }
    }

    /// Whose rate limit the call counts against.
    #[must_use]
    pub const fn rate_limit_key(mut self, key: u64) -> Self {
        self.rate_limit_key = key;
        self
    }

    /// How long one attempt may take.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// The call of a request. One without it is taken for a creation: nothing is repeated that
    /// may have been executed.
    #[must_use]
    pub fn of(request: &Request) -> &Self {
        const CAREFUL: &Call = &Call::new("unnamed", Effect::Creates);
        request.extensions().get().unwrap_or(CAREFUL)
    }
}

/// How many times the request was tried: in the extensions of an answer, absent after one
/// attempt, and in those of a repeated request, which attempts went before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempts(pub u32);
