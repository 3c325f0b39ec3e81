//! Changing a contact, and finding out what became of a change whose answer is lost.

use crm_models::{
    Contact, ContactChange, ContactId, PreferencesError, Timestamp, UpdateContactRequest,
};
use crm_transport::{Delivery, Transport};

use super::OwnerContacts;
use crate::{
    ContactsService, Reading,
    decision::{Decision, Lost, Settled, Unsettled, carry_out, not_before},
    error::{CallSite, ContactsError, Echo},
    operations::owner::{Owner, UpdateContact},
    update::{differences, plan, verify},
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
        let form_is_told =
            self.service.legacy_preferences() && change.get_preferences().is_complete();
        if change.needs_current() && !form_is_told {
            let reading = self.read_for(contact, change).await?;
            let settled = self.make(contact, change, reading, None, None).await?;
            return Ok(settled.after);
        }
        let update = change.to_request(None);
        let update = update.map_err(|e| self.preferences(contact, e))?;
        match self.try_send(self.service, contact, update, None).await {
            Ok(updated) => Ok(updated),
            Err(Unsettled {
                error,
                found: Some(found),
                ..
            }) => {
                let before = None;
                let lost = Lost { error, before };
                let made = self.make(contact, change, found, None, Some(lost)).await;
                Ok(made?.after)
            }
            Err(unsettled) => Err(unsettled.error),
        }
    }

    /// Makes the change of what a reading shows.
    pub(super) async fn make(
        &self,
        contact: ContactId,
        change: &ContactChange,
        reading: Reading<Contact>,
        unmodified_since: Option<Timestamp>,
        lost: Option<Lost<Contact>>,
    ) -> Result<Settled<Contact>, ContactsError> {
        let update = Update {
            contacts: *self,
            contact,
            change,
            unmodified_since,
        };
        carry_out(self.service, &update, reading, lost).await
    }

    /// Sends an update that is complete in itself and compares the echo. After an unknown
    /// outcome it reads back until the contact is as asked. [`update`](Self::update) and
    /// [`ensure`](Self::ensure) end here.
    ///
    /// ```
    /// # use crm_contacts::{
    /// #     ContactsError, ContactsService, models::{Contact, ContactChange, LocationId}, transport::Transport,
    /// # };
    /// # async fn example<T: Transport>(
    /// #     contacts: ContactsService<T>, location: LocationId, current: Contact, change: ContactChange,
    /// # ) -> Result<(), Box<dyn std::error::Error>> {
    /// // What is sent can be shown first.
    /// if let Some(update) = crm_contacts::plan(&current, &change)? {
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
        let sent = self.try_send(self.service, contact, update, None).await;
        sent.map_err(|unsettled| unsettled.error)
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
        let bounded = self.service.decided(reading.begin_by(), false);
        let sent = self.try_send(&bounded, before.id, update, Some(before));
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
        let operation = self.operation(contact, update)?;
        let answer = self.service.write(&operation).await?;
        match is_echo(&operation.update, None, &answer) {
            true => Ok(answer),
            false => Err(ContactsError::EchoDiffers(self.echo(&operation, answer))),
        }
    }

    fn operation(
        &self,
        contact: ContactId,
        mut update: UpdateContactRequest,
    ) -> Result<UpdateContact<O>, ContactsError> {
        if self.service.legacy_preferences() {
            update = update.legacy_three_flags()?;
        }
        Ok(UpdateContact {
            owner: self.owner,
            contact,
            update,
        })
    }

    async fn try_send(
        &self,
        service: &ContactsService<T>,
        contact: ContactId,
        update: UpdateContactRequest,
        before: Option<&Contact>,
    ) -> Result<Contact, Unsettled<Contact>> {
        let operation = self.operation(contact, update)?;
        let answered = match service.call(&operation).await {
            Ok(answer) if is_echo(&operation.update, before, &answer) => return Ok(answer),
            Err(error) if !error.outcome_is_unknown() => {
                let not_before = not_before(&error);
                return Err(Unsettled {
                    not_before,
                    ..error.into()
                });
            }
            answered => answered,
        };
        let not_before = answered.as_ref().err().and_then(not_before);
        let is_done = |found: &Contact| verify(&operation.update, found).is_empty();
        let found = match self.read_back(|| self.look_up(contact), is_done).await {
            Ok(found) => return Ok(found),
            Err(found) => found,
        };
        Err(match answered {
            Err(error) => Unsettled {
                error: error.unknown(),
                found,
                not_before,
            },
            Ok(answer) => self.differs(&operation, before, answer, found).into(),
        })
    }

    /// What became of an update whose answer is not as asked, now that it was read back.
    fn differs(
        &self,
        operation: &UpdateContact<O>,
        before: Option<&Contact>,
        answer: Contact,
        found: Option<Reading<Contact>>,
    ) -> ContactsError {
        let is_read_back = found.is_some();
        let contact = found.map_or(answer, |found| found.record);
        let is_unchanged = before.is_some_and(|before| differences(before, &contact).is_empty());
        let echo = self.echo(operation, contact);
        match (is_read_back, is_unchanged) {
            (false, _) => ContactsError::EchoDiffers(echo).unknown(),
            (true, true) => ContactsError::NotChanged(echo),
            (true, false) => ContactsError::EchoDiffers(echo),
        }
    }

    fn echo(&self, operation: &UpdateContact<O>, answer: Contact) -> Box<Echo> {
        Box::new(Echo {
            site: self.update_site(operation.contact),
            differences: verify(&operation.update, &answer),
            answer,
        })
    }

    pub(super) fn preferences(
        &self,
        contact: ContactId,
        source: PreferencesError,
    ) -> ContactsError {
        ContactsError::Preferences {
            site: Box::new(self.update_site(contact)),
            source,
        }
    }

    fn update_site(&self, contact: ContactId) -> CallSite {
        self.service.site(&O::UPDATE, [&self.owner, &contact])
    }
}

