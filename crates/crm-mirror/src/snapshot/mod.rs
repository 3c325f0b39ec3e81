//! A file of all contacts of a tenant, to select from and to compare with.

mod by_owner;
mod coverage;
mod file;
mod keys;
mod look_up;
#[cfg(test)]
mod tests;
mod unreadable;
mod update;

pub use self::{coverage::Coverage, file::Snapshot};
pub use self::{keys::Keyed, look_up::Known};
