//! The page of a set, and all of it as CSV beside it.
#![allow(clippy::unwrap_used, reason = "a failure here fails the test")]

mod common;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use common::{World, world};
use crm_bulk::{
    Apply, ChangeSet, Input, OnDrift, OptOut, PastEvent, Plan, Remark, Report, Selection, State,
};
use crm_contacts::Difference;
use crm_sandbox::Seed;

/// The page and the lines of its evidence, by column.
fn report(set: &ChangeSet) -> (String, Vec<BTreeMap<String, String>>) {
    let (mut page, mut evidence) = (Vec::new(), Vec::new());
    set.report_with_evidence(&mut page, &mut evidence, "page.html.csv").unwrap();
    let page = String::from_utf8(page).unwrap();
    assert!(page.contains("<code><bdi>page.html.csv</bdi></code>"), "{page:.2000}");
    let sha256 = sha256(&evidence);
    assert!(page.contains(&format!("<code>{sha256}</code>")), "{sha256} {page:.2000}");
    let mut csv = csv::Reader::from_reader(&*evidence);
    (page, csv.deserialize().map(Result::unwrap).collect())
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    let hash = sha2::Sha256::digest(bytes);
    hash.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn page_alone(set: &ChangeSet) -> String {
    let mut page = Vec::new();
    set.report(&mut page).unwrap();
    String::from_utf8(page).unwrap()
}

async fn opt_out(world: &World, list: String, name: &str) -> ChangeSet {
    let list = Input::csv("list", std::io::Cursor::new(list));
    let plan = OptOut::new(world.site.clone(), world.snapshot().await).skip_invalid();
    plan.plan(&world.service, list, world.path(name)).await.unwrap();
    ChangeSet::open(world.path(name)).unwrap()
}

#[tokio::test]
async fn late_entries_come_first_and_say_so() {
    let world = world(Seed::Demo).await;
    let today = today();
    let list = format!("phone,received\n818-555-0144,{today}\n213-555-0177,2026-01-05\n");
    let set = opt_out(&world, list, "set.crm").await;
    let (page, lines) = report(&set);
    let late = |lines: &[BTreeMap<String, String>], row: &str| -> BTreeSet<String> {
        lines.iter().filter(|line| line["row"] == row).map(|line| line["late"].clone()).collect()
    };
    assert_eq!(late(&lines, "2"), BTreeSet::from(["overdue".to_owned()]));
    assert_eq!(late(&lines, "1"), BTreeSet::from([String::new()]));
    let days = |lines: &[BTreeMap<String, String>]| {
        let days = lines.iter().filter(|line| line["row"] == "2").map(|line| &line["daysLate"]);
        days.map(|days| days.parse::<u32>().unwrap()).collect::<BTreeSet<_>>()
    };
    // The last day was 2026-01-19: no holidays are known here.
    assert!(days(&lines).iter().all(|days| *days > 300), "{lines:#?}");
    assert!(page.contains("<b class=\"bad\">1</b>entry late"), "{page:.3000}");
    let (attention, others) = page.split_once("Entry by entry").unwrap();
    assert!(attention.contains("Late: not all of it is done; "), "{attention}");
    assert!(others.contains("818-555-0144") && !attention.contains("818-555-0144"), "{others}");

    world.apply(Apply::new(ChangeSet::open(world.path("set.crm")).unwrap())).await.unwrap();
    let (page, lines) = report(&set);
    assert!(late(&lines, "2").iter().all(|late| late.starts_with("done 20")), "{lines:#?}");
    assert!(page.contains("Late: done on 20") && page.contains(" days late"), "{page}");
    assert!(days(&lines).iter().all(|days| *days > 300), "{lines:#?}");
}

/// The date by UTC, which no wish of this day is late on.
fn today() -> String {
    jiff::Timestamp::now().to_string()[..10].to_owned()
}

#[tokio::test]
async fn the_page_says_who_planned_dropped_and_approved_and_with_what() {
    let world = world(Seed::Demo).await;
    let list = "phone\n213-555-0177\n12 Main\n".to_owned();
    let set = opt_out(&world, list, "set.crm").await;
    let page = page_alone(&set);
    let user = crm_bulk::system_user();
    assert!(page.contains(&format!(" by <bdi>{user}</bdi>")), "{page:.3000}");
    assert!(page.contains("by nobody, as it is now"), "{page:.3000}");
    for change in set.changes(&Selection::all()) {
        let number = change.unwrap().id;
        assert!(page.contains(&format!("<td data-label=\"Found at\">{number}. ")), "{page:.3000}");
    }
    assert!(page.contains("<dt>Chosen</dt><dd><bdi>wrong entries are left out"), "{page:.3000}");
    let version = env!("CARGO_PKG_VERSION");
    assert!(page.contains(&format!("planned by <bdi>{version}</bdi>, page by {version}")));

    let one = Selection::all().numbers([1]);
    set.drop_changes(&one, Remark::new().by("Ana").reason("<called>")).await.unwrap();
    set.approve(None, Remark::new().by("Dana")).await.unwrap();
    let page = page_alone(&set);
    assert!(page.contains("1 change, ") && page.contains("(said: Ana)"), "{page:.3000}");
    assert!(page.contains("&lt;called&gt;") && page.contains("(said: Dana)"), "{page:.3000}");
    assert!(!page.contains("by nobody"), "{page:.3000}");

    // Nobody decides anything by a dry run.
    let open = set.totals().unwrap().open();
    world.apply(Apply::new(set).dry_run()).await.unwrap();
    let again = || ChangeSet::open(world.path("set.crm")).unwrap();
    assert!(!page_alone(&again()).contains("Applied"));
    let run = Apply::new(again()).require_approval().canary(1).on_drift(OnDrift::Force);
    world.apply(run).await.unwrap();
    world.apply(Apply::new(again())).await.unwrap();
    let page = page_alone(&again());
    let chosen = "1 first, then stop; change also what has drifted; only if it was approved";
    let applied =
        format!("by <bdi>{user}</bdi>: <bdi>{chosen}</bdi>; {open} changes were open then</dd>");
    assert!(page.contains(&applied), "{page:.3000}");
    assert_eq!(page.matches("<dt>Applied</dt>").count(), 2);
    // What is applied is what was approved.
    assert!(!page.contains("by nobody"), "{page:.3000}");
}

#[tokio::test]
async fn the_evidence_has_each_entry_with_each_place_its_ids_and_what_became_of_it() {
    let world = world(Seed::Demo).await;
    let list =
        "phone,received,note\n213-555-0177,2026-11-20,=1+1\n9995550000,2026-11-20,\n12 Main,,\n";
    let set = opt_out(&world, list.to_owned(), "set.crm").await;
    world.apply(Apply::new(ChangeSet::open(world.path("set.crm")).unwrap())).await.unwrap();
    let (page, lines) = report(&set);
    let of_row = |row: &str| lines.iter().filter(|line| line["row"] == row).collect::<Vec<_>>();

    let found = of_row("1");
    assert_eq!(found.len(), 9, "{lines:#?}");
    for kind in ["customer", "location", "person"] {
        assert!(found.iter().any(|line| line["ownerKind"] == kind), "{kind}");
    }
    for line in &found {
        assert_eq!(line["line"], "2");
        let entry = r#"{"phone":"213-555-0177","received":"2026-11-20","note":"=1+1"}"#;
        assert_eq!(line["entry"], entry);
        assert_eq!((&*line["received"], &*line["due"]), ("2026-11-20", "2026-12-04"));
        assert!(!line["ownerId"].is_empty() && !line["contactId"].is_empty(), "{line:?}");
        assert!(line["value"].replace(['(', ')', ' ', '-', '+'], "").contains("2135550177"));
        assert!(["done", "already"].contains(&&*line["state"]), "{line:?}");
        if line["state"] == "done" {
            assert!(line["before"].contains("\"on\"") || line["ownerKind"] == "person");
            assert!(line["after"].contains("\"off\""), "{line:?}");
            assert!(line["at"].starts_with("20"), "{line:?}");
        }
    }
    let [nowhere, wrong] = [of_row("2"), of_row("3")].map(|lines| lines[0]);
    assert_eq!((&*nowhere["state"], &*wrong["state"]), ("not-found", "failed"));
    assert!(wrong["rowMessage"].contains("phone: contains letters"), "{wrong:?}");

    // What needs attention comes first, and what is found nowhere last.
    let at = |text: &str| page.find(text).unwrap_or_else(|| panic!("{text}: {page}"));
    assert!(
        at("Needs attention") < at("Entry by entry") && at("Entry by entry") < at("Found nowhere")
    );
    assert!(at("12 Main") < at("Entry by entry") && at("9995550000") > at("Found nowhere"));
}

/// The lines in each state.
fn counted<'a>(
    lines: impl Iterator<Item = &'a BTreeMap<String, String>>,
) -> BTreeMap<&'a str, u64> {
    lines.fold(BTreeMap::new(), |mut all, line| {
        *all.entry(&*line["state"]).or_default() += 1;
        all
    })
}

