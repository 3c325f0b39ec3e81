//! One change after another: read, claim, send, settle.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use crm_contacts::{Advice, ContactsError, ContactsService, Owner, OwnerContacts};
use crm_models::{Contact, ContactId, ContactMethodId, PersonId, UpdateMethodPreferenceRequest};
use crm_transport::{Transport, TransportErrorKind};
use tokio::sync::mpsc;

use super::{
    Event, OnDrift, Options, StopReason,
    gate::Gate,
    record::{self, Cursor},
    step::{self, Loaded, Step, Write},
};
use crate::{
    Action, BulkError, Change, Image, MethodImage, Outcome, OwnerId, State, Target, Wanted, clock,
    present::{self, OWNERS_PER_CALL, Present},
    set::journal::Journal,
};

/// When to look again for a creation that may have been sent: ordinary lists may lag.
const LOOK_AGAIN: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(3)];

/// A set that is being carried out.
pub(super) struct Run<'a, T> {
    pub(super) service: &'a ContactsService<T>,
    pub(super) journal: Journal,
    pub(super) options: Options,
    pub(super) gate: Arc<Gate>,
}

/// A change and what to do with it.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) change: Change,
    pub(super) step: Step,
}

impl<T: Transport> Run<'_, T> {
    /// Reads the open changes owner by owner, decides on each, and hands it to the queue.
    pub(super) async fn read(
        self: Arc<Self>,
        queue: mpsc::Sender<Work>,
        first_pass: bool,
    ) -> Result<(), BulkError> {
        let mut cursor = record::beginning();
        while let Some((block, next)) = self.load(cursor, first_pass).await? {
            cursor = next;
            for work in self.compare(block).await? {
                if queue.send(work).await.is_err() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// The open changes of the next owners.
    async fn load(
        &self,
        cursor: Cursor,
        first_pass: bool,
    ) -> Result<Option<(Vec<Loaded>, Cursor)>, BulkError> {
        let retry_failed = self.options.retry_failed && first_pass;
        self.journal
            .run(move |database| {
                record::next_block(database, &cursor, OWNERS_PER_CALL, retry_failed)
            })
            .await
    }

    /// Reads what the owners of a block have now, and decides on each change.
    async fn compare(&self, block: Vec<Loaded>) -> Result<Vec<Work>, BulkError> {
        let present = self.present(&block).await?;
        let mut taken = HashMap::<Option<OwnerId>, HashSet<ContactId>>::new();
        let decide = |loaded: Loaded| {
            let (contacts, taken) = match loaded.change.target {
                Target::Contact { owner, .. } => (
                    present.get(&owner).map_or(&[][..], Vec::as_slice),
                    taken.entry(Some(owner)),
                ),
                Target::Method { .. } => (&[][..], taken.entry(None)),
            };
            let step = step::decide(&loaded, contacts, self.options.on_drift, taken.or_default());
            Work {
                change: loaded.change,
                step,
            }
        };
        Ok(block.into_iter().map(decide).collect())
    }

    async fn present(&self, block: &[Loaded]) -> Result<Present, BulkError> {
        let mut owners: Vec<_> = block
            .iter()
            .filter_map(|loaded| match loaded.change.target {
                Target::Contact { owner, .. } => Some(owner),
                Target::Method { .. } => None,
            })
            .collect();
        owners.dedup();
        let mut present = present::contacts(self.service, &owners).await?;
        for pause in LOOK_AGAIN {
            let missing = |loaded: &&Loaded| match loaded.change.target {
                Target::Contact { owner, .. } => {
                    let contacts = present.get(&owner).map_or(&[][..], Vec::as_slice);
                    step::misses_a_creation(loaded, contacts)
                }
                Target::Method { .. } => false,
            };
            if block.iter().find(missing).is_none() {
                break;
            }
            tokio::time::sleep(pause).await;
            present = present::contacts(self.service, &owners).await?;
        }
        Ok(present)
    }

    /// Does what was decided, and tells what became of it once that is durable.
    pub(super) async fn carry_out(self: Arc<Self>, work: Work) -> Result<Event, BulkError> {
        let Work { change, step } = work;
        match step {
            Step::Settle(outcome, after) => {
                self.settle(change, outcome, after.map(Image::from)).await
            }
            Step::Drift(outcome) => self.drift(change, outcome).await,
            Step::Method(person, method) => self.method(change, person, method).await,
            Step::Contact(..) if self.options.dry_run => Ok(Event::WouldSend(Box::new(change))),
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
    ) -> Result<Event, BulkError> {
        match write {
            Write::Update(present, request) => {
                let id = present.id;
                change.before = Some(present.into());
                let change = self.claim(change, None).await?;
                let sent = owner.send(id, request).await;
                self.conclude(owner, change, sent.map(Some)).await
            }
            Write::Delete(present) => {
                let id = present.id;
                change.before = Some(present.into());
                let repeated = step::may_be_sent(&change);
                let change = self.claim(change, None).await?;
                let sent = match owner.delete(id).await {
                    Err(error) if repeated && error.is_not_found() => Ok(()),
                    sent => sent,
                };
                self.conclude(owner, change, sent.map(|()| None)).await
            }
            Write::Create(request, siblings) => {
                let change = self.claim(change, Some(siblings)).await?;
                match owner.create(request).await {
                    Ok(created) => self.complete(owner, change, created).await,
                    Err(error) => self.conclude(owner, change, Err(error)).await,
                }
            }
            Write::Complete(created) => self.complete(owner, change, created).await,
        }
    }

    /// Sets what a creation cannot set: the preferences.
    async fn complete<O: Owner>(
        &self,
        owner: OwnerContacts<'_, T, O>,
        mut change: Change,
        created: Contact,
    ) -> Result<Event, BulkError> {
        let id = created.id;
        change.target = change.target.created(id);
        // How the service writes the value is its own affair.
        let wanted = match &change.action {
            Action::Create(wanted) => Wanted {
                exact: false,
                ..wanted.clone()
            },
            _ => Wanted::default(),
        };
        match wanted.request(&created) {
            Ok(None) => self.conclude(owner, change, Ok(Some(created))).await,
            Ok(Some(request)) => match owner.send(id, request).await {
                Ok(after) => self.conclude(owner, change, Ok(Some(after))).await,
                // It is there all the same: undo has to know.
                Err(error) => self.refused(change, &error, Some(created.into())).await,
            },
            Err(unknown) => {
                let why = format!("created as contact {id}, but: {unknown}");
                let outcome = Outcome::because(State::Failed, why);
                self.settle(change, outcome, Some(created.into())).await
            }
        }
    }

    /// Settles a write of a contact by its answer. An answer that differs from what was asked
    /// is a failure, but the contact is read, so that the change can be undone.
    async fn conclude<O: Owner>(
        &self,
        owner: OwnerContacts<'_, T, O>,
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
        let after = match (&error, change.target) {
            (
                ContactsError::EchoDiffers { .. },
                Target::Contact {
                    contact: Some(id), ..
                },
            ) => owner.find(id).await.ok(),
            _ => None,
        };
        self.refused(change, &error, after.map(Image::from)).await
    }

    /// Compares a contact method with what is wanted and sets its preferences one by one.
    async fn method(
        &self,
        change: Change,
        person: PersonId,
        id: ContactMethodId,
    ) -> Result<Event, BulkError> {
        let planned = change.before.as_ref().and_then(Image::as_method).cloned();
        let (Action::MethodPreferences(wanted), Some(planned)) = (change.action.clone(), planned)
        else {
            let why = "the set does not say what the method was like";
            return self
                .settle(change, Outcome::because(State::Failed, why), None)
                .await;
        };
        let present = match present::method(self.service, person, id, planned.clone()).await {
            Ok(present) => present,
            Err(error) => return self.refused(change, &error, None).await,
        };
        let missing = unmet(&wanted, &present);
        if missing.is_empty() {
            let (state, after) = match step::may_be_sent(&change) {
                true => (State::Done, Some(Image::Method(present))),
                false => (State::Already, None),
            };
            return self.settle(change, Outcome::new(state), after).await;
        }
        let drifted = present != planned && !step::may_be_sent(&change);
        if drifted && self.options.on_drift != OnDrift::Force {
            let why = "somebody changed its preferences after the plan was made; plan it again";
            return self
                .drift(change, Outcome::because(State::Drifted, why))
                .await;
        }
        if self.options.dry_run {
            return Ok(Event::WouldSend(Box::new(change)));
        }
        // After an interruption between two preferences the first picture is the true one.
        let before = match step::may_be_sent(&change) {
            true => planned,
            false => present.clone(),
        };
        let mut change = change;
        change.before = Some(Image::Method(before));
        let change = self.claim(change, None).await?;
        let mut after = present;
        for (name, on) in missing {
            let update = UpdateMethodPreferenceRequest::from(on);
            let method = self.service.person(person).method(id);
            match method.set_preference(&name, update).await {
                Ok(answer) => after.preferences.insert(name, answer.as_bool()),
                Err(error) => return self.refused(change, &error, None).await,
            };
        }
        let outcome = match unmet(&wanted, &after).is_empty() {
            true => Outcome::new(State::Done),
            false => Outcome::because(State::Failed, "written, but the answer differs from it"),
        };
        self.settle(change, outcome, Some(Image::Method(after)))
            .await
    }

    /// Makes a change durable as in flight.
    async fn claim(
        &self,
        mut change: Change,
        siblings: Option<Vec<ContactId>>,
    ) -> Result<Change, BulkError> {
        change.outcome.attempts += 1;
        change.outcome.at = Some(clock::now());
        let claimed = self.journal.run(move |database| {
            record::claim(database, &change, siblings.as_deref())?;
            Ok(change)
        });
        claimed.await
    }

    async fn drift(&self, change: Change, outcome: Outcome) -> Result<Event, BulkError> {
        if self.options.on_drift == OnDrift::Abort {
            self.gate.stop(StopReason::Drift);
        }
        self.settle(change, outcome, None).await
    }

    /// Settles a change by the error of its call.
    async fn refused(
        &self,
        change: Change,
        error: &ContactsError,
        after: Option<Image>,
    ) -> Result<Event, BulkError> {
        if error.is_credentials() {
            self.gate.stop(StopReason::Credentials);
        }
        if is_withheld(error) {
            self.gate.stop(StopReason::Withheld);
        }
        let outcome = outcome_of(error, step::may_be_sent(&change));
        self.settle(change, outcome, after).await
    }

    /// Makes an outcome durable, then tells it.
    async fn settle(
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
        change.after = after;
        if !self.options.dry_run {
            let settled = self.journal.run(move |database| {
                record::settle(database, &change)?;
                Ok(change)
            });
            change = settled.await?;
            audit(&change);
        }
        self.gate.settled(change.outcome.state);
        Ok(Event::Settled(Box::new(change)))
    }
}

/// The preferences that are not as wanted.
fn unmet(wanted: &BTreeMap<String, bool>, present: &MethodImage) -> Vec<(String, bool)> {
    wanted
        .iter()
        .filter(|(name, on)| present.preferences.get(*name) != Some(&Some(**on)))
        .map(|(name, on)| (name.clone(), *on))
        .collect()
}

/// What an error makes of a change.
fn outcome_of(error: &ContactsError, may_be_sent: bool) -> Outcome {
    let state = match error {
        ContactsError::OutcomeUnknown { .. } => State::Unknown,
        _ if error.is_not_found() => State::NotFound,
        // The write was carried out, but what came of it can only be read back.
        ContactsError::Unreadable { .. } => State::Unknown,
        // Not sent, or only a read: for whatever reason, the change is still to be made.
        ContactsError::Transport { .. } if !error.outcome_is_unknown() => State::Planned,
        _ if error.is_credentials() => State::Planned,
        _ => match error.advice() {
            Advice::LookFirst => State::Unknown,
            Advice::Later => State::Planned,
            _ => State::Failed,
        },
    };
    // Not sent this time, but perhaps before.
    let state = match state {
        State::Planned if may_be_sent => State::Unknown,
        state => state,
    };
    let refusal = error.refusal();
    let field_errors = refusal
        .map(|refusal| &refusal.problem.errors)
        .filter(|errors| !errors.is_empty())
        .and_then(|errors| serde_json::to_string(errors).ok());
    Outcome {
        field_errors,
        trace_id: error.trace_id().map(str::to_owned),
        http_status: refusal.map(|refusal| refusal.status.as_u16()),
        ..Outcome::because(state, error.to_string())
    }
}

/// The transport was told not to send it.
fn is_withheld(error: &ContactsError) -> bool {
    matches!(error, ContactsError::Transport { source, .. }
        if source.kind() == TransportErrorKind::Refused)
}

fn audit(change: &Change) {
    let outcome = &change.outcome;
    tracing::info!(
        target: "crm_bulk::audit",
        change = change.id.0,
        row = change.row,
        record = %change.target,
        action = change.action.name(),
        state = outcome.state.as_str(),
        status = outcome.http_status,
        trace_id = outcome.trace_id,
        attempts = outcome.attempts,
        "change settled"
    );
}
