//! Rows of CSV.

mod cells;
mod lines;
mod quotes;

pub(crate) use self::{
    cells::{cells, record},
    lines::{Lines, Place, next_record},
};

use std::io::Read;

use csv::{ByteRecord, StringRecord};

use super::{
    broken::{NOT_UTF_8, UnreadableRow, still_broken},
    cells::{Cells, RawRow, ReadRow},
    columns::{Column, SAY_BY_VALUE, is_ours},
    delimiter,
    dialect::Dialect,
    meanings::{Meaning, Meanings},
    source::Opened,
};
use crate::{
    error::{BulkError, excerpt},
    spreadsheet::unguarded,
};

pub(crate) struct CsvRows {
    name: String,
    /// The delimiter between cells, if the header had to show it.
    shown: Option<u8>,
    reader: csv::Reader<Lines<Box<dyn Read + Send>>>,
    record: ByteRecord,
    data: String,
    /// The whole header, and what each cell below it means.
    columns: Vec<(String, Meaning)>,
    meanings: Meanings,
    /// The header without what this crate added when it gave the rows back.
    header: Vec<String>,
}

impl CsvRows {
    /// The rows, and the dialect in which they are written.
    pub(crate) fn new(opened: Opened) -> Result<(Self, Dialect), BulkError> {
        let Opened { name, mut dialect, head, reader } = opened;
        let mut shown = None;
        if !dialect.says_delimiter {
            // Two cells that mean something: one may be the whole of another text.
            let is_header = |records: &[Vec<String>]| {
                let header = records.first().into_iter().flatten();
                header.filter(|cell| Column::named(cell).is_some()).count() >= 2
            };
            let delimiter = delimiter::shown(&head, dialect.marks.quote, is_header);
            let delimiter =
                delimiter.map_err(|reason| BulkError::Input { name: name.clone(), reason })?;
            shown = delimiter.filter(|delimiter| *delimiter != dialect.marks.delimiter);
            dialect.marks.delimiter = shown.unwrap_or(dialect.marks.delimiter);
        }
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .delimiter(dialect.marks.delimiter)
            .quote(dialect.marks.quote)
            .flexible(true)
            .from_reader(Lines::new(reader, &dialect));
        let refuse = |reason: String| BulkError::Input { name: name.clone(), reason };
        let mut record = ByteRecord::new();
        if let Some(place) = next_record(&mut reader, &mut record, &name)?
            && let Some(reason) = damage(&record, &place)
        {
            return Err(refuse(format!("the header: {reason}")));
        }
        let headers = StringRecord::from_byte_record_lossy(record);
        let mut meanings = Meanings::new(&dialect.ignored);
        let read = meanings.of(headers.iter()).map_err(refuse)?;
        if let Some(reason) = leads_nowhere(&read, dialect.by_value, &headers) {
            return Err(refuse(reason));
        }
        let columns = headers.iter().map(str::to_owned).zip(read).collect();
        let header = headers.iter().filter(|header| !is_ours(header)).map(str::to_owned).collect();
        let rows = Self {
            name,
            shown,
            reader,
            record: ByteRecord::new(),
            data: String::new(),
            columns,
            meanings,
            header,
        };
        Ok((rows, dialect))
    }

    /// Reports what separates the cells, unless somebody said it.
    pub(super) fn dialect_note(&self) -> Option<String> {
        let name = delimiter::name(self.shown?);
        Some(format!("cells are separated by {name}, as the header shows"))
    }

    pub(crate) fn header(&self) -> &[String] {
        &self.header
    }

    pub(super) fn meanings(&self) -> &Meanings {
        &self.meanings
    }

