//! What to do with one change, given what is there now. Pure functions.

use std::collections::HashSet;

use crm_contacts::Record as _;
use crm_mirror::OwnerId;
use crm_models::{
    Contact, ContactId, ContactMethodId, CreateContactRequest, PersonId, UpdateContactRequest,
};

use super::judge;
use crate::{
    set::{Action, Carrier, Change, Image, Outcome, State, Target, Wanted},
    store::Loaded,
};

/// What to do with a record that is not what the plan saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum OnDrift {
    /// Sets the change aside.
    #[default]
    Skip,
    /// Makes the change anyway: the members that it names are set, the rest is left as it is now.
    Force,
    /// Sets the change aside and stops.
    Abort,
}

/// What to do next with a change.
#[derive(Debug)]
pub(crate) enum Step {
    /// Nothing has to be sent: this became of it.
    Settle(Outcome, Option<Contact>),
    /// The record is not what the plan saw.
    Drift(Outcome),
    /// The same, and nothing more is to be begun.
    Abort(Outcome),
    /// Write to a contact of this owner.
    Contact(OwnerId, Write),
    /// Read this contact method first.
    Method(PersonId, ContactMethodId),
    /// A creation whose answer got lost does not show up: look again later.
    Await,
}

impl Step {
    /// Whether something is sent that may change a record.
    pub(crate) fn writes(&self) -> bool {
        matches!(self, Self::Contact(..) | Self::Method(..))
    }
}

/// A write to a contact.
#[derive(Debug)]
pub(crate) enum Write {
    /// Change this contact, which is so now.
    Update(Contact, UpdateContactRequest),
    /// Create it; these contacts of the owner have its number or address already.
    Create(CreateContactRequest, Vec<ContactId>),
    /// It is created: see to its other members.
    Complete(Contact),
    /// Delete this contact; these contacts of the owner have its number or address.
    Delete(Contact, Vec<ContactId>),
}

/// Decides on a change, whose owner has these contacts now. `taken` are contacts that were
/// recognised as created by other changes of this run. `handed_over`: what other changes of the set
/// give to these contacts is there by now.
pub(crate) fn decide(
    loaded: &Loaded,
    contacts: &[Contact],
    on_drift: OnDrift,
    taken: &mut HashSet<ContactId>,
    handed_over: bool,
) -> Step {
    let change = &loaded.change;
    let (owner, contact) = match change.target {
        Target::Contact { owner, contact } => (owner, contact),
        Target::Method { person, method } => return Step::Method(person, method),
    };
    let current = contacts.iter().find(|found| Some(found.id) == contact);
    match &change.action {
        Action::Update(wanted) => {
            let step = update(owner, change, wanted, current, on_drift);
            if handed_over && lacks_carrier(change, &step, contacts) {
                return Step::Settle(Carrier::lacking(), None);
            }
            step
        }
        Action::Create(wanted) => create(owner, loaded, wanted, contacts, on_drift, taken),
        Action::Delete(_) => delete(owner, change, contacts, current, on_drift, handed_over),
        Action::MethodPreferences(_) => {
            let why = "a contact has no preferences of contact methods";
            Step::Settle(Outcome::because(State::Failed, why), None)
        }
    }
}

/// Whether an earlier run may have carried it out.
pub(crate) fn may_be_sent(change: &Change) -> bool {
    change.outcome.state.may_be_sent()
}

/// Whether an earlier request of this change changed the record, or may have.
pub(crate) fn is_touched(change: &Change) -> bool {
    may_be_sent(change) || change.after.is_some()
}

/// Whether this is to be kept as the record just before the first write: what a later one finds
/// may be our own work.
pub(crate) fn is_news(change: &Change, is_found: impl Fn(&Image) -> bool) -> bool {
    match &change.before {
        Some(before) => !is_touched(change) && !is_found(before),
        None => true,
    }
}

