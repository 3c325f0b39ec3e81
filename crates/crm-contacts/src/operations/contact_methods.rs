//! Contact methods of people, and the preferences of each method.

use crm_models::{
    Check, ContactMethod, ContactMethodFilter, ContactMethodId, ContactMethodRequest,
    MethodPreference, Page, PageQuery, PersonId, PreferenceType, TenantId,
    UpdateContactMethodRequest, UpdateMethodPreferenceRequest,
};
use crm_transport::Request;

use crate::{
    error::ContactsError,
    operation::{NoContent, Operation},
    paged::{PagedOperation, paged},
    spec::Spec,
};

const METHODS: &str = "/contacts/{contactId}/contact-methods";
const METHOD: &str = "/contacts/{contactId}/contact-methods/{contactMethodId}";
const PREFERENCES: &str = "/contacts/{contactId}/contact-methods/{contactMethodId}/preferences";
const PREFERENCE: &str =
    "/contacts/{contactId}/contact-methods/{contactMethodId}/preferences/{preferenceName}";

/// `Contacts_GetPreferenceMetadataList`: the preferences that exist, by name. Not paged.
#[derive(Debug, Clone)]
pub struct GetPreferenceMetadataList;

impl Operation for GetPreferenceMetadataList {
    type Answer = Vec<PreferenceType>;
    const SPEC: Spec = Spec::read(
        "Contacts_GetPreferenceMetadataList",
        "/contacts/preferences",
        "tn.crm.contacts:r",
    );

    fn request(&self, tenant: TenantId) -> Result<Request, ContactsError> {
        Self::SPEC.draft(tenant, []).empty()
    }
}

/// `Contacts_SearchContactMethods`: methods over all people.
#[derive(Debug, Clone, Default)]
pub struct SearchContactMethods {
    /// Lists only this person's methods.
    pub contact: Option<PersonId>,
    /// Selects and orders the methods.
    pub filter: ContactMethodFilter,
    /// The page to ask for.
    pub page: PageQuery,
}

impl Operation for SearchContactMethods {
    type Answer = Page<ContactMethod>;
    const SPEC: Spec = Spec::read(
        "Contacts_SearchContactMethods",
        "/contacts/contact-methods",
        "tn.crm.contacts:r",
    );

    fn request(&self, tenant: TenantId) -> Result<Request, ContactsError> {
        self.filter.check()?;
        self.page.check()?;
        Self::SPEC
            .draft(tenant, [])
            .parameter("contactId", self.contact.as_ref())
            .query(&self.filter)?
            .query(&self.page)?
            .empty()
    }

    fn is_answered_by(&self, answer: &Page<ContactMethod>) -> bool {
        answer.data.iter().all(|method| self.has(method))
    }
}

paged!(SearchContactMethods, ContactMethod, |this, method| {
    this.contact.is_none_or(|person| method.contact_id == person)
});

operations! {
    "tn.crm.contacts" [GetPreferenceMetadataList, SearchContactMethods]

    /// `ContactMethods_GetContactMethods`: one person's methods.
    GetContactMethods: Page<ContactMethod> = read("ContactMethods_GetContactMethods", METHODS) {
        path {
            /// The person whose methods these are.
            contact: PersonId,
        }
        query {
            /// Selects and orders the methods.
            filter: ContactMethodFilter,
        }
        pages of ContactMethod where |this, method| method.contact_id == this.contact;
    }

    /// `ContactMethods_CreateContactMethod`: a new method. Every repeat creates one more.
    CreateContactMethod: ContactMethod = create("ContactMethods_CreateContactMethod", METHODS) {
        path {
            /// The person whose method it is.
            contact: PersonId,
        }
        body with tolerance {
            /// The new method.
            method: ContactMethodRequest,
        }
        answered |this, found| found.contact_id == this.contact
            && this.method.is_echo(&found.contact_type, &found.value);
    }

    /// `ContactMethods_GetContactMethod`: one method.
    GetContactMethod: ContactMethod = read("ContactMethods_GetContactMethod", METHOD) {
        path {
            /// The person whose method it is.
            contact: PersonId,
            /// The method.
            id: ContactMethodId,
        }
        answered |this, found| found.id == this.id && found.contact_id == this.contact;
    }

    /// `ContactMethods_UpsertContactMethod`: replaces a method, or creates it under this id.
    /// The only way to change a method's type.
    UpsertContactMethod: ContactMethod = replace("ContactMethods_UpsertContactMethod", METHOD) {
        path {
            /// The person whose method it is.
            contact: PersonId,
            /// The method.
            id: ContactMethodId,
        }
        body with tolerance {
            /// The values of all members.
            method: ContactMethodRequest,
        }
        answered |this, found| found.id == this.id && found.contact_id == this.contact;
    }

    /// `ContactMethods_UpdateContactMethod`: changes a method's value or memo.
    UpdateContactMethod: ContactMethod = update("ContactMethods_UpdateContactMethod", METHOD) {
        path {
            /// The person whose method it is.
            contact: PersonId,
            /// The method.
            id: ContactMethodId,
        }
        body with tolerance {
            /// The members to change.
            update: UpdateContactMethodRequest,
        }
        answered |this, found| found.id == this.id && found.contact_id == this.contact;
    }

    /// `ContactMethods_DeleteContactMethod`: deletes a method.
    DeleteContactMethod: NoContent = delete("ContactMethods_DeleteContactMethod", METHOD) {
        path {
            /// The person whose method it is.
            contact: PersonId,
            /// The method.
            id: ContactMethodId,
        }
    }

    /// `ContactPreferences_GetContactMethodPreferences`: a method's preferences. Not paged.
    GetContactMethodPreferences: Vec<MethodPreference> =
        read("ContactPreferences_GetContactMethodPreferences", PREFERENCES) {
        path {
            /// The person whose method it is.
            contact: PersonId,
            /// The method.
            method: ContactMethodId,
        }
    }

    /// `ContactPreferences_GetContactMethodPreference`: one preference of a method.
    GetContactMethodPreference: MethodPreference =
        read("ContactPreferences_GetContactMethodPreference", PREFERENCE) {
        path {
            /// The person whose method it is.
            contact: PersonId,
            /// The method.
            method: ContactMethodId,
            /// A name from [`GetPreferenceMetadataList`]; the contract documents none.
            name: String,
        }
        answered |this, found| found.name.eq_ignore_ascii_case(&this.name);
    }

    /// `ContactPreferences_UpdateContactMethodPreference`: sets one preference of a method.
    UpdateContactMethodPreference: MethodPreference =
        update("ContactPreferences_UpdateContactMethodPreference", PREFERENCE) {
        path {
            /// The person whose method it is.
            contact: PersonId,
            /// The method.
            method: ContactMethodId,
            /// A name from [`GetPreferenceMetadataList`]; the contract documents none.
            name: String,
        }
        body {
            /// The new value, as text.
            update: UpdateMethodPreferenceRequest,
        }
        answered |this, found| found.name.eq_ignore_ascii_case(&this.name);
    }
}
