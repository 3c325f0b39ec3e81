//! `crm fleet watch`: how workers get on with a set.

use std::time::Duration;

use clap::Args;
use crm_bulk::visible;
use crm_fleet::{Server, StoredSet};
use tokio::time::sleep;

use super::{server::ServerArg, sets::FleetSet};
use crate::{
    error::CliError,
    exit::Exit,
    output::{Output, count, note},
    signal::until_signal,
    status::{NotAllDone, Status},
};

/// How often it is looked.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Wait until workers have come to an end with a set, and tell how it gets on
///
/// What changes is told on stderr, and the set once it is done on stdout. The exit code is 11, with the
/// reason, if it was held, so that a person has to look at it, or cancelled.
#[derive(Debug, Args)]
pub(crate) struct Watch {
    /// The name of the set on the server
    set: String,

    #[command(flatten)]
    server: ServerArg,
}

impl Watch {
    pub(crate) async fn run(self, output: &Output) -> Result<Status, CliError> {
        let records = output.records::<FleetSet>()?;
        let name = self.set;
        let server = self.server.connect().await?;
        let set = match until_signal(watch(&server, &name)).await? {
            Ok(set) => set,
            Err(signal) => return Ok(Status::Stopped(signal, None)),
        };
        match set.job.as_deref() {
            None => Err(CliError::Usage(format!("{name}: was not submitted"))),
            Some("done") => {
                records.one(&FleetSet::from(set))?;
                Ok(Status::Done)
            }
            Some(job) => {
                let reason = set.job_reason.as_deref().unwrap_or("nobody said why");
                let summary = visible(&format!("{name}: {job}: {reason}")).into_owned();
                Ok(Status::NotAllDone(NotAllDone { outcome: None, summary, exit: Exit::Held }))
            }
        }
    }
}

/// Tells what changes until the set is no longer queued.
async fn watch(server: &Server, name: &str) -> Result<StoredSet, CliError> {
    let mut before = None;
    loop {
        let set = server.set(name).await?;
        if set.job.as_deref() != Some("queued") {
            return Ok(set);
        }
        let now = Some((set.open, set.owner.clone(), set.job_reason.clone()));
        if before != now {
            note(line(&set));
            before = now;
        }
        sleep(LOOK_EVERY).await;
    }
}

fn line(set: &StoredSet) -> String {
    let open = format!("{} of {} open", set.open, count(set.changes, "change"));
    let how = match (&set.owner, &set.job_reason) {
        (Some(owner), _) => format!("applied by {owner}"),
        (None, Some(reason)) => format!("waits: {reason}"),
        (None, None) => "waits for a worker".to_owned(),
    };
    visible(&format!("{}: {open}, {how}", set.name)).into_owned()
}
