//! On which volumes the desks of tenants lie, and which workers have them.

use std::time::Duration;

use crm_mirror::Site;
use tokio::time::sleep;
use tokio_postgres::{Row, types::ToSql};

use crate::{
    desk::{Home, TenantHome},
    error::FleetError,
    rows,
    server::Server,
};

/// How often a worker says that it has its volumes.
const SAY_EVERY: Duration = Duration::from_secs(15);
/// How long that counts, in seconds.
const COUNTS_FOR: i32 = 45;

impl Server {
    pub(crate) async fn keep_home(&self, site: &Site, home: &str) -> Result<(), FleetError> {
        let client = self.client().await?;
        let sql = "INSERT INTO crm.homes (tenant, environment, home) VALUES ($1, $2, $3)
            ON CONFLICT (tenant, environment) DO UPDATE SET home = excluded.home";
        let (tenant, environment) = (site.tenant().get(), site.environment());
        let values: [&(dyn ToSql + Sync); 3] = [&tenant, &environment, &home];
        self.check(client.execute(sql, &values).await).map(drop)
    }

    /// Forgets on which volume the desk of a tenant lies: its jobs wait until that is said again.
    /// Returns whether it was known.
    ///
    /// # Errors
    ///
    /// [`FleetError::Server`].
    pub async fn remove_home(&self, site: &Site) -> Result<bool, FleetError> {
        self.forget("homes", site).await
    }

    /// Lists where the desks of tenants lie, by their numbers.
    ///
    /// # Errors
    ///
    /// [`FleetError::Server`].
    pub async fn tenant_homes(&self) -> Result<Vec<TenantHome>, FleetError> {
        let sql = "SELECT tenant, environment, home FROM crm.homes ORDER BY tenant, environment";
        let read =
            |row: &Row| Ok(TenantHome { site: rows::site(row)?, home: row.try_get("home")? });
        self.list(sql, &[], read).await
    }

    /// Lists the volumes on which desks lie, with what waits for each.
    ///
    /// # Errors
    ///
    /// [`FleetError::Server`].
    pub async fn homes(&self) -> Result<Vec<Home>, FleetError> {
        let sql = format!(
            "WITH waiting AS (
                SELECT home, count(*) AS jobs FROM crm.desk_jobs
                    JOIN crm.homes USING (tenant, environment)
                WHERE state = 'queued' GROUP BY home
             ), at_hand AS (
                SELECT home, count(*) AS workers FROM crm.mounts
                WHERE seen_at > clock_timestamp() - make_interval(secs => {COUNTS_FOR})
                GROUP BY home
             )
             SELECT home, count(*) AS tenants, coalesce(min(jobs), 0) AS queued,
                    coalesce(min(workers), 0) AS workers
             FROM crm.homes LEFT JOIN waiting USING (home) LEFT JOIN at_hand USING (home)
             GROUP BY home ORDER BY home"
        );
        self.list(&sql, &[], |row| {
            let count = |name| row.try_get::<_, i64>(name).map(i64::unsigned_abs);
            let (tenants, workers, queued) =
                (count("tenants")?, count("workers")?, count("queued")?);
            Ok(Home { name: row.try_get("home")?, tenants, workers, queued })
        })
        .await
    }

    /// Says again and again that a worker has these volumes, until this is dropped.
    pub(crate) async fn keep_mounted<R>(&self, homes: Vec<String>) -> R {
        let mut worker = None;
        loop {
            if let Err(error) = self.mount(&homes, &mut worker).await {
                tracing::warn!(%error, "it was not said which volumes are here");
            }
            sleep(SAY_EVERY).await;
        }
    }

    async fn mount(&self, homes: &[String], worker: &mut Option<String>) -> Result<(), FleetError> {
        if homes.is_empty() {
            return Ok(());
        }
        let client = self.client().await?;
        let worker = match worker {
            Some(worker) => worker,
            None => {
                let name = client.query_one("SELECT gen_random_uuid()::text", &[]).await;
                worker.insert(self.check(name.and_then(|row| row.try_get(0)))?)
            }
        };
        let sql = "INSERT INTO crm.mounts (home, worker, seen_at)
            SELECT home, $2, clock_timestamp() FROM unnest($1::text[]) AS home
            ON CONFLICT (home, worker) DO UPDATE SET seen_at = excluded.seen_at";
        self.check(client.execute(sql, &[&homes, worker]).await)?;
        // Those of workers that ended.
        let sql = "DELETE FROM crm.mounts WHERE seen_at < clock_timestamp() - interval '1 hour'";
        self.check(client.execute(sql, &[]).await).map(drop)
    }
}
