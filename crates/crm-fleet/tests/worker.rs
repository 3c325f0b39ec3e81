//! Workers carry out the sets that were submitted.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails so")]

mod common;

use std::{
    num::NonZeroUsize,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use common::{cluster::Cluster, *};
use crm_bulk::{
    Remark, Site,
    State::{Done, Held},
};
use crm_fleet::{Accounts, FleetError, NoAccount, Server, StoredSet, Submission, Tenants, Worker};
use crm_sandbox::{Fault, FaultPlan, FaultRule, Seed};
use tokio::{sync::oneshot, task::JoinHandle};

const ROWS: &str = "location_id,contact_id,memo\n2001,3001,one\n2001,3002,two\n2002,3001,three\n";

/// The one account of the sandbox, which there is not the first times it is asked for.
#[derive(Debug)]
struct OneAccount {
    service: Service,
    missing: AtomicU32,
    passes: bool,
}

#[async_trait]
impl Accounts for OneAccount {
    async fn service(&self, _: &Site) -> Result<Service, NoAccount> {
        if self.missing.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)).is_ok() {
            let reason = "the vault is sealed".to_owned();
            return Err(NoAccount { reason, passes: self.passes });
        }
        Ok(self.service.clone())
    }
}

/// A worker in this process; stopped when this is dropped.
struct Running(Option<oneshot::Sender<()>>, JoinHandle<()>);

impl Running {
    fn start(world: &World, server: &Server, missing: u32, passes: bool, slice: Duration) -> Self {
        let missing = AtomicU32::new(missing);
        let accounts = OneAccount { service: world.service.clone(), missing, passes };
        Self::run(Worker::new(server.clone(), accounts).slice(slice))
    }

    fn run(worker: Worker) -> Self {
        let (stop, stopped) = oneshot::channel::<()>();
        let run = async move {
            let stopped = async { drop(stopped.await) };
            worker.run(stopped).await.unwrap();
        };
        Self(Some(stop), tokio::spawn(run))
    }

    async fn stop(mut self) {
        self.0.take().unwrap().send(()).unwrap();
        self.1.await.unwrap();
    }
}

