//! The use cases on the people of Contacts v2, their contact methods and relationships.

mod methods;
mod update;

use crm_models::{
    Check, ContactMethod, ContactMethodFilter, ContactMethodId, ContactMethodRequest,
    ContactRelationship, CreatePersonRequest, Person, PersonChange, PersonFilter, PersonId,
    PreferenceType, RelatedEntityId, RelatedEntityType, RelationshipFilter, ReplacePersonRequest,
};
use crm_transport::Transport;

pub use self::methods::MethodHandle;
use self::update::updates_on_a_reading;
use crate::{
    ContactsService, List, Reading,
    error::{ContactsError, RefusalKind},
    handle::handle,
    operations::{contact_methods, people, relationships},
};

/// All people; made by [`ContactsService::people`].
#[must_use]
pub struct People<'a, T> {
    service: &'a ContactsService<T>,
}

handle!(Copy People {});

impl<'a, T: Transport> People<'a, T> {
    pub(crate) fn new(service: &'a ContactsService<T>) -> Self {
        Self { service }
    }

    /// The people that the filter selects.
    pub fn list(&self, filter: PersonFilter) -> List<T, people::GetList> {
        let operation = people::GetList { filter, page: Default::default() };
        self.service.list(operation)
    }

    /// The people related to a customer, a location or a booking. Entities of different kinds
    /// with the same number are not told apart: see [`people::GetByRelationshipId`].
    pub fn related_to(
        &self,
        related_entity: RelatedEntityId,
        filter: PersonFilter,
    ) -> List<T, people::GetByRelationshipId> {
        let operation =
            people::GetByRelationshipId { related_entity, filter, page: Default::default() };
        self.service.list(operation)
    }

    /// Creates a person. Never repeated once the server may have seen it.
    ///
    /// # Errors
    ///
    /// [`ContactsError::OutcomeUnknown`] when the answer got lost, or is about another record;
    /// otherwise as
    /// [`ContactsService::call`].
    pub async fn create(&self, person: CreatePersonRequest) -> Result<Person, ContactsError> {
        self.service.write(&people::Create { person }).await
    }

    /// Contact methods over all people.
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

    /// The preferences that exist for contact methods. Their names are not documented: take
    /// them from here.
    ///
    /// # Errors
    ///
    /// As [`ContactsService::call`].
    pub async fn preference_types(&self) -> Result<Vec<PreferenceType>, ContactsError> {
        let operation = contact_methods::GetPreferenceMetadataList;
        self.service.call(&operation).await
    }
}

/// One person; made by [`ContactsService::person`].
///
/// The answer to an update or a replacement is compared with what was asked. Where it differs, got
/// lost or is about another record, the person is read back, for at most a minute; so they are after
/// a deletion whose answer got lost.
///
/// ```
/// # use crm_contacts::{ContactsError, ContactsService, models::{LocationId, PersonId}, transport::Transport};
/// use crm_contacts::models::{
///     ContactMethodRequest, ContactType, PersonChange, RelatedEntityType,
/// };
///
/// # async fn example<T: Transport>(
/// #     contacts: ContactsService<T>, id: PersonId, location: LocationId,
/// # ) -> Result<(), ContactsError> {
/// let person = contacts.person(id);
/// person.update(&PersonChange::new().title("Site manager")).await?;
/// person.relate(RelatedEntityType::Location, location.into()).await?;
///
/// let mobile = ContactMethodRequest::new(ContactType::MobilePhone, "8185550142");
/// person.create_method(mobile).await?;
/// # Ok(())
/// # }
/// ```
#[must_use]
pub struct PersonHandle<'a, T> {
    service: &'a ContactsService<T>,
    id: PersonId,
}

handle!(Copy PersonHandle { id });

impl<'a, T: Transport> PersonHandle<'a, T> {
    pub(crate) fn new(service: &'a ContactsService<T>, id: PersonId) -> Self {
        Self { service, id }
    }

    /// The person.
    ///
    /// # Errors
    ///
    /// As [`ContactsService::call`].
    pub async fn get(&self) -> Result<Person, ContactsError> {
        self.service.call(&people::Get { id: self.id }).await
    }

    /// [`get`](Self::get), together with when it was so.
    ///
    /// # Errors
    ///
    /// As [`ContactsService::call`].
    pub async fn read(&self) -> Result<Reading<Person>, ContactsError> {
        self.service.read(&people::Get { id: self.id }).await
    }

    /// Changes the members that `change` names. What the API does with absent members is not
    /// documented, so the person is read first and all members are sent. What was read is
    /// [2 seconds](crate::DECISION_AGE) old at most when the write leaves; otherwise it is read and
    /// decided again. After an unknown outcome the person is read back, for at most a minute, and
    /// if they are not as wanted, the change is made once more, to what they are now.
    ///
    /// # Errors
    ///
    /// [`ContactsError::Invalid`] for an empty or invalid change, [`ContactsError::NotChanged`] when
    /// it was reported as done but was not, [`ContactsError::EchoDiffers`] when it was carried out
    /// otherwise than asked, [`ContactsError::OutcomeUnknown`]; otherwise as
    /// [`ContactsService::call`].
    pub async fn update(&self, change: &PersonChange) -> Result<Person, ContactsError> {
        change.check()?;
        self.make(change).await
    }

