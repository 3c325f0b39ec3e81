//! What to do with one change, given what is there now. Pure functions.

use std::collections::HashSet;

use crm_contacts::differences;
use crm_models::{
    Contact, ContactId, ContactMethodId, CreateContactRequest, PersonId, UpdateContactRequest,
};

use super::OnDrift;
use crate::{Action, Change, Image, Outcome, OwnerId, State, Target, Wanted, plan::judge};

/// A change as the file has it.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) change: Change,
    /// For a creation that may have been sent: the contacts of its owner that it surely did
    /// not create.
    pub(super) not_ours: Vec<ContactId>,
}

/// What to do next with a change.
#[derive(Debug)]
pub(super) enum Step {
    /// Nothing has to be sent: this became of it.
    Settle(Outcome, Option<Contact>),
    /// The record is not what the plan saw.
    Drift(Outcome),
    /// Write to a contact of this owner.
    Contact(OwnerId, Write),
    /// Read this contact method first.
    Method(PersonId, ContactMethodId),
}

impl Step {
    /// Whether something is sent that may change a record.
    pub(super) fn writes(&self) -> bool {
        matches!(self, Self::Contact(..) | Self::Method(..))
    }
}

/// A write to a contact.
#[derive(Debug)]
pub(super) enum Write {
    /// Change this contact, which is so at present.
    Update(Contact, UpdateContactRequest),
    /// Create it; these contacts of the owner have its number or address already.
    Create(CreateContactRequest, Vec<ContactId>),
    /// It is created: see to its other members.
    Complete(Contact),
    /// Delete this contact.
    Delete(Contact),
}

/// Decides on a change, whose owner has these contacts now. `taken` are contacts that were
/// recognised as created by other changes of this run.
pub(super) fn decide(
    loaded: &Loaded,
    contacts: &[Contact],
    on_drift: OnDrift,
    taken: &mut HashSet<ContactId>,
) -> Step {
    let change = &loaded.change;
    let (owner, contact) = match change.target {
        Target::Contact { owner, contact } => (owner, contact),
        Target::Method { person, method } => return Step::Method(person, method),
    };
    let present = contacts.iter().find(|found| Some(found.id) == contact);
    match &change.action {
        Action::Update(wanted) => update(owner, change, wanted, present, on_drift),
        Action::Create(wanted) => create(owner, loaded, wanted, contacts, taken),
        Action::Delete => delete(owner, change, present, on_drift),
        Action::MethodPreferences(_) => {
            let why = "a contact has no preferences of contact methods";
            Step::Settle(Outcome::because(State::Failed, why), None)
        }
    }
}

/// Whether an earlier run may have carried it out.
pub(super) fn may_be_sent(change: &Change) -> bool {
    matches!(change.outcome.state, State::InFlight | State::Unknown)
}

fn update(
    owner: OwnerId,
    change: &Change,
    wanted: &Wanted,
    present: Option<&Contact>,
    on_drift: OnDrift,
) -> Step {
    let Some(present) = present else {
        return Step::Settle(judge::update(wanted, None), None);
    };
    match wanted.request(present) {
        Ok(None) if may_be_sent(change) => {
            Step::Settle(Outcome::new(State::Done), Some(present.clone()))
        }
        Ok(None) => Step::Settle(Outcome::new(State::Already), None),
        _ if on_drift != OnDrift::Force && has_drifted(change, present) => drift(change, present),
        Ok(Some(request)) => Step::Contact(owner, Write::Update(present.clone(), request)),
        Err(unknown) => Step::Settle(Outcome::because(State::Failed, unknown.to_string()), None),
    }
}

fn delete(owner: OwnerId, change: &Change, present: Option<&Contact>, on_drift: OnDrift) -> Step {
    match present {
        None if may_be_sent(change) => Step::Settle(Outcome::new(State::Done), None),
        None => Step::Settle(judge::delete(None), None),
        Some(present) if on_drift != OnDrift::Force && has_drifted(change, present) => {
            drift(change, present)
        }
        Some(present) => Step::Contact(owner, Write::Delete(present.clone())),
    }
}

fn create(
    owner: OwnerId,
    loaded: &Loaded,
    wanted: &Wanted,
    contacts: &[Contact],
    taken: &mut HashSet<ContactId>,
) -> Step {
    let Some(request) = wanted.creation() else {
        return Step::Settle(judge::create(wanted, contacts.iter()).0, None);
    };
    // One that failed may have been created without its preferences.
    if may_be_sent(&loaded.change) || loaded.change.after.is_some() {
        let ours = |found: &&Contact| {
            request.is_same(found)
                && !loaded.not_ours.contains(&found.id)
                && !taken.contains(&found.id)
        };
        if let Some(created) = contacts.iter().find(ours) {
            taken.insert(created.id);
            return Step::Contact(owner, Write::Complete(created.clone()));
        }
    }
    match judge::create(wanted, contacts.iter()).0 {
        outcome if outcome.state == State::Planned => {
            let siblings = judge::siblings(&request, contacts);
            Step::Contact(owner, Write::Create(request, siblings))
        }
        outcome => Step::Settle(outcome, None),
    }
}

/// Whether the contact is not what the plan saw. When it was modified does not count.
fn has_drifted(change: &Change, present: &Contact) -> bool {
    let before = change.before.as_ref().and_then(Image::as_contact);
    before.is_some_and(|before| !differences(before, present).is_empty())
}

fn drift(change: &Change, present: &Contact) -> Step {
    let before = change.before.as_ref().and_then(Image::as_contact);
    let changed = before
        .map(|before| differences(before, present))
        .unwrap_or_default();
    let members: Vec<_> = changed.iter().map(|difference| difference.field).collect();
    let why = format!(
        "somebody changed {} after the plan was made; plan it again",
        members.join(", ")
    );
    Step::Drift(Outcome::because(State::Drifted, why))
}

/// Whether a creation of this block may have been sent and its contact does not show up.
pub(super) fn misses_a_creation(loaded: &Loaded, contacts: &[Contact]) -> bool {
    let Action::Create(wanted) = &loaded.change.action else {
        return false;
    };
    may_be_sent(&loaded.change)
        && wanted.creation().is_some_and(|request| {
            !contacts
                .iter()
                .any(|found| request.is_same(found) && !loaded.not_ours.contains(&found.id))
        })
}
