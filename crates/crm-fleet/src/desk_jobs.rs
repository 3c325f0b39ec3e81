//! The jobs that need a tenant's desk.

use std::{error::Error, time::Duration};

use crm_mirror::Site;
use tokio_postgres::{Row, types::ToSql};

use crate::{
    desk::{DeskJob, DeskJobId, DeskTask, Rows},
    engine::{Engine as _, Job, Work},
    error::FleetError,
    jobs::{Ended, queue},
    rows,
    server::Server,
    tenants::not_paused,
};

/// What a worker has to know of a job that needs a desk.
#[derive(Debug)]
pub(crate) struct BegunAtDesk {
    pub(crate) id: DeskJobId,
    /// Which beginning of the job this is.
    pub(crate) number: i64,
    pub(crate) site: Site,
    pub(crate) home: String,
    pub(crate) task: DeskTask,
    /// Whether the set that it is to plan is on the server already.
    pub(crate) is_planned: bool,
    /// How often it was begun since one came to an end.
    pub(crate) starts: i32,
    /// How many passing failures there were one after another.
    pub(crate) failures: i32,
}

impl Server {
    /// Says on which volume the desk of a tenant lies. Jobs that wait are done there from now on; what
    /// is on a former volume has to be moved by hand before.
    ///
    /// # Errors
    ///
    /// [`FleetError::Server`].
    pub async fn set_home(&self, site: &Site, home: &str) -> Result<(), FleetError> {
        self.keep_home(site, home).await?;
        let sql = "SELECT id FROM crm.desk_jobs
            WHERE tenant = $1 AND environment = $2 AND state = 'queued' AND began_at IS NULL";
        let (tenant, environment) = (site.tenant().get(), site.environment());
        let values: [&(dyn ToSql + Sync); 2] = [&tenant, &environment];
        let read = |row: &Row| Ok(job(DeskJobId(row.try_get(0)?), site, home, Duration::ZERO));
        let waiting = self.list(sql, &values, read).await?;
        self.engine()?.add_all(waiting).await
    }

