//! How the end of a command is reported: to people on stderr, and on stdout as JSON if that was
//! requested.

use std::{collections::BTreeMap, io, process::ExitCode};

use crm_contacts::{Advice, ContactsError, Difference, Preview};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    error::CliError,
    exit::Exit,
    globals::Format,
    output::{self, Output, advice, note},
    status::{NotAllDone, RunState, Status},
    write_guard::Planned,
};

/// A failure as JSON.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Failure<'a> {
    kind: &'static str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<&'a str>,
    /// The kind of problem, in the API's words: a URI as a rule.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    problem_type: Option<&'a str>,
    /// Details for programs, as the API gave them.
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a Map<String, Value>>,
    /// Reasons per member, in the API's words.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    fields: BTreeMap<&'a str, Vec<&'a str>>,
    /// Whether repeating the call can help: correct, later, look-first, done.
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<&'static str>,
    exit_code: u8,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DryRun<'a> {
    dry_run: bool,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    differences: &'a [Difference],
    request: &'a Preview,
}

#[derive(Serialize)]
struct Envelope<'a> {
    /// What there is to report although the command failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'a RunState>,
    error: Failure<'a>,
}

/// Reports to those who gave the command line.
pub(crate) struct Report<'a> {
    pub(crate) output: &'a Output,
    /// Whether to report what a refusal says beside its message.
    pub(crate) is_verbose: bool,
    /// Whether the exit code says if there are changes: then every failure has the same one.
    pub(crate) is_detailed: bool,
}

impl Report<'_> {
    /// Reports how a command ended, and gives the exit code. Where a signal ended it, the process
    /// ends here.
    pub(crate) fn end(&self, ended: Result<Status, CliError>) -> ExitCode {
        ExitCode::from(self.exit(ended) as u8)
    }

    /// Reports how a command ended, as [`end`](Self::end) does.
    pub(crate) fn exit(&self, ended: Result<Status, CliError>) -> Exit {
        match ended {
            Ok(status) => self.status(&status),
            Err(error) => self.error(&error),
        }
    }

    fn status(&self, status: &Status) -> Exit {
        match status {
            Status::Done => Exit::Done,
            // With --detailed-exitcode the code means that there are changes.
            Status::ChangesPlanned => Exit::Usage,
            Status::NothingFound => Exit::NothingFound,
            Status::Consent => Exit::Consent,
            Status::Ran(exit) => *exit,
            Status::DryRun(planned, request) => match self.dry_run(planned, request) {
                Ok(()) => Exit::Done,
                Err(error) => self.error(&error.into()),
            },
            Status::NotAllDone(NotAllDone { outcome, summary, exit }) => {
                self.failure(outcome.as_ref(), Failure::new(exit.kind(), summary, *exit), &[]);
                *exit
            }
            Status::Stopped(signal, outcome) => {
                let exit = signal.exit();
                let failure = Failure::new(exit.kind(), "interrupted", exit);
                self.failure(outcome.as_ref(), failure, &[]);
                let _ = self.output.end_of_several();
                signal.end()
            }
        }
    }

    /// Shows the request that would have been sent, and what it would change where that is known.
    fn dry_run(&self, planned: &Planned, request: &Preview) -> io::Result<()> {
        let Planned { subject, differences } = planned;
        if self.output.format() != Format::Table {
            return self.output.value(&DryRun { dry_run: true, differences, request });
        }
        if !differences.is_empty() {
            self.output.differences(&format!("{subject}: would change"), differences)?;
        }
        self.output.text(&format!("dry run, not sent:\n{request}"))
    }

    fn error(&self, error: &CliError) -> Exit {
        let exit = match error.exit() {
            Exit::Done => return Exit::Done,
            _ if self.is_detailed => Exit::Local,
            exit => exit,
        };
        let mut details = details(error);
        if self.is_verbose {
            details.extend(problem(error));
        }
        let message = error.line();
        let mut failure = Failure::new(error.kind(), &message, exit);
        if let Some(error) = error.contacts() {
            failure.add(error);
        }
        self.failure(None, failure, &details);
        exit
    }

    fn failure(&self, outcome: Option<&RunState>, error: Failure<'_>, details: &[String]) {
        output::failure(error.message);
        for detail in details {
            note(format!("  {detail}"));
        }
        if self.output.is_json() {
            let message = &advice(error.message);
            // If stdout is gone, only the exit code can report it.
            let _ = self.output.error(&Envelope { outcome, error: Failure { message, ..error } });
        }
    }
}

/// Writes a command line's fault as JSON, where that format is asked for.
pub(crate) fn usage(output: &Output, message: &str, exit: Exit) -> io::Result<()> {
    let mut error = Failure::new(Exit::Usage.kind(), message, exit);
    error.advice = Some("correct");
    output.error(&Envelope { outcome: None, error })
}

fn details(error: &CliError) -> Vec<String> {
    let mut details = match error {
        CliError::Settings(error) => error.details(),
        CliError::Contacts(ContactsError::EchoDiffers(echo) | ContactsError::NotChanged(echo)) => {
            echo.differences.iter().map(asked_and_answered).collect()
        }
        _ => Vec::new(),
    };
    details.extend(error.advice().map(str::to_owned));
    details
}

/// What the API said in a refusal for programs and for its support.
fn problem(error: &CliError) -> Vec<String> {
    let Some(refusal) = error.contacts().and_then(ContactsError::refusal) else {
        return Vec::new();
    };
    let problem = &refusal.problem;
    let data = (!problem.data.is_empty()).then(|| Value::Object(problem.data.clone()).to_string());
    let parts = [
        ("type", problem.problem_type.clone()),
        ("trace id", problem.trace_id.clone()),
        ("data", data),
    ];
    let told = parts.into_iter();
    told.filter_map(|(name, said)| Some(format!("{name}: {}", said?))).collect()
}

fn asked_and_answered(difference: &Difference) -> String {
    let text = |value: &Option<String>| value.clone().unwrap_or("(none)".to_owned());
    let (asked, answered) = (text(&difference.before), text(&difference.after));
    format!("{}: asked {asked}, answered {answered}", difference.field)
}

impl<'a> Failure<'a> {
    fn new(kind: &'static str, message: &'a str, exit: Exit) -> Self {
        Self {
            kind,
            message,
            status: None,
            trace_id: None,
            problem_type: None,
            data: None,
            fields: BTreeMap::new(),
            advice: None,
            exit_code: exit as u8,
        }
    }

    /// Adds what the call's error says for programs.
    fn add(&mut self, error: &'a ContactsError) {
        self.trace_id = error.trace_id();
        self.advice = Some(match error.advice() {
            Advice::Later => "later",
            Advice::LookFirst => "look-first",
            Advice::Done => "done",
            _ => "correct",
        });
        if let ContactsError::Invalid(input) = error {
            for field in &input.fields {
                let reasons = self.fields.entry(&field.field).or_default();
                reasons.push(&field.message);
            }
        }
        if let Some(refusal) = error.refusal() {
            let problem = &refusal.problem;
            self.status = Some(refusal.status.as_u16());
            self.problem_type = problem.problem_type.as_deref();
            self.data = Some(&problem.data).filter(|data| !data.is_empty());
            for (field, reasons) in &problem.errors {
                let reasons = reasons.iter().map(String::as_str).collect();
                self.fields.insert(field, reasons);
            }
        }
    }
}
