//! The writes to a contact.

use std::slice::from_ref;

use crm_contacts::{ContactsError, ContactsService, Echo, Owner, Record as _};
use crm_mirror::OwnerId;
use crm_models::{Contact, ContactId, CreateContactRequest, Tolerance, UpdateContactRequest};
use crm_transport::{Moment, Transport};

use super::{
    queue::Reading,
    run::{Became, Former, Run},
};
use crate::{
    decide::step::{self, Write},
    error::BulkError,
    set::{Action, Change, Outcome, State, Wanted},
    store::{Expected, Loaded},
};

/// What our own rules let pass of a write that makes this change.
fn tolerance(change: &Change) -> Tolerance {
    match &change.action {
        Action::Update(wanted) | Action::Create(wanted) => wanted.tolerance(),
        Action::Delete(_) | Action::MethodPreferences(_) => Tolerance::Nothing,
    }
}

impl<T: Transport> Run<T> {
    /// Whether what this change did does not show up, though the service says that it did it, or what
    /// another one may have done on which it rests.
    pub(super) fn misses(&self, loaded: &Loaded, contacts: &[Contact]) -> bool {
        step::misses_its_contact(loaded, contacts)
            || (!self.options.dry_run && step::misses_carrier(&loaded.change, contacts))
            || (self.unheeded.has(&loaded.change) && step::is_unmet(&loaded.change, contacts))
    }

    pub(super) async fn contact<O: Owner + Into<OwnerId>>(
        &self,
        owner: O,
        change: Box<Change>,
        write: Write,
        reading: &Reading,
    ) -> Result<Became, BulkError> {
        match write {
            Write::Update(current, _) | Write::Complete(current)
                if self.unheeded.has(&change) && step::is_unmet(&change, from_ref(&current)) =>
            {
                let why = "the service answered as if it were done, but the contact reads back \
                           otherwise; it may be sent again";
                let outcome = Outcome::because(State::Failed, why);
                self.settled(change, outcome, Some(current)).await
            }
            Write::Update(current, request) => {
                self.update(owner, change, current, request, reading).await
            }
            Write::Delete(current, siblings) => {
                Box::pin(self.delete(owner, change, current, siblings, reading.left)).await
            }
            Write::Create(request, siblings) => {
                Box::pin(self.create(owner, change, request, siblings, reading)).await
            }
            Write::Complete(created) => {
                // Of one that was settled as unknown with its contact it was told.
                let untold = !is_created(&change) || change.outcome.state == State::InFlight;
                if untold && self.asks_for(&change) {
                    self.audit.found(&change, "create", None);
                }
                let found = Expected::of(&change);
                let mut change = change;
                change.outcome.attempts += 1;
                let left = reading.left;
                Box::pin(self.complete(owner, change, found, created, left, reading)).await
            }
        }
    }

    async fn update<O: Owner>(
        &self,
        owner: O,
        change: Box<Change>,
        current: Contact,
        request: UpdateContactRequest,
        reading: &Reading,
    ) -> Result<Became, BulkError> {
        let repeated = step::may_be_sent(&change);
        let found = is_news(&change, &current).then(|| current.clone().into());
        let Some((change, former)) = self.claim(change, found, None).await? else {
            return Ok(Became::Lost);
        };
        let watch = self.watch();
        let tolerance = tolerance(&change).max(request.tolerance_for(&current));
        let service = self.bounded(&watch, reading.left, repeated).tolerating(tolerance);
        let service = in_form(service, &current, reading);
        let sent = service.owner(owner).send_once(current.id, request).await;
        self.wrote(&change, "update", None, &watch, sent.as_ref().err());
        self.updated(change, Some(former), &current, sent).await
    }

    async fn delete<O: Owner>(
        &self,
        owner: O,
        change: Box<Change>,
        current: Contact,
        siblings: Vec<ContactId>,
        left: Moment,
    ) -> Result<Became, BulkError> {
        let (id, repeated) = (current.id, step::may_be_sent(&change));
        let found = is_news(&change, &current).then(|| current.into());
        let Some((change, former)) = self.claim(change, found, Some(siblings)).await? else {
            return Ok(Became::Lost);
        };
        let watch = self.watch();
        let service = self.bounded(&watch, left, repeated);
        let sent = match service.owner(owner).delete_once(id).await {
            Err(error) if repeated && error.is_not_found() => Ok(()),
            sent => sent,
        };
        self.wrote(&change, "delete", None, &watch, sent.as_ref().err());
        match sent {
            Ok(()) => self.settled(change, Outcome::new(State::Done), None).await,
            Err(error) => self.refuse(change, Some(former), &error, None).await,
        }
    }