    /// Has a worker do something in the desk of a tenant, where its home volume is. What is submitted
    /// already is not submitted a second time; what was held or cancelled goes on. The rows of a
    /// plan make a job of their own each time.
    ///
    /// # Errors
    ///
    /// [`FleetError::NoHome`], [`FleetError::NameTaken`] of a plan, [`FleetError::Server`].
    pub async fn submit_to_desk(
        &self,
        site: &Site,
        task: &DeskTask,
        by: &str,
    ) -> Result<DeskJobId, FleetError> {
        let home = self.home_of(site).await?;
        let home = home.ok_or_else(|| FleetError::NoHome {
            server: self.name().to_owned(),
            tenant: site.tenant().get(),
        })?;
        let engine = self.engine()?;
        let rows = match task {
            DeskTask::Plan(rows) => Some(rows),
            DeskTask::Mirror | DeskTask::Consent => None,
        };
        if let Some(Rows { set, .. }) = rows {
            self.refuse_taken(set).await?;
        }
        let sql = "INSERT INTO crm.desk_jobs (tenant, environment, task, submitted_by, set_name,
                input, is_ndjson, select_by_value, skip_invalid)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
            ON CONFLICT (tenant, environment, task) WHERE task <> 'plan' DO UPDATE
                SET state = 'queued', submitted_by = excluded.submitted_by,
                    submitted_at = clock_timestamp(), failures = 0, reason = NULL
            RETURNING id";
        let (tenant, environment) = (site.tenant().get(), site.environment());
        let values: [&(dyn ToSql + Sync); 9] = [
            &tenant,
            &environment,
            &task.as_str(),
            &by,
            &rows.map(|rows| &rows.set),
            &rows.map(|rows| &rows.text),
            &rows.is_some_and(|rows| rows.is_ndjson),
            &rows.is_some_and(|rows| rows.select_by_value),
            &rows.is_some_and(|rows| rows.skip_invalid),
        ];
        let client = self.client().await?;
        let row = client.query_one(sql, &values).await;
        let id = DeskJobId(self.check(row.and_then(|row| row.try_get(0)))?);
        drop(client);
        engine.add(job(id, site, &home, Duration::ZERO)).await?;
        Ok(id)
    }

    /// Has no worker begin a job that needs a desk. One that is being done is asked to end. Returns
    /// whether there is such a job and it was not over.
    ///
    /// # Errors
    ///
    /// [`FleetError::Server`].
    pub async fn cancel_at_desk(&self, job: DeskJobId, by: &str) -> Result<bool, FleetError> {
        let client = self.client().await?;
        let sql = "UPDATE crm.desk_jobs
            SET state = 'cancelled', reason = 'cancelled by ' || $2, input = NULL
            WHERE id = $1 AND state = 'queued'";
        Ok(self.check(client.execute(sql, &[&job.0, &by]).await)? == 1)
    }

    /// Lists the jobs that need a desk, the newest first.
    ///
    /// # Errors
    ///
    /// [`FleetError::Server`].
    pub async fn desk_jobs(&self) -> Result<Vec<DeskJob>, FleetError> {
        let sql = "SELECT id, tenant, environment, home, task, set_name, state, reason, summary,
                submitted_at, began_at, ended_at
            FROM crm.desk_jobs LEFT JOIN crm.homes USING (tenant, environment)
            ORDER BY submitted_at DESC, id DESC";
        self.list(sql, &[], |row| {
            Ok(DeskJob {
                id: DeskJobId(row.try_get("id")?),
                site: rows::site(row)?,
                home: row.try_get("home")?,
                task: row.try_get("task")?,
                set: row.try_get("set_name")?,
                state: row.try_get("state")?,
                reason: row.try_get("reason")?,
                summary: row.try_get("summary")?,
                submitted_at: row.try_get("submitted_at")?,
                began_at: row.try_get("began_at")?,
                ended_at: row.try_get("ended_at")?,
            })
        })
        .await
    }

    async fn home_of(&self, site: &Site) -> Result<Option<String>, FleetError> {
        let client = self.client().await?;
        let sql = "SELECT home FROM crm.homes WHERE tenant = $1 AND environment = $2";
        let (tenant, environment) = (site.tenant().get(), site.environment());
        let values: [&(dyn ToSql + Sync); 2] = [&tenant, &environment];
        let row = self.check(client.query_opt(sql, &values).await)?;
        self.check(row.map(|row| row.try_get(0)).transpose())
    }

    /// A job that plans for a name which another set has would fail at its very end.
    async fn refuse_taken(&self, name: &str) -> Result<(), FleetError> {
        let client = self.client().await?;
        let sql = "SELECT 1 FROM crm.sets WHERE name = $1 AND place <> 'gone'";
        match self.check(client.query_opt(sql, &[&name]).await)? {
            None => Ok(()),
            Some(_) => {
                let (server, name) = (self.name().to_owned(), name.to_owned());
                Err(FleetError::NameTaken { server, name })
            }
        }
    }

    /// The jobs that need a desk and are to be done, in the order of their numbers.
    pub(crate) async fn jobs_at_desks(&self) -> Result<Vec<Job>, FleetError> {
        let sql = format!(
            "SELECT id, tenant, environment, home FROM crm.desk_jobs
                JOIN crm.homes USING (tenant, environment)
             WHERE state = 'queued' AND {} ORDER BY id",
            not_paused("desk_jobs")
        );
        let read = |row: &Row| {
            let (id, home) = (DeskJobId(row.try_get("id")?), row.try_get("home")?);
            Ok(job(id, &rows::site(row)?, home, Duration::ZERO))
        };
        self.list(&sql, &[], read).await
    }

    /// Begins a job that needs a desk on one of these volumes; `None` if it is not to be done here and
    /// now: it was cancelled, its tenant is paused, or the desk lies elsewhere by now.
    pub(crate) async fn begin_at_desk(
        &self,
        job: DeskJobId,
        homes: &[String],
    ) -> Result<Option<BegunAtDesk>, FleetError> {
        let sql = format!(
            "UPDATE crm.desk_jobs SET begun = begun + 1, starts = starts + 1,
                began_at = clock_timestamp()
             FROM crm.homes
             WHERE id = $1 AND state = 'queued' AND home = ANY($2) AND {}
               AND homes.tenant = desk_jobs.tenant AND homes.environment = desk_jobs.environment
             RETURNING id, begun, desk_jobs.tenant, desk_jobs.environment, home, task, set_name, input,
                is_ndjson, select_by_value, skip_invalid, starts, failures,
                EXISTS (SELECT 1 FROM crm.sets WHERE sets.name = set_name
                    AND sets.tenant = desk_jobs.tenant
                    AND sets.environment = desk_jobs.environment
                    AND arrived_at >= submitted_at) AS is_planned",
            not_paused("desk_jobs")
        );
        let client = self.client().await?;
        let row = self.check(client.query_opt(&sql, &[&job.0, &homes]).await)?;
        let read = |row: &Row| -> Result<BegunAtDesk, Box<dyn Error>> {
            Ok(BegunAtDesk {
                id: DeskJobId(row.try_get("id")?),
                number: row.try_get("begun")?,
                site: rows::site(row)?,
                home: row.try_get("home")?,
                task: task(row)?,
                is_planned: row.try_get("is_planned")?,
                starts: row.try_get("starts")?,
                failures: row.try_get("failures")?,
            })
        };
        let begun = row.as_ref().map(read).transpose();
        begun.map_err(|error| self.unreachable(error.to_string()))
    }

    pub(crate) async fn is_wanted_at_desk(&self, job: DeskJobId) -> Result<bool, FleetError> {
        let client = self.client().await?;
        let sql = format!(
            "SELECT state = 'queued' AND {} FROM crm.desk_jobs WHERE id = $1",
            not_paused("desk_jobs")
        );
        let wanted = self.check(client.query_opt(&sql, &[&job.0]).await)?;
        Ok(wanted.is_some_and(|row| row.try_get(0).unwrap_or_default()))
    }

    /// Keeps how a job that needs a desk ended, which was begun as this number, unless another worker
    /// began it since; returns whether none did. One that was cancelled meanwhile stays cancelled, and
    /// one that was submitted again meanwhile is done again: it may not have seen what that was for.
    /// The rows of a plan go with its end.
    pub(crate) async fn end_at_desk(
        &self,
        job: DeskJobId,
        number: i64,
        ended: &Ended,
        summary: Option<&str>,
    ) -> Result<bool, FleetError> {
        let (state, reason, failures) = ended.kept();
        let client = self.client().await?;
        let sql = "UPDATE crm.desk_jobs SET began_at = NULL, starts = 0,
                ended_at = clock_timestamp(), summary = coalesce($5, summary),
                failures = (failures + 1) * $4,
                reason = CASE state WHEN 'queued' THEN $3 ELSE reason END,
                input = CASE $2 WHEN 'queued' THEN input END,
                state = CASE
                    WHEN state <> 'queued' THEN state
                    WHEN $2 <> 'queued' AND submitted_at > began_at THEN 'queued'
                    ELSE $2
                END
            WHERE id = $1 AND begun = $6";
        let values: [&(dyn ToSql + Sync); 6] =
            [&job.0, &state, &reason, &failures, &summary, &number];
        Ok(self.check(client.execute(sql, &values).await)? == 1)
    }
}

fn task(row: &Row) -> Result<DeskTask, Box<dyn Error>> {
    Ok(match row.try_get("task")? {
        "mirror" => DeskTask::Mirror,
        "consent" => DeskTask::Consent,
        _ => DeskTask::Plan(Rows {
            set: row.try_get::<_, Option<_>>("set_name")?.unwrap_or_default(),
            text: row.try_get::<_, Option<_>>("input")?.unwrap_or_default(),
            is_ndjson: row.try_get("is_ndjson")?,
            select_by_value: row.try_get("select_by_value")?,
            skip_invalid: row.try_get("skip_invalid")?,
        }),
    })
}

/// The job of a desk, in the queue of its tenant and host.
pub(crate) fn job(id: DeskJobId, site: &Site, home: &str, after: Duration) -> Job {
    let work = Work::Desk { job: id, home: home.to_owned() };
    Job { work, queue: queue(site), priority: 0, after }
}
