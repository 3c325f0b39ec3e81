//! How many calls a second one thread makes, and what each costs it in processor time.
//!
//! ```text
//! cargo bench -p crm-contacts --bench throughput
//! ```
//!
//! The same call as in `call_cost`, one and 64 at once, from a process of its own on a
//! current-thread runtime. The server takes the other processor. Times depend on the machine and
//! on what else it does: the best of three runs is shown.

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
const RUNS: usize = 3;

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
    println!("{:<40} {:>8} {:>10} {:>14}", "", "at once", "calls/s", "CPU per call");
    for way in WAYS {
        for at_once in ["1", "64"] {
            let runs: Vec<_> =
                (0..RUNS).map(|_| child(way, at_once, &url)).collect::<BenchResult<_>>()?;
            let seconds = runs.iter().map(|run| run.0).fold(f64::MAX, f64::min);
            let processor = runs.iter().map(|run| run.1).fold(f64::MAX, f64::min);
            println!(
                "{way:<40} {at_once:>8} {:>10.0} {:>11.1} us",
                CALLS as f64 / seconds,
                processor * 1e6 / CALLS as f64
            );
        }
    }
    Ok(())
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
