//! Rows that are wrong: how they are reported, and the file in which they can be corrected.

use std::{
    borrow::Cow,
    fmt, io,
    io::Write,
    path::{Path, PathBuf},
};

use super::columns::{MEND_COLUMNS, REASON_COLUMNS};
use crate::{
    disk::atomic_file::AtomicWriter,
    error::BulkError,
    input::{InputFormat, Marks},
    spreadsheet::{guarded_number, unguarded},
};

/// How many bad cells are kept in memory; the file of bad rows contains all of them.
const KEPT: usize = 1_000;
/// How many characters of a cell are shown to people.
const SHOWN: usize = 60;

/// One cell that is wrong.
///
/// `Debug` and `Display` hide the middle of numbers, addresses and memos, because they end up in
/// logs.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BadCell {
    /// The line of the input on which the row starts.
    pub line: u64,
    /// The column's name; empty when the row as a whole is wrong.
    pub column: String,
    /// The cell's text.
    pub value: String,
    /// What is wrong, in words for people.
    pub reason: String,
    /// Whether the text is personal data.
    pub(crate) personal: bool,
}

impl BadCell {
    /// Formats the cell as `Display` does, but with its text in clear, for readers who have the
    /// input before them.
    #[must_use]
    pub fn in_clear(&self) -> String {
        let mut shown: String = self.value.chars().take(SHOWN).collect();
        if shown.len() < self.value.len() {
            shown.push('…');
        }
        self.with(&shown)
    }

    fn masked(&self) -> Cow<'_, str> {
        match self.personal {
            true => Cow::Owned(mask(&self.value)),
            false => Cow::Borrowed(&self.value),
        }
    }

    fn with(&self, value: &str) -> String {
        let column = match self.column.as_str() {
            "" => String::new(),
            column => format!(", {column}"),
        };
        let value = match value {
            "" => String::new(),
            value => format!(" `{value}`"),
        };
        format!("line {}{column}{value}: {}", self.line, self.reason)
    }
}

impl fmt::Display for BadCell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.with(&self.masked()))
    }
}

impl fmt::Debug for BadCell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BadCell")
            .field("line", &self.line)
            .field("column", &self.column)
            .field("value", &self.masked())
            .field("reason", &self.reason)
            .finish()
    }
}

/// What is wrong with the cells of one row, without their texts.
pub(crate) fn problem(cells: &[BadCell]) -> String {
    let problems = cells.iter().map(|cell| match cell.column.as_str() {
        "" => cell.reason.clone(),
        column => format!("{column}: {}", cell.reason),
    });
    problems.collect::<Vec<_>>().join("; ")
}

/// The error for an input with wrong rows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{name}: {}{}{}",
    match rows {
        1 => "1 row is wrong: ".to_owned(),
        rows => format!("{rows} rows are wrong; the first: "),
    },
    cells.first().map(ToString::to_string).unwrap_or_default(),
    mend.as_ref().map(|path| format!("; mend them in {}", path.display())).unwrap_or_default()
)]
#[non_exhaustive]
pub struct InvalidRows {
    /// The input's name.
    pub name: String,
    /// How many rows are wrong.
    pub rows: u64,
    /// The bad cells, up to the first thousand.
    pub cells: Vec<BadCell>,
    /// How many more bad cells there are.
    pub more_cells: u64,
    /// The file that contains the bad rows and what is wrong with each.
    pub mend: Option<PathBuf>,
}

/// A row that could not be split into cells.
pub(crate) struct UnreadableRow {
    pub(crate) line: u64,
    pub(crate) reason: String,
    /// The row as written, as far as it is text.
    pub(crate) data: String,
}

/// Reports that a row as a whole is wrong.
pub(crate) fn whole(line: u64, reason: String) -> Vec<BadCell> {
    vec![BadCell { line, column: String::new(), value: String::new(), reason, personal: false }]
}

/// The beginning of the problem of a row whose cells are not what was meant: there are too few of
/// them, or they are not text. Such a row may look right in the form in which it is kept and given
/// back.
const BROKEN: &str = "the row is broken: ";

/// Reports that the cells of a row are not what was meant.
pub(crate) fn broken(line: u64, reason: &str) -> Vec<BadCell> {
    whole(line, format!("{BROKEN}{reason}"))
}

/// Why a row that was given back as broken is still broken: it remains so until somebody says
/// otherwise.
pub(crate) fn still_broken(column: &str, text: &str) -> Option<String> {
    let is_told = REASON_COLUMNS.contains(&column) && text.trim_start().starts_with(BROKEN);
    is_told.then(|| format!("`{column}` says so; clear that cell when the row is mended"))
}

/// The text with its middle hidden.
///
/// ```text
/// 8185550142 -> 81…42      dana@site.example -> da…le      55 -> …
/// ```
pub(crate) fn mask(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    match characters.as_slice() {
        [] => String::new(),
        [a, b, .., y, z] if characters.len() >= 6 => format!("{a}{b}…{y}{z}"),
        _ => "…".to_owned(),
    }
}

