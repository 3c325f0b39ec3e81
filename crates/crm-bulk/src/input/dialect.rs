//! How an input is written.

use encoding_rs::Encoding;

/// How many bytes a row has at most. What is longer is no row, and would be held in memory as one.
pub(super) const LONGEST_ROW: usize = 1 << 20;
/// What is said of it.
pub(super) const TOO_LONG: &str = "the row is longer than a mebibyte, so this is no list of rows";

/// The format in which rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum InputFormat {
    /// Cells separated by commas, with a header row.
    Csv,
    /// One JSON object per line.
    Ndjson,
}

impl InputFormat {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
        }
    }

    /// The format that has this name in a file.
    pub(crate) fn named(name: Option<&str>) -> Self {
        match name {
            Some("ndjson") => Self::Ndjson,
            _ => Self::Csv,
        }
    }
}

/// The aspects of the rows that are not fixed.
#[derive(Debug, Clone)]
pub(crate) struct Dialect {
    pub(crate) marks: Marks,
    /// Whether the caller, or the file itself, says what separates cells.
    pub(crate) says_delimiter: bool,
    /// How many lines precede the rows and their header.
    pub(crate) lines_before: u64,
    /// The encoding of the bytes, if they have no mark that shows it.
    pub(super) encoding: Option<&'static Encoding>,
    pub(crate) clear: String,
    /// Whether a row without a contact's id selects by its value.
    pub(crate) by_value: bool,
    /// Columns that are not read, whatever their names mean.
    pub(crate) ignored: Vec<String>,
}

impl Default for Dialect {
    fn default() -> Self {
        Self {
            marks: Marks::default(),
            says_delimiter: false,
            lines_before: 0,
            encoding: None,
            clear: "(clear)".to_owned(),
            by_value: false,
            ignored: Vec::new(),
        }
    }
}

/// How the cells of CSV are told apart.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Marks {
    pub(crate) delimiter: u8,
    pub(crate) quote: u8,
    /// Whether the text begins with a byte order mark.
    pub(crate) bom: bool,
    /// Whether cells are written so that no spreadsheet program runs or changes them.
    pub(crate) guard: bool,
}

impl Default for Marks {
    fn default() -> Self {
        Self { delimiter: b',', quote: b'"', bom: false, guard: false }
    }
}
