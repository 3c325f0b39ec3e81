//! Each busy tenant gets its calls, and none waits for another that fails.

use std::time::{Duration, SystemTime};

use crm_sandbox::{Fault, FaultPlan, FaultRule};

use crate::{
    common::look_into,
    fleet::Fleet,
    number,
    tenants::{Tenants, name},
};

/// The vendor's limit.
const CALLS_PER_SECOND: u64 = 60;
/// How many connections a worker has to PostgreSQL at most.
const CONNECTIONS: i64 = 5;

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_that_fails_delays_no_other() {
    let (busy, seconds) = (number("BUSY", 3), number("PACE_SECONDS", 0));
    let is_measured = seconds > 0;
    let contacts = CALLS_PER_SECOND * (seconds + 30);
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
    let most_calls = CALLS_PER_SECOND * 2 * (busy + 1) * (seconds + 60);
    sandbox.set("log-size", &most_calls.to_string()).unwrap();
    sandbox.set("rate-limit", &CALLS_PER_SECOND.to_string()).unwrap();
    sandbox.inject(FaultPlan::new().rule(fails.times(0)));
    for tenant in &numbers {
        fleet.submit(&fleet.server.set(&name(*tenant)).await.unwrap()).await;
    }
    for tenant in others {
        let begun = async || {
            let set = fleet.server.set(&name(*tenant)).await.unwrap();
            set.open + 60 < set.changes
        };
        while !begun().await {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    let changed = async || {
        let sets = fleet.server.sets().await.unwrap();
        sets.iter().map(|set| set.changes - set.open).sum::<u64>()
    };
    let (before, changed_before, from) = (fleet.cpu(), changed().await, SystemTime::now());
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    let (used, to) = (fleet.cpu() - before, SystemTime::now());
    let changes = changed().await - changed_before;
    let connected = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'";
    let connected: i64 = client.query_one(connected, &[]).await.unwrap().get(0);
    fleet.workers.end();

    let log = fleet.tenants.sandbox.log();
    let log = log.iter().filter(|entry| entry.operation != "Token");
    let log: Vec<_> = log.filter(|entry| (from..to).contains(&entry.arrived())).collect();
    let refused = log.iter().filter(|entry| entry.status == 429).count();
    let time = to.duration_since(from).unwrap().as_secs_f64();
    let pace = |tenant: &i64| {
        let calls = log.iter().filter(|entry| entry.tenant == *tenant && entry.status != 429);
        100.0 * calls.count() as f64 / (time * CALLS_PER_SECOND as f64)
    };
    let failed = fleet.server.set(&name(*failing)).await.unwrap();
    assert_eq!(failed.open, failed.changes, "nothing of it can be carried out");
    // Those of the test: three of the server's, and the one that asks.
    let workers = i64::try_from(number("WORKERS", 3)).unwrap();
    assert!(connected <= workers * CONNECTIONS + 4, "{connected} connections");
    if is_measured {
        let mut paces: Vec<_> = others.iter().map(pace).collect();
        paces.sort_by(f64::total_cmp);
        let calls = log.len() as u64;
        println!(
            "{busy} tenants for {seconds} s: of 60 calls a second {:.1} % to {:.1} %, {refused} of {calls} \
             calls refused",
            paces[0],
            paces[paces.len() - 1]
        );
        println!("  {changes} changes; each took {}", used.each(changes));
        println!("  {:.2} cores; each call took {}", used.all() / time, used.each(calls));
        println!("  {connected} connections to PostgreSQL, with 4 of the test");
        assert!(paces[0] >= 98.0 && refused == 0, "{paces:?}, {refused} refused");
    }
}

/// What a fleet takes that has nothing to do.
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
    let percent = |used: f64| 100.0 * used / seconds as f64 / number("WORKERS", 3) as f64;
    let (worker, postgres) = (percent(used.workers), percent(used.postgres));
    println!(
        "{} tenants and nothing to do: a worker takes {worker:.2} % of a core, and PostgreSQL {postgres:.2} % \
         for it",
        number("TENANTS", 5)
    );
    assert!(worker < 1.0);
}
