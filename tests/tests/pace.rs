//! The pace that a limit reaches against a strict server, over networks that delay calls unevenly:
//! a simulation in virtual time. `pace_over_a_network.rs` measures the same over real sockets.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod network;

use crm_transport::{RateLimit, Request, RetryPolicy, Transport, TransportExt};
use futures_util::{StreamExt, stream};
use network::{BESIDE, Strict, Way, ms};

const CALLS: u32 = 3_600;

/// As many calls are under way or wait at once as in a run of a change set.
const AT_ONCE: usize = 128;

/// Makes the calls; returns how much of the allowance arrived at the server, in percent, and how many
/// calls it refused in and after the first ten seconds.
async fn run(way: Way, seed: u64) -> (f64, [usize; 2]) {
    let server = Strict::new(way, seed);
    let limit = RateLimit::per_second(60);
    let transport = server.as_ref().with_rate_limit(limit).with_retry(RetryPolicy::default());
    stream::iter(0..CALLS)
        .map(|_| transport.send(Request::default()))
        .buffer_unordered(AT_ONCE)
        .for_each(async |response| assert!(response.unwrap().status().is_success()))
        .await;
    (server.used(), server.refused())
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
