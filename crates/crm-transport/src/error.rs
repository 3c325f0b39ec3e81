//! Why there is no answer, and whether the request may have reached the server.

use std::{error::Error, fmt};

use crate::secrets::Secrets;

/// A cause of any kind.
type Cause = Box<dyn Error + Send + Sync>;

/// The error of a call that got no answer. A status is never an error: 404 and 503 are answers.
///
/// Whether a call may be repeated follows from [`delivery`](Self::delivery) and the call's
/// [`Effect`](crate::Effect), except for kinds that a repeat cannot heal. The error of a repeated
/// call is that of its last attempt, and its delivery covers all attempts: unknown if any of them
/// may have been executed. The message contains neither credentials nor the query.
///
/// ```
/// use crm_transport::{Delivery, TransportError, TransportErrorKind};
///
/// let error = TransportError::new(TransportErrorKind::Timeout, Delivery::Unknown);
/// assert!(error.is_timeout());
/// assert_eq!(error.to_string(), "no answer in time");
/// ```
#[derive(Debug)]
pub struct TransportError {
    kind: TransportErrorKind,
    delivery: Delivery,
    attempts: u32,
    source: Option<Cause>,
}

/// Whether the request may have reached the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "cassette", derive(serde::Serialize, serde::Deserialize))]
pub enum Delivery {
    /// The request was certainly not executed, whether it was sent or not: repeating is safe,
    /// whatever the call does.
    #[cfg_attr(feature = "cassette", serde(alias = "NotSent"))]
    NotExecuted,
    /// The request may have been executed.
    Unknown,
}

impl Delivery {
    /// The delivery of two attempts: unknown if one of them is.
    pub(crate) fn and(self, other: Self) -> Self {
        match self {
            Self::NotExecuted => other,
            Self::Unknown => Self::Unknown,
        }
    }
}

/// What happened. Each variant says what a repeat may assume; where none forbids it, delivery and
/// effect decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "cassette", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum TransportErrorKind {
    /// The request cannot be sent in its present form, for example because its URI names a host.
    /// Never repeated.
    InvalidRequest,
    /// There was no connection: it was refused, it was closed before it took a request, or the name
    /// has no address. Not sent.
    Connect,
    /// There was no secure connection. Not sent; never repeated, since it hardly heals.
    Tls,
    /// There was no answer in time. Not sent if the time ended while waiting for the rate limit or
    /// a token, or if connecting took too long; otherwise unknown.
    Timeout,
    /// The connection was closed or reset before the answer began. Unknown.
    Reset,
    /// The server closed an idle connection just as it was being reused, or an HTTP/2 server did
    /// not accept the request. Not sent; repeated at once the first time.
    ClosedWhileIdle,
    /// The answer began but ended too early. Unknown.
    IncompleteAnswer,
    /// The answer is larger than allowed. Unknown; never repeated.
    AnswerTooLarge,
    /// The answer is not HTTP, or its content encoding cannot be read. Unknown.
    UnreadableAnswer,
    /// The credentials cannot be used: the token endpoint refused them, a part of them is empty, or
    /// they do not fit into a header. Not sent; never repeated.
    Credentials,
    /// The token endpoint gave no token for a temporary reason, even when it was asked again. Not
    /// sent; not repeated, since the call has waited for it already.
    TokenEndpoint,
    /// Waiting for the rate limit would have taken longer than allowed. Not sent; not repeated.
    RateLimited,
    /// It was too late to begin the call ([`Call::begin_by`](crate::Call::begin_by)): what it was
    /// decided on may have changed since. Not sent; not repeated, since its caller has to look and
    /// decide again.
    Expired,
    /// The call was to be sent again ([`Call::resend`](crate::Call::resend)), and the retry budget
    /// is spent. Not sent; not repeated.
    BudgetSpent,
    /// The server of a shared rate limit is unavailable, and nothing may be sent without it. Not
    /// sent.
    LimitServer,
    /// Refused for good by a layer of the caller's own: this request must not be sent. Not sent;
    /// never repeated. Made by [`TransportError::refused`].
    Refused,
    /// Refused for now by a layer of the caller's own, for example by an open circuit breaker: the
    /// same request may be sent later. Not sent; not repeated, since the layer knows best when it
    /// lets calls pass again. Made by [`TransportError::refused_for_now`].
    RefusedForNow,
    /// There is no runtime of tokio's to wait or to work on. Not sent; never repeated.
    NoRuntime,
    /// Anything else.
    Other,
}

impl TransportErrorKind {
    /// Returns whether the same call would end in the same way, however often it is repeated.
    #[must_use]
    pub fn is_permanent(self) -> bool {
        use TransportErrorKind::*;
        matches!(self, InvalidRequest | Tls | AnswerTooLarge | Credentials | Refused | NoRuntime)
    }