/// Collects what is wrong, and writes the bad rows to a file.
pub(crate) struct BadRows {
    /// The input's name.
    name: String,
    rows: u64,
    cells: Vec<BadCell>,
    more_cells: u64,
    format: InputFormat,
    marks: Marks,
    header: Vec<String>,
    path: Option<PathBuf>,
    file: Option<AtomicWriter>,
}

impl BadRows {
    pub(crate) fn new(
        name: &str,
        format: InputFormat,
        marks: Marks,
        header: &[String],
        path: Option<&Path>,
    ) -> Self {
        Self {
            name: name.to_owned(),
            rows: 0,
            cells: Vec::new(),
            more_cells: 0,
            format,
            marks,
            header: header.to_vec(),
            path: path.map(Path::to_owned),
            file: None,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Adds one bad row: its bad cells, and the row itself as the set would keep it.
    pub(crate) fn add(
        &mut self,
        line: u64,
        cells: Vec<BadCell>,
        data: &str,
    ) -> Result<(), BulkError> {
        self.rows += 1;
        if let Some(path) = self.path.clone() {
            let written = self.write(&path, line, &cells, data);
            written.map_err(|e| BulkError::file(&path, "written", e))?;
        }
        let room = KEPT.saturating_sub(self.cells.len());
        self.more_cells += cells.len().saturating_sub(room) as u64;
        self.cells.extend(cells.into_iter().take(room));
        Ok(())
    }

    fn write(&mut self, path: &Path, line: u64, cells: &[BadCell], data: &str) -> io::Result<()> {
        let added = [line.to_string(), problem(cells)];
        let file = match &mut self.file {
            Some(file) => file,
            none => {
                let mut file = AtomicWriter::create(path)?;
                let names = self.header.iter().map(String::as_str).chain(MEND_COLUMNS);
                write_head(&mut file, self.format, self.marks, names)?;
                none.insert(file)
            }
        };
        match self.format {
            InputFormat::Csv => write_cells(file, self.marks, self.header.len(), data, &added),
            InputFormat::Ndjson => write_members(file, data, &MEND_COLUMNS, &added),
        }
    }

    /// Completes the file and returns what was found.
    pub(crate) fn finish(&mut self) -> Result<Option<InvalidRows>, BulkError> {
        if let (Some(file), Some(path)) = (self.file.take(), &self.path) {
            file.finish().map_err(|e| BulkError::file(path, "written", e))?;
        }
        Ok((self.rows > 0).then_some(InvalidRows {
            name: self.name.clone(),
            rows: self.rows,
            cells: std::mem::take(&mut self.cells),
            more_cells: self.more_cells,
            mend: self.path.clone(),
        }))
    }
}

/// Writes a row of CSV as a set keeps it, as wide as the header, with more cells after it.
pub(crate) fn write_cells(
    writer: impl Write,
    marks: Marks,
    width: usize,
    data: &str,
    added: &[String],
) -> io::Result<()> {
    let row: Vec<String> = serde_json::from_str(data)?;
    let missing = width.saturating_sub(row.len());
    let blanks = std::iter::repeat_n("", missing);
    let cells = row.iter().map(String::as_str).chain(blanks);
    write_record(writer, marks, cells.chain(added.iter().map(String::as_str)))
}

/// Writes a row of NDJSON with more members. Anything that is not an object is written unchanged.
pub(crate) fn write_members(
    mut writer: impl Write,
    data: &str,
    names: &[&str],
    added: &[String],
) -> io::Result<()> {
    let Ok(mut object) = serde_json::from_str::<super::Object>(data) else {
        return writeln!(writer, "{data}");
    };
    for (name, text) in names.iter().zip(added) {
        object.set(name, text)?;
    }
    serde_json::to_writer(&mut writer, &object)?;
    writer.write_all(b"\n")
}

/// Writes what precedes the rows: the byte order mark, if the input needs one to be read as before,
/// and the header of CSV.
pub(crate) fn write_head<'a>(
    mut writer: impl Write,
    format: InputFormat,
    marks: Marks,
    names: impl Iterator<Item = &'a str>,
) -> io::Result<()> {
    if marks.bom {
        writer.write_all("\u{feff}".as_bytes())?;
    }
    match format {
        InputFormat::Csv => write_record(writer, marks, names),
        InputFormat::Ndjson => Ok(()),
    }
}

/// Writes one row of CSV.
fn write_record<'a>(
    writer: impl Write,
    marks: Marks,
    cells: impl Iterator<Item = &'a str>,
) -> io::Result<()> {
    let mut csv =
        csv::WriterBuilder::new().delimiter(marks.delimiter).quote(marks.quote).from_writer(writer);
    match marks.guard {
        // A cell that is already guarded does not need a second guard.
        true => csv.write_record(cells.map(|cell| guarded_number(unguarded(cell)).into_owned()))?,
        false => csv.write_record(cells)?,
    }
    csv.flush()
}

#[cfg(test)]
mod tests {
    use super::mask;

    #[test]
    fn a_masked_value_shows_its_ends_only_when_it_is_long() {
        assert_eq!(mask("8185550142"), "81…42");
        assert_eq!(mask("55"), "…");
        assert_eq!(mask(""), "");
    }
}
