//! Measures what is left of an executor while change sets are worked on: the longest polls of each
//! piece of work, in time of its thread on the processor, and how late a ticker runs beside it, on
//! one thread.
//!
//! ```text
//! cargo run --release -p crm-bulk --example beside_a_ticker -- 1000000
//! ```
//!
//! The service answers at once from memory, in the same thread. What it takes to make an answer is
//! not counted as the work's. Where other processes want the same processor, a poll that is
//! interrupted by them takes longer, since it finds the caches full of what is theirs.

use std::{
    cell::Cell,
    error::Error,
    fmt::Write as _,
    fs,
    future::Future,
    io::{BufWriter, Write},
    path::Path,
    pin::pin,
    task::Poll,
    time::{Duration, Instant},
};

use bytes::Bytes;
use crm_bulk::{Apply, BulkError, ChangeSet, Input, OptOut, Plan, Site, Snapshot};
use crm_contacts::ContactsService;
use crm_models::TenantId;
use crm_transport::{MockTransport, Request, Response};
use futures_util::TryStreamExt;

/// How many contacts a batch of the feed has, and how many each location.
const BATCH: i64 = 5_000;
const OF_A_LOCATION: i64 = 4;
const TICK: Duration = Duration::from_millis(1);
/// No poll is to take longer.
const MOST: Duration = Duration::from_millis(1);

thread_local! {
    /// What the service itself has taken, to be left out.
    static SERVICE: Cell<Duration> = const { Cell::new(Duration::ZERO) };
    /// Whether the service has been changed.
    static APPLIED: Cell<bool> = const { Cell::new(false) };
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let contacts: i64 = std::env::args().nth(1).map_or(Ok(100_000), |text| text.parse())?;
    let folder = tempfile::tempdir()?;
    let at = |name: &str| folder.path().join(name);
    write_input(folder.path(), contacts)?;
    let mut transport = MockTransport::new();
    transport.expect_send().returning(move |request| {
        let began = cpu();
        let answer = Bytes::from(answer(&request, contacts));
        SERVICE.set(SERVICE.get() + (cpu() - began));
        Ok(Response::new(answer))
    });
    let service = ContactsService::new(transport, TenantId::new(1_001)?);
    let site = Site::of(&service, "https://api.example");
    let rows = || Input::open(at("rows.csv"));
    println!("{contacts} contacts; longest poll in CPU time, lateness of a tick of {TICK:?}");

    let mut snapshot = Snapshot::open_or_create(at("snapshot"), &site)?;
    beside("snapshot update", snapshot.update_contacts(&service, &site, |_| {})).await?;
    let plan = || Plan::new(site.clone());
    let by_snapshot = plan().snapshot(Snapshot::open(at("snapshot"))?);
    beside("plan from snapshot", by_snapshot.from_snapshot(rows()?, at("a.crm"))).await?;
    beside("plan from API", plan().from_api(&service, rows()?, at("b.crm"))).await?;
    let opt_out = OptOut::new(site.clone(), Snapshot::open(at("snapshot"))?);
    let list = Input::open(at("list.csv"))?;
    beside("opt-out", opt_out.plan(&service, list, at("c.crm"))).await?;
    let opened = Cell::new(None);
    let open = async {
        opened.set(Some(ChangeSet::open(at("b.crm"))?));
        Ok::<_, BulkError>(())
    };
    beside("open the set", open).await?;
    let apply = async {
        let Some(set) = opened.take() else { return Ok(()) };
        let mut events = Apply::new(set).run(&service, &site)?;
        while events.try_next().await?.is_some() {}
        Ok::<_, BulkError>(())
    };
    beside("apply", apply).await?;
    APPLIED.set(true);
    let mut set = ChangeSet::open(at("b.crm"))?;
    beside("verify", set.verify(&service, &site, |_| Ok(()))).await?;
    beside("undo", set.undo(at("d.crm"))).await?;
    crm_bulk::idle().await;
    Ok(())
}

