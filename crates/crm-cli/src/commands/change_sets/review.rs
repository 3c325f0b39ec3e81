//! What whoever plans a set hands on to whoever approves it: the page, and what is typed then.

use std::path::{Path, PathBuf};

use clap::Args;
use crm_bulk::{ChangeSet, Report};

use super::{report::write_page, summary::Summary};
use crate::{
    commands::{
        file_arg::{OverwriteArgs, keep_apart},
        ledger,
    },
    error::CliError,
    output::note,
    session::Session,
    signal::Signal,
};

#[derive(Debug, Args)]
pub(super) struct ReviewArgs {
    /// Write the page about the set too, as `crm report --html FILE` does, for whoever is to approve
    /// it. One that is there already is about another set, and is refused
    #[arg(long, value_name = "FILE")]
    page: Option<PathBuf>,
}

impl ReviewArgs {
    /// Refuses to write the page over what the set is made from, or over anything else that is there.
    pub(super) fn spare(
        &self,
        input: Option<&Path>,
        overwrite: OverwriteArgs,
    ) -> Result<(), CliError> {
        let Some(path) = self.page.as_deref() else {
            return Ok(());
        };
        let beside = path.with_added_extension("csv");
        if let Some(input) = input {
            keep_apart(path, input, "the input")?;
            keep_apart(&beside, input, "the input")?;
        }
        // No page that is there is about a set that is still to be planned.
        overwrite.spare(path)?;
        overwrite.spare(&beside)
    }

    /// What is told of a set that was planned just now, once its page is written.
    pub(super) async fn summary(
        &self,
        session: &Session<'_>,
        set: &Path,
        sample: u32,
    ) -> Result<Result<Summary, Signal>, CliError> {
        let planned = ChangeSet::open(set)?;
        let summary = Summary::of(&planned, sample)?.needs_approval(session.requires_approval());
        let Some(page) = &self.page else {
            return Ok(Ok(summary));
        };
        let desk = session.existing_desk()?;
        let ledger = desk.map(ledger::open).transpose()?.flatten();
        let changed = ledger::values_changed(ledger.as_ref(), desk);
        let mut report =
            ledger::on_page(Report::of(&planned), ledger.as_ref(), changed.as_ref(), &planned)?;
        if let Some(desk) = desk {
            let (events, notes) = desk.past(set)?;
            report = report.past(events, notes);
        }
        match write_page(report, set, page).await? {
            Ok(written) => note(written),
            Err(signal) => return Ok(Err(signal)),
        }
        Ok(Ok(summary.with_page(page)))
    }
}
