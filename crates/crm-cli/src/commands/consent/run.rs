//! `crm consent run`: the nightly job.

use std::{
    collections::BTreeMap,
    fs,
    ops::ControlFlow::{self, Break, Continue},
    path::{Path, PathBuf},
};

use clap::Args;
use crm_bulk::{ChangeSet, Report, State, StopReason, Totals, Verification};
use crm_mirror::Mirror;
use serde::Serialize;

use super::{
    due::Left,
    reach::{INSTEAD, ReachArgs, tell},
};
use crate::{
    commands::{
        args::whole,
        change_sets::{
            apply::ApplyCommand, known, out::Out, report::write_page, snapshot::Need, summary::name,
        },
        ledger::{self, existing, open_sets, sound},
    },
    desk::Desk,
    error::CliError,
    exit::Exit,
    files,
    globals::{Format, Globals},
    output::{count, crm, quoted},
    session::Session,
    signal::{Signal, until_signal},
    status::Status,
};

/// Carry out all wishes of the ledger: the nightly job
///
/// Finishes what an earlier run left open, brings the mirror up to date, plans all that is not yet so,
/// sends it, reads it back, and writes a page of evidence with its CSV. What failed the last time is
/// tried again. It asks nobody: a profile of production needs --yes, or nothing is sent.
///
/// A second run waits for the first. A run that was killed is finished by the next one, which sends
/// nothing twice.
///
/// Ends with 0 when all is done or nothing was to do, 3 when something was refused or something is due
/// that cannot be set, 6 when nobody knows what became of a write, 10 when a wish is late, 11 when a
/// limit held a set back or it waits for an approval.
#[derive(Debug, Args)]
pub(crate) struct RunCommand {
    /// Send nothing where there are more changes than this: the set stays, to be looked at
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = whole(0_u64, None))]
    max_changes: u64,

    /// Send so many first and read them back; the rest only where all are as they were sent. 0 for none
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = whole(0_u64, None))]
    canary: u64,

    /// Where the pages of evidence go; without it into the folder evidence of the desk
    #[arg(long, value_name = "FOLDER")]
    evidence: Option<PathBuf>,

    #[command(flatten)]
    reach: ReachArgs,

    /// Exit with 0 when there was nothing to do, 2 when all is done that was, 1 on any error
    #[arg(long)]
    pub(crate) detailed_exitcode: bool,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Outcome {
    NothingToDo,
    Done,
    /// All that could be done is, and a wish is late all the same.
    Late,
    /// A limit held a set back, or it waits for an approval.
    Held,
    /// Something was refused or set aside, or is due and cannot be set.
    NotAllDone,
    /// Nobody knows what became of a write.
    Unknown,
    /// `--dry-run`.
    DryRun,
}

/// What a run did, for programs.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Ran {
    outcome: Outcome,
    /// What was done, one line a step.
    steps: Vec<String>,
    sets: Vec<OfSet>,
    /// What is due afterwards.
    due: Option<Left>,
}

/// What became of a set.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct OfSet {
    set: String,
    states: BTreeMap<&'static str, u64>,
    /// How many changes are as they were sent, when they were read back.
    read_back: Option<u64>,
    /// Why it was held back.
    held: Option<String>,
    evidence: Vec<PathBuf>,
}

/// A run that is going on.
struct Running<'a> {
    command: &'a RunCommand,
    session: &'a Session<'a>,
    desk: &'a Desk,
    is_dry: bool,
    /// How many changes may still be sent.
    left: u64,
    ran: Ran,
    /// Why the run is over before its end, as an exit code.
    exit: Option<Exit>,
}

/// Whether the run goes on; what has ended it may be a signal.
type Going = ControlFlow<Option<Signal>>;

impl RunCommand {
    pub(crate) async fn run(
        self,
        session: &Session<'_>,
        globals: &Globals,
    ) -> Result<Status, CliError> {
        session.tell_target();
        // None is begun for a run that has nothing to go by.
        sound(session.place(INSTEAD)?)?;
        if !globals.dry_run {
            session.service.transport().may_be_confirmed()?;
        }
        let desk = session.desk(INSTEAD)?;
        let alone = until_signal(async { Ok::<_, CliError>(desk.alone_at_ledger().await?) });
        let _alone = match alone.await? {
            Ok(alone) => alone,
            Err(signal) => return Ok(Status::Stopped(signal, None)),
        };
        let (steps, sets) = (Vec::new(), Vec::new());
        let mut running = Running {
            command: &self,
            session,
            desk,
            is_dry: globals.dry_run,
            left: self.max_changes,
            ran: Ran { outcome: Outcome::NothingToDo, steps, sets, due: None },
            exit: None,
        };
        if let Break(Some(signal)) = running.all().await? {
            return Ok(Status::Stopped(signal, None));
        }
        running.end()
    }
}

