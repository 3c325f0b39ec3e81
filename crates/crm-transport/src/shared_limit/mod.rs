//! One rate limit for several processes, over Redis or Valkey. For one process [`RateLimit`] is
//! simpler, and stricter.

mod queue;
mod server;

use std::{
    collections::HashMap,
    fmt, mem,
    sync::{Arc, Mutex},
    time::Duration,
};

use redis::Client;
use tokio::{
    task::yield_now,
    time::{Instant, sleep, sleep_until},
};

use self::{
    queue::{NoPlace, Queue},
    server::{Closing, Server},
};
use crate::{
    attendant::Attendant,
    call::Call,
    error::{Delivery, TransportError, TransportErrorKind},
    gate::{self, Pass, RateLimitState},
    lock::lock,
    patience::{Patience, TurnedAway},
    rate_limit::{LONGEST_WAIT, Limit, RateLimit, VENDOR_CALLS_PER_SECOND},
    runtime,
};

/// How much later than its place a call may leave: as much as the pace has to spare in a second. A
/// call that is later still, or has to be, takes another place.
const SLACK: Duration = Duration::from_millis(10);

/// How many places a call that is always late takes before it leaves nevertheless: a busy process
/// must not use up everyone's allowance without making a call.
const PLACES: usize = 3;

/// A limit on calls per second for each key that several processes share, over a Redis (5 or newer)
/// or Valkey server. Clones share it, and so do all processes that name the same server and
/// application.
///
/// It spaces calls evenly, by the server's clock. Calls of one process pass in about the order in
/// which they came; the processes take what they need, so one may have all of the allowance while
/// the others are idle. It learns from answers 429 as a [`RateLimit`] does: each spaces the calls of
/// all processes wider, and many close the gate for all.
///
/// As a [`RateLimit`] it makes room for calls that were held up on their way, as far as they are of the
/// same process: after a stall of the network there may be an answer 429 where several processes
/// share the allowance at the time. For a single process, use [`RateLimit`].
///
/// Places are reserved up to 50 ms ahead, which hides a round trip of up to 30 ms to the server.
/// With a longer one, a process that is alone does not reach the whole allowance.
///
/// `rediss://` works for programs that enable TLS in the `redis` crate, for example with its feature
/// `tokio-rustls-comp`.
///
/// ```no_run
/// use crm_transport::{Fallback, RateLimit, SharedLimit, Transport, TransportExt};
///
/// # fn example(wire: impl Transport) -> Result<(), Box<dyn std::error::Error>> {
/// // Four processes: while the server is away, each keeps to a quarter.
/// let limit = SharedLimit::new("redis://127.0.0.1:6379", "contact-sync")?
///     .fallback(Fallback::LocalShare(RateLimit::per_second(15)));
/// let transport = wire.with_rate_limit(limit);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use]
pub struct SharedLimit {
    application: String,
    calls_per_second: u32,
    longest_wait: Duration,
    fallback: Fallback,
    shared: Arc<Shared>,
}

/// What to do while the server is unavailable. Processes may disagree about that for a second.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Fallback {
    /// Send nothing: calls fail with [`TransportErrorKind::LimitServer`], not sent.
    Stop,
    /// Keep to a part of the allowance that is this process's own.
    LocalShare(RateLimit),
}

/// A call that has passed a [`SharedLimit`], held until the call ends.
/// [`Limit::ended`](crate::Limit::ended) takes it back; if it is dropped, it reports nothing.
#[must_use]
pub struct SharedPass(PassOf);

/// What let a call pass.
enum PassOf {
    /// The server, and then the queue of this process.
    Server {
        queue: Arc<Mutex<Queue>>,
        number: u64,
    },
    LocalShare(Pass),
}

impl fmt::Debug for SharedPass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedPass").finish_non_exhaustive()
    }
}

/// What the clones of a limit share.
struct Shared {
    server: Server,
    queues: Mutex<HashMap<u64, Arc<Mutex<Queue>>>>,
}

