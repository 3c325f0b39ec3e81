//! `crm report`: one page for people.

use std::path::PathBuf;

use clap::Args;
use crm_bulk::ChangeSet;

use super::write_file;
use crate::{
    error::CliError,
    output::{Output, note},
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
    pub(crate) async fn run(self, _: &Output) -> Result<(), CliError> {
        let set = ChangeSet::open(&self.set)?;
        let Some(path) = self.html else {
            return Ok(set.report(std::io::stdout())?);
        };
        write_file(&path, &self.set, |file| set.report(file)).await?;
        note(format!("written to {}", path.display()));
        Ok(())
    }
}
