//! Never more calls in a second than allowed, and no fewer than can be.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use crm_transport::{
    Auth, Call, Credentials, Delivery, Effect, Limit, Moment, RateLimit, Request, Response,
    Transport, TransportError, TransportErrorKind, TransportExt,
};
use tokio::time::{Instant, sleep, timeout};

use super::{Scripted, answer, request};

/// The times at which calls arrive.
type Arrivals = Arc<Mutex<Vec<Instant>>>;

fn counting(arrivals: &Arrivals) -> impl Transport + Clone + use<> {
    let arrivals = Arc::clone(arrivals);
    Scripted::new(move |_, _: &Request| {
        arrivals.lock().unwrap().push(Instant::now());
        Ok(answer(200, ""))
    })
}

fn call(key: u64) -> Call {
    Call::new("Test", Effect::Read).rate_limit_key(key)
}

fn keyed(key: u64) -> Request {
    let mut request = request(Effect::Read);
    request.extensions_mut().insert(call(key));
    request
}

#[tokio::test(start_paused = true)]
async fn no_second_holds_more_than_allowed_and_a_minute_holds_98_percent() {
    let arrivals = Arrivals::default();
    let limit = RateLimit::per_second(60);
    let transport = counting(&arrivals).with_rate_limit(limit);
    let calls = (0..3_700).map(|_| {
        let transport = transport.clone();
        tokio::spawn(async move { transport.send(keyed(1)).await.unwrap() })
    });
    let started = Instant::now();
    futures_util::future::join_all(calls.collect::<Vec<_>>()).await;
    let arrivals = arrivals.lock().unwrap();
    for window in arrivals.windows(61) {
        assert!(window[60] - window[0] >= Duration::from_secs(1));
    }
    let minute = arrivals.iter().filter(|at| **at - started < Duration::from_secs(60));
    let share = minute.count() as f64 / 3_600.0;
    assert!((0.98..=1.0).contains(&share), "{share}");
}

