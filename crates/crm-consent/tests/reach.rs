//! Who still receives something by a mirror, and the set that ends it; without a network.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard},
};

use bytes::Bytes;
use common::{SITE_URL, begun, ledger, site};
use crm_bulk::{Change, ChangeSet, Selection, State};
use crm_consent::{ConsentError, Due, DueKind, Policy, RECORD, Reach, SOURCE, Said, Scope, Wish};
use crm_contacts::ContactsService;
use crm_mirror::{Mirror, Site};
use crm_models::TenantId;
use crm_transport::{MockTransport, Request, Response};
use serde_json::{Value, json};
use tempfile::TempDir;

/// What the service has.
#[derive(Default)]
struct Has {
    contacts: Vec<Value>,
    methods: Vec<Value>,
    /// The preferences of each method.
    preferences: Value,
    /// How often preferences of a method were read.
    readings: usize,
    has_people: bool,
}

/// A tenant and its desk.
struct Tenant {
    folder: TempDir,
    has: Arc<Mutex<Has>>,
}

impl Tenant {
    fn new() -> Self {
        let has = Has { has_people: true, preferences: json!({}), ..Has::default() };
        Self { folder: tempfile::tempdir().unwrap(), has: Arc::new(Mutex::new(has)) }
    }

    fn has(&self) -> MutexGuard<'_, Has> {
        self.has.lock().unwrap()
    }

    /// Gives customer 1001 a contact; flags `null` for those that the service does not tell.
    fn contact(&self, id: i64, value: &str, marketing: impl Into<Value>) {
        self.created(id, value, marketing, "2025-11-02T09:15:00Z");
    }

    fn created(&self, id: i64, value: &str, marketing: impl Into<Value>, at: &str) {
        let kind = if value.contains('@') { "Email" } else { "Phone" };
        let marketing = marketing.into();
        let preferences = if marketing.is_null() {
            Value::Null
        } else {
            json!({
                "jobRemindersEnabled": true, "marketingUpdatesEnabled": marketing,
                "invoiceStatementNotification": true, "invoiceNotification": true,
                "statementNotification": true,
            })
        };
        let contact = json!({
            "id": id, "customerId": 1_001, "type": kind, "value": value, "memo": null,
            "phoneSettings": null, "modifiedOn": at, "createdOn": at, "active": true,
            "preferences": preferences,
        });
        let mut has = self.has();
        has.contacts.retain(|contact| contact["id"] != id);
        has.contacts.push(contact);
    }

    fn method(&self, n: u32, value: &str, marketing: bool) {
        let mut has = self.has();
        has.methods.push(json!({
            "id": guid(n), "contactId": guid(n + 1_000), "referenceId": null, "type": "MobilePhone",
            "value": value, "memo": null, "createdOn": "2025-11-02T09:15:00Z", "createdBy": 7,
            "modifiedOn": "2025-11-02T09:15:00Z", "modifiedBy": 7,
        }));
        has.preferences[guid(n)] = json!(marketing);
    }

    fn service(&self) -> ContactsService<MockTransport> {
        let (mut transport, has) = (MockTransport::new(), Arc::clone(&self.has));
        transport.expect_send().returning(move |request| {
            let (status, answer) = answer(&mut has.lock().unwrap(), &request);
            let mut response = Response::new(Bytes::from(answer.to_string()));
            *response.status_mut() = status.try_into().unwrap();
            Ok(response)
        });
        ContactsService::new(transport, TenantId::new(7).unwrap())
    }

    fn mirror_file(&self) -> PathBuf {
        self.folder.path().join("mirror.db")
    }

    /// The mirror, brought up to date.
    async fn mirror(&self) -> Mirror {
        let mut mirror = Mirror::open_or_create(self.mirror_file(), &site()).unwrap();
        mirror.update(&self.service(), &site(), |_| {}).await.unwrap();
        mirror
    }

    fn say(&self, value: &str, wish: Wish, at: &str) -> u64 {
        let said = Said::new(value, wish).words("said").received(at);
        ledger(&self.folder).add(&said).unwrap().record
    }

    fn due(&self) -> Vec<Due> {
        begun(&self.folder).due(&Mirror::open(self.mirror_file()).unwrap()).unwrap()
    }

    /// The records of what is due, by what is to be done about it.
    fn ids(&self, kind: DueKind) -> Vec<String> {
        let due = self.due().into_iter().filter(|due| due.kind == kind);
        due.map(|due| due.target.contact_text().unwrap()).collect()
    }

    /// What a plan has, if it leaves a set.
    async fn plan(&self, how: impl FnOnce(Reach) -> Reach) -> Option<ChangeSet> {
        let out = self.folder.path().join("set.crm");
        let _ = std::fs::remove_file(&out);
        let reach = how(Reach::new(begun(&self.folder), self.mirror().await));
        let reached = reach.plan(&self.service(), &out).await.unwrap();
        assert_eq!(out.exists(), reached.changes > 0);
        out.exists().then(|| ChangeSet::open(out).unwrap())
    }
}

