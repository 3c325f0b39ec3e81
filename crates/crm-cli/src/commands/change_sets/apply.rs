//! `crm apply`: carry a change set out, or go on with one.

use std::{
    fs::{File, OpenOptions},
    io::Write,
    num::NonZeroUsize,
    path::PathBuf,
    sync::Arc,
};

use clap::{Args, ValueEnum};
use crm_bulk::{
    Apply, BulkError, Change, ChangeSet, Event, Finished, OnDrift, State, StopReason, Totals,
    Written,
};
use crm_models::TenantId;
use futures_util::StreamExt;
use serde::Serialize;
use tokio::sync::Notify;

use super::{
    site,
    summary::{difference, name},
};
use crate::{
    cli::Globals,
    error::{CliError, Exit},
    interrupt,
    output::{Format, note, on_terminal, printable},
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

    /// Append one JSON line for each write, without numbers and addresses
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
    at: String,
    tenant: TenantId,
    set: &'a str,
    change: String,
    row: Option<u64>,
    record: String,
    action: &'static str,
    preference: Option<&'a str>,
    state: State,
    http_status: Option<u16>,
    trace_id: Option<&'a str>,
    /// Nobody saw the answer: the record was found so.
    read_back: bool,
}

/// States that are not what the set asks for.
const NOT_DONE: [State; 5] = [
    State::Failed,
    State::Unknown,
    State::Drifted,
    State::NotFound,
    State::Conflict,
];

impl ApplyCommand {
    pub(crate) async fn run(
        self,
        session: &Session<'_>,
        globals: &Globals,
    ) -> Result<(), CliError> {
        let set = ChangeSet::open(&self.set)?;
        let totals = set.totals()?;
        let again = match self.retry_failed {
            true => totals.in_state(State::Failed),
            false => 0,
        };
        let open = totals.open() + again;
        if open > 0 && !globals.dry_run {
            let what = format!("{open} changes of {}", self.set.display());
            session.service.transport().allow(&what)?;
        }
        let (mut finished, would_be_sent) = self.apply(session, globals, set, self.canary).await?;
        if globals.dry_run {
            return tell_dry_run(&finished, would_be_sent);
        }
        if finished.reason == StopReason::Canary && self.may_go_on(&finished).await? {
            let set = ChangeSet::open(&self.set)?;
            (finished, _) = self.apply(session, globals, set, None).await?;
        }
        self.tell(session, &finished)
    }

    /// Says what the canary came to and asks whether to go on, if there is somebody to ask.
    async fn may_go_on(&self, canary: &Finished) -> Result<bool, CliError> {
        if !on_terminal() {
            return Ok(false);
        }
        let counts = counts(|state| canary.count(state));
        let open = ChangeSet::open(&self.set)?.totals()?.open();
        let question = format!(
            "The canary is sent: {}. Look at it. Send the other {open}?",
            text(&counts)
        );
        // Signals are watched since the run began and would go unheard while a question blocks.
        let interrupted = interrupt::signal()?;
        let answer = tokio::task::spawn_blocking(move || confirm(&question));
        tokio::select! {
            answer = answer => Ok(answer.unwrap_or(false)),
            // The thread that waits for an answer cannot be ended otherwise.
            () = interrupted => std::process::exit(i32::from(Exit::Interrupted as u8)),
        }
    }