    pub(crate) fn next(&mut self) -> Result<Option<ReadRow<'_>>, BulkError> {
        let Some(place) = self.next_record()? else {
            return Ok(None);
        };
        let line = place.line;
        let broken = damage(&self.record, &place)
            .or_else(|| self.wrong_width())
            .or_else(|| self.told_broken());
        if let Some(reason) = broken {
            return Ok(Some(Err(UnreadableRow { line, reason, data: self.kept_of_broken() })));
        }
        let mut cells = Cells::default();
        self.data.clear();
        let mut is_first = true;
        for (text, (_, meaning)) in self.record.iter().zip(&self.columns) {
            let text = std::str::from_utf8(text).unwrap_or_default();
            match meaning {
                Meaning::Ours => continue,
                Meaning::Known(column) => cells.set(*column, unguarded(text)),
                Meaning::Further => {}
            }
            cells::push(&mut self.data, is_first, text);
            is_first = false;
        }
        Ok(Some(Ok(RawRow { line, cells, data: &self.data })))
    }

    fn wrong_width(&self) -> Option<String> {
        let (found, wanted) = (self.record.len(), self.columns.len());
        (found != wanted).then(|| other_width(found, wanted))
    }

    fn told_broken(&self) -> Option<String> {
        let cells = self.columns.iter().zip(&self.record);
        let mut added = cells.filter(|((_, meaning), _)| matches!(meaning, Meaning::Ours));
        added.find_map(|((column, _), text)| still_broken(column, str::from_utf8(text).ok()?))
    }

    /// The cells of a row that is not read, as far as they are text.
    fn kept_of_broken(&self) -> String {
        // The cells that this crate adds are at the end, even after surplus cells.
        let too_many = self.record.len().saturating_sub(self.columns.len());
        let column = |at: usize| self.columns.get(at.checked_sub(too_many)?);
        let is_ours = |at: usize| matches!(column(at), Some((_, Meaning::Ours)));
        let cells = self.record.iter().enumerate();
        let cells = cells.filter(|(at, _)| !is_ours(*at));
        let cells: Vec<_> = cells.map(|(_, text)| String::from_utf8_lossy(text)).collect();
        record(cells.iter().map(|cell| &**cell))
    }

    /// Continues to the next record that is not empty, and returns its place.
    fn next_record(&mut self) -> Result<Option<Place>, BulkError> {
        loop {
            let place = next_record(&mut self.reader, &mut self.record, &self.name)?;
            // Spreadsheet programs leave such records: `,,,`.
            let is_blank = self.record.iter().all(|cell| cell.trim_ascii().is_empty());
            if place.is_none() || !is_blank {
                return Ok(place);
            }
        }
    }
}

/// Why no row under such a header can say which contact it means, if that is so.
fn leads_nowhere(meanings: &[Meaning], by_value: bool, headers: &StringRecord) -> Option<String> {
    let has = |wanted: Column| meanings.contains(&Meaning::Known(wanted));
    let found = headers.iter().take(20).map(excerpt).collect::<Vec<_>>().join(", ");
    if !Column::all().any(|column| column.is_owner() && has(column)) {
        if has(Column::ContactId) {
            return Some(format!(
                "the header names contacts but not whose they are: add location_id or \
                 customer_id; it has: {found}"
            ));
        }
        if !by_value && !has(Column::Select) {
            return Some(format!(
                "the header names neither location_id nor customer_id, so no row says whose \
                 contact it means; it has: {found}. To change every contact that has the value of \
                 a row, on all customers and locations, {SAY_BY_VALUE}; `value` is \
                 the number or address as it is then, and `new_value` what it is to be"
            ));
        }
    }
    if !has(Column::ContactId) && !has(Column::Value) {
        return Some(format!(
            "the header names neither contact_id nor value, so no row can say what to change; it \
             has: {found}"
        ));
    }
    None
}

/// Reports that a record is not as wide as its header.
pub(super) fn other_width(found: usize, wanted: usize) -> String {
    format!("the header has {wanted} cells, it has {found}")
}

/// Why the cells of a record are not what was meant, if that is so.
pub(super) fn damage(record: &ByteRecord, place: &Place) -> Option<String> {
    if let Some(line) = place.stray {
        return Some(format!(
            "text follows the closing quote of a cell, on line {line}: a quote is missing, \
             or one in the text is not doubled"
        ));
    }
    let at = |is_wrong: fn(&[u8]) -> bool| record.iter().position(is_wrong);
    if let Some(at) = at(|cell| cell.contains(&0)) {
        return Some(format!("cell {} {NO_TEXT}", at + 1));
    }
    let at = at(|cell| std::str::from_utf8(cell).is_err())?;
    Some(format!("cell {} {NOT_UTF_8}", at + 1))
}

/// As [`NOT_UTF_8`], where it shows which encoding it is.
const NO_TEXT: &str =
    "contains zero bytes, as UTF-16 does; if it is UTF-16, give --encoding utf-16le";
