//! Changing a contact, and finding out what became of a change whose answer is lost.

use crm_models::{
    Contact, ContactChange, ContactId, PreferencesUnknown, Timestamp, UpdateContactRequest,
};
use crm_transport::Transport;

use super::OwnerContacts;
use crate::{
    error::{CallSite, ContactsError, Echo},
    operations::owner::{Owner, UpdateContact},
    update::{plan, verify},
};

/// An update that did not succeed, or of which nobody knows: then the contact as it reads back.
struct Unsettled {
    error: ContactsError,
    found: Option<Box<Contact>>,
}

impl From<ContactsError> for Unsettled {
    fn from(error: ContactsError) -> Self {
        Self { error, found: None }
    }
}

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
    /// Preferences are sent as a whole: when `change` gives some of them, the contact is read
    /// first and the others are kept. The answer is compared with what was asked. After an
    /// unknown outcome the contact is read back, for at most a minute, and if it is not as wanted,
    /// the change is made once more, to what it is now.
    ///
    /// # Errors
    ///
    /// [`ContactsError::Invalid`] for an empty or invalid change,
    /// [`ContactsError::PreferencesUnknown`], [`ContactsError::EchoDiffers`] when the write
    /// was carried out otherwise than asked, [`ContactsError::OutcomeUnknown`]; otherwise as
    /// [`ContactsService::call`](crate::ContactsService::call).
    pub async fn update(
        &self,
        contact: ContactId,
        change: &ContactChange,
    ) -> Result<Contact, ContactsError> {
        let update = match change.needs_current() {
            true => {
                let current = self.read(contact, change).await?;
                change.check_for(&current)?;
                // What differs was judged just now, and the rest the service took once.
                let request = change.request_for(&current);
                request.map(UpdateContactRequest::as_it_was)
            }
            false => change.to_request(None),
        };
        let update = update.map_err(|e| self.preferences_unknown(contact, e))?;
        self.make(contact, change, update, None).await
    }

    /// Sends the update that makes the change. After an unknown outcome the change is compared
    /// with what the contact is now, and made once more if need be: not by the same request, since
    /// that would also set again what somebody else has changed meanwhile.
    pub(super) async fn make(
        &self,
        contact: ContactId,
        change: &ContactChange,
        update: UpdateContactRequest,
        since: Option<Timestamp>,
    ) -> Result<Contact, ContactsError> {
        let (unknown, found) = match self.try_send(contact, update).await {
            Ok(updated) => return Ok(updated),
            Err(Unsettled {
                error,
                found: Some(found),
            }) => (error, found),
            Err(unsettled) => return Err(unsettled.error),
        };
        match plan(&found, change) {
            Ok(None) => Ok(*found),
            Ok(Some(update)) if since.is_none_or(|since| found.modified_on <= since) => {
                match self.send(contact, update).await {
                    Err(error @ ContactsError::EchoDiffers(_)) => Err(error),
                    // Of the first of the two nobody knows, whatever became of the second.
                    Err(error) if error.site().is_none() => Err(unknown),
                    again => again.map_err(ContactsError::unknown),
                }
            }
            _ => Err(unknown),
        }
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
        let sent = self.try_send(contact, update).await;
        sent.map_err(|unsettled| unsettled.error)
    }

    /// [`send`](Self::send) without reading back, for a caller that looks after many writes with
    /// one call.
    ///
    /// # Errors
    ///
    /// [`ContactsError::OutcomeUnknown`] as soon as the answer got lost; otherwise as
    /// [`send`](Self::send).
    pub async fn send_once(
        &self,
        contact: ContactId,
        update: UpdateContactRequest,
    ) -> Result<Contact, ContactsError> {
        self.send_operation(&self.update_operation(contact, update)?)
            .await
    }

    fn update_operation(
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

    async fn send_operation(&self, operation: &UpdateContact<O>) -> Result<Contact, ContactsError> {
        let answer = self.service.write(operation).await?;
        self.verified(operation, answer)
    }

    async fn try_send(
        &self,
        contact: ContactId,
        update: UpdateContactRequest,
    ) -> Result<Contact, Unsettled> {
        let operation = self.update_operation(contact, update)?;
        let error = match self.send_operation(&operation).await {
            Err(error) if error.outcome_is_unknown() => error,
            sent => return Ok(sent?),
        };
        let is_done = |found: &Contact| verify(&operation.update, found).is_empty();
        match self.read_back(|found| found.id == contact, is_done).await {
            Ok(found) => Ok(found),
            Err(found) => Err(Unsettled {
                error,
                found: found.map(Box::new),
            }),
        }
    }

    fn verified(
        &self,
        operation: &UpdateContact<O>,
        answer: Contact,
    ) -> Result<Contact, ContactsError> {
        let differences = verify(&operation.update, &answer);
        if differences.is_empty() {
            return Ok(answer);
        }
        Err(ContactsError::EchoDiffers(Box::new(Echo {
            site: self.update_site(operation.contact),
            differences,
            answer,
        })))
    }

    pub(super) fn preferences_unknown(
        &self,
        contact: ContactId,
        source: PreferencesUnknown,
    ) -> ContactsError {
        ContactsError::PreferencesUnknown {
            site: Box::new(self.update_site(contact)),
            source,
        }
    }

    fn update_site(&self, contact: ContactId) -> CallSite {
        self.service.site(&O::UPDATE, [&self.owner, &contact])
    }
}
