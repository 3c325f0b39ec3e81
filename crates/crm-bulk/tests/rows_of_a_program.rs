//! Rows that a program makes, and what a plan does to the executor of whoever waits for it.
#![allow(clippy::unwrap_used, reason = "a test fails so")]

mod common;

use std::{
    io::{self, Read},
    pin::pin,
    sync::mpsc,
    task::{Context, Waker},
};

use common::*;
use crm_bulk::{BulkError, ChangeSet, Input, OptOut, Plan, ResultRows, Row};
use crm_models::{ContactChange, ContactId, CustomerId, LocationId, PreferenceChange};
use crm_sandbox::Seed;
use futures_util::{FutureExt, StreamExt, stream};

fn location(id: i64) -> LocationId {
    LocationId::new(id).unwrap()
}

fn contact(id: i64) -> ContactId {
    ContactId::new(id).unwrap()
}

fn of(rows: Vec<Row>) -> Input {
    Input::from_stream("rows", stream::iter(rows))
}

impl World {
    fn plan_for(&self) -> Plan {
        Plan::new(self.site.clone())
    }

    /// The files that there are, by their names.
    fn files(&self) -> Vec<String> {
        let files = std::fs::read_dir(self.folder.path()).unwrap();
        files.map(|file| file.unwrap().file_name().to_string_lossy().into_owned()).collect()
    }
}

#[tokio::test]
async fn a_row_of_a_program_means_what_it_means_as_ndjson_in_which_it_is_given_back() {
    let world = world(Seed::Demo).await;
    let value = world.location_contact(2001, 3001).value;
    let flags = PreferenceChange::new().marketing_updates(false).job_reminders(true);
    let new = ContactChange::new().contact_type("Email".into()).value("new@site.example");
    let rows = vec![
        Row::update(location(2001), contact(3001), ContactChange::new().memo("Gate 4"))
            .carry("ticket", "CRM-118"),
        Row::update(location(2001), contact(3002), ContactChange::new().preferences(flags)),
        Row::create(location(2002), new),
        Row::delete(CustomerId::new(1001).unwrap(), contact(4001)),
        Row::update_every(value.clone(), None, ContactChange::new().clear_memo()),
        Row::delete_every("nobody@site.example", Some(location(2001).into())),
    ];
    let text = format!(
        r#"{{"location_id":2001,"contact_id":3001,"memo":"Gate 4","ticket":"CRM-118"}}
{{"location_id":2001,"contact_id":3002,"job_reminders":true,"marketing_updates":false}}
{{"location_id":2002,"action":"create","type":"Email","value":"new@site.example"}}
{{"customer_id":1001,"contact_id":4001,"action":"delete"}}
{{"select":"value","value":"{value}","memo":"(clear)"}}
{{"select":"value","value":"nobody@site.example","location_id":2001,"action":"delete"}}
"#
    );
    let by_snapshot = world.plan_for().snapshot(world.snapshot().await);
    by_snapshot.from_snapshot(of(rows.clone()), world.path("snapshot.crm")).await.unwrap();
    let plan = world.plan_for().snapshot(world.snapshot().await);
    plan.from_api(&world.service, of(rows), world.path("typed.crm")).await.unwrap();
    let plan = world.plan_for().snapshot(world.snapshot().await);
    let ndjson = Input::ndjson("rows", io::Cursor::new(text.clone()));
    plan.from_api(&world.service, ndjson, world.path("text.crm")).await.unwrap();

    let digest = |name| ChangeSet::open(world.path(name)).unwrap().digest().unwrap();
    assert_eq!(digest("typed.crm"), digest("text.crm"));
    let rows = |name| -> Vec<_> {
        changes(&world.path(name)).into_iter().map(|change| (change.row, change.action)).collect()
    };
    assert_eq!(rows("typed.crm"), rows("text.crm"));
    assert_eq!(rows("snapshot.crm"), rows("text.crm"));

    let mut given_back = Vec::new();
    let set = ChangeSet::open(world.path("typed.crm")).unwrap();
    assert_eq!(set.results(ResultRows::All, &mut given_back).unwrap(), 6);
    let given_back = String::from_utf8(given_back).unwrap();
    for (line, back) in text.lines().zip(given_back.lines()) {
        assert!(back.starts_with(&line[..line.len() - 1]), "{line}: {back}");
        assert!(back.contains("crm_outcome"));
    }
}

