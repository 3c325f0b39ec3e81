//! The use cases of the ServiceTitan contacts API, over any transport.
//!
//! Start at [`ContactsService`]: give it a transport and a tenant, then take the handle of
//! what you work on.
//!
//! Both crates below come along, as [`models`] and [`transport`]. For other parts of the API take
//! `crm-transport` alone, and for the types alone `crm-models`.
//!
//! # A first program
//!
//! ```no_run
//! use crm_contacts::{
//!     ContactsService,
//!     models::{ContactChange, ContactId, LocationId, PreferenceChange, TenantId},
//!     transport::{self, Credentials, Environment},
//! };
//!
//! # #[cfg(feature = "reqwest")]
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let credentials = Credentials::from_env()?;
//! let transport = transport::standard(&Environment::integration(), credentials)?;
//! let contacts = ContactsService::new(transport, TenantId::new(1_001)?);
//!
//! let change = ContactChange::new()
//!     .preferences(PreferenceChange::new().marketing_updates(false));
//! let contact = contacts
//!     .location(LocationId::new(55_021)?)
//!     .update(ContactId::new(71_204)?, &change)
//!     .await?;
//! println!("{} last changed {}", contact.id, contact.modified_on);
//! # Ok(())
//! # }
//! ```
//!
//! Lists and exports are streams, which `futures-util` drives:
//!
//! ```
//! # use crm_contacts::{
//! #     ContactsError, ContactsService, models::{CustomerId, LocationId}, transport::Transport,
//! # };
//! use futures_util::TryStreamExt;
//!
//! # async fn example<T: Transport>(contacts: ContactsService<T>, customer: CustomerId) -> Result<(), ContactsError> {
//! let mut items = contacts.customer(customer).list().items();
//! while let Some(contact) = items.try_next().await? {
//!     println!("{} {}", contact.id, contact.contact_type);
//! }
//!
//! let mut batches = contacts.export::<LocationId>().batches();
//! while let Some(batch) = batches.try_next().await? {
//!     println!("{} contacts, then {:?}", batch.data.len(), batch.continue_from);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Map
//!
//! | You want to | Take |
//! |---|---|
//! | change, find, create, delete a location's or customer's contacts | [`ContactsService::location`], [`ContactsService::customer`] |
//! | list contacts over all owners by time or ids | [`ContactsService::changed`] |
//! | pull everything, deleted contacts too, and continue later | [`ContactsService::export`] |
//! | know whose contacts they are: names and addresses | [`ContactsService::customers`], [`ContactsService::locations`] |
//! | know who has a number or an address now | [`ContactsService::who_has`] |
//! | work on booking contacts | [`ContactsService::booking`], [`ContactsService::provider_booking`] |
//! | work on people, their contact methods and relationships | [`ContactsService::people`], [`ContactsService::person`] |
//! | send one API operation as it is | [`ContactsService::call`] with a struct of [`operations`] |
//! | walk any other list | [`ContactsService::list`] |
//! | call what this crate does not know | [`ContactsService::raw`], [`ContactsService::raw_pages`] |
//! | know what the app may read | [`ContactsService::check_access`] with an [`Area`] |
//! | know what a failure allows | [`ContactsError`]: [`advice`](ContactsError::advice), [`outcome_is_unknown`](ContactsError::outcome_is_unknown), [`trace_id`](ContactsError::trace_id) |
//!
//! # Layers
//!
//! Two layers, so that each can be tested alone:
//!
//! - an [`Operation`] is a plain value: it becomes an HTTP request and reads the answer,
//!   without I/O;
//! - the [`ContactsService`] sends operations and adds what takes more than one call: reading
//!   before a partial change of preferences, comparing the echo, finding out what became of a
//!   write whose answer got lost, paging, resuming.
//!
//! A service needs no runtime except for its clock. Where it waits, when it reads back after a lost
//! answer and in [`Export::follow`], it needs tokio with its timer enabled.
//!
//! # Features
//!
//! | Feature | Default | Adds |
//! |---|---|---|
//! | `reqwest` | yes | the ready transport over reqwest, through `crm-transport/reqwest` |
//! | `mock` | no | `transport::MockTransport`, for tests of your own, through `crm-transport/mock` |
//! | `test-util` | no | constructors of [`Updated`], [`Refusal`] and [`Echo`], for mocks of code that calls use cases |

#![warn(missing_debug_implementations)]

mod access;
mod booking;
mod bounds;
mod change;
mod decision;
mod error;
mod export;
mod feed;
mod holders;
mod operation;
pub mod operations;
mod owner;
mod owners;
mod paged;
mod paging;
mod patience;
mod pause;
mod person;
mod progress;
mod raw;
mod raw_pages;
mod reading;
mod service;
mod set_aside;
mod settle;
mod spec;
mod updates;
mod with_json;

pub use access::Area;
pub use booking::{Bookings, ProviderBooking};
pub use change::{AnyRecord, Asks, Difference, Preview, Record, RecordChange};
/// The crate `crm-models`: the types that this crate takes and gives.
pub use crm_models as models;
/// The crate `crm-transport`: transports, credentials and environments.
pub use crm_transport as transport;
pub use decision::Updated;
pub use error::{Advice, CallSite, ContactsError, Echo, Refusal, RefusalKind};
pub use export::{Export, POLLING_INTERVAL, RawBatch};
pub use feed::FeedOperation;
pub use holders::{Holder, Holders, PersonHolder, Unseen};
pub use operation::{Draft, NoContent, Operation, read_answer};
pub use operations::owner::Owner;
pub use owner::{Creation, OwnerContacts};
pub use owners::Owners;
pub use paged::PagedOperation;
pub use paging::List;
pub use person::{MethodHandle, People, PersonHandle};
pub use progress::{Progress, Stall};
pub use raw::InvalidPath;
pub use reading::{DECISION_AGE, Reading};
pub use service::ContactsService;
pub use spec::Spec;
pub use with_json::{ItemsWithJson, WithJson};

#[cfg(all(doctest, feature = "reqwest"))]
#[doc = include_str!("../README.md")]
struct Readme;
