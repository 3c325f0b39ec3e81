//! `crm push`: a set moves from its file to a server.

use std::path::{Path, PathBuf};

use clap::Args;
use crm_bulk::{ChangeSet, visible};
use crm_fleet::{FleetError, Place, Server, StoredSet};
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

/// Where a set goes as soon as it is planned.
#[derive(Debug, Args)]
pub(in crate::commands) struct PushArgs {
    /// Move the set to a server under this name at once, as `crm push` does
    #[arg(long, value_name = "NAME", conflicts_with = "template")]
    push: Option<String>,

    /// The PostgreSQL server for it, as postgres://user@host/database (CRM_FLEET_URL: a password in it
    /// is seen by nobody there)
    #[arg(long, value_name = "URL", requires = "push")]
    to: Option<String>,
}

/// The server to which a set goes, and its name there.
pub(in crate::commands) struct Destination<'a> {
    server: Server,
    name: &'a str,
}

impl PushArgs {
    /// Connects to the server, and looks whether the name is free there, before anything is planned.
    pub(in crate::commands) async fn destination(
        &self,
    ) -> Result<Option<Destination<'_>>, CliError> {
        let Some(name) = self.push.as_deref() else {
            return Ok(None);
        };
        let server = connect(self.to.clone(), "--to").await?;
        match server.set(name).await {
            Ok(set) if !matches!(set.place, Place::Gone(_)) => {
                let (server, name) = (server.name().to_owned(), name.to_owned());
                Err(FleetError::NameTaken { server, name }.into())
            }
            Ok(_) | Err(FleetError::NoSuchSet { .. }) => Ok(Some(Destination { server, name })),
            Err(error) => Err(error.into()),
        }
    }
}

impl Destination<'_> {
    /// Moves a set there.
    pub(in crate::commands) async fn push(&self, set: &Path) -> Result<StoredSet, CliError> {
        Ok(self.server.push(ChangeSet::open(set)?, self.name).await?.set)
    }

    /// The server, for people.
    pub(in crate::commands) fn server(&self) -> &str {
        self.server.name()
    }
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
