//! People of Contacts v2: the tag `Contacts`, without methods and relationships.

use crm_models::{
    CreatePersonRequest, Page, PageQuery, Person, PersonFilter, PersonId, RelatedEntityId,
    ReplacePersonRequest, TenantId, UpdatePersonRequest,
};
use crm_transport::Request;

use crate::{
    error::ContactsError,
    operation::{NoContent, Operation, Spec},
    paging::paged,
};

/// `Contacts_GetList`: people by filters, page by page.
#[derive(Debug, Clone, Default)]
pub struct GetList {
    /// Which people, in which order.
    pub filter: PersonFilter,
    /// Which page.
    pub page: PageQuery,
}

impl Operation for GetList {
    type Answer = Page<Person>;
    const SPEC: Spec = Spec::read("Contacts_GetList", "/contacts", "tn.crm.contacts:r");

    fn request(&self, tenant: TenantId) -> Result<Request, ContactsError> {
        Self::SPEC
            .draft(tenant, [])
            .query(&self.filter)?
            .query(&self.page)?
            .empty()
    }
}

paged!(GetList, Person);

/// `Contacts_Create`: a new person. Every repeat creates one more.
#[derive(Debug, Clone)]
pub struct Create {
    /// The new person.
    pub person: CreatePersonRequest,
}

impl Operation for Create {
    type Answer = Person;
    const SPEC: Spec = Spec::create("Contacts_Create", "/contacts", "tn.crm.contacts:w");

    fn request(&self, tenant: TenantId) -> Result<Request, ContactsError> {
        Self::SPEC.draft(tenant, []).json(&self.person)
    }
}

/// `Contacts_Get`: one person.
#[derive(Debug, Clone)]
pub struct Get {
    /// Who.
    pub id: PersonId,
}

impl Operation for Get {
    type Answer = Person;
    const SPEC: Spec = Spec::read("Contacts_Get", "/contacts/{id}", "tn.crm.contacts:r");

    fn request(&self, tenant: TenantId) -> Result<Request, ContactsError> {
        Self::SPEC.draft(tenant, [&self.id]).empty()
    }
}

/// `Contacts_Replace`: sets every member of a person. The contract documents no 404: whether
/// an unknown id creates a person is not documented.
#[derive(Debug, Clone)]
pub struct Replace {
    /// Who.
    pub id: PersonId,
    /// All members.
    pub person: ReplacePersonRequest,
}

impl Operation for Replace {
    type Answer = Person;
    const SPEC: Spec = Spec::replace("Contacts_Replace", "/contacts/{id}", "tn.crm.contacts:w");

    fn request(&self, tenant: TenantId) -> Result<Request, ContactsError> {
        Self::SPEC.draft(tenant, [&self.id]).json(&self.person)
    }
}

/// `Contacts_Update`: changes a person. What absent members do is not documented, so the
/// request always writes all four; [`PersonHandle::update`](crate::PersonHandle::update)
/// reads the person first.
#[derive(Debug, Clone)]
pub struct Update {
    /// Who.
    pub id: PersonId,
    /// All members.
    pub person: UpdatePersonRequest,
}

impl Operation for Update {
    type Answer = Person;
    const SPEC: Spec = Spec::update("Contacts_Update", "/contacts/{id}", "tn.crm.contacts:w");

    fn request(&self, tenant: TenantId) -> Result<Request, ContactsError> {
        Self::SPEC.draft(tenant, [&self.id]).json(&self.person)
    }
}

/// `Contacts_DeleteContact`: deletes a person.
#[derive(Debug, Clone)]
pub struct DeleteContact {
    /// Who.
    pub id: PersonId,
}

impl Operation for DeleteContact {
    type Answer = NoContent;
    const SPEC: Spec = Spec::delete(
        "Contacts_DeleteContact",
        "/contacts/{id}",
        "tn.crm.contacts:w",
    );

    fn request(&self, tenant: TenantId) -> Result<Request, ContactsError> {
        Self::SPEC.draft(tenant, [&self.id]).empty()
    }
}

/// `Contacts_GetByRelationshipId`: the people related to an entity.
///
/// The contract calls the path parameter `relationshipId` but types it as a number, while a
/// relationship's own id is a GUID. So it can only be the related customer, location or
/// booking; entities of different kinds with the same number are not told apart.
#[derive(Debug, Clone)]
pub struct GetByRelationshipId {
    /// The related customer, location or booking.
    pub related_entity: RelatedEntityId,
    /// Which of its people, in which order.
    pub filter: PersonFilter,
    /// Which page.
    pub page: PageQuery,
}

impl Operation for GetByRelationshipId {
    type Answer = Page<Person>;
    const SPEC: Spec = Spec::read(
        "Contacts_GetByRelationshipId",
        "/contacts/relationships/{relationshipId}",
        "tn.crm.contacts:r",
    );

    fn request(&self, tenant: TenantId) -> Result<Request, ContactsError> {
        Self::SPEC
            .draft(tenant, [&self.related_entity])
            .query(&self.filter)?
            .query(&self.page)?
            .empty()
    }
}

paged!(GetByRelationshipId, Person);
