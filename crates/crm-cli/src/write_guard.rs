//! A transport that lets a write pass only if it may: it is the one place that decides this,
//! for every command, `crm api` included.

use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use crm_bulk::visible;
use crm_contacts::Preview;
use crm_transport::{
    Call, Delivery, Effect, Request, Response, Transport, TransportError, TransportErrorKind,
};
use serde_json::value::RawValue;

use crate::{
    error::CliError,
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

/// A write that was not sent.
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
}

impl<T> WriteGuard<T> {
    pub(crate) fn new(inner: T, policy: WritePolicy, target: String, asks: bool) -> Self {
        Self {
            inner,
            policy,
            target,
            is_told: AtomicBool::new(false),
            asks,
            confirmed: AtomicBool::new(false),
        }
    }

    /// Reports once which account is meant: before the first write, and where one is planned.
    pub(crate) fn tell_target(&self) {
        if !self.is_told.swap(true, Ordering::Relaxed) {
            note(format!("target: {}", self.target));
        }
    }

    /// Decides before many writes whether they may be sent, with one question.
    pub(crate) fn allow(&self, what: &str) -> Result<(), CliError> {
        let withheld = match &self.policy {
            WritePolicy::Refuse => Withheld::ReadOnly(what.to_owned()),
            WritePolicy::Ask { target } if on_terminal() => {
                if confirm(&format!("About to write {what} to {target}. Continue?")) {
                    self.confirmed.store(true, Ordering::Relaxed);
                    return Ok(());
                }
                Withheld::Declined
            }
            WritePolicy::Ask { target } => Withheld::NeedsYes(target.clone()),
            WritePolicy::Send | WritePolicy::Show => return Ok(()),
        };
        Err(refused(withheld).into())
    }

    /// Refuses, before anything is read, what could not be confirmed later.
    pub(crate) fn may_be_confirmed(&self) -> Result<(), CliError> {
        match &self.policy {
            WritePolicy::Ask { target } if !on_terminal() => {
                Err(refused(Withheld::NeedsYes(target.clone())).into())
            }
            _ => Ok(()),
        }
    }

    /// Asks about a deletion, if there is a person to ask and something would be sent.
    pub(crate) fn confirm_deletion(&self, subject: &str) -> Result<(), CliError> {
        let is_sent = matches!(self.policy, WritePolicy::Send | WritePolicy::Ask { .. });
        if !is_sent || !self.asks || !on_terminal() {
            return Ok(());
        }
        self.tell_target();
        match confirm(&format!("Delete {}?", visible(subject))) {
            true => {
                self.confirmed.store(true, Ordering::Relaxed);
                Ok(())
            }
            false => Err(refused(Withheld::Declined).into()),
        }
    }

    fn check(&self, request: &Request) -> Result<(), Withheld> {
        if Call::of(request).effect == Effect::Read {
            return Ok(());
        }
        match &self.policy {
            WritePolicy::Refuse => {
                let (method, path) = (request.method(), request.uri().path());
                return Err(Withheld::ReadOnly(format!("{method} {path}")));
            }
            _ => self.tell_target(),
        }
        match &self.policy {
            WritePolicy::Send | WritePolicy::Refuse => Ok(()),
            WritePolicy::Show => Err(Withheld::DryRun(Preview::of(request))),
            WritePolicy::Ask { .. } if self.confirmed.load(Ordering::Relaxed) => Ok(()),
            WritePolicy::Ask { target } if on_terminal() => {
                ask(target, &Preview::of(request))?;
                self.confirmed.store(true, Ordering::Relaxed);
                Ok(())
            }
            WritePolicy::Ask { target } => Err(Withheld::NeedsYes(target.clone())),
        }
    }
}

#[async_trait]
impl<T: Transport> Transport for WriteGuard<T> {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        match self.check(&request) {
            Ok(()) => self.inner.send(request).await,
            Err(withheld) => Err(refused(withheld)),
        }
    }
}

fn refused(withheld: Withheld) -> TransportError {
    TransportError::new(TransportErrorKind::Refused, Delivery::NotExecuted).with_source(withheld)
}

/// Asks about one request.
fn ask(target: &str, request: &Preview) -> Result<(), Withheld> {
    let body = request.body.as_deref().map_or("", RawValue::get);
    let question = format!("{} {} {body}", request.method, request.path);
    let question =
        format!("About to write to {target}:\n  {}\nContinue?", visible(question.trim_end()));
    match confirm(&question) {
        true => Ok(()),
        false => Err(Withheld::Declined),
    }
}