fn guid(n: u32) -> String {
    format!("7b2d9f10-4e6a-4c58-b310-{n:012x}")
}

fn answer(has: &mut Has, request: &Request) -> (u16, Value) {
    let path = request.uri().path();
    let list = |data: &[Value]| {
        (200, json!({"page": 1, "pageSize": 5_000, "hasMore": false, "data": data}))
    };
    if path.contains("/export/") {
        let data = if path.ends_with("/customers/contacts") { &has.contacts[..] } else { &[] };
        return (200, json!({"hasMore": false, "continueFrom": "x", "data": data}));
    }
    if !has.has_people {
        return (403, json!({"title": "no scope", "status": 403}));
    }
    let parts: Vec<_> = path.split('/').rev().collect();
    match parts[..] {
        ["preferences", "contacts", ..] => (
            200,
            json!([{"id": guid(1), "name": "MarketingUpdates", "description": null, "dataType": "Bool"}]),
        ),
        ["preferences", method, ..] => {
            has.readings += 1;
            let on = &has.preferences[method];
            (
                200,
                json!([{"name": "MarketingUpdates", "dataType": "Bool", "value": on.to_string()}]),
            )
        }
        ["contact-methods", ..] => list(&has.methods),
        _ => list(&[]),
    }
}

fn changes(set: &ChangeSet) -> Vec<Change> {
    set.changes(&Selection::all()).map(Result::unwrap).collect()
}

fn contacts_of(set: &ChangeSet) -> Vec<String> {
    changes(set).iter().map(|change| change.target.contact_text().unwrap()).collect()
}

#[tokio::test]
async fn all_that_is_not_yet_so_is_one_set_whose_rows_are_the_wishes() {
    let tenant = Tenant::new();
    tenant.contact(11, "(818) 555-0142", true);
    tenant.contact(12, "818.555.0142 x7", true);
    tenant.contact(13, "8185550142", false);
    tenant.contact(14, "ada@site.example", true);
    tenant.contact(15, "8185550177", true);
    tenant.method(1, "+1 818 555 0142", true);
    tenant.method(2, "8185550142", false);
    let number = tenant.say("818-555-0142", Wish::Out, "2026-03-02");
    let address = tenant.say("Ada@SITE.example", Wish::Out, "2026-03-03T10:30:00Z");

    let set = tenant.plan(|reach| reach).await.unwrap();
    assert_eq!(contacts_of(&set), ["11", "12", "14", &guid(1)]);
    assert!(changes(&set).iter().all(|change| change.outcome.state == State::Planned));
    assert_eq!(set.info().unwrap().source.as_deref(), Some(SOURCE));
    // A proof finds what came of a wish.
    for (record, copies) in
        [(number, vec!["11".to_owned(), "12".into(), guid(1)]), (address, vec!["14".into()])]
    {
        let rows = set.rows_with(RECORD, &record.to_string()).unwrap();
        assert_eq!(rows.len(), 1);
        assert_eq!(set.cell(rows[0], RECORD).unwrap(), Some(record.to_string()));
        let of_row = set.changes(&Selection::all().row(rows[0])).map(Result::unwrap);
        let of_row: Vec<_> = of_row.map(|change| change.target.contact_text().unwrap()).collect();
        assert_eq!(of_row, copies);
    }
    assert!(set.rows_with(RECORD, "99").unwrap().is_empty());
    let flags = changes(&set)[0].action.clone();
    let crm_bulk::Action::Update(wanted) = flags else { panic!() };
    assert_eq!(wanted.change.get_preferences().get_marketing_updates(), Some(false));
    assert_eq!(wanted.change.get_preferences().get_job_reminders(), None);
}

