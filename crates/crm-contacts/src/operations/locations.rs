//! Locations and their contacts: the tag `Locations`, and both export feeds.
//!
//! There is no operation that reads one contact: page through [`GetContactList`], or use
//! [`OwnerContacts::find`](crate::OwnerContacts::find).

use crm_models::LocationId;

use super::{
    owner::{self, Owner},
    owners,
};
use crate::spec::Spec;

/// `Locations_GetContactList`: the contacts of one location.
pub type GetContactList = owner::GetContactList<LocationId>;
/// `Locations_CreateContact`: a new contact of a location.
pub type CreateContact = owner::CreateContact<LocationId>;
/// `Locations_UpdateContact`: changes one contact of a location.
pub type UpdateContact = owner::UpdateContact<LocationId>;
/// `Locations_DeleteContact`: deletes one contact of a location.
pub type DeleteContact = owner::DeleteContact<LocationId>;
/// `Locations_GetLocationsContactsList`: contacts over all locations.
pub type GetLocationsContactsList = owner::GetContactListOfAll<LocationId>;
/// `ExportContacts_LocationsContacts`: the export feed of location contacts.
pub type ExportContacts = owner::ExportContacts<LocationId>;
/// `Locations_Get`: one location itself.
pub type Get = owners::Get<LocationId>;
/// `Locations_GetList`: locations themselves, by filters.
pub type GetList = owners::GetList<LocationId>;
/// `ExportLocations_Locations`: the export feed of locations themselves.
pub type ExportLocations = owners::ExportOwners<LocationId>;

const READ: &str = "tn.crm.locations:r";
const WRITE: &str = "tn.crm.locations:w";

impl Owner for LocationId {
    const LIST: Spec = Spec::read("Locations_GetContactList", "/locations/{id}/contacts", READ);
    const CREATE: Spec = Spec::create("Locations_CreateContact", "/locations/{id}/contacts", WRITE);
    const UPDATE: Spec =
        Spec::update("Locations_UpdateContact", "/locations/{id}/contacts/{contactId}", WRITE);
    const DELETE: Spec =
        Spec::delete("Locations_DeleteContact", "/locations/{id}/contacts/{contactId}", WRITE);
    const LIST_ALL: Spec =
        Spec::read("Locations_GetLocationsContactsList", "/locations/contacts", READ);
    const EXPORT: Spec =
        Spec::read("ExportContacts_LocationsContacts", "/export/locations/contacts", READ);
    const GET_OWNER: Spec = Spec::read("Locations_Get", "/locations/{id}", READ);
    const LIST_OWNERS: Spec = Spec::read("Locations_GetList", "/locations", READ);
    const EXPORT_OWNERS: Spec = Spec::read("ExportLocations_Locations", "/export/locations", READ);
}
