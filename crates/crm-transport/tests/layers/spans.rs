//! What a trace shows of a call.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
    time::Duration,
};

use crm_transport::{
    Auth, Call, Credentials, Effect, RateLimit, Request, RetryPolicy, Transport, TransportExt,
};
use tracing_subscriber::fmt::format::FmtSpan;

use super::{Scripted, answer};

/// The lines of a trace.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The trace of an update that a busy service answers at the second attempt.
async fn trace() -> String {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(move || writer.clone())
        .with_ansi(false)
        .with_span_events(FmtSpan::CLOSE)
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);

    let endpoint = Scripted::new(|_, _: &Request| {
        Ok(answer(
            200,
            r#"{"access_token":"token-0","expires_in":900}"#,
        ))
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
    *request.uri_mut() = "/crm/v2/tenant/4711004711/locations/8150008150?x=y"
        .parse()
        .unwrap();
    let call = Call::new("Locations_UpdateContact", Effect::Idempotent);
    request.extensions_mut().insert(call);
    transport.send(request).await.unwrap();

    drop(guard);
    let lines = lines.0.lock().unwrap();
    String::from_utf8(lines.clone()).unwrap()
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
    let first = ["http.response.status_code=503"];
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
async fn no_span_holds_an_id_a_value_or_a_secret() {
    let trace = trace().await;
    for hidden in [
        "4711004711",
        "8150008150",
        "x=y",
        "kim@",
        "token-0",
        "s3cret",
        "ak1.",
    ] {
        assert!(!trace.contains(hidden), "{hidden} in {trace}");
    }
}
