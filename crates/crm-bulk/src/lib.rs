//! Change sets: plan thousands of contact changes, inspect them, apply them at full speed, stop and
//! resume at any moment, and undo them.
//!
//! A change set is one SQLite file that holds the intended changes, what was there before, and what
//! became of each change. It is written by [`Plan`], [`OptOut`] or [`ChangeSet::undo`], inspected
//! with [`ChangeSet`], and carried out by [`Apply`], over any
//! [`ContactsService`](crm_contacts::ContactsService).
//!
//! When not to use this crate: for one change or a few, use `crm-contacts`, whose `ensure` and
//! `guard` need no file.
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
//! | read rows | [`Input`], or [`Row`]s of your own; wrong ones are [`InvalidRows`], and go to a [`MendFile`] |
//! | have all contacts at hand | [`Snapshot`] |
//! | turn rows or [`CleanUp`]s into a set | [`Plan`] |
//! | opt out numbers and addresses everywhere | [`OptOut`] |
//! | turn off what a program has found | [`TurnOff`] |
//! | read a list of wishes without acting on it | [`List`] |
//! | look at a set | [`ChangeSet::changes`], [`Change`], [`State`], [`Totals`], [`ListTotals`] |
//! | have names beside the ids | [`ChangeSet::name_owners_from`], [`ChangeSet::name_owners`], [`ChangeSet::named`], [`NamedOwner`] |
//! | take changes out, approve it | [`ChangeSet::drop_changes`], [`ChangeSet::approve`] |
//! | carry it out | [`Apply`], [`Event`] |
//! | reverse it, see what has been undone of it | [`ChangeSet::undo`], [`UndoTerms`], [`ChangeSet::undone`], [`ChangeSet::undone_changes`], [`Restored`], [`ReverseSet`] |
//! | read back what it did | [`ChangeSet::verify`], [`Finding`] |
//! | see what a set has of some records | [`ChangeSet::records`], [`ChangeSet::changes_of`], [`ChangeSet::changes_with_text`] |
//! | tell people | [`Report`], [`PastEvent`], [`ChangeSet::results`], [`AtomicWriter`], [`visible`], [`excerpt`] |
//!
//! # Features
//!
//! | Feature | Default | Adds |
//! |---|---|---|
//! | `contract` | no | `contract::check`: the suite that every [`Store`] must pass |
//!
//! # What is safe
//!
//! - A change is durably recorded as in flight before its request leaves, and with its outcome
//!   before that outcome is reported. Whatever kills the process, applying the set again continues
//!   by the identity of each change, not by position.
//! - What was in flight is read back. A record that is as wanted counts as done, one that is as it
//!   was before is sent again, and anything else is set aside. A creation is sent again only if its
//!   contact does not show up.
//! - A write leaves within two seconds of the read on which it was decided
//!   ([`DECISION_AGE`](crm_contacts::DECISION_AGE)), or the record is read and the change decided
//!   again. Time that the machine spent asleep counts.
//! - An answer about another record is not trusted: what became of the change is read back.
//! - A service that does not answer writes is left alone after a few of them
//!   ([`StopReason::Outage`]).
//! - Preferences are sent as a whole, and the answer is compared with what was asked for.
//! - A set belongs to one tenant on one API host ([`Site`]) and is refused anywhere else.
//! - What was planned is what is applied: a set in which anything was edited, damaged, added or
//!   removed is refused ([`Digest`]), and [`Apply::expect`] refuses a set that is not the one that
//!   was approved.
//! - Two processes cannot carry out the same set: each run takes it for itself in the file
//!   ([`Store`]), and records nothing more once another run has taken it. If the set's file is
//!   deleted, moved or given a second name during a run, the run ends; a set that was separated
//!   from its `-wal` file is refused.
//! - A plan is written as a whole or not at all.
//!
//! It is not safe from somebody who changes a contact in the two seconds between its read and the
//! write, since the API has no conditional update.
//!
//! Nor is it safe on a network drive: SQLite's WAL needs all processes on one machine.
//!
//! # What it costs
//!
//! Applying reads 50 owners with one call, so a change to a contact costs one call and a fiftieth
//! when each owner has one change, and less when owners have more; a creation with preferences
//! costs one more. A change to a person's contact method costs two calls, plus one for each
//! preference that is set. What could not be sent in time is read again. Everything goes through
//! the service's transport, whose rate limit applies.
//!
//! # The file
//!
//! Any SQLite tool can read it. While a set is being applied, there are `-wal` and `-shm` files
//! next to it. A file in an older format is upgraded to the current one when a set is opened; a
//! newer format is refused.
//!
//! ```sql
#![doc = include_str!("store/file/schema.sql")]
//! ```
//!
//! Version 2 adds the following:
//!
//! ```sql
#![doc = include_str!("store/file/v2.sql")]
//! ```

#![cfg_attr(docsrs, feature(doc_cfg))]
#![warn(missing_debug_implementations)]

mod apply;
mod changes_as_rows;
mod clean_up;
mod clock;
mod current;
mod decide;
mod departure;
mod disk;
mod error;
mod input;
mod names;
mod opt_out;
mod plan;
mod report;
mod results;
mod review;
mod set;
mod spreadsheet;
mod store;
mod system_user;
mod undo;
mod undone;
mod verify;
mod visible;

pub use apply::{
    Apply, Deviation, DriftPolicy, Event, Finished, OnDrift, Proposal, Resulting, StopReason,
    Verdict, Written,
};
pub use clean_up::CleanUp;
pub use crm_mirror::{AtomicWriter, Coverage, MirrorError, OwnerId, Site, Snapshot, idle};
pub use disk::{run_mark::Parted, watch::Displaced};
pub use error::{BadCell, BulkError, Counted, InvalidRows, excerpt};
pub use input::{
    DateOrder, Input, InputColumn, InputFormat, List, ListOptions, ListRow, ListedValue,
    MappedRole, MendFile, Row, Wish, read_value,
};
pub use names::Naming;
pub use opt_out::{Copies, MethodReading, OptOut, Take, TurnOff, TurnedOff, UNKNOWN_FLAGS};
pub use plan::{Plan, PlanSummary};
// For the pages that the command makes, so that all look alike.
#[doc(hidden)]
pub use report::page;
pub use report::{LastDay, LeftOut, PastEvent, Report};
pub use results::ResultRows;
pub use set::{
    Action, Carrier, Change, ChangeId, Decision, DecisionKind, Digest, ExpectedDigest, Image,
    InvalidDigest, ListTotals, MethodImage, Moved, Named, NamedOwner, Outcome, Remark, ReverseSet,
    SetInfo, SetKind, StandIn, State, Stored, Target, Totals, UnknownState, Wanted,
    speaks_of_marketing,
};
pub use spreadsheet::{guarded, guarded_number};
#[cfg(any(test, feature = "contract"))]
#[cfg_attr(docsrs, doc(cfg(feature = "contract")))]
pub use store::contract;
pub use store::tables;
pub use store::{
    ChangeSet, Changes, Claim, Cursor, DropSummary, Expected, Lease, Loaded, Renewal, Selection,
    Store, Which,
};
pub use system_user::system_user;
pub use undo::{UndoSummary, UndoTerms};
pub use undone::{Restored, Undone, UndoneBy, UndoneChanges};
pub use verify::{Finding, Found, KeptFinding, Verification};
pub use visible::{replace_unseen, visible};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
