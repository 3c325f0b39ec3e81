//! Processes that share one set on the server are killed and stopped, the server crashes, and the
//! service fails, until the set is done; then the service's data is exactly what the input asks for.
//! Its own main: it starts itself again as the processes that apply.
//!
//! How often each happens is what `CRM_FLEET_KILLS`, `CRM_FLEET_PAUSES` and `CRM_FLEET_CRASHES` say,
//! and `CRM_FLEET_CONTACTS` how many contacts there are; `CRM_FLEET_SEED` repeats a run.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails so")]

mod common;

use std::{
    collections::{BTreeSet, HashMap},
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use common::{cluster::Cluster, *};
use crm_bulk::{Apply, BulkError, Event, Selection, State, StopReason};
use crm_fleet::{Server, Submission, Worker};
use crm_sandbox::{Fault, FaultPlan, Seed, StoredContact};
use futures_util::TryStreamExt;
use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};

/// Short, so that a test need not wait for long.
const LEASE: Duration = Duration::from_secs(1);
/// The sandbox is done with a request as soon as it cuts off the answer, or the client is gone.
const SERVER_TIMEOUT: Duration = Duration::from_secs(2);
const NAME: &str = "chaos";
const TASK: &str = "CRM_FLEET_CHILD";
/// How many processes there are at a time.
const WORKERS: usize = 3;

fn main() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    match std::env::var(TASK) {
        Ok(task) => runtime.block_on(async {
            let task = serde_json::from_str::<Task>(&task).unwrap();
            if task.works { work(task).await } else { apply(task).await }
        }),
        // Test runners ask for a list of tests.
        Err(_) if std::env::args().any(|argument| argument == "--list") => {}
        Err(_) => runtime.block_on(async {
            chaos().await;
            take_over().await;
            println!("test result: ok. 2 passed; 0 failed");
        }),
    }
}

/// What a child is told in its environment.
#[derive(Serialize, Deserialize)]
struct Task {
    url: String,
    api: String,
    tenant: i64,
    keys: [String; 3],
    /// As a worker, to which the engine hands jobs.
    works: bool,
}

impl Task {
    fn of(cluster: &Cluster, world: &World, works: bool) -> String {
        let connection = world.sandbox.connection();
        let keys = [&connection.client_id, &connection.client_secret, &connection.app_key];
        let keys = keys.map(Clone::clone);
        let (url, api, tenant) = (cluster.url(), connection.api_url.clone(), connection.tenant);
        serde_json::to_string(&Self { url, api, tenant, keys, works }).unwrap()
    }

    fn service(&self) -> Service {
        service_at(&self.api, self.tenant, self.keys.each_ref().map(String::as_str))
    }
}

/// The child: a worker.
async fn work(task: Task) {
    let server = Server::connect(&task.url).await.unwrap();
    let worker = Worker::new(server, OneAccount(task.service()));
    worker.run(std::future::pending()).await.unwrap();
}

