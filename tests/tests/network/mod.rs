//! A network that delays calls unevenly, and a strict server behind it.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use crm_transport::{Request, Response, Transport, TransportError};
use http::StatusCode;
use tokio::time::{Instant, sleep};

const SECOND: Duration = Duration::from_secs(1);

/// A network and the service behind it.
#[derive(Debug, Clone, Copy)]
pub struct Way {
    /// How long one direction takes, on average.
    pub takes: Duration,
    /// By how much it may take longer or less.
    pub jitter: Duration,
    /// How much longer than a millisecond the service may take.
    pub service: Duration,
    /// How long a connection takes to open.
    pub connects: Duration,
}

pub const BESIDE: Way = Way {
    takes: Duration::ZERO,
    jitter: Duration::ZERO,
    service: Duration::ZERO,
    connects: Duration::ZERO,
};

/// A server that accepts 60 calls in any second, at the end of that way.
pub struct Strict {
    way: Way,
    random: Mutex<fastrand::Rng>,
    started: Instant,
    /// When the calls were accepted.
    accepted: Mutex<Vec<Instant>>,
    refused: Mutex<Vec<Instant>>,
    /// Connections that are open and idle.
    idle: Mutex<u32>,
}

impl Strict {
    pub fn new(way: Way, seed: u64) -> Arc<Self> {
        Arc::new(Self {
            way,
            random: Mutex::new(fastrand::Rng::with_seed(seed)),
            started: Instant::now(),
            accepted: Mutex::default(),
            refused: Mutex::default(),
            idle: Mutex::default(),
        })
    }

    /// How much of its allowance arrived, in percent.
    pub fn used(&self) -> f64 {
        let accepted = self.accepted.lock().unwrap();
        let took = *accepted.last().unwrap() - accepted[0];
        100.0 * (accepted.len() - 1) as f64 / 60.0 / took.as_secs_f64()
    }

    /// How many calls it refused in and after the first ten seconds.
    pub fn refused(&self) -> [usize; 2] {
        let refused = self.refused.lock().unwrap();
        let early = refused.iter().filter(|at| **at - self.started <= 10 * SECOND).count();
        [early, refused.len() - early]
    }

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

pub const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}
