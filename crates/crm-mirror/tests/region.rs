//! The region of a mirror is changed by processes that are killed at random points, and beside others
//! that change it too, update the mirror or find somebody in it. Whoever looks sees the keys of one
//! region alone, and what was broken off is done by the next one.
//!
//! The number of kills is 12, or what `CRM_MIRROR_KILLS` says. `CRM_MIRROR_SEED` repeats a run.
#![allow(clippy::unwrap_used, reason = "a test fails so")]

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Read,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use bytes::Bytes;
use crm_contacts::ContactsService;
use crm_mirror::{By, Mirror, Site, keys::Keys, rusqlite};
use crm_models::TenantId;
use crm_transport::{MockTransport, Request, Response};
use crm_values::PhoneReader;
use rusqlite::{Connection, types::ValueRef};
use serde_json::json;

/// What a child is told in its environment: its work, and the file.
const TASK: &str = "CRM_MIRROR_CHILD";
/// More than fit into the memory of the transaction that changes their keys.
const CONTACTS: usize = 12_000;
/// How many an update brings.
const MORE: usize = 1_000;

fn main() {
    if let Ok(task) = std::env::var(TASK) {
        let (work, path) = task.split_once(' ').unwrap();
        child(work, Path::new(path));
    } else if !std::env::args().any(|argument| argument == "--list") {
        // Test runners ask for a list of tests.
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mirror.db");
        update(&path, CONTACTS);
        let mut looking = Looking::default();
        killed(&path, &mut looking);
        a_number_of_another_country_is_found_as_text(&path);
        beside_others(&path, &mut looking);
        println!("test result: ok. 3 passed; 0 failed");
    }
}

