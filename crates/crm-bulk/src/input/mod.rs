//! Reading rows of changes: CSV and NDJSON.

mod columns;
mod csv;
mod entries;
mod headers;
mod invalid;
mod lines;
mod ndjson;
mod quotes;
mod request;
mod values;

use std::{
    fmt,
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use crate::BulkError;

pub use self::invalid::{BadCell, InvalidRows};
pub(crate) use self::{
    columns::{OUTCOME_COLUMNS, is_ours},
    csv::CsvRows,
    entries::{Entries, cells},
    headers::received,
    invalid::{BadRows, broken, problem, write_cells, write_members, write_record},
    ndjson::{NdjsonRows, Object},
    request::{RowRequest, Select},
    values::{date, key},
};

/// A file or stream of rows, each asking for a change.
///
/// | Column | Meaning |
/// |---|---|
/// | `location_id`, `customer_id` | whose contact; one of the two |
/// | `contact_id` | which contact; empty: every contact whose present number or address is `value`, on every owner or on the one named |
/// | `action` | `update` (also when empty), `create`, `delete` |
/// | `type` | `Phone`, `MobilePhone`, `Email`, `Fax` |
/// | `value` | the number or address; of a number that selects, an extension counts too |
/// | `new_value` | the number or address to set in a row that selects by `value` |
/// | `memo` | the memo; the clear token (`(clear)`) removes it |
/// | `job_reminders`, `marketing_updates`, `invoices`, `statements` | `on` or `off` (also yes/no, true/false, 1/0) |
///
/// An empty cell keeps what is there. Columns may stand in any order and case; further columns
/// are carried along untouched. NDJSON has the same names as members; numbers and booleans may
/// be written as such, and `null` or an absent member counts as an empty cell.
///
/// ```
/// use crm_bulk::Input;
///
/// let rows = "Location_ID;Contact_ID;Marketing_Updates\n2001;3001;off\n";
/// let input = Input::csv("opt-outs", rows.as_bytes()).delimiter(b';');
/// # let _ = input;
/// ```
#[must_use]
pub struct Input {
    name: String,
    /// The file, if it is one.
    path: Option<PathBuf>,
    format: InputFormat,
    reader: Box<dyn Read + Send>,
    dialect: Dialect,
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Input")
            .field("name", &self.name)
            .field("format", &self.format)
            .field("dialect", &self.dialect)
            .finish_non_exhaustive()
    }
}

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum InputFormat {
    /// Cells separated by commas, with a header row.
    Csv,
    /// One JSON object a line.
    Ndjson,
}

impl InputFormat {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
        }
    }

    /// The format of this name in a file.
    pub(crate) fn named(name: Option<&str>) -> Self {
        match name {
            Some("ndjson") => Self::Ndjson,
            _ => Self::Csv,
        }
    }
}

/// What is not fixed about the rows.
#[derive(Debug, Clone)]
pub(crate) struct Dialect {
    pub(crate) marks: Marks,
    pub(crate) clear: String,
}

impl Default for Dialect {
    fn default() -> Self {
        Self {
            marks: Marks::default(),
            clear: "(clear)".to_owned(),
        }
    }
}

/// How cells of CSV are told apart.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Marks {
    pub(crate) delimiter: u8,
    pub(crate) quote: u8,
}

impl Default for Marks {
    fn default() -> Self {
        Self {
            delimiter: b',',
            quote: b'"',
        }
    }
}

impl Input {
    /// Rows of CSV. The name is for messages.
    pub fn csv(name: impl Into<String>, reader: impl Read + Send + 'static) -> Self {
        Self::new(name.into(), InputFormat::Csv, Box::new(reader))
    }

    /// Rows of NDJSON. The name is for messages.
    pub fn ndjson(name: impl Into<String>, reader: impl Read + Send + 'static) -> Self {
        Self::new(name.into(), InputFormat::Ndjson, Box::new(reader))
    }

    /// The rows of a file: NDJSON when its name ends in `.ndjson` or `.jsonl`, else CSV.
    ///
    /// # Errors
    ///
    /// [`BulkError::File`] when it cannot be opened.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, BulkError> {
        let path = path.as_ref();
        let file = File::open(path).map_err(|e| BulkError::file(path, "read", e))?;
        let format = match path.extension().and_then(|name| name.to_str()) {
            Some("ndjson" | "jsonl") => InputFormat::Ndjson,
            _ => InputFormat::Csv,
        };
        Ok(Self {
            path: Some(path.to_owned()),
            ..Self::new(path.display().to_string(), format, Box::new(file))
        })
    }

    fn new(name: String, format: InputFormat, reader: Box<dyn Read + Send>) -> Self {
        Self {
            name,
            path: None,
            format,
            reader,
            dialect: Dialect::default(),
        }
    }

    /// What separates cells, instead of a comma.
    pub fn delimiter(mut self, delimiter: u8) -> Self {
        self.dialect.marks.delimiter = delimiter;
        self
    }

    /// What encloses cells, instead of `"`.
    pub fn quote(mut self, quote: u8) -> Self {
        self.dialect.marks.quote = quote;
        self
    }

    /// What clears a memo, instead of `(clear)`.
    pub fn clear_token(mut self, token: impl Into<String>) -> Self {
        self.dialect.clear = token.into();
        self
    }

    /// The name, for messages.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How the rows are written.
    #[must_use]
    pub fn format(&self) -> InputFormat {
        self.format
    }

    pub(crate) fn rows(self) -> Result<Rows, BulkError> {
        Ok(match self.format {
            InputFormat::Csv => {
                let rows = CsvRows::new(self.name, self.reader, &self.dialect)?;
                Rows::Csv(Box::new(rows))
            }
            InputFormat::Ndjson => Rows::Ndjson(NdjsonRows::new(self.name, self.reader)),
        })
    }

    pub(crate) fn dialect(&self) -> &Dialect {
        &self.dialect
    }

    pub(crate) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    pub(crate) fn into_reader(self) -> Box<dyn Read + Send> {
        self.reader
    }
}

/// The rows of an input, one at a time.
pub(crate) enum Rows {
    Csv(Box<CsvRows>),
    Ndjson(NdjsonRows),
}

/// One row: where it starts, its cells, and the whole of it as the set keeps it.
pub(crate) struct RawRow<'a> {
    pub(crate) line: u64,
    pub(crate) cells: columns::Cells<'a>,
    pub(crate) data: &'a str,
}

/// A row, or why it is none.
pub(crate) type ReadRow<'a> = Result<RawRow<'a>, invalid::UnreadableRow>;

impl Rows {
    /// The next row; the outer error ends the reading.
    pub(crate) fn next(&mut self) -> Result<Option<ReadRow<'_>>, BulkError> {
        match self {
            Self::Csv(rows) => rows.next(),
            Self::Ndjson(rows) => rows.next(),
        }
    }

    /// The names of the cells in the input's order, without those that this crate added.
    pub(crate) fn header(&self) -> &[String] {
        match self {
            Self::Csv(rows) => rows.header(),
            Self::Ndjson(_) => &[],
        }
    }
}
