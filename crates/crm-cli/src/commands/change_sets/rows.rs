//! The rows that change sets are planned from: how they are read.

use std::{
    io,
    path::{Path, PathBuf},
};

use clap::Args;
use crm_bulk::{BulkError, Input, MendFile};
use tempfile::NamedTempFile;

use crate::{
    commands::{
        args::Switch,
        file_arg::OverwriteArgs,
        texts::{TextArgs, tell_invalid},
    },
    error::CliError,
};

/// How rows are read.
#[derive(Debug, Args)]
pub(crate) struct InputArgs {
    #[command(flatten)]
    text: TextArgs,

    /// Leave wrong rows out instead of planning nothing
    #[arg(long)]
    pub(super) skip_invalid: bool,

    /// Write wrong rows to this file, with what is wrong, to be corrected and planned again
    #[arg(long, value_name = "FILE")]
    mend: Option<PathBuf>,

    /// The value of flags that a row does not name, for new contacts and where the service does
    /// not say what a contact receives; without it such changes are refused. `off` also ends job
    /// reminders, invoices and statements there; `on` lets them go on, and turns marketing on too
    /// where that is not named
    #[arg(long, value_name = "on|off", hide_possible_values = true)]
    pub(super) unknown_flags: Option<Switch>,
}

impl InputArgs {
    /// The rows of a file, or for `-` of stdin.
    pub(super) fn open(&self, path: &Path) -> Result<Input, CliError> {
        self.text.open(path)
    }

    /// The same for a list of numbers and addresses.
    pub(super) fn open_list(&self, path: &Path) -> Result<Input, CliError> {
        self.text.open_list(path)
    }

    /// The file for the wrong ones.
    pub(super) fn mend_file(&self, overwrite: OverwriteArgs) -> Option<MendFile> {
        self.mend.as_deref().map(|path| overwrite.mend_file(path))
    }

    /// Keeps what comes on stdin, for who has to read it more than once.
    pub(super) fn hold(&self) -> Result<NamedTempFile, CliError> {
        let unheld = |error| CliError::io("cannot keep what comes on stdin", error);
        let mut held = NamedTempFile::new().map_err(unheld)?;
        io::copy(&mut io::stdin().lock(), &mut held).map_err(unheld)?;
        Ok(held)
    }

    /// The rows of what was [held](Self::hold).
    pub(super) fn held(&self, held: &NamedTempFile) -> Result<Input, CliError> {
        let file = held.reopen().map_err(CliError::unread(held.path()))?;
        self.text.read("stdin", file)
    }
}

/// Tells what is wrong with the rows before the error itself is told.
pub(super) fn told(error: BulkError) -> CliError {
    if let BulkError::InvalidRows(invalid) = &error {
        tell_invalid(invalid);
    }
    error.into()
}