#[tokio::test]
async fn entries_numbers_and_contacts_are_counted_each_by_itself_and_alike_everywhere() {
    let world = world(Seed::Demo).await;
    let list = "phone,mobile\n213-555-0177,2135550177\n(213) 555-0177,\n818-555-0144,\n\
                9995550000,\n";
    let set = opt_out(&world, list.to_owned(), "set.crm").await;
    let list = set.list_totals().unwrap().unwrap();
    assert_eq!((list.rows, list.values, list.found), (4, 3, 2));
    let notes = set.info().unwrap().notes.join(" ");
    assert!(notes.contains("Of the numbers found, 1 may still get text messages."), "{notes}");
    world.apply(Apply::new(ChangeSet::open(world.path("set.crm")).unwrap())).await.unwrap();
    let (page, lines) = report(&set);
    let totals = set.totals().unwrap();
    let of_row = |row: &str| lines.iter().filter(|line| line["row"] == row).count() as u64;
    assert_eq!((of_row("1"), of_row("2")), (9, 9), "{lines:#?}");
    assert_eq!((totals.all(), totals.repeats()), (9 + of_row("3"), 9));
    let changes = lines.iter().filter(|line| !line["change"].is_empty());
    let contacts = counted(changes.filter(|line| line["repeats"].is_empty()));
    for (state, word) in [(State::Done, "done"), (State::Already, "was so already")] {
        let count = totals.in_state(state);
        assert_eq!(contacts.get(state.as_str()).copied().unwrap_or_default(), count, "{state}");
        if count > 0 {
            assert!(page.contains(&format!(">{count}</b>{word}")), "{word}: {page:.3000}");
        }
    }
    let repeats = lines.iter().filter(|line| line["row"] == "2");
    for line in repeats {
        let first = lines.iter().find(|first| first["change"] == line["repeats"]).unwrap();
        assert_eq!((&*first["row"], &first["state"]), ("1", &line["state"]));
    }
    assert!(page.contains("3 in the list, 2 of them found"), "{page:.3000}");
    assert!(page.contains("9 times a later row"), "{page:.3000}");
}

