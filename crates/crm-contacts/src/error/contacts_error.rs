//! The error of all use cases.

use std::{error::Error, fmt};

use crm_models::{BodyForm, ContactId, InvalidInput, PreferencesError, Timestamp};
use crm_transport::{Delivery, Effect, Response, TransportError};
use serde::de::DeserializeOwned;

use super::{
    echo::Echo,
    refusal::{Refusal, RefusalKind},
    site::CallSite,
    unreadable::why_unreadable,
};
use crate::progress::Stall;

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
// Not derived by `thiserror`, which takes every field `source` for the source. Here the message
// holds it already, and the source is what lies below it.
#[derive(Debug)]
#[non_exhaustive]
pub enum ContactsError {
    /// The API would refuse the input. Nothing was written, and nothing was sent but the reading
    /// of the contact that the input must suit.
    Invalid(InvalidInput),

    /// Some preferences are to change, the API takes them only as a whole, and the whole cannot be
    /// determined: the others are not known, or the service has one flag where the change sets two
    /// differently. Nothing was written.
    Preferences {
        /// The update.
        site: Box<CallSite>,
        /// Why the whole cannot be determined, and which flags to give.
        source: PreferencesError,
    },

    /// The contact is not among its owner's contacts.
    NotFound {
        /// The list that was searched.
        site: Box<CallSite>,
        /// The contact that was looked for.
        contact: ContactId,
    },

    /// The record was changed after the time that the caller named.
    Modified {
        /// The update that was not made.
        site: Box<CallSite>,
        /// The record's last change.
        modified_on: Timestamp,
        /// What the caller asked for.
        unmodified_since: Timestamp,
        /// Whether an earlier attempt may have been carried out, although the record does not show
        /// it now. Otherwise nothing was written.
        earlier: Delivery,
    },

    /// The API answered, but not with a success.
    Refused(Box<Refusal>),

    /// No answer came, or none could be asked for.
    Transport {
        /// The call.
        site: Box<CallSite>,
        /// Why, and whether the request may have reached the server.
        source: TransportError,
    },

    /// A write may or may not have been carried out: its answer got lost, and reading back, where
    /// the method does that, did not show which.
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
        /// What the body was. HTML is a page of something in between, like the sign-in page of a
        /// network.
        form: BodyForm,
    },

    /// The API reported success, with a record that the call did not ask about: another id,
    /// another name, or for a creation another value. After a write it is the source of an
    /// [`OutcomeUnknown`](Self::OutcomeUnknown), unless reading back showed the outcome.
    AnotherRecord {
        /// The call.
        site: Box<CallSite>,
    },

    /// The API reported success, but the record is what it was before, also when it is read back.
    /// Nothing was written, and it is safe to repeat the update.
    NotChanged(Box<Echo>),

    /// The API reported success, but the record is not what was asked for, also when it is read
    /// back. The write was carried out in the form that reading back shows.
    EchoDiffers(Box<Echo>),

    /// A list or an export feed says that there is more, but it makes no progress.
    Stalled {
        /// The list or the export.
        site: Box<CallSite>,
        /// How that shows.
        how: Stall,
    },

    /// A request could not be written as HTTP. Nothing was sent.
    Unwritable(String),
}

impl From<InvalidInput> for ContactsError {
    fn from(invalid: InvalidInput) -> Self {
        Self::Invalid(invalid)
    }
}

impl From<Refusal> for ContactsError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
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

impl ContactsError {
    pub(crate) fn transport(site: CallSite, source: TransportError) -> Self {
        Self::Transport { site: Box::new(site), source }
    }

    pub(crate) fn refused(site: CallSite, response: Response) -> Self {
        Refusal::of(site, &response).into()
    }

    /// Reads the body once more, slowly, to say where it is wrong. The parser's own message may
    /// quote values, so only its kind and position are kept.
    pub(crate) fn unreadable<A: DeserializeOwned>(site: CallSite, body: &[u8]) -> Self {
        let form = BodyForm::of(body);
        let what = match form {
            BodyForm::Empty => "it is empty".to_owned(),
            BodyForm::Html => {
                "it is HTML instead of JSON, perhaps a proxy's page or the sign-in page of a network"
                    .to_owned()
            }
            _ => why_unreadable::<A>(body),
        };
        Self::Unreadable { site: Box::new(site), what, form }
    }

    pub(crate) fn unreadable_records(site: CallSite, what: String) -> Self {
        Self::Unreadable { site: Box::new(site), what, form: BodyForm::Object }
    }

