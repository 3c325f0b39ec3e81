//! Requests that are none of the contract's operations.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::pin::pin;

use common::*;
use crm_contacts::{Area, ContactsError, RefusalKind, Stall};
use crm_transport::{Call, Effect, Request};
use futures_util::TryStreamExt;
use http::Method;

fn request(method: Method, body: &'static str) -> Request {
    let mut request = Request::new(body.into());
    *request.method_mut() = method;
    *request.uri_mut() = "/jpm/v2/tenant/1001/jobs?pageSize=1".parse().unwrap();
    request
}

#[tokio::test]
async fn a_success_is_given_back_as_it_came() {
    let (service, sent) = service([ok("<jobs/>")]);
    let answer = service.raw(request(Method::GET, "")).await.unwrap();
    assert_eq!(answer.body(), "<jobs/>");
    assert_eq!(sent.lines(), ["GET /jpm/v2/tenant/1001/jobs?pageSize=1"]);
}

#[tokio::test]
async fn a_refusal_is_the_same_typed_error_as_of_an_operation() {
    let problem = r#"{"type":"x","title":"Not found","status":404}"#;
    let (service, _) = service([status(404, problem)]);
    let error = service.raw(request(Method::GET, "")).await.unwrap_err();
    assert!(error.is_not_found());
    let text = error.to_string();
    assert!(text.starts_with("api (GET /jpm/v2/tenant/1001/jobs): 404"), "{text}");
}

#[tokio::test]
async fn what_a_repeat_does_follows_from_the_method_unless_the_request_says_it() {
    for (method, effect) in [
        (Method::PUT, Effect::Idempotent),
        (Method::DELETE, Effect::Idempotent),
        (Method::PATCH, Effect::Creates),
        (Method::POST, Effect::Creates),
    ] {
        let (service, sent) = service([lost()]);
        let error = service.raw(request(method, "{}")).await.unwrap_err();
        assert!(error.outcome_is_unknown());
        let call = &sent.writes()[0];
        assert_eq!((call.operation, call.effect), ("api", effect));
        assert_eq!(call.rate_limit_key, 1_001);
    }
    let (service, sent) = service([lost()]);
    let mut search = request(Method::POST, "{}");
    let call = Call::new("Jobs_Search", Effect::Read);
    search.extensions_mut().insert(call);
    let error = service.raw(search).await.unwrap_err();
    assert!(!error.outcome_is_unknown(), "it only reads");
    assert!(error.to_string().starts_with("Jobs_Search"), "{error}");
    assert!(sent.writes().is_empty());
}

#[tokio::test]
async fn a_write_keeps_the_bounds_of_its_service() {
    let (service, sent) = service([ok("{}")]);
    let moment = crm_transport::Moment::now();
    let service = service.with_begin_by(moment);
    service.raw(request(Method::PATCH, "{}")).await.unwrap();
    assert_eq!(sent.writes()[0].begin_by, Some(moment));
}

#[tokio::test]
async fn an_answer_that_should_be_json_is_read_as_that() {
    let (service, _) = service([ok(r#"{"data":[1]}"#), ok("<html></html>")]);
    let read = async || {
        let request = request(Method::GET, "");
        service.raw_json::<serde_json::Value>(request).await
    };
    assert_eq!(read().await.unwrap()["data"][0], 1);
    let error = read().await.unwrap_err();
    assert!(error.to_string().contains("HTML"), "{error}");
}

#[tokio::test]
async fn a_list_is_walked_by_its_pages_and_a_feed_by_its_tokens() {
    let answers = |more: &str| ok(format!(r#"{{{more}, "data": [{{"id": 1}}, 2]}}"#));
    for (from, script, sent) in [
        (
            "/a?page=3&pageSize=2",
            [answers(r#""hasMore": true"#), answers(r#""hasMore": false"#)],
            ["GET /a?page=3&pageSize=2", "GET /a?pageSize=2&page=4"],
        ),
        (
            "/a?from=x",
            [
                answers(r#""hasMore": true, "continueFrom": "y+z""#),
                answers(r#""hasMore": false, "continueFrom": "w""#),
            ],
            ["GET /a?from=x", "GET /a?from=y%2Bz"],
        ),
    ] {
        let (service, log) = service(script);
        let pages: Vec<_> = service.raw_pages(from.parse().unwrap()).try_collect().await.unwrap();
        let items: Vec<_> = pages.iter().flatten().map(|item| item.get()).collect();
        assert_eq!(items, [r#"{"id": 1}"#, "2", r#"{"id": 1}"#, "2"]);
        assert_eq!(log.lines(), sent);
    }
}

#[tokio::test]
async fn a_walk_that_does_not_get_on_gives_what_it_has_and_ends() {
    let again = ok(r#"{"hasMore": true, "continueFrom": "x", "data": [1]}"#);
    let (service, _) = service([again]);
    let mut pages = pin!(service.raw_pages("/a?from=x".parse().unwrap()));
    assert_eq!(pages.try_next().await.unwrap().unwrap().len(), 1);
    let error = pages.try_next().await.unwrap_err();
    assert!(matches!(error, ContactsError::Stalled { how: Stall::Token, .. }), "{error}");
    assert!(pages.try_next().await.unwrap().is_none());
}

#[test]
fn an_address_starts_at_the_tenant_or_at_the_root() {
    let (service, _) = service([]);
    let address = |path| service.address(path).unwrap().to_string();
    assert_eq!(address("/locations/1/contacts"), "/crm/v2/tenant/1001/locations/1/contacts");
    assert_eq!(address("/jpm/v2/tenant/{tenant}/jobs"), "/jpm/v2/tenant/1001/jobs");
    assert_eq!(address("/a?b=/tenant/"), "/crm/v2/tenant/1001/a?b=/tenant/");
}

#[test]
fn credentials_cannot_be_sent_to_another_host() {
    let (service, _) = service([]);
    for path in ["https://evil.example/x", "//evil.example/x", "evil.example/x", "", "/a b"] {
        assert!(service.address(path).is_err(), "{path}");
    }
}

#[tokio::test]
async fn an_area_may_be_read_if_the_api_answers_with_records() {
    let page = r#"{"page": 1, "pageSize": 1, "hasMore": false, "data": []}"#;
    let (service, sent) = service([ok(page), ok("[]"), ok("<html></html>"), status(403, "{}")]);
    assert!(service.check_access(Area::Locations).await.is_ok());
    assert!(service.check_access(Area::Contacts).await.is_ok());
    assert!(service.check_access(Area::Customers).await.is_err(), "this is not the API");
    let refused = service.check_access(Area::Customers).await.unwrap_err();
    assert_eq!(refused.refusal_kind(), Some(RefusalKind::Forbidden));
    assert_eq!(sent.lines()[1], "GET /contacts/preferences");
}

#[tokio::test]
async fn a_booking_that_does_not_exist_shows_that_bookings_may_be_read() {
    let missing = r#"{"type": "x", "title": "Not found", "status": 404}"#;
    let (service, _) = service([status(404, missing), status(404, ""), status(404, missing)]);
    assert!(service.check_access(Area::Bookings).await.is_ok());
    assert!(service.check_access(Area::Bookings).await.is_err(), "some other server's 404");
    assert!(service.check_access(Area::Locations).await.is_err(), "no record was named");
}