/// Whether an answer is the contact as asked: in what the update names, and in type and value as
/// they were read before. An answer for the right id with another number is somebody else's, or
/// tells of a change that nobody has looked at.
fn is_echo(update: &UpdateContactRequest, before: Option<&Contact>, answer: &Contact) -> bool {
    let keeps = |before: &Contact| {
        let same_type = before.contact_type == answer.contact_type;
        let same_value = answer.contact_type.same_value(&before.value, &answer.value);
        (update.get_contact_type().is_some() || same_type)
            && (update.get_value().is_some() || same_value)
    };
    verify(update, answer).is_empty() && before.is_none_or(keeps)
}

/// The change of one contact, decided on what it is.
struct Update<'a, T, O> {
    contacts: OwnerContacts<'a, T, O>,
    contact: ContactId,
    change: &'a ContactChange,
    unmodified_since: Option<Timestamp>,
}

impl<T: Transport, O: Owner> Decision<T> for Update<'_, T, O> {
    type Record = Contact;
    type Write = UpdateContactRequest;

    async fn read(&self) -> Result<Reading<Contact>, ContactsError> {
        self.contacts.read(self.contact).await
    }

    fn decide(
        &self,
        present: &Contact,
        earlier: Delivery,
    ) -> Result<Option<UpdateContactRequest>, ContactsError> {
        let modified_on = present.modified_on;
        if let Some(unmodified_since) = self.unmodified_since
            && modified_on > unmodified_since
            && !(earlier == Delivery::Unknown && matches!(plan(present, self.change), Ok(None)))
        {
            let list = &self.contacts.service.site(&O::LIST, [&self.contacts.owner]);
            return Err(ContactsError::Modified {
                site: Box::new(list.clone()),
                contact: self.contact,
                modified_on,
                unmodified_since,
                earlier,
            });
        }
        self.change.check_for(present)?;
        let planned = plan(present, self.change);
        planned.map_err(|e| self.contacts.preferences(self.contact, e))
    }

    async fn write(
        &self,
        service: &ContactsService<T>,
        update: UpdateContactRequest,
        before: &Contact,
    ) -> Result<Contact, Unsettled<Contact>> {
        let (contacts, contact) = (&self.contacts, self.contact);
        contacts
            .try_send(service, contact, update, Some(before))
            .await
    }
}
