//! What a program of its own has to say while a set is carried out.

use std::{fmt, sync::Arc};

use crm_mirror::keys::Keys;
use crm_models::{Contact, ContactChange, Preference, UpdateContactRequest};
use crm_values::PhoneReader;
use futures_core::future::BoxFuture;

use crate::{
    decide::step::{OnDrift, Write},
    set::{Action, Change, Image, MethodImage, Outcome, Wanted},
};

/// A change that is about to be sent, as [`Apply::before`](crate::Apply::before) shows it.
///
/// [`Debug`] output contains numbers, addresses and memos.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Proposal {
    /// The change.
    pub change: Change,
    /// The record as it is now; `None` for a contact that is to be created.
    pub current: Option<Image>,
    /// The record as the change will leave it: judge by this, not by what the change names.
    pub result: Resulting,
}

impl Proposal {
    /// Returns the number or the address that begins to receive marketing: the record of the change
    /// does not receive it yet, or has another value, by this reading of numbers. What a record that is
    /// created receives without being asked for it is not known.
    #[must_use]
    pub fn begins_marketing(&self, reader: PhoneReader) -> Option<&str> {
        let after = self.result.receiving_marketing()?;
        let keys = |text: &str| Keys::of(text, reader);
        let receives = |current: &&Image| current.receives_marketing();
        match self.current.as_ref().filter(receives).map(Image::value) {
            // Most changes keep the value letter by letter, and numbers take time to read.
            Some(before) if before == after || keys(before) == keys(after) => None,
            _ => Some(after),
        }
    }
}

/// A record as a change will leave it.
///
/// [`Debug`] output contains numbers and addresses.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Resulting {
    /// A contact with all its members: type, value, memo, and each flag that is known.
    Contact(ContactChange),
    /// A person's contact method with all its preferences.
    Method(MethodImage),
    /// No record: it is deleted.
    Deleted,
}

impl Resulting {
    /// The value of the record, if it is known to receive marketing.
    fn receiving_marketing(&self) -> Option<&str> {
        match self {
            Self::Contact(contact) => {
                let on = contact.get_preferences().get_marketing_updates() == Some(true);
                contact.get_value().filter(|_| on)
            }
            Self::Method(method) => method.receives_marketing().then_some(method.value.as_str()),
            Self::Deleted => None,
        }
    }
}

/// What becomes of a change that is about to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// The change is sent.
    Send,
    /// The change is not sent: it is [held](crate::State::Held) for this reason.
    Hold(String),
}

/// A change whose record is not what it was planned for.
///
/// [`Debug`] output contains numbers, addresses and memos.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Deviation {
    /// The change.
    pub change: Change,
    /// What became of it unless somebody decides otherwise: [`Drifted`](crate::State::Drifted), or
    /// [`Conflict`](crate::State::Conflict) for a creation whose number or address the owner already
    /// has with other members. The message says in what it deviates.
    pub outcome: Outcome,
    /// The record as it is now; `None` for a creation.
    pub current: Option<Image>,
}

/// Decides, change by change, what to do where a record is not what the plan saw.
///
/// [`OnDrift`] itself is a policy that decides always alike on records that have drifted, and sets
/// conflicts aside. Any closure from a [`Deviation`] to an [`OnDrift`] is one too; of a conflict,
/// [`Force`](OnDrift::Force) then means to create the contact beside the other one.
pub trait DriftPolicy: Send + Sync {
    /// Decides on one change.
    fn decide(&self, deviation: &Deviation) -> OnDrift;

    /// Says what it does, for people who read which choices a set was applied with; `None` for
    /// what is usual.
    fn in_words(&self) -> Option<&str> {
        Some("a program decides about what has drifted")
    }
}

impl DriftPolicy for OnDrift {
    fn decide(&self, deviation: &Deviation) -> OnDrift {
        match deviation.outcome.state {
            crate::State::Drifted => *self,
            _ => Self::Skip,
        }
    }

    fn in_words(&self) -> Option<&str> {
        match self {
            Self::Skip => None,
            Self::Abort => Some("stop at the first that has drifted"),
            Self::Force => Some("change also what has drifted"),
        }
    }
}

impl<F: Fn(&Deviation) -> OnDrift + Send + Sync> DriftPolicy for F {
    fn decide(&self, deviation: &Deviation) -> OnDrift {
        self(deviation)
    }
}

type Before = dyn Fn(Proposal) -> BoxFuture<'static, Verdict> + Send + Sync;
type After = dyn Fn(Change) -> BoxFuture<'static, ()> + Send + Sync;

/// What is asked, and told, during a run.
#[derive(Clone)]
pub(super) struct Hooks {
    pub(super) before: Option<Arc<Before>>,
    pub(super) after: Option<Arc<After>>,
    pub(super) policy: Arc<dyn DriftPolicy>,
}

impl Default for Hooks {
    fn default() -> Self {
        Self { before: None, after: None, policy: Arc::new(OnDrift::Skip) }
    }
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hooks")
            .field("before", &self.before.is_some())
            .field("after", &self.after.is_some())
            .finish_non_exhaustive()
    }
}

/// What a write to a contact proposes; `None` where it turns out to send nothing.
pub(super) fn proposal(change: &Change, write: &Write) -> Option<Proposal> {
    let (current, result) = match write {
        Write::Update(current, request) => (Some(current), updated(current, request)),
        Write::Complete(created) => {
            let Action::Create(wanted) = &change.action else {
                return None;
            };
            let wanted = Wanted { exact: false, ..wanted.clone() };
            let request = wanted.request(created).ok().flatten()?;
            (Some(created), updated(created, &request))
        }
        Write::Create(request, _) => {
            let mut members = ContactChange::new()
                .contact_type(request.get_contact_type().clone())
                .value(request.get_value());
            if let Some(memo) = request.get_memo() {
                members = members.memo(memo);
            }
            if let Action::Create(wanted) = &change.action {
                members = members.preferences(*wanted.change.get_preferences());
            }
            (None, Resulting::Contact(members))
        }
        Write::Delete(current, _) => (Some(current), Resulting::Deleted),
    };
    let current = current.cloned().map(Image::from);
    Some(Proposal { change: change.clone(), current, result })
}

/// The contact with what the request sets.
fn updated(current: &Contact, request: &UpdateContactRequest) -> Resulting {
    let (sent, known) = (request.get_preferences(), current.preferences);
    let flags = Preference::SETTABLE.into_iter().filter_map(|flag| {
        let sent = sent.map(|sent| sent.get(flag));
        Some((flag, sent.or_else(|| known.map(|known| known.get(flag)))?))
    });
    let memo = request.get_memo().or(current.memo.as_deref());
    let members = ContactChange::new()
        .contact_type(request.get_contact_type().unwrap_or(&current.contact_type).clone())
        .value(request.get_value().unwrap_or(&current.value))
        .memo(memo.unwrap_or_default())
        .preferences(flags.collect());
    Resulting::Contact(members)
}
