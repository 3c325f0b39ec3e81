//! What can go wrong, told apart by what the caller can do about it.

use std::{error::Error, fmt, time::Duration};

use crm_models::{Contact, ContactId, InvalidInput, PreferencesUnknown, Problem, Timestamp};
use crm_transport::{Attempts, Delivery, Effect, Response, TransportError, retry_after};
use http::{Method, StatusCode, Uri};
use serde::de::DeserializeOwned;

use crate::{operation::Spec, update::Difference};

/// The call that an error speaks of. Neither its text nor its [`Debug`] shows the query.
#[derive(Clone)]
pub struct CallSite {
    /// The contract's `operationId`.
    pub operation: &'static str,
    /// The HTTP method.
    pub method: Method,
    /// What a repeat of the call would do.
    pub effect: Effect,
    /// The OAuth 2.0 scope that the operation needs.
    pub scope: &'static str,
    uri: Uri,
}

impl CallSite {
    /// The site of a call that sends `uri`.
    #[must_use]
    pub fn new(spec: Spec, uri: Uri) -> Self {
        Self {
            operation: spec.id,
            method: spec.method,
            effect: spec.effect,
            scope: spec.scope,
            uri,
        }
    }

    /// The path of the record below the tenant, for example `/locations/55021/contacts/71204`.
    /// The query is left out: it may hold personal data.
    #[must_use]
    pub fn record(&self) -> &str {
        let path = self.uri.path();
        path.strip_prefix("/crm/v2/tenant/")
            .and_then(|rest| rest.find('/').map(|slash| &rest[slash..]))
            .unwrap_or(path)
    }
}

impl fmt::Debug for CallSite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallSite")
            .field("operation", &self.operation)
            .field("method", &self.method)
            .field("record", &self.record())
            .finish_non_exhaustive()
    }
}

impl fmt::Display for CallSite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} {})", self.operation, self.method, self.record())
    }
}

/// Why a use case ended without its result.
///
/// The message is one line: what failed, on which record, why, and what to do.
/// [`source`](Error::source) gives only what lies below, so that a chain of causes repeats
/// nothing. [`advice`](Self::advice) says whether repeating can help.
///
/// ```
/// use crm_contacts::{Advice, ContactsError};
///
/// /// What a job does with a failed row.
/// fn next_step(error: &ContactsError) -> &'static str {
///     match error.advice() {
///         Advice::Later => "put it back into the queue",
///         Advice::LookFirst => "read the contact, then decide",
///         Advice::Done => "keep it as done, and report the difference",
///         _ => "set it aside for a person",
///     }
/// }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum ContactsError {
    /// The API would refuse the input. Nothing was sent.
    Invalid(InvalidInput),

    /// Some preferences are to change, the API takes them only as a whole, and the others are
    /// not known. Nothing was written.
    PreferencesUnknown {
        /// The update.
        site: Box<CallSite>,
        /// Which flags to give.
        source: PreferencesUnknown,
    },

    /// The contact is not among its owner's contacts.
    NotFound {
        /// The list that was searched.
        site: Box<CallSite>,
        /// Who was looked for.
        contact: ContactId,
    },

    /// The contact was changed after the time that the caller named. Nothing was written.
    Modified {
        /// The list that was read.
        site: Box<CallSite>,
        /// Which contact.
        contact: ContactId,
        /// Its last change.
        modified_on: Timestamp,
        /// What the caller asked for.
        unmodified_since: Timestamp,
    },

    /// The API answered, but not with a success.
    Refused(Box<Refusal>),

    /// There is no answer, or no way to ask for one.
    Transport {
        /// The call.
        site: Box<CallSite>,
        /// Why, and whether the request may have reached the server.
        source: TransportError,
    },

    /// A write may or may not have been carried out: its answer got lost, and reading back, where
    /// the method does that, did not tell.
    OutcomeUnknown {
        /// The write.
        site: Box<CallSite>,
        /// How the outcome got lost.
        source: Box<ContactsError>,
    },

    /// The API reported success, with a body that is not what the contract says.
    Unreadable {
        /// The call.
        site: Box<CallSite>,
        /// Where and why, without any value from the body.
        what: String,
    },

    /// The API reported success, but its answer differs from what was asked. The write was
    /// carried out.
    EchoDiffers(Box<Echo>),

    /// An export feed says that there is more but gives no way to go on.
    FeedStalled {
        /// The export.
        site: Box<CallSite>,
    },

    /// A request could not be written as HTTP. Nothing was sent.
    Unwritable(String),
}

