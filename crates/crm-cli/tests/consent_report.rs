//! `crm consent report`: what an auditor is told of a period.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs;

use common::{Service, stdout};
use crm_consent::Sha;
use serde_json::Value;

/// A service where one number was turned off in time, one late, and one is still on; and the second.
fn a_year() -> (Service, String) {
    let service = Service::start();
    service.ok("mirror update");
    let contacts = service.json("customer-contacts list 1001");
    let others = service.json("customer-contacts list 1002");
    let all = contacts.as_array().unwrap().iter().chain(others.as_array().unwrap());
    let on = all.filter(|contact| contact["preferences"]["marketingUpdatesEnabled"] == true);
    let mut values: Vec<_> = on.map(|contact| contact["value"].as_str().unwrap()).collect();
    values.dedup();
    let [first, second, third] = values[..3] else { panic!("{values:?}") };
    let write = |name: &str, text: String| {
        fs::write(service.home.path().join(name), text).unwrap();
    };
    let of = |value: &str| if value.contains('@') { "email" } else { "phone" };
    write("a.csv", format!("{},status,received\n{first},STOP,2026-11-23\n", of(first)));
    write("b.csv", format!("{},status,received\n{second},STOP,2026-01-05\n", of(second)));
    service.ok("consent import a.csv");
    service.ok("consent import b.csv");
    service.ok(&[
        "consent",
        "add",
        third,
        "--said",
        "STOP",
        "--at",
        "2026-02-02",
        "--where",
        "telephone",
        "--by",
        "lee",
    ]);
    // Plans bring their lists into the ledger as well; here they are there already.
    service.ok("opt-out a.csv --without-people --out a.crm");
    service.ok("apply a.crm --yes");
    service.ok("opt-out b.csv --without-people --out b.crm");
    service.ok("apply b.crm --yes");
    service.ok("mirror update");
    (service, second.to_owned())
}

const YEAR: &str = "consent report --from 2026-01-01 --to 2099-12-31";

#[test]
fn a_report_counts_what_came_in_and_how_punctually_it_was_done() {
    let (service, second) = a_year();
    let told = service.crm(&format!("{YEAR} --output json")).assert().code(10);
    let told: Value = serde_json::from_str(&stdout(&told)).unwrap();
    let sources: Vec<_> = told["sources"].as_array().unwrap().iter().collect();
    assert_eq!(sources.len(), 2, "{sources:?}");
    assert_eq!((&sources[1]["source"], &sources[1]["out"]), (&"telephone".into(), &1.into()));
    assert_eq!(told["imports"][1]["file"], "b.csv");
    let off = &told["turnedOff"];
    assert!(off["inTime"].as_u64().unwrap() > 0 && off["late"].as_u64().unwrap() > 0, "{off}");
    assert_eq!(off["lateBy"][3], off["late"], "by more than 30 days");
    assert!(told["open"]["late"].as_u64().unwrap() > 0, "{}", told["open"]);
    let sets: Vec<_> = told["sets"].as_array().unwrap().iter().map(|set| &set["undone"]).collect();
    assert_eq!(sets, [&Value::from(0), &Value::from(0)]);

    service.ok("consent retract 3 --reason 'not ours'");
    assert_eq!(told["open"]["isBehind"], false);
    service.ok("undo b.crm --out back.crm");
    service.ok("apply back.crm --yes");
    let told = service.crm(&format!("{YEAR} --output json")).assert().code(10);
    let told: Value = serde_json::from_str(&stdout(&told)).unwrap();
    assert_eq!(told["imports"][1]["retractedBy"], told["acts"][0]["record"]);
    assert_eq!(told["open"]["isBehind"], true, "what the undo sent is not in the mirror");
    assert!(told["missing"].to_string().contains("crm mirror update"), "{}", told["missing"]);
    // What the wish asked for that was taken back was asked for by nobody.
    assert_eq!(told["turnedOff"]["late"], 0);
    assert!(told["turnedOff"]["takenBack"].as_u64() > Some(0), "{}", told["turnedOff"]);
    assert_eq!(told["turnedOff"]["withoutWish"], 0);
    let undone = told["sets"].as_array().unwrap().iter();
    assert_eq!(undone.filter(|set| set["undone"].as_u64() > Some(0)).count(), 1);
    let none =
        service.crm("consent report --from 2020-01-01 --to 2020-12-31 --output json").assert();
    let none: Value = serde_json::from_str(&stdout(&none)).unwrap();
    assert_eq!(
        (&none["sources"], &none["turnedOff"]["inTime"]),
        (&Value::Array(vec![]), &0.into())
    );
    service.crm("consent report --from 2026-02-30").assert().code(2);
    assert!(!second.is_empty());
}

#[test]
fn each_entry_is_a_line_beside_the_page_which_states_their_hash() {
    let (service, second) = a_year();
    service.crm(&format!("{YEAR} --html year.html")).assert().code(10);
    let page = fs::read_to_string(service.home.path().join("year.html")).unwrap();
    for part in ["Where wishes came from", "b.csv", "more than 30 days", "What this does not cover"]
    {
        assert!(page.contains(part), "{part}");
    }
    let csv = fs::read_to_string(service.home.path().join("year.html.csv")).unwrap();
    assert!(page.contains(&Sha::of(csv.as_bytes()).to_string()));
    let lines = |entry: &str| {
        csv.lines().filter(|line| line.split(',').next() == Some(entry)).collect::<Vec<_>>()
    };
    assert_eq!((lines("wish").len(), lines("import").len()), (3, 2), "{csv}");
    let wish = lines("wish")[2];
    assert!(wish.contains("telephone") && wish.contains(",lee,"), "who took it: {wish}");
    assert!(lines("turned-off").iter().any(|line| line.contains(&second)), "{csv}");
    assert!(page.contains(&format!("in {} lines", csv.lines().count() - 1)));

    let text = stdout(&service.crm(YEAR).assert().code(10));
    assert!(text.contains("turned off: ") && text.contains("open now: "), "{text}");
    let ndjson = stdout(&service.crm(&format!("{YEAR} --output ndjson")).assert().code(10));
    assert_eq!(ndjson.lines().count(), csv.lines().count() - 1);
}
