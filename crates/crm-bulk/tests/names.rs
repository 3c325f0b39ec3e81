//! The names of the owners of a set.
#![allow(clippy::unwrap_used, reason = "a failure here fails the test")]

mod common;

use common::*;
use crm_bulk::{
    Apply, ChangeSet, Input, Naming, OptOut, OwnerId, ResultRows, Selection, Site, Snapshot,
};
use crm_models::{CustomerId, LocationId, TenantId};
use crm_sandbox::{Fault, FaultPlan, FaultRule, NewMethod, NewPerson, Seed};

const ROWS: &str = "location_id,customer_id,contact_id,memo,marketing_updates
2001,,3001,new,
2001,,3002,,off
2002,,9999,new,
,1001,4001,new,
,1011,4119,new,
";

fn customer(id: i64) -> OwnerId {
    CustomerId::new(id).unwrap().into()
}

fn location(id: i64) -> OwnerId {
    LocationId::new(id).unwrap().into()
}

/// The name that an owner has, which is the same when others are asked for beside it.
fn name(set: &ChangeSet, owner: OwnerId) -> Option<String> {
    let named = set.named_owner(owner).unwrap();
    let beside = set.named_owners([customer(9_999), owner, location(2_001)]).unwrap();
    assert_eq!(beside.get(&owner), named.as_ref());
    named.map(|named| named.to_string())
}

async fn named(world: &World, set: &ChangeSet) -> Naming {
    set.name_owners(&world.service, &world.site, |_| {}).await.unwrap()
}

#[tokio::test]
async fn owners_with_something_to_say_have_names_that_the_digest_does_not_know() {
    let world = world(Seed::Demo).await;
    let set = world.plan(ROWS, "set.crm").await;
    let digest = set.digest().unwrap();
    let before = world.sent("GET");
    let naming = named(&world, &set).await;
    assert_eq!((naming.named, naming.unknown, naming.refused.len()), (4, 0, 0));
    assert_eq!(world.sent("GET") - before, 2, "one call for each kind");
    let pier = "Harbor Bakery, Pier 4, San Pedro";
    assert_eq!(name(&set, location(2001)).as_deref(), Some(pier));
    // It has no contact of that id, which is something to say.
    assert!(name(&set, location(2002)).is_some());
    let merged = "Harbor Bakery (old), San Pedro (merged into customer 1001)";
    assert_eq!(name(&set, customer(1011)).as_deref(), Some(merged));
    assert_eq!(name(&set, customer(1002)), None);
    assert_eq!(set.digest().unwrap(), digest);

    // What is known is not read again.
    assert_eq!(named(&world, &set).await, Naming::default());
    assert_eq!(world.sent("GET") - before, 2);
    // A run reads none.
    world.apply(Apply::new(ChangeSet::open(set.path()).unwrap())).await.unwrap();
    let of_owners = |entry: &&crm_sandbox::LogEntry| {
        entry.path.ends_with("/customers") || entry.path.ends_with("/locations")
    };
    assert_eq!(world.sandbox.log().iter().filter(of_owners).count(), 2);
}

#[tokio::test]
async fn an_owner_whose_contacts_are_so_already_needs_no_name() {
    let world = world(Seed::Demo).await;
    let set =
        world.plan("location_id,contact_id,marketing_updates\n2001,3002,off\n", "set.crm").await;
    assert_eq!(named(&world, &set).await, Naming::default());
}

#[tokio::test]
async fn an_app_without_the_scope_has_ids_alone() {
    let world = world(Seed::Demo).await;
    let set = world.plan(ROWS, "set.crm").await;
    let refused = FaultRule::new(Fault::Status { status: 403 }).path("/customers").times(9);
    world.sandbox.inject(FaultPlan::new().rule(refused));
    let naming = named(&world, &set).await;
    assert_eq!((naming.named, &*naming.refused), (2, &["customer"][..]));
    assert_eq!(name(&set, customer(1001)), None);
    // With the scope the rest is read.
    world.sandbox.inject(FaultPlan::new());
    assert_eq!(named(&world, &set).await.named, 2);
}

