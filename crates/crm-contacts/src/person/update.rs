//! Changing a person: the members that are not to change are those of a fresh reading.

use crm_models::{Person, PersonChange, UpdatePersonRequest};
use crm_transport::{Delivery, Transport};

use super::PersonHandle;
use crate::{
    ContactsService, Reading,
    decision::{Decision, Unsettled, not_before},
    error::ContactsError,
    operations::people,
};

/// The change of one person, decided on what they are.
pub(super) struct Update<'a, T> {
    pub(super) person: PersonHandle<'a, T>,
    pub(super) change: &'a PersonChange,
}

impl<T: Transport> Decision<T> for Update<'_, T> {
    type Record = Person;
    type Write = UpdatePersonRequest;

    async fn read(&self) -> Result<Reading<Person>, ContactsError> {
        let operation = people::Get { id: self.person.id };
        self.person.service.read(&operation).await
    }

    /// The first time it is sent also when it is so already, since it was asked for.
    fn decide(
        &self,
        person: &Person,
        earlier: Delivery,
    ) -> Result<Option<UpdatePersonRequest>, ContactsError> {
        let is_done = earlier == Delivery::Unknown && self.change.differs_from(person).is_empty();
        Ok((!is_done).then(|| self.change.to_request(person)))
    }

    async fn write(
        &self,
        service: &ContactsService<T>,
        request: UpdatePersonRequest,
        _: &Person,
    ) -> Result<Person, Unsettled<Person>> {
        let operation = people::Update {
            id: self.person.id,
            person: request,
        };
        let error = match service.call(&operation).await {
            Ok(updated) => return Ok(updated),
            Err(error) => error,
        };
        let not_before = not_before(&error);
        if !error.outcome_is_unknown() {
            return Err(Unsettled {
                not_before,
                ..error.into()
            });
        }
        let look = || self.read();
        let is_done = |found: &Reading<Person>| self.change.differs_from(&found.record).is_empty();
        match service.read_back(look, is_done).await {
            Ok(done) => Ok(done.record),
            Err(found) => Err(Unsettled {
                error: error.unknown(),
                found,
                not_before,
            }),
        }
    }
}
