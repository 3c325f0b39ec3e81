//! What an update changed, member by member, before and after.

use std::{
    borrow::Cow,
    io::{self, Write},
};

use anstyle::{AnsiColor, Style};
use crm_bulk::visible;
use crm_contacts::Difference;
use serde::Serialize;

use super::{
    answer::Output,
    lines::Lines,
    record::Record,
    records::Records,
    selection::{Json, Selection},
};
use crate::globals::Format;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Updated<'a, R: Serialize> {
    changed: bool,
    differences: &'a [Difference],
    record: Json<'a, R>,
}

impl<R: Record> Records<'_, R> {
    /// Reports what an update of `subject` changed, and in JSON also the record's new state. Its
    /// answer may be of a type of its own, with the same members.
    pub(crate) fn updated(
        self,
        subject: &str,
        differences: &[Difference],
        record: &impl Serialize,
    ) -> io::Result<()> {
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
    pub(crate) fn differences(&self, title: &str, differences: &[Difference]) -> io::Result<()> {
        if self.format() == Format::Csv {
            let selection = Selection::all::<Difference>();
            let mut lines = Lines::new(io::stdout(), self.csv(true));
            for change in differences {
                lines.push(&selection, change)?;
            }
            return lines.finish(&selection);
        }
        let mut out = anstream::stdout().lock();
        let bold = Style::new().bold();
        writeln!(out, "{bold}{}{bold:#}", visible(title))?;
        let width = differences.iter().map(|change| change.field.len()).max().unwrap_or(0);
        for Difference { field, before, after, .. } in differences {
            let old = AnsiColor::Red.on_default();
            let new = AnsiColor::Green.on_default();
            let (before, after) = (shown(before.as_deref()), shown(after.as_deref()));
            writeln!(out, "  {field:<width$}  {old}{before}{old:#} → {new}{after}{new:#}")?;
        }
        out.flush()
    }
}

fn shown(value: Option<&str>) -> Cow<'_, str> {
    value.map_or("(none)".into(), visible)
}
