//! `crm approve`: say that a set is right exactly as it is, or without some of its changes.

use std::path::PathBuf;

use clap::Args;
use crm_bulk::{
    BulkError, ChangeSet, Decision, DropSummary, ExpectedDigest, Remark, Selection, visible,
};
use serde::Serialize;

use super::{
    caution::tell_cautions,
    decided::Decided,
    drop::{first, nothing_to_drop, numbers, refuse_unknown, tell_resting, tell_wishes},
    summary::name,
};
use crate::{
    commands::args::{narrow, whole},
    error::CliError,
    globals::{Format, Globals},
    output::{Output, count, crm, quoted},
    signal::until_signal,
    status::Status,
};

/// Approve a set exactly as it is, or without some of its changes
///
/// The set keeps its digest, the time, the user of the system and the name that is given. `crm apply
/// --require-approval` refuses a set without; so does a profile with `require_approval = true`, which
/// is about sets alone: single writes are not held. The approval ends as soon as anything of the plan
/// changes, as by `crm drop`.
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

    /// Take these changes out first, by their numbers on the page, as `crm drop` does
    #[arg(long, value_name = "N,N", value_delimiter = ',', value_parser = whole(1_u32, None))]
    drop: Vec<u32>,

    /// Why they are taken out
    #[arg(long, value_name = "TEXT", requires = "drop")]
    reason: Option<String>,
}

/// What was approved and what was taken out before, for programs.
#[derive(Serialize)]
struct Approved {
    /// None where nothing is left to send.
    #[serde(flatten)]
    decision: Option<Decided>,
    /// The numbers of the changes that were taken out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    dropped: Vec<String>,
    /// The numbers of the changes that are held as well.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    holds: Vec<String>,
    /// The numbers of the changes that no longer hand a memo over.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    narrowed: Vec<String>,
}

impl Approve {
    pub(crate) async fn run(self, globals: &Globals, output: &Output) -> Result<Status, CliError> {
        let set = ChangeSet::open(&self.set)?;
        refuse_unknown(&set, &self.drop)?;
        let (dropped, decision) = match until_signal(self.decide(&set)).await? {
            Ok(decided) => decided,
            Err(signal) => return Ok(Status::Stopped(signal, None)),
        };
        tell_cautions(&set)?;
        let changes = dropped.as_ref().map(|dropped| dropped.changes.as_slice());
        let changes = changes.unwrap_or_default();
        if let Some(dropped) = &dropped {
            tell_resting(&set, dropped);
            tell_wishes(globals, &set, dropped)?;
        }
        match output.format() {
            Format::Table => {
                let mut lines = dropped
                    .as_ref()
                    .map(|dropped| first(&set, dropped))
                    .transpose()?
                    .unwrap_or_default();
                let set = name(&self.set);
                if !changes.is_empty() {
                    let changes = count(changes.len() as u64, "change");
                    lines.push(format!("{}: {changes} dropped", visible(&set)));
                }
                match &decision {
                    Some(decision) => {
                        let (who, digest) = (decision.who(), decision.digest.short());
                        let (named, who) = (visible(&set), visible(&who));
                        lines.push(format!("{named}: approved by {who}; digest {digest}"));
                        let (crm, set) = (crm(), quoted(&set));
                        lines.push(format!("next: {crm} apply {set} --require-approval"));
                    }
                    None => lines.push(format!(
                        "{}: nothing is left to send, so nothing was approved",
                        visible(&set)
                    )),
                }
                output.text(&lines.join("\n"))?;
            }
            _ => output.value(&Approved {
                dropped: numbers(changes),
                holds: dropped.as_ref().map(|it| numbers(&it.holds)).unwrap_or_default(),
                narrowed: dropped.as_ref().map(|it| numbers(&it.narrowed)).unwrap_or_default(),
                decision: decision.map(Decided::from),
            })?,
        }
        Ok(Status::Done)
    }

    async fn decide(
        &self,
        set: &ChangeSet,
    ) -> Result<(Option<DropSummary>, Option<Decision>), CliError> {
        let remark = Remark::new().by(self.by.clone());
        if self.drop.is_empty() {
            return match set.approve(self.expect.clone(), remark).await {
                Ok(decision) => Ok((None, Some(decision))),
                // As of one of several accounts in which all is so already: it stops no script.
                Err(BulkError::NothingToApprove { .. }) => Ok((None, None)),
                Err(error) => Err(error.into()),
            };
        }
        let which = Selection::all().numbers(self.drop.iter().copied().map(i64::from));
        let remark = narrow!(remark, reason(self.reason.clone()));
        let (dropped, decision) = set.approve_without(self.expect.clone(), &which, remark).await?;
        if dropped.dropped == 0 {
            let (set_name, why) = (name(&self.set), nothing_to_drop(set, &which)?);
            return Err(CliError::Usage(format!(
                "{set_name}: neither dropped nor approved: {why}; approve it without --drop"
            )));
        }
        Ok((Some(dropped), decision))
    }
}
