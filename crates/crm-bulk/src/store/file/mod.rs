//! A change set in its SQLite file.

mod backup;
mod block;
mod by_record;
mod by_text;
mod cautions;
mod change_set;
mod changes;
mod codes;
mod columns;
mod decisions;
mod draft;
mod file_store;
mod format;
mod handed_over;
mod handover;
mod moved;
mod names;
mod notes;
mod owner;
mod planned;
mod progress;
mod record;
mod repeats;
mod rows;
mod seal;
mod sql;
mod table;
#[cfg(test)]
pub(crate) mod test_sets;
mod totals;
mod version_1;
mod writer;

pub use self::{
    block::Block,
    change_set::ChangeSet,
    changes::{Changes, Selection},
    decisions::DropSummary,
    handover::{Arriving, Leaving},
    table::{Column, Holds, PLANNED, PROGRESS, TABLES, Table},
};
pub(crate) use self::{
    block::place,
    change_set::{NAMED, some_of},
    codes::{CREATE, DELETE, owner as owner_code, read_owner, read_time, state as state_code},
    columns::{CHANGES, ChangeColumns, STATE, owner_column, read_state, read_target},
    decisions::admit,
    draft::{Draft, Planned, Unread},
    file_store::FileStore,
    names::Nameless,
    progress::{Kept, NextProgress},
    record::STORED_AS,
    rows::InputRow,
    seal::{Comparison, SealedChange},
    sql::{asks_for_neighbours, ids},
};
