//! The contacts part of the ServiceTitan CRM v2 API as a local server: OAuth
//! token endpoint, scopes, operations, strict rate limit, problem answers,
//! a request log and faults on request, on a SQLite database.
//!
//! Use it to test a client, to show one, or to write one without an account.
//! Do not use it to learn what the real service does where that is not
//! documented: there the sandbox takes the stricter choice, and a setting
//! switches to the other.
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
//! # The demo data
//!
//! Every value is invented. [`Seed::Demo`] always gives these ids:
//!
//! | Record | What it shows |
//! |---|---|
//! | tenant 1001 | client `cid.sandbox`, secret `cs1.sandbox`, app key `ak1.sandbox` |
//! | locations 2001 to 2011 | 2001 and 2002 belong to customer 1001 |
//! | location 2001, contact 3001 | mobile phone, memo, every preference on, seven fraction digits |
//! | … contact 3002 | e-mail, no memo, marketing off |
//! | … contact 3003 | fax |
//! | … contact 3004 | phone that opted out of text messages (`doNotText`) |
//! | … contact 3005 | e-mail with unknown (null) preferences |
//! | … contact 3006 | `createdOn` in year 1: unknown |
//! | … contact 3007 | deleted: 404, seen by the export feed only |
//! | location 2002, contact 3001 | another contact: ids are unique per owner only |
//! | customers 1001 to 1010 | 1001: contacts 4001 to 4003, 4004 deleted |
//! | `2135550177` | the same number on 3 customers, 4 locations and 2 people |
//! | bookings 6001, 6002 (provider 501), 6003 (provider 502) | contacts 6501 to 6504 |
//! | person `5e0c1a44-93b7-4d1f-8a26-000000000001` | methods, preferences, relationships to customer 1001 and location 2001 |
//! | person `5e0c1a44-93b7-4d1f-8a26-000000000004` | archived, without name |
//! | method `7b2d9f10-4e6a-4c58-b310-000000000001` | mobile phone of the first person |
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
//! - [`Seed`]: the data it starts with
//! - [`Settings`]: every switch, by name
//! - [`Clock`]: move the time
//! - [`FaultPlan`], [`FaultRule`], [`Fault`]: what goes wrong, and when
//! - [`LogEntry`], [`StoredContact`]: what was asked and what is stored

#![warn(missing_debug_implementations)]

mod admin;
mod app;
mod auth;
mod body;
mod builder;
mod clock;
mod connection;
mod contact_type;
mod dispatch;
mod error;
mod faults;
mod log;
mod openapi;
mod operation;
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

pub use builder::SandboxBuilder;
pub use clock::Clock;
pub use connection::Connection;
pub use error::SandboxError;
pub use faults::{Fault, FaultPlan, FaultRule};
pub use log::LogEntry;
pub use sandbox::Sandbox;
pub use seed::{InvalidSeed, Seed};
pub use settings::{Setting, SettingError, Settings};
pub use store::contacts::{StoredContact, StoredPreferences};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
