//! Creating contacts without doubling.

use crm_models::{Check, Contact, CreateContactRequest};
use crm_transport::Transport;

use super::OwnerContacts;
use crate::{
    error::ContactsError,
    operations::owner::{CreateContact, Owner},
};

/// What [`OwnerContacts::create_unless_present`] found or did.
#[derive(Debug, Clone, PartialEq)]
pub enum Creation {
    /// The contact is new.
    Created(Contact),
    /// The owner had a contact of this kind with this value already; nothing was sent.
    Present(Contact),
}

impl Creation {
    /// The contact, new or not.
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
    /// [`ContactsError::OutcomeUnknown`] when the answer got lost: see
    /// [`create_unless_present`](Self::create_unless_present); otherwise as
    /// [`ContactsService::call`](crate::ContactsService::call).
    pub async fn create(&self, contact: CreateContactRequest) -> Result<Contact, ContactsError> {
        let operation = CreateContact {
            owner: self.owner,
            contact,
        };
        self.service.write(&operation).await
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
    /// It looks and then creates: two callers at the same time may both find nothing and create
    /// one each. Where that can happen, let one caller do it. A number of letters as in
    /// `1-800-FLOWERS` is not found again where the service keeps digits alone: each call creates
    /// one more.
    ///
    /// # Errors
    ///
    /// [`ContactsError::OutcomeUnknown`] when the answer got lost and the contact does not
    /// show up; otherwise as [`ContactsService::call`](crate::ContactsService::call). The service
    /// works on a request for 100 seconds at most, so until then it may still show up: do not call
    /// this again earlier.
    pub async fn create_unless_present(
        &self,
        contact: CreateContactRequest,
    ) -> Result<Creation, ContactsError> {
        contact.check()?;
        let same = |found: &Contact| contact.is_same(found);
        if let Some(present) = self.search(same).await? {
            return Ok(Creation::Present(present));
        }
        match self.create(contact.clone()).await {
            Ok(created) => Ok(Creation::Created(created)),
            Err(error) if error.outcome_is_unknown() => {
                let created = self.read_back(same, |_| true).await;
                created.map(Creation::Created).map_err(|_| error)
            }
            Err(error) => Err(error),
        }
    }
}