/// Does the work beside a ticker and prints what that found.
async fn beside<R, E>(name: &str, work: impl Future<Output = Result<R, E>>) -> Result<(), E> {
    let ticker = tokio::spawn(async {
        let mut late = Vec::new();
        loop {
            let due = Instant::now() + TICK;
            tokio::time::sleep(TICK).await;
            late.push(due.elapsed());
            if STOP.with(Cell::get) {
                return late;
            }
        }
    });
    let (began, mut longest) = (Instant::now(), Duration::ZERO);
    let (mut polls, mut too_long) = (0_u64, 0_u64);
    let mut work = pin!(work);
    let done = std::future::poll_fn(|context| {
        let (before, service) = (cpu(), SERVICE.get());
        let done = work.as_mut().poll(context);
        let took = (cpu() - before).saturating_sub(SERVICE.get() - service);
        longest = longest.max(took);
        polls += 1;
        too_long += u64::from(took > MOST);
        match done {
            Poll::Ready(done) => Poll::Ready(done),
            Poll::Pending => Poll::Pending,
        }
    })
    .await;
    let took = began.elapsed();
    STOP.set(true);
    let mut late = ticker.await.unwrap_or_default();
    STOP.set(false);
    late.sort_unstable();
    let share = |thousandths: usize| late.get(late.len() * thousandths / 1_000).copied();
    println!(
        "{name:20} {took:>8.2?} longest of {polls} polls {longest:>9.2?}, {too_long} over {MOST:?}  \
         ticker p50 {:>8.2?} p99 {:>8.2?} p99.9 {:>8.2?}",
        share(500).unwrap_or_default(),
        share(990).unwrap_or_default(),
        share(999).unwrap_or_default(),
    );
    done.map(drop)
}

thread_local! {
    static STOP: Cell<bool> = const { Cell::new(false) };
}

/// The time that this thread has had on the processor.
fn cpu() -> Duration {
    let spent = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(spent.tv_sec.try_into().unwrap_or(0), spent.tv_nsec.try_into().unwrap_or(0))
}

fn write_input(folder: &Path, contacts: i64) -> Result<(), Box<dyn Error>> {
    let mut rows = BufWriter::new(fs::File::create(folder.join("rows.csv"))?);
    writeln!(rows, "Location_ID,Contact_ID,Memo")?;
    let mut list = BufWriter::new(fs::File::create(folder.join("list.csv"))?);
    writeln!(list, "phone")?;
    for i in 0..contacts {
        // A step that shares no factor with the number of contacts visits all of them.
        let id = i * 612_361 % contacts;
        writeln!(rows, "{},{},Gate code 4411", id / OF_A_LOCATION + 1, id + 1)?;
        if i % 10 == 0 {
            writeln!(list, "{}", 8_185_000_000 + id)?;
        }
    }
    rows.flush()?;
    Ok(list.flush()?)
}

/// What the service answers: a feed, a list of some owners, a changed contact, and no people.
fn answer(request: &Request, contacts: i64) -> String {
    let target = request.uri().to_string();
    let mut json = String::new();
    if request.method().as_str() == "PATCH" {
        let id = target.rsplit('/').next().and_then(|id| id.parse::<i64>().ok()).unwrap_or(1) - 1;
        write_contact(&mut json, id, "Gate code 4411");
        return json;
    }
    if target.contains("/export/") {
        let from =
            target.split_once("from=").and_then(|(_, rest)| rest.split('&').next()?.parse().ok());
        let first = if target.contains("customers") { contacts } else { from.unwrap_or(0) };
        let last = (first + BATCH).min(contacts);
        let _ = write!(json, r#"{{"hasMore":{},"continueFrom":"{last}","data":["#, last < contacts);
        write_contacts(&mut json, first..last);
        return json + "]}";
    }
    if target.contains("preferences") {
        return "[]".to_owned();
    }
    let ids = target.split_once("locationIds=").map_or("", |(_, rest)| rest);
    let ids = ids.split('&').next().unwrap_or_default().replace("%2C", ",");
    let _ = write!(json, r#"{{"page":1,"pageSize":5000,"hasMore":false,"data":["#);
    let owners = ids.split(',').filter_map(|id| id.parse::<i64>().ok());
    let ids = owners.flat_map(|owner| (owner - 1) * OF_A_LOCATION..owner * OF_A_LOCATION);
    write_contacts(&mut json, ids.filter(|id| *id < contacts));
    json + "]}"
}

fn write_contacts(json: &mut String, ids: impl Iterator<Item = i64>) {
    let memo = if APPLIED.get() { "Gate code 4411" } else { "Front desk" };
    for (place, id) in ids.enumerate() {
        if place > 0 {
            json.push(',');
        }
        write_contact(json, id, memo);
    }
}

fn write_contact(json: &mut String, id: i64, memo: &str) {
    let _ = write!(
        json,
        r#"{{"id":{},"locationId":{},"type":"MobilePhone","value":"{}","memo":"{memo}","phoneSettings":{{"phoneNumber":"{}","doNotText":false}},"modifiedOn":"2026-05-27T16:04:11.4827193Z","createdOn":"2025-11-02T09:15:00Z","active":true,"preferences":{{"jobRemindersEnabled":true,"marketingUpdatesEnabled":false,"invoiceStatementNotification":false,"invoiceNotification":true,"statementNotification":false}}}}"#,
        id + 1,
        id / OF_A_LOCATION + 1,
        8_185_000_000 + id,
        8_185_000_000 + id,
    );
}
