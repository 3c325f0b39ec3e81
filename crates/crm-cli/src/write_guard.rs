//! A transport that lets a write pass only if it may: it is the one place that decides this,
//! for every command, `crm api` included.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use crm_bulk::visible;
use crm_contacts::{Difference, Preview};
use crm_transport::{Call, Effect, Request, Response, Transport, TransportError};
use serde_json::value::RawValue;

use crate::{
    desk::{Member, Recorder},
    output::{confirm, note, on_terminal},
};

/// What happens to writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum WritePolicy {
    /// They are sent.
    Send,
    /// They are refused: `--read-only`.
    Refuse,
    /// The first one is shown instead of sent: `--dry-run`.
    Show,
    /// The first one is sent if a person agrees: production.
    Ask { target: String },
}

/// Why a write was not sent.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum Withheld {
    #[error("read-only: {0} was not sent")]
    ReadOnly(String),
    #[error("dry run: {} {} was not sent", .0.method, .0.path)]
    DryRun(Preview),
    #[error("this would write to {0}: add --yes to do it without a terminal to ask on")]
    NeedsYes(String),
    #[error("not confirmed, nothing was sent")]
    Declined,
    /// Every single write is in the desk before it is sent.
    #[error(
        "{0}; nothing was sent, since it could not be recorded: mend that, name another folder as \
         `desk` in the profile, or add --no-record"
    )]
    Unrecorded(String),
}

/// What a change does to one record.
#[derive(Debug, Clone, Default)]
pub(crate) struct Planned {
    /// The record, for people.
    pub(crate) subject: String,
    pub(crate) differences: Vec<Difference>,
}

/// Where the guard puts a write that it withholds, and whoever runs the command finds it. To the
/// command itself a withheld write is one that the transport refused, so that no command has to
/// know of dry runs.
#[derive(Debug, Default)]
pub(crate) struct Slot {
    withheld: OnceLock<Withheld>,
    planned: OnceLock<Planned>,
    /// What a record has that is to be deleted.
    deleted: OnceLock<Vec<Member>>,
    recorder: OnceLock<Recorder>,
}

impl Slot {
    /// Records each write with this, unless something does already.
    pub(crate) fn record_with(&self, recorder: Recorder) {
        let _ = self.recorder.set(recorder);
    }

    /// Records how the command ended, and why it failed if it did.
    pub(crate) fn conclude(&self, failed: Option<String>) {
        let concluded = self.recorder.get().map(|recorder| recorder.conclude(failed));
        if let Some(Err(error)) = concluded {
            note(format!("the outcome of the write could not be recorded: {error}"));
        }
    }

    /// What the next write makes of its record, as far as the command has told.
    fn changes(&self) -> Vec<Member> {
        let planned = self.planned.get().map(|planned| planned.differences.iter());
        let planned = planned.into_iter().flatten().map(Member::from);
        planned.chain(self.deleted.get().into_iter().flatten().cloned()).collect()
    }

    /// Why a write was withheld, if one was.
    pub(crate) fn withheld(&self) -> Option<&Withheld> {
        self.withheld.get()
    }

    /// What the write would have changed, as far as the command has told.
    pub(crate) fn planned(&self) -> Planned {
        self.planned.get().cloned().unwrap_or_default()
    }
}

/// Wraps the whole stack, so that a withheld write is not repeated.
#[derive(Debug)]
pub(crate) struct WriteGuard<T> {
    inner: T,
    policy: WritePolicy,
    /// The name of the account, for people.
    target: String,
    is_told: AtomicBool,
    /// Whether a person has to confirm a deletion, wherever it goes.
    asks: bool,
    confirmed: AtomicBool,
    slot: Arc<Slot>,
}

impl<T> WriteGuard<T> {
    pub(crate) fn new(
        inner: T,
        policy: WritePolicy,
        target: String,
        asks: bool,
        slot: Arc<Slot>,
    ) -> Self {
        Self {
            inner,
            policy,
            target,
            is_told: AtomicBool::new(false),
            asks,
            confirmed: AtomicBool::new(false),
            slot,
        }
    }

    /// Reports once which account is meant: before the first write, and where one is planned.
    pub(crate) fn tell_target(&self) {
        if !self.is_told.swap(true, Ordering::Relaxed) {
            note(format!("target: {}", self.target));
        }
    }

    /// Whether writes are only shown.
    pub(crate) fn is_dry(&self) -> bool {
        self.policy == WritePolicy::Show
    }

