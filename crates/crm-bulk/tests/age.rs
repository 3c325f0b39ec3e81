//! What decides a write is young when the write leaves, whatever holds it up: closed gates, a
//! process that slept, slow networks. And an outage is not multiplied.
//!
//! The service is a few contacts in memory, and time is virtual.
#![allow(clippy::unwrap_used, reason = "a test fails so")]

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use async_trait::async_trait;
use crm_bulk::{
    Apply, ChangeSet, Event, Finished, Input, Plan, Selection, Site, State, StopReason,
};
use crm_contacts::ContactsService;
use crm_transport::{
    Call, Delivery, Moment, RateLimit, Request, Response, RetryPolicy, SentAt, Transport,
    TransportError, TransportErrorKind, TransportExt, pretend_suspended,
};
use futures_util::TryStreamExt;
use serde_json::{Value, json};
use tokio::time::Instant;

/// What the service does with a write before it looks at it: its number, counted from 1, and the
/// contacts. An answer ends it.
type Script = dyn Fn(usize, &Request, &mut Contacts) -> Option<Response> + Send + Sync;

/// The contacts by their id; four of each location.
type Contacts = BTreeMap<i64, Value>;

/// A service in memory.
struct Desk {
    contacts: Mutex<Contacts>,
    script: Mutex<Box<Script>>,
    takes: Duration,
    reads: AtomicUsize,
    /// How old the youngest reading was when each write left.
    ages: Mutex<Vec<Duration>>,
    /// When each owner was read last.
    read_at: Mutex<BTreeMap<i64, Moment>>,
}

fn status(status: u16) -> Response {
    let mut response = Response::new("".into());
    *response.status_mut() = status.try_into().unwrap();
    response
}

/// Too many calls: come back after so many seconds.
fn too_many(seconds: u64) -> Response {
    let mut response = status(429);
    let headers = response.headers_mut();
    headers.insert("retry-after", seconds.to_string().parse().unwrap());
    response
}

fn location_of(contact: i64) -> i64 {
    (contact + 3) / 4
}

impl Desk {
    /// So many contacts; each call takes so long.
    fn of(contacts: i64, takes: Duration) -> Arc<Self> {
        let contact = |id: i64| {
            let contact = json!({
                "id": id, "locationId": location_of(id), "type": "Email",
                "value": format!("{id}@site.example"), "memo": "old",
                "modifiedOn": "2026-01-01T00:00:00Z",
            });
            (id, contact)
        };
        Arc::new(Self {
            contacts: Mutex::new((1..=contacts).map(contact).collect()),
            script: Mutex::new(Box::new(|_, _, _| None)),
            takes,
            reads: AtomicUsize::new(0),
            ages: Mutex::default(),
            read_at: Mutex::default(),
        })
    }

    fn script(
        &self,
        script: impl Fn(usize, &Request, &mut Contacts) -> Option<Response> + Send + Sync + 'static,
    ) {
        *self.script.lock().unwrap() = Box::new(script);
        self.ages.lock().unwrap().clear();
        self.reads.store(0, SeqCst);
    }

    fn writes(&self) -> usize {
        self.ages.lock().unwrap().len()
    }

    fn oldest(&self) -> Duration {
        self.ages.lock().unwrap().iter().copied().max().unwrap_or_default()
    }

    fn memos(&self, memo: &str) -> usize {
        let contacts = self.contacts.lock().unwrap();
        contacts.values().filter(|contact| contact["memo"] == memo).count()
    }

