//! `crm opt-out` and `crm opt-in`: a list of numbers and addresses reaches every copy.

use std::path::PathBuf;

use clap::Args;
use crm_bulk::{ChangeSet, Input, OptOut};

use super::{InputArgs, Summary, site, snapshot, tell_invalid, told};
use crate::{
    commands::args::NumberArgs,
    error::CliError,
    interrupt,
    output::{count, note},
    session::Session,
};

/// Plan it for every contact with one of these numbers or addresses, on every customer, every
/// location, and every person's contact methods, however they are written.
#[derive(Debug, Args)]
pub(crate) struct OptOutCommand {
    /// CSV with columns such as value, phone, mobile, email, or one value a line; NDJSON where the
    /// name ends in .ndjson or .jsonl. A column received or date_received gives the date for the
    /// evidence. - for stdin
    list: PathBuf,

    /// The change set to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,

    /// Turn every flag, not marketing alone
    #[arg(long)]
    all: bool,

    /// Keep the snapshot that is needed in this file, so that the next run is quicker
    #[arg(long, value_name = "FILE")]
    snapshot: Option<PathBuf>,

    /// Leave people's contact methods out, for an app without their scope
    #[arg(long)]
    without_people: bool,

    #[command(flatten)]
    numbers: NumberArgs,

    #[command(flatten)]
    rows: InputArgs,
}

impl OptOutCommand {
    pub(crate) async fn run(self, session: &Session<'_>, on: bool) -> Result<(), CliError> {
        session.tell_target();
        let list = self.rows.open(&self.list)?;
        interrupt::until_signal(self.plan(session, list, on)).await?;
        Summary::of(&ChangeSet::open(&self.out)?, 10)?.write(session.output)
    }

    async fn plan(&self, session: &Session<'_>, list: Input, on: bool) -> Result<(), CliError> {
        let (snapshot, folder) = snapshot::fresh(session, self.snapshot.as_deref()).await?;
        let mut plan = OptOut::new(site(session), snapshot).numbers(self.numbers.reader());
        if on {
            plan = plan.opt_in();
        }
        if self.all {
            plan = plan.every_flag();
        }
        if self.without_people {
            plan = plan.without_people();
        }
        if self.rows.skip_invalid {
            plan = plan.skip_invalid();
        }
        if let Some(others) = self.rows.unknown_flags {
            plan = plan.unknown_flags(others.into());
        }
        if let Some(mend) = &self.rows.mend {
            plan = plan.mend_file(mend);
        }
        let planned = plan.plan(&session.service, list, &self.out).await;
        drop(folder);
        if let Some(invalid) = planned.map_err(told)?.invalid {
            tell_invalid(&invalid);
            note(format!(
                "left out: {}",
                count(invalid.rows, "invalid entry")
            ));
        }
        Ok(())
    }
}
