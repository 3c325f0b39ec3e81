//! What one call costs, counted: instructions and allocations per typed update, by the layers
//! that it passes.
//!
//! ```text
//! cargo bench -p crm-contacts --bench call_cost
//! ```
//!
//! Every way sends the same PATCH with a typed body to the same server on this machine, over
//! plain HTTP/1.1 on a kept connection, from a current-thread runtime, and reads the answer
//! into a typed contact.

mod count;
mod update;

use std::{env, process::ExitCode};

use count::Counter;
use update::BenchResult;

/// The ways to make the call, from the least to the most.
const WAYS: [&str; 7] = [
    "reqwest, by hand",
    "ReqwestTransport",
    "ReqwestTransport + limit",
    "ReqwestTransport + limit, auth",
    "ReqwestTransport + limit, auth, retry",
    "HyperTransport",
    "HyperTransport + limit, auth, retry",
];

/// So many calls more in the second run than in the first.
const CALLS: u64 = 1_000;
const WARM_UP: u64 = 200;

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args().collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let result = match (runtime, &arguments[1..]) {
        (Err(error), _) => Err(error.into()),
        (Ok(runtime), [run, way, calls, url]) if run == "run" => {
            runtime.block_on(async { update::run(way, calls.parse()?, 1, url).await })
        }
        (Ok(runtime), _) => runtime.block_on(compare()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("call_cost: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Counts every way and prints the table.
async fn compare() -> BenchResult<()> {
    if !count::available() {
        return Ok(());
    }
    let url = update::start_server().await?;
    println!("{:<40} {:>14} {:>8} {:>12}", "per call", "instructions", "ratio", "allocations");
    let mut baseline = None;
    for way in WAYS {
        let instructions = per_call(way, &url, Counter::Instructions).await?;
        let allocations = per_call(way, &url, Counter::Allocations).await?;
        let ratio = instructions / *baseline.get_or_insert(instructions);
        println!("{way:<40} {instructions:>14.0} {ratio:>8.3} {allocations:>12.1}");
    }
    Ok(())
}

/// The difference between few calls and many, per call.
async fn per_call(way: &'static str, url: &str, counter: Counter) -> BenchResult<f64> {
    let count = async |calls: u64| {
        let url = url.to_owned();
        // The server runs on this runtime: the child must not block it.
        let counting = tokio::task::spawn_blocking(move || {
            count::count(counter, ["run", way, &calls.to_string(), &url])
        });
        counting.await?
    };
    let few = count(WARM_UP).await?;
    let many = count(WARM_UP + CALLS).await?;
    Ok((many - few) as f64 / CALLS as f64)
}
