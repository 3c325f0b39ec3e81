//! The types of the contacts part of the ServiceTitan CRM v2 API, and what is valid in them.
//!
//! Ids, contacts, updates, filters, pages, export batches and error bodies as plain values:
//! no I/O, no asynchronous code, no runtime. They are what a client, a test server or a file of
//! changes has in common. To call the API, use the crate `crm-contacts`, which brings these
//! types along as `crm_contacts::models`; use this one alone where bodies come from elsewhere.
//!
//! # A first program
//!
//! Read a contact, say what should change, and get the body of the PATCH:
//!
//! ```
//! use crm_models::{Contact, ContactChange, PreferenceChange};
//!
//! let contact: Contact = serde_json::from_str(r#"{
//!     "id": 71204, "type": "MobilePhone", "value": "8185550142", "memo": null,
//!     "phoneSettings": {"phoneNumber": "8185550142", "doNotText": false},
//!     "modifiedOn": "2026-05-27T16:04:11.4827193Z", "createdOn": "2025-11-02T09:15:00Z",
//!     "preferences": {
//!         "jobRemindersEnabled": true, "marketingUpdatesEnabled": true,
//!         "invoiceStatementNotification": true,
//!         "invoiceNotification": true, "statementNotification": true
//!     }
//! }"#)?;
//!
//! let change = ContactChange::new()
//!     .memo("Gate code 4411")
//!     .preferences(PreferenceChange::new().marketing_updates(false));
//! change.check_for(&contact)?;
//!
//! let body = change.without_unchanged(&contact).request_for(&contact)?;
//! assert_eq!(
//!     serde_json::to_string(&body)?,
//!     r#"{"memo":"Gate code 4411","preferences":{"jobRemindersEnabled":true,"#.to_owned()
//!         + r#""marketingUpdatesEnabled":false,"invoiceStatementNotification":true,"#
//!         + r#""invoiceNotification":true,"statementNotification":true}}"#,
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Frequent tasks
//!
//! Is it the same number, however it is written, and under what key is it found again?
//!
//! ```
//! use crm_models::ContactType;
//!
//! assert!(ContactType::Phone.same_value("(818) 555-0142", "818.555.0142"));
//! assert_eq!(ContactType::Phone.key("+1 818 555 0142 ext. 7"), "8185550142");
//! assert_eq!(ContactType::Email.key(" Dana@Site.example "), "dana@site.example");
//! ```
//!
//! What is wrong with what somebody typed, all at once, to be shown beside each field?
//!
//! ```
//! use crm_models::{Check, ContactType, CreateContactRequest};
//!
//! let typed = CreateContactRequest::new(ContactType::Email, "dana@").memo("line\u{0}");
//! let wrong = typed.check().unwrap_err();
//! let fields: Vec<_> = wrong.fields.iter().map(|field| field.field.as_str()).collect();
//! assert_eq!(fields, ["memo", "value"]);
//! ```
//!
//! Which flags would change, and what is sent then, since they go whole?
//!
//! ```
//! use crm_models::{ContactPreferences, ContactPreferencesRequest, Preference, PreferenceChange};
//!
//! let received = [Preference::JobReminders, Preference::MarketingUpdates];
//! let present: ContactPreferences = ContactPreferencesRequest::receiving(&received).into();
//! let change = PreferenceChange::new().marketing_updates(false).invoices(false);
//! let no_marketing = PreferenceChange::new().marketing_updates(false);
//! assert_eq!(change.without_unchanged(&present), no_marketing);
//!
//! let whole = no_marketing.apply_to(Some(&present))?;
//! assert!(whole.job_reminders() && !whole.marketing_updates());
//! # Ok::<(), crm_models::PreferencesError>(())
//! ```
//!
//! # Reading is tolerant
//!
//! The published contract moved four times in 18 months, and the service does not keep to it
//! everywhere. So types read every published version and what has been seen: unknown members
//! are skipped and not kept, unknown [types of contact](ContactType) keep their text,
//! members that came later are optional, times have up to nine digits of a second, and
//! preferences that are absent are unknown rather than off. An [error body](Problem) is read
//! whatever it is.
//!
//! # Writing is exact
//!
//! Requests are made by builders and hold only what the contract has. Absent means keep, null
//! is written only where the contract allows it and means it, and preferences are always
//! complete and free of contradiction. [`Check::check`] reports every breach of a rule at once,
//! by the API's name of the member. It refuses what cannot be right (an e-mail address for a
//! telephone, control characters, a filter that the API refuses) and leaves the rest to the
//! service, since the contract documents no bounds: texts may have 4,000 characters, telephone
//! numbers 20 digits.
//!
//! Requests and answers are the caller's own data, so their `Debug` shows it, but for the values in
//! the `data` of a [`Problem`], which ends in logs. Messages of errors never quote a value, a memo
//! or a name.
//!
//! # Map
//!
//! | For | See |
//! |---|---|
//! | contacts of locations and customers | [`Contact`], [`OwnedContact`], [`CreateContactRequest`], [`ContactChange`], [`UpdateContactRequest`], [`ContactFilter`], [`ContactOwner`] |
//! | their preferences | [`Preference`], [`ContactPreferences`], [`PreferenceChange`], [`ContactPreferencesRequest`] |
//! | contacts of bookings | [`BookingContact`], [`CreateBookingContactRequest`], [`UpdateBookingContactRequest`], [`UpdatedBookingContact`] |
//! | customers and locations themselves, their names and addresses | [`Customer`], [`Location`], [`OwnerDetails`], [`Address`], [`CustomerType`], [`OwnerFilter`], [`Whether`] |
//! | people (Contacts v2) | [`Person`], [`CreatePersonRequest`], [`PersonChange`], [`ReplacePersonRequest`], [`PersonFilter`] |
//! | their numbers and addresses | [`ContactMethod`], [`ContactMethodRequest`], [`UpdateContactMethodRequest`], [`ContactMethodFilter`] |
//! | preferences of those | [`PreferenceType`], [`MethodPreference`], [`UpdateMethodPreferenceRequest`] |
//! | whom people belong to | [`ContactRelationship`], [`RelatedEntityType`], [`RelationshipFilter`] |
//! | lists and feeds | [`Page`], [`PageQuery`], [`Sort`], [`ExportBatch`], [`ExportQuery`], [`ContinuationToken`], [`UnreadableRecord`], [`Raw`] |
//! | ids | [`LocationId`], [`CustomerId`], [`BookingId`], [`BookingProviderId`], [`ContactId`], [`PersonId`], [`ContactMethodId`], [`PreferenceTypeId`], [`RelationshipId`], [`RelatedEntityId`], [`UserId`], [`TenantId`] |
//! | times | [`Timestamp`] |
//! | what is valid | [`Check`], [`CheckWith`], [`Tolerance`] |
//! | errors | [`Problem`], [`InvalidInput`], [`InvalidId`], [`InvalidTimestamp`], [`PreferencesError`] |
//! | comparing values | [`ContactType::same_value`] |
//! | searching by value | [`ContactType::key`], [`phone::key`], [`email::key`] |