/// Ends the function that it is in where a signal or an end came.
macro_rules! go_on {
    ($going:expr) => {
        match $going {
            Continue(value) => value,
            Break(end) => return Ok(Break(end)),
        }
    };
}

impl Running<'_> {
    async fn all(&mut self) -> Result<Going, CliError> {
        for set in open_sets(self.desk)? {
            self.step(format!("{} is open since an earlier run or plan", name(&set)))?;
            go_on!(self.carry_out(&set).await?);
        }
        let out = Out::of(None, || Ok(self.desk), "consent", None, None)?;
        let reached = match self.command.reach.plan(self.session, out.path()).await? {
            Ok(reached) => reached,
            Err(signal) => return Ok(Break(Some(signal))),
        };
        self.step("the mirror is up to date".to_owned())?;
        tell(&reached);
        if reached.changes == 0 {
            self.step("nothing is due that can be set".to_owned())?;
        } else {
            self.step(format!(
                "planned {}: {}",
                name(out.path()),
                count(reached.changes, "change")
            ))?;
            go_on!(self.carry_out(out.path()).await?);
            if self.is_dry {
                fs::remove_file(out.path()).map_err(CliError::unwritten(out.path()))?;
            }
        }
        self.look(!self.ran.sets.is_empty()).await
    }

    /// Tells what was done.
    fn step(&mut self, text: String) -> Result<(), CliError> {
        if self.session.output.format() == Format::Table {
            self.session.output.text(&text)?;
        }
        self.ran.steps.push(text);
        Ok(())
    }

    /// Sends a set within the limits.
    async fn carry_out(&mut self, path: &Path) -> Result<Going, CliError> {
        let set = ChangeSet::open(path)?;
        let open = set.totals()?.open();
        if self.is_dry {
            self.step(format!("dry run: {} would be sent", count(open, "change")))?;
            self.ran.outcome = Outcome::DryRun;
            return Ok(Continue(()));
        }
        if let Some(why) = self.holds(&set, open)? {
            self.step(format!("{}: {why}", name(path)))?;
            self.ran.sets.push(OfSet { held: Some(why), ..OfSet::of(path, &set.totals()?) });
            return Ok(Break(None));
        }
        drop(set);
        self.left -= open;
        let sent = self.send(path, open).await;
        if let Ok(Break(Some(_))) = sent {
            return sent;
        }
        // What has come so far is told whatever ended it.
        let going = sent?;
        let read_back = match self.read_back(path).await? {
            Ok(verification) => verification,
            Err(signal) => return Ok(Break(Some(signal))),
        };
        let evidence = match self.evidence(path).await? {
            Ok(evidence) => evidence,
            Err(signal) => return Ok(Break(Some(signal))),
        };
        let mut of_set = OfSet::of(path, &ChangeSet::open(path)?.totals()?);
        let states: Vec<_> =
            of_set.states.iter().map(|(state, n)| format!("{n} {state}")).collect();
        self.step(format!("{}: {}", name(path), states.join(", ")))?;
        self.step(format!(
            "read back: {} of {} still as done",
            read_back.as_done,
            count(read_back.all(), "change")
        ))?;
        let [page, csv] = &evidence;
        self.step(format!("evidence: {} and {}", page.display(), csv.display()))?;
        of_set.read_back = Some(read_back.as_done);
        of_set.evidence = evidence.into();
        self.ran.sets.push(of_set);
        if read_back.no_longer_so() > 0 {
            self.exit.get_or_insert(Exit::Differs);
        }
        Ok(going)
    }

    /// Why a set is not sent now.
    fn holds(&self, set: &ChangeSet, open: u64) -> Result<Option<String>, CliError> {
        let (crm, set_name) = (crm(), quoted(&name(set.path())));
        if open > self.left {
            return Ok(Some(format!(
                "{}, more than the {} that --max-changes {} leaves: nothing of it was sent; look at \
                 it with `{crm} show {set_name}`, send it with `{crm} apply {set_name}`, or allow more",
                count(open, "change"),
                self.left,
                self.command.max_changes,
            )));
        }
        if self.session.requires_approval() && set.approval()?.is_none() {
            return Ok(Some(format!(
                "it waits for an approval: look at it with `{crm} show {set_name}`, then `{crm} \
                 approve {set_name}`"
            )));
        }
        Ok(None)
    }

    /// Sends what is open, a few changes first.
    async fn send(&mut self, path: &Path, open: u64) -> Result<Going, CliError> {
        let apply = ApplyCommand::of(path.to_owned());
        let canary = Some(self.command.canary).filter(|canary| (1..open).contains(canary));
        let mut ended = apply.part(self.session, canary).await?;
        if ended.reason() == StopReason::Canary {
            let read_back = match self.read_back(path).await? {
                Ok(verification) => verification,
                Err(signal) => return Ok(Break(Some(signal))),
            };
            let done = ended.finished.count(State::Done) + ended.finished.count(State::Already);
            if done == 0 || read_back.as_done < read_back.all() {
                self.step(format!(
                    "the first changes of {} are not as they were sent: the rest was not sent; look \
                     at it with `{} verify {}`",
                    name(path),
                    crm(),
                    quoted(&name(path))
                ))?;
                self.exit = Some(Exit::Differs);
                return Ok(Break(None));
            }
            self.step(format!("the first {} are as they were sent", count(done, "change")))?;
            ended = apply.part(self.session, None).await?;
        }
        if ended.reason() == StopReason::Stopped {
            return Ok(Break(Some(ended.signal.unwrap_or(Signal::Interrupt))));
        }
        if let Some((why, exit)) = ended.left(path, &ChangeSet::open(path)?.totals()?) {
            self.step(why)?;
            self.exit = Some(exit);
        }
        // The rest of the run would fail by the same.
        Ok(if ended.reason() == StopReason::Complete { Continue(()) } else { Break(None) })
    }

    async fn read_back(&self, path: &Path) -> Result<Result<Verification, Signal>, CliError> {
        let mut set = ChangeSet::open(path)?;
        let site = self.session.site();
        let verified = set.verify(&self.session.service, &site, |_| Ok(()));
        until_signal(async { Ok::<_, CliError>(verified.await?) }).await
    }

    /// Writes the page of a set and its CSV.
    async fn evidence(&self, path: &Path) -> Result<Result<[PathBuf; 2], Signal>, CliError> {
        let folder = self.command.evidence.clone();
        let folder = folder.unwrap_or_else(|| self.desk.evidence_folder());
        files::private_folder(&folder).map_err(CliError::unwritten(&folder))?;
        let stem = path.file_stem().unwrap_or_default();
        let page = folder.join(stem).with_added_extension("html");
        let set = ChangeSet::open(path)?;
        let written = write_page(Report::of(&set), path, &page).await?;
        let csv = page.with_added_extension("csv");
        Ok(written.map(|_| [page, csv]))
    }

    /// Looks at what is due afterwards, in a mirror that knows what was sent.
    async fn look(&mut self, is_changed: bool) -> Result<Going, CliError> {
        if is_changed {
            let region = self.session.region()?;
            let fresh = known::fresh(self.session, None, Need::Owners, region);
            if let Err(signal) = until_signal(fresh).await? {
                return Ok(Break(Some(signal)));
            }
        }
        self.tell_due()?;
        Ok(Continue(()))
    }

    fn tell_due(&mut self) -> Result<(), CliError> {
        let mirror = Mirror::open(self.desk.mirror())?;
        let ledger = existing(self.session.place(INSTEAD)?)?;
        let left = Left::of(&ledger::due(&ledger, self.desk, &mirror)?);
        self.step(left.text())?;
        self.ran.due = Some(left);
        Ok(())
    }

    /// Tells programs what was done, and says it as an exit code.
    fn end(mut self) -> Result<Status, CliError> {
        // A run that was held back looks at nothing anew, but at what is known.
        if self.ran.due.is_none() && self.desk.mirror().exists() {
            self.tell_due()?;
        }
        let is_held = self.ran.sets.iter().any(|set| set.held.is_some());
        let late = self.ran.due.is_some_and(|due| due.late > 0);
        let is_left = self.ran.due.is_some_and(|due| due.cannot_be_set > 0);
        let (outcome, exit) = match self.exit {
            Some(exit @ Exit::Unknown) => (Outcome::Unknown, exit),
            Some(exit) => (Outcome::NotAllDone, exit),
            None if is_held => (Outcome::Held, Exit::Held),
            None if self.ran.outcome == Outcome::DryRun => (Outcome::DryRun, Exit::Done),
            None if late => (Outcome::Late, Exit::Consent),
            None if is_left => (Outcome::NotAllDone, Exit::Refused),
            None if self.ran.sets.is_empty() => (Outcome::NothingToDo, Exit::Done),
            None => (Outcome::Done, Exit::Done),
        };
        self.ran.outcome = outcome;
        if self.session.output.format() != Format::Table {
            self.session.output.value(&self.ran)?;
        }
        Ok(match (self.command.detailed_exitcode, outcome) {
            (true, Outcome::NothingToDo) => Status::Done,
            (true, Outcome::Done | Outcome::DryRun) => Status::ChangesPlanned,
            (true, _) => Status::Ran(Exit::Local),
            (false, _) => Status::Ran(exit),
        })
    }
}

impl OfSet {
    fn of(path: &Path, totals: &Totals) -> Self {
        let states = State::ALL.map(|state| (state.as_str(), totals.in_state(state)));
        let states = states.into_iter().filter(|(_, n)| *n > 0).collect();
        Self { set: name(path), states, read_back: None, held: None, evidence: Vec::new() }
    }
}
