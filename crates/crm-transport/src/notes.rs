//! What is noted in the extensions of an answer, for those who read it.

#[cfg(any(feature = "reqwest", feature = "hyper"))]
use crate::call::{Call, Effect};
use crate::{clock::Moment, error::Delivery, message::Response};

/// The number of attempts that an answer took.
///
/// Stored in the answer's extensions by the retry layer; absent when the first attempt brought the
/// answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "cassette", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Attempts {
    /// The number of attempts, including the last.
    pub count: u32,
    /// Whether an attempt before the last may have been executed. If so, an answer that refuses the
    /// call does not say what became of it.
    pub earlier: Delivery,
}

impl Attempts {
    /// Creates a count of that many attempts. For a retry layer of one's own, and for tests.
    #[must_use]
    pub const fn new(count: u32, earlier: Delivery) -> Self {
        Self { count, earlier }
    }

    /// Returns the attempts that this answer took.
    #[must_use]
    pub fn of(response: &Response) -> Self {
        let one = Self::new(1, Delivery::NotExecuted);
        response.extensions().get().copied().unwrap_or(one)
    }
}

/// When the request left, of a read or of a write that must begin by a given moment.
///
/// Stored in the answer's extensions by the transport, which took the time right before the request
/// left. What the answer shows may be as old as that.
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
    /// Returns when the request of this answer left; `None` for any other write, and where its
    /// transport does not report it.
    #[must_use]
    pub fn of(response: &Response) -> Option<Moment> {
        response.extensions().get().map(|&Self(moment)| moment)
    }

    /// Returns this moment, if the call reads or must begin by one: for any other write it does not
    /// matter when it left.
    #[cfg(any(feature = "reqwest", feature = "hyper"))]
    pub(crate) fn now(call: &Call) -> Option<Self> {
        let is_asked_for = call.effect == Effect::Read || call.begin_by.is_some();
        is_asked_for.then(|| Self(Moment::now()))
    }
}
