//! How many calls a second one thread makes, and what each costs it in processor time.
//!
//! ```text
//! cargo bench -p crm-contacts --bench throughput
//! ```
//!
//! The same call as in `call_cost`, one and 64 at once, from a process of its own on a
//! current-thread runtime. The server takes the other processor. Times depend on the machine and
//! on what else it does: so the ways take turns, and medians are shown. The ratio is that of a
//! run's processor time to the run by hand of the same round.

mod update;

use std::{
    env,
    process::{Command, ExitCode, Stdio},
    time::Instant,
};

use update::BenchResult;

const WAYS: [&str; 4] = [
    "reqwest, by hand",
    "ReqwestTransport",
    "ReqwestTransport + limit, auth, retry",
    "HyperTransport + limit, auth, retry",
];
const CALLS: u64 = 20_000;
const ROUNDS: usize = 20;

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args().collect();
    let result = match &arguments[1..] {
        [run, way, at_once, url] if run == "run" => measure(way, at_once, url),
        _ => compare(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("throughput: {error}");
            ExitCode::FAILURE
        }
    }
}

fn compare() -> BenchResult<()> {
    if processor_time().is_err() {
        println!("skipped: this system does not tell a thread's processor time");
        return Ok(());
    }
    // A thread of its own for the server; this one waits.
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let url = runtime.block_on(update::start_server())?;
    println!("{:<40} {:>8} {:>10} {:>14} {:>7}", "", "at once", "calls/s", "CPU per call", "ratio");
    for at_once in ["1", "64"] {
        let rounds: Vec<_> = (0..ROUNDS).map(|_| round(at_once, &url)).collect::<Result<_, _>>()?;
        for (way, name) in WAYS.iter().enumerate() {
            let median = |of: fn(&Round, usize) -> f64| {
                let mut values: Vec<_> = rounds.iter().map(|round| of(round, way)).collect();
                values.sort_by(f64::total_cmp);
                f64::midpoint(values[(ROUNDS - 1) / 2], values[ROUNDS / 2])
            };
            let seconds = median(|round, way| round[way].0);
            let processor = median(|round, way| round[way].1);
            let ratio = median(|round, way| round[way].1 / round[0].1);
            println!(
                "{name:<40} {at_once:>8} {:>10.0} {:>11.1} us {ratio:>7.3}",
                CALLS as f64 / seconds,
                processor * 1e6 / CALLS as f64
            );
        }
    }
    Ok(())
}

/// One run of each way: its seconds, and the processor's.
type Round = [(f64, f64); WAYS.len()];

fn round(at_once: &str, url: &str) -> BenchResult<Round> {
    let mut round = Round::default();
    for (run, way) in round.iter_mut().zip(WAYS) {
        *run = child(way, at_once, url)?;
    }
    Ok(round)
}

/// The seconds and the processor's seconds of one run.
fn child(way: &str, at_once: &str, url: &str) -> BenchResult<(f64, f64)> {
    let mut command = Command::new(env::current_exe()?);
    command.args(["run", way, at_once, url]);
    let output = command.stderr(Stdio::inherit()).output()?;
    let text = String::from_utf8(output.stdout)?;
    let (seconds, processor) = text.trim().split_once(' ').ok_or("a run failed")?;
    Ok((seconds.parse()?, processor.parse()?))
}

fn measure(way: &str, at_once: &str, url: &str) -> BenchResult<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let at_once = at_once.parse()?;
    runtime.block_on(update::run(way, at_once, at_once, url))?;
    let (began, before) = (Instant::now(), processor_time()?);
    runtime.block_on(update::run(way, CALLS, at_once, url))?;
    let processor = processor_time()? - before;
    println!("{} {processor}", began.elapsed().as_secs_f64());
    Ok(())
}

/// The main thread's processor time so far, in seconds.
fn processor_time() -> BenchResult<f64> {
    let times = std::fs::read_to_string("/proc/self/schedstat")?;
    let nanoseconds = times.split_whitespace().next().ok_or("an empty file")?;
    Ok(nanoseconds.parse::<f64>()? / 1e9)
}
