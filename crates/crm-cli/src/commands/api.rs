//! `crm api`: the way out for whatever has no command of its own.

use std::{
    borrow::Cow,
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
    pin::pin,
};

use bytes::Bytes;
use clap::Args;
use crm_contacts::ContactsError;
use crm_models::TenantId;
use crm_transport::Request;
use futures_util::TryStreamExt;
use http::Method;
use serde_json::value::RawValue;

use super::file_arg;
use crate::{
    error::CliError,
    globals::Format,
    output::{escaped, lines},
    session::Session,
    status::Status,
};

/// Call any operation of the API by method and path
///
/// A call of your own, with the credentials, limits and errors of all other commands.
#[derive(Debug, Args)]
pub(crate) struct Api {
    /// GET, POST, PUT, PATCH or DELETE
    #[arg(value_parser = method)]
    method: Method,

    /// The path, from the tenant on (/locations/1/contacts) or whole, where {tenant} is filled in
    path: String,

    /// A file with the JSON to send; - is stdin
    #[arg(long, value_name = "FILE")]
    body: Option<PathBuf>,

    /// Go through all pages of a list or all batches of an export, and write the items
    #[arg(long, conflicts_with = "body")]
    paginate: bool,
}

impl Api {
    pub(crate) async fn run(self, session: &Session<'_>) -> Result<Status, CliError> {
        let answer = "answers come back as JSON or as the service wrote them";
        session.output.is_one_of(&[Format::Json, Format::Ndjson], answer)?;
        let path = full_path(&self.path, session.tenant())?;
        if self.paginate {
            if self.method != Method::GET {
                return Err(CliError::Usage(format!(
                    "--paginate reads with GET, not {}; nothing was sent",
                    self.method
                )));
            }
            paginate(session, &path).await?;
            return Ok(Status::Done);
        }
        let body = self.body.as_deref().map(read_json).transpose()?;
        let request = request(self.method, &path, body.unwrap_or_default())?;
        let response = session.service.raw(request).await?;
        let body = shown(response.body());
        let mut out = io::stdout().lock();
        out.write_all(&body)?;
        if !body.is_empty() && !body.ends_with(b"\n") {
            out.write_all(b"\n")?;
        }
        out.flush()?;
        Ok(Status::Done)
    }
}

/// An answer as it came: JSON with its unseen characters escaped; anything else raw for a program
/// and visible for a person.
fn shown(body: &[u8]) -> Cow<'_, [u8]> {
    let text = match str::from_utf8(body) {
        Ok(text) if serde_json::from_str::<&RawValue>(text).is_ok() => escaped(text).into_owned(),
        _ if io::stdout().is_terminal() => lines(&String::from_utf8_lossy(body)),
        _ => return body.into(),
    };
    text.into_bytes().into()
}

fn method(text: &str) -> Result<Method, String> {
    let known = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
    let found = known.into_iter().find(|method| method.as_str().eq_ignore_ascii_case(text));
    found.ok_or_else(|| "it is one of GET, POST, PUT, PATCH, DELETE".to_owned())
}

/// Path and query only: credentials go to the configured host and nowhere else.
pub(super) fn full_path(path: &str, tenant: TenantId) -> Result<String, CliError> {
    if !path.starts_with('/') || path.starts_with("//") {
        return Err(CliError::Usage(format!(
            "`{path}` is not a path: it starts with one /, and the host comes from the settings"
        )));
    }
    let path = path.replace("{tenant}", &tenant.to_string());
    let whole = path.split('?').next().is_some_and(|path| path.contains("/tenant/"));
    Ok(if whole { path } else { format!("/crm/v2/tenant/{tenant}{path}") })
}

fn read_json(file: &Path) -> Result<Bytes, CliError> {
    let body = file_arg::read(file)?;
    match serde_json::from_slice::<&RawValue>(&body) {
        Ok(_) => Ok(body.into()),
        Err(error) => Err(CliError::Usage(format!("{} is not JSON: {error}", file.display()))),
    }
}

/// The request of one call.
pub(super) fn request(method: Method, path: &str, body: Bytes) -> Result<Request, CliError> {
    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = path
        .parse()
        .map_err(|error| CliError::Usage(format!("`{path}` cannot be sent: {error}")))?;
    Ok(request)
}

/// Writes the items of all pages: one a line, or as one array.
async fn paginate(session: &Session<'_>, path: &str) -> Result<(), CliError> {
    let from = request(Method::GET, path, Bytes::new())?.uri().clone();
    let mut pages = pin!(session.service.raw_pages(from));
    let mut items = session.output.items();
    loop {
        match pages.try_next().await {
            Ok(Some(page)) => page.iter().try_for_each(|item| items.push(item))?,
            Ok(None) => return Ok(items.finish()?),
            Err(error) => {
                items.interrupt()?;
                return Err(match error {
                    ContactsError::Unreadable { .. } => CliError::Usage(format!(
                        "{path} does not answer with a list: leave out --paginate"
                    )),
                    error => error.into(),
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_starts_at_the_tenant_or_at_the_root() {
        let full = |path| full_path(path, TenantId::new(7).unwrap()).unwrap();
        assert_eq!(full("/locations/1/contacts"), "/crm/v2/tenant/7/locations/1/contacts");
        assert_eq!(full("/jpm/v2/tenant/{tenant}/jobs"), "/jpm/v2/tenant/7/jobs");
        assert_eq!(full("/a?b=/tenant/"), "/crm/v2/tenant/7/a?b=/tenant/");
    }

    #[test]
    fn credentials_cannot_be_sent_to_another_host() {
        for path in ["https://evil.example/x", "//evil.example/x", "evil.example/x", ""] {
            assert!(full_path(path, TenantId::new(7).unwrap()).is_err(), "{path}");
        }
    }
}
