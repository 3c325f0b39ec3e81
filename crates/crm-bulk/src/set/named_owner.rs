//! What people recognize an owner by.

use std::fmt;

use crm_mirror::{KnownOwner, OwnerId};
use crm_models::{Address, ContactOwner, OwnerDetails};

/// The name and the town of a customer or a location, as they were when a set was planned. They are
/// for people: nothing is decided by them, and they are no part of a set's digest.
///
/// ```
/// use crm_bulk::NamedOwner;
/// use crm_models::{Address, Customer, CustomerId};
///
/// let modified_on = "2026-05-27T16:04:11Z".parse()?;
/// let mut customer = Customer::new(CustomerId::new(1001)?, "Ana Alvarez", modified_on);
/// customer.address = Address::new("10411 Foothill Lane", "Burbank", "CA", "91501");
/// assert_eq!(NamedOwner::of(&customer).to_string(), "Ana Alvarez, Burbank");
/// customer.active = false;
/// customer.merged_to_id = Some(CustomerId::new(1002)?);
/// let told = "Ana Alvarez, Burbank (merged into customer 1002)";
/// assert_eq!(NamedOwner::of(&customer).to_string(), told);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NamedOwner {
    /// The customer or the location.
    pub owner: OwnerId,
    /// The name; the street where the service has no name. Empty if it has neither.
    pub name: String,
    /// The town of the address; empty if the service has none.
    pub town: String,
    /// Whether the owner is active: false for one that was deactivated, typically by a merge.
    pub active: bool,
    /// The owner into which this one was merged.
    pub merged_to: Option<OwnerId>,
}

impl NamedOwner {
    /// Takes the name and the town out of what the API answers about an owner itself.
    #[must_use]
    pub fn of<D: OwnerDetails>(details: &D) -> Self
    where
        D::Id: ContactOwner + Into<OwnerId>,
    {
        let owner = details.id().into();
        let merged_to = details.merged_to().map(Into::into);
        Self::new(owner, details.name(), details.address(), details.is_active(), merged_to)
    }

    /// Takes them out of what a mirror knows of an owner.
    #[must_use]
    pub fn known(known: &KnownOwner) -> Self {
        let KnownOwner { id, name, address, active, merged_to, .. } = known;
        Self::new(*id, name, address, *active, *merged_to)
    }

    fn new(
        owner: OwnerId,
        name: &str,
        address: &Address,
        active: bool,
        merged_to: Option<OwnerId>,
    ) -> Self {
        let name = match name.trim() {
            "" => address.street.trim(),
            name => name,
        };
        let (name, town) = (name.to_owned(), address.city.trim().to_owned());
        Self { owner, name, town, active, merged_to }
    }
}

/// Name and town, and what became of an owner that is no longer active. Texts of the service are
/// written as they are: see [`visible`](crate::visible).
impl fmt::Display for NamedOwner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = [&self.name, &self.town].map(String::as_str);
        let known: Vec<_> = known.into_iter().filter(|text| !text.is_empty()).collect();
        f.write_str(&known.join(", "))?;
        let gap = if known.is_empty() { "" } else { " " };
        match self.merged_to {
            Some(other) => write!(f, "{gap}(merged into {other})"),
            None if !self.active => write!(f, "{gap}(deactivated)"),
            None => Ok(()),
        }
    }
}
