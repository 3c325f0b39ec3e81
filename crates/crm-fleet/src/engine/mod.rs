//! The job engine, which hands a job to one worker at a time as well as it can.
//!
//! It is PostgreSQL's `SKIP LOCKED` and `LISTEN` through `graphile_worker`, behind a trait of ours. A
//! worker that was paused may run a job that another has by now: that nothing is sent twice is the
//! matter of the set's fence, not of the engine.

mod driver;

use std::{
    collections::HashSet,
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use futures_util::{FutureExt, future::BoxFuture};
use graphile_worker::{
    Database, DbExecutor as _, DbValue, IntoTaskHandlerResult, JobSpecBuilder, RawJobSpec,
    TaskHandler, WorkerContext, WorkerOptions, WorkerUtils, tokio_postgres::TokioPostgresDatabase,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::{OnceCell, watch};
use tracing::{Instrument, Span};

use self::driver::Driver;
use crate::{desk::DeskJobId, error::FleetError, server::Address, sets::SetId};

/// A job for the engine.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    pub(crate) work: Work,
    /// Of the jobs of one queue one at a time is carried out.
    pub(crate) queue: String,
    /// The lower, the earlier.
    pub(crate) priority: i16,
    /// It is not begun before.
    pub(crate) after: Duration,
}

/// What is to be done.
#[derive(Debug, Clone)]
pub(crate) enum Work {
    /// To carry out this set, wherever.
    Apply(SetId),
    /// To do this in a tenant's desk, where its home volume is.
    Desk { job: DeskJobId, home: String },
}

impl Work {
    /// By which the engine knows two jobs for the same.
    fn key(&self) -> String {
        match self {
            Self::Apply(SetId(set)) => format!("apply {set}"),
            Self::Desk { job: DeskJobId(job), .. } => format!("desk {job}"),
        }
    }
}

/// Whoever carries jobs out. A failure is one of the server: the engine tries again.
#[async_trait]
pub(crate) trait Hands: fmt::Debug + Send + Sync {
    /// The names of the home volumes that are at hand.
    fn homes(&self) -> Vec<String>;

    async fn carry_out(&self, set: SetId) -> Result<(), FleetError>;

    async fn run_at_desk(&self, job: DeskJobId) -> Result<(), FleetError>;
}

/// What a job engine has to do.
#[async_trait]
pub(crate) trait Engine: Send + Sync {
    /// Makes the engine's tables, unless they are there.
    async fn ready(&self) -> Result<(), FleetError>;

    /// Adds a job, in the place of one for the same that waits.
    async fn add(&self, job: Job) -> Result<(), FleetError>;

    /// Adds these, [`AT_ONCE`] in a statement, and tells the workers once for each statement.
    async fn add_all(&self, jobs: Vec<Job>) -> Result<(), FleetError>;

    /// Adds those of these that it has not, or has put off since they failed.
    async fn add_missing(&self, jobs: Vec<Job>) -> Result<(), FleetError>;

    /// Completes once PostgreSQL failed an engine that [runs](Self::run): it hands out no more jobs. It is to
    /// stop then, and what is in flight as well, so that a new one can begin.
    fn failed(&self) -> BoxFuture<'static, ()>;

    /// Hands jobs to these hands, so many at once, until this completes; what is in flight then has the
    /// grace. Jobs of a desk are handed only to who has its volume.
    async fn run(
        &self,
        hands: Arc<dyn Hands>,
        at_once: usize,
        stop: BoxFuture<'static, ()>,
        grace: Duration,
    ) -> Result<(), FleetError>;
}

/// The schema in which the engine has its tables.
const SCHEMA: &str = "crm_jobs";

/// Which of these keys have no job that a worker has or that will be begun. One that failed is put off by the
/// engine, for hours in the end.
const WITHOUT_JOB: &str = "SELECT wanted.key FROM unnest($1::text[]) AS wanted (key)
    WHERE NOT EXISTS (SELECT 1 FROM crm_jobs.jobs
        WHERE jobs.key = wanted.key AND jobs.attempts < jobs.max_attempts
            AND (jobs.attempts = 0 OR jobs.locked_at IS NOT NULL))";
/// Takes a job that is done out of the engine and opens its queue, if the job is still the one that this
/// worker (`$2`) was handed then (`$3`).
const COMPLETE: &str = "WITH done AS (
        DELETE FROM crm_jobs._private_jobs
        WHERE id = $1 AND locked_by = $2 AND locked_at = $3
        RETURNING job_queue_id)
    UPDATE crm_jobs._private_job_queues AS queues SET locked_at = NULL, locked_by = NULL
    FROM done WHERE queues.id = job_queue_id AND locked_by = $2";
