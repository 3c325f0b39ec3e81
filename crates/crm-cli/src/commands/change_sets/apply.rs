//! `crm apply`: carry a change set out, or go on with one.

use std::{
    fs::{File, OpenOptions},
    io::Write,
    num::NonZeroUsize,
    path::PathBuf,
};

use clap::{Args, ValueEnum};
use crm_bulk::{Apply, Change, ChangeSet, Event, Finished, OnDrift, State, StopReason};
use futures_util::TryStreamExt;
use serde::Serialize;

use super::{
    site,
    summary::{difference, name},
};
use crate::{
    cli::Globals,
    error::{CliError, Exit},
    interrupt,
    output::{Format, note, printable},
    progress::Progress,
    session::Session,
    write_guard::confirm,
};

/// Send what is open in a change set, at the rate limit. Stop it at any moment: running it
/// again goes on. Ctrl-C finishes what is in flight; a second one leaves at once.
#[derive(Debug, Args)]
pub(crate) struct ApplyCommand {
    /// The change set
    set: PathBuf,

    /// What to do with a contact that is not what the plan saw
    #[arg(long, value_enum, default_value_t = Drift::Skip)]
    on_drift: Drift,

    /// Stop once so many changes failed
    #[arg(long, value_name = "N")]
    max_failures: Option<u64>,

    /// Send so many, stop, and ask whether to go on
    #[arg(long, value_name = "N")]
    canary: Option<u64>,

    /// Send changes that failed before once more
    #[arg(long)]
    retry_failed: bool,

    /// How many writes are on their way at once
    #[arg(long, value_name = "N", default_value = "64")]
    concurrency: NonZeroUsize,

    /// Append one JSON line for each change that was settled, without numbers and addresses
    #[arg(long, value_name = "FILE")]
    audit: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Drift {
    /// Set the change aside
    Skip,
    /// Make the change all the same
    Force,
    /// Set the change aside and stop
    Abort,
}

/// What a run came to, for programs.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Outcome {
    set: String,
    reason: String,
    states: Vec<(&'static str, u64)>,
    open: u64,
}

/// One line of the audit.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AuditLine<'a> {
    at: Option<String>,
    change: String,
    row: Option<u64>,
    record: String,
    action: &'static str,
    state: State,
    http_status: Option<u16>,
    trace_id: Option<&'a str>,
    attempts: u32,
}

impl ApplyCommand {
    pub(crate) async fn run(
        self,
        session: &Session<'_>,
        globals: &Globals,
    ) -> Result<(), CliError> {
        let set = ChangeSet::open(&self.set)?;
        let open = set.totals()?.open();
        if open > 0 && !globals.dry_run {
            let what = format!("{open} changes of {}", self.set.display());
            session.service.transport().allow(&what)?;
        }
        let mut finished = self.apply(session, globals, set, self.canary).await?;
        if finished.reason == StopReason::Canary && self.may_go_on()? {
            let set = ChangeSet::open(&self.set)?;
            finished = self.apply(session, globals, set, None).await?;
        }
        self.tell(session, globals, &finished)
    }

    fn may_go_on(&self) -> Result<bool, CliError> {
        let open = ChangeSet::open(&self.set)?.totals()?.open();
        let question = format!("The canary is sent: look at it. Send the other {open}?");
        Ok(confirm(&question))
    }

    /// One run over what is open.
    async fn apply(
        &self,
        session: &Session<'_>,
        globals: &Globals,
        set: ChangeSet,
        canary: Option<u64>,
    ) -> Result<Finished, CliError> {
        let mut apply = Apply::new(set)
            .on_drift(match self.on_drift {
                Drift::Skip => OnDrift::Skip,
                Drift::Force => OnDrift::Force,
                Drift::Abort => OnDrift::Abort,
            })
            .concurrency(self.concurrency)
            .stop_when(stop()?);
        if let Some(failures) = self.max_failures {
            apply = apply.max_failures(failures);
        }
        if let Some(changes) = canary {
            apply = apply.canary(changes);
        }
        if self.retry_failed {
            apply = apply.retry_failed();
        }
        if globals.dry_run {
            apply = apply.dry_run();
        }
        let mut audit = self.audit.as_ref().map(Audit::open).transpose()?;
        let mut events = apply.run(&session.service, &site(session))?;
        let mut progress = None;
        let mut failed = 0;
        while let Some(event) = events.try_next().await? {
            match event {
                Event::Started { open } => progress = Some(Progress::of(open, "changes")),
                Event::Settled(change) => {
                    if let Some(audit) = &mut audit {
                        audit.write(&change)?;
                    }
                    let state = change.outcome.state;
                    let fine = matches!(state, State::Done | State::Already | State::Planned);
                    failed += u64::from(!fine);
                    if let Some(progress) = &progress {
                        progress.advance(1);
                        progress.say(format!("{failed} failed"));
                    }
                }
                Event::WouldSend(change) => {
                    let line = format!("{}: {}", change.target, difference(&change));
                    match session.output.format() {
                        Format::Table => session.output.text(&printable(&line))?,
                        _ => session.output.line(&*change)?,
                    }
                }
                Event::Finished(finished) => return Ok(finished),
                _ => {}
            }
        }
        Err(CliError::CheckFailed {
            summary: "the run ended without a result".to_owned(),
            exit: Exit::Local,
        })
    }

