//! The rows of a list, and what each says.

use std::{
    borrow::Cow,
    io::{Cursor, Read},
};

use crm_values::PhoneReader;
use csv::ByteRecord;

use super::{
    columns::{self, Cell, Columns, Survey, Tool},
    dates::DateOrder,
    delimiter,
    labels::is_label,
    options::{ListOptions, is_named},
    roles::Role,
    values::{Value, is_listed, may_hold_value, sole_value, values},
    wish::Wish,
    words::words,
};
use crate::{
    clock,
    error::{BadCell, BulkError, excerpt},
    input::{
        broken::{broken, still_broken},
        columns::is_ours,
        csv::{self as kept, Lines, Place, damage, next_record, other_width},
        dialect::{InputFormat, Marks},
        ndjson::Objects,
        object::Object,
        source::{Input, Opened},
    },
    spreadsheet::unguarded,
};

/// How many bytes of a list show what separates its cells: more than the rows that are looked at
/// have in any export.
const SHOWING: u64 = 1 << 20;

/// A row as a set keeps it.
pub(crate) struct Kept<'a> {
    pub(crate) line: u64,
    /// The whole row: a record of CSV, or a JSON object.
    pub(crate) data: &'a str,
    /// What is wrong with a row that cannot be split into cells.
    pub(crate) broken: Option<Vec<BadCell>>,
}

/// What a row says.
pub(crate) struct Entry {
    /// Its numbers and addresses.
    pub(crate) values: Vec<Value>,
    /// The words in which it says so, where, and to whom.
    pub(crate) words: Option<String>,
    pub(crate) place: Option<String>,
    pub(crate) taken_by: Option<String>,
}

/// How the rows of a list are read. The rows themselves are kept elsewhere: a list may be longer
/// than there is memory, and only all its cells together say what a column holds.
pub(crate) struct Entries {
    pub(crate) header: Vec<String>,
    /// How its cells are told apart.
    pub(crate) marks: Marks,
    /// How its dates are read.
    pub(crate) dates: DateOrder,
    /// Whether its rows say what people wish.
    pub(crate) has_status: bool,
    format: InputFormat,
    columns: Columns,
    /// Whether a header names its columns.
    is_named: bool,
    reader: PhoneReader,
}

impl Entries {
    /// Reads a whole list: CSV with a header that names the columns with values, or without a
    /// header and with the value first; NDJSON with such members. Each row is handed to `keep`.
    pub(crate) fn read(
        input: Input,
        options: &ListOptions,
        mut keep: impl FnMut(Kept<'_>) -> Result<(), BulkError>,
    ) -> Result<Self, BulkError> {
        let (name, format) = (input.name().to_owned(), input.format());
        let mut survey = Survey::new(clock::in_utc());
        let mut has_rows = false;
        let mut keep = |kept: Kept<'_>| {
            has_rows = true;
            keep(kept)
        };
        let (marks, header, is_named) = match format {
            InputFormat::Csv => read_csv(input, options, &mut survey, &mut keep)?,
            InputFormat::Ndjson => (read_ndjson(input, &mut survey, &mut keep)?, Vec::new(), true),
        };
        if let Some(column) = options.missing(&header, &survey).filter(|_| has_rows) {
            let reason = format!("it has no column `{column}`, which --map names");
            return Err(BulkError::Input { name, reason });
        }
        let columns = Columns::of(&survey, options);
        if let Some((line, text)) = survey.heading().filter(|_| !columns.has_status()) {
            let reason = format!(
                "line {line} has `{}` and nothing else, as if it were above a list of its own: put each \
                 list into a file, or take the line out",
                excerpt(text)
            );
            return Err(BulkError::Input { name, reason });
        }
        Ok(Self {
            header,
            marks,
            dates: columns.order(),
            has_status: columns.has_status(),
            format,
            columns,
            is_named,
            reader: options.reader,
        })
    }

