//! What is repeated, and what is not.

use std::{
    future::pending,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use async_trait::async_trait;
use crm_transport::{
    Attempts, Decision, Delivery, Effect, Outcome, Request, Response, RetryPolicy, Transport,
    TransportError, TransportErrorKind, TransportExt,
};
use http::StatusCode;
use tokio::time::Instant;

use super::{Scripted, answer, request};

const EFFECTS: [Effect; 3] = [Effect::Read, Effect::Idempotent, Effect::Creates];

/// Which effects are repeated after this outcome, as `read idempotent creates`.
fn repeated(outcome: Outcome) -> [bool; 3] {
    let policy = RetryPolicy::default();
    EFFECTS.map(|effect| policy.decide(1, effect, outcome) != Decision::Stop)
}

#[test]
fn the_policy_is_this_table() {
    use {Delivery::*, TransportErrorKind::*};

    let status = |code| Outcome::Answer(StatusCode::from_u16(code).unwrap(), false, None);
    let all = [true; 3];
    let safe = [true, true, false];
    let reads = [true, false, false];
    let none = [false; 3];
    for (outcome, expected) in [
        (status(200), none),
        (status(204), none),
        (status(302), none),
        (status(400), none),
        (status(401), none),
        (status(403), none),
        (status(404), none),
        (status(409), none),
        (Outcome::Answer(StatusCode::CONFLICT, true, None), all),
        (status(429), all),
        (status(500), reads),
        (status(501), none),
        (status(502), safe),
        (status(503), safe),
        (status(504), safe),
        (Outcome::Error(Connect, NotSent), all),
        (Outcome::Error(Timeout, NotSent), all),
        (Outcome::Error(TokenEndpoint, NotSent), all),
        (Outcome::Error(ClosedWhileIdle, NotSent), all),
        (Outcome::Error(Timeout, Unknown), safe),
        (Outcome::Error(Reset, Unknown), safe),
        (Outcome::Error(ClosedWhileIdle, Unknown), safe),
        (Outcome::Error(IncompleteAnswer, Unknown), safe),
        (Outcome::Error(AnswerTooLarge, Unknown), none),
        (Outcome::Error(UnreadableAnswer, Unknown), none),
        (Outcome::Error(InvalidRequest, NotSent), none),
        (Outcome::Error(Credentials, NotSent), none),
        (Outcome::Error(Refused, NotSent), none),
        (Outcome::Error(Tls, NotSent), none),
    ] {
        assert_eq!(repeated(outcome), expected, "{outcome:?}");
    }
}

#[test]
fn waits_double_up_to_a_bound_and_an_asked_wait_is_kept() {
    let policy = RetryPolicy::default()
        .attempts(40)
        .waits(Duration::from_millis(200), Duration::from_secs(20));
    let outcome = Outcome::Answer(StatusCode::BAD_GATEWAY, false, None);
    let bounds = [1, 2, 3, 7, 8, 39].map(|n| policy.decide(n, Effect::Read, outcome));
    let within = |ms| Decision::Within(Duration::from_millis(ms));
    assert_eq!(bounds, [200, 400, 800, 12_800, 20_000, 20_000].map(within));
    let asked = Duration::from_secs(7);
    let outcome = Outcome::Answer(StatusCode::TOO_MANY_REQUESTS, false, Some(asked));
    assert_eq!(
        policy.decide(1, Effect::Creates, outcome),
        Decision::After(asked)
    );
    // An answer that asks for a wait does not thereby allow a repeat.
    let outcome = Outcome::Answer(StatusCode::SERVICE_UNAVAILABLE, false, Some(asked));
    assert_eq!(policy.decide(1, Effect::Creates, outcome), Decision::Stop);
}

#[tokio::test(start_paused = true)]
async fn only_a_conflict_that_speaks_of_maintenance_is_repeated() {
    for (status, body, attempts) in [
        (409, r#"{"title":"Down for Maintenance."}"#, 5),
        (409, r#"{"title":"Please try again later"}"#, 5),
        (409, r#"{"message":"Busy, try later"}"#, 5),
        (
            409,
            r#"{"title":"The contact was changed by another user"}"#,
            1,
        ),
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
async fn calls_that_succeed_fill_the_budget_up_to_its_reserve() {
    let wire = Scripted::new(|_, request: &Request| {
        let fails = request.uri().path() == "/fails";
        Ok(answer(if fails { 503 } else { 200 }, ""))
    });
    let policy = RetryPolicy::default().attempts(100).budget(0.5, 3);
    let transport = wire.clone().with_retry(policy);
    let repeats = async || {
        let before = wire.calls();
        let mut request = request(Effect::Read);
        *request.uri_mut() = "/fails".parse().unwrap();
        transport.send(request).await.unwrap();
        wire.calls() - before - 1
    };
    assert_eq!(repeats().await, 3, "the reserve");
    assert_eq!(repeats().await, 0, "half of a repeat is none");
    for _ in 0..2 {
        transport.send(request(Effect::Read)).await.unwrap();
    }
    assert_eq!(repeats().await, 2, "four calls' worth");
    for _ in 0..100 {
        transport.send(request(Effect::Read)).await.unwrap();
    }
    assert_eq!(repeats().await, 3, "never more than the reserve");
}

#[tokio::test(start_paused = true)]
async fn a_call_is_repeated_until_it_succeeds_and_tells_its_attempts() {
    let wire = Scripted::new(|call, _: &Request| match call {
        0 => Err(TransportError::new(
            TransportErrorKind::Reset,
            Delivery::Unknown,
        )),
        1 => Ok(answer(503, "<html></html>")),
        _ => Ok(answer(200, "")),
    });
    let transport = wire.clone().with_retry(RetryPolicy::default());
    let response = transport.send(request(Effect::Idempotent)).await.unwrap();
    assert_eq!(response.extensions().get(), Some(&Attempts(3)));
    assert_eq!(wire.calls(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_creation_whose_answer_is_lost_is_sent_once() {
    for lost in [504, 503, 502, 500] {
        let wire = Scripted::new(move |_, _: &Request| Ok(answer(lost, "")));
        let transport = wire.clone().with_retry(RetryPolicy::default());
        assert_eq!(
            transport
                .send(request(Effect::Creates))
                .await
                .unwrap()
                .status(),
            lost
        );
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
    let policy = RetryPolicy::default()
        .attempts(100)
        .total_time(Duration::from_secs(100));
    let started = Instant::now();
    let response = wire
        .clone()
        .with_retry(policy)
        .send(request(Effect::Read))
        .await
        .unwrap();
    assert_eq!(response.status(), 429);
    assert_eq!((wire.calls(), started.elapsed().as_secs()), (3, 80));
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_not_multiplied() {
    let wire = Scripted::new(|_, _: &Request| Ok(answer(503, "")));
    let policy = RetryPolicy::default().budget(0.2, 50);
    let transport = wire.clone().with_retry(policy);
    for _ in 0..1_000 {
        transport.send(request(Effect::Read)).await.unwrap();
    }
    // 50 in reserve and one repeat for every five calls.
    assert!(
        wire.calls() <= 1_000 + 50 + 200,
        "{} attempts",
        wire.calls()
    );
}

#[tokio::test(start_paused = true)]
async fn a_stale_connection_is_repeated_at_once_and_costs_no_budget() {
    let wire = Scripted::new(|call, _: &Request| match call % 2 {
        0 => Err(TransportError::new(
            TransportErrorKind::ClosedWhileIdle,
            Delivery::NotSent,
        )),
        _ => Ok(answer(200, "")),
    });
    let transport = wire
        .clone()
        .with_retry(RetryPolicy::default().budget(0.0, 0));
    let started = Instant::now();
    for _ in 0..10 {
        assert_eq!(
            transport
                .send(request(Effect::Creates))
                .await
                .unwrap()
                .status(),
            200
        );
    }
    assert_eq!((wire.calls(), started.elapsed()), (20, Duration::ZERO));
}

/// Breaks the first connection; never answers after it.
struct Silent(AtomicUsize);

#[async_trait]
impl Transport for Silent {
    async fn send(&self, _: Request) -> Result<Response, TransportError> {
        if self.0.fetch_add(1, Ordering::SeqCst) > 0 {
            pending::<()>().await;
        }
        Err(TransportError::new(
            TransportErrorKind::Reset,
            Delivery::Unknown,
        ))
    }
}

#[tokio::test(start_paused = true)]
async fn a_repeat_that_hangs_ends_with_the_total_time() {
    let policy = RetryPolicy::default().total_time(Duration::from_secs(10));
    let transport = Silent(AtomicUsize::new(0)).with_retry(policy);
    let started = Instant::now();
    let error = transport.send(request(Effect::Read)).await.unwrap_err();
    assert!(error.is_timeout());
    assert_eq!(error.delivery(), Delivery::Unknown);
    assert_eq!((error.attempts(), started.elapsed().as_secs()), (2, 10));
}

#[tokio::test(start_paused = true)]
async fn a_repeat_that_comes_too_late_costs_no_budget() {
    let wire = Scripted::new(|call, _: &Request| {
        let mut busy = answer(429, "");
        let wait = if call == 0 { 40 } else { 1 };
        busy.headers_mut().insert("retry-after", wait.into());
        Ok(busy)
    });
    let policy = RetryPolicy::default()
        .attempts(2)
        .total_time(Duration::from_secs(30))
        .budget(0.0, 1);
    let transport = wire.clone().with_retry(policy);
    transport.send(request(Effect::Read)).await.unwrap();
    assert_eq!(wire.calls(), 1, "40 s are more than is left");
    transport.send(request(Effect::Read)).await.unwrap();
    assert_eq!(wire.calls(), 3, "the one repeat is still there");
}
