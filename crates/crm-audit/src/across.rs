//! What only all owners together show: who else has a value.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
};

use crm_mirror::{MirrorError, OwnerId, Snapshot};

use crate::owners::Owners;

/// Values by a hash of their keys: 16 bytes a contact, while their texts would take a hundred. Two
/// values of a million have the same one once in 37 million audits, and then something is told that
/// is not so; nothing that writes rests on it.
type Key = u64;

/// Who has which value.
#[derive(Debug, Default)]
pub(crate) struct Across {
    /// By how many customers a value is shared, for those shared by enough.
    shared: HashMap<Key, u32>,
    /// The values of customers, and those of all the locations of a customer; sorted.
    of_customers: Vec<(i64, Key)>,
    of_locations: Vec<(i64, Key)>,
}

impl Across {
    /// One pass over the values of a mirror.
    pub(crate) fn of(
        snapshot: &Snapshot,
        owners: &Owners,
        shared_by: u32,
    ) -> Result<Self, MirrorError> {
        let mut across = Self::default();
        let mut values = Vec::new();
        snapshot.for_each_value(|owner, key| {
            if crm_mirror::keys::is_unreadable(key) {
                return;
            }
            let key = hash(key);
            values.push((key, party(owner, owners)));
            if let Some(customer) = owners.customer_of(owner).filter(|_| !owners.is_empty()) {
                let side = match owner {
                    OwnerId::Customer(_) => &mut across.of_customers,
                    OwnerId::Location(_) => &mut across.of_locations,
                };
                side.push((customer.get(), key));
            }
        })?;
        values.sort_unstable();
        values.dedup();
        for same in values.chunk_by(|one, other| one.0 == other.0) {
            let parties = u32::try_from(same.len()).unwrap_or(u32::MAX);
            if parties >= shared_by.max(2) {
                across.shared.insert(same[0].0, parties);
            }
        }
        across.of_customers.sort_unstable();
        across.of_locations.sort_unstable();
        Ok(across)
    }

    /// How many customers have this value, if they are enough.
    pub(crate) fn shared_by(&self, key: &str) -> Option<u32> {
        // Most tenants have few shared values.
        if self.shared.is_empty() { None } else { self.shared.get(&hash(key)).copied() }
    }

    /// Whether a customer has no contact with this value.
    pub(crate) fn customer_lacks(&self, customer: i64, key: &str) -> bool {
        self.of_customers.binary_search(&(customer, hash(key))).is_err()
    }

    /// Whether a customer has locations with contacts, and none of them has this value.
    pub(crate) fn locations_lack(&self, customer: i64, key: &str) -> bool {
        let first = self.of_locations.partition_point(|(of, _)| *of < customer);
        self.of_locations.get(first).is_some_and(|(of, _)| *of == customer)
            && self.of_locations.binary_search(&(customer, hash(key))).is_err()
    }
}

/// Who counts as one: a customer with its locations; a location alone, below zero, where its
/// customer is not known.
fn party(owner: OwnerId, owners: &Owners) -> i64 {
    owners.customer_of(owner).map_or(-owner.get(), crm_models::CustomerId::get)
}

fn hash(key: &str) -> Key {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish()
}