    /// The tool of which the list comes, if its headers tell.
    pub(super) fn tool(&self) -> Option<&'static Tool> {
        self.columns.tool()
    }

    /// Sets what rows mean that have no status.
    pub(crate) fn unsaid_means(&mut self, wish: Wish) {
        self.columns.unsaid = wish;
    }

    /// The columns that are read, each with what it holds, in their order.
    pub(super) fn read_columns(&self) -> Vec<(String, &'static str)> {
        let read = self.columns.read().map(|(header, holds)| (header.to_owned(), holds));
        let mut read: Vec<_> = read.collect();
        read.sort_by_cached_key(|(header, _)| self.place(header));
        read
    }

    /// The headers of its columns with dates of a wish, those that speak of it most plainly first.
    pub(crate) fn received(&self, wish: Wish) -> Vec<String> {
        self.columns.dated(wish).map(|(header, _)| header.to_owned()).collect()
    }

    /// The columns that are not read, those of wishes about other channels or the others, in their
    /// order.
    pub(crate) fn unread_columns(&self, elsewhere: bool) -> Vec<String> {
        let mut unread: Vec<_> = self.columns.unread(elsewhere).map(str::to_owned).collect();
        unread.sort_by_cached_key(|header| self.place(header));
        unread
    }

    /// Where a column stands; of NDJSON nobody can say.
    fn place(&self, column: &str) -> Option<usize> {
        self.header.iter().position(|header| header == column)
    }

    /// What a row says that was kept whole, or what is wrong with it.
    pub(crate) fn entry(&self, line: u64, data: &str) -> Result<Entry, Vec<BadCell>> {
        let cells = with_headers(self.format, &self.header, data);
        if self.is_cut(cells.len()) {
            return Err(broken(line, &other_width(cells.len(), self.header.len())));
        }
        let text = |cell| match self.format {
            InputFormat::Csv => unguarded(str::trim(cell)),
            InputFormat::Ndjson => cell,
        };
        let row = self.columns.row(cells.iter().map(|(header, cell)| (&**header, text(cell))));
        let values = if self.is_named {
            values(line, &row, &self.columns, self.reader)?
        } else {
            sole_value(line, &row, &self.columns, self.reader)?
        };
        let words = self.columns.words(&row);
        let (place, taken_by) = (first(&row, Role::Place), first(&row, Role::TakenBy));
        Ok(Entry { values, words, place, taken_by })
    }
}

impl Entries {
    /// Whether a row of so many cells is cut short before it has said what its person wishes.
    fn is_cut(&self, cells: usize) -> bool {
        let mut lacks = self.header.iter().skip(cells);
        self.is_named && lacks.any(|header| self.columns.must_have(header))
    }
}

