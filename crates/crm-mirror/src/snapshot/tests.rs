//! What a snapshot says of itself, however its contacts change.

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use crm_contacts::ContactsService;
use crm_models::TenantId;
use crm_transport::{MockTransport, Request, Response};
use fastrand::Rng;
use rusqlite::Connection;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::*;
use crate::{keys::described_region, site::Site};

/// The feeds of a service: what each request will be answered.
#[derive(Clone, Default)]
struct Feeds(Arc<Mutex<Vec<Answer>>>);

/// A batch, and whether there is another one.
type Answer = (Vec<Value>, bool);

impl Feeds {
    fn service(&self) -> ContactsService<MockTransport> {
        let mut transport = MockTransport::new();
        let answers = Arc::clone(&self.0);
        transport.expect_send().returning(move |request: Request| {
            let mut answers = answers.lock().unwrap();
            let is_customers = request.uri().path().contains("customers");
            let (data, has_more) = match answers.is_empty() || is_customers {
                true => (Vec::new(), false),
                false => answers.remove(0),
            };
            let batch = json!({"hasMore": has_more, "continueFrom": "next", "data": data});
            Ok(Response::new(Bytes::from(batch.to_string())))
        });
        ContactsService::new(transport, TenantId::new(1_001).unwrap())
    }

    fn put(&self, data: Vec<Value>, has_more: bool) {
        self.0.lock().unwrap().push((data, has_more));
    }
}

struct File {
    folder: tempfile::TempDir,
    feeds: Feeds,
    site: Site,
}

impl File {
    fn new() -> Self {
        let site = Site::new(TenantId::new(1_001).unwrap(), "https://api.example");
        Self { folder: tempfile::tempdir().unwrap(), feeds: Feeds::default(), site }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("snapshot")
    }

    fn open(&self) -> Snapshot {
        Snapshot::open_or_create(self.path(), &self.site).unwrap()
    }

    async fn update(&self, snapshot: &mut Snapshot) -> Result<Coverage, crate::MirrorError> {
        snapshot.update(&self.feeds.service(), &self.site, |_| {}).await
    }
}

fn contact(location: i64, id: i64, kind: &str, active: bool, flags: bool) -> Value {
    let all = json!({
        "jobRemindersEnabled": true, "marketingUpdatesEnabled": true,
        "invoiceStatementNotification": true, "invoiceNotification": true,
        "statementNotification": true,
    });
    json!({
        "id": id, "locationId": location, "type": kind, "value": format!("818555{id:04}"),
        "modifiedOn": "2026-05-27T16:04:11Z", "active": active,
        "preferences": if flags { all } else { Value::Null },
    })
}

/// Counts the contacts one by one.
fn counted(snapshot: &Snapshot) -> Coverage {
    let database = &snapshot.database;
    let count = |sql: &str| database.value(sql, []).unwrap().unwrap();
    let mut by_type: Vec<(String, u64)> = database
        .rows(
            "SELECT contact ->> '$.type' AS type, count(*) AS contacts FROM contacts
             WHERE active GROUP BY 1",
            [],
            |row| Ok((row.get("type")?, row.get("contacts")?)),
        )
        .unwrap();
    by_type.sort();
    Coverage {
        contacts: count("SELECT count(*) FROM contacts WHERE active"),
        deleted: count("SELECT count(*) FROM contacts WHERE NOT active"),
        owners: count(
            "SELECT count(*) FROM
             (SELECT DISTINCT owner_kind, owner_id FROM contacts WHERE active)",
        ),
        preferences_unknown: count(
            "SELECT count(*) FROM contacts WHERE active AND contact ->> '$.preferences' IS NULL",
        ),
        unreadable: count("SELECT count(*) FROM unreadable"),
        by_type,
    }
}

fn in_order(mut coverage: Coverage) -> Coverage {
    coverage.by_type.sort();
    coverage
}