impl SharedLimit {
    /// Creates the vendor's limit for this application, on the server at this URL
    /// (`redis://[user:password@]host[:port][/database]`). Connects when it is first needed.
    ///
    /// # Errors
    ///
    /// Returns [`TransportErrorKind::InvalidRequest`] when the URL cannot be read.
    pub fn new(url: &str, application: impl Into<String>) -> Result<Self, TransportError> {
        // The URL may hold a password, so the parser's message is not shown.
        let client = Client::open(url).map_err(|_| {
            TransportError::new(TransportErrorKind::InvalidRequest, Delivery::NotExecuted)
                .with_source("the URL of the shared limit's server cannot be read")
        })?;
        Ok(Self {
            application: application.into(),
            calls_per_second: VENDOR_CALLS_PER_SECOND,
            longest_wait: LONGEST_WAIT,
            fallback: Fallback::Stop,
            shared: Arc::new(Shared { server: Server::new(client), queues: Mutex::default() }),
        })
    }

    /// Sets how many calls there may be in any second, at least one. All processes, and all clones
    /// in each, must set the same number.
    pub fn per_second(mut self, calls: u32) -> Self {
        self.calls_per_second = calls.max(1);
        self
    }

    /// Sets what to do while the server is unavailable; [`Fallback::Stop`] by default.
    pub fn fallback(mut self, fallback: Fallback) -> Self {
        self.fallback = fallback;
        self
    }

    /// Sets how long a closed gate may stay closed before its callers get an error instead of
    /// waiting; 5 minutes by default.
    pub fn longest_wait(mut self, wait: Duration) -> Self {
        self.longest_wait = wait;
        self
    }

    /// Returns what the gate of this key is doing, according to the server. How many calls wait,
    /// how many passed and how often an answer 429 closed the gate are counts of this process
    /// alone.
    ///
    /// # Errors
    ///
    /// Returns [`TransportErrorKind::LimitServer`] while the server is unavailable, or refuses what
    /// it is asked.
    pub async fn state(&self, key: u64) -> Result<RateLimitState, TransportError> {
        runtime::required()?;
        let server = &self.shared.server;
        server.may_ask()?;
        let gate = server.look(self.gate(key), self.calls_per_second).await?;
        let (next_in, closed_for, interval) = gate;
        let closed_for = Duration::from_micros(closed_for);
        let opens_in = Duration::from_micros(next_in).max(closed_for);
        let queue = self.queue(key);
        let queue = lock(&queue);
        let waiting = queue.line.waiting();
        Ok(RateLimitState {
            permits: gate::permits(opens_in, Duration::from_micros(interval), waiting),
            waiting,
            passed: queue.passed,
            pauses: queue.pauses,
            closed_for,
        })
    }

    fn queue(&self, key: u64) -> Arc<Mutex<Queue>> {
        self.shared.queue(key, self.calls_per_second)
    }

    fn gate(&self, key: u64) -> String {
        format!("crm-rate-limit:{}:{key}", self.application)
    }

    /// When there is a place for a call.
    async fn place(&self, key: u64, patience: Patience) -> Result<Instant, NoPlace> {
        if !runtime::is_here() {
            return Err(NoPlace::TurnedAway(TurnedAway::NoRuntime));
        }
        self.shared.server.may_ask()?;
        let shared_queue = self.queue(key);
        loop {
            let place = {
                let mut queue = lock(&shared_queue);
                let outlasts = patience.outlasts(queue.closed_for(), Instant::now());
                outlasts.map_err(NoPlace::TurnedAway)?;
                let place = queue.line.join(patience);
                let needs_asker = !mem::replace(&mut queue.has_asker, true);
                drop(queue);
                if needs_asker {
                    let asker = Attendant::of(&shared_queue);
                    tokio::spawn(self.clone().hand_out(key, asker));
                }
                place
            };
            if let Ok(place) = place.await {
                return place;
            }
            // The gate stays closed for too long, it is too late, or the asker's runtime is gone.
            yield_now().await;
        }
    }

