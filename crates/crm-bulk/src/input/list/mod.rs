//! Lists of numbers and addresses that opt out or in.

mod channels;
mod columns;
mod dates;
mod delimiter;
mod entries;
mod labels;
mod limits;
mod names;
mod options;
mod parts;
mod polarity;
mod returns;
mod roles;
mod said;
mod status;
mod stops;
mod told;
mod values;
mod vocabulary;
mod whole;
mod wish;
mod words;

pub use self::{
    dates::DateOrder,
    options::{ListOptions, MappedRole},
    whole::{List, ListRow, ListedValue},
    wish::Wish,
};
pub(crate) use self::{
    dates::{Moment, read as read_date},
    entries::{Entries, Entry, Kept, cells},
    names::is_named_against,
    values::Value,
};
