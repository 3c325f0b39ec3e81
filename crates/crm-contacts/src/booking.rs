//! The use cases on booking contacts.

use crm_models::{
    BookingContact, BookingId, BookingProviderId, ContactId, CreateBookingContactRequest,
    UpdateBookingContactRequest, UpdatedBookingContact,
};
use crm_transport::Transport;

use crate::{
    ContactsService, List,
    error::ContactsError,
    handle::handle,
    operations::bookings::{
        CreateContact, DeleteContact, GetContactList, GetContactList2, UpdateBookingContact,
    },
};

/// The contacts of one booking, read only; made by [`ContactsService::booking`]. Needs an app
/// that the tenant connected without restriction to a booking provider.
#[must_use]
pub struct Bookings<'a, T> {
    service: &'a ContactsService<T>,
    booking: BookingId,
}

handle!(Copy Bookings { booking });

impl<'a, T: Transport> Bookings<'a, T> {
    pub(crate) fn new(service: &'a ContactsService<T>, booking: BookingId) -> Self {
        Self { service, booking }
    }

    /// The booking's contacts.
    pub fn list(&self) -> List<T, GetContactList> {
        let operation = GetContactList {
            booking: self.booking,
            page: Default::default(),
        };
        self.service.list(operation)
    }
}

/// The contacts of one booking of one provider; made by
/// [`ContactsService::provider_booking`]. Needs an app with this provider's tag.
///
/// Unlike [`OwnerContacts`](crate::OwnerContacts) it does not compare the answer to a write with
/// what was asked, beyond that it is about the same record. After a lost answer, or one about
/// another record, an update and a deletion are read back, for at most a minute.
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
#[must_use]
pub struct ProviderBooking<'a, T> {
    service: &'a ContactsService<T>,
    provider: BookingProviderId,
    booking: BookingId,
}

handle!(Copy ProviderBooking { provider, booking });

impl<'a, T: Transport> ProviderBooking<'a, T> {
    pub(crate) fn new(
        service: &'a ContactsService<T>,
        provider: BookingProviderId,
        booking: BookingId,
    ) -> Self {
        Self {
            service,
            provider,
            booking,
        }
    }

    /// The booking's contacts.
    pub fn list(&self) -> List<T, GetContactList2> {
        let operation = GetContactList2 {
            provider: self.provider,
            booking: self.booking,
            page: Default::default(),
        };
        self.service.list(operation)
    }

    /// One contact, looked for in the booking's list: the API cannot read a single one.
    ///
    /// # Errors
    ///
    /// [`ContactsError::NotFound`]; otherwise as [`ContactsService::call`].
    pub async fn find(&self, contact: ContactId) -> Result<BookingContact, ContactsError> {
        let found = self.list().find(|found| found.id == contact).await?;
        found.ok_or_else(|| ContactsError::NotFound {
            site: Box::new(self.service.site(
                &<GetContactList2 as crate::Operation>::SPEC,
                [&self.provider, &self.booking],
            )),
            contact,
        })
    }

    /// Creates a contact. Never repeated once the server may have seen it.
    ///
    /// # Errors
    ///
    /// [`ContactsError::OutcomeUnknown`] when the answer got lost, or is about another record;
    /// otherwise as
    /// [`ContactsService::call`].
    pub async fn create(
        &self,
        contact: CreateBookingContactRequest,
    ) -> Result<BookingContact, ContactsError> {
        let operation = CreateContact {
            provider: self.provider,
            booking: self.booking,
            contact,
        };
        self.service.write(&operation).await
    }

    /// Changes the members that the update names.
    ///
    /// # Errors
    ///
    /// [`ContactsError::OutcomeUnknown`] when the answer got lost, or is about another record;
    /// otherwise as
    /// [`ContactsService::call`].
    pub async fn update(
        &self,
        contact: ContactId,
        update: UpdateBookingContactRequest,
    ) -> Result<UpdatedBookingContact, ContactsError> {
        let operation = UpdateBookingContact {
            provider: self.provider,
            booking: self.booking,
            contact,
            update,
        };
        let look = || async { Ok(UpdatedBookingContact::from(self.find(contact).await?)) };
        let is_done = |found: &UpdatedBookingContact| operation.update.is_met_by(found);
        self.service.write_or_look(&operation, look, is_done).await
    }

    /// Deletes a contact; "not found" after an attempt that may have deleted it counts as
    /// done. After a lost answer it is looked for, for at most a minute.
    ///
    /// # Errors
    ///
    /// [`ContactsError::OutcomeUnknown`] when the answer got lost and the contact still shows
    /// up; otherwise as [`ContactsService::call`].
    pub async fn delete(&self, contact: ContactId) -> Result<(), ContactsError> {
        let operation = DeleteContact {
            provider: self.provider,
            booking: self.booking,
            contact,
        };
        let gone = || async {
            let found = self.list().find(|found| found.id == contact).await?;
            Ok(found.is_none())
        };
        self.service.delete(&operation, gone).await
    }
}
