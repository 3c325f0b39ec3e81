//! Opt-outs that reach every copy.
#![allow(clippy::unwrap_used, reason = "a test fails so")]

mod common;

use common::*;
use crm_bulk::{Apply, BulkError, Change, ChangeSet, Image, Input, OptOut, Snapshot, State};
use crm_sandbox::Seed;

impl World {
    async fn snapshot(&self) -> Snapshot {
        let mut snapshot = Snapshot::open_or_create(self.path("snapshot"), &self.site).unwrap();
        snapshot.update(&self.service, |_| {}).await.unwrap();
        snapshot
    }
}

fn list(text: &str) -> Input {
    Input::csv("list", std::io::Cursor::new(text.to_owned()))
}

fn marketing(image: Option<&Image>) -> Option<bool> {
    match image? {
        Image::Contact(contact) => contact
            .preferences
            .as_ref()
            .map(|p| p.marketing_updates_enabled),
        Image::Method(method) => method.preferences["MarketingUpdates"],
        _ => None,
    }
}

#[tokio::test]
async fn one_line_reaches_three_customers_four_locations_and_two_people() {
    let world = world(Seed::Demo).await;
    // As people typed it over the years.
    world.sandbox.set("phone-values", "verbatim").unwrap();
    let formats = [
        "(213) 555-0177",
        "213.555.0177",
        "+1 213 555 0177",
        "1-213-555-0177",
        "2135550177",
    ];
    let same = |contact: &crm_sandbox::StoredContact| contact.value == "2135550177";
    let rows: String = world
        .stored()
        .into_iter()
        .filter(|(_, contact)| same(contact))
        .zip(formats.iter().cycle())
        .map(|(((kind, owner, id), _), text)| match kind {
            "customer" => format!(",{owner},{id},{text}\n"),
            _ => format!("{owner},,{id},{text}\n"),
        })
        .collect();
    assert_eq!(rows.lines().count(), 7, "3 customers and 4 locations");
    for line in rows.lines() {
        let cells: Vec<_> = line.split(',').collect();
        let value = crm_models::UpdateContactRequest::new().value(cells[3]);
        let id = cells[2].parse().unwrap();
        match cells[0] {
            "" => {
                world
                    .service
                    .customer(cells[1].parse().unwrap())
                    .send(id, value)
                    .await
            }
            owner => {
                world
                    .service
                    .location(owner.parse().unwrap())
                    .send(id, value)
                    .await
            }
        }
        .unwrap();
    }

    let input = list("number,reason,date_received\n+1 (213) 555-0177,called us,2026-11-20\n");
    let summary = OptOut::new(world.snapshot().await)
        .plan(&world.service, input, world.path("set.crm"))
        .await
        .unwrap();
    assert_eq!(summary.rows, 1);
    assert_eq!(states(&world.path("set.crm")), [State::Planned; 9]);

    let set = ChangeSet::open(world.path("set.crm")).unwrap();
    assert!(set.info().unwrap().notes[0].contains("Text messages are not covered"));
    world.apply(Apply::new(set)).await.unwrap();
    let done = changes(&world.path("set.crm"));
    let kinds = |kind: &str| {
        done.iter()
            .filter(|change| change.target.kind() == kind)
            .count()
    };
    assert_eq!(
        (kinds("customer"), kinds("location"), kinds("person")),
        (3, 4, 2)
    );
    for change in &done {
        assert_eq!(change.outcome.state, State::Done, "{change:?}");
        assert_eq!(marketing(change.before.as_ref()), Some(true));
        assert_eq!(marketing(change.after.as_ref()), Some(false));
        assert!(change.outcome.at.is_some());
        assert_others_kept(change);
    }

    let undo = world.path("undo.crm");
    assert_eq!(
        ChangeSet::open(world.path("set.crm"))
            .unwrap()
            .undo(&undo)
            .unwrap()
            .planned,
        9
    );
    world
        .apply(Apply::new(ChangeSet::open(&undo).unwrap()))
        .await
        .unwrap();
    for change in changes(&undo) {
        assert_eq!(marketing(change.after.as_ref()), Some(true), "{change:?}");
    }
}

fn assert_others_kept(change: &Change) {
    match (
        change.before.as_ref().unwrap(),
        change.after.as_ref().unwrap(),
    ) {
        (Image::Contact(before), Image::Contact(after)) => {
            let mut expected = before.clone();
            expected.modified_on = after.modified_on;
            expected
                .preferences
                .as_mut()
                .unwrap()
                .marketing_updates_enabled = false;
            assert_eq!(**after, *expected);
        }
        (Image::Method(before), Image::Method(after)) => {
            let mut expected = before.clone();
            expected
                .preferences
                .insert("MarketingUpdates".to_owned(), Some(false));
            assert_eq!(*after, expected);
        }
        images => panic!("{images:?}"),
    }
}

#[tokio::test]
async fn an_entry_that_is_nowhere_is_said_and_a_wrong_one_stops_the_plan() {
    let world = world(Seed::Demo).await;
    let plan = |text: &'static str, out: &'static str| {
        let snapshot = Snapshot::open(world.path("snapshot")).unwrap();
        let (service, out) = (&world.service, world.path(out));
        let mend = world.path("mend.csv");
        async move {
            OptOut::new(snapshot)
                .mend_file(mend)
                .plan(service, list(text), out)
                .await
        }
    };
    drop(world.snapshot().await);
    let error = plan("nobody@nowhere.example\nnot a number\n", "one.crm")
        .await
        .unwrap_err();
    let BulkError::InvalidRows(invalid) = error else {
        panic!("{error}");
    };
    assert_eq!((invalid.rows, invalid.cells[0].line), (1, 2));
    assert!(!world.path("one.crm").exists());
    let mend = std::fs::read_to_string(world.path("mend.csv")).unwrap();
    assert_eq!(
        mend,
        "value,crm_line,crm_problem\nnot a number,2,value: holds no digit\n"
    );

    plan("nobody@nowhere.example\n", "two.crm").await.unwrap();
    assert_eq!(changes(&world.path("two.crm")), []);
}

#[tokio::test]
async fn every_flag_of_every_copy_goes_off_and_on_again() {
    let world = world(Seed::Demo).await;
    let plan = OptOut::new(world.snapshot().await).every_flag();
    plan.plan(&world.service, list("2135550177"), world.path("off.crm"))
        .await
        .unwrap();
    world
        .apply(Apply::new(ChangeSet::open(world.path("off.crm")).unwrap()))
        .await
        .unwrap();
    let flags = |change: &Change| match change.after.as_ref().unwrap() {
        Image::Contact(contact) => {
            let p = contact.preferences.unwrap();
            [
                p.job_reminders_enabled,
                p.marketing_updates_enabled,
                p.invoice_notification,
                p.statement_notification,
            ]
            .to_vec()
        }
        Image::Method(method) => method.preferences.values().map(|on| on.unwrap()).collect(),
        other => panic!("{other:?}"),
    };
    let off = changes(&world.path("off.crm"));
    assert_eq!(off.len(), 9);
    assert!(
        off.iter().all(|change| flags(change) == [false; 4]),
        "{off:?}"
    );

    let plan = OptOut::new(world.snapshot().await).every_flag().opt_in();
    plan.plan(&world.service, list("2135550177"), world.path("on.crm"))
        .await
        .unwrap();
    world
        .apply(Apply::new(ChangeSet::open(world.path("on.crm")).unwrap()))
        .await
        .unwrap();
    let on = changes(&world.path("on.crm"));
    assert!(
        on.len() == 9 && on.iter().all(|change| flags(change) == [true; 4]),
        "{on:?}"
    );
}
