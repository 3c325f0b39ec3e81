//! The sets that workers are to carry out.

use std::time::Duration;

use crm_mirror::Site;
use tokio_postgres::{Row, types::ToSql};

use crate::{
    engine::{Engine as _, Graphile, Job, Work},
    error::FleetError,
    rows,
    server::Server,
    sets::{Place, SetId, StoredSet, open_of},
    tenants::{APPLYING, not_paused},
};

/// How a set that is [submitted](Server::submit) is to be carried out.
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct Submission {
    needs_approval: bool,
    priority: i16,
}

impl Submission {
    /// As usual: without an approval, and in the order of submission.
    pub fn new() -> Self {
        Self::default()
    }

    /// Has the set carried out only if somebody approved it exactly as it is.
    pub fn require_approval(mut self) -> Self {
        self.needs_approval = true;
        self
    }

    /// Has it begun before others: the lower the number, the earlier; the default is 0.
    pub fn priority(mut self, priority: i16) -> Self {
        self.priority = priority;
        self
    }
}

/// What a worker has to know of a job.
#[derive(Debug)]
pub(crate) struct Begun {
    /// Which beginning of the job this is.
    pub(crate) number: i64,
    pub(crate) digest: String,
    pub(crate) needs_approval: bool,
    pub(crate) submitted_by: String,
    pub(crate) priority: i16,
    /// Whether the tenant has a desk, which may have a consent ledger.
    pub(crate) has_desk: bool,
    /// How often it was begun since one came to an end, or the set got on.
    pub(crate) starts: i32,
    /// How many passing failures there were one after another, without the set getting on.
    pub(crate) failures: i32,
}

/// Why a set waits whose creations were not answered.
const UNANSWERED: &str = "creations got no answer: each is looked for until the service has surely carried it \
    out, and created again if it has not shown up by then";

/// How a worker came to an end with a set or another job, for the time being or for good. The reasons are
/// for people; they may name a record.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ended {
    /// All is done.
    Done,
    /// It goes on at once, behind what waits in its queue: its time is over, or its worker is to stop.
    Yields,
    /// Another worker took it from this one, which showed no sign of life for too long.
    Superseded,
    /// It goes on later: what failed may pass.
    Later(String),
    /// It goes on once the service has surely carried out what it did not answer: what has not shown up
    /// by then is created again.
    Unanswered,
    /// A person has to look at it.
    Held(String),
}

impl Ended {
    /// Its name in logs and metrics: `done`, `yields`, `superseded`, `later`, `unanswered` or `held`.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Yields => "yields",
            Self::Superseded => "superseded",
            Self::Later(_) => "later",
            Self::Unanswered => "unanswered",
            Self::Held(_) => "held",
        }
    }

    /// What is kept of it: a state, a reason, and 1 if it is a failure that may pass.
    pub(crate) fn kept(&self) -> (&'static str, Option<&str>, i32) {
        match self {
            Self::Done => ("done", None, 0),
            Self::Yields => ("queued", None, 0),
            Self::Superseded => ("queued", Some("another worker took it"), 1),
            Self::Later(reason) => ("queued", Some(reason), 1),
            Self::Unanswered => ("queued", Some(UNANSWERED), 1),
            Self::Held(reason) => ("held", Some(reason), 0),
        }
    }
}

/// How much there is to do on a server: in sets, and in jobs that need a desk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Workload {
    /// Those that were submitted and wait, for a worker or for what may pass.
    pub queued: u64,
    /// Those that are being carried out, by a worker or another program.
    pub applying: u64,
    /// Those at which a person has to look.
    pub held: u64,
    /// The jobs that need a desk.
    pub at_desks: DeskWorkload,
}

/// How many jobs that need a desk there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeskWorkload {
    /// Those that were submitted and wait.
    pub queued: u64,
    /// Those that a worker is doing.
    pub running: u64,
    /// Those at which a person has to look.
    pub held: u64,
}

