//! `crm plan`: rows of changes become a change set.

use std::path::{Path, PathBuf};

use clap::Args;
use crm_bulk::{BulkError, CleanUp, Input, Plan, PlanSummary};
use crm_values::PhoneReader;
use crm_values::Region;

use super::{
    caution::give_cautions,
    known::{Known, KnownArgs},
    out::{INSTEAD, Out},
    owner_names::NameArgs,
    review::ReviewArgs,
    rows::{InputArgs, told},
    snapshot::Need,
    template::{self, Template},
};
#[cfg(feature = "fleet")]
use crate::commands::fleet::push::PushArgs;
use crate::{
    commands::{
        args::{ValueArgs, narrow, whole},
        file_arg::OverwriteArgs,
        ledger::OverrideArgs,
        texts::tell_invalid,
    },
    error::CliError,
    output::{count, note},
    session::Session,
    signal::until_signal,
    status::Status,
};

/// Turn rows of changes into a change set
///
/// Rows are compared with the present contacts, and what has to change is written to a change set.
/// No contact is changed.
///
/// A row is about one contact, or with `value` in the column select about every contact that has
/// its value. An empty cell keeps what is there, `(clear)` removes a memo. Other columns are carried
/// along, and the plan lists them. All columns are at the end of this help.
#[derive(Debug, Args)]
#[command(after_long_help = template::help())]
pub(crate) struct PlanCommand {
    /// CSV, or NDJSON if the name ends in .ndjson or .jsonl; - for stdin. Without it: the clean-ups
    /// below on all contacts
    #[arg(required_unless_present_any = ["cleanups", "template"])]
    input: Option<PathBuf>,

    /// The change set to write; without it one of the desk, whose name the answer tells
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Write an empty file of rows with all columns, to this file or to stdout, and plan nothing
    #[arg(
        long,
        value_name = "FILE",
        num_args = 0..=1,
        default_missing_value = "-",
        conflicts_with_all = ["input", "out", "cleanups"]
    )]
    template: Option<PathBuf>,

    #[command(flatten)]
    rows: InputArgs,

    /// What removes a memo
    #[arg(long, value_name = "TOKEN", default_value = "(clear)")]
    clear: String,

    /// A row without contact_id changes every contact that has its value, on all customers and
    /// locations, or on the one that it names
    #[arg(long)]
    select_by_value: bool,

    /// Carry these columns along without reading them, whatever they are called
    #[arg(long, value_name = "NAME,NAME", value_delimiter = ',')]
    ignore_columns: Vec<String>,

    #[command(flatten)]
    known: KnownArgs,

    #[command(flatten)]
    values: ValueArgs,

    #[command(flatten)]
    clean_up: CleanUpArgs,

    #[command(flatten)]
    consent: OverrideArgs,

    #[command(flatten)]
    names: NameArgs,

    #[command(flatten)]
    review: ReviewArgs,

    #[cfg(feature = "fleet")]
    #[command(flatten)]
    push: PushArgs,

    #[command(flatten)]
    overwrite: OverwriteArgs,

    /// How many differences to show
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = whole(0_u32, None))]
    sample: u32,

    /// Exit with 0 when there is nothing to do, 2 when there are changes, 1 on any error
    #[arg(long)]
    pub(crate) detailed_exitcode: bool,
}

/// Values that are written in one way; proposals, like every change of a plan.
#[derive(Debug, Args)]
#[group(id = "cleanups", multiple = true)]
pub(super) struct CleanUpArgs {
    /// Write telephone numbers as digits
    #[arg(long)]
    normalize_phones: bool,

    /// Write e-mail addresses in lower case
    #[arg(long)]
    lowercase_emails: bool,

    /// Move e-mail addresses to another domain
    #[arg(long, value_name = "OLD=NEW", value_parser = domains)]
    replace_domain: Vec<(String, String)>,
}

fn domains(text: &str) -> Result<(String, String), String> {
    let (old, new) = text.split_once('=').ok_or("write it as old.example=new.example")?;
    match CleanUp::new().replace_domain(old, new) {
        Ok(_) => Ok((old.to_owned(), new.to_owned())),
        Err(error) => Err(error.to_string()),
    }
}

impl CleanUpArgs {
    fn clean_up(&self, reader: PhoneReader) -> Result<CleanUp, BulkError> {
        let mut clean_up = narrow!(
            CleanUp::new(),
            normalize_phones(self.normalize_phones.then_some(reader)),
            lowercase_emails() if self.lowercase_emails,
        );
        for (old, new) in &self.replace_domain {
            clean_up = clean_up.replace_domain(old, new)?;
        }
        Ok(clean_up)
    }
}

