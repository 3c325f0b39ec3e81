//! Changes as rows that are corrected and planned again.
#![allow(clippy::unwrap_used, reason = "a failure here fails the test")]

mod common;

use common::*;
use crm_bulk::{
    Apply, ChangeSet, CleanUp, Input, OptOut, Plan, Remark, ResultRows, Selection, State,
};
use crm_sandbox::{NewContact, Seed};
use crm_values::PhoneReader;

async fn clean_up(world: &World) -> ChangeSet {
    let clean_up = CleanUp::new().replace_domain("harborbakery.example", "harbor.example").unwrap();
    let plan = Plan::new(world.site.clone()).clean_up(clean_up).snapshot(world.snapshot().await);
    plan.clean_ups(world.path("set.crm")).await.unwrap();
    ChangeSet::open(world.path("set.crm")).unwrap()
}

fn rows(set: &ChangeSet, which: ResultRows) -> String {
    let mut rows = Vec::new();
    set.results(which, &mut rows).unwrap();
    String::from_utf8(rows).unwrap()
}

#[tokio::test]
async fn the_rows_of_a_clean_up_are_mended_and_fed_in_again() {
    let world = world(Seed::Demo).await;
    let set = clean_up(&world).await;
    let planned = set.totals().unwrap().in_state(State::Planned);
    assert!(planned > 2, "{planned}");
    let one = Selection::all().numbers([1]);
    set.drop_changes(&one, Remark::new()).await.unwrap();
    assert_eq!(rows(&set, ResultRows::All).lines().count() as u64, 1 + planned);
    let failed = rows(&set, ResultRows::Failed);
    assert_eq!(failed.lines().count() as u64, planned, "what was dropped is not to be mended");

    let mended = failed.replace("@harbor.example", "@mended.example");
    let again = world.plan(&mended, "again.crm").await;
    assert_eq!(again.totals().unwrap().in_state(State::Planned), planned - 1);
    world.apply(Apply::new(again)).await.unwrap();
    let addresses = world.stored().into_values().map(|contact| contact.value);
    let mended = addresses.filter(|value| value.ends_with("@mended.example")).count();
    assert_eq!(mended as u64, planned - 1);
}

#[tokio::test]
async fn a_number_that_is_only_written_otherwise_is_rewritten_by_its_row() {
    let world = world(Seed::Demo).await;
    let spelled = NewContact::of_location(2001, "Phone", "(818) 200-1111").id(3901);
    world.sandbox.add_contact(spelled).unwrap();
    let clean_up = CleanUp::new().normalize_phones(PhoneReader::default());
    let plan = Plan::new(world.site.clone()).clean_up(clean_up).snapshot(world.snapshot().await);
    plan.clean_ups(world.path("set.crm")).await.unwrap();
    let rows = rows(&ChangeSet::open(world.path("set.crm")).unwrap(), ResultRows::All);
    assert!(rows.contains(",2001,3901,rewrite,,8182001111,"), "{rows}");
    let again = world.plan(&rows, "again.crm").await;
    assert_eq!(again.totals().unwrap().in_state(State::Planned), 1);
    let updated = world.plan(&rows.replace("rewrite", "update"), "updated.crm").await;
    assert_eq!(updated.totals().unwrap().in_state(State::Already), 1);
}

#[tokio::test]
async fn an_undo_has_rows_of_every_action_and_a_plan_reads_them() {
    let world = world(Seed::Demo).await;
    let set = world
        .plan(
            "location_id,contact_id,action,type,value,memo\n2001,3001,,,,new\n2001,3003,delete,,,\n\
             2002,,create,Email,new@site.example,\n",
            "set.crm",
        )
        .await;
    world.apply(Apply::new(set)).await.unwrap();
    let set = ChangeSet::open(world.path("set.crm")).unwrap();
    set.undo(world.path("undo.crm")).await.unwrap();
    let undo = ChangeSet::open(world.path("undo.crm")).unwrap();
    let all = rows(&undo, ResultRows::All);
    assert_eq!(all.lines().count(), 4, "{all}");
    for part in [",2001,3001,update,", ",2001,,create,Fax,8185550143,Orders only,", ",delete,"] {
        assert!(all.contains(part), "{part}: {all}");
    }
    let again = world.plan(&all, "again.crm").await;
    assert_eq!(again.totals().unwrap().in_state(State::Planned), 3, "{all}");
}

#[tokio::test]
async fn the_contacts_of_an_opt_out_have_a_row_each() {
    let world = world(Seed::Demo).await;
    let list = Input::csv("list", std::io::Cursor::new("phone\n213-555-0177\n"));
    let plan = OptOut::new(world.site.clone(), world.snapshot().await);
    plan.plan(&world.service, list, world.path("set.crm")).await.unwrap();
    let set = ChangeSet::open(world.path("set.crm")).unwrap();
    let mut by_contact = Vec::new();
    let written = set.results_by_contact(ResultRows::All, &mut by_contact).unwrap();
    let totals = set.totals().unwrap();
    let of_people = totals.iter().filter(|(_, action, _)| *action != "update");
    let of_people: u64 = of_people.map(|(_, _, changes)| changes).sum();
    assert_eq!((written, of_people), (7, 2));
    let mut csv = csv::Reader::from_reader(&*by_contact);
    let rows: Vec<std::collections::BTreeMap<String, String>> =
        csv.deserialize().map(Result::unwrap).collect();
    for row in &rows {
        assert_eq!((&*row["marketing_updates"], &*row["crm_outcome"]), ("off", "planned"));
        assert_eq!(row["crm_owner_id"], format!("{}{}", row["customer_id"], row["location_id"]));
    }
    let again = world.plan(&String::from_utf8(by_contact).unwrap(), "again.crm").await;
    assert_eq!(again.totals().unwrap().in_state(State::Planned), 7);
}
