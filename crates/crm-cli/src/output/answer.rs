//! Where answers go, and those that are one text or one value.

use std::{
    cell::{Cell, RefCell},
    io::{self, IsTerminal, Write},
};

use serde::Serialize;

use super::{
    json,
    lines::LineFormat,
    people::{lines, note},
};
use crate::globals::Format;

/// Where answers go, and in which form.
pub(crate) struct Output {
    format: Format,
    fields: Option<Vec<String>>,
    /// Whether CSV is for a spreadsheet program.
    excel: bool,
    /// Whether a JSON array has been begun and not ended.
    array: Cell<bool>,
    /// Where the answers of several profiles follow each other.
    several: Option<Several>,
}

/// The answers of several profiles as one: each record and each value says whose it is, in JSON all
/// are items of one array, and CSV has one header.
#[derive(Default)]
struct Several {
    /// Whose answer it is now.
    profile: RefCell<String>,
    has_header: Cell<bool>,
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
        Self { format, fields, excel: false, array: Cell::new(false), several: None }
    }

    /// Writes CSV for spreadsheet programs.
    pub(crate) fn excel(self, excel: bool) -> Self {
        Self { excel, ..self }
    }

    /// Has the answers of several profiles follow each other.
    pub(crate) fn of_several(self) -> Self {
        Self { several: Some(Several::default()), ..self }
    }

    /// Begins the answer of a profile, below a heading where people read it.
    pub(crate) fn begin(&self, profile: &str) -> io::Result<()> {
        let Some(several) = &self.several else {
            return Ok(());
        };
        let before = several.profile.replace(profile.to_owned());
        let heading = format!("== profile {profile} ==");
        let is_table = self.format == Format::Table;
        if is_table {
            let gap = if before.is_empty() { "" } else { "\n" };
            self.text(&format!("{gap}{heading}"))?;
        }
        if !(is_table && io::stdout().is_terminal()) {
            note(heading);
        }
        Ok(())
    }

    /// Ends the answers of several profiles.
    pub(crate) fn end_of_several(&self) -> io::Result<()> {
        match &self.several {
            Some(_) if self.format == Format::Json => self.end_array(&mut io::stdout()),
            _ => Ok(()),
        }
    }

    /// Of which profile the answer is, where it is one of several.
    pub(crate) fn profile(&self) -> Option<String> {
        self.several.as_ref().map(|several| several.profile.borrow().clone())
    }

    /// A header was written, which is the one of all answers.
    pub(crate) fn has_header(&self) {
        if let Some(several) = &self.several {
            several.has_header.set(true);
        }
    }

    /// A JSON value with whose it is.
    pub(super) fn tagged(&self, value: String) -> String {
        match self.profile() {
            Some(profile) => json::of_profile(&value, &profile),
            None => value,
        }
    }

    /// Whether CSV is for a spreadsheet program.
    pub(crate) fn is_for_excel(&self) -> bool {
        self.excel
    }

    /// CSV with or without a header.
    pub(crate) fn csv(&self, header: bool) -> LineFormat {
        let is_there = self.several.as_ref().is_some_and(|several| several.has_header.get());
        LineFormat::Csv { header: header && !is_there, excel: self.excel }
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
        read_or_left(writeln!(io::stdout(), "{}", lines(text)))
    }

    /// Writes one JSON value: over several lines for `json`, otherwise on one.
    pub(crate) fn value(&self, value: &impl Serialize) -> io::Result<()> {
        read_or_left(match self.format {
            Format::Json if self.several.is_some() => self.item(value),
            Format::Json => writeln!(io::stdout(), "{}", json::pretty(value)?),
            _ => self.line(value),
        })
    }

    /// Writes one JSON value on one line, whatever the format.
    pub(crate) fn line(&self, value: &impl Serialize) -> io::Result<()> {
        writeln!(io::stdout(), "{}", self.tagged(json::line(value)?))
    }

    /// Writes one more item of the array of all answers.
    fn item(&self, value: &impl Serialize) -> io::Result<()> {
        let mut out = io::stdout();
        self.separate(&mut out)?;
        write!(out, "{}", self.tagged(json::line(value)?))
    }

    /// Begins an array or continues it.
    pub(super) fn separate(&self, out: &mut impl Write) -> io::Result<()> {
        let is_begun = self.array.replace(true);
        out.write_all(if is_begun { b",\n  " } else { b"[\n  " })
    }

    /// Ends an array, even one without items; of several answers the last one does.
    pub(super) fn end(&self, out: &mut impl Write) -> io::Result<()> {
        if self.several.is_some() { out.flush() } else { self.end_array(out) }
    }

    fn end_array(&self, out: &mut impl Write) -> io::Result<()> {
        let is_begun = self.array.take();
        out.write_all(if is_begun { b"\n]\n" } else { b"[]\n" })?;
        out.flush()
    }

    /// Writes an error as JSON: the last item of a list that was begun, otherwise on its own.
    pub(crate) fn error(&self, error: &impl Serialize) -> io::Result<()> {
        if self.several.is_some() || !self.array.take() {
            return self.value(error);
        }
        writeln!(io::stdout(), ",\n  {}\n]", json::line(error)?)
    }
}

/// What was written, or left by a reader who had read enough, as `grep -q` has: one answer is then at its
/// end, and the exit code still says what it says.
fn read_or_left(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}