#[tokio::test]
async fn nothing_due_leaves_no_set_and_what_came_later_is_in_the_next() {
    let tenant = Tenant::new();
    tenant.contact(11, "8185550142", false);
    tenant.say("8185550142", Wish::Out, "2026-03-02");
    assert!(tenant.plan(|reach| reach).await.is_none());
    assert!(tenant.due().is_empty());
    // Somebody creates the contact again.
    tenant.created(12, "+1 (818) 555-0142", true, "2026-03-09T18:00:00Z");
    let set = tenant.plan(|reach| reach).await.unwrap();
    assert_eq!(contacts_of(&set), ["12"]);
    let due = tenant.due().remove(0);
    assert_eq!(due.deadline, "2026-03-23", "its own clock");
    // The person may be written to again.
    tenant.say("8185550142", Wish::In, "2026-05-02");
    assert!(tenant.plan(|reach| reach).await.is_none());
}

#[tokio::test]
async fn a_number_that_may_be_one_that_is_out_is_told_and_never_written() {
    let tenant = Tenant::new();
    for (id, value) in [
        (11, "555-0142"),
        (12, "Unit 4 818-555-0142"),
        (13, "81855501427"),
        (14, "6561234567"),
        (15, "(213) 555-0199"),
        (16, "front desk"),
        (17, "555-0143"),
        (18, "Ada <ada@site.example>"),
    ] {
        tenant.contact(id, value, true);
    }
    tenant.contact(19, "5550142", false);
    tenant.method(1, "555-0142", true);
    tenant.say("818-555-0142", Wish::Out, "2026-03-02");
    tenant.say("+65 6123 4567", Wish::Out, "2026-03-02");
    tenant.say("ada@site.example", Wish::Out, "2026-03-02");
    let said = Said::new("555-0199", Wish::Out).received("2026-03-02");
    ledger(&tenant.folder).add(&said).unwrap();
    assert!(tenant.plan(|reach| reach).await.is_none());
    let mut look_at = tenant.ids(DueKind::LookAt);
    look_at.sort();
    assert_eq!(look_at, ["11", "12", "13", "14", "15", "18", &guid(1)]);
    assert!(tenant.ids(DueKind::Open).is_empty());
}

#[tokio::test]
async fn what_a_contact_method_receives_is_as_it_was_last_read() {
    let tenant = Tenant::new();
    tenant.method(1, "8185550142", true);
    tenant.method(2, "8185550142", false);
    tenant.method(3, "8185550177", true);
    tenant.say("8185550142", Wish::Out, "2026-03-02");
    tenant.mirror().await;
    assert_eq!(tenant.ids(DueKind::Open), [guid(1), guid(2)]);
    assert!(tenant.due().iter().all(|due| !due.is_known && due.why.is_some()));

    let set = tenant.plan(|reach| reach).await.unwrap();
    assert_eq!(contacts_of(&set), [guid(1)]);
    assert_eq!(tenant.has().readings, 2, "those that have the number");
    assert_eq!(tenant.ids(DueKind::Open), [guid(1)]);
    tenant.has().preferences[guid(1)] = json!(false);
    assert!(tenant.plan(|reach| reach).await.is_none());
    assert!(tenant.due().is_empty());
    // Somebody turns it on again where no list tells it: each plan reads anew.
    tenant.has().preferences[guid(1)] = json!(true);
    assert_eq!(contacts_of(&tenant.plan(|reach| reach).await.unwrap()), [guid(1)]);
    assert!(tenant.plan(Reach::without_people).await.is_none());
}

#[tokio::test]
async fn an_app_without_the_scope_for_people_is_told_so() {
    let tenant = Tenant::new();
    tenant.has().has_people = false;
    tenant.contact(11, "8185550142", true);
    tenant.say("8185550142", Wish::Out, "2026-03-02");
    let out = tenant.folder.path().join("set.crm");
    let reach = Reach::new(begun(&tenant.folder), tenant.mirror().await);
    let reached = reach.plan(&tenant.service(), &out).await.unwrap();
    assert_eq!(reached.changes, 1);
    assert!(reached.notes[0].contains("people are not covered"), "{:?}", reached.notes);
}

