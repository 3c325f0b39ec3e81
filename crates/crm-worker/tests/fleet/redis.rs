//! A Redis of a test's own, on a free port.

use std::{
    io::{self, BufRead, BufReader},
    net::TcpListener,
    process::{Child, ChildStdout, Command, Stdio},
};

use tempfile::TempDir;

pub struct Redis {
    port: u16,
    options: Vec<String>,
    folder: TempDir,
    /// With its output: it ends where nobody reads that.
    running: Option<(Child, BufReader<ChildStdout>)>,
}

impl Redis {
    /// Starts one; where it is not installed it says so, and there is none.
    pub fn start() -> Option<Self> {
        Self::start_with(Vec::new())
    }

    /// The same with these options.
    pub fn start_with(options: Vec<String>) -> Option<Self> {
        let (port, folder) = (free_port(), tempfile::tempdir().unwrap());
        let mut redis = Self { port, options, folder, running: None };
        if redis.resume().is_err() {
            eprintln!(
                "each worker has a limit of its own: there is no redis-server or valkey-server"
            );
            return None;
        }
        Some(redis)
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub fn pid(&self) -> Option<u32> {
        self.running.as_ref().map(|(child, _)| child.id())
    }

    pub fn kill(&mut self) {
        if let Some((mut child, _)) = self.running.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Starts it, on the port that it had.
    pub fn resume(&mut self) -> io::Result<()> {
        let start = |program: &str| {
            Command::new(program)
                .args(["--bind", "127.0.0.1", "--save", "", "--port"])
                .arg(self.port.to_string())
                .args(&self.options)
                .current_dir(&self.folder)
                .stdout(Stdio::piped())
                .spawn()
        };
        let mut child = start("redis-server").or_else(|_| start("valkey-server"))?;
        let mut told = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        while !line.contains("Ready to accept connections") {
            line.clear();
            assert!(told.read_line(&mut line).unwrap() > 0, "Redis does not start on its port");
        }
        self.running = Some((child, told));
        Ok(())
    }
}

/// A port that nobody listens on.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
    }
}
