//! A change set in its SQLite file.

mod change_set;
mod changes;
mod columns;
mod draft;
mod file_store;
mod format;
mod owner;
mod repeats;
mod rows;
mod seal;
mod sql;
#[cfg(test)]
mod test_sets;
mod writer;

pub use self::{
    change_set::ChangeSet,
    changes::{Changes, Selection},
};
pub(crate) use self::{
    change_set::some_of,
    columns::{ChangeColumns, owner_column, read_state},
    draft::{Draft, Planned, Unread},
    file_store::FileStore,
    seal::SealedChange,
};
