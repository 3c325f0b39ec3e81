//! What a trace shows of a call.

use std::{
    cell::RefCell,
    io::{self, Write},
    sync::Once,
    time::Duration,
};

use crm_transport::{
    Auth, Call, Credentials, Effect, RateLimit, Request, RetryPolicy, Transport, TransportExt,
};
use tracing_subscriber::fmt::format::FmtSpan;

use super::{Scripted, answer};

thread_local! {
    /// What was traced on this thread. The subscriber is one for all tests: several at a time
    /// race for which spans are wanted.
    static LINES: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

struct Lines;

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LINES.with_borrow_mut(|lines| lines.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Begins a trace of this thread.
fn start_trace() {
    static SUBSCRIBER: Once = Once::new();
    SUBSCRIBER.call_once(|| {
        tracing_subscriber::fmt()
            .with_writer(|| Lines)
            .with_ansi(false)
            .with_max_level(tracing::Level::DEBUG)
            .with_span_events(FmtSpan::CLOSE)
            .init();
    });
    LINES.take();
}

/// What was traced since.
fn end_trace() -> String {
    String::from_utf8(LINES.take()).unwrap()
}

/// The trace of an update that a busy service answers at the second attempt.
async fn trace() -> String {
    start_trace();
    let endpoint = Scripted::new(|_, _: &Request| {
        Ok(answer(200, r#"{"access_token":"token-0","expires_in":900}"#))
    });
    let wire = Scripted::new(|call, _: &Request| {
        let status = if call == 0 { 503 } else { 200 };
        Ok(answer(status, r#"{"value":"kim@home.example"}"#))
    });
    let credentials = Credentials::new("cid.test", "s3cret", "ak1.test");
    let transport = wire
        .with_tracing()
        .with_rate_limit(RateLimit::per_second(60))
        .with_auth(Auth::new(endpoint.with_tracing(), credentials))
        .with_retry(RetryPolicy::default().waits(Duration::ZERO, Duration::ZERO));
    let mut request = Request::new(r#"{"value":"kim@home.example"}"#.into());
    *request.method_mut() = http::Method::PATCH;
    *request.uri_mut() = "/crm/v2/tenant/4711004711/locations/8150008150?x=y".parse().unwrap();
    let call = Call::new("Locations_UpdateContact", Effect::Idempotent);
    request.extensions_mut().insert(call);
    transport.send(request).await.unwrap();

    end_trace()
}

#[tokio::test(start_paused = true)]
async fn a_call_has_a_span_and_each_attempt_one_in_it() {
    let trace = trace().await;
    let closed = |parts: &[&str]| {
        let mut lines = trace.lines();
        lines.any(|line| line.contains("close") && parts.iter().all(|part| line.contains(part)))
    };
    let call = r#"call{otel.name="Locations_UpdateContact""#;
    let request = r#"}:http.client.request{otel.name="Locations_UpdateContact""#;
    let first = ["http.response.status_code=503 error.type=\"503\" otel.status_code=\"ERROR\""];
    let second = [
        "http.request.method=\"PATCH\"",
        "http.request.resend_count=1",
        "http.response.status_code=200",
    ];
    assert!(closed(&[&[call, request][..], &first].concat()), "{trace}");
    assert!(closed(&[&[call, request][..], &second].concat()), "{trace}");
    let whole = ["attempts=2 http.response.status_code=200}"];
    assert!(closed(&[&[call][..], &whole].concat()), "{trace}");
    assert!(closed(&[r#"otel.name="oauth2_token""#]), "{trace}");
}

#[tokio::test(start_paused = true)]
async fn the_span_of_a_call_that_fails_says_so() {
    start_trace();
    let refusing = Scripted::new(|_, _: &Request| Ok(answer(404, "{}")));
    let transport = refusing.with_retry(RetryPolicy::default());
    transport.send(Request::default()).await.unwrap();
    let trace = end_trace();
    let told = r#"http.response.status_code=404 error.type="404" otel.status_code="ERROR""#;
    assert!(trace.contains(told), "{trace}");
}

#[tokio::test(start_paused = true)]
async fn a_repeat_after_a_401_is_a_resend_and_an_event() {
    start_trace();
    let endpoint = Scripted::new(|call, _: &Request| {
        let body = format!(r#"{{"access_token":"token-{call}","expires_in":900}}"#);
        Ok(answer(200, &body))
    });
    let wire = Scripted::new(|call, _: &Request| {
        let status = if call == 0 { 401 } else { 200 };
        Ok(answer(status, ""))
    });
    let credentials = Credentials::new("cid.test", "s3cret", "ak1.test");
    let transport = wire.with_tracing().with_auth(Auth::new(endpoint, credentials));
    transport.send(Request::default()).await.unwrap();
    let trace = end_trace();
    let again = "http.request.resend_count=1 http.response.status_code=200";
    assert!(trace.contains(again), "{trace}");
    assert!(trace.contains("asking for another"), "{trace}");
    assert!(!trace.contains("token-"), "{trace}");
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_nobody_waits_for_does_not_fail_unseen() {
    start_trace();
    let endpoint = Scripted::new(|call, _: &Request| match call {
        0 => Ok(answer(200, r#"{"access_token":"token-0","expires_in":60}"#)),
        _ => Ok(answer(400, r#"{"error":"invalid_client"}"#)),
    });
    let wire = Scripted::new(|_, _: &Request| Ok(answer(200, "")));
    let credentials = Credentials::new("cid.test", "s3cret", "ak1.test");
    let transport = wire.with_auth(Auth::new(endpoint, credentials));
    for _ in 0..2 {
        transport.send(Request::default()).await.unwrap();
        tokio::time::sleep(Duration::from_secs(50)).await;
    }
    let trace = end_trace();
    let told: Vec<_> = trace.lines().filter(|line| line.contains("WARN")).collect();
    assert_eq!(told.len(), 1, "{trace}");
    let reason = "no token kind=Credentials reason=the token endpoint answered 400";
    assert!(told[0].contains(reason), "{trace}");
}

#[tokio::test(start_paused = true)]
async fn a_closed_gate_and_a_repeat_that_is_withheld_are_events_of_the_call() {
    start_trace();
    let wire = Scripted::new(|_, _: &Request| {
        let mut busy = answer(429, "");
        busy.headers_mut().insert("retry-after", 40.into());
        Ok(busy)
    });
    let transport = wire
        .with_rate_limit(RateLimit::per_second(60))
        .with_retry(RetryPolicy::default().total_time(Duration::from_secs(30)));
    transport.send(Request::default()).await.unwrap();
    let trace = end_trace();
    for event in [
        "the rate limit was exceeded retry_after=Some(40s)",
        "not repeating attempt=1",
        r#"reason="deadline""#,
    ] {
        let is_told = |line: &str| line.contains("DEBUG call{") && line.contains(event);
        assert!(trace.lines().any(is_told), "{event} in {trace}");
    }
}

/// The span around a request that has none of its own may be a server's.
#[cfg(feature = "reqwest")]
#[tokio::test]
async fn the_address_of_the_host_is_told_to_the_span_of_the_request_alone() {
    use tracing::{Instrument, field::Empty, info_span};

    let environment =
        crm_transport::Environment::custom("http://127.0.0.1:9", "http://127.0.0.1:9").unwrap();
    let wire = crm_transport::ReqwestTransport::new(&environment).unwrap();
    start_trace();
    for name in ["bare", "traced"] {
        let serving = info_span!("serving", name, server.address = Empty);
        let request = Request::default();
        async {
            match name {
                "bare" => wire.send(request).await,
                _ => wire.clone().with_tracing().send(request).await,
            }
        }
        .instrument(serving)
        .await
        .unwrap_err();
    }
    let trace = end_trace();
    let told: Vec<_> = trace
        .lines()
        .filter(|line| line.contains("close") && line.contains("server.address"))
        .collect();
    assert_eq!(told.len(), 1, "{trace}");
    assert!(told[0].contains("http.client.request"), "{trace}");
    assert!(!told[0].contains("serving{name=\"traced\" server"), "{trace}");
}

#[tokio::test(start_paused = true)]
async fn no_span_holds_an_id_a_value_or_a_secret() {
    let trace = trace().await;
    for hidden in ["4711004711", "8150008150", "x=y", "kim@", "token-0", "s3cret", "ak1."] {
        assert!(!trace.contains(hidden), "{hidden} in {trace}");
    }
}
