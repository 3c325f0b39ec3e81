//! How many repeats there are in all.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU16, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use crm_transport::{
    Call, Delivery, Effect, Request, Response, RetryPolicy, Transport, TransportError,
    TransportErrorKind, TransportExt,
};
use futures_util::future::join_all;
use http::StatusCode;
use tokio::time::{Instant, advance, sleep};

use super::{Scripted, answer, request};

/// A request that this wire answers with 503.
fn failing(effect: Effect) -> Request {
    let mut request = request(effect);
    *request.uri_mut() = "/fails".parse().unwrap();
    request
}

/// Answers `/fails` with 503, all else with 200.
fn wire() -> Scripted<impl Fn(usize, &Request) -> Result<Response, TransportError> + Clone> {
    Scripted::new(|_, request: &Request| {
        let fails = request.uri().path() == "/fails";
        Ok(answer(if fails { 503 } else { 200 }, ""))
    })
}

fn resent(mut request: Request) -> Request {
    Call::of_mut(&mut request).resend = true;
    request
}

#[tokio::test(start_paused = true)]
async fn successes_fill_the_budget_of_their_kind_up_to_its_reserve_and_failures_do_not() {
    for (kind, other) in [(Effect::Read, Effect::Idempotent), (Effect::Idempotent, Effect::Read)] {
        let wire = wire();
        let policy = RetryPolicy::default().attempts(100).budget(0.5, 3);
        let policy = policy.waits(Duration::ZERO, Duration::ZERO);
        let transport = wire.clone().with_retry(policy);
        let repeats = async || {
            let before = wire.calls();
            transport.send(failing(kind)).await.unwrap();
            wire.calls() - before - 1
        };
        let succeed = async |effect, times| {
            for _ in 0..times {
                transport.send(request(effect)).await.unwrap();
            }
        };
        assert_eq!(repeats().await, 3, "the reserve");
        assert_eq!(repeats().await, 0, "a failure fills nothing");
        succeed(other, 10).await;
        assert_eq!(repeats().await, 0, "nor do those of the other kind");
        succeed(kind, 4).await;
        assert_eq!(repeats().await, 2, "four successes' worth");
        succeed(kind, 100).await;
        assert_eq!(repeats().await, 3, "never more than the reserve");
    }
}

#[tokio::test(start_paused = true)]
async fn time_fills_the_budget_after_an_outage_and_not_in_one() {
    let wire = wire();
    let minutes = |minutes: u64| advance(Duration::from_secs(minutes * 60));
    for reserve in [20, 0] {
        let policy = RetryPolicy::default().attempts(100);
        let policy = policy.waits(Duration::ZERO, Duration::ZERO);
        let transport = wire.clone().with_retry(policy.budget(0.0, reserve));
        let repeats = async || {
            let before = wire.calls();
            transport.send(failing(Effect::Idempotent)).await.unwrap();
            (wire.calls() - before - 1) as u32
        };
        let success = async || {
            let request = request(Effect::Idempotent);
            transport.send(request).await.unwrap();
        };
        assert_eq!(repeats().await, reserve);
        minutes(600).await;
        assert_eq!(repeats().await, 0, "the outage goes on");
        success().await;
        minutes(5).await;
        assert_eq!(repeats().await, reserve / 2);
        success().await;
        minutes(600).await;
        assert_eq!(repeats().await, reserve, "never more than the reserve");
    }
}

/// Answers reads, and writes with a status that can be changed, after a while.
struct Service {
    writes: AtomicU16,
    two_at_once: AtomicBool,
    on_its_way: AtomicBool,
    repeated: AtomicBool,
}

impl Service {
    fn answering(status: u16) -> Self {
        Self {
            writes: status.into(),
            two_at_once: false.into(),
            on_its_way: false.into(),
            repeated: false.into(),
        }
    }
}

