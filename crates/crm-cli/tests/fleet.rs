//! Change sets on a server: `crm push`, `crm pull` and `crm fleet`.
#![cfg(all(unix, feature = "fleet"))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../../crm-fleet/tests/common/cluster.rs"]
#[allow(dead_code, reason = "no server crashes here")]
mod cluster;
mod common;

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use cluster::Cluster;
use common::{Service, stderr, stdout};
use crm_fleet::{Accounts, AnyService, CrmProgram, NoAccount, Server, Site, Variables, Worker};
use crm_sandbox::{Fault, FaultPlan, FaultRule};
use serde_json::Value;

const ROWS: &str = "location_id,contact_id,memo\n2001,3001,one\n2001,3002,two\n";

#[test]
fn a_set_goes_to_a_server_and_comes_back() {
    let Some(cluster) = Cluster::start() else { return };
    let (service, url) = (Service::start(), cluster.url());
    let folder = service.home.path();
    let [rows, set, back] = ["rows.csv", "june.crm", "back.crm"].map(|name| folder.join(name));
    std::fs::write(&rows, ROWS).unwrap();
    let [rows, set, back] = [&rows, &set, &back].map(|path| path.display().to_string());
    service.ok(&format!("plan {rows} --out {set}"));
    let told = service.json(&format!("status {set}"));

    let pushed = service.ok(&format!("push {set} --to {url}"));
    assert!(pushed.starts_with("june is on "), "{pushed}");
    assert!(pushed.contains("with 2 changes open; digest "), "{pushed}");
    let refused = service.crm(&format!("--yes apply {set}")).assert().code(2);
    assert!(stderr(&refused).contains("take it back with `crm pull`"), "{}", stderr(&refused));
    let shown = service.ok(&format!("status {set}"));
    assert!(shown.contains("was moved to"), "{shown}");
    let again = service.crm(&format!("push {set} --to {url}")).assert().success();
    assert!(stderr(&again).contains("had arrived"), "{}", stderr(&again));

    let mut sets = service.crm("fleet sets --output json");
    let sets = stdout(&sets.env("CRM_FLEET_URL", &url).assert().success());
    let sets: Value = serde_json::from_str(&sets).unwrap();
    assert_eq!((&sets[0]["name"], &sets[0]["open"]), (&"june".into(), &2.into()));
    assert_eq!(sets[0]["place"], "here");

    let env = |command: String| {
        let mut command = service.crm(&command);
        command.env("CRM_FLEET_URL", &url);
        command
    };
    env("fleet submit june --require-approval".to_owned()).assert().success();
    let queued = stdout(&env("fleet sets".to_owned()).assert().success());
    assert!(queued.contains("queued"), "{queued}");

    let answer = |command: &str| stdout(&env(command.to_owned()).assert().success());
    assert!(answer("fleet status").contains("1 set queued, 0 being applied, 0 held"));
    answer("fleet pause --all --reason audit");
    let paused = answer("fleet status");
    assert!(paused.contains(": all tenants, by ") && paused.contains(": audit"), "{paused}");
    let paused: Value = serde_json::from_str(&answer("fleet status --output json")).unwrap();
    assert_eq!(paused["pauses"][0]["tenant"], Value::Null);
    let tenants: Value = serde_json::from_str(&answer("fleet tenants --output json")).unwrap();
    assert_eq!((&tenants[0]["paused"], &tenants[0]["queued"]), (&true.into(), &1.into()));
    env("fleet pause".to_owned()).assert().code(2);
    let other = env("fleet resume 7".to_owned()).assert().code(2);
    assert!(stderr(&other).contains("tenant 7: not paused"), "{}", stderr(&other));
    answer("fleet resume --all");
    assert!(!answer("fleet status").contains("paused"));

    answer("fleet cancel june");
    let watched = env("fleet watch june".to_owned()).assert().code(11);
    assert!(stderr(&watched).contains("june: cancelled: cancelled by"), "{}", stderr(&watched));
    let watched = stdout(&env("fleet watch june --output json".to_owned()).assert().code(11));
    let watched: Value = serde_json::from_str(&watched).unwrap();
    assert!(watched.to_string().contains("june: cancelled: cancelled by"), "{watched}");
    let again = env("fleet cancel june".to_owned()).assert().code(2);
    assert!(stderr(&again).contains("is cancelled, so there is nothing"), "{}", stderr(&again));

    let pulled = service.json(&format!("pull june --from {url} --out {back}"));
    assert_eq!(pulled["open"], 2);
    let back_told = service.json(&format!("status {back}"));
    assert_eq!(back_told["totals"], told["totals"]);
    service.ok(&format!("--yes apply {back}"));
    let other = folder.join("other.crm");
    let gone = env(format!("pull june --out {}", other.display())).assert().code(2);
    assert!(stderr(&gone).contains("back.crm, where it is applied"), "{}", stderr(&gone));
}

