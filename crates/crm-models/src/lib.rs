//! Types and validation for the contacts of the ServiceTitan CRM v2 API. No I/O, no runtime.
mod booking;
mod change;
mod contact;
mod contact_method;
mod contact_type;
pub mod email;
mod export;
mod filter;
mod ids;
mod page;
mod person;
pub mod phone;
mod preferences;
mod problem;
mod relationship;
mod sort;
mod timestamp;
mod validation;

pub use booking::*;
pub use change::{
    ContactChange, CreateContactRequest, UpdateContactRequest, UpdateCustomerContact,
    UpdateLocationContact,
};
pub use contact::{
    Contact, ContactOwner, CustomerContact, ExportedContact, LocationContact, OwnedContact,
    PhoneSettings,
};
pub use contact_method::*;
pub use contact_type::ContactType;
pub use export::{ContinuationToken, ExportBatch, ExportFrom, ExportQuery};
pub use filter::ContactFilter;
pub use ids::*;
pub use page::{Page, PageQuery};
pub use person::*;
pub use preferences::{
    ContactPreferences, ContactPreferencesRequest, PreferenceChange, PreferencesUnknown,
};
pub use problem::{BodyForm, Problem};
pub use relationship::{ContactRelationship, RelatedEntityType, RelationshipFilter};
pub use sort::{ContactMethodSort, PersonSort, RelationshipSort, Sort};
pub use timestamp::{InvalidTimestamp, Timestamp};
pub use validation::{Check, FieldError, InvalidInput};
