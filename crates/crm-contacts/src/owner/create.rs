//! Creating contacts without creating them twice.

use crm_models::{CheckWith, Contact, ContactId, CreateContactRequest};
use crm_transport::Transport;

use super::contacts::{OwnerContacts, SEARCH_PAGE};
use crate::{
    error::ContactsError,
    operations::owner::{CreateContact, Owner},
    patience::Patience,
    pause,
    settle::not_before,
};

/// The result of [`OwnerContacts::create_unless_present`].
#[derive(Debug, Clone, PartialEq)]
pub enum Creation {
    /// The contact is new.
    Created(Contact),
    /// The owner had a contact of this kind with this value already; nothing was sent.
    Present(Contact),
}

impl Creation {
    /// Returns the contact, whether it is new or not.
    #[must_use]
    pub fn into_contact(self) -> Contact {
        match self {
            Self::Created(contact) | Self::Present(contact) => contact,
        }
    }
}

impl<T: Transport, O: Owner> OwnerContacts<'_, T, O> {
    /// Creates a contact: `POST …/contacts`. Preferences cannot be given here: update them
    /// afterwards. The call is never repeated once the server may have seen it, since each repeat
    /// creates one more.
    ///
    /// # Errors
    ///
    /// Returns [`ContactsError::OutcomeUnknown`] when the answer got lost, or is about a contact
    /// with another number or address: see [`create_unless_present`](Self::create_unless_present);
    /// otherwise the errors of [`ContactsService::call`](crate::ContactsService::call).
    pub async fn create(&self, contact: CreateContactRequest) -> Result<Contact, ContactsError> {
        self.create_beside(contact, &[]).await
    }

    /// Creates a contact for an owner that is known to have others. An answer about one of those is
    /// not taken for the new contact.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`create`](Self::create).
    pub async fn create_beside(
        &self,
        contact: CreateContactRequest,
        known: &[ContactId],
    ) -> Result<Contact, ContactsError> {
        let operation = CreateContact { owner: self.owner, contact };
        let created = self.service.write(&operation).await?;
        if known.contains(&created.id) {
            let site = self.service.site(&O::CREATE, [&self.owner]);
            Err(ContactsError::another_record(site).unknown())
        } else {
            Ok(created)
        }
    }

    /// Creates a contact unless the owner has one of its kind with the same value, as by
    /// [`CreateContactRequest::is_same`]. After an unknown outcome it looks again, for at most a
    /// minute, instead of creating a second one.
    ///
    /// ```
    /// # use crm_contacts::{
    /// #     ContactsError, ContactsService, models::{CustomerId}, transport::Transport,
    /// # };
    /// use crm_contacts::{Creation, models::{ContactType, CreateContactRequest}};
    ///
    /// # async fn example<T: Transport>(
    /// #     contacts: ContactsService<T>, customer: CustomerId,
    /// # ) -> Result<(), ContactsError> {
    /// let mobile = CreateContactRequest::new(ContactType::MobilePhone, "(818) 555-0142");
    /// match contacts.customer(customer).create_unless_present(mobile).await? {
    ///     Creation::Created(contact) => println!("{} is new", contact.id),
    ///     Creation::Present(contact) => println!("{} has it already", contact.id),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// What it saw is at most [2 seconds](crate::DECISION_AGE) old when the creation leaves;
    /// otherwise it looks again first. Even so, two callers at the same time may both find nothing
    /// and create one each. Where that can happen, let one caller do it. A number with letters,
    /// like `1-800-FLOWERS`, is not found again where the service keeps only digits, so each call
    /// creates one more.
    ///
    /// # Errors
    ///
    /// Returns [`ContactsError::OutcomeUnknown`] when the answer got lost and the contact does not
    /// show up; otherwise the errors of [`ContactsService::call`](crate::ContactsService::call).
    /// The service works on a request for 100 seconds at most, so until then it may still show up:
    /// do not call this again earlier.
    pub async fn create_unless_present(
        &self,
        contact: CreateContactRequest,
    ) -> Result<Creation, ContactsError> {
        contact.check_with(self.service.tolerance())?;
        let mut patience = Patience::of(self.service);
        loop {
            let owners = self.list().page_size(SEARCH_PAGE).collect_reading().await?;
            let begin_by = owners.begin_by();
            let known: Vec<_> = owners.record.iter().map(|found| found.id).collect();
            let mut owners = owners.record.into_iter();
            if let Some(present) = owners.find(|found| contact.is_same(found)) {
                return Ok(Creation::Present(present));
            }
            let decided = self.service.decided(begin_by, false);
            let sent = decided.owner(self.owner).create_beside(contact.clone(), &known).await;
            let error = match sent {
                Ok(created) => return Ok(Creation::Created(created)),
                Err(error) => error,
            };
            if error.outcome_is_unknown() {
                let newcomer =
                    |found: &Contact| contact.is_same(found) && !known.contains(&found.id);
                let look = || {
                    let list = self.list().page_size(SEARCH_PAGE);
                    list.search(newcomer, |_| true)
                };
                let created = self.service.read_back(look, Option::is_some).await;
                return match created {
                    Ok(Some(created)) => Ok(Creation::Created(created.record)),
                    _ => Err(error),
                };
            }
            match patience.after(self.service, &error, not_before(&error)) {
                Some(pause) => pause::make(pause).await,
                None => return Err(error),
            }
        }
    }
}
