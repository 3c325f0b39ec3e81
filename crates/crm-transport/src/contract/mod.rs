//! The suite that every transport must pass, for authors of transports.
//!
//! [`check`] runs a server on this machine that behaves both well and badly, and panics at the
//! first promise of [`Transport`] that is not kept. It speaks HTTP/1.1 without TLS. Later versions
//! may check more. One test of your own is enough:
//!
//! ```
//! # #[cfg(feature = "reqwest")]
//! # tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(async {
//! use crm_transport::{Environment, Limits, ReqwestTransport, contract};
//!
//! contract::check(|target| {
//!     let environment = Environment::custom(&target.url, &target.url).unwrap();
//!     let limits = Limits::default()
//!         .timeout(target.timeout)
//!         .answer_bytes(target.answer_bytes);
//!     ReqwestTransport::with_limits(&environment, limits).unwrap()
//! })
//! .await;
//! # });
//! ```

mod server;

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderValue, Method};
use tokio::time::timeout;

use self::server::{Busy, Received, Server, closed_port};
use crate::{
    call::{Call, Effect},
    clock::Moment,
    error::{Delivery, TransportError, TransportErrorKind},
    message::{Request, Response},
    transport::Transport,
};

/// What the suite requires of a transport that it asks you to build.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Target {
    /// The host to send to: `http://127.0.0.1:port`.
    pub url: String,
    /// How long one call may take.
    pub timeout: Duration,
    /// How many bytes an answer may have.
    pub answer_bytes: usize,
}

/// Checks every promise of [`Transport`] on transports that `make` builds.
///
/// # Panics
///
/// Panics at the first promise that is not kept, saying which.
pub async fn check<T: Transport + 'static>(make: impl Fn(&Target) -> T) {
    let server = Server::start().await;
    let target = Target {
        url: format!("http://{}", server.address),
        timeout: Duration::from_secs(2),
        answer_bytes: 100_000,
    };
    let transport = make(&target);

    carries_requests_as_they_are(&transport, &target).await;
    never_changes_a_uri(&transport).await;
    returns_every_status_as_an_answer(&transport).await;
    does_not_follow_redirects(&transport).await;
    refuses_uris_that_name_a_host(&transport).await;
    sends_a_request_once(&transport, &server).await;
    bounds_the_answer(&transport, &target).await;
    tokio::join!(
        gives_up_in_time(&transport),
        waits_when_asked(&transport),
        begins_nothing_after_a_slow_connection(&make, &target),
    );
    sends_nothing_after_the_deadline(&transport, &server).await;
    begins_nothing_after_its_last_moment(&transport, &server).await;
    tells_lost_answers(&transport).await;
    keeps_concurrent_answers_apart(&transport).await;
    survives_cancellation(&transport).await;
    survives_closed_connections(&transport).await;

    let (address, _held) = closed_port();
    let closed = Target { url: format!("http://{address}"), ..target };
    tells_that_nothing_was_sent(&make(&closed)).await;
}

async fn carries_requests_as_they_are<T: Transport>(transport: &T, to: &Target) {
    let json = b"{\"memo\":\"caf\xc3\xa9 \\u0000\"}".as_slice();
    for (method, body) in [
        (Method::GET, b"".as_slice()),
        (Method::POST, json),
        (Method::POST, b""),
        (Method::PUT, json),
        (Method::PATCH, json),
        (Method::DELETE, b""),
    ] {
        let target = "/echo/a%2Fb/c?x=1&y=%2B%20z";
        let mut request = request(method.clone(), target);
        *request.body_mut() = Bytes::from_static(body);
        let headers = [("authorization", "Bearer abc.def"), ("user-agent", "suite/1.0")];
        for (name, value) in headers {
            let value = HeaderValue::from_static(value);
            request.headers_mut().insert(name, value);
        }
        let answer = succeed(transport, request).await;
        let received: Received = Received::read(answer.body());
        assert_eq!(received.line, format!("{method} {target} HTTP/1.1"), "request line");
        let host = received.headers.get("host").map(String::as_str);
        assert_eq!(host, to.url.strip_prefix("http://"), "host");
        for (name, value) in headers {
            let received = received.headers.get(name).map(String::as_str);
            assert_eq!(received, Some(value), "header {name}");
        }
        assert_eq!(received.body, body, "body of a {method}");
        if method == Method::POST {
            let length = received.headers.get("content-length").cloned();
            let expected = Some(body.len().to_string());
            assert_eq!(length, expected, "length of the body of a POST");
        }
    }
}

