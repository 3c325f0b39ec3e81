//! Where answers go, and those that are one text or one value.

use std::{
    cell::Cell,
    io::{self, Write},
};

use serde::Serialize;

use super::{json, lines::LineFormat, people::lines};
use crate::globals::Format;

/// Where answers go, and in which form.
pub(crate) struct Output {
    format: Format,
    fields: Option<Vec<String>>,
    /// Whether CSV is for a spreadsheet program.
    excel: bool,
    /// Whether a JSON array has been begun and not ended.
    array: Cell<bool>,
}

/// A format that `--output` or `--excel` names and the answer does not have.
#[derive(Debug, thiserror::Error)]
#[error("{0}: leave --output out")]
pub(crate) struct NoSuchForm(&'static str);

#[derive(Serialize)]
struct Done<'a> {
    action: &'static str,
    record: &'a str,
}

impl Output {
    pub(crate) fn new(format: Format, fields: Option<Vec<String>>) -> Self {
        Self { format, fields, excel: false, array: Cell::new(false) }
    }

    /// Writes CSV for spreadsheet programs.
    pub(crate) fn excel(self, excel: bool) -> Self {
        Self { excel, ..self }
    }

    /// Whether CSV is for a spreadsheet program.
    pub(crate) fn is_for_excel(&self) -> bool {
        self.excel
    }

    /// CSV with or without a header.
    pub(crate) fn csv(&self, header: bool) -> LineFormat {
        LineFormat::Csv { header, excel: self.excel }
    }

    pub(crate) fn format(&self) -> Format {
        self.format
    }

    /// Refuses a format in which a command has no answer. `table` is never refused: it is the default,
    /// and nobody need have asked for it.
    pub(crate) fn is_one_of(&self, has: &[Format], answer: &'static str) -> Result<(), NoSuchForm> {
        if self.format == Format::Table || has.contains(&self.format) {
            return Ok(());
        }
        Err(NoSuchForm(answer))
    }

    /// Whether programs read the answer.
    pub(crate) fn is_json(&self) -> bool {
        matches!(self.format, Format::Json | Format::Ndjson)
    }

    /// Whether records are written as JSON with all of their members.
    pub(crate) fn is_whole_json(&self) -> bool {
        self.format == Format::Json && self.fields.is_none()
    }

    pub(crate) fn fields(&self) -> Option<&[String]> {
        self.fields.as_deref()
    }

    /// Reports what was done by a command that has no record to show.
    pub(crate) fn done(&self, action: &'static str, record: &str) -> io::Result<()> {
        match self.format {
            Format::Table => self.text(&format!("{action}: {record}")),
            _ => self.value(&Done { action, record }),
        }
    }

    /// Writes lines for people.
    pub(crate) fn text(&self, text: &str) -> io::Result<()> {
        writeln!(io::stdout(), "{}", lines(text))
    }

    /// Writes one JSON value: over several lines for `json`, otherwise on one.
    pub(crate) fn value(&self, value: &impl Serialize) -> io::Result<()> {
        match self.format {
            Format::Json => writeln!(io::stdout(), "{}", json::pretty(value)?),
            _ => self.line(value),
        }
    }

    /// Writes one JSON value on one line, whatever the format.
    pub(crate) fn line(&self, value: &impl Serialize) -> io::Result<()> {
        writeln!(io::stdout(), "{}", json::line(value)?)
    }

    /// Begins an array or continues it.
    pub(super) fn separate(&self, out: &mut impl Write) -> io::Result<()> {
        let is_begun = self.array.replace(true);
        out.write_all(if is_begun { b",\n  " } else { b"[\n  " })
    }

    /// Ends an array, even one without items.
    pub(super) fn end(&self, out: &mut impl Write) -> io::Result<()> {
        let is_begun = self.array.take();
        out.write_all(if is_begun { b"\n]\n" } else { b"[]\n" })?;
        out.flush()
    }

    /// Writes an error as JSON: the last item of a list that was begun, otherwise on its own.
    pub(crate) fn error(&self, error: &impl Serialize) -> io::Result<()> {
        if !self.array.take() {
            return self.value(error);
        }
        writeln!(io::stdout(), ",\n  {}\n]", json::line(error)?)
    }
}
