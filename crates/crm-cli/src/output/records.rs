//! Records of one kind, alone or as a list.

use std::{
    io::{self, BufWriter, Stdout, Write},
    marker::PhantomData,
};

use crm_bulk::visible;
use serde_json::value::RawValue;

use super::{
    answer::Output,
    cells::Cells,
    json,
    lines::{LineFormat, Lines},
    people::note,
    record::Record,
    selection::{Selection, UnknownField},
    table::{self, Table},
};
use crate::globals::Format;

/// Writes records of one kind to stdout.
pub(crate) struct Records<'a, R> {
    pub(super) output: &'a Output,
    pub(super) selection: Selection,
    form: Form,
    /// What is said in place of records, as long as there are none.
    none: Option<String>,
    record: PhantomData<R>,
}

/// What is said where there are no records and the command knows no better words.
const NONE: &str = "nothing found";

enum Form {
    /// Lines for people, by what makes them of a record.
    Text(BufWriter<Stdout>),
    Table(Table<BufWriter<Stdout>>, Cells),
    Array(BufWriter<Stdout>),
    Lines(Lines<BufWriter<Stdout>>),
}

impl Output {
    /// Prepares to write records; refuses fields that they do not have. Call it before
    /// anything is sent.
    pub(crate) fn records<R: Record>(&self) -> Result<Records<'_, R>, UnknownField> {
        let selection = Selection::of::<R>(self.fields())?;
        let out = BufWriter::new(io::stdout());
        let form = match self.format() {
            Format::Table if R::LINES.is_some() && self.fields().is_none() => Form::Text(out),
            Format::Table => {
                Form::Table(Table::new(out, selection.titles::<R>()), Cells::default())
            }
            Format::Json => Form::Array(out),
            Format::Ndjson => Form::Lines(Lines::new(out, LineFormat::Ndjson).of(self.profile())),
            Format::Csv => Form::Lines(Lines::new(out, self.csv(true)).of(self.profile())),
        };
        let none = Some(NONE.to_owned());
        Ok(Records { output: self, selection, form, none, record: PhantomData })
    }

    /// Prepares to write JSON values unchanged: one a line for `ndjson`, otherwise an array.
    pub(crate) fn items(&self) -> Records<'_, Box<RawValue>> {
        let out = BufWriter::new(io::stdout());
        let form = match self.format() {
            Format::Ndjson => Form::Lines(Lines::new(out, LineFormat::Ndjson)),
            _ => Form::Array(out),
        };
        let selection = Selection::all::<Box<RawValue>>();
        Records { output: self, selection, form, none: None, record: PhantomData }
    }
}

impl<R: Record> Records<'_, R> {
    /// Writes one record on its own: as lines of members and values for people.
    pub(crate) fn one(mut self, record: &R) -> io::Result<()> {
        match &mut self.form {
            Form::Text(_) | Form::Table(..) => {
                table::members(io::stdout(), &self.selection.row(record)?)
            }
            Form::Array(_) => self.output.value(&self.selection.json(record)?),
            Form::Lines(lines) => {
                lines.push(&self.selection, record)?;
                self.output.has_header();
                lines.flush()
            }
        }
    }

    /// Sets what is said of a list without records: to people in its place, to programs on stderr.
    pub(crate) fn if_none(&mut self, sentence: impl Into<String>) {
        self.none = self.none.take().map(|_| sentence.into());
    }

    /// Writes one more record of a list.
    pub(crate) fn push(&mut self, record: &R) -> io::Result<()> {
        self.none = None;
        match &mut self.form {
            Form::Text(out) => {
                let lines = R::LINES.map(|lines| lines(record)).unwrap_or_default();
                lines.iter().try_for_each(|line| writeln!(out, "{}", visible(line)))
            }
            Form::Table(table, cells) => {
                self.selection.fill_table(cells, record)?;
                let day = |column| self.selection.shows_day(column);
                let row = cells.iter().enumerate();
                table.push(row.map(|(column, (text, is_text))| match text.split_once('T') {
                    Some((date, _)) if is_text && day(column) => table::shown(date, is_text),
                    _ => table::shown(text, is_text),
                }))
            }
            Form::Lines(lines) => {
                lines.push(&self.selection, record)?;
                self.output.has_header();
                Ok(())
            }
            Form::Array(out) => {
                self.output.separate(out)?;
                let item = json::line(&self.selection.json(record)?)?;
                out.write_all(self.output.tagged(item).as_bytes())
            }
        }
    }

    /// Writes a whole list.
    pub(crate) fn all(mut self, records: impl IntoIterator<Item = R>) -> io::Result<()> {
        for record in records {
            self.push(&record)?;
        }
        self.finish()
    }

    /// Ends a list that an error follows: in JSON the error becomes its last item. Titles without
    /// records are left out.
    pub(crate) fn interrupt(self) -> io::Result<()> {
        match self.form {
            Form::Text(mut out) | Form::Array(mut out) => out.flush(),
            Form::Table(mut table, _) => table.interrupt(),
            Form::Lines(mut lines) => lines.flush(),
        }
    }

    /// Ends a list. One without records has a sentence that says so.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        match (&self.form, self.none.take()) {
            (Form::Text(_) | Form::Table(..), Some(none)) => {
                return self.output.text(&visible(&none));
            }
            (_, Some(none)) => note(none),
            (_, None) => {}
        }
        match &mut self.form {
            Form::Text(out) => out.flush(),
            Form::Table(table, _) => table.finish(),
            Form::Lines(lines) => {
                self.output.has_header();
                lines.finish(&self.selection)
            }
            Form::Array(out) => self.output.end(out),
        }
    }
}

/// The members that a record has, as lines for people.
pub(crate) fn described<R: Record>(record: &R) -> io::Result<Vec<String>> {
    let row = Selection::all::<R>().row(record)?;
    let held = row.into_iter().filter(|(_, value)| !value.is_null());
    Ok(table::member_lines(&held.collect()))
}