impl From<InvalidInput> for ContactsError {
    fn from(invalid: InvalidInput) -> Self {
        Self::Invalid(invalid)
    }
}

impl fmt::Display for ContactsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(invalid) => write!(f, "invalid input, nothing was sent: {invalid}"),
            Self::PreferencesUnknown { site, source } => {
                write!(f, "{site}: nothing was written: {source}")
            }
            Self::NotFound { site, contact } => write!(
                f,
                "{site}: no contact {contact} there; check both ids, or list the owner's contacts"
            ),
            Self::Modified {
                site,
                contact,
                modified_on,
                unmodified_since,
            } => write!(
                f,
                "{site}: contact {contact} was changed at {modified_on}, after \
                 {unmodified_since}; nothing was written, look at it again before you change it"
            ),
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Transport { site, source } => write!(f, "{site}: {source}"),
            Self::OutcomeUnknown { site, source } => write!(
                f,
                "{site}: it is not known whether this was carried out, look before you repeat \
                 it: {}",
                Loss(source)
            ),
            Self::Unreadable { site, what } => {
                write!(f, "{site}: success, but the answer cannot be read: {what}")
            }
            Self::EchoDiffers(echo) => echo.fmt(f),
            Self::FeedStalled { site } => write!(
                f,
                "{site}: the feed stopped moving before its end; keep the last token and try later"
            ),
            Self::Unwritable(reason) => {
                write!(
                    f,
                    "the request cannot be written, nothing was sent: {reason}"
                )
            }
        }
    }
}

/// How the answer to a write got lost: call and advice are told already.
struct Loss<'a>(&'a ContactsError);

impl fmt::Display for Loss<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            ContactsError::Refused(refusal) => {
                write!(f, "{}: {}", refusal.status.as_u16(), refusal.problem)
            }
            ContactsError::Transport { source, .. } => source.fmt(f),
            ContactsError::Unreadable { what, .. } => {
                write!(f, "success, but the answer cannot be read: {what}")
            }
            other => other.fmt(f),
        }
    }
}

impl Error for ContactsError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Transport { source, .. } => source.source(),
            Self::OutcomeUnknown { source, .. } => source.source(),
            _ => None,
        }
    }
}

/// The answer to an update that was carried out otherwise than asked. [`Debug`] and text show the
/// members that differ, but no value: they may be personal data.
#[non_exhaustive]
pub struct Echo {
    /// The update.
    pub site: CallSite,
    /// Asked and answered, member by member.
    pub differences: Vec<Difference>,
    /// The contact as the API answered it.
    pub answer: Contact,
}

impl fmt::Debug for Echo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Echo")
            .field("site", &self.site)
            .field("differences", &self.differences)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Echo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields: Vec<_> = self.differences.iter().map(|d| d.field).collect();
        let fields = fields.join(", ");
        write!(
            f,
            "{}: written, but the answer differs from what was asked in {fields}",
            self.site
        )
    }
}

/// A status outside 200 to 299, read together with its body.
#[derive(Debug)]
#[non_exhaustive]
pub struct Refusal {
    /// The call.
    pub site: CallSite,
    /// The HTTP status.
    pub status: StatusCode,
    /// What the status and the body mean.
    pub kind: RefusalKind,
    /// The body, read as RFC 9457 problem details as far as it goes.
    pub problem: Problem,
    /// How long the server asks to wait.
    pub retry_after: Option<Duration>,
    /// Whether an attempt before this answer may have been executed. Then a refused write may
    /// have been carried out all the same.
    pub earlier: Delivery,
}

/// What a refusal means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RefusalKind {
    /// 400, 415, 422: the request is wrong. Permanent.
    Invalid,
    /// 401: the token was refused, also after a fresh one. Permanent.
    Unauthorized,
    /// 403: a scope is missing, or the app key is. Permanent.
    Forbidden,
    /// 404: no such record, or not on this owner. Permanent.
    NotFound,
    /// 404 of the gateway: wrong path, tenant or app key. A fault of configuration. Permanent.
    NoRoute,
    /// 409: the record's state forbids it. Permanent.
    Conflict,
    /// 409 that speaks of maintenance. Passes.
    Maintenance,
    /// 429: too many calls; this one was not executed. Passes.
    RateLimited,
    /// 500, 408 and any other 5xx: mostly passing; for a write the outcome is unknown.
    ServerError,
    /// 502, 503, 504: gateway, overload or time-out; for a write the outcome is unknown.
    Unavailable,
    /// Any other status.
    Unexpected,
}