/// How many jobs are added in one transaction: it holds a lock for each, of which PostgreSQL has 6,400 as it
/// is delivered.
pub(crate) const AT_ONCE: usize = 200;
/// How many connections it has, and one more that listens.
const CONNECTIONS: usize = 1;
/// A worker that shows no sign of life for so long is given up: a dead one's job runs elsewhere then.
const GIVEN_UP_AFTER: Duration = Duration::from_secs(8);
const HEARTBEAT: Duration = Duration::from_secs(2);
/// How often it is asked for jobs without being told that there is one. What tells it looks each second.
const UNTOLD: Duration = Duration::from_secs(60);

/// `graphile_worker` on the server of the sets.
pub(crate) struct Graphile {
    database: TokioPostgresDatabase,
    address: Address,
    server: String,
    is_ready: OnceCell<()>,
    /// Why it failed while it ran.
    failure: watch::Sender<Option<String>>,
}

impl Graphile {
    /// `server` is its name for people.
    pub(crate) fn new(address: &Address, server: &str) -> Result<Self, FleetError> {
        let server = server.to_owned();
        match address.pool(CONNECTIONS).build() {
            Ok(pool) => Ok(Self {
                database: TokioPostgresDatabase::new(pool),
                address: address.clone(),
                server,
                is_ready: OnceCell::new(),
                failure: watch::Sender::new(None),
            }),
            Err(error) => Err(FleetError::Server { server, reason: error.to_string() }),
        }
    }

    fn error(&self, error: &impl fmt::Display) -> FleetError {
        FleetError::Server { server: self.server.clone(), reason: error.to_string() }
    }

    fn utils(&self) -> WorkerUtils {
        WorkerUtils::new(self.database.clone(), SCHEMA)
    }
}

/// A job as the engine takes it.
fn spec_of(job: Job) -> RawJobSpec {
    let Job { work, queue, priority, after } = job;
    let mut spec = JobSpecBuilder::new().queue_name(queue).priority(priority).job_key(work.key());
    if !after.is_zero() {
        spec = spec.run_at(SystemTime::now() + after);
    }
    let (identifier, payload, spec) = match work {
        Work::Apply(SetId(set)) => (ApplySet::IDENTIFIER, json!(ApplySet { set }), spec),
        Work::Desk { job: DeskJobId(job), home } => {
            (RunAtDesk::IDENTIFIER, json!(RunAtDesk { job }), spec.flags(vec![flag(&home)]))
        }
    };
    RawJobSpec { identifier: identifier.to_owned(), payload, spec: spec.build() }
}

/// What the engine keeps of a job that carries out a set.
#[derive(Serialize, Deserialize)]
struct ApplySet {
    set: i64,
}

/// What it keeps of one that needs a desk.
#[derive(Serialize, Deserialize)]
struct RunAtDesk {
    job: i64,
}

/// The mark of a job that only those are handed who have this volume.
fn flag(home: &str) -> String {
    format!("home:{home}")
}

/// The hands, as the engine passes them on.
#[derive(Debug, Clone)]
struct TheseHands(Arc<dyn Hands>);

/// Whoever carries this job out, and the span in which it is done.
fn hands(context: &WorkerContext) -> Result<(Arc<dyn Hands>, Span), String> {
    let hands = context.get_ext::<TheseHands>().map(|hands| Arc::clone(&hands.0));
    let hands = hands.ok_or_else(|| "no hands".to_owned())?;
    Ok((hands, tracing::info_span!("job", job = context.job().id())))
}