/// What the first filled cell of a row holds whose column has this role.
fn first(row: &[Cell<'_>], role: Role) -> Option<String> {
    let mut cells = row.iter().filter(|cell| cell.column.role == role);
    let cell = cells.find(|cell| !cell.text.trim().is_empty())?;
    Some(cell.text.trim().to_owned())
}

impl ListOptions {
    /// A column that the user names and the list does not have.
    fn missing(&self, header: &[String], survey: &Survey) -> Option<&str> {
        let mut columns = self.map.iter().map(|(_, column)| column.as_str());
        columns.find(|column| {
            let mut headers = survey.headers().chain(header.iter().map(String::as_str));
            !headers.any(|header| is_named(header, column))
        })
    }
}

/// Reads all rows of CSV: how its cells are told apart, what its columns are called, and whether
/// that is by a header of its own.
fn read_csv(
    input: Input,
    options: &ListOptions,
    survey: &mut Survey,
    keep: &mut impl FnMut(Kept<'_>) -> Result<(), BulkError>,
) -> Result<(Marks, Vec<String>, bool), BulkError> {
    let Opened { name, mut dialect, mut reader, .. } = input.opened()?;
    let refuse = |reason: String| BulkError::Input { name: name.clone(), reason };
    let mut beginning = Vec::new();
    let read = (&mut reader).take(SHOWING).read_to_end(&mut beginning);
    read.map_err(|error| refuse(error.to_string()))?;
    if !dialect.says_delimiter {
        let found = delimiter::find(whole_lines(&beginning), &dialect, options);
        dialect.marks.delimiter = found.map_err(refuse)?;
    }
    let mut lines = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(dialect.marks.delimiter)
        .quote(dialect.marks.quote)
        .from_reader(Lines::new(Cursor::new(beginning).chain(reader), &dialect));
    let mut record = ByteRecord::new();
    let mut next = |record: &mut ByteRecord| loop {
        let place = next_record(&mut lines, record, &name)?;
        // Spreadsheet programs leave such records: `,,,`.
        let is_blank = |cell: &[u8]| String::from_utf8_lossy(cell).trim().is_empty();
        if place.is_none() || !record.iter().all(is_blank) {
            return Ok::<_, BulkError>(place);
        }
    };
    let mut place = next(&mut record)?;
    let own = match &place {
        Some(place) => header(&record, place, options).map_err(refuse)?,
        None => None,
    };
    let mut is_below_title = own.as_ref().map_or_else(
        || !record_cells(&record).next().is_some_and(|cell| is_listed(&cell, options.reader)),
        |own| own.iter().filter(|cell| !cell.trim().is_empty()).count() == 1,
    );
    let is_named = own.is_some();
    let mut header = own.unwrap_or_else(|| vec!["value".to_owned()]);
    if is_named {
        header.iter().filter(|header| !is_ours(header)).for_each(|header| survey.note(header));
        place = next(&mut record)?;
    }
    while let Some(Place { line, .. }) = &place {
        let cells: Vec<_> = record_cells(&record).collect();
        if is_below_title {
            if names_values(&cells, options) {
                return Err(refuse(format!(
                    "line {line} looks like its header: take out what stands above it"
                )));
            }
            is_below_title = !cells.iter().any(|cell| is_listed(cell, options.reader));
        }
        if !cells.iter().any(|cell| may_hold_value(cell)) {
            if is_named && is_other_header(&cells, &header, options) {
                return Err(refuse(format!(
                    "line {line} looks like the header of another list: put each into a file of its own"
                )));
            }
            survey.look_for_heading(*line, &cells);
        }
        if !is_named {
            let further = header.len() + 1..=cells.len();
            header.extend(further.map(|n| format!("column_{n}")));
        }
        // The cells that this crate adds are at the end, even after surplus cells.
        let too_many = cells.len().saturating_sub(header.len());
        let headers = std::iter::repeat_n("", too_many).chain(header.iter().map(String::as_str));
        let (added, row): (Vec<_>, Vec<_>) =
            headers.zip(&cells).partition(|(header, _)| is_ours(header));
        let reason = place
            .as_ref()
            .and_then(|place| damage(&record, place))
            .or_else(|| added.iter().find_map(|(header, text)| still_broken(header, text)))
            .or_else(|| (too_many > 0).then(|| other_width(cells.len(), header.len())));
        if reason.is_none() {
            row.iter().for_each(|(header, cell)| survey.add(header, unguarded(cell.trim())));
        }
        keep(Kept {
            line: *line,
            data: &kept::record(row.iter().map(|(_, cell)| &***cell)),
            broken: reason.map(|reason| broken(*line, &reason)),
        })?;
        place = next(&mut record)?;
    }
    header.retain(|header| !is_ours(header));
    Ok((dialect.marks, header, is_named))
}

/// A text that may be cut off, without a line that may be so.
fn whole_lines(text: &[u8]) -> &[u8] {
    if (text.len() as u64) < SHOWING {
        return text;
    }
    let end = text.iter().rposition(|byte| matches!(byte, b'\r' | b'\n'));
    end.map_or(&[], |end| &text[..=end])
}

fn record_cells(record: &ByteRecord) -> impl Iterator<Item = Cow<'_, str>> {
    record.iter().map(String::from_utf8_lossy)
}

/// Whether a row that is not the first names several columns, and one of them is of values.
fn names_values(cells: &[Cow<'_, str>], options: &ListOptions) -> bool {
    let headers: Vec<_> =
        cells.iter().map(|cell| cell.trim()).filter(|cell| !cell.is_empty()).collect();
    let is_value = |role: &Role| role.is_value();
    headers.len() > 1
        && !headers.iter().any(|cell| may_hold_value(cell))
        && columns::roles(&headers, options).iter().any(is_value)
}

/// Whether a row below the header is one itself, and another one: of the rows below it the first says
/// nothing.
fn is_other_header(cells: &[Cow<'_, str>], header: &[String], options: &ListOptions) -> bool {
    let own: Vec<_> = header.iter().map(String::as_str).collect();
    let of_values = columns::roles(&own, options).into_iter().map(Role::is_value);
    let names_value = |cell: &str| {
        // `Mobile` below `Phone` is no header.
        !matches!(words(cell).as_slice(), [sole] if is_label(sole)) && Role::of(cell).is_value()
    };
    let mut below = of_values.zip(cells);
    let is_same = cells.iter().zip(header).all(|(cell, header)| words(cell) == words(header));
    names_values(cells, options)
        && !is_same
        && below.any(|(is_value, cell)| is_value && names_value(cell))
}

/// The first record as a header; `None` where it is a row already.
///
/// # Errors
///
/// Returns why it is neither.
fn header(
    first: &ByteRecord,
    place: &Place,
    options: &ListOptions,
) -> Result<Option<Vec<String>>, String> {
    let cells: Vec<_> = record_cells(first).collect();
    // A cell that contains a value is not a header, even if it ends in such a word:
    // `jo@site.email`.
    let holds_value = |cell: &Cow<'_, str>| may_hold_value(cell);
    let headers: Vec<_> = cells.iter().map(|cell| &**cell).collect();
    let roles = columns::roles(&headers, options);
    let names_values = roles.iter().any(|role| role.is_value());
    if names_values && !cells.iter().any(holds_value) {
        return match damage(first, place) {
            Some(reason) => Err(format!("the header: {reason}")),
            None => Ok(Some(cells.into_iter().map(Cow::into_owned).collect())),
        };
    }
    if !cells.first().is_some_and(holds_value) {
        if let Some((column, role)) = options.taken(&headers) {
            return Err(format!(
                "--map says that `{}` holds {role}, and no other column has numbers or addresses; \
                 say which has: --map phone=COLUMN,email=COLUMN",
                excerpt(column)
            ));
        }
        let found: Vec<_> = cells.iter().map(|cell| excerpt(cell)).take(30).collect();
        return Err(format!(
            "the first line is neither a number or an address nor does it name a column with \
             them: value, phone, mobile, email; it has: {}; say what they hold: --map \
             phone=COLUMN,email=COLUMN, and take out what stands above the header",
            found.join(", ")
        ));
    }
    Ok(None)
}

fn read_ndjson(
    input: Input,
    survey: &mut Survey,
    keep: &mut impl FnMut(Kept<'_>) -> Result<(), BulkError>,
) -> Result<Marks, BulkError> {
    let opened = input.opened()?;
    let mut objects = Objects::new(opened.name, opened.reader);
    while let Some(read) = objects.next()? {
        match read {
            Ok((line, object)) => {
                object.cells().iter().for_each(|(header, cell)| survey.add(header, cell));
                let data = serde_json::to_string(&object).unwrap_or_default();
                keep(Kept { line, data: &data, broken: None })?;
            }
            Err(unreadable) => {
                let broken = Some(broken(unreadable.line, &unreadable.reason));
                keep(Kept { line: unreadable.line, data: &unreadable.data, broken })?;
            }
        }
    }
    Ok(opened.dialect.marks)
}

/// The cells of a row as a set keeps it, each with its header.
pub(crate) fn cells(format: InputFormat, header: &[String], data: &str) -> Vec<(String, String)> {
    let cells = with_headers(format, header, data).into_iter();
    cells.map(|(header, cell)| (header.into_owned(), cell)).collect()
}

fn with_headers<'h>(
    format: InputFormat,
    header: &'h [String],
    data: &str,
) -> Vec<(Cow<'h, str>, String)> {
    match format {
        InputFormat::Csv => {
            let names = header.iter().map(|header| Cow::Borrowed(header.as_str()));
            names.zip(kept::cells(data)).collect()
        }
        InputFormat::Ndjson => {
            let row = serde_json::from_str::<Object>(data);
            let cells = row.map(|row| row.cells()).unwrap_or_default().into_iter();
            cells.map(|(header, cell)| (Cow::Owned(header), cell)).collect()
        }
    }
}
