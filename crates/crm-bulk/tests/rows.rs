//! Which records the rows of a file mean, and what is said of what is not read.
#![allow(clippy::unwrap_used, reason = "a test fails so")]

mod common;

use std::io::Cursor;

use common::*;
use crm_bulk::{BulkError, ChangeSet, Input, Plan, PlanSummary, State};
use crm_sandbox::Seed;

fn csv(text: &str) -> Input {
    Input::csv("rows", Cursor::new(text.to_owned()))
}

fn ndjson(text: &str) -> Input {
    Input::ndjson("rows", Cursor::new(text.to_owned()))
}

impl World {
    async fn try_plan(&self, input: Input, name: &str) -> Result<PlanSummary, BulkError> {
        let plan = Plan::new(self.site.clone());
        plan.from_api(&self.service, input, self.path(name)).await
    }

    fn notes(&self, name: &str) -> Vec<String> {
        let set = ChangeSet::open(self.path(name)).unwrap();
        set.info().unwrap().notes
    }
}

#[tokio::test]
async fn the_names_of_the_api_mean_what_ours_do() {
    let world = world(Seed::Demo).await;
    let header = "Location\u{200b}Id,ID,preferences.marketingUpdatesEnabled,Memo,modifiedOn,branch";
    let rows = format!("{header}\n2001,3001,false,Gate 4,2026-01-01,North\n");
    world.try_plan(csv(&rows), "api.crm").await.unwrap();
    let ours = "location_id,contact_id,marketing_updates,memo\n2001,3001,off,Gate 4\n";
    world.try_plan(csv(ours), "ours.crm").await.unwrap();
    let nested = r#"{"locationId": 2001, "id": 3001, "memo": "Gate 4", "branch": "North",
        "preferences": {"marketingUpdatesEnabled": false, "other": 1}, "active": true}"#;
    let nested = nested.replace('\n', " ");
    world.try_plan(ndjson(&nested), "nested.crm").await.unwrap();

    let actions = |name| changes(&world.path(name)).remove(0).action;
    assert_eq!(actions("api.crm"), actions("ours.crm"));
    assert_eq!(actions("nested.crm"), actions("ours.crm"));
    assert_eq!(
        world.notes("api.crm"),
        [
            "columns that are not read: branch",
            "columns that can only be read and are never applied: modifiedOn"
        ]
    );
    assert_eq!(
        world.notes("nested.crm"),
        [
            "columns that are not read: branch, preferences.other",
            "columns that can only be read and are never applied: active"
        ]
    );
    assert!(world.notes("ours.crm").is_empty());
}

#[tokio::test]
async fn a_row_whose_ids_are_not_known_never_means_more_than_one_contact() {
    let world = world(Seed::Demo).await;
    let row = "2001,3001,8185550142,x,delete";
    for (header, told) in [
        // Without any owner, as a list without its own column would be.
        ("branch,id,value,memo,action", "not whose they are"),
        ("branch,number,value,note,action", "no row says whose contact it means"),
        ("Locaton ID,id,value,memo,action", "`Locaton ID` is not known"),
        ("location_id,contacts_id,value,note,action", "`contacts_id` is not known"),
        ("location_id,contact,value,note,action", "name the contact"),
        ("location_id,id,contactId,note,action", "both mean contact_id"),
    ] {
        let rows = format!("{header}\n{row}\n");
        let error = world.try_plan(csv(&rows), "set.crm").await.unwrap_err();
        assert!(error.to_string().contains(told), "{header}: {error}");

        let members = header.split(',').zip(row.split(','));
        let members: Vec<_> =
            members.map(|(name, value)| format!("\"{name}\": \"{value}\"")).collect();
        let object = format!("{{{}}}", members.join(", "));
        world.try_plan(ndjson(&object), "set.crm").await.unwrap_err();
    }
    assert!(!world.path("set.crm").exists());
}

#[tokio::test]
async fn preferences_that_are_no_object_make_their_row_wrong() {
    let world = world(Seed::Demo).await;
    let row = r#"{"locationId": 2001, "id": 3001, "memo": "x", "preferences": "off"}"#;
    let error = world.try_plan(ndjson(row), "set.crm").await.unwrap_err();
    assert!(error.to_string().contains("`preferences`"), "{error}");
}

#[tokio::test]
async fn a_column_that_is_ignored_changes_nothing_and_one_that_is_not_there_is_told() {
    let world = world(Seed::Demo).await;
    let rows = "location_id,contact_id,memo,invoice\n2001,3001,x,1\n";
    let input = || csv(rows).ignore_columns(["Memo", "INVOICE"]);
    world.try_plan(input(), "set.crm").await.unwrap_err();

    let rows = "location_id,contact_id,memo,invoice,value\n2001,3001,x,1,8185550142\n";
    let input = csv(rows).ignore_columns(["Memo", "INVOICE"]);
    world.try_plan(input, "set.crm").await.unwrap();
    assert_eq!(states(&world.path("set.crm")), [State::Already]);
    assert_eq!(world.notes("set.crm"), ["columns that are not read: memo, invoice"]);

    let input = csv(rows).ignore_columns(["invoice", "memmo"]);
    let error = world.try_plan(input, "other.crm").await.unwrap_err();
    assert!(error.to_string().contains("names `memmo`"), "{error}");
}

/// The rows in which the way a file is written makes a difference.
const ROWS: &str = "location_id,contact_id,memo\n2001,3001,Zoë\n2001,3002,\"a, b\"\n0,3003,x\n";

