//! A PostgreSQL cluster of a test's own: in a temporary folder, on a Unix socket in it, as an
//! unprivileged user.

use std::{
    fs,
    os::unix::{fs::chown, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// How long the server may take to start or to stop.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Cluster {
    folder: TempDir,
    programs: PathBuf,
    user: Option<User>,
    server: Option<Child>,
    /// What else it is told when it starts.
    settings: Vec<String>,
}

/// Whom PostgreSQL runs as where the test runs as root, which it refuses.
#[derive(Clone, Copy)]
struct User {
    uid: u32,
    gid: u32,
}

impl Cluster {
    /// Starts a cluster. Where that is not possible it says why, and there is none.
    pub fn start() -> Option<Self> {
        let Some(programs) = programs() else {
            eprintln!(
                "skipped: PostgreSQL is not installed (no `initdb` in /usr/lib/postgresql/*/bin or PATH)"
            );
            return None;
        };
        let is_root = rustix::process::getuid().is_root();
        let user = if is_root { other_user() } else { None };
        if is_root && user.is_none() {
            eprintln!(
                "skipped: PostgreSQL refuses root, and there is no user `postgres` or `nobody`"
            );
            return None;
        }
        let folder = tempfile::Builder::new().prefix("pg").tempdir().expect("a folder");
        if let Some(User { uid, gid }) = user {
            chown(folder.path(), Some(uid), Some(gid)).expect("the folder can be given away");
        }
        let mut cluster = Self { folder, programs, user, server: None, settings: Vec::new() };
        let made = cluster
            .command("initdb")
            .args(["-A", "trust", "-U", "crm", "-E", "UTF8", "--locale=C", "--no-sync", "-D"])
            .arg(cluster.data())
            .output()
            .expect("initdb runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        cluster.run();
        Some(cluster)
    }

    /// The URL of its database.
    pub fn url(&self) -> String {
        let folder = self.folder.path().display().to_string().replace('/', "%2F");
        format!("postgres://crm@{folder}/postgres")
    }

    /// Stops the server at once, as a crash does, and starts it again.
    pub fn crash(&mut self) {
        self.halt();
        self.resume();
    }

    /// Stops the server at once, as a crash does.
    pub fn halt(&mut self) {
        self.stop(Signal::QUIT);
    }

    /// Starts it again after a halt.
    pub fn resume(&mut self) {
        self.run();
    }

    /// Has it listen on a port of 127.0.0.1 too, which is returned, and there with this certificate.
    pub fn speak_tls(&mut self, certificate: &str, key: &str) -> u16 {
        use std::{net::TcpListener, os::unix::fs::PermissionsExt};

        for (name, text) in [("server.crt", certificate), ("server.key", key)] {
            let path = self.data().join(name);
            fs::write(&path, text).expect("a file");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("its rights");
            if let Some(User { uid, gid }) = self.user {
                chown(path, Some(uid), Some(gid)).expect("the file can be given away");
            }
        }
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let port = free.expect("a port").port();
        let told = ["listen_addresses=127.0.0.1", &format!("port={port}"), "ssl=on"];
        self.settings =
            told.iter().flat_map(|told| ["-c".to_owned(), (*told).to_owned()]).collect();
        self.crash();
        port
    }

    /// Its process, unless it was halted.
    pub fn pid(&self) -> Option<u32> {
        self.server.as_ref().map(Child::id)
    }

    /// Where it keeps its tables.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        // Its own messages, whatever the language; and a folder that the user may enter.
        command.current_dir(self.folder.path()).env("LC_ALL", "C");
        if let Some(User { uid, gid }) = self.user {
            command.uid(uid).gid(gid);
        }
        command
    }

    fn run(&mut self) {
        let log = fs::File::create(self.folder.path().join("log")).expect("a log");
        let socket = self.folder.path();
        let server = self
            .command("postgres")
            .arg("-D")
            .arg(self.data())
            .arg("-k")
            .arg(socket)
            .args(["-c", "listen_addresses=", "-c", "max_connections=40"])
            .args(&self.settings)
            .stdout(Stdio::null())
            .stderr(log)
            .spawn();
        self.server = Some(server.expect("postgres runs"));
        let (ready, begun) = (self.data().join("postmaster.pid"), Instant::now());
        while !fs::read_to_string(&ready).is_ok_and(|told| told.contains("ready")) {
            let told = || fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            assert!(begun.elapsed() < PATIENCE, "the server does not start: {}", told());
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn stop(&mut self, how: Signal) {
        let Some(mut server) = self.server.take() else {
            return;
        };
        let pid = i32::try_from(server.id()).ok().and_then(Pid::from_raw);
        let _ = kill_process(pid.expect("a process"), how);
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if !matches!(server.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
        let _ = server.kill();
        let _ = server.wait();
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.stop(Signal::INT);
    }
}

/// The folder of the newest version's programs.
fn programs() -> Option<PathBuf> {
    let has_it = |folder: &PathBuf| folder.join("initdb").is_file();
    let installed = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut installed: Vec<_> =
        installed.map(|version| version.path().join("bin")).filter(has_it).collect();
    installed.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    installed.pop().or_else(|| std::env::split_paths(&path).find(has_it))
}

/// The user `postgres`, else `nobody`, as the system lists them.
fn other_user() -> Option<User> {
    let all = fs::read_to_string(Path::new("/etc/passwd")).ok()?;
    ["postgres", "nobody"].iter().find_map(|name| {
        let line = all.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut numbers = line.split(':').skip(2);
        let mut number = || numbers.next()?.parse().ok();
        Some(User { uid: number()?, gid: number()? })
    })
}