impl PlanCommand {
    /// The empty file that was asked for instead of a plan, which takes no account.
    pub(crate) fn template(&self) -> Option<Template<'_>> {
        self.template.as_deref().map(Template)
    }

    pub(crate) async fn run(self, session: &Session<'_>) -> Result<Status, CliError> {
        session.tell_target();
        let input = self.input.as_ref().map(|path| self.rows.open(path));
        let input = input.transpose()?;
        self.review.spare(self.input.as_deref(), self.overwrite)?;
        let how = if input.is_some() { "plan" } else { "clean-up" };
        let desk = || session.desk(INSTEAD);
        let out = Out::of(
            self.out.as_deref(),
            desk,
            how,
            self.input.as_deref(),
            session.siblings.as_deref(),
        )?;
        #[cfg(feature = "fleet")]
        let destination = self.push.destination().await?;
        let make = async {
            let planned = self.make_set(session, input, out.path()).await?;
            let mirror = self.known.file(session)?;
            self.names.find(session, mirror.as_deref(), self.known.offline, out.path()).await;
            Ok::<_, CliError>(planned)
        };
        let planned = match until_signal(make).await? {
            Ok(planned) => planned,
            Err(signal) => return Ok(Status::Stopped(signal, None)),
        };
        if let Some(invalid) = &planned.invalid {
            tell_invalid(invalid);
            note(format!("left out: {}", count(invalid.rows, "invalid row")));
        }
        self.consent.of_set(session.existing_desk()?, out.path())?;
        give_cautions(session, out.path())?;
        let summary = match self.review.summary(session, out.path(), self.sample).await? {
            Ok(summary) => summary,
            Err(signal) => return Ok(Status::Stopped(signal, None)),
        };
        #[cfg(feature = "fleet")]
        let summary = match destination.filter(|_| summary.has_changes()) {
            None => summary,
            Some(destination) => match until_signal(destination.push(out.path())).await? {
                Ok(set) => summary.moved_to(destination.server(), &set.name),
                Err(signal) => return Ok(Status::Stopped(signal, None)),
            },
        };
        summary.write_whole_or_begun(session.output)?;
        Ok(if self.detailed_exitcode && summary.has_changes() {
            Status::ChangesPlanned
        } else {
            Status::Done
        })
    }

    fn region(&self, session: &Session<'_>) -> Result<Region, CliError> {
        Ok(self.values.values(session.region()?).reader().region())
    }

    /// The plan, without what it looks contacts up in.
    fn plan(&self, session: &Session<'_>) -> Result<Plan, CliError> {
        let values = self.values.values(session.region()?);
        let clean_up = self.clean_up.clean_up(values.reader())?;
        Ok(narrow!(
            Plan::new(session.site()).values(values).clean_up(clean_up),
            skip_invalid() if self.rows.skip_invalid,
            unknown_flags(self.rows.unknown_flags.map(bool::from)),
            mend_file(self.rows.mend_file(self.overwrite)),
        ))
    }

    /// Makes the set of the rows, or of clean-ups where there are none.
    async fn make_set(
        &self,
        session: &Session<'_>,
        input: Option<Input>,
        out: &Path,
    ) -> Result<PlanSummary, CliError> {
        let Some(input) = input else {
            let known = self.known.of_all(session, Need::Contacts, self.region(session)?).await?;
            let plan = self.plan(session)?;
            return plan.snapshot(known.snapshot).clean_ups(out).await.map_err(told);
        };
        let known = self.known.at_hand(session, self.region(session)?).await?;
        let is_whole = known.is_some();
        let planned = self.look_up(session, self.plan(session)?, input, known, out).await;
        match planned {
            // What has to be looked up by its value is known once the mirror has been read.
            Err(BulkError::NeedsSnapshot { .. }) if !is_whole && session.has_desk() => {
                let Some(path) = self.input.as_ref().filter(|path| path.as_os_str() != "-") else {
                    return planned.map_err(needs_snapshot);
                };
                note("rows select by value: reading all contacts into the desk's mirror");
                let known =
                    Some(self.known.of_all(session, Need::Contacts, self.region(session)?).await?);
                let input = self.rows.open(path)?;
                self.look_up(session, self.plan(session)?, input, known, out)
                    .await
                    .map_err(needs_snapshot)
            }
            planned => planned.map_err(needs_snapshot),
        }
    }

    /// Plans rows from what is known, or from the owners as they are.
    async fn look_up(
        &self,
        session: &Session<'_>,
        plan: Plan,
        input: Input,
        known: Option<Known>,
        out: &Path,
    ) -> Result<PlanSummary, BulkError> {
        let input = input.clear_token(&self.clear).ignore_columns(&self.ignore_columns);
        let input = narrow!(input, select_by_value() if self.select_by_value);
        match known {
            Some(known) if known.is_enough => {
                plan.snapshot(known.snapshot).from_snapshot(input, out).await
            }
            Some(known) => {
                let plan = plan.snapshot(known.snapshot);
                plan.from_api(&session.service, input, out).await
            }
            None => plan.from_api(&session.service, input, out).await,
        }
    }
}

fn needs_snapshot(error: BulkError) -> CliError {
    match error {
        error @ BulkError::NeedsSnapshot { .. } => {
            CliError::Usage(format!("{error}: run `crm snapshot FILE` and give --snapshot FILE"))
        }
        error => told(error),
    }
}
