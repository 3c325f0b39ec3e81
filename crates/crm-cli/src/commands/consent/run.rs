//! `crm consent run`: the nightly job.

use std::{
    collections::BTreeMap,
    fs,
    ops::ControlFlow::{self, Break, Continue},
    path::{Path, PathBuf},
};

use clap::Args;
use crm_bulk::{
    AtomicWriter, BulkError, Change, ChangeSet, Found, Remark, Selection, State, StopReason,
    Totals, Verification, page::stated,
};
use crm_consent::Ledger;
use crm_mirror::{Mirror, clock};
use crm_models::Timestamp;
use serde::Serialize;

use super::{
    due::Left,
    reach::{INSTEAD, ReachArgs, tell, tell_overridden},
};
use crate::{
    commands::{
        args::whole,
        change_sets::{
            apply::ApplyCommand, known, out::Out, report, snapshot::Need, summary::name,
        },
        file_arg::is_page_about,
        ledger::{self, LedgerSets, existing, open_sets, sound, why_passed_over},
    },
    desk::Desk,
    error::CliError,
    exit::Exit,
    files,
    globals::{Format, Globals},
    output::{count, crm, failure, quoted},
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
/// nothing twice. An open set that cannot go on as it is, since the wishes are others by now, a limit
/// holds it, or its file is damaged, is planned anew; only one that somebody approved is left to them.
///
/// What somebody turned on with --override-consent is turned off again, and told: the wish stands until
/// the same person says otherwise.
///
/// Ends with 0 when all is done or nothing was to do, 3 when something was refused or something is due
/// that cannot be set, 6 when nobody knows what became of a write, 8 when what was sent is not so when
/// it is read back, 10 when a wish is late or was late when this run turned it off, 11 when a limit held a
/// set back or it waits for an approval. Of several the first counts of 6, 8 and whatever ended the run, 10,
/// 11, 3. Evidence that cannot be written is told with code 1 and owed to the next run, which ends with
/// 10 for what was late then.
#[derive(Debug, Args)]
pub(crate) struct RunCommand {
    /// Send nothing where there are more changes than this: the set stays, to be looked at
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = whole(0_u64, None))]
    max_changes: u64,

    /// Send so many first and read them back; the rest only where all are as they were sent. Where all
    /// of them are refused, so many again are tried. 0 for none
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = whole(0_u64, None))]
    canary: u64,

    /// Where the pages of evidence go; without it into the folder evidence of the desk. The desk
    /// remembers these files, so that `redact` and `crm desk forget` find them
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
    /// A wish is late, or was heeded too late by this run.
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
    /// Sets with which nobody can go on.
    passed_over: Vec<PassedOver>,
    /// How many copies it turned off after their last day, or an earlier command of whose sets it wrote the
    /// evidence.
    turned_off_late: u64,
    /// What is due afterwards.
    due: Option<Left>,
}

/// A set with which nobody can go on, and why.
#[derive(Debug, Serialize)]
struct PassedOver {
    set: String,
    why: String,
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
    globals: &'a Globals,
    desk: &'a Desk,
    is_dry: bool,
    began: Timestamp,
    /// How many changes may still be sent.
    left: u64,
    ran: Ran,
    /// Why the run is over before its end, as an exit code.
    exit: Option<Exit>,
}

/// Whether the run goes on; what has ended it may be a signal.
type Going<T = ()> = ControlFlow<Option<Signal>, T>;

/// How far a set of this or of an earlier run came.
enum Carried {
    /// Nothing of it is left to be sent.
    Out,
    /// Something is, which cannot be sent now.
    Left(Waiting),
}

/// A set of which something is left.
struct Waiting {
    path: PathBuf,
    why: String,
    exit: Exit,
    /// Whether a person has approved it as it is: it is theirs, and not planned anew.
    is_approved: bool,
}