#[tokio::test]
async fn the_numbers_follow_the_contacts_whatever_happens_to_them() {
    let file = File::new();
    let mut snapshot = file.open();
    let mut random = Rng::with_seed(7);
    for round in 0..60 {
        let batches = random.usize(1..4);
        for batch in 0..batches {
            let records = (0..random.usize(0..40)).map(|_| {
                let kind = random.choice(["Phone", "MobilePhone", "Email", "Telex"]).unwrap();
                let (location, id) = (random.i64(1..15), random.i64(1..6));
                let mut record = contact(location, id, kind, random.bool(), random.bool());
                if random.u8(0..10) == 0 {
                    record["modifiedOn"] = json!("yesterday");
                }
                record
            });
            file.feeds.put(records.collect(), batch + 1 < batches);
        }
        if round % 5 == 0 {
            // The feed breaks off: what was stored before it counts.
            file.feeds.put(vec![json!("no record at all")], true);
        }
        if round % 7 == 0 {
            snapshot.read_by("GB".parse().unwrap()).unwrap();
        }
        if round % 11 == 0 {
            snapshot = file.open();
        }
        let _ = file.update(&mut snapshot).await;
        assert_eq!(in_order(snapshot.coverage().unwrap()), counted(&snapshot), "round {round}");
    }
    let coverage = snapshot.coverage().unwrap();
    assert!(coverage.contacts > 10 && coverage.deleted > 10 && coverage.owners > 5);
    assert!(coverage.unreadable > 0 && coverage.by_type.len() == 4);
    assert!(coverage.by_type.is_sorted_by(|one, next| one.1 >= next.1));
}

#[tokio::test]
async fn a_snapshot_of_version_0_1_is_counted_once() {
    let file = File::new();
    {
        let connection = Connection::open(file.path()).unwrap();
        connection.execute_batch(include_str!("schema.sql")).unwrap();
        let meta = "PRAGMA application_id = 0x43524D46; PRAGMA user_version = 1;
            INSERT INTO meta VALUES ('tenant', '1001'), ('environment', 'https://api.example')";
        connection.execute_batch(meta).unwrap();
        for id in 1..=9 {
            let kind = ["Phone", "Email"][usize::from(id % 3 == 0)];
            let json = contact(id / 2, id, kind, true, id % 4 == 0).to_string();
            let sql =
                "INSERT INTO contacts (owner_kind, owner_id, contact_id, key, active, contact)
                VALUES ('location', ?, ?, '', ?, ?)";
            connection.execute(sql, (id / 2, id, id % 5 != 0, json)).unwrap();
        }
    }
    let snapshot = file.open();
    let coverage = snapshot.coverage().unwrap();
    assert_eq!((coverage.contacts, coverage.deleted), (8, 1));
    assert_eq!(in_order(coverage), counted(&snapshot));
}

/// How many steps of SQLite's machine it takes to open a snapshot and find nothing new.
async fn steps_of_a_refresh(contacts: i64) -> u64 {
    let file = File::new();
    let records = (0..contacts).map(|id| contact(id / 4 + 1, id + 1, "Phone", true, true));
    file.feeds.put(records.collect(), false);
    let mut snapshot = file.open();
    assert_eq!(file.update(&mut snapshot).await.unwrap().contacts, contacts as u64);
    // Another region, as an opt-out of numbers of Great Britain leaves it.
    snapshot.read_by("GB".parse().unwrap()).unwrap();
    drop(snapshot);

    let mut snapshot = file.open();
    let steps = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&steps);
    let count = move || {
        counted.fetch_add(1, Ordering::Relaxed);
        false
    };
    snapshot.database.connection.progress_handler(1, Some(count)).unwrap();
    // In this thread, where the steps are counted.
    let (tell, _) = mpsc::channel(1);
    let refreshed = snapshot.read_feeds(&file.feeds.service(), &tell).await;
    assert_eq!(refreshed.unwrap().contacts, contacts as u64);
    let keys = snapshot.database.meta("keys").unwrap().unwrap();
    assert_eq!(described_region(&keys).unwrap().to_string(), "GB");
    steps.load(Ordering::Relaxed)
}

#[tokio::test]
async fn a_refresh_with_nothing_new_takes_as_long_for_any_number_of_contacts() {
    let (few, many) = (steps_of_a_refresh(10).await, steps_of_a_refresh(2_000).await);
    assert!(few > 0);
    assert_eq!(few, many);
}
