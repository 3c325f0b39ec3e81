//! How answers are written: as a table for people, or as JSON, NDJSON or CSV for programs.
//!
//! Lists are written item by item, so their length does not matter.

mod changes;
mod json;
mod lines;
mod people;
mod record;
mod selection;
mod table;

use std::{
    cell::Cell,
    io::{self, BufWriter, Stdout, Write},
    marker::PhantomData,
};

use clap::ValueEnum;
pub(crate) use json::escaped;
pub(crate) use lines::{LineFormat, Lines};
pub(crate) use people::{confirm, count, failure, lines, note, on_terminal};
pub(crate) use record::Record;
pub(crate) use selection::Selection;
use serde::Serialize;
use serde_json::value::RawValue;
use table::Table;

use crate::error::CliError;

/// How answers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Columns for people
    Table,
    /// One JSON value; a list is an array
    Json,
    /// One JSON value a line
    Ndjson,
    /// A header and rows; text that a spreadsheet would run as a formula is quoted with '
    Csv,
}

/// Where answers go, and in which form.
pub(crate) struct Output {
    format: Format,
    fields: Option<Vec<String>>,
    /// Whether CSV is for a spreadsheet program.
    excel: bool,
    /// Whether a JSON array has been begun and not ended.
    array: Cell<bool>,
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

    /// Whether programs read the answer.
    pub(crate) fn is_json(&self) -> bool {
        matches!(self.format, Format::Json | Format::Ndjson)
    }

    pub(crate) fn fields(&self) -> Option<&[String]> {
        self.fields.as_deref()
    }

    /// Prepares to write records; refuses fields that they do not have. Call it before
    /// anything is sent.
    pub(crate) fn records<R: Record>(&self) -> Result<Records<'_, R>, CliError> {
        let selection = Selection::of::<R>(self.fields())?;
        let out = BufWriter::new(io::stdout());
        let form = match self.format {
            Format::Table => Form::Table(Table::new(out, selection.titles::<R>())),
            Format::Json => Form::Array(out),
            Format::Ndjson => Form::Lines(Lines::new(out, LineFormat::Ndjson)),
            Format::Csv => Form::Lines(Lines::new(out, self.csv(true))),
        };
        Ok(Records { output: self, selection, form, record: PhantomData })
    }

    /// Whether records are written as JSON with all of their members.
    pub(crate) fn is_whole_json(&self) -> bool {
        self.format == Format::Json && self.fields.is_none()
    }

    /// Reports what was done by a command that has no record to show.
    pub(crate) fn done(&self, action: &'static str, record: &str) -> Result<(), CliError> {
        match self.format {
            Format::Table => self.text(&format!("{action}: {record}")),
            _ => self.value(&Done { action, record }),
        }
    }

    /// Writes lines for people.
    pub(crate) fn text(&self, text: &str) -> Result<(), CliError> {
        Ok(writeln!(io::stdout(), "{}", lines(text))?)
    }

    /// Writes one JSON value: over several lines for `json`, otherwise on one.
    pub(crate) fn value(&self, value: &impl Serialize) -> Result<(), CliError> {
        let text = match self.format {
            Format::Json => json::pretty(value)?,
            _ => json::line(value)?,
        };
        Ok(writeln!(io::stdout(), "{text}")?)
    }

    /// Writes one JSON value on one line, whatever the format.
    pub(crate) fn line(&self, value: &impl Serialize) -> Result<(), CliError> {
        Ok(writeln!(io::stdout(), "{}", json::line(value)?)?)
    }

    /// Prepares to write JSON values unchanged: one a line for `ndjson`, otherwise an array.
    pub(crate) fn items(&self) -> Items<'_> {
        Items { output: self, out: BufWriter::new(io::stdout()) }
    }

    /// Begins an array or continues it.
    fn separate(&self, out: &mut impl Write) -> io::Result<()> {
        out.write_all(match self.array.replace(true) {
            false => b"[\n  ",
            true => b",\n  ",
        })
    }

    /// Ends an array, even one without items.
    fn end(&self, out: &mut impl Write) -> io::Result<()> {
        out.write_all(match self.array.take() {
            false => b"[]\n",
            true => b"\n]\n",
        })?;
        out.flush()
    }

    /// Writes an error as JSON: the last item of a list that was begun, otherwise on its own.
    pub(crate) fn error(&self, error: &impl Serialize) -> Result<(), CliError> {
        match self.array.take() {
            false => self.value(error),
            true => {
                let error = json::line(error)?;
                Ok(writeln!(io::stdout(), ",\n  {error}\n]")?)
            }
        }
    }
}

