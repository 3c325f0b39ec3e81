//! `crm approve`: say that a set is right exactly as it is.

use std::path::PathBuf;

use clap::Args;
use crm_bulk::{ChangeSet, ExpectedDigest, Remark, visible};

use super::{decided::Decided, summary::name};
use crate::{
    error::CliError, globals::Format, output::Output, signal::until_signal, status::Status,
};

/// Approve a set exactly as it is
///
/// The set keeps its digest, the time, the user of the system and the name that is given. `crm apply
/// --require-approval` refuses a set without; so does a profile with `require_approval = true`, which
/// is about sets alone: single writes are not held. The approval ends as soon as anything of the plan changes, as by `crm drop`.
#[derive(Debug, Args)]
pub(crate) struct Approve {
    /// The change set: a file, or the name of one of the desk
    pub(crate) set: PathBuf,

    /// Who approves it; the set keeps the user of the system beside it
    #[arg(long, value_name = "NAME")]
    by: String,

    /// Approve the set only if this is its digest, as on the page that was looked at
    #[arg(long, value_name = "DIGEST")]
    expect: Option<ExpectedDigest>,
}

impl Approve {
    pub(crate) async fn run(self, output: &Output) -> Result<Status, CliError> {
        let set = ChangeSet::open(&self.set)?;
        let remark = Remark::new().by(self.by);
        let approving = async { Ok::<_, CliError>(set.approve(self.expect, remark).await?) };
        let decision = match until_signal(approving).await? {
            Ok(decision) => decision,
            Err(signal) => return Ok(Status::Stopped(signal, None)),
        };
        match output.format() {
            Format::Table => output.text(&format!(
                "{}: approved by {}; digest {}",
                visible(&name(&self.set)),
                visible(&decision.who()),
                decision.digest.short()
            ))?,
            _ => output.value(&Decided::from(decision))?,
        }
        Ok(Status::Done)
    }
}
