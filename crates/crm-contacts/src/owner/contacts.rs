//! The use cases on the contacts of one location or one customer.

use crm_models::{Contact, ContactFilter, ContactId, CustomerId, LocationId, UnreadableRecord};
use crm_transport::Transport;
use derive_where::derive_where;

use crate::{
    error::ContactsError,
    operations::owner::{DeleteContact, GetContactList, GetContactListOfAll, Owner},
    paging::List,
    reading::Reading,
    service::ContactsService,
};

/// The size of the pages in which one contact is looked for. The API's
/// default of 50 would take several calls for a large owner.
pub(super) const SEARCH_PAGE: i32 = 500;

/// How many ids one call may filter by. The contract states no bound for contacts; its other
/// lists of ids stop at 50.
const IDS_PER_CALL: usize = 50;

impl<T: Transport> ContactsService<T> {
    /// Returns the contacts of one location.
    pub fn location(&self, location: LocationId) -> OwnerContacts<'_, T, LocationId> {
        self.owner(location)
    }

    /// Returns the contacts of one customer.
    pub fn customer(&self, customer: CustomerId) -> OwnerContacts<'_, T, CustomerId> {
        self.owner(customer)
    }

    /// Returns the contacts of one owner of either kind, for code that is generic over the two.
    pub fn owner<O: Owner>(&self, owner: O) -> OwnerContacts<'_, T, O> {
        OwnerContacts { service: self, owner }
    }

    /// Lists the contacts over all owners that a filter selects. Long lists of owner ids are cut
    /// into blocks of 50, one after another.
    ///
    /// ```
    /// # use crm_contacts::{ContactsService, transport::Transport};
    /// use crm_contacts::models::{ContactFilter, LocationId, Timestamp};
    ///
    /// # async fn example<T: Transport>(contacts: ContactsService<T>) -> Result<(), Box<dyn std::error::Error>> {
    /// let since: Timestamp = "2026-11-01".parse()?;
    /// let filter = ContactFilter::<LocationId>::new().modified_on_or_after(since);
    /// for contact in contacts.changed(filter).collect().await? {
    ///     println!("{} of location {}", contact.id, contact.owner);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn changed<O: Owner>(&self, filter: ContactFilter<O>) -> List<T, GetContactListOfAll<O>> {
        let operations = filter
            .blocks(IDS_PER_CALL)
            .into_iter()
            .map(|filter| GetContactListOfAll { filter, page: Default::default() })
            .collect();
        List::new(self, operations)
    }
}

/// The contacts of one owner, made by [`ContactsService::location`] and
/// [`ContactsService::customer`].
#[derive_where(Debug, Clone, Copy; O)]
#[must_use]
pub struct OwnerContacts<'a, T, O> {
    pub(super) service: &'a ContactsService<T>,
    pub(super) owner: O,
}

impl<T: Transport, O: Owner> OwnerContacts<'_, T, O> {
    /// Lists the owner's contacts: `GET …/contacts`, page by page, with the owner's scope for
    /// reading. The order is not documented.
    pub fn list(&self) -> List<T, GetContactList<O>> {
        let operation = GetContactList { owner: self.owner, page: Default::default() };
        self.service.list(operation)
    }

    /// Finds one contact. The API cannot read a single contact, so this pages through the owner's
    /// list until it appears.
    ///
    /// # Errors
    ///
    /// Returns [`ContactsError::NotFound`] when the list ends without it,
    /// [`ContactsError::Unreadable`] when it may be a record that is not what the contract says;
    /// otherwise the errors of [`ContactsService::call`].
    pub async fn find(&self, contact: ContactId) -> Result<Contact, ContactsError> {
        Ok(self.read(contact).await?.record)
    }

    /// Does what [`find`](Self::find) does, and returns the moment at which the contact was read
    /// too, for a write that you decide on what it shows.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`find`](Self::find).
    pub async fn read(&self, contact: ContactId) -> Result<Reading<Contact>, ContactsError> {
        match self.look_up(contact).await? {
            Some(found) => Ok(found),
            None => Err(ContactsError::NotFound {
                site: Box::new(self.service.site(&O::LIST, [&self.owner])),
                contact,
            }),
        }
    }

    /// Deletes a contact: `DELETE …/contacts/{contactId}`. An answer "not found" counts as success
    /// when an earlier attempt of this very call may have deleted it. After a lost answer the
    /// contact is looked for, for at most a minute.
    ///
    /// # Errors
    ///
    /// Returns [`ContactsError::OutcomeUnknown`] when the answer got lost and the contact still
    /// shows up; otherwise the errors of [`ContactsService::call`].
    pub async fn delete(&self, contact: ContactId) -> Result<(), ContactsError> {
        let gone = || async { Ok(self.look_up(contact).await?.is_none()) };
        self.service.delete(&self.deletion(contact), gone).await
    }

    /// Deletes a contact without looking for it afterwards, for a caller that checks many writes
    /// with one call.
    ///
    /// # Errors
    ///
    /// Returns [`ContactsError::OutcomeUnknown`] as soon as the answer got lost; otherwise the
    /// errors of [`ContactsService::call`].
    pub async fn delete_once(&self, contact: ContactId) -> Result<(), ContactsError> {
        self.service.write(&self.deletion(contact)).await.map(drop)
    }

    fn deletion(&self, contact: ContactId) -> DeleteContact<O> {
        DeleteContact { owner: self.owner, contact }
    }

    /// Returns the contact with this id, if the owner has it. A record that cannot be read may be
    /// the contact, unless its id can be read and is another one.
    async fn look_up(&self, contact: ContactId) -> Result<Option<Reading<Contact>>, ContactsError> {
        let may_be = |record: &UnreadableRecord| {
            let id = record.member("id").and_then(|id| id.parse().ok());
            id.is_none_or(|id: ContactId| id == contact)
        };
        let list = self.list().page_size(SEARCH_PAGE);
        list.search(|found| found.id == contact, may_be).await
    }
}
