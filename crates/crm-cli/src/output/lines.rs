//! The formats that are written line by line: NDJSON and CSV, to stdout or to a file.

use std::{
    borrow::Cow,
    io::{self, Write},
};

use crm_bulk::{guarded, guarded_number};
use crm_models::Timestamp;

use super::{
    cells::Cells,
    json::{self, PROFILE},
    record::Record,
    selection::Selection,
};

/// NDJSON or CSV.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LineFormat {
    Ndjson,
    /// With a header line, unless the file has one already.
    Csv {
        header: bool,
        /// For a spreadsheet program: with a byte order mark before the header, by which it
        /// recognizes UTF-8, and with numbers that it would change guarded.
        excel: bool,
    },
}

/// Writes records as lines.
pub(crate) struct Lines<W: Write> {
    form: Form<W>,
    header: bool,
    excel: bool,
    cells: Cells,
    /// Of which profile the records are, where there are those of several.
    profile: Option<String>,
}

/// The byte order mark.
const MARK: &str = "\u{feff}";

enum Form<W: Write> {
    Ndjson(W),
    Csv(Box<csv::Writer<W>>),
}

impl<W: Write> Lines<W> {
    pub(crate) fn new(out: W, format: LineFormat) -> Self {
        let (form, header, excel) = match format {
            LineFormat::Ndjson => (Form::Ndjson(out), false, false),
            LineFormat::Csv { header, excel } => {
                (Form::Csv(Box::new(csv::Writer::from_writer(out))), header, excel)
            }
        };
        Self { form, header, excel, cells: Cells::default(), profile: None }
    }

    /// Has each record say of which profile it is.
    pub(crate) fn of(self, profile: Option<String>) -> Self {
        Self { profile, ..self }
    }

    pub(crate) fn push<R: Record>(&mut self, selection: &Selection, record: &R) -> io::Result<()> {
        self.header(selection)?;
        match &mut self.form {
            Form::Ndjson(out) => {
                let line = json::line(&selection.json(record)?)?;
                match &self.profile {
                    Some(profile) => {
                        writeln!(out, "{}", json::of_profile(&line, profile))
                    }
                    None => writeln!(out, "{line}"),
                }
            }
            Form::Csv(csv) => {
                selection.fill(&mut self.cells, record)?;
                if let Some(profile) = &self.profile {
                    csv.write_field(profile).map_err(io_error)?;
                }
                for (column, (text, is_text)) in self.cells.iter().enumerate() {
                    let is_time = self.excel && is_text && selection.is_time(column);
                    let time = is_time.then(|| sheet_time(text)).flatten();
                    let cell = time.map(Cow::Owned);
                    let cell = cell.unwrap_or_else(|| safe_cell(text, is_text, self.excel));
                    csv.write_field(cell.as_bytes()).map_err(io_error)?;
                }
                // Ends the line.
                csv.write_record(None::<&[u8]>).map_err(io_error)
            }
        }
    }

    /// Ends a list: even one without records has its header.
    pub(crate) fn finish(&mut self, selection: &Selection) -> io::Result<()> {
        self.header(selection)?;
        self.flush()
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        match &mut self.form {
            Form::Ndjson(out) => out.flush(),
            Form::Csv(csv) => csv.flush(),
        }
    }

    fn header(&mut self, selection: &Selection) -> io::Result<()> {
        if let (Form::Csv(csv), true) = (&mut self.form, std::mem::take(&mut self.header)) {
            let mut names = selection.members().to_vec();
            if self.profile.is_some() {
                names.insert(0, PROFILE.to_owned());
            }
            if self.excel
                && let Some(first) = names.first_mut()
            {
                first.insert_str(0, MARK);
            }
            csv.write_record(names).map_err(io_error)?;
        }
        Ok(())
    }
}

/// The stream's own error, which may say that its reader went away.
fn io_error(error: csv::Error) -> io::Error {
    let text = error.to_string();
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        _ => io::Error::other(text),
    }
}

/// A cell that no spreadsheet treats as a formula. Only text can be one; the API's numbers and
/// booleans are unchanged.
fn safe_cell(cell: &str, is_text: bool, excel: bool) -> Cow<'_, str> {
    match is_text {
        true if excel => guarded_number(cell),
        true => guarded(cell),
        false => cell.into(),
    }
}

/// A time as a spreadsheet program takes it for one: to the second, in UTC. It keeps a text with a `T`
/// and a `Z` as a text.
fn sheet_time(text: &str) -> Option<String> {
    text.parse::<Timestamp>().ok()?;
    Some(text.get(..19)?.replace('T', " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_one_for_a_spreadsheet_too() {
        let told = sheet_time("2026-03-10T17:20:05.0000001Z");
        assert_eq!(told.as_deref(), Some("2026-03-10 17:20:05"));
        assert_eq!(sheet_time("on Monday"), None);
    }

    #[test]
    fn text_that_would_run_as_a_formula_is_quoted() {
        for (cell, is_text, written) in [
            ("=1+1", true, "'=1+1"),
            ("+18185550142", true, "'+18185550142"),
            ("8185550142", true, "8185550142"),
            ("-1", false, "-1"),
            ("true", false, "true"),
            ("", false, ""),
        ] {
            assert_eq!(safe_cell(cell, is_text, false), written);
        }
    }
}