    fn answer(&self, request: &Request) -> Response {
        let path: Vec<_> = request.uri().path().split('/').collect();
        if request.method() == "GET" {
            self.reads.fetch_add(1, SeqCst);
            let query = request.uri().query().unwrap_or_default();
            let ids = query.split('&').find_map(|pair| pair.strip_prefix("locationIds="));
            let ids: Vec<i64> = match ids {
                Some(ids) => ids
                    .split("%2C")
                    .flat_map(|id| id.split(','))
                    .map(|id| id.parse().unwrap())
                    .collect(),
                None => vec![path[6].parse().unwrap()],
            };
            let mut read_at = self.read_at.lock().unwrap();
            read_at.extend(ids.iter().map(|id| (*id, Moment::now())));
            let contacts = self.contacts.lock().unwrap();
            let found: Vec<_> = contacts
                .values()
                .filter(|contact| ids.contains(&contact["locationId"].as_i64().unwrap()))
                .collect();
            let page = json!({"page": 1, "pageSize": 5000, "hasMore": false, "data": found});
            return Response::new(page.to_string().into());
        }
        let location: i64 = path[6].parse().unwrap();
        let age = self.read_at.lock().unwrap()[&location].age();
        let number = {
            let mut ages = self.ages.lock().unwrap();
            ages.push(age);
            ages.len()
        };
        let mut contacts = self.contacts.lock().unwrap();
        if let Some(answer) = self.script.lock().unwrap()(number, request, &mut contacts) {
            return answer;
        }
        carry_out(request, &mut contacts)
    }
}

/// Does what a write asks, and answers as the service does.
fn carry_out(request: &Request, contacts: &mut Contacts) -> Response {
    let path: Vec<_> = request.uri().path().split('/').collect();
    if request.method() == "DELETE" {
        contacts.remove(&path[8].parse().unwrap());
        return status(204);
    }
    let body: Value = serde_json::from_slice(request.body()).unwrap();
    let id = match path.get(8) {
        Some(id) => id.parse().unwrap(),
        None => contacts.keys().last().unwrap() + 1,
    };
    let location: i64 = path[6].parse().unwrap();
    let contact = contacts.entry(id).or_insert_with(|| {
        json!({"id": id, "locationId": location, "memo": null, "modifiedOn": "2026-01-01T00:00:00Z"})
    });
    for (name, value) in body.as_object().unwrap() {
        contact[name] = value.clone();
    }
    Response::new(contact.to_string().into())
}

/// The wire to a desk.
struct Wire(Arc<Desk>);

#[async_trait]
impl Transport for Wire {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        Call::of(&request).may_begin()?;
        let left = Moment::now();
        let mut response = self.0.answer(&request);
        tokio::time::sleep(self.0.takes).await;
        response.extensions_mut().insert(SentAt(left));
        Ok(response)
    }
}

struct World {
    desk: Arc<Desk>,
    service: ContactsService,
    site: Site,
    folder: tempfile::TempDir,
}

/// A wire on which writes are kept from a service that has not answered those before.
struct Spent(Wire);

#[async_trait]
impl Transport for Spent {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        if request.method() == "GET" {
            return self.0.send(request).await;
        }
        Err(TransportError::new(TransportErrorKind::BudgetSpent, Delivery::NotExecuted))
    }
}

/// A desk behind the layers of the standard transport.
fn world(desk: Arc<Desk>) -> World {
    world_over(Wire(Arc::clone(&desk)), desk)
}

fn world_over(wire: impl Transport + 'static, desk: Arc<Desk>) -> World {
    let transport =
        wire.with_rate_limit(RateLimit::per_second(60)).with_retry(RetryPolicy::default());
    let transport: Arc<dyn Transport> = Arc::new(transport);
    let service = ContactsService::new(transport, 1_001.try_into().unwrap());
    World {
        site: Site::new(service.tenant(), "https://api.example"),
        service,
        desk,
        folder: tempfile::tempdir().unwrap(),
    }
}

/// A new memo for each of so many contacts.
fn memos(contacts: i64) -> String {
    let row = |id| format!("{},{id},new\n", location_of(id));
    let rows: String = (1..=contacts).map(row).collect();
    format!("location_id,contact_id,memo\n{rows}")
}

impl World {
    fn path(&self) -> PathBuf {
        self.folder.path().join("set.crm")
    }

    async fn plan(&self, rows: String) -> ChangeSet {
        let input = Input::csv("test", std::io::Cursor::new(rows));
        let plan = Plan::new(self.site.clone());
        plan.from_api(&self.service, input, self.path()).await.unwrap();
        self.open()
    }

    fn open(&self) -> ChangeSet {
        ChangeSet::open(self.path()).unwrap()
    }

