//! A run over a set: one change after another is decided, claimed, sent and settled.

use std::{
    mem,
    sync::{Arc, Mutex, MutexGuard},
};

use crm_contacts::{ContactsError, ContactsService, DECISION_AGE};
use crm_mirror::{OwnerId, lock::lock};
use crm_models::{Contact, ContactId};
use crm_transport::{Moment, Transport};

use super::{
    audit::Audit,
    brake::Brake,
    classify,
    creations::Creations,
    event::{Event, StopReason},
    hooks::{self, Deviation, Hooks, Proposal, Verdict},
    in_flight::InFlight,
    landed::Landed,
    options::Options,
    queue::{Reading, Undecided},
    unheeded::Unheeded,
    window::Window,
};
use crate::{
    clock,
    decide::step::{self, OnDrift, Step, Write},
    departure::Watch,
    error::BulkError,
    set::{Change, Image, Outcome, State},
    store::{Claim, Expected, Lease, Loaded, Store},
};

/// How often a change is decided, or its owner read, without a write that leaves in time, before
/// it is left for another pass.
pub(super) const MOST_RETURNS: u32 = 10;

/// A set that is being carried out.
pub(super) struct Run<T> {
    pub(super) service: ContactsService<T>,
    pub(super) store: Box<dyn Store>,
    pub(super) lease: Lease,
    pub(super) in_flight: InFlight,
    pub(super) landed: Landed,
    pub(super) options: Options,
    pub(super) hooks: Hooks,
    pub(super) brake: Arc<Brake>,
    pub(super) audit: Audit,
    pub(super) window: Mutex<Window>,
    pub(super) creations: Mutex<Creations>,
    pub(super) unheeded: Unheeded,
    /// Why it cannot continue.
    pub(super) failure: Mutex<Option<BulkError>>,
}

/// A change, what to do with it, and the reading that decided it.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) undecided: Undecided,
    pub(super) step: Step,
    pub(super) reading: Arc<Reading>,
}

impl Work {
    /// The owner of the contact that is to be created, if one is.
    pub(super) fn creates(&self) -> Option<OwnerId> {
        match &self.step {
            Step::Contact(owner, Write::Create(..)) => Some(*owner),
            _ => None,
        }
    }
}

/// What came of a piece of work.
pub(super) struct Done {
    pub(super) events: Vec<Event>,
    /// Whether it might have written.
    pub(super) writes: bool,
    /// The change, if it was not sent after all, to be decided again.
    pub(super) back: Option<Undecided>,
}

/// What a claim makes different of a change, as it was before: much less than a copy of it.
pub(super) struct Former {
    pub(super) outcome: Outcome,
    /// `None` where the claim keeps the record before.
    pub(super) before: Option<Option<Image>>,
    pub(super) after: Option<Image>,
}

impl Former {
    fn restore(self, change: &mut Change) {
        change.outcome = self.outcome;
        change.after = self.after;
        if let Some(before) = self.before {
            change.before = before;
        }
    }
}

/// What became of a change.
pub(super) enum Became {
    /// This is told.
    Told(Event),
    /// Its write was not begun in time, or the limit turned it away: it is to be decided again.
    /// This is what is told of it if that comes to nothing.
    Back(Box<Change>, Outcome),
    /// Somebody else has decided on it.
    Lost,
}

impl From<Event> for Became {
    fn from(event: Event) -> Self {
        Self::Told(event)
    }
}

impl<T: Transport> Run<T> {
    /// Does what was decided, and tells what became of it once that is durable.
    pub(super) async fn carry_out(self: Arc<Self>, work: Work) -> Done {
        let (writes, creates) = (work.step.writes(), work.creates());
        let Work { undecided, step, reading } = work;
        let Undecided { loaded, returns, .. } = undecided;
        let Loaded { change, not_ours } = *loaded;
        // Boxed, since each step on the way would copy it: the future of a change is moved before
        // it is polled, and so is kept small.
        let mut became = self.step(Box::new(change), step, &reading).await;
        if let Ok(Became::Back(change, outcome)) = became {
            became = if returns < MOST_RETURNS {
                Ok(Became::Back(change, outcome))
            } else {
                Box::pin(self.postpone(change, outcome, StopReason::Unreachable)).await
            };
        }
        if let Some(owner) = creates {
            let change = match &became {
                Ok(Became::Told(Event::Settled(change))) => Some(&**change),
                Ok(Became::Back(change, _)) => Some(&**change),
                _ => None,
            };
            self.creations().ended(owner, change);
        }
        let mut done = Done { events: self.audit.take(), writes, back: None };
        match became {
            Ok(Became::Told(event)) => done.events.push(event),
            Ok(Became::Back(change, _)) => {
                let change = *change;
                let undecided = Undecided::new(Loaded { change, not_ours });
                done.back = Some(Undecided { returns: returns + 1, ..undecided });
            }
            Ok(Became::Lost) => {}
            Err(error) => self.fail(error),
        }
        done
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
        let mut failure = lock(&self.failure);
        failure.get_or_insert(error);
        drop(failure);
        self.brake.stop(StopReason::Stopped);
    }

