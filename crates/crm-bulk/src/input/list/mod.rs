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
    entries::{Entries, Entry},
    options::ListOptions,
    values::Value,
    wish::Wish,
};
use super::{dialect::InputFormat, object::Object};

/// The cells of a row as a set keeps it, each with its header.
pub(crate) fn cells(format: InputFormat, header: &[String], data: &str) -> Vec<(String, String)> {
    match format {
        InputFormat::Csv => {
            let cells: Vec<String> = serde_json::from_str(data).unwrap_or_default();
            header.iter().cloned().zip(cells).collect()
        }
        InputFormat::Ndjson => {
            let row = serde_json::from_str::<Object>(data);
            row.map(|row| row.cells()).unwrap_or_default()
        }
    }
}
