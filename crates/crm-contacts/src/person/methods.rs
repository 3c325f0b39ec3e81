//! The use cases on one contact method of a person.

use crm_models::{
    ContactMethod, ContactMethodId, ContactMethodRequest, MethodPreference, PersonId,
    UpdateContactMethodRequest, UpdateMethodPreferenceRequest,
};
use crm_transport::Transport;

use super::is_gone;
use crate::{ContactsService, error::ContactsError, handle::handle, operations::contact_methods};

/// One contact method of one person; made by [`PersonHandle::method`](crate::PersonHandle::method).
///
/// Unlike [`OwnerContacts`](crate::OwnerContacts) it does not compare the answer to a write with
/// what was asked, beyond that it is about the same record. After a lost answer, or one about
/// another record, the method or the preference is read back, for at most a minute.
#[must_use]
pub struct MethodHandle<'a, T> {
    service: &'a ContactsService<T>,
    contact: PersonId,
    id: ContactMethodId,
}

handle!(Copy MethodHandle { contact, id });

impl<'a, T: Transport> MethodHandle<'a, T> {
    pub(super) fn new(
        service: &'a ContactsService<T>,
        contact: PersonId,
        id: ContactMethodId,
    ) -> Self {
        Self {
            service,
            contact,
            id,
        }
    }

    /// The method.
    ///
    /// # Errors
    ///
    /// As [`ContactsService::call`].
    pub async fn get(&self) -> Result<ContactMethod, ContactsError> {
        let operation = contact_methods::GetContactMethod {
            contact: self.contact,
            id: self.id,
        };
        self.service.call(&operation).await
    }

    /// Changes value or memo. The type cannot be changed so: [`upsert`](Self::upsert).
    ///
    /// # Errors
    ///
    /// [`ContactsError::OutcomeUnknown`] when the answer got lost, or is about another record, and
    /// reading back did not tell; otherwise as
    /// [`ContactsService::call`].
    pub async fn update(
        &self,
        update: UpdateContactMethodRequest,
    ) -> Result<ContactMethod, ContactsError> {
        let operation = contact_methods::UpdateContactMethod {
            contact: self.contact,
            id: self.id,
            update,
        };
        let is_done = |found: &ContactMethod| operation.update.is_met_by(found);
        let look = || self.get();
        self.service.write_or_look(&operation, look, is_done).await
    }

    /// Replaces the method, or creates it under this id. A reference and a memo that are not set
    /// are cleared.
    ///
    /// # Errors
    ///
    /// [`ContactsError::OutcomeUnknown`] when the answer got lost, or is about another record, and
    /// reading back did not tell; otherwise as
    /// [`ContactsService::call`].
    pub async fn upsert(
        &self,
        method: ContactMethodRequest,
    ) -> Result<ContactMethod, ContactsError> {
        let operation = contact_methods::UpsertContactMethod {
            contact: self.contact,
            id: self.id,
            method,
        };
        let is_done = |found: &ContactMethod| operation.method.is_met_by(found);
        let look = || self.get();
        self.service.write_or_look(&operation, look, is_done).await
    }

    /// Deletes the method; "not found" after an attempt that may have done it counts as done. After
    /// a lost answer it is looked for, for at most a minute.
    ///
    /// # Errors
    ///
    /// [`ContactsError::OutcomeUnknown`] when the answer got lost and the method still shows
    /// up; otherwise as [`ContactsService::call`].
    pub async fn delete(&self) -> Result<(), ContactsError> {
        let operation = contact_methods::DeleteContactMethod {
            contact: self.contact,
            id: self.id,
        };
        let gone = || async { is_gone(self.get().await) };
        self.service.delete(&operation, gone).await
    }

    /// All preferences of the method.
    ///
    /// # Errors
    ///
    /// As [`ContactsService::call`].
    pub async fn preferences(&self) -> Result<Vec<MethodPreference>, ContactsError> {
        let operation = contact_methods::GetContactMethodPreferences {
            contact: self.contact,
            method: self.id,
        };
        self.service.call(&operation).await
    }

    /// One preference, by a name from
    /// [`People::preference_types`](crate::People::preference_types).
    ///
    /// # Errors
    ///
    /// As [`ContactsService::call`].
    pub async fn preference(&self, name: &str) -> Result<MethodPreference, ContactsError> {
        let operation = contact_methods::GetContactMethodPreference {
            contact: self.contact,
            method: self.id,
            name: name.to_owned(),
        };
        self.service.call(&operation).await
    }

    /// Sets one preference, by a name from
    /// [`People::preference_types`](crate::People::preference_types).
    ///
    /// # Errors
    ///
    /// [`ContactsError::OutcomeUnknown`] when the answer got lost, or is about another record, and
    /// reading back did not tell; otherwise as
    /// [`ContactsService::call`].
    pub async fn set_preference(
        &self,
        name: &str,
        update: UpdateMethodPreferenceRequest,
    ) -> Result<MethodPreference, ContactsError> {
        let operation = contact_methods::UpdateContactMethodPreference {
            contact: self.contact,
            method: self.id,
            name: name.to_owned(),
            update,
        };
        let is_done = |found: &MethodPreference| operation.update.is_met_by(found);
        let look = || self.preference(name);
        self.service.write_or_look(&operation, look, is_done).await
    }
}
