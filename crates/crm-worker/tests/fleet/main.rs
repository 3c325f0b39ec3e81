//! The fleet as it is judged: several workers, many tenants, and everything dies again and again. Small by
//! default; "The whole fleet" in the book says how large it can be made, and what that takes.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod chaos;
#[path = "../../../crm-fleet/tests/common/mod.rs"]
mod common;
mod figures;
mod fleet;
mod pace;
mod redis;
mod tenants;
mod workers;

/// What the variable `CRM_FLEET_…` says, else what is usual.
fn number(name: &str, usual: u64) -> u64 {
    let name = format!("CRM_FLEET_{name}");
    let told = std::env::var(&name).ok();
    told.map_or(usual, |text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}
