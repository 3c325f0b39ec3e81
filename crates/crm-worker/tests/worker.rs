//! The program as a supervisor sees it: started with settings, asked about its health, told to end.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../../crm-fleet/tests/common/cluster.rs"]
#[allow(dead_code, reason = "not each test has its server crash")]
mod cluster;
#[path = "fleet/redis.rs"]
#[allow(dead_code, reason = "none is killed here")]
mod redis;

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use cluster::Cluster;
use crm_bulk::{ChangeSet, Input, Plan, Site};
use crm_contacts::ContactsService;
use crm_fleet::{DeskTask, Server, StoredSet, Submission};
use crm_models::TenantId;
use crm_sandbox::{Connection, Sandbox, Seed};
use crm_transport::{Credentials, Environment, standard};
use redis::Redis;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

const ROWS: &str = "location_id,contact_id,memo\n2001,3001,one\n2001,3002,two\n2002,3001,three\n";

/// How long anything may take that is waited for.
const PATIENCE: Duration = Duration::from_secs(120);

/// Plans the rows in a file, and moves it to the server under this name.
async fn push(sandbox: &Sandbox, server: &Server, folder: &Path, name: &str) -> StoredSet {
    let Connection { api_url, client_id, client_secret, app_key, tenant, .. } =
        sandbox.connection();
    let environment = Environment::custom(api_url, api_url).unwrap();
    let credentials = Credentials::new(&**client_id, &**client_secret, &**app_key);
    let transport = standard(&environment, credentials).unwrap();
    let service = ContactsService::new(transport, TenantId::new(*tenant).unwrap());
    let site = Site::of(&service, environment.api_url());
    let path = folder.join(format!("{name}.crm"));
    let rows = Input::csv("test", std::io::Cursor::new(ROWS.to_owned()));
    Plan::new(site).from_api(&service, rows, &path).await.unwrap();
    server.push(ChangeSet::open(path).unwrap(), name).await.unwrap().set
}

/// The program, with what it logs.
struct Program {
    child: Child,
    log: Arc<Mutex<Vec<String>>>,
    reader: Option<JoinHandle<()>>,
}

impl Program {
    fn start(url: &str, sandbox: &Sandbox, credentials: &str) -> Self {
        Self::start_with(url, sandbox, credentials, &[])
    }

    fn start_with(url: &str, sandbox: &Sandbox, credentials: &str, more: &[&str]) -> Self {
        Self::run(Self::command(url, sandbox, credentials).args(more))
    }

    fn command(url: &str, sandbox: &Sandbox, credentials: &str) -> Command {
        let api_url = &sandbox.connection().api_url;
        let mut command = Command::new(env!("CARGO_BIN_EXE_crm-worker"));
        command
            .args(["--listen", "127.0.0.1:0", "--credentials", credentials])
            .args(["--api-url", api_url, "--auth-url", api_url])
            .env("CRM_FLEET_URL", url);
        command
    }

    fn run(command: &mut Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let (log, stderr) = (Arc::<Mutex<Vec<_>>>::default(), child.stderr.take().unwrap());
        let lines = Arc::clone(&log);
        let reader = thread::spawn(move || {
            for line in BufReader::new(stderr).lines() {
                lines.lock().unwrap().push(line.unwrap());
            }
        });
        Self { child, log, reader: Some(reader) }
    }

    /// The lines of the log so far.
    fn lines(&self) -> Vec<Value> {
        let log = self.log.lock().unwrap();
        log.iter().map(|line| serde_json::from_str(line).expect(line)).collect()
    }

