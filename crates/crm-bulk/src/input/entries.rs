//! Lists of numbers and addresses that opt out or in.

use std::io::BufReader;

use crm_models::{Check, ContactType, CreateContactRequest, email, phone};
use jiff::civil::Date;

use super::{Dialect, Input, invalid::BadCell, invalid::mask, is_ours};
use crate::BulkError;

/// What a number or an address has in common with every other way to write it.
pub(crate) fn key(value: &str) -> String {
    if value.contains('@') {
        email::key(value)
    } else {
        phone::key(value)
    }
}

/// One number or address of a list.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) line: u64,
    /// The whole row, as JSON.
    pub(crate) data: String,
    pub(crate) key: String,
}

/// An entry that is wrong.
pub(crate) struct BadEntry {
    pub(crate) line: u64,
    pub(crate) data: String,
    pub(crate) cells: Vec<BadCell>,
}

/// A list: its entries, or what is wrong with them.
pub(crate) struct Entries {
    pub(crate) header: Vec<String>,
    pub(crate) entries: Vec<Result<Entry, BadEntry>>,
}

/// Headers of the column with the number or address.
const VALUE: [&str; 7] = [
    "value", "number", "phone", "email", "e_mail", "address", "contact",
];
/// Headers of the column with the date on which the wish was received.
pub(crate) const RECEIVED: [&str; 4] = ["received", "date_received", "received_on", "date"];

/// Which column has one of these headers.
pub(crate) fn column(header: &[String], names: &[&str]) -> Option<usize> {
    header.iter().position(|header| {
        let header = header.trim().to_ascii_lowercase().replace([' ', '-'], "_");
        names.contains(&header.as_str())
    })
}

/// A date as people write it: 2026-11-23, also with a time behind, or 11/23/2026.
pub(crate) fn date(text: &str) -> Option<Date> {
    let text = text.trim();
    let day = text
        .get(..10)
        .filter(|day| day.contains('-'))
        .unwrap_or(text);
    day.parse()
        .ok()
        .or_else(|| Date::strptime("%m/%d/%Y", text).ok())
}

impl Entries {
    /// Reads a whole list: CSV with a header that names the value's column, or without a
    /// header and with the value first.
    pub(crate) fn read(input: Input) -> Result<Self, BulkError> {
        let name = input.name().to_owned();
        let dialect: Dialect = input.dialect().clone();
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(dialect.delimiter)
            .quote(dialect.quote)
            .from_reader(BufReader::new(input.into_reader()));
        let mut list = Self {
            header: Vec::new(),
            entries: Vec::new(),
        };
        let mut layout = None;
        for record in reader.byte_records() {
            let record = record.map_err(|e| BulkError::Input {
                name: name.clone(),
                reason: e.to_string(),
            })?;
            let line = record.position().map_or(0, csv::Position::line);
            let cells: Vec<_> = record.iter().map(String::from_utf8_lossy).collect();
            if cells.iter().all(|cell| cell.trim().is_empty()) {
                continue;
            }
            if layout.is_none() {
                let names: Vec<_> = cells.iter().map(ToString::to_string).collect();
                match column(&names, &VALUE) {
                    Some(value) => {
                        layout = Some((value, column(&names, &RECEIVED)));
                        list.header = names;
                        continue;
                    }
                    None => {
                        layout = Some((0, None));
                        list.header = (1..=cells.len()).map(|n| format!("column_{n}")).collect();
                        if let Some(first) = list.header.first_mut() {
                            "value".clone_into(first);
                        }
                    }
                }
            }
            let (value, received) = layout.unwrap_or((0, None));
            let kept: Vec<_> = cells
                .iter()
                .zip(
                    list.header
                        .iter()
                        .map(String::as_str)
                        .chain(std::iter::repeat("")),
                )
                .filter(|(_, header)| !is_ours(header))
                .map(|(cell, _)| cell)
                .collect();
            let data = serde_json::to_string(&kept).unwrap_or_default();
            let cell = |column: usize| cells.get(column).map_or("", |cell| cell.trim());
            let bad = bad_cells(line, cell(value), received.map(cell).unwrap_or_default());
            list.entries.push(if bad.is_empty() {
                Ok(Entry {
                    line,
                    data,
                    key: key(cell(value)),
                })
            } else {
                Err(BadEntry {
                    line,
                    data,
                    cells: bad,
                })
            });
        }
        list.header.retain(|header| !is_ours(header));
        Ok(list)
    }
}

fn bad_cells(line: u64, value: &str, received: &str) -> Vec<BadCell> {
    let mut bad = Vec::new();
    let contact_type = match value.contains('@') {
        true => ContactType::Email,
        false => ContactType::Phone,
    };
    if let Err(invalid) = CreateContactRequest::new(contact_type, value).check() {
        bad.extend(invalid.fields.into_iter().map(|field| BadCell {
            line,
            column: "value".to_owned(),
            value: mask(value),
            reason: field.message,
        }));
    }
    if !received.is_empty() && date(received).is_none() {
        bad.push(BadCell {
            line,
            column: "received".to_owned(),
            value: received.to_owned(),
            reason: "is no date; write it like 2026-11-23".to_owned(),
        });
    }
    bad
}
