//! Relationships between people and customers, locations and bookings.
//!
//! A person who does not exist is answered 409 here, not 404.

use crm_models::{
    ContactRelationship, Page, PageQuery, PersonId, RelatedEntityId, RelatedEntityType,
    RelationshipFilter,
};

use crate::{operation::NoContent, paged::paged};

operation! {
    /// `Contacts_GetContactRelationshipList`: what a person is related to.
    GetContactRelationshipList: Page<ContactRelationship> = read(
        "Contacts_GetContactRelationshipList",
        "/contacts/{contactId}/relationships",
        "tn.crm.contacts:r",
    );
    path {
        /// Whose relationships.
        contact: PersonId,
    }
    query {
        /// Which relationships, in which order.
        filter: RelationshipFilter,
        /// Which page.
        page: PageQuery,
    }
}

paged!(GetContactRelationshipList, ContactRelationship);

operation! {
    /// `Contacts_CreateContactRelationship`: relates a person to an entity. Has no body.
    CreateContactRelationship: NoContent = create(
        "Contacts_CreateContactRelationship",
        "/contacts/{contactId}/relationships/{relatedEntityId}/{typeSlug}",
        "tn.crm.contacts:w",
    );
    path {
        /// Who.
        contact: PersonId,
        /// The customer, location or booking.
        related_entity: RelatedEntityId,
        /// Which kind the entity is of.
        entity_type: RelatedEntityType,
    }
}

operation! {
    /// `Contacts_DeleteContactRelationship`: ends a relationship.
    DeleteContactRelationship: NoContent = delete(
        "Contacts_DeleteContactRelationship",
        "/contacts/{contactId}/relationships/{relatedEntityId}/{typeSlug}",
        "tn.crm.contacts:w",
    );
    path {
        /// Who.
        contact: PersonId,
        /// The customer, location or booking.
        related_entity: RelatedEntityId,
        /// Which kind the entity is of.
        entity_type: RelatedEntityType,
    }
}