fn update(
    owner: OwnerId,
    change: &Change,
    wanted: &Wanted,
    current: Option<&Contact>,
    on_drift: OnDrift,
) -> Step {
    let Some(current) = current else {
        return Step::Settle(judge::update(wanted, None), None);
    };
    // Whether it is as wanted comes first. That somebody changed other members as well takes
    // nothing from it, and after a lost answer it is the only sign that the write was carried out.
    match judge::request(wanted, current) {
        Ok(None) if is_touched(change) => {
            Step::Settle(Outcome::new(State::Done), Some(current.clone()))
        }
        Ok(None) => Step::Settle(Outcome::new(State::Already), None),
        // Drift before a reason not to send: the person who planned saw another contact.
        _ if on_drift != OnDrift::Force && has_drifted(change, current) => drift(change, current),
        Ok(Some(request)) => Step::Contact(owner, Write::Update(current.clone(), request)),
        Err(outcome) => Step::Settle(outcome, None),
    }
}

/// Whether it takes a memo away that no other contact carries which has to.
fn lacks_carrier(change: &Change, step: &Step, contacts: &[Contact]) -> bool {
    match (change.action.carrier(), step) {
        (Some(carrier), Step::Contact(_, Write::Update(current, request))) => {
            request.get_memo().is_some() && !carrier.is_among(contacts, current.id)
        }
        _ => false,
    }
}

/// Whether the contact that has to carry a memo does not show up, or not with it.
pub(crate) fn misses_carrier(change: &Change, contacts: &[Contact]) -> bool {
    let needed = change.action.carrier().zip(change.target.contact());
    needed.is_some_and(|(carrier, from)| !carrier.is_among(contacts, from))
}

fn delete(
    owner: OwnerId,
    change: &Change,
    contacts: &[Contact],
    current: Option<&Contact>,
    on_drift: OnDrift,
    handed_over: bool,
) -> Step {
    match current {
        // Gone, and this change may be why. If nothing was sent, there was nothing to delete.
        None if may_be_sent(change) => Step::Settle(Outcome::new(State::Done), None),
        None => Step::Settle(judge::delete(None), None),
        Some(current) if on_drift != OnDrift::Force && has_drifted(change, current) => {
            drift(change, current)
        }
        Some(current) => {
            if let Some(held) = held(change, current, contacts, handed_over) {
                return Step::Settle(held, None);
            }
            // An undo creates the contact again, and has to tell it from those beside it.
            let same = CreateContactRequest::new(current.contact_type.clone(), &current.value);
            let siblings = judge::siblings(&same, contacts);
            Step::Contact(owner, Write::Delete(current.clone(), siblings))
        }
    }
}

/// What becomes of a deletion for which no contact stands in that has to.
fn held(
    change: &Change,
    current: &Contact,
    contacts: &[Contact],
    handed_over: bool,
) -> Option<Outcome> {
    let needed = change.action.stand_in()?;
    let kept = contacts.iter().find(|found| found.id == needed.contact);
    match needed.compare(current, kept) {
        Err(lacks) if handed_over || !lacks.is_memo() => Some(lacks.outcome(needed)),
        _ => None,
    }
}

fn create(
    owner: OwnerId,
    loaded: &Loaded,
    wanted: &Wanted,
    contacts: &[Contact],
    on_drift: OnDrift,
    taken: &mut HashSet<ContactId>,
) -> Step {
    let Some(request) = wanted.creation() else {
        return Step::Settle(judge::create(wanted, contacts.iter()).0, None);
    };
    // A known id ends the question: whatever else the owner has, nothing is created once more.
    if let Some(id) = loaded.change.target.contact() {
        return match contacts.iter().find(|found| found.id == id) {
            Some(created) => Step::Contact(owner, Write::Complete(created.clone())),
            None => {
                let why = format!("was created as contact {id}, which the owner no longer has");
                Step::Settle(Outcome::because(State::NotFound, why), None)
            }
        };
    }
    // What was there before the request left cannot be its work, nor what another change made.
    let newcomer = contacts.iter().find(|found| {
        request.is_same(found) && !loaded.not_ours.contains(&found.id) && !taken.contains(&found.id)
    });
    match newcomer {
        Some(created) if may_be_sent(&loaded.change) => {
            // Of two lost creations of one number each must find a contact of its own.
            taken.insert(created.id);
            return Step::Contact(owner, Write::Complete(created.clone()));
        }
        // Only a creation that restores is made beside others with its value, so only there a
        // newcomer has to be somebody else's.
        Some(other) if wanted.exact && on_drift != OnDrift::Force => {
            let why = format!("somebody created it again meanwhile, as contact {}", other.id);
            return Step::Drift(Outcome::because(State::Drifted, why));
        }
        _ => {}
    }
    match judge::create(wanted, contacts.iter()).0 {
        outcome if outcome.state == State::Planned => {
            let siblings = judge::siblings(&request, contacts);
            Step::Contact(owner, Write::Create(request, siblings))
        }
        outcome => Step::Settle(outcome, None),
    }
}

