//! How many writes a day workers send for a tenant at most.

use std::num::NonZeroU32;

use crm_mirror::Site;
use tokio_postgres::{Row, types::ToSql};

use crate::{error::FleetError, rows, server::Server};

/// Of a day's writes a run sets a tenth aside for itself, this at least: so many are lost to the day if it
/// dies.
const LEAST: i64 = 100;

/// How many writes a day workers send for a tenant at most.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cap {
    /// The tenant and the environment.
    pub site: Site,
    /// The most in a day of UTC.
    pub writes_a_day: u64,
    /// How many of today's are gone, with what runs have set aside for themselves.
    pub written_today: u64,
}

/// What a run may write, set aside for it.
#[derive(Debug)]
pub(crate) struct Allowance {
    pub(crate) writes: u64,
    day: String,
    /// The cap, for people.
    pub(crate) of: u64,
}

/// Which day it is, in SQL.
const TODAY: &str = "(clock_timestamp() AT TIME ZONE 'UTC')::date";

impl Server {
    /// Sets how many writes a day workers send for a tenant at most, in days of UTC. A set that comes to
    /// it goes on the next day.
    ///
    /// # Errors
    ///
    /// [`FleetError::Server`].
    pub async fn set_cap(&self, site: &Site, writes_a_day: NonZeroU32) -> Result<(), FleetError> {
        let client = self.client().await?;
        let sql = "INSERT INTO crm.caps (tenant, environment, writes_a_day) VALUES ($1, $2, $3)
            ON CONFLICT (tenant, environment) DO UPDATE SET writes_a_day = excluded.writes_a_day";
        let (tenant, environment) = (site.tenant().get(), site.environment());
        let most = i64::from(writes_a_day.get());
        let values: [&(dyn ToSql + Sync); 3] = [&tenant, &environment, &most];
        self.check(client.execute(sql, &values).await).map(drop)
    }

    /// Takes the cap of a tenant away; returns whether there was one.
    ///
    /// # Errors
    ///
    /// [`FleetError::Server`].
    pub async fn remove_cap(&self, site: &Site) -> Result<bool, FleetError> {
        self.forget("caps", site).await
    }

    /// Lists the caps, by tenants.
    ///
    /// # Errors
    ///
    /// [`FleetError::Server`].
    pub async fn caps(&self) -> Result<Vec<Cap>, FleetError> {
        let sql = format!(
            "SELECT tenant, environment, writes_a_day,
                CASE day WHEN {TODAY} THEN written ELSE 0 END AS written
            FROM crm.caps ORDER BY tenant, environment"
        );
        self.list(&sql, &[], |row| {
            let count = |name| row.try_get::<_, i64>(name).map(i64::unsigned_abs);
            let (writes_a_day, written_today) = (count("writes_a_day")?, count("written")?);
            Ok(Cap { site: rows::site(row)?, writes_a_day, written_today })
        })
        .await
    }

    /// Sets some of a tenant's writes of today aside for a run; `None` if the tenant has no cap. They are
    /// gone unless what is left is [given back](Self::give_back): a run that dies has perhaps sent them.
    pub(crate) async fn set_aside(&self, site: &Site) -> Result<Option<Allowance>, FleetError> {
        let sql = format!(
            "UPDATE crm.caps SET day = today, written = before + share
            FROM (
                SELECT *, least(greatest({LEAST}, writes_a_day / 10), writes_a_day - before) AS share
                FROM (
                    SELECT tenant, environment, writes_a_day, {TODAY} AS today,
                        CASE day WHEN {TODAY} THEN least(written, writes_a_day) ELSE 0 END AS before
                    FROM crm.caps WHERE tenant = $1 AND environment = $2 FOR UPDATE
                ) AS known
            ) AS taken
            WHERE caps.tenant = taken.tenant AND caps.environment = taken.environment
            RETURNING share, caps.day::text AS day, caps.writes_a_day"
        );
        let client = self.client().await?;
        let (tenant, environment) = (site.tenant().get(), site.environment());
        let values: [&(dyn ToSql + Sync); 2] = [&tenant, &environment];
        let row = self.check(client.query_opt(&sql, &values).await)?;
        let read = |row: Row| {
            let count = |name| row.try_get::<_, i64>(name).map(i64::unsigned_abs);
            let (writes, of) = (count("share")?, count("writes_a_day")?);
            Ok(Allowance { writes, day: row.try_get("day")?, of })
        };
        self.check(row.map(read).transpose())
    }

    /// Gives back what a run did not write of what was set aside for it.
    pub(crate) async fn give_back(
        &self,
        site: &Site,
        allowance: &Allowance,
        written: u64,
    ) -> Result<(), FleetError> {
        let sql = "UPDATE crm.caps SET written = greatest(0, written - $3)
            WHERE tenant = $1 AND environment = $2 AND day = $4::text::date";
        let left = allowance.writes.saturating_sub(written);
        let left = i64::try_from(left).unwrap_or(i64::MAX);
        let (tenant, environment) = (site.tenant().get(), site.environment());
        let values: [&(dyn ToSql + Sync); 4] = [&tenant, &environment, &left, &allowance.day];
        let client = self.client().await?;
        self.check(client.execute(sql, &values).await).map(drop)
    }
}
