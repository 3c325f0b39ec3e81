//! One rate limit for several processes, over Redis or Valkey. For one process [`RateLimit`] is
//! simpler, and stricter.

use std::{
    collections::{HashMap, VecDeque},
    fmt, mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use redis::{
    AsyncConnectionConfig, Client, FromRedisValue, RedisError, RedisResult, Script,
    ScriptInvocation, aio::MultiplexedConnection,
};
use tokio::{
    sync::oneshot,
    task::yield_now,
    time::{Instant, sleep, sleep_until},
};

use crate::{
    Delivery, Limit, RateLimit, RateLimitState, TransportError, TransportErrorKind,
    VENDOR_CALLS_PER_SECOND,
    attendant::{Attendant, Served},
    gate::{self, CATCH_UP, FIRST_PAUSE, LONGEST_BACK_OFF, LONGEST_PAUSE, Pass, Patience},
    rate_limit::LONGEST_WAIT,
};

/// How far ahead calls reserve their places. It hides the way to the server and back; what a
/// process that dies has reserved is lost, so it is short.
const AHEAD: Duration = Duration::from_millis(50);

/// How much later than its place a call may leave: as much as the pace has to spare in a
/// second. A later one takes another place.
const SLACK: Duration = Duration::from_millis(10);

/// How many places a call takes that is always late, before it leaves nevertheless: a busy
/// process must not use up the allowance of all without a call.
const PLACES: usize = 3;

/// How long the server may take to connect and to answer.
const PATIENCE: Duration = Duration::from_millis(500);

/// How long a server that failed is left alone.
const AWAY: Duration = Duration::from_secs(1);

/// Reserves places as far ahead as allowed, as many as are wanted, by the server's clock. Times
/// are in microseconds. A gate that was idle is forgotten, which changes nothing.
///
/// Answers how many places there are, how long until the first (or until it is worth asking
/// again), and how long the gate is still closed.
const RESERVE: &str = r"
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local interval, catch_up, ahead = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local wanted = tonumber(ARGV[4])
local gate = redis.call('HMGET', KEYS[1], 'next', 'closed_until', 'closed_at')
local planned = tonumber(gate[1]) or now
local closed_until = tonumber(gate[2]) or now
if (tonumber(gate[3]) or now) > now then
  closed_until = now -- It was closed in the past: the clock was set back.
end
if planned > now + ahead + interval then
  planned = now -- No one reserves so far ahead: the clock was set back.
end
local start = math.max(planned, closed_until, now - catch_up)
if start > now + ahead then
  return {0, start - ahead - now, math.max(closed_until - now, 0)}
end
local places = math.min(wanted, math.floor((now + ahead - start) / interval) + 1)
redis.call('HSET', KEYS[1], 'next', start + places * interval)
redis.call('PEXPIRE', KEYS[1], 60000)
return {places, start - now, 0}
";

/// Answers how long until the next place, and how long the gate is still closed.
const LOOK: &str = r"
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local gate = redis.call('HMGET', KEYS[1], 'next', 'closed_until', 'closed_at')
local planned, closed_until = tonumber(gate[1]) or now, tonumber(gate[2]) or now
if (tonumber(gate[3]) or now) > now then closed_until = now end
return {math.max(planned - now, 0), math.max(closed_until - now, 0)}
";

/// Closes a gate for some milliseconds; never opens it earlier than another 429 asked. With no
/// time named, twice as long as the last time if that was just now. Answers whether it was open.
const CLOSE: &str = r"
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local pause, first, longest = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local gate = redis.call('HMGET', KEYS[1], 'closed_until', 'pause', 'closed_at')
local until_now, last = (tonumber(gate[1]) or 0) / 1000, tonumber(gate[2]) or 0
if (tonumber(gate[3]) or 0) > now * 1000 then until_now = 0 end
if not pause then
  if now < until_now then return 0 end -- This answer is one of those that closed it.
  pause = first
  if now < until_now + math.max(last, first) then
    pause = math.min(math.max(last * 2, first), longest)
  end
end
redis.call('HSET', KEYS[1], 'pause', pause)
if now + pause > until_now then
  redis.call('HSET', KEYS[1], 'closed_until', (now + pause) * 1000, 'closed_at', now * 1000)
  redis.call('PEXPIRE', KEYS[1], pause + 60000)
end
return (now >= until_now and pause > 0) and 1 or 0
";

/// A limit on calls per second for each key that several processes hold together, over a Redis
/// (5 or newer) or Valkey server. Clones share it, and so do all processes that name the same
/// server and application.
///
/// It spaces calls evenly, by the server's clock. Calls of one process pass in about the order in
/// which they came; the processes take what they need, so one may have all of the allowance while
/// the others are idle. An answer 429 closes the gate for all processes.
///
/// Unlike a [`RateLimit`] it makes no room for calls that were held up on their way: after a stall
/// of the network there may be an answer 429. For one process take that.
///
/// Places are reserved up to 50 ms ahead, which hides a way of up to 30 ms to the server and
/// back. Over a longer one a process that is alone does not reach the whole allowance.
///
/// `rediss://` works for programs that enable TLS in the `redis` crate.
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
    interval: Duration,
    longest_wait: Duration,
    fallback: Fallback,
    shared: Arc<Shared>,
}

