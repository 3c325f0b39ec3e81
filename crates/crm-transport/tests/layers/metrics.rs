//! What a dashboard sees of the layers.

use std::{collections::BTreeMap, future::Future, time::Duration};

use crm_transport::{
    Auth, Call, Credentials, Delivery, Effect, RateLimit, Request, RetryPolicy, Transport,
    TransportError, TransportErrorKind, TransportExt,
};
use metrics_util::debugging::{DebugValue, DebuggingRecorder};

use super::{Scripted, answer};

/// Everything recorded, by name and labels: a counter's sum, a histogram's values.
type Recorded = BTreeMap<String, Vec<f64>>;

/// Runs in virtual time with a recorder of its own.
fn recorded(run: impl Future<Output = ()>) -> Recorded {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    metrics::with_local_recorder(&recorder, || {
        crm_transport::describe_metrics();
        runtime.block_on(run);
    });
    let metrics = snapshotter.snapshot().into_vec().into_iter();
    metrics
        .map(|(key, _, description, value)| {
            let (_, key) = key.into_parts();
            assert!(description.is_some(), "{key} is not described");
            let labels = key.labels();
            let labels: Vec<_> =
                labels.map(|label| format!("{}={}", label.key(), label.value())).collect();
            let values = match value {
                DebugValue::Counter(sum) => vec![sum as f64],
                DebugValue::Gauge(value) => vec![*value],
                DebugValue::Histogram(values) => values.iter().map(|value| **value).collect(),
            };
            (format!("{} {}", key.name(), labels.join(" ")), values)
        })
        .collect()
}

fn update() -> Request {
    let mut request = Request::new("{\"memo\":\"secret memo\"}".into());
    *request.method_mut() = http::Method::PATCH;
    *request.uri_mut() = "/crm/v2/tenant/4711/locations/815?x=y".parse().unwrap();
    let call = Call::new("Locations_UpdateContact", Effect::Idempotent).rate_limit_key(4711);
    request.extensions_mut().insert(call);
    request
}

async fn a_call_that_is_repeated_twice() {
    let endpoint = Scripted::new(|_, _: &Request| {
        Ok(answer(200, r#"{"access_token":"token-0","expires_in":900}"#))
    });
    let wire = Scripted::new(|call, _: &Request| match call {
        0 => {
            let mut busy = answer(429, "");
            busy.headers_mut().insert("retry-after", 2.into());
            Ok(busy)
        }
        1 => Err(TransportError::new(TransportErrorKind::Reset, Delivery::Unknown)),
        _ => Ok(answer(200, "{}")),
    });
    let transport = wire
        .with_tracing()
        .with_rate_limit(RateLimit::per_second(60))
        .with_auth(Auth::new(endpoint, Credentials::new("cid.test", "s3cret", "ak1.test")))
        .with_retry(RetryPolicy::default().waits(Duration::ZERO, Duration::ZERO));
    transport.send(update()).await.unwrap();
}

#[test]
fn calls_attempts_repeats_waits_and_token_requests_are_counted() {
    let recorded = recorded(a_call_that_is_repeated_twice());
    let operation = "operation=Locations_UpdateContact";
    let counted = |name: &str, labels: &str| {
        let key = format!("{name} {labels}");
        let values = recorded.get(&key);
        values.unwrap_or_else(|| panic!("{key} in {recorded:#?}"))
    };
    let ok = "http.response.status_code=200";
    let busy = "http.response.status_code=429 error.type=429";
    let attempts =
        |outcome: &str| counted("crm.client.attempts", &format!("{operation} {outcome}"));
    assert_eq!(attempts(busy), &[1.0]);
    assert_eq!(attempts("error.type=Reset"), &[1.0]);
    assert_eq!(attempts(ok), &[1.0]);
    let retries = |reason: &str| counted("crm.client.retries", &format!("{operation} {reason}"));
    assert_eq!(retries("reason=429"), &[1.0]);
    assert_eq!(retries("reason=Reset"), &[1.0]);
    assert_eq!(counted("crm.client.token.requests", ok), &[1.0]);
    assert_eq!(counted("crm.client.rate_limit.pauses", operation), &[1.0]);
    assert_eq!(counted("crm.client.rate_limit.waiting", operation), &[0.0]);
    let waits = counted("crm.client.rate_limit.wait", operation);
    assert_eq!(waits.len(), 3, "one for each attempt");
    let request = |outcome: &str| {
        let labels = format!("{operation} {outcome} http.request.method=PATCH");
        counted("crm.client.request.duration", &labels)
    };
    for outcome in [busy, "error.type=Reset", ok] {
        assert_eq!(request(outcome).len(), 1, "one for each attempt");
    }
    let call = counted("crm.client.call.duration", &format!("{operation} {ok}"));
    assert!(call.len() == 1 && call[0] >= 2.0, "{call:?}");
}

#[test]
fn a_repeat_that_budget_or_deadline_withhold_is_counted_by_that_reason() {
    let recorded = recorded(async {
        let wire = Scripted::new(|_, _: &Request| {
            let mut busy = answer(503, "");
            busy.headers_mut().insert("retry-after", 2.into());
            Ok(busy)
        });
        let policy = RetryPolicy::default;
        for policy in [policy().budget(0.0, 0), policy().total_time(Duration::from_secs(1))] {
            let transport = wire.clone().with_retry(policy);
            transport.send(update()).await.unwrap();
        }
    });
    for reason in ["budget", "deadline"] {
        let name = "crm.client.retries.withheld operation=Locations_UpdateContact";
        let counted = recorded.get(&format!("{name} reason={reason}"));
        assert_eq!(counted, Some(&vec![1.0]), "{reason} in {recorded:#?}");
    }
}

#[test]
fn no_label_holds_an_id_or_a_value() {
    let recorded = recorded(a_call_that_is_repeated_twice());
    let names = recorded.into_keys().collect::<Vec<_>>().join("\n");
    for hidden in ["4711", "815", "x=y", "memo", "token-0", "s3cret", "cid."] {
        assert!(!names.contains(hidden), "{hidden} in {names}");
    }
}