impl RefusalKind {
    fn of(status: StatusCode, problem: &Problem) -> Self {
        match status.as_u16() {
            400 | 415 | 422 => Self::Invalid,
            401 => Self::Unauthorized,
            403 => Self::Forbidden,
            404 if problem.is_no_route() => Self::NoRoute,
            404 => Self::NotFound,
            409 if problem.speaks_of_maintenance() => Self::Maintenance,
            409 => Self::Conflict,
            429 => Self::RateLimited,
            502..=504 => Self::Unavailable,
            408 | 500..=599 => Self::ServerError,
            _ => Self::Unexpected,
        }
    }

    /// What the kind means and what to do, for people.
    fn meaning(self) -> &'static str {
        match self {
            Self::Invalid => "the API refused the request as invalid; correct it",
            Self::Unauthorized => {
                "the access token was refused, also a fresh one; check client id, secret and \
                 environment"
            }
            Self::Forbidden => {
                "not allowed; check the app key, and that the app's scopes were accepted by the \
                 tenant's administrator"
            }
            Self::NotFound => "not found; check the ids, the contact may belong to another owner",
            Self::NoRoute => {
                "the gateway knows no such operation; check tenant, app key and environment"
            }
            Self::Conflict => "conflicts with the record's present state; look at it first",
            Self::Maintenance => "the service is down for maintenance; try later",
            Self::RateLimited => "too many calls, not executed; try later",
            Self::ServerError => "the server failed",
            Self::Unavailable => "the service is not available; try later",
            Self::Unexpected => "the API answered with a status that is not documented",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = self.status.as_u16();
        write!(f, "{}: {status}, {}", self.site, self.kind.meaning())?;
        if self.kind == RefusalKind::Forbidden {
            write!(f, " (needs {})", self.site.scope)?;
        }
        if let Some(wait) = self.retry_after {
            write!(f, " (in {} s)", wait.as_secs())?;
        }
        write!(f, ": {}", self.problem)
    }
}

impl Error for Refusal {}

/// Whether repeating the same call can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Advice {
    /// The same call will fail again: correct the input, the credentials or the configuration.
    Correct,
    /// The call was not carried out and may be repeated later.
    Later,
    /// The write may have been carried out: read the record before repeating.
    LookFirst,
    /// The write was carried out; there is nothing to repeat.
    Done,
}

impl ContactsError {
    pub(crate) fn refused(site: CallSite, response: Response) -> Self {
        let status = response.status();
        let problem = Problem::read(status.as_u16(), response.body());
        let retry_after = retry_after(&response);
        let earlier = Attempts::of(&response).earlier;
        Self::Refused(Box::new(Refusal {
            kind: RefusalKind::of(status, &problem),
            site,
            status,
            problem,
            retry_after,
            earlier,
        }))
    }

    pub(crate) fn transport(site: CallSite, source: TransportError) -> Self {
        Self::Transport {
            site: Box::new(site),
            source,
        }
    }

    /// Reads `body` once more, slowly, to say where it is wrong. The parser's own message may
    /// quote values, so only its kind and position are kept.
    pub(crate) fn unreadable<A: DeserializeOwned>(site: CallSite, body: &[u8]) -> Self {
        let mut deserializer = serde_json::Deserializer::from_slice(body);
        let what = match serde_path_to_error::deserialize::<_, A>(&mut deserializer) {
            Err(_) if body.is_empty() => "it is empty".to_owned(),
            Err(error) => {
                let (path, error) = (error.path().to_string(), error.into_inner());
                let reason = match error.classify() {
                    serde_json::error::Category::Eof => "it ends too early",
                    serde_json::error::Category::Syntax => "it is not JSON",
                    _ => "a member is missing or of another type",
                };
                let (line, column) = (error.line(), error.column());
                format!("{reason}, at `{path}`, line {line} column {column}")
            }
            Ok(_) => "something follows the JSON value".to_owned(),
        };
        Self::Unreadable {
            site: Box::new(site),
            what,
        }
    }

    /// Marks the loss of an answer to a write; anything else stays as it is.
    pub(crate) fn or_unknown(self) -> Self {
        match self.outcome_is_unknown() {
            true => self.unknown(),
            false => self,
        }
    }

    /// Marks an error after which nobody knows whether a write was carried out.
    pub(crate) fn unknown(self) -> Self {
        if matches!(self, Self::OutcomeUnknown { .. }) {
            return self;
        }
        match self.site().cloned().map(Box::new) {
            Some(site) => Self::OutcomeUnknown {
                site,
                source: Box::new(self),
            },
            None => self,
        }
    }

