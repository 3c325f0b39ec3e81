//! Measures a mirror: its first load, a refresh with nothing new, a sweep of its people, its size, its
//! memory, and how long it takes to find somebody in it.
//!
//! ```text
//! cargo run --release -p crm-mirror --example million -- /tmp/mirror load 1000000 300000 400000
//! cargo run --release -p crm-mirror --example million -- /tmp/mirror size
//! cargo run --release -p crm-mirror --example million -- /tmp/mirror refresh
//! cargo run --release -p crm-mirror --example million -- /tmp/mirror sweep
//! cargo run --release -p crm-mirror --example million -- /tmp/mirror status
//! cargo run --release -p crm-mirror --example million -- /tmp/mirror find
//! ```
//!
//! The numbers are those of contacts, people, and contact methods of people.
//!
//! Several runs, so that the memory of each is that of its step alone. The feed tells the contacts in
//! an order that has nothing to do with their owners. What the made-up service costs is measured
//! and taken off.

use std::{
    error::Error,
    fmt::Write as _,
    fs,
    path::Path,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::{Duration, Instant},
};

use bytes::Bytes;
use crm_contacts::ContactsService;
use crm_mirror::{Mirror, Site, rusqlite};
use crm_models::{TenantId, Timestamp};
use crm_transport::{MockTransport, Request, Response};
use rustix::time::{ClockId, clock_gettime};

const BATCH: i64 = 5_000;
/// How many contacts each owner has.
const OF_OWNER: i64 = 3;

const NAMES: [&str; 12] = [
    "Whitfield",
    "Okafor",
    "Lindqvist",
    "Moreno",
    "Takahashi",
    "Brannigan",
    "Castellanos",
    "Dubois",
    "Ferreira",
    "Halvorsen",
    "Ibarra",
    "Zielinski",
];
const TOWNS: [&str; 8] = [
    "Pasadena",
    "Glendale",
    "Burbank",
    "Long Beach",
    "Santa Clarita",
    "Torrance",
    "Pomona",
    "Downey",
];

/// What the made-up service has cost, in nanoseconds.
static SERVICE: AtomicU64 = AtomicU64::new(0);
/// How many calls it has answered.
static CALLS: AtomicU64 = AtomicU64::new(0);

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let usage = "usage: million FOLDER (load CONTACTS PEOPLE METHODS | size | refresh | sweep | status | find)";
    let folder = arguments.next().ok_or(usage)?;
    let folder = Path::new(&folder);
    match arguments.next().as_deref() {
        Some("load") => {
            let mut number = || Ok::<i64, Box<dyn Error>>(arguments.next().ok_or(usage)?.parse()?);
            let (contacts, people, methods) = (number()?, number()?, number()?);
            load(folder, Tenant { contacts, people, methods })?;
        }
        Some("size") => size(folder)?,
        Some("refresh") => again(folder, What::Everything)?,
        Some("sweep") => again(folder, What::EverythingSwept)?,
        Some("status") => status(folder)?,
        Some("find") => find(folder)?,
        _ => return Err(usage.into()),
    }
    tell_memory();
    Ok(())
}

/// How much a tenant has.
#[derive(Debug, Clone, Copy)]
struct Tenant {
    contacts: i64,
    people: i64,
    methods: i64,
}

impl Tenant {
    /// That of a mirror.
    fn of(mirror: &Mirror) -> Result<Self, Box<dyn Error>> {
        let held = mirror.coverage()?;
        let contacts = held.contacts.try_into()?;
        let (people, methods) = (held.people.known.try_into()?, held.people.methods.try_into()?);
        Ok(Self { contacts, people, methods })
    }
}

/// How far a mirror is brought up to date.
#[derive(Debug, Clone, Copy)]
enum What {
    Contacts,
    Everything,
    EverythingSwept,
}

/// Loads a mirror: the contacts, and then all else.
fn load(folder: &Path, tenant: Tenant) -> Result<(), Box<dyn Error>> {
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder)?;
    let path = folder.join("mirror.db");
    update(&path, tenant, What::Contacts)?;
    update(&path, tenant, What::Everything)
}

/// Brings a mirror up to date when nothing is new.
fn again(folder: &Path, what: What) -> Result<(), Box<dyn Error>> {
    let path = folder.join("mirror.db");
    let tenant = Tenant::of(&Mirror::open(&path)?)?;
    update(&path, tenant, what)
}

