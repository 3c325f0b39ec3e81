//! Jobs that need a tenant's desk are done where its home volume is, by a program that stands in for `crm`.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails so")]

mod common;

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf, time::Duration};

use async_trait::async_trait;
use common::{cluster::Cluster, until_so};
use crm_bulk::Site;
use crm_fleet::{
    Accounts, AnyService, CrmProgram, DeskJob, DeskJobId, DeskTask, FleetError, NoAccount, Rows,
    Server, Tenants, Variables, Worker,
};
use crm_models::TenantId;
use tempfile::TempDir;
use tokio::{sync::oneshot, task::JoinHandle};

/// Credentials for the program, and for no set.
#[derive(Debug, Clone)]
struct Secrets;

#[async_trait]
impl Accounts for Secrets {
    async fn service(&self, _: &Site) -> Result<AnyService, NoAccount> {
        Err(NoAccount { reason: "no sets here".to_owned(), passes: false })
    }
}

#[async_trait]
impl Variables for Secrets {
    async fn variables(&self, _: &Site) -> Result<Vec<(&'static str, String)>, NoAccount> {
        Ok(vec![("CRM_CLIENT_SECRET", "s3cr3t".to_owned())])
    }
}

fn site(tenant: i64) -> Site {
    Site::new(TenantId::new(tenant).unwrap(), "https://api.example")
}

/// A volume with a program on it that does what this script says.
struct Volume {
    folder: TempDir,
    program: CrmProgram,
}

impl Volume {
    fn new(name: &str, script: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(".crm-home"), format!("{name}\n")).unwrap();
        let program = folder.path().join("crm");
        fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).unwrap();
        let program = CrmProgram::new(program, Secrets).home(name, folder.path());
        Self { folder, program }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What the program wrote into a file of this name.
    fn told(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }
}

/// A worker in this process; stopped when this is dropped.
struct Running(Option<oneshot::Sender<()>>, JoinHandle<()>);

impl Running {
    fn start(server: &Server, volume: &Volume) -> Self {
        let worker = Worker::new(server.clone(), Secrets).desks(volume.program.clone());
        let worker = worker.grace(Duration::from_secs(20));
        let (stop, stopped) = oneshot::channel::<()>();
        let run = async move { worker.run(async { drop(stopped.await) }).await.unwrap() };
        Self(Some(stop), tokio::spawn(run))
    }

    async fn stop(mut self) {
        self.0.take().unwrap().send(()).unwrap();
        self.1.await.unwrap();
    }
}

async fn job(server: &Server, id: DeskJobId) -> DeskJob {
    server.desk_jobs().await.unwrap().into_iter().find(|job| job.id == id).unwrap()
}