#[tokio::test]
async fn a_mirror_gives_the_names_that_it_has_and_the_service_the_others() {
    let world = world(Seed::Demo).await;
    let set = world.plan(ROWS, "set.crm").await;
    let mut mirror = Snapshot::open_or_create(world.path("mirror.db"), &world.site).unwrap();
    mirror.update_contacts(&world.service, &world.site, |_| {}).await.unwrap();
    let naming = set.name_owners_from(&mirror).unwrap();
    assert_eq!((naming.named, naming.unknown), (0, 4), "it has no owners");

    // The second call for locations: after that for their contacts.
    let refused = FaultRule::new(Fault::Status { status: 403 }).path("/locations").nth(2);
    world.sandbox.inject(FaultPlan::new().rule(refused));
    mirror.update(&world.service, &world.site, |_| {}).await.unwrap();
    world.sandbox.inject(FaultPlan::new());
    let before = world.sent("GET");
    let naming = set.name_owners_from(&mirror).unwrap();
    assert_eq!((naming.named, naming.unknown), (2, 2), "it has no locations");
    assert_eq!(world.sent("GET"), before);
    let merged = "Harbor Bakery (old), San Pedro (merged into customer 1001)";
    assert_eq!(name(&set, customer(1011)).as_deref(), Some(merged));
    assert_eq!(name(&set, location(2001)), None);

    assert_eq!(named(&world, &set).await.named, 2);
    assert_eq!(world.sent("GET") - before, 1, "locations alone");
    assert!(name(&set, location(2001)).is_some());

    let other = Site::new(TenantId::new(99).unwrap(), world.site.environment());
    let other = Snapshot::open_or_create(world.path("other.db"), &other).unwrap();
    set.name_owners_from(&other).unwrap_err();
}

#[tokio::test]
async fn an_undo_inherits_the_names_of_its_set() {
    let world = world(Seed::Demo).await;
    let set = world.plan(ROWS, "set.crm").await;
    named(&world, &set).await;
    world.apply(Apply::new(set)).await.unwrap();
    let set = ChangeSet::open(world.path("set.crm")).unwrap();
    set.undo(world.path("undo.crm")).await.unwrap();
    let undo = ChangeSet::open(world.path("undo.crm")).unwrap();
    for owner in [location(2001), customer(1001)] {
        assert!(name(&undo, owner).is_some());
        assert_eq!(name(&undo, owner), name(&set, owner));
    }
}

#[tokio::test]
async fn results_say_whose_contact_each_row_is_about_in_fields_of_their_own() {
    let world = world(Seed::Demo).await;
    let set = world.plan(ROWS, "set.crm").await;
    named(&world, &set).await;
    let mut results = Vec::new();
    set.results(ResultRows::All, &mut results).unwrap();
    let mut rows = csv::Reader::from_reader(&*results);
    let rows: Vec<std::collections::BTreeMap<String, String>> =
        rows.deserialize().map(Result::unwrap).collect();
    let whose = |at: usize| {
        ["kind", "id", "name", "town"].map(|column| &*rows[at][&format!("crm_owner_{column}")])
    };
    assert_eq!(whose(0), ["location", "2001", "Harbor Bakery, Pier 4", "San Pedro"]);
    assert_eq!((&*rows[0]["crm_contact_id"], &*rows[0]["crm_value"]), ("3001", "8185550142"));
    assert_eq!(whose(3)[..3], ["customer", "1001", "Harbor Bakery"]);
    // Fed in again, the added columns are not read.
    let again = String::from_utf8(results).unwrap();
    assert_eq!(world.plan(&again, "again.crm").await.totals().unwrap().all(), 5);
}

