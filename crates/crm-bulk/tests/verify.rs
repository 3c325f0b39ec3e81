//! Reading back what a set has done.
#![allow(clippy::unwrap_used, reason = "a test fails so")]

mod common;

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU32, Ordering::Relaxed},
};

use async_trait::async_trait;
use common::*;
use crm_bulk::{
    Apply, BulkError, ChangeSet, Finding, Found, Input, OptOut, Plan, Selection, Site, Snapshot,
    State, Verification,
};
use crm_contacts::ContactsService;
use crm_models::{ContactChange, ContactId, LocationId, PreferenceChange};
use crm_sandbox::{Fault, FaultPlan, FaultRule, Seed};
use crm_transport::{Request, Response, Transport, TransportError};
use futures_util::TryStreamExt;

const ROWS: &str = "\
location_id,customer_id,contact_id,action,type,value,memo,marketing_updates
2001,,3001,,,,Gate code 4411,off
2001,,3002,,,other@site.example,,
2001,,3004,delete,,,,
2002,,,create,Phone,(213) 555-0191,New,
,1001,4002,,,,Other memo,
2002,,9999,,,,Nobody,
";

impl World {
    async fn applied(&self) -> ChangeSet {
        let set = self.plan(ROWS, "set.crm").await;
        self.apply(Apply::new(set)).await.unwrap();
        self.long_ago()
    }

    /// The set as if it had been carried out long ago: nothing lags any more.
    fn long_ago(&self) -> ChangeSet {
        let path = self.path("set.crm");
        let connection = rusqlite::Connection::open(&path).unwrap();
        let sql = "UPDATE progress SET at = '2026-01-01T00:00:00Z';
            DELETE FROM meta WHERE name = 'digest'";
        connection.execute_batch(sql).unwrap();
        drop(connection);
        let set = ChangeSet::open(path).unwrap();
        set.adopt().unwrap().unwrap();
        set
    }

    async fn verify(&self, set: &mut ChangeSet) -> Result<(Verification, Vec<Finding>), BulkError> {
        let mut findings = Vec::new();
        let verified = set.verify(&self.service, &self.site, |finding| {
            findings.push(finding.clone());
            Ok(())
        });
        Ok((verified.await?, findings))
    }
}

fn told(findings: &[Finding]) -> Vec<String> {
    let differing = findings.iter().filter(|finding| finding.found != Found::AsDone);
    let told = |finding: &Finding| {
        let (target, found) = (&finding.change.target, &finding.found);
        format!("{target}: {}: {}", found.name(), found.difference())
    };
    let mut told: Vec<_> = differing.map(told).collect();
    told.sort();
    told
}

fn page(set: &ChangeSet) -> String {
    let mut page = Vec::new();
    set.report(&mut page).unwrap();
    String::from_utf8(page).unwrap()
}

#[tokio::test]
async fn what_is_still_so_is_read_with_one_call_for_50_owners_and_kept_for_the_report() {
    let world = world(Seed::Demo).await;
    let mut set = world.applied().await;
    assert_eq!(set.verification().unwrap(), None);
    assert!(!page(&set).contains("Read back"));
    let (reads, writes) = (world.sent("GET"), world.sent("PATCH"));
    let (verification, findings) = world.verify(&mut set).await.unwrap();
    assert_eq!(told(&findings), [""; 0]);
    assert_eq!((verification.as_done, verification.all()), (5, 5));
    // One for the customers, one for the locations.
    assert_eq!(world.sent("GET"), reads + 2);
    assert_eq!(world.sent("PATCH"), writes);
    assert_eq!(set.verification().unwrap(), Some(verification));
    let set = ChangeSet::open(world.path("set.crm")).unwrap();
    assert!(page(&set).contains("5 of 5 changes still as done."));
}

