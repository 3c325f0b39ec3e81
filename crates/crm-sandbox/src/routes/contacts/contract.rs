//! What the contract says differently about the contacts of locations and of customers.

use crate::{
    operation::Call,
    path::Path,
    problem::Problem,
    store::contacts::{self, Customer, Location, Owner, StoredContact},
};

/// An owner of contacts, and what the contract says differently about theirs.
pub(crate) trait Contract: Owner {
    /// The paths of the contacts of one owner, of one of them, of those of all owners, and of the
    /// export feed.
    const CONTACTS: Path<i64>;
    const CONTACT: Path<(i64, i64)>;
    const ALL: Path<()>;
    const FEED: Path<()>;
    /// The beginning of the operation ids.
    const TAG: &'static str;
    /// The list over all owners: its operation id and its refusals.
    const ALL_ID: &'static str;
    const ALL_REFUSALS: &'static [u16];
    /// The operation id of the export feed, and the letter of its tokens.
    const FEED_ID: &'static str;
    const LETTER: char;
    /// The member of answers over all owners that names the owner: `locationId`.
    const MEMBER: &'static str;
    /// The query parameter of the list over all owners that names them: `locationIds`.
    const IDS: &'static str;
    /// The names of the three schemas of answers.
    const LISTED: &'static str;
    const OWNED: &'static str;
    const EXPORTED: &'static str;
    /// The filters of the list over all owners, of which one is needed.
    const NEEDED: &'static [&'static str];
    /// Whether the list of ids excludes every other filter.
    const IDS_EXCLUDE_FILTERS: bool;
    /// Does what else follows from the creation of a contact.
    fn created(call: &Call<'_>, contact: &StoredContact) -> Result<(), Problem>;
}

impl Contract for Location {
    const CONTACTS: Path<i64> = Path::new("/locations/{id}/contacts");
    const CONTACT: Path<(i64, i64)> = Path::new("/locations/{id}/contacts/{contactId}");
    const ALL: Path<()> = Path::new("/locations/contacts");
    const FEED: Path<()> = Path::new("/export/locations/contacts");
    const TAG: &'static str = "Locations";
    const ALL_ID: &'static str = "Locations_GetLocationsContactsList";
    const ALL_REFUSALS: &'static [u16] = &[400];
    const FEED_ID: &'static str = "ExportContacts_LocationsContacts";
    const LETTER: char = 'l';
    const MEMBER: &'static str = "locationId";
    const IDS: &'static str = "locationIds";
    const LISTED: &'static str = "LocationContactResponse";
    const OWNED: &'static str = "LocationsContactResponse";
    const EXPORTED: &'static str = "ExportLocationContactResponse";
    const NEEDED: &'static [&'static str] = &[
        "locationIds",
        "modifiedBefore",
        "modifiedOnOrAfter",
        "createdBefore",
        "createdOnOrAfter",
    ];
    const IDS_EXCLUDE_FILTERS: bool = false;

    fn created(call: &Call<'_>, contact: &StoredContact) -> Result<(), Problem> {
        if call.settings.copy_to_customer {
            let customer = contacts::customer_of(call.db, contact.owner_id)?;
            contacts::insert::<Customer>(
                call.db,
                customer,
                None,
                &contact.contact_type,
                &contact.value,
                contact.memo.as_deref(),
                &contact.created_on,
            )?;
        }
        Ok(())
    }
}

impl Contract for Customer {
    const CONTACTS: Path<i64> = Path::new("/customers/{id}/contacts");
    const CONTACT: Path<(i64, i64)> = Path::new("/customers/{id}/contacts/{contactId}");
    const ALL: Path<()> = Path::new("/customers/contacts");
    const FEED: Path<()> = Path::new("/export/customers/contacts");
    const TAG: &'static str = "Customers";
    const ALL_ID: &'static str = "Customers_GetModifiedContactsList";
    const ALL_REFUSALS: &'static [u16] = &[400, 404];
    const FEED_ID: &'static str = "ExportContacts_CustomersContacts";
    const LETTER: char = 'c';
    const MEMBER: &'static str = "customerId";
    const IDS: &'static str = "customerIds";
    const LISTED: &'static str = "CustomerContactWithModifiedOnResponse";
    const OWNED: &'static str = "CustomerContactWithModifiedOnAndCustomerIdResponse";
    const EXPORTED: &'static str = "ExportCustomerContactResponse";
    const NEEDED: &'static [&'static str] = &["customerIds", "modifiedBefore", "modifiedOnOrAfter"];
    const IDS_EXCLUDE_FILTERS: bool = true;

    fn created(_: &Call<'_>, _: &StoredContact) -> Result<(), Problem> {
        Ok(())
    }
}
