//! Counting with valgrind: the benchmark runs itself under it, once with less and once with
//! more to do, and the difference counts. Counts do not depend on the machine's load.

use std::{env, error::Error, process::Command};

/// What is counted.
#[derive(Debug, Clone, Copy)]
pub enum Counter {
    Instructions,
    Allocations,
}

/// Whether anything can be counted here; otherwise says that nothing is.
pub fn available() -> bool {
    let found = Command::new("valgrind").arg("--version").output().is_ok();
    if !found {
        println!("skipped: valgrind is not installed");
    }
    found
}

/// What this program needs with these arguments, start and end included.
pub fn count<const N: usize>(
    counter: Counter,
    arguments: [&str; N],
) -> Result<u64, Box<dyn Error + Send + Sync>> {
    // In each tool's summary the number follows a label.
    let (options, label): (&[_], _) = match counter {
        Counter::Instructions => {
            (&["--tool=callgrind", "--callgrind-out-file=/dev/null"], "Collected :")
        }
        Counter::Allocations => (&["--tool=memcheck"], "total heap usage:"),
    };
    let mut command = Command::new("valgrind");
    command.args(options).arg(env::current_exe()?);
    let output = command.args(arguments).output()?;
    let summary = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("the counted run failed: {summary}").into());
    }
    let number = summary.split(label).nth(1).and_then(|rest| rest.split_whitespace().next());
    let number = number.ok_or_else(|| format!("no {counter:?} counted: {summary}"))?;
    Ok(number.replace(',', "").parse()?)
}
