//! All that a fleet consists of.

use std::collections::BTreeMap;

use crm_bulk::Site;
use crm_fleet::{Days, Routine, Server, StoredSet, Submission, Times};
use crm_models::TenantId;
use tokio_postgres::types::ToSql;

use crate::{
    common::{cluster::Cluster, look_into},
    figures::{self, Used},
    number,
    redis::Redis,
    tenants::Tenants,
    workers::Workers,
};

pub struct Fleet {
    pub cluster: Cluster,
    pub postgres: Used,
    pub redis: Option<Redis>,
    pub tenants: Tenants,
    pub server: Server,
    pub workers: Workers,
}

/// Seconds of a core that each part used.
#[derive(Clone, Copy)]
pub struct Cpu {
    pub workers: f64,
    pub postgres: f64,
    pub redis: f64,
    /// With the test itself.
    pub sandbox: f64,
}

impl Fleet {
    /// A fleet that has nothing to do: `CRM_FLEET_WORKERS` workers and `CRM_FLEET_TENANTS` tenants, of which
    /// all but these have no more than a home and schedules. `None` where PostgreSQL cannot be started.
    pub async fn start(busy: Tenants) -> Option<Self> {
        let cluster = Cluster::start()?;
        let redis = Redis::start();
        let server = Server::connect(&cluster.url()).await.unwrap();
        let idle = number("TENANTS", 5).saturating_sub(busy.numbers.len() as u64);
        register(&server, &cluster, idle).await;
        let url = redis.as_ref().map(Redis::url);
        let count = number("WORKERS", 3).try_into().unwrap();
        let connection = busy.sandbox.connection();
        let folder = busy.folder.path();
        // One worker alone has places for all, so that none waits for another's.
        let places = busy.numbers.len();
        let workers =
            Workers::start(count, places, &cluster.url(), connection, url.as_deref(), folder);
        let postgres = Used::default();
        Some(Self { cluster, postgres, redis, tenants: busy, server, workers })
    }

    pub async fn submit(&self, set: &StoredSet) {
        self.server.submit(set, Submission::new(), "the test").await.unwrap();
    }

    /// The names of the sets that the worker with this process has, or was handed by the engine, and how often
    /// each was begun. One that went on after it was given up may have a set that was handed to another.
    pub async fn sets_of(&self, pid: u32) -> BTreeMap<String, i64> {
        let sql = "SELECT name, begun FROM crm.sets JOIN crm.jobs ON set_id = sets.id
            WHERE sets.id IN (SELECT set_id FROM crm.runs
                    WHERE owner = 'process ' || $1 AND leased_until > clock_timestamp())
                OR 'apply ' || sets.id IN (SELECT key FROM crm_jobs._private_jobs
                    JOIN crm_jobs._private_workers AS workers ON workers.id = locked_by
                    WHERE workers.metadata ->> 'pid' = $1)";
        self.begun_of(sql, &[&pid.to_string()]).await
    }

    /// How often each set was begun, by its name.
    pub async fn begun(&self) -> BTreeMap<String, i64> {
        let sql = "SELECT name, begun FROM crm.sets JOIN crm.jobs ON set_id = sets.id";
        self.begun_of(sql, &[]).await
    }

    async fn begun_of(&self, sql: &str, values: &[&(dyn ToSql + Sync)]) -> BTreeMap<String, i64> {
        let client = look_into(&self.cluster.url()).await;
        let rows = client.query(sql, values).await.unwrap();
        rows.iter().map(|row| (row.get(0), row.get(1))).collect()
    }

    pub fn crash_postgres(&mut self) {
        self.postgres.ends(self.cluster.pid().unwrap());
        self.cluster.crash();
    }

    pub fn cpu(&self) -> Cpu {
        Cpu {
            workers: self.workers.cpu(),
            postgres: self.postgres.cpu(self.cluster.pid()),
            redis: Used::default().cpu(self.redis.as_ref().and_then(Redis::pid)),
            sandbox: figures::own_cpu(),
        }
    }
}

/// Has the server know so many tenants that have nothing to do: one as everybody says it, and its copies. The
/// mirrors of some are due in each minute; what is filed waits for a worker that has their home.
async fn register(server: &Server, cluster: &Cluster, count: u64) {
    let site = Site::new(TenantId::new(500_000).unwrap(), "https://api.example");
    server.set_home(&site, "elsewhere").await.unwrap();
    let hourly = Times::Every { minutes: 60 };
    let (time, zone) = ("02:00".parse().unwrap(), "America/Denver".to_owned());
    let nightly = Times::Daily { time, days: Days::ALL, zone, jitter: 90 };
    server.set_schedule(&site, Routine::Mirror, &hourly).await.unwrap();
    server.set_schedule(&site, Routine::Consent, &nightly).await.unwrap();
    let client = look_into(&cluster.url()).await;
    let copies = i64::try_from(count).unwrap() - 1;
    for copy in [
        "INSERT INTO crm.homes SELECT tenant + copy, environment, home
            FROM crm.homes, generate_series(1, $1::bigint) AS copy",
        "INSERT INTO crm.schedules
            SELECT tenant + copy, environment, task, every, at_time, days, zone, shift,
                CASE WHEN every IS NULL THEN next_at ELSE clock_timestamp() END
                    + random() * interval '60 minutes', last_at
            FROM crm.schedules, generate_series(1, $1::bigint) AS copy",
    ] {
        client.execute(copy, &[&copies]).await.unwrap();
    }
}

impl std::ops::Sub for Cpu {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        Self {
            workers: self.workers - earlier.workers,
            postgres: self.postgres - earlier.postgres,
            redis: self.redis - earlier.redis,
            sandbox: self.sandbox - earlier.sandbox,
        }
    }
}

impl Cpu {
    pub fn all(self) -> f64 {
        self.workers + self.postgres + self.redis + self.sandbox
    }

    /// For each of so many, in milliseconds.
    pub fn each(self, of: u64) -> String {
        let each = |seconds: f64| 1_000.0 * seconds / of.max(1) as f64;
        format!(
            "{:.2} ms of a core: workers {:.2}, PostgreSQL {:.2}, Redis {:.2}, sandbox and test {:.2}",
            each(self.all()),
            each(self.workers),
            each(self.postgres),
            each(self.redis),
            each(self.sandbox)
        )
    }
}
