//! The whole stack over real sockets: service, layers, reqwest, sandbox.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use crm_contacts::{ContactsError, ContactsService, Creation, RefusalKind};
use crm_models::*;
use crm_sandbox::{Fault, FaultPlan, FaultRule, Sandbox, Seed};
use crm_transport::{Credentials, Environment, Transport};
use futures_util::TryStreamExt;
use serde_json::json;

/// A service over the standard stack, talking to this sandbox.
fn connect(sandbox: &Sandbox) -> ContactsService<impl Transport + use<>> {
    connect_with(sandbox, &sandbox.connection().client_secret)
}

fn connect_with(sandbox: &Sandbox, secret: &str) -> ContactsService<impl Transport + use<>> {
    let connection = sandbox.connection();
    let environment = Environment::custom(&connection.api_url, &connection.auth_url).unwrap();
    let credentials = Credentials::new(
        connection.client_id.clone(),
        secret.to_owned(),
        connection.app_key.clone(),
    );
    let transport = crm_transport::standard(&environment, credentials).unwrap();
    ContactsService::new(transport, TenantId::new(connection.tenant).unwrap())
}

/// The body of the latest request.
fn last_body(sandbox: &Sandbox) -> serde_json::Value {
    let body = sandbox.log().pop().unwrap().body.expect("a logged body");
    serde_json::from_str(&body).unwrap()
}

/// Some location of the demo data with its contacts.
async fn some_location<T: Transport>(service: &ContactsService<T>) -> LocationId {
    let since: Timestamp = "2000-01-01".parse().unwrap();
    let filter = ContactFilter::<LocationId>::new().modified_on_or_after(since);
    let list = service.changed(filter);
    let mut items = list.items();
    items.try_next().await.unwrap().expect("seeded contacts").owner
}

