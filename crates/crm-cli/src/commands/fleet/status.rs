//! `crm fleet status`: how much there is to do on a server, and what is paused.

use clap::Args;
use crm_bulk::visible;
use crm_fleet::{DeskWorkload, Home, Pause, Tenants};
use jiff::Timestamp;
use serde::Serialize;

use super::server::ServerArg;
use crate::{
    error::CliError,
    globals::Format,
    output::{Output, count},
    status::Status,
};

/// Tell how much workers have to do on a server, and what is paused
#[derive(Debug, Args)]
pub(crate) struct StatusCommand {
    #[command(flatten)]
    server: ServerArg,
}

/// The answer, for programs.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Told<'a> {
    server: &'a str,
    queued: u64,
    applying: u64,
    held: u64,
    at_desks: ToldAtDesks,
    homes: Vec<ToldHome>,
    pauses: Vec<ToldPause>,
}

/// The jobs that need a desk.
#[derive(Serialize)]
struct ToldAtDesks {
    queued: u64,
    running: u64,
    held: u64,
}

/// A volume on which desks lie.
#[derive(Serialize)]
struct ToldHome {
    home: String,
    tenants: u64,
    workers: u64,
    queued: u64,
}

#[derive(Serialize)]
struct ToldPause {
    /// None: all tenants.
    tenant: Option<i64>,
    by: String,
    reason: Option<String>,
    since: Option<String>,
}

impl StatusCommand {
    pub(crate) async fn run(self, output: &Output) -> Result<Status, CliError> {
        let server = self.server.connect().await?;
        let (workload, pauses) = (server.workload().await?, server.pauses().await?);
        let homes = server.homes().await?;
        let pauses: Vec<_> = pauses.into_iter().map(ToldPause::from).collect();
        let (queued, applying, held) = (workload.queued, workload.applying, workload.held);
        if output.format() != Format::Table {
            let server = server.name();
            let at_desks = ToldAtDesks::from(workload.at_desks);
            let homes = homes.into_iter().map(ToldHome::from).collect();
            output.value(&Told { server, queued, applying, held, at_desks, homes, pauses })?;
            return Ok(Status::Done);
        }
        let sets = count(queued, "set");
        output.text(&format!(
            "{}: {sets} queued, {applying} being applied, {held} held",
            server.name()
        ))?;
        if !homes.is_empty() {
            let DeskWorkload { queued, running, held, .. } = workload.at_desks;
            let jobs = count(queued, "job");
            output.text(&format!("at desks: {jobs} queued, {running} being done, {held} held"))?;
        }
        for Home { name, queued, .. } in homes.iter().filter(|home| home.is_missed()) {
            let (jobs, verb) = (count(*queued, "job"), if *queued == 1 { "waits" } else { "wait" });
            output.text(&visible(&format!(
                "{jobs} {verb} for the home {name}, which no worker has"
            )))?;
        }
        for pause in pauses {
            output.text(&pause.line())?;
        }
        Ok(Status::Done)
    }
}

impl From<DeskWorkload> for ToldAtDesks {
    fn from(DeskWorkload { queued, running, held, .. }: DeskWorkload) -> Self {
        Self { queued, running, held }
    }
}

impl From<Home> for ToldHome {
    fn from(Home { name, tenants, workers, queued, .. }: Home) -> Self {
        Self { home: name, tenants, workers, queued }
    }
}

impl ToldPause {
    fn line(&self) -> String {
        let whose = match self.tenant {
            Some(tenant) => format!("tenant {tenant}"),
            None => "all tenants".to_owned(),
        };
        let reason = self.reason.as_ref().map_or_else(String::new, |why| format!(": {why}"));
        let since = self.since.as_deref().unwrap_or("a time that cannot be told");
        visible(&format!("paused since {since}: {whose}, by {}{reason}", self.by)).into_owned()
    }
}

impl From<Pause> for ToldPause {
    fn from(pause: Pause) -> Self {
        Self {
            tenant: match pause.tenants {
                Tenants::One(tenant) => Some(tenant.get()),
                Tenants::All => None,
            },
            by: pause.by,
            reason: pause.reason,
            since: Timestamp::try_from(pause.since).ok().map(|at| at.to_string()),
        }
    }
}
