//! The SQLite files of this crate: change sets and snapshots.

#[macro_use]
mod columns;
mod new;
mod opened;

pub(crate) use self::{
    new::NewDatabase,
    opened::{Again, Database, Format},
};