    fn message(self) -> &'static str {
        match self {
            Self::InvalidRequest => "the request cannot be sent as it is",
            Self::Connect => "could not connect to the host; check its name and the network",
            Self::Tls => "could not establish a secure connection to the host",
            Self::Timeout => "no answer in time",
            Self::Reset => "the connection was closed before the service answered",
            Self::ClosedWhileIdle => {
                "the server closed an idle connection or did not accept the request"
            }
            Self::IncompleteAnswer => "the answer was cut off",
            Self::AnswerTooLarge => "the answer is larger than allowed",
            Self::UnreadableAnswer => "the answer is not HTTP, or its encoding cannot be read",
            Self::Credentials => "the credentials cannot be used",
            Self::TokenEndpoint => "the token endpoint did not issue a token",
            Self::RateLimited => "waiting for the rate limit would take too long",
            Self::Expired => {
                "it was too late to send the request: the data behind it may have changed"
            }
            Self::BudgetSpent => "not sent again: too many requests have failed recently",
            Self::LimitServer => "the server of the shared rate limit cannot be reached",
            Self::Refused => "refused before it was sent",
            Self::RefusedForNow => "refused for now, before it was sent",
            Self::NoRuntime => "no runtime of tokio's is there to wait or to work on",
            Self::Other => "the transport failed",
        }
    }
}

impl TransportError {
    /// Creates an error without a cause.
    #[must_use]
    pub fn new(kind: TransportErrorKind, delivery: Delivery) -> Self {
        Self { kind, delivery, attempts: 1, source: None }
    }

    /// Creates the error of a layer of your own that refuses a request for good: whoever sends it
    /// has to correct something. In a run of a change set, the change fails and the others go on.
    ///
    /// ```
    /// use crm_transport::{Delivery, TransportError};
    ///
    /// let error = TransportError::refused("this customer is not to be written to");
    /// assert_eq!(error.delivery(), Delivery::NotExecuted);
    /// assert!(error.kind().is_permanent());
    /// ```
    #[must_use]
    pub fn refused(reason: impl Into<Cause>) -> Self {
        let error = Self::new(TransportErrorKind::Refused, Delivery::NotExecuted);
        error.with_source(reason)
    }

    /// Creates the error of a layer of your own that refuses a request for now: the same one may be
    /// sent later. In a run of a change set, the change is still to be made.
    ///
    /// ```
    /// use crm_transport::{Delivery, TransportError};
    ///
    /// let error = TransportError::refused_for_now("the circuit is open for another 20 s");
    /// assert_eq!(error.delivery(), Delivery::NotExecuted);
    /// assert!(!error.kind().is_permanent());
    /// ```
    #[must_use]
    pub fn refused_for_now(reason: impl Into<Cause>) -> Self {
        let error = Self::new(TransportErrorKind::RefusedForNow, Delivery::NotExecuted);
        error.with_source(reason)
    }

    /// Adds the cause, whose message becomes part of this one's. [`source`](Error::source)
    /// therefore returns the cause's own cause, and [`get_ref`](Self::get_ref) the cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Cause>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Names the host that there was no connection to.
    #[cfg(any(feature = "hyper", feature = "reqwest"))]
    pub(crate) fn at(self, host: &str) -> Self {
        match &self.source {
            Some(reason) if self.is_connect() => {
                let told = format!("{host}: {reason}");
                self.with_source(told)
            }
            _ => self,
        }
    }

    /// The error of a call: that of its last attempt, with what the earlier ones may have done.
    pub(crate) fn after(mut self, attempts: u32, earlier: Delivery) -> Self {
        self.attempts = attempts;
        self.delivery = self.delivery.and(earlier);
        self
    }

    /// The same error without the secrets that its cause quotes: a server may repeat what it was
    /// sent.
    pub(crate) fn scrubbed(mut self, secrets: &Secrets) -> Self {
        let Some(source) = &self.source else {
            return self;
        };
        let source: &(dyn Error + 'static) = &**source;
        let chain = std::iter::successors(Some(source), |&cause| cause.source());
        let mut texts = chain.flat_map(|cause| [cause.to_string(), format!("{cause:?}")]);
        if texts.any(|text| secrets.scrub(&text) != text) {
            let told = secrets.scrub(&source.to_string()).into_owned();
            self.source = Some(told.into());
        }
        self
    }

    /// Returns what happened.
    #[must_use]
    pub fn kind(&self) -> TransportErrorKind {
        self.kind
    }

    /// Returns whether the request may have been executed, by any of its attempts.
    #[must_use]
    pub fn delivery(&self) -> Delivery {
        self.delivery
    }

    /// Returns how many times the request was tried.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Returns the cause, as [`std::io::Error::get_ref`] does.
    #[must_use]
    pub fn get_ref(&self) -> Option<&(dyn Error + Send + Sync + 'static)> {
        self.source.as_deref()
    }

    /// Returns whether there was no answer in time.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        self.kind == TransportErrorKind::Timeout
    }

    /// Returns whether there was no connection.
    #[must_use]
    pub fn is_connect(&self) -> bool {
        matches!(self.kind, TransportErrorKind::Connect | TransportErrorKind::Tls)
    }

    /// Returns whether the credentials cannot be used: refused by the token endpoint, or empty.
    #[must_use]
    pub fn is_credentials(&self) -> bool {
        self.kind == TransportErrorKind::Credentials
    }
}

// By hand, as `std::io::Error` is: the message holds the cause's, so the cause is no link of the
// chain of its own, which thiserror would make of it.
impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.message())?;
        if let Some(source) = &self.source {
            write!(f, ": {source}")?;
        }
        match self.attempts {
            ..=1 => Ok(()),
            attempts => write!(f, " (after {attempts} attempts)"),
        }
    }
}

impl Error for TransportError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref()?.source()
    }
}
