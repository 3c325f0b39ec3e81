//! Lists of numbers and addresses that opt out or in.

use crm_values::PhoneReader;

use super::{
    Input, InputFormat, Marks, Opened,
    csv::{damage, other_width},
    headers::Holds,
    invalid::{BadCell, broken, still_broken},
    is_ours,
    lines::{Lines, next_record},
    ndjson::Objects,
    object::Object,
    values::{may_hold_value, sole_value, values},
};
use crate::{BulkError, reading::Keys};

/// One row of a list.
pub(crate) struct Entry {
    pub(crate) line: u64,
    /// The whole row, as JSON.
    pub(crate) data: String,
    /// Its numbers and addresses, each with the name of its column; or what is wrong.
    pub(crate) values: Result<Vec<(String, Keys)>, Vec<BadCell>>,
}

/// A whole list.
pub(crate) struct Entries {
    pub(crate) marks: Marks,
    pub(crate) header: Vec<String>,
    pub(crate) entries: Vec<Entry>,
}

impl Entries {
    /// Reads a whole list: CSV with a header that names the columns with values, or without a
    /// header and with the value first; NDJSON with such members.
    pub(crate) fn read(input: Input, reader: PhoneReader) -> Result<Self, BulkError> {
        match input.format() {
            InputFormat::Csv => Self::of_csv(input, reader),
            InputFormat::Ndjson => Self::of_ndjson(input, reader),
        }
    }

    fn of_csv(input: Input, reader: PhoneReader) -> Result<Self, BulkError> {
        let Opened {
            name,
            dialect,
            reader: text,
            ..
        } = input.opened()?;
        let mut lines = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(dialect.marks.delimiter)
            .quote(dialect.marks.quote)
            .from_reader(Lines::new(text, &dialect));
        let mut record = csv::ByteRecord::new();
        let mut header: Option<Vec<String>> = None;
        let mut rows = Vec::new();
        while let Some(place) = next_record(&mut lines, &mut record, &name)? {
            let cells = record.iter().map(String::from_utf8_lossy);
            let cells: Vec<_> = cells.map(std::borrow::Cow::into_owned).collect();
            if cells.iter().all(|cell| cell.trim().is_empty()) {
                continue;
            }
            let damage = damage(&record, &place);
            if rows.is_empty() && header.is_none() {
                // What holds a value itself is none, though it ends in such a word: `jo@site.email`.
                let holds_value = |cell: &String| may_hold_value(cell);
                let names_values = cells.iter().any(|cell| Holds::of(cell).is_value());
                if names_values && !cells.iter().any(holds_value) {
                    if let Some(reason) = damage {
                        let reason = format!("the header: {reason}");
                        return Err(BulkError::Input { name, reason });
                    }
                    header = Some(cells);
                    continue;
                }
                if !cells.first().is_some_and(holds_value) {
                    let reason = "the first line is neither a number or an address nor does it \
                        name a column with them: value, phone, mobile, email";
                    return Err(BulkError::Input {
                        name,
                        reason: reason.to_owned(),
                    });
                }
            }
            rows.push((place.line, cells, damage));
        }
        let named = header.is_some();
        let header = header.unwrap_or_else(|| {
            let widest = rows.iter().map(|(_, cells, _)| cells.len()).max();
            let further = (2..=widest.unwrap_or(1)).map(|n| format!("column_{n}"));
            std::iter::once("value".to_owned()).chain(further).collect()
        });
        let entries = rows.into_iter().map(|(line, cells, damage)| {
            let width = cells.len();
            // What this crate adds stands at the end, behind cells too many as well.
            let too_many = width.saturating_sub(header.len());
            let headers = std::iter::repeat_n("", too_many)
                .chain(header.iter().map(String::as_str))
                .map(str::to_owned);
            let (added, row): (Vec<_>, Vec<_>) =
                headers.zip(cells).partition(|(header, _)| is_ours(header));
            let told = || {
                added
                    .iter()
                    .find_map(|(header, text)| still_broken(header, text))
            };
            let cells: Vec<_> = row.iter().map(|(_, cell)| cell).collect();
            let data = serde_json::to_string(&cells).unwrap_or_default();
            let values = match (damage.or_else(told), named) {
                (Some(reason), _) => Err(broken(line, &reason)),
                (None, true) if too_many > 0 => {
                    Err(broken(line, &other_width(width, header.len())))
                }
                (None, true) => values(line, &row, reader),
                (None, false) => sole_value(line, &row, reader),
            };
            Entry { line, data, values }
        });
        Ok(Self {
            marks: dialect.marks,
            entries: entries.collect(),
            header: header
                .iter()
                .filter(|header| !is_ours(header))
                .cloned()
                .collect(),
        })
    }

    fn of_ndjson(input: Input, reader: PhoneReader) -> Result<Self, BulkError> {
        let opened = input.opened()?;
        let mut objects = Objects::new(opened.name, opened.reader);
        let mut entries = Vec::new();
        while let Some(read) = objects.next()? {
            entries.push(match read {
                Ok((line, object)) => Entry {
                    line,
                    values: values(line, &object.cells(), reader),
                    data: serde_json::to_string(&object).unwrap_or_default(),
                },
                Err(unreadable) => Entry {
                    line: unreadable.line,
                    values: Err(broken(unreadable.line, &unreadable.reason)),
                    data: unreadable.data,
                },
            });
        }
        Ok(Self {
            marks: opened.dialect.marks,
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
        InputFormat::Ndjson => {
            let row = serde_json::from_str::<Object>(data);
            row.map(|row| row.cells()).unwrap_or_default()
        }
    }
}