    /// Leaves the set, and tells what is left to tell once nothing is in flight any longer.
    pub(super) async fn finish(&self) -> Vec<Result<Event, BulkError>> {
        let owner_is_stopped = self.store.has_stopped_owner();
        self.store.leave().await;
        let mut failure = lock(&self.failure);
        let end = match failure.take() {
            Some(error) => Err(error),
            None => Ok(Event::Finished(self.brake.finished(owner_is_stopped))),
        };
        let mut events: Vec<_> = self.audit.take().into_iter().map(Ok).collect();
        events.extend(self.in_flight.lost().map(Event::InFlight).map(Ok));
        events.push(end);
        events
    }

    async fn step(
        &self,
        change: Box<Change>,
        step: Step,
        reading: &Reading,
    ) -> Result<Became, BulkError> {
        match step {
            Step::Settle(outcome, _) if outcome.state == State::Planned => {
                self.brake.postponed(change.target.owner(), StopReason::Unreachable);
                self.settled(change, outcome, None).await
            }
            Step::Settle(outcome, after) => {
                if outcome.state == State::Done && self.asks_for(&change) {
                    self.audit.found(&change, change.action.name(), None);
                }
                self.settled(change, outcome, after).await
            }
            Step::Drift(outcome) => self.settled(change, outcome, None).await,
            Step::Abort(outcome) => self.abort(change, outcome).await,
            Step::Await => {
                self.brake.count(&change);
                Ok(Event::Awaited(change).into())
            }
            Step::Method(person, method) => Box::pin(self.method(change, person, method)).await,
            Step::Contact(owner, write) => {
                if let Some(held) = self.hold(|| hooks::proposal(&change, &write)).await {
                    return self.settled(change, held, None).await;
                }
                match owner {
                    _ if self.options.dry_run => Ok(Event::WouldSend(change).into()),
                    OwnerId::Customer(id) => self.contact(id, change, write, reading).await,
                    OwnerId::Location(id) => self.contact(id, change, write, reading).await,
                }
            }
        }
    }

    /// How many writes may be on their way at once.
    pub(super) fn window(&self) -> usize {
        lock(&self.window).size()
    }

