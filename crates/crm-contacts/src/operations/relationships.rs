//! Relationships between people and customers, locations and bookings.
//!
//! A person who does not exist is answered 409 here, not 404.

use crm_models::{
    ContactRelationship, Page, PersonId, RelatedEntityId, RelatedEntityType, RelationshipFilter,
};

use crate::operation::NoContent;

operations! {
    []

    /// `Contacts_GetContactRelationshipList`: what a person is related to.
    GetContactRelationshipList: Page<ContactRelationship> = read(
        "Contacts_GetContactRelationshipList",
        "/contacts/{contactId}/relationships",
        "tn.crm.contacts:r",
    ) {
        path {
            /// The person whose relationships these are.
            contact: PersonId,
        }
        query {
            /// Selects and orders the relationships.
            filter: RelationshipFilter,
        }
        pages of ContactRelationship;
    }

    /// `Contacts_CreateContactRelationship`: relates a person to an entity. Has no body.
    CreateContactRelationship: NoContent = create(
        "Contacts_CreateContactRelationship",
        "/contacts/{contactId}/relationships/{relatedEntityId}/{typeSlug}",
        "tn.crm.contacts:w",
    ) {
        path {
            /// The person.
            contact: PersonId,
            /// The customer, location or booking.
            related_entity: RelatedEntityId,
            /// The kind of the entity.
            entity_type: RelatedEntityType,
        }
    }

    /// `Contacts_DeleteContactRelationship`: ends a relationship.
    DeleteContactRelationship: NoContent = delete(
        "Contacts_DeleteContactRelationship",
        "/contacts/{contactId}/relationships/{relatedEntityId}/{typeSlug}",
        "tn.crm.contacts:w",
    ) {
        path {
            /// The person.
            contact: PersonId,
            /// The customer, location or booking.
            related_entity: RelatedEntityId,
            /// The kind of the entity.
            entity_type: RelatedEntityType,
        }
    }
}
