//! What is repeated, and what is not.

use std::{
    future::pending,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use crm_transport::{
    AttemptOutcome, Attempts, Call, Decision, Delivery, Effect, Moment, RateLimit, Request,
    Response, RetryPolicy, Transport, TransportError, TransportErrorKind, TransportExt,
};
use http::{HeaderValue, Method, StatusCode, Version};
use tokio::time::Instant;

use super::{Scripted, answer, request};

/// Which calls are repeated after this outcome, as `read idempotent creation`.
fn repeated(outcome: AttemptOutcome, begin_by: Option<Moment>) -> [bool; 3] {
    let policy = RetryPolicy::default();
    [Effect::Read, Effect::Idempotent, Effect::Creates].map(|effect| {
        let mut call = Call::new("Test", effect);
        call.begin_by = begin_by;
        policy.decide(1, &call, outcome) != Decision::Stop
    })
}

#[tokio::test]
async fn the_policy_is_this_table() {
    use Delivery::*;
    use TransportErrorKind::*;

    let status = |code| answered(code, None);
    let error = |kind, delivery| AttemptOutcome::Error { kind, delivery };
    let all = [true; 3];
    let safe = [true, true, false];
    let reads = [true, false, false];
    let none = [false; 3];
    let maintenance = AttemptOutcome::Answer {
        status: StatusCode::CONFLICT,
        maintenance: true,
        retry_after: None,
    };
    for (outcome, expected) in [
        (status(200), none),
        (status(204), none),
        (status(302), none),
        (status(400), none),
        (status(401), none),
        (status(403), none),
        (status(404), none),
        (status(408), reads),
        (status(409), none),
        (maintenance, all),
        (status(429), all),
        (status(500), reads),
        (status(501), none),
        (status(502), safe),
        (status(503), safe),
        (status(504), safe),
        (status(520), reads),
        (error(Connect, NotExecuted), all),
        (error(Timeout, NotExecuted), all),
        (error(Reset, NotExecuted), all),
        (error(Other, NotExecuted), all),
        (error(TokenEndpoint, NotExecuted), none),
        (error(Expired, NotExecuted), none),
        (error(BudgetSpent, NotExecuted), none),
        (error(LimitServer, NotExecuted), all),
        (error(ClosedWhileIdle, NotExecuted), all),
        (error(Timeout, Unknown), safe),
        (error(Reset, Unknown), safe),
        (error(ClosedWhileIdle, Unknown), safe),
        (error(IncompleteAnswer, Unknown), safe),
        (error(UnreadableAnswer, Unknown), safe),
        (error(Other, Unknown), safe),
        (error(AnswerTooLarge, Unknown), none),
        (error(InvalidRequest, NotExecuted), none),
        (error(Credentials, NotExecuted), none),
        (error(RateLimited, NotExecuted), none),
        (error(Refused, NotExecuted), none),
        (error(RefusedForNow, NotExecuted), none),
        (error(NoRuntime, NotExecuted), none),
        (error(Tls, NotExecuted), none),
    ] {
        assert_eq!(repeated(outcome, None), expected, "{outcome:?}");
        // A write that was decided on a reading is repeated as a creation is.
        let [read, _, creation] = expected;
        let begin_by = Moment::now().after(Duration::from_secs(60));
        let bounded = repeated(outcome, Some(begin_by));
        assert_eq!(bounded, [read, creation, creation], "{outcome:?}, bounded");
    }
}

fn answered(status: u16, retry_after: Option<Duration>) -> AttemptOutcome {
    AttemptOutcome::Answer {
        status: StatusCode::from_u16(status).unwrap(),
        maintenance: false,
        retry_after,
    }
}

#[test]
fn waits_double_up_to_a_bound_and_an_asked_wait_is_kept() {
    let policy = RetryPolicy::default()
        .attempts(40)
        .waits(Duration::from_millis(200), Duration::from_secs(20));
    let wait = |attempt, outcome| match policy.decide(
        attempt,
        &Call::new("Test", Effect::Read),
        outcome,
    ) {
        Decision::Repeat { within, at_least, .. } => (within.as_millis(), at_least.as_secs()),
        other => panic!("{other:?}"),
    };
    let bounds = [1, 2, 3, 7, 8, 39].map(|attempt| wait(attempt, answered(502, None)).0);
    assert_eq!(bounds, [200, 400, 800, 12_800, 20_000, 20_000]);
    let asked = Some(Duration::from_secs(7));
    assert_eq!(wait(1, answered(429, asked)), (200, 7));
    // An answer that asks for a wait does not thereby allow a repeat.
    let outcome = answered(503, asked);
    let creation = Call::new("Test", Effect::Creates);
    assert_eq!(policy.decide(1, &creation, outcome), Decision::Stop);
}

#[tokio::test(start_paused = true)]
async fn only_a_conflict_that_speaks_of_maintenance_is_repeated() {
    for (status, body, attempts) in [
        (409, r#"{"title":"Down for Maintenance."}"#, 5),
        (409, r#"{"title":"Please try again later"}"#, 5),
        (409, r#"{"title":" ","message":"Down for maintenance"}"#, 5),
        (409, r#"{"message":"Busy, try later"}"#, 5),
        (409, r#"{"error":{"message":"Down for maintenance"}}"#, 5),
        (409, r#"{"error":"Down for maintenance"}"#, 5),
        (409, r#"{"title":"Changed","error":"Down for maintenance"}"#, 1),
        (409, r#"{"title":"The contact was changed by another user"}"#, 1),
        (409, "", 1),
        (400, r#"{"title":"Down for maintenance"}"#, 1),
    ] {
        let wire = Scripted::new(move |_, _: &Request| Ok(answer(status, body)));
        let transport = wire.clone().with_retry(RetryPolicy::default());
        transport.send(request(Effect::Creates)).await.unwrap();
        assert_eq!(wire.calls(), attempts, "{status} {body}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_wants_no_repeat_gets_none() {
    let wire = Scripted::new(|_, _: &Request| Ok(answer(503, "")));
    let transport = wire.clone().with_retry(RetryPolicy::never());
    transport.send(request(Effect::Read)).await.unwrap();
    assert_eq!(wire.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_is_repeated_until_it_succeeds_and_tells_its_attempts() {
    let wire = Scripted::new(|call, _: &Request| match call {
        0 => Err(TransportError::new(TransportErrorKind::Reset, Delivery::Unknown)),
        1 => Ok(answer(503, "<html></html>")),
        _ => Ok(answer(200, "")),
    });
    let transport = wire.clone().with_retry(RetryPolicy::default());
    let response = transport.send(request(Effect::Idempotent)).await.unwrap();
    let attempts = Attempts::new(3, Delivery::Unknown);
    assert_eq!(Attempts::of(&response), attempts);
    assert_eq!(wire.calls(), 3);

    let first = transport.send(request(Effect::Idempotent)).await.unwrap();
    assert!(first.extensions().get::<Attempts>().is_none(), "the first one");
}

#[tokio::test(start_paused = true)]
async fn a_creation_whose_answer_is_lost_is_sent_once() {
    for lost in [504, 503, 502, 500] {
        let wire = Scripted::new(move |_, _: &Request| Ok(answer(lost, "")));
        let transport = wire.clone().with_retry(RetryPolicy::default());
        assert_eq!(transport.send(request(Effect::Creates)).await.unwrap().status(), lost);
        assert_eq!(wire.calls(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn attempts_and_total_time_are_bounded() {
    let wire = Scripted::new(|_, _: &Request| Ok(answer(503, "")));
    let transport = wire.clone().with_retry(RetryPolicy::default().attempts(4));
    transport.send(request(Effect::Read)).await.unwrap();
    assert_eq!(wire.calls(), 4);

    let wire = Scripted::new(|_, _: &Request| {
        let mut busy = answer(429, "");
        busy.headers_mut().insert("retry-after", 40.into());
        Ok(busy)
    });
    let policy = RetryPolicy::default().attempts(100).total_time(Duration::from_secs(100));
    let started = Instant::now();
    let response = wire.clone().with_retry(policy).send(request(Effect::Read)).await.unwrap();
    assert_eq!(response.status(), 429);
    assert_eq!((wire.calls(), started.elapsed().as_secs()), (3, 80));
}

/// What the wire does with one attempt.
#[derive(Debug, Clone, Copy)]
enum Step {
    Answer(u16),
    Fail(TransportErrorKind, Delivery),
}

#[tokio::test(start_paused = true)]
async fn what_an_earlier_attempt_may_have_done_is_not_forgotten() {
    use Delivery::*;
    use Step::*;
    use TransportErrorKind::*;

    let refused = Fail(Connect, NotExecuted);
    for (steps, last, delivery) in [
        // The last attempt, and what the caller may assume of all.
        ([refused; 5], refused, NotExecuted),
        ([Answer(429); 5], Answer(429), NotExecuted),
        ([Answer(504), refused, refused, refused, refused], refused, Unknown),
        ([Fail(Reset, Unknown), refused, refused, refused, refused], refused, Unknown),
        ([refused, Answer(503), refused, refused, refused], refused, Unknown),
        ([Answer(504), Answer(429), Answer(429), Answer(429), Answer(429)], Answer(429), Unknown),
        ([Answer(504), Answer(404), refused, refused, refused], Answer(404), Unknown),
        ([Answer(429), Answer(404), refused, refused, refused], Answer(404), NotExecuted),
        ([refused, Answer(404), refused, refused, refused], Answer(404), NotExecuted),
        (
            [Answer(502), Fail(Credentials, NotExecuted), refused, refused, refused],
            Fail(Credentials, NotExecuted),
            Unknown,
        ),
    ] {
        let wire = Scripted::new(move |call, _: &Request| match steps[call] {
            Answer(status) => Ok(answer(status, "")),
            Fail(kind, delivery) => Err(TransportError::new(kind, delivery)),
        });
        let transport = wire.with_retry(RetryPolicy::default());
        let result = transport.send(request(Effect::Idempotent)).await;
        match (result, last) {
            (Ok(answer), Answer(status)) => {
                assert_eq!(answer.status(), status, "{steps:?}");
                assert_eq!(Attempts::of(&answer).earlier, delivery, "{steps:?}");
            }
            (Err(error), Fail(kind, _)) => {
                assert_eq!((error.kind(), error.delivery()), (kind, delivery), "{steps:?}");
            }
            (result, _) => panic!("{steps:?}: {result:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_has_its_own_back_off_costs_no_budget() {
    for failing in
        [Step::Answer(429), Step::Fail(TransportErrorKind::LimitServer, Delivery::NotExecuted)]
    {
        let wire = Scripted::new(move |call, _: &Request| match (call % 2, failing) {
            (0, Step::Answer(status)) => Ok(answer(status, "")),
            (0, Step::Fail(kind, delivery)) => Err(TransportError::new(kind, delivery)),
            _ => Ok(answer(200, "")),
        });
        let transport = wire.with_retry(RetryPolicy::default().budget(0.0, 0));
        for _ in 0..10 {
            let response = transport.send(request(Effect::Creates)).await.unwrap();
            assert_eq!(response.status(), 200, "{failing:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_asks_for_no_wait_does_not_end_the_back_off() {
    let wire = Scripted::new(|_, _: &Request| {
        let mut busy = answer(503, "");
        busy.headers_mut().insert("retry-after", 0.into());
        Ok(busy)
    });
    let transport = wire.clone().with_retry(RetryPolicy::default().attempts(9));
    let started = Instant::now();
    transport.send(request(Effect::Read)).await.unwrap();
    assert_eq!(wire.calls(), 9);
    assert!(started.elapsed() > Duration::from_millis(100));
}

/// Breaks so many connections; never answers after them.
struct Silent(AtomicUsize);

#[async_trait]
impl Transport for Silent {
    async fn send(&self, _: Request) -> Result<Response, TransportError> {
        let left = self.0.fetch_sub(1, Ordering::SeqCst);
        if left == 0 {
            pending::<()>().await;
        }
        Err(TransportError::new(TransportErrorKind::Reset, Delivery::Unknown))
    }
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_hangs_ends_with_the_total_time_or_at_the_deadline() {
    for broken in [0, 1] {
        for (deadline, ends) in [(None, 10), (Some(4), 4), (Some(40), 10)] {
            let policy = RetryPolicy::default().total_time(Duration::from_secs(10));
            let transport = Silent(AtomicUsize::new(broken)).with_retry(policy);
            let started = Instant::now();
            let mut request = request(Effect::Read);
            Call::of_mut(&mut request).deadline =
                deadline.map(|seconds| started + Duration::from_secs(seconds));
            let error = transport.send(request).await.unwrap_err();
            assert!(error.is_timeout());
            assert_eq!(error.delivery(), Delivery::Unknown);
            let took = started.elapsed().as_secs();
            assert_eq!((error.attempts() as usize, took), (broken + 1, ends));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_passes_in_the_queue_or_before_leaves_a_call_not_sent() {
    let wire = Scripted::new(|_, _: &Request| Ok(answer(200, "")));
    let transport =
        wire.clone().with_rate_limit(RateLimit::per_second(1)).with_retry(RetryPolicy::default());
    transport.send(request(Effect::Creates)).await.unwrap();
    let started = Instant::now();
    for milliseconds in [500, 0] {
        let deadline = started + Duration::from_millis(milliseconds);
        let mut request = request(Effect::Creates);
        let call = Call::of(&request).clone().deadline(deadline);
        request.extensions_mut().insert(call);
        let error = transport.send(request).await.unwrap_err();
        assert!(error.is_timeout(), "{error}");
        assert_eq!(error.delivery(), Delivery::NotExecuted);
    }
    assert_eq!(started.elapsed().as_millis(), 500);
    assert_eq!(wire.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_repeat_is_the_same_request_with_all_its_parts() {
    for (headers, version) in (0..8).zip([Version::HTTP_11, Version::HTTP_2].into_iter().cycle()) {
        let sent = Mutex::new(Vec::new());
        let transport = Scripted::new(|call, request: &Request| {
            sent.lock().unwrap().push(request.clone());
            Ok(answer(if call == 0 { 503 } else { 200 }, "{}"))
        });
        let mut request = request(Effect::Read);
        *request.method_mut() = Method::PATCH;
        *request.version_mut() = version;
        *request.body_mut() = "{}".into();
        for _ in 0..headers {
            request.headers_mut().append("x-same", HeaderValue::from_static("value"));
        }
        if headers == 1 {
            request.extensions_mut().insert("mine");
        }
        transport.with_retry(RetryPolicy::default()).send(request).await.unwrap();

        let sent = sent.into_inner().unwrap();
        let [first, again] = &sent[..] else { panic!("{} requests", sent.len()) };
        assert_eq!(again.method(), first.method());
        assert_eq!(again.uri(), first.uri());
        assert_eq!(again.version(), version);
        assert_eq!(again.headers(), first.headers());
        assert_eq!(again.headers().len(), headers);
        assert_eq!(again.body(), first.body());
        assert_eq!(again.extensions().get::<&str>(), first.extensions().get());
        assert_eq!(Call::of(again).operation, "Test");
    }
}