#[tokio::test]
async fn people_have_the_names_that_a_mirror_knows_in_the_set_its_page_and_its_undo() {
    let world = world(Seed::Demo).await;
    let list = Input::csv("list", std::io::Cursor::new("213-555-0177\n"));
    let plan = OptOut::new(world.site.clone(), world.snapshot().await);
    plan.plan(&world.service, list, world.path("set.crm")).await.unwrap();
    let set = ChangeSet::open(world.path("set.crm")).unwrap();
    let of_people = |set: &ChangeSet| {
        let changes = set.changes(&Selection::all()).map(Result::unwrap);
        let changes = changes.filter(|change| change.target.kind() == "person");
        changes.map(|change| set.named(&change.target).unwrap()).collect::<Vec<_>>()
    };
    assert!(of_people(&set).iter().all(Option::is_none));
    let mirror = world.snapshot().await;
    set.name_owners_from(&mirror).unwrap();
    let named = of_people(&set);
    assert!(!named.is_empty() && named.iter().all(Option::is_some), "{named:?}");
    let name = named[0].as_ref().unwrap().to_string();
    let mut page = Vec::new();
    set.report(&mut page).unwrap();
    let page = String::from_utf8(page).unwrap();
    assert!(page.contains(&format!("<b><bdi>{name}</bdi></b>")), "{page}");

    world.apply(Apply::new(ChangeSet::open(set.path()).unwrap())).await.unwrap();
    set.undo(world.path("undo.crm")).await.unwrap();
    let undo = ChangeSet::open(world.path("undo.crm")).unwrap();
    assert!(of_people(&undo).iter().all(Option::is_some));
}

#[tokio::test]
async fn people_are_asked_for_where_they_are_few_and_the_mirror_names_also_what_is_so_already() {
    let world = world(Seed::Empty).await;
    world.sandbox.add_customer(1, "Harbor Bakery").unwrap();
    let many = 102;
    for n in 1..=many {
        let method = NewMethod::new("MobilePhone", "2135550177");
        let person = NewPerson::new().name(format!("Person {n}"));
        world.sandbox.add_person(person.method(method)).unwrap();
    }
    let plan = async |name: &str| {
        let list = Input::csv("list", std::io::Cursor::new("213-555-0177\n"));
        let plan = OptOut::new(world.site.clone(), world.snapshot().await);
        plan.plan(&world.service, list, world.path(name)).await.unwrap();
        ChangeSet::open(world.path(name)).unwrap()
    };
    let unnamed = |set: &ChangeSet| {
        let changes = set.changes(&Selection::all()).map(Result::unwrap);
        changes.filter(|change| set.named(&change.target).unwrap().is_none()).count()
    };
    let set = plan("set.crm").await;
    assert_eq!(unnamed(&set), many);
    let before = world.sent("GET");
    let naming = named(&world, &set).await;
    assert_eq!((naming.named, naming.people_left), (100, 2), "one a call");
    assert_eq!((world.sent("GET") - before, unnamed(&set)), (100, 2));
    let naming = named(&world, &set).await;
    assert_eq!((naming.named, naming.people_left, unnamed(&set)), (2, 0, 0), "it goes on");

    // Once applied, all is so already: of this nobody is asked for, and the mirror has it.
    world.apply(Apply::new(ChangeSet::open(set.path()).unwrap())).await.unwrap();
    let again = plan("again.crm").await;
    let before = world.sent("GET");
    assert_eq!(named(&world, &again).await, Naming::default());
    assert_eq!((world.sent("GET") - before, unnamed(&again)), (0, many));
    assert_eq!(again.name_owners_from(&world.snapshot().await).unwrap().named, many as u64);
    assert_eq!(unnamed(&again), 0);
}

#[tokio::test]
async fn an_app_that_may_not_read_people_has_their_ids_alone() {
    let world = world(Seed::Demo).await;
    let list = Input::csv("list", std::io::Cursor::new("213-555-0177\n"));
    let plan = OptOut::new(world.site.clone(), world.snapshot().await);
    plan.plan(&world.service, list, world.path("set.crm")).await.unwrap();
    let set = ChangeSet::open(world.path("set.crm")).unwrap();
    let refused = FaultRule::new(Fault::Status { status: 403 }).operation("Contacts_Get").times(0);
    world.sandbox.inject(FaultPlan::new().rule(refused));
    let naming = named(&world, &set).await;
    assert_eq!(naming.refused, ["person"]);
    assert!(naming.named > 0, "the owners have names");
}
