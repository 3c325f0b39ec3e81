//! Changing a person.

use crm_models::{Person, PersonChange, ReplacePersonRequest};
use crm_transport::Transport;

use super::handle::PersonHandle;
use crate::{
    decision::{Decision, Place},
    error::{CallSite, ContactsError},
    operation::Operation,
    operations::people,
    reading::Reading,
    service::ContactsService,
};

impl<T: Transport> PersonHandle<'_, T> {
    pub(super) fn place(&self) -> Self {
        *self
    }

    /// Makes the change as it is asked for, also where nothing differs.
    pub(super) async fn make(&self, change: &PersonChange) -> Result<Person, ContactsError> {
        let decision = Decision { always: true, ..Decision::of(self.place(), change) };
        Ok(decision.read_and_make().await?.after)
    }
}

impl<T: Transport> Place<T> for PersonHandle<'_, T> {
    type Change = PersonChange;
    type Update = people::Update;

    fn service(&self) -> &ContactsService<T> {
        self.service
    }

    async fn read(&self) -> Result<Reading<Person>, ContactsError> {
        self.read().await
    }

    fn operation(&self, person: ReplacePersonRequest) -> Result<people::Update, ContactsError> {
        Ok(people::Update { id: self.id, person })
    }

    fn asked(update: &people::Update) -> &ReplacePersonRequest {
        &update.person
    }

    fn site(&self) -> CallSite {
        self.service.site(&people::Update::SPEC, [&self.id])
    }
}
