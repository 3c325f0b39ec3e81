//! Calls that begin by a moment or not at all.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use crm_transport::{
    Auth, Call, Credentials, Delivery, Effect, Limit, Moment, RateLimit, Request, Response,
    RetryPolicy, Transport, TransportError, TransportErrorKind, TransportExt, pretend_suspended,
};
use tokio::time::{Instant, advance, sleep};

use super::{Scripted, answer, request};

const SECOND: Duration = Duration::from_secs(1);

/// A write that is to begin within this time.
fn within(time: Duration) -> Request {
    let mut request = request(Effect::Idempotent);
    Call::of_mut(&mut request).begin_by = Some(Moment::now().after(time));
    request
}

fn answering(
    status: u16,
) -> Scripted<impl Fn(usize, &Request) -> Result<Response, TransportError> + Clone> {
    Scripted::new(move |_, _: &Request| Ok(answer(status, "")))
}

#[track_caller]
fn assert_expired(result: Result<Response, TransportError>) {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Expired, "{error}");
    assert_eq!(error.delivery(), Delivery::NotExecuted);
}

/// A limit whose next call passes a second later.
fn busy() -> RateLimit {
    RateLimit::per_second(1)
}

#[tokio::test(start_paused = true)]
async fn in_the_queue_a_call_is_turned_away_at_its_last_moment() {
    let wire = answering(200);
    let transport = wire.clone().with_rate_limit(busy());
    transport.send(within(SECOND)).await.unwrap();
    let started = Instant::now();
    // Behind one that waits longer, too.
    let (waited, turned_away) = tokio::join!(transport.send(within(10 * SECOND)), async {
        let result = transport.send(within(SECOND / 2)).await;
        (result, started.elapsed())
    },);
    waited.unwrap();
    assert_expired(turned_away.0);
    assert_eq!(turned_away.1, SECOND / 2);
    assert_eq!(wire.calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn behind_a_closed_gate_that_opens_too_late_a_call_does_not_wait() {
    let wire = answering(200);
    let limit = RateLimit::per_second(60);
    let transport = wire.clone().with_rate_limit(limit.clone());
    limit.close(0, Some(30 * SECOND)).await;
    let started = Instant::now();
    assert_expired(transport.send(within(2 * SECOND)).await);
    assert_eq!(started.elapsed(), Duration::ZERO);
    transport.send(within(31 * SECOND)).await.unwrap();
    assert_eq!(wire.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_gate_that_closes_turns_away_who_is_in_the_queue_and_too_old_when_it_opens() {
    let limit = busy();
    let transport = answering(200).with_rate_limit(limit.clone());
    transport.send(within(SECOND)).await.unwrap();
    let started = Instant::now();
    let closes = async {
        sleep(SECOND / 4).await;
        limit.close(0, Some(30 * SECOND)).await;
    };
    let (turned_away, ()) = tokio::join!(transport.send(within(5 * SECOND)), closes);
    assert_expired(turned_away);
    assert!(started.elapsed() < 2 * SECOND, "at its turn at the latest");
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_machine_slept_in_the_queue_is_not_sent() {
    let wire = answering(200);
    let transport = wire.clone().with_rate_limit(busy());
    transport.send(within(SECOND)).await.unwrap();
    let sleeps = async {
        sleep(SECOND / 2).await;
        pretend_suspended(10 * SECOND);
    };
    let (turned_away, ()) = tokio::join!(transport.send(within(5 * SECOND)), sleeps);
    assert_expired(turned_away);
    assert_eq!(wire.calls(), 1);
    // It cost no place.
    transport.send(within(2 * SECOND)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_too_old_already_reaches_no_wire_through_any_layer() {
    let wire = answering(200);
    let auth = || {
        let token = r#"{"access_token":"token-0","expires_in":900}"#;
        let endpoint = Scripted::new(move |_, _: &Request| Ok(answer(200, token)));
        Auth::new(endpoint, Credentials::new("cid.test", "s3cret", "ak1.test"))
    };
    let layers: [Box<dyn Transport>; 3] = [
        Box::new(wire.clone().with_rate_limit(RateLimit::per_second(60))),
        Box::new(wire.clone().with_auth(auth())),
        Box::new(wire.clone().with_retry(RetryPolicy::default())),
    ];
    for transport in layers {
        assert_expired(transport.send(within(Duration::ZERO)).await);
        let mut asleep = within(5 * SECOND);
        Call::of_mut(&mut asleep).effect = Effect::Read;
        pretend_suspended(10 * SECOND);
        assert_expired(transport.send(asleep).await);
    }
    assert_eq!(wire.calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_bounded_write_that_may_have_been_carried_out_is_handed_up_at_once() {
    for lost in [502, 503, 504] {
        let wire = answering(lost);
        let transport = wire.clone().with_retry(RetryPolicy::default());
        let started = Instant::now();
        let response = transport.send(within(60 * SECOND)).await.unwrap();
        assert_eq!((response.status().as_u16(), wire.calls()), (lost, 1));
        assert_eq!(started.elapsed(), Duration::ZERO);
    }
}

#[tokio::test(start_paused = true)]
async fn a_bounded_write_that_was_surely_not_executed_is_repeated_while_it_may_begin() {
    let wire = Scripted::new(|call, _: &Request| {
        let mut busy = answer(if call % 2 == 0 { 429 } else { 200 }, "");
        busy.headers_mut().insert("retry-after", 3.into());
        Ok(busy)
    });
    let transport = wire.clone().with_retry(RetryPolicy::default());
    assert_eq!(transport.send(within(4 * SECOND)).await.unwrap().status(), 200);
    assert_eq!(wire.calls(), 2);

    let started = Instant::now();
    let response = transport.send(within(2 * SECOND)).await.unwrap();
    assert_eq!(response.status(), 429, "its repeat would come too late");
    assert_eq!((wire.calls(), started.elapsed()), (3, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn a_repeat_whose_machine_slept_meanwhile_is_not_sent() {
    let wire = Scripted::new(|_, _: &Request| {
        let mut busy = answer(429, "");
        busy.headers_mut().insert("retry-after", 3.into());
        Ok(busy)
    });
    let transport =
        wire.clone().with_rate_limit(RateLimit::per_second(60)).with_retry(RetryPolicy::default());
    let sleeps = async {
        sleep(SECOND / 2).await;
        pretend_suspended(10 * SECOND);
    };
    let (result, ()) = tokio::join!(transport.send(within(5 * SECOND)), sleeps);
    assert_expired(result);
    assert_eq!(wire.calls(), 1);
}

/// Gives a token after this time, or later.
struct SlowEndpoint(Duration);

#[async_trait]
impl Transport for SlowEndpoint {
    async fn send(&self, _: Request) -> Result<Response, TransportError> {
        sleep(self.0).await;
        Ok(answer(200, r#"{"access_token":"token-0","expires_in":900}"#))
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_does_not_wait_for_a_token_that_comes_too_late() {
    let wire = answering(200);
    let credentials = Credentials::new("cid.test", "s3cret", "ak1.test");
    let auth = Auth::new(SlowEndpoint(5 * SECOND), credentials);
    let transport = wire.clone().with_auth(auth);
    let started = Instant::now();
    assert_expired(transport.send(within(2 * SECOND)).await);
    assert_eq!((wire.calls(), started.elapsed()), (0, 2 * SECOND));
}

#[tokio::test(start_paused = true)]
async fn after_an_answer_401_a_call_is_sent_again_only_while_it_may_begin() {
    let wire = answering(401);
    let credentials = Credentials::new("cid.test", "s3cret", "ak1.test");
    let auth = Auth::new(SlowEndpoint(5 * SECOND), credentials);
    let transport = Arc::new(wire.clone().with_auth(auth));
    let started = Instant::now();
    // The first token takes 5 s, the second as long again.
    assert_expired(transport.send(within(7 * SECOND)).await);
    assert_eq!((wire.calls(), started.elapsed()), (1, 7 * SECOND));
}

#[tokio::test(start_paused = true)]
async fn a_moment_passes_on_tokios_clock_when_that_is_paused() {
    let until = Moment::now().after(SECOND);
    assert!(!until.has_passed());
    advance(SECOND).await;
    assert!(until.has_passed());
    assert_eq!(until.time_left(), Duration::ZERO);
}

#[tokio::test]
async fn a_time_beyond_all_clocks_is_far_away_and_no_panic() {
    let never = Moment::now().after(Duration::MAX);
    assert!(never.time_left() > 1_000_000 * SECOND);
    assert_eq!(never.age(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn suspended_time_makes_older_while_the_timers_stand_still() {
    let read = Moment::now();
    let begin_by = read.after(2 * SECOND);
    pretend_suspended(10 * SECOND);
    assert!(read.age() >= 10 * SECOND);
    assert!(begin_by.has_passed());
    assert!(!Moment::now().after(SECOND).has_passed());
}
