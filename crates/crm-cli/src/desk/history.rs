//! What happened to records: who, when, what from and to, and by what.

use std::fmt;

use crm_models::Timestamp;

use super::{
    chronicle::{OfOwner, Scope, Which},
    error::DeskError,
    event::Event,
    folder::Desk,
    forget::Sought,
};

/// Which records are looked at.
#[derive(Clone)]
pub(crate) enum Subject {
    /// Those that have or had a number or an address.
    Value(Sought),
    /// Those of an owner, or one of them.
    Owner(OfOwner),
    /// Those that have or had a number or an address: also what was found of them and never sent.
    Copies(Sought),
}

/// As a sentence begins with it.
impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(sought) | Self::Copies(sought) => f.write_str(&sought.written()),
            Self::Owner(OfOwner { kind, id, contact: None }) => write!(f, "{kind} {id}"),
            Self::Owner(OfOwner { kind, id, contact: Some(contact) }) => {
                write!(f, "contact {contact} of {kind} {id}")
            }
        }
    }
}

/// What happened, and what could not be looked at.
#[derive(Debug, Default)]
pub(crate) struct History {
    /// The earliest first.
    pub(crate) events: Vec<Event>,
    /// One sentence for each set that is gone or cannot be read, and on what is known of others.
    pub(crate) missing: Vec<String>,
    /// Who approved the sets that are among these.
    pub(crate) approvals: Vec<Event>,
    /// From when on something is known.
    pub(crate) begins: Option<Timestamp>,
}

impl Desk {
    /// What happened to the records of a subject.
    pub(crate) fn history(&self, subject: Subject) -> Result<History, DeskError> {
        let mut chronicle = self.chronicle()?;
        let scope = match subject {
            Subject::Owner(owner) => Scope::Owner(owner),
            Subject::Value(sought) => chronicle.with_value(sought, Which::Decided)?,
            Subject::Copies(sought) => chronicle.with_value(sought, Which::All)?,
        };
        let events = chronicle.events(&scope)?;
        let (approvals, begins) = (chronicle.approvals(&events), chronicle.begins());
        Ok(History { events, missing: chronicle.missing, approvals, begins })
    }
}
