//! What is known of customers and locations beside their contacts.

use std::collections::HashMap;

use crm_mirror::OwnerId;
use crm_models::{Customer, CustomerId, Location};

/// What is known of customers and locations beside their contacts. Without it an audit cannot say
/// which location belongs to which customer, nor who is no longer in use.
///
/// ```
/// use crm_audit::Owners;
/// use crm_mirror::OwnerId;
/// use crm_models::{CustomerId, LocationId};
///
/// let (customer, location) = (CustomerId::new(1_001)?, LocationId::new(55_021)?);
/// let mut owners = Owners::new();
/// owners.add(customer.into(), true, None, None);
/// owners.add(location.into(), true, None, Some(customer));
/// assert_eq!(owners.customer_of(location.into()), Some(customer));
/// # Ok::<(), crm_models::InvalidId>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Owners(HashMap<OwnerId, Owner>);

#[derive(Debug, Clone, Copy)]
struct Owner {
    is_active: bool,
    merged_to: Option<i64>,
    customer: Option<CustomerId>,
}

impl Owners {
    /// Creates an empty list: nothing is known of anybody.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a customer or a location: whether it is in use, into which one of its kind it was
    /// merged, and of a location, whose it is.
    pub fn add(
        &mut self,
        owner: OwnerId,
        is_active: bool,
        merged_to: Option<i64>,
        customer: Option<CustomerId>,
    ) {
        self.0.insert(owner, Owner { is_active, merged_to, customer });
    }

    /// Adds a customer as the service answers it.
    pub fn add_customer(&mut self, customer: &Customer) {
        let merged_to = customer.merged_to_id.map(CustomerId::get);
        self.add(customer.id.into(), customer.active, merged_to, None);
    }

    /// Adds a location as the service answers it.
    pub fn add_location(&mut self, location: &Location) {
        let merged_to = location.merged_to_id.map(crm_models::LocationId::get);
        self.add(location.id.into(), location.active, merged_to, Some(location.customer_id));
    }

    /// Whether nothing is known of anybody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the customer itself, or the one whose location it is, if that is known.
    #[must_use]
    pub fn customer_of(&self, owner: OwnerId) -> Option<CustomerId> {
        owner.customer().or_else(|| self.0.get(&owner)?.customer)
    }

    /// Why the owner is no longer in use, in words; `None` where it is, or nothing is known of it.
    pub(crate) fn inactive(&self, owner: OwnerId) -> Option<String> {
        let known = self.0.get(&owner)?;
        let kind = owner.kind();
        match known.merged_to {
            Some(into) => Some(format!("{owner} was merged into {kind} {into}")),
            None => (!known.is_active).then(|| format!("{owner} is deactivated")),
        }
    }
}
