//! One change after another: claim, send, settle.

use std::sync::{Arc, Mutex, PoisonError};

use crm_contacts::{ContactsError, ContactsService, Owner, OwnerContacts};
use crm_models::{Contact, ContactId};
use crm_transport::Transport;

use super::{
    Event, OnDrift, Options, StopReason, answer,
    audit::Audit,
    brake::Brake,
    in_flight::InFlight,
    step::{self, Step, Write},
};
use crate::{
    Action, BulkError, Change, Image, Outcome, OwnerId, State, Wanted, clock,
    store::{Claim, Expected, Lease, Store},
};

/// A set that is being carried out.
pub(super) struct Run<'a, T> {
    pub(super) service: &'a ContactsService<T>,
    pub(super) store: Box<dyn Store>,
    pub(super) lease: Lease,
    pub(super) in_flight: InFlight,
    pub(super) options: Options,
    pub(super) brake: Arc<Brake>,
    pub(super) audit: Audit,
    /// Why it cannot go on.
    pub(super) failure: Mutex<Option<BulkError>>,
}

/// A change and what to do with it.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) change: Change,
    pub(super) step: Step,
}

impl Work {
    /// A creation that may have been sent is awaited instead.
    pub(super) fn sends_nothing_again(mut self) -> Self {
        let creates = matches!(self.step, Step::Contact(_, Write::Create(..)));
        if creates && step::may_be_sent(&self.change) {
            self.step = Step::Await;
        }
        self
    }
}

