//! A local copy of a tenant's contacts: one SQLite file that the export feeds keep fresh, to look
//! contacts up in and to compare with.
//!
//! The first [`Snapshot::update`] reads everything, later ones only what has changed since; one that
//! was interrupted continues where it stopped. Deleted contacts are kept and marked as such.
//!
//! When not to use this crate: for the contacts of a few owners, ask the service through
//! `crm-contacts`; to follow the feeds into a store of your own, take its `export`.
//!
//! # A first program
//!
//! ```no_run
//! use crm_contacts::ContactsService;
//! use crm_mirror::{MirrorError, Site, Snapshot};
//! use crm_transport::{Environment, Transport};
//!
//! # async fn example<T: Transport>(contacts: ContactsService<T>, environment: Environment) -> Result<(), MirrorError> {
//! // `environment` is the one of the transport below `contacts`.
//! let site = Site::of(&contacts, environment.api_url());
//! let mut snapshot = Snapshot::open_or_create("contacts.snapshot", &site)?;
//! let coverage = snapshot.update(&contacts, &site, |read| eprintln!("{read} contacts")).await?;
//! println!("{} contacts of {} owners", coverage.contacts, coverage.owners);
//! # Ok(())
//! # }
//! ```
//!
//! # Map
//!
//! | You want to | Take |
//! |---|---|
//! | have all contacts at hand | [`Snapshot::open_or_create`], [`Snapshot::update`] |
//! | know what it holds, and how old that is | [`Snapshot::coverage`], [`Snapshot::known_at`] |
//! | find contacts | [`Snapshot::contact`], [`Snapshot::with_value`], [`Snapshot::for_each`] |
//! | write a file that is there as a whole or not at all | [`AtomicWriter`] |
//! | wait until no work goes on | [`idle`] |
//!
//! # What is safe
//!
//! - Each batch of a feed is stored in one transaction together with the token that follows it.
//!   Whatever kills the process, the next update continues there.
//! - A file belongs to one tenant on one API host ([`Site`]) and is refused anywhere else.
//! - A record that cannot be read stops nothing: it is kept as it came, and counted.
//!
//! It is not safe on a network drive: SQLite's WAL needs all processes on one machine.
//!
//! # The file
//!
//! Any SQLite tool can read it. While it is open, there are `-wal` and `-shm` files next to it. A
//! file in an older format is upgraded to the current one when it is opened; a newer format is
//! refused.
//!
//! ```sql
#![doc = include_str!("snapshot/schema.sql")]
#![doc = include_str!("snapshot/v2.sql")]
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
mod owner;
mod site;
mod snapshot;

pub use disk::atomic_file::AtomicWriter;
pub use error::MirrorError;
pub use job::idle;
pub use owner::OwnerId;
pub use site::Site;
pub use snapshot::{Coverage, Keyed, Known, Snapshot};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
