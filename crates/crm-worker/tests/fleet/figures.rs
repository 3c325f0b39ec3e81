//! What processes use, as Linux counts it; nothing elsewhere.

use std::{fs, path::Path};

/// Of the processes of one kind, also of those that are gone: what is read before each of them ends.
#[derive(Default)]
pub struct Used {
    /// Seconds of a core.
    ended: f64,
    /// The largest of them, in MiB.
    largest: u64,
}

impl Used {
    /// Takes note of a process that is about to end.
    pub fn ends(&mut self, pid: u32) {
        self.note(pid);
        self.ended += cpu(pid);
    }

    /// Takes note of a process.
    pub fn note(&mut self, pid: u32) {
        self.largest = self.largest.max(largest(pid));
    }

    /// Seconds of a core, with those of the processes that are there.
    pub fn cpu(&self, there: impl IntoIterator<Item = u32>) -> f64 {
        self.ended + there.into_iter().map(cpu).sum::<f64>()
    }

    pub fn largest(&self) -> u64 {
        self.largest
    }
}

/// Seconds of a core that a process used, with the children that it waited for and that it has.
pub fn cpu(pid: u32) -> f64 {
    let own = stat(pid).map_or(0.0, |stat| {
        let ticks = stat.split_whitespace().skip(11).take(4);
        ticks.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
    });
    own + children(pid).into_iter().map(cpu).sum::<f64>()
}

fn children(of: u32) -> Vec<u32> {
    let all = fs::read_dir("/proc").into_iter().flatten().flatten();
    let all = all.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let parent = |pid| stat(pid)?.split_whitespace().nth(1)?.parse::<u32>().ok();
    all.filter(|pid| parent(*pid) == Some(of)).collect()
}

/// What the kernel says of a process, after its name.
fn stat(pid: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')').map(|(_, rest)| rest.to_owned())
}

/// How much memory a process had at most, in MiB.
fn largest(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let size = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    size.unwrap_or_default() >> 10
}

/// How much a folder takes on disk, in MiB.
pub fn disk(folder: &Path) -> u64 {
    fn bytes(folder: &Path) -> u64 {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let size = |entry: fs::DirEntry| match entry.metadata() {
            Ok(found) if found.is_dir() => bytes(&entry.path()),
            Ok(found) => found.len(),
            Err(_) => 0,
        };
        entries.map(size).sum()
    }
    bytes(folder) >> 20
}

/// Seconds of a core that this process used, without its children.
pub fn own_cpu() -> f64 {
    let stat = stat(std::process::id()).unwrap_or_default();
    let ticks = stat.split_whitespace().skip(11).take(2);
    ticks.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}
