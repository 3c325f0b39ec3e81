//! Booking contacts: the tag `Bookings`. Writes exist only below a booking provider.

use crm_models::{
    BookingContact, BookingId, BookingProviderId, ContactId, CreateBookingContactRequest, Page,
    PageQuery, TenantId, UpdateBookingContactRequest, UpdatedBookingContact,
};
use crm_transport::Request;

use crate::{
    error::ContactsError,
    operation::{NoContent, Operation, Spec},
    paging::paged,
};

const CONTACTS: &str = "/booking-provider/{booking_provider}/bookings/{id}/contacts";
const CONTACT: &str = "/booking-provider/{booking_provider}/bookings/{id}/contacts/{contactId}";

/// `Bookings_GetContactList`: a booking's contacts, whatever its provider.
#[derive(Debug, Clone)]
pub struct GetContactList {
    /// Which booking.
    pub booking: BookingId,
    /// Which page.
    pub page: PageQuery,
}

impl Operation for GetContactList {
    type Answer = Page<BookingContact>;
    const SPEC: Spec = Spec::read(
        "Bookings_GetContactList",
        "/bookings/{id}/contacts",
        "tn.crm.bookings:r",
    );

    fn request(&self, tenant: TenantId) -> Result<Request, ContactsError> {
        Self::SPEC
            .draft(tenant, [&self.booking])
            .query(&self.page)?
            .empty()
    }
}

paged!(GetContactList, BookingContact);

/// `Bookings_GetContactList2`: the contacts of a booking of one provider.
#[derive(Debug, Clone)]
pub struct GetContactList2 {
    /// Whose booking.
    pub provider: BookingProviderId,
    /// Which booking.
    pub booking: BookingId,
    /// Which page.
    pub page: PageQuery,
}

impl Operation for GetContactList2 {
    type Answer = Page<BookingContact>;
    const SPEC: Spec = Spec::read("Bookings_GetContactList2", CONTACTS, "tn.crm.bookings:r");

    fn request(&self, tenant: TenantId) -> Result<Request, ContactsError> {
        Self::SPEC
            .draft(tenant, [&self.provider, &self.booking])
            .query(&self.page)?
            .empty()
    }
}

paged!(GetContactList2, BookingContact);

/// `Bookings_CreateContact`: a new contact of a booking. Every repeat creates one more.
#[derive(Debug, Clone)]
pub struct CreateContact {
    /// Whose booking.
    pub provider: BookingProviderId,
    /// Which booking.
    pub booking: BookingId,
    /// The new contact.
    pub contact: CreateBookingContactRequest,
}

impl Operation for CreateContact {
    type Answer = BookingContact;
    const SPEC: Spec = Spec::create("Bookings_CreateContact", CONTACTS, "tn.crm.bookings:w");

    fn request(&self, tenant: TenantId) -> Result<Request, ContactsError> {
        Self::SPEC
            .draft(tenant, [&self.provider, &self.booking])
            .json(&self.contact)
    }
}

/// `Bookings_UpdateBookingContact`: changes a contact of a booking. The documented answer
/// holds neither `id` nor `modifiedOn`.
#[derive(Debug, Clone)]
pub struct UpdateBookingContact {
    /// Whose booking.
    pub provider: BookingProviderId,
    /// Which booking.
    pub booking: BookingId,
    /// Which contact.
    pub contact: ContactId,
    /// What changes.
    pub update: UpdateBookingContactRequest,
}

impl Operation for UpdateBookingContact {
    type Answer = UpdatedBookingContact;
    const SPEC: Spec = Spec::update(
        "Bookings_UpdateBookingContact",
        CONTACT,
        "tn.crm.bookings:w",
    );

    fn request(&self, tenant: TenantId) -> Result<Request, ContactsError> {
        Self::SPEC
            .draft(tenant, [&self.provider, &self.booking, &self.contact])
            .json(&self.update)
    }
}

/// `Bookings_DeleteContact`: deletes a contact of a booking.
#[derive(Debug, Clone)]
pub struct DeleteContact {
    /// Whose booking.
    pub provider: BookingProviderId,
    /// Which booking.
    pub booking: BookingId,
    /// Which contact.
    pub contact: ContactId,
}

impl Operation for DeleteContact {
    type Answer = NoContent;
    const SPEC: Spec = Spec::delete("Bookings_DeleteContact", CONTACT, "tn.crm.bookings:w");

    fn request(&self, tenant: TenantId) -> Result<Request, ContactsError> {
        Self::SPEC
            .draft(tenant, [&self.provider, &self.booking, &self.contact])
            .empty()
    }
}
