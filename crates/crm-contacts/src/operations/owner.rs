//! The contacts of one owner, a location or a customer: the same operations on both.

use crm_models::{
    Contact, ContactFilter, ContactId, ContactOwner, CreateContactRequest, ExportedContact,
    OwnedContact, Page, PageQuery, UpdateContactRequest,
};

use crate::{operation::NoContent, paged::PagedOperation, progress::key_of, spec::Spec};

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
    /// The export feed of contacts.
    const EXPORT: Spec;
    /// Reads one owner itself.
    const GET_OWNER: Spec;
    /// Lists owners themselves by filters.
    const LIST_OWNERS: Spec;
    /// The export feed of owners themselves.
    const EXPORT_OWNERS: Spec;
}

/// What the contract says of each but the export feed.
pub(super) fn specs<O: Owner>() -> [Spec; 5] {
    [O::LIST, O::CREATE, O::UPDATE, O::DELETE, O::LIST_ALL]
}

operation! {
    /// `GET /{owners}/{id}/contacts`: one owner's contacts, page by page.
    GetContactList<O>: Page<Contact> = O::LIST => {
        path {
            /// The owner of the contacts.
            owner: O,
        }
        query {
            /// The page to ask for.
            page: PageQuery,
        }
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

operation! {
    /// `POST /{owners}/{id}/contacts`: creates a contact. Every repeat creates one more.
    CreateContact<O>: Contact = O::CREATE => {
        path {
            /// The owner that gets the contact.
            owner: O,
        }
        body with tolerance {
            /// The new contact.
            contact: CreateContactRequest,
        }
        answered |this, found| this.contact.is_echo(&found.contact_type, &found.value);
    }
}

operation! {
    /// `PATCH /{owners}/{id}/contacts/{contactId}`: changes the members that the update names.
    UpdateContact<O>: Contact = O::UPDATE => {
        path {
            /// The owner of the contact.
            owner: O,
            /// The contact.
            contact: ContactId,
        }
        body with tolerance {
            /// The members to change; absent ones stay as they are.
            update: UpdateContactRequest,
        }
        answered |this, found| found.id == this.contact;
    }
}

operation! {
    /// `DELETE /{owners}/{id}/contacts/{contactId}`: deletes a contact.
    DeleteContact<O>: NoContent = O::DELETE => {
        path {
            /// The owner of the contact.
            owner: O,
            /// The contact.
            contact: ContactId,
        }
    }
}

operation! {
    /// `GET /{owners}/contacts`: contacts over all owners, by owner ids or by time.
    GetContactListOfAll<O>: Page<OwnedContact<O>> = O::LIST_ALL => {
        query {
            /// Selects the contacts. The API refuses a list without any filter.
            filter: ContactFilter<O>,
            /// The page to ask for.
            page: PageQuery,
        }
        answered |this, found| found.data.iter().all(|item| this.has(item));
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

export! {
    /// `GET /export/{owners}/contacts`: one batch of the feed of active and deleted contacts.
    ExportContacts<O>: ExportedContact<O> = O::EXPORT => |record| {
        key_of(&(record.owner, record.id, record.modified_on))
    }
}
