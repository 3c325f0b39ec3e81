//! The rows that change sets are planned from: how they are read, and what is told of wrong ones.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

use clap::Args;
use crm_bulk::{BulkError, Input, InvalidRows};

use crate::{
    commands::args::{Switch, narrow},
    error::CliError,
    output::note,
};

/// How rows are read.
#[derive(Debug, Args)]
pub(crate) struct InputArgs {
    /// What separates cells; `tab` for a tab. Without it a first line such as `sep=;` decides, or
    /// else the header
    #[arg(long, value_name = "CHARACTER", value_parser = delimiter)]
    delimiter: Option<u8>,

    /// The encoding of a file that is not in UTF-8 and has no byte order mark, for example
    /// windows-1252
    #[arg(long, value_name = "NAME")]
    encoding: Option<String>,

    /// Leave wrong rows out instead of planning nothing
    #[arg(long)]
    pub(super) skip_invalid: bool,

    /// Write wrong rows to this file, with what is wrong, to be corrected and planned again
    #[arg(long, value_name = "FILE")]
    pub(super) mend: Option<PathBuf>,

    /// The value of flags that a row does not name, for new contacts and where the service does
    /// not say what a contact receives; without it such changes are refused
    #[arg(long, value_name = "on|off", hide_possible_values = true)]
    pub(super) unknown_flags: Option<Switch>,

    /// Stdin is NDJSON
    #[arg(long)]
    ndjson: bool,
}

impl InputArgs {
    /// The rows of a file, or for `-` of stdin.
    pub(super) fn open(&self, path: &Path) -> Result<Input, CliError> {
        let input = if path.as_os_str() != "-" {
            Input::open(path)?
        } else if self.ndjson {
            Input::ndjson("stdin", io::stdin())
        } else {
            Input::csv("stdin", io::stdin())
        };
        let input = match &self.encoding {
            Some(encoding) => input.encoding(encoding)?,
            None => input,
        };
        Ok(narrow!(input, delimiter(self.delimiter)))
    }
}

fn delimiter(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        b"tab" => Ok(b'\t'),
        [one] if one.is_ascii() => Ok(*one),
        _ => Err("give one character, or tab".to_owned()),
    }
}

/// How often the same fault of the same column is told; a file has it in every row or in a few.
const TOLD: u64 = 3;

/// Lists the wrong cells on stderr, in clear: who runs the command has the input. What is wrong in
/// many rows is told of the first ones, with how many more there are.
pub(super) fn tell_invalid(invalid: &InvalidRows) {
    let mut times = BTreeMap::new();
    for cell in &invalid.cells {
        let times = times.entry((&cell.column, &cell.reason)).or_insert(0_u64);
        *times += 1;
        if *times <= TOLD {
            note(cell.in_clear());
        }
    }
    for ((column, reason), times) in times {
        let column = match column.as_str() {
            "" => String::new(),
            column => format!("{column}: "),
        };
        match times.saturating_sub(TOLD) {
            0 => {}
            1 => note(format!("and in 1 more row: {column}{reason}")),
            more => note(format!("and in {more} more rows: {column}{reason}")),
        }
    }
    if invalid.more_cells > 0 {
        let hint = match &invalid.mend {
            Some(path) => format!("{} has all of them", path.display()),
            None => "--mend FILE writes all".to_owned(),
        };
        note(format!("and {} more: {hint}", invalid.more_cells));
    }
}

/// Tells what is wrong with the rows before the error itself is told.
pub(super) fn told(error: BulkError) -> CliError {
    if let BulkError::InvalidRows(invalid) = &error {
        tell_invalid(invalid);
    }
    error.into()
}