    /// One run over what is open. In a dry run it also tells how many changes would be sent.
    async fn apply(
        &self,
        session: &Session<'_>,
        globals: &Globals,
        set: ChangeSet,
        canary: Option<u64>,
    ) -> Result<(Finished, u64), CliError> {
        let halt = Arc::new(Notify::new());
        let mut apply = Apply::new(set)
            .on_drift(match self.on_drift {
                Drift::Skip => OnDrift::Skip,
                Drift::Force => OnDrift::Force,
                Drift::Abort => OnDrift::Abort,
            })
            .concurrency(self.concurrency)
            .stop_when(stop(Arc::clone(&halt))?);
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
        let audit = self.audit.as_ref();
        let mut audit = audit
            .map(|path| Audit::open(path, session.tenant(), name(&self.set)))
            .transpose()?;
        let mut events = apply.run(&session.service, &site(session))?;
        let mut progress = None;
        let (mut failed, mut would_be_sent) = (0, 0);
        let (mut end, mut unwritten) = (None, None);
        while let Some(event) = events.next().await {
            match event {
                Ok(Event::Started { open }) => progress = Some(Progress::of(open, "changes")),
                Ok(Event::Written(written)) => {
                    // Without its line nothing more is begun; what is in flight is finished.
                    if let Some(Err(error)) = audit.as_mut().map(|audit| audit.write(&written)) {
                        unwritten.get_or_insert(error);
                        halt.notify_one();
                    }
                }
                Ok(Event::Settled(change)) => {
                    let state = change.outcome.state;
                    failed += u64::from(NOT_DONE.contains(&state) || state == State::InFlight);
                    if let Some(progress) = &progress {
                        progress.advance(1);
                        progress.say(format!("{failed} failed"));
                    }
                    if globals.dry_run && state == State::Drifted {
                        let why = change.outcome.message.as_deref().unwrap_or_default();
                        show(session, &change, &format!("drifted: {why}"))?;
                    }
                }
                Ok(Event::WouldSend(change)) => {
                    would_be_sent += 1;
                    if let Some(progress) = &progress {
                        progress.advance(1);
                    }
                    show(session, &change, &difference(&change))?;
                }
                Ok(Event::Finished(finished)) => end = Some(Ok(finished)),
                Ok(_) => {}
                Err(error) => end = Some(Err(error)),
            }
        }
        drop((events, progress));
        match (unwritten, end) {
            (Some(error), _) => Err(self.cut_short(error)),
            (None, Some(Ok(finished))) => Ok((finished, would_be_sent)),
            (None, Some(Err(error))) => Err(self.cut_short(broken_off(error))),
            (None, None) => Err(CliError::CheckFailed {
                summary: "the run ended without a result".to_owned(),
                exit: Exit::Local,
            }),
        }
    }

    /// Says how far a run came that something ended, and how to go on.
    fn cut_short(&self, error: CliError) -> CliError {
        if let Ok(totals) = ChangeSet::open(&self.set).and_then(|set| set.totals()) {
            let counts = text(&counts(|state| totals.in_state(state)));
            note(format!("{}: {counts}", name(&self.set)));
            self.note_open(&totals);
        }
        error
    }

    fn note_open(&self, totals: &Totals) {
        note(format!(
            "{} changes are left: crm apply {} goes on",
            totals.open(),
            name(&self.set)
        ));
    }