    /// Waits for a line of the log with this message.
    async fn told(&self, message: &str) -> Value {
        let begun = Instant::now();
        loop {
            if let Some(line) = self.lines().into_iter().find(|line| line["message"] == message) {
                return line;
            }
            assert!(begun.elapsed() < PATIENCE, "no {message:?}: {:?}", self.log.lock().unwrap());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Asks it to end, and returns its exit code.
    fn end(self) -> Option<i32> {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        self.ends()
    }

    /// Waits for its end, and returns its exit code.
    fn ends(mut self) -> Option<i32> {
        let code = self.child.wait().unwrap().code();
        self.reader.take().unwrap().join().unwrap();
        code
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn until(server: &Server, name: &str, job: &str) -> StoredSet {
    let begun = Instant::now();
    loop {
        let set = server.set(name).await.unwrap();
        if set.job.as_deref() == Some(job) {
            return set;
        }
        assert!(begun.elapsed() < PATIENCE, "{name} is not {job}: {set:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn get(address: &str, path: &str) -> (u16, String) {
    let answer = reqwest::get(format!("http://{address}{path}")).await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

fn write_credentials(folder: &TempDir, sandbox: &Sandbox, secret: &str) -> String {
    let Connection { client_id, app_key, tenant, .. } = sandbox.connection();
    let json = serde_json::json!({
        "clientId": &**client_id, "clientSecret": secret, "appKey": &**app_key
    });
    fs::write(folder.path().join(format!("{tenant}.json")), json.to_string()).unwrap();
    format!("file:{}/{{tenant}}.json", folder.path().display())
}

#[tokio::test(flavor = "multi_thread")]
async fn it_carries_out_what_was_submitted_tells_of_itself_and_ends_when_asked() {
    let Some(cluster) = Cluster::start() else { return };
    let sandbox = Sandbox::builder().seed(Seed::Demo).start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let server = Server::connect(&cluster.url()).await.unwrap();
    let june = push(&sandbox, &server, folder.path(), "june").await;
    let july = push(&sandbox, &server, folder.path(), "july").await;
    for set in [&june, &july] {
        let submission = Submission::new();
        let submission =
            if set.name == "july" { submission.require_approval() } else { submission };
        server.submit(set, submission, "the test").await.unwrap();
    }
    let secret = sandbox.connection().client_secret.to_string();
    let credentials = write_credentials(&folder, &sandbox, &secret);
    let program = Program::start(&cluster.url(), &sandbox, &credentials);
    let ready = program.told("the worker is ready").await;
    let address = ready["address"].as_str().unwrap();
    assert_eq!(until(&server, "june", "done").await.open, 0);
    until(&server, "july", "held").await;

    assert_eq!(get(address, "/live").await.0, 200);
    assert_eq!(get(address, "/ready").await, (200, "ready\n".to_owned()));
    let ended = program.told("a slice ended").await;
    let spans = ended["spans"].to_string();
    for (name, value) in [("tenant", sandbox.connection().tenant), ("job", 1)] {
        assert!(spans.contains(&format!("\"{name}\":{value}")), "{spans}");
    }
    assert!(spans.contains("\"set\":\"june\"") || spans.contains("\"set\":\"july\""), "{spans}");
    // What the server knows, the worker may count a moment later.
    for line in [
        "crm_worker_slices{ended=\"done\"} 1",
        "crm_worker_slices{ended=\"held\"} 1",
        "crm_fleet_reachable 1",
        "crm_fleet_sets{state=\"held\"} 1",
        "crm_client_request_duration_count{operation=\"Locations_UpdateContact\"",
    ] {
        let (begun, mut metrics) = (Instant::now(), String::new());
        while !metrics.contains(line) {
            assert!(begun.elapsed() < PATIENCE, "no {line}: {metrics}");
            metrics = get(address, "/metrics").await.1;
        }
    }
    let log = program.log.lock().unwrap().join("\n");
    assert!(!log.contains(&secret) && !log.contains("Bearer"), "{log}");
    assert_eq!(program.end(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn it_does_what_needs_a_desk_on_its_volumes_and_tells_which_are_missed() {
    let Some(cluster) = Cluster::start() else { return };
    let sandbox = Sandbox::builder().seed(Seed::Demo).start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let server = Server::connect(&cluster.url()).await.unwrap();
    let Connection { api_url, tenant, client_secret, .. } = sandbox.connection();
    let site = |tenant: i64| Site::new(TenantId::new(tenant).unwrap(), api_url);
    // What stands in for `crm` says a number of somebody.
    let crm = folder.path().join("crm");
    let script = "#!/bin/sh\n[ \"$CRM_CLIENT_SECRET\" ] || exit 4\necho 818-555-0142 >&2\n\
        echo '{\"contacts\": 3, \"owners\": 2, \"unreadable\": [\"818-555-0142\"]}'\n";
    fs::write(&crm, script).unwrap();
    fs::set_permissions(&crm, fs::Permissions::from_mode(0o700)).unwrap();
    let home = format!("main={}", folder.path().display());
    let options = ["--crm", crm.to_str().unwrap(), "--home", &home];
    let credentials = write_credentials(&folder, &sandbox, client_secret);

    let unmounted = Program::start_with(&cluster.url(), &sandbox, &credentials, &options);
    assert_eq!(unmounted.ends(), Some(1), "an empty place is no volume");
    fs::write(folder.path().join(".crm-home"), "main").unwrap();
    let program = Program::start_with(&cluster.url(), &sandbox, &credentials, &options);
    let ready = program.told("the worker is ready").await;
    let address = ready["address"].as_str().unwrap();
    for (tenant, home) in [(*tenant, "main"), (2002, "west")] {
        server.set_home(&site(tenant), home).await.unwrap();
        server.submit_to_desk(&site(tenant), &DeskTask::Mirror, "the test").await.unwrap();
    }
    let ended = program.told("a job at a desk ended").await;
    assert_eq!(ended["ended"], "done");
    let spans = ended["spans"].to_string();
    assert!(spans.contains("\"task\":\"mirror\""), "{spans}");
    let (status, told) = get(address, "/ready").await;
    assert_eq!(status, 200);
    assert!(told.contains("no worker has the home west, for which jobs wait: 1"), "{told}");
    let metrics = get(address, "/metrics").await.1;
    for line in [
        "crm_fleet_desk_jobs{state=\"queued\"} 1",
        "crm_fleet_home_queued{home=\"west\"} 1",
        "crm_fleet_home_workers{home=\"west\"} 0",
        "crm_fleet_home_workers{home=\"main\"} 1",
    ] {
        assert!(metrics.contains(line), "no {line}: {metrics}");
    }
    let log = program.log.lock().unwrap().join("\n");
    assert!(!log.contains("818-555-0142") && !log.contains(&**client_secret), "{log}");
    assert_eq!(program.end(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_that_are_refused_hold_the_set_and_new_ones_count_without_a_restart() {
    let Some(cluster) = Cluster::start() else { return };
    let sandbox = Sandbox::builder().seed(Seed::Demo).start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let server = Server::connect(&cluster.url()).await.unwrap();
    let set = push(&sandbox, &server, folder.path(), "june").await;
    let credentials = write_credentials(&folder, &sandbox, "of-last-year");
    let program = Program::start(&cluster.url(), &sandbox, &credentials);
    server.submit(&set, Submission::new(), "the test").await.unwrap();
    let held = until(&server, "june", "held").await;
    assert!(held.job_reason.unwrap().contains("credentials"));

    let secret = sandbox.connection().client_secret.to_string();
    write_credentials(&folder, &sandbox, &secret);
    server.submit(&set, Submission::new(), "the test").await.unwrap();
    assert_eq!(until(&server, "june", "done").await.open, 0);
    assert_eq!(program.end(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_away_is_told_and_waited_for() {
    let Some(mut cluster) = Cluster::start() else { return };
    let sandbox = Sandbox::builder().seed(Seed::Demo).start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let server = Server::connect(&cluster.url()).await.unwrap();
    let set = push(&sandbox, &server, folder.path(), "june").await;
    let secret = sandbox.connection().client_secret.to_string();
    let credentials = write_credentials(&folder, &sandbox, &secret);
    let program = Program::start(&cluster.url(), &sandbox, &credentials);
    let ready = program.told("the worker is ready").await;
    let address = ready["address"].as_str().unwrap();

    cluster.halt();
    let (status, why) = get(address, "/ready").await;
    assert_eq!(status, 503, "{why}");
    assert!(get(address, "/metrics").await.1.contains("crm_fleet_reachable 0"));
    assert_eq!(get(address, "/live").await.0, 200);
    cluster.resume();
    server.submit(&set, Submission::new(), "the test").await.unwrap();
    assert_eq!(until(&server, "june", "done").await.open, 0);
    assert_eq!(program.end(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_stands_still_keeps_no_other_from_looking_for_dead_ones() {
    let Some(cluster) = Cluster::start() else { return };
    let sandbox = Sandbox::builder().seed(Seed::Demo).start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let secret = sandbox.connection().client_secret.to_string();
    let credentials = write_credentials(&folder, &sandbox, &secret);
    let connect = async || {
        let (client, connection) =
            tokio_postgres::connect(&cluster.url(), tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    };
    // Within a transaction what others do is told as it was at first.
    let (own, holding) = (connect().await, connect().await);
    let program = Program::start(&cluster.url(), &sandbox, &credentials);
    let pid = Pid::from_child(&program.child);
    let until_one = async |sql: &str| {
        let begun = Instant::now();
        // At first the tables are not there.
        while !own.query(sql, &[]).await.is_ok_and(|rows| rows.len() == 1) {
            assert!(begun.elapsed() < PATIENCE, "{sql}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    until_one("SELECT FROM crm_jobs._private_workers WHERE last_heartbeat_at > started_at").await;
    // It finds a dead one, which it cannot delete, and stands still by the time it could.
    let dead =
        "INSERT INTO crm_jobs._private_workers (id, last_heartbeat_at) VALUES ('dead', now())";
    own.execute(dead, &[]).await.unwrap();
    let hold = "BEGIN; SELECT FROM crm_jobs._private_workers WHERE id = 'dead' FOR UPDATE";
    holding.batch_execute(hold).await.unwrap();
    let looks = "SELECT FROM pg_locks JOIN pg_stat_activity USING (pid)
        WHERE classid::bigint = x'47575253'::bigint";
    until_one(&format!("{looks} AND wait_event_type = 'Lock'")).await;
    kill_process(pid, Signal::STOP).unwrap();
    holding.batch_execute("COMMIT").await.unwrap();
    until_one(&format!("{looks} AND state = 'idle in transaction'")).await;
    until_one(&format!("SELECT WHERE NOT EXISTS ({looks})")).await;
    kill_process(pid, Signal::CONT).unwrap();
    assert_eq!(program.end(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_redis_a_worker_goes_on_and_says_so() {
    let Some(cluster) = Cluster::start() else { return };
    let sandbox = Sandbox::builder().seed(Seed::Demo).start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let server = Server::connect(&cluster.url()).await.unwrap();
    let set = push(&sandbox, &server, folder.path(), "june").await;
    let secret = sandbox.connection().client_secret.to_string();
    let credentials = write_credentials(&folder, &sandbox, &secret);
    // Nobody listens on it.
    let nowhere = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let redis = format!("redis://:hunter2@{nowhere}");
    let options = ["--redis", &redis];
    let program = Program::start_with(&cluster.url(), &sandbox, &credentials, &options);
    server.submit(&set, Submission::new(), "the test").await.unwrap();
    assert_eq!(until(&server, "june", "done").await.open, 0);
    program.told("the server of the shared limit cannot be reached").await;
    assert!(!program.log.lock().unwrap().join("").contains("hunter2"));
    assert_eq!(program.end(), Some(0));
}

#[test]
fn what_is_wrong_with_its_settings_is_told_with_exit_code_2() {
    let worker = |arguments: &[&str]| {
        let ended = Command::new(env!("CARGO_BIN_EXE_crm-worker"))
            .args(arguments)
            .env_remove("CRM_FLEET_URL")
            .output()
            .unwrap();
        (ended.status.code(), String::from_utf8(ended.stderr).unwrap())
    };
    let (code, told) = worker(&[]);
    assert!(code == Some(2) && told.contains("CRM_FLEET_URL"), "{told}");
    let (code, told) =
        worker(&["--server", "postgres://crm:hunter2@db.example/fleet?sslmode=verify-ca"]);
    assert!(code == Some(1) && told.contains("sslrootcert=FILE"), "{told}");
    assert!(!told.contains("hunter2"), "{told}");
    let (code, told) = worker(&["--credentials", "vault"]);
    assert!(code == Some(2) && told.contains("command:PROGRAM"), "{told}");
}

/// How many keys a Redis has.
fn keys(redis: &Redis) -> u64 {
    let mut stream = TcpStream::connect(redis.url().strip_prefix("redis://").unwrap()).unwrap();
    stream.write_all(b"DBSIZE\r\n").unwrap();
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).unwrap();
    answer.trim_end().strip_prefix(':').unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn its_limit_is_shared_over_an_encrypted_connection() {
    let Some(cluster) = Cluster::start() else { return };
    let sandbox = Sandbox::builder().seed(Seed::Demo).start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let [certificate, key] =
        [("certificate", own.cert.pem()), ("key", own.signing_key.serialize_pem())].map(
            |(name, pem)| {
                let path = folder.path().join(name);
                fs::write(&path, pem).unwrap();
                path.display().to_string()
            },
        );
    let port = redis::free_port().to_string();
    let options = ["--tls-port", &port, "--tls-auth-clients", "no"].map(str::to_owned);
    let pair =
        ["--tls-cert-file".to_owned(), certificate.clone(), "--tls-key-file".to_owned(), key];
    let Some(redis) = Redis::start_with([options, pair].concat()) else { return };
    let server = Server::connect(&cluster.url()).await.unwrap();
    let june = push(&sandbox, &server, folder.path(), "june").await;
    server.submit(&june, Submission::new(), "the test").await.unwrap();
    let credentials = write_credentials(&folder, &sandbox, &sandbox.connection().client_secret);
    let mut command = Program::command(&cluster.url(), &sandbox, &credentials);
    let url = format!("rediss://localhost:{port}");
    let program = Program::run(command.args(["--redis", &url]).env("SSL_CERT_FILE", certificate));
    assert_eq!(until(&server, "june", "done").await.open, 0);
    assert_eq!(keys(&redis), 1, "{:?}", program.lines());
    assert_eq!(program.end(), Some(0));
}
