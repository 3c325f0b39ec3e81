//! What is known of customers and locations beside their contacts.

use std::collections::HashMap;

use crm_mirror::{Feed, FeedState, Mirror, MirrorError, OwnerId};
use crm_models::{CustomerId, LocationId};

use crate::rule::{Rule, Rules};

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
pub struct Owners {
    /// Of each location. A tenant has more of these than of anything else but contacts.
    customers: HashMap<LocationId, CustomerId>,
    /// Those that are no longer in use, and into which one each was merged.
    inactive: HashMap<OwnerId, Option<i64>>,
}

impl Owners {
    /// Creates an empty list: nothing is known of anybody.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes what a mirror knows of them, in one pass.
    ///
    /// # Errors
    ///
    /// A failure to read.
    pub fn of(mirror: &Mirror) -> Result<Self, MirrorError> {
        let mut owners = Self::new();
        mirror.for_each_known_owner(|owner| {
            let merged_to = owner.merged_to.map(OwnerId::get);
            owners.add(owner.id, owner.active, merged_to, Some(owner.customer));
            Ok::<_, MirrorError>(())
        })?;
        Ok(owners)
    }

    /// Returns those of the rules that what a mirror knows of owners is enough for: it lacks
    /// customers or locations where their feed was never read to its end, for example for want of a
    /// scope.
    ///
    /// # Errors
    ///
    /// A failure to read.
    pub fn answerable(mirror: &Mirror, mut rules: Rules) -> Result<Rules, MirrorError> {
        for FeedState { feed, complete_at, .. } in mirror.feeds()? {
            rules = match feed {
                _ if complete_at.is_some() => rules,
                Feed::Customers => rules.without(Rule::InactiveOwner),
                // Whose location it is tells its own feed.
                Feed::Locations => {
                    Rule::ALL.into_iter().filter(|it| it.needs_owners()).fold(rules, Rules::without)
                }
                _ => rules,
            };
        }
        Ok(rules)
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
        if !is_active || merged_to.is_some() {
            self.inactive.insert(owner, merged_to);
        }
        if let Some((location, customer)) = owner.location().zip(customer) {
            self.customers.insert(location, customer);
        }
    }

    /// Whether it is not known of any location whose it is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.customers.is_empty()
    }

    /// Returns the customer itself, or the one whose location it is, if that is known.
    #[must_use]
    pub fn customer_of(&self, owner: OwnerId) -> Option<CustomerId> {
        owner.customer().or_else(|| self.customers.get(&owner.location()?).copied())
    }

    /// Why the owner is no longer in use, in words; `None` where it is, or nothing is known of it.
    pub(crate) fn inactive(&self, owner: OwnerId) -> Option<String> {
        let kind = owner.kind();
        Some(match self.inactive.get(&owner)? {
            Some(into) => format!("{owner} was merged into {kind} {into}"),
            None => format!("{owner} is deactivated"),
        })
    }
}
