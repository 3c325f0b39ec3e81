//! Which members of a record are written, and taking them out.

use std::io;

use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::Value;

use super::{
    cells::{Cells, Tree},
    record::Record,
};

/// The members to write: those of `--fields`, else all of the record's.
pub(crate) struct Selection {
    members: Vec<String>,
    /// Whether they were chosen; otherwise JSON shows the record as it is.
    chosen: bool,
    tree: Tree,
    /// The members that a table shows: the chosen ones, else the table's own.
    shown: Vec<String>,
    shown_tree: Tree,
}

/// A row: members with their values.
pub(super) type Row = Vec<(String, Value)>;

/// A member that `--fields` names and the record does not have.
#[derive(Debug, thiserror::Error)]
#[error("--fields: there is no `{field}` here; there are {}", known.join(", "))]
pub(crate) struct UnknownField {
    field: String,
    known: Vec<&'static str>,
}

/// How the names of members end of which the day is enough in a table.
const DAYS: [&str; 2] = ["On", "plannedAt"];

/// How the names of members end that are times.
const TIMES: [&str; 2] = ["On", "At"];

impl Selection {
    /// All members of the record.
    pub(crate) fn all<R: Record>() -> Self {
        let members = R::members().into_iter().map(str::to_owned).collect();
        let shown = R::table().into_iter().map(|(member, _)| member.to_owned()).collect();
        Self::with(members, false, shown)
    }

    fn with(members: Vec<String>, chosen: bool, shown: Vec<String>) -> Self {
        let (tree, shown_tree) = (Tree::of(&members), Tree::of(&shown));
        Self { members, chosen, tree, shown, shown_tree }
    }

    /// These members of the record, or all; refuses members that it does not have.
    pub(crate) fn of<R: Record>(fields: Option<&[String]>) -> Result<Self, UnknownField> {
        let Some(fields) = fields else {
            return Ok(Self::all::<R>());
        };
        let known = R::members();
        let is_known = |field: &&String| {
            known.iter().any(|member| {
                let rest = member.strip_prefix(field.as_str());
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            })
        };
        match fields.iter().find(|field| !is_known(field)) {
            None => Ok(Self::with(fields.to_vec(), true, fields.to_vec())),
            Some(unknown) => Err(UnknownField { field: unknown.clone(), known }),
        }
    }

    /// Puts the texts of the selected members in the place of the row before; empty where the record
    /// has none.
    pub(super) fn fill(&self, cells: &mut Cells, record: &impl Serialize) -> io::Result<()> {
        Ok(cells.fill(&self.tree, self.members.len(), record)?)
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

    /// Puts what a table shows of a record in the place of the row before.
    pub(super) fn fill_table(&self, cells: &mut Cells, record: &impl Serialize) -> io::Result<()> {
        Ok(cells.fill(&self.shown_tree, self.shown.len(), record)?)
    }

    /// Whether a table shows only the day of this column: it is enough for the eye, and leaves room
    /// for the rest.
    pub(super) fn shows_day(&self, column: usize) -> bool {
        !self.chosen
            && self
                .shown
                .get(column)
                .is_some_and(|member| DAYS.iter().any(|end| member.ends_with(end)))
    }

    /// Whether this member is a time.
    pub(super) fn is_time(&self, column: usize) -> bool {
        self.members
            .get(column)
            .is_some_and(|member| member == "at" || TIMES.iter().any(|end| member.ends_with(end)))
    }

    /// The titles of a table's columns.
    pub(super) fn titles<R: Record>(&self) -> Vec<String> {
        if self.chosen {
            return self.members.clone();
        }
        R::table().into_iter().map(|(_, title)| title.to_owned()).collect()
    }

    /// The record as JSON: whole, or the chosen members in their order.
    pub(super) fn json<'r, R: Serialize>(&self, record: &'r R) -> io::Result<Json<'r, R>> {
        Ok(if self.chosen { Json::Chosen(self.row(record)?) } else { Json::Whole(record) })
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
