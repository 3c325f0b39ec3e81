//! A process that brings a mirror up to date is killed at random points and started again: through
//! the first load, and through later updates. Whoever looks meanwhile sees what some batches of the
//! feeds leave, never a part of one; in the end the mirror is what it is without a kill.
//!
//! The number of kills is 12, or what `CRM_MIRROR_KILLS` says: 200 for the promise of the
//! documentation. `CRM_MIRROR_SEED` repeats a run.
#![allow(clippy::unwrap_used, reason = "a test fails so")]

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use bytes::Bytes;
use crm_contacts::ContactsService;
use crm_mirror::{Mirror, Site, rusqlite};
use crm_models::{TenantId, Timestamp};
use crm_transport::{MockTransport, Request, Response};
use rusqlite::{Connection, OpenFlags, Row, types::Value};
use serde_json::json;

/// What a child is told in its environment: the file, and how long the feeds are.
const TASK: &str = "CRM_MIRROR_CHILD";
const BATCH: usize = 100;

fn main() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    if let Ok(task) = std::env::var(TASK) {
        let (length, path) = task.split_once(' ').unwrap();
        runtime.block_on(update(Path::new(path), length.parse().unwrap()));
    } else if !std::env::args().any(|argument| argument == "--list") {
        // Test runners ask for a list of tests.
        runtime.block_on(killed_and_resumed());
        println!("test result: ok. 1 passed; 0 failed");
    }
}

async fn killed_and_resumed() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let seed: u64 = number("CRM_MIRROR_SEED").unwrap_or_else(|| fastrand::u64(..));
    let kills = number("CRM_MIRROR_KILLS").unwrap_or(12);
    println!("killed_and_resumed: {kills} kills, CRM_MIRROR_SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let folder = tempfile::tempdir().unwrap();
    let (killed, spared) = (folder.path().join("killed"), folder.path().join("spared"));
    let first = usize::try_from(kills).unwrap() * 200;
    // The first load, an update, and one more.
    for (length, kills) in
        [(first, kills / 2), (first + first / 2, kills / 4), (first * 2, kills / 4)]
    {
        let began = Instant::now();
        assert!(spawn(&spared, length).wait().unwrap().success());
        let whole = began.elapsed();
        let mut states = BTreeSet::new();
        let mut looks = 0;
        for kill in 0..kills {
            let mut child = spawn(&killed, length);
            let before = look(&killed);
            // The first time, and every other one, once it has stored something, however long it took
            // to start.
            let mut begun = (kill > 0 && random.bool()).then(Instant::now);
            let patience = whole.mul_f64(random.f64() / kills as f64);
            while begun.is_none_or(|begun| begun.elapsed() < patience) {
                let now = look(&killed);
                if now != before {
                    begun.get_or_insert_with(Instant::now);
                }
                looks += 1;
                states.extend(now);
                if child.try_wait().unwrap().is_some() {
                    break;
                }
            }
            child.kill().unwrap();
            child.wait().unwrap();
            states.extend(look(&killed));
        }
        assert!(spawn(&killed, length).wait().unwrap().success());
        assert_eq!(look(&killed), Some(FEEDS.map(|_| length)));
        println!(
            "  {length} records a feed: {kills} kills, {looks} looks, {} states",
            states.len()
        );
        assert!(states.len() > 1, "no kill hit anything");
        let (killed, spared) = (picture(&killed), picture(&spared));
        for (killed, spared) in killed.iter().zip(&spared) {
            assert_eq!(killed, spared);
        }
        assert_eq!(killed.len(), spared.len());
    }
}

/// Starts a child that brings this mirror up to date with feeds of this length.
fn spawn(path: &Path, length: usize) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .env(TASK, format!("{length} {}", path.display()))
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

/// The child.
async fn update(path: &Path, length: usize) {
    let tenant = TenantId::new(1_001).unwrap();
    let mut transport = MockTransport::new();
    transport.expect_send().returning(move |request| Ok(answer(&request, length)));
    let service = ContactsService::new(transport, tenant);
    let site = Site::new(tenant, "https://api.example");
    let mut mirror = Mirror::open_or_create(path, &site).unwrap();
    mirror.update(&service, &site, |_| {}).await.unwrap();
}

/// The feeds by their names in a mirror, each with the end of its path.
const FEEDS: [(&str, &str); 4] = [
    ("customer-contacts", "/export/customers/contacts"),
    ("location-contacts", "/export/locations/contacts"),
    ("customers", "/export/customers"),
    ("locations", "/export/locations"),
];