#[tokio::test]
async fn a_file_says_how_it_is_to_be_read_and_its_lines_are_right_in_each_way() {
    let world = world(Seed::Demo).await;
    let semicolons = ROWS.replace(',', ";").replace("a; b", "a, b");
    let utf_16: Vec<_> =
        format!("\u{feff}{semicolons}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let latin: Vec<_> = ROWS.chars().map(|c| c as u8).collect();
    let plain = |text: String| (text.into_bytes(), None);
    for (name, (bytes, encoding), line) in [
        ("lf", plain(ROWS.to_owned()), 4),
        ("crlf", plain(ROWS.replace('\n', "\r\n")), 4),
        ("cr", plain(ROWS.replace('\n', "\r")), 4),
        ("semicolons", plain(semicolons.clone()), 4),
        ("marked", plain(format!("\u{feff}{semicolons}")), 4),
        ("tabs", plain(semicolons.replace(';', "\t")), 4),
        ("sep", plain(format!("sep=;\r\n{semicolons}")), 5),
        ("marked sep", plain(format!("\u{feff}sep=;\n{semicolons}")), 5),
        ("utf-16", (utf_16, None), 4),
        ("latin", (latin, Some("windows-1252")), 4),
    ] {
        let input = || {
            let input = Input::csv("rows", Cursor::new(bytes.clone()));
            match encoding {
                Some(encoding) => input.encoding(encoding).unwrap(),
                None => input,
            }
        };
        let (set, mend) = (world.path(&format!("{name}.crm")), world.path(name));
        let plan = Plan::new(world.site.clone()).skip_invalid().mend_file(&mend);
        let planned = plan.from_api(&world.service, input(), &set);
        let summary = planned.await.unwrap();
        assert_eq!((summary.rows, summary.invalid_rows()), (3, 1), "{name}");
        let told = summary.invalid.unwrap().cells[0].line;
        assert_eq!(told, line, "{name}");
        let memos: Vec<_> = changes(&set)
            .into_iter()
            .map(|change| match change.action {
                crm_bulk::Action::Update(wanted) => wanted.change.get_memo().unwrap().to_owned(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(memos, ["Zoë", "a, b"], "{name}");

        // What is given back is read in the same way, whatever is said of it.
        let mut results = Vec::new();
        let set = ChangeSet::open(&set).unwrap();
        set.results(crm_bulk::ResultRows::All, &mut results).unwrap();
        let again = Input::csv("again", Cursor::new(results));
        let again = match encoding {
            Some(encoding) => again.encoding(encoding).unwrap(),
            None => again,
        };
        let again_set = world.path(&format!("{name} again.crm"));
        let plan = Plan::new(world.site.clone()).skip_invalid();
        plan.from_api(&world.service, again, &again_set).await.unwrap();
        assert_eq!(changes(&again_set).len(), 2, "{name}");
        assert_eq!(changes(&again_set)[0].action, changes(set.path())[0].action, "{name}");
    }
    let notes = world.notes("semicolons.crm");
    assert_eq!(notes, ["cells are separated by `;`, as the header shows"]);
    assert!(world.notes("sep.crm").is_empty() && world.notes("lf.crm").is_empty());
}

#[tokio::test]
async fn lines_of_ndjson_may_end_in_any_way() {
    let world = world(Seed::Demo).await;
    let rows = [
        r#"{"location_id": 2001, "contact_id": 3001, "memo": "x"}"#,
        "",
        r#"{"location_id": 0, "contact_id": 3002, "memo": "y"}"#,
    ];
    for end in ["\n", "\r\n", "\r"] {
        let error = world.try_plan(ndjson(&rows.join(end)), "set.crm").await;
        let error = error.unwrap_err().to_string();
        assert!(error.contains("1 row is wrong") && error.contains("line 3"), "{end:?}: {error}");
    }
}

#[tokio::test]
async fn a_file_in_another_encoding_is_refused_with_the_cure() {
    let world = world(Seed::Demo).await;
    for (bytes, cure) in [
        (&b"location_id,contact_id,memo\n2001,3001,Zo\xeb\n"[..], "--encoding"),
        (b"l\0o\0c\0,\0i\0d\0\n\0", "utf-16le"),
    ] {
        let input = Input::csv("rows", Cursor::new(bytes));
        let error = world.try_plan(input, "set.crm").await.unwrap_err().to_string();
        assert!(error.contains(cure), "{error}");
    }
    let error = csv(ROWS).encoding("windows-12").unwrap_err().to_string();
    assert!(error.contains("`windows-12` is not an encoding"), "{error}");
}

#[tokio::test]
async fn a_row_is_found_again_by_the_text_of_a_cell() {
    let world = world(Seed::Demo).await;
    let rows = "location_id,contact_id,memo,branch\n\
                2001,3001,\"the \"\"gate\"\", left\",North\n\
                2001,3002,North,\"the \"\"gate\"\"\"\n";
    world.try_plan(csv(rows), "csv.crm").await.unwrap();
    let object = r#"{"location_id": 2001, "contact_id": 3001, "memo": "Gate", "branch": "North"}"#;
    world.try_plan(ndjson(object), "ndjson.crm").await.unwrap();
    let set = ChangeSet::open(world.path("csv.crm")).unwrap();
    assert_eq!(set.rows_with("branch", "North").unwrap(), [1]);
    assert_eq!(set.rows_with("branch", r#"the "gate""#).unwrap(), [2]);
    assert_eq!(set.cell(1, "memo").unwrap().as_deref(), Some(r#"the "gate", left"#));
    assert!(set.rows_with("unit", "North").unwrap().is_empty());
    let set = ChangeSet::open(world.path("ndjson.crm")).unwrap();
    assert_eq!(set.rows_with("branch", "North").unwrap(), [1]);
}
