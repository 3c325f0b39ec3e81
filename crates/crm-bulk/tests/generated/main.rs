//! Generated lists against a tenant whose values are spelt at random: nobody is opted out against
//! their status, no stranger is, and nobody is missed without a report.
#![allow(clippy::unwrap_used, reason = "a test fails so")]

mod lists;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use async_trait::async_trait;
use crm_bulk::{BulkError, OptOut, Site, Snapshot};
use crm_contacts::ContactsService;
use crm_models::TenantId;
use crm_transport::{Request, Response, Transport, TransportError};
use fastrand::Rng;
use rusqlite::{Connection, Row};
use serde_json::{Value, json};

use self::lists::{Generated, PEOPLE, Whose, Wish, list, spelt};

/// How many lists, unless `LISTS` says otherwise; the seed repeats them.
fn how_many() -> usize {
    let said = std::env::var("LISTS").ok();
    said.map_or(150, |lists| lists.parse().unwrap())
}

/// How many contacts the tenant has, each of one person, and each with a spelling of its own.
const CONTACTS: u32 = PEOPLE * 20;

/// Answers the export feeds with the contacts of a tenant, which belong to one location; nobody else
/// is there.
struct Feeds(Vec<String>);

#[async_trait]
impl Transport for Feeds {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let path = request.uri().path();
        if !path.contains("/export/") {
            let page = json!({"page": 1, "pageSize": 5_000, "hasMore": false, "data": []});
            return Ok(Response::new(page.to_string().into()));
        }
        let contact = |(id, value): (usize, &String)| {
            json!({
                "id": id, "locationId": 1, "type": if value.contains('@') { "Email" } else { "Phone" },
                "value": value, "memo": null, "active": true, "modifiedOn": "2026-01-01T00:00:00Z",
                "preferences": {
                    "jobRemindersEnabled": true, "marketingUpdatesEnabled": true,
                    "invoiceNotification": true, "statementNotification": true,
                    "invoiceStatementNotification": true,
                },
            })
        };
        let all = (1..).zip(&self.0).map(contact).collect();
        let data: Vec<Value> = if path.contains("/locations/") { all } else { Vec::new() };
        let batch = json!({"hasMore": false, "continueFrom": "end", "data": data});
        Ok(Response::new(serde_json::to_vec(&batch).unwrap().into()))
    }
}

#[tokio::test]
async fn nobody_is_opted_out_against_their_word_or_missed_without_being_told() {
    let mut rng = Rng::with_seed(7);
    let tenant: Vec<_> = (0..CONTACTS).map(|at| spelt(&mut rng, at % PEOPLE, false)).collect();
    let service = ContactsService::new(Feeds(tenant.clone()), TenantId::new(1_001).unwrap());
    let site = Site::of(&service, "https://api.example");
    let folder = tempfile::tempdir().unwrap();
    let snapshot = folder.path().join("snapshot");
    let mut contacts = Snapshot::open_or_create(&snapshot, &site).unwrap();
    contacts.update(&service, &site, |_| {}).await.unwrap();
    drop(contacts);

    let (mut opted_out, mut refused, mut looked_at) = (0, 0, 0);
    for at in 0..how_many() {
        let generated = list(&mut rng);
        let out = folder.path().join(format!("{at}.crm"));
        let opt_out = OptOut::new(site.clone(), Snapshot::open(&snapshot).unwrap());
        let opt_out = opt_out.without_people().skip_invalid();
        match opt_out.plan(&service, generated.input(), &out).await {
            Ok(_) => {}
            Err(BulkError::Input { .. }) => {
                refused += 1;
                continue;
            }
            Err(error) => panic!("{at}: {error}: {}", generated.shown()),
        }
        let told = Told::by(&out);
        std::fs::remove_file(&out).unwrap();
        let (out, near) = check(&generated, &told, &tenant, at);
        opted_out += out;
        looked_at += near;
    }
    let lists = how_many();
    assert!(opted_out > lists && looked_at > lists / 3, "{opted_out} {looked_at}");
    assert!(refused <= lists / 100, "{refused} lists refused");
}

