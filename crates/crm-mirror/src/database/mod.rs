//! SQLite files: a snapshot, a change set.

#[macro_use]
mod columns;
mod new;
mod opened;

pub use self::{
    new::NewDatabase,
    opened::{Again, Database, Format},
};
