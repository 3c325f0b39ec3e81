//! `crm results`: the input returned with its outcomes.

use std::{
    io::{BufWriter, Write},
    path::PathBuf,
};

use clap::Args;
use crm_bulk::{BulkError, ChangeSet, ResultRows};

use super::write_file;
use crate::{
    error::CliError,
    output::{Output, count, note},
};

/// Return the rows of a set's input with the outcome of each
///
/// All columns in their order, as CSV or NDJSON like the input; with --excel so that a spreadsheet
/// program opens it as it is.
#[derive(Debug, Args)]
pub(crate) struct Results {
    /// The change set
    set: PathBuf,

    /// Only the rows that are not done, to be corrected and planned again
    #[arg(long)]
    failed: bool,

    /// Write to this file instead of stdout
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Results {
    pub(crate) async fn run(self, output: &Output) -> Result<(), CliError> {
        let set = ChangeSet::open(&self.set)?;
        let rows = match self.failed {
            true => ResultRows::Failed,
            false => ResultRows::All,
        };
        let Some(path) = self.out else {
            give_back(&set, rows, output, BufWriter::new(std::io::stdout()))?;
            return Ok(());
        };
        let written =
            write_file(&path, &self.set, |file| give_back(&set, rows, output, file)).await?;
        note(format!("{} written to {}", count(written, "row"), path.display()));
        Ok(())
    }
}

fn give_back(
    set: &ChangeSet,
    rows: ResultRows,
    output: &Output,
    out: impl Write,
) -> Result<u64, BulkError> {
    match output.is_for_excel() {
        true => set.results_for_spreadsheets(rows, out),
        false => set.results(rows, out),
    }
}
