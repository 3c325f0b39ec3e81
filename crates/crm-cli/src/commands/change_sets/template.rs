//! The columns of rows: in the help of `crm plan`, and as an empty file.

use std::{
    fmt::Write as _,
    fs::File,
    io::{self, Write},
    path::Path,
};

use crm_bulk::{Input, InputColumn};

use crate::{error::CliError, globals::Format, output::Output, status::Status};

/// Every column, with the names that the API has for it and its meaning.
pub(super) fn help() -> String {
    let mut text = "Columns, by our names and by the API's; of a name only letters and digits \
        count, in any case:\n"
        .to_owned();
    for InputColumn { name, also, meaning, .. } in Input::COLUMNS {
        let names = [&[*name], *also].concat().join(", ");
        // Writing to a String cannot fail.
        let _ = write!(text, "\n  {names}\n          {meaning}\n");
    }
    text
}

/// An empty file of rows to be: a new one, or stdout for `-`.
pub(crate) struct Template<'a>(pub(super) &'a Path);

impl Template<'_> {
    /// Writes a header with every column that a row can fill.
    pub(crate) fn write(&self, output: &Output) -> Result<Status, CliError> {
        output.is_one_of(&[Format::Csv], "the template is CSV")?;
        let (path, excel) = (self.0, output.is_for_excel());
        if path.as_os_str() == "-" {
            header(io::stdout(), excel)?;
        } else {
            let file = File::create_new(path);
            let written = file.and_then(|file| header(file, excel));
            written.map_err(CliError::unwritten(path))?;
        }
        Ok(Status::Done)
    }
}

fn header(mut out: impl Write, excel: bool) -> io::Result<()> {
    let columns = Input::COLUMNS.iter().filter(|column| !column.computed);
    let names: Vec<_> = columns.map(|column| column.name).collect();
    let mark = if excel { "\u{feff}" } else { "" };
    writeln!(out, "{mark}{}", names.join(","))
}
