//! How long a set belongs to its owner, in time that includes sleep.

use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, Instant, SystemTime},
};

use crm_mirror::lock::lock;
use crm_transport::Moment;
use tokio::time;

/// The right to carry out a set, as long as nobody else takes it.
///
/// A lease lasts for a fixed time from each renewal. An owner that cannot renew it, because it is
/// stopped or asleep, begins nothing after its [end](Self::ends): from then on another owner may
/// take the set. Clones share the lease.
#[derive(Debug, Clone)]
pub struct Lease {
    epoch: u64,
    lasts: Duration,
    alone_since: Option<time::Instant>,
    renewed: Arc<Mutex<Renewal>>,
}

/// The time at which a renewal was requested. The lease counts from before the store was asked, not
/// from after.
#[derive(Debug, Clone, Copy)]
pub struct Renewal {
    process: Instant,
    wall: SystemTime,
}

impl Renewal {
    /// Creates a renewal that is requested now.
    #[must_use]
    pub fn now() -> Self {
        Self { process: Instant::now(), wall: SystemTime::now() }
    }

    /// How long ago that was, suspended time included. Not by tokio's clock, as [`Moment`] has
    /// it: leases are also renewed where no runtime is, and last in real time.
    fn age(self) -> Duration {
        let wall = self.wall.elapsed().unwrap_or_default();
        self.process.elapsed().max(wall)
    }
}

impl Lease {
    /// Creates the lease of this epoch, which lasts for `lasts` from each renewal.
    #[must_use]
    pub fn new(epoch: u64, lasts: Duration, taken: Renewal) -> Self {
        Self { epoch, lasts, alone_since: None, renewed: Arc::new(Mutex::new(taken)) }
    }

    /// Records that no earlier owner has sent anything since then. A run that knows it waits for the
    /// service from then on, and not from its own beginning, before it sends again what an earlier
    /// owner got no answer to.
    #[must_use]
    pub fn alone_since(mut self, then: time::Instant) -> Self {
        self.alone_since = Some(then);
        self
    }

    /// Since when no earlier owner has sent anything, if the store knows.
    pub(crate) fn get_alone_since(&self) -> Option<time::Instant> {
        self.alone_since
    }

    /// Returns the number of this ownership; each new owner has a higher one.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Returns when the lease ends unless it is renewed; nothing may be begun after that.
    #[must_use]
    pub fn ends(&self) -> Moment {
        self.ends_from(Moment::now())
    }

    /// When it ends, for one who has just looked at the clocks.
    pub(crate) fn ends_from(&self, now: Moment) -> Moment {
        let age = self.renewed().age();
        now.after(self.lasts.saturating_sub(age))
    }

    /// Records that the lease was renewed.
    pub fn renew(&self, renewal: Renewal) {
        *self.renewed() = renewal;
    }

    /// Returns whether it is time to renew the lease: several times before it ends, so that a late
    /// renewal does no harm.
    #[must_use]
    pub fn is_due(&self) -> bool {
        self.renewed().age() >= self.lasts / RENEWALS_PER_LEASE
    }

    fn renewed(&self) -> MutexGuard<'_, Renewal> {
        lock(&self.renewed)
    }
}

/// How long a set belongs to whoever takes it for less than a run, if the process stops meanwhile.
pub(crate) const LEASE: Duration = Duration::from_secs(10);

const RENEWALS_PER_LEASE: u32 = 5;

#[cfg(test)]
mod tests {
    use super::*;

    const LASTS: Duration = Duration::from_secs(10);

    /// Asked for so long ago, by both clocks.
    fn ago(process: u64, wall: u64) -> Renewal {
        Renewal {
            process: Instant::now() - Duration::from_secs(process),
            wall: SystemTime::now() - Duration::from_secs(wall),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_lease_ends_by_the_clock_that_went_further_until_it_is_renewed() {
        for (process, wall, ended, due) in
            [(0, 0, false, false), (3, 3, false, true), (3, 11, true, true), (11, 11, true, true)]
        {
            let lease = Lease::new(1, LASTS, ago(process, wall));
            let what = format!("{process} {wall}");
            assert_eq!(lease.ends().has_passed(), ended, "{what}");
            assert_eq!(lease.is_due(), due, "{what}");
            lease.clone().renew(Renewal::now());
            assert!(!lease.ends().has_passed(), "{what}");
            assert!(!lease.is_due(), "{what}");
        }
    }
}
