//! How soon `crm` is there, and how large it is.
//!
//! ```text
//! cargo bench -p crm-cli --bench startup
//! ```
//!
//! Times depend on the machine and on what else it does: see the best and the middle one.

use std::{
    error::Error,
    fs,
    process::{Command, Stdio},
    time::Instant,
};

const CRM: &str = env!("CARGO_BIN_EXE_crm");
const RUNS: usize = 200;

fn main() -> Result<(), Box<dyn Error>> {
    let bytes = fs::metadata(CRM)?.len();
    println!("crm: {:.1} MB, stripped", bytes as f64 / 1e6);
    for arguments in [&["--help"][..], &["--version"], &["location-contacts", "update", "--help"]] {
        let mut times = Vec::with_capacity(RUNS);
        for _ in 0..RUNS {
            let began = Instant::now();
            Command::new(CRM).args(arguments).stdout(Stdio::null()).status()?;
            times.push(began.elapsed());
        }
        times.sort_unstable();
        println!(
            "crm {}: {:.1?} at best, {:.1?} in the middle of {RUNS}",
            arguments.join(" "),
            times[0],
            times[RUNS / 2]
        );
    }
    Ok(())
}
