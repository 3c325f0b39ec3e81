//! Rows of NDJSON.

use std::io::{self, BufRead, BufReader, Read};

use serde_json::Value;

use super::{
    broken::UnreadableRow,
    cells::{Cells, RawRow, ReadRow},
    dialect::{Dialect, LONGEST_ROW, TOO_LONG},
    meanings::{Meaning, Meanings},
    object::{Member, Object},
};
use crate::error::BulkError;

/// An object and its line, or why the line is not one.
type ReadObject = Result<(u64, Object), UnreadableRow>;

/// The objects of NDJSON, one at a time.
pub(super) struct Objects {
    name: String,
    reader: BufReader<Box<dyn Read + Send>>,
    line: u64,
    bytes: Vec<u8>,
}

impl Objects {
    pub(super) fn new(name: String, reader: Box<dyn Read + Send>) -> Self {
        Self { name, reader: BufReader::new(reader), line: 0, bytes: Vec::new() }
    }

    /// Returns the next non-empty object and its line, or why the line is not one.
    pub(super) fn next(&mut self) -> Result<Option<ReadObject>, BulkError> {
        loop {
            self.bytes.clear();
            let read = read_line(&mut self.reader, &mut self.bytes);
            let read = read.map_err(|e| BulkError::Input {
                name: self.name.clone(),
                reason: format!("line {}: {e}", self.line + 1),
            })?;
            if !read {
                return Ok(None);
            }
            self.line += 1;
            let text = self.bytes.trim_ascii();
            if text.is_empty() {
                continue;
            }
            return Ok(Some(match Object::read(text) {
                Ok(Some(object)) => Ok((self.line, object)),
                Ok(None) => continue,
                Err(reason) => Err(self.unreadable(reason)),
            }));
        }
    }

    /// Reports that the line that was read last is not a row.
    fn unreadable(&self, reason: String) -> UnreadableRow {
        UnreadableRow {
            line: self.line,
            reason,
            data: String::from_utf8_lossy(self.bytes.trim_ascii()).into_owned(),
        }
    }
}

/// Reads a line, which `\n`, `\r` or both end; false where there is none.
fn read_line(reader: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    let mut any = false;
    loop {
        let bytes = reader.fill_buf()?;
        if bytes.is_empty() {
            return Ok(any);
        }
        any = true;
        let end = bytes.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
        let Some(end) = end else {
            line.extend_from_slice(bytes);
            let read = bytes.len();
            reader.consume(read);
            if line.len() > LONGEST_ROW {
                return Err(io::Error::other(TOO_LONG));
            }
            continue;
        };
        line.extend_from_slice(&bytes[..end]);
        let is_return = bytes[end] == b'\r';
        reader.consume(end + 1);
        if is_return && reader.fill_buf()?.first() == Some(&b'\n') {
            reader.consume(1);
        }
        return Ok(true);
    }
}

/// Rows of changes as NDJSON.
pub(crate) struct NdjsonRows {
    objects: Objects,
    data: String,
    members: Members,
}

/// What the members of a row mean. Rows mostly have the members of the row before.
pub(super) struct Members {
    names: Vec<String>,
    read: Vec<Meaning>,
    meanings: Meanings,
}

impl Members {
    pub(super) fn new(ignored: &[String]) -> Self {
        Self { names: Vec::new(), read: Vec::new(), meanings: Meanings::new(ignored) }
    }

    pub(super) fn meanings(&self) -> &Meanings {
        &self.meanings
    }

    fn of(&mut self, row: &[Member]) -> Result<&[Meaning], String> {
        let names = row.iter().map(|(name, _)| name);
        if !names.clone().eq(&self.names) {
            self.read = self.meanings.of(names.clone().map(String::as_str))?;
            self.names = names.cloned().collect();
        }
        Ok(&self.read)
    }

    pub(super) fn cells(&mut self, row: &Object) -> Result<Cells<'static>, String> {
        let mut cells = Cells::default();
        let row = row.flat()?;
        for ((name, value), meaning) in row.iter().zip(self.of(&row)?) {
            let Meaning::Known(column) = meaning else {
                continue;
            };
            match serde_json::from_str(value.get()) {
                Ok(Value::Null) => {}
                Ok(Value::String(text)) => cells.set(*column, text),
                Ok(Value::Number(number)) => cells.set(*column, number.to_string()),
                Ok(Value::Bool(on)) => cells.set(*column, on.to_string()),
                _ => return Err(format!("`{name}` holds a list or an object")),
            }
        }
        Ok(cells)
    }
}

impl NdjsonRows {
    pub(crate) fn new(name: String, reader: Box<dyn Read + Send>, dialect: &Dialect) -> Self {
        Self {
            objects: Objects::new(name, reader),
            data: String::new(),
            members: Members::new(&dialect.ignored),
        }
    }

    pub(super) fn meanings(&self) -> &Meanings {
        self.members.meanings()
    }

    pub(crate) fn next(&mut self) -> Result<Option<ReadRow<'_>>, BulkError> {
        let (line, object) = match self.objects.next()? {
            Some(Ok(read)) => read,
            Some(Err(unreadable)) => return Ok(Some(Err(unreadable))),
            None => return Ok(None),
        };
        let text = serde_json::to_string(&object).map_err(|e| e.to_string());
        let read = text.and_then(|text| Ok((text, self.members.cells(&object)?)));
        Ok(Some(match read {
            Ok((data, cells)) => {
                self.data = data;
                Ok(RawRow { line, cells, data: &self.data })
            }
            Err(reason) => Err(self.objects.unreadable(reason)),
        }))
    }
}