/// What to do while the server is away. Processes may disagree about that for a second.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Fallback {
    /// Send nothing: calls fail with [`TransportErrorKind::LimitServer`], not sent.
    Stop,
    /// Keep to a part of the allowance that is this process's own.
    LocalShare(RateLimit),
}

/// Why there is no place.
#[derive(Clone)]
enum Refused {
    /// The gate stays closed for too long.
    Closed,
    /// The server gives no place, for this reason.
    Away(Arc<str>),
}

/// A server that failed.
struct Away {
    until: Instant,
    reason: Arc<str>,
}

struct Shared {
    client: Client,
    connection: Mutex<Option<MultiplexedConnection>>,
    away: Mutex<Option<Away>>,
    queues: Mutex<HashMap<u64, Arc<Mutex<Queue>>>>,
    reserve: Script,
    look: Script,
    close: Script,
}

/// The calls of this process that wait for a place of one key.
#[derive(Default)]
struct Queue {
    waiting: VecDeque<Waiting>,
    /// Whether a task asks for places, not the calls: one that nobody polls holds up none behind
    /// it. It ends with the queue.
    has_asker: bool,
    /// As the server last told.
    closed_until: Option<Instant>,
    passed: u64,
    pauses: u64,
}

struct Waiting {
    /// Dropped, it turns the call away.
    place: oneshot::Sender<Result<Instant, Refused>>,
    patience: Patience,
}

impl SharedLimit {
    /// The vendor's limit for this application, on the server at this URL
    /// (`redis://[user:password@]host[:port][/database]`). Connects when it is first needed.
    ///
    /// # Errors
    ///
    /// [`TransportErrorKind::InvalidRequest`] when the URL cannot be read.
    pub fn new(url: &str, application: impl Into<String>) -> Result<Self, TransportError> {
        // The URL may hold a password, so its reader's words are not shown.
        let client = Client::open(url).map_err(|_| {
            TransportError::new(TransportErrorKind::InvalidRequest, Delivery::NotSent)
                .with_source("the URL of the shared limit's server cannot be read")
        })?;
        Ok(Self {
            application: application.into(),
            interval: gate::interval(VENDOR_CALLS_PER_SECOND),
            longest_wait: LONGEST_WAIT,
            fallback: Fallback::Stop,
            shared: Arc::new(Shared {
                client,
                connection: Mutex::default(),
                away: Mutex::default(),
                queues: Mutex::default(),
                reserve: Script::new(RESERVE),
                look: Script::new(LOOK),
                close: Script::new(CLOSE),
            }),
        })
    }

    /// How many calls there may be in any second, at least one. All processes, and all clones in
    /// each, must say the same.
    pub fn per_second(mut self, calls: u32) -> Self {
        self.interval = gate::interval(calls);
        self
    }

    /// What to do while the server is away; [`Fallback::Stop`] unless set.
    pub fn fallback(mut self, fallback: Fallback) -> Self {
        self.fallback = fallback;
        self
    }

    /// How long a closed gate may stay closed before its callers get an error instead of
    /// waiting; 5 minutes unless set.
    pub fn longest_wait(mut self, wait: Duration) -> Self {
        self.longest_wait = wait;
        self
    }

    /// What the gate of this key is doing, by the server. How many wait, how many passed and how
    /// often an answer 429 closed the gate is told of this process alone.
    ///
    /// # Errors
    ///
    /// [`TransportErrorKind::LimitServer`] while the server is away, or refuses what it is asked.
    pub async fn state(&self, key: u64) -> Result<RateLimitState, TransportError> {
        let invocation = self.shared.look.key(self.gate(key));
        self.shared.may_ask()?;
        let (next_in, closed_for): (u64, u64) = self.shared.ask(&invocation).await?;
        let closed_for = Duration::from_micros(closed_for);
        let opens_in = Duration::from_micros(next_in).max(closed_for);
        let queue = self.shared.queue(key);
        let queue = lock(&queue);
        let waiting = queue.waiting.iter();
        let waiting = waiting.filter(|call| !call.place.is_closed()).count();
        Ok(RateLimitState {
            permits: gate::permits(opens_in, self.interval, waiting),
            waiting,
            passed: queue.passed,
            pauses: queue.pauses,
            closed_for,
        })
    }