#![warn(missing_debug_implementations)]

mod address;
mod booking;
mod change;
mod contact;
mod contact_method;
mod contact_type;
mod create;
mod customer;
mod details;
pub mod email;
mod export;
mod filter;
mod ids;
mod location;
mod members;
mod method_preference;
mod owned_contact;
mod owner;
mod owner_filter;
mod page;
mod person;
mod person_change;
mod person_filter;
pub mod phone;
mod preferences;
mod problem;
mod raw;
mod relationship;
mod sort;
mod text;
mod timestamp;
mod unreadable;
mod update;
mod validation;

pub use address::Address;
pub use booking::{
    BookingContact, CreateBookingContactRequest, UpdateBookingContactRequest, UpdatedBookingContact,
};
pub use change::{ContactChange, UpdateCustomerContact, UpdateLocationContact};
pub use contact::{Contact, PhoneSettings};
pub use contact_method::{
    ContactMethod, ContactMethodFilter, ContactMethodRequest, UpdateContactMethodRequest,
};
pub use contact_type::ContactType;
pub use create::CreateContactRequest;
pub use customer::{Customer, CustomerType};
pub use details::OwnerDetails;
pub use export::{ContinuationToken, ExportBatch, ExportFrom, ExportQuery};
pub use filter::{ContactFilter, Whether};
pub use ids::{
    BookingId, BookingProviderId, ContactId, ContactMethodId, CustomerId, InvalidId, LocationId,
    PersonId, PreferenceTypeId, RelatedEntityId, RelationshipId, TenantId, UserId,
};
pub use location::Location;
pub use method_preference::{
    MethodPreference, NotTrueOrFalse, PreferenceType, UpdateMethodPreferenceRequest,
};
pub use owned_contact::{
    CustomersContact, ExportedContact, ExportedCustomerContact, ExportedLocationContact,
    LocationsContact, OwnedContact,
};
pub use owner::ContactOwner;
pub use owner_filter::OwnerFilter;
pub use page::{Page, PageQuery};
pub use person::{CreatePersonRequest, Person, ReplacePersonRequest, UpdatePersonRequest};
pub use person_change::PersonChange;
pub use person_filter::PersonFilter;
pub use preferences::{
    ContactPreferences, ContactPreferencesRequest, Preference, PreferenceChange, PreferencesError,
};
pub use problem::{BodyForm, Problem};
pub use raw::Raw;
pub use relationship::{ContactRelationship, RelatedEntityType, RelationshipFilter};
pub use sort::{ContactMethodSort, OwnerSort, PersonSort, RelationshipSort, Sort};
pub use timestamp::{InvalidTimestamp, Timestamp};
pub use unreadable::UnreadableRecord;
pub use update::UpdateContactRequest;
pub use validation::{Check, CheckWith, FieldError, InvalidInput, Tolerance};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
