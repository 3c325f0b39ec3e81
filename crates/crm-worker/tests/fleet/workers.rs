//! The workers, as processes that can be killed and stopped, and what they told.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use crm_sandbox::Connection;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::figures::Used;

pub struct Workers {
    arguments: Vec<String>,
    url: String,
    pub running: Vec<Worker>,
    pub used: Used,
    told: Told,
}

/// How often a slice ended so, and which warnings there were.
type Told = Arc<Mutex<BTreeMap<String, u64>>>;

pub struct Worker {
    child: Child,
    reader: Option<JoinHandle<()>>,
    goes_on_at: Option<Instant>,
    went_on_at: Option<Instant>,
}

/// What counts as told by a run that the fence did not let leave its set. The same warning is given where
/// the server is away.
pub const LEFT_TO_ANOTHER: &str = "left to another worker";

/// How long a worker that stood still is left alone, to find out what it lost.
const FINDS_OUT: Duration = Duration::from_secs(10);

impl Worker {
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// As sets name who has them.
    pub fn owner(&self) -> String {
        format!("process {}", self.pid())
    }

    /// Whether it stands still, or has just gone on.
    pub fn is_left_alone(&self) -> bool {
        self.goes_on_at.is_some() || self.went_on_at.is_some_and(|at| at.elapsed() < FINDS_OUT)
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Workers {
    /// Starts so many workers for the tenants of this sandbox, each with so many places.
    pub fn start(
        count: usize,
        places: usize,
        url: &str,
        connection: &Connection,
        redis: Option<&str>,
        folder: &Path,
    ) -> Self {
        let path = folder.join("credentials.json");
        let Connection { api_url, client_id, client_secret, app_key, .. } = connection;
        let secrets =
            json!({"clientId": client_id, "clientSecret": client_secret, "appKey": app_key});
        fs::write(&path, secrets.to_string()).unwrap();
        let mut arguments = vec![
            "--listen=127.0.0.1:0".to_owned(),
            format!("--tenants={places}"),
            format!("--credentials=file:{}", path.display()),
            format!("--api-url={api_url}"),
            format!("--auth-url={api_url}"),
        ];
        arguments.extend(redis.map(|url| format!("--redis={url}")));
        let (url, used) = (url.to_owned(), Used::default());
        let mut workers = Self { arguments, url, running: Vec::new(), used, told: Told::default() };
        (0..count).for_each(|_| workers.start_one());
        workers
    }

    fn start_one(&mut self) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_crm-worker"))
            .args(&self.arguments)
            .env("CRM_FLEET_URL", &self.url)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (told, stderr) = (Arc::clone(&self.told), child.stderr.take().unwrap());
        let read = move || {
            // The last line of one that is killed may be a part.
            BufReader::new(stderr)
                .lines()
                .map_while(Result::ok)
                .for_each(|line| note(&told, &line));
        };
        let reader = Some(thread::spawn(read));
        self.running.push(Worker { child, reader, goes_on_at: None, went_on_at: None });
    }

    /// Kills a worker, and starts another.
    pub fn kill(&mut self, which: usize) {
        let worker = self.running.remove(which);
        self.used.ends(worker.pid());
        drop(worker);
        self.start_one();
    }

    /// Has a worker stand still for this time.
    pub fn pause(&mut self, which: usize, time: Duration) {
        let worker = &mut self.running[which];
        worker.signal(Signal::STOP);
        worker.goes_on_at = Some(Instant::now() + time);
    }

    /// Has those go on that stood still for long enough.
    pub fn go_on(&mut self) {
        for worker in &mut self.running {
            if worker.goes_on_at.is_some_and(|time| Instant::now() >= time) {
                (worker.goes_on_at, worker.went_on_at) = (None, Some(Instant::now()));
                worker.signal(Signal::CONT);
            }
        }
    }

    pub fn note_memory(&mut self) {
        self.running.iter().for_each(|worker| self.used.note(worker.pid()));
    }

    pub fn cpu(&self) -> f64 {
        self.used.cpu(self.running.iter().map(Worker::pid))
    }

    /// Asks all to end, and waits for it; they end well.
    pub fn end(&mut self) {
        self.note_memory();
        for mut worker in self.running.drain(..) {
            self.used.ends(worker.pid());
            worker.signal(Signal::CONT);
            worker.signal(Signal::TERM);
            assert_eq!(worker.child.wait().unwrap().code(), Some(0));
            worker.reader.take().unwrap().join().unwrap();
        }
    }

    /// How often something was told: how slices ended, and warnings.
    pub fn told(&self) -> BTreeMap<String, u64> {
        self.told.lock().unwrap().clone()
    }
}

/// Counts a line of a log, if it says how a slice ended or warns. The others are told of each write.
fn note(told: &Told, line: &str) {
    if !line.contains("a slice ended") && !line.contains("\"WARN\"") && !line.contains("\"ERROR\"")
    {
        return;
    }
    let line: Value = serde_json::from_str(line).unwrap_or_default();
    let ended = line["ended"].as_str().map(|ended| format!("ended: {ended}"));
    let error = line["error"].as_str().unwrap_or_default();
    let left = error.contains("was taken over by another process");
    let ended = ended.or_else(|| left.then(|| LEFT_TO_ANOTHER.to_owned()));
    let text = ended.or_else(|| line["message"].as_str().map(str::to_owned)).unwrap_or_default();
    *told.lock().unwrap().entry(text).or_default() += 1;
}