#[async_trait]
impl Transport for Service {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let call = Call::of(&request);
        let is_repeat = call.resend_count > 0 || call.resend;
        if is_repeat && self.on_its_way.swap(true, Ordering::SeqCst) {
            self.two_at_once.store(true, Ordering::SeqCst);
        }
        self.repeated.fetch_or(is_repeat, Ordering::SeqCst);
        sleep(Duration::from_millis(20)).await;
        if is_repeat {
            self.on_its_way.store(false, Ordering::SeqCst);
        }
        let mut answer = answer(200, "");
        if call.effect != Effect::Read {
            let status = self.writes.load(Ordering::SeqCst);
            *answer.status_mut() = StatusCode::from_u16(status).unwrap();
        }
        Ok(answer)
    }
}

/// Sends so many at once, and counts those that succeeded.
async fn at_once<T: Transport>(transport: &T, requests: impl Iterator<Item = Request>) -> usize {
    let results = join_all(requests.map(|request| transport.send(request))).await;
    let succeeded = |result: &&Result<Response, TransportError>| {
        result.as_ref().is_ok_and(|answer| answer.status() == 200)
    };
    results.iter().filter(succeeded).count()
}

#[tokio::test(start_paused = true)]
async fn an_outage_of_writes_is_not_multiplied_by_reads_that_succeed() {
    for again in [false, true] {
        let wire = Scripted::new(|_, request: &Request| {
            let reads = Call::of(request).effect == Effect::Read;
            Ok(answer(if reads { 200 } else { 503 }, ""))
        });
        let transport = wire.clone().with_retry(RetryPolicy::default());
        let mut writes = 0;
        for _ in 0..600 {
            for _ in 0..if again { 3 } else { 1 } {
                let before = wire.calls();
                let mut write = request(Effect::Idempotent);
                Call::of_mut(&mut write).resend = again;
                let _ = transport.send(write).await;
                writes += wire.calls() - before;
                // Looks what became of it.
                transport.send(request(Effect::Read)).await.unwrap();
            }
        }
        let first = if again { 0 } else { 600 };
        assert_eq!(writes, first + 50, "and the reserve; sent again: {again}");
    }
}

#[tokio::test(start_paused = true)]
async fn while_no_write_succeeds_one_goes_out_again_at_a_time() {
    let service = Arc::new(Service::answering(503));
    let transport = service.clone().with_retry(RetryPolicy::default());
    let first = (0..100).map(|_| request(Effect::Idempotent));
    assert_eq!(at_once(&transport, first).await, 0);
    assert!(service.repeated.load(Ordering::SeqCst));
    let again = (0..100).map(|_| resent(request(Effect::Idempotent)));
    assert_eq!(at_once(&transport, again).await, 0);
    assert!(!service.two_at_once.load(Ordering::SeqCst));
}

#[tokio::test(start_paused = true)]
async fn when_the_one_that_goes_first_succeeds_the_others_follow() {
    let service = Arc::new(Service::answering(503));
    let transport = service.clone().with_retry(RetryPolicy::default());
    let back = async {
        sleep(Duration::from_millis(21)).await;
        service.writes.store(200, Ordering::SeqCst);
    };
    let writes = (0..30).map(|_| request(Effect::Idempotent));
    let (succeeded, ()) = tokio::join!(at_once(&transport, writes), back);
    assert_eq!(succeeded, 30);
}

