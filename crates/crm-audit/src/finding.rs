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
    /// Why, for people: the rule's name and what is so, without a number, an address or a memo.
    pub why: String,
}

/// What is to be done with a contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mending {
    /// Change these members.
    Update(ContactChange),
    /// Delete it, as long as the owner has the same contact once more.
    Delete {
        /// The one that stays, and may have to take over the memo before.
        same_as: ContactId,
    },
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
    pub fn proposals(&self) -> BTreeMap<ContactId, Proposal> {
        let mut whole = BTreeMap::<_, Proposal>::new();
        for next in self.findings.iter().flat_map(|it| &it.proposals) {
            let Some(former) = whole.get_mut(&next.contact) else {
                whole.insert(next.contact, next.clone());
                continue;
            };
            match (&former.mending, &next.mending) {
                (Mending::Delete { .. }, _) => {}
                (_, Mending::Delete { .. }) => next.clone_into(former),
                (Mending::Update(one), Mending::Update(more)) => {
                    former.mending = Mending::Update(both(one.clone(), more));
                    former.why = format!("{}; {}", former.why, next.why);
                }
            }
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
