//! The contacts of one owner, a location or a customer: the same operations on both.

use std::marker::PhantomData;

use crm_models::{
    Check, CheckWith, Contact, ContactFilter, ContactId, ContactOwner, CreateContactRequest,
    ExportBatch, ExportQuery, ExportedContact, OwnedContact, Page, PageQuery, TenantId, Tolerance,
    UpdateContactRequest,
};
use crm_transport::Request;

use crate::{
    error::ContactsError,
    operation::{NoContent, Operation},
    paged::PagedOperation,
    progress::key_of,
    spec::Spec,
};

/// An owner of contacts with its operations in the published contract.
pub trait Owner: ContactOwner {
    /// Lists one owner's contacts.
    const LIST: Spec;
    /// Creates a contact.
    const CREATE: Spec;
    /// Changes a contact.
    const UPDATE: Spec;
    /// Deletes a contact.
    const DELETE: Spec;
    /// Lists contacts over all owners by filters.
    const LIST_ALL: Spec;
    /// The export feed.
    const EXPORT: Spec;
}

/// What the contract says of each but the export feed.
pub(super) fn specs<O: Owner>() -> [Spec; 5] {
    [O::LIST, O::CREATE, O::UPDATE, O::DELETE, O::LIST_ALL]
}

/// `GET /{owners}/{id}/contacts`: one owner's contacts, page by page.
#[derive(Debug, Clone)]
pub struct GetContactList<O> {
    /// The owner of the contacts.
    pub owner: O,
    /// The page to ask for.
    pub page: PageQuery,
}

impl<O: Owner> Operation for GetContactList<O> {
    type Answer = Page<Contact>;
    const SPEC: Spec = O::LIST;

    fn request(&self, tenant: TenantId) -> Result<Request, ContactsError> {
        self.page.check()?;
        Self::SPEC.draft(tenant, [&self.owner]).query(&self.page)?.empty()
    }
}

impl<O: Owner> PagedOperation for GetContactList<O> {
    type Item = Contact;

    fn page_mut(&mut self) -> &mut PageQuery {
        &mut self.page
    }

    fn key(item: &Contact) -> Option<u64> {
        Some(key_of(&item.id))
    }
}

/// `POST /{owners}/{id}/contacts`: creates a contact. Every repeat creates one more.
#[derive(Debug, Clone)]
pub struct CreateContact<O> {
    /// The owner that gets the contact.
    pub owner: O,
    /// The new contact.
    pub contact: CreateContactRequest,
}

impl<O: Owner> Operation for CreateContact<O> {
    type Answer = Contact;
    const SPEC: Spec = O::CREATE;

    fn request(&self, tenant: TenantId) -> Result<Request, ContactsError> {
        self.request_tolerating(tenant, Tolerance::Nothing)
    }

    fn request_tolerating(
        &self,
        tenant: TenantId,
        tolerance: Tolerance,
    ) -> Result<Request, ContactsError> {
        self.contact.check_with(tolerance)?;
        Self::SPEC.draft(tenant, [&self.owner]).json(&self.contact)
    }

    fn is_answered_by(&self, answer: &Contact) -> bool {
        self.contact.is_echo(&answer.contact_type, &answer.value)
    }
}

/// `PATCH /{owners}/{id}/contacts/{contactId}`: changes the members that the update names.
#[derive(Debug, Clone)]
pub struct UpdateContact<O> {
    /// The owner of the contact.
    pub owner: O,
    /// The contact.
    pub contact: ContactId,
    /// The members to change; absent ones stay as they are.
    pub update: UpdateContactRequest,
}

impl<O: Owner> Operation for UpdateContact<O> {
    type Answer = Contact;
    const SPEC: Spec = O::UPDATE;

    fn request(&self, tenant: TenantId) -> Result<Request, ContactsError> {
        self.request_tolerating(tenant, Tolerance::Nothing)
    }

    fn request_tolerating(
        &self,
        tenant: TenantId,
        tolerance: Tolerance,
    ) -> Result<Request, ContactsError> {
        self.update.check_with(tolerance)?;
        Self::SPEC.draft(tenant, [&self.owner, &self.contact]).json(&self.update)
    }

    fn is_answered_by(&self, answer: &Contact) -> bool {
        answer.id == self.contact
    }
}

/// `DELETE /{owners}/{id}/contacts/{contactId}`: deletes a contact.
#[derive(Debug, Clone)]
pub struct DeleteContact<O> {
    /// The owner of the contact.
    pub owner: O,
    /// The contact.
    pub contact: ContactId,
}

impl<O: Owner> Operation for DeleteContact<O> {
    type Answer = NoContent;
    const SPEC: Spec = O::DELETE;

    fn request(&self, tenant: TenantId) -> Result<Request, ContactsError> {
        Self::SPEC.draft(tenant, [&self.owner, &self.contact]).empty()
    }
}

/// `GET /{owners}/contacts`: contacts over all owners, by owner ids or by time.
#[derive(Debug, Clone)]
pub struct GetContactListOfAll<O> {
    /// Selects the contacts. The API refuses a list without any filter.
    pub filter: ContactFilter<O>,
    /// The page to ask for.
    pub page: PageQuery,
}

impl<O: Owner> Operation for GetContactListOfAll<O> {
    type Answer = Page<OwnedContact<O>>;
    const SPEC: Spec = O::LIST_ALL;

    fn request(&self, tenant: TenantId) -> Result<Request, ContactsError> {
        self.filter.check()?;
        self.page.check()?;
        Self::SPEC.draft(tenant, []).query(&self.filter)?.query(&self.page)?.empty()
    }

    fn is_answered_by(&self, answer: &Page<OwnedContact<O>>) -> bool {
        answer.data.iter().all(|item| self.has(item))
    }
}

impl<O: Owner> PagedOperation for GetContactListOfAll<O> {
    type Item = OwnedContact<O>;

    fn page_mut(&mut self) -> &mut PageQuery {
        &mut self.page
    }

    fn key(item: &OwnedContact<O>) -> Option<u64> {
        Some(key_of(&(item.owner, item.id)))
    }

    fn has(&self, item: &OwnedContact<O>) -> bool {
        let owners = self.filter.get_owners();
        owners.is_none_or(|owners| owners.contains(&item.owner))
    }
}

/// `GET /export/{owners}/contacts`: one batch of the feed of active and deleted contacts.
#[derive(Debug, Clone)]
pub struct ExportContacts<O> {
    /// Says where to continue, and whether changes of the last minutes are wanted.
    pub query: ExportQuery,
    /// The kind of owner whose feed it is.
    pub owner: PhantomData<O>,
}

impl<O: Owner> Operation for ExportContacts<O> {
    type Answer = ExportBatch<ExportedContact<O>>;
    const SPEC: Spec = O::EXPORT;

    fn request(&self, tenant: TenantId) -> Result<Request, ContactsError> {
        self.query.check()?;
        Self::SPEC.draft(tenant, []).query(&self.query)?.empty()
    }
}