/// A batch of a feed of this length. Its token says how many records are behind it.
fn answer(request: &Request, length: usize) -> Response {
    let (path, query) = (request.uri().path(), request.uri().query().unwrap_or_default());
    if !path.contains("/export/") {
        return page(path.ends_with("/contact-methods"), query, length);
    }
    let feed = FEEDS.iter().position(|(_, end)| path.ends_with(end)).unwrap();
    let token = query.split('&').find_map(|pair| pair.strip_prefix("from="));
    let from: usize = token.map_or(0, |token| token.parse().unwrap());
    let to = length.min(from + BATCH);
    let data: Vec<_> = (from..to).map(|at| record(feed, at)).collect();
    let batch = json!({"hasMore": to < length, "continueFrom": to.to_string(), "data": data});
    Response::new(Bytes::from(batch.to_string()))
}

/// A page of a list of people, or of their methods, one of whom was created each second.
fn page(is_methods: bool, query: &str, length: usize) -> Response {
    const FIRST: i128 = 1_780_000_000;
    let second = |at: &str| {
        let at: Timestamp = at.replace("%3A", ":").parse().unwrap();
        usize::try_from((at.as_nanoseconds() / 1_000_000_000 - FIRST).max(0)).unwrap()
    };
    let from = query.split('&').find_map(|pair| pair.strip_prefix("modifiedOnOrAfter="));
    let from = from.map_or(0, second);
    let to = length.min(from + BATCH);
    let data: Vec<_> = (from..to)
        .map(|at| {
            let guid = |at: usize| format!("{:08x}-0000-4000-8000-{at:012x}", at * 7_919 % 65_521);
            let time = FIRST + i128::try_from(at).unwrap();
            let time = Timestamp::from_nanoseconds(time * 1_000_000_000).unwrap().to_string();
            json!({
                "id": guid(at), "contactId": guid(at / 2), "type": "Phone", "isArchived": false,
                "value": value(4, at), "name": format!("Zoë {at}"), "createdOn": time,
                "createdBy": 7, "modifiedOn": if is_methods && at % 23 == 7 { "yesterday" } else { &time },
                "modifiedBy": 7,
            })
        })
        .collect();
    let page = json!({"page": 1, "pageSize": 5_000, "hasMore": to < length, "data": data});
    Response::new(Bytes::from(page.to_string()))
}

/// How many records each feed has; it tells each several times, in an order of no meaning.
const RECORDS: usize = 701;

/// The id of the record that a feed tells at a place, and whether it can be read.
fn told(at: usize) -> (i64, bool) {
    (i64::try_from(at * 613 % RECORDS).unwrap() + 1, at % 23 != 7)
}

/// The number, or the name, that says at which place it was told.
fn value(feed: usize, at: usize) -> String {
    format!("{}", 2_000_000_000 + feed * 1_000_000 + at)
}

fn record(feed: usize, at: usize) -> serde_json::Value {
    let (id, is_readable) = told(at);
    let modified_on = if is_readable { "2026-05-27T16:04:11Z" } else { "yesterday" };
    let active = at % 7 != 3;
    if feed < 2 {
        let owner = ["customerId", "locationId"][feed];
        return json!({
            "id": id, owner: id / 3 + 1, "type": "Phone", "value": value(feed, at),
            "memo": if at.is_multiple_of(5) { "Zoë's gate" } else { "gate" },
            "modifiedOn": modified_on, "active": active,
        });
    }
    let address = json!({"street": "10411 Foothill Lane", "unit": null, "city": "Pasadena",
        "state": "CA", "zip": "91101", "country": "USA"});
    json!({
        "id": id, "customerId": id, "active": active, "name": value(feed, at),
        "type": "Residential", "address": address, "modifiedOn": modified_on,
    })
}

