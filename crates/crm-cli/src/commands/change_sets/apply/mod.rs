//! `crm apply`: carry out a change set, or continue with one.

mod audit;
mod ended;
mod outcome;
mod stop;
mod tally;

use std::{
    num::NonZeroUsize,
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::{Args, ValueEnum};
use crm_bulk::{
    Apply, BulkError, Change, ChangeSet, Event, ExpectedDigest, Finished, OnDrift, State,
    StopReason,
};
use crm_mirror::clock;
use crm_models::Timestamp;
use futures_util::StreamExt;

pub(in crate::commands) use self::ended::Ended;
use self::{
    audit::Audit,
    ended::tell_cut_short,
    outcome::{Reason, counts, text},
    stop::Stop,
    tally::Tally,
};
use super::{caution::tell_cautions, owner_names::Names, show::Shown, summary::name};
use crate::{
    commands::{
        args::{narrow, whole},
        ledger::{self, OverrideArgs, is_of_ledger, note_applied},
    },
    desk,
    error::CliError,
    exit::Exit,
    globals::Globals,
    output::{Records, confirm, count, note, on_terminal},
    session::Session,
    signal::signal,
    status::{NotAllDone, Status},
};

/// Send the changes of a set, or continue sending them
///
/// Send what is open in a change set, at the rate limit. It can be stopped at any moment; the
/// same command continues. Ctrl-C finishes what is in flight; a second Ctrl-C ends at once.
#[derive(Debug, Args)]
pub(crate) struct ApplyCommand {
    /// The change set: a file, or the name of one of the desk
    pub(crate) set: PathBuf,

    /// Apply the set only if this is its digest, as plan, show, report and status print it: at
    /// least the first 16 digits
    #[arg(long, value_name = "DIGEST")]
    expect: Option<ExpectedDigest>,

    /// Apply the set only if it was approved exactly as it is, with crm approve
    #[arg(long)]
    require_approval: bool,

    /// What to do with a contact that is not what the plan saw
    #[arg(long, value_enum, default_value_t = Drift::Skip)]
    on_drift: Drift,

    /// Stop once N changes have failed
    #[arg(long, value_name = "N", value_parser = whole(0_u64, None))]
    max_failures: Option<u64>,

    /// Send N changes, then stop and ask whether to continue
    #[arg(long, value_name = "N", value_parser = whole(0_u64, None), conflicts_with = "retry_failed")]
    canary: Option<u64>,

    /// Send again what failed or was held in an earlier run
    #[arg(long)]
    retry_failed: bool,

    /// Up to N writes in flight at once
    #[arg(long, value_name = "N", default_value_t = CONCURRENCY, value_parser = whole(NonZeroUsize::MIN, None))]
    concurrency: NonZeroUsize,

    /// Append one JSON line for each write, without numbers and addresses
    #[arg(long, value_name = "FILE")]
    audit: Option<PathBuf>,

    #[command(flatten)]
    consent: OverrideArgs,
}

const CONCURRENCY: NonZeroUsize = NonZeroUsize::new(64).unwrap();

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Drift {
    /// Set the change aside
    Skip,
    /// Make the change anyway
    Force,
    /// Set the change aside and stop
    Abort,
}

impl From<Drift> for OnDrift {
    fn from(drift: Drift) -> Self {
        match drift {
            Drift::Skip => Self::Skip,
            Drift::Force => Self::Force,
            Drift::Abort => Self::Abort,
        }
    }
}

/// What a dry run shows.
struct DryRun<'a> {
    changes: Records<'a, Shown>,
    names: Names,
    to_be_sent: u64,
}

impl DryRun<'_> {
    fn push(&mut self, change: Change) -> Result<(), CliError> {
        Ok(self.changes.push(&Shown::of(change, &mut self.names, (None, None))?)?)
    }
}

impl ApplyCommand {
    /// What carries out a set for another command, as is usual.
    pub(in crate::commands) fn of(set: PathBuf) -> Self {
        Self {
            set,
            expect: None,
            require_approval: false,
            on_drift: Drift::Skip,
            max_failures: None,
            canary: None,
            retry_failed: false,
            concurrency: CONCURRENCY,
            audit: None,
            consent: OverrideArgs::default(),
        }
    }

    /// Sends what is open, or so many changes of it, and asks nobody whether to continue.
    pub(in crate::commands) async fn part(
        &self,
        session: &Session<'_>,
        changes: Option<u64>,
    ) -> Result<Ended, CliError> {
        let set = ChangeSet::open(&self.set)?;
        refuse_elsewhere(session, &set)?;
        let what = format!("{} of {}", count(set.totals()?.open(), "change"), name(&self.set));
        session.service.transport().allow(&what)?;
        tell_desk(session, &self.set);
        owe_evidence(session, &set)?;
        let ended = self.apply(session, set, changes, None).await;
        tell_desk(session, &self.set);
        ended
    }