#[tokio::test]
async fn a_long_list_has_a_short_page_that_says_what_it_shows_and_all_of_it_beside() {
    let world = world(Seed::Count(1_000)).await;
    // Of what needs attention, too, a page shows as many as it has room for, the first first.
    let mut list = "phone,received\n12 Main,2026-11-20\n".to_owned();
    let values = world.stored().into_values().map(|contact| contact.value);
    for value in values.collect::<BTreeSet<_>>() {
        let _ = writeln!(list, "\"{value}\",2026-11-20");
    }
    for number in 0..2_500 {
        let _ = writeln!(list, "99955{number:05},2026-11-20");
    }
    let rows = list.lines().count() - 1;
    let set = opt_out(&world, list, "set.crm").await;
    let (page, lines) = report(&set);
    assert!(page.len() < 1_000_000, "{}", page.len());
    let numbers: BTreeSet<u64> = lines.iter().map(|line| line["row"].parse().unwrap()).collect();
    assert_eq!(numbers.len(), rows, "every row has its line");
    assert_eq!(
        lines.iter().filter(|line| line["state"] == "planned").count() as u64,
        set.totals().unwrap().in_state(State::Planned)
    );
    assert!(
        page.contains(" of 2500 are shown here. All are in <code><bdi>page.html.csv</bdi></code>.")
    );
    let at = |text| page.find(text).unwrap_or_else(|| panic!("{text}: {page:.9000}"));
    assert!(at("12 Main") < at("Entry by entry"), "what is wrong comes first");

    let alone = page_alone(&set);
    assert!(alone.len() < 1_000_000 && alone.contains("crm report SET --html FILE"));
}