    fn gate(&self, key: u64) -> String {
        format!("crm-rate-limit:{}:{key}", self.application)
    }

    /// When a call may leave.
    async fn place(&self, key: u64, patience: Patience) -> Result<Instant, Refused> {
        self.shared.may_ask()?;
        let shared_queue = self.shared.queue(key);
        loop {
            let place = {
                let mut queue = lock(&shared_queue);
                if !patience.outlasts(queue.closed_for()) {
                    return Err(Refused::Closed);
                }
                let (sender, place) = oneshot::channel();
                queue.waiting.push_back(Waiting {
                    place: sender,
                    patience,
                });
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
            // The gate stays closed for too long, or the asker's runtime is gone.
            yield_now().await;
        }
    }

    /// Reserves places for those that wait, until nobody does.
    async fn hand_out(self, key: u64, asker: Attendant<Mutex<Queue>>) {
        let queue = asker.queue();
        loop {
            let wanted = lock(queue).wanted();
            let Some(wanted) = wanted else {
                return asker.done();
            };
            let asked_at = Instant::now();
            let reserved = self.reserve(key, wanted).await;
            // The server's clock was read about half-way.
            let read_at = asked_at + asked_at.elapsed() / 2;
            match reserved {
                Ok((0, wait, closed_for)) => {
                    lock(queue).closed_until(read_at + Duration::from_micros(closed_for));
                    sleep(Duration::from_micros(wait.unsigned_abs())).await;
                }
                Ok((places, wait, _)) => {
                    let mut queue = lock(queue);
                    queue.closed_until = None;
                    for place in 0..places {
                        let wait = wait + place * self.interval.as_micros() as i64;
                        let distance = Duration::from_micros(wait.unsigned_abs());
                        queue.give(match wait < 0 {
                            true => read_at - distance,
                            false => read_at + distance,
                        });
                    }
                }
                Err(refused) => lock(queue).fall_back(&refused),
            }
        }
    }

    async fn close_for_all(self, key: u64, pause: Option<Duration>) {
        let mut invocation = self.shared.close.key(self.gate(key));
        invocation.arg(pause.map_or(String::new(), |pause| {
            pause.min(LONGEST_PAUSE).as_millis().to_string()
        }));
        for time in [FIRST_PAUSE, LONGEST_BACK_OFF] {
            invocation.arg(time.as_millis() as u64);
        }
        // Without the server there is no gate to close but the local one.
        if self.shared.may_ask().is_ok()
            && let Ok(was_open) = self.shared.ask::<u64>(&invocation).await
        {
            lock(&self.shared.queue(key)).pauses += was_open;
        }
    }

    async fn reserve(&self, key: u64, wanted: usize) -> Result<(i64, i64, u64), Refused> {
        let mut invocation = self.shared.reserve.key(self.gate(key));
        for time in [self.interval, self.interval.min(CATCH_UP), AHEAD] {
            invocation.arg(time.as_micros() as u64);
        }
        self.shared.ask(invocation.arg(wanted)).await
    }
}

impl Served for Mutex<Queue> {
    fn abandoned(&self) {
        let mut queue = lock(self);
        queue.has_asker = false;
        queue.waiting.clear();
    }
}

impl Queue {
    /// How many wait; none ends the asker.
    fn wanted(&mut self) -> Option<usize> {
        self.waiting.retain(|call| !call.place.is_closed());
        if self.waiting.is_empty() {
            self.has_asker = false;
            return None;
        }
        Some(self.waiting.len())
    }

    /// Gives a place to the first that still wants one.
    fn give(&mut self, place: Instant) {
        while let Some(call) = self.waiting.pop_front() {
            if call.place.send(Ok(place)).is_ok() {
                self.passed += 1;
                return;
            }
        }
    }

    /// Turns away who does not wait for so long.
    fn closed_until(&mut self, until: Instant) {
        self.closed_until = Some(until);
        let closed_for = self.closed_for();
        let waits = |call: &Waiting| call.patience.outlasts(closed_for);
        self.waiting.retain(waits);
    }

    fn closed_for(&self) -> Duration {
        let now = Instant::now();
        let until = self.closed_until.unwrap_or(now);
        until.saturating_duration_since(now)
    }

