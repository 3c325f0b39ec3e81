//! Rows that are wrong: the file in which they can be corrected.

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

use crm_mirror::disk::atomic_file::AtomicWriter;

use super::{
    columns::{MEND_COLUMNS, is_to_mend},
    dialect::{InputFormat, Marks},
    write::{write_cells, write_head, write_members},
};
use crate::error::{BadCell, BulkError, Counted, InvalidRows, problem};

/// Refuses to write the wrong rows over what they come from or what is made of the right ones.
pub(crate) fn refuse_to_mend_in(mend: Option<&Path>, others: &[&Path]) -> Result<(), BulkError> {
    match mend.filter(|mend| others.iter().any(|other| AtomicWriter::would_replace(mend, other))) {
        None => Ok(()),
        Some(mend) => Err(BulkError::Taken { path: mend.to_owned() }),
    }
}

/// Refuses to replace a file that is none of rows to mend: it may be the only copy of something.
fn refuse_foreign(path: &Path) -> Result<(), BulkError> {
    // Nothing of a pipe is lost, and whoever makes a name for the file makes an empty one.
    let is_file = fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() > 0);
    if !is_file {
        return Ok(());
    }
    let mut beginning = Vec::new();
    let read = File::open(path)
        .and_then(|file| BufReader::new(file.take(BEGINNING)).read_until(b'\n', &mut beginning));
    read.map_err(|e| BulkError::file(path, "read", e))?;
    if is_to_mend(&beginning) { Ok(()) } else { Err(BulkError::Foreign { path: path.to_owned() }) }
}

/// How many bytes of a file show whether it is one of rows to mend: a whole row of NDJSON.
const BEGINNING: u64 = 2 << 20;

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
            counted: Counted::Lines,
            rows: 0,
            cells: Vec::new(),
            more_cells: 0,
            notes: Vec::new(),
            format,
            marks,
            header: header.to_vec(),
            path: path.map(Path::to_owned),
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
        if let Some(path) = self.path.clone() {
            if self.file.is_none() {
                refuse_foreign(&path)?;
            }
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
            notes: std::mem::take(&mut self.notes),
            mend: self.path.clone(),
        }))
    }
}