#[tokio::test]
async fn what_is_no_longer_so_is_told_with_its_difference_until_it_is_so_again() {
    let world = world(Seed::Demo).await;
    let mut set = world.applied().await;
    let location = |id| world.service.location(LocationId::new(id).unwrap());
    let id = |id: i64| ContactId::try_from(id).unwrap();
    let update = async |contact, change: ContactChange| {
        location(2_001).update(id(contact), &change).await.unwrap();
    };
    // What a change did not name may be otherwise; another way to write a number is the same.
    update(3_002, ContactChange::new().memo("by hand").value("Other@Site.example")).await;
    let (_, findings) = world.verify(&mut set).await.unwrap();
    assert_eq!(told(&findings), [""; 0]);

    update(
        3_001,
        ContactChange::new().memo("").preferences(PreferenceChange::new().marketing_updates(true)),
    )
    .await;
    update(3_002, ContactChange::new().value("elsewhere@site.example")).await;
    let created = findings.iter().find(|it| it.change.action.name() == "create").unwrap();
    let created = created.change.target.contact_text().unwrap();
    let created: i64 = created.parse().unwrap();
    location(2_002).delete(id(created)).await.unwrap();
    let (verification, findings) = world.verify(&mut set).await.unwrap();
    assert_eq!(
        told(&findings),
        [
            "location 2001, contact 3001: differs: memo is (none), was made Gate code 4411; \
             marketing is on, was made off",
            "location 2001, contact 3002: differs: value is elsewhere@site.example, was made other@site.example",
            &format!("location 2002, contact {created}: gone: is no longer there"),
        ]
    );
    assert_eq!(verification.no_longer_so(), 3);
    assert_eq!((verification.differs, verification.gone), (2, 1));
    let page_now = page(&set);
    assert!(page_now.contains("marketing is on, was made off"), "{page_now}");
    assert!(page_now.contains("2 of 5 changes still as done"), "{page_now}");

    // A later result takes the place of an earlier one.
    update(
        3_001,
        ContactChange::new()
            .memo("Gate code 4411")
            .preferences(PreferenceChange::new().marketing_updates(false)),
    )
    .await;
    let (verification, _) = world.verify(&mut set).await.unwrap();
    assert_eq!(verification.no_longer_so(), 2);
    assert!(!page(&set).contains("marketing is on, was made off"));
}

#[tokio::test]
async fn a_preference_of_a_contact_method_is_read_back_too() {
    let world = world(Seed::Demo).await;
    let mut snapshot = Snapshot::open_or_create(world.path("snapshot"), &world.site).unwrap();
    snapshot.update(&world.service, &world.site, |_| {}).await.unwrap();
    let list = Input::csv("list", std::io::Cursor::new("+1 213 555 0177\n"));
    let plan = OptOut::new(world.site.clone(), snapshot);
    plan.plan(&world.service, list, world.path("set.crm")).await.unwrap();
    let set = ChangeSet::open(world.path("set.crm")).unwrap();
    world.apply(Apply::new(set)).await.unwrap();
    let mut set = world.long_ago();
    let (verification, findings) = world.verify(&mut set).await.unwrap();
    assert_eq!((verification.as_done, verification.all()), (9, 9));
    let method = findings.iter().find_map(|finding| match finding.change.target {
        crm_bulk::Target::Method { person, method } => Some((person, method, &finding.change)),
        _ => None,
    });
    let (person, method, change) = method.unwrap();
    // As people call it, for contacts and people alike; the API has another name.
    assert_eq!(change.members()[0].field, "marketing");
    let method = world.service.person(person).method(method);
    method.set_preference("MarketingUpdates", true.into()).await.unwrap();
    let (verification, findings) = world.verify(&mut set).await.unwrap();
    assert_eq!(verification.differs, 1, "{:?}", told(&findings));
    assert!(told(&findings)[0].contains("marketing is on, was made off"));
}

#[tokio::test]
async fn an_owner_that_cannot_be_read_is_told_and_a_failure_keeps_the_former_result() {
    let world = world(Seed::Demo).await;
    let mut set = world.applied().await;
    let (former, _) = world.verify(&mut set).await.unwrap();
    let broken = FaultRule::new(Fault::Status { status: 401 }).method("GET").times(0);
    world.sandbox.inject(FaultPlan::new().rule(broken));
    let error = world.verify(&mut set).await.unwrap_err();
    assert!(matches!(error, BulkError::Contacts(_)), "{error}");
    assert_eq!(set.verification().unwrap(), Some(former));
}

#[tokio::test]
async fn a_set_that_was_altered_or_belongs_elsewhere_is_not_read_back() {
    let world = world(Seed::Demo).await;
    drop(world.applied().await);
    let path = world.path("set.crm");
    let connection = rusqlite::Connection::open(&path).unwrap();
    let sql = "UPDATE progress SET state = 0 WHERE change = 1";
    connection.execute(sql, []).unwrap();
    drop(connection);
    let reads = world.sent("GET");
    let mut set = ChangeSet::open(&path).unwrap();
    let error = world.verify(&mut set).await.unwrap_err();
    assert!(matches!(error, BulkError::Altered { .. }), "{error}");
    assert_eq!(world.sent("GET"), reads);
}

