//! Relationships between people and customers, locations and bookings.
//!
//! A person who does not exist is answered 409 here, not 404.

use crm_models::{
    ContactRelationship, Page, PageQuery, PersonId, RelatedEntityId, RelatedEntityType,
    RelationshipFilter, TenantId,
};
use crm_transport::Request;

use crate::{
    error::ContactsError,
    operation::{NoContent, Operation, Segment, Spec},
    paging::paged,
};

/// `Contacts_GetContactRelationshipList`: what a person is related to.
#[derive(Debug, Clone)]
pub struct GetContactRelationshipList {
    /// Whose relationships.
    pub contact: PersonId,
    /// Which relationships, in which order.
    pub filter: RelationshipFilter,
    /// Which page.
    pub page: PageQuery,
}

impl Operation for GetContactRelationshipList {
    type Answer = Page<ContactRelationship>;
    const SPEC: Spec = Spec::read(
        "Contacts_GetContactRelationshipList",
        "/contacts/{contactId}/relationships",
        "tn.crm.contacts:r",
    );

    fn request(&self, tenant: TenantId) -> Result<Request, ContactsError> {
        Self::SPEC
            .draft(tenant, [&self.contact])
            .query(&self.filter)?
            .query(&self.page)?
            .empty()
    }
}

paged!(GetContactRelationshipList, ContactRelationship);

/// `Contacts_CreateContactRelationship`: relates a person to an entity. Has no body.
#[derive(Debug, Clone)]
pub struct CreateContactRelationship {
    /// Who.
    pub contact: PersonId,
    /// The customer, location or booking.
    pub related_entity: RelatedEntityId,
    /// Which kind the entity is of.
    pub entity_type: RelatedEntityType,
}

impl Operation for CreateContactRelationship {
    type Answer = NoContent;
    const SPEC: Spec = Spec::create(
        "Contacts_CreateContactRelationship",
        "/contacts/{contactId}/relationships/{relatedEntityId}/{typeSlug}",
        "tn.crm.contacts:w",
    );

    fn request(&self, tenant: TenantId) -> Result<Request, ContactsError> {
        let slug = Segment(self.entity_type.slug());
        Self::SPEC
            .draft(tenant, [&self.contact, &self.related_entity, &slug])
            .empty()
    }
}

/// `Contacts_DeleteContactRelationship`: ends a relationship.
#[derive(Debug, Clone)]
pub struct DeleteContactRelationship {
    /// Who.
    pub contact: PersonId,
    /// The customer, location or booking.
    pub related_entity: RelatedEntityId,
    /// Which kind the entity is of.
    pub entity_type: RelatedEntityType,
}

impl Operation for DeleteContactRelationship {
    type Answer = NoContent;
    const SPEC: Spec = Spec::delete(
        "Contacts_DeleteContactRelationship",
        "/contacts/{contactId}/relationships/{relatedEntityId}/{typeSlug}",
        "tn.crm.contacts:w",
    );

    fn request(&self, tenant: TenantId) -> Result<Request, ContactsError> {
        let slug = Segment(self.entity_type.slug());
        Self::SPEC
            .draft(tenant, [&self.contact, &self.related_entity, &slug])
            .empty()
    }
}
