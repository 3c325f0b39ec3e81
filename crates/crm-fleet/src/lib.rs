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
//! ```

#![cfg_attr(docsrs, feature(doc_cfg))]
#![warn(missing_debug_implementations)]

mod batch;
mod carry;
mod engine;
mod error;
mod jobs;
mod rows;
mod server;
mod sets;
mod store;
mod tenants;
mod whole;
mod wire;
mod worker;

pub use crm_bulk::Site;

pub use self::{
    carry::{Pulled, Pushed},
    error::FleetError,
    jobs::{Ended, Submission, Workload},
    server::Server,
    sets::{LateAnswer, Place, SetId, StoredSet},
    store::ServerStore,
    tenants::{Pause, TenantSets, Tenants},
    worker::{Accounts, AnyService, NoAccount, Worker},
};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
