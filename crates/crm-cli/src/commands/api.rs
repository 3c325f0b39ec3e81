//! `crm api`: the way out for whatever has no command of its own.

use std::{
    borrow::Cow,
    hash::{DefaultHasher, Hash, Hasher},
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
};

use bytes::Bytes;
use clap::Args;
use crm_contacts::{CallSite, ContactsError, Progress, Stall};
use crm_models::TenantId;
use crm_transport::Request;
use http::Method;
use serde::Deserialize;
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

/// A page of a list or a batch of an export, as far as going on takes.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Part {
    has_more: bool,
    continue_from: Option<String>,
    data: Vec<Box<RawValue>>,
}

impl Api {
    pub(crate) async fn run(self, session: &Session<'_>) -> Result<Status, CliError> {
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
    if session.output.format() == Format::Csv {
        return Err(CliError::Usage("api writes JSON: use --output json or ndjson".to_owned()));
    }
    let mut items = session.output.items();
    let mut page = match parameter(path, "page") {
        Some(page) => page.parse().unwrap_or(1),
        None => 1_u32,
    };
    let (given, mut token) = (parameter(path, "from"), None);
    let mut target = path.to_owned();
    let mut progress = None;
    loop {
        let request = request(Method::GET, &target, Bytes::new())?;
        let site = CallSite::raw(&request);
        let part = session.service.raw_json::<Part>(request).await;
        let part = part.map_err(|error| match error {
            ContactsError::Unreadable { .. } => {
                CliError::Usage(format!("{path} does not answer with a list: leave out --paginate"))
            }
            error => error.into(),
        })?;
        let is_feed = part.continue_from.is_some() || token.is_some();
        let progress = progress
            .get_or_insert_with(|| if is_feed { Progress::of_feed() } else { Progress::of_list() });
        let mut moves = Ok(());
        if part.has_more {
            moves = progress.note(part.data.iter().map(|item| key(item)));
        }
        for item in part.data {
            items.push(&item)?;
        }
        if !part.has_more {
            return Ok(items.finish()?);
        }
        let before = token.as_ref().or(given.as_ref());
        target = match part.continue_from {
            Some(next) if !next.is_empty() && before != Some(&next) => {
                with_parameter(path, "from", token.insert(next))
            }
            None if token.is_none() => {
                page += 1;
                with_parameter(path, "page", &page.to_string())
            }
            _ => {
                moves = Err(Stall::Token);
                target
            }
        };
        if let Err(how) = moves {
            items.interrupt()?;
            let site = Box::new(site);
            return Err(ContactsError::Stalled { site, how }.into());
        }
    }
}

/// A number that tells an item from others.
fn key(item: &RawValue) -> u64 {
    let mut hash = DefaultHasher::new();
    item.get().hash(&mut hash);
    hash.finish()
}

/// The value of this query parameter.
fn parameter(path: &str, name: &str) -> Option<String> {
    let (_, query) = path.split_once('?')?;
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs.find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

/// The path with this query parameter set.
fn with_parameter(path: &str, name: &str, value: &str) -> String {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let others = form_urlencoded::parse(query.as_bytes()).filter(|(known, _)| known != name);
    let mut query = form_urlencoded::Serializer::for_suffix(format!("{path}?"), path.len() + 1);
    query.extend_pairs(others).append_pair(name, value).finish()
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

    #[test]
    fn a_parameter_is_replaced_and_encoded() {
        assert_eq!(with_parameter("/a", "page", "2"), "/a?page=2");
        assert_eq!(with_parameter("/a?page=1&x=y", "page", "2"), "/a?x=y&page=2");
        assert_eq!(with_parameter("/a?x=y", "from", "a+b"), "/a?x=y&from=a%2Bb");
    }

    #[test]
    fn a_parameter_is_found_and_decoded() {
        assert_eq!(parameter("/a?x=y&from=a%2Bb", "from").unwrap(), "a+b");
        assert_eq!(parameter("/a?page=3", "page").unwrap(), "3");
        assert_eq!(parameter("/a?pageSize=3", "page"), None);
        assert_eq!(parameter("/a", "page"), None);
    }
}
