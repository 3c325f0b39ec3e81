//! How long the whole command `crm find` takes, from its start to its end, with a mirror of many
//! contacts.
//!
//! ```text
//! cargo run --release -p crm-mirror --example million -- /tmp/mirror load 1000000 300000 400000
//! cargo bench -p crm-cli --bench find -- /tmp/mirror/mirror.db
//! ```
//!
//! Times depend on the machine and on what else it does: see the best one too.

use std::{
    error::Error,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use crm_mirror::{Mirror, MirrorError};

const CRM: &str = env!("CARGO_BIN_EXE_crm");
const RUNS: usize = 200;

/// What is known of somebody who is looked for.
#[derive(Debug, Default)]
struct Known {
    numbers: Vec<String>,
    addresses: Vec<String>,
    names: Vec<String>,
    streets: Vec<String>,
}

/// A way to look for the one with this place.
type Text<'a> = &'a dyn Fn(usize) -> String;

fn main() -> Result<(), Box<dyn Error>> {
    // Cargo passes options of its own.
    let Some(mirror) = std::env::args().skip(1).find(|argument| !argument.starts_with('-')) else {
        println!("without a mirror nothing is looked for: see the head of this file");
        return Ok(());
    };
    let mirror = Path::new(&mirror);
    let Known { numbers, addresses, names, streets } = some_of(mirror)?;
    let number = |at: usize| numbers[at % numbers.len()].clone();
    let parts = |at: usize| {
        let number = number(at);
        [0..3, 3..6, 6..10].map(|part| number[part].to_owned())
    };
    let kinds: [(&str, Text<'_>); 9] = [
        ("a number, digits alone", &number),
        ("with parentheses", &|at| {
            let [area, exchange, line] = parts(at);
            format!("({area}) {exchange}-{line}")
        }),
        ("with its country code", &|at| format!("+1 {}", parts(at).join("."))),
        ("its last seven digits", &|at| parts(at)[1..].join("-")),
        ("of another country, nobody's", &|at| format!("+44 20 7946 {:04}", at)),
        ("an address", &|at| addresses[at % addresses.len()].clone()),
        ("a name", &|at| names[at % names.len()].clone()),
        ("a name and a street", &|at| {
            format!("{} {}", names[at % names.len()], streets[at % streets.len()])
        }),
        ("nothing", &|at| format!("nobody {at:03}")),
    ];
    for (kind, text) in kinds {
        let mut times = Vec::with_capacity(RUNS);
        for at in 0..RUNS {
            times.push(took(mirror, &text(at))?);
        }
        times.sort_unstable();
        let [best, half, most] = [0, RUNS / 2, RUNS * 99 / 100].map(|at| times[at]);
        println!("crm find, {kind}: {best:.1?} at best, half {half:.1?}, 99 % {most:.1?}");
    }
    Ok(())
}

/// How long one command takes, which finds somebody or nobody.
fn took(mirror: &Path, text: &str) -> Result<Duration, Box<dyn Error>> {
    let mut find = Command::new(CRM);
    find.args(["find", "--output", "json", "--mirror"]).arg(mirror).arg(text);
    find.stdout(Stdio::null()).stderr(Stdio::null());
    let began = Instant::now();
    let ended = find.status()?;
    let took = began.elapsed();
    if !matches!(ended.code(), Some(0 | 9)) {
        return Err(format!("crm find {text:?} ended with {ended}").into());
    }
    Ok(took)
}

/// Some contacts of all.
fn some_of(mirror: &Path) -> Result<Known, MirrorError> {
    let mirror = Mirror::open(mirror)?;
    let (mut known, mut at) = (Known::default(), 0_usize);
    mirror.for_each(|owner, contact| {
        at += 1;
        if !at.is_multiple_of(4_999) {
            return Ok(());
        }
        let value = contact.contact.value;
        if value.contains('@') {
            known.addresses.push(value);
        } else if value.len() == 10 {
            known.numbers.push(value);
        }
        if let Some(owner) = mirror.owner(owner)? {
            known.names.push(owner.name);
            known.streets.push(owner.address.street);
        }
        Ok::<_, MirrorError>(())
    })?;
    Ok(known)
}