/// The members that a record has, as lines for people.
pub(crate) fn described<R: Record>(record: &R) -> Result<Vec<String>, CliError> {
    let row = Selection::of::<R>(None)?.row(record)?;
    let held = row.into_iter().filter(|(_, value)| !value.is_null());
    Ok(table::member_lines(&held.collect()))
}

#[derive(Serialize)]
struct Done<'a> {
    action: &'static str,
    record: &'a str,
}

/// Writes records of one kind to stdout.
pub(crate) struct Records<'a, R> {
    output: &'a Output,
    selection: Selection,
    form: Form,
    record: PhantomData<R>,
}

enum Form {
    Table(Table<BufWriter<Stdout>>),
    Array(BufWriter<Stdout>),
    Lines(Lines<BufWriter<Stdout>>),
}

impl<R: Record> Records<'_, R> {
    /// Writes one record on its own: as lines of members and values for people.
    pub(crate) fn one(mut self, record: &R) -> Result<(), CliError> {
        match &mut self.form {
            Form::Table(_) => Ok(table::members(io::stdout(), &self.selection.row(record)?)?),
            Form::Array(_) => self.output.value(&self.selection.json(record)?),
            Form::Lines(lines) => {
                lines.push(&self.selection, record)?;
                Ok(lines.flush()?)
            }
        }
    }

    /// Writes one more record of a list.
    pub(crate) fn push(&mut self, record: &R) -> Result<(), CliError> {
        match &mut self.form {
            Form::Table(table) => table.push(self.selection.table_row(record)?)?,
            Form::Lines(lines) => lines.push(&self.selection, record)?,
            Form::Array(out) => {
                self.output.separate(out)?;
                let item = json::line(&self.selection.json(record)?)?;
                out.write_all(item.as_bytes())?;
            }
        }
        Ok(())
    }

    /// Ends a list that an error follows: in JSON the error becomes its last item. Titles without
    /// records are left out.
    pub(crate) fn interrupt(self) -> Result<(), CliError> {
        match self.form {
            Form::Array(mut out) => Ok(out.flush()?),
            Form::Table(mut table) => Ok(table.interrupt()?),
            Form::Lines(mut lines) => Ok(lines.flush()?),
        }
    }

    /// Ends a list.
    pub(crate) fn finish(mut self) -> Result<(), CliError> {
        match &mut self.form {
            Form::Table(table) => table.finish()?,
            Form::Lines(lines) => lines.finish(&self.selection)?,
            Form::Array(out) => self.output.end(out)?,
        }
        Ok(())
    }
}

/// Writes JSON values to stdout unchanged.
pub(crate) struct Items<'a> {
    output: &'a Output,
    out: BufWriter<Stdout>,
}

impl Items<'_> {
    pub(crate) fn push(&mut self, item: &RawValue) -> Result<(), CliError> {
        if self.output.format != Format::Ndjson {
            self.output.separate(&mut self.out)?;
        }
        self.out.write_all(json::line(&item)?.as_bytes())?;
        if self.output.format == Format::Ndjson {
            self.out.write_all(b"\n")?;
        }
        Ok(())
    }

    /// Ends a list that an error follows: in JSON the error becomes its last item.
    pub(crate) fn interrupt(mut self) -> Result<(), CliError> {
        Ok(self.out.flush()?)
    }

    pub(crate) fn finish(mut self) -> Result<(), CliError> {
        match self.output.format {
            Format::Ndjson => Ok(self.out.flush()?),
            _ => Ok(self.output.end(&mut self.out)?),
        }
    }
}
