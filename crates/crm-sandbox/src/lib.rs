//! The contacts part of the ServiceTitan CRM v2 API as a local server: OAuth token endpoint,
//! scopes, operations, a strict rate limit, problem answers, a request log and faults on request,
//! on a SQLite database.
//!
//! Use it to test a client, to demonstrate one, or to write one without an account. Do not use it
//! to learn what the real service does where that is not documented: there the sandbox makes the
//! stricter choice, and a setting switches to the other.
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! use crm_sandbox::{Fault, FaultPlan, FaultRule, Sandbox};
//!
//! let sandbox = Sandbox::start().await?;
//! println!("API at {}", sandbox.connection().api_url);
//!
//! sandbox.set("rate-limit", "0")?;
//! sandbox.inject(FaultPlan::new().rule(FaultRule::new(Fault::LostAnswer).nth(3)));
//! // … run the client …
//! for request in sandbox.log() {
//!     println!("{} {} {}", request.method, request.path, request.status);
//! }
//! # Ok::<(), crm_sandbox::SandboxError>(()) }).unwrap();
//! ```
//!
//! # The database
//!
//! One SQLite database holds one tenant: in memory, or in the file given to
//! [`SandboxBuilder::data`]. [`Sandbox::copy_database`] writes a copy.
//!
//! ```sql
#![doc = include_str!("store/schema.sql")]
//! ```
//!
//! # Map
//!
//! - [`Sandbox`], [`SandboxBuilder`], [`Connection`]: start, steer and stop
//! - [`Seed`]: the data it starts with; the README lists the ids of the demo data
//! - [`NewContact`], [`NewPerson`], [`NewMethod`]: records of your own, also while it runs
//! - [`Settings`]: every switch, by name
//! - [`Clock`]: move the time
//! - [`FaultPlan`], [`FaultRule`], [`Fault`]: what goes wrong, and when
//! - [`LogEntry`]: what was asked
//! - [`StoredContact`], [`StoredPerson`], [`StoredMethod`]: what is stored

#![warn(missing_debug_implementations)]

mod admin;
mod app;
mod auth;
mod body;
mod builder;
mod change;
mod clock;
mod connection;
mod contact_type;
mod dispatch;
mod error;
mod faults;
mod fixtures;
mod flags;
mod lock;
mod log;
mod openapi;
mod operation;
mod parameter;
mod path;
mod problem;
mod query;
mod rate_limit;
mod routes;
mod sandbox;
mod seed;
mod server;
pub mod settings;
mod store;
mod time_text;
mod tokens;
mod visitor;

pub use builder::SandboxBuilder;
pub use clock::Clock;
pub use connection::Connection;
pub use error::{InvalidFaultPlan, SandboxError};
pub use faults::{Fault, FaultKind, FaultPlan, FaultRule};
pub use fixtures::{NewContact, NewMethod, NewPerson};
pub use flags::StoredPreferences;
pub use log::LogEntry;
pub use sandbox::Sandbox;
pub use seed::{InvalidSeed, Seed};
pub use settings::{Setting, SettingError, Settings};
pub use store::{contacts::StoredContact, methods::StoredMethod, people::StoredPerson};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
