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
        let is_for_people = output.format() == Format::Table;
        let Some(path) = self.html else {
            if !is_for_people {
                return Err(CliError::Usage(
                    "the report is a page of HTML: leave --output out, or write the page to a file \
                     with --html FILE; crm status and crm show have the same for programs"
                        .to_owned(),
                ));
            }
            ChangeSet::open(&self.set)?.report(std::io::stdout())?;
            return Ok(Status::Done);
        };
        let set = ChangeSet::open(&self.set)?;
        if let Err(signal) = write_beside(&self.set, &path, |file| set.report(file)).await? {
            return Ok(Status::Stopped(signal, None));
        }
        let path = path.display().to_string();
        if is_for_people {
            note(format!("written to {path}"));
        } else {
            output.done("written", &path)?;
        }
        Ok(Status::Done)
    }
}