    pub(crate) fn another_record(site: CallSite) -> Self {
        Self::AnotherRecord { site: Box::new(site) }
    }

    /// Marks the loss of an answer to a write. Any other error stays the same.
    pub(crate) fn or_unknown(self) -> Self {
        if self.outcome_is_unknown() { self.unknown() } else { self }
    }

    /// Marks an error after which it is not known whether a write was carried out.
    pub(crate) fn unknown(self) -> Self {
        if matches!(self, Self::OutcomeUnknown { .. }) {
            return self;
        }
        match self.site().cloned().map(Box::new) {
            Some(site) => Self::OutcomeUnknown { site, source: Box::new(self) },
            None => self,
        }
    }

    pub(crate) fn unwritable(error: impl fmt::Display) -> Self {
        Self::Unwritable(error.to_string())
    }

    /// Returns the call that failed, or `None` when nothing got as far as a call.
    #[must_use]
    pub fn site(&self) -> Option<&CallSite> {
        match self {
            Self::Invalid(_) | Self::Unwritable(_) => None,
            Self::Refused(refusal) => Some(&refusal.site),
            Self::EchoDiffers(echo) | Self::NotChanged(echo) => Some(&echo.site),
            Self::Preferences { site, .. }
            | Self::NotFound { site, .. }
            | Self::Modified { site, .. }
            | Self::Transport { site, .. }
            | Self::OutcomeUnknown { site, .. }
            | Self::Unreadable { site, .. }
            | Self::AnotherRecord { site }
            | Self::Stalled { site, .. } => Some(site),
        }
    }

    /// Returns the API's refusal, if there is one, also as the cause of an unknown outcome.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            Self::OutcomeUnknown { source, .. } => source.refusal(),
            _ => None,
        }
    }

    /// Returns why no answer came, if that is the reason, also as the cause of an unknown outcome.
    ///
    /// ```
    /// use crm_contacts::{ContactsError, transport::TransportErrorKind};
    ///
    /// fn took_too_long(error: &ContactsError) -> bool {
    ///     error.transport_error().is_some_and(|error| {
    ///         error.is_timeout() || error.kind() == TransportErrorKind::RateLimited
    ///     })
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

    /// Returns what the API's refusal means, if there is one.
    #[must_use]
    pub fn refusal_kind(&self) -> Option<RefusalKind> {
        self.refusal().map(|refusal| refusal.kind)
    }

    /// Returns the vendor's trace id, for which support asks.
    #[must_use]
    pub fn trace_id(&self) -> Option<&str> {
        self.refusal()?.problem.trace_id.as_deref()
    }

    /// Whether the record does not exist, or not on this owner. It is false when the outcome is
    /// unknown: an attempt before the one that found nothing may have found the record.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        let refused = self.refusal_kind() == Some(RefusalKind::NotFound);
        matches!(self, Self::NotFound { .. }) || (refused && !self.outcome_is_unknown())
    }

    /// Whether the service does not give a list or a feed to this application, and will not at the
    /// next call either: a scope is missing (403), it has no such list (404), none that can be asked
    /// so (400), or one of another form. What else was to be done can go on without it, if it says so.
    ///
    /// Refused credentials, a refusal that passes and a call without an answer are failures.
    ///
    /// ```
    /// # use crm_contacts::{ContactsError, ContactsService, transport::Transport};
    /// use crm_contacts::models::{Customer, CustomerId};
    ///
    /// # async fn example<T: Transport>(service: ContactsService<T>, ids: Vec<CustomerId>) -> Result<(), ContactsError> {
    /// let named: Vec<Customer> = match service.customers().with_ids(ids).collect().await {
    ///     Err(error) if error.is_not_given() => {
    ///         println!("without names: {error}");
    ///         Vec::new()
    ///     }
    ///     listed => listed?,
    /// };
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn is_not_given(&self) -> bool {
        use RefusalKind::{Forbidden, Invalid, NoRoute, NotFound};
        match self {
            Self::Refused(refusal) => {
                matches!(refusal.kind, Forbidden | NotFound | NoRoute | Invalid)
            }
            Self::Unreadable { site, .. } => site.effect == Effect::Read,
            _ => false,
        }
    }

    /// Whether the credentials were refused, by the token endpoint or by the API.
    #[must_use]
    pub fn is_credentials(&self) -> bool {
        let refused = self.refusal_kind() == Some(RefusalKind::Unauthorized);
        let no_token = self.transport_error().is_some_and(TransportError::is_credentials);
        refused || no_token
    }
}
