//! `crm consent plan`: the set of all that is not yet so.

use std::path::PathBuf;

use clap::Args;
use crm_bulk::ChangeSet;

use super::reach::{INSTEAD, ReachArgs, tell, tell_overridden};
use crate::{
    commands::change_sets::{
        out::Out,
        summary::{Summary, name},
    },
    commands::ledger::{LedgerSets, open_sets, sound},
    error::CliError,
    globals::Format,
    output::{note, quoted},
    session::Session,
    status::Status,
};

/// Plan all that is not yet so: a set that turns marketing off wherever a number or address is out
///
/// Over contacts of customers and locations and contact methods of people, in a mirror that is brought
/// up to date first, so that copies count that came after the wish. A wish for all kinds of messages
/// turns off what the policy names. Where nothing is due there is no set. Nothing is sent before
/// `crm apply` does it; `crm consent run` does both.
#[derive(Debug, Args)]
pub(crate) struct PlanCommand {
    /// The change set to write; without it one of the desk, whose name the answer tells
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    #[command(flatten)]
    reach: ReachArgs,

    /// Exit with 0 when there is nothing to do, 2 when there are changes, 1 on any error
    #[arg(long)]
    pub(crate) detailed_exitcode: bool,
}

#[derive(serde::Serialize)]
struct Nothing {
    set: Option<()>,
}

impl PlanCommand {
    pub(crate) async fn run(self, session: &Session<'_>) -> Result<Status, CliError> {
        session.tell_target();
        let ledger = sound(session.place(INSTEAD)?)?;
        let desk = session.desk(INSTEAD)?;
        let out = Out::of(self.out.as_deref(), || Ok(desk), "consent", None, None)?;
        let LedgerSets { sets: open, passed_over } = open_sets(desk)?;
        let reached = match self.reach.plan(session, ledger, out.path()).await? {
            Ok(reached) => reached,
            Err(signal) => return Ok(Status::Stopped(signal, None)),
        };
        tell(&reached);
        let overridden = reached.overridden.iter().map(|(target, why)| (*target, why));
        tell_overridden(overridden).iter().for_each(note);
        if reached.changes == 0 {
            match session.output.format() {
                Format::Table => session.output.text("nothing can be done: no set was made")?,
                _ => session.output.value(&Nothing { set: None })?,
            }
            return Ok(Status::Done);
        }
        for (set, why) in passed_over {
            note(format!("{}: {why}", name(&set)));
        }
        for set in open {
            let set = name(&set);
            note(format!("{set} is open: `crm apply {}` continues it", quoted(&set)));
        }
        Summary::of(&ChangeSet::open(out.path())?, 10)?
            .needs_approval(session.requires_approval())
            .write_whole_or_begun(session.output)?;
        Ok(if self.detailed_exitcode { Status::ChangesPlanned } else { Status::Done })
    }
}