fn update(path: &Path, tenant: Tenant, what: What) -> Result<(), Box<dyn Error>> {
    let (began, cpu) = (Instant::now(), cpu());
    let (service_before, calls_before) = (SERVICE.load(Relaxed), CALLS.load(Relaxed));
    let site = Site::new(TenantId::new(1_001)?, "https://api.example");
    let mut mirror = Mirror::open_or_create(path, &site)?;
    let service = service(tenant)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut reported = 0;
    let report = |read| reported = read;
    runtime.block_on(async {
        match what {
            What::Contacts => mirror.update_contacts(&service, &site, report).await,
            What::Everything => mirror.update(&service, &site, report).await,
            What::EverythingSwept => mirror.update_and_sweep(&service, &site, report).await,
        }
    })?;
    drop(mirror);
    let own = self::cpu() - cpu - Duration::from_nanos(SERVICE.load(Relaxed) - service_before);
    let (calls, took) = (CALLS.load(Relaxed) - calls_before, began.elapsed());
    println!(
        "{what:?}: {reported} records by {calls} calls in {took:.2?}, {own:.2?} of our own work"
    );
    Ok(())
}

/// Tells how many bytes a record of each kind takes, with all its indexes.
fn size(folder: &Path) -> Result<(), Box<dyn Error>> {
    let path = folder.join("mirror.db");
    let mirror = Mirror::open(&path)?;
    let (held, tenant) = (mirror.coverage()?, Tenant::of(&mirror)?);
    let file = rusqlite::Connection::open(&path)?;
    let bytes = |noun: &str| {
        let sql = "SELECT sum(pgsize) FROM dbstat WHERE name GLOB ?1 || 's*'
            OR name GLOB ?1 || '_text*' OR ?1 = 'person' AND name GLOB 'people*'";
        file.query_row(sql, [noun], |row| row.get::<_, i64>(0))
    };
    let owners = i64::try_from(held.owners)?;
    for (noun, records) in [
        ("contact", tenant.contacts),
        ("owner", owners),
        ("person", tenant.people),
        ("method", tenant.methods),
    ] {
        println!("{records} times {noun}: {} bytes each", bytes(noun)? / records.max(1));
    }
    println!("{} bytes in all", fs::metadata(&path)?.len());
    Ok(())
}

fn status(folder: &Path) -> Result<(), Box<dyn Error>> {
    let cpu = cpu();
    let mirror = Mirror::open(folder.join("mirror.db"))?;
    println!("{:?}", mirror.coverage()?);
    println!("{:?} of our own work", self::cpu() - cpu);
    Ok(())
}

/// What is looked for, by a number.
type Text<'a> = &'a dyn Fn(i64) -> Result<String, std::fmt::Error>;

