//! Change sets on PostgreSQL, where any machine that reaches the server can carry them out.
//!
//! [`Server::push`] moves a set from its file to the server, [`Server::store`] is its
//! [`Store`](crm_bulk::Store) there, over which [`Apply::over`](crm_bulk::Apply::over) carries it out,
//! and [`Server::pull`] moves it into a file again.
//!
//! # The tables
//!
//! ```sql
#![doc = include_str!("server/v1.sql")]
#![doc = include_str!("server/v2.sql")]
#![doc = include_str!("server/v3.sql")]
#![doc = include_str!("server/v4.sql")]
//! ```

#![cfg_attr(docsrs, feature(doc_cfg))]
#![warn(missing_debug_implementations)]

mod accounts;
mod batch;
mod caps;
mod carry;
mod desk;
mod desk_jobs;
mod engine;
mod error;
mod homes;
mod jobs;
mod program;
mod rows;
mod schedules;
mod server;
mod sets;
mod store;
mod tenants;
mod wake;
mod whole;
mod wire;
mod worker;

pub use crm_bulk::Site;

pub use self::{
    accounts::{Accounts, AnyService, NoAccount, Variables},
    caps::Cap,
    carry::{Pulled, Pushed},
    desk::{DeskJob, DeskJobId, DeskTask, Home, Rows, TenantHome},
    error::FleetError,
    jobs::{DeskWorkload, Ended, Submission, Workload},
    program::CrmProgram,
    schedules::{Days, NoDays, NoTimeOfDay, Routine, Schedule, TimeOfDay, Times},
    server::Server,
    sets::{LateAnswer, Place, SetId, StoredSet},
    store::ServerStore,
    tenants::{Pause, TenantSets, Tenants},
    worker::Worker,
};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
