//! Writes that rest on a reading: bounded by its age, and decided again on a fresh look.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::time::Duration;

use common::*;
use crm_contacts::{ContactsError, Creation, DECISION_AGE, Reading};
use crm_models::{
    ContactChange, ContactType, CreateContactRequest, PersonChange, PreferenceChange, Timestamp,
};
use crm_transport::{Delivery, Moment, pretend_suspended};
use tokio::time::Instant;

fn no_marketing() -> ContactChange {
    ContactChange::new().preferences(PreferenceChange::new().marketing_updates(false))
}

fn off(contact: &str, flag: &str) -> String {
    contact.replace(&format!(r#""{flag}":true"#), &format!(r#""{flag}":false"#))
}

fn without_marketing(contact: &str) -> String {
    off(contact, "marketingUpdatesEnabled")
}

fn without_reminders(contact: &str) -> String {
    off(contact, "jobRemindersEnabled")
}

fn listed(contact: &str) -> Step {
    ok(page(1, false, &[contact]))
}

fn seen() -> Timestamp {
    contact(&mobile(71_204)).modified_on
}

/// The contact as somebody else left it a moment later.
fn modified(contact: &str) -> String {
    contact.replace("16:04:11", "16:04:13").replace("Site manager", "Ring twice")
}

#[tokio::test(start_paused = true)]
async fn what_a_reading_decides_leaves_within_two_seconds_of_it() {
    let present = mobile(71_204);
    let done = without_marketing(&present);
    let (service, sent) = service([
        listed(&present),
        ok(&*done),
        listed(&present),
        ok(&*done),
        listed(&present),
        ok(&*done),
        ok(&*done),
        listed(&mobile(1).replace("8185550142", "2135550177")),
        ok(&*present),
    ]);
    let contacts = service.location(location());
    let (id, change) = (id(71_204), no_marketing());
    contacts.update(id, &change).await.unwrap();
    contacts.update_if_changed(id, &change).await.unwrap();
    contacts.update_if_unmodified_since(id, &change, seen()).await.unwrap();
    contacts.update_from(contact(&present), &change, None).await.unwrap();
    let new = CreateContactRequest::new(ContactType::MobilePhone, "8185550142");
    contacts.create_unless_present(new).await.unwrap();
    let now = Moment::now();
    for call in sent.writes() {
        let begin_by = call.begin_by.expect("bounded");
        assert_eq!(begin_by.since(now), DECISION_AGE, "{}", call.operation);
        assert!(!call.resend);
    }
    assert_eq!(sent.writes().len(), 5);
}

#[tokio::test(start_paused = true)]
async fn what_rests_on_no_reading_may_leave_at_any_time() {
    let (service, sent) = service([ok(mobile(71_204)), ok(""), ok(mobile(71_204))]);
    let contacts = service.location(location());
    let change = ContactChange::new().memo("Site manager");
    contacts.update(id(71_204), &change).await.unwrap();
    contacts.delete(id(71_204)).await.unwrap();
    let new = CreateContactRequest::new(ContactType::MobilePhone, "8185550142");
    contacts.create(new).await.unwrap();
    assert!(sent.writes().iter().all(|call| call.begin_by.is_none()));
}

#[tokio::test(start_paused = true)]
async fn the_age_of_a_reading_goes_on_while_the_machine_sleeps() {
    let present = mobile(71_204);
    let (service, sent) = service([listed(&present), ok(without_marketing(&present))]);
    let contacts = service.location(location());
    let reading = contacts.read(id(71_204)).await.unwrap();
    pretend_suspended(Duration::from_secs(10));
    contacts.update_from(reading, &no_marketing(), None).await.unwrap();
    assert!(sent.writes()[0].begin_by.unwrap().has_passed());
}

/// 429 for four seconds, and meanwhile a person turns job reminders off.
#[tokio::test(start_paused = true)]
async fn flags_are_completed_by_what_they_are_when_the_write_leaves() {
    let (present, meanwhile) = (mobile(71_204), without_reminders(&mobile(71_204)));
    let started = Instant::now();
    let (service, sent) = service([
        listed(&present),
        Step::Wait(429, 4),
        listed(&meanwhile),
        ok(without_marketing(&meanwhile)),
    ]);
    let contacts = service.location(location());
    let ensured = contacts.update_if_changed(id(71_204), &no_marketing()).await.unwrap();
    assert_eq!(ensured.before, contact(&meanwhile), "what decided the write");
    let last = &sent.lines()[3];
    assert!(last.contains(r#""jobRemindersEnabled":false"#), "{last}");
    assert!(started.elapsed() >= Duration::from_secs(4), "as long as asked");
    assert!(!sent.writes()[1].resend, "the first was not executed");
}

#[tokio::test(start_paused = true)]
async fn a_write_that_did_not_leave_in_time_is_decided_again() {
    let (present, meanwhile) = (mobile(71_204), without_reminders(&mobile(71_204)));
    let (service, sent) = service([
        listed(&present),
        expired(),
        listed(&meanwhile),
        expired(),
        listed(&without_marketing(&meanwhile)),
    ]);
    let contacts = service.location(location());
    let ensured = contacts.update_if_changed(id(71_204), &no_marketing()).await.unwrap();
    assert!(ensured.differences().is_empty(), "somebody else did it");
    assert_eq!(sent.count("PATCH"), 2);
}

#[tokio::test(start_paused = true)]
async fn guard_refuses_what_was_changed_while_the_write_waited() {
    let present = mobile(71_204);
    for (refused, earlier) in [
        (expired(), Delivery::NotExecuted),
        (Step::Wait(429, 4), Delivery::NotExecuted),
        (status(409, r#"{"title":"Down for maintenance"}"#), Delivery::NotExecuted),
    ] {
        let (service, sent) = service([listed(&present), refused, listed(&modified(&present))]);
        let contacts = service.location(location());
        let guarded =
            contacts.update_if_unmodified_since(id(71_204), &no_marketing(), seen()).await;
        let error = guarded.unwrap_err();
        assert!(
            matches!(error, ContactsError::Modified { earlier: it, .. } if it == earlier),
            "{error}"
        );
        assert!(error.to_string().contains("nothing was written"), "{error}");
        assert_eq!(sent.count("PATCH"), 1);
    }
}

/// 503 with `Retry-After: 4`, and after two seconds somebody else writes.
#[tokio::test(start_paused = true)]
async fn guard_makes_no_second_change_to_what_was_changed_since() {
    let present = mobile(71_204);
    let newer = modified(&present);
    for lost in [Step::Wait(503, 4), lost()] {
        let (service, sent) = service([
            listed(&present),
            lost,
            listed(&present),
            listed(&present),
            listed(&newer),
            listed(&newer),
        ]);
        let contacts = service.location(location());
        let guarded =
            contacts.update_if_unmodified_since(id(71_204), &no_marketing(), seen()).await;
        let error = guarded.unwrap_err();
        assert!(
            matches!(error, ContactsError::Modified { earlier: Delivery::Unknown, .. }),
            "{error}"
        );
        assert!(!error.to_string().contains("nothing was written"), "{error}");
        assert_eq!(sent.count("PATCH"), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn guard_knows_its_own_lost_write_by_what_it_was_to_be() {
    let present = mobile(71_204);
    let ours = without_marketing(&present).replace("16:04:11", "16:04:12");
    let (service, _) = service([listed(&present), lost(), listed(&ours)]);
    let contacts = service.location(location());
    let guarded = contacts.update_if_unmodified_since(id(71_204), &no_marketing(), seen()).await;
    assert_eq!(guarded.unwrap().after, contact(&ours));
}

#[tokio::test(start_paused = true)]
async fn a_lost_write_is_made_once_more_after_the_asked_wait_and_marked() {
    let (present, meanwhile) = (mobile(71_204), without_reminders(&mobile(71_204)));
    let looks = [(); 3].map(|()| listed(&present));
    let again = [listed(&meanwhile), ok(without_marketing(&meanwhile))];
    let script = [listed(&present), Step::Wait(503, 30)].into_iter();
    let started = Instant::now();
    let (service, sent) = service(script.chain(looks).chain(again));
    let contacts = service.location(location());
    let ensured = contacts.update_if_changed(id(71_204), &no_marketing()).await.unwrap();
    assert_eq!(ensured.before, contact(&meanwhile));
    assert!(started.elapsed() >= Duration::from_secs(30), "as long as asked");
    let resent: Vec<_> = sent.writes().iter().map(|call| call.resend).collect();
    assert_eq!(resent, [false, true]);
}

#[tokio::test(start_paused = true)]
async fn a_decision_is_made_again_for_as_long_as_the_call_may_take() {
    let present = mobile(71_204);
    let rounds = |count| (0..count).flat_map(|_| [listed(&mobile(71_204)), Step::Wait(429, 7)]);
    let change = no_marketing();

    let started = Instant::now();
    let (endless, _) = service(rounds(60));
    let contacts = endless.location(location());
    let error = contacts.update_if_changed(id(71_204), &change).await.unwrap_err();
    assert_eq!(error.refusal().unwrap().status, 429);
    let elapsed = started.elapsed();
    assert!(elapsed > Duration::from_secs(280) && elapsed <= Duration::from_secs(300));

    let deadline = Instant::now() + Duration::from_secs(10);
    let (short, sent) = service(rounds(9));
    let short = short.with_deadline(deadline);
    let error = short.location(location()).update_if_changed(id(71_204), &change).await;
    assert_eq!(error.unwrap_err().refusal().unwrap().status, 429);
    assert!(Instant::now() <= deadline);
    assert_eq!(sent.count("PATCH"), 2);

    // Nobody wants it after this moment, however often it is decided again.
    let (late, sent) = service([listed(&present), expired()]);
    let late = late.with_begin_by(Moment::now());
    let error = late.location(location()).update_if_changed(id(71_204), &change).await;
    assert!(error.unwrap_err().transport_error().is_some());
    assert_eq!(sent.count("PATCH"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_write_that_never_leaves_is_not_decided_in_a_busy_loop() {
    let rounds = (0..100).flat_map(|_| [listed(&mobile(71_204)), expired()]);
    let (service, sent) = service(rounds);
    let service = service.with_deadline(Instant::now() + Duration::from_secs(60));
    let contacts = service.location(location());
    contacts.update_if_changed(id(71_204), &no_marketing()).await.unwrap_err();
    assert!(sent.count("PATCH") < 30, "{}", sent.count("PATCH"));
}

const PERSON: &str = "3f9a2d54-7c1e-4b8f-a036-5d2c81e7f4b9";

fn person(name: &str, title: &str) -> Step {
    ok(format!(
        r#"{{"id":"{PERSON}","name":"{name}","title":"{title}","isArchived":false,
        "createdOn":"2026-04-12T14:05:09Z","createdBy":1,
        "modifiedOn":"2026-04-12T14:05:09Z","modifiedBy":1}}"#
    ))
}

#[tokio::test(start_paused = true)]
async fn a_person_is_completed_by_what_they_are_when_the_write_leaves() {
    let (service, sent) = service([
        person("Ada Quay", "Manager"),
        Step::Wait(429, 4),
        person("Ada Harbor", "Manager"),
        lost(),
        person("Ada Harbor", "Manager"),
        person("Ada Harbor", "Manager"),
        person("Ada Mole", "Manager"),
        person("Ada Mole", "Owner"),
    ]);
    let change = PersonChange::new().title("Owner");
    let person = service.person(PERSON.parse().unwrap());
    let updated = person.update(&change).await.unwrap();
    assert_eq!(updated.name.as_deref(), Some("Ada Mole"));
    let lines = sent.lines();
    let names = ["Ada Quay", "Ada Harbor", "Ada Mole"];
    let patches = lines.iter().filter(|line| line.starts_with("PATCH"));
    for (patch, name) in patches.zip(names) {
        assert!(patch.contains(name), "{patch}");
    }
    let writes = sent.writes();
    assert!(writes.iter().all(|call| call.begin_by.is_some()));
    let resent: Vec<_> = writes.iter().map(|call| call.resend).collect();
    assert_eq!(resent, [false, false, true]);
}

#[tokio::test(start_paused = true)]
async fn a_creation_that_waited_looks_again_first() {
    let other = mobile(1).replace("8185550142", "2135550177");
    let both = || ok(page(1, false, &[other.clone(), mobile(2)]));
    for refused in [expired(), Step::Wait(429, 4)] {
        let (service, sent) = service([listed(&other), refused, both()]);
        let contacts = service.location(location());
        let new = CreateContactRequest::new(ContactType::MobilePhone, "8185550142");
        let created = contacts.create_unless_present(new).await.unwrap();
        assert_eq!(created, Creation::Present(contact(&mobile(2))));
        assert_eq!(sent.count("POST"), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn send_on_leaves_the_fresh_look_to_its_caller() {
    let present = mobile(71_204);
    let update = || crm_models::UpdateContactRequest::new().memo("Gate code 4411");
    let looks = [(); 3].map(|()| listed(&present));
    let (service, sent) = service([expired(), ok(&*present)].into_iter().chain(looks));
    let contacts = service.location(location());
    let reading = Reading::from(contact(&present));
    let error = contacts.send_on(&reading, update()).await.unwrap_err();
    assert!(!error.outcome_is_unknown());
    let error = contacts.send_on(&reading, update()).await.unwrap_err();
    assert!(matches!(error, ContactsError::NotChanged(_)), "{error}");
    assert_eq!(sent.writes()[1].begin_by, Some(reading.begin_by()));
}
