//! What is done in desks by itself.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails so")]

mod common;

use std::time::SystemTime;

use common::{cluster::Cluster, look_into};
use crm_bulk::Site;
use crm_fleet::{Days, FleetError, Routine, Server, Tenants, Times};
use crm_models::TenantId;

fn site(tenant: i64) -> Site {
    Site::new(TenantId::new(tenant).unwrap(), "https://api.example")
}

fn daily(time: &str, zone: &str, jitter: u32) -> Times {
    Times::Daily { time: time.parse().unwrap(), days: Days::ALL, zone: zone.to_owned(), jitter }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_missed_is_filed_once_however_many_look() {
    let Some(cluster) = Cluster::start() else { return };
    let server = Server::connect(&cluster.url()).await.unwrap();
    let own = look_into(&cluster.url()).await;
    let tenants = 450;
    for tenant in 1..=tenants {
        server.set_home(&site(tenant), "main").await.unwrap();
        let times = Times::Every { minutes: 7 * 24 * 60 };
        server.set_schedule(&site(tenant), Routine::Mirror, &times).await.unwrap();
    }
    // All of them a minute ago and in a week, whatever was drawn.
    let settled = "UPDATE crm.schedules SET next_at = clock_timestamp() + interval '7 days',
        shift = make_interval(secs => extract(epoch FROM clock_timestamp())::bigint % 604800 - 60)";
    own.execute(settled, &[]).await.unwrap();
    assert_eq!(server.file_due().await.unwrap(), 0, "nothing is due");
    // Nobody was there for three days; one tenant has no home.
    let missed = "UPDATE crm.schedules SET next_at = next_at - interval '10 days'";
    own.execute(missed, &[]).await.unwrap();
    assert!(server.remove_home(&site(1)).await.unwrap());
    let others = [server.clone(), Server::connect(&cluster.url()).await.unwrap()];
    let [one, two] = &others;
    let filed = tokio::join!(one.file_due(), two.file_due(), server.file_due());
    let filed = filed.0.unwrap() + filed.1.unwrap() + filed.2.unwrap();
    assert_eq!(filed, u64::try_from(tenants - 1).unwrap());
    assert_eq!(server.workload().await.unwrap().at_desks.queued, filed);
    let engine = r#"SELECT count(DISTINCT queue_name) FROM crm_jobs.jobs
        WHERE flags = '{"home:main": true}'"#;
    let engine: i64 = own.query_one(engine, &[]).await.unwrap().get(0);
    assert_eq!(engine.unsigned_abs(), filed);

    // What lost its job gets it again in few statements: for each one, all workers ask for jobs.
    let lost = own.execute("DELETE FROM crm_jobs._private_jobs", &[]).await.unwrap();
    assert_eq!(lost, filed);
    server.resume(Tenants::All).await.unwrap();
    let added = "SELECT count(*), count(DISTINCT xmin::text) FROM crm_jobs._private_jobs";
    let added = own.query_one(added, &[]).await.unwrap();
    assert_eq!(added.get::<_, i64>(0).unsigned_abs(), filed);
    let statements: i64 = added.get(1);
    assert!(statements <= 3, "{statements} statements");

    // A job that waits is not filed beside itself, and the one without a home is made up for.
    own.execute(missed, &[]).await.unwrap();
    server.set_home(&site(1), "main").await.unwrap();
    assert_eq!(server.file_due().await.unwrap(), filed + 1);
    assert_eq!(server.workload().await.unwrap().at_desks.queued, filed + 1);
    let next = server.schedules().await.unwrap();
    assert!(next.iter().all(|schedule| schedule.next_at > SystemTime::now()));
    assert!(next.iter().all(|schedule| schedule.last_at.is_some()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_is_told_replaced_and_removed() {
    let Some(cluster) = Cluster::start() else { return };
    let server = Server::connect(&cluster.url()).await.unwrap();
    // What PostgreSQL takes for a zone, too, and is none that has the tenant's summer time.
    for unknown in
        ["America/Denvr", "EST5", "PST", "UTC+7", "posix/America/Denver", "localtime", ""]
    {
        let zone = daily("02:00", unknown, 30);
        let refused = server.set_schedule(&site(1), Routine::Consent, &zone).await.unwrap_err();
        assert!(matches!(&refused, FleetError::Zone { zone, .. } if zone == unknown), "{unknown}");
    }
    let zone = daily("02:00", "america/denver", 0);
    server.set_schedule(&site(1), Routine::Consent, &zone).await.unwrap();
    assert_eq!(server.schedules().await.unwrap()[0].times, "daily 02:00 America/Denver + 0 min");
    let times = Times::Every { minutes: 90 };
    server.set_schedule(&site(1), Routine::Consent, &times).await.unwrap();
    let weekly = Times::Daily {
        time: "23:30".parse().unwrap(),
        days: "sun,mon".parse().unwrap(),
        zone: "America/Denver".to_owned(),
        jitter: 0,
    };
    server.set_schedule(&site(1), Routine::Mirror, &weekly).await.unwrap();
    let times = async || -> Vec<String> {
        server.schedules().await.unwrap().into_iter().map(|schedule| schedule.times).collect()
    };
    assert_eq!(times().await, ["every 90 min", "mon,sun 23:30 America/Denver + 0 min"]);
    let denver = daily("02:00", "America/Denver", 0);
    server.set_schedule(&site(1), Routine::Consent, &denver).await.unwrap();
    assert_eq!(times().await[0], "daily 02:00 America/Denver + 0 min");
    assert!(server.remove_schedule(&site(1), Routine::Mirror).await.unwrap());
    assert!(!server.remove_schedule(&site(1), Routine::Mirror).await.unwrap());
    assert_eq!(times().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_of_day_is_that_of_the_tenant_also_when_clocks_change() {
    let Some(cluster) = Cluster::start() else { return };
    Server::connect(&cluster.url()).await.unwrap();
    let own = look_into(&cluster.url()).await;
    let next = async |given: &str, after: &str| -> String {
        let sql = format!(
            "SELECT to_char(crm.next_time({given}, $1::text::timestamptz) AT TIME ZONE 'UTC',
                'YYYY-MM-DD HH24:MI')"
        );
        own.query_one(&sql, &[&after]).await.unwrap().get(0)
    };
    let denver =
        |at: &str| format!("NULL, '{at}', 127, 'America/Denver', make_interval(mins => 0)");
    for (given, after, then) in [
        // Seven hours behind in winter, six in summer.
        (denver("02:00"), "2026-11-30 08:59Z", "2026-11-30 09:00"),
        (denver("02:00"), "2026-11-30 09:00Z", "2026-12-01 09:00"),
        (denver("02:00"), "2026-07-01 00:00Z", "2026-07-01 08:00"),
        // Clocks go from 02:00 to 03:00: once, at 03:30 by them; and as before on the next day.
        (denver("02:30"), "2026-03-08 06:00Z", "2026-03-08 09:30"),
        (denver("02:30"), "2026-03-08 09:30Z", "2026-03-09 08:30"),
        // They go from 02:00 back to 01:00: once, at the second 01:30.
        (denver("01:30"), "2026-11-01 06:00Z", "2026-11-01 08:30"),
        (denver("01:30"), "2026-11-01 08:30Z", "2026-11-02 08:30"),
        // A Monday, as it is there while it is Tuesday elsewhere; so much later that it is Tuesday there too.
        (
            "NULL, '23:30', 1, 'America/Denver', make_interval(mins => 50)".to_owned(),
            "2026-12-01 07:00Z",
            "2026-12-01 07:20",
        ),
        (
            "make_interval(mins => 60), NULL, NULL, NULL, make_interval(mins => 7)".to_owned(),
            "2026-11-30 09:07Z",
            "2026-11-30 10:07",
        ),
    ] {
        assert_eq!(next(&given, after).await, then, "{given} after {after}");
    }
}
