//! The sandbox's clock: real time that a test can move.

use std::{
    sync::Mutex,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use crate::lock::lock;

/// How many ticks a second has: the API writes times in steps of 100 ns.
pub(crate) const TICKS_PER_SECOND: i64 = 10_000_000;

/// The sandbox's time: modification times, token expiry, the rate limit and the lag of the export
/// feeds all follow it.
///
/// It starts at the real time and runs on the machine's monotonic clock, so a change of the system
/// time does not affect it. A time to which it was moved begins to pass when somebody first asks for
/// the time, so it does not matter whether the clock is set or frozen first.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// use std::time::Duration;
/// let sandbox = crm_sandbox::Sandbox::start().await?;
/// let before = sandbox.clock().now();
/// sandbox.clock().advance(Duration::from_secs(900)); // every token is now expired
/// assert!(sandbox.clock().now() >= before + Duration::from_secs(900));
/// # Ok::<(), crm_sandbox::SandboxError>(()) }).unwrap();
/// ```
#[derive(Debug)]
pub struct Clock {
    hands: Mutex<Hands>,
}

#[derive(Debug)]
struct Hands {
    /// The time that the clock showed at `since`.
    base: i64,
    /// `None` until somebody looks at the clock.
    since: Option<Instant>,
    running: bool,
    last_stamp: i64,
}

impl Hands {
    /// Returns the time, which passes from here on unless the clock is frozen.
    fn now(&mut self) -> i64 {
        let elapsed = match self.since {
            Some(since) if self.running => ticks(since.elapsed()),
            _ => 0,
        };
        self.since.get_or_insert_with(Instant::now);
        self.base.saturating_add(elapsed)
    }

    fn move_to(&mut self, time: i64) {
        self.base = time;
        self.since = None;
    }
}

impl Clock {
    /// Creates a clock of real time; every [`stamp`](Self::stamp) is later than `latest`.
    pub(crate) fn real(latest: i64) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            hands: Mutex::new(Hands {
                base: ticks(now),
                since: Some(Instant::now()),
                running: true,
                last_stamp: latest,
            }),
        }
    }

    /// Returns the sandbox's current time.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        let nanoseconds = self.ticks().unsigned_abs().saturating_mul(100);
        UNIX_EPOCH + Duration::from_nanos(nanoseconds)
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        let mut hands = lock(&self.hands);
        let time = hands.now().saturating_add(ticks(by));
        hands.move_to(time);
    }

    /// Sets the clock to a time, earlier or later than the current one. Times before 1970 count as
    /// 1970.
    pub fn set(&self, time: SystemTime) {
        let since_1970 = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        lock(&self.hands).move_to(ticks(since_1970));
    }

    /// Stops the clock; [`advance`](Self::advance) and [`set`](Self::set)
    /// still move it.
    pub fn freeze(&self) {
        let mut hands = lock(&self.hands);
        hands.base = hands.now();
        hands.running = false;
    }

    /// Lets a frozen clock run again from the time that it shows.
    pub fn resume(&self) {
        let mut hands = lock(&self.hands);
        hands.since = None;
        hands.running = true;
    }

    /// Returns the current time in ticks since 1970.
    pub(crate) fn ticks(&self) -> i64 {
        lock(&self.hands).now()
    }

    /// Returns the time for a change: like [`ticks`](Self::ticks), but never the same twice, so
    /// that changes have an order.
    pub(crate) fn stamp(&self) -> i64 {
        let mut hands = lock(&self.hands);
        let stamp = hands.now().max(hands.last_stamp.saturating_add(1));
        hands.last_stamp = stamp;
        stamp
    }
}

fn ticks(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos() / 100).unwrap_or(i64::MAX)
}