impl Server {
    /// Has workers carry a set out, as it is now: with another digest it is held. A set that is
    /// submitted already is submitted anew, and one that was held or cancelled goes on.
    ///
    /// # Errors
    ///
    /// [`FleetError::Gone`], [`FleetError::Server`].
    pub async fn submit(
        &self,
        set: &StoredSet,
        submission: Submission,
        by: &str,
    ) -> Result<(), FleetError> {
        if let Place::Gone(to) = &set.place {
            let (server, name) = (self.name().to_owned(), set.name.clone());
            return Err(FleetError::Gone { server, name, to: to.clone() });
        }
        let engine = self.engine()?;
        let Submission { needs_approval, priority } = submission;
        let digest = set.digest.map(|digest| digest.to_string()).unwrap_or_default();
        let client = self.client().await?;
        let sql = "INSERT INTO crm.jobs
                (set_id, state, digest, needs_approval, priority, submitted_by)
            VALUES ($1, 'queued', $2, $3, $4, $5)
            ON CONFLICT (set_id) DO UPDATE SET state = 'queued', digest = excluded.digest,
                needs_approval = excluded.needs_approval, priority = excluded.priority,
                submitted_by = excluded.submitted_by, submitted_at = clock_timestamp(),
                starts = 0, failures = 0, reason = NULL";
        let values: [&(dyn ToSql + Sync); 5] =
            [&set.id.0, &digest, &needs_approval, &priority, &by];
        self.check(client.execute(sql, &values).await)?;
        drop(client);
        engine.add(job(set.id, &set.site, priority, Duration::ZERO)).await
    }

    /// Has no worker begin anything more of a set. What is in flight is finished; the set can be
    /// submitted again. Returns whether it was waiting or being carried out.
    ///
    /// # Errors
    ///
    /// [`FleetError::Server`].
    pub async fn cancel(&self, set: &StoredSet, by: &str) -> Result<bool, FleetError> {
        let client = self.client().await?;
        let sql = "UPDATE crm.jobs SET state = 'cancelled', reason = 'cancelled by ' || $2
            WHERE set_id = $1 AND state = 'queued'";
        let cancelled = client.execute(sql, &[&set.id.0, &by]).await;
        Ok(self.check(cancelled)? == 1)
    }

    /// Counts what there is to do.
    ///
    /// # Errors
    ///
    /// [`FleetError::Server`].
    pub async fn workload(&self) -> Result<Workload, FleetError> {
        let client = self.client().await?;
        let sql = format!(
            "WITH {APPLYING}
            SELECT (SELECT count(*) FROM applying) AS applying,
                   count(*) FILTER (WHERE state = 'queued'
                        AND set_id NOT IN (SELECT set_id FROM applying)) AS queued,
                   count(*) FILTER (WHERE state = 'held') AS held
            FROM crm.jobs"
        );
        let sets = self.check(client.query_one(&sql, &[]).await)?;
        let sql = "SELECT count(*) FILTER (WHERE state = 'queued' AND began_at IS NULL) AS queued,
                   count(began_at) FILTER (WHERE state = 'queued') AS running,
                   count(*) FILTER (WHERE state = 'held') AS held
            FROM crm.desk_jobs";
        let desks = self.check(client.query_one(sql, &[]).await)?;
        let count = |row: &Row, name| row.try_get::<_, i64>(name).map(i64::unsigned_abs);
        let workload = || {
            let (queued, running) = (count(&desks, "queued")?, count(&desks, "running")?);
            let at_desks = DeskWorkload { queued, running, held: count(&desks, "held")? };
            let (queued, applying) = (count(&sets, "queued")?, count(&sets, "applying")?);
            Ok(Workload { queued, applying, held: count(&sets, "held")?, at_desks })
        };
        self.check(workload())
    }

    pub(crate) fn engine(&self) -> Result<Graphile, FleetError> {
        Graphile::new(self.address(), self.name())
    }

