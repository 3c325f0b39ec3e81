//! The clock by which decisions age: one that keeps running while the machine sleeps.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// A moment on the clock by which decisions age.
///
/// A process that was stopped, a laptop that slept and a virtual machine that was paused must not
/// treat what they read before as fresh. No single clock reveals that: the monotonic one stops
/// while the machine sleeps, the one that counts from boot stops while the virtual machine is
/// paused, and the wall clock may be set. So a moment is read from three clocks, each with a start
/// of its own, and its age is the largest progress of any of them: a wall clock that was set back
/// makes nothing younger, and one that was set forward only makes things older, at the price of one
/// more look.
///
/// The first of the three is tokio's, so in a test with a paused clock moments age with that clock.
/// Sleep of the machine is simulated by `pretend_suspended`, with the feature `mock`.
///
/// Where no clock counts from boot (on anything but Unix), the two others decide: on Windows both
/// keep running while it sleeps.
///
/// ```
/// use std::time::Duration;
/// use crm_transport::Moment;
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// let read = Moment::now();
/// let begin_by = read.after(Duration::from_secs(2));
/// assert!(read.age() < Duration::from_secs(2));
/// assert!(!begin_by.has_passed());
/// assert!(begin_by.earlier(read).has_passed(), "a moment passes when it is there");
/// # });
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// tokio's clock, monotonic.
    process: Instant,
    /// Nanoseconds since boot, sleep included; always 0 where nothing counts them.
    boot: u64,
    /// Nanoseconds since 1970, which last until the year 2554.
    wall: u64,
}

impl Moment {
    /// Returns the current moment.
    #[must_use]
    pub fn now() -> Self {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH);
        Self {
            process: Instant::now(),
            boot: nanoseconds(since_boot()),
            wall: nanoseconds(wall.unwrap_or_default()),
        }
    }

    /// Returns how long ago this moment was, suspended time included: the largest progress of any
    /// clock. Zero for a moment in the future.
    #[must_use]
    pub fn age(self) -> Duration {
        Self::now().since(self)
    }

    /// Returns how much later than `earlier` this moment is; zero if it is not later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        let process = self.process.saturating_duration_since(earlier.process);
        let boot = self.boot.saturating_sub(earlier.boot);
        let wall = self.wall.saturating_sub(earlier.wall);
        process.max(Duration::from_nanos(boot.max(wall)))
    }

    /// Returns the moment that is `time` later than this one, on each clock.
    #[must_use]
    pub fn after(self, time: Duration) -> Self {
        let nanoseconds = nanoseconds(time);
        Self {
            // A time beyond what the clock can represent is as good as a century.
            process: (self.process.checked_add(time)).unwrap_or(self.process + CENTURY),
            boot: self.boot.saturating_add(nanoseconds),
            wall: self.wall.saturating_add(nanoseconds),
        }
    }

    /// Returns the earlier of the two, on each clock.
    #[must_use]
    pub fn earlier(self, other: Self) -> Self {
        Self {
            process: self.process.min(other.process),
            boot: self.boot.min(other.boot),
            wall: self.wall.min(other.wall),
        }
    }

    /// Returns whether this moment has been reached, by any clock.
    #[must_use]
    pub fn has_passed(self) -> bool {
        self.time_left().is_zero()
    }

    /// Returns how long it is until this moment, by the clock on which that is the shortest; zero
    /// once it has been reached.
    #[must_use]
    pub fn time_left(self) -> Duration {
        let now = Self::now();
        let process = self.process.saturating_duration_since(now.process);
        let wall = self.wall.saturating_sub(now.wall);
        let left = if HAS_BOOT_CLOCK { wall.min(self.boot.saturating_sub(now.boot)) } else { wall };
        process.min(Duration::from_nanos(left))
    }
}

/// Longer than any program waits.
pub(crate) const CENTURY: Duration = Duration::from_secs(100 * 366 * 24 * 60 * 60);