#[tokio::test]
async fn flags_that_the_service_does_not_tell_cannot_be_set_until_somebody_says_the_others() {
    let tenant = Tenant::new();
    tenant.contact(11, "8185550142", Value::Null);
    tenant.say("8185550142", Wish::Out, "2026-03-02");
    let out = tenant.folder.path().join("set.crm");
    let reach = Reach::new(begun(&tenant.folder), tenant.mirror().await);
    let reached = reach.plan(&tenant.service(), &out).await.unwrap();
    assert_eq!((reached.changes, reached.cannot.len()), (0, 1));
    assert!(reached.cannot[0].1.contains("--unknown-flags"), "{}", reached.cannot[0].1);
    assert_eq!(tenant.ids(DueKind::CannotBeSet), ["11"]);
    let set = tenant.plan(|reach| reach.unknown_flags(true)).await.unwrap();
    assert_eq!(contacts_of(&set), ["11"]);
}

#[tokio::test]
async fn a_wish_for_all_kinds_turns_off_what_the_policy_names() {
    let tenant = Tenant::new();
    tenant.contact(11, "8185550142", false);
    let said = Said::new("8185550142", Wish::Out).scope(Scope::All).received("2026-03-02");
    ledger(&tenant.folder).add(&said).unwrap();
    // Later the person may be called for marketing again, and is out for all else.
    tenant.say("8185550142", Wish::In, "2026-05-02");
    let off = |set: &ChangeSet| {
        let crm_bulk::Action::Update(wanted) = changes(set)[0].action.clone() else { panic!() };
        let flags = wanted.change.get_preferences().iter();
        flags.map(|(flag, on)| format!("{} {on}", flag.option())).collect::<Vec<_>>()
    };
    let set = tenant.plan(|reach| reach).await.unwrap();
    assert_eq!(off(&set), ["job-reminders false"]);
    assert_eq!(tenant.due()[0].receives, ["job-reminders"]);

    let text =
        Policy::default().text().replace("\"job-reminders\"", "\"job-reminders\", \"invoices\"");
    begun(&tenant.folder).set_policy(&Policy::read(&text).unwrap()).unwrap();
    let set = tenant.plan(|reach| reach).await.unwrap();
    assert_eq!(off(&set), ["job-reminders false", "invoices false"]);
}

#[tokio::test]
async fn a_wish_said_twice_is_late_since_the_first_time() {
    let tenant = Tenant::new();
    tenant.contact(11, "8185550142", true);
    let first = tenant.say("8185550142", Wish::Out, "2026-03-02");
    tenant.say("8185550142", Wish::Out, "2026-06-02");
    tenant.mirror().await;
    let due = tenant.due();
    assert_eq!(due.len(), 1);
    assert_eq!((due[0].record, due[0].deadline.as_str()), (first, "2026-03-16"));
    assert!(due[0].days_late > 0);
    tenant.say("8185550142", Wish::In, "2026-07-02");
    assert!(tenant.due().is_empty());
    let again = tenant.say("8185550142", Wish::Out, "2026-08-03");
    assert_eq!(tenant.due()[0].record, again);
}

#[tokio::test]
async fn a_wish_without_its_value_is_honoured_by_its_digest() {
    let tenant = Tenant::new();
    tenant.contact(11, "8185550142", true);
    tenant.contact(12, "555-0142", true);
    tenant.method(1, "(818) 555-0142", true);
    let record = tenant.say("8185550142", Wish::Out, "2026-03-02");
    let file = rusqlite::Connection::open(tenant.folder.path().join("ledger.db")).unwrap();
    file.execute("UPDATE records SET salt = NULL, personal = NULL", []).unwrap();
    drop(file);
    let set = tenant.plan(|reach| reach).await.unwrap();
    assert_eq!(contacts_of(&set), ["11", &guid(1)]);
    assert_eq!(tenant.due()[0].value, None);
    let row = set.rows_with(RECORD, &record.to_string()).unwrap()[0];
    assert_eq!(set.cell(row, "value").unwrap().as_deref(), Some(""));
}

#[tokio::test]
async fn a_mirror_of_another_account_is_refused() {
    let tenant = Tenant::new();
    let other = Site::new(TenantId::new(8).unwrap(), SITE_URL);
    Mirror::open_or_create(tenant.folder.path().join("other.db"), &other).unwrap();
    ledger(&tenant.folder);
    let mirror = Mirror::open(tenant.folder.path().join("other.db")).unwrap();
    let out = tenant.folder.path().join("set.crm");
    let error = Reach::new(begun(&tenant.folder), mirror).plan(&tenant.service(), &out).await;
    assert!(matches!(error, Err(ConsentError::File(_) | ConsentError::List(_))), "{error:?}");
    assert!(!out.exists());
}