    /// Whether writes are refused.
    pub(crate) fn is_read_only(&self) -> bool {
        self.policy == WritePolicy::Refuse
    }

    /// Says what the next write changes, which a dry run shows beside the request.
    pub(crate) fn announce(&self, planned: Planned) {
        let _ = self.slot.planned.set(planned);
    }

    /// Says what a record has that the next write deletes.
    pub(crate) fn announce_deletion(&self, members: Vec<Member>) {
        let _ = self.slot.deleted.set(members);
    }

    /// Decides before many writes whether they may be sent, with one question.
    pub(crate) fn allow(&self, what: &str) -> Result<(), Withheld> {
        match &self.policy {
            WritePolicy::Refuse => Err(Withheld::ReadOnly(what.to_owned())),
            WritePolicy::Ask { target } if on_terminal() => {
                self.ask(&format!("About to write {what} to {target}. Continue?"))
            }
            WritePolicy::Ask { target } => Err(Withheld::NeedsYes(target.clone())),
            WritePolicy::Send | WritePolicy::Show => Ok(()),
        }
    }

    /// Refuses, before anything is read, what could not be confirmed later.
    pub(crate) fn may_be_confirmed(&self) -> Result<(), Withheld> {
        match &self.policy {
            WritePolicy::Ask { target } if !on_terminal() => {
                Err(Withheld::NeedsYes(target.clone()))
            }
            _ => Ok(()),
        }
    }

    /// Asks about a deletion, if there is a person to ask and something would be sent.
    pub(crate) fn confirm_deletion(&self, subject: &str) -> Result<(), Withheld> {
        let is_sent = matches!(self.policy, WritePolicy::Send | WritePolicy::Ask { .. });
        if !is_sent || !self.asks || !on_terminal() {
            return Ok(());
        }
        self.tell_target();
        self.ask(&format!("Delete {}?", visible(subject)))
    }

    fn check(&self, request: &Request) -> Result<(), Withheld> {
        if Call::of(request).effect == Effect::Read {
            return Ok(());
        }
        if self.policy == WritePolicy::Refuse {
            let (method, path) = (request.method(), request.uri().path());
            return Err(Withheld::ReadOnly(format!("{method} {path}")));
        }
        self.tell_target();
        match &self.policy {
            WritePolicy::Send | WritePolicy::Refuse => Ok(()),
            WritePolicy::Show => Err(Withheld::DryRun(Preview::of(request))),
            WritePolicy::Ask { .. } if self.confirmed.load(Ordering::Relaxed) => Ok(()),
            WritePolicy::Ask { target } if on_terminal() => {
                let request = Preview::of(request);
                let body = request.body.as_deref().map_or("", RawValue::get);
                let request = format!("{} {} {body}", request.method, request.path);
                let request = visible(request.trim_end());
                self.ask(&format!("About to write to {target}:\n  {request}\nContinue?"))
            }
            WritePolicy::Ask { target } => Err(Withheld::NeedsYes(target.clone())),
        }
    }

    /// Asks once: who agreed to one write of a command agreed to the others.
    fn ask(&self, question: &str) -> Result<(), Withheld> {
        if !confirm(question) {
            return Err(Withheld::Declined);
        }
        self.confirmed.store(true, Ordering::Relaxed);
        Ok(())
    }
}

#[async_trait]
impl<T: Transport> Transport for WriteGuard<T> {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let is_write = Call::of(&request).effect != Effect::Read;
        let recorder = self.slot.recorder.get().filter(|_| is_write);
        let begun = self.check(&request).and_then(|()| {
            let record = |recorder: &Recorder| recorder.begin(&request, self.slot.changes());
            let recorded = recorder.map(record).transpose();
            recorded.map_err(|error| Withheld::Unrecorded(error.to_string()))
        });
        let recorded = match begun {
            Ok(recorded) => recorded,
            Err(withheld) => {
                let withheld = self.slot.withheld.get_or_init(|| withheld).clone();
                return Err(TransportError::refused(withheld));
            }
        };
        let method = request.method().clone();
        let answered = self.inner.send(request).await;
        if let (Some(recorder), Some(id)) = (recorder, recorded)
            && let Err(error) = recorder.end(id, &method, &answered)
        {
            // It was sent: the answer counts for more.
            note(format!("the outcome of the write could not be recorded: {error}"));
        }
        answered
    }
}
