//! Types and validation for the contacts of the ServiceTitan CRM v2 API. No I/O, no runtime.
mod booking;
mod change;
mod contact;
mod contact_method;
mod contact_type;
mod create;
pub mod email;
mod export;
mod filter;
mod ids;
mod members;
mod method_preference;
mod owned_contact;
mod owner;
mod page;
mod person;
mod person_change;
mod person_filter;
pub mod phone;
mod preference_change;
mod preferences;
mod problem;
mod relationship;
mod sort;
mod text;
mod timestamp;
mod update;
mod validation;

pub use booking::{
    BookingContact, CreateBookingContactRequest, UpdateBookingContactRequest, UpdatedBookingContact,
};
pub use change::{ContactChange, UpdateCustomerContact, UpdateLocationContact};
pub use contact::{Contact, CustomerContact, LocationContact, PhoneSettings};
pub use contact_method::{
    ContactMethod, ContactMethodFilter, ContactMethodRequest, UpdateContactMethodRequest,
};
pub use contact_type::ContactType;
pub use create::CreateContactRequest;
pub use export::{ContinuationToken, ExportBatch, ExportFrom, ExportQuery};
pub use filter::ContactFilter;
pub use ids::{
    BookingId, BookingProviderId, ContactId, ContactMethodId, CustomerId, InvalidId, LocationId,
    PersonId, PreferenceTypeId, RelatedEntityId, RelationshipId, TenantId, UserId,
};
pub use method_preference::{MethodPreference, PreferenceType, UpdateMethodPreferenceRequest};
pub use owned_contact::{
    CustomersContact, ExportedContact, ExportedCustomerContact, ExportedLocationContact,
    LocationsContact, OwnedContact,
};
pub use owner::ContactOwner;
pub use page::{Page, PageQuery};
pub use person::{CreatePersonRequest, Person, ReplacePersonRequest, UpdatePersonRequest};
pub use person_change::PersonChange;
pub use person_filter::{Archived, PersonFilter};
pub use preference_change::{PreferenceChange, PreferencesUnknown};
pub use preferences::{ContactPreferences, ContactPreferencesRequest};
pub use problem::{BodyForm, Problem};
pub use relationship::{ContactRelationship, RelatedEntityType, RelationshipFilter};
pub use sort::{ContactMethodSort, PersonSort, RelationshipSort, Sort};
pub use timestamp::{InvalidTimestamp, Timestamp};
pub use update::UpdateContactRequest;
pub use validation::{Check, FieldError, InvalidInput};