    fn fall_back(&mut self, refused: &Refused) {
        for call in self.waiting.drain(..) {
            // Who is gone needs no answer.
            let _ = call.place.send(Err(refused.clone()));
        }
    }
}

impl From<Refused> for TransportError {
    fn from(refused: Refused) -> Self {
        let error = |kind| Self::new(kind, Delivery::NotSent);
        match refused {
            Refused::Closed => error(TransportErrorKind::RateLimited),
            Refused::Away(reason) => error(TransportErrorKind::LimitServer).with_source(&*reason),
        }
    }
}

impl Limit for SharedLimit {
    /// Of the local share, if that lets it pass.
    type Pass = Option<Pass>;

    async fn pass(
        &self,
        key: u64,
        deadline: Option<Instant>,
    ) -> Result<Option<Pass>, TransportError> {
        let patience = Patience {
            longest_wait: self.longest_wait,
            deadline,
        };
        for _ in 0..PLACES {
            match (self.place(key, patience).await, &self.fallback) {
                (Ok(start), _) => {
                    sleep_until(start).await;
                    if Instant::now() < start + SLACK {
                        break;
                    }
                }
                (Err(Refused::Away(_)), Fallback::LocalShare(limit)) => {
                    return limit.pass(key, deadline).await.map(Some);
                }
                (Err(refused), _) => return Err(refused.into()),
            }
        }
        Ok(None)
    }

    fn ended(&self, pass: Option<Pass>) {
        if let Some(pass) = pass {
            pass.ended();
        }
    }

    async fn close(&self, key: u64, pause: Option<Duration>) {
        if let Fallback::LocalShare(limit) = &self.fallback {
            limit.close(key, pause).await;
        }
        // A task of its own: the other processes learn of it even if this call is given up.
        let closing = tokio::spawn(self.clone().close_for_all(key, pause));
        // There is no gate to close where it fails.
        let _ = closing.await;
    }
}

impl Shared {
    fn queue(&self, key: u64) -> Arc<Mutex<Queue>> {
        Arc::clone(lock(&self.queues).entry(key).or_default())
    }

    /// Whether to ask the server. Of a server that is away one caller sees now and then whether
    /// it is back, and the others do not wait for that.
    fn may_ask(&self) -> Result<(), Refused> {
        let now = Instant::now();
        match &mut *lock(&self.away) {
            Some(away) if now < away.until => Err(Refused::Away(Arc::clone(&away.reason))),
            Some(away) => {
                away.until = now + AWAY;
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Runs a script, and notes whether the server is there.
    async fn ask<T: FromRedisValue>(
        &self,
        invocation: &ScriptInvocation<'_>,
    ) -> Result<T, Refused> {
        let failure = match self.run(invocation).await {
            Ok(answer) => {
                *lock(&self.away) = None;
                return Ok(answer);
            }
            Err(error) => self.without_password(&error),
        };
        tracing::warn!(error = failure, "the server of the shared limit is away");
        let reason = Arc::from(failure);
        *lock(&self.away) = Some(Away {
            until: Instant::now() + AWAY,
            reason: Arc::clone(&reason),
        });
        Err(Refused::Away(reason))
    }

    /// The error's words. A server's may repeat the command that it did not understand.
    fn without_password(&self, error: &RedisError) -> String {
        let words = error.to_string();
        let settings = self.client.get_connection_info().redis_settings();
        match settings.password() {
            Some(password) if !password.is_empty() => words.replace(password, "…"),
            _ => words,
        }
    }

    async fn run<T: FromRedisValue>(&self, invocation: &ScriptInvocation<'_>) -> RedisResult<T> {
        let connection = lock(&self.connection).clone();
        if let Some(mut connection) = connection {
            match invocation.invoke_async(&mut connection).await {
                Ok(answer) => return Ok(answer),
                Err(error) => {
                    *lock(&self.connection) = None;
                    // A server that is silent would be so once more. Else the connection may
                    // have been closed while it was idle, or with a server that is back.
                    if error.is_timeout() {
                        return Err(error);
                    }
                }
            }
        }
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(Some(PATIENCE));
        let connecting = self
            .client
            .get_multiplexed_async_connection_with_config(&config);
        let mut connection = connecting.await?;
        *lock(&self.connection) = Some(connection.clone());
        let answer = invocation.invoke_async(&mut connection).await;
        if answer.is_err() {
            *lock(&self.connection) = None;
        }
        answer
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for SharedLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The client's URL may hold a password.
        f.debug_struct("SharedLimit")
            .field("application", &self.application)
            .field("interval", &self.interval)
            .field("fallback", &self.fallback)
            .finish_non_exhaustive()
    }
}
