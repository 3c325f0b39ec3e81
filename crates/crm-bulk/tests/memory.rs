//! What a list takes in memory, which is measured in a process of its own.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test fails so")]

mod common;

use std::{
    env, fs,
    io::{self, Read},
    process::Command,
};

use common::*;
use crm_bulk::{Input, OptOut};
use crm_sandbox::Seed;

/// Says in the process of its own how many rows its list has.
const ROWS: &str = "CRM_BULK_LIST_ROWS";

/// The rows of a list, made as they are read.
struct List {
    rows: u64,
    made: u64,
    line: io::Cursor<String>,
}

impl Read for List {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.line.read(buffer)?;
        if length > 0 || self.made == self.rows {
            return Ok(length);
        }
        let row = self.made;
        self.made += 1;
        let line = format!("{},p{row}@site.example,asked\n", 2_130_000_000 + row);
        self.line = io::Cursor::new(line);
        self.line.read(buffer)
    }
}

/// The most memory, in KiB, that a process had which planned a list of so many rows.
fn peak(rows: u64) -> u64 {
    let itself = Command::new(env::current_exe().unwrap())
        .args(["--exact", "a_list_takes_no_more_memory_the_longer_it_is", "--nocapture"])
        .env(ROWS, rows.to_string())
        .output()
        .unwrap();
    let told = String::from_utf8(itself.stdout).unwrap();
    let line = told.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let line = line.unwrap_or_else(|| panic!("{told}"));
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[tokio::test]
async fn a_list_takes_no_more_memory_the_longer_it_is() {
    if let Ok(rows) = env::var(ROWS) {
        let world = world(Seed::Demo).await;
        let header = io::Cursor::new("phone,email,reason\n".to_owned());
        let list = List { rows: rows.parse().unwrap(), made: 0, line: header };
        let opt_out = OptOut::new(world.site.clone(), world.snapshot().await);
        let out = world.path("set.crm");
        let summary = opt_out.plan(&world.service, Input::csv("list", list), out).await.unwrap();
        assert_eq!(summary.rows.to_string(), rows);
        println!("{}", fs::read_to_string("/proc/self/status").unwrap());
        return;
    }
    // Until the caches of SQLite are full it takes a little more, but nothing near the 1.5 kB that a
    // row takes whose cells are kept.
    let (short, long) = (peak(5_000), peak(40_000));
    assert!(long < short + 24 * 1_024, "{short} kB for 5,000 rows, {long} kB for 40,000");
}
