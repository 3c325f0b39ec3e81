//! Changing a contact, and finding out what became of a change whose answer is lost.

use crm_models::{CheckWith, Contact, ContactChange, ContactId, Timestamp, UpdateContactRequest};
use crm_transport::Transport;

use super::contacts::OwnerContacts;
use crate::{
    change::{Asks, Preview},
    decision::{self, Decision, Lost, Place, Updated},
    error::{CallSite, ContactsError},
    operations::owner::{Owner, UpdateContact},
    reading::Reading,
    service::ContactsService,
    settle::Unsettled,
};

impl<T: Transport, O: Owner> OwnerContacts<'_, T, O> {
    /// Changes the members that `change` names and returns the whole contact: `PATCH
    /// …/contacts/{contactId}`, with the owner's scope for writing (`tn.crm.locations:w` or
    /// `tn.crm.customers:w`).
    ///
    /// ```
    /// use crm_contacts::{
    ///     ContactsService,
    ///     models::{ContactChange, ContactId, LocationId, TenantId},
    /// };
    /// # use crm_contacts::transport::{Request, Response, Transport, TransportError};
    /// # struct Answers;
    /// # #[async_trait::async_trait]
    /// # impl Transport for Answers {
    /// #     async fn send(&self, request: Request) -> Result<Response, TransportError> {
    /// #         assert_eq!(request.body(), r#"{"memo":"Gate code 4411"}"#);
    /// #         Ok(Response::new(r#"{"id":71204,"type":"Email","value":"a@site.example",
    /// #             "memo":"Gate code 4411","modifiedOn":"2026-05-27T16:04:11Z"}"#.into()))
    /// #     }
    /// # }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let transport = Answers;
    /// let contacts = ContactsService::new(transport, TenantId::new(1_001)?);
    /// let location = contacts.location(LocationId::new(55_021)?);
    ///
    /// let change = ContactChange::new().memo("Gate code 4411");
    /// let contact = location.update(ContactId::new(71_204)?, &change).await?;
    /// assert_eq!(contact.memo.as_deref(), Some("Gate code 4411"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Preferences are sent as a whole and in the form that the service knows: when `change` gives
    /// any, the contact is read first, the others are kept, and nothing is sent when it is so
    /// already. What was read is [2 seconds](crate::DECISION_AGE) old at most when the write leaves;
    /// otherwise it is read and decided again. The answer is compared with what was asked. After an
    /// unknown outcome, or an answer that differs, the contact is read back, for at most a minute;
    /// if it is not known then to be as wanted, the change is made once more, to what it is now.
    ///
    /// # Errors
    ///
    /// [`ContactsError::Invalid`] for an empty or invalid change,
    /// [`ContactsError::Preferences`], [`ContactsError::NotChanged`] when it was reported as done
    /// but was not, [`ContactsError::EchoDiffers`] when it was carried out otherwise than asked,
    /// [`ContactsError::OutcomeUnknown`]; otherwise as
    /// [`ContactsService::call`](crate::ContactsService::call).
    pub async fn update(
        &self,
        contact: ContactId,
        change: &ContactChange,
    ) -> Result<Contact, ContactsError> {
        let decision = Decision::of(self.place(contact), change);
        let form_is_told =
            self.service.legacy_preferences() && change.get_preferences().is_complete();
        if change.needs_current() && !form_is_told {
            return Ok(decision.read_and_make().await?.after);
        }
        let update = change.to_request(None);
        let update = update.map_err(|source| ContactsError::Preferences {
            site: Box::new(decision.place.site()),
            source,
        })?;
        match decision::send(&decision.place, self.service, update, None).await {
            Ok(updated) => Ok(updated),
            Err(Unsettled { error, found: Some(found), .. }) => {
                let before = None;
                let lost = Lost { error, before };
                Ok(decision.make(found, Some(lost)).await?.after)
            }
            Err(unsettled) => Err(unsettled.error),
        }
    }

    /// Reads the contact and sends only what differs from `change`; nothing at all when it is
    /// so already.
    ///
    /// ```
    /// # use crm_contacts::{
    /// #     ContactsError, ContactsService, models::{ContactId, LocationId}, transport::Transport,
    /// # };
    /// use crm_contacts::models::{ContactChange, PreferenceChange};
    ///
    /// # async fn example<T: Transport>(
    /// #     contacts: ContactsService<T>, location: LocationId, contact: ContactId,
    /// # ) -> Result<(), ContactsError> {
    /// let change = ContactChange::new()
    ///     .preferences(PreferenceChange::new().marketing_updates(false));
    /// let updated = contacts.location(location).update_if_changed(contact, &change).await?;
    /// for difference in updated.differences() {
    ///     println!("{}: {:?} -> {:?}", difference.field, difference.before, difference.after);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`update`](Self::update), and [`ContactsError::NotFound`].
    pub async fn update_if_changed(
        &self,
        contact: ContactId,
        change: &ContactChange,
    ) -> Result<Updated<Contact>, ContactsError> {
        let decision = Decision::of(self.place(contact), change);
        decision.read_and_make().await
    }

    /// [`update_if_changed`](Self::update_if_changed), but only if nobody changed the contact after
    /// `unmodified_since`: the [`modified_on`](Contact::modified_on) that you saw. Give it back
    /// with all its digits, up to seven behind the second: cut to microseconds, as by a database,
    /// it lies before the contact's own, and every update is refused.
    ///
    /// The API has no conditional update, so the check is made by reading just before the write,
    /// and again with each fresh look, when the write did not leave in time or its outcome is
    /// unknown. A change by somebody else between reading and writing, which the write leaves within
    /// [2 seconds](crate::DECISION_AGE), is not seen.
    ///
    /// ```
    /// # use crm_contacts::{
    /// #     ContactsError, ContactsService, models::{ContactChange, ContactId, LocationId}, transport::Transport,
    /// # };
    /// # async fn example<T: Transport>(
    /// #     contacts: ContactsService<T>, location: LocationId, id: ContactId, change: ContactChange,
    /// # ) -> Result<(), ContactsError> {
    /// let contacts = contacts.location(location);
    /// let seen = contacts.find(id).await?;
    /// // Somebody looks at it, and decides.
    /// match contacts.update_if_unmodified_since(id, &change, seen.modified_on).await {
    ///     Err(ContactsError::Modified { modified_on, .. }) => println!("changed at {modified_on}"),
    ///     updated => println!("{:?}", updated?.differences()),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`ContactsError::Modified`] when it was changed; otherwise as
    /// [`update_if_changed`](Self::update_if_changed).
    pub async fn update_if_unmodified_since(
        &self,
        contact: ContactId,
        change: &ContactChange,
        unmodified_since: Timestamp,
    ) -> Result<Updated<Contact>, ContactsError> {
        let decision = Decision::of(self.place(contact), change);
        let decision = decision.unless_modified_since(Some(unmodified_since));
        decision.read_and_make().await
    }

    /// [`update_if_changed`](Self::update_if_changed) for a caller who has just read the contact: a
    /// [`Contact`] that was read just now, or the [`Reading`] that tells when. With a time, it is
    /// [`update_if_unmodified_since`](Self::update_if_unmodified_since).
    ///
    /// ```
    /// # use crm_contacts::{
    /// #     ContactsError, ContactsService, models::{ContactChange, LocationId}, transport::Transport,
    /// # };
    /// # async fn example<T: Transport>(
    /// #     contacts: ContactsService<T>, location: LocationId, change: ContactChange,
    /// # ) -> Result<(), ContactsError> {
    /// let contacts = contacts.location(location);
    /// for contact in contacts.list().collect().await? {
    ///     contacts.update_from(contact, &change, None).await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`update_if_unmodified_since`](Self::update_if_unmodified_since).
    pub async fn update_from(
        &self,
        current: impl Into<Reading<Contact>>,
        change: &ContactChange,
        unmodified_since: Option<Timestamp>,
    ) -> Result<Updated<Contact>, ContactsError> {
        let reading = current.into();
        let decision = Decision::of(self.place(reading.record.id), change);
        let decision = decision.unless_modified_since(unmodified_since);
        decision.make(reading, None).await
    }

    /// What [`update_if_changed`](Self::update_if_changed) would send to the contact as it is;
    /// `None` when it is so already.
    ///
    /// # Errors
    ///
    /// [`ContactsError::Invalid`] and [`ContactsError::Preferences`], as
    /// [`update`](Self::update).
    pub fn preview(
        &self,
        current: &Contact,
        change: &ContactChange,
    ) -> Result<Option<Preview>, ContactsError> {
        Decision::of(self.place(current.id), change).preview(current)
    }

    /// Sends an update that is complete in itself and compares the echo. After an unknown
    /// outcome it reads back until the contact is as asked.
    ///
    /// ```
    /// # use crm_contacts::{
    /// #     RecordChange, ContactsService, models::{Contact, ContactChange, LocationId}, transport::Transport,
    /// # };
    /// # async fn example<T: Transport>(
    /// #     contacts: ContactsService<T>, location: LocationId, current: Contact, change: ContactChange,
    /// # ) -> Result<(), Box<dyn std::error::Error>> {
    /// // What is sent can be shown first.
    /// if let Some(update) = change.plan(&current)? {
    ///     println!("{update:?}");
    ///     contacts.location(location).send(current.id, update).await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`update`](Self::update).
    pub async fn send(
        &self,
        contact: ContactId,
        update: UpdateContactRequest,
    ) -> Result<Contact, ContactsError> {
        let place = self.place(contact);
        let sent = decision::send(&place, self.service, update, None);
        sent.await.map_err(|unsettled| unsettled.error)
    }

    /// [`send`](Self::send) of an update that a reading decided. It does not leave once the reading
    /// is [2 seconds](crate::DECISION_AGE) old: then it ends as
    /// [`Expired`](crm_transport::TransportErrorKind::Expired), not sent, and it is up to you to read
    /// and to decide again. Compared with the reading, an answer tells more: that nothing was
    /// changed, or that it is about something else.
    ///
    /// # Errors
    ///
    /// As [`update`](Self::update).
    pub async fn send_on(
        &self,
        reading: &Reading<Contact>,
        update: UpdateContactRequest,
    ) -> Result<Contact, ContactsError> {
        let before = &reading.record;
        update.check_with(self.service.tolerance().max(update.tolerance_for(before)))?;
        let bounded = self.service.decided(reading.begin_by(), false);
        let place = self.place(before.id);
        let sent = decision::send(&place, &bounded, update, Some(before));
        sent.await.map_err(|unsettled| unsettled.error)
    }

    /// [`send`](Self::send) without reading back, for a caller that looks after many writes with
    /// one call. So [`ContactsError::EchoDiffers`] tells what was answered: whether it is so shows
    /// when the contact is read.
    ///
    /// # Errors
    ///
    /// [`ContactsError::OutcomeUnknown`] as soon as the answer got lost or is about another contact,
    /// [`ContactsError::EchoDiffers`] for an answer that is not as asked; otherwise as
    /// [`send`](Self::send).
    pub async fn send_once(
        &self,
        contact: ContactId,
        update: UpdateContactRequest,
    ) -> Result<Contact, ContactsError> {
        let operation = self.place(contact).operation(update)?;
        let answer = self.service.write(&operation).await?;
        if operation.update.is_met_by(&answer) {
            return Ok(answer);
        }
        let echo = self.service.echo(&operation, &operation.update, answer);
        Err(ContactsError::EchoDiffers(echo))
    }

    fn place(&self, contact: ContactId) -> OwnersContact<'_, T, O> {
        OwnersContact { contacts: *self, contact }
    }
}

/// One contact of an owner.
struct OwnersContact<'a, T, O> {
    contacts: OwnerContacts<'a, T, O>,
    contact: ContactId,
}

impl<T: Transport, O: Owner> Place<T> for OwnersContact<'_, T, O> {
    type Change = ContactChange;
    type Update = UpdateContact<O>;

    fn service(&self) -> &ContactsService<T> {
        self.contacts.service
    }

    async fn read(&self) -> Result<Reading<Contact>, ContactsError> {
        self.contacts.read(self.contact).await
    }

    fn operation(
        &self,
        mut update: UpdateContactRequest,
    ) -> Result<UpdateContact<O>, ContactsError> {
        if self.contacts.service.legacy_preferences() {
            update = update.legacy_three_flags()?;
        }
        Ok(UpdateContact { owner: self.contacts.owner, contact: self.contact, update })
    }

    fn asked(update: &UpdateContact<O>) -> &UpdateContactRequest {
        &update.update
    }

    fn site(&self) -> CallSite {
        let ids: [&dyn std::fmt::Display; 2] = [&self.contacts.owner, &self.contact];
        self.contacts.service.site(&O::UPDATE, ids)
    }
}