    /// Says what came of it and how to go on, and chooses the exit code.
    fn tell(&self, session: &Session<'_>, finished: &Finished) -> Result<(), CliError> {
        let totals = ChangeSet::open(&self.set)?.totals()?;
        let open = totals.open();
        let states = counts(|state| totals.in_state(state));
        let (reason, exit) = reason(finished.reason);
        match session.output.format() {
            Format::Table => {
                let line = format!("{}: {}", name(&self.set), text(&states));
                session.output.text(&line)?;
            }
            _ => session.output.value(&Outcome {
                set: name(&self.set),
                reason: format!("{:?}", finished.reason),
                states,
                open,
            })?,
        }
        if finished.reason == StopReason::Stopped {
            self.note_open(&totals);
            return Err(CliError::Interrupted);
        }
        let failed: u64 = NOT_DONE.map(|state| totals.in_state(state)).iter().sum();
        if exit == Exit::Done && failed == 0 && open == 0 {
            return Ok(());
        }
        if finished.reason == StopReason::Canary {
            self.note_open(&totals);
            // A canary that was fine says nothing of what the plan or earlier runs set aside.
            if NOT_DONE.iter().all(|state| finished.count(*state) == 0) {
                return Ok(());
            }
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

/// Writes what a dry run says of one change: as text for people, else the change itself.
fn show(session: &Session<'_>, change: &Change, what: &str) -> Result<(), CliError> {
    match session.output.format() {
        Format::Table => {
            let line = format!("{}: {what}", change.target);
            session.output.text(&printable(&line))
        }
        _ => session.output.line(change),
    }
}

/// Says what a dry run came to, and why it ended early if it did.
fn tell_dry_run(finished: &Finished, would_be_sent: u64) -> Result<(), CliError> {
    let mut counts = counts(|state| finished.count(state));
    counts.insert(0, ("to be sent", would_be_sent));
    note(format!("dry run, nothing was sent: {}", text(&counts)));
    let (reason, exit) = reason(finished.reason);
    match finished.reason {
        StopReason::Complete => Ok(()),
        StopReason::Canary => {
            note(reason);
            Ok(())
        }
        StopReason::Stopped => Err(CliError::Interrupted),
        _ => Err(CliError::CheckFailed {
            summary: format!("the dry run ended early: {reason}"),
            exit,
        }),
    }
}

/// How many changes are in which state, in the order of a report; without those that have none.
fn counts(of: impl Fn(State) -> u64) -> Vec<(&'static str, u64)> {
    let counts = State::ALL.map(|state| (state.as_str(), of(state)));
    counts.into_iter().filter(|(_, count)| *count > 0).collect()
}

fn text(counts: &[(&'static str, u64)]) -> String {
    let counts: Vec<_> = counts
        .iter()
        .map(|(state, n)| format!("{n} {state}"))
        .collect();
    counts.join(", ")
}

/// The error that ended a run half-way. Of a call that failed only this is told: advice about
/// the call alone would not be true of the run.
fn broken_off(error: BulkError) -> CliError {
    let summary = error.to_string();
    match CliError::from(error) {
        error @ CliError::Contacts(_) => CliError::CheckFailed {
            summary,
            exit: error.exit(),
        },
        error => error,
    }
}

/// Completes at Ctrl-C, or when `halt` says so. From Ctrl-C on a second one ends the process:
/// what is in flight is checked by the next run.
fn stop(halt: Arc<Notify>) -> Result<impl Future<Output = ()> + Send + 'static, CliError> {
    let first = interrupt::signal()?;
    Ok(async move {
        tokio::select! {
            () = first => {}
            () = halt.notified() => return,
        }
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
        StopReason::Canary => ("it ended with the canary", Exit::Done),
        StopReason::TooManyFailures => ("as many changes failed as are allowed", Exit::Refused),
        StopReason::Drift => ("a contact is not what the plan saw", Exit::Conflict),
        StopReason::Unreachable => ("the service cannot be reached", Exit::Unreachable),
        StopReason::Credentials => ("the credentials were refused", Exit::Credentials),
        StopReason::Forbidden => (
            "the app may not write this: see the message of the changes that are open",
            Exit::Refused,
        ),
        StopReason::Withheld => ("writes are not allowed", Exit::Usage),
        _ => ("not all changes could be made", Exit::Done),
    }
}

/// The file with one line for each write.
struct Audit {
    file: File,
    path: PathBuf,
    tenant: TenantId,
    set: String,
}

impl Audit {
    fn open(path: &PathBuf, tenant: TenantId, set: String) -> Result<Self, CliError> {
        let file = OpenOptions::new().create(true).append(true).open(path);
        let file =
            file.map_err(|error| CliError::io(format!("cannot write {}", path.display()), error))?;
        Ok(Self {
            file,
            path: path.clone(),
            tenant,
            set,
        })
    }

    fn write(&mut self, written: &Written) -> Result<(), CliError> {
        let line = AuditLine {
            at: written.at.to_string(),
            tenant: self.tenant,
            set: &self.set,
            change: written.change.to_string(),
            row: written.row,
            record: written.target.to_string(),
            action: written.action,
            preference: written.preference.as_deref(),
            state: written.state,
            http_status: written.http_status,
            trace_id: written.trace_id.as_deref(),
            read_back: written.read_back,
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