/// Waits until a job is in this state.
async fn until(server: &Server, id: DeskJobId, state: &str) -> DeskJob {
    until_so(&format!("job {id} is {state}"), async || job(server, id).await.state == state).await;
    job(server, id).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_waits_for_a_worker_that_has_its_volume_and_that_is_told() {
    let Some(cluster) = Cluster::start() else { return };
    let server = Server::connect(&cluster.url()).await.unwrap();
    let refused = server.submit_to_desk(&site(1), &DeskTask::Mirror, "the test").await;
    assert!(matches!(refused, Err(FleetError::NoHome { tenant: 1, .. })), "{refused:?}");
    server.set_home(&site(1), "west").await.unwrap();
    server.set_home(&site(2), "east").await.unwrap();
    let there = server.submit_to_desk(&site(1), &DeskTask::Mirror, "the test").await.unwrap();
    let here = server.submit_to_desk(&site(2), &DeskTask::Mirror, "the test").await.unwrap();
    let again = server.submit_to_desk(&site(2), &DeskTask::Mirror, "the test").await.unwrap();
    assert_eq!(here, again, "a mirror is updated once for all who ask");

    let script = r#"env > env; echo "$@" > args
        echo '{"contacts": 3, "owners": 2, "note": "818-555-0142"}'"#;
    let east = Volume::new("east", script);
    let worker = Running::start(&server, &east);
    let done = until(&server, here, "done").await;
    assert_eq!(done.summary.as_deref(), Some("3 contacts of 2 customers and locations"));
    assert_eq!((done.reason, done.began_at), (None, None));
    assert_eq!(job(&server, there).await.state, "queued");
    let homes = server.homes().await.unwrap();
    let told = homes.iter().map(|home| (home.name.as_str(), home.workers, home.queued));
    assert_eq!(told.collect::<Vec<_>>(), [("east", 1, 0), ("west", 0, 1)]);
    assert_eq!(homes.iter().map(|home| home.is_missed()).collect::<Vec<_>>(), [false, true]);
    let workload = server.workload().await.unwrap().at_desks;
    assert_eq!((workload.queued, workload.running, workload.held), (1, 0, 0));

    // What the program gets of the worker's environment, and what nobody sees among its arguments.
    let (env, args) = (east.told("env"), east.told("args"));
    assert_eq!(args.trim(), "mirror update --output=json");
    for line in [
        "CRM_CLIENT_SECRET=s3cr3t",
        "CRM_TENANT=2",
        "CRM_END_WITH_READER=1",
        "CRM_API_URL=https://api.example",
        &format!("CRM_DESKS={}", east.folder.path().display()),
    ] {
        assert!(env.lines().any(|told| told == line), "no {line}: {env}");
    }
    assert!(!env.contains("CARGO_MANIFEST_DIR") && !env.contains("CRM_FLEET_URL"), "{env}");

    // The desk was moved to the volume that is there.
    server.set_home(&site(1), "east").await.unwrap();
    until(&server, there, "done").await;
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_volume_that_is_not_mounted_is_no_place_for_a_new_desk() {
    let Some(cluster) = Cluster::start() else { return };
    let server = Server::connect(&cluster.url()).await.unwrap();
    server.set_home(&site(1), "east").await.unwrap();
    let east = Volume::new("east", "touch ran; echo '{}'");
    assert_eq!(east.program.check(), Ok(()));
    fs::rename(east.path(".crm-home"), east.path("elsewhere")).unwrap();
    let told = east.program.check().unwrap_err();
    assert!(told.contains("is not mounted"), "{told}");
    let id = server.submit_to_desk(&site(1), &DeskTask::Consent, "the test").await.unwrap();
    let worker = Running::start(&server, &east);
    until_so("it is told", async || job(&server, id).await.reason.is_some()).await;
    let waits = job(&server, id).await;
    assert!(waits.state == "queued" && waits.reason.unwrap().contains("is not mounted"));
    assert!(!east.path("ran").exists());
    fs::rename(east.path("elsewhere"), east.path(".crm-home")).unwrap();
    until(&server, id, "done").await;
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_pass_comes_again_and_what_cannot_waits_for_a_person() {
    let Some(cluster) = Cluster::start() else { return };
    let server = Server::connect(&cluster.url()).await.unwrap();
    server.set_home(&site(1), "east").await.unwrap();
    // Unreachable, then held back by a limit, then done.
    let script = r#"echo >> runs
        case $(wc -l < runs) in
            1) echo '{"error": {"kind": "unreachable", "message": "no answer"}}'; exit 5;;
            2) echo '{"outcome": "held", "sets": [{"held": "12 changes"}]}'; exit 11;;
            *) echo '{"outcome": "done", "sets": [{}], "due": {"open": 0, "cannotBeSet": 0}}';;
        esac"#;
    let east = Volume::new("east", script);
    let worker = Running::start(&server, &east);
    let id = server.submit_to_desk(&site(1), &DeskTask::Consent, "the test").await.unwrap();
    until_so("it is told", async || job(&server, id).await.reason.is_some()).await;
    let held = until(&server, id, "held").await;
    assert_eq!(held.reason.as_deref(), Some("crm ended with 11: 12 changes"));
    assert_eq!(server.workload().await.unwrap().at_desks.held, 1);
    server.submit_to_desk(&site(1), &DeskTask::Consent, "the test").await.unwrap();
    let done = until(&server, id, "done").await;
    assert_eq!(done.summary.as_deref(), Some("done: 1 set, 0 due"));
    worker.stop().await;
}