    async fn apply(&self, apply: Apply) -> Finished {
        let events: Vec<_> =
            apply.run(&self.service, &self.site).unwrap().try_collect().await.unwrap();
        match events.into_iter().last() {
            Some(Event::Finished(finished)) => finished,
            last => panic!("{last:?}"),
        }
    }

    fn in_state(&self, state: State) -> usize {
        let set = self.open();
        let states = set.changes(&Selection::all()).map(|change| change.unwrap().outcome.state);
        states.filter(|found| *found == state).count()
    }
}

/// Somebody writes a memo into each contact that is as it was.
fn edit_the_rest(contacts: &mut Contacts) {
    for contact in contacts.values_mut().filter(|contact| contact["memo"] == "old") {
        contact["memo"] = "by hand".into();
    }
}

/// Does this while virtual time passes evenly. Else it would leap to the next timer whenever the
/// file is written.
async fn evenly<R>(work: impl Future<Output = R>) -> R {
    let ticks = async {
        loop {
            std::thread::sleep(MS / 50);
            tokio::time::advance(MS).await;
        }
    };
    tokio::select! {
        biased;
        result = work => result,
        () = ticks => unreachable!(),
    }
}

const MS: Duration = Duration::from_millis(1);
const FRESH: Duration = Duration::from_secs(2);

#[tokio::test(start_paused = true)]
async fn behind_a_closed_gate_nothing_waits_that_was_decided_before_it_closed() {
    let world = world(Desk::of(400, 50 * MS));
    let set = world.plan(memos(400)).await;
    let desk = Arc::clone(&world.desk);
    world.desk.script(move |write, _, _| {
        (write == 100).then(|| {
            let desk = Arc::clone(&desk);
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_secs(5)).await;
                edit_the_rest(&mut desk.contacts.lock().unwrap());
            });
            too_many(30)
        })
    });
    let finished = world.apply(Apply::new(set)).await;
    assert_eq!(finished.reason, StopReason::Complete);
    let (done, edited) = (world.desk.memos("new"), world.desk.memos("by hand"));
    // A few left before the answer closed the gate.
    assert!((99..=110).contains(&done) && done + edited == 400, "{done} {edited}");
    assert_eq!(world.in_state(State::Done), done);
    assert_eq!(world.in_state(State::Drifted), edited);
}

