//! Changing a contact, and finding out what became of a change whose answer was lost.

use std::{sync::OnceLock, time::SystemTime};

use crm_models::{
    CheckWith, Contact, ContactChange, ContactFilter, ContactId, PreferencesError, Timestamp,
    UpdateContactRequest,
};
use crm_transport::Transport;
use futures_util::TryStreamExt;

use super::contacts::{OwnerContacts, SEARCH_PAGE};
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
    /// any, the contact is read first, the others are kept, and nothing is sent when nothing
    /// differs. Where the service does not tell what the contact receives, other contacts show the
    /// form, which takes one call; where none of them does, all members are sent. What was read is at most [2 seconds](crate::DECISION_AGE) old when the write
    /// leaves; otherwise it is read and decided again. The answer is compared with what was asked.
    /// After an unknown outcome, or an answer that differs, the contact is read back, for at most a
    /// minute. If it does not prove to be as wanted then, the change is made once more, to what the
    /// contact is now.
    ///
    /// # Errors
    ///
    /// Returns [`ContactsError::Invalid`] for an empty or invalid change,
    /// [`ContactsError::Preferences`], [`ContactsError::NotChanged`] when it was reported as done
    /// but was not, [`ContactsError::EchoDiffers`] when it was carried out differently from what
    /// was asked, [`ContactsError::OutcomeUnknown`]; otherwise the errors of
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
        let update = change.to_request(None).map_err(|source| ContactsError::Preferences {
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

    /// Reads the contact and sends only what differs from `change`, or nothing at all when nothing
    /// differs.
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
    /// Returns the errors of [`update`](Self::update), and [`ContactsError::NotFound`].
    pub async fn update_if_changed(
        &self,
        contact: ContactId,
        change: &ContactChange,
    ) -> Result<Updated<Contact>, ContactsError> {
        Decision::of(self.place(contact), change).read_and_make().await
    }

    /// Does what [`update_if_changed`](Self::update_if_changed) does, but only if nobody changed
    /// the contact after `unmodified_since`, the [`modified_on`](Contact::modified_on) that you
    /// saw. Give it back with all its digits, up to seven after the second: cut to microseconds, as
    /// by a database, it is earlier than the contact's own, and every update is refused.
    ///
    /// The API has no conditional update, so the check is made by reading just before the write,
    /// and again by each later reading, when the write did not leave in time or its outcome is
    /// unknown. A change by somebody else between the reading and the write, which follows within
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
    /// Returns [`ContactsError::Modified`] when it was changed; otherwise the errors of
    /// [`update_if_changed`](Self::update_if_changed).
    pub async fn update_if_unmodified_since(
        &self,
        contact: ContactId,
        change: &ContactChange,
        unmodified_since: Timestamp,
    ) -> Result<Updated<Contact>, ContactsError> {
        Decision::of(self.place(contact), change)
            .unless_modified_since(Some(unmodified_since))
            .read_and_make()
            .await
    }

    /// Updates a contact that the caller has just read: a [`Contact`] that was read this moment, or
    /// a [`Reading`] that says when. It does what [`update_if_changed`](Self::update_if_changed)
    /// does, or with a time what [`update_if_unmodified_since`](Self::update_if_unmodified_since)
    /// does.
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
    /// Returns the errors of [`update_if_unmodified_since`](Self::update_if_unmodified_since).
    pub async fn update_from(
        &self,
        current: impl Into<Reading<Contact>>,
        change: &ContactChange,
        unmodified_since: Option<Timestamp>,
    ) -> Result<Updated<Contact>, ContactsError> {
        let reading = current.into();
        Decision::of(self.place(reading.record.id), change)
            .unless_modified_since(unmodified_since)
            .make(reading, None)
            .await
    }

    /// Returns the request that [`update_if_changed`](Self::update_if_changed) would send to this
    /// contact, or `None` when nothing differs. Of a contact that tells no flags it shows all members,
    /// though a service that knows fewer would be sent those.
    ///
    /// # Errors
    ///
    /// Returns [`ContactsError::Invalid`] and [`ContactsError::Preferences`], as
    /// [`update`](Self::update).
    pub fn preview(
        &self,
        current: &Contact,
        change: &ContactChange,
    ) -> Result<Option<Preview>, ContactsError> {
        Decision::of(self.place(current.id), change).preview(current)
    }

    /// Sends an update that is complete in itself, and compares the answer with it. After an
    /// unknown outcome it reads back until the contact is as asked.
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
    /// Returns the errors of [`update`](Self::update).
    pub async fn send(
        &self,
        contact: ContactId,
        update: UpdateContactRequest,
    ) -> Result<Contact, ContactsError> {
        let place = self.place(contact);
        let sent = decision::send(&place, self.service, update, None);
        sent.await.map_err(|unsettled| unsettled.error)
    }

    /// Sends an update that a reading decided. It does not leave once the reading is [2
    /// seconds](crate::DECISION_AGE) old: then it ends as
    /// [`Expired`](crm_transport::TransportErrorKind::Expired), not sent, and it is up to you to
    /// read and to decide again. Compared with the reading, an answer also shows that nothing was
    /// changed, or that it is about something else.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`update`](Self::update).
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

    /// Sends an update without reading back, for a caller that checks many writes with one call. So
    /// [`ContactsError::EchoDiffers`] shows what was answered; whether the contact really is so is
    /// known when it is read.
    ///
    /// # Errors
    ///
    /// Returns [`ContactsError::OutcomeUnknown`] as soon as the answer got lost or is about another
    /// contact, [`ContactsError::EchoDiffers`] for an answer that is not as asked; otherwise the
    /// errors of [`send`](Self::send).
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
        OwnersContact { contacts: *self, contact, has_three_flags: OnceLock::new() }
    }
}

/// One contact of an owner.
struct OwnersContact<'a, T, O> {
    contacts: OwnerContacts<'a, T, O>,
    contact: ContactId,
    /// Whether other contacts show the form of three flags, once that was asked.
    has_three_flags: OnceLock<bool>,
}

impl<T: Transport, O: Owner> OwnersContact<'_, T, O> {
    /// Whether the service has the flags in the form of three members, as the first contact shows
    /// that tells any, of those of any owner.
    async fn has_three_flags(&self) -> Result<bool, ContactsError> {
        if let Some(known) = self.has_three_flags.get() {
            return Ok(*known);
        }
        // The list wants a condition.
        let ever = ContactFilter::<O>::new().modified_on_or_after(SystemTime::UNIX_EPOCH.into());
        let all = self.contacts.service.changed(ever);
        // One page: a tenant of which none tells any would be read as a whole.
        let page = all.page_size(SEARCH_PAGE).set_aside().pages().try_next().await?;
        let contacts = page.into_iter().flat_map(|page| page.data);
        let told = contacts.into_iter().find_map(|found| found.preferences);
        let has_three = told.is_some_and(|flags| flags.derived());
        Ok(*self.has_three_flags.get_or_init(|| has_three))
    }
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

    async fn in_form(
        &self,
        update: UpdateContactRequest,
        present: &Contact,
    ) -> Result<UpdateContactRequest, ContactsError> {
        let is_told = present.preferences.is_some() || self.contacts.service.legacy_preferences();
        match update.get_preferences() {
            Some(asked) if !is_told && self.has_three_flags().await? => {
                if asked.is_apart() {
                    let (site, source) = (Box::new(self.site()), PreferencesError::Inseparable);
                    return Err(ContactsError::Preferences { site, source });
                }
                Ok(update.legacy_three_flags()?)
            }
            _ => Ok(update),
        }
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