/// Some clients cannot send every URI. They may refuse one, but must not send a different one.
async fn never_changes_a_uri<T: Transport>(transport: &T) {
    for target in [
        "/echo/it's?q='a'",
        "/echo/a/../b",
        "/echo/%2E%2e/b",
        "/echo/a\\b",
        "/echo/{a}",
        "/echo//a?",
    ] {
        match send(transport, request(Method::GET, target)).await {
            Ok(answer) => assert_eq!(
                Received::read(answer.body()).line,
                format!("GET {target} HTTP/1.1"),
                "request line"
            ),
            Err(error) => assert_eq!(
                (error.kind(), error.delivery()),
                (TransportErrorKind::InvalidRequest, Delivery::NotExecuted),
                "{target}: {error}"
            ),
        }
    }
}

async fn returns_every_status_as_an_answer<T: Transport>(transport: &T) {
    for status in [200, 201, 204, 400, 401, 403, 404, 409, 429, 500, 502, 503, 504] {
        let answer = succeed(transport, request(Method::GET, &format!("/status/{status}"))).await;
        assert_eq!(answer.status(), status, "a status is an answer, not an error");
        let header = answer.headers().get("x-answer").map(HeaderValue::as_bytes);
        assert_eq!(header, Some(b"yes".as_slice()), "header of the answer");
        let body: &[u8] = if status == 204 { b"" } else { b"{\"a\":1}" };
        assert_eq!(answer.body(), body, "body of {status}");
    }
}

async fn does_not_follow_redirects<T: Transport>(transport: &T) {
    let answer = succeed(transport, request(Method::GET, "/redirect")).await;
    assert_eq!(answer.status(), 302, "a redirect is an answer and is not followed");
}

async fn refuses_uris_that_name_a_host<T: Transport>(transport: &T) {
    let request = request(Method::GET, "http://other.example/status/200");
    let error = fail(transport, request).await;
    assert_eq!(error.kind(), TransportErrorKind::InvalidRequest, "a URI with a host: {error}");
    assert_eq!(error.delivery(), Delivery::NotExecuted);
}

/// HTTP clients like to repeat a request on their own, most of all if a kept connection ends.
async fn sends_a_request_once<T: Transport>(transport: &T, server: &Server) {
    for (method, path) in
        [(Method::POST, "/reset"), (Method::GET, "/reset"), (Method::GET, "/status/503")]
    {
        succeed(transport, request(Method::GET, "/status/200")).await;
        let before = server.arrivals();
        let _ = send(transport, request(method.clone(), path)).await;
        let arrivals = server.arrivals() - before;
        assert_eq!(arrivals, 1, "{method} {path}: requests on the wire");
    }
}

async fn bounds_the_answer<T: Transport>(transport: &T, target: &Target) {
    let path = |bytes| format!("/bytes/{bytes}");
    let most = request(Method::GET, &path(target.answer_bytes));
    let answer = succeed(transport, most).await;
    assert_eq!(answer.body().len(), target.answer_bytes, "largest answer");

    for path in [&path(target.answer_bytes + 1), "/endless"] {
        let error = fail(transport, request(Method::GET, path)).await;
        assert_eq!(error.kind(), TransportErrorKind::AnswerTooLarge, "{path}: {error}");
        assert_eq!(error.delivery(), Delivery::Unknown);
    }
}

async fn gives_up_in_time<T: Transport>(transport: &T) {
    let soon = Some(Duration::from_millis(500));
    for (path, timeout, deadline, most) in [
        ("/silent", soon, None, 1),
        ("/silent", None, soon, 1),
        ("/drip", None, soon, 1),
        ("/drip", None, None, 10),
    ] {
        let mut request = request(Method::GET, path);
        let call = Call::of_mut(&mut request);
        call.timeout = timeout;
        call.deadline = deadline.map(|left| (Instant::now() + left).into());
        let started = Instant::now();
        let error = fail(transport, request).await;
        assert!(error.is_timeout(), "{path}: {error}");
        assert_eq!(error.delivery(), Delivery::Unknown, "{path}");
        assert!(started.elapsed() < Duration::from_secs(most), "{path} took too long");
    }
}

/// A call may also ask for more time than the transport's own time-out.
async fn waits_when_asked<T: Transport>(transport: &T) {
    let mut patient = request(Method::GET, "/late");
    let call = Call::new("patient", Effect::Read).timeout(Duration::from_secs(10));
    patient.extensions_mut().insert(call);
    succeed(transport, patient).await;
}

async fn sends_nothing_after_the_deadline<T: Transport>(transport: &T, server: &Server) {
    let before = server.arrivals();
    let mut late = request(Method::POST, "/status/200");
    let call = Call::new("late", Effect::Creates).deadline(Instant::now());
    late.extensions_mut().insert(call);
    let error = fail(transport, late).await;
    assert!(error.is_timeout(), "after the deadline: {error}");
    assert_eq!(error.delivery(), Delivery::NotExecuted, "after the deadline");
    succeed(transport, request(Method::GET, "/status/200")).await;
    let arrivals = server.arrivals() - before;
    assert_eq!(arrivals, 1, "after the deadline: requests on the wire");
}