/// Finds many of each kind, and tells how much processor time the first, half, and all but a
/// hundredth of them take. Of a machine with other work the clock would tell more than of us.
fn find(folder: &Path) -> Result<(), Box<dyn Error>> {
    let mirror = Mirror::open(folder.join("mirror.db"))?;
    let contacts: i64 = mirror.coverage()?.contacts.try_into()?;
    // Every third of each kind of owner is a telephone, and another third an address.
    let value = |id: i64, kind: i64| {
        let mut told = String::new();
        let owners = contacts / 2 / OF_OWNER;
        contact(&mut told, id % owners * OF_OWNER + kind, true)?;
        let value = told.split_once(r#""value": ""#).and_then(|(_, rest)| rest.split('"').next());
        Ok::<_, std::fmt::Error>(value.unwrap_or_default().to_owned())
    };
    let (number, address) = (|id| value(id, 0), |id| value(id, 2));
    let kinds: [(&str, Text<'_>); 8] = [
        ("numbers", &|id| Ok(format!("+1 {}", number(id * 7_919)?))),
        ("numbers, digits alone", &|id| number(id * 7_919)),
        ("last seven digits", &|id| Ok(number(id * 7_919)?[3..].to_owned())),
        ("numbers of nobody", &|id| Ok(format!("206{}", 9_000_000 + id))),
        ("addresses", &|id| address(id * 7_919)),
        ("beginnings of addresses", &|id| Ok(format!("lindqvist.{}@", id * 12 + 2))),
        ("names and towns", &|id| Ok(format!("{} {}", NAMES[(id % 12) as usize], 100 + id))),
        ("parts of names", &|id| Ok(NAMES[(id % 12) as usize][1..5].to_owned())),
    ];
    for (kind, text) in kinds {
        let (mut times, mut hits) = (Vec::new(), 0);
        for id in 0..1_000 {
            let text = text(id)?;
            let began = cpu();
            hits += mirror.find(&text, 51)??.hits.len();
            times.push(cpu() - began);
        }
        let first = times[0];
        times.sort();
        println!(
            "{kind}: {hits} hits, first {first:.1?}, half {:.1?}, 99 % {:.1?}",
            times[500], times[990]
        );
    }
    Ok(())
}

/// The processor time that this process has used.
fn cpu() -> Duration {
    let used = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(used.tv_sec.cast_unsigned(), u32::try_from(used.tv_nsec).unwrap_or_default())
}

/// The most memory that this process had.
fn tell_memory() {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    for line in status.lines().filter(|line| line.starts_with("VmHWM")) {
        println!("{line}");
    }
}

/// A service of this tenant.
fn service(tenant: Tenant) -> Result<ContactsService<MockTransport>, Box<dyn Error>> {
    let mut transport = MockTransport::new();
    transport.expect_send().returning(move |request| {
        let began = Instant::now();
        let answer = Bytes::from(if request.uri().path().contains("/export/") {
            answer(&request, tenant.contacts)
        } else {
            page(&request, tenant)
        });
        CALLS.fetch_add(1, Relaxed);
        SERVICE.fetch_add(began.elapsed().as_nanos() as u64, Relaxed);
        Ok(Response::new(answer))
    });
    Ok(ContactsService::new(transport, TenantId::new(1_001)?))
}

/// One batch of a feed. Half of the owners are customers, half are locations.
fn answer(request: &Request, contacts: i64) -> String {
    let target = request.uri().to_string();
    let token = target.split_once("from=").and_then(|(_, rest)| rest.split('&').next());
    let first: i64 = token.and_then(|token| token.parse().ok()).unwrap_or(0);
    let of_customers = target.contains("customers");
    let is_contacts = target.contains("/contacts");
    let all = if is_contacts { contacts / 2 } else { contacts / 2 / OF_OWNER };
    let (last, mut data) = ((first + BATCH).min(all), String::new());
    for at in first..last {
        let comma = if at > first { "," } else { "" };
        data.push_str(comma);
        // A step that shares no factor with the number of records visits all of them.
        let id = at * 612_361 % all.max(1);
        let _ = if is_contacts {
            contact(&mut data, id, of_customers)
        } else {
            owner(&mut data, id, of_customers)
        };
    }
    format!(r#"{{"hasMore": {}, "continueFrom": "{last}", "data": [{data}]}}"#, last < all)
}

/// When the first person, and the first method, was created, in nanoseconds.
const FIRST: i128 = 1_780_000_000_000_000_000;
/// One later than the other.
const STEP: i128 = 700_000_000;

/// One page of a list of people or of their methods, who were never changed.
fn page(request: &Request, tenant: Tenant) -> String {
    let query = request.uri().query().unwrap_or_default();
    let from = query.split('&').find_map(|pair| pair.split_once("OnOrAfter=")).map(|(_, at)| at);
    let from = from.and_then(|at| at.replace("%3A", ":").parse::<Timestamp>().ok());
    let from = from.map_or(0, |at| (at.as_nanoseconds() - FIRST).max(0) + STEP - 1) / STEP;
    let is_methods = request.uri().path().ends_with("/contact-methods");
    let all = if is_methods { tenant.methods } else { tenant.people };
    let (first, mut data) = (i64::try_from(from).unwrap_or(i64::MAX), String::new());
    for id in first..(first + BATCH).min(all) {
        let comma = if id > first { "," } else { "" };
        data.push_str(comma);
        let _ = if is_methods {
            method(&mut data, id, tenant.people.max(1))
        } else {
            person(&mut data, id)
        };
    }
    let more = first + BATCH < all;
    format!(r#"{{"page": 1, "pageSize": {BATCH}, "hasMore": {more}, "data": [{data}]}}"#)
}

/// An id that has nothing to do with the order of creation.
fn guid(id: i64) -> String {
    let mixed = id.wrapping_mul(0x9E37_79B9_7F4A_7C15_u64.cast_signed());
    format!("{:08x}-{:04x}-4000-8000-{id:012x}", mixed >> 32 & 0xFFFF_FFFF, mixed & 0xFFFF)
}

/// The members that people and methods have in common.
fn times(id: i64) -> String {
    let at = Timestamp::from_nanoseconds(FIRST + i128::from(id) * STEP);
    let at = at.map(|at| at.to_string()).unwrap_or_default();
    format!(r#""createdOn": "{at}", "createdBy": 4102, "modifiedOn": "{at}", "modifiedBy": 4102"#)
}

fn person(data: &mut String, id: i64) -> std::fmt::Result {
    write!(
        data,
        r#"{{"id": "{}", "referenceId": null, "name": "{} {}", "title": "Facilities lead",
        "isArchived": {}, {}}}"#,
        guid(id),
        ["Dana", "Amara", "Jörg", "Luis"][(id % 4) as usize],
        NAMES[(id % 12) as usize],
        id % 40 == 0,
        times(id),
    )
}

fn method(data: &mut String, id: i64, people: i64) -> std::fmt::Result {
    let random = id.wrapping_mul(2_654_435_761).rem_euclid(8_000_000);
    let (kind, value) = match id % 2 {
        0 => ("MobilePhone", format!("{}{}", 200 + id % 700, 2_000_000 + random)),
        _ => ("Email", format!("{}.{}@site{}.example", NAMES[(id % 12) as usize], id, id % 97)),
    };
    let memo = if id % 5 == 0 { r#""Front desk, ask for the manager""# } else { "null" };
    write!(
        data,
        r#"{{"id": "{}", "contactId": "{}", "referenceId": null, "type": "{kind}",
        "value": "{value}", "memo": {memo}, {}}}"#,
        guid(id + 50_000_000),
        guid(id % people),
        times(id),
    )
}

fn contact(data: &mut String, id: i64, of_customer: bool) -> std::fmt::Result {
    let member = if of_customer { "customerId" } else { "locationId" };
    let owner = 1_000_001 + id / OF_OWNER;
    let random = id.wrapping_mul(2_654_435_761).rem_euclid(8_000_000);
    let name = NAMES[id.rem_euclid(12) as usize].to_lowercase();
    let (kind, value) = match id % OF_OWNER {
        0 => ("Phone", format!("{}{}", 200 + id % 700, 2_000_000 + random)),
        1 => ("MobilePhone", format!("{}{}", 200 + id % 700, 2_000_000 + random)),
        _ => ("Email", format!("{name}.{}@site{}.example", id % 99_991, id % 97)),
    };
    let memo = match id % 5 {
        0 => r#""Front desk, ask for the manager""#,
        1 => r#""Gate code 4411""#,
        _ => "null",
    };
    let settings = match id % OF_OWNER {
        2 => "null".to_owned(),
        _ => format!(r#"{{"phoneNumber": "{value}", "doNotText": {}}}"#, id % 11 == 0),
    };
    write!(
        data,
        r#"{{"id": {}, "{member}": {owner}, "type": "{kind}", "value": "{value}", "memo": {memo},
        "phoneSettings": {settings}, "modifiedOn": "2026-05-27T16:04:11.48{:05}Z",
        "createdOn": "2025-11-02T09:15:00Z", "active": true, "preferences": {{
        "jobRemindersEnabled": true, "marketingUpdatesEnabled": {},
        "invoiceStatementNotification": true, "invoiceNotification": true,
        "statementNotification": true}}}}"#,
        70_000_001 + id,
        id % 99_999,
        id % 3 == 0,
    )
}

fn owner(data: &mut String, id: i64, is_customer: bool) -> std::fmt::Result {
    let customer =
        if is_customer { String::new() } else { format!(r#""customerId": {}, "#, 1_000_001 + id) };
    write!(
        data,
        r#"{{"id": {}, {customer}"active": true, "name": "{} {}", "type": "Residential",
        "address": {{"street": "{} Foothill Lane", "unit": null, "city": "{}", "state": "CA",
        "zip": "{}", "country": "USA"}}, "createdOn": "2025-11-02T09:15:00Z",
        "modifiedOn": "2026-05-27T16:04:11.48{:05}Z"}}"#,
        1_000_001 + id,
        ["Dana", "Amara", "Jörg", "Luis"][(id % 4) as usize],
        NAMES[(id % 12) as usize],
        100 + id % 9_000,
        TOWNS[(id % 8) as usize],
        90_001 + id % 900,
        id % 99_999,
    )
}
