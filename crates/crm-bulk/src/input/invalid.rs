//! Rows that are wrong: how they are reported, and the file in which they can be mended.

use std::{
    fmt,
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use super::{InputFormat, columns::MEND_COLUMNS};
use crate::BulkError;

/// How many bad cells are kept in memory; the file to mend holds all rows.
const KEPT: usize = 1_000;

/// One cell that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BadCell {
    /// The line of the input on which the row starts.
    pub line: u64,
    /// The column; empty when the row as a whole is wrong.
    pub column: String,
    /// The cell's text, its middle hidden.
    pub value: String,
    /// What is wrong, for people.
    pub reason: String,
}

impl fmt::Display for BadCell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}", self.line)?;
        if !self.column.is_empty() {
            write!(f, ", {}", self.column)?;
        }
        if !self.value.is_empty() {
            write!(f, " `{}`", self.value)?;
        }
        write!(f, ": {}", self.reason)
    }
}

/// Rows of the input are wrong. Nothing was planned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{rows} of the input's rows are wrong, nothing was planned; the first: {}{}",
    cells.first().map(ToString::to_string).unwrap_or_default(),
    mend.as_ref().map(|path| format!("; mend them in {}", path.display())).unwrap_or_default()
)]
#[non_exhaustive]
pub struct InvalidRows {
    /// How many rows.
    pub rows: u64,
    /// Every bad cell, up to the first thousand.
    pub cells: Vec<BadCell>,
    /// The file with the bad rows and what is wrong with each.
    pub mend: Option<PathBuf>,
}

/// A row that could not be taken apart into cells.
pub(crate) struct UnreadableRow {
    pub(crate) line: u64,
    pub(crate) reason: String,
    /// The row as it was, as far as it is text.
    pub(crate) data: String,
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
    rows: u64,
    cells: Vec<BadCell>,
    format: InputFormat,
    delimiter: u8,
    header: Vec<String>,
    path: Option<PathBuf>,
    writer: Option<BufWriter<File>>,
}

impl BadRows {
    pub(crate) fn new(
        format: InputFormat,
        delimiter: u8,
        header: &[String],
        path: Option<&Path>,
    ) -> Self {
        Self {
            rows: 0,
            cells: Vec::new(),
            format,
            delimiter,
            header: header.to_vec(),
            path: path.map(Path::to_owned),
            writer: None,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Keeps one bad row: its bad cells, and the row itself as the set would keep it.
    pub(crate) fn add(
        &mut self,
        line: u64,
        cells: Vec<BadCell>,
        data: &str,
    ) -> Result<(), BulkError> {
        self.rows += 1;
        if let Some(path) = self.path.clone() {
            let written = self.write(line, &cells, data);
            written.map_err(|e| BulkError::file(&path, "written", e))?;
        }
        let room = KEPT.saturating_sub(self.cells.len());
        self.cells.extend(cells.into_iter().take(room));
        Ok(())
    }

    /// Keeps one row that could not be taken apart.
    pub(crate) fn add_unreadable(&mut self, row: UnreadableRow) -> Result<(), BulkError> {
        let cell = BadCell {
            line: row.line,
            column: String::new(),
            value: String::new(),
            reason: row.reason,
        };
        self.add(row.line, vec![cell], &row.data)
    }

    fn write(&mut self, line: u64, cells: &[BadCell], data: &str) -> io::Result<()> {
        let problem: Vec<_> = cells
            .iter()
            .map(|cell| match cell.column.as_str() {
                "" => cell.reason.clone(),
                column => format!("{column}: {}", cell.reason),
            })
            .collect();
        let added = [line.to_string(), problem.join("; ")];
        if self.writer.is_none() {
            let Some(path) = &self.path else {
                return Ok(());
            };
            let mut writer = BufWriter::new(File::create(path)?);
            if self.format == InputFormat::Csv {
                let names = self.header.iter().map(String::as_str).chain(MEND_COLUMNS);
                write_record(&mut writer, self.delimiter, names)?;
            }
            self.writer = Some(writer);
        }
        let Some(writer) = &mut self.writer else {
            return Ok(());
        };
        match self.format {
            InputFormat::Csv => {
                let row: Vec<String> = serde_json::from_str(data).unwrap_or_default();
                let missing = self.header.len().saturating_sub(row.len());
                let blanks = std::iter::repeat_n("", missing);
                let cells = row.iter().map(String::as_str).chain(blanks);
                write_record(
                    writer,
                    self.delimiter,
                    cells.chain(added.iter().map(String::as_str)),
                )
            }
            InputFormat::Ndjson => match serde_json::from_str::<super::Object>(data) {
                Ok(mut object) => {
                    for (name, text) in MEND_COLUMNS.into_iter().zip(added) {
                        object.set(name, &text)?;
                    }
                    serde_json::to_writer(&mut *writer, &object)?;
                    writer.write_all(b"\n")
                }
                // Not an object: as it was, to be mended by hand.
                Err(_) => writeln!(writer, "{data}"),
            },
        }
    }

    /// What was found. The file is complete then.
    pub(crate) fn finish(mut self) -> Result<Option<InvalidRows>, BulkError> {
        if let (Some(writer), Some(path)) = (&mut self.writer, &self.path) {
            writer
                .flush()
                .map_err(|e| BulkError::file(path, "written", e))?;
        }
        Ok((self.rows > 0).then_some(InvalidRows {
            rows: self.rows,
            cells: self.cells,
            mend: self.path,
        }))
    }
}

/// Writes one row of CSV.
pub(crate) fn write_record<'a>(
    writer: impl Write,
    delimiter: u8,
    cells: impl Iterator<Item = &'a str>,
) -> io::Result<()> {
    let mut csv = csv::WriterBuilder::new()
        .delimiter(delimiter)
        .from_writer(writer);
    csv.write_record(cells)?;
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
