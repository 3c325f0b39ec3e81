//! Changing a person, and what a contact method's handle shares with that.

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

/// The updates that rest on a reading, for a handle that is about one record.
macro_rules! updates_on_a_reading {
    ($change:ty, $record:ty) => {
        /// Reads the record and sends the change only if something differs.
        ///
        /// # Errors
        ///
        /// Returns the errors of [`update`](Self::update).
        pub async fn update_if_changed(
            &self,
            change: &$change,
        ) -> Result<$crate::Updated<$record>, $crate::ContactsError> {
            let decision = $crate::decision::Decision::of(*self, change);
            decision.read_and_make().await
        }

        /// Does what [`update_if_changed`](Self::update_if_changed) does, but only if nobody
        /// changed the record after `unmodified_since`. What that can and cannot show is said at
        /// [`OwnerContacts::update_if_unmodified_since`](crate::OwnerContacts::update_if_unmodified_since).
        ///
        /// # Errors
        ///
        /// Returns [`ContactsError::Modified`](crate::ContactsError::Modified) when it was changed;
        /// otherwise the errors of [`update`](Self::update).
        pub async fn update_if_unmodified_since(
            &self,
            change: &$change,
            unmodified_since: crm_models::Timestamp,
        ) -> Result<$crate::Updated<$record>, $crate::ContactsError> {
            let decision = $crate::decision::Decision::of(*self, change);
            let decision = decision.unless_modified_since(Some(unmodified_since));
            decision.read_and_make().await
        }

        /// Updates a record that the caller has just read, as
        /// [`update_if_changed`](Self::update_if_changed) does, or with a time as
        /// [`update_if_unmodified_since`](Self::update_if_unmodified_since).
        ///
        /// # Errors
        ///
        /// Returns the errors of [`update_if_unmodified_since`](Self::update_if_unmodified_since).
        pub async fn update_from(
            &self,
            current: impl Into<$crate::Reading<$record>>,
            change: &$change,
            unmodified_since: Option<crm_models::Timestamp>,
        ) -> Result<$crate::Updated<$record>, $crate::ContactsError> {
            let decision = $crate::decision::Decision::of(*self, change);
            let decision = decision.unless_modified_since(unmodified_since);
            decision.make(current.into(), None).await
        }

        /// Returns the request that [`update_if_changed`](Self::update_if_changed) would send to
        /// this record, or `None` when nothing differs.
        ///
        /// # Errors
        ///
        /// Returns [`ContactsError::Invalid`](crate::ContactsError::Invalid).
        pub fn preview(
            &self,
            current: &$record,
            change: &$change,
        ) -> Result<Option<$crate::Preview>, $crate::ContactsError> {
            $crate::decision::Decision::of(*self, change).preview(current)
        }
    };
}
pub(super) use updates_on_a_reading;

impl<T: Transport> PersonHandle<'_, T> {
    /// Makes the change as it is asked for, also where nothing differs.
    pub(super) async fn make(&self, change: &PersonChange) -> Result<Person, ContactsError> {
        let decision = Decision { always: true, ..Decision::of(*self, change) };
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