/// What a set does, and what it tells of the rest.
struct Told {
    /// The rows and contacts that are opted out.
    opted_out: Vec<(usize, u32)>,
    /// The contacts that a person is to look at.
    to_look_at: BTreeSet<u32>,
    /// The rows that are wrong.
    wrong: BTreeSet<usize>,
}

impl Told {
    fn by(set: &Path) -> Self {
        let set = Connection::open(set).unwrap();
        let opted_out = read(&set, "SELECT row, contact_id FROM changes", |row| {
            Ok((place(row.get("row")?), row.get("contact_id")?))
        });
        let (mut to_look_at, mut wrong) = (BTreeSet::new(), BTreeSet::new());
        let rows = read(&set, "SELECT row, state, message FROM rows", |row| {
            let state: Option<String> = row.get("state")?;
            Ok((place(row.get("row")?), state, row.get::<_, Option<String>>("message")?))
        });
        for (row, state, message) in rows {
            if state.as_deref() == Some("failed") {
                wrong.insert(row);
                continue;
            }
            let message = message.unwrap_or_default();
            let (_, records) = message.split_once("look at ").unwrap_or_default();
            let ids = records.split("; ").filter_map(|record| record.rsplit(' ').next());
            to_look_at.extend(ids.filter_map(|id| id.parse::<u32>().ok()));
        }
        Self { opted_out, to_look_at, wrong }
    }
}

/// A row's place among the generated ones.
fn place(row: u64) -> usize {
    usize::try_from(row - 1).unwrap()
}

fn read<R>(
    set: &Connection,
    sql: &str,
    row: impl FnMut(&Row<'_>) -> rusqlite::Result<R>,
) -> Vec<R> {
    let mut query = set.prepare(sql).unwrap();
    query.query_map([], row).unwrap().map(Result::unwrap).collect()
}

/// Holds what a set does against what its list says. Returns how many contacts are opted out, and
/// how many a person is to look at.
fn check(generated: &Generated, told: &Told, tenant: &[String], at: usize) -> (usize, usize) {
    let (rows, shown) = (&generated.rows, || generated.shown());
    // What the rows that could be read say in the end: the latest day wins, then out.
    let mut last = BTreeMap::<Whose, (u8, bool)>::new();
    let right = rows.iter().enumerate().filter(|(row, _)| !told.wrong.contains(row));
    for (row, (whose, wish)) in right.flat_map(|(_, row)| row.values.iter().map(move |v| (row, v)))
    {
        let is_out = match wish {
            Wish::Out | Wish::Unsaid => true,
            Wish::In | Wish::NotOut => false,
            Wish::Neither => continue,
        };
        // Nobody knows when somebody opted in beside the day of an opt-out.
        let has_no_day = *wish == Wish::NotOut || row.is_of_opt_outs;
        let day = if !is_out && has_no_day { 0 } else { row.day };
        let entry = last.entry(*whose).or_insert((day, is_out));
        *entry = (*entry).max((day, is_out));
    }
    let says_out = |whose: &Whose| last.get(whose).is_some_and(|(_, is_out)| *is_out);
    let person = |contact: u32| (contact - 1) % PEOPLE;
    for (row, contact) in &told.opted_out {
        let mut of_row = rows[*row].values.iter().map(|(whose, _)| whose);
        let is_right = of_row.any(|whose| whose.0 == person(*contact) && says_out(whose));
        assert!(is_right, "{at}: contact {contact} by row {row}: {}", shown());
    }
    let opted_out: BTreeSet<_> = told.opted_out.iter().map(|(_, contact)| *contact).collect();
    for (contact, value) in (1..).zip(tenant) {
        if opted_out.contains(&contact) || told.to_look_at.contains(&contact) {
            continue;
        }
        // That a row was found nowhere, or is wrong, is told.
        let is_found = |whose: Whose| {
            let of_person = told.opted_out.iter().filter(|(_, other)| person(*other) == whose.0);
            of_person.into_iter().any(|(row, _)| rows[*row].values.iter().any(|v| v.0 == whose))
        };
        for whose in [(person(contact), false), (person(contact), true)] {
            let is_silent = says_out(&whose) && is_found(whose);
            assert!(!is_silent, "{at}: {value} is missed in silence: {}", shown());
        }
    }
    (opted_out.len(), told.to_look_at.len())
}