#[tokio::test(start_paused = true)]
async fn a_process_that_slept_decides_again() {
    for at in [1, 40, 90] {
        let world = world(Desk::of(100, 50 * MS));
        let set = world.plan(memos(100)).await;
        world.desk.script(move |write, _, contacts| {
            if write == at {
                edit_the_rest(contacts);
                pretend_suspended(Duration::from_secs(10));
            }
            None
        });
        let finished = world.apply(Apply::new(set)).await;
        assert_eq!(finished.reason, StopReason::Complete);
        // The write that was on its way when the machine fell asleep arrives at an edited contact.
        let (done, edited) = (world.desk.memos("new"), world.desk.memos("by hand"));
        assert_eq!((done, edited), (at, 100 - at), "{finished:?}");
        assert_eq!(world.in_state(State::Drifted), edited);
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_leaves_within_two_seconds_of_its_reading_on_fast_and_slow_networks() {
    // Of two hundred changes. How many it takes depends a little on when the thread of the file comes
    // to its turn, which no paused clock rules: on an idle machine 7, 9 and 15.
    for (takes, most_reads) in [(MS, 10), (600 * MS, 12), (1_200 * MS, 18)] {
        let world = world(Desk::of(800, takes));
        let rows = memos(800);
        // One contact of each location.
        let rows: Vec<_> = rows.lines().step_by(4).collect();
        let set =
            world.plan(format!("location_id,contact_id,memo\n{}\n", rows[1..].join("\n"))).await;
        let changes = rows.len() - 1;
        world.desk.script(|_, _, _| None);
        let finished = evenly(world.apply(Apply::new(set))).await;
        assert_eq!(finished.reason, StopReason::Complete);
        assert_eq!(world.in_state(State::Done), changes);
        let (oldest, reads) = (world.desk.oldest(), world.desk.reads.load(SeqCst));
        assert!(oldest <= FRESH, "{takes:?}: {oldest:?}");
        assert!(reads <= most_reads, "{takes:?}: {reads}");
        assert_eq!(world.desk.writes(), changes);
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_that_does_not_answer_writes_is_left_alone_after_a_few() {
    for changes in [100, 600] {
        let world = world(Desk::of(changes, 20 * MS));
        let set = world.plan(memos(changes)).await;
        world.desk.script(|_, _, _| Some(status(503)));
        let began = Instant::now();
        let finished = world.apply(Apply::new(set)).await;
        assert_eq!(finished.reason, StopReason::Outage);
        let (writes, reads) = (world.desk.writes(), world.desk.reads.load(SeqCst));
        assert!((20..=60).contains(&writes), "{writes}");
        assert!(reads <= 5, "{reads}");
        assert!(began.elapsed() < Duration::from_secs(20));
        assert_eq!(world.in_state(State::Unknown), writes);

        // Each run that is tried meanwhile costs a few calls too.
        let finished = world.apply(Apply::new(world.open())).await;
        assert_eq!(finished.reason, StopReason::Outage);
        assert!(world.desk.writes() <= 150, "{}", world.desk.writes());

        world.desk.script(|_, _, _| None);
        while world.apply(Apply::new(world.open())).await.reason != StopReason::Complete {}
        assert_eq!(world.in_state(State::Done), usize::try_from(changes).unwrap());
    }
}

#[tokio::test(start_paused = true)]
async fn writes_that_are_kept_from_a_service_that_answers_none_are_told_as_its_outage() {
    let desk = Desk::of(100, 20 * MS);
    let world = world_over(Spent(Wire(Arc::clone(&desk))), desk);
    let set = world.plan(memos(100)).await;
    let finished = world.apply(Apply::new(set)).await;
    assert_eq!(finished.reason, StopReason::Outage);
    assert_eq!(world.in_state(State::Planned), 100);
}

#[tokio::test(start_paused = true)]
async fn an_owner_with_a_thousand_creations_gets_each_once_and_in_order() {
    let world = world(Desk::of(4, 50 * MS));
    let row = |number| format!("1,create,Email,new{number}@site.example\n");
    let rows: String = (1..=1_000).map(row).collect();
    let set = world.plan(format!("location_id,action,type,value\n{rows}")).await;
    world.desk.script(|write, _, _| (write % 300 == 0).then(|| too_many(3)));
    let finished = world.apply(Apply::new(set)).await;
    assert_eq!(finished.reason, StopReason::Complete);
    assert_eq!(world.in_state(State::Done), 1_000);
    assert!(world.desk.oldest() <= FRESH, "{:?}", world.desk.oldest());
    let contacts = world.desk.contacts.lock().unwrap();
    assert_eq!(contacts.len(), 1_004);
    let mut numbers = contacts.values().skip(4).map(|contact| {
        let value = contact["value"].as_str().unwrap();
        value["new".len()..value.len() - "@site.example".len()].parse::<i64>().unwrap()
    });
    // As far as a window of calls goes, which are on their way at once.
    assert!(
        (1..).zip(&mut numbers).all(|(place, number): (i64, i64)| (place - number).abs() <= 64)
    );
}

/// One creation on a location with a contact, in a state after the run, with the writes it took.
async fn creation(
    script: impl Fn(usize, &Request, &mut Contacts) -> Option<Response> + Send + Sync + 'static,
) -> (World, State) {
    let world = world(Desk::of(2, 20 * MS));
    let rows = "location_id,action,type,value\n1,create,Email,new@site.example\n";
    let set = world.plan(rows.to_owned()).await;
    world.desk.script(script);
    world.apply(Apply::new(set)).await;
    let set = world.open();
    let change = set.changes(&Selection::all()).next().unwrap().unwrap();
    (world, change.outcome.state)
}

#[tokio::test(start_paused = true)]
async fn an_answer_about_another_contact_is_never_taken_for_the_created_one() {
    let of_first = |contacts: &Contacts| Response::new(contacts[&1].to_string().into());
    for is_carried_out in [true, false] {
        let (world, state) = creation(move |write, request, contacts| {
            (write == 1).then(|| {
                if is_carried_out {
                    carry_out(request, contacts);
                }
                of_first(contacts)
            })
        })
        .await;
        assert_eq!(state, State::Done);
        // Sent again only once it surely was not carried out.
        assert_eq!(world.desk.writes(), if is_carried_out { 1 } else { 2 });
        let undo = world.folder.path().join("undo.crm");
        world.open().undo(&undo).await.unwrap();
        world.apply(Apply::new(ChangeSet::open(undo).unwrap())).await;
        let contacts = world.desk.contacts.lock().unwrap();
        assert_eq!(contacts.keys().collect::<Vec<_>>(), [&1, &2], "the first is not deleted");
        assert_eq!(contacts[&1]["memo"], "old");
    }
}

#[tokio::test(start_paused = true)]
async fn an_update_answered_with_another_or_an_old_contact_is_read_back_before_it_is_judged() {
    // The contact that is answered: the one that was updated, as it was, or another one.
    for (answered, is_carried_out, expected, writes) in [
        (1, true, State::Done, 1),
        (1, false, State::Failed, 1),
        (2, true, State::Done, 1),
        (2, false, State::Done, 2),
    ] {
        let world = world(Desk::of(2, 20 * MS));
        let set = world.plan(memos(1)).await;
        world.desk.script(move |write, request, contacts| {
            (write == 1).then(|| {
                let answer = Response::new(contacts[&answered].to_string().into());
                if is_carried_out {
                    carry_out(request, contacts);
                }
                answer
            })
        });
        world.apply(Apply::new(set)).await;
        assert_eq!(world.in_state(expected), 1, "{is_carried_out} {expected}");
        assert_eq!(world.desk.writes(), writes, "{is_carried_out} {expected}");
        let memo = if expected == State::Failed { "old" } else { "new" };
        let contacts = world.desk.contacts.lock().unwrap();
        assert_eq!((&contacts[&1]["memo"], &contacts[&2]["memo"]), (&memo.into(), &"old".into()));
    }
}

/// The undo of the deletion of two contacts with one address, while the answer of the first
/// creation is as told and the second is turned away once. In which states the two end, and the
/// contacts with that address.
async fn alike(first: fn(&Request, &mut Contacts) -> Response) -> (Vec<State>, usize) {
    let world = world(Desk::of(4, 20 * MS));
    for id in [2, 3] {
        let mut contacts = world.desk.contacts.lock().unwrap();
        contacts.get_mut(&id).unwrap()["value"] = "same@site.example".into();
    }
    let rows = "location_id,contact_id,action\n1,2,delete\n1,3,delete\n";
    let set = world.plan(rows.to_owned()).await;
    world.apply(Apply::new(set)).await;
    let undo = world.folder.path().join("undo.crm");
    world.open().undo(&undo).await.unwrap();
    world.desk.script(move |write, request, contacts| match write {
        1 => Some(first(request, contacts)),
        2 => Some(too_many(3)),
        _ => None,
    });
    let one = std::num::NonZeroUsize::MIN;
    let set = ChangeSet::open(&undo).unwrap();
    world.apply(Apply::new(set).concurrency(one)).await;
    let set = ChangeSet::open(&undo).unwrap();
    let states = set.changes(&Selection::all()).map(|change| change.unwrap().outcome.state);
    let contacts = world.desk.contacts.lock().unwrap();
    let same = contacts.values().filter(|contact| contact["value"] == "same@site.example");
    (states.collect(), same.count())
}

#[tokio::test(start_paused = true)]
async fn a_creation_that_is_decided_again_takes_that_of_another_change_for_nobody_elses() {
    let answered = |request: &Request, contacts: &mut Contacts| carry_out(request, contacts);
    let lost = |request: &Request, contacts: &mut Contacts| {
        carry_out(request, contacts);
        status(504)
    };
    assert_eq!(alike(answered).await, (vec![State::Done; 2], 2));
    assert_eq!(alike(lost).await, (vec![State::Done; 2], 2));
}
