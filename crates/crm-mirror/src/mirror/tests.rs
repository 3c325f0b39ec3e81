//! What a mirror says of itself, however its contacts change.

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use crm_contacts::ContactsService;
use crm_models::{Contact, ContactId, CustomerId, LocationId, TenantId, Timestamp};
use crm_transport::{MockTransport, Request, Response};
use fastrand::Rng;
use rusqlite::Connection;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::{update::What, *};
use crate::{MirrorError, OwnerId, keys::described_region, site::Site};

/// The feeds of a service: what each request will be answered, by the end of the feed's path. One
/// without an answer has nothing new.
#[derive(Clone, Default)]
struct Feeds {
    answers: Arc<Mutex<HashMap<&'static str, Vec<Answer>>>>,
    /// Each request that came.
    asked: Arc<Mutex<Vec<String>>>,
    /// The status by which the owners themselves are refused.
    refusal: Option<u16>,
}

/// A batch, and whether there is another one.
type Answer = (Vec<Value>, bool);

const CONTACTS: &str = "/export/locations/contacts";
const CUSTOMER_CONTACTS: &str = "/export/customers/contacts";
const CUSTOMERS: &str = "/export/customers";
const LOCATIONS: &str = "/export/locations";

impl Feeds {
    fn service(&self) -> ContactsService<MockTransport> {
        let mut transport = MockTransport::new();
        let Self { answers, asked, refusal } = self.clone();
        transport.expect_send().returning(move |request: Request| {
            let path = request.uri().path();
            asked.lock().unwrap().push(request.uri().to_string());
            let is_of_owners = path.contains("/export/") && !path.ends_with("contacts");
            if let Some(status) = refusal.filter(|_| is_of_owners) {
                let mut refused = Response::new(Bytes::from(r#"{"title": "no scope"}"#));
                *refused.status_mut() = status.try_into().unwrap();
                return Ok(refused);
            }
            if !path.contains("/export/") {
                // Nobody is among the people.
                let page = json!({"page": 1, "pageSize": 5_000, "hasMore": false, "data": []});
                return Ok(Response::new(Bytes::from(page.to_string())));
            }
            let mut answers = answers.lock().unwrap();
            let mut feeds = answers.iter_mut();
            let feed = feeds.find(|(end, _)| path.ends_with(**end)).map(|(_, feed)| feed);
            let (data, has_more) = match feed {
                Some(feed) if !feed.is_empty() => feed.remove(0),
                _ => (Vec::new(), false),
            };
            let token = format!("next{}", asked.lock().unwrap().len());
            let batch = json!({"hasMore": has_more, "continueFrom": token, "data": data});
            Ok(Response::new(Bytes::from(batch.to_string())))
        });
        ContactsService::new(transport, TenantId::new(1_001).unwrap())
    }

    fn put(&self, data: Vec<Value>, has_more: bool) {
        self.put_to(CONTACTS, data, has_more);
    }

    fn put_to(&self, feed: &'static str, data: Vec<Value>, has_more: bool) {
        self.answers.lock().unwrap().entry(feed).or_default().push((data, has_more));
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
        self.folder.path().join("mirror")
    }

    fn open(&self) -> Mirror {
        Mirror::open_or_create(self.path(), &self.site).unwrap()
    }

    async fn update(&self, mirror: &mut Mirror) -> Result<Coverage, MirrorError> {
        mirror.update(&self.feeds.service(), &self.site, |_| {}).await?;
        mirror.coverage()
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
fn counted(mirror: &Mirror) -> Coverage {
    let database = &mirror.database;
    let count = |sql: &str| database.value(sql, []).unwrap().unwrap();
    let mut by_type = HashMap::<String, u64>::new();
    let mut unknown = 0;
    mirror
        .for_each(|_, known| {
            let Known { contact } = known;
            unknown += u64::from(contact.preferences.is_none());
            *by_type.entry(contact.contact_type.as_str().to_owned()).or_default() += 1;
            Ok::<_, MirrorError>(())
        })
        .unwrap();
    let mut by_type: Vec<_> = by_type.into_iter().collect();
    by_type.sort();
    Coverage {
        contacts: by_type.iter().map(|(_, contacts)| contacts).sum(),
        deleted: count("SELECT count(*) FROM contacts WHERE NOT active"),
        owners: count("SELECT count(DISTINCT owner) FROM contacts WHERE active"),
        preferences_unknown: unknown,
        unreadable: count("SELECT count(*) FROM unreadable"),
        by_type,
        ..Coverage::default()
    }
}

fn in_order(mut coverage: Coverage) -> Coverage {
    coverage.by_type.sort();
    coverage
}

#[tokio::test]
async fn the_numbers_follow_the_contacts_whatever_happens_to_them() {
    let file = File::new();
    let mut mirror = file.open();
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
            mirror.read_by("GB".parse().unwrap()).unwrap();
        }
        if round % 11 == 0 {
            mirror = file.open();
        }
        let _ = file.update(&mut mirror).await;
        assert_eq!(in_order(mirror.coverage().unwrap()), counted(&mirror), "round {round}");
    }
    let coverage = mirror.coverage().unwrap();
    assert!(coverage.contacts > 10 && coverage.deleted > 10 && coverage.owners > 5);
    assert!(coverage.unreadable > 0 && coverage.by_type.len() == 4);
    assert!(coverage.by_type.is_sorted_by(|one, next| one.1 >= next.1));
}

/// How many steps of SQLite's machine it takes to open a mirror and find nothing new.
async fn steps_of_a_refresh(contacts: i64) -> u64 {
    let file = File::new();
    let records = (0..contacts).map(|id| contact(id / 4 + 1, id + 1, "Phone", true, true));
    file.feeds.put(records.collect(), false);
    let mut mirror = file.open();
    assert_eq!(file.update(&mut mirror).await.unwrap().contacts, contacts as u64);
    // Another region, as an opt-out of numbers of Great Britain leaves it.
    mirror.read_by("GB".parse().unwrap()).unwrap();
    mirror.coverage().unwrap();
    drop(mirror);

    let mut mirror = file.open();
    let steps = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&steps);
    let count = move || {
        counted.fetch_add(1, Ordering::Relaxed);
        false
    };
    mirror.database.connection.progress_handler(1, Some(count)).unwrap();
    // In this thread, where the steps are counted.
    let (tell, _) = mpsc::channel(1);
    mirror.read_feeds(&file.feeds.service(), What::Everything, &tell).await.unwrap();
    assert_eq!(mirror.coverage().unwrap().contacts, contacts as u64);
    let keys = mirror.database.meta("keys").unwrap().unwrap();
    assert_eq!(described_region(&keys).unwrap().to_string(), "GB");
    steps.load(Ordering::Relaxed)
}

#[tokio::test]
async fn a_refresh_with_nothing_new_takes_as_long_for_any_number_of_contacts() {
    let (few, many) = (steps_of_a_refresh(10).await, steps_of_a_refresh(2_000).await);
    assert!(few > 0);
    assert_eq!(few, many);
}

/// All contacts that exist, by owner and id.
fn all(mirror: &Mirror) -> Vec<(OwnerId, Contact)> {
    let mut all = Vec::new();
    let each = |owner, Known { contact }| {
        all.push((owner, contact));
        Ok::<_, MirrorError>(())
    };
    mirror.for_each(each).unwrap();
    all.sort_by_key(|(owner, contact)| (*owner, contact.id));
    all
}

fn location(id: i64) -> OwnerId {
    LocationId::new(id).unwrap().into()
}

/// Contacts of which the columns cannot say everything, and such of which they can.
fn odd_contacts() -> Vec<Value> {
    let preferences = json!({
        "jobRemindersEnabled": true, "marketingUpdatesEnabled": false,
        "invoiceStatementNotification": true,
    });
    let plain = || contact(1, 1, "Phone", true, true);
    let with = |id: i64, member: &str, value: Value| {
        let mut contact = plain();
        (contact["id"], contact[member]) = (json!(id), value);
        contact
    };
    vec![
        plain(),
        with(2, "createdOn", json!("0001-01-01T00:00:00Z")),
        with(3, "createdOn", json!("1970-01-01T00:00:00Z")),
        with(4, "createdOn", json!("2025-11-02T09:15:00.1234567Z")),
        with(5, "modifiedOn", json!("2025-11-02T09:15:00.123456789Z")),
        with(6, "preferences", preferences),
        with(7, "phoneSettings", json!({"phoneNumber": "8185550001", "doNotText": true})),
        with(8, "phoneSettings", json!({"phoneNumber": "another", "doNotText": false})),
        with(9, "phoneSettings", json!({"doNotText": false})),
        with(10, "memo", json!("Zoë, \u{202e}gate")),
        with(11, "value", json!("Dana@Site.example")),
        with(12, "value", json!("not a number")),
        with(13, "type", json!("Messenger")),
    ]
}

#[tokio::test]
async fn a_contact_is_kept_as_the_service_told_it() {
    let file = File::new();
    let mut mirror = file.open();
    file.feeds.put(odd_contacts(), false);
    file.update(&mut mirror).await.unwrap();
    let told: Vec<Contact> = odd_contacts()
        .into_iter()
        .map(|contact| serde_json::from_value(contact).unwrap())
        .collect();
    assert_eq!(all(&mirror).into_iter().map(|(_, contact)| contact).collect::<Vec<_>>(), told);
    assert_eq!(mirror.database.value("SELECT count(json) FROM contacts", []).unwrap(), Some(3));
}

#[tokio::test]
async fn what_a_first_load_repeats_counts_once_and_as_it_came_last_wherever_it_broke_off() {
    for breaks_after in 1..5 {
        let file = File::new();
        for batch in 0..5 {
            if batch == breaks_after {
                file.feeds.put(vec![json!("no record at all")], true);
                file.feeds.put_to(CUSTOMERS, vec![], true);
            }
            // Each contact comes twice, and is of another kind then.
            let kind = ["Phone", "MobilePhone"][usize::from(batch >= 3)];
            let ids =
                (0..20).map(|id| contact(id % 3 + 1, (id + batch * 10) % 30 + 1, kind, true, true));
            file.feeds.put(ids.collect(), batch < 4);
        }
        while file.update(&mut file.open()).await.is_err() {
            let mirror = file.open();
            assert_eq!(mirror.known_at().unwrap(), None);
            assert!(matches!(mirror.complete_at(), Err(MirrorError::Incomplete { .. })));
        }
        let mirror = file.open();
        assert!(mirror.complete_at().is_ok());
        let contacts = all(&mirror);
        let mut names: Vec<_> =
            contacts.iter().map(|(owner, contact)| (*owner, contact.id)).collect();
        names.dedup();
        assert_eq!(names.len(), contacts.len(), "none twice, broken off after {breaks_after}");
        let last =
            contacts.iter().filter(|(_, contact)| contact.contact_type.as_str() == "MobilePhone");
        assert!(last.count() > 10);
    }
}

fn customer(id: i64, name: &str, merged_to: Option<i64>) -> Value {
    json!({
        "id": id, "active": merged_to.is_none(), "name": name, "type": "Residential",
        "address": {"street": "10411 Foothill Lane", "unit": null, "city": "Pasadena",
            "state": "CA", "zip": "91101", "country": "USA"},
        "modifiedOn": "2026-05-27T16:04:11Z", "mergedToId": merged_to,
    })
}

fn place(id: i64, customer: i64, name: &str) -> Value {
    let mut place = self::customer(id, name, None);
    place["customerId"] = json!(customer);
    place
}

#[tokio::test]
async fn owners_are_known_by_name_and_counted_by_how_they_can_be_reached() {
    let file = File::new();
    let of_customer = |customer: i64, id, kind| {
        let mut contact = contact(0, id, kind, true, id % 2 == 0);
        contact["customerId"] = json!(customer);
        contact
    };
    let own = [(1, 1, "Phone"), (2, 2, "Email"), (3, 3, "Email"), (3, 4, "Phone"), (4, 5, "Phone")];
    file.feeds.put_to(
        CUSTOMER_CONTACTS,
        own.map(|(of, id, kind)| of_customer(of, id, kind)).into(),
        false,
    );
    file.feeds.put(vec![contact(50, 6, "Phone", true, true)], false);
    let customers = (1..=6).map(|id| customer(id, "Dana Whitfield", (id == 4).then_some(1)));
    file.feeds.put_to(CUSTOMERS, customers.collect(), false);
    file.feeds.put_to(LOCATIONS, vec![place(50, 5, " "), place(51, 6, "Depot")], false);
    let mut mirror = file.open();
    let coverage = file.update(&mut mirror).await.unwrap();
    assert_eq!(
        coverage.customers,
        Reach { known: 5, with_phone: 2, with_email: 2, with_both: 1, only_on_location: 1 }
    );
    assert_eq!((coverage.of_inactive_owners, coverage.preferences_unknown), (1, 3));
    let owner = mirror.owner(location(50)).unwrap().unwrap();
    assert_eq!(owner.display_name(), "10411 Foothill Lane, Pasadena, CA 91101");
    assert_eq!((owner.town(), owner.customer), ("Pasadena", CustomerId::new(5).unwrap()));
    let merged = mirror.owner(CustomerId::new(4).unwrap().into()).unwrap().unwrap();
    assert!(!merged.active);
    assert_eq!(merged.merged_to, Some(CustomerId::new(1).unwrap().into()));
    // Only what changed is asked for.
    file.feeds.asked.lock().unwrap().clear();
    file.feeds.put_to(CUSTOMERS, vec![customer(2, "Dana Okafor", None)], false);
    file.update(&mut mirror).await.unwrap();
    let mut asked = file.feeds.asked.lock().unwrap().clone();
    asked.retain(|uri| uri.contains("/export/"));
    assert!(asked.len() == 4 && asked.iter().all(|uri| uri.contains("from=next")), "{asked:?}");
    let owner = mirror.owner(CustomerId::new(2).unwrap().into()).unwrap().unwrap();
    assert_eq!(owner.name, "Dana Okafor");
}

#[tokio::test]
async fn owners_that_may_not_be_read_are_told_and_stop_nothing() {
    for status in [400, 403, 404] {
        let mut file = File::new();
        file.feeds.refusal = Some(status);
        file.feeds.put(vec![contact(1, 1, "Phone", true, true)], false);
        let mut mirror = file.open();
        assert_eq!(file.update(&mut mirror).await.unwrap().contacts, 1, "{status}");
        let feeds = mirror.feeds().unwrap();
        let refused: Vec<_> = feeds.iter().map(|feed| feed.refused.is_some()).collect();
        assert_eq!(refused, [false, false, true, true, false, false], "{status}");
        assert!(mirror.complete_at().is_ok());
        assert_eq!(mirror.owner(location(1)).unwrap(), None);

        file.feeds.refusal = None;
        file.feeds.put_to(LOCATIONS, vec![place(1, 1, "Depot")], false);
        file.update(&mut mirror).await.unwrap();
        assert!(mirror.feeds().unwrap().iter().all(|feed| feed.refused.is_none()));
        assert_eq!(mirror.owner(location(1)).unwrap().unwrap().name, "Depot");
    }
}

#[tokio::test]
async fn owners_that_fail_for_another_reason_are_a_failure() {
    for status in [401, 409, 500] {
        let mut file = File::new();
        file.feeds.refusal = Some(status);
        let mut mirror = file.open();
        assert!(file.update(&mut mirror).await.is_err(), "{status}");
        assert!(mirror.feeds().unwrap().iter().all(|feed| feed.refused.is_none()), "{status}");
    }
}

#[tokio::test]
async fn a_snapshot_of_version_0_1_is_written_anew_once_and_goes_on_where_it_stopped() {
    let file = File::new();
    {
        let connection = Connection::open(file.path()).unwrap();
        connection.execute_batch(include_str!("version_1.sql")).unwrap();
        let meta = "PRAGMA journal_mode = WAL; PRAGMA application_id = 0x43524D46;
            PRAGMA user_version = 1;
            INSERT INTO meta VALUES ('tenant', '1001'), ('environment', 'https://api.example'),
                ('customer_token', 'tc'), ('location_token', 'tl'),
                ('customer_complete_at', '2026-05-27T16:04:11Z'),
                ('location_complete_at', '2026-05-27T16:04:12Z')";
        connection.execute_batch(meta).unwrap();
        for contact in odd_contacts() {
            let sql =
                "INSERT INTO contacts (owner_kind, owner_id, contact_id, key, active, contact)
                VALUES ('location', 1, ?, '', 1, ?)";
            let told: Contact = serde_json::from_value(contact).unwrap();
            let json = serde_json::to_string(&told).unwrap();
            connection.execute(sql, (told.id.get(), json)).unwrap();
        }
    }
    let before = std::fs::read(file.path()).unwrap();
    let error = Mirror::open(file.path()).unwrap_err();
    assert!(matches!(error, MirrorError::Older { .. }), "{error}");
    assert_eq!(std::fs::read(file.path()).unwrap(), before);
    let other = Site::new(TenantId::new(7).unwrap(), "https://api.example");
    let error = Mirror::open_or_create(file.path(), &other).unwrap_err();
    assert!(matches!(error, MirrorError::WrongTenant { .. }), "{error}");

    let mut mirror = file.open();
    assert_eq!(all(&mirror).len(), odd_contacts().len());
    assert_eq!(mirror.complete_at().unwrap().to_string(), "2026-05-27T16:04:11Z");
    assert_eq!(mirror.with_value("(818) 555-0001", None).unwrap().len(), 11);
    file.update(&mut mirror).await.unwrap();
    let asked = file.feeds.asked.lock().unwrap().clone();
    assert!(asked[0].contains("from=tc") && asked[1].contains("from=tl"), "{asked:?}");
    let left = std::fs::read_dir(file.folder.path()).unwrap().count();
    assert!(left <= 3, "the file, its journal and its index");
}

/// A tenant with one contact of each way to be looked for.
async fn findable() -> (File, Mirror) {
    let file = File::new();
    let of = |owner: i64, id: i64, kind: &str, value: &str, memo: &str| {
        let mut told = contact(owner, id, kind, true, true);
        (told["value"], told["memo"]) = (json!(value), json!(memo));
        told
    };
    let contacts = vec![
        of(1, 1, "Phone", "8185550142", "Gate code 4411"),
        of(2, 2, "MobilePhone", "(818) 555-0142", ""),
        of(2, 3, "Phone", "2135550142", "100% sure"),
        of(3, 4, "Email", "Dana.Whitfield@Site.example", ""),
        of(3, 5, "Email", "office@site.example", ""),
        of(3, 6, "Phone", "555-0199", ""),
    ];
    file.feeds.put(contacts, true);
    let mut deleted = contact(1, 9, "Phone", false, true);
    deleted["value"] = json!("8185550142");
    file.feeds.put(vec![deleted], false);
    let names = [(1, "Zoë Müller"), (2, "Dana Whitfield"), (3, "Depot"), (4, "No contacts")];
    file.feeds.put_to(LOCATIONS, names.map(|(id, name)| place(id, 1, name)).into(), false);
    let mut mirror = file.open();
    file.update(&mut mirror).await.unwrap();
    // What came once the indexes were made is found as well.
    file.feeds.put(vec![of(4, 7, "Phone", "8185550177", "Süd entrance")], false);
    file.feeds.put_to(LOCATIONS, vec![place(4, 1, "Östra Depot")], false);
    file.update(&mut mirror).await.unwrap();
    (file, mirror)
}

fn found(mirror: &Mirror, text: &str) -> (By, Vec<i64>) {
    let found = mirror.find(text, 50).unwrap().unwrap();
    assert!(!found.more);
    let mut ids: Vec<_> =
        found.hits.iter().map(|hit| hit.contact.as_ref().unwrap().id.get()).collect();
    ids.sort();
    (found.by, ids)
}

#[tokio::test]
async fn somebody_is_found_by_a_number_an_address_or_a_part_of_a_name() {
    let (_file, mirror) = findable().await;
    for (text, by, ids) in [
        ("818-555-0142", By::Value, vec![1, 2]),
        ("+1 (818) 555-0142 ext. 7", By::Value, vec![1, 2]),
        ("555-0142", By::LastDigits, vec![1, 2, 3]),
        ("310 555 0142", By::LastDigits, vec![1, 2, 3]),
        ("555 0199", By::LastDigits, vec![6]),
        ("dana.whitfield@site.example", By::Value, vec![4]),
        ("@site.example", By::PartOfAddress, vec![4, 5]),
        ("dana.whitfield@", By::PartOfAddress, vec![4]),
        ("office@si", By::PartOfAddress, vec![5]),
        ("gate CODE", By::Text, vec![1]),
        ("0% sure", By::Text, vec![3]),
        ("a_e code", By::Text, vec![]),
        ("zoe muller", By::Text, vec![1]),
        ("whitfield", By::Text, vec![2, 3, 4]),
        ("whitfield pasadena", By::Text, vec![2, 3]),
        ("sud entrance", By::Text, vec![7]),
        ("ostra", By::Text, vec![7]),
        ("no contacts", By::Text, vec![]),
        ("nobody", By::Text, vec![]),
    ] {
        assert_eq!(found(&mirror, text), (by, ids), "{text}");
    }
    for text in ["", "ab", "a b", "12"] {
        assert_eq!(mirror.find(text, 50).unwrap(), Err(TooShort), "{text}");
    }
}

#[tokio::test]
async fn a_hit_tells_its_owner_and_who_else_has_the_same() {
    let (file, mut mirror) = findable().await;
    let found = mirror.find("8185550142", 50).unwrap().unwrap();
    let names: Vec<_> =
        found.hits.iter().map(|hit| hit.details.as_ref().unwrap().display_name()).collect();
    assert_eq!(names, ["Zoë Müller", "Dana Whitfield"]);
    assert!(found.hits.iter().all(|hit| hit.shared == 1));
    let found = mirror.find("8185550142", 1).unwrap().unwrap();
    assert_eq!((found.hits.len(), found.more), (1, true));
    // An owner without contacts is found by its name, and one that got another name no longer.
    file.feeds.put_to(LOCATIONS, vec![place(8, 1, "Depot of nobody"), place(2, 1, "Moved")], false);
    file.update(&mut mirror).await.unwrap();
    let found = mirror.find("of nobody", 50).unwrap().unwrap();
    assert_eq!((found.hits.len(), &found.hits[0].contact), (1, &None));
    assert_eq!(self::found(&mirror, "whitfield"), (By::Text, vec![4]));
}

#[tokio::test]
async fn each_look_up_goes_by_an_index() {
    let (_file, mirror) = findable().await;
    for (condition, index) in [
        ("coalesce(key, value) = ?1 AND active", "contacts_by_key"),
        ("otherwise = ?1 AND otherwise IS NOT NULL AND active", "contacts_otherwise"),
        ("key % 10000000 = ?1 AND typeof(key) = 'integer' AND active", "contacts_by_tail"),
        (
            "substr(coalesce(key, value), instr(coalesce(key, value), '@') + 1) = ?1
             AND instr(coalesce(key, value), '@') > 0 AND active",
            "contacts_by_domain",
        ),
        ("owner = ?1 AND active", "contacts_by_id"),
    ] {
        let sql = format!("EXPLAIN QUERY PLAN SELECT * FROM contacts WHERE {condition}");
        let plan = mirror.database.rows(&sql, [1], |row| row.get::<_, String>("detail")).unwrap();
        assert!(plan[0].contains(&format!("SEARCH contacts USING INDEX {index}")), "{plan:?}");
    }
}

#[tokio::test]
async fn another_region_makes_other_keys_or_none() {
    let file = File::new();
    let number = |id, value: &str| {
        let mut record = contact(1, id, "Phone", true, true);
        record["value"] = json!(value);
        record
    };
    let all = [number(1, "02079460018"), number(2, "03012345678"), number(3, "8185550142")];
    file.feeds.put(all.to_vec(), false);
    let mut mirror = file.open();
    file.update(&mut mirror).await.unwrap();
    let found = |mirror: &Mirror, text: &str| {
        let found = mirror.find(text, 9).unwrap().unwrap();
        let hits = found.hits.into_iter().map(|hit| hit.contact.unwrap().id.get());
        if found.by == By::Value { hits.collect() } else { Vec::new() }
    };
    let is_of = |mirror: &Mirror, region: &str| {
        assert_eq!(mirror.region().to_string(), region);
        for (of, text, id) in [
            ("GB", "+44 20 7946 0018", 1),
            ("DE", "+49 30 12345678", 2),
            ("US", "+1 818 555 0142", 3),
        ] {
            let expected = if of == region { vec![id] } else { vec![] };
            assert_eq!(found(mirror, text), expected, "{text} by {region}");
        }
    };
    is_of(&mirror, "US");
    for region in ["GB", "DE"] {
        mirror.read_by(region.parse().unwrap()).unwrap();
        is_of(&mirror, region);
        is_of(&file.open(), region);
    }

    // What fails in the middle leaves all as it was.
    let fails = "CREATE TEMP TRIGGER fails BEFORE UPDATE ON contacts WHEN new.contact_id = 3
        BEGIN SELECT raise(ABORT, 'no more'); END";
    mirror.database.connection.execute_batch(fails).unwrap();
    mirror.read_by(Default::default()).unwrap_err();
    is_of(&mirror, "DE");
    is_of(&file.open(), "DE");

    // Whoever goes on with an update does so by the keys of the file.
    let other = file.open();
    other.read_by("GB".parse().unwrap()).unwrap();
    file.feeds.put(vec![number(4, "02079460019")], false);
    file.update(&mut mirror).await.unwrap();
    assert_eq!(found(&other, "+44 20 7946 0019"), [4]);
}

/// What updates found, each as its contact, what happened, and the members that differ.
fn differences(mirror: &Mirror) -> Vec<(i64, Happened, String)> {
    let mut told = Vec::new();
    mirror
        .for_each_difference(|observed| {
            assert!(observed.since < observed.until);
            let members = observed.members.iter().map(|member| {
                let text = |side: &Option<String>| side.clone().unwrap_or_default();
                format!("{}: {} > {}", member.field, text(&member.before), text(&member.after))
            });
            let members = members.collect::<Vec<_>>().join(", ");
            told.push((observed.contact.get(), observed.happened, members));
            Ok::<_, MirrorError>(())
        })
        .unwrap();
    told
}

/// A mirror whose first load found four contacts, and whose update found three of them changed, one
/// of them only in its time, one gone and another one that is new.
async fn changed() -> (File, Mirror) {
    let file = File::new();
    let told = |id, active| contact(1, id, "Phone", active, true);
    file.feeds.put((1..5).map(|id| told(id, true)).collect(), true);
    // Repeated and changed while the first load goes on: nobody has seen it otherwise.
    file.feeds.put(vec![contact(1, 4, "MobilePhone", true, true)], false);
    let mut mirror = file.open();
    assert_eq!(mirror.differences_since().unwrap(), None);
    file.update(&mut mirror).await.unwrap();
    assert_eq!(differences(&mirror), []);
    let mut changed = told(1, true);
    changed["memo"] = json!("Gate 2");
    changed["preferences"]["marketingUpdatesEnabled"] = json!(false);
    let mut touched = told(2, true);
    touched["modifiedOn"] = json!("2026-06-01T00:00:00Z");
    let unread = json!({"id": 6, "locationId": 1, "modifiedOn": "yesterday"});
    let batch = vec![changed, touched, told(3, false), told(5, true), told(7, false), unread];
    file.feeds.put(batch.clone(), false);
    file.update(&mut mirror).await.unwrap();
    // The feed repeats itself, and what could not be read can be.
    file.feeds.put(batch[..5].iter().cloned().chain([told(6, true)]).collect(), false);
    file.update(&mut mirror).await.unwrap();
    (file, mirror)
}

#[tokio::test]
async fn an_update_keeps_what_differs_once_and_the_first_load_keeps_nothing() {
    let (_file, mirror) = changed().await;
    let told = differences(&mirror);
    assert_eq!(
        told[0],
        (
            1,
            Happened::Changed,
            "memo:  > Gate 2, preferences.marketingUpdatesEnabled: true > false".to_owned()
        )
    );
    let (id, happened, members) = &told[1];
    assert_eq!((*id, *happened), (3, Happened::Deleted));
    assert!(members.contains("value: 8185550003 > ,"), "{members}");
    let (id, happened, members) = &told[2];
    assert_eq!((*id, *happened), (5, Happened::Created));
    assert!(members.contains("value:  > 8185550005,"), "{members}");
    assert_eq!(told.len(), 3);
    let of = |owner: i64, contact: Option<i64>| {
        let owner = OwnerId::Location(owner.try_into().unwrap());
        let contact = contact.map(|id| ContactId::new(id).unwrap());
        let mut found = Vec::new();
        let each = |observed: Observed| {
            found.push(observed.contact.get());
            Ok::<_, MirrorError>(())
        };
        mirror.for_each_difference_of(owner, contact, each).unwrap();
        found
    };
    assert_eq!(of(1, None), [1, 3, 5]);
    assert_eq!(of(1, Some(3)), [3]);
    assert_eq!((of(1, Some(2)), of(2, None)), (vec![], vec![]));
    assert!(mirror.differences_since().unwrap().is_some());
}

#[tokio::test]
async fn differences_are_removed_by_age_or_with_the_mirror_but_for_those_that_are_kept() {
    let (file, mirror) = changed().await;
    let mut moments = Vec::new();
    let each = |observed: Observed| {
        moments.push(observed.until);
        Ok::<_, MirrorError>(())
    };
    mirror.for_each_difference(each).unwrap();
    let precise = Timestamp::from_nanoseconds(moments[0].as_nanoseconds() - 1).unwrap();
    for moment in [moments[0], precise] {
        assert_eq!(mirror.remove_differences_before(moment).unwrap(), 0);
    }
    assert_eq!(mirror.empty(|observed| observed.contact.get() != 3).unwrap(), 2);
    let mut mirror = file.open();
    assert_eq!(mirror.known_at().unwrap(), None);
    assert_eq!(differences(&mirror).iter().map(|told| told.0).collect::<Vec<_>>(), [1, 5]);
    let bytes = std::fs::read(file.path()).unwrap();
    assert!(!bytes.windows(10).any(|bytes| bytes == b"8185550003"));
    assert!(bytes.windows(10).any(|bytes| bytes == b"8185550005"));
    // What is read anew is no difference.
    file.feeds.asked.lock().unwrap().clear();
    file.feeds.put(vec![contact(1, 1, "Email", true, true)], false);
    file.update(&mut mirror).await.unwrap();
    let asked = file.feeds.asked.lock().unwrap().clone();
    assert!(asked.iter().all(|uri| !uri.contains("from=next")), "{asked:?}");
    assert_eq!(differences(&mirror).len(), 2);
    let later = crate::clock::now() + std::time::Duration::from_secs(1);
    assert_eq!(mirror.remove_differences_before(later).unwrap(), 2);
    assert_eq!(differences(&mirror), []);
    assert_eq!(mirror.remove_differences_before(later).unwrap(), 0);
}
