//! `crm fleet sets`: the sets on a server.

use clap::Args;
use crm_fleet::{Place, StoredSet};
use jiff::Timestamp;
use serde::Serialize;

use super::server::ServerArg;
use crate::{
    error::CliError,
    output::{Output, records},
    status::Status,
};

/// List the change sets on a server
///
/// A set that was submitted is queued, done, held (a person has to look at it: WHY says what for) or
/// cancelled.
#[derive(Debug, Args)]
pub(crate) struct Sets {
    #[command(flatten)]
    server: ServerArg,
}

/// A set on a server as lists show it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FleetSet {
    id: String,
    name: String,
    tenant: i64,
    host: String,
    place: String,
    job: Option<String>,
    job_reason: Option<String>,
    owner: Option<String>,
    changes: u64,
    open: u64,
    digest: Option<String>,
    arrived_at: Option<String>,
}

records! {
    FleetSet {
        "id" => "ID", "name" => "NAME", "tenant" => "TENANT", "host", "place" => "PLACE",
        "job" => "JOB", "jobReason" => "WHY", "owner" => "APPLIED BY", "changes" => "CHANGES",
        "open" => "OPEN", "digest", "arrivedAt",
    }
}

impl Sets {
    pub(crate) async fn run(self, output: &Output) -> Result<Status, CliError> {
        let records = output.records::<FleetSet>()?;
        let server = self.server.connect().await?;
        records.all(server.sets().await?.into_iter().map(FleetSet::from))?;
        Ok(Status::Done)
    }
}

impl From<StoredSet> for FleetSet {
    fn from(set: StoredSet) -> Self {
        let arrived_at = Timestamp::try_from(set.arrived_at).ok();
        Self {
            id: set.id.to_string(),
            tenant: set.site.tenant().get(),
            host: set.site.environment().to_owned(),
            place: match set.place {
                Place::Gone(file) => format!("pulled to {file}"),
                Place::Leaving => "leaving".to_owned(),
                _ => "here".to_owned(),
            },
            name: set.name,
            job: set.job,
            job_reason: set.job_reason,
            owner: set.owner,
            changes: set.changes,
            open: set.open,
            digest: set.digest.map(|digest| digest.to_string()),
            arrived_at: arrived_at.map(|at| at.to_string()),
        }
    }
}
