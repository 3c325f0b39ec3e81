//! Change sets: plan thousands of contact changes, look at them, apply them at full speed, stop
//! and continue at any moment, undo them.
//!
//! A change set is one SQLite file with the intended changes, what was there before, and what
//! became of each. It is written by [`Plan`], [`OptOut`] or [`ChangeSet::undo`], looked at with
//! [`ChangeSet`], and carried out by [`Apply`], over any
//! [`ContactsService`](crm_contacts::ContactsService).
//!
//! When not to use it: for one change or a few take `crm-contacts`, whose `ensure` and `guard`
//! need no file.
//!
//! # A first program
//!
//! ```no_run
//! use crm_bulk::{Apply, BulkError, ChangeSet, Event, Input, Plan, Site};
//! use crm_contacts::ContactsService;
//! use crm_transport::{Environment, Transport};
//! use futures_util::TryStreamExt;
//!
//! # async fn example<T: Transport>(contacts: ContactsService<T>, environment: Environment) -> Result<(), BulkError> {
//! // `environment` is the one of the transport below `contacts`.
//! let site = Site::of(&contacts, environment.api_url());
//! let input = Input::open("changes.csv")?;
//! Plan::new(site.clone()).from_api(&contacts, input, "changes.crm").await?;
//!
//! let mut events = Apply::new(ChangeSet::open("changes.crm")?).run(&contacts, &site)?;
//! while let Some(event) = events.try_next().await? {
//!     if let Event::Settled(change) = event {
//!         println!("{}: {}", change.target, change.outcome.state);
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Map
//!
//! | You want to | Take |
//! |---|---|
//! | read rows | [`Input`]; wrong ones are [`InvalidRows`] |
//! | have all contacts at hand | [`Snapshot`] |
//! | turn rows or [`CleanUp`]s into a set | [`Plan`] |
//! | opt out numbers and addresses everywhere | [`OptOut`] |
//! | look at a set | [`ChangeSet::changes`], [`Change`], [`State`], [`Totals`] |
//! | carry it out | [`Apply`], [`Event`] |
//! | reverse it | [`ChangeSet::undo`] |
//! | read back what it did | [`ChangeSet::verify`], [`Finding`] |
//! | tell people | [`ChangeSet::report`], [`ChangeSet::results`], [`visible`] |
//!
//! # Features
//!
//! | Feature | Default | Adds |
//! |---|---|---|
//! | `contract` | no | `contract::check`: the suite that every [`Store`] must pass |
//!
//! # What is safe
//!
//! - A change is durable as in flight before its request leaves, and durable with its outcome
//!   before it is reported. Whatever kills the process, applying the set again continues: by the
//!   identity of each change, not by position.
//! - What was in flight is read back. A record as wanted counts as done, one as before is sent
//!   again, anything else is set aside. A creation is sent again only when its contact does not
//!   show up.
//! - A write leaves within two seconds of the reading that decided it
//!   ([`DECISION_AGE`](crm_contacts::DECISION_AGE)), or it is read and decided again; what the
//!   machine slept counts.
//! - An answer about another record is not believed: what became of the change is read.
//! - A service that does not answer writes is left alone after a few ([`StopReason::Outage`]).
//! - Preferences are sent whole and the answer is compared with what was asked.
//! - A set belongs to one tenant on one API host ([`Site`]) and is refused elsewhere.
//! - What was planned is what is applied: a set of which anything was edited, damaged, added or
//!   removed is refused ([`Digest`]), and [`Apply::expect`] refuses one that is not what somebody
//!   approved.
//! - Two processes cannot carry out one set: each run takes it for itself in the file ([`Store`]),
//!   and records nothing more once another one took it. A set whose file is deleted, moved or given
//!   a second name during a run ends the run; one that was parted from its `-wal` is refused.
//! - A plan either is there as a whole or not at all.
//!
//! Not safe from: somebody who changes a contact in these two seconds between its reading and the
//! write, since the API has no conditional update.
//!
//! Not on a network drive either: SQLite's WAL needs all processes on one machine.
//!
//! # What it costs
//!
//! Applying reads 50 owners with one call, so a change of a contact costs one call and a
//! fiftieth when each owner has one change, and less when they have more; a creation with
//! preferences costs one more. A person's contact method costs two, and one for each preference
//! that is set. What could not be sent in time is read again. Everything goes through the service's
//! transport, whose rate limit holds.
//!
//! # The file
//!
//! Any SQLite tool reads it. While a set is applied, `-wal` and `-shm` files lie beside it. An
//! older format is brought to the present one when a set is opened; a newer one is refused.
//!
//! ```sql
#![doc = include_str!("set/schema.sql")]
//! ```
//!
//! and what version 2 adds to it:
//!
//! ```sql
#![doc = include_str!("set/v2.sql")]
//! ```
//!
//! A snapshot:
//!
//! ```sql
#![doc = include_str!("snapshot/schema.sql")]
#![doc = include_str!("snapshot/v2.sql")]
//! ```

#![cfg_attr(docsrs, feature(doc_cfg))]
#![warn(missing_debug_implementations)]

mod apply;
mod archive;
mod change;
mod clean_up;
mod clock;
mod database;
mod error;
mod file_id;
mod input;
mod new_database;
mod opt_out;
mod partial;
mod plan;
mod present;
mod reading;
mod report;
mod results;
mod run_mark;
mod set;
mod site;
mod snapshot;
mod spreadsheet;
mod store;
mod target;
mod temporary;
mod undo;
mod verify;
mod visible;
mod wanted;
mod watch;

pub use apply::{Apply, Event, Finished, OnDrift, StopReason, Written};
pub use change::{Action, Change, ChangeId, Image, MethodImage, Outcome, State, UnknownState};
pub use clean_up::CleanUp;
pub use error::BulkError;
pub use input::{BadCell, DateOrder, Input, InputColumn, InputFormat, InvalidRows, MappedRole};
pub use opt_out::OptOut;
pub use plan::{Plan, PlanSummary};
pub use results::ResultRows;
pub use run_mark::Parted;
pub use set::{
    ChangeSet, Changes, Digest, ExpectedDigest, InvalidDigest, Selection, SetInfo, SetKind, Totals,
};
pub use site::Site;
pub use snapshot::{Coverage, Snapshot};
pub use spreadsheet::{guarded, guarded_number};
#[cfg(any(test, feature = "contract"))]
#[cfg_attr(docsrs, doc(cfg(feature = "contract")))]
pub use store::contract;
pub use store::{Claim, Cursor, Displaced, Expected, Lease, Loaded, Renewal, Store, Which};
pub use target::{OwnerId, Target};
pub use undo::UndoSummary;
pub use verify::{Finding, Found, Verification};
pub use visible::{replace_unseen, visible};
pub use wanted::Wanted;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
