//! What a record is now, held against what a change made of it. Pure functions.

use crm_models::{Contact, ContactId};

use super::finding::Found;
use crate::set::{Action, Change, Image};

/// A change of a contact, whose owner has these contacts now.
pub(super) fn contact(change: &Change, id: Option<ContactId>, contacts: &[Contact]) -> Found {
    let current = contacts.iter().find(|contact| Some(contact.id) == id);
    match (&change.action, current) {
        (Action::Delete(_), Some(_)) => Found::Back,
        (Action::Delete(_), None) => Found::AsDone,
        (_, None) => Found::Gone,
        (_, Some(current)) => members(change, current.clone().into()),
    }
}

/// The number or address that the change sent.
fn sent(change: &Change) -> Option<&str> {
    match &change.action {
        Action::Update(wanted) | Action::Create(wanted) => wanted.change.get_value(),
        _ => None,
    }
}

/// The members that the change made so, and that are otherwise now. What the service made of a value
/// when it stored it is no later change.
pub(super) fn members(change: &Change, current: Image) -> Found {
    let is_as_sent = sent(change) == Some(current.value());
    let mut as_if_planned_now = Change { before: Some(current), ..change.clone() };
    if let Action::Update(wanted) | Action::Create(wanted) = &mut as_if_planned_now.action
        && let Some(stored) = change.stored().filter(|_| !is_as_sent)
    {
        wanted.change = wanted.change.clone().value(stored.value);
    }
    // How the service writes the value of a new contact is its own affair.
    if let Action::Create(wanted) = &mut as_if_planned_now.action {
        wanted.exact = false;
    }
    let differing = as_if_planned_now.members();
    if differing.is_empty() { Found::AsDone } else { Found::Differs(differing) }
}