    /// Reserves places for the calls that wait, until none does.
    async fn hand_out(self, key: u64, asker: Attendant<Mutex<Queue>>) {
        let queue = asker.queue();
        loop {
            let wanted = lock(queue).wanted();
            let Some(wanted) = wanted else {
                return asker.done();
            };
            let asked_at = Instant::now();
            let server = &self.shared.server;
            let reserved = server.reserve(self.gate(key), self.calls_per_second, wanted).await;
            // The server's clock was read about halfway.
            let read_at = asked_at + asked_at.elapsed() / 2;
            match reserved {
                Ok((0, wait, closed_for, _)) => {
                    // Those that do not wait that long have to know before this sleeps.
                    lock(queue).closed_until(read_at + Duration::from_micros(closed_for));
                    sleep(Duration::from_micros(wait.unsigned_abs())).await;
                }
                Ok((places, wait, _, interval)) => {
                    let mut queue = lock(queue);
                    queue.closed_until = None;
                    for place in 0..places {
                        // A place may lie in the past, by as much as a call may catch up.
                        let wait = wait + place * interval as i64;
                        let distance = Duration::from_micros(wait.unsigned_abs());
                        queue.give(if wait < 0 { read_at - distance } else { read_at + distance });
                    }
                }
                Err(refused) => lock(queue).fall_back(&refused),
            }
        }
    }

    /// Waits until a call may leave that takes the place of one that arrived late.
    async fn leave(&self, key: u64, patience: Patience) -> Result<SharedPass, TransportError> {
        let queue = self.queue(key);
        loop {
            let opens_at = {
                let mut calls = lock(&queue);
                let opens_at = calls.opens_at();
                if opens_at <= Instant::now() {
                    let number = calls.leave();
                    drop(calls);
                    return Ok(SharedPass(PassOf::Server { queue, number }));
                }
                opens_at
            };
            let now = Instant::now();
            patience.outlasts(opens_at.saturating_duration_since(now), now)?;
            sleep_until(opens_at).await;
        }
    }

    /// In a task of its own: the other processes learn of it even if this call is given up.
    async fn tell_all(&self, key: u64, reason: Closing, pause: Option<Duration>) {
        if !runtime::is_here() {
            return;
        }
        let closing = tokio::spawn(self.clone().close_for_all(key, reason, pause));
        // If this fails, there is no gate to close.
        let _ = closing.await;
    }

    async fn close_for_all(self, key: u64, reason: Closing, pause: Option<Duration>) {
        let server = &self.shared.server;
        // Without the server there is no gate to close but the local one.
        if server.may_ask().is_ok()
            && let Ok(was_open) = server.close(self.gate(key), reason, pause).await
        {
            lock(&self.queue(key)).pauses += was_open;
        }
    }
}

impl Limit for SharedLimit {
    type Pass = SharedPass;

    async fn pass(&self, call: &Call) -> Result<SharedPass, TransportError> {
        let (key, patience) = (call.rate_limit_key, Patience::of(call, self.longest_wait));
        for place in 1.. {
            let reserved = self.place(key, patience).await;
            match (reserved, &self.fallback) {
                (Ok(start), _) => {
                    sleep_until(start).await;
                    let opens_at = lock(&self.queue(key)).opens_at();
                    if opens_at < start + SLACK || place == PLACES {
                        break;
                    }
                }
                (Err(NoPlace::Away(_)), Fallback::LocalShare(limit)) => {
                    return Ok(SharedPass(PassOf::LocalShare(limit.pass(call).await?)));
                }
                (Err(refused), _) => return Err(refused.into()),
            }
        }
        self.leave(key, patience).await
    }

    fn ended(&self, pass: SharedPass) {
        match pass.0 {
            PassOf::LocalShare(pass) => pass.ended(),
            PassOf::Server { queue, number } => lock(&queue).answered(number),
        }
    }

    async fn refused(&self, key: u64, asks_for: Option<Duration>) {
        if let Fallback::LocalShare(limit) = &self.fallback {
            limit.refused(key, asks_for).await;
        }
        self.tell_all(key, Closing::Refused, asks_for).await;
    }

    async fn close(&self, key: u64, pause: Option<Duration>) {
        if let Fallback::LocalShare(limit) = &self.fallback {
            limit.close(key, pause).await;
        }
        self.tell_all(key, Closing::Asked, pause).await;
    }
}

impl Shared {
    fn queue(&self, key: u64, calls_per_second: u32) -> Arc<Mutex<Queue>> {
        let new = || Arc::new(Mutex::new(Queue::new(calls_per_second)));
        Arc::clone(lock(&self.queues).entry(key).or_insert_with(new))
    }
}

impl fmt::Debug for SharedLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The client's URL may hold a password.
        f.debug_struct("SharedLimit")
            .field("application", &self.application)
            .field("calls_per_second", &self.calls_per_second)
            .field("fallback", &self.fallback)
            .finish_non_exhaustive()
    }
}
