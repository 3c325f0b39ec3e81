//! Contact methods of people, and the preferences of each method.

use crm_models::{
    ContactMethod, ContactMethodFilter, ContactMethodId, ContactMethodRequest, MethodPreference,
    Page, PageQuery, PersonId, PreferenceType, TenantId, UpdateContactMethodRequest,
    UpdateMethodPreferenceRequest,
};
use crm_transport::Request;

use crate::{
    error::ContactsError,
    operation::{NoContent, Operation, Segment, Spec},
    paging::paged,
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
    /// Only this person's methods.
    pub contact: Option<PersonId>,
    /// Which methods, in which order.
    pub filter: ContactMethodFilter,
    /// Which page.
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
        Self::SPEC
            .draft(tenant, [])
            .parameter("contactId", self.contact.as_ref())
            .query(&self.filter)?
            .query(&self.page)?
            .empty()
    }
}

paged!(SearchContactMethods, ContactMethod);

/// `ContactMethods_GetContactMethods`: one person's methods.
#[derive(Debug, Clone)]
pub struct GetContactMethods {
    /// Whose methods.
    pub contact: PersonId,
    /// Which methods, in which order.
    pub filter: ContactMethodFilter,
    /// Which page.
    pub page: PageQuery,
}

impl Operation for GetContactMethods {
    type Answer = Page<ContactMethod>;
    const SPEC: Spec = Spec::read(
        "ContactMethods_GetContactMethods",
        METHODS,
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

paged!(GetContactMethods, ContactMethod);

/// `ContactMethods_CreateContactMethod`: a new method. Every repeat creates one more.
#[derive(Debug, Clone)]
pub struct CreateContactMethod {
    /// Whose method.
    pub contact: PersonId,
    /// The new method.
    pub method: ContactMethodRequest,
}

impl Operation for CreateContactMethod {
    type Answer = ContactMethod;
    const SPEC: Spec = Spec::create(
        "ContactMethods_CreateContactMethod",
        METHODS,
        "tn.crm.contacts:w",
    );

    fn request(&self, tenant: TenantId) -> Result<Request, ContactsError> {
        Self::SPEC.draft(tenant, [&self.contact]).json(&self.method)
    }
}

/// `ContactMethods_GetContactMethod`: one method.
#[derive(Debug, Clone)]
pub struct GetContactMethod {
    /// Whose method.
    pub contact: PersonId,
    /// Which method.
    pub id: ContactMethodId,
}

impl Operation for GetContactMethod {
    type Answer = ContactMethod;
    const SPEC: Spec = Spec::read(
        "ContactMethods_GetContactMethod",
        METHOD,
        "tn.crm.contacts:r",
    );

    fn request(&self, tenant: TenantId) -> Result<Request, ContactsError> {
        Self::SPEC.draft(tenant, [&self.contact, &self.id]).empty()
    }
}

/// `ContactMethods_UpsertContactMethod`: replaces a method, or creates it under this id.
/// The only way to change a method's type.
#[derive(Debug, Clone)]
pub struct UpsertContactMethod {
    /// Whose method.
    pub contact: PersonId,
    /// Which method.
    pub id: ContactMethodId,
    /// All members.
    pub method: ContactMethodRequest,
}

impl Operation for UpsertContactMethod {
    type Answer = ContactMethod;
    const SPEC: Spec = Spec::replace(
        "ContactMethods_UpsertContactMethod",
        METHOD,
        "tn.crm.contacts:w",
    );

    fn request(&self, tenant: TenantId) -> Result<Request, ContactsError> {
        Self::SPEC
            .draft(tenant, [&self.contact, &self.id])
            .json(&self.method)
    }
}

/// `ContactMethods_UpdateContactMethod`: changes a method's value or memo.
#[derive(Debug, Clone)]
pub struct UpdateContactMethod {
    /// Whose method.
    pub contact: PersonId,
    /// Which method.
    pub id: ContactMethodId,
    /// What changes.
    pub update: UpdateContactMethodRequest,
}

impl Operation for UpdateContactMethod {
    type Answer = ContactMethod;
    const SPEC: Spec = Spec::update(
        "ContactMethods_UpdateContactMethod",
        METHOD,
        "tn.crm.contacts:w",
    );

    fn request(&self, tenant: TenantId) -> Result<Request, ContactsError> {
        Self::SPEC
            .draft(tenant, [&self.contact, &self.id])
            .json(&self.update)
    }
}

/// `ContactMethods_DeleteContactMethod`: deletes a method.
#[derive(Debug, Clone)]
pub struct DeleteContactMethod {
    /// Whose method.
    pub contact: PersonId,
    /// Which method.
    pub id: ContactMethodId,
}

impl Operation for DeleteContactMethod {
    type Answer = NoContent;
    const SPEC: Spec = Spec::delete(
        "ContactMethods_DeleteContactMethod",
        METHOD,
        "tn.crm.contacts:w",
    );

    fn request(&self, tenant: TenantId) -> Result<Request, ContactsError> {
        Self::SPEC.draft(tenant, [&self.contact, &self.id]).empty()
    }
}

/// `ContactPreferences_GetContactMethodPreferences`: a method's preferences. Not paged.
#[derive(Debug, Clone)]
pub struct GetContactMethodPreferences {
    /// Whose method.
    pub contact: PersonId,
    /// Which method.
    pub method: ContactMethodId,
}

impl Operation for GetContactMethodPreferences {
    type Answer = Vec<MethodPreference>;
    const SPEC: Spec = Spec::read(
        "ContactPreferences_GetContactMethodPreferences",
        PREFERENCES,
        "tn.crm.contacts:r",
    );

    fn request(&self, tenant: TenantId) -> Result<Request, ContactsError> {
        Self::SPEC
            .draft(tenant, [&self.contact, &self.method])
            .empty()
    }
}

/// `ContactPreferences_GetContactMethodPreference`: one preference of a method.
#[derive(Debug, Clone)]
pub struct GetContactMethodPreference {
    /// Whose method.
    pub contact: PersonId,
    /// Which method.
    pub method: ContactMethodId,
    /// A name from [`GetPreferenceMetadataList`]; the contract documents none.
    pub name: String,
}

impl Operation for GetContactMethodPreference {
    type Answer = MethodPreference;
    const SPEC: Spec = Spec::read(
        "ContactPreferences_GetContactMethodPreference",
        PREFERENCE,
        "tn.crm.contacts:r",
    );

    fn request(&self, tenant: TenantId) -> Result<Request, ContactsError> {
        Self::SPEC
            .draft(tenant, [&self.contact, &self.method, &Segment(&self.name)])
            .empty()
    }
}

/// `ContactPreferences_UpdateContactMethodPreference`: sets one preference of a method.
#[derive(Debug, Clone)]
pub struct UpdateContactMethodPreference {
    /// Whose method.
    pub contact: PersonId,
    /// Which method.
    pub method: ContactMethodId,
    /// A name from [`GetPreferenceMetadataList`]; the contract documents none.
    pub name: String,
    /// The new value, as text.
    pub update: UpdateMethodPreferenceRequest,
}

impl Operation for UpdateContactMethodPreference {
    type Answer = MethodPreference;
    const SPEC: Spec = Spec::update(
        "ContactPreferences_UpdateContactMethodPreference",
        PREFERENCE,
        "tn.crm.contacts:w",
    );

    fn request(&self, tenant: TenantId) -> Result<Request, ContactsError> {
        Self::SPEC
            .draft(tenant, [&self.contact, &self.method, &Segment(&self.name)])
            .json(&self.update)
    }
}