fn killed(path: &Path, looking: &mut Looking) {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let seed: u64 = number("CRM_MIRROR_SEED").unwrap_or_else(|| fastrand::u64(..));
    let kills = number("CRM_MIRROR_KILLS").unwrap_or(12);
    println!("killed: {kills} kills, CRM_MIRROR_SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let began = Instant::now();
    let mut child = spawn("GB", path);
    wait_for_its_beginning(&mut child);
    assert!(child.wait().unwrap().success());
    let whole = began.elapsed();
    let (mut broken_off, mut before) = (0, looking.look(path));
    assert_eq!(before, "GB");
    for kill in 0..kills {
        let wanted = ["US", "DE", "GB"][kill as usize % 3];
        let mut child = spawn(wanted, path);
        wait_for_its_beginning(&mut child);
        let patience = whole.mul_f64(random.f64());
        let begun = Instant::now();
        while begun.elapsed() < patience && child.try_wait().unwrap().is_none() {
            let seen = looking.look(path);
            assert!(
                seen == before || seen == wanted,
                "{seen} on the way from {before} to {wanted}"
            );
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let left = looking.look(path);
        assert!(left == before || left == wanted, "{left} on the way from {before} to {wanted}");
        broken_off += usize::from(left != wanted);
        // The next one does what was broken off.
        if random.bool() {
            Mirror::open(path).unwrap().read_by(wanted.parse().unwrap()).unwrap();
            assert_eq!(looking.look(path), wanted);
        }
        before = looking.look(path);
        assert_sound(path);
    }
    println!("  {broken_off} were broken off");
    assert!(broken_off > 0, "no kill hit anything");
}

/// No number of the United States, and the mirror has contacts alone.
fn a_number_of_another_country_is_found_as_text(path: &Path) {
    let mirror = Mirror::open(path).unwrap();
    mirror.read_by("US".parse().unwrap()).unwrap();
    let found = mirror.find(&value(7), 50).unwrap().unwrap();
    assert_eq!((found.hits.len(), found.by), (1, By::Text));
}

/// Two change the region, one updates the mirror, and somebody looks for numbers.
fn beside_others(path: &Path, looking: &mut Looking) {
    let mut seen = BTreeSet::new();
    for round in 1..=3 {
        let work = ["GB".to_owned(), "DE".to_owned(), format!("{}", CONTACTS + round * MORE)];
        let mut children = work.map(|work| spawn(&work, path));
        let mirror = Mirror::open(path).unwrap();
        loop {
            let mut is_over = true;
            for child in &mut children {
                is_over &= child.try_wait().unwrap().is_some();
            }
            seen.insert(looking.look(path));
            // By whichever region it is read: the number and what is stored by the same one.
            let found = mirror.find(&value(7), 50).unwrap().unwrap();
            assert_eq!((found.hits.len(), found.by != By::LastDigits), (1, true), "{round}");
            if is_over {
                break;
            }
        }
        assert!(children.iter_mut().all(|child| child.wait().unwrap().success()));
        assert_eq!(mirror.coverage().unwrap().contacts, (CONTACTS + round * MORE) as u64);
        assert_sound(path);
    }
    println!("beside others: seen by {seen:?}");
    assert!(seen.len() > 1, "nothing happened beside the looks");
}

/// Starts a child with this work: a region, or how many contacts there are.
fn spawn(work: &str, path: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .env(TASK, format!("{work} {}", path.display()))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

fn wait_for_its_beginning(child: &mut Child) {
    child.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
}

fn child(work: &str, path: &Path) {
    println!("begun");
    match work.parse() {
        Ok(contacts) => update(path, contacts),
        Err(_) => Mirror::open(path).unwrap().read_by(work.parse().unwrap()).unwrap(),
    }
}

/// Brings the mirror up to date with a service of this many contacts.
fn update(path: &Path, contacts: usize) {
    let tenant = TenantId::new(1_001).unwrap();
    let mut transport = MockTransport::new();
    transport.expect_send().returning(move |request| Ok(answer(&request, contacts)));
    let service = ContactsService::new(transport, tenant);
    let site = Site::new(tenant, "https://api.example");
    let mut mirror = Mirror::open_or_create(path, &site).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(mirror.update_contacts(&service, &site, |_| {})).unwrap();
}

/// A number that each region reads in another way.
fn value(at: usize) -> String {
    match at % 3 {
        0 => format!("020 7946 {at:04}"),
        1 => format!("030 23{at:06}"),
        _ => format!("818555{at:04}"),
    }
}

fn answer(request: &Request, contacts: usize) -> Response {
    let target = request.uri().to_string();
    let is_told = target.contains("/export/customers/contacts");
    let token = target.split_once("from=").and_then(|(_, rest)| rest.split('&').next());
    let from: usize = token.and_then(|token| token.parse().ok()).unwrap_or(0);
    let to = if is_told { contacts.min(from + 500) } else { 0 };
    let data: Vec<_> = (from..to)
        .map(|at| {
            json!({
                "id": at + 1, "customerId": at / 3 + 1, "type": "Phone", "value": value(at),
                "modifiedOn": "2026-05-27T16:04:11Z", "active": true,
            })
        })
        .collect();
    let has_more = is_told && to < contacts;
    let batch = json!({"hasMore": has_more, "continueFrom": to.to_string(), "data": data});
    Response::new(Bytes::from(batch.to_string()))
}

/// The keys of all contacts, by region, as they are made once.
#[derive(Default)]
struct Looking(BTreeMap<String, Vec<Keys>>);

impl Looking {
    /// The region by which the mirror is read, of which the keys of all contacts are.
    fn look(&mut self, path: &Path) -> String {
        let connection = open(path);
        let transaction = connection.unchecked_transaction().unwrap();
        let sql = "SELECT value FROM meta WHERE name = 'keys'";
        let described = transaction.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap();
        let region = described.split(';').next().unwrap().to_owned();
        let intended = self.0.entry(region.clone()).or_insert_with(|| {
            let reader = PhoneReader::new(region.parse().unwrap());
            (0..CONTACTS + 3 * MORE).map(|at| Keys::of(&value(at), reader)).collect()
        });
        let sql = "SELECT contact_id, coalesce(key, value), otherwise FROM contacts";
        let mut query = transaction.prepare(sql).unwrap();
        let mut rows = query.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let text = |at| match row.get_ref(at).unwrap() {
                ValueRef::Null => None,
                ValueRef::Integer(number) => Some(number.to_string()),
                text => Some(text.as_str().unwrap().to_owned()),
            };
            let at = row.get::<_, usize>(0).unwrap() - 1;
            let keys = Keys { key: text(1).unwrap(), otherwise: text(2) };
            assert_eq!(keys, intended[at], "{} by {region}", value(at));
        }
        region
    }
}

/// Another program's connection to the file.
fn open(path: &Path) -> Connection {
    let connection = Connection::open(path).unwrap();
    connection.busy_timeout(Duration::from_secs(30)).unwrap();
    connection
}

fn assert_sound(path: &Path) {
    let sql = "PRAGMA integrity_check";
    let sound: String = open(path).query_row(sql, [], |row| row.get(0)).unwrap();
    assert_eq!(sound, "ok");
}
