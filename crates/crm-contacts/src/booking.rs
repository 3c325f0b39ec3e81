//! The contacts of bookings.

use crm_models::{
    BookingContact, BookingId, BookingProviderId, ContactId, CreateBookingContactRequest,
    UpdateBookingContactRequest, UpdatedBookingContact,
};
use crm_transport::Transport;
use derive_where::derive_where;

use crate::{
    decision::{self, Place},
    error::{CallSite, ContactsError},
    operation::Operation,
    operations::bookings::{
        CreateContact, DeleteContact, GetContactList, GetContactList2, UpdateBookingContact,
    },
    paging::List,
    reading::Reading,
    service::ContactsService,
    updates::updates,
};

impl<T: Transport> ContactsService<T> {
    /// The contacts of one booking of any provider, read only.
    pub fn booking(&self, booking: BookingId) -> Bookings<'_, T> {
        Bookings { service: self, booking }
    }

    /// The contacts of one booking of one booking provider, for reading and writing.
    pub fn provider_booking(
        &self,
        provider: BookingProviderId,
        booking: BookingId,
    ) -> ProviderBooking<'_, T> {
        ProviderBooking { service: self, provider, booking }
    }
}

/// The contacts of one booking, read only, made by [`ContactsService::booking`].
///
/// The API wants an app that the tenant connected without restricting it to a booking provider.
#[derive_where(Debug, Clone, Copy)]
#[must_use]
pub struct Bookings<'a, T> {
    service: &'a ContactsService<T>,
    booking: BookingId,
}

impl<T: Transport> Bookings<'_, T> {
    /// Lists the booking's contacts.
    pub fn list(&self) -> List<T, GetContactList> {
        let operation = GetContactList { booking: self.booking, page: Default::default() };
        self.service.list(operation)
    }
}

/// The contacts of one booking of one booking provider, made by
/// [`ContactsService::provider_booking`]. The API wants an app with this provider's tag.
///
/// The answer to an update is compared with what was asked. Where it differs, got lost or is about
/// another record, the contact is read back, for at most a minute. The same is done after a
/// deletion whose answer got lost.
///
/// ```
/// # use crm_contacts::{
/// #     ContactsError, ContactsService,
/// #     models::{BookingId, BookingProviderId, ContactId},
/// #     transport::Transport,
/// # };
/// use crm_contacts::models::UpdateBookingContactRequest;
///
/// # async fn example<T: Transport>(
/// #     contacts: ContactsService<T>, provider: BookingProviderId, booking: BookingId, caller: ContactId,
/// # ) -> Result<(), ContactsError> {
/// let booking = contacts.provider_booking(provider, booking);
/// let update = UpdateBookingContactRequest::new().memo("Rings twice");
/// booking.update(caller, update).await?;
/// # Ok(())
/// # }
/// ```
#[derive_where(Debug, Clone, Copy)]
#[must_use]
pub struct ProviderBooking<'a, T> {
    service: &'a ContactsService<T>,
    provider: BookingProviderId,
    booking: BookingId,
}

impl<T: Transport> ProviderBooking<'_, T> {
    /// Lists the booking's contacts.
    pub fn list(&self) -> List<T, GetContactList2> {
        let operation = GetContactList2 {
            provider: self.provider,
            booking: self.booking,
            page: Default::default(),
        };
        self.service.list(operation)
    }

    /// Finds one contact in the booking's list, since the API cannot read a single one.
    ///
    /// # Errors
    ///
    /// Returns [`ContactsError::NotFound`]; otherwise the errors of [`ContactsService::call`].
    pub async fn find(&self, contact: ContactId) -> Result<BookingContact, ContactsError> {
        Ok(self.read(contact).await?.record)
    }

    /// Does what [`find`](Self::find) does, and returns the moment at which it was read too.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`find`](Self::find).
    pub async fn read(&self, contact: ContactId) -> Result<Reading<BookingContact>, ContactsError> {
        let found = self.list().search(|found| found.id == contact, |_| true);
        found.await?.ok_or_else(|| {
            let ids: [&dyn std::fmt::Display; 2] = [&self.provider, &self.booking];
            let site = Box::new(self.service.site(&GetContactList2::SPEC, ids));
            ContactsError::NotFound { site, contact }
        })
    }

    /// Creates a contact. The call is never repeated once the server may have seen it.
    ///
    /// # Errors
    ///
    /// Returns [`ContactsError::OutcomeUnknown`] when the answer got lost, or is about another
    /// record; otherwise the errors of [`ContactsService::call`].
    pub async fn create(
        &self,
        contact: CreateBookingContactRequest,
    ) -> Result<BookingContact, ContactsError> {
        let operation = CreateContact { provider: self.provider, booking: self.booking, contact };
        self.service.write(&operation).await
    }

    /// Changes the members that the update names. After an unknown outcome it is not sent again.
    ///
    /// # Errors
    ///
    /// Returns [`ContactsError::EchoDiffers`] when it was carried out differently from what was
    /// asked, [`ContactsError::OutcomeUnknown`] when the answer got lost, or is not as asked, and
    /// reading back did not show it; otherwise the errors of [`ContactsService::call`].
    pub async fn update(
        &self,
        contact: ContactId,
        update: UpdateBookingContactRequest,
    ) -> Result<UpdatedBookingContact, ContactsError> {
        let place = self.place(contact);
        let sent = decision::send(&place, self.service, update, None);
        sent.await.map_err(|unsettled| unsettled.error)
    }

    updates!(
        UpdateBookingContactRequest: BookingContact => UpdatedBookingContact, of contact: ContactId
    );

    fn place(&self, contact: ContactId) -> BookingsContact<'_, T> {
        BookingsContact { booking: *self, contact }
    }

    /// Deletes a contact. An answer "not found" after an attempt that may have deleted it counts as
    /// success. After a lost answer the contact is looked for, for at most a minute.
    ///
    /// # Errors
    ///
    /// Returns [`ContactsError::OutcomeUnknown`] when the answer got lost and the contact still
    /// shows up; otherwise the errors of [`ContactsService::call`].
    pub async fn delete(&self, contact: ContactId) -> Result<(), ContactsError> {
        let operation = DeleteContact { provider: self.provider, booking: self.booking, contact };
        let gone = || async {
            let found = self.list().find(|found| found.id == contact).await?;
            Ok(found.is_none())
        };
        self.service.delete(&operation, gone).await
    }
}

/// One contact of a booking.
struct BookingsContact<'a, T> {
    booking: ProviderBooking<'a, T>,
    contact: ContactId,
}

impl<T: Transport> Place<T> for BookingsContact<'_, T> {
    type Change = UpdateBookingContactRequest;
    type Update = UpdateBookingContact;

    fn service(&self) -> &ContactsService<T> {
        self.booking.service
    }

    async fn read(&self) -> Result<Reading<UpdatedBookingContact>, ContactsError> {
        Ok(self.booking.read(self.contact).await?.map(Into::into))
    }

    fn operation(
        &self,
        update: UpdateBookingContactRequest,
    ) -> Result<UpdateBookingContact, ContactsError> {
        Ok(UpdateBookingContact {
            provider: self.booking.provider,
            booking: self.booking.booking,
            contact: self.contact,
            update,
        })
    }

    fn asked(update: &UpdateBookingContact) -> &UpdateBookingContactRequest {
        &update.update
    }

    fn site(&self) -> CallSite {
        let ProviderBooking { service, provider, booking } = &self.booking;
        service.site(&UpdateBookingContact::SPEC, [provider, booking, &self.contact])
    }
}