#[test]
fn what_is_wrong_with_a_server_is_told_without_its_password() {
    let service = Service::start();
    let told = |command: &str, code: i32| {
        let told = service.crm(command).assert().code(code);
        let told = stderr(&told);
        assert!(!told.contains("hunter2"), "{told}");
        told
    };
    let unnamed = told("fleet sets", 2);
    assert!(unnamed.contains("CRM_FLEET_URL"), "{unnamed}");
    let remote =
        told("fleet sets --server postgres://crm:hunter2@db.example/fleet?sslmode=verify-ca", 2);
    assert!(remote.contains("sslrootcert=FILE"), "{remote}");
    let folder = service.home.path().display().to_string().replace('/', "%2F");
    told(&format!("fleet sets --server postgres://crm:hunter2@{folder}/fleet"), 5);
}

/// The sandbox's credentials for the command, and none for sets.
#[derive(Debug, Clone)]
struct Credentials(Vec<(&'static str, String)>);

#[async_trait]
impl Accounts for Credentials {
    async fn service(&self, _: &Site) -> Result<AnyService, NoAccount> {
        Err(NoAccount { reason: "no sets here".to_owned(), passes: false })
    }
}

#[async_trait]
impl Variables for Credentials {
    async fn variables(&self, _: &Site) -> Result<Vec<(&'static str, String)>, NoAccount> {
        Ok(self.0.clone())
    }
}

/// A worker with a home volume in this process, until it is dropped.
fn worker(service: &Service, url: &str) -> tokio::runtime::Runtime {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.spawn(work(account(service), service.home.path().to_owned(), url.to_owned()));
    runtime
}

fn account(service: &Service) -> Vec<(&'static str, String)> {
    service.environment().into_iter().filter(|(name, _)| *name != "CRM_TENANT").collect()
}

async fn work(account: Vec<(&'static str, String)>, home: PathBuf, url: String) {
    let account = Credentials(account);
    let program = CrmProgram::new(env!("CARGO_BIN_EXE_crm"), account.clone()).home("main", home);
    let server = Server::connect(&url).await.unwrap();
    Worker::new(server, account).desks(program).run(std::future::pending()).await.unwrap();
}

/// What a worker of its own process is told.
const WORKS: &str = "CRM_TEST_WORKS";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "it is the process that another test kills"]
async fn a_worker_that_is_killed() {
    let Ok(told) = std::env::var(WORKS) else { return };
    let (account, home, url): (Vec<(String, String)>, _, _) = serde_json::from_str(&told).unwrap();
    let leak = |(name, value): (String, String)| (&*name.leak(), value);
    work(account.into_iter().map(leak).collect(), home, url).await;
}

#[test]
fn what_a_worker_began_at_a_desk_ends_when_the_worker_is_killed() {
    let Some(cluster) = Cluster::start() else { return };
    let (service, url) = (Service::start(), cluster.url());
    let home = service.home.path();
    std::fs::write(home.join(".crm-home"), "main").unwrap();
    let desk = |command: &str| {
        let mut command = service.crm(command);
        command.env("CRM_FLEET_URL", &url).env("CRM_DESKS", home);
        command
    };
    desk("fleet home set main").assert().success();
    desk("fleet desk mirror").assert().success();
    // It waits for its first answer, and has the mirror for itself meanwhile.
    let endless = Fault::Delay { milliseconds: 600_000 };
    let first = FaultRule::new(endless).operation("Token");
    service.sandbox.inject(FaultPlan::new().rule(first));
    let told = serde_json::to_string(&(account(&service), home, &url)).unwrap();
    let mut worker = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_worker_that_is_killed", "--ignored"])
        .env(WORKS, told)
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while service.sandbox.faults_injected().is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(60), "the worker begins nothing");
        std::thread::sleep(Duration::from_millis(20));
    }
    worker.kill().unwrap();
    worker.wait().unwrap();
    let limit = Duration::from_secs(120);
    desk("mirror update").timeout(limit).assert().success();
    assert!(stdout(&desk("fleet status").assert().success()).contains("1 being done"));
}