#[tokio::test]
async fn a_contact_is_created_changed_found_and_deleted() {
    let builder = Sandbox::builder().set("log-content", "on").unwrap();
    let sandbox = builder.start().await.unwrap();
    let service = connect(&sandbox);
    let contacts = service.location(some_location(&service).await);

    let new = CreateContactRequest::new(ContactType::MobilePhone, "(818) 555-0190").memo("Gate");
    let Creation::Created(created) = contacts.create_unless_present(new.clone()).await.unwrap()
    else {
        panic!("it was there already");
    };
    let Creation::Present(present) = contacts.create_unless_present(new).await.unwrap() else {
        panic!("created twice");
    };
    assert_eq!(present.id, created.id);
    assert_eq!(created.value, "8185550190");

    let change = ContactChange::new().preferences(PreferenceChange::all(true));
    contacts.update(created.id, &change).await.unwrap();
    assert_eq!(
        last_body(&sandbox),
        json!({"preferences": {
            "jobRemindersEnabled": true,
            "marketingUpdatesEnabled": true,
            "invoiceStatementNotification": true,
            "invoiceNotification": true,
            "statementNotification": true,
        }})
    );
    let change =
        ContactChange::new().clear_memo().preferences(PreferenceChange::new().statements(false));
    let updated = contacts.update_if_changed(created.id, &change).await.unwrap();
    let fields: Vec<_> = updated.differences().into_iter().map(|d| d.field).collect();
    assert_eq!(
        fields,
        ["memo", "preferences.invoiceStatementNotification", "preferences.statementNotification"]
    );

    let stale = updated.before.modified_on;
    let change = ContactChange::new().memo("Too late");
    let error = contacts.update_if_unmodified_since(created.id, &change, stale).await.unwrap_err();
    assert!(matches!(error, ContactsError::Modified { .. }), "{error}");

    contacts.delete(created.id).await.unwrap();
    assert!(contacts.find(created.id).await.unwrap_err().is_not_found());
    assert!(contacts.delete(created.id).await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn every_seeded_contact_is_readable() {
    let sandbox = Sandbox::start().await.unwrap();
    let service = connect(&sandbox);
    let since: Timestamp = "0001-01-02".parse().unwrap();
    let filter = ContactFilter::<LocationId>::new().modified_on_or_after(since);
    let locations = service.changed(filter).page_size(7).collect().await.unwrap();
    let filter = ContactFilter::<CustomerId>::new().modified_on_or_after(since);
    let customers = service.changed(filter).page_size(7).collect().await.unwrap();
    assert!(
        locations.len() >= 20 && customers.len() >= 10,
        "{} {}",
        locations.len(),
        customers.len()
    );
    assert!(locations.iter().any(|c| c.created_on.is_some() && c.created().is_none()));
    assert!(locations.iter().any(|c| c.preferences.is_none()));
}

#[tokio::test]
async fn exports_hold_every_contact_and_resume() {
    let sandbox = Sandbox::builder().seed(Seed::Count(2_500)).start().await.unwrap();
    let service = connect(&sandbox);
    let mut seen = std::collections::BTreeSet::new();
    let mut token = None;
    // One batch a time, each from the saved token, as after a crash.
    loop {
        let from = token.take().map_or(ExportFrom::Beginning, ExportFrom::Token);
        let export = service.export::<LocationId>().from(from).include_recent_changes();
        let mut batches = export.batches();
        let batch = batches.try_next().await.unwrap().expect("a batch");
        seen.extend(batch.data.iter().map(|c| (c.owner, c.contact.id)));
        token = batch.continue_from;
        if !batch.has_more {
            break;
        }
    }
    let export = service.export::<LocationId>().include_recent_changes();
    let whole: Vec<_> = export.batches().try_collect().await.unwrap();
    let all: std::collections::BTreeSet<_> =
        whole.iter().flat_map(|batch| batch.data.iter().map(|c| (c.owner, c.contact.id))).collect();
    assert_eq!(all.len(), 2_500);
    assert_eq!(seen, all);
}

/// Two readings of the contract: what one sends, the other knows.
#[tokio::test]
async fn owners_are_found_by_every_filter_and_are_the_same_everywhere() {
    fn narrowed<O: ContactOwner>(like: &O::Details) -> OwnerFilter<O> {
        let (address, time) = (like.address(), like.modified_on());
        let later = Timestamp::from_nanoseconds(time.as_nanoseconds() + 1_000).unwrap();
        OwnerFilter::new()
            .ids([like.id()])
            .name(like.name())
            .street(&address.street)
            .unit(address.unit.as_deref().unwrap())
            .city(&address.city)
            .state(&address.state)
            .zip(&address.zip)
            .country(&address.country)
            .active(Whether::Yes)
            .modified_on_or_after(time)
            .modified_before(later)
            .created_on_or_after("2025-10-01".parse().unwrap())
            .created_before("2025-11-01".parse().unwrap())
            .sort(Sort::descending(OwnerSort::CreatedOn))
    }

    let strict = Sandbox::builder().set("unknown-query", "refuse").unwrap();
    let sandbox = strict.start().await.unwrap();
    let service = connect(&sandbox);
    let customer = service.customers().get(CustomerId::constant(1002)).await.unwrap();
    let location = service.locations().get(LocationId::constant(2003)).await.unwrap();
    let filter = narrowed(&customer).phone("323-555-0111");
    assert_eq!(service.customers().list(filter).collect().await.unwrap(), [customer]);
    let filter = narrowed(&location).customer(location.customer_id);
    assert_eq!(service.locations().list(filter).collect().await.unwrap(), [location]);

    let batches: Vec<_> = service.customers().export().batches().try_collect().await.unwrap();
    let mut exported: Vec<_> = batches.into_iter().flat_map(|batch| batch.data).collect();
    exported.sort_by_key(|customer| customer.id);
    let ids = exported.iter().map(|customer| customer.id);
    let listed = service.customers().with_ids(ids).collect().await.unwrap();
    assert_eq!(listed, exported);
    let merged = exported.iter().find(|customer| customer.merged_to().is_some()).unwrap();
    assert_eq!(merged.merged_to(), Some(CustomerId::constant(1001)));
    let blank = service.locations().get(LocationId::constant(2012)).await.unwrap();
    assert_eq!(blank.display_name(), "8 Mill Yard, Whittier, CA 90602");
}

#[tokio::test]
async fn five_cold_parallel_calls_ask_for_one_token() {
    let sandbox = Sandbox::start().await.unwrap();
    let service = connect(&sandbox);
    let location = LocationId::new(1).unwrap();
    let calls = (0..5).map(|_| service.location(location).list().collect());
    futures_util::future::join_all(calls).await;
    let log = sandbox.log();
    let tokens = log.iter().filter(|r| r.path.contains("/connect/token")).count();
    assert_eq!(tokens, 1);
}

#[tokio::test]
async fn wrong_credentials_are_told_apart_and_the_secret_is_not_shown() {
    let sandbox = Sandbox::start().await.unwrap();
    let service = connect_with(&sandbox, "wrong-secret-8471");
    let location = LocationId::new(1).unwrap();
    let error = service.location(location).list().collect().await.unwrap_err();
    assert!(error.is_credentials(), "{error}");
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains("wrong-secret-8471"), "{shown}");
    assert!(!shown.contains(&sandbox.connection().app_key), "{shown}");
}

#[tokio::test]
async fn people_methods_preferences_and_relationships() {
    let sandbox = Sandbox::start().await.unwrap();
    let service = connect(&sandbox);
    let created = service
        .people()
        .create(CreatePersonRequest::new().name("Dana Whitfield").title("Lead"))
        .await
        .unwrap();
    let person = service.person(created.id);
    let change = PersonChange::new().clear_title().archived(true);
    let updated = person.update(&change).await.unwrap();
    assert_eq!(updated.name.as_deref(), Some("Dana Whitfield"));
    assert_eq!((updated.title, updated.is_archived), (None, true));

    let method = ContactMethodRequest::new(ContactType::Email, "dana@site.example");
    let method = person.create_method(method).await.unwrap();
    let types = service.people().preference_types().await.unwrap();
    let name = &types.first().expect("a preference").name;
    let handle = person.method(method.id);
    let set = handle.set_preference(name, false.into()).await.unwrap();
    assert_eq!(set.as_bool(), Some(false));
    assert_eq!(handle.preference(name).await.unwrap(), set);

    let location = some_location(&service).await;
    let entity = RelatedEntityId::new(location.get()).unwrap();
    person.relate(RelatedEntityType::Location, entity).await.unwrap();
    let related = person.relationships(RelationshipFilter::new()).collect().await.unwrap();
    assert_eq!(related.len(), 1);
    person.unrelate(RelatedEntityType::Location, entity).await.unwrap();

    handle.delete().await.unwrap();
    person.delete().await.unwrap();
    assert!(person.get().await.unwrap_err().is_not_found());
    let error = person.unrelate(RelatedEntityType::Location, entity).await.unwrap_err();
    assert_eq!(error.refusal_kind(), Some(RefusalKind::Conflict));
}

#[tokio::test]
async fn one_429_in_the_middle_of_a_list_neither_ends_nor_empties_it() {
    let sandbox = Sandbox::start().await.unwrap();
    let service = connect(&sandbox);
    let location = some_location(&service).await;
    let whole = service.location(location).list().collect().await.unwrap();
    for (retry_after, refused) in [(true, 1), (false, 2)] {
        let fault = Fault::TooManyRequests { seconds: 1, retry_after };
        let rule = FaultRule::new(fault).operation("Locations_GetContactList").nth(2);
        sandbox.inject(FaultPlan::new().rule(rule));
        let list = service.location(location).list().page_size(2);
        assert_eq!(list.collect().await.unwrap(), whole);
        assert_eq!(sandbox.faults_injected()["too-many-requests"], refused);
    }
}

#[tokio::test]
async fn a_creation_whose_answer_is_lost_after_the_write_makes_one_contact() {
    let sandbox = Sandbox::start().await.unwrap();
    let service = connect(&sandbox);
    let location = some_location(&service).await;
    let rule = FaultRule::new(Fault::LostAnswer).operation("Locations_CreateContact");
    sandbox.inject(FaultPlan::new().rule(rule));
    let new = CreateContactRequest::new(ContactType::Email, "once@site.example");
    let contacts = service.location(location);
    let made = contacts.create_unless_present(new).await.unwrap();
    assert!(matches!(made, Creation::Created(_)), "{made:?}");
    assert_eq!(sandbox.faults_injected()["lost-answer"], 1);
    let stored = sandbox.location_contacts().unwrap();
    let count = stored.iter().filter(|c| c.value == "once@site.example").count();
    assert_eq!(count, 1);
}

#[tokio::test]
async fn a_delete_is_done_although_its_answer_is_lost() {
    let sandbox = Sandbox::start().await.unwrap();
    let service = connect(&sandbox);
    let location = some_location(&service).await;
    let contacts = service.location(location);
    let contact = contacts.list().collect().await.unwrap().remove(0);
    let rule = FaultRule::new(Fault::LostAnswer).operation("Locations_DeleteContact");
    sandbox.inject(FaultPlan::new().rule(rule));
    contacts.delete(contact.id).await.unwrap();
    assert_eq!(sandbox.faults_injected()["lost-answer"], 1);
    assert!(contacts.find(contact.id).await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn a_token_that_the_server_drops_is_replaced_without_the_caller_noticing() {
    let sandbox = Sandbox::start().await.unwrap();
    let service = connect(&sandbox);
    let location = some_location(&service).await;
    sandbox.revoke_tokens();
    service.location(location).list().collect().await.unwrap();
    let log = sandbox.log().into_iter();
    assert_eq!(log.filter(|request| request.operation == "Token").count(), 2);
}

#[tokio::test]
async fn a_missing_scope_is_named() {
    let sandbox =
        Sandbox::builder().set("scopes", "tn.crm.locations:r").unwrap().start().await.unwrap();
    let service = connect(&sandbox);
    let location = some_location(&service).await;
    let contacts = service.location(location);
    let contact = contacts.list().collect().await.unwrap().remove(0);
    let change = ContactChange::new().memo("Not allowed");
    let error = contacts.update(contact.id, &change).await.unwrap_err();
    assert_eq!(error.refusal_kind(), Some(RefusalKind::Forbidden));
    assert!(error.to_string().contains("tn.crm.locations:w"), "{error}");
}

#[tokio::test]
async fn a_server_of_three_flags_is_sent_three_also_for_a_contact_that_tells_none() {
    let sandbox =
        Sandbox::builder().set("preference-members", "three").unwrap().start().await.unwrap();
    let service = connect(&sandbox);
    let location = some_location(&service).await;
    let contacts = service.location(location);
    let request = CreateContactRequest::new(ContactType::Email, "untold@site.example");
    let created = contacts.create(request).await.unwrap();
    assert_eq!(created.preferences, None);
    let change = |flags| ContactChange::new().preferences(flags);
    let all = PreferenceChange::all(false);
    let apart = contacts.update(created.id, &change(all.invoices(true))).await.unwrap_err();
    assert!(apart.to_string().contains("single flag"), "{apart}");
    let updated = contacts.update(created.id, &change(all)).await.unwrap();
    assert!(updated.preferences.unwrap().derived());
}

#[tokio::test]
async fn a_server_of_three_flags_is_served_by_the_legacy_form() {
    let sandbox =
        Sandbox::builder().set("preference-members", "three").unwrap().start().await.unwrap();
    let service = connect(&sandbox).with_legacy_preferences();
    let location = some_location(&service).await;
    let contacts = service.location(location);
    let list = contacts.list().collect().await.unwrap();
    let contact = list.iter().find(|c| c.preferences.is_some()).unwrap();
    let now = contact.preferences.unwrap();
    assert!(now.derived());
    let flip = PreferenceChange::new().marketing_updates(!now.marketing_updates_enabled);
    let change = ContactChange::new().preferences(flip);
    let updated = contacts.update(contact.id, &change).await.unwrap();
    let after = updated.preferences.unwrap();
    assert_eq!(after.marketing_updates_enabled, !now.marketing_updates_enabled);
    assert_eq!(after.job_reminders_enabled, now.job_reminders_enabled);
}