    /// Says what came of it and how to go on, and chooses the exit code.
    fn tell(
        &self,
        session: &Session<'_>,
        globals: &Globals,
        finished: &Finished,
    ) -> Result<(), CliError> {
        let totals = ChangeSet::open(&self.set)?.totals()?;
        let open = totals.open();
        if globals.dry_run {
            note("dry run: nothing was sent");
            return Ok(());
        }
        let states: Vec<_> = State::ALL
            .into_iter()
            .map(|state| (state.as_str(), totals.in_state(state)))
            .filter(|(_, count)| *count > 0)
            .collect();
        let (reason, exit) = reason(finished.reason);
        match session.output.format() {
            Format::Table => {
                let counts: Vec<_> = states
                    .iter()
                    .map(|(state, n)| format!("{n} {state}"))
                    .collect();
                session
                    .output
                    .text(&format!("{}: {}", name(&self.set), counts.join(", ")))?;
            }
            _ => session.output.value(&Outcome {
                set: name(&self.set),
                reason: format!("{:?}", finished.reason),
                states,
                open,
            })?,
        }
        if finished.reason == StopReason::Stopped {
            note(format!(
                "{open} changes are left: crm apply {} goes on",
                name(&self.set)
            ));
            return Err(CliError::Interrupted);
        }
        let failed: u64 = [
            State::Failed,
            State::Unknown,
            State::Drifted,
            State::NotFound,
            State::Conflict,
        ]
        .map(|state| totals.in_state(state))
        .iter()
        .sum();
        if exit == Exit::Done && failed == 0 && open == 0 {
            return Ok(());
        }
        if finished.reason == StopReason::Canary {
            note(format!(
                "{open} changes are left: crm apply {} goes on",
                name(&self.set)
            ));
            return Ok(());
        }
        let exit = match exit {
            Exit::Done if totals.in_state(State::Unknown) > 0 => Exit::Unknown,
            Exit::Done => Exit::Refused,
            exit => exit,
        };
        Err(CliError::CheckFailed {
            summary: format!(
                "{reason}; {failed} changes are not done, {open} are open: crm show {} --state \
                 failed,unknown,drifted,not-found,conflict",
                name(&self.set)
            ),
            exit,
        })
    }
}

/// Completes at Ctrl-C. From then on a second one ends the process: what is in flight is
/// checked by the next run.
fn stop() -> Result<impl Future<Output = ()> + Send + 'static, CliError> {
    let first = interrupt::signal()?;
    Ok(async move {
        first.await;
        note("finishing what is in flight; Ctrl-C again leaves at once");
        tokio::spawn(async {
            if let Ok(second) = interrupt::signal() {
                second.await;
                std::process::exit(i32::from(Exit::Interrupted as u8));
            }
        });
    })
}

/// Why a run ended, in people's words, and the exit code if that decides it.
fn reason(reason: StopReason) -> (&'static str, Exit) {
    match reason {
        StopReason::TooManyFailures => ("as many changes failed as are allowed", Exit::Refused),
        StopReason::Drift => ("a contact is not what the plan saw", Exit::Conflict),
        StopReason::Unreachable => ("the service cannot be reached", Exit::Unreachable),
        StopReason::Credentials => ("the credentials were refused", Exit::Credentials),
        StopReason::Withheld => ("writes are not allowed", Exit::Usage),
        _ => ("not all changes could be made", Exit::Done),
    }
}

/// The file with one line for each settled change.
struct Audit {
    file: File,
    path: PathBuf,
}

impl Audit {
    fn open(path: &PathBuf) -> Result<Self, CliError> {
        let file = OpenOptions::new().create(true).append(true).open(path);
        let file =
            file.map_err(|error| CliError::io(format!("cannot write {}", path.display()), error))?;
        Ok(Self {
            file,
            path: path.clone(),
        })
    }

    fn write(&mut self, change: &Change) -> Result<(), CliError> {
        let outcome = &change.outcome;
        let line = AuditLine {
            at: outcome.at.map(|at| at.to_string()),
            change: change.id.to_string(),
            row: change.row,
            record: change.target.to_string(),
            action: change.action.name(),
            state: outcome.state,
            http_status: outcome.http_status,
            trace_id: outcome.trace_id.as_deref(),
            attempts: outcome.attempts,
        };
        let written = serde_json::to_vec(&line)
            .map_err(Into::into)
            .and_then(|mut line| {
                line.push(b'\n');
                self.file.write_all(&line)
            });
        written
            .map_err(|error| CliError::io(format!("cannot write {}", self.path.display()), error))
    }
}
