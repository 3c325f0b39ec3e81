//! Change sets: `crm snapshot`, `plan`, `opt-out`, `show`, `report`, `apply`, `status`, `undo`,
//! `results`. One file a command; here is what several of them share.

pub(super) mod apply;
pub(super) mod opt_out;
pub(super) mod plan;
pub(super) mod report;
pub(super) mod results;
pub(super) mod show;
pub(super) mod snapshot;
pub(super) mod status;
mod summary;
pub(super) mod undo;

use std::{io, path::PathBuf};

use clap::Args;
use crm_bulk::{BulkError, Input, InvalidRows, Site};

use self::summary::Summary;
use crate::{error::CliError, output::note, session::Session};

/// The site of a session, for files that belong to it.
fn site(session: &Session<'_>) -> Site {
    Site::new(session.tenant(), &session.host)
}

/// How rows are read.
#[derive(Debug, Args)]
pub(crate) struct InputArgs {
    /// What separates cells, instead of a comma; `tab` for a tab
    #[arg(long, value_name = "CHARACTER", value_parser = delimiter)]
    delimiter: Option<u8>,

    /// Leave wrong rows out instead of planning nothing
    #[arg(long)]
    skip_invalid: bool,

    /// Write wrong rows to this file, with what is wrong, to be mended and fed in again
    #[arg(long, value_name = "FILE")]
    mend: Option<PathBuf>,
}

impl InputArgs {
    /// The rows of a file, or of stdin for `-`.
    fn open(&self, path: &PathBuf, ndjson: bool) -> Result<Input, CliError> {
        let input = match path.as_os_str() == "-" {
            true if ndjson => Input::ndjson("stdin", io::stdin()),
            true => Input::csv("stdin", io::stdin()),
            false => Input::open(path)?,
        };
        Ok(match self.delimiter {
            Some(delimiter) => input.delimiter(delimiter),
            None => input,
        })
    }
}

fn delimiter(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        b"tab" => Ok(b'\t'),
        [one] if one.is_ascii() => Ok(*one),
        _ => Err("give one character, or tab".to_owned()),
    }
}

/// Lists every wrong cell on stderr.
fn tell_invalid(invalid: &InvalidRows) {
    for cell in &invalid.cells {
        note(cell.to_string());
    }
}

/// Tells what is wrong with the rows before the error itself is told.
fn told(error: BulkError) -> CliError {
    if let BulkError::InvalidRows(invalid) = &error {
        tell_invalid(invalid);
    }
    error.into()
}
