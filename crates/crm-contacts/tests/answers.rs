//! Every answer in: each documented status, and each that happens all the same, becomes its
//! own typed error with a message for people.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::*;
use crm_contacts::{
    Advice, CallSite, ContactsError, ContactsService, Operation, RefusalKind,
    operations::locations::UpdateContact, read_answer,
};
use crm_models::{BodyForm, Check, ContactChange, PersonFilter, TenantId};
use crm_transport::{
    Delivery, MockTransport, Response, Secrets, TransportError, TransportErrorKind,
};

/// The error of an update that is answered so.
async fn update_error(step: Step) -> ContactsError {
    // After an unknown outcome the contact is read back; that fails as well here.
    let (service, _) = service([step, status(403, ""), status(403, ""), status(403, "")]);
    let change = ContactChange::new().memo("Gate code 4411");
    service.location(location()).update(id(71_204), &change).await.unwrap_err()
}

fn problem(status: u16, title: &str) -> String {
    format!(
        r#"{{"type":"about:blank","title":"{title}","status":{status},
        "traceId":"00-5c0de7a1-00","errors":{{"value":["Too long"]}},"data":{{}}}}"#
    )
}

#[tokio::test(start_paused = true)]
async fn every_status_has_its_own_kind_and_advice() {
    use Advice::*;
    use RefusalKind::*;
    let cases = [
        (400, "Bad value", Invalid, Correct),
        (401, "Token expired", Unauthorized, Correct),
        (403, "Scope missing", Forbidden, Correct),
        (404, "No contact 71204", NotFound, Correct),
        (404, "No operation matches the request", NoRoute, Correct),
        (409, "Conflicting state", Conflict, Correct),
        (409, "Down for maintenance, try later", Maintenance, Later),
        (415, "Media type", Invalid, Correct),
        (422, "Missing member", Invalid, Correct),
        (429, "Too many. Try again in 7 seconds.", RateLimited, Later),
        (500, "Something went wrong", ServerError, LookFirst),
        (502, "Bad gateway", Unavailable, LookFirst),
        (503, "Unavailable", Unavailable, LookFirst),
        (504, "Time-out", Unavailable, LookFirst),
        (408, "Time-out", ServerError, LookFirst),
        (520, "A gateway's own", ServerError, LookFirst),
        (302, "Moved", Unexpected, Correct),
        (418, "Teapot", Unexpected, Correct),
    ];
    for (code, title, kind, advice) in cases {
        let error = update_error(status(code, problem(code, title))).await;
        assert_eq!(error.refusal_kind(), Some(kind), "{code} {title}: {error}");
        assert_eq!(error.advice(), advice, "{code} {title}");
        assert_eq!(error.trace_id(), Some("00-5c0de7a1-00"));
        let text = error.to_string();
        for part in [title, "00-5c0de7a1-00", "/locations/55021/contacts/71204", "Too long"] {
            assert!(text.contains(part), "{code}: {part} is missing in {text}");
        }
        assert!(!text.contains('\n'), "one line: {text}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_is_not_given_for_want_of_a_scope_or_of_the_list_and_all_else_is_a_failure() {
    let list = async |step: Step| {
        let (service, _) = service([step]);
        service.people().list(PersonFilter::new()).collect().await.unwrap_err()
    };
    for (code, title, is_not_given) in [
        (400, "No such parameter", true),
        (401, "Token expired", false),
        (403, "Scope missing", true),
        (404, "Not found", true),
        (404, "No operation matches the request", true),
        (409, "Conflicting state", false),
        (409, "Down for maintenance, try later", false),
        (415, "Media type", true),
        (429, "Too many", false),
        (500, "Something went wrong", false),
        (503, "Unavailable", false),
        (302, "Moved", false),
    ] {
        let error = list(status(code, problem(code, title))).await;
        assert_eq!(error.is_not_given(), is_not_given, "{code} {title}");
    }
    assert!(list(ok(r#"{"people": []}"#)).await.is_not_given(), "a list of another form");
    assert!(!list(lost()).await.is_not_given());
    // A write is no list, whatever it is answered.
    assert!(!update_error(ok("{}")).await.is_not_given());
}

#[tokio::test]
async fn a_refusal_for_lack_of_scope_names_the_scope() {
    let error = update_error(status(403, problem(403, "Forbidden"))).await;
    assert!(error.to_string().contains("tn.crm.locations:w"), "{error}");
}

#[tokio::test]
async fn the_wait_of_a_429_is_read_from_its_title() {
    let error = update_error(status(429, problem(429, "Too many. Try again in 7 seconds."))).await;
    let refusal = error.refusal().unwrap();
    assert_eq!(refusal.retry_after, Some(std::time::Duration::from_secs(7)));
}

#[tokio::test]
async fn a_wait_is_told_as_people_say_it() {
    for (seconds, words) in
        [(40, "in 40 s"), (150, "in 3 min"), (3_600, "in 1 h"), (5_400, "in 1 h 30 min")]
    {
        let text = update_error(Step::Wait(429, seconds)).await.to_string();
        assert!(text.contains(&format!("({words})")), "{text}");
    }
}

#[tokio::test]
async fn a_refusal_shows_no_secret_that_it_quotes() {
    let body = r#"{"title":"Bearer t\u006fken-0123456789 is not known",
        "traceId":"00-token-0123456789"}"#;
    let mut transport = MockTransport::new();
    transport.expect_send().returning(move |_| {
        let mut response = Response::new(body.into());
        *response.status_mut() = 401.try_into().unwrap();
        let secrets = Secrets::new(["token-0123456789"]);
        response.extensions_mut().insert(secrets);
        Ok(response)
    });
    let service = ContactsService::new(transport, TenantId::new(1_001).unwrap());
    let error = service.location(location()).find(id(1)).await.unwrap_err();
    let text = format!("{error} {error:?} {:?}", error.trace_id());
    assert!(!text.contains("0123456789"), "{text}");
    assert_eq!(error.trace_id(), Some("00-[secret]"));
}

#[tokio::test]
async fn html_instead_of_json_is_called_html_and_a_byte_order_mark_is_passed_over() {
    let listed = format!("\u{feff}{}", page(1, false, &[mobile(1)]));
    let (service, _) = service([ok(listed), ok("\u{feff} <!DOCTYPE html><p>Sign in")]);
    let contacts = service.location(location());
    contacts.find(id(1)).await.unwrap();
    let error = contacts.find(id(1)).await.unwrap_err();
    assert!(matches!(error, ContactsError::Unreadable { form: BodyForm::Html, .. }), "{error}");
    assert!(error.to_string().contains("HTML"), "{error}");
    assert_eq!(error.advice(), Advice::Correct, "a read");
}

#[tokio::test(start_paused = true)]
async fn error_bodies_of_any_form_are_tolerated() {
    let html = "<!doctype html><html><h1>Service unavailable</h1></html>";
    let gateway = r#"{"statusCode":404,"message":"No operation matches the request"}"#;
    for (code, body) in [(503, html), (404, gateway), (400, "{}"), (400, ""), (400, "\u{0}")] {
        let error = update_error(status(code, body)).await;
        assert_eq!(error.refusal().unwrap().status.as_u16(), code, "{body}");
        assert!(error.transport_error().is_none());
    }
}

/// A write whose outcome is unknown because its answer cannot be read.
fn is_unreadable(error: &ContactsError) -> bool {
    match error {
        ContactsError::OutcomeUnknown { source, .. } => {
            matches!(**source, ContactsError::Unreadable { .. })
        }
        _ => false,
    }
}

#[tokio::test(start_paused = true)]
async fn an_unreadable_success_says_where_without_quoting_the_body() {
    let body = r#"{"id":71204,"type":"Email","value":"secret@site.example","memo":["x@y.example"],
        "modifiedOn":"2026-01-01T00:00:00Z"}"#;
    let error = update_error(ok(body)).await;
    let text = format!("{error} {error:?}");
    assert!(is_unreadable(&error), "{text}");
    assert!(text.contains("memo"), "{text}");
    assert!(!text.contains("example"), "{text}");
    assert_eq!(error.advice(), Advice::LookFirst);
}

#[tokio::test(start_paused = true)]
async fn an_answer_cut_short_or_of_another_kind_is_unreadable() {
    for body in ["", "{\"id\": 71204, \"ty", "<html></html>", "[]", "null", "{}"] {
        let error = update_error(ok(body)).await;
        assert!(is_unreadable(&error), "{body}: {error}");
    }
}

#[test]
fn an_answer_that_is_not_utf_8_is_unreadable_and_says_so() {
    // `é` in Latin-1, in a member that is not known.
    let mut body = br#"{"id":71204,"type":"Email","value":"a@site.example","place":"caf"#.to_vec();
    body.extend(b"\xE9\",\"modifiedOn\":\"2026-01-01T00:00:00Z\"}");
    let site = CallSite::new(UpdateContact::SPEC, "/crm/v2/tenant/1/x".parse().unwrap());
    let error = read_answer::<UpdateContact>(site, Response::new(body.into())).unwrap_err();
    assert!(error.to_string().contains("not UTF-8, after 64 bytes"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_missing_answer_is_unknown_only_if_the_request_may_have_been_sent() {
    let refused =
        Step::Fail(TransportError::new(TransportErrorKind::Connect, Delivery::NotExecuted));
    let error = update_error(refused).await;
    assert_eq!(error.advice(), Advice::Later);
    assert!(matches!(error, ContactsError::Transport { .. }), "{error}");

    let error = update_error(lost()).await;
    assert_eq!(error.advice(), Advice::LookFirst);
    assert!(matches!(error, ContactsError::OutcomeUnknown { .. }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn what_no_repeat_heals_is_to_be_corrected() {
    use Advice::*;
    use Delivery::*;
    use TransportErrorKind::*;
    for (kind, delivery, advice) in [
        (Refused, NotExecuted, Correct),
        (RefusedForNow, NotExecuted, Later),
        (InvalidRequest, NotExecuted, Correct),
        (Tls, NotExecuted, Correct),
        (Credentials, NotExecuted, Correct),
        (RateLimited, NotExecuted, Later),
        (TokenEndpoint, NotExecuted, Later),
        (Connect, NotExecuted, Later),
        // An earlier attempt may have been executed.
        (Credentials, Unknown, LookFirst),
        (Connect, Unknown, LookFirst),
        (AnswerTooLarge, Unknown, LookFirst),
    ] {
        let error = update_error(Step::Fail(TransportError::new(kind, delivery))).await;
        assert_eq!(error.advice(), advice, "{kind:?} {delivery:?}");
        assert_eq!(error.transport_error().map(|error| error.kind()), Some(kind));
        assert_eq!(error.is_credentials(), kind == Credentials);
    }
    let (service, _) = service([Step::Fail(TransportError::new(AnswerTooLarge, Unknown))]);
    let read = service.location(location()).list().collect().await;
    assert_eq!(read.unwrap_err().advice(), Correct);
}

#[tokio::test(start_paused = true)]
async fn an_empty_success_is_called_empty() {
    let error = update_error(ok("")).await;
    assert!(error.to_string().ends_with("cannot be read: it is empty"), "{error}");
}

/// The message and its causes, as `{:#}` of anyhow and many loggers write them.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(|e| e.to_string()).collect::<Vec<_>>().join(": ")
}

#[tokio::test(start_paused = true)]
async fn a_message_says_everything_once() {
    let cut = std::io::Error::other("the peer went away");
    for (step, expected) in [
        (
            status(504, problem(504, "Time-out")),
            "look before you repeat it: 504: Time-out; value: Too long (trace id 00-5c0de7a1-00)",
        ),
        (
            lost(),
            "look before you repeat it: the connection was closed before the service answered",
        ),
        (
            Step::Fail(
                TransportError::new(TransportErrorKind::Connect, Delivery::NotExecuted)
                    .with_source(cut),
            ),
            "could not connect to the host; check its name and the network: the peer went away",
        ),
        (
            status(400, problem(400, "Bad value")),
            "correct it: Bad value; value: Too long (trace id 00-5c0de7a1-00)",
        ),
    ] {
        let error = update_error(step).await;
        let text = error.to_string();
        assert!(text.ends_with(expected), "{text}");
        assert_eq!(text.matches("/locations/55021").count(), 1, "{text}");
        assert_eq!(chain(&error), text);
    }
    let invalid = ContactsError::from(crm_models::ContactChange::new().check().unwrap_err());
    assert_eq!(chain(&invalid), invalid.to_string());
}

#[tokio::test(start_paused = true)]
async fn neither_text_nor_debug_of_an_error_shows_the_query_or_what_was_written() {
    let (refusing, _) = service([status(403, problem(403, "Forbidden"))]);
    let people = refusing.people().list(PersonFilter::new().name("Dana Whitfield"));
    let error = people.collect().await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("Whitfield"), "{error:?}");

    let unchanged = || ok(page(1, false, &[mobile(71_204)]));
    let looks = [(); 3].map(|()| unchanged());
    let (differing, _) = service([ok(mobile(71_204))].into_iter().chain(looks));
    let change = ContactChange::new().memo("Gate code 4411");
    let contacts = differing.location(location());
    let error = contacts.update(id(71_204), &change).await.unwrap_err();
    let text = format!("{error} {error:?}");
    assert!(text.contains("memo") && !text.contains("4411"), "{text}");
    assert!(!text.contains("Site manager"), "{text}");
    assert!(!text.contains("8185550142"), "{text}");
}

#[tokio::test]
async fn created_and_no_content_are_successes_too() {
    let (service, _) = service([status(201, mobile(1)), status(204, ""), ok("")]);
    let contacts = service.location(location());
    let new =
        crm_models::CreateContactRequest::new(crm_models::ContactType::MobilePhone, "8185550142");
    assert_eq!(contacts.create(new).await.unwrap().id, id(1));
    contacts.delete(id(1)).await.unwrap();
    contacts.delete(id(2)).await.unwrap();
}