/// A creation that is made beside the contacts that contradict it.
pub(crate) fn create_beside(change: &Change, contacts: &[Contact]) -> Option<Step> {
    let Action::Create(wanted) = &change.action else {
        return None;
    };
    let request = wanted.creation()?;
    let siblings = judge::siblings(&request, contacts);
    Some(Step::Contact(change.target.owner()?, Write::Create(request, siblings)))
}

/// The contact as the plan saw it, and as our own writes left it.
fn known(change: &Change) -> impl DoubleEndedIterator<Item = &Contact> {
    let images = [change.before.as_ref(), change.after.as_ref()];
    images.into_iter().flatten().filter_map(Image::as_contact)
}

/// Whether the contact is nothing that this change knows. When it was modified does not count.
fn has_drifted(change: &Change, current: &Contact) -> bool {
    // As before or as we left it: a service that answers a write before its lists show it gives the
    // former back.
    // Most are found exactly so, which takes much less to see than that they are not.
    let is_other = |seen: &Contact| seen != current && !seen.differences_to(current).is_empty();
    known(change).next().is_some() && known(change).all(is_other)
}

fn drift(change: &Change, current: &Contact) -> Step {
    // Against the last of them: what differs from the one before may be our own work.
    let changed = known(change).next_back();
    let changed = changed.map(|seen| seen.differences_to(current)).unwrap_or_default();
    let members: Vec<_> = changed.iter().map(|difference| &*difference.field).collect();
    let members = members.join(", ");
    let why = if may_be_sent(change) {
        format!(
            "may have been written, but {members} is now neither as before nor as wanted; look \
             at the contact"
        )
    } else {
        format!("somebody changed {members} after the plan was made; plan it again")
    };
    Step::Drift(Outcome::because(State::Drifted, why))
}

/// Whether the contact that a creation is known to have made does not show up.
pub(crate) fn misses_its_contact(loaded: &Loaded, contacts: &[Contact]) -> bool {
    is_creation(loaded)
        && loaded
            .change
            .target
            .contact()
            .is_some_and(|id| contacts.iter().all(|found| found.id != id))
}

/// Whether the contact of this change is there, but not as it is wanted.
pub(crate) fn is_unmet(change: &Change, contacts: &[Contact]) -> bool {
    let (Action::Update(wanted) | Action::Create(wanted)) = &change.action else {
        return false;
    };
    let id = change.target.contact();
    let current = contacts.iter().find(|found| Some(found.id) == id);
    current.is_some_and(|current| !wanted.is_met_by(current))
}

/// Whether the answer of a creation got lost, and the contact does not show up.
pub(crate) fn may_still_be_created(loaded: &Loaded, contacts: &[Contact]) -> bool {
    let Action::Create(wanted) = &loaded.change.action else {
        return false;
    };
    let open = loaded.change.target.contact().is_none() && may_be_sent(&loaded.change);
    wanted.creation().is_some_and(|request| {
        open && contacts
            .iter()
            .all(|found| !request.is_same(found) || loaded.not_ours.contains(&found.id))
    })
}

/// Whether it creates a contact.
pub(crate) fn is_creation(loaded: &Loaded) -> bool {
    matches!(loaded.change.action, Action::Create(_))
}
