//! How many writes are on their way at once: as many as the network needs, and few enough that
//! none waits long for the rate limit.

use std::time::Duration;

/// How many a run begins with. At the vendor's 60 calls a second the last of them leaves after
/// 267 ms, so none of the first waits for [`TOO_LONG`].
const FIRST: usize = 16;

/// A write that waited for longer than this had too many before it. A reading decides for
/// 1.7 seconds and a write must leave within 2 ([`DECISION_AGE`](crm_contacts::DECISION_AGE)):
/// 0.3 are what is left for the way through the rate limit.
const TOO_LONG: Duration = Duration::from_millis(300);

/// A write that waited for less than this leaves room for others. The size rests between the two:
/// one write more or less moves the wait by 17 ms, so without a gap of several of these it would
/// go up and down with each answer.
const SHORT: Duration = Duration::from_millis(100);

/// The number of writes that may be on their way.
///
/// What waits for the rate limit grows old, and its decision with it. So only as many writes are
/// handed over as keep the limit busy. That depends on the network: at 60 calls a second and
/// answers after 0.6 s, 36 are on the wire; beside the server it is one. How long a write waited
/// between its hand-over and its departure tells.
#[derive(Debug)]
pub(super) struct Window {
    size: usize,
    most: usize,
}

impl Window {
    /// Of up to this many.
    pub(super) fn of(most: usize) -> Self {
        Self { size: FIRST.min(most), most }
    }

    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// Takes note of how long a write waited that was answered. Where the transport does not tell,
    /// one that took no time in all did not wait, and of another nothing is known.
    pub(super) fn note(&mut self, waited: Option<Duration>, took: impl FnOnce() -> Duration) {
        let waited = waited.unwrap_or_else(|| took().min(SHORT));
        // By one each way: a change of the network shows within a window's worth of answers, and
        // a single late one costs one place.
        if waited > TOO_LONG {
            self.size = self.size.saturating_sub(1).max(1);
        } else if waited < SHORT {
            self.size = (self.size + 1).min(self.most);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn it_stays_between_one_and_the_most_that_were_asked_for() {
        let mut window = Window::of(64);
        (0..1_000).for_each(|_| window.note(Some(MS), || MS));
        assert_eq!(window.size(), 64);
        (0..1_000).for_each(|_| window.note(Some(10 * TOO_LONG), || 11 * TOO_LONG));
        assert_eq!(window.size(), 1);
        assert_eq!(Window::of(3).size(), 3);
    }

    /// The size after a minute at 60 calls a second, over a network that takes so long there and
    /// back. Whatever is not on the wire waits.
    fn settles_at(round_trip: Duration) -> usize {
        let mut window = Window::of(64);
        let pace = MS * 1_000 / 60;
        for _ in 0..60 * 60 {
            let all = pace * u32::try_from(window.size()).unwrap();
            window.note(Some(all.saturating_sub(round_trip)), || all.max(round_trip));
        }
        window.size()
    }

    #[test]
    fn where_nobody_tells_how_long_writes_wait_it_grows_only_while_they_take_no_time() {
        let mut window = Window::of(64);
        (0..1_000).for_each(|_| window.note(None, || 600 * MS));
        assert_eq!(window.size(), FIRST);
        (0..1_000).for_each(|_| window.note(None, || MS));
        assert_eq!(window.size(), 64);
    }

    #[test]
    fn a_slow_network_is_filled_and_a_fast_one_is_not_flooded() {
        let near = settles_at(MS);
        assert!((6..=18).contains(&near), "{near}");
        let far = settles_at(600 * MS);
        assert!((42..=54).contains(&far), "{far}");
    }
}