impl<T: Transport> Run<'_, T> {
    /// Does what was decided, and tells what became of it once that is durable.
    pub(super) async fn carry_out(self: Arc<Self>, work: Work) -> Vec<Event> {
        let settled = self.step(work).await;
        let mut events = self.audit.take();
        match settled {
            Ok(event) => events.extend(event),
            Err(error) => self.fail(error),
        }
        events
    }

    /// Begins nothing more; the first failure is the one that counts.
    pub(super) fn fail(&self, error: BulkError) {
        let lost = match error {
            BulkError::Superseded { .. } => Some(StopReason::Superseded),
            BulkError::Displaced { how, .. } => Some(StopReason::Displaced(how)),
            _ => None,
        };
        if let Some(reason) = lost {
            self.in_flight.lose();
            return self.brake.stop(reason);
        }
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.get_or_insert(error);
        drop(failure);
        self.brake.stop(StopReason::Stopped);
    }

    /// What is left to tell once nothing is in flight any more.
    pub(super) fn finish(&self) -> Vec<Result<Event, BulkError>> {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        let end = match failure.take() {
            Some(error) => Err(error),
            None => Ok(Event::Finished(self.brake.finished())),
        };
        let mut events: Vec<_> = self.audit.take().into_iter().map(Ok).collect();
        let lost = self.in_flight.lost().map(Box::new);
        events.extend(lost.map(Event::InFlight).map(Ok));
        events.push(end);
        events
    }

    async fn step(&self, work: Work) -> Result<Option<Event>, BulkError> {
        let Work { change, step } = work;
        match step {
            Step::Settle(outcome, after) => {
                if outcome.state == State::Done && self.asks_for(&change) {
                    self.audit.found(&change, change.action.name(), None);
                }
                self.settle(change, outcome, after.map(Image::from))
                    .await
                    .map(Some)
            }
            Step::Drift(outcome) => self.drift(change, outcome).await.map(Some),
            Step::Await => {
                self.brake.count(&change);
                Ok(Some(Event::Awaited(Box::new(change))))
            }
            Step::Method(person, method) => self.method(change, person, method).await,
            Step::Contact(..) if self.options.dry_run => {
                Ok(Some(Event::WouldSend(Box::new(change))))
            }
            Step::Contact(OwnerId::Customer(id), write) => {
                self.contact(self.service.customer(id), change, write).await
            }
            Step::Contact(OwnerId::Location(id), write) => {
                self.contact(self.service.location(id), change, write).await
            }
        }
    }

    async fn contact<O: Owner>(
        &self,
        owner: OwnerContacts<'_, T, O>,
        mut change: Change,
        write: Write,
    ) -> Result<Option<Event>, BulkError> {
        match write {
            Write::Update(present, request) => {
                let id = present.id;
                keep_before(&mut change, present.into());
                let Some(change) = self.claim(change, None).await? else {
                    return Ok(None);
                };
                let sent = owner.send(id, request).await;
                self.wrote(&change, "update", None, sent.as_ref().err());
                self.conclude(change, sent.map(Some)).await.map(Some)
            }
            Write::Delete(present, siblings) => {
                let id = present.id;
                keep_before(&mut change, present.into());
                let repeated = step::may_be_sent(&change);
                let Some(change) = self.claim(change, Some(siblings)).await? else {
                    return Ok(None);
                };
                let sent = match owner.delete(id).await {
                    Err(error) if repeated && error.is_not_found() => Ok(()),
                    sent => sent,
                };
                self.wrote(&change, "delete", None, sent.as_ref().err());
                self.conclude(change, sent.map(|()| None)).await.map(Some)
            }
            Write::Create(request, siblings) => {
                let Some(change) = self.claim(change, Some(siblings)).await? else {
                    return Ok(None);
                };
                let sent = owner.create(request).await;
                self.wrote(&change, "create", None, sent.as_ref().err());
                match sent {
                    Ok(created) => {
                        let sent = in_flight(&change);
                        self.complete(owner, change, sent, created).await
                    }
                    Err(error) => self.conclude(change, Err(error)).await.map(Some),
                }
            }
            Write::Complete(created) => {
                // Of one that was settled as unknown with its contact it was told.
                let untold = !is_created(&change) || change.outcome.state == State::InFlight;
                if untold && self.asks_for(&change) {
                    self.audit.found(&change, "create", None);
                }
                let found = Expected::of(&change);
                change.outcome.attempts += 1;
                self.complete(owner, change, found, created).await
            }
        }
    }

    /// Whether it is told what a read-back finds of a change: of one whose answer nobody saw.
    pub(super) fn asks_for(&self, change: &Change) -> bool {
        step::may_be_sent(change) && !self.options.dry_run
    }

    /// Sets what a creation cannot set: the preferences. Which contact was created is durable
    /// before that, so that it is never created a second time.
    async fn complete<O: Owner>(
        &self,
        owner: OwnerContacts<'_, T, O>,
        mut change: Change,
        expected: Expected,
        created: Contact,
    ) -> Result<Option<Event>, BulkError> {
        let id = created.id;
        let was_created = is_created(&change);
        change.target = change.target.created(id);
        // How the service writes the value is its own affair.
        let wanted = match &change.action {
            Action::Create(wanted) => Wanted {
                exact: false,
                ..wanted.clone()
            },
            _ => Wanted::default(),
        };
        let request = wanted.request(&created);
        change.after = Some(created.into());
        match request {
            Ok(None) => {
                let sent = was_created && !wanted.preferences().is_empty();
                if sent && self.asks_for(&change) {
                    self.audit.found(&change, "update", None);
                }
                self.settle(change, Outcome::new(State::Done), None)
                    .await
                    .map(Some)
            }
            Ok(Some(request)) => {
                let Some(change) = self.in_flight(expected, change, None).await? else {
                    return Ok(None);
                };
                let sent = owner.send(id, request).await;
                self.wrote(&change, "update", None, sent.as_ref().err());
                self.conclude(change, sent.map(Some)).await.map(Some)
            }
            Err(unknown) => {
                let why = format!("created as contact {id}, but: {unknown}");
                self.settle(change, Outcome::because(State::Failed, why), None)
                    .await
                    .map(Some)
            }
        }
    }

    /// Settles a write of a contact by its answer. An answer that differs from what was asked
    /// is a failure, but it is the contact, so that the change can be undone.
    async fn conclude(
        &self,
        change: Change,
        answer: Result<Option<Contact>, ContactsError>,
    ) -> Result<Event, BulkError> {
        let error = match answer {
            Ok(after) => {
                let outcome = Outcome::new(State::Done);
                return self.settle(change, outcome, after.map(Image::from)).await;
            }
            Err(error) => error,
        };
        let outcome = answer::outcome(&error, step::is_touched(&change));
        let after = match &error {
            ContactsError::EchoDiffers(echo) => Some(echo.answer.clone().into()),
            _ => None,
        };
        self.refuse(change, &error, outcome, after).await
    }

    /// Makes a change durable as in flight, once more than before; `None` when somebody else
    /// decided on it meanwhile.
    pub(super) async fn claim(
        &self,
        mut change: Change,
        siblings: Option<Vec<ContactId>>,
    ) -> Result<Option<Change>, BulkError> {
        let expected = Expected::of(&change);
        change.outcome.attempts += 1;
        self.in_flight(expected, change, siblings).await
    }

    async fn in_flight(
        &self,
        expected: Expected,
        mut change: Change,
        siblings: Option<Vec<ContactId>>,
    ) -> Result<Option<Change>, BulkError> {
        change.outcome.at = Some(clock::now());
        let claim = self.store.claim(&self.lease, expected, change, siblings);
        Ok(match claim.await? {
            Claim::Won(change) => {
                self.in_flight.begin(&change);
                Some(*change)
            }
            Claim::Lost => None,
        })
    }

    /// Takes note of a write, of a preference or of a whole contact.
    pub(super) fn wrote(
        &self,
        change: &Change,
        action: &'static str,
        preference: Option<&str>,
        error: Option<&ContactsError>,
    ) {
        self.audit.wrote(change, action, preference, error);
        if let Some(answered) = error.map_or(Some(true), answer::is_answered) {
            self.brake.wrote(answered);
        }
    }

    pub(super) async fn drift(&self, change: Change, outcome: Outcome) -> Result<Event, BulkError> {
        if self.options.on_drift == OnDrift::Abort {
            self.brake.stop(StopReason::Drift);
        }
        self.settle(change, outcome, None).await
    }

    /// Settles a change by the error of its call.
    pub(super) async fn refused(
        &self,
        change: Change,
        error: &ContactsError,
    ) -> Result<Event, BulkError> {
        let outcome = answer::outcome(error, step::is_touched(&change));
        self.refuse(change, error, outcome, None).await
    }

    async fn refuse(
        &self,
        change: Change,
        error: &ContactsError,
        outcome: Outcome,
        after: Option<Image>,
    ) -> Result<Event, BulkError> {
        if let Some(reason) = answer::stops(error) {
            self.brake.stop(reason);
        }
        self.settle(change, outcome, after).await
    }

    /// Makes an outcome durable, then tells it. Without a newer picture of the record the one
    /// after an earlier write stays.
    pub(super) async fn settle(
        &self,
        mut change: Change,
        outcome: Outcome,
        after: Option<Image>,
    ) -> Result<Event, BulkError> {
        change.outcome = Outcome {
            at: Some(clock::now()),
            attempts: change.outcome.attempts,
            ..outcome
        };
        change.after = after.or(change.after);
        if !self.options.dry_run {
            self.in_flight.end(&change);
            change = self.store.settle(&self.lease, change).await?;
        }
        self.brake.settled(&change);
        Ok(Event::Settled(Box::new(change)))
    }
}

/// As the store has a change that this run claimed.
fn in_flight(change: &Change) -> Expected {
    Expected {
        state: State::InFlight,
        attempts: change.outcome.attempts,
    }
}

/// Whether the contact of a creation is known.
fn is_created(change: &Change) -> bool {
    change.target.contact_text().is_some()
}

/// Keeps the record as it is just before the first write: what a later one finds may be our own
/// work.
pub(super) fn keep_before(change: &mut Change, present: Image) {
    if change.before.is_none() || !step::is_touched(change) {
        change.before = Some(present);
    }
}
