//! Lists of numbers and addresses that opt out or in.

use std::io::BufReader;

use crm_models::{email, phone};
use jiff::civil::Date;

use super::{
    Input, InputFormat, NdjsonRows, Object,
    invalid::{BadCell, whole},
    is_ours,
};
use crate::BulkError;

/// What a number or an address has in common with every other way to write it.
pub(crate) fn key(value: &str) -> String {
    if value.contains('@') {
        email::key(value)
    } else {
        phone::key(value)
    }
}

/// One row of a list.
pub(crate) struct Entry {
    pub(crate) line: u64,
    /// The whole row, as JSON.
    pub(crate) data: String,
    /// Its numbers and addresses, each with the name of its column; or what is wrong.
    pub(crate) values: Result<Vec<(String, String)>, Vec<BadCell>>,
}

/// A whole list.
pub(crate) struct Entries {
    pub(crate) header: Vec<String>,
    pub(crate) entries: Vec<Entry>,
}

/// Headers of columns with numbers or addresses; those of the second list may have more words
/// before and a number behind, as in `home_phone` and `Email 2`.
const VALUE: [&str; 5] = ["value", "number", "tel", "mail", ADDRESS];
const VALUE_ENDS: [&str; 10] = [
    "phone",
    "mobile",
    "cell",
    "fax",
    "phone_number",
    "mobile_number",
    "cell_number",
    "fax_number",
    "email",
    "e_mail",
];
/// What stands below it counts only when it is one of e-mail: it may be where somebody lives.
const ADDRESS: &str = "address";
const EMAIL_ADDRESS: [&str; 2] = ["email_address", "e_mail_address"];
/// Headers of the column with the date on which the wish was received.
const RECEIVED: [&str; 4] = ["received", "date_received", "received_on", "date"];

/// How many digits a number has, without an extension: seven within a city, 15 with its country.
const DIGITS: std::ops::RangeInclusive<usize> = 7..=15;

/// A header as it is compared.
fn plain(header: &str) -> String {
    let header = header.trim().to_ascii_lowercase().replace([' ', '-'], "_");
    let header = header.trim_end_matches(|c: char| c.is_ascii_digit() || c == '_');
    header.to_owned()
}

fn is_value(header: &str) -> bool {
    let header = plain(header);
    VALUE.contains(&header.as_str())
        || VALUE_ENDS.iter().any(|name| header.ends_with(name))
        || EMAIL_ADDRESS.iter().any(|name| header.ends_with(name))
}

/// When the wish of a row was received, as the row says it.
pub(crate) fn received(row: &[(String, String)]) -> Option<&(String, String)> {
    row.iter()
        .find(|(header, _)| RECEIVED.contains(&plain(header).as_str()))
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
    /// Reads a whole list: CSV with a header that names the columns with values, or without a
    /// header and with the value first; NDJSON with such members.
    pub(crate) fn read(input: Input) -> Result<Self, BulkError> {
        match input.format() {
            InputFormat::Csv => Self::of_csv(input),
            InputFormat::Ndjson => Self::of_ndjson(input),
        }
    }

    fn of_csv(input: Input) -> Result<Self, BulkError> {
        let (name, dialect) = (input.name().to_owned(), input.dialect().clone());
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(dialect.delimiter)
            .quote(dialect.quote)
            .from_reader(BufReader::new(input.into_reader()));
        let mut header: Option<Vec<String>> = None;
        let mut rows = Vec::new();
        for record in reader.byte_records() {
            let record = record.map_err(|e| BulkError::Input {
                name: name.clone(),
                reason: e.to_string(),
            })?;
            let line = record.position().map_or(0, csv::Position::line);
            let cells = record.iter().map(String::from_utf8_lossy);
            let cells: Vec<_> = cells.map(std::borrow::Cow::into_owned).collect();
            if cells.iter().all(|cell| cell.trim().is_empty()) {
                continue;
            }
            if rows.is_empty() && header.is_none() {
                if cells.iter().any(|cell| is_value(cell)) {
                    header = Some(cells);
                    continue;
                }
                if cells.first().is_none_or(|cell| check(cell).is_err()) {
                    let reason = "the first line is neither a number or an address nor does it \
                        name a column with them: value, phone, mobile, email";
                    return Err(BulkError::Input {
                        name,
                        reason: reason.to_owned(),
                    });
                }
            }
            rows.push((line, cells));
        }
        let named = header.is_some();
        let header = header.unwrap_or_else(|| {
            let widest = rows.iter().map(|(_, cells)| cells.len()).max();
            let further = (2..=widest.unwrap_or(1)).map(|n| format!("column_{n}"));
            std::iter::once("value".to_owned()).chain(further).collect()
        });
        let entries = rows.into_iter().map(|(line, cells)| {
            let width = cells.len();
            let kept = header
                .iter()
                .cloned()
                .chain(std::iter::repeat(String::new()));
            let row: Vec<_> = kept
                .zip(cells)
                .filter(|(header, _)| !is_ours(header))
                .collect();
            let cells: Vec<_> = row.iter().map(|(_, cell)| cell).collect();
            let data = serde_json::to_string(&cells).unwrap_or_default();
            let values = match named {
                true if width > header.len() => Err(whole(
                    line,
                    format!("has {width} cells, the header has {}", header.len()),
                )),
                true => values(line, &row),
                false => sole_value(line, &row),
            };
            Entry { line, data, values }
        });
        Ok(Self {
            entries: entries.collect(),
            header: header
                .iter()
                .filter(|header| !is_ours(header))
                .cloned()
                .collect(),
        })
    }

    fn of_ndjson(input: Input) -> Result<Self, BulkError> {
        let mut rows = NdjsonRows::new(input.name().to_owned(), input.into_reader());
        let mut entries = Vec::new();
        while let Some(read) = rows.next()? {
            entries.push(match read {
                Ok(row) => Entry {
                    line: row.line,
                    values: values(row.line, &cells(InputFormat::Ndjson, &[], row.data)),
                    data: row.data.to_owned(),
                },
                Err(unreadable) => Entry {
                    line: unreadable.line,
                    values: Err(whole(unreadable.line, unreadable.reason)),
                    data: unreadable.data,
                },
            });
        }
        Ok(Self {
            header: Vec::new(),
            entries,
        })
    }
}

