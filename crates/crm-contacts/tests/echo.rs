//! Answers that are not what was asked: read back first, and told as what they are.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::*;
use crm_contacts::{Advice, ContactsError, Creation};
use crm_models::{
    BookingId, BookingProviderId, ContactChange, ContactMethodId, ContactMethodRequest,
    ContactType, CreateContactRequest, CreatePersonRequest, PersonChange, PersonId,
    ReplacePersonRequest, UpdateBookingContactRequest, UpdateContactMethodRequest,
    UpdateMethodPreferenceRequest,
};

fn memo() -> ContactChange {
    ContactChange::new().memo("Gate code 4411")
}

fn with_memo(contact: &str) -> String {
    contact.replace("Site manager", "Gate code 4411")
}

fn listed(contact: &str) -> Step {
    ok(page(1, false, &[contact]))
}

#[tokio::test(start_paused = true)]
async fn an_answer_with_the_old_record_is_read_back_and_may_be_a_success() {
    let old = mobile(71_204);
    let (service, sent) = service([ok(&*old), listed(&old), listed(&with_memo(&old))]);
    let contacts = service.location(location());
    let updated = contacts.update(id(71_204), &memo()).await.unwrap();
    assert_eq!(updated.memo.as_deref(), Some("Gate code 4411"));
    assert_eq!(sent.count("PATCH"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_record_that_reads_back_as_it_was_is_not_changed_and_safe_to_repeat() {
    let old = mobile(71_204);
    let looks = [(); 3].map(|()| listed(&old));
    let script = [listed(&old), ok(&*old)].into_iter().chain(looks);
    let (service, sent) = service(script);
    let contacts = service.location(location());
    let error = contacts.update_if_changed(id(71_204), &memo()).await.unwrap_err();
    assert!(matches!(error, ContactsError::NotChanged(_)), "{error}");
    assert_eq!(error.advice(), Advice::Later);
    assert!(error.to_string().contains("safe to repeat"), "{error}");
    assert_eq!(sent.count("PATCH"), 1, "it is the caller who repeats it");
}

#[tokio::test(start_paused = true)]
async fn a_record_that_reads_back_otherwise_is_told_as_it_reads_back() {
    let old = mobile(71_204);
    let cut = old.replace("Site manager", "Gate code");
    let looks = [(); 3].map(|()| listed(&cut));
    let script = [listed(&old), ok(&*old)].into_iter().chain(looks);
    let (service, _) = service(script);
    let contacts = service.location(location());
    let error = contacts.update_if_changed(id(71_204), &memo()).await.unwrap_err();
    let ContactsError::EchoDiffers(echo) = &error else {
        panic!("another error: {error}");
    };
    assert_eq!(echo.answer.as_contact(), Some(&contact(&cut)));
    assert_eq!(echo.differences[0].field, "memo");
    assert_eq!(echo.differences[0].after.as_deref(), Some("Gate code"));
    assert_eq!(error.advice(), Advice::Done);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_differs_and_cannot_be_read_back_is_unknown() {
    let old = mobile(71_204);
    let script = [ok(&*old)].into_iter().chain([(); 3].map(|()| lost()));
    let (service, _) = service(script);
    let contacts = service.location(location());
    let error = contacts.update(id(71_204), &memo()).await.unwrap_err();
    assert!(error.outcome_is_unknown());
    assert!(error.to_string().contains("differs"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn an_unreadable_answer_that_cannot_be_read_back_is_unknown() {
    let script = [(); 4].map(|()| ok("<html>Welcome</html>"));
    let (service, _) = service(script);
    let contacts = service.location(location());
    let error = contacts.update(id(71_204), &memo()).await.unwrap_err();
    assert!(matches!(error, ContactsError::OutcomeUnknown { .. }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn an_update_answered_with_another_contact_is_read_back() {
    let (ours, other) = (mobile(3_001), mobile(3_002));
    let (service, _) = service([ok(with_memo(&other)), listed(&with_memo(&ours))]);
    let contacts = service.location(location());
    let updated = contacts.update(id(3_001), &memo()).await.unwrap();
    assert_eq!(updated.id, id(3_001));
}

#[tokio::test(start_paused = true)]
async fn an_update_answered_with_another_contact_is_unknown_when_it_does_not_show_up() {
    let other = with_memo(&mobile(3_002));
    let script = [ok(&*other)].into_iter().chain([(); 3].map(|()| lost()));
    let (service, _) = service(script);
    let contacts = service.location(location());
    let error = contacts.update(id(3_001), &memo()).await.unwrap_err();
    assert!(error.outcome_is_unknown());
    assert!(error.to_string().contains("another record"), "{error}");
}

/// Ids are unique for their owner only.
#[tokio::test(start_paused = true)]
async fn the_right_id_with_another_number_is_read_back_too() {
    let ours = mobile(3_001);
    for stranger in [ours.replace("8185550142", "2135550177"), ours.replace("MobilePhone", "Phone")]
    {
        let (service, _) =
            service([listed(&ours), ok(with_memo(&stranger)), listed(&with_memo(&ours))]);
        let contacts = service.location(location());
        let ensured = contacts.update_if_changed(id(3_001), &memo()).await.unwrap();
        assert_eq!(ensured.after, contact(&with_memo(&ours)));
    }
}

fn new() -> CreateContactRequest {
    CreateContactRequest::new(ContactType::MobilePhone, "(818) 555-0142")
}

#[tokio::test(start_paused = true)]
async fn a_creation_answered_with_another_contact_is_unknown() {
    let stranger = mobile(3_001).replace("8185550142", "2135550177");
    let landline = mobile(3_001).replace("MobilePhone", "Phone");
    for other in [stranger, landline] {
        let (service, _) = service([ok(other)]);
        let created = service.location(location()).create(new()).await;
        assert!(created.unwrap_err().outcome_is_unknown());
    }
    let (service, _) = service([ok(mobile(3_001))]);
    let contacts = service.location(location());
    let created = contacts.create_beside(new(), &[id(3_001)]).await;
    assert!(created.unwrap_err().outcome_is_unknown(), "it was there before");
}

#[tokio::test(start_paused = true)]
async fn a_creation_of_a_number_of_letters_may_come_back_as_digits() {
    let digits = mobile(3_001).replace("8185550142", "1800");
    let (service, _) = service([ok(digits)]);
    let flowers = CreateContactRequest::new(ContactType::MobilePhone, "1-800-FLOWERS");
    service.location(location()).create(flowers).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn create_unless_present_takes_no_contact_that_it_saw_before_for_the_new_one() {
    let other = mobile(3_001).replace("8185550142", "2135550177");
    let (service, sent) = service([
        listed(&other),
        // The right number under an id that the owner had already.
        ok(mobile(3_001)),
        ok(page(1, false, &[other.clone(), mobile(3_009)])),
    ]);
    let contacts = service.location(location());
    let created = contacts.create_unless_present(new()).await.unwrap();
    assert_eq!(created, Creation::Created(contact(&mobile(3_009))));
    assert_eq!(sent.count("POST"), 1);
}

const PERSON: &str = "3f9a2d54-7c1e-4b8f-a036-5d2c81e7f4b9";
const OTHER: &str = "7b41c9e2-05fa-4d67-9c38-e2a6f0815d3b";

fn person(id: &str, title: &str) -> String {
    format!(
        r#"{{"id":"{id}","name":"Jonas Lindqvist","title":"{title}","isArchived":false,
        "createdOn":"2026-04-12T14:05:09Z","createdBy":1,
        "modifiedOn":"2026-04-12T14:05:09Z","modifiedBy":1}}"#
    )
}

fn method(id: &str, contact: &str, value: &str) -> String {
    format!(
        r#"{{"id":"{id}","contactId":"{contact}","type":"Phone","value":"{value}","memo":"Desk",
        "createdOn":"2026-04-12T14:05:09Z","createdBy":1,
        "modifiedOn":"2026-04-12T14:05:09Z","modifiedBy":1}}"#
    )
}

fn looks(seen: &str) -> [Step; 3] {
    [(); 3].map(|()| ok(seen))
}

#[tokio::test(start_paused = true)]
async fn a_write_answered_with_another_person_is_unknown_or_read_back() {
    let id: PersonId = PERSON.parse().unwrap();
    let change = PersonChange::new().title("Owner");
    let (found, _) = service([
        ok(person(PERSON, "Manager")),
        ok(person(OTHER, "Owner")),
        ok(person(PERSON, "Owner")),
    ]);
    let updated = found.person(id).update(&change).await.unwrap();
    assert_eq!(updated.id, id);

    let script = [ok(person(OTHER, "Owner"))].into_iter();
    let (service, _) = service(script.chain(looks(&person(PERSON, "Manager"))));
    let request = ReplacePersonRequest::new(false).name("Jonas Lindqvist").title("Owner");
    let error = service.person(id).replace(request).await.unwrap_err();
    assert!(error.outcome_is_unknown());
}

#[tokio::test(start_paused = true)]
async fn a_read_answered_with_another_person_is_no_write_and_none_is_made_of_it() {
    let (service, sent) = service([ok(person(OTHER, "Manager"))]);
    let person = service.person(PERSON.parse().unwrap());
    let change = PersonChange::new().title("Owner");
    let error = person.update(&change).await.unwrap_err();
    assert!(matches!(error, ContactsError::AnotherRecord { .. }), "{error}");
    assert_eq!(error.advice(), Advice::Correct, "a read");
    assert_eq!(sent.count("PATCH"), 0);
}

#[tokio::test]
async fn a_creation_answered_with_another_person_or_method_is_unknown() {
    let (service, _) = service([
        ok(person(PERSON, "Owner")),
        ok(method(OTHER, PERSON, "2135550177")),
        ok(method(OTHER, OTHER, "8185550142")),
    ]);
    let request = CreatePersonRequest::new().name("Ada Quay");
    let error = service.people().create(request).await.unwrap_err();
    assert!(error.outcome_is_unknown());
    let person = service.person(PERSON.parse().unwrap());
    for _ in 0..2 {
        let request = ContactMethodRequest::new(ContactType::Phone, "8185550142");
        let error = person.create_method(request).await.unwrap_err();
        assert!(error.outcome_is_unknown());
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_answered_with_another_method_is_read_back() {
    let (person, id): (PersonId, ContactMethodId) =
        (PERSON.parse().unwrap(), OTHER.parse().unwrap());
    let desk = method(OTHER, PERSON, "8185550142");
    let (other_id, other_person) =
        (method(PERSON, PERSON, "8185550142"), method(OTHER, OTHER, "8185550142"));
    for other in [other_id, other_person] {
        let (service, _) = service([ok(&*other), ok(&*desk), ok(&*other), ok(&*desk)]);
        let method = service.person(person).method(id);
        let update = UpdateContactMethodRequest::new().memo("Desk");
        assert_eq!(method.update(update).await.unwrap().id, id);
        let request = ContactMethodRequest::new(ContactType::Phone, "8185550142").memo("Desk");
        assert_eq!(method.upsert(request).await.unwrap().contact_id, person);
    }
}

#[tokio::test(start_paused = true)]
async fn a_preference_answered_for_another_is_unknown_or_read_back() {
    let preference = |name: &str, value: bool| {
        format!(r#"{{"name":"{name}","dataType":"Bool","value":"{value}"}}"#)
    };
    let off = || UpdateMethodPreferenceRequest::from(false);
    let other = || ok(preference("Offers", false));
    let script = [other(), ok(preference("VisitNews", false)), other()];
    let unchanged = preference("VisitNews", true);
    let (service, _) = service(script.into_iter().chain(looks(&unchanged)));
    let person = service.person(PERSON.parse().unwrap());
    let method = person.method(OTHER.parse().unwrap());
    let set = method.set_preference("VisitNews", off()).await.unwrap();
    assert_eq!(set.name, "VisitNews");
    let error = method.set_preference("VisitNews", off()).await.unwrap_err();
    assert!(error.outcome_is_unknown());
}

#[tokio::test(start_paused = true)]
async fn a_write_answered_with_another_contact_of_the_booking_is_unknown() {
    let caller = |id: i64, value: &str| {
        format!(
            r#"{{"id":{id},"type":"Phone","value":"{value}","memo":"x",
            "modifiedOn":"2026-04-12T14:05:09Z"}}"#
        )
    };
    let script = [
        ok(caller(7, "2135550177")),
        ok(caller(8, "8185550142")),
        listed(&caller(7, "8185550142")),
    ];
    let (service, _) = service(script);
    let booking = service
        .provider_booking(BookingProviderId::new(501).unwrap(), BookingId::new(6_001).unwrap());
    let request = CreateContactRequest::new(ContactType::Phone, "8185550142");
    assert!(booking.create(request).await.unwrap_err().outcome_is_unknown());
    let update = UpdateBookingContactRequest::new().memo("x");
    assert_eq!(booking.update(id(7), update).await.unwrap().id, Some(id(7)));
}

#[tokio::test]
async fn a_list_with_the_contacts_of_other_owners_is_refused() {
    use crm_models::{ContactFilter, LocationId};

    let owned = |owner: i64| mobile(1).replacen('{', &format!(r#"{{"locationId":{owner},"#), 1);
    let filter = || ContactFilter::<LocationId>::new().owners([location()]);
    let (service, _) = service([
        ok(page(1, false, &[owned(55_021)])),
        ok(page(1, false, &[owned(55_021), owned(55_022)])),
    ]);
    assert_eq!(service.changed(filter()).collect().await.unwrap().len(), 1);
    let error = service.changed(filter()).collect().await.unwrap_err();
    assert!(matches!(error, ContactsError::AnotherRecord { .. }), "{error}");
    assert!(!error.outcome_is_unknown(), "a read");
}

/// A write of any kind whose answer is not as asked: read back, and told as what it is.
#[tokio::test(start_paused = true)]
async fn every_write_that_can_be_read_back_is_compared_with_what_was_asked() {
    let preference =
        |value: bool| format!(r#"{{"name":"VisitNews","dataType":"Bool","value":"{value}"}}"#);
    let (desk, other) = (method(OTHER, PERSON, "8185550142"), method(OTHER, PERSON, "2135550177"));
    for (answer, as_asked) in [
        (person(PERSON, "Manager"), person(PERSON, "Owner")),
        (other, desk),
        (preference(true), preference(false)),
    ] {
        let write = async |script: Vec<Step>| {
            let (service, _) = service(script);
            let person = service.person(PERSON.parse().unwrap());
            let method = person.method(OTHER.parse().unwrap());
            match &answer {
                answer if answer.contains("VisitNews") => {
                    let off = UpdateMethodPreferenceRequest::from(false);
                    method.set_preference("VisitNews", off).await.map(drop)
                }
                answer if answer.contains("contactId") => {
                    let all = ContactMethodRequest::new(ContactType::Phone, "(818) 555-0142");
                    method.upsert(all.memo("Desk")).await.map(drop)
                }
                _ => {
                    let all = ReplacePersonRequest::new(false).name("Jonas Lindqvist");
                    person.replace(all.title("Owner")).await.map(drop)
                }
            }
        };
        write(vec![ok(&*as_asked)]).await.unwrap();
        write(vec![ok(&*answer), ok(&*as_asked)]).await.unwrap();
        let looks = looks(&answer).into_iter();
        let differs = write([ok(&*answer)].into_iter().chain(looks).collect()).await;
        let differs = differs.unwrap_err();
        assert!(matches!(differs, ContactsError::EchoDiffers(_)), "{differs}");
        let lost = [ok(&*answer), lost(), lost(), lost()];
        let unknown = write(lost.into_iter().collect()).await.unwrap_err();
        assert!(unknown.outcome_is_unknown(), "{unknown}");
    }
}
