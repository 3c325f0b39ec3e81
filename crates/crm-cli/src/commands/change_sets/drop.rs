//! `crm drop`: take single changes out of a set before it is applied.

use std::path::PathBuf;

use clap::Args;
use crm_bulk::{ChangeSet, Remark};
use serde::Serialize;

use super::{select::SelectArgs, summary::name};
use crate::{
    commands::args::narrow,
    error::CliError,
    globals::Format,
    output::{Output, count, note},
    signal::until_signal,
    status::Status,
};

/// Take single changes out of a set, before it is applied
///
/// Name them by their numbers, as `crm show` lists them, or by what is common to them. The set keeps
/// what was dropped, by whom and when, and never applies it. Its digest changes, so an approval from
/// before no longer holds. Refused while the set is being applied, and for changes that were sent or
/// may have been.
#[derive(Debug, Args)]
pub(crate) struct DropCommand {
    /// The change set: a file, or the name of one of the desk
    pub(crate) set: PathBuf,

    /// Changes by their numbers
    #[arg(value_name = "CHANGE")]
    changes: Vec<u32>,

    #[command(flatten)]
    select: SelectArgs,

    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,

    /// Who decided it; the set keeps the user of the system beside it
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
}

/// What became of it, for programs.
#[derive(Serialize)]
struct Dropped {
    dropped: u64,
    /// Selected changes for which nothing would be sent.
    left: u64,
    digest: String,
}

impl DropCommand {
    pub(crate) async fn run(self, output: &Output) -> Result<Status, CliError> {
        if self.changes.is_empty() && !self.select.is_any() {
            let say = "say which changes: by number, or with --where, --owner or --text";
            return Err(CliError::Usage(say.to_owned()));
        }
        let which = self.select.narrow(Vec::new()).map_err(CliError::Usage)?;
        let which = which.numbers(self.changes.iter().copied().map(i64::from));
        let remark = narrow!(Remark::new(), by(self.by), reason(self.reason));
        let set = ChangeSet::open(&self.set)?;
        let was_approved = set.approval()?.is_some();
        let dropping = async { Ok::<_, CliError>(set.drop_changes(&which, remark).await?) };
        let summary = match until_signal(dropping).await? {
            Ok(summary) => summary,
            Err(signal) => return Ok(Status::Stopped(signal, None)),
        };
        let set = name(&self.set);
        if summary.left > 0 {
            let left = count(summary.left, "other change");
            note(format!("left as they are, since nothing would be sent for them: {left}"));
        }
        if summary.dropped == 0 {
            return Err(CliError::Usage(format!(
                "{set}: nothing was dropped: no such change waits"
            )));
        }
        if was_approved {
            note("the approval was of the set before: have it approved again");
        }
        match output.format() {
            Format::Table => output.text(&format!(
                "{set}: {} dropped; digest {}",
                count(summary.dropped, "change"),
                summary.digest.short()
            ))?,
            _ => output.value(&Dropped {
                dropped: summary.dropped,
                left: summary.left,
                digest: summary.digest.to_string(),
            })?,
        }
        Ok(Status::Done)
    }
}
