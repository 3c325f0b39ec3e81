//! The use cases on customers and locations themselves, which are only read.

use std::{collections::BTreeSet, marker::PhantomData};

use crm_models::{CustomerId, ExportQuery, LocationId, OwnerFilter, Whether};
use crm_transport::Transport;
use derive_where::derive_where;

use crate::{
    error::ContactsError,
    export::Export,
    operations::{
        owner::Owner,
        owners::{ExportOwners, Get, GetList},
    },
    paging::List,
    service::ContactsService,
};

impl<T: Transport> ContactsService<T> {
    /// Returns the customers themselves: their names and addresses.
    pub fn customers(&self) -> Owners<'_, T, CustomerId> {
        self.owners()
    }

    /// Returns the locations themselves: their names and addresses.
    pub fn locations(&self) -> Owners<'_, T, LocationId> {
        self.owners()
    }

    /// Returns the owners of one kind, for code that is generic over the two.
    pub fn owners<O: Owner>(&self) -> Owners<'_, T, O> {
        Owners { service: self, kind: PhantomData }
    }
}

/// All customers or all locations, made by [`ContactsService::customers`] and
/// [`ContactsService::locations`]. Nothing here writes.
///
/// ```
/// # use crm_contacts::{ContactsError, ContactsService, models::CustomerId, transport::Transport};
/// use crm_contacts::models::{OwnerDetails, OwnerFilter};
///
/// # async fn example<T: Transport>(contacts: ContactsService<T>, id: CustomerId) -> Result<(), ContactsError> {
/// let customer = contacts.customers().get(id).await?;
/// println!("{}, {}", customer.display_name(), customer.address.city);
///
/// let locations = contacts.locations().list(OwnerFilter::new().customer(id));
/// for location in locations.collect().await? {
///     println!("{}", location.address);
/// }
/// # Ok(())
/// # }
/// ```
#[derive_where(Debug, Clone, Copy)]
#[must_use]
pub struct Owners<'a, T, O> {
    service: &'a ContactsService<T>,
    kind: PhantomData<O>,
}

impl<T: Transport, O: Owner> Owners<'_, T, O> {
    /// Reads one of them, also a deactivated or merged one.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`ContactsService::call`].
    pub async fn get(&self, id: O) -> Result<O::Details, ContactsError> {
        self.service.call(&Get { id }).await
    }

    /// Lists those that the filter selects: by default the active ones only. Long lists of ids are
    /// cut into blocks of 50, one after another, and a sort order holds within a block.
    pub fn list(&self, filter: OwnerFilter<O>) -> List<T, GetList<O>> {
        let operation = |filter| GetList { filter, page: Default::default() };
        List::new(self.service, filter.blocks().into_iter().map(operation).collect())
    }

    /// Lists those with these ids, deactivated and merged ones too, 50 a call. An id that nobody
    /// has is not in the list.
    ///
    /// ```
    /// # use crm_contacts::{ContactsError, ContactsService, models::LocationId, transport::Transport};
    /// use std::collections::HashMap;
    ///
    /// use crm_contacts::models::OwnerDetails;
    ///
    /// # async fn example<T: Transport>(contacts: ContactsService<T>, ids: Vec<LocationId>) -> Result<(), ContactsError> {
    /// let locations = contacts.locations().with_ids(ids).collect().await?;
    /// let names: HashMap<_, _> =
    ///     locations.iter().map(|location| (location.id, location.display_name())).collect();
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_ids(&self, ids: impl IntoIterator<Item = O>) -> List<T, GetList<O>> {
        let ids: BTreeSet<O> = ids.into_iter().collect();
        if ids.is_empty() {
            return List::new(self.service, Vec::new());
        }
        self.list(OwnerFilter::new().ids(ids).active(Whether::Any))
    }

    /// Returns the export feed of all of them, deactivated and merged ones included.
    pub fn export(&self) -> Export<T, ExportOwners<O>> {
        let query = ExportQuery::default();
        Export::new(self.service, ExportOwners { query, owner: PhantomData })
    }
}