    pub(super) fn creations(&self) -> MutexGuard<'_, Creations> {
        lock(&self.creations)
    }

    /// Whether it is told what a read-back finds of a change: of one whose answer nobody saw.
    pub(super) fn asks_for(&self, change: &Change) -> bool {
        step::may_be_sent(change) && !self.options.dry_run
    }

    /// The service for one write that was decided by a reading that left then: it begins while
    /// that is fresh and the set is this run's, or not at all. `resend`: it repeats one whose answer
    /// got lost.
    pub(super) fn bounded<'w>(
        &self,
        watch: &'w Watch<'_, T>,
        left: Moment,
        resend: bool,
    ) -> ContactsService<&'w Watch<'w, T>> {
        let mut begin_by = left.after(DECISION_AGE).earlier(self.lease.ends_from(watch.made()));
        // Again, after the time that it took to make the claim durable.
        if let Err(lost) = self.store.is_in_place() {
            self.fail(lost);
            // It is past: nothing is sent, and the claim is taken back.
            begin_by = left;
        }
        let service = self.service.over(watch);
        service.with_begin_by(begin_by).with_resend(resend)
    }

    /// Notes when one write leaves.
    pub(super) fn watch(&self) -> Watch<'_, T> {
        Watch::over(self.service.transport())
    }

    /// Makes a change durable as in flight, once more than before, with the record as it was
    /// `found` if that is [news](step::is_news); `None` when somebody else decided on it meanwhile.
    pub(super) async fn claim(
        &self,
        mut change: Box<Change>,
        found: Option<Image>,
        siblings: Option<Vec<ContactId>>,
    ) -> Result<Option<(Box<Change>, Former)>, BulkError> {
        let former = Former {
            outcome: change.outcome.clone(),
            before: found.is_some().then(|| change.before.clone()),
            after: change.after.clone(),
        };
        let expected = Expected::of(&change);
        change.outcome.attempts += 1;
        let claimed = self.in_flight(expected, change, found, siblings).await?;
        Ok(claimed.map(|change| (change, former)))
    }

    pub(super) async fn in_flight(
        &self,
        expected: Expected,
        mut change: Box<Change>,
        found: Option<Image>,
        siblings: Option<Vec<ContactId>>,
    ) -> Result<Option<Box<Change>>, BulkError> {
        change.outcome.at = Some(clock::now());
        // Not written once more where it is as the store has it.
        let known = mem::replace(&mut change.before, found);
        let claim = self.store.claim(&self.lease, expected, change, siblings);
        Ok(match claim.await? {
            Claim::Won(mut change) => {
                change.before = change.before.or(known);
                self.in_flight.begin(&change);
                Some(change)
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
        watch: &Watch<'_, T>,
        error: Option<&ContactsError>,
    ) {
        self.audit.wrote(change, action, preference, error);
        if error.is_some_and(classify::is_withheld) {
            self.brake.withheld();
        } else if let Some(answered) = error.map_or(Some(true), classify::is_answered) {
            self.brake.wrote(answered);
        }
        let waited = watch.waited();
        if error.is_none() || waited.is_some() {
            let mut window = lock(&self.window);
            window.note(waited, || watch.took());
        }
    }

    /// What the policy says of a change whose record is not what the plan saw, but this.
    pub(super) fn asked(
        &self,
        change: &Change,
        outcome: &Outcome,
        current: Option<Image>,
    ) -> OnDrift {
        let (change, outcome) = (change.clone(), outcome.clone());
        self.hooks.policy.decide(&Deviation { change, outcome, current })
    }

    /// Sets a change aside and stops.
    pub(super) fn abort(
        &self,
        change: Box<Change>,
        outcome: Outcome,
    ) -> impl Future<Output = Result<Became, BulkError>> + Send {
        self.brake.stop(StopReason::Drift);
        self.settle(change, outcome, None)
    }

    /// What becomes of a change that is not to be sent, if the hook says so.
    pub(super) async fn hold(
        &self,
        proposal: impl FnOnce() -> Option<Proposal>,
    ) -> Option<Outcome> {
        let before = self.hooks.before.as_ref()?;
        match before(proposal()?).await {
            Verdict::Send => None,
            Verdict::Hold(reason) => {
                // It was counted as one that is.
                self.brake.unsent();
                Some(Outcome::because(State::Held, reason))
            }
        }
    }

    /// What an error makes of a change that was claimed, and of the run. `former`: the change as
    /// it was before the claim, if nothing was written since. A claim whose write was surely not
    /// executed is taken back then: it would count as one that may have been sent.
    pub(super) async fn refuse(
        &self,
        mut change: Box<Change>,
        former: Option<Former>,
        error: &ContactsError,
        after: Option<Contact>,
    ) -> Result<Became, BulkError> {
        if let Some(reason) = classify::stops(error) {
            self.brake.stop(reason);
        }
        let outcome = classify::outcome(error, step::is_touched(&change));
        if !classify::is_not_executed(error) {
            return self.settled(change, outcome, after).await;
        }
        match former {
            Some(former) => {
                let attempts = change.outcome.attempts;
                former.restore(&mut change);
                match self.store.release(&self.lease, attempts, change).await? {
                    Claim::Won(former) => change = former,
                    Claim::Lost => return Ok(Became::Lost),
                }
                self.in_flight.taken_back(&change);
            }
            None => change.outcome.state = State::InFlight,
        }
        self.brake.unsent();
        if classify::is_turned_away(error) {
            Ok(Became::Back(change, outcome))
        } else {
            self.postpone(change, outcome, classify::sign_of(error)).await
        }
    }

    /// Leaves a change for later whose write was not executed. `sign`: what is wrong if many are.
    fn postpone(
        &self,
        change: Box<Change>,
        outcome: Outcome,
        sign: StopReason,
    ) -> impl Future<Output = Result<Became, BulkError>> + Send {
        self.brake.postponed(None, sign);
        self.settle(change, outcome, None)
    }

    /// Makes an outcome durable, then tells it. Without a newer picture of the record the one
    /// after an earlier write stays.
    pub(super) async fn settle(
        &self,
        mut change: Box<Change>,
        outcome: Outcome,
        after: Option<Image>,
    ) -> Result<Became, BulkError> {
        change.outcome =
            Outcome { at: Some(clock::now()), attempts: change.outcome.attempts, ..outcome };
        change.after = after.or(change.after);
        if !self.options.dry_run {
            let is_claimed = self.in_flight.answered(&change);
            // Looked at before it is settled: it was in flight when the set was lost.
            if let Err(lost) = self.store.is_in_place() {
                self.fail(lost);
            }
            let landed = (is_claimed && self.leaves_room(&change)).then(|| self.landed.one());
            change = self.store.settle(&self.lease, change).await?;
            drop(landed);
            self.in_flight.settled(&change);
            if let Some(after) = &self.hooks.after {
                after(Change::clone(&change)).await;
            }
        }
        self.brake.settled(&change);
        Ok(Event::Settled(change).into())
    }

    /// Whether another write may begin before this outcome is durable. Not where a failure has to be
    /// counted first, or the caller to be told.
    fn leaves_room(&self, change: &Change) -> bool {
        change.outcome.state == State::Done && self.hooks.after.is_none()
    }

    /// [`settle`](Self::settle) for a change of a contact.
    pub(super) fn settled(
        &self,
        change: Box<Change>,
        outcome: Outcome,
        after: Option<Contact>,
    ) -> impl Future<Output = Result<Became, BulkError>> + Send {
        self.settle(change, outcome, after.map(Image::from))
    }
}