    updates_on_a_reading!(PersonChange, Person);

    /// Sets every member. Whether an unknown id creates a person is not documented.
    ///
    /// # Errors
    ///
    /// [`ContactsError::EchoDiffers`] when it was carried out otherwise than asked,
    /// [`ContactsError::OutcomeUnknown`] when the answer got lost, or is not as asked, and reading
    /// back did not tell; otherwise as [`ContactsService::call`].
    pub async fn replace(&self, person: ReplacePersonRequest) -> Result<Person, ContactsError> {
        let operation = people::Replace { id: self.id, person };
        let look = || self.read();
        let replaced = self.service.write_and_compare(&operation, &operation.person, None, look);
        replaced.await.map_err(|unsettled| unsettled.error)
    }

    /// Deletes the person; "not found" after an attempt that may have done it counts as done. After
    /// a lost answer they are looked for, for at most a minute.
    ///
    /// # Errors
    ///
    /// [`ContactsError::OutcomeUnknown`] when the answer got lost and the person still shows
    /// up; otherwise as [`ContactsService::call`].
    pub async fn delete(&self) -> Result<(), ContactsError> {
        let operation = people::DeleteContact { id: self.id };
        let gone = || async { is_gone(self.get().await) };
        self.service.delete(&operation, gone).await
    }

    /// What the person is related to.
    pub fn relationships(
        &self,
        filter: RelationshipFilter,
    ) -> List<T, relationships::GetContactRelationshipList> {
        let operation = relationships::GetContactRelationshipList {
            contact: self.id,
            filter,
            page: Default::default(),
        };
        self.service.list(operation)
    }

    /// Relates the person to a customer, a location or a booking. A person who does not exist
    /// is a conflict here, not "not found".
    ///
    /// # Errors
    ///
    /// [`ContactsError::OutcomeUnknown`] when the answer got lost, or is about another record;
    /// otherwise as
    /// [`ContactsService::call`].
    pub async fn relate(
        &self,
        entity_type: RelatedEntityType,
        related_entity: RelatedEntityId,
    ) -> Result<(), ContactsError> {
        let operation = relationships::CreateContactRelationship {
            contact: self.id,
            related_entity,
            entity_type,
        };
        self.service.write(&operation).await.map(|_| ())
    }

    /// Ends a relationship. One that does not exist is a conflict here, not "not found"; after
    /// an attempt that may have ended it, the relationships are looked at.
    ///
    /// # Errors
    ///
    /// [`ContactsError::OutcomeUnknown`] when the answer got lost and the relationship still
    /// shows up; otherwise as [`ContactsService::call`].
    pub async fn unrelate(
        &self,
        entity_type: RelatedEntityType,
        related_entity: RelatedEntityId,
    ) -> Result<(), ContactsError> {
        let filter = RelationshipFilter::new()
            .related_entity_id(related_entity)
            .entity_type(entity_type.clone());
        let operation = relationships::DeleteContactRelationship {
            contact: self.id,
            related_entity,
            entity_type: entity_type.clone(),
        };
        let gone = || async {
            let is_it = |found: &ContactRelationship| {
                found.related_entity_id == related_entity && found.entity_type() == entity_type
            };
            match self.relationships(filter.clone()).find(is_it).await {
                Ok(found) => Ok(found.is_none()),
                // So is a person who does not exist.
                Err(error) if error.refusal_kind() == Some(RefusalKind::Conflict) => Ok(true),
                Err(error) => Err(error),
            }
        };
        self.service.delete(&operation, gone).await
    }

    /// The person's contact methods.
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

    /// Creates a contact method. Never repeated once the server may have seen it.
    ///
    /// # Errors
    ///
    /// [`ContactsError::OutcomeUnknown`] when the answer got lost, or is about another record;
    /// otherwise as
    /// [`ContactsService::call`].
    pub async fn create_method(
        &self,
        method: ContactMethodRequest,
    ) -> Result<ContactMethod, ContactsError> {
        let operation = contact_methods::CreateContactMethod { contact: self.id, method };
        self.service.write(&operation).await
    }

    /// One contact method.
    pub fn method(&self, id: ContactMethodId) -> MethodHandle<'a, T> {
        MethodHandle::new(self.service, self.id, id)
    }
}

/// Whether a read says that its record does not exist.
fn is_gone<R>(read: Result<R, ContactsError>) -> Result<bool, ContactsError> {
    match read {
        Ok(_) => Ok(false),
        Err(error) if error.is_not_found() => Ok(true),
        Err(error) => Err(error),
    }
}