    pub(crate) fn unwritable(error: impl fmt::Display) -> Self {
        Self::Unwritable(error.to_string())
    }

    /// The call that failed; none when nothing got as far as a call.
    #[must_use]
    pub fn site(&self) -> Option<&CallSite> {
        match self {
            Self::Invalid(_) | Self::Unwritable(_) => None,
            Self::Refused(refusal) => Some(&refusal.site),
            Self::EchoDiffers(echo) => Some(&echo.site),
            Self::PreferencesUnknown { site, .. }
            | Self::NotFound { site, .. }
            | Self::Modified { site, .. }
            | Self::Transport { site, .. }
            | Self::OutcomeUnknown { site, .. }
            | Self::Unreadable { site, .. }
            | Self::FeedStalled { site } => Some(site),
        }
    }

    /// The API's refusal, if there is one; also behind an unknown outcome.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            Self::OutcomeUnknown { source, .. } => source.refusal(),
            _ => None,
        }
    }

    /// Why there is no answer, if that is the reason: its kind, its attempts; also behind an
    /// unknown outcome.
    ///
    /// ```
    /// use crm_contacts::ContactsError;
    ///
    /// fn took_too_long(error: &ContactsError) -> bool {
    ///     error.transport_error().is_some_and(|error| error.is_timeout())
    /// }
    /// ```
    #[must_use]
    pub fn transport_error(&self) -> Option<&TransportError> {
        match self {
            Self::Transport { source, .. } => Some(source),
            Self::OutcomeUnknown { source, .. } => source.transport_error(),
            _ => None,
        }
    }

    /// What the API's refusal means, if there is one.
    #[must_use]
    pub fn refusal_kind(&self) -> Option<RefusalKind> {
        self.refusal().map(|refusal| refusal.kind)
    }

    /// The vendor's trace id: support asks for it.
    #[must_use]
    pub fn trace_id(&self) -> Option<&str> {
        self.refusal()?.problem.trace_id.as_deref()
    }

    /// The record does not exist, or not on this owner. Not true when the outcome is unknown: an
    /// attempt before the one that found nothing may have found it.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        let refused = self.refusal_kind() == Some(RefusalKind::NotFound);
        matches!(self, Self::NotFound { .. }) || (refused && !self.outcome_is_unknown())
    }

    /// The credentials were refused, by the token endpoint or by the API.
    #[must_use]
    pub fn is_credentials(&self) -> bool {
        let refused = self.refusal_kind() == Some(RefusalKind::Unauthorized);
        let no_token = self
            .transport_error()
            .is_some_and(TransportError::is_credentials);
        refused || no_token
    }

    /// A write may or may not have been carried out. Never true for a read.
    #[must_use]
    pub fn outcome_is_unknown(&self) -> bool {
        self.advice() == Advice::LookFirst
    }

    /// Whether repeating can help.
    #[must_use]
    pub fn advice(&self) -> Advice {
        match self {
            Self::Invalid(_)
            | Self::PreferencesUnknown { .. }
            | Self::NotFound { .. }
            | Self::Modified { .. }
            | Self::Unwritable(_) => Advice::Correct,
            Self::FeedStalled { .. } => Advice::Later,
            Self::OutcomeUnknown { .. } => Advice::LookFirst,
            Self::EchoDiffers(_) => Advice::Done,
            // A gateway in between may call its own page a success.
            Self::Unreadable { site, .. } if site.effect != Effect::Read => Advice::LookFirst,
            Self::Unreadable { .. } => Advice::Correct,
            Self::Refused(refusal) => refusal.advice(),
            Self::Transport { site, source } => match (source.delivery(), site.effect) {
                (Delivery::Unknown, Effect::Idempotent | Effect::Creates) => Advice::LookFirst,
                _ if source.kind().is_permanent() => Advice::Correct,
                _ => Advice::Later,
            },
        }
    }
}

impl Refusal {
    fn advice(&self) -> Advice {
        use RefusalKind::{Maintenance, RateLimited, ServerError, Unavailable};

        let is_lost = matches!(self.kind, ServerError | Unavailable);
        let may_be_done = is_lost || self.earlier == Delivery::Unknown;
        match self.kind {
            _ if may_be_done && self.site.effect != Effect::Read => Advice::LookFirst,
            RateLimited | Maintenance | ServerError | Unavailable => Advice::Later,
            _ => Advice::Correct,
        }
    }
}
