//! `crm auth check`: one step after the other, and what to do where one fails.

use std::io;

use bytes::Bytes;
use clap::Subcommand;
use crm_contacts::{Advice, ContactsError, RefusalKind};
use crm_transport::{Call, Effect, TransportError};
use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::api::{full_path, request};
use crate::{
    error::CliError,
    exit::Exit,
    output::{Records, records},
    session::Session,
    status::Status,
};

/// What can be done with credentials.
#[derive(Debug, Subcommand)]
pub(crate) enum Auth {
    /// Check host, credentials, app key and scopes, without changing anything
    Check,
}

/// One step and how it went.
#[derive(Debug, Serialize)]
struct Step {
    check: String,
    ok: bool,
    detail: String,
    advice: Option<String>,
}

records! {
    Step { "check" => "CHECK", "ok" => "OK", "detail" => "WHAT", "advice" => "WHAT TO DO" }
}

/// A cheap read for every scope: it finds little or nothing, but still needs the scope.
const AREAS: [(&str, &str); 4] = [
    ("tn.crm.locations:r", "/locations/contacts?modifiedOnOrAfter=9000-01-01T00:00:00Z&pageSize=1"),
    ("tn.crm.customers:r", "/customers/contacts?modifiedOnOrAfter=9000-01-01T00:00:00Z&pageSize=1"),
    ("tn.crm.contacts:r", "/contacts/preferences"),
    (BOOKINGS, "/bookings/1/contacts?pageSize=1"),
];

/// What these reads answer. Whatever else a server answers does not show that it is the API.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
#[expect(dead_code, reason = "whether they are records is all that counts")]
enum Answer {
    Page { data: Vec<Map<String, Value>> },
    List(Vec<Map<String, Value>>),
}

/// The one area whose read names a record, which need not exist.
const BOOKINGS: &str = "tn.crm.bookings:r";

impl Auth {
    pub(crate) async fn run(self, session: &Session<'_>) -> Result<Status, CliError> {
        let Self::Check = self;
        let mut steps = session.output.records::<Step>()?;
        let (host, tenant) = (&session.host, session.tenant());
        steps.push(&Step::passed("settings", format!("{host}, tenant {tenant}")))?;

        let token = match session.auth.token_info().await {
            Ok(token) => token,
            Err(error) => return Err(stop(steps, Step::token(&error), exit_of(&error))?),
        };
        let seconds = token.expires_in.as_secs();
        let detail = format!("access token granted for {seconds} s");
        steps.push(&Step::passed("credentials", detail))?;

        let mut allowed = 0;
        for (scope, path) in AREAS {
            let mut read = request(Method::GET, &full_path(path, tenant)?, Bytes::new())?;
            let call = Call::new("auth check", Effect::Read);
            read.extensions_mut().insert(call);
            let answer = session.service.raw_json::<Answer>(read).await;
            let (step, exit) = Step::area(scope, answer, token.scopes.as_deref());
            allowed += usize::from(step.ok);
            match exit {
                Some(exit) => return Err(stop(steps, step, exit)?),
                None => steps.push(&step)?,
            }
        }
        if allowed > 0 {
            steps.finish()?;
            return Ok(Status::Done);
        }
        steps.interrupt()?;
        Err(CliError::CheckFailed {
            summary: "the app may not read any area".to_owned(),
            exit: Exit::Credentials,
        })
    }
}

/// Ends the table with a step after which the others would tell nothing new.
fn stop(mut steps: Records<'_, Step>, failed: Step, exit: Exit) -> io::Result<CliError> {
    steps.push(&failed)?;
    steps.interrupt()?;
    let summary = format!("{}: {}", failed.check, failed.detail);
    Ok(CliError::CheckFailed { summary, exit })
}

fn exit_of(error: &TransportError) -> Exit {
    if error.is_credentials() { Exit::Credentials } else { Exit::Unreachable }
}

impl Step {
    fn passed(check: &str, detail: String) -> Self {
        Self { check: check.to_owned(), ok: true, detail, advice: None }
    }

    fn failed(check: &str, detail: String, advice: &str) -> Self {
        Self { check: check.to_owned(), ok: false, detail, advice: Some(advice.to_owned()) }
    }

    /// The step of a token that was not granted.
    fn token(error: &TransportError) -> Self {
        let advice = if error.is_credentials() {
            "check client id, secret and app key; they belong to one application, one tenant and \
             one environment"
        } else {
            "check the network, and the auth URL if one is set; otherwise try later"
        };
        Self::failed("credentials", error.to_string(), advice)
    }

    /// The step of one area, and the exit code if the others would fail alike.
    fn area(
        scope: &str,
        answer: Result<Answer, ContactsError>,
        granted: Option<&[String]>,
    ) -> (Self, Option<Exit>) {
        let error = match answer {
            Ok(_) => return (Self::passed(scope, writing(scope, granted)), None),
            Err(error) if scope == BOOKINGS && is_missing_record(&error) => {
                return (Self::passed(scope, writing(scope, granted)), None);
            }
            Err(error) => error,
        };
        let detail = match error.refusal() {
            Some(refusal) => format!("{}: {}", refusal.status.as_u16(), refusal.problem),
            None => error.to_string(),
        };
        let (advice, exit) = match error.refusal_kind() {
            Some(RefusalKind::Forbidden) => {
                let listed = granted.is_some_and(|scopes| scopes.iter().any(|have| have == scope));
                let advice = if listed {
                    "the scope is granted: check the app key and the tenant id"
                } else {
                    "tick this scope in the app, and have the tenant's administrator accept the \
                     app's new version"
                };
                (advice, None)
            }
            Some(RefusalKind::Unauthorized) => {
                ("check that API URL and auth URL belong together", Some(Exit::Credentials))
            }
            Some(_) if error.advice() == Advice::Later => ("try later", Some(Exit::Unreachable)),
            None if matches!(error, ContactsError::Transport { .. }) => {
                ("check the network and the API URL", Some(Exit::Unreachable))
            }
            // A server answers, but not as this API does.
            _ => ("check the API URL; if it is right, tenant id and app key", None),
        };
        (Self::failed(scope, detail, advice), exit)
    }
}

/// Whether the API itself says that there is no such record: a host that is not the API answers
/// 404 too, with a page or with nothing.
fn is_missing_record(error: &ContactsError) -> bool {
    error.is_not_found()
        && error.refusal().is_some_and(|refusal| {
            let problem = &refusal.problem;
            problem.problem_type.is_some() || problem.trace_id.is_some()
        })
}

/// Whether the area may be written too; writing is not tried.
fn writing(scope: &str, granted: Option<&[String]>) -> String {
    let write = scope.replace(":r", ":w");
    match granted {
        None => "may read; the token does not list its scopes".to_owned(),
        Some(scopes) if scopes.contains(&write) => "may read and write".to_owned(),
        Some(_) => "may read, not write".to_owned(),
    }
}
