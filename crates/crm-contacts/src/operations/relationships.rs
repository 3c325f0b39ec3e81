//! Relationships between people and customers, locations and bookings.
//!
//! A person who does not exist is answered 409 here, not 404.

use crm_models::{
    ContactRelationship, Page, PersonId, RelatedEntityId, RelatedEntityType, RelationshipFilter,
};

use crate::operation::NoContent;

const RELATIONSHIPS: &str = "/contacts/{contactId}/relationships";
const RELATIONSHIP: &str = "/contacts/{contactId}/relationships/{relatedEntityId}/{typeSlug}";

operations! {
    "tn.crm.contacts" []

    /// `Contacts_GetContactRelationshipList`: what a person is related to.
    GetContactRelationshipList: Page<ContactRelationship> =
        read("Contacts_GetContactRelationshipList", RELATIONSHIPS) {
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
    CreateContactRelationship: NoContent =
        create("Contacts_CreateContactRelationship", RELATIONSHIP) {
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
    DeleteContactRelationship: NoContent =
        delete("Contacts_DeleteContactRelationship", RELATIONSHIP) {
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
