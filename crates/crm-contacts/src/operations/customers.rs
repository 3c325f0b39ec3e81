//! Customers and their contacts: the tag `Customers`, and both export feeds.

use crm_models::CustomerId;

use super::{
    owner::{self, Owner},
    owners,
};
use crate::spec::Spec;

/// `Customers_GetContactList`: the contacts of one customer.
pub type GetContactList = owner::GetContactList<CustomerId>;
/// `Customers_CreateContact`: a new contact of a customer.
pub type CreateContact = owner::CreateContact<CustomerId>;
/// `Customers_UpdateContact`: changes one contact of a customer.
pub type UpdateContact = owner::UpdateContact<CustomerId>;
/// `Customers_DeleteContact`: deletes one contact of a customer.
pub type DeleteContact = owner::DeleteContact<CustomerId>;
/// `Customers_GetModifiedContactsList`: contacts over all customers.
pub type GetModifiedContactsList = owner::GetContactListOfAll<CustomerId>;
/// `ExportContacts_CustomersContacts`: the export feed of customer contacts.
pub type ExportContacts = owner::ExportContacts<CustomerId>;
/// `Customers_Get`: one customer itself.
pub type Get = owners::Get<CustomerId>;
/// `Customers_GetList`: customers themselves, by filters.
pub type GetList = owners::GetList<CustomerId>;
/// `ExportCustomers_GetCustomers`: the export feed of customers themselves.
pub type ExportCustomers = owners::ExportOwners<CustomerId>;

const READ: &str = "tn.crm.customers:r";
const WRITE: &str = "tn.crm.customers:w";

impl Owner for CustomerId {
    const LIST: Spec = Spec::read("Customers_GetContactList", "/customers/{id}/contacts", READ);
    const CREATE: Spec = Spec::create("Customers_CreateContact", "/customers/{id}/contacts", WRITE);
    const UPDATE: Spec =
        Spec::update("Customers_UpdateContact", "/customers/{id}/contacts/{contactId}", WRITE);
    const DELETE: Spec =
        Spec::delete("Customers_DeleteContact", "/customers/{id}/contacts/{contactId}", WRITE);
    const LIST_ALL: Spec =
        Spec::read("Customers_GetModifiedContactsList", "/customers/contacts", READ);
    const EXPORT: Spec =
        Spec::read("ExportContacts_CustomersContacts", "/export/customers/contacts", READ);
    const GET_OWNER: Spec = Spec::read("Customers_Get", "/customers/{id}", READ);
    const LIST_OWNERS: Spec = Spec::read("Customers_GetList", "/customers", READ);
    const EXPORT_OWNERS: Spec =
        Spec::read("ExportCustomers_GetCustomers", "/export/customers", READ);
}
