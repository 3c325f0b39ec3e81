//! Rows of NDJSON.

use std::{
    fmt,
    io::{BufRead, BufReader, Read},
};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{MapAccess, Visitor},
    ser::SerializeMap,
};
use serde_json::{Value, value::RawValue};

use super::{
    RawRow, ReadRow,
    columns::{Cells, Column, is_ours},
    invalid::{UnreadableRow, still_broken},
};
use crate::BulkError;

/// A JSON object as it was written: members in order, values untouched.
pub(crate) struct Object(Vec<(String, Box<RawValue>)>);

impl Object {
    /// The members in order, with their texts; lists and objects as they were written.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (&str, String)> {
        self.0.iter().map(|(name, value)| {
            let text = match serde_json::from_str(value.get()) {
                Ok(Value::String(text)) => text,
                Ok(Value::Number(number)) => number.to_string(),
                Ok(Value::Bool(on)) => on.to_string(),
                Ok(Value::Array(_) | Value::Object(_)) => value.get().to_owned(),
                Ok(Value::Null) | Err(_) => String::new(),
            };
            (name.as_str(), text)
        })
    }

    /// Adds a member with a text, or replaces it.
    pub(crate) fn set(&mut self, name: &str, text: &str) -> serde_json::Result<()> {
        let value = serde_json::value::to_raw_value(text)?;
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some((_, present)) => *present = value,
            None => self.0.push((name.to_owned(), value)),
        }
        Ok(())
    }
}

impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Object(members))
            }
        }

        deserializer.deserialize_map(Members)
    }
}

pub(crate) struct NdjsonRows {
    name: String,
    reader: BufReader<Box<dyn Read + Send>>,
    line: u64,
    bytes: Vec<u8>,
    data: String,
}

impl NdjsonRows {
    pub(crate) fn new(name: String, reader: Box<dyn Read + Send>) -> Self {
        Self {
            name,
            reader: BufReader::new(reader),
            line: 0,
            bytes: Vec::new(),
            data: String::new(),
        }
    }

    pub(crate) fn next(&mut self) -> Result<Option<ReadRow<'_>>, BulkError> {
        loop {
            self.bytes.clear();
            let read = self.reader.read_until(b'\n', &mut self.bytes);
            let read = read.map_err(|e| BulkError::Input {
                name: self.name.clone(),
                reason: format!("line {}: {e}", self.line + 1),
            })?;
            if read == 0 {
                return Ok(None);
            }
            self.line += 1;
            let text = self
                .bytes
                .strip_prefix("\u{feff}".as_bytes())
                .unwrap_or(&self.bytes);
            let text = text.trim_ascii();
            if text.is_empty() {
                continue;
            }
            return Ok(Some(match read_line(text) {
                Ok(Some((cells, data))) => {
                    self.data = data;
                    Ok(RawRow {
                        line: self.line,
                        cells,
                        data: &self.data,
                    })
                }
                Ok(None) => continue,
                Err(reason) => Err(UnreadableRow {
                    line: self.line,
                    reason,
                    data: String::from_utf8_lossy(text).into_owned(),
                }),
            }));
        }
    }
}

/// The cells of a line, and the line as it is kept; `None` if there is nothing in it.
fn read_line(text: &[u8]) -> Result<Option<(Cells<'static>, String)>, String> {
    let text = std::str::from_utf8(text).map_err(|_| "it is not UTF-8 text".to_owned())?;
    let mut object: Object = serde_json::from_str(text).map_err(|e| match e.classify() {
        serde_json::error::Category::Data => "it is not a JSON object".to_owned(),
        _ => format!("it is not JSON, at column {}", e.column()),
    })?;
    let mut cells = Cells::default();
    let mut added = object.0.iter().filter(|(name, _)| is_ours(name));
    let told = added.find_map(|(name, value)| {
        let text: String = serde_json::from_str(value.get()).ok()?;
        still_broken(name, &text)
    });
    if let Some(reason) = told {
        return Err(reason);
    }
    object.0.retain(|(name, _)| !is_ours(name));
    if object.texts().all(|(_, text)| text.trim().is_empty()) {
        return Ok(None);
    }
    let mut named = Vec::new();
    for (name, value) in &object.0 {
        let Some(column) = Column::named(name) else {
            continue;
        };
        if named.contains(&column) {
            return Err(format!("{} is named twice", column.name()));
        }
        named.push(column);
        match serde_json::from_str(value.get()) {
            Ok(Value::Null) => {}
            Ok(Value::String(text)) => cells.set(column, text),
            Ok(Value::Number(number)) => cells.set(column, number.to_string()),
            Ok(Value::Bool(on)) => cells.set(column, on.to_string()),
            _ => return Err(format!("{} holds a list or an object", column.name())),
        }
    }
    let data = serde_json::to_string(&object).map_err(|e| e.to_string())?;
    Ok(Some((cells, data)))
}
