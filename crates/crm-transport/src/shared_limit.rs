//! One rate limit for several processes, over Redis or Valkey.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use redis::{
    AsyncConnectionConfig, Client, FromRedisValue, RedisResult, Script, ScriptInvocation,
    aio::MultiplexedConnection,
};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep, sleep_until},
};

use crate::{
    Delivery, Limit, RateLimit, TransportError, TransportErrorKind, VENDOR_CALLS_PER_SECOND,
    gate::{self, CATCH_UP, FIRST_PAUSE, LONGEST_BACK_OFF, LONGEST_PAUSE, Pass},
    rate_limit::LONGEST_WAIT,
};

/// How far ahead calls reserve their places. It hides the way to the server and back; what a
/// process that dies has reserved is lost, so it is short.
const AHEAD: Duration = Duration::from_millis(50);

/// How much later than its place a call may leave: as much as the pace has to spare in a
/// second. A later one takes another place.
const SLACK: Duration = Duration::from_millis(10);

/// How long the server may take to connect and to answer.
const PATIENCE: Duration = Duration::from_millis(500);

/// How long a server that failed is left alone.
const AWAY: Duration = Duration::from_secs(1);

/// Reserves the next place, unless it is too far ahead, by the server's clock. Times are in
/// microseconds. A gate that was idle is forgotten, which changes nothing.
///
/// Answers whether there is a place, how long until it (or until it is worth asking again),
/// and how long the gate is still closed.
const RESERVE: &str = r"
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local interval, catch_up, ahead = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local gate = redis.call('HMGET', KEYS[1], 'next', 'closed_until')
local planned = tonumber(gate[1]) or now
local closed_until = tonumber(gate[2]) or now
if planned > now + ahead + interval then
  planned = now -- No one reserves so far ahead: the clock was set back.
end
local start = math.max(planned, closed_until, now - catch_up)
if start > now + ahead then
  return {0, start - ahead - now, math.max(closed_until - now, 0)}
end
redis.call('HSET', KEYS[1], 'next', start + interval)
redis.call('PEXPIRE', KEYS[1], 60000)
return {1, math.max(start - now, 0), 0}
";

/// Closes a gate for some milliseconds; never opens it earlier than another 429 asked. With no
/// time named, twice as long as the last time if that was just now.
const CLOSE: &str = r"
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local pause, first, longest = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local gate = redis.call('HMGET', KEYS[1], 'closed_until', 'pause')
local until_now, last = (tonumber(gate[1]) or 0) / 1000, tonumber(gate[2]) or 0
if not pause then
  if now < until_now then return end -- This answer is one of those that closed it.
  pause = first
  if now < until_now + math.max(last, first) then
    pause = math.min(math.max(last * 2, first), longest)
  end
end
redis.call('HSET', KEYS[1], 'pause', pause)
if now + pause > until_now then
  redis.call('HSET', KEYS[1], 'closed_until', (now + pause) * 1000)
  redis.call('PEXPIRE', KEYS[1], pause + 60000)
end
";

/// A limit on calls per second for each key that several processes hold together, over a Redis
/// (5 or newer) or Valkey server. Clones share it, and so do all processes that name the same
/// server and application.
///
/// It spaces calls as [`RateLimit`] does, by the server's clock. Calls of one process pass in
/// about the order in which they came; the processes take what they need, so one may have all of the
/// allowance while the others are idle. An answer 429 closes the gate for all processes.
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
enum Refused {
    /// The gate stays closed for too long.
    Closed,
    /// The server gives no answer.
    Away,
}