async fn begins_nothing_after_its_last_moment<T: Transport>(transport: &T, server: &Server) {
    let before = server.arrivals();
    let error = fail(transport, bounded(Method::PATCH, Moment::now())).await;
    assert_expired(&error);
    let in_time = bounded(Method::PATCH, Moment::now().after(MINUTE));
    succeed(transport, in_time).await;
    let arrivals = server.arrivals() - before;
    assert_eq!(arrivals, 1, "after the last moment to begin: requests on the wire");
}

/// The connection is made only after the last moment to begin: the request must not go out on it.
async fn begins_nothing_after_a_slow_connection<T: Transport>(
    make: impl Fn(&Target) -> T,
    target: &Target,
) {
    let Some(busy) = Busy::start().await else {
        return;
    };
    let transport = make(&Target {
        url: format!("http://{}", busy.address),
        timeout: MINUTE,
        ..target.clone()
    });
    let begin_by = Moment::now().after(Duration::from_millis(500));
    let writes = [Method::PATCH, Method::DELETE].map(|method| bounded(method, begin_by));
    let writes = writes.map(|write| send(&transport, write));
    let connects = async {
        tokio::time::sleep(Duration::from_millis(700)).await;
        busy.requests().await
    };
    let (results, requests) = tokio::join!(futures_util::future::join_all(writes), connects);
    assert_eq!(requests, 0, "after a slow connection: requests on the wire");
    for result in results {
        match result {
            Ok(_) => panic!("after a slow connection: an error was due"),
            Err(error) => assert_expired(&error),
        }
    }
}

/// A write with a last moment to begin; a deletion has no body.
fn bounded(method: Method, begin_by: Moment) -> Request {
    let is_empty = method == Method::DELETE;
    let mut write = request(method, "/status/200");
    if !is_empty {
        *write.body_mut() = Bytes::from_static(b"{}");
    }
    let call = Call::new("bounded", Effect::Idempotent).begin_by(begin_by);
    write.extensions_mut().insert(call);
    write
}

const MINUTE: Duration = Duration::from_secs(60);

#[track_caller]
fn assert_expired(error: &TransportError) {
    assert_eq!(
        (error.kind(), error.delivery()),
        (TransportErrorKind::Expired, Delivery::NotExecuted),
        "after the last moment to begin: {error}"
    );
}

async fn tells_lost_answers<T: Transport>(transport: &T) {
    for path in ["/reset", "/cut", "/cut-chunks", "/garbage"] {
        let error = fail(transport, request(Method::POST, path)).await;
        assert_eq!(error.delivery(), Delivery::Unknown, "{path}: the request was received");
    }
}

async fn keeps_concurrent_answers_apart<T: Transport>(transport: &T) {
    let calls = (0..50).map(|number| async move {
        let target = format!("/echo/{number}");
        let answer = succeed(transport, request(Method::GET, &target)).await;
        let line = Received::read(answer.body()).line;
        assert_eq!(line, format!("GET {target} HTTP/1.1"), "an answer to another request");
    });
    futures_util::future::join_all(calls).await;
}

async fn survives_cancellation<T: Transport>(transport: &T) {
    for _ in 0..5 {
        let abandoned = transport.send(request(Method::GET, "/silent"));
        let cancelled = timeout(Duration::from_millis(30), abandoned).await;
        assert!(cancelled.is_err(), "there is no answer to this request");
        succeed(transport, request(Method::GET, "/status/200")).await;
    }
}

async fn survives_closed_connections<T: Transport>(transport: &T) {
    for _ in 0..5 {
        succeed(transport, request(Method::GET, "/close")).await;
        // The server closes while the connection is idle.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn tells_that_nothing_was_sent<T: Transport>(transport: &T) {
    let error = fail(transport, request(Method::POST, "/status/200")).await;
    assert!(error.is_connect(), "nobody listens: {error}");
    assert_eq!(error.delivery(), Delivery::NotExecuted, "nobody listens");
}

fn request(method: Method, target: &str) -> Request {
    let mut request = Request::new(Bytes::new());
    *request.method_mut() = method;
    *request.uri_mut() = target.parse().expect("a URI of the suite");
    request
}

async fn send<T: Transport>(transport: &T, request: Request) -> Result<Response, TransportError> {
    let target = request.uri().to_string();
    let bound = Duration::from_secs(30);
    let result = timeout(bound, transport.send(request)).await;
    result.unwrap_or_else(|_| panic!("{target}: no end after {bound:?}"))
}

async fn succeed<T: Transport>(transport: &T, request: Request) -> Response {
    let target = request.uri().to_string();
    let result = send(transport, request).await;
    result.unwrap_or_else(|error| panic!("{target}: {error}"))
}

async fn fail<T: Transport>(transport: &T, request: Request) -> TransportError {
    let target = request.uri().to_string();
    match send(transport, request).await {
        Ok(answer) => panic!("{target}: an error was due, not {}", answer.status()),
        Err(error) => error,
    }
}