#[tokio::test]
async fn rows_that_are_wrong_are_told_by_their_number_and_a_failure_ends_the_plan() {
    let world = world(Seed::Demo).await;
    let memo = |text: &str| ContactChange::new().memo(text);
    let wrong = vec![
        Row::update(location(2001), contact(3001), memo("Gate 4")),
        Row::update(location(2001), contact(3001), memo("(clear)")),
        Row::update(location(2001), contact(3001), memo("x")).carry("Memo", "y"),
        Row::create(location(2001), ContactChange::new().value("new@site.example")),
    ];
    let planned = world.plan_for().from_api(&world.service, of(wrong), world.path("set.crm"));
    let BulkError::InvalidRows(invalid) = planned.await.unwrap_err() else {
        panic!("other");
    };
    let lines: Vec<_> = invalid.cells.iter().map(|cell| cell.line).collect();
    assert_eq!(lines, [2, 3, 4], "{invalid:?}");
    assert!(invalid.cells[0].to_string().starts_with("row 2: "), "{invalid}");
    let told = BulkError::from(invalid).to_string();
    assert!(told.contains("the first: row 2: ") && !told.contains("line"), "{told}");
    let every = Row::delete_every("nobody@site.example", None);
    let planned = world.plan_for().from_api(&world.service, of(vec![every]), world.path("set.crm"));
    let told = planned.await.unwrap_err().to_string();
    assert!(told.contains("row 1 "), "{told}");

    let failing = stream::iter([
        Ok(Row::delete(location(2001), contact(3001))),
        Err(io::Error::other("the database is gone")),
    ]);
    let failing = Input::try_from_stream("rows", failing);
    let planned = world.plan_for().from_api(&world.service, failing, world.path("set.crm"));
    let error = planned.await.unwrap_err().to_string();
    assert_eq!(error, "rows: after 1 row: the database is gone");

    let opt_out = OptOut::new(world.site.clone(), world.snapshot().await);
    let planned = opt_out.plan(&world.service, of(Vec::new()), world.path("set.crm"));
    let error = planned.await.unwrap_err().to_string();
    assert!(error.contains("no list of numbers"), "{error}");
    crm_bulk::idle().await;
    assert!(world.files().iter().all(|name| name.starts_with("snapshot")), "{:?}", world.files());
}

#[tokio::test]
async fn a_plan_that_is_dropped_leaves_nothing_and_is_not_waited_for() {
    let world = world(Seed::Demo).await;
    let one = Row::delete(location(2001), contact(3001));
    let rows = stream::iter([one]).chain(stream::pending());
    let input = Input::from_stream("rows", rows);
    {
        let plan = world.plan_for().from_api(&world.service, input, world.path("set.crm"));
        let mut plan = pin!(plan);
        while world.files().is_empty() {
            let mut context = Context::from_waker(Waker::noop());
            assert!(plan.as_mut().poll(&mut context).is_pending());
            tokio::task::yield_now().await;
        }
    }
    crm_bulk::idle().await;
    assert_eq!(world.files(), [""; 0]);
}

/// Waits for bytes that a task sends: on the task's own thread that would be forever.
struct Bridge(mpsc::Receiver<u8>);

impl Read for Bridge {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match (buffer.first_mut(), self.0.recv()) {
            (Some(place), Ok(byte)) => {
                *place = byte;
                Ok(1)
            }
            _ => Ok(0),
        }
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_reader_may_wait_for_a_task_of_the_thread_that_plans() {
    let world = world(Seed::Demo).await;
    let (sender, text) = mpsc::channel();
    let task = tokio::spawn(async move {
        for line in ["location_id,contact_id,memo\n", "2001,3001,Gate 4\n", "2001,3002,Gate 5\n"] {
            tokio::task::yield_now().await;
            line.bytes().for_each(|byte| sender.send(byte).unwrap());
        }
    });
    let input = Input::csv("rows", Bridge(text));
    let plan = world.plan_for().from_api(&world.service, input, world.path("set.crm"));
    assert_eq!(plan.await.unwrap().rows, 2);
    task.await.unwrap();
}

#[tokio::test]
async fn a_plan_whose_text_does_not_come_leaves_nothing_when_it_is_dropped() {
    let world = world(Seed::Demo).await;
    let snapshot = world.snapshot().await;
    let before = world.files().len();
    for opts_out in [false, true] {
        let (sender, text) = mpsc::channel();
        "phone,location_id,contact_id,memo\n".bytes().for_each(|byte| sender.send(byte).unwrap());
        let (input, out) = (Input::csv("rows", Bridge(text)), world.path("set.crm"));
        {
            let mut plan = if opts_out {
                let snapshot = crm_bulk::Snapshot::open(snapshot.path()).unwrap();
                let opt_out = OptOut::new(world.site.clone(), snapshot);
                opt_out.plan(&world.service, input, out).boxed_local()
            } else {
                world.plan_for().from_api(&world.service, input, out).boxed_local()
            };
            while world.files().len() == before {
                let mut context = Context::from_waker(Waker::noop());
                assert!(plan.as_mut().poll(&mut context).is_pending());
                tokio::task::yield_now().await;
            }
        }
        // The text may still come.
        crm_bulk::idle().await;
        assert_eq!(world.files().len(), before, "{:?}", world.files());
        drop(sender);
    }
}
