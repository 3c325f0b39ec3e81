//! `crm opt-out` and `crm opt-in`: a list of numbers and addresses reaches every copy.

use std::path::{Path, PathBuf};

use clap::Args;
use crm_bulk::{Input, OptOut};
use crm_consent::{Imported, Wish};

use super::{
    known,
    out::{INSTEAD, Out},
    owner_names::NameArgs,
    review::ReviewArgs,
    rows::{InputArgs, told},
    snapshot::Need,
};
use crate::{
    commands::{
        args::{NumberArgs, narrow},
        file_arg::OverwriteArgs,
        ledger::{self, OverrideArgs},
        texts::{ListArgs, tell_invalid},
    },
    error::CliError,
    exit::Exit,
    output::{count, crm, note},
    session::Session,
    signal::until_signal,
    status::Status,
};

/// Plan it for every contact with one of these numbers or addresses, on every customer, every
/// location, and every person's contact methods, however they are written.
///
/// Where the desk has a consent ledger, the wishes of the list are recorded there at once. They stand
/// whether the set is applied or not, also for a change that is dropped: the next `crm consent run`
/// carries them out. A wrong list is taken back with `crm consent retract IMPORT`.
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

    #[command(flatten)]
    columns: ListArgs,

    /// Use every row even if the file's name says subscribed or cleaned
    #[arg(long)]
    every_row: bool,

    /// Exit with 0 when there is nothing to do, 2 when there are changes, entries left out or found
    /// nowhere, or records to look at or that cannot be read, 1 on any error
    #[arg(long)]
    pub(crate) detailed_exitcode: bool,

    #[command(flatten)]
    consent: OverrideArgs,

    #[command(flatten)]
    names: NameArgs,

    #[command(flatten)]
    review: ReviewArgs,

    #[command(flatten)]
    overwrite: OverwriteArgs,

    #[command(flatten)]
    numbers: NumberArgs,

    #[command(flatten)]
    rows: InputArgs,
}

impl OptOutCommand {
    pub(crate) async fn run(self, session: &Session<'_>, on: bool) -> Result<Status, CliError> {
        session.tell_target();
        self.review.spare(Some(&self.list), self.overwrite)?;
        let how = if on { "opt-in" } else { "opt-out" };
        let desk = || session.desk(INSTEAD);
        let out =
            Out::of(self.out.as_deref(), desk, how, Some(&self.list), session.siblings.as_deref())?;
        let has_ledger = ledger::is_there(session)?;
        let desk = session.existing_desk()?.filter(|_| has_ledger);
        // A stream can be read once, and the ledger reads it as well.
        let held = desk.filter(|_| self.list.as_os_str() == "-").map(|_| self.rows.hold());
        let held = held.transpose()?;
        let list = || match &held {
            Some(held) => self.rows.held(held),
            None => self.rows.open_list(&self.list),
        };
        if let Err(signal) = until_signal(self.plan(session, list()?, on, out.path())).await? {
            return Ok(Status::Stopped(signal, None));
        }
        let transport = session.service.transport();
        let may_take = ledger::may_be_written(transport.is_dry(), transport.is_read_only());
        if let (Some(_), Err(why)) = (desk, &may_take) {
            note(why);
        }
        let mut taken = None;
        if let Some(desk) = desk.filter(|_| may_take.is_ok()) {
            let options = self.columns.options(self.numbers.reader(desk.region()));
            taken = ledger::take(desk, list()?, &options, if on { Wish::In } else { Wish::Out })?;
        }
        let judged = self.consent.of_set(session.existing_desk()?, out.path());
        judged.map_err(|refused| after_taking(refused, taken.as_ref()))?;
        let summary = match self.review.summary(session, out.path(), 10).await? {
            Ok(summary) => summary,
            Err(signal) => return Ok(Status::Stopped(signal, None)),
        };
        summary.write_whole_or_begun(session.output)?;
        if let Some(taken) = taken.filter(|taken| !taken.rows.is_empty()) {
            note(wishes_stand(taken.import, on));
        }
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
        let reader = self.numbers.reader(session.region()?);
        let named = self.snapshot.as_deref();
        let known = known::fresh(session, named, Need::Contacts, reader.region()).await?;
        let plan = narrow!(
            OptOut::new(session.site(), known.snapshot)
                .numbers(reader)
                .map(self.columns.map.iter().cloned()),
            opt_in() if on,
            every_flag() if self.all,
            dates(self.columns.dates()),
            every_row() if self.every_row,
            without_people() if self.without_people,
            skip_invalid() if self.rows.skip_invalid,
            unknown_flags(self.rows.unknown_flags.map(bool::from)),
            mend_file(self.rows.mend_file(self.overwrite)),
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

/// What becomes of the wishes of the list, whatever becomes of the set.
fn wishes_stand(import: u64, on: bool) -> String {
    let carried_out = if on {
        "they count whether this set is applied or not"
    } else {
        "the next `crm consent run` carries them out, whether this set is applied or not"
    };
    format!(
        "the wishes stand in the consent ledger as import {import}: {carried_out}; the wrong file: `{} \
         consent retract {import} --reason REASON`",
        crm()
    )
}

/// Says of a refusal that the ledger has the list all the same: nobody would think that anything was
/// written.
fn after_taking(refused: CliError, taken: Option<&Imported>) -> CliError {
    match (refused, taken) {
        (
            CliError::Usage(why) | CliError::AgainstWish(why),
            Some(Imported { import, is_known: false, .. }),
        ) => CliError::CheckFailed {
            summary: format!(
                "{why}. The consent ledger has taken the list all the same, as import {import}, \
                     since a wish is kept whether or not it is honoured: `{} consent retract {import} \
                     --reason REASON` takes it back",
                crm()
            ),
            exit: Exit::Consent,
        },
        (refused, _) => refused,
    }
}
