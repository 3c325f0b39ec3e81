//! `crm fleet desk`: jobs that need the desk of an account.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    time::SystemTime,
};

use clap::{Args, Subcommand};
use crm_bulk::system_user;
use crm_fleet::{DeskJob, DeskJobId, DeskTask, Rows};
use jiff::Timestamp;
use serde::Serialize;

use super::server::ServerArg;
use crate::{
    error::CliError,
    globals::Globals,
    output::{Output, records},
    session,
    status::Status,
};

/// How many bytes of rows a job takes: they stand in one row of a table until they are planned.
const MOST_BYTES: u64 = 64 << 20;

/// What can be asked of desks.
#[derive(Debug, Subcommand)]
pub(crate) enum DeskCommand {
    /// Have the account's mirror brought up to date: `crm mirror update`
    Mirror {
        #[command(flatten)]
        server: ServerArg,
    },

    /// Have the wishes of the account's consent ledger carried out: `crm consent run --yes`
    Consent {
        #[command(flatten)]
        server: ServerArg,
    },

    Plan(PlanRows),

    /// List the jobs that need a desk: queued, running, done, held (a person has to look at it: WHY says
    /// what for) or cancelled
    List {
        #[command(flatten)]
        server: ServerArg,
    },

    /// Have no worker do a job; one that is being done is asked to end
    Cancel {
        /// The number of the job
        id: i64,

        #[command(flatten)]
        server: ServerArg,
    },
}

/// Have rows planned in the account's desk, and the set moved to the server: `crm plan - --push NAME`
///
/// The rows are kept on the server until they are planned, and no longer. Nothing is sent: `crm fleet
/// submit NAME` has the set carried out.
#[derive(Debug, Args)]
pub(crate) struct PlanRows {
    /// CSV, or NDJSON if the name ends in .ndjson or .jsonl; - for CSV on stdin
    input: PathBuf,

    /// The name of the set on the server, if not that of the file
    #[arg(long, value_name = "NAME", required_if_eq("input", "-"))]
    name: Option<String>,

    /// A row without contact_id changes every contact that has its value
    #[arg(long)]
    select_by_value: bool,

    /// Leave wrong rows out instead of planning nothing
    #[arg(long)]
    skip_invalid: bool,

    #[command(flatten)]
    server: ServerArg,
}

/// A job as lists show it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FleetDeskJob {
    id: String,
    tenant: i64,
    host: String,
    home: Option<String>,
    task: String,
    set: Option<String>,
    job: String,
    job_reason: Option<String>,
    summary: Option<String>,
    submitted_at: Option<String>,
    began_at: Option<String>,
    ended_at: Option<String>,
}

records! {
    FleetDeskJob {
        "id" => "ID", "tenant" => "TENANT", "host", "home" => "HOME", "task" => "TASK",
        "set" => "SET", "job" => "JOB", "jobReason" => "WHY", "summary" => "LAST", "submittedAt",
        "beganAt", "endedAt" => "ENDED",
    }
}

impl DeskCommand {
    pub(crate) async fn run(self, globals: &Globals, output: &Output) -> Result<Status, CliError> {
        match self {
            Self::Mirror { server } => submit(globals, output, server, &DeskTask::Mirror).await,
            Self::Consent { server } => submit(globals, output, server, &DeskTask::Consent).await,
            Self::Plan(plan) => {
                let task = DeskTask::Plan(plan.rows()?);
                submit(globals, output, plan.server, &task).await
            }
            Self::List { server } => {
                let records = output.records::<FleetDeskJob>()?;
                let jobs = server.connect().await?.desk_jobs().await?;
                records.all(jobs.into_iter().map(FleetDeskJob::from))?;
                Ok(Status::Done)
            }
            Self::Cancel { id, server } => {
                let server = server.connect().await?;
                if !server.cancel_at_desk(DeskJobId::new(id), &system_user()).await? {
                    return Err(CliError::Usage(format!(
                        "job {id}: there is none that waits or is being done; `crm fleet desk list` \
                         lists them"
                    )));
                }
                output.done("cancelled", &format!("job {id}"))?;
                Ok(Status::Done)
            }
        }
    }
}

async fn submit(
    globals: &Globals,
    output: &Output,
    server: ServerArg,
    task: &DeskTask,
) -> Result<Status, CliError> {
    let site = session::site(globals)?;
    let server = server.connect().await?;
    let id = server.submit_to_desk(&site, task, &system_user()).await?;
    let (task, tenant) = (task.as_str(), site.tenant());
    output.done("submitted", &format!("job {id}: {task} for tenant {tenant}"))?;
    Ok(Status::Done)
}

impl PlanRows {
    fn rows(&self) -> Result<Rows, CliError> {
        let path = &self.input;
        let stem = || path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let name = self.name.clone().unwrap_or_else(stem);
        let text = read(path)?;
        let extension = path.extension().and_then(|extension| extension.to_str());
        let is_ndjson = matches!(extension, Some("ndjson" | "jsonl"));
        let mut rows = if is_ndjson { Rows::ndjson(name, text) } else { Rows::csv(name, text) };
        if self.select_by_value {
            rows = rows.select_by_value();
        }
        if self.skip_invalid {
            rows = rows.skip_invalid();
        }
        Ok(rows)
    }
}

/// Reads the rows, up to what a job takes.
fn read(path: &Path) -> Result<Vec<u8>, CliError> {
    let mut text = Vec::new();
    let most = MOST_BYTES + 1;
    let read = match path.to_str() {
        Some("-") => io::stdin().lock().take(most).read_to_end(&mut text),
        _ => File::open(path).and_then(|file| file.take(most).read_to_end(&mut text)),
    };
    let read = read.map_err(CliError::unread(path))?;
    if read as u64 > MOST_BYTES {
        let mib = MOST_BYTES >> 20;
        return Err(CliError::Usage(format!(
            "{}: has more than {mib} MiB, which is what a job takes: plan it where the desk is, with \
             `crm plan {} --push NAME`",
            path.display(),
            path.display()
        )));
    }
    Ok(text)
}

impl From<DeskJob> for FleetDeskJob {
    fn from(job: DeskJob) -> Self {
        let moment = |at: SystemTime| Timestamp::try_from(at).ok().map(|at| at.to_string());
        Self {
            id: job.id.to_string(),
            tenant: job.site.tenant().get(),
            host: job.site.environment().to_owned(),
            home: job.home,
            task: job.task,
            set: job.set,
            job: if job.began_at.is_some() { "running".to_owned() } else { job.state },
            job_reason: job.reason,
            summary: job.summary,
            submitted_at: moment(job.submitted_at),
            began_at: job.began_at.and_then(moment),
            ended_at: job.ended_at.and_then(moment),
        }
    }
}