#[tokio::test]
async fn how_the_service_writes_a_value_is_no_later_change_and_what_somebody_makes_of_it_is() {
    let world = world(Seed::Demo).await;
    let location = world.service.location(LocationId::new(2_001).unwrap());
    let value = async |as_stored: &str, value: &str| {
        world.sandbox.set("phone-values", as_stored).unwrap();
        let other = ContactChange::new().value("2135550100");
        let id = ContactId::try_from(3_001).unwrap();
        location.update(id, &other).await.unwrap();
        location.update(id, &ContactChange::new().value(value)).await.unwrap();
    };
    value("verbatim", "(818) 555-0142").await;
    let rows = "location_id,contact_id,value,memo\n2001,3001,8185550199,Moved\n";
    let set = world.plan(rows, "first.crm").await;
    world.apply(Apply::new(set)).await.unwrap();
    let set = ChangeSet::open(world.path("first.crm")).unwrap();
    assert_eq!(set.stored_otherwise().unwrap(), 0);
    set.undo(world.path("set.crm")).await.unwrap();
    world.sandbox.set("phone-values", "digits").unwrap();
    world.apply(Apply::new(ChangeSet::open(world.path("set.crm")).unwrap())).await.unwrap();

    let mut back = world.long_ago();
    let change = changes(back.path()).remove(0);
    let stored = change.stored().unwrap();
    assert_eq!((change.outcome.state, stored.value), (State::Done, "8185550142"));
    assert_eq!((stored.is_same, stored.reading()), (true, "same"));
    assert_eq!(back.stored_otherwise().unwrap(), 1);
    let selected = Selection::all().stored_otherwise();
    assert_eq!(back.changes(&selected).count(), 1);
    let mut results = Vec::new();
    back.results(crm_bulk::ResultRows::All, &mut results).unwrap();
    assert!(String::from_utf8(results).unwrap().ends_with(",8185550142,,\n"));
    let (_, findings) = world.verify(&mut back).await.unwrap();
    assert_eq!(told(&findings), [""; 0]);

    value("verbatim", "(818) 555-0142").await;
    let (_, findings) = world.verify(&mut back).await.unwrap();
    assert_eq!(told(&findings), [""; 0], "as it was sent");
    value("digits", "8185550177").await;
    let (_, findings) = world.verify(&mut back).await.unwrap();
    let differs = "location 2001, contact 3001: differs: value is 8185550177, was made 8185550142";
    assert_eq!(told(&findings), [differs]);
}

/// Answers a creation, and lists its contact only to the look after so many.
struct Lagging {
    hides: u32,
    created: AtomicBool,
    looks: AtomicU32,
}

#[async_trait]
impl Transport for Lagging {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let contact = r#""id":7,"type":"Email","value":"new@site.example","memo":null,
            "modifiedOn":"2026-01-01T00:00:00Z""#;
        if request.method() == "POST" {
            self.created.store(true, Relaxed);
            return Ok(Response::new(format!("{{{contact}}}").into()));
        }
        let shows = self.created.load(Relaxed) && self.looks.fetch_add(1, Relaxed) >= self.hides;
        let found = shows.then(|| format!(r#"{{"locationId":2001,{contact}}}"#));
        let found = found.unwrap_or_default();
        let page = format!(r#"{{"page":1,"pageSize":5000,"hasMore":false,"data":[{found}]}}"#);
        Ok(Response::new(page.into()))
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_that_lags_is_looked_at_again_before_a_contact_is_said_to_be_gone() {
    for (hides, as_done) in [(0, 1), (1, 1), (2, 1), (3, 0)] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("set.crm");
        let transport: Arc<dyn Transport> =
            Arc::new(Lagging { hides, created: AtomicBool::new(false), looks: AtomicU32::new(0) });
        let service = ContactsService::new(transport, 1_001.try_into().unwrap());
        let site = Site::new(service.tenant(), "https://api.example");
        let rows = "location_id,action,type,value\n2001,create,Email,new@site.example\n";
        let plan = Plan::new(site.clone());
        let input = Input::csv("test", rows.as_bytes());
        plan.from_api(&service, input, &path).await.unwrap();
        let apply = Apply::new(ChangeSet::open(&path).unwrap());
        let events: Vec<_> = apply.run(&service, &site).unwrap().try_collect().await.unwrap();
        assert_eq!(states(&path), [State::Done], "{events:?}");
        let mut set = ChangeSet::open(&path).unwrap();
        let verification = set.verify(&service, &site, |_| Ok(())).await.unwrap();
        assert_eq!((verification.as_done, verification.gone), (as_done, 1 - as_done));
    }
}
