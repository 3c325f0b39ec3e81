//! Measures an audit of a tenant with planted faults: time, peak memory, recall and precision.
//!
//! ```text
//! cargo run --release -p crm-audit --example audit_million -- /tmp/audit make 250000
//! cargo run --release -p crm-audit --example audit_million -- /tmp/audit run 250000
//! ```
//!
//! The number is that of customers; each has four contacts, two of its own and two of its location.
//! Two runs, so that the memory of the second is that of the audit alone; what was planted is made
//! after it was measured.

#[path = "../tests/tenant/mod.rs"]
mod tenant;

use std::{collections::BTreeSet, error::Error, fs, path::Path, time::Instant};

use crm_audit::{Audit, Owners, Rule};
use crm_mirror::{MirrorError, Snapshot};
use tenant::{Planted, Tenant, place};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [folder, step, customers] = &arguments[..] else {
        return Err("usage: audit_million FOLDER (make | run) CUSTOMERS".into());
    };
    let file = Path::new(folder).join("mirror");
    let tenant = Tenant { customers: customers.parse()? };
    match step.as_str() {
        "make" => make(tenant, &file),
        "run" => run(tenant, &file),
        _ => Err("no such step".into()),
    }
}

fn make(tenant: Tenant, file: &Path) -> Result<(), Box<dyn Error>> {
    let folder = file.parent().ok_or("no folder")?;
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder)?;
    let began = Instant::now();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(tenant.mirror(file));
    println!("mirror: {} MB in {:.2?}", fs::metadata(file)?.len() / 1_000_000, began.elapsed());
    Ok(())
}

fn run(tenant: Tenant, file: &Path) -> Result<(), Box<dyn Error>> {
    let snapshot = Snapshot::open(file)?;
    let mut found = Vec::<Planted>::new();
    let began = Instant::now();
    let audit = Audit::new().owners(Owners::of(&snapshot)?);
    let summary = audit.run(&snapshot, |examined| {
        let (kind, id) = place(examined.owner);
        found.extend(examined.findings.iter().map(|it| (it.rule, kind, id, it.contact.get())));
        Ok::<(), MirrorError>(())
    })?;
    println!("audit: {} contacts in {:.2?}", summary.contacts, began.elapsed());
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().filter(|line| line.starts_with("VmHWM")).for_each(|line| println!("{line}"));

    let (found, planted) = (BTreeSet::from_iter(found), tenant.planted());
    for rule in Rule::ALL {
        let of = |all: &BTreeSet<Planted>| all.iter().filter(|(it, ..)| *it == rule).count();
        let right = found.intersection(&planted).filter(|(it, ..)| *it == rule).count();
        println!(
            "{rule:15} planted {:6}  found {:6}  recall {:5.1} %  precision {:5.1} %",
            of(&planted),
            of(&found),
            100.0 * right as f64 / of(&planted).max(1) as f64,
            100.0 * right as f64 / of(&found).max(1) as f64,
        );
    }
    Ok(())
}
