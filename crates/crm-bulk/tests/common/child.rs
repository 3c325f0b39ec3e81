//! A process of its own that applies a set, to be killed, stopped or robbed of its file.

use std::{
    collections::BTreeMap,
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use crm_bulk::{Apply, BulkError, ChangeSet, Event, Site};
use crm_sandbox::Connection;
use futures_util::TryStreamExt;

use super::{World, service_at};

/// The sandbox is done with a request as soon as it cuts off the answer, or the client is gone.
pub const SERVER_TIMEOUT: Duration = Duration::from_secs(2);
/// Short, so that a test need not wait for long.
pub const LEASE: Duration = Duration::from_secs(1);

/// What a child is told in its environment.
const TASK: &str = "CRM_BULK_CHILD";

/// Runs the tests, or in a child what that is told.
pub fn main(tests: impl Future<Output = usize>) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    match std::env::var(TASK) {
        Ok(task) => runtime.block_on(apply(&task)),
        // Test runners ask for a list of tests.
        Err(_) if std::env::args().any(|argument| argument == "--list") => {}
        Err(_) => {
            let passed = runtime.block_on(tests);
            println!("test result: ok. {passed} passed; 0 failed");
        }
    }
}

/// The child: applies the set and reports on its standard output.
async fn apply(task: &str) {
    let [url, tenant, id, secret, key, set] = serde_json::from_str::<[String; 6]>(task).unwrap();
    let service = service_at(&url, tenant.parse().unwrap(), [&id, &secret, &key]);
    let site = Site::of(&service, &url);
    let applied = async {
        let apply = Apply::new(ChangeSet::open(set)?).retry_failed();
        let apply = apply.server_timeout(SERVER_TIMEOUT).lease(LEASE);
        let mut events = apply.run(&service, &site)?;
        while let Some(event) = events.try_next().await? {
            match event {
                Event::Settled(change) => println!("{} {}", change.id, change.outcome.state),
                Event::InFlight(change) => {
                    let (target, state) = (change.target, change.outcome.state);
                    println!("lost {} {state} {target}", change.id);
                }
                Event::Finished(finished) => println!("finished {:?}", finished.reason),
                _ => {}
            }
        }
        Ok::<_, BulkError>(())
    };
    if let Err(error) = applied.await {
        println!("error {error}");
        std::process::exit(1);
    }
}

/// Starts a child that applies this set and reports into this file.
pub fn spawn(connection: &Connection, set: &Path, report: &Path) -> Child {
    let task = serde_json::to_string(&[
        connection.api_url.as_str(),
        &connection.tenant.to_string(),
        &connection.client_id,
        &connection.client_secret,
        &connection.app_key,
        set.to_str().unwrap(),
    ])
    .unwrap();
    Command::new(std::env::current_exe().unwrap())
        .env(TASK, task)
        .stdout(File::create(report).unwrap())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// A child with its report; dropped, it is killed.
pub struct Run {
    child: Child,
    report: PathBuf,
}

impl Drop for Run {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Run {
    pub fn start(world: &World, set: &Path, report: &str) -> Self {
        let report = world.path(report);
        Self { child: spawn(world.sandbox.connection(), set, &report), report }
    }

    /// Waits until it has settled something.
    pub async fn begun(mut self) -> Self {
        while self.text().is_empty() {
            let ended = self.child.try_wait().unwrap();
            assert_eq!(ended, None, "it ended before it began");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        self
    }

    /// Waits for its end, and kills it if that does not come.
    pub async fn end(mut self) -> End {
        let deadline = Instant::now() + Duration::from_secs(120);
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < deadline, "no end: {}", self.text());
            tokio::time::sleep(Duration::from_millis(5)).await;
        };
        End { status, text: self.text() }
    }

    /// Ends it as `kill -9` does.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// As `kill -STOP` does, or a laptop that is closed.
    #[cfg(unix)]
    pub fn stop(&self) {
        self.signal(rustix::process::Signal::STOP);
    }

    #[cfg(unix)]
    pub fn wake(&self) {
        self.signal(rustix::process::Signal::CONT);
    }

    #[cfg(unix)]
    fn signal(&self, signal: rustix::process::Signal) {
        let id = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(id, signal).unwrap();
    }

    pub fn text(&self) -> String {
        std::fs::read_to_string(&self.report).unwrap()
    }
}

/// How a child ended.
#[derive(Debug)]
pub struct End {
    pub status: ExitStatus,
    pub text: String,
}

impl End {
    /// Why its run was over; the error where it was none.
    pub fn reason(&self) -> &str {
        let last = self.text.lines().last().unwrap_or_default();
        last.strip_prefix("finished ").unwrap_or(last)
    }

    /// What was in flight when it lost its set: by the record, the state.
    pub fn lost(&self) -> BTreeMap<String, String> {
        let lines = self.text.lines().filter_map(|line| {
            let line = line.strip_prefix("lost ")?;
            let mut words = line.splitn(3, ' ').skip(1);
            Some((words.next()?.to_owned(), words.next()?.to_owned()))
        });
        lines.map(|(state, target)| (target, state)).collect()
    }
}