/// Runs until it is asked to end, which it tells.
const ENDLESS: &str = r#"trap 'echo >> ended; exit 143' TERM
    echo >> runs
    [ $(wc -l < runs) -ge 3 ] && { echo '{}'; exit 0; }
    while :; do sleep 0.05; done"#;

#[tokio::test(flavor = "multi_thread")]
async fn the_program_is_asked_to_end_when_its_worker_is_to_stop_or_nobody_wants_it() {
    let Some(cluster) = Cluster::start() else { return };
    let server = Server::connect(&cluster.url()).await.unwrap();
    server.set_home(&site(1), "east").await.unwrap();
    let east = Volume::new("east", ENDLESS);
    let id = server.submit_to_desk(&site(1), &DeskTask::Mirror, "the test").await.unwrap();
    let runs = |wanted: usize| {
        let told = east.told("runs").lines().count();
        std::future::ready(told == wanted)
    };
    let worker = Running::start(&server, &east);
    until_so("it runs", async || runs(1).await).await;
    assert_eq!(server.workload().await.unwrap().at_desks.running, 1);
    worker.stop().await;
    assert_eq!(east.told("ended").lines().count(), 1);
    let waits = job(&server, id).await;
    assert_eq!((waits.state.as_str(), waits.reason), ("queued", None));

    let worker = Running::start(&server, &east);
    until_so("it runs elsewhere", async || runs(2).await).await;
    server.pause(Tenants::All, "Dana", None).await.unwrap();
    until_so("it ends", async || east.told("ended").lines().count() == 2).await;
    until_so("it is let go", async || job(&server, id).await.began_at.is_none()).await;
    server.resume(Tenants::All).await.unwrap();
    until(&server, id, "done").await;
    assert!(!server.cancel_at_desk(id, "Dana").await.unwrap(), "it is over");
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_cancelled_ends_and_what_is_asked_for_meanwhile_is_done_anew() {
    let Some(cluster) = Cluster::start() else { return };
    let server = Server::connect(&cluster.url()).await.unwrap();
    server.set_home(&site(1), "east").await.unwrap();
    let script = r#"echo "$@" >> runs
        while ! [ -e go ]; do sleep 0.05; done; echo '{"open": 2}'"#;
    let east = Volume::new("east", script);
    let worker = Running::start(&server, &east);
    let id = server.submit_to_desk(&site(1), &DeskTask::Mirror, "the test").await.unwrap();
    until_so("it runs", async || !east.told("runs").is_empty()).await;
    // The run may have passed by what this one asks for.
    server.submit_to_desk(&site(1), &DeskTask::Mirror, "the test").await.unwrap();
    let rows = Rows::csv("june", "location_id,contact_id,memo\n1,2,secret\n");
    let plan = DeskTask::Plan(rows.skip_invalid());
    let plan = server.submit_to_desk(&site(1), &plan, "the test").await.unwrap();
    assert!(server.cancel_at_desk(plan, "Dana").await.unwrap());
    fs::write(east.path("go"), "").unwrap();
    until(&server, id, "done").await;
    assert_eq!(east.told("runs").lines().count(), 2);
    let cancelled = job(&server, plan).await;
    assert_eq!(cancelled.reason.as_deref(), Some("cancelled by Dana"));

    let rows = Rows::ndjson("june", "{}").select_by_value();
    let plan = server.submit_to_desk(&site(1), &DeskTask::Plan(rows), "the test").await.unwrap();
    let done = until(&server, plan, "done").await;
    assert_eq!((done.set.as_deref(), done.summary.as_deref()), (Some("june"), Some("2 changes")));
    let planned = "plan - --push=june --ndjson --select-by-value --output=json";
    assert_eq!(east.told("runs").lines().last(), Some(planned));
    worker.stop().await;
}