impl RunCommand {
    pub(crate) async fn run(
        self,
        session: &Session<'_>,
        globals: &Globals,
    ) -> Result<Status, CliError> {
        session.tell_target();
        // None is begun for a run that has nothing to go by.
        existing(session.place(INSTEAD)?)?;
        if !globals.dry_run {
            session.service.transport().may_be_confirmed()?;
        }
        let desk = session.desk(INSTEAD)?;
        let alone = until_signal(async { Ok::<_, CliError>(desk.alone_at_ledger().await?) });
        let _alone = match alone.await? {
            Ok(alone) => alone,
            Err(signal) => return Ok(Status::Stopped(signal, None)),
        };
        // Checked once, and not before an earlier run has ended, which may take hours.
        let ledger = sound(session.place(INSTEAD)?)?;
        let mut running = Running {
            command: &self,
            session,
            globals,
            desk,
            is_dry: globals.dry_run,
            left: self.max_changes,
            ran: Ran {
                outcome: Outcome::NothingToDo,
                steps: Vec::new(),
                sets: Vec::new(),
                passed_over: Vec::new(),
                turned_off_late: 0,
                due: None,
            },
            began: clock::now(),
            exit: None,
        };
        if let Break(Some(signal)) = running.all(ledger).await? {
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

/// Ends the function that it is in where a signal came.
macro_rules! unless_stopped {
    ($done:expr) => {
        match $done {
            Ok(value) => value,
            Err(signal) => return Ok(Break(Some(signal))),
        }
    };
}

impl Running<'_> {
    async fn all(&mut self, ledger: Ledger) -> Result<Going, CliError> {
        go_on!(self.finish_evidence().await?);
        let waiting = go_on!(self.take_up().await?);
        let out = Out::of(None, || Ok(self.desk), "consent", None, None)?;
        let reached = self.command.reach.plan(self.session, ledger, out.path()).await?;
        let reached = unless_stopped!(reached);
        self.step("the mirror is up to date".to_owned())?;
        tell(&reached);
        let overridden = reached.overridden.iter().map(|(target, why)| (*target, why));
        for line in tell_overridden(overridden) {
            self.step(line)?;
        }
        let planned = (reached.changes > 0).then(|| out.path());
        let is_new = self.replace(waiting, planned).await?;
        match planned {
            None => self.step("nothing is due that can be set".to_owned())?,
            Some(set) if is_new => {
                let changes = count(reached.changes, "change");
                self.step(format!("planned {}: {changes}", name(set)))?;
                let carried = go_on!(self.carry_out(set, false).await?);
                if let Carried::Left(waiting) = carried {
                    self.leave(waiting)?;
                }
            }
            Some(_) => {}
        }
        if let Some(set) = planned.filter(|_| self.is_dry || !is_new) {
            fs::remove_file(set).map_err(CliError::unwritten(set))?;
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

    /// Writes the evidence that is owed of sets of which nothing is open: a run was ended before it came
    /// to that, or somebody sent a set that a run or a plan had left.
    async fn finish_evidence(&mut self) -> Result<Going, CliError> {
        if self.is_dry {
            return Ok(Continue(()));
        }
        for set in self.desk.evidence_owed()? {
            // One that cannot be read is told where what is open is taken up.
            if !ChangeSet::open(&set).and_then(|set| set.totals()).is_ok_and(|of| of.open() == 0) {
                continue;
            }
            self.step(format!("{}: its evidence was not written yet", name(&set)))?;
            let written = go_on!(self.write_evidence(&set).await?);
            // What sent it may have ended before it told that.
            if !written.is_empty() {
                self.count_late(&set, None)?;
            }
        }
        Ok(Continue(()))
    }

    /// Carries out what is open since earlier, and returns the sets that cannot go on by themselves.
    async fn take_up(&mut self) -> Result<Going<Vec<Waiting>>, CliError> {
        let LedgerSets { sets, passed_over } = open_sets(self.desk)?;
        for (set, why) in passed_over {
            self.pass_over(&set, why)?;
        }
        let mut waiting = Vec::new();
        for set in sets {
            self.step(format!("{} is open since an earlier run or plan", name(&set)))?;
            match self.carry_out(&set, true).await {
                Ok(Continue(Carried::Out)) => {}
                Ok(Continue(Carried::Left(left))) => waiting.push(left),
                Ok(Break(end)) => return Ok(Break(end)),
                // What is wrong with its file is no reason to leave what is due.
                Err(CliError::Bulk(error)) if is_of_file(&error) => {
                    self.pass_over(&set, why_passed_over(&error))?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Continue(waiting))
    }

    /// Tells of a set with which nobody can go on.
    fn pass_over(&mut self, set: &Path, why: String) -> Result<(), CliError> {
        self.step(format!("{}: {why}", name(set)))?;
        self.ran.passed_over.push(PassedOver { set: name(set), why });
        Ok(())
    }

    /// Puts the set that was planned in place of those that wait, unless it is one of them. Those
    /// that somebody approved stay. Returns whether the planned set is a new one.
    async fn replace(
        &mut self,
        waiting: Vec<Waiting>,
        planned: Option<&Path>,
    ) -> Result<bool, CliError> {
        let digest = |set: &Path| Ok::<_, CliError>(ChangeSet::open(set)?.digest()?);
        let wanted = planned.map(digest).transpose()?;
        let mut is_new = true;
        for left in waiting {
            let is_same = wanted == Some(digest(&left.path)?);
            is_new &= !is_same;
            if is_same || left.is_approved {
                self.leave(left)?;
                continue;
            }
            let reason = match planned {
                Some(planned) => format!("planned anew as {}", name(planned)),
                None => "nothing of it is due any longer".to_owned(),
            };
            let set = ChangeSet::open(&left.path)?;
            let open = Selection::states([State::Planned]);
            let remark = Remark::new().reason(&*reason);
            let dropped = set.drop_changes(&open, remark).await?.dropped;
            let (set, changes) = (name(&left.path), count(dropped, "change"));
            self.step(format!("{set}: {changes} dropped: {reason}"))?;
            let totals = ChangeSet::open(&left.path)?.totals()?;
            self.ran.sets.push(OfSet::of(&left.path, &totals));
        }
        Ok(is_new)
    }

    /// Tells why something of a set is left.
    fn leave(&mut self, left: Waiting) -> Result<(), CliError> {
        let Waiting { path, why, exit, is_approved } = left;
        let (crm, set) = (crm(), quoted(&name(&path)));
        let approved = if is_approved {
            format!(
                "; it was approved, so it is not planned anew: `{crm} apply {set}` sends it, `{crm} \
                 sets archive {set}` takes it away"
            )
        } else {
            String::new()
        };
        let why = format!("{why}{approved}");
        self.step(format!("{}: {why}", name(&path)))?;
        let totals = ChangeSet::open(&path)?.totals()?;
        self.ran.sets.push(OfSet { held: Some(why), ..OfSet::of(&path, &totals) });
        if exit != Exit::Held {
            self.exit.get_or_insert(exit);
        }
        Ok(())
    }

    /// Sends a set within the limits. Of one that an earlier run left, what is set aside is planned
    /// anew.
    async fn carry_out(&mut self, path: &Path, is_old: bool) -> Result<Going<Carried>, CliError> {
        let set = ChangeSet::open(path)?;
        let open = set.totals()?.open();
        if self.is_dry {
            self.step(format!("dry run: {} would be sent", count(open, "change")))?;
            self.ran.outcome = Outcome::DryRun;
            return Ok(Continue(Carried::Out));
        }
        let is_approved = set.approval()?.is_some();
        let left = |why, exit| Waiting { path: path.to_owned(), why, exit, is_approved };
        if let Some(why) = self.holds(&set, open, is_approved) {
            return Ok(Continue(Carried::Left(left(why, Exit::Held))));
        }
        drop(set);
        self.left -= open;
        let sent = self.send(path, open, is_old).await;
        if let Ok(Break(Some(signal))) = sent {
            return Ok(Break(Some(signal)));
        }
        // What has come so far is told whatever ended it.
        let sent = sent?;
        let (read_back, _) = unless_stopped!(self.read_back(path, None).await?);
        let mut of_set = OfSet::of(path, &ChangeSet::open(path)?.totals()?);
        let states = of_set
            .states
            .iter()
            .map(|(state, n)| format!("{n} {}", state.parse().map_or(*state, State::in_words)));
        let states = states.collect::<Vec<_>>().join(", ");
        self.step(format!("{}: {states}", name(path)))?;
        if read_back.all() > 0 {
            self.step(format!(
                "read back: {} of {} still as done",
                read_back.as_done,
                count(read_back.all(), "change")
            ))?;
        }
        self.count_late(path, Some(self.began))?;
        of_set.evidence = go_on!(self.write_evidence(path).await?);
        of_set.read_back = Some(read_back.as_done);
        self.ran.sets.push(of_set);
        // What an earlier run did and is no longer so is planned anew as well.
        if read_back.no_longer_so() > 0 && !is_old {
            self.exit.get_or_insert(Exit::Differs);
        }
        Ok(match sent {
            Break(_) => Break(None),
            Continue(None) => Continue(Carried::Out),
            Continue(Some((why, exit))) => Continue(Carried::Left(left(why, exit))),
        })
    }

    /// Counts what of a set was turned off late, since a moment or at all.
    fn count_late(&mut self, path: &Path, since: Option<Timestamp>) -> Result<(), CliError> {
        let ledger = existing(self.session.place(INSTEAD)?)?;
        let late = ledger::turned_off_late(&ledger, self.desk, path, since)?;
        self.ran.turned_off_late += late;
        match ledger::were_late(late) {
            Some(told) => self.step(format!("{}: {told}", name(path))),
            None => Ok(()),
        }
    }

    /// Why a set is not sent now.
    fn holds(&self, set: &ChangeSet, open: u64, is_approved: bool) -> Option<String> {
        let (crm, set_name) = (crm(), quoted(&name(set.path())));
        if open > self.left {
            return Some(format!(
                "{}, more than the {} that --max-changes {} leaves: nothing of it was sent; look at \
                 it with `{crm} show {set_name}`, send it with `{crm} apply {set_name}`, or allow more",
                count(open, "change"),
                self.left,
                self.command.max_changes,
            ));
        }
        (self.session.requires_approval() && !is_approved).then(|| {
            format!(
                "it waits for an approval: look at it with `{crm} show {set_name}`, then `{crm} \
                 approve {set_name}`"
            )
        })
    }

    /// Sends what is open, a few changes first. Returns why something is left, if that is for the set
    /// alone.
    async fn send(
        &mut self,
        path: &Path,
        open: u64,
        is_old: bool,
    ) -> Result<Going<Option<(String, Exit)>>, CliError> {
        let apply = ApplyCommand::of(path.to_owned());
        let canary = Some(self.command.canary).filter(|canary| (1..open).contains(canary));
        let mut began = clock::now();
        let mut ended = apply.part(self.session, canary).await?;
        while ended.reason() == StopReason::Canary {
            let done = ended.finished.count(State::Done);
            let (_, as_sent) = unless_stopped!(self.read_back(path, Some(began)).await?);
            if ended.finished.count(State::Unknown) > 0 {
                self.step(format!("{}: {}", name(path), STOPPED_UNKNOWN))?;
                self.exit = Some(Exit::Unknown);
                return Ok(Break(None));
            }
            if as_sent < done || !are_refused(path, began)? {
                let (crm, set) = (crm(), quoted(&name(path)));
                self.step(format!(
                    "the first changes of {} are not as they were sent: the rest was not sent; look \
                     at it with `{crm} show {set}` and `{crm} verify {set}`",
                    name(path),
                ))?;
                self.exit = Some(Exit::Differs);
                return Ok(Break(None));
            }
            // Where all were refused nothing was written, and nothing is known of the rest.
            let next = if done == 0 { canary } else { None };
            self.step(match next {
                Some(_) => "the first were all refused: so many again are tried".to_owned(),
                None => format!("the first {done} are as they were sent"),
            })?;
            began = clock::now();
            ended = apply.part(self.session, next).await?;
        }
        let reason = ended.reason();
        if reason == StopReason::Stopped {
            return Ok(Break(Some(ended.signal.unwrap_or(Signal::Interrupt))));
        }
        let set = ChangeSet::open(path)?;
        let left = ended.left(&set, &set.totals()?);
        if reason == StopReason::Forbidden && is_old {
            // Of what the set is about, which need not be what is planned now.
            return Ok(Continue(left));
        }
        if let Some((why, exit)) = left {
            // What an earlier plan could not do, and what no wish asks for any longer, is seen by
            // what is due afterwards.
            let exit = match (reason, exit) {
                // What cannot be set is left by a run in one way, sent or not.
                (StopReason::Complete, Exit::Conflict) => Exit::Refused,
                _ => exit,
            };
            let is_settled = matches!(exit, Exit::Refused | Exit::Consent) && is_old;
            self.step(why)?;
            if reason != StopReason::Complete || !(is_settled || exit == Exit::Consent) {
                self.exit = Some(exit);
            }
        }
        // The rest of the run would fail by the same.
        Ok(if reason == StopReason::Complete { Continue(None) } else { Break(None) })
    }

    /// Reads back what was done; besides how many of those that were settled since a moment are as
    /// they were sent.
    async fn read_back(
        &self,
        path: &Path,
        since: Option<Timestamp>,
    ) -> Result<Result<(Verification, u64), Signal>, CliError> {
        let mut set = ChangeSet::open(path)?;
        let site = self.session.site();
        let mut as_sent = 0;
        let verified = set.verify(&self.session.service, &site, |finding| {
            let is_new = since.is_none_or(|since| is_since(&finding.change, since));
            as_sent += u64::from(is_new && finding.found == Found::AsDone);
            Ok(())
        });
        let verified = until_signal(async { Ok::<_, CliError>(verified.await?) }).await?;
        Ok(verified.map(|verified| (verified, as_sent)))
    }

    /// Writes the page of a set and its CSV. It is owed as long as more may be sent of the set.
    async fn evidence(&self, set: &Path) -> Result<Result<[PathBuf; 2], Signal>, CliError> {
        let opened = ChangeSet::open(set)?;
        let files @ [page, _] = &self.place_of_evidence(&opened)?;
        let folder = page.parent().unwrap_or(Path::new("."));
        files::private_folder(folder).map_err(CliError::unwritten(folder))?;
        let written = report::of_set(self.globals, set, page).await?;
        if written.is_ok() {
            self.desk.note_evidence(files)?;
            if opened.totals()?.open() == 0 {
                self.desk.evidence_is_written(set)?;
            }
        }
        Ok(written.map(|_| files.clone()))
    }

    /// The first place where nothing is replaced but what this desk wrote of the same set.
    fn place_of_evidence(&self, set: &ChangeSet) -> Result<[PathBuf; 2], CliError> {
        let mut nth = 1;
        loop {
            let place = self.desk.evidence_of(set.path(), self.command.evidence.as_deref(), nth);
            let [page, csv] = &place;
            if ![page, csv].into_iter().any(|file| AtomicWriter::is_taken(file)) {
                return Ok(place);
            }
            if self.desk.wrote_evidence(page)? && is_page_about(&stated(&set.info()?), page, csv)? {
                return Ok(place);
            }
            nth += 1;
        }
    }

    /// Writes the evidence of a set and tells where it is. That it cannot be written undoes nothing that
    /// was sent, and hides nothing that is due: it is told, and owed to the next run.
    async fn write_evidence(&mut self, set: &Path) -> Result<Going<Vec<PathBuf>>, CliError> {
        match self.evidence(set).await {
            Ok(Ok([page, csv])) => {
                self.step(format!("evidence: {} and {}", page.display(), csv.display()))?;
                Ok(Continue(vec![page, csv]))
            }
            Ok(Err(signal)) => Ok(Break(Some(signal))),
            Err(error) => {
                let done = ChangeSet::open(set)?.totals()?.in_state(State::Done);
                let told = format!(
                    "the evidence of {} could not be written: {}; {} of it {} sent and done, and {} so. \
                     Make it possible to write there, or name another folder with --evidence: the next \
                     `{} consent run` writes it",
                    name(set),
                    error.line(),
                    count(done, "change"),
                    if done == 1 { "is" } else { "are" },
                    if done == 1 { "stays" } else { "stay" },
                    crm(),
                );
                failure(&told);
                self.ran.steps.push(told);
                self.exit.get_or_insert(error.exit());
                Ok(Continue(Vec::new()))
            }
        }
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
        let late = self.ran.turned_off_late + self.ran.due.map_or(0, |due| due.late);
        let late = late > 0 && self.ran.outcome != Outcome::DryRun;
        let is_left = self.ran.due.is_some_and(|due| due.cannot_be_set > 0);
        let (outcome, exit) = match self.exit {
            Some(exit @ Exit::Unknown) => (Outcome::Unknown, exit),
            Some(exit) => (Outcome::NotAllDone, exit),
            None if late => (Outcome::Late, Exit::Consent),
            None if is_held => (Outcome::Held, Exit::Held),
            None if self.ran.outcome == Outcome::DryRun => (Outcome::DryRun, Exit::Done),
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

/// What is said where the first changes of a set got no answer.
const STOPPED_UNKNOWN: &str = "of its first changes nobody knows what became of some: the rest was not \
                               sent, and the next run looks";

/// Whether a change was settled since a moment.
fn is_since(change: &Change, since: Timestamp) -> bool {
    change.outcome.at.is_some_and(|at| at >= since)
}

/// Whether all that failed since a moment was refused by the service, and so changed nothing.
fn are_refused(set: &Path, since: Timestamp) -> Result<bool, CliError> {
    for change in ChangeSet::open(set)?.changes(&Selection::states([State::Failed])) {
        let change = change?;
        if is_since(&change, since) && change.outcome.http_status.is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether it is the file of a set that cannot be gone on with, which no later run changes.
fn is_of_file(error: &BulkError) -> bool {
    let is_so = matches!(
        error,
        BulkError::Altered { .. }
            | BulkError::NotAdopted { .. }
            | BulkError::Backup { .. }
            | BulkError::Parted { .. }
            | BulkError::Displaced { .. }
    );
    is_so || error.is_wrong_file() || error.is_local()
}

impl OfSet {
    fn of(path: &Path, totals: &Totals) -> Self {
        let states = State::ALL.map(|state| (state.as_str(), totals.in_state(state)));
        let states = states.into_iter().filter(|(_, n)| *n > 0).collect();
        Self { set: name(path), states, read_back: None, held: None, evidence: Vec::new() }
    }
}
