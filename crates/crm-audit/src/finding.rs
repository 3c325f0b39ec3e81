//! What an audit finds and proposes.

use std::collections::BTreeMap;

use crm_mirror::{KnownOwner, OwnerId};
use crm_models::{Contact, ContactChange, ContactId};

use crate::rule::Rule;

/// What a rule found at one contact.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The rule.
    pub rule: Rule,
    /// The contact; its owner is that of the [`Examined`].
    pub contact: ContactId,
    /// What is so, beyond the rule's own words. It may contain numbers, addresses and memos.
    pub detail: String,
    /// What mends it: changes of contacts of the same owner. Empty where the rule only tells, or the
    /// owner is no longer in use.
    pub proposals: Vec<Proposal>,
}

/// A change of one contact that a rule proposes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Proposal {
    /// The contact.
    pub contact: ContactId,
    /// What is to be done with it.
    pub mending: Mending,
}

/// What is to be done with a contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mending {
    /// Change these members.
    Update(ContactChange),
    /// Delete it: the owner has the same contact once more.
    Delete,
}

/// An owner at which something was found, with all its contacts.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Examined {
    /// The customer or location.
    pub owner: OwnerId,
    /// The owner itself, for people: its name, its town. `None` where the mirror does not have it.
    pub details: Option<KnownOwner>,
    /// All its contacts, in the order of their ids.
    pub contacts: Vec<Contact>,
    /// What was found, contact by contact.
    pub findings: Vec<Finding>,
}

impl Examined {
    /// Returns what is proposed for each contact, by all rules together: each contact is changed
    /// once. What is deleted is not changed too.
    #[must_use]
    pub fn proposals(&self) -> BTreeMap<ContactId, Mending> {
        let mut whole = BTreeMap::new();
        for Proposal { contact, mending } in self.findings.iter().flat_map(|it| &it.proposals) {
            let mending = match (whole.remove(contact), mending) {
                (Some(Mending::Delete), _) | (_, Mending::Delete) => Mending::Delete,
                (None, Mending::Update(change)) => Mending::Update(change.clone()),
                (Some(Mending::Update(one)), Mending::Update(more)) => {
                    Mending::Update(both(one, more))
                }
            };
            whole.insert(*contact, mending);
        }
        whole
    }

    /// Returns a contact of the owner.
    #[must_use]
    pub fn contact(&self, id: ContactId) -> Option<&Contact> {
        self.contacts.iter().find(|contact| contact.id == id)
    }
}

/// Two changes of one contact. No two rules propose the same member.
fn both(mut change: ContactChange, more: &ContactChange) -> ContactChange {
    if let Some(contact_type) = more.get_contact_type() {
        change = change.contact_type(contact_type.clone());
    }
    if let Some(value) = more.get_value() {
        change = change.value(value);
    }
    if let Some(memo) = more.get_memo() {
        change = change.memo(memo);
    }
    let flags = change.get_preferences().iter().chain(more.get_preferences().iter()).collect();
    change.preferences(flags)
}
