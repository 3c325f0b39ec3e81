//! Which members of a record are written, and taking them out.

use std::io;

use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::Value;

use super::Record;
use crate::error::CliError;

/// The members to write: those of `--fields`, else all of the record's.
pub(crate) struct Selection {
    members: Vec<String>,
    /// Whether they were chosen; otherwise JSON shows the record as it is.
    chosen: bool,
}

/// A row: members with their values.
pub(super) type Row = Vec<(String, Value)>;

impl Selection {
    /// Refuses members that the record does not have.
    pub(crate) fn of<R: Record>(fields: Option<&[String]>) -> Result<Self, CliError> {
        let Some(fields) = fields else {
            return Ok(Self {
                members: R::MEMBERS.iter().map(ToString::to_string).collect(),
                chosen: false,
            });
        };
        let known = |field: &&String| {
            R::MEMBERS.iter().any(|member| {
                let rest = member.strip_prefix(field.as_str());
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            })
        };
        if let Some(unknown) = fields.iter().find(|field| !known(field)) {
            return Err(CliError::Usage(format!(
                "--fields: there is no `{unknown}` here; there are {}",
                R::MEMBERS.join(", ")
            )));
        }
        Ok(Self { members: fields.to_vec(), chosen: true })
    }

    pub(super) fn members(&self) -> &[String] {
        &self.members
    }

    /// The selected members with their values; null where the record has none.
    pub(super) fn row(&self, record: &impl Serialize) -> io::Result<Row> {
        let value = serde_json::to_value(record)?;
        let members = self.members.iter();
        Ok(members.map(|member| (member.clone(), at(&value, member))).collect())
    }

    /// The values that a table shows: of the chosen members, else of the table's own.
    pub(super) fn table_row<R: Record>(&self, record: &R) -> io::Result<Vec<Value>> {
        let value = serde_json::to_value(record)?;
        Ok(match self.chosen {
            true => self.members.iter().map(|member| at(&value, member)).collect(),
            false => R::TABLE
                .iter()
                .map(|(member, _)| match (at(&value, member), member.ends_with("On")) {
                    // The day is enough for the eye, and leaves room for the rest.
                    (Value::String(time), true) => time.split('T').next().into(),
                    (value, _) => value,
                })
                .collect(),
        })
    }

    /// The titles of a table's columns.
    pub(super) fn titles<R: Record>(&self) -> Vec<String> {
        match self.chosen {
            true => self.members.clone(),
            false => R::TABLE.iter().map(|(_, title)| title.to_string()).collect(),
        }
    }

    /// The record as JSON: whole, or the chosen members in their order.
    pub(super) fn json<'r, R: Serialize>(&self, record: &'r R) -> io::Result<Json<'r, R>> {
        Ok(match self.chosen {
            true => Json::Chosen(self.row(record)?),
            false => Json::Whole(record),
        })
    }
}

/// A record, or the chosen members of it.
pub(super) enum Json<'r, R> {
    Whole(&'r R),
    Chosen(Row),
}

impl<R: Serialize> Serialize for Json<'_, R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Whole(record) => record.serialize(serializer),
            Self::Chosen(row) => {
                let mut map = serializer.serialize_map(Some(row.len()))?;
                for (member, value) in row {
                    map.serialize_entry(member, value)?;
                }
                map.end()
            }
        }
    }
}

/// The value at a dotted path.
fn at(value: &Value, member: &str) -> Value {
    let mut path = member.split('.');
    let found = path.try_fold(value, |value, name| value.get(name));
    found.cloned().unwrap_or(Value::Null)
}

/// A value as the text of a cell.
pub(super) fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
