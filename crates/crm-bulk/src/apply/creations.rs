//! What the creations of one owner have to know of each other.

use std::collections::{HashMap, HashSet};

use crm_mirror::OwnerId;
use crm_models::ContactId;

use crate::set::{Change, State};

/// The creations of a run, owner by owner.
///
/// A contact that shows up is taken for the work of a creation whose answer got lost, or for
/// somebody else's. So an owner is not read while a creation of it is in flight: the newcomer
/// would be known as nobody's.
#[derive(Debug, Default)]
pub(super) struct Creations {
    in_flight: HashMap<OwnerId, usize>,
    /// The owners of which the answer of a creation got lost in this run: its contact may show
    /// up at any time.
    lost: HashSet<OwnerId>,
    /// The contacts that are known to be made by one of the changes.
    taken: HashMap<OwnerId, HashSet<ContactId>>,
}

impl Creations {
    pub(super) fn began(&mut self, owner: OwnerId) {
        *self.in_flight.entry(owner).or_default() += 1;
    }

    /// A creation has ended, and this is what became of it, if that is known.
    pub(super) fn ended(&mut self, owner: OwnerId, change: Option<&Change>) {
        if let Some(in_flight) = self.in_flight.get_mut(&owner) {
            *in_flight -= 1;
            if *in_flight == 0 {
                self.in_flight.remove(&owner);
            }
        }
        match change.map(|change| (change.target.contact(), change.outcome.state)) {
            Some((Some(contact), _)) => {
                self.taken(owner).insert(contact);
            }
            Some((None, State::Unknown)) => {
                self.lost.insert(owner);
            }
            _ => {}
        }
    }

    /// Whether one of this owner's is in flight.
    pub(super) fn are_in_flight(&self, owner: OwnerId) -> bool {
        self.in_flight.contains_key(&owner)
    }

    /// Whether the contact of one of this owner's may show up unannounced.
    pub(super) fn are_lost(&self, owner: OwnerId) -> bool {
        self.lost.contains(&owner)
    }

    /// The contacts of this owner that are known to be made by one of the changes.
    pub(super) fn taken(&mut self, owner: OwnerId) -> &mut HashSet<ContactId> {
        self.taken.entry(owner).or_default()
    }

    /// Forgets the contacts of owners that have nothing more to decide.
    pub(super) fn keep(&mut self, owners: &HashSet<OwnerId>) {
        self.taken.retain(|owner, _| owners.contains(owner));
    }
}
