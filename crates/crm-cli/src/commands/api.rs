//! `crm api`: the way out for whatever has no command of its own.

use std::{
    borrow::Cow,
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
    pin::pin,
};

use bytes::Bytes;
use clap::Args;
use crm_contacts::{ContactsError, InvalidPath};
use crm_transport::Request;
use futures_util::TryStreamExt;
use http::{Method, Uri};
use serde_json::value::RawValue;

use super::{file_arg, ledger};
use crate::{
    error::CliError,
    globals::Format,
    output::{escaped, lines, note},
    session::Session,
    status::Status,
};

/// Call any operation of the API by method and path
///
/// A call of your own, with the credentials, limits and errors of all other commands. A write does not
/// ask the consent ledger: it can turn marketing on against a wish.
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
        let invalid = |error: InvalidPath| CliError::Usage(error.to_string());
        let address = session.service.address(&self.path).map_err(invalid)?;
        if self.paginate {
            if self.method != Method::GET {
                return Err(CliError::Usage(format!(
                    "--paginate reads with GET, not {}; nothing was sent",
                    self.method
                )));
            }
            paginate(session, address).await?;
            return Ok(Status::Done);
        }
        let body = self.body.as_deref().map(read_json).transpose()?;
        if self.method != Method::GET && ledger::is_there(session)? {
            note("what `crm api` sends is not held against the wishes of the consent ledger");
        }
        let mut request = Request::new(body.unwrap_or_default());
        (*request.method_mut(), *request.uri_mut()) = (self.method, address);
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

fn read_json(file: &Path) -> Result<Bytes, CliError> {
    let body = file_arg::read(file)?;
    match serde_json::from_slice::<&RawValue>(&body) {
        Ok(_) => Ok(body.into()),
        Err(error) => Err(CliError::Usage(format!("{} is not JSON: {error}", file.display()))),
    }
}

/// Writes the items of all pages: one a line, or as one array.
async fn paginate(session: &Session<'_>, from: Uri) -> Result<(), CliError> {
    let path = from.to_string();
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