    pub(crate) async fn run(
        self,
        session: &Session<'_>,
        globals: &Globals,
    ) -> Result<Status, CliError> {
        let set = ChangeSet::open(&self.set)?;
        session.tell_target();
        refuse_elsewhere(session, &set)?;
        if globals.dry_run {
            return self.dry_run(session, set).await;
        }
        let totals = set.totals()?;
        let again = if self.retry_failed {
            totals.in_state(State::Failed) + totals.in_state(State::Held)
        } else {
            0
        };
        let open = totals.open() + again;
        if open > 0 {
            let what = format!("{} of {}", count(open, "change"), name(&self.set));
            tell_cautions(&set)?;
            session.service.transport().allow(&what)?;
            tell_desk(session, &self.set);
            if owe_evidence(session, &set)? {
                note("the next `crm consent run` writes the evidence of it");
            }
        } else {
            note("nothing is open: nothing was sent");
        }
        let (began, is_of_ledger) = (clock::now(), is_of_ledger(&set.info()?));
        let ended = self.send(session, set).await;
        if open > 0 {
            tell_desk(session, &self.set);
        }
        let status = ended?.tell(&self.set, session.output)?;
        let late = if is_of_ledger { self.tell_late(session, began)? } else { 0 };
        Ok(match status {
            Status::Done if late > 0 => Status::Consent,
            status => status,
        })
    }

    /// Tells how many copies a set of the ledger has turned off late since a moment.
    fn tell_late(&self, session: &Session<'_>, since: Timestamp) -> Result<u64, CliError> {
        let Some(desk) = session.existing_desk()? else { return Ok(0) };
        let Some(ledger) = ledger::open(desk)? else { return Ok(0) };
        let late = ledger::turned_off_late(&ledger, desk, &self.set, Some(since))?;
        ledger::were_late(late).into_iter().for_each(note);
        Ok(late)
    }

    /// Sends what is open: the canary first, where one is asked for.
    async fn send(&self, session: &Session<'_>, set: ChangeSet) -> Result<Ended, CliError> {
        let ended = self.apply(session, set, self.canary, None).await?;
        if ended.reason() == StopReason::Canary && self.may_go_on(&ended.finished).await? {
            return self.apply(session, ChangeSet::open(&self.set)?, None, None).await;
        }
        Ok(ended)
    }

    /// Lists what would be sent and what has drifted, and says why it ended early if it did.
    async fn dry_run(&self, session: &Session<'_>, set: ChangeSet) -> Result<Status, CliError> {
        let (changes, names) = (session.output.records()?, Names::of(&self.set)?);
        let mut shown = DryRun { changes, names, to_be_sent: 0 };
        let ended = self.apply(session, set, self.canary, Some(&mut shown)).await;
        let is_whole = ended
            .as_ref()
            .is_ok_and(|ended| matches!(ended.reason(), StopReason::Complete | StopReason::Canary));
        if is_whole {
            shown.changes.if_none("nothing would be sent");
            shown.changes.finish()?;
        } else {
            // The failure matters more than a reader that went away.
            drop(shown.changes.interrupt());
        }
        let ended = ended?;
        let mut counts = counts(|state| ended.finished.count(state));
        counts.insert(0, ("to be sent", shown.to_be_sent));
        note(format!("dry run, nothing was sent: {}", text(&counts)));
        let reason = Reason::from(ended.reason());
        match ended.reason() {
            StopReason::Complete => Ok(Status::Done),
            StopReason::Canary => {
                note(reason.words);
                Ok(Status::Done)
            }
            StopReason::Stopped => Ok(ended.stopped(None)),
            _ => Ok(Status::NotAllDone(NotAllDone {
                outcome: None,
                summary: format!("the dry run ended early: {}", reason.words),
                exit: reason.exit,
            })),
        }
    }

    /// Reports the outcome of the canary and asks whether to continue, if there is a person to ask.
    async fn may_go_on(&self, canary: &Finished) -> Result<bool, CliError> {
        if !on_terminal() {
            return Ok(false);
        }
        let counts = counts(|state| canary.count(state));
        let open = ChangeSet::open(&self.set)?.totals()?.open();
        let question =
            format!("The canary was sent: {}. Check it. Send the other {open}?", text(&counts));
        // Signals have been watched since the run began and would go unnoticed while a question
        // blocks.
        let interrupted = signal()?;
        let answer = tokio::task::spawn_blocking(move || confirm(&question));
        tokio::select! {
            answer = answer => Ok(answer.unwrap_or(false)),
            // The thread that waits for an answer cannot be ended in any other way.
            signal = interrupted => signal.end(),
        }
    }

