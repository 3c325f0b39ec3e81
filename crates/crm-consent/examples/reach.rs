//! Measures what is due of many wishes against many contacts, and the plan that ends it.
//!
//! ```text
//! cargo run --release -p crm-consent --example reach -- /tmp/reach make 100000 1000000
//! cargo run --release -p crm-consent --example reach -- /tmp/reach due
//! cargo run --release -p crm-consent --example reach -- /tmp/reach plan
//! ```
//!
//! Several runs, so that the memory of each is that of its step alone. Each wish is of another contact,
//! which receives marketing; the other contacts nobody has said anything about.

use std::{error::Error, fmt::Write as _, fs, path::Path, time::Instant};

use bytes::Bytes;
use crm_bulk::{ChangeSet, State};
use crm_consent::{Import, Input, Ledger, List, ListOptions, Reach, Wish};
use crm_contacts::ContactsService;
use crm_mirror::{Mirror, Site};
use crm_models::TenantId;
use crm_transport::{MockTransport, Request, Response};

const BATCH: u32 = 5_000;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let usage = "usage: reach FOLDER (make WISHES CONTACTS | due | plan)";
    let folder = arguments.next().ok_or(usage)?;
    let folder = Path::new(&folder);
    match arguments.next().as_deref() {
        Some("make") => {
            let mut number = || Ok::<u32, Box<dyn Error>>(arguments.next().ok_or(usage)?.parse()?);
            make(folder, number()?, number()?)?;
        }
        Some("due") => due(folder)?,
        Some("plan") => plan(folder)?,
        _ => return Err(usage.into()),
    }
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().filter(|line| line.starts_with("VmHWM")).for_each(|line| println!("{line}"));
    Ok(())
}

fn site() -> Result<Site, Box<dyn Error>> {
    Ok(Site::new(TenantId::new(1_001)?, "https://api.example"))
}

fn make(folder: &Path, wishes: u32, contacts: u32) -> Result<(), Box<dyn Error>> {
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder)?;
    let mut mirror = Mirror::open_or_create(folder.join("mirror.db"), &site()?)?;
    block_on(mirror.update(&service(contacts)?, &site()?, |_| {}))?;
    let mut list = "phone,received\n".to_owned();
    for wish in 0..wishes {
        let number = number(u64::from(wish) * u64::from(contacts) / u64::from(wishes));
        writeln!(list, "{number},2026-11-23")?;
    }
    let mut list = List::read(Input::csv("list", std::io::Cursor::new(list)), &ListOptions::new())?;
    let mut ledger = Ledger::open_or_create(folder.join("ledger.db"), &site()?)?;
    let imported = ledger.import(&mut list, &Import::new().says(Wish::Out))?;
    println!("{} wishes", imported.new);
    Ok(())
}

fn due(folder: &Path) -> Result<(), Box<dyn Error>> {
    let (ledger, mirror) = open(folder)?;
    let began = Instant::now();
    let due = ledger.due(&mirror)?;
    println!("{} due in {:.2?}", due.len(), began.elapsed());
    Ok(())
}

fn plan(folder: &Path) -> Result<(), Box<dyn Error>> {
    let (ledger, mirror) = open(folder)?;
    let set = folder.join("set.crm");
    let _ = fs::remove_file(&set);
    let began = Instant::now();
    let reached = block_on(Reach::new(ledger, mirror).plan(&service(0)?, &set))?;
    println!("{} changes in {:.2?}", reached.changes, began.elapsed());
    assert_eq!(ChangeSet::open(&set)?.totals()?.in_state(State::Planned), reached.changes);
    Ok(())
}

fn open(folder: &Path) -> Result<(Ledger, Mirror), Box<dyn Error>> {
    let ledger = Ledger::open(folder.join("ledger.db"), &site()?)?;
    Ok((ledger, Mirror::open(folder.join("mirror.db"))?))
}

fn block_on<R>(future: impl Future<Output = R>) -> R {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map(|runtime| runtime.block_on(future)).unwrap_or_else(|error| panic!("{error}"))
}

/// The number of a contact.
fn number(contact: u64) -> u64 {
    2_132_000_000 + contact
}

/// A service whose customers have so many contacts, three of each.
fn service(contacts: u32) -> Result<ContactsService<MockTransport>, Box<dyn Error>> {
    let mut transport = MockTransport::new();
    transport
        .expect_send()
        .returning(move |request| Ok(Response::new(Bytes::from(answer(&request, contacts)))));
    Ok(ContactsService::new(transport, TenantId::new(1_001)?))
}

fn answer(request: &Request, contacts: u32) -> String {
    let target = request.uri().to_string();
    if !target.contains("/export/") {
        return r#"{"page": 1, "pageSize": 5000, "hasMore": false, "data": []}"#.to_owned();
    }
    let token = target.split_once("from=").and_then(|(_, rest)| rest.split('&').next());
    let first: u32 = token.and_then(|token| token.parse().ok()).unwrap_or(0);
    let all = if target.contains("/customers/contacts") { contacts } else { 0 };
    let (last, mut data) = ((first + BATCH).min(all), String::new());
    for at in first..last {
        let comma = if at > first { "," } else { "" };
        // A step that shares no factor with the number of contacts visits all of them.
        let id = u64::from(at) * 612_361 % u64::from(all);
        let _ = write!(
            data,
            r#"{comma}{{"id": {}, "customerId": {}, "type": "MobilePhone", "value": "{}",
            "memo": null, "phoneSettings": null, "modifiedOn": "2026-05-27T16:04:11.48Z",
            "createdOn": "2025-11-02T09:15:00Z", "active": true, "preferences": {{
            "jobRemindersEnabled": true, "marketingUpdatesEnabled": true,
            "invoiceStatementNotification": true, "invoiceNotification": true,
            "statementNotification": true}}}}"#,
            70_000_001 + id,
            1_000_001 + id / 3,
            number(id),
        );
    }
    format!(r#"{{"hasMore": {}, "continueFrom": "{last}", "data": [{data}]}}"#, last < all)
}
