//! The use cases on all people of Contacts v2.

use crm_models::{
    ContactMethodFilter, CreatePersonRequest, Person, PersonFilter, PreferenceType, RelatedEntityId,
};
use crm_transport::Transport;
use derive_where::derive_where;

use crate::{
    error::ContactsError,
    operations::{contact_methods, people},
    paging::List,
    service::ContactsService,
};

impl<T: Transport> ContactsService<T> {
    /// Returns the people of Contacts v2.
    pub fn people(&self) -> People<'_, T> {
        People { service: self }
    }
}

/// All people of a tenant, made by [`ContactsService::people`].
#[derive_where(Debug, Clone, Copy)]
#[must_use]
pub struct People<'a, T> {
    service: &'a ContactsService<T>,
}

impl<T: Transport> People<'_, T> {
    /// Lists the people that the filter selects.
    pub fn list(&self, filter: PersonFilter) -> List<T, people::GetList> {
        let operation = people::GetList { filter, page: Default::default() };
        self.service.list(operation)
    }

    /// Lists the people related to a customer, a location or a booking. Entities of different kinds
    /// with the same number cannot be distinguished: see [`people::GetByRelationshipId`].
    pub fn related_to(
        &self,
        related_entity: RelatedEntityId,
        filter: PersonFilter,
    ) -> List<T, people::GetByRelationshipId> {
        let operation =
            people::GetByRelationshipId { related_entity, filter, page: Default::default() };
        self.service.list(operation)
    }

    /// Creates a person. The call is never repeated once the server may have seen it.
    ///
    /// # Errors
    ///
    /// Returns [`ContactsError::OutcomeUnknown`] when the answer got lost, or is about another
    /// record; otherwise the errors of [`ContactsService::call`].
    pub async fn create(&self, person: CreatePersonRequest) -> Result<Person, ContactsError> {
        self.service.write(&people::Create { person }).await
    }

    /// Lists contact methods over all people.
    pub fn contact_methods(
        &self,
        filter: ContactMethodFilter,
    ) -> List<T, contact_methods::SearchContactMethods> {
        let operation = contact_methods::SearchContactMethods {
            contact: None,
            filter,
            page: Default::default(),
        };
        self.service.list(operation)
    }

    /// Returns the preferences that exist for contact methods. Their names are not documented, so
    /// take them from here.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`ContactsService::call`].
    pub async fn preference_types(&self) -> Result<Vec<PreferenceType>, ContactsError> {
        let operation = contact_methods::GetPreferenceMetadataList;
        self.service.call(&operation).await
    }
}
