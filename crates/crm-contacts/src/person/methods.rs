//! The use cases on one contact method of a person.

use crm_models::{
    ContactMethod, ContactMethodFilter, ContactMethodId, ContactMethodRequest, MethodPreference,
    PersonId, UpdateContactMethodRequest, UpdateMethodPreferenceRequest,
};
use crm_transport::Transport;
use derive_where::derive_where;

use super::handle::PersonHandle;
use crate::{
    decision::{self, Place},
    error::{CallSite, ContactsError},
    operation::Operation,
    operations::contact_methods::{self, UpdateContactMethod},
    paging::List,
    reading::Reading,
    service::ContactsService,
    settle::is_gone,
    updates::updates,
};

impl<'a, T: Transport> PersonHandle<'a, T> {
    /// Lists the person's contact methods.
    pub fn methods(
        &self,
        filter: ContactMethodFilter,
    ) -> List<T, contact_methods::GetContactMethods> {
        let operation = contact_methods::GetContactMethods {
            contact: self.id,
            filter,
            page: Default::default(),
        };
        self.service.list(operation)
    }

    /// Creates a contact method. The call is never repeated once the server may have seen it.
    ///
    /// # Errors
    ///
    /// Returns [`ContactsError::OutcomeUnknown`] when the answer got lost, or is about another
    /// record; otherwise the errors of [`ContactsService::call`].
    pub async fn create_method(
        &self,
        method: ContactMethodRequest,
    ) -> Result<ContactMethod, ContactsError> {
        let operation = contact_methods::CreateContactMethod { contact: self.id, method };
        self.service.write(&operation).await
    }

    /// Returns one contact method of the person.
    pub fn method(&self, id: ContactMethodId) -> MethodHandle<'a, T> {
        MethodHandle { service: self.service, contact: self.id, id }
    }
}

/// One contact method of one person, made by [`PersonHandle::method`](crate::PersonHandle::method).
///
/// The answer to a write is compared with what was asked. Where it differs, got lost or is about
/// another record, the method or the preference is read back, for at most a minute.
#[derive_where(Debug, Clone, Copy)]
#[must_use]
pub struct MethodHandle<'a, T> {
    service: &'a ContactsService<T>,
    contact: PersonId,
    id: ContactMethodId,
}

impl<T: Transport> MethodHandle<'_, T> {
    /// Reads the method.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`ContactsService::call`].
    pub async fn get(&self) -> Result<ContactMethod, ContactsError> {
        Ok(self.read().await?.record)
    }

    /// Does what [`get`](Self::get) does, and returns the moment at which the method was read too.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`ContactsService::call`].
    pub async fn read(&self) -> Result<Reading<ContactMethod>, ContactsError> {
        let operation = contact_methods::GetContactMethod { contact: self.contact, id: self.id };
        self.service.read(&operation).await
    }

    /// Changes the value or the memo. The type takes an [`upsert`](Self::upsert). After an unknown
    /// outcome the update is not sent again.
    ///
    /// # Errors
    ///
    /// Returns [`ContactsError::EchoDiffers`] when it was carried out differently from what was
    /// asked, [`ContactsError::OutcomeUnknown`] when the answer got lost, or is not as asked, and
    /// reading back did not show it; otherwise the errors of [`ContactsService::call`].
    pub async fn update(
        &self,
        update: UpdateContactMethodRequest,
    ) -> Result<ContactMethod, ContactsError> {
        let sent = decision::send(self, self.service, update, None);
        sent.await.map_err(|unsettled| unsettled.error)
    }

    updates!(UpdateContactMethodRequest: ContactMethod => ContactMethod);

    fn place(&self) -> Self {
        *self
    }

    /// Replaces the method, or creates it under this id. A reference and a memo that are not set
    /// are cleared.
    ///
    /// # Errors
    ///
    /// Returns [`ContactsError::EchoDiffers`] when it was carried out differently from what was
    /// asked, [`ContactsError::OutcomeUnknown`] when the answer got lost, or is not as asked, and
    /// reading back did not show it; otherwise the errors of [`ContactsService::call`].
    pub async fn upsert(
        &self,
        method: ContactMethodRequest,
    ) -> Result<ContactMethod, ContactsError> {
        let operation =
            contact_methods::UpsertContactMethod { contact: self.contact, id: self.id, method };
        let look = || self.read();
        let written = self.service.write_and_compare(&operation, &operation.method, None, look);
        written.await.map_err(|unsettled| unsettled.error)
    }

    /// Deletes the method. An answer "not found" after an attempt that may have deleted it counts
    /// as success. After a lost answer the method is looked for, for at most a minute.
    ///
    /// # Errors
    ///
    /// Returns [`ContactsError::OutcomeUnknown`] when the answer got lost and the method still
    /// shows up; otherwise the errors of [`ContactsService::call`].
    pub async fn delete(&self) -> Result<(), ContactsError> {
        let operation = contact_methods::DeleteContactMethod { contact: self.contact, id: self.id };
        let gone = || async { is_gone(self.get().await) };
        self.service.delete(&operation, gone).await
    }

    /// Reads all preferences of the method.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`ContactsService::call`].
    pub async fn preferences(&self) -> Result<Vec<MethodPreference>, ContactsError> {
        let operation =
            contact_methods::GetContactMethodPreferences { contact: self.contact, method: self.id };
        self.service.call(&operation).await
    }

    /// Reads one preference, by a name from
    /// [`People::preference_types`](crate::People::preference_types).
    ///
    /// # Errors
    ///
    /// Returns the errors of [`ContactsService::call`].
    pub async fn preference(&self, name: &str) -> Result<MethodPreference, ContactsError> {
        Ok(self.read_preference(name).await?.record)
    }

    async fn read_preference(
        &self,
        name: &str,
    ) -> Result<Reading<MethodPreference>, ContactsError> {
        let operation = contact_methods::GetContactMethodPreference {
            contact: self.contact,
            method: self.id,
            name: name.to_owned(),
        };
        self.service.read(&operation).await
    }

    /// Sets one preference, by a name from
    /// [`People::preference_types`](crate::People::preference_types).
    ///
    /// # Errors
    ///
    /// Returns [`ContactsError::EchoDiffers`] when it was carried out differently from what was
    /// asked, [`ContactsError::OutcomeUnknown`] when the answer got lost, or is not as asked, and
    /// reading back did not show it; otherwise the errors of [`ContactsService::call`].
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
        let look = || self.read_preference(name);
        let set = self.service.write_and_compare(&operation, &operation.update, None, look);
        set.await.map_err(|unsettled| unsettled.error)
    }
}

impl<T: Transport> Place<T> for MethodHandle<'_, T> {
    type Change = UpdateContactMethodRequest;
    type Update = UpdateContactMethod;

    fn service(&self) -> &ContactsService<T> {
        self.service
    }

    async fn read(&self) -> Result<Reading<ContactMethod>, ContactsError> {
        self.read().await
    }

    fn operation(
        &self,
        update: UpdateContactMethodRequest,
    ) -> Result<UpdateContactMethod, ContactsError> {
        Ok(UpdateContactMethod { contact: self.contact, id: self.id, update })
    }

    fn asked(update: &UpdateContactMethod) -> &UpdateContactMethodRequest {
        &update.update
    }

    fn site(&self) -> CallSite {
        let ids: [&dyn std::fmt::Display; 2] = [&self.contact, &self.id];
        self.service.site(&UpdateContactMethod::SPEC, ids)
    }
}
