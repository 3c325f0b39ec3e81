//! What an update changed, member by member, before and after.

use std::{
    borrow::Cow,
    fmt,
    io::{self, Write},
};

use anstyle::{AnsiColor, Style};
use crm_bulk::visible;
use crm_contacts::Difference;
use serde::Serialize;
use serde_json::Value;

use super::{
    Format, Lines, Output, Record, Records, Selection,
    selection::{Json, cell},
};
use crate::error::CliError;

/// One member of a record with its values before and after; none is absent or not known. Its
/// `Debug` shows the member alone: the values may be personal data.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Change {
    pub(crate) field: String,
    pub(crate) before: Option<String>,
    pub(crate) after: Option<String>,
}

impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Change")
            .field("field", &self.field)
            .finish_non_exhaustive()
    }
}

impl Record for Change {
    const MEMBERS: &'static [&'static str] = &["field", "before", "after"];
    const TABLE: &'static [(&'static str, &'static str)] = &[];
}

impl From<Difference> for Change {
    fn from(difference: Difference) -> Self {
        Self {
            field: difference.field.to_owned(),
            before: difference.before,
            after: difference.after,
        }
    }
}

/// The members in which two records differ, of those that are named.
pub(crate) fn changed_members(
    before: &impl Serialize,
    after: &impl Serialize,
    members: &[&str],
) -> Result<Vec<Change>, CliError> {
    let (before, after) = (json(before)?, json(after)?);
    let differing = members
        .iter()
        .filter(|member| before[**member] != after[**member]);
    Ok(differing
        .map(|member| Change {
            field: member.to_string(),
            before: text_of(&before[*member]),
            after: text_of(&after[*member]),
        })
        .collect())
}

/// The value of a member for people; none where there is none.
pub(crate) fn text_of(value: &Value) -> Option<String> {
    (!value.is_null()).then(|| cell(value))
}

fn json(record: &impl Serialize) -> Result<Value, CliError> {
    Ok(serde_json::to_value(record).map_err(io::Error::from)?)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Updated<'a, R: Serialize> {
    changed: bool,
    differences: &'a [Change],
    record: Json<'a, R>,
}

impl<R: Record> Records<'_, R> {
    /// Says what an update of `subject` changed, and in JSON also how the record is now. Its
    /// answer may be of a type of its own, with the same members.
    pub(crate) fn updated(
        self,
        subject: &str,
        differences: &[Change],
        record: &impl Serialize,
    ) -> Result<(), CliError> {
        let title = match differences.len() {
            0 => format!("{subject}: nothing to change, nothing was sent"),
            1 => format!("{subject}: 1 member changed"),
            members => format!("{subject}: {members} members changed"),
        };
        match self.output.format() {
            Format::Table => self.output.differences(&title, differences),
            Format::Csv => self.output.differences("", differences),
            Format::Json | Format::Ndjson => self.output.value(&Updated {
                changed: !differences.is_empty(),
                differences,
                record: self.selection.json(record)?,
            }),
        }
    }
}

impl Output {
    /// The differences below a title; as rows in CSV.
    pub(crate) fn differences(&self, title: &str, differences: &[Change]) -> Result<(), CliError> {
        if self.format() == Format::Csv {
            let selection = Selection::of::<Change>(None)?;
            let mut lines = Lines::new(io::stdout(), self.csv(true));
            for change in differences {
                lines.push(&selection, change)?;
            }
            return Ok(lines.finish(&selection)?);
        }
        let mut out = anstream::stdout().lock();
        let bold = Style::new().bold();
        writeln!(out, "{bold}{}{bold:#}", visible(title))?;
        let width = differences
            .iter()
            .map(|change| change.field.len())
            .max()
            .unwrap_or(0);
        for Change {
            field,
            before,
            after,
        } in differences
        {
            let old = AnsiColor::Red.on_default();
            let new = AnsiColor::Green.on_default();
            let (before, after) = (shown(before.as_deref()), shown(after.as_deref()));
            writeln!(
                out,
                "  {field:<width$}  {old}{before}{old:#} → {new}{after}{new:#}"
            )?;
        }
        Ok(out.flush()?)
    }
}

fn shown(value: Option<&str>) -> Cow<'_, str> {
    value.map_or("(none)".into(), visible)
}