/// How far the mirror is in each feed, which is all that it shows: the records before these places.
/// Nothing while the file is not there.
fn look(path: &Path) -> Option<[usize; 4]> {
    let connection = read(path)?;
    let transaction = connection.unchecked_transaction().unwrap();
    let tokens: BTreeMap<String, usize> =
        rows(&transaction, "SELECT feed, token FROM feeds WHERE token NOT LIKE '{%'", |row| {
            let token: Option<String> = row.get("token")?;
            Ok((row.get("feed")?, token.map_or(0, |token| token.parse().unwrap())))
        })
        .into_iter()
        .collect();
    let at = FEEDS.map(|(name, _)| tokens.get(name).copied().unwrap_or(0));
    let is_staged =
        !rows(&transaction, "SELECT 1 FROM meta WHERE name = 'staged_contacts'", |_| Ok(()))
            .is_empty();
    let contacts = rows(&transaction, "SELECT owner, contact_id, value FROM contacts", |row| {
        let owner: i64 = row.get("owner")?;
        Ok((
            usize::from(owner < 0),
            row.get::<_, i64>("contact_id")?,
            row.get::<_, String>("value")?,
        ))
    });
    let owners = rows(&transaction, "SELECT owner, name FROM owners", |row| {
        let owner: i64 = row.get("owner")?;
        Ok((if owner < 0 { 3 } else { 2 }, owner.abs(), row.get::<_, String>("name")?))
    });
    let unreadable = rows(&transaction, "SELECT feed, record FROM unreadable", |row| {
        Ok((row.get::<_, String>("feed")?, row.get::<_, String>("record")?))
    });
    for (feed, (name, _)) in FEEDS.iter().enumerate() {
        // What came last of each record, and of each that could be read.
        let places = |id: i64| (0..at[feed]).rev().filter(move |at| told(*at).0 == id);
        let last = |id: i64| places(id).find(|at| told(*at).1);
        let mut seen: Vec<_> = contacts.iter().chain(&owners).filter(|it| it.0 == feed).collect();
        let mut intended: Vec<_> = if feed < 2 && is_staged {
            let before = (0..at[feed]).filter(|at| told(*at).1);
            before.map(|at| (feed, told(at).0, value(feed, at))).collect()
        } else {
            let ids = 1..=i64::try_from(RECORDS).unwrap();
            ids.filter_map(|id| Some((feed, id, value(feed, last(id)?)))).collect()
        };
        seen.sort();
        intended.sort();
        assert!(seen.iter().copied().eq(&intended), "{name} at {}", at[feed]);
        let unread = unreadable.iter().filter(|(feed, _)| feed == name).count();
        let ids = 1..=i64::try_from(RECORDS).unwrap();
        let intended = ids.filter(|id| places(*id).next().is_some_and(|at| !told(at).1)).count();
        assert_eq!(unread, intended, "unreadable of {name} at {}", at[feed]);
    }
    Some(at)
}

/// All that a mirror holds but for times, the order of its rows, and in which place of a page a record
/// was that could not be read, and that it is sound.
fn picture(path: &Path) -> Vec<String> {
    let connection = Connection::open(path).unwrap();
    // The indexes of words have what the texts have.
    for table in ["contact_text", "owner_text", "person_text", "method_text"] {
        let sql = format!("INSERT INTO {table} ({table}, rank) VALUES ('integrity-check', 1)");
        connection.execute_batch(&sql).unwrap();
    }
    let sound = rows(&connection, "PRAGMA integrity_check", |row| row.get::<_, String>(0));
    assert_eq!(sound, ["ok"]);
    let mut picture = Vec::new();
    for sql in [
        "SELECT type, name, sql FROM sqlite_schema",
        "SELECT owner, contact_id, active, kind, flags, key, otherwise, value, memo, modified_on,
             created_on, texting, folded, json FROM contacts",
        "SELECT * FROM owners",
        "SELECT guid, name, archived, created_on, modified_on, folded FROM people",
        "SELECT guid, person, kind, key, value, created_on, modified_on FROM methods",
        "SELECT feed, owner, contact_id, substr(reason, instr(reason, ': ')), record FROM unreadable",
        "SELECT feed, token, complete_at IS NULL, refused FROM feeds",
        "SELECT owner, contact_id, kind, members FROM differences",
        "SELECT * FROM meta WHERE name <> 'differences_since'",
    ] {
        let mut lines = rows(&connection, sql, |row| {
            let columns = 0..row.as_ref().column_count();
            let cells = columns.map(|at| Ok(format!("{:?}", row.get::<_, Value>(at)?)));
            Ok(cells.collect::<rusqlite::Result<Vec<_>>>()?.join(", "))
        });
        lines.sort();
        picture.extend(lines);
    }
    picture
}

/// Another program's connection to the file.
fn read(path: &Path) -> Option<Connection> {
    if !path.exists() {
        return None;
    }
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap();
    connection.busy_timeout(Duration::from_secs(10)).unwrap();
    Some(connection)
}

fn rows<R>(
    connection: &Connection,
    sql: &str,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<R>,
) -> Vec<R> {
    let mut query = connection.prepare(sql).unwrap();
    query.query_map([], read).unwrap().collect::<rusqlite::Result<_>>().unwrap()
}
