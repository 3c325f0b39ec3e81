//! The rows of a list, and what each says.

use std::io::Read as _;

use super::{
    columns::{self, Columns},
    dates::{DateOrder, Moment},
    delimiter,
    options::{ListOptions, is_named},
    values::{Value, may_hold_value, sole_value, values},
};
use crate::{
    clock,
    error::{BadCell, BulkError},
    input::{
        broken::{broken, still_broken},
        columns::is_ours,
        csv::{Lines, damage, next_record, other_width},
        dialect::{InputFormat, Marks},
        ndjson::Objects,
        source::{Input, Opened},
    },
    spreadsheet::unguarded,
};

impl ListOptions {
    /// A column that the user names and the list does not have.
    fn missing(&self, header: &[String], rows: &[Row]) -> Option<&str> {
        let has = |column: &str| {
            let cells = rows.iter().filter_map(|row| row.cells.as_ref().ok());
            let headers = cells.flatten().map(|(header, _)| header).chain(header);
            headers.into_iter().any(|header| is_named(header, column))
        };
        let mut columns = self.map.iter().map(|(_, column)| column.as_str());
        columns.find(|column| !rows.is_empty() && !has(column))
    }
}

/// One row of a list.
pub(crate) struct Entry {
    pub(crate) line: u64,
    /// The whole row, as JSON.
    pub(crate) data: String,
    /// The row's numbers and addresses, or what is wrong.
    pub(crate) values: Result<Vec<Value>, Vec<BadCell>>,
    /// When the row's wish was received.
    pub(crate) received: Option<Moment>,
}

/// A whole list.
pub(crate) struct Entries {
    pub(crate) header: Vec<String>,
    pub(crate) entries: Vec<Entry>,
    /// How its cells are told apart.
    pub(crate) marks: Marks,
    /// The headers of its columns with dates, and how those are read.
    pub(crate) received: Vec<String>,
    pub(crate) dates: DateOrder,
    /// Whether its rows say what people wish.
    pub(crate) has_status: bool,
}

/// A row before its columns are known.
struct Row {
    line: u64,
    data: String,
    cells: Result<Vec<(String, String)>, Vec<BadCell>>,
}

impl Entries {
    /// Reads a whole list: CSV with a header that names the columns with values, or without a
    /// header and with the value first; NDJSON with such members.
    pub(crate) fn read(input: Input, options: &ListOptions) -> Result<Self, BulkError> {
        match input.format() {
            InputFormat::Csv => Self::of_csv(input, options),
            InputFormat::Ndjson => Self::of_ndjson(input, options),
        }
    }

    fn of(
        name: String,
        marks: Marks,
        header: Vec<String>,
        rows: Vec<Row>,
        options: &ListOptions,
        has_header: bool,
    ) -> Result<Self, BulkError> {
        if let Some(column) = options.missing(&header, &rows) {
            let reason = format!("it has no column `{column}`, which --map names");
            return Err(BulkError::Input { name, reason });
        }
        let reader = options.reader;
        let cells = rows.iter().filter_map(|row| row.cells.as_deref().ok());
        let columns = Columns::of(cells, options, clock::today());
        let entries = rows.into_iter().map(|row| {
            let read = row.cells.and_then(|cells| {
                if has_header {
                    values(row.line, &cells, &columns, reader)
                } else {
                    sole_value(row.line, &cells, reader)
                }
            });
            let (values, received) = match read {
                Ok((values, received)) => (Ok(values), received),
                Err(bad) => (Err(bad), None),
            };
            Entry { line: row.line, data: row.data, values, received }
        });
        Ok(Self {
            entries: entries.collect(),
            header,
            marks,
            received: columns.received().into_iter().map(str::to_owned).collect(),
            dates: columns.order(),
            has_status: columns.has_status(),
        })
    }