/// The child: takes the set whenever it is free, and applies it until nothing is open.
async fn apply(task: Task) {
    let service = task.service();
    loop {
        let applied = async {
            let server = Server::connect(&task.url).await.map_err(|error| error.to_string())?;
            let set = server.set(NAME).await.map_err(|error| error.to_string())?;
            if set.open == 0 {
                return Ok(true);
            }
            let store = server.store(&set).lease(LEASE);
            let apply = Apply::over(store, NAME, set.site.clone()).server_timeout(SERVER_TIMEOUT);
            let run = async {
                let mut events = apply.run(&service, &set.site)?;
                while let Some(event) = events.try_next().await? {
                    match event {
                        Event::Started { .. } => println!("took {}", millis()),
                        Event::Finished(finished) if finished.reason == StopReason::Superseded => {
                            println!("refused");
                        }
                        _ => {}
                    }
                }
                Ok::<_, BulkError>(())
            };
            match run.await {
                Err(BulkError::InUse { .. }) | Ok(()) => Ok(false),
                Err(BulkError::Superseded { .. }) => {
                    println!("refused");
                    Ok(false)
                }
                Err(error) => Err(error.to_string()),
            }
        };
        match applied.await {
            Ok(true) => return,
            Ok(false) => {}
            // The server starts again.
            Err(_) => {}
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// The time of day in milliseconds, by which processes are compared.
fn millis() -> u128 {
    std::time::UNIX_EPOCH.elapsed().unwrap().as_millis()
}

/// The children, each with its report; dropped, they are killed.
struct Workers {
    task: String,
    folder: PathBuf,
    running: Vec<Child>,
    started: usize,
}

impl Drop for Workers {
    fn drop(&mut self) {
        for child in &mut self.running {
            // It may be gone already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Workers {
    fn start(task: String, world: &World) -> Self {
        let folder = world.folder.path().to_owned();
        let mut workers = Self { task, folder, running: Vec::new(), started: 0 };
        workers.fill();
        workers
    }

    fn fill(&mut self) {
        while self.running.len() < WORKERS {
            self.started += 1;
            let report = self.folder.join(format!("report {}", self.started));
            let child = Command::new(std::env::current_exe().unwrap())
                .env(TASK, &self.task)
                .stdout(File::create(report).unwrap())
                .stderr(Stdio::null())
                .spawn();
            self.running.push(child.unwrap());
        }
    }

    fn kill(&mut self, which: usize) {
        let mut child = self.running.remove(which);
        child.kill().unwrap();
        child.wait().unwrap();
        self.fill();
    }

    fn signal(&self, which: usize, signal: Signal) {
        kill_process(Pid::from_child(&self.running[which]), signal).unwrap();
    }

    fn lines(&self) -> Vec<String> {
        let reports = (1..=self.started).map(|number| self.folder.join(format!("report {number}")));
        let texts = reports.map(|report| std::fs::read_to_string(report).unwrap());
        texts.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>()).collect()
    }
}

async fn chaos() {
    let Some(mut cluster) = Cluster::start() else { return };
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seed = number("CRM_FLEET_SEED").unwrap_or_else(|| fastrand::u64(..));
    let [kills, pauses, crashes] = [("KILLS", 5), ("PAUSES", 3), ("CRASHES", 1)]
        .map(|(name, usual)| number(&format!("CRM_FLEET_{name}")).unwrap_or(usual));
    let contacts = number("CRM_FLEET_CONTACTS").unwrap_or(300);
    println!("chaos: {kills} kills, {pauses} pauses, {crashes} crashes, CRM_FLEET_SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);

    let world = world(Seed::Count(contacts.try_into().unwrap())).await;
    let set = world.plan(&rows(&world), "set.crm").await;
    let server = Server::connect(&cluster.url()).await.unwrap();
    server.push(set, NAME).await.unwrap();
    world.sandbox.clear_log();
    world.sandbox.inject(FaultPlan::mixed(random.u64(..), 0.05, 1));

    let mut workers = Workers::start(Task::of(&cluster, &world, false), &world);
    let mut acts: Vec<_> = std::iter::empty()
        .chain((0..pauses).map(|_| 'p'))
        .chain((0..kills).map(|_| 'k'))
        .chain((0..crashes).map(|_| 'c'))
        .collect();
    // One pause first, however soon the set is done.
    if let [_, rest @ ..] = &mut acts[..] {
        random.shuffle(rest);
    }
    for act in acts {
        tokio::time::sleep(Duration::from_millis(random.u64(200..600))).await;
        // The one that has the set: the others do nothing.
        let Some(owner) = some_owner(&server, &workers).await else { break };
        match act {
            'k' => workers.kill(owner),
            'p' => {
                workers.signal(owner, Signal::STOP);
                succeeded(&server, &workers, owner).await;
                workers.signal(owner, Signal::CONT);
            }
            _ => cluster.crash(),
        }
    }
    let deadline = Instant::now() + Duration::from_secs(240);
    while workers.running.iter_mut().any(|child| child.try_wait().unwrap().is_none()) {
        assert!(Instant::now() < deadline, "no end: {:?}", workers.lines());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }

    world.sandbox.inject(FaultPlan::new());
    let set = server.set(NAME).await.unwrap();
    let last = Apply::over(server.store(&set), NAME, set.site.clone()).retry_failed();
    world.apply(last.server_timeout(SERVER_TIMEOUT)).await.unwrap();
    let late = server.late_answers(&set).await.unwrap().len();
    let lines = workers.lines();
    let refused = lines.iter().filter(|line| *line == "refused").count();
    let changes = done_once(&world, &server).await;
    println!(
        "  {changes} changes; runs that the fence refused: {refused}; answers too late: {late}"
    );
    assert!(pauses == 0 || refused > 0, "no pause hit a run: {lines:?}");
}

/// Waits until another one has the set than this one, which stands still, or there is nothing to do.
async fn succeeded(server: &Server, workers: &Workers, stopped: usize) {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        if server.set(NAME).await.is_ok_and(|set| set.open == 0) {
            return;
        }
        match owner(server, workers).await {
            Some(owner) if owner != stopped => return,
            _ => tokio::time::sleep(Duration::from_millis(20)).await,
        }
        assert!(Instant::now() < deadline, "the stopped one keeps the set: {:?}", workers.lines());
    }
}

/// A worker that has the set is killed: another one goes on with it.
async fn take_over() {
    let Some(cluster) = Cluster::start() else { return };
    let world = world(Seed::Count(600)).await;
    // A creation that is in flight then is waited for as long as the vendor may take.
    let rows = rows(&world);
    let rows: Vec<_> = rows.lines().filter(|row| !row.contains(",create,")).collect();
    let set = world.plan(&rows.join("\n"), "set.crm").await;
    let server = Server::connect(&cluster.url()).await.unwrap();
    let set = server.push(set, NAME).await.unwrap().set;
    world.sandbox.clear_log();
    world.sandbox.inject(FaultPlan::new().random(Fault::Delay { milliseconds: 300 }, 1.0));
    server.submit(&set, Submission::new(), "the test").await.unwrap();
    let mut workers = Workers::start(Task::of(&cluster, &world, true), &world);
    let deadline = Instant::now() + Duration::from_secs(120);
    let first = loop {
        assert!(Instant::now() < deadline, "no worker takes the set");
        let begun = server.set(NAME).await.unwrap().open < set.open;
        match owner(&server, &workers).await {
            Some(owner) if begun => break owner,
            _ => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    };
    workers.kill(first);
    let killed = Instant::now();
    while owner(&server, &workers).await.is_none() {
        assert!(Instant::now() < deadline, "no worker takes the set over");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    println!("take_over: after {:.1} s", killed.elapsed().as_secs_f64());
    world.sandbox.inject(FaultPlan::new());
    let limit = Instant::now() + Duration::from_secs(240);
    while server.set(NAME).await.unwrap().job.as_deref() != Some("done") {
        assert!(Instant::now() < limit, "no end: {:?}", server.set(NAME).await.unwrap());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    drop(workers);
    for (_, contact) in stored(&world) {
        assert_eq!(contact.memo, Some(format!("changed {}", contact.id)));
    }
}

/// Which worker has the set, once one has it; `None` if there is nothing left to do.
async fn some_owner(server: &Server, workers: &Workers) -> Option<usize> {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        if server.set(NAME).await.is_ok_and(|set| set.open == 0) {
            return None;
        }
        if let Some(owner) = owner(server, workers).await {
            return Some(owner);
        }
        assert!(Instant::now() < deadline, "nobody takes the set");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Which worker has the set.
async fn owner(server: &Server, workers: &Workers) -> Option<usize> {
    let owner = server.set(NAME).await.ok()?.owner?;
    workers.running.iter().position(|child| owner == format!("process {}", child.id()))
}

/// Every contact is changed, and one created beside it.
fn rows(world: &World) -> String {
    let mut rows = "location_id,customer_id,contact_id,action,type,value,memo\n".to_owned();
    for (kind, contact) in stored(world) {
        let (owner, id) = (contact.owner_id, contact.id);
        let owner = if kind == "customer" { format!(",{owner}") } else { format!("{owner},") };
        rows += &format!("{owner},{id},,,,changed {id}\n");
        rows += &format!("{owner},,create,Email,new{id}-{kind}@site.example,\n");
    }
    rows
}

fn stored(world: &World) -> Vec<(&'static str, StoredContact)> {
    let customers = world.sandbox.customer_contacts().unwrap().into_iter();
    let locations = world.sandbox.location_contacts().unwrap().into_iter();
    let all = customers.map(|it| ("customer", it)).chain(locations.map(|it| ("location", it)));
    all.filter(|(_, contact)| contact.active).collect()
}

/// Everything that the set asks for is so, nothing is there twice, every write was claimed before, and
/// the set says of each change that it is done.
async fn done_once(world: &World, server: &Server) -> usize {
    let is_new = |contact: &StoredContact| {
        contact.value.ends_with("@site.example") && contact.value.starts_with("new")
    };
    let (created, others): (Vec<_>, Vec<_>) =
        stored(world).into_iter().map(|(_, contact)| contact).partition(is_new);
    for contact in &others {
        assert_eq!(contact.memo, Some(format!("changed {}", contact.id)));
    }
    let values: BTreeSet<_> = created.iter().map(|contact| &contact.value).collect();
    assert_eq!((values.len(), created.len()), (others.len(), others.len()), "nothing is doubled");

    let pulled = server.pull(NAME, &world.path("back.crm")).await.unwrap();
    let mut sent = HashMap::<String, u32>::new();
    for entry in world.sandbox.log() {
        // One that the service refused may be repeated under the same claim.
        if entry.method != "GET" && (200..300).contains(&entry.status) {
            *sent.entry(format!("{} {}", entry.method, entry.path)).or_default() += 1;
        }
    }
    let mut creations = HashMap::<String, u32>::new();
    let mut changes = 0;
    for change in pulled.set.changes(&Selection::all()) {
        let change = change.unwrap();
        changes += 1;
        assert_eq!(change.outcome.state, State::Done, "{:?}", change.outcome);
        let (kind, owner) = (change.target.kind(), change.target.owner_text());
        let path = format!("/crm/v2/tenant/1001/{kind}s/{owner}/contacts");
        let attempts = change.outcome.attempts;
        if change.action.name() == "create" {
            *creations.entry(format!("POST {path}")).or_default() += attempts;
        } else {
            let contact = change.target.contact_text().unwrap();
            let times = sent.get(&format!("PATCH {path}/{contact}")).copied().unwrap_or_default();
            assert!(times <= attempts, "sent {times} times, claimed {attempts}: {}", change.id);
        }
    }
    for (path, attempts) in creations {
        let times = sent.get(&path).copied().unwrap_or_default();
        assert!(times <= attempts, "{path}: sent {times} times, claimed {attempts}");
    }
    assert!(Path::new(&world.path("back.crm")).exists());
    changes
}
