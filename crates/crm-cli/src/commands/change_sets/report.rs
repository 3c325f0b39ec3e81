//! `crm report`: one page for people.

use std::path::PathBuf;

use clap::Args;
use crm_bulk::ChangeSet;

use crate::{
    commands::file_arg::write_beside,
    error::CliError,
    globals::Format,
    output::{Output, note},
    status::Status,
};

/// Write a page about a set, for approval and for the files
///
/// One HTML page with totals, differences, outcomes, and for opt-outs the evidence of each entry.
#[derive(Debug, Args)]
pub(crate) struct Report {
    /// The change set
    set: PathBuf,

    /// Write the page to this file instead of stdout
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

impl Report {
    pub(crate) async fn run(self, output: &Output) -> Result<Status, CliError> {
        let Some(path) = self.html else {
            output.is_one_of(
                &[],
                "the report is a page of HTML, crm status and crm show have the same for programs",
            )?;
            ChangeSet::open(&self.set)?.report(std::io::stdout())?;
            return Ok(Status::Done);
        };
        let set = ChangeSet::open(&self.set)?;
        if let Err(signal) = write_beside(&self.set, &path, |file| set.report(file)).await? {
            return Ok(Status::Stopped(signal, None));
        }
        let path = path.display().to_string();
        match output.format() {
            Format::Table => note(format!("written to {path}")),
            _ => output.done("written", &path)?,
        }
        Ok(Status::Done)
    }
}