/// Waits until the job of this set is in this state.
async fn until(server: &Server, name: &str, job: &str) -> StoredSet {
    let deadline = Instant::now() + Duration::from_secs(120);
    loop {
        let set = server.set(name).await.unwrap();
        if set.job.as_deref() == Some(job) {
            return set;
        }
        assert!(Instant::now() < deadline, "{name} is not {job}: {set:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

const FIVE_MINUTES: Duration = Duration::from_secs(300);

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_carries_out_what_was_submitted_and_nothing_else() {
    let Some(cluster) = Cluster::start() else { return };
    let world = world(Seed::Demo).await;
    let server = Server::connect(&cluster.url()).await.unwrap();
    for name in ["first", "other", "cancelled", "unapproved", "alone"] {
        let file = world.plan(ROWS, &format!("{name}.crm")).await;
        let approver = [("first", "Dana Whitfield"), ("alone", "the test")];
        if let Some((_, approver)) = approver.iter().find(|(approved, _)| *approved == name) {
            file.approve(None, Remark::new().by(*approver)).await.unwrap();
        }
        server.push(file, name).await.unwrap();
    }
    let submit = async |name: &str, submission: Submission| {
        let set = server.set(name).await.unwrap();
        server.submit(&set, submission, "the test").await.unwrap();
        set
    };
    submit("first", Submission::new().require_approval()).await;
    submit("unapproved", Submission::new().require_approval()).await;
    submit("alone", Submission::new().require_approval()).await;
    let cancelled = submit("cancelled", Submission::new()).await;
    assert!(server.cancel(&cancelled, "Dana").await.unwrap());
    assert!(!server.cancel(&cancelled, "Dana").await.unwrap());

    let worker = Running::start(&world, &server, 0, false, FIVE_MINUTES);
    let done = until(&server, "first", "done").await;
    assert_eq!((done.open, done.owner), (0, None));
    let held = until(&server, "unapproved", "held").await;
    assert!(held.job_reason.unwrap().contains("nobody approved"));
    let held = until(&server, "alone", "held").await;
    assert!(held.job_reason.unwrap().contains("whoever submitted it does not count"));
    worker.stop().await;
    assert_eq!(world.sent("PATCH"), 3);
    assert_eq!(server.set("other").await.unwrap().job, None);
    let cancelled = server.set("cancelled").await.unwrap();
    assert_eq!((cancelled.job.as_deref(), cancelled.open), (Some("cancelled"), 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_pass_is_tried_again_and_what_cannot_heal_is_held_until_somebody_looks() {
    let Some(cluster) = Cluster::start() else { return };
    let world = world(Seed::Demo).await;
    let server = Server::connect(&cluster.url()).await.unwrap();
    let set = server.push(world.plan(ROWS, "set.crm").await, "memos").await.unwrap().set;
    server.submit(&set, Submission::new(), "the test").await.unwrap();
    let worker = Running::start(&world, &server, 1, false, FIVE_MINUTES);
    let held = until(&server, "memos", "held").await;
    assert_eq!(held.job_reason.as_deref(), Some("the vault is sealed"));
    assert_eq!(world.sent("PATCH"), 0);
    worker.stop().await;

    let worker = Running::start(&world, &server, 1, true, FIVE_MINUTES);
    server.submit(&held, Submission::new(), "the test").await.unwrap();
    until(&server, "memos", "done").await;
    assert_eq!(world.sent("PATCH"), 3);
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn marketing_is_turned_on_by_no_worker_where_the_tenant_has_a_desk_that_knows_its_wishes() {
    let Some(cluster) = Cluster::start() else { return };
    let world = world(Seed::Demo).await;
    let server = Server::connect(&cluster.url()).await.unwrap();
    let plan = async |name: &str, email: i64, memo: &str| {
        // The first receives marketing, before and after; the second is to begin; the third ends.
        let rows = format!(
            "location_id,contact_id,memo,marketing_updates\n\
             2001,3001,{memo},on\n2001,{email},,on\n2001,3008,,off\n"
        );
        let file = world.plan(&rows, &format!("{name}.crm")).await;
        let set = server.push(file, name).await.unwrap().set;
        server.submit(&set, Submission::new(), "the test").await.unwrap();
    };
    server.set_home(&world.site, "main").await.unwrap();
    plan("at home", 3_002, "one").await;
    let worker = Running::start(&world, &server, 0, false, FIVE_MINUTES);
    until(&server, "at home", "done").await;
    assert_eq!(world.sent("PATCH"), 2);
    let path = world.path("back.crm");
    server.pull("at home", &path).await.unwrap();
    let changes = changes(&path);
    assert_eq!(changes.iter().map(|it| it.outcome.state).collect::<Vec<_>>(), [Done, Held, Done]);
    let why = changes[1].outcome.message.as_deref().unwrap();
    assert!(why.contains("cannot ask the consent ledger"), "{why}");

    // Without a desk there is no ledger to ask.
    assert!(server.remove_home(&world.site).await.unwrap());
    plan("homeless", 3_004, "two").await;
    until(&server, "homeless", "done").await;
    worker.stop().await;
    assert_eq!(world.sent("PATCH"), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_whose_workers_die_again_and_again_is_held_unless_it_gets_on() {
    let Some(cluster) = Cluster::start() else { return };
    let world = world(Seed::Demo).await;
    let server = Server::connect(&cluster.url()).await.unwrap();
    let own = look_into(&cluster.url()).await;
    let set = server.push(world.plan(ROWS, "set.crm").await, "memos").await.unwrap().set;
    // As ten workers leave it that died: the last one began with so many open changes.
    let begun_with = async |open: u64| {
        server.submit(&set, Submission::new(), "the test").await.unwrap();
        let sql = "UPDATE crm.jobs SET starts = 10, open_before = $1";
        own.execute(sql, &[&i64::try_from(open).unwrap()]).await.unwrap();
        Running::start(&world, &server, 0, false, FIVE_MINUTES)
    };
    let worker = begun_with(set.open).await;
    let held = until(&server, "memos", "held").await;
    assert!(held.job_reason.unwrap().contains("its workers died 10 times"));
    assert_eq!(world.sent("PATCH"), 0);
    worker.stop().await;

    let worker = begun_with(set.open + 1).await;
    until(&server, "memos", "done").await;
    assert_eq!(world.sent("PATCH"), 3);
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_does_not_count_as_begun_while_the_lease_of_a_dead_worker_lasts() {
    let Some(cluster) = Cluster::start() else { return };
    let world = world(Seed::Demo).await;
    let server = Server::connect(&cluster.url()).await.unwrap();
    let own = look_into(&cluster.url()).await;
    let set = server.push(world.plan(ROWS, "set.crm").await, "memos").await.unwrap().set;
    server.submit(&set, Submission::new(), "the test").await.unwrap();
    let leave = "INSERT INTO crm.runs (set_id, owner, leased_until, beat)
        SELECT id, 'a dead worker', clock_timestamp() + interval '1 hour', 1 FROM crm.sets";
    own.execute(leave, &[]).await.unwrap();
    let worker = Running::start(&world, &server, 0, false, FIVE_MINUTES);
    until_so("a worker has its job", async || {
        let sql = "SELECT count(*) FROM crm_jobs.jobs WHERE locked_at IS NOT NULL";
        own.query_one(sql, &[]).await.is_ok_and(|row| row.get::<_, i64>(0) == 1)
    })
    .await;
    let starts = "SELECT starts FROM crm.jobs";
    assert_eq!(own.query_one(starts, &[]).await.unwrap().get::<_, i32>(0), 0);
    own.execute("UPDATE crm.runs SET leased_until = clock_timestamp()", &[]).await.unwrap();
    until(&server, "memos", "done").await;
    worker.stop().await;
}

/// A set that is submitted and takes a while: answers are slow, and nobody carries it out yet.
async fn a_long_set(cluster: &Cluster) -> (World, Server, StoredSet) {
    let world = world(Seed::Count(1_500)).await;
    let server = Server::connect(&cluster.url()).await.unwrap();
    let file = world.plan(&all_memos(&world), "set.crm").await;
    let set = server.push(file, "memos").await.unwrap().set;
    world.sandbox.inject(FaultPlan::new().random(Fault::Delay { milliseconds: 400 }, 1.0));
    server.submit(&set, Submission::new(), "the test").await.unwrap();
    (world, server, set)
}

/// As one that was paused, and goes on when another has its job.
#[tokio::test(flavor = "multi_thread")]
async fn a_worker_says_nothing_of_a_job_that_another_began_since() {
    let Some(cluster) = Cluster::start() else { return };
    let (world, server, set) = a_long_set(&cluster).await;
    let own = look_into(&cluster.url()).await;
    let worker = Running::start(&world, &server, 0, false, FIVE_MINUTES);
    until_so("it is begun", async || server.set("memos").await.unwrap().open < set.open).await;
    let begun = "UPDATE crm.jobs SET begun = begun + 1, starts = 2, reason = 'of the other'";
    own.execute(begun, &[]).await.unwrap();
    worker.stop().await;
    let sql =
        "SELECT (SELECT count(*) FROM crm_jobs.jobs), starts::bigint, reason, state FROM crm.jobs";
    let row = own.query_one(sql, &[]).await.unwrap();
    let [jobs, starts] = [row.get::<_, i64>(0), row.get(1)];
    assert_eq!((jobs, starts), (0, 2), "neither another job for it, nor its starts forgotten");
    assert_eq!((row.get(2), row.get(3)), ("of the other", "queued"));
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_credentials_are_tried_again_before_somebody_has_to_look_at_them() {
    let Some(cluster) = Cluster::start() else { return };
    let world = world(Seed::Demo).await;
    let server = Server::connect(&cluster.url()).await.unwrap();
    let own = look_into(&cluster.url()).await;
    // One call reads, and three write; each is sent with a new token, too.
    for (refused, calls, failures, ends) in [
        ("GET", 1, 0, "done"),
        ("PATCH", 3, 0, "done"),
        ("GET", 1, 3, "held"),
        ("PATCH", 3, 3, "held"),
    ] {
        let name = format!("{refused} {failures}");
        let rows = ROWS.replace(",one", &format!(",{name}"));
        let set = server.push(world.plan(&rows, &format!("{name}.crm")).await, &name).await;
        server.submit(&set.unwrap().set, Submission::new(), "the test").await.unwrap();
        own.execute("UPDATE crm.jobs SET failures = $1", &[&failures]).await.unwrap();
        let refusals = FaultRule::new(Fault::Unauthorized).method(refused).times(2 * calls);
        world.sandbox.inject(FaultPlan::new().rule(refusals));
        let worker = Running::start(&world, &server, 0, false, FIVE_MINUTES);
        until_so(&name, async || {
            let reason = server.set(&name).await.unwrap().job_reason;
            reason.is_some_and(|reason| reason.contains("refused"))
        })
        .await;
        until(&server, &name, ends).await;
        worker.stop().await;
        world.sandbox.inject(FaultPlan::new());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_that_were_good_just_now_are_tried_again() {
    let Some(cluster) = Cluster::start() else { return };
    let world = world(Seed::Count(600)).await;
    let server = Server::connect(&cluster.url()).await.unwrap();
    let own = look_into(&cluster.url()).await;
    let file = world.plan(&all_memos(&world), "memos.crm").await;
    let set = server.push(file, "memos").await.unwrap().set;
    let refused = FaultRule::new(Fault::Unauthorized).method("PATCH").nth(200).times(100);
    world.sandbox.inject(FaultPlan::new().rule(refused));
    server.submit(&set, Submission::new(), "the test").await.unwrap();
    own.execute("UPDATE crm.jobs SET failures = 3", &[]).await.unwrap();
    let worker = Running::start(&world, &server, 0, false, FIVE_MINUTES);
    until_so("it is queued again", async || {
        let set = server.set("memos").await.unwrap();
        assert_ne!(set.job.as_deref(), Some("held"), "{set:?}");
        set.job_reason.is_some_and(|reason| reason.contains("credentials"))
    })
    .await;
    world.sandbox.inject(FaultPlan::new());
    assert_eq!(until(&server, "memos", "done").await.open, 0);
    worker.stop().await;
}

/// No worker has it meanwhile: one that waited for so long might die, again and again.
#[tokio::test(flavor = "multi_thread")]
async fn a_creation_without_an_answer_waits_with_nobody_until_it_is_surely_not_carried_out() {
    let Some(cluster) = Cluster::start() else { return };
    let world = world(Seed::Demo).await;
    let server = Server::connect(&cluster.url()).await.unwrap();
    let own = look_into(&cluster.url()).await;
    let rows = "location_id,contact_id,action,type,value,memo\n\
        2001,,create,Email,lost@site.example,\n2001,3001,,,,one\n";
    let set = server.push(world.plan(rows, "set.crm").await, "new").await.unwrap().set;
    let lost = FaultRule::new(Fault::ResetAfterRequest).method("POST").path("/contacts").times(1);
    world.sandbox.inject(FaultPlan::new().rule(lost));
    server.submit(&set, Submission::new(), "the test").await.unwrap();
    let worker = Running::start(&world, &server, 0, false, FIVE_MINUTES);
    let waits = async || {
        until_so("it waits", async || {
            let sql = "SELECT count(*) FROM crm_jobs.jobs WHERE locked_at IS NULL
                AND run_at > now() + interval '95 seconds'";
            own.query_one(sql, &[]).await.unwrap().get::<_, i64>(0) == 1
        })
        .await;
        let set = server.set("new").await.unwrap();
        assert_eq!((set.job.as_deref(), set.owner, set.open), (Some("queued"), None, 1));
        assert!(set.job_reason.unwrap().contains("no answer"));
    };
    waits().await;

    // Begun too early, by whomever, it is looked for and not sent.
    let is_due = "UPDATE crm_jobs._private_jobs SET run_at = now()";
    own.execute(is_due, &[]).await.unwrap();
    until_so("it was begun twice", async || {
        let begun = own.query_one("SELECT begun FROM crm.jobs", &[]).await.unwrap();
        begun.get::<_, i64>(0) == 2
    })
    .await;
    waits().await;
    let created = || {
        let all = world.sandbox.location_contacts().unwrap();
        all.iter().filter(|contact| contact.value == "lost@site.example").count()
    };
    assert_eq!((world.sent("POST"), created()), (1, 0));

    let later = "UPDATE crm.runs SET claimed_at = claimed_at - interval '102 seconds'";
    own.execute(later, &[]).await.unwrap();
    own.execute(is_due, &[]).await.unwrap();
    assert_eq!(until(&server, "new", "done").await.open, 0);
    worker.stop().await;
    assert_eq!((world.sent("POST"), world.sent("PATCH"), created()), (2, 1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_yields_when_its_time_is_over_and_goes_on_behind_the_others() {
    let Some(cluster) = Cluster::start() else { return };
    let world = world(Seed::Count(1_500)).await;
    let server = Server::connect(&cluster.url()).await.unwrap();
    let rows = all_memos(&world);
    let long = server.push(world.plan(&rows, "long.crm").await, "long").await.unwrap().set;
    let one = rows.lines().take(2).collect::<Vec<_>>().join("\n").replace("changed", "other");
    let short = server.push(world.plan(&one, "short.crm").await, "short").await.unwrap().set;
    world.sandbox.inject(FaultPlan::new().random(Fault::Delay { milliseconds: 400 }, 1.0));
    server.submit(&long, Submission::new(), "the test").await.unwrap();
    server.submit(&short, Submission::new(), "the test").await.unwrap();
    let worker = Running::start(&world, &server, 0, false, Duration::from_millis(1_500));
    until(&server, "short", "done").await;
    assert!(server.set("long").await.unwrap().open > 0, "it had not to wait for the long one");
    world.sandbox.inject(FaultPlan::new());
    until(&server, "long", "done").await;
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_the_server_failed_gives_its_sets_back_at_once() {
    let Some(cluster) = Cluster::start() else { return };
    let (world, server, set) = a_long_set(&cluster).await;
    let own = look_into(&cluster.url()).await;
    let (service, missing) = (world.service.clone(), AtomicU32::new(0));
    let accounts = OneAccount { service, missing, passes: false };
    let worker = Worker::new(server.clone(), accounts).grace(Duration::from_secs(3_600));
    let run = tokio::spawn(worker.run(std::future::pending()));
    until_so("it is begun", async || server.set("memos").await.unwrap().open < set.open).await;

    // The engine fails, and the set could go on.
    let tables = [("_private_jobs", "jobs_away"), ("_private_workers", "workers_away")];
    for (here, away) in tables {
        let rename = format!("ALTER TABLE crm_jobs.{here} RENAME TO {away}");
        own.batch_execute(&rename).await.unwrap();
    }
    let ended = tokio::time::timeout(Duration::from_secs(60), run).await.unwrap().unwrap();
    assert!(matches!(ended, Err(FleetError::Server { .. })), "{ended:?}");
    let left = server.set("memos").await.unwrap();
    assert!(left.open > 0 && left.owner.is_none(), "{left:?}");

    for (here, away) in tables {
        let rename = format!("ALTER TABLE crm_jobs.{away} RENAME TO {here}");
        own.batch_execute(&rename).await.unwrap();
    }
    world.sandbox.inject(FaultPlan::new());
    let worker = Running::start(&world, &server, 0, false, FIVE_MINUTES);
    until(&server, "memos", "done").await;
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_whose_job_another_has_by_now_leaves_it_to_that_one() {
    let Some(cluster) = Cluster::start() else { return };
    let (world, server, set) = a_long_set(&cluster).await;
    let own = look_into(&cluster.url()).await;
    let accounts = common::OneAccount(world.service.clone());
    // With one place it does not get its own job again, and it renews its lease only after minutes.
    let first = Worker::new(server.clone(), accounts).at_once(NonZeroUsize::MIN);
    let first = Running::run(first.lease(Duration::from_secs(3_600)));
    until_so("it is begun", async || server.set("memos").await.unwrap().open < set.open).await;
    let epoch =
        async || -> i64 { own.query_one("SELECT epoch FROM crm.sets", &[]).await.unwrap().get(0) };
    let of_the_first = epoch().await;

    // As if it had stood still: its job is given to another one, which takes the set from it.
    let sql = "UPDATE crm.runs SET leased_until = clock_timestamp();
        SELECT crm_jobs.recover_dead_worker_jobs(ARRAY(SELECT id FROM crm_jobs._private_workers))";
    own.batch_execute(sql).await.unwrap();
    let second = Running::start(&world, &server, 0, false, FIVE_MINUTES);
    until_so("another takes it over", async || epoch().await > of_the_first).await;
    first.stop().await;
    let held = "SELECT count(locked_by) FROM crm_jobs._private_jobs";
    let held: i64 = own.query_one(held, &[]).await.unwrap().get(0);
    assert_eq!(held, 1, "were the second to die, nobody would know that it had this job");

    world.sandbox.inject(FaultPlan::new());
    until(&server, "memos", "done").await;
    second.stop().await;
    let sql = "SELECT (SELECT count(*) FROM crm_jobs.jobs), bool_and(is_available)
        FROM crm_jobs._private_job_queues";
    let row = own.query_one(sql, &[]).await.unwrap();
    assert_eq!(
        (row.get::<_, i64>(0), row.get::<_, bool>(1)),
        (0, true),
        "the tenant's next may come"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_its_job_gets_no_other_one() {
    let Some(cluster) = Cluster::start() else { return };
    let world = world(Seed::Demo).await;
    let server = Server::connect(&cluster.url()).await.unwrap();
    let own = look_into(&cluster.url()).await;
    // The numbers of sets and jobs are not the same.
    server.push(world.plan(ROWS, "other.crm").await, "not submitted").await.unwrap();
    let set = server.push(world.plan(ROWS, "set.crm").await, "memos").await.unwrap().set;
    server.submit(&set, Submission::new(), "the test").await.unwrap();
    let jobs = async || {
        let sql = "SELECT id, revision, attempts::bigint FROM crm_jobs.jobs ORDER BY id";
        let rows = own.query(sql, &[]).await.unwrap();
        let read = |row: &tokio_postgres::Row| -> (i64, i32, i64) {
            (row.get("id"), row.get("revision"), row.get("attempts"))
        };
        rows.iter().map(read).collect::<Vec<_>>()
    };
    let before = jobs().await;
    server.resume(Tenants::All).await.unwrap();
    assert_eq!(jobs().await, before, "it waits");
    let begun =
        "UPDATE crm_jobs._private_jobs SET attempts = 1, locked_at = now(), locked_by = 'a'";
    own.execute(begun, &[]).await.unwrap();
    let begun = jobs().await;
    server.resume(Tenants::All).await.unwrap();
    assert_eq!(jobs().await, begun, "a worker has it");
    let failed = "UPDATE crm_jobs._private_jobs SET locked_at = NULL, locked_by = NULL";
    own.execute(failed, &[]).await.unwrap();
    server.resume(Tenants::All).await.unwrap();
    let now = jobs().await;
    assert!(now.len() == 1 && now[0].2 == 0, "what the engine put off is due again: {now:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_with_a_cap_goes_on_the_next_day() {
    let Some(cluster) = Cluster::start() else { return };
    let world = world(Seed::Count(600)).await;
    let server = Server::connect(&cluster.url()).await.unwrap();
    let own = look_into(&cluster.url()).await;
    let file = world.plan(&all_memos(&world), "memos.crm").await;
    let set = server.push(file, "memos").await.unwrap().set;
    let cap = 250;
    assert!(set.open > cap + 100, "{set:?}");
    server.set_cap(&set.site, u32::try_from(cap).unwrap().try_into().unwrap()).await.unwrap();
    server.submit(&set, Submission::new(), "the test").await.unwrap();
    let worker = Running::start(&world, &server, 0, false, FIVE_MINUTES);
    let is_told = async || {
        let reason = server.set("memos").await.unwrap().job_reason;
        reason.is_some_and(|why| why.contains("the 250 writes of this day are sent"))
    };
    until_so("it comes to its cap", is_told).await;
    let waits = server.set("memos").await.unwrap();
    assert_eq!((waits.job.as_deref(), set.open - waits.open), (Some("queued"), cap));
    assert_eq!(u64::try_from(world.sent("PATCH")).unwrap(), cap);
    let [told] = &server.caps().await.unwrap()[..] else { panic!("one cap") };
    assert_eq!((told.writes_a_day, told.written_today), (cap, cap));

    // The next day; and what a run does not send of it is there for others.
    own.execute("UPDATE crm.caps SET day = day - 1, writes_a_day = 5000", &[]).await.unwrap();
    assert_eq!(until(&server, "memos", "done").await.open, 0);
    let [told] = &server.caps().await.unwrap()[..] else { panic!("one cap") };
    assert_eq!(told.written_today, set.open - cap);
    assert!(server.remove_cap(&set.site).await.unwrap());
    assert!(!server.remove_cap(&set.site).await.unwrap());
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_that_is_paused_waits_until_it_is_resumed() {
    let Some(cluster) = Cluster::start() else { return };
    let world = world(Seed::Count(1_500)).await;
    let server = Server::connect(&cluster.url()).await.unwrap();
    let engine = look_into(&cluster.url()).await;
    let file = world.plan(&all_memos(&world), "memos.crm").await;
    let set = server.push(file, "memos").await.unwrap().set;
    let tenant = Tenants::One(set.site.tenant());

    server.pause(Tenants::All, "Dana", Some("an audit")).await.unwrap();
    server.pause(tenant, "Dana", None).await.unwrap();
    server.submit(&set, Submission::new(), "the test").await.unwrap();
    world.sandbox.inject(FaultPlan::new().random(Fault::Delay { milliseconds: 400 }, 1.0));
    let worker = Running::start(&world, &server, 0, false, FIVE_MINUTES);
    until_so("its job was let go", async || {
        let jobs = engine.query_one("SELECT count(*) FROM crm_jobs.jobs", &[]).await.unwrap();
        jobs.get::<_, i64>(0) == 0
    })
    .await;
    assert!(server.resume(Tenants::All).await.unwrap());
    assert!(!server.resume(Tenants::All).await.unwrap());
    let [pause] = &server.pauses().await.unwrap()[..] else { panic!("the tenant's own remains") };
    assert_eq!((pause.tenants, pause.by.as_str()), (tenant, "Dana"));
    let [listed] = &server.tenants().await.unwrap()[..] else { panic!("one tenant") };
    assert_eq!((listed.is_paused, listed.queued, listed.open), (true, 1, set.open));
    assert_eq!(world.sent("PATCH"), 0);

    assert!(server.resume(tenant).await.unwrap());
    until_so("it is carried out", async || world.sent("PATCH") > 0).await;
    server.pause(Tenants::All, "Dana", None).await.unwrap();
    until_so("it is let go", async || server.set("memos").await.unwrap().owner.is_none()).await;
    let (open, sent) = (server.set("memos").await.unwrap().open, world.sent("PATCH"));
    assert!(open > 0, "the pause came too late for this test");
    assert_eq!(set.open - open, u64::try_from(sent).unwrap(), "each that was sent is recorded");

    world.sandbox.inject(FaultPlan::new());
    server.resume(Tenants::All).await.unwrap();
    assert_eq!(until(&server, "memos", "done").await.open, 0);
    assert_eq!(u64::try_from(world.sent("PATCH")).unwrap(), set.open);
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_whose_submission_was_cut_off_gets_its_job_when_a_worker_starts() {
    let Some(cluster) = Cluster::start() else { return };
    let world = world(Seed::Demo).await;
    let server = Server::connect(&cluster.url()).await.unwrap();
    let set = server.push(world.plan(ROWS, "set.crm").await, "memos").await.unwrap().set;
    server.submit(&set, Submission::new(), "the test").await.unwrap();
    let engine = look_into(&cluster.url()).await;
    let lost = engine.execute("DELETE FROM crm_jobs._private_jobs", &[]).await.unwrap();
    assert_eq!(lost, 1);
    let worker = Running::start(&world, &server, 0, false, FIVE_MINUTES);
    until(&server, "memos", "done").await;
    worker.stop().await;
}