struct Shared {
    client: Client,
    connection: Mutex<Option<MultiplexedConnection>>,
    away_until: Mutex<Option<Instant>>,
    /// Who holds a key's lock asks for the next place; tokio's mutex is fair.
    queues: Mutex<HashMap<u64, Arc<tokio::sync::Mutex<()>>>>,
    reserve: Script,
    close: Script,
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
                away_until: Mutex::default(),
                queues: Mutex::default(),
                reserve: Script::new(RESERVE),
                close: Script::new(CLOSE),
            }),
        })
    }

    /// How many calls there may be in any second, at least one. All processes must say the
    /// same.
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

    fn gate(&self, key: u64) -> String {
        format!("crm-rate-limit:{}:{key}", self.application)
    }

    /// When a call may leave. A task asks, so that a call that nobody polls holds up none
    /// behind it; it ends with this future.
    async fn place(&self, key: u64) -> Result<Instant, Refused> {
        let limit = self.clone();
        let mut asking = JoinSet::new();
        asking.spawn(async move { limit.reserve(key).await });
        match asking.join_next().await {
            Some(Ok(place)) => place,
            // The runtime is shutting down.
            _ => Err(Refused::Away),
        }
    }

    async fn reserve(&self, key: u64) -> Result<Instant, Refused> {
        let mut invocation = self.shared.reserve.key(self.gate(key));
        for time in [self.interval, self.interval.min(CATCH_UP), AHEAD] {
            invocation.arg(time.as_micros() as u64);
        }
        let queue = self.shared.queue(key);
        let _first = queue.lock().await;
        loop {
            let asked_at = Instant::now();
            let (has_place, wait, closed_for): (bool, u64, u64) =
                self.shared.ask(&invocation).await?;
            // The server's clock was read about half-way.
            let read_at = asked_at + asked_at.elapsed() / 2;
            let wait = Duration::from_micros(wait);
            if has_place {
                return Ok(read_at + wait);
            }
            if Duration::from_micros(closed_for) > self.longest_wait {
                return Err(Refused::Closed);
            }
            sleep(wait).await;
        }
    }
}

impl Limit for SharedLimit {
    /// Of the local share, if that lets it pass.
    type Pass = Option<Pass>;

    async fn pass(&self, key: u64) -> Result<Option<Pass>, TransportError> {
        let error = |kind| Err(TransportError::new(kind, Delivery::NotSent));
        loop {
            match self.place(key).await {
                Ok(start) => {
                    sleep_until(start).await;
                    if Instant::now() < start + SLACK {
                        return Ok(None);
                    }
                }
                Err(Refused::Closed) => return error(TransportErrorKind::RateLimited),
                Err(Refused::Away) => {
                    return match &self.fallback {
                        Fallback::Stop => error(TransportErrorKind::LimitServer),
                        Fallback::LocalShare(limit) => limit.pass(key).await.map(Some),
                    };
                }
            }
        }
    }

    async fn close(&self, key: u64, pause: Option<Duration>) {
        if let Fallback::LocalShare(limit) = &self.fallback {
            limit.close(key, pause).await;
        }
        let mut invocation = self.shared.close.key(self.gate(key));
        invocation.arg(pause.map_or(String::new(), |pause| {
            pause.min(LONGEST_PAUSE).as_millis().to_string()
        }));
        for time in [FIRST_PAUSE, LONGEST_BACK_OFF] {
            invocation.arg(time.as_millis() as u64);
        }
        // Without the server there is no gate to close but the local one.
        let _: Result<(), Refused> = self.shared.ask(&invocation).await;
    }
}

impl Shared {
    fn queue(&self, key: u64) -> Arc<tokio::sync::Mutex<()>> {
        Arc::clone(lock(&self.queues).entry(key).or_default())
    }

    /// Runs a script, unless the server failed just now.
    async fn ask<T: FromRedisValue>(
        &self,
        invocation: &ScriptInvocation<'_>,
    ) -> Result<T, Refused> {
        if lock(&self.away_until).is_some_and(|until| Instant::now() < until) {
            return Err(Refused::Away);
        }
        self.run(invocation).await.map_err(|error| {
            tracing::warn!(%error, "the server of the shared limit is away");
            *lock(&self.away_until) = Some(Instant::now() + AWAY);
            Refused::Away
        })
    }

    async fn run<T: FromRedisValue>(&self, invocation: &ScriptInvocation<'_>) -> RedisResult<T> {
        let connection = lock(&self.connection).clone();
        if let Some(mut connection) = connection {
            // It may have been closed while it was idle, or with a server that is back.
            if let Ok(answer) = invocation.invoke_async(&mut connection).await {
                return Ok(answer);
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
        invocation.invoke_async(&mut connection).await
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