    fn of_csv(input: Input, options: &ListOptions) -> Result<Self, BulkError> {
        let Opened { name, mut dialect, mut reader, .. } = input.opened()?;
        let mut text = Vec::new();
        let read = reader.read_to_end(&mut text);
        read.map_err(|error| BulkError::Input { name: name.clone(), reason: error.to_string() })?;
        if !dialect.says_delimiter {
            let found = delimiter::find(&text, &dialect, options);
            dialect.marks.delimiter =
                found.map_err(|reason| BulkError::Input { name: name.clone(), reason })?;
        }
        let mut lines = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(dialect.marks.delimiter)
            .quote(dialect.marks.quote)
            .from_reader(Lines::new(text.as_slice(), &dialect));
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
                // A cell that contains a value is not a header, even if it ends in such a word:
                // `jo@site.email`.
                let holds_value = |cell: &String| may_hold_value(cell);
                let headers: Vec<_> = cells.iter().map(String::as_str).collect();
                let roles = columns::roles(&headers, options);
                let names_values = roles.iter().any(|role| role.is_value());
                if names_values && !cells.iter().any(holds_value) {
                    if let Some(reason) = damage {
                        let reason = format!("the header: {reason}");
                        return Err(BulkError::Input { name, reason });
                    }
                    header = Some(cells);
                    continue;
                }
                if !cells.first().is_some_and(holds_value) {
                    let found: Vec<_> = cells.iter().map(|cell| cell.trim()).take(30).collect();
                    let reason = format!(
                        "the first line is neither a number or an address nor does it name a \
                         column with them: value, phone, mobile, email; it has: {}; say what they \
                         hold: --map phone=COLUMN,email=COLUMN, and take out what stands above \
                         the header",
                        found.join(", ")
                    );
                    return Err(BulkError::Input { name, reason });
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
        let rows = rows.into_iter().map(|(line, cells, damage)| {
            let width = cells.len();
            // The cells that this crate adds are at the end, even after surplus cells.
            let too_many = width.saturating_sub(header.len());
            let headers = std::iter::repeat_n("", too_many)
                .chain(header.iter().map(String::as_str))
                .map(str::to_owned);
            let (added, row): (Vec<_>, Vec<_>) =
                headers.zip(cells).partition(|(header, _)| is_ours(header));
            let told = || added.iter().find_map(|(header, text)| still_broken(header, text));
            let cells: Vec<_> = row.iter().map(|(_, cell)| cell).collect();
            let data = serde_json::to_string(&cells).unwrap_or_default();
            let unguarded = |(header, cell): (String, String)| {
                let cell = unguarded(cell.trim()).to_owned();
                (header, cell)
            };
            let cells = match damage.or_else(told) {
                Some(reason) => Err(broken(line, &reason)),
                None if named && too_many > 0 => {
                    Err(broken(line, &other_width(width, header.len())))
                }
                None => Ok(row.into_iter().map(unguarded).collect()),
            };
            Row { line, data, cells }
        });
        let rows = rows.collect();
        let header = header.into_iter().filter(|header| !is_ours(header));
        Self::of(name, dialect.marks, header.collect(), rows, options, named)
    }

    fn of_ndjson(input: Input, options: &ListOptions) -> Result<Self, BulkError> {
        let opened = input.opened()?;
        let name = opened.name;
        let mut objects = Objects::new(name.clone(), opened.reader);
        let mut rows = Vec::new();
        while let Some(read) = objects.next()? {
            rows.push(match read {
                Ok((line, object)) => Row {
                    line,
                    data: serde_json::to_string(&object).unwrap_or_default(),
                    cells: Ok(object.cells()),
                },
                Err(unreadable) => Row {
                    line: unreadable.line,
                    data: unreadable.data,
                    cells: Err(broken(unreadable.line, &unreadable.reason)),
                },
            });
        }
        let marks = opened.dialect.marks;
        Self::of(name, marks, Vec::new(), rows, options, true)
    }
}
