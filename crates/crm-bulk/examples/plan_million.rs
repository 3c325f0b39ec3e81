//! Measures planning: rows per second and peak memory, against a snapshot of as many contacts. And
//! what reads a set as large. `refresh` brings the snapshot up to date when nothing is new.
//!
//! ```text
//! cargo run --release -p crm-bulk --example plan_million -- /tmp/million make 1000000
//! cargo run --release -p crm-bulk --example plan_million -- /tmp/million refresh
//! cargo run --release -p crm-bulk --example plan_million -- /tmp/million plan
//! cargo run --release -p crm-bulk --example plan_million -- /tmp/million status
//! cargo run --release -p crm-bulk --example plan_million -- /tmp/million show
//! cargo run --release -p crm-bulk --example plan_million -- /tmp/million report
//! cargo run --release -p crm-bulk --example plan_million -- /tmp/million results
//! cargo run --release -p crm-bulk --example plan_million -- /tmp/million undo
//! ```
//!
//! The last five also take a set that was applied: one that the example `apply_throughput` left in
//! the folder as `set.crm`.
//!
//! Several runs, so that the memory of each is that of its step alone. Every second row asks
//! for something that is so already; the rows are in an order that has nothing to do with that
//! of the snapshot.

use std::{
    error::Error,
    fmt::Write as _,
    fs,
    io::{self, BufWriter, Write},
    path::Path,
    time::Instant,
};

use bytes::Bytes;
use crm_bulk::{ChangeSet, Input, Plan, ResultRows, Selection, Site, Snapshot, State};
use crm_contacts::ContactsService;
use crm_models::TenantId;
use crm_transport::{MockTransport, Request, Response};

const BATCH: i64 = 5_000;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let usage = "usage: plan_million FOLDER \
        (make CONTACTS | refresh | plan | status | show | report | results | undo)";
    let folder = arguments.next().ok_or(usage)?;
    let folder = Path::new(&folder);
    match arguments.next().as_deref() {
        Some("make") => make(folder, arguments.next().ok_or(usage)?.parse()?),
        Some("refresh") => refresh(folder),
        Some("plan") => plan(folder),
        Some(step) => read(folder, step),
        None => Err(usage.into()),
    }
}

/// Reads a set to its end in one way.
fn read(folder: &Path, step: &str) -> Result<(), Box<dyn Error>> {
    let set = ChangeSet::open(folder.join("set.crm"))?;
    let undo = folder.join("undo.crm");
    let _ = fs::remove_file(&undo);
    let began = Instant::now();
    let told = match step {
        "status" => format!("{} changes, about {} calls", set.totals()?.all(), set.calls()?),
        "show" => {
            let (mut shown, mut out) = (0, io::sink());
            for change in set.changes(&Selection::all()) {
                writeln!(out, "{:?}", change?)?;
                shown += 1;
            }
            format!("{shown} changes")
        }
        "report" => {
            let [page, csv] = ["page.html", "page.html.csv"].map(|name| folder.join(name));
            let files = (fs::File::create(&page)?, BufWriter::new(fs::File::create(&csv)?));
            set.report_with_evidence(files.0, files.1, "page.html.csv")?;
            let [page, csv] = [page, csv].map(|file| fs::metadata(file).map(|file| file.len()));
            format!("a page of {} bytes, {} bytes of CSV", page?, csv?)
        }
        "results" => format!("{} rows", set.results(ResultRows::All, io::sink())?),
        "undo" => format!("{:?}", runtime()?.block_on(set.undo(&undo))?),
        _ => return Err("no such step".into()),
    };
    println!("{step}: {told} in {:.2?}", began.elapsed());
    tell_memory();
    Ok(())
}

/// The most memory that this process had.
fn tell_memory() {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    for line in status.lines().filter(|line| line.starts_with("VmHWM")) {
        println!("{line}");
    }
}

fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

fn site() -> Result<Site, Box<dyn Error>> {
    Ok(Site::new(TenantId::new(1_001)?, "https://api.example"))
}