    /// The jobs of the sets that workers are to carry out, in the sets' order.
    pub(crate) async fn jobs_of_sets(&self) -> Result<Vec<Job>, FleetError> {
        let sql = format!(
            "SELECT set_id, tenant, environment, priority FROM crm.jobs JOIN crm.sets ON sets.id = set_id
            WHERE state = 'queued' AND place <> 'gone' AND {} ORDER BY set_id",
            not_paused("sets")
        );
        let read = |row: &Row| {
            let (set, priority) = (SetId(row.try_get("set_id")?), row.try_get("priority")?);
            Ok(job(set, &rows::site(row)?, priority, Duration::ZERO))
        };
        self.list(&sql, &[], read).await
    }

    /// Begins a job; `None` if nobody wants it now: it was cancelled, or its tenant is paused.
    pub(crate) async fn begin_job(&self, set: SetId) -> Result<Option<Begun>, FleetError> {
        let client = self.client().await?;
        let sql = format!(
            "UPDATE crm.jobs SET begun = begun + 1, open_before = now.open,
                starts = CASE WHEN now.open < open_before THEN 1 ELSE starts + 1 END,
                failures = CASE WHEN now.open < open_before THEN 0 ELSE failures END
            FROM crm.sets, (SELECT {} AS open) AS now
            WHERE set_id = $1 AND sets.id = set_id AND state = 'queued' AND {}
            RETURNING begun, digest, needs_approval, submitted_by, priority, starts, failures,
                EXISTS (SELECT 1 FROM crm.homes WHERE homes.tenant = sets.tenant
                    AND homes.environment = sets.environment) AS has_desk",
            open_of("$1"),
            not_paused("sets")
        );
        let begun = self.check(client.query_opt(&sql, &[&set.0]).await)?;
        let begun = begun.map(|row| {
            Ok(Begun {
                number: row.try_get("begun")?,
                digest: row.try_get("digest")?,
                needs_approval: row.try_get("needs_approval")?,
                submitted_by: row.try_get("submitted_by")?,
                priority: row.try_get("priority")?,
                has_desk: row.try_get("has_desk")?,
                starts: row.try_get("starts")?,
                failures: row.try_get("failures")?,
            })
        });
        self.check(begun.transpose())
    }

    pub(crate) async fn is_wanted(&self, set: SetId) -> Result<bool, FleetError> {
        let client = self.client().await?;
        let sql = format!(
            "SELECT state = 'queued' AND {} FROM crm.jobs
            JOIN crm.sets ON sets.id = set_id WHERE set_id = $1",
            not_paused("sets")
        );
        let wanted = self.check(client.query_opt(&sql, &[&set.0]).await)?;
        Ok(wanted.is_some_and(|row| row.try_get(0).unwrap_or_default()))
    }

    /// Keeps how a job ended that was begun as this number, and returns whether that counts: it does
    /// not if another worker began it since, or if it was cancelled meanwhile.
    pub(crate) async fn end_job(
        &self,
        set: SetId,
        number: i64,
        ended: &Ended,
    ) -> Result<bool, FleetError> {
        let (state, reason, failures) = ended.kept();
        let client = self.client().await?;
        let sql = "UPDATE crm.jobs SET state = $2, reason = $3, starts = 0,
                failures = (failures + 1) * $4
            WHERE set_id = $1 AND state = 'queued' AND begun = $5";
        let kept = client.execute(sql, &[&set.0, &state, &reason, &failures, &number]).await;
        Ok(self.check(kept)? == 1)
    }
}

/// The job of a set.
pub(crate) fn job(set: SetId, site: &Site, priority: i16, after: Duration) -> Job {
    Job { work: Work::Apply(set), queue: queue(site), priority, after }
}

/// The queue of a tenant on a host, of which one job at a time is done: so one program calls for it.
pub(crate) fn queue(site: &Site) -> String {
    format!("{} {}", site.tenant(), site.environment())
}
