//! `crm mirror export`: a sheet of all contacts, to be looked at, edited and planned.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{collections::BTreeMap, fs};

use common::{Service, stderr, stdout};
use crm_sandbox::{NewContact, Sandbox, Seed};
use serde_json::Value;

/// What people and other programs store, and what a spreadsheet makes of it.
const MEMOS: [&str; 11] = [
    "",
    " blanks around ",
    "(clear)",
    "=HYPERLINK(\"http://x.example\")",
    "'=quoted already",
    "'0815",
    "007",
    "two\r\nlines, \"quoted\"",
    "#REF!",
    "Zoë \u{202e}back",
    "12345678901234567890",
];

const VALUES: [(&str, &str); 8] = [
    ("Phone", "+18182001111"),
    ("Phone", "(818) 200-1112 x 12"),
    ("MobilePhone", "08182001113"),
    ("MobilePhone", " 818 200 1114"),
    ("Phone", "none"),
    ("Email", "Dana@Site.example "),
    ("Email", "no address"),
    ("Pager", "=1+1"),
];

/// An owner of each kind, with contacts that no rule would let in.
fn tenant() -> Service {
    let service = Service::build(Sandbox::builder().seed(Seed::Empty));
    service.sandbox.add_customer(7, "Harbor, \"the\" Bakery").unwrap();
    service.sandbox.add_location(9, 7, "=Pier 4").unwrap();
    let add = |contact| service.sandbox.add_contact(contact).unwrap();
    for (at, (kind, value)) in (1..).zip(VALUES) {
        add(NewContact::of_customer(7, kind, value).id(at));
    }
    for (at, memo) in (1..).zip(MEMOS) {
        add(NewContact::of_location(9, "Phone", format!("81820022{at:02}")).id(at).memo(memo));
    }
    service
}

#[test]
fn a_sheet_that_nobody_edited_asks_for_nothing_in_any_form() {
    let service = tenant();
    for (export, file) in [
        ("mirror export --out sheet.csv", "sheet.csv"),
        ("mirror export --excel --out excel.csv", "excel.csv"),
        ("mirror export --output json --out sheet.ndjson", "sheet.ndjson"),
    ] {
        let told = stderr(&service.crm(export).assert().success());
        assert!(told.contains(&format!("19 contacts written to {file}\n")), "{told}");
        let planned = service.crm(&format!("plan {file} --output json")).assert().success();
        let planned: Value = serde_json::from_str(&stdout(&planned)).unwrap();
        assert_eq!(planned["totals"], serde_json::json!({"already": {"update": 19}}), "{file}");
    }
    assert!(fs::read(service.home.path().join("excel.csv")).unwrap().starts_with(b"\xef\xbb\xbf"));
}

#[test]
fn what_is_edited_in_a_sheet_is_planned_and_nothing_else() {
    let service = Service::start();
    service.ok("mirror export --out sheet.csv");
    let path = service.home.path().join("sheet.csv");
    let sheet = fs::read_to_string(&path).unwrap();
    let header = "ownerKind,ownerId,ownerName,ownerTown,ownerAddress,ownerActive,ownerCustomerId,\
        customerId,locationId,contactId,type,value,memo,";
    assert!(sheet.starts_with(header), "{sheet}");
    assert_eq!(sheet.lines().count(), 1 + 65);
    let kinds: Vec<_> = sheet.lines().skip(1).map(|line| line.split(',').next().unwrap()).collect();
    assert!(kinds.is_sorted(), "customers first: {kinds:?}");
    fs::write(&path, sheet.replace("Front desk", "Back desk")).unwrap();
    let planned = service.ok("plan sheet.csv");
    assert!(planned.contains("memo: Front desk → Back desk"), "{planned}");
    assert!(planned.contains("        1  planned    update"), "{planned}");
    assert!(
        planned.contains("columns that are not read: ownerKind, ownerId, ownerName"),
        "{planned}"
    );
}