fn nanoseconds(time: Duration) -> u64 {
    let seconds = time.as_secs().saturating_mul(1_000_000_000);
    seconds.saturating_add(time.subsec_nanos().into())
}

/// Whether this system has a clock that counts from boot and keeps running while it sleeps.
const HAS_BOOT_CLOCK: bool =
    cfg!(any(target_os = "android", target_os = "linux", target_vendor = "apple"));

/// The time since boot, sleep included.
fn since_boot() -> Duration {
    #[cfg(any(target_os = "android", target_os = "linux", target_vendor = "apple"))]
    let counted = {
        use rustix::time::{ClockId, clock_gettime};

        // Apple's monotonic clock continues during sleep; the standard library uses another one
        // there.
        #[cfg(target_vendor = "apple")]
        const CLOCK: ClockId = ClockId::Monotonic;
        #[cfg(not(target_vendor = "apple"))]
        const CLOCK: ClockId = ClockId::Boottime;
        Duration::try_from(clock_gettime(CLOCK)).unwrap_or_default()
    };
    #[cfg(not(any(target_os = "android", target_os = "linux", target_vendor = "apple")))]
    let counted = Duration::ZERO;
    counted + pretended()
}

#[cfg(not(feature = "mock"))]
const fn pretended() -> Duration {
    Duration::ZERO
}

#[cfg(feature = "mock")]
pub use self::mocked::pretend_suspended;
#[cfg(feature = "mock")]
use self::mocked::pretended;

#[cfg(feature = "mock")]
mod mocked {
    use std::{cell::Cell, time::Duration};

    thread_local! {
        static SUSPENDED: Cell<Duration> = const { Cell::new(Duration::ZERO) };
    }

    /// Makes the clock of this thread report that the machine has just slept for `time`: every
    /// [`Moment`](crate::Moment) is older by that much, while no timer has moved. For tests that
    /// stay on a paused clock.
    ///
    /// ```
    /// use std::time::Duration;
    /// use crm_transport::{Moment, pretend_suspended};
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
    /// let read = Moment::now();
    /// pretend_suspended(Duration::from_secs(10));
    /// assert!(read.age() >= Duration::from_secs(10));
    /// # });
    /// ```
    pub fn pretend_suspended(time: Duration) {
        SUSPENDED.set(SUSPENDED.get() + time);
    }

    pub(super) fn pretended() -> Duration {
        SUSPENDED.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// A moment whose clocks read as given, in seconds.
    fn at(process: Instant, boot: u64, wall: u64) -> Moment {
        Moment { process, boot: boot * 1_000_000_000, wall: wall * 1_000_000_000 }
    }

    #[tokio::test(start_paused = true)]
    async fn the_age_is_the_largest_progress_of_any_clock() {
        let start = Instant::now();
        let read = at(start, 100, 1_000);
        for (process, boot, wall, age, what) in [
            (3, 103, 1_003, 3, "undisturbed"),
            (3, 13 + 100, 1_013, 13, "asleep"),
            (3, 103, 1_013, 13, "a paused virtual machine"),
            (3, 103, 500, 3, "the wall clock set back"),
            (3, 103, 5_000, 4_000, "the wall clock set forward"),
            (3, 0, 1_003, 3, "no clock from the boot"),
            (0, 90, 900, 0, "nothing has moved forward"),
        ] {
            let now = at(start + process * SECOND, boot, wall);
            assert_eq!(now.since(read), age * SECOND, "{what}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_earlier_of_two_passes_when_either_does() {
        let now = Moment::now();
        let (soon, late) = (now.after(SECOND), now.after(100 * SECOND));
        for earlier in [soon.earlier(late), late.earlier(soon)] {
            assert!(!earlier.has_passed());
            assert!(earlier.time_left() <= SECOND);
        }
        // Each is the earlier one on a different clock.
        let mixed = at(now.process, 4_000_000_000, 4_000_000_000).earlier(late);
        assert!(mixed.has_passed());
    }
}
