//! Counters and histograms, through the `metrics` facade.

use http::Method;
use metrics::{
    Gauge, Label, Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge,
    histogram,
};
use tokio::time::Instant;

use crate::{
    error::TransportError,
    message::{self, Response},
    outcome::AttemptOutcome,
};

const DURATION: &str = "crm.client.request.duration";
const CALLS: &str = "crm.client.call.duration";
const ATTEMPTS: &str = "crm.client.attempts";
const RETRIES: &str = "crm.client.retries";
const WITHHELD: &str = "crm.client.retries.withheld";
const WAIT: &str = "crm.client.rate_limit.wait";
const WAITING: &str = "crm.client.rate_limit.waiting";
const PAUSES: &str = "crm.client.rate_limit.pauses";
const TOKEN_REQUESTS: &str = "crm.client.token.requests";

/// Registers the units and meanings of this crate's metrics with the installed recorder. Optional;
/// call it once, after a recorder was installed.
///
/// | Name | Kind | Labels | Recorded by |
/// |---|---|---|---|
/// | `crm.client.request.duration` | histogram, seconds | `operation`, `http.request.method`, outcome | [`WithTracing`](crate::WithTracing): each request on the wire |
/// | `crm.client.call.duration` | histogram, seconds | `operation`, outcome | [`WithRetry`](crate::WithRetry): each call with its waits and attempts |
/// | `crm.client.attempts` | counter | `operation`, outcome | [`WithRetry`](crate::WithRetry) |
/// | `crm.client.retries` | counter | `operation`, `reason`: a status or an error's kind | [`WithRetry`](crate::WithRetry) |
/// | `crm.client.retries.withheld` | counter | `operation`, `reason`: `budget`, `deadline` or `begin_by` | [`WithRetry`](crate::WithRetry): repeats that the policy wanted |
/// | `crm.client.rate_limit.wait` | histogram, seconds | `operation` | [`WithRateLimit`](crate::WithRateLimit) |
/// | `crm.client.rate_limit.waiting` | gauge | `operation` | [`WithRateLimit`](crate::WithRateLimit): calls in the queue |
/// | `crm.client.rate_limit.pauses` | counter | `operation` | [`WithRateLimit`](crate::WithRateLimit): answers 429, also to a gate that is closed already |
/// | `crm.client.token.requests` | counter | outcome | [`Auth`](crate::Auth) |
///
/// The outcome is `http.response.status_code` and, where that is 400 or more or there is no
/// answer, `error.type`: the status or the error's kind. No label holds an id or a value. The
/// labels are named as OpenTelemetry's semantic conventions for HTTP clients name attributes;
/// the metrics are this crate's own.
///
/// ```
/// // After the recorder of your choice, for example metrics-exporter-prometheus:
/// crm_transport::describe_metrics();
/// ```
pub fn describe_metrics() {
    describe_histogram!(DURATION, Unit::Seconds, "Time from request to answer");
    describe_histogram!(CALLS, Unit::Seconds, "Time of a call, waits and repeats included");
    describe_counter!(ATTEMPTS, Unit::Count, "Attempts, repeats included");
    describe_counter!(RETRIES, Unit::Count, "Repeats by reason");
    describe_counter!(WITHHELD, Unit::Count, "Repeats not made, by reason");
    describe_histogram!(WAIT, Unit::Seconds, "Time in the queue of the rate limit");
    describe_gauge!(WAITING, Unit::Count, "Calls in the queue of the rate limit");
    describe_counter!(PAUSES, Unit::Count, "Answers 429, also to a closed gate");
    describe_counter!(TOKEN_REQUESTS, Unit::Count, "Requests to the token endpoint");
}

/// A request on the wire.
pub(crate) struct Request {
    operation: &'static str,
    method: Method,
    started: Instant,
}

impl Request {
    pub(crate) fn begins(operation: &'static str, request: &message::Request) -> Self {
        Self { operation, method: request.method().clone(), started: Instant::now() }
    }

    pub(crate) fn ends(self, result: &Result<Response, TransportError>) {
        let mut labels = labels(self.operation, AttemptOutcome::of(result));
        let method = self.method.to_string();
        labels.push(Label::new("http.request.method", method));
        histogram!(DURATION, labels).record(self.started.elapsed());
    }
}

pub(crate) fn call(
    operation: &'static str,
    result: &Result<Response, TransportError>,
    started: Instant,
) {
    histogram!(CALLS, labels(operation, AttemptOutcome::of(result))).record(started.elapsed());
}

pub(crate) fn attempt(operation: &'static str, result: AttemptOutcome) {
    counter!(ATTEMPTS, labels(operation, result)).increment(1);
}

pub(crate) fn retry(operation: &'static str, after: AttemptOutcome) {
    let reason = match after {
        AttemptOutcome::Answer { status, .. } => status.as_str().to_owned(),
        AttemptOutcome::Error { kind, .. } => format!("{kind:?}"),
    };
    counter!(RETRIES, vec![of(operation), Label::new("reason", reason)]).increment(1);
}

pub(crate) fn withheld(operation: &'static str, reason: &'static str) {
    let labels = vec![of(operation), Label::new("reason", reason)];
    counter!(WITHHELD, labels).increment(1);
}

/// A call in the queue of a rate limit, until it is dropped.
pub(crate) struct Waiting {
    gauge: Gauge,
    operation: &'static str,
    since: Instant,
}

impl Waiting {
    pub(crate) fn new(operation: &'static str) -> Self {
        let gauge = gauge!(WAITING, vec![of(operation)]);
        gauge.increment(1);
        Self { gauge, operation, since: Instant::now() }
    }

    /// The call may leave.
    pub(crate) fn ends(self) {
        histogram!(WAIT, vec![of(self.operation)]).record(self.since.elapsed());
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.gauge.decrement(1);
    }
}

pub(crate) fn rate_limit_pause(operation: &'static str) {
    counter!(PAUSES, vec![of(operation)]).increment(1);
}

pub(crate) fn token_request(result: &Result<Response, TransportError>) {
    counter!(TOKEN_REQUESTS, outcome(AttemptOutcome::of(result))).increment(1);
}

fn of(operation: &'static str) -> Label {
    Label::new("operation", operation)
}

fn labels(operation: &'static str, result: AttemptOutcome) -> Vec<Label> {
    let mut labels = vec![of(operation)];
    labels.extend(outcome(result));
    labels
}

fn outcome(outcome: AttemptOutcome) -> Vec<Label> {
    let error = |kind: String| Label::new("error.type", kind);
    match outcome {
        AttemptOutcome::Answer { status, .. } => {
            let mut labels =
                vec![Label::new("http.response.status_code", status.as_str().to_owned())];
            if status.is_client_error() || status.is_server_error() {
                labels.push(error(status.as_str().to_owned()));
            }
            labels
        }
        AttemptOutcome::Error { kind, .. } => vec![error(format!("{kind:?}"))],
    }
}