fn make(folder: &Path, contacts: i64) -> Result<(), Box<dyn Error>> {
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder)?;
    let service = service(contacts)?;
    let mut snapshot = Snapshot::open_or_create(folder.join("snapshot"), &site()?)?;
    let began = Instant::now();
    runtime()?.block_on(snapshot.update_contacts(&service, &site()?, |_| {}))?;
    println!("snapshot: {contacts} contacts in {:.2?}", began.elapsed());

    let mut rows = BufWriter::new(fs::File::create(folder.join("rows.csv"))?);
    writeln!(rows, "Location_ID,Contact_ID,Memo,Marketing_Updates,Branch")?;
    for i in 0..contacts {
        // A step that shares no factor with the number of contacts visits all of them.
        let id = i * 612_361 % contacts;
        let memo = if i % 2 == 0 { "Gate code 4411" } else { "Front desk" };
        writeln!(rows, "{},{},{memo},off,North {}", id / 4 + 1, id + 1, i % 7)?;
    }
    Ok(rows.flush()?)
}

/// Brings the snapshot up to date when nothing is new.
fn refresh(folder: &Path) -> Result<(), Box<dyn Error>> {
    let began = Instant::now();
    let mut snapshot = Snapshot::open(folder.join("snapshot"))?;
    let contacts = snapshot.coverage()?.contacts.try_into()?;
    let service = service(contacts)?;
    runtime()?.block_on(snapshot.update_contacts(&service, &site()?, |_| {}))?;
    drop(snapshot);
    println!("refresh: {contacts} contacts in {:.2?}", began.elapsed());
    tell_memory();
    Ok(())
}

/// A service with this many contacts.
fn service(contacts: i64) -> Result<ContactsService<MockTransport>, Box<dyn Error>> {
    let mut transport = MockTransport::new();
    transport
        .expect_send()
        .returning(move |request| Ok(Response::new(Bytes::from(feed(&request, contacts)))));
    Ok(ContactsService::new(transport, TenantId::new(1_001)?))
}

/// One batch of an export feed: customers have no contacts, each location has four.
fn feed(request: &Request, contacts: i64) -> String {
    let target = request.uri().to_string();
    let first = match target.split_once("from=") {
        _ if target.contains("customers") => contacts,
        Some((_, token)) => token.split('&').next().and_then(|t| t.parse().ok()).unwrap_or(0),
        None => 0,
    };
    let last = (first + BATCH).min(contacts);
    let mut json = String::with_capacity(2_000_000);
    let _ = write!(json, r#"{{"hasMore":{},"continueFrom":"{last}","data":["#, last < contacts);
    for id in first..last {
        let separator = if id == first { "" } else { "," };
        let _ = write!(
            json,
            r#"{separator}{{"id":{},"locationId":{},"type":"MobilePhone","value":"{}","memo":"Front desk","phoneSettings":{{"phoneNumber":"{}","doNotText":false}},"modifiedOn":"2026-05-27T16:04:11.4827193Z","createdOn":"2025-11-02T09:15:00Z","active":true,"preferences":{{"jobRemindersEnabled":true,"marketingUpdatesEnabled":{},"invoiceStatementNotification":false,"invoiceNotification":true,"statementNotification":false}}}}"#,
            id + 1,
            id / 4 + 1,
            8_185_000_000 + id,
            8_185_000_000 + id,
            id % 3 == 0,
        );
    }
    json + "]}"
}

fn plan(folder: &Path) -> Result<(), Box<dyn Error>> {
    let out = folder.join("set.crm");
    let _ = fs::remove_file(&out);
    let snapshot = Snapshot::open(folder.join("snapshot"))?;
    let input = Input::open(folder.join("rows.csv"))?;
    let began = Instant::now();
    let plan = Plan::new(site()?).snapshot(snapshot);
    let summary = runtime()?.block_on(plan.from_snapshot(input, &out))?;
    let took = began.elapsed();
    let totals = ChangeSet::open(&out)?.totals()?;
    let bytes = fs::metadata(&out)?.len() / totals.all().max(1);
    println!("{bytes} bytes of the set for each change");
    println!(
        "plan: {} rows in {took:.2?}, {:.0} rows/s; {} planned, {} already so",
        summary.rows,
        summary.rows as f64 / took.as_secs_f64(),
        totals.in_state(State::Planned),
        totals.in_state(State::Already),
    );
    tell_memory();
    Ok(())
}
