//! People of Contacts v2: the tag `Contacts`, without methods and relationships.

use crm_models::{
    CreatePersonRequest, Page, Person, PersonFilter, PersonId, RelatedEntityId,
    ReplacePersonRequest, UpdatePersonRequest,
};

use crate::operation::NoContent;

operations! {
    "tn.crm.contacts" []

    /// `Contacts_GetList`: people by filters, page by page.
    GetList: Page<Person> = read("Contacts_GetList", "/contacts") {
        query {
            /// Selects and orders the people.
            filter: PersonFilter,
        }
        pages of Person;
    }

    /// `Contacts_Create`: a new person. Every repeat creates one more.
    Create: Person = create("Contacts_Create", "/contacts") {
        body {
            /// The new person.
            person: CreatePersonRequest,
        }
        answered |this, found| this.person.is_met_by(found);
    }

    /// `Contacts_Get`: one person.
    Get: Person = read("Contacts_Get", "/contacts/{id}") {
        path {
            /// The person.
            id: PersonId,
        }
        answered |this, found| found.id == this.id;
    }

    /// `Contacts_Replace`: sets every member of a person. The contract documents no 404: whether
    /// an unknown id creates a person is not documented.
    Replace: Person = replace("Contacts_Replace", "/contacts/{id}") {
        path {
            /// The person.
            id: PersonId,
        }
        body {
            /// The values of all members.
            person: ReplacePersonRequest,
        }
        answered |this, found| found.id == this.id;
    }

    /// `Contacts_Update`: changes a person. What absent members do is not documented, so the
    /// request always writes all four; [`PersonHandle::update`](crate::PersonHandle::update)
    /// reads the person first.
    Update: Person = update("Contacts_Update", "/contacts/{id}") {
        path {
            /// The person.
            id: PersonId,
        }
        body {
            /// The values of all members.
            person: UpdatePersonRequest,
        }
        answered |this, found| found.id == this.id;
    }

    /// `Contacts_DeleteContact`: deletes a person.
    DeleteContact: NoContent = delete("Contacts_DeleteContact", "/contacts/{id}") {
        path {
            /// The person.
            id: PersonId,
        }
    }

    /// `Contacts_GetByRelationshipId`: the people related to an entity.
    ///
    /// The contract calls the path parameter `relationshipId` but types it as a number, while a
    /// relationship's own id is a GUID. So it can only be the related customer, location or
    /// booking; entities of different kinds with the same number are not told apart.
    GetByRelationshipId: Page<Person> =
        read("Contacts_GetByRelationshipId", "/contacts/relationships/{relationshipId}") {
        path {
            /// The related customer, location or booking.
            related_entity: RelatedEntityId,
        }
        query {
            /// Selects and orders its people.
            filter: PersonFilter,
        }
        pages of Person;
    }
}
