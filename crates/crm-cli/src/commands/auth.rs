//! `crm auth check`: one step after the other, and what to do where one fails.

use std::io;

use clap::Subcommand;
use crm_contacts::{Advice, Area, ContactsError, RefusalKind};
use crm_transport::TransportError;
use serde::Serialize;

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
        for area in Area::ALL {
            let read = session.service.check_access(area).await;
            let (step, exit) = Step::area(area, read, token.scopes.as_deref());
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
        area: Area,
        read: Result<(), ContactsError>,
        granted: Option<&[String]>,
    ) -> (Self, Option<Exit>) {
        let scope = area.read_scope();
        let Err(error) = read else {
            return (Self::passed(scope, writing(area, granted)), None);
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

/// Whether the area may be written too; writing is not tried.
fn writing(area: Area, granted: Option<&[String]>) -> String {
    match granted {
        None => "may read; the token does not list its scopes".to_owned(),
        Some(scopes) if scopes.iter().any(|scope| scope == area.write_scope()) => {
            "may read and write".to_owned()
        }
        Some(_) => "may read, not write".to_owned(),
    }
}