#[test]
fn a_sheet_has_what_changed_of_whom_and_of_which_kind_is_asked_for() {
    let service = Service::start();
    let lines = |more: &str| {
        let sheet = service.ok(&format!("mirror export --output ndjson {more}"));
        let lines = sheet.lines().map(|line| serde_json::from_str(line).unwrap());
        lines.collect::<Vec<Value>>()
    };
    let all = lines("");
    let first = &all[0];
    assert_eq!(first["ownerName"], "Harbor Bakery");
    assert_eq!(first["ownerTown"], "San Pedro");
    assert_eq!((&first["customerId"], &first["locationId"]), (&1001.into(), &Value::Null));
    assert_eq!(lines("--of customers").len() + lines("--of location").len(), all.len());
    let emails = all.iter().filter(|line| line["type"] == "Email").count();
    assert_eq!(lines("--type email").len(), emails);
    assert!((1..all.len()).contains(&emails));
    let since: Vec<_> =
        all.iter().filter(|line| line["modifiedOn"].as_str() >= Some("2026-05-01")).collect();
    assert_eq!(lines("--changed-since 2026-05-01").iter().collect::<Vec<_>>(), since);
    assert!((1..all.len()).contains(&since.len()));
    let fields = service.ok("mirror export --fields contactId,preferences.marketingUpdatesEnabled");
    assert!(fields.starts_with("contactId,preferences.marketingUpdatesEnabled\n"), "{fields}");
    service.crm("mirror export --changed-since yesterday").assert().code(2);

    service.ok("location-contacts update 2001 3001 --memo new");
    let ids = |since: &str| {
        let lines = lines(&format!("--changed-since {since}"));
        lines.iter().map(|line| line["contactId"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(ids("1h"), [3001], "the mirror is read again after a write");
}

#[test]
fn a_sheet_updates_an_old_mirror_uses_a_young_one_and_spares_it() {
    let service = Service::start();
    service.ok("mirror export");
    let calls = service.sandbox.log().len();
    let told = stderr(&service.crm("mirror export").assert().success());
    assert!(told.contains("the mirror is less than a minute old"), "{told}");
    assert_eq!(service.sandbox.log().len(), calls, "nothing is read");
    service.ok("mirror export --max-age 0");
    assert!(service.sandbox.log().len() > calls);
    let calls = service.sandbox.log().len();
    service.ok("mirror export --offline --max-age 0");
    assert_eq!(service.sandbox.log().len(), calls);

    service.ok("mirror update --mirror m.db");
    let over = service.crm("mirror export --mirror m.db --out m.db").assert().code(2);
    assert!(stderr(&over).contains("m.db is the mirror"), "{}", stderr(&over));
    service.crm("mirror export --fields nme").assert().code(2);
    let in_sandbox = service.ok("--sandbox mirror export");
    assert_eq!(in_sandbox.lines().count(), 1 + 65);
}

#[test]
fn a_sheet_has_the_customers_of_locations_times_for_spreadsheets_and_people_if_asked() {
    let service = Service::start();
    let made = service.crm("mirror export --excel --out sheet.csv").assert().success();
    let told = stderr(&made);
    assert!(told.contains(" of people: --of person writes them"), "{told}");
    let rows = |name: &str| {
        let text = fs::read_to_string(service.home.path().join(name)).unwrap();
        let mut csv = csv::Reader::from_reader(text.trim_start_matches('\u{feff}').as_bytes());
        csv.deserialize().map(Result::unwrap).collect::<Vec<BTreeMap<String, String>>>()
    };
    for row in rows("sheet.csv") {
        let [of, customer, location] =
            ["ownerCustomerId", "customerId", "locationId"].map(|name| row[name].as_str());
        assert!(!of.is_empty() && customer.is_empty() != location.is_empty(), "{row:?}");
        let at = row["modifiedOn"].as_str();
        assert_eq!((at.len(), &at[10..11], at.contains('Z')), (19, " ", false), "{at}");
    }
    let people = service.ok("mirror export --of person");
    assert!(people.lines().count() > 1, "{people}");
    service.ok("mirror export --of people --out people.csv");
    for row in rows("people.csv") {
        assert_eq!(row["ownerKind"], "person");
        assert!(!row["ownerName"].is_empty() && row["customerId"].is_empty(), "{row:?}");
    }
}
