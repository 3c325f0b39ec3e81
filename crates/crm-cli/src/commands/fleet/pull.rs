//! `crm pull`: a set moves from a server into a file.

use std::path::PathBuf;

use clap::Args;
use crm_bulk::visible;
use serde::Serialize;

use super::server::connect;
use crate::{
    error::CliError,
    globals::Format,
    output::{Output, count, crm, quoted},
    signal::until_signal,
    status::Status,
};

/// Move a set from a server into a file
///
/// No worker may be carrying it out. The server keeps the set, to look at, and no worker carries it
/// out any more: a set is in one place at a time. A command that was cut off is run again.
#[derive(Debug, Args)]
pub(crate) struct Pull {
    /// The name of the set on the server
    set: String,

    /// The PostgreSQL server, as postgres://user@host/database (CRM_FLEET_URL: a password in it is
    /// seen by nobody there)
    #[arg(long, value_name = "URL")]
    from: Option<String>,

    /// The file to write, which is not there yet
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// What came of it, for programs.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    set: String,
    digest: String,
    changes: u64,
    open: u64,
}

impl Pull {
    pub(crate) async fn run(self, output: &Output) -> Result<Status, CliError> {
        let pull = async {
            let server = connect(self.from, "--from").await?;
            Ok::<_, CliError>(server.pull(&self.set, &self.out).await?)
        };
        let pulled = match until_signal(pull).await? {
            Ok(pulled) => pulled,
            Err(signal) => return Ok(Status::Stopped(signal, None)),
        };
        let (totals, file) = (pulled.set.totals()?, self.out.display().to_string());
        match output.format() {
            Format::Table => output.text(&format!(
                "{} is in {} now, with {} open; digest {}\nnext: {} show {}",
                visible(&self.set),
                visible(&file),
                count(totals.open(), "change"),
                pulled.digest.short(),
                crm(),
                quoted(&file)
            ))?,
            _ => output.value(&Told {
                set: file,
                digest: pulled.digest.to_string(),
                changes: totals.all(),
                open: totals.open(),
            })?,
        }
        Ok(Status::Done)
    }
}