#[test]
fn a_worker_updates_a_mirror_plans_rows_and_carries_out_wishes_with_this_command() {
    let Some(cluster) = Cluster::start() else { return };
    let (service, url) = (Service::start(), cluster.url());
    let home = service.home.path();
    std::fs::write(home.join(".crm-home"), "main").unwrap();
    std::fs::write(home.join("rows.csv"), ROWS).unwrap();
    let env = |command: &str| {
        let mut command = service.crm(command);
        command.env("CRM_FLEET_URL", &url).env("CRM_DESKS", home);
        command
    };
    let answer = |command: &str| stdout(&env(command).assert().success());
    let homeless = env("fleet desk mirror").assert().code(2);
    assert!(stderr(&homeless).contains("crm fleet home set NAME"), "{}", stderr(&homeless));
    env("fleet home set a/b").assert().code(2);
    answer("fleet home set main");
    assert!(answer("fleet home list").contains("main"));
    let wish = r#"consent add "(818) 555-0142" --said STOP --by dana"#;
    answer(wish);

    answer("fleet desk mirror");
    let told = answer("fleet status");
    assert!(told.contains("1 job waits for the home main, which no worker has"), "{told}");
    answer("fleet desk plan rows.csv --name june");
    answer("fleet desk consent");
    env("fleet desk plan -").assert().code(2);
    env("fleet desk plan missing.csv").assert().code(1);
    let _worker = worker(&service, &url);
    let deadline = Instant::now() + Duration::from_secs(60);
    let jobs: Value = loop {
        let jobs: Value = serde_json::from_str(&answer("fleet desk list --output json")).unwrap();
        if jobs.as_array().unwrap().iter().all(|job| job["job"] == "done") {
            break jobs;
        }
        assert!(Instant::now() < deadline, "{jobs}");
        std::thread::sleep(Duration::from_millis(100));
    };
    // The newest first.
    let last: Vec<_> = (0..3).map(|at| jobs[at]["summary"].as_str().unwrap()).collect();
    assert!(last[0].starts_with("done: 1 set, 0 due"), "{last:?}");
    assert_eq!(last[1], "2 changes");
    assert!(last[2].contains("contacts of"), "{last:?}");
    let sets: Value = serde_json::from_str(&answer("fleet sets --output json")).unwrap();
    assert_eq!((&sets[0]["name"], &sets[0]["open"]), (&"june".into(), &2.into()));
    assert!(service.writes().contains(&"PATCH".to_owned()), "{:?}", service.writes());
    assert!(answer("fleet status").contains("at desks: 0 jobs queued, 0 being done, 0 held"));

    answer("fleet cap set 500");
    let caps: Value = serde_json::from_str(&answer("fleet cap list --output json")).unwrap();
    assert_eq!((&caps[0]["writesADay"], &caps[0]["writtenToday"]), (&500.into(), &0.into()));
    answer("fleet cap rm");
    env("fleet cap rm").assert().code(2);

    let over = env("fleet desk cancel 1").assert().code(2);
    assert!(stderr(&over).contains("job 1: there is none that waits"), "{}", stderr(&over));
    let taken = env("fleet desk plan rows.csv --name june").assert().code(2);
    assert!(stderr(&taken).contains("has a set \"june\" already"), "{}", stderr(&taken));
    answer("fleet home rm");
    env("fleet home rm").assert().code(2);
}

#[test]
fn what_is_planned_can_go_to_a_server_at_once() {
    let Some(cluster) = Cluster::start() else { return };
    let (service, url) = (Service::start(), cluster.url());
    std::fs::write(service.home.path().join("rows.csv"), ROWS).unwrap();
    let told = service.ok(&format!("plan rows.csv --out june.crm --push june --to {url}"));
    assert!(told.contains(" as june\nnext: crm fleet submit june\n"), "{told}");
    let moved = service.crm("--yes apply june.crm").assert().code(2);
    assert!(stderr(&moved).contains("crm pull"), "{}", stderr(&moved));
    // Another set of this name is told before anything is planned.
    let again = format!("plan rows.csv --out july.crm --push june --to {url}");
    let taken = service.crm(&again).assert().code(2);
    assert!(stderr(&taken).contains("has a set \"june\" already"), "{}", stderr(&taken));
    assert!(!service.home.path().join("july.crm").exists());
    service.ok("plan rows.csv --out own.crm");
    service.ok("--yes apply own.crm");
    let nothing = service.ok(&format!("plan rows.csv --out august.crm --push august --to {url}"));
    assert!(!nothing.contains("moved to"), "{nothing}");
    service.crm("plan rows.csv --to postgres://localhost/x").assert().code(2);
}
