//! How a failure is reported: a line for people on stderr, JSON on stdout if that was requested.

use std::{
    collections::BTreeMap,
    env,
    io::{self, Write},
    process::ExitCode,
};

use clap::error::ErrorKind;
use crm_bulk::visible;
use crm_contacts::{Advice, ContactsError, Difference, Preview};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    commands::Outcome,
    error::{CliError, Exit},
    output::{self, Format, Output, note},
    write_guard::Withheld,
};

/// A failure as JSON.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Failure<'a> {
    kind: &'static str,
    message: String,
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
    outcome: Option<&'a Outcome>,
    error: Failure<'a>,
}

/// Reports a failed command's error and returns its exit code. With `-v` it also reports what a
/// refusal says beside its message.
pub(crate) fn error(error: &CliError, output: &Output, is_verbose: bool) -> ExitCode {
    if let Some(Withheld::DryRun(request)) = error.withheld() {
        return match dry_run("", &[], request, output) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => self::error(&error, output, is_verbose),
        };
    }
    let exit = exit_of(error);
    if !error.is_silent() {
        output::failure(&message(error));
        let told = if is_verbose { problem(error) } else { Vec::new() };
        for detail in details(error).into_iter().chain(told) {
            note(format!("  {detail}"));
        }
        if output.is_json() {
            let envelope = Envelope {
                outcome: match error {
                    CliError::NotAllDone { outcome, .. } => Some(outcome),
                    _ => None,
                },
                error: Failure::of(error),
            };
            // If stdout is gone, only the exit code can report it.
            let _ = output.error(&envelope);
        }
    }
    ExitCode::from(exit as u8)
}

/// The exit code; every failure has the same one where another code means that there are changes.
fn exit_of(error: &CliError) -> Exit {
    match error.exit() {
        exit @ (Exit::Done | Exit::Interrupted | Exit::Terminated) => exit,
        exit if matches!(error, CliError::ChangesPlanned) => exit,
        _ if detailed_exit_code() => Exit::Local,
        exit => exit,
    }
}

/// Whether the command line, which may be one that cannot be parsed, asks for the exit codes of a
/// plan.
fn detailed_exit_code() -> bool {
    env::args_os().any(|word| word == "--detailed-exitcode")
}

/// Reports clap's refusal of the command line, or the help that it was asked for.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    let asked_for = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    if asked_for {
        // A reader that went away is not a failure.
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    tell_usage(error);
    if let Some(format) = json_wanted() {
        let text = error.to_string();
        // What is wrong continues on lines of its own; after an empty one comes the usage.
        let lines = text.lines().map(str::trim);
        let lines: Vec<_> = lines.take_while(|line| !line.is_empty()).collect();
        let error = Failure::usage(lines.join(" ").trim_start_matches("error: ").to_owned());
        let outcome = None;
        let _ = Output::new(format, None).error(&Envelope { outcome, error });
    }
    ExitCode::from(usage_exit() as u8)
}

/// Prints clap's message, without its colours where it repeats a word that contains invisible
/// characters: they could not be distinguished from the colours' own.
fn tell_usage(error: &clap::Error) {
    let words = env::args_os().map(|word| word.to_string_lossy().into_owned());
    let unseen = words.filter(|word| visible(word) != *word);
    let plain = unseen.fold(None, |text: Option<String>, word| {
        let text = text.unwrap_or_else(|| error.render().to_string());
        Some(text.replace(&word, &visible(&word)))
    });
    // If nobody reads stderr any more, only the exit code can report it.
    let _ = match plain {
        Some(text) => write!(io::stderr(), "{}", output::lines(&text)),
        None => error.print(),
    };
}

fn usage_exit() -> Exit {
    match detailed_exit_code() {
        true => Exit::Local,
        false => Exit::Usage,
    }
}

/// The JSON format that a command line asks for, even if the rest of it could not be parsed.
fn json_wanted() -> Option<Format> {
    let words: Vec<_> = env::args_os().filter_map(|word| word.into_string().ok()).collect();
    let asked = |name: &str| {
        let joined = format!("--output={name}");
        words.contains(&joined) || words.windows(2).any(|pair| pair == ["--output", name])
    };
    // An export writes one value a line in either format.
    let lines = words.iter().any(|word| word == "export");
    match (asked("json"), asked("ndjson")) {
        (true, _) if !lines => Some(Format::Json),
        (true, _) => Some(Format::Ndjson),
        (_, true) => Some(Format::Ndjson),
        _ => None,
    }
}

/// Shows the request that would have been sent, and what it would change where that is known.
pub(crate) fn dry_run(
    subject: &str,
    differences: &[Difference],
    request: &Preview,
    output: &Output,
) -> Result<(), CliError> {
    if output.format() != Format::Table {
        return output.value(&DryRun { dry_run: true, differences, request });
    }
    if !differences.is_empty() {
        output.differences(&format!("{subject}: would change"), differences)?;
    }
    output.text(&format!("dry run, not sent:\n{request}"))
}

/// One line, with the causes that the message itself does not give.
fn message(error: &CliError) -> String {
    if let Some(withheld) = error.withheld() {
        return withheld.to_string();
    }
    let mut message = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        let text = error.to_string();
        if !message.contains(&text) {
            message = format!("{message}: {text}");
        }
        cause = error.source();
    }
    message
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
    fn of(error: &'a CliError) -> Self {
        let mut failure = Self {
            kind: kind(error),
            message: message(error),
            status: None,
            trace_id: None,
            problem_type: None,
            data: None,
            fields: BTreeMap::new(),
            advice: None,
            exit_code: exit_of(error) as u8,
        };
        if let Some(error) = error.contacts() {
            failure.add(error);
        }
        failure
    }

    fn usage(message: String) -> Self {
        Self {
            kind: "usage",
            message,
            status: None,
            trace_id: None,
            problem_type: None,
            data: None,
            fields: BTreeMap::new(),
            advice: Some("correct"),
            exit_code: usage_exit() as u8,
        }
    }

    fn add(&mut self, error: &'a ContactsError) {
        self.status = error.refusal().map(|refusal| refusal.status.as_u16());
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
            self.problem_type = problem.problem_type.as_deref();
            self.data = Some(&problem.data).filter(|data| !data.is_empty());
            for (field, reasons) in &problem.errors {
                let reasons = reasons.iter().map(String::as_str).collect();
                self.fields.insert(field, reasons);
            }
        }
    }
}

/// The kind of failure, in one word for programs.
fn kind(error: &CliError) -> &'static str {
    match error.withheld() {
        Some(Withheld::ReadOnly(_)) => return "read-only",
        Some(_) => return "not-confirmed",
        None => {}
    }
    match error.contacts() {
        Some(error) if error.is_not_found() => return "not-found",
        Some(ContactsError::Unreadable { .. }) => return "unreadable",
        Some(ContactsError::NotChanged(_)) => return "not-changed",
        _ => {}
    }
    match error.exit() {
        Exit::Done => "done",
        Exit::Local => "local",
        Exit::Usage => "usage",
        Exit::Refused => "refused",
        Exit::Credentials => "credentials",
        Exit::Unreachable => "unreachable",
        Exit::Unknown => "outcome-unknown",
        Exit::Conflict => "conflict",
        Exit::Differs => "differs",
        Exit::Interrupted | Exit::Terminated => "interrupted",
    }
}
