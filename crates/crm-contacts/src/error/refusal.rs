//! Answers whose status is not a success, and what they mean.

use std::{fmt, time::Duration};

use crm_models::Problem;
use crm_transport::{Attempts, Delivery, Response, Secrets, retry_after};
use http::StatusCode;

use super::site::CallSite;

/// An answer with a status outside 200 to 299, with its body.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub struct Refusal {
    /// The call.
    pub site: CallSite,
    /// The HTTP status.
    pub status: StatusCode,
    /// What the status and the body mean.
    pub kind: RefusalKind,
    /// The body, read as problem details (RFC 9457) as far as it can be.
    pub problem: Problem,
    /// How long the server asks to wait.
    pub retry_after: Option<Duration>,
    /// Whether an attempt before this answer may have been executed. Then a write may have been
    /// carried out although this answer refuses it.
    pub earlier: Delivery,
}

impl Refusal {
    /// Reads an answer that is not a success. What it quotes of the credentials is taken out.
    pub(super) fn of(site: CallSite, response: &Response) -> Self {
        let status = response.status();
        let (number, body) = (status.as_u16(), response.body());
        let problem = match Secrets::of(response) {
            Some(secrets) => Problem::read_scrubbed(number, body, |text| secrets.scrub(text)),
            None => Problem::read(number, body),
        };
        Self {
            kind: RefusalKind::of(status, &problem),
            site,
            status,
            problem,
            retry_after: retry_after(response),
            earlier: Attempts::of(response).earlier,
        }
    }
}

#[cfg(feature = "test-util")]
impl Refusal {
    /// Creates the refusal that an answer with this status and body is, for tests.
    ///
    /// ```
    /// use crm_contacts::{CallSite, ContactsError, Owner, Refusal, models::LocationId};
    ///
    /// let contact = "/crm/v2/tenant/1001/locations/55021/contacts/71204";
    /// let site = CallSite::new(LocationId::UPDATE, contact.parse()?);
    /// let body = r#"{"title": "There is no contact 71204", "status": 404}"#;
    /// let refusal = Refusal::new(site, "404".parse()?, body);
    /// assert!(ContactsError::from(refusal).is_not_found());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn new(site: CallSite, status: StatusCode, body: impl Into<bytes::Bytes>) -> Self {
        let mut answer = Response::new(body.into());
        *answer.status_mut() = status;
        Self::of(site, &answer)
    }
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

    /// Returns what the kind means and what to do, for people.
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
            write!(f, " (in {})", InWords(wait))?;
        }
        write!(f, ": {}", self.problem)
    }
}

/// A time as people say it: `40 s`, `2 min`, `1 h`, `1 h 30 min`.
struct InWords(Duration);

impl fmt::Display for InWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        if seconds < 120 {
            return write!(f, "{seconds} s");
        }
        let minutes = seconds.div_ceil(60);
        match (minutes / 60, minutes % 60) {
            (0, minutes) => write!(f, "{minutes} min"),
            (hours, 0) => write!(f, "{hours} h"),
            (hours, minutes) => write!(f, "{hours} h {minutes} min"),
        }
    }
}
