//! Each busy tenant gets its calls, and none waits for another that fails.

use std::time::{Duration, SystemTime};

use crm_sandbox::{Fault, FaultPlan, FaultRule, LogEntry};

use crate::{
    common::look_into,
    fleet::{Cpu, Fleet},
    number,
    tenants::{Tenants, name},
};

/// The vendor's limit.
const CALLS_PER_SECOND: u64 = 60;
/// How many connections a worker has to PostgreSQL at most.
const CONNECTIONS: i64 = 5;

/// A time in which it was counted what was done.
struct Stretch {
    from: SystemTime,
    to: SystemTime,
    changes: u64,
    used: Cpu,
}

impl Stretch {
    async fn of(fleet: &Fleet, seconds: u64) -> Self {
        let changed = async || {
            let sets = fleet.server.sets().await.unwrap();
            sets.iter().map(|set| set.changes - set.open).sum::<u64>()
        };
        let (before, changed_before, from) = (fleet.cpu(), changed().await, SystemTime::now());
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        let (used, to) = (fleet.cpu() - before, SystemTime::now());
        Self { from, to, changes: changed().await - changed_before, used }
    }

    /// Tells how many of their calls these tenants had; whether it is nearly all, and none was refused.
    fn tell(&self, log: &[LogEntry], what: &str, tenants: &[i64]) -> bool {
        let log = log.iter().filter(|entry| entry.operation != "Token");
        let log: Vec<_> =
            log.filter(|entry| (self.from..self.to).contains(&entry.arrived())).collect();
        let refused = log.iter().filter(|entry| entry.status == 429).count();
        let time = self.to.duration_since(self.from).unwrap().as_secs_f64();
        let pace = |tenant: &i64| {
            let calls = log.iter().filter(|entry| entry.tenant == *tenant && entry.status != 429);
            100.0 * calls.count() as f64 / (time * CALLS_PER_SECOND as f64)
        };
        let mut paces: Vec<_> = tenants.iter().map(pace).collect();
        paces.sort_by(f64::total_cmp);
        let (least, most) = (paces[0], paces[paces.len() - 1]);
        println!(
            "{} tenants {what}, for {time:.0} s: of 60 calls a second {least:.1} % to {most:.1} %, on average \
             {:.1} %; {refused} of {} calls refused",
            tenants.len(),
            paces.iter().sum::<f64>() / paces.len() as f64,
            log.len()
        );
        println!("  {} changes; each took {}", self.changes, self.used.each(self.changes));
        println!(
            "  {:.2} cores; each call took {}",
            self.used.all() / time,
            self.used.each(log.len() as u64)
        );
        least >= 98.0 && refused == 0
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_that_fails_delays_no_other() {
    let (busy, seconds) = (number("BUSY", 3), number("PACE_SECONDS", 0));
    let contacts = CALLS_PER_SECOND * (2 * seconds + 30);
    let tenants = Tenants::new(busy + 1, contacts, 0).await;
    let Some(mut fleet) = Fleet::start(tenants).await else { return };
    let client = look_into(&fleet.cluster.url()).await;
    idle(&fleet).await;

    let sandbox = &fleet.tenants.sandbox;
    let numbers = fleet.tenants.numbers.clone();
    let (failing, others) = numbers.split_first().unwrap();
    let fails = FaultRule::new(Fault::Status { status: 503 }).path(format!("/tenant/{failing}/"));
    for tenant in &numbers {
        fleet.tenants.push(&fleet.server, *tenant).await;
    }
    let most_calls = CALLS_PER_SECOND * 2 * (busy + 1) * (2 * seconds + 60);
    sandbox.set("log-size", &most_calls.to_string()).unwrap();
    sandbox.set("rate-limit", &CALLS_PER_SECOND.to_string()).unwrap();
    sandbox.inject(FaultPlan::new().rule(fails.times(0)));
    let set = async |tenant: &i64| fleet.server.set(&name(*tenant)).await.unwrap();
    for tenant in others {
        fleet.submit(&set(tenant).await).await;
    }
    for tenant in others {
        until(async || {
            let set = set(tenant).await;
            set.open + 60 < set.changes
        })
        .await;
    }
    let alone = Stretch::of(&fleet, seconds).await;
    fleet.submit(&set(failing).await).await;
    let beside = Stretch::of(&fleet, seconds).await;
    until(async || set(failing).await.job_reason.is_some()).await;
    let connected = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'";
    let connected: i64 = client.query_one(connected, &[]).await.unwrap().get(0);
    let failed = set(failing).await;
    fleet.workers.end();

    assert_eq!(failed.open, failed.changes, "nothing of it can be carried out");
    // Those of the test: three of the server's, and the one that asks.
    let workers = i64::try_from(number("WORKERS", 3)).unwrap();
    assert!(connected <= workers * CONNECTIONS + 4, "{connected} connections");
    if seconds > 0 {
        let log = fleet.tenants.sandbox.log();
        let are_at_pace = [
            alone.tell(&log, "by themselves", others),
            beside.tell(&log, "beside one that fails", others),
        ];
        println!("  {connected} connections to PostgreSQL, with 4 of the test");
        assert_eq!(are_at_pace, [true, true], "a tenant was slower, or a call refused");
    }
}

async fn until(is_so: impl AsyncFn() -> bool) {
    while !is_so().await {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// What a whole fleet takes that has nothing to do: its workers, PostgreSQL and Redis.
async fn idle(fleet: &Fleet) {
    let seconds = number("IDLE_SECONDS", 0);
    if seconds == 0 {
        return;
    }
    // Their beginning is not idle.
    tokio::time::sleep(Duration::from_secs(10)).await;
    let before = fleet.cpu();
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    let used = fleet.cpu() - before;
    let percent = |used: f64| 100.0 * used / seconds as f64;
    let all = percent(used.workers + used.postgres + used.redis);
    println!(
        "{} tenants and nothing to do: {all:.2} % of a core: {} workers {:.2} %, PostgreSQL {:.2} %, Redis \
         {:.2} %",
        number("TENANTS", 5),
        number("WORKERS", 3),
        percent(used.workers),
        percent(used.postgres),
        percent(used.redis)
    );
    assert!(all < 1.0, "{all} %");
}
