//! Rows as they are given back, in the form in which they came.

use std::io::{self, Write};

use super::{
    columns::REASON_COLUMNS,
    csv::cells,
    dialect::{InputFormat, Marks},
    object::Object,
};
use crate::spreadsheet::{guarded_number, unguarded};

/// Writes a row of CSV as a set keeps it, as wide as the header, with more cells after it.
pub(crate) fn write_cells(
    writer: impl Write,
    marks: Marks,
    width: usize,
    data: &str,
    added: &[String],
) -> io::Result<()> {
    let row = cells(data);
    let missing = width.saturating_sub(row.len());
    let blanks = std::iter::repeat_n("", missing);
    let cells = row.iter().map(String::as_str).chain(blanks);
    write_record(writer, marks, cells.chain(added.iter().map(String::as_str)))
}

/// Writes a row of NDJSON with more members. Anything that is not an object is written unchanged,
/// behind an object of these members alone, which is no row when the file is fed in again.
pub(crate) fn write_members(
    mut writer: impl Write,
    data: &str,
    names: &[&str],
    added: &[String],
) -> io::Result<()> {
    let read = serde_json::from_str::<Object>(data);
    let is_object = read.is_ok();
    let mut object = read.unwrap_or_default();
    for (name, text) in names.iter().zip(added) {
        if is_object || !REASON_COLUMNS.contains(name) {
            object.set(name, text)?;
        } else {
            object.set(name, &format!("the next line: {text}"))?;
        }
    }
    serde_json::to_writer(&mut writer, &object)?;
    writer.write_all(b"\n")?;
    if is_object { Ok(()) } else { writeln!(writer, "{data}") }
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
pub(crate) fn write_record<'a>(
    writer: impl Write,
    marks: Marks,
    cells: impl Iterator<Item = &'a str>,
) -> io::Result<()> {
    let mut csv =
        csv::WriterBuilder::new().delimiter(marks.delimiter).quote(marks.quote).from_writer(writer);
    if marks.guard {
        // A cell that is already guarded does not need a second guard.
        csv.write_record(cells.map(|cell| guarded_number(unguarded(cell)).into_owned()))?;
    } else {
        csv.write_record(cells)?;
    }
    csv.flush()
}
