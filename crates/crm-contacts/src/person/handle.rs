//! The use cases on the people of Contacts v2, their contact methods and relationships.

use crm_models::{
    Check, ContactRelationship, Person, PersonChange, PersonId, RelatedEntityId, RelatedEntityType,
    RelationshipFilter, ReplacePersonRequest,
};
use crm_transport::Transport;
use derive_where::derive_where;

use crate::{
    error::{ContactsError, RefusalKind},
    operations::{people, relationships},
    paging::List,
    reading::Reading,
    service::ContactsService,
    settle::is_gone,
    updates::updates,
};

impl<T: Transport> ContactsService<T> {
    /// Returns one person of Contacts v2.
    pub fn person(&self, id: PersonId) -> PersonHandle<'_, T> {
        PersonHandle { service: self, id }
    }
}

/// One person, made by [`ContactsService::person`].
///
/// The answer to an update or a replacement is compared with what was asked. Where it differs, got
/// lost or is about another record, the person is read back, for at most a minute. The same is done
/// after a deletion whose answer got lost.
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
#[derive_where(Debug, Clone, Copy)]
#[must_use]
pub struct PersonHandle<'a, T> {
    pub(super) service: &'a ContactsService<T>,
    pub(super) id: PersonId,
}

impl<T: Transport> PersonHandle<'_, T> {
    /// Reads the person.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`ContactsService::call`].
    pub async fn get(&self) -> Result<Person, ContactsError> {
        self.service.call(&people::Get { id: self.id }).await
    }

    /// Does what [`get`](Self::get) does, and returns the moment at which the person was read too.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`ContactsService::call`].
    pub async fn read(&self) -> Result<Reading<Person>, ContactsError> {
        self.service.read(&people::Get { id: self.id }).await
    }

    /// Changes the members that `change` names. What the API does with absent members is not
    /// documented, so the person is read first and all members are sent. What was read is at most
    /// [2 seconds](crate::DECISION_AGE) old when the write leaves; otherwise it is read and decided
    /// again. After an unknown outcome the person is read back, for at most a minute, and if they
    /// are not as wanted, the change is made once more, to what they are now.
    ///
    /// # Errors
    ///
    /// Returns [`ContactsError::Invalid`] for an empty or invalid change,
    /// [`ContactsError::NotChanged`] when it was reported as done but was not,
    /// [`ContactsError::EchoDiffers`] when it was carried out differently from what was asked,
    /// [`ContactsError::OutcomeUnknown`]; otherwise the errors of [`ContactsService::call`].
    pub async fn update(&self, change: &PersonChange) -> Result<Person, ContactsError> {
        change.check()?;
        self.make(change).await
    }

    updates!(PersonChange: Person => Person);

    /// Sets every member. Whether an unknown id creates a person is not documented.
    ///
    /// # Errors
    ///
    /// Returns [`ContactsError::EchoDiffers`] when it was carried out differently from what was
    /// asked, [`ContactsError::OutcomeUnknown`] when the answer got lost, or is not as asked, and
    /// reading back did not show it; otherwise the errors of [`ContactsService::call`].
    pub async fn replace(&self, person: ReplacePersonRequest) -> Result<Person, ContactsError> {
        let operation = people::Replace { id: self.id, person };
        let look = || self.read();
        let replaced = self.service.write_and_compare(&operation, &operation.person, None, look);
        replaced.await.map_err(|unsettled| unsettled.error)
    }

    /// Deletes the person. An answer "not found" after an attempt that may have deleted them counts
    /// as success. After a lost answer they are looked for, for at most a minute.
    ///
    /// # Errors
    ///
    /// Returns [`ContactsError::OutcomeUnknown`] when the answer got lost and the person still
    /// shows up; otherwise the errors of [`ContactsService::call`].
    pub async fn delete(&self) -> Result<(), ContactsError> {
        let operation = people::DeleteContact { id: self.id };
        let gone = || async { is_gone(self.get().await) };
        self.service.delete(&operation, gone).await
    }

    /// Lists what the person is related to.
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
    /// Returns [`ContactsError::OutcomeUnknown`] when the answer got lost, or is about another
    /// record; otherwise the errors of [`ContactsService::call`].
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
    /// Returns [`ContactsError::OutcomeUnknown`] when the answer got lost and the relationship
    /// still shows up; otherwise the errors of [`ContactsService::call`].
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
                // A person who does not exist has no relationships; the API answers 409 then.
                Err(error) if error.refusal_kind() == Some(RefusalKind::Conflict) => Ok(true),
                Err(error) => Err(error),
            }
        };
        self.service.delete(&operation, gone).await
    }
}
