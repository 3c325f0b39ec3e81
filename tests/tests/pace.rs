//! The pace that a limit reaches against a strict server, over networks that delay calls unevenly:
//! a simulation in virtual time. `pace_over_a_network.rs` measures the same over real sockets.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use crm_transport::{
    RateLimit, Request, Response, RetryPolicy, Transport, TransportError, TransportExt,
};
use futures_util::{StreamExt, stream};
use http::StatusCode;
use tokio::time::{Instant, sleep};

const SECOND: Duration = Duration::from_secs(1);
const CALLS: u32 = 3_600;

/// As many calls are under way or wait at once as in a run of a change set.
const AT_ONCE: usize = 128;

/// A network and the service behind it.
#[derive(Debug, Clone, Copy)]
struct Way {
    /// How long one direction takes, on average.
    takes: Duration,
    /// By how much it may take longer or less.
    jitter: Duration,
    /// How much longer than a millisecond the service may take.
    service: Duration,
    /// How long a connection takes to open.
    connects: Duration,
}

const BESIDE: Way = Way {
    takes: Duration::ZERO,
    jitter: Duration::ZERO,
    service: Duration::ZERO,
    connects: Duration::ZERO,
};

/// A server that accepts 60 calls in any second, at the end of that way.
struct Strict {
    way: Way,
    random: Mutex<fastrand::Rng>,
    /// When the calls were accepted.
    accepted: Arc<Mutex<Vec<Instant>>>,
    refused: Arc<Mutex<Vec<Instant>>>,
    /// Connections that are open and idle.
    idle: Mutex<u32>,
}

impl Strict {
    async fn one_way(&self) {
        let late = self.random.lock().unwrap().f64() * 2.0;
        sleep(self.way.takes + self.way.jitter.mul_f64(late) - self.way.jitter).await;
    }

    fn accepts(&self, now: Instant) -> bool {
        let mut accepted = self.accepted.lock().unwrap();
        let sixty_before = accepted.iter().rev().nth(59);
        let accepts = sixty_before.is_none_or(|at| now - *at >= SECOND);
        if accepts {
            accepted.push(now);
        }
        accepts
    }
}

#[async_trait]
impl Transport for Strict {
    async fn send(&self, _: Request) -> Result<Response, TransportError> {
        let is_open = {
            let mut idle = self.idle.lock().unwrap();
            let is_open = *idle > 0;
            *idle -= u32::from(is_open);
            is_open
        };
        if !is_open {
            sleep(self.way.connects).await;
        }
        self.one_way().await;
        let now = Instant::now();
        let mut response = Response::default();
        if self.accepts(now) {
            let takes = self.random.lock().unwrap().f64();
            sleep(Duration::from_millis(1) + self.way.service.mul_f64(takes)).await;
        } else {
            self.refused.lock().unwrap().push(now);
            *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
            response.headers_mut().insert("retry-after", 1.into());
        }
        self.one_way().await;
        *self.idle.lock().unwrap() += 1;
        Ok(response)
    }
}

/// Makes the calls; returns how much of the allowance arrived at the server, in percent, and how many
/// calls it refused in and after the first ten seconds.
async fn run(way: Way, seed: u64) -> (f64, [usize; 2]) {
    let (accepted, refused) = (Arc::default(), Arc::default());
    let server = Strict {
        way,
        random: Mutex::new(fastrand::Rng::with_seed(seed)),
        accepted: Arc::clone(&accepted),
        refused: Arc::clone(&refused),
        idle: Mutex::default(),
    };
    let limit = RateLimit::per_second(60);
    let transport = server.with_rate_limit(limit).with_retry(RetryPolicy::default());
    let started = Instant::now();
    stream::iter(0..CALLS)
        .map(|_| transport.send(Request::default()))
        .buffer_unordered(AT_ONCE)
        .for_each(async |response| assert!(response.unwrap().status().is_success()))
        .await;
    let accepted = accepted.lock().unwrap();
    let took = *accepted.last().unwrap() - accepted[0];
    let used = f64::from(CALLS - 1) / 60.0 / took.as_secs_f64();
    let refused = refused.lock().unwrap();
    let early = refused.iter().filter(|at| **at - started <= 10 * SECOND).count();
    (100.0 * used, [early, refused.len() - early])
}

/// Runs over one network several times; checks the part of the allowance that is used on average.
async fn assert_pace(way: Way, least: f64) {
    const RUNS: u64 = 5;
    let (mut used, mut refused) = (0.0, 0);
    for seed in 0..RUNS {
        let (part, [_, later]) = run(way, seed).await;
        used += part / RUNS as f64;
        refused += later;
    }
    let of_a_thousand = refused as f64 / (RUNS as f64 * 3.0);
    println!("{way:?}: {used:.2} %, {of_a_thousand:.2} of 1,000 refused");
    assert!(used >= least, "{used:.2} % of the allowance");
    assert!(of_a_thousand <= 1.0, "{of_a_thousand:.2} of 1,000 calls refused");
}

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

#[tokio::test(start_paused = true)]
async fn beside_the_service_99_percent_of_the_allowance_is_used() {
    assert_pace(BESIDE, 99.0).await;
}

#[tokio::test(start_paused = true)]
async fn a_jitter_of_10_ms_leaves_97_5_percent() {
    assert_pace(Way { takes: ms(50), jitter: ms(10), ..BESIDE }, 97.5).await;
}

#[tokio::test(start_paused = true)]
async fn across_the_world_96_percent_are_left() {
    assert_pace(Way { takes: ms(300), jitter: ms(15), ..BESIDE }, 96.0).await;
}

#[tokio::test(start_paused = true)]
async fn across_the_world_with_twice_the_jitter_94_percent_are_left() {
    assert_pace(Way { takes: ms(300), jitter: ms(30), ..BESIDE }, 94.0).await;
}

#[tokio::test(start_paused = true)]
async fn a_service_whose_own_time_varies_costs_next_to_nothing() {
    assert_pace(Way { takes: ms(20), jitter: ms(1), service: ms(400), ..BESIDE }, 97.5).await;
}

/// A minute loses the time that it takes to open the connections once, but no call is refused for
/// it.
#[tokio::test(start_paused = true)]
async fn calls_that_wait_for_connections_do_not_come_in_a_bunch() {
    for (takes, connects) in [(1, 50), (1, 300), (50, 200), (100, 400), (150, 600), (300, 1_200)] {
        let way = Way { takes: ms(takes), connects: ms(connects), ..BESIDE };
        let (used, refused) = run(way, 1).await;
        println!("{way:?}: {used:.2} %, refused {refused:?}");
        assert_eq!(refused, [0, 0], "{way:?}");
        let lost = ms(connects).as_secs_f64() / 60.0 * 100.0;
        assert!(used >= 98.8 - lost, "{way:?}: {used:.2} %");
    }
}
