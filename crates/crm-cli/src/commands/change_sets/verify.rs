//! `crm verify`: read back what a set has done.

use std::path::PathBuf;

use clap::Args;
use crm_bulk::{BulkError, ChangeSet, Finding, Found, Verification};
use serde::Serialize;

use super::{line::INDENT, owner_names::Names, show::Which, summary::name};
use crate::{
    error::CliError,
    exit::Exit,
    globals::Globals,
    output::{Records, count, records},
    progress::Progress,
    session::{self, Session},
    signal::until_signal,
    status::Status,
};

/// Read back what a set has changed
///
/// Read back every change of a set that is done, and list what is no longer so. No contact is
/// changed. The result is kept in the set, and `crm report` shows it.
///
/// What other sets have undone is counted by itself, not listed: `crm show` names it.
///
/// Ends with 0 when all is still so, 8 when something no longer is, or was undone, 5 when something
/// could not be read.
#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The change set: a file, or the name of one of the desk
    pub(crate) set: PathBuf,
}

/// A change that is no longer as it was done.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    #[serde(flatten)]
    which: Which,
    /// When the change was done.
    done_at: Option<String>,
    /// What its record is: differs, gone, back or unread.
    found: &'static str,
    difference: String,
    /// When the record was read.
    read_at: String,
}

records! {
    Shown {
        "id" => "ID", "row", "ownerKind", "ownerId", "contactId", "ownerName" => "NAME",
        "ownerTown" => "TOWN", "type", "value" => "VALUE", "action", "doneAt", "found" => "FOUND",
        "difference" => "DIFFERENCE", "readAt";
        lines: Shown::lines
    }
}

impl Shown {
    fn of(finding: &Finding, names: &mut Names) -> Result<Self, BulkError> {
        let change = &finding.change;
        Ok(Self {
            which: Which::of(change, names.of_owner(&change.target)?),
            done_at: change.outcome.at.map(|at| at.to_string()),
            found: finding.found.name(),
            difference: finding.found.difference(),
            read_at: finding.at.to_string(),
        })
    }

    /// As people read it.
    fn lines(&self) -> Vec<String> {
        let mut lines = self.which.about.clone();
        lines.push(format!("{INDENT}{}: {}", self.found, self.difference));
        let done = self.done_at.as_ref().map(|at| format!("done {at}, ")).unwrap_or_default();
        lines.push(format!("{INDENT}{done}read {}", self.read_at));
        lines
    }
}

impl Verify {
    pub(crate) async fn run(
        self,
        session: &Session<'_>,
        globals: &Globals,
    ) -> Result<Status, CliError> {
        let mut set =
            ChangeSet::open(&self.set)?.reversed_by(session::reverses(globals, &self.set));
        let done = set.totals()?.in_state(crm_bulk::State::Done);
        let mut records = session.output.records::<Shown>()?;
        let mut names = Names::of(&self.set)?;
        let progress = Progress::of(done, "changes");
        // A reader that went away is told at the end: the set is read back all the same.
        let mut shown = Ok(());
        let site = session.site();
        let verified = set.verify(&session.service, &site, |finding| {
            progress.advance(1);
            if finding.found != Found::AsDone && !finding.undone && shown.is_ok() {
                shown = records.push(&Shown::of(finding, &mut names)?);
            }
            Ok(())
        });
        let verified = until_signal(async { Ok::<_, CliError>(verified.await?) }).await;
        drop(progress);
        let ended = match verified {
            Ok(Ok(verification)) => self.conclude(&set, &verification, &mut records),
            Ok(Err(signal)) => Ok(Status::Stopped(signal, None)),
            Err(error) => Err(error),
        };
        if matches!(ended, Ok(Status::Done)) {
            shown?;
            records.finish()?;
        } else {
            // It counts for more than a reader that went away, and is the last item of a list.
            drop(records.interrupt());
        }
        ended
    }

    /// Tells how many changes are still as done: where all are, in place of the others.
    fn conclude(
        &self,
        set: &ChangeSet,
        verification: &Verification,
        records: &mut Records<'_, Shown>,
    ) -> Result<Status, CliError> {
        let (no_longer_so, unread) = (verification.no_longer_so(), verification.unread);
        let undone = verification.undone;
        let mut summary = format!(
            "{}: {} of {} still as done",
            name(&self.set),
            verification.as_done,
            count(verification.all(), "change"),
        );
        let parts =
            [(no_longer_so, "no longer"), (unread, "could not be read"), (undone, "undone")];
        for (number, what) in parts {
            if number > 0 {
                summary += &format!(", {number} {what}");
            }
        }
        let stored = set.stored_otherwise()?;
        if stored > 0 {
            summary += &format!(", {stored} stored otherwise than sent");
        }
        let exit = match (no_longer_so + undone, unread) {
            (0, 0) => {
                records.if_none(summary);
                return Ok(Status::Done);
            }
            (0, _) => Exit::Unreachable,
            _ => Exit::Differs,
        };
        Err(CliError::CheckFailed { summary, exit })
    }
}
