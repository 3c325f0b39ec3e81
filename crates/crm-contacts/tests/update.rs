//! Updates of the three kinds over a mocked transport.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::time::Duration;

use common::*;
use crm_contacts::{Advice, ContactsError, ContactsService};
use crm_models::{ContactChange, ContactType, PreferenceChange, TenantId};
use crm_transport::{Call, Delivery, MockTransport, TransportError, TransportErrorKind};
use tokio::time::Instant;

const LIST: &str = "GET /locations/55021/contacts?page=1&pageSize=500";
const NO_MARKETING: &str = concat!(
    r#"{"preferences":{"jobRemindersEnabled":true,"marketingUpdatesEnabled":false,"#,
    r#""invoiceStatementNotification":false,"invoiceNotification":true,"#,
    r#""statementNotification":false}}"#
);

fn no_marketing() -> ContactChange {
    ContactChange::new().preferences(PreferenceChange::new().marketing_updates(false))
}

fn without_marketing(id: i64) -> String {
    mobile(id).replace(r#""marketingUpdatesEnabled":true"#, r#""marketingUpdatesEnabled":false"#)
}

#[tokio::test]
async fn a_change_of_the_memo_is_one_request_with_the_memo_alone() {
    let (service, sent) = service([ok(mobile(71_204).replace("Site manager", "Gate code 4411"))]);
    let change = ContactChange::new().memo("Gate code 4411");
    let updated = service.location(location()).update(id(71_204), &change).await.unwrap();
    assert_eq!(updated.memo.as_deref(), Some("Gate code 4411"));
    assert_eq!(
        sent.lines(),
        [r#"PATCH /locations/55021/contacts/71204 {"memo":"Gate code 4411"}"#]
    );
}

#[tokio::test]
async fn one_preference_flag_reads_first_and_sends_all_five() {
    let (service, sent) = service([
        ok(page(1, true, &[mobile(1)])),
        ok(page(2, false, &[mobile(71_204)])),
        ok(without_marketing(71_204)),
    ]);
    service.location(location()).update(id(71_204), &no_marketing()).await.unwrap();
    assert_eq!(
        sent.lines(),
        [
            LIST.to_owned(),
            LIST.replace("page=1", "page=2"),
            format!("PATCH /locations/55021/contacts/71204 {NO_MARKETING}"),
        ]
    );
}

#[tokio::test]
async fn complete_preferences_are_sent_in_the_form_that_is_read_first() {
    let (service, sent) =
        service([ok(page(1, false, &[mobile(71_204)])), ok(without_marketing(71_204))]);
    let all = PreferenceChange::new()
        .job_reminders(true)
        .marketing_updates(false)
        .invoices(true)
        .statements(false);
    let change = ContactChange::new().preferences(all);
    service.location(location()).update(id(71_204), &change).await.unwrap();
    assert!(sent.lines()[1].ends_with(NO_MARKETING));
    assert_eq!(sent.count("GET"), 1);
}

/// The same contact as a service of three flags answers it.
fn of_three(contact: &str, alike: bool) -> String {
    let combined = contact.replace(
        r#""invoiceStatementNotification":false"#,
        &format!(r#""invoiceStatementNotification":{alike}"#),
    );
    let (start, _) = combined.split_once(r#","invoiceNotification""#).unwrap();
    format!("{start}}}}}")
}

#[tokio::test(start_paused = true)]
async fn a_service_of_three_flags_is_sent_three() {
    let read = of_three(&mobile(71_204), true);
    let done = of_three(&without_marketing(71_204), true);
    let all = PreferenceChange::new()
        .job_reminders(true)
        .marketing_updates(false)
        .invoices_and_statements(true);
    for change in [no_marketing(), ContactChange::new().preferences(all)] {
        let (service, sent) = service([ok(page(1, false, &[&read])), ok(&*done)]);
        let contacts = service.location(location());
        let ensured = contacts.update_if_changed(id(71_204), &change).await.unwrap();
        let changed: Vec<_> = ensured.differences().into_iter().map(|d| d.field).collect();
        assert_eq!(changed, ["preferences.marketingUpdatesEnabled"]);
        let body = concat!(
            r#"{"preferences":{"jobRemindersEnabled":true,"marketingUpdatesEnabled":false,"#,
            r#""invoiceStatementNotification":true}}"#
        );
        assert!(sent.lines()[1].ends_with(body), "{:?}", sent.lines());
    }
}

#[tokio::test]
async fn what_three_flags_cannot_say_is_refused_before_it_is_sent() {
    let preferences = PreferenceChange::new();
    for (alike, apart) in [
        (true, preferences.invoices(false)),
        (true, preferences.statements(false)),
        (false, preferences.invoices(true)),
        (false, PreferenceChange::all(false).statements(true)),
    ] {
        let read = of_three(&mobile(71_204), alike);
        let (service, sent) = service([(); 3].map(|()| ok(page(1, false, &[&read]))));
        let change = ContactChange::new().preferences(apart);
        let contacts = service.location(location());
        let updated = contacts.update(id(71_204), &change).await.unwrap_err();
        let ensured = contacts.update_if_changed(id(71_204), &change).await.unwrap_err();
        for error in [updated, ensured] {
            assert!(error.to_string().contains("single flag"), "{error}");
            assert_eq!(error.advice(), Advice::Correct);
        }
        assert_eq!(sent.count("PATCH"), 0);
    }
}

/// The contact as a list over all owners has it.
fn owned(contact: &str) -> String {
    contact.replacen('{', r#"{"locationId":55022,"#, 1)
}

/// A contact of which the service does not tell what it receives.
const UNTOLD: &str = r#"{"id":71204,"type":"Email","value":"a@site.example","preferences":null,
    "modifiedOn":"2026-01-01T00:00:00Z"}"#;

#[tokio::test]
async fn where_a_contact_tells_no_flags_others_show_the_form_in_which_they_are_sent() {
    const OTHERS: &str = concat!(
        "GET /locations/contacts?modifiedOnOrAfter=1970-01-01T00%3A00%3A00Z",
        "&page=1&pageSize=500"
    );
    let flags = |flags: &str| {
        let told = format!(r#""preferences":{{{flags}}}"#);
        UNTOLD.replace(r#""preferences":null"#, &told)
    };
    let all = ContactChange::new().preferences(PreferenceChange::all(true));
    let three = r#""jobRemindersEnabled":true,"marketingUpdatesEnabled":true,"invoiceStatementNotification":true"#;
    let five = format!(r#"{three},"invoiceNotification":true,"statementNotification":true"#);
    for (others, body) in [
        (page(1, true, &[owned(UNTOLD), owned(&of_three(&mobile(1), true))]), three),
        (page(1, true, &[owned(UNTOLD), owned(&mobile(1))]), &five),
        (page(1, false, &[owned(UNTOLD)]), &five),
    ] {
        let mut sent_updates = Vec::new();
        for is_read in [true, false] {
            let read = is_read.then(|| ok(page(1, false, &[UNTOLD])));
            let rest = [ok(others.clone()), ok(flags(body))];
            let (service, sent) = service(read.into_iter().chain(rest));
            let contacts = service.location(location());
            if is_read {
                contacts.update(id(71_204), &all).await.unwrap();
            } else {
                let current: crm_models::Contact = serde_json::from_str(UNTOLD).unwrap();
                contacts.update_from(current, &all, None).await.unwrap();
            }
            let mut lines = sent.lines();
            if is_read {
                assert_eq!(lines.remove(0), LIST);
            }
            assert_eq!(lines.remove(0), OTHERS);
            sent_updates.extend(lines);
        }
        let update =
            format!(r#"PATCH /locations/55021/contacts/71204 {{"preferences":{{{body}}}}}"#);
        assert_eq!(sent_updates, [update.clone(), update]);
    }
}

#[tokio::test]
async fn a_wish_that_the_form_of_others_cannot_express_is_refused_before_it_is_sent() {
    let others = owned(&of_three(&mobile(1), true));
    let (service, sent) = service([ok(page(1, false, &[UNTOLD])), ok(page(1, false, &[&others]))]);
    let apart = PreferenceChange::all(true).invoices(false);
    let change = ContactChange::new().preferences(apart);
    let error = service.location(location()).update(id(71_204), &change).await.unwrap_err();
    assert!(error.to_string().contains("single flag"), "{error}");
    assert_eq!(sent.count("PATCH"), 0);
}

#[tokio::test]
async fn the_legacy_form_sends_three_flags() {
    let answer = without_marketing(71_204)
        .replace(r#""invoiceNotification":true"#, r#""invoiceNotification":false"#);
    let (service, sent) = service([ok(answer)]);
    let all = PreferenceChange::all(false).job_reminders(true);
    let change = ContactChange::new().preferences(all);
    let service = service.with_legacy_preferences();
    service.location(location()).update(id(71_204), &change).await.unwrap();
    let body = concat!(
        r#"{"preferences":{"jobRemindersEnabled":true,"marketingUpdatesEnabled":false,"#,
        r#""invoiceStatementNotification":false}}"#
    );
    assert_eq!(sent.lines(), [format!("PATCH /locations/55021/contacts/71204 {body}")]);
}

#[tokio::test]
async fn unknown_preferences_and_one_flag_are_refused_with_the_flags_to_give() {
    let (service, sent) = service([ok(page(1, false, &[UNTOLD]))]);
    let error = service.location(location()).update(id(71_204), &no_marketing()).await.unwrap_err();
    assert!(matches!(error, ContactsError::Preferences { .. }));
    let text = error.to_string();
    for flag in ["jobRemindersEnabled", "invoiceNotification", "statementNotification"] {
        assert!(text.contains(flag), "{text}");
    }
    assert!(text.contains("/locations/55021/contacts/71204"), "{text}");
    assert_eq!(sent.count("PATCH"), 0);
}

#[tokio::test]
async fn nothing_is_sent_for_an_empty_or_invalid_change() {
    for change in [ContactChange::new(), ContactChange::new().value("\u{1}")] {
        let (service, sent) = service([]);
        let error = service.location(location()).update(id(1), &change).await.unwrap_err();
        assert!(matches!(error, ContactsError::Invalid(_)), "{error}");
        assert_eq!(sent.lines(), [""; 0]);
    }
}

#[tokio::test]
async fn what_the_contact_may_have_already_is_judged_after_the_read_and_never_written() {
    let vertical_tab = "Front\u{b}door";
    let has_it = mobile(71_204).replace("Site manager", r"Front\u000bdoor");
    let change = no_marketing().memo(vertical_tab);
    let done = without_marketing(71_204).replace("Site manager", r"Front\u000bdoor");
    let (passed, _) = service([ok(page(1, false, &[has_it])), ok(done)]);
    let contacts = passed.location(location());
    contacts.update_if_changed(id(71_204), &change).await.unwrap();

    let (refused, sent) = service([ok(page(1, false, &[mobile(71_204)]))]);
    let contacts = refused.location(location());
    let error = contacts.update_if_changed(id(71_204), &change).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "invalid input, nothing was written: memo holds a control character"
    );
    assert_eq!(sent.lines(), [LIST]);
}

#[tokio::test]
async fn a_number_written_otherwise_is_no_difference() {
    let change = ContactChange::new().value("(818) 555-0142");
    let (agreeing, _) = service([ok(mobile(71_204))]);
    agreeing.location(location()).update(id(71_204), &change).await.unwrap();
}

#[tokio::test]
async fn ensure_sends_nothing_when_the_contact_is_so_already() {
    let (service, sent) = service([ok(page(1, false, &[mobile(71_204)]))]);
    let change = ContactChange::new().memo("Site manager").value("+1 818 555 0142");
    let ensured =
        service.location(location()).update_if_changed(id(71_204), &change).await.unwrap();
    assert!(ensured.differences().is_empty());
    assert_eq!(sent.lines(), [LIST]);
}

#[tokio::test]
async fn ensure_sends_only_what_differs_and_tells_it() {
    let (service, sent) =
        service([ok(page(1, false, &[mobile(71_204)])), ok(without_marketing(71_204))]);
    let change = no_marketing().memo("Site manager");
    let ensured =
        service.location(location()).update_if_changed(id(71_204), &change).await.unwrap();
    let changed: Vec<_> = ensured.differences().into_iter().map(|d| d.field).collect();
    assert_eq!(changed, ["preferences.marketingUpdatesEnabled"]);
    assert!(sent.lines()[1].ends_with(NO_MARKETING));
}

/// What no rule would let through as a new value.
const TWO_ADDRESSES: &str = "a@site.example; b@site.example";

fn two_addresses(contact: &str) -> String {
    let value = format!(r#""value":"{TWO_ADDRESSES}""#);
    contact.replace("MobilePhone", "Email").replace(r#""value":"8185550142""#, &value)
}

#[tokio::test]
async fn update_does_not_judge_what_the_contact_has_already() {
    let read = || ok(page(1, false, &[two_addresses(&mobile(71_204))]));
    let done = ok(two_addresses(&without_marketing(71_204)));
    let (service, sent) = service([read(), done, read()]);
    let change = no_marketing().value(TWO_ADDRESSES);
    let contacts = service.location(location());
    contacts.update(id(71_204), &change).await.unwrap();
    assert_eq!(sent.count("PATCH"), 1);

    let other = no_marketing().value("a@site.example; c@site.example");
    let error = contacts.update(id(71_204), &other).await.unwrap_err();
    assert!(matches!(error, ContactsError::Invalid(_)), "{error}");
    assert_eq!(sent.count("PATCH"), 1);
}

#[tokio::test]
async fn ensure_does_not_judge_what_the_contact_has_already() {
    let email = |memo: &str| two_addresses(&mobile(71_204)).replace("Site manager", memo);
    let page = page(1, false, &[email("Site manager")]);
    let (service, sent) = service([ok(page), ok(email("Both"))]);
    let change =
        ContactChange::new().contact_type(ContactType::Email).value(TWO_ADDRESSES).memo("Both");
    let contacts = service.location(location());
    contacts.update_if_changed(id(71_204), &change).await.unwrap();
    assert!(sent.lines()[1].ends_with(r#"{"memo":"Both"}"#));
}

#[tokio::test]
async fn a_contact_of_an_unknown_type_may_get_any_value_once_it_was_read() {
    let messenger = |value: &str| {
        mobile(71_204)
            .replace("MobilePhone", "Messenger")
            .replace(r#""value":"8185550142""#, &format!(r#""value":"{value}""#))
    };
    let read = || ok(page(1, false, &[messenger("@harbordental")]));
    let change = ContactChange::new().value("@harbor");
    let (ensuring, _) = service([read(), ok(messenger("@harbor"))]);
    let contacts = ensuring.location(location());
    contacts.update_if_changed(id(71_204), &change).await.unwrap();

    let change = change.preferences(PreferenceChange::new().marketing_updates(true));
    let (updating, _) = service([read(), ok(messenger("@harbor"))]);
    let contacts = updating.location(location());
    contacts.update(id(71_204), &change).await.unwrap();

    let (telephone, sent) = service([ok(page(1, false, &[mobile(71_204)]))]);
    let contacts = telephone.location(location());
    let error = contacts.update_if_changed(id(71_204), &change).await.unwrap_err();
    assert!(matches!(error, ContactsError::Invalid(_)), "{error}");
    assert_eq!(sent.count("PATCH"), 0);
}

#[tokio::test]
async fn guard_refuses_a_contact_that_was_changed_since() {
    let seen = "2026-05-27T16:04:11.4827192Z".parse().unwrap();
    let (refused, sent) = service([ok(page(1, false, &[mobile(71_204)]))]);
    let error = refused
        .location(location())
        .update_if_unmodified_since(id(71_204), &no_marketing(), seen)
        .await
        .unwrap_err();
    assert!(matches!(error, ContactsError::Modified { .. }), "{error}");
    assert_eq!(sent.count("PATCH"), 0);

    let seen = "2026-05-27T16:04:11.4827193Z".parse().unwrap();
    let (passed, _) =
        service([ok(page(1, false, &[mobile(71_204)])), ok(without_marketing(71_204))]);
    passed
        .location(location())
        .update_if_unmodified_since(id(71_204), &no_marketing(), seen)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_contact_that_the_list_lacks_is_not_found() {
    let (service, _) = service([ok(page::<&str>(1, false, &[]))]);
    let error = service.location(location()).find(id(999_999)).await.unwrap_err();
    assert!(error.is_not_found());
    assert!(error.to_string().contains("no contact 999999"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_a_success_when_the_contact_reads_back_as_asked() {
    let change = ContactChange::new().memo("Gate code 4411");
    let done = mobile(71_204).replace("Site manager", "Gate code 4411");
    let (service, sent) = service([lost(), ok(page(1, false, &[done]))]);
    let updated = service.location(location()).update(id(71_204), &change).await.unwrap();
    assert_eq!(updated.memo.as_deref(), Some("Gate code 4411"));
    assert_eq!(sent.count("PATCH"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_lost_update_is_repeated_once_and_then_reported_as_unknown() {
    let change = ContactChange::new().memo("Gate code 4411");
    let unchanged = || ok(page(1, false, &[mobile(71_204)]));
    let (service, sent) = service([
        status(504, "<html>time-out</html>"),
        unchanged(),
        unchanged(),
        unchanged(),
        lost(),
        unchanged(),
        unchanged(),
        unchanged(),
    ]);
    let error = service.location(location()).update(id(71_204), &change).await.unwrap_err();
    assert!(matches!(error, ContactsError::OutcomeUnknown { .. }), "{error}");
    assert!(error.outcome_is_unknown());
    assert_eq!(sent.count("PATCH"), 2);
}

#[tokio::test(start_paused = true)]
async fn a_list_that_lags_is_read_again_before_an_update_is_repeated() {
    let change = ContactChange::new().memo("Gate code 4411");
    let done = mobile(71_204).replace("Site manager", "Gate code 4411");
    let (service, sent) =
        service([lost(), ok(page(1, false, &[mobile(71_204)])), ok(page(1, false, &[done]))]);
    let contacts = service.location(location());
    contacts.update(id(71_204), &change).await.unwrap();
    assert_eq!(sent.count("PATCH"), 1);
}

/// The flags that an update only completes were read before: what others set meanwhile stays.
#[tokio::test(start_paused = true)]
async fn what_somebody_else_changed_meanwhile_is_not_set_back_by_a_repeat() {
    let others = |contact: String| {
        let without = r#""jobRemindersEnabled":false"#;
        contact.replace(r#""jobRemindersEnabled":true"#, without)
    };
    let lists = |contact: String| [(); 3].map(|()| ok(page(1, false, &[&contact])));

    let read = ok(page(1, false, &[mobile(71_204)]));
    let script = [read, lost()].into_iter();
    let script = script.chain(lists(others(without_marketing(71_204))));
    let (done, sent) = service(script);
    let contacts = done.location(location());
    contacts.update(id(71_204), &no_marketing()).await.unwrap();
    assert_eq!(sent.count("PATCH"), 1, "the change was made");

    let read = ok(page(1, false, &[mobile(71_204)]));
    let script = [read, lost()].into_iter().chain(lists(others(mobile(71_204))));
    let script = script.chain([ok(others(without_marketing(71_204)))]);
    let (repeated, sent) = service(script);
    let contacts = repeated.location(location());
    contacts.update(id(71_204), &no_marketing()).await.unwrap();
    let repeat = others(NO_MARKETING.to_owned());
    assert!(sent.lines().last().unwrap().ends_with(&repeat));
}

#[tokio::test(start_paused = true)]
async fn an_update_refused_after_a_lost_attempt_is_read_back() {
    let change = ContactChange::new().memo("Gate code 4411");
    let done = || ok(page(1, false, &[mobile(71_204).replace("Site manager", "Gate code 4411")]));
    for refused in [429, 404, 401, 400] {
        let last = Step::AnswerAfter(Delivery::Unknown, refused, String::new());
        let (service, sent) = service([last, done()]);
        let updated = service.location(location()).update(id(71_204), &change).await;
        assert_eq!(updated.unwrap().memo.as_deref(), Some("Gate code 4411"));
        assert_eq!(sent.count("PATCH"), 1);

        let (service, _) =
            self::service([Step::AnswerAfter(Delivery::NotExecuted, refused, String::new())]);
        let error = service.location(location()).update(id(71_204), &change).await;
        assert!(!error.unwrap_err().outcome_is_unknown(), "nothing was executed");
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_update_stays_unknown_when_its_repeat_is_refused() {
    let change = ContactChange::new().memo("Gate code 4411");
    let unchanged = || ok(page(1, false, &[mobile(71_204)]));
    let script = [lost(), unchanged(), unchanged(), unchanged(), status(404, "")];
    let (service, _) = service(script);
    let contacts = service.location(location());
    let error = contacts.update(id(71_204), &change).await.unwrap_err();
    assert!(error.outcome_is_unknown());
    assert!(!error.is_not_found(), "the first attempt may have found it");
}

#[tokio::test(start_paused = true)]
async fn a_repeat_that_was_done_otherwise_is_done_whatever_became_of_the_first() {
    let change = ContactChange::new().memo("Gate code 4411 ");
    let unchanged = || ok(page(1, false, &[mobile(71_204)]));
    let trimmed = mobile(71_204).replace("Site manager", "Gate code 4411");
    let looks = [(); 3].map(|()| ok(page(1, false, &[&trimmed])));
    let script = [lost(), unchanged(), unchanged(), unchanged(), ok(&*trimmed)];
    let (service, _) = service(script.into_iter().chain(looks));
    let contacts = service.location(location());
    let error = contacts.update(id(71_204), &change).await.unwrap_err();
    assert_eq!(error.advice(), Advice::Done, "{error}");
    let text = error.to_string();
    assert_eq!(text.matches("Locations_UpdateContact").count(), 1, "{text}");
}

/// Three flags cannot say what the two of invoices and statements are, once they differ.
#[tokio::test(start_paused = true)]
async fn a_lost_update_stays_unknown_when_its_repeat_cannot_be_sent() {
    let together =
        mobile(71_204).replace(r#""invoiceNotification":true"#, r#""invoiceNotification":false"#);
    let apart = || ok(page(1, false, &[mobile(71_204)]));
    let read = ok(page(1, false, &[together]));
    let (service, sent) = service([read, lost(), apart(), apart(), apart()]);
    let service = service.with_legacy_preferences();
    let contacts = service.location(location());
    let error = contacts.update(id(71_204), &no_marketing()).await;
    assert!(error.unwrap_err().outcome_is_unknown());
    assert_eq!(sent.count("PATCH"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_is_that_of_each_call_and_ends_the_reading_back() {
    let deadline = Instant::now() + Duration::from_millis(500);
    let mut transport = MockTransport::new();
    transport.expect_send().times(2).returning(move |request| {
        assert_eq!(Call::of(&request).deadline, Some(deadline));
        Err(TransportError::new(TransportErrorKind::Reset, Delivery::Unknown))
    });
    let service = ContactsService::new(transport, TenantId::new(1_001).unwrap());
    let service = service.with_deadline(deadline);
    let change = ContactChange::new().memo("Gate code 4411");
    let error = service.location(location()).update(id(71_204), &change).await;
    assert!(error.unwrap_err().outcome_is_unknown());
    assert!(Instant::now() <= deadline, "no waiting beyond it");
}

#[tokio::test(start_paused = true)]
async fn a_silent_host_is_read_back_for_a_minute_in_all_and_the_loss_is_told() {
    let started = Instant::now();
    let service = falls_silent();
    let change = ContactChange::new().memo("Gate code 4411");
    let contacts = service.location(location());
    let error = contacts.update(id(71_204), &change).await.unwrap_err();
    assert!(error.outcome_is_unknown());
    let loss = error.transport_error().map(TransportError::kind);
    assert_eq!(loss, Some(TransportErrorKind::Reset), "{error}");
    assert!(started.elapsed() < Duration::from_secs(61));

    let deadline = Instant::now() + Duration::from_secs(10);
    let service = falls_silent().with_deadline(deadline);
    let contacts = service.location(location());
    let error = contacts.update(id(71_204), &change).await.unwrap_err();
    assert!(error.outcome_is_unknown());
    assert!(Instant::now() < deadline + Duration::from_secs(1));
}
