//! A local copy of a tenant's contacts, of their owners' names, and of people with their numbers and
//! addresses: one SQLite file that the export feeds and the lists of people keep fresh, to find
//! somebody in, to look contacts up in and to compare with.
//!
//! The first [`Mirror::update`] reads everything, later ones only what has changed since; one that
//! was interrupted continues where it stopped. Deleted contacts and deactivated owners are kept and
//! marked as such. People have no feed: those that were deleted are found out and removed once a day.
//!
//! When not to use this crate: for the contacts of a few owners, ask the service through
//! `crm-contacts`; to follow the feeds into a store of your own, take its `export`.
//!
//! # A first program
//!
//! ```no_run
//! use crm_contacts::ContactsService;
//! use crm_mirror::{Mirror, MirrorError, Site};
//! use crm_transport::{Environment, Transport};
//!
//! # async fn example<T: Transport>(contacts: ContactsService<T>, environment: Environment) -> Result<(), MirrorError> {
//! // `environment` is the one of the transport below `contacts`.
//! let site = Site::of(&contacts, environment.api_url());
//! let mut mirror = Mirror::open_or_create("mirror.db", &site)?;
//! mirror.update(&contacts, &site, |read| eprintln!("{read} records")).await?;
//! for (owner, known) in mirror.with_value("818-555-0142", None)? {
//!     let name = mirror.owner(owner)?.map(|owner| owner.display_name());
//!     println!("{owner}, {name:?}: contact {}", known.contact.id);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Map
//!
//! | You want to | Take |
//! |---|---|
//! | have all contacts at hand | [`Mirror::open_or_create`], [`Mirror::update`] |
//! | know what it holds, and how old that is | [`Mirror::coverage`], [`Mirror::feeds`], [`Mirror::known_at`] |
//! | find somebody by a number, an address or a part of a name | [`Mirror::find`], [`Hit`] |
//! | look contacts up | [`Mirror::contact`], [`Mirror::contacts_of`], [`Mirror::with_value`], [`Mirror::for_each`] |
//! | know whose they are | [`Mirror::owner`], [`KnownOwner`] |
//! | go through all contacts with whose they are | [`Mirror::for_each_in_order`] |
//! | look people up | [`Mirror::person`], [`Mirror::methods_of`], [`Mirror::methods_with_same_number`], [`Mirror::people_known_at`] |
//! | know what changed between two updates | [`Mirror::for_each_difference`], [`Observed`] |
//! | write a file that is there as a whole or not at all | [`AtomicWriter`] |
//! | wait until no work goes on | [`idle`] |
//!
//! # What is safe
//!
//! - Each batch of a feed is stored in one transaction together with the token that follows it.
//!   Whatever kills the process, the next update continues there.
//! - A file belongs to one tenant on one API host ([`Site`]) and is refused anywhere else.
//! - A record that cannot be read stops nothing: it is kept as it came, and counted.
//! - No transaction is open while the service is waited for, so readers and other writers are not
//!   held up.
//!
//! It is not safe on a network drive: SQLite's WAL needs all processes on one machine.
//!
//! # The file
//!
//! Any SQLite tool can read it. While it is open, there are `-wal` and `-shm` files next to it. A
//! newer format is refused. A snapshot of version 0.1 is written anew when it is opened to be
//! updated, and only then.
//!
//! ```sql
#![doc = include_str!("mirror/schema.sql")]
//! ```
//!
//! The indexes are made when all rows of the first load are there:
//!
//! ```sql
#![doc = include_str!("mirror/contacts_indexes.sql")]
#![doc = include_str!("mirror/owners_indexes.sql")]
#![doc = include_str!("mirror/people_indexes.sql")]
//! ```
//!
//! What somebody has read of single contact methods is there too:
//!
//! ```sql
#![doc = include_str!("mirror/people/marketing.sql")]
//! ```

#![cfg_attr(docsrs, feature(doc_cfg))]
#![warn(missing_debug_implementations)]

// What other crates of this workspace make files of their own with. These modules are no part of
// the interface: they change with those crates.
#[doc(hidden)]
#[macro_use]
pub mod database;
#[doc(hidden)]
pub mod clock;
#[doc(hidden)]
pub mod disk;
#[doc(hidden)]
pub mod job;
#[doc(hidden)]
pub mod keys;
#[doc(hidden)]
pub mod lock;
#[doc(hidden)]
pub use rusqlite;

mod error;
mod mirror;
mod owner;
mod site;

pub use disk::atomic_file::AtomicWriter;
pub use error::MirrorError;
pub use job::idle;
pub use mirror::{
    By, Coverage, Feed, FeedState, Found, Happened, Hit, Keyed, Known, KnownOwner, Mirror,
    Observed, PeopleReach, PersonHit, Reach, TooShort,
};
pub use owner::OwnerId;
pub use site::Site;

/// What version 0.1 called a mirror.
pub use mirror::Mirror as Snapshot;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