#[tokio::test]
async fn what_else_happened_is_shown_as_far_as_there_is_room_and_all_of_it_beside() {
    let world = world(Seed::Demo).await;
    let rows = "location_id,contact_id,memo\n2001,3001,by the set\n";
    let set = world.plan(rows, "set.crm").await;
    let record = *set.records(None, 1).unwrap().first().unwrap();
    let event = |number: u32| {
        let mut event = PastEvent::new(record, "update", format!("set-{number}"));
        event.at = Some("2026-11-29T08:00:00Z".parse().unwrap());
        event.members = vec![Difference::new("memo", Some("<b>"), Some(&"long ".repeat(200)))];
        event.undone = Some(number.is_multiple_of(2));
        event
    };
    let events = || (0..1_000).map(event).map(Ok::<_, std::io::Error>);
    let notes = || std::iter::once("one set is gone".to_owned());
    let (mut page, mut evidence) = (Vec::new(), Vec::new());
    let report = Report::of(&set).past(events(), notes());
    report.write_with_evidence(&mut page, &mut evidence, "beside.csv").unwrap();
    let page = String::from_utf8(page).unwrap();
    let (_, past) = page.split_once("What else happened to these contacts").unwrap();
    assert!(past.contains(" of 1000 are shown here. All are in"), "{past:.500}");
    assert!(past.contains("set-0<") && !past.contains("set-999<") && !past.contains("<b><"));
    assert!(past.contains("undone since") && past.contains("one set is gone"));
    assert!(page.len() < 300_000, "{}", page.len());
    let lines: Vec<BTreeMap<String, String>> =
        csv::Reader::from_reader(&*evidence).deserialize().map(Result::unwrap).collect();
    assert_eq!((lines.len(), &*lines[0]["through"]), (1_001, ""));
    let last = &lines[1_000];
    let told = ["through", "ownerId", "contactId", "undone"].map(|name| last[name].as_str());
    assert_eq!(told, ["set-999", "2001", "3001", "no"]);
    assert!(last["before"].contains("<b>"), "{last:?}");

    let alone = |events: Vec<PastEvent>| {
        let mut page = Vec::new();
        let report = Report::of(&set).past(events.into_iter().map(Ok), notes());
        report.write(&mut page).unwrap();
        String::from_utf8(page).unwrap()
    };
    assert!(alone((0..1_000).map(event).collect()).contains(" of 1000 are shown here."));
    let nothing = alone(Vec::new());
    assert!(nothing.contains("Nothing, as far as is known") && nothing.contains("one set is gone"));
    assert!(!page_alone(&set).contains("What else happened"));
    let failed =
        Report::of(&set).past(std::iter::once(Err(std::io::Error::other("gone"))), notes());
    let error = failed.write(Vec::new()).unwrap_err().to_string();
    assert!(error.contains("gone"), "{error}");
}

#[tokio::test]
async fn a_contact_that_went_is_told_by_what_people_recognize_it_by_and_the_rest_folds_out() {
    let world = world(Seed::Demo).await;
    let set = world.plan("location_id,contact_id,memo\n2001,3001,x\n", "set.crm").await;
    let record = *set.records(None, 1).unwrap().first().unwrap();
    let mut event = PastEvent::new(record, "delete", "set-1");
    let gone = |field: &'static str, value: &str| Difference::new(field, Some(value), None);
    event.members = vec![
        gone("type", "Phone"),
        gone("value", "8185550142"),
        gone("memo", "Gate"),
        gone("createdOn", "2025-01-01T00:00:00Z"),
        gone("preferences.invoiceNotification", "true"),
    ];
    let mut page = Vec::new();
    Report::of(&set).past([Ok(event)].into_iter(), std::iter::empty()).write(&mut page).unwrap();
    let page = String::from_utf8(page).unwrap();
    let (_, past) = page.split_once("What else happened to these contacts").unwrap();
    let (shown, folded) = past.split_once("<details>").unwrap();
    for text in ["contact deleted", "Phone", "8185550142", "Gate"] {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    let (folded, _) = folded.split_once("</details>").unwrap();
    assert!(folded.contains("2 more") && folded.contains("invoiceNotification"), "{folded}");
    assert!(!shown.contains("invoiceNotification"), "{shown}");
}

#[tokio::test]
async fn plans_and_their_undo_have_evidence_too() {
    let world = world(Seed::Count(500)).await;
    let mut rows = "location_id,contact_id,memo\n".to_owned();
    for ((kind, owner, id), _) in world.stored() {
        if kind == "location" {
            let _ = writeln!(rows, "{owner},{id},{}", "memo ".repeat(200));
        }
    }
    rows.push_str("1,999999,x\n");
    let input = Input::csv("rows", std::io::Cursor::new(rows));
    let plan = Plan::new(world.site.clone()).snapshot(world.snapshot().await);
    plan.from_snapshot(input, world.path("set.crm")).await.unwrap();
    let set = ChangeSet::open(world.path("set.crm")).unwrap();
    world.apply(Apply::new(ChangeSet::open(world.path("set.crm")).unwrap())).await.unwrap();
    let (page, lines) = report(&set);
    assert!(page.len() < 1_000_000 && page.contains(" of 500 are shown here."), "{}", page.len());
    assert_eq!(lines.len(), 501);
    assert!(lines[0]["after"].starts_with(r#"{"memo":"memo memo"#), "{:?}", lines[0]);

    set.undo(world.path("undo.crm")).await.unwrap();
    let undo = ChangeSet::open(world.path("undo.crm")).unwrap();
    let (page, lines) = report(&undo);
    assert!(page.len() < 1_000_000 && lines.len() == 500, "{}", lines.len());
    assert!(lines[0]["before"].starts_with(r#"{"memo":"memo memo"#) && lines[0]["row"].is_empty());
}
