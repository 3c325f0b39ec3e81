//! Rows that are wrong: the file in which they can be corrected.

use std::{
    io,
    path::{Path, PathBuf},
};

use crm_mirror::disk::atomic_file::AtomicWriter;

use super::{
    columns::MEND_COLUMNS,
    dialect::{InputFormat, Marks},
    write::{write_cells, write_head, write_members},
};
use crate::error::{BadCell, BulkError, Counted, InvalidRows, problem};

/// Refuses to write the wrong rows over what they come from or what is made of the right ones.
pub(crate) fn refuse_to_mend_in(
    mend: Option<&MendFile>,
    others: &[&Path],
) -> Result<(), BulkError> {
    let is_one =
        |mend: &&MendFile| others.iter().any(|it| AtomicWriter::would_replace(&mend.path, it));
    match mend.filter(is_one) {
        None => Ok(()),
        Some(mend) => Err(BulkError::Taken { path: mend.path.clone() }),
    }
}

/// Where the rows go that are wrong, to be corrected and read again.
///
/// Somebody may be correcting what an earlier run wrote there, so a file that has anything else in it
/// stays as it is, and the command fails; unless it may be overwritten.
///
/// ```
/// use crm_bulk::MendFile;
///
/// assert_eq!(MendFile::from("wrong.csv"), MendFile::new("wrong.csv"));
/// let overwritten = MendFile::new("wrong.csv").overwrite();
/// assert_ne!(overwritten, "wrong.csv".into());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct MendFile {
    path: PathBuf,
    overwrite: bool,
}

impl MendFile {
    /// Names a file, which is not to have anything else in it.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), overwrite: false }
    }

    /// Allows whatever is in the file to be overwritten.
    pub fn overwrite(self) -> Self {
        Self { overwrite: true, ..self }
    }

    fn unfinished(&self, error: io::Error) -> BulkError {
        match error.kind() {
            io::ErrorKind::AlreadyExists => BulkError::Foreign { path: self.path.clone() },
            _ => BulkError::file(&self.path, "written", error),
        }
    }
}

impl<P: Into<PathBuf>> From<P> for MendFile {
    fn from(path: P) -> Self {
        Self::new(path)
    }
}

/// How many bad cells are kept in memory; the file of bad rows contains all of them.
const KEPT: usize = 1_000;

/// Collects what is wrong, and writes the bad rows to a file.
pub(crate) struct BadRows {
    /// The input's name.
    name: String,
    counted: Counted,
    rows: u64,
    cells: Vec<BadCell>,
    more_cells: u64,
    notes: Vec<String>,
    format: InputFormat,
    marks: Marks,
    header: Vec<String>,
    mend: Option<MendFile>,
    file: Option<AtomicWriter>,
}

impl BadRows {
    pub(crate) fn new(
        name: &str,
        format: InputFormat,
        marks: Marks,
        header: &[String],
        mend: Option<&MendFile>,
    ) -> Self {
        Self {
            name: name.to_owned(),
            counted: Counted::Lines,
            rows: 0,
            cells: Vec::new(),
            more_cells: 0,
            notes: Vec::new(),
            format,
            marks,
            header: header.to_vec(),
            mend: mend.cloned(),
            file: None,
        }
    }

    /// Says by what the rows are counted, unless it is by their lines.
    pub(crate) fn counted(self, counted: Counted) -> Self {
        Self { counted, ..self }
    }

    /// Takes what people have to know about how the input was read.
    pub(crate) fn note(&mut self, notes: Vec<String>) {
        self.notes = notes;
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Adds one bad row: its bad cells, and the row itself as the set would keep it.
    pub(crate) fn add(
        &mut self,
        line: u64,
        mut cells: Vec<BadCell>,
        data: &str,
    ) -> Result<(), BulkError> {
        self.rows += 1;
        cells.iter_mut().for_each(|cell| cell.counted = self.counted);
        if let Some(MendFile { path, .. }) = self.mend.clone() {
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
        if let (Some(file), Some(mend)) = (self.file.take(), &self.mend) {
            let finished = if mend.overwrite { file.finish() } else { file.finish_unless_taken() };
            finished.map_err(|e| mend.unfinished(e))?;
        }
        Ok((self.rows > 0).then_some(InvalidRows {
            name: self.name.clone(),
            rows: self.rows,
            cells: std::mem::take(&mut self.cells),
            more_cells: self.more_cells,
            notes: std::mem::take(&mut self.notes),
            mend: self.mend.as_ref().map(|mend| mend.path.clone()),
        }))
    }
}
