//! A sandbox and the command as a process that talks to it.
#![allow(dead_code, reason = "not every test file uses everything")]

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    path::Path,
    process::{self, Child, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use assert_cmd::{Command, assert::Assert};
use crm_sandbox::{Sandbox, SandboxBuilder};
use rusqlite::Connection;
use serde_json::Value;
use tempfile::TempDir;

/// The first person of the demo data, and a contact method of it.
pub const PERSON: &str = "5e0c1a44-93b7-4d1f-8a26-000000000001";
pub const METHOD: &str = "7b2d9f10-4e6a-4c58-b310-000000000001";

/// The command without any settings of the machine that the tests run on.
pub fn crm(home: &Path) -> Command {
    in_time(process(home))
}

fn in_time(process: process::Command) -> Command {
    let mut command = Command::from_std(process);
    command.timeout(Duration::from_secs(60));
    command
}

/// The same as a process that can be run beside others.
pub fn process(home: &Path) -> process::Command {
    let mut command = process::Command::new(env!("CARGO_BIN_EXE_crm"));
    command
        .env_clear()
        .env("HOME", home)
        .env("XDG_CONFIG_HOME", home)
        .env("XDG_CACHE_HOME", home.join("cache"))
        .env("TMPDIR", home);
    command
}

/// The words of a command line: one by one, or as they are typed in a shell.
pub trait Words {
    fn words(&self) -> Vec<String>;
}

impl Words for str {
    fn words(&self) -> Vec<String> {
        shlex::split(self).unwrap()
    }
}

impl Words for String {
    fn words(&self) -> Vec<String> {
        self.as_str().words()
    }
}

impl<L: Words + ?Sized> Words for &L {
    fn words(&self) -> Vec<String> {
        (*self).words()
    }
}

impl<W: AsRef<str>> Words for [W] {
    fn words(&self) -> Vec<String> {
        self.iter().map(|word| word.as_ref().to_owned()).collect()
    }
}

impl<W: AsRef<str>> Words for Vec<W> {
    fn words(&self) -> Vec<String> {
        self.as_slice().words()
    }
}

impl<W: AsRef<str>, const N: usize> Words for [W; N] {
    fn words(&self) -> Vec<String> {
        self.as_slice().words()
    }
}

/// A sandbox with a home of its own for files.
pub struct Service {
    pub sandbox: Sandbox,
    pub home: TempDir,
}

impl Service {
    /// With the demo data.
    pub fn start() -> Self {
        Self::build(Sandbox::builder())
    }

    pub fn build(builder: SandboxBuilder) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        Self {
            sandbox: runtime.block_on(builder.start()).unwrap(),
            home: tempfile::tempdir().unwrap(),
        }
    }

    /// The sandbox's connection as the command takes it from its environment.
    pub fn environment(&self) -> [(&'static str, String); 6] {
        let connection = self.sandbox.connection().clone();
        [
            ("CRM_API_URL", connection.api_url),
            ("CRM_AUTH_URL", connection.auth_url),
            ("CRM_TENANT", connection.tenant.to_string()),
            ("CRM_CLIENT_ID", connection.client_id),
            ("CRM_CLIENT_SECRET", connection.client_secret),
            ("CRM_APP_KEY", connection.app_key),
        ]
    }

    /// Starts a command without waiting for its end; its stdout is a pipe.
    pub fn spawn(&self, line: &(impl Words + ?Sized)) -> Child {
        self.process(line)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// The command with the sandbox's connection in its environment, as a process.
    pub fn process(&self, line: &(impl Words + ?Sized)) -> process::Command {
        let mut command = process(self.home.path());
        command.current_dir(self.home.path()).envs(self.environment()).args(line.words());
        command
    }

    /// The command with the sandbox's connection in its environment.
    pub fn crm(&self, line: &(impl Words + ?Sized)) -> Command {
        in_time(self.process(line))
    }

    /// Runs a command that is to succeed, and gives its stdout.
    pub fn ok(&self, line: &(impl Words + ?Sized)) -> String {
        stdout(&self.crm(line).assert().success())
    }

    /// Runs a command that is to succeed, and gives its answer as JSON.
    pub fn json(&self, line: &(impl Words + ?Sized)) -> Value {
        let mut words = line.words();
        words.extend(["--output", "json"].map(str::to_owned));
        serde_json::from_str(&self.ok(&words)).unwrap()
    }

    /// The writes that reached the sandbox: methods, in order.
    pub fn writes(&self) -> Vec<String> {
        let log = self.sandbox.log().into_iter();
        let writes = log.filter(|request| request.method != "GET" && request.operation != "Token");
        writes.map(|request| request.method).collect()
    }
}

/// Cuts a ledger off behind a record, with what it notes of its own end.
pub fn cut_off(ledger: &Connection, behind: u64) {
    let cut = format!(
        "DELETE FROM records WHERE number > {behind};
         UPDATE meta SET value = '{behind}' WHERE name = 'head_count';
         UPDATE meta SET value = (SELECT lower(hex(hash)) FROM records WHERE number = {behind})
             WHERE name = 'head_hash'"
    );
    ledger.execute_batch(&cut).unwrap();
}

/// Waits a little for something that a command is to do while it runs.
pub fn wait_beside(child: &mut Child) {
    assert_eq!(child.try_wait().unwrap(), None, "it ended early");
    thread::sleep(Duration::from_millis(10));
}

/// Sends a signal, and waits for the end: what was written to stdout, and the signal that ended
/// the process, if one did. Stdout is read meanwhile, or a full pipe would keep the process.
#[cfg(unix)]
pub fn end_with(signal: &str, child: Child) -> (String, Option<i32>) {
    use std::os::unix::process::ExitStatusExt;

    let id = child.id().to_string();
    let kill = process::Command::new("kill").args(["-s", signal, &id]).status();
    assert!(kill.unwrap().success());
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    (text, output.status.signal())
}

pub fn stdout(assert: &Assert) -> String {
    String::from_utf8(assert.get_output().stdout.clone()).unwrap()
}

pub fn stderr(assert: &Assert) -> String {
    String::from_utf8(assert.get_output().stderr.clone()).unwrap()
}

/// An API host that gives prepared answers, for those that no sandbox gives.
pub struct Host {
    pub url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Host {
    /// Answers in this order, the last one again and again.
    pub fn start(answers: &[(u16, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let answers: Vec<_> = answers
            .iter()
            .map(|(status, body)| {
                let length = body.len();
                format!(
                    "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n\
                     Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
                )
            })
            .collect();
        let log = Arc::clone(&requests);
        thread::spawn(move || {
            let (mut answers, mut answer) = (answers.into_iter(), String::new());
            for connection in listener.incoming() {
                let mut connection = BufReader::new(connection.unwrap());
                log.lock().unwrap().push(read_request(&mut connection));
                answer = answers.next().unwrap_or(answer);
                let _ = connection.get_mut().write_all(answer.as_bytes());
            }
        });
        Self { url, requests }
    }

    /// Method, path and body of each request so far.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

fn read_request(connection: &mut impl BufRead) -> String {
    let (mut head, mut length) = (String::new(), 0);
    connection.read_line(&mut head).unwrap();
    loop {
        let mut line = String::new();
        connection.read_line(&mut line).unwrap();
        let line = line.trim().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    connection.read_exact(&mut body).unwrap();
    let target = head.trim_end().trim_end_matches(" HTTP/1.1");
    format!("{target} {}", String::from_utf8(body).unwrap()).trim_end().to_owned()
}
