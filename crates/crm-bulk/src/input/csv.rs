//! Rows of CSV.

use std::io::Read;

use csv::{ByteRecord, StringRecord};
use serde::{Serializer, ser::SerializeSeq};

use super::{
    Dialect, RawRow, ReadRow,
    columns::{Cells, Column, is_ours},
    invalid::UnreadableRow,
    lines::{self, Lines, Place},
};
use crate::BulkError;

pub(crate) struct CsvRows {
    name: String,
    reader: csv::Reader<Lines<Box<dyn Read + Send>>>,
    record: ByteRecord,
    data: Vec<u8>,
    header: Vec<String>,
    /// What each cell of the input is.
    cells: Vec<Cell>,
}

#[derive(Clone, Copy)]
enum Cell {
    /// It means something.
    Known(Column),
    /// It is carried along.
    Further,
    /// This crate added it when it gave the rows back.
    Ours,
}

impl CsvRows {
    pub(crate) fn new(
        name: String,
        reader: Box<dyn Read + Send>,
        dialect: &Dialect,
    ) -> Result<Self, BulkError> {
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .delimiter(dialect.delimiter)
            .quote(dialect.quote)
            .flexible(true)
            .from_reader(Lines::new(reader, dialect));
        let refuse = |reason: String| BulkError::Input {
            name: name.clone(),
            reason,
        };
        let mut record = ByteRecord::new();
        if let Some(place) = lines::next_record(&mut reader, &mut record, &name)?
            && let Some(reason) = damage(&record, &place)
        {
            return Err(refuse(format!("the header: {reason}")));
        }
        let headers = StringRecord::from_byte_record_lossy(record);
        let cells: Vec<_> = headers
            .iter()
            .map(|header| match Column::named(header) {
                Some(column) => Cell::Known(column),
                None if is_ours(header) => Cell::Ours,
                None => Cell::Further,
            })
            .collect();
        let count = |wanted: Column| {
            let same = |cell: &&Cell| matches!(cell, Cell::Known(column) if *column == wanted);
            cells.iter().filter(same).count()
        };
        if let Some(twice) = Column::ALL.iter().find(|column| count(**column) > 1) {
            return Err(refuse(format!("the header names {} twice", twice.name())));
        }
        if count(Column::ContactId) + count(Column::Value) == 0 {
            let found = headers.iter().take(20).collect::<Vec<_>>().join(", ");
            return Err(refuse(format!(
                "the header names neither contact_id nor value, so no row can say what to \
                 change; it has: {found}"
            )));
        }
        let header = headers
            .iter()
            .filter(|header| !is_ours(header))
            .map(str::to_owned)
            .collect();
        Ok(Self {
            name,
            reader,
            record: ByteRecord::new(),
            data: Vec::new(),
            header,
            cells,
        })
    }

    pub(crate) fn header(&self) -> &[String] {
        &self.header
    }

    pub(crate) fn next(&mut self) -> Result<Option<ReadRow<'_>>, BulkError> {
        let Some(place) = self.next_record()? else {
            return Ok(None);
        };
        let line = place.line;
        let unreadable = |reason: String, record: &ByteRecord| {
            let cells: Vec<_> = record.iter().map(String::from_utf8_lossy).collect();
            Ok(Some(Err(UnreadableRow {
                line,
                reason,
                data: serde_json::to_string(&cells).unwrap_or_default(),
            })))
        };
        if let Some(reason) = damage(&self.record, &place) {
            return unreadable(reason, &self.record);
        }
        if self.record.len() != self.cells.len() {
            let (found, wanted) = (self.record.len(), self.cells.len());
            let reason = format!("has {found} cells, the header has {wanted}");
            return unreadable(reason, &self.record);
        }
        let mut cells = Cells::default();
        self.data.clear();
        let mut json = serde_json::Serializer::new(&mut self.data);
        let written = (|| {
            let mut json = json.serialize_seq(None)?;
            for (text, cell) in self.record.iter().zip(&self.cells) {
                let text = std::str::from_utf8(text).unwrap_or_default();
                match cell {
                    Cell::Ours => continue,
                    Cell::Known(column) => cells.set(*column, text),
                    Cell::Further => {}
                }
                json.serialize_element(text)?;
            }
            json.end()
        })();
        written.map_err(|e: serde_json::Error| BulkError::Input {
            name: self.name.clone(),
            reason: e.to_string(),
        })?;
        Ok(Some(Ok(RawRow {
            line,
            cells,
            data: std::str::from_utf8(&self.data).unwrap_or_default(),
        })))
    }

    /// Reads on to the next record with something in it, and tells its place.
    fn next_record(&mut self) -> Result<Option<Place>, BulkError> {
        loop {
            let place = lines::next_record(&mut self.reader, &mut self.record, &self.name)?;
            // As spreadsheet programs leave them behind: `,,,`.
            let is_blank = self.record.iter().all(|cell| cell.trim_ascii().is_empty());
            if place.is_none() || !is_blank {
                return Ok(place);
            }
        }
    }
}

/// Why the cells of a record are not what was meant, if so.
pub(super) fn damage(record: &ByteRecord, place: &Place) -> Option<String> {
    if let Some(line) = place.stray {
        return Some(format!(
            "has text behind the closing quote of a cell, on line {line}: a quote is missing, or \
             one in the text is not doubled"
        ));
    }
    let bad = record
        .iter()
        .position(|cell| std::str::from_utf8(cell).is_err())?;
    Some(format!("cell {} is not UTF-8 text", bad + 1))
}
