//! `crm opt-out` and `crm opt-in`: a list of numbers and addresses reaches every copy.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use crm_bulk::{ChangeSet, DateOrder, Input, MappedRole, OptOut};

use super::{
    known,
    names::NameArgs,
    out::{INSTEAD, Out},
    rows::{InputArgs, tell_invalid, told},
    snapshot::Need,
    summary::Summary,
};
use crate::{
    commands::args::{NumberArgs, narrow},
    error::CliError,
    output::{count, note},
    session::Session,
    signal::until_signal,
    status::Status,
};

/// Plan it for every contact with one of these numbers or addresses, on every customer, every
/// location, and every person's contact methods, however they are written.
#[derive(Debug, Args)]
pub(crate) struct OptOutCommand {
    /// CSV as a spreadsheet saves it, with columns such as value, phone, mobile, email, or one value
    /// a line; NDJSON where the name ends in .ndjson or .jsonl. A column such as status, opted out or
    /// consent says which rows are meant; one such as received or opt-out date gives the date for
    /// the evidence. - for stdin
    list: PathBuf,

    /// The change set to write; without it one of the desk, whose name the answer tells
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Change every flag, not only marketing
    #[arg(long)]
    all: bool,

    /// Keep what is known of all contacts in this file instead of the desk's mirror
    #[arg(long, value_name = "FILE")]
    snapshot: Option<PathBuf>,

    /// Leave people's contact methods out, for an app without their scope
    #[arg(long)]
    without_people: bool,

    /// What columns contain whose headers do not say so, as in phone=COLUMN,email=COLUMN; also
    /// status, received and reason
    #[arg(long, value_name = "WHAT=COLUMN", value_delimiter = ',', value_parser = mapped)]
    map: Vec<(MappedRole, String)>,

    /// Which number of a date such as 11/03/2026 is the month
    #[arg(long, value_name = "ORDER")]
    dates: Option<DatesArg>,

    /// Use every row even if the file's name says subscribed or cleaned
    #[arg(long)]
    every_row: bool,

    /// Exit with 0 when there is nothing to do, 2 when there are changes, entries left out or found
    /// nowhere, or records to look at or that cannot be read, 1 on any error
    #[arg(long)]
    pub(crate) detailed_exitcode: bool,

    #[command(flatten)]
    names: NameArgs,

    #[command(flatten)]
    numbers: NumberArgs,

    #[command(flatten)]
    rows: InputArgs,
}

/// The choices of `--dates`.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum DatesArg {
    /// The month is first
    Mdy,
    /// The day is first
    Dmy,
}

impl From<DatesArg> for DateOrder {
    fn from(order: DatesArg) -> Self {
        match order {
            DatesArg::Mdy => Self::Mdy,
            DatesArg::Dmy => Self::Dmy,
        }
    }
}

fn mapped(text: &str) -> Result<(MappedRole, String), String> {
    let (role, column) =
        text.split_once('=').ok_or("write it as phone=COLUMN, with the column's header")?;
    let role = match role.trim() {
        "phone" => MappedRole::Phone,
        "email" => MappedRole::Email,
        "status" => MappedRole::Status,
        "received" => MappedRole::Received,
        "reason" => MappedRole::Reason,
        _ => return Err("name phone, email, status, received or reason".to_owned()),
    };
    Ok((role, column.to_owned()))
}

impl OptOutCommand {
    pub(crate) async fn run(self, session: &Session<'_>, on: bool) -> Result<Status, CliError> {
        session.tell_target();
        let list = self.rows.open(&self.list)?;
        let how = if on { "opt-in" } else { "opt-out" };
        let desk = || session.desk(INSTEAD);
        let out = Out::of(self.out.as_deref(), desk, how, Some(&self.list))?;
        if let Err(signal) = until_signal(self.plan(session, list, on, out.path())).await? {
            return Ok(Status::Stopped(signal, None));
        }
        let summary = Summary::of(&ChangeSet::open(out.path())?, 10)?;
        summary.write_whole_or_begun(session.output)?;
        Ok(if self.detailed_exitcode && !summary.is_settled() {
            Status::ChangesPlanned
        } else {
            Status::Done
        })
    }

    async fn plan(
        &self,
        session: &Session<'_>,
        list: Input,
        on: bool,
        out: &Path,
    ) -> Result<(), CliError> {
        let known = known::fresh(session, self.snapshot.as_deref(), Need::Contacts).await?;
        let plan = narrow!(
            OptOut::new(session.site(), known.snapshot)
                .numbers(self.numbers.reader())
                .map(self.map.iter().cloned()),
            opt_in() if on,
            every_flag() if self.all,
            dates(self.dates.map(DateOrder::from)),
            every_row() if self.every_row,
            without_people() if self.without_people,
            skip_invalid() if self.rows.skip_invalid,
            unknown_flags(self.rows.unknown_flags.map(bool::from)),
            mend_file(self.rows.mend.as_ref()),
        );
        let planned = plan.plan(&session.service, list, out).await;
        if let Some(invalid) = planned.map_err(told)?.invalid {
            tell_invalid(&invalid);
            note(format!("left out: {}", count(invalid.rows, "invalid entry")));
        }
        let mirror = known::file(session, self.snapshot.as_deref())?;
        self.names.find(session, mirror.as_deref(), false, out).await;
        Ok(())
    }
}