/// The cells of a row as a set keeps it, each with its header.
pub(crate) fn cells(format: InputFormat, header: &[String], data: &str) -> Vec<(String, String)> {
    match format {
        InputFormat::Csv => {
            let cells: Vec<String> = serde_json::from_str(data).unwrap_or_default();
            header.iter().cloned().zip(cells).collect()
        }
        InputFormat::Ndjson => serde_json::from_str::<Object>(data)
            .map(|row| row.texts().map(|(n, t)| (n.to_owned(), t)).collect())
            .unwrap_or_default(),
    }
}

/// The values of a row with named columns.
fn values(line: u64, row: &[(String, String)]) -> Result<Vec<(String, String)>, Vec<BadCell>> {
    let named: Vec<_> = row
        .iter()
        .filter(|(header, cell)| is_value(header) && !cell.trim().is_empty())
        .collect();
    let may_be_a_street = |header: &str| plain(header) == ADDRESS;
    let elsewhere = named.iter().any(|(header, _)| !may_be_a_street(header));
    let mut found = Vec::new();
    let mut bad = Vec::new();
    for (header, cell) in named {
        let of_email = plain(header).ends_with("mail") || plain(header).ends_with(ADDRESS);
        let checked = match of_email {
            true if may_be_a_street(header) && elsewhere && !cell.contains('@') => continue,
            true => email::check(cell.trim()),
            false => check(cell),
        };
        match checked {
            Ok(()) => found.push((header.clone(), key(cell))),
            Err(reason) => bad.push(bad_cell(line, header, cell, reason)),
        }
    }
    if found.is_empty() && bad.is_empty() {
        bad = whole(line, "names no number and no address".to_owned());
    }
    if let Some((header, cell)) = received(row)
        && !cell.trim().is_empty()
        && date(cell).is_none()
    {
        bad.push(BadCell {
            personal: false,
            ..bad_cell(line, header, cell, "is no date; write it like 2026-11-23")
        });
    }
    if bad.is_empty() { Ok(found) } else { Err(bad) }
}

/// The value of a row without named columns: the first cell, if no other looks like one.
fn sole_value(line: u64, row: &[(String, String)]) -> Result<Vec<(String, String)>, Vec<BadCell>> {
    let Some(((header, first), others)) = row.split_first() else {
        return Ok(Vec::new());
    };
    if let Err(reason) = check(first) {
        return Err(vec![bad_cell(line, header, first, reason)]);
    }
    if let Some((header, other)) = others.iter().find(|(_, cell)| looks_like_value(cell)) {
        let reason = "may be meant too: name the columns in a first line";
        return Err(vec![bad_cell(line, header, other, reason)]);
    }
    Ok(vec![(header.clone(), key(first))])
}

/// Whether a number or an address may be meant: no date, no id of a few digits.
fn looks_like_value(cell: &str) -> bool {
    let long = cell.contains('@') || key(cell).len() >= 10;
    long && check(cell).is_ok() && date(cell).is_none()
}

fn check(value: &str) -> Result<(), &'static str> {
    let value = value.trim();
    if value.contains('@') {
        return email::check(value);
    }
    phone::check(value)?;
    match DIGITS.contains(&phone::key(value).len()) {
        true => Ok(()),
        false => Err("is no telephone number: those have 7 to 15 digits"),
    }
}

fn bad_cell(line: u64, header: &str, cell: &str, reason: &str) -> BadCell {
    BadCell {
        line,
        column: header.to_owned(),
        value: cell.trim().to_owned(),
        reason: reason.to_owned(),
        personal: true,
    }
}