    /// One run over what is open; a dry run if there is something to show one with.
    async fn apply(
        &self,
        session: &Session<'_>,
        set: ChangeSet,
        canary: Option<u64>,
        mut dry_run: Option<&mut DryRun<'_>>,
    ) -> Result<Ended, CliError> {
        let stop = Arc::new(Stop::default());
        let is_of_ledger = is_of_ledger(&set.info()?);
        let apply = narrow!(
            Apply::new(set)
                .on_drift(OnDrift::from(self.on_drift))
                .concurrency(self.concurrency)
                .stop_when(Arc::clone(&stop).wanted()?),
            expect(self.expect.clone()),
            // A dry run may come before the approval.
            require_approval()
                if dry_run.is_none() && (self.require_approval || session.requires_approval()),
            max_failures(self.max_failures),
            canary(canary),
            retry_failed() if self.retry_failed,
            dry_run() if dry_run.is_some(),
        );
        let desk = session.existing_desk()?;
        let apply = self.consent.of_run(apply, desk, dry_run.is_some(), is_of_ledger)?;
        let audit = self.audit.as_ref();
        let mut audit =
            audit.map(|path| Audit::open(path, session.tenant(), &self.set)).transpose()?;
        let mut events = apply.run(&session.service, &session.site())?;
        let mut tally = None;
        let (mut end, mut unwritten, mut lost_unknown) = (None, None, false);
        while let Some(event) = events.next().await {
            match event {
                Ok(Event::Started { open }) => tally = Some(Tally::of(open)),
                Ok(Event::Written(written)) => {
                    // Without its line nothing more is begun; what is in flight is finished.
                    if let Some(Err(error)) = audit.as_mut().map(|audit| audit.write(&written)) {
                        unwritten.get_or_insert(error);
                        stop.halt.notify_one();
                    }
                }
                Ok(Event::Settled(change)) => {
                    if let Some(tally) = &mut tally {
                        tally.settled(&change);
                    }
                    if let Some(dry_run) = &mut dry_run
                        && matches!(change.outcome.state, State::Drifted | State::Held)
                    {
                        dry_run.push(*change)?;
                    }
                }
                Ok(Event::Awaited(change)) => {
                    if let Some(tally) = &mut tally {
                        tally.awaited(&change);
                    }
                }
                Ok(Event::WouldSend(change)) => {
                    if let Some(tally) = &tally {
                        tally.would_be_sent();
                    }
                    if let Some(dry_run) = &mut dry_run {
                        dry_run.to_be_sent += 1;
                        dry_run.push(*change)?;
                    }
                }
                Ok(Event::InFlight(change)) => {
                    let named = Names::of(&self.set).ok().and_then(|mut names| {
                        let named = names.of_owner(&change.target);
                        named.ok().flatten().map(|named| format!("{named} · "))
                    });
                    let (named, target) = (named.unwrap_or_default(), change.target);
                    let (action, state) = (change.action.name(), change.outcome.state);
                    note(format!("was in flight: {named}{target}, {action}: {state}"));
                    lost_unknown |= state.is_open();
                }
                Ok(Event::Finished(finished)) => end = Some(Ok(finished)),
                Ok(_) => {}
                Err(error) => end = Some(Err(error)),
            }
        }
        // A set that was refused as it is had nothing begun that could be continued.
        let has_begun = tally.is_some();
        drop((events, tally));
        let error = match (unwritten, end) {
            (None, Some(Ok(finished))) => {
                let signal = stop.signal.get().copied();
                return Ok(Ended { finished, lost_unknown, signal });
            }
            (Some(error), _) => error,
            (None, Some(Err(error))) => error.into(),
            (None, None) => CliError::CheckFailed {
                summary: "the run ended without a result".to_owned(),
                exit: Exit::Local,
            },
        };
        if has_begun {
            tell_cut_short(&self.set);
        }
        Err(error)
    }
}

/// Refuses a set of another account, of which the desk of this one is to know nothing.
fn refuse_elsewhere(session: &Session<'_>, set: &ChangeSet) -> Result<(), CliError> {
    let admitted = session.site().admit(&set.info()?.site, set.path());
    Ok(admitted.map_err(BulkError::from)?)
}

/// Notes in the desk that evidence is owed of a set of its ledger, before anything is sent of it.
/// Returns whether it is such a set.
fn owe_evidence(session: &Session<'_>, set: &ChangeSet) -> Result<bool, CliError> {
    let Some(desk) = session.existing_desk()? else {
        return Ok(false);
    };
    let is_of_desk = desk::whole(set.path())?.starts_with(desk::whole(&desk.sets_folder())?);
    let is_owed = is_of_desk && is_of_ledger(&set.info()?);
    if is_owed {
        desk.owe_evidence(set.path())?;
    }
    Ok(is_owed)
}

/// Lets the history of the desk find a set that is elsewhere, and who reads the mirror know that it
/// may have changed what is in it, and what it has done at contact methods. The set itself has what
/// it does, so nothing is refused where this cannot be kept, and no desk is begun for it.
fn tell_desk(session: &Session<'_>, set: &Path) {
    let told = || -> Result<(), CliError> {
        if let Some(desk) = session.existing_desk()? {
            desk.updates()?.run(&desk::whole(set)?)?;
            note_applied(desk, set)?;
        }
        Ok(())
    };
    if let Err(error) = told() {
        note(format!(
            "`crm history` may not find this set, nor the mirror be known to be older: {error}"
        ));
    }
}
