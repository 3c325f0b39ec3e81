//! What the crates promise about threads: a work-stealing runtime may move every future and every
//! stream, and an error may go wherever errors go. Built is passed.

use std::{error::Error, fmt::Debug};

use crm_bulk::{Apply, BulkError, ChangeSet, Input, InvalidRows, OptOut, Plan, Site};
use crm_contacts::{
    ContactsError, ContactsService, MethodHandle, POLLING_INTERVAL, PersonHandle, ProviderBooking,
};
use crm_mirror::Mirror;
use crm_models::{
    BookingId, BookingProviderId, ContactChange, ContactFilter, ContactId, ContactMethodId,
    CreateContactRequest, InvalidId, InvalidInput, InvalidTimestamp, LocationId, PersonChange,
    PersonFilter, PersonId, PreferencesError, Timestamp, UpdateBookingContactRequest,
    UpdateContactMethodRequest,
};
use crm_sandbox::{Sandbox, SandboxError, SettingError};
use crm_transport::{Call, InvalidEnvironment, Request, Transport, TransportError};

fn send(_: impl Send) {}
fn send_and_sync<T: Send + Sync + 'static>() {}
fn error<T: Error + Send + Sync + 'static>() {}

#[test]
fn errors_go_to_any_thread() {
    error::<InvalidId>();
    error::<InvalidInput>();
    error::<InvalidTimestamp>();
    error::<PreferencesError>();
    error::<TransportError>();
    error::<InvalidEnvironment>();
    error::<ContactsError>();
    error::<BulkError>();
    error::<InvalidRows>();
    error::<SandboxError>();
    error::<SettingError>();
}

#[test]
fn services_and_sandboxes_are_shared_between_threads() {
    send_and_sync::<Call>();
    send_and_sync::<Box<dyn Transport>>();
    send_and_sync::<ContactsService<Box<dyn Transport>>>();
    send_and_sync::<Sandbox>();
}

// Never called: that they compile is the promise.
#[expect(dead_code)]
fn calls_and_streams_may_move<T: Transport>(
    contacts: &ContactsService<T>,
    location: LocationId,
    contact: ContactId,
    change: &ContactChange,
    new: CreateContactRequest,
    seen: Timestamp,
) {
    let of_location = contacts.location(location);
    send(of_location.find(contact));
    send(of_location.update(contact, change));
    send(of_location.update_if_changed(contact, change));
    send(of_location.update_if_unmodified_since(contact, change, seen));
    send(of_location.create_unless_present(new));
    send(contacts.location(location).delete(contact));
    send(contacts.location(location).list().items());
    send(contacts.location(location).list().pages());
    send(contacts.changed::<LocationId>(ContactFilter::new()).items());
    send(contacts.export::<LocationId>().batches());
    send(contacts.export::<LocationId>().follow(POLLING_INTERVAL, async {}));
    send(contacts.people().list(PersonFilter::new()).items());
    send(contacts.raw(Request::default()));
}

#[expect(dead_code)]
fn updates_of_the_other_records_may_move<T: Transport>(
    booking: ProviderBooking<'_, T>,
    contact: ContactId,
    update: &UpdateBookingContactRequest,
    person: PersonHandle<'_, T>,
    change: &PersonChange,
    method: MethodHandle<'_, T>,
    value: &UpdateContactMethodRequest,
) {
    send(booking.update_if_changed(contact, update));
    send(person.update_if_changed(change));
    send(method.update_if_changed(value));
    send(method.set_preference("Offers", true.into()));
}

fn copy(_: impl Copy + Debug) {}
fn clone(_: impl Clone + Debug) {}

// Whatever the transport is: a trait object has no `Debug`, and hardly any transport is `Copy`.
#[expect(dead_code)]
fn handles_are_copied_and_shown(
    contacts: &ContactsService,
    location: LocationId,
    booking: BookingId,
    provider: BookingProviderId,
    person: PersonId,
    method: ContactMethodId,
) {
    clone(contacts.clone());
    copy(contacts.location(location));
    copy(contacts.booking(booking));
    copy(contacts.provider_booking(provider, booking));
    copy(contacts.people());
    copy(contacts.person(person));
    copy(contacts.person(person).method(method));
    clone(contacts.location(location).list());
    clone(contacts.export::<LocationId>());
}

#[expect(dead_code)]
fn change_sets_may_move<T: Transport>(
    contacts: &ContactsService<T>,
    site: Site,
    input: fn() -> Input,
    mut snapshot: Mirror,
    set: ChangeSet,
) -> Result<(), BulkError> {
    send(Plan::new(site.clone()).from_api(contacts, input(), "changes.crm"));
    send(snapshot.update(contacts, &site, |_| ()));
    send(OptOut::new(site.clone(), snapshot).plan(contacts, input(), "opt-outs.crm"));
    send(Apply::new(set).run(contacts, &site)?);
    Ok(())
}
