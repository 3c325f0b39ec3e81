//! `crm results`: the input returned with its outcomes.

use std::{
    io::{self, BufWriter, Write},
    path::PathBuf,
};

use clap::Args;
use crm_bulk::{BulkError, ChangeSet, InputFormat, ResultRows};

use super::summary::name;
use crate::{
    commands::file_arg::{OverwriteArgs, keep_apart, write_beside},
    error::CliError,
    globals::{Format, Globals},
    output::{Output, count, note},
    session,
    status::Status,
};

/// Return the rows of a set's input with the outcome of each
///
/// All columns in their order, as CSV or NDJSON like the input; with --excel so that a spreadsheet
/// program opens it as it is.
#[derive(Debug, Args)]
pub(crate) struct Results {
    /// The change set: a file, or the name of one of the desk
    pub(crate) set: PathBuf,

    /// Only the rows that are not done, to be corrected and planned again
    #[arg(long)]
    failed: bool,

    /// A row for each contact, which crm plan reads, instead of the rows of the input: of an opt-out
    /// the contacts that one entry reached. A set without an input, such as one of clean-ups, has
    /// these rows anyway
    #[arg(long)]
    by_contact: bool,

    /// Write to this file instead of stdout
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    #[command(flatten)]
    overwrite: OverwriteArgs,
}

impl Results {
    /// Whether they go to a file that is named.
    pub(crate) fn has_file(&self) -> bool {
        self.out.is_some()
    }

    pub(crate) async fn run(self, globals: &Globals, output: &Output) -> Result<Status, CliError> {
        let set = ChangeSet::open(&self.set)?.reversed_by(session::reverses(globals, &self.set));
        if !output.is_for_excel() {
            let (has, answer) = match set.format()? {
                InputFormat::Ndjson if !self.by_contact => (
                    Format::Ndjson,
                    "the rows come back as NDJSON, as they were; --by-contact gives CSV, a row for each \
                     contact",
                ),
                _ => (Format::Csv, "the rows come back as CSV, as they were"),
            };
            output.is_one_of(&[has], answer)?;
        }
        if output.is_for_excel() && !self.by_contact && set.format()? == InputFormat::Ndjson {
            let told = "its rows are NDJSON, which no spreadsheet program opens: say --by-contact for a \
                        row for each contact";
            return Err(CliError::Usage(format!("{}: {told}", name(&self.set))));
        }
        let rows = if self.failed { ResultRows::Failed } else { ResultRows::All };
        let (excel, by_contact) = (output.is_for_excel(), self.by_contact);
        let give_back = |out: &mut dyn Write| -> Result<u64, BulkError> {
            match (by_contact, excel) {
                (true, true) => set.results_by_contact_for_spreadsheets(rows, out),
                (true, false) => set.results_by_contact(rows, out),
                (false, true) => set.results_for_spreadsheets(rows, out),
                (false, false) => set.results(rows, out),
            }
        };
        if by_contact {
            let of_people = set.totals()?.of_people();
            if of_people > 0 {
                let methods = count(of_people, "contact method");
                note(format!("without {methods} of people, which no row can name"));
            }
        }
        let Some(path) = self.out else {
            give_back(&mut BufWriter::new(io::stdout()))?;
            return Ok(Status::Done);
        };
        keep_apart(&path, &self.set, "the change set")?;
        self.overwrite.spare(&path)?;
        match write_beside(&self.set, &path, give_back).await? {
            Ok(written) => note(format!("{} written to {}", count(written, "row"), path.display())),
            Err(signal) => return Ok(Status::Stopped(signal, None)),
        }
        Ok(Status::Done)
    }
}
