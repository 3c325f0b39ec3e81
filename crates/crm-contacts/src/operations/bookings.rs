//! Booking contacts: the tag `Bookings`. Writes exist only below a booking provider.

use crm_models::{
    BookingContact, BookingId, BookingProviderId, ContactId, CreateBookingContactRequest, Page,
    UpdateBookingContactRequest, UpdatedBookingContact,
};

use crate::operation::NoContent;

const CONTACTS: &str = "/booking-provider/{booking_provider}/bookings/{id}/contacts";
const CONTACT: &str = "/booking-provider/{booking_provider}/bookings/{id}/contacts/{contactId}";

operations! {
    "tn.crm.bookings" []

    /// `Bookings_GetContactList`: a booking's contacts, whatever its provider.
    GetContactList: Page<BookingContact> =
        read("Bookings_GetContactList", "/bookings/{id}/contacts") {
        path {
            /// The booking.
            booking: BookingId,
        }
        pages of BookingContact;
    }

    /// `Bookings_GetContactList2`: the contacts of a booking of one provider.
    GetContactList2: Page<BookingContact> = read("Bookings_GetContactList2", CONTACTS) {
        path {
            /// The provider whose booking it is.
            provider: BookingProviderId,
            /// The booking.
            booking: BookingId,
        }
        pages of BookingContact;
    }

    /// `Bookings_CreateContact`: a new contact of a booking. Every repeat creates one more.
    CreateContact: BookingContact = create("Bookings_CreateContact", CONTACTS) {
        path {
            /// The provider whose booking it is.
            provider: BookingProviderId,
            /// The booking.
            booking: BookingId,
        }
        body with tolerance {
            /// The new contact.
            contact: CreateBookingContactRequest,
        }
        answered |this, found| this.contact.is_echo(&found.contact_type, &found.value);
    }

    /// `Bookings_UpdateBookingContact`: changes a contact of a booking. The documented answer
    /// holds neither `id` nor `modifiedOn`.
    UpdateBookingContact: UpdatedBookingContact = update("Bookings_UpdateBookingContact", CONTACT) {
        path {
            /// The provider whose booking it is.
            provider: BookingProviderId,
            /// The booking.
            booking: BookingId,
            /// The contact.
            contact: ContactId,
        }
        body with tolerance {
            /// The members to change.
            update: UpdateBookingContactRequest,
        }
        answered |this, found| found.id.is_none_or(|id| id == this.contact);
    }

    /// `Bookings_DeleteContact`: deletes a contact of a booking.
    DeleteContact: NoContent = delete("Bookings_DeleteContact", CONTACT) {
        path {
            /// The provider whose booking it is.
            provider: BookingProviderId,
            /// The booking.
            booking: BookingId,
            /// The contact.
            contact: ContactId,
        }
    }
}
