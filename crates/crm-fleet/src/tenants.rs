//! The tenants whose sets are on the server, and those that are paused.

use std::time::SystemTime;

use crm_mirror::Site;
use crm_models::TenantId;
use tokio_postgres::types::ToSql;

use crate::{error::FleetError, rows, server::Server, sets::open_of};

/// Stands for all tenants where a tenant is named; none has this number.
const ALL: i64 = 0;

/// Whether nobody paused the tenant of a row of this table, in SQL.
pub(crate) fn not_paused(table: &str) -> String {
    format!("NOT EXISTS (SELECT 1 FROM crm.pauses WHERE pauses.tenant IN ({ALL}, {table}.tenant))")
}

/// The sets that somebody is carrying out, in SQL.
pub(crate) const APPLYING: &str =
    "applying AS (SELECT set_id FROM crm.runs WHERE leased_until > clock_timestamp())";

/// Whose sets are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tenants {
    /// Those of one tenant, on whatever host.
    One(TenantId),
    /// Those of all, now and later.
    All,
}

impl Tenants {
    fn number(self) -> i64 {
        match self {
            Self::One(tenant) => tenant.get(),
            Self::All => ALL,
        }
    }
}

/// Nothing more of these tenants' sets is begun.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pause {
    /// Whose sets.
    pub tenants: Tenants,
    /// Who paused them.
    pub by: String,
    /// Why.
    pub reason: Option<String>,
    /// Since when.
    pub since: SystemTime,
}

/// What a tenant has on the server.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TenantSets {
    /// The tenant and the environment.
    pub site: Site,
    /// How many sets there are, without those that were pulled.
    pub sets: u64,
    /// How many of them wait, for a worker or for what may pass.
    pub queued: u64,
    /// How many are being carried out.
    pub applying: u64,
    /// At how many a person has to look.
    pub held: u64,
    /// How many changes of all of them are not settled.
    pub open: u64,
    /// Whether nothing more is begun.
    pub is_paused: bool,
}

impl Server {
    /// Has no worker begin anything more of these tenants' sets, until they are
    /// [resumed](Self::resume). What is in flight is finished: within seconds nothing more is written.
    /// What is submitted meanwhile waits. A pause that is there already remains as it is.
    ///
    /// It is workers that heed it; a program that carries a set out by itself has to be ended.
    ///
    /// # Errors
    ///
    /// [`FleetError::Server`].
    pub async fn pause(
        &self,
        tenants: Tenants,
        by: &str,
        reason: Option<&str>,
    ) -> Result<(), FleetError> {
        let client = self.client().await?;
        let sql = "INSERT INTO crm.pauses (tenant, paused_by, reason) VALUES ($1, $2, $3)
            ON CONFLICT (tenant) DO NOTHING";
        let values: [&(dyn ToSql + Sync); 3] = [&tenants.number(), &by, &reason];
        self.check(client.execute(sql, &values).await).map(drop)
    }

    /// Returns what is paused, all tenants first.
    ///
    /// # Errors
    ///
    /// [`FleetError::Server`].
    pub async fn pauses(&self) -> Result<Vec<Pause>, FleetError> {
        let sql = "SELECT tenant, paused_by, reason, paused_at FROM crm.pauses ORDER BY tenant";
        self.list(sql, &[], |row| {
            Ok(Pause {
                // What is no number of a tenant stands for all.
                tenants: TenantId::new(row.try_get("tenant")?).map_or(Tenants::All, Tenants::One),
                by: row.try_get("paused_by")?,
                reason: row.try_get("reason")?,
                since: row.try_get("paused_at")?,
            })
        })
        .await
    }

    /// Lists the tenants that have sets here, by their numbers.
    ///
    /// # Errors
    ///
    /// [`FleetError::Server`].
    pub async fn tenants(&self) -> Result<Vec<TenantSets>, FleetError> {
        let sql = format!(
            "WITH {APPLYING}
             SELECT tenant, environment, count(*) AS sets,
                    count(*) FILTER (WHERE jobs.state = 'queued' AND applying.set_id IS NULL)
                        AS queued,
                    count(applying.set_id) AS applying,
                    count(*) FILTER (WHERE jobs.state = 'held') AS held,
                    coalesce(sum({}), 0)::bigint AS open,
                    bool_or(NOT ({})) AS is_paused
             FROM crm.sets
                LEFT JOIN crm.jobs ON jobs.set_id = sets.id
                LEFT JOIN applying ON applying.set_id = sets.id
             WHERE place <> 'gone'
             GROUP BY tenant, environment ORDER BY tenant, environment",
            open_of("sets.id"),
            not_paused("sets")
        );
        self.list(&sql, &[], |row| {
            let count = |name| row.try_get::<_, i64>(name).map(i64::unsigned_abs);
            Ok(TenantSets {
                site: rows::site(row)?,
                sets: count("sets")?,
                queued: count("queued")?,
                applying: count("applying")?,
                held: count("held")?,
                open: count("open")?,
                is_paused: row.try_get("is_paused")?,
            })
        })
        .await
    }

    /// Takes a pause back; returns whether there was one.
    pub(crate) async fn end_pause(&self, tenants: Tenants) -> Result<bool, FleetError> {
        let client = self.client().await?;
        let ended = "DELETE FROM crm.pauses WHERE tenant = $1";
        Ok(self.check(client.execute(ended, &[&tenants.number()]).await)? == 1)
    }
}
