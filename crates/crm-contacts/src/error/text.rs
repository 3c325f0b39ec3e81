//! The messages of errors.

use std::fmt;

use crm_transport::Delivery;

use super::contacts_error::ContactsError;

impl fmt::Display for ContactsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(invalid) => write!(f, "invalid input, nothing was written: {invalid}"),
            Self::Preferences { site, source } => {
                write!(f, "{site}: nothing was written: {source}")
            }
            Self::NotFound { site, contact } => write!(
                f,
                "{site}: the owner has no contact {contact}; check both ids, or list the owner's contacts"
            ),
            Self::Modified { site, modified_on, unmodified_since, earlier } => {
                let written = match earlier {
                    Delivery::NotExecuted => "nothing was written",
                    Delivery::Unknown => "the change is not in it",
                };
                write!(
                    f,
                    "{site}: the record was changed at {modified_on}, after {unmodified_since}; \
                     {written}, look at it again before you change it"
                )
            }
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Transport { site, source } => write!(f, "{site}: {source}"),
            Self::OutcomeUnknown { site, source } => write!(
                f,
                "{site}: it is not known whether this was carried out, look before you repeat \
                 it: {}",
                Loss(source)
            ),
            Self::Unreadable { site, what, .. } => {
                write!(f, "{site}: success, but the answer cannot be read: {what}")
            }
            Self::AnotherRecord { site } => write!(f, "{site}: {ANOTHER}"),
            Self::NotChanged(echo) => write!(
                f,
                "{}: the API reported success, but the record is as it was before, also when it \
                 is read back; nothing was written, it is safe to repeat this",
                echo.site
            ),
            Self::EchoDiffers(echo) => write!(
                f,
                "{}: the API reported success, but the record differs from what was asked in {}, \
                 also when it is read back",
                echo.site,
                echo.fields()
            ),
            Self::Stalled { site, how } => {
                let keep = if site.operation.starts_with("Export") {
                    "keep the last token and try later"
                } else {
                    "try later"
                };
                write!(f, "{site}: it says that there is more, but {how}; {keep}")
            }
            Self::Unwritable(reason) => {
                write!(f, "the request cannot be written, nothing was sent: {reason}")
            }
        }
    }
}

const ANOTHER: &str = "success, but the answer is about another record";

/// How the answer to a write got lost. The message names the call and the advice before it.
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
            ContactsError::AnotherRecord { .. } => f.write_str(ANOTHER),
            ContactsError::EchoDiffers(echo) => write!(
                f,
                "success, but the answer differs from what was asked in {}",
                echo.fields()
            ),
            other => other.fmt(f),
        }
    }
}