/// Ends a job in the engine's tables; what this returns is for the engine, which ends it once more.
///
/// The engine deletes the job of a success by its number, whoever has it by now. Another worker has it if this
/// one stood still for so long that it was given up. The queue would stay closed when that one is done, and if
/// it died, nobody would know what it had. Of a failure the engine asks whose the job is.
async fn complete(context: &WorkerContext, ended: Result<(), FleetError>) -> Result<(), String> {
    ended.map_err(|error| error.to_string())?;
    let job = context.job();
    let values = vec![
        DbValue::I64(*job.id()),
        DbValue::Text(context.worker_id().to_owned()),
        DbValue::TimestampTzOpt(*job.locked_at()),
    ];
    match context.database().execute(COMPLETE, values.into()).await {
        Ok(0) => Err("another worker has its job by now".to_owned()),
        Ok(_) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

impl TaskHandler for ApplySet {
    const IDENTIFIER: &'static str = "apply_set";

    async fn run(self, context: WorkerContext) -> impl IntoTaskHandlerResult {
        let (hands, span) = hands(&context)?;
        let carried_out = hands.carry_out(SetId(self.set)).instrument(span).await;
        complete(&context, carried_out).await
    }
}

impl TaskHandler for RunAtDesk {
    const IDENTIFIER: &'static str = "run_at_desk";

    async fn run(self, context: WorkerContext) -> impl IntoTaskHandlerResult {
        let (hands, span) = hands(&context)?;
        let ran = hands.run_at_desk(DeskJobId(self.job)).instrument(span).await;
        complete(&context, ran).await
    }
}

#[async_trait]
impl Engine for Graphile {
    async fn ready(&self) -> Result<(), FleetError> {
        let ready = async || self.utils().migrate().await.map_err(|error| self.error(&error));
        self.is_ready.get_or_try_init(ready).await.copied()
    }

    async fn add(&self, job: Job) -> Result<(), FleetError> {
        self.ready().await?;
        let RawJobSpec { identifier, payload, spec } = spec_of(job);
        let added = self.utils().add_raw_job(&identifier, payload, spec).await;
        added.map(drop).map_err(|error| self.error(&error))
    }

    async fn add_all(&self, jobs: Vec<Job>) -> Result<(), FleetError> {
        if jobs.is_empty() {
            return Ok(());
        }
        self.ready().await?;
        let specs: Vec<_> = jobs.into_iter().map(spec_of).collect();
        for some in specs.chunks(AT_ONCE) {
            self.utils().add_raw_jobs(some).await.map_err(|error| self.error(&error))?;
        }
        Ok(())
    }

    async fn add_missing(&self, mut jobs: Vec<Job>) -> Result<(), FleetError> {
        self.ready().await?;
        let keys = vec![DbValue::TextArray(jobs.iter().map(|job| job.work.key()).collect())];
        let missing = async {
            let rows = self.database.fetch_all(WITHOUT_JOB, keys.into()).await?;
            rows.iter().map(|row| row.try_get("key")).collect::<Result<HashSet<String>, _>>()
        };
        let missing = missing.await.map_err(|error| self.error(&error))?;
        jobs.retain(|job| missing.contains(&job.work.key()));
        self.add_all(jobs).await
    }

    fn failed(&self) -> BoxFuture<'static, ()> {
        let mut failure = self.failure.subscribe();
        let failed = async move { drop(failure.wait_for(Option::is_some).await) };
        failed.boxed()
    }

    async fn run(
        &self,
        hands: Arc<dyn Hands>,
        at_once: usize,
        stop: BoxFuture<'static, ()>,
        grace: Duration,
    ) -> Result<(), FleetError> {
        self.ready().await?;
        let flags: Vec<_> = hands.homes().iter().map(|home| flag(home)).collect();
        let driver = Driver {
            database: self.database.clone(),
            address: self.address.clone(),
            flags: flags.clone().into(),
            failure: self.failure.clone(),
        };
        let worker = WorkerOptions::default()
            .schema(SCHEMA)
            .database(Database::new(driver))
            .concurrency(at_once)
            .poll_interval(UNTOLD)
            .define_job::<ApplySet>()
            .define_job::<RunAtDesk>()
            .job_flag_allowlist(flags)
            .add_extension(TheseHands(hands))
            .heartbeat_interval(HEARTBEAT)
            .sweep_interval(HEARTBEAT)
            .sweep_threshold(GIVEN_UP_AFTER)
            .recovery_delay(Duration::ZERO)
            .listen_os_shutdown_signals(false)
            .shutdown_signal(stop)
            .shutdown_grace_period(grace)
            .init()
            .await
            .map_err(|error| self.error(&error))?;
        let ran = worker.run().await;
        let failure = self.failure.borrow().clone();
        match failure {
            Some(reason) => Err(FleetError::Server { server: self.server.clone(), reason }),
            None => ran.map_err(|error| self.error(&error)),
        }
    }
}
