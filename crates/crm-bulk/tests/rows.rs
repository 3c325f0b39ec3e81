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
        (
            "branch,number,value,note,action",
            "no row says whose contact it means",
        ),
        (
            "Locaton ID,id,value,memo,action",
            "`Locaton ID` is not known",
        ),
        (
            "location_id,contacts_id,value,note,action",
            "`contacts_id` is not known",
        ),
        ("location_id,contact,value,note,action", "name the contact"),
        (
            "location_id,id,contactId,note,action",
            "both mean contact_id",
        ),
    ] {
        let rows = format!("{header}\n{row}\n");
        let error = world.try_plan(csv(&rows), "set.crm").await.unwrap_err();
        assert!(error.to_string().contains(told), "{header}: {error}");

        let members = header.split(',').zip(row.split(','));
        let members: Vec<_> = members
            .map(|(name, value)| format!("\"{name}\": \"{value}\""))
            .collect();
        let object = format!("{{{}}}", members.join(", "));
        world
            .try_plan(ndjson(&object), "set.crm")
            .await
            .unwrap_err();
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
    assert_eq!(
        world.notes("set.crm"),
        ["columns that are not read: memo, invoice"]
    );

    let input = csv(rows).ignore_columns(["invoice", "memmo"]);
    let error = world.try_plan(input, "other.crm").await.unwrap_err();
    assert!(error.to_string().contains("names `memmo`"), "{error}");
}
