//! Counters and histograms, through the `metrics` facade.

use std::time::Duration;

use http::Method;
use metrics::{Label, Unit, counter, describe_counter, describe_histogram, histogram};

use crate::{Outcome, Response, TransportError};

const DURATION: &str = "http.client.request.duration";
const CALLS: &str = "crm.client.call.duration";
const ATTEMPTS: &str = "crm.client.attempts";
const RETRIES: &str = "crm.client.retries";
const WAIT: &str = "crm.client.rate_limit.wait";
const PAUSES: &str = "crm.client.rate_limit.pauses";
const TOKEN_REQUESTS: &str = "crm.client.token.requests";

/// Tells the installed recorder the units and meanings of this crate's metrics. Optional; call
/// it once, after a recorder was installed.
///
/// | Name | Kind | Labels | Recorded by |
/// |---|---|---|---|
/// | `http.client.request.duration` | histogram, seconds | `operation`, `http.request.method`, outcome | [`WithTracing`](crate::WithTracing): each request on the wire |
/// | `crm.client.call.duration` | histogram, seconds | `operation`, outcome | [`WithRetry`](crate::WithRetry): each call with its waits and attempts |
/// | `crm.client.attempts` | counter | `operation`, outcome | [`WithRetry`](crate::WithRetry) |
/// | `crm.client.retries` | counter | `operation`, `reason`: a status or an error's kind | [`WithRetry`](crate::WithRetry) |
/// | `crm.client.rate_limit.wait` | histogram, seconds | `operation` | [`WithRateLimit`](crate::WithRateLimit) |
/// | `crm.client.rate_limit.pauses` | counter | `operation` | [`WithRateLimit`](crate::WithRateLimit): answers 429 |
/// | `crm.client.token.requests` | counter | outcome | [`Auth`](crate::Auth) |
///
/// The outcome is either `http.response.status_class` (`2xx`) or `error.type`, the error's
/// kind. No label holds an id or a value. Where OpenTelemetry's semantic conventions for HTTP
/// clients have a name, it is theirs.
///
/// ```
/// // After the recorder of your choice, for example metrics-exporter-prometheus:
/// crm_transport::describe_metrics();
/// ```
pub fn describe_metrics() {
    describe_histogram!(DURATION, Unit::Seconds, "Time from request to answer");
    describe_histogram!(
        CALLS,
        Unit::Seconds,
        "Time of a call, waits and repeats included"
    );
    describe_counter!(ATTEMPTS, Unit::Count, "Attempts, repeats included");
    describe_counter!(RETRIES, Unit::Count, "Repeats by reason");
    describe_histogram!(WAIT, Unit::Seconds, "Time in the queue of the rate limit");
    describe_counter!(PAUSES, Unit::Count, "Answers 429, which close the gate");
    describe_counter!(
        TOKEN_REQUESTS,
        Unit::Count,
        "Requests to the token endpoint"
    );
}

pub(crate) fn request(
    operation: &'static str,
    method: &Method,
    result: &Result<Response, TransportError>,
    took: Duration,
) {
    let method = Label::new("http.request.method", method.to_string());
    let labels = vec![of(operation), method, outcome(Outcome::of(result))];
    histogram!(DURATION, labels).record(took);
}

pub(crate) fn call(
    operation: &'static str,
    result: &Result<Response, TransportError>,
    took: Duration,
) {
    histogram!(CALLS, vec![of(operation), outcome(Outcome::of(result))]).record(took);
}

pub(crate) fn attempt(operation: &'static str, result: Outcome) {
    counter!(ATTEMPTS, vec![of(operation), outcome(result)]).increment(1);
}

pub(crate) fn retry(operation: &'static str, after: Outcome) {
    let reason = match after {
        Outcome::Answer { status, .. } => status.as_str().to_owned(),
        Outcome::Error { kind, .. } => format!("{kind:?}"),
    };
    counter!(RETRIES, vec![of(operation), Label::new("reason", reason)]).increment(1);
}

pub(crate) fn rate_limit_wait(operation: &'static str, wait: Duration) {
    histogram!(WAIT, vec![of(operation)]).record(wait);
}

pub(crate) fn rate_limit_pause(operation: &'static str) {
    counter!(PAUSES, vec![of(operation)]).increment(1);
}

pub(crate) fn token_request(result: &Result<Response, TransportError>) {
    counter!(TOKEN_REQUESTS, vec![outcome(Outcome::of(result))]).increment(1);
}

fn of(operation: &'static str) -> Label {
    Label::new("operation", operation)
}

fn outcome(outcome: Outcome) -> Label {
    match outcome {
        Outcome::Answer { status, .. } => {
            let class = format!("{}xx", status.as_u16() / 100);
            Label::new("http.response.status_class", class)
        }
        Outcome::Error { kind, .. } => Label::new("error.type", format!("{kind:?}")),
    }
}