#[tokio::test(start_paused = true)]
async fn keys_do_not_wait_for_each_other() {
    let arrivals = Arrivals::default();
    let transport = counting(&arrivals).with_rate_limit(RateLimit::per_second(1));
    let started = Instant::now();
    for key in 0..10 {
        transport.send(keyed(key)).await.unwrap();
    }
    assert_eq!(started.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn who_comes_first_is_served_first() {
    let transport = Arc::new(
        Scripted::new(|_, request: &Request| Ok(answer(200, request.uri().path())))
            .with_rate_limit(RateLimit::per_second(10)),
    );
    let order = Arc::new(Mutex::new(Vec::new()));
    let calls = (0..50).map(|number| {
        let (transport, order) = (Arc::clone(&transport), Arc::clone(&order));
        tokio::spawn(async move {
            transport.send(keyed(1)).await.unwrap();
            order.lock().unwrap().push(number);
        })
    });
    futures_util::future::join_all(calls.collect::<Vec<_>>()).await;
    assert_eq!(*order.lock().unwrap(), (0..50).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_call_costs_the_others_nothing() {
    let arrivals = Arrivals::default();
    let limit = RateLimit::per_second(10);
    let transport = counting(&arrivals).with_rate_limit(limit.clone());
    transport.send(keyed(1)).await.unwrap();
    for _ in 0..20 {
        let cancelled = timeout(Duration::from_millis(1), transport.send(keyed(1))).await;
        assert!(cancelled.is_err());
    }
    transport.send(keyed(1)).await.unwrap();
    let arrivals = arrivals.lock().unwrap();
    assert!(arrivals[1] - arrivals[0] <= Duration::from_millis(103));
    assert_eq!(limit.state(1).waiting, 0);
}

#[tokio::test(start_paused = true)]
async fn an_answer_429_closes_the_gate_for_all_callers_of_its_key() {
    let wire = Scripted::new(|call, _: &Request| {
        let title = r#"{"title":"Too many calls. Try again in 7 seconds."}"#;
        Ok(answer(if call == 0 { 429 } else { 200 }, title))
    });
    let limit = RateLimit::per_second(60);
    let transport = wire.with_rate_limit(limit.clone());
    let started = Instant::now();
    assert_eq!(transport.send(keyed(1)).await.unwrap().status(), 429);
    assert_eq!(limit.state(1).closed_for, Duration::from_secs(7));
    transport.send(keyed(2)).await.unwrap();
    assert_eq!(started.elapsed(), Duration::ZERO, "another key is open");
    transport.send(keyed(1)).await.unwrap();
    assert!(started.elapsed() >= Duration::from_secs(7));
    assert_eq!((limit.state(1).pauses, limit.state(1).passed), (1, 2));
}

/// A transport that answers 429 to the calls of these numbers, and its limit of 60 a second.
fn refusing(
    is_refused: impl Fn(usize) -> bool + Send + Sync + 'static,
) -> (RateLimit, impl Transport) {
    let wire = Scripted::new(move |call, _: &Request| {
        Ok(answer(if is_refused(call) { 429 } else { 200 }, ""))
    });
    let limit = RateLimit::per_second(60);
    (limit.clone(), wire.with_rate_limit(limit))
}

#[tokio::test(start_paused = true)]
async fn two_answers_429_in_a_second_leave_the_gate_open_and_the_third_closes_it() {
    let (limit, transport) = refusing(|call| [0, 1, 100, 101, 102].contains(&call));
    let mut closed = Vec::new();
    for call in 0..105 {
        transport.send(keyed(1)).await.unwrap();
        if !limit.state(1).closed_for.is_zero() {
            closed.push(call);
        }
    }
    assert_eq!(closed, [102]);
}

#[tokio::test(start_paused = true)]
async fn answers_429_that_name_no_time_close_the_gate_for_longer_with_each_in_a_row() {
    let (limit, transport) = refusing(|call| !(9..12).contains(&call));
    let mut pauses = Vec::new();
    for call in 0..15 {
        if call == 12 {
            sleep(Duration::from_secs(60)).await;
        }
        transport.send(keyed(1)).await.unwrap();
        pauses.push(limit.state(1).closed_for.as_secs());
    }
    assert_eq!(pauses, [0, 0, 1, 0, 0, 2, 0, 0, 4, 0, 0, 0, 0, 0, 1]);
}

#[tokio::test(start_paused = true)]
async fn an_answer_429_spaces_the_calls_wider_and_others_slowly_narrower() {
    async fn passes(limit: &RateLimit) {
        limit.ended(limit.pass(&call(1)).await.unwrap());
    }
    async fn interval(limit: &RateLimit) -> Duration {
        passes(limit).await;
        let started = Instant::now();
        passes(limit).await;
        started.elapsed()
    }
    let limit = RateLimit::per_second(1);
    let at_first = interval(&limit).await;
    limit.refused(1, None).await;
    let refused = interval(&limit).await;
    assert!(refused >= at_first + Duration::from_millis(5), "{at_first:?}, then {refused:?}");
    for _ in 0..2_000 {
        passes(&limit).await;
    }
    let recovered = interval(&limit).await;
    assert!(recovered <= refused - Duration::from_millis(4), "{refused:?}, then {recovered:?}");
}

#[tokio::test(start_paused = true)]
async fn calls_refused_together_close_the_gate_once() {
    let wire = Delayed::new(|_| Duration::from_millis(500), 429);
    let limit = RateLimit::per_second(60);
    let transport = wire.with_rate_limit(limit.clone());
    let calls = (0..10).map(|_| transport.send(keyed(1)));
    futures_util::future::join_all(calls).await;
    assert!(limit.state(1).closed_for <= Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_no_clock_can_hold_is_cut() {
    let wire = Scripted::new(|_, _: &Request| {
        let mut response = answer(429, "");
        response.headers_mut().insert("retry-after", u64::MAX.into());
        Ok(response)
    });
    let limit = RateLimit::per_second(60);
    wire.with_rate_limit(limit.clone()).send(keyed(1)).await.unwrap();
    let closed_for = limit.state(1).closed_for.as_secs();
    assert!((600..=3_600).contains(&closed_for), "{closed_for} s");
}

/// A server at the end of a way that holds up each call by a time of its own. It notes when
/// calls arrive.
struct Delayed<F> {
    way: F,
    status: u16,
    sent: AtomicUsize,
    arrivals: Arrivals,
}

impl<F: Fn(usize) -> Duration> Delayed<F> {
    fn new(way: F, status: u16) -> Self {
        Self { way, status, sent: AtomicUsize::new(0), arrivals: Arrivals::default() }
    }
}

#[async_trait]
impl<F: Fn(usize) -> Duration + Send + Sync> Transport for Delayed<F> {
    async fn send(&self, _: Request) -> Result<Response, TransportError> {
        let number = self.sent.fetch_add(1, Ordering::SeqCst);
        sleep((self.way)(number)).await;
        self.arrivals.lock().unwrap().push(Instant::now());
        Ok(answer(self.status, ""))
    }
}

/// Makes so many calls over this way, as fast as a limit of 60 a second lets them pass.
async fn arrivals(
    calls: usize,
    way: impl Fn(usize) -> Duration + Send + Sync + 'static,
) -> Vec<Instant> {
    let wire = Delayed::new(way, 200);
    let arrivals = Arc::clone(&wire.arrivals);
    let transport = Arc::new(wire.with_rate_limit(RateLimit::per_second(60)));
    let calls = (0..calls).map(|_| {
        let transport = Arc::clone(&transport);
        tokio::spawn(async move { transport.send(keyed(1)).await.unwrap() })
    });
    futures_util::future::join_all(calls.collect::<Vec<_>>()).await;
    let mut arrivals = std::mem::take(&mut *arrivals.lock().unwrap());
    arrivals.sort_unstable();
    arrivals
}

fn assert_strict(arrivals: &[Instant]) {
    for window in arrivals.windows(61) {
        assert!(window[60] - window[0] >= Duration::from_secs(1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_was_held_up_makes_room_later() {
    let held_up = |number| match number {
        100..110 | 300 | 750 => Duration::from_millis(80),
        _ => Duration::from_millis(1 + number as u64 % 3),
    };
    assert_strict(&arrivals(1_000, held_up).await);
}

/// Nothing arrives from the tenth second on for so long: what leaves then arrives at its end.
#[tokio::test(start_paused = true)]
async fn a_stall_of_the_whole_way_never_makes_a_second_hold_more() {
    for stall in [30, 80, 300, 900, 1_100, 1_500, 3_000] {
        let began = Instant::now() + Duration::from_secs(10);
        let ends = began + Duration::from_millis(stall);
        let way = move |number: usize| {
            let way = Duration::from_millis(28 + number as u64 * 7 % 4);
            let now = Instant::now();
            let stalled = (began..ends).contains(&now);
            way + if stalled { ends - now } else { Duration::ZERO }
        };
        let arrivals = arrivals(1_500, way).await;
        assert_strict(&arrivals);
        let idle = Duration::from_millis(stall) + Duration::from_millis(1_100);
        let took = arrivals[1_499] - arrivals[0];
        let paced = Duration::from_secs_f64(1_499.0 * 1.015 / 60.0);
        assert!(took < paced + idle, "{stall} ms: {took:?}");
    }
}

/// A slow query holds up nothing but its own answer.
#[tokio::test(start_paused = true)]
async fn a_service_that_answers_some_calls_slowly_is_used_to_98_percent() {
    for (of_a_thousand, slow) in [(1, 500), (10, 300), (10, 500), (30, 300), (10, 2_000)] {
        let random = Mutex::new(fastrand::Rng::with_seed(7));
        let takes = move |_| {
            let mut random = random.lock().unwrap();
            let is_slow = random.u32(..1_000) < of_a_thousand;
            let usual = Duration::from_micros(random.u64(28_000..34_000));
            if is_slow { Duration::from_millis(slow) } else { usual }
        };
        let transport = Delayed::new(takes, 200).with_rate_limit(RateLimit::per_second(60));
        let transport = Arc::new(transport);
        let left = Arc::new(Mutex::new(Vec::new()));
        let calls = (0..3_700).map(|_| {
            let (transport, left) = (Arc::clone(&transport), Arc::clone(&left));
            tokio::spawn(async move {
                transport.send(keyed(1)).await.unwrap();
                left.lock().unwrap().push(Instant::now())
            })
        });
        let started = Instant::now();
        futures_util::future::join_all(calls.collect::<Vec<_>>()).await;
        let answered = left.lock().unwrap();
        let minute = answered.iter().filter(|at| **at - started < Duration::from_secs(60));
        let share = minute.count() as f64 / 3_600.0;
        assert!(share >= 0.98, "{of_a_thousand} of 1,000 take {slow} ms: {share}");
    }
}

#[tokio::test(start_paused = true)]
async fn clones_that_wait_for_different_times_share_the_limit() {
    let limit = RateLimit::per_second(10);
    let impatient = limit.clone().longest_wait(Duration::from_secs(2));
    let started = Instant::now();
    for _ in 0..10 {
        drop(impatient.pass(&call(1)).await.unwrap());
        drop(limit.pass(&call(1)).await.unwrap());
    }
    assert!(started.elapsed() >= Duration::from_millis(1_900));

    limit.close(1, Some(Duration::from_secs(5))).await;
    let (turned_away, waited) = tokio::join!(
        async { (impatient.pass(&call(1)).await.is_err(), started.elapsed()) },
        async { (limit.pass(&call(1)).await.is_ok(), started.elapsed()) },
    );
    assert!(turned_away.0 && waited.0);
    assert!(waited.1 - turned_away.1 >= Duration::from_secs(5));
}

#[tokio::test(start_paused = true)]
async fn permits_are_the_calls_that_would_leave_within_a_second() {
    let limit = RateLimit::per_second(10);
    let permits = || limit.state(1).permits;
    assert_eq!(permits(), 10);
    let _pass = limit.pass(&call(1)).await.unwrap();
    assert_eq!(permits(), 9);
    let call = call(1);
    let waiting = limit.pass(&call);
    tokio::pin!(waiting);
    assert!(timeout(Duration::ZERO, waiting.as_mut()).await.is_err());
    assert_eq!((permits(), limit.state(1).waiting), (8, 1));
    limit.close(1, Some(Duration::from_millis(500))).await;
    assert_eq!(permits(), 4);
    limit.close(1, Some(Duration::from_secs(1))).await;
    assert_eq!(permits(), 0);
    assert_eq!(limit.state(1).pauses, 1, "it was closed already");
}

#[tokio::test(start_paused = true)]
async fn a_service_that_answers_fast_and_slowly_is_used_to_98_percent() {
    let random = Mutex::new(fastrand::Rng::with_seed(7));
    // From 100 ms to 3 s, few of them long.
    let takes = move |_| {
        let long = random.lock().unwrap().f64().powi(8);
        Duration::from_millis(100) + Duration::from_millis(2_900).mul_f64(long)
    };
    let transport = Delayed::new(takes, 200).with_rate_limit(RateLimit::per_second(60));
    let transport = Arc::new(transport);
    let started = Instant::now();
    let calls = (0..3_600).map(|_| {
        let transport = Arc::clone(&transport);
        tokio::spawn(async move { transport.send(keyed(1)).await.unwrap() })
    });
    futures_util::future::join_all(calls.collect::<Vec<_>>()).await;
    // The last answers may take 3 s.
    let share = 60.0 / (started.elapsed().as_secs_f64() - 3.0);
    assert!(share >= 0.98, "{share}");
}

/// A transport that a first answer 429 closes for so many seconds; its callers wait for 60.
async fn closed_for(seconds: u64) -> Arc<impl Transport> {
    let wire = Scripted::new(move |call, _: &Request| {
        let mut response = answer(if call == 0 { 429 } else { 200 }, "");
        response.headers_mut().insert("retry-after", seconds.into());
        Ok(response)
    });
    let limit = RateLimit::per_second(60).longest_wait(Duration::from_secs(60));
    let transport = Arc::new(wire.with_rate_limit(limit));
    transport.send(keyed(1)).await.unwrap();
    transport
}

#[tokio::test(start_paused = true)]
async fn a_gate_that_stays_closed_too_long_is_an_error_at_once() {
    let transport = closed_for(61).await;
    let started = Instant::now();
    let error = transport.send(keyed(1)).await.unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::RateLimited);
    assert_eq!(error.delivery(), Delivery::NotExecuted);
    assert_eq!(started.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_a_gate_that_opens_after_the_deadline() {
    let transport = closed_for(30).await;
    let started = Instant::now();
    let with_deadline = |seconds| {
        let call = Call::new("Test", Effect::Read).rate_limit_key(1);
        let mut request = keyed(1);
        let deadline = started + Duration::from_secs(seconds);
        request.extensions_mut().insert(call.deadline(deadline));
        request
    };
    let error = transport.send(with_deadline(29)).await.unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::RateLimited);
    assert_eq!(error.delivery(), Delivery::NotExecuted);
    assert_eq!(started.elapsed(), Duration::ZERO);
    transport.send(with_deadline(31)).await.unwrap();
    assert_eq!(started.elapsed().as_secs(), 30);
}

#[tokio::test(start_paused = true)]
async fn a_call_in_the_queue_is_turned_away_when_the_gate_closes_beyond_its_deadline() {
    let limit = RateLimit::per_second(1);
    let started = Instant::now();
    drop(limit.pass(&call(1)).await.unwrap());
    let impatient = call(1).deadline(started + Duration::from_secs(5));
    let waits = limit.pass(&impatient);
    let closes = async {
        sleep(Duration::from_millis(500)).await;
        limit.close(1, Some(Duration::from_secs(7))).await;
    };
    let (waited, ()) = tokio::join!(waits, closes);
    assert_eq!(waited.unwrap_err().kind(), TransportErrorKind::RateLimited);
    assert!(started.elapsed() < Duration::from_secs(2));
}

#[tokio::test(start_paused = true)]
async fn a_gate_that_opens_in_time_is_waited_for_by_all() {
    let transport = closed_for(60).await;
    let calls = (0..10).map(|_| transport.send(keyed(1)));
    for result in futures_util::future::join_all(calls).await {
        assert_eq!(result.unwrap().status(), 200);
    }
}

#[tokio::test(start_paused = true)]
async fn calls_in_the_queue_of_a_gate_that_closes_for_too_long_are_turned_away() {
    let wire = Scripted::new(|_, _: &Request| {
        let mut response = answer(429, "");
        response.headers_mut().insert("retry-after", 61.into());
        Ok(response)
    });
    let limit = RateLimit::per_second(60).longest_wait(Duration::from_secs(60));
    let transport = wire.with_rate_limit(limit);
    let started = Instant::now();
    let calls = (0..10).map(|_| transport.send(keyed(1)));
    let results = futures_util::future::join_all(calls).await;
    assert_eq!(results[0].as_ref().unwrap().status(), 429);
    for result in &results[1..] {
        let error = result.as_ref().unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::RateLimited);
    }
    assert!(started.elapsed() < Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_nobody_polls_holds_up_none_behind_it() {
    let arrivals = Arrivals::default();
    let limit = RateLimit::per_second(10);
    let transport = counting(&arrivals).with_rate_limit(limit.clone());
    transport.send(keyed(1)).await.unwrap();
    let mut idle = std::pin::pin!(transport.send(keyed(1)));
    // Polled once, it waits in the queue; then nobody cares for it.
    let waiting = timeout(Duration::ZERO, idle.as_mut()).await;
    assert!(waiting.is_err());
    assert_eq!(limit.state(1).waiting, 1);
    let behind = timeout(Duration::from_secs(1), transport.send(keyed(1)));
    behind.await.expect("it passes").unwrap();
    idle.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn many_cancelled_calls_leave_no_gap_for_those_behind_them() {
    let arrivals = Arrivals::default();
    let transport = counting(&arrivals).with_rate_limit(RateLimit::per_second(10));
    transport.send(keyed(1)).await.unwrap();
    let started = Instant::now();
    let cancelled: Vec<_> = (0..500).map(|_| transport.send(keyed(1))).collect();
    let all = timeout(Duration::from_millis(10), futures_util::future::join_all(cancelled));
    assert!(all.await.is_err());
    transport.send(keyed(1)).await.unwrap();
    assert!(started.elapsed() < Duration::from_millis(210));
}

/// A token endpoint as slow as a far one.
struct SlowEndpoint;

#[async_trait]
impl Transport for SlowEndpoint {
    async fn send(&self, _: Request) -> Result<Response, TransportError> {
        sleep(Duration::from_millis(500)).await;
        Ok(answer(200, r#"{"access_token":"token","expires_in":900}"#))
    }
}

#[tokio::test(start_paused = true)]
async fn neither_a_slow_token_nor_a_refused_one_makes_a_burst() {
    let arrivals = Arrivals::default();
    let seen = Arc::clone(&arrivals);
    let started = Instant::now();
    let wire = Scripted::new(move |_, _: &Request| {
        seen.lock().unwrap().push(Instant::now());
        let revoked = started.elapsed() < Duration::from_secs(2);
        Ok(answer(if revoked { 401 } else { 200 }, ""))
    });
    let auth = Auth::new(SlowEndpoint, Credentials::new("cid.test", "secret", "ak1.test"));
    let transport = wire.with_rate_limit(RateLimit::per_second(60)).with_auth(auth);
    let transport = Arc::new(transport);
    let calls = (0..300).map(|_| {
        let transport = Arc::clone(&transport);
        tokio::spawn(async move { transport.send(keyed(1)).await.unwrap() })
    });
    futures_util::future::join_all(calls.collect::<Vec<_>>()).await;
    let arrivals = arrivals.lock().unwrap();
    assert!(arrivals.len() > 300, "some were sent once more after a 401");
    for window in arrivals.windows(61) {
        assert!(window[60] - window[0] >= Duration::from_secs(1));
    }
}

/// The task that lets calls pass belongs to the runtime of the call that began to wait.
#[test]
fn a_call_does_not_wait_for_ever_when_the_runtime_of_another_one_ends() {
    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_time().start_paused(true).build().unwrap()
    };
    let limit = RateLimit::per_second(60);
    let call = call(1);
    let first = runtime();
    first.block_on(async {
        limit.close(1, Some(Duration::from_secs(7))).await;
        let mut waiting = Box::pin(limit.pass(&call));
        assert!(timeout(Duration::ZERO, waiting.as_mut()).await.is_err());
    });
    runtime().block_on(async {
        let mut waiting = Box::pin(limit.pass(&call));
        assert!(timeout(Duration::ZERO, waiting.as_mut()).await.is_err());
        first.shutdown_background();
        let passed = timeout(Duration::from_secs(60), waiting).await;
        assert!(passed.unwrap().is_ok());
    });
}

#[tokio::test]
async fn a_limit_of_any_height_can_be_looked_at() {
    assert!(RateLimit::per_second(u32::MAX).state(1).permits > 0);
}

/// A write that rests on a reading of this moment.
fn decided() -> Request {
    let mut request = request(Effect::Idempotent);
    let begin_by = Moment::now().after(Duration::from_secs(2));
    let call = Call::new("Test", Effect::Idempotent).rate_limit_key(1).begin_by(begin_by);
    request.extensions_mut().insert(call);
    request
}

/// Three hundred reads wait at any time, five seconds' worth: in the order in which they come, each
/// write would be too old by the time it may leave.
#[tokio::test(start_paused = true)]
async fn decided_writes_go_before_reads_that_wait_so_that_none_grows_too_old() {
    let wire = Scripted::new(|_, _: &Request| Ok(answer(200, "")));
    let transport = Arc::new(wire.with_rate_limit(RateLimit::per_second(60)));
    let mut reads = tokio::task::JoinSet::new();
    let read = Arc::new(AtomicUsize::new(0));
    for _ in 0..300 {
        let (transport, read) = (Arc::clone(&transport), Arc::clone(&read));
        reads.spawn(async move {
            loop {
                transport.send(keyed(1)).await.unwrap();
                read.fetch_add(1, Ordering::SeqCst);
            }
        });
    }
    let started = Instant::now();
    let deciders = (0..60).map(async |_| {
        let mut stale = 0;
        for _ in 0..10 {
            transport.send(keyed(1)).await.unwrap();
            stale += usize::from(transport.send(decided()).await.is_err());
        }
        stale
    });
    let stale: usize = futures_util::future::join_all(deciders).await.iter().sum();
    assert_eq!(stale, 0, "of 600");
    let others = read.load(Ordering::SeqCst) as f64 / started.elapsed().as_secs_f64();
    assert!(others >= 30.0, "{others} a second: the deciders' own readings wait as long as these");
}

#[tokio::test(start_paused = true)]
async fn decided_writes_leave_every_fourth_turn_to_the_others() {
    let wire = Scripted::new(|_, _: &Request| Ok(answer(200, "")));
    let transport = Arc::new(wire.with_rate_limit(RateLimit::per_second(60)));
    let mut writes = tokio::task::JoinSet::new();
    for _ in 0..80 {
        let transport = Arc::clone(&transport);
        writes.spawn(async move {
            loop {
                transport.send(decided()).await.unwrap();
            }
        });
    }
    let started = Instant::now();
    let reads = (0..300).map(|_| transport.send(keyed(1)));
    futures_util::future::join_all(reads).await;
    let each_second = 300.0 / started.elapsed().as_secs_f64();
    assert!(each_second >= 14.0, "{each_second}");
}