    async fn create<O: Owner + Into<OwnerId>>(
        &self,
        owner: O,
        change: Box<Change>,
        request: CreateContactRequest,
        siblings: Vec<ContactId>,
        reading: &Reading,
    ) -> Result<Became, BulkError> {
        let repeated = step::may_be_sent(&change);
        let Some((change, former)) = self.claim(change, None, Some(siblings)).await? else {
            return Ok(Became::Lost);
        };
        let watch = self.watch();
        let service = self.bounded(&watch, reading.left, repeated);
        let service = service.tolerating(tolerance(&change));
        let before = reading.current.of(owner.into()).unwrap_or_default();
        let known: Vec<_> = before.iter().map(|contact| contact.id).collect();
        let sent = service.owner(owner).create_beside(request, &known).await;
        self.wrote(&change, "create", None, &watch, sent.as_ref().err());
        let created = match sent {
            Ok(created) => created,
            Err(error) => return self.refuse(change, Some(former), &error, None).await,
        };
        if !self.creations().taken(owner.into()).insert(created.id) {
            let why = "the answer is about the contact that another change created; the one of \
                       this change is looked for";
            let outcome = Outcome::because(State::Unknown, why);
            return self.settled(change, outcome, None).await;
        }
        let sent = Expected { state: State::InFlight, attempts: change.outcome.attempts };
        self.complete(owner, change, sent, created, watch.left(), reading).await
    }

    /// Sets what a creation cannot set: the preferences. Which contact was created is durable
    /// before that, so that it is never created a second time. `left`: when the request left whose
    /// answer shows the contact. `reading`: what was read before.
    async fn complete<O: Owner>(
        &self,
        owner: O,
        mut change: Box<Change>,
        expected: Expected,
        created: Contact,
        left: Moment,
        reading: &Reading,
    ) -> Result<Became, BulkError> {
        let was_created = is_created(&change);
        change.target = change.target.created(created.id);
        // How the service writes the value is its own affair.
        let wanted = match &change.action {
            Action::Create(wanted) => Wanted { exact: false, ..wanted.clone() },
            _ => Wanted::default(),
        };
        let request = wanted.request(&created);
        change.after = Some(created.clone().into());
        match request {
            Ok(None) => {
                let sent = was_created && !wanted.change.get_preferences().is_empty();
                if sent && self.asks_for(&change) {
                    self.audit.found(&change, "update", None);
                }
                self.settled(change, Outcome::new(State::Done), None).await
            }
            Ok(Some(request)) => {
                let Some(change) = self.in_flight(expected, change, None, None).await? else {
                    return Ok(Became::Lost);
                };
                let watch = self.watch();
                let resend = was_created && step::may_be_sent(&change);
                let tolerance = request.tolerance_for(&created);
                let service = self.bounded(&watch, left, resend).tolerating(tolerance);
                let service = in_form(service, &created, reading);
                let sent = service.owner(owner).send_once(created.id, request).await;
                self.wrote(&change, "update", None, &watch, sent.as_ref().err());
                self.updated(change, None, &created, sent).await
            }
            Err(unknown) => {
                let why = format!("created as contact {}, but: {unknown}", created.id);
                let outcome = Outcome::because(State::Failed, why);
                self.settled(change, outcome, None).await
            }
        }
    }

    /// Settles an update by its answer. An answer that differs from what was asked is a failure,
    /// but it is the contact, so that the change can be undone. Where each member that differs is
    /// as it was before, the answer may be an old picture: the contact is read back.
    async fn updated(
        &self,
        change: Box<Change>,
        former: Option<Former>,
        current: &Contact,
        answer: Result<Contact, ContactsError>,
    ) -> Result<Became, BulkError> {
        match answer {
            Ok(after) => {
                let outcome = Outcome::new(State::Done);
                self.settled(change, outcome, Some(after)).await
            }
            Err(ContactsError::EchoDiffers(echo)) if is_of_before(current, &echo) => {
                self.unheeded.note(&change);
                let why = "the answer shows the contact as it was before; it is read back";
                let outcome = Outcome::because(State::Unknown, why);
                self.settled(change, outcome, None).await
            }
            Err(error) => {
                let after = match &error {
                    ContactsError::EchoDiffers(echo) => echo.answer.as_contact().cloned(),
                    _ => None,
                };
                // Boxed, as all that is rare, so that it makes no other write larger.
                Box::pin(self.refuse(change, former, &error, after)).await
            }
        }
    }
}

/// Has flags sent in the form that the reading shows, where the contact itself tells none.
fn in_form<T: Transport>(
    service: ContactsService<T>,
    contact: &Contact,
    reading: &Reading,
) -> ContactsService<T> {
    if contact.preferences.is_none() && reading.current.shows_three_flags() {
        return service.with_legacy_preferences();
    }
    service
}

/// Whether this is to be kept as the contact just before the write.
fn is_news(change: &Change, found: &Contact) -> bool {
    step::is_news(change, |before| before.as_contact() == Some(found))
}

/// Whether whatever is not as asked is as it was before.
fn is_of_before(before: &Contact, echo: &Echo) -> bool {
    let changed = echo.answer.as_contact().map(|answer| before.differences_to(answer));
    let changed = changed.unwrap_or_default();
    let is_changed = |field: &str| changed.iter().any(|change| change.field == field);
    !echo.differences.iter().any(|other| is_changed(&other.field))
}

/// Whether the contact of a creation is known.
fn is_created(change: &Change) -> bool {
    change.target.contact_text().is_some()
}
