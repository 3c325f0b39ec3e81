//! Lists of numbers and addresses that opt out or in.

mod columns;
mod dates;
mod delimiter;
mod entries;
mod options;
mod polarity;
mod roles;
mod status;
mod values;
mod wish;
mod words;

pub use self::{dates::DateOrder, options::MappedRole};
pub(crate) use self::{
    dates::{Moment, read as read_date},
    entries::{Entries, Entry, Kept, cells},
    options::ListOptions,
    values::Value,
    wish::Wish,
};
