//! `crm push`: a set moves from its file to a server.

use std::path::PathBuf;

use clap::Args;
use crm_bulk::{ChangeSet, visible};
use serde::Serialize;

use super::server::connect;
use crate::{
    error::CliError,
    globals::Format,
    output::{Output, count, note},
    signal::until_signal,
    status::Status,
};

/// Move a set to a server, where workers carry it out
///
/// The file remains, to look at, and is not applied any more: a set is in one place at a time. `crm
/// pull` moves it back. A command that was cut off is run again.
#[derive(Debug, Args)]
pub(crate) struct Push {
    /// The change set: a file, or the name of one of the desk
    pub(crate) set: PathBuf,

    /// The PostgreSQL server, as postgres://user@host/database (CRM_FLEET_URL: a password in it is
    /// seen by nobody there)
    #[arg(long, value_name = "URL")]
    to: Option<String>,

    /// The name of the set on the server, if not that of its file
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
}

/// What came of it, for programs.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Told<'a> {
    server: &'a str,
    set: &'a str,
    digest: Option<String>,
    changes: u64,
    open: u64,
}

impl Push {
    pub(crate) async fn run(self, output: &Output) -> Result<Status, CliError> {
        let set = ChangeSet::open(&self.set)?;
        let stem = || self.set.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let name = self.name.clone().unwrap_or_else(stem);
        let push = async {
            let server = connect(self.to, "--to").await?;
            let pushed = server.push(set, &name).await?;
            Ok::<_, CliError>((server, pushed))
        };
        let (server, pushed) = match until_signal(push).await? {
            Ok(pushed) => pushed,
            Err(signal) => return Ok(Status::Stopped(signal, None)),
        };
        let set = &pushed.set;
        if pushed.was_there {
            note("it had arrived there before");
        }
        match output.format() {
            Format::Table => output.text(&format!(
                "{} is on {} now, with {} open; digest {}",
                visible(&set.name),
                server.name(),
                count(set.open, "change"),
                set.digest.map(|digest| digest.short()).unwrap_or_default()
            ))?,
            _ => output.value(&Told {
                server: server.name(),
                set: &set.name,
                digest: set.digest.map(|digest| digest.to_string()),
                changes: set.changes,
                open: set.open,
            })?,
        }
        Ok(Status::Done)
    }
}