#[tokio::test(start_paused = true)]
async fn a_single_write_survives_a_single_failure() {
    let wire = Scripted::new(|call: usize, _: &Request| Ok(answer([503, 200][call.min(1)], "")));
    let transport = wire.clone().with_retry(RetryPolicy::default());
    let response = transport.send(request(Effect::Idempotent)).await;
    assert_eq!(response.unwrap().status(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_is_given_up_makes_room_for_the_next() {
    let service = Arc::new(Service::answering(503));
    let transport = service.clone().with_retry(RetryPolicy::default());
    transport.send(request(Effect::Creates)).await.unwrap();
    let given_up = transport.send(resent(request(Effect::Idempotent)));
    let cut_off = tokio::time::timeout(Duration::from_millis(1), given_up).await;
    assert!(cut_off.is_err());
    service.writes.store(200, Ordering::SeqCst);
    let next = transport.send(resent(request(Effect::Idempotent))).await;
    assert_eq!(next.unwrap().status(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_write_that_is_sent_again_without_budget_is_not_sent() {
    let wire = wire();
    let policy = RetryPolicy::never().budget(0.0, 1);
    let transport = wire.clone().with_retry(policy);
    transport.send(resent(failing(Effect::Creates))).await.unwrap();
    let again = transport.send(resent(request(Effect::Creates)));
    let error = again.await.unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::BudgetSpent);
    assert_eq!(error.delivery(), Delivery::NotExecuted);
    assert_eq!(wire.calls(), 1);
    // One for the first time costs nothing.
    transport.send(request(Effect::Creates)).await.unwrap();
}

fn stale() -> Result<Response, TransportError> {
    let kind = TransportErrorKind::ClosedWhileIdle;
    Err(TransportError::new(kind, Delivery::NotExecuted))
}

#[tokio::test(start_paused = true)]
async fn stale_connections_are_repeated_at_once_and_cost_no_budget_as_long_as_they_are_few() {
    let wire = Scripted::new(|call, _: &Request| match call % 2 {
        0 => stale(),
        _ => Ok(answer(200, "")),
    });
    let policy = RetryPolicy::default().budget(0.0, 0);
    let transport = wire.clone().with_retry(policy);
    for _ in 0..2 {
        let started = Instant::now();
        for _ in 0..64 {
            let response = transport.send(request(Effect::Creates)).await.unwrap();
            assert_eq!(response.status(), 200);
        }
        assert_eq!(started.elapsed(), Duration::ZERO);
        let error = transport.send(request(Effect::Creates)).await.unwrap_err();
        assert_eq!(error.attempts(), 1, "as many as a pool may hold");
        transport.send(request(Effect::Creates)).await.unwrap();
        advance(Duration::from_secs(50)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_keeps_taking_no_request_on_is_left_alone_and_costs_budget() {
    let wire = Scripted::new(|_, _: &Request| stale());
    let policy = RetryPolicy::default().attempts(9).budget(0.0, 3);
    let transport = wire.clone().with_retry(policy);
    let started = Instant::now();
    let error = transport.send(request(Effect::Read)).await.unwrap_err();
    assert!(error.to_string().ends_with(" (after 5 attempts)"), "{error}");
    assert_eq!(wire.calls(), 5, "one repeat at once, and the three in reserve");
    assert!(started.elapsed() > Duration::from_millis(10));
}

#[tokio::test(start_paused = true)]
async fn a_repeat_that_comes_too_late_costs_no_budget() {
    let wire = Scripted::new(|call, _: &Request| {
        let mut busy = answer(503, "");
        let wait = if call == 0 { 40 } else { 1 };
        busy.headers_mut().insert("retry-after", wait.into());
        Ok(busy)
    });
    let policy =
        RetryPolicy::default().attempts(2).total_time(Duration::from_secs(30)).budget(0.0, 1);
    let transport = wire.clone().with_retry(policy);
    transport.send(request(Effect::Read)).await.unwrap();
    assert_eq!(wire.calls(), 1, "40 s are more than is left");
    transport.send(request(Effect::Read)).await.unwrap();
    assert_eq!(wire.calls(), 3, "the one repeat is still there");
}

#[tokio::test(start_paused = true)]
async fn a_write_that_goes_out_again_costs_nothing_when_it_succeeds_or_may_not_go() {
    let service = Arc::new(Service::answering(200));
    let policy = RetryPolicy::default().attempts(1).budget(0.0, 3);
    let transport = service.clone().with_retry(policy);
    let again = || resent(request(Effect::Idempotent));
    for _ in 0..100 {
        assert_eq!(at_once(&transport, std::iter::once(again())).await, 1);
    }

    service.writes.store(503, Ordering::SeqCst);
    let first = std::iter::once(request(Effect::Idempotent));
    assert_eq!(at_once(&transport, first).await, 0);
    // One goes, and the others wait for what becomes of it.
    assert_eq!(at_once(&transport, (0..100).map(|_| again())).await, 0);

    service.writes.store(200, Ordering::SeqCst);
    let healed = std::iter::once(request(Effect::Idempotent));
    assert_eq!(at_once(&transport, healed).await, 1);
    let left = (0..100).map(|_| again());
    assert_eq!(at_once(&transport, left).await, 2, "only one was paid for");
}
